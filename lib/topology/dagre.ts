import * as dagre from '@dagrejs/dagre';

/*
 * What is used of dagre, with types: those of its own name modules without endings, which TypeScript does not find.
 */

/** A point, or the middle of a box. */
export interface Placed {
  readonly x: number;
  readonly y: number;
}

export interface PlacedBox extends Placed {
  readonly width: number;
  readonly height: number;
}

/** A graph whose nodes may be in others, with at most one edge from one node to another. */
export interface DagreGraph {
  setGraph(options: Readonly<Record<string, string | number>>): void;
  setNode(id: string, size: { readonly width?: number; readonly height?: number }): void;
  setParent(id: string, parent: string): void;
  setEdge(from: string, to: string, label: { width?: number; height?: number; labelpos?: 'c' }): void;
  /** What {@link layout} has found: the size of all, the middle of a node, the way of an edge with the middle of its label. */
  graph(): Partial<PlacedBox>;
  node(id: string): PlacedBox;
  edge(from: string, to: string): PlacedBox & { readonly points: readonly Placed[] };
}

export const { Graph, layout } = dagre as unknown as {
  Graph: new (options: { compound: boolean }) => DagreGraph;
  layout: (graph: DagreGraph) => void;
};

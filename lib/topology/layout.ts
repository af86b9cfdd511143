import { Graph, layout as arrange, type DagreGraph, type PlacedBox } from './dagre';
import { textWidth } from './text-width';
import { beginsInside, endsOf } from './order';
import { LONGEST_LINE, type Link, type Place, type Topology } from './topology';

/** A rectangle, by its corner at the top left. All lengths are pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A link from box to box. */
export interface Line {
  readonly link: Link;
  readonly points: readonly Point[];
  /** Where its label is. @default it has none */
  readonly label?: Box;
}

/** Where everything is. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, Box>;
  readonly areas: ReadonlyMap<string, Box>;
  readonly lines: readonly Line[];
}

export const TITLE_SIZE = 13;
export const DETAIL_SIZE = 11;
export const LINE_HEIGHT = 15;
export const PADDING = 9;
const MARGIN = 16;

/** A line without its middle where it is too long. */
export function fitting(line: string): string {
  if (line.length <= LONGEST_LINE) return line;
  const half = (LONGEST_LINE - 1) / 2;
  return `${line.slice(0, Math.ceil(half))}…${line.slice(-Math.floor(half))}`;
}

/**
 * Places the parts of a topology so that nothing overlaps: from top to bottom or from left to right, whichever is narrower, and those
 * first who open connections.
 */
export function layoutOf(topology: Topology): Layout {
  const [down, right] = beginsInside(topology)
    ? [arranged(topology, 'TB'), arranged(topology, 'LR')]
    : [arranged(topology, 'BT'), arranged(topology, 'RL')];
  return right.width < down.width ? right : down;
}

/** Which of a point's coordinates grows from one row of boxes to the next. */
type Axis = 'x' | 'y';
/** From where to where something is on an axis. */
type Span = readonly [start: number, end: number];

function arranged(topology: Topology, rankdir: 'TB' | 'LR' | 'BT' | 'RL'): Layout {
  const graph = new Graph({ compound: true });
  graph.setGraph({ rankdir, nodesep: 24, edgesep: 16, ranksep: 60, marginx: MARGIN, marginy: MARGIN });
  for (const { id } of topology.areas) graph.setNode(id, {});
  for (const place of topology.places) {
    graph.setNode(place.id, sizeOf(place));
    if (place.area !== undefined) graph.setParent(place.id, place.area);
  }
  const endsInOrder = endsOf(topology);
  for (const link of topology.links) {
    const [inner, outer] = endsInOrder(link);
    const { label } = link;
    const room = label === undefined ? {} : { width: textWidth(label, DETAIL_SIZE) + 6, height: LINE_HEIGHT };
    graph.setEdge(inner, outer, { ...room, labelpos: 'c' });
  }
  arrange(graph);

  const { width = 0, height = 0 } = graph.graph();
  const axis = rankdir === 'TB' || rankdir === 'BT' ? 'y' : 'x';
  const isMirrored = isInReverse(topology.places, graph, axis);
  const seen = ({ x, y }: Point): Point => {
    if (!isMirrored) return { x, y };
    return axis === 'y' ? { x: width - x, y } : { x, y: height - y };
  };
  const boxAround = ({ x, y, width, height }: PlacedBox): Box => boxOf({ ...seen({ x, y }), width, height });
  const boxes = (ids: readonly { readonly id: string }[]): Map<string, Box> =>
    new Map(ids.map(({ id }) => [id, boxAround(graph.node(id))]));
  const places = boxes(topology.places);
  const edges = topology.links.map((link) => {
    const [inner, outer] = endsInOrder(link);
    const edge = graph.edge(inner, outer);
    const ends = [places.get(inner), places.get(outer)] as [Box, Box];
    return {
      link,
      isTurned: link.from !== inner,
      ends,
      // dagre's own first and last point lie on the way to the middle of the box, which may lead through another one.
      points: edge.points.slice(1, -1).map(seen),
      ...(link.label !== undefined && { label: boxAround(edge) }),
    };
  });
  return { width, height, places, areas: boxes(topology.areas), lines: linesOf(edges, [...places.values()], axis) };
}

/** Whether places beside each other are mostly in the reverse of their order. */
function isInReverse(places: readonly Place[], graph: DagreGraph, axis: Axis): boolean {
  const across: Axis = axis === 'x' ? 'y' : 'x';
  const positions = (kind: Place['kind']): number[] =>
    places.flatMap((place) => (place.kind === kind ? [graph.node(place.id)[across]] : []));
  const steps = [...new Set(places.map(({ kind }) => kind))].flatMap((kind) => {
    const beside = positions(kind);
    return beside.slice(1).map((position, index) => Math.sign(position - (beside[index] ?? position)));
  });
  return steps.reduce((sum, step) => sum + step, 0) < 0;
}

interface Edge {
  readonly link: Link;
  /** Whether the link leads from the second box to the first. */
  readonly isTurned: boolean;
  readonly ends: readonly [Box, Box];
  /** Where it passes the rows between. */
  readonly points: readonly Point[];
  readonly label?: Box;
}

/** How far a line goes straight before it bends. */
const STUB = 13;
/** The distance of lines that end at the same side of a box, and of the first from its corner. */
const PORT_DISTANCE = 14;

/** Lines pass each row of boxes and labels straight, in the gap that they have there, and bend between rows only. */
function linesOf(edges: readonly Edge[], boxes: readonly Box[], axis: Axis): Line[] {
  const rows = rowsOf([...boxes, ...edges.flatMap(({ label }) => label ?? [])], axis);
  const rowAt = (position: number): Span => rows.get(Math.round(position)) ?? [position, position];
  const across: Axis = axis === 'x' ? 'y' : 'x';
  const point = (along: number, beside: number): Point =>
    axis === 'x' ? { x: along, y: beside } : { x: beside, y: along };
  const portOf = portsOf(edges, axis);
  return edges.map((edge, index) => {
    const { link, isTurned, ends, points, label } = edge;
    const [first, last] = ends.map((box) => spanOf(box, axis)) as [Span, Span];
    const isForward = first[0] < last[0];
    const directed = ([start, end]: Span): Span => (isForward ? [start, end] : [end, start]);
    const step = isForward ? STUB : -STUB;
    const out = (box: Span, beside: number): Point[] => {
      const [, side] = directed(box);
      const [, edgeOfRow] = directed(rowAt(middleOf(box)));
      return [point(side, beside), point(edgeOfRow + step, beside)];
    };
    const into = (box: Span, beside: number): Point[] => {
      const [side] = directed(box);
      const [edgeOfRow] = directed(rowAt(middleOf(box)));
      return [point(edgeOfRow - step, beside), point(side, beside)];
    };
    const way = [
      ...out(first, portOf(index, 0)),
      ...points.flatMap((passed) => directed(rowAt(passed[axis])).map((along) => point(along, passed[across]))),
      ...into(last, portOf(index, 1)),
    ];
    return {
      link,
      points: isTurned ? withoutNeedless(way).toReversed() : withoutNeedless(way),
      ...(label !== undefined && { label }),
    };
  });
}

/** The rows by their middle. */
function rowsOf(boxes: readonly Box[], axis: Axis): Map<number, Span> {
  const rows = new Map<number, Span>();
  for (const box of boxes) {
    const [start, end] = spanOf(box, axis);
    const middle = Math.round((start + end) / 2);
    const [least, most] = rows.get(middle) ?? [start, end];
    rows.set(middle, [Math.min(least, start), Math.max(most, end)]);
  }
  return rows;
}

/** Where each line begins and ends on the side of its box: next to where it goes on, and never two at the same place. */
function portsOf(edges: readonly Edge[], axis: Axis): (edge: number, end: 0 | 1) => number {
  const across: Axis = axis === 'x' ? 'y' : 'x';
  const sides = new Map<string, { key: string; box: Box; wanted: number }[]>();
  for (const [index, { ends, points }] of edges.entries()) {
    for (const end of [0, 1] as const) {
      const [box, other] = end === 0 ? ends : [ends[1], ends[0]];
      const next = points.at(end === 0 ? 0 : -1)?.[across] ?? middleOf(spanOf(other, across));
      const side = `${String(box.x)} ${String(box.y)} ${String(spanOf(other, axis)[0] > spanOf(box, axis)[0])}`;
      sides.set(side, [...(sides.get(side) ?? []), { key: `${String(index)} ${String(end)}`, box, wanted: next }]);
    }
  }
  const ports = new Map<string, number>();
  for (const lines of sides.values()) {
    const [start, end] = spanOf(lines[0]?.box ?? NOWHERE, across);
    const between = Math.min(PORT_DISTANCE, (end - start) / (lines.length + 1));
    const [least, most] = [start + between, end - between];
    let before = -Infinity;
    for (const [index, { key, wanted }] of lines.toSorted((one, other) => one.wanted - other.wanted).entries()) {
      // Room is left for those that come after.
      const latest = most - between * (lines.length - 1 - index);
      before = Math.max(before + between, Math.min(Math.max(wanted, least), latest));
      ports.set(key, before);
    }
  }
  return (edge, end) => ports.get(`${String(edge)} ${String(end)}`) ?? 0;
}

function spanOf(box: Box, axis: Axis): Span {
  return axis === 'x' ? [box.x, box.x + box.width] : [box.y, box.y + box.height];
}

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };

const middleOf = ([start, end]: Span): number => (start + end) / 2;

/** Without points that lie where the line goes anyway. */
function withoutNeedless(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    const [before, last] = kept.slice(-2);
    const isOnTheWay = (one: Point, middle: Point): boolean =>
      Math.abs((middle.x - one.x) * (point.y - one.y) - (middle.y - one.y) * (point.x - one.x)) < 1;
    if (before !== undefined && last !== undefined && isOnTheWay(before, last)) kept.pop();
    kept.push(point);
  }
  return kept;
}

/** The box around a point, which is how dagre says it. */
function boxOf({ x, y, width, height }: Box): Box {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function sizeOf({ title, details }: Place): { width: number; height: number } {
  const widths = [
    textWidth(fitting(title), TITLE_SIZE),
    ...details.map((line) => textWidth(fitting(line), DETAIL_SIZE)),
  ];
  return {
    width: Math.ceil(Math.max(...widths)) + 2 * PADDING,
    height: LINE_HEIGHT * (1 + details.length) + 2 * PADDING,
  };
}

import type { Cluster, Place } from './cluster';
import type { Address } from './address';
import type { ClusterNode } from '../kubernetes/node';
import type { Expr, Json } from '../staged';

/** A release of a chart, and what else is known of its cluster. */
export interface Site<V = unknown> {
  /** The values, with the defaults of the chart. */
  readonly values: V;
  /** What an expression of the chart is for these values. */
  readonly ask: <T extends Json>(expression: Expr<T>) => T;
  /** The files of the chart's ConfigMaps that have that name. */
  readonly printed: (file: string) => readonly string[];
  readonly nodes: readonly ClusterNode[];
  /** The MTU of the links that have the nodes' addresses, and of the network of the pods, in bytes. */
  readonly nodeMtuBytes: number;
  readonly podMtuBytes: number;
}

/** What a chart makes of the ways of packets. */
export interface Network {
  readonly cluster: Cluster;
  /** Who is outside of the cluster, by names such as `import:vpc` and `peer:alice`. */
  readonly outside: ReadonlyMap<string, readonly Place[]>;
  /** What an address is that none of the cluster has. */
  placeOf(address: Address): Place;
  /** Whose MTU counts. */
  readonly mtus: readonly ('node' | 'pod')[];
  /** What is taken for granted, in sentences. */
  readonly assumptions: readonly string[];
}

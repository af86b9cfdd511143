/** What explain makes of values, for tests. */
import { CHARTS } from '../../charts';
import { chartNetwork } from '../../lib/cli/explain-command';
import { explain, type Explanation } from '../../lib/explain/explanation';
import type { Network } from '../../lib/explain/site';
import { waysOf, type Hop } from '../../lib/explain/walk';
import type { HelmChart } from '../../lib/helm/chart';
import type { JsonObject } from '../../lib/helm/values-file';
import type { ClusterNode } from '../../lib/kubernetes/node';

/** A node with an address and a network of pods. */
export const node = (name: string, address: string, pods: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
  name,
  labels: {},
  annotations: {},
  taints: [],
  internalAddresses: [address],
  podNetworks: [{ cidr: pods, from: 'spec.podCIDR' }],
  ...more,
});

export function networkOf(
  name: keyof typeof CHARTS,
  values: JsonObject,
  nodes: readonly ClusterNode[] = [],
  { nodeMtuBytes = 1500, podMtuBytes = 1500 } = {},
): Network {
  const chart = CHARTS[name] as unknown as HelmChart;
  return chartNetwork(chart, { values }, chart.objects({ values }), { nodes, nodeMtuBytes, podMtuBytes });
}

/** The only explanation between two places. */
export function only(network: Network, from: string, to: string): Explanation {
  const [first, ...others] = explain(network, from, to);
  if (first === undefined || others.length > 0)
    throw new Error(`${from} to ${to}: ${String(others.length + 1)} explanations`);
  return first;
}

/** What is met, `host` or `  kind text`, without the values that it is from; of several ways one after the other. */
export const met = (hops: readonly Hop[]): string[] =>
  hops.flatMap(({ host, steps, branches }) => [
    host.title,
    ...steps.map(({ kind, text }) => `  ${kind} ${text}`),
    ...branches.flatMap(({ steps: more, outcome, next }) => [
      ...more.map(({ kind, text }) => `  ${kind} ${text}`),
      ...(outcome === undefined ? met(next === undefined ? [] : [next]) : [`  ${outcome.verdict} ${outcome.text}`]),
    ]),
  ]);

/** How the ways end, each kind once. */
export const verdicts = (hops: readonly Hop[]): string[] => [
  ...new Set(hops.flatMap(waysOf).map(({ outcome, isPart }) => `${outcome.verdict}${isPart ? ' in part' : ''}`)),
];

/** The sources that packets have where they arrive. */
export const sources = (hops: readonly Hop[]): string[] => [
  ...new Set(
    hops.flatMap(waysOf).flatMap(({ outcome, packet }) => (outcome.verdict === 'arrives' ? [packet.source.text] : [])),
  ),
];

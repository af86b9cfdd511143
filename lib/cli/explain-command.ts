import type { HelmChart, PlainOptions } from '../helm/chart';
import { evaluate } from '../staged/evaluate';
import type { KubernetesObject } from '../staged/resource';
import { nodeOf } from '../staged/node';
import { InputError } from '../staged/input-error';
import { explain, explainPair, everyPair } from '../explain/explanation';
import { explanationData } from '../explain/explanation-json';
import { explanationText } from '../explain/explanation-text';
import { networkOf, NETWORKS } from '../explain/networks';
import { TABLE_HEAD, tableRow } from '../explain/pairs-table';
import type { Network, Site } from '../explain/site';
import { chartNamed, siteOf, type ValuesFlags } from './commands';
import { readNodes } from './read-nodes';
import { Refusals } from './refusals';
import { withPlaces } from './with-places';

/** The flags of `explain`. */
export interface ExplainFlags extends ValuesFlags {
  readonly nodes?: readonly string[];
  readonly nodeMtu?: number;
  readonly podMtu?: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** What links have where nobody says otherwise. */
const ETHERNET_MTU_BYTES = 1500;

/** `explain`: what packets between two places meet, or how those between all end, on standard output. */
export function explainCommand(
  chart: string,
  from: string | undefined,
  to: string | undefined,
  flags: ExplainFlags,
): void {
  const { all = false, json = false } = flags;
  refuseUsage(chart, from, to, flags);
  const network = networkFor(chart, flags);
  if (all) {
    if (json) writeJson([...everyPair(network)].map(([one, other]) => explanationData(explainPair(one, other))));
    else writeTable(network);
    return;
  }
  const explanations = explain(network, from ?? '', to ?? '');
  if (json) writeJson(explanations.map(explanationData));
  else process.stdout.write(explanations.map((one) => explanationText(one, assumptionsOf(network, flags))).join('\n'));
}

function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** In parts: there may be hundreds of thousands of rows. */
function writeTable(network: Network): void {
  const rows = [TABLE_HEAD];
  for (const [one, other] of everyPair(network)) {
    rows.push(tableRow(explainPair(one, other)));
    if (rows.length > 1000) process.stdout.write(rows.splice(0).join(''));
  }
  process.stdout.write(rows.join(''));
}

function refuseUsage(chart: string, from: string | undefined, to: string | undefined, flags: ExplainFlags): void {
  const { all = false, values, nodes = [] } = flags;
  const problems: string[] = [];
  if (networkOf(chartNamed(chart).name) === undefined)
    problems.push(
      `chart: the ways of its packets are not known, got ${JSON.stringify(chart)}; name one of ${Object.keys(NETWORKS).join(', ')}`,
    );
  if (all && from !== undefined)
    problems.push(`FROM: is not used with --all, got ${JSON.stringify(from)}; leave one of them out`);
  if (!all && to === undefined)
    problems.push(`${from === undefined ? 'FROM' : 'TO'}: is missing; name two places, or give --all`);
  if ([...values, ...nodes].filter((file) => file === '-').length > 1)
    problems.push('-: standard input can be read once only; give the other files by name');
  if (problems.length > 0) throw new InputError(problems, 2);
}

function networkFor(chart: string, flags: ExplainFlags): Network {
  const refusals = new Refusals();
  const { loaded, options } = siteOf(flags);
  const helm = chartNamed(chart);
  const objects = refusals.attempt(() => withPlaces(loaded, () => helm.objects(options)));
  const nodes = refusals.attempt(() => readNodes(flags.nodes ?? []));
  refusals.throwIfAny();
  if (objects === undefined || nodes === undefined) throw new InputError([]);
  return chartNetwork(helm, options, objects, {
    nodes,
    nodeMtuBytes: flags.nodeMtu ?? ETHERNET_MTU_BYTES,
    podMtuBytes: flags.podMtu ?? ETHERNET_MTU_BYTES,
  });
}

/** What a chart makes of the ways of packets, with good values. */
export function chartNetwork(
  chart: HelmChart,
  options: PlainOptions,
  objects: readonly KubernetesObject[],
  cluster: Pick<Site, 'nodes' | 'nodeMtuBytes' | 'podMtuBytes'>,
): Network {
  const network = networkOf(chart.name);
  if (network === undefined) throw new Error(`the chart ${chart.name} is not known to explain`);
  const env = chart.environment(options);
  return network({
    ...cluster,
    values: env.values,
    ask: (expression) => evaluate(nodeOf(expression), env) as never,
    printed: (file) =>
      objects.flatMap(({ kind, data }) => {
        const text = kind === 'ConfigMap' ? (data as Readonly<Record<string, string>> | undefined)?.[file] : undefined;
        return text === undefined ? [] : [text];
      }),
  });
}

function assumptionsOf({ assumptions, mtus }: Network, { nodeMtu, podMtu }: ExplainFlags): string[] {
  const given = { node: nodeMtu, pod: podMtu };
  const guessed = mtus.filter((of) => given[of] === undefined).map((of) => `the ${of}s’ network (--${of}-mtu)`);
  if (guessed.length === 0) return [...assumptions];
  return [...assumptions, `the MTU of ${guessed.join(' and ')} is ${String(ETHERNET_MTU_BYTES)} bytes`];
}

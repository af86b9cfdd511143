/** The law of the charts: real Helm makes of a chart and a user's values what the plain reader makes of them, or refuses both. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { HelmChart } from '../../lib/helm/chart';
import { loadValues } from '../../lib/helm/load-values';
import { resolvePlain } from '../../lib/helm/plain-scalar';
import { toYaml } from '../../lib/helm/yaml';
import { InputError } from '../../lib/staged/input-error';
import { KUBERNETES_VERSION } from '../tools';
import type { ValuesCase } from './values-arbitrary';

/** What a user gives to Helm, with the paths of real files. */
export interface Given {
  readonly files: readonly string[];
  readonly set?: readonly string[];
  readonly setString?: readonly string[];
  readonly release?: { readonly name: string; readonly namespace: string };
}

/** What one side makes of values. Integers are bigint, other numbers are not. */
export type Verdict =
  | { readonly kind: 'objects'; readonly objects: ReadonlyMap<string, readonly unknown[]> }
  | { readonly kind: 'schema'; readonly text: string }
  | { readonly kind: 'checks'; readonly text: string };

/** The numbers of a run, for its last lines and for whoever doubts them. */
export interface LawCounts {
  readonly seed: number;
  readonly cases: number;
  readonly accepted: number;
  readonly refusedBySchema: number;
  readonly refusedByChecks: number;
  readonly leaves: number;
  readonly leastChanged: { readonly leaf: string; readonly times: number };
}

const RELEASE = { name: 'vpn', namespace: 'default' };

/** A chart as a folder on disk, for Helm; it lives until `remove`. */
export function writtenChart(chart: HelmChart): { readonly folder: string; remove(): void } {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-law-'));
  const folder = path.join(parent, chart.name);
  chart.write(folder);
  return { folder, remove: () => fs.rmSync(parent, { recursive: true, force: true }) };
}

/** Writes generated values as YAML files, as a user would give them. */
export function writeCase(folder: string, { files, set, setString }: ValuesCase): Given {
  const names = files.map((values, index) => {
    const file = path.join(folder, `values-${String(index)}.yaml`);
    fs.writeFileSync(file, toYaml(values));
    return file;
  });
  return { files: names, set, setString };
}

/** What the plain reader makes of values. */
export function asPlain(chart: HelmChart, { files, set = [], setString = [], release = RELEASE }: Given): Verdict {
  let isRight = false;
  try {
    const { values } = loadValues({ files, set, setString });
    const options = { values, release: { ...release, service: 'Helm' } };
    chart.environment(options);
    isRight = true;
    return { kind: 'objects', objects: keyed(chart.objects(options).map(withIntegers)) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { kind: isRight ? 'checks' : 'schema', text: error.problems.join('\n') };
  }
}

/** What a real Helm makes of values. */
export function asHelm(
  helm: string,
  chart: string,
  { files, set = [], setString = [], release = RELEASE }: Given,
): Verdict {
  const flags = [
    ...files.flatMap((file) => ['-f', file]),
    ...set.flatMap((expression) => ['--set', expression]),
    ...setString.flatMap((expression) => ['--set-string', expression]),
  ];
  const command = [
    'template',
    release.name,
    chart,
    '-n',
    release.namespace,
    '--kube-version',
    KUBERNETES_VERSION,
    ...flags,
  ];
  const { status, stdout, stderr, error } = spawnSync(helm, command, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status === 0) return { kind: 'objects', objects: keyed(parse(stdout)) };
  const text = stderr.replace(/\n\nUse --debug flag to render out invalid YAML\n$/, '').trimEnd();
  const failed = /^Error: execution error at \([^)]*templates\/validation\/checks\.yaml:[0-9:]+\): /m.exec(text);
  if (failed !== null) return { kind: 'checks', text: text.slice(failed.index + failed[0].length) };
  if (text.includes("values don't meet the specifications of the schema(s)")) return { kind: 'schema', text };
  throw new Error(`Helm failed neither by the schema nor by a check: ${text}`);
}

/** The first difference of two verdicts, in a sentence. The schema's own texts are Helm's, and differ by version. */
export function difference(plain: Verdict, helm: Verdict): string | undefined {
  if (plain.kind !== helm.kind) {
    return `plain: ${summary(plain)}\nhelm:  ${summary(helm)}`;
  }
  if (plain.kind === 'schema') return undefined;
  if (plain.kind === 'checks') {
    return plain.text === (helm as typeof plain).text
      ? undefined
      : `plain refuses with:\n${plain.text}\nhelm refuses with:\n${(helm as typeof plain).text}`;
  }
  const { objects } = helm as typeof plain;
  for (const key of new Set([...plain.objects.keys(), ...objects.keys()])) {
    const [ours, theirs] = [plain.objects.get(key), objects.get(key)];
    if (canonical(ours) !== canonical(theirs)) return `${key} differs at ${firstDifference(ours, theirs, '')}`;
  }
  return undefined;
}

function summary(verdict: Verdict): string {
  return verdict.kind === 'objects'
    ? `${String(verdict.objects.size)} objects`
    : `refused by the ${verdict.kind}: ${verdict.text}`;
}

function firstDifference(ours: unknown, theirs: unknown, at: string): string {
  if (isContainer(ours) && isContainer(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      const [one, other] = [ours[key], theirs[key]];
      if (canonical(one) !== canonical(other)) return firstDifference(one, other, `${at}/${key}`);
    }
  }
  return `${at}:\n  plain: ${shown(ours)}\n  helm:  ${shown(theirs)}`;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A value as text: equal exactly for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `${String(value)}n`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === undefined) return 'nothing';
  if (!isContainer(value)) return Object.is(value, -0) ? '-0' : JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}

function shown(value: unknown): string {
  const text = canonical(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

/** Helm's output as Go's YAML reads it, which is what the API server gets. */
function parse(stream: string): unknown[] {
  const documents = parseAllDocuments(stream, { schema: 'failsafe', uniqueKeys: true });
  return [...documents].flatMap((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw new Error(`Helm’s output is no YAML: ${problem.message}`);
    const object = meaning(document.contents);
    return object === null || isHook(object) ? [] : [object];
  });
}

function meaning(node: unknown): unknown {
  if (isMap(node))
    return Object.fromEntries(node.items.map(({ key, value }) => [String(meaning(key)), meaning(value)]));
  if (isSeq(node)) return node.items.map(meaning);
  if (!isScalar(node)) return null;
  return node.type === 'PLAIN' ? resolvePlain(node.source ?? '') : node.value;
}

function isHook(object: unknown): boolean {
  const { metadata } = object as { metadata?: { annotations?: Record<string, unknown> } };
  return metadata?.annotations?.['helm.sh/hook'] !== undefined;
}

/** Objects by their identity; a list, since a user may give two of one name. */
function keyed(objects: readonly unknown[]): Map<string, unknown[]> {
  const map = new Map<string, unknown[]>();
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object as {
      apiVersion: string;
      kind: string;
      metadata?: { namespace?: string; name?: string };
    };
    const key = `${apiVersion} ${kind} ${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
    map.set(key, [...(map.get(key) ?? []), object]);
  }
  return map;
}

function withIntegers(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withIntegers(inner)]));
}

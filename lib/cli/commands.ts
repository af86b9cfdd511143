import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CHARTS } from '../../charts';
import type { HelmChart, PlainOptions } from '../helm/chart';
import { writeFiles } from '../helm/folder';
import { loadValues, type LoadedValues } from '../helm/load-values';
import { MANIFEST_MARK, manifestFiles, manifestStream } from '../helm/manifests';
import { InputError } from '../staged/input-error';
import type { KubernetesObject } from '../staged/resource';
import { imagesOf } from './images';
import { tell } from './report';
import { nearest } from '../staged/nearest';
import { withPlaces } from './with-places';

/** The flags of the commands that read values. */
export interface ValuesFlags {
  readonly values: readonly string[];
  readonly set: readonly string[];
  readonly setString: readonly string[];
  readonly release: string;
  readonly namespace: string;
  readonly managedBy: string;
}

/** What holds without any flag. */
export const DEFAULT_FLAGS: ValuesFlags = {
  values: [],
  set: [],
  setString: [],
  release: 'vpn',
  namespace: 'default',
  managedBy: 'cdk8s',
};

/** `synth`: plain manifests, on standard output or into a folder. */
export function synthCommand(name: string, flags: ValuesFlags & { readonly output?: string }): void {
  const objects = objectsOf(chartNamed(name), flags);
  if (flags.output === undefined) {
    process.stdout.write(manifestStream(objects));
    return;
  }
  writeFiles(flags.output, manifestFiles(objects), MANIFEST_MARK);
  tell(`wrote ${numberOf(objects.length, 'manifest')} to ${flags.output}`);
}

/** What the Secret of a Helm release holds at most: the API server's limit for the entries of an object. */
const RELEASE_MAX_BYTES = 1_048_576;

/** `check`: nothing is written, all problems are shown. */
export function checkCommand(name: string, flags: ValuesFlags): void {
  const chart = chartNamed(name);
  const { loaded, options } = siteOf(flags);
  withPlaces(loaded, () => {
    const size = chart.releaseBytes(options);
    if (size <= RELEASE_MAX_BYTES) return;
    throw new InputError([
      `values: would make a Helm release larger than the ${String(RELEASE_MAX_BYTES)} bytes that its Secret holds, ` +
        `got about ${String(size)}; keep what is many, such as peers, in Secrets of their own (peersFrom)`,
    ]);
  });
  const summary = chart.summary(options);
  if (summary !== undefined) process.stdout.write(`${summary}\n`);
  tell(`${name}: the values are good`);
}

/** `chart`: the Helm chart as a folder of its name. */
export function chartCommand(name: string, folder: string): void {
  const place = join(folder, name);
  chartNamed(name).write(place);
  tell(`wrote the chart ${name} to ${place}`);
}

/** `images`: every image that the pods use, one a line. */
export function imagesCommand(name: string, flags: ValuesFlags): void {
  for (const image of imagesOf(objectsOf(chartNamed(name), flags))) process.stdout.write(`${image}\n`);
}

/** `examples`: the manifests of every example, and all charts. */
export function examplesCommand(folder: string): void {
  const charts = Object.keys(CHARTS).map(chartNamed);
  const examples = charts.flatMap((chart) => examplesOf(chart.name).map((file) => ({ chart, file })));
  const manifests = examples.flatMap(({ chart, file }) =>
    manifestFiles(objectsOf(chart, { ...DEFAULT_FLAGS, values: [file] })).map((manifest) => ({
      ...manifest,
      name: `${chart.name}/${basename(file, '.yaml')}/${manifest.name}`,
    })),
  );
  for (const chart of charts) chart.write(join(folder, 'charts', chart.name));
  writeFiles(join(folder, 'manifests'), manifests, MANIFEST_MARK);
  tell(
    `wrote ${numberOf(charts.length, 'Helm chart')} to ${join(folder, 'charts')}, ` +
      `and the manifests of ${numberOf(examples.length, 'example')} to ${join(folder, 'manifests')}`,
  );
}

/** The values files of a chart's examples, in the order of their names. */
export function examplesOf(chart: string): string[] {
  // The second place is seen from build/.
  const places = ['../../values/examples', '../../../values/examples'].map((place) => join(__dirname, place, chart));
  const folder = places.find((place) => existsSync(place));
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * A chart of this package by its name.
 *
 * @throws InputError with exit code 2 if there is none
 */
export function chartNamed(name: string): HelmChart {
  const charts = new Map<string, unknown>(Object.entries(CHARTS));
  const chart = charts.get(name);
  if (chart !== undefined) return chart as HelmChart;
  const names = [...charts.keys()];
  const guess = nearest(name, names);
  const advice = guess === undefined ? `choose one of ${names.join(', ')}` : `did you mean ${guess}?`;
  throw new InputError([`chart: there is no such chart, got ${JSON.stringify(name)}; ${advice}`], 2);
}

function objectsOf(chart: HelmChart, flags: ValuesFlags): KubernetesObject[] {
  const { loaded, options } = siteOf(flags);
  return withPlaces(loaded, () => chart.objects(options));
}

/** The values of the flags, with their places, and what the chart makes of them. */
export function siteOf(flags: ValuesFlags): { loaded: LoadedValues; options: PlainOptions } {
  const loaded = loadValues({ files: flags.values, set: flags.set, setString: flags.setString });
  const release = { name: flags.release, namespace: flags.namespace, service: flags.managedBy };
  return { loaded, options: { values: loaded.values, release } };
}

function numberOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

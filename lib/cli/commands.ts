import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CHARTS } from '../../charts';
import { GENERATED } from '../helm/chart-yaml';
import type { HelmChart } from '../helm/chart';
import { writeFiles } from '../helm/folder';
import { loadValues, type LoadedValues } from '../helm/load-values';
import { manifestFiles, manifestStream } from '../helm/manifests';
import { InputError } from '../staged/input-error';
import { parsePath } from '../staged/problems';

/** The flags of the commands that read values. */
export interface ValuesFlags {
  readonly values: readonly string[];
  readonly set: readonly string[];
  readonly setString: readonly string[];
  readonly release: string;
  readonly namespace: string;
  readonly managedBy: string;
}

/** `synth`: plain manifests, on standard output or into a folder. */
export function synthCommand(name: string, flags: ValuesFlags & { readonly output?: string }): void {
  const objects = evaluated(chartNamed(name), flags);
  if (flags.output === undefined) process.stdout.write(manifestStream(objects));
  else writeFiles(flags.output, manifestFiles(objects), MANIFEST_MARK);
}

/** `check`: nothing is written, all problems are shown. */
export function checkCommand(name: string, flags: ValuesFlags): void {
  evaluated(chartNamed(name), flags);
}

/** `chart`: the Helm chart as a folder of its name. */
export function chartCommand(name: string, folder: string): void {
  chartNamed(name).write(join(folder, name));
}

/** `examples`: the manifests of every example, and all charts. */
export function examplesCommand(folder: string): void {
  for (const chart of Object.values(CHARTS)) {
    chart.write(join(folder, 'charts', chart.name));
    for (const example of examplesOf(chart.name)) {
      const { values } = loadValues({ files: [example] });
      writeFiles(join(folder, 'manifests', chart.name, basename(example, '.yaml')), manifestFiles(chart.objects({ values })), MANIFEST_MARK);
    }
  }
}

/** The first line of every manifest file, by which a later run knows its own. */
const MANIFEST_MARK = `${GENERATED}; do not edit.`;

/** The values files of a chart's examples. */
export function examplesOf(chart: string): string[] {
  const folder = [join(__dirname, '../../values/examples'), join(__dirname, '../../../values/examples')].map((place) => join(place, chart)).find(existsSync);
  if (folder === undefined) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort().map((name) => join(folder, name));
}

/** A chart of this package by its name. */
export function chartNamed(name: string): HelmChart {
  const chart = (CHARTS as Readonly<Record<string, unknown>>)[name];
  if (chart === undefined || !Object.hasOwn(CHARTS, name)) {
    throw new InputError([`chart: there is no such chart, got ${JSON.stringify(name)}; choose one of ${Object.keys(CHARTS).join(', ')}`], 2);
  }
  return chart as HelmChart;
}

function evaluated(chart: HelmChart, flags: ValuesFlags): ReturnType<HelmChart['objects']> {
  const loaded = loadValues({ files: flags.values, set: flags.set, setString: flags.setString });
  try {
    return chart.objects({ values: loaded.values, release: { name: flags.release, namespace: flags.namespace, service: flags.managedBy } });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problems.map((problem) => located(problem, loaded)), error.exitCode);
  }
}

/** A sentence with the place in the file where its path was set. */
function located(problem: string, { locate }: LoadedValues): string {
  const path = parsePath(problem);
  const position = path.length === 0 ? undefined : locate(path);
  return position === undefined ? problem : `${position.file}:${String(position.line)}:${String(position.column)}: ${problem}`;
}

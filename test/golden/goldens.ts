/**
 * Golden copies: what our charts give to users, in the tree, so that a review sees what a change does to them.
 *
 *     <chart>/chart/**                 the whole Helm chart
 *     <chart>/manifests/<example>.yaml the plain manifests of every example
 *     <chart>/errors.txt               what a user reads about the values files in <chart>/bad
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import type { HelmChart } from '../../lib/helm/chart';
import { loadValues } from '../../lib/helm/load-values';
import { manifestStream } from '../../lib/helm/manifests';
import { InputError } from '../../lib/staged/input-error';

/** How a person renews them. */
export const UPDATE_COMMAND = 'npm run golden';

const examples = path.join(__dirname, '../../values/examples');

/** The charts by name, without their types. */
export const charts = CHARTS as unknown as Readonly<Record<string, HelmChart>>;

/** The YAML files of a folder by their name without `.yaml`, sorted. */
export function valuesFilesIn(folder: string): [string, string][] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((name) => [path.basename(name, '.yaml'), path.join(folder, name)]);
}

export function examplesOf(chart: string): [string, string][] {
  return valuesFilesIn(path.join(examples, chart));
}

export function badFilesOf(chart: string): [string, string][] {
  return valuesFilesIn(path.join(__dirname, chart, 'bad'));
}

/** What every golden file should hold, by its path below this folder. */
export function goldens(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, chart] of Object.entries(charts)) {
    for (const file of chart.files()) files.set(`${name}/chart/${file.name}`, file.text);
    for (const [example, file] of examplesOf(name)) {
      files.set(`${name}/manifests/${example}.yaml`, manifestStream(chart.objects(loadValues({ files: [file] }))));
    }
    const errors = badFilesOf(name).map(
      ([bad, file]) =>
        `bad/${bad}.yaml\n${problemsOf(chart, file)
          .map((problem) => `  ${problem}\n`)
          .join('')}`,
    );
    files.set(`${name}/errors.txt`, errors.join('\n'));
  }
  return files;
}

/** The sentences about a bad values file. */
export function problemsOf(chart: HelmChart, file: string): readonly string[] {
  try {
    chart.objects(loadValues({ files: [file] }));
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  throw new Error(`${file} is not bad`);
}

/** What the golden files hold, by their path below this folder. */
export function goldensInTree(): Map<string, string> {
  const files = new Map<string, string>();
  for (const chart of fs.readdirSync(__dirname, { withFileTypes: true })) {
    if (!chart.isDirectory()) continue;
    for (const entry of fs.readdirSync(path.join(__dirname, chart.name), { recursive: true, withFileTypes: true })) {
      const file = path.relative(__dirname, path.join(entry.parentPath, entry.name));
      if (entry.isFile() && !file.startsWith(path.join(chart.name, 'bad'))) {
        files.set(file.split(path.sep).join('/'), fs.readFileSync(path.join(__dirname, file), 'utf8'));
      }
    }
  }
  return files;
}

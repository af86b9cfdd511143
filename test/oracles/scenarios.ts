import { basename } from 'node:path';
import { examplesOf } from '../../lib/cli/commands';
import { loadValues } from '../../lib/helm/load-values';
import type { JsonObject } from '../../lib/helm/values-file';
import type { KubernetesObject } from '../../lib/staged';
import { charts } from '../golden/goldens';
import { acceptedValues, type ChartWithValues } from '../laws/values-arbitrary';

/** Values that an oracle judges what we make of. */
export interface Scenario {
  readonly name: string;
  readonly chart: ChartWithValues;
  readonly values: JsonObject;
}

/** How many generated values files every oracle sees, beside all examples. */
const GENERATED = 20;
const SEED = 20261121;

/** All examples of a chart, and generated values files. */
export function scenariosOf(chart: ChartWithValues): Scenario[] {
  const examples = examplesOf(chart).map((file) => ({
    name: `${chart}, ${basename(file, '.yaml')}`,
    chart,
    values: loadValues({ files: [file] }).values,
  }));
  const generated = acceptedValues(chart, GENERATED, SEED).map((values, i) => ({
    name: `${chart}, generated ${String(i + 1)}`,
    chart,
    values,
  }));
  return [...examples, ...generated];
}

/** Whether the values are an example, which is as a person writes it. */
export const isExample = ({ name }: Scenario): boolean => !name.includes('generated');

/** The objects that a scenario makes. */
export function objectsFor({ chart, values }: Pick<Scenario, 'chart' | 'values'>): KubernetesObject[] {
  return charts[chart]!.objects({ values });
}

/** The configuration files of a scenario that stand beside a file of that name: one map for each ConfigMap. */
export function configsOf(
  scenario: Pick<Scenario, 'chart' | 'values'>,
  file: string,
): Readonly<Record<string, string>>[] {
  return objectsFor(scenario)
    .filter(({ kind, data }) => kind === 'ConfigMap' && typeof data === 'object' && data !== null && file in data)
    .map(({ data }) => data as Record<string, string>);
}

/** The server's configuration files of values of the chart `wireguard`. */
export function wireguardConfig(values: JsonObject): Readonly<Record<string, string>> {
  const [config] = configsOf({ chart: 'wireguard', values }, 'wg.conf');
  if (config === undefined) throw new Error('no ConfigMap holds wg.conf');
  return config;
}

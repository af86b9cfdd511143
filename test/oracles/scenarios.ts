import { basename } from 'node:path';
import { CHARTS } from '../../charts';
import { examplesOf } from '../../lib/cli/commands';
import { loadValues } from '../../lib/helm/load-values';
import type { JsonObject } from '../../lib/helm/values-file';
import type { KubernetesObject } from '../../lib/staged';
import { acceptedValues } from '../laws/values-arbitrary';

/** Values that an oracle judges what we make of. */
export interface Scenario {
  readonly name: string;
  readonly values: JsonObject;
}

/** How many generated values files every oracle sees, beside all examples. */
const GENERATED = 20;
const SEED = 20261121;

/** All examples of the chart `wireguard`, and generated values files. */
export function wireguardScenarios(): Scenario[] {
  const examples = examplesOf('wireguard').map((file) => ({
    name: basename(file, '.yaml'),
    values: loadValues({ files: [file] }).values,
  }));
  const generated = acceptedValues(GENERATED, SEED).map((values, i) => ({
    name: `generated ${String(i + 1)}`,
    values,
  }));
  return [...examples, ...generated];
}

/** The objects that a scenario makes. */
export function objectsFor(values: JsonObject): KubernetesObject[] {
  return CHARTS.wireguard.objects({ values });
}

/** The server's configuration files of a scenario. */
export function configOf(values: JsonObject): Readonly<Record<string, string>> {
  const config = objectsFor(values).find(
    ({ kind, data }) => kind === 'ConfigMap' && typeof data === 'object' && data !== null && 'wg.conf' in data,
  );
  if (config === undefined) throw new Error('no ConfigMap holds wg.conf');
  return config['data'] as Record<string, string>;
}

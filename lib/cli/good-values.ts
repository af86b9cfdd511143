import type { z } from 'zod';
import type { HelmChart, PlainOptions } from '../helm/chart';

import { siteOf, type ValuesFlags } from './commands';
import type { PartValues } from './part-values';
import { withPlaces } from './with-places';

/** The values that the flags of a command give, after all checks. */
export interface GoodValues<V> {
  /** With the defaults of the chart. */
  readonly values: V;
  /** What the chart makes its objects and texts of. */
  readonly options: PlainOptions;
  /** Where the values are in their files. */
  readonly loaded: PartValues;
}

/**
 * The values that the flags give to a chart.
 *
 * @throws InputError with every problem of the values
 */
export function goodValues<S extends z.ZodObject, B>(
  chart: HelmChart<S, B>,
  flags: ValuesFlags,
): GoodValues<z.output<S>> {
  const { loaded, options } = siteOf(flags, chart.name);
  withPlaces(loaded, () => chart.objects(options));
  return { values: chart.environment(options).values as z.output<S>, options, loaded };
}

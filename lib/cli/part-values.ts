import type { LoadedValues } from '../helm/load-values';
import { isMap } from '../helm/merge';

/** Loaded values, and where in the files they stand, if they are not all that is there. */
export interface PartValues extends LoadedValues {
  /** The name of the chart below which they stand in the values of the umbrella chart. */
  readonly below?: string;
}

/**
 * What a command that is about one chart takes from the values of the umbrella chart: those below the name of that chart, a
 * key that none of its own has. Other values are that chart's own.
 */
export function partValues(chart: string, loaded: LoadedValues): PartValues {
  const part = Object.hasOwn(loaded.values, chart) ? loaded.values[chart] : undefined;
  if (!isMap(part)) return loaded;
  return { below: chart, values: part, locate: (path) => loaded.locate([chart, ...path]) };
}

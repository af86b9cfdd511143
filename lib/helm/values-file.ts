import type { Json } from '../staged/node';

/** A map of values. It never holds a bigint: Helm reads every number of a values file as a double. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A place in a file; both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Steps from the root of the values: keys of maps, indexes of lists. */
export type ValuesPath = readonly (string | number)[];

/** What a values file says, as Helm understands it. */
export interface ValuesFile {
  readonly name: string;
  readonly values: JsonObject;
  /** Where the file gives the value at this path, if it does. */
  locate(path: ValuesPath): Position | undefined;
}

import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../staged/input-error';
import { mergeLayers } from './merge';
import { applySet, applySetString } from './set';
import { readValuesFile } from './read-values-file';
import type { JsonObject, Position, ValuesFile, ValuesPath } from './values-file';

/** Where values come from, each list in the order of the command line. */
export interface ValuesSources {
  readonly files: readonly string[];
  readonly set?: readonly string[];
  readonly setString?: readonly string[];
  /** What stands before a file on the command line, if it is not `-f`. */
  readonly after?: string;
}

/** A place in one of several files. */
export interface FilePosition extends Position {
  readonly file: string;
}

/** The user's values, before a chart's defaults are put under them. */
export interface LoadedValues {
  readonly values: JsonObject;
  /** The last file that gives the value at this path, or its nearest parent; nothing if a flag gave it. */
  readonly locate: (path: ValuesPath) => FilePosition | undefined;
}

/**
 * Loads the user's values as Helm does: the files in order, then all `--set`, then all `--set-string`.
 *
 * @throws InputError with the problems of all files; with exit code 2 if a file cannot be read or a flag is malformed
 */
export function loadValues({ files, set = [], setString = [], after }: ValuesSources): LoadedValues {
  const read = readAll(files, after);
  const fromFiles = read.map((file) => file.values).reduce<JsonObject>(mergeLayers, {});
  const values = setString.reduce(applySetString, set.reduce(applySet, fromFiles));
  return {
    values,
    locate(path) {
      if (!isDeepStrictEqual(valueAt(fromFiles, path), valueAt(values, path))) return undefined;
      for (let length = path.length; length > 0; length--) {
        const found = locateIn(read, path.slice(0, length));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function readAll(files: readonly string[], after: string | undefined): ValuesFile[] {
  const read: ValuesFile[] = [];
  const errors: InputError[] = [];
  for (const file of files) {
    try {
      read.push(readValuesFile(file, after));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(error);
    }
  }
  if (errors.length === 0) return read;
  const exitCode = errors.some((error) => error.exitCode === 2) ? 2 : 1;
  throw new InputError(
    errors.flatMap((error) => error.problems),
    exitCode,
  );
}

function locateIn(files: readonly ValuesFile[], path: ValuesPath): FilePosition | undefined {
  for (const file of files.toReversed()) {
    const position = file.locate(path);
    if (position !== undefined) return { file: file.name, ...position };
  }
  return undefined;
}

function valueAt(values: unknown, path: ValuesPath): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? at[step as keyof typeof at] : undefined,
    values,
  );
}

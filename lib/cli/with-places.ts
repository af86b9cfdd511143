import type { LoadedValues } from '../helm/load-values';
import type { JsonObject, ValuesPath } from '../helm/values-file';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';

/**
 * Runs what reads the values. Each problem that it throws gets the place in the file where its value, or the nearest
 * map around it, was set. Their order stays, which for rules is that of Helm's message.
 */
export function withPlaces<T>({ values, locate }: LoadedValues, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const placed = error.problems.map((problem) => {
      const place = locate(pathIn(values, problem));
      return place === undefined ? problem : `${place.file}:${place.line}:${place.column}: ${problem}`;
    });
    throw new InputError(placed, error.exitCode);
  }
}

/** The path at the beginning of a sentence (`peers.alice.addresses[0]: …`). Keys may hold any character, also dots. */
function pathIn(values: Json, sentence: string): ValuesPath {
  const path: (string | number)[] = [];
  let value = values;
  let rest = sentence;
  while (!rest.startsWith(': ')) {
    const step = stepIn(value, path.length === 0 ? rest : rest.replace(/^\./, ''));
    // What is missing in the values still has a map around it.
    if (step === undefined) return [...path, rest];
    path.push(step.key);
    [value, rest] = [step.value, step.rest];
  }
  return path;
}

function stepIn(value: Json, text: string): { key: string | number; value: Json; rest: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const [all, digits] = /^\[(\d+)\]/.exec(text) ?? [];
    const item: Json | undefined = value[Number(digits)] as Json | undefined;
    return all === undefined || item === undefined
      ? undefined
      : { key: Number(digits), value: item, rest: text.slice(all.length) };
  }
  const ends = [...text.matchAll(/: |[.[]/g)].map(({ index }) => index);
  const key = ends.map((end) => text.slice(0, end)).findLast((name) => Object.hasOwn(value, name));
  return key === undefined
    ? undefined
    : { key, value: (value as JsonObject)[key] as Json, rest: text.slice(key.length) };
}

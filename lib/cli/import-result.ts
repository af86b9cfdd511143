import type { z } from 'zod';
import type { JsonObject } from '../helm/values-file';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';
import { pathText, problemsOf } from '../staged/problems';

/** What an import makes of old settings. */
export interface Imported {
  readonly values: JsonObject;
  /** Objects that hold secrets: a file of their own. */
  readonly secrets: readonly JsonObject[];
  /** What became of each key and of what was fixed, as `old path: what`. */
  readonly report: readonly string[];
}

/** A Secret that values name. */
export function secretOf(name: string, stringData: Readonly<Record<string, string>>): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', stringData };
}

/** A Secret of bytes that are no text. */
export function secretOfBytes(name: string, data: Readonly<Record<string, Buffer>>): JsonObject {
  const encoded = Object.entries(data).map(([key, bytes]) => [key, bytes.toString('base64')] as const);
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', data: Object.fromEntries(encoded) };
}

/**
 * Old settings as their schema has them.
 *
 * @param path where they stand
 * @throws InputError with every problem of them
 */
export function parsedAs<T extends z.ZodType>(
  schema: T,
  given: Json,
  path: readonly (string | number)[] = [],
): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InputError(
    problemsOf(parsed.error.issues, schema, given).map(
      (problem) => `${pathText([...path, ...problem.path])}: ${problem.sentence}`,
    ),
  );
}

/**
 * The identities of gateways, in the order of these.
 *
 * @throws InputError with exit code 2 if there are more than gateways
 */
export function identitiesOf(gateways: number, given: readonly string[] = []): readonly string[] {
  if (given.length <= gateways) return given;
  const are = gateways === 1 ? 'is one gateway' : `are ${String(gateways)} gateways`;
  throw new InputError(
    [`--identity: is given ${String(given.length)} times, but there ${are}; leave out the others`],
    2,
  );
}

import { z } from 'zod';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';
import { pathText, problemsOf, type Problem } from '../staged/problems';
import { elementOf, shapeOf, unwrap } from '../staged/schema';
import { coalesce } from './merge';
import type { JsonObject } from './values-file';

/** The defaults of a chart: its `values.yaml` as a value. A value that the user must give has none. */
export function defaultsOf(schema: z.core.$ZodType): JsonObject {
  const entries = Object.entries(shapeOf(unwrap(schema).schema) ?? {}).flatMap(([key, child]): [string, Json][] => {
    const { schema: inner, optional, hasDefault } = unwrap(child);
    const parsed = hasDefault ? z.safeParse(child, undefined) : undefined;
    if (parsed?.success === true) return [[key, parsed.data as Json]];
    return shapeOf(inner) !== undefined && (hasDefault || !optional) ? [[key, defaultsOf(inner)]] : [];
  });
  return Object.fromEntries(entries);
}

/**
 * The values that a chart's templates see, from the user's.
 *
 * @throws InputError with a sentence for everything that the chart's schema refuses
 */
export function parseValues(schema: z.ZodObject, user: JsonObject): JsonObject {
  const values = withoutAbsent(schema, coalesce(defaultsOf(schema), user)) as JsonObject;
  const problems = missing(schema, values, []);
  const parsed = z.safeParse(schema, values);
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, schema, values));
  if (problems.length > 0)
    throw new InputError(
      problems.map(({ path, sentence }) => (path.length === 0 ? sentence : `${pathText(path)}: ${sentence}`)),
    );
  return values;
}

/** Null under a key without a default is the same as no key, but not in what is passed on as it is. */
function withoutAbsent(schema: z.core.$ZodType, value: Json): Json {
  const { schema: inner } = unwrap(schema);
  if (z.globalRegistry.get(inner)?.['asIs'] === true) return value;
  const shape = shapeOf(inner);
  const element = elementOf(inner);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return element === undefined ? items : items.map((item) => withoutAbsent(element, item));
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]): [string, Json][] => {
      const of = shape !== undefined && Object.hasOwn(shape, key) ? shape[key] : element;
      if (of === undefined) return [[key, child]];
      const { optional, hasDefault } = unwrap(of);
      return child === null && optional && !hasDefault ? [] : [[key, withoutAbsent(of, child)]];
    }),
  );
}

/** What has a default is required: only a null of the user takes it away, and that is a mistake. */
function missing(schema: z.core.$ZodType, value: Json, path: readonly string[]): Problem[] {
  const shape = shapeOf(unwrap(schema).schema);
  if (shape === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(shape).flatMap(([key, child]) => {
    const below = [...path, key];
    if (Object.hasOwn(value, key)) return missing(child, (value as JsonObject)[key] as Json, below);
    return unwrap(child).hasDefault
      ? [{ path: below, sentence: 'is required, got null; remove the null, or give it a value' }]
      : [];
  });
}

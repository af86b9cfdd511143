import type { Json } from '../staged/node';
import type { JsonObject } from './values-file';

/**
 * Puts one layer of user values over another, as Helm does with several `-f` files: maps are merged key by key,
 * everything else is replaced, and null is kept as a value (it may delete a default later).
 */
export function mergeLayers(base: JsonObject, over: JsonObject): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isMap(below) && isMap(value) ? mergeLayers(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/**
 * Gives the values that the templates of a chart without subcharts see: the chart's defaults under the user's values,
 * by the rules of Helm 4.3. Older versions differ only in how they treat nulls that stand in the defaults.
 *
 * | Null | 3.14 | 3.22 | 4.3 |
 * |---|---|---|---|
 * | user's, over a default | deletes the key | same | same |
 * | user's, no default (also inside a map that has none) | stays null | same | same |
 * | user's, in a list | stays null | same | same |
 * | user's in one file, a map in a later one | the map over the defaults | same | same |
 * | user's, over a null default at the top | deletes the key | same | same |
 * | user's, over a null default further down | deletes the key | stays null | stays null |
 * | in the defaults, nothing from the user | stays null | stays null | absent |
 * | in a list of the defaults | stays null | same | same |
 */
export function coalesce(defaults: JsonObject, user: JsonObject): JsonObject {
  return under(withoutNulls(defaults), user, (key) => Object.hasOwn(defaults, key));
}

/** Defaults without nulls under the user's values; a null of the user deletes the keys that `hasDefault` knows. */
function under(defaults: JsonObject, user: JsonObject, hasDefault: (key: string) => boolean): JsonObject {
  const values = new Map(Object.entries(defaults));
  for (const [key, value] of Object.entries(user)) {
    const below = values.get(key);
    if (value === null && hasDefault(key)) values.delete(key);
    else if (isMap(value) && isMap(below))
      values.set(
        key,
        under(below, value, (inner) => Object.hasOwn(below, inner)),
      );
    else values.set(key, value);
  }
  return Object.fromEntries(values);
}

function withoutNulls(map: JsonObject): JsonObject {
  const entries = Object.entries(map).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [key, isMap(value) ? withoutNulls(value) : value]));
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

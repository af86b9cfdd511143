import { z } from 'zod';
import type { StaticType } from './node';

/** What can be said of a leaf beside its type; set with `.meta()`. */
export interface LeafMeta {
  readonly description?: string;
  /** The value never appears in a message, a log, an environment or a ConfigMap. */
  readonly secret?: boolean;
  /** What the value is, for messages: `a network`. */
  readonly noun?: string;
  /** A value that would be right, for messages and for the commented values file. */
  readonly example?: string | number | boolean | readonly unknown[] | Readonly<Record<string, unknown>>;
}

/** A schema without its wrappers, and what they said. */
export interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly optional: boolean;
  readonly hasDefault: boolean;
  readonly meta: LeafMeta;
}

/** Takes `optional`, `default` and `prefault` off a schema. */
export function unwrap(schema: z.core.$ZodType): Unwrapped {
  const meta = z.globalRegistry.get(schema) as LeafMeta | undefined;
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type === 'optional' || def.type === 'default' || def.type === 'prefault') {
    const inner = unwrap(def.innerType);
    return {
      schema: inner.schema,
      optional: def.type === 'optional' || inner.optional,
      hasDefault: def.type !== 'optional' || inner.hasDefault,
      meta: { ...inner.meta, ...meta },
    };
  }
  return { schema, optional: false, hasDefault: false, meta: meta ?? {} };
}

/** The keys of an object schema, undefined for any other schema. */
export function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  return def.type === 'object' ? def.shape : undefined;
}

/** The schema of the elements of a list or a map, undefined for any other schema. */
export function elementOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type === 'array') return def.element;
  return def.type === 'record' ? def.valueType : undefined;
}

/** Whether an object schema accepts keys that it does not name. */
export function isOpen(schema: z.core.$ZodType): boolean {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  return def.type === 'object' && def.catchall !== undefined && def.catchall._zod.def.type !== 'never';
}

/** What the schema says of a value before the values are known. */
export function staticType(schema: z.core.$ZodType): StaticType {
  const { schema: inner, optional, hasDefault, meta } = unwrap(schema);
  const base = { optional: optional && !hasDefault, ...(meta.secret === true && { secret: true }) };
  const def = (inner as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'boolean':
      return { kind: 'bool', ...base };
    case 'number':
      return { kind: isInteger(inner) ? 'int' : 'number', ...base };
    case 'string':
      // Patterns are anchored and hold only positive ASCII classes (`assertPortablePattern`), so they keep text in one line.
      return { kind: 'string', ...base, ...(hasPattern(inner) && { line: true, ascii: true }) };
    case 'enum':
    case 'literal': {
      const values = def.type === 'enum' ? Object.values(def.entries) : def.values;
      return values.every((value) => typeof value === 'string')
        ? { kind: 'string', ...base, line: true, ascii: true }
        : { kind: 'unknown', ...base };
    }
    case 'array':
      return { kind: 'list', ...base, element: def.element };
    case 'record':
      return { kind: 'map', ...base, element: def.valueType };
    case 'object':
      return { kind: 'object', ...base };
    default:
      return { kind: 'unknown', ...base };
  }
}

function isInteger(schema: z.core.$ZodType): boolean {
  const { format, checks } = schema._zod.def as { format?: string; checks?: z.core.$ZodCheck[] };
  return (
    format === 'safeint' ||
    (checks ?? []).some(({ _zod: { def } }) => (def as { format?: string }).format === 'safeint')
  );
}

function hasPattern(schema: z.core.$ZodType): boolean {
  const { checks } = schema._zod.def as { checks?: z.core.$ZodCheck[] };
  return (checks ?? []).some(({ _zod: { def } }) => def.check === 'string_format');
}

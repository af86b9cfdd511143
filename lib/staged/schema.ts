import { z } from 'zod';
import { assertPortablePattern } from '../net/portable-pattern';
import { UNKNOWN, type StaticType } from './node';

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

const UNWRAPPED = new WeakMap<z.core.$ZodType, Unwrapped>();

/** Takes `optional`, `default` and `prefault` off a schema. */
export function unwrap(schema: z.core.$ZodType): Unwrapped {
  const known = UNWRAPPED.get(schema) ?? unwrapped(schema);
  UNWRAPPED.set(schema, known);
  return known;
}

function unwrapped(schema: z.core.$ZodType): Unwrapped {
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
      return { kind: 'map', ...base, element: def.valueType, lineKeys: staticType(def.keyType).line === true };
    case 'object':
      return { kind: 'object', ...base };
    case 'union':
      return { ...common(def.options.map(staticType)), ...base };
    default:
      // Perhaps null, which is absent.
      return { kind: 'unknown', ...base, optional: !hasDefault };
  }
}

/** The type of the elements of a list or a map. */
export function itemType({ element, items }: StaticType): StaticType {
  return element === undefined ? (items ?? UNKNOWN) : { ...staticType(element), optional: false };
}

/** What two or more types of scalars have in common. */
function common(types: readonly StaticType[]): StaticType {
  const [first = UNKNOWN] = types;
  const isScalar = first.kind === 'string' || first.kind === 'int' || first.kind === 'bool';
  if (!isScalar || types.some(({ kind }) => kind !== first.kind)) return UNKNOWN;
  if (first.kind !== 'string') return { kind: first.kind, optional: false };
  return textType(types);
}

/** The type of a text that is one of several, or made of them. */
export function textType(types: readonly StaticType[]): StaticType {
  const texts = types.filter(({ kind }) => kind === 'string');
  const line = texts.every((type) => type.line === true);
  return { kind: 'string', optional: false, line, ascii: texts.every((type) => type.ascii === true) };
}

function isInteger(schema: z.core.$ZodType): boolean {
  const { format, checks } = schema._zod.def as { format?: string; checks?: z.core.$ZodCheck[] };
  return (
    format === 'safeint' ||
    (checks ?? []).some(({ _zod: { def } }) => (def as { format?: string }).format === 'safeint')
  );
}

/** Whether a pattern keeps the text in one line: a portable one is anchored and holds only positive ASCII classes. */
function hasPattern(schema: z.core.$ZodType): boolean {
  const { checks } = schema._zod.def as { checks?: z.core.$ZodCheck[] };
  return (checks ?? []).some(({ _zod: { def } }) => {
    const { format, pattern } = def as { format?: string; pattern?: RegExp };
    return format === 'regex' && pattern !== undefined && isPortable(pattern);
  });
}

const PORTABLE = new WeakMap<RegExp, boolean>();

function isPortable(pattern: RegExp): boolean {
  const known = PORTABLE.get(pattern);
  if (known !== undefined) return known;
  let portable = true;
  try {
    assertPortablePattern(pattern);
  } catch {
    portable = false;
  }
  PORTABLE.set(pattern, portable);
  return portable;
}

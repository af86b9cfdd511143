import { z } from 'zod';
import type { Json } from '../staged/node';
import { elementOf, shapeOf, staticType, unwrap, type LeafMeta } from '../staged/schema';

/** A value that a user can set, as the documentation shows it. */
export interface Leaf {
  /** The path as in a message: `peers.<name>.publicKey`, `service.type`. */
  readonly path: string;
  readonly key: string;
  /** The word for its type in the table: string, int, bool, list, object. */
  readonly type: string;
  readonly description: string;
  readonly meta: LeafMeta;
  /** Undefined where the value has no default. */
  readonly default: Json | undefined;
  /** A value that would be right, as far as the schema tells one. */
  readonly example: Json | undefined;
  /** The name of an entry of a map in that example. */
  readonly entryName: string | undefined;
  /** What an element of a list, an entry of a map, or a part that may be absent has. */
  readonly entries: readonly Leaf[];
}

/** A key of the values: a leaf, or a map of them. */
export type Branch = Leaf | { readonly key: string; readonly path: string; readonly children: readonly Branch[] };

/** The keys of an object schema in the order in which the schema writes them. */
export function branches(schema: z.core.$ZodType, prefix = ''): Branch[] {
  const shape = shapeOf(unwrap(schema).schema) ?? {};
  return Object.entries(shape).map(([key, child]): Branch => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const { schema: inner, optional, hasDefault } = unwrap(child);
    if (shapeOf(inner) !== undefined && (hasDefault || !optional))
      return { key, path, children: branches(inner, path) };
    return leafOf(key, path, child);
  });
}

/** All leaves below a branch, entries of maps included. */
export function leavesOf(tree: readonly Branch[]): Leaf[] {
  return tree.flatMap((branch) =>
    'children' in branch ? leavesOf(branch.children) : [branch, ...leavesOf(branch.entries)],
  );
}

const TYPES: Readonly<Record<string, string>> = {
  bool: 'bool',
  int: 'int',
  number: 'float',
  string: 'string',
  list: 'list',
  map: 'object',
  object: 'object',
  unknown: 'string',
};

function leafOf(key: string, path: string, schema: z.core.$ZodType): Leaf {
  const { schema: inner, hasDefault, meta } = unwrap(schema);
  const choices = choicesOf(inner);
  const description = meta.description ?? '';
  return {
    key,
    path,
    type: TYPES[staticType(schema).kind] ?? 'string',
    description:
      choices === undefined || choices.every((choice) => description.includes(choice))
        ? description
        : `${description} (${choices.join(', ')})`,
    meta,
    default: hasDefault ? (z.parse(schema, undefined) as Json) : undefined,
    example: exampleOf(schema),
    entryName: entryNameOf(inner),
    entries: entriesOf(inner, path),
  };
}

/** A value that would be right: the one that the schema gives, or one made of its parts. */
function exampleOf(schema: z.core.$ZodType): Json | undefined {
  const { schema: inner, meta } = unwrap(schema);
  if (meta.example !== undefined) return meta.example as Json;
  const { def } = (inner as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'boolean':
      return true;
    case 'enum':
      return Object.values(def.entries)[0];
    case 'array': {
      const element = exampleOf(def.element);
      return element === undefined ? undefined : [element];
    }
    default:
      return undefined;
  }
}

/** The name of an entry of a map, as an example. */
function entryNameOf(schema: z.core.$ZodType): string | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type !== 'record') return undefined;
  const example = exampleOf(def.keyType);
  return typeof example === 'string' ? example : 'name';
}

function choicesOf(schema: z.core.$ZodType): string[] | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'enum' ? Object.values(def.entries).map((choice) => `\`${String(choice)}\``) : undefined;
}

function entriesOf(schema: z.core.$ZodType, path: string): Leaf[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const element = elementOf(schema);
  const [of, below] =
    element === undefined
      ? [schema, path]
      : [unwrap(element).schema, def.type === 'array' ? `${path}[]` : `${path}.<name>`];
  const shape = shapeOf(of);
  if (shape === undefined) return [];
  return Object.entries(shape).map(([key, child]) => leafOf(key, `${below}.${key}`, child));
}

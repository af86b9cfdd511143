import type { z } from 'zod';
import { nearest } from './nearest';
import { jsonBigInt } from './node';
import { shapeOf, unwrap, elementOf, type LeafMeta } from './schema';

/** A place in a values file and what is wrong there. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly sentence: string;
}

/** `peers.alice.addresses[0]`: the path as a user writes it in a message. */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${String(step)}]` : i === 0 ? step : `.${step}`)).join('');
}

/** What zod found, as sentences for the person who wrote the values. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType, input: unknown): Problem[] {
  return issues.flatMap((issue) => explain(issue, schema, input));
}

function explain(issue: z.core.$ZodIssue, root: z.core.$ZodType, input: unknown): Problem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const schema = schemaAt(root, path);
  const meta = schema === undefined ? {} : unwrap(schema).meta;
  const value = valueAt(input, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schema));
  if (issue.code === 'invalid_key') {
    const shown = show(path.at(-1), {});
    const remedy = remedyFor(meta, keyRemedy(issue));
    return [{ path, sentence: `is not a name that can be used here, got ${shown}; ${remedy}` }];
  }
  if (issue.code === 'invalid_type' && (value === undefined || value === null)) {
    const remedy = remedyFor(meta, `give ${nounOf(issue.expected, meta)}`);
    return [{ path, sentence: `is required, got nothing; ${remedy}` }];
  }
  const [wrong, remedy] = verdict(issue, meta, value);
  return [{ path, sentence: `${wrong}, got ${show(value, meta)}; ${remedy}` }];
}

/** What is wrong with a value that is there, and what to do. */
function verdict(issue: z.core.$ZodIssue, meta: LeafMeta, value: unknown): readonly [string, string] {
  const elsewhere = 'see the values table in the README';
  switch (issue.code) {
    case 'invalid_type':
      return [`must be ${nounOf(issue.expected, meta)}`, remedyFor(meta, elsewhere)];
    case 'invalid_value': {
      const choices = issue.values.map((choice) => JSON.stringify(choice)).join(' or ');
      const meant = typeof value === 'string' ? nearest(value, issue.values.map(String)) : undefined;
      return [
        'is not one of the choices',
        meant === undefined ? `choose ${choices}` : `did you mean ${JSON.stringify(meant)}?`,
      ];
    }
    case 'invalid_format': {
      const form = `write it as ${String(issue.pattern ?? issue.format)}`;
      return [`is not ${meta.noun ?? 'in the right form'}`, remedyFor(meta, form)];
    }
    case 'too_small':
      return [`is too ${issue.origin === 'number' ? 'small' : 'short'}`, `use ${String(issue.minimum)} or more`];
    case 'too_big':
      return [`is too ${issue.origin === 'number' ? 'large' : 'long'}`, `use ${String(issue.maximum)} or less`];
    default:
      return [`is not ${meta.noun ?? 'a value that can be used here'}`, remedyFor(meta, elsewhere)];
  }
}

function keyRemedy(issue: z.core.$ZodIssueInvalidKey): string {
  const pattern = issue.issues
    .map((inner) => (inner.code === 'invalid_format' ? inner.pattern : undefined))
    .find((text) => text !== undefined);
  if (pattern !== undefined) return `use a name that matches ${pattern}`;
  const longest = issue.issues.find((inner) => inner.code === 'too_big')?.maximum;
  return longest === undefined ? 'choose another name' : `use at most ${String(longest)} characters`;
}

/** The sentence for a key that the schema does not know. */
function unknownKey(path: readonly (string | number)[], key: string, schema: z.core.$ZodType | undefined): Problem {
  const known = Object.keys((schema === undefined ? undefined : shapeOf(unwrap(schema).schema)) ?? {});
  const meant = nearest(key, known);
  const remedy = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
  return { path: [...path, key], sentence: `unknown key, got ${JSON.stringify(key)}; ${remedy}` };
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  record: 'a map',
  object: 'a map',
};

function nounOf(expected: string, meta: LeafMeta): string {
  return meta.noun ?? NOUNS[expected] ?? expected;
}

function remedyFor(meta: LeafMeta, otherwise: string): string {
  return meta.example === undefined ? otherwise : `write it like ${JSON.stringify(meta.example)}`;
}

const LONGEST = 100;

function show(value: unknown, meta: LeafMeta): string {
  if (meta.secret === true)
    return typeof value === 'string'
      ? `a ${String(value.length)}-character string`
      : Array.isArray(value)
        ? 'a list'
        : `something of another type`;
  if (value === undefined) return 'nothing';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  // Not its content: a secret may be in it.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  const text = JSON.stringify(value, jsonBigInt);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function schemaAt(root: z.core.$ZodType, path: readonly (string | number)[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  for (const step of path) {
    if (schema === undefined) return undefined;
    const { schema: inner } = unwrap(schema);
    schema = shapeOf(inner)?.[String(step)] ?? elementOf(inner);
  }
  return schema;
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined,
    input,
  );
}

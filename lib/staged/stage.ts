import { z } from 'zod';
import type { ApiName } from './api-names';
import { InputError } from './input-error';
import {
  expr,
  isExpr,
  literal,
  nodeOf,
  describe,
  type Each,
  type Expr,
  type Json,
  type Node,
  type Part,
  type StaticType,
  type When,
} from './node';
import { OPERATIONS } from './operations';
import { pathText, problemsOf, type Problem } from './problems';
import { elementOf, isOpen, shapeOf, staticType, unwrap } from './schema';

type Scalar = string | number | bigint | boolean;

/** A map of the values stands for any object of the API: what is in it is for the API server to judge. */
type AnyMap = Expr<Readonly<Record<string, unknown>> | undefined>;

/**
 * A value of type `T` whose parts are each known now, or known at install time.
 *
 * @example
 * const values: Staged<{ port: number; labels: Record<string, string> }> = { port: v.port, labels: { app: 'vpn' } };
 */
export type Staged<T> = unknown extends T
  ? unknown
  : [NonNullable<T>] extends [Scalar]
    ? T | Expr<T> | When<T>
    : [keyof NonNullable<T>] extends ['value']
      ? Scalar | Expr<Scalar | Extract<T, undefined>> | Extract<T, undefined>
      : NonNullable<T> extends readonly (infer E)[]
        ? readonly StagedItem<E>[] | Expr<T> | Expr<readonly AnyMapOf<E>[]> | Each<StagedItem<E> | readonly StagedItem<E>[]> | Extract<T, undefined>
        :
            | { readonly [K in keyof NonNullable<T> as ApiName<K>]: Staged<NonNullable<T>[K]> }
            | Expr<T>
            | AnyMap
            | When<Staged<NonNullable<T>>>
            | Extract<T, undefined>;

type StagedItem<E> = Staged<E> | Each<Staged<E>> | When<Staged<E> | readonly Staged<E>[]>;

type AnyMapOf<E> = E extends object ? Readonly<Record<string, unknown>> : never;

/** The keys that a type names, without its index signature. */
type NamedKeys<T> = keyof { [K in keyof T as string extends K ? never : K]: true };

/** The expressions for a value of type `T`: a tree with the keys of its objects; lists and maps are entered by `each` and `lookup`. */
export type Ref<T> = unknown extends T
  ? Expr<unknown>
  : [NonNullable<T>] extends [Scalar]
    ? Expr<T>
    : NonNullable<T> extends readonly unknown[]
      ? Expr<T>
      : [NamedKeys<NonNullable<T>>] extends [never]
        ? Expr<T>
        : { readonly [K in NamedKeys<NonNullable<T>>]-?: Ref<NonNullable<T>[K & keyof NonNullable<T>] | Extract<T, undefined>> } & Expr<T>;

/**
 * Makes one tree of expressions from props that are known now, at install time, or part and part: literal parts are
 * checked by their own schema at once, expressions take their place, absent keys take the default.
 *
 * @throws InputError with every problem of the literal parts
 */
export function stage<S extends z.ZodObject>(schema: S, props: Staged<z.input<S>>): Ref<z.output<S>> {
  const problems: Problem[] = [];
  const staged = build(schema, props, [], problems);
  if (problems.length > 0) {
    throw new InputError(problems.map(({ path, sentence }) => `${pathText(path)}: ${sentence}`));
  }
  return staged as unknown as Ref<z.output<S>>;
}

/** The expressions for the values of a chart. */
export function refs<S extends z.ZodObject>(schema: S): Ref<z.output<S>> {
  return build(schema, expr({ op: 'values', type: { kind: 'object', optional: false }, path: [] }), [], []) as unknown as Ref<z.output<S>>;
}

/** The expressions for a value of that schema which `node` gives. */
export function refAt(schema: z.core.$ZodType | undefined, node: Node): Expr<unknown> {
  return schema === undefined ? expr(node) : build(schema, expr(node), [], []);
}

function build(schema: z.core.$ZodType, input: unknown, path: readonly string[], problems: Problem[]): Expr<unknown> {
  const { schema: inner, optional, hasDefault } = unwrap(schema);
  const type = staticType(schema);
  const shape = shapeOf(inner);
  if (isExpr(input)) {
    return shape === undefined ? leaf(input, schema, type, path, problems) : branch(input, shape, type, path, problems);
  }
  if (input === undefined || input === null) {
    if (hasDefault) return build(inner, defaultOf(schema), path, problems);
    if (!optional) problems.push({ path, sentence: 'is required, got nothing; give it a value' });
    return shape === undefined
      ? expr(literal(undefined, type, path))
      : branch(expr(literal(undefined, { ...type, optional: true }, path)), shape, type, path, problems);
  }
  if (shape !== undefined && isPlainObject(input)) {
    const unknown = isOpen(inner) ? [] : Object.keys(input).filter((key) => !Object.hasOwn(shape, key));
    if (unknown.length > 0) {
      const issue: z.core.$ZodIssueUnrecognizedKeys = { code: 'unrecognized_keys', keys: unknown, path: [], message: '', input };
      problems.push(...problemsOf([issue], schema, input).map((problem) => ({ ...problem, path: [...path, ...problem.path] })));
    }
    const fields = mapValues(shape, (child, key) => build(child, input[key], [...path, key], problems));
    return expr({ op: 'object', parts: partsOf(fields), type: { ...type, optional: false }, path }, fields);
  }
  const element = elementOf(inner);
  if (element !== undefined && holdsExpr(input)) {
    return container(input as object, element, type, path, problems);
  }
  const parsed = z.safeParse(inner, input);
  if (!parsed.success) {
    problems.push(...problemsOf(parsed.error.issues, schema, input).map((problem) => ({ ...problem, path: [...path, ...problem.path.map(String)] })));
  }
  return holdsExpr(input) ? expr({ ...contentOf(input), path }) : expr(literal(input as Json, { ...type, optional: false }, path));
}

/** A list or a map that is known now and holds expressions. */
function container(input: object, element: z.core.$ZodType, type: StaticType, path: readonly string[], problems: Problem[]): Expr<unknown> {
  const entries = Object.entries(input).map(([key, value]) => [key, nodeOf(build(element, value, [...path, key], problems))] as const);
  const known = { ...type, optional: false };
  return expr(
    Array.isArray(input)
      ? { op: 'list', items: entries.map(([, node]) => node), type: known, path }
      : { op: 'object', parts: entries.map(([key, value]) => ({ key, value })), type: known, path },
  );
}

/** The expressions for the keys of an object that is not known now. */
function branch(
  input: Expr<unknown>,
  shape: Readonly<Record<string, z.core.$ZodType>>,
  type: StaticType,
  path: readonly string[],
  problems: Problem[],
): Expr<unknown> {
  const node = nodeOf(input);
  const optional = node.type.optional;
  const fields = mapValues(shape, (child, key) => {
    const known = (input as unknown as Record<string, unknown>)[key];
    if (isExpr(known)) return build(child, known, [...path, key], problems);
    const childType = staticType(child);
    return build(
      child,
      expr({
        op: 'field',
        of: node,
        key,
        type: { ...childType, optional: childType.optional || optional },
        ...(node.path && { path: [...node.path, key] }),
      }),
      [...path, key],
      problems,
    );
  });
  return expr({ ...node, type: { ...type, optional } }, fields);
}

/** An expression in the place of a value with that schema. */
function leaf(input: Expr<unknown>, schema: z.core.$ZodType, type: StaticType, path: readonly string[], problems: Problem[]): Expr<unknown> {
  const node = nodeOf(input);
  if (!fits(node.type, type)) {
    problems.push({
      path,
      sentence: `needs ${type.line === true ? 'text that a pattern keeps in one line' : `a ${type.kind}`}, got ${describe(node)}; give its schema the same type`,
    });
  }
  const { hasDefault, optional } = unwrap(schema);
  const located = node.path === undefined ? { ...node, path } : node;
  const typed = { ...located, type: { ...type, optional: node.type.optional } };
  if (!node.type.optional || (optional && !hasDefault)) return expr(typed);
  if (hasDefault) {
    const fallback = literal(defaultOf(schema), { ...type, optional: false });
    return expr({ op: 'call', operation: OPERATIONS.orElse, args: [typed, fallback], type: { ...type, optional: false }, path: located.path ?? path });
  }
  // A field of an optional object is absent with it.
  return expr(typed);
}

function fits(given: StaticType, wanted: StaticType): boolean {
  if (wanted.kind === 'unknown') return true;
  const sameKind = given.kind === wanted.kind || (wanted.kind === 'number' && given.kind === 'int') || (wanted.kind === 'map' && given.kind === 'object');
  return sameKind && (wanted.line !== true || given.line === true);
}

/** Turns plain content (objects, lists, scalars, expressions among them) into a node. */
export function contentOf(content: unknown): Node {
  if (isExpr(content)) return nodeOf(content);
  if (Array.isArray(content)) {
    return { op: 'list', items: content.map(contentOf), type: { kind: 'list', optional: false } };
  }
  if (isPlainObject(content)) {
    const parts = Object.entries(content).map(([key, value]) => ({ key, value: contentOf(value) }));
    return { op: 'object', parts, type: { kind: 'map', optional: false } };
  }
  return literal(content as Json | undefined);
}

function partsOf(fields: Readonly<Record<string, Expr<unknown>>>): Part[] {
  return Object.entries(fields).map(([key, value]) => ({ key, value: nodeOf(value) }));
}

function defaultOf(schema: z.core.$ZodType): Json {
  return z.parse(schema, undefined) as Json;
}

function holdsExpr(value: unknown): boolean {
  if (isExpr(value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsExpr);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}


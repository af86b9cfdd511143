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
  type Path,
  type StaticType,
  type When,
} from './node';
import { OPERATIONS } from './operations';
import { pathText, problemsOf, type Problem } from './problems';
import { elementOf, isOpen, itemType, shapeOf, staticType, unwrap } from './schema';

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
    ? T | Expr<T> | When<T | Expr<T>>
    : [keyof NonNullable<T>] extends ['value']
      ? Scalar | Expr<Scalar | Extract<T, undefined>> | Extract<T, undefined>
      : NonNullable<T> extends readonly (infer E)[]
        ? | readonly StagedItem<E>[]
          | Expr<T>
          | Expr<readonly AnyMapOf<E>[]>
          | Each<StagedItem<E> | readonly StagedItem<E>[]>
          | Extract<T, undefined>
        : | { readonly [K in keyof NonNullable<T> as ApiName<K>]: Staged<NonNullable<T>[K]> }
          | Expr<T>
          | AnyMap
          | When<Staged<NonNullable<T>>>
          | Extract<T, undefined>;

type StagedItem<E> =
  Staged<E> | Each<StagedItem<E> | readonly StagedItem<E>[]> | When<StagedItem<E> | readonly StagedItem<E>[]>;

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
        : {
            readonly [K in NamedKeys<NonNullable<T>>]-?: Ref<
              NonNullable<T>[K & keyof NonNullable<T>] | Extract<T, undefined>
            >;
          } & Expr<T>;

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
  return build(
    schema,
    expr({ op: 'values', type: { kind: 'object', optional: false }, path: [] }),
    [],
    [],
  ) as unknown as Ref<z.output<S>>;
}

/** The expressions for a value of that schema which `node` gives. */
export function refAt(schema: z.core.$ZodType | undefined, node: Node): Expr<unknown> {
  return schema === undefined ? expr(node) : build(schema, expr(node), [], []);
}

type Steps = readonly (string | number)[];

/** @param within the object around it may be absent, and so may this */
function build(
  schema: z.core.$ZodType,
  input: unknown,
  steps: Steps,
  problems: Problem[],
  within = false,
): Expr<unknown> {
  const { schema: inner, optional, hasDefault } = unwrap(schema);
  const shape = shapeOf(inner);
  if (isExpr(input)) {
    const given = nodeOf(input).type;
    if (given.optional && !optional && !hasDefault && !within) {
      problems.push({
        path: steps,
        sentence: `is required, got ${describe(nodeOf(input))}, which may be absent; wrap it in orElse(…)`,
      });
    }
    if (BRANCHES.get(input) === schema) return input;
    return shape === undefined ? leaf(input, schema, steps, problems) : branch(input, schema, shape, steps, problems);
  }
  if (input === undefined || input === null) {
    if (hasDefault) return build(inner, defaultOf(schema), steps, problems);
    if (!optional) problems.push({ path: steps, sentence: 'is required, got nothing; give it a value' });
    const absent = expr(literal(undefined, { ...staticType(schema), optional: true }, pathOf(steps)));
    return shape === undefined ? absent : branch(absent, schema, shape, steps, problems);
  }
  return known(schema, input, steps, problems);
}

/** The expressions for a value that is known now, at least in part. */
function known(schema: z.core.$ZodType, input: unknown, steps: Steps, problems: Problem[]): Expr<unknown> {
  const { schema: inner } = unwrap(schema);
  const type = { ...staticType(schema), optional: false };
  const path = pathOf(steps);
  const shape = shapeOf(inner);
  if (shape !== undefined && isPlainObject(input)) {
    problems.push(...unknownKeys(schema, shape, input, steps));
    const fields = mapValues(shape, (child, key) => build(child, input[key], [...steps, key], problems));
    return expr({ op: 'object', parts: partsOf(fields), type, path }, fields);
  }
  const element = elementOf(inner);
  if (element !== undefined && Array.isArray(input) && holdsExpr(input)) {
    return expr({
      op: 'list',
      items: input.map((item, i) => nodeOf(build(element, item, [...steps, i], problems))),
      type,
      path,
    });
  }
  if (element !== undefined && isPlainObject(input) && holdsExpr(input)) {
    const fields = mapValues(input, (value, key) => build(element, value, [...steps, key], problems, true));
    return expr({ op: 'object', parts: partsOf(fields), type, path });
  }
  if (holdsExpr(input)) return expr({ ...contentOf(input), path });
  const parsed = z.safeParse(inner, input);
  if (!parsed.success) problems.push(...below(steps, problemsOf(parsed.error.issues, schema, input)));
  return expr(literal((parsed.success ? parsed.data : input) as Json, type, path));
}

function unknownKeys(
  schema: z.core.$ZodType,
  shape: Readonly<Record<string, z.core.$ZodType>>,
  input: Readonly<Record<string, unknown>>,
  steps: Steps,
): Problem[] {
  const keys = isOpen(unwrap(schema).schema) ? [] : Object.keys(input).filter((key) => !Object.hasOwn(shape, key));
  if (keys.length === 0) return [];
  const issue: z.core.$ZodIssueUnrecognizedKeys = { code: 'unrecognized_keys', keys, path: [], message: '', input };
  return below(steps, problemsOf([issue], schema, input));
}

function below(steps: Steps, problems: readonly Problem[]): Problem[] {
  return problems.map(({ path, sentence }) => ({ path: [...steps, ...path], sentence }));
}

/** Steps to a value as its node has them: an index is a number of the language. */
function pathOf(steps: Steps): Path {
  return steps.map((step) => (typeof step === 'number' ? literal(step) : step));
}

/** The expressions for the keys of an object that is not known now. */
function branch(
  input: Expr<unknown>,
  schema: z.core.$ZodType,
  shape: Readonly<Record<string, z.core.$ZodType>>,
  steps: Steps,
  problems: Problem[],
): Expr<unknown> {
  const node = nodeOf(input);
  const { kind, optional } = node.type;
  if (kind !== 'object' && kind !== 'map' && kind !== 'unknown') {
    problems.push({ path: steps, sentence: misfit(node, staticType(schema)) });
  }
  const fields = mapValues(shape, (child, key) => {
    const given = (input as unknown as Record<string, unknown>)[key];
    const childType = staticType(child);
    const field = expr({
      op: 'field',
      of: node,
      key,
      type: { ...childType, optional: childType.optional || optional },
      ...(node.path !== undefined && { path: [...node.path, key] }),
    });
    return build(child, isExpr(given) ? given : field, [...steps, key], problems, optional);
  });
  const made = expr({ ...node, type: { ...staticType(schema), optional } }, fields);
  BRANCHES.set(made, schema);
  return made;
}

/** The schema of a branch: as an argument of many named parts it is the same each time. */
const BRANCHES = new WeakMap<Expr<unknown>, z.core.$ZodType>();

/** An expression in the place of a value with that schema. */
function leaf(input: Expr<unknown>, schema: z.core.$ZodType, steps: Steps, problems: Problem[]): Expr<unknown> {
  const node = nodeOf(input);
  const type = staticType(schema);
  if (!fits(node.type, type)) problems.push({ path: steps, sentence: misfit(node, type) });
  const path = node.path ?? pathOf(steps);
  const typed: Node = { ...node, path, type: { ...type, optional: node.type.optional } };
  if (!node.type.optional || !unwrap(schema).hasDefault) return expr(typed);
  const known = { ...type, optional: false };
  const args = [typed, literal(defaultOf(schema), known)];
  return expr({ op: 'call', operation: OPERATIONS.orElse, args, type: known, path });
}

function misfit(node: Node, wanted: StaticType): string {
  const isContainer = wanted.kind === 'list' || wanted.kind === 'map';
  const noun = wanted.line === true ? 'text that a pattern keeps in one line' : KINDS[wanted.kind];
  const parts = isContainer && node.type.kind === wanted.kind ? ' of other elements' : '';
  return `needs ${noun}${parts}, got ${describe(node)}; give its schema the same type`;
}

const KINDS: Readonly<Record<StaticType['kind'], string>> = {
  bool: 'true or false',
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  list: 'a list',
  map: 'a map',
  object: 'a map with the keys of its schema',
  unknown: 'a value',
};

/** Whether every value of one type is a value of another, as far as types tell. */
function fits(given: StaticType, wanted: StaticType): boolean {
  if (wanted.kind === 'unknown') return true;
  if (given.kind === 'unknown') return wanted.line !== true;
  const isNumber = wanted.kind === 'number' && given.kind === 'int';
  const isMap = wanted.kind === 'map' && given.kind === 'object';
  if (given.kind !== wanted.kind && !isNumber && !isMap) return false;
  if (wanted.line === true && given.line !== true) return false;
  if (isMap || wanted.element === undefined || given.element === wanted.element) return true;
  if (wanted.lineKeys === true && given.lineKeys !== true) return false;
  return fits(itemType(given), itemType(wanted)) && fitsShape(given.element, wanted.element);
}

function fitsShape(given: z.core.$ZodType | undefined, wanted: z.core.$ZodType): boolean {
  const [has, needs] = [given, wanted].map((schema) =>
    schema === undefined ? undefined : shapeOf(unwrap(schema).schema),
  );
  if (has === undefined || needs === undefined) return true;
  return Object.entries(needs).every(([key, child]) => {
    const own = has[key];
    if (own === undefined) return staticType(child).optional;
    return fits(staticType(own), staticType(child)) && fitsShape(own, child);
  });
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
  const type = typeof content;
  if (typeof content === 'object' && content !== null) {
    throw new TypeError(`an object of the class ${content.constructor.name} is no value of a manifest`);
  }
  if (type === 'function' || type === 'symbol' || (type === 'number' && !Number.isFinite(content))) {
    throw new TypeError(
      `${String(content)} is no value of a manifest: use texts, finite numbers, booleans, lists and maps`,
    );
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
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also one of another realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

import type { z } from 'zod';
import type { Operation } from './operations';

/**
 * The tree of the staged language. A node is frozen data behind one symbol key, so that a values key may have any
 * name, and it cannot be read by accident: text, JSON and primitive conversion throw and name the expression.
 */
export const NODE: unique symbol = Symbol.for('cdk8s-vpn.node') as never;

declare const TYPE: unique symbol;
declare const BODY: unique symbol;
declare const THEN: unique symbol;

/** A value of type `T` that is known now or at install time. It can be passed on, never read. */
export interface Expr<out T> {
  readonly [NODE]: Node;
  readonly [TYPE]?: () => T;
  readonly [BODY]?: never;
  readonly [THEN]?: never;
}

/** What `each` makes: the bodies of all items; in a list it stands for its elements. */
export interface Each<out B> {
  readonly [NODE]: Node;
  readonly [BODY]?: () => B;
  readonly [TYPE]?: never;
  readonly [THEN]?: never;
}

/** What `when` makes: its body, or nothing. */
export interface When<out B> {
  readonly [NODE]: Node;
  readonly [THEN]?: () => B;
  readonly [TYPE]?: never;
  readonly [BODY]?: never;
}

export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON value, or nothing: an absent value and an explicit null are one thing in the language. */
export type Value = Json | undefined;

export type Kind = 'bool' | 'int' | 'number' | 'string' | 'list' | 'map' | 'object' | 'unknown';

/** What is known of a value before the values are. */
export interface StaticType {
  readonly kind: Kind;
  /** May be absent. */
  readonly optional: boolean;
  /** Text without control characters and line separators: may stand in a line of a configuration file. */
  readonly line?: boolean;
  /** Text of ASCII characters only. */
  readonly ascii?: boolean;
  /** Never shown in a message. */
  readonly secret?: boolean;
  /** The schema of the elements of a list or a map. */
  readonly element?: z.core.$ZodType;
  /** The type of the elements of a list that has no schema. */
  readonly items?: StaticType;
  /** Of a map: its keys are text of ASCII characters in one line. */
  readonly lineKeys?: boolean;
}

/** The name of an item while its body is built; nodes refer to it by identity, the printer gives it a name. */
export interface Variable {
  readonly hint: string;
  /** It is an int in Go: the position of an item in a list, or a computed number. */
  readonly counts?: true;
}

/** Steps from the root of the values (or of a construct's props) to a value, for messages. */
export type Path = readonly (string | Node)[];

interface Base {
  readonly type: StaticType;
  readonly path?: Path;
  /** It may be absent, but not where it stands: `whenSet` asked. */
  readonly promised?: true;
}

export interface Literal extends Base {
  readonly op: 'literal';
  readonly value: Value;
}
export interface Values extends Base {
  readonly op: 'values';
}
/** A built-in object of Helm: `.Release.Name`, `.Chart.Version`. */
export interface BuiltIn extends Base {
  readonly op: 'builtIn';
  readonly object: 'Release' | 'Chart';
  readonly field: string;
}
export interface Field extends Base {
  readonly op: 'field';
  readonly of: Node;
  readonly key: string;
}
export interface VariableRef extends Base {
  readonly op: 'variable';
  readonly variable: Variable;
}
export interface Call extends Base {
  readonly op: 'call';
  readonly operation: Operation;
  readonly args: readonly Node[];
}
export interface ObjectNode extends Base {
  readonly op: 'object';
  readonly parts: readonly Part[];
}
export interface ListNode extends Base {
  readonly op: 'list';
  readonly items: readonly Node[];
}
export interface WhenNode extends Base {
  readonly op: 'when';
  readonly condition: Node;
  readonly then: Node;
  readonly else: Node;
}
export interface EachNode extends Base, Loop {
  readonly op: 'each';
}
/** A list whose elements take their places in the list around it. */
export interface Spread extends Base {
  readonly op: 'spread';
  readonly list: Node;
}
/** Gathers what the bodies of a loop say into one value. */
export interface Gather extends Base {
  readonly op: 'gather';
  readonly how: 'some' | 'sorted' | 'overlaps' | 'filter' | 'largest';
  readonly loop: EachNode;
}
export interface Include extends Base {
  readonly op: 'include';
  readonly template: Template;
  readonly args: Readonly<Record<string, Node>>;
}
export interface TextNode extends Base {
  readonly op: 'text';
  readonly lines: readonly TextLine[];
}

export interface Loop {
  readonly over: Node;
  /** It has one item, which gets a name: `bind`. */
  readonly binds?: true;
  readonly key: Variable;
  readonly item: Variable;
  readonly body: Node;
}

export type Part = { readonly key: string; readonly value: Node } | { readonly spread: Node } | EntryLoop;

/** One entry for each item of a loop whose value is there. */
export interface EntryLoop extends Loop {
  readonly entryKey: Node;
}

/** A line is made of segments, or is the place of a block of lines. */
export type TextLine =
  { readonly segments: readonly (string | Node)[] } | { readonly block: Node; readonly indent: string };

/** A named template: a `define` of the chart. */
export interface Template {
  readonly name: string;
  readonly parameters: Readonly<Record<string, Variable>>;
  readonly body: Node;
}

export type Node =
  | Literal
  | Values
  | BuiltIn
  | Field
  | VariableRef
  | Call
  | ObjectNode
  | ListNode
  | WhenNode
  | EachNode
  | Spread
  | Gather
  | Include
  | TextNode;

export const BOOL: StaticType = Object.freeze({ kind: 'bool', optional: false });
export const INT: StaticType = Object.freeze({ kind: 'int', optional: false });
export const STRING: StaticType = Object.freeze({ kind: 'string', optional: false });
export const LINE: StaticType = Object.freeze({ kind: 'string', optional: false, line: true });
export const ASCII: StaticType = Object.freeze({ kind: 'string', optional: false, line: true, ascii: true });
export const MAP: StaticType = Object.freeze({ kind: 'map', optional: false });
export const LIST: StaticType = Object.freeze({ kind: 'list', optional: false });
export const UNKNOWN: StaticType = Object.freeze({ kind: 'unknown', optional: false });

/** Code points that end a line or are invisible to a reader, and so never stand in configuration text. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;

/** Whether the text may stand in a line of a configuration file. */
export function isLine(text: string): boolean {
  return !CONTROL.test(text);
}

/** The static type of a value that is known now. */
export function typeOf(value: Value): StaticType {
  switch (typeof value) {
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT;
    case 'number':
      return Number.isSafeInteger(value) ? INT : { kind: 'number', optional: false };
    case 'string':
      return { kind: 'string', optional: false, line: isLine(value), ascii: /^[\u0000-\u007f]*$/.test(value) };
    default:
      if (value === null || value === undefined) return { kind: 'unknown', optional: true };
      return Array.isArray(value) ? LIST : MAP;
  }
}

export function literal(value: Value, type: StaticType = typeOf(value), path?: Path): Literal {
  return { op: 'literal', value, type, ...(path !== undefined && { path }) };
}

/** A node as an expression, with the throwing conversions. `fields` are the expressions of an object's keys. */
export function expr<T>(node: Node, fields: object = {}): Expr<T> {
  const made = Object.create(LEAK_GUARD, Object.getOwnPropertyDescriptors(fields)) as object;
  // Not enumerable: spreading the refs of an object copies its keys, not its identity.
  Object.defineProperty(made, NODE, { value: frozen(node) });
  return Object.freeze(made) as Expr<T>;
}

/** Freezes a tree, but not the schemas that types refer to. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const [key, child] of Object.entries(value)) {
    if (key === 'type') Object.freeze(child);
    else frozen(child);
  }
  return value;
}

/** The same for what stands in the place of elements or keys. */
export function part<P extends Each<unknown> | When<unknown>>(node: Node): P {
  return expr<never>(node) as unknown as P;
}

const LEAK_GUARD: object = Object.freeze(
  Object.create(null, {
    toString: { value: leak('text'), enumerable: false },
    toJSON: { value: leak('JSON'), enumerable: false },
    valueOf: { value: leak('a primitive value'), enumerable: false },
    [Symbol.toPrimitive]: { value: leak('a primitive value'), enumerable: false },
  }) as object,
);

function leak(what: string) {
  return function (this: Expr<unknown>): never {
    throw new TypeError(
      `${describe(nodeOf(this))} is known at install time and cannot become ${what}; ` +
        'use text`…` or join() to build text, when() to decide, and pass it on as it is',
    );
  };
}

/** Whether the value is an expression of the staged language. */
export function isExpr(value: unknown): value is Expr<unknown> {
  return typeof value === 'object' && value !== null && NODE in value;
}

export function nodeOf(value: { readonly [NODE]: Node }): Node {
  return value[NODE];
}

/** The nodes of a tree, templates that it includes among them, each once. */
export function nodesIn(root: Node): Node[] {
  const seen = new Set<object>();
  const nodes: Node[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if ('op' in value) nodes.push(value as Node);
    if ('op' in value && value.op === 'literal') return;
    for (const [key, child] of Object.entries(value)) if (!NOT_BELOW.has(key)) visit(child);
  };
  visit(root);
  return nodes;
}

/** What describes a node, and is no part of the tree below it. */
const NOT_BELOW: ReadonlySet<string> = new Set(['type', 'path', 'operation']);

/** A scalar as configuration text holds it. */
export function scalarText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' || value === undefined) throw new TypeError('a map, a list or nothing has no text');
  return String(value);
}

/** The expression as its author wrote it, for messages to programmers. */
export function describe(node: Node): string {
  switch (node.op) {
    case 'literal':
      return node.type.secret === true ? 'a secret' : JSON.stringify(node.value, jsonBigInt);
    case 'values':
      return 'values';
    case 'builtIn':
      return `${node.object.toLowerCase()}.${node.field.charAt(0).toLowerCase()}${node.field.slice(1)}`;
    case 'field':
      return `${describe(node.of)}.${node.key}`;
    case 'variable':
      return node.path === undefined ? node.variable.hint : describePath(node.path);
    case 'call':
      return `${node.operation.name}(${node.args.map(describe).join(', ')})`;
    case 'when':
      return `when(${describe(node.condition)}, …)`;
    case 'each':
      return `each(${describe(node.over)}, …)`;
    case 'gather':
      return `${node.how}(${describe(node.loop.over)}, …)`;
    case 'spread':
      return `spread(${describe(node.list)})`;
    case 'include':
      return `${node.template.name}(…)`;
    case 'object':
      return '{…}';
    case 'list':
      return '[…]';
    case 'text':
      return 'conf`…`';
  }
}

function describePath(path: Path): string {
  return ['values', ...path.map((step) => (typeof step === 'string' ? step : `<${describe(step)}>`))].join('.');
}

export function jsonBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

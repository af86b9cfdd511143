import { assertPortablePattern } from '../net/portable-pattern';
import {
  ASCII,
  INT,
  LINE,
  LIST,
  MAP,
  STRING,
  expr,
  isExpr,
  literal,
  nodeOf,
  part,
  describe,
  type Each,
  type EachNode,
  type Expr,
  type Node,
  type Path,
  type StaticType,
  type Variable,
  type When,
} from './node';
import { OPERATIONS } from './operations';
import { itemType, textType } from './schema';
import { contentOf, refAt, type Ref, type Staged } from './stage';

/*
 * The words of the language. Every one has two meanings, proven equal: what it is when the values are known, and what
 * Helm makes of it when it installs the chart. The operands are expressions or plain values.
 */

type Or<T> = T | Expr<T>;
type Name = keyof typeof OPERATIONS;

function apply<T>(name: Name, ...operands: readonly unknown[]): Expr<T> {
  const operation = OPERATIONS[name];
  const args = operands.map(contentOf);
  return expr({ op: 'call', operation, args, type: operation.type(...args.map((arg) => arg.type)) });
}

function fail(name: string, operand: unknown, problem: string): never {
  throw new TypeError(`${name}: ${describe(contentOf(operand))} ${problem}`);
}

function present<T>(name: string, operand: Or<T>): Or<T> {
  if (contentOf(operand).type.optional) fail(name, operand, 'may be absent; wrap it in orElse(…)');
  return operand;
}

/** Kinds of scalars whose text, order and equality both readers know; a number with a fraction is none. */
function scalar<T>(name: string, operand: Or<T>): Or<T> {
  const { kind } = contentOf(present(name, operand)).type;
  if (kind !== 'string' && kind !== 'int' && kind !== 'bool')
    fail(name, operand, `is a ${kind}; only text, integers and booleans can stand here`);
  return operand;
}

function ofKind<T>(name: string, kind: 'string' | 'int' | 'bool' | 'map', operand: Or<T>): Or<T> {
  const given = contentOf(present(name, operand)).type.kind;
  const isMap = kind === 'map' && given === 'object';
  if (given !== kind && !isMap) fail(name, operand, `is a ${given}, not ${NOUNS[kind]}`);
  return operand;
}

const NOUNS = { string: 'text', int: 'an integer', bool: 'a boolean', map: 'a map' } as const;

const textOf = (name: string, operand: Or<string>): Or<string> => ofKind(name, 'string', operand);
const intOf = (name: string, operand: Or<number>): Or<number> => ofKind(name, 'int', operand);
const boolOf = (name: string, operand: Or<boolean>): Or<boolean> => ofKind(name, 'bool', operand);

/** Two scalars of one kind. */
function alike<T>(name: string, a: Or<T>, b: Or<T>): [Or<T>, Or<T>] {
  const [first, second] = [a, b].map((one) => contentOf(scalar(name, one)).type.kind);
  if (first !== second) fail(name, b, `is a ${String(second)}, and ${describe(contentOf(a))} is a ${String(first)}`);
  return [a, b];
}

function ascii(name: string, operand: Or<string>): Or<string> {
  if (contentOf(operand).type.ascii !== true)
    fail(name, operand, 'may hold more than ASCII; give its schema a pattern');
  return operand;
}

function filled(name: string, operand: string): string {
  return operand === '' ? fail(name, operand, 'is empty') : operand;
}

function whole(name: string, operand: number): number {
  return Number.isSafeInteger(operand) && operand >= 0 ? operand : fail(name, operand, 'is not a whole number from 0');
}

function positive(name: string, operand: number): number {
  return Number.isSafeInteger(operand) && operand > 0 ? operand : fail(name, operand, 'is not a whole number above 0');
}

/** Whether two scalars of one type are equal. An absent value equals nothing. */
export const eq = <T extends string | number | boolean>(a: Or<T>, b: Or<T>): Expr<boolean> =>
  apply('eq', ...alike('eq', a, b));
/** Whether two scalars of one type differ. */
export const ne = <T extends string | number | boolean>(a: Or<T>, b: Or<T>): Expr<boolean> =>
  apply('ne', ...alike('ne', a, b));
/** Whether `a` is less than `b`, as integers. */
export const lt = (a: Or<number>, b: Or<number>): Expr<boolean> => apply('lt', intOf('lt', a), intOf('lt', b));
/** Whether `a` is at most `b`, as integers. */
export const le = (a: Or<number>, b: Or<number>): Expr<boolean> => apply('le', intOf('le', a), intOf('le', b));
/** Whether `a` is greater than `b`, as integers. */
export const gt = (a: Or<number>, b: Or<number>): Expr<boolean> => apply('gt', intOf('gt', a), intOf('gt', b));
/** Whether `a` is at least `b`, as integers. */
export const ge = (a: Or<number>, b: Or<number>): Expr<boolean> => apply('ge', intOf('ge', a), intOf('ge', b));
/** The opposite. */
export const not = (a: Or<boolean>): Expr<boolean> => apply('not', boolOf('not', a));
/** Whether all hold; with one operand that operand. */
export const and = (...all: readonly Or<boolean>[]): Expr<boolean> =>
  apply('and', ...all.map((one) => boolOf('and', one)));
/** Whether one holds. */
export const or = (...all: readonly Or<boolean>[]): Expr<boolean> =>
  apply('or', ...all.map((one) => boolOf('or', one)));

/** Whether the value is there: neither absent nor null. An empty text, list or map is there. */
export const isSet = (value: Expr<unknown>): Expr<boolean> => apply('isSet', value);
/** Whether a text, a list or a map has nothing in it; an absent one has not. */
export function isEmpty(value: Expr<string | readonly unknown[] | object | undefined>): Expr<boolean> {
  const { kind } = nodeOf(value).type;
  if (kind === 'int' || kind === 'bool' || kind === 'number' || kind === 'unknown') {
    fail('isEmpty', value, `is a ${kind}; only a text, a list and a map can be empty`);
  }
  return apply('isEmpty', value);
}
/** The value, or the fallback where the value is absent. Unlike Helm's `default` it keeps 0, false and empty text. */
export function orElse<T>(value: Expr<T | undefined>, fallback: Or<T>): Expr<T> {
  const node = nodeOf(apply('orElse', value, present('orElse', fallback)));
  const { path } = nodeOf(value);
  return expr({ ...node, ...(path !== undefined && { path }) });
}

/** One of two scalars. */
export const choose = <T extends string | number | boolean>(
  condition: Or<boolean>,
  then: Or<T>,
  otherwise: Or<T>,
): Expr<T> => apply('choose', boolOf('choose', condition), ...alike('choose', then, otherwise));

/**
 * The body where the condition holds, else the other one or nothing: a key of a map, an element of a list, lines of a
 * configuration text.
 */
export function when<B>(condition: Or<boolean>, then: () => B): When<B>;
export function when<A, B = A>(condition: Or<boolean>, then: () => A, otherwise: () => B): When<A | B>;
export function when(condition: Or<boolean>, then: () => unknown, otherwise?: () => unknown): When<unknown> {
  const [yes, no] = [contentOf(then()), otherwise === undefined ? literal(undefined) : contentOf(otherwise())];
  const type: StaticType = { ...yes.type, optional: yes.type.optional || no.type.optional };
  return part({ op: 'when', condition: contentOf(boolOf('when', condition)), then: yes, else: no, type });
}

/** The body with the value where it is set, else the other one or nothing. */
export function whenSet<T, A, B = A>(
  value: Expr<T>,
  then: (value: Expr<NonNullable<T>>) => A,
  otherwise?: () => B,
): When<A | B> {
  const set = () => then(promised(value));
  return otherwise === undefined ? when(isSet(value), set) : when(isSet(value), set, otherwise);
}

/** The value where `isSet` holds for it. */
function promised<T>(value: Expr<T>): Expr<NonNullable<T>> {
  const node = nodeOf(value);
  return expr({ ...node, type: { ...node.type, optional: false }, ...(node.type.optional && { promised: true }) });
}

/** A scalar made from the value where it is set, else the other one. */
export function chooseSet<T, S extends string | number | boolean>(
  value: Expr<T>,
  then: (value: Expr<NonNullable<T>>) => Or<S>,
  otherwise: Or<S>,
): Expr<S> {
  return choose(isSet(value), then(promised(value)), otherwise);
}

/**
 * The body with a name for a scalar that it uses more than once.
 *
 * @param name lower camel case; the printed template shows it
 */
export function bind<T extends string | number | boolean, B>(
  name: string,
  value: Expr<T>,
  body: (value: Expr<T>) => B,
): Each<B> {
  const node = contentOf(scalar('bind', value));
  const item: Variable = { hint: name, counts: true };
  const itemNode: Node = {
    op: 'variable',
    variable: item,
    type: node.type,
    ...(node.path !== undefined && { path: node.path }),
  };
  return part({
    op: 'each',
    over: { op: 'list', items: [node], type: LIST },
    key: { hint: 'index' },
    item,
    binds: true,
    body: contentOf(body(expr(itemNode))),
    type: LIST,
  });
}

/** The body with names for several scalars. */
export function bindAll<T extends Readonly<Record<string, Expr<string> | Expr<number> | Expr<boolean>>>, B>(
  values: T,
  body: (values: T) => B,
): Each<B> {
  const nest = (
    entries: readonly (readonly [string, Expr<string>])[],
    bound: Readonly<Record<string, unknown>>,
  ): unknown => {
    const [first, ...others] = entries;
    return first === undefined
      ? body(bound as T)
      : bind(first[0], first[1], (value) => nest(others, { ...bound, [first[0]]: value }));
  };
  return nest(Object.entries(values) as [string, Expr<string>][], {}) as Each<B>;
}

type Item<T> = Ref<T>;

/**
 * The body for every item: of a list in its order, of a map in the UTF-8 order of its keys (Helm's order). An absent
 * list or map has no items.
 */
export function each<T, B>(
  list: Expr<readonly T[] | undefined>,
  body: (item: Item<T>, index: Expr<number>) => B,
): Each<B>;
export function each<T, B>(
  map: Expr<Readonly<Record<string, T>> | undefined>,
  body: (key: Expr<string>, item: Item<T>) => B,
): Each<B>;
export function each(over: Expr<unknown>, body: (a: never, b: never) => unknown): Each<never> {
  return part({
    op: 'each',
    ...loopOf(over, body as (a: unknown, b: unknown) => unknown),
    type: { kind: 'list', optional: false },
  });
}

/** The loop of `each`: makes the variables and builds the body once. */
export function loopOf(over: Expr<unknown>, body: (a: unknown, b: unknown) => unknown): Omit<EachNode, 'op' | 'type'> {
  const node = nodeOf(over);
  const { key, item, keyRef, itemRef } = variablesOf(node);
  const built = node.type.kind === 'list' ? body(itemRef, keyRef) : body(keyRef, itemRef);
  return { over: node, key, item, body: contentOf(built) };
}

/** The variables for the items of a list or a map, and the expressions for them. */
export function variablesOf<T>(over: Node): { key: Variable; item: Variable; keyRef: Expr<never>; itemRef: Ref<T> } {
  const isList = over.type.kind === 'list';
  if (!isList && over.type.kind !== 'map') {
    throw new TypeError(`each: ${describe(over)} is a ${over.type.kind}; only lists and maps have items`);
  }
  const item: Variable = { hint: singular(over) };
  const key: Variable = isList ? { hint: 'index', counts: true } : { hint: 'name' };
  const keyNode: Node = {
    op: 'variable',
    variable: key,
    type: isList ? INT : over.type.lineKeys === true ? ASCII : STRING,
  };
  const path: Path | undefined = over.path === undefined ? undefined : [...over.path, keyNode];
  const itemNode: Node = {
    op: 'variable',
    variable: item,
    type: itemType(over.type),
    ...(path !== undefined && { path }),
  };
  return { key, item, keyRef: expr(keyNode), itemRef: refAt(over.type.element, itemNode) as unknown as Ref<T> };
}

/** A name for the items of `peers`: `peer`. */
function singular(over: Node): string {
  const last = over.op === 'field' ? over.key : over.path?.filter((step) => typeof step === 'string').at(-1);
  if (last === undefined) return 'item';
  return last.replace(/(ss|x|ch|sh)es$/, '$1').replace(/([^s])s$/, '$1');
}

/** The elements of a list, in the place of one element of the list around it. */
export const spread = (list: Expr<readonly unknown[] | undefined>): Each<never> =>
  part({ op: 'spread', list: nodeOf(list), type: { kind: 'list', optional: false } });

type Items<T> = Expr<readonly T[] | Readonly<Record<string, T>> | undefined>;

/** Whether the condition holds for an item. */
export const some = <T>(
  items: Items<T>,
  condition: (item: Item<T>, key: Expr<string>) => Expr<boolean>,
): Expr<boolean> => gather('some', conditionLoop(items, condition), { kind: 'bool', optional: false });
/** Whether the condition holds for every item; it does for none. */
export const every = <T>(
  items: Items<T>,
  condition: (item: Item<T>, key: Expr<string>) => Expr<boolean>,
): Expr<boolean> => not(some(items, (item, key) => not(condition(item, key))));
/** The largest of the numbers that items have, and 0 if there is none above. */
export const largest = <T>(items: Items<T>, number: (item: Item<T>, key: Expr<string>) => Expr<number>): Expr<number> =>
  gather(
    'largest',
    conditionLoop(items, (item: Item<T>, key) => intOf('largest', number(item, key)) as Expr<number>),
    INT,
  );
/** The items of a list for which the condition holds. */
export const filter = <T>(
  list: Expr<readonly T[] | undefined>,
  condition: (item: Item<T>) => Expr<boolean>,
): Expr<readonly T[]> => gather('filter', conditionLoop(list, condition), { ...nodeOf(list).type, optional: false });

function conditionLoop<T>(
  items: Items<T>,
  condition: (item: Item<T>, key: Expr<string>) => Expr<boolean> | Expr<number>,
): Each<unknown> {
  const over = nodeOf(items);
  const { key, item, keyRef, itemRef } = variablesOf<T>(over);
  return part({
    op: 'each',
    over,
    key,
    item,
    body: nodeOf(condition(itemRef, keyRef) as Expr<unknown>),
    type: { kind: 'list', optional: false },
  });
}

/** The texts of a loop, each once, in UTF-8 order. Their cost is n log n. */
export const sorted = (texts: Each<unknown>): Expr<readonly string[]> =>
  gather('sorted', texts, { ...LIST, items: elementsType('sorted', texts) });
/**
 * Entries `<bits> <owner>` of which one's bits begin with another's, as `{ first, second }` owners: overlapping networks
 * (bits of `networkBits`) or equal keys. One pass over the sorted entries of all loops, so that 5,000 networks take Helm 0.3 s.
 */
export function overlaps(...loops: readonly Each<unknown>[]): Expr<readonly { first: string; second: string }[]> {
  const entries = loops.length === 1 ? (loops[0] as Each<unknown>) : each(ONCE, () => loops);
  const { line, ascii } = elementsType('overlaps', entries);
  return gather('overlaps', entries, { ...LIST, items: { ...MAP, line: line === true, ascii: ascii === true } });
}
/** A list that leaves no trace of a loop over it. */
const ONCE = expr<readonly boolean[]>(literal([true]));

/** An owner of an overlap. */
export function ownerOf(overlap: Expr<{ first: string; second: string }>, which: 'first' | 'second'): Expr<string> {
  const of = nodeOf(overlap);
  return expr({ op: 'field', of, key: which, type: { ...of.type, kind: 'string' } });
}

function gather<T>(
  how: 'some' | 'sorted' | 'overlaps' | 'filter' | 'largest',
  loop: Each<unknown>,
  type: StaticType,
): Expr<T> {
  const node = nodeOf(loop);
  if (node.op !== 'each') return fail(how, loop, 'is not a loop; use each(…)');
  return expr({ op: 'gather', how, loop: node, type });
}

/** A map of several parts, of which later ones win. */
export function mapOf<T>(
  ...parts: readonly (Staged<Readonly<Record<string, T | undefined>>> | Expr<unknown>)[]
): Expr<Record<string, T>> {
  return expr({
    op: 'object',
    parts: parts.flatMap((part) => {
      const node = contentOf(part);
      return node.op === 'object' && node.path === undefined ? node.parts : [{ spread: node }];
    }),
    type: { kind: 'map', optional: false },
  });
}

/** One entry of a map for every item whose value is there. */
export function entries<T>(
  over: Expr<Readonly<Record<string, T>> | undefined>,
  entry: (key: Expr<string>, item: Item<T>) => { key: Or<string>; value: unknown },
): Expr<Record<string, never>> {
  const map = nodeOf(over);
  const { key, item, keyRef, itemRef } = variablesOf<T>(map);
  const made = entry(keyRef, itemRef);
  const part = {
    over: map,
    key,
    item,
    body: contentOf(made.value),
    entryKey: contentOf(made.key),
  };
  return expr({ op: 'object', parts: [part], type: { kind: 'map', optional: false } });
}

/** The value under a key, absent if the map has none. */
export const lookup = <T>(map: Expr<Readonly<Record<string, T>>>, key: Or<string>): Ref<T | undefined> => {
  const node = nodeOf(present('lookup', map) as Expr<unknown>);
  const element = node.type.element;
  const call: Node = {
    op: 'call',
    operation: OPERATIONS.lookup,
    args: [node, contentOf(key)],
    type: { kind: 'unknown', optional: true },
    ...(node.path !== undefined && { path: [...node.path, isExpr(key) ? nodeOf(key) : key] }),
  };
  return refAt(element, call) as unknown as Ref<T | undefined>;
};
/** Whether the map has the key. */
export const hasKey = (map: Expr<object>, key: Or<string>): Expr<boolean> =>
  apply('hasKey', present('hasKey', map), key);
/** The keys of a map in UTF-8 order. */
export const keys = (map: Expr<object>): Expr<readonly string[]> => apply('keys', present('keys', map));
/** How many items a list or a map has. */
export const count = (of: Expr<readonly unknown[] | object>): Expr<number> => apply('count', present('count', of));

/** A configuration text as the content of a file: with a newline at its end. */
export const file = (content: Expr<string>): Expr<string> => apply('file', content);

/** Text made of literal parts, texts, integers and booleans. */
export function text(parts: TemplateStringsArray, ...inserted: readonly Or<string | number | boolean>[]): Expr<string> {
  const pieces = parts.flatMap((part, i) => {
    const value = inserted[i];
    return [...(part === '' ? [] : [part]), ...(value === undefined ? [] : piecesOf(scalar('text', value)))];
  });
  return apply('text', ...pieces);
}
/** Text in text is one text. */
function piecesOf(value: Or<string | number | boolean>): readonly unknown[] {
  const node = contentOf(value);
  return node.op === 'call' && node.operation === OPERATIONS.text ? node.args.map((arg) => expr(arg)) : [value];
}

/** The texts of a list, or of what stands for its elements, with a separator between them. */
export const join = (
  separator: string,
  texts: Expr<readonly string[]> | Each<string | Expr<string>> | readonly (string | Expr<string> | Each<unknown>)[],
): Expr<string> => {
  const node = contentOf(present('join', texts as Expr<readonly string[]>));
  return apply(
    'join',
    separator,
    expr({ ...node, type: { ...LIST, items: elementsType('join', texts as Expr<readonly string[]>) } }),
  );
};
/** The parts of a text between separators. */
export const split = (separator: string, value: Or<string>): Expr<readonly string[]> =>
  apply('split', filled('split', separator), textOf('split', value));
/** The texts of a list from the last to the first. */
export const reversed = (texts: Expr<readonly string[]>): Expr<readonly string[]> =>
  apply('reversed', present('reversed', texts));
/** ASCII text in lower case. */
export const lower = (value: Or<string>): Expr<string> => apply('lower', ascii('lower', textOf('lower', value)));
/** The first characters of ASCII text. */
export const trunc = (length: number, value: Or<string>): Expr<string> =>
  apply('trunc', whole('trunc', length), ascii('trunc', textOf('trunc', value)));
/** The text without that ending, taken off once. */
export const trimSuffix = (suffix: string, value: Or<string>): Expr<string> =>
  apply('trimSuffix', suffix, textOf('trimSuffix', value));
/** The text without that beginning, taken off once. */
export const trimPrefix = (prefix: Or<string>, value: Or<string>): Expr<string> =>
  apply('trimPrefix', textOf('trimPrefix', prefix), textOf('trimPrefix', value));
/** The text with every occurrence replaced. */
export const replace = (old: string, replacement: Or<string>, value: Or<string>): Expr<string> =>
  apply('replace', filled('replace', old), textOf('replace', replacement), textOf('replace', value));
/** Whether the text has that part. */
export const contains = (part: Or<string>, value: Or<string>): Expr<boolean> =>
  apply('contains', textOf('contains', part), textOf('contains', value));
/** Whether the text begins so. */
export const hasPrefix = (prefix: Or<string>, value: Or<string>): Expr<boolean> =>
  apply('hasPrefix', textOf('hasPrefix', prefix), textOf('hasPrefix', value));
/** Whether the text matches a pattern that means the same in JavaScript and in Go. */
export function matches(pattern: RegExp, value: Or<string>): Expr<boolean> {
  assertPortablePattern(pattern);
  return apply('matches', pattern.source, textOf('matches', value));
}
/** The JSON of a line, an integer or a boolean, for messages. */
export function json(value: Or<string | number | boolean>): Expr<string> {
  const { type } = contentOf(value);
  if (type.kind === 'string' && type.line !== true) fail('json', value, 'may hold control characters');
  return apply('json', scalar('json', value));
}
/** The text in base64 of its UTF-8 bytes. */
export const b64enc = (value: Or<string>): Expr<string> => apply('b64enc', textOf('b64enc', value));
/** SHA-256 of the text's UTF-8 bytes, in hexadecimal. */
export const sha256 = (value: Or<string>): Expr<string> => apply('sha256', textOf('sha256', value));
/** Adler-32 of the text's UTF-8 bytes: the source of numbers that follow from a name, never from a position. */
export const adler32 = (value: Or<string>): Expr<number> => apply('adler32', textOf('adler32', value));
/** The size of the text in bytes of UTF-8. */
export const bytes = (value: Or<string>): Expr<number> => apply('bytes', textOf('bytes', value));

/** The sum, in 64 bits. */
export const add = (a: Or<number>, b: Or<number>): Expr<number> => apply('add', intOf('add', a), intOf('add', b));
/** The difference, in 64 bits. */
export const sub = (a: Or<number>, b: Or<number>): Expr<number> => apply('sub', intOf('sub', a), intOf('sub', b));
/** The product, in 64 bits. */
export const mul = (a: Or<number>, b: Or<number>): Expr<number> => apply('mul', intOf('mul', a), intOf('mul', b));
/** The quotient, cut towards zero. */
export const div = (a: Or<number>, b: number): Expr<number> => apply('div', intOf('div', a), positive('div', b));
/** The remainder, with the sign of `a`. */
export const mod = (a: Or<number>, b: number): Expr<number> => apply('mod', intOf('mod', a), positive('mod', b));
/** The smaller one. */
export const min = (a: Or<number>, b: Or<number>): Expr<number> => apply('min', intOf('min', a), intOf('min', b));
/** The larger one. */
export const max = (a: Or<number>, b: Or<number>): Expr<number> => apply('max', intOf('max', a), intOf('max', b));

/** The prefix bits of a network, or of an address, as text with `4.` or `6.` in front: containment is a prefix test. */
export const networkBits = (network: Or<string>): Expr<string> => apply('networkBits', textOf('networkBits', network));
/** The first host address of a network. */
export const firstHost = (network: Or<string>): Expr<string> => apply('firstHost', textOf('firstHost', network));
/** The address of `address/length`. */
export const addressOf = (cidr: Or<string>): Expr<string> => apply('addressOf', textOf('addressOf', cidr));
/** The length of `address/length`. */
export const prefixLength = (cidr: Or<string>): Expr<number> => apply('prefixLength', textOf('prefixLength', cidr));

const builtIn = (object: 'Release' | 'Chart', field: string, type: StaticType): Expr<string> =>
  expr({ op: 'builtIn', object, field, type });

/** The release that is installed. */
export const release = {
  name: builtIn('Release', 'Name', ASCII),
  namespace: builtIn('Release', 'Namespace', ASCII),
  service: builtIn('Release', 'Service', LINE),
};

/** The chart that is installed. */
export const chart = {
  name: builtIn('Chart', 'Name', ASCII),
  version: builtIn('Chart', 'Version', ASCII),
  appVersion: builtIn('Chart', 'AppVersion', ASCII),
};

/** Where the user edits the value, as text for messages: `peers.alice.addresses[0]`. */
export function pathOf(value: Expr<unknown>): Expr<string> {
  const { path } = nodeOf(value);
  if (path === undefined) return fail('pathOf', value, 'has no place in the values');
  const pieces = path.flatMap((step, i): (string | Expr<string | number>)[] => {
    if (typeof step === 'string') return [i === 0 ? step : `.${step}`];
    return step.type.kind === 'int' ? ['[', expr(step), ']'] : [...(i === 0 ? [] : ['.']), expr(step)];
  });
  const merged = pieces.reduce<(string | Expr<string | number>)[]>((all, piece) => {
    const last = all.at(-1);
    return typeof piece === 'string' && typeof last === 'string'
      ? [...all.slice(0, -1), last + piece]
      : [...all, piece];
  }, []);
  return apply('text', ...merged);
}

/** The type of the texts that a list or a loop is made of. */
function elementsType(name: string, texts: Or<readonly string[]> | Each<unknown>): StaticType {
  const types = elementTypes(contentOf(texts));
  const other = types.find(({ kind }) => kind !== 'string');
  return other === undefined
    ? textType(types)
    : fail(name, texts, `has an element that is a ${other.kind}, not a text`);
}

function elementTypes(node: Node): StaticType[] {
  if (node.op === 'each') return typesAsElement(node.body);
  if (node.op === 'list') return node.items.flatMap(typesAsElement);
  return [itemType(node.type)];
}

/** The types of what stands for an element of a list: perhaps several elements, or none. */
function typesAsElement(node: Node): StaticType[] {
  if (node.op === 'when') return [node.then, node.else].flatMap(typesAsElement);
  if (node.op === 'literal' && node.value === undefined) return [];
  if (node.op === 'spread') return [itemType(node.list.type)];
  return node.op === 'each' || node.op === 'list' ? elementTypes(node) : [node.type];
}

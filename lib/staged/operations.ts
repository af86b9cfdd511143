import { createHash } from 'node:crypto';
import { addressOf, firstHost, networkBits, prefixLength } from '../net/cidr';
import { FIRST_HOST, NETWORK_BITS, PREFIX_LENGTH } from './cidr-templates';
import { goString } from './go-literal';
import {
  ASCII,
  BOOL,
  INT,
  LINE,
  LIST,
  STRING,
  jsonBigInt,
  scalarText,
  type Json,
  type StaticType,
  type Value,
} from './node';
import { itemType, textType } from './schema';
import { sortedKeys } from './utf8';

/**
 * The operations of the language. Each row has both meanings side by side: what it is when the values are known,
 * and the Go template expression that Helm evaluates. `test/laws/operations.test.ts` proves them equal on real Helm.
 */
export interface Operation {
  readonly name: string;
  type(...args: StaticType[]): StaticType;
  evaluate(...args: Value[]): Value;
  /** The Go template expression, or the named template that is included with the only argument. */
  readonly print: ((...args: Operand[]) => string) | HelperTemplate;
}

/** An argument as it is printed. */
export interface Operand {
  /** The expression, integers as int64. */
  readonly text: string;
  /** The expression as it stands in the values: only this one can be absent. */
  readonly raw: string;
  readonly type: StaticType;
  /** Its value, where that is known already. */
  readonly known?: Value;
}

/** A named template of the language itself; it reads its argument as `.`. */
export interface HelperTemplate {
  readonly name: string;
  readonly body: string;
}

type Rest = Omit<Operation, 'name'>;

const operation = (name: string, rest: Rest): Operation => Object.freeze({ name, ...rest });

const call =
  (name: string) =>
  (...args: Operand[]): string =>
    [name, ...args.map((arg) => arg.text)].join(' ');

const bool = () => BOOL;
const int = () => INT;
const sameText = (type: StaticType): StaticType => ({ ...type, optional: false });
const bothTexts = (...types: StaticType[]): StaticType => textType(types);

const text = (value: Value): string => (typeof value === 'string' ? value : '');
/** In a branch that is not taken a value may be absent. */
const shown = (value: Value): string => (value === undefined || value === null ? '' : scalarText(value));
const list = (value: Value): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const isMap = (value: Value): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const integer = (value: Value): bigint =>
  typeof value === 'number' ? BigInt(Math.trunc(value)) : typeof value === 'bigint' ? value : 0n;

/** What is known already stands in the format. */
const printf = (...parts: Operand[]): string => {
  const isOpen = ({ known }: Operand): boolean => known === undefined || parts.length === 1;
  const format = parts.map((part) =>
    isOpen(part) ? (FORMATS[part.type.kind] ?? '%s') : goString(shown(part.known)).slice(1, -1).replaceAll('%', '%%'),
  );
  return [`printf "${format.join('')}"`, ...parts.filter(isOpen).map((part) => part.text)].join(' ');
};

const FORMATS: Partial<Record<StaticType['kind'], string>> = { int: '%d', bool: '%t' };

/** Helm computes in 64 bits; a result that a JavaScript number holds exactly is one again. */
const int64 = (value: bigint): number | bigint => {
  const wrapped = BigInt.asIntN(64, value);
  const number = Number(wrapped);
  return Number.isSafeInteger(number) ? number : wrapped;
};

const isEqual = (a: Value, b: Value): boolean =>
  typeof a === 'bigint' || typeof b === 'bigint' ? integer(a) === integer(b) : (a ?? undefined) === (b ?? undefined);

const arithmetic = (name: string, compute: (a: bigint, b: bigint) => bigint): Operation =>
  operation(name, {
    type: int,
    evaluate: (a, b) => int64(compute(integer(a), integer(b))),
    print: call(name),
  });

const comparison = (name: string, holds: (a: bigint, b: bigint) => boolean): Operation =>
  operation(name, { type: bool, evaluate: (a, b) => holds(integer(a), integer(b)), print: call(name) });

const isAbsent = (operand: Operand): string => `kindIs "invalid" ${operand.raw}`;

const isEmptyValue = (value: Value): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (isMap(value) ? Object.keys(value).length === 0 : list(value).length === 0 && Array.isArray(value));

export const OPERATIONS = {
  /** Whether the first is equal to one of the others. */
  eq: operation('eq', {
    type: bool,
    evaluate: (a, ...others) => others.some((b) => isEqual(a, b)),
    print: call('eq'),
  }),
  ne: operation('ne', { type: bool, evaluate: (a, b) => !isEqual(a, b), print: call('ne') }),
  lt: comparison('lt', (a, b) => a < b),
  le: comparison('le', (a, b) => a <= b),
  gt: comparison('gt', (a, b) => a > b),
  ge: comparison('ge', (a, b) => a >= b),
  not: operation('not', { type: bool, evaluate: (a) => a !== true, print: call('not') }),
  and: operation('and', { type: bool, evaluate: (...args) => args.every((arg) => arg === true), print: call('and') }),
  or: operation('or', { type: bool, evaluate: (...args) => args.some((arg) => arg === true), print: call('or') }),
  isSet: operation('isSet', {
    type: bool,
    evaluate: (a) => a !== undefined && a !== null,
    print: (a) => `not (${isAbsent(a)})`,
  }),
  isEmpty: operation('isEmpty', { type: bool, evaluate: isEmptyValue, print: (a) => `empty ${a.raw}` }),
  orElse: operation('orElse', {
    type: (a, b) =>
      a.kind === 'string' ? bothTexts(a, b) : a.kind === 'unknown' ? { ...b, optional: b.optional } : sameText(a),
    evaluate: (a, b) => a ?? b,
    print: (a, b) => `ternary ${b.text} ${a.text} (${isAbsent(a)})`,
  }),
  /** Both branches are evaluated: the language is total, so neither can fail. */
  choose: operation('choose', {
    type: (_condition, a, b) => (a.kind === 'string' ? bothTexts(a, b) : a),
    evaluate: (condition, a, b) => (condition === true ? a : b),
    print: (condition, a, b) => `ternary ${a.text} ${b.text} ${condition.text}`,
  }),

  text: operation('text', {
    type: bothTexts,
    evaluate: (...parts) => parts.map(shown).join(''),
    print: printf,
  }),
  /** Stands as a `|` block where it is a value of a manifest. */
  file: operation('file', {
    type: () => STRING,
    evaluate: (content) => `${text(content)}\n`,
    print: (content) => `printf "%s\\n" ${content.text}`,
  }),
  join: operation('join', {
    type: (separator, items) => bothTexts(separator, itemType(items)),
    evaluate: (separator, items) => list(items).map(shown).join(text(separator)),
    print: call('join'),
  }),
  split: operation('split', {
    type: (_separator, value) => ({ ...LIST, items: sameText(value) }),
    evaluate: (separator, value) => text(value).split(text(separator)),
    print: call('splitList'),
  }),
  reversed: operation('reversed', {
    type: (items) => ({ ...LIST, items: itemType(items) }),
    evaluate: (items) => [...list(items)].reverse(),
    print: call('reverse'),
  }),
  lower: operation('lower', { type: sameText, evaluate: (value) => text(value).toLowerCase(), print: call('lower') }),
  trunc: operation('trunc', {
    type: (_length, value) => sameText(value),
    evaluate: (length, value) => text(value).slice(0, Number(length)),
    print: (length, value) => `trunc (int ${length.text}) ${value.text}`,
  }),
  trimSuffix: operation('trimSuffix', {
    type: (_suffix, value) => sameText(value),
    evaluate: (suffix, value) => {
      const end = text(suffix);
      return end !== '' && text(value).endsWith(end) ? text(value).slice(0, -end.length) : text(value);
    },
    print: call('trimSuffix'),
  }),
  trimPrefix: operation('trimPrefix', {
    type: (_prefix, value) => sameText(value),
    evaluate: (prefix, value) =>
      text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value),
    print: call('trimPrefix'),
  }),
  replace: operation('replace', {
    type: (_old, replacement, value) => bothTexts(replacement, value),
    evaluate: (old, replacement, value) => text(value).split(text(old)).join(text(replacement)),
    print: call('replace'),
  }),
  contains: operation('contains', {
    type: bool,
    evaluate: (part, value) => text(value).includes(text(part)),
    print: call('contains'),
  }),
  hasPrefix: operation('hasPrefix', {
    type: bool,
    evaluate: (prefix, value) => text(value).startsWith(text(prefix)),
    print: call('hasPrefix'),
  }),
  matches: operation('matches', {
    type: bool,
    evaluate: (pattern, value) => new RegExp(text(pattern)).test(text(value)),
    print: call('regexMatch'),
  }),
  json: operation('json', {
    type: () => LINE,
    evaluate: (value) => JSON.stringify(value ?? null, jsonBigInt),
    print: call('toRawJson'),
  }),
  b64enc: operation('b64enc', {
    type: () => ASCII,
    evaluate: (value) => Buffer.from(text(value)).toString('base64'),
    print: call('b64enc'),
  }),
  sha256: operation('sha256', {
    type: () => ASCII,
    evaluate: (value) => createHash('sha256').update(text(value)).digest('hex'),
    print: call('sha256sum'),
  }),
  adler32: operation('adler32', {
    type: int,
    evaluate: (value) => adler32(text(value)),
    print: (value) => `int64 (adler32sum ${value.text})`,
  }),

  add: arithmetic('add', (a, b) => a + b),
  sub: arithmetic('sub', (a, b) => a - b),
  mul: arithmetic('mul', (a, b) => a * b),
  div: arithmetic('div', (a, b) => a / b),
  mod: arithmetic('mod', (a, b) => a % b),
  min: arithmetic('min', (a, b) => (a < b ? a : b)),
  max: arithmetic('max', (a, b) => (a > b ? a : b)),

  count: operation('count', {
    type: int,
    evaluate: (value) => (isMap(value) ? Object.keys(value).length : list(value).length),
    print: (value) => `int64 (len ${value.text})`,
  }),
  bytes: operation('bytes', {
    type: int,
    evaluate: (value) => Buffer.byteLength(text(value)),
    print: (value) => `int64 (len ${value.text})`,
  }),
  keys: operation('keys', {
    type: ({ lineKeys }) => ({ ...LIST, items: lineKeys === true ? ASCII : STRING }),
    evaluate: (map) => (isMap(map) ? sortedKeys(map) : []),
    print: (map) => `sortAlpha (keys ${map.text})`,
  }),
  hasKey: operation('hasKey', {
    type: bool,
    evaluate: (map, key) => isMap(map) && Object.hasOwn(map, text(key)),
    print: call('hasKey'),
  }),
  lookup: operation('lookup', {
    type: (map) => ({ ...map, optional: true }),
    evaluate: (map, key) => (isMap(map) && Object.hasOwn(map, text(key)) ? map[text(key)] : undefined),
    print: call('index'),
  }),

  networkBits: operation('networkBits', {
    type: () => ASCII,
    evaluate: (value) => networkBits(text(value)),
    print: NETWORK_BITS,
  }),
  firstHost: operation('firstHost', {
    type: () => ASCII,
    evaluate: (network) => firstHost(text(network)),
    print: FIRST_HOST,
  }),
  addressOf: operation('addressOf', {
    type: () => ASCII,
    evaluate: (cidr) => addressOf(text(cidr)),
    print: (cidr) => `first (splitList "/" ${cidr.text})`,
  }),
  prefixLength: operation('prefixLength', {
    type: int,
    evaluate: (cidr) => prefixLength(text(cidr)),
    print: PREFIX_LENGTH,
  }),
} satisfies Record<string, Operation>;

function adler32(value: string): number {
  let a = 1;
  let b = 0;
  for (const byte of Buffer.from(value)) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

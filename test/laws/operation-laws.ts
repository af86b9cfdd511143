/** For every operation: samples over its whole domain, and what is asked of each. */
import { z } from 'zod';
import { CIDR_PATTERN, ADDRESS_OR_CIDR_PATTERN } from '../../lib/net/cidr';
import type { Json } from '../../lib/staged/node';
import type { OPERATIONS } from '../../lib/staged/operations';
import type { Ref } from '../../lib/staged/stage';
import * as staged from '../../lib/staged';
import { CLEAN_NETWORKS, HOSTILE_KEYS, INTEGERS, KEYS, LINES, NETWORKS, TEXTS, pairs } from './operation-samples';

/** A law of one operation. */
export interface Law {
  /** The schema of a sample. */
  readonly sample: z.ZodObject;
  readonly samples: readonly Readonly<Record<string, Json>>[];
  /** What the readers must agree on, for one sample. */
  readonly ask: (sample: never) => Readonly<Record<string, unknown>>;
}

export function law<S extends z.ZodObject>(
  sample: S,
  samples: readonly z.input<S>[],
  ask: (sample: Ref<z.output<S>>) => Readonly<Record<string, unknown>>,
): Law {
  return { sample, samples: samples as Law['samples'], ask };
}

const text = z.string();
const line = z.string().regex(/^[ -~]*$/);
const int = z.int();
const bool = z.boolean();
const network = z.string().regex(CIDR_PATTERN);
const addressOrNetwork = z.string().regex(ADDRESS_OR_CIDR_PATTERN);
const strings = z.array(text);
const anyMap = z.record(text, text);

const oneText = z.strictObject({ a: text });
const twoTexts = z.strictObject({ a: text, b: text });
const oneLine = z.strictObject({ a: line });
const twoInts = z.strictObject({ a: int, b: int });

const eachText = TEXTS.map((a) => ({ a }));
const eachLine = LINES.map((a) => ({ a }));
const SHORT = ['', 'a', 'ab', 'ba', 'aab', '😀', '😀😀', 'é', '{{', '%s', '"', '\\', '\n', '.', '.*', ' '];
const textPairs = [
  ...pairs(SHORT, SHORT),
  ...TEXTS.map((a) => ({ a, b: a })),
  ...TEXTS.map((a) => ({ a, b: `${a}x` })),
];
const intPairs = pairs(INTEGERS, INTEGERS);
const truths = pairs([true, false], [true, false]);
const LISTS: readonly (readonly string[])[] = [
  [],
  [''],
  ['a'],
  ['a', 'b'],
  ['b', 'a', 'b'],
  ['', ''],
  [' ', '{{', '"'],
];
const MAPS: readonly Readonly<Record<string, string>>[] = [
  {},
  { a: 'x' },
  { a: '', b: 'y' },
  Object.fromEntries(KEYS.map((key) => [key, `of ${key}`])),
  Object.fromEntries(HOSTILE_KEYS.map((key) => [key, `of ${key}`])),
];

/** What may be absent, of every type. */
const absent = z.strictObject({
  t: text.optional(),
  i: int.optional(),
  b: bool.optional(),
  l: strings.optional(),
  m: anyMap.optional(),
  o: z
    .strictObject({
      t: text.optional(),
      o: z.strictObject({ i: int.optional(), o: z.strictObject({ n: network.optional() }).optional() }).optional(),
    })
    .optional(),
});
const ABSENT: z.input<typeof absent>[] = [
  {},
  { t: '', i: 0, b: false, l: [], m: {}, o: {} },
  { t: 'a', i: 1, b: true, l: ['a'], m: { a: 'x' }, o: { t: 'b' } },
  { o: { o: {} } },
  { o: { t: '', o: { i: 0 } } },
  { o: { o: { i: 4_200_000_001, o: {} } } },
  { o: { o: { o: { n: '10.0.0.0/8' } } } },
];

const arithmetic = (of: (a: staged.Expr<number>, b: staged.Expr<number>) => staged.Expr<number>): Law =>
  law(twoInts, intPairs, (s) => ({ is: of(s.a, s.b), again: of(of(s.a, s.b), s.a) }));

const comparison = (of: (a: staged.Expr<number>, b: staged.Expr<number>) => staged.Expr<boolean>): Law =>
  law(twoInts, intPairs, (s) => ({ is: of(s.a, s.b), computed: of(staged.add(s.a, 0), s.b) }));

const division = (of: (a: staged.Expr<number>, b: number) => staged.Expr<number>): Law =>
  law(
    z.strictObject({ a: int }),
    INTEGERS.map((a) => ({ a })),
    (s) =>
      Object.fromEntries([1, 2, 3, 7, 1000, 65521, 2 ** 31, 2 ** 53 - 1].map((b) => [`by ${String(b)}`, of(s.a, b)])),
  );

export const LAWS: Readonly<Record<keyof typeof OPERATIONS, Law>> = {
  eq: law(z.strictObject({ t: text, u: text, i: int, j: int, b: bool, c: bool }), equalities(), (s) => ({
    texts: staged.eq(s.t, s.u),
    ints: staged.eq(s.i, s.j),
    computed: staged.eq(staged.add(s.i, 1), staged.add(s.j, 1)),
    mixed: staged.eq(s.i, staged.add(s.j, 0)),
    bools: staged.eq(s.b, s.c),
  })),
  ne: law(z.strictObject({ t: text, u: text, i: int, j: int, b: bool, c: bool }), equalities(), (s) => ({
    texts: staged.ne(s.t, s.u),
    ints: staged.ne(s.i, s.j),
    bools: staged.ne(s.b, s.c),
  })),
  lt: comparison(staged.lt),
  le: comparison(staged.le),
  gt: comparison(staged.gt),
  ge: comparison(staged.ge),
  not: law(z.strictObject({ a: bool, b: bool }), truths, (s) => ({
    is: staged.not(s.a),
    twice: staged.not(staged.not(s.b)),
  })),
  and: law(z.strictObject({ a: bool, b: bool }), truths, (s) => ({
    one: staged.and(s.a),
    two: staged.and(s.a, s.b),
    three: staged.and(s.a, s.b, true),
    none: staged.and(s.a, s.b, false),
  })),
  or: law(z.strictObject({ a: bool, b: bool }), truths, (s) => ({
    one: staged.or(s.a),
    two: staged.or(s.a, s.b),
    three: staged.or(s.a, s.b, false),
    all: staged.or(s.a, s.b, true),
    in: staged.and(staged.or(s.a, s.b), staged.not(s.a)),
  })),
  isSet: law(absent, ABSENT, (s) => ({
    t: staged.isSet(s.t),
    i: staged.isSet(s.i),
    b: staged.isSet(s.b),
    l: staged.isSet(s.l),
    m: staged.isSet(s.m),
    o: staged.isSet(s.o),
    ot: staged.isSet(s.o.t),
    oo: staged.isSet(s.o.o),
    ooi: staged.isSet(s.o.o.i),
    ooon: staged.isSet(s.o.o.o.n),
    not: staged.not(staged.isSet(s.o.o.o.n)),
  })),
  isEmpty: law(absent, ABSENT, (s) => ({
    t: staged.isEmpty(s.t),
    l: staged.isEmpty(s.l),
    m: staged.isEmpty(s.m),
    not: staged.not(staged.isEmpty(s.l)),
    list: staged.isEmpty(staged.split(',', staged.orElse(s.t, ''))),
    decides: staged.when(
      staged.isEmpty(s.m),
      () => 'empty',
      () => 'filled',
    ),
    otherwise: staged.when(
      staged.not(staged.isEmpty(s.l)),
      () => 'filled',
      () => 'empty',
    ),
    both: staged.when(
      staged.and(staged.isEmpty(s.t), staged.isEmpty(s.m)),
      () => 'empty',
      () => 'filled',
    ),
  })),
  orElse: law(absent, ABSENT, (s) => ({
    t: staged.orElse(s.t, 'z'),
    i: staged.orElse(s.i, 7),
    computed: staged.add(staged.orElse(s.i, 7), 1),
    b: staged.orElse(s.b, true),
    no: staged.orElse(s.b, false),
    l: staged.orElse(s.l, ['z'] as never),
    m: staged.orElse(s.m, { z: 'z' } as never),
    chained: staged.orElse(s.t, staged.orElse(s.o.t, 'z')),
    deep: staged.orElse(s.o.o.o.n, 'none'),
    condition: staged.when(
      staged.orElse(s.b, true),
      () => 'yes',
      () => 'no',
    ),
  })),
  choose: law(absent, ABSENT, (s) => ({
    text: staged.choose(staged.isSet(s.t), 'set', 'not'),
    int: staged.choose(staged.orElse(s.b, true), staged.orElse(s.i, 4_200_000_001), 0),
    bool: staged.choose(staged.isSet(s.b), staged.orElse(s.b, true), false),
    set: staged.chooseSet(s.t, (t) => staged.text`<${t}>`, 'none'),
    lowered: staged.chooseSet(s.o.o.o.n, (n) => staged.lower(n), 'none'),
    ofChoice: staged.chooseSet(s.o.o.o.n, (n) => staged.lower(staged.choose(staged.orElse(s.b, true), n, 'X')), 'none'),
    ofFallback: staged.chooseSet(s.o.o.o.n, (n) => staged.lower(staged.orElse(s.o.o.o.n, n)), 'none'),
    ofCondition: staged.chooseSet(s.b, (b) => staged.choose(staged.and(b, true), 'yes', 'no'), 'none'),
    ofJunction: staged.chooseSet(
      s.l,
      (l) =>
        staged.and(
          staged.isSet(s.b),
          staged.some(l, (item) => staged.contains('a', item)),
        ),
      false,
    ),
    nested: staged.chooseSet(
      s.t,
      (t) => staged.chooseSet(s.i, (i) => staged.text`${t}${i}`, t),
      staged.chooseSet(s.o.t, (t) => t, 'none'),
    ),
  })),

  text: law(z.strictObject({ a: text, i: int, b: bool }), texts(), (s) => ({
    all: staged.text`${s.a} ${s.i} ${s.b}`,
    one: staged.text`${s.a}`,
    int: staged.text`${s.i}`,
    bool: staged.text`${s.b}`,
    hostile: staged.text`100 % "{{" \\ $x ${s.a} {${s.i}} %s`,
    nested: staged.text`a${staged.text`b${s.a}c`}d`,
    literals: staged.text`${'lit'}${5}${true}${s.a}`,
  })),
  file: law(oneLine, eachLine, (s) => ({ is: staged.file(staged.text`begin ${s.a} end`) })),
  join: law(
    z.strictObject({ l: strings }),
    LISTS.map((l) => ({ l: [...l] })),
    (s) => ({
      comma: staged.join(', ', s.l),
      none: staged.join('', s.l),
      hostile: staged.join('"{{%s', s.l),
      filtered: staged.join(
        ' ',
        staged.filter(s.l, (item) => staged.ne(item, 'a')),
      ),
      split: staged.join('-', staged.split('a', staged.join('a', s.l))),
    }),
  ),
  split: law(oneText, [...eachText, ...['a,b', ',', ',,', 'a,', ',a', 'a, b', 'a😀b'].map((a) => ({ a }))], (s) => ({
    comma: staged.each(staged.split(',', s.a), (part) => part),
    space: staged.each(staged.split(' ', s.a), (part) => part),
    two: staged.each(staged.split(', ', s.a), (part) => part),
    face: staged.each(staged.split('😀', s.a), (part) => part),
    count: staged.count(staged.split(',', s.a)),
  })),
  reversed: law(
    z.strictObject({ l: strings }),
    LISTS.map((l) => ({ l: [...l] })),
    (s) => ({
      values: staged.reversed(s.l),
      each: staged.each(staged.reversed(s.l), (item, index) => staged.text`${index} ${item}`),
      joined: staged.join('"{{%s', staged.reversed(s.l)),
      split: staged.join(',', staged.reversed(staged.split('a', staged.join('a', s.l)))),
      twice: staged.reversed(staged.reversed(s.l)),
      count: staged.count(staged.reversed(s.l)),
    }),
  ),
  lower: law(oneLine, [...eachLine, { a: 'ABCxyz[]@`{' }], (s) => ({ is: staged.lower(s.a) })),
  trunc: law(oneLine, eachLine, (s) => ({
    none: staged.trunc(0, s.a),
    one: staged.trunc(1, s.a),
    three: staged.trunc(3, s.a),
    many: staged.trunc(63, s.a),
  })),
  trimSuffix: law(oneText, [...eachText, ...['ab', 'abab', 'b', '-', 'a-', 'a--', '😀'].map((a) => ({ a }))], (s) => ({
    none: staged.trimSuffix('', s.a),
    b: staged.trimSuffix('b', s.a),
    ab: staged.trimSuffix('ab', s.a),
    dash: staged.trimSuffix('-', s.a),
    face: staged.trimSuffix('😀', s.a),
  })),
  trimPrefix: law(twoTexts, textPairs, (s) => ({ is: staged.trimPrefix(s.a, s.b) })),
  replace: law(twoTexts, textPairs, (s) => ({
    a: staged.replace('a', s.a, s.b),
    aa: staged.replace('aa', 'b', s.b),
    hostile: staged.replace('{{', s.a, s.b),
    dollar: staged.replace('$', '$&', s.b),
    face: staged.replace('😀', s.a, s.b),
  })),
  contains: law(twoTexts, textPairs, (s) => ({ is: staged.contains(s.a, s.b), literal: staged.contains('"', s.a) })),
  hasPrefix: law(twoTexts, textPairs, (s) => ({ is: staged.hasPrefix(s.a, s.b), literal: staged.hasPrefix('a', s.a) })),
  matches: law(
    oneText,
    [...eachText, ...['0', '01', '10', 'a1', 'ab', 'a\n', 'a/b', 'a.b'].map((a) => ({ a }))],
    (s) => ({
      zeros: staged.matches(/^0*$/, s.a),
      word: staged.matches(/^[a-z][a-z0-9]*$/, s.a),
      choice: staged.matches(/^(?:a|ab|wireguard)$/, s.a),
      counted: staged.matches(/^x{1,300}$/, s.a),
      slash: staged.matches(/^a\/b$/, s.a),
      dot: staged.matches(/^a\.b$/, s.a),
    }),
  ),
  json: law(z.strictObject({ a: line, i: int, b: bool }), jsons(), (s) => ({
    a: staged.json(s.a),
    i: staged.json(s.i),
    b: staged.json(s.b),
    computed: staged.json(staged.add(s.i, 1)),
  })),
  b64enc: law(oneText, eachText, (s) => ({ is: staged.b64enc(s.a) })),
  sha256: law(oneText, eachText, (s) => ({ is: staged.sha256(s.a) })),
  adler32: law(oneText, [...eachText, { a: 'y'.repeat(70_000) }], (s) => ({
    is: staged.adler32(s.a),
    mod: staged.mod(staged.adler32(s.a), 1000),
  })),

  add: arithmetic(staged.add),
  sub: arithmetic(staged.sub),
  mul: arithmetic(staged.mul),
  div: division(staged.div),
  mod: division(staged.mod),
  min: arithmetic(staged.min),
  max: arithmetic(staged.max),

  count: law(z.strictObject({ l: strings, m: anyMap }), containers(), (s) => ({
    list: staged.count(s.l),
    map: staged.count(s.m),
    filtered: staged.count(staged.filter(s.l, (item) => staged.eq(item, 'a'))),
    compared: staged.gt(staged.count(s.l), 1),
    text: staged.text`${staged.count(s.m)}`,
  })),
  bytes: law(oneText, eachText, (s) => ({ is: staged.bytes(s.a), compared: staged.gt(staged.bytes(s.a), 3) })),
  keys: law(
    z.strictObject({ m: anyMap }),
    MAPS.map((m) => ({ m })),
    (s) => ({
      is: staged.each(staged.keys(s.m), (key) => key),
      joined: staged.join('|', staged.keys(s.m)),
      count: staged.count(staged.keys(s.m)),
    }),
  ),
  hasKey: law(z.strictObject({ m: anyMap, a: text }), lookups(), (s) => ({
    is: staged.hasKey(s.m, s.a),
    literal: staged.hasKey(s.m, 'a'),
  })),
  lookup: law(
    z.strictObject({
      m: anyMap,
      a: text,
      i: z.record(text, int),
      o: z.record(text, z.strictObject({ t: text.optional(), i: int })),
    }),
    lookups().map((sample) => ({
      ...sample,
      i: { a: 4_200_000_001, b: 0 },
      o: { a: { i: 1_000_000 }, b: { t: '', i: 0 } },
    })),
    (s) => ({
      is: staged.lookup(s.m, s.a),
      isSet: staged.isSet(staged.lookup(s.m, s.a)),
      orElse: staged.orElse(staged.lookup(s.m, s.a), 'none'),
      literal: staged.lookup(s.m, 'a'),
      int: staged.orElse(staged.lookup(s.i, s.a), 5),
      sum: staged.chooseSet(staged.lookup(s.i, s.a), (i) => staged.add(i, 1), 0),
      field: staged.lookup(s.o, s.a).i,
      deep: staged.orElse(staged.lookup(s.o, s.a).t, 'none'),
    }),
  ),

  networkBits: law(
    z.strictObject({ a: addressOrNetwork }),
    NETWORKS.map((a) => ({ a })),
    (s) => ({ is: staged.networkBits(s.a), holds: staged.hasPrefix('4.0', staged.networkBits(s.a)) }),
  ),
  firstHost: law(
    z.strictObject({ a: network }),
    CLEAN_NETWORKS.map((a) => ({ a })),
    (s) => ({ is: staged.firstHost(s.a) }),
  ),
  addressOf: law(
    z.strictObject({ a: addressOrNetwork }),
    NETWORKS.map((a) => ({ a })),
    (s) => ({ is: staged.addressOf(s.a) }),
  ),
  prefixLength: law(
    z.strictObject({ a: addressOrNetwork }),
    NETWORKS.map((a) => ({ a })),
    (s) => ({
      is: staged.prefixLength(s.a),
      compared: staged.gt(staged.prefixLength(s.a), 30),
      text: staged.text`/${staged.prefixLength(s.a)}`,
    }),
  ),
};

function equalities() {
  const ofTexts = textPairs.map(({ a, b }) => ({ t: a, u: b, i: 0, j: 0, b: true, c: true }));
  const ofInts = intPairs.map(({ a, b }) => ({ t: '', u: '', i: a, j: b, b: true, c: false }));
  const ofBools = truths.map(({ a, b }) => ({ t: 'a', u: 'b', i: 1, j: 2, b: a, c: b }));
  return [...ofBools, ...ofTexts, ...ofInts];
}

function texts() {
  return TEXTS.map((a, n) => ({ a, i: INTEGERS[n % INTEGERS.length] ?? 0, b: n % 2 === 0 }));
}

function jsons() {
  const long = LINES.length > INTEGERS.length ? LINES : INTEGERS;
  return long.map((_, n) => ({
    a: LINES[n % LINES.length] ?? '',
    i: INTEGERS[n % INTEGERS.length] ?? 0,
    b: n % 2 === 0,
  }));
}

function containers() {
  return MAPS.flatMap((m) => LISTS.map((l) => ({ l: [...l], m })));
}

function lookups() {
  const found = MAPS.flatMap((m) => Object.keys(m).map((a) => ({ m, a })));
  return [
    ...found,
    ...MAPS.flatMap((m) => ['', 'missing', '__proto__', 'length'].map((a) => ({ m, a }))),
    ...pairs(MAPS.slice(0, 3), ['a', 'b']).map(({ a, b }) => ({ m: a, a: b })),
  ];
}

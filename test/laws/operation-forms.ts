/** For every form of the language that is no operation: samples, and what is asked of each. */
import { z } from 'zod';
import * as staged from '../../lib/staged';
import { ADDRESS_OR_CIDR_PATTERN } from '../../lib/net/cidr';
import { nodeOf } from '../../lib/staged/node';
import { LAWS, law, type Law } from './operation-laws';
import { HOSTILE_KEYS, INTEGERS, KEYS, LINES, NUMBERS, TEXTS } from './operation-samples';

const text = z.string();
const line = z.string().regex(/^[ -~]*$/);
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
const int = z.int();
const network = z.string().regex(ADDRESS_OR_CIDR_PATTERN);

const peer = z.strictObject({
  key: line,
  port: int.optional(),
  on: z.boolean().optional(),
  nets: z.array(network).optional(),
  tags: z.record(name, text).optional(),
  deep: z.strictObject({ a: line.optional(), b: z.strictObject({ c: int.optional() }).optional() }).optional(),
});
const site = z.strictObject({
  peers: z.record(name, peer).optional(),
  list: z.array(peer).optional(),
  words: z.array(line).optional(),
  flag: z.boolean(),
});
type Site = staged.Ref<z.output<typeof site>>;
type Peer = staged.Ref<z.output<typeof peer>>;

const PEERS = {
  a: { key: 'ka' },
  '10': { key: 'k 10', port: 0, on: false, nets: [], tags: {}, deep: {} },
  '9': {
    key: '{{ }} %s "$x"',
    port: 4_200_000_001,
    on: true,
    nets: ['10.0.0.0/8'],
    tags: { x: '\n' },
    deep: { a: '' },
  },
  y: {
    key: '',
    nets: ['10.1.0.0/16', 'fd00::/8', '10.0.0.0/8'],
    tags: { '1': 'one', n: 'no' },
    deep: { a: 'A', b: {} },
  },
  n: { key: '#', port: 1_000_000, deep: { b: { c: 2 ** 53 - 1 } } },
};
/** Absent, empty, one, many. */
const SITES: z.input<typeof site>[] = [
  { flag: true },
  { flag: false, peers: {}, list: [], words: [] },
  { flag: true, peers: { a: PEERS.a }, list: [PEERS.a], words: ['a'] },
  { flag: false, peers: PEERS, list: Object.values(PEERS), words: ['b', 'a', '', 'b', 'a b', '{{'] },
  { flag: true, peers: { y: PEERS.y }, list: [PEERS.n, PEERS.n], words: [...LINES] },
];

const form = (ask: (s: Site) => Readonly<Record<string, unknown>>): Law => law(site, SITES, ask);

const wordsConf = staged.named(
  'words',
  { words: z.array(line) },
  ({ words }) => staged.conf`
  words {
    ${staged.each(words, (word) => staged.conf`${word};`)}
  }
`,
);

/** A text of that name from a case: loops, conditions, blocks in blocks, and every kind of scalar. */
const siteConf = staged.named(
  'siteConf',
  { s: site },
  ({ s }) => staged.conf`
  begin {${s.flag}} 100% $x \\ {{ literal }} trailing
  ${staged.each(
    s.peers,
    (key, p) => staged.conf`

    # ${key} {{
    [peer]
    key = ${p.key} {${staged.orElse(p.port, 7)}}
      ${staged.whenSet(
        p.port,
        (port) => staged.conf`port = ${port}`,
        () => staged.conf`no port`,
      )}
    ${staged.each(
      p.nets,
      (net, index) => staged.conf`
      net {${index}} = ${net}
      ${staged.when(staged.contains(':', net), () => staged.conf`six ${net}`)}
    `,
    )}
    ${staged.when(staged.and(staged.isSet(p.on), s.flag), () => staged.conf`on = ${staged.orElse(p.on, false)}`)}
  `,
  )}
  ${wordsConf({ words: staged.orElse(s.words, [] as never) })}
    ${wordsConf({ words: ['lit', 'eral'] })}
  count ${staged.count(staged.orElse(s.words, [] as never))}
`,
);

const size = staged.named('size', { s: site }, ({ s }) => staged.count(staged.orElse(s.words, [] as never)));
const isBig = staged.named('isBig', { s: site }, ({ s }) => staged.gt(size({ s }), 1));
const title = staged.named('title', { of: line, n: int.optional() }, ({ of, n }) =>
  staged.chooseSet(n, (given) => staged.text`${of} ${given}`, staged.text`${of} alone`),
);
const tags = staged.named('tags', { p: peer }, ({ p }) => staged.mapOf<string>(staged.orElse(p.tags, {} as never)));
const tagsOfAll = staged.named('tagsOfAll', { p: peer }, ({ p }) =>
  staged.mapOf<string>({ kind: 'peer' }, tags({ p })),
);

/** Named templates with parameters. */
const includes = form((s) => ({
  size: size({ s }),
  sum: staged.add(size({ s }), 1),
  equal: staged.eq(size({ s }), 1),
  big: isBig({ s }),
  decides: staged.when(
    isBig({ s }),
    () => 'big',
    () => 'small',
  ),
  not: staged.not(isBig({ s })),
  text: staged.text`${size({ s })} ${isBig({ s })}`,
  titles: staged.each(s.peers, (_key, p) => title({ of: p.key, n: p.port })),
  tags: staged.each(s.peers, (key, p) => ({
    key,
    tags: tags({ p }),
    all: tagsOfAll({ p }),
    more: staged.mapOf<string>(tags({ p }), { x: 'mine' }),
  })),
  literal: title({ of: '{{ "%', n: 4_200_000_001 }),
  half: staged.each(s.words, (word) => title({ of: word })),
}));

const texts = form((s) => ({
  data: { file: staged.file(siteConf({ s })), line: siteConf({ s }) },
  hash: staged.sha256(siteConf({ s })),
}));

/** Loops, over lists and maps. */
const loops = form((s) => ({
  keys: staged.each(s.peers, (key) => key),
  items: staged.each(s.peers, (_key, p) => p.key),
  both: staged.each(s.peers, (key, p) => ({ key, port: p.port, on: p.on, nets: p.nets, deep: p.deep, tags: p.tags })),
  indexes: staged.each(s.list, (p, index) => ({ index, next: staged.add(index, 1), key: p.key })),
  nested: staged.each(s.peers, (key, p) => staged.each(p.nets, (net, index) => staged.text`${key} ${index} ${net}`)),
  some: staged.each(s.list, (p) => staged.whenSet(p.port, (port) => ({ port }))),
  several: staged.each(s.list, (p) => [p.key, staged.when(s.flag, () => ['x', p.key])]),
  unset: staged.each(s.list, (p) => p.port),
  vanish: staged.each(s.list, (p) => ({ port: p.port, nets: p.nets })),
  around: ['first', staged.each(s.words, (word) => word), 'last'],
  wholes: staged.each(s.list, (p) => p.tags),
  counts: staged.each(s.list, (p) => staged.count(staged.orElse(p.nets, [] as never))),
  paths: staged.each(s.peers, (_key, p) => [staged.pathOf(p.key), staged.each(p.nets, (net) => staged.pathOf(net))]),
}));

const conditions = form((s) => ({
  when: staged.when(s.flag, () => 'yes'),
  otherwise: staged.when(
    s.flag,
    () => 'yes',
    () => 'no',
  ),
  map: staged.when(
    s.flag,
    () => ({ a: 1 }),
    () => ({ b: staged.orElse(s.words, ['none'] as never) }),
  ),
  chain: staged.when(
    s.flag,
    () => 'yes',
    () =>
      staged.whenSet(
        s.words,
        (words) => words,
        () => staged.when(staged.isEmpty(s.peers), () => ({ a: 1 })),
      ),
  ),
  list: staged.when(s.flag, () => ['a', 'b']),
  nested: staged.when(s.flag, () =>
    staged.when(
      staged.isEmpty(s.words),
      () => 'no words',
      () => s.words,
    ),
  ),
  never: staged.when(false, () => 'x'),
  always: staged.when(true, () => s.words),
  set: staged.whenSet(
    s.words,
    (words) => staged.join(' ', words),
    () => 'absent',
  ),
  inside: { empty: staged.when(s.flag, () => 'only') },
  items: [
    staged.when(s.flag, () => 'a'),
    staged.when(
      staged.not(s.flag),
      () => ['b', 'c'],
      () => 'd',
    ),
    staged.whenSet(s.words, (words) => words),
  ],
  maps: [{ a: staged.when(s.flag, () => 1) }, { b: 2 }, {}],
  written: { list: [], map: {}, lists: [[], staged.when(s.flag, () => 'z')] },
  deep: { deeper: { deepest: staged.whenSet(s.peers, (peers) => staged.count(peers)) } },
  guarded: [
    {
      a: staged.whenSet(s.words, (words) =>
        staged.when(
          staged.some(words, (word) => staged.eq(word, 'a')),
          () => staged.join(',', words),
        ),
      ),
    },
  ],
}));

const gathers = form((s) => ({
  some: staged.some(s.list, (p) => staged.isSet(p.port)),
  ofMap: staged.some(s.peers, (p, key) => staged.and(staged.isSet(p.deep.b.c), staged.eq(key, 'n'))),
  every: staged.every(s.words, (word) => staged.ne(word, '')),
  nested: staged.some(s.peers, (p) => staged.some(p.nets, (net) => staged.hasPrefix('4.', staged.networkBits(net)))),
  both: staged.and(
    staged.some(s.list, (p) => staged.isSet(p.on)),
    staged.every(s.words, (word) => staged.ne(word, 'b')),
  ),
  filter: staged.filter(s.words, (word) => staged.ne(word, 'a')),
  filtered: staged.each(
    staged.filter(s.list, (p) => staged.isSet(p.port)),
    (p) => p.key,
  ),
  count: staged.count(staged.filter(s.list, (p) => staged.isSet(p.port))),
  largest: staged.largest(s.list, (p) => staged.orElse(p.port, -1)),
  largestOfMap: staged.largest(s.peers, (_p, key) => staged.bytes(key)),
  sorted: staged.sorted(staged.each(s.words, (word) => word)),
  joinedLists: staged.join(',', [staged.spread(s.words), 'and', staged.each(s.peers, (key) => key)]),
  ofAll: staged.sorted(
    staged.each(s.peers, (_key, p) => [p.key, staged.each(p.nets, (net) => net), staged.whenSet(p.deep.a, (a) => a)]),
  ),
  joined: staged.join('|', staged.sorted(staged.each(s.peers, (key) => key))),
  overlaps: staged.each(
    staged.overlaps(
      staged.each(s.peers, (key, p) => staged.each(p.nets, (net) => staged.text`${staged.networkBits(net)} ${key}`)),
    ),
    (pair) => staged.text`${staged.ownerOf(pair, 'first')} < ${staged.ownerOf(pair, 'second')}`,
  ),
  overlapsOfTwo: staged.each(
    staged.overlaps(
      staged.each(s.peers, (key, p) => staged.each(p.nets, (net) => staged.text`${staged.networkBits(net)} ${key}`)),
      staged.each(s.words, (word) => staged.text`4.0 ${word}`),
    ),
    (pair) => staged.text`${staged.ownerOf(pair, 'first')} < ${staged.ownerOf(pair, 'second')}`,
  ),
  same: staged.count(staged.overlaps(staged.each(s.words, (word) => staged.text`${word} of ${word}`))),
  bound: staged.each(s.list, (p) =>
    staged.bind('doubled', staged.mul(staged.orElse(p.port, 3), 2), (doubled) => ({
      doubled,
      again: staged.add(doubled, 1),
    })),
  ),
  boundText: staged.bind(
    'words',
    staged.chooseSet(s.words, (words) => staged.join('+', words), 'none'),
    (words) => [words, staged.text`<${words}>`],
  ),
  boundBool: staged.each(s.list, (p) =>
    staged.bind('on', staged.orElse(p.on, true), (on) =>
      staged.when(
        on,
        () => p.key,
        () => 'off',
      ),
    ),
  ),
  loopOfLoop: staged.join(
    ',',
    staged.each(s.words, (word) => staged.text`<${word}>`),
  ),
}));

const maps = form((s) => {
  const p = (key: string): Peer => staged.lookup(staged.orElse(s.peers, {} as never), key) as unknown as Peer;
  return {
    merged: staged.mapOf<string>({ a: '1', b: '2', x: 'lit' }, p('9').tags, { b: '3' }, p('y').tags),
    absentLater: staged.mapOf<unknown>({ a: 1, port: 2 }, { port: p('n').port, a: p('a').port }),
    lists: staged.mapOf<unknown>({ l: ['x'] }, { l: s.words }),
    conditional: staged.mapOf<unknown>(
      { a: 1 },
      staged.when(s.flag, () => ({ a: 2, b: 3 })),
      { c: 4 },
    ),
    empty: staged.mapOf<string>(p('10').tags),
    entries: staged.entries(s.peers, (key, item) => ({
      key: staged.text`k.${key}`,
      value: item.port,
    })),
    withOthers: staged.mapOf<unknown>(
      { first: 1, 'k.a': 'lost' },
      staged.entries(s.peers, (key, item) => ({ key: staged.text`k.${key}`, value: item.key })),
      { 'k.y': 'wins' },
    ),
    collide: staged.entries(s.peers, (key, item) => ({
      key: staged.orElse(item.deep.a, 'same'),
      value: key,
    })),
    nested: { outer: staged.mapOf<unknown>({ inner: { deep: p('n').port } }, { inner2: p('9').tags }) },
    spread: [staged.spread(s.words), staged.spread(s.list), 'end'],
    onlySpread: [staged.spread(s.words)],
    keys: staged.each(staged.keys(staged.orElse(s.peers, {} as never)), (key) => key),
    has: staged.hasKey(staged.orElse(s.peers, {}), 'y'),
    dictArgument: WITH({
      m: { a: p('n').port, words: s.words, b: staged.when(s.flag, () => 'x'), deep: { port: p('n').port } } as never,
    }),
  };
});
const WITH = staged.named('with', { m: z.record(text, z.unknown()) }, ({ m }) =>
  staged.mapOf<unknown>({ whole: m, size: staged.count(m) }, m),
);

const optional = form((s) => ({
  fields: staged.each(s.list, (p) => ({
    a: p.deep.a,
    c: p.deep.b.c,
    set: [staged.isSet(p.deep), staged.isSet(p.deep.a), staged.isSet(p.deep.b), staged.isSet(p.deep.b.c)],
  })),
  missing: staged.each(s.peers, (_key, p) => staged.orElse(p.deep.b.c, -1)),
  lookups: ['a', '9', 'y', 'missing'].map((key) => {
    const found = staged.lookup(staged.orElse(s.peers, {} as never), key) as unknown as Peer;
    return {
      set: staged.isSet(found),
      key: found.key,
      a: found.deep.a,
      c: staged.orElse(found.deep.b.c, 0),
      nets: found.nets,
    };
  }),
}));

/** Scalars of every type, in every position of a manifest. */
const anything = z.strictObject({
  t: text,
  i: int,
  n: z.number(),
  b: z.boolean(),
  u: z.union([z.string(), int, z.array(int)]),
  m: z.record(text, text),
  l: z.array(text),
});
const EMITTABLE = TEXTS.filter((sample) => !/[\u007f-\u009f\ufeff\ufffe\uffff]/.test(sample));
const scalars = law(
  anything,
  TEXTS.map((t, at) => ({
    t,
    i: INTEGERS[at % INTEGERS.length] ?? 0,
    n: NUMBERS[at % NUMBERS.length] ?? 0,
    b: at % 2 === 0,
    u: [EMITTABLE[at % EMITTABLE.length] ?? '', at, [at, 4_200_000_001]][at % 3] as never,
    m: { a: EMITTABLE[at % EMITTABLE.length] ?? '', z: 'z' },
    l: [EMITTABLE[at % EMITTABLE.length] ?? '', 'z'],
  })),
  (s) => ({
    ...s,
    list: [s.t, s.i, s.n, s.b, s.u],
    maps: [{ t: s.t }, { n: s.n }, { u: s.u }],
    whole: [s.m, s.l],
    in: { map: { m: s.m, l: s.l } },
  }),
);

/** Texts that the programmer writes, in every position. */
const literals = law(z.strictObject({ t: line }), [{ t: 'v' }, { t: '{{' }], (s) => ({
  values: Object.fromEntries(TEXTS.map((sample, at) => [`t${String(at)}`, sample])),
  items: TEXTS,
  keys: Object.fromEntries([...new Set([...TEXTS, ...HOSTILE_KEYS])].map((sample, at) => [sample, at])),
  mixed: TEXTS.map((sample) => staged.text`${sample}${s.t}${sample}`),
  scripts: {
    plain: '#!/bin/sh\nset -eu\n\tif [ "$1" = "{{" ]; then\n\n  echo "${x} }} %s"\nfi\n',
    unfinished: 'one\ntwo',
    spaces: 'one \n  two  \nthree  ',
    blank: 'one\n\n\n',
    unicode: 'één\nzwei\n',
    braces: 'a\n{{- .Values }}\n{{/* x */}}\n{{',
    markers: 'a\n---\n...\n# b\n',
    last: 'a\nb\n',
  },
  conf: staged.file(literalConf({ t: s.t })),
  numbers: [0, -1, 1.5, 1e21, 2 ** 53 - 1, 4_200_000_001, -0.25],
  others: [true, false, [], {}, [[]], [['a']]],
}));
const literalConf = staged.named(
  'literalConf',
  { t: line },
  ({ t }) => staged.conf`
  a {${t}}{{${t}}}{{{ ${'{'}${t}
    deep ${'{{'} {${'{'} ${t} }} 
  {{- end }}   
  %s \\ "quoted" 'single' \`back\` $x ${true} ${-5}
  last {
`,
);

/** Every operation where a value that it needs is absent: in the branch that is not taken. */
function notTaken({ sample, ask }: Law): Law {
  const partial = sample.partial();
  return law(partial, [{}] as never, (s) => {
    const fields = s as unknown as Readonly<Record<string, staged.Expr<unknown>>>;
    const there = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, promised(field)]));
    const all = staged.and(...Object.values(fields).map((field) => staged.isSet(field)));
    return Object.fromEntries(
      Object.entries(ask(there as never)).map(([key, result]) => [
        key,
        {
          is: staged.when(
            all,
            () => result,
            () => 'absent',
          ),
          ...chosen(all, result),
        },
      ]),
    );
  });
}

/** The value as `whenSet` gives it, but outside: as an author does who builds first and decides later. */
function promised(field: staged.Expr<unknown>): staged.Expr<unknown> {
  if (nodeOf(field).type.kind === 'object') return field;
  const found: staged.Expr<unknown>[] = [];
  staged.whenSet(field, (value) => found.push(value) as never);
  return found[0] ?? field;
}

function chosen(all: staged.Expr<boolean>, result: unknown): Record<string, unknown> {
  if (!staged.isExpr(result)) return {};
  const { type, op } = nodeOf(result);
  const fallbacks: Partial<Record<string, string | number | boolean>> = { string: 'absent', int: 0, bool: false };
  const fallback = fallbacks[type.kind] as never;
  if (!(type.kind in fallbacks) || op === 'when' || op === 'each' || type.optional) return {};
  const choice = staged.choose(all, result as staged.Expr<never>, fallback);
  return {
    choice,
    nested: staged.choose(staged.not(all), fallback, choice),
    text: staged.text`<${choice}>`,
    junction: staged.or(staged.not(all), staged.eq(choice, fallback)),
    else: staged.orElse(choice, fallback),
  };
}

/** The order of the keys of a map. */
const order = law(
  z.strictObject({ m: z.record(text, int) }),
  [{ m: {} }, { m: ordered(KEYS) }, { m: ordered(HOSTILE_KEYS) }, { m: ordered([...HOSTILE_KEYS].reverse()) }],
  (s) => ({
    keys: staged.each(s.m, (key) => key),
    values: staged.each(s.m, (_key, value) => value),
    sorted: staged.join('\n', staged.sorted(staged.each(s.m, (key) => key))),
    copy: staged.entries(s.m, (key, value) => ({ key, value })),
    merged: staged.mapOf<number>({ a: 1, zz: 2 }, s.m, { y: 3 }),
  }),
);

function ordered(keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(keys.map((key, at) => [key, at]));
}

export const FORMS: Readonly<Record<string, Law>> = {
  'each, with indexes, lists of maps and empty results': loops,
  'when, whenSet and chooseSet': conditions,
  'some, every, filter, largest, sorted, overlaps and bind': gathers,
  'mapOf, entries, spread, keys, hasKey and lookup': maps,
  'fields of objects that may be absent': optional,
  'conf and file': texts,
  'named, with parameters': includes,
  'scalars, lists and maps of the values in every position': scalars,
  'literal texts in every position': literals,
  'the order of keys': order,
  ...Object.fromEntries(
    Object.entries(LAWS).map(([operation, of]) => [`${operation}, in a branch that is not taken`, notTaken(of)]),
  ),
};

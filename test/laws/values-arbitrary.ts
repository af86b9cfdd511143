/**
 * User values files for any of our charts, made by walking its schema: mostly right ones, in every shape that Helm takes
 * (several files, nulls, flags), and wrong ones that differ in a place or two.
 */
import fc from 'fast-check';
import { z } from 'zod';
import { CHARTS } from '../../charts';
import type { HelmChart } from '../../lib/helm/chart';
import { text } from '../../values/text';
import { mergeLayers } from '../../lib/helm/merge';
import { applySet, applySetString } from '../../lib/helm/set';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError } from '../../lib/staged/input-error';
import type { Json } from '../../lib/staged/node';
import { elementOf, isOpen, shapeOf, unwrap, type LeafMeta } from '../../lib/staged/schema';
import { IPSEC_FAULTS, repairIpsec } from './chart-ipsec-values';
import { repairWireGuard, WIREGUARD_FAULTS } from './chart-wireguard-values';
import { isMap, Random, type Draft, type DraftMap } from './chart-random';

/** What a user gives to Helm: values files, weakest first, and flags. */
export interface ValuesCase {
  readonly files: readonly JsonObject[];
  readonly set: readonly string[];
  readonly setString: readonly string[];
  /** What was made wrong on purpose; some of it is harmless. */
  readonly faults: readonly string[];
}

/** Changes values in place and says what it did; nothing if there was no place for it. */
export type Fault = (values: DraftMap, random: Random) => string | undefined;

export interface ValuesOptions {
  /** Makes generated values keep the rules that the schema does not say. */
  readonly repair?: (values: DraftMap, random: Random) => DraftMap;
  /** Ways to break those rules. */
  readonly faults?: readonly Fault[];
  /** How many of 100 cases get faults. @default 20 */
  readonly faultyPercent?: number;
}

/** User values for a chart with that schema. */
export function valuesArbitrary(schema: z.ZodObject, options: ValuesOptions = {}): fc.Arbitrary<ValuesCase> {
  const { repair = (values) => values, faults = [], faultyPercent = 20 } = options;
  const form = fc.record({
    seed: fc.nat(),
    faults: fc.oneof(
      { weight: 100 - faultyPercent, arbitrary: fc.constant(0) },
      { weight: faultyPercent, arbitrary: fc.integer({ min: 1, max: 3 }) },
    ),
    files: fc.integer({ min: 1, max: 3 }),
    flags: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  });
  return fc.tuple(arbitraryOf(schema), form).map(([generated, { seed, faults: count, files, flags }]) => {
    const random = new Random(seed);
    const values = repair(copyOf(generated) as DraftMap, random);
    const done = Array.from({ length: count }, () => breakOne(values, [...SCHEMA_FAULTS(schema), ...faults], random));
    return { ...layered(values, { files, flags }, random), faults: done };
  });
}

/** The user's values as the chart gets them: all files and flags over each other. */
export function mergedValues({ files, set, setString }: ValuesCase): JsonObject {
  return setString.reduce(applySetString, set.reduce(applySet, files.reduce<JsonObject>(mergeLayers, {})));
}

/** Values of a chart that it accepts, the same for the same seed. */
export function acceptedValues(chart: ChartWithValues, count: number, seed: number): JsonObject[] {
  const { schema, repair } = REPAIRED[chart];
  const right = valuesArbitrary(schema, { repair, faultyPercent: 0 });
  // One by one, so that the first are the same whatever the count.
  const stream = fc.sample(right, { seed, numRuns: count * 3 }).map(mergedValues);
  const accepted = stream.filter((values) => isAccepted(CHARTS[chart] as unknown as HelmChart, values)).slice(0, count);
  if (accepted.length < count)
    throw new Error(`of ${String(stream.length)} generated values files only ${String(accepted.length)} were accepted`);
  return accepted;
}

function isAccepted(chart: HelmChart, values: JsonObject): boolean {
  try {
    chart.objects({ values });
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** A copy of jest's own making: fast-check cannot print what structuredClone makes. */
function copyOf(values: Json): unknown {
  return JSON.parse(JSON.stringify(values));
}

/* Leaves: what there is to change. */

/** Whether a schema describes a part with keys of its own, below which there are leaves. */
function childrenOf(schema: z.core.$ZodType, path: string): [string, z.core.$ZodType][] | undefined {
  const { schema: inner } = unwrap(schema);
  const shape = shapeOf(inner);
  if (shape !== undefined)
    return Object.entries(shape).map(([key, child]) => [path === '' ? key : `${path}.${key}`, child]);
  const element = elementOf(inner);
  if (element === undefined || !hasLeaves(element)) return undefined;
  return [[`${path}${isRecord(inner) ? '.<name>' : '[]'}`, element]];
}

/** Whether an element has leaves that count for themselves: it is a part, or a list or map of parts. */
function hasLeaves(schema: z.core.$ZodType): boolean {
  const { schema: inner } = unwrap(schema);
  const element = elementOf(inner);
  return shapeOf(inner) !== undefined || (element !== undefined && hasLeaves(element));
}

function isRecord(schema: z.core.$ZodType): boolean {
  return (schema as z.core.$ZodTypes)._zod.def.type === 'record';
}

/** The paths of all leaves of a schema that can have different values: `mtu`, `peers.<name>.addresses`. */
export function leafPaths(schema: z.core.$ZodType, path = ''): string[] {
  const below = childrenOf(schema, path);
  if (below !== undefined) return below.flatMap(([at, child]) => leafPaths(child, at));
  const { def } = (unwrap(schema).schema as z.core.$ZodTypes)._zod;
  return def.type === 'enum' && Object.keys(def.entries).length === 1 ? [] : [path];
}

/** The paths of the leaves that user values set to something else than the default. */
export function changedLeaves(schema: z.core.$ZodType, values: Json, path = ''): Set<string> {
  const { schema: inner, hasDefault } = unwrap(schema);
  const shape = shapeOf(inner);
  const element = elementOf(inner);
  const changed = new Set<string>();
  // Null takes a value away: it is none of a leaf, nor of the part above it.
  if (values === null) return changed;
  const add = (of: z.core.$ZodType, value: Json, below: string): void => {
    for (const leaf of changedLeaves(of, value, below)) changed.add(leaf);
  };
  if (shape !== undefined && isMap(values)) {
    for (const [key, child] of Object.entries(shape)) {
      const value = values[key];
      if (value !== undefined) add(child, value, path === '' ? key : `${path}.${key}`);
    }
  } else if (element !== undefined && hasLeaves(element)) {
    for (const item of Object.values(values as object) as Json[])
      add(element, item, `${path}${isRecord(inner) ? '.<name>' : '[]'}`);
  } else if (!hasDefault || JSON.stringify(z.parse(schema, undefined)) !== JSON.stringify(values)) {
    changed.add(path);
  }
  return changed;
}

/* Right values. */

/** How many of 100 objects have a key that they may do without. */
const OPTIONAL_PERCENT = 25;
const MOST_ELEMENTS = 3;

/** Texts that some printer, parser or shell takes for something else. */
export const HOSTILE_TEXTS = [
  ...[
    '',
    ' ',
    ' leading',
    'trailing ',
    'a\nb',
    '\n',
    'a\n',
    '\na',
    'a\n\n',
    'a\n\nb\n',
    '\ta',
    'a\tb',
    'a\r\nb',
    '\r',
    ' \n a',
    'a \nb',
  ],
  ...[
    '"',
    "'",
    '\\',
    '\\n',
    '`',
    '"quoted"',
    "it's",
    '{{ .Values }}',
    '{{',
    '}}',
    '{{- fail "x" }}',
    '{{/* x */}}',
    '{{"{{"}}',
  ],
  ...[
    '$(HOME)',
    '$HOME',
    '%',
    '%s',
    '%!d(string=x)',
    '- a',
    '-',
    '---',
    '...',
    '--- a',
    'a\n---\nkind: Role\n',
    '# a',
    'a # b',
    'a: b',
    'a:',
    ': a',
  ],
  ...[
    '[',
    '{',
    ']',
    '}',
    '!',
    '!!int 1',
    '&a',
    '*a',
    '|',
    '>',
    '|-\n a',
    '@a',
    '?',
    '? a',
    ',',
    '=',
    '<<',
    '<a>&</a>',
    '\\u003c',
  ],
  ...[
    'null',
    '~',
    'true',
    'False',
    'yes',
    'on',
    'off',
    'y',
    'n',
    '012',
    '0x1f',
    '0o17',
    '0b11',
    '1e3',
    '1_000',
    '12:30:45',
    '2001-01-01',
    '.inf',
    '.nan',
  ],
  ...['0', '-0', '1.0', '1000000', '4200000001', '9007199254740993', 'e3', '+1'],
  ...[
    '\u0000',
    '\u0001',
    'a\u007f',
    '\u00a0',
    'a\u2028b',
    'a\u2029kind: Role',
    '\ufeff',
    '\ufeffa',
    '\ufffe',
    '\uffff',
    '\ud7ff',
    '\ue000',
  ],
  ...[
    '😀',
    'é',
    'e\u0301',
    '\u{10ffff}',
    'word '.repeat(40),
    `${'x'.repeat(90)} ${'y'.repeat(90)}`,
    `${'long line '.repeat(12)}\nand one more`,
  ],
];

const hostileText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  // Helm 3.14 takes U+0085 for a blank before it looks at the schema.
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((given) => given.replaceAll('\u0085', '')) },
);

/** Words that a reader of YAML may take for something else than text, for wherever a pattern lets them through. */
const WORDS = ['10', '9', 'y', 'n', 'on', 'null', 'true', '1e3', '0x1f', '012', 'a', 'b-c', 'B', 'X.y', 'A/b'];

function arbitraryOf(schema: z.core.$ZodType, depth = 0): fc.Arbitrary<Json> {
  const { schema: inner, meta } = unwrap(schema);
  const { def } = (inner as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'boolean':
      return fc.boolean();
    case 'number':
      return numberOf(inner);
    case 'string':
      return textOf(inner, meta);
    case 'enum':
      return fc.constantFrom(...(Object.values(def.entries) as Json[]));
    case 'literal':
      return fc.constantFrom(...(def.values as Json[]));
    case 'array':
      return fc.array(arbitraryOf(def.element, depth + 1), {
        minLength: limitsOf(inner).minItems ?? 0,
        maxLength: Math.min(limitsOf(inner).maxItems ?? MOST_ELEMENTS, MOST_ELEMENTS),
      });
    case 'record':
      return fc
        .uniqueArray(fc.tuple(arbitraryOf(def.keyType, depth), arbitraryOf(def.valueType, depth + 1)), {
          maxLength: MOST_ELEMENTS,
          selector: ([key]) => key,
        })
        .map((entries) => Object.fromEntries(entries as [string, Json][]));
    case 'object':
      return objectOf(inner, depth);
    case 'union':
      return fc.oneof(
        ...def.options.filter((option) => depth < 3 || !isNested(option)).map((option) => arbitraryOf(option, depth)),
      );
    case 'lazy':
      return arbitraryOf(def.getter(), depth);
    default:
      throw new TypeError(`no values for a schema of type ${def.type}`);
  }
}

function isNested(schema: z.core.$ZodType): boolean {
  return ['array', 'record', 'object'].includes((schema as z.core.$ZodTypes)._zod.def.type);
}

function objectOf(schema: z.core.$ZodType, depth: number): fc.Arbitrary<Json> {
  const entries = Object.entries(shapeOf(schema) ?? {}).map(([key, child]) => {
    const { optional, hasDefault, schema: inner } = unwrap(child);
    const value = arbitraryOf(child, depth);
    // A part is rarely left out, else its leaves would be rare.
    const percent = !optional && !hasDefault ? 100 : hasLeaves(inner) ? 85 : OPTIONAL_PERCENT;
    const given = { weight: percent, arbitrary: value.map((one) => [[key, one] as const]) };
    return percent === 100 ? given.arbitrary : fc.oneof({ weight: 100 - percent, arbitrary: fc.constant([]) }, given);
  });
  const more = isOpen(schema)
    ? fc.dictionary(fc.constantFrom('data', 'spec', 'extra'), anything(depth + 1), { maxKeys: 1 })
    : fc.constant({});
  return fc
    .tuple(fc.tuple(...entries), more)
    .map(([given, others]) => ({ ...others, ...Object.fromEntries<Json>(given.flat()) }));
}

/** What may stand where a schema takes any value but null. */
function anything(depth: number): fc.Arbitrary<Json> {
  const plain = hostileText.filter((given) => text.safeParse(given).success);
  const scalar = fc.oneof(
    plain,
    fc.boolean(),
    numberOf(z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)),
  );
  if (depth > 2) return scalar;
  return fc.oneof(
    scalar,
    fc.array(anything(depth + 1), { maxLength: MOST_ELEMENTS }),
    fc.dictionary(
      fc.constantFrom('a', 'b.c', 'D/e', '10', '9', '-', '$', 'y', 'n', 'null', 'true'),
      anything(depth + 1),
      { maxKeys: MOST_ELEMENTS },
    ),
  );
}

interface Limits {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

function limitsOf(schema: z.core.$ZodType): Limits {
  return z.toJSONSchema(schema, { io: 'output' });
}

function numberOf(schema: z.core.$ZodType): fc.Arbitrary<number> {
  const { minimum = -Number.MAX_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = limitsOf(schema);
  const notable = [
    minimum,
    maximum,
    0,
    1,
    -1,
    25,
    999_999,
    1_000_000,
    2 ** 31,
    4_200_000_001,
    0.1,
    1.5,
    -2.25,
    1e-7,
    123_456_789.125,
  ];
  const allowed = notable.filter((number) => z.safeParse(schema, number).success);
  return fc.oneof(fc.constantFrom(...allowed), fc.integer({ min: minimum, max: maximum }));
}

function textOf(schema: z.core.$ZodType, meta: LeafMeta): fc.Arbitrary<string> {
  const patterns = patternsOf(schema);
  const isRight = (given: string): boolean => z.safeParse(schema, given).success;
  if (patterns.length === 0) return hostileText.filter(isRight);
  const words = [...WORDS, ...(typeof meta.example === 'string' ? [meta.example] : [])].filter(isRight);
  const matching = fc.stringMatching(patterns[0]!, { size: 'small' }).filter(isRight);
  return words.length === 0
    ? matching
    : fc.oneof({ weight: 2, arbitrary: matching }, { weight: 1, arbitrary: fc.constantFrom(...words) });
}

/** The patterns of a schema of text. */
export function patternsOf(schema: z.core.$ZodType): RegExp[] {
  const { checks } = schema._zod.def as { checks?: z.core.$ZodCheck[] };
  return (checks ?? []).flatMap(({ _zod: { def } }) => {
    const { pattern } = def as { pattern?: RegExp };
    return pattern === undefined ? [] : [pattern];
  });
}

/* Wrong values. */

/** A place in values: where a key stands or might stand. */
export interface Place {
  readonly path: readonly (string | number)[];
  /** The path as `leafPaths` has it. */
  readonly leaf: string;
  readonly parent: DraftMap | Draft[];
  readonly step: string | number;
  readonly schema: z.core.$ZodType;
}

/** Every place below a part that the schema knows, of what is there and of what could be added to it. */
export function placesOf(
  schema: z.core.$ZodType,
  value: Draft,
  path: readonly (string | number)[] = [],
  leaf = '',
): Place[] {
  const { schema: inner } = unwrap(schema);
  const shape = shapeOf(inner);
  const element = elementOf(inner);
  if (typeof value !== 'object' || value === null) return [];
  const children: [string | number, z.core.$ZodType, string][] =
    shape !== undefined
      ? Object.entries(shape).map(([key, child]) => [key, child, leaf === '' ? key : `${leaf}.${key}`])
      : element === undefined
        ? []
        : Array.isArray(value)
          ? value.map((_, index) => [index, element, `${leaf}[]`])
          : Object.keys(value).map((key) => [key, element, `${leaf}.<name>`]);
  return children.flatMap(([step, child, name]) => [
    { path: [...path, step], leaf: name, parent: value, step, schema: child },
    ...placesOf(child, (value as DraftMap)[step] ?? null, [...path, step], name),
  ]);
}

/** Every map in values whose schema names its keys. */
function strictMaps(schema: z.core.$ZodType, values: DraftMap): DraftMap[] {
  const places = placesOf(schema, values);
  const maps = places.filter(
    ({ schema: of }) => shapeOf(unwrap(of).schema) !== undefined && !isOpen(unwrap(of).schema),
  );
  return [values, ...maps.map(({ parent, step }) => (parent as DraftMap)[step]).filter((map) => isMap(map))];
}

/** Sets the value at a place. */
export function put({ parent, step }: Pick<Place, 'parent' | 'step'>, value: Draft): void {
  Object.defineProperty(parent, step, { value, enumerable: true, writable: true, configurable: true });
}

function kindOf(schema: z.core.$ZodType): string {
  return (unwrap(schema).schema as z.core.$ZodTypes)._zod.def.type;
}

const OTHERS: readonly Draft[] = ['text', '', '1', 1, 0, 1.5, -1, true, false, [], ['a'], {}, { a: 1 }, [null]];

const SCHEMA_FAULTS = (schema: z.ZodObject): Fault[] => {
  const at =
    (title: string, isRight: (place: Place) => boolean, change: (place: Place, random: Random) => Draft): Fault =>
    (values, random) => {
      const place = random.pick(placesOf(schema, values).filter(isRight));
      if (place === undefined) return undefined;
      put(place, change(place, random));
      return `${title} at ${place.path.join('.')}`;
    };
  const is =
    (...kinds: string[]) =>
    (place: Place) =>
      kinds.includes(kindOf(place.schema));
  const textAt = ({ parent, step, schema: of }: Place): string => {
    const value = (parent as DraftMap)[step];
    const { example } = unwrap(of).meta;
    return typeof value === 'string' ? value : typeof example === 'string' ? example : 'text';
  };
  return [
    at(
      'another type',
      () => true,
      (_, random) => random.pick(OTHERS)!,
    ),
    at('another type', is('string', 'number', 'boolean', 'enum'), (_, random) => random.pick(OTHERS)!),
    at('a bad text', is('string', 'enum', 'union'), (place, random) => {
      const right = textAt(place);
      return random.pick([
        '',
        ` ${right}`,
        `${right} `,
        `${right}\n`,
        `${right}\n\n`,
        `${right}\u0001`,
        `${right}\uffff`,
        `${right}\u2028`,
        `${right}\u00a0`,
        `${right}x`,
        `${right}\r`,
        `😀${right}`,
        right.toUpperCase(),
        right.repeat(60),
        `-${right}`,
        `${right}/33`,
      ])!;
    }),
    at('a bad number', is('number'), (_, random) =>
      random.pick([-1, 0, 1.5, 65536, 100_000, 4_200_000_001, 2 ** 53, 1e300, '51820'])!,
    ),
    at(
      'null over a default',
      ({ schema: of }) => unwrap(of).hasDefault,
      () => null,
    ),
    at(
      'null over nothing',
      ({ schema: of }) => !unwrap(of).hasDefault && unwrap(of).optional,
      () => null,
    ),
    at(
      'null for an element',
      ({ step, parent }) => typeof step === 'number' || !isMap(parent),
      () => null,
    ),
    at(
      'null for a required part',
      ({ schema: of }) => !unwrap(of).hasDefault && !unwrap(of).optional,
      () => null,
    ),
    at('an empty list', is('array'), () => []),
    at('a list with null', is('array'), () => [null]),
    at('an empty map', is('record', 'object'), () => ({})),
    at('a bad key', is('record'), (_, random) => ({
      [random.pick(['', ' ', 'A_', '-a', 'ü', 'a\nb', 'x'.repeat(400), '__proto__x', 'a/b/c'])!]: 'x',
    })),
    (values, random) => {
      const { parent, path } =
        random.pick(
          placesOf(schema, values).filter(
            ({ schema: of, parent: map, step }) =>
              !unwrap(of).hasDefault && !unwrap(of).optional && Object.hasOwn(map, step),
          ),
        ) ?? {};
      if (parent === undefined || path === undefined) return undefined;
      Reflect.deleteProperty(parent, path.at(-1)!);
      return `nothing at ${path.join('.')}`;
    },
    (values, random) => {
      const map = random.pick(strictMaps(schema, values));
      const key = random.pick([
        'unknown',
        '__proto__',
        'constructor',
        'toString',
        '',
        'Peers',
        'publickey',
        'a.b',
        '10',
        'ü',
        'x'.repeat(200),
      ])!;
      if (map === undefined) return undefined;
      Object.defineProperty(map, key, {
        value: random.pick(OTHERS)!,
        enumerable: true,
        writable: true,
        configurable: true,
      });
      return `an unknown key ${JSON.stringify(key)}`;
    },
  ];
};

function breakOne(values: DraftMap, faults: readonly Fault[], random: Random): string {
  for (let attempt = 0; attempt < 20; attempt++) {
    const done = random.pick(faults)!(values, random);
    if (done !== undefined) return done;
  }
  return 'nothing';
}

/* Files and flags. */

interface Form {
  readonly files: number;
  readonly flags: number;
}

/** The same values as several files, each overwriting some of the ones before, and as flags. */
function layered(values: DraftMap, { files, flags }: Form, random: Random): Omit<ValuesCase, 'faults'> {
  const rest = copyOf(values) as DraftMap;
  const set: string[] = [];
  const setString: string[] = [];
  for (let i = 0; i < flags; i++) {
    const taken = random.pick(
      scalarsOf(rest).filter(
        ({ value, path }) => path.every((step) => isSettable(step)) && (typeof value !== 'string' || isSettable(value)),
      ),
    );
    if (taken === undefined) break;
    const { path, parent, value } = taken;
    const name = path.map(escaped).join('.');
    if (typeof value === 'string') {
      // Without --set-string, text that reads as a number or a word becomes one: a user's mistake that both forms must take alike.
      (random.chance(0.8) ? setString : set).push(`${name}=${escaped(value)}`);
    } else if (typeof value !== 'number' || Number.isInteger(value)) {
      set.push(`${name}=${value === null ? 'null' : String(value)}`);
    } else continue;
    Reflect.deleteProperty(parent, path.at(-1)!);
  }
  return { files: split(rest, files, random), set, setString };
}

interface Scalar {
  readonly path: readonly string[];
  readonly parent: DraftMap;
  readonly value: string | number | boolean | null;
}

/** The scalars below maps only: to reach into a list, Helm needs the whole list. */
function scalarsOf(map: DraftMap, path: readonly string[] = []): Scalar[] {
  return Object.entries(map).flatMap(([key, value]): Scalar[] => {
    if (isMap(value)) return scalarsOf(value, [...path, key]);
    return Array.isArray(value) ? [] : [{ path: [...path, key], parent: map, value: value }];
  });
}

/** Helm's --set cannot take an empty name, nor can a command line take U+0000. */
function isSettable(text: string): boolean {
  return text !== '' && !text.includes('\u0000') && text !== '__proto__';
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,.=[\]{}]/g, '\\$&');
}

function split(values: DraftMap, count: number, random: Random): DraftMap[] {
  if (count === 1) return [values];
  const layers = Array.from({ length: count }, (): DraftMap => ({}));
  for (const [key, value] of Object.entries(values)) {
    const at = random.below(count);
    const own =
      isMap(value) && random.chance(0.7)
        ? split(value, count, random)
        : layers.map((_, i) => (i === at ? value : undefined));
    own.forEach((part, i) => {
      if (part !== undefined) put({ parent: layers[i]!, step: key }, part);
    });
    // What a later file overwrites may be anything but a map, which would stay in parts.
    if (at > 0 && !isMap(value) && random.chance(0.2)) {
      put({ parent: layers[at - 1]!, step: key }, random.pick([null, 'overwritten', 7, ['x']])!);
    }
  }
  return layers;
}

const REPAIRED = {
  ipsec: { schema: CHARTS.ipsec.schema, repair: repairIpsec, faults: IPSEC_FAULTS },
  wireguard: { schema: CHARTS.wireguard.schema, repair: repairWireGuard, faults: WIREGUARD_FAULTS },
};
/** The name of a chart. */
export type ChartWithValues = keyof typeof REPAIRED;

/** User values for each chart, by its name. */
export const CHART_VALUES: Readonly<Record<ChartWithValues, fc.Arbitrary<ValuesCase>>> = {
  ipsec: valuesArbitrary(REPAIRED.ipsec.schema, REPAIRED.ipsec),
  wireguard: valuesArbitrary(REPAIRED.wireguard.schema, REPAIRED.wireguard),
};

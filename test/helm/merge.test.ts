import { coalesce, mergeLayers } from '../../lib/helm/merge';
import { parseValuesFile } from '../../lib/helm/parse-values-file';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';
import { HELM_VERSIONS } from '../tools';
import { ALL_HELMS, asHelmReads } from './real-helm';

const LAYERS: readonly (readonly string[])[] = [
  ['a: {b: 1, c: 2}', 'a: {b: 3, d: {e: 4}}'],
  ['a: [1, 2]', 'a: [3]', 'a: []'],
  ['a: {b: 1}', 'a: {}'],
  ['a: {b: 1}', 'a: 2', 'a: {c: 3}'],
  ['a: null', 'a: {q: 1}'],
  ['a: {b: null}', 'a: {b: {c: null}}'],
  ['x: {y: 1}', 'x: null'],
  ['constructor: {a: 1}', 'constructor: {b: 2}', 'toString: 1'],
  ['l: [null, {x: null}]'],
];

/** Defaults with one null only inside a list: nulls in the defaults are where versions differ. */
const DEFAULTS = 'a: {b: 1, c: {d: 2, e: [1, null, {f: null}]}}\nq: text\nx: {y: 1, z: {}}\nl: [1]\nt: true\n';

const USERS = [
  '{}',
  'a: null',
  'a: {b: null, c: {d: null}}',
  'a: {c: null}\nx: {z: null}',
  'a: {new: null}',
  'new: null',
  'new: {a: {b: null}}',
  'a: {new: {b: null}}',
  'l: [null, {x: null}]',
  'q: {now: {a: null}}',
  'a: 1',
  'a: []',
  'a: {}',
  'x: {z: {w: null}}',
  't: null\nl: null',
  'constructor: null\nvalueOf: {a: 1}',
];

const read = (text: string): JsonObject => parseValuesFile(`${text}\n`, 'f').values;

describeWith(ALL_HELMS, 'layers and defaults are put together as every Helm does', () => {
  test.each(HELM_VERSIONS)('several -f (%s)', (version) => {
    expect(LAYERS.map((files) => files.map(read).reduce(mergeLayers, {}))).toEqual(
      LAYERS.map((files) => valuesOf(asHelmReads(version, { files }))),
    );
  });

  test.each(HELM_VERSIONS)('defaults under user values, with nulls in all places (%s)', (version) => {
    expect(USERS.map((user) => [user, coalesce(read(DEFAULTS), read(user))])).toEqual(
      USERS.map((user) => [user, valuesOf(asHelmReads(version, { defaults: DEFAULTS, files: [user] }))]),
    );
  });

  test('nulls in the defaults are treated as the newest Helm does', () => {
    const defaults = 'top: null\nm: {a: null, b: {c: null, d: 1}}\nl: [null]\n';
    const users = [
      '{}',
      'top: null',
      'top: {x: 1}',
      'm: {a: null, b: {c: null}}',
      'm: {b: {d: null}}',
      'm: null',
      'm: {a: 1}',
    ];
    expect(users.map((user) => [user, coalesce(read(defaults), read(user))])).toEqual(
      users.map((user) => [user, valuesOf(asHelmReads('4.3.1', { defaults, files: [user] }))]),
    );
  });
});

function valuesOf(outcome: ReturnType<typeof asHelmReads>): JsonObject {
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.values;
}

test('null in a later file deletes a default, and a map in a still later one brings the default back', () => {
  const defaults = { a: { b: 1 } };
  expect(coalesce(defaults, { a: null })).toEqual({});
  expect(coalesce(defaults, mergeLayers({ a: null }, { a: { c: 2 } }))).toEqual({ a: { b: 1, c: 2 } });
});

test('neither the defaults nor the layers are changed', () => {
  const freeze = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  const frozen = (text: string): JsonObject => freeze(read(text)) as JsonObject;
  for (const user of USERS)
    expect(() => coalesce(frozen(DEFAULTS), mergeLayers(frozen(DEFAULTS), frozen(user)))).not.toThrow();
});

test('the key __proto__ stays a key', () => {
  const odd = JSON.parse('{"__proto__": {"polluted": true}}') as JsonObject;
  for (const merged of [mergeLayers({ a: 1 }, odd), coalesce(odd, { a: 1 }), coalesce({ a: 1 }, odd)]) {
    expect(Object.keys(merged).sort()).toEqual(['__proto__', 'a']);
    expect(merged['polluted']).toBeUndefined();
  }
  expect(Object.keys(coalesce(odd, JSON.parse('{"__proto__": null}') as JsonObject))).toEqual([]);
});

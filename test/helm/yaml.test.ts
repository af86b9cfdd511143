import fc from 'fast-check';
import { parse } from 'yaml';
import { toYaml } from '../../lib/helm/yaml';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';
import { HELM_VERSIONS } from '../tools';
import { ALL_HELMS, asHelmReads } from './real-helm';

const PIECES = [
  'y', 'no', 'On', 'null', '~', 'NaN', '0x1f', '0o17', '0X1f', '012', '1e3', 'e3', '.5', '.inf', '1_0', '0b1', '-', '- ', '--', '? ', ': ', ':', ' #', '#',
  '\n', '\n\n', '\t', ' ', '  ', '"', "'", '\\', '|', '>', '%', '@', '`', '{', '}', '[', ']', ',', '&a', '*a', '!t', '!!int 1', '<<', '=', '---', '...',
  '\r', '\r\n', '\0', '\x07', '\x1B', '\x7F', '\u0085', '\u00A0', '\u2028', '\u2029', '\uFEFF', '\uFFFE', '\uFFFF', '\u200B', '\u202E', '😀', 'é', 'a', 'word',
  '12:30:45', '2001-01-01', 'key: value', '{{ x }}', '10.0.0.1', '10.0.0.0/8', 'fd00::1', `${'a'.repeat(90)} ${'b'.repeat(90)}`, 'x'.repeat(1100), 'line\n  line\n', ' x\ny',
]; // prettier-ignore

const hostile = fc
  .oneof(
    fc.constantFrom(...PIECES),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary' }),
  )
  .filter((text) => text !== '__proto__' && !/\p{Surrogate}/u.test(text));

const around = (text: string): JsonObject => ({
  value: text,
  list: [text, [text], { in: text }],
  map: { [text]: text },
});

test.each(['1.1', '1.2'] as const)(
  'any text is read back by YAML %s, as value, as key, in lists and alone',
  (version) => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(parse(toYaml(around(text)), { version })).toEqual(around(text));
        expect(parse(toYaml(text), { version })).toBe(text);
      }),
      { numRuns: 3000 },
    );
  },
);

describeWith(ALL_HELMS, 'any text is read back by Go', () => {
  test.each(HELM_VERSIONS)('in the values of a chart (%s)', (version) => {
    const texts = [...PIECES, ...fc.sample(hostile, 2000)];
    const values = Object.fromEntries(texts.map((text, index) => [`k${String(index)}`, around(text)]));
    expect(asHelmReads(version, { defaults: toYaml(values) })).toEqual({ values });
  });
});

test('what every reader takes for text stands without quotes, the rest in double quotes', () => {
  const plain = [
    'a',
    'quay.io/frrouting/frr:10.3.4',
    '/usr/bin/env',
    '--flag=x',
    'ClusterIP',
    'a b c',
    'v1',
    'app.kubernetes.io/name',
  ];
  const quoted = [
    '',
    'y',
    'No',
    'true',
    'Null',
    '~',
    '1',
    '0x1f',
    '1e3',
    '10.0.0.1',
    '12:30',
    '-x',
    'a: b',
    'a #b',
    'a:',
    ' a',
    'a ',
    '<<',
    '=',
    'é',
  ];
  for (const text of plain) expect(toYaml({ k: text })).toBe(`k: ${text}\n`);
  for (const text of quoted) expect(toYaml({ k: text })).toBe(`k: "${text}"\n`);
});

test('characters that are not seen are written as escapes', () => {
  expect(toYaml({ k: '\u0085\u2028\u2029\uFEFF\x7F\0\u200B\u{E0001}' })).toBe(
    'k: "\\u0085\\u2028\\u2029\\uFEFF\\u007F\\u0000\\u200B\\U000E0001"\n',
  );
});

test('several lines stand as a block that keeps their end', () => {
  expect(toYaml({ k: 'a\n\n  b\n' })).toBe('k: |\n  a\n\n    b\n');
  expect(toYaml({ k: 'a\nb' })).toBe('k: |-\n  a\n  b\n');
  expect(toYaml({ k: ['a\nb'] })).toBe('k:\n  - |-\n    a\n    b\n');
});

test('numbers, booleans, null and empty collections', () => {
  expect(toYaml({ a: 4200000001n, b: 2n ** 70n, c: -1.5, d: true, e: null, f: [], g: {}, h: [[1, { i: 2 }]] })).toBe(
    'a: 4200000001\nb: 1180591620717411303424\nc: -1.5\nd: true\ne: null\nf: []\ng: {}\nh:\n  - - 1\n    - i: 2\n',
  );
});

test('the same object in two places is printed twice', () => {
  const shared = { a: 1 };
  expect(toYaml({ x: shared, z: shared })).toBe('x:\n  a: 1\nz:\n  a: 1\n');
});

test('half a character is a mistake of the caller', () => {
  expect(() => toYaml({ k: '\uD800' })).toThrow(TypeError);
});

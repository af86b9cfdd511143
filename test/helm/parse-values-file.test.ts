import { parseValuesFile } from '../../lib/helm/parse-values-file';
import { InputError } from '../../lib/staged/input-error';
import { describeWith } from '../left-out';
import { HELM_VERSIONS } from '../tools';
import { ALL_HELMS, asHelmReads } from './real-helm';

const SCALARS =
  `y Y n N yes Yes YES yEs no No NO on On ON off Off OFF true True TRUE tRUE false False null Null NULL nULL ~
  0 -0 +0 00 012 0777 -012 +012 08 09 0128 -08 0o17 0O17 -0o17 0o8 0b11 0B11 -0b11 +0b1 0b-1 0b+1 0b2 0X1f 0x1F -0x1F 0x 0xg
  1_000 1__0 _1 +_1 1_ -_ 0_7 0x_1f 0b_1 1_0.5 12:30:45 1:2 190:20:30 2001-01-01 2001-12-14t21:59:43.10-05:00
  e3 1e3 1E3 1e+3 1e-3 1.5e3 1e400 -1e400 . .. .5 .5e3 -.5 +.5 ._5 .e5 5. 5.e3 1.2.3 10.0.0.1 10.0.0.0/8
  9007199254740993 9223372036854775807 18446744073709551615 18446744073709551616 -9223372036854775809 4200000001
  0777777777777777777777777 0xffffffffffffffffff 0x1p-2 1e21 123456789012345678901234567890 0.1 -1.5 1000000
  << = a=b NaN Infinity inf 1,000 1d - + -- ++1 "" '' "n" 'y' "012" a#b http://x:1/ é 😀`
    .split(/\s+/)
    .filter((text) => text !== '');

const TAGGED = [
  '!!str 1',
  '!!str n',
  '!!int "5"',
  '!!float 5',
  '!!float 1.5',
  '!!bool y',
  '!!null ""',
  '!!binary aGk=',
];

const COLLECTIONS = ['[]', '{}', '[n, "n", 012]', '{n: 1, y: 2}', '[a,]', '{a,}', '{a: }', '["a":1]', '[{"a":1},[b]]'];

const KEYS =
  `a n y on No TRUE 012 0x1f 1_0 1.5 1.10 1e3 1000000.0 123456789.5 0.00001 0.30000001 16777217.0 -0.0 "n" 'on' "012" a.b a/b`.split(
    ' ',
  );

/** Texts with a form of their own, each a whole file. */
const FILES: readonly string[] = [
  '',
  '# nothing\n',
  '---\n',
  '~\n',
  '# before\n---\na: 1\n',
  '--- # x\na: 1\n',
  '\uFEFFa: 1\n',
  'a: 1\r\nb: |\r\n  x\r\n  y\r\n',
  'a: |\n  x\n   y\n\nb: |-\n  x\n\nc: |+\n  x\n\nd: >\n  x\n  y\n\n  z\n',
  'a: |2\n   x\n  y\n',
  'a: "x\\n\\u00e9\\U0001F600\\x41\\N\\L\\_"\n',
  'a: "x\n  y\\\n  z"\nb: x\n  y\n',
  'a:\tx\n',
  '{\n\t"a": [\n\t\t1\n\t]\n}\n',
  'a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n',
  'a: &x {b: 1, c: 1}\nd: {b: 2, <<: *x}\n',
  'a: &x {b: 1, c: 1}\ne: &y {b: 2}\nd:\n  <<: [*y, *x]\n',
  'd: {<<: {b: 1}, c: 2}\n',
  'a: &x 1\nb: &x 2\nc: *x\n',
  'a: &x {b: &y {c: 1}}\nd: {<<: *x}\ne: *y\n',
  'a: &k n\n*k : 1\n',
  'a: {"<<": {b: 1}}\n',
];

describeWith(ALL_HELMS, 'a values file means what every Helm takes it for', () => {
  test.each(HELM_VERSIONS)('each scalar, as value, in lists and in maps (%s)', (version) => {
    const texts = [...SCALARS, ...TAGGED, ...COLLECTIONS];
    const file = texts
      .map((text, index) => {
        const between = /[,?]|^-$/.test(text) || COLLECTIONS.includes(text) ? '"x"' : text;
        return `k${String(index)}: ${text === '-' ? '"-"' : text}\nl${String(index)}: [${between}]\nm${String(index)}: {a: ${between}}\n`;
      })
      .join('');
    expect({ values: parseValuesFile(file, 'f').values }).toEqual(asHelmReads(version, { files: [file] }));
  });

  test.each(HELM_VERSIONS)('each plain key (%s)', (version) => {
    const file = KEYS.map((key, index) => `k${String(index)}: {${key}: x}\nb${String(index)}:\n  ${key}: x\n`).join('');
    expect({ values: parseValuesFile(file, 'f').values }).toEqual(asHelmReads(version, { files: [file] }));
  });

  test.each(HELM_VERSIONS)('files with anchors, merges, blocks of text, several kinds of line ends (%s)', (version) => {
    expect(FILES.map((file) => ({ file, values: parseValuesFile(file, 'f').values }))).toEqual(
      FILES.map((file) => ({ file, ...asHelmReads(version, { files: [file] }) })),
    );
  });

  test.each(HELM_VERSIONS)('what %s refuses is refused', (version) => {
    const refused = [
      'a: .inf\n', 'a: [.nan]\n', '- a\n', 'text\n', 'a: *x\n', 'a: &x [*x]\n', '~: 1\n', '[a]: 1\n', 'a: {<<: 1}\n',
      'a: b: c\n', 'a: [1\n', 'a: "x\n', '\ta: 1\n', 'a:\n  \t\n', 'a: |\n  \tx\n', 'a: !!int x\n', 'a: !!binary x\n',
      'a: "\\ud800"\n', 'a: "\\ud83d\\ude00"\n', 'a: "\\/"\n', 'a: @x\n', 'a: {?: 1}\n', 'a: [x?]\n', 'a: [:x]\n', 'a: \u0001\n',
      'a: &a [x,x,x,x,x,x,x,x,x,x]\n' + bomb(), '18446744073709551615: 1\n', 'a: [!!str]\n',
    ]; // prettier-ignore
    for (const file of refused) {
      expect([file, asHelmReads(version, { files: [file] })]).toEqual([file, { error: expect.any(String) as string }]);
      expect([file, problemsOf(file)]).not.toEqual([file, []]);
    }
  });
});

function bomb(): string {
  const names = [...'bcdefgh'];
  return names
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]!}`).join(',')}]\n`)
    .join('');
}

function problemsOf(text: string): readonly string[] {
  try {
    parseValuesFile(text, 'f');
    return [];
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
}

describe('what Helm’s versions or a person would read differently is refused, with what to do', () => {
  test.each([
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 'f:3:1: the key "a" is given again, first in line 1; keep one of them'],
    ['a key that Helm makes a duplicate', 'n: 1\nfalse: 2\n', 'f:2:1: the key "false" is given again, first in line 1; keep one of them'],
    ['a second document', 'a: 1\n---\nb: 2\n', 'f:2:1: a second YAML document begins here; give each document its own file and its own -f'],
    ['half a character', 'a: "\\udc00"\n', 'f:1:4: \\udc00 is half a character; write the character itself'],
    ['the key __proto__', 'a:\n  __proto__: 1\n', 'f:2:3: the key "__proto__"; use another name'],
    ['a next-line character', 'a: x\u0085y\n', 'f:1:5: the character U+0085 may not stand in a values file; remove it, or write it as "\\u0085" in double quotes'],
    ['a line separator', 'a: "x\u2028y"\n', 'f:1:6: the character U+2028 may not stand in a values file; remove it, or write it as "\\u2028" in double quotes'],
    ['a lone carriage return', 'a: 1\rb: 2\n', 'f:1:5: the character U+000D may not stand in a values file; remove it, or write it as "\\u000D" in double quotes'],
    ['a block of text that the end of the file cuts', 'a: |\n  x', 'f:2:4: the file ends in a block of text without a line break, which Helm 3 and 4 read differently; end the file with a line break'],
    ['text after ---', '--- {a: 1}\n', 'f:1:1: text after ---, which Helm 4 refuses; begin a new line after ---'],
    ['a directive', '%YAML 1.1\n---\na: 1\n', 'f:1:1: a YAML directive (%); remove the line'],
    ['a document end', 'a: 1\n...\n', 'f:2:1: a document end (...); remove the line'],
  ])('%s', (_, text, sentence) => {
    expect(problemsOf(text)).toEqual([sentence]);
  }); // prettier-ignore
});

describe('a file that is no values file gets a sentence', () => {
  test.each([
    ['a list', '- a\n', 'f:1:1: the values must be a map at the top, got a list; write name: value lines'],
    ['a text', 'hello\n', 'f:1:1: the values must be a map at the top, got a string; write name: value lines'],
    ['an alias in itself', 'a: &a\n  b: *a\n', 'f:2:6: the alias *a stands inside its own anchor; remove one of the two'],
    ['a billion laughs', 'a: &a [x,x,x,x,x,x,x,x,x,x]\n' + bomb(), 'f:1:1: the aliases repeat too much; write fewer of them'],
    ['an unknown alias', 'a: *b\n', 'f:1:4: an alias without its anchor above it; name an anchor (&name) that stands above, or put the text in quotes'],
    ['binary data', 'a\0b', 'f:1:2: this is binary data; give a YAML file'],
    ['brackets without end', '['.repeat(1e6), 'f:1:501: maps and lists are nested too deeply; write it flatter'],
    ['a tab', 'a:\n\tb: 1\n', 'f:2:1: a tab as indentation; use spaces'],
    ['infinity', 'a: .inf\n', 'f:1:4: infinity and not-a-number are no values, got .inf; write a number, or put the text in quotes'],
  ])('%s', (_, text, sentence) => {
    expect(problemsOf(text)).toContain(sentence);
  }); // prettier-ignore

  test('all problems are reported at once, in the order of the lines, and none shows a value', () => {
    const text = Array.from({ length: 200 }, (_, index) => `k${String(index)}: "s3cret\\q"\n`).join('');
    const problems = problemsOf(text);
    expect(problems).toHaveLength(200);
    expect(problems.map((problem) => problem.split(':')[1])).toEqual(
      Array.from({ length: 200 }, (_, index) => String(index + 1)),
    );
    expect(problems.join('')).not.toContain('s3cret');
  });

  test('maps and lists in one another more than 500 times are refused, however they are written', () => {
    const maps = (depth: number): string =>
      Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:${level === depth - 1 ? ' 1' : ''}\n`).join(
        '',
      );
    const dashes = (depth: number): string => `a:\n  ${'- '.repeat(depth)}x\n`;
    const through = (depth: number): string =>
      `b: &b ${'['.repeat(depth)}x${']'.repeat(depth)}\na: ${'['.repeat(250)}*b${']'.repeat(250)}\n`;
    for (const file of [maps(500), dashes(499), through(249)]) expect(problemsOf(file)).toEqual([]);
    for (const file of [maps(501), dashes(500), through(250), maps(5000), dashes(5000)])
      expect(problemsOf(file)).toEqual([
        expect.stringMatching(/^f:\d+:\d+: maps and lists are nested too deeply; write it flatter$/),
      ]);
  });
});

describe('a value knows its place', () => {
  const file = parseValuesFile('a: 1\nb:\n  - x\n  - n: &m {q: 1}\nc:\n  <<: *m\n  "d e": 2\n', 'f');

  test.each([
    [['a'], { line: 1, column: 1 }],
    [['b', 0], { line: 3, column: 5 }],
    [['b', 1, 'false', 'q'], { line: 4, column: 12 }],
    [['c', 'q'], { line: 4, column: 12 }],
    [['c', 'd e'], { line: 7, column: 3 }],
    [['c', 'x'], undefined],
    [['a', 'x'], undefined],
    [['b', 2], undefined],
    [['toString'], undefined],
  ])('%j', (at, position) => {
    expect(file.locate(at)).toEqual(position);
  });
});

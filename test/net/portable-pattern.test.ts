import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { assertPortablePattern } from '../../lib/net/portable-pattern';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { HAND_MADE, mutated, networkText } from './address-texts';

/** Every pattern that a file of lib/net exports. */
const ours = fs.readdirSync(path.join(__dirname, '../../lib/net')).flatMap((file) => {
  const exported = jest.requireActual<Record<string, unknown>>(`../../lib/net/${file.replace(/\.ts$/, '')}`);
  return Object.entries(exported).filter((entry): entry is [string, RegExp] => entry[1] instanceof RegExp);
});

test.each(ours)('%s is portable', (_, pattern) => {
  assertPortablePattern(pattern);
  assertPortablePattern(pattern.source);
});

test('every pattern of lib/net is looked at', () => {
  expect(ours.length).toBeGreaterThanOrEqual(24);
});

test.each([
  '^$',
  '^a$',
  '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  '^(?:a|b|)$',
  '^(?:a{2}b{1,}c{0,3}d?e*f+)$',
  '^[+/=_.-]{1,1000}$',
  '^\\.\\/\\[\\]\\{\\}\\(\\)\\|\\^\\$\\*\\+\\?\\\\\\-$',
  '^[\\]\\[\\\\\\-]$',
  '^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}$',
  '^ !"#%&,:;<=>@_`~$',
])('%s is portable', (pattern) => {
  assertPortablePattern(pattern);
  assertPortablePattern(new RegExp(pattern));
});

test.each([
  ['^.$', '"." (what it leaves out differs), at position 1'],
  ['^\\d$', '"\\d", at position 1'],
  ['^\\w$', '"\\w", at position 1'],
  ['^a\\s$', '"\\s", at position 2'],
  ['^\\ba$', '"\\b", at position 1'],
  ['^\\x41$', '"\\x", at position 1'],
  ['^\\u0041$', '"\\u", at position 1'],
  ['^\\n$', '"\\n", at position 1'],
  ['^\\p{L}$', '"\\p", at position 1'],
  ['^(a)\\1$', '"\\1", at position 4'],
  ['^[\\w]$', '"\\w", at position 2'],
  ['^[\\d-z]$', '"\\d", at position 2'],
  ['^[^a]$', 'a negated class "[^", at position 1'],
  ['^[]$', 'an empty class "[]", at position 1'],
  ['^[a-z$', 'a "[" without its "]", at position 1'],
  ['^[[:alpha:]]$', '"[" inside a class without a backslash, at position 2'],
  ['^[z-a]$', 'the class range "z-a", whose end is before its beginning, at position 1'],
  ['^[ä]$', 'the character U+00E4, which is not printable ASCII, at position 2'],
  ['^😀$', 'the character U+D83D, which is not printable ASCII, at position 1'],
  ['^\t$', 'the character U+0009, which is not printable ASCII, at position 1'],
  ['^(?=a)a$', 'look-around "(?=a", at position 1'],
  ['^(?!a)b$', 'look-around "(?!a", at position 1'],
  ['^(?<=a)b$', 'look-around "(?<=", at position 1'],
  ['^(?<!a)b$', 'look-around "(?<!", at position 1'],
  ['^(?<n>a)$', 'a group with a name or flags "(?<n", at position 1'],
  ['^(?P<n>a)$', 'a group with a name or flags "(?P<", at position 1'],
  ['^(?i:a)$', 'a group with a name or flags "(?i:", at position 1'],
  ['^a*?$', 'a lazy quantifier, at position 3'],
  ['^a{2}?$', 'a lazy quantifier, at position 5'],
  ['^a**$', 'a quantifier after a quantifier, at position 3'],
  ['^a{2}{3}$', 'a quantifier after a quantifier, at position 5'],
  ['^*a$', 'a quantifier "*" with nothing to repeat, at position 1'],
  ['^(?:+a)$', 'a quantifier "+" with nothing to repeat, at position 4'],
  ['^a{$', '"{" without a backslash, at position 2'],
  ['^a{,3}$', '"{" without a backslash, at position 2'],
  ['^{2}$', '"{" without a backslash, at position 1'],
  ['^a}$', '"}" without a backslash, at position 2'],
  ['^a]$', '"]" without a backslash, at position 2'],
  ['^a{3,2}$', '"{3,2}", whose end is before its beginning, at position 2'],
  ['^a{1001}$', 'more than 1000 repetitions, which RE2 refuses, at position 1'],
  ['^(?:(?:a{10}){10}){11}$', 'more than 1000 repetitions, which RE2 refuses, at position 1'],
  ['a$', 'a pattern that does not begin with "^", at position 0'],
  ['^a', 'a pattern that does not end with "$", at position 2'],
  ['^a\\$', 'a pattern that does not end with "$", at position 4'],
  ['', 'a pattern that does not begin with "^", at position 0'],
  ['^a|b$', '"|" outside of a group, where an anchor binds to one side only, at position 0'],
  ['^a$|^b$', '"$" before the end, at position 3'],
  ['^(?:a$|b)$', '"$" before the end, at position 5'],
  ['^(?:^a|b)$', '"^" after the beginning, at position 4'],
  ['^(?:a$', '"$" before the end, at position 5'],
  ['^(?:a', 'a "(" without its ")", at position 1'],
  ['^a)$', 'a ")" without its "(", at position 2'],
])('fails on %s', (pattern, complaint) => {
  expect(() => {
    assertPortablePattern(pattern);
  }).toThrow(`pattern /${pattern}/: ${complaint}; JavaScript and RE2 must agree`);
});

test('fails on a flag', () => {
  expect(() => {
    assertPortablePattern(/^a$/i);
  }).toThrow('pattern /^a$/i: flags are lost on the way to a schema; use none');
});

test('a line break does not pass for the end', () => {
  for (const [, pattern] of ours) expect(pattern.test('\n')).toBe(false);
});

describeWith(['helm-4.3.1'], 'Helm', () => {
  test('judges a text by each pattern as JavaScript does', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'portable-pattern-test-'));
    try {
      const fromPatterns = ours.flatMap(([, pattern]) => {
        const texts = fc.stringMatching(pattern, { maxLength: 80 });
        return fc.sample(fc.oneof(texts, mutated(texts)), { numRuns: 60, seed: 1 });
      });
      const texts = [...HAND_MADE, ...fromPatterns, ...fc.sample(mutated(networkText), { numRuns: 500, seed: 1 })];
      const patterns = ours.map(([, pattern]) => pattern.source);
      const files = {
        'Chart.yaml': 'apiVersion: v2\nname: patterns\nversion: 0.0.0\n',
        'values.yaml': JSON.stringify({ texts, patterns }),
        'templates/verdicts.yaml':
          'verdicts:\n{{- range $pattern := .Values.patterns }}\n' +
          '- "{{ range $.Values.texts }}{{ ternary 1 0 (mustRegexMatch $pattern .) }}{{ end }}"\n{{- end }}\n',
      };
      fs.mkdirSync(path.join(folder, 'templates'));
      for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
      const printed = execFileSync(tools.helm('4.3.1'), ['template', folder], { encoding: 'utf8', maxBuffer: 1 << 28 });
      const verdicts = [...printed.matchAll(/^- "([01]*)"$/gm)].map(([, verdict]) => verdict);
      expect(verdicts).toEqual(
        ours.map(([, pattern]) => texts.map((text) => (pattern.test(text) ? '1' : '0')).join('')),
      );
      for (const verdict of verdicts) expect(verdict).toMatch(/^(?=.*1)(?=.*0)/);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

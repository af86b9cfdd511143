import * as fs from 'node:fs';
import * as path from 'node:path';
import { withPlaces } from '../../lib/cli/with-places';
import { loadValues } from '../../lib/helm/load-values';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from '../helm/real-helm';

const TEXT = `a: {b.c: [1, {d: 2}], 'e: f': 3, b: {c: 4}}
"[0]": 5
g: &g {h: 6}
i: *g
`;

function placed(problems: readonly string[], set: readonly string[] = []): readonly string[] {
  return withFolder((folder) => {
    const file = path.join(folder, 'f');
    fs.writeFileSync(file, TEXT);
    try {
      withPlaces(loadValues({ files: [file], set }), () => {
        throw new InputError(problems);
      });
    } catch (error) {
      if (error instanceof InputError) return error.problems.map((problem) => problem.replaceAll(`${folder}/`, ''));
      throw error;
    }
    throw new Error('nothing was thrown');
  });
}

test.each([
  ['a.b.c[1].d: is wrong', 'f:1:15: '],
  ['a.e: f: is wrong', 'f:1:23: '],
  ['a.b.x: is required', 'f:1:34: '],
  ['a.b.c[7].x: is required', 'f:1:5: '],
  ['[0]: is wrong', 'f:2:1: '],
  ['i.h: is wrong', 'f:3:8: '],
  ['x: is required', ''],
  ['no path at all', ''],
])('%s: stands at %j', (problem, place) => {
  expect(placed([problem])).toEqual([`${place}${problem}`]);
});

test('the problems keep their order, which for rules is that of Helm', () => {
  expect(placed(['i: 1', 'x: 2', 'a: 3'])).toEqual(['f:4:1: i: 1', 'x: 2', 'f:1:1: a: 3']);
});

test('what a flag set has no place in a file', () => {
  expect(placed(['g.h: is wrong', 'a.e: f: is wrong'], ['g.h=7'])).toEqual([
    'g.h: is wrong',
    'f:1:23: a.e: f: is wrong',
  ]);
});

test('the exit code stays, and other errors pass', () => {
  const none = loadValues({ files: [] });
  const usage = new InputError(['x'], 2);
  expect(() =>
    withPlaces(none, () => {
      throw usage;
    }),
  ).toThrow(usage);
  expect(() =>
    withPlaces(none, () => {
      throw new TypeError('mine');
    }),
  ).toThrow(new TypeError('mine'));
  expect(withPlaces(none, () => 1)).toBe(1);
});

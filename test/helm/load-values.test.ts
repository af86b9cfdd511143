import * as fs from 'node:fs';
import * as path from 'node:path';
import { loadValues } from '../../lib/helm/load-values';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from './real-helm';

function inFolder<T>(texts: Record<string, string>, use: (folder: string) => T): T {
  return withFolder((folder) => {
    for (const [name, text] of Object.entries(texts)) fs.writeFileSync(path.join(folder, name), text);
    return use(folder);
  });
}

test('files come first, in order; then every --set; then every --set-string', () => {
  inFolder({ a: 'x: 1\nw: 1\nz: 1\nm: {a: 1}\n', b: 'w: 2\nm: {b: 2}\n' }, (folder) => {
    const files = ['a', 'b'].map((name) => path.join(folder, name));
    const { values } = loadValues({ files, set: ['z=3', 'm.c=3'], setString: ['z=4'] });
    expect(values).toEqual({ x: 1, w: 2, z: '4', m: { a: 1, b: 2, c: 3 } });
  });
});

test('a value is located in the last file that gives it, else its nearest parent', () => {
  inFolder({ a: 'x: 1\nm:\n  a: 1\n  l: [1, 2]\n', b: '\nm:\n  b: 2\nx: 2\n' }, (folder) => {
    const [a, b] = ['a', 'b'].map((name) => path.join(folder, name)) as [string, string];
    const { locate } = loadValues({ files: [a, b], set: ['m.b=9', 'm.new=1'] });
    expect(locate(['x'])).toEqual({ file: b, line: 4, column: 1 });
    expect(locate(['m', 'a'])).toEqual({ file: a, line: 3, column: 3 });
    expect(locate(['m', 'l', 1])).toEqual({ file: a, line: 4, column: 10 });
    expect(locate(['m', 'missing', 'q'])).toEqual({ file: b, line: 2, column: 1 });
    expect(locate(['missing'])).toBeUndefined();
    expect(locate(['m', 'b'])).toBeUndefined();
    expect(locate(['m', 'new'])).toBeUndefined();
  });
});

test('no files and no flags are no values', () => {
  expect(loadValues({ files: [] }).values).toEqual({});
});

test('the problems of all files are told together; one that is missing makes it wrong usage', () => {
  inFolder({ a: 'x: [\n', b: 'y: @\n' }, (folder) => {
    const files = ['a', 'b', 'c'].map((name) => path.join(folder, name));
    let caught: unknown;
    try {
      loadValues({ files });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(InputError);
    const { problems, exitCode } = caught as InputError;
    expect(problems.map((problem) => path.basename(problem.split(':')[0]!))).toEqual(
      expect.arrayContaining(['a', 'b', 'c']),
    );
    expect(exitCode).toBe(2);
    const wrong = new InputError(
      problems.filter((problem) => !problem.includes('no such file')),
      1,
    );
    expect(() => loadValues({ files: files.slice(0, 2) })).toThrow(wrong);
  });
});

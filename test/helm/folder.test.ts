import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { replaceFolder, writeFiles, type OutputFile } from '../../lib/helm/folder';
import { InputError } from '../../lib/staged/input-error';
import { describeWith } from '../left-out';
import { withFolder } from './real-helm';

const MARK = '# made by us';

/** Every file below a folder, with its text. */
function tree(folder: string): Record<string, string> {
  const entries = fs.readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((file) => [path.relative(folder, file), fs.readFileSync(file, 'utf8')]));
}

function plant(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
}

function failure(write: () => void): InputError {
  try {
    write();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('was written');
}

describe('writeFiles', () => {
  test('makes the folder and sub folders; a secret is for its owner only', () => {
    withFolder((root) => {
      const out = path.join(root, 'x', 'out');
      writeFiles(out, [
        { name: 'a.yaml', text: 'a' },
        { name: 'deep/er/b.yaml', text: 'b', secret: true },
      ]);
      expect(tree(root)).toEqual({ 'x/out/a.yaml': 'a', 'x/out/deep/er/b.yaml': 'b' });
      expect(fs.statSync(path.join(out, 'a.yaml')).mode & 0o777).toBe(0o644 & ~process.umask());
      expect(fs.statSync(path.join(out, 'deep/er/b.yaml')).mode & 0o777).toBe(0o600);
    });
  });

  test('a file that becomes secret is closed', () => {
    withFolder((out) => {
      writeFiles(out, [{ name: 'a', text: '1' }]);
      writeFiles(out, [{ name: 'a', text: '2', secret: true }]);
      expect(fs.statSync(path.join(out, 'a')).mode & 0o777).toBe(0o600);
    });
  });

  test('removes what an earlier run made and this one does not, and nothing else', () => {
    withFolder((out) => {
      plant(out, {
        'old.yaml': `${MARK}\nold`,
        'gone/only.yaml': `${MARK}\n`,
        'kept/ours.yaml': `${MARK}\n`,
        'kept/theirs.txt': 'x',
        'theirs.yaml': `theirs\n${MARK}\n`,
        'alike.yaml': `${MARK} and more\n`,
        'no-end.yaml': MARK,
        'empty.yaml': '',
      });
      fs.symlinkSync(path.join(out, 'old.yaml'), path.join(out, 'link.yaml'));
      writeFiles(out, [{ name: 'new.yaml', text: `${MARK}\nnew` }], MARK);
      fs.rmSync(path.join(out, 'link.yaml'));
      expect(tree(out)).toEqual({
        'new.yaml': `${MARK}\nnew`,
        'kept/theirs.txt': 'x',
        'theirs.yaml': `theirs\n${MARK}\n`,
        'alike.yaml': `${MARK} and more\n`,
        'no-end.yaml': MARK,
        'empty.yaml': '',
      });
      expect(fs.existsSync(path.join(out, 'gone'))).toBe(false);
    });
  });

  test('removes nothing without a mark', () => {
    withFolder((out) => {
      plant(out, { a: `${MARK}\n` });
      writeFiles(out, [{ name: 'b', text: 'b' }]);
      expect(tree(out)).toEqual({ a: `${MARK}\n`, b: 'b' });
    });
  });

  test('if one file cannot be put in its place, every other is as it was', () => {
    withFolder((out) => {
      const before = { a: 'old a', 'b/theirs': 'x', obsolete: `${MARK}\n` };
      plant(out, before);
      const error = failure(() =>
        writeFiles(
          out,
          [
            { name: 'a', text: 'new' },
            { name: 'c/d', text: 'new' },
            { name: 'b', text: 'new' },
          ],
          MARK,
        ),
      );
      expect([error.exitCode, ...error.problems]).toEqual([
        2,
        `${fs.realpathSync(out)}/b: cannot write a file where a folder is; remove it or name another folder`,
      ]);
      expect(tree(out)).toEqual(before);
      expect(fs.readdirSync(out).sort()).toEqual(['a', 'b', 'obsolete']);
    });
  });

  test('follows a link to a folder', () => {
    withFolder((root) => {
      fs.mkdirSync(path.join(root, 'real'));
      fs.symlinkSync('real', path.join(root, 'link'));
      writeFiles(path.join(root, 'link'), [{ name: 'a', text: 'a' }]);
      expect(tree(path.join(root, 'real'))).toEqual({ a: 'a' });
      expect(fs.lstatSync(path.join(root, 'link')).isSymbolicLink()).toBe(true);
    });
  });

  test.each(['../a', '/a', 'a/../../b', '.', ''])(
    'a name that leaves the folder is a mistake of the caller: %j',
    (name) => {
      withFolder((root) => {
        expect(() => writeFiles(path.join(root, 'out'), [{ name, text: 'x' }])).toThrow(TypeError);
        expect(fs.readdirSync(root)).toEqual([]);
      });
    },
  );
});

describe('replaceFolder', () => {
  const isOurs = (folder: string): boolean => fs.existsSync(path.join(folder, 'Chart.yaml'));

  test('puts a new folder in the place of one of ours, or of nothing, or of an empty one', () => {
    for (const before of [{ 'Chart.yaml': 'old', 'templates/gone.yaml': 'x' }, undefined, {}]) {
      withFolder((root) => {
        const out = path.join(root, 'charts', 'vpn');
        if (before !== undefined) {
          fs.mkdirSync(out, { recursive: true });
          plant(out, before);
        }
        replaceFolder(
          out,
          [
            { name: 'Chart.yaml', text: 'new' },
            { name: 'templates/a.yaml', text: 'a' },
          ],
          isOurs,
        );
        expect(tree(root)).toEqual({ 'charts/vpn/Chart.yaml': 'new', 'charts/vpn/templates/a.yaml': 'a' });
        expect(fs.readdirSync(path.join(root, 'charts'))).toEqual(['vpn']);
      });
    }
  });

  test('leaves a folder that is not ours', () => {
    withFolder((root) => {
      const out = path.join(root, 'src');
      plant(out, { 'main.c': 'x' });
      const error = failure(() => replaceFolder(out, [{ name: 'a', text: 'a' }], isOurs));
      expect([error.exitCode, ...error.problems]).toEqual([
        2,
        `${out}: the folder holds files that are not ours; name another folder, or empty this one`,
      ]);
      expect(tree(root)).toEqual({ 'src/main.c': 'x' });
    });
  });
});

/** Both ways to write, over a folder in which each would replace something. */
const WRITERS: readonly (readonly [string, (folder: string, files: readonly OutputFile[]) => void])[] = [
  ['writeFiles', (folder, files) => writeFiles(folder, files, MARK)],
  ['replaceFolder', (folder, files) => replaceFolder(folder, files, () => true)],
];

describe.each(WRITERS)('%s tells what is wrong with the place and leaves it as it was', (_, write) => {
  const files = [
    { name: 'a', text: 'new' },
    { name: 'b/c', text: 'new' },
  ];

  function refused(root: string, folder: string, sentence: string, given = files): void {
    const before = [fs.readdirSync(root).sort(), tree(root)];
    const error = failure(() => write(folder, given));
    expect([error.exitCode, ...error.problems]).toEqual([2, `${folder}: ${sentence}`]);
    expect([fs.readdirSync(root).sort(), tree(root)]).toEqual(before);
  }

  test('a file in the place of the folder', () => {
    withFolder((root) => {
      plant(root, { file: 'x' });
      refused(root, path.join(root, 'file', 'out'), 'cannot write a folder where a file is; name another folder');
      refused(root, path.join(root, 'file'), 'cannot write a folder where a file is; name another folder');
    });
  });

  test('a name that is too long', () => {
    withFolder((root) => {
      const long = [{ name: 'x'.repeat(300), text: 'new' }];
      refused(root, path.join(root, 'new', 'out'), 'cannot write, the name is too long; use shorter names', long);
      refused(root, path.join(root, 'y'.repeat(300)), 'cannot write, the name is too long; use shorter names');
    });
  });
});

describeWith(['root', 'linux', 'netns'], 'places that only root can prepare', () => {
  const script = `
    const { writeFiles, replaceFolder } = require('./lib/helm/folder');
    const [how, folder, uid] = process.argv.slice(1);
    if (uid) process.setuid(Number(uid));
    const files = [{ name: 'a', text: 'new' }, { name: 'b', text: 'x'.repeat(200000) }];
    try {
      if (how === 'writeFiles') writeFiles(folder, files, ${JSON.stringify(MARK)}); else replaceFolder(folder, files, () => true);
    } catch (error) { process.stdout.write(error.exitCode + ' ' + error.problems); }`;

  function inMount(options: string, prepare: (root: string) => void, use: (root: string) => void): void {
    withFolder((root) => {
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', root]).status).toBe(0);
      try {
        prepare(root);
        use(root);
      } finally {
        spawnSync('umount', [root]);
      }
    });
  }

  function output(how: string, folder: string, uid = ''): string {
    return spawnSync(process.execPath, ['--import', 'tsx', '-e', script, '--', how, folder, uid], { encoding: 'utf8' })
      .stdout;
  }

  const before = { 'out/a': 'old', 'out/old': `${MARK}\n` };

  test.each(['writeFiles', 'replaceFolder'])('a full disk is told, and nothing is changed (%s)', (how) => {
    inMount(
      'size=64k',
      (root) => plant(root, before),
      (root) => {
        expect(output(how, path.join(root, 'out'))).toBe(
          `2 ${root}/out: cannot write, the disk is full; free some space or name another folder`,
        );
        expect(tree(root)).toEqual(before);
        expect(fs.readdirSync(root)).toEqual(['out']);
      },
    );
  });

  test.each(['writeFiles', 'replaceFolder'])('a read-only file system is told (%s)', (how) => {
    inMount(
      'size=1m',
      (root) => {
        plant(root, before);
        spawnSync('mount', ['-o', 'remount,ro', root]);
      },
      (root) => {
        expect(output(how, path.join(root, 'out'))).toBe(
          `2 ${root}/out: cannot write to a read-only file system; name another folder`,
        );
        expect(tree(root)).toEqual(before);
      },
    );
  });

  test.each(['writeFiles', 'replaceFolder'])('a folder of somebody else is told (%s)', (how) => {
    inMount(
      'size=1m,mode=755',
      (root) => plant(root, before),
      (root) => {
        expect(output(how, path.join(root, 'out'), '65534')).toBe(
          `2 ${root}/out: cannot write there, permission denied; name a folder that you may write to`,
        );
        expect(tree(root)).toEqual(before);
      },
    );
  });
});

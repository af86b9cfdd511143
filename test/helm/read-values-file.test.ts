import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { MAX_VALUES_BYTES, readValuesFile } from '../../lib/helm/read-values-file';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from './real-helm';

function failure(file: string): { problems: readonly string[]; exitCode: number } {
  try {
    readValuesFile(file);
  } catch (error) {
    if (error instanceof InputError) return { problems: error.problems, exitCode: error.exitCode };
    throw error;
  }
  throw new Error('was read');
}

test('a missing file, a folder and a path below a file are wrong usage', () => {
  withFolder((folder) => {
    const file = path.join(folder, 'a.yaml');
    fs.writeFileSync(file, 'a: 1\n');
    expect(failure(`${folder}/none.yaml`)).toEqual({
      problems: [`${folder}/none.yaml: there is no such file; check the path after -f`],
      exitCode: 2,
    });
    expect(failure(folder)).toEqual({
      problems: [`${folder}: this is a folder; name a values file in it`],
      exitCode: 2,
    });
    expect(failure(`${file}/b`)).toEqual({
      problems: [`${file}/b: there is no such file; check the path after -f`],
      exitCode: 2,
    });
  });
});

test('a file without read permission is wrong usage', () => {
  withFolder((folder) => {
    const file = path.join(folder, 'a.yaml');
    fs.writeFileSync(file, 'a: 1\n', { mode: 0 });
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65534);
    try {
      fs.accessSync(folder);
    } catch {
      if (root) process.seteuid?.(0);
      fs.chmodSync(folder, 0o755);
      if (root) process.seteuid?.(65534);
    }
    try {
      expect(failure(file)).toEqual({
        problems: [`${file}: the file may not be read; give yourself read permission`],
        exitCode: 2,
      });
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});

test('text in another encoding than UTF-8 is a wrong file', () => {
  withFolder((folder) => {
    const file = path.join(folder, 'a.yaml');
    for (const bytes of [Buffer.from('\uFEFFa: 1\n', 'utf16le'), Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a])]) {
      fs.writeFileSync(file, bytes);
      expect(failure(file)).toEqual({
        problems: [`${file}: this is not UTF-8 text; give a YAML file, saved as UTF-8`],
        exitCode: 1,
      });
    }
  });
});

test('4 MB are read; more than 5 MiB are refused', () => {
  withFolder((folder) => {
    const file = path.join(folder, 'a.yaml');
    const entries = Array.from({ length: 4000 }, (_, index) => `k${String(index)}: "${'x'.repeat(1000)}"\n`);
    fs.writeFileSync(file, entries.join(''));
    expect(Object.keys(readValuesFile(file).values)).toHaveLength(4000);
    for (const size of [MAX_VALUES_BYTES + 1, 10_000_000]) {
      fs.writeFileSync(file, Buffer.alloc(size, 'a'));
      expect(failure(file)).toEqual({
        problems: [`${file}: more than 5 MiB; give a smaller values file`],
        exitCode: 1,
      });
    }
  });
});

test('- is standard input, also one that comes late', () => {
  const script = `const { readValuesFile } = require('./lib/helm/read-values-file'); const f = readValuesFile('-'); process.stdout.write(JSON.stringify([f.name, f.values]));`;
  const { stdout } = spawnSync(
    'sh',
    ['-c', `(sleep 0.2; printf 'a: 1\\n') | ${process.execPath} --import tsx -e "$1"`, 'sh', script],
    { encoding: 'utf8' },
  );
  expect(stdout).toBe('["standard input",{"a":1}]');
});

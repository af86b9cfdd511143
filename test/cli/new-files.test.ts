import * as fs from 'node:fs';
import * as path from 'node:path';
import { refuseExisting, writeNewFiles } from '../../lib/cli/new-files';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from '../helm/real-helm';

function refusalOf(run: () => void, folder: string): string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.problems.map((problem) => problem.replace(`${folder}/`, ''));
  }
  return [];
}

const EXISTS = 'there is a file already, and it stays as it is; move it away, or name another one';

test('new files are for their owner only, whatever they hold', () => {
  withFolder((folder) => {
    const [text, bytes] = [path.join(folder, 'text'), path.join(folder, 'bytes')];
    writeNewFiles([{ path: text, content: 'ü\n' }, { path: bytes, content: Buffer.from([0, 255]) }]); // prettier-ignore
    expect(fs.readFileSync(text, 'utf8')).toBe('ü\n');
    expect([...fs.readFileSync(bytes)]).toEqual([0, 255]);
    for (const file of [text, bytes]) expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });
});

test('a file, a folder, or a link to nowhere is never written over, and the files before it go again', () => {
  withFolder((folder) => {
    fs.writeFileSync(path.join(folder, 'file'), 'mine');
    fs.mkdirSync(path.join(folder, 'folder'));
    fs.symlinkSync('nowhere', path.join(folder, 'link'));
    for (const name of ['file', 'folder', 'link', 'new']) {
      const paths = ['new', name].map((one) => path.join(folder, one));
      const write = (): void => {
        writeNewFiles(paths.map((one) => ({ path: one, content: 'x' })));
      };
      expect(refusalOf(write, folder)).toEqual([`${name}: ${EXISTS}`]);
      expect(fs.readdirSync(folder)).toEqual(['file', 'folder', 'link']);
      const look = (): void => {
        refuseExisting(paths);
      };
      expect(refusalOf(look, folder)).toEqual([
        name === 'new' ? 'new: is named for two files; name another one' : `${name}: ${EXISTS}`,
      ]);
    }
    expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('mine');
  });
});

test('a place where nothing can be written is named', () => {
  withFolder((folder) => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    const write = (name: string) => () => {
      writeNewFiles([{ path: path.join(folder, name), content: '' }]);
    };
    const missing = 'there is no folder for it; make the folder, or name another file';
    expect(refusalOf(write('no/x'), folder)).toEqual([`no/x: ${missing}`]);
    expect(refusalOf(write('file/x'), folder)).toEqual([`file/x: ${missing}`]);
    const long = 'x'.repeat(300);
    refuseExisting([long, 'file/x', 'no/x'].map((name) => path.join(folder, name)));
    expect(refusalOf(write(long), folder)).toEqual([
      `${long}: cannot be written, the name is too long; use a shorter one`,
    ]);
  });
});

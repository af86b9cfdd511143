import { closeSync, lstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFiles, type OutputFile } from '../helm/folder';
import { InputError } from '../staged/input-error';

/** A file that is not there yet. */
export interface NewFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/**
 * Writes files that only their owner may read, all or none.
 *
 * @throws InputError with exit code 2 if one of them is there already, or cannot be written
 */
export function writeNewFiles(files: readonly NewFile[]): void {
  const made: string[] = [];
  for (const { path, content } of files) {
    try {
      const file = openSync(path, 'wx', 0o600);
      made.push(path);
      try {
        writeFileSync(file, content);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      for (const written of made) rmSync(written, { force: true });
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw new InputError([`${path}: ${ADVICE[code] ?? `cannot be written (${message}); name another file`}`], 2);
    }
  }
}

/**
 * Writes new files into a folder, which is made if it is not there, all or none.
 *
 * @param names of the files that must not be there, if they are more than those
 * @throws InputError with exit code 2 if one of them is there already, or cannot be written
 */
export function writeIntoFolder(
  folder: string,
  files: readonly OutputFile[],
  names: readonly string[] = files.map(({ name }) => name),
): void {
  refuseExisting(names.map((name) => join(folder, name)));
  writeFiles(folder, files);
}

/**
 * Looks whether the files could be new ones, before anything is written.
 *
 * @throws InputError with exit code 2 if one of them is there already, or is named twice
 */
export function refuseExisting(paths: readonly string[]): void {
  const problems = paths.flatMap((path, index) => {
    if (isThere(path)) return [`${path}: ${EXISTS}`];
    const earlier = paths.slice(0, index).map((other) => resolve(other));
    return earlier.includes(resolve(path)) ? [`${path}: is named for two files; name another one`] : [];
  });
  if (problems.length > 0) throw new InputError(problems, 2);
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // What is wrong with the path is told when it is written to.
    return false;
  }
}

const EXISTS = 'there is a file already, and it stays as it is; move it away, or name another one';

const ADVICE: Readonly<Record<string, string>> = {
  EEXIST: EXISTS,
  ENOENT: 'there is no folder for it; make the folder, or name another file',
  ENOTDIR: 'there is no folder for it; make the folder, or name another file',
  EACCES: 'cannot be written, permission denied; name a file where you may write',
  EPERM: 'cannot be written, not permitted; name a file where you may write',
  EROFS: 'cannot be written to a read-only file system; name another file',
  ENOSPC: 'cannot be written, the disk is full; free some space or name another file',
  EDQUOT: 'cannot be written, the disk quota is used up; free some space or name another file',
  ENAMETOOLONG: 'cannot be written, the name is too long; use a shorter one',
};

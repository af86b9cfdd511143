import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { InputError } from '../staged/input-error';

/** A file to be written below a folder. */
export interface OutputFile {
  /** The path below the folder, with `/`. */
  readonly name: string;
  readonly text: string;
  /** Only the owner may read it. */
  readonly secret?: boolean;
}

/**
 * Writes files into a folder, all or none: they are written to a folder of their own first and then moved in.
 * Other files of the folder stay as they are.
 *
 * @param mark the first line of every file of ours; files of an earlier run that carry it and are not among these are removed
 * @throws InputError with exit code 2 if the folder cannot be written
 */
export function writeFiles(folder: string, files: readonly OutputFile[], mark?: string): void {
  writing(folder, () => {
    const target = existing(folder) ?? resolve(folder);
    const paths = new Set(files.map(({ name }) => join(target, safeName(name))));
    const obsolete = mark === undefined ? [] : markedFiles(target, mark).filter((path) => !paths.has(path));
    inScratchFolder(existsSync(target) ? target : dirname(target), (made, moves) => {
      writeAll(made, files);
      for (const path of obsolete) moves.remove(path);
      for (const { name } of files) moves.put(join(made, safeName(name)), join(target, safeName(name)));
    });
    for (const path of obsolete) removeEmptyFolders(dirname(path), target);
  });
}

/**
 * Puts a folder with exactly these files in the place of another, in one move.
 *
 * @param isOurs whether an existing folder may be replaced; an empty one always may
 * @throws InputError with exit code 2 if it may not, or cannot be written
 */
export function replaceFolder(folder: string, files: readonly OutputFile[], isOurs: (folder: string) => boolean): void {
  writing(folder, () => {
    const target = existing(folder) ?? resolve(folder);
    const exists = existsSync(target);
    if (exists && readdirSync(target).length > 0 && !isOurs(target)) {
      throw new InputError(
        [`${folder}: the folder holds files that are not ours; name another folder, or empty this one`],
        2,
      );
    }
    inScratchFolder(dirname(target), (made, moves) => {
      writeAll(made, files);
      if (exists) moves.remove(target);
      moves.put(made, target);
    });
  });
}

/** The folder itself, if the path is a link to it. */
function existing(folder: string): string | undefined {
  return existsSync(folder) ? realpathSync(folder) : undefined;
}

/** Moves that can be taken back. */
class Moves {
  private readonly undoing: (() => void)[] = [];

  constructor(private readonly replaced: string) {}

  remove(path: string): void {
    mkdirSync(this.replaced, { recursive: true });
    const kept = join(this.replaced, String(this.undoing.length));
    this.move(path, kept);
  }

  put(from: string, to: string): void {
    const made = mkdirSync(dirname(to), { recursive: true });
    if (made !== undefined) this.undoing.push(() => rmSync(made, { recursive: true, force: true }));
    const before = lstatSync(to, { throwIfNoEntry: false });
    if (before?.isDirectory() === true) throw Object.assign(new Error(), { code: 'EISDIR', path: to });
    if (before !== undefined) this.remove(to);
    this.move(from, to);
  }

  undo(): void {
    for (const undo of this.undoing.splice(0).reverse()) undo();
  }

  private move(from: string, to: string): void {
    renameSync(from, to);
    this.undoing.push(() => renameSync(to, from));
  }
}

/** Makes a folder on the file system of the target, and removes it whatever happens; a failure takes all moves back. */
function inScratchFolder(parent: string, use: (made: string, moves: Moves) => void): void {
  const created = mkdirSync(parent, { recursive: true });
  const scratch = join(parent, `.cdk8s-vpn-${randomUUID()}`);
  const moves = new Moves(join(scratch, 'replaced'));
  try {
    mkdirSync(scratch);
    use(join(scratch, 'made'), moves);
  } catch (error) {
    moves.undo();
    throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    if (created !== undefined) removeEmptyFolders(parent, dirname(created));
  }
}

function writeAll(folder: string, files: readonly OutputFile[]): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, text, secret } of files) {
    const path = join(folder, safeName(name));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: secret === true ? 0o600 : 0o644, flag: 'wx' });
  }
}

/** Names come from the program; one that leaves the folder is a mistake in it. */
function safeName(name: string): string {
  const path = normalize(name);
  if (isAbsolute(path) || path.split(sep).some((part) => part === '..' || part === '.'))
    throw new TypeError(`not a name below a folder: ${name}`);
  return path;
}

function markedFiles(folder: string, mark: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => firstLineIs(path, mark));
}

function firstLineIs(path: string, mark: string): boolean {
  const line = Buffer.from(`${mark}\n`);
  const read = Buffer.alloc(line.length);
  const file = openSync(path, 'r');
  try {
    return readSync(file, read) === line.length && read.equals(line);
  } finally {
    closeSync(file);
  }
}

function removeEmptyFolders(from: string, until: string): void {
  for (
    let folder = from;
    folder !== until && folder.startsWith(until) && existsSync(folder);
    folder = dirname(folder)
  ) {
    if (readdirSync(folder).length > 0) return;
    rmdirSync(folder);
  }
}

const ADVICE: Record<string, string> = {
  EACCES: 'cannot write there, permission denied; name a folder that you may write to',
  EPERM: 'cannot write there, not permitted; name a folder that you may write to',
  EROFS: 'cannot write to a read-only file system; name another folder',
  ENOSPC: 'cannot write, the disk is full; free some space or name another folder',
  EDQUOT: 'cannot write, the disk quota is used up; free some space or name another folder',
  ENOTDIR: 'cannot write a folder where a file is; name another folder',
  EEXIST: 'cannot write a folder where a file is; name another folder',
  EISDIR: 'cannot write a file where a folder is; remove it or name another folder',
  ENAMETOOLONG: 'cannot write, the name is too long; use shorter names',
};

function writing(folder: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const { code, message, path } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof InputError) throw error;
    const shown = code === 'EISDIR' && path !== undefined ? path : folder;
    throw new InputError([`${shown}: ${ADVICE[code] ?? `cannot write (${message}); name another folder`}`], 2);
  }
}

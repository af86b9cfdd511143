import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../staged/input-error';
import { parseValuesFile } from './parse-values-file';
import type { ValuesFile } from './values-file';

/** The largest values file that is read: Helm's own limit for a file of a chart. A release must fit into 1 MiB. */
export const MAX_VALUES_BYTES = 5 * 1024 * 1024;

const STANDARD_INPUT = 'standard input';

/** The text of a file, and its name in messages. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads a values file as Helm's `-f` does; `-` is standard input.
 *
 * @param after what stands before the path on the command line
 * @throws InputError with every problem of the file; exit code 2 if the file cannot be read at all
 */
export function readValuesFile(path: string, after?: string): ValuesFile {
  const { name, text } = readTextFile(path, after);
  return parseValuesFile(text, name);
}

/**
 * Reads a file of text as long as a values file may be; `-` is standard input.
 *
 * @param after what stands before the path on the command line
 * @throws InputError if it is no text; exit code 2 if it cannot be read at all
 */
export function readTextFile(path: string, after = '-f'): TextFile {
  const name = path.trim() === '-' ? STANDARD_INPUT : path === '' ? '""' : path;
  if (/^[a-z]+:\/\//i.test(path)) throw new InputError([`${name}: a web address is not read; download the file`], 2);
  return { name, text: decode(readBytes(path, name, after), name) };
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError([`${name}: this is not UTF-8 text; give a YAML file, saved as UTF-8`]);
  }
}

function readBytes(path: string, name: string, after: string): Uint8Array {
  let file: number | undefined;
  try {
    file = name === STANDARD_INPUT ? 0 : openSync(path, 'r');
    if (fstatSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    return readAll(file, name);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const [what, advice] = unreadable(after)[(error as NodeJS.ErrnoException).code ?? ''] ?? [
      'cannot be read',
      `check it (${(error as Error).message})`,
    ];
    throw new InputError([`${name}: ${what}; ${advice}`], 2);
  } finally {
    if (file !== undefined && file !== 0) closeSync(file);
  }
}

function readAll(file: number, name: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= MAX_VALUES_BYTES;) {
    const chunk = Buffer.allocUnsafe(1 << 18);
    const count = readSome(file, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    size += count;
  }
  throw new InputError([`${name}: more than ${MAX_VALUES_BYTES / 1024 / 1024} MiB; give a smaller values file`]);
}

/** Reads what there is; a terminal or pipe that has nothing yet is asked again. */
function readSome(file: number, chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(file, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function unreadable(after: string): Record<string, readonly [what: string, advice: string]> {
  const none = ['there is no such file', `check the path after ${after}`] as const;
  const forbidden = ['the file may not be read', 'give yourself read permission'] as const;
  return {
    ENOENT: none,
    ENOTDIR: none,
    EISDIR: ['this is a folder', 'name a values file in it'],
    EACCES: forbidden,
    EPERM: forbidden,
  };
}

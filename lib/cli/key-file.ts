import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { WIREGUARD_KEY_PATTERN } from '../net/wireguard-key';
import { InputError } from '../staged/input-error';

/** More than any key; what is longer is not read to its end. */
const MAX_BYTES = 300;

/**
 * Reads a file that holds one WireGuard key in one line; `-` is standard input. No message shows what is in it.
 *
 * @param flag the flag that names the file
 * @throws InputError with exit code 2 if there is no such key
 */
export function readKeyFile(path: string, flag: string): string {
  return readSecretFile(path, flag, (text) =>
    WIREGUARD_KEY_PATTERN.test(text) ? undefined : 'is not a WireGuard key: 32 bytes in base64, 44 characters',
  );
}

/**
 * Reads a file that holds one secret in one line; `-` is standard input. No message shows what is in it.
 *
 * @param flag the flag that names the file
 * @param problemOf what is wrong with the secret, if anything
 * @throws InputError with exit code 2 if there is no good one
 */
export function readSecretFile(path: string, flag: string, problemOf: (text: string) => string | undefined): string {
  const name = path === '-' ? 'standard input' : path;
  const text = readBytes(path, name, flag)
    .toString('latin1')
    .replace(/\r?\n$/, '');
  const problem = text === '' ? 'is empty' : /[\r\n]/.test(text) ? 'has more than one line' : problemOf(text);
  if (problem === undefined) return text;
  throw new InputError([`${name}: ${problem}; ${flag} takes a file with one key in one line`], 2);
}

function readBytes(path: string, name: string, flag: string): Buffer {
  let file: number | undefined;
  try {
    file = path === '-' ? 0 : openSync(path, 'r');
    if (fstatSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    const bytes = Buffer.alloc(MAX_BYTES);
    let size = 0;
    for (let count = -1; count !== 0 && size < MAX_BYTES; size += count) count = readSome(file, bytes.subarray(size));
    return bytes.subarray(0, size);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const sentence = UNREADABLE[code] ?? `cannot be read (${message}); check the path`;
    throw new InputError([`${name}: ${sentence} after ${flag}`], 2);
  } finally {
    if (file !== undefined && file !== 0) closeSync(file);
  }
}

/** Reads what there is; a terminal or pipe that has nothing yet is asked again. */
function readSome(file: number, bytes: Uint8Array): number {
  for (;;) {
    try {
      return readSync(file, bytes);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  ENOTDIR: 'there is no such file; check the path',
  EISDIR: 'this is a folder; name the file',
  EACCES: 'the file may not be read; give yourself read permission for what stands',
  EPERM: 'the file may not be read; give yourself read permission for what stands',
};

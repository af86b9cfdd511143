import * as fs from 'node:fs';
import * as path from 'node:path';
import { readKeyFile } from '../../lib/cli/key-file';
import { newWireguardPrivateKey } from '../../lib/net/wireguard-key';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from '../helm/real-helm';

const KEY = newWireguardPrivateKey();

/** What is said of a file with this content; its path is shown as `key`. */
function sentenceOf(content: string | Buffer): string {
  return withFolder((folder) => {
    const file = path.join(folder, 'key');
    fs.writeFileSync(file, content);
    return refusalOf(file).replace(file, 'key');
  });
}

function refusalOf(file: string): string {
  try {
    readKeyFile(file, '--private-key-file');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.problems.join('\n');
  }
  return 'is taken';
}

test.each([['\n'], ['\r\n'], ['']])('a key that ends with %j is read', (end) => {
  withFolder((folder) => {
    fs.writeFileSync(path.join(folder, 'key'), KEY + end);
    expect(readKeyFile(path.join(folder, 'key'), '--private-key-file')).toBe(KEY);
  });
});

const TAKES = '--private-key-file takes a file with one key in one line';
const NO_KEY = `key: is not a WireGuard key: 32 bytes in base64, 44 characters; ${TAKES}`;
const TWO_LINES = `key: has more than one line; ${TAKES}`;

test.each<[what: string, content: string | Buffer, sentence: string]>([
  ['an empty file', '', `key: is empty; ${TAKES}`],
  ['an empty line', '\n', `key: is empty; ${TAKES}`],
  ['two keys', `${KEY}\n${KEY}\n`, TWO_LINES],
  ['an empty line after the key', `${KEY}\n\n`, TWO_LINES],
  ['an empty line before the key', `\n${KEY}`, TWO_LINES],
  ['a lone carriage return', `${KEY}\r`, TWO_LINES],
  ['a second line that would be one of the file', `${KEY}\nPostUp = reboot\n`, TWO_LINES],
  ['blanks around', ` ${KEY} \n`, NO_KEY],
  ['other text', 's3cret\n', NO_KEY],
  ['a key in hexadecimal', `${Buffer.from(KEY, 'base64').toString('hex')}\n`, NO_KEY],
  ['a key that is not canonical', `${KEY.slice(0, -2)}B=`, NO_KEY],
  ['what PowerShell writes', Buffer.from(`\uFEFF${KEY}`, 'utf16le'), NO_KEY],
  ['a byte order mark', `\uFEFF${KEY}`, NO_KEY],
  ['binary data', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 0xff]), NO_KEY],
  ['a key and more than is read', `${KEY}${' '.repeat(10_000)}`, NO_KEY],
])('%s is refused, and not shown', (_, content, sentence) => {
  expect(sentenceOf(content)).toBe(sentence);
});

test('a missing file and a folder are named with their flag', () => {
  withFolder((folder) => {
    const none = path.join(folder, 'none');
    expect(refusalOf(none)).toBe(`${none}: there is no such file; check the path after --private-key-file`);
    expect(refusalOf(folder)).toBe(`${folder}: this is a folder; name the file after --private-key-file`);
  });
});

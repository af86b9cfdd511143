/** What a reader of QR codes finds, by `zbarimg`. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { withFolder } from '../helm/real-helm';
import { tools } from '../tools';

/** The text of a QR code in a picture, PNG or PGM; undefined if there is none. */
export function decodeQrPicture(picture: Uint8Array): string | undefined {
  return withFolder((folder) => {
    const file = path.join(folder, 'code');
    fs.writeFileSync(file, picture);
    const args = ['--raw', '--quiet', '--set', 'test-inverted=0', file];
    const { status, stdout, stderr } = spawnSync(tools.command('zbarimg'), args, { encoding: 'utf8' });
    // 4: nothing found.
    if (status !== 0 && status !== 4) throw new Error(stderr);
    return status === 0 ? stdout.replace(/\n$/, '') : undefined;
  });
}

/** What of a character is light. */
const HALVES = [
  { light: '▀█', dark: ' ▄' },
  { light: '▄█', dark: ' ▀' },
];
const PIXELS = 4;

/** The text of a QR code on a terminal that shows light characters on a dark ground. */
export function decodeQrText(text: string): string | undefined {
  const lines = text.trimEnd().split('\n');
  const rows = lines.flatMap((line) =>
    HALVES.map(({ light, dark }) =>
      [...line].flatMap((character) => {
        if (!light.includes(character) && !dark.includes(character)) throw new Error(`no module: ${character}`);
        return Array<number>(PIXELS).fill(light.includes(character) ? 255 : 0);
      }),
    ),
  );
  const header = `P5 ${rows[0]?.length ?? 0} ${rows.length * PIXELS} 255\n`;
  const pixels = rows.flatMap((row) => Array<Buffer>(PIXELS).fill(Buffer.from(row)));
  return decodeQrPicture(Buffer.concat([Buffer.from(header), ...pixels]));
}

import { deflateSync } from 'node:zlib';

/** How many pixels a dot is wide and high: as many as a byte holds. */
const SCALE = 8;

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1A\n', 'latin1');

/** A picture in the format PNG (RFC 2083) of rows of dots, true for black, one bit a pixel. */
export function png(rows: readonly (readonly boolean[])[]): Uint8Array {
  // Each line begins with its filter, here none.
  const lines = rows.flatMap((row) => {
    const line = Buffer.from([0, ...row.map((black) => (black ? 0x00 : 0xff))]);
    return Array<Buffer>(SCALE).fill(line);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE((rows[0]?.length ?? 0) * SCALE, 0);
  header.writeUInt32BE(lines.length, 4);
  // The depth in bits; the colours are grey, and the rest has one meaning only.
  header[8] = 1;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(lines))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const checked = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(checked));
  return Buffer.concat([length, checked, check]);
}

/** The check sum of RFC 2083, 15; node has it from 22.2 on. */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) === 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

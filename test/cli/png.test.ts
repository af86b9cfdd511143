import { inflateSync } from 'node:zlib';
import { png } from '../../lib/cli/png';

test('a picture of two dots, byte by byte', () => {
  const picture = Buffer.from(png([[true, false]]));
  const line = '0000ff';
  expect(picture.subarray(0, 33).toString('hex')).toBe(
    // The check sum is that of Python's zlib.crc32.
    '89504e470d0a1a0a' + '0000000d' + '49484452' + '00000010' + '00000008' + '0100000000' + 'd80d423a',
  );
  const length = picture.readUInt32BE(33);
  expect(picture.subarray(37, 41).toString()).toBe('IDAT');
  expect(inflateSync(picture.subarray(41, 41 + length)).toString('hex')).toBe(line.repeat(8));
  expect(picture.subarray(45 + length).toString('hex')).toBe('00000000' + '49454e44' + 'ae426082');
});

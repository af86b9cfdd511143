import { png } from '../../lib/cli/png';
import { QR_MAX_BYTES, qrCode, qrText } from '../../lib/cli/qr-code';
import { describeWith } from '../left-out';
import { decodeQrPicture, decodeQrText } from './decode-qr';

describeWith(['zbarimg'], 'a reader', () => {
  test.each([
    'x',
    '[Interface]\nPrivateKey = eGEBAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHV8=\n',
    `${'AllowedIPs = 10.0.0.0/8, '.repeat(40)}\n`,
    'l'.repeat(QR_MAX_BYTES),
  ])('finds the same text on the terminal and in the picture (%#)', (text) => {
    const code = qrCode(text);
    expect(decodeQrText(qrText(code, false))).toBe(text);
    expect(decodeQrPicture(png(code))).toBe(text);
  });

  test('finds nothing in a code of which half is missing', () => {
    const code = qrCode('x').map((row) => row.map((dark, column) => dark && column < 14));
    expect(decodeQrText(qrText(code, false))).toBeUndefined();
    expect(decodeQrPicture(png(code))).toBeUndefined();
  });
});

test('the largest is of version 40, and one byte more does not fit', () => {
  expect(qrCode('l'.repeat(QR_MAX_BYTES))).toHaveLength(177 + 2 * 4);
  expect(() => qrCode('l'.repeat(QR_MAX_BYTES + 1))).toThrow();
});

test('on the terminal it is as wide as the code has modules, half as high, and light around', () => {
  const code = qrCode('x');
  const lines = qrText(code, false).trimEnd().split('\n');
  expect([code.length, lines.length]).toEqual([29, 15]);
  for (const line of lines) expect(line).toMatch(/^[▀█]{4}[ ▀▄█]{21}[▀█]{4}$/);
  for (const line of lines.slice(0, 2)) expect(line).toBe('█'.repeat(29));
});

test('colours stand around every line, and change nothing else', () => {
  const code = qrCode('x');
  const coloured = qrText(code, true);
  const lines = coloured.split('\u001B[0m\n');
  expect(lines.pop()).toBe('');
  for (const line of lines) expect(line.startsWith('\u001B[40;97m')).toBe(true);
  expect(lines.map((line) => `${line.slice(8)}\n`).join('')).toBe(qrText(code, false));
});

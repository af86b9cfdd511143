import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { newWireguardPrivateKey, WIREGUARD_KEY_PATTERN, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { describeWith } from '../left-out';
import { tools } from '../tools';

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

// RFC 7748, 6.1.
test.each([
  [
    'Alice',
    '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  ],
  [
    'Bob',
    '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  ],
])('the public key of %s is that of the RFC', (_, privateKey, publicKey) => {
  expect(wireguardPublicKey(base64(privateKey))).toBe(base64(publicKey));
});

test('a key is 32 bytes in canonical base64', () => {
  for (let last = 0; last < 256; last++) {
    const bytes = randomBytes(32);
    bytes[31] = last;
    expect(bytes.toString('base64')).toMatch(WIREGUARD_KEY_PATTERN);
  }
  for (const length of [0, 1, 31, 33, 34, 64])
    expect(randomBytes(length).toString('base64')).not.toMatch(WIREGUARD_KEY_PATTERN);
});

test('a key whose unused bits are set, or that is written otherwise, is refused', () => {
  const key = base64('00'.repeat(32));
  for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
    const text = `${key.slice(0, 42)}${last}=`;
    const canonical = Buffer.from(text, 'base64').toString('base64') === text;
    expect({ text, accepted: WIREGUARD_KEY_PATTERN.test(text) }).toEqual({ text, accepted: canonical });
  }
  for (const text of [
    key.slice(0, -1),
    `${key}=`,
    ` ${key}`,
    `${key}\n`,
    key.replace('AAA', 'A_A'),
    key.replace('AAA', 'A-A'),
  ]) {
    expect(text).not.toMatch(WIREGUARD_KEY_PATTERN);
  }
});

test('a wrong private key is refused without being shown', () => {
  const wrong = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
  expect(() => wireguardPublicKey(wrong)).toThrow(
    new TypeError('a WireGuard private key is 32 bytes in base64 (43 characters and "="), got 28 characters'),
  );
});

test('a new private key is a clamped one, and another one every time', () => {
  const keys = Array.from({ length: 200 }, newWireguardPrivateKey);
  for (const key of keys) {
    expect(key).toMatch(WIREGUARD_KEY_PATTERN);
    const bytes = Buffer.from(key, 'base64');
    expect([bytes[0]! & 0x07, bytes[31]! & 0xc0]).toEqual([0, 0x40]);
  }
  expect(new Set(keys).size).toBe(keys.length);
});

describeWith(['wg'], 'wg pubkey', () => {
  test('gives the same public keys', () => {
    const keys = [
      base64('00'.repeat(32)),
      base64('ff'.repeat(32)),
      ...Array.from({ length: 20 }, () => randomBytes(32).toString('base64')),
      ...Array.from({ length: 20 }, newWireguardPrivateKey),
    ];
    for (const key of keys) {
      const publicKey = execFileSync(tools.command('wg'), ['pubkey'], { input: key, encoding: 'utf8' }).trim();
      expect(wireguardPublicKey(key)).toBe(publicKey);
      expect(publicKey).toMatch(WIREGUARD_KEY_PATTERN);
    }
  });
});

/** WireGuard keys: 32 bytes in base64, private, public and pre-shared alike. */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';

/**
 * A key in canonical base64: 43 characters and `=`.
 *
 * 256 bits leave two of the last character's six unused; wg(8) refuses a key in which they are not zero.
 */
export const WIREGUARD_KEY_PATTERN = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** What stands before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410, 7). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * The public key that belongs to a private key: X25519 of the key and the base point 9, as RFC 7748, 6.1 has it and
 * as `wg pubkey` prints it, see wg(8). Bits that X25519 fixes are fixed here too, so an unclamped key is fine.
 *
 * @throws TypeError if the text is not a WireGuard key. The message does not carry the key.
 */
export function wireguardPublicKey(privateKey: string): string {
  if (!WIREGUARD_KEY_PATTERN.test(privateKey)) {
    throw new TypeError(
      `a WireGuard private key is 32 bytes in base64 (43 characters and "="), got ${String(privateKey.length)} characters`,
    );
  }
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519, Buffer.from(privateKey, 'base64')]),
    format: 'der',
    type: 'pkcs8',
  });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}

/** A new private key, with the bits that X25519 fixes already fixed: what `wg genkey` prints, see wg(8). */
export function newWireguardPrivateKey(): string {
  const key = randomBytes(32);
  key[0] = key[0]! & 0xf8;
  key[31] = (key[31]! & 0x7f) | 0x40;
  return key.toString('base64');
}

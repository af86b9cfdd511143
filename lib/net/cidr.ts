/**
 * Networks in CIDR form, and the few questions that a chart asks about them.
 *
 * The functions expect text that matches the patterns here and do not look again. Each follows a rule that a Helm
 * template can follow too: the printed chart answers the same questions in sprig.
 */
import { IPV4_SOURCE, IPV6_SOURCE, ipv6Groups, isIpv6 } from './address';

const IPV4_LENGTH = '(?:3[0-2]|[12]?[0-9])';
const IPV6_LENGTH = '(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])';
const IPV4_CIDR_SOURCE = `${IPV4_SOURCE}/${IPV4_LENGTH}`;
const IPV6_CIDR_SOURCE = `${IPV6_SOURCE}/${IPV6_LENGTH}`;

/** An IPv4 address and a prefix length, such as `10.0.0.0/8`. Host bits may be set. */
export const IPV4_CIDR_PATTERN = new RegExp(`^${IPV4_CIDR_SOURCE}$`);

/** An IPv4 network with the prefix length 16 and no host bits, such as `198.18.0.0/16`. */
export const IPV4_SLASH_16_PATTERN = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){2}0\.0\/16$/;

/** An IPv6 address and a prefix length, such as `2001:db8::/32`. Host bits may be set. */
export const IPV6_CIDR_PATTERN = new RegExp(`^${IPV6_CIDR_SOURCE}$`);

/** An address of either family and a prefix length, which is mandatory. */
export const CIDR_PATTERN = new RegExp(`^(?:${IPV4_CIDR_SOURCE}|${IPV6_CIDR_SOURCE})$`);

/** An address, or an address and a prefix length. */
export const ADDRESS_OR_CIDR_PATTERN = new RegExp(
  `^(?:${IPV4_SOURCE}(?:/${IPV4_LENGTH})?|${IPV6_SOURCE}(?:/${IPV6_LENGTH})?)$`,
);

/** The text before the slash. */
export function addressOf(cidr: string): string {
  const slash = cidr.indexOf('/');
  return slash === -1 ? cidr : cidr.slice(0, slash);
}

/** The number after the slash; of a bare address the full length, 32 or 128. */
export function prefixLength(text: string): number {
  const slash = text.indexOf('/');
  if (slash === -1) return isIpv6(text) ? 128 : 32;
  return Number(text.slice(slash + 1));
}

/**
 * The network as text of its prefix bits, its family in front. Host bits play no part.
 *
 * One network contains another exactly if its text is a prefix of the other's, and two overlap if one contains the
 * other: `10.0.0.0/8` is `4.00001010`, and `10.1.0.0/16` is `4.0000101000000001`.
 */
export function networkBits(text: string): string {
  const address = addressOf(text);
  const [family, bits] = isIpv6(text)
    ? ['6.', ipv6Groups(address).map((group) => binary(group, 16))]
    : ['4.', address.split('.').map((octet) => binary(Number(octet), 8))];
  return family + bits.join('').slice(0, prefixLength(text));
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}

/**
 * The address after the network's own, without its prefix length: `10.0.0.1` of `10.0.0.0/24`, `fd00::1` of
 * `fd00::/64`.
 *
 * A rule on the text, since a template has no arithmetic on addresses. It expects host bits that are zero. It looks
 * at the last octet or group only, so of a network of one address (/32, /128) the result is outside of it and may be
 * no address at all (`10.0.0.256`): the caller refuses these first.
 */
export function firstHost(network: string): string {
  const address = addressOf(network);
  if (!isIpv6(address)) {
    const dot = address.lastIndexOf('.') + 1;
    return address.slice(0, dot) + String(Number(address.slice(dot)) + 1);
  }
  if (address.endsWith('::')) {
    // After seven groups `::` is the one group left, and `1:2:3:4:5:6:7::1` would be one too many.
    const sevenGroups = address.split(':').length === 9;
    return sevenGroups ? `${address.slice(0, -1)}1` : `${address}1`;
  }
  const colon = address.lastIndexOf(':') + 1;
  return address.slice(0, colon) + (Number.parseInt(address.slice(colon), 16) + 1).toString(16);
}

import { ipv6Groups, isIpv6 } from './address';
import { addressOf, prefixLength } from './cidr';

/** An address as a number: that of all of its bits. */
export function numberOf(address: string): bigint {
  const [parts, bits] = isIpv6(address) ? [ipv6Groups(address), 16n] : [address.split('.').map(Number), 8n];
  return parts.reduce((number, part) => (number << bits) | BigInt(part), 0n);
}

/** The IPv4 address of a number. */
export function ipv4Text(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 0xffn).join('.');
}

/** The IPv6 address of a number, in the form of RFC 5952: the longest run of two or more zero groups is `::`, the first of several. */
export function ipv6Text(number: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => (number >> BigInt(16 * (7 - index))) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(':');
  const [longest] = [...text.matchAll(/\b0(?::0)+\b/g)].sort(([a], [b]) => b.length - a.length);
  if (longest === undefined) return text;
  const after = longest.index + longest[0].length;
  return `${text.slice(0, longest.index).replace(/:$/, '')}::${text.slice(after).replace(/^:/, '')}`;
}

/** An address or a network as the kernel prints it, always with its prefix length. */
export function canonical(text: string): string {
  const address = addressOf(text);
  const printed = isIpv6(text) ? ipv6Text(numberOf(address)) : address;
  return `${printed}/${String(prefixLength(text))}`;
}

/** A network whose host bits are zero: `10.2.0.0/24` of `10.2.0.7/24`. */
export function withoutHostBits(network: string): string {
  const host = BigInt((isIpv6(network) ? 128 : 32) - prefixLength(network));
  const number = (numberOf(addressOf(network)) >> host) << host;
  return `${isIpv6(network) ? ipv6Text(number) : ipv4Text(number)}/${String(prefixLength(network))}`;
}

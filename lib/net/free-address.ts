import { ipv6Groups, isIpv6 } from './address';
import { addressOf, prefixLength } from './cidr';

/**
 * The lowest address of a network that is free for a host: not its first two, which are the network's own and the
 * server's, not the broadcast address, and not taken.
 *
 * @param network a network whose host bits are zero
 * @param taken addresses of either family
 * @returns undefined if there is none
 */
export function freeAddress(network: string, taken: readonly string[]): string | undefined {
  const ipv6 = isIpv6(network);
  const first = numberOf(addressOf(network));
  const size = 1n << BigInt((ipv6 ? 128 : 32) - prefixLength(network));
  // IPv6 has no broadcast address.
  const end = first + size - (ipv6 ? 0n : 1n);
  const numbers = new Set(taken.filter((address) => isIpv6(address) === ipv6).map(numberOf));
  for (let number = first + 2n; number < end; number++) {
    if (!numbers.has(number)) return ipv6 ? ipv6Text(number) : ipv4Text(number);
  }
  return undefined;
}

function numberOf(address: string): bigint {
  const [parts, bits] = isIpv6(address) ? [ipv6Groups(address), 16n] : [address.split('.').map(Number), 8n];
  return parts.reduce((number, part) => (number << bits) | BigInt(part), 0n);
}

function ipv4Text(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 0xffn).join('.');
}

/** In the form of RFC 5952: the longest run of two or more zero groups is `::`, the first of several. */
function ipv6Text(number: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => (number >> BigInt(16 * (7 - index))) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(':');
  const [longest] = [...text.matchAll(/\b0(?::0)+\b/g)].sort(([a], [b]) => b.length - a.length);
  if (longest === undefined) return text;
  const after = longest.index + longest[0].length;
  return `${text.slice(0, longest.index).replace(/:$/, '')}::${text.slice(after).replace(/^:/, '')}`;
}

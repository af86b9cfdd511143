import { isIpv6 } from './address';
import { ipv4Text, ipv6Text, numberOf } from './address-number';
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

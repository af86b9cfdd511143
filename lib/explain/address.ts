import { isIpv6 } from '../net/address';
import { networkBits } from '../net/cidr';

/** An address of a packet, or a network of which the packet may have any. */
export interface Address {
  /** `10.244.1.7`, `10.244.1.0/24`, or words for an address that only the cluster knows. */
  readonly text: string;
  readonly version: Version;
  /** What `networkBits` gives of it; absent: only the cluster knows it, and it lies in no network that is asked for. */
  readonly bits?: string;
}

export type Version = 4 | 6;

/** How much of an address lies in a network: of a network it may be a part. */
export type Cover = 'all' | 'part' | 'none';

export const versionOf = (network: string): Version => (isIpv6(network) ? 6 : 4);

/** An address or a network, as text. */
export const addressOf = (text: string): Address => ({ text, version: versionOf(text), bits: networkBits(text) });

/** An address that only the cluster knows. */
export const unknownAddress = (text: string, version: Version): Address => ({ text, version });

/** How much of it lies in a network. */
export function coverOf(network: string, { bits }: Address): Cover {
  if (bits === undefined) return 'none';
  const other = networkBits(network);
  return bits.startsWith(other) ? 'all' : other.startsWith(bits) ? 'part' : 'none';
}

/** The first of some entries whose network has all of it, or else a part of it. */
export function entryWith<T>(
  entries: readonly T[],
  networkIn: (entry: T) => string,
  address: Address,
): { readonly entry: T; readonly cover: Exclude<Cover, 'none'> } | undefined {
  let part: { entry: T; cover: 'part' } | undefined;
  for (const entry of entries) {
    const cover = coverOf(networkIn(entry), address);
    if (cover === 'all') return { entry, cover };
    if (cover === 'part') part ??= { entry, cover };
  }
  return part;
}

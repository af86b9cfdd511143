import { networkBits } from '../net/cidr';
import type { Address } from './address';

/** What stands before the bits of a network: its family. */
const FAMILY_LENGTH = '4.'.length;

/** Entries by their networks, found in a time that does not depend on how many there are. */
export class Prefixes<T> {
  readonly #byBits = new Map<string, T[]>();
  #sorted: readonly string[] | undefined;

  add(network: string, entry: T): void {
    const bits = networkBits(network);
    this.#byBits.set(bits, [...(this.#byBits.get(bits) ?? []), entry]);
    this.#sorted = undefined;
  }

  /** The entries whose networks have all of an address, the smallest network first. */
  around({ bits = '' }: Address): T[] {
    const found: T[] = [];
    for (let length = bits.length; length >= FAMILY_LENGTH; length--)
      found.push(...(this.#byBits.get(bits.slice(0, length)) ?? []));
    return found;
  }

  /** The entries whose networks are parts of an address, in their order. */
  inside({ bits }: Address): T[] {
    if (bits === undefined) return [];
    const sorted = (this.#sorted ??= [...this.#byBits.keys()].sort());
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? '') <= bits) low = middle + 1;
      else high = middle;
    }
    const found: T[] = [];
    for (let index = low; sorted[index]?.startsWith(bits) === true; index++)
      found.push(...(this.#byBits.get(sorted[index] ?? '') ?? []));
    return found;
  }
}

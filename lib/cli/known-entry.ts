import { InputError } from '../staged/input-error';
import { nearest } from '../staged/nearest';

/**
 * What a map of the values has under a name that the call gives, such as a peer.
 *
 * @param noun what it is; the map has its plural
 * @param elsewhere what is said of where else one could be
 * @throws InputError with exit code 2 if there is none
 */
export function knownEntry<T>(noun: string, name: string, entries: Readonly<Record<string, T>>, elsewhere = ''): T {
  const all = new Map(Object.entries(entries));
  const entry = all.get(name);
  if (entry !== undefined) return entry;
  const guess = nearest(name, [...all.keys()]);
  const advice = guess === undefined ? `name a key of ${noun}s` : `did you mean ${guess}?`;
  throw new InputError([`${noun}: there is no such ${noun}${elsewhere}, got ${JSON.stringify(name)}; ${advice}`], 2);
}

import type { Explanation } from './explanation';
import type { Place } from './cluster';
import type { Branch, Hop } from './walk';

/** An explanation as data. */
export function explanationData({ from, to, there, back }: Explanation): unknown {
  return { from: placeData(from), to: placeData(to), there: there.map(hopData), back: back.map(hopData) };
}

const placeData = ({ name, address, about, from }: Place): unknown => ({ name, address: address.text, about, from });

const hopData = ({ host, steps, branches }: Hop): unknown => ({
  host: host.title,
  steps,
  branches: branches.map(branchData),
});

const branchData = ({ steps, mtuBytes, isPart, outcome, next, packet }: Branch): unknown => ({
  steps,
  mtuBytes,
  inPart: isPart,
  source: packet.source.text,
  destination: packet.destination.text,
  ...(outcome === undefined ? { next: next === undefined ? undefined : hopData(next) } : { outcome }),
});

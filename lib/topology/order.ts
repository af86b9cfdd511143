import type { Link, Place, PlaceKind, Topology } from './topology';

/** How far from the inside of the cluster a place is. */
const DEPTHS: Readonly<Record<PlaceKind, number>> = {
  pods: 0,
  nodes: 0,
  services: 0,
  reached: 0,
  served: 1,
  agents: 2,
  overlay: 3,
  gateway: 4,
  rules: 4,
  tunnel: 5,
  remote: 6,
  peer: 6,
  network: 7,
};

export const depthOf = ({ kind }: Place): number => DEPTHS[kind];

/** Whether something of the cluster opens connections: then a picture begins there, and else outside. */
export function beginsInside({ places, reaches }: Topology): boolean {
  const inside = new Set(places.flatMap((place) => (depthOf(place) === 0 ? [place.id] : [])));
  return reaches.some(({ from }) => inside.has(from));
}

/** The ends of links, the inner one first. */
export function endsOf({ places }: Topology): (link: Link) => readonly [inner: string, outer: string] {
  const depths = new Map(places.map((place) => [place.id, depthOf(place)]));
  return ({ from, to }) => ((depths.get(from) ?? 0) <= (depths.get(to) ?? 0) ? [from, to] : [to, from]);
}

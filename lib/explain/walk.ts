import type { Address } from './address';
import type { Decision } from './routing';

/*
 * The way of a packet from host to host: each says what the packet meets there and to whom it goes on.
 */

export interface Packet {
  readonly source: Address;
  readonly destination: Address;
  /** What hosts on its way have put in the place of its addresses, and remember for the answer. */
  readonly translations: readonly Translation[];
  /** Whether it answers another one, so that filters with states let it pass. */
  readonly isAnswer: boolean;
}

export interface Translation {
  /** The host that remembers it. */
  readonly host: Host;
  readonly before: Address;
  readonly after: Address;
}

/** What a packet meets. */
export interface Step {
  readonly kind:
    'in' | 'rule' | 'route' | 'else' | 'part' | 'filter' | 'nat' | 'policy' | 'sa' | 'mss' | 'link' | 'outer' | 'note';
  readonly text: string;
  /** The value that it follows from, by its path. */
  readonly from?: string;
}

/** How the way of a packet ends. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly text: string;
  readonly from?: string;
}

/**
 * `arrives`; `refused`: the sender is told so; `dropped`: nobody is; `in clear`: it leaves as without the VPN, through no tunnel; `lost`: nobody
 * leads it to its destination.
 */
export type Verdict = 'arrives' | 'refused' | 'dropped' | 'in clear' | 'lost';

/** One of the ways on which a packet may go on from a host. */
export interface Exit {
  readonly steps: readonly Step[];
  /** The largest packet that goes on whole, in bytes. */
  readonly mtuBytes?: number;
  /** It holds for a part of the source or of the destination. */
  readonly isPart?: boolean;
  readonly onwards: Outcome | { readonly host: Host; readonly by: string | undefined; readonly packet: Packet };
}

/** What a host does with a packet. */
export interface Handling {
  /** By which route it leads it, where it does. */
  readonly decision?: Decision;
  readonly steps: readonly Step[];
  /** Ways that it takes by chance, or by what only the host knows. */
  readonly exits: readonly Exit[];
}

export interface Host {
  readonly title: string;
  /** @param by the interface by which it comes in; undefined: it is of the host itself */
  handle(packet: Packet, by: string | undefined): Handling;
}

/** A host on the way of a packet. */
export interface Hop {
  readonly host: Host;
  /** The interface by which the packet comes in; absent: it is of the host itself. */
  readonly by?: string;
  readonly decision?: Decision;
  readonly steps: readonly Step[];
  readonly branches: readonly Branch[];
}

export interface Branch {
  readonly steps: readonly Step[];
  readonly mtuBytes?: number;
  readonly isPart: boolean;
  readonly outcome?: Outcome;
  readonly next?: Hop;
  /** The packet as it goes on, or as it was when its way ended. */
  readonly packet: Packet;
}

/** More hosts than any way has: a packet that is still under way goes in circles. */
const MOST_HOPS = 32;

/** The way of a packet, with all branches, from a host on which it comes in by an interface, or whose own it is. */
export function walk(host: Host, packet: Packet, by?: string, before = 0): Hop {
  const { steps, exits, decision } = host.handle(packet, by);
  const branches = exits.map(({ steps: more, mtuBytes, isPart = false, onwards }): Branch => {
    const branch = { steps: more, isPart, ...(mtuBytes !== undefined && { mtuBytes }) };
    if (!('host' in onwards)) return { ...branch, packet, outcome: onwards };
    if (before === MOST_HOPS)
      return { ...branch, packet, outcome: { verdict: 'lost', text: 'it goes in circles until its TTL is used up' } };
    return { ...branch, packet: onwards.packet, next: walk(onwards.host, onwards.packet, onwards.by, before + 1) };
  });
  return { host, steps, branches, ...(by !== undefined && { by }), ...(decision !== undefined && { decision }) };
}

/** A way through all of a tree: the hosts in their order, and how it ends. */
export interface Way {
  readonly hosts: readonly Host[];
  readonly outcome: Outcome;
  /** The packet as it was at the end. */
  readonly packet: Packet;
  /** The smallest MTU on the way, in bytes, as far as it is known. */
  readonly mtuBytes?: number;
  readonly isPart: boolean;
}

/** Every way of a tree. */
export function waysOf(hop: Hop): Way[] {
  return hop.branches.flatMap(({ outcome, next, packet, mtuBytes, isPart }): Way[] => {
    if (outcome !== undefined)
      return [{ hosts: [hop.host], outcome, packet, isPart, ...(mtuBytes !== undefined && { mtuBytes }) }];
    return (next === undefined ? [] : waysOf(next)).map((way) => ({
      ...way,
      hosts: [hop.host, ...way.hosts],
      isPart: isPart || way.isPart,
      ...(mtuBytes !== undefined && { mtuBytes: Math.min(mtuBytes, way.mtuBytes ?? mtuBytes) }),
    }));
  });
}

/** The answer to a packet as it arrived. */
export const answerTo = ({ source, destination, translations }: Packet): Packet => ({
  source: destination,
  destination: source,
  translations,
  isAnswer: true,
});

/** What a host remembers of the packet that this one answers. */
export const remembered = (host: Host, { destination, translations }: Packet): Translation | undefined =>
  translations.find(({ host: other, after }) => other === host && after.text === destination.text);

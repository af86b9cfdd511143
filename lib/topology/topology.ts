/*
 * Who reaches whom through what: what a picture of a site shows.
 */

/**
 * What a place is: of the cluster, `reached` where that cannot be told from what else the pod reaches, `served` for Services that lead
 * to peers; of what leads packets; a remote end, a peer, or a network behind one.
 */
export type PlaceKind =
  | 'pods'
  | 'nodes'
  | 'services'
  | 'reached'
  | 'served'
  | 'agents'
  | 'overlay'
  | 'gateway'
  | 'rules'
  | 'tunnel'
  | 'remote'
  | 'peer'
  | 'network';

/** Something that packets come from, go to or pass. */
export interface Place {
  /** Stays the same when other places come or go. */
  readonly id: string;
  readonly kind: PlaceKind;
  readonly title: string;
  /** Addresses, ports, settings: one a line. */
  readonly details: readonly string[];
  /** The id of the area that it is in. @default none */
  readonly area?: string;
}

/** Places that are together: the cluster, the pod. */
export interface Area {
  readonly id: string;
  readonly title: string;
}

/**
 * How packets go from one place to the next: by routes, in VXLAN (RFC 7348), in ESP (RFC 4303), in WireGuard, or by routes and with
 * the address of the pod or node that leads them as their source.
 */
export type Carrier = 'routed' | 'overlay' | 'esp' | 'wireguard' | 'masqueraded';

/** What joins two places. Connections are opened along it. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly carrier: Carrier;
  /** Whether connections are opened from `to` as well. */
  readonly bothWays: boolean;
  /** What there is to say of it. @default nothing */
  readonly label?: string;
}

/** Two places of which the first opens connections to the second. */
export interface Reach {
  readonly from: string;
  readonly to: string;
}

/** The places of a site, what joins them, and which of them reach each other. */
export interface Topology {
  readonly title: string;
  readonly areas: readonly Area[];
  readonly places: readonly Place[];
  readonly links: readonly Link[];
  readonly reaches: readonly Reach[];
}

/** The names of carriers. */
export const CARRIERS: Readonly<Record<Carrier, string>> = {
  routed: 'routed',
  overlay: 'VXLAN',
  esp: 'IKEv2, ESP',
  wireguard: 'WireGuard',
  masqueraded: 'masqueraded: with the address of the pod or node',
};

/** Collects the parts of a topology: places by id, links of two places once. */
export class TopologyBuilder {
  readonly #areas = new Map<string, Area>();
  readonly #places = new Map<string, Place>();
  readonly #links = new Map<string, Link>();
  readonly #reaches = new Map<string, Reach>();

  area(id: string, title: string): string {
    this.#areas.set(id, { id, title });
    return id;
  }

  /** Adds a place, unless there is one of this id. */
  place(place: Place): string {
    if (!this.#places.has(place.id)) this.#places.set(place.id, place);
    return place.id;
  }

  /** Joins two places. A link that is there already the other way round becomes one of both ways. */
  link(from: string, to: string, carrier: Carrier, label?: string): void {
    const back = this.#links.get(`${to} ${from}`);
    if (back !== undefined) this.#links.set(`${to} ${from}`, { ...back, bothWays: true });
    else if (!this.#links.has(`${from} ${to}`))
      this.#links.set(`${from} ${to}`, { from, to, carrier, bothWays: false, ...(label !== undefined && { label }) });
  }

  linkBothWays(from: string, to: string, carrier: Carrier, label?: string): void {
    this.link(from, to, carrier, label);
    this.link(to, from, carrier, label);
  }

  reach(from: string, to: string): void {
    this.#reaches.set(`${from} ${to}`, { from, to });
  }

  topology(title: string): Topology {
    return {
      title,
      areas: [...this.#areas.values()],
      places: [...this.#places.values()],
      links: [...this.#links.values()],
      reaches: [...this.#reaches.values()],
    };
  }
}

/** From how many on those that are alike stand together. */
const FEWEST_OF_A_GROUP = 8;

/** Members by what they have in common, those of a small group each alone. */
export function groupsOf<T>(
  members: Readonly<Record<string, T>>,
  likenessOf: (name: string, member: T) => string,
): (readonly [name: string, member: T])[][] {
  const groups = new Map<string, (readonly [string, T])[]>();
  for (const entry of Object.entries(members)) {
    const likeness = likenessOf(...entry);
    groups.set(likeness, [...(groups.get(likeness) ?? []), entry]);
  }
  return [...groups.values()].flatMap((group) =>
    group.length < FEWEST_OF_A_GROUP ? group.map((entry) => [entry]) : [group],
  );
}

/** How many characters of a line are shown at most. */
export const LONGEST_LINE = 48;

/** Lines of a list, of which the last stands for those that are too many. */
export function shortened(lines: readonly string[], most = 6): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most - 1), `and ${String(lines.length - most + 1)} more`];
}

import { isIpv6 } from '../net/address';
import { prefixLength } from '../net/cidr';
import { coverOf, type Address, type Version } from './address';
import { Prefixes } from './prefixes';

/*
 * How Linux chooses the way of a packet: rules in the order of their priorities, each of which names a table, and in a table the route with
 * the longest prefix, of those the one with the lowest metric (ip-rule(8), ip-route(8)).
 */

/** Where a route leads. */
export interface NextHop {
  readonly device: string;
  /** The neighbour to whom packets are given; absent: to the destination itself. */
  readonly gateway?: string;
}

export interface Route {
  readonly destination: string;
  readonly kind: 'unicast' | 'unreachable';
  /** With several, each flow takes one of them. */
  readonly hops: readonly NextHop[];
  /** The source of packets of the host itself. */
  readonly source?: string;
  readonly metric?: number;
  /** The next hop is a neighbour, whatever the addresses of the link say. */
  readonly onlink?: boolean;
  /** Who has made it: `bgp`, or the number of what the pods make. */
  readonly protocol?: string;
  /** The value that it follows from. */
  readonly from?: string;
  /** What a person has to know of it. */
  readonly note?: string;
  /** It stands for routes that are not known one by one. */
  readonly isStandIn?: boolean;
}

export interface Rule {
  readonly priority: number;
  readonly table: string;
  readonly source?: string;
  readonly destination?: string;
  /** By which a packet comes in; those of the host itself come in by none. */
  readonly interface?: string;
  readonly from?: string;
}

/** A table of routes of one family. */
export class Table {
  readonly #routes = new Prefixes<Route>();

  constructor(routes: readonly Route[]) {
    // The lowest metric comes first.
    for (const route of routes.toSorted((a, b) => (a.metric ?? 0) - (b.metric ?? 0)))
      this.#routes.add(route.destination, route);
  }

  /** The routes for all of a destination: the first one is taken, each other one while those before it are not there. */
  lookup(destination: Address): readonly Route[] {
    return this.#routes.around(destination);
  }

  /** Routes for parts of a destination: what is for these takes other ways. */
  parts(destination: Address): readonly Route[] {
    return this.#routes.inside(destination);
  }
}

/** The rules and tables of a host, as far as they are known. */
export interface Routing {
  rules(version: Version): readonly Rule[];
  table(name: string, version: Version): Table;
}

/** What a kernel has decided for a packet. */
export interface Decision {
  /** The rule whose table has the route. */
  readonly rule: Rule;
  readonly route: Route;
  /** Those of the same table that count while that one is not there, in their order. */
  readonly otherwise: readonly Route[];
  /** Routes for parts of the destination. */
  readonly parts: readonly Route[];
}

/** The rule that every host has beside that of its own addresses. */
const MAIN: Rule = { priority: 32_766, table: 'main' };

/** Whether a rule is for a packet. A source that is a part of the rule's counts as of it. */
function isFor(rule: Rule, { source, destination }: { source: Address; destination: Address }, by: string | undefined) {
  return (
    (rule.interface === undefined || rule.interface === by) &&
    (rule.source === undefined || coverOf(rule.source, source) !== 'none') &&
    (rule.destination === undefined || coverOf(rule.destination, destination) !== 'none')
  );
}

/** The way of a packet that comes in by an interface, or by none; undefined: no table has a route. */
export function decide(
  routing: Routing,
  packet: { readonly source: Address; readonly destination: Address },
  by: string | undefined,
): Decision | undefined {
  const { destination } = packet;
  const rules = [...routing.rules(destination.version), MAIN].toSorted((a, b) => a.priority - b.priority);
  for (const rule of rules) {
    if (!isFor(rule, packet, by)) continue;
    const table = routing.table(rule.table, destination.version);
    const [route, ...otherwise] = table.lookup(destination);
    if (route !== undefined) return { rule, route, otherwise, parts: table.parts(destination) };
  }
  return undefined;
}

/** A rule as ip-rule(8) prints it. */
export function ruleText({ priority, table, source = 'all', destination, interface: by }: Rule): string {
  const to = destination === undefined ? '' : ` to ${short(destination)}`;
  return `${String(priority)}: from ${short(source)}${to}${by === undefined ? '' : ` iif ${by}`} lookup ${table}`;
}

/** A route as ip-route(8) prints it. */
export function routeText({ destination, kind, hops, source, metric = 0, onlink = false, protocol }: Route): string {
  const hopText = ({ device, gateway }: NextHop): string =>
    [
      ...(gateway === undefined
        ? []
        : [isIpv6(gateway) === isIpv6(destination) ? `via ${gateway}` : `via inet ${gateway}`]),
      `dev ${device}`,
    ].join(' ');
  const [only] = hops.length === 1 ? hops : [];
  return [
    ...(kind === 'unicast' ? [] : [kind]),
    prefixLength(destination) === 0 ? 'default' : short(destination),
    ...(only === undefined ? [] : [hopText(only)]),
    ...(protocol === undefined ? [] : [`proto ${protocol}`]),
    ...(source === undefined ? [] : [`src ${source}`]),
    ...(metric === 0 ? [] : [`metric ${String(metric)}`]),
    ...(only !== undefined && onlink ? ['onlink'] : []),
    ...(only === undefined ? hops.map((hop) => `nexthop ${hopText(hop)}${onlink ? ' onlink' : ''}`) : []),
  ].join(' ');
}

/** A network of a single address without its length. */
const short = (network: string): string =>
  prefixLength(network) === (isIpv6(network) ? 128 : 32) ? network.replace(/\/.*$/, '') : network;

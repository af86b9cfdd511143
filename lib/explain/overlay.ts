import { addressOf as withoutLength } from '../net/cidr';
import { canonical, ipv4Text, ipv6Text, numberOf } from '../net/address-number';
import { versionOf, type Version } from './address';
import { ruleText, type Route, type Rule } from './routing';

/*
 * What reflector.py (lib/frr/plan.py) makes of fabric.json in the pod of a gateway, and agent.py (lib/routes/on_node.py) of agent.json on a
 * node. Tests compare both with what these programs themselves make of the same files.
 */

/** The networks between nodes and gateways. */
export interface Overlay {
  readonly nodeNetwork: string;
  readonly gatewayNetwork: string;
  readonly ipv6Network: string;
  readonly ipv6: boolean;
  readonly vni: number;
  readonly port: number;
  /** 0: what fits. */
  readonly mtuBytes: number;
}

interface ClusterLists {
  readonly pods: readonly string[];
  readonly services: readonly string[];
  readonly nodes: readonly string[];
}

/** A tunnel of fabric.json. */
export interface FabricTunnel {
  /** Empty: policies lead packets into it. */
  readonly interface: string;
  readonly inside?: { readonly local: string; readonly remote: string };
  readonly bgp?: { readonly peer: string };
  readonly networks: readonly string[];
}

/** fabric.json, without the empty members that end its lists and maps. */
export interface Fabric {
  readonly overlay: Overlay & { readonly address: string };
  readonly cluster: ClusterLists;
  readonly exports: readonly string[];
  readonly tunnels: Readonly<Record<string, FabricTunnel>>;
}

/** agent.json, in the same way. */
export interface AgentSettings {
  readonly link: string;
  readonly overlay: Overlay;
  readonly cluster: ClusterLists;
  readonly gateways: Readonly<Record<string, { readonly host: string; readonly overlay: string }>>;
  readonly imports: readonly AgentImport[];
}

export interface AgentImport {
  readonly cidr: string;
  readonly maxLength: number;
  readonly whenDown: string;
}

/** What the chart has printed for a program, without the empty members that end its lists and maps. */
export function parsePrinted<T>(text: string): T {
  const isMember = (value: unknown): boolean => value !== '' && value !== null;
  return JSON.parse(text, (_key, value: unknown) => {
    if (Array.isArray(value)) return (value as unknown[]).filter(isMember);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== ''));
  }) as T;
}

/** The interface of a gateway to the nodes. */
export const GATEWAY_LINK = 'ovl0';
/** The tables of a gateway of what nodes, and of what remote ends have told it. */
export const [NODES, REMOTES] = ['100', '200'];
/** The protocol of routes and rules that programs of the pods make, as the kernel shows it. */
export const PROTOCOL = '86';
/** The metric of routes of BGP, which zebra gives them. */
export const BGP_METRIC = 20;
/** The metric of routes that hold a network on a node while no gateway knows the way. */
const REJECT_METRIC = 250 * 2 ** 24;
/** The metric of the route that ends a table of a gateway. */
const LAST_METRIC = 4_294_967_295;
/** The metric that routes of IPv6 have whose maker names none. */
const IPV6_METRIC = 1024;
/** What VXLAN adds to a packet, over IPv4 (RFC 7348), and what the network of the pods may add to that on its way between nodes. */
const [VXLAN_BYTES, CNI_BYTES] = [50, 50];

const ANYWHERE = { 4: '0.0.0.0/0', 6: '::/0' } as const;

/** How the pod of a gateway reaches everything else. */
export interface Outside {
  readonly device: string;
  readonly mtuBytes: number;
  /** The next hops of its default routes, where they have one. */
  readonly gateways: Readonly<Partial<Record<Version, string>>>;
}

/** The IPv4 overlay address of a node, from its address. */
export const nodeOverlay = (node: string, { nodeNetwork }: Overlay): string =>
  ipv4Text(numberOf(withoutLength(nodeNetwork)) | (numberOf(node) & 0xffffn));

/** The IPv6 overlay address of an end, from its IPv4 one. */
export function ipv6Overlay(overlay: string, { ipv6Network }: Overlay, isGateway: boolean): string {
  const low = (isGateway ? 0x10000n : 0n) | (numberOf(overlay) & 0xffffn);
  return ipv6Text(numberOf(withoutLength(ipv6Network)) | low);
}

/** The overlay address of a gateway in a family. */
export const gatewayOverlay = (overlay: string, networks: Overlay, version: Version): string =>
  version === 4 ? overlay : ipv6Overlay(overlay, networks, true);

const of = (networks: readonly string[], version: Version): string[] =>
  networks.filter((network) => versionOf(network) === version).map(canonical);

const overlayNetworks = (overlay: Overlay, version: Version): string[] =>
  of([overlay.nodeNetwork, overlay.gatewayNetwork, overlay.ipv6Network], version);

const hasVersion = ({ ipv6 }: Overlay, version: Version): boolean => version === 4 || ipv6;

export const gatewayMtuBytes = ({ mtuBytes }: Overlay, outside: Pick<Outside, 'mtuBytes'>): number =>
  mtuBytes === 0 ? outside.mtuBytes - VXLAN_BYTES : mtuBytes;

export const nodeMtuBytes = ({ mtuBytes }: Overlay, outerBytes: number): number =>
  mtuBytes === 0 ? outerBytes - VXLAN_BYTES - CNI_BYTES : mtuBytes;

const route = (destination: string, device: string, rest: Partial<Route> = {}): Route => ({
  destination,
  kind: 'unicast',
  hops: [{ device }],
  protocol: PROTOCOL,
  ...rest,
});

const unreachable = (destination: string, metric: number, rest: Partial<Route> = {}): Route => ({
  destination,
  kind: 'unreachable',
  hops: [],
  protocol: PROTOCOL,
  metric,
  ...rest,
});

const metricOf = (version: Version): Partial<Route> => (version === 6 ? { metric: IPV6_METRIC } : {});

/** The routes to nodes and gateways in the main table of a gateway. */
export const gatewayMainRoutes = ({ overlay }: Fabric, version: Version): Route[] =>
  hasVersion(overlay, version)
    ? overlayNetworks(overlay, version).map((network) =>
        route(network, GATEWAY_LINK, { ...metricOf(version), from: 'routes.overlay' }),
      )
    : [];

/** The routes of a table of a gateway that follow from the values, as they are while the tunnels `up` are. */
export function gatewayTableRoutes(
  { overlay, tunnels }: Fabric,
  table: string,
  version: Version,
  up: readonly string[],
  outside: Outside,
): Route[] {
  if (!hasVersion(overlay, version)) return [];
  const found = new Map<string, Route>();
  for (const [name, tunnel] of table === REMOTES ? Object.entries(tunnels) : [])
    for (const network of up.includes(name) ? of(tunnel.networks, version) : []) {
      const gateway = outside.gateways[version];
      const outwards = { device: outside.device, ...(gateway !== undefined && { gateway }) };
      const hop = tunnel.interface === '' ? outwards : { device: tunnel.interface };
      if (!found.has(network))
        found.set(network, {
          ...route(network, ''),
          hops: [hop],
          ...metricOf(version),
          from: `tunnels.${name}.remote.networks`,
        });
    }
  return [...found.values(), unreachable(ANYWHERE[version], LAST_METRIC)];
}

/** The rules of a gateway. */
export function gatewayRules({ overlay, tunnels }: Fabric, version: Version, { device }: Outside): Rule[] {
  if (!hasVersion(overlay, version)) return [];
  const all = Object.entries(tunnels);
  const rules: Rule[] = [];
  for (const [name, tunnel] of all)
    if (tunnel.interface !== '')
      rules.push({ priority: 100, table: NODES, interface: tunnel.interface, from: `tunnels.${name}` });
  for (const [name, tunnel] of all)
    for (const network of tunnel.interface === '' ? of(tunnel.networks, version) : [])
      rules.push({
        priority: 105,
        table: NODES,
        source: network,
        interface: device,
        from: `tunnels.${name}.remote.networks`,
      });
  rules.push({ priority: 110, table: REMOTES, interface: GATEWAY_LINK });
  for (const [name, { inside, bgp }] of all) {
    const local = withoutLength(inside?.local ?? '');
    if (inside === undefined || versionOf(local) !== version) continue;
    const from = `tunnels.${name}.inside`;
    for (const peer of of([inside.remote, ...(bgp === undefined ? [] : [bgp.peer])], version))
      rules.push({ priority: 120, table: 'main', source: canonical(local), destination: canonical(peer), from });
    rules.push({ priority: 121, table: REMOTES, source: canonical(local), from });
  }
  const own = canonical(gatewayOverlay(overlay.address, overlay, version));
  for (const network of overlayNetworks(overlay, version))
    rules.push({ priority: 130, table: 'main', source: own, destination: network });
  rules.push({ priority: 131, table: NODES, source: own });
  return withoutDoubles(rules);
}

/** Rules that differ in nothing that the kernel knows are one. */
function withoutDoubles(rules: readonly Rule[]): Rule[] {
  const known = new Map<string, Rule>();
  for (const rule of rules) if (!known.has(ruleText(rule))) known.set(ruleText(rule), rule);
  return [...known.values()];
}

/** The routes that hold networks on a node while no gateway knows the way. */
export function rejectRoutes({ imports }: AgentSettings, version: Version): Route[] {
  const held = imports.filter(({ whenDown }) => whenDown === 'reject').map(({ cidr }) => cidr);
  return [...new Set(of(held, version))].map((network) => unreachable(network, REJECT_METRIC));
}

/** The routes to the gateways on a node. */
export function gatewayRoutes({ gateways, link, overlay }: AgentSettings, node: string, version: Version): Route[] {
  if (!hasVersion(overlay, version)) return [];
  const own = nodeOverlay(node, overlay);
  const source = version === 4 ? own : ipv6Overlay(own, overlay, false);
  return Object.entries(gateways).map(([name, gateway]) =>
    route(canonical(gatewayOverlay(gateway.overlay, overlay, version)), link, {
      source,
      ...metricOf(version),
      from: `gateways.${name}`,
    }),
  );
}

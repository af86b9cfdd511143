import type { z } from 'zod';
import type { kiloValues } from '../../values/kilo';
import { IPV4_PATTERN, isIpv6 } from '../net/address';
import { canonical, withoutHostBits } from '../net/address-number';
import { networkBits } from '../net/cidr';
import { endpointHost, endpointPort } from '../net/endpoint';
import type { MeshNode } from './mesh-node';
import { isPublicEndpoint, topologyOf, type End, type MeshPeer, type Topology } from './topology';

type Values = z.output<typeof kiloValues>;

/** The format of wg-quick(8), which apps import, or that of `wg setconf`, wg(8). */
export type ClientFormat = 'wg-quick' | 'wg';

/** What the file of a peer holds beside values and nodes. */
export interface KiloClientOptions {
  /** The line of the private key. */
  readonly privateKey: string;
  readonly format: ClientFormat;
}

/** What fits 1,500 bytes over IPv4 and IPv6, as wg-quick(8) would choose. */
const CLIENT_MTU_BYTES = 1420;
/** The smallest MTU of an IPv6 link (RFC 8200, 5): wg-quick refuses less where a file has an IPv6 network. */
const IPV6_MIN_MTU_BYTES = 1280;

/** What the agents run with and the values say otherwise, as sentences: then the file would be for another mesh. */
export function meshProblems(v: Values, nodes: readonly MeshNode[]): string[] {
  const first = 'install these values first, then give the nodes anew';
  const others = (key: 'meshGranularity' | 'subnet', given: string): string[] => {
    const found = nodes.map((node) => node[key]).find((one) => one !== undefined && one !== '' && one !== given);
    return found === undefined
      ? []
      : [`${key}: the agents run with ${JSON.stringify(found)}, got ${JSON.stringify(v[key])}; ${first}`];
  };
  const problems = [...others('meshGranularity', v.meshGranularity), ...others('subnet', withoutHostBits(v.subnet))];
  if (problems.length > 0 || meshOf(v, nodes) !== undefined) return problems;
  return [`subnet: has too few addresses for all locations, got ${JSON.stringify(v.subnet)}; choose a larger one`];
}

/**
 * The file of a peer. In the format `wg` its sections of peers have what `kgctl showconf peer` of Kilo 0.7.0 prints. In the format
 * `wg-quick` the first node that can be found from everywhere has the networks of the Services as well; the addresses at which
 * nodes are found stay outside, since wg-quick(8) would lead the tunnel's own packets into the tunnel; and peers that cannot find each other are
 * left out.
 *
 * @param nodes as {@link meshProblems} finds them good
 */
export function kiloClientConf(
  v: Values,
  name: string,
  nodes: readonly MeshNode[],
  { privateKey, format }: KiloClientOptions,
): string {
  const peer = v.peers[name];
  const mesh = meshOf(v, nodes);
  if (peer === undefined || mesh === undefined) throw new TypeError('the peer and the nodes are good');
  const keepalive = `PersistentKeepalive = ${String(keepaliveOf(v, peer))}`;
  const presharedKey = peer.presharedKey === undefined ? [] : [`PresharedKey = ${peer.presharedKey.value}`];
  const others = mesh.peers.filter((other) => other.name !== name);
  const ends =
    format === 'wg'
      ? { leaders: mesh.leaders, peers: others }
      : completed(v, peer, {
          leaders: mesh.leaders,
          peers: others.filter(({ endpoint }) => (endpoint ?? peer.endpoint) !== undefined),
        });
  const inside = format === 'wg' ? (end: End) => ({ end, outside: [] }) : insideOf([...ends.leaders, ...ends.peers]);
  const section = (given: End, more: readonly string[]): string[] => {
    const { end, outside } = inside(given);
    return [
      '',
      `# ${end.name}`,
      ...(outside.length === 0 ? [] : [`# Outside the tunnel, whose end is there: ${outside.join(', ')}`]),
      '[Peer]',
      `PublicKey = ${end.publicKey}`,
      ...more,
      ...(end.allowedIPs.length === 0 ? [] : [`AllowedIPs = ${end.allowedIPs.join(', ')}`]),
      ...(end.endpoint === undefined ? [] : [`Endpoint = ${end.endpoint}`]),
      keepalive,
    ];
  };
  return [
    `# ${name}`,
    '[Interface]',
    privateKey,
    ...(peer.endpoint === undefined ? [] : [`ListenPort = ${String(endpointPort(peer.endpoint))}`]),
    ...(format === 'wg' ? [] : ofInterface(v, peer)),
    ...ends.leaders.flatMap((end) => section(end, presharedKey)),
    ...ends.peers.flatMap((end) => section(end, [])),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

type Peer = Values['peers'][string];

const keepaliveOf = (v: Values, peer: Peer): number =>
  peer.persistentKeepaliveSeconds ?? v.client.persistentKeepaliveSeconds;

/** The peers as their Peer objects have them. */
export function meshPeers(v: Values): MeshPeer[] {
  return Object.entries(v.peers).map(([name, peer]) => ({
    name,
    publicKey: peer.publicKey,
    allowedIPs: [...peer.addresses, ...(peer.routedNetworks ?? [])].map(canonical),
    keepaliveSeconds: keepaliveOf(v, peer),
    // Kilo takes host names in lower case only.
    ...(peer.endpoint !== undefined && { endpoint: peer.endpoint.toLowerCase() }),
  }));
}

const meshOf = (v: Values, nodes: readonly MeshNode[]): Topology | undefined =>
  topologyOf(nodes, meshPeers(v), { meshGranularity: v.meshGranularity, subnet: withoutHostBits(v.subnet) });

/** What wg-quick(8) does beside WireGuard itself. */
function ofInterface({ client, dns, mtu }: Values, { addresses }: Peer): string[] {
  const bytes = client.mtu ?? (mtu === undefined ? CLIENT_MTU_BYTES : Math.max(mtu, IPV6_MIN_MTU_BYTES));
  return [
    `Address = ${addresses.join(', ')}`,
    ...(dns.servers.length === 0 ? [] : [`DNS = ${[...dns.servers, ...dns.searchDomains].join(', ')}`]),
    `MTU = ${String(bytes)}`,
  ];
}

/**
 * The ends of which one node has the networks that the mesh does not have: any node leads them on. It is one that a peer finds wherever it
 * is, if there is such a node. What is the peer's own stays there.
 */
function completed(v: Values, peer: Peer, { leaders, peers }: Topology): Topology {
  const given = peer.client?.allowedIPs ?? v.client.allowedIPs ?? v.cluster.serviceCidrs;
  const known = [...leaders, ...peers].flatMap(({ allowedIPs }) => allowedIPs);
  const taken = new Set([...known, ...peer.addresses, ...(peer.routedNetworks ?? [])].map(networkBits));
  const networks = given.filter((network) => !taken.has(networkBits(network))).map(canonical);
  const isFound = ({ endpoint = '' }: End): boolean => isPublicEndpoint(endpoint) || !isAddress(endpointHost(endpoint));
  const chosen = leaders.find(isFound) ?? leaders[0];
  return {
    leaders: leaders.map((end) => (end === chosen ? { ...end, allowedIPs: [...end.allowedIPs, ...networks] } : end)),
    peers,
  };
}

const isAddress = (host: string): boolean => isIpv6(host) || IPV4_PATTERN.test(host);

/** Takes the networks from an end in which any end is found. For all addresses together wg-quick(8) has a way of its own. */
function insideOf(ends: readonly End[]): (end: End) => { readonly end: End; readonly outside: readonly string[] } {
  const around = new Set(
    ends
      .map(({ endpoint = '' }) => endpointHost(endpoint))
      .filter(isAddress)
      .flatMap((host) => {
        const bits = networkBits(host);
        return Array.from(bits.slice('4.'.length), (_, index) => bits.slice(0, '4.'.length + index + 1));
      }),
  );
  return (end) => {
    const holdsOne = (network: string): boolean => around.has(networkBits(network));
    return {
      end: { ...end, allowedIPs: end.allowedIPs.filter((network) => !holdsOne(network)) },
      outside: end.allowedIPs.filter(holdsOne),
    };
  };
}

import { compareUtf8 } from '../staged/utf8';
import { IPV4_PATTERN, isIpv6 } from '../net/address';
import { canonical, ipv4Text, numberOf } from '../net/address-number';
import { addressOf, networkBits, prefixLength } from '../net/cidr';
import { endpointHost } from '../net/endpoint';
import type { MeshNode } from './mesh-node';

/*
 * Who is a peer of whom in the mesh of Kilo 0.7.0, and for which addresses (Kilo, pkg/mesh/topology.go). Each agent finds the same by
 * itself, so every detail counts: the order, which gives the addresses, and what is left out.
 */

/** A peer of the mesh, as its Peer object has it. */
export interface MeshPeer {
  readonly name: string;
  readonly publicKey: string;
  /** Addresses as networks, and networks. */
  readonly allowedIPs: readonly string[];
  readonly endpoint?: string;
  readonly keepaliveSeconds: number;
}

/** One end of a WireGuard session as the other end sees it. */
export interface End {
  /** The node or peer. */
  readonly name: string;
  readonly publicKey: string;
  readonly allowedIPs: readonly string[];
  /** Where it is reached; absent: it waits to be heard from. */
  readonly endpoint?: string;
}

/** What a peer knows of the mesh. */
export interface Topology {
  /** The leaders of all locations, or all nodes. */
  readonly leaders: readonly End[];
  readonly peers: readonly End[];
}

/** Nodes that one of them leads for. */
interface Segment {
  readonly leader: MeshNode;
  readonly nodes: readonly MeshNode[];
  /** Networks of its nodes, and the leader's address in the VPN. */
  readonly networks: string[];
  /** Networks that it reaches beside these. */
  locationNetworks: readonly string[];
}

/**
 * The mesh of nodes and peers.
 *
 * @param subnet where the leaders have their addresses, without host bits
 * @returns undefined if the subnet has too few addresses
 */
export function topologyOf(
  nodes: readonly MeshNode[],
  peers: readonly MeshPeer[],
  { meshGranularity, subnet }: { readonly meshGranularity: 'location' | 'full'; readonly subnet: string },
): Topology | undefined {
  const segments = segmentsOf(nodes, meshGranularity);
  // The first address is the network's own, and the last one is a leader's too.
  if (segments.length >= 2 ** (32 - prefixLength(subnet))) return undefined;
  const own = withoutDoubles([...peers].sort(byName));
  const bitsOf = remembered(networkBits);
  const ofPeers = own.flatMap(({ allowedIPs }) => allowedIPs.map(bitsOf));
  const first = numberOf(addressOf(subnet)) + 1n;
  for (const [index, segment] of segments.entries()) {
    segment.networks.push(`${ipv4Text(first + BigInt(index))}/32`);
    if (segment.locationNetworks.length === 0) continue;
    segment.locationNetworks = freeOf(segment.locationNetworks, bitsOf, [
      ...segments.flatMap((one) => [...one.networks, ...(one === segment ? [] : one.locationNetworks)].map(bitsOf)),
      ...ofPeers,
    ]);
  }
  const seen = new Map(
    segments
      .flatMap((segment) => segment.nodes.flatMap(({ seenEndpoints }) => [...seenEndpoints]))
      // Of several, the first one.
      .reverse(),
  );
  const endpointOf = (publicKey: string, endpoint: string | undefined, isBehindNat: boolean): Pick<End, 'endpoint'> => {
    const found = (isBehindNat ? seen.get(publicKey) : undefined) ?? endpoint;
    return found === undefined ? {} : { endpoint: found };
  };
  return {
    leaders: segments.map(({ leader: { name, publicKey, endpoint, isBehindNat }, networks, locationNetworks }) => ({
      name,
      publicKey,
      allowedIPs: [...networks, ...locationNetworks],
      ...endpointOf(publicKey, endpoint, isBehindNat),
    })),
    peers: own.map(({ name, publicKey, allowedIPs, endpoint, keepaliveSeconds }) => ({
      name,
      publicKey,
      allowedIPs,
      ...endpointOf(publicKey, endpoint, keepaliveSeconds > 0),
    })),
  };
}

/** The segments in the order of their addresses. A node without an address in its location is one of its own. */
function segmentsOf(nodes: readonly MeshNode[], meshGranularity: 'location' | 'full'): Segment[] {
  const byLocation = new Map<string, MeshNode[]>();
  for (const node of [...nodes].sort(byName)) {
    const isAlone = meshGranularity === 'full' || node.internalAddress === undefined;
    const location = isAlone ? `node:${node.name}` : `location:${node.location}`;
    byLocation.set(location, [...(byLocation.get(location) ?? []), node]);
  }
  return [...byLocation]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([, members]) => ({
      leader: leaderOf(members),
      nodes: members,
      networks: members.flatMap(({ podCidr, internalAddress }) => [
        podCidr,
        ...(internalAddress === undefined ? [] : [canonical(internalAddress)]),
      ]),
      locationNetworks: [...new Set(members.flatMap(({ locationNetworks }) => locationNetworks))].sort(compareUtf8),
    }));
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => compareUtf8(a.name, b.name);

/** The first that offers to lead and is public, else the first that offers, else the first that is public, else the first. */
function leaderOf(nodes: readonly MeshNode[]): MeshNode {
  const isPublic = ({ endpoint }: MeshNode): boolean => isPublicEndpoint(endpoint);
  const found =
    nodes.find((node) => node.leads && isPublic(node)) ??
    nodes.find(({ leads }) => leads) ??
    nodes.find(isPublic) ??
    nodes[0];
  if (found === undefined) throw new TypeError('a segment has a node');
  return found;
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/16'].map(networkBits);

/** Whether an endpoint is an address that Kilo takes for one of the internet; of a host name nobody knows. */
export function isPublicEndpoint(endpoint: string): boolean {
  const host = endpointHost(endpoint);
  if (!isIpv6(host) && !IPV4_PATTERN.test(host)) return false;
  const bits = networkBits(host);
  return !PRIVATE.some((network) => bits.startsWith(network));
}

/** The peers, each without what one before it has in the same words: WireGuard would give it to the last one. */
function withoutDoubles(peers: readonly MeshPeer[]): MeshPeer[] {
  const taken = new Set<string>();
  return peers.map((peer) => ({
    ...peer,
    allowedIPs: peer.allowedIPs.map(canonical).filter((network) => {
      const isNew = !taken.has(network);
      taken.add(network);
      return isNew;
    }),
  }));
}

/**
 * The networks that a location reaches beside its nodes, less what overlaps with anything of others. What two locations have, the last one
 * keeps.
 */
function freeOf(networks: readonly string[], bitsOf: (network: string) => string, others: readonly string[]): string[] {
  return networks.filter((network) => {
    const bits = bitsOf(network);
    return !others.some((other) => other.startsWith(bits) || bits.startsWith(other));
  });
}

/** The same function, which finds the result for a text once. */
function remembered(find: (text: string) => string): (text: string) => string {
  const results = new Map<string, string>();
  return (text) => {
    const result = results.get(text) ?? find(text);
    results.set(text, result);
    return result;
  };
}

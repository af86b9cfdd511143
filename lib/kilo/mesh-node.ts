import { z } from 'zod';
import { address, port } from '../../values/net';
import { hasLabels, type ClusterNode } from '../kubernetes/node';
import { ADDRESS_PATTERN, isIpv6 } from '../net/address';
import { canonical, withoutHostBits } from '../net/address-number';
import { addressOf, CIDR_PATTERN } from '../net/cidr';
import { DNS_SUBDOMAIN_MAX_LENGTH, DNS_SUBDOMAIN_PATTERN } from '../net/name';
import { PORT_PATTERN } from '../net/port';
import { WIREGUARD_KEY_PATTERN } from '../net/wireguard-key';

/*
 * Nodes as the agents of Kilo 0.7.0 see each other: by the annotations in which each says what it has found, and in which an
 * administrator says otherwise (Kilo, docs/annotations.md and pkg/k8s/backend.go).
 */

/** A node that Kilo counts in. */
export interface MeshNode {
  readonly name: string;
  readonly publicKey: string;
  /** `host:port`; an IPv6 address stands in brackets. */
  readonly endpoint: string;
  readonly podCidr: string;
  /** Its address in the network of its location; absent: it is a location of its own. */
  readonly internalAddress?: string;
  readonly location: string;
  /** Whether it offers to lead its location. */
  readonly leads: boolean;
  /** Whether it keeps a way through a NAT open, so that where others have seen it counts more than its endpoint. */
  readonly isBehindNat: boolean;
  /** Networks that its location reaches beside its nodes. */
  readonly locationNetworks: readonly string[];
  /** Where it has seen others that are behind a NAT, by their public keys. */
  readonly seenEndpoints: ReadonlyMap<string, string>;
  /** The values that its agent runs with: between whom WireGuard is, and in a leader the subnet of the VPN. */
  readonly meshGranularity?: string;
  readonly subnet?: string;
}

/** What says which nodes have an agent, and where they are. */
export interface MeshSettings {
  readonly topologyLabel: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
}

/** Two check-ins of an agent: one that has been silent for so long is gone (Kilo, pkg/mesh/backend.go). */
const SILENT_SECONDS = 60;

const KEY = 'kilo.squat.ai/key';
const FORCE_ENDPOINT = 'kilo.squat.ai/force-endpoint';
const FORCE_INTERNAL_IP = 'kilo.squat.ai/force-internal-ip';

/**
 * The nodes that Kilo counts in, and a sentence for each other one that should have an agent. Since the nodes may have been read long ago,
 * an agent is silent if it was last heard a minute before the one that was heard last.
 */
export function meshNodes(
  nodes: readonly ClusterNode[],
  { topologyLabel, nodeSelector }: MeshSettings,
): { readonly ready: readonly MeshNode[]; readonly leftOut: readonly string[] } {
  const newest = Math.max(0, ...nodes.map(lastSeen));
  const ready: MeshNode[] = [];
  const leftOut: string[] = [];
  for (const node of nodes) {
    const problem = problemOf(node, newest);
    if (problem === undefined) ready.push(meshNode(node, topologyLabel));
    else if (hasLabels(node.labels, nodeSelector)) leftOut.push(`${node.name}: ${problem}, then give the nodes anew`);
  }
  return { ready, leftOut };
}

/** Why Kilo does not count a node in, if it does not. */
function problemOf(node: ClusterNode, newest: number): string | undefined {
  const { annotations, podCidr } = node;
  const [key, given] = [annotations[KEY], annotations[FORCE_ENDPOINT] ?? annotations['kilo.squat.ai/endpoint']];
  const got = (value: string | undefined): string => `got ${value === undefined ? 'nothing' : JSON.stringify(value)}`;
  if (key === undefined || !WIREGUARD_KEY_PATTERN.test(key))
    return `is left out, since no agent of Kilo has written its ${KEY}, ${got(key)}; see that one runs there`;
  if (podCidr === undefined)
    return 'is left out, since it has no spec.podCIDR, got nothing; let the controller manager give each node a network (--allocate-node-cidrs)';
  if (endpointOfNode(node) === undefined)
    return `is left out, since nobody would find it, ${got(given)}; set ${FORCE_ENDPOINT} to its address and port`;
  const [at, silence] = [lastSeen(node), newest - lastSeen(node)];
  if (at === 0 || silence >= SILENT_SECONDS)
    return `is left out, since its agent was silent when others were heard, got ${at === 0 ? 'nothing' : `${String(silence)} seconds`}; see that it runs`;
  return undefined;
}

function meshNode(node: ClusterNode, topologyLabel: string): MeshNode {
  const { name, annotations, labels, podCidr = '' } = node;
  const of = (key: string): string | undefined => annotations[`kilo.squat.ai/${key}`];
  const internalAddress = internalAddressOf(node);
  const vpnAddress = networkIn(of('wireguard-ip'));
  const granularity = of('granularity');
  return {
    name,
    publicKey: of('key') ?? '',
    endpoint: endpointOfNode(node) ?? '',
    podCidr: withoutHostBits(podCidr),
    ...(internalAddress !== undefined && { internalAddress }),
    location: of('location') ?? new Map(Object.entries(labels)).get(topologyLabel) ?? '',
    leads: of('leader') !== undefined,
    isBehindNat: isBehindNat(of('persistent-keepalive')),
    locationNetworks: (of('allowed-location-ips') ?? '').split(',').flatMap((one) => networkIn(one) ?? []),
    seenEndpoints: seenEndpoints(of('discovered-endpoints')),
    ...(granularity !== undefined && { meshGranularity: granularity }),
    ...(vpnAddress !== undefined && { subnet: withoutHostBits(vpnAddress) }),
  };
}

function lastSeen({ annotations }: ClusterNode): number {
  const text = annotations['kilo.squat.ai/last-seen'] ?? '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

const endpointOfNode = ({ annotations }: ClusterNode): string | undefined =>
  endpointIn(annotations[FORCE_ENDPOINT]) ?? endpointIn(annotations['kilo.squat.ai/endpoint']);

/** An endpoint as Kilo reads it; what it does not understand is none. */
function endpointIn(text = ''): string | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([0-9]+)$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const number = String(Number(digits));
  if (!PORT_PATTERN.test(number)) return undefined;
  if (ADDRESS_PATTERN.test(host)) return socketText(host, number);
  return DNS_SUBDOMAIN_PATTERN.test(host) && host.length <= DNS_SUBDOMAIN_MAX_LENGTH ? `${host}:${number}` : undefined;
}

function socketText(host: string, number: string): string {
  const printed = addressOf(canonical(host));
  return isIpv6(printed) ? `[${printed}]:${number}` : `${printed}:${number}`;
}

/** `-` or nothing in the annotation says that there is none. */
function internalAddressOf({ annotations }: ClusterNode): string | undefined {
  const forced = annotations[FORCE_INTERNAL_IP];
  if (forced === '' || forced === '-') return undefined;
  const network = networkIn(forced) ?? networkIn(annotations['kilo.squat.ai/internal-ip']);
  return network === undefined ? undefined : addressOf(network);
}

const networkIn = (text = ''): string | undefined => (CIDR_PATTERN.test(text) ? canonical(text) : undefined);

const isBehindNat = (seconds = ''): boolean => /^[+-]?[0-9]+$/.test(seconds) && Number(seconds) !== 0;

/** Go's net.UDPAddr by public key; where one is wrong, Kilo takes none. */
const discovered = z.record(z.string(), z.looseObject({ IP: address, Port: port }).nullable());

function seenEndpoints(text = ''): ReadonlyMap<string, string> {
  const parsed = discovered.safeParse(jsonIn(text));
  return new Map(
    Object.entries(parsed.data ?? {}).flatMap(([key, at]) =>
      at === null ? [] : [[key, socketText(at.IP, String(at.Port))] as const],
    ),
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

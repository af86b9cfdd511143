import type { z } from 'zod';
import { contains, firstHost, networkBits, overlap, prefixLength } from '../net/cidr';
import { isIpv6 } from '../net/address';
import type { wireguardValues } from '../../values/wireguard';
import { servicesOf } from './peers';
import { groupsOf, LONGEST_LINE, shortened, TopologyBuilder, type Topology } from './topology';

type Values = z.output<typeof wireguardValues>;
type Peer = Values['peers'][string];
type Allow = NonNullable<Peer['allow']>;

/** A peer, several that are alike, or those that only the pod knows. */
interface Client {
  readonly id: string;
  readonly title: string;
  readonly details: readonly string[];
  readonly names: readonly string[];
  /** Whether it stands for several, which reach each other as they reach others. */
  readonly isSeveral: boolean;
  readonly addresses: readonly string[];
  readonly networks: readonly string[];
  /** What its own file sends through the tunnel. */
  readonly sends: readonly string[];
  readonly allow: Allow | undefined;
  /** The Services of the cluster for what it serves. */
  readonly services: readonly string[];
  /** Whether one end knows where the other one is. */
  readonly isJoined: boolean;
}

/**
 * What the file of a peer sends through the tunnel: the networks of `client.allowedIPs` that are not its own, unless there is no
 * other, and the DNS server in the tunnel where it is in none of them.
 */
export function sentBy(values: Values, peer: Pick<Peer, 'addresses' | 'routedNetworks' | 'client'>): string[] {
  const given = peer.client?.allowedIPs ?? values.client.allowedIPs;
  const own = new Set((peer.routedNetworks ?? []).map(networkBits));
  const others = given.filter((network) => !own.has(networkBits(network)));
  const servers = values.dns.mode === 'coredns' ? ownNetworks(values).map(firstHost) : [];
  const missing = servers.filter(
    (server) =>
      peer.addresses.some((address) => isIpv6(address) === isIpv6(server)) &&
      !others.some((network) => contains(network, server)),
  );
  return [...(others.length === 0 ? given : others), ...missing];
}

/** Who reaches whom through a WireGuard server of these values. */
export function wireguardTopology(values: Values, fullname: string): Topology {
  const builder = new TopologyBuilder();
  const clients = clientsOf(values);
  const hasRules = clients.some(({ allow, isJoined }) => isJoined && Object.keys(allow ?? {}).length > 0);
  const area = hasRules ? { area: builder.area('pod', `pod ${fullname}`) } : {};
  const server = builder.place({
    id: 'server',
    kind: 'gateway',
    title: hasRules ? values.interfaceName : fullname,
    details: serverDetails(values),
    ...area,
  });

  for (const client of clients) {
    const { id, allow, isJoined } = client;
    builder.place({ id, kind: 'peer', title: client.title, details: client.details });
    if (client.networks.length > 0) {
      const behind = builder.place({
        id: behindOf(client),
        kind: 'network',
        title: `behind ${client.title}`,
        details: shortened(client.networks),
      });
      builder.linkBothWays(behind, id, 'routed');
    }
    if (!isJoined) continue;
    if (allow === undefined) builder.link(id, server, 'wireguard');
    else if (Object.keys(allow).length > 0) {
      const rules = builder.place({
        id: rulesOf(client),
        kind: 'rules',
        title: `rules of ${client.title}`,
        details: shortened(Object.entries(allow).flatMap(ruleLines)),
        ...area,
      });
      builder.link(id, rules, 'wireguard');
    }
    // What nobody reaches is joined all the same.
    if (Object.keys(allow ?? {}).length === 0 && allow !== undefined) builder.link(server, id, 'wireguard');
  }

  const joined = clients.filter(({ isJoined }) => isJoined);
  addPeerReaches(builder, joined, server);
  addOutsideReaches(builder, values, joined, server);
  return builder.topology(`WireGuard server ${fullname}: who reaches whom`);
}

const behindOf = ({ id }: Client): string => `${id}/behind`;
const rulesOf = ({ id }: Client): string => `${id}/rules`;

function ownNetworks({ network, network6 }: Values): string[] {
  return network6 === undefined ? [network] : [network, network6];
}

function serverDetails(values: Values): string[] {
  const { service, hostPort, dns, endpoint, listenPort } = values;
  const addresses = ownNetworks(values).map((network) => firstHost(network));
  const ofService = {
    LoadBalancer: `Service: load balancer${service.loadBalancerIP === undefined ? '' : ` ${service.loadBalancerIP}`}, UDP ${String(service.port)}`,
    NodePort: `Service: ${service.nodePort === undefined ? 'a node port' : `node port UDP ${String(service.nodePort)}`}`,
    ClusterIP: `Service: inside the cluster only, UDP ${String(service.port)}`,
  }[service.type];
  return [
    ...addresses,
    `UDP ${String(listenPort)}`,
    ...(service.enabled ? [ofService] : []),
    ...(hostPort === undefined ? [] : [`port of its node: UDP ${String(hostPort)}`]),
    ...(endpoint === undefined ? [] : [`clients use ${endpoint}`]),
    ...(dns.mode === 'coredns' ? [`DNS for clients: ${addresses.join(', ')}`] : []),
  ];
}

/* Clients. */

function clientsOf(values: Values): Client[] {
  const isReached = values.service.enabled || values.hostPort !== undefined;
  const named = new Set(
    Object.values(values.peers).flatMap(({ allow }) =>
      Object.values(allow ?? {}).flatMap((rule) => [...(rule.peers ?? [])]),
    ),
  );
  // Who is named by a rule is seen by itself.
  const likeness = (name: string, peer: Peer): string => (named.has(name) ? `peer ${name}` : likenessOf(values, peer));
  return [
    ...groupsOf(values.peers, likeness).map((members) => clientOf(values, members, isReached)),
    ...Object.entries(values.peersFrom).map(([source, { existingSecret, existingConfigMap }]): Client => {
      const object = existingSecret === undefined ? 'ConfigMap' : 'Secret';
      return {
        id: `source/${source}`,
        title: `peers of the ${object} ${existingSecret ?? existingConfigMap ?? ''}`,
        details: ['only the pod knows them and their rules'],
        names: [],
        isSeveral: true,
        addresses: ownNetworks(values),
        networks: [],
        sends: sentBy(values, { addresses: ownNetworks(values) }),
        allow: undefined,
        services: [],
        isJoined: isReached,
      };
    }),
  ];
}

/** What peers have in common that one place can stand for. */
function likenessOf(values: Values, peer: Peer): string {
  const families = (networks: readonly string[]): boolean[] => [...new Set(networks.map(isIpv6))].sort();
  return JSON.stringify([
    families(peer.addresses),
    families(peer.routedNetworks ?? []),
    sentBy(values, peer),
    peer.allow ?? null,
    peer.endpoint !== undefined,
    peer.services !== undefined,
  ]);
}

function clientOf(
  values: Values,
  members: readonly (readonly [name: string, peer: Peer])[],
  isReached: boolean,
): Client {
  const [[name, peer]] = members as [readonly [string, Peer]];
  const isSeveral = members.length > 1;
  const names = members.map(([memberName]) => memberName);
  const isJoined = isReached || peer.endpoint !== undefined;
  return {
    id: `peer/${name}`,
    title: isSeveral ? `${String(members.length)} peers` : name,
    details: [
      ...(isSeveral ? [`${names.at(0) ?? ''} to ${names.at(-1) ?? ''}`] : peer.addresses),
      ...(peer.client?.allowedIPs === undefined
        ? []
        : shortened(
            peer.client.allowedIPs.map((to) => `sends ${to}`),
            4,
          )),
      ...(peer.endpoint === undefined || isSeveral ? [] : [`at ${peer.endpoint}`]),
      ...(isJoined ? [] : ['there is no way to the server: neither Service nor hostPort']),
      ...(peer.allow !== undefined && Object.keys(peer.allow).length === 0 ? ['opens no connections'] : []),
    ],
    names,
    isSeveral,
    addresses: members.flatMap(([, member]) => member.addresses),
    networks: members.flatMap(([, member]) => member.routedNetworks ?? []),
    sends: sentBy(values, peer),
    allow: peer.allow,
    services: servicesOf(members.map(([, member]) => member)),
    isJoined,
  };
}

/** A rule in a line, or with its ports in a second one. */
function ruleLines([name, { networks = [], peers = [], ports }]: [name: string, rule: Allow[string]]): string[] {
  const to = shortened([...networks, ...peers], 3).join(', ');
  const destinations = `${name}: ${to === '' ? 'nothing' : to}`;
  if (ports === undefined) return [destinations];
  const limit = ports.length === 0 ? 'no port' : shortened(ports.map(portText), 3).join(', ');
  const line = `${destinations}, ${limit}`;
  return line.length <= LONGEST_LINE ? [line] : [destinations, `${name}: ${limit}`];
}

function portText({ port, endPort, protocol = 'TCP' }: NonNullable<Allow[string]['ports']>[number]): string {
  return `${protocol} ${String(port)}${endPort === undefined ? '' : `–${String(endPort)}`}`;
}

/* Who reaches whom. */

/** The devices of a client, or the networks behind them. */
interface End {
  readonly client: Client;
  readonly id: string;
  /** As text of their prefix bits. */
  readonly bits: readonly string[];
}

function endsOf(client: Client): End[] {
  const ends = [{ client, id: client.id, bits: client.addresses.map(networkBits) }];
  return client.networks.length === 0
    ? ends
    : [...ends, { client, id: behindOf(client), bits: client.networks.map(networkBits) }];
}

/** What a client sends through the tunnel and is let through, as text of prefix bits. */
class Gate {
  readonly #sent: readonly string[];
  readonly #rules: readonly { readonly networks: readonly string[]; readonly peers: readonly string[] }[] | undefined;

  constructor({ sends, allow }: Client) {
    this.#sent = sends.map(networkBits);
    if (allow === undefined) return;
    this.#rules = Object.values(allow)
      .filter(({ ports }) => ports?.length !== 0)
      .map(({ networks = [], peers = [] }) => ({ networks: networks.map(networkBits), peers }));
  }

  sends(bits: string): boolean {
    return this.#sent.some((sent) => meet(sent, bits));
  }

  lets(bits: string, { names }: Client): boolean {
    return (
      this.#rules === undefined ||
      this.#rules.some(
        ({ networks, peers }) =>
          networks.some((network) => meet(network, bits)) || peers.some((peer) => names.includes(peer)),
      )
    );
  }
}

const meet = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one);
const areOfOneFamily = (one: string, other: string): boolean => one.startsWith(other.slice(0, 2));

/** Peers reach each other through the server: each must send to the other what is for it, or the answer to it. */
function addPeerReaches(builder: TopologyBuilder, clients: readonly Client[], server: string): void {
  const gates = new Map(clients.map((client) => [client, new Gate(client)]));
  const ends = clients.flatMap(endsOf);
  for (const from of ends) {
    const gate = gates.get(from.client);
    for (const to of ends) {
      if (gate === undefined || (from.client === to.client && !from.client.isSeveral)) continue;
      const asked = to.bits.filter((bits) => gate.sends(bits) && gate.lets(bits, to.client));
      const isAnswered = (bits: string): boolean => gates.get(to.client)?.sends(bits) ?? false;
      if (!asked.some((bits) => from.bits.some((own) => areOfOneFamily(own, bits) && isAnswered(own)))) continue;
      builder.reach(from.id, to.id);
      builder.link(from.client.allow === undefined ? server : rulesOf(from.client), to.client.id, 'wireguard');
    }
  }
  // Inside its own network a client needs no server.
  for (const client of clients) {
    if (client.networks.length === 0) continue;
    builder.reach(client.id, behindOf(client));
    builder.reach(behindOf(client), client.id);
  }
}

/** What is reached beyond the pod, and in the mode `routed` reaches the peers. */
function addOutsideReaches(builder: TopologyBuilder, values: Values, clients: readonly Client[], server: string): void {
  const isRouted = values.mode === 'routed';
  const carrier = isRouted ? 'routed' : 'masqueraded';
  const label = values.networkPolicy.egress.length === 0 ? undefined : 'as networkPolicy.egress lets it';
  const ofPeers = [...ownNetworks(values), ...clients.flatMap(({ networks }) => networks)].map(networkBits);
  const isOutside = (network: string): boolean => !ofPeers.some((inside) => networkBits(network).startsWith(inside));
  const places = new Map<string, readonly string[]>();
  const placeOf = (networks: readonly string[]): string => {
    const place = builder.place({
      id: `outside/${networks.join(' ')}`,
      kind: 'reached',
      title: networks.some((network) => prefixLength(network) === 0)
        ? 'all that the pod reaches'
        : 'what the pod reaches of',
      details: shortened(networks),
    });
    places.set(place, networks);
    return place;
  };
  for (const end of clients.flatMap(endsOf)) {
    const { client } = end;
    const ofEnd = (networks: readonly string[]): string[] =>
      [...new Set(networks)].filter(
        (network) => isOutside(network) && end.bits.some((own) => areOfOneFamily(own, networkBits(network))),
      );
    const sent = ofEnd(client.sends);
    if (isRouted && sent.length > 0) placeOf(sent);
    const asked = client.allow === undefined ? sent : ofEnd(allowedOf(client.allow, client.sends));
    if (asked.length === 0) continue;
    const place = placeOf(asked);
    builder.link(client.allow === undefined ? server : rulesOf(client), place, carrier, label);
    builder.reach(end.id, place);
  }
  if (!isRouted) return;
  for (const [place, networks] of places) {
    for (const { client, id, bits } of clients.flatMap(endsOf)) {
      const answered = networks.filter((network) => client.sends.some((sent) => overlap(sent, network)));
      if (!answered.some((network) => bits.some((own) => areOfOneFamily(own, networkBits(network))))) continue;
      builder.reach(place, id);
      builder.link(place, server, carrier);
      builder.link(server, client.id, 'wireguard');
      if (client.services.length === 0) continue;
      const served = builder.place({
        id: `${client.id}/services`,
        kind: 'served',
        title: `Services of ${client.title}`,
        details: client.services,
      });
      builder.reach(place, served);
      builder.link(place, served, 'routed');
      builder.link(served, server, 'routed', 'by kube-proxy');
    }
  }
}

/** The networks of rules, as far as they are sent through the tunnel at all. */
function allowedOf(allow: Allow, sends: readonly string[]): string[] {
  const networks = Object.values(allow).flatMap((rule) => (rule.ports?.length === 0 ? [] : (rule.networks ?? [])));
  return networks.flatMap((network) =>
    sends.filter((sent) => overlap(sent, network)).map((sent) => (contains(sent, network) ? network : sent)),
  );
}

import type { z } from 'zod';
import { isIpv6 } from '../net/address';
import { contains, overlap } from '../net/cidr';
import type { kiloValues } from '../../values/kilo';
import { servicesOf } from './peers';
import { groupsOf, shortened, TopologyBuilder, type Topology } from './topology';

type Values = z.output<typeof kiloValues>;
type Peer = Values['peers'][string];

/** Peers that are alike, or one. */
interface Client {
  readonly id: string;
  readonly title: string;
  readonly peers: readonly Peer[];
}

/** Who reaches whom through a mesh of Kilo of these values. */
export function kiloTopology(values: Values, fullname: string): Topology {
  const builder = new TopologyBuilder();
  const area = builder.area('cluster', 'Kubernetes cluster');
  const { podCidrs, nodeCidrs, serviceCidrs } = values.cluster;
  const ofNodes = 'as the Node objects say';
  const pods = builder.place({ id: 'pods', kind: 'pods', title: 'pods', details: listed(podCidrs, ofNodes), area });
  const nodes = builder.place({
    id: 'nodes',
    kind: 'nodes',
    title: 'nodes',
    details: listed(nodeCidrs, ofNodes),
    area,
  });
  const mesh = builder.place({ id: 'mesh', kind: 'agents', title: fullname, details: meshDetails(values), area });
  const clients = groupsOf(values.peers, (_name, peer) => likenessOf(values, peer)).map(clientOf);

  for (const client of clients) {
    const { id, peers, title } = client;
    builder.place({ id, kind: 'peer', title, details: clientDetails(client) });
    const behind = peers.flatMap(({ routedNetworks = [] }) => routedNetworks);
    const ends = [{ end: id, networks: peers.flatMap(({ addresses }) => addresses) }];
    if (behind.length > 0) {
      const network = builder.place({
        id: `${id}/behind`,
        kind: 'network',
        title: `behind ${title}`,
        details: shortened(behind),
      });
      ends.push({ end: network, networks: behind });
      builder.linkBothWays(network, id, 'routed');
      builder.reach(network, id);
      builder.reach(id, network);
    }
    builder.linkBothWays(mesh, id, 'wireguard');

    const sends = sentBy(values, peers[0]);
    for (const { end, networks } of ends) {
      for (const [inside, own] of [
        [pods, podCidrs],
        [nodes, nodeCidrs],
      ] as const) {
        if (!haveFamily(networks, own)) continue;
        builder.linkBothWays(inside, mesh, 'routed');
        builder.reach(inside, end);
        builder.reach(end, inside);
      }
      if (haveFamily(networks, serviceCidrs) && serviceCidrs.some((own) => sends.some((to) => overlap(own, to)))) {
        const services = builder.place({
          id: 'services',
          kind: 'services',
          title: 'Services',
          details: shortened(serviceCidrs),
          area,
        });
        builder.link(mesh, services, 'routed', 'by kube-proxy');
        builder.reach(end, services);
      }
      const inCluster = [...podCidrs, ...nodeCidrs, ...serviceCidrs, values.subnet];
      const others = sends.filter((to) => haveFamily(networks, [to]) && !inCluster.some((own) => contains(own, to)));
      if (others.length === 0) continue;
      const reached = builder.place({
        id: `outside/${others.join(' ')}`,
        kind: 'reached',
        title: 'what the nodes reach of',
        details: shortened(others),
      });
      builder.link(mesh, reached, 'masqueraded');
      builder.reach(end, reached);
    }

    const services = servicesOf(peers);
    if (services.length === 0) continue;
    const served = builder.place({
      id: `${id}/services`,
      kind: 'served',
      title: `Services of ${title}`,
      details: services,
      area,
    });
    builder.link(served, mesh, 'routed', 'by kube-proxy');
    for (const inside of [pods, nodes]) {
      builder.link(inside, served, 'routed');
      builder.reach(inside, served);
    }
  }
  addPeerReaches(builder, clients);
  return builder.topology(`Kilo ${fullname}: who reaches whom`);
}

const listed = (networks: readonly string[], otherwise: string): string[] =>
  networks.length === 0 ? [otherwise] : shortened(networks);

/** Whether some of the networks are of one family. Those of the cluster that the values do not name are of IPv4. */
function haveFamily(networks: readonly string[], others: readonly string[]): boolean {
  const families = others.length === 0 ? [false] : others.map(isIpv6);
  return networks.some((network) => families.includes(isIpv6(network)));
}

function meshDetails({ cni, interfaceName, listenPort, meshGranularity, nodeSelector, subnet }: Values): string[] {
  const selector = Object.entries(nodeSelector).filter(([key]) => key !== 'kubernetes.io/os');
  return [
    ...(selector.length === 0 ? ['on every node'] : selector.map(([key, value]) => `on nodes with ${key}=${value}`)),
    cni.plugin === 'kilo'
      ? 'the network plugin'
      : `beside ${cni.plugin === 'other' ? 'another network plugin' : cni.plugin}`,
    `${interfaceName}: ${subnet}, UDP ${String(listenPort)}`,
    meshGranularity === 'full' ? 'WireGuard between all nodes' : 'WireGuard between locations',
  ];
}

/** What the file of a peer sends to the mesh beside the networks of nodes and pods. */
function sentBy({ client, cluster }: Values, peer: Peer | undefined): readonly string[] {
  return peer?.client?.allowedIPs ?? client.allowedIPs ?? cluster.serviceCidrs;
}

/** What peers have in common that one place can stand for. Those that others find are seen by themselves. */
function likenessOf(values: Values, peer: Peer): string {
  const families = (networks: readonly string[]): boolean[] => [...new Set(networks.map(isIpv6))].sort();
  return JSON.stringify([
    families(peer.addresses),
    families(peer.routedNetworks ?? []),
    sentBy(values, peer),
    peer.endpoint ?? null,
    peer.services ?? null,
  ]);
}

function clientOf(members: readonly (readonly [name: string, peer: Peer])[]): Client {
  const [[name]] = members as [readonly [string, Peer]];
  return {
    id: `peer/${name}`,
    title: members.length === 1 ? name : `${String(members.length)} peers`,
    peers: members.map(([, peer]) => peer),
  };
}

function clientDetails({ peers }: Client): string[] {
  const [{ client, endpoint }] = peers as [Peer];
  return [
    ...shortened(
      peers.flatMap(({ addresses }) => addresses),
      3,
    ),
    ...shortened(
      (client?.allowedIPs ?? []).map((to) => `sends ${to}`),
      4,
    ),
    ...(endpoint === undefined ? [] : [`at ${endpoint}`]),
  ];
}

/** The file of a peer has the others too: they reach each other without the mesh where one of them finds the other. */
function addPeerReaches(builder: TopologyBuilder, clients: readonly Client[]): void {
  const isFound = ({ peers }: Client): boolean => peers.some(({ endpoint }) => endpoint !== undefined);
  for (const [index, one] of clients.entries()) {
    for (const other of clients.slice(index + 1)) {
      if (!isFound(one) && !isFound(other)) continue;
      builder.linkBothWays(one.id, other.id, 'wireguard');
      const ends = (client: Client): [id: string, networks: readonly string[]][] => {
        const behind = client.peers.flatMap(({ routedNetworks = [] }) => routedNetworks);
        const devices: [string, readonly string[]] = [client.id, client.peers.flatMap(({ addresses }) => addresses)];
        return behind.length === 0 ? [devices] : [devices, [`${client.id}/behind`, behind]];
      };
      for (const [from, networks] of ends(one)) {
        for (const [to, others] of ends(other)) {
          if (!haveFamily(networks, others)) continue;
          builder.reach(from, to);
          builder.reach(to, from);
        }
      }
    }
  }
}

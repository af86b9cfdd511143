import type { z } from 'zod';
import { isIpv6 } from '../net/address';
import { overlap } from '../net/cidr';
import type { ipsecValues } from '../../values/ipsec';
import { shortened, TopologyBuilder, type Topology } from './topology';

type Values = z.output<typeof ipsecValues>;
type Gateway = Values['gateways'][string];
type Tunnel = Values['tunnels'][string];

/** What of the cluster has addresses. */
interface Inside {
  readonly id: 'pods' | 'nodes' | 'services';
  readonly networks: readonly string[];
}

/** A network behind remote ends, and what of the cluster is reached from it, tunnel by tunnel. */
interface Behind {
  readonly cidr: string;
  readonly line: string;
  /** The name of an import; absent: it stands in the values of tunnels. */
  readonly name?: string;
  readonly ways: Map<string, Inside[]>;
}

/** Whether nodes and gateways are joined: an agent on every node leads packets to the gateways and back. */
export const hasAgents = ({ agent, routes }: Values): boolean => agent.enabled ?? routes.mode === 'bgp';

/** Whether the remote end of a tunnel says by BGP what is behind it. */
const speaksBgp = ({ routes }: Values, { bgp }: Tunnel): boolean => routes.mode === 'bgp' && bgp !== undefined;

/** Who reaches whom through IPsec gateways of these values. */
export function ipsecTopology(values: Values, fullname: string): Topology {
  const builder = new TopologyBuilder();
  const isJoined = hasAgents(values);
  const area = builder.area('cluster', 'Kubernetes cluster');
  const inside = insideOf(values);
  for (const { id, networks } of inside)
    builder.place({ id, kind: id, title: id === 'services' ? 'Services' : id, details: shortened(networks), area });
  if (isJoined) addFabric(builder, values, area);
  for (const [name, gateway] of Object.entries(values.gateways))
    builder.place({
      id: `gateway/${name}`,
      kind: 'gateway',
      title: `gateway ${name}`,
      details: [`pod ${fullname}-${name}`, ...gatewayDetails(gateway)],
      area,
    });
  for (const [name, tunnel] of Object.entries(values.tunnels)) {
    const id = `tunnel/${name}`;
    builder.place({ id, kind: 'tunnel', title: `tunnel ${name}`, details: tunnelDetails(values, tunnel), area });
    const remote = builder.place(remoteOf(name, tunnel));
    builder.link(remote, id, 'esp', beginners(values, tunnel));
    builder.link(id, `gateway/${tunnel.gateway}`, 'routed');
    if (!isJoined) continue;
    builder.link(id, remote, 'esp');
    builder.link(`gateway/${tunnel.gateway}`, id, 'routed');
  }
  addReaches(builder, values, inside);
  return builder.topology(`IPsec gateways ${fullname}: who reaches whom`);
}

function insideOf({ cluster: { podCidrs, nodeCidrs, serviceCidrs } }: Values): Inside[] {
  const all: Inside[] = [
    { id: 'pods', networks: podCidrs },
    { id: 'nodes', networks: nodeCidrs },
    { id: 'services', networks: serviceCidrs },
  ];
  return all.filter(({ networks }) => networks.length > 0);
}

/** The agents, and the overlay that joins them with the gateways. */
function addFabric(builder: TopologyBuilder, { agent, cluster, gateways, routes }: Values, area: string): void {
  const { overlay } = routes;
  const selector = Object.entries(agent.nodeSelector).map(([key, value]) => `on nodes with ${key}=${value}`);
  builder.place({
    id: 'agents',
    kind: 'agents',
    title: selector.length === 0 ? 'agent on every node' : 'agents',
    details: [...selector, 'routes over all gateways', 'pods keep their addresses'],
    area,
  });
  const hasIpv6 = [...cluster.podCidrs, ...cluster.serviceCidrs, ...cluster.nodeCidrs].some(isIpv6);
  builder.place({
    id: 'overlay',
    kind: 'overlay',
    title: 'overlay',
    details: [
      `VXLAN ${String(overlay.vni)}, UDP ${String(overlay.port)}`,
      `nodes ${overlay.nodeNetwork}`,
      `gateways ${overlay.gatewayNetwork}`,
      ...(hasIpv6 ? [overlay.ipv6Network] : []),
      `BGP, AS ${String(routes.internalAs ?? routes.localAs ?? PRIVATE_AS)}`,
    ],
    area,
  });
  builder.linkBothWays('agents', 'overlay', 'overlay');
  for (const name of Object.keys(gateways)) builder.linkBothWays('overlay', `gateway/${name}`, 'overlay');
}

/** The autonomous system where the values name none: one for private use (RFC 6996). */
const PRIVATE_AS = 64_512;

function gatewayDetails({ exposure = 'loadBalancer', identity, service }: Gateway): string[] {
  const { loadBalancerIP, ikeNodePort, natTNodePort } = service ?? {};
  const nodePorts =
    ikeNodePort === undefined || natTNodePort === undefined
      ? 'of every node'
      : `${String(ikeNodePort)} and ${String(natTNodePort)} of every node`;
  const reached = {
    loadBalancer: `load balancer${loadBalancerIP === undefined ? '' : ` ${loadBalancerIP}`}, UDP 500 and 4500`,
    nodePort: `UDP ports ${nodePorts}`,
    hostPort: 'UDP 500 and 4500 of its node',
  }[exposure];
  return [reached, ...(identity === undefined ? [] : [`identity ${identity}`])];
}

function tunnelDetails(values: Values, tunnel: Tunnel): string[] {
  const { mode = 'route', preset, inside, bgp, children } = tunnel;
  return [
    `mode ${mode}${preset === undefined ? '' : `, preset ${preset}`}`,
    ...(inside === undefined ? [] : [`${inside.local} ↔ ${inside.remote}`]),
    ...(bgp === undefined || !speaksBgp(values, tunnel)
      ? []
      : [`BGP, AS ${String(values.routes.localAs ?? PRIVATE_AS)} ↔ ${String(bgp.peerAs)}`]),
    ...shortened(
      Object.entries(children ?? {}).flatMap(([name, { localTs, remoteTs }]) =>
        localTs === undefined && remoteTs === undefined
          ? []
          : [`${name}: ${(localTs ?? ['all']).join(', ')} ↔ ${(remoteTs ?? ['all']).join(', ')}`],
      ),
    ),
  ];
}

/** The remote end of a tunnel. Tunnels to one end share it. */
function remoteOf(name: string, { remote, bgp }: Tunnel): Parameters<TopologyBuilder['place']>[0] {
  const { address, identity } = remote;
  return {
    id: `remote/${address === undefined && identity === undefined ? `of ${name}` : `${address ?? ''} ${identity ?? ''}`}`,
    kind: 'remote',
    title: 'remote end',
    details: [
      address ?? 'at any address',
      ...(identity === undefined ? [] : [`identity ${identity}`]),
      ...(bgp?.peerAddress === undefined ? [] : [`BGP at ${bgp.peerAddress}`]),
    ],
  };
}

/** Which end begins the tunnel. */
function beginners({ gateways }: Values, { gateway, initiate = 'auto', preset, remote }: Tunnel): string {
  const { exposure, sendsFromExposedAddress = exposure === 'hostPort' } = gateways[gateway] ?? {};
  const ours =
    initiate === 'always' || (initiate === 'auto' && remote.address !== undefined && sendsFromExposedAddress);
  const theirs = remote.initiates ?? preset !== 'aws';
  if (ours && theirs) return 'either end begins';
  return ours ? 'the gateway begins' : 'the remote end begins';
}

/* Who reaches whom. */

function addReaches(builder: TopologyBuilder, values: Values, inside: readonly Inside[]): void {
  const isJoined = hasAgents(values);
  const groups = new Map<string, Behind[]>();
  for (const behind of networksBehind(values, inside)) {
    const likeness = JSON.stringify([
      behind.name ?? null,
      [...behind.ways].map(([tunnel, reached]) => [tunnel, reached.map(({ id }) => id)]),
    ]);
    groups.set(likeness, [...(groups.get(likeness) ?? []), behind]);
  }
  const remotes = new Map(Object.entries(values.tunnels).map(([name, tunnel]) => [name, remoteOf(name, tunnel).id]));
  for (const [likeness, members] of groups) {
    const [{ name, ways }] = members as [Behind];
    const tunnels = [...ways.keys()];
    const place = builder.place({
      id: `behind/${likeness}`,
      kind: 'network',
      title:
        name ?? (tunnels.length > 2 ? `behind ${String(tunnels.length)} tunnels` : `behind ${tunnels.join(' and ')}`),
      details: shortened(members.map(({ line }) => line)),
    });
    for (const [tunnel, reached] of ways) {
      const remote = remotes.get(tunnel) ?? '';
      if (reached.length === 0) continue;
      builder.link(place, remote, 'routed');
      if (isJoined) builder.link(remote, place, 'routed');
      for (const { id } of reached) {
        builder.reach(place, id);
        // A Service opens no connections, and without agents nothing of the cluster knows the way.
        if (isJoined && id !== 'services') builder.reach(id, place);
        if (!isJoined) builder.link(`gateway/${values.tunnels[tunnel]?.gateway ?? ''}`, id, 'masqueraded');
        else if (id === 'services') builder.link('agents', id, 'routed', 'by kube-proxy');
        else builder.linkBothWays(id, 'agents', 'routed');
      }
    }
  }
}

/** The networks behind the remote ends: those that tunnels name, and those that are taken by BGP. */
function networksBehind(values: Values, inside: readonly Inside[]): Behind[] {
  const found = new Map<string, Behind>();
  const add = (tunnel: string, cidr: string, rest: Pick<Behind, 'line' | 'name'>): void => {
    const key = `${rest.name ?? ''} ${cidr}`;
    const behind = found.get(key) ?? { cidr, ...rest, ways: new Map<string, Inside[]>() };
    found.set(key, behind);
    behind.ways.set(
      tunnel,
      inside.filter(({ networks }) => networks.some((network) => isCarried(values, tunnel, network, cidr))),
    );
  };
  for (const [name, tunnel] of Object.entries(values.tunnels)) {
    for (const cidr of tunnel.remote.networks ?? []) add(name, cidr, { line: cidr });
    if (!speaksBgp(values, tunnel)) continue;
    const speaker = tunnel.bgp?.peerAddress ?? tunnel.inside?.remote ?? '';
    for (const [taken, { cidr, maxLength, whenDown }] of Object.entries(values.routes.import)) {
      // A session takes networks of its own family.
      if (isIpv6(speaker) !== isIpv6(cidr)) continue;
      const parts = maxLength === undefined ? '' : `, parts up to /${String(maxLength)}`;
      const line = `${cidr}${parts}${whenDown === 'pass' ? ', in clear while it is down' : ''}`;
      add(name, cidr, { line, name: taken });
    }
  }
  return [...found.values()];
}

/** Whether packets between a network of the cluster and one behind a tunnel pass it. */
function isCarried(values: Values, name: string, local: string, remote: string): boolean {
  const tunnel = values.tunnels[name];
  if (tunnel === undefined || isIpv6(local) !== isIpv6(remote)) return false;
  // What the remote end is not told it does not know the way to.
  if (speaksBgp(values, tunnel) && !exported(values).some((network) => overlap(network, local))) return false;
  const children = Object.values(tunnel.children ?? { [name]: {} });
  return children.some(
    ({ localTs = [local], remoteTs = [remote] }: NonNullable<Tunnel['children']>[string]) =>
      localTs.some((network) => overlap(network, local)) && remoteTs.some((network) => overlap(network, remote)),
  );
}

/** The networks that remote ends are told by BGP. */
function exported({ cluster, routes }: Values): string[] {
  const named = new Map([
    ['pods', cluster.podCidrs],
    ['nodes', cluster.nodeCidrs],
    ['services', cluster.serviceCidrs],
  ]);
  return routes.export.flatMap((what) => named.get(what) ?? [what]);
}

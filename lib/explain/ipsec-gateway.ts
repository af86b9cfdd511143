import { canonical } from '../net/address-number';
import { addressOf as withoutLength } from '../net/cidr';
import { coverOf, entryWith, unknownAddress, versionOf, type Address, type Version } from './address';
import { exitsOf, FROM_OVERLAY, stepsOf, type Cluster, type Known } from './cluster';
import { mssStep } from './mss';
import {
  BGP_METRIC,
  GATEWAY_LINK,
  gatewayMainRoutes,
  gatewayMtuBytes,
  gatewayOverlay,
  gatewayRules,
  gatewayTableRoutes,
  NODES,
  PROTOCOL,
  REMOTES,
  type Fabric,
  type Outside,
} from './overlay';
import { decide, Table, type NextHop, type Route, type Routing, type Rule } from './routing';
import {
  remembered,
  type Exit,
  type Handling,
  type Host,
  type Outcome,
  type Packet,
  type Step,
  type Translation,
} from './walk';

/** A child SA: packets of these networks, and no others, pass. */
export interface Child {
  readonly name: string;
  readonly local: readonly Known[];
  readonly remote: readonly Known[];
}

/** A tunnel of a gateway. */
export interface Tunnel {
  readonly name: string;
  readonly gateway: string;
  /** Absent: policies lead packets into it. */
  readonly link?: { readonly name: string; readonly id: number };
  readonly inside?: { readonly local: string; readonly remote: string };
  /** The address of the BGP speaker of the remote end, which says what is behind it; absent: the values do. */
  readonly speaker?: string;
  readonly networks: readonly Known[];
  readonly children: readonly Child[];
  readonly proposals: string;
  /** How the packets that carry all others pass outside, on their way to the remote end and on their way to the gateway. */
  readonly outwards: string;
  readonly inwards: string;
  readonly mtu: { readonly bytes: number; readonly from: string };
}

/** What a gateway is told, and what it is joined to. */
export interface GatewaySite {
  readonly name: string;
  readonly tunnels: readonly Tunnel[];
  /** Of gateways that nodes are joined to. */
  readonly fabric?: Fabric;
  /** Networks that are taken from remote ends by BGP. */
  readonly imports: readonly (Known & { readonly longest: number })[];
  readonly outside: Outside;
  /** The largest packet of all tunnels, to which TCP segments are clamped, in bytes. */
  readonly smallestBytes: number;
  /** What nodes have told it, by their overlay addresses; each with the host that it leads to. */
  readonly learned: (version: Version) => readonly Route[];
  /** To whom a next hop of the overlay leads. */
  readonly node: (hop: NextHop, destination: Address) => Host;
  readonly cluster: Cluster;
  readonly remote: (tunnel: string) => Host;
}

/** What holds a network while the interface of its tunnel is away: network.sh. */
export const HOLD_METRIC = 4_278_198_272;
const CHAIN = 'table inet vpn';
const ANYWHERE = { 4: '0.0.0.0/0', 6: '::/0' } as const;

/** How a packet finds its child SA, and whether that has all of it. */
export function childOf(
  { children }: Tunnel,
  from: Address,
  to: Address,
  direction: 'out' | 'in',
): { readonly child: Child; readonly isPart: boolean; readonly from?: string } | undefined {
  let part: { child: Child; isPart: true; from?: string } | undefined;
  for (const child of children) {
    const [sources, destinations] = direction === 'out' ? [child.local, child.remote] : [child.remote, child.local];
    const source = entryWith(sources, ({ cidr }) => cidr, from);
    const destination = entryWith(destinations, ({ cidr }) => cidr, to);
    if (source === undefined || destination === undefined) continue;
    const ends = { child, from: (direction === 'out' ? source : destination).entry.from };
    if (source.cover === 'all' && destination.cover === 'all') return { ...ends, isPart: false };
    part ??= { ...ends, isPart: true };
  }
  return part;
}

/** A gateway: the network of a pod with its tunnels (lib/strongswan/network.sh, lib/frr/plan.py). */
export class GatewayHost implements Host, Routing {
  readonly title: string;
  /** The address of the pod, which only the cluster knows. */
  readonly addresses: Readonly<Record<Version, Address>>;
  readonly #tables = new Map<string, Table>();

  constructor(private readonly site: GatewaySite) {
    this.title = `gateway ${site.name}`;
    const text = `the pod of gateway ${site.name}`;
    this.addresses = { 4: unknownAddress(text, 4), 6: unknownAddress(text, 6) };
    for (const address of Object.values(this.addresses)) site.cluster.addPod(address, this);
  }

  handle(given: Packet, by: string | undefined): Handling {
    const steps: Step[] = [];
    const packet = this.#untranslated(given, steps);
    const inwards = this.#inwards(packet, by);
    if (inwards !== undefined) return { steps, exits: [{ steps: [], onwards: inwards }] };
    // What comes out of a policy comes in by the interface on which it was sealed.
    const interfaceName = by?.startsWith(SEALED) === true ? this.site.outside.device : by;
    const decision = decide(this, packet, interfaceName);
    if (decision === undefined)
      return { steps, exits: [{ steps: [], onwards: { verdict: 'lost', text: 'no route' } }] };
    steps.push(...stepsOf(decision));
    return { steps, decision, exits: exitsOf(decision, (hop) => this.#leave(packet, hop, by)) };
  }

  rules(version: Version): readonly Rule[] {
    const { fabric, outside } = this.site;
    return fabric === undefined ? [] : gatewayRules(fabric, version, outside);
  }

  table(name: string, version: Version): Table {
    const key = `${name}/${String(version)}`;
    const known = this.#tables.get(key) ?? new Table(this.#routes(name, version));
    this.#tables.set(key, known);
    return known;
  }

  #routes(name: string, version: Version): Route[] {
    const { fabric, outside, tunnels, learned } = this.site;
    if (name === 'main') return this.#main(version);
    if (fabric === undefined) return [];
    const up = tunnels.map((tunnel) => tunnel.name);
    const known = gatewayTableRoutes(fabric, name, version, up, outside).map((route) => this.#named(route));
    return [...known, ...(name === NODES ? learned(version) : name === REMOTES ? this.#taken(version) : [])];
  }

  /** With the value that has exactly that network. */
  #named(route: Route): Route {
    const known = this.site.tunnels
      .flatMap(({ networks }) => networks)
      .find(({ cidr }) => canonical(cidr) === route.destination);
    if (route.kind === 'unreachable') return { ...route, note: 'nothing that is for the other side goes elsewhere' };
    return known === undefined ? route : { ...route, from: known.from, note: 'while its children are installed' };
  }

  /** What remote ends tell by BGP. */
  #taken(version: Version): Route[] {
    const speakers = this.site.tunnels.flatMap(({ speaker, link }) =>
      speaker !== undefined && link !== undefined && versionOf(speaker) === version
        ? [{ device: link.name, gateway: speaker }]
        : [],
    );
    if (speakers.length === 0) return [];
    return this.site.imports
      .filter(({ cidr }) => versionOf(cidr) === version)
      .map(({ cidr, longest, from }) => ({
        destination: canonical(cidr),
        kind: 'unicast',
        hops: speakers,
        protocol: 'bgp',
        metric: BGP_METRIC,
        from,
        note: `or a part of it up to /${String(longest)}, as the remote ends announce it`,
      }));
  }

  #main(version: Version): Route[] {
    const { fabric, outside, tunnels } = this.site;
    const gateway = outside.gateways[version];
    const own: Route[] = [
      {
        destination: ANYWHERE[version],
        kind: 'unicast',
        hops: [{ device: outside.device, ...(gateway !== undefined && { gateway }) }],
        note: 'the pod’s own way, of the CNI',
      },
    ];
    const routes = tunnels.flatMap(({ link, networks, inside, speaker, name }): Route[] => {
      if (link === undefined) return [];
      const led = [
        ...networks,
        ...(speaker === undefined || speaker === inside?.remote
          ? []
          : [{ cidr: speaker, from: `tunnels.${name}.bgp.peerAddress` }]),
      ];
      return [
        ...(inside === undefined ? [] : [this.#by(link.name, inside.remote, `tunnels.${name}.inside.remote`)]),
        ...led.flatMap(({ cidr, from }): Route[] => [
          this.#by(link.name, cidr, from),
          {
            destination: canonical(cidr),
            kind: 'unreachable',
            hops: [],
            protocol: PROTOCOL,
            metric: HOLD_METRIC,
            from,
            note: 'while the interface of the tunnel is away',
          },
        ]),
      ].filter(({ destination }) => versionOf(destination) === version);
    });
    return [...(fabric === undefined ? [] : gatewayMainRoutes(fabric, version)), ...routes, ...own];
  }

  #by(device: string, cidr: string, from: string): Route {
    const destination = canonical(cidr);
    return {
      destination,
      kind: 'unicast',
      hops: [{ device }],
      protocol: PROTOCOL,
      ...(versionOf(destination) === 6 && { metric: 1024 }),
      from,
    };
  }

  /** An answer to what had the pod's address in the place of its own. */
  #untranslated(packet: Packet, steps: Step[]): Packet {
    const known = remembered(this, packet);
    if (known === undefined) return packet;
    steps.push({
      kind: 'nat',
      text: `the answer is for ${known.before.text} again, in whose place the pod’s address was`,
    });
    return { ...packet, destination: known.before };
  }

  /** Of what comes from elsewhere than a tunnel, nothing may be of a remote network: chain inwards. */
  #inwards({ source, destination }: Packet, by: string | undefined): Outcome | undefined {
    const own = this.#own(destination, by);
    if (own !== undefined) return own;
    if (by !== undefined && this.#tunnelOf(by) !== undefined) return undefined;
    const remote = this.#remote(source);
    return remote === undefined
      ? undefined
      : {
          verdict: 'dropped',
          text: `${CHAIN}, inwards: what is of a remote network comes out of its tunnel only`,
          from: remote.from,
        };
  }

  /** What becomes of packets for the gateway itself: chain spoken_to. */
  #own(destination: Address, by: string | undefined): Outcome | undefined {
    const { fabric, tunnels } = this.site;
    const arrives: Outcome = { verdict: 'arrives', text: 'at the gateway itself' };
    const overlay =
      fabric === undefined ? undefined : gatewayOverlay(fabric.overlay.address, fabric.overlay, destination.version);
    if (overlay !== undefined && coverOf(overlay, destination) === 'all')
      return by === GATEWAY_LINK
        ? arrives
        : { verdict: 'dropped', text: `${CHAIN}, spoken_to: only nodes speak with it` };
    const isInside = tunnels.some(
      ({ inside }) => inside !== undefined && coverOf(withoutLength(inside.local), destination) === 'all',
    );
    return isInside || Object.values(this.addresses).includes(destination) ? arrives : undefined;
  }

  /** The tunnel out of which a packet has come. */
  #tunnelOf(by: string): Tunnel | undefined {
    return this.site.tunnels.find((tunnel) => by === entranceOf(tunnel));
  }

  /** The network of the sets remote4 and remote6 that has an address. */
  #remote(address: Address): Known | undefined {
    const { tunnels, imports } = this.site;
    const speaks = tunnels.some(({ speaker }) => speaker !== undefined);
    const all = [...tunnels.flatMap(({ networks }) => networks), ...(speaks ? imports : [])];
    return entryWith(all, ({ cidr }) => cidr, address)?.entry;
  }

  #cluster(address: Address): Known | undefined {
    const { pods, services, nodes } = this.site.cluster.networks;
    return entryWith([...pods, ...services, ...nodes], ({ cidr }) => cidr, address)?.entry;
  }

  #leave(packet: Packet, hop: NextHop, by: string | undefined): Exit {
    const { tunnels, outside } = this.site;
    const entrance = by === undefined ? undefined : this.#tunnelOf(by);
    const into = tunnels.find(({ link }) => link?.name === hop.device);
    if (into !== undefined) return this.#intoTunnel(packet, into, by, entrance);
    if (entrance === undefined && hop.device === outside.device) return this.#byPolicy(packet, by);
    return this.#intoCluster(packet, hop, by, entrance);
  }

  /** Out of the pod, where a policy may lead it into a tunnel. */
  #byPolicy(packet: Packet, by: string | undefined): Exit {
    const policies = this.site.tunnels.filter(({ link }) => link === undefined);
    const into = policies.find((tunnel) => childOf(tunnel, packet.source, packet.destination, 'out') !== undefined);
    if (into !== undefined) return this.#intoTunnel(packet, into, by, undefined);
    const remote = this.#remote(packet.destination);
    if (remote !== undefined)
      return {
        steps: [],
        onwards: {
          verdict: 'dropped',
          text: `${CHAIN}, outwards: no policy leads ${packet.source.text} to ${packet.destination.text} into a tunnel`,
          from: remote.from,
        },
      };
    if (by === GATEWAY_LINK)
      return { steps: [], onwards: { verdict: 'dropped', text: `${CHAIN}, from_nodes: it is for no tunnel` } };
    return { steps: [], onwards: { verdict: 'in clear', text: 'it leaves the pod through no tunnel' } };
  }

  #intoTunnel(packet: Packet, tunnel: Tunnel, by: string | undefined, entrance: Tunnel | undefined): Exit {
    const { smallestBytes, outside, remote } = this.site;
    const { source, destination } = packet;
    const steps: Step[] = [];
    if (entrance !== undefined)
      return {
        steps,
        onwards: {
          verdict: 'dropped',
          text: `${CHAIN}, ${chainOf(entrance)}: what comes out of a tunnel may go to the cluster only`,
        },
      };
    if (by === GATEWAY_LINK) {
      const known = this.#cluster(source);
      if (known === undefined)
        return {
          steps,
          onwards: {
            verdict: 'dropped',
            text: `${CHAIN}, from_nodes: the source ${source.text} is of no network of cluster`,
          },
        };
      steps.push({ kind: 'filter', text: `${CHAIN}, from_nodes: source ${source.text} passes`, from: known.from });
    }
    steps.push(mssStep(`${CHAIN}, clamp`, smallestBytes, destination.version));
    if (tunnel.link !== undefined)
      steps.push({ kind: 'link', text: `${tunnel.link.name} mtu ${String(tunnel.mtu.bytes)}`, from: tunnel.mtu.from });
    else
      steps.push({
        kind: 'link',
        text: `${outside.device}: at most ${String(tunnel.mtu.bytes)} bytes fit into ESP`,
        from: tunnel.mtu.from,
      });
    const found = childOf(tunnel, source, destination, 'out');
    if (found === undefined)
      return {
        steps,
        onwards: {
          verdict: 'refused',
          text: `no policy of ${tunnel.name} is for ${source.text} to ${destination.text}`,
          from: `tunnels.${tunnel.name}.children`,
        },
      };
    steps.push(...saSteps(tunnel, found, 'out'));
    steps.push({ kind: 'outer', text: tunnel.outwards, from: `tunnels.${tunnel.name}.remote.address` });
    steps.push({
      kind: 'link',
      text: `${outside.device} mtu ${String(outside.mtuBytes)}, of the packets that carry it`,
    });
    return {
      steps,
      mtuBytes: tunnel.mtu.bytes,
      isPart: found.isPart,
      onwards: { host: remote(tunnel.name), by: tunnel.name, packet },
    };
  }

  /** Out of a tunnel, or an answer, into the cluster. */
  #intoCluster(packet: Packet, hop: NextHop, by: string | undefined, entrance: Tunnel | undefined): Exit {
    const { source, destination } = packet;
    const { smallestBytes, fabric, outside, node, cluster } = this.site;
    const steps: Step[] = [];
    if (entrance !== undefined) {
      const [from, to] = [this.#granted(entrance, source), this.#cluster(destination)];
      if (from === undefined || to === undefined)
        return {
          steps,
          onwards: {
            verdict: 'dropped',
            text: `${CHAIN}, ${chainOf(entrance)}: ${from === undefined ? `the source ${source.text} is of no network behind ${entrance.name}` : `the destination ${destination.text} is of no network of cluster`}`,
          },
        };
      steps.push({
        kind: 'filter',
        text: `${CHAIN}, ${chainOf(entrance)}: from ${source.text} to ${destination.text} passes`,
        from: to.from,
      });
      steps.push(mssStep(`${CHAIN}, clamp`, smallestBytes, destination.version));
    } else if (by === GATEWAY_LINK)
      return { steps, onwards: { verdict: 'dropped', text: `${CHAIN}, from_nodes: it is for no tunnel` } };
    if (hop.device === GATEWAY_LINK && fabric !== undefined) {
      const mtuBytes = gatewayMtuBytes(fabric.overlay, outside);
      steps.push({ kind: 'link', text: `${GATEWAY_LINK} mtu ${String(mtuBytes)}`, from: 'routes.overlay.mtuBytes' });
      steps.push({
        kind: 'outer',
        text: `VXLAN ${String(fabric.overlay.vni)}, UDP ${String(fabric.overlay.port)}, from the pod’s address, which the CNI may translate, to the node’s`,
        from: 'routes.overlay',
      });
      return { steps, mtuBytes, onwards: { host: node(hop, destination), by: FROM_OVERLAY, packet } };
    }
    const after = this.addresses[destination.version];
    const translation: Translation = { host: this, before: source, after };
    if (entrance !== undefined)
      steps.push({
        kind: 'nat',
        text: `${CHAIN}, postrouting: ${after.text} takes the place of the source ${source.text} (masquerade)`,
      });
    steps.push({ kind: 'link', text: `${outside.device} mtu ${String(outside.mtuBytes)}` });
    const led = cluster.leads(destination);
    const next = { ...packet, source: after, translations: [...packet.translations, translation] };
    if (led !== undefined) return { steps, mtuBytes: outside.mtuBytes, onwards: { ...led, packet: next } };
    return { steps, mtuBytes: outside.mtuBytes, onwards: { host: cluster.host(undefined), by: 'a pod', packet: next } };
  }

  /** The network by which what comes out of a tunnel may pass. */
  #granted(tunnel: Tunnel, source: Address): Known | undefined {
    if (tunnel.link === undefined) return this.#remote(source);
    const { imports } = this.site;
    return entryWith([...tunnel.networks, ...(tunnel.speaker === undefined ? [] : imports)], ({ cidr }) => cidr, source)
      ?.entry;
  }
}

const chainOf = ({ link }: Tunnel): string => (link === undefined ? 'granted' : 'routed');

const SEALED = 'a policy of ';

/** By what a packet comes out of a tunnel. */
export const entranceOf = ({ link, name }: Tunnel): string => link?.name ?? `${SEALED}${name}`;

/** The policy and the SA that a packet meets. */
export function saSteps(
  tunnel: Tunnel,
  { child, from }: { readonly child: Child; readonly from?: string },
  direction: 'out' | 'in',
): Step[] {
  const list = (networks: readonly Known[]): string => networks.map(({ cidr }) => cidr).join(',');
  const [source, destination] = direction === 'out' ? [child.local, child.remote] : [child.remote, child.local];
  const id = tunnel.link === undefined ? '' : ` if_id ${String(tunnel.link.id)}`;
  return [
    {
      kind: 'policy',
      text: `dir ${direction} src ${list(source)} dst ${list(destination)}${id}`,
      ...(from !== undefined && { from }),
    },
    {
      kind: 'sa',
      text: `child ${child.name}: ESP in UDP, ${tunnel.proposals}`,
      from: `tunnels.${tunnel.name}.esp.proposals`,
    },
  ];
}

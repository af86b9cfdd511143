import type { z } from 'zod';
import { canonical } from '../net/address-number';
import { firstHost } from '../net/cidr';
import { refs, stage } from '../staged';
import { clientAllowedIPs, clientMtuBytes } from '../wireguard/client';
import { wireguardPeer, wireguardValues } from '../../values/wireguard';
import { addressOf, coverOf, entryWith, unknownAddress, versionOf, type Address, type Version } from './address';
import { Cluster, exitsOf, listOf, stepsOf, type Known, type OnNode, type Place } from './cluster';
import { mssStep } from './mss';
import { Prefixes } from './prefixes';
import { decide, Table, type NextHop, type Route, type Routing, type Rule } from './routing';
import type { Network, Site } from './site';
import { remembered, type Exit, type Handling, type Host, type Outcome, type Packet, type Step } from './walk';

type Values = z.output<typeof wireguardValues>;
type Peer = z.output<typeof wireguardPeer>;

/** The interface of a pod to everything else, as container runtimes name it. */
const POD_DEVICE = 'eth0';
/** The protocol of routes that server.sh makes, as the kernel shows it. */
const PROTOCOL = '86';
/** What WireGuard adds to a packet at most: over IPv6 (server.sh). */
const OVERHEAD_BYTES = 80;
const CHAIN = 'table inet vpn';
const ANYWHERE = { 4: '0.0.0.0/0', 6: '::/0' } as const;

/** What the chart `wireguard` makes of the ways of packets. */
export function wireguardNetwork(site: Site<Values>): Network {
  return new WireGuardNetwork(site);
}

/** A peer's network or address, and whose it is. */
interface Allowed extends Known {
  readonly peer: string;
}

/** What all hosts of the VPN know of it. */
interface Vpn {
  readonly site: Site<Values>;
  readonly server: ServerHost;
  readonly peers: ReadonlyMap<string, PeerHost>;
  /** The networks of the VPN and those behind its peers. */
  readonly networks: readonly Known[];
  readonly cluster: Cluster;
}

class WireGuardNetwork implements Network, Vpn {
  readonly cluster: Cluster;
  readonly outside: ReadonlyMap<string, readonly Place[]>;
  readonly assumptions: readonly string[];
  readonly mtus: Network['mtus'];
  readonly server: ServerHost;
  readonly peers: ReadonlyMap<string, PeerHost>;
  readonly networks: readonly Known[];
  readonly #allowed = new Prefixes<Allowed>();

  constructor(readonly site: Site<Values>) {
    const { network, network6, peers, peersFrom } = site.values;
    const own = [
      { cidr: network, from: 'network' },
      ...(network6 === undefined ? [] : [{ cidr: network6, from: 'network6' }]),
    ];
    const allowed = Object.entries(peers).flatMap(([peer, given]) => allowedOf(peer, given));
    for (const one of allowed) this.#allowed.add(one.cidr, one);
    this.networks = [...own, ...allowed.filter(({ from }) => from.includes('.routedNetworks['))];
    this.cluster = new Cluster(site.nodes, { pods: [], services: [], nodes: [] }, () => new VpnOnNode(this));
    this.server = new ServerHost(this, this.#allowed);
    this.peers = new Map(Object.keys(peers).map((name) => [name, new PeerHost(this, name)]));
    this.outside = new Map(
      Object.keys(peers).map((name) => [
        `peer:${name}`,
        allowed
          .filter(({ peer }) => peer === name)
          .map((one) => this.#peerPlace(addressOf(one.cidr), `peer:${name}`, one)),
      ]),
    );
    this.mtus = site.values.underlayMtu === undefined ? ['pod'] : [];
    this.assumptions = [
      'the server and its peers are connected',
      ...(Object.keys(peersFrom).length === 0 ? [] : ['the peers of peersFrom are not known here']),
    ];
  }

  #peerPlace(address: Address, name: string, { peer, from }: Allowed): Place {
    const isOwn = !from.includes('.routedNetworks[');
    return {
      name,
      address,
      about: isOwn ? `of the peer ${peer}` : `behind the peer ${peer}`,
      from,
      begins: [{ host: this.peers.get(peer) as Host }],
    };
  }

  placeOf(address: Address): Place {
    const [allowed] = this.#allowed.around(address);
    if (allowed !== undefined) return this.#peerPlace(address, address.text, allowed);
    const place = (about: string, from?: string): Place => ({
      name: address.text,
      address,
      about,
      ...(from !== undefined && { from }),
      begins: [],
    });
    const own = entryWith(this.networks, ({ cidr }) => cidr, address);
    if (own?.cover === 'all')
      return coverOf(firstHost(own.entry.cidr), address) === 'all'
        ? place('of the server itself', own.entry.from)
        : place('of no peer', own.entry.from);
    return {
      ...place('neither of a peer nor of a node or its pods, as far as these are known'),
      begins: [{ host: new BeyondHost(this) }],
    };
  }
}

function allowedOf(peer: string, { addresses, routedNetworks = [] }: Peer): Allowed[] {
  return [
    ...listOf(addresses, `peers.${peer}.addresses`),
    ...listOf(routedNetworks, `peers.${peer}.routedNetworks`),
  ].map((known) => ({ ...known, peer }));
}

/** What leads to the VPN from elsewhere in the mode `routed`: nothing of the release. */
const BY_OTHERS: Omit<Route, 'destination'> = {
  kind: 'unicast',
  hops: [{ device: 'the network of the cluster' }],
  note: 'only if that leads it to the server’s pod, which nothing of the release sees to',
  from: 'mode',
};

const ANSWERS_ONLY: Step = {
  kind: 'note',
  text: 'the peers are behind the address of the server’s pod: they are reached by answers alone',
  from: 'mode',
};

/** A node, on which nothing of the release is. */
class VpnOnNode implements OnNode {
  constructor(private readonly vpn: Vpn) {}

  remarks({ destination }: Packet): readonly Step[] {
    const isPeers = entryWith(this.vpn.networks, ({ cidr }) => cidr, destination) !== undefined;
    return isPeers && this.vpn.site.values.mode === 'masquerade' ? [ANSWERS_ONLY] : [];
  }

  routes(version: Version): readonly Route[] {
    return this.vpn.site.values.mode === 'routed' ? routesByOthers(this.vpn, version) : [];
  }

  owns(): boolean {
    return false;
  }

  enter(): { steps: readonly Step[] } {
    return { steps: [] };
  }

  leave(packet: Packet): Exit {
    return { steps: [], onwards: { host: this.vpn.server, by: POD_DEVICE, packet } };
  }
}

const routesByOthers = ({ networks }: Vpn, version: Version): Route[] =>
  networks
    .filter(({ cidr }) => versionOf(cidr) === version)
    .map(({ cidr }) => ({ ...BY_OTHERS, destination: canonical(cidr) }));

/** What is neither of the VPN nor of the cluster. */
class BeyondHost implements Host {
  readonly title = 'beyond';

  constructor(private readonly vpn: Vpn) {}

  handle(packet: Packet, by: string | undefined): Handling {
    if (by !== undefined)
      return {
        steps: [],
        exits: [
          {
            steps: [],
            onwards: {
              verdict: 'arrives',
              text: `where the cluster’s network leads packets of any pod, from ${packet.source.text}`,
            },
          },
        ],
      };
    const led = this.vpn.cluster.leads(packet.destination);
    if (led !== undefined) return { steps: [], exits: [{ steps: [], onwards: { ...led, packet } }] };
    const routed = this.vpn.site.values.mode === 'routed';
    const decision = decide(
      { rules: () => [], table: (_name, version) => new Table(routed ? routesByOthers(this.vpn, version) : []) },
      packet,
      undefined,
    );
    if (decision === undefined)
      return {
        steps: [],
        exits: [{ steps: [], onwards: { verdict: 'lost', text: 'nothing leads there from outside of the cluster' } }],
      };
    return {
      steps: stepsOf(decision),
      exits: [{ steps: [], onwards: { host: this.vpn.server, by: POD_DEVICE, packet } }],
    };
  }
}

/** A peer, with what is behind it, whose file is as `showconf` prints it. */
class PeerHost implements Host {
  readonly title: string;
  /** What it sends through the tunnel and takes out of it. */
  readonly #tunnelled: readonly Known[];
  readonly #own: readonly Known[];
  readonly #mtu: { readonly bytes: number; readonly from: string };

  constructor(
    private readonly vpn: Vpn,
    private readonly name: string,
  ) {
    this.title = `peer ${name}`;
    const { values, ask } = vpn.site;
    const given = values.peers[name] as Peer;
    const v = refs(wireguardValues);
    const [list, path] =
      given.client?.allowedIPs === undefined
        ? [values.client.allowedIPs, 'client.allowedIPs']
        : [given.client.allowedIPs, `peers.${name}.client.allowedIPs`];
    this.#own = allowedOf(name, given);
    this.#tunnelled = ask(clientAllowedIPs(v, stage(wireguardPeer, given)))
      .split(', ')
      .map((cidr) => {
        const index = list.indexOf(cidr);
        return { cidr, from: index < 0 ? 'dns.mode' : `${path}[${String(index)}]` };
      });
    this.#mtu = {
      bytes: ask(clientMtuBytes(v)),
      from: values.client.mtu === undefined && values.mtu !== undefined ? 'mtu' : 'client.mtu',
    };
  }

  handle(packet: Packet, by: string | undefined): Handling {
    return by === undefined ? this.#send(packet) : this.#receive(packet);
  }

  #receive({ source, destination }: Packet): Handling {
    const taken = entryWith(this.#tunnelled, ({ cidr }) => cidr, source);
    if (taken === undefined)
      return ended({
        verdict: 'dropped',
        text: `the peer takes nothing from ${source.text} out of the tunnel (AllowedIPs of its file)`,
        from: pathOfList(this.#tunnelled),
      });
    const step: Step = { kind: 'filter', text: `AllowedIPs: source ${source.text} passes`, from: taken.entry.from };
    const own = entryWith(this.#own, ({ cidr }) => cidr, destination);
    const isBehind = own?.entry.from.includes('.routedNetworks[') === true;
    return ended(
      {
        verdict: 'arrives',
        text: `${isBehind ? 'behind the peer' : 'at the peer'}, from ${source.text}`,
        from: own?.entry.from ?? 'peers',
      },
      [step],
      taken.cover === 'part',
    );
  }

  #send(packet: Packet): Handling {
    const { server, site } = this.vpn;
    const { destination } = packet;
    const led = entryWith(this.#tunnelled, ({ cidr }) => cidr, destination);
    if (led === undefined)
      return ended({
        verdict: 'in clear',
        text: `${destination.text} is of none of the networks that the peer sends through the tunnel`,
        from: pathOfList(this.#tunnelled),
      });
    const endpoint = site.values.endpoint ?? 'the server’s endpoint';
    const steps: Step[] = [
      { kind: 'link', text: `its tunnel, mtu ${String(this.#mtu.bytes)}`, from: this.#mtu.from },
      { kind: 'outer', text: `UDP to ${endpoint}: ${exposureOf(site.values)} the pod`, from: 'endpoint' },
    ];
    return {
      steps: [
        {
          kind: 'route',
          text: `${led.entry.cidr} by its tunnel, if its file is as cdk8s-vpn showconf prints it`,
          from: led.entry.from,
        },
      ],
      exits: [
        {
          steps,
          mtuBytes: this.#mtu.bytes,
          isPart: led.cover === 'part',
          onwards: { host: server, by: this.name, packet },
        },
      ],
    };
  }
}

/** How packets of the tunnels reach the pod, as the beginning of a sentence. */
function exposureOf({ service, hostPort, listenPort }: Values): string {
  const ways = [
    ...(service.enabled ? [`the Service (${service.type}, port ${String(service.port)})`] : []),
    ...(hostPort === undefined ? [] : [`the port ${String(hostPort)} of its node`]),
  ];
  return ways.length === 0
    ? `nothing leads to port ${String(listenPort)} of`
    : `${ways.join(' or ')} leads to port ${String(listenPort)} of`;
}

const pathOfList = (networks: readonly Known[]): string => (networks[0]?.from ?? '').replace(/\[[0-9]+\]$/, '');

const ended = (onwards: Outcome, steps: readonly Step[] = [], isPart = false): Handling => ({
  steps,
  exits: [{ steps: [], isPart, onwards }],
});

/** The server: the network of its pod (lib/wireguard/server.sh, config.ts). */
class ServerHost implements Host, Routing {
  readonly title = 'the server';
  readonly #addresses: Readonly<Record<Version, Address>> = {
    4: unknownAddress('the server’s pod', 4),
    6: unknownAddress('the server’s pod', 6),
  };
  readonly #tables = new Map<Version, Table>();
  readonly #restricted = new Prefixes<Allowed>();

  constructor(
    private readonly vpn: Vpn,
    private readonly allowed: Prefixes<Allowed>,
  ) {
    for (const address of Object.values(this.#addresses)) vpn.cluster.addPod(address, this);
    for (const [peer, given] of Object.entries(vpn.site.values.peers))
      if (given.allow !== undefined) for (const one of allowedOf(peer, given)) this.#restricted.add(one.cidr, one);
  }

  get #values(): Values {
    return this.vpn.site.values;
  }

  get #mtu(): { readonly bytes: number; readonly from: string } {
    const { mtu, underlayMtu } = this.#values;
    if (mtu !== undefined) return { bytes: mtu, from: 'mtu' };
    return { bytes: this.#podMtuBytes - OVERHEAD_BYTES, from: underlayMtu === undefined ? 'mtu' : 'underlayMtu' };
  }

  get #podMtuBytes(): number {
    return this.#values.underlayMtu ?? this.vpn.site.podMtuBytes;
  }

  rules(): readonly Rule[] {
    return [];
  }

  table(_name: string, version: Version): Table {
    const known = this.#tables.get(version) ?? new Table(this.#routes(version));
    this.#tables.set(version, known);
    return known;
  }

  #routes(version: Version): Route[] {
    const { interfaceName } = this.#values;
    const routes = this.vpn.networks.map(({ cidr, from }): Route => ({
      destination: canonical(cidr),
      kind: 'unicast',
      hops: [{ device: interfaceName }],
      protocol: from.startsWith('network') ? 'kernel' : PROTOCOL,
      ...(from.startsWith('network') && { source: firstHost(cidr) }),
      ...(versionOf(cidr) === 6 && { metric: from.startsWith('network') ? 256 : 1024 }),
      from,
    }));
    const own: Route = {
      destination: ANYWHERE[version],
      kind: 'unicast',
      hops: [{ device: POD_DEVICE }],
      note: 'the pod’s own way, of the CNI',
    };
    return [...routes.filter(({ destination }) => versionOf(destination) === version), own];
  }

  /** @param by the name of the peer out of whose tunnel it comes, or the interface of the pod */
  handle(given: Packet, by: string | undefined): Handling {
    const steps: Step[] = [];
    const known = remembered(this, given);
    const packet = known === undefined ? given : { ...given, destination: known.before };
    if (known !== undefined)
      steps.push({
        kind: 'nat',
        text: `the answer is for ${known.before.text} again, in whose place the pod’s address was`,
      });
    const peer = by === undefined || by === POD_DEVICE ? undefined : by;
    if (peer !== undefined) {
      const own = entryWith(allowedOf(peer, this.#values.peers[peer] as Peer), ({ cidr }) => cidr, packet.source);
      if (own === undefined)
        return ended({
          verdict: 'dropped',
          text: `${this.#values.interfaceName}: the source ${packet.source.text} is not of the peer ${peer}`,
          from: `peers.${peer}`,
        });
      steps.push({
        kind: 'filter',
        text: `${this.#values.interfaceName}: source ${packet.source.text} is of the peer ${peer}`,
        from: own.entry.from,
      });
    }
    const local = this.#arrives(packet, peer);
    if (local !== undefined) return { steps: [...steps, ...local.steps], exits: local.exits };
    const decision = decide(this, packet, by);
    if (decision === undefined) return ended({ verdict: 'lost', text: 'no route' }, steps);
    steps.push(...stepsOf(decision));
    const access = peer === undefined ? { steps: [], isPart: false } : this.#access(packet);
    if ('outcome' in access) return ended(access.outcome, steps);
    steps.push(...access.steps);
    return {
      steps,
      decision,
      exits: exitsOf(decision, (hop) => {
        const exit = this.#leave(packet, hop);
        return { ...exit, isPart: exit.isPart === true || access.isPart };
      }),
    };
  }

  /** What becomes of packets for the server itself. */
  #arrives(packet: Packet, peer: string | undefined): Handling | undefined {
    const { network, network6, dns } = this.#values;
    const own = [network, network6].find(
      (one) => one !== undefined && coverOf(firstHost(one), packet.destination) === 'all',
    );
    const isPod = Object.values(this.#addresses).includes(packet.destination);
    if (own === undefined && !isPod) return undefined;
    const steps: Step[] =
      dns.mode === 'coredns' && own !== undefined && peer !== undefined
        ? [
            {
              kind: 'nat',
              text: `${CHAIN}, dns: port 53 becomes ${String(dns.port)}, where CoreDNS is; no rule is needed for it`,
              from: 'dns.port',
            },
          ]
        : [];
    const access = peer === undefined ? { steps: [], isPart: false } : this.#access(packet);
    if ('outcome' in access)
      return steps.length > 0
        ? ended({ ...access.outcome, text: `${access.outcome.text}, but for names` }, steps)
        : ended(access.outcome);
    return ended({ verdict: 'arrives', text: 'at the server itself' }, [...steps, ...access.steps], access.isPart);
  }

  /** What the rules of a peer say of what it sends: chain access. */
  #access({ source, destination, isAnswer }: Packet): { steps: Step[]; isPart: boolean } | { outcome: Outcome } {
    const [restricted] = this.#restricted.around(source);
    if (restricted === undefined) return { steps: [], isPart: false };
    const { peer } = restricted;
    if (isAnswer)
      return {
        steps: [{ kind: 'filter', text: `${CHAIN}, access: an answer passes`, from: `peers.${peer}.allow` }],
        isPart: false,
      };
    const rules = Object.entries(this.#values.peers[peer]?.allow ?? {}).flatMap(
      ([rule, { networks = [], peers = [], ports }]) => {
        const at = `peers.${peer}.allow.${rule}`;
        const targets = [
          ...listOf(networks, `${at}.networks`),
          ...peers.flatMap((other, index) =>
            allowedOf(other, this.#values.peers[other] as Peer).map(({ cidr }) => ({
              cidr,
              from: `${at}.peers[${String(index)}]`,
            })),
          ),
        ];
        return targets.map((target) => ({ ...target, rule, ports }));
      },
    );
    const matching = rules.filter(({ cidr }) => coverOf(cidr, destination) !== 'none');
    if (matching.length === 0)
      return {
        outcome: {
          verdict: 'dropped',
          text: `${CHAIN}, peer-${peer}: no rule of the peer lets it go to ${destination.text}`,
          from: `peers.${peer}.allow`,
        },
      };
    const isPart = matching.every(({ cidr, ports }) => coverOf(cidr, destination) === 'part' || ports !== undefined);
    return {
      isPart,
      steps: matching.map(({ cidr, from, rule, ports }) => ({
        kind: 'filter',
        text: `${CHAIN}, peer-${peer}, ${rule}: ${portsText(ports)} to ${cidr} passes`,
        from,
      })),
    };
  }

  #leave(packet: Packet, hop: NextHop): Exit {
    const { interfaceName, networkPolicy } = this.#values;
    const { source, destination } = packet;
    const mtu = this.#mtu;
    if (hop.device === interfaceName) {
      const [to] = this.allowed.around(destination);
      const steps: Step[] = [
        mssStep(`${CHAIN}, clamp`, mtu.bytes, destination.version),
        { kind: 'link', text: `${interfaceName} mtu ${String(mtu.bytes)}`, from: mtu.from },
      ];
      if (to === undefined)
        return {
          steps,
          onwards: {
            verdict: 'refused',
            text: `${interfaceName}: no peer has all of ${destination.text}; the sender is told so (ICMP)`,
            from: 'peers',
          },
        };
      const endpoint = this.#values.peers[to.peer]?.endpoint;
      steps.push({ kind: 'policy', text: `${to.cidr} is of the peer ${to.peer} (AllowedIPs)`, from: to.from });
      steps.push({
        kind: 'outer',
        text:
          endpoint === undefined
            ? 'UDP to where the peer was heard last: it has to begin'
            : `UDP to ${endpoint}, or where the peer was heard last`,
        from: `peers.${to.peer}.endpoint`,
      });
      return {
        steps,
        mtuBytes: mtu.bytes,
        onwards: { host: this.vpn.peers.get(to.peer) as Host, by: interfaceName, packet },
      };
    }
    const steps: Step[] = [];
    const isClients = entryWith(this.vpn.networks, ({ cidr }) => cidr, source) !== undefined;
    if (isClients) steps.push(mssStep(`${CHAIN}, clamp`, mtu.bytes, destination.version));
    const after = this.#addresses[destination.version];
    const hides = isClients && this.#values.mode === 'masquerade' && !packet.isAnswer;
    if (hides)
      steps.push({
        kind: 'nat',
        text: `${CHAIN}, postrouting: ${after.text} takes the place of the source ${source.text} (masquerade)`,
        from: 'mode',
      });
    if (networkPolicy.enabled && networkPolicy.egress.length > 0)
      steps.push({ kind: 'note', text: 'the rules of the NetworkPolicy count too', from: 'networkPolicy.egress' });
    steps.push({ kind: 'link', text: `${POD_DEVICE} mtu ${String(this.#podMtuBytes)}` });
    const next: Packet = hides
      ? { ...packet, source: after, translations: [...packet.translations, { host: this, before: source, after }] }
      : packet;
    const led = this.vpn.cluster.leads(destination) ?? { host: new BeyondHost(this.vpn), by: POD_DEVICE };
    return { steps, mtuBytes: this.#podMtuBytes, onwards: { ...led, packet: next } };
  }
}

type Ports = NonNullable<NonNullable<Peer['allow']>[string]['ports']>;

const portsText = (ports: Ports | undefined): string =>
  ports === undefined
    ? 'everything'
    : ports
        .map(
          ({ port, endPort, protocol = 'TCP' }) =>
            `${protocol} ${String(port)}${endPort === undefined ? '' : `-${String(endPort)}`}`,
        )
        .join(', ');

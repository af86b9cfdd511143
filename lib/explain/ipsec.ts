import type { z } from 'zod';
import { hasLabels, refusingTaint, type ClusterNode } from '../kubernetes/node';
import { canonical } from '../net/address-number';
import { addressOf as withoutLength, prefixLength } from '../net/cidr';
import { refs, stage, text } from '../staged';
import { bgpPeerAddress, speaksBgp } from '../strongswan/bgp';
import { networkConf, selectorsOf } from '../strongswan/config';
import { fabricConf } from '../strongswan/fabric';
import {
  espProposals,
  exposureOf,
  gatewayIdentity,
  interfaceId,
  interfaceName,
  sendsFromExposedAddress,
  usesFabric,
} from '../strongswan/tunnel';
import { ipsecValues } from '../../values/ipsec';
import { addressOf, coverOf, entryWith, versionOf, type Address, type Version } from './address';
import { Cluster, listOf, type Known, type OnNode, type Place } from './cluster';
import { GatewayHost, type Child, type Tunnel } from './ipsec-gateway';
import { agentOn, AgentOnNode, type AgentSite, type AgentState, type Taken } from './ipsec-node';
import { RemoteHost } from './ipsec-remote';
import {
  BGP_METRIC,
  GATEWAY_LINK,
  ipv6Overlay,
  nodeOverlay,
  parsePrinted,
  type AgentSettings,
  type Fabric,
  type Outside,
} from './overlay';
import type { NextHop, Route } from './routing';
import type { Network, Site } from './site';
import { tunnelMtus } from './tunnel-mtus';
import type { Exit, Host, Packet, Step } from './walk';

type Values = z.output<typeof ipsecValues>;

const tunnelSchema = ipsecValues.shape.tunnels.unwrap().valueType;
const gatewaySchema = ipsecValues.shape.gateways.unwrap().valueType;
const selectorsSchema = tunnelSchema.shape.children.unwrap().valueType;

const VERSIONS = [4, 6] as const;

/** The interface of a pod to everything else, as container runtimes name it. */
const POD_DEVICE = 'eth0';

/** What the chart `ipsec` makes of the ways of packets. */
export function ipsecNetwork(site: Site<Values>): Network {
  return new IpsecNetwork(site);
}

class IpsecNetwork implements Network {
  readonly cluster: Cluster;
  readonly outside: ReadonlyMap<string, readonly Place[]>;
  readonly assumptions: readonly string[];
  readonly mtus: Network['mtus'];
  readonly #gateways = new Map<string, GatewayHost>();
  readonly #remotes = new Map<string, RemoteHost>();
  readonly #tunnels: readonly Tunnel[];
  readonly #imports: readonly (Known & { readonly name: string; readonly longest: number })[];
  readonly #agents = new Map<ClusterNode | undefined, AgentState>();
  readonly #settings: AgentSettings | undefined;
  readonly #taken: readonly Taken[];
  /** Nodes by their addresses of the overlay. */
  readonly #byOverlay = new Map<string, ClusterNode>();
  readonly #v = refs(ipsecValues);

  constructor(private readonly site: Site<Values>) {
    const { values, ask, printed, nodes } = site;
    const { cluster, routes, gateways } = values;
    const [printedSettings] = printed('agent.json');
    this.#settings = printedSettings === undefined ? undefined : parsePrinted<AgentSettings>(printedSettings);
    this.#imports = Object.entries(routes.import).map(([name, { cidr }]) => ({
      name,
      cidr,
      longest: this.#settings?.imports.find((one) => one.cidr === cidr)?.maxLength ?? prefixLength(cidr),
      from: `routes.import.${name}.cidr`,
    }));
    const mtus = new Map(
      Object.keys(gateways).map((gateway) => [
        gateway,
        tunnelMtus(ask(networkConf(this.#v)({ gateway: text`${gateway}` })), site.podMtuBytes),
      ]),
    );
    this.#tunnels = Object.keys(values.tunnels).map((name) =>
      this.#tunnel(name, mtus.get(values.tunnels[name]?.gateway ?? '')?.byTunnel.get(name) ?? site.podMtuBytes),
    );
    this.#taken = this.#takenByAgents();
    this.cluster = new Cluster(
      nodes,
      {
        pods: listOf(cluster.podCidrs, 'cluster.podCidrs'),
        services: listOf(cluster.serviceCidrs, 'cluster.serviceCidrs'),
        nodes: listOf(cluster.nodeCidrs, 'cluster.nodeCidrs'),
      },
      (node) => this.#agentOf(node),
    );
    for (const name of Object.keys(gateways))
      this.#gateways.set(name, this.#gateway(name, mtus.get(name)?.smallest ?? site.podMtuBytes));
    for (const node of nodes)
      for (const version of VERSIONS) {
        const address = this.#overlayOf(this.#agent(node).addresses[4], version);
        if (address !== undefined) this.#byOverlay.set(address, node);
      }
    for (const tunnel of this.#tunnels) this.#remotes.set(tunnel.name, this.#remote(tunnel));
    this.outside = this.#outside();
    this.mtus = this.#settings === undefined ? ['pod'] : ['node', 'pod'];
    this.assumptions = [
      `all tunnels are up${this.#settings === undefined ? '' : ', and all agents work'}`,
      ...(this.#tunnels.some(({ speaker }) => speaker !== undefined) ? ['the remote ends announce what they may'] : []),
    ];
  }

  /* What the values say. */

  #tunnel(name: string, mtuBytes: number): Tunnel {
    const { values, ask } = this.site;
    const given = values.tunnels[name] as Values['tunnels'][string];
    const t = stage(tunnelSchema, given);
    const at = `tunnels.${name}`;
    const networks = listOf(given.remote.networks ?? [], `${at}.remote.networks`);
    const isRoute = (given.mode ?? 'route') === 'route';
    const gateway = stage(gatewaySchema, values.gateways[given.gateway] ?? {});
    const exposure = ask(exposureOf(gateway));
    const ports = {
      hostPort: 'the host port of its node',
      nodePort: 'a port of every node',
      loadBalancer: 'the load balancer',
    };
    const remote = given.remote.address ?? 'where the remote end was heard';
    const identity = ask(gatewayIdentity(gateway));
    return {
      name,
      gateway: given.gateway,
      ...(isRoute && { link: { name: ask(interfaceName(text`${name}`, t)), id: ask(interfaceId(text`${name}`, t)) } }),
      ...(given.inside !== undefined && { inside: given.inside }),
      ...(ask(speaksBgp(this.#v, t)) && { speaker: ask(bgpPeerAddress(t)) }),
      networks,
      children: this.#children(name, given, networks),
      proposals: ask(espProposals(t)),
      outwards: `UDP 4500 to ${remote}, from the pod’s address, in whose place ${ask(sendsFromExposedAddress(gateway)) && exposure !== 'hostPort' ? `an egress gateway puts ${identity}` : 'its node, or a NAT behind it, puts its own'}`,
      inwards: `UDP 4500 at ${identity === '' ? 'its address' : identity}: ${ports[exposure as keyof typeof ports]} leads to the pod`,
      mtu: { bytes: mtuBytes, from: given.mtu === undefined ? `${at}.esp.proposals` : `${at}.mtu` },
    };
  }

  #children(name: string, given: Values['tunnels'][string], networks: readonly Known[]): Child[] {
    const t = stage(tunnelSchema, given);
    const at = `tunnels.${name}`;
    const { cluster } = this.site.values;
    const lists = [
      ...listOf(cluster.podCidrs, 'cluster.podCidrs'),
      ...listOf(cluster.serviceCidrs, 'cluster.serviceCidrs'),
      ...listOf(cluster.nodeCidrs, 'cluster.nodeCidrs'),
      ...networks,
    ];
    const known = (joined: string, own: readonly string[] | undefined, path: string): Known[] =>
      joined
        .split(',')
        .filter((cidr) => cidr !== '')
        .map((cidr, index) => ({
          cidr,
          from:
            own === undefined
              ? (lists.find((one) => one.cidr === cidr)?.from ?? `${at}.mode`)
              : `${path}[${String(index)}]`,
        }));
    if (given.children === undefined) {
      const { local, remote } = selectorsOf(this.#v, t);
      return [
        {
          name,
          local: known(this.site.ask(local), undefined, ''),
          remote: known(this.site.ask(remote), undefined, ''),
        },
      ];
    }
    return Object.entries(given.children).map(([child, selectors]) => {
      const { local, remote } = selectorsOf(this.#v, t, stage(selectorsSchema, selectors));
      const path = `${at}.children.${child}`;
      return {
        name: child,
        local: known(this.site.ask(local), selectors.localTs, `${path}.localTs`),
        remote: known(this.site.ask(remote), selectors.remoteTs, `${path}.remoteTs`),
      };
    });
  }

  /* Hosts. */

  #gateway(name: string, smallestBytes: number): GatewayHost {
    const { ask, podMtuBytes } = this.site;
    const fabric = ask(usesFabric(this.#v))
      ? parsePrinted<Fabric>(ask(fabricConf(this.#v)({ gateway: text`${name}` })))
      : undefined;
    const outside: Outside = { device: POD_DEVICE, mtuBytes: podMtuBytes, gateways: {} };
    return new GatewayHost({
      name,
      tunnels: this.#tunnels.filter(({ gateway }) => gateway === name),
      ...(fabric !== undefined && { fabric }),
      imports: this.#imports,
      outside,
      smallestBytes,
      learned: (version) => (fabric === undefined ? [] : this.#learned(name, fabric, version)),
      node: (hop, destination) => this.cluster.host(this.#nodeAt(name, hop, destination)),
      cluster: this.cluster,
      remote: (tunnel) => this.#remotes.get(tunnel) as Host,
    });
  }

  #remote(tunnel: Tunnel): RemoteHost {
    const { values } = this.site;
    const { pods, services, nodes } = this.cluster.networks;
    const { exports = [] } = this.#fabricOf(tunnel.gateway) ?? {};
    const all = [...pods, ...services, ...nodes];
    return new RemoteHost({
      tunnel,
      address: values.tunnels[tunnel.name]?.remote.address,
      ...(tunnel.speaker !== undefined && { told: exports.map((cidr) => ({ cidr, from: 'routes.export' })) }),
      configured: all,
      behind: this.#behind(tunnel),
      gateway: this.#gateways.get(tunnel.gateway) as Host,
    });
  }

  #fabricOf(gateway: string): Fabric | undefined {
    const { ask } = this.site;
    return ask(usesFabric(this.#v))
      ? parsePrinted<Fabric>(ask(fabricConf(this.#v)({ gateway: text`${gateway}` })))
      : undefined;
  }

  /** What may be behind a tunnel. */
  #behind({ networks, speaker }: Tunnel): Known[] {
    return [
      ...networks,
      ...(speaker === undefined ? [] : this.#imports.filter(({ cidr }) => versionOf(cidr) === versionOf(speaker))),
    ];
  }

  /** What nodes tell the gateways. */
  #learned(gateway: string, { cluster }: Fabric, version: Version): Route[] {
    const { nodes } = this.site;
    const led = (destination: string, via: string, from: string, note?: string): Route => ({
      destination: canonical(destination),
      kind: 'unicast',
      hops: [{ device: GATEWAY_LINK, gateway: via }],
      protocol: 'bgp',
      metric: BGP_METRIC,
      onlink: true,
      from,
      ...(note !== undefined && { note, isStandIn: true }),
    });
    const { pods, nodes: nodeNetworks, services } = this.cluster.networks;
    const isOf = ({ cidr }: Known): boolean => versionOf(cidr) === version;
    const routes = nodes.flatMap((node): Route[] => {
      const { state, addresses } = this.#agent(node);
      if (state !== 'works') return [];
      const via = this.#overlayOf(addresses[4], version) ?? `the overlay address of ${node.name}`;
      const own = addresses[version];
      return [
        ...(own === undefined ? [] : [led(own, via, `${node.name}: status.addresses`)]),
        ...node.podNetworks
          .filter(
            (network) => isOf(network) && cluster.pods.some((cidr) => coverOf(cidr, addressOf(network.cidr)) === 'all'),
          )
          .map(({ cidr, from }) => led(cidr, via, `${node.name}: ${from}`)),
      ];
    });
    const its = 'its node’s overlay address';
    return [
      ...routes,
      ...pods
        .filter(isOf)
        .map(({ cidr, from }) =>
          led(cidr, its, from, 'the part of it that is its node’s, as the agent there finds it'),
        ),
      ...(nodes.length > 0
        ? []
        : nodeNetworks.filter(isOf).map(({ cidr, from }) => led(cidr, its, from, 'the address of the node alone'))),
      ...services.filter(isOf).map(({ cidr, from }) => {
        const place = this.#placed(gateway);
        const via = place === undefined ? undefined : this.#overlayOf(this.#agent(place).addresses[4], version);
        return led(cidr, via ?? 'the overlay address of the gateway’s own node', from);
      }),
    ];
  }

  /** The overlay address of a node, from the IPv4 address that its agent has found. */
  #overlayOf(node: string | undefined, version: Version): string | undefined {
    const overlay = this.#settings?.overlay;
    if (node === undefined || overlay === undefined) return undefined;
    const ipv4 = nodeOverlay(node, overlay);
    return version === 4 ? ipv4 : ipv6Overlay(ipv4, overlay, false);
  }

  /** The node of a gateway's pod, where its labels leave no other. */
  #placed(gateway: string): ClusterNode | undefined {
    const { values, nodes } = this.site;
    const selector = { ...values.nodeSelector, ...values.gateways[gateway]?.nodeSelector };
    const possible = nodes.filter(({ labels }) => hasLabels(labels, selector));
    return possible.length === 1 ? possible[0] : undefined;
  }

  /** The node to which a next hop of the overlay leads. */
  #nodeAt(gateway: string, { gateway: via }: NextHop, destination: Address): ClusterNode | undefined {
    const owner = this.cluster.owner(destination);
    return (
      this.#byOverlay.get(via ?? destination.text) ?? (owner?.kind === 'service' ? this.#placed(gateway) : owner?.node)
    );
  }

  /* Agents. */

  #agent(node: ClusterNode | undefined): AgentState {
    const known =
      this.#agents.get(node) ?? agentOn(node, this.site.values.cluster.nodeCidrs, (one) => this.#absence(one));
    this.#agents.set(node, known);
    return known;
  }

  #absence(node: ClusterNode): Step | undefined {
    const { agent } = this.site.values;
    const text_ = (why: string): string => `no agent is on ${node.name}, ${why}: its own routes lead`;
    if (!hasLabels(node.labels, agent.nodeSelector))
      return { kind: 'note', text: text_('which has other labels'), from: 'agent.nodeSelector' };
    const taint = refusingTaint(node, agent.tolerations);
    return taint === undefined
      ? undefined
      : { kind: 'note', text: text_(`which has the taint ${JSON.stringify(taint.key)}`), from: 'agent.tolerations' };
  }

  #agentOf(node: ClusterNode | undefined): OnNode {
    const settings = this.#settings;
    if (settings === undefined) return new WithoutAgent(this.#tunnels);
    const site: AgentSite = {
      settings,
      taken: this.#taken,
      pods: this.cluster.networks.pods,
      linkMtuBytes: this.site.nodeMtuBytes,
      gateway: (name) => this.#gateways.get(name) as Host,
    };
    return new AgentOnNode(site, this.#agent(node));
  }

  #takenByAgents(): Taken[] {
    const found = new Map<string, Taken>();
    const add = (network: Omit<Taken, 'gateways'>, gateways: readonly string[]): void => {
      const key = canonical(network.cidr);
      const known = found.get(key);
      found.set(key, {
        ...network,
        ...known,
        gateways: [...new Set([...(known?.gateways ?? []), ...gateways])].sort(),
      });
    };
    for (const { name, cidr, longest, from } of this.#imports)
      add(
        { cidr, from, longest, whenDown: `routes.import.${name}.whenDown` },
        this.#tunnels
          .filter((tunnel) => this.#behind(tunnel).some((one) => one.from === from))
          .map(({ gateway }) => gateway),
      );
    for (const { networks, gateway } of this.#tunnels)
      for (const network of networks) add({ ...network, whenDown: network.from }, [gateway]);
    return [...found.values()];
  }

  /* Who is outside. */

  #outside(): Map<string, readonly Place[]> {
    const found = new Map<string, readonly Place[]>();
    const of = (known: Known, name: string): Place => this.#behindPlace(addressOf(known.cidr), name, known);
    for (const known of this.#imports) found.set(`import:${known.name}`, [of(known, known.name)]);
    for (const tunnel of this.#tunnels) {
      const begins = [{ host: this.#remotes.get(tunnel.name) as Host }];
      found.set(
        `tunnel:${tunnel.name}`,
        this.#behind(tunnel).map((known) => ({ ...of(known, tunnel.name), begins })),
      );
    }
    return found;
  }

  /** What is behind the tunnels. */
  #behindPlace(address: Address, name: string, { from }: Known): Place {
    const tunnels = this.#tunnels.filter(
      (tunnel) => entryWith(this.#behind(tunnel), ({ cidr }) => cidr, address)?.cover === 'all',
    );
    return {
      name,
      address,
      about: `behind ${tunnels.length === 1 ? 'the tunnel' : 'the tunnels'} ${tunnels.map((tunnel) => tunnel.name).join(', ')}`,
      from,
      begins: tunnels.map((tunnel) => ({ host: this.#remotes.get(tunnel.name) as Host })),
    };
  }

  placeOf(address: Address): Place {
    const behind = entryWith(
      this.#tunnels.flatMap((tunnel) => this.#behind(tunnel)),
      ({ cidr }) => cidr,
      address,
    );
    if (behind?.cover === 'all') return this.#behindPlace(address, address.text, behind.entry);
    const special = this.#special(address);
    return {
      name: address.text,
      address,
      about: special?.about ?? 'neither of the cluster nor behind a tunnel',
      ...(special !== undefined && { from: special.from }),
      begins: [],
    };
  }

  /** Addresses that the VPN has for itself. */
  #special(address: Address): { readonly about: string; readonly from: string } | undefined {
    const { tunnels, routes } = this.site.values;
    const candidates: { cidr: string; about: string; from: string }[] = [];
    for (const [name, { remote, inside, bgp }] of Object.entries(tunnels)) {
      const add = (cidr: string | undefined, about: string, from: string): void => {
        if (cidr !== undefined && /^[0-9.]+$|:/.test(cidr))
          candidates.push({ cidr, about, from: `tunnels.${name}.${from}` });
      };
      add(remote.address, 'of a remote end itself, whose own packets pass no tunnel', 'remote.address');
      add(bgp?.peerAddress, 'of a BGP speaker, with whom the gateway alone speaks', 'bgp.peerAddress');
      add(inside?.remote, 'of a remote end inside its tunnel, with whom the gateway alone speaks', 'inside.remote');
      add(
        inside === undefined ? undefined : withoutLength(inside.local),
        'of a gateway inside a tunnel',
        'inside.local',
      );
    }
    if (this.#settings !== undefined)
      for (const key of ['nodeNetwork', 'gatewayNetwork', 'ipv6Network'] as const)
        candidates.push({
          cidr: routes.overlay[key],
          about: 'between nodes and gateways, for their BGP and BFD',
          from: `routes.overlay.${key}`,
        });
    const found = entryWith(candidates, ({ cidr }) => cidr, address);
    return found?.cover === 'all' ? found.entry : undefined;
  }
}

/** A node on which nothing of the release is. */
class WithoutAgent implements OnNode {
  constructor(private readonly tunnels: readonly Tunnel[]) {}

  remarks({ destination, isAnswer }: Packet): readonly Step[] {
    const behind = entryWith(
      this.tunnels.flatMap(({ networks }) => networks),
      ({ cidr }) => cidr,
      destination,
    );
    if (behind === undefined || isAnswer) return [];
    const text = 'nothing leads it to a gateway: without agents only hosts behind the tunnels begin';
    return [{ kind: 'note', text, from: 'agent.enabled' }];
  }

  routes(): readonly Route[] {
    return [];
  }

  owns(): boolean {
    return false;
  }

  enter(): { steps: readonly Step[] } {
    return { steps: [] };
  }

  leave(packet: Packet): Exit {
    throw new Error(`no route of ours leads ${packet.destination.text}`);
  }
}

import type { ClusterNode } from '../kubernetes/node';
import { canonical } from '../net/address-number';
import { addressOf, coverOf, entryWith, versionOf, type Address, type Version } from './address';
import type { Known, OnNode } from './cluster';
import {
  BGP_METRIC,
  GATEWAY_LINK,
  gatewayOverlay,
  gatewayRoutes,
  ipv6Overlay,
  nodeMtuBytes,
  nodeOverlay,
  rejectRoutes,
  type AgentSettings,
} from './overlay';
import { mssStep } from './mss';
import type { NextHop, Route } from './routing';
import type { Exit, Host, Outcome, Packet, Step } from './walk';

/** A network that agents take from gateways. */
export interface Taken extends Known {
  /** The longest prefix length of its parts; absent: it is taken as a whole. */
  readonly longest?: number;
  /** The value that says what nodes do while no gateway knows the way. */
  readonly whenDown: string;
  /** The gateways that may know the way to it. */
  readonly gateways: readonly string[];
}

/** What an agent is told, and what it is joined to. */
export interface AgentSite {
  readonly settings: AgentSettings;
  readonly taken: readonly Taken[];
  readonly pods: readonly Known[];
  /** The MTU of the link that has the node's address, in bytes. */
  readonly linkMtuBytes: number;
  readonly gateway: (name: string) => Host;
}

/** Whether there is an agent on a node, and what it makes of it. */
export interface AgentState {
  /** `works`; `refuses`: it holds the networks and does nothing else; `absent`: there is none. */
  readonly state: 'works' | 'refuses' | 'absent';
  readonly step?: Step;
  /** The IPv4 and the IPv6 address that it has found; absent: the node's object does not tell. */
  readonly addresses: Readonly<Partial<Record<Version, string>>>;
}

/** The route agent of a node: lib/routes. */
export class AgentOnNode implements OnNode {
  constructor(
    private readonly site: AgentSite,
    private readonly agent: AgentState,
  ) {}

  remarks(): readonly Step[] {
    return this.agent.step === undefined ? [] : [this.agent.step];
  }

  owns(address: Address): boolean {
    const { 4: own } = this.agent.addresses;
    if (own === undefined || this.agent.state !== 'works') return false;
    const { overlay } = this.site.settings;
    const ipv4 = nodeOverlay(own, overlay);
    return coverOf(address.version === 4 ? ipv4 : ipv6Overlay(ipv4, overlay, false), address) === 'all';
  }

  routes(version: Version): readonly Route[] {
    const { settings, taken } = this.site;
    if (this.agent.state === 'absent') return [];
    const held = rejectRoutes(settings, version).map((route): Route => {
      const network = taken.find(({ cidr }) => canonical(cidr) === route.destination);
      return {
        ...route,
        ...(network !== undefined && { from: network.whenDown }),
        note: 'while no gateway knows the way',
      };
    });
    if (this.agent.state === 'refuses') return held;
    const { 4: own } = this.agent.addresses;
    return [
      ...held,
      ...(own === undefined ? [] : gatewayRoutes(settings, own, version)),
      ...taken.filter(({ cidr }) => versionOf(cidr) === version).map((network) => this.#led(network, version)),
    ];
  }

  /** The route that zebra adds for a network that the gateways announce. */
  #led({ cidr, from, longest, gateways }: Taken, version: Version): Route {
    const { settings } = this.site;
    const source = this.agent.addresses[version];
    return {
      destination: canonical(cidr),
      kind: 'unicast',
      hops: gateways.map((name) => ({
        device: settings.link,
        gateway: gatewayOverlay(settings.gateways[name]?.overlay ?? '', settings.overlay, version),
      })),
      protocol: 'bgp',
      metric: BGP_METRIC,
      onlink: true,
      ...(source !== undefined && { source }),
      from,
      ...(longest !== undefined && {
        note: `or a part of it up to /${String(longest)}, as the remote ends announce it`,
      }),
    };
  }

  enter({ source, destination }: Packet): { steps: Step[]; outcome?: Outcome } {
    const { settings, taken, pods, linkMtuBytes } = this.site;
    const table = `table inet ${settings.link}, from_gateways`;
    const { gatewayNetwork, ipv6Network } = settings.overlay;
    const gateways = [
      { cidr: gatewayNetwork, from: 'routes.overlay.gatewayNetwork' },
      { cidr: ipv6Network, from: 'routes.overlay.ipv6Network' },
    ];
    const found = entryWith<Known>([...taken, ...gateways], ({ cidr }) => cidr, source);
    if (found !== undefined) {
      const steps: Step[] = [
        { kind: 'filter', text: `${table}: source ${source.text} passes`, from: found.entry.from },
      ];
      // What is for the node itself is not forwarded.
      if (entryWith(pods, ({ cidr }) => cidr, destination) !== undefined)
        steps.push(
          mssStep(`table inet ${settings.link}, clamp`, nodeMtuBytes(settings.overlay, linkMtuBytes), source.version),
        );
      return { steps };
    }
    return {
      steps: [],
      outcome: {
        verdict: 'dropped',
        text: `${table}: the source ${source.text} is of no network that the gateways lead to`,
      },
    };
  }

  leave(packet: Packet, hop: NextHop, by: string | undefined): Exit {
    const { settings, pods, linkMtuBytes, gateway } = this.site;
    const { link, overlay } = settings;
    const via = hop.gateway ?? packet.destination.text;
    const name =
      Object.keys(settings.gateways).find((one) => this.#overlayOf(one, packet.destination.version) === via) ?? '';
    const mtuBytes = nodeMtuBytes(overlay, linkMtuBytes);
    const pod = entryWith(pods, ({ cidr }) => cidr, packet.source);
    const steps: Step[] = [];
    if (by !== undefined) steps.push(mssStep(`table inet ${link}, clamp`, mtuBytes, packet.destination.version));
    if (pod !== undefined)
      steps.push({
        kind: 'nat',
        text: `table inet ${link}, postrouting: the source stays ${packet.source.text}, whatever the CNI does`,
        from: pod.entry.from,
      });
    steps.push({ kind: 'link', text: `${link} mtu ${String(mtuBytes)}`, from: 'routes.overlay.mtuBytes' });
    steps.push({
      kind: 'outer',
      text: `VXLAN ${String(overlay.vni)}, UDP ${String(overlay.port)}, from ${this.agent.addresses[4] ?? 'the node’s address'} to the pod ${settings.gateways[name]?.host ?? ''}`,
      from: 'routes.overlay',
    });
    return { steps, mtuBytes, onwards: { host: gateway(name), by: GATEWAY_LINK, packet } };
  }

  #overlayOf(gateway: string, version: Version): string {
    const { gateways, overlay } = this.site.settings;
    return gatewayOverlay(gateways[gateway]?.overlay ?? '', overlay, version);
  }
}

/**
 * The agent of a node, from what is known of that: where Kubernetes puts one, and whether it may be there (lib/routes/node_facts.py).
 *
 * @param absence why Kubernetes puts none there
 */
export function agentOn(
  node: ClusterNode | undefined,
  nodeCidrs: readonly string[],
  absence: (node: ClusterNode) => Step | undefined,
): AgentState {
  if (node === undefined) return { state: 'works', addresses: {} };
  const absent = absence(node);
  if (absent !== undefined) return { state: 'absent', step: absent, addresses: {} };
  const isInside = (address: string): boolean => nodeCidrs.some((cidr) => coverOf(cidr, addressOf(address)) === 'all');
  const [first] = node.internalAddresses;
  const inside = (version: Version): string | undefined =>
    node.internalAddresses.find((address) => versionOf(address) === version && isInside(address));
  const ipv4 = first !== undefined && versionOf(first) === 4 ? first : inside(4);
  if (ipv4 !== undefined && !isInside(ipv4))
    return {
      state: 'refuses',
      step: {
        kind: 'note',
        text: `the agent does not work on ${node.name}, whose address ${ipv4} is outside: it only holds the networks`,
        from: 'cluster.nodeCidrs',
      },
      addresses: {},
    };
  // Of a node whose object tells no address of IPv4 the agent looks at the links.
  const ipv6 = first !== undefined && versionOf(first) === 6 ? first : inside(6);
  return {
    state: 'works',
    addresses: { ...(ipv4 !== undefined && { 4: ipv4 }), ...(ipv6 !== undefined && { 6: ipv6 }) },
  };
}

import type { ClusterNode } from '../kubernetes/node';
import { addressOf, versionOf, type Address, type Version } from './address';
import { Prefixes } from './prefixes';
import { decide, routeText, ruleText, Table, type Decision, type NextHop, type Route } from './routing';
import type { Exit, Handling, Host, Outcome, Packet, Step } from './walk';

/** Somebody who sends and receives packets. */
export interface Place {
  /** How a person names it: `pod@node1`, `vpc`, `10.0.0.9`. */
  readonly name: string;
  readonly address: Address;
  /** What it is. */
  readonly about: string;
  /** The value or the part of a node's object that says so. */
  readonly from?: string;
  /** The hosts at which what it sends may begin, and the interface by which it comes in there; none: nothing of the release knows it. */
  readonly begins: readonly { readonly host: Host; readonly by?: string }[];
}

/** A network, and the value that it is from. */
export interface Known {
  readonly cidr: string;
  readonly from: string;
}

/** The networks of the cluster, as far as the values name them. */
export interface ClusterNetworks {
  readonly pods: readonly Known[];
  readonly services: readonly Known[];
  readonly nodes: readonly Known[];
}

/** The entries of a list of the values. */
export const listOf = (networks: readonly string[], path: string): Known[] =>
  networks.map((cidr, index) => ({ cidr, from: `${path}[${String(index)}]` }));

/** What a release does on a node. */
export interface OnNode {
  /** What is to be known of it for a packet that leaves. */
  remarks(packet: Packet): readonly Step[];
  /** Whether the release has given the node an address. */
  owns(address: Address): boolean;
  /** Its routes in the main table. */
  routes(version: Version): readonly Route[];
  /** What it does with a packet that comes in by its interface. */
  enter(packet: Packet): { readonly steps: readonly Step[]; readonly outcome?: Outcome };
  /** What happens to packets that one of its routes leads out. */
  leave(packet: Packet, hop: NextHop, by: string | undefined): Exit;
}

/** Whose an address of the cluster is. */
export interface Owner {
  readonly kind: 'pod' | 'node' | 'service';
  /** Absent: that is not known. */
  readonly node?: ClusterNode;
  readonly known: Known;
}

/** The interfaces of a node, as far as anybody knows their names. */
export const [FROM_PODS, FROM_CLUSTER, FROM_OVERLAY] = ['a pod', 'the cluster', 'the overlay'];

const ANYWHERE = { 4: '0.0.0.0/0', 6: '::/0' } as const;
const OWN_WAYS = 'its own default way';

/** The cluster: its nodes, their pods, and what its own network does with a packet. */
export class Cluster {
  readonly #hosts = new Map<string, NodeHost>();
  /** Of addresses that only the cluster knows. */
  readonly #pods = new Map<Address, Host>();
  /** Of networks that more than one of them have. */
  readonly #owned = new Map<Address, Owner>();

  readonly #owners = new Prefixes<Owner>();

  /** @param onNode what the release does on a node, if anything; undefined as node: one that is not known */
  constructor(
    readonly nodes: readonly ClusterNode[],
    readonly networks: ClusterNetworks,
    private readonly onNode: (node: ClusterNode | undefined) => OnNode | undefined,
  ) {
    const add = (kind: Owner['kind'], known: Known, node?: ClusterNode): void => {
      this.#owners.add(known.cidr, { kind, known, ...(node !== undefined && { node }) });
    };
    for (const node of nodes) {
      for (const cidr of node.internalAddresses) add('node', { cidr, from: 'status.addresses' }, node);
      for (const network of node.podNetworks) add('pod', network, node);
    }
    for (const known of networks.pods) add('pod', known);
    for (const known of networks.services) add('service', known);
    for (const known of networks.nodes) add('node', known);
  }

  /** A pod of the release, at an address that only the cluster knows. */
  addPod(address: Address, host: Host): void {
    this.#pods.set(address, host);
  }

  host(node: ClusterNode | undefined): NodeHost {
    const key = node?.name ?? '';
    const known = this.#hosts.get(key) ?? new NodeHost(this, node, this.onNode(node));
    this.#hosts.set(key, known);
    return known;
  }

  /** Whose an address is; undefined: it is none of the cluster. */
  owner(address: Address): Owner | undefined {
    return this.#owned.get(address) ?? this.#owners.around(address)[0];
  }

  /** To whom the cluster's own network leads packets for an address. */
  leads(address: Address): { readonly host: Host; readonly by: string } | undefined {
    const pod = this.#pods.get(address);
    if (pod !== undefined) return { host: pod, by: 'eth0' };
    const owner = this.owner(address);
    // A Service is turned into one of its pods where packets come from.
    return owner === undefined || owner.kind === 'service'
      ? undefined
      : { host: this.host(owner.node), by: FROM_CLUSTER };
  }

  /** What sends and receives as a pod of a node; undefined as node: of any. */
  podsOf(node: ClusterNode | undefined, name?: string): Place[] {
    const begins = [{ host: this.host(node), by: FROM_PODS }];
    const own = (node?.podNetworks ?? []).map(({ cidr, from }) => ({
      name: name ?? cidr,
      address: addressOf(cidr),
      about: `pods of the node ${node?.name ?? ''}`,
      from,
      begins,
    }));
    const others = this.networks.pods
      .filter(({ cidr }) => !own.some(({ address }) => address.version === versionOf(cidr)))
      .map(({ cidr, from }) => {
        const address = addressOf(cidr);
        this.#owned.set(address, { kind: 'pod', known: { cidr, from }, ...(node !== undefined && { node }) });
        const about =
          node === undefined
            ? 'pods of any node'
            : `pods of the node ${node.name}, whose object does not say which network they have`;
        return { name: name ?? cidr, address, about, from, begins };
      });
    return [...own, ...others];
  }

  /** A node itself. */
  nodePlaces(node: ClusterNode): Place[] {
    return node.internalAddresses.map((address) => ({
      name: node.name,
      address: addressOf(address),
      about: `the node ${node.name} itself`,
      from: 'status.addresses',
      begins: [{ host: this.host(node) }],
    }));
  }

  /** What an address of the cluster is as a sender and receiver. */
  placeOf(address: Address, name = address.text): Place | undefined {
    const owner = this.owner(address);
    if (owner === undefined) return undefined;
    const { kind, node, known } = owner;
    const about = {
      pod: node === undefined ? 'of a pod, on a node that is not known' : `of a pod of the node ${node.name}`,
      node: node === undefined ? 'of a node that is not known' : `of the node ${node.name}`,
      service: 'of a Service',
    }[kind];
    const begins = {
      pod: [{ host: this.host(node), by: FROM_PODS }],
      node: [{ host: this.host(node) }],
      service: [],
    }[kind];
    return { name, address, about, from: known.from, begins };
  }
}

/** A node: its own way of routing, with what the release does there. */
export class NodeHost implements Host {
  readonly title: string;
  readonly #tables = new Map<Version, Table>();

  constructor(
    private readonly cluster: Cluster,
    readonly node: ClusterNode | undefined,
    private readonly release: OnNode | undefined,
  ) {
    this.title = node === undefined ? 'the node' : `node ${node.name}`;
  }

  handle(packet: Packet, by: string | undefined): Handling {
    const entered = by === FROM_OVERLAY ? this.release?.enter(packet) : undefined;
    const steps: Step[] = [...(entered?.steps ?? [])];
    if (entered?.outcome !== undefined) return { steps, exits: [{ steps: [], onwards: entered.outcome }] };
    const local = this.#arrives(packet, by);
    if (local !== undefined)
      return { steps: [...steps, ...local.steps], exits: [{ steps: [], onwards: local.outcome }] };
    const onwards = this.cluster.leads(packet.destination);
    if (onwards !== undefined) {
      steps.push({ kind: 'route', text: `${packet.destination.text}: the cluster’s own network leads there` });
      return { steps, exits: [{ steps: [], onwards: { ...onwards, packet } }] };
    }
    steps.push(...(this.release?.remarks(packet) ?? []));
    const decision = decide({ rules: () => [], table: (_name, version) => this.#table(version) }, packet, by);
    if (decision === undefined)
      return { steps, exits: [{ steps: [], onwards: { verdict: 'lost', text: 'no route' } }] };
    steps.push(...stepsOf(decision));
    const chosen = this.#withSource(packet, decision.route, by);
    return { steps, decision, exits: exitsOf(decision, (hop) => this.#leave(chosen, hop, by)) };
  }

  /** What a node itself sends has the source that the route names. */
  #withSource(packet: Packet, { source }: Route, by: string | undefined): Packet {
    if (by !== undefined || source === undefined || this.cluster.owner(packet.source)?.kind !== 'node') return packet;
    return packet.source.text === source ? packet : { ...packet, source: addressOf(source) };
  }

  #leave(packet: Packet, hop: NextHop, by: string | undefined): Exit {
    if (this.release !== undefined && hop.device !== OWN_WAYS) return this.release.leave(packet, hop, by);
    return {
      steps: [],
      onwards: {
        verdict: 'in clear',
        text: 'it goes where the node’s other routes lead, through no tunnel of this release',
      },
    };
  }

  /** What becomes of packets whose destination is here. */
  #arrives(
    packet: Packet,
    by: string | undefined,
  ): { readonly steps: readonly Step[]; readonly outcome: Outcome } | undefined {
    const { destination } = packet;
    if (this.release?.owns(destination) === true)
      return { steps: [], outcome: { verdict: 'arrives', text: 'at the node itself' } };
    const owner = this.cluster.owner(destination);
    if (owner?.kind === 'service')
      return {
        steps: [
          {
            kind: 'nat',
            text: `${destination.text}: a pod of the Service takes its place${by === FROM_PODS ? '' : ', mostly with an address of the node as the source'} (kube-proxy, or what the cluster has instead)`,
            from: owner.known.from,
          },
        ],
        outcome: { verdict: 'arrives', text: 'at a pod of the Service' },
      };
    if (owner === undefined || owner.node?.name !== this.node?.name) return undefined;
    if (owner.kind === 'node') return { steps: [], outcome: { verdict: 'arrives', text: 'at the node itself' } };
    // A pod of the same node sends it, or another one somewhere.
    if (this.node === undefined && by === FROM_PODS) return undefined;
    return {
      steps: [{ kind: 'route', text: `${destination.text}: the CNI leads to the pod`, from: owner.known.from }],
      outcome: { verdict: 'arrives', text: 'at the pod' },
    };
  }

  #table(version: Version): Table {
    const known =
      this.#tables.get(version) ??
      new Table([
        ...(this.release?.routes(version) ?? []),
        { destination: ANYWHERE[version], kind: 'unicast', hops: [{ device: OWN_WAYS }] },
      ]);
    this.#tables.set(version, known);
    return known;
  }
}

/** A route that is not ours: where a host sends what nothing of the release leads. */
const isOwn = ({ hops }: Route): boolean => hops.some(({ device }) => device === OWN_WAYS);

/** What a decision of the kernel is to a reader. */
export function stepsOf({ rule, route, otherwise, parts }: Decision): Step[] {
  const steps: Step[] = [{ kind: 'rule', text: ruleText(rule), ...fromOf(rule) }];
  steps.push({ kind: 'route', text: isOwn(route) ? OWN_WAYS : textOf(route), ...fromOf(route) });
  for (const other of parts)
    steps.push({ kind: 'part', text: `another way for a part: ${textOf(other)}`, ...fromOf(other) });
  if (isOwn(route) || route.kind === 'unreachable') return steps;
  for (const other of otherwise) {
    if (other.isStandIn === true) continue;
    steps.push({ kind: 'else', text: isOwn(other) ? OWN_WAYS : textOf(other), ...fromOf(other) });
    // It ends the search: nothing behind it counts.
    if (other.kind === 'unreachable' || isOwn(other)) break;
  }
  return steps;
}

const textOf = (route: Route): string =>
  route.note === undefined ? routeText(route) : `${routeText(route)} (${route.note})`;
const fromOf = ({ from }: { readonly from?: string }): Pick<Step, 'from'> => (from === undefined ? {} : { from });

/** The exits by each of the next hops that a decision leaves. */
export function exitsOf({ route }: Decision, exit: (hop: NextHop) => Exit): Exit[] {
  if (route.kind === 'unreachable')
    return [
      {
        steps: [],
        onwards: { verdict: 'refused', text: 'the sender is told that there is no way (ICMP)', ...fromOf(route) },
      },
    ];
  return route.hops.map(exit);
}

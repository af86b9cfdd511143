/**
 * The route fabric: two gateways, agents on all nodes, and a site of two routers with a host behind both.
 *
 *     pod, node ─► agent ═overlay═► gateway a or b ═IPsec═► router1 or router2 ─► srv
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../lib/helm/values-file';
import { authority } from '../strongswan/authority';
import type { Client, Pod, Uplink } from './host';
import {
  ALL_OF_CLUSTER,
  Ipsec,
  makeSecret,
  newSharedKey,
  OFFICE,
  OFFICE_NETWORK,
  Router,
  type RouterFiles,
} from './ipsec';
import { lossFigure, probing, type End, type Flow, type Loss } from './probes';
import { LabError, until } from './processes';
import { publicAddressOf, type Context } from './scenario';
import { CLUSTER, type Machine } from './settings';
import { Speaker } from './speaker';

export const SITE = {
  as: 64_514,
  /** Of the host behind both routers, which speaks BGP with them. */
  hostAs: 64_520,
  /** What the values allow; the host is in OFFICE_NETWORK, the links to it are in others. */
  network: '10.1.0.0/16',
} as const;

const LOCAL_AS = 65_010;
/** Emulated processors need more time than the chart's default gives them. */
const BFD = { intervalMilliseconds: 500, multiplier: 5 };
/** Until everything of a new release or after a fault is there. */
const COMPLETE_SECONDS = 300;

/** A gateway, its tunnel, and the router at the end of it. */
const PAIR = [
  { gateway: 'a', tunnel: 'primary', router: 'router1', local: '169.254.100.2', remote: '169.254.100.1', link: 'eth0' },
  {
    gateway: 'b',
    tunnel: 'secondary',
    router: 'router2',
    local: '169.254.101.2',
    remote: '169.254.101.1',
    link: 'eth1',
  },
] as const;
export type GatewayName = (typeof PAIR)[number]['gateway'];

const linkNetwork = (index: number): string => `10.1.${index + 1}.`;

export interface FabricOptions {
  /** @default psk */
  readonly authentication?: 'psk' | 'certificate';
  /** Whether the remote ends do BFD. @default true */
  readonly remoteBfd?: boolean;
  /** More values of routes. */
  readonly routes?: { readonly import?: JsonObject; readonly maxPrefixes?: number };
  /** More values, of the root. */
  readonly values?: JsonObject;
}

/** One of the two tunnels as the site has it. */
interface RemoteEnd {
  readonly router: Router;
  readonly speaker: Speaker;
  readonly secretLine: string;
  readonly password: string;
  readonly credentials: NonNullable<RouterFiles['credentials']>;
}

/** The release, and the site outside. */
export class Fabric {
  private constructor(
    readonly context: Context,
    readonly vpn: Ipsec,
    /** The host behind both routers. */
    readonly srv: Client,
    private readonly ends: readonly RemoteEnd[],
    private readonly srvSpeaker: Speaker,
    private readonly values: JsonObject,
    readonly remoteBfd: boolean,
  ) {}

  /** Makes the site and the Secrets, and installs nothing. */
  static async prepare(context: Context, options: FabricOptions = {}): Promise<Fabric> {
    const routers = await siteOf(context);
    const uplinks: Uplink[] = routers.map((router, index) => ({
      router,
      network: linkNetwork(index),
      network6: `fd00:1:0:${index + 1}::`,
    }));
    const srv = await context.behindAll('srv', [`${OFFICE[0]}5`, `${OFFICE[1]}5`], uplinks);
    const keys = await (options.authentication === 'certificate' ? certificates(context) : sharedKeys(context));
    const values = { ...(await valuesOf(context, routers, keys, options)), ...options.values };
    const vpn = await Ipsec.prepare(context, 'site', values);
    const ends = routers.map((host, index) => ({
      router: new Router(host),
      speaker: new Speaker(host),
      secretLine: keys[index]!.secretLine,
      password: keys[index]!.password,
      credentials: keys[index]!.credentials ?? {},
    }));
    return new Fabric(context, vpn, srv, ends, new Speaker(srv), values, options.remoteBfd ?? true);
  }

  /** Starts the routers and what is behind them, as our counterparts say, and installs the chart. */
  async install(): Promise<void> {
    await this.startSite();
    await this.vpn.install();
    await this.complete();
  }

  private async startSite(): Promise<void> {
    await Promise.all([
      ...this.ends.map(async ({ router, speaker, password, credentials }, index) => {
        const { tunnel } = PAIR[index]!;
        // What is behind a router is known to it from its kernel.
        await router.host.run(`ip route replace ${OFFICE_NETWORK} via ${linkNetwork(index)}5`);
        await router.start({ ...this.vpn.counterpart(tunnel, this.counterpartOptions(index)), credentials });
        await speaker.start(this.vpn.counterpartFrr(tunnel, password), towardsHost(tunnel, `${linkNetwork(index)}5`));
      }),
      this.srvSpeaker.start(hostConf(this.ends.map((_, index) => `${linkNetwork(index)}1`))),
    ]);
  }

  /** What a person knows of a gateway beside the values: its address, where its identity is a name. */
  private counterpartOptions(index: number): { address: string; secretLine: string } {
    const machine = nodeOf(this.context, PAIR[index]!.gateway);
    return { address: publicAddressOf(machine), secretLine: this.ends[index]!.secretLine };
  }

  /** Removes the site, for another one in its place. */
  async remove(): Promise<void> {
    for (const host of [this.srv, ...this.ends.map(({ router }) => router.host)]) await host.remove();
  }

  /** As `Ipsec.upgrade`, with changes at the root of the values of the installation. */
  upgrade(changes: JsonObject): Promise<void> {
    return this.vpn.upgrade({ ...this.values, ...changes });
  }

  /** A file of the values of the installation, with changes at their root. */
  file(changes: JsonObject): string {
    // YAML contains JSON.
    return this.context.file('changed.yaml', JSON.stringify({ ...this.values, ...changes }));
  }

  /** The values of its tunnels with a change of each. */
  tunnelsWith(change: JsonObject): JsonObject {
    const tunnels = Object.entries(this.values['tunnels'] as JsonObject);
    return Object.fromEntries(tunnels.map(([name, tunnel]) => [name, { ...(tunnel as JsonObject), ...change }]));
  }

  /** Gives the routers what our counterparts say after a change. */
  async reloadSite(): Promise<void> {
    for (const [index, { router }] of this.ends.entries())
      await router.reload(this.vpn.counterpart(PAIR[index]!.tunnel, this.counterpartOptions(index)));
  }

  /** What must be nowhere else than in Secrets and at the site. */
  get secrets(): string[] {
    return this.ends.flatMap(({ secretLine, password }) => [/"(.+)"/.exec(secretLine)?.[1] ?? password, password]);
  }

  router(gateway: GatewayName): Router {
    return this.ends[indexOf(gateway)]!.router;
  }

  speaker(gateway: GatewayName): Speaker {
    return this.ends[indexOf(gateway)]!.speaker;
  }

  /** The node on which a gateway is. */
  nodeOf(gateway: GatewayName): Machine {
    return nodeOf(this.context, gateway);
  }

  /** Waits until every node has a way over each gateway, and the host outside over each router. */
  async complete(ways: number = PAIR.length): Promise<void> {
    for (const machine of this.context.lab.machines)
      await until(`${ways} ways on ${machine.name}`, COMPLETE_SECONDS, async () =>
        (await this.ways(machine, OFFICE_NETWORK)) === ways ? true : undefined,
      );
    for (const network of [CLUSTER.pods, CLUSTER.nodes, CLUSTER.services])
      await until(`${ways} ways to ${network} outside`, COMPLETE_SECONDS, async () =>
        nextHops(await this.srv.run(`ip -j route show ${network}`)) === ways ? true : undefined,
      );
  }

  /** How many ways a node has to a network. */
  async ways(machine: Machine, network: string): Promise<number> {
    return nextHops(await this.context.lab.on(machine, `ip -j route show ${network}`));
  }

  /** Of the pods of the agents, on one node or all. */
  agentPods(machine?: Machine): string[] {
    const on = machine === undefined ? [] : [`--field-selector=spec.nodeName=${machine.name}`];
    return ['-l', `app.kubernetes.io/instance=${this.vpn.release},app.kubernetes.io/name=ipsec-agents`, ...on];
  }

  /** The name of the DaemonSet of the agents. */
  get agents(): string {
    return `${this.vpn.name}-agents`;
  }

  /** What a shell script says in the container of each agent. */
  async ofAgents(script: string): Promise<string[]> {
    const pods = await this.pods(...this.agentPods());
    return Promise.all(pods.map((pod) => this.context.kubectl('exec', pod, '-c', 'frr', '--', 'sh', '-c', script)));
  }

  /** What each container has of memory that is its own, by pod and container. */
  async memoryMib(): Promise<Record<string, number>> {
    const mib: Record<string, number> = {};
    const script = "sed -n 's/^anon //p' /sys/fs/cgroup/memory.stat";
    for (const pod of await this.pods('-l', this.vpn.selector)) {
      const path = 'jsonpath={.spec.containers[*].name}';
      for (const container of (await this.context.kubectl('get', pod, '-o', path)).split(' ')) {
        const bytes = await this.context.kubectl('exec', pod, '-c', container, '--', 'sh', '-c', script);
        mib[`${pod.replace('pod/', '')}/${container}`] = Number(bytes) / 2 ** 20;
      }
    }
    return mib;
  }

  private async pods(...which: readonly string[]): Promise<string[]> {
    return (await this.context.kubectl('get', 'pods', ...which, '-o', 'name')).trim().split('\n');
  }

  /** Waits until all gateways and agents are Ready. */
  async ready(): Promise<void> {
    for (const { gateway } of PAIR) await this.vpn.ready(this.vpn.gateway(gateway));
    await this.context.kubectl('rollout', 'status', `daemonset/${this.agents}`, '--timeout=180s');
  }

  /** Packets from a pod to the host outside, and back, of which each goes over one gateway. */
  async pinned(pod: Pod, gateway: GatewayName): Promise<readonly [Flow, Flow]> {
    const outwards = { name: `pod to srv over ${gateway}`, from: endOf(pod), to: endOf(this.srv) };
    const back = { name: `srv to pod over ${gateway}`, from: outwards.to, to: outwards.from };
    const { link } = PAIR[indexOf(gateway)]!;
    return [
      { ...outwards, ports: [await portBy(link, outwards)] },
      { ...back, ports: [await this.portBack(link, pod)] },
    ];
  }

  /** A port whose packets leave the host outside by one of its links. */
  private async portBack(link: string, { address }: Pod): Promise<number> {
    for (const port of PORTS_BACK) {
      const ports = `ipproto udp sport ${port} dport ${port}`;
      const way = await this.srv.run(`ip route get ${address} from ${this.srv.address} ${ports}`);
      if (way.includes(` dev ${link} `)) return port;
    }
    throw new LabError(`no port leads to ${address} by ${link}`);
  }

  /** What becomes of packets over gateways while something happens, and until everything is there again. */
  async fault(pod: Pod, gateways: readonly GatewayName[], fault: Fault): Promise<void> {
    await this.context.check(fault.title, async () => {
      const flows: Flow[] = [];
      for (const gateway of gateways) flows.push(...(await this.pinned(pod, gateway)));
      const losses = await probing(flows, async () => {
        await happen(fault);
        await this.ready();
        await this.complete();
        // What comes back may break once more when the last of it is there.
        await sleep(SETTLING_SECONDS * 1000);
      });
      const figure = losses.map((loss, index) => `${flows[index]?.name ?? ''}: ${lossFigure(loss)}`).join('; ');
      const limits = await fault.limits();
      for (const loss of losses) keptWithin(loss, limits, figure);
      return `${figure}; at most ${'packets' in limits ? limits.packets : `${limits.seconds.toFixed(1)} s`}`;
    });
  }
}

/** Something that goes wrong, or is changed, and what it may cost. */
export interface Fault {
  readonly title: string;
  readonly begin: () => Promise<unknown>;
  /** @default 0 */
  readonly lastsSeconds?: number;
  readonly heal?: () => Promise<unknown>;
  readonly limits: () => Limits | Promise<Limits>;
}

/** How many packets may be lost in all, or how long an outage may be, of which there is one. */
export type Limits = { readonly packets: number } | { readonly seconds: number };

/** Lets it happen, and heals it. */
export async function happen({ begin, lastsSeconds = 0, heal }: Fault): Promise<void> {
  await begin();
  try {
    await sleep(lastsSeconds * 1000);
  } finally {
    await heal?.();
  }
}

function keptWithin({ lost, outages }: Loss, limits: Limits, figure: string): void {
  if ('packets' in limits) {
    if (lost > limits.packets) throw new LabError(`${figure}; at most ${limits.packets}`);
    return;
  }
  const [longest, ...others] = [...outages].sort((one, other) => other.seconds - one.seconds);
  if (longest !== undefined && longest.seconds > limits.seconds)
    throw new LabError(`${figure}; at most ${limits.seconds.toFixed(1)} s`);
  if (others.some(({ packets }) => packets > BARELY_PACKETS))
    throw new LabError(`${figure}; and once more: ${JSON.stringify(outages)}`);
}

const SETTLING_SECONDS = 10;
/** So many are no outage; a planned change of gateways may cost them. */
export const BARELY_PACKETS = 10;
/** Of the probes: how many are tried until one takes the way that is wanted. */
const PORTS = Array.from({ length: 8 }, (_, index) => 20_000 + index);
/** From the host outside, which listens to the others. */
const PORTS_BACK = PORTS.map((port) => port + 100);

const indexOf = (gateway: GatewayName): number => PAIR.findIndex((pair) => pair.gateway === gateway);

function nodeOf({ lab }: Context, gateway: GatewayName): Machine {
  return lab.machines[indexOf(gateway)] ?? lab.machines[0];
}

/** A port whose packets arrive by one of the links of their receiver: only the network itself knows. */
async function portBy(link: string, flow: Omit<Flow, 'ports'>): Promise<number> {
  const losses = await probing([{ ...flow, ports: PORTS }], () => Promise.resolve());
  const port = PORTS.find((_, index) => losses[index]?.link === link);
  if (port === undefined)
    throw new LabError(`no port leads from ${flow.from.address} to ${flow.to.address} by ${link}`);
  return port;
}

const endOf = (host: Client | Pod): End => ({ host, address: host.address });

/** How many ways a route has, in the JSON of iproute2; none of one that refuses. */
export function nextHops(json: string): number {
  const routes = JSON.parse(json === '' ? '[]' : json) as readonly KernelRoute[];
  return routes
    .filter(({ type = 'unicast' }) => type === 'unicast')
    .reduce(
      (sum, { nexthops, gateway, via }) => sum + (nexthops?.length ?? ((gateway ?? via) === undefined ? 0 : 1)),
      0,
    );
}

interface KernelRoute {
  readonly type?: string;
  readonly gateway?: string;
  readonly via?: unknown;
  readonly nexthops?: readonly unknown[];
}

/** The two routers, with the public addresses of the nodes. */
async function siteOf(context: Context): Promise<Client[]> {
  const routers: Client[] = [];
  for (const { router } of PAIR) routers.push(await context.client(router));
  return routers;
}

interface TunnelKey {
  /** The part of a tunnel's values. */
  readonly values: JsonObject;
  /** Of the BGP session. */
  readonly password: string;
  readonly remoteIdentity?: string;
  readonly localIdentity?: string;
  readonly secretLine: string;
  readonly credentials?: NonNullable<RouterFiles['credentials']>;
}

async function sharedKeys(context: Context): Promise<TunnelKey[]> {
  const keys: TunnelKey[] = [];
  for (const { tunnel } of PAIR) {
    const key = newSharedKey();
    await makeSecret(context, `${tunnel}-psk`, { psk: `${key}\n` });
    keys.push({
      password: await bgpPassword(context, tunnel),
      values: { presharedKey: { existingSecret: `${tunnel}-psk` } },
      secretLine: `secret = "${key}"`,
    });
  }
  return keys;
}

async function bgpPassword(context: Context, tunnel: string): Promise<string> {
  const password = randomBytes(15).toString('hex');
  await makeSecret(context, `${tunnel}-bgp`, { password });
  return password;
}

async function certificates(context: Context): Promise<TunnelKey[]> {
  const ca = authority({ CN: 'Laboratory' });
  const keys: TunnelKey[] = [];
  for (const { tunnel, gateway, router } of PAIR) {
    const [localIdentity, remoteIdentity] = [`${gateway}.vpn.example.com`, `${router}.example.com`];
    const [ours, theirs] = [
      ca.issue({ subject: { CN: gateway }, dns: [localIdentity] }),
      ca.issue({ subject: { CN: router }, dns: [remoteIdentity] }),
    ];
    await makeSecret(context, `${tunnel}-tls`, {
      'tls.crt': ours.certificate,
      'tls.key': ours.privateKey,
      'ca.crt': ca.certificate,
    });
    keys.push({
      password: await bgpPassword(context, tunnel),
      values: { certificate: { existingSecret: `${tunnel}-tls` } },
      localIdentity,
      remoteIdentity,
      secretLine: '',
      credentials: {
        [`x509/${tunnel}.crt`]: theirs.certificate,
        [`private/${tunnel}.key`]: theirs.privateKey,
        [`x509ca/${tunnel}-ca.crt`]: ca.certificate,
      },
    });
  }
  return keys;
}

async function valuesOf(
  context: Context,
  routers: readonly Client[],
  keys: readonly TunnelKey[],
  { remoteBfd = true, routes: { import: more, ...routes } = {} }: FabricOptions,
): Promise<JsonObject> {
  const gateways: Record<string, JsonObject> = {};
  const tunnels: Record<string, JsonObject> = {};
  for (const [index, { gateway, tunnel, local, remote }] of PAIR.entries()) {
    const { values, localIdentity, remoteIdentity } = keys[index]!;
    const machine = nodeOf(context, gateway);
    const address = await context.publicAddress(machine);
    gateways[gateway] = {
      exposure: 'hostPort',
      identity: localIdentity ?? address,
      nodeSelector: { 'kubernetes.io/hostname': machine.name },
    };
    tunnels[tunnel] = {
      gateway,
      remote: {
        address: routers[index]!.address,
        initiates: false,
        ...(remoteIdentity !== undefined && { identity: remoteIdentity }),
      },
      ...values,
      inside: { local: `${local}/30`, remote },
      bgp: { peerAs: SITE.as, password: { existingSecret: `${tunnel}-bgp` }, ...(remoteBfd && { bfd: BFD }) },
    };
  }
  return {
    cluster: ALL_OF_CLUSTER,
    routes: {
      mode: 'bgp',
      localAs: LOCAL_AS,
      import: { site: { cidr: SITE.network }, ...more },
      bfd: BFD,
      ...routes,
    },
    gateways,
    tunnels,
    // Emulated processors take long until a program has begun.
  };
}

/** What a router has beside our counterpart's file: its session with the host behind it. */
function towardsHost(tunnel: string, host: string): string {
  return `
bfd
 profile lab
  transmit-interval ${BFD.intervalMilliseconds}
  receive-interval ${BFD.intervalMilliseconds}
  detect-multiplier ${BFD.multiplier}
 exit
exit
router bgp ${SITE.as}
 no bgp ebgp-requires-policy
 neighbor ${host} remote-as ${SITE.hostAs}
 neighbor ${host} timers 3 9
 neighbor ${host} timers connect 2
 neighbor ${host} bfd profile lab
 address-family ipv4 unicast
  neighbor ${host} activate
  neighbor ${host} prefix-list cluster-${tunnel} out
 exit-address-family
exit
`;
}

/** The host, which chooses between the routers that know a way. */
function hostConf(routers: readonly string[]): string {
  return `
bfd
 profile lab
  transmit-interval ${BFD.intervalMilliseconds}
  receive-interval ${BFD.intervalMilliseconds}
  detect-multiplier ${BFD.multiplier}
 exit
exit
route-map SOURCE permit 10
 set src ${OFFICE[0]}5
exit
ip protocol bgp route-map SOURCE
router bgp ${SITE.hostAs}
 bgp router-id ${OFFICE[0]}5
 no bgp ebgp-requires-policy
${routers
  .map(
    (router) => ` neighbor ${router} remote-as ${SITE.as}
 neighbor ${router} timers 3 9
 neighbor ${router} timers connect 2
 neighbor ${router} bfd profile lab
`,
  )
  .join('')} address-family ipv4 unicast
  maximum-paths 8
 exit-address-family
exit
`;
}

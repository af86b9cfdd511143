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
import { publicAddress6Of, publicAddressOf, type Context } from './scenario';
import { CLUSTER, type Machine } from './settings';
import { Speaker } from './speaker';

export const SITE = {
  as: 64_514,
  /** Of the host behind both routers, which speaks BGP with them. */
  hostAs: 64_520,
} as const;

/** What differs between the two families, inside and outside. */
interface Family {
  /** Of iproute2. */
  readonly option: '-4' | '-6';
  /** Of FRR. */
  readonly words: { readonly ip: 'ip' | 'ipv6'; readonly family: 'ipv4' | 'ipv6' };
  readonly cluster: {
    readonly podCidrs: readonly string[];
    readonly serviceCidrs: readonly string[];
    readonly nodeCidrs: readonly string[];
  };
  /** What the values allow; the host is in `office`, the links to it are in others. */
  readonly site: string;
  readonly office: string;
  readonly host: string;
  /** The network of the link between a router and the host, in front of the last byte. */
  readonly link: (index: number) => string;
  /** Addresses inside a tunnel. */
  readonly inside: (index: number) => { readonly local: string; readonly remote: string; readonly length: number };
  readonly addressOf: (host: { readonly address: string; readonly address6: string }) => string;
  /** Of a gateway, as the world sees it. */
  readonly outer: (machine: Machine) => string;
}

const link4 = (index: number): string => `10.1.${index + 1}.`;
const link6 = (index: number): string => `fd00:1:0:${index + 1}::`;

const FAMILIES: Readonly<Record<4 | 6, Family>> = {
  4: {
    option: '-4',
    words: { ip: 'ip', family: 'ipv4' },
    cluster: ALL_OF_CLUSTER,
    site: '10.1.0.0/16',
    office: OFFICE_NETWORK,
    host: `${OFFICE[0]}5`,
    link: link4,
    inside: (index) => ({ local: `169.254.${100 + index}.2`, remote: `169.254.${100 + index}.1`, length: 30 }),
    addressOf: ({ address }) => address,
    outer: publicAddressOf,
  },
  6: {
    option: '-6',
    words: { ip: 'ipv6', family: 'ipv6' },
    cluster: {
      podCidrs: [CLUSTER.pods, CLUSTER.pods6],
      serviceCidrs: [CLUSTER.services, CLUSTER.services6],
      nodeCidrs: [CLUSTER.nodes, CLUSTER.nodes6],
    },
    site: 'fd00:1::/48',
    office: `${OFFICE[1]}/64`,
    host: `${OFFICE[1]}5`,
    link: link6,
    inside: (index) => ({ local: `fd00:169:${index}::2`, remote: `fd00:169:${index}::1`, length: 126 }),
    addressOf: ({ address6 }) => address6,
    outer: publicAddress6Of,
  },
};

const LOCAL_AS = 65_010;
/** Emulated processors need more time than the chart's default gives them. */
const BFD = { intervalMilliseconds: 500, multiplier: 5 };
/** Until everything of a new release or after a fault is there. */
const COMPLETE_SECONDS = 300;
/** To ask a node more often would take the time from what is waited for. */
const ASK_EVERY_SECONDS = 3;

/** A gateway, its tunnel, and the router at the end of it. */
const PAIR = [
  { gateway: 'a', tunnel: 'primary', router: 'router1', link: 'eth0' },
  { gateway: 'b', tunnel: 'secondary', router: 'router2', link: 'eth1' },
] as const;
export type GatewayName = (typeof PAIR)[number]['gateway'];

export interface FabricOptions {
  /** @default psk */
  readonly authentication?: 'psk' | 'certificate';
  /** Whether the remote ends do BFD. @default true */
  readonly remoteBfd?: boolean;
  /** Of everything, inside and outside. @default 4 */
  readonly family?: 4 | 6;
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
    private readonly family: Family,
  ) {}

  /** Makes the site and the Secrets, and installs nothing. */
  static async prepare(context: Context, options: FabricOptions = {}): Promise<Fabric> {
    const routers = await siteOf(context);
    const uplinks: Uplink[] = routers.map((router, index) => ({
      router,
      network: link4(index),
      network6: link6(index),
    }));
    const srv = await context.behindAll('srv', [FAMILIES[4].host, FAMILIES[6].host], uplinks);
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
    return new Fabric(
      context,
      vpn,
      srv,
      ends,
      new Speaker(srv),
      values,
      options.remoteBfd ?? true,
      FAMILIES[options.family ?? 4],
    );
  }

  /** The same, and installs it: a row of the scenario. */
  static installed(context: Context, options: FabricOptions = {}): Promise<Fabric> {
    return context.prepare('the routers, and helm install --wait: two ways everywhere', async () => {
      const made = await Fabric.prepare(context, options);
      await made.install();
      return made;
    });
  }

  /** A pod whose packets over gateway a go to another node: a row of the scenario. */
  podBeside(): Promise<Pod> {
    return this.context.prepare('a pod that is not on the node of the gateway', () =>
      this.context.pod('probe', this.nodeOf('b').name),
    );
  }

  /** Starts the routers and what is behind them, as our counterparts say, and installs the chart. */
  async install(): Promise<void> {
    await this.startSite();
    await this.vpn.install();
    await this.complete();
  }

  /** Installs the chart as in the beginning, where the site is there still. */
  async installAgain(): Promise<void> {
    await this.vpn.install({}, this.values);
    // Helm does not wait for all agents, and a node that has kept its ways has two of them at once.
    await this.ready();
    await this.complete();
  }

  private async startSite(): Promise<void> {
    await Promise.all([
      ...this.ends.map(async ({ router, speaker, password, credentials }, index) => {
        const { tunnel } = PAIR[index]!;
        // What is behind a router is known to it from its kernel.
        await router.host.run(`ip route replace ${this.family.office} via ${this.family.link(index)}5`);
        await router.start({ ...this.vpn.counterpart(tunnel, this.counterpartOptions(index)), credentials });
        await speaker.start(this.vpn.counterpartFrr(tunnel, password), towardsHost(this.family, tunnel, index));
      }),
      this.srvSpeaker.start(hostConf(this.family)),
    ]);
  }

  /** What a person knows of a gateway beside the values: its address, where its identity is a name. */
  private counterpartOptions(index: number): { address: string; secretLine: string } {
    const machine = nodeOf(this.context, PAIR[index]!.gateway);
    return { address: this.family.outer(machine), secretLine: this.ends[index]!.secretLine };
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
      await until(
        `${ways} ways on ${machine.name}`,
        COMPLETE_SECONDS,
        async () => ((await this.ways(machine)) === ways ? true : undefined),
        ASK_EVERY_SECONDS,
      );
    const { podCidrs, nodeCidrs, serviceCidrs } = this.family.cluster;
    for (const network of [podCidrs, nodeCidrs, serviceCidrs].map((networks) => networks.at(-1) ?? ''))
      await until(
        `${ways} ways to ${network} outside`,
        COMPLETE_SECONDS,
        async () =>
          nextHops(await this.srv.run(`ip ${this.family.option} -j route show ${network}`)) === ways ? true : undefined,
        ASK_EVERY_SECONDS,
      );
  }

  /** How many ways a node has to the network of the host outside. */
  async ways(machine: Machine): Promise<number> {
    return nextHops(await this.context.lab.on(machine, `ip ${this.family.option} -j route show ${this.family.office}`));
  }

  /** The address of a host in the family of everything. */
  addressOf(host: { readonly address: string; readonly address6: string }): string {
    return this.family.addressOf(host);
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

  /** Packets from a pod to the host outside, and back: over each gateway, in the order of the losses. */
  async pinned(pod: Pod, gateways: readonly GatewayName[]): Promise<Pinned> {
    const outwards: Flow = { from: endOf(pod), to: endOf(this.srv), ports: [] };
    const back: Flow = { from: outwards.to, to: outwards.from, ports: [] };
    const links = gateways.map((gateway) => PAIR[indexOf(gateway)]!.link);
    const portsBack = [];
    for (const link of links) portsBack.push(await this.portBack(link, pod));
    return {
      flows: [
        { ...outwards, ports: await portsBy(links, outwards) },
        { ...back, ports: portsBack },
      ],
      names: ['pod to srv', 'srv to pod'].flatMap((way) => gateways.map((gateway) => `${way} over ${gateway}`)),
    };
  }

  /** A port whose packets leave the host outside by one of its links, as they do. */
  private async portBack(link: string, { address }: Pod): Promise<number> {
    const said = await this.srv.run(`python3 - ${this.srv.address} ${address} ${link} ${PORTS_BACK.join(' ')}`, {
      input: FIND_PORT,
    });
    if (said.trim() !== '') return Number(said);
    throw new LabError(`no port leads to ${address} by ${link}`);
  }

  /** What becomes of packets over gateways while something happens, and until everything is there again. */
  async fault(pod: Pod, gateways: readonly GatewayName[], fault: Fault): Promise<void> {
    await this.context.check(fault.title, async () => {
      const { flows, names } = await this.pinned(pod, gateways);
      const losses = await probing(flows, async () => {
        await happen(fault);
        await this.ready();
        await this.complete();
        // What comes back may break once more when the last of it is there.
        await sleep(SETTLING_SECONDS * 1000);
      });
      const figure = figureOf(names, losses);
      const limits = await fault.limits();
      for (const loss of losses) keptWithin(loss, limits, figure);
      return `${figure}; at most ${'packets' in limits ? limits.packets : `${limits.seconds.toFixed(1)} s`}`;
    });
  }
}

/** Flows whose ports lead over known gateways, and a name for each port of each. */
export interface Pinned {
  readonly flows: readonly Flow[];
  readonly names: readonly string[];
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
const PORTS = Array.from({ length: 16 }, (_, index) => 20_000 + 37 * index);
/** More packets at once would take all the time of a node, so that it would lose its BFD. */
const PORTS_AT_ONCE = 3;
/** From the host outside, which listens to the others. */
const PORTS_BACK = Array.from({ length: 64 }, (_, index) => 30_000 + 37 * index);

/** Prints the first of some ports whose packets a link has sent: many more than it sends otherwise in so short a time. */
const FIND_PORT = `
import socket, sys
own, to, link, *ports = sys.argv[1:]
def sent():
    # /sys may be that of another network namespace.
    lines = [line.split() for line in open('/proc/net/dev')]
    return next(int(line[10]) for line in lines if line[0] == f'{link}:')
for port in ports:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.bind((own, int(port)))
        before = sent()
        for _ in range(100):
            plug.sendto(b'', (to, int(port)))
    if sent() - before >= 100:
        print(port)
        break
`;

const indexOf = (gateway: GatewayName): number => PAIR.findIndex((pair) => pair.gateway === gateway);

function nodeOf({ lab }: Context, gateway: GatewayName): Machine {
  return lab.machines[indexOf(gateway)] ?? lab.machines[0];
}

/** For each link of the receiver a port whose packets arrive by it: only the network itself knows. */
async function portsBy(links: readonly string[], flow: Flow): Promise<number[]> {
  const found: Record<string, number> = {};
  for (let first = 0; first < PORTS.length && !links.every((link) => link in found); first += PORTS_AT_ONCE) {
    const ports = PORTS.slice(first, first + PORTS_AT_ONCE);
    const losses = await probing([{ ...flow, ports }], () => Promise.resolve());
    for (const [index, { link }] of losses.entries()) found[link] ??= ports[index]!;
  }
  return links.map((link) => {
    const port = found[link];
    if (port !== undefined) return port;
    throw new LabError(`no port leads from ${flow.from.address} to ${flow.to.address} by ${link}`);
  });
}

/** What became of flows, by name. */
export const figureOf = (names: readonly string[], losses: readonly Loss[]): string =>
  losses.map((loss, index) => `${names[index] ?? ''}: ${lossFigure(loss)}`).join('; ');

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
  { remoteBfd = true, family: number = 4, routes: { import: more, ...routes } = {} }: FabricOptions,
): Promise<JsonObject> {
  const family = FAMILIES[number];
  const gateways: Record<string, JsonObject> = {};
  const tunnels: Record<string, JsonObject> = {};
  for (const [index, { gateway, tunnel }] of PAIR.entries()) {
    const { values, localIdentity, remoteIdentity } = keys[index]!;
    const machine = nodeOf(context, gateway);
    await context.publicAddress(machine);
    const { local, remote, length } = family.inside(index);
    gateways[gateway] = {
      exposure: 'hostPort',
      identity: localIdentity ?? family.outer(machine),
      nodeSelector: { 'kubernetes.io/hostname': machine.name },
    };
    tunnels[tunnel] = {
      gateway,
      remote: {
        address: family.addressOf(routers[index]!),
        initiates: false,
        ...(remoteIdentity !== undefined && { identity: remoteIdentity }),
      },
      ...values,
      inside: { local: `${local}/${length}`, remote },
      bgp: { peerAs: SITE.as, password: { existingSecret: `${tunnel}-bgp` }, ...(remoteBfd && { bfd: BFD }) },
    };
  }
  return {
    cluster: family.cluster,
    routes: {
      mode: 'bgp',
      localAs: LOCAL_AS,
      import: { site: { cidr: family.site }, ...more },
      bfd: BFD,
      ...routes,
    },
    gateways,
    tunnels,
    // Emulated processors take long until a program has begun, as that of a probe is one.
    drainTimeoutSeconds: 400,
    livenessProbe: { periodSeconds: 60, timeoutSeconds: 30 },
    // They need more of its time for the same, too: BFD does not wait.
    frr: { resources: { requests: { cpu: '250m' } } },
    agent: { resources: { requests: { cpu: '250m' } } },
  };
}

const BFD_PROFILE = `
bfd
 profile lab
  transmit-interval ${BFD.intervalMilliseconds}
  receive-interval ${BFD.intervalMilliseconds}
  detect-multiplier ${BFD.multiplier}
 exit
exit
`;

/** Lines of a session between a router and the host behind it. */
const session = (neighbor: string, remoteAs: number): string => ` neighbor ${neighbor} remote-as ${remoteAs}
 neighbor ${neighbor} timers 3 9
 neighbor ${neighbor} timers connect 2
 neighbor ${neighbor} bfd profile lab
`;

/** What a router has beside our counterpart's file: its session with the host behind it. */
function towardsHost({ words, link }: Family, tunnel: string, index: number): string {
  const host = `${link(index)}5`;
  return `${BFD_PROFILE}
router bgp ${SITE.as}
 no bgp ebgp-requires-policy
${session(host, SITE.hostAs)} address-family ${words.family} unicast
  neighbor ${host} activate
  neighbor ${host} prefix-list cluster-${tunnel} out
 exit-address-family
exit
`;
}

/** The host, which chooses between the routers that know a way. */
function hostConf({ words, host, link }: Family): string {
  const routers = PAIR.map((_, index) => `${link(index)}1`);
  return `${BFD_PROFILE}
route-map SOURCE permit 10
 set src ${host}
exit
${words.ip} protocol bgp route-map SOURCE
router bgp ${SITE.hostAs}
 bgp router-id ${FAMILIES[4].host}
 no bgp ebgp-requires-policy
${routers.map((router) => session(router, SITE.as)).join('')} address-family ${words.family} unicast
${routers.map((router) => `  neighbor ${router} activate\n`).join('')}  maximum-paths 8
 exit-address-family
exit
`;
}

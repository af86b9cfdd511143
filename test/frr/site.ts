/**
 * A gateway whose FRR is that of the chart, two nodes, a remote end whose FRR is written by hand, and a stranger, in network namespaces.
 * Node 1 is also the switch of the cluster. The tunnels are cables. The nodes have an FRR by hand too, or the agents of the chart.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import type { JsonObject } from '../../lib/helm/values-file';
import { Trixie, waitUntil, type Daemon, type Files } from '../strongswan/trixie';
import { tools } from '../tools';

/** All that the container `frr` may do. */
const CAPABILITIES = [
  ...['net_admin', 'net_bind_service', 'net_raw', 'sys_admin'],
  ...['chown', 'dac_override', 'fowner', 'kill', 'setgid', 'setuid'],
];
const STATE = '/run/vpn/fabric';
export const PASSWORD = 'correct.horse';
/** The address of the gateway. */
const POD = '172.27.8.8';

/** The values of a site with one tunnel that speaks BGP, and one that does not. */
export const valuesWith = (imports: JsonObject): JsonObject => ({
  cluster: {
    podCidrs: ['10.234.0.0/16', 'fd00:234::/32'],
    serviceCidrs: ['10.233.0.0/16'],
    nodeCidrs: ['172.27.0.0/20'],
  },
  routes: { mode: 'bgp', localAs: 65010, import: imports, export: ['pods', 'nodes'] },
  gateways: { a: { identity: '203.0.113.10' } },
  tunnels: {
    primary: {
      gateway: 'a',
      remote: { address: '198.51.100.7' },
      presharedKey: { existingSecret: 'site' },
      inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
      bgp: { peerAs: 64514, password: { existingSecret: 'site-bgp' }, bfd: {} },
    },
    static: {
      gateway: 'a',
      remote: { address: '198.51.100.8', networks: ['10.1.0.0/16'] },
      presharedKey: { existingSecret: 'site' },
    },
  },
});

interface FabricJson {
  readonly overlay: { readonly address: string; readonly vni: number; readonly port: number };
  readonly tunnels: Readonly<Record<string, { readonly interface: string } | null>>;
}

/** The files of the chart's ConfigMap that has that one. */
function printed(values: JsonObject, having: string): Readonly<Record<string, string>> {
  for (const { data } of CHARTS.ipsec.objects({ values }) as { data?: Record<string, string> }[])
    if (data?.[having] !== undefined) return data;
  throw new Error(`the chart has no ConfigMap with ${having}`);
}

interface AgentJson {
  readonly link: string;
  readonly service: string;
  readonly gateways: Readonly<Record<string, { readonly host: string } | null>>;
}

export interface Status {
  readonly problems: readonly string[];
  readonly bgp: Readonly<
    Record<string, { readonly state: string; readonly prefixes: number; readonly limit: number; readonly bfd: string }>
  >;
  readonly nodes: { readonly known: number; readonly established: number; readonly withoutBfd: number };
  readonly drained: boolean;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The MAC that carries an overlay address. */
const mac = (overlay: string, kind = '02:64'): string =>
  [kind, ...overlay.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))].join(':');
export const nodeMac = (number: number, kind?: string): string => mac(`198.18.0.1${number}`, kind);
const nodeIpv6 = (number: number): string => `fd76:706e:6f76::${(10 + number).toString(16)}`;

const REMOTE_CONF = `frr version 10.3
frr defaults traditional
router bgp 64514
 bgp router-id 169.254.100.1
 no bgp default ipv4-unicast
 no bgp network import-check
 no bgp ebgp-requires-policy
 neighbor 169.254.100.2 remote-as 65010
 neighbor 169.254.100.2 password ${PASSWORD}
 neighbor 169.254.100.2 timers 3 9
 neighbor 169.254.100.2 timers connect 1
 neighbor 169.254.100.2 bfd
 address-family ipv4 unicast
  neighbor 169.254.100.2 activate
  network 0.0.0.0/0
  network 10.0.5.0/24
  network 10.0.6.0/25
  network 10.0.9.0/24
  network 10.7.0.0/24
  network 10.234.1.0/24
  network 198.18.0.0/16
 exit-address-family
exit
`;

const nodeConf = (number: number, gateway: string): string => `frr version 10.3
frr defaults traditional
bfd
 profile overlay
  transmit-interval 300
  receive-interval 300
  detect-multiplier 5
 exit
exit
route-map IPV6 permit 1
 set ipv6 next-hop global ${nodeIpv6(number)}
exit
router bgp 65010
 bgp router-id 198.18.0.1${number}
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor ${gateway} remote-as 65010
 neighbor ${gateway} timers 3 9
 neighbor ${gateway} timers connect 1
 neighbor ${gateway} update-source 198.18.0.1${number}
 neighbor ${gateway} bfd
 neighbor ${gateway} bfd profile overlay
 address-family ipv4 unicast
  neighbor ${gateway} activate
  network 10.233.0.0/16
  network 10.234.${number}.0/24
  network 172.27.0.1${number}/32
  network 10.99.0.0/16
 exit-address-family
 address-family ipv6 unicast
  neighbor ${gateway} activate
  neighbor ${gateway} route-map IPV6 out
  network fd00:234:${number}::/64
 exit-address-family
exit
`;
/** Starts the daemons of a hand-written configuration; with them it ends. */
const HAND = `import signal, sys, time
sys.path.insert(0, '/frr-scripts')
from daemons import Daemons
daemons = Daemons(int(sys.argv[1]))
def leave(*_):
    daemons.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
daemons.start()
print(daemons.load('/etc/frr/frr.conf'), flush=True)
while not daemons.ended():
    if len(sys.argv) > 2:
        daemons.wake_bfd(65010, sys.argv[2:])
    time.sleep(1)
`;
const LIB = path.join(__dirname, '../../lib');
const programs = (folder: string, into: string): Files =>
  Object.fromEntries(
    fs
      .readdirSync(path.join(LIB, folder))
      .filter((name) => /\.(?:py|sh)$/.test(name))
      .map((name) => [`${into}/${name}`, fs.readFileSync(path.join(LIB, folder, name), 'utf8')]),
  );
const SCRIPTS: Files = { '/frr-scripts/hand.py': HAND, ...programs('frr', '/frr-scripts') };
const AGENT_SCRIPTS: Files = {
  ...programs('frr', '/scripts'),
  ...programs('routes', '/scripts'),
  '/test/dns.py': fs.readFileSync(path.join(__dirname, '../routes/dns.py'), 'utf8'),
  '/etc/resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
};

const FORWARD =
  'for file in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 >/proc/sys/net/$file; done; ' +
  'for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done';

export class Site {
  /** The overlay address of the gateway. */
  readonly overlay: string;
  /** The interfaces of the tunnels, by name. */
  readonly interfaces: { readonly primary: string; readonly static: string };
  private reflector: Daemon | undefined;
  private readonly daemons = new Map<Trixie, Daemon>();
  private readonly fabric: FabricJson;
  private telling: NodeJS.Timeout | undefined;
  private told = {
    installed: { primary: true, static: false } as Record<string, boolean>,
    draining: false,
    /** To how many another gateway leads. */
    nodes: 0,
  };

  private constructor(
    readonly gateway: Trixie,
    readonly nodes: readonly [Trixie, Trixie],
    readonly remote: Trixie,
    readonly stranger: Trixie,
    values: JsonObject,
  ) {
    this.fabric = JSON.parse(printed(values, 'fabric.json')['fabric.json'] ?? '') as FabricJson;
    this.overlay = this.fabric.overlay.address;
    const interfaceOf = (name: string): string => this.fabric.tunnels[name]?.interface ?? '';
    this.interfaces = { primary: interfaceOf('primary'), static: interfaceOf('static') };
  }

  /** With cables and addresses, but nothing that runs. */
  static async start(values: JsonObject, nodes: 'by hand' | 'with agents' = 'by hand'): Promise<Site> {
    const all = await Promise.all(Array.from({ length: 5 }, () => Trixie.start()));
    const [gateway, node1, node2, remote, stranger] = all as [Trixie, Trixie, Trixie, Trixie, Trixie];
    const site = new Site(gateway, [node1, node2], remote, stranger, values);
    for (const each of all) each.write(SCRIPTS);
    join(gateway, 'eth0', node1, 'port1');
    join(node2, 'eth0', node1, 'port2');
    join(stranger, 'eth0', node1, 'port3');
    join(gateway, site.interfaces.primary, remote, 'eth0');
    join(gateway, site.interfaces.static, remote, 'eth1');
    const ports = [1, 2, 3].map((number) => `ip link set port${number} master br0 up`);
    await shell(
      node1,
      'ip link add br0 type bridge',
      ...ports,
      'ip address add 172.27.0.11/20 dev br0',
      'ip link set br0 up',
    );
    await shell(node2, 'ip address add 172.27.0.12/20 dev eth0', 'ip link set eth0 up');
    await shell(stranger, 'ip address add 172.27.0.66/20 dev eth0', 'ip link set eth0 up');
    await shell(
      gateway,
      `ip address add ${POD}/20 dev eth0`,
      'ip link set eth0 up',
      'ip route add default via 172.27.0.11',
      `ip address add 169.254.100.2/30 dev ${site.interfaces.primary}`,
      ...Object.values(site.interfaces).map((name) => `ip link set ${name} up`),
      `mkdir -p ${STATE}`,
    );
    await shell(
      remote,
      'ip address add 169.254.100.1/30 dev eth0',
      'ip link set eth0 up',
      'ip link set eth1 up',
      'ip address add 10.0.5.1/32 dev lo',
    );
    for (const each of [gateway, node1, node2, remote]) await shell(each, FORWARD);
    site.setPassword(PASSWORD);
    site.configure(values);
    site.tell({});
    site.telling = setInterval(() => site.tell({}), 5000);
    remote.write({ '/etc/frr/frr.conf': REMOTE_CONF });
    for (const number of [1, 2] as const)
      await (nodes === 'by hand' ? site.addOverlay(number) : site.addAgent(number, values));
    return site;
  }

  /** What the agent of a node does. */
  private async addOverlay(number: 1 | 2): Promise<void> {
    const node = this.node(number);
    node.write({ '/etc/frr/frr.conf': nodeConf(number, this.overlay) });
    await shell(
      node,
      this.linkAdd(nodeMac(number), `172.27.0.1${number}`),
      `ip address add 198.18.0.1${number}/32 dev ovl0`,
      `ip address add ${nodeIpv6(number)}/128 dev ovl0`,
      'ip link set ovl0 up',
      `ip route add ${this.overlay}/32 dev ovl0`,
      `ip -6 route add ${this.overlayIpv6}/128 dev ovl0`,
      ...this.neighbours(),
      `bridge fdb append ${mac(this.overlay)} dst ${POD} dev ovl0`,
      `ip address add 10.234.${number}.1/24 dev lo`,
    );
  }

  /** What is on a node before its agent starts, and the agent's files. */
  private async addAgent(number: 1 | 2, values: JsonObject): Promise<void> {
    const files = printed(values, 'agent.json');
    const { gateways, service } = JSON.parse(files['agent.json'] ?? '') as AgentJson;
    this.node(number).write({
      ...AGENT_SCRIPTS,
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`/config/${name}`, text])),
      '/test/zone.json': JSON.stringify({ [gateways['a']?.host ?? '']: [POD], [service]: ['10.233.0.9'] }),
    });
    await shell(
      this.node(number),
      'ip link add cni0 type bridge',
      `ip address add 10.234.${number}.1/24 dev cni0`,
      `ip -6 address add fd00:234:${number}::1/64 dev cni0 nodad`,
      'ip link set cni0 up',
      'mkdir -p /run/vpn /run/cdk8s-vpn',
    );
  }

  /** Both containers of a node's agent. */
  startAgent(number: 1 | 2): Daemon {
    const node = this.node(number);
    const { link } = JSON.parse(fs.readFileSync(node.path('/config/agent.json'), 'utf8')) as AgentJson;
    node.daemon(['python3', '/test/dns.py', '53', '/test/zone.json']);
    node.daemon(['sh', '/scripts/filter.sh'], {
      environment: { LINK: link, POLL_SECONDS: '0.2', ASSERT_SECONDS: '1' },
    });
    const [NODE_NAME, NODE_IP] = [`node${number}`, `172.27.0.1${number}`];
    const environment = { NODE_NAME, NODE_IP, SYSCTL: '/proc/sys/net', HOST_STATE: '/run/cdk8s-vpn' };
    return node.daemon(['python3', '-B', '/scripts/agent.py'], { environment });
  }

  linkAdd(address: string, local: string): string {
    const { vni, port } = this.fabric.overlay;
    return `ip link add ovl0 address ${address} mtu 1400 type vxlan id ${vni} dstport ${port} noudpcsum local ${local} nolearning`;
  }

  /** They are gone when the MAC of the link changes. */
  neighbours(): string[] {
    return [this.overlay, this.overlayIpv6].map(
      (address) => `ip neighbour replace ${address} lladdr ${mac(this.overlay)} dev ovl0 nud permanent`,
    );
  }

  private get overlayIpv6(): string {
    const [high = 0, low = 0] = this.overlay.split('.').slice(2).map(Number);
    return `fd76:706e:6f76::1:${(high * 256 + low).toString(16)}`;
  }

  node(number: 1 | 2): Trixie {
    return this.nodes[number - 1] as Trixie;
  }

  /** The ConfigMap of the gateway. */
  configure(values: JsonObject): void {
    const { 'frr.conf': frrConf = '', 'fabric.json': fabricJson = '' } = printed(values, 'fabric.json');
    this.gateway.write({ '/config/frr.conf': frrConf, '/config/fabric.json': fabricJson });
  }

  setPassword(password: string): void {
    this.gateway.write({ '/bgp-passwords/primary/password': password });
  }

  /** What control.py says. */
  tell({
    installed = {},
    draining = this.told.draining,
    nodes = this.told.nodes,
  }: {
    installed?: Record<string, boolean>;
    draining?: boolean;
    nodes?: number;
  }): void {
    this.told = { installed: { ...this.told.installed, ...installed }, draining, nodes };
    const tunnels = Object.entries(this.told.installed).map(([name, up]) => [
      name,
      { installed: up, children: { [name]: up }, remote: name === 'static' ? '10.0.9.8' : '198.51.100.7' },
    ]);
    const text = JSON.stringify({ tunnels: Object.fromEntries(tunnels) as unknown, draining, nodes });
    fs.writeFileSync(this.gateway.path(`${STATE}/tunnels.json.new`), text);
    fs.renameSync(this.gateway.path(`${STATE}/tunnels.json.new`), this.gateway.path(`${STATE}/tunnels.json`));
  }

  /** The container `frr` of the gateway. */
  startReflector(): void {
    fs.rmSync(this.gateway.path(`${STATE}/status.json`), { force: true });
    const bounds = `--bounding-set=-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`;
    this.reflector = this.gateway.daemon(['setpriv', bounds, 'python3', '-B', '/frr-scripts/reflector.py'], {
      environment: { NODE_IP: '172.27.0.11' },
    });
  }

  /** Processes of the gateway stand still, or go on. */
  async freeze(name: 'STOP' | 'CONT', what: 'FRR' | 'reflector.py'): Promise<void> {
    if (what === 'FRR') await shell(this.gateway, `kill -${name} $(cat /var/run/frr/*.pid)`);
    else this.reflector?.signal(`SIG${name}`);
  }

  async stopReflector(): Promise<void> {
    this.reflector?.signal('SIGTERM');
    await this.reflector?.ended();
  }

  log(): string {
    return this.reflector?.log() ?? '';
  }

  /** FRR of a node, which listens nowhere, or of the remote end. */
  startFrr(host: Trixie): void {
    this.daemons.set(
      host,
      host.daemon(['python3', '-B', '/frr-scripts/hand.py', ...(host === this.remote ? ['179'] : ['0', this.overlay])]),
    );
  }

  async stopFrr(host: Trixie): Promise<void> {
    this.daemons.get(host)?.signal('SIGTERM');
    await this.daemons.get(host)?.ended();
  }

  status(): Status | undefined {
    const file = this.gateway.path(`${STATE}/status.json`);
    return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Status) : undefined;
  }

  async until(what: string, is: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
    try {
      await waitUntil(what, seconds, is);
    } catch (error) {
      throw new Error(`${String(error)}\n${JSON.stringify(this.status())}\n${this.log().slice(-3000)}`);
    }
  }

  /** Until the sessions are up that should be. */
  async established(nodes: number, remote = 'Established'): Promise<void> {
    await this.until(`${nodes} nodes`, () => {
      const status = this.status();
      return status?.nodes.established === nodes && status.bgp['primary']?.state === remote;
    });
  }

  async end(): Promise<void> {
    clearInterval(this.telling);
    await Promise.all([this.gateway, ...this.nodes, this.remote, this.stranger].map((each) => each.end()));
  }
}

/** Runs lines of a shell, each of which has to succeed, and gives what they print. */
export async function shell(host: Trixie, ...lines: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await host.run(['sh', '-ec', lines.join('\n')]);
  if (status !== 0) throw new Error(`${lines.join('; ')}: ${stderr}`);
  return stdout;
}

/** The networks of BGP in a table of the kernel, in order. */
export async function routesOf(host: Trixie, version: 4 | 6, table: string | number = 'main'): Promise<string[]> {
  const { stdout } = await host.run(['ip', `-${version}`, 'route', 'show', 'table', String(table), 'proto', 'bgp']);
  const networks = stdout.split('\n').flatMap((line) => (/^[0-9a-f]/.test(line) ? [line.split(' ')[0] ?? ''] : []));
  return networks.sort();
}

function join(left: Trixie, name: string, right: Trixie, other: string): void {
  const ends = [name, 'netns', String(left.pid), 'type', 'veth', 'peer', 'name', other, 'netns', String(right.pid)];
  const { status, stderr } = spawnSync(tools.command('ip'), ['link', 'add', 'name', ...ends], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`No cable between two network namespaces: ${stderr}`);
}

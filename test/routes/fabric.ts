/** A node with agent.py, two gateways whose FRR is written by hand, and a host behind them: namespaces with cables between them. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tools } from '../tools';
import { Trixie, waitUntil, type Daemon, type Files } from '../strongswan/trixie';

const ROOT = path.join(__dirname, '../..');
const FRR_SCRIPTS = path.join(ROOT, 'lib/frr');
const AGENT_SCRIPTS = path.join(ROOT, 'lib/routes');

export const NODE = {
  address: '172.27.0.11',
  ipv6: 'fd00:27::11',
  overlay: '198.18.0.11',
  ipv6Overlay: 'fd76:706e:6f76::b',
};
export const HUB = '172.27.0.1';
/** The host behind both gateways. */
export const SERVER = { address: '10.0.1.1', ipv6: 'fd00:99:0:1::1' };
/** An address of a pod of the node. */
export const POD = '10.244.1.1';
export const LINK = 'ovl7';
export const SERVICE = 'site-agents.vpn.svc';

export interface GatewayOf {
  readonly name: string;
  /** Its pod. */
  readonly pod: string;
  readonly overlay: string;
  readonly ipv6Overlay: string;
  readonly mac: string;
}
export const A: GatewayOf = {
  name: 'a',
  pod: '10.244.9.1',
  overlay: '198.19.3.4',
  ipv6Overlay: 'fd76:706e:6f76::1:304',
  mac: '02:64:c6:13:03:04',
};
export const B: GatewayOf = {
  name: 'b',
  pod: '10.244.9.2',
  overlay: '198.19.3.5',
  ipv6Overlay: 'fd76:706e:6f76::1:305',
  mac: '02:64:c6:13:03:05',
};

export const hostOf = ({ name }: GatewayOf): string => `${name}.site-gateways.vpn.svc`;

/** What the chart gives an agent. */
export const AGENT = {
  release: 'vpn/site',
  link: LINK,
  as: 65010,
  gateways: Object.fromEntries([
    ...[A, B].map((gateway) => [gateway.name, { host: hostOf(gateway), overlay: gateway.overlay }]),
    ['', null],
  ]) as Record<string, unknown>,
  overlay: {
    nodeNetwork: '198.18.0.0/16',
    gatewayNetwork: '198.19.0.0/16',
    ipv6Network: 'fd76:706e:6f76::/64',
    vni: 4242,
    port: 4790,
    mtuBytes: 0,
    ipv6: true,
  },
  cluster: {
    pods: ['10.244.0.0/16', 'fd00:10:244::/56', ''],
    services: ['10.96.0.0/12', ''],
    nodes: ['172.27.0.0/20', 'fd00:27::/64', ''],
    sources: [''],
  },
  cni: 'auto',
  podInterfaces: [''],
  bfdMode: 'auto',
  bfd: { intervalMilliseconds: 100, multiplier: 5 },
  imports: [
    { cidr: '10.0.0.0/16', maxLength: 24, whenDown: 'reject' },
    { cidr: 'fd00:99::/48', maxLength: 64, whenDown: 'reject' },
    { cidr: '10.9.0.0/16', maxLength: 24, whenDown: 'pass' },
    null,
  ],
  service: SERVICE,
};
export type AgentFile = typeof AGENT;

/** Runs FRR as a pod does, until it is ended. */
const RUN_FRR = `
import os, signal, sys, time
from daemons import Daemons
frr = Daemons(int(sys.argv[2]), True)
signal.signal(signal.SIGTERM, lambda *_: (frr.kill(), os._exit(0)))
frr.start()
print(frr.load(sys.argv[1]), flush=True)
print('ready', flush=True)
while not frr.ended():
    time.sleep(0.1)
print(frr.ended(), flush=True)
`;

function scripts(folder: string): Files {
  const names = fs.readdirSync(folder).filter((name) => /\.(?:py|sh)$/.test(name));
  return Object.fromEntries(
    names.map((name) => [`/scripts/${name}`, fs.readFileSync(path.join(folder, name), 'utf8')]),
  );
}

/** Joins two by a cable. */
function cable([left, leftName]: readonly [Trixie, string], [right, rightName]: readonly [Trixie, string]): void {
  const ends = [leftName, 'netns', `${left.pid}`, 'type', 'veth', 'peer', 'name', rightName, 'netns', `${right.pid}`];
  const { status, stderr } = spawnSync(tools.command('ip'), ['link', 'add', 'name', ...ends], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no cable: ${stderr}`);
}

export async function shell(trixie: Trixie, script: string): Promise<string> {
  const { status, stdout, stderr } = await trixie.run(['sh', '-euc', script]);
  if (status !== 0) throw new Error(`${script}: ${stdout}${stderr}`);
  return stdout;
}

/** The node's FRR of somebody else has a neighbour too. */
const OTHER_AS = 65100;

export class Fabric {
  agent: Daemon | undefined;
  private readonly frr = new Map<string, Daemon>();

  private constructor(
    readonly hub: Trixie,
    readonly node: Trixie,
    readonly a: Trixie,
    readonly b: Trixie,
    readonly server: Trixie,
  ) {}

  static async start(): Promise<Fabric> {
    const [hub, node, a, b, server] = await Promise.all(Array.from({ length: 5 }, () => Trixie.start()));
    const fabric = new Fabric(hub!, node!, a!, b!, server!);
    try {
      await fabric.lay();
    } catch (error) {
      await fabric.end();
      throw error;
    }
    return fabric;
  }

  /** The network as it is before anything of ours is there. */
  private async lay(): Promise<void> {
    const { hub, node, a, b, server } = this;
    cable([hub, 'node'], [node, 'eth0']);
    for (const [name, trixie] of [
      ['a', a],
      ['b', b],
    ] as const) {
      cable([hub, name], [trixie, 'eth0']);
      cable([trixie, 'ipsec1'], [server, name]);
    }
    await shell(
      hub,
      `ip link add br0 type bridge
       for each in node a b; do ip link set dev $each master br0 up; done
       ip address add ${HUB}/20 dev br0; ip address add 10.244.9.254/24 dev br0; ip link set br0 up
       echo 1 >/proc/sys/net/ipv4/ip_forward`,
    );
    await shell(
      node,
      `ip address add ${NODE.address}/20 dev eth0; ip -6 address add ${NODE.ipv6}/64 dev eth0 nodad; ip link set eth0 up
       ip route add default via ${HUB}; ip route add 10.244.9.0/24 dev eth0
       ip link add cni0 type bridge; ip address add ${POD}/24 dev cni0; ip link set cni0 up
       echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
       mkdir -p /config /run/vpn`,
    );
    await shell(
      server,
      `ip address add ${SERVER.address}/32 dev lo; ip -6 address add ${SERVER.ipv6}/128 dev lo nodad
       for each in a b; do ip link set dev $each up; done
       ip address add 169.254.1.2/30 dev a; ip address add 169.254.2.2/30 dev b
       ip -6 address add fd00:1::2/64 dev a nodad; ip -6 address add fd00:2::2/64 dev b nodad
       for each in 172.27.0.0/20 10.244.0.0/16; do
         ip route add $each nexthop via 169.254.1.1 dev a nexthop via 169.254.2.1 dev b
       done
       ip -6 route add ${NODE.ipv6}/128 nexthop via fd00:1::1 dev a nexthop via fd00:2::1 dev b
       echo 1 >/proc/sys/net/ipv4/fib_multipath_hash_policy; echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter`,
    );
    await this.layGateway(a, A, 1);
    await this.layGateway(b, B, 2);
    node.write({
      ...scripts(FRR_SCRIPTS),
      ...scripts(AGENT_SCRIPTS),
      '/test/dns.py': fs.readFileSync(path.join(__dirname, 'dns.py'), 'utf8'),
    });
    node.write({ '/etc/resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' });
    this.nameAll();
    const dns = node.daemon(['python3', '/test/dns.py', '53', '/test/zone.json']);
    await waitUntil(`DNS answers: ${dns.log()}`, 10, () => dns.log().includes('ready'));
  }

  private async layGateway(trixie: Trixie, gateway: GatewayOf, number: number): Promise<void> {
    await shell(
      trixie,
      `ip address add ${gateway.pod}/24 dev eth0; ip link set eth0 up; ip link set ipsec1 up
       ip route add default via 10.244.9.254
       ip address add 169.254.${number}.1/30 dev ipsec1; ip -6 address add fd00:${number}::1/64 dev ipsec1 nodad
       ip route add 10.0.1.0/24 via 169.254.${number}.2
       ip -6 route add fd00:99:0:1::/64 via fd00:${number}::2
       echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
       echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
       ip link add ovl0 address ${gateway.mac} type vxlan id 4242 dstport 4790 noudpcsum local ${gateway.pod} learning
       ip link set ovl0 mtu 1400 up
       ip address add ${gateway.overlay}/32 dev ovl0; ip -6 address add ${gateway.ipv6Overlay}/128 dev ovl0 nodad
       ip route add 198.18.0.0/15 dev ovl0 src ${gateway.overlay}; ip -6 route add fd76:706e:6f76::/64 dev ovl0
       for each in 4 6; do
         ip -$each rule add priority 100 iif ipsec1 lookup 100
         ip -$each route add unreachable default metric 4294967295 table 100
       done`,
    );
    await this.knowNode(trixie, '02:64');
    trixie.write({
      ...scripts(FRR_SCRIPTS),
      '/test/frr.py': RUN_FRR,
      '/test/frr.conf': gatewayConf(gateway),
    });
  }

  /** As a gateway does that has learned of the node. */
  async knowNode(gateway: Trixie, prefix: '02:64' | '02:65'): Promise<void> {
    const mac = `${prefix}:c6:12:00:0b`;
    const addresses = [NODE.overlay, NODE.ipv6Overlay];
    await shell(
      gateway,
      addresses.map((each) => `ip neigh replace ${each} lladdr ${mac} dev ovl0 nud permanent`).join('\n'),
    );
  }

  /** As gateways do that learn from its MAC that the node does no BFD. */
  async withoutBfd(): Promise<void> {
    for (const gateway of [this.a, this.b]) {
      await this.knowNode(gateway, '02:65');
      await shell(gateway, `vtysh -c 'configure terminal' -c 'router bgp 65010' -c 'no neighbor NODES bfd'`);
    }
  }

  async withBfd(): Promise<void> {
    const lines = [
      'neighbor NODES bfd',
      'neighbor NODES bfd check-control-plane-failure',
      'neighbor NODES bfd profile overlay',
    ];
    for (const gateway of [this.a, this.b]) {
      await this.knowNode(gateway, '02:64');
      const commands = ['configure terminal', 'router bgp 65010', ...lines].map((line) => `-c '${line}'`);
      await shell(gateway, `vtysh ${commands.join(' ')}`);
    }
  }

  /** What DNS says from now on, beside the gateways and the Service, which are there. */
  nameAll(more: Readonly<Record<string, unknown>> = {}): void {
    const zone = { [hostOf(A)]: [A.pod], [hostOf(B)]: [B.pod], [SERVICE]: ['10.96.0.9'], ...more };
    // As one change: the server may read it at any time.
    this.node.write({ '/test/zone.new': JSON.stringify(zone) });
    fs.renameSync(this.node.path('/test/zone.new'), this.node.path('/test/zone.json'));
  }

  async startGateway(trixie: Trixie, name: string): Promise<void> {
    const daemon = runFrr(trixie, '/test/frr.conf', 179);
    this.frr.set(name, daemon);
    await waitUntil(`FRR of ${name}`, 30, () => daemon.log().includes('ready') || !daemon.isRunning());
    if (!daemon.log().includes('[]\nready')) throw new Error(`FRR of ${name}: ${daemon.log()}`);
  }

  /** Starts both gateways. */
  async startGateways(): Promise<void> {
    await Promise.all([this.startGateway(this.a, 'a'), this.startGateway(this.b, 'b')]);
  }

  configure(more: Partial<Record<keyof AgentFile, unknown>> = {}): void {
    this.node.write({ '/config/agent.json': JSON.stringify({ ...AGENT, ...more }) });
  }

  startAgent(environment: Readonly<Record<string, string>> = {}): Daemon {
    this.agent = this.node.daemon(['python3', '-B', '/scripts/agent.py'], {
      environment: { ...ENVIRONMENT, ...environment },
    });
    return this.agent;
  }

  /** The container with nft. */
  startFilter(): Daemon {
    this.node.write({ '/config/nftables.conf': NFTABLES });
    return this.node.daemon(['sh', '/scripts/filter.sh'], {
      environment: { LINK, POLL_SECONDS: '0.2', ASSERT_SECONDS: '1' },
    });
  }

  async endAgent(): Promise<void> {
    this.agent?.signal('SIGTERM');
    await this.agent?.ended();
  }

  /** By hand, as the documentation says. */
  cleanUp(): Promise<string> {
    const page = fs.readFileSync(path.join(ROOT, 'docs/routes.md'), 'utf8');
    return shell(this.node, /(?<=```text\n)  for file in [^`]*/.exec(page)![0]);
  }

  /** What the agent says over HTTP. */
  async get(page: string, port = 9812): Promise<{ code: number; body: string }> {
    const program = `
import urllib.request, urllib.error
try:
    answer = urllib.request.urlopen('http://127.0.0.1:${port}/${page}', timeout=5)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    print(0); print(error); raise SystemExit
print(answer.status); print(answer.read().decode(), end='')`;
    const { stdout } = await this.node.run(['python3', '-c', program]);
    const [code = '', ...lines] = stdout.split('\n');
    return { code: Number(code), body: lines.join('\n') };
  }

  /** The next hops of the node's route to a network, as the kernel has them. */
  async hops(network: string): Promise<string[]> {
    const routes = JSON.parse(await shell(this.node, `ip -j route show ${network} proto bgp`)) as Route[];
    return routes.flatMap(({ nexthops, gateway }) => nexthops?.map((hop) => hop.gateway) ?? [gateway!]).sort();
  }

  /** All that is on the node: links, addresses, routes, rules, neighbours, next hops, packet filter, and settings of the kernel. */
  async dump(): Promise<Record<string, string>> {
    const commands = {
      addresses: "ip -o address | sed 's/ valid_lft.*//' | grep -v ' link '",
      links: 'ip -o link',
      routes: 'ip route show table all; ip -6 route show table all',
      rules: 'ip rule; ip -6 rule',
      neighbours: 'ip neigh show nud permanent',
      nexthops: 'ip nexthop',
      filter: 'nft list ruleset',
      settings: 'grep -rs "" /proc/sys/net/ipv4 /proc/sys/net/ipv6 | grep -v /neigh/ | grep -v stable_secret | sort',
    };
    const entries = await Promise.all(
      Object.entries(commands).map(async ([name, command]) => [name, await shell(this.node, command)] as const),
    );
    return Object.fromEntries(entries);
  }

  /** Cuts a gateway's pod off, or takes it back. */
  async cut(name: 'a' | 'b', how: 'down' | 'up' = 'down'): Promise<void> {
    await shell(this.hub, `ip link set dev ${name} ${how}`);
  }

  async end(): Promise<void> {
    await Promise.all([this.hub, this.node, this.a, this.b, this.server].map((trixie) => trixie.end()));
  }
}

/** Much like what the chart writes. */
export const NFTABLES = `table inet ${LINK}
delete table inet ${LINK}
table inet ${LINK} {
  set gateways {
    type ipv4_addr
  }
  map pods {
    type ipv4_addr : interval ipv4_addr
    flags interval
    elements = { 10.244.0.0/16 : 10.244.0.0/16 }
  }
  chain input {
    type filter hook input priority 0
    ip saddr @gateways udp dport 4790 accept
  }
  chain source {
    type nat hook postrouting priority srcnat - 10
    oifname "${LINK}" ip saddr 10.244.0.0/16 snat ip prefix to ip saddr map @pods
  }
  chain segments {
    type filter hook forward priority mangle
    oifname "${LINK}" tcp flags syn tcp option maxseg size > $mss4 tcp option maxseg size set $mss4
    oifname "${LINK}" meta nfproto ipv6 tcp flags syn tcp option maxseg size > $mss6 tcp option maxseg size set $mss6
  }
}
`;

interface Route {
  readonly gateway?: string;
  readonly nexthops?: readonly { readonly gateway: string }[];
}

const ENVIRONMENT = {
  NODE_NAME: 'n1',
  NODE_IP: NODE.address,
  SYSCTL: '/proc/sys/net',
  HOST_STATE: '/run/cdk8s-vpn',
};

export function runFrr(trixie: Trixie, conf: string, port: number, before: readonly string[] = []): Daemon {
  return trixie.daemon([...before, 'python3', '-B', '/test/frr.py', conf, `${port}`], {
    environment: { PYTHONPATH: '/scripts' },
  });
}

/** As the chart writes it for a gateway, with the node as reflector.py adds it. */
function gatewayConf({ overlay, ipv6Overlay }: GatewayOf): string {
  return `frr defaults traditional
log stdout informational
bfd
 profile overlay
  transmit-interval 100
  receive-interval 100
  detect-multiplier 5
 exit
exit
route-map FROM-NODES permit 10
 set table 100
exit
route-map TO-NODES-6 permit 10
 set ipv6 next-hop global ${ipv6Overlay}
exit
bgp route-map delay-timer 0
router bgp 65010
 bgp router-id ${overlay}
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor NODES peer-group
 neighbor NODES remote-as 65010
 neighbor NODES passive
 neighbor NODES timers 3 9
 neighbor NODES update-source ${overlay}
 neighbor NODES bfd
 neighbor NODES bfd check-control-plane-failure
 neighbor NODES bfd profile overlay
 neighbor ${NODE.overlay} peer-group NODES
 address-family ipv4 unicast
  network 10.0.1.0/24
  network 10.0.2.0/24
  network 10.0.128.0/25
  network 10.9.1.0/24
  network 192.168.0.0/16
  neighbor NODES activate
  neighbor NODES next-hop-self
  neighbor NODES route-map FROM-NODES in
  neighbor NODES route-reflector-client
 exit-address-family
 address-family ipv6 unicast
  network fd00:99:0:1::/64
  neighbor NODES activate
  neighbor NODES route-map FROM-NODES in
  neighbor NODES route-map TO-NODES-6 out
  neighbor NODES route-reflector-client
 exit-address-family
exit
`;
}

/** FRR of somebody else on the node, and its neighbour outside. */
export const OTHER_CONF = `frr defaults traditional
log stdout informational
router bgp ${OTHER_AS + 1}
 no bgp ebgp-requires-policy
 neighbor ${HUB} remote-as ${OTHER_AS}
 neighbor ${HUB} timers 3 9
 neighbor ${HUB} timers connect 1
 neighbor ${HUB} bfd
exit
`;
export const OUTSIDE_CONF = `frr defaults traditional
log stdout informational
router bgp ${OTHER_AS}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor ${NODE.address} remote-as ${OTHER_AS + 1}
 neighbor ${NODE.address} timers 3 9
 neighbor ${NODE.address} passive
 neighbor ${NODE.address} bfd
 address-family ipv4 unicast
  network 192.0.2.0/24
  network 203.0.113.0/24
 exit-address-family
exit
`;

/** Gives the hub what it needs to run FRR. */
export function layFrr(trixie: Trixie, conf: string): void {
  trixie.write({ ...scripts(FRR_SCRIPTS), '/test/frr.py': RUN_FRR, '/test/frr.conf': conf });
}

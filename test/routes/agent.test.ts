/** agent.py with real daemons of FRR on a node, against two gateways. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../left-out';
import { TRIXIE_TOOLS, waitUntil, type Daemon } from '../strongswan/trixie';
import {
  A,
  AGENT,
  B,
  Fabric,
  hostOf,
  HUB,
  layFrr,
  LINK,
  NODE,
  OTHER_CONF,
  OUTSIDE_CONF,
  POD,
  runFrr,
  SERVER,
  SERVICE,
  shell,
} from './fabric';

jest.setTimeout(150_000);

const NETWORK = '10.0.1.0/24';
const BOTH = [A.overlay, B.overlay];

describeWith(TRIXIE_TOOLS, 'agent.py', () => {
  let fabric: Fabric;
  let filter: Daemon;
  let before: Record<string, string>;
  const hops = (): Promise<string[]> => fabric.hops(NETWORK);
  const untilHops = (...wanted: readonly string[]): Promise<void> =>
    waitUntil(`next hops ${wanted.join(', ')}`, 30, async () => (await hops()).join() === wanted.join());
  const node = (script: string): Promise<string> => shell(fabric.node, script);
  const untilSaid = (daemon: Daemon, sentence: string): Promise<void> =>
    waitUntil(sentence, 20, () => daemon.log().includes(sentence));
  const untilReady = (): Promise<void> =>
    waitUntil('the agent is ready', 30, async () => (await fabric.get('ready')).code === 200);

  beforeAll(async () => {
    fabric = await Fabric.start();
    before = await fabric.dump();
    await fabric.startGateways();
    fabric.configure();
    filter = fabric.startFilter();
    fabric.startAgent();
    await untilHops(...BOTH);
  });
  afterAll(() => fabric.end());
  beforeEach(async () => {
    if (fabric.agent?.isRunning() !== true) fabric.startAgent();
    await untilHops(...BOTH);
    await untilReady();
  });
  afterEach(async () => {
    await Promise.all([fabric.cut('a', 'up'), fabric.cut('b', 'up')]);
    expect(fabric.agent?.log()).not.toMatch(/Traceback|a fault in line/);
  });

  test('takes from the gateways what is imported, over both, with the address of the node', async () => {
    const routes = await node('ip -d route show proto bgp | tr -s "\\n\\t " " "');
    expect(routes.match(/10\.[\d.]+\/\d+/g)).toEqual([NETWORK, '10.0.2.0/24', '10.9.1.0/24']);
    expect(routes).toMatch(
      new RegExp(
        `10\\.0\\.1\\.0/24 .*src ${NODE.address} .*via ${A.overlay} dev ${LINK} .*via ${B.overlay} dev ${LINK} `,
      ),
    );
    const ipv6 = await node('ip -6 route show proto bgp | tr -s "\\n\\t " " "');
    expect(ipv6).toMatch(/^fd00:99:0:1::\/64 .*src fd00:27::11 /);
    expect(ipv6.match(/(?<=via )\S+(?= dev ovl7)/g)?.sort()).toEqual([A.ipv6Overlay, B.ipv6Overlay]);
  });

  test('tells the gateways the addresses of the node, its pods and the Services, and nothing else', async () => {
    for (const gateway of [fabric.a, fabric.b]) {
      const table = await shell(gateway, 'ip route show table 100 proto bgp; ip -6 route show table 100 proto bgp');
      expect(table.match(/^\S+/gm)?.sort()).toEqual(['10.244.1.0/24', '10.96.0.0/12', NODE.address, NODE.ipv6]);
    }
  });

  test.each([
    ['the node', [], SERVER.address, NODE.address],
    ['a pod', ['-I', POD], SERVER.address, POD],
    ['the node by IPv6', [], SERVER.ipv6, NODE.ipv6],
  ])('packets of %s arrive with their true source and come back', async (_who, options, to, source) => {
    const heard = fabric.server.daemon(['python3', '-c', HEAR, to.includes(':') ? '6' : '4']);
    await untilSaid(heard, 'ready');
    const { stdout } = await fabric.node.run(['ping', '-c', '3', '-i', '0.2', '-W', '2', ...options, to]);
    expect(stdout).toContain(' 0% packet loss');
    if (!to.includes(':')) expect(heard.log()).toContain(`from ${source}\n`);
    heard.signal('SIGTERM');
  });

  test('loses a gateway after the detection time, and takes it back', async () => {
    await waitUntil(
      'both see us',
      20,
      async () => (await node('vtysh -c "show bfd peers"')).match(/Status: up/g)?.length === 2,
    );
    const start = Date.now();
    await fabric.cut('a');
    await untilHops(B.overlay);
    // 5 packets of 100 ms, and what this machine takes to look.
    expect(Date.now() - start).toBeLessThan(3000);
    expect((await fabric.get('ready')).code).toBe(200);
    expect((await fabric.get('metrics')).body).toContain('vpn_agent_gateways_known 2\n');
    await fabric.cut('a', 'up');
    await untilHops(...BOTH);
  });

  test('without gateways, what is to be rejected is unreachable, and the rest goes as it always went', async () => {
    await Promise.all([fabric.cut('a'), fabric.cut('b')]);
    await untilHops();
    expect(await node(`ip route get ${SERVER.address} || true`)).toBe('');
    expect((await fabric.node.run(['ping', '-c', '1', '-W', '1', SERVER.address])).stderr).toMatch(
      /unreachable|No route/i,
    );
    expect((await fabric.node.run(['ping', '-c', '1', '-W', '1', SERVER.ipv6])).stderr).toMatch(
      /unreachable|No route/i,
    );
    expect(await node('ip route get 10.9.1.1')).toContain('dev eth0');
    await waitUntil('it is not ready', 20, async () => {
      const { code, body } = await fabric.get('ready');
      return code === 503 && body.includes('gateways: none has a session: a ');
    });
    await Promise.all([fabric.cut('a', 'up'), fabric.cut('b', 'up')]);
  });

  test('a restart changes no route, on the node and on the gateways', async () => {
    const monitor = fabric.node.daemon(['ip', '-o', 'monitor', 'route', 'link', 'address']);
    const monitors = [fabric.a, fabric.b].map((gateway) => gateway.daemon(['ip', '-o', 'monitor', 'route']));
    await sleep(300);
    await fabric.endAgent();
    fabric.startAgent();
    await waitUntil('sessions', 30, async () => /established 2\n/.test((await fabric.get('metrics')).body));
    await sleep(3000);
    for (const each of [monitor, ...monitors]) {
      expect(each.log()).not.toMatch(/Deleted/);
      each.signal('SIGTERM');
    }
    expect(await hops()).toEqual(BOTH);
  });

  test('daemons of FRR that end are started again, whole while somebody looks at them, and no route goes', async () => {
    const monitor = fabric.node.daemon(['ip', '-o', 'monitor', 'route']);
    const watch = 'while :; do vtysh -c "show bgp summary" >/dev/null 2>&1; sleep 0.03; done';
    const watcher = fabric.node.daemon(['sh', '-c', watch]);
    await sleep(300);
    await node('kill -9 $(cat /run/frr/bgpd.pid)');
    await untilSaid(fabric.agent!, 'bgpd has ended of signal 9; all are started again');
    await waitUntil('sessions', 30, async () => /established 2\n/.test((await fabric.get('metrics')).body));
    expect(monitor.log()).not.toMatch(/Deleted/);
    monitor.signal('SIGTERM');
    watcher.signal('SIGTERM');
    for (const [command, sign] of [
      ['show ip nht', 'Resolve via default: off'],
      ['show ip protocol', ' SOURCE '],
      ['show route-map SOURCE', NODE.address],
    ] as const)
      await waitUntil(command, 15, async () => (await node(`vtysh -c "${command}" || :`)).includes(sign));
  });

  test('what is new on the node is told at once, and the sessions stay', async () => {
    await waitUntil(
      'both sessions',
      30,
      async () =>
        [...(await node('vtysh -c "show bgp ipv4 unicast summary json" || :')).matchAll(/"Established"/g)].length === 2,
    );
    const since = await uptime();
    const inTable = async (network: string): Promise<boolean> =>
      (await shell(fabric.a, 'ip route show table 100')).includes(network);
    await node(
      'ip link add cali1 type veth peer name pod1; ip link set dev cali1 up; ip route add 10.244.2.7 dev cali1 scope link',
    );
    await waitUntil('it is told', 15, () => inTable('10.244.2.7'));
    await node('ip link delete cali1');
    await waitUntil('it is withdrawn', 15, async () => !(await inTable('10.244.2.7')));
    expect(await uptime()).toBeGreaterThan(since);
  });

  test('what somebody takes away comes back', async () => {
    const monitor = fabric.node.daemon(['ip', '-o', 'monitor', 'route']);
    await sleep(300);
    await node(`ip route delete unreachable 10.0.0.0/16; ip neigh delete ${A.overlay} dev ${LINK}`);
    await waitUntil('the route', 15, async () => (await node('ip route')).includes('unreachable 10.0.0.0/16'));
    // At once: it is still at work on the route.
    await node(`ip link delete ${LINK}`);
    await waitUntil('the link', 15, async () => (await node('ip -o link')).includes(LINK));
    await untilHops(...BOTH);
    monitor.signal('SIGTERM');
    expect(monitor.log()).toContain(NETWORK);
    expect(monitor.log()).not.toContain(`via ${HUB}`);
  });

  test('follows the name of a gateway: what fails changes nothing, and of two addresses the one in use stays', async () => {
    const outers = async (): Promise<string[]> =>
      (await node(`bridge fdb show dev ${LINK}`)).match(/(?<=dst )\S+/g)?.sort() ?? [];
    const moved = '10.244.9.7';
    await shell(fabric.a, `ip address add ${moved}/24 dev eth0`);
    for (const [answer, wanted] of [
      [[A.pod, moved], A.pod],
      ['SERVFAIL', A.pod],
      [null, A.pod],
      [[], A.pod],
      [['192.0.2.1'], A.pod],
      [[moved], moved],
      [[A.pod, moved], moved],
      ['SILENCE', moved],
      [[A.pod], A.pod],
    ] as const) {
      fabric.nameAll({ [hostOf(A)]: answer });
      await sleep(1500);
      await waitUntil(
        `${JSON.stringify(answer)}: ${wanted}`,
        5,
        async () => (await outers()).join() === [B.pod, wanted].sort().join(),
      );
    }
    expect(fabric.agent!.log()).toContain(
      `${hostOf(A)} is at 192.0.2.1, which is outside cluster.podCidrs and cluster.nodeCidrs; add its network`,
    );
    expect(await node('cat /run/vpn/gateways')).toBe(`${A.pod}\n${B.pod}\n`);
  });

  test('another configuration is taken over in place', async () => {
    const since = await uptime();
    fabric.configure({ imports: [{ cidr: '10.0.2.0/24', maxLength: 24, whenDown: 'reject' }, null] });
    await waitUntil('only that is there', 20, async () => {
      const routes = await node('ip route show proto bgp; ip route show proto 86 type unreachable');
      return /10\.0\.2\.0\/24/.test(routes) && !/10\.0\.1\.0|10\.9\.|10\.0\.0\.0/.test(routes);
    });
    fabric.configure();
    await untilHops(...BOTH);
    expect(await uptime()).toBeGreaterThan(since);
  });

  test('a second agent does nothing but say so', async () => {
    const second = fabric.node.daemon(['env', 'HEALTH_PORT=9813', 'STATE=/run', 'python3', '-B', '/scripts/agent.py'], {
      environment: { NODE_NAME: 'n1', NODE_IP: NODE.address, SYSCTL: '/proc/sys/net', HOST_STATE: '/run/cdk8s-vpn' },
    });
    await untilSaid(second, 'another agent is at work on this node; have agents in one release of a cluster only');
    expect((await fabric.get('ready', 9813)).code).toBe(503);
    expect(await hops()).toEqual(BOTH);
    second.signal('SIGTERM');
    await second.ended();
    expect(await hops()).toEqual(BOTH);
  });

  test('runs without BFD where another daemon has its ports, and its MAC says so', async () => {
    await fabric.endAgent();
    const other = fabric.node.daemon(['python3', '-c', `${HOLD}\nhold(3784)`]);
    await untilSaid(other, 'ready');
    fabric.startAgent();
    await untilSaid(
      fabric.agent!,
      'another daemon of this node has the UDP port 3784 of BFD: a gateway that is lost is noticed after 9 s',
    );
    await waitUntil('the MAC', 10, async () => (await node(`ip -o link show ${LINK}`)).includes('02:65:c6:12:00:0b'));
    expect(await node('vtysh -c "show running-config"')).not.toMatch(/^ ?(?:neighbor .*)?bfd/m);
    expect((await fabric.get('metrics')).body).toContain('vpn_agent_bfd 0\n');
    other.signal('SIGTERM');
    await fabric.endAgent();
  });

  test('beside another FRR on the node: whichever starts anew, the routes of both stay', async () => {
    // Whoever has the ports of BFD first keeps them: the other one is there already.
    await fabric.endAgent();
    await fabric.withoutBfd();
    layFrr(fabric.hub, OUTSIDE_CONF);
    layFrr(fabric.node, OTHER_CONF);
    const outside = runFrr(fabric.hub, '/test/frr.conf', 179);
    await untilSaid(outside, 'ready');
    // Its own folder of sockets, as in a container.
    const apart = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /run/frr && exec "$@"', 'sh'];
    const theirs = async (): Promise<string> =>
      (await node('ip route show proto bgp')).match(/^(?:192\.0\.2|203\.0\.113)\S+.*via 172\S+/gm)?.join() ?? '';
    const both = '192.0.2.0/24';
    let other = runFrr(fabric.node, '/test/frr.conf', 0, apart);
    await waitUntil('their routes', 30, async () => (await theirs()).includes(both));
    const settled = async (): Promise<void> => {
      await untilHops(...BOTH);
      await waitUntil('their routes', 30, async () => (await theirs()).split(',').length === 2);
    };
    fabric.startAgent();
    await untilReady();
    await settled();
    await fabric.endAgent();
    fabric.startAgent();
    await untilReady();
    await settled();
    const monitor = fabric.node.daemon(['ip', '-o', '-t', 'monitor', 'route']);
    other.signal('SIGTERM');
    await other.ended();
    other = runFrr(fabric.node, '/test/frr.conf', 0, apart);
    await untilSaid(other, 'ready');
    await sleep(3000);
    await settled();
    // zebra sweeps what it found at its start after a minute.
    await sleep(65_000);
    await settled();
    expect(monitor.log()).not.toMatch(/Deleted .*ovl7/);
    monitor.signal('SIGTERM');
    // The release goes, and the other FRR stays.
    fabric.nameAll({ [SERVICE]: null });
    await fabric.endAgent();
    expect((await theirs()).split(',')).toHaveLength(2);
    expect(await node('ip route show; ip -6 route show; ip nexthop')).not.toMatch(/ovl7|10\.0\.|10\.9\.|fd00:99:/);
    fabric.nameAll();
    for (const frr of [other, outside]) {
      frr.signal('SIGTERM');
      await frr.ended();
    }
    // What they leave is theirs; so are the next hops that our zebra has made for their routes.
    await node(
      `for each in 192.0.2.0/24 203.0.113.0/24; do ip route delete "$each" proto bgp 2>/dev/null || :; done
      for id in $(ip nexthop show dev eth0 | cut -d " " -f 2); do ip nexthop delete id "$id" || :; done`,
    );
    await fabric.withBfd();
  });

  test('ends without a trace once the Service is gone, and not before', async () => {
    await fabric.endAgent();
    expect(await hops()).toEqual(BOTH);
    expect(await node('cat /run/vpn/kept')).toBe('');
    for (const answer of ['SERVFAIL', 'SILENCE']) {
      fabric.nameAll({ [SERVICE]: answer });
      fabric.startAgent();
      await untilReady();
      await fabric.endAgent();
      expect(await hops()).toEqual(BOTH);
    }
    fabric.nameAll();
    fabric.startAgent();
    await untilReady();
    fabric.nameAll({ [SERVICE]: null });
    await fabric.endAgent();
    expect(await fabric.dump()).toEqual(before);
    fabric.nameAll();
  });

  test('by hand as well, where an agent has crashed and no other one will come', async () => {
    for (const container of [fabric.agent!, filter]) {
      container.signal('SIGKILL');
      await container.ended();
    }
    await node('for each in zebra bgpd bfdd mgmtd; do kill -9 $(cat /run/frr/$each.pid); done');
    await fabric.cleanUp();
    expect(await fabric.dump()).toEqual(before);
    filter = fabric.startFilter();
  });

  test('removes what a release of another name has left, also where its other container starts late', async () => {
    await fabric.endAgent();
    filter.signal('SIGKILL');
    await filter.ended();
    fabric.configure({ release: 'other/site', link: 'ovl8' });
    fabric.startAgent();
    await untilSaid(fabric.agent!, 'removes what the release vpn/site has left');
    await untilSaid(fabric.agent!, `filter.sh has not removed the table inet ${LINK}`);
    expect(await node('ls /run/cdk8s-vpn')).toContain(`${LINK}.json`);
    filter = fabric.startFilter();
    await waitUntil('the other link', 20, async () => {
      const links = await node('ip -o link');
      return links.includes('ovl8') && !links.includes(LINK);
    });
    await waitUntil('only its own file is kept', 60, async () => (await node('ls /run/cdk8s-vpn')) === 'ovl8.json\n');
    await fabric.endAgent();
    fabric.configure();
  });

  test.each([
    [
      'an address',
      'ip address add 198.18.77.1/24 dev cni0',
      'ip address delete 198.18.77.1/24 dev cni0',
      'the address 198.18.77.1 of cni0',
    ],
    ['a route', 'ip route add 198.19.64.0/18 dev eth0', 'ip route delete 198.19.64.0/18', 'a route to 198.19.64.0/18'],
  ])('does not start beside %s of somebody else in its networks', async (_what, add, remove, said) => {
    await fabric.endAgent();
    await node(add);
    fabric.startAgent();
    await untilSaid(fabric.agent!, `the node n1 has ${said} inside it, got `);
    expect((await fabric.get('ready')).body).toContain('choose a network that is free on every node');
    await node(remove);
  });

  test('leaves a node outside the networks of the nodes, and does not start there', async () => {
    const said = `cluster.nodeCidrs: the address ${NODE.address} of the node n1 is outside, got ["192.168.0.0/24"]; add its network`;
    fabric.configure({ cluster: { ...AGENT.cluster, nodes: ['192.168.0.0/24', ''] } });
    await untilSaid(fabric.agent!, said);
    await waitUntil('no link', 10, async () => !(await node('ip -o link')).includes(LINK));
    expect(await hops()).toEqual([]);
    expect(await node(`ip route get ${SERVER.address} || true`)).toBe('');
    await fabric.endAgent();
    // One that never had an agent.
    await node('ip route flush proto 86; ip -6 route flush proto 86');
    fabric.startAgent();
    await untilSaid(fabric.agent!, said);
    for (const address of [SERVER.address, SERVER.ipv6])
      await waitUntil('no way', 10, async () => (await node(`ip route get ${address} || true`)) === '');
    fabric.configure();
  });

  async function uptime(): Promise<number> {
    const { ipv4Unicast } = JSON.parse(await node('vtysh -c "show bgp summary json"')) as {
      ipv4Unicast: { peers: Record<string, { peerUptimeMsec: number }> };
    };
    return ipv4Unicast.peers[A.overlay]!.peerUptimeMsec;
  }
});

/** Says from where echo requests come. */
const HEAR = `
import socket, sys
heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
print('ready', flush=True)
while True:
    print('from', heard.recvfrom(4096)[1][0], flush=True)
`;

/** Has a port of UDP. */
const HOLD = `
import socket, time
def hold(port):
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    held.bind(('0.0.0.0', port))
    print('ready', flush=True)
    time.sleep(1000)
`;

/** reflector.py with the real daemons of FRR, over a real overlay, with the configuration that the chart prints. */
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../left-out';
import { TRIXIE_TOOLS, waitUntil, type Daemon, type Trixie } from '../strongswan/trixie';
import { nodeMac, PASSWORD, routesOf, shell, Site, valuesWith } from './site';

jest.setTimeout(120_000);

const IMPORTS = { vpc: { cidr: '10.0.0.0/16' } };
const FROM_NODES = ['10.233.0.0/16', '10.234.1.0/24', '10.234.2.0/24', '172.27.0.11', '172.27.0.12'];
const TOLD = ['10.234.0.0/16', '172.27.0.0/20'];

describeWith(TRIXIE_TOOLS, 'reflector.py', () => {
  let site: Site;
  const vtysh = (command: string): Promise<string> => shell(site.gateway, `vtysh -c '${command}'`);
  const isTold = async (networks: readonly string[]): Promise<boolean> =>
    String(await routesOf(site.remote, 4)) === String(networks);

  beforeAll(async () => {
    site = await Site.start(valuesWith(IMPORTS));
    site.startFrr(site.remote);
    site.startReflector();
  });
  afterEach(async () => {
    // Whatever happens, the packets that carry all others find their way.
    expect(await routesOf(site.gateway, 4)).toEqual([]);
    expect(await routesOf(site.gateway, 6)).toEqual([]);
    expect(site.log()).not.toContain('a fault in line');
    expect(site.log()).not.toContain('Traceback');
    expect(site.log()).not.toContain(PASSWORD);
  });
  afterAll(() => site.end());

  test('takes what is allowed of the remote end, and tells it nothing while there is no node', async () => {
    await site.established(0);
    await site.until('the network is there', async () => (await routesOf(site.gateway, 4, 200)).length > 0);
    // 10.0.9.0/24 holds the outer address of a remote end; the others are no parts of an import, too long, or the cluster's own.
    expect(await routesOf(site.gateway, 4, 200)).toEqual(['10.0.5.0/24']);
    await site.until('it is counted', () => site.status()?.bgp['primary']?.prefixes === 1);
    await site.until('BFD is up', () => site.status()?.bgp['primary']?.bfd === 'up');
    expect(site.status()).toMatchObject({
      problems: [],
      bgp: { primary: { state: 'Established', prefixes: 1, limit: 1000, bfd: 'up' } },
      nodes: { known: 0, established: 0, away: 0, withoutBfd: 0 },
      drained: false,
    });
    await sleep(2000);
    expect(await routesOf(site.remote, 4)).toEqual([]);
  });

  test('learns nodes, and routes are where they belong', async () => {
    for (const node of site.nodes) site.startFrr(node);
    await site.established(2);
    await site.until('the remote end is told', () => isTold(TOLD));
    expect(await routesOf(site.gateway, 4, 100)).toEqual(FROM_NODES);
    expect(await routesOf(site.gateway, 6, 100)).toEqual(['fd00:234:1::/64', 'fd00:234:2::/64']);
    expect(await routesOf(site.gateway, 4, 200)).toEqual(['10.0.5.0/24']);
    for (const node of site.nodes) expect(await routesOf(node, 4)).toEqual(['10.0.5.0/24']);
    const ends = await shell(site.gateway, ...[100, 200].map((table) => `ip route show table ${table} default`));
    expect(ends).toBe('unreachable default proto 86 metric 4294967295 \n'.repeat(2));
    await site.until('they are counted', () => site.status()?.metrics['nodeRoutes'] === 7);
    expect(site.status()).toMatchObject({
      problems: [],
      nodes: { known: 2, established: 2, withoutBfd: 0 },
      metrics: { nodeRoutes: 7, remoteRoutes: 1 },
    });
    await site.until('BFD is up', async () => (await vtysh('show bfd peers brief')).match(/ up /g)?.length === 3);
  });

  test('leads services to the node of its own pod', async () => {
    const of = (): Promise<string> => shell(site.gateway, 'ip route show table 100 10.233.0.0/16');
    expect(await of()).toContain(' via 198.18.0.11 dev ovl0 ');
    await site.stopFrr(site.node(1));
    await site.until('another node has them', async () => (await of()).includes(' via 198.18.0.12 '));
    site.startFrr(site.node(1));
    await site.until('its own has them again', async () => (await of()).includes(' via 198.18.0.11 '));
  });

  test('carries packets both ways with their own addresses', async () => {
    await shell(site.node(2), 'ip route replace 10.0.5.0/24 via ' + site.overlay + ' dev ovl0 onlink src 10.234.2.1');
    await shell(site.node(2), 'ping -c 1 -W 2 -I 10.234.2.1 10.0.5.1');
    await shell(site.remote, 'ping -c 1 -W 2 -I 10.0.5.1 10.234.2.1');
    await shell(site.node(2), 'ip route delete 10.0.5.0/24 via ' + site.overlay + ' dev ovl0 src 10.234.2.1');
  });

  test('announces static networks exactly while the children of their tunnel are installed', async () => {
    const known = async (): Promise<boolean[]> => [
      (await shell(site.gateway, 'ip route show table 200 10.1.0.0/16')).includes(`dev ${site.interfaces.static} `),
      ...(await Promise.all(site.nodes.map(async (node) => (await routesOf(node, 4)).includes('10.1.0.0/16')))),
    ];
    expect(await known()).toEqual([false, false, false]);
    site.tell({ installed: { static: true } });
    await site.until('all know it', async () => (await known()).every((each) => each));
    expect(await isTold(TOLD)).toBe(true);
    site.tell({ installed: { static: false } });
    await site.until('nobody knows it', async () => (await known()).every((each) => !each));
  });

  test('refuses strangers', async () => {
    const attempt = async (mac: string, local: string): Promise<void> => {
      await shell(
        site.stranger,
        `ip address replace ${local}/32 dev eth0`,
        'ip route replace 172.27.8.8/32 dev eth0',
        site.linkAdd(mac, local),
        'ip address add 198.18.99.1/32 dev ovl0',
        'ip link set ovl0 up',
        `ip route add ${site.overlay}/32 dev ovl0 src 198.18.99.1`,
        ...site.neighbours(),
        'bridge fdb append $(ip neighbour show dev ovl0 nud permanent | sed -n "s/.*lladdr \\([^ ]*\\).*/\\1/p;q") dst 172.27.8.8 dev ovl0',
      );
      await site.stranger.run(['ping', '-c', '2', '-i', '0.3', '-W', '1', site.overlay]);
      await site.until(
        `${mac} from ${local} is refused`,
        () => site.log().includes(`${mac} from ${local} is refused: `),
        10,
      );
      await shell(site.stranger, 'ip link delete ovl0');
    };
    await attempt('02:64:c6:12:63:01', '172.27.0.66'); // an overlay address of no node
    await attempt(nodeMac(3), '192.0.2.66'); // that of a node, from elsewhere
    expect(site.status()?.nodes).toEqual({ known: 2, established: 2, away: 0, withoutBfd: 0 });
    const known = await shell(site.gateway, 'ip neighbour show dev ovl0 nud permanent', 'bridge fdb show dev ovl0');
    expect(known).toContain(nodeMac(2));
    expect(known).not.toContain(nodeMac(3));
    expect(known).not.toContain('198.18.99.1');
  });

  test('a node without BFD has another MAC, and a neighbour of another kind', async () => {
    const conf = site.node(2).read('/etc/frr/frr.conf');
    await site.stopFrr(site.node(2));
    await shell(site.node(2), `ip link set ovl0 address ${nodeMac(2, '02:65')}`, ...site.neighbours());
    site.node(2).write({ '/etc/frr/frr.conf': conf.replace(/^ neighbor .* bfd.*\n/gm, '') });
    site.startFrr(site.node(2));
    await site.until('it is seen', () => site.status()?.nodes.withoutBfd === 1);
    await site.established(2);
    expect(await vtysh('show running-config')).toContain(' neighbor 198.18.0.12 peer-group NODES-WITHOUT-BFD\n');
    await site.stopFrr(site.node(2));
    await shell(site.node(2), `ip link set ovl0 address ${nodeMac(2)}`, ...site.neighbours());
    site.node(2).write({ '/etc/frr/frr.conf': conf });
    site.startFrr(site.node(2));
    await site.until('it is seen', () => site.status()?.nodes.withoutBfd === 0);
    await site.established(2);
  });

  test('a changed configuration is applied while sessions go on', async () => {
    const made = async (): Promise<Record<string, number>> => {
      const summary = JSON.parse(await vtysh('show bgp ipv4 unicast summary json')) as {
        peers: Record<string, { connectionsEstablished: number }>;
      };
      return Object.fromEntries(
        Object.entries(summary.peers).map(([peer, { connectionsEstablished }]) => [peer, connectionsEstablished]),
      );
    };
    const before = await made();
    site.configure(valuesWith({ ...IMPORTS, more: { cidr: '10.7.0.0/16' } }));
    const both = ['10.0.5.0/24', '10.7.0.0/24'];
    await site.until('it is taken', async () => String(await routesOf(site.gateway, 4, 200)) === String(both));
    await site.until('nodes have it', async () => String(await routesOf(site.node(1), 4)) === String(both));
    site.configure(valuesWith(IMPORTS));
    await site.until('it is gone', async () => String(await routesOf(site.gateway, 4, 200)) === '10.0.5.0/24');
    expect(await made()).toEqual(before);
    expect(site.status()?.problems).toEqual([]);
  });

  test('a changed password is that of the session, and a missing one is said', async () => {
    site.setPassword('another.one');
    await site.established(2, 'Connect').catch(() => site.established(2, 'Active'));
    await shell(site.gateway, 'rm /bgp-passwords/primary/password');
    const sentence = 'tunnels.primary.bgp.password: key password of the Secret site-bgp is missing; make it';
    await site.until('it is said', () => site.status()?.problems.includes(sentence) === true);
    site.setPassword(`${PASSWORD}\n`);
    await site.established(2);
    await site.until('all is well', () => site.status()?.problems.length === 0);
    await site.until('the remote end is told', () => isTold(TOLD));
  });

  test('ends the sessions when charon is gone, before the remote end notices, and begins them when it is back', async () => {
    site.gateway.write({ '/run/vpn/charon-ended': '' });
    await site.until('the remote end was told so', async () =>
      /Administrative/.test((await site.remote.run(['vtysh', '-c', 'show bgp neighbors'])).stdout),
    );
    await site.until('nodes have no way', async () => (await routesOf(site.node(1), 4)).length === 0);
    const goodbye = site.gateway.path('/run/vpn/fabric/goodbye');
    await site.until('it has taken leave', () => fs.existsSync(goodbye));
    await shell(site.gateway, 'rm /run/vpn/charon-ended');
    await site.established(2);
    await site.until('that is over', () => !fs.existsSync(goodbye));
    await site.until('the remote end is told', () => isTold(TOLD));
  });

  test('takes leave in order, and takes it back', async () => {
    const seen = { shutting: false, withdrawnFirst: false };
    site.tell({ draining: true });
    await site.until('all have taken leave', async () => {
      const { stdout } = await site.remote.run(['vtysh', '-c', 'show bgp ipv4 unicast 10.234.0.0/16']);
      const told = (await isTold(TOLD)) && (await routesOf(site.node(1), 4)).length === 1;
      if (stdout.includes('Community: graceful-shutdown') && told) seen.shutting = true;
      if (!told && !seen.shutting) seen.withdrawnFirst = true;
      return site.status()?.drained === true;
    });
    expect(seen).toEqual({ shutting: true, withdrawnFirst: false });
    expect(await routesOf(site.remote, 4)).toEqual([]);
    for (const node of site.nodes) expect(await routesOf(node, 4)).toEqual([]);
    // What is still under way arrives.
    expect(await routesOf(site.gateway, 4, 100)).toEqual(FROM_NODES);
    expect(await routesOf(site.gateway, 4, 200)).toEqual(['10.0.5.0/24']);
    site.tell({ draining: false });
    await site.until('the remote end is told again', () => isTold(TOLD));
    await site.until('nodes are told again', async () => (await routesOf(site.node(2), 4)).length === 1);
    expect(site.status()?.drained).toBe(false);
  });

  test('after it stood still, counts on no remote end before that is heard again', async () => {
    const [conf, nodeConf] = [site.remote, site.node(2)].map((host) => host.read('/etc/frr/frr.conf'));
    const restart = async (host: Trixie, text: string): Promise<void> => {
      await site.stopFrr(host);
      await site.until('it is missed', () => {
        const status = site.status();
        return status?.nodes.established !== 2 || status.bgp['primary']?.state !== 'Established';
      });
      host.write({ '/etc/frr/frr.conf': text });
      site.startFrr(host);
      await site.established(2);
    };
    const withoutBfd = valuesWith(IMPORTS);
    // The hold time is longer than everything here takes.
    const { bgp } = (withoutBfd['tunnels'] as { primary: { bgp: { bfd?: unknown; holdSeconds?: number } } }).primary;
    delete bgp.bfd;
    bgp.holdSeconds = 90;
    site.configure(withoutBfd);
    site.tell({ nodes: 2 });
    await restart(site.remote, conf!.replace(/^ neighbor .* bfd\n/gm, '').replace('timers 3 9', 'timers 30 90'));
    await restart(site.node(2), nodeConf!.replace(/^( bgp router-id .*)$/m, '$1\n bgp graceful-restart'));
    const known = async (): Promise<boolean> => (await routesOf(site.node(2), 4)).includes('10.0.5.0/24');
    await site.until('a node knows a way', known);
    for (const what of ['reflector.py', 'FRR'] as const) await site.freeze('STOP', what);
    // Its kernel answers, as nothing does beyond a tunnel that is dead.
    await shell(site.remote, 'kill -STOP $(cat /var/run/frr/bgpd.pid)');
    await site.until('no node counts on it', async () => !(await known())).finally(() => site.freeze('CONT', 'FRR'));
    await site
      .until('a node is back before anybody has looked', known)
      .finally(() => site.freeze('CONT', 'reflector.py'));
    await site.until('it is doubted', () => site.log().includes('primary: begins the session anew'));
    await site.until('no node counts on it any more', async () => !(await known()));
    await site.until('the nodes are back', () => site.status()?.nodes.established === 2);
    for (let i = 0; i < 20; i++) {
      expect(await known()).toBe(false);
      await sleep(500);
    }
    await shell(site.remote, 'kill -CONT $(cat /var/run/frr/bgpd.pid)');
    await site.established(2);
    await site.until('a node knows a way', known);
    site.configure(valuesWith(IMPORTS));
    site.tell({ nodes: 0 });
    await restart(site.remote, conf!);
    await restart(site.node(2), nodeConf!);
  });

  test('starts all daemons again when one has ended', async () => {
    const pid = (daemon: string): Promise<string> => shell(site.gateway, `cat /var/run/frr/${daemon}.pid`);
    for (const [index, daemon] of ['bgpd', 'zebra', 'bfdd'].entries()) {
      const zebra = await pid('zebra');
      await shell(site.gateway, `kill -9 $(cat /var/run/frr/${daemon}.pid)`);
      await site.until('it is seen', () => site.status()?.metrics['restarts'] === index + 1);
      await site.established(2);
      await site.until('the remote end is told again', () => isTold(TOLD));
      expect(await routesOf(site.gateway, 4, 100)).toEqual(FROM_NODES);
      expect(await pid('zebra')).not.toBe(zebra);
      expect(site.log()).toContain(`${daemon} has ended of signal 9; all daemons start again`);
    }
  });

  test('keeps routes in the kernel while its container starts again', async () => {
    await site.stopReflector();
    expect(await shell(site.gateway, 'ls /var/run/frr/*.pid | wc -l')).not.toBe('0\n');
    expect((await site.gateway.run(['vtysh', '-c', 'show version'])).status).not.toBe(0);
    expect(await routesOf(site.gateway, 4, 100)).toEqual(FROM_NODES);
    site.startReflector();
    await site.until('they are in again', () => site.log().includes('learned nodes: 198.18.0.11, 198.18.0.12'));
    await site.established(2);
    expect(await routesOf(site.gateway, 4, 100)).toEqual(FROM_NODES);
  });

  test('puts back what somebody takes away', async () => {
    const state = (): Promise<string> =>
      shell(
        site.gateway,
        'ip rule',
        'ip -6 rule',
        'ip route show proto 86',
        'ip route show table 200 proto 86',
        'ip -6 address show dev ovl0',
      );
    const before = await state();
    expect(before).toContain(`from all iif ${site.interfaces.primary} lookup 100 proto 86`);
    await shell(
      site.gateway,
      'ip rule delete priority 110',
      'ip rule add from 192.0.2.1 lookup 100 priority 140 protocol 86',
      'ip route delete 198.18.0.0/16 dev ovl0',
      'ip route add 192.0.2.0/24 dev ovl0 table 200 proto 86',
      'ip route delete unreachable default table 200 metric 4294967295',
      'vtysh -c configure -c "router bgp 65010" -c "no neighbor 198.18.0.11"',
    );
    await site.until('it is as it was', async () => (await state()) === before);
    await site.established(2);
  });

  test('handles a thousand nodes within seconds', async () => {
    const lines = Array.from({ length: 1000 }, (_, index) => {
      const [high, low] = [1 + (index >> 8), index & 255];
      const mac = `02:64:c6:12:${[high, low].map((octet) => octet.toString(16).padStart(2, '0')).join(':')}`;
      return `fdb append ${mac} dev ovl0 dst 172.27.${high}.${low} dynamic\n`;
    });
    const { status } = await site.gateway.run(['bridge', '-batch', '-'], { input: lines.join('') });
    expect(status).toBe(0);
    await site.until('all are known', () => site.status()?.nodes.known === 1002, 10);
    await site.until(
      'bgpd knows them',
      async () => (await vtysh('show bgp ipv4 unicast summary')).includes('198.18.4.231'),
      10,
    );
    expect((await shell(site.gateway, 'ip neighbour show dev ovl0 nud permanent')).trim().split('\n')).toHaveLength(
      2004,
    );
    await site.established(2);
  });

  test('withdraws what it tells the remote end when the last node has gone', async () => {
    for (const node of site.nodes) await site.stopFrr(node);
    await site.until('nothing is told', () => isTold([]), 15);
    expect(site.status()?.bgp['primary']?.state).toBe('Established');
  });
});

const NUMBERS = [1, 2] as const;
/** Of what the remote end announces, what is allowed. */
const ALLOWED = ['10.0.5.0/24'];

describeWith(TRIXIE_TOOLS, 'reflector.py and two agents', () => {
  let site: Site;
  let agents: readonly Daemon[];

  beforeAll(async () => {
    site = await Site.start(valuesWith(IMPORTS), 'with agents');
    site.startFrr(site.remote);
    site.startReflector();
    agents = NUMBERS.map((number) => site.startAgent(number));
    await site.established(2);
  });
  afterEach(() => {
    for (const log of [site.log(), ...agents.map((agent) => agent.log())])
      expect(log).not.toMatch(new RegExp(`a fault in line|Traceback|${PASSWORD}`));
  });
  afterAll(() => site.end());

  test('have sessions with BFD, and routes are where they belong', async () => {
    await site.until('the remote end is told', async () => (await routesOf(site.remote, 4)).length === 2);
    expect(await routesOf(site.remote, 4)).toEqual(TOLD);
    await site.until('all of the nodes', async () => (await routesOf(site.gateway, 4, 100)).length === 5);
    expect(await routesOf(site.gateway, 4, 100)).toEqual(FROM_NODES);
    expect(await routesOf(site.gateway, 6, 100)).toEqual(['fd00:234:1::/64', 'fd00:234:2::/64']);
    expect(await routesOf(site.gateway, 4, 200)).toEqual(ALLOWED);
    // Packets that carry all others find their way.
    expect(await routesOf(site.gateway, 4)).toEqual([]);
    for (const node of site.nodes) {
      await waitUntil('the way', 20, async () => String(await routesOf(node, 4)) === String(ALLOWED));
      expect(await routesOf(node, 6)).toEqual([]);
    }
    await site.until('BFD is up', async () => {
      const peers = await shell(site.gateway, 'vtysh -c "show bfd peers brief"');
      return peers.match(/ up /g)?.length === 3;
    });
    expect(site.status()).toMatchObject({ problems: [], nodes: { known: 2, established: 2, withoutBfd: 0 } });
  });

  test('lead packets of pods and nodes to the remote end and back', async () => {
    for (const number of NUMBERS) {
      const [node, pod] = [site.node(number), `10.234.${number}.1`];
      await shell(node, 'ping -c 1 -W 2 10.0.5.1', `ping -c 1 -W 2 -I ${pod} 10.0.5.1`);
      await shell(site.remote, ...[pod, `172.27.0.1${number}`].map((to) => `ping -c 1 -W 2 -I 10.0.5.1 ${to}`));
    }
  });

  test('hold a network that nobody announces any more, and take it again', async () => {
    const [node] = site.nodes;
    const way = async (from: Trixie): Promise<string> =>
      (await from.run(['sh', '-c', 'ip route get 10.0.5.1 2>/dev/null || echo none'])).stdout;
    await site.stopFrr(site.remote);
    await site.until('there is no way', async () => (await way(node)) === 'none\n');
    expect(await routesOf(site.gateway, 4, 200)).toEqual([]);
    site.startFrr(site.remote);
    await site.until('there is one', async () => (await way(node)).includes(` via ${site.overlay} `));
  });
});

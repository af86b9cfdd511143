import { CHARTS } from '../../charts';
import type { JsonObject } from '../../lib/helm/values-file';
import type { CounterpartOptions } from '../../lib/strongswan/counterpart';
import { describeWith } from '../left-out';
import { joinByCable, TRIXIE_TOOLS, Trixie, waitUntil, type Daemon } from './trixie';

jest.setTimeout(60_000);

const GATEWAY = '169.254.100.2';
const ROUTER = '169.254.100.1';

const site = (bgp: JsonObject = {}, more: JsonObject = {}, routes: JsonObject = {}): JsonObject => ({
  cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
  gateways: { a: { exposure: 'hostPort', identity: '203.0.113.10' } },
  routes: {
    mode: 'bgp',
    localAs: 65_010,
    import: { vpc: { cidr: '10.1.0.0/16' }, office: { cidr: '10.2.0.0/22', maxLength: 28 } },
    ...routes,
  },
  tunnels: {
    onprem: {
      gateway: 'a',
      remote: { address: '198.51.100.7' },
      presharedKey: { existingSecret: 'onprem-psk' },
      interfaceId: 42,
      inside: { local: `${GATEWAY}/30`, remote: ROUTER },
      bgp: { peerAs: 64_514, ...bgp },
      ...more,
    },
  },
});
const STATIC = site({}, { remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] } }, { mode: 'static' });
const IPV6 = site(
  { bfd: {} },
  { inside: { local: 'fd00:100::2/64', remote: 'fd00:100::1' } },
  { import: { vpc: { cidr: 'fd01::/48' } }, export: ['pods', 'fd00:27::/64'] },
);

function file(name: string, values: JsonObject, options: CounterpartOptions = {}): string {
  return `${CHARTS.ipsec.text((gateways) => gateways.counterpart('onprem', 'strongswan', options)[name]!, { values })}\n`;
}
const frr = (values: JsonObject, options?: CounterpartOptions): string => file('onprem-frr.conf', values, options);
const network = (values: JsonObject): string => file('onprem-network.sh', values);
/** The lines that say something, without the blanks in front. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '!');

describe('the session of a router', () => {
  test('is the mirror image of ours', () => {
    const lines = linesOf(frr(site()));
    expect(lines).toEqual(
      expect.arrayContaining([
        'router bgp 64514',
        `neighbor ${GATEWAY} remote-as 65010`,
        `neighbor ${GATEWAY} update-source ${ROUTER}`,
        `neighbor ${GATEWAY} timers 3 9`,
      ]),
    );
    expect(lines.join('\n')).not.toMatch(/multihop|bfd|password/);
  });

  test.each<[string, JsonObject, string]>([
    ['its times', site({ keepaliveSeconds: 5, holdSeconds: 20 }), `neighbor ${GATEWAY} timers 5 20`],
    ['those of a preset', site({}, { preset: 'azure' }), `neighbor ${GATEWAY} timers 60 180`],
    ['hops', site({ multihopTtl: 2 }), `neighbor ${GATEWAY} ebgp-multihop 2`],
    [
      'a speaker that is elsewhere',
      site({ peerAddress: '10.1.255.1' }),
      `neighbor ${GATEWAY} update-source 10.1.255.1`,
    ],
    ['BFD', site({ bfd: { multiplier: 3 } }), `neighbor ${GATEWAY} bfd profile onprem`],
    ['no AS of ours', site({}, {}, { localAs: null }), `neighbor ${GATEWAY} remote-as 64512`],
    ['IPv6', IPV6, 'neighbor fd00:100::2 update-source fd00:100::1'],
  ])('has %s', (_what, values, line) => {
    expect(linesOf(frr(values))).toContain(line);
  });

  test('has the times of BFD that ours has', () => {
    expect(linesOf(frr(site({ bfd: { intervalMilliseconds: 500 } })))).toEqual(
      expect.arrayContaining(['detect-multiplier 5', 'receive-interval 500', 'transmit-interval 500']),
    );
  });

  test('takes what the gateway announces, and tells what the values import', () => {
    const lists = (values: JsonObject): string[] =>
      linesOf(frr(values)).filter((line) => line.includes('prefix-list '));
    expect(lists(site())).toEqual([
      'ip prefix-list cluster-onprem permit 10.244.0.0/16',
      'ip prefix-list cluster-onprem permit 172.27.0.0/20',
      'ip prefix-list cluster-onprem permit 10.96.0.0/12',
      'ip prefix-list site-onprem permit 10.2.0.0/22 le 28',
      'ip prefix-list site-onprem permit 10.1.0.0/16 le 24',
      'match ip address prefix-list site-onprem',
      'match ipv6 address prefix-list site-onprem',
      `neighbor ${GATEWAY} prefix-list cluster-onprem in`,
      `neighbor ${GATEWAY} prefix-list site-onprem out`,
    ]);
    expect(lists(IPV6).slice(0, 3)).toEqual([
      'ip prefix-list cluster-onprem permit 10.244.0.0/16',
      'ipv6 prefix-list cluster-onprem permit fd00:27::/64',
      'ipv6 prefix-list site-onprem permit fd01::/48 le 64',
    ]);
  });

  test('has the password only where it is given', () => {
    const values = site({ password: { existingSecret: 'onprem-bgp', key: 'primary' } });
    expect(linesOf(frr(values))).toContain(`! neighbor ${GATEWAY} password (the key primary of the Secret onprem-bgp)`);
    expect(linesOf(frr(values, { bgpPassword: 'b!gp#1' }))).toContain(`neighbor ${GATEWAY} password b!gp#1`);
    for (const bgpPassword of ['has a blank, s3cret', 's3cret'.repeat(14), '']) {
      const refused = () => frr(values, { bgpPassword });
      expect(refused).toThrow(
        /^bgpPassword: is not 1 to 80 printable ASCII characters without blanks; choose another$/,
      );
    }
  });

  test('is none where the routes are static', () => {
    expect(frr(STATIC)).toBe('\n');
  });
});

describe('the network of a router with BGP', () => {
  test('leads nothing into the tunnel by itself, and lets nothing for the cluster out in clear', () => {
    const values = site({}, {}, { export: ['pods', '172.27.0.0/21'] });
    const routes = (of: JsonObject): string[] => linesOf(network(of)).filter((line) => line.startsWith('ip route'));
    expect(routes(values)).toEqual(
      ['10.244.0.0/16', '10.96.0.0/12', '172.27.0.0/20', '172.27.0.0/21'].map(
        (of) => `ip route replace unreachable ${of} metric 4278198272`,
      ),
    );
    expect(routes(STATIC)).toContain('ip route replace 10.244.0.0/16 dev ipsec42');
  });

  test('has the address of its BGP speaker', () => {
    expect(linesOf(network(site({ peerAddress: '10.1.255.1' })))).toContain('ip address replace 10.1.255.1 dev lo');
    expect(network(site())).not.toContain('dev lo');
  });
});

/** As a router starts them. */
const DAEMONS = ['mgmtd', 'zebra', 'bgpd', 'bfdd'] as const;

/** FRR in a Debian of its own. */
class Speaker {
  private daemons: Partial<Record<(typeof DAEMONS)[number], Daemon>> = {};

  constructor(readonly trixie: Trixie) {}

  async start(conf: string): Promise<void> {
    this.trixie.write({ '/var/run/frr/.keep': '', '/etc/frr/vtysh.conf': '', '/root/frr.conf': conf });
    await this.trixie.run(['chown', 'frr:frr', '/var/run/frr']);
    for (const name of DAEMONS) {
      this.daemons[name] = this.trixie.daemon([`/usr/lib/frr/${name}`, '-P', '0', '--log', 'stdout']);
      await waitUntil(`${name} answers`, 20, () => this.says(name, 'show version'));
    }
    expect(await this.trixie.run(['vtysh', '-f', '/root/frr.conf'])).toMatchObject({ status: 0 });
  }

  async show(command: string): Promise<string> {
    return (await this.trixie.run(['vtysh', '-c', command])).stdout;
  }

  /** The kernel's own routes to a network. */
  async routes(to: string): Promise<string[]> {
    return linesOf((await this.trixie.run(['ip', 'route', 'show', 'exact', to])).stdout);
  }

  async kill(): Promise<void> {
    const { bgpd } = this.daemons;
    bgpd?.signal('SIGKILL');
    await bgpd?.ended();
  }

  private async says(daemon: string, command: string): Promise<boolean> {
    return (await this.trixie.run(['vtysh', '-d', daemon, '-c', command])).status === 0;
  }
}

describeWith(TRIXIE_TOOLS, 'FRR 10', () => {
  let trixies: Trixie[];
  beforeEach(async () => {
    trixies = await Promise.all([Trixie.start(), Trixie.start()]);
  });
  afterEach(async () => {
    await Promise.all(trixies.map((trixie) => trixie.end()));
  });

  test('takes every line of its file, and not one that is wrong', async () => {
    const [trixie] = trixies as [Trixie];
    const check = async (conf: string) => {
      trixie.write({ '/root/frr.conf': conf, '/etc/frr/vtysh.conf': '' });
      const { status, stdout, stderr } = await trixie.run(['vtysh', '-C', '-f', '/root/frr.conf']);
      return { status, said: stdout + stderr };
    };
    const password = { existingSecret: 'onprem-bgp' };
    for (const [values, options] of [
      [site(), {}],
      [site({ bfd: {}, multihopTtl: 255, peerAddress: '10.1.255.1', password }), {}],
      [site({ password }), { bgpPassword: '!p|a?s"s\\w#o$r%d'.padEnd(80, '!') }],
      [site({ peerAs: 4_294_967_294, holdSeconds: 65_535 }), {}],
      [IPV6, {}],
    ] as [JsonObject, CounterpartOptions][])
      expect(await check(frr(values, options))).toEqual({ status: 0, said: '' });
    const bad = frr(site()).replace('timers 3 9', 'timers 3');
    expect(await check(bad)).toMatchObject({ status: 4, said: expect.stringContaining('timers 3') as string });
  });

  test('brings up the session, tells the site’s own networks and takes the cluster’s', async () => {
    const values = site({ bfd: {}, password: { existingSecret: 'onprem-bgp' } });
    const [gateway, router] = trixies.map((trixie) => new Speaker(trixie)) as [Speaker, Speaker];
    await joinByCable(gateway.trixie, router.trixie);
    router.trixie.write({
      '/root/network.sh': network(values),
      // This Debian has none.
      '/usr/sbin/sysctl': '#!/bin/sh\necho "${2#*=}" >"/proc/sys/$(echo "${2%%=*}" | tr . /)"\n',
    });
    const ways = [
      'ip link set eth0 name ipsec42',
      'sh /root/network.sh',
      'ip address add 10.1.2.1/24 dev lo',
      'ip route add blackhole 10.1.3.0/24',
      'ip route add blackhole 10.1.4.0/25',
      'ip route add blackhole 10.9.0.0/16',
    ];
    expect(await router.trixie.run(['sh', '-ec', ways.join('\n')])).toMatchObject({ status: 0, stderr: '' });
    const address = [`ip address add ${GATEWAY}/30 dev eth0`, 'ip link set eth0 up'];
    expect(await gateway.trixie.run(['sh', '-ec', address.join('\n')])).toMatchObject({ status: 0, stderr: '' });

    await router.start(frr(values, { bgpPassword: 'b!gp#1' }));
    await gateway.start(`
route-map all permit 10
exit
router bgp 65010
 bgp router-id 10.244.0.1
 no bgp network import-check
 neighbor ${ROUTER} remote-as 64514
 neighbor ${ROUTER} timers 3 9
 neighbor ${ROUTER} password b!gp#1
 neighbor ${ROUTER} bfd
 address-family ipv4 unicast
  network 10.244.0.0/16
  network 10.99.0.0/16
  network 0.0.0.0/0
  neighbor ${ROUTER} route-map all in
  neighbor ${ROUTER} route-map all out
 exit-address-family
exit
`);
    const unreachable = 'unreachable 10.244.0.0/16 metric 4278198272';
    await waitUntil('the cluster is reached', 30, async () => (await router.routes('10.244.0.0/16')).length === 2);
    const [way, last] = await router.routes('10.244.0.0/16');
    expect(way).toContain(`via ${GATEWAY} dev ipsec42 proto bgp metric 20`);
    expect(last).toBe(unreachable);
    expect(await router.routes('10.99.0.0/16')).toEqual([]);
    expect(await router.routes('0.0.0.0/0')).toEqual([]);
    const told = async (): Promise<string[]> => {
      const { routes } = JSON.parse(await gateway.show('show bgp ipv4 unicast json')) as { routes: object };
      return Object.keys(routes).sort();
    };
    await waitUntil('the site is told', 10, async () => (await told()).length > 4);
    expect(await told()).toEqual(['0.0.0.0/0', '10.1.2.0/24', '10.1.3.0/24', '10.244.0.0/16', '10.99.0.0/16']);
    expect(await router.show('show bfd peers brief')).toMatch(/169\.254\.100\.2 +up/);

    await gateway.kill();
    await waitUntil('the way is gone', 10, async () => (await router.routes('10.244.0.0/16')).length === 1);
    expect(await router.routes('10.244.0.0/16')).toEqual([unreachable]);
  });
});

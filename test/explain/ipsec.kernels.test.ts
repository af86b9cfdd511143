/** The routes of real kernels, which reflector.py and two agents have made, are those that explain names. */
import { CHARTS } from '../../charts';
import { explainPair, placesOf } from '../../lib/explain/explanation';
import { GATEWAY_LINK, gatewayRules, NODES, parsePrinted, REMOTES, type Fabric } from '../../lib/explain/overlay';
import { ruleText, type Decision, type Route } from '../../lib/explain/routing';
import type { Network } from '../../lib/explain/site';
import { walk, waysOf, type Hop } from '../../lib/explain/walk';
import { describeWith } from '../left-out';
import { shell, Site, valuesWith } from '../frr/site';
import { TRIXIE_TOOLS, waitUntil, type Trixie } from '../strongswan/trixie';
import { networkOf, node } from './network';

jest.setTimeout(180_000);

const GATEWAY_NODE = { 'example.com/vpn-gateway': 'a' };
const VALUES = {
  ...valuesWith({ vpc: { cidr: '10.0.0.0/16' } }),
  gateways: { a: { identity: '203.0.113.10', nodeSelector: GATEWAY_NODE } },
};
const nodes = [1, 2].map((number) =>
  node(`node${String(number)}`, `172.27.0.1${String(number)}`, '', {
    // As the gateway is told.
    labels: number === 1 ? GATEWAY_NODE : {},
    podNetworks: [
      { cidr: `10.234.${String(number)}.0/24`, from: 'spec.podCIDRs[0]' },
      { cidr: `fd00:234:${String(number)}::/64`, from: 'spec.podCIDRs[1]' },
    ],
  }),
);

interface Got {
  readonly dev?: string;
  readonly gateway?: string;
  readonly prefsrc?: string;
  readonly table?: string;
  readonly nexthops?: unknown;
}

describeWith(TRIXIE_TOOLS, 'the ways that explain names', () => {
  let site: Site;
  let network: Network;

  beforeAll(async () => {
    site = await Site.start(VALUES, 'with agents');
    site.startFrr(site.remote);
    site.startReflector();
    for (const number of [1, 2] as const) site.startAgent(number);
    await site.established(2);
    site.tell({ installed: { static: true } });
    network = networkOf('ipsec', VALUES, nodes);
    const ways = async (host: Trixie): Promise<string> =>
      shell(
        host,
        ...['route show', 'route show table 100', '-6 route show table 100', 'route show table 200'].map(
          (what) => `ip ${what} || true`,
        ),
      );
    await waitUntil('nodes know both networks', 60, async () =>
      (await Promise.all(site.nodes.map(ways))).every(
        (text) => /10\.0\.5\.0\/24.* proto bgp/.test(text) && /10\.1\.0\.0\/16.* proto bgp/.test(text),
      ),
    );
    await waitUntil('the gateway knows both nodes', 60, async () => {
      const text = await ways(site.gateway);
      return [1, 2].every(
        (number) => text.includes(`172.27.0.1${String(number)} `) && text.includes(`fd00:234:${String(number)}::/64`),
      );
    });
  });
  afterAll(() => site.end());

  /** The host of a title, and what explain calls its interfaces. */
  function hostOf(
    title: string,
  ): { readonly host: Trixie; readonly interfaces: Readonly<Record<string, string>> } | undefined {
    const [, number] = /^node node([12])$/.exec(title) ?? [];
    if (title === 'gateway a') return { host: site.gateway, interfaces: {} };
    return number === undefined
      ? undefined
      : { host: site.node(Number(number) as 1 | 2), interfaces: { 'a pod': 'cni0' } };
  }

  /** What the kernel of a host does with the packet of a hop. */
  async function ask(hop: Hop, source: string, destination: string): Promise<Got | undefined> {
    const found = hostOf(hop.host.title);
    if (found === undefined) throw new Error(hop.host.title);
    const by = hop.by === undefined ? '' : `from ${source} iif ${found.interfaces[hop.by] ?? hop.by}`;
    const { status, stdout } = await found.host.run(['sh', '-c', `ip -j route get ${destination} ${by}`]);
    return status === 0 ? (JSON.parse(stdout) as Got[])[0] : undefined;
  }

  /** The hops of a tree that have decided something. */
  const decisions = (hops: readonly Hop[]): (Hop & { readonly decision: Decision })[] =>
    hops.flatMap((hop) => [
      ...(hop.decision === undefined ? [] : [hop as Hop & { decision: Decision }]),
      ...decisions(hop.branches.flatMap(({ next }) => next ?? [])),
    ]);

  const single = (network_: string, host: string): string => network_.replace(/0?\/[0-9]+$/, host);

  test.each([
    ['pod@node1', '10.0.5.9'],
    ['pod@node2', '10.0.5.9'],
    ['node1', '10.0.5.9'],
    ['node2', '10.1.7.7'],
    ['pod@node1', '10.1.7.7'],
    ['10.0.5.1', 'pod@node1'],
    ['10.0.5.1', 'pod@node2'],
    ['10.0.5.1', 'node2'],
    ['10.1.0.1', '10.233.0.9'],
    ['10.1.0.1', '172.27.0.99'],
    ['pod@node1', '10.99.0.1'],
  ])('from %s to %s are those of the kernels, and back', async (from, to) => {
    const places = (name: string) => placesOf(network, name).filter(({ address }) => address.version === 4);
    const [source] = places(from);
    const [destination] = places(to);
    if (source === undefined || destination === undefined) throw new Error('no place');
    const { there, back } = explainPair(source, destination);
    const asked = [
      ...decisions(there).map((hop) => ({ hop, from: source, to: destination })),
      ...decisions(back).map((hop) => ({ hop, from: destination, to: source })),
    ];
    expect(asked.length).toBeGreaterThan(0);
    for (const { hop, from: one, to: other } of asked) {
      const got = await ask(hop, single(one.address.text, '7'), single(other.address.text, '7'));
      const { rule, route } = hop.decision;
      const [first] = route.hops;
      const said = {
        host: hop.host.title,
        way:
          route.kind === 'unreachable' || first?.device === 'its own default way'
            ? 'none'
            : `${first?.gateway ?? ''} ${first?.device ?? ''}`,
        table: rule.table,
      };
      expect({
        host: hop.host.title,
        way: got === undefined ? 'none' : `${got.gateway ?? ''} ${got.dev ?? ''}`,
        table: got?.table ?? (got === undefined ? rule.table : 'main'),
      }).toEqual(said);
      if (hop.by === undefined && got !== undefined) expect(got.prefsrc).toBe(route.source);
    }
  });

  test('of IPv6 are those of the kernel', async () => {
    const [pods] = placesOf(network, 'pod@node2').filter(({ address }) => address.version === 6);
    const gateway = explainPair(placesOf(network, '10.1.0.1')[0]!, placesOf(network, 'pod@node2')[0]!).there[0]!
      .branches[0]!.next!.host;
    const packet = { source: pods!.address, destination: pods!.address, translations: [], isAnswer: false };
    const hop = walk(gateway, packet, site.interfaces.static);
    const got = await ask(hop, 'fd00:99::1', single(pods!.address.text, '7'));
    expect([got?.gateway, got?.dev]).toEqual([hop.decision?.route.hops[0]?.gateway, GATEWAY_LINK]);
  });

  test('have the rules of the kernel, and no others', async () => {
    const file = site.gateway.read('/config/fabric.json');
    const fabric = parsePrinted<Fabric>(file);
    for (const version of [4, 6] as const) {
      const text = await shell(site.gateway, `ip -${String(version)} rule show`);
      const rules = text.split('\n').filter((line) => line.endsWith(' proto 86'));
      const said = gatewayRules(fabric, version, { device: 'eth0', mtuBytes: 1500, gateways: {} });
      expect(said.length).toBeGreaterThan(4);
      expect(said.map((rule) => `${ruleText(rule).replace(': ', ':\t')} proto 86`).sort()).toEqual(rules.sort());
    }
  });

  test('have the MTUs of the links', async () => {
    const mtu = async (host: Trixie, link: string): Promise<number> =>
      (JSON.parse(await shell(host, `ip -j link show dev ${link}`)) as { mtu: number }[])[0]!.mtu;
    const { there, back } = explainPair(placesOf(network, 'pod@node1')[0]!, placesOf(network, 'vpc')[0]!);
    const [onNode] = decisions(there);
    const link = onNode!.decision.route.hops[0]!.device;
    expect(onNode!.branches[0]!.mtuBytes).toBe(await mtu(site.node(1), link));
    const [onGateway] = decisions(back);
    expect(onGateway!.branches[0]!.mtuBytes).toBe(await mtu(site.gateway, GATEWAY_LINK));
  });

  test('pass the packet filter of the gateway where packets do', async () => {
    const nftables = CHARTS.ipsec.text((gateways) => gateways.gateway('a').nftablesConf, { values: VALUES });
    site.gateway.write({ '/config/nftables.conf': nftables });
    await shell(site.gateway, 'nft -D mss4=1350 -D mss6=1330 -f /config/nftables.conf');
    await shell(site.node(1), 'ip address add 192.0.2.77/32 dev cni0');
    await shell(
      site.remote,

      'ip address add 10.1.0.1/32 dev lo',
      'ip address add 10.77.0.1/32 dev lo',
    );
    const answers = async (host: Trixie, from: string, to: string): Promise<boolean> =>
      (await host.run(['ping', '-c', '1', '-W', '2', '-I', from, to])).status === 0;
    const says = (from: string, to: string): boolean => {
      const { there, back } = explainPair(placesOf(network, from)[0]!, placesOf(network, to)[0]!);
      const arrive = (hops: readonly Hop[]): boolean =>
        hops.flatMap(waysOf).some(({ outcome }) => outcome.verdict === 'arrives');
      return arrive(there) && arrive(back);
    };
    for (const [host, from, to] of [
      [site.node(1), '10.234.1.1', '10.0.5.1'],
      [site.node(2), '172.27.0.12', '10.0.5.1'],
      [site.node(1), '192.0.2.77', '10.0.5.1'],
      [site.remote, '10.0.5.1', '10.234.2.1'],
      [site.remote, '10.0.5.1', '172.27.0.12'],
      [site.remote, '10.77.0.1', '10.234.2.1'],
    ] as const)
      expect([from, to, await answers(host, from, to)]).toEqual([from, to, says(from, to)]);
  });

  test('are refused while no gateway knows them, as the next route says', async () => {
    const { there } = explainPair(placesOf(network, 'pod@node1')[0]!, placesOf(network, 'vpc')[0]!);
    const [onNode, onGateway] = decisions(there);
    const isHold = ({ kind, destination }: Route): boolean => kind === 'unreachable' && destination === '10.0.0.0/16';
    expect(onNode!.decision.otherwise.find(({ isStandIn }) => isStandIn !== true)).toMatchObject({
      kind: 'unreachable',
    });
    expect(onNode!.decision.otherwise.some(isHold)).toBe(true);
    expect(onGateway!.decision.otherwise.map(({ kind }) => kind)).toEqual(['unreachable']);
    await site.stopFrr(site.remote);
    await site.until('the node has no way', async () => (await ask(onNode!, '10.234.1.7', '10.0.5.9')) === undefined);
    expect(await ask(onGateway!, '10.234.1.7', '10.0.5.9')).toBeUndefined();
    // What is known from the values goes on.
    expect((await ask(onNode!, '10.234.1.7', '10.1.7.7'))?.gateway).toBe(site.overlay);
  });

  test('end in the tables of the kernel as they say', async () => {
    for (const table of [NODES, REMOTES])
      expect(await shell(site.gateway, `ip route show table ${table} default`)).toBe(
        'unreachable default proto 86 metric 4294967295 \n',
      );
  });
});

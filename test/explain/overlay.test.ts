/** What explain takes for the plan of gateways and nodes is what their programs make of the same files. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { CHARTS } from '../../charts';
import {
  GATEWAY_LINK,
  gatewayMainRoutes,
  gatewayMtuBytes,
  gatewayRoutes,
  gatewayRules,
  gatewayTableRoutes,
  nodeMtuBytes,
  NODES,
  parsePrinted,
  rejectRoutes,
  REMOTES,
  type AgentSettings,
  type Fabric,
} from '../../lib/explain/overlay';
import type { Route, Rule } from '../../lib/explain/routing';
import { loadValues } from '../../lib/helm/load-values';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';

const LIB = path.join(__dirname, '../../lib');
const VERSIONS = [4, 6] as const;
const MTUS = [1500, 1450, 9001];
const OUTSIDE = { device: 'eth0', gateways: { 4: '169.254.1.1', 6: 'fe80::1' } };

/** The texts of the chart's ConfigMaps. */
const printed = (values: JsonObject): Record<string, string>[] =>
  (CHARTS.ipsec.objects({ values }) as { data?: Record<string, string> }[]).flatMap(({ data }) =>
    data === undefined ? [] : [data],
  );

/** The kernel asks rules of one priority in any order: what they match is apart. */
const sorted = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer), (_key, value: unknown) =>
    Array.isArray(value) && value.every(Array.isArray)
      ? value.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
      : value,
  ) as unknown;

const routeTuple = ({ destination, kind, hops: [hop], source = '', metric = 0, onlink = false }: Route): unknown[] => [
  destination,
  hop?.device ?? '',
  hop?.gateway ?? '',
  source,
  kind,
  metric,
  onlink,
];
const ruleTuple = ({ priority, table, source = '', destination = '', interface: by = '' }: Rule): unknown[] => [
  priority,
  table,
  source,
  destination,
  by,
];
const ofVersions = <T>(of: (version: 4 | 6) => T): Record<string, T> =>
  Object.fromEntries(VERSIONS.map((version) => [String(version), of(version)]));

function ofGateway(fabric: Fabric, up: readonly string[], mtuBytes: number): unknown {
  const outside = { ...OUTSIDE, mtuBytes };
  const tables = [NODES, REMOTES].flatMap((table) =>
    VERSIONS.map((version) => [
      `${table}/${String(version)}`,
      gatewayTableRoutes(fabric, table, version, up, outside).map(routeTuple),
    ]),
  );
  return {
    tables: Object.fromEntries(tables) as unknown,
    main: ofVersions((version) => gatewayMainRoutes(fabric, version).map(routeTuple)),
    rules: ofVersions((version) => gatewayRules(fabric, version, outside).map(ruleTuple)),
    link: GATEWAY_LINK,
    mtu: gatewayMtuBytes(fabric.overlay, outside),
  };
}

function ofNode(settings: AgentSettings, address: string, mtuBytes: number): unknown {
  return {
    rejects: ofVersions((version) => rejectRoutes(settings, version).map(routeTuple)),
    gateways: ofVersions((version) => gatewayRoutes(settings, address, version).map(routeTuple)),
    mtu: nodeMtuBytes(settings.overlay, mtuBytes),
  };
}

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16));
const ipv6 = fc
  .tuple(fc.constantFrom('fd00', 'FD0A', '2001'), group, fc.constantFrom('0', '00ab', 'F'), group)
  .map((groups) => `${groups.join(':')}::`);
const network4 = fc
  .tuple(fc.integer({ min: 1, max: 223 }), octet, fc.constantFrom(16, 20, 24, 32))
  .map(([one, two, length]) => `${String(one)}.${String(two)}.0.0/${String(length)}`);
const network6 = ipv6.map((address) => `${address}/64`);
const networks = fc.array(fc.oneof(network4, network6), { maxLength: 4 });
const overlayOf = fc.record({
  nodeNetwork: fc.constantFrom('198.18.0.0/16', '100.64.0.0/16'),
  gatewayNetwork: fc.constantFrom('198.19.0.0/16', '100.65.0.0/16'),
  ipv6Network: fc.constantFrom('fd76:706e:6f76::/64', 'FD00:0:0:1::/64'),
  ipv6: fc.boolean(),
  vni: fc.constant(4242),
  port: fc.constant(4790),
  mtuBytes: fc.constantFrom(0, 1280, 1400),
});
const cluster = fc.constant({
  pods: ['10.244.0.0/16', ''],
  services: [''],
  nodes: ['172.27.0.0/20', ''],
  sources: [''],
});
const inside = fc.oneof(
  fc.tuple(ipv4, ipv4).map(([local, remote]) => ({ local: `${local}/30`, remote })),
  fc.tuple(ipv6, ipv6).map(([local, remote]) => ({ local: `${local}2/64`, remote: `${remote}1` })),
);
const tunnels = fc.dictionary(
  fc.stringMatching(/^[a-z0-9]{1,4}$/),
  fc.record(
    {
      interface: fc.oneof(
        fc.constant(''),
        fc.integer({ min: 1, max: 999_999 }).map((id) => `ipsec${String(id)}`),
      ),
      inside,
      bgp: fc.record({ peer: fc.oneof(ipv4, ipv6), bfd: fc.boolean() }),
      networks: networks.map((all) => [...all, '']),
    },
    { requiredKeys: ['interface', 'networks'] },
  ),
  { maxKeys: 4 },
);
/** Like what the chart prints, in the same spelling. */
const fabricOf = fc
  .record({ overlay: overlayOf, low: fc.tuple(octet, octet), cluster, tunnels })
  .map(({ overlay, low, cluster: lists, tunnels: given }) => ({
    gateway: 'a',
    told: true,
    as: 65_010,
    overlay: { ...overlay, address: `${overlay.gatewayNetwork.slice(0, -'.0.0/16'.length)}.${low.join('.')}` },
    cluster: lists,
    imports: [null],
    exports: [''],
    tunnels: { ...given, '': null },
  }));
const settingsOf = fc
  .record({
    overlay: overlayOf,
    cluster,
    gateways: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,3}$/),
      fc.record({ host: fc.constant('a.site.vpn.svc'), overlay: ipv4 }),
      { maxKeys: 3 },
    ),
    imports: fc.array(
      fc.record({
        cidr: fc.oneof(network4, network6),
        maxLength: fc.constantFrom(32, 64),
        whenDown: fc.constantFrom('reject', 'pass'),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ gateways, imports, ...rest }) => ({
    release: 'vpn/site',
    link: 'ovl7',
    service: 'site-agents.vpn.svc',
    as: 65_010,
    cni: 'auto',
    podInterfaces: [''],
    bfdMode: 'auto',
    bfd: { intervalMilliseconds: 300, multiplier: 5 },
    ...rest,
    gateways: { ...gateways, '': null },
    imports: [...imports, null],
  }));

describeWith(['python3'], 'the plan of', () => {
  const examples = fs.readdirSync(path.join(LIB, '../values/examples/ipsec')).flatMap((name) => {
    const file = path.join(LIB, '../values/examples/ipsec', name);
    return printed(loadValues({ files: [file] }).values);
  });
  const textsOf = (name: string, generated: fc.Arbitrary<unknown>): { text: string; mtu: number }[] =>
    [
      ...examples.flatMap((data) => data[name] ?? []),
      ...fc.sample(generated, { numRuns: 150 }).map((one) => JSON.stringify(one)),
    ].map((text, index) => ({ text, mtu: MTUS[index % MTUS.length]! }));
  const [fabrics, settings] = [textsOf('fabric.json', fabricOf), textsOf('agent.json', settingsOf)];
  // Also some that are down.
  const ups = fabrics.map(({ text }, index) =>
    Object.keys(parsePrinted<Fabric>(text).tunnels).filter((_, at) => index % 3 !== 1 || at % 2 === 0),
  );
  const ADDRESS = '172.27.3.4';
  let answer: { gateways: unknown[]; nodes: unknown[] };

  beforeAll(() => {
    const input = JSON.stringify({
      gateways: fabrics.map(({ text, mtu }, index) => ({ fabric: text, outside: { ...OUTSIDE, mtu }, up: ups[index] })),
      nodes: settings.map(({ text, mtu }) => ({ settings: text, address: ADDRESS, mtu })),
    });
    const { status, stdout, stderr } = spawnSync('python3', ['-B', path.join(__dirname, 'plans.py')], {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      env: { ...process.env, PYTHONPATH: `${LIB}/frr:${LIB}/routes` },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    answer = JSON.parse(stdout) as typeof answer;
  });

  test('gateways is that of reflector.py', () => {
    for (const part of ['"interface": ""', '"interface": "ipsec', '"bgp": {'])
      expect(examples.some((data) => data['fabric.json']?.includes(part) === true)).toBe(true);
    for (const [index, { text, mtu }] of fabrics.entries())
      expect({ text, plan: sorted(ofGateway(parsePrinted<Fabric>(text), ups[index]!, mtu)) }).toEqual({
        text,
        plan: sorted(answer.gateways[index]),
      });
  });

  test('nodes is that of agent.py', () => {
    for (const [index, { text, mtu }] of settings.entries())
      expect({ text, plan: sorted(ofNode(parsePrinted<AgentSettings>(text), ADDRESS, mtu)) }).toEqual({
        text,
        plan: sorted(answer.nodes[index]),
      });
  });
});

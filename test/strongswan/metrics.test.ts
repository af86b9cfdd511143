/** The alerts of the chart ipsec, judged by promtool: as rules, and by what they do with series. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { toYaml } from '../../lib/helm/yaml';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';
import { tools } from '../tools';

interface Groups {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const tunnel = (gateway: string) => ({
  gateway,
  remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
  presharedKey: { existingSecret: 'psk' },
});
const VALUES = {
  fullnameOverride: 'vpn-ipsec',
  cluster: { podCidrs: ['10.244.0.0/16'], nodeCidrs: ['172.27.0.0/20'] },
  gateways: { a: { identity: '203.0.113.10' }, b: { identity: '203.0.113.11' } },
  tunnels: { first: tunnel('a'), second: tunnel('b') },
  agent: { enabled: true },
  metrics: { prometheusRule: { enabled: true, alertLabels: { team: 'network' } } },
} satisfies JsonObject;

function groupsOf(values: JsonObject): Groups {
  const rule = CHARTS.ipsec.objects({ values }).find(({ kind }) => kind === 'PrometheusRule');
  return rule?.['spec'] as unknown as Groups;
}
const namesOf = (values: JsonObject) => groupsOf(values).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));

const GATEWAYS = ['IpsecTunnelDown', 'IpsecAbsent', 'IpsecOneGatewayLeft'];
const FABRIC = ['IpsecBgpSessionDown', 'IpsecPrefixLimitNear', 'IpsecGatewayWithoutNodes', 'IpsecNodesWithoutBfd'];
const ALL = [...GATEWAYS, ...FABRIC, 'RouteAgentWithoutGateway'];

test('there are those of what the release has', () => {
  expect(namesOf(VALUES)).toEqual(ALL);
  expect(namesOf({ ...VALUES, agent: { enabled: false } })).toEqual(GATEWAYS);
  const one = { ...VALUES, gateways: { a: VALUES.gateways.a }, tunnels: { first: VALUES.tunnels.first } };
  expect(namesOf({ ...one, agent: {} })).toEqual(['IpsecTunnelDown', 'IpsecAbsent']);
  expect(groupsOf({ ...VALUES, metrics: {} })).toBeUndefined();
});

test('ask for metrics that the pods give', () => {
  const pages = ['strongswan/pages.py', 'routes/agent_pages.py'].map((file) =>
    fs.readFileSync(path.join(__dirname, '../../lib', file), 'utf8'),
  );
  const given = new Set([...pages.join('\n').matchAll(/'((?:ipsec|vpn_agent)_\w+)'/g)].map(([, name]) => name));
  const asked = groupsOf(VALUES).groups.flatMap(({ rules }) =>
    rules.flatMap(({ expr }) => expr.match(/\b(?:ipsec|vpn_agent)_\w+/g) ?? []),
  );
  expect(asked.length).toBeGreaterThan(ALL.length - 1);
  expect(asked.filter((name) => !given.has(name))).toEqual([]);
});

describeWith(['promtool'], 'promtool', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-promtool-'));
  afterAll(() => {
    fs.rmSync(folder, { recursive: true });
  });
  const promtool = (what: 'check' | 'test', name: string, content: unknown) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, toYaml(content as never));
    return spawnSync(tools.command('promtool'), [what, 'rules', file], { encoding: 'utf8' });
  };

  test('takes the rules', () => {
    expect(promtool('check', 'rules.yaml', groupsOf(VALUES))).toMatchObject({ status: 0, stderr: '' });
    const bad = JSON.parse(JSON.stringify(groupsOf(VALUES)).replace('== 0', '=== 0')) as unknown;
    expect(promtool('check', 'bad.yaml', bad).status).not.toBe(0);
  });

  const a = 'namespace="default",pod="vpn-ipsec-a-5c9d8f7b6-x2x4z"';
  const b = 'namespace="default",pod="vpn-ipsec-b-5c9d8f7b6-x2x4z"';
  const another = 'namespace="default",pod="vpn-ipsec-2-a-5c9d8f7b6-x2x4z"';
  const agent = 'namespace="default",pod="vpn-ipsec-agents-x2x4z"';
  const place = (name: string) => ({ namespace: 'default', pod: `vpn-ipsec-${name}-5c9d8f7b6-x2x4z` });
  const always = (series: string, value: number) => ({ series, values: `${value}x60` });
  const WELL: Readonly<Record<string, number>> = {
    ...Object.fromEntries(
      [a, b].flatMap((gateway) => [
        [`ipsec_charon_up{${gateway}}`, 1],
        [`ipsec_gateway_carrying{${gateway}}`, 1],
        [`ipsec_tunnel_up{${gateway},tunnel="t"}`, 1],
        [`ipsec_bgp_session_up{${gateway},tunnel="t"}`, 1],
        [`ipsec_bgp_prefixes_received{${gateway},tunnel="t"}`, 79],
        [`ipsec_bgp_prefixes_limit{${gateway},tunnel="t"}`, 100],
        [`ipsec_fabric_nodes{${gateway},state="established"}`, 3],
        [`ipsec_fabric_nodes{${gateway},state="without_bfd"}`, 0],
      ]),
    ),
    [`vpn_agent_gateways_established{${agent}}`]: 1,
    [`ipsec_tunnel_up{${another},tunnel="t"}`]: 0,
    [`ipsec_charon_up{${another}}`]: 1,
  };

  type Firing = Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether just these alerts fire after some minutes, by their names with their labels. */
  function fire(change: Readonly<Record<string, number | null>>, minutes: number, firing: Firing): boolean {
    const rules = groupsOf(VALUES);
    // What is said beside is for people, and the same each time.
    for (const rule of rules.groups.flatMap((group) => group.rules) as { annotations?: object }[])
      delete rule.annotations;
    promtool('check', 'alerts.yaml', rules);
    const series = Object.entries<number | null>({ ...WELL, ...change });
    const { status } = promtool('test', 'unit.yaml', {
      rule_files: ['alerts.yaml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: series.flatMap(([name, value]) => (value === null ? [] : [always(name, value)])),
          alert_rule_test: ALL.map((alertname) => {
            const labels = firing[alertname];
            return {
              eval_time: `${minutes}m`,
              alertname,
              exp_alerts: labels === undefined ? [] : [{ exp_labels: { team: 'network', ...labels } }],
            };
          }),
        },
      ],
    });
    return status === 0;
  }

  const critical = { severity: 'critical' };
  const warning = { severity: 'warning' };
  const noGateway = Object.fromEntries(
    Object.keys(WELL)
      .filter((name) => name.includes(a) || name.includes(b))
      .map((name) => [name, null]),
  );

  test('none fires while all is well', () => {
    expect(fire({}, 60, {})).toBe(true);
  });

  test.each<[string, Readonly<Record<string, number | null>>, Firing]>([
    [
      'a tunnel that is down',
      { [`ipsec_tunnel_up{${a},tunnel="t"}`]: 0 },
      { IpsecTunnelDown: { ...critical, ...place('a'), tunnel: 't' } },
    ],
    ['no gateway', noGateway, { IpsecAbsent: { ...critical, namespace: 'default' } }],
    ['one gateway', { [`ipsec_gateway_carrying{${b}}`]: 0 }, { IpsecOneGatewayLeft: warning }],
    [
      'one gateway of which something is known',
      { [`ipsec_gateway_carrying{${b}}`]: null },
      { IpsecOneGatewayLeft: warning },
    ],
    [
      'a session that is down',
      { [`ipsec_bgp_session_up{${b},tunnel="t"}`]: 0 },
      { IpsecBgpSessionDown: { ...critical, ...place('b'), tunnel: 't' } },
    ],
    [
      'many prefixes',
      { [`ipsec_bgp_prefixes_received{${a},tunnel="t"}`]: 81 },
      { IpsecPrefixLimitNear: { ...warning, ...place('a'), tunnel: 't' } },
    ],
    [
      'a gateway without nodes',
      { [`ipsec_fabric_nodes{${a},state="established"}`]: 0 },
      { IpsecGatewayWithoutNodes: { ...critical, ...place('a'), state: 'established' } },
    ],
    [
      'nodes without BFD',
      { [`ipsec_fabric_nodes{${a},state="without_bfd"}`]: 2 },
      { IpsecNodesWithoutBfd: { ...warning, ...place('a'), state: 'without_bfd' } },
    ],
    [
      'an agent without a gateway',
      { [`vpn_agent_gateways_established{${agent}}`]: 0 },
      { RouteAgentWithoutGateway: { ...critical, namespace: 'default', pod: 'vpn-ipsec-agents-x2x4z' } },
    ],
  ])('%s is told when it lasts, and nothing else', (_, change, firing) => {
    expect(fire(change, 1, {})).toBe(true);
    expect(fire(change, 30, firing)).toBe(true);
    // And the test itself would notice.
    expect(fire(change, 30, {})).toBe(false);
  });
});

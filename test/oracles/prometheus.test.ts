/** The alerts and the dashboard, judged by promtool: as rules, and by what they do with series. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { toYaml } from '../../lib/helm/yaml';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { objectsFor, scenariosOf } from './scenarios';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
}
interface Groups {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

function groupsOf(values: JsonObject): Groups | undefined {
  const rule = objectsFor({ chart: 'wireguard', values }).find(({ kind }) => kind === 'PrometheusRule');
  return rule?.['spec'] as unknown as Groups | undefined;
}

function dashboardOf(values: JsonObject): { panels: { title: string; targets: { expr: string }[] }[] } {
  const map = objectsFor({ chart: 'wireguard', values }).find(({ metadata }) => metadata.name.endsWith('-dashboard'));
  const data = map?.['data'] as Record<string, string>;
  return JSON.parse(data['wireguard.json'] ?? '') as ReturnType<typeof dashboardOf>;
}

const WITH_ALERTS = {
  metrics: {
    enabled: true,
    prometheusRule: { enabled: true, alwaysUpPeers: ['office', 'plant'], alertLabels: { team: 'network' } },
    dashboard: { enabled: true },
  },
  peersFrom: { team: { existingSecret: 'team' } },
} satisfies JsonObject;

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

  const scenarios = scenariosOf('wireguard').flatMap(({ name, values }) => {
    const groups = groupsOf(values);
    // Rules of the user's own are for the user to get right.
    const rule = (values['metrics'] as JsonObject | undefined)?.['prometheusRule'] as JsonObject | undefined;
    return groups === undefined || rule?.['extraRules'] !== undefined ? [] : [{ name, groups }];
  });

  test.each([...scenarios, { name: 'all alerts', groups: groupsOf(WITH_ALERTS) }])(
    'takes the rules of $name',
    ({ groups }) => {
      expect(promtool('check', 'rules.yaml', groups)).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test.each([
    ['an expression', (text: string) => text.replace('== 0', '=== 0')],
    ['a duration', (text: string) => text.replace('"5m"', '"5 minutes"')],
  ])('refuses %s that is wrong', (_title, damage) => {
    const good = JSON.stringify(groupsOf(WITH_ALERTS));
    const bad = damage(good);
    expect(bad).not.toBe(good);
    expect(promtool('check', 'bad.yaml', JSON.parse(bad)).status).not.toBe(0);
  });

  describe('the alerts', () => {
    const server = 'namespace="default",pod="vpn-wireguard-5c9d8f7b6-x2x4z"';
    const other = 'namespace="default",pod="vpn-wireguard-2-5c9d8f7b6-x2x4z"';
    const ready = { series: `wireguard_ready{${server}}`, values: '1x60' };
    /** Which alerts fire after some minutes of some series. */
    function firing(series: { series: string; values: string }[], minutes: number, expected: object[]) {
      promtool('check', 'alerts.yaml', groupsOf(WITH_ALERTS));
      const names = ['NotReady', 'Absent', 'PeerSilent', 'PeersLeftOut', 'EndpointUnresolved'].map(
        (n) => `WireGuard${n}`,
      );
      const of = (alertname: string) =>
        expected.filter((alert) => (alert as { alertname: string }).alertname === alertname);
      return promtool('test', 'unit.yaml', {
        rule_files: ['alerts.yaml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series,
            alert_rule_test: names.map((alertname) => ({
              eval_time: `${minutes}m`,
              alertname,
              exp_alerts: of(alertname).map((alert) => (alert as { alert: object }).alert),
            })),
          },
        ],
      });
    }
    const alert = (alertname: string, labels: Record<string, string>, summary: string, description: string) => ({
      alertname,
      alert: { exp_labels: { team: 'network', ...labels }, exp_annotations: { summary, description } },
    });
    const place = { namespace: 'default', pod: 'vpn-wireguard-5c9d8f7b6-x2x4z' };

    test('none fires while all is well', () => {
      const peers = ['office', 'plant'].map((peer) => ({
        series: `wireguard_peer_up{${server},peer="${peer}"}`,
        values: '1x60',
      }));
      const phone = { series: `wireguard_peer_up{${server},peer="phone"}`, values: '0x60' };
      const others = [
        { series: `wireguard_ready{${other}}`, values: '0x60' },
        { series: `wireguard_peers_left_out{${server},source="team"}`, values: '0x60' },
        { series: `wireguard_endpoints_unresolved{${server}}`, values: '0x60' },
      ];
      expect(firing([ready, ...peers, phone, ...others], 60, [])).toMatchObject({ status: 0 });
    });

    test('a server that is not ready', () => {
      const series = [{ series: `wireguard_ready{${server}}`, values: '1 1 0x60' }];
      const expected = alert(
        'WireGuardNotReady',
        { severity: 'critical', ...place },
        'The WireGuard server default/vpn-wireguard is not ready.',
        'Its health server says why: GET /cgi-bin/ready.',
      );
      expect(firing(series, 4, [])).toMatchObject({ status: 0 });
      expect(firing(series, 10, [expected])).toMatchObject({ status: 0 });
      // And the test itself would notice.
      expect(firing(series, 10, []).status).not.toBe(0);
    });

    test('a server of which nothing is known, though another one is', () => {
      const expected = alert(
        'WireGuardAbsent',
        { severity: 'critical', namespace: 'default' },
        'Nothing is known of the WireGuard server default/vpn-wireguard.',
        'Its pod is gone, its health server does not answer, or Prometheus does not read it.',
      );
      expect(firing([{ series: `wireguard_ready{${other}}`, values: '1x60' }], 30, [expected])).toMatchObject({
        status: 0,
      });
    });

    test('a site that is silent, and no phone', () => {
      const series = [
        ready,
        { series: `wireguard_peer_up{${server},peer="office"}`, values: '1 1 0x60' },
        { series: `wireguard_peer_up{${server},peer="phone"}`, values: '0x60' },
      ];
      const expected = alert(
        'WireGuardPeerSilent',
        { severity: 'critical', peer: 'office', ...place },
        'The peer office of the WireGuard server default/vpn-wireguard is silent.',
        'It has made no handshake for more than three minutes, and has been so for a while.',
      );
      expect(firing(series, 10, [])).toMatchObject({ status: 0 });
      expect(firing(series, 20, [expected])).toMatchObject({ status: 0 });
    });

    test('peers that are left out, and endpoints that do not resolve', () => {
      const series = [
        ready,
        { series: `wireguard_peers_left_out{${server},source="team"}`, values: '3x60' },
        { series: `wireguard_endpoints_unresolved{${server}}`, values: '2x60' },
      ];
      const expected = [
        alert(
          'WireGuardPeersLeftOut',
          { severity: 'warning', source: 'team', ...place },
          'The WireGuard server default/vpn-wireguard leaves out 3 peers of peersFrom.team.',
          'The log of the container wireguard has a line with the reason for each.',
        ),
        alert(
          'WireGuardEndpointUnresolved',
          { severity: 'warning', ...place },
          '2 endpoints of peers of the WireGuard server default/vpn-wireguard do not resolve.',
          'The log of the container wireguard names them.',
        ),
      ];
      expect(firing(series, 20, expected)).toMatchObject({ status: 0 });
    });
  });

  test('every query of the dashboard is one', () => {
    const { panels } = dashboardOf(WITH_ALERTS);
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(8);
    const rules = queries.map((expr, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$[a-z]+/g, 'x'),
    }));
    expect(promtool('check', 'dashboard.yaml', { groups: [{ name: 'dashboard', rules }] })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});

test('alerts and dashboard ask for metrics that the server gives', () => {
  const server = fs.readFileSync(path.join(__dirname, '../../lib/wireguard/server.sh'), 'utf8');
  const given = new Set([...server.matchAll(/family\("(\w+)"/g)].map(([, name]) => name));
  const asked = [
    ...(groupsOf(WITH_ALERTS)?.groups ?? []).flatMap(({ rules }) => rules.map(({ expr }) => expr)),
    ...dashboardOf(WITH_ALERTS).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ].flatMap((expr) => expr.match(/wireguard_\w+/g) ?? []);
  expect(new Set(asked).size).toBeGreaterThan(8);
  expect(asked.filter((name) => !given.has(name))).toEqual([]);
});

/** The alerts, judged by promtool: as rules, and by what they do with series. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { kilo } from '../../charts/kilo';
import { toYaml } from '../../lib/helm/yaml';
import type { Json } from '../../lib/staged';
import { describeWith } from '../left-out';
import { tools } from '../tools';

const values = {
  metrics: { prometheusRule: { enabled: true, alertLabels: { team: 'network' } } },
  peers: {
    alice: { publicKey: 'PhvU3EJ9OhIsRydxhf5Ek2mzWIM7pC52kVjo4qzaeAo=', addresses: ['10.5.0.1'] },
    bob: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.5.0.2'] },
  },
};
const rules = kilo.objects({ values }).find(({ kind }) => kind === 'PrometheusRule')!['spec']!;

describeWith(['promtool'], 'the alerts of Kilo', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-promtool-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const promtool = (what: 'check' | 'test', name: string, content: unknown) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, toYaml(content as Json));
    return spawnSync(tools.command('promtool'), [what, 'rules', file], { encoding: 'utf8' });
  };

  /** The names of the alerts that fire after half an hour of some series, of which `a` and `b` are pods of the release. */
  function firing(series: Readonly<Record<string, string>>): string[] {
    fs.writeFileSync(path.join(folder, 'alerts.yaml'), toYaml(rules));
    const input = Object.entries(series).map(([name, samples]) => {
      const [, metric = '', pod = '', more = ''] = /^(\w+) (\S+)(?: (\S+))?$/.exec(name) ?? [];
      return {
        series: `${metric}{namespace="default",pod="${pod}"${more === '' ? '' : `,event="${more}"`}}`,
        values: samples,
      };
    });
    return ['KiloAbsent', 'KiloNodesDiffer', 'KiloPeersMissing', 'KiloErrors'].filter((alertname) => {
      const { status } = promtool('test', 'unit.yaml', {
        rule_files: ['alerts.yaml'],
        evaluation_interval: '1m',
        tests: [
          { interval: '1m', input_series: input, alert_rule_test: [{ eval_time: '30m', alertname, exp_alerts: [] }] },
        ],
      });
      return status !== 0;
    });
  }
  const [a, b, other] = ['vpn-kilo-x2x4z', 'vpn-kilo-7w9kq', 'vpn-kilo-2-x2x4z'];
  const well = {
    [`kilo_nodes ${a}`]: '3x60',
    [`kilo_nodes ${b}`]: '3x60',
    [`kilo_peers ${a}`]: '2x60',
    [`kilo_peers ${b}`]: '5x60',
    [`kilo_errors_total ${a} apply`]: '7x60',
  };

  test('are rules that Prometheus takes', () => {
    expect(promtool('check', 'rules.yaml', rules)).toMatchObject({ status: 0, stderr: '' });
  });

  test('are silent while all is well, and when another release is not', () => {
    expect(firing({ ...well, [`kilo_nodes ${other}`]: '1x60', [`kilo_peers ${other}`]: '0x60' })).toEqual([]);
  });

  test('say that nothing is known', () => {
    expect(firing({ [`kilo_nodes ${other}`]: '3x60' })).toEqual(['KiloAbsent']);
  });

  test('say that agents do not see the same nodes', () => {
    expect(firing({ ...well, [`kilo_nodes ${b}`]: '2x60' })).toEqual(['KiloNodesDiffer']);
  });

  test('say that an agent knows fewer peers than the release has', () => {
    expect(firing({ ...well, [`kilo_peers ${b}`]: '1x60' })).toEqual(['KiloPeersMissing']);
  });

  test('say that an agent fails again and again, and not that it failed once', () => {
    expect(firing({ ...well, [`kilo_errors_total ${a} apply`]: '7+1x60' })).toEqual(['KiloErrors']);
    expect(firing({ ...well, [`kilo_errors_total ${a} apply`]: '7 8x60' })).toEqual([]);
  });
});

import type { Construct } from 'constructs';
import { alert, alerts } from '../kubernetes/alerts';
import type { Naming } from '../kubernetes/metadata';
import { podMonitored } from '../kubernetes/monitors';
import { count, isEmpty, not, release, text, when } from '../staged';
import { METRICS_PORT, type KiloValues } from './pod';

/** The objects that let Prometheus read and judge the metrics of the agents: each is there if the values ask for it. */
export function metricsObjects(scope: Construct, v: KiloValues, naming: Naming): void {
  const { podMonitor, prometheusRule } = v.metrics;
  podMonitored(scope, podMonitor, naming, { enabled: true, port: METRICS_PORT, path: '/metrics' });
  alerts(scope, prometheusRule, naming, prometheusRule.enabled, () => rulesOf(v, naming));
}

function rulesOf(v: KiloValues, naming: Naming) {
  const { prometheusRule: rule } = v.metrics;
  const agents = text`namespace="${release.namespace}",pod=~"${naming.fullname}-[a-z0-9]+"`;
  const mesh = text`${release.namespace}/${naming.fullname}`;
  return [
    alert(
      rule,
      'KiloAbsent',
      text`absent(kilo_nodes{${agents}})`,
      '10m',
      'critical',
      text`Nothing is known of Kilo ${mesh}.`,
      'No agent runs, none answers, or Prometheus does not read them.',
    ),
    alert(
      rule,
      'KiloNodesDiffer',
      text`max(kilo_nodes{${agents}}) != min(kilo_nodes{${agents}})`,
      '15m',
      'critical',
      text`Agents of Kilo ${mesh} do not see the same nodes.`,
      'An agent that does not hear from the API server leads packets by what it knew before.',
    ),
    when(not(isEmpty(v.peers)), () =>
      alert(
        rule,
        'KiloPeersMissing',
        text`min(kilo_peers{${agents}}) < ${count(v.peers)}`,
        '10m',
        'critical',
        text`Kilo ${mesh} knows fewer peers than its release has.`,
        'A Peer object was deleted, or an agent does not hear from the API server.',
      ),
    ),
    alert(
      rule,
      'KiloErrors',
      text`increase(kilo_errors_total{${agents}}[10m]) > 0`,
      '15m',
      'warning',
      text`The agent {{ $labels.pod }} of Kilo fails again and again: {{ $labels.event }}.`,
      'Its log says why; while the host name of an endpoint does not resolve, nothing is applied.',
    ),
  ];
}

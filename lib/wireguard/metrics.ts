import type { Construct } from 'constructs';
import { alert, alerts } from '../kubernetes/alerts';
import type { Naming } from '../kubernetes/metadata';
import { monitors } from '../kubernetes/monitors';
import { and, isEmpty, join, not, Only, release, Resource, text, when } from '../staged';
import type { WireGuardValues } from './config';
import { DASHBOARD } from './dashboard';

/** Where the health server gives out the metrics. */
const METRICS_PATH = '/cgi-bin/metrics';

/** The objects that let Prometheus read, judge and draw the metrics of a server: each is there if the values ask for it. */
export function metricsObjects(scope: Construct, v: WireGuardValues, naming: Naming, healthPort: string): void {
  monitors(scope, v.metrics, naming, { enabled: v.metrics.enabled, port: healthPort, path: METRICS_PATH });
  const { prometheusRule: rule, dashboard } = v.metrics;
  alerts(scope, rule, naming, and(v.metrics.enabled, rule.enabled), () => rulesOf(v, naming));
  new Only(scope, 'Dashboard', and(v.metrics.enabled, dashboard.enabled), (inner) => {
    new Resource(inner, 'DashboardConfigMap', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: naming.metadata({
        suffix: '-dashboard',
        labels: dashboard.labels,
        annotations: dashboard.annotations,
      }),
      data: { 'wireguard.json': DASHBOARD },
    });
  });
}

function rulesOf(v: WireGuardValues, naming: Naming) {
  const { prometheusRule: rule } = v.metrics;
  const { alwaysUpPeers, peerSilentSeconds } = rule;
  const ofServer = text`namespace="${release.namespace}",pod=~"${naming.fullname}-[a-z0-9]+-[a-z0-9]+"`;
  const server = text`${release.namespace}/${naming.fullname}`;
  return [
    alert(
      rule,
      'WireGuardNotReady',
      text`wireguard_ready{${ofServer}} == 0`,
      '5m',
      'critical',
      text`The WireGuard server ${server} is not ready.`,
      'Its health server says why: GET /cgi-bin/ready.',
    ),
    alert(
      rule,
      'WireGuardAbsent',
      text`absent(wireguard_ready{${ofServer}})`,
      '10m',
      'critical',
      text`Nothing is known of the WireGuard server ${server}.`,
      'Its pod is gone, its health server does not answer, or Prometheus does not read it.',
    ),
    when(not(isEmpty(alwaysUpPeers)), () =>
      alert(
        rule,
        'WireGuardPeerSilent',
        text`wireguard_peer_up{${ofServer},peer=~"${join('|', alwaysUpPeers)}"} == 0`,
        text`${peerSilentSeconds}s`,
        'critical',
        text`The peer {{ $labels.peer }} of the WireGuard server ${server} is silent.`,
        'It has made no handshake for more than three minutes, and has been so for a while.',
      ),
    ),
    alert(
      rule,
      'WireGuardPeersLeftOut',
      text`wireguard_peers_left_out{${ofServer}} > 0`,
      '10m',
      'warning',
      text`The WireGuard server ${server} leaves out {{ $value }} peers of peersFrom.{{ $labels.source }}.`,
      'The log of the container wireguard has a line with the reason for each.',
    ),
    alert(
      rule,
      'WireGuardEndpointUnresolved',
      text`wireguard_endpoints_unresolved{${ofServer}} > 0`,
      '10m',
      'warning',
      text`{{ $value }} endpoints of peers of the WireGuard server ${server} do not resolve.`,
      'The log of the container wireguard names them.',
    ),
  ];
}

import { z } from 'zod';
import { annotations, anyMap, labels, labelValue } from './kubernetes';
import { name } from './net';

/** An object of the Prometheus operator that says how the metrics are read. */
export function monitor(kind: string) {
  return z
    .strictObject({
      enabled: z.boolean().default(false).describe(`Whether there is a ${kind} for the Prometheus operator`),
      intervalSeconds: z
        .int()
        .min(1)
        .max(86400)
        .optional()
        .describe('Seconds between two readings; absent: as Prometheus is set')
        .meta({ example: 30 }),
      scrapeTimeoutSeconds: z
        .int()
        .min(1)
        .max(86400)
        .optional()
        .describe('Seconds that a reading may take; absent: as Prometheus is set')
        .meta({ example: 10 }),
      labels: labels
        .default({})
        .describe(`Labels of the ${kind}, by which Prometheus finds it`)
        .meta({ example: { release: 'prometheus' } }),
      annotations: annotations
        .default({})
        .describe(`Annotations of the ${kind}`)
        .meta({ example: { 'example.com/owner': 'network team' } }),
      relabelings: z
        .array(anyMap)
        .default([])
        .describe('Relabelings of the target')
        .meta({ example: [{ targetLabel: 'cluster', replacement: 'north' }] }),
      metricRelabelings: z
        .array(anyMap)
        .default([])
        .describe('Relabelings of the metrics')
        .meta({ example: [{ regex: 'instance', action: 'labeldrop' }] }),
    })
    .prefault({});
}

/** What every chart says of its alerts. */
export const rule = {
  enabled: z.boolean().default(false).describe('Whether there is a PrometheusRule with alerts'),
  labels: labels
    .default({})
    .describe('Labels of the PrometheusRule, by which Prometheus finds it')
    .meta({ example: { release: 'prometheus' } }),
  annotations: annotations
    .default({})
    .describe('Annotations of the PrometheusRule')
    .meta({ example: { 'example.com/owner': 'network team' } }),
  alertLabels: z
    .record(z.string().regex(/^_?[A-Za-z][A-Za-z0-9_]*$/), labelValue)
    .default({})
    .describe('More labels of every alert')
    .meta({ example: { team: 'network' } }),
};

/** Rules of the user's own. */
export function extraRules(example: { record: string; expr: string }) {
  return z
    .array(anyMap)
    .default([])
    .describe('More rules of the group')
    .meta({ example: [example] });
}

/** Metrics of the server, and the objects that read, judge and draw them. */
export const metrics = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Whether the health server gives out metrics, at `/cgi-bin/metrics`'),
    serviceMonitor: monitor('ServiceMonitor'),
    podMonitor: monitor('PodMonitor'),
    prometheusRule: z
      .strictObject({
        ...rule,
        alwaysUpPeers: z
          .array(name)
          .default([])
          .describe('Peers whose silence is an alert, such as sites; phones come and go')
          .meta({ example: ['office'] }),
        peerSilentSeconds: z
          .int()
          .min(180)
          .max(604800)
          .default(600)
          .describe('Seconds without a session, so 180 more without a handshake, until such a peer is an alert'),
        extraRules: extraRules({ record: 'vpn:peers:up', expr: 'sum(wireguard_peer_up)' }),
      })
      .prefault({}),
    dashboard: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Whether there is a ConfigMap with a dashboard for Grafana'),
        labels: labels
          .default({ grafana_dashboard: '1' })
          .describe('Labels of the ConfigMap, by which Grafana’s sidecar finds it'),
        annotations: annotations
          .default({})
          .describe('Annotations of the ConfigMap')
          .meta({ example: { grafana_folder: 'VPN' } }),
      })
      .prefault({}),
  })
  .prefault({});

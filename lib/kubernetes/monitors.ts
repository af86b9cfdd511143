import type { Construct } from 'constructs';
import type { z } from 'zod';
import { and, Only, Resource, text, whenSet, type Expr, type Ref } from '../staged';
import type { metrics } from '../../values/metrics';
import type { Naming } from './metadata';

type Monitor = Ref<z.output<typeof metrics>['serviceMonitor']>;

/** Where the metrics of a workload are. */
interface Source {
  /** Whether there are any. */
  readonly enabled: Expr<boolean> | true;
  /** The name of the port. */
  readonly port: string;
  readonly path: string;
  /** The workload, where it is one beside another. */
  readonly of?: string;
}

/** The objects that tell the Prometheus operator where the metrics are: each is there if the values ask for it. */
export function monitors(
  scope: Construct,
  { serviceMonitor, podMonitor }: { readonly serviceMonitor: Monitor; readonly podMonitor: Monitor },
  naming: Naming,
  source: Source,
): void {
  const of = source.of ?? '';
  const selector = { matchLabels: naming.selectorLabels };
  new Only(scope, `${of}ServiceMonitored`, and(source.enabled, serviceMonitor.enabled), (inner) => {
    new Resource(inner, `${of}ServiceMonitor`, {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: naming.metadata({ labels: serviceMonitor.labels, annotations: serviceMonitor.annotations }),
      // Other Services of the workload have the same labels, but no such port.
      spec: { selector, endpoints: [target(serviceMonitor, source)] },
    });
  });
  new Only(scope, `${of}PodMonitored`, and(source.enabled, podMonitor.enabled), (inner) => {
    new Resource(inner, `${of}PodMonitor`, {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: naming.metadata({ labels: podMonitor.labels, annotations: podMonitor.annotations }),
      spec: { selector, podMetricsEndpoints: [target(podMonitor, source)] },
    });
  });
}

function target(monitor: Monitor, { port, path }: Source) {
  return {
    port,
    path,
    interval: whenSet(monitor.intervalSeconds, (seconds) => text`${seconds}s`),
    scrapeTimeout: whenSet(monitor.scrapeTimeoutSeconds, (seconds) => text`${seconds}s`),
    relabelings: monitor.relabelings,
    metricRelabelings: monitor.metricRelabelings,
  };
}

import { z } from 'zod';
import { annotations, global, labels, naming, probe, pullSecrets, serviceAccount } from './kubernetes';
import { monitor } from './metrics';
import { dnsName, cidr, shortName } from './net';
import { agent, cluster, frr, network, routes } from './routes';

/**
 * The values of route agents alone, where the gateways are made elsewhere.
 */
export const routeAgentValues = z.strictObject({
  global,
  ...naming,
  cluster,
  gateways: z
    .record(
      shortName.meta({ example: 'a' }),
      z.strictObject({
        host: dnsName
          .describe('Name of the gateway’s pod, as a headless Service has it')
          .meta({ example: 'a.site-ipsec-gateways.vpn.svc' }),
      }),
    )
    .default({})
    .describe('Gateways by name'),
  networks: z
    .array(cidr)
    .default([])
    .describe('Networks behind the gateways that are not imported by BGP')
    .meta({ example: ['10.1.0.0/16'] }),
  routes,
  agent,
  frr,
  network,
  metrics: z
    .strictObject({
      serviceMonitor: monitor('ServiceMonitor'),
      podMonitor: monitor('PodMonitor'),
    })
    .prefault({}),
  livenessProbe: probe({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
  readinessProbe: probe({ periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }),
  podLabels: labels
    .default({})
    .describe('Labels of the pods')
    .meta({ example: { team: 'network' } }),
  podAnnotations: annotations
    .default({})
    .describe('Annotations of the pods')
    .meta({ example: { 'example.com/owner': 'network team' } }),
  imagePullSecrets: pullSecrets
    .default([])
    .describe('Secrets for pulling images')
    .meta({ example: [{ name: 'registry' }] }),
  serviceAccount,
});

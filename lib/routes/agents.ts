import { Construct } from 'constructs';
import type { k8s } from 'cdk8s-plus-28';
import type { z } from 'zod';
import { serviceAccount } from '../kubernetes/service-account';
import { imageReference } from '../kubernetes/image';
import { Naming, type NamingValues } from '../kubernetes/metadata';
import { monitors } from '../kubernetes/monitors';
import { checksum, probeTiming, resourcesOf, rootWith, STARTUP_TIMING } from '../kubernetes/pod';
import {
  and,
  check,
  Checks,
  each,
  eq,
  isSet,
  pathOf,
  isEmpty,
  not,
  orElse,
  file,
  kebab,
  mapOf,
  Resource,
  spread,
  stage,
  text,
  type Expr,
  type Manifest,
  type Ref,
  type Staged,
} from '../staged';
import { routeAgentValues } from '../../values/route-agent';
import { agentPortCheck, clusterChecks, fabricChecks, gatewayNameChecks, knownNetworkChecks } from '../frr/checks';
import { oneMonitorCheck, overlapChecks, scrapeTimeoutCheck } from '../kubernetes/checks';
import { FRR_VOLUMES, frrContainer } from '../frr/pod';
import { agentConf, linkName, nodeFilter, type Gateways } from './config';
import { AGENT_SCRIPTS } from './scripts';

/** Props of route agents: each a literal or an expression. */
export type RouteAgentProps = Staged<z.input<typeof routeAgentValues>>;

type Values = Ref<z.output<typeof routeAgentValues>>;
/** What agents need of the values of those who have gateways too. */
export type AgentsValues = Omit<Values, 'gateways' | 'networks' | keyof Expr<unknown>> & NamingValues;

/** Of whom the agents are a part. */
export interface Agents {
  readonly names: Naming;
  readonly serviceAccount: Expr<string>;
  readonly gateways: Gateways;
}

/** The name of the health server's port. */
const HEALTH_PORT = 'health';
/** It asks three times within 20 s whether it is to be uninstalled, and takes back what it did. */
const TERMINATION_SECONDS = 60;

/**
 * The agents of a release on the nodes: a DaemonSet in the network of the host that joins each node to the gateways, learns from them by
 * BGP what is behind the tunnels, and has the kernel lead packets there over all gateways that know the way.
 *
 * It is a guest on the node: what it makes there is named after the release, is left in place when it is renewed, and goes when the
 * release is uninstalled. One release with agents per cluster.
 */
export function routeAgents(scope: Construct, v: AgentsValues, { names, serviceAccount, gateways }: Agents): void {
  const { fullname } = names;
  const naming = names.part('agents');
  const registry = v.global.imageRegistry;
  const images = {
    frr: imageReference('agentImage', v.frr.image, registry),
    network: imageReference('filterImage', v.network.image, registry),
  };
  const metadata = naming.metadata();
  new Resource(scope, 'AgentScripts', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: naming.metadata({ suffix: '-scripts' }),
    data: AGENT_SCRIPTS,
  } satisfies Manifest<k8s.KubeConfigMapProps>);
  new Resource(scope, 'AgentConfig', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    data: {
      'agent.json': file(agentConf(v, fullname, gateways)()),
      'nftables.conf': file(nodeFilter(v, fullname, gateways)()),
    },
  } satisfies Manifest<k8s.KubeConfigMapProps>);
  new Resource(scope, 'AgentService', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    // Its name is how an agent that ends knows whether the release does: not a headless one, whose name is gone while nobody is ready.
    spec: {
      selector: naming.selectorLabels,
      ports: [{ name: HEALTH_PORT, port: v.agent.healthPort, targetPort: HEALTH_PORT, protocol: 'TCP' }],
    },
  } satisfies Manifest<k8s.KubeServiceProps>);
  new Resource(scope, 'Agents', {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: {
      selector: { matchLabels: naming.selectorLabels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: v.agent.maxUnavailable } },
      template: {
        metadata: {
          labels: naming.metadata({ labels: v.podLabels }).labels,
          annotations: mapOf<string>(v.podAnnotations, { 'checksum/scripts': checksum(AGENT_SCRIPTS) }),
        },
        spec: agentPod(v, naming, { ...images, serviceAccount, link: linkName(fullname) }),
      },
    },
  } satisfies Manifest<k8s.KubeDaemonSetProps>);
  monitors(scope, v.metrics, naming, { enabled: true, port: HEALTH_PORT, path: '/metrics', of: 'Agent' });
}

const SCRIPTS_MOUNT = { name: 'scripts', mountPath: '/scripts', readOnly: true };
const CONFIG_MOUNT = { name: 'config', mountPath: '/config', readOnly: true };
const STATE_MOUNT = { name: 'state', mountPath: '/run/vpn' };

function agentPod(
  v: AgentsValues,
  naming: Naming,
  { serviceAccount, link, ...images }: Readonly<Record<'frr' | 'network' | 'serviceAccount' | 'link', Expr<string>>>,
) {
  const http = (path: string) => ({ httpGet: { path, port: HEALTH_PORT } });
  const env = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    hostNetwork: true,
    dnsPolicy: 'ClusterFirstWithHostNet',
    imagePullSecrets: [spread(v.global.imagePullSecrets), spread(v.imagePullSecrets)],
    nodeSelector: v.agent.nodeSelector,
    tolerations: v.agent.tolerations,
    priorityClassName: v.agent.priorityClassName,
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: TERMINATION_SECONDS,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        ...frrContainer({
          image: images.frr,
          pullPolicy: v.frr.image.pullPolicy,
          resources: v.agent.resources,
          command: ['python3', '-B', '/scripts/agent.py'],
          mounts: [
            SCRIPTS_MOUNT,
            CONFIG_MOUNT,
            STATE_MOUNT,
            // Read-only in /proc for everybody who is not privileged.
            { name: 'sysctl', mountPath: '/sysctl/net' },
            { name: 'host-state', mountPath: '/host-state' },
          ],
        }),
        env: [
          env('NODE_NAME', 'spec.nodeName'),
          env('NODE_IP', 'status.hostIP'),
          { name: 'HEALTH_PORT', value: text`${v.agent.healthPort}` },
        ],
        ports: [
          { name: HEALTH_PORT, containerPort: v.agent.healthPort, hostPort: v.agent.healthPort, protocol: 'TCP' },
        ],
        startupProbe: { ...http('/live'), ...STARTUP_TIMING },
        livenessProbe: { ...http('/live'), ...probeTiming(v.livenessProbe) },
        readinessProbe: { ...http('/ready'), ...probeTiming(v.readinessProbe) },
      },
      {
        name: 'filter',
        image: images.network,
        imagePullPolicy: v.network.image.pullPolicy,
        command: ['/bin/sh', '/scripts/filter.sh'],
        env: [{ name: 'LINK', value: link }],
        securityContext: rootWith(['NET_ADMIN']),
        resources: resourcesOf(v.network.resources),
        volumeMounts: [SCRIPTS_MOUNT, CONFIG_MOUNT, STATE_MOUNT],
      },
    ],
    volumes: [
      { name: 'scripts', configMap: { name: text`${naming.fullname}-scripts` } },
      { name: 'config', configMap: { name: naming.fullname } },
      { name: 'state', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      ...FRR_VOLUMES,
      { name: 'sysctl', hostPath: { path: '/proc/sys/net', type: 'Directory' } },
      { name: 'host-state', hostPath: { path: '/run/cdk8s-vpn', type: 'DirectoryOrCreate' } },
    ],
  };
}

/**
 * Route agents alone, where the gateways are made elsewhere: by `IpsecGateways` of another chart, or by `BgpReflector`.
 *
 * @example
 * new RouteAgent(chart, 'Agents', {
 *   cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
 *   gateways: { a: { host: 'a.site-ipsec-gateways.vpn.svc' } },
 *   routes: { localAs: 65010, import: { vpc: { cidr: '10.0.0.0/16' } } },
 * });
 * @throws InputError with every problem of the props that are known now, and of broken rules in a plain app
 */
export class RouteAgent extends Construct {
  constructor(scope: Construct, id: string, props: RouteAgentProps) {
    super(scope, id);
    const v = stage(routeAgentValues, props);
    const naming = new Naming(v, kebab(id));
    new Checks(this, 'Checks', [
      ...clusterChecks(v),
      ...fabricChecks(v),
      ...knownNetworkChecks(v, v.networks),
      gatewayNameChecks(v, v.gateways),
      agentPortCheck(v.agent.healthPort),
      overlapChecks(
        each(v.gateways, (_name, { host }) => text`${host}/ ${pathOf(host)}`),
        'is the same host as',
        'a gateway has a name of its own: give each its host',
      ),
      check({
        failsIf: and(eq<string>(v.routes.mode, 'bgp'), not(isSet(v.routes.localAs))),
        at: v.routes.localAs,
        problem: 'is missing, and routes.mode is bgp',
        remedy: 'set it to the number that the gateways have, such as 65010',
      }),
      check({
        failsIf: isEmpty(v.gateways),
        at: v.gateways,
        problem: 'is empty, so that agents have nobody to lead packets to',
        remedy: 'name the gateways, each with the host name of its pod',
      }),
      check({
        failsIf: not(orElse(v.agent.enabled, true)),
        at: v.agent.enabled,
        problem: 'is false, and nothing else is here',
        remedy: 'leave the construct out',
      }),
      oneMonitorCheck(v.metrics),
      ...[v.metrics.serviceMonitor, v.metrics.podMonitor].map(scrapeTimeoutCheck),
    ]);
    routeAgents(this, v, {
      names: naming,
      serviceAccount: serviceAccount(this, v.serviceAccount, naming),
      gateways: {
        each: (body) => each(v.gateways, (name, { host }) => body(name, host)),
        networks: (body) => each(v.networks, body),
      },
    });
  }
}

import type { z } from 'zod';
import { probeTiming, resourcesOf } from '../kubernetes/pod';
import {
  choose,
  conf,
  each,
  eq,
  isEmpty,
  named,
  not,
  or,
  orElse,
  spread,
  text,
  when,
  whenSet,
  type Expr,
  type Ref,
} from '../staged';
import type { kiloValues } from '../../values/kilo';

export type KiloValues = Ref<z.output<typeof kiloValues>>;

/** The name of the port of metrics. */
export const METRICS_PORT = 'metrics';
/** The name of the configuration of the network plugin, by which kg knows it. */
export const CNI_CONFIGURATION = '10-kilo.conflist';

/** Where the containers see folders of the node. */
const STATE_MOUNT = { name: 'kilo', mountPath: '/var/lib/kilo' };
const CNI_CONFIG_MOUNT = { name: 'cni-config', mountPath: '/etc/cni/net.d' };

/** Whether Kilo is the network plugin of the cluster. */
export const isPlugin = (v: KiloValues): Expr<boolean> => eq(v.cni.plugin, 'kilo');

/** What the pod calls by name. */
export interface PodNames {
  readonly serviceAccount: Expr<string>;
  /** The ConfigMap of the network plugin. */
  readonly cni: Expr<string>;
  readonly image: Expr<string>;
}

const fieldEnv = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
/** The node's address of Kubernetes. */
export const NODE_IP = fieldEnv('NODE_IP', 'status.hostIP');

/** The pod of an agent, in the network of its node. */
export function agentPod(v: KiloValues, names: PodNames) {
  return {
    hostNetwork: true,
    imagePullSecrets: [spread(v.global.imagePullSecrets), spread(v.imagePullSecrets)],
    nodeSelector: v.nodeSelector,
    tolerations: v.tolerations,
    affinity: v.affinity,
    priorityClassName: v.priorityClassName,
    terminationGracePeriodSeconds: v.terminationGracePeriodSeconds,
    dnsPolicy: v.dnsPolicy,
    dnsConfig: v.dnsConfig,
    hostAliases: v.hostAliases,
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    initContainers: [spread(v.extraInitContainers), when(isPlugin(v), () => installCni(v, names))],
    containers: [
      {
        name: 'kilo',
        image: names.image,
        imagePullPolicy: v.image.pullPolicy,
        args: agentArguments(v),
        env: [
          fieldEnv('NODE_NAME', 'spec.nodeName'),
          NODE_IP,
          whenSet(v.apiServer.host, (host) => [
            { name: 'KUBERNETES_SERVICE_HOST', value: host },
            { name: 'KUBERNETES_SERVICE_PORT', value: text`${v.apiServer.port}` },
          ]),
          spread(v.extraEnv),
        ],
        ports: [
          { name: 'wireguard', containerPort: v.listenPort, hostPort: v.listenPort, protocol: 'UDP' },
          { name: METRICS_PORT, containerPort: v.metrics.port, hostPort: v.metrics.port, protocol: 'TCP' },
        ],
        readinessProbe: { exec: { command: seesTheMesh(v) }, ...probeTiming(v.readinessProbe) },
        securityContext: v.securityContext,
        resources: resourcesOf(v.resources),
        volumeMounts: [
          STATE_MOUNT,
          { name: 'lib-modules', mountPath: '/lib/modules', readOnly: true },
          { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
          when(isPlugin(v), () => CNI_CONFIG_MOUNT),
          spread(v.extraVolumeMounts),
        ],
      },
      spread(v.extraContainers),
    ],
    volumes: [
      { name: 'kilo', hostPath: { path: '/var/lib/kilo', type: 'DirectoryOrCreate' } },
      { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
      { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
      when(isPlugin(v), () => [
        { name: 'cni', configMap: { name: names.cni } },
        { name: 'cni-programs', hostPath: { path: v.cni.binFolder, type: 'DirectoryOrCreate' } },
        { name: 'cni-config', hostPath: { path: v.cni.configFolder, type: 'DirectoryOrCreate' } },
      ]),
      spread(v.extraVolumes),
    ],
  };
}

/** Asks the agent of this node whether it knows a node of the mesh; its own health page says yes whatever happens. */
export const seesTheMesh = (v: KiloValues): [string, string, Expr<string>] => [
  'sh',
  '-c',
  text`wget -q -T 5 -O - "http://[$NODE_IP]:${v.metrics.port}/metrics" | grep -q '^kilo_nodes [1-9]'`,
];

/** The arguments of kg (Kilo, docs/kg.md), of which a later one wins. */
function agentArguments(v: KiloValues) {
  const { cni, cleanUp } = v;
  const isCilium = eq(cni.plugin, 'cilium');
  return [
    '--hostname=$(NODE_NAME)',
    text`--cni=${isPlugin(v)}`,
    // Within a location another plugin leads packets from node to node.
    text`--local=${isPlugin(v)}`,
    when(or(eq(cni.plugin, 'flannel'), isCilium), () => text`--compatibility=${cni.plugin}`),
    text`--encapsulate=${orElse<string>(v.encapsulate, choose(isCilium, 'crosssubnet', 'always'))}`,
    text`--mesh-granularity=${v.meshGranularity}`,
    text`--topology-label=${v.topologyLabel}`,
    text`--subnet=${v.subnet}`,
    each(v.cluster.serviceCidrs, (network) => text`--service-cidr=${network}`),
    each(v.internalCidrs, (network) => text`--internal-cidr=${network}`),
    // Else an address that another plugin gave to the node may pass for its private one.
    when(isEmpty(v.internalCidrs), () => when(not(isPlugin(v)), () => '--internal-cidr=$(NODE_IP)/32')),
    text`--prioritise-private-addresses=${v.prioritisePrivateAddresses}`,
    text`--port=${v.listenPort}`,
    text`--interface=${v.interfaceName}`,
    text`--create-interface=${v.createInterface}`,
    whenSet(v.mtu, (mtu) => text`--mtu=${mtu}`),
    text`--iptables-forward-rules=${v.iptablesForwardRules}`,
    text`--resync-period=${v.resyncPeriodSeconds}s`,
    text`--clean-up=${cleanUp.rules}`,
    text`--clean-up-interface=${cleanUp.interface}`,
    text`--listen=[$(NODE_IP)]:${v.metrics.port}`,
    text`--log-level=${v.logLevel}`,
    spread(v.extraArgs),
  ];
}

/** The init container that makes Kilo the plugin of the node. */
function installCni(v: KiloValues, names: PodNames) {
  return {
    name: 'install-cni',
    image: names.image,
    imagePullPolicy: v.image.pullPolicy,
    command: ['/bin/sh', '/cni/install-cni.sh'],
    env: [
      { name: 'PROGRAMS', value: '/opt/cni/bin' },
      { name: 'CONFIGURATION', value: `/cni/${CNI_CONFIGURATION}` },
      { name: 'STATE', value: STATE_MOUNT.mountPath },
      { name: 'NODE_PROGRAMS', value: '/node/programs' },
      { name: 'NODE_CONFIGURATIONS', value: '/node/configurations' },
    ],
    // The folders belong to root.
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
    resources: resourcesOf(v.resources),
    volumeMounts: [
      { name: 'cni', mountPath: '/cni', readOnly: true },
      STATE_MOUNT,
      { name: 'cni-programs', mountPath: '/node/programs' },
      { name: 'cni-config', mountPath: '/node/configurations' },
    ],
  };
}

/** The configuration of the plugin (CNI specification), in which kg puts the pod network of the node. */
export const cniConfiguration = (v: KiloValues): Expr<string> =>
  named(
    'cniConfiguration',
    {},
    () => conf`
    {
      "cniVersion": "0.4.0",
      "name": "kilo",
      "plugins": [
        {
          "name": "kubernetes",
          "type": "bridge",
          "bridge": "kube-bridge",
          "isDefaultGateway": true,
          "forceAddress": true,
          "mtu": ${v.cni.mtu},
          "ipam": { "type": "host-local" }
        },
        { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } }
      ]
    }
  `,
  )();

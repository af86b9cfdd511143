import { z } from 'zod';
import { LABEL_KEY_PATTERN, QUALIFIED_NAME_MAX_LENGTH } from '../lib/net/name';
import {
  anyMap,
  extraObjects,
  global,
  image,
  labels,
  naming,
  objectName,
  pod,
  probe,
  resources,
  serviceAccountWith,
} from './kubernetes';
import { extraRules, monitor, rule } from './metrics';
import {
  address,
  cidr,
  dnsName,
  endpoint,
  host,
  interfaceName,
  ipv4Cidr,
  name,
  port,
  secretWireguardKey,
  wireguardKey,
} from './net';
import { keepaliveSeconds, peerAddresses, peerServices, routedNetworks } from './peers';
import { clusterNetworks } from './routes';

/** A folder of the node, without `..` (Kubernetes refuses it in a hostPath). */
const nodeFolder = z
  .string()
  .regex(/^(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/)
  .max(253)
  .meta({ noun: 'the path of a folder', example: '/opt/cni/bin' });

/** An argument of a program. */
const argument = z
  .string()
  .regex(/^--[a-z][a-z-]*(?:=[ -~]*)?$/)
  .meta({ noun: 'an argument that begins with two hyphens', example: '--log-level=debug' });

/** A peer of Kilo: a person's device, a site, or another cluster. */
export const kiloPeer = z.strictObject({
  publicKey: wireguardKey.describe('Public key of the peer; the private one stays with its owner'),
  presharedKey: z
    .strictObject({
      value: secretWireguardKey.describe('The key itself: Kilo takes it from the Peer object alone'),
    })
    .meta({ secret: true, noun: 'a map with value' })
    .optional()
    .describe(
      'Pre-shared key, mixed into the handshake (post-quantum resistance); it stands in clear in the Peer object, which everybody can read who may read Peers',
    )
    .meta({ example: { value: 'what wg genpsk prints' } }),
  addresses: peerAddresses.meta({ example: ['10.5.0.1'] }),
  routedNetworks,
  endpoint: endpoint
    .optional()
    .describe(
      'Where the nodes reach the peer first; absent: they wait for it. While a host name does not resolve, Kilo changes nothing on any node',
    ),
  persistentKeepaliveSeconds: keepaliveSeconds
    .optional()
    .describe(
      'Seconds between the keepalives that the peer sends, by which the nodes learn where it is behind a NAT; 0: none; absent: `client.persistentKeepaliveSeconds`',
    )
    .meta({ example: 10 }),
  services: peerServices.optional().describe('Services of the cluster for what the peer serves, by name'),
  client: z
    .strictObject({
      allowedIPs: z
        .array(cidr)
        .optional()
        .describe(
          'Networks that this peer sends through the tunnel beside those of nodes, pods and peers; absent: `client.allowedIPs`',
        )
        .meta({ example: ['10.96.0.0/12'] }),
    })
    .optional()
    .describe('What the peer’s own file says otherwise than `client`'),
});

const {
  podLabels,
  podAnnotations,
  imagePullSecrets,
  affinity,
  dnsPolicy,
  dnsConfig,
  hostAliases,
  extraEnv,
  extraVolumes,
  extraVolumeMounts,
  extraInitContainers,
  extraContainers,
} = pod;

/**
 * The values of Kilo, and of the chart `kilo`.
 */
export const kiloValues = z.strictObject({
  enabled: z.boolean().default(true).describe('Read by an umbrella chart; without effect in this one'),
  global,
  ...naming,

  cluster: z
    .strictObject({
      ...clusterNetworks,
      serviceCidrs: clusterNetworks.serviceCidrs.describe(
        'Networks of the Services: Kilo keeps the addresses of peers that send to them (`--service-cidr`), and clients route them',
      ),
    })
    .prefault({}),
  cni: z
    .strictObject({
      plugin: z
        .enum(['flannel', 'cilium', 'other', 'kilo'])
        .default('flannel')
        .describe(
          'Network plugin of the cluster, whose pods Kilo leads to; it must give each node the pod network of its Node object; `kilo` makes Kilo the plugin, where there is none',
        ),
      mtu: z
        .int()
        .min(576)
        .max(9000)
        .default(1420)
        .describe('MTU of the pods in bytes where Kilo is the plugin; it must fit through the WireGuard interface'),
      binFolder: nodeFolder
        .default('/opt/cni/bin')
        .describe('Folder of the node for the programs of network plugins, where Kilo is the plugin'),
      configFolder: nodeFolder
        .default('/etc/cni/net.d')
        .describe('Folder of the node for the configurations of network plugins, where Kilo is the plugin'),
    })
    .prefault({}),
  meshGranularity: z
    .enum(['location', 'full'])
    .default('location')
    .describe(
      'Between whom WireGuard is: `location`, one node of each location, which lead for the others; `full`, all nodes, so that all traffic between nodes is encrypted',
    ),
  topologyLabel: z
    .string()
    .regex(LABEL_KEY_PATTERN)
    .max(QUALIFIED_NAME_MAX_LENGTH)
    .default('topology.kubernetes.io/region')
    .describe(
      'Label of the nodes that says their location, unless the annotation `kilo.squat.ai/location` does; without both, all are in one',
    )
    .meta({ noun: 'the key of a label', example: 'topology.kubernetes.io/zone' }),
  subnet: ipv4Cidr
    .default('10.4.0.0/16')
    .describe('Network of the nodes’ own addresses inside the VPN; no peer is in it, and another cluster has another'),
  listenPort: port
    .default(51820)
    .describe(
      'UDP port on the nodes; a WireGuard server with the same `hostPort`, and flannel’s and Calico’s WireGuard, use 51820 too',
    ),
  interfaceName: interfaceName.default('kilo0').describe('Name of the WireGuard interface on the nodes'),
  createInterface: z
    .boolean()
    .default(true)
    .describe('Whether Kilo makes the interface; else it must be there before, as from a userspace WireGuard'),
  mtu: z
    .int()
    .min(576)
    .max(9000)
    .optional()
    .describe('MTU of the interface in bytes; absent: that of the node’s network less 80, found anew all the time')
    .meta({ example: 1420 }),
  encapsulate: z
    .enum(['always', 'crosssubnet', 'never'])
    .optional()
    .describe(
      'Whether packets between nodes of one location are put into packets of their own: `always`, `crosssubnet`, between subnets, or `never`; absent: `crosssubnet` beside Cilium, else `always`',
    ),
  internalCidrs: z
    .array(cidr)
    .default([])
    .describe(
      'Networks in which the private address of a node is looked for; empty: only its address of Kubernetes, or any where Kilo is the plugin',
    )
    .meta({ example: ['172.27.0.0/20'] }),
  prioritisePrivateAddresses: z
    .boolean()
    .default(false)
    .describe('Whether the others reach a node at its private address, even if it has a public one'),
  iptablesForwardRules: z
    .boolean()
    .default(false)
    .describe(
      'Whether Kilo lets the nodes forward the pods’ packets where the policy of FORWARD is DROP; it passes by a firewall that relies on that',
    ),
  resyncPeriodSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('Seconds between two comparisons of routes and packet filter with what they should be'),
  cleanUp: z
    .strictObject({
      rules: z
        .boolean()
        .default(true)
        .describe(
          'Whether an agent that ends takes its routes and its packet filter away; it cannot tell a restart from the end of the release',
        ),
      interface: z
        .boolean()
        .default(false)
        .describe('Whether it takes the interface away too, and with it all sessions'),
    })
    .prefault({}),
  logLevel: z.enum(['all', 'debug', 'info', 'warn', 'error', 'none']).default('info').describe('What is logged'),
  extraArgs: z
    .array(argument)
    .default([])
    .describe('More arguments of `kg`; they win over those of the other values')
    .meta({ example: ['--kubeconfig=/etc/kubernetes/kubeconfig'] }),
  apiServer: z
    .strictObject({
      host: host
        .optional()
        .describe(
          'Where the agents reach the API server before the VPN works; absent: the Service `kubernetes`, which nodes of one network reach',
        )
        .meta({ example: '172.27.0.10' }),
      port: port.default(6443).describe('TCP port of the API server at `apiServer.host`'),
    })
    .prefault({}),

  peers: z
    .record(name, kiloPeer)
    .default({})
    .describe(
      'Peers by name, which is also that of the Peer object, and so one for the whole cluster; a change is applied at once, and may interrupt the other peers for seconds',
    ),
  dns: z
    .strictObject({
      servers: z
        .array(address)
        .default([])
        .describe('DNS servers of the clients: the `DNS` of their files')
        .meta({ example: ['10.96.0.10'] }),
      searchDomains: z
        .array(dnsName)
        .default([])
        .describe('Domains that clients append to short names')
        .meta({ example: ['svc.cluster.local'] }),
    })
    .prefault({}),
  client: z
    .strictObject({
      allowedIPs: z
        .array(cidr)
        .optional()
        .describe(
          'Networks that clients send through the tunnel beside those of nodes, pods and peers; absent: `cluster.serviceCidrs`',
        )
        .meta({ example: ['10.96.0.0/12'] }),
      persistentKeepaliveSeconds: keepaliveSeconds
        .default(25)
        .describe('Seconds between the keepalives of a client, which keep its way through a NAT open; 0: none'),
      mtu: z
        .int()
        .min(1280)
        .max(9000)
        .optional()
        .describe('MTU of the clients’ interfaces in bytes; absent: `mtu`, at least 1280, or 1420')
        .meta({ example: 1380 }),
    })
    .prefault({}),

  image: image({ registry: 'docker.io', repository: 'squat/kilo', tag: '0.7.0' }),
  metrics: z
    .strictObject({
      port: port
        .default(1107)
        .describe(
          'TCP port of metrics and health, at the node’s address of Kubernetes; it also serves profiles of `kg`',
        ),
      podMonitor: monitor('PodMonitor'),
      prometheusRule: z
        .strictObject({
          ...rule,
          extraRules: extraRules({ record: 'vpn:kilo_peers:min', expr: 'min(kilo_peers)' }),
        })
        .prefault({}),
    })
    .prefault({}),
  readinessProbe: probe({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
  maxUnavailable: z.int().min(1).max(1000).default(1).describe('Agents that are renewed at the same time'),
  resources: resources({
    requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '16Mi' },
    limits: { memory: '256Mi', 'ephemeral-storage': '64Mi' },
  }),
  securityContext: anyMap
    .default({ privileged: true, runAsGroup: 0, runAsNonRoot: false, runAsUser: 0 })
    .describe('Security context of the container; Kilo makes interfaces, routes and packet filter of the node'),
  serviceAccount: serviceAccountWith('Whether to make a service account, which `rbac` gives its rights'),
  rbac: z
    .strictObject({
      create: z
        .boolean()
        .default(true)
        .describe('Whether to make the ClusterRole and its binding: Nodes and Peers are of the whole cluster'),
    })
    .prefault({}),

  podLabels,
  podAnnotations,
  imagePullSecrets,
  nodeSelector: labels
    .default({ 'kubernetes.io/os': 'linux' })
    .describe('Labels of the nodes that have an agent; others are in no mesh, and their pods reach no peer'),
  tolerations: z
    .array(anyMap)
    .default([{ operator: 'Exists' }])
    .describe('Taints that the agents tolerate')
    .meta({ example: [{ operator: 'Exists', effect: 'NoSchedule' }] }),
  affinity,
  priorityClassName: objectName.default('system-node-critical').describe('Priority class of the agents'),
  terminationGracePeriodSeconds: z
    .int()
    .min(0)
    .max(86400)
    .default(30)
    .describe('Seconds that an agent has to end and to take away what it made'),
  dnsPolicy,
  dnsConfig,
  hostAliases,
  extraEnv,
  extraVolumes,
  extraVolumeMounts,
  extraInitContainers,
  extraContainers,
  extraObjects,
});

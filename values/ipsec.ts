import { z } from 'zod';
import {
  annotations,
  anyMap,
  dataKey,
  extraObjects,
  global,
  image,
  ipForwarding,
  labels,
  loadBalancer,
  loadBalancerSourceRanges,
  naming,
  objectName,
  pod,
  probe,
  resources,
  serviceAccount,
} from './kubernetes';
import { extraRules, monitor, rule } from './metrics';
import { address, addressInNetwork, cidr, host, identity, port, proposal, shortName } from './net';
import { agent, bgp, cluster, drainTimeoutSeconds, frr, network, routes } from './routes';

const gateway = z.strictObject({
  exposure: z
    .enum(['loadBalancer', 'nodePort', 'hostPort'])
    .optional()
    .describe(
      'How the remote ends reach the gateway: `loadBalancer`; `nodePort`, at ports of every node; `hostPort`, at UDP 500 and 4500 of its own node, from whose address it may also begin; absent: `loadBalancer`',
    ),
  identity: identity
    .optional()
    .describe(
      'IKE identity of the gateway, mostly the public address by which it is reached; absent: `service.loadBalancerIP`',
    ),
  sendsFromExposedAddress: z
    .boolean()
    .optional()
    .describe(
      'Whether what the gateway sends first leaves from the address by which it is reached; absent: true for `hostPort`, else false; true for a load balancer only with an egress gateway of that address',
    ),
  nodeSelector: labels
    .optional()
    .describe('Labels that a node must have to run this gateway, beside those of `nodeSelector`')
    .meta({ example: { 'example.com/vpn-gateway': 'a' } }),
  affinity: anyMap
    .optional()
    .describe('Affinity of this gateway’s pod; absent: `affinity`')
    .meta({
      example: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'example.com/vpn', operator: 'Exists' }] }],
          },
        },
      },
    }),
  service: z
    .strictObject({
      annotations: annotations
        .optional()
        .describe('Annotations of the gateway’s Service')
        .meta({ example: { 'external-dns.alpha.kubernetes.io/hostname': 'vpn.example.com' } }),
      labels: labels
        .optional()
        .describe('Labels of the gateway’s Service')
        .meta({ example: { team: 'network' } }),
      ...loadBalancer,
      loadBalancerSourceRanges: loadBalancerSourceRanges.optional(),
      externalTrafficPolicy: z
        .enum(['Cluster', 'Local'])
        .optional()
        .describe(
          '`Local` keeps the remote end’s address and uses only the node of the pod; `Cluster` hides it, and tunnels are told apart by identity alone; absent: `Local`',
        ),
      ikeNodePort: port
        .optional()
        .describe('UDP port on every node for IKE (500), for `nodePort` and `loadBalancer`')
        .meta({ example: 30500 }),
      natTNodePort: port
        .optional()
        .describe('UDP port on every node for IKE and ESP in UDP (4500), for `nodePort` and `loadBalancer`')
        .meta({ example: 30450 }),
    })
    .optional()
    .describe('The Service of the gateway'),
});

/** A PSK; a check judges it, not the schema: Helm shows in its message what a schema refuses. */
const secretPresharedKey = z
  .string()
  .meta({ secret: true, noun: 'a pre-shared key', example: 'what openssl rand -base64 33 prints' });

const presharedKey = z
  .strictObject({
    existingSecret: objectName
      .optional()
      .describe('Secret that holds the pre-shared key; a change of it is taken up in place')
      .meta({ example: 'onprem-psk' }),
    key: dataKey.optional().describe('Key of that Secret; absent: `psk`').meta({ example: 'onprem' }),
    value: secretPresharedKey.optional().describe('The pre-shared key itself; it goes into a Secret'),
  })
  .meta({ secret: true, noun: 'a map with existingSecret or value' });

const certificate = z
  .strictObject({
    existingSecret: objectName
      .optional()
      .describe('Secret of type kubernetes.io/tls with the gateway’s certificate and key')
      .meta({ example: 'onprem-tls' }),
    issuer: z
      .strictObject({
        name: objectName.describe('Name of the issuer').meta({ example: 'vpn-ca' }),
        kind: z.enum(['Issuer', 'ClusterIssuer']).optional().describe('Kind of the issuer; absent: Issuer'),
        group: z
          .string()
          .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/)
          .max(253)
          .optional()
          .describe('API group of the issuer; absent: cert-manager.io')
          .meta({ noun: 'an API group', example: 'cert-manager.io' }),
      })
      .optional()
      .describe('Issuer of cert-manager that makes the certificate, instead of `existingSecret`'),
  })
  .meta({ noun: 'a map with existingSecret or issuer' });

const authority = z
  .strictObject({
    existingSecret: objectName.optional().describe('Secret that holds the certificate').meta({ example: 'remote-ca' }),
    existingConfigMap: objectName
      .optional()
      .describe('ConfigMap that holds the certificate')
      .meta({ example: 'remote-ca' }),
    key: dataKey.optional().describe('Key of that object; absent: `ca.crt`').meta({ example: 'root.pem' }),
  })
  .meta({ noun: 'a map with existingSecret or existingConfigMap' });

const seconds = (most: number) => z.int().min(1).max(most);

const tunnel = z.strictObject({
  gateway: shortName.describe('Gateway that has the tunnel').meta({ example: 'a' }),
  preset: z
    .enum(['strongswan', 'aws', 'gcp', 'azure'])
    .optional()
    .describe(
      'What the remote end is: brings proposals, lifetimes, timers and rules that fit it; absent: `strongswan`',
    ),
  remote: z
    .strictObject({
      address: host
        .optional()
        .describe('Address or host name of the remote end; absent: any, if only the remote end begins'),
      identity: identity
        .optional()
        .describe('IKE identity of the remote end; absent: `address`')
        .meta({ example: '198.51.100.7' }),
      networks: z
        .array(cidr)
        .optional()
        .describe('Networks behind the remote end')
        .meta({ example: ['10.1.0.0/16'] }),
      initiates: z
        .boolean()
        .optional()
        .describe('Whether the remote end begins by itself; absent: as the preset says (false for `aws`)'),
    })
    .describe('The remote end'),
  localIdentity: identity
    .optional()
    .describe('Our IKE identity for this tunnel; absent: `identity` of the gateway')
    .meta({ example: 'vpn.example.com' }),
  presharedKey: presharedKey.optional().describe('The key that both ends share; either this or `certificate`'),
  certificate: certificate.optional().describe('The gateway’s certificate; either this or `presharedKey`'),
  authorities: z
    .record(shortName.meta({ example: 'root' }), authority)
    .optional()
    .describe(
      'Certificate authorities that the remote end’s certificate must come from, by name; absent: `ca.crt` beside the gateway’s certificate',
    ),
  mode: z
    .enum(['route', 'policy'])
    .optional()
    .describe(
      '`route`: an interface for the tunnel, and the routing table decides what enters it; `policy`: the traffic selectors of `children` decide; absent: `route`',
    ),
  inside: z
    .strictObject({
      local: addressInNetwork.describe('Our address inside the tunnel, with its prefix length'),
      remote: address.describe('Address of the remote end inside the tunnel').meta({ example: '169.254.100.1' }),
    })
    .optional()
    .describe('Addresses inside a tunnel of mode `route`'),
  bgp: bgp
    .optional()
    .describe(
      'The BGP session inside the tunnel, where `routes.mode` is `bgp`; absent: none, and `remote.networks` says what is behind it',
    ),
  children: z
    .record(
      shortName.meta({ example: 'pods' }),
      z.strictObject({
        localTs: z
          .array(cidr)
          .min(1)
          .optional()
          .describe('Our networks in this child; absent: all of `cluster`, or everything in mode `route`')
          .meta({ example: ['10.244.0.0/16'] }),
        remoteTs: z
          .array(cidr)
          .min(1)
          .optional()
          .describe('The remote end’s networks in this child; absent: `remote.networks`, or everything in mode `route`')
          .meta({ example: ['10.1.0.0/16'] }),
      }),
    )
    .optional()
    .describe('Child SAs by name, each with its traffic selectors; absent: one, named as the tunnel'),
  initiate: z
    .enum(['auto', 'always', 'never'])
    .optional()
    .describe(
      'Whether the gateway begins, and tries again for ever; absent or `auto`: if it sends from the address by which it is reached',
    ),
  ike: z
    .strictObject({
      proposals: z
        .array(proposal)
        .min(1)
        .optional()
        .describe('Proposals for the IKE SA, the preferred first; absent: those of the preset'),
      rekeySeconds: seconds(604_800)
        .optional()
        .describe('Seconds until the IKE SA is rekeyed; absent: as the preset says')
        .meta({ example: 25_920 }),
      reauthSeconds: z
        .int()
        .min(0)
        .max(604_800)
        .optional()
        .describe('Seconds until both ends prove anew who they are; absent or 0: never, rekeying is enough')
        .meta({ example: 86_400 }),
      dpdDelaySeconds: seconds(3600)
        .optional()
        .describe('Seconds without a packet until the remote end is asked whether it lives; absent: as the preset says')
        .meta({ example: 10 }),
      fragmentation: z
        .enum(['yes', 'accept', 'force', 'no'])
        .optional()
        .describe('Whether large IKE messages are fragmented (RFC 7383); absent: `yes`'),
      mobike: z.boolean().optional().describe('Whether the ends may change their addresses (RFC 4555); absent: false'),
    })
    .optional()
    .describe('The IKE SA'),
  esp: z
    .strictObject({
      proposals: z
        .array(proposal)
        .min(1)
        .optional()
        .describe('Proposals for the child SAs, the preferred first; absent: those of the preset')
        .meta({ example: ['aes256gcm16-ecp384'] }),
      rekeySeconds: seconds(604_800)
        .optional()
        .describe('Seconds until a child SA is rekeyed; absent: as the preset says')
        .meta({ example: 3240 }),
      replayWindow: z
        .int()
        .min(0)
        .max(4096)
        .optional()
        .describe('Packets of the replay window; 0: none; absent: as the preset says')
        .meta({ example: 1024 }),
      copyDf: z
        .boolean()
        .optional()
        .describe(
          'Whether the outer packet may not be fragmented if the inner one may not; absent: as the preset says',
        ),
    })
    .optional()
    .describe('The child SAs'),
  interfaceId: z
    .int()
    .min(1)
    .max(999_999)
    .optional()
    .describe('Id of the XFRM interface of mode `route`; absent: follows from the tunnel’s name')
    .meta({ example: 42 }),
  mtu: z
    .int()
    .min(576)
    .max(9000)
    .optional()
    .describe(
      'MTU of the tunnel in bytes; absent: what fits the pod’s own MTU with every proposal, and what the preset’s remote end takes',
    )
    .meta({ example: 1400 }),
  postQuantumKey: z
    .strictObject({
      id: identity.describe('Name of the key at both ends (RFC 8784)').meta({ example: 'ppk-1' }),
      existingSecret: objectName.describe('Secret that holds the key').meta({ example: 'onprem-ppk' }),
      key: dataKey.optional().describe('Key of that Secret; absent: `ppk`').meta({ example: 'ppk' }),
      required: z.boolean().optional().describe('Whether the tunnel must not come up without it; absent: true'),
    })
    .optional()
    .describe('A post-quantum pre-shared key, mixed into the keys of the tunnel'),
  allowWeak: z
    .boolean()
    .optional()
    .describe('Whether weak algorithms and short pre-shared keys are allowed for this tunnel; absent: false'),
});

/**
 * The values of the strongSwan gateways, and of the chart `ipsec`.
 */
export const ipsecValues = z.strictObject({
  enabled: z.boolean().default(true).describe('Read by an umbrella chart; without effect in this one'),
  global,
  ...naming,

  cluster,
  gateways: z
    .record(shortName.meta({ example: 'a' }), gateway)
    .default({})
    .describe('Gateways by name: each is a pod with its own address'),
  tunnels: z
    .record(shortName, tunnel)
    .default({})
    .describe('Tunnels by name; a change is applied in place, and the other tunnels keep their SAs'),
  routes,
  agent,
  drainTimeoutSeconds,
  readiness: z
    .enum(['tunnel', 'process'])
    .optional()
    .describe(
      'When a gateway is ready: `tunnel`, when all its children are installed; `process`, when the daemon answers and has its configuration; absent: `tunnel` for the exposure `hostPort`, else `process`, since kube-proxy leads a remote end that never pauses to a new pod only when that is ready',
    ),
  retransmission: z
    .strictObject({
      tries: z
        .int()
        .min(1)
        .max(20)
        .default(3)
        .describe('How often an IKE message without answer is sent again until the remote end counts as silent'),
      intervalSeconds: z.int().min(1).max(60).default(2).describe('Seconds between these messages'),
    })
    .prefault({}),
  natKeepaliveSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(20)
    .describe('Seconds between the packets that keep a NAT or a load balancer open; 0: none'),
  ipForwarding,
  strongswan: z
    .strictObject({
      image: image({ registry: 'docker.io', repository: 'strongx509/strongswan', tag: '6.0.0' }),
      charonPath: z
        .string()
        .regex(/^\/[A-Za-z0-9._\/-]*$/)
        .max(200)
        .default('/usr/libexec/ipsec/charon')
        .describe(
          'Path of the daemon in the image; Debian has /usr/lib/ipsec/charon, Alpine /usr/lib/strongswan/charon',
        )
        .meta({ noun: 'a path', example: '/usr/lib/ipsec/charon' }),
      features: z
        .array(z.enum(['mlkem', 'ppk']))
        .default(['mlkem', 'ppk'])
        .describe('What the strongSwan of the image can do beside the ordinary: `mlkem` (6.0.0 and newer), `ppk`'),
      logLevel: z
        .int()
        .min(-1)
        .max(2)
        .default(1)
        .describe('How much charon says: -1 nothing, 1 what happens, 2 details; more would show keys'),
      resources: resources({
        requests: { cpu: '100m', memory: '64Mi', 'ephemeral-storage': '16Mi' },
        limits: { memory: '256Mi', 'ephemeral-storage': '64Mi' },
      }),
    })
    .prefault({}),
  control: z
    .strictObject({
      image: image({ registry: 'quay.io', repository: 'frrouting/frr', tag: '10.3.4' }),
      resources: resources({
        requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '16Mi' },
        limits: { memory: '128Mi', 'ephemeral-storage': '64Mi' },
      }),
    })
    .prefault({}),
  network,
  frr,
  health: z.strictObject({ port: port.default(8080).describe('TCP port of the health server') }).prefault({}),
  metrics: z
    .strictObject({
      serviceMonitor: monitor('ServiceMonitor'),
      podMonitor: monitor('PodMonitor'),
      prometheusRule: z
        .strictObject({ ...rule, extraRules: extraRules({ record: 'vpn:tunnels:up', expr: 'sum(ipsec_tunnel_up)' }) })
        .prefault({}),
    })
    .prefault({}),
  podDisruptionBudget: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether a drain takes one gateway of the release at a time; one that is not ready never holds it up',
        ),
    })
    .prefault({}),
  livenessProbe: probe({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
  readinessProbe: probe({ periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }),

  podSecurityContext: anyMap
    .default({ seccompProfile: { type: 'RuntimeDefault' } })
    .describe('Security context of the pods'),
  serviceAccount,
  ...pod,
  extraObjects,
});

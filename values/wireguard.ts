import { z } from 'zod';
import {
  annotations,
  anyMap,
  dataKey,
  extraObjects,
  global,
  image,
  ipForwarding,
  naming,
  objectName,
  optionalImage,
  pod,
  probe,
  quantity,
  resources,
  serviceAccount,
  udpService,
} from './kubernetes';
import {
  address,
  addressOrCidr,
  cidr,
  dnsName,
  dnsServer,
  endpoint,
  interfaceName,
  ipv4Cidr,
  ipv6Cidr,
  name,
  port,
  secretWireguardKey,
  wireguardKey,
} from './net';
import { metrics } from './metrics';

const presharedKey = z
  .strictObject({
    existingSecret: objectName
      .optional()
      .describe('Secret that holds the key; it is mounted whole, so keep only keys in it')
      .meta({ example: 'wireguard-alice' }),
    key: dataKey.optional().describe('Key of that Secret; absent: `preshared-key`').meta({ example: 'alice' }),
    value: secretWireguardKey.optional().describe('The key itself; it goes into a Secret'),
  })
  .meta({ secret: true, noun: 'a map with existingSecret or value' });

const allowRule = z.strictObject({
  networks: z.array(addressOrCidr).optional().describe('Addresses and networks that may be reached'),
  peers: z
    .array(name)
    .optional()
    .describe('Peers that may be reached, with the networks behind them')
    .meta({ example: ['bob'] }),
  ports: z
    .array(
      z.strictObject({
        port: port.describe('Port, or the first of a range'),
        endPort: port.optional().describe('Last port of the range'),
        protocol: z.enum(['TCP', 'UDP']).optional().describe('Protocol; absent: TCP'),
      }),
    )
    .optional()
    .describe('Ports that may be reached there; absent: all, and ping')
    .meta({ example: [{ port: 443, protocol: 'TCP' }] }),
});

/** A peer of the WireGuard server: a person's device, or a site. */
export const wireguardPeer = z.strictObject({
  publicKey: wireguardKey.optional().describe('Public key of the peer; the private one stays with its owner'),
  generate: z
    .boolean()
    .optional()
    .describe(
      'Whether the pod makes the peer’s key pair and pre-shared key instead, and keeps them on the volume of `persistence`',
    ),
  presharedKey: presharedKey
    .optional()
    .describe('Pre-shared key, mixed into the handshake (post-quantum resistance): in a Secret, or a value')
    .meta({ example: { existingSecret: 'wireguard-alice', key: 'preshared-key' } }),
  addresses: z
    .array(address)
    .min(1)
    .describe('Addresses of the peer inside the VPN')
    .meta({ example: ['10.13.13.2'] }),
  routedNetworks: z
    .array(cidr)
    .optional()
    .describe('Networks behind the peer (site to site)')
    .meta({ example: ['192.168.10.0/24'] }),
  endpoint: endpoint.optional().describe('Where the server reaches the peer first; absent: it waits for the peer'),
  persistentKeepaliveSeconds: z
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe('Seconds between the keepalives that the server sends; 0 or absent: none')
    .meta({ example: 25 }),
  allow: z
    .record(name.meta({ example: 'intranet' }), allowRule)
    .optional()
    .describe('What the peer may reach, rules by name; absent: everything, `{}`: nothing'),
  client: z
    .strictObject({
      allowedIPs: z
        .array(cidr)
        .min(1)
        .optional()
        .describe('Networks that this peer sends through the tunnel; absent: `client.allowedIPs`')
        .meta({ example: ['10.13.13.0/24', '10.0.0.0/8'] }),
    })
    .optional()
    .describe('What the peer’s own file says otherwise than `client`'),
});

/** Where more peers are: an object whose keys are names of peers, and whose values are their entries in JSON. */
const peersSource = z
  .strictObject({
    existingSecret: objectName
      .optional()
      .describe('Secret that holds the peers; a pre-shared key may stand in it')
      .meta({ example: 'wireguard-team' }),
    existingConfigMap: objectName
      .optional()
      .describe('ConfigMap that holds the peers')
      .meta({ example: 'wireguard-team' }),
  })
  .meta({ noun: 'a map with existingSecret or existingConfigMap' });

/**
 * The values of the WireGuard server, and of the chart `wireguard`.
 */
export const wireguardValues = z.strictObject({
  enabled: z.boolean().default(true).describe('Read by an umbrella chart; without effect in this one'),
  global,
  ...naming,

  network: ipv4Cidr.default('10.13.13.0/24').describe('IPv4 network of the VPN; the server has its first address'),
  network6: ipv6Cidr.optional().describe('IPv6 network of the VPN; the server has its first address'),
  peers: z
    .record(name, wireguardPeer)
    .default({})
    .describe(
      'Peers by name; a change is applied in place, within 10 s of the kubelet’s update, and the other peers keep their sessions; only a Secret that no peer named before restarts the pod',
    ),
  peersFrom: z
    .record(name.meta({ example: 'team' }), peersSource)
    .default({})
    .describe(
      'More peers, in Secrets and ConfigMaps that exist: each key is a name, each value the JSON of one entry of `peers`; applied in place, what breaks a rule is left out, and names in `peers` win',
    ),
  privateKey: z
    .strictObject({
      generate: z
        .boolean()
        .default(false)
        .describe('Whether the pod makes the key at its first start, and keeps it on the volume of `persistence`'),
      existingSecret: objectName
        .optional()
        .describe(
          'Secret that holds the server’s private key (`wg genkey`); absent, and neither `generate` nor `value`: `<full name>-private-key`, which you make',
        )
        .meta({ example: 'wireguard-server' }),
      key: dataKey.default('private-key').describe('Key of that Secret'),
      value: secretWireguardKey.optional().describe('The private key itself; it goes into a Secret'),
    })
    .prefault({})
    .meta({ secret: true, noun: 'a map with generate, existingSecret or value' }),
  mode: z
    .enum(['masquerade', 'routed'])
    .default('masquerade')
    .describe(
      '`masquerade` hides the clients behind the pod; `routed` keeps their addresses: the cluster’s network must lead back to the pod',
    ),
  listenPort: port.default(51820).describe('UDP port inside the pod; a change restarts the pod'),
  interfaceName: interfaceName.default('wg0').describe('Name of the interface inside the pod'),
  mtu: z
    .int()
    .min(576)
    .max(9000)
    .optional()
    .describe('MTU of the interface in bytes; absent: the pod’s own MTU less 80, which fits IPv4 and IPv6 outside')
    .meta({ example: 1420 }),
  underlayMtu: z
    .int()
    .min(576)
    .max(9216)
    .optional()
    .describe('MTU of the pod’s network in bytes, if you want `mtu` checked against it before anything is installed')
    .meta({ example: 1500 }),

  ipForwarding,
  endpoint: endpoint
    .optional()
    .describe('Where clients reach the server: the `Endpoint` of their files; read by nothing else'),
  serverPublicKey: wireguardKey
    .optional()
    .describe(
      'Public key of the server, for the files of the clients, and a pin: a server with another key does not start',
    ),
  client: z
    .strictObject({
      allowedIPs: z
        .array(cidr)
        .min(1)
        .default(['0.0.0.0/0', '::/0'])
        .describe('Networks that clients send through the tunnel: the `AllowedIPs` of their files'),
      persistentKeepaliveSeconds: z
        .int()
        .min(0)
        .max(65535)
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
  dns: z
    .strictObject({
      mode: z
        .enum(['none', 'servers', 'coredns'])
        .default('none')
        .describe(
          'How clients resolve names: `none`, as without the VPN; `servers`, by the given servers; `coredns`, by a CoreDNS in the pod, which knows the cluster’s names',
        ),
      servers: z
        .array(address)
        .default([])
        .describe('DNS servers of the clients, for the mode `servers`')
        .meta({ example: ['10.96.0.10'] }),
      searchDomains: z
        .array(dnsName)
        .default([])
        .describe('Domains that clients append to short names')
        .meta({ example: ['svc.cluster.local'] }),
      zones: z
        .record(
          dnsName.meta({ example: 'corp.example.com' }),
          z.strictObject({
            servers: z
              .array(dnsServer)
              .min(1)
              .max(15)
              .describe('DNS servers of the zone, each an address with or without a port')
              .meta({ example: ['10.1.0.53'] }),
          }),
        )
        .default({})
        .describe('Zones that the CoreDNS in the pod asks other servers for (split DNS); applied in place'),
      port: port.default(1053).describe('UDP and TCP port of CoreDNS inside the pod; clients use 53'),
      image: image({ registry: 'docker.io', repository: 'coredns/coredns', tag: '1.12.4' }),
      resources: resources({
        requests: { cpu: '20m', memory: '32Mi', 'ephemeral-storage': '16Mi' },
        limits: { memory: '128Mi', 'ephemeral-storage': '64Mi' },
      }),
    })
    .prefault({}),
  persistence: z
    .strictObject({
      existingClaim: objectName
        .optional()
        .describe('Claim that is used for generated keys; absent: the chart makes `<full name>-generated-keys`')
        .meta({ example: 'wireguard-keys' }),
      keep: z.boolean().default(true).describe('Whether `helm uninstall` leaves the claim, and with it the keys'),
      size: quantity.default('64Mi').describe('Size of the volume'),
      storageClassName: objectName
        .optional()
        .describe('Storage class of the volume; absent: that of the cluster')
        .meta({ example: 'standard' }),
      accessModes: z
        .array(z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany']))
        .min(1)
        .default(['ReadWriteOnce'])
        .describe('Access modes of the volume'),
      annotations: annotations
        .default({})
        .describe('Annotations of the claim')
        .meta({ example: { 'example.com/backup': 'daily' } }),
    })
    .prefault({}),
  hostPort: port
    .optional()
    .describe('UDP port on the node of the pod, instead of or beside a Service')
    .meta({ example: 51820 }),
  service: udpService,

  image: image({ registry: 'lscr.io', repository: 'linuxserver/wireguard', tag: '1.0.20250521-r1-ls110' }),
  userspace: z
    .strictObject({
      image: optionalImage,
      resources: resources({
        requests: { cpu: '50m', memory: '32Mi', 'ephemeral-storage': '16Mi' },
        limits: { memory: '256Mi', 'ephemeral-storage': '64Mi' },
      }),
    })
    .prefault({}),
  health: z
    .strictObject({
      port: port.default(8080).describe('TCP port of the health server'),
      image: image({ registry: 'docker.io', repository: 'library/busybox', tag: '1.37.0' }),
      resources: resources({
        requests: { cpu: '10m', memory: '8Mi', 'ephemeral-storage': '16Mi' },
        limits: { memory: '32Mi', 'ephemeral-storage': '64Mi' },
      }),
    })
    .prefault({}),
  metrics,
  networkPolicy: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether a NetworkPolicy lets only the ports of WireGuard and of the health server into the pod; in mode `routed` it lets in everything, since what is for the peers looks as if it were for the pod',
        ),
      extraIngress: z
        .array(anyMap)
        .default([])
        .describe('More rules for what may enter the pod')
        .meta({ example: [{ ports: [{ port: 9100, protocol: 'TCP' }] }] }),
      egress: z
        .array(anyMap)
        .default([])
        .describe('Rules for what may leave the pod, of the peers too; empty: everything')
        .meta({ example: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] }),
    })
    .prefault({}),
  podDisruptionBudget: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Whether a drain waits until somebody deletes the pod: there is only one'),
    })
    .prefault({}),
  livenessProbe: probe({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
  readinessProbe: probe({ periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }),
  resources: resources({
    requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '16Mi' },
    limits: { memory: '256Mi', 'ephemeral-storage': '64Mi' },
  }),

  podSecurityContext: anyMap
    .default({ seccompProfile: { type: 'RuntimeDefault' } })
    .describe('Security context of the pod'),
  securityContext: anyMap
    .default({
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    })
    .describe('Security context of the main container; NET_ADMIN makes the interface, its routes and its rules'),
  serviceAccount,
  ...pod,
  extraObjects,
});

import { z } from 'zod';
import {
  anyMap,
  dataKey,
  extraObjects,
  global,
  image,
  naming,
  objectName,
  optionalImage,
  pod,
  probe,
  resources,
  serviceAccount,
  udpService,
} from './kubernetes';
import {
  address,
  addressOrCidr,
  cidr,
  endpoint,
  interfaceName,
  ipv4Cidr,
  ipv6Cidr,
  name,
  port,
  secretWireguardKey,
  wireguardKey,
} from './net';

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
  publicKey: wireguardKey.describe('Public key of the peer; the private one stays with its owner'),
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
});

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
  privateKey: z
    .strictObject({
      existingSecret: objectName
        .optional()
        .describe(
          'Secret that holds the server’s private key (`wg genkey`); absent, and no `value`: `<full name>-private-key`, which you make',
        )
        .meta({ example: 'wireguard-server' }),
      key: dataKey.default('private-key').describe('Key of that Secret'),
      value: secretWireguardKey.optional().describe('The private key itself; it goes into a Secret'),
    })
    .prefault({})
    .meta({ secret: true, noun: 'a map with existingSecret or value' }),
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

  ipForwarding: z
    .strictObject({
      method: z
        .enum(['init', 'sysctl', 'assume'])
        .default('init')
        .describe(
          'Who turns on forwarding in the pod: `init`, a small privileged init container that looks first; `sysctl`, the kubelet (it must allow the unsafe sysctls); `assume`, it is on already',
        ),
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

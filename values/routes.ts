import { z } from 'zod';
import { CIDR_PATTERN } from '../lib/net/cidr';
import { dataKey, anyMap, image, labels, objectName, resources } from './kubernetes';
import { address, asNumber, cidr, interfaceName, ipv4Slash16, ipv6Cidr, port, shortName } from './net';

/** The networks of the cluster. */
export const cluster = z
  .strictObject({
    podCidrs: z
      .array(cidr)
      .default([])
      .describe('Networks of the pods')
      .meta({ example: ['10.244.0.0/16'] }),
    serviceCidrs: z
      .array(cidr)
      .default([])
      .describe('Networks of the Services')
      .meta({ example: ['10.96.0.0/12'] }),
    nodeCidrs: z
      .array(cidr)
      .default([])
      .describe('Networks of the nodes')
      .meta({ example: ['172.27.0.0/20'] }),
    nodeSources: z
      .array(cidr)
      .default([])
      .describe(
        'Networks of other addresses from which packets of a node reach a pod, as the CNI makes them; flannel’s are addresses of the pod networks',
      )
      .meta({ example: ['10.244.0.0/32'] }),
  })
  .prefault({});

const seconds = (most: number) => z.int().min(1).max(most);
const intervalMilliseconds = z.int().min(10).max(60_000);
const multiplier = z.int().min(2).max(255);

/** Which networks of the other side are taken, and what is told to it. */
export const routes = z
  .strictObject({
    mode: z
      .enum(['static', 'bgp'])
      .default('static')
      .describe(
        'How networks behind the tunnels are known: `static`, from `tunnels.<name>.remote.networks`; `bgp`, from the remote ends of the tunnels with `bgp`',
      ),
    localAs: asNumber
      .optional()
      .describe('Number of our autonomous system, as the remote ends see it; absent: 64512 for `static`'),
    internalAs: asNumber
      .optional()
      .describe(
        'Number of the autonomous system between gateways and nodes, hidden from the remote ends; absent: `localAs`',
      )
      .meta({ example: 65_020 }),
    import: z
      .record(
        shortName.meta({ example: 'vpc' }),
        z.strictObject({
          cidr: cidr.describe('Network whose parts are taken from the remote ends').meta({ example: '10.0.0.0/16' }),
          maxLength: z
            .int()
            .min(0)
            .max(128)
            .optional()
            .describe(
              'Longest prefix length of its parts; absent: 24 of IPv4 and 64 of IPv6, or its own where that is longer',
            )
            .meta({ example: 24 }),
          whenDown: z
            .enum(['reject', 'pass'])
            .optional()
            .describe(
              'What nodes do with packets for it while no gateway knows the way: `reject` them, or `pass` them on in clear as their other routes say; absent: `reject`',
            ),
        }),
      )
      .default({})
      .describe('Networks that are taken from the remote ends, by name: nothing else is'),
    export: z
      .array(
        z
          .string()
          .regex(new RegExp(`^(?:pods|nodes|services|${CIDR_PATTERN.source.slice(1, -1)})$`))
          .meta({ noun: 'pods, nodes, services or a network in CIDR notation', example: 'pods' }),
      )
      .default(['pods', 'nodes', 'services'])
      .describe(
        'What the remote ends are told: `pods`, `nodes` and `services` are the networks of `cluster`, others are networks themselves',
      )
      .meta({ example: ['pods', '172.27.0.0/20'] }),
    maxPrefixes: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1000)
      .describe('Prefixes that a remote end may announce; one more ends its session for five minutes'),
    bfd: z
      .strictObject({
        intervalMilliseconds: intervalMilliseconds
          .default(300)
          .describe('Milliseconds between the packets by which gateways and nodes see each other (BFD, RFC 5880)'),
        multiplier: multiplier.default(5).describe('How many of them may be lost until the other counts as gone'),
      })
      .prefault({}),
    overlay: z
      .strictObject({
        nodeNetwork: ipv4Slash16
          .default('198.18.0.0/16')
          .describe('Addresses of the nodes between nodes and gateways: the last two bytes are those of the node'),
        gatewayNetwork: ipv4Slash16
          .default('198.19.0.0/16')
          .describe('Addresses of the gateways there: the last two bytes follow from the name'),
        ipv6Network: ipv6Cidr
          .default('fd76:706e:6f76::/64')
          .describe('IPv6 addresses of both, with the prefix length 64, used where `cluster` has IPv6 networks'),
        vni: z.int().min(1).max(16_777_215).default(4242).describe('VXLAN network identifier (RFC 7348)'),
        port: port.default(4790).describe('UDP port of the VXLAN packets between the nodes and the gateways’ pods'),
        mtuBytes: z
          .int()
          .min(1280)
          .max(9000)
          .optional()
          .describe(
            'MTU of the overlay in bytes; absent: the MTU of the gateway’s pod less 50, and that of the node less 100, since its network may add a header too',
          )
          .meta({ example: 1400 }),
      })
      .prefault({}),
  })
  .prefault({});

/** The BGP session with the remote end of a tunnel. */
export const bgp = z.strictObject({
  peerAs: asNumber.describe('Number of the remote end’s autonomous system').meta({ example: 64_514 }),
  peerAddress: address
    .optional()
    .describe('Address of the remote end’s BGP speaker; absent: `inside.remote`')
    .meta({ example: '10.2.255.30' }),
  keepaliveSeconds: seconds(21_845)
    .optional()
    .describe('Seconds between keepalives; absent: as the preset says')
    .meta({ example: 3 }),
  holdSeconds: z
    .int()
    .min(3)
    .max(65_535)
    .optional()
    .describe(
      'Seconds without a message until the session ends (RFC 4271), the smaller of both ends’; absent: as the preset says',
    )
    .meta({ example: 9 }),
  multihopTtl: z
    .int()
    .min(2)
    .max(255)
    .optional()
    .describe('Hops that packets of the session may take; absent: one, or as the preset says')
    .meta({ example: 2 }),
  password: z
    .strictObject({
      existingSecret: objectName.describe('Secret that holds the password').meta({ example: 'onprem-bgp' }),
      key: dataKey.optional().describe('Key of that Secret; absent: `password`').meta({ example: 'primary' }),
    })
    .optional()
    .describe('Password of the session (TCP MD5, RFC 2385); a change ends and begins it'),
  bfd: z
    .strictObject({
      intervalMilliseconds: intervalMilliseconds
        .optional()
        .describe('Milliseconds between BFD packets; absent: 300')
        .meta({ example: 500 }),
      multiplier: multiplier
        .optional()
        .describe('How many of them may be lost until the remote end counts as gone; absent: 5')
        .meta({ example: 3 }),
    })
    .optional()
    .describe(
      'BFD with the remote end (RFC 5881), which must have it turned on too: without its answers there is no session; absent: none',
    ),
  maxPrefixes: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Prefixes that this remote end may announce; absent: `routes.maxPrefixes`')
    .meta({ example: 100 }),
});

/** The agents on the nodes. */
export const agent = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .describe(
        'Whether an agent on every node leads packets for the remote networks to the gateways, and back, with their true addresses; absent: as `routes.mode` is `bgp`. One release with agents per cluster',
      ),
    cni: z
      .enum(['auto', 'bridge', 'veth', 'calico', 'cilium'])
      .default('auto')
      .describe(
        'How an agent knows which pod addresses are on its node: `bridge`, networks of a bridge (flannel, kubenet); `veth`, routes to single pods (kindnet, AWS VPC CNI); `calico`, its blocks; `cilium`, the network of cilium_host; `auto`: what of them it finds',
      ),
    podInterfaces: z
      .array(interfaceName)
      .default([])
      .describe(
        'Interfaces of a node whose networks inside `cluster.podCidrs` are its pods’, instead of what `cni` finds',
      )
      .meta({ example: ['cni0'] }),
    bfd: z
      .enum(['auto', 'on', 'off'])
      .default('auto')
      .describe(
        'Whether nodes and gateways see each other by BFD; `auto`: unless another daemon of the node has its ports, as MetalLB’s, when the hold time of BGP is what notices',
      ),
    healthPort: port.default(9812).describe('TCP port of the agent’s health server, at the addresses of the node'),
    maxUnavailable: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Agents that are renewed at the same time; routes stay meanwhile'),
    nodeSelector: labels
      .default({})
      .describe('Labels of the nodes that have an agent')
      .meta({ example: { 'kubernetes.io/os': 'linux' } }),
    tolerations: z
      .array(anyMap)
      .default([{ operator: 'Exists' }])
      .describe('Taints that the agents tolerate')
      .meta({ example: [{ operator: 'Exists', effect: 'NoSchedule' }] }),
    priorityClassName: objectName.default('system-node-critical').describe('Priority class of the agents'),
    resources: resources({
      requests: { cpu: '100m', memory: '96Mi', 'ephemeral-storage': '16Mi' },
      limits: { memory: '512Mi', 'ephemeral-storage': '64Mi' },
    }),
  })
  .prefault({});

export const drainTimeoutSeconds = z
  .int()
  .min(0)
  .max(3600)
  .default(120)
  .describe(
    'Seconds that a gateway that is to end, or to end tunnels for a change, waits for another one to be in service; 0: it does not wait',
  );

/** FRRouting, in the pods of gateways and agents. */
export const frr = z
  .strictObject({
    image: image({ registry: 'quay.io', repository: 'frrouting/frr', tag: '10.3.4' }),
    resources: resources({
      requests: { cpu: '100m', memory: '96Mi', 'ephemeral-storage': '16Mi' },
      limits: { memory: '512Mi', 'ephemeral-storage': '64Mi' },
    }),
  })
  .prefault({});

/** iproute2 and nft, for the networks of pods and nodes. */
export const network = z
  .strictObject({
    image: image({ registry: 'lscr.io', repository: 'linuxserver/wireguard', tag: '1.0.20250521-r1-ls110' }),
    resources: resources({
      requests: { cpu: '20m', memory: '32Mi', 'ephemeral-storage': '16Mi' },
      limits: { memory: '128Mi', 'ephemeral-storage': '64Mi' },
    }),
  })
  .prefault({});

import { z } from 'zod';
import { isIpv6 } from '../net/address';
import { CIDR_PATTERN } from '../net/cidr';
import { DNS_SUBDOMAIN_MAX_LENGTH, DNS_SUBDOMAIN_PATTERN } from '../net/name';
import { address, cidr } from '../../values/net';

/** A node of the cluster as the API server has it (core/v1 Node), as far as the ways of packets depend on it. */
export const nodeObject = z.looseObject({
  metadata: z.looseObject({
    name: z
      .string()
      .regex(DNS_SUBDOMAIN_PATTERN)
      .max(DNS_SUBDOMAIN_MAX_LENGTH)
      .meta({ noun: 'the name of a node', example: 'node1' }),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z
    .looseObject({
      // Empty where nobody has given it one.
      podCIDR: z
        .string()
        .regex(new RegExp(`^(?:|${CIDR_PATTERN.source.slice(1, -1)})$`))
        .meta({ noun: 'a network in CIDR notation', example: '10.244.1.0/24' })
        .optional(),
      podCIDRs: z.array(cidr).optional(),
      taints: z.array(z.looseObject({ key: z.string(), value: z.string().optional(), effect: z.string() })).optional(),
    })
    .optional(),
  status: z
    .looseObject({ addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).optional() })
    .optional(),
});

/** A taint of a node. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** A network of a node's pods, and where its object has it. */
export interface PodNetwork {
  readonly cidr: string;
  readonly from: string;
}

/** A node of the cluster. */
export interface ClusterNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Its addresses of the type InternalIP, in their order: the first one is what its pods get as `status.hostIP`. */
  readonly internalAddresses: readonly string[];
  /** At most one of each family. */
  readonly podNetworks: readonly PodNetwork[];
  /** The network that its object has for its pods, whatever the network plugin makes of it. */
  readonly podCidr?: string;
}

/** Annotations in which Cilium says which network a node's pods have: its own, which need not be that of the node's object. */
const CILIUM_NETWORKS = ['ipv4', 'ipv6'].map((family) => [
  `network.cilium.io/${family}-pod-cidr`,
  `io.cilium.network.${family}-pod-cidr`,
]);

/** A node from its object. */
export function nodeOf({ metadata, spec, status }: z.output<typeof nodeObject>): ClusterNode {
  const annotations = metadata.annotations ?? {};
  const ciliums = CILIUM_NETWORKS.flatMap((keys) => {
    const key = keys.find((one) => cidr.safeParse(annotations[one]).success);
    return key === undefined ? [] : [{ cidr: annotations[key] ?? '', from: `annotation ${key}` }];
  });
  const several = (spec?.podCIDRs ?? []).map((network, index) => ({
    cidr: network,
    from: `spec.podCIDRs[${String(index)}]`,
  }));
  const one = [{ cidr: spec?.podCIDR ?? '', from: 'spec.podCIDR' }].filter((network) => network.cidr !== '');
  const all = [...ciliums, ...one, ...several];
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations,
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value: value ?? '', effect })),
    internalAddresses: (status?.addresses ?? [])
      .filter((given) => given.type === 'InternalIP' && address.safeParse(given.address).success)
      .map((given) => given.address),
    podNetworks: [false, true].flatMap((family) => all.find((network) => isIpv6(network.cidr) === family) ?? []),
    ...one.map((network) => ({ podCidr: network.cidr }))[0],
  };
}

/** A toleration of a pod (core/v1 Toleration). */
export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/** What a pod of a DaemonSet in the network of the host tolerates anyway (Kubernetes, DaemonSet, "Taints and tolerations"). */
const CONDITIONS = [
  ...['not-ready', 'unreachable', 'disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'],
  'network-unavailable',
].map((condition) => `node.kubernetes.io/${condition}`);

/** Whether labels have all that a selector wants. */
export const hasLabels = (
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean => Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);

/** The taint that keeps a pod of a DaemonSet in the network of the host off a node, if there is one. */
export function refusingTaint({ taints }: ClusterNode, tolerations: readonly Toleration[]): Taint | undefined {
  return taints.find(
    (taint) =>
      ['NoSchedule', 'NoExecute'].includes(taint.effect) &&
      !CONDITIONS.includes(taint.key) &&
      !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

function tolerates({ key = '', operator, value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  return operator === 'Exists' ? key === '' || key === taint.key : key === taint.key && value === taint.value;
}

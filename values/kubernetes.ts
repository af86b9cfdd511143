import { z } from 'zod';
import {
  ANNOTATION_KEY_PATTERN,
  DNS_SUBDOMAIN_MAX_LENGTH,
  DNS_SUBDOMAIN_PATTERN,
  IMAGE_DIGEST_PATTERN,
  IMAGE_REGISTRY_PATTERN,
  IMAGE_REPOSITORY_PATTERN,
  IMAGE_TAG_PATTERN,
  LABEL_KEY_PATTERN,
  LABEL_VALUE_PATTERN,
  QUALIFIED_NAME_MAX_LENGTH,
  QUANTITY_PATTERN,
} from '../lib/net/name';
import { address, cidr, dnsLabel, port } from './net';
import { text } from './text';

/*
 * Values that every workload has. The names are those of `helm create` first, then those that most charts share.
 */

/** The name of a Kubernetes object. */
export const objectName = z
  .string()
  .regex(DNS_SUBDOMAIN_PATTERN)
  .max(DNS_SUBDOMAIN_MAX_LENGTH)
  .meta({ noun: 'the name of a Kubernetes object', example: 'wireguard-keys' });

/** The key of an entry of a Secret or a ConfigMap. */
export const dataKey = z
  .string()
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/)
  .max(253)
  .meta({ noun: 'a key of a Secret', example: 'private-key' });

const labelKey = z.string().regex(LABEL_KEY_PATTERN).max(QUALIFIED_NAME_MAX_LENGTH);
/** The value of a label. */
export const labelValue = z.string().regex(LABEL_VALUE_PATTERN).meta({ noun: 'the value of a label', example: 'vpn' });
const annotationKey = z.string().regex(ANNOTATION_KEY_PATTERN).max(QUALIFIED_NAME_MAX_LENGTH);

/** Labels. */
export const labels = z.record(labelKey, labelValue);
/** Annotations. */
export const annotations = z.record(annotationKey, text);

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Any value but null, which Kubernetes drops and Helm keeps. */
type Anything = string | number | boolean | Anything[] | { [key: string]: Anything };
const anything: z.ZodType<Anything> = z.lazy(() =>
  z.union([text, z.number().min(-LARGEST).max(LARGEST), z.boolean(), z.array(anything), anyMap]),
);
/** A part of a Kubernetes object, passed on as it is. */
export const anyMap = z
  .record(z.string().regex(/^_?[A-Za-z0-9.$\/-][A-Za-z0-9.$\/_-]*$/), anything)
  .meta({ noun: 'a part of a Kubernetes object, without null' });

/** A quantity of Kubernetes: `100m`, `128Mi`, or a number. */
export const quantity = z
  .union([z.string().regex(QUANTITY_PATTERN), z.int().min(0).max(LARGEST)])
  .meta({ noun: 'a quantity', example: '128Mi' });

/** Resources of a container. */
export function resources(defaults: {
  requests: Record<string, string>;
  limits: Record<string, string>;
}): z.ZodPrefault<
  z.ZodObject<{ requests: z.ZodDefault<typeof quantities>; limits: z.ZodDefault<typeof quantities> }, z.core.$strict>
> {
  return z
    .strictObject({
      requests: quantities.default(defaults.requests).describe('What the container is sure to get'),
      limits: quantities.default(defaults.limits).describe('What the container may use at most'),
    })
    .prefault({});
}
const quantities = z.record(labelKey, quantity);

export const pullSecrets = z.array(
  z.strictObject({ name: objectName.describe('Name of the Secret').meta({ example: 'registry' }) }),
);

/** What other charts of an umbrella may find in `global`. */
type Unread = string | number | boolean | null | Unread[] | { [key: string]: Unread };
const unread: z.ZodType<Unread> = z.lazy(() =>
  z.union([text, z.number(), z.boolean(), z.null(), z.array(unread), z.record(text, unread)]),
);

/** Values that an umbrella chart hands to all its subcharts. */
export const global = z
  .looseObject({
    imageRegistry: z
      .string()
      .regex(IMAGE_REGISTRY_PATTERN)
      .optional()
      .describe('Registry that all images are taken from, instead of their own')
      .meta({ noun: 'an image registry', example: 'registry.example.com' }),
    imagePullSecrets: pullSecrets
      .default([])
      .describe('Secrets for pulling images, for all charts of the release')
      .meta({ example: [{ name: 'registry' }] }),
  })
  .catchall(unread)
  .prefault({});

/** An image; `defaults` are its published place and version. */
export function image<D extends { registry: string; repository: string; tag: string }>(defaults: D) {
  return z
    .strictObject({
      registry: imageRegistry.default(defaults.registry).describe('Registry of the image'),
      repository: imageRepository.default(defaults.repository).describe('Repository of the image'),
      tag: imageTag.default(defaults.tag).describe('Tag of the image'),
      ...imageRest,
    })
    .prefault({});
}

const imageRegistry = z
  .string()
  .regex(IMAGE_REGISTRY_PATTERN)
  .meta({ noun: 'an image registry', example: 'docker.io' });
const imageRepository = z
  .string()
  .regex(IMAGE_REPOSITORY_PATTERN)
  .meta({ noun: 'the repository of an image', example: 'linuxserver/wireguard' });
const imageTag = z.string().regex(IMAGE_TAG_PATTERN).meta({ noun: 'the tag of an image, quoted', example: '1.0' });
const imageRest = {
  digest: z
    .string()
    .regex(IMAGE_DIGEST_PATTERN)
    .optional()
    .describe('Digest of the image; it wins over the tag')
    .meta({ noun: 'the digest of an image', example: `sha256:${'0'.repeat(64)}` }),
  pullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When the node pulls the image'),
};

/** An image that has no default: without a repository it is not used. */
export const optionalImage = z
  .strictObject({
    registry: imageRegistry.default('docker.io').describe('Registry of the image'),
    repository: imageRepository
      .optional()
      .describe('Repository of the image; absent: not used')
      .meta({ example: 'example/wireguard-go' }),
    tag: imageTag.default('latest').describe('Tag of the image'),
    ...imageRest,
  })
  .prefault({});

/** How often a probe asks, and how often it may fail. */
export function probe(defaults: { periodSeconds: number; timeoutSeconds: number; failureThreshold: number }) {
  return z
    .strictObject({
      periodSeconds: z.int().min(1).max(3600).default(defaults.periodSeconds).describe('Seconds between two probes'),
      timeoutSeconds: z
        .int()
        .min(1)
        .max(3600)
        .default(defaults.timeoutSeconds)
        .describe('Seconds until a probe counts as failed'),
      failureThreshold: z
        .int()
        .min(1)
        .max(100)
        .default(defaults.failureThreshold)
        .describe('Failed probes in a row until it counts'),
    })
    .prefault({});
}

/** Who lets a pod pass packets on. */
export const ipForwarding = z
  .strictObject({
    method: z
      .enum(['init', 'sysctl', 'assume'])
      .default('init')
      .describe(
        'Who turns on forwarding in the pod: `init`, a small privileged init container that looks first; `sysctl`, the kubelet (it must allow the unsafe sysctls); `assume`, it is on already',
      ),
  })
  .prefault({});

/** Names and labels of the objects of a release. */
export const naming = {
  nameOverride: dnsLabel.max(40).optional().describe('Instead of the chart’s name in the names of the objects'),
  fullnameOverride: dnsLabel
    .max(50)
    .optional()
    .describe('Name of the objects, instead of one made of release and chart'),
  commonLabels: labels
    .default({})
    .describe('Labels of all objects')
    .meta({ example: { team: 'network' } }),
  commonAnnotations: annotations
    .default({})
    .describe('Annotations of all objects')
    .meta({ example: { 'example.com/owner': 'network team' } }),
};

/** What the pod of a workload has. */
export const pod = {
  podLabels: labels
    .default({})
    .describe('Labels of the pod')
    .meta({ example: { team: 'network' } }),
  podAnnotations: annotations
    .default({})
    .describe('Annotations of the pod')
    .meta({ example: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } }),
  imagePullSecrets: pullSecrets
    .default([])
    .describe('Secrets for pulling images')
    .meta({ example: [{ name: 'registry' }] }),
  nodeSelector: labels
    .default({})
    .describe('Labels that a node must have to run the pod')
    .meta({ example: { 'kubernetes.io/os': 'linux' } }),
  tolerations: z
    .array(anyMap)
    .default([])
    .describe('Taints that the pod tolerates')
    .meta({ example: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }] }),
  lostNodeSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(30)
    .describe(
      'Seconds until the pod of a node that is not ready starts on another one, whatever `tolerations` say; the cluster needs 40 to 50 s before that to notice',
    ),
  affinity: anyMap
    .default({})
    .describe('Affinity of the pod')
    .meta({
      example: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'example.com/vpn', operator: 'Exists' }] }],
          },
        },
      },
    }),
  topologySpreadConstraints: z
    .array(anyMap)
    .default([])
    .describe('How the pod is spread over the cluster')
    .meta({
      example: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }],
    }),
  priorityClassName: objectName
    .optional()
    .describe('Priority class of the pod')
    .meta({ example: 'system-cluster-critical' }),
  runtimeClassName: objectName.optional().describe('Runtime class of the pod').meta({ example: 'runc' }),
  schedulerName: objectName.optional().describe('Scheduler of the pod').meta({ example: 'default-scheduler' }),
  terminationGracePeriodSeconds: z.int().min(0).max(86400).default(10).describe('Seconds that the pod has to end'),
  revisionHistoryLimit: z.int().min(0).max(100).default(3).describe('Old ReplicaSets that are kept for a rollback'),
  dnsPolicy: z
    .enum(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'])
    .optional()
    .describe('DNS policy of the pod'),
  dnsConfig: anyMap
    .default({})
    .describe('DNS configuration of the pod')
    .meta({ example: { nameservers: ['10.96.0.10'] } }),
  hostAliases: z
    .array(anyMap)
    .default([])
    .describe('Entries for the pod’s hosts file')
    .meta({ example: [{ ip: '10.0.0.7', hostnames: ['registry.example.com'] }] }),
  extraEnv: z
    .array(anyMap)
    .default([])
    .describe('More environment variables of the main container')
    .meta({ example: [{ name: 'TZ', value: 'UTC' }] }),
  extraVolumes: z
    .array(anyMap)
    .default([])
    .describe('More volumes of the pod')
    .meta({ example: [{ name: 'notes', configMap: { name: 'notes' } }] }),
  extraVolumeMounts: z
    .array(anyMap)
    .default([])
    .describe('More volume mounts of the main container')
    .meta({ example: [{ name: 'notes', mountPath: '/notes' }] }),
  extraInitContainers: z
    .array(anyMap)
    .default([])
    .describe('More init containers, run first')
    .meta({ example: [{ name: 'wait', image: 'docker.io/library/busybox:1.37.0', command: ['sleep', '5'] }] }),
  extraContainers: z
    .array(anyMap)
    .default([])
    .describe('More containers of the pod')
    .meta({ example: [{ name: 'log', image: 'docker.io/library/busybox:1.37.0', command: ['sleep', 'infinity'] }] }),
};

/** The service account of a workload that never asks the API. */
export const serviceAccount = z
  .strictObject({
    create: z.boolean().default(true).describe('Whether to make a service account, which has no token and no rights'),
    name: objectName
      .optional()
      .describe('Name of the service account; absent: the full name, or `default` if none is made')
      .meta({ example: 'vpn' }),
    annotations: annotations
      .default({})
      .describe('Annotations of the service account')
      .meta({ example: { 'example.com/role': 'vpn' } }),
  })
  .prefault({});

/** `v1`, `apps/v1`, `cilium.io/v2alpha1`. */
const apiVersion = z
  .string()
  .regex(new RegExp(`^(?:${DNS_SUBDOMAIN_PATTERN.source.slice(1, -1)}/)?[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`))
  .max(DNS_SUBDOMAIN_MAX_LENGTH + 1 + 63)
  .meta({ noun: 'an API version', example: 'v1' });

const kind = z
  .string()
  .regex(/^[A-Za-z](?:[A-Za-z0-9]{0,61}[A-Za-z0-9])?$/)
  .meta({ noun: 'the kind of an object', example: 'ConfigMap' });

/**
 * Whole objects that are installed beside the chart's own. They are passed on as they are, so null is no way to leave
 * a key out, and what Helm itself reads of an object must have its type.
 */
export const extraObjects = z
  .array(
    z
      .looseObject({
        apiVersion: apiVersion.describe('API version of the object'),
        kind: kind.describe('Kind of the object'),
        metadata: z
          .looseObject({
            name: objectName.describe('Name of the object').meta({ example: 'notes' }),
            namespace: dnsLabel
              .optional()
              .describe('Namespace of the object; absent: that of the release')
              .meta({ example: 'vpn' }),
            labels: labels
              .optional()
              .describe('Labels of the object')
              .meta({ example: { team: 'network' } }),
            annotations: annotations
              .optional()
              .describe('Annotations of the object')
              .meta({ example: { 'example.com/owner': 'network team' } }),
          })
          .catchall(anything)
          .meta({ asIs: true })
          .describe('Metadata of the object'),
      })
      .catchall(anything)
      .meta({ asIs: true }),
  )
  .default([])
  .describe('More objects, installed as they are')
  .meta({
    example: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'notes' }, data: { owner: 'network team' } }],
  });

/** Which load balancer a Service gets, and which address. */
export const loadBalancer = {
  loadBalancerClass: z
    .string()
    .regex(LABEL_KEY_PATTERN)
    .optional()
    .describe('Class of the load balancer')
    .meta({ noun: 'a load balancer class', example: 'example.com/nlb' }),
  loadBalancerIP: address
    .optional()
    .describe('Static address of the load balancer, where the cloud takes it from here')
    .meta({ example: '203.0.113.10' }),
};

/** Who may reach a load balancer. */
export const loadBalancerSourceRanges = z
  .array(cidr)
  .describe('Networks that the load balancer lets in; empty: all')
  .meta({ example: ['198.51.100.0/24'] });

/** A Service for one UDP port. */
export const udpService = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether there is a Service; without one, use `hostPort`'),
    type: z.enum(['LoadBalancer', 'NodePort', 'ClusterIP']).default('LoadBalancer').describe('Type of the Service'),
    port: port.default(51820).describe('UDP port of the Service'),
    nodePort: port
      .optional()
      .describe('UDP port on every node, for the types NodePort and LoadBalancer')
      .meta({ example: 31820 }),
    annotations: annotations
      .default({})
      .describe('Annotations of the Service')
      .meta({ example: { 'external-dns.alpha.kubernetes.io/hostname': 'vpn.example.com' } }),
    labels: labels
      .default({})
      .describe('Labels of the Service')
      .meta({ example: { team: 'network' } }),
    clusterIP: z
      .union([address, z.literal('None')])
      .optional()
      .describe('Cluster address of the Service')
      .meta({ noun: 'an IP address or None', example: '10.96.0.53' }),
    ...loadBalancer,
    loadBalancerSourceRanges: loadBalancerSourceRanges.default([]),
    allocateLoadBalancerNodePorts: z.boolean().optional().describe('Whether the load balancer gets node ports'),
    externalIPs: z
      .array(address)
      .default([])
      .describe('External addresses of the Service')
      .meta({ example: ['203.0.113.10'] }),
    externalTrafficPolicy: z
      .enum(['Cluster', 'Local'])
      .optional()
      .describe('`Local` keeps the client’s address and uses only the node of the pod'),
    internalTrafficPolicy: z
      .enum(['Cluster', 'Local'])
      .optional()
      .describe('The same for traffic from inside the cluster'),
    sessionAffinity: z.enum(['None', 'ClientIP']).optional().describe('Whether a client stays on one pod'),
    ipFamilies: z
      .array(z.enum(['IPv4', 'IPv6']))
      .max(2)
      .default([])
      .describe('IP families of the Service; empty: the cluster’s')
      .meta({ example: ['IPv4', 'IPv6'] }),
    ipFamilyPolicy: z
      .enum(['SingleStack', 'PreferDualStack', 'RequireDualStack'])
      .optional()
      .describe('Whether the Service has one family or both'),
  })
  .prefault({});

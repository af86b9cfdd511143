import { z } from 'zod';
import { address, dnsLabel, name as portName, port, serviceName } from '../../values/net';
import type { JsonObject } from '../helm/values-file';
import { networkBits } from '../net/cidr';
import { DNS_SUBDOMAIN_MAX_LENGTH, DNS_SUBDOMAIN_PATTERN } from '../net/name';
import { InputError } from '../staged/input-error';
import { parsedObject, type ReadObject } from './read-objects';

/*
 * Services without a selector, whose Endpoints or EndpointSlices somebody has written by hand, as services of peers.
 */

/** A peer, as far as its Services depend on it. */
export interface ServingPeer {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly routedNetworks: readonly string[];
}

const texts = z.record(z.string(), z.string()).optional();

/** The metadata of an object. */
export const metadata = z.looseObject({
  name: z
    .string()
    .regex(DNS_SUBDOMAIN_PATTERN)
    .max(DNS_SUBDOMAIN_MAX_LENGTH)
    .meta({ noun: 'the name of an object', example: 'printer' }),
  namespace: dnsLabel.optional(),
  labels: texts,
  annotations: texts,
});

const protocol = z.enum(['TCP', 'UDP', 'SCTP']);

const service = z.looseObject({
  metadata,
  spec: z.looseObject({
    selector: texts,
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).optional(),
    clusterIP: z.string().optional(),
    ports: z
      .array(
        z.looseObject({
          name: portName.optional(),
          port,
          protocol: protocol.optional(),
          appProtocol: z.string().optional(),
        }),
      )
      .optional(),
  }),
});
type Service = z.output<typeof service>;

const servingPort = z.looseObject({ name: z.string().optional(), port: port.optional() });

const endpoints = z.looseObject({
  metadata,
  subsets: z
    .array(
      z.looseObject({
        addresses: z.array(z.looseObject({ ip: address })).optional(),
        notReadyAddresses: z.array(z.looseObject({ ip: address })).optional(),
        ports: z.array(servingPort).optional(),
      }),
    )
    .optional(),
});

const endpointSlice = z.looseObject({
  metadata,
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z.looseObject({ ready: z.boolean().optional() }).optional(),
      }),
    )
    .optional(),
  ports: z.array(servingPort).optional(),
});

/** What `kubectl` and the API server write themselves. */
const OF_THE_API = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** What the API server gives a Service that says nothing. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  sessionAffinity: 'None',
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  publishNotReadyAddresses: false,
  allocateLoadBalancerNodePorts: true,
};
/** Keys that become values, or follow from them. */
const OF_A_SERVICE = ['selector', 'type', 'clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'ports'];
const OF_A_PORT = ['name', 'port', 'targetPort', 'protocol', 'appProtocol'];
/** Whose EndpointSlices are copies of Endpoints. */
const MIRROR = 'endpointslicemirroring-controller.k8s.io';

/** Addresses that serve the same ports. */
interface Backend {
  /** `Endpoints shop/printer`. */
  readonly label: string;
  readonly isCopy: boolean;
  readonly addresses: readonly string[];
  readonly ports: readonly z.output<typeof servingPort>[];
  /** What of it is lost. */
  readonly lost: readonly string[];
}

/** What stands at the beginning of a line of the report: `Service shop/printer`. */
export const labelOf = (kind: string, { namespace, name }: z.output<typeof metadata>): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** What is lost of the metadata of an object, less what is known to be kept. */
export function lostOfMetadata(given: z.output<typeof metadata>, kept: readonly string[]): string[] {
  const own = ['name', 'namespace', 'labels', 'annotations', ...OF_THE_API];
  const hasMore = (of: Readonly<Record<string, string>> | undefined): boolean =>
    Object.keys(of ?? {}).some((key) => key !== LAST_APPLIED);
  return [
    ...(['labels', 'annotations'] as const).filter((key) => !kept.includes(key) && hasMore(given[key])),
    ...Object.keys(given).filter((key) => !own.includes(key)),
  ].map((key) => `metadata.${shown(key)}: is left out`);
}

/** What is lost of an object whose known keys these are. */
export const lostKeys = (path: string, object: object, known: readonly string[]): string[] =>
  Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}.${shown(key)}: is left out`);

const shown = (key: string): string => (/^[\w.-]+$/.test(key) ? key : JSON.stringify(key));

/** Collects Services and what serves them, and finds the peers that they are of. */
export class ServicesOfPeers {
  readonly #services = new Map<string, { readonly service: Service; readonly place: string }>();
  readonly #backends = new Map<string, Backend[]>();
  readonly #strays: string[] = [];

  /**
   * Takes an object of one of these kinds.
   *
   * @returns whether it is of one
   * @throws InputError with every problem of it
   */
  take(object: ReadObject): boolean {
    if (object.kind === 'Service') this.#takeService(object);
    else if (object.kind === 'Endpoints') this.#takeEndpoints(parsedObject(endpoints, object));
    else if (object.kind === 'EndpointSlice') this.#takeSlice(parsedObject(endpointSlice, object));
    else return false;
    return true;
  }

  #takeService(object: ReadObject): void {
    const found = parsedObject(service, object);
    const label = labelOf('Service', found.metadata);
    const place = object.place(object.at);
    const other = this.#services.get(label);
    if (other !== undefined) {
      const { name } = found.metadata;
      throw new InputError([
        `${place}: is a Service of the same name as at ${other.place}, got ${JSON.stringify(name)}; keep one of them`,
      ]);
    }
    this.#services.set(label, { service: found, place });
  }

  #takeEndpoints({ metadata: of, subsets = [] }: z.output<typeof endpoints>): void {
    const label = labelOf('Endpoints', of);
    for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
      const path = `${label} subsets[${String(index)}]`;
      this.#add(of, {
        label,
        isCopy: false,
        addresses: addresses.map(({ ip }) => ip),
        ports,
        lost: [
          ...addresses.flatMap((one, at) => lostKeys(`${path}.addresses[${String(at)}]`, one, ['ip'])),
          ...(notReadyAddresses.length === 0 ? [] : [`${path}.notReadyAddresses: are left out: they serve nothing`]),
        ],
      });
    }
  }

  #takeSlice({ metadata: of, addressType, endpoints: all = [], ports = [] }: z.output<typeof endpointSlice>): void {
    const label = labelOf('EndpointSlice', of);
    const name = of.labels?.['kubernetes.io/service-name'];
    if (name === undefined || addressType === 'FQDN') {
      const reason = name === undefined ? 'no label says of which Service it is' : 'its addresses are names';
      this.#strays.push(`${label}: is left out: ${reason}`);
      return;
    }
    const path = (index: number): string => `${label} endpoints[${String(index)}]`;
    const isReady = ({ conditions }: (typeof all)[number]): boolean => conditions?.ready !== false;
    this.#add(
      { ...of, name },
      {
        label,
        isCopy: of.labels?.['endpointslice.kubernetes.io/managed-by'] === MIRROR,
        addresses: all
          .filter(isReady)
          .flatMap(({ addresses }) => addresses.filter((one) => address.safeParse(one).success)),
        ports,
        lost: all.flatMap((one, index) =>
          isReady(one)
            ? lostKeys(path(index), one, ['addresses', 'conditions'])
            : [`${path(index)}: is left out: it is not ready`],
        ),
      },
    );
  }

  #add(of: z.output<typeof metadata>, backend: Backend): void {
    const label = labelOf('Service', of);
    this.#backends.set(label, [...(this.#backends.get(label) ?? []), backend]);
  }

  /** The Services of peers, by the names of these, and what became of everything that was taken. */
  of(peers: readonly ServingPeer[]): {
    readonly services: ReadonlyMap<string, JsonObject>;
    readonly report: readonly string[];
  } {
    const ownerOf = owners(peers);
    const found = new Map<string, Record<string, JsonObject>>();
    const report: string[] = [];
    let selected = 0;
    for (const [label, { service: one }] of this.#services) {
      const { selector = {} } = one.spec;
      if (Object.keys(selector).length > 0) {
        selected++;
        continue;
      }
      const result = serviceOf(one, this.#backendsOf(label), ownerOf);
      if (typeof result === 'string') {
        report.push(`${label}: is left out: ${result}`);
        continue;
      }
      const { name } = one.metadata;
      const ofPeer = found.get(result.peer.name) ?? {};
      found.set(result.peer.name, ofPeer);
      if (Object.hasOwn(ofPeer, name)) {
        report.push(`${label}: is left out: peers.${result.peer.name} has a Service of that name in another namespace`);
        continue;
      }
      ofPeer[name] = result.value;
      report.push(`${label}: is peers.${result.peer.name}.services.${name}`, ...result.report);
    }
    if (selected > 0)
      report.push(`Services with a selector: are left out, ${String(selected)} of them: pods serve them`);
    return { services: found, report: [...report, ...this.#strays, ...this.#unclaimed()] };
  }

  /** The control plane copies Endpoints into EndpointSlices, which `kubectl` prints as well. */
  #backendsOf(label: string): Backend[] {
    const all = this.#backends.get(label) ?? [];
    const originals = all.filter(({ isCopy }) => !isCopy);
    return originals.length > 0 ? originals : all;
  }

  #unclaimed(): string[] {
    const left = [...this.#backends].filter(([label]) => !this.#services.has(label)).flatMap(([, all]) => all);
    return [...new Set(left.map(({ label }) => `${label}: is left out: its Service is not among the objects`))];
  }
}

/** Finds the peer whose addresses and networks hold an address: the most specific one, as WireGuard does. */
function owners(peers: readonly ServingPeer[]): (address: string) => ServingPeer | undefined {
  const byBits = new Map(
    peers.flatMap((peer) =>
      [...peer.addresses, ...peer.routedNetworks].map((network) => [networkBits(network), peer] as const),
    ),
  );
  return (given) => {
    const bits = networkBits(given);
    for (let length = bits.length; length >= '4.'.length; length--) {
      const peer = byBits.get(bits.slice(0, length));
      if (peer !== undefined) return peer;
    }
    return undefined;
  };
}

interface FoundService {
  readonly peer: ServingPeer;
  readonly value: JsonObject;
  readonly report: readonly string[];
}

/** A Service as a value, or why it is none. */
function serviceOf(
  { metadata: of, spec }: Service,
  backends: readonly Backend[],
  ownerOf: (address: string) => ServingPeer | undefined,
): FoundService | string {
  const label = labelOf('Service', of);
  if (spec.type === 'ExternalName') return 'it is a name of DNS (ExternalName)';
  if (!serviceName.safeParse(of.name).success)
    return 'its name does not begin with a letter, and is none of a Service here';
  const addresses = [
    ...new Map(backends.flatMap((one) => one.addresses).map((one) => [networkBits(one), one])).values(),
  ];
  if (addresses.length === 0)
    return 'neither Endpoints nor an EndpointSlice of it, with an address, is among the objects';
  const stranger = addresses.find((one) => ownerOf(one) === undefined);
  if (stranger !== undefined) return `${stranger} is in the allowedIPs of no peer`;
  const [peer, another] = [...new Set(addresses.map(ownerOf))];
  if (peer === undefined) throw new TypeError('every address has an owner');
  if (another !== undefined)
    return `its addresses are of ${peer.name} and of ${another.name}, and a Service here is of one peer`;

  const serving = backends.filter((one) => one.addresses.length > 0);
  const ports: [string, JsonObject][] = [];
  const report: string[] = [];
  for (const [index, given] of (spec.ports ?? []).entries()) {
    const path = `${label} spec.ports[${String(index)}]`;
    const targets = new Set(serving.map((one) => one.ports.find(({ name = '' }) => name === (given.name ?? ''))?.port));
    const [target, different] = [...targets];
    if (targets.size > 1)
      return `not all of its addresses serve its port ${String(given.port)} at one port, got ${[...targets].map((one) => String(one ?? 'none')).join(' and ')}`;
    if (target === undefined || different !== undefined) {
      report.push(
        `${path}: is left out: no address serves a port of ${given.name === undefined ? 'no name' : 'its name'}`,
      );
      continue;
    }
    const name = given.name ?? `${(given.protocol ?? 'TCP').toLowerCase()}-${String(given.port)}`;
    if (given.name === undefined) report.push(`${path}: has no name, and is ${name}`);
    report.push(...lostKeys(path, given, OF_A_PORT));
    ports.push([name, portValue(given, target)]);
  }
  if (ports.length === 0) return 'it has no port that an address serves';
  return {
    peer,
    value: {
      ...(of.namespace !== undefined && { namespace: of.namespace }),
      ...(!isSame(addresses, peer.addresses) && { addresses }),
      ports: Object.fromEntries(ports),
      ...annotationValues(of.annotations),
    },
    report: [
      ...report,
      ...lostOfService(label, of, spec),
      ...new Set(
        serving
          .filter(({ label: from }) => from.startsWith('Endpoints '))
          .map(({ label: from }) => `${from}: ${DEPRECATED}`),
      ),
      ...backends.flatMap(({ lost }) => lost),
    ],
  };
}

const DEPRECATED = 'becomes EndpointSlices; Endpoints are deprecated since Kubernetes 1.33';

function portValue(
  { port: own, protocol: of, appProtocol }: NonNullable<Service['spec']['ports']>[number],
  target: number,
): JsonObject {
  return {
    port: own,
    ...(target !== own && { targetPort: target }),
    ...(of !== undefined && of !== 'TCP' && { protocol: of }),
    ...(appProtocol !== undefined && { appProtocol }),
  };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  const textOf = (addresses: readonly string[]): string => addresses.map(networkBits).sort().join();
  return textOf(some) === textOf(others);
}

function annotationValues(given: Readonly<Record<string, string>> = {}): JsonObject {
  const kept = Object.entries(given).filter(([key]) => key !== LAST_APPLIED);
  return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}

function lostOfService(label: string, of: z.output<typeof metadata>, spec: Service['spec']): string[] {
  const { type = 'ClusterIP', clusterIP } = spec;
  const others = Object.entries(spec).filter(([key, value]) => !OF_A_SERVICE.includes(key) && value !== DEFAULTS[key]);
  return [
    ...lostOfMetadata(of, ['annotations']),
    ...(type === 'ClusterIP' ? [] : [`spec.type: ${type} is left out: the Service is for the cluster`]),
    ...(clusterIP === undefined || clusterIP === ''
      ? []
      : [
          `spec.clusterIP: ${JSON.stringify(clusterIP)} is left out: the Service gets another address, and is found by its name`,
        ]),
    ...others.map(([key]) => `spec.${shown(key)}: is left out`),
  ].map((line) => `${label} ${line}`);
}

import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { z } from 'zod';
import { overlapChecks, type Rules } from '../kubernetes/checks';
import type { Naming } from '../kubernetes/metadata';
import { isV4, isV6 } from '../kubernetes/networks';
import {
  and,
  bind,
  check,
  choose,
  contains,
  each,
  eq,
  ForEach,
  hasPrefix,
  isEmpty,
  join,
  mapOf,
  named,
  ne,
  networkBits,
  not,
  Only,
  or,
  orElse,
  pathOf,
  release,
  Resource,
  some,
  text,
  when,
  type Expr,
  type Manifest,
  type Ref,
} from '../staged';
import { address } from '../../values/net';
import type { peerServices as values } from '../../values/peers';
import type { Peers } from './checks';

type ServiceValues = Ref<z.output<typeof values>[string]>;
type PortValues = Ref<z.output<typeof values>[string]['ports'][string]>;

const FAMILIES = [
  { name: 'IPv4', isOfIt: isV4 },
  { name: 'IPv6', isOfIt: isV6 },
] as const;
const BOTH = 'IPv4 IPv6';

/** The families of addresses, of which no text of IPv4 has a colon, and none of IPv6 a dot. */
const familiesOf = named('addressFamilies', { addresses: z.array(address) }, ({ addresses }) => {
  const all = join(' ', addresses);
  return choose(isV6(all), choose(contains('.', all), BOTH, 'IPv6'), 'IPv4');
});

const namespaceOf = (service: ServiceValues): Expr<string> => orElse(service.namespace, release.namespace);
const protocolOf = (port: PortValues): Expr<string> => orElse<string>(port.protocol, 'TCP');

/**
 * The Services of the cluster for what peers serve, each with its EndpointSlices, one for each family of addresses (Kubernetes, Services
 * without selectors).
 */
export function peerServices(scope: Construct, peers: Peers, names: Naming): void {
  // Else what finds Services by their labels would take them for those of the workload.
  const naming = names.part('peers');
  new ForEach(scope, 'ServingPeers', peers, (ofPeer, peer) => {
    new ForEach(ofPeer, 'Services', peer.services, (inner, service, name) => {
      const addresses = orElse(service.addresses, peer.addresses);
      const families = familiesOf({ addresses });
      const namespace = namespaceOf(service);
      new Resource(inner, 'PeerService', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { ...naming.metadata({ annotations: mapOf<string>(service.annotations) }), name, namespace },
        spec: {
          ipFamilyPolicy: when(eq(families, BOTH), () => 'PreferDualStack'),
          // A cluster of one family takes no other.
          ipFamilies: [when(ne(families, BOTH), () => families)],
          ports: each(service.ports, (port, value) => ({
            name: port,
            port: value.port,
            targetPort: orElse(value.targetPort, value.port),
            protocol: protocolOf(value),
            appProtocol: value.appProtocol,
          })),
        },
      } satisfies Manifest<k8s.KubeServiceProps>);
      for (const { name: family, isOfIt } of FAMILIES) {
        new Only(inner, family, contains(family, families), (one) => {
          new Resource(one, `Peer${family}Endpoints`, {
            apiVersion: 'discovery.k8s.io/v1',
            kind: 'EndpointSlice',
            metadata: {
              ...naming.metadata({
                labels: mapOf<string>({
                  'kubernetes.io/service-name': name,
                  'endpointslice.kubernetes.io/managed-by': release.service,
                }),
              }),
              name: text`${name}-${family.toLowerCase()}`,
              namespace,
            },
            addressType: family,
            endpoints: each(addresses, (address) => when(isOfIt(address), () => ({ addresses: [address] }))),
            ports: each(service.ports, (port, value) => ({
              name: port,
              port: orElse(value.targetPort, value.port),
              protocol: protocolOf(value),
              appProtocol: value.appProtocol,
            })),
          } satisfies Manifest<k8s.KubeEndpointSliceProps>);
        });
      }
    });
  });
}

/**
 * The rules of services of peers.
 *
 * @param own the names of the Services that the release has beside them
 */
export function peerServiceChecks(peers: Peers, own: readonly Expr<string>[]): Rules {
  return [
    each(peers, (_name, peer) =>
      each(peer.services, (name, service) => [
        check({
          failsIf: isEmpty(service.ports),
          at: service.ports,
          problem: 'is empty, and a Service has a port at least',
          remedy: 'name a port, such as http: {port: 80}',
        }),
        ...(own.length === 0
          ? []
          : [
              check({
                failsIf: and(eq(namespaceOf(service), release.namespace), or(...own.map((other) => eq(name, other)))),
                at: service,
                problem: 'has the name of a Service of the release itself',
                got: name,
                remedy: 'choose another name',
              }),
            ]),
        each(service.addresses, (address) =>
          bind('bits', networkBits(address), (bits) =>
            check({
              failsIf: not(
                or(
                  some(peer.addresses, (one) => eq(networkBits(one), bits)),
                  some(peer.routedNetworks, (network) => hasPrefix(networkBits(network), bits)),
                ),
              ),
              at: address,
              problem: 'is no address of the peer, and in none of its routedNetworks',
              got: address,
              remedy: 'name an address that is behind this peer, or add its network',
            }),
          ),
        ),
      ]),
    ),
    overlapChecks(
      each(peers, (_name, peer) =>
        each(peer.services, (name, service) => text`${namespaceOf(service)}/${name}/ ${pathOf(service)}`),
      ),
      'is the same Service as',
      'give each a name of its own, or another namespace',
    ),
    overlapChecks(
      each(peers, (peerName, peer) =>
        each(peer.services, (name, service) =>
          each(
            service.ports,
            (_port, value) => text`${peerName}/${name}/${value.port}/${protocolOf(value)} ${pathOf(value)}`,
          ),
        ),
      ),
      'is the same port as',
      'a Service has each port of a protocol once',
    ),
  ];
}

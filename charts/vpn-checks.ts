import type { z } from 'zod';
import { BFD_PORTS, IKE_PORTS, importEntries, meets } from '../lib/frr/checks';
import { overlayNetworks } from '../lib/frr/fabric';
import { overlapChecks, type Rules } from '../lib/kubernetes/checks';
import { Naming, type NamingValues } from '../lib/kubernetes/metadata';
import { clusterLists, entriesOf, entryOf } from '../lib/kubernetes/networks';
import {
  and,
  bind,
  check,
  choose,
  each,
  eq,
  hasPrefix,
  ne,
  networkBits,
  not,
  or,
  orElse,
  pathOf,
  some,
  text,
  when,
  whenSet,
  type Each,
  type Expr,
  type Ref,
} from '../lib/staged';
import { OWN_NAMES } from '../lib/strongswan/checks';
import { exposureOf, usesFabric } from '../lib/strongswan/tunnel';
import type { ipsecValues } from '../values/ipsec';
import type { kiloValues } from '../values/kilo';
import type { serviceAccount } from '../values/kubernetes';
import type { wireguardValues } from '../values/wireguard';

/** What every part of the umbrella has. */
interface PartValues extends NamingValues {
  readonly enabled: Expr<boolean>;
  readonly serviceAccount: Ref<z.output<typeof serviceAccount>>;
}

/** The values of the parts that are compared with one another. */
interface VpnValues {
  readonly wireguard: Ref<z.output<typeof wireguardValues>>;
  readonly ipsec: Ref<z.output<typeof ipsecValues>>;
  readonly kilo: Ref<z.output<typeof kiloValues>>;
}

/** Rules of what the parts of an umbrella cannot have together. Each keeps those of its own chart already. */
export function vpnChecks<N extends string>(
  v: VpnValues & Readonly<Record<N, PartValues>>,
  names: readonly N[],
): Rules {
  const parts = names.map((name) => ({ name, values: v[name], naming: new Naming(v[name], name) }));
  const pairs = parts.flatMap((second, i) => parts.slice(0, i).map((first) => [first, second] as const));
  return [
    check({
      failsIf: not(or(...parts.map(({ values }) => values.enabled))),
      at: v.wireguard.enabled,
      problem: 'is false, as it is for every chart, so that nothing would be installed',
      remedy: `set ${names.map((name) => `${name}.enabled`).join(' or ')} to true`,
    }),
    ...pairs.map(([first, second]) =>
      when(and(first.values.enabled, second.values.enabled), () => nameChecks(first, second)),
    ),
    when(and(v.wireguard.enabled, v.ipsec.enabled), () => [
      ...gatewayNameChecks(v),
      ...portChecks(v),
      ...clientNetworkChecks(v, v.wireguard.network),
      whenSet(v.wireguard.network6, (network6) => clientNetworkChecks(v, network6)),
      routedNetworkChecks(v),
    ]),
    when(and(v.wireguard.enabled, v.kilo.enabled), () => meshAndServerChecks(v)),
    when(and(v.ipsec.enabled, v.kilo.enabled), () => meshAndGatewayChecks(v)),
  ];
}

interface Part {
  readonly name: string;
  readonly values: PartValues;
  readonly naming: Naming;
}

/** Two parts have objects and pods of their own. */
function nameChecks(first: Part, second: Part): Rules {
  const nameOf = ({ name, values }: Part) => orElse(values.nameOverride, name);
  const accountOf = ({ values, naming }: Part) => orElse(values.serviceAccount.name, naming.fullname);
  const isAlike = eq(first.naming.fullname, second.naming.fullname);
  return [
    check({
      failsIf: isAlike,
      at: second.values.fullnameOverride,
      problem: `the objects would have the names of those of ${first.name}`,
      got: second.naming.fullname,
      remedy: 'set it to another name',
    }),
    check({
      failsIf: eq(nameOf(first), nameOf(second)),
      at: second.values.nameOverride,
      problem: `is the name of ${first.name} too, so that each would take the other’s pods for its own`,
      got: nameOf(second),
      remedy: 'give each its own',
    }),
    check({
      failsIf: and(
        first.values.serviceAccount.create,
        second.values.serviceAccount.create,
        eq(accountOf(first), accountOf(second)),
        not(isAlike),
      ),
      at: second.values.serviceAccount.name,
      problem: `is the service account that ${first.name} makes`,
      got: accountOf(second),
      remedy: 'set create to false for one of them',
    }),
  ];
}

/** The names of objects of gateways are those of the gateways behind the full name. */
function gatewayNameChecks({ wireguard, ipsec }: VpnValues): Rules {
  const [server, gateways] = [new Naming(wireguard, 'wireguard').fullname, new Naming(ipsec, 'ipsec').fullname];
  return [
    check({
      failsIf: or(...OWN_NAMES.map((own) => eq<string>(server, text`${gateways}-${own}`))),
      at: wireguard.fullnameOverride,
      problem: 'is the name of an object of ipsec',
      got: server,
      remedy: 'set it to another name',
    }),
    each(ipsec.gateways, (name, gateway) =>
      check({
        failsIf: or(
          ...['', '-health', '-scripts'].map((suffix) =>
            eq<string>(text`${gateways}-${name}`, text`${server}${suffix}`),
          ),
        ),
        at: gateway,
        problem: 'gives its objects the name of one of wireguard',
        got: text`${gateways}-${name}`,
        remedy: 'choose another name',
      }),
    ),
  ];
}

function portChecks({ wireguard, ipsec }: VpnValues): Rules {
  const { service, hostPort } = wireguard;
  return [
    when(service.enabled, () =>
      whenSet(service.nodePort, (taken) =>
        each(ipsec.gateways, (_name, gateway) =>
          [gateway.service.ikeNodePort, gateway.service.natTNodePort].map((given) =>
            whenSet(given, (port) =>
              check({
                failsIf: eq(port, taken),
                at: port,
                problem: text`is the same port as ${pathOf(taken)}`,
                got: port,
                remedy: 'give every port of the nodes to one Service',
              }),
            ),
          ),
        ),
      ),
    ),
    whenSet(hostPort, (port) => [
      check({
        failsIf: and(
          or(...IKE_PORTS.map((taken) => eq(port, taken))),
          some(ipsec.gateways, (gateway) => eq(exposureOf(gateway), 'hostPort')),
        ),
        at: port,
        problem: 'is a port that the gateways of ipsec have on their nodes, where the server could not be then',
        got: port,
        remedy: 'choose another one',
      }),
      check({
        failsIf: and(
          usesFabric(ipsec),
          or(eq(port, ipsec.routes.overlay.port), ...BFD_PORTS.map((taken) => eq(port, taken))),
        ),
        at: port,
        problem: 'is a port that the agents of ipsec have on every node',
        got: port,
        remedy: 'choose another one',
      }),
    ]),
  ];
}

/**
 * The network of the clients against those of the gateways. The pod of the server has a route to it: what it holds of others it cannot
 * reach. In mode `masquerade` nobody else sees it; in mode `routed` it is one of the cluster's networks, and may be named among them.
 */
function clientNetworkChecks({ wireguard, ipsec }: VpnValues, own: Expr<string>): Rules {
  const isRouted = eq(wireguard.mode, 'routed');
  const holds = (other: Expr<string>): Expr<boolean> => hasPrefix(networkBits(own), networkBits(other));
  const overlap = (other: Expr<string>, failsIf: Expr<boolean>) =>
    check({
      failsIf,
      at: own,
      problem: text`overlaps with ${pathOf(other)}, which clients could then not reach`,
      got: own,
      remedy: 'choose a network that nothing else uses',
    });
  const { podCidrs, serviceCidrs, nodeCidrs } = ipsec.cluster;
  const behindTunnel = (other: Expr<string>) => overlap(other, choose(isRouted, meets(own, other), holds(other)));
  return [
    ...[podCidrs, nodeCidrs].map((networks) =>
      each(networks, (other) =>
        overlap(
          other,
          choose(isRouted, and(holds(other), ne(networkBits(own), networkBits(other))), meets(own, other)),
        ),
      ),
    ),
    each(serviceCidrs, (other) => overlap(other, meets(own, other))),
    each(ipsec.tunnels, (_name, tunnel) => each(tunnel.remote.networks, behindTunnel)),
    each(ipsec.routes.import, (_name, { cidr }) => behindTunnel(cidr)),
    when(and(isRouted, usesFabric(ipsec)), () =>
      overlayNetworks(ipsec).map((other) => overlap(other, meets(own, other))),
    ),
  ];
}

/** A network behind a peer is none of the cluster, to which the pod of the server would have no way any more. */
function routedNetworkChecks({ wireguard, ipsec }: VpnValues): Rules[number] {
  const isRouted = (owner: Expr<string>): Expr<boolean> => hasPrefix('wireguard.', owner);
  return overlapChecks(
    [each(wireguard.peers, (_name, peer) => each(peer.routedNetworks, entryOf)), ...clusterLists(ipsec).map(entriesOf)],
    'overlaps with',
    'a network behind a peer is none of the cluster: name that one',
    ({ first, second }) => ne(isRouted(first), isRouted(second)),
  );
}

/** What the mesh of Kilo has on every node, and where its nodes lead. */
const meshNetworks = ({ kilo }: VpnValues) => [
  bind('subnet', kilo.subnet, entryOf),
  each(kilo.peers, (_name, peer) => [each(peer.addresses, entryOf), each(peer.routedNetworks, entryOf)]),
];

/** None of these networks is one of the mesh. */
function meshOverlapChecks(v: VpnValues, others: readonly Each<unknown>[]): Each<unknown> {
  const isOfMesh = (owner: Expr<string>): Expr<boolean> => hasPrefix('kilo.', owner);
  return overlapChecks(
    [...meshNetworks(v), ...others],
    'overlaps with',
    'a node leads every network to one place: choose another one',
    ({ first, second }) => ne(isOfMesh(first), isOfMesh(second)),
  );
}

function meshAndServerChecks(v: VpnValues): Rules {
  const { wireguard, kilo } = v;
  return [
    whenSet(wireguard.hostPort, (port) =>
      check({
        failsIf: eq(port, kilo.listenPort),
        at: port,
        problem: 'is the port that Kilo has on every node',
        got: port,
        remedy: 'choose another one',
      }),
    ),
    meshOverlapChecks(v, [
      bind('network', wireguard.network, (network) => [entryOf(network), whenSet(wireguard.network6, entryOf)]),
      each(wireguard.peers, (_name, peer) => each(peer.routedNetworks, entryOf)),
    ]),
  ];
}

function meshAndGatewayChecks(v: VpnValues): Rules {
  const { ipsec, kilo } = v;
  return [
    check({
      failsIf: and(
        or(...IKE_PORTS.map((taken) => eq(kilo.listenPort, taken))),
        some(ipsec.gateways, (gateway) => eq(exposureOf(gateway), 'hostPort')),
      ),
      at: kilo.listenPort,
      problem: 'is a port that the gateways of ipsec have on their nodes',
      got: kilo.listenPort,
      remedy: 'choose another one',
    }),
    check({
      failsIf: and(
        usesFabric(ipsec),
        or(eq(kilo.listenPort, ipsec.routes.overlay.port), ...BFD_PORTS.map((taken) => eq(kilo.listenPort, taken))),
      ),
      at: kilo.listenPort,
      problem: 'is a port that the agents of ipsec have on every node',
      got: kilo.listenPort,
      remedy: 'choose another one',
    }),
    check({
      failsIf: and(usesFabric(ipsec), eq(kilo.metrics.port, ipsec.agent.healthPort)),
      at: kilo.metrics.port,
      problem: 'is the port of ipsec.agent.healthPort, and both are on every node',
      got: kilo.metrics.port,
      remedy: 'choose another one',
    }),
    meshOverlapChecks(v, [
      importEntries(ipsec),
      each(ipsec.tunnels, (_name, tunnel) => each(tunnel.remote.networks, entryOf)),
      ...overlayNetworks(ipsec).map((network) =>
        bind('network', network, (one) => when(usesFabric(ipsec), () => entryOf(one))),
      ),
    ]),
  ];
}

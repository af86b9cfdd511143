import { z } from 'zod';
import {
  addressOf,
  and,
  bind,
  check,
  contains,
  each,
  eq,
  ge,
  gt,
  hasPrefix,
  lt,
  matches,
  named,
  ne,
  networkBits,
  not,
  or,
  pathOf,
  prefixLength,
  some,
  text,
  trimPrefix,
  when,
  whenSet,
  type Each,
  type Expr,
  type When,
} from '../staged';
import { hostPartCheck, overlapChecks, type Rules } from '../kubernetes/checks';
import { AS_TRANS } from '../net/as-number';
import {
  clusterLists,
  gatewayOverlay,
  hasIpv6,
  internalAs,
  isV4,
  isV6,
  whole,
  localAs,
  overlayNetworks,
  type FabricValues,
} from './fabric';

/** The port of BGP (RFC 4271). */
export const BGP_PORT = 179;
/** Ports of a node that Kubernetes has ("Ports and Protocols"), and BGP. */
const NODE_PORTS = [BGP_PORT, 2379, 2380, 6443, 10_248, 10_249, 10_250, 10_256, 10_257, 10_259];

/** IKE and ESP in UDP (RFC 7296, RFC 3948), BGP (RFC 4271), and BFD (RFC 5881, RFC 5883, RFC 7130). */
const OTHER_PORTS = [500, 4500, BGP_PORT, 3784, 3785, 4784, 6784, 7784];

/**
 * Networks that lead nowhere: this host, loopback, multicast, broadcast and, beyond a link, link-local ones (RFC 6890, RFC 4291). Not all
 * that is reserved: clouds give 240.0.0.0/4 to subnets and pods, and 64:ff9b::/96 leads to a translator (RFC 6052).
 */
const NOWHERE = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/16', 'ff00::/8'];
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'];

/** The rules of the values of nodes and gateways that are joined. */
export function fabricChecks(v: FabricValues): Rules {
  const { cluster, routes } = v;
  const { overlay } = routes;
  return [
    ...[routes.localAs, routes.internalAs].map((number) => whenSet(number, asCheck)),
    check({
      failsIf: not(some(cluster.nodeCidrs, isV4)),
      at: cluster.nodeCidrs,
      problem: 'has no IPv4 network, so that no node would be known',
      remedy: 'name the networks of the nodes',
    }),
    each(cluster.nodeCidrs, (network) =>
      check({
        failsIf: and(isV4(network), lt(prefixLength(network), 16)),
        at: network,
        problem: 'has more addresses than the overlay, which knows a node by the last two bytes of its address',
        got: network,
        remedy: 'name smaller networks, of /16 or longer',
      }),
    ),
    // What is behind the first two bytes of a node's address must be its own.
    overlapChecks(
      each(cluster.nodeCidrs, (network) =>
        when(
          and(isV4(network), ge(prefixLength(network), 16)),
          () =>
            text`4.${trimPrefix(networkBits(text`${addressOf(network)}/16`), networkBits(network))} ${pathOf(network)}`,
        ),
      ),
      'has nodes whose last two bytes are those of nodes in',
      'the overlay knows a node by them: name networks that differ there',
    ),
    each(cluster.nodeCidrs, (network) =>
      check({
        failsIf: some(cluster.podCidrs, (pods) => meets(pods, network)),
        at: network,
        problem: 'overlaps with cluster.podCidrs, so that a pod could pass for a node',
        got: network,
        remedy: 'agents need nodes whose addresses no pod can have',
      }),
    ),
    each(cluster.nodeSources, (network) => [
      hostPartCheck(network),
      check({
        failsIf: or(
          eq(prefixLength(network), 0),
          and(
            lt(prefixLength(network), whole(network)),
            some(cluster.podCidrs, (pods) => meets(pods, network)),
          ),
        ),
        at: network,
        problem: 'holds addresses of pods, each of which could pass for a node',
        got: network,
        remedy: 'name the addresses of the nodes alone, such as 10.244.0.0/32',
      }),
      check({
        failsIf: overlapsOverlay(v, network),
        at: network,
        problem: 'overlaps with a network of routes.overlay',
        got: network,
        remedy: 'name the addresses that nodes have for the CNI',
      }),
    ]),
    check({
      failsIf: or(...OTHER_PORTS.map((port) => eq(overlay.port, port))),
      at: overlay.port,
      problem: 'is the port of IKE, BGP or BFD',
      got: overlay.port,
      remedy: 'choose another one',
    }),
    each(routes.import, (_name, { cidr, maxLength }) => [
      hostPartCheck(cidr),
      check({
        failsIf: eq(prefixLength(cidr), 0),
        at: cidr,
        problem: 'is everything, with the packets of the tunnels themselves and those for the cluster',
        got: cidr,
        remedy: 'name the networks behind the remote ends',
      }),
      when(gt(prefixLength(cidr), 0), () => somewhereCheck(cidr, 'name the networks behind the remote ends')),
      check({
        failsIf: and(isV6(cidr), not(hasIpv6(v))),
        at: cidr,
        problem: 'is of IPv6, of which cluster has no network',
        got: cidr,
        remedy: 'name such a network in cluster, or remove this one',
      }),
      whenSet(maxLength, (longest) => [
        check({
          failsIf: lt(longest, prefixLength(cidr)),
          at: longest,
          problem: text`is less than the prefix length of ${cidr}`,
          got: longest,
          remedy: 'use that length or more',
        }),
        check({
          failsIf: and(isV4(cidr), gt(longest, 32)),
          at: longest,
          problem: 'is more than an IPv4 address has bits',
          got: longest,
          remedy: 'use 32 or less',
        }),
      ]),
    ]),
    overlapChecks(importEntries(v), 'overlaps with', 'name every network once'),
    overlapChecks(
      [importEntries(v), ...[...clusterLists(v), cluster.nodeSources].map(entriesOf)],
      'overlaps with',
      'what is imported lies behind the remote ends: name that',
      withImport('cluster.'),
    ),
    overlapChecks(
      [importEntries(v), ...overlayNetworks(v).map((network) => bind('network', network, entryOf))],
      'overlaps with',
      'choose an overlay of networks that nothing else uses',
      withImport('routes.overlay.'),
    ),
    each(routes.export, (what) =>
      when(matches(/^[0-9a-fA-F:.]+\/[0-9]+$/, what), () => [
        hostPartCheck(what),
        check({
          failsIf: not(isInCluster(v, what)),
          at: what,
          problem: 'is in no network of cluster',
          got: what,
          remedy: 'name such a network, or a part of one',
        }),
      ]),
    ),
    check({
      failsIf: or(
        ne(prefixLength(overlay.ipv6Network), 64),
        not(hasPrefix(networkBits('fc00::/7'), networkBits(overlay.ipv6Network))),
      ),
      at: overlay.ipv6Network,
      problem: 'is no /64 of fc00::/7',
      got: overlay.ipv6Network,
      remedy: 'choose a /64 of fd00::/8',
    }),
    ...overlayNetworks(v).flatMap((network) => [
      hostPartCheck(network),
      check({
        failsIf: overlapsCluster(v, network),
        at: network,
        problem: 'overlaps with a network of cluster',
        got: network,
        remedy: 'choose a network that nothing else uses',
      }),
    ]),
    // That of IPv6 is one of fc00::/7.
    ...[overlay.nodeNetwork, overlay.gatewayNetwork].map((network) =>
      somewhereCheck(network, 'choose a network that nothing else uses'),
    ),
    check({
      failsIf: eq<string>(overlay.nodeNetwork, overlay.gatewayNetwork),
      at: overlay.gatewayNetwork,
      problem: 'is the network of the nodes too',
      got: overlay.gatewayNetwork,
      remedy: 'give the gateways their own',
    }),
  ];
}

/** The networks of the cluster. Nodes and pods may share theirs, as in clouds where no agent is. */
export function clusterChecks(v: FabricValues): Rules {
  const isOfServices = (owner: Expr<string>): Expr<boolean> => contains('.serviceCidrs[', owner);
  return [
    ...clusterLists(v).flatMap((networks) => [
      each(networks, (network) => [
        hostPartCheck(network),
        somewhereCheck(network, 'name the networks of the cluster'),
      ]),
      overlapChecks(entriesOf(networks), 'overlaps with', 'name every network once'),
    ]),
    overlapChecks(
      clusterLists(v).map(entriesOf),
      'overlaps with',
      'an address of a Service is that of nothing else: look at how the cluster was made',
      ({ first, second }) => ne(isOfServices(first), isOfServices(second)),
    ),
  ];
}

/** The port of the agents' health server, on every node. */
export const agentPortCheck = (port: Expr<number>): When<unknown> =>
  check({
    failsIf: or(...NODE_PORTS.map((taken) => eq(port, taken))),
    at: port,
    problem: 'is a port that a node has for Kubernetes or BGP',
    got: port,
    remedy: 'choose another one',
  });

/** Networks that are known from the values lie behind a gateway, and nowhere else. */
export function knownNetworkChecks(v: FabricValues, networks: Expr<readonly string[]>): Rules {
  return [
    each(networks, (network) => [
      hostPartCheck(network),
      check({
        failsIf: eq(prefixLength(network), 0),
        at: network,
        problem: 'is everything, with the packets of the tunnels themselves and those for the cluster',
        got: network,
        remedy: 'name the networks behind the gateways',
      }),
      when(gt(prefixLength(network), 0), () => somewhereCheck(network, 'name the networks behind the gateways')),
      check({
        failsIf: and(
          gt(prefixLength(network), 0),
          or(overlapsCluster(v, network), overlapsOverlay(v, network), overlapsImport(v, network)),
        ),
        at: network,
        problem: 'overlaps with a network of cluster, routes.import or routes.overlay',
        got: network,
        remedy: 'a network behind a gateway is in none of them',
      }),
    ]),
  ];
}

/** Gateways whose names come to one address between nodes and gateways. */
export function gatewayNameChecks(v: FabricValues, gateways: Expr<Readonly<Record<string, unknown>>>): Each<unknown> {
  return overlapChecks(
    each(
      gateways as never,
      (name: Expr<string>, gateway: Expr<unknown>) => text`${gatewayOverlay(v, name)}/ ${pathOf(gateway)}`,
    ),
    'has the same address in the overlay as',
    'it follows from the name: choose another one',
  );
}

/** A number of an autonomous system that somebody can have (RFC 6793, RFC 7300). */
export const asCheck = (number: Expr<number>): When<unknown> =>
  check({
    failsIf: or(eq(number, AS_TRANS), eq(number, 65_535)),
    at: number,
    problem: 'is a reserved number',
    got: number,
    remedy: 'use that of your organization, or one for private use: 64512 to 65534, or 4200000000 to 4294967294',
  });

/** Whether one of two networks holds the other. */
export const meets = (one: Expr<string>, other: Expr<string>): Expr<boolean> =>
  or(hasPrefix(networkBits(one), networkBits(other)), hasPrefix(networkBits(other), networkBits(one)));

/** Whether a network holds addresses that lead nowhere. */
const leadsNowhere = (network: Expr<string>): Expr<boolean> => bitsLeadNowhere({ bits: networkBits(network) });
const bitsLeadNowhere = named('leadsNowhere', { bits: z.string().regex(/^[46]\.[01]*$/) }, ({ bits }) =>
  or(
    ...[...NOWHERE, ...LINK_LOCAL]
      .map(networkBits)
      .flatMap((nowhere) => [hasPrefix(nowhere, bits), hasPrefix(bits, nowhere)]),
  ),
);

/** A network to all of which packets can be led. */
export const somewhereCheck = (network: Expr<string>, remedy: string): When<unknown> =>
  check({
    failsIf: leadsNowhere(network),
    at: network,
    problem: 'holds addresses that lead nowhere: loopback, link-local, multicast or broadcast ones',
    got: network,
    remedy,
  });

/** An address of an end of a tunnel outside of it, to which others than neighbours can send. */
export const outerAddressCheck = (address: Expr<string>): When<unknown> =>
  check({
    failsIf: leadsNowhere(address),
    at: address,
    problem: 'leads nowhere: it is a loopback, link-local, multicast or broadcast address',
    got: address,
    remedy: 'name the address by which the remote end is reached',
  });

/** An address inside of a tunnel, whose ends are neighbours. */
export function innerAddressCheck(at: Expr<string>, address: Expr<string>, remedy: string): When<unknown> {
  const isLinkLocal = or(...LINK_LOCAL.map((network) => hasPrefix(networkBits(network), networkBits(address))));
  return check({
    failsIf: and(not(isLinkLocal), leadsNowhere(address)),
    at,
    problem: 'leads nowhere: it is a loopback, multicast or broadcast address',
    got: at,
    remedy,
  });
}

/** Whether a network of the cluster holds that one. */
const isInCluster = (v: FabricValues, network: Expr<string>): Expr<boolean> =>
  or(...clusterLists(v).map((networks) => some(networks, (own) => hasPrefix(networkBits(own), networkBits(network)))));

/** Whether a network of the cluster holds that one, or a part of it. */
export const overlapsCluster = (v: FabricValues, network: Expr<string>): Expr<boolean> =>
  or(...clusterLists(v).map((networks) => some(networks, (own) => meets(own, network))));

/** The entry of a network among those that may overlap. */
export const entryOf = (network: Expr<string>): Expr<string> => text`${networkBits(network)} ${pathOf(network)}`;
const entriesOf = (networks: Expr<readonly string[] | undefined>): Each<unknown> => each(networks, entryOf);

/** The entries of imports. One of everything has a check of its own. */
export const importEntries = ({ routes }: FabricValues): Each<unknown> =>
  each(routes.import, (_name, { cidr }) => when(gt(prefixLength(cidr), 0), () => entryOf(cidr)));

/** Of two that overlap, whether one is an import, and the other one has that in its path. */
export const withImport =
  (other: string) =>
  ({ first, second }: { readonly first: Expr<string>; readonly second: Expr<string> }): Expr<boolean> =>
    or(
      and(contains('routes.import.', first), contains(other, second)),
      and(contains(other, first), contains('routes.import.', second)),
    );

/** Whether an import holds that network, or a part of it. One of everything has a check of its own. */
export const overlapsImport = ({ routes }: FabricValues, network: Expr<string>): Expr<boolean> =>
  some(routes.import, ({ cidr }) => and(gt(prefixLength(cidr), 0), meets(cidr, network)));

/** Whether a network of the overlay overlaps that one. */
export const overlapsOverlay = (v: FabricValues, network: Expr<string>): Expr<boolean> =>
  or(...overlayNetworks(v).map((own) => meets(own, network)));

const NAME_SPEAKER = 'name the address of the remote end’s BGP speaker';

/** The address of a remote end's BGP speaker, where it is not that of the end itself. */
export const speakerChecks = (v: FabricValues, peer: Expr<string>): Rules => [
  check({
    failsIf: or(overlapsCluster(v, peer), overlapsOverlay(v, peer)),
    at: peer,
    problem: 'lies in a network of cluster or of routes.overlay',
    got: peer,
    remedy: NAME_SPEAKER,
  }),
  innerAddressCheck(peer, peer, NAME_SPEAKER),
  linkLocalCheck(peer),
];

/** Both addresses of a session are of one family. */
export const familyCheck = (peer: Expr<string>, local: Expr<string>): When<unknown> =>
  check({
    failsIf: ne(isV6(peer), isV6(local)),
    at: peer,
    problem: text`is of another family than inside.local, ${local}`,
    got: peer,
    remedy: 'use addresses of one family',
  });

/** FRR finds a link-local address by its interface, of which it is not told. */
export const linkLocalCheck = (peer: Expr<string>): When<unknown> =>
  check({
    failsIf: hasPrefix(networkBits('fe80::/10'), networkBits(peer)),
    at: peer,
    problem: 'is a link-local address, with which FRR does not speak',
    got: peer,
    remedy: 'use another one, such as one of fd00::/8',
  });

/**
 * No BGP speaker has an address of ours. The entries are `<bits> <path of inside.local>` and `<bits>/ <path of bgp.peerAddress>`, which
 * comes behind the other one where the bits are the same.
 */
export const ownAddressChecks = (entries: Each<unknown>): Each<unknown> =>
  overlapChecks(entries, 'is our own address, that of', NAME_SPEAKER, ({ first, second }) =>
    and(contains('.inside.local', first), contains('.bgp.peerAddress', second)),
  );

/** The other autonomous system of a session. */
export const peerAsChecks = (v: FabricValues, peerAs: Expr<number>): Rules => [
  asCheck(peerAs),
  check({
    failsIf: or(eq(peerAs, localAs(v)), eq(peerAs, internalAs(v))),
    at: peerAs,
    problem: 'is the number of our own autonomous system',
    got: peerAs,
    remedy: 'the remote end has another one, or set routes.localAs and routes.internalAs to others',
  }),
];

/** The timers of a session, in seconds. */
export const keepaliveCheck = (
  at: Expr<number | undefined>,
  keepaliveSeconds: Expr<number>,
  holdSeconds: Expr<number>,
): When<unknown> =>
  check({
    failsIf: ge(keepaliveSeconds, holdSeconds),
    at,
    problem: text`is not less than the hold time of ${holdSeconds} seconds`,
    got: keepaliveSeconds,
    remedy: 'use a third of it',
  });

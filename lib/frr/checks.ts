import {
  addressOf,
  and,
  check,
  each,
  eq,
  ge,
  gt,
  hasPrefix,
  lt,
  matches,
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
  type Expr,
  type When,
} from '../staged';
import { hostPartCheck, overlapChecks, type Rules } from '../kubernetes/checks';
import { AS_TRANS } from '../net/as-number';
import { isV4, type FabricValues } from './fabric';

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
    each(cluster.nodeSources, hostPartCheck),
    each(routes.import, (_name, { cidr, maxLength }) => [
      hostPartCheck(cidr),
      check({
        failsIf: eq(prefixLength(cidr), 0),
        at: cidr,
        problem: 'is everything, with the packets of the tunnels themselves and those for the cluster',
        got: cidr,
        remedy: 'name the networks behind the remote ends',
      }),
      check({
        failsIf: and(gt(prefixLength(cidr), 0), overlapsCluster(v, cidr)),
        at: cidr,
        problem: 'overlaps with a network of cluster',
        got: cidr,
        remedy: 'what is imported lies behind the remote ends: name that',
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
    overlapChecks(
      each(routes.import, (_name, { cidr }) =>
        when(gt(prefixLength(cidr), 0), () => text`${networkBits(cidr)} ${pathOf(cidr)}`),
      ),
      'overlaps with',
      'name every network once',
    ),
    each(routes.export, (what) =>
      when(matches(/^[0-9a-fA-F:.]+\/[0-9]+$/, what), () => [
        hostPartCheck(what),
        check({
          failsIf: not(overlapsCluster(v, what)),
          at: what,
          problem: 'is in no network of cluster',
          got: what,
          remedy: 'name such a network, or a part of one',
        }),
      ]),
    ),
    check({
      failsIf: ne(prefixLength(overlay.ipv6Network), 64),
      at: overlay.ipv6Network,
      problem: 'has another prefix length than 64',
      got: overlay.ipv6Network,
      remedy: 'choose a /64 of fd00::/8',
    }),
    ...[overlay.nodeNetwork, overlay.gatewayNetwork, overlay.ipv6Network].flatMap((network) => [
      hostPartCheck(network),
      check({
        failsIf: or(
          overlapsCluster(v, network),
          some(routes.import, ({ cidr }) => and(gt(prefixLength(cidr), 0), meets(network, cidr))),
        ),
        at: network,
        problem: 'overlaps with a network of cluster or of routes.import',
        got: network,
        remedy: 'choose a network that nothing else uses',
      }),
    ]),
    check({
      failsIf: eq<string>(overlay.nodeNetwork, overlay.gatewayNetwork),
      at: overlay.gatewayNetwork,
      problem: 'is the network of the nodes too',
      got: overlay.gatewayNetwork,
      remedy: 'give the gateways their own',
    }),
  ];
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

const overlapsCluster = ({ cluster }: FabricValues, network: Expr<string>): Expr<boolean> =>
  or(
    ...[cluster.podCidrs, cluster.serviceCidrs, cluster.nodeCidrs].map((networks) =>
      some(networks, (own) => meets(network, own)),
    ),
  );

import { z } from 'zod';
import {
  check,
  contains,
  each,
  hasPrefix,
  named,
  ne,
  networkBits,
  not,
  or,
  pathOf,
  text,
  type Each,
  type Expr,
  type Ref,
  type When,
} from '../staged';
import type { clusterNetworks } from '../../values/routes';
import { hostPartCheck, overlapChecks, type Rules } from './checks';

/*
 * Addresses and networks, and those of the cluster.
 */

export const isV6 = (network: Expr<string>): Expr<boolean> => contains(':', network);
export const isV4 = (network: Expr<string>): Expr<boolean> => not(isV6(network));

interface ClusterValues {
  readonly cluster: { readonly [K in keyof typeof clusterNetworks]: Ref<z.output<(typeof clusterNetworks)[K]>> };
}

/** The lists of the cluster's networks: pods, Services, nodes. */
export const clusterLists = ({ cluster }: ClusterValues) =>
  [cluster.podCidrs, cluster.serviceCidrs, cluster.nodeCidrs] as const;

/**
 * Networks that lead nowhere: this host, loopback, multicast, broadcast and, beyond a link, link-local ones (RFC 6890, RFC 4291). Not all
 * that is reserved: clouds give 240.0.0.0/4 to subnets and pods, and 64:ff9b::/96 leads to a translator (RFC 6052).
 */
const NOWHERE = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/16', 'ff00::/8'];
export const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'];

/** Whether a network holds addresses that lead nowhere. */
export const leadsNowhere = (network: Expr<string>): Expr<boolean> => bitsLeadNowhere({ bits: networkBits(network) });
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

/** The entry of a network among those that may overlap. */
export const entryOf = (network: Expr<string>): Expr<string> => text`${networkBits(network)} ${pathOf(network)}`;
/** The entries of a list of networks. */
export const entriesOf = (networks: Expr<readonly string[] | undefined>): Each<unknown> => each(networks, entryOf);

/** The networks of the cluster. Nodes and pods may share theirs, as in clouds where no agent is. */
export function clusterChecks(v: ClusterValues): Rules {
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

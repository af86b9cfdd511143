import { hostPartCheck, nameChecks, overlapChecks, scrapeTimeoutCheck, type Rules } from '../kubernetes/checks';
import { FULLNAME_MAX_LENGTH } from '../kubernetes/metadata';
import { clusterChecks, entriesOf, entryOf, clusterLists } from '../kubernetes/networks';
import { publicKeyChecks, secretKeyCheck } from '../peers/checks';
import { peerServiceChecks } from '../peers/services';
import { and, bind, check, contains, each, gt, lt, not, prefixLength, type Expr } from '../staged';
import type { KiloValues } from './pod';

/** The rules of the values of Kilo that no schema can say. Their cost is n log n in peers. */
export function kiloChecks(v: KiloValues, fullname: Expr<string>): Rules {
  const isOfCluster = (owner: Expr<string>): Expr<boolean> => contains('Cidrs[', owner);
  return [
    ...nameChecks(fullname, v.fullnameOverride, FULLNAME_MAX_LENGTH),
    ...clusterChecks(v),
    ...subnetChecks(v.subnet),
    each(v.internalCidrs, hostPartCheck),
    each(v.client.allowedIPs, hostPartCheck),
    each(v.peers, (_name, peer) => [
      secretKeyCheck(peer.presharedKey.value, 'wg genpsk'),
      each(peer.routedNetworks, hostPartCheck),
      each(peer.client.allowedIPs, hostPartCheck),
    ]),
    publicKeyChecks(v.peers),
    overlapChecks(
      [
        bind('subnet', v.subnet, entryOf),
        each(v.peers, (_name, peer) => [each(peer.addresses, entryOf), each(peer.routedNetworks, entryOf)]),
        ...clusterLists(v).map(entriesOf),
      ],
      'overlaps with',
      'an address is of one peer, of the cluster or of Kilo’s subnet: choose another one',
      ({ first, second }) => not(and(isOfCluster(first), isOfCluster(second))),
    ),
    ...peerServiceChecks(v.peers, []),
    scrapeTimeoutCheck(v.metrics.podMonitor),
  ];
}

function subnetChecks(subnet: Expr<string>): Rules {
  return [
    hostPartCheck(subnet),
    check({
      failsIf: gt(prefixLength(subnet), 30),
      at: subnet,
      problem: 'has no room for nodes',
      got: subnet,
      remedy: 'use a prefix length of 30 or less',
    }),
    check({
      failsIf: lt(prefixLength(subnet), 8),
      at: subnet,
      problem: 'is so large that the mesh would take other traffic of the nodes',
      got: subnet,
      remedy: 'use a prefix length of 8 or more',
    }),
  ];
}

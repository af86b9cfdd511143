import type { z } from 'zod';
import {
  add,
  adler32,
  choose,
  conf,
  contains,
  div,
  each,
  eq,
  json,
  mod,
  named,
  not,
  or,
  orElse,
  prefixLength,
  max,
  some,
  text,
  trimSuffix,
  when,
  type Each,
  type Expr,
  type Ref,
} from '../staged';
import { shortName } from '../../values/net';
import type { bgp, cluster, routes } from '../../values/routes';

/*
 * The fabric: nodes and gateways, the addresses between them, and what is taken from and told to the other side.
 */

/** The values of all who take part. */
export interface FabricValues {
  readonly cluster: Ref<z.output<typeof cluster>>;
  readonly routes: Ref<z.output<typeof routes>>;
}
export type BgpValues = Ref<z.output<typeof bgp>>;
export type ImportValues = Ref<z.output<typeof routes>['import'][string]>;

/** The autonomous system where the values name none: one for private use (RFC 6996). */
const PRIVATE_AS = 64_512;

/** The AS that remote ends see. */
export const localAs = ({ routes }: FabricValues): Expr<number> => orElse(routes.localAs, PRIVATE_AS);
/** The AS of gateways and nodes. */
export const internalAs = (v: FabricValues): Expr<number> => orElse(v.routes.internalAs, localAs(v));

export const isV6 = (network: Expr<string>): Expr<boolean> => contains(':', network);
export const isV4 = (network: Expr<string>): Expr<boolean> => not(isV6(network));

/** The prefix length of a single address of the family of a network. */
export const whole = (network: Expr<string>): Expr<number> => choose(isV6(network), 128, 32);

/** The lists of the cluster's networks: pods, Services, nodes. */
export const clusterLists = ({ cluster }: FabricValues) =>
  [cluster.podCidrs, cluster.serviceCidrs, cluster.nodeCidrs] as const;

/** The networks of the addresses between nodes and gateways. */
export const overlayNetworks = ({ routes: { overlay } }: FabricValues) => [
  overlay.nodeNetwork,
  overlay.gatewayNetwork,
  overlay.ipv6Network,
];

/** Whether a network of the cluster is of a family. */
export const clusterHas = (v: FabricValues, family: typeof isV4): Expr<boolean> =>
  or(...clusterLists(v).map((networks) => some(networks, family)));

/** Whether the cluster has addresses of IPv6. */
export const hasIpv6 = (v: FabricValues): Expr<boolean> => clusterHas(v, isV6);

/** The lines for every network of the cluster. */
export function clusterNetworks(
  { cluster }: FabricValues,
  line: (network: Expr<string>) => Expr<string>,
): Expr<string> {
  return conf`
    ${each(cluster.podCidrs, line)}
    ${each(cluster.serviceCidrs, line)}
    ${each(cluster.nodeCidrs, line)}
  `;
}

/** The body for every network that is told to the remote ends. */
export const exportedNetworks = <B>({ cluster, routes }: FabricValues, body: (network: Expr<string>) => B) =>
  each(routes.export, (what) =>
    when(
      eq<string>(what, 'pods'),
      () => each(cluster.podCidrs, body),
      () =>
        when(
          eq<string>(what, 'nodes'),
          () => each(cluster.nodeCidrs, body),
          () =>
            when(
              eq<string>(what, 'services'),
              () => each(cluster.serviceCidrs, body),
              () => body(what),
            ),
        ),
    ),
  );

/** The longest prefix length that is taken of an import. */
export const maxLengthOf = ({ cidr, maxLength }: ImportValues): Expr<number> =>
  orElse(maxLength, max(prefixLength(cidr), choose(isV6(cidr), 64, 24)));

/** The number in the last two bytes of a gateway's address: it follows from the name, so that another gateway does not change it. */
const overlayNumber = named('overlayNumber', { gateway: shortName }, ({ gateway }) =>
  add(1, mod(adler32(gateway), 65_534)),
);

/** The address of a gateway between nodes and gateways. */
export function gatewayOverlay({ routes }: FabricValues, gateway: Expr<string>): Expr<string> {
  const number = overlayNumber({ gateway });
  return text`${trimSuffix('.0.0/16', routes.overlay.gatewayNetwork)}.${div(number, 256)}.${mod(number, 256)}`;
}

/** Networks as lines of a list in JSON, whose last element is empty, so that each can end with a comma. */
export const networkList = (networks: Expr<readonly string[]>): Each<Expr<string>> =>
  each(networks, (network) => conf`${json(network)},`);

/** The cluster and the overlay, in which a gateway has an address of its own, as programs are told of them in JSON. */
export function fabricJson(v: FabricValues, gateway?: Expr<string>): Expr<string> {
  const { cluster, routes } = v;
  const { overlay } = routes;
  return conf`
    "as": ${internalAs(v)},
    "overlay": {
      ${when(gateway !== undefined, () => conf`"address": "${gatewayOverlay(v, gateway ?? text``)}",`)}
      "nodeNetwork": "${overlay.nodeNetwork}",
      "gatewayNetwork": "${overlay.gatewayNetwork}",
      "ipv6Network": "${overlay.ipv6Network}",
      "ipv6": ${choose(hasIpv6(v), 'true', 'false')},
      "vni": ${overlay.vni},
      "port": ${overlay.port},
      "mtuBytes": ${orElse(overlay.mtuBytes, 0)}
    },
    "cluster": {
      "pods": [
        ${networkList(cluster.podCidrs)}
        ""
      ],
      "services": [
        ${networkList(cluster.serviceCidrs)}
        ""
      ],
      "nodes": [
        ${networkList(cluster.nodeCidrs)}
        ""
      ],
      "sources": [
        ${networkList(cluster.nodeSources)}
        ""
      ]
    },
  `;
}

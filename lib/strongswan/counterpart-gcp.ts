import {
  addressOf,
  and,
  check,
  choose,
  conf,
  contains,
  count,
  div,
  each,
  eq,
  isEmpty,
  isSet,
  join,
  largest,
  max,
  min,
  mod,
  ne,
  not,
  or,
  orElse,
  prefixLength,
  sorted,
  sub,
  text,
  when,
  whenSet,
  type Each,
  type Expr,
  type When,
} from '../staged';
import type { Rules } from '../kubernetes/checks';
import { localAs } from '../frr/fabric';
import { bgpHoldSeconds, bgpPeerAddress, bgpSource, speaksBgp } from './bgp';
import { GCP_ALGORITHMS, suiteNames } from './cloud-algorithms';
import { selectorsOf } from './config';
import type { CounterpartOptions } from './counterpart';
import { cloudRules, keyVariable, passwordPlace, passwordVariable, peerAs, shownKey } from './counterpart-cloud';
import { hcl, hclList, hclName } from './hcl';
import {
  espProposals,
  ikeProposals,
  isRouteBased,
  localIdentity,
  presetOf,
  type IpsecValues,
  type TunnelValues,
} from './tunnel';

/*
 * HA VPN: one gateway of Google with two interfaces, one external VPN gateway with the addresses of ours, and all tunnels with the
 * preset between them (Compute Engine API, `vpnGateways`, `externalVpnGateways`, `vpnTunnels`).
 */

const isGcp = (t: TunnelValues): Expr<boolean> => eq<string>(presetOf(t), 'gcp');

const tunnelNames = (v: IpsecValues): Expr<readonly string[]> =>
  sorted(each(v.tunnels, (name, t) => when(isGcp(t), () => name)));

/** The addresses of our gateways, by which Cloud VPN knows them. */
const addresses = (v: IpsecValues): Expr<readonly string[]> =>
  sorted(each(v.tunnels, (_name, t) => when(isGcp(t), () => localIdentity(v, t))));

const redundancyType = (v: IpsecValues): Expr<string> =>
  choose(
    eq(count(addresses(v)), 1),
    'SINGLE_IP_INTERNALLY_REDUNDANT',
    choose(eq(count(addresses(v)), 2), 'TWO_IPS_REDUNDANCY', 'FOUR_IPS_REDUNDANCY'),
  );

interface Place {
  /** The interface of Google's gateway: the tunnels take turns, in the order of their names. */
  readonly ours: Expr<number>;
  /** That of the external gateway. */
  readonly peer: Expr<number>;
}

/** The body for every tunnel with the preset. */
function tunnels<B>(v: IpsecValues, body: (name: Expr<string>, t: TunnelValues, place: Place) => B): Each<unknown> {
  return each(tunnelNames(v), (known, index) =>
    each(v.tunnels, (name, t) =>
      when(eq(name, known), () =>
        each(addresses(v), (address, peer) =>
          when(eq(address, localIdentity(v, t)), () => body(name, t, { ours: mod(index, 2), peer })),
        ),
      ),
    ),
  );
}

/** Whether Google's end is a Cloud Router of ours, and not one that is there already. */
const isDynamic = (v: IpsecValues): Expr<boolean> => eq<string>(v.routes.mode, 'bgp');

/** The AS of the Cloud Router. */
const routerAs = (v: IpsecValues): Expr<number> =>
  largest(v.tunnels, (t) => choose(and(isGcp(t), speaksBgp(v, t)), peerAs(t), 0));

/** What Google lets the keepalive interval be; the hold time is three of them. */
const KEEPALIVE = { least: 20, most: 60 } as const;
/** Its keepalive interval: what fits the gateway with the shortest hold time. */
const keepaliveSeconds = (v: IpsecValues): Expr<number> =>
  sub(
    KEEPALIVE.most,
    largest(v.tunnels, (t) =>
      choose(
        and(isGcp(t), speaksBgp(v, t)),
        sub(KEEPALIVE.most, max(KEEPALIVE.least, min(KEEPALIVE.most, div(bgpHoldSeconds(t), 3)))),
        0,
      ),
    ),
  );
/** The address of the Cloud Router's interface, with its prefix length. */
const bgpRange = (t: TunnelValues): Expr<string> =>
  text`${bgpPeerAddress(t)}/${prefixLength(orElse(t.inside.local, '0.0.0.0/0'))}`;
/** The same for all tunnels, so that Google uses all at once. */
const ROUTE_PRIORITY = 100;

/** What the ends at Google Cloud cannot be. */
export function gcpRules(v: IpsecValues): Rules {
  const number = count(addresses(v));
  return [
    check({
      failsIf: and(...[1, 2, 4].map((possible) => ne(number, possible))),
      at: text`gateways`,
      problem:
        'have another number of addresses in tunnels with the preset gcp than an external VPN gateway: 1, 2 or 4',
      got: number,
      remedy: 'use so many gateways for these tunnels',
    }),
    each(v.tunnels, (_name, t) =>
      when(isGcp(t), () => {
        const { local, remote } = selectorsOf(v, t);
        return [
          check({
            failsIf: not(isRouteBased(t)),
            at: t.mode,
            problem: 'is policy, but HA VPN takes its routes by BGP only',
            remedy: 'use the mode route',
          }),
          each(t.children, (_child, given) => {
            const own = selectorsOf(v, t, given);
            return check({
              failsIf: and(isRouteBased(t), or(ne(own.local, local), ne(own.remote, remote))),
              at: t.children,
              problem: 'has traffic selectors, and HA VPN has none',
              remedy: 'remove them',
            });
          }),
          check({
            failsIf: and(isDynamic(v), not(isSet(t.bgp))),
            at: t.bgp,
            problem: 'is missing, and HA VPN takes its routes by BGP only',
            remedy: 'set it, with the AS of the Cloud Router as peerAs',
          }),
          when(speaksBgp(v, t), () => [
            check({
              failsIf: ne(peerAs(t), routerAs(v)),
              at: t.bgp.peerAs,
              problem: text`is not ${routerAs(v)}, the number of another tunnel’s end, and both are at one Cloud Router`,
              got: peerAs(t),
              remedy: 'use one number',
            }),
            whenSet(t.inside.local, (local) =>
              check({
                failsIf: contains(':', local),
                at: local,
                problem: 'is of IPv6, for which HA VPN needs a gateway of another stack type',
                got: local,
                remedy: 'use a /30 of 169.254.0.0/16',
              }),
            ),
          ]),
          ...cloudRules(v, t, GCP_ALGORITHMS),
        ];
      }),
    ),
  ];
}

/** Lines with a secret: what is given is that of the tunnel that was asked for. */
function withSecret(
  name: Expr<string>,
  asked: string,
  secret: string | undefined,
  lines: (secret: string | undefined) => Expr<string>,
): When<Expr<string>> {
  return when(
    eq(name, asked),
    () => lines(secret),
    () => lines(undefined),
  );
}

/** What a person sets at Google Cloud, in its order and with the names of its API. */
export function gcpText(v: IpsecValues, asked: string, options: CounterpartOptions): Expr<string> {
  const line = (title: string, names: Expr<readonly string[]>) =>
    when(not(isEmpty(names)), () => conf`${title}: ${join(', ', names)}`);
  return conf`
    The remote ends of these tunnels at Google Cloud: HA VPN. ${join(', ', tunnelNames(v))}

    1. Cloud HA VPN gateway, in your VPC network and its region: it has the interfaces 0 and 1

    2. Peer VPN gateway: external
       redundancyType: ${redundancyType(v)}
       ${each(addresses(v), (address, index) => conf`interface ${index}: ${address}`)}

    3. Cloud Router of the network and the region: HA VPN takes its routes by BGP only
       ${when(
         isDynamic(v),
         () => conf`
         bgp.asn: ${routerAs(v)}
         bgp.keepaliveInterval: ${keepaliveSeconds(v)}
       `,
       )}

    4. VPN tunnels, each with its interface of the HA VPN gateway and of the peer VPN gateway
    ${tunnels(v, (name, t, { ours, peer }) => {
      const [ike, esp] = [
        suiteNames(GCP_ALGORITHMS.ike, ikeProposals(t)),
        suiteNames(GCP_ALGORITHMS.esp, espProposals(t)),
      ];
      return conf`

        name: vpn-${name}
           vpnGatewayInterface: ${ours}
           peerExternalGatewayInterface: ${peer}
           ikeVersion: 2
           ${withSecret(name, asked, options.presharedKey, (key) => conf`sharedSecret: ${shownKey(name, t, key)}`)}
           ${line('cipherSuite.phase1.encryption', ike.encryption)}
           ${line('cipherSuite.phase1.integrity', ike.integrity)}
           ${line('cipherSuite.phase1.prf', ike.prf)}
           ${line('cipherSuite.phase1.dh', ike.groups)}
           ${line('cipherSuite.phase2.encryption', esp.encryption)}
           ${line('cipherSuite.phase2.integrity', esp.integrity)}
           ${line('cipherSuite.phase2.pfs', esp.groups)}
           ${when(
             speaksBgp(v, t),
             () => conf`
             router.interfaces.ipRange: ${bgpRange(t)}
             router.bgpPeers.peerIpAddress: ${bgpSource(t)}
             router.bgpPeers.peerAsn: ${localAs(v)}
             router.bgpPeers.advertisedRoutePriority: ${ROUTE_PRIORITY}
             ${when(isSet(t.bgp.password), () =>
               withSecret(
                 name,
                 asked,
                 options.bgpPassword,
                 (password) => conf`router.md5AuthenticationKeys.key: ${password ?? text`(${passwordPlace(t)})`}`,
               ),
             )}
           `,
             () =>
               whenSet(t.inside.local, (local) =>
                 whenSet(
                   t.inside.remote,
                   (remote) =>
                     conf`Addresses inside: ${remote} of the router’s interface, ${addressOf(local)} of its peer`,
                 ),
               ),
           )}
      `;
    })}

    5. Then in the values
       ${tunnels(v, (name, _t, { ours }) => conf`tunnels.${name}.remote.address: (the address of interface ${ours} of the HA VPN gateway)`)}

    Lifetimes (10 h and 3 h) and dead peer detection are Google’s own.
  `;
}

/** The same for Terraform with the provider hashicorp/google. */
export function gcpTerraform(v: IpsecValues, asked: string, options: CounterpartOptions): Expr<string> {
  return conf`
    # The remote ends of these tunnels at Google Cloud: HA VPN. ${join(', ', tunnelNames(v))}
    # The provider hashicorp/google is 7.4.0 or newer.

    # In front of the name of every resource.
    variable "vpn_name" {
      type    = string
      default = "vpn"
    }

    # Your VPC network.
    variable "vpn_network" {
      type = string
    }

    variable "vpn_region" {
      type = string
    }
    ${when(
      not(isDynamic(v)),
      () => conf`

      # A Cloud Router of the network and the region: HA VPN takes its routes by BGP only.
      variable "vpn_router" {
        type = string
      }
    `,
    )}
    ${tunnels(v, (name, t) => withSecret(name, asked, options.presharedKey, (key) => keyVariable(name, t, key)))}
    ${tunnels(v, (name, t) =>
      when(and(speaksBgp(v, t), isSet(t.bgp.password)), () =>
        withSecret(name, asked, options.bgpPassword, (password) => passwordVariable(name, t, password)),
      ),
    )}

    resource "google_compute_ha_vpn_gateway" "vpn" {
      name    = var.vpn_name
      region  = var.vpn_region
      network = var.vpn_network
    }

    resource "google_compute_external_vpn_gateway" "vpn" {
      name            = var.vpn_name
      redundancy_type = "${redundancyType(v)}"
      ${each(
        addresses(v),
        (address, index) => conf`

        interface {
          id         = ${index}
          ip_address = ${hcl(address)}
        }
      `,
      )}
    }
    ${when(
      isDynamic(v),
      () => conf`

      resource "google_compute_router" "vpn" {
        name    = var.vpn_name
        region  = var.vpn_region
        network = var.vpn_network

        bgp {
          asn                = ${routerAs(v)}
          keepalive_interval = ${keepaliveSeconds(v)}
        }
      }
    `,
    )}
    ${tunnels(v, (name, t, { ours, peer }) => {
      const own = hclName(name);
      const [ike, esp] = [
        suiteNames(GCP_ALGORITHMS.ike, ikeProposals(t)),
        suiteNames(GCP_ALGORITHMS.esp, espProposals(t)),
      ];
      return conf`

        resource "google_compute_vpn_tunnel" "${own}" {
          name                            = "\${var.vpn_name}-${name}"
          region                          = var.vpn_region
          router                          = ${choose(isDynamic(v), 'google_compute_router.vpn.name', 'var.vpn_router')}
          vpn_gateway                     = google_compute_ha_vpn_gateway.vpn.id
          vpn_gateway_interface           = ${ours}
          peer_external_gateway           = google_compute_external_vpn_gateway.vpn.id
          peer_external_gateway_interface = ${peer}
          ike_version                     = 2
          shared_secret                   = var.${own}_preshared_key

          cipher_suite {
            phase1 {
              encryption = ${hclList(ike.encryption)}
              ${when(not(isEmpty(ike.integrity)), () => conf`integrity  = ${hclList(ike.integrity)}`)}
              prf        = ${hclList(ike.prf)}
              dh         = ${hclList(ike.groups)}
            }
            phase2 {
              encryption = ${hclList(esp.encryption)}
              ${when(not(isEmpty(esp.integrity)), () => conf`integrity  = ${hclList(esp.integrity)}`)}
              pfs        = ${hclList(esp.groups)}
            }
          }
        }
        ${when(speaksBgp(v, t), () => routerPeer(v, name, t))}

        # tunnels.${name}.remote.address
        output "${own}_remote_address" {
          value = google_compute_ha_vpn_gateway.vpn.vpn_interfaces[${ours}].ip_address
        }
      `;
    })}
  `;
}

/** The BGP session of the Cloud Router with the gateway of a tunnel. */
function routerPeer(v: IpsecValues, name: Expr<string>, t: TunnelValues): Expr<string> {
  const own = hclName(name);
  return conf`

    resource "google_compute_router_interface" "${own}" {
      name       = "\${var.vpn_name}-${name}"
      region     = var.vpn_region
      router     = google_compute_router.vpn.name
      ip_range   = ${hcl(bgpRange(t))}
      vpn_tunnel = google_compute_vpn_tunnel.${own}.name
    }

    resource "google_compute_router_peer" "${own}" {
      name                      = "\${var.vpn_name}-${name}"
      region                    = var.vpn_region
      router                    = google_compute_router.vpn.name
      interface                 = google_compute_router_interface.${own}.name
      peer_ip_address           = ${hcl(bgpSource(t))}
      peer_asn                  = ${localAs(v)}
      advertised_route_priority = ${ROUTE_PRIORITY}
      ${when(
        isSet(t.bgp.password),
        () => conf`

        md5_authentication_key {
          name = "\${var.vpn_name}-${name}"
          key  = var.${own}_bgp_password
        }
      `,
      )}
    }
  `;
}

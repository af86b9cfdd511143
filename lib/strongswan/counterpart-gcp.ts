import {
  addressOf,
  and,
  check,
  choose,
  conf,
  count,
  each,
  eq,
  isEmpty,
  join,
  mod,
  ne,
  not,
  or,
  sorted,
  text,
  when,
  whenSet,
  type Each,
  type Expr,
  type When,
} from '../staged';
import type { Rules } from '../kubernetes/checks';
import { GCP_ALGORITHMS, suiteNames } from './cloud-algorithms';
import { selectorsOf } from './config';
import type { CounterpartOptions } from './counterpart';
import { cloudRule, keyVariable, shownKey } from './counterpart-cloud';
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
          cloudRule(t, GCP_ALGORITHMS),
        ];
      }),
    ),
  ];
}

/** Lines with the pre-shared key: what is given is that of the tunnel that was asked for. */
function withKey(
  name: Expr<string>,
  asked: string,
  { presharedKey }: CounterpartOptions,
  lines: (key: string | undefined) => Expr<string>,
): When<Expr<string>> {
  return when(
    eq(name, asked),
    () => lines(presharedKey),
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
           ${withKey(name, asked, options, (key) => conf`sharedSecret: ${shownKey(name, t, key)}`)}
           ${line('cipherSuite.phase1.encryption', ike.encryption)}
           ${line('cipherSuite.phase1.integrity', ike.integrity)}
           ${line('cipherSuite.phase1.prf', ike.prf)}
           ${line('cipherSuite.phase1.dh', ike.groups)}
           ${line('cipherSuite.phase2.encryption', esp.encryption)}
           ${line('cipherSuite.phase2.integrity', esp.integrity)}
           ${line('cipherSuite.phase2.pfs', esp.groups)}
           ${whenSet(t.inside.local, (local) =>
             whenSet(
               t.inside.remote,
               (remote) => conf`Addresses inside: ${remote} of the router’s interface, ${addressOf(local)} of its peer`,
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

    # A Cloud Router of the network and the region: HA VPN takes its routes by BGP only.
    variable "vpn_router" {
      type = string
    }
    ${tunnels(v, (name, t) => withKey(name, asked, options, (key) => keyVariable(name, t, key)))}

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
          router                          = var.vpn_router
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

        # tunnels.${name}.remote.address
        output "${own}_remote_address" {
          value = google_compute_ha_vpn_gateway.vpn.vpn_interfaces[${ours}].ip_address
        }
      `;
    })}
  `;
}

import { IPV4_PATTERN } from '../net/address';
import {
  addressOf,
  and,
  check,
  choose,
  chooseSet,
  conf,
  contains,
  each,
  eq,
  filter,
  gt,
  isEmpty,
  join,
  lt,
  matches,
  max,
  min,
  ne,
  networkBits,
  not,
  or,
  pathOf,
  some,
  split,
  text,
  when,
  whenSet,
  type Each,
  type Expr,
} from '../staged';
import type { Rules } from '../kubernetes/checks';
import { localAs } from '../frr/fabric';
import { bgpPeerAddress, bgpSource, speaksBgp } from './bgp';
import { AWS_ALGORITHMS, suiteNames } from './cloud-algorithms';
import { carriesIpv6, selectorsOf } from './config';
import type { CounterpartOptions } from './counterpart';
import { cloudRules, keyVariable, peerAs, shownKey } from './counterpart-cloud';
import { hcl, hclList, hclName } from './hcl';
import {
  espProposals,
  ikeProposals,
  isRouteBased,
  localIdentity,
  remoteInitiates,
  replayWindow,
  usesCertificate,
  type IpsecValues,
  type TunnelValues,
} from './tunnel';

/* Site-to-Site VPN: `CreateCustomerGateway`, `CreateVpnConnection` and `VpnTunnelOptionsSpecification` (EC2 API). */

/** The longest that AWS takes. Ours are shorter, so that the gateway rekeys. */
const IKE_LIFETIME_SECONDS = 28_800;
const ESP_LIFETIME_SECONDS = 3600;
/** The shortest that AWS takes. */
const DPD_TIMEOUT_SECONDS = 30;
const REPLAY_WINDOW = { least: 64, most: 2048 } as const;
/** Without BGP it means nothing, but AWS wants one. */
const ANY_ASN = 65_000;
/** The largest that is no `BgpAsnExtended`. */
const ASN_MAX = 2_147_483_647;

const isIpv4 = (given: Expr<string>): Expr<boolean> => matches(IPV4_PATTERN, given);

/** The address of the customer gateway, empty if nothing gives it. */
function customerAddress(v: IpsecValues, t: TunnelValues, { address }: CounterpartOptions): Expr<string> {
  if (address !== undefined) return text`${address}`;
  const identity = localIdentity(v, t);
  return choose(isIpv4(identity), identity, '');
}

/** The last octets with which a /30 can begin. */
const LAST_OCTETS = Array.from({ length: 64 }, (_, index) => 4 * index).join(' ');

/** The /30 that holds an IPv4 address. */
function network30(address: Expr<string>): Expr<string> {
  const front = join('.', [each(split('.', addressOf(address)), (octet, index) => when(lt(index, 3), () => octet))]);
  const last = filter(split(' ', LAST_OCTETS), (octet) =>
    eq(networkBits(text`${front}.${octet}/30`), networkBits(text`${addressOf(address)}/30`)),
  );
  return text`${front}.${join('', last)}/30`;
}

/** The networks of both ends in the connection, with commas between them. */
function selectors(v: IpsecValues, t: TunnelValues): { local: Expr<string>; remote: Expr<string> } {
  const all = selectorsOf(v, t);
  const of = (end: 'local' | 'remote'): Expr<string> =>
    chooseSet(
      t.children,
      (children) =>
        join(
          ',',
          each(children, (_name, child) => selectorsOf(v, t, child)[end]),
        ),
      all[end],
    );
  return { local: of('local'), remote: of('remote') };
}

/** What AWS sends to the gateway: the networks of the cluster, or in the mode `policy` that of the connection. */
function staticRoutes(v: IpsecValues, t: TunnelValues, line: (network: Expr<string>) => Expr<string>): Expr<string> {
  const ofIpv4 = (networks: Expr<readonly string[]>): Each<unknown> =>
    each(networks, (network) => when(not(contains(':', network)), () => line(network)));
  return conf`
    ${when(
      isRouteBased(t),
      () => conf`
      ${ofIpv4(v.cluster.podCidrs)}
      ${ofIpv4(v.cluster.serviceCidrs)}
      ${ofIpv4(v.cluster.nodeCidrs)}
    `,
      () => line(selectors(v, t).local),
    )}
  `;
}

/** What an end at AWS cannot be. */
export function awsRules(v: IpsecValues, t: TunnelValues, options: CounterpartOptions): Rules {
  const { local, remote } = selectors(v, t);
  const address = customerAddress(v, t, options);
  const isIpv6 = some(t.remote.networks, (network) => contains(':', network));
  return [
    check({
      failsIf: and(not(usesCertificate(t)), eq(address, '')),
      at: text`${pathOf(t)}.localIdentity`,
      problem: 'is not an IPv4 address, by which AWS knows a customer gateway with a pre-shared key',
      got: localIdentity(v, t),
      remedy: 'set it, or identity of the gateway, to the address, or name the address beside (--address)',
    }),
    check({
      failsIf: and(usesCertificate(t), remoteInitiates(t), eq(address, '')),
      at: text`${pathOf(t)}.remote.initiates`,
      problem: 'is true, but AWS begins to an address only',
      remedy: 'name the address (--address), or set it to false and let the gateway begin',
    }),
    check({
      failsIf: isIpv6,
      at: t.remote.networks,
      problem: 'has IPv6, for which AWS needs a connection of its own at a transit gateway',
      remedy: 'keep the IPv4 networks in this tunnel',
    }),
    check({
      failsIf: and(not(carriesIpv6(t)), or(contains(',', local), contains(',', remote))),
      at: t,
      problem: 'has several networks in its traffic selectors, of which AWS takes one on each side',
      got: text`${local} = ${remote}`,
      remedy: 'use the mode route without children, or keep one network on each side',
    }),
    whenSet(t.inside.local, (local) =>
      check({
        failsIf: contains(':', local),
        at: local,
        problem: 'is of IPv6, for which AWS needs a connection of its own at a transit gateway',
        got: local,
        remedy: 'use a /30 of 169.254.0.0/16',
      }),
    ),
    ...cloudRules(v, t, AWS_ALGORITHMS),
  ];
}

/** What both forms say of the tunnel. */
function modelOf(v: IpsecValues, t: TunnelValues, options: CounterpartOptions) {
  const begins = remoteInitiates(t);
  return {
    address: customerAddress(v, t, options),
    ...selectors(v, t),
    ike: suiteNames(AWS_ALGORITHMS.ike, ikeProposals(t)),
    esp: suiteNames(AWS_ALGORITHMS.esp, espProposals(t)),
    startupAction: choose(begins, 'start', 'add'),
    dpdTimeoutAction: choose(begins, 'restart', 'clear'),
    replayWindow: max(REPLAY_WINDOW.least, min(REPLAY_WINDOW.most, replayWindow(t))),
    isDynamic: speaksBgp(v, t),
    asn: choose(speaksBgp(v, t), localAs(v), ANY_ASN),
  };
}

/** What a person sets at AWS, in its order and with its names. */
export function awsText(
  v: IpsecValues,
  name: Expr<string>,
  t: TunnelValues,
  options: CounterpartOptions,
): Expr<string> {
  const { ike, esp, ...model } = modelOf(v, t, options);
  const line = (title: string, names: Expr<readonly string[]>) =>
    when(not(isEmpty(names)), () => conf`${title}: ${join(', ', names)}`);
  return conf`
    The remote end of the tunnel ${name} at AWS: a Site-to-Site VPN connection.

    1. Customer gateway
       Type: ipsec.1
       ${when(ne(model.address, ''), () => conf`IpAddress: ${model.address}`)}
       ${when(usesCertificate(t), () => conf`CertificateArn: (that of the gateway’s certificate, of a private authority of AWS, in ACM)`)}
       ${when(
         model.isDynamic,
         () => conf`${choose(gt(model.asn, ASN_MAX), 'BgpAsnExtended', 'BgpAsn')}: ${model.asn}`,
         () => conf`BgpAsn: ${ANY_ASN} (any: the routes are static)`,
       )}

    2. VPN connection
       VpnGatewayId or TransitGatewayId: ${choose(model.isDynamic, text`(of your VPC, with the AmazonSideAsn ${peerAs(t)})`, '(of your VPC)')}
       Type: ipsec.1
       StaticRoutesOnly: ${choose(model.isDynamic, 'false', 'true')}
       LocalIpv4NetworkCidr: ${model.local}
       RemoteIpv4NetworkCidr: ${model.remote}

    3. Options of its first tunnel
       ${when(not(usesCertificate(t)), () => conf`PreSharedKey: ${shownKey(name, t, options.presharedKey)}`)}
       ${whenSet(t.inside.local, (local) => conf`TunnelInsideCidr: ${network30(local)}`)}
       IKEVersions: ikev2
       ${line('Phase1EncryptionAlgorithms', ike.encryption)}
       ${line('Phase1IntegrityAlgorithms', ike.integrity)}
       ${line('Phase1DHGroupNumbers', ike.groups)}
       Phase1LifetimeSeconds: ${IKE_LIFETIME_SECONDS}
       ${line('Phase2EncryptionAlgorithms', esp.encryption)}
       ${line('Phase2IntegrityAlgorithms', esp.integrity)}
       ${line('Phase2DHGroupNumbers', esp.groups)}
       Phase2LifetimeSeconds: ${ESP_LIFETIME_SECONDS}
       ReplayWindowSize: ${model.replayWindow}
       StartupAction: ${model.startupAction}
       DPDTimeoutAction: ${model.dpdTimeoutAction}
       DPDTimeoutSeconds: ${DPD_TIMEOUT_SECONDS}
    ${when(
      model.isDynamic,
      () => conf`

      4. Routes: by BGP, between ${bgpPeerAddress(t)} of AWS and ${bgpSource(t)} of the gateway
         Let the route tables of the VPC take them (EnableVgwRoutePropagation), or that of the transit gateway.
    `,
      () => conf`

      4. Static routes: of the connection, or of the transit gateway’s route table
         ${staticRoutes(v, t, (network) => conf`DestinationCidrBlock: ${network}`)}
    `,
    )}

    5. Then in the values
       tunnels.${name}.remote.address: (OutsideIpAddress of the first tunnel)

    The second tunnel of the connection stays down.
  `;
}

/** The same for Terraform with the provider hashicorp/aws. */
export function awsTerraform(
  v: IpsecValues,
  name: Expr<string>,
  t: TunnelValues,
  options: CounterpartOptions,
): Expr<string> {
  const { ike, esp, ...model } = modelOf(v, t, options);
  const own = hclName(name);
  const numbers = (names: Expr<readonly string[]>): Expr<string> => text`[${join(', ', names)}]`;
  return conf`
    # The remote end of the tunnel ${name} at AWS: a Site-to-Site VPN connection. Its second tunnel stays down.
    ${when(
      model.isDynamic,
      () => conf`

      # The virtual private gateway of your VPC, with the amazon_side_asn ${peerAs(t)}. For a transit gateway, replace vpn_gateway_id by
      # transit_gateway_id. Let the route tables take what it learns: aws_vpn_gateway_route_propagation.
    `,
      () => conf`

      # The virtual private gateway of your VPC. For a transit gateway, replace vpn_gateway_id by transit_gateway_id, and the
      # routes by those of its route table.
    `,
    )}
    variable "${own}_gateway_id" {
      type = string
    }
    ${when(
      usesCertificate(t),
      () => conf`

      # The gateway's certificate in ACM, of a private authority of AWS.
      variable "${own}_certificate_arn" {
        type = string
      }
    `,
      () => keyVariable(name, t, options.presharedKey),
    )}

    resource "aws_customer_gateway" "${own}" {
      ${when(
        usesCertificate(t),
        () => conf`
        type            = "ipsec.1"
        certificate_arn = var.${own}_certificate_arn
        ${when(ne(model.address, ''), () => conf`ip_address      = ${hcl(model.address)}`)}
      `,
        () => conf`
        type       = "ipsec.1"
        ip_address = ${hcl(model.address)}
      `,
      )}

      ${choose(gt(model.asn, ASN_MAX), 'bgp_asn_extended', 'bgp_asn')} = ${model.asn}

      tags = {
        Name = "vpn-${name}"
      }
    }

    resource "aws_vpn_connection" "${own}" {
      type                = "ipsec.1"
      customer_gateway_id = aws_customer_gateway.${own}.id
      vpn_gateway_id      = var.${own}_gateway_id
      static_routes_only  = ${choose(model.isDynamic, 'false', 'true')}

      local_ipv4_network_cidr  = ${hcl(model.local)}
      remote_ipv4_network_cidr = ${hcl(model.remote)}

      tunnel1_ike_versions        = ["ikev2"]
      ${when(not(usesCertificate(t)), () => conf`tunnel1_preshared_key       = var.${own}_preshared_key`)}
      ${whenSet(t.inside.local, (local) => conf`tunnel1_inside_cidr         = ${hcl(network30(local))}`)}
      tunnel1_replay_window_size  = ${model.replayWindow}
      tunnel1_startup_action      = "${model.startupAction}"
      tunnel1_dpd_timeout_action  = "${model.dpdTimeoutAction}"
      tunnel1_dpd_timeout_seconds = ${DPD_TIMEOUT_SECONDS}

      tunnel1_phase1_encryption_algorithms = ${hclList(ike.encryption)}
      ${when(not(isEmpty(ike.integrity)), () => conf`tunnel1_phase1_integrity_algorithms  = ${hclList(ike.integrity)}`)}
      tunnel1_phase1_dh_group_numbers      = ${numbers(ike.groups)}
      tunnel1_phase1_lifetime_seconds      = ${IKE_LIFETIME_SECONDS}

      tunnel1_phase2_encryption_algorithms = ${hclList(esp.encryption)}
      ${when(not(isEmpty(esp.integrity)), () => conf`tunnel1_phase2_integrity_algorithms  = ${hclList(esp.integrity)}`)}
      tunnel1_phase2_dh_group_numbers      = ${numbers(esp.groups)}
      tunnel1_phase2_lifetime_seconds      = ${ESP_LIFETIME_SECONDS}

      tags = {
        Name = "vpn-${name}"
      }
    }
    ${when(
      not(model.isDynamic),
      () => conf`

      resource "aws_vpn_connection_route" "${own}" {
        for_each = toset([
          ${staticRoutes(v, t, (network) => conf`${hcl(network)},`)}
        ])

        vpn_connection_id      = aws_vpn_connection.${own}.id
        destination_cidr_block = each.value
      }
    `,
    )}

    # tunnels.${name}.remote.address
    output "${own}_remote_address" {
      value = aws_vpn_connection.${own}.tunnel1_address
    }
  `;
}

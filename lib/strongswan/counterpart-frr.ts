import { choose, conf, each, gt, isSet, orElse, prefixLength, text, when, type Expr } from '../staged';
import { exportedNetworks, isV4, isV6, localAs, maxLengthOf } from '../frr/fabric';
import { bgpHoldSeconds, bgpKeepaliveSeconds, bgpPeerAddress, bgpSource, bgpMultihopTtl, speaksBgp } from './bgp';
import type { CounterpartOptions } from './counterpart';
import { passwordPlace, peerAs } from './counterpart-cloud';
import type { IpsecValues, TunnelValues } from './tunnel';

/** What bgpd waits until it tries the gateway again. */
const CONNECT_SECONDS = 5;
/** Ways to the cluster that are used at once. */
const MOST_PATHS = 8;

/**
 * The remote end's BGP session with the gateway, in the format of frr.conf(5) of FRR 10: the mirror image of ours. It goes beside what a
 * router has already, and may be loaded again. Empty for a tunnel without BGP.
 */
export function frrCounterpart(
  v: IpsecValues,
  name: Expr<string>,
  t: TunnelValues,
  options: CounterpartOptions = {},
): Expr<string> {
  return conf`
    ${when(speaksBgp(v, t), () => session(v, name, t, options))}
  `;
}

function session(
  v: IpsecValues,
  name: Expr<string>,
  t: TunnelValues,
  { bgpPassword }: CounterpartOptions,
): Expr<string> {
  const { bgp } = t;
  const gateway = bgpSource(t);
  return conf`
    ! The remote end of the tunnel ${name}: its BGP session, for FRR 10 with zebra, bgpd${choose(isSet(bgp.bfd), ' and bfdd', '')}. After the script
    ! of its network: vtysh -f ${name}-frr.conf, then vtysh -c 'write memory'
    !
    ! What is taken from the gateway.
    ${exportedNetworks(v, (network) => permit(text`cluster-${name}`, network, prefixLength(network)))}
    !
    ! What is told to the gateway: of these networks those to which this router has a route by an interface, of the kernel, or static.
    ! Let it redistribute others too if it has routes from elsewhere, such as ospf.
    ${each(v.routes.import, (_import, taken) => permit(text`site-${name}`, taken.cidr, maxLengthOf(taken)))}
    route-map site-${name} permit 10
     match ip address prefix-list site-${name}
    exit
    route-map site-${name} permit 20
     match ipv6 address prefix-list site-${name}
    exit
    !
    ${when(
      isSet(bgp.bfd),
      () => conf`
      bfd
       profile ${name}
        detect-multiplier ${orElse(bgp.bfd.multiplier, 5)}
        receive-interval ${orElse(bgp.bfd.intervalMilliseconds, 300)}
        transmit-interval ${orElse(bgp.bfd.intervalMilliseconds, 300)}
       exit
      exit
      !
    `,
    )}
    router bgp ${peerAs(t)}
     neighbor ${gateway} remote-as ${localAs(v)}
     neighbor ${gateway} description gateway of the tunnel ${name}
     neighbor ${gateway} update-source ${bgpPeerAddress(t)}
     neighbor ${gateway} timers ${bgpKeepaliveSeconds(t)} ${bgpHoldSeconds(t)}
     neighbor ${gateway} timers connect ${CONNECT_SECONDS}
     ${when(gt(bgpMultihopTtl(t), 1), () => conf`neighbor ${gateway} ebgp-multihop ${bgpMultihopTtl(t)}`)}
     ${when(isSet(bgp.bfd), () => conf`neighbor ${gateway} bfd profile ${name}`)}
     ${when(isSet(bgp.password), () =>
       bgpPassword === undefined
         ? conf`! neighbor ${gateway} password (${passwordPlace(t)})`
         : conf`neighbor ${gateway} password ${bgpPassword}`,
     )}
     ${when(
       isV4(gateway),
       () => addressFamily('ipv4', name, gateway),
       () => addressFamily('ipv6', name, gateway),
     )}
    exit
  `;
}

function addressFamily(family: 'ipv4' | 'ipv6', name: Expr<string>, gateway: Expr<string>): Expr<string> {
  return conf`
    address-family ${family} unicast
     redistribute connected route-map site-${name}
     redistribute kernel route-map site-${name}
     redistribute static route-map site-${name}
     neighbor ${gateway} activate
     neighbor ${gateway} prefix-list cluster-${name} in
     neighbor ${gateway} prefix-list site-${name} out
     ! Over all gateways at once, if this router has several tunnels.
     maximum-paths ${MOST_PATHS}
    exit-address-family
  `;
}

/** A line of a prefix list: the network, and its parts up to a length. */
function permit(list: Expr<string>, network: Expr<string>, longest: Expr<number>): Expr<string> {
  const parts = choose(gt(longest, prefixLength(network)), text` le ${longest}`, '');
  return conf`${choose(isV6(network), 'ipv6', 'ip')} prefix-list ${list} permit ${network}${parts}`;
}

import {
  choose,
  conf,
  each,
  gt,
  isSet,
  lt,
  ne,
  orElse,
  prefixLength,
  text,
  when,
  type Each,
  type Expr,
} from '../staged';
import {
  clusterNetworks,
  exportedNetworks,
  gatewayOverlay,
  internalAs,
  isV4,
  isV6,
  whole,
  localAs,
  maxLengthOf,
  type BgpValues,
  type FabricValues,
} from './fabric';

/** A session of a gateway with a BGP speaker of the other side. */
export interface RemoteSession {
  /** The name of its BFD profile. */
  readonly name: Expr<string>;
  readonly address: Expr<string>;
  /** Our address in it. */
  readonly source: Expr<string>;
  readonly peerAs: Expr<number>;
  readonly bgp: BgpValues;
  readonly keepaliveSeconds: Expr<number>;
  readonly holdSeconds: Expr<number>;
  /** Hops that packets may take; 1: it is a neighbour. */
  readonly ttl: Expr<number>;
}

/** What a gateway's FRR is told. */
export interface Reflector {
  readonly gateway: Expr<string>;
  /** The body for each of its sessions. */
  readonly sessions: <B>(body: (session: RemoteSession) => B) => Each<unknown>;
  /** The body for every network behind its tunnels that is known from the values. @default none */
  readonly networks?: <B>(body: (network: Expr<string>) => B) => Each<unknown>;
}

/** What bgpd waits until it tries a remote end again. */
const CONNECT_SECONDS = 5;
/** How long a remote end that announced too much stays away. */
const RESTART_MINUTES = 5;

/**
 * The static part of the FRR configuration of a gateway, in the format of frr.conf(5) of FRR 10.3: a route reflector (RFC 4456) for
 * the nodes, and the sessions with the remote ends. reflector.py adds the nodes, the passwords and what is announced now.
 *
 * What comes from nodes goes to table 100, what comes from remote ends to table 200: in the main table it would catch the packets that
 * carry it. Whatever is not in a list is refused.
 */
export function reflectorConf(v: FabricValues, { gateway, sessions, networks }: Reflector): Expr<string> {
  const { cluster, routes } = v;
  const address = gatewayOverlay(v, gateway);
  return conf`
    frr version 10.3
    frr defaults traditional
    hostname ${gateway}
    log stdout informational
    service integrated-vtysh-config
    !
    bfd
     profile overlay
      transmit-interval ${routes.bfd.intervalMilliseconds}
      receive-interval ${routes.bfd.intervalMilliseconds}
      detect-multiplier ${routes.bfd.multiplier}
     exit
     ${sessions(({ name, bgp: { bfd } }) =>
       when(
         isSet(bfd),
         () => conf`
       !
       profile remote-${name}
        transmit-interval ${orElse(bfd.intervalMilliseconds, 300)}
        receive-interval ${orElse(bfd.intervalMilliseconds, 300)}
        detect-multiplier ${orElse(bfd.multiplier, 5)}
       exit
     `,
       ),
     )}
    exit
    !
    ${each(cluster.podCidrs, (network) => permit('POD-NETWORKS', network, whole))}
    ${each(cluster.nodeCidrs, (network) => addresses('NODE-ADDRESSES', network))}
    ${each(cluster.serviceCidrs, (network) => permit('SERVICE-NETWORKS', network))}
    ${each(routes.import, (_name, taken) => permit('IMPORT', taken.cidr, () => maxLengthOf(taken)))}
    ${networks === undefined ? conf`` : networks((network) => permit('STATIC', network))}
    ${exportedNetworks(v, (network) => permit('EXPORT', network))}
    ${clusterNetworks(v, (network) => permit('FORBIDDEN', network, whole))}
    ${permit('FORBIDDEN', routes.overlay.nodeNetwork, whole)}
    ${permit('FORBIDDEN', routes.overlay.gatewayNetwork, whole)}
    ${permit('FORBIDDEN', routes.overlay.ipv6Network, whole)}
    ip prefix-list FORBIDDEN permit 0.0.0.0/0
    ipv6 prefix-list FORBIDDEN permit ::/0
    !
    ! What a node announces of the same network comes first: else it would be in no table.
    route-map OWN permit 10
     set local-preference 50
     set weight 0
    exit
    ${entries('FROM-NODES', 10, 'permit', 'NODE-ADDRESSES', 'set table 100')}
    ${entries('FROM-NODES', 20, 'permit', 'POD-NETWORKS', 'set table 100')}
    ${entries('FROM-NODES', 40, 'permit', 'SERVICE-NETWORKS', 'set table 100')}
    ${entries('TO-NODES', 10, 'permit', 'IMPORT')}
    ${entries('TO-NODES', 20, 'permit', 'STATIC')}
    ${entries('FROM-REMOTE', 10, 'deny', 'FORBIDDEN')}
    ${entries('FROM-REMOTE', 20, 'deny', 'OUTER')}
    ${entries('FROM-REMOTE', 30, 'permit', 'IMPORT', 'set table 200')}
    ${entries('TO-REMOTE', 10, 'permit', 'EXPORT')}
    bgp route-map delay-timer 0
    !
    router bgp ${internalAs(v)}
     bgp router-id ${address}
     bgp log-neighbor-changes
     no bgp default ipv4-unicast
     no bgp network import-check
     bgp bestpath as-path multipath-relax
     ${nodes('NODES', v, address)}
     neighbor NODES bfd
     neighbor NODES bfd check-control-plane-failure
     neighbor NODES bfd profile overlay
     ${nodes('NODES-WITHOUT-BFD', v, address)}
     ${sessions(
       (session) => conf`
       neighbor ${session.address} remote-as ${session.peerAs}
       neighbor ${session.address} description ${session.name}
       ${when(
         ne(internalAs(v), localAs(v)),
         () => conf`neighbor ${session.address} local-as ${localAs(v)} no-prepend replace-as`,
       )}
       ${when(gt(session.ttl, 1), () => conf`neighbor ${session.address} ebgp-multihop ${session.ttl}`)}
       ${when(
         isSet(session.bgp.bfd),
         () => conf`
         neighbor ${session.address} bfd
         neighbor ${session.address} bfd profile remote-${session.name}
       `,
       )}
       neighbor ${session.address} timers ${session.keepaliveSeconds} ${session.holdSeconds}
       neighbor ${session.address} timers connect ${CONNECT_SECONDS}
       neighbor ${session.address} update-source ${session.source}
     `,
     )}
     !
     ${addressFamily(v, 'ipv4', isV4, sessions)}
     !
     ${addressFamily(v, 'ipv6', isV6, sessions)}
    exit
  `;
}

function addressFamily(
  { routes }: FabricValues,
  family: 'ipv4' | 'ipv6',
  isOf: (address: Expr<string>) => Expr<boolean>,
  sessions: Reflector['sessions'],
): Expr<string> {
  return conf`
    address-family ${family} unicast
     ${clients('NODES')}
     ${clients('NODES-WITHOUT-BFD')}
     ${sessions(({ address, bgp }) =>
       when(
         isOf(address),
         () => conf`
       neighbor ${address} activate
       neighbor ${address} route-map FROM-REMOTE in
       neighbor ${address} route-map TO-REMOTE out
       neighbor ${address} maximum-prefix ${orElse(bgp.maxPrefixes, routes.maxPrefixes)} restart ${RESTART_MINUTES}
     `,
       ),
     )}
     maximum-paths 8
     maximum-paths ibgp 8
    exit-address-family
  `;
}

/** The nodes, of which each is a neighbour of its own: FRR 10.3 deletes those of `bgp listen range` with their BFD sessions. */
function nodes(group: string, v: FabricValues, address: Expr<string>): Expr<string> {
  return conf`
    neighbor ${group} peer-group
    neighbor ${group} remote-as ${internalAs(v)}
    neighbor ${group} passive
    neighbor ${group} timers 3 9
    neighbor ${group} update-source ${address}
  `;
}

function clients(group: string): Expr<string> {
  return conf`
    neighbor ${group} activate
    neighbor ${group} next-hop-self
    neighbor ${group} route-map FROM-NODES in
    neighbor ${group} route-map TO-NODES out
    neighbor ${group} route-reflector-client
  `;
}

/** A line of a prefix list: the network alone, or its parts up to a length too. */
function permit(
  list: string,
  network: Expr<string>,
  longest: (network: Expr<string>) => Expr<number> = prefixLength,
): Expr<string> {
  const most = longest(network);
  const parts = choose(gt(most, prefixLength(network)), text` le ${most}`, '');
  return conf`${choose(isV6(network), 'ipv6', 'ip')} prefix-list ${list} permit ${network}${parts}`;
}

/** A line of a prefix list: every single address of a network. */
function addresses(list: string, network: Expr<string>): Expr<string> {
  const all = choose(lt(prefixLength(network), whole(network)), text` ge ${whole(network)}`, '');
  return conf`${choose(isV6(network), 'ipv6', 'ip')} prefix-list ${list} permit ${network}${all}`;
}

/** An entry of a route map for each family. */
function entries(map: string, number: number, verdict: 'permit' | 'deny', list: string, set?: string): Expr<string> {
  const lines =
    set === undefined
      ? conf`exit`
      : conf`
     ${set}
    exit
  `;
  const entry = (words: string, at: number) => conf`
    route-map ${map} ${verdict} ${at}
     match ${words} address prefix-list ${list}
    ${lines}
  `;
  return conf`
    ${entry('ip', number)}
    ${entry('ipv6', number + 1)}
  `;
}

import {
  and,
  choose,
  chooseSet,
  conf,
  each,
  eq,
  gt,
  isSet,
  join,
  named,
  not,
  or,
  orElse,
  some,
  spread,
  text,
  when,
  whenSet,
  type Each,
  type Expr,
  type When,
} from '../staged';
import { shortName } from '../../values/net';
import { clusterHas, clusterLists, isV4, isV6 } from '../frr/fabric';
import { speaksBgp } from './bgp';
import {
  copyDf,
  dpdDelaySeconds,
  espOverhead,
  espProposals,
  espRekeySeconds,
  ikeProposals,
  ikeRekeySeconds,
  initiates,
  interfaceId,
  interfaceName,
  isRouteBased,
  localIdentity,
  outerHeaderBytes,
  presetMtuBytes,
  remoteAddresses,
  remoteIdentity,
  replayWindow,
  usesCertificate,
  usesFabric,
  type IpsecValues,
  type TunnelValues,
} from './tunnel';

/** The interface between a gateway and the nodes. */
const OVERLAY = 'ovl0';

/** The memory volume that the containers of a gateway share. */
export const STATE = '/run/vpn';

/** The body for every tunnel of a gateway. */
export function tunnelsOf<B>(
  v: IpsecValues,
  gateway: Expr<string>,
  body: (name: Expr<string>, t: TunnelValues) => B,
): Each<When<B>> {
  return each(v.tunnels, (name, t) => when(eq(t.gateway, gateway), () => body(name, t)));
}

/** Whether a tunnel of the gateway is so. */
export const someTunnel = (
  v: IpsecValues,
  gateway: Expr<string>,
  is: (t: TunnelValues) => Expr<boolean>,
): Expr<boolean> => some(v.tunnels, (t) => and(eq(t.gateway, gateway), is(t)));

/** Whether a tunnel has networks or addresses of IPv6 inside. */
export const carriesIpv6 = (t: TunnelValues): Expr<boolean> =>
  or(some(t.remote.networks, isV6), isV6(orElse(t.inside.local, '')));

/** Whether anything of the gateways speaks IPv6 inside. */
export const usesIpv6 = (v: IpsecValues): Expr<boolean> =>
  or(...clusterLists(v).map((networks) => some(networks, isV6)), some(v.tunnels, carriesIpv6));

/** The networks of the cluster, one after the other. */
const clusterNetworks = (v: IpsecValues) => clusterLists(v).map((networks) => spread(networks));

/**
 * The plugins that charon loads, whatever else an image has: what is not there is left out with a line in the log. Others would only
 * be further code that packets reach.
 */
const PLUGINS = [
  'random nonce drbg openssl aes sha1 sha2 sha3 hmac kdf gmp curve25519 ml',
  'gcm ccm ctr chapoly cmac xcbc x509 constraints pubkey pkcs1 pkcs7 pkcs8 pem',
  'kernel-netlink socket-default vici counters',
].join(' ');

/** What charon itself is told, in the format of strongswan.conf(5). */
export const strongswanConf = (v: IpsecValues): Expr<string> =>
  named(
    'strongswanConf',
    {},
    () => conf`
    charon {
      load = ${PLUGINS}
      # Routes and addresses are those of network.sh.
      install_routes = no
      install_virtual_ip = no
      # The same time between all tries: how long a silent remote end goes unnoticed is a sum.
      retransmit_base = 1.0
      retransmit_timeout = ${v.retransmission.intervalSeconds}.0
      retransmit_tries = ${v.retransmission.tries}
      keep_alive = ${v.natKeepaliveSeconds}s
      make_before_break = yes
      filelog {
        stderr {
          default = ${v.strongswan.logLevel}
          flush_line = yes
          ike_name = yes
        }
      }
      plugins {
        vici {
          socket = unix://${STATE}/charon.vici
        }
      }
    }
  `,
  )();

/**
 * The connections of a gateway, in the format of swanctl.conf(5), without secrets: those are in the file `secrets.conf` beside it,
 * which control.py writes.
 */
export function swanctlConf(v: IpsecValues): (of: { gateway: Expr<string> }) => Expr<string> {
  return named(
    'swanctlConf',
    { gateway: shortName },
    ({ gateway }) => conf`
    connections {
      ${tunnelsOf(v, gateway, (name, t) => connection(v, name, t))}
    }
    include secrets.conf
  `,
  );
}

function connection(v: IpsecValues, name: Expr<string>, t: TunnelValues): Expr<string> {
  const end = (identity: Expr<string>) => conf`
    auth = ${choose(usesCertificate(t), 'pubkey', 'psk')}
    id = "${identity}"
  `;
  return conf`
    ${name} {
      version = 2
      remote_addrs = ${remoteAddresses(v, t)}
      # ESP itself passes no Service and no host port.
      encap = yes
      mobike = ${choose(orElse(t.ike.mobike, false), 'yes', 'no')}
      fragmentation = ${orElse(t.ike.fragmentation, 'yes')}
      unique = replace
      keyingtries = 0
      dpd_delay = ${dpdDelaySeconds(t)}s
      proposals = ${ikeProposals(t)}
      rekey_time = ${ikeRekeySeconds(t)}s
      ${whenSet(t.ike.reauthSeconds, (seconds) => conf`reauth_time = ${seconds}s`)}
      ${when(
        isRouteBased(t),
        () => conf`
        if_id_in = ${interfaceId(name, t)}
        if_id_out = ${interfaceId(name, t)}
      `,
      )}
      ${whenSet(
        t.postQuantumKey.id,
        (id) => conf`
        ppk_id = "${id}"
        ppk_required = ${choose(orElse(t.postQuantumKey.required, true), 'yes', 'no')}
      `,
      )}
      local {
        ${end(localIdentity(v, t))}
        ${when(usesCertificate(t), () => conf`certs = ${name}.crt`)}
      }
      remote {
        ${end(remoteIdentity(t))}
        ${when(usesCertificate(t), () => conf`cacerts = ${authorityFiles(name, t)}`)}
      }
      children {
        ${when(
          isSet(t.children),
          () => each(t.children, (child, selectors) => childSa(v, child, t, selectors)),
          () => childSa(v, name, t),
        )}
      }
    }
  `;
}

/** The files of the authorities of a tunnel, as control.py names them. */
function authorityFiles(name: Expr<string>, t: TunnelValues): Expr<string> {
  return chooseSet(
    t.authorities,
    (authorities) =>
      join(
        ',',
        each(authorities, (authority) => text`${name}-${authority}.crt`),
      ),
    text`${name}-ca.crt`,
  );
}

/** The traffic selectors of a child, as the values have them. */
export interface Selectors {
  readonly localTs: Expr<readonly string[] | undefined>;
  readonly remoteTs: Expr<readonly string[] | undefined>;
}

/** The traffic selectors of a child, with commas between them. */
export function selectorsOf(
  v: IpsecValues,
  t: TunnelValues,
  selectors?: Selectors,
): { local: Expr<string>; remote: Expr<string> } {
  const everything = choose(carriesIpv6(t), '0.0.0.0/0,::/0', '0.0.0.0/0');
  const remoteNetworks = join(
    ',',
    each(t.remote.networks, (network) => network),
  );
  const given = (networks: Expr<readonly string[] | undefined> | undefined, otherwise: Expr<string>): Expr<string> =>
    networks === undefined ? otherwise : chooseSet(networks, (list) => join(',', list), otherwise);
  return {
    local: given(selectors?.localTs, choose(isRouteBased(t), everything, join(',', clusterNetworks(v)))),
    remote: given(selectors?.remoteTs, choose(isRouteBased(t), everything, remoteNetworks)),
  };
}

function childSa(v: IpsecValues, name: Expr<string>, t: TunnelValues, selectors?: Selectors): Expr<string> {
  const { local, remote } = selectorsOf(v, t, selectors);
  return conf`
    ${name} {
      local_ts = ${local}
      remote_ts = ${remote}
      esp_proposals = ${espProposals(t)}
      rekey_time = ${espRekeySeconds(t)}s
      replay_window = ${replayWindow(t)}
      copy_df = ${choose(copyDf(t), 'yes', 'no')}
      # control.py begins, so that a change of one tunnel leaves the others as they are.
      start_action = none
      dpd_action = ${choose(initiates(v, t), 'restart', 'clear')}
      close_action = ${choose(initiates(v, t), 'start', 'none')}
    }
  `;
}

/**
 * The network of a gateway's pod, one thing a line, for network.sh: XFRM interfaces with what ESP adds to a packet, their addresses,
 * and the networks that are reached through them.
 */
export function networkConf(v: IpsecValues): (of: { gateway: Expr<string> }) => Expr<string> {
  return named(
    'networkConf',
    { gateway: shortName },
    ({ gateway }) => conf`
    # The tunnels of this pod.
    ${when(usesFabric(v), () => conf`overlay ${orElse(v.routes.overlay.mtuBytes, 0)}`)}
    ${tunnelsOf(v, gateway, (name, t) => {
      const { fixedBytes, blockBytes } = espOverhead(espProposals(t), outerHeaderBytes(t));
      return conf`

        # ${name}
        ${whenSet(
          t.mtu,
          (mtu) => conf`mtu ${mtu}`,
          () => conf`
          overhead ${fixedBytes} ${blockBytes}
          ${when(gt(presetMtuBytes(t), 0), () => conf`most ${presetMtuBytes(t)}`)}
        `,
        )}
        ${when(
          isRouteBased(t),
          () => conf`
          interface ${interfaceName(name, t)} ${interfaceId(name, t)}
          ${whenSet(t.inside.local, (local) => whenSet(t.inside.remote, (remote) => conf`address ${local} ${remote}`))}
          ${each(t.remote.networks, (network) => conf`route ${network}`)}
          ${whenSet(t.bgp.peerAddress, (peer) => conf`route ${peer}`)}
        `,
        )}
      `;
    })}
  `,
  );
}

/**
 * The packet filter of a gateway's pod, in the format of `nft -f` (nft(8)), which replaces all of it at once: nothing for or from a
 * remote network passes outside its tunnel; a remote end reaches the cluster and nothing else; its packets take the pod's address;
 * and TCP segments fit into the tunnel. network.sh fills in `$mss4` and `$mss6`.
 */
export function nftablesConf(v: IpsecValues): (of: { gateway: Expr<string> }) => Expr<string> {
  /** The networks behind a tunnel that are known from the values. */
  const behind = (t: TunnelValues, family: typeof isV4, element: (network: Expr<string>) => Expr<string>) =>
    each(t.remote.networks, (network) => when(family(network), () => element(network)));
  const imports = (family: typeof isV4) =>
    each(v.routes.import, (_name, { cidr }) => when(family(cidr), () => conf`${cidr},`));
  const isImported = (family: typeof isV4) => some(v.routes.import, ({ cidr }) => family(cidr));
  const hasSpeaker = (gateway: Expr<string>) => someTunnel(v, gateway, (t) => speaksBgp(v, t));
  const remotes = (gateway: Expr<string>, family: typeof isV4) => conf`
    ${tunnelsOf(v, gateway, (_name, t) => behind(t, family, (network) => conf`${network},`))}
    ${when(hasSpeaker(gateway), () => imports(family))}
  `;
  const cluster = (family: typeof isV4) => {
    const of = (networks: Expr<readonly string[]>) =>
      each(networks, (network) => when(family(network), () => conf`${network},`));
    return conf`
      ${of(v.cluster.podCidrs)}
      ${of(v.cluster.serviceCidrs)}
      ${of(v.cluster.nodeCidrs)}
    `;
  };
  const tunnels = (gateway: Expr<string>, family: typeof isV4) =>
    tunnelsOf(v, gateway, (name, t) =>
      when(isRouteBased(t), () => behind(t, family, (network) => conf`"${interfaceName(name, t)}" . ${network},`)),
    );
  const ofNetworks = (type: string) => conf`
    type ${type}
    flags interval
    auto-merge
  `;
  const ofTunnels = (type: string) => conf`
    type ifname . ${type}
    flags interval
  `;
  const set = (name: string, head: Expr<string>, holds: Expr<boolean>, elements: Each<unknown> | Expr<string>) => conf`
    set ${name} {
      ${head}
      ${when(
        holds,
        () => conf`
        elements = {
          ${elements}
        }
      `,
      )}
    }
  `;
  const hasRemote = (gateway: Expr<string>, family: typeof isV4) =>
    or(
      someTunnel(v, gateway, (t) => some(t.remote.networks, family)),
      and(hasSpeaker(gateway), isImported(family)),
    );
  const hasTunnel = (gateway: Expr<string>, family: typeof isV4) =>
    someTunnel(v, gateway, (t) => and(isRouteBased(t), some(t.remote.networks, family)));
  /** The tunnels whose networks are taken by BGP, and these. */
  const imported = (gateway: Expr<string>) => conf`
    set speakers {
      type ifname
      elements = {
        ${tunnelsOf(v, gateway, (name, t) => when(speaksBgp(v, t), () => conf`"${interfaceName(name, t)}",`))}
      }
    }
    ${set('imported4', ofNetworks('ipv4_addr'), isImported(isV4), imports(isV4))}
    ${set('imported6', ofNetworks('ipv6_addr'), isImported(isV6), imports(isV6))}
  `;
  const hasCluster = (family: typeof isV4) => clusterHas(v, family);
  const { nodeCidrs, nodeSources } = v.cluster;
  const sources = (networks: Expr<readonly string[]>) =>
    each(networks, (network) => when(isV4(network), () => conf`${network},`));
  const ofNodes = conf`
    ${set(
      'nodes4',
      ofNetworks('ipv4_addr'),
      or(some(nodeCidrs, isV4), some(nodeSources, isV4)),
      conf`
      ${sources(nodeCidrs)}
      ${sources(nodeSources)}
    `,
    )}
    # From a node: to a remote network, through its tunnel.
    chain from_nodes {
      ip saddr @cluster4 oifname "ipsec*" accept
      ip6 saddr @cluster6 oifname "ipsec*" accept
      ip saddr @cluster4 rt ipsec exists accept
      ip6 saddr @cluster6 rt ipsec exists accept
      drop
    }
    # Only nodes reach the overlay, and only nodes and remote ends speak BGP and BFD with this pod.
    chain spoken_to {
      # Nobody behind a tunnel is a node.
      iifname "ipsec*" udp dport ${v.routes.overlay.port} drop
      meta ipsec exists udp dport ${v.routes.overlay.port} drop
      iifname "ipsec*" ip saddr ${v.routes.overlay.nodeNetwork} drop
      iifname "ipsec*" ip saddr ${v.routes.overlay.gatewayNetwork} drop
      iifname "ipsec*" ip6 saddr ${v.routes.overlay.ipv6Network} drop
      udp dport ${v.routes.overlay.port} ip saddr @nodes4 accept
      udp dport ${v.routes.overlay.port} drop
      iifname "${OVERLAY}" ip saddr ${v.routes.overlay.nodeNetwork} accept
      iifname "${OVERLAY}" ip6 saddr ${v.routes.overlay.ipv6Network} accept
      iifname "${OVERLAY}" meta l4proto { icmp, ipv6-icmp } accept
      iifname "${OVERLAY}" drop
      iifname "ipsec*" accept
      tcp dport 179 drop
      udp dport { 3784, 3785, 4784 } drop
    }
  `;
  return named(
    'nftablesConf',
    { gateway: shortName },
    ({ gateway }) => conf`
    table inet vpn
    delete table inet vpn
    table inet vpn {
      ${set('remote4', ofNetworks('ipv4_addr'), hasRemote(gateway, isV4), remotes(gateway, isV4))}
      ${set('remote6', ofNetworks('ipv6_addr'), hasRemote(gateway, isV6), remotes(gateway, isV6))}
      ${set('tunnel4', ofTunnels('ipv4_addr'), hasTunnel(gateway, isV4), tunnels(gateway, isV4))}
      ${set('tunnel6', ofTunnels('ipv6_addr'), hasTunnel(gateway, isV6), tunnels(gateway, isV6))}
      ${when(hasSpeaker(gateway), () => imported(gateway))}
      ${set('cluster4', ofNetworks('ipv4_addr'), hasCluster(isV4), cluster(isV4))}
      ${set('cluster6', ofNetworks('ipv6_addr'), hasCluster(isV6), cluster(isV6))}
      # For a remote network: through its tunnel only.
      chain outwards {
        oifname "ipsec*" return
        rt ipsec exists return
        ip daddr @remote4 drop
        ip6 daddr @remote6 drop
      }
      # From a remote network: out of its tunnel only.
      chain inwards {
        iifname "ipsec*" return
        meta ipsec exists return
        ip saddr @remote4 drop
        ip6 saddr @remote6 drop
      }
      # What comes out of a tunnel of the mode route may reach the cluster, if it is of the networks behind that tunnel.
      chain routed {
        iifname . ip saddr @tunnel4 ip daddr @cluster4 accept
        iifname . ip6 saddr @tunnel6 ip6 daddr @cluster6 accept
        ${when(
          hasSpeaker(gateway),
          () => conf`
          iifname @speakers ip saddr @imported4 ip daddr @cluster4 accept
          iifname @speakers ip6 saddr @imported6 ip6 daddr @cluster6 accept
        `,
        )}
        drop
      }
      # What comes out of one of the mode policy: the kernel looks at its traffic selectors.
      chain granted {
        ip saddr @remote4 ip daddr @cluster4 accept
        ip6 saddr @remote6 ip6 daddr @cluster6 accept
        drop
      }
      ${when(usesFabric(v), () => ofNodes)}
      chain forward {
        type filter hook forward priority filter; policy accept;
        jump inwards
        jump outwards
        iifname "ipsec*" goto routed
        meta ipsec exists goto granted
        ${when(usesFabric(v), () => conf`iifname "${OVERLAY}" goto from_nodes`)}
      }
      chain input {
        type filter hook input priority filter; policy accept;
        jump inwards
        ${when(usesFabric(v), () => conf`jump spoken_to`)}
      }
      chain output {
        type filter hook output priority filter; policy accept;
        jump outwards
      }
      chain clamp {
        type filter hook forward priority mangle; policy accept;
        ip saddr @remote4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
        ip daddr @remote4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
        ip6 saddr @remote6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
        ip6 daddr @remote6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
      }
      ${when(
        not(usesFabric(v)),
        () => conf`
        # Nodes do not know the way back to a remote network: to them its packets are the gateway's.
        chain postrouting {
          type nat hook postrouting priority srcnat; policy accept;
          ip saddr @remote4 ip daddr @cluster4 masquerade
          ip6 saddr @remote6 ip6 daddr @cluster6 masquerade
        }
      `,
      )}
    }
  `,
  );
}

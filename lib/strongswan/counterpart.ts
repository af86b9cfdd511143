import { ADDRESS_PATTERN } from '../net/address';
import { HOST_NAME_PATTERN } from '../net/name';
import {
  choose,
  conf,
  contains,
  each,
  eq,
  isSet,
  matches,
  or,
  orElse,
  prefixLength,
  text,
  when,
  whenSet,
  type Expr,
} from '../staged';
import { hasIpv6 } from '../frr/fabric';
import { speaksBgp } from './bgp';
import { carriesIpv6, selectorsOf, type Selectors } from './config';
import {
  copyDf,
  dpdDelaySeconds,
  espOverhead,
  espProposals,
  espRekeySeconds,
  exposureOf,
  gatewayOf,
  ikeProposals,
  ikeRekeySeconds,
  innerMtu,
  interfaceId,
  isRouteBased,
  localIdentity,
  outerHeaderBytes,
  remoteIdentity,
  remoteInitiates,
  replayWindow,
  usesCertificate,
  type IpsecValues,
  type TunnelValues,
} from './tunnel';

/** What a remote end may be, so that its configuration follows from the values. */
export const COUNTERPARTS = ['strongswan', 'aws', 'gcp'] as const;
export type CounterpartKind = (typeof COUNTERPARTS)[number];

/** How a cloud is told: as a list that a person follows, or for Terraform. */
export const CLOUD_FORMATS = ['text', 'terraform'] as const;
export type CloudFormat = (typeof CLOUD_FORMATS)[number];

/** What the values do not say of the remote end. */
export interface CounterpartOptions {
  /** The address by which the remote end reaches the gateway, where its identity is none. */
  readonly address?: string;
  /** The line of the pre-shared key in the remote end's swanctl.conf. */
  readonly secretLine?: string;
  /** The pre-shared key, for a cloud. Absent: where it is. */
  readonly presharedKey?: string;
  /** The password of the BGP session. Absent: where it is. */
  readonly bgpPassword?: string;
  /** For a cloud. @default text */
  readonly format?: CloudFormat;
  /** The MTU of the remote end's way to the gateway. @default 1500 */
  readonly outerMtuBytes?: number;
}

const SECRET_LINE = 'secret = "(the pre-shared key)"';
/** The metric of routes that hold a network while the tunnel's interface is away. */
const LAST_METRIC = 4_278_198_272;

/** The address by which the remote end reaches the gateway: a host name and an address are identities as well. */
function gatewayAddress(v: IpsecValues, t: TunnelValues, { address }: CounterpartOptions): Expr<string> {
  if (address !== undefined) return text`${address}`;
  const identity = localIdentity(v, t);
  return choose(or(matches(ADDRESS_PATTERN, identity), matches(HOST_NAME_PATTERN, identity)), identity, '%any');
}

/**
 * The remote end's connection, in the format of swanctl.conf(5): the mirror image of ours, for a strongSwan from 5.9.6 on, which knows `trap|start`.
 */
export function strongswanCounterpart(
  v: IpsecValues,
  name: Expr<string>,
  t: TunnelValues,
  options: CounterpartOptions = {},
): Expr<string> {
  const begins = remoteInitiates(t);
  const gateway = gatewayOf(v, t);
  const end = (identity: Expr<string>) => conf`
    auth = ${choose(usesCertificate(t), 'pubkey', 'psk')}
    id = "${identity}"
  `;
  const child = (childName: Expr<string>, selectors?: Selectors) => {
    const { local, remote } = selectorsOf(v, t, selectors);
    return conf`
      ${childName} {
        local_ts = ${remote}
        remote_ts = ${local}
        esp_proposals = ${espProposals(t)}
        rekey_time = ${espRekeySeconds(t)}s
        replay_window = ${replayWindow(t)}
        copy_df = ${choose(copyDf(t), 'yes', 'no')}
        # The first packet begins it too, should the gateway have refused it for good.
        start_action = ${choose(begins, 'trap|start', 'none')}
        dpd_action = ${choose(begins, 'restart', 'clear')}
        close_action = ${choose(begins, 'start', 'none')}
      }
    `;
  };
  return conf`
    # The remote end of the tunnel ${name}: /etc/swanctl/conf.d/${name}.conf, then swanctl --load-all
    connections {
      ${name} {
        version = 2
        remote_addrs = ${gatewayAddress(v, t, options)}
        ${when(
          eq<string>(exposureOf(gateway), 'nodePort'),
          () => conf`
          # From 500 it would go on to 4500, whatever remote_port says.
          local_port = 4500
          ${whenSet(
            gateway.service.natTNodePort,
            (port) => conf`remote_port = ${port}`,
            () => conf`# remote_port = (the node port of nat-t: kubectl get service)`,
          )}
        `,
        )}
        encap = yes
        mobike = ${choose(orElse(t.ike.mobike, false), 'yes', 'no')}
        fragmentation = ${orElse<string>(t.ike.fragmentation, 'yes')}
        unique = replace
        keyingtries = 0
        dpd_delay = ${dpdDelaySeconds(t)}s
        proposals = ${ikeProposals(t)}
        rekey_time = ${ikeRekeySeconds(t)}s
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
          ${end(remoteIdentity(t))}
          ${when(usesCertificate(t), () => conf`certs = ${name}.crt`)}
        }
        remote {
          ${end(localIdentity(v, t))}
          ${when(usesCertificate(t), () => conf`cacerts = ${name}-ca.crt`)}
        }
        children {
          ${when(
            isSet(t.children),
            () => each(t.children, (childName, selectors) => child(childName, selectors)),
            () => child(name),
          )}
        }
      }
    }
    ${when(
      usesCertificate(t),
      () =>
        conf`# Certificates: x509/${name}.crt, private/${name}.key, and x509ca/${name}-ca.crt of the gateway's authority.`,
      () => conf`
      secrets {
        ike-${name} {
          id-1 = "${remoteIdentity(t)}"
          id-2 = "${localIdentity(v, t)}"
          ${options.secretLine ?? SECRET_LINE}
        }
      }
    `,
    )}
    ${whenSet(
      t.postQuantumKey.id,
      (id) => conf`
      secrets {
        ppk-${name} {
          id = "${id}"
          secret = "(the post-quantum key)"
        }
      }
    `,
    )}
  `;
}

/** The settings of the remote end's daemon, in the format of strongswan.conf(5): as soon as ours it knows that the other end is silent. */
export function strongswanCounterpartDaemon(v: IpsecValues, name: Expr<string>, t: TunnelValues): Expr<string> {
  const { tries, intervalSeconds } = v.retransmission;
  return conf`
    # The remote end of the tunnel ${name}: /etc/strongswan.d/${name}.conf, then restart strongSwan
    charon {
      install_routes = ${choose(isRouteBased(t), 'no', 'yes')}
      retransmit_base = 1.0
      retransmit_timeout = ${intervalSeconds}.0
      retransmit_tries = ${tries}
      plugins {
        # It would keep packets for networks of the script out of the tunnel.
        bypass-lan {
          load = no
        }
      }
    }
  `;
}

/**
 * The remote end's network, as a POSIX shell script that can be run again: the tunnel's interface with its MTU and address, and routes
 * to the cluster; while the tunnel is down nothing for the cluster leaves in clear.
 */
export function strongswanCounterpartNetwork(
  v: IpsecValues,
  name: Expr<string>,
  t: TunnelValues,
  { outerMtuBytes = 1500 }: CounterpartOptions = {},
): Expr<string> {
  const device = text`ipsec${interfaceId(name, t)}`;
  const mtu = innerMtu(outerMtuBytes, espOverhead(espProposals(t), outerHeaderBytes(t)));
  const toCluster = (body: (network: Expr<string>) => Expr<string>) => conf`
    ${each(v.cluster.podCidrs, body)}
    ${each(v.cluster.serviceCidrs, body)}
    ${each(v.cluster.nodeCidrs, body)}
  `;
  const unreachable = (network: Expr<string>) => conf`ip route replace unreachable ${network} metric ${LAST_METRIC}`;
  return conf`
    #!/bin/sh
    # The remote end of the tunnel ${name}: its network. Run it as root at every boot.
    set -eu
    sysctl -qw net.ipv4.ip_forward=1
    ${when(usesIpv6(v, t), () => conf`sysctl -qw net.ipv6.conf.all.forwarding=1`)}
    # What is for the cluster never leaves in clear: charon's routes, those of the tunnel and those of BGP come first.
    ${toCluster(unreachable)}
    ${when(speaksBgp(v, t), () => each(v.routes.export, (what) => when(contains('/', what), () => unreachable(what))))}
    ${when(
      isRouteBased(t),
      () => conf`
      [ -e /sys/class/net/${device} ] || ip link add ${device} type xfrm if_id ${interfaceId(name, t)}
      ip link set dev ${device} mtu ${whenMtu(t, mtu)} up
      ${whenSet(t.inside.local, (local) =>
        whenSet(t.inside.remote, (remote) => conf`ip address replace ${remote}/${prefixLength(local)} dev ${device}`),
      )}
      ${when(
        speaksBgp(v, t),
        () => conf`
        ${whenSet(t.bgp.peerAddress, (address) => conf`ip address replace ${address} dev lo`)}
        # Every connection keeps to one of several tunnels.
        sysctl -qw net.ipv4.fib_multipath_hash_policy=1
        ${when(usesIpv6(v, t), () => conf`sysctl -qw net.ipv6.fib_multipath_hash_policy=1`)}
      `,
        () => toCluster((network) => conf`ip route replace ${network} dev ${device}`),
      )}
    `,
    )}
  `;
}

const whenMtu = (t: TunnelValues, otherwise: Expr<number>): Expr<number> => orElse(t.mtu, otherwise);

const usesIpv6 = (v: IpsecValues, t: TunnelValues): Expr<boolean> => or(hasIpv6(v), carriesIpv6(t));

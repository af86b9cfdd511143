import {
  and,
  chooseSet,
  conf,
  whenSet,
  contains,
  each,
  eq,
  isSet,
  join,
  lookup,
  named,
  not,
  or,
  orElse,
  some,
  text,
  when,
  choose,
  firstHost,
  prefixLength,
  type Expr,
  type Ref,
  type When,
} from '../staged';
import type { z } from 'zod';
import type { wireguardValues } from '../../values/wireguard';

export type WireGuardValues = Ref<z.output<typeof wireguardValues>>;

/** Where the pod has the Secrets of pre-shared keys, each in a folder of its name. */
export const PRESHARED_KEYS = 'preshared-keys';
/** Where the pod has the chart's own Secret. */
export const GIVEN_KEYS = 'given-keys';

/** The key of the chart's own Secret under which a peer's pre-shared key is. */
export function givenPresharedKey(peer: Expr<string>): Expr<string> {
  return text`preshared-key.${peer}`;
}

/** Whether the pod makes the keys of a peer. */
export const isGenerated = (peer: Peer): Expr<boolean> => orElse(peer.generate, false);
/** Whether the pod makes any key. */
export const generatesKeys = (v: WireGuardValues): Expr<boolean> =>
  or(
    v.privateKey.generate,
    some(v.peers, (peer) => isGenerated(peer)),
  );

export const isV6 = (address: Expr<string>): Expr<boolean> => contains(':', address);
export const isV4 = (address: Expr<string>): Expr<boolean> => not(isV6(address));

/** The server's own addresses inside the VPN, as `ip address` takes them. */
export function serverAddresses(v: WireGuardValues): Expr<string> {
  const withLength = (network: Expr<string>): Expr<string> => text`${firstHost(network)}/${prefixLength(network)}`;
  return named('addresses', {}, () =>
    chooseSet(v.network6, (network6) => text`${withLength(v.network)} ${withLength(network6)}`, withLength(v.network)),
  )();
}

/**
 * The interface and its peers in the format of `wg setconf` (wg(8)). The pod puts the secrets in: those of the file that
 * a comment names, below /etc/wireguard, or the generated ones. The public key in a comment is the one that the server
 * must have.
 */
export function wgConf(v: WireGuardValues): Expr<string> {
  return named(
    'wgConf',
    {},
    () => conf`
    [Interface]
    ${when(v.privateKey.generate, () => conf`# generated`)}
    ${whenSet(v.serverPublicKey, (publicKey) => conf`# public-key = ${publicKey}`)}
    ListenPort = ${v.listenPort}
    ${each(
      v.peers,
      (name, peer) => conf`

      # name = ${name}
      ${whenSet(
        peer.presharedKey.existingSecret,
        (secret) =>
          conf`# preshared-key = ${PRESHARED_KEYS}/${secret}/${orElse(peer.presharedKey.key, 'preshared-key')}`,
      )}
      ${when(isSet(peer.presharedKey.value), () => conf`# preshared-key = ${GIVEN_KEYS}/${givenPresharedKey(name)}`)}
      ${when(isGenerated(peer), () => conf`# generated`)}
      [Peer]
      ${whenSet(peer.publicKey, (publicKey) => conf`PublicKey = ${publicKey}`)}
      AllowedIPs = ${join(', ', peer.addresses)}
      ${each(peer.routedNetworks, (network) => conf`AllowedIPs = ${network}`)}
      ${whenSet(peer.endpoint, (endpoint) => conf`Endpoint = ${endpoint}`)}
      ${whenSet(peer.persistentKeepaliveSeconds, (seconds) => conf`PersistentKeepalive = ${seconds}`)}
    `,
    )}
  `,
  )();
}

/** The networks that the pod routes to the interface, one a line. */
export function routes(v: WireGuardValues): Expr<string> {
  return named(
    'routes',
    {},
    () => conf`
    # Networks behind the peers.
    ${each(v.peers, (_name, peer) => conf`${each(peer.routedNetworks, (network) => conf`${network}`)}`)}
  `,
  )();
}

export type Peer = Ref<z.output<typeof wireguardValues>['peers'][string]>;
/** A rule of a peer. */
export type AllowRule = Ref<NonNullable<z.output<typeof wireguardValues>['peers'][string]['allow']>[string]>;

/**
 * The packet filter: what restricted peers may reach, source address translation, and the clamp of TCP segments in
 * both directions. `nft -f` replaces all of it at once (nft(8)); `$mss4` and `$mss6` come from the interface's MTU.
 */
export function nftablesConf(v: WireGuardValues): Expr<string> {
  const wg = v.interfaceName;
  const anyOf = (family: (address: Expr<string>) => Expr<boolean>): Expr<boolean> =>
    some(v.peers, (peer) =>
      and(isSet(peer.allow), or(some(peer.addresses, family), some(peer.routedNetworks, family))),
    );
  const elements = (family: (address: Expr<string>) => Expr<boolean>) => (name: Expr<string>, peer: Peer) =>
    when(
      isSet(peer.allow),
      () => conf`
      ${each(peer.addresses, (address) => when(family(address), () => conf`${address} : goto peer-${name},`))}
      ${each(peer.routedNetworks, (network) => when(family(network), () => conf`${network} : goto peer-${name},`))}
    `,
    );
  const routed = (family: (address: Expr<string>) => Expr<boolean>) =>
    each(
      v.peers,
      (_name, peer) => conf`${each(peer.routedNetworks, (network) => when(family(network), () => conf`${network},`))}`,
    );
  return named(
    'nftablesConf',
    {},
    () => conf`
    table inet vpn
    delete table inet vpn
    table inet vpn {
      # Which rules a restricted peer must pass, by the address it sends from.
      map restricted4 {
        type ipv4_addr : verdict
        flags interval
        ${when(
          anyOf(isV4),
          () => conf`
          elements = {
            ${each(v.peers, elements(isV4))}
          }
        `,
        )}
      }
      map restricted6 {
        type ipv6_addr : verdict
        flags interval
        ${when(
          anyOf(isV6),
          () => conf`
          elements = {
            ${each(v.peers, elements(isV6))}
          }
        `,
        )}
      }
      ${each(v.peers, (name, peer) =>
        when(
          isSet(peer.allow),
          () => conf`
        chain peer-${name} {
          ${each(peer.allow, (rule, allowed) => allowedBy(v, rule, allowed))}
          drop
        }
      `,
        ),
      )}
      # Answers pass; what a restricted peer sends of its own accord is judged packet by packet, so that a rule that is
      # taken away ends the connections that it allowed.
      chain access {
        ct state related accept
        ct state established ct direction reply accept
        ip saddr vmap @restricted4
        ip6 saddr vmap @restricted6
      }
      ${when(
        eq(v.dns.mode, 'coredns'),
        () => conf`
        # Clients ask the server's own address, port 53.
        chain dns {
          type nat hook prerouting priority dstnat; policy accept;
          iifname "${wg}" ip daddr ${firstHost(v.network)} meta l4proto { tcp, udp } th dport 53 redirect to :${v.dns.port}
          ${whenSet(
            v.network6,
            (network6) =>
              conf`iifname "${wg}" ip6 daddr ${firstHost(network6)} meta l4proto { tcp, udp } th dport 53 redirect to :${v.dns.port}`,
          )}
        }
      `,
      )}
      chain input {
        type filter hook input priority filter; policy accept;
        ${when(
          eq(v.dns.mode, 'coredns'),
          () => conf`iifname "${wg}" ct status dnat meta l4proto { tcp, udp } th dport ${v.dns.port} accept`,
        )}
        iifname "${wg}" goto access
      }
      chain forward {
        type filter hook forward priority filter; policy accept;
        iifname "${wg}" goto access
      }
      chain clamp {
        type filter hook forward priority mangle; policy accept;
        iifname "${wg}" meta nfproto ipv4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
        oifname "${wg}" meta nfproto ipv4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
        iifname "${wg}" meta nfproto ipv6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
        oifname "${wg}" meta nfproto ipv6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
      }
      ${when(
        eq(v.mode, 'masquerade'),
        () => conf`
        set clients4 {
          type ipv4_addr
          flags interval
          auto-merge
          elements = {
            ${v.network},
            ${routed(isV4)}
          }
        }
        set clients6 {
          type ipv6_addr
          flags interval
          auto-merge
          ${when(
            or(
              isSet(v.network6),
              some(v.peers, (peer) => some(peer.routedNetworks, isV6)),
            ),
            () => conf`
            elements = {
              ${whenSet(v.network6, (network6) => conf`${network6},`)}
              ${routed(isV6)}
            }
          `,
          )}
        }
        chain postrouting {
          type nat hook postrouting priority srcnat; policy accept;
          ip saddr @clients4 oifname != "${wg}" masquerade
          ip6 saddr @clients6 oifname != "${wg}" masquerade
        }
      `,
      )}
    }
  `,
  )();
}

/** The rules of one entry of `allow`: its destinations, each with its ports. */
function allowedBy(v: WireGuardValues, name: Expr<string>, rule: AllowRule): Expr<string> {
  return conf`
    # ${name}
    ${each(rule.networks, (network) => acceptTo(network, rule))}
    ${each(rule.peers, (peerName) => {
      const peer = lookup(v.peers, peerName);
      return conf`
        ${each(peer.addresses, (address) => acceptTo(address, rule))}
        ${each(peer.routedNetworks, (network) => acceptTo(network, rule))}
      `;
    })}
  `;
}

function acceptTo(destination: Expr<string>, rule: AllowRule): When<unknown> {
  const match = text`${choose(isV6(destination), 'ip6', 'ip')} daddr ${destination}`;
  return when(
    isSet(rule.ports),
    () => conf`
      ${each(rule.ports, (port) => {
        const protocol = choose(eq(orElse(port.protocol, 'TCP'), 'UDP'), 'udp', 'tcp');
        return whenSet(
          port.endPort,
          (endPort) => conf`${match} ${protocol} dport ${port.port}-${endPort} accept`,
          () => conf`${match} ${protocol} dport ${port.port} accept`,
        );
      })}
    `,
    () => conf`${match} accept`,
  );
}

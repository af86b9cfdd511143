import {
  addressOf,
  and,
  bytes,
  check,
  count,
  each,
  eq,
  gt,
  hasKey,
  hasPrefix,
  isEmpty,
  isSet,
  lt,
  matches,
  ne,
  networkBits,
  not,
  or,
  orElse,
  overlaps,
  ownerOf,
  pathOf,
  prefixLength,
  add,
  bind,
  bindAll,
  firstHost,
  replace,
  sub,
  text,
  trimPrefix,
  when,
  whenSet,
  chooseSet,
  type Each,
  type Expr,
  type When,
} from '../staged';
import {
  forwardingCheck,
  hostPartCheck,
  IPV6_MIN_MTU_BYTES,
  nameChecks,
  oneMonitorCheck,
  scrapeTimeoutCheck,
  type Rules,
} from '../kubernetes/checks';
import { WIREGUARD_KEY_PATTERN } from '../net/wireguard-key';
import { FULLNAME_MAX_LENGTH } from '../kubernetes/metadata';
import { isGenerated, isV6, type AllowRule, type WireGuardValues } from './config';

/**
 * What the configuration may be. The API server takes 1 MiB of an object's entries: of the ConfigMap, and of the Secret
 * that keeps a Helm release, which has about as many compressed bytes of peers, and 140,000 of the chart.
 */
const CONFIGURATION_MAX_BYTES = 900_000;
/** What WireGuard adds to a packet, over IPv6: 40 of the outer header, 8 of UDP, 32 of its own (wg-quick(8)). */
const WIREGUARD_OVERHEAD_BYTES = 80;

/** The rules of the values of a WireGuard server that no schema can say. Their cost is n log n in peers. */
export function wireguardChecks(v: WireGuardValues, fullname: Expr<string>, files: readonly Expr<string>[]): Rules {
  return [
    ...nameChecks(fullname, v.fullnameOverride, FULLNAME_MAX_LENGTH),
    ...networkChecks(v),
    ...keyChecks(v),
    each(v.client.allowedIPs, hostPartCheck),
    ...mtuChecks(v),
    ...podChecks(v),
    ...serviceChecks(v),
    ...dnsChecks(v),
    ...metricsChecks(v),
    ...peersFromChecks(v),
    peerChecks(v),
    each(
      overlaps(each(v.peers, (_name, peer) => whenSet(peer.publicKey, (key) => text`${key} ${pathOf(key)}`))),
      (pair) =>
        check({
          failsIf: true,
          at: ownerOf(pair, 'second'),
          problem: text`is the same key as ${ownerOf(pair, 'first')}`,
          remedy: 'WireGuard knows a peer by its key: give each its own',
        }),
    ),
    // Of an address and a network behind a peer, one would be refused already: these lie outside the VPN, those inside.
    ...[
      each(v.peers, (_name, peer) =>
        each(peer.addresses, (address) =>
          // An IPv4 address has one text only; the slash ends it, so that .2 does not begin .20.
          when(
            isV6(address),
            () => text`${networkBits(address)} ${pathOf(address)}`,
            () => text`${address}/ ${pathOf(address)}`,
          ),
        ),
      ),
      each(v.peers, (_name, peer) =>
        each(peer.routedNetworks, (network) => text`${networkBits(network)} ${pathOf(network)}`),
      ),
    ].map((networks) =>
      each(overlaps(networks), (pair) =>
        check({
          failsIf: true,
          at: ownerOf(pair, 'second'),
          problem: text`overlaps with ${ownerOf(pair, 'first')}`,
          remedy: 'WireGuard sends a packet to one peer only: give every network to one peer, once',
        }),
      ),
    ),
    sizeCheck(v.peers, files),
  ];
}

function networkChecks(v: WireGuardValues): Rules {
  return [
    hostPartCheck(v.network),
    check({
      failsIf: gt(prefixLength(v.network), 30),
      at: v.network,
      problem: 'has no room for a server and a peer',
      got: v.network,
      remedy: 'use a prefix length of 30 or less',
    }),
    check({
      failsIf: lt(prefixLength(v.network), 8),
      at: v.network,
      problem: 'is so large that the tunnel would take other traffic of the pod',
      got: v.network,
      remedy: 'use a prefix length of 8 or more',
    }),
    whenSet(v.network6, (network6) => [
      hostPartCheck(network6),
      check({
        failsIf: gt(prefixLength(network6), 126),
        at: network6,
        problem: 'has no room for a server and a peer',
        got: network6,
        remedy: 'use a prefix length of 126 or less',
      }),
      check({
        failsIf: lt(prefixLength(network6), 16),
        at: network6,
        problem: 'is so large that the tunnel would take other traffic of the pod',
        got: network6,
        remedy: 'use a prefix length of 16 or more',
      }),
    ]),
  ];
}

/** A secret key must be one; the message never shows what is there. */
function secretKeyCheck(key: Expr<string | undefined>, command: 'wg genkey' | 'wg genpsk'): When<unknown> {
  return whenSet(key, (value) =>
    check({
      failsIf: not(matches(WIREGUARD_KEY_PATTERN, value)),
      at: value,
      problem: 'is not a WireGuard key: 32 bytes in base64, 44 characters',
      remedy: `make one with \`${command}\``,
    }),
  );
}

function keyChecks(v: WireGuardValues): Rules {
  const { privateKey } = v;
  const both = (one: Expr<boolean>, other: Expr<boolean>, names: string) =>
    check({
      failsIf: and(one, other),
      at: privateKey,
      problem: `has both ${names}`,
      remedy: 'keep one of them',
    });
  return [
    secretKeyCheck(privateKey.value, 'wg genkey'),
    both(isSet(privateKey.existingSecret), isSet(privateKey.value), 'existingSecret and value'),
    both(privateKey.generate, isSet(privateKey.existingSecret), 'generate and existingSecret'),
    both(privateKey.generate, isSet(privateKey.value), 'generate and value'),
    each(v.peers, (_name, peer) =>
      when<unknown>(
        isGenerated(peer),
        () => [
          check({
            failsIf: isSet(peer.publicKey),
            at: peer,
            problem: 'has both publicKey and generate',
            remedy: 'keep one of them',
          }),
          check({
            failsIf: isSet(peer.presharedKey),
            at: peer.presharedKey,
            problem: 'is not used, since the pod makes the keys of this peer',
            remedy: 'remove it: a pre-shared key is made too',
          }),
        ],
        () => [
          whenSet(v.serverPublicKey, (own) =>
            check({
              failsIf: eq(orElse(peer.publicKey, ''), own),
              at: peer.publicKey,
              problem: 'is the server’s own key, serverPublicKey',
              remedy: 'give the peer its own',
            }),
          ),
          check({
            failsIf: not(isSet(peer.publicKey)),
            at: peer,
            problem: 'has neither publicKey nor generate',
            remedy: 'set publicKey to what `wg pubkey` prints, or generate to true',
          }),
          when(isSet(peer.presharedKey), () => [
            secretKeyCheck(peer.presharedKey.value, 'wg genpsk'),
            check({
              failsIf: and(not(isSet(peer.presharedKey.existingSecret)), not(isSet(peer.presharedKey.value))),
              at: peer.presharedKey,
              problem: 'has neither existingSecret nor value',
              remedy: 'make a Secret from `wg genpsk` and name it in existingSecret',
            }),
            check({
              failsIf: and(isSet(peer.presharedKey.existingSecret), isSet(peer.presharedKey.value)),
              at: peer.presharedKey,
              problem: 'has both existingSecret and value',
              remedy: 'keep one of them',
            }),
          ]),
        ],
      ),
    ),
  ];
}

function dnsChecks(v: WireGuardValues): Rules {
  const { dns } = v;
  return [
    check({
      failsIf: and(eq(dns.mode, 'servers'), isEmpty(dns.servers)),
      at: dns.servers,
      problem: 'is empty, but dns.mode is servers',
      remedy: 'name a DNS server, or choose another mode',
    }),
    check({
      failsIf: and(ne(dns.mode, 'servers'), not(isEmpty(dns.servers))),
      at: dns.servers,
      problem: text`is not used, since dns.mode is ${dns.mode}`,
      remedy: 'set dns.mode to servers, or remove it',
    }),
    check({
      failsIf: and(ne(dns.mode, 'coredns'), not(isEmpty(dns.zones))),
      at: dns.zones,
      problem: text`is not used, since dns.mode is ${dns.mode}`,
      remedy: 'set dns.mode to coredns, or remove it',
    }),
    check({
      failsIf: and(eq(dns.mode, 'none'), not(isEmpty(dns.searchDomains))),
      at: dns.searchDomains,
      problem: 'is not used, since dns.mode is none',
      remedy: 'choose another mode, or remove it',
    }),
    check({
      failsIf: and(eq(dns.mode, 'coredns'), eq(dns.port, v.health.port)),
      at: dns.port,
      problem: 'is the port of the health server',
      got: dns.port,
      remedy: 'choose another one',
    }),
    check({
      failsIf: and(eq(dns.mode, 'coredns'), eq(dns.port, v.listenPort)),
      at: dns.port,
      problem: 'is the port of WireGuard',
      got: dns.port,
      remedy: 'choose another one',
    }),
  ];
}

function metricsChecks(v: WireGuardValues): Rules {
  const { metrics } = v;
  const needsMetrics = (at: Expr<boolean>) =>
    check({
      failsIf: and(at, not(metrics.enabled)),
      at,
      problem: 'is true, but metrics.enabled is false',
      remedy: 'set metrics.enabled to true',
    });
  return [
    needsMetrics(metrics.serviceMonitor.enabled),
    needsMetrics(metrics.podMonitor.enabled),
    needsMetrics(metrics.prometheusRule.enabled),
    needsMetrics(metrics.dashboard.enabled),
    oneMonitorCheck(metrics),
    each(metrics.prometheusRule.alwaysUpPeers, (name) =>
      check({
        failsIf: and(not(hasKey(v.peers, name)), isEmpty(v.peersFrom)),
        at: name,
        problem: 'is not a peer',
        got: name,
        remedy: 'name a key of peers',
      }),
    ),
    ...[metrics.serviceMonitor, metrics.podMonitor].map(scrapeTimeoutCheck),
  ];
}

function peersFromChecks(v: WireGuardValues): Rules {
  return [
    each(v.peersFrom, (_name, source) => [
      check({
        failsIf: and(isSet(source.existingSecret), isSet(source.existingConfigMap)),
        at: source,
        problem: 'has both existingSecret and existingConfigMap',
        remedy: 'make two of it',
      }),
      check({
        failsIf: and(not(isSet(source.existingSecret)), not(isSet(source.existingConfigMap))),
        at: source,
        problem: 'has neither existingSecret nor existingConfigMap',
        remedy: 'name the object that holds the peers',
      }),
    ]),
  ];
}

function podChecks(v: WireGuardValues): Rules {
  return [
    check({
      failsIf: eq(v.interfaceName, 'eth0'),
      at: v.interfaceName,
      problem: 'is the name of the pod’s own interface',
      got: v.interfaceName,
      remedy: 'use another one, such as wg0',
    }),
    forwardingCheck(v),
  ];
}

function mtuChecks(v: WireGuardValues): Rules {
  return [
    whenSet(v.mtu, (mtu) => [
      whenSet(v.underlayMtu, (underlay) =>
        bind('room', sub(underlay, WIREGUARD_OVERHEAD_BYTES), (room) =>
          check({
            failsIf: gt(mtu, room),
            at: mtu,
            problem: text`does not fit into the underlay’s ${underlay} bytes with WireGuard’s ${WIREGUARD_OVERHEAD_BYTES}`,
            got: mtu,
            remedy: text`use ${room} or less`,
          }),
        ),
      ),
      check({
        failsIf: and(isSet(v.network6), lt(mtu, IPV6_MIN_MTU_BYTES)),
        at: mtu,
        problem: 'is too small for IPv6',
        got: mtu,
        remedy: text`use ${IPV6_MIN_MTU_BYTES} or more`,
      }),
    ]),
  ];
}

function serviceChecks(v: WireGuardValues): Rules {
  const { service } = v;
  const isClusterIp = eq(service.type, 'ClusterIP');
  return [
    whenSet(service.nodePort, (nodePort) =>
      check({
        failsIf: isClusterIp,
        at: nodePort,
        problem: 'is set, but a Service of type ClusterIP has none',
        got: nodePort,
        remedy: 'remove it, or use the type NodePort',
      }),
    ),
    whenSet(service.externalTrafficPolicy, (policy) =>
      check({
        failsIf: isClusterIp,
        at: policy,
        problem: 'is set, but a Service of type ClusterIP has none',
        got: policy,
        remedy: 'remove it, or use the type LoadBalancer or NodePort',
      }),
    ),
    whenSet(service.clusterIP, (clusterIp) =>
      check({
        failsIf: and(eq(clusterIp, 'None'), not(isClusterIp)),
        at: clusterIp,
        problem: text`is set, but a Service of type ${service.type} needs an address`,
        got: clusterIp,
        remedy: 'remove it, or use the type ClusterIP',
      }),
    ),
    whenSet(service.ipFamilyPolicy, (policy) =>
      check({
        failsIf: and(eq(policy, 'SingleStack'), gt(count(service.ipFamilies), 1)),
        at: policy,
        problem: 'is set, but there are two families in service.ipFamilies',
        got: policy,
        remedy: 'use PreferDualStack or RequireDualStack',
      }),
    ),
  ];
}

/** The prefix bits of no network. */
const NOWHERE = 'none';

/** What of a family's network is taken, as bits: compared with many addresses, so computed once. */
interface Taken {
  /** The prefix of the network. */
  readonly prefix: Expr<string>;
  /** The address of the network itself. */
  readonly base: Expr<string>;
  readonly server: Expr<string>;
  readonly broadcast: Expr<string> | undefined;
}

function peerChecks(v: WireGuardValues): Each<unknown> {
  const ofNetwork6 = (bits: (network6: Expr<string>) => Expr<string>) => chooseSet(v.network6, bits, NOWHERE);
  const [prefix, base] = [networkBits(v.network), networkBits(addressOf(v.network))];
  return bindAll(
    {
      prefix,
      base,
      server: networkBits(firstHost(v.network)),
      broadcast: text`${prefix}${replace('0', '1', trimPrefix(prefix, base))}`,
      prefix6: ofNetwork6(networkBits),
      base6: ofNetwork6((network6) => networkBits(addressOf(network6))),
      server6: ofNetwork6((network6) => networkBits(firstHost(network6))),
    },
    ({ prefix6, base6, server6, ...ipv4 }) => {
      const ipv6 = { prefix: prefix6, base: base6, server: server6, broadcast: undefined };
      return each(v.peers, (_name, peer) => [
        each(peer.addresses, (address) => addressChecks(v, address, [ipv4, ipv6])),
        each(peer.routedNetworks, (network) => routedNetworkChecks(v, network, [ipv4.prefix, prefix6])),
        each(peer.client.allowedIPs, hostPartCheck),
        each(peer.allow, (_rule, allowed) => ruleChecks(v, allowed)),
      ]);
    },
  );
}

function ruleChecks(v: WireGuardValues, allowed: AllowRule): Rules {
  return [
    check({
      failsIf: and(isEmpty(allowed.networks), isEmpty(allowed.peers)),
      at: allowed,
      problem: 'names neither networks nor peers',
      remedy: 'say where the ports are, or remove the rule',
    }),
    each(allowed.peers, (other) =>
      check({
        failsIf: not(hasKey(v.peers, other)),
        at: other,
        problem: 'is not a peer',
        got: other,
        remedy: 'name a key of peers',
      }),
    ),
    each(allowed.ports, (port) =>
      whenSet(port.endPort, (endPort) =>
        check({
          failsIf: lt(endPort, port.port),
          at: endPort,
          problem: text`is below the first port ${port.port}`,
          got: endPort,
          remedy: 'put the lower port first',
        }),
      ),
    ),
  ];
}

/** A peer's address must be one of the VPN's network that nobody else has by its nature. */
function addressChecks(v: WireGuardValues, address: Expr<string>, families: readonly Taken[]): Each<unknown> {
  const fault = (failsIf: Expr<boolean> | boolean, problem: string, remedy = 'choose another address of the network') =>
    check({ failsIf, at: address, problem, got: address, remedy });
  return bind('bits', networkBits(address), (bits) => {
    const isOne = (of: keyof Taken) =>
      or(...families.flatMap(({ [of]: taken }) => (taken === undefined ? [] : [eq(bits, taken)])));
    return when<unknown>(
      or(...families.map(({ prefix }) => hasPrefix(prefix, bits))),
      () => [
        fault(isOne('server'), 'is the server’s own address'),
        fault(isOne('base'), 'is the address of the network itself'),
        fault(isOne('broadcast'), 'is the broadcast address of the network'),
      ],
      () =>
        when(
          and(isV6(address), not(isSet(v.network6))),
          () =>
            fault(true, 'is an IPv6 address, but the VPN has no IPv6 network', 'set network6, or remove the address'),
          () => fault(true, 'is outside the network of the VPN', 'choose an address of the network'),
        ),
    );
  });
}

function routedNetworkChecks(
  v: WireGuardValues,
  network: Expr<string>,
  prefixes: readonly Expr<string>[],
): Each<unknown> {
  return bind('routedBits', networkBits(network), (routed) => [
    hostPartCheck(network),
    check({
      failsIf: and(isV6(network), not(isSet(v.network6))),
      at: network,
      problem: 'is an IPv6 network, but the VPN has no IPv6 network',
      got: network,
      remedy: 'set network6, or remove the network',
    }),
    check({
      failsIf: or(...prefixes.flatMap((prefix) => [hasPrefix(routed, prefix), hasPrefix(prefix, routed)])),
      at: network,
      problem: 'overlaps with the VPN’s own network',
      got: network,
      remedy: 'a routed network lies behind the peer: name that one',
    }),
  ]);
}

function sizeCheck(peers: Expr<unknown>, files: readonly Expr<string>[]): Each<unknown> {
  return bind(
    'size',
    files.map((file) => bytes(file)).reduce((a, b) => add(a, b)),
    (size) =>
      check({
        failsIf: gt(size, CONFIGURATION_MAX_BYTES),
        at: peers,
        problem: text`make a configuration of more than the ${CONFIGURATION_MAX_BYTES} bytes that fit into a release`,
        got: size,
        remedy: 'keep peers in Secrets, and name those in peersFrom',
      }),
  );
}

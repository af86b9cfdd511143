import { ADDRESS_PATTERN, IPV4_PATTERN, IPV4_SOURCE, IPV6_PATTERN, IPV6_SOURCE } from '../net/address';
import {
  addressOf,
  and,
  check,
  choose,
  chooseSet,
  contains,
  count,
  each,
  eq,
  ge,
  gt,
  hasKey,
  hasPrefix,
  isEmpty,
  isSet,
  lower,
  lt,
  matches,
  named,
  ne,
  networkBits,
  not,
  or,
  orElse,
  overlaps,
  ownerOf,
  pathOf,
  prefixLength,
  sha256,
  some,
  text,
  trimPrefix,
  when,
  whenSet,
  type Each,
  type Expr,
} from '../staged';
import {
  agentPortCheck,
  asCheck,
  BGP_PORT,
  clusterChecks,
  fabricChecks,
  importEntries,
  innerAddressCheck,
  outerAddressCheck,
  overlapsCluster,
  overlapsOverlay,
  somewhereCheck,
  withImport,
} from '../frr/checks';
import { clusterHas, clusterLists, isV4, isV6 } from '../frr/fabric';
import {
  forwardingCheck,
  hostPartCheck,
  IPV6_MIN_MTU_BYTES,
  nameChecks,
  oneMonitorCheck,
  overlapChecks,
  scrapeTimeoutCheck,
  type Rules,
} from '../kubernetes/checks';
import { identity as identitySchema, LONGEST_SHORT_NAME } from '../../values/net';
import { speaksBgp } from './bgp';
import { bgpChecks, modeChecks } from './bgp-checks';
import { canBeIssued } from './certificate';
import { algorithmRules, AWS_ALGORITHMS, GCP_ALGORITHMS } from './cloud-algorithms';
import { carriesIpv6, selectorsOf, usesIpv6, type Selectors } from './config';
import { PRESET_NAMES, PRESETS, STRONG_KEY, WEAK } from './presets';
import {
  exposureOf,
  gatewayIdentity,
  gatewayOf,
  initiates,
  interfaceId,
  isAddress,
  isRouteBased,
  localIdentity,
  outerAddressOf,
  presetOf,
  remoteIdentity,
  remoteInitiates,
  sendsFromExposedAddress,
  tunnelOf,
  usesFabric,
  wantsExposedAddress,
  type GatewayValues,
  type IpsecValues,
  type TunnelValues,
} from './tunnel';

/** A Service's name has at most 63 characters (RFC 1035), and ends with a hyphen and the name of a gateway. */
const FULLNAME_MAX_LENGTH = 63 - 1 - LONGEST_SHORT_NAME;

/** The rules of the values of strongSwan gateways that no schema can say. */
export function ipsecChecks(v: IpsecValues, fullname: Expr<string>): Rules {
  return [
    ...nameChecks(fullname, v.fullnameOverride, FULLNAME_MAX_LENGTH),
    ...clusterChecks(v),
    someClusterCheck(v),
    each(v.gateways, (name, gateway) => gatewayChecks(v, name, gateway)),
    nodePortChecks(v),
    each(v.tunnels, (_name, t) =>
      when(
        hasKey(v.gateways, t.gateway),
        () => tunnelChecks(v, t),
        () => [
          check({
            failsIf: true,
            at: t.gateway,
            problem: 'is not a gateway',
            got: t.gateway,
            remedy: 'name a key of gateways',
          }),
        ],
      ),
    ),
    ...gatewayClashes(v),
    ...clashes(v),
    ...modeChecks(v),
    when(
      usesFabric(v),
      () => [...fabricChecks(v), agentPortCheck(v.agent.healthPort), healthPortCheck(v)],
      () => [v.routes.localAs, v.routes.internalAs].map((number) => whenSet(number, asCheck)),
    ),
    ...podChecks(v),
  ];
}

const isWithin = (network: Expr<string>, networks: Expr<readonly string[] | undefined>): Expr<boolean> =>
  some(networks, (other) => hasPrefix(networkBits(other), networkBits(network)));

function someClusterCheck(v: IpsecValues) {
  return check({
    failsIf: and(not(isEmpty(v.tunnels)), ...clusterLists(v).map((networks) => isEmpty(networks))),
    at: v.cluster,
    problem: 'has no network, so that the remote ends would reach nothing',
    remedy: 'set podCidrs, serviceCidrs or nodeCidrs',
  });
}

/** What stands behind the full name in the names of objects that belong to all gateways. */
const OWN_NAMES = ['scripts', 'gateways', 'frr', 'agents', 'agents-scripts'];

function gatewayChecks(v: IpsecValues, name: Expr<string>, gateway: GatewayValues): Rules {
  const { service } = gateway;
  const exposure = exposureOf(gateway);
  const unused = (at: Expr<unknown>, isUseful: Expr<boolean>, got?: Expr<string> | Expr<number>) =>
    check({
      failsIf: and(isSet(at), not(isUseful)),
      at,
      problem: text`is not used, since the exposure of the gateway is ${exposure}`,
      ...(got !== undefined && { got }),
      remedy: 'remove it, or choose another exposure',
    });
  const isLoadBalancer = eq<string>(exposure, 'loadBalancer');
  const isExposed = ne<string>(exposure, 'hostPort');
  return [
    check({
      failsIf: not(some(v.tunnels, (t) => eq<string>(t.gateway, name))),
      at: gateway,
      problem: 'has no tunnel',
      remedy: 'name it in a tunnel, or remove it',
    }),
    check({
      failsIf: or(...OWN_NAMES.map((own) => eq<string>(name, own))),
      at: gateway,
      problem: 'has a name that an object of the chart itself has',
      got: name,
      remedy: 'choose another name',
    }),
    ...wholeIdentityChecks(gateway.identity),
    whenSet(service.loadBalancerIP, oneEndCheck),
    check({
      failsIf: and(
        eq(gatewayIdentity(gateway), ''),
        some(v.tunnels, (t) => and(eq<string>(t.gateway, name), not(isSet(t.localIdentity)))),
      ),
      at: gateway.identity,
      problem: 'is missing, and nothing else gives it',
      remedy: 'set it to the public address by which the remote ends reach the gateway',
    }),
    when(
      and(
        matches(ADDRESS_PATTERN, gatewayIdentity(gateway)),
        some(v.tunnels, (t) => and(eq<string>(t.gateway, name), isRouteBased(t))),
      ),
      () =>
        clusterLists(v).map((networks) =>
          each(networks, (network) =>
            check({
              failsIf: hasPrefix(networkBits(network), networkBits(gatewayIdentity(gateway))),
              at: gateway.identity,
              problem: text`lies in ${pathOf(network)}, so that the remote end would lead the tunnel’s own packets into it`,
              got: gatewayIdentity(gateway),
              remedy: 'leave that network out, or use the mode policy',
            }),
          ),
        ),
    ),
    ...[service.loadBalancerIP, service.loadBalancerClass].map((given) =>
      whenSet(given, (at) => unused(at, isLoadBalancer, at)),
    ),
    unused(service.loadBalancerSourceRanges, isLoadBalancer),
    whenSet(service.externalTrafficPolicy, (at) => unused(at, isExposed, at)),
    ...[service.ikeNodePort, service.natTNodePort].map((given) => whenSet(given, (at) => unused(at, isExposed, at))),
    each(service.loadBalancerSourceRanges, hostPartCheck),
  ];
}

function nodePortChecks(v: IpsecValues): Each<unknown> {
  return overlapChecks(
    each(v.gateways, (_name, { service }) => [
      whenSet(service.ikeNodePort, (port) => text`${port}/ ${pathOf(port)}`),
      whenSet(service.natTNodePort, (port) => text`${port}/ ${pathOf(port)}`),
    ]),
    'is the same port as',
    'give every port of the nodes to one Service',
  );
}

function tunnelChecks(v: IpsecValues, t: TunnelValues): Rules {
  return [
    ...identityChecks(v, t),
    ...secretChecks(v, t),
    ...networkChecks(v, t),
    ...initiationChecks(v, t),
    ...algorithmChecks(v, t),
    ...offerChecks(t),
    ...presetChecks(v, t),
    ...insideChecks(v, t),
    ...bgpChecks(v, t),
    whenSet(t.interfaceId, (id) =>
      check({
        failsIf: not(isRouteBased(t)),
        at: id,
        problem: 'is not used, since the mode of the tunnel is policy',
        got: id,
        remedy: 'remove it, or choose the mode route',
      }),
    ),
    whenSet(t.mtu, (mtu) =>
      check({
        failsIf: and(usesIpv6(v), lt(mtu, IPV6_MIN_MTU_BYTES)),
        at: mtu,
        problem: 'is too small for IPv6',
        got: mtu,
        remedy: text`use ${IPV6_MIN_MTU_BYTES} or more`,
      }),
    ),
  ];
}

function identityChecks(v: IpsecValues, t: TunnelValues): Rules {
  return [
    check({
      failsIf: eq(remoteIdentity(t), ''),
      at: t.remote,
      problem: 'has neither address nor identity',
      remedy: 'set at least one of them, so that the remote end can be told from others',
    }),
    check({
      failsIf: and(ne(remoteIdentity(t), ''), eq(sameIdentity(localIdentity(v, t)), sameIdentity(remoteIdentity(t)))),
      at: t.remote,
      problem: 'has the same identity as our own end',
      got: remoteIdentity(t),
      remedy: 'give each end its own',
    }),
    ...[t.localIdentity, t.remote.identity].flatMap((identity) => [
      whenSet(identity, (given) =>
        check({
          failsIf: matches(/^(?:ipv4|ipv6):[ -~]*$/, given),
          at: given,
          problem: 'has a type in front that strongSwan does not know',
          got: given,
          remedy: 'write the address alone',
        }),
      ),
      ...wholeIdentityChecks(identity),
    ]),
    whenSet(t.remote.address, (address) => [
      oneEndCheck(address),
      when(and(isAddress(address), not(matches(MANY_ENDS, address))), () => outerAddressCheck(address)),
    ]),
  ];
}

/** What strongSwan takes for anybody (identification.c), or for every address of a network or a range. */
const MANY_ENDS = new RegExp(
  `^(?:(?:(?:fqdn|dns|email|rfc822|userfqdn):|@@?)?\\*|(?:0+\\.){3}0+|[0:]*::[0:]*|(?:0+:){7}0+|(?:${IPV4_SOURCE}|${IPV6_SOURCE})[/-][0-9a-fA-F.:]+)$`,
);

const oneEndCheck = (given: Expr<string>) =>
  check({
    failsIf: matches(MANY_ENDS, given),
    at: given,
    problem: 'stands for more than one end',
    got: given,
    remedy: 'name one, by its address or its name',
  });

function wholeIdentityChecks(identity: Expr<string | undefined>): Rules {
  return [
    whenSet(identity, oneEndCheck),
    whenSet(identity, (given) => [
      check({
        failsIf: matches(/^(?:[a-zA-Z0-9]+:|@@?)$/, given),
        at: given,
        problem: 'has nothing behind its type',
        got: given,
        remedy: 'write the identity behind it, or remove it',
      }),
      check({
        failsIf: and(hasPrefix('@#', given), not(matches(/^@#(?:[0-9a-fA-F]{2})+$/, given))),
        at: given,
        problem: 'has something else than pairs of hexadecimal digits behind @#',
        got: given,
        remedy: 'write the key id in hexadecimal, or its text behind keyid:',
      }),
    ]),
  ];
}

/** Whether an identity is an address. Helm compiles a pattern each time that it meets it, and that of IPv6 is long. */
const looksLikeAddress = (identity: Expr<string>): Expr<boolean> =>
  or(and(contains(':', identity), matches(IPV6_PATTERN, identity)), matches(IPV4_PATTERN, identity));

/** The same text for identities that strongSwan takes for one. */
const sameIdentity = (identity: Expr<string>): Expr<string> => sameIdentityTemplate({ identity });
const sameIdentityTemplate = named('sameIdentity', { identity: identitySchema }, ({ identity }) => {
  const name = trimPrefix('email:', trimPrefix('fqdn:', lower(identity)));
  return choose(
    looksLikeAddress(identity),
    networkBits(identity),
    choose(
      hasPrefix('keyid:', identity),
      identity,
      choose(hasPrefix('@#', name), name, trimPrefix('@', trimPrefix('@', name))),
    ),
  );
});

function secretChecks(v: IpsecValues, t: TunnelValues): Rules {
  const { presharedKey, certificate, authorities } = t;
  const oneOf = (
    part: Expr<unknown>,
    one: Expr<unknown>,
    other: Expr<unknown>,
    names: readonly [string, string],
    remedy: string,
  ) => [
    check({
      failsIf: and(isSet(one), isSet(other)),
      at: part,
      problem: `has both ${names[0]} and ${names[1]}`,
      remedy: 'keep one of them',
    }),
    check({
      failsIf: and(not(isSet(one)), not(isSet(other))),
      at: part,
      problem: `has neither ${names[0]} nor ${names[1]}`,
      remedy,
    }),
  ];
  return [
    ...oneOf(
      t,
      presharedKey,
      certificate,
      ['presharedKey', 'certificate'],
      'set presharedKey.existingSecret to a Secret with the key that both ends share',
    ),
    when(isSet(presharedKey), () => [
      ...oneOf(
        presharedKey,
        presharedKey.existingSecret,
        presharedKey.value,
        ['existingSecret', 'value'],
        'make a Secret from `openssl rand -base64 33` and name it in existingSecret',
      ),
      check({
        failsIf: and(isSet(presharedKey.key), isSet(presharedKey.value), not(isSet(presharedKey.existingSecret))),
        at: presharedKey.key,
        problem: 'is not used with value',
        remedy: 'remove it, or use existingSecret',
      }),
      whenSet(presharedKey.value, (value) => [
        ...PRESET_NAMES.map((preset) =>
          check({
            failsIf: and(eq<string>(presetOf(t), preset), not(matches(PRESETS[preset].keyRule.pattern, value))),
            at: presharedKey,
            problem: PRESETS[preset].keyRule.problem,
            remedy: PRESETS[preset].keyRule.remedy,
          }),
        ),
        check({
          failsIf: and(
            not(orElse(t.allowWeak, false)),
            matches(/^[!-~]{1,256}$/, value),
            not(matches(STRONG_KEY.pattern, value)),
          ),
          at: presharedKey,
          problem: STRONG_KEY.problem,
          remedy: STRONG_KEY.remedy,
        }),
      ]),
    ]),
    when(isSet(certificate), () => [
      ...oneOf(
        certificate,
        certificate.existingSecret,
        certificate.issuer,
        ['existingSecret', 'issuer'],
        'name a Secret of type kubernetes.io/tls in existingSecret',
      ),
      check({
        failsIf: and(isSet(certificate.issuer), ne(localIdentity(v, t), ''), not(canBeIssued(localIdentity(v, t)))),
        at: certificate.issuer,
        problem: 'cannot put our identity into a certificate',
        got: localIdentity(v, t),
        remedy:
          'use existingSecret, or an address, a name, an e-mail address, or C, O and so on without special characters',
      }),
    ]),
    check({
      failsIf: and(isSet(authorities), not(isSet(certificate))),
      at: authorities,
      problem: 'is not used without certificate',
      remedy: 'remove it, or use certificates',
    }),
    check({
      failsIf: and(isSet(authorities), isEmpty(authorities)),
      at: authorities,
      problem: 'is empty, so that no certificate would be trusted',
      remedy: 'name an authority, or remove it',
    }),
    each(authorities, (_name, authority) =>
      oneOf(
        authority,
        authority.existingSecret,
        authority.existingConfigMap,
        ['existingSecret', 'existingConfigMap'],
        'name the object that holds the certificate of the authority',
      ),
    ),
  ];
}

const FAMILIES = [
  { family: isV4, other: isV6, title: 'IPv4' },
  { family: isV6, other: isV4, title: 'IPv6' },
] as const;

/** Whether one end of a child has IPv4 only and the other IPv6 only. */
function hasNoFamily(v: IpsecValues, t: TunnelValues, child: Selectors): Expr<boolean> {
  const remoteHas = (family: typeof isV4) => some(t.remote.networks, family);
  const everythingHas = (family: typeof isV4) => (family === isV4 ? true : carriesIpv6(t));
  const has = (
    networks: Expr<readonly string[] | undefined>,
    family: typeof isV4,
    otherwise: Expr<boolean>,
  ): Expr<boolean> =>
    chooseSet(networks, (list) => some(list, family), choose(isRouteBased(t), everythingHas(family), otherwise));
  const local = (family: typeof isV4) => has(child.localTs, family, clusterHas(v, family));
  const remote = (family: typeof isV4) => has(child.remoteTs, family, remoteHas(family));
  return or(
    ...FAMILIES.map(({ family, other }) => and(local(family), not(local(other)), remote(other), not(remote(family)))),
  );
}

function networkChecks(v: IpsecValues, t: TunnelValues): Rules {
  const isPolicy = not(isRouteBased(t));
  return [
    check({
      failsIf: and(isEmpty(t.remote.networks), not(speaksBgp(v, t))),
      at: t.remote.networks,
      problem: 'is empty, so that nothing would be sent to the remote end',
      remedy: 'name the networks behind it',
    }),
    each(t.remote.networks, (network) => [
      hostPartCheck(network),
      check({
        failsIf: eq(prefixLength(network), 0),
        at: network,
        problem: 'is everything, with the packets of the tunnel itself and those for the cluster',
        got: network,
        remedy: 'name the networks behind the remote end',
      }),
      when(gt(prefixLength(network), 0), () => somewhereCheck(network, 'name the networks behind the remote end')),
      check({
        failsIf: and(gt(prefixLength(network), 0), overlapsCluster(v, network)),
        at: network,
        problem: 'overlaps with a network of cluster',
        got: network,
        remedy: 'a remote network lies behind the remote end: name that one',
      }),
      ...FAMILIES.map(({ family, other, title }) =>
        check({
          failsIf: and(family(network), clusterHas(v, other), not(clusterHas(v, family))),
          at: network,
          problem: `is of ${title}, of which cluster has no network`,
          got: network,
          remedy: 'name such a network in cluster, or remove this one',
        }),
      ),
    ]),
    check({
      failsIf: and(isSet(t.children), isEmpty(t.children)),
      at: t.children,
      problem: 'is empty, so that nothing would be sent',
      remedy: 'name a child, or remove it',
    }),
    when(isPolicy, () =>
      overlapChecks(
        each(t.children, (_name, child) => {
          const { local, remote } = selectorsOf(v, t, child);
          return text`${sha256(text`${local} = ${remote}`)} ${pathOf(child)}`;
        }),
        'has the same networks as',
        'keep one of them',
      ),
    ),
    each(t.children, (_name, child) => [
      check({
        failsIf: hasNoFamily(v, t, child),
        at: child,
        problem: 'has networks of IPv4 at one end and of IPv6 at the other',
        remedy: 'choose localTs and remoteTs of one family',
      }),
      each(child.localTs, (network) => [
        hostPartCheck(network),
        check({
          failsIf: and(isPolicy, not(or(...clusterLists(v).map((networks) => isWithin(network, networks))))),
          at: network,
          problem: 'is in no network of cluster',
          got: network,
          remedy: 'name it there as well, or choose a part of one of them',
        }),
      ]),
      each(child.remoteTs, (network) => [
        hostPartCheck(network),
        check({
          failsIf: and(isPolicy, not(isWithin(network, t.remote.networks))),
          at: network,
          problem: 'is in none of remote.networks',
          got: network,
          remedy: 'name it there as well, or choose a part of one of them',
        }),
      ]),
    ]),
  ];
}

function initiationChecks(v: IpsecValues, t: TunnelValues): Rules {
  const gateway = gatewayOf(v, t);
  return [
    check({
      failsIf: and(eq(orElse<string>(t.initiate, 'auto'), 'always'), not(isSet(t.remote.address))),
      at: t.initiate,
      problem: 'has no address to begin with',
      got: orElse<string>(t.initiate, 'auto'),
      remedy: 'set remote.address',
    }),
    check({
      failsIf: and(initiates(v, t), wantsExposedAddress(t), not(sendsFromExposedAddress(gateway))),
      at: t.initiate,
      problem: text`lets the gateway send from another address than that by which it is reached, which ${presetOf(t)} refuses`,
      got: orElse<string>(t.initiate, 'auto'),
      remedy: 'let the remote end begin, or use the exposure hostPort',
    }),
    check({
      failsIf: not(or(initiates(v, t), remoteInitiates(t))),
      at: t,
      problem: 'is begun by nobody: neither by the gateway, nor by the remote end',
      remedy:
        'let the remote end begin (at AWS the startup action start) and set remote.initiates to true, or use the exposure hostPort',
    }),
  ];
}

/** The key exchanges of strongSwan, where it has them also as further ones of RFC 9370. */
const KEY_EXCHANGE =
  '(?:ke[1-7]_)?(?:none|modpnone|modpnull|modp(?:768|1024|1536|2048|3072|4096|6144|8192|1024s160|2048s224|2048s256)|ecp(?:192|224|256|384|521)|ecp(?:224|256|384|512)bp|curve25519|x25519|curve448|x448|mlkem(?:512|768|1024))';
/** All of strongSwan's keywords (libstrongswan, proposal_keywords_static.txt). */
const KNOWN = onlyOf(
  'null|aes(?:128|192|256)?(?:ctr|(?:ccm|gcm)(?:8|12|16|64|96|128)|gmac)?|camellia(?:128|192|256)?(?:ctr|ccm(?:8|12|16|64|96|128))?',
  '3des|des|(?:blowfish|serpent|twofish)(?:128|192|256)?|cast128|chacha20poly1305',
  'md5|md5_128|sha|sha1|sha1_160|sha(?:2_)?(?:256|384|512)|sha(?:2_)?256_96|aesxcbc|aescmac|camelliaxcbc',
  'prf(?:md5|sha1|sha256|sha384|sha512|aesxcbc|aescmac|camelliaxcbc)|esn|noesn',
  KEY_EXCHANGE,
);
const EXCHANGES_KEYS = new RegExp(`^[a-z0-9_-]*-${KEY_EXCHANGE}(?:-[a-z0-9_]+)*$`);
const MLKEM = /^[a-z0-9_-]*mlkem(?:512|768|1024)(?:-[a-z0-9_]+)*$/;
const AEAD = /^[a-z0-9_-]*(?:gcm|ccm|chacha20poly1305)[a-z0-9_-]*$/;
const PRF = /^[a-z0-9_-]*prf[a-z0-9_-]*$/;

function algorithmChecks(v: IpsecValues, t: TunnelValues): Rules {
  const has = (feature: 'mlkem' | 'ppk'): Expr<boolean> =>
    some(v.strongswan.features, (known) => eq<string>(known, feature));
  return [
    ...[t.ike.proposals, t.esp.proposals].map((proposals) =>
      each(proposals, (proposal) => [
        check({
          failsIf: not(matches(KNOWN, proposal)),
          at: proposal,
          problem: 'has a word that strongSwan does not know',
          got: proposal,
          remedy: 'write it like aes256gcm16-prfsha384-ecp384 or aes256-sha256-modp2048',
        }),
        check({
          failsIf: and(matches(WEAK, proposal), not(orElse(t.allowWeak, false))),
          at: proposal,
          problem: 'has a weak algorithm',
          got: proposal,
          remedy: 'choose others, such as aes256-sha256-modp2048, or set allowWeak to true',
        }),
        check({
          failsIf: and(matches(MLKEM, proposal), not(has('mlkem'))),
          at: proposal,
          problem: 'needs ML-KEM, which is not in strongswan.features',
          got: proposal,
          remedy: 'use an image of strongSwan 6 and say so there, or choose another proposal',
        }),
      ]),
    ),
    each(t.ike.proposals, (proposal) => [
      check({
        failsIf: and(matches(AEAD, proposal), not(matches(PRF, proposal))),
        at: proposal,
        problem: 'has no pseudo-random function, which a cipher without integrity algorithm needs',
        got: proposal,
        remedy: 'add one, such as prfsha384',
      }),
      check({
        failsIf: and(matches(KNOWN, proposal), not(matches(EXCHANGES_KEYS, proposal))),
        at: proposal,
        problem: 'has no key exchange, which IKE needs',
        got: proposal,
        remedy: 'add one, such as ecp384',
      }),
    ]),
    check({
      failsIf: and(isSet(t.postQuantumKey), not(has('ppk'))),
      at: t.postQuantumKey,
      problem: 'needs ppk, which is not in strongswan.features',
      remedy: 'use an image that can do it and say so there, or remove it',
    }),
  ];
}

/** What proposals match that have these words only. */
function onlyOf(...words: readonly string[]): RegExp {
  const word = `(?:${words.join('|')})`;
  return new RegExp(`^${word}(?:-${word})*$`);
}

/** Algorithms that a remote end takes, where its documents have a closed list; whether weak ones may be used says `allowWeak`. */
interface Offer {
  readonly pattern: RegExp;
  /** The strong ones. */
  readonly names: string;
}

/** "IPsec/IKE policy FAQ" of VPN Gateway. */
const AZURE_IKE_OFFER: Offer = {
  pattern: onlyOf(
    'des|3des|aes|aes(?:128|192|256)|aes(?:128|256)gcm(?:16|128)|md5|prfmd5|sha|(?:prf)?sha(?:1|256|384)|sha2_(?:256|384)',
    'modp(?:768|1024|2048|2048s256)|ecp(?:256|384)',
  ),
  names: 'aes128, aes192, aes256, aes128gcm16, aes256gcm16, sha256, sha384, modp2048, ecp256 and ecp384',
};
const AZURE_ESP_OFFER: Offer = {
  pattern: onlyOf(
    'null|des|3des|aes|aes(?:128|192|256)(?:gcm(?:16|128))?|md5|sha|sha1|sha256|sha2_256|noesn',
    'none|modpnone|modp(?:768|1024|2048|2048s256)|ecp(?:256|384)',
  ),
  names: 'aes128, aes192, aes256, aes128gcm16, aes192gcm16, aes256gcm16, sha256, modp2048, ecp256 and ecp384',
};

/** What the remote end of a preset does not know, or wants. */
function offerChecks(t: TunnelValues): Rules {
  const is = (preset: string): Expr<boolean> => eq<string>(presetOf(t), preset);
  const isOffered = ({ pattern, names }: Offer, proposal: Expr<string>) =>
    check({
      failsIf: not(matches(pattern, proposal)),
      at: proposal,
      problem: 'has an algorithm that Azure does not know',
      got: proposal,
      remedy: `choose among ${names}`,
    });
  return [
    when(is('aws'), () => algorithmRules(t, AWS_ALGORITHMS)),
    when(is('azure'), () => [
      each(t.ike.proposals, (proposal) => isOffered(AZURE_IKE_OFFER, proposal)),
      each(t.esp.proposals, (proposal) => isOffered(AZURE_ESP_OFFER, proposal)),
    ]),
    when(is('gcp'), () => algorithmRules(t, GCP_ALGORITHMS)),
  ];
}

function presetChecks(v: IpsecValues, t: TunnelValues): Rules {
  const is = (preset: string): Expr<boolean> => eq<string>(presetOf(t), preset);
  const life = (preset: string, at: Expr<number | undefined>, most: number) =>
    whenSet(at, (seconds) =>
      check({
        failsIf: and(is(preset), ge(seconds, most)),
        at: seconds,
        problem: text`is not less than the ${most} seconds after which the remote end ends it`,
        got: seconds,
        remedy: 'use less, so that the gateway rekeys in time',
      }),
    );
  const isIpv4 = (given: Expr<string>): Expr<boolean> => matches(IPV4_PATTERN, given);
  const largest = (preset: string, most: number) =>
    whenSet(t.mtu, (mtu) =>
      check({
        failsIf: and(is(preset), gt(mtu, most)),
        at: mtu,
        problem: text`is more than the ${most} bytes that ${preset} takes`,
        got: mtu,
        remedy: text`use ${most} or less`,
      }),
    );
  return [
    largest('aws', 1446),
    largest('gcp', 1406),
    largest('azure', 1400),
    life('aws', t.ike.rekeySeconds, 28_800),
    life('aws', t.esp.rekeySeconds, 3600),
    life('gcp', t.ike.rekeySeconds, 36_000),
    life('gcp', t.esp.rekeySeconds, 10_800),
    life('azure', t.ike.rekeySeconds, 28_800),
    life('azure', t.esp.rekeySeconds, 27_000),
    check({
      failsIf: and(is('gcp'), isSet(t.certificate)),
      at: t.certificate,
      problem: 'is not possible: Cloud VPN knows pre-shared keys only',
      remedy: 'use presharedKey',
    }),
    check({
      failsIf: and(is('gcp'), ne(localIdentity(v, t), ''), not(isIpv4(localIdentity(v, t)))),
      at: text`${pathOf(t)}.localIdentity`,
      problem: 'is not a public IPv4 address, by which Cloud VPN knows its peers',
      got: localIdentity(v, t),
      remedy: 'set it, or identity of the gateway, to the address of the external VPN gateway resource',
    }),
    ...(['aws', 'gcp', 'azure'] as const).map((preset) =>
      check({
        failsIf: and(is(preset), not(isSet(t.remote.address))),
        at: t.remote.address,
        problem: text`is missing, and ${preset} has a known one`,
        remedy: 'set it to the outside address of the remote end',
      }),
    ),
    ...(['aws', 'gcp'] as const).map((preset) =>
      whenSet(t.remote.address, (address) =>
        check({
          failsIf: and(is(preset), not(isIpv4(address))),
          at: address,
          problem: text`is not an IPv4 address, as the tunnels of ${preset} have`,
          got: address,
          remedy: 'set it to the outside address of the remote end',
        }),
      ),
    ),
    whenSet(t.children, (children) =>
      check({
        failsIf: and(or(is('aws'), is('gcp')), gt(count(children), 1)),
        at: children,
        problem: text`has several entries, but ${presetOf(t)} has one child SA for all networks`,
        remedy: 'keep one, with all networks',
      }),
    ),
  ];
}

/** Networks that AWS keeps for itself (EC2 API, VpnTunnelOptionsSpecification, TunnelInsideCidr). */
const AWS_RESERVED = [
  '169.254.0.0/30',
  '169.254.1.0/30',
  '169.254.2.0/30',
  '169.254.3.0/30',
  '169.254.4.0/30',
  '169.254.5.0/30',
  '169.254.169.252/30',
];
/** The addresses that Azure takes for BGP beside those of its gateway's subnet ("About BGP with VPN Gateway"). */
const AZURE_INSIDE = ['169.254.21.0/24', '169.254.22.0/24'];

function insideChecks(v: IpsecValues, t: TunnelValues): Rules {
  const { local, remote } = t.inside;
  const is = (preset: string): Expr<boolean> => eq<string>(presetOf(t), preset);
  const isIn = (network: Expr<string>, of: readonly string[]): Expr<boolean> =>
    or(...of.map((other) => hasPrefix(networkBits(other), networkBits(network))));
  const isNetwork = (network: Expr<string>, length: number, of: string, kept: readonly string[] = []): Expr<boolean> =>
    and(eq(prefixLength(network), length), isIn(network, [of]), not(isIn(network, kept)));
  return [
    check({
      failsIf: and(isSet(t.inside), not(isRouteBased(t))),
      at: t.inside,
      problem: 'is not used, since the mode of the tunnel is policy',
      remedy: 'remove it, or choose the mode route',
    }),
    whenSet(local, (ours) =>
      whenSet(remote, (theirs) => [
        check({
          failsIf: not(hasPrefix(networkBits(ours), networkBits(theirs))),
          at: theirs,
          problem: text`is not in the network of inside.local, ${ours}`,
          got: theirs,
          remedy: 'take both from one small network, such as a /30 of 169.254.0.0/16',
        }),
        check({
          failsIf: eq(networkBits(addressOf(ours)), networkBits(theirs)),
          at: theirs,
          problem: 'is our own address',
          got: theirs,
          remedy: 'give each end its own',
        }),
        [...clusterLists(v), t.remote.networks].map((networks) =>
          each(networks, (network) =>
            [
              { at: ours, address: addressOf(ours) },
              { at: theirs, address: theirs },
            ].map(({ at, address }) =>
              check({
                failsIf: and(gt(prefixLength(network), 0), hasPrefix(networkBits(network), networkBits(address))),
                at,
                problem: text`lies in ${pathOf(network)}`,
                got: at,
                remedy: 'take both from a network that nothing else uses, such as a /30 of 169.254.0.0/16',
              }),
            ),
          ),
        ),
        [
          { at: ours, address: addressOf(ours) },
          { at: theirs, address: theirs },
        ].map(({ at, address }) => [
          innerAddressCheck(at, address, 'take both from a small network, such as a /30 of 169.254.0.0/16'),
          check({
            failsIf: and(isV4(ours), matches(/^(?:00+|11+)$/, trimPrefix(networkBits(ours), networkBits(address)))),
            at,
            problem: text`is the first or the last of the network of inside.local, ${ours}, which no host has`,
            got: at,
            remedy: 'choose one between them',
          }),
        ]),
        check({
          failsIf: and(
            is('aws'),
            not(isNetwork(ours, 30, '169.254.0.0/16', AWS_RESERVED)),
            not(isNetwork(ours, 126, 'fd00::/8')),
          ),
          at: ours,
          problem: 'is in no network that AWS takes',
          got: ours,
          remedy: 'use the inside network that AWS shows for the tunnel: a /30 of 169.254.0.0/16 or a /126 of fd00::/8',
        }),
        check({
          failsIf: and(is('aws'), not(matches(/^[46]\.[01]*01$/, networkBits(theirs)))),
          at: theirs,
          problem: 'is not the first address of the network, which AWS has',
          got: theirs,
          remedy: 'take the second for inside.local and the first for AWS',
        }),
        check({
          failsIf: and(is('gcp'), not(isNetwork(ours, 30, '169.254.0.0/16')), not(isIn(ours, ['fdff:1::/64']))),
          at: ours,
          problem: 'is in no network from which Cloud Router takes addresses: a /30 of 169.254.0.0/16, or fdff:1::/64',
          got: ours,
          remedy: 'use the addresses of the Cloud Router’s interface and peer',
        }),
        check({
          failsIf: and(
            is('azure'),
            hasPrefix(networkBits('169.254.0.0/16'), networkBits(ours)),
            not(isIn(ours, AZURE_INSIDE)),
          ),
          at: ours,
          problem: 'is not in 169.254.21.0 to 169.254.22.255, from which Azure takes addresses',
          got: ours,
          remedy: 'choose one of these',
        }),
      ]),
    ),
  ];
}

/** What two gateways may not both have. */
const gatewayClashes = (v: IpsecValues): Rules =>
  [({ identity }: GatewayValues) => identity, ({ service }: GatewayValues) => service.loadBalancerIP].map((of) =>
    overlapChecks(
      each(v.gateways, (_name, gateway) =>
        whenSet(of(gateway), (given) =>
          when(looksLikeAddress(given), () => text`${networkBits(given)}/ ${pathOf(given)}`),
        ),
      ),
      'is the same address as',
      'it leads to one gateway: give each its own',
    ),
  );

/** What two tunnels of one gateway may not both have. */
function clashes(v: IpsecValues): Rules {
  return [
    overlapChecks(
      each(v.tunnels, (_name, t) =>
        each(t.remote.networks, (network) => text`${t.gateway}/${networkBits(network)} ${pathOf(network)}`),
      ),
      'overlaps with',
      'the gateway sends a packet into one tunnel: give every network to one of them',
    ),
    overlapChecks(
      each(v.tunnels, (_name, t) => [
        each(t.remote.networks, (network) =>
          when(gt(prefixLength(network), 0), () => text`${networkBits(network)} ${pathOf(network)}`),
        ),
        outerAddressOf(t),
      ]),
      'lies in',
      'the tunnel’s own packets would be sent into it: name smaller networks',
      ({ first, second }) => and(contains('.remote.networks[', first), contains('.remote.address', second)),
    ),
    overlapChecks(
      [importEntries(v), each(v.tunnels, (_name, t) => outerAddressOf(t))],
      'lies in',
      'the tunnel’s own packets would be sent into it: name smaller networks',
      withImport('.remote.address'),
    ),
    // Only the pod itself has a route to the network of its addresses.
    overlapChecks(
      each(v.tunnels, (_name, t) => [
        whenSet(t.inside.local, (local) => text`${t.gateway}/${networkBits(local)} ${pathOf(local)}`),
        outerAddressOf(t, text`${t.gateway}/`),
      ]),
      'lies in the network of',
      'the tunnel’s own packets would be sent into it: take addresses inside that nothing else uses',
      ({ first, second }) => and(contains('.inside.local', first), contains('.remote.address', second)),
    ),
    when(usesFabric(v), () =>
      each(v.tunnels, (_name, t) =>
        whenSet(t.remote.address, (address) =>
          when(isAddress(address), () =>
            check({
              failsIf: overlapsOverlay(v, address),
              at: address,
              problem: 'lies in a network of routes.overlay',
              got: address,
              remedy: 'set routes.overlay to networks that nothing else uses',
            }),
          ),
        ),
      ),
    ),
    overlapChecks(
      each(v.tunnels, (name, t) =>
        when(isRouteBased(t), () => text`${t.gateway}/${interfaceId(name, t)}/ ${pathOf(t)}.interfaceId`),
      ),
      'is the same id as that of',
      'set another interfaceId',
    ),
    overlapChecks(
      each(v.tunnels, (_name, t) =>
        when(
          hasKey(v.gateways, t.gateway),
          () =>
            text`${sha256(text`${t.gateway} ${sameIdentity(localIdentity(v, t))} = ${sameIdentity(remoteIdentity(t))}`)} ${pathOf(t)}.remote`,
        ),
      ),
      'has the same identities as',
      'IKE tells tunnels apart by them: set remote.identity or localIdentity',
    ),
    betweenGateways(v, {
      entries: each(v.tunnels, (name, t) =>
        when(
          and(hasKey(v.gateways, t.gateway), ne(localIdentity(v, t), ''), ne(remoteIdentity(t), '')),
          () =>
            text`${sha256(text`${sameIdentity(localIdentity(v, t))} = ${sameIdentity(remoteIdentity(t))} at ${remoteEnd(t)}`)} ${name}`,
        ),
      ),
      at: 'remote',
      problem: 'is the same end, with the same identities, as',
      got: ({ remote }) => orElse(remote.identity, orElse(remote.address, '')),
      remedy: 'it takes both gateways for one: give each its own identity, or its tunnel a localIdentity',
    }),
    overlapChecks(
      each(v.tunnels, (_name, t) =>
        whenSet(t.inside.local, (local) => text`${t.gateway}/${networkBits(local)} ${pathOf(local)}`),
      ),
      'is in the same network as',
      'give every tunnel a network of its own inside',
    ),
    // Every Cloud Router of a network has ranges of its own ("Establish BGP sessions").
    betweenGateways(v, {
      entries: each(v.tunnels, (name, t) =>
        whenSet(
          t.inside.local,
          (local) =>
            text`${choose(eq<string>(presetOf(t), 'gcp'), '', sha256(remoteEnd(t)))}/${networkBits(local)} ${name}`,
        ),
      ),
      at: 'inside.local',
      problem: 'is in the same network as',
      got: (t) => orElse(t.inside.local, ''),
      remedy: 'neither a remote end nor Google Cloud has it twice: give every tunnel its own',
    }),
    overlapChecks(
      each(v.tunnels, (name, t) =>
        whenSet(t.certificate, (certificate) =>
          whenSet(
            t.authorities,
            (authorities) =>
              each(authorities, (authority, source) => text`${t.gateway}/${name}-${authority}/ ${pathOf(source)}`),
            () => text`${t.gateway}/${name}-ca/ ${pathOf(certificate)}`,
          ),
        ),
      ),
      'has the same file name as',
      'rename the authority',
    ),
  ];
}

/** What tells remote ends apart before they have said who they are, and else that. */
const remoteEnd = (t: TunnelValues): Expr<string> => sameIdentity(orElse(t.remote.address, remoteIdentity(t)));

interface BetweenGateways {
  /** `<bits> <name of the tunnel>`. */
  readonly entries: Each<unknown>;
  /** The value of a tunnel that is at fault. */
  readonly at: string;
  readonly problem: string;
  readonly got: (t: TunnelValues) => Expr<string>;
  readonly remedy: string;
}

/** One message for every two tunnels of different gateways that overlap. */
function betweenGateways(v: IpsecValues, { entries, at, problem, got, remedy }: BetweenGateways): Each<unknown> {
  const gatewayIn = (name: Expr<string>) => orElse<string>(tunnelOf(v, name).gateway, '');
  const pathIn = (name: Expr<string>) => text`${pathOf(v.tunnels)}.${name}.${at}`;
  return each(overlaps(entries), (pair) => {
    const [first, second] = [ownerOf(pair, 'first'), ownerOf(pair, 'second')];
    return check({
      failsIf: ne(gatewayIn(first), gatewayIn(second)),
      at: pathIn(second),
      problem: text`${problem} ${pathIn(first)}`,
      got: got(tunnelOf(v, second)),
      remedy,
    });
  });
}

/** The FRR of a gateway listens for BGP. */
const healthPortCheck = (v: IpsecValues): Rules[number] =>
  check({
    failsIf: eq(v.health.port, BGP_PORT),
    at: v.health.port,
    problem: 'is the port of BGP',
    got: v.health.port,
    remedy: 'choose another one',
  });

function podChecks(v: IpsecValues): Rules {
  return [
    forwardingCheck(v),
    oneMonitorCheck(v.metrics),
    ...[v.metrics.serviceMonitor, v.metrics.podMonitor].map(scrapeTimeoutCheck),
  ];
}

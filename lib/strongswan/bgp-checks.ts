import {
  addressOf,
  and,
  check,
  contains,
  each,
  eq,
  ge,
  isEmpty,
  isSet,
  le,
  lt,
  ne,
  networkBits,
  not,
  or,
  orElse,
  pathOf,
  some,
  text,
  when,
  whenSet,
  type Expr,
} from '../staged';
import {
  entryOf,
  familyCheck,
  gatewayNameChecks,
  keepaliveCheck,
  linkLocalCheck,
  importEntries,
  overlapsOverlay,
  ownAddressChecks,
  peerAsChecks,
  speakerChecks,
  withImport,
} from '../frr/checks';
import { isV4, isV6 } from '../frr/fabric';
import { overlapChecks, type Rules } from '../kubernetes/checks';
import { bgpHoldSeconds, bgpKeepaliveSeconds, bgpPeerAddress, speaksBgp } from './bgp';
import { PRESET_NAMES, PRESETS, type AsRange } from './presets';
import { isRouteBased, outerAddressOf, presetOf, usesFabric, type IpsecValues, type TunnelValues } from './tunnel';

const TAKE_INSIDE = 'take both from a network that nothing else uses, such as a /30 of 169.254.0.0/16';

const FAMILIES = [
  { family: 'IPv4', isOfIt: isV4 },
  { family: 'IPv6', isOfIt: isV6 },
] as const;

/** What the mode of the routes and the parts that it needs have to do with each other. */
export function modeChecks(v: IpsecValues): Rules {
  const { agent, routes, tunnels } = v;
  const isBgp = eq<string>(routes.mode, 'bgp');
  return [
    check({
      failsIf: and(isBgp, not(isSet(routes.localAs))),
      at: routes.localAs,
      problem: 'is missing, and routes.mode is bgp',
      remedy: 'set it to the number of your autonomous system, such as 65010',
    }),
    check({
      failsIf: and(isBgp, isEmpty(routes.import)),
      at: routes.import,
      problem: 'is empty, so that nothing would be taken from the remote ends',
      remedy: 'name the networks behind them, such as {vpc: {cidr: 10.0.0.0/16}}',
    }),
    check({
      failsIf: and(isBgp, not(isEmpty(tunnels)), not(some(tunnels, (t) => isSet(t.bgp)))),
      at: routes.mode,
      problem: 'is bgp, and no tunnel has bgp',
      remedy: 'set tunnels.<name>.bgp, or use static',
    }),
    ...FAMILIES.map(({ family, isOfIt }) =>
      when(
        and(
          some(tunnels, (t) => speaksBgp(v, t)),
          not(some(tunnels, (t) => and(speaksBgp(v, t), isOfIt(bgpPeerAddress(t))))),
        ),
        () =>
          each(routes.import, (_name, { cidr }) =>
            check({
              failsIf: isOfIt(cidr),
              at: cidr,
              problem: `is of ${family}, and the BGP session of no tunnel is, which takes networks of its own family only`,
              got: cidr,
              remedy: `give a tunnel inside addresses of ${family}, or remove this one`,
            }),
          ),
      ),
    ),
    check({
      failsIf: and(not(isBgp), not(isEmpty(routes.import))),
      at: routes.import,
      problem: 'is not used, since routes.mode is static',
      remedy: 'remove it, or use bgp',
    }),
    check({
      failsIf: and(isBgp, not(orElse(agent.enabled, true))),
      at: agent.enabled,
      problem: 'is false, and routes.mode is bgp: no node would know what the gateways learn',
      remedy: 'remove it, or use static',
    }),
    overlapChecks(
      each(tunnels, (_name, t) => {
        const entry = (peer: Expr<string>): Expr<string> => text`${t.gateway}/${networkBits(peer)}/ ${pathOf(t)}.bgp`;
        return when(speaksBgp(v, t), () => whenSet(t.bgp.peerAddress, entry, () => whenSet(t.inside.remote, entry)));
      }),
      'has the same remote address as',
      'a gateway has one session with an address: set inside.remote or bgp.peerAddress',
    ),
    ownAddressChecks(
      each(tunnels, (_name, t) => [
        whenSet(t.inside.local, (local) => text`${t.gateway}/${networkBits(addressOf(local))} ${pathOf(local)}`),
        when(speaksBgp(v, t), () =>
          whenSet(t.bgp.peerAddress, (peer) => text`${t.gateway}/${networkBits(peer)}/ ${pathOf(peer)}`),
        ),
      ]),
    ),
    overlapChecks(
      each(tunnels, (_name, t) => [
        outerAddressOf(t),
        when(speaksBgp(v, t), () => whenSet(t.bgp.peerAddress, (peer) => text`${networkBits(peer)}// ${pathOf(peer)}`)),
      ]),
      'is the outer address of a remote end, whose own packets would be sent into the tunnel: that of',
      'name the address of the remote end’s BGP speaker inside the tunnel',
      ({ first, second }) => and(contains('.remote.address', first), contains('.bgp.peerAddress', second)),
    ),
    when(usesFabric(v), () => [
      gatewayNameChecks(v, v.gateways),
      each(tunnels, (_name, t) => [
        each(t.remote.networks, (network) =>
          check({
            failsIf: overlapsOverlay(v, network),
            at: network,
            problem: 'overlaps with a network of routes.overlay',
            got: network,
            remedy: 'set routes.overlay to networks that nothing else uses',
          }),
        ),
        whenSet(t.inside.local, (local) =>
          check({
            failsIf: overlapsOverlay(v, local),
            at: local,
            problem: 'lies in a network of routes.overlay',
            got: local,
            remedy: TAKE_INSIDE,
          }),
        ),
      ]),
      overlapChecks(
        [importEntries(v), each(tunnels, (_name, t) => whenSet(t.inside.local, entryOf))],
        'overlaps with',
        TAKE_INSIDE,
        withImport('.inside.local'),
      ),
      overlapChecks(
        [importEntries(v), each(tunnels, (_name, t) => when(isBgp, () => each(t.remote.networks, entryOf)))],
        'overlaps with',
        'a network is known from the values or taken by BGP: remove one of them',
        withImport('.remote.networks['),
      ),
    ]),
  ];
}

const isOf = (number: Expr<number>, ranges: readonly AsRange[]): Expr<boolean> =>
  or(...ranges.map(([first, last]) => and(ge(number, first), le(number, last))));

/** No other BGP speaker than the remote end's address inside the tunnel, from which alone `who` speaks. */
export const insideSpeakerCheck = (t: TunnelValues, who: Expr<string> | string): Rules[number] =>
  whenSet(t.bgp.peerAddress, (peer) =>
    whenSet(t.inside.remote, (remote) =>
      check({
        failsIf: ne(networkBits(remote), networkBits(peer)),
        at: peer,
        problem: text`is not inside.remote, the only address over which ${who} speaks BGP`,
        got: peer,
        remedy: 'remove it',
      }),
    ),
  );

/** The rules of the BGP session of a tunnel. */
export function bgpChecks(v: IpsecValues, t: TunnelValues): Rules {
  const { bgp, inside } = t;
  const is = (preset: string): Expr<boolean> => eq<string>(presetOf(t), preset);
  return [
    check({
      failsIf: and(isSet(bgp), ne<string>(v.routes.mode, 'bgp')),
      at: bgp,
      problem: 'is not used, since routes.mode is static',
      remedy: 'remove it, or set routes.mode to bgp',
    }),
    when(speaksBgp(v, t), () => [
      check({
        failsIf: not(isRouteBased(t)),
        at: bgp,
        problem: 'needs an interface for its tunnel, and the mode of the tunnel is policy',
        remedy: 'choose the mode route, or remove it',
      }),
      check({
        failsIf: and(isRouteBased(t), not(and(isSet(inside.local), isSet(inside.remote)))),
        at: inside,
        problem: 'is missing, and the session needs addresses',
        remedy: 'set inside.local and inside.remote, such as 169.254.100.2/30 and 169.254.100.1',
      }),
      whenSet(
        bgp.peerAddress,
        (peer) => speakerChecks(v, peer),
        () => whenSet(inside.remote, linkLocalCheck),
      ),
      whenSet(bgp.peerAddress, (peer) => whenSet(inside.local, (local) => familyCheck(peer, local))),
      when(or(...PRESET_NAMES.filter((preset) => PRESETS[preset].bgp.insideOnly).map(is)), () =>
        insideSpeakerCheck(t, text`a remote end of the preset ${presetOf(t)}`),
      ),
      whenSet(bgp.peerAs, (peerAs) => [
        ...peerAsChecks(v, peerAs),
        ...PRESET_NAMES.filter((preset) => PRESETS[preset].bgp.peerAs.length > 0).map((preset) =>
          check({
            failsIf: and(is(preset), not(isOf(peerAs, PRESETS[preset].bgp.peerAs))),
            at: peerAs,
            problem: `is no number that a remote end of the preset ${preset} can have`,
            got: peerAs,
            remedy: 'look at the configuration of the remote end',
          }),
        ),
      ]),
      ...PRESET_NAMES.filter((preset) => PRESETS[preset].bgp.reservedAs.length > 0).map((preset) =>
        whenSet(v.routes.localAs, (own) =>
          check({
            failsIf: and(is(preset), isOf(own, PRESETS[preset].bgp.reservedAs)),
            at: own,
            problem: text`is a number that the remote end of ${pathOf(t)} keeps for itself`,
            got: own,
            remedy: 'choose another one, such as 65010',
          }),
        ),
      ),
      keepaliveCheck(bgp.keepaliveSeconds, bgpKeepaliveSeconds(t), bgpHoldSeconds(t)),
      ...PRESET_NAMES.map((preset) =>
        check({
          failsIf: and(is(preset), lt(bgpHoldSeconds(t), PRESETS[preset].bgp.leastHoldSeconds)),
          at: bgp.holdSeconds,
          problem: `is less than what a remote end of the preset ${preset} takes`,
          got: bgpHoldSeconds(t),
          remedy: `use ${PRESETS[preset].bgp.leastHoldSeconds} or more`,
        }),
      ),
      check({
        failsIf: and(isSet(bgp.bfd), or(...PRESET_NAMES.filter((preset) => !PRESETS[preset].bgp.bfd).map(is))),
        at: bgp.bfd,
        problem: text`is asked for, and a remote end of the preset ${presetOf(t)} has none: there would be no session`,
        remedy: 'remove it',
      }),
      check({
        failsIf: and(
          isSet(bgp.password),
          or(...PRESET_NAMES.filter((preset) => !PRESETS[preset].bgp.passwords).map(is)),
        ),
        at: bgp.password,
        problem: text`is not possible: a remote end of the preset ${presetOf(t)} knows no passwords of BGP`,
        remedy: 'remove it',
      }),
    ]),
  ];
}

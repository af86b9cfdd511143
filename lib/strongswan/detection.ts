import { add, choose, conf, each, eq, isSet, largest, min, mul, named, orElse, when, type Expr } from '../staged';
import { bgpHoldSeconds, speaksBgp } from './bgp';
import { dpdDelaySeconds, initiates, usesFabric, type IpsecValues, type TunnelValues } from './tunnel';

/** How long it takes at most until a failure is noticed. */
export interface Detection {
  /** The remote end of a tunnel is silent, or has forgotten its SAs: the longest of all tunnels. */
  readonly remoteSilentSeconds: Expr<number>;
  /** The node of a gateway is lost: until Kubernetes starts its pod on another one. */
  readonly nodeLostSeconds: Expr<number>;
  /** A gateway is lost, where agents are: until the nodes lead packets to the others, in milliseconds. */
  readonly gatewayLostMilliseconds: Expr<number>;
}

/** What kube-controller-manager waits for a node (`--node-monitor-grace-period`), and the time between its looks. */
const NODE_GRACE_SECONDS = 50 + 5;

/** charon counts whole seconds, and control.py looks once a second. */
const ROUNDING_SECONDS = 2;

/**
 * How long a silent remote end of a tunnel goes unnoticed: the pause until it is asked, then as many questions as there are tries
 * and the first one, each with the same time for the answer (strongswan.conf(5), `charon.retransmit_*`, with the base 1), and what
 * is lost by rounding.
 */
export function remoteSilentSeconds(v: IpsecValues, t: TunnelValues): Expr<number> {
  const { tries, intervalSeconds } = v.retransmission;
  return add(ROUNDING_SECONDS, add(dpdDelaySeconds(t), mul(add(tries, 1), intervalSeconds)));
}

export function detectionOf(v: IpsecValues): Detection {
  return {
    remoteSilentSeconds: largest(v.tunnels, (t) => remoteSilentSeconds(v, t)),
    nodeLostSeconds: add(NODE_GRACE_SECONDS, v.lostNodeSeconds),
    gatewayLostMilliseconds: choose(
      eq<string>(v.agent.bfd, 'off'),
      OVERLAY_HOLD_SECONDS * 1000,
      bfdMilliseconds(v.routes.bfd.intervalMilliseconds, v.routes.bfd.multiplier),
    ),
  };
}

/** How long BFD waits for a packet (RFC 5880, 6.8.4). */
const bfdMilliseconds = (interval: Expr<number>, multiplier: Expr<number>): Expr<number> => mul(interval, multiplier);

/** How long BGP waits for a message of a node or gateway: the hold time of lib/frr. */
const OVERLAY_HOLD_SECONDS = 9;

/** The same in sentences, tunnel by tunnel. */
export function detectionText(v: IpsecValues): Expr<string> {
  const { nodeLostSeconds, gatewayLostMilliseconds } = detectionOf(v);
  return named(
    'detection',
    {},
    () => conf`
    How long a failure goes unnoticed at most:
      a gateway's node is lost: ${nodeLostSeconds} s, then its pod starts on another one
      ${when(
        usesFabric(v),
        () => conf`
        a gateway or its node is lost: ${gatewayLostMilliseconds} ms, then the nodes use the others${choose(eq<string>(v.agent.bfd, 'auto'), `; ${String(OVERLAY_HOLD_SECONDS)} s where an agent runs without BFD`, '')}
      `,
      )}
      ${each(
        v.tunnels,
        (name, t) => conf`
        tunnel ${name}, the remote end is silent: ${remoteSilentSeconds(v, t)} s
        ${when(
          speaksBgp(v, t),
          () => conf`
          tunnel ${name}, BGP: ${min(bgpHoldSeconds(t), remoteSilentSeconds(v, t))} s, then the nodes use the other tunnels; at the remote end ${bgpHoldSeconds(t)} s, or its own hold time if that is shorter
          ${when(
            isSet(t.bgp.bfd),
            () =>
              conf`tunnel ${name}, BFD: ${bfdMilliseconds(orElse(t.bgp.bfd.intervalMilliseconds, 300), orElse(t.bgp.bfd.multiplier, 5))} ms at both ends, if the remote end has the same times`,
          )}
        `,
        )}
        ${when(
          initiates(v, t),
          () =>
            conf`tunnel ${name}, the remote end has forgotten its SAs: ${remoteSilentSeconds(v, t)} s, then the gateway begins anew`,
          () =>
            conf`tunnel ${name}, the remote end has forgotten its SAs: until it begins anew, which replaces ours at once`,
        )}
      `,
      )}
  `,
  )();
}

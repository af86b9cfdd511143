import { addressOf, and, eq, isSet, orElse, type Expr } from '../staged';
import type { BgpValues } from '../frr/fabric';
import { passwordKey } from '../frr/fabric-conf';
import { setting, type IpsecValues, type TunnelValues } from './tunnel';

export const bgpKeepaliveSeconds = setting(
  'bgpKeepaliveSeconds',
  (t) => t.bgp.keepaliveSeconds,
  ({ bgp }) => bgp.keepaliveSeconds,
);
export const bgpHoldSeconds = setting(
  'bgpHoldSeconds',
  (t) => t.bgp.holdSeconds,
  ({ bgp }) => bgp.holdSeconds,
);
/** Hops that packets of the session may take; 1: to the next one. */
export const bgpMultihopTtl = setting(
  'bgpMultihopTtl',
  (t) => t.bgp.multihopTtl,
  ({ bgp }) => bgp.multihopTtl,
);

/** Whether the remote end of a tunnel says by BGP what is behind it. */
export const speaksBgp = (v: IpsecValues, t: TunnelValues): Expr<boolean> =>
  and(eq<string>(v.routes.mode, 'bgp'), isSet(t.bgp));

/** The address of the remote end's BGP speaker. */
export const bgpPeerAddress = (t: TunnelValues): Expr<string> => orElse(t.bgp.peerAddress, orElse(t.inside.remote, ''));

/** Our address in its session. */
export const bgpSource = (t: TunnelValues): Expr<string> => addressOf(orElse(t.inside.local, ''));

export const bgpPasswordKey = (t: TunnelValues): Expr<string> => passwordKey(t.bgp as BgpValues);

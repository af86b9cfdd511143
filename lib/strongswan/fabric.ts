import { choose, each, eq, named, when, whenSet, type Each, type Expr } from '../staged';
import { shortName } from '../../values/net';
import { fabricConf as fabricConfOf } from '../frr/fabric-conf';
import { reflectorConf, type RemoteSession } from '../frr/reflector-conf';
import { bgpHoldSeconds, bgpKeepaliveSeconds, bgpMultihopTtl, bgpPeerAddress, bgpSource, speaksBgp } from './bgp';
import { tunnelsOf } from './config';
import { interfaceName, isRouteBased, type IpsecValues } from './tunnel';

/** The body for the BGP session of every tunnel of a gateway that has one. */
const sessionsOf =
  (v: IpsecValues, gateway: Expr<string>) =>
  <B>(body: (session: RemoteSession) => B): Each<unknown> =>
    tunnelsOf(v, gateway, (name, t) =>
      when(eq<string>(v.routes.mode, 'bgp'), () =>
        whenSet(t.bgp.peerAs, (peerAs) =>
          body({
            name,
            address: bgpPeerAddress(t),
            source: bgpSource(t),
            peerAs,
            bgp: t.bgp as RemoteSession['bgp'],
            keepaliveSeconds: bgpKeepaliveSeconds(t),
            holdSeconds: bgpHoldSeconds(t),
            ttl: bgpMultihopTtl(t),
          }),
        ),
      ),
    );

/** The FRR configuration of a gateway, in the format of frr.conf(5), without passwords. */
export function frrConf(v: IpsecValues): (of: { gateway: Expr<string> }) => Expr<string> {
  return named('frrConf', { gateway: shortName }, ({ gateway }) =>
    reflectorConf(v, {
      gateway,
      sessions: sessionsOf(v, gateway),
      networks: (line) => tunnelsOf(v, gateway, (_name, t) => each(t.remote.networks, line)),
    }),
  );
}

/** What reflector.py is told of a gateway, as JSON. */
export function fabricConf(v: IpsecValues): (of: { gateway: Expr<string> }) => Expr<string> {
  return named('fabricConf', { gateway: shortName }, ({ gateway }) =>
    fabricConfOf(v, gateway, (lines) =>
      tunnelsOf(v, gateway, (name, t) =>
        lines({
          name,
          interfaceName: choose(isRouteBased(t), interfaceName(name, t), ''),
          inside: t.inside,
          speaksBgp: speaksBgp(v, t),
          peer: bgpPeerAddress(t),
          bgp: t.bgp as RemoteSession['bgp'],
          networks: t.remote.networks,
        }),
      ),
    ),
  );
}

import { choose, conf, each, eq, isSet, json, named, when, whenSet, type Each, type Expr } from '../staged';
import { shortName } from '../../values/net';
import { exportedNetworks, fabricJson, localAs, maxLengthOf } from '../frr/fabric';
import { reflectorConf, type RemoteSession } from '../frr/reflector-conf';
import {
  BGP_PASSWORDS,
  bgpHoldSeconds,
  bgpKeepaliveSeconds,
  bgpMultihopTtl,
  bgpPasswordKey,
  bgpPeerAddress,
  bgpSource,
  speaksBgp,
} from './bgp';
import { tunnelsOf } from './config';
import { interfaceName, isRouteBased, type IpsecValues, type TunnelValues } from './tunnel';

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

/** What reflector.py is told of a gateway, as JSON. The last element of lists and maps is empty, so that each can end with a comma. */
export function fabricConf(v: IpsecValues): (of: { gateway: Expr<string> }) => Expr<string> {
  return named(
    'fabricConf',
    { gateway: shortName },
    ({ gateway }) => conf`
    {
      "gateway": "${gateway}",
      "localAs": ${localAs(v)},
      ${fabricJson(v, gateway)}
      "imports": [
        ${each(v.routes.import, (_name, taken) => conf`{"cidr": ${json(taken.cidr)}, "maxLength": ${maxLengthOf(taken)}},`)}
        null
      ],
      "exports": [
        ${exportedNetworks(v, (network) => conf`${json(network)},`)}
        ""
      ],
      "tunnels": {
        ${tunnelsOf(v, gateway, (name, t) => tunnelConf(v, name, t))}
        "": null
      }
    }
  `,
  );
}

function tunnelConf(v: IpsecValues, name: Expr<string>, t: TunnelValues): Expr<string> {
  return conf`
    "${name}": {
      "interface": "${choose(isRouteBased(t), interfaceName(name, t), '')}",
      ${whenSet(t.inside.local, (local) =>
        whenSet(t.inside.remote, (remote) => conf`"inside": {"local": ${json(local)}, "remote": ${json(remote)}},`),
      )}
      ${when(
        speaksBgp(v, t),
        () => conf`
        "bgp": {
          "peer": ${json(bgpPeerAddress(t))},
          ${whenSet(
            t.bgp.password.existingSecret,
            (secret) => conf`
            "passwordFile": "${BGP_PASSWORDS}/${name}/${bgpPasswordKey(t)}",
            "source": "key ${bgpPasswordKey(t)} of the Secret ${secret}",
          `,
          )}
          "bfd": ${choose(isSet(t.bgp.bfd), 'true', 'false')}
        },
      `,
      )}
      "networks": [
        ${each(t.remote.networks, (network) => conf`${json(network)},`)}
        ""
      ]
    },
  `;
}

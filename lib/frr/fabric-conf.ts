import { choose, conf, each, isSet, json, orElse, when, whenSet, type Each, type Expr } from '../staged';
import { exportedNetworks, fabricJson, maxLengthOf, type BgpValues, type FabricValues } from './fabric';

/** Where the pod has the passwords of BGP sessions, each in a folder of the tunnel's name. */
export const BGP_PASSWORDS = '/bgp-passwords';

export const passwordKey = (bgp: BgpValues): Expr<string> => orElse(bgp.password.key, 'password');

/** A tunnel of a gateway, as reflector.py is told of it. */
export interface FabricTunnel {
  readonly name: Expr<string>;
  /** The name of its interface; empty: it has none. */
  readonly interfaceName: Expr<string>;
  readonly inside: { readonly local: Expr<string | undefined>; readonly remote: Expr<string | undefined> };
  readonly speaksBgp: Expr<boolean> | true;
  /** The address of the remote end's BGP speaker. */
  readonly peer: Expr<string>;
  readonly bgp: BgpValues;
  /** What is behind it as far as the values say so. @default nothing */
  readonly networks?: Expr<readonly string[] | undefined>;
}

/**
 * What reflector.py is told of a gateway, as JSON. The last element of lists and maps is empty, so that each can end with a comma.
 *
 * @param areTold - whether another program of the pod says how the tunnels are
 */
export function fabricConf(
  v: FabricValues,
  gateway: Expr<string>,
  tunnels: (lines: (tunnel: FabricTunnel) => Expr<string>) => Each<unknown>,
  areTold = true,
): Expr<string> {
  return conf`
    {
      "gateway": "${gateway}",
      "told": ${String(areTold)},
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
        ${tunnels(tunnelConf)}
        "": null
      }
    }
  `;
}

function tunnelConf({ name, interfaceName, inside, speaksBgp, peer, bgp, networks }: FabricTunnel): Expr<string> {
  return conf`
    "${name}": {
      "interface": "${interfaceName}",
      ${whenSet(inside.local, (local) =>
        whenSet(inside.remote, (remote) => conf`"inside": {"local": ${json(local)}, "remote": ${json(remote)}},`),
      )}
      ${when(
        speaksBgp,
        () => conf`
        "bgp": {
          "peer": ${json(peer)},
          ${whenSet(
            bgp.password.existingSecret,
            (secret) => conf`
            "passwordFile": "${BGP_PASSWORDS}/${name}/${passwordKey(bgp)}",
            "source": "key ${passwordKey(bgp)} of the Secret ${secret}",
          `,
          )}
          "bfd": ${choose(isSet(bgp.bfd), 'true', 'false')}
        },
      `,
      )}
      "networks": [
        ${networks === undefined ? conf`` : each(networks, (network) => conf`${json(network)},`)}
        ""
      ]
    },
  `;
}

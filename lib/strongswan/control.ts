import { choose, conf, each, isSet, json, named, ne, not, orElse, text, when, whenSet, type Expr } from '../staged';
import { shortName } from '../../values/net';
import { speaksBgp } from './bgp';
import { tunnelsOf } from './config';
import { STRONG_KEY } from './presets';
import {
  initiates,
  keyRuleJson,
  localIdentity,
  ruleJson,
  remoteIdentity,
  usesCertificate,
  usesFabric,
  type IpsecValues,
  type TunnelValues,
} from './tunnel';

/** Where the pod has the pre-shared keys, certificates and authorities of tunnels, each in a folder of the tunnel's name. */
export const SHARED_KEYS = '/secrets';
/** Where it has the chart's own Secret: whole, so that another key in it is no change of the pod. */
export const GIVEN_KEYS = '/given-keys';
export const POST_QUANTUM_KEYS = '/post-quantum-keys';
export const CERTIFICATES = '/certificates';
export const AUTHORITIES = '/authorities';

/** The key of the chart's own Secret under which the pre-shared key of a tunnel is. */
export const givenKey = (tunnel: Expr<string>): Expr<string> => text`psk.${tunnel}`;
/** The key of a tunnel's Secret with its pre-shared key. */
export const sharedKeyKey = (t: TunnelValues): Expr<string> => orElse(t.presharedKey.key, 'psk');

/**
 * What control.py is told of a gateway, as JSON: which tunnels it keeps up, where their secrets are, and what these must be like.
 * And how to ask the other gateways whether one of them carries on. The last element of lists and maps is empty, so that each can end
 * with a comma.
 */
export function controlConf(
  v: IpsecValues,
  givenKeys: (gateway: Expr<string>) => Expr<string>,
  hostOf: (gateway: Expr<string>) => Expr<string>,
): (of: { gateway: Expr<string> }) => Expr<string> {
  return named(
    'controlConf',
    { gateway: shortName },
    ({ gateway }) => conf`
    {
      "gateway": "${gateway}",
      "host": "${hostOf(gateway)}",
      "siblings": {
        ${each(v.gateways, (name) => when(ne(name, gateway), () => conf`"${name}": "${hostOf(name)}",`))}
        "": ""
      },
      "drainTimeoutSeconds": ${v.drainTimeoutSeconds},
      "fabric": ${choose(usesFabric(v), 'true', 'false')},
      "tunnels": {
        ${tunnelsOf(v, gateway, (name, t) => tunnelConf(v, givenKeys(gateway), name, t))}
        "": null
      }
    }
  `,
  );
}

function tunnelConf(v: IpsecValues, secretName: Expr<string>, name: Expr<string>, t: TunnelValues): Expr<string> {
  return conf`
    "${name}": {
      "initiates": ${choose(initiates(v, t), 'true', 'false')},
      "children": [
        ${when(
          isSet(t.children),
          () => each(t.children, (child) => conf`"${child}",`),
          () => conf`"${name}",`,
        )}
        ""
      ],
      ${when(speaksBgp(v, t), () => conf`"bgp": true,`)}
      ${when(
        usesCertificate(t),
        () => certificateConf(v, name, t),
        () => sharedKeyConf(v, secretName, name, t),
      )}
      ${whenSet(
        t.postQuantumKey.existingSecret,
        (secret) => conf`
        "postQuantumKey": {
          "file": "${POST_QUANTUM_KEYS}/${name}/${orElse(t.postQuantumKey.key, 'ppk')}",
          "source": "key ${orElse(t.postQuantumKey.key, 'ppk')} of the Secret ${secret}",
          "id": ${json(orElse(t.postQuantumKey.id, ''))}
        },
      `,
      )}
      "": null
    },
  `;
}

function sharedKeyConf(v: IpsecValues, secretName: Expr<string>, name: Expr<string>, t: TunnelValues): Expr<string> {
  return conf`
    "sharedKey": {
      ${whenSet(
        t.presharedKey.existingSecret,
        (secret) => conf`
        "file": "${SHARED_KEYS}/${name}/${sharedKeyKey(t)}",
        "source": "key ${sharedKeyKey(t)} of the Secret ${secret}",
      `,
        () => conf`
        "file": "${GIVEN_KEYS}/${givenKey(name)}",
        "source": "key ${givenKey(name)} of the Secret ${secretName}",
      `,
      )}
      "ids": [${json(localIdentity(v, t))}, ${json(remoteIdentity(t))}],
      "rules": [
        ${keyRuleJson(t)},
        ${when(not(orElse(t.allowWeak, false)), () => conf`${ruleJson(STRONG_KEY)},`)}
        null
      ]
    },
  `;
}

function certificateConf(v: IpsecValues, name: Expr<string>, t: TunnelValues): Expr<string> {
  return conf`
    "certificate": {
      "folder": "${CERTIFICATES}/${name}",
      "identity": ${json(localIdentity(v, t))}
    },
    "authorities": {
      ${when(
        isSet(t.authorities),
        () =>
          each(
            t.authorities,
            (authority, source) => conf`
            "${name}-${authority}.crt": {
              "file": "${AUTHORITIES}/${name}/${authority}/${orElse(source.key, 'ca.crt')}",
              "source": "key ${orElse(source.key, 'ca.crt')} of the ${choose(isSet(source.existingSecret), 'Secret', 'ConfigMap')} ${orElse(source.existingSecret, orElse(source.existingConfigMap, ''))}"
            },
          `,
          ),
        () => conf`
        "${name}-ca.crt": {
          "file": "${CERTIFICATES}/${name}/ca.crt",
          "source": "key ca.crt of the Secret of certificate"
        },
      `,
      )}
      "": null
    },
  `;
}

import { z } from 'zod';
import { wireguardValues } from '../../values/wireguard';
import { chooseSet, choose, conf, each, isSet, json, named, type Expr } from '../staged';
import type { WireGuardValues } from './config';

/** The schema of `peers` for peers-from.jq: what judges, and what its messages say. */
export const PEERS_SCHEMA: Readonly<Record<string, unknown>> = z.toJSONSchema(wireguardValues.shape.peers, {
  target: 'draft-7',
  io: 'output',
  override: ({ jsonSchema }) => {
    Reflect.deleteProperty(jsonSchema, 'description');
    Reflect.deleteProperty(jsonSchema, 'default');
  },
});

/** The settings of peers-from.jq. */
export function peersFromSettings(v: WireGuardValues): Expr<string> {
  return named(
    'peersFromSettings',
    {},
    () => conf`
    {
      "network": ${json(v.network)},
      "network6": ${chooseSet(v.network6, (network6) => json(network6), 'null')},
      "mode": ${json(v.mode)},
      "interface": ${json(v.interfaceName)},
      "sources": {
        ${each(
          v.peersFrom,
          (name, source) => conf`"${name}": "${choose(isSet(source.existingSecret), 'Secret', 'ConfigMap')}",`,
        )}
        "": null
      },
      "peers": ${JSON.stringify(PEERS_SCHEMA)}
    }
  `,
  )();
}

import { z } from 'zod';
import { cidr, host } from '../../values/net';
import type { JsonObject } from '../helm/values-file';
import { importedKey } from './import-key';
import { parsedAs, type Imported } from './import-result';

export interface ConstellationAnswers {
  /** Our IKE identity, which the old chart did not have. */
  readonly identity?: string;
  readonly remoteIdentity?: string;
}

const constellationValues = z.strictObject({
  podCIDR: cidr.optional(),
  serviceCIDR: cidr.optional(),
  peerCIDRs: z.array(cidr).min(1),
  mtu: z.union([z.int(), z.literal('')]).nullish(),
  ipsec: z.strictObject({
    psk: z.string().nullish().meta({ secret: true, noun: 'text', example: 'a key in quotes' }),
    peer: host,
  }),
  image: z.unknown().optional(),
});

/** What the old templates fixed, and what is so now. */
const FIXED = [
  'one replica: is a Deployment of one replica for each gateway, which starts anew on another node when its own is lost',
  'Service of type LoadBalancer with UDP 500 and 4500 and externalTrafficPolicy Local: is the same',
  'the privileged sidecar that edits CiliumEndpoints: is not needed; pods that begin a connection themselves need a route to the gateway (docs/ipsec.md)',
  'enable-sctp in the configuration of Cilium: may go; the gateway asks Services from its own address',
];

/** Names of what is made: there is one gateway and one tunnel. */
const GATEWAY = 'a';
const TUNNEL = 'onprem';
const SECRET = 'onprem-psk';

/**
 * The values of Constellation's VPN chart as those of the chart `ipsec`: a policy-based tunnel that the gateway on premises begins.
 *
 * @throws InputError with every problem of the old values
 */
export function importConstellation(given: JsonObject, answers: ConstellationAnswers): Imported {
  const old = parsedAs(constellationValues, given);
  const { podCIDR = '10.10.0.0/16', serviceCIDR = '10.96.0.0/12', peerCIDRs, mtu, ipsec, image } = old;
  const { identity, remoteIdentity } = answers;
  const values: JsonObject = {
    cluster: { podCidrs: [podCIDR], serviceCidrs: [serviceCIDR] },
    gateways: { [GATEWAY]: { exposure: 'loadBalancer', ...(identity !== undefined && { identity }) } },
    tunnels: {
      [TUNNEL]: {
        gateway: GATEWAY,
        mode: 'policy',
        remote: {
          address: ipsec.peer,
          ...(remoteIdentity !== undefined && { identity: remoteIdentity }),
          networks: peerCIDRs,
        },
        presharedKey: { existingSecret: SECRET },
        ...(typeof mtu === 'number' && { mtu }),
      },
    },
  };
  const { secrets, became } = importedKey(ipsec.psk ?? '', SECRET);
  const report = [
    'podCIDR: is cluster.podCidrs',
    'serviceCIDR: is cluster.serviceCidrs',
    `peerCIDRs: is tunnels.${TUNNEL}.remote.networks`,
    typeof mtu !== 'number'
      ? `mtu: is computed from the pod's own, as tunnels.${TUNNEL}.mtu says`
      : `mtu: is tunnels.${TUNNEL}.mtu`,
    `ipsec.peer: is tunnels.${TUNNEL}.remote.address`,
    `ipsec.psk: ${became}`,
    image === undefined
      ? 'image: is strongswan.image and two others, with their defaults'
      : 'image: is left out, since it is an image of another kind; strongswan.image and two others have defaults',
    identity === undefined
      ? `gateways.${GATEWAY}.identity: is missing, and the old chart had none; set it with --identity to the load balancer's address`
      : `gateways.${GATEWAY}.identity: is what --identity says`,
    remoteIdentity === undefined
      ? `tunnels.${TUNNEL}.remote.identity: is the peer's address; say otherwise with --remote-identity`
      : `tunnels.${TUNNEL}.remote.identity: is what --remote-identity says`,
    ...FIXED,
  ];
  return { values, secrets, report };
}

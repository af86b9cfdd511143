import type { z } from 'zod';
import { overlapChecks } from '../kubernetes/checks';
import { entryOf, isV6 } from '../kubernetes/networks';
import { WIREGUARD_KEY_PATTERN } from '../net/wireguard-key';
import {
  check,
  each,
  matches,
  networkBits,
  not,
  pathOf,
  text,
  when,
  whenSet,
  type Each,
  type Expr,
  type When,
} from '../staged';
import type { peerAddresses, peerServices, routedNetworks } from '../../values/peers';

/*
 * Rules of the peers of a VPN, whoever has them.
 */

/** A peer, as far as all have it. */
export interface Peer {
  readonly publicKey?: string | undefined;
  readonly addresses: z.output<typeof peerAddresses>;
  readonly routedNetworks?: z.output<typeof routedNetworks>;
  readonly services?: z.output<typeof peerServices> | undefined;
}
/** Peers by name. */
export type Peers = Expr<Readonly<Record<string, Peer>>>;

const ONE_PEER_EACH = 'WireGuard sends a packet to one peer only: give every network to one peer, once';

/** A secret key must be one; the message never shows what is there. */
export function secretKeyCheck(key: Expr<string | undefined>, command: 'wg genkey' | 'wg genpsk'): When<unknown> {
  return whenSet(key, (value) =>
    check({
      failsIf: not(matches(WIREGUARD_KEY_PATTERN, value)),
      at: value,
      problem: 'is not a WireGuard key: 32 bytes in base64, 44 characters',
      remedy: `make one with \`${command}\``,
    }),
  );
}

/** Every peer has a key of its own. */
export const publicKeyChecks = (peers: Peers): Each<unknown> =>
  overlapChecks(
    each(peers, (_name, peer) => whenSet(peer.publicKey, (key) => text`${key} ${pathOf(key)}`)),
    'is the same key as',
    'WireGuard knows a peer by its key: give each its own',
  );

/** Every peer has addresses of its own. */
export const addressOverlapChecks = (peers: Peers): Each<unknown> =>
  overlapChecks(
    each(peers, (_name, peer) =>
      each(peer.addresses, (address) =>
        // An IPv4 address has one text only; the slash ends it, so that .2 does not begin .20.
        when(
          isV6(address),
          () => text`${networkBits(address)} ${pathOf(address)}`,
          () => text`${address}/ ${pathOf(address)}`,
        ),
      ),
    ),
    'overlaps with',
    ONE_PEER_EACH,
  );

/** Every peer has networks of its own behind it. */
export const routedOverlapChecks = (peers: Peers): Each<unknown> =>
  overlapChecks(
    each(peers, (_name, peer) => each(peer.routedNetworks, entryOf)),
    'overlaps with',
    ONE_PEER_EACH,
  );

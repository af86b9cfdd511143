import type { Construct } from 'constructs';
import type { Naming } from '../kubernetes/metadata';
import { isV6 } from '../kubernetes/networks';
import {
  each,
  endpointHost,
  endpointPort,
  ForEach,
  lower,
  matches,
  or,
  orElse,
  prefixLength,
  Resource,
  spread,
  text,
  when,
  whenSet,
} from '../staged';
import { KILO_API } from './peer-definition';
import type { KiloValues } from './pod';

/** The Peer objects: each has the name of its peer, by which `kgctl` knows it, and belongs to the whole cluster. */
export function peerObjects(scope: Construct, v: KiloValues, naming: Naming): void {
  new ForEach(scope, 'Peers', v.peers, (inner, peer, name) => {
    new Resource(inner, 'Peer', {
      apiVersion: KILO_API,
      kind: 'Peer',
      metadata: { ...naming.clusterMetadata(), name },
      spec: {
        allowedIPs: [
          each(peer.addresses, (address) => text`${address}/${prefixLength(address)}`),
          spread(peer.routedNetworks),
        ],
        publicKey: peer.publicKey,
        presharedKey: peer.presharedKey.value,
        persistentKeepalive: orElse(peer.persistentKeepaliveSeconds, v.client.persistentKeepaliveSeconds),
        endpoint: whenSet(peer.endpoint, (endpoint) => {
          const host = endpointHost(endpoint);
          return {
            dnsOrIP: when(
              // No name of a host is of digits alone (HOST_NAME_PATTERN).
              or(isV6(host), matches(/^[0-9.]+$/, host)),
              () => ({ ip: host }),
              // Kilo takes a DNS subdomain (RFC 1123), in lower case.
              () => ({ dns: lower(host) }),
            ),
            port: endpointPort(endpoint),
          };
        }),
      },
    });
  });
}

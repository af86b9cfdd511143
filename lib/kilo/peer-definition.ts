import type { KubernetesObject } from '../staged';

/** The group and version of Kilo's objects. */
export const KILO_API = 'kilo.squat.ai/v1alpha1';

/**
 * The definition of Peer objects, as Kilo 0.7.0 reads them (Kilo, pkg/k8s/apis/kilo/v1alpha1): of the whole cluster, and without status.
 */
export const PEER_DEFINITION: KubernetesObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'peers.kilo.squat.ai' },
  spec: {
    group: 'kilo.squat.ai',
    names: { kind: 'Peer', listKind: 'PeerList', plural: 'peers', singular: 'peer' },
    scope: 'Cluster',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            description: 'A peer of the WireGuard network that is outside of the cluster.',
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              spec: {
                type: 'object',
                required: ['allowedIPs', 'publicKey'],
                properties: {
                  allowedIPs: {
                    description: 'Addresses and networks of the peer, each with a prefix length.',
                    type: 'array',
                    items: { type: 'string' },
                  },
                  endpoint: {
                    description: 'Where the peer is reached first.',
                    type: 'object',
                    required: ['dnsOrIP', 'port'],
                    properties: {
                      dnsOrIP: {
                        description: 'A host name or an IP address; the address wins.',
                        type: 'object',
                        properties: { dns: { type: 'string' }, ip: { type: 'string' } },
                      },
                      port: { description: 'A UDP port.', type: 'integer', format: 'int32' },
                    },
                  },
                  persistentKeepalive: {
                    description: 'Seconds between the keepalives of the peer; 0 or absent: none.',
                    type: 'integer',
                  },
                  presharedKey: { description: 'The pre-shared key of the peer, in base64.', type: 'string' },
                  publicKey: { description: 'The public key of the peer, in base64.', type: 'string' },
                },
              },
            },
          },
        },
      },
    ],
  },
};

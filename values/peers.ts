import { z } from 'zod';
import { LABEL_KEY_PATTERN, QUALIFIED_NAME_MAX_LENGTH } from '../lib/net/name';
import { annotations } from './kubernetes';
import { address, cidr, dnsLabel, name, port, serviceName } from './net';

/*
 * Peers of a VPN server, which is a pod or a mesh of nodes.
 */

const servicePort = z.strictObject({
  port: port.describe('Port of the Service').meta({ example: 80 }),
  targetPort: port.optional().describe('Port at the peer; absent: that of the Service').meta({ example: 8080 }),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).optional().describe('Protocol; absent: TCP'),
  appProtocol: z
    .string()
    .regex(LABEL_KEY_PATTERN)
    .max(QUALIFIED_NAME_MAX_LENGTH)
    .optional()
    .describe('Protocol above it, as `ports[].appProtocol` of a Service has it')
    .meta({ noun: 'the name of an application protocol', example: 'http' }),
});

/** Services of the cluster for what a peer serves: Kubernetes finds no pod for them, so each has its own EndpointSlices. */
export const peerServices = z.record(
  serviceName.meta({ example: 'printer' }),
  z.strictObject({
    namespace: dnsLabel
      .optional()
      .describe('Namespace of the Service, which must exist; absent: that of the release')
      .meta({ example: 'shop' }),
    addresses: z
      .array(address)
      .min(1)
      .optional()
      .describe('Addresses of the peer, or of hosts in its `routedNetworks`, that serve; absent: those of the peer')
      .meta({ example: ['192.168.10.5'] }),
    ports: z.record(name.meta({ example: 'http' }), servicePort).describe('Ports by name'),
    annotations: annotations
      .optional()
      .describe('Annotations of the Service')
      .meta({ example: { 'example.com/owner': 'print team' } }),
  }),
);

/** The addresses of a peer. */
export const peerAddresses = z
  .array(address)
  .min(1)
  .describe('Addresses of the peer inside the VPN')
  .meta({ example: ['10.13.13.2'] });

/** The networks behind a peer. */
export const routedNetworks = z
  .array(cidr)
  .optional()
  .describe('Networks behind the peer (site to site)')
  .meta({ example: ['192.168.10.0/24'] });

/** The seconds between two keepalives (wg(8), PersistentKeepalive). */
export const keepaliveSeconds = z.int().min(0).max(65535);

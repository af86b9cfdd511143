import { z } from 'zod';
import { global, naming } from './kubernetes';
import { address, addressInNetwork, interfaceName, shortName } from './net';
import { bgp, cluster, frr, routes } from './routes';

/**
 * The values of a route reflector alone, in a pod whose tunnels are made elsewhere.
 */
export const bgpReflectorValues = z.strictObject({
  global,
  ...naming,
  cluster,
  gateway: shortName
    .describe('Name of the gateway: its address in the overlay follows from it, and agents find it by it')
    .meta({ example: 'a' }),
  tunnels: z
    .record(
      shortName.meta({ example: 'office' }),
      z.strictObject({
        interface: interfaceName.describe('Interface of the tunnel in the pod, which no other tunnel has'),
        inside: z
          .strictObject({
            local: addressInNetwork.describe('Our address inside the tunnel, with its prefix length'),
            remote: address.describe('Address of the remote end inside the tunnel').meta({ example: '169.254.100.1' }),
          })
          .describe('Addresses inside the tunnel'),
        outerAddresses: z
          .array(address)
          .default([])
          .describe('Addresses of the remote end outside of the tunnel, which no import may hold')
          .meta({ example: ['198.51.100.7'] }),
        bgp: bgp.describe('The BGP session inside the tunnel'),
      }),
    )
    .default({})
    .describe('Tunnels by name'),
  routes,
  frr,
});

import type { z } from 'zod';
import type { peerServices } from '../../values/peers';
import { shortened } from './topology';

/** The Services for what a peer serves, by the values of one or of several peers: a line for each. */
export function servicesOf(
  peers: readonly { readonly services?: z.output<typeof peerServices> | undefined }[],
): string[] {
  return shortened(
    peers.flatMap(({ services = {} }) =>
      Object.entries(services).map(([name, { namespace, ports }]) => {
        const lines = Object.values(ports).map(
          ({ port, targetPort = port, protocol = 'TCP' }) =>
            `${protocol} ${String(port)}${targetPort === port ? '' : ` → ${String(targetPort)}`}`,
        );
        return `${name}${namespace === undefined ? '' : `.${namespace}`}: ${shortened(lines, 3).join(', ')}`;
      }),
    ),
  );
}

import { conf, each, eq, join, named, when, type Expr } from '../staged';
import { imageReference } from '../kubernetes/image';
import { resourcesOf, UNPRIVILEGED } from '../kubernetes/pod';
import type { WireGuardValues } from './config';

/** Whether a CoreDNS in the pod resolves names for the clients. */
export const servesDns = (v: WireGuardValues): Expr<boolean> => eq(v.dns.mode, 'coredns');

/**
 * The configuration of CoreDNS (its manual, Corefile): the pod's own resolver, which knows the cluster's names, and the
 * servers of extra zones. It reads the file again when it changes.
 */
export function corefile(v: WireGuardValues): Expr<string> {
  const { dns } = v;
  return named(
    'corefile',
    {},
    () => conf`
    # The names of the cluster and, by its servers, those of the world.
    .:${dns.port} {
        errors
        reload 10s 5s
        cache 30
        forward . /etc/resolv.conf
    }
    ${each(
      dns.zones,
      (zone, { servers }) => conf`
      ${zone}:${dns.port} {
          errors
          cache 30
          forward . ${join(' ', servers)}
      }
    `,
    )}
  `,
  )();
}

/**
 * The container that answers the clients. They reach its port by the packet filter, which turns port 53 to it: a program
 * that is not root and may not gain privileges cannot take that port itself.
 */
export function dnsContainer(v: WireGuardValues) {
  const { dns, global } = v;
  return when(servesDns(v), () => ({
    name: 'dns',
    image: imageReference('dnsImage', dns.image, global.imageRegistry),
    imagePullPolicy: dns.image.pullPolicy,
    args: ['-conf', '/etc/coredns/Corefile'],
    ports: [
      { name: 'dns', containerPort: dns.port, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: dns.port, protocol: 'TCP' },
    ],
    // No readiness probe: without names the tunnels are still good.
    livenessProbe: { tcpSocket: { port: 'dns-tcp' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    // The program has this capability as a file: without it the kernel does not start it.
    securityContext: { ...UNPRIVILEGED, capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } },
    resources: resourcesOf(dns.resources),
    volumeMounts: [{ name: 'dns', mountPath: '/etc/coredns', readOnly: true }],
  }));
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { choose, eq, when, type Expr } from '../staged';
import { resourcesOf } from './pod';

/** The script that turns on forwarding: a file beside this one. */
export const FORWARDING_SCRIPT = readFileSync(join(__dirname, 'forwarding.sh'), 'utf8');

interface Forwarding {
  readonly method: Expr<'init' | 'sysctl' | 'assume'>;
  /** Whether packets of IPv6 are passed on as well. */
  readonly ipv6: Expr<boolean>;
}

/** The sysctls that the kubelet is to set in the pod. */
export function forwardingSysctls({ method, ipv6 }: Forwarding) {
  return when(eq(method, 'sysctl'), () => [
    { name: 'net.ipv4.ip_forward', value: '1' },
    when(ipv6, () => ({ name: 'net.ipv6.conf.all.forwarding', value: '1' })),
  ]);
}

/** The init container that turns on forwarding; the volume `scripts` holds its script. */
export function forwardingContainer(
  { method, ipv6 }: Forwarding,
  container: {
    readonly image: Expr<string>;
    readonly pullPolicy: Expr<string>;
    readonly resources: Parameters<typeof resourcesOf>[0];
  },
) {
  return when(eq(method, 'init'), () => ({
    name: 'ip-forwarding',
    image: container.image,
    imagePullPolicy: container.pullPolicy,
    command: ['/bin/sh', '/scripts/forwarding.sh'],
    env: [
      { name: 'FORWARD_IPV4', value: 'true' },
      { name: 'FORWARD_IPV6', value: choose(ipv6, 'true', 'false') },
    ],
    // The only privileged container: /proc/sys is read-only for every other one. It ends before the others start.
    securityContext: {
      privileged: true,
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
    resources: resourcesOf(container.resources),
    volumeMounts: [{ name: 'scripts', mountPath: '/scripts', readOnly: true }],
  }));
}

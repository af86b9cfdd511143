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
  /** Whether packets pass from one interface to another that is not on their way back, by routes of several tables. */
  readonly byTables?: Expr<boolean>;
}

/**
 * What routes of several tables need: a reverse path that the main table does not know, no advice of a shorter way, flows over several
 * next hops by their ports, and errors from the address on which the packet came in (ip-sysctl of the kernel).
 */
const TABLE_SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
  'net.ipv4.conf.all.send_redirects': '0',
  'net.ipv4.conf.default.send_redirects': '0',
  'net.ipv4.conf.all.accept_redirects': '0',
  'net.ipv4.fib_multipath_hash_policy': '1',
  'net.ipv4.icmp_errors_use_inbound_ifaddr': '1',
};

/** The sysctls that the kubelet is to set in the pod. */
export function forwardingSysctls({ method, ipv6, byTables }: Forwarding) {
  return when(eq(method, 'sysctl'), () => [
    { name: 'net.ipv4.ip_forward', value: '1' },
    when(ipv6, () => ({ name: 'net.ipv6.conf.all.forwarding', value: '1' })),
    ...(byTables === undefined
      ? []
      : [when(byTables, () => Object.entries(TABLE_SYSCTLS).map(([name, value]) => ({ name, value })))]),
  ]);
}

/** The init container that turns on forwarding; the volume `scripts` holds its script. */
export function forwardingContainer(
  { method, ipv6, byTables }: Forwarding,
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
      ...(byTables === undefined
        ? []
        : [
            when(byTables, () => ({
              name: 'SETTINGS',
              value: Object.entries(TABLE_SYSCTLS)
                .map(([name, value]) => `${name}=${value}`)
                .join(' '),
            })),
          ]),
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

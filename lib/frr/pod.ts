import { resourcesOf, rootWith } from '../kubernetes/pod';
import type { Expr } from '../staged';

/** What bgpd, zebra and bfdd want before they start (FRR, lib/privs.c), and what it takes to start them as another user and to end them. */
const CAPABILITIES = [
  ...['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW', 'SYS_ADMIN'],
  ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETGID', 'SETUID'],
];

/** Where the daemons have their sockets and configuration. */
const RUN_MOUNT = { name: 'frr-run', mountPath: '/var/run/frr' };
const TEMPORARY_MOUNT = { name: 'frr-tmp', mountPath: '/var/tmp/frr' };

interface Container<M> {
  readonly image: Expr<string>;
  readonly pullPolicy: Expr<string>;
  readonly resources: Parameters<typeof resourcesOf>[0];
  readonly command: readonly string[];
  readonly mounts: M;
}

/** The container `frr`: a program of ours, which starts the daemons and tells them what they have to know. */
export function frrContainer<M extends readonly unknown[]>({
  image,
  pullPolicy,
  resources,
  command,
  mounts,
}: Container<M>) {
  return {
    name: 'frr',
    image,
    imagePullPolicy: pullPolicy,
    command,
    securityContext: rootWith(CAPABILITIES),
    resources: resourcesOf(resources),
    volumeMounts: [RUN_MOUNT, TEMPORARY_MOUNT, ...mounts] as [typeof RUN_MOUNT, typeof TEMPORARY_MOUNT, ...M],
  };
}

/** The volumes of the container, beside those of its mounts. */
export const FRR_VOLUMES = ['frr-run', 'frr-tmp'].map((name) => ({
  name,
  emptyDir: { medium: 'Memory', sizeLimit: '32Mi' },
}));

/** What reflector.py is told of its pod. */
export const REFLECTOR_ENVIRONMENT = [{ name: 'NODE_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } }];

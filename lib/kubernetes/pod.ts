import { createHash } from 'node:crypto';
import { spread, type Expr, type Json, type Ref } from '../staged';
import type { z } from 'zod';
import type { pod } from '../../values/kubernetes';

type PodValues = { readonly [K in keyof typeof pod]: Ref<z.output<(typeof pod)[K]>> };

/** What the values of every workload say about its pod: who schedules it, where, and how it resolves names. */
export function podSpec(
  values: PodValues & { readonly podSecurityContext: Expr<Record<string, Json> | object> },
  globalPullSecrets: Expr<readonly { name: string }[]>,
) {
  return {
    imagePullSecrets: [spread(globalPullSecrets), spread(values.imagePullSecrets)],
    nodeSelector: values.nodeSelector,
    // Before those of the user: of the tolerations of a taint the first decides, and a toleration of everything has no end.
    tolerations: [
      ...['not-ready', 'unreachable'].map((taint) => ({
        key: `node.kubernetes.io/${taint}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: values.lostNodeSeconds,
      })),
      spread(values.tolerations),
    ],
    affinity: values.affinity,
    topologySpreadConstraints: values.topologySpreadConstraints,
    priorityClassName: values.priorityClassName,
    runtimeClassName: values.runtimeClassName,
    schedulerName: values.schedulerName,
    terminationGracePeriodSeconds: values.terminationGracePeriodSeconds,
    dnsPolicy: values.dnsPolicy,
    dnsConfig: values.dnsConfig,
    hostAliases: values.hostAliases,
  };
}

/** The resources of a container. */
export function resourcesOf(resources: {
  readonly requests: Expr<Record<string, Json>>;
  readonly limits: Expr<Record<string, Json>>;
}) {
  return { requests: resources.requests, limits: resources.limits };
}

/** The timing of a probe. */
export function probeTiming(probe: {
  readonly periodSeconds: Expr<number>;
  readonly timeoutSeconds: Expr<number>;
  readonly failureThreshold: Expr<number>;
}) {
  return {
    periodSeconds: probe.periodSeconds,
    timeoutSeconds: probe.timeoutSeconds,
    failureThreshold: probe.failureThreshold,
  };
}

/** Of a startup probe: a slow node takes a while to start Python, and until then a program does not hear the signal that ends it. */
export const STARTUP_TIMING = { periodSeconds: 5, failureThreshold: 36 } as const;

/** The security context of a container that needs nothing. */
export const UNPRIVILEGED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsGroup: 65534,
  runAsNonRoot: true,
  runAsUser: 65534,
} as const;

/** Root, with these capabilities only. */
export function rootWith(capabilities: readonly string[]) {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { ...(capabilities.length > 0 && { add: capabilities }), drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsGroup: 0,
    runAsNonRoot: false,
    runAsUser: 0,
  };
}

/** A text that changes with any of the files, and with which pods are made anew. */
export function checksum(files: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const [name, content] of Object.entries(files)) hash.update(`${name}\n${content}`);
  return hash.digest('hex');
}

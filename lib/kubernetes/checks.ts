import {
  addressOf,
  and,
  bytes,
  check,
  each,
  eq,
  gt,
  hasKey,
  matches,
  networkBits,
  not,
  overlaps,
  ownerOf,
  text,
  trimPrefix,
  whenSet,
  type Each,
  type Expr,
  type Ref,
  type When,
} from '../staged';
import type { z } from 'zod';
import type { ipForwarding } from '../../values/kubernetes';
import type { metrics } from '../../values/metrics';

/*
 * Rules that the values of several workloads have to keep.
 */

export type Rules = (Each<unknown> | When<unknown>)[];

/** The smallest MTU of an IPv6 link (RFC 8200, 5). */
export const IPV6_MIN_MTU_BYTES = 1280;

/** The name of the objects must be one that a Service can have, and leave room for what is appended to it. */
export function nameChecks(fullname: Expr<string>, at: Expr<string | undefined>, longest: number): Rules {
  return [
    check({
      failsIf: gt(bytes(fullname), longest),
      at,
      problem: text`the name of the objects would be longer than ${longest} characters`,
      got: fullname,
      remedy: 'set a shorter fullnameOverride',
    }),
    check({
      failsIf: not(matches(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, fullname)),
      at,
      problem: 'the objects would have a name that no Service can have (RFC 1035)',
      got: fullname,
      remedy: 'set fullnameOverride to lower-case letters, digits and hyphens, a letter first',
    }),
  ];
}

/** A network is written without host bits, so that nobody wonders which address is meant. */
export function hostPartCheck(network: Expr<string>): When<unknown> {
  return check({
    failsIf: not(matches(/^0*$/, trimPrefix(networkBits(network), networkBits(addressOf(network))))),
    at: network,
    problem: 'is an address inside a network, not the network',
    got: network,
    remedy: 'set the bits behind the prefix length to zero',
  });
}

/** The kubelet is told of sysctls in one place only. */
export function forwardingCheck(v: {
  readonly ipForwarding: Ref<z.output<typeof ipForwarding>>;
  readonly podSecurityContext: Expr<object>;
}): When<unknown> {
  return check({
    failsIf: and(eq(v.ipForwarding.method, 'sysctl'), hasKey(v.podSecurityContext, 'sysctls')),
    at: v.ipForwarding.method,
    problem: 'is lost, because podSecurityContext has sysctls of its own',
    got: v.ipForwarding.method,
    remedy: 'add net.ipv4.ip_forward to them and use assume, or use init',
  });
}

type Monitor = Ref<z.output<typeof metrics>['serviceMonitor']>;

/** Of the two objects that say how metrics are read, one is enough. */
export function oneMonitorCheck({
  serviceMonitor,
  podMonitor,
}: {
  readonly serviceMonitor: Monitor;
  readonly podMonitor: Monitor;
}): When<unknown> {
  return check({
    failsIf: and(serviceMonitor.enabled, podMonitor.enabled),
    at: podMonitor.enabled,
    problem: 'is true, and so is metrics.serviceMonitor.enabled',
    remedy: 'keep one of them, or everything is read twice',
  });
}

/** A reading ends before the next one begins. */
export function scrapeTimeoutCheck(monitor: Monitor): When<unknown> {
  return whenSet(monitor.intervalSeconds, (interval) =>
    whenSet(monitor.scrapeTimeoutSeconds, (timeout) =>
      check({
        failsIf: gt(timeout, interval),
        at: timeout,
        problem: text`is longer than the ${interval} seconds between two readings`,
        got: timeout,
        remedy: 'use the same or less',
      }),
    ),
  );
}

/** One message for every two that overlap; `also` says which two may not. */
export function overlapChecks(
  entries: Each<unknown> | readonly Each<unknown>[],
  problem: string,
  remedy: string,
  also: (pair: { first: Expr<string>; second: Expr<string> }) => Expr<boolean> | boolean = () => true,
): Each<unknown> {
  return each(overlaps(...[entries].flat()), (pair) => {
    const [first, second] = [ownerOf(pair, 'first'), ownerOf(pair, 'second')];
    return check({ failsIf: also({ first, second }), at: second, problem: text`${problem} ${first}`, remedy });
  });
}

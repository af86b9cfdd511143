import { conf, count, each, eq, isEmpty, named, not, release, when, type Expr } from '../staged';
import { detectionText } from './detection';
import { exposureOf, usesFabric, type IpsecValues } from './tunnel';

/** What `helm install` shows at its end: how to see that the tunnels are up, and what the remote ends need. */
export function ipsecNotes(v: IpsecValues, fullname: Expr<string>): Expr<string> {
  return named(
    'notes',
    {},
    () => conf`
    IPsec gateways ${fullname} in namespace ${release.namespace}. Tunnels in the values: ${count(v.tunnels)}.
    ${when(
      isEmpty(v.gateways),
      () => conf`

      No gateway is configured yet: add one to gateways and a tunnel to tunnels, and run helm upgrade.
    `,
    )}
    ${each(
      v.gateways,
      (name, gateway) => conf`

      Gateway ${name}: what it says of its tunnels, and why one is not up:

        kubectl -n ${release.namespace} rollout status deployment/${fullname}-${name}
        kubectl -n ${release.namespace} exec deploy/${fullname}-${name} -c network -- curl -s http://127.0.0.1:${v.health.port}/status
      ${when(
        eq<string>(exposureOf(gateway), 'loadBalancer'),
        () => conf`

        The address by which the remote ends reach it:
          kubectl -n ${release.namespace} get service ${fullname}-${name} -o jsonpath='{.status.loadBalancer.ingress[0]}'
      `,
      )}
    `,
    )}
    ${when(
      usesFabric(v),
      () => conf`

      Agents lead the packets of all nodes: whether they do, and what one knows.

        kubectl -n ${release.namespace} rollout status daemonset/${fullname}-agents
        kubectl -n ${release.namespace} exec ds/${fullname}-agents -c filter -- curl -s http://127.0.0.1:${v.agent.healthPort}/status
    `,
    )}
    ${when(not(isEmpty(v.tunnels)), () => detectionText(v))}
    ${conf`

      Where Pod Security is enforced, the namespace needs the level privileged: charon and the container network have NET_ADMIN.

        kubectl label namespace ${release.namespace} pod-security.kubernetes.io/enforce=privileged
    `}
  `,
  )();
}

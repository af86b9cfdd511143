import { conf, count, each, eq, and, isEmpty, isSet, named, not, release, when, whenSet, type Expr } from '../staged';
import type { WireGuardValues } from './config';

/** What `helm install` shows at its end: how to see that the server works, and what a client needs. */
export function wireguardNotes(v: WireGuardValues, fullname: Expr<string>): Expr<string> {
  const { service } = v;
  return named('notes', {}, () => conf`
    WireGuard server ${fullname} in namespace ${release.namespace}, with ${count(v.peers)} peers.

    1. See that it is ready:

         kubectl -n ${release.namespace} rollout status deployment/${fullname}
         helm test ${release.name} -n ${release.namespace}

    2. Its public key, for the clients:

         kubectl -n ${release.namespace} exec deploy/${fullname} -c wireguard -- wg show ${v.interfaceName} public-key

    3. Where the clients find it (UDP):
    ${when(and(eq(service.type, 'LoadBalancer'), service.enabled), () => conf`

      the address of the load balancer, port ${service.port}:
        kubectl -n ${release.namespace} get service ${fullname} -o jsonpath='{.status.loadBalancer.ingress[0]}'
    `)}
    ${when(and(eq(service.type, 'NodePort'), service.enabled), () => conf`

      the address of any node, and the node port:
        kubectl -n ${release.namespace} get service ${fullname} -o jsonpath='{.spec.ports[0].nodePort}'
    `)}
    ${when(and(eq(service.type, 'ClusterIP'), service.enabled), () => conf`

      inside the cluster only: ${fullname}.${release.namespace}.svc, port ${service.port}
    `)}
    ${whenSet(v.hostPort, (hostPort) => conf`

      the address of the pod's node, port ${hostPort}:
        kubectl -n ${release.namespace} get pod -l app.kubernetes.io/instance=${release.name} -o jsonpath='{.items[0].status.hostIP}'
    `)}
    ${when(and(not(service.enabled), not(isSet(v.hostPort))), () => conf`

      nowhere yet: set service.enabled or hostPort
    `)}
    ${when(isEmpty(v.peers), () => conf`

      No peer is configured yet: add one to peers and run helm upgrade.
    `, () => conf`

      4. See who is connected:

           kubectl -n ${release.namespace} exec deploy/${fullname} -c wireguard -- wg show ${v.interfaceName} latest-handshakes
    `)}
    ${when(eq(v.ipForwarding.method, 'init'), () => conf`

      The init container ip-forwarding is privileged: the namespace needs the label
      pod-security.kubernetes.io/enforce=privileged where Pod Security is enforced.
    `)}
    ${each(v.peers, (name, peer) => when(isSet(peer.allow), () => conf`
      Peer ${name} may reach only what its rules allow.
    `))}
  `)();
}

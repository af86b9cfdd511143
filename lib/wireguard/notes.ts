import {
  and,
  conf,
  count,
  each,
  eq,
  isEmpty,
  isSet,
  named,
  not,
  or,
  orElse,
  release,
  some,
  text,
  when,
  whenSet,
  type Expr,
} from '../staged';
import { generatesKeys, isGenerated, type WireGuardValues } from './config';

/** What `helm install` shows at its end: how to see that the server works, and what a client needs. */
export function wireguardNotes(
  v: WireGuardValues,
  fullname: Expr<string>,
  privateKeySecret: Expr<string>,
): Expr<string> {
  const { service } = v;
  const exposedAs = (type: 'LoadBalancer' | 'NodePort' | 'ClusterIP') => and(eq(service.type, type), service.enabled);
  return named(
    'notes',
    {},
    () => conf`
    WireGuard server ${fullname} in namespace ${release.namespace}. Peers in the values: ${count(v.peers)}.
    ${when(
      not(or(isSet(v.privateKey.value), v.privateKey.generate)),
      () => conf`

      The pod waits for the Secret ${privateKeySecret}, which holds the server's private key. To make it:

        wg genkey | kubectl -n ${release.namespace} create secret generic ${privateKeySecret} --from-file=${v.privateKey.key}=/dev/stdin
    `,
    )}
    ${when(
      generatesKeys(v),
      () => conf`

      Keys that the pod makes are on the claim ${orElse(v.persistence.existingClaim, text`${fullname}-generated-keys`)}. Back it up: with the volume, the keys are gone.
    `,
    )}
    ${when(
      and(v.privateKey.generate, not(isSet(v.serverPublicKey))),
      () => conf`

      The pod makes the server's key. Pin it by setting serverPublicKey to what step 2 prints: then a lost volume stops the
      server and says so, instead of becoming another server that no client knows.
    `,
    )}
    ${conf`

      1. See that it is ready:

           kubectl -n ${release.namespace} rollout status deployment/${fullname}
           helm test ${release.name} -n ${release.namespace}

      2. Its public key, for the clients:

           kubectl -n ${release.namespace} exec deploy/${fullname} -c wireguard -- wg show ${v.interfaceName} public-key

      3. Where the clients find it, by UDP:
    `}
       ${when(
         exposedAs('LoadBalancer'),
         () => conf`

         The address of the load balancer, port ${service.port}:
           kubectl -n ${release.namespace} get service ${fullname} -o jsonpath='{.status.loadBalancer.ingress[0]}'
       `,
       )}
       ${when(
         exposedAs('NodePort'),
         () => conf`

         The address of any node, and the node port:
           kubectl -n ${release.namespace} get service ${fullname} -o jsonpath='{.spec.ports[0].nodePort}'
       `,
       )}
       ${when(
         exposedAs('ClusterIP'),
         () => conf`

         Inside the cluster only: ${fullname}.${release.namespace}.svc, port ${service.port}
       `,
       )}
       ${whenSet(
         v.hostPort,
         (hostPort) => conf`

         The address of the pod's node, port ${hostPort}:
           kubectl -n ${release.namespace} get pod -l app.kubernetes.io/instance=${release.name} -o jsonpath='{.items[0].status.hostIP}'
       `,
       )}
       ${when(
         and(not(service.enabled), not(isSet(v.hostPort))),
         () => conf`

         Nowhere yet: set service.enabled or hostPort.
       `,
       )}
    ${when(
      isEmpty(v.peers),
      () => conf`

        4. No peer is configured yet: add one to peers, and run helm upgrade.
      `,
      () => conf`

        4. Who is connected:

             kubectl -n ${release.namespace} exec deploy/${fullname} -c wireguard -- wg show ${v.interfaceName} latest-handshakes
      `,
    )}
    ${when(
      some(v.peers, (peer) => isGenerated(peer)),
      () => conf`

        5. The files of the clients whose keys the pod makes; with --qr behind it, the QR code for a phone:
             ${each(v.peers, (name, peer) =>
               when(
                 isGenerated(peer),
                 () => conf`

             kubectl -n ${release.namespace} exec deploy/${fullname} -c wireguard -- sh /scripts/showconf.sh ${name}
        `,
               ),
             )}
           ${when(
             not(isSet(v.endpoint)),
             () => conf`

           Until endpoint is set, add --endpoint HOST:PORT with the address of step 3.
        `,
           )}
      `,
    )}
    ${each(v.peers, (name, peer) =>
      when(
        isSet(peer.allow),
        () => conf`

      Peer ${name} may reach only what its rules allow.
    `,
      ),
    )}
    ${conf`

      Where Pod Security is enforced, the namespace needs the level privileged: the container wireguard has NET_ADMIN, for the
      interface, its routes and its packet filter.
    `}
      ${when(
        eq(v.ipForwarding.method, 'init'),
        () => conf`The init container ip-forwarding is privileged, because /proc/sys is read-only for any other.`,
      )}
      ${when(isSet(v.hostPort), () => conf`The pod has a host port.`)}
      ${when(
        isSet(v.userspace.image.repository),
        () => conf`The container userspace has NET_ADMIN and the node's /dev/net/tun.`,
      )}
      ${conf`

        kubectl label namespace ${release.namespace} pod-security.kubernetes.io/enforce=privileged
    `}
  `,
  )();
}

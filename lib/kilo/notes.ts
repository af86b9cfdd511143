import { conf, count, each, isEmpty, named, not, orElse, release, when, type Expr } from '../staged';
import { isPlugin, type KiloValues } from './pod';

/** What `helm install` shows at its end: how to see that the mesh works, what a client needs, and what stays on nodes and in the cluster. */
export function kiloNotes(v: KiloValues, fullname: Expr<string>): Expr<string> {
  return named(
    'notes',
    {},
    () => conf`
    Kilo ${fullname} in namespace ${release.namespace}. Peers in the values: ${count(v.peers)}.
    ${when(
      isPlugin(v),
      () => conf`

      It is the network plugin of the nodes: pods start where its agent runs.
    `,
      () => conf`

      It works beside the network plugin ${v.cni.plugin}: pods are reached at the addresses of the pod network that the Node object of their
      node has.
    `,
    )}
    ${conf`

      1. See that it is ready, and that the agents see each other:

           kubectl -n ${release.namespace} rollout status daemonset/${fullname}
           helm test ${release.name} -n ${release.namespace}

      2. Which nodes are in the mesh, where they are reached, by UDP, and which lead:

           kubectl get nodes -o custom-columns='NAME:.metadata.name,ENDPOINT:.metadata.annotations.kilo\\.squat\\.ai/endpoint,ADDRESS:.metadata.annotations.kilo\\.squat\\.ai/wireguard-ip'

         A node that others do not reach at that endpoint is told the right one: kubectl annotate node NODE kilo.squat.ai/force-endpoint=HOST:${v.listenPort}
    `}
    ${when(
      isEmpty(v.peers),
      () => conf`

        3. No peer is configured yet: add one to peers, and run helm upgrade.
      `,
      () => conf`

        3. What the file of a peer has to say of the mesh:
             ${each(
               v.peers,
               (name) => conf`

             kgctl showconf peer ${name}
        `,
             )}
      `,
    )}
    ${each(v.peers, (name, peer) =>
      each(
        peer.services,
        (service, value) => conf`

      What peer ${name} serves is reached in the cluster at ${service}.${orElse(value.namespace, release.namespace)}.svc.
    `,
      ),
    )}
    ${conf`

      The pods are privileged, in the network of their nodes: where Pod Security is enforced, the namespace needs the level privileged.

        kubectl label namespace ${release.namespace} pod-security.kubernetes.io/enforce=privileged

      helm uninstall leaves the definition of Peer objects, with all of them that are not of this release, and on the nodes /var/lib/kilo with
      their private keys:

        kubectl delete customresourcedefinition peers.kilo.squat.ai
    `}
    ${when(
      not(v.cleanUp.interface),
      () => conf`

      It also leaves the interface ${v.interfaceName}; on each node:

        ip link delete ${v.interfaceName}
    `,
    )}
  `,
  )();
}

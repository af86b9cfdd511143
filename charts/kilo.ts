import { helmChart } from '../lib/helm/chart';
import { Kilo } from '../lib/kilo/kilo';
import { kiloValues } from '../values/kilo';
import { VERSION } from './version';

/** The chart of Kilo. */
export const kilo = helmChart({
  name: 'kilo',
  version: VERSION,
  appVersion: '0.7.0',
  description:
    'Kilo: a WireGuard mesh of the nodes, beside the network plugin or as it, with peers outside of the cluster and Services for what they serve',
  keywords: ['vpn', 'wireguard', 'kilo', 'mesh', 'networking'],
  icon: 'https://raw.githubusercontent.com/squat/kilo/main/kilo.svg',
  home: 'https://kilo.squat.ai/',
  introduction: `
## Install

\`\`\`sh
kubectl create namespace kilo
kubectl label namespace kilo pod-security.kubernetes.io/enforce=privileged
helm install kilo ./kilo -n kilo -f site.yaml
\`\`\`

\`\`\`yaml
# site.yaml
cluster:
  podCidrs: [10.244.0.0/16]
  serviceCidrs: [10.96.0.0/12]
cni:
  plugin: flannel # or cilium, other, kilo
peers:
  alice:
    publicKey: 2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=
    addresses: [10.5.0.1]
\`\`\`

One release per cluster: an agent on every node, annotations on the nodes, and Peer objects that have no namespace and the names of
\`peers\`. Helm refuses to take over a Peer that it did not make.

## Custom resources

\`crds/\` has the definition of Peer objects. Helm installs it once, and neither changes nor removes it: \`helm uninstall\` leaves it, and
with it all Peers that are not of the release.

## Pod Security

The namespace needs the level privileged: the agents are in the network of their nodes, privileged, since they make interfaces, routes and
the packet filter there, and have the node's \`/var/lib/kilo\`, \`/lib/modules\` and \`/run/xtables.lock\`. With \`cni.plugin: kilo\` they have
the folders of network plugins too.

The service account may list, watch and patch nodes, list and watch Peers, and read the definition of Peers: RBAC cannot say which node is
an agent's own.

## Metrics

Every agent gives out metrics at port 1107 of its node's address. \`metrics.podMonitor\` and \`metrics.prometheusRule\` are for the Prometheus
Operator.
`,
  values: kiloValues,
  build: (scope, v) => new Kilo(scope, 'Kilo', v),
  notes: (kilo) => kilo.notes,
  images: ({ image }) => ({ kilo: image }),
});

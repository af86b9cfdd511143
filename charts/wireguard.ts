import { helmChart } from '../lib/helm/chart';
import { WireGuardServer } from '../lib/wireguard/server';
import { wireguardValues } from '../values/wireguard';
import { VERSION } from './version';

/** The chart of a WireGuard server. */
export const wireguard = helmChart({
  name: 'wireguard',
  version: VERSION,
  appVersion: '1.0.20250521',
  description:
    'A WireGuard server: peers as values, applied in place, with access rules, probes that tell the truth, and no secrets in plain sight',
  keywords: ['vpn', 'wireguard', 'networking'],
  icon: 'https://www.wireguard.com/img/wireguard.svg',
  home: 'https://www.wireguard.com/',
  introduction: `
## Install

\`\`\`sh
kubectl create namespace vpn
kubectl label namespace vpn pod-security.kubernetes.io/enforce=privileged
wg genkey | kubectl create secret generic wireguard-server -n vpn --from-file=private-key=/dev/stdin
helm install home ./wireguard -n vpn -f site.yaml
\`\`\`

\`\`\`yaml
# site.yaml
privateKey:
  existingSecret: wireguard-server
peers:
  alice:
    publicKey: 2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=
    addresses: [10.13.13.2]
\`\`\`

A change of \`peers\` is applied in place; the other peers keep their sessions. What changes the pod itself (ports, images, MTU, the
server's addresses, a Secret with pre-shared keys that no peer named before) restarts it.
`,
  values: wireguardValues,
  build: (scope, v) => new WireGuardServer(scope, 'Wireguard', v),
  notes: (server) => server.notes,
  images: (server) => ({ wireguard: server.image, health: server.healthImage }),
});

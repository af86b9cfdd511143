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
helm install home ./wireguard -n vpn -f site.yaml
kubectl -n vpn exec deploy/home-wireguard -c wireguard -- sh /scripts/showconf.sh alice --qr
\`\`\`

\`\`\`yaml
# site.yaml
endpoint: vpn.example.com:51820 # where clients find the server
privateKey:
  generate: true
peers:
  alice:
    generate: true
    addresses: [10.13.13.2]
\`\`\`

The pod makes these keys at its first start and keeps them on the claim \`home-wireguard-generated-keys\`, which outlives the release;
the last command shows the phone its QR code. Set \`serverPublicKey\` to what \`wg show wg0 public-key\` prints in the pod: then a lost
volume stops the server, instead of making it another one that no client knows.

Or keys stay with their owners: a Secret holds the server's private key, and a peer gives its public key only.

\`\`\`sh
wg genkey | kubectl create secret generic wireguard-server -n vpn --from-file=private-key=/dev/stdin
\`\`\`

\`\`\`yaml
privateKey:
  existingSecret: wireguard-server
peers:
  alice:
    publicKey: 2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=
    addresses: [10.13.13.2]
\`\`\`

A change of \`peers\` is applied in place; the other peers keep their sessions. What changes the pod itself (ports, images, MTU, the
server's addresses, a Secret with pre-shared keys or peers that was not named before) restarts it.

## Pod Security

The namespace needs the level privileged:

- The container \`wireguard\` has \`NET_ADMIN\`, for the interface, its routes and its packet filter, all in the pod's own network.
- The init container \`ip-forwarding\` is privileged, because \`/proc/sys\` is read-only for any other. With
  \`ipForwarding.method: sysctl\` or \`assume\` there is none.
- \`dns\` (with \`dns.mode: coredns\`) has \`NET_BIND_SERVICE\`, without which the kernel does not start CoreDNS.
- \`userspace\` (with \`userspace.image\`) has \`NET_ADMIN\` and the node's \`/dev/net/tun\`.
- \`health\` has nothing.

## Metrics

With \`metrics.enabled\` the Service \`<full name>-health\` gives out metrics of the server and of each peer, by its name, at
\`/cgi-bin/metrics\`. \`metrics.serviceMonitor\`, \`metrics.podMonitor\` and \`metrics.prometheusRule\` are for the Prometheus Operator,
\`metrics.dashboard\` for Grafana: enable it in one release only, since it shows every server.
`,
  values: wireguardValues,
  build: (scope, v) => new WireGuardServer(scope, 'Wireguard', v),
  notes: (server) => server.notes,
  images: (server) => ({ wireguard: server.image, health: server.healthImage }),
});

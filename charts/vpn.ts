import { helmChart } from '../lib/helm/chart';
import { Checks, conf, named, release } from '../lib/staged';
import { umbrellaValues } from '../values/vpn';
import { ipsec } from './ipsec';
import { kilo } from './kilo';
import { VERSION } from './version';
import { vpnChecks } from './vpn-checks';
import { wireguard } from './wireguard';

/** The charts that the umbrella installs, each with the values below its name. */
const PARTS = { wireguard, ipsec, kilo };

/** The umbrella chart: all charts of this package in one release. */
export const vpn = helmChart({
  name: 'vpn',
  version: VERSION,
  description: 'VPN gateways in one release and from one values file: a WireGuard server, IPsec gateways, or both',
  keywords: ['vpn', 'wireguard', 'ipsec', 'networking'],
  icon: 'https://raw.githubusercontent.com/cncf/artwork/main/projects/kubernetes/icon/color/kubernetes-icon-color.svg',
  introduction: `
## Install

\`\`\`sh
kubectl create namespace vpn
kubectl label namespace vpn pod-security.kubernetes.io/enforce=privileged
wg genkey | kubectl create secret generic wireguard-server -n vpn --from-file=private-key=/dev/stdin
openssl rand -base64 33 | kubectl create secret generic onprem-psk -n vpn --from-file=psk=/dev/stdin
helm install vpn ./vpn -n vpn -f site.yaml
\`\`\`

\`\`\`yaml
# site.yaml
wireguard: # the values of the chart wireguard
  enabled: true
  privateKey:
    existingSecret: wireguard-server
  peers:
    alice:
      publicKey: 2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=
      addresses: [10.13.13.2]
ipsec: # the values of the chart ipsec
  enabled: true
  cluster:
    podCidrs: [10.244.0.0/16]
    serviceCidrs: [10.96.0.0/12]
  gateways:
    a:
      identity: 203.0.113.10 # the public address by which the gateway is reached
  tunnels:
    onprem:
      gateway: a
      remote:
        address: 198.51.100.7
        networks: [10.1.0.0/16]
      presharedKey:
        existingSecret: onprem-psk
\`\`\`

A chart is installed where its \`enabled\` is true. What its values mean, and what a change of them does, is in the documentation of
that chart; here they stand below its name. \`global\` is for all of them, and wins over \`<chart>.global\`.

Rules that values break are told by one chart at a time, with the whole path of each value.
`,
  values: umbrellaValues(PARTS),
  subcharts: Object.values(PARTS),
  build: (scope, v) => {
    new Checks(scope, 'Checks', vpnChecks(v, Object.keys(PARTS) as (keyof typeof PARTS)[]));
  },
  notes: () =>
    named(
      'notes',
      {},
      () => conf`
        Release ${release.name} in namespace ${release.namespace}. What follows is said by each chart of its own values: tunnels of ipsec is
        ipsec.tunnels here.
      `,
    )(),
});

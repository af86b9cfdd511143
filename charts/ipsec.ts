import { helmChart } from '../lib/helm/chart';
import { routeAgents } from '../lib/routes/agents';
import { Only } from '../lib/staged';
import { IpsecGateways } from '../lib/strongswan/gateways';
import { ipsecValues } from '../values/ipsec';
import { VERSION } from './version';

/** The chart of strongSwan gateways. */
export const ipsec = helmChart({
  name: 'ipsec',
  version: VERSION,
  appVersion: '6.0.0',
  description:
    'IPsec gateways with strongSwan: tunnels as values, applied in place, that come up, stay up, and say why when they do not',
  keywords: ['vpn', 'ipsec', 'ikev2', 'strongswan', 'networking'],
  icon: 'https://www.strongswan.org/images/strongswan.png',
  home: 'https://www.strongswan.org/',
  introduction: `
## Install

\`\`\`sh
kubectl create namespace vpn
kubectl label namespace vpn pod-security.kubernetes.io/enforce=privileged
openssl rand -base64 33 | kubectl create secret generic onprem-psk -n vpn --from-file=psk=/dev/stdin
helm install site ./ipsec -n vpn -f site.yaml
\`\`\`

\`\`\`yaml
# site.yaml
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
`,
  values: ipsecValues,
  build: (scope, v) => {
    const gateways = new IpsecGateways(scope, 'Ipsec', v);
    new Only(gateways, 'RouteAgents', gateways.hasAgents, (inner) => {
      routeAgents(inner, v, gateways.agents);
    });
    return gateways;
  },
  notes: (gateways) => gateways.notes,
  summary: (gateways) => gateways.detectionText,
  images: ({ images }) => ({
    charon: images.strongswan,
    control: images.control,
    network: images.network,
    frr: images.frr,
  }),
});

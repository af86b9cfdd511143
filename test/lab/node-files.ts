/** The files that make a machine a node of its cluster. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CLUSTER, podNetwork, podNetwork6, type Machine } from './settings';

/** A kubeconfig that holds its certificates, in JSON, which is YAML. */
export function kubeconfig(certificates: string, user: string, server: string): string {
  const data = (name: string): string => fs.readFileSync(path.join(certificates, name)).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': data('ca.crt') } }],
    users: [
      {
        name: 'lab',
        user: { 'client-certificate-data': data(`${user}.crt`), 'client-key-data': data(`${user}.key`) },
      },
    ],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
    'current-context': 'lab',
  });
}

/** The variables that node.sh reads. */
export function nodeSettings(machine: Machine, all: readonly Machine[]): Record<string, string> {
  const routes = all
    .filter(({ name }) => name !== machine.name)
    .flatMap((other) => [`${podNetwork(other)}=${other.address}`, `${podNetwork6(other)}=${other.address6}`]);
  return {
    GATEWAY: CLUSTER.gateway,
    GATEWAY6: CLUSTER.gateway6,
    PODS: CLUSTER.pods,
    PODS6: CLUSTER.pods6,
    OWN_PODS: podNetwork(machine),
    OWN_PODS6: podNetwork6(machine),
    POD_ROUTES: routes.join(' '),
  };
}

/** As kubeadm makes it, where it matters: above all, no sysctl is allowed that is not safe. */
export function kubeletConfiguration(): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/lab/conf/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: '/lab/conf/kubelet.crt',
    tlsPrivateKeyFile: '/lab/conf/kubelet.key',
    cgroupDriver: 'cgroupfs',
    clusterDNS: [CLUSTER.dns],
    clusterDomain: 'cluster.local',
    resolvConf: '/etc/resolv.conf',
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    // An emulated processor is slow.
    runtimeRequestTimeout: '4m',
  };
}

export function kubeProxyConfiguration(): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: '/lab/conf/kube-proxy.kubeconfig' },
    mode: 'iptables',
    clusterCIDR: `${CLUSTER.pods},${CLUSTER.pods6}`,
    conntrack: { maxPerCore: 0 },
  };
}

export function networkConfiguration(machine: Machine): unknown {
  return {
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podNetwork(machine) }], [{ subnet: podNetwork6(machine) }]],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

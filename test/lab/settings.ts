/** Names, versions and addresses of the laboratory. */
import * as path from 'node:path';
import { cacheFolder } from '../tools';

export const root = path.join(__dirname, '../..');

/** Where everything is that the laboratory makes; each run has the folder `run` in it. */
export const labFolder = (): string => path.join(cacheFolder(), 'lab');
export const runFolder = (): string => path.join(labFolder(), 'run');

/** What each machine gets, and what the control plane takes. */
export const MEMORY_MIB = { node: 1536, outside: 1024, controlPlane: 1024 };

/** Debian 13, of which nodes and images are made. */
export const NODE_PACKAGES = [
  ...['linux-image-cloud-amd64', 'containerd', 'crun', 'containernetworking-plugins', 'busybox-static'],
  ...['iptables', 'nftables', 'iproute2', 'conntrack', 'ethtool', 'kmod', 'procps', 'util-linux', 'mount'],
  ...[
    'openssh-server',
    'wireguard-tools',
    'curl',
    'iputils-ping',
    'tcpdump',
    'bind9-dnsutils',
    'iperf3',
    'socat',
    'jq',
  ],
  ...['python3-minimal'],
  // For routers outside of the cluster, and a host that chooses between two of them.
  ...['strongswan-charon', 'strongswan-swanctl', 'libstrongswan-extra-plugins', 'frr'],
];

/** The image that every pod has for its namespaces. */
export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10';
/** An image of the laboratory's own, with everything that a test may want in a pod. */
export const TOOLS_IMAGE = 'lab.example/tools:1';

export const CLUSTER = {
  nodes: '172.30.0.0/24',
  nodes6: 'fd00:30::/64',
  gateway: '172.30.0.1',
  gateway6: 'fd00:30::1',
  pods: '10.234.0.0/16',
  pods6: 'fd00:234::/48',
  services: '10.96.0.0/16',
  services6: 'fd00:96::/112',
  kubernetes: '10.96.0.1',
  dns: '10.96.0.10',
  apiPort: 6443,
} as const;

/** What lies outside: networks of the documentation ranges. */
export const OUTSIDE = {
  gateway: '203.0.113.1',
  gateway6: '2001:db8:113::1',
  /** A web server far away, on the machine outside. */
  world: '192.0.2.10',
  world6: '2001:db8:192::10',
  /** What a load balancer hands out. */
  loadBalancers: '198.51.100.0/24',
  loadBalancers6: '2001:db8:51::/64',
} as const;

export interface Machine {
  readonly name: string;
  readonly role: 'node' | 'outside';
  readonly address: string;
  readonly address6: string;
  /** The last byte of its addresses, and its number. */
  readonly number: number;
}

export const node = (number: number): Machine => ({
  name: `node${number}`,
  role: 'node',
  address: `172.30.0.${10 + number}`,
  address6: `fd00:30::${10 + number}`,
  number,
});

export const outside: Machine = {
  name: 'outside',
  role: 'outside',
  address: '203.0.113.10',
  address6: '2001:db8:113::10',
  number: 9,
};

export const podNetwork = ({ number }: Machine): string => `10.234.${number}.0/24`;
export const podNetwork6 = ({ number }: Machine): string => `fd00:234:0:${number}::/64`;

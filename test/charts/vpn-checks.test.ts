import { CHARTS } from '../../charts';
import { mergeLayers } from '../../lib/helm/merge';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError } from '../../lib/staged';

const BASE: JsonObject = {
  wireguard: { enabled: true, privateKey: { existingSecret: 'wireguard-server' } },
  ipsec: {
    enabled: true,
    cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
    gateways: { a: { exposure: 'nodePort', identity: '203.0.113.10' } },
    tunnels: {
      onprem: {
        gateway: 'a',
        remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
        presharedKey: { existingSecret: 'onprem-psk' },
      },
    },
  },
};

/** What is said of the values of two parts, over ones that are right. */
const problems = (wireguard: JsonObject = {}, ipsec: JsonObject = {}, name = 'vpn'): readonly string[] =>
  problemsOf(mergeLayers(BASE, { wireguard, ipsec }), name);

function problemsOf(values: JsonObject, name = 'vpn'): readonly string[] {
  try {
    CHARTS.vpn.objects({ values, release: { name } });
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}
const peer = (more: JsonObject): JsonObject => ({
  peers: { office: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.13.13.2'], ...more } },
});

test('values that have nothing in common are right', () => {
  expect(problems()).toEqual([]);
});

test('where no chart is wanted, nothing would be installed, and that is said', () => {
  expect(problems({ enabled: false }, { enabled: false })).toEqual([
    'wireguard.enabled: is false, as it is for every chart, so that nothing would be installed; set wireguard.enabled or ipsec.enabled or kilo.enabled to true',
  ]);
});

test('nothing is compared with a chart that is not wanted', () => {
  const clash = { fullnameOverride: 'site', nameOverride: 'gate' };
  expect(problems(clash, clash)).toHaveLength(2);
  expect(problems(clash, { ...clash, enabled: false })).toEqual([]);
  expect(problems({ ...clash, enabled: false }, clash)).toEqual([]);
});

describe('the names of objects', () => {
  test('are not those of another chart, whether they were given or follow from the release', () => {
    const sentence = (name: string) =>
      `ipsec.fullnameOverride: the objects would have the names of those of wireguard, got "${name}"; set it to another name`;
    expect(problems({}, {}, 'wireguard-ipsec')).toEqual([sentence('wireguard-ipsec')]);
    expect(problems({}, { fullnameOverride: 'vpn-wireguard' })).toEqual([sentence('vpn-wireguard')]);
    expect(problems({}, {}, 'ipsec')).toEqual([]);
    expect(problems({}, {}, 'wireguard')).toEqual([]);
  });

  test('are told apart also by their labels, by which pods are found', () => {
    expect(problems({ nameOverride: 'ipsec' })).toEqual([
      'ipsec.fullnameOverride: the objects would have the names of those of wireguard, got "vpn-ipsec"; set it to another name',
      'ipsec.nameOverride: is the name of wireguard too, so that each would take the other’s pods for its own, got "ipsec"; give each its own',
    ]);
    expect(problems({ nameOverride: 'gate' }, { nameOverride: 'gates' })).toEqual([]);
  });

  test('of a service account are given once, unless one chart only uses it', () => {
    const account = { serviceAccount: { name: 'vpn' } };
    expect(problems(account, account)).toEqual([
      'ipsec.serviceAccount.name: is the service account that wireguard makes, got "vpn"; set create to false for one of them',
    ]);
    expect(problems(account, { serviceAccount: { name: 'vpn', create: false } })).toEqual([]);
    expect(problems({ serviceAccount: { name: 'vpn-ipsec' } })).toHaveLength(1);
  });

  test.each(['', '-health', '-scripts'])('of a gateway are none of the server’s: %j', (suffix) => {
    const gateways = {
      gateways: { [`srv${suffix}`]: { exposure: 'nodePort', identity: '203.0.113.11' } },
      tunnels: {
        other: {
          gateway: `srv${suffix}`,
          remote: { address: '198.51.100.8', networks: ['10.2.0.0/16'] },
          presharedKey: { existingSecret: 'x' },
        },
      },
    };
    expect(problems({ fullnameOverride: 'vpn-ipsec-srv' }, gateways)).toEqual([
      `ipsec.gateways.srv${suffix}: gives its objects the name of one of wireguard, got "vpn-ipsec-srv${suffix}"; choose another name`,
    ]);
    expect(problems({ fullnameOverride: 'vpn-ipsec-srv2' }, gateways)).toEqual([]);
  });

  test.each(['scripts', 'gateways', 'frr', 'agents'])('of the server are none of the gateways’: %s', (own) => {
    expect(problems({ fullnameOverride: `vpn-ipsec-${own}` })).toEqual([
      `wireguard.fullnameOverride: is the name of an object of ipsec, got "vpn-ipsec-${own}"; set it to another name`,
    ]);
  });
});

describe('ports of the nodes', () => {
  const service = (port: number): JsonObject => ({ service: { type: 'NodePort', nodePort: port } });
  const gateway = (more: JsonObject): JsonObject => ({ gateways: { a: more } });

  test('belong to one Service', () => {
    const ports = { service: { ikeNodePort: 30500, natTNodePort: 30450 } };
    expect(problems(service(30500), gateway(ports))).toEqual([
      'ipsec.gateways.a.service.ikeNodePort: is the same port as wireguard.service.nodePort, got 30500; give every port of the nodes to one Service',
    ]);
    expect(problems(service(30450), gateway(ports))[0]).toContain('ipsec.gateways.a.service.natTNodePort: ');
    expect(problems(service(30501), gateway(ports))).toEqual([]);
    expect(problems({ service: { enabled: false, nodePort: 30500 }, hostPort: 51820 }, gateway(ports))).toEqual([]);
  });

  test.each([500, 4500])('are not those of gateways with host ports: %d', (hostPort) => {
    expect(problems({ hostPort }, gateway({ exposure: 'hostPort' }))).toEqual([
      `wireguard.hostPort: is a port that the gateways of ipsec have on their nodes, where the server could not be then, got ${String(hostPort)}; choose another one`,
    ]);
    expect(problems({ hostPort }, gateway({ exposure: 'nodePort' }))).toEqual([]);
    expect(problems({ hostPort: 501 }, gateway({ exposure: 'hostPort' }))).toEqual([]);
  });

  test.each([4790, 3784, 3785, 4784, 6784, 7784])('are not those of the agents: %d', (hostPort) => {
    const agents = { agent: { enabled: true } };
    expect(problems({ hostPort }, agents)).toEqual([
      `wireguard.hostPort: is a port that the agents of ipsec have on every node, got ${String(hostPort)}; choose another one`,
    ]);
    expect(problems({ hostPort })).toEqual([]);
    expect(problems({ hostPort: 4791 }, { ...agents, routes: { overlay: { port: 4791 } } })).toHaveLength(1);
  });
});

describe('the network of the clients', () => {
  const overlap = (value: string, other: string, at = 'network'): string =>
    `wireguard.${at}: overlaps with ipsec.${other}, which clients could then not reach, got "${value}"; choose a network that nothing else uses`;

  test.each([
    ['10.244.7.0/24', 'cluster.podCidrs[0]'],
    ['10.244.0.0/16', 'cluster.podCidrs[0]'],
    ['10.244.0.0/15', 'cluster.podCidrs[0]'],
    ['10.100.0.0/24', 'cluster.serviceCidrs[0]'],
    ['172.27.1.0/24', 'cluster.nodeCidrs[0]'],
    ['10.0.0.0/14', 'tunnels.onprem.remote.networks[0]'],
    ['10.1.0.0/16', 'tunnels.onprem.remote.networks[0]'],
  ])('is none of the others: %s', (network, other) => {
    expect(problems({ network })).toEqual([overlap(network, other)]);
  });

  test('may be a part of what is behind a tunnel while nobody else sees it', () => {
    expect(problems({ network: '10.1.7.0/24' })).toEqual([]);
    expect(problems({ network: '10.1.7.0/24', mode: 'routed' })).toEqual([
      overlap('10.1.7.0/24', 'tunnels.onprem.remote.networks[0]'),
    ]);
  });

  test('may be named among those of the cluster where clients keep their addresses, but may not hold one of them', () => {
    expect(problems({ mode: 'routed', network: '10.244.0.0/16' })).toEqual([]);
    expect(problems({ mode: 'routed', network: '10.244.7.0/24' })).toEqual([]);
    expect(problems({ mode: 'routed', network: '172.27.1.0/24' })).toEqual([]);
    expect(problems({ mode: 'routed', network: '10.244.0.0/15' })).toEqual([
      overlap('10.244.0.0/15', 'cluster.podCidrs[0]'),
    ]);
    expect(problems({ mode: 'routed', network: '10.96.0.0/16' })).toEqual([
      overlap('10.96.0.0/16', 'cluster.serviceCidrs[0]'),
    ]);
  });

  test('holds no import, and in mode routed none of the overlay', () => {
    const bgp = {
      routes: { mode: 'bgp', localAs: 65010, import: { vpc: { cidr: '10.64.0.0/12' } } },
      tunnels: {
        onprem: { inside: { local: '169.254.9.2/30', remote: '169.254.9.1' }, bgp: { peerAs: 64514 } },
      },
    };
    expect(problems({ network: '10.64.0.0/11' }, bgp)).toEqual([overlap('10.64.0.0/11', 'routes.import.vpc.cidr')]);
    expect(problems({ network: '198.18.7.0/24' }, bgp)).toEqual([]);
    expect(problems({ network: '198.18.7.0/24', mode: 'routed' }, bgp)).toEqual([
      overlap('198.18.7.0/24', 'routes.overlay.nodeNetwork'),
    ]);
    expect(problems({ network: '198.18.7.0/24', mode: 'routed' })).toEqual([]);
  });

  test('of IPv6 is judged in the same way', () => {
    const cluster = { cluster: { podCidrs: ['10.244.0.0/16', 'fd00:10:244::/56'] } };
    expect(problems({ network6: 'fd00:10:244:1::/64' }, cluster)).toEqual([
      overlap('fd00:10:244:1::/64', 'cluster.podCidrs[1]', 'network6'),
    ]);
    expect(problems({ network6: 'fd00:10:245::/64' }, cluster)).toEqual([]);
  });
});

describe('a network behind a peer', () => {
  test('is none of the cluster’s', () => {
    expect(problems(peer({ routedNetworks: ['192.168.10.0/24', '10.244.128.0/24'] }))).toEqual([
      'wireguard.peers.office.routedNetworks[1]: overlaps with ipsec.cluster.podCidrs[0]; a network behind a peer is none of the cluster: name that one',
    ]);
    expect(problems(peer({ routedNetworks: ['172.16.0.0/12'] }))).toEqual([
      'ipsec.cluster.nodeCidrs[0]: overlaps with wireguard.peers.office.routedNetworks[0]; a network behind a peer is none of the cluster: name that one',
    ]);
  });

  test('may be behind a tunnel too, for pods that are no clients', () => {
    expect(problems(peer({ routedNetworks: ['10.1.0.0/16'] }))).toEqual([]);
  });

  test('does not make pods and nodes that share a network wrong', () => {
    expect(problems({}, { cluster: { podCidrs: ['172.27.0.0/20'] } })).toEqual([]);
  });
});

describe('the mesh of Kilo', () => {
  const { cluster } = BASE['ipsec'] as JsonObject;
  const beside = (kilo: JsonObject, others: JsonObject = {}): readonly string[] =>
    problemsOf(mergeLayers({ ...BASE, kilo: { enabled: true, cluster: cluster! } }, { kilo, ...others }));
  const key = '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=';

  test('is there beside the others', () => {
    expect(beside({})).toEqual([]);
  });

  test('has a port of its own on the nodes', () => {
    expect(beside({}, { wireguard: { hostPort: 51820 } })).toEqual([
      'wireguard.hostPort: is the port that Kilo has on every node, got 51820; choose another one',
    ]);
    expect(beside({ listenPort: 4500 }, { ipsec: { gateways: { a: { exposure: 'hostPort' } } } })).toEqual([
      'kilo.listenPort: is a port that the gateways of ipsec have on their nodes, got 4500; choose another one',
    ]);
    expect(beside({ listenPort: 4500 })).toEqual([]);
    expect(beside({ listenPort: 3784 }, { ipsec: { agent: { enabled: true } } })).toEqual([
      'kilo.listenPort: is a port that the agents of ipsec have on every node, got 3784; choose another one',
    ]);
    expect(beside({ metrics: { port: 9812 } }, { ipsec: { agent: { enabled: true } } })).toEqual([
      'kilo.metrics.port: is the port of ipsec.agent.healthPort, and both are on every node, got 9812; choose another one',
    ]);
    expect(beside({ listenPort: 3784, metrics: { port: 9812 } })).toEqual([]);
  });

  test('leads to networks that no other part has', () => {
    const remedy = 'a node leads every network to one place: choose another one';
    expect(beside({ subnet: '10.1.4.0/24' })).toEqual([
      `kilo.subnet: overlaps with ipsec.tunnels.onprem.remote.networks[0]; ${remedy}`,
    ]);
    expect(beside({ peers: { bob: { publicKey: key, addresses: ['10.13.13.9'] } } })).toEqual([
      `kilo.peers.bob.addresses[0]: overlaps with wireguard.network; ${remedy}`,
    ]);
    const overlay = { subnet: '198.18.0.0/24' };
    expect(beside(overlay)).toEqual([]);
    expect(beside(overlay, { ipsec: { agent: { enabled: true } } })).toEqual([
      `kilo.subnet: overlaps with ipsec.routes.overlay.nodeNetwork; ${remedy}`,
    ]);
  });
});

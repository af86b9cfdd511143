/**
 * The tables marked "of Kilo" are the cases of Kilo's own tests (pkg/mesh/topology_test.go: setup, TestNewTopology, TestFindLeader,
 * TestDeduplicatePeerIPs, TestFilterAllowedIPs), which were read, not run; all others are constructed.
 */
import type { MeshNode } from '../../lib/kilo/mesh-node';
import { isPublicEndpoint, topologyOf, type MeshPeer, type Topology } from '../../lib/kilo/topology';

function node(name: string, more: Partial<MeshNode>): MeshNode {
  return {
    name,
    publicKey: `key of ${name}`,
    endpoint: '10.1.0.1:51820',
    podCidr: '10.2.1.0/24',
    location: '',
    leads: false,
    isBehindNat: false,
    locationNetworks: [],
    seenEndpoints: new Map(),
    ...more,
  };
}

const peer = (name: string, allowedIPs: readonly string[], more: Partial<MeshPeer> = {}): MeshPeer => ({
  name,
  publicKey: `key of peer ${name}`,
  allowedIPs,
  keepaliveSeconds: 0,
  ...more,
});

const A = node('a', {
  endpoint: '10.1.0.1:51820',
  internalAddress: '192.168.0.1',
  location: '1',
  podCidr: '10.2.1.0/24',
  isBehindNat: true,
});
const B = node('b', {
  endpoint: '10.1.0.2:51820',
  internalAddress: '192.168.0.1',
  location: '2',
  podCidr: '10.2.2.0/24',
  locationNetworks: ['192.168.178.3/32'],
});
const C = node('c', {
  endpoint: '10.1.0.3:51820',
  internalAddress: '192.168.0.2',
  location: '2',
  podCidr: '10.2.3.0/24',
});
const D = node('d', { endpoint: '10.1.0.4:51820', location: '1', podCidr: '10.2.4.0/24' });
const PEERS = [
  peer('a', ['10.5.0.1/24', '10.5.0.2/24']),
  peer('b', ['10.5.0.3/24'], { endpoint: '192.168.0.1:51820' }),
];

type Mesh = 'location' | 'full';

function topology(
  nodes: readonly MeshNode[],
  peers: readonly MeshPeer[] = [],
  meshGranularity: Mesh = 'location',
  subnet = '10.4.0.0/16',
): Topology {
  const found = topologyOf(nodes, peers, { meshGranularity, subnet });
  if (found === undefined) throw new Error('the subnet is too small');
  return found;
}

/** What each leader leads to, by its name. */
const networksOf = ({ leaders }: Topology): Record<string, readonly string[]> =>
  Object.fromEntries(leaders.map(({ name, allowedIPs }) => [name, allowedIPs]));

describe('leaders', () => {
  test('are those of the locations, of Kilo: a node without an address in its location is one of its own', () => {
    const { leaders } = topology([D, C, B, A], PEERS);
    expect(leaders).toEqual([
      {
        name: 'a',
        publicKey: 'key of a',
        endpoint: '10.1.0.1:51820',
        allowedIPs: ['10.2.1.0/24', '192.168.0.1/32', '10.4.0.1/32'],
      },
      {
        name: 'b',
        publicKey: 'key of b',
        endpoint: '10.1.0.2:51820',
        allowedIPs: [
          '10.2.2.0/24',
          '192.168.0.1/32',
          '10.2.3.0/24',
          '192.168.0.2/32',
          '10.4.0.2/32',
          '192.168.178.3/32',
        ],
      },
      {
        name: 'd',
        publicKey: 'key of d',
        endpoint: '10.1.0.4:51820',
        allowedIPs: ['10.2.4.0/24', '10.4.0.3/32'],
      },
    ]);
  });

  test('are all nodes of a full mesh, of Kilo', () => {
    expect(networksOf(topology([A, B, C, D], PEERS, 'full'))).toEqual({
      a: ['10.2.1.0/24', '192.168.0.1/32', '10.4.0.1/32'],
      b: ['10.2.2.0/24', '192.168.0.1/32', '10.4.0.2/32', '192.168.178.3/32'],
      c: ['10.2.3.0/24', '192.168.0.2/32', '10.4.0.3/32'],
      d: ['10.2.4.0/24', '10.4.0.4/32'],
    });
  });

  const [PRIVATE, PUBLIC] = ['10.0.0.1:51820', '8.8.8.8:51820'];
  const NODES = [
    node('a', { endpoint: PRIVATE }),
    node('b', { endpoint: PUBLIC }),
    node('c', { endpoint: PUBLIC }),
    node('d', { endpoint: PRIVATE, leads: true }),
    node('e', { endpoint: PUBLIC, leads: true }),
    node('f', { endpoint: 'vpn.example.com:51820' }),
  ].map((one, index) => ({ ...one, internalAddress: `192.168.0.${String(index + 1)}` }));

  test.each([
    ['one, of Kilo', 'a', 'a'],
    ['none that offers it, of Kilo', 'abc', 'b'],
    ['two that offer it, of Kilo', 'de', 'e'],
    ['public ones, of Kilo', 'bce', 'e'],
    ['private ones, of Kilo', 'ad', 'd'],
    ['all, of Kilo', 'abcde', 'e'],
    ['one that offers it and is private, and a public one', 'bd', 'd'],
    ['one with a host name, which nobody takes for public', 'fb', 'b'],
    ['two private ones', 'fa', 'a'],
  ])('among %s', (_title, names, leader) => {
    const nodes = NODES.filter(({ name }) => names.includes(name));
    expect(topology(nodes).leaders.map(({ name }) => name)).toEqual([leader]);
  });

  test('have addresses in the order of the bytes of their locations', () => {
    // In UTF-16 the last two would be the other way round.
    const locations = ['', 'Z', 'a', 'ab', 'é', '\uFF5E', '\u{1F600}'];
    const nodes = locations.map((location, index) =>
      node(`n${String(index)}`, { location, internalAddress: '192.168.0.1' }),
    );
    const found = topology([...nodes].reverse()).leaders.map(({ name, allowedIPs }) => [name, allowedIPs.at(-1)]);
    expect(found).toEqual(nodes.map(({ name }, index) => [name, `10.4.0.${String(index + 1)}/32`]));
  });

  test('go on to the next octet, and end with the subnet', () => {
    const nodes = Array.from({ length: 300 }, (_, index) => node(`n${String(index).padStart(3, '0')}`, {}));
    const addresses = topology(nodes).leaders.map(({ allowedIPs }) => allowedIPs.at(-1));
    expect([addresses[254], addresses[255], addresses[299]]).toEqual(['10.4.0.255/32', '10.4.1.0/32', '10.4.1.44/32']);
    const settings = { meshGranularity: 'full', subnet: '10.4.0.8/30' } as const;
    expect(topologyOf(nodes.slice(0, 3), [], settings)?.leaders.at(-1)?.allowedIPs.at(-1)).toBe('10.4.0.11/32');
    expect(topologyOf(nodes.slice(0, 4), [], settings)).toBeUndefined();
  });
});

describe('endpoints', () => {
  const seen = (key: string, at: string): Pick<MeshNode, 'seenEndpoints'> => ({ seenEndpoints: new Map([[key, at]]) });

  test('of nodes and peers behind a NAT are where others have seen them', () => {
    const nodes = [
      node('a', { isBehindNat: true }),
      node('b', seen('key of a', '198.51.100.1:4242')),
      node('c', seen('key of peer x', '198.51.100.2:4242')),
      node('d', seen('key of b', '198.51.100.3:4242')),
    ];
    const peers = [
      peer('x', ['10.5.0.1/32'], { keepaliveSeconds: 25 }),
      peer('y', ['10.5.0.2/32'], { keepaliveSeconds: 25, endpoint: 'y.example.com:51820' }),
      peer('z', ['10.5.0.3/32'], { publicKey: 'key of peer x' }),
    ];
    const found = topology(nodes, peers, 'full');
    expect(found.leaders.map(({ endpoint }) => endpoint)).toEqual([
      '198.51.100.1:4242',
      ...Array<string>(3).fill('10.1.0.1:51820'),
    ]);
    expect(found.peers.map(({ endpoint }) => endpoint)).toEqual([
      '198.51.100.2:4242',
      'y.example.com:51820',
      undefined,
    ]);
  });

  test('that several have seen are those of the first', () => {
    const nodes = [
      node('a', { isBehindNat: true }),
      node('c', seen('key of a', '198.51.100.3:1')),
      node('b', seen('key of a', '198.51.100.2:1')),
    ];
    expect(topology(nodes, [], 'full').leaders[0]?.endpoint).toBe('198.51.100.2:1');
  });

  test.each([
    ['8.8.8.8:51820', true],
    ['100.64.0.1:51820', true],
    ['10.255.255.255:1', false],
    ['11.0.0.0:1', true],
    ['172.15.255.255:1', true],
    ['172.16.0.0:1', false],
    ['172.31.255.255:1', false],
    ['172.32.0.0:1', true],
    ['192.168.255.255:1', false],
    ['192.169.0.0:1', true],
    ['[2001:db8::1]:1', true],
    ['[fd00:1::1]:1', false],
    ['[fd01::1]:1', true],
    ['vpn.example.com:1', false],
    ['10.example.com:1', false],
  ])('%s: public is %s', (endpoint, is) => {
    expect(isPublicEndpoint(endpoint)).toBe(is);
  });
});

describe('peers', () => {
  const NETWORKS: Readonly<Record<string, readonly string[]>> = {
    1: ['10.0.0.1/24', '10.0.0.2/24'],
    2: ['10.0.0.1/24', '10.0.0.3/24'],
    3: ['10.0.0.2/24', '10.0.0.3/24', '10.0.0.1/24'],
    4: ['10.0.0.3/24', '10.0.0.3/24'],
  };

  test.each([
    ['12', [['10.0.0.1/24', '10.0.0.2/24'], ['10.0.0.3/24']]],
    ['21', [['10.0.0.1/24', '10.0.0.3/24'], ['10.0.0.2/24']]],
    ['3214', [['10.0.0.2/24', '10.0.0.3/24', '10.0.0.1/24'], [], [], []]],
    ['41', [['10.0.0.3/24'], ['10.0.0.1/24', '10.0.0.2/24']]],
  ])('have each network once, of Kilo: %s', (order, left) => {
    // The order is that of the names.
    const peers = [...order].map((one, index) => peer(`p${String(index)}`, NETWORKS[one] ?? []));
    expect(topology([A], [...peers].reverse()).peers.map(({ allowedIPs }) => allowedIPs)).toEqual(left);
  });

  test('have an IPv6 network once, however it is written', () => {
    const peers = [peer('a', ['FD00:5:0::1/128']), peer('b', ['fd00:5::1/128', 'fd00:5::2/128'])];
    expect(topology([A], peers).peers.map(({ allowedIPs }) => allowedIPs)).toEqual([
      ['fd00:5::1/128'],
      ['fd00:5::2/128'],
    ]);
  });
});

describe('networks of a location', () => {
  /** Three locations of one node each, which have these. */
  function left(...networks: readonly (readonly string[])[]): (readonly string[])[] {
    const nodes = [A, B, D].map((one, index) => ({ ...one, locationNetworks: networks[index] ?? [] }));
    return topology(nodes, PEERS).leaders.map(({ allowedIPs }) =>
      allowedIPs.filter((network) => networks.flat().includes(network)),
    );
  }

  test.each([
    [
      'are its own, of Kilo',
      [['192.168.178.4/32'], ['192.168.178.5/32'], ['192.168.178.6/32', '192.168.178.7/32']],
      [['192.168.178.4/32'], ['192.168.178.5/32'], ['192.168.178.6/32', '192.168.178.7/32']],
    ],
    [
      'go to the last that has them, of Kilo',
      [['192.168.178.4/32', '192.168.178.8/32'], ['192.168.178.5/32'], ['192.168.178.4/32', '192.168.178.6/32']],
      [['192.168.178.8/32'], ['192.168.178.5/32'], ['192.168.178.4/32', '192.168.178.6/32']],
    ],
    [
      'hold no address of the VPN, of Kilo',
      [['10.4.0.0/31', '192.168.178.8/32'], ['192.168.178.5/32'], ['192.168.178.6/32']],
      [['192.168.178.8/32'], ['192.168.178.5/32'], ['192.168.178.6/32']],
    ],
    [
      'go to the last that has a network around them, of Kilo',
      [['192.168.178.8/32'], ['192.168.178.5/32'], ['192.168.178.7/24']],
      [[], [], ['192.168.178.7/24']],
    ],
    ['hold nothing of a peer', [['10.5.0.0/16', '10.6.0.0/16']], [['10.6.0.0/16'], [], []]],
    ['hold no pods', [[], ['10.2.0.0/16'], ['10.2.4.7/32']], [[], [], []]],
    ['hold no address of a node', [['192.168.0.0/24'], ['192.168.1.0/24']], [[], ['192.168.1.0/24'], []]],
    ['may be of the other family', [['fd00:4::/64']], [['fd00:4::/64'], [], []]],
  ])('%s', (_title, given, expected) => {
    expect(left(...given)).toEqual(expected);
  });

  test('are of all of its nodes, each once, in their order as text', () => {
    const nodes = [
      { ...B, locationNetworks: ['192.168.9.0/24', '192.168.10.0/24'] },
      { ...C, locationNetworks: ['192.168.9.0/24', '192.168.1.0/24'] },
    ];
    expect(topology(nodes).leaders[0]?.allowedIPs.slice(-3)).toEqual([
      '192.168.1.0/24',
      '192.168.10.0/24',
      '192.168.9.0/24',
    ]);
  });
});

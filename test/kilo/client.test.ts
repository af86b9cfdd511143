import type { z } from 'zod';
import { CHARTS } from '../../charts';
import { examplesOf } from '../../lib/cli/commands';
import { loadValues } from '../../lib/helm/load-values';
import { parseValues } from '../../lib/helm/parse-values';
import type { JsonObject } from '../../lib/helm/values-file';
import { kiloClientConf, meshPeers, meshProblems } from '../../lib/kilo/client';
import type { MeshNode } from '../../lib/kilo/mesh-node';
import { kiloValues } from '../../values/kilo';
import { importClientFile, type Tunnel } from '../wireguard/importer';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `${letter.repeat(42)}A=`);
const [NODE1 = '', NODE2 = '', NODE3 = '', ALICE = '', BOB = '', PRESHARED = ''] = KEYS;
const PRIVATE_KEY = `${'p'.repeat(42)}A=`;

const node = (name: string, more: Partial<MeshNode>): MeshNode => ({
  name,
  publicKey: NODE1,
  endpoint: '203.0.113.1:51820',
  podCidr: '10.244.1.0/24',
  internalAddress: '172.27.0.11',
  location: '',
  leads: false,
  isBehindNat: false,
  locationNetworks: [],
  seenEndpoints: new Map(),
  ...more,
});

/** Two locations: one of two nodes, one of one. */
const NODES = [
  node('node1', {}),
  node('node2', {
    publicKey: NODE2,
    endpoint: '203.0.113.2:51820',
    podCidr: '10.244.2.0/24',
    internalAddress: '172.27.0.12',
  }),
  node('node3', {
    publicKey: NODE3,
    endpoint: 'lab.example.com:51820',
    podCidr: '10.244.3.0/24',
    internalAddress: '10.1.0.3',
    location: 'lab',
    locationNetworks: ['192.168.178.0/24'],
  }),
];

const ALICE_PEER = { publicKey: ALICE, addresses: ['10.5.0.1'] };
const BOB_PEER = { publicKey: BOB, addresses: ['10.5.0.2'], routedNetworks: ['192.168.10.0/24'] };
const CLUSTER = { serviceCidrs: ['10.96.0.0/12'] };

interface Shown {
  readonly values?: JsonObject;
  readonly nodes?: readonly MeshNode[];
  readonly name?: string;
  readonly format?: 'wg-quick' | 'wg';
}

const valuesOf = (values: JsonObject): z.output<typeof kiloValues> =>
  parseValues(kiloValues, { cluster: CLUSTER, peers: { alice: ALICE_PEER }, ...values }) as unknown as z.output<
    typeof kiloValues
  >;

function textOf({ values = {}, nodes = NODES, name = 'alice', format = 'wg-quick' }: Shown = {}): string {
  const v = valuesOf(values);
  expect(meshProblems(v, nodes)).toEqual([]);
  return kiloClientConf(v, name, nodes, { privateKey: `PrivateKey = ${PRIVATE_KEY}`, format });
}

const shown = (of: Shown = {}): Tunnel => importClientFile(textOf(of));
/** The networks of each section, in their order. */
const networks = (of: Shown = {}): string[] => shown(of).peers.map(({ AllowedIPs = '' }) => AllowedIPs);

test('the file of a peer is complete: its own address, and every location with its pods, nodes and networks, and the Services', () => {
  expect(textOf()).toBe(`# alice
[Interface]
PrivateKey = ${PRIVATE_KEY}
Address = 10.5.0.1
MTU = 1420

# node1
[Peer]
PublicKey = ${NODE1}
AllowedIPs = 10.244.1.0/24, 172.27.0.11/32, 10.244.2.0/24, 172.27.0.12/32, 10.4.0.1/32, 10.96.0.0/12
Endpoint = 203.0.113.1:51820
PersistentKeepalive = 25

# node3
[Peer]
PublicKey = ${NODE3}
AllowedIPs = 10.244.3.0/24, 10.1.0.3/32, 10.4.0.2/32, 192.168.178.0/24
Endpoint = lab.example.com:51820
PersistentKeepalive = 25
`);
});

test('in the format wg it has what kgctl prints: no networks of Services, and nothing that wg does not know', () => {
  expect(textOf({ format: 'wg' })).toBe(
    textOf()
      .replace(', 10.96.0.0/12', '')
      .replace(/^(?:Address|MTU) = .*\n/gm, ''),
  );
});

/** Constructed after the example of Kilo's documentation (docs/vpn.md), which shows one of the locations. */
test('the section of the example in Kilo’s documentation is ours, but for the order', () => {
  const nodes = [
    node('a', { location: '1' }),
    node('b', {
      location: '2',
      publicKey: NODE3,
      endpoint: '108.61.142.123:51820',
      podCidr: '10.2.3.0/24',
      internalAddress: '10.1.0.3',
    }),
  ];
  const { peers } = shown({ nodes, format: 'wg', values: { client: { persistentKeepaliveSeconds: 0 } } });
  const { AllowedIPs = '', ...section } = peers[1] ?? {};
  expect(section).toEqual({ PublicKey: NODE3, Endpoint: '108.61.142.123:51820', PersistentKeepalive: '0' });
  expect(AllowedIPs.split(', ').sort()).toEqual(['10.1.0.3/32', '10.2.3.0/24', '10.4.0.2/32']);
});

test('with a full mesh there is a section for every node', () => {
  expect(networks({ values: { meshGranularity: 'full' } })).toEqual([
    '10.244.1.0/24, 172.27.0.11/32, 10.4.0.1/32, 10.96.0.0/12',
    '10.244.2.0/24, 172.27.0.12/32, 10.4.0.2/32',
    '10.244.3.0/24, 10.1.0.3/32, 10.4.0.3/32, 192.168.178.0/24',
  ]);
});

describe('the sections of nodes', () => {
  test.each<[what: string, peer: JsonObject, client: JsonObject, keepalive: string]>([
    ['what all clients have', {}, {}, '25'],
    ['what the values say of all', {}, { persistentKeepaliveSeconds: 7 }, '7'],
    ['what they say of the peer', { persistentKeepaliveSeconds: 10 }, { persistentKeepaliveSeconds: 7 }, '10'],
    ['none', { persistentKeepaliveSeconds: 0 }, { persistentKeepaliveSeconds: 7 }, '0'],
  ])('have as keepalive %s', (_what, peer, client, keepalive) => {
    const { peers } = shown({ values: { peers: { alice: { ...ALICE_PEER, ...peer } }, client } });
    expect(peers.map(({ PersistentKeepalive }) => PersistentKeepalive)).toEqual([keepalive, keepalive]);
  });

  test('have the pre-shared key, which is not between peers', () => {
    const values = {
      peers: {
        alice: { ...ALICE_PEER, presharedKey: { value: PRESHARED } },
        bob: { ...BOB_PEER, endpoint: 'bob.example.com:51820' },
      },
    };
    for (const format of ['wg', 'wg-quick'] as const) {
      const { peers } = shown({ values, format });
      expect(peers.map(({ PresharedKey }) => PresharedKey)).toEqual([PRESHARED, PRESHARED, undefined]);
    }
  });

  test.each<[what: string, endpoints: string[], chosen: number]>([
    ['the first one', ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1'], 0],
    ['one with a public address', ['10.0.0.1:1', '203.0.113.1:1', '203.0.113.2:1'], 1],
    ['one with a name', ['10.0.0.1:1', '10.0.0.2:1', 'vpn.example.com:1'], 2],
  ])('of them has the networks of the Services: %s', (_what, endpoints, chosen) => {
    const nodes = NODES.map((one, index) => ({ ...one, endpoint: endpoints[index] ?? '' }));
    const found = networks({ nodes, values: { meshGranularity: 'full' } });
    expect(found.map((of) => of.includes('10.96.0.0/12'))).toEqual([0, 1, 2].map((index) => index === chosen));
  });

  test.each<[what: string, values: JsonObject, more: string[]]>([
    ['nothing', { cluster: { serviceCidrs: [] } }, []],
    ['what the values say', { client: { allowedIPs: ['10.99.0.0/16', '0.0.0.0/0'] } }, ['10.99.0.0/16', '0.0.0.0/0']],
    [
      'what they say of the peer',
      {
        client: { allowedIPs: ['10.99.0.0/16'] },
        peers: { alice: { ...ALICE_PEER, client: { allowedIPs: ['10.98.0.0/16'] } } },
      },
      ['10.98.0.0/16'],
    ],
    [
      'nothing that is said of the peer',
      { client: { allowedIPs: ['10.99.0.0/16'] }, peers: { alice: { ...ALICE_PEER, client: { allowedIPs: [] } } } },
      [],
    ],
    [
      'nothing that another has',
      { client: { allowedIPs: ['10.244.3.0/24', '10.4.0.1/32', '10.99.0.0/16'] } },
      ['10.99.0.0/16'],
    ],
    [
      'nothing of its own',
      { client: { allowedIPs: ['192.168.10.0/24', '10.5.0.2/32', '10.99.0.0/16'] }, peers: { alice: BOB_PEER } },
      ['10.99.0.0/16'],
    ],
  ])('have beside the mesh %s', (_what, values, more) => {
    const plain = networks({ format: 'wg', values }).join(', ').split(', ');
    const found = networks({ values }).join(', ').split(', ');
    expect(found.filter((network) => !plain.includes(network))).toEqual(more);
    expect(plain.filter((network) => !found.includes(network))).toEqual([]);
  });

  test('leave out the addresses at which nodes are found, which would lead the tunnel into itself', () => {
    const nodes = [
      node('node1', { endpoint: '172.27.0.11:51820' }),
      node('node2', { publicKey: NODE2, podCidr: '10.244.2.0/24', internalAddress: '172.27.0.12' }),
      node('node3', {
        publicKey: NODE3,
        endpoint: '[2001:db8::3]:51820',
        podCidr: '10.244.3.0/24',
        internalAddress: '10.1.0.3',
        location: 'lab',
        locationNetworks: ['172.27.0.11/31', '2001:db8::/32', '2001:db9::/32'],
      }),
    ].map((one) => ({ ...one, leads: one.name === 'node1' }));
    const values = { client: { allowedIPs: ['0.0.0.0/0', '::/0', '172.16.0.0/12'] } };
    const text = textOf({ nodes, values });
    expect(importClientFile(text).peers.map(({ AllowedIPs }) => AllowedIPs)).toEqual([
      '10.244.1.0/24, 10.244.2.0/24, 172.27.0.12/32, 10.4.0.1/32',
      '10.244.3.0/24, 10.1.0.3/32, 10.4.0.2/32, 2001:db9::/32, 0.0.0.0/0, ::/0',
    ]);
    expect(text).toContain('# node1\n# Outside the tunnel, whose end is there: 172.27.0.11/32\n[Peer]\n');
    expect(text).toContain('# Outside the tunnel, whose end is there: 2001:db8::/32, 172.16.0.0/12\n');
    expect(networks({ nodes, values, format: 'wg' })).toEqual([
      '10.244.1.0/24, 172.27.0.11/32, 10.244.2.0/24, 172.27.0.12/32, 10.4.0.1/32',
      '10.244.3.0/24, 10.1.0.3/32, 10.4.0.2/32, 2001:db8::/32, 2001:db9::/32',
    ]);
  });
});

describe('the section of another peer', () => {
  const both = (alice: JsonObject, bob: JsonObject): JsonObject => ({
    peers: { alice: { ...ALICE_PEER, ...alice }, bob: { ...BOB_PEER, ...bob } },
  });
  const section = (more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
    PublicKey: BOB,
    AllowedIPs: '10.5.0.2/32, 192.168.10.0/24',
    PersistentKeepalive: '25',
    ...more,
  });
  const endpoint = 'peer.example.com:51821';

  test.each<[what: string, values: JsonObject, expected: Readonly<Record<string, string>> | undefined]>([
    ['is left out where neither finds the other', both({}, {}), undefined],
    ['is there where it can be found', both({}, { endpoint }), section({ Endpoint: endpoint })],
    ['is there where it finds this one', both({ endpoint }, {}), section({})],
  ])('%s', (_what, values, expected) => {
    expect(shown({ values }).peers[2]).toEqual(expected);
    // kgctl prints it in any case.
    expect(shown({ values, format: 'wg' }).peers[2]).toEqual(expected ?? section({}));
  });

  test('gives back what is led over the nodes where it is left out', () => {
    const values = { ...both({}, {}), client: { allowedIPs: ['10.5.0.2/32'] } };
    expect(networks({ values })[0]).toMatch(/, 10\.5\.0\.2\/32$/);
  });
});

describe('the interface', () => {
  test.each<[what: string, values: JsonObject, expected: Readonly<Record<string, string>>]>([
    ['an MTU of its own', { client: { mtu: 1380 }, mtu: 1400 }, { MTU: '1380' }],
    ['the MTU of the mesh', { mtu: 1400 }, { MTU: '1400' }],
    ['no MTU that is too small for IPv6', { mtu: 1000 }, { MTU: '1280' }],
    [
      'DNS servers and domains',
      { dns: { servers: ['10.96.0.10'], searchDomains: ['svc.cluster.local'] } },
      { DNS: '10.96.0.10, svc.cluster.local' },
    ],
    [
      'several addresses',
      { peers: { alice: { ...ALICE_PEER, addresses: ['10.5.0.1', 'fd00:5::1'] } } },
      { Address: '10.5.0.1, fd00:5::1' },
    ],
    [
      'a port where the nodes find it at one',
      { peers: { alice: { ...ALICE_PEER, endpoint: '[2001:db8::7]:51999' } } },
      { ListenPort: '51999' },
    ],
  ])('has %s', (_what, values, expected) => {
    const { PrivateKey, ...found } = shown({ values }).interface;
    expect([PrivateKey, found]).toEqual([PRIVATE_KEY, { Address: '10.5.0.1', MTU: '1420', ...expected }]);
  });
});

describe('nodes of another mesh', () => {
  test.each<[what: string, values: JsonObject, nodes: readonly MeshNode[], problems: string[]]>([
    [
      'one of other values',
      { meshGranularity: 'full', subnet: '10.6.0.0/16' },
      [node('a', {}), node('b', { meshGranularity: 'location', subnet: '10.4.0.0/16' })],
      [
        'meshGranularity: the agents run with "location", got "full"; install these values first, then give the nodes anew',
        'subnet: the agents run with "10.4.0.0/16", got "10.6.0.0/16"; install these values first, then give the nodes anew',
      ],
    ],
    [
      'the same, with a host part',
      { subnet: '10.4.0.7/16' },
      [node('a', { meshGranularity: 'location', subnet: '10.4.0.0/16' })],
      [],
    ],
    ['one whose agents are silent about it', {}, [node('a', { meshGranularity: '' })], []],
    [
      'more locations than addresses',
      { subnet: '10.4.0.0/31' },
      NODES,
      ['subnet: has too few addresses for all locations, got "10.4.0.0/31"; choose a larger one'],
    ],
  ])('%s', (_what, values, nodes, problems) => {
    expect(meshProblems(valuesOf(values), nodes)).toEqual(problems);
  });
});

interface PeerObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly allowedIPs: readonly string[];
    readonly publicKey: string;
    readonly persistentKeepalive: number;
    readonly endpoint?: { readonly dnsOrIP: { readonly dns?: string; readonly ip?: string }; readonly port: number };
  };
}

/** What kgctl reads are the Peer objects. */
test.each<[title: string, values: JsonObject]>([
  ...examplesOf('kilo').map((file): [string, JsonObject] => [
    file.replace(/.*\//, ''),
    loadValues({ files: [file] }).values,
  ]),
  [
    'names and addresses of all kinds',
    {
      peers: {
        a: {
          ...ALICE_PEER,
          addresses: ['10.5.0.1', 'fd00:5::1'],
          endpoint: 'A.Example.com:1',
          persistentKeepaliveSeconds: 0,
        },
        b: { ...BOB_PEER, endpoint: '[2001:db8::7]:2' },
      },
    },
  ],
])('peers are what their objects say: %s', (_title, values) => {
  const peers = (CHARTS.kilo.objects({ values }) as unknown as PeerObject[]).filter(({ kind }) => kind === 'Peer');
  const given = CHARTS.kilo.environment({ values }).values as unknown as z.output<typeof kiloValues>;
  expect(peers.length).toBeGreaterThan(0);
  expect(meshPeers(given)).toEqual(
    peers.map(({ metadata, spec: { publicKey, allowedIPs, persistentKeepalive, endpoint } }) => {
      const { dns, ip = '' } = endpoint?.dnsOrIP ?? {};
      const host = dns ?? (ip.includes(':') ? `[${ip}]` : ip);
      return {
        name: metadata.name,
        publicKey,
        allowedIPs,
        keepaliveSeconds: persistentKeepalive,
        ...(endpoint !== undefined && { endpoint: `${host}:${String(endpoint.port)}` }),
      };
    }),
  );
});

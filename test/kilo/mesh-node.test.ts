/** Cases marked "of Kilo" are those of its own test (pkg/k8s/backend_test.go, TestTranslateNode), which was read, not run. */
import type { ClusterNode } from '../../lib/kubernetes/node';
import { meshNodes, type MeshNode } from '../../lib/kilo/mesh-node';

const KEY = '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=';
const SETTINGS = { topologyLabel: 'topology.kubernetes.io/region', nodeSelector: { 'kubernetes.io/os': 'linux' } };

/** A node with what its agent has written, and more annotations of Kilo. */
const node = (annotations: Readonly<Record<string, string>> = {}, more: Partial<ClusterNode> = {}): ClusterNode => ({
  name: 'node1',
  labels: { 'kubernetes.io/os': 'linux' },
  annotations: Object.fromEntries(
    Object.entries({ key: KEY, endpoint: '10.0.0.1:51820', 'last-seen': '1000000000', ...annotations }).map(
      ([key, value]) => [`kilo.squat.ai/${key}`, value],
    ),
  ),
  taints: [],
  internalAddresses: [],
  podNetworks: [],
  podCidr: '10.2.1.0/24',
  ...more,
});

function ready(...nodes: readonly ClusterNode[]): readonly MeshNode[] {
  const { ready: found, leftOut } = meshNodes(nodes, SETTINGS);
  expect(leftOut).toEqual([]);
  return found;
}

const leftOut = (...nodes: readonly ClusterNode[]): readonly string[] => meshNodes(nodes, SETTINGS).leftOut;

test('a node is what its agent has written', () => {
  expect(
    ready(
      node(
        {
          'force-endpoint': '10.0.0.2:51821',
          'force-internal-ip': '10.1.0.2/32',
          'internal-ip': '10.1.0.1/32',
          leader: '',
          location: 'b',
          'persistent-keepalive': '25',
          'wireguard-ip': '10.4.0.1/16',
          granularity: 'location',
          'allowed-location-ips': '192.168.5.0/24,fd00:5::/64',
          'discovered-endpoints': JSON.stringify({ [KEY]: { IP: '198.51.100.7', Port: 4242, Zone: '' } }),
        },
        { labels: { [SETTINGS.topologyLabel]: 'a' } },
      ),
    ),
  ).toEqual([
    {
      name: 'node1',
      publicKey: KEY,
      endpoint: '10.0.0.2:51821',
      podCidr: '10.2.1.0/24',
      internalAddress: '10.1.0.2',
      location: 'b',
      leads: true,
      isBehindNat: true,
      locationNetworks: ['192.168.5.0/24', 'fd00:5::/64'],
      seenEndpoints: new Map([[KEY, '198.51.100.7:4242']]),
      meshGranularity: 'location',
      subnet: '10.4.0.0/16',
    },
  ]);
});

test('a node with nothing but what it must have is alone, and its location has no name', () => {
  expect(ready(node())).toEqual([
    {
      name: 'node1',
      publicKey: KEY,
      endpoint: '10.0.0.1:51820',
      podCidr: '10.2.1.0/24',
      location: '',
      leads: false,
      isBehindNat: false,
      locationNetworks: [],
      seenEndpoints: new Map(),
    },
  ]);
});

test.each<[what: string, given: ClusterNode, found: Partial<MeshNode>]>([
  ['an IPv6 endpoint, of Kilo', node({ endpoint: '[ff10::10]:51820' }), { endpoint: '[ff10::10]:51820' }],
  ['a normalized subnet, of Kilo', node({}, { podCidr: '10.2.0.1/24' }), { podCidr: '10.2.0.0/24' }],
  ['a region, of Kilo', node({}, { labels: { [SETTINGS.topologyLabel]: 'a' } }), { location: 'a' }],
  ['a location that is empty', node({ location: '' }, { labels: { [SETTINGS.topologyLabel]: 'a' } }), { location: '' }],
  ['a wrong endpoint that is forced, of Kilo', node({ 'force-endpoint': '-10.0.0.2:51821' }), { endpoint: '10.0.0.1:51820' }],
  ['an endpoint that is forced, of Kilo', node({ 'force-endpoint': '10.0.0.2:51821' }), { endpoint: '10.0.0.2:51821' }],
  ['an IPv6 endpoint that is forced, of Kilo', node({ 'force-endpoint': '[1100:0::10]:51821' }), { endpoint: '[1100::10]:51821' }],
  ['a host name', node({ 'force-endpoint': 'node1.example.com:51821' }), { endpoint: 'node1.example.com:51821' }],
  ['a wrong internal address that is forced, of Kilo', node({ 'internal-ip': '10.1.0.1/24', 'force-internal-ip': '-10.1.0.2/24' }), { internalAddress: '10.1.0.1' }],
  ['an internal address that is forced, of Kilo', node({ 'internal-ip': '10.1.0.1/24', 'force-internal-ip': '10.1.0.2/24' }), { internalAddress: '10.1.0.2' }],
  ['a keepalive of 0', node({ 'persistent-keepalive': '0' }), { isBehindNat: false }],
  ['a keepalive that is no number', node({ 'persistent-keepalive': '25s' }), { isBehindNat: false }],
  ['location networks of which some are none', node({ 'allowed-location-ips': '10.9.0.0/16, 10.8.0.0/16,x,10.7.0.1' }), { locationNetworks: ['10.9.0.0/16'] }],
  ['endpoints that are no JSON', node({ 'discovered-endpoints': '{' }), { seenEndpoints: new Map() }],
  ['endpoints of which one is none', node({ 'discovered-endpoints': `{"a": {"IP": "10.0.0.1", "Port": 1}, "b": {"IP": "x", "Port": 1}}` }), { seenEndpoints: new Map() }],
  ['endpoints of which one is not known', node({ 'discovered-endpoints': `{"a": {"IP": "fd00:0::1", "Port": 1}, "b": null}` }), { seenEndpoints: new Map([['a', '[fd00::1]:1']]) }],
])('%s', (_what, given, found) => {
  expect(ready(given)[0]).toMatchObject(found);
}); // prettier-ignore

test.each(['', '-'])('a node whose internal address is forced to be %j has none, of Kilo', (forced) => {
  expect(ready(node({ 'internal-ip': '10.1.0.1/32', 'force-internal-ip': forced }))[0]).not.toHaveProperty(
    'internalAddress',
  );
});

describe('left out is', () => {
  const without = (key: string): ClusterNode => {
    const left = Object.entries(node().annotations).filter(([name]) => name !== `kilo.squat.ai/${key}`);
    return node({}, { annotations: Object.fromEntries(left) });
  };
  const bare = node();
  Reflect.deleteProperty(bare, 'podCidr');

  test.each<[what: string, given: ClusterNode, sentence: string]>([
    ['a node without annotations', node({}, { annotations: {} }), 'node1: is left out, since no agent of Kilo has written its kilo.squat.ai/key, got nothing; see that one runs there, then give the nodes anew'],
    ['a node whose key is none', node({ key: 'x"\n{{ y }}' }), 'node1: is left out, since no agent of Kilo has written its kilo.squat.ai/key, got "x\\"\\n{{ y }}"; see that one runs there, then give the nodes anew'],
    ['a node without a network of its pods', bare, 'node1: is left out, since it has no spec.podCIDR, got nothing; let the controller manager give each node a network (--allocate-node-cidrs), then give the nodes anew'],
    ['a node without an endpoint', without('endpoint'), 'node1: is left out, since nobody would find it, got nothing; set kilo.squat.ai/force-endpoint to its address and port, then give the nodes anew'],
    ['a node whose endpoint has no port, of Kilo', node({ endpoint: '10.0.0.1' }), 'node1: is left out, since nobody would find it, got "10.0.0.1"; set kilo.squat.ai/force-endpoint to its address and port, then give the nodes anew'],
    ['a node whose endpoint is none', node({ endpoint: 'Node_1:51820' }), 'node1: is left out, since nobody would find it, got "Node_1:51820"; set kilo.squat.ai/force-endpoint to its address and port, then give the nodes anew'],
  ])('%s', (_what, given, sentence) => {
    expect(meshNodes([given], SETTINGS)).toEqual({ ready: [], leftOut: [sentence] });
  }); // prettier-ignore

  test('a node whose agent has been silent for a minute when another was heard', () => {
    const seen = (name: string, at: string): ClusterNode => node({ 'last-seen': at }, { name });
    expect(leftOut(seen('a', '1000000000'), seen('b', '1000000059'))).toEqual([]);
    expect(leftOut(seen('a', '1000000000'), seen('b', '1000000060'), seen('c', 'never'))).toEqual([
      'a: is left out, since its agent was silent when others were heard, got 60 seconds; see that it runs, then give the nodes anew',
      'c: is left out, since its agent was silent when others were heard, got nothing; see that it runs, then give the nodes anew',
    ]);
  });

  test('without a word a node on which no agent shall be', () => {
    expect(meshNodes([node({ key: '' }, { labels: {} })], SETTINGS)).toEqual({ ready: [], leftOut: [] });
  });
});

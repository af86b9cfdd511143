import { CHARTS } from '../../charts';
import { overlap } from '../../lib/net/cidr';
import { isIpv6 } from '../../lib/net/address';
import { EXAMPLES, missingWays, Told, topologyOf } from './site';

const told = (values: string): Told => new Told(topologyOf('kilo', values));
const examples = EXAMPLES.filter(({ chart }) => chart === 'kilo');
const example = (name: string): Told => {
  const found = examples.find((one) => one.name === `kilo/${name}.yaml`);
  if (found === undefined) throw new Error(`no example ${name}`);
  return new Told(topologyOf('kilo', found.values));
};
const key = (number: number): string => `${String.fromCharCode(65 + number).repeat(42)}8=`;

test('peers and the pods and nodes of the cluster reach each other; peers reach Services; a peer that nobody finds reaches no other', () => {
  const flannel = example('flannel');
  expect(flannel.links).toEqual([
    'alice <> vpn-kilo wireguard',
    'bob <> vpn-kilo wireguard',
    'nodes <> vpn-kilo routed',
    'pods <> vpn-kilo routed',
    'vpn-kilo > Services routed',
  ]);
  expect(flannel.reaches).toEqual([
    'alice <> nodes',
    'alice <> pods',
    'alice > Services',
    'bob <> nodes',
    'bob <> pods',
    'bob > Services',
  ]);
  expect(flannel.detailsOf('vpn-kilo')).toEqual([
    'on every node',
    'beside flannel',
    'kilo0: 10.4.0.0/16, UDP 51820',
    'WireGuard between locations',
  ]);
});

test('the cluster reaches what peers serve by Services, and peers reach one with an endpoint directly', () => {
  const services = example('services');
  expect(services.links).toEqual([
    'Services of branch > vpn-kilo routed',
    'Services of workstation > vpn-kilo routed',
    'behind branch <> branch routed',
    'branch <> vpn-kilo wireguard',
    'branch <> workstation wireguard',
    'nodes <> vpn-kilo routed',
    'nodes > Services of branch routed',
    'nodes > Services of workstation routed',
    'pods <> vpn-kilo routed',
    'pods > Services of branch routed',
    'pods > Services of workstation routed',
    'vpn-kilo <> workstation wireguard',
    'vpn-kilo > Services routed',
  ]);
  expect(services.reaches).toEqual([
    'behind branch <> branch',
    'behind branch <> nodes',
    'behind branch <> pods',
    'behind branch <> workstation',
    'behind branch > Services',
    'branch <> nodes',
    'branch <> pods',
    'branch <> workstation',
    'branch > Services',
    'nodes <> workstation',
    'nodes > Services of branch',
    'nodes > Services of workstation',
    'pods <> workstation',
    'pods > Services of branch',
    'pods > Services of workstation',
    'workstation > Services',
  ]);
  expect(services.detailsOf('Services of branch')).toEqual(['printers.office: TCP 80 → 631, UDP 161']);
});

test('another cluster is what is behind a peer', () => {
  const north = example('two-clusters');
  expect(north.reaches).toContain('behind south <> pods');
  expect(north.reaches).toContain('behind south > Services');
  expect(north.detailsOf('behind south')).toEqual(['10.245.0.0/16', '10.97.0.0/16', '172.28.0.0/20']);
});

test('as the network plugin, where networks are not named, the Node objects have them', () => {
  const mesh = told(`
cni: {plugin: kilo}
meshGranularity: full
nodeSelector: {kubernetes.io/os: linux, example.com/mesh: 'yes'}
peers: {a: {publicKey: ${key(0)}, addresses: [10.5.0.1]}}
`);
  expect(mesh.detailsOf('pods')).toEqual(['as the Node objects say']);
  expect(mesh.detailsOf('vpn-kilo')).toEqual([
    'on nodes with example.com/mesh=yes',
    'the network plugin',
    'kilo0: 10.4.0.0/16, UDP 51820',
    'WireGuard between all nodes',
  ]);
  expect(mesh.reaches).toEqual(['a <> nodes', 'a <> pods']);
});

test('what a file sends beside the cluster’s networks is reached from the nodes; without Services in it, these are not', () => {
  const { links, reaches } = told(`
cluster: {podCidrs: [10.244.0.0/16], serviceCidrs: [10.96.0.0/12], nodeCidrs: [172.27.0.0/20]}
client: {allowedIPs: []}
peers:
  a: {publicKey: ${key(0)}, addresses: [10.5.0.1]}
  b: {publicKey: ${key(1)}, addresses: [10.5.0.2], client: {allowedIPs: [10.96.0.0/16, 10.244.3.0/24, 192.168.7.0/24, 'fd00::/64']}}
`);
  expect(reaches).toEqual([
    'a <> nodes',
    'a <> pods',
    'b <> nodes',
    'b <> pods',
    'b > Services',
    'b > what the nodes reach of',
  ]);
  expect(links).toContain('vpn-kilo > what the nodes reach of masqueraded');
});

test('a peer of IPv6 alone is not reached from a cluster of IPv4', () => {
  const { reaches } = told(`
cluster: {podCidrs: [10.244.0.0/16, 'fd00:244::/56'], serviceCidrs: [10.96.0.0/12], nodeCidrs: [172.27.0.0/20]}
peers: {a: {publicKey: ${key(0)}, addresses: ['fd00:5::1']}}
`);
  expect(reaches).toEqual(['a <> pods']);
});

test('many peers that are alike are one place', () => {
  const peers = Array.from(
    { length: 9 },
    (_, index) => `  p${index}: {publicKey: ${key(index)}, addresses: [10.5.0.${index}]}`,
  );
  const { topology } = told(`peers:\n${peers.join('\n')}`);
  expect(topology.places.map(({ title }) => title)).toEqual(['pods', 'nodes', 'vpn-kilo', '9 peers']);
});

test('whoever reaches another one does so along links', () => {
  for (const { values } of examples) expect(missingWays(topologyOf('kilo', values))).toEqual([]);
});

test.each(examples)('of $name, what the Peer objects have is what the cluster reaches', ({ values }) => {
  const topology = topologyOf('kilo', values);
  const known = new Set(topology.reaches.map(({ from, to }) => `${from} ${to}`));
  const { cluster } = CHARTS.kilo.environment({ values }).values as { cluster: { podCidrs: string[] } };
  const peers = CHARTS.kilo.objects({ values }).filter(({ kind }) => kind === 'Peer');
  expect(peers.length).toBeGreaterThan(0);
  for (const { metadata, ...peer } of peers) {
    const { allowedIPs } = peer['spec'] as { allowedIPs: string[] };
    const reached = ['', '/behind'].filter((end) => known.has(`pods peer/${metadata.name}${end}`));
    const shown = topology.places.flatMap(({ id, details }) =>
      reached.some((end) => id === `peer/${metadata.name}${end}`) ? details : [],
    );
    const pods = cluster.podCidrs.length === 0 ? ['0.0.0.0/0'] : cluster.podCidrs;
    for (const network of allowedIPs.filter((one) => pods.some((own) => isIpv6(own) === isIpv6(one))))
      expect([network, shown.some((line) => /^[0-9a-f:.]+(?:\/\d+)?$/.test(line) && overlap(line, network))]).toEqual([
        network,
        true,
      ]);
  }
});

test('the picture of values without peers is the mesh alone', () => {
  expect([told('{}').links, told('{}').reaches]).toEqual([[], []]);
});

import { kilo } from '../../charts/kilo';
import { wireguard } from '../../charts/wireguard';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError } from '../../lib/staged/input-error';
import type { KubernetesObject } from '../../lib/staged/resource';

const KEYS = ['PhvU3EJ9OhIsRydxhf5Ek2mzWIM7pC52kVjo4qzaeAo=', '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q='];
const release = { name: 'vpn', namespace: 'edge' };

/** Values of a chart with two peers, of which both chart and rules make the same. */
const CHARTS = {
  kilo: { chart: kilo, more: {} },
  wireguard: { chart: wireguard, more: { mode: 'routed', network: '10.5.0.0/16', network6: 'fd05::/64' } },
} as const;

const http = { ports: { http: { port: 80 } } };
const printer = (more: JsonObject = {}): JsonObject => ({ printer: { ...http, ...more } });

describe.each(Object.entries(CHARTS))('a service of a peer of the chart %s', (_name, { chart, more }) => {
  const valuesWith = (services: JsonObject, bob: JsonObject = {}): JsonObject => ({
    ...more,
    peers: {
      alice: {
        publicKey: KEYS[0]!,
        addresses: ['10.5.0.7', 'fd05::7'],
        routedNetworks: ['192.168.10.0/24', '2001:db8:1::/48'],
        services,
      },
      bob: { publicKey: KEYS[1]!, addresses: ['10.5.0.8'], ...bob },
    },
  });
  const objects = (services: JsonObject, bob?: JsonObject): KubernetesObject[] =>
    chart
      .objects({ values: valuesWith(services, bob), release })
      .filter(({ kind, metadata }) =>
        kind === 'EndpointSlice' ? true : kind === 'Service' && !metadata.name.startsWith('vpn'),
      );
  const one = (kind: string, services: JsonObject, name?: string): Record<string, unknown> =>
    objects(services).find((object) => object.kind === kind && (name === undefined || object.metadata.name === name))!;

  function problems(services: JsonObject, bob?: JsonObject): readonly string[] {
    try {
      objects(services, bob);
    } catch (error) {
      if (error instanceof InputError) return error.problems;
      throw error;
    }
    return [];
  }

  test('is a Service without selector, and one EndpointSlice for each family of its addresses', () => {
    const made = objects(printer());
    expect(made.map(({ kind, metadata }) => [kind, metadata.name, metadata['namespace']])).toEqual([
      ['Service', 'printer', 'edge'],
      ['EndpointSlice', 'printer-ipv4', 'edge'],
      ['EndpointSlice', 'printer-ipv6', 'edge'],
    ]);
    expect((made[0]!['spec'] as Record<string, unknown>)['selector']).toBeUndefined();
    const slices = made.slice(1) as unknown as {
      addressType: string;
      endpoints: unknown;
      metadata: { labels: object };
    }[];
    expect(slices.map(({ addressType, endpoints }) => [addressType, endpoints])).toEqual([
      ['IPv4', [{ addresses: ['10.5.0.7'] }]],
      ['IPv6', [{ addresses: ['fd05::7'] }]],
    ]);
    for (const { metadata } of slices)
      expect(metadata.labels).toMatchObject({
        'kubernetes.io/service-name': 'printer',
        'endpointslice.kubernetes.io/managed-by': 'cdk8s',
      });
  });

  test('is at the addresses that it names, of the peer or behind it, however they are written', () => {
    const services = printer({ addresses: ['192.168.10.5', '192.168.10.6'] });
    expect(objects(services).map(({ metadata }) => metadata.name)).toEqual(['printer', 'printer-ipv4']);
    expect(one('EndpointSlice', services)['endpoints']).toEqual([
      { addresses: ['192.168.10.5'] },
      { addresses: ['192.168.10.6'] },
    ]);
    expect(problems(printer({ addresses: ['FD05:0::0007', '2001:DB8:1:0::9'] }))).toEqual([]);
  });

  test('is of both families in a cluster that has both, and else of the one of its addresses', () => {
    const families = (addresses: string[]): unknown => {
      const { ipFamilies, ipFamilyPolicy } = one('Service', printer({ addresses }))['spec'] as Record<string, unknown>;
      return { ipFamilies, ipFamilyPolicy };
    };
    expect(families(['10.5.0.7', 'fd05::7'])).toEqual({ ipFamilyPolicy: 'PreferDualStack' });
    expect(families(['10.5.0.7'])).toEqual({ ipFamilies: ['IPv4'] });
    expect(families(['fd05::7'])).toEqual({ ipFamilies: ['IPv6'] });
  });

  test('has typed ports, the same in the Service and in its EndpointSlices', () => {
    const ports = { ipp: { port: 80, targetPort: 631, appProtocol: 'http' }, snmp: { port: 161, protocol: 'UDP' } };
    const services = printer({ ports, addresses: ['10.5.0.7'] });
    expect((one('Service', services)['spec'] as Record<string, unknown>)['ports']).toEqual([
      { name: 'ipp', port: 80, targetPort: 631, protocol: 'TCP', appProtocol: 'http' },
      { name: 'snmp', port: 161, targetPort: 161, protocol: 'UDP' },
    ]);
    expect(one('EndpointSlice', services)['ports']).toEqual([
      { name: 'ipp', port: 631, protocol: 'TCP', appProtocol: 'http' },
      { name: 'snmp', port: 161, protocol: 'UDP' },
    ]);
  });

  test('is in another namespace where it names one, with the annotations that it names', () => {
    const services = printer({ namespace: 'office', annotations: { 'example.com/owner': '{{ "x" }}' } });
    for (const { metadata } of objects(services)) expect(metadata['namespace']).toBe('office');
    expect((one('Service', services)['metadata'] as Record<string, unknown>)['annotations']).toEqual({
      'example.com/owner': '{{ "x" }}',
    });
  });

  test.each<[string, JsonObject, JsonObject, string]>([
    [
      'without ports',
      { printer: { ports: {} } },
      {},
      'peers.alice.services.printer.ports: is empty, and a Service has a port at least; name a port, such as http: {port: 80}',
    ],
    [
      'at an address of another peer',
      printer({ addresses: ['10.5.0.8'] }),
      {},
      'peers.alice.services.printer.addresses[0]: is no address of the peer, and in none of its routedNetworks, got "10.5.0.8"; name an address that is behind this peer, or add its network',
    ],
    [
      'that another peer has too',
      printer(),
      { services: printer() },
      'peers.bob.services.printer: is the same Service as peers.alice.services.printer; give each a name of its own, or another namespace',
    ],
    [
      'that is in the namespace of the release by its name',
      printer(),
      { services: printer({ namespace: 'edge' }) },
      'peers.bob.services.printer: is the same Service as peers.alice.services.printer; give each a name of its own, or another namespace',
    ],
    [
      'with one port twice',
      { printer: { ports: { a: { port: 80 }, b: { port: 80, protocol: 'TCP' } } } },
      {},
      'peers.alice.services.printer.ports.b: is the same port as peers.alice.services.printer.ports.a; a Service has each port of a protocol once',
    ],
    [
      'whose name no Service can have',
      { '1printer': http },
      {},
      'peers.alice.services.1printer: is not a name that can be used here, got "1printer"; use a name that matches /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/',
    ],
  ])('%s is refused', (_title, services, bob, sentence) => {
    expect(problems(services, bob)).toContain(sentence);
  });

  test('may share its name with one of another namespace, and a port with another protocol', () => {
    const ports = { a: { port: 53 }, b: { port: 53, protocol: 'UDP' }, c: { port: 5 } };
    expect(problems(printer({ ports }), { services: printer({ namespace: 'office' }) })).toEqual([]);
  });
});

describe('a service of a peer of the WireGuard server', () => {
  const values = (more: JsonObject, name = 'printer'): JsonObject => ({
    ...more,
    peers: { alice: { publicKey: KEYS[0]!, addresses: ['10.13.13.2'], services: { [name]: http } } },
  });
  const refusal = (given: JsonObject): readonly string[] => {
    try {
      wireguard.objects({ values: given, release });
    } catch (error) {
      if (error instanceof InputError) return error.problems;
      throw error;
    }
    return [];
  };

  test('needs the mode in which the cluster reaches the peers', () => {
    expect(refusal(values({ mode: 'routed' }))).toEqual([]);
    expect(refusal(values({}))).toEqual([
      'peers.alice.services: is set, but mode is masquerade, in which the cluster does not reach the peers; set mode to routed and lead the cluster’s network to the pod, or remove it',
    ]);
  });

  test('has another name than the server’s own Services, unless it is in another namespace', () => {
    for (const name of ['vpn-wireguard', 'vpn-wireguard-health'])
      expect(refusal(values({ mode: 'routed' }, name))).toEqual([
        `peers.alice.services.${name}: has the name of a Service of the release itself, got "${name}"; choose another name`,
      ]);
  });
});

import { CHARTS } from '../../charts';
import { kilo } from '../../charts/kilo';
import type { JsonObject } from '../../lib/helm/values-file';
import { manifestFiles } from '../../lib/helm/manifests';
import { InputError } from '../../lib/staged/input-error';
import type { KubernetesObject } from '../../lib/staged/resource';

const KEYS = ['PhvU3EJ9OhIsRydxhf5Ek2mzWIM7pC52kVjo4qzaeAo=', '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q='];
/** 32 bytes that say what they are, in base64. */
const PRESHARED = 'U0VDUkVULWRvLW5vdC1wcmludC1wcmVzaGFyZWQuLi4=';

const aPeer = (more: JsonObject = {}): JsonObject => ({ publicKey: KEYS[0]!, addresses: ['10.5.0.1'], ...more });
const withPeer = (more: JsonObject = {}): JsonObject => ({ peers: { alice: aPeer(more) } });
const CLUSTER = {
  cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
};

function objects(values: JsonObject = {}): KubernetesObject[] {
  return kilo.objects({ values, release: { name: 'mesh', namespace: 'vpn' } });
}
const find = (kind: string, values: JsonObject = {}, name?: string): KubernetesObject | undefined =>
  objects(values).find((object) => object.kind === kind && (name === undefined || object.metadata.name === name));

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports?: readonly Record<string, unknown>[];
  readonly securityContext?: Record<string, unknown>;
}
interface Pod {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
  readonly [key: string]: unknown;
}

function pod(values: JsonObject = {}): Pod {
  return (find('DaemonSet', values)!['spec'] as unknown as { template: { spec: Pod } }).template.spec;
}
const agent = (values: JsonObject = {}): Container => pod(values).containers.find(({ name }) => name === 'kilo')!;
const flag = (name: string, values: JsonObject = {}): string[] =>
  agent(values).args!.flatMap((arg) => (arg.startsWith(`--${name}=`) ? [arg.slice(name.length + 3)] : []));
const peer = (values: JsonObject): Record<string, unknown> => find('Peer', values)!['spec'] as Record<string, unknown>;

function problems(values: JsonObject): readonly string[] {
  try {
    objects(values);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe('an agent', () => {
  test('adds the VPN beside flannel and Cilium, which go on to lead packets between the nodes of a location', () => {
    for (const plugin of ['flannel', 'cilium', 'other']) {
      const values = { cni: { plugin } };
      expect([flag('cni', values), flag('local', values)]).toEqual([['false'], ['false']]);
    }
    expect(flag('compatibility', { cni: { plugin: 'flannel' } })).toEqual(['flannel']);
    expect(flag('compatibility', { cni: { plugin: 'cilium' } })).toEqual(['cilium']);
    expect(flag('compatibility', { cni: { plugin: 'other' } })).toEqual([]);
  });

  test('does all of it where Kilo is the network plugin', () => {
    const values = { cni: { plugin: 'kilo' } };
    expect([flag('cni', values), flag('local', values), flag('compatibility', values)]).toEqual([
      ['true'],
      ['true'],
      [],
    ]);
  });

  test('encapsulates between subnets only beside Cilium, unless the values say otherwise', () => {
    expect(flag('encapsulate', { cni: { plugin: 'cilium' } })).toEqual(['crosssubnet']);
    expect(flag('encapsulate', {})).toEqual(['always']);
    expect(flag('encapsulate', { cni: { plugin: 'cilium' }, encapsulate: 'never' })).toEqual(['never']);
  });

  test('takes the node’s address of Kubernetes for the private one, so that no address of another plugin passes for it', () => {
    expect(flag('internal-cidr', {})).toEqual(['$(NODE_IP)/32']);
    expect(flag('internal-cidr', { internalCidrs: ['10.0.0.0/8', '172.16.0.0/12'] })).toEqual([
      '10.0.0.0/8',
      '172.16.0.0/12',
    ]);
    expect(flag('internal-cidr', { cni: { plugin: 'kilo' } })).toEqual([]);
  });

  test('has the MTU of the values, or finds one by itself', () => {
    expect([flag('mtu'), flag('mtu', { mtu: 1380 })]).toEqual([[], ['1380']]);
  });

  test('knows the networks of the Services, whose clients keep their addresses', () => {
    expect(flag('service-cidr', { cluster: { serviceCidrs: ['10.96.0.0/12', 'fd00:96::/108'] } })).toEqual([
      '10.96.0.0/12',
      'fd00:96::/108',
    ]);
  });

  test.each([
    ['mesh-granularity', { meshGranularity: 'full' }, 'full'],
    ['topology-label', { topologyLabel: 'example.com/site' }, 'example.com/site'],
    ['subnet', { subnet: '172.31.0.0/24' }, '172.31.0.0/24'],
    ['port', { listenPort: 51830 }, '51830'],
    ['interface', { interfaceName: 'mesh0' }, 'mesh0'],
    ['create-interface', { createInterface: false }, 'false'],
    ['prioritise-private-addresses', { prioritisePrivateAddresses: true }, 'true'],
    ['iptables-forward-rules', { iptablesForwardRules: true }, 'true'],
    ['resync-period', { resyncPeriodSeconds: 7 }, '7s'],
    ['clean-up', { cleanUp: { rules: false } }, 'false'],
    ['clean-up-interface', { cleanUp: { interface: true } }, 'true'],
    ['log-level', { logLevel: 'debug' }, 'debug'],
  ] satisfies [string, JsonObject, string][])('is told --%s once', (name, values, expected) => {
    expect(flag(name, values)).toEqual([expected]);
    expect(flag(name)).not.toEqual([expected]);
  });

  test('has what the user adds behind all else, where it wins', () => {
    expect(agent({ extraArgs: ['--log-level=all'] }).args!.at(-1)).toBe('--log-level=all');
  });

  test('gives out metrics at the node’s address of Kubernetes only', () => {
    expect(flag('listen', { metrics: { port: 1108 } })).toEqual(['[$(NODE_IP)]:1108']);
  });

  test('asks the API server as its service account, at another place than the Service where the values name one', () => {
    expect(pod()['automountServiceAccountToken']).toBe(true);
    expect(agent().args!.join(' ')).not.toContain('kubeconfig');
    const named = (values: JsonObject): (string | undefined)[] =>
      ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'].map(
        (name) => agent(values).env!.find((entry) => entry.name === name)?.value,
      );
    expect(named({})).toEqual([undefined, undefined]);
    expect(named({ apiServer: { host: 'api.example.com' } })).toEqual(['api.example.com', '6443']);
  });

  test('has both of its ports as ports of the node, so that nothing else with one of them comes to it', () => {
    expect(pod()['hostNetwork']).toBe(true);
    expect(agent({ listenPort: 51830 }).ports).toEqual([
      { name: 'wireguard', containerPort: 51830, hostPort: 51830, protocol: 'UDP' },
      { name: 'metrics', containerPort: 1107, hostPort: 1107, protocol: 'TCP' },
    ]);
  });

  test('sees the folders of network plugins, and installs one, only where Kilo is the plugin', () => {
    const folders = (values: JsonObject): string[] =>
      pod(values).volumes.flatMap(({ hostPath }) => (hostPath === undefined ? [] : [hostPath.path]));
    const own = ['/var/lib/kilo', '/lib/modules', '/run/xtables.lock'];
    expect(folders({})).toEqual(own);
    expect(pod().initContainers).toBeUndefined();
    const values = { cni: { plugin: 'kilo', binFolder: '/usr/libexec/cni', configFolder: '/etc/cni/other.d' } };
    expect(folders(values)).toEqual([...own, '/usr/libexec/cni', '/etc/cni/other.d']);
    expect(pod(values).initContainers!.map(({ name }) => name)).toEqual(['install-cni']);
    const { data } = find('ConfigMap', { cni: { plugin: 'kilo', mtu: 1380 } }, 'mesh-kilo-cni') as unknown as {
      data: Record<string, string>;
    };
    expect(JSON.parse(data['10-kilo.conflist']!)).toMatchObject({
      name: 'kilo',
      plugins: [
        { type: 'bridge', bridge: 'kube-bridge', mtu: 1380, ipam: { type: 'host-local' } },
        { type: 'portmap' },
      ],
    });
  });
});

describe('the rights of the agents', () => {
  const rules = (find('ClusterRole') as unknown as { rules: Record<string, string[]>[] }).rules;

  test('are to list, watch and patch nodes, to list and watch Peers, and to read one definition', () => {
    expect(rules).toEqual([
      { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'patch', 'watch'] },
      { apiGroups: ['kilo.squat.ai'], resources: ['peers'], verbs: ['list', 'watch'] },
      {
        apiGroups: ['apiextensions.k8s.io'],
        resources: ['customresourcedefinitions'],
        resourceNames: ['peers.kilo.squat.ai'],
        verbs: ['get'],
      },
    ]);
  });

  test('are given to their service account, whatever its name, and to nobody where the user does that', () => {
    const values = { serviceAccount: { create: false, name: 'mine' } };
    expect(find('ClusterRoleBinding', values)!['subjects']).toEqual([
      { kind: 'ServiceAccount', name: 'mine', namespace: 'vpn' },
    ]);
    expect(pod(values)['serviceAccountName']).toBe('mine');
    expect(find('ClusterRole', { rbac: { create: false } })).toBeUndefined();
    expect(find('ClusterRoleBinding', { rbac: { create: false } })).toBeUndefined();
  });
});

describe('a Peer object', () => {
  test('has the name of its peer, and is in no namespace', () => {
    const { metadata } = find('Peer', withPeer())!;
    expect([metadata.name, metadata['namespace']]).toEqual(['alice', undefined]);
  });

  test('allows the addresses of the peer, each as a network of one, and the networks behind it', () => {
    expect(
      peer(withPeer({ addresses: ['10.5.0.1', 'fd05::1'], routedNetworks: ['192.168.10.0/24'] }))['allowedIPs'],
    ).toEqual(['10.5.0.1/32', 'fd05::1/128', '192.168.10.0/24']);
  });

  test.each([
    ['198.51.100.7:51820', { dnsOrIP: { ip: '198.51.100.7' }, port: 51820 }],
    ['[2001:DB8::7]:443', { dnsOrIP: { ip: '2001:DB8::7' }, port: 443 }],
    ['VPN.Example.com:1', { dnsOrIP: { dns: 'vpn.example.com' }, port: 1 }],
    ['a1:65535', { dnsOrIP: { dns: 'a1' }, port: 65535 }],
  ])('has the endpoint %s taken apart', (endpoint, expected) => {
    expect(peer(withPeer({ endpoint }))['endpoint']).toEqual(expected);
  });

  test('has no endpoint and no pre-shared key where none is given', () => {
    expect(Object.keys(peer(withPeer())).sort()).toEqual(['allowedIPs', 'persistentKeepalive', 'publicKey']);
  });

  test('has the keepalive of its peer, 0 too, or that of all clients', () => {
    expect(peer(withPeer())['persistentKeepalive']).toBe(25);
    expect(peer({ ...withPeer(), client: { persistentKeepaliveSeconds: 10 } })['persistentKeepalive']).toBe(10);
    expect(peer(withPeer({ persistentKeepaliveSeconds: 0 }))['persistentKeepalive']).toBe(0);
  });

  test('with a pre-shared key is a file that only its owner may read', () => {
    const secret = (values: JsonObject): (boolean | undefined)[] =>
      manifestFiles(objects(values)).flatMap((file) => (file.name.startsWith('Peer.') ? [file.secret] : []));
    expect(peer(withPeer({ presharedKey: { value: PRESHARED } }))['presharedKey']).toBe(PRESHARED);
    expect(secret(withPeer({ presharedKey: { value: PRESHARED } }))).toEqual([true]);
    expect(secret(withPeer())).toEqual([false]);
  });
});

describe('the definition of Peer objects', () => {
  test('stands before all else', () => {
    expect(objects(withPeer())[0]).toMatchObject({
      kind: 'CustomResourceDefinition',
      metadata: { name: 'peers.kilo.squat.ai' },
    });
  });

  test('is in crds/ of the chart, as it is, and in no template', () => {
    const files = kilo.files();
    expect(files.filter(({ text }) => text.includes('CustomResourceDefinition')).map(({ name }) => name)).toEqual([
      'crds/peers.kilo.squat.ai.yaml',
    ]);
    const { text } = files.find(({ name }) => name.startsWith('crds/'))!;
    expect(text).not.toContain('{{');
    expect(text).toContain('openAPIV3Schema');
  });

  test('stays after an uninstallation, as the notes say', () => {
    expect(kilo.notes()).toContain('kubectl delete customresourcedefinition peers.kilo.squat.ai');
  });
});

describe('the notes', () => {
  const notes = (values: JsonObject): string =>
    kilo.notes({ values, release: { name: 'mesh', namespace: 'vpn' } }) ?? '';

  test('say which plugin Kilo works beside, or that it is one', () => {
    expect(notes({ cni: { plugin: 'cilium' } })).toContain('beside the network plugin cilium');
    expect(notes({ cni: { plugin: 'kilo' } })).toContain('It is the network plugin');
  });

  test('name every peer, and where what it serves is reached', () => {
    const services = {
      web: { ports: { http: { port: 80 } } },
      db: { namespace: 'shop', ports: { sql: { port: 5432 } } },
    };
    const text = notes(withPeer({ services }));
    expect(text).toContain('kgctl showconf peer alice\n');
    expect(text).toContain('web.vpn.svc');
    expect(text).toContain('db.shop.svc');
  });

  test('say what is left on the nodes', () => {
    expect(notes({ interfaceName: 'mesh0' })).toContain('ip link delete mesh0');
    expect(notes({ cleanUp: { interface: true } })).not.toContain('ip link delete');
  });
});

describe('the metrics', () => {
  const metrics = (more: JsonObject): JsonObject => ({ metrics: more });

  test('are read at every pod, where the values ask for it', () => {
    expect(find('PodMonitor')).toBeUndefined();
    expect(find('PodMonitor', metrics({ podMonitor: { enabled: true, intervalSeconds: 60 } }))!['spec']).toEqual({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'kilo', 'app.kubernetes.io/instance': 'mesh' } },
      podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', interval: '60s' }],
    });
  });

  test('are judged by the number of peers of the release', () => {
    const expressions = (values: JsonObject): string =>
      JSON.stringify(find('PrometheusRule', { ...values, ...metrics({ prometheusRule: { enabled: true } }) }));
    expect(find('PrometheusRule')).toBeUndefined();
    expect(expressions(withPeer())).toContain(
      String.raw`min(kilo_peers{namespace=\"vpn\",pod=~\"mesh-kilo-[a-z0-9]+\"}) < 1`,
    );
    expect(expressions({})).not.toContain('KiloPeersMissing');
  });
});

describe('the checks', () => {
  const collision = 'an address is of one peer, of the cluster or of Kilo’s subnet: choose another one';
  const twoPeers = (one: JsonObject, other: JsonObject): JsonObject => ({
    peers: { alice: aPeer(one), bob: { publicKey: KEYS[1]!, addresses: ['10.5.0.2'], ...other } },
  });
  const table: [string, JsonObject, string][] = [
    [
      'a key that two peers have',
      twoPeers({}, { publicKey: KEYS[0]! }),
      'peers.bob.publicKey: is the same key as peers.alice.publicKey; WireGuard knows a peer by its key: give each its own',
    ],
    [
      'an address that two peers have',
      twoPeers({}, { addresses: ['10.5.0.1'] }),
      `peers.bob.addresses[0]: overlaps with peers.alice.addresses[0]; ${collision}`,
    ],
    [
      'one IPv6 address in two ways to write it',
      twoPeers({ addresses: ['fd05::1'] }, { addresses: ['FD05:0:0::0001'] }),
      `peers.bob.addresses[0]: overlaps with peers.alice.addresses[0]; ${collision}`,
    ],
    [
      'an address inside a network of another',
      twoPeers({ routedNetworks: ['192.168.10.0/24'] }, { addresses: ['192.168.10.9'] }),
      `peers.bob.addresses[0]: overlaps with peers.alice.routedNetworks[0]; ${collision}`,
    ],
    [
      'a network of the pods',
      { ...CLUSTER, ...withPeer({ routedNetworks: ['10.244.7.0/24'] }) },
      `peers.alice.routedNetworks[0]: overlaps with cluster.podCidrs[0]; ${collision}`,
    ],
    [
      'a network of the Services',
      { ...CLUSTER, ...withPeer({ addresses: ['10.97.0.1'] }) },
      `peers.alice.addresses[0]: overlaps with cluster.serviceCidrs[0]; ${collision}`,
    ],
    [
      'a network around that of the nodes',
      { ...CLUSTER, ...withPeer({ routedNetworks: ['172.16.0.0/12'] }) },
      `cluster.nodeCidrs[0]: overlaps with peers.alice.routedNetworks[0]; ${collision}`,
    ],
    [
      'an address of Kilo’s own',
      withPeer({ addresses: ['10.4.0.99'] }),
      `peers.alice.addresses[0]: overlaps with subnet; ${collision}`,
    ],
    [
      'everything behind a peer',
      withPeer({ addresses: ['fd05::1'], routedNetworks: ['0.0.0.0/0'] }),
      `subnet: overlaps with peers.alice.routedNetworks[0]; ${collision}`,
    ],
    [
      'a subnet of the pods',
      { ...CLUSTER, subnet: '10.244.0.0/24' },
      `subnet: overlaps with cluster.podCidrs[0]; ${collision}`,
    ],
    [
      'host bits behind a peer',
      withPeer({ routedNetworks: ['192.168.10.1/24'] }),
      'peers.alice.routedNetworks[0]: is an address inside a network, not the network, got "192.168.10.1/24"; set the bits behind the prefix length to zero',
    ],
    [
      'host bits of a client',
      { client: { allowedIPs: ['10.96.0.1/12'] } },
      'client.allowedIPs[0]: is an address inside a network, not the network, got "10.96.0.1/12"; set the bits behind the prefix length to zero',
    ],
    [
      'host bits of one client',
      withPeer({ client: { allowedIPs: ['10.96.0.1/12'] } }),
      'peers.alice.client.allowedIPs[0]: is an address inside a network, not the network, got "10.96.0.1/12"; set the bits behind the prefix length to zero',
    ],
    [
      'host bits in the subnet',
      { subnet: '10.4.0.1/16' },
      'subnet: is an address inside a network, not the network, got "10.4.0.1/16"; set the bits behind the prefix length to zero',
    ],
    [
      'a subnet without room',
      { subnet: '10.4.0.0/31' },
      'subnet: has no room for nodes, got "10.4.0.0/31"; use a prefix length of 30 or less',
    ],
    [
      'a subnet that is too large',
      { subnet: '8.0.0.0/7' },
      'subnet: is so large that the mesh would take other traffic of the nodes, got "8.0.0.0/7"; use a prefix length of 8 or more',
    ],
    [
      'Services among the pods',
      { cluster: { podCidrs: ['10.0.0.0/8'], serviceCidrs: ['10.96.0.0/12'] } },
      'cluster.serviceCidrs[0]: overlaps with cluster.podCidrs[0]; an address of a Service is that of nothing else: look at how the cluster was made',
    ],
    [
      'a reading that takes longer than the time between two',
      { metrics: { podMonitor: { intervalSeconds: 5, scrapeTimeoutSeconds: 6 } } },
      'metrics.podMonitor.scrapeTimeoutSeconds: is longer than the 5 seconds between two readings, got 6; use the same or less',
    ],
    [
      'objects whose name no Service can have',
      { fullnameOverride: '1a' },
      'fullnameOverride: the objects would have a name that no Service can have (RFC 1035), got "1a"; set fullnameOverride to lower-case letters, digits and hyphens, a letter first',
    ],
  ];

  test.each(table)('refuse %s', (_title, values, sentence) => {
    expect(problems(values)).toContain(sentence);
  });

  test('report everything at once', () => {
    expect(
      problems({
        subnet: '10.4.0.1/16',
        ...twoPeers({ routedNetworks: ['192.168.10.1/24'] }, { publicKey: KEYS[0]! }),
      }),
    ).toHaveLength(3);
  });

  test('let networks be neighbours, and nodes and pods share theirs', () => {
    expect(
      problems({
        cluster: { podCidrs: ['10.0.0.0/16'], nodeCidrs: ['10.0.0.0/20'], serviceCidrs: ['10.96.0.0/12'] },
        subnet: '10.4.0.0/16',
        ...twoPeers({ addresses: ['10.5.0.2'] }, { addresses: ['10.5.0.20'], routedNetworks: ['10.3.0.0/16'] }),
      }),
    ).toEqual([]);
  });

  test('show no pre-shared key, in whatever way it is wrong', () => {
    for (const presharedKey of [
      { value: PRESHARED.slice(1) },
      { value: `${PRESHARED}x` },
      { value: PRESHARED, existingSecret: 'a' },
      PRESHARED,
    ] as JsonObject[string][]) {
      const [problem = '', ...more] = problems(withPeer({ presharedKey }));
      expect([more, problem]).toEqual([[], expect.stringMatching(/^peers\.alice\.presharedKey/)]);
      expect(problem).not.toMatch(/VDUkVULWRvLW5vdC1wcmludC/);
    }
  });

  test('of peers know no keys that only the WireGuard server has', () => {
    expect(problems(withPeer({ generate: true }))).toEqual([
      expect.stringMatching(/^peers\.alice\.generate: unknown key/),
    ]);
  });
});

test('what the release of Kilo makes for peers is not taken for its own by those who look for its labels', () => {
  const values = withPeer({ services: { web: { ports: { metrics: { port: 80 } } } } });
  const { labels } = find('Service', values)!.metadata as unknown as { labels: Record<string, string> };
  expect(labels['app.kubernetes.io/name']).toBe('kilo-peers');
});

test('the chart is one of the package', () => {
  expect(Object.keys(CHARTS)).toContain('kilo');
});

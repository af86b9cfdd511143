import { wireguard } from '../../charts/wireguard';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError } from '../../lib/staged/input-error';
import type { KubernetesObject } from '../../lib/staged/resource';

const KEYS = [
  'PhvU3EJ9OhIsRydxhf5Ek2mzWIM7pC52kVjo4qzaeAo=',
  'HxbYrAJTeGK6i7OdtnUY7DqAmMsgCO1SUwHWPzHHPhc=',
  '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=',
];
/** 32 bytes that say what they are, in base64. */
const SECRET = 'U0VDUkVULWRvLW5vdC1wcmludC1wcml2YXRlLWtleS4=';
const PRESHARED = 'U0VDUkVULWRvLW5vdC1wcmludC1wcmVzaGFyZWQuLi4=';

const aPeer = (more: JsonObject = {}): JsonObject => ({ publicKey: KEYS[0]!, addresses: ['10.13.13.2'], ...more });
const withPeer = (more: JsonObject): JsonObject => ({ peers: { alice: aPeer(more) } });

function objects(values: JsonObject = {}): KubernetesObject[] {
  return wireguard.objects({ values, release: { name: 'home', namespace: 'vpn' } });
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: Record<string, unknown>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports?: readonly Record<string, unknown>[];
  readonly resources?: unknown;
}

interface Pod {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Record<string, unknown>[];
  readonly serviceAccountName: string;
  readonly securityContext?: Record<string, unknown>;
  readonly [key: string]: unknown;
}

interface Template {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: Pod;
}

const find = (kind: string, name: string, values: JsonObject = {}): KubernetesObject | undefined =>
  objects(values).find((object) => object.kind === kind && object.metadata.name === name);

function template(values: JsonObject = {}): Template {
  return (find('Deployment', 'home-wireguard', values)!['spec'] as unknown as { template: Template }).template;
}
const pod = (values: JsonObject = {}): Pod => template(values).spec;
const server = (values: JsonObject = {}): Container => pod(values).containers.find(({ name }) => name === 'wireguard')!;
const environment = (values: JsonObject = {}): Record<string, string> =>
  Object.fromEntries(server(values).env!.map(({ name, value }) => [name, value]));
const config = (file: string, values: JsonObject = {}): string =>
  (find('ConfigMap', 'home-wireguard', values)!['data'] as Record<string, string>)[file]!;
const wgConf = (values: JsonObject = {}): string => config('wg.conf', values);
const nft = (values: JsonObject = {}): string => config('nftables.conf', values);
const service = (values: JsonObject = {}): Record<string, unknown> | undefined =>
  find('Service', 'home-wireguard', values)?.['spec'] as Record<string, unknown> | undefined;
const serviceWith = (values: JsonObject): Record<string, unknown> => service({ service: values })!;
const labelsOf = (object: KubernetesObject): Record<string, string> =>
  object.metadata['labels'] as Record<string, string>;

function problems(values: JsonObject): readonly string[] {
  try {
    objects(values);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

/** Of a chain of the packet filter, the lines between its braces. */
function chain(name: string, values: JsonObject): string[] {
  const [, body = ''] = new RegExp(`chain ${name} \\{\\n([^}]*)\\}`).exec(nft(values)) ?? [];
  return body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('a peer', () => {
  test('has its key and its addresses in the configuration, under its name', () => {
    expect(wgConf(withPeer({ addresses: ['10.13.13.2', '10.13.13.9'] }))).toContain(
      `# name = alice\n[Peer]\nPublicKey = ${KEYS[0]!}\nAllowedIPs = 10.13.13.2, 10.13.13.9\n`,
    );
  });

  test('without an endpoint gets no Endpoint line, and without a keepalive none of it', () => {
    expect(wgConf(withPeer({}))).not.toMatch(/Endpoint|PersistentKeepalive/);
  });

  test('has its endpoint and its keepalive where they are given, 0 too', () => {
    const text = wgConf(withPeer({ endpoint: '[2001:db8::1]:51820', persistentKeepaliveSeconds: 0 }));
    expect(text).toContain('Endpoint = [2001:db8::1]:51820\n');
    expect(text).toContain('PersistentKeepalive = 0\n');
  });

  test('has the networks behind it among its allowed addresses, and the pod routes them', () => {
    const values = { ...withPeer({ routedNetworks: ['192.168.10.0/24', '2001:db8:1::/48'] }), network6: 'fd00::/64' };
    expect(wgConf(values)).toContain('AllowedIPs = 192.168.10.0/24\nAllowedIPs = 2001:db8:1::/48\n');
    expect(config('routes', values)).toContain('192.168.10.0/24\n2001:db8:1::/48\n');
  });

  test('stands in the order of names, whatever the order in the file', () => {
    const peer = (i: number): JsonObject => ({ publicKey: KEYS[i]!, addresses: [`10.13.13.${String(i + 2)}`] });
    const names = wgConf({ peers: { '10': peer(0), b: peer(1), '9': peer(2) } }).match(/(?<=# name = ).*/g);
    expect(names).toEqual(['10', '9', 'b']);
  });

  test('is not needed', () => {
    expect(wgConf()).toBe('[Interface]\nListenPort = 51820\n');
  });
});

describe('access rules', () => {
  const rules = (allow: JsonObject): JsonObject => withPeer({ allow });

  test('are there for no peer that has none', () => {
    expect(nft(withPeer({}))).not.toContain('peer-alice');
  });

  test('let nothing through where they are empty', () => {
    expect(chain('peer-alice', rules({}))).toEqual(['drop']);
    expect(nft(rules({}))).toContain('10.13.13.2 : goto peer-alice,');
  });

  test('let everything through to a network without ports', () => {
    expect(chain('peer-alice', rules({ intranet: { networks: ['10.0.0.0/8', '2001:db8::/32'] } }))).toEqual([
      'ip daddr 10.0.0.0/8 accept',
      'ip6 daddr 2001:db8::/32 accept',
      'drop',
    ]);
  });

  test('let only the ports through, TCP unless another protocol is named', () => {
    const ports = [{ port: 443 }, { port: 8000, endPort: 8080 }, { port: 53, protocol: 'UDP' }];
    expect(chain('peer-alice', rules({ web: { networks: ['10.0.0.7'], ports } }))).toEqual([
      'ip daddr 10.0.0.7 tcp dport 443 accept',
      'ip daddr 10.0.0.7 tcp dport 8000-8080 accept',
      'ip daddr 10.0.0.7 udp dport 53 accept',
      'drop',
    ]);
  });

  test('name another peer for its addresses and the networks behind it', () => {
    const bob = { publicKey: KEYS[1]!, addresses: ['10.13.13.3'], routedNetworks: ['192.168.10.0/24'] };
    expect(chain('peer-alice', { peers: { alice: aPeer({ allow: { bob: { peers: ['bob'] } } }), bob } })).toEqual([
      'ip daddr 10.13.13.3 accept',
      'ip daddr 192.168.10.0/24 accept',
      'drop',
    ]);
  });
});

describe('the data path', () => {
  test('hides the clients behind the pod, those behind a site too', () => {
    const text = nft(withPeer({ routedNetworks: ['192.168.10.0/24'] }));
    expect(text).toMatch(/elements = \{\s+10\.13\.13\.0\/24,\s+192\.168\.10\.0\/24,\s+\}/);
    expect(text).toContain('ip saddr @clients4 oifname != "wg0" masquerade');
  });

  test('keeps their addresses in the mode routed', () => {
    expect(nft({ mode: 'routed' })).not.toContain('masquerade');
  });

  test('clamps TCP segments in both directions in both modes', () => {
    for (const mode of ['masquerade', 'routed']) {
      expect(
        chain('clamp', { mode, interfaceName: 'vpn0' })
          .filter((line) => line.includes('maxseg'))
          .map((line) => line.slice(0, 33)),
      ).toEqual([
        'iifname "vpn0" meta nfproto ipv4 ',
        'oifname "vpn0" meta nfproto ipv4 ',
        'iifname "vpn0" meta nfproto ipv6 ',
        'oifname "vpn0" meta nfproto ipv6 ',
      ]);
    }
  });

  test('gives the server the first address of each network', () => {
    expect(environment()['ADDRESSES']).toBe('10.13.13.1/24');
    expect(environment({ network: '10.0.0.128/25', network6: 'fd00:13::/64' })['ADDRESSES']).toBe(
      '10.0.0.129/25 fd00:13::1/64',
    );
  });

  test('has the MTU of the values, or finds one by itself', () => {
    expect([environment()['MTU'], environment({ mtu: 1380 })['MTU']]).toEqual(['auto', '1380']);
  });

  test('is in one pod with a network namespace of its own, which is replaced, never doubled', () => {
    const { spec } = find('Deployment', 'home-wireguard') as unknown as { spec: Record<string, unknown> };
    expect([spec['replicas'], spec['strategy']]).toEqual([1, { type: 'Recreate' }]);
    expect(pod()['hostNetwork']).toBeUndefined();
  });

  test('has one privileged container at most, which ends before the server starts', () => {
    const all = pod();
    expect(all.initContainers!.map(({ name, securityContext }) => [name, securityContext['privileged']])).toEqual([
      ['ip-forwarding', true],
    ]);
    for (const { securityContext } of all.containers) {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
      expect(securityContext['privileged']).toBeUndefined();
    }
  });

  test('lets the kubelet turn on forwarding with the method sysctl, for IPv6 where there is some', () => {
    const values = { ipForwarding: { method: 'sysctl' } };
    expect(pod(values).initContainers).toBeUndefined();
    expect(pod(values).securityContext!['sysctls']).toEqual([{ name: 'net.ipv4.ip_forward', value: '1' }]);
    expect(pod({ ...values, network6: 'fd00::/64' }).securityContext!['sysctls']).toContainEqual({
      name: 'net.ipv6.conf.all.forwarding',
      value: '1',
    });
  });

  test('changes nothing with the method assume', () => {
    const { initContainers, securityContext } = pod({ ipForwarding: { method: 'assume' } });
    expect([initContainers, securityContext!['sysctls']]).toEqual([undefined, undefined]);
  });

  test('has a userspace container and the TUN device only where an image is given for it', () => {
    expect(pod().containers.map(({ name }) => name)).toEqual(['wireguard', 'health']);
    const userspace = pod({ userspace: { image: { repository: 'example/wireguard-go', tag: '1.0' } } });
    expect(userspace.containers.map(({ name, image }) => [name, image])[2]).toEqual([
      'userspace',
      'docker.io/example/wireguard-go:1.0',
    ]);
    expect(userspace.volumes).toContainEqual({ name: 'tun', hostPath: { path: '/dev/net/tun', type: 'CharDevice' } });
  });
});

describe('keys', () => {
  test('of an existing Secret are mounted, and no Secret is made', () => {
    const values = { privateKey: { existingSecret: 'server', key: 'wg' } };
    expect(objects(values).filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(JSON.stringify(pod(values).volumes)).toContain('"secretName":"server"');
    expect(JSON.stringify(pod(values).volumes)).toContain('"key":"wg"');
  });

  test('given as values stand in stringData of a Secret and nowhere else', () => {
    const values = { privateKey: { value: SECRET }, ...withPeer({ presharedKey: { value: PRESHARED } }) };
    const holders = objects(values).filter((object) =>
      [SECRET, PRESHARED].some((secret) => JSON.stringify(object).includes(secret)),
    );
    expect(holders.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([['Secret', 'home-wireguard-keys']]);
    const { stringData, ...rest } = holders[0]!;
    expect(Object.values(stringData as object).sort()).toEqual([PRESHARED, SECRET].sort());
    expect(JSON.stringify(rest)).not.toContain('U0VDUkVU');
  });

  test('do not stand in a message, in whatever way they are wrong', () => {
    const values = [
      { privateKey: { value: `${SECRET}x` } },
      { privateKey: { existingSecret: 'a', value: SECRET } },
      withPeer({ presharedKey: { value: PRESHARED.slice(1) } }),
      withPeer({ presharedKey: { existingSecret: 'a', value: PRESHARED } }),
      withPeer({ presharedKey: PRESHARED }),
    ];
    for (const one of values) {
      expect(problems(one)).toHaveLength(1);
      expect(problems(one).join()).not.toMatch(/VDUkVULWRvLW5vdC1wcmludC/);
    }
  });
});

describe('the checks', () => {
  const twoPeers = (one: JsonObject, other: JsonObject): JsonObject => ({
    peers: { alice: aPeer(one), bob: { publicKey: KEYS[1]!, addresses: ['10.13.13.3'], ...other } },
  });
  const outside = 'is outside the network of the VPN';
  const table: [string, JsonObject, string][] = [
    [
      'a key that two peers have',
      twoPeers({}, { publicKey: KEYS[0]! }),
      'peers.bob.publicKey: is the same key as peers.alice.publicKey; WireGuard knows a peer by its key: give each its own',
    ],
    [
      'an address that two peers have',
      twoPeers({}, { addresses: ['10.13.13.2'] }),
      'peers.bob.addresses[0]: overlaps with peers.alice.addresses[0]; WireGuard sends a packet to one peer only: give every network to one peer, once',
    ],
    [
      'an address that a peer has twice',
      withPeer({ addresses: ['10.13.13.2', '10.13.13.2'] }),
      'peers.alice.addresses[1]: overlaps with peers.alice.addresses[0]; WireGuard sends a packet to one peer only: give every network to one peer, once',
    ],
    [
      'a network inside another’s',
      twoPeers({ routedNetworks: ['172.16.0.0/12'] }, { routedNetworks: ['172.20.0.0/16'] }),
      'peers.bob.routedNetworks[0]: overlaps with peers.alice.routedNetworks[0]; WireGuard sends a packet to one peer only: give every network to one peer, once',
    ],
    [
      'an address outside the network',
      withPeer({ addresses: ['10.13.14.2'] }),
      `peers.alice.addresses[0]: ${outside}, got "10.13.14.2"; choose an address of the network`,
    ],
    [
      'an IPv6 address outside the network',
      { network6: 'fd00::/64', ...withPeer({ addresses: ['fd01::2'] }) },
      `peers.alice.addresses[0]: ${outside}, got "fd01::2"; choose an address of the network`,
    ],
    [
      'an IPv6 address without an IPv6 network',
      withPeer({ addresses: ['fd00::2'] }),
      'peers.alice.addresses[0]: is an IPv6 address, but the VPN has no IPv6 network, got "fd00::2"; set network6, or remove the address',
    ],
    [
      'the server’s own address',
      withPeer({ addresses: ['10.13.13.1'] }),
      'peers.alice.addresses[0]: is the server’s own address, got "10.13.13.1"; choose another address of the network',
    ],
    [
      'the address of the network',
      withPeer({ addresses: ['10.13.13.0'] }),
      'peers.alice.addresses[0]: is the address of the network itself, got "10.13.13.0"; choose another address of the network',
    ],
    [
      'the broadcast address',
      withPeer({ addresses: ['10.13.13.255'] }),
      'peers.alice.addresses[0]: is the broadcast address of the network, got "10.13.13.255"; choose another address of the network',
    ],
    [
      'host bits in the network',
      { network: '10.13.13.1/24' },
      'network: is an address inside a network, not the network, got "10.13.13.1/24"; set the bits behind the prefix length to zero',
    ],
    [
      'a network without room',
      { network: '10.13.13.0/31' },
      'network: has no room for a server and a peer, got "10.13.13.0/31"; use a prefix length of 30 or less',
    ],
    [
      'an IPv6 network without room',
      { network6: 'fd00::/127' },
      'network6: has no room for a server and a peer, got "fd00::/127"; use a prefix length of 126 or less',
    ],
    [
      'the VPN’s own network behind a peer',
      withPeer({ routedNetworks: ['10.13.13.128/25'] }),
      'peers.alice.routedNetworks[0]: overlaps with the VPN’s own network, got "10.13.13.128/25"; a routed network lies behind the peer: name that one',
    ],
    [
      'an MTU that does not fit',
      { mtu: 1421, underlayMtu: 1500 },
      'mtu: does not fit into the underlay’s 1500 bytes with WireGuard’s 80, got 1421; use 1420 or less',
    ],
    [
      'an MTU too small for IPv6',
      { mtu: 1279, network6: 'fd00::/64' },
      'mtu: is too small for IPv6, got 1279; use 1280 or more',
    ],
    [
      'two private keys',
      { privateKey: { existingSecret: 'a', value: SECRET } },
      'privateKey: has both existingSecret and value; keep one of them',
    ],
    [
      'a pre-shared key from nowhere',
      withPeer({ presharedKey: {} }),
      'peers.alice.presharedKey: has neither existingSecret nor value; make a Secret from `wg genpsk` and name it in existingSecret',
    ],
    [
      'a private key that is none, without showing it',
      { privateKey: { value: 'c2VjcmV0' } },
      'privateKey.value: is not a WireGuard key: 32 bytes in base64, 44 characters; make one with `wg genkey`',
    ],
    [
      'a pre-shared key that is none, without showing it',
      withPeer({ presharedKey: { value: 'c2VjcmV0' } }),
      'peers.alice.presharedKey.value: is not a WireGuard key: 32 bytes in base64, 44 characters; make one with `wg genpsk`',
    ],
    [
      'an IPv6 network behind a peer where the pod does not forward IPv6',
      withPeer({ routedNetworks: ['2001:db8::/32'] }),
      'peers.alice.routedNetworks[0]: is an IPv6 network, but the VPN has no IPv6 network, got "2001:db8::/32"; set network6, or remove the network',
    ],
    [
      'a rule without a destination',
      withPeer({ allow: { web: { ports: [{ port: 443 }] } } }),
      'peers.alice.allow.web: names neither networks nor peers; say where the ports are, or remove the rule',
    ],
    [
      'a network that takes all traffic of the pod',
      { network: '0.0.0.0/0' },
      'network: is so large that the tunnel would take other traffic of the pod, got "0.0.0.0/0"; use a prefix length of 8 or more',
    ],
    [
      'an IPv6 network that takes all traffic of the pod',
      { network6: '::/0' },
      'network6: is so large that the tunnel would take other traffic of the pod, got "::/0"; use a prefix length of 16 or more',
    ],
    [
      'the name of the pod’s own interface',
      { interfaceName: 'eth0' },
      'interfaceName: is the name of the pod’s own interface, got "eth0"; use another one, such as wg0',
    ],
    [
      'sysctls that would replace those of the method',
      { ipForwarding: { method: 'sysctl' }, podSecurityContext: { sysctls: [{ name: 'a', value: '1' }] } },
      'ipForwarding.method: is lost, because podSecurityContext has sysctls of its own, got "sysctl"; add net.ipv4.ip_forward to them and use assume, or use init',
    ],
    [
      'a name that no Service can have',
      { fullnameOverride: '1st' },
      'fullnameOverride: the objects would have a name that no Service can have (RFC 1035), got "1st"; set fullnameOverride to lower-case letters, digits and hyphens, a letter first',
    ],
    [
      'a rule for a peer that is not there',
      withPeer({ allow: { web: { peers: ['bob'] } } }),
      'peers.alice.allow.web.peers[0]: is not a peer, got "bob"; name a key of peers',
    ],
    [
      'ports in the wrong order',
      withPeer({ allow: { web: { networks: ['10.0.0.1'], ports: [{ port: 443, endPort: 80 }] } } }),
      'peers.alice.allow.web.ports[0].endPort: is below the first port 443, got 80; put the lower port first',
    ],
    [
      'a node port of a ClusterIP',
      { service: { type: 'ClusterIP', nodePort: 31820 } },
      'service.nodePort: is set, but a Service of type ClusterIP has none, got 31820; remove it, or use the type NodePort',
    ],
    [
      'a NodePort without an address',
      { service: { type: 'NodePort', clusterIP: 'None' } },
      'service.clusterIP: is set, but a Service of type NodePort needs an address, got "None"; remove it, or use the type ClusterIP',
    ],
  ];

  test.each(table)('refuse %s', (_, values, sentence) => {
    expect(problems(values)).toEqual([sentence]);
  });

  test('report everything at once', () => {
    expect(
      problems({ mtu: 1421, underlayMtu: 1500, network: '10.0.0.0/31', ...withPeer({}) }).map(
        (sentence) => sentence.split(':')[0],
      ),
    ).toEqual(['network', 'mtu', 'peers.alice.addresses[0]']);
  });

  test('accept the last MTU that fits, the last prefix with room, and the last address before the broadcast', () => {
    expect(
      problems({
        mtu: 1420,
        underlayMtu: 1500,
        network: '10.0.0.0/30',
        network6: 'fd00::/126',
        ...withPeer({ addresses: ['10.0.0.2', 'fd00::3'] }),
      }),
    ).toEqual([]);
  });

  test('refuse a configuration that the API would not take', () => {
    const rules = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [
        `rule-${String(i)}`,
        { networks: Array.from({ length: 20 }, (_, j) => `10.${String(i % 256)}.${String(j)}.0/24`) },
      ]),
    );
    expect(problems(withPeer({ allow: rules }))).toEqual([
      expect.stringMatching(
        /^peers: make a configuration of more than the 900000 bytes that fit into a release, got \d+; keep peers in Secrets, and name those in peersFrom$/,
      ),
    ]);
  });
});

describe('the Service', () => {
  test('is a load balancer for UDP', () => {
    expect(service()).toEqual({
      type: 'LoadBalancer',
      selector: { 'app.kubernetes.io/name': 'wireguard', 'app.kubernetes.io/instance': 'home' },
      ports: [{ name: 'wireguard', port: 51820, targetPort: 'wireguard', protocol: 'UDP' }],
    });
  });

  test('has a node port where one is given', () => {
    expect(serviceWith({ type: 'NodePort', nodePort: 31820 })).toMatchObject({
      type: 'NodePort',
      ports: [{ nodePort: 31820 }],
    });
  });

  test.each([
    [{ loadBalancerClass: 'example.com/nlb' }],
    [{ loadBalancerIP: '203.0.113.10' }],
    [{ loadBalancerSourceRanges: ['198.51.100.0/24'] }],
    [{ allocateLoadBalancerNodePorts: false }],
    [{ externalIPs: ['203.0.113.10'] }],
    [{ externalTrafficPolicy: 'Local' }],
    [{ internalTrafficPolicy: 'Local' }],
    [{ sessionAffinity: 'ClientIP' }],
    [{ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }],
    [{ type: 'ClusterIP', clusterIP: 'None' }],
  ])('takes %j as it is', (values) => {
    expect(serviceWith(values)).toMatchObject(values);
  });

  test('has its own annotations beside those of all objects', () => {
    const { metadata } = find('Service', 'home-wireguard', {
      commonAnnotations: { a: '1', b: '1' },
      service: { annotations: { b: '2' } },
    })!;
    expect(metadata['annotations']).toEqual({ a: '1', b: '2' });
  });

  test('is not there if it is turned off, and a host port leads to the pod', () => {
    const values = { service: { enabled: false }, hostPort: 51821 };
    expect(service(values)).toBeUndefined();
    expect(server(values).ports).toEqual([
      { name: 'wireguard', containerPort: 51820, hostPort: 51821, protocol: 'UDP' },
    ]);
  });
});

describe('images', () => {
  const images = (values: JsonObject): string[] =>
    [...(pod(values).initContainers ?? []), ...pod(values).containers].map(({ image }) => image);

  test('are pinned to a version by default', () => {
    for (const image of images({})) expect(image).toMatch(/^[a-z.]+\/[a-z/]+:[0-9]+\.[0-9]+/);
  });

  test('are taken by digest where one is given', () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(server({ image: { digest } }).image).toBe(`lscr.io/linuxserver/wireguard@${digest}`);
  });

  test('all come from the registry of the release where it has one', () => {
    const values = {
      global: { imageRegistry: 'registry.example.com:5000/mirror' },
      userspace: { image: { repository: 'a/b' } },
    };
    for (const image of images(values)) expect(image.startsWith('registry.example.com:5000/mirror/')).toBe(true);
  });

  test('are pulled with the Secrets of the release and of the chart', () => {
    expect(
      pod({ global: { imagePullSecrets: [{ name: 'a' }] }, imagePullSecrets: [{ name: 'b' }] })['imagePullSecrets'],
    ).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(pod()['imagePullSecrets']).toBeUndefined();
  });
});

describe('names and labels', () => {
  test('are those of the release and the chart, unless it is in the release’s name already', () => {
    const nameIn = (name: string, values: JsonObject = {}): string =>
      wireguard.objects({ values, release: { name } }).find(({ kind }) => kind === 'Deployment')!.metadata.name;
    expect([
      nameIn('home'),
      nameIn('my-wireguard'),
      nameIn('home', { nameOverride: 'vpn' }),
      nameIn('home', { fullnameOverride: 'x' }),
    ]).toEqual(['home-wireguard', 'my-wireguard', 'home-vpn', 'x']);
  });

  test('of all objects can be added to, but what selects the pod cannot be replaced', () => {
    const commonLabels = { team: 'network', 'app.kubernetes.io/name': 'other' };
    for (const object of objects({ commonLabels }))
      expect(labelsOf(object)).toMatchObject({ team: 'network', 'app.kubernetes.io/name': 'wireguard' });
  });

  test('of the pod win over those of all objects', () => {
    const values = {
      commonLabels: { team: 'a', site: 'x' },
      podLabels: { team: 'b', 'app.kubernetes.io/instance': 'other' },
    };
    expect(template(values).metadata.labels).toMatchObject({
      team: 'b',
      site: 'x',
      'app.kubernetes.io/instance': 'home',
    });
    expect(labelsOf(find('Deployment', 'home-wireguard', values)!)).toMatchObject({ team: 'a' });
  });

  test('select by name and instance only, so that an upgrade never changes a selector', () => {
    const selector = (
      find('Deployment', 'home-wireguard', { commonLabels: { team: 'a' } })!['spec'] as { selector: unknown }
    ).selector;
    expect(selector).toEqual({
      matchLabels: { 'app.kubernetes.io/name': 'wireguard', 'app.kubernetes.io/instance': 'home' },
    });
  });
});

describe('what people expect of a workload', () => {
  test.each([
    [{ nodeSelector: { gpu: 'true' } }],
    [{ affinity: { nodeAffinity: { a: [1000000, 4200000001, 0.5] } } }],
    [{ topologySpreadConstraints: [{ maxSkew: 1 }] }],
    [{ priorityClassName: 'high' }],
    [{ runtimeClassName: 'kata' }],
    [{ schedulerName: 'other' }],
    [{ terminationGracePeriodSeconds: 0 }],
    [{ dnsPolicy: 'None' }],
    [{ dnsConfig: { nameservers: ['10.0.0.1'] } }],
    [{ hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] }],
  ])('the pod has %j', (values) => {
    expect(pod(values)).toMatchObject(values);
  });

  // The first that fits a taint decides (Kubernetes: GetMatchingTolerations), and one without seconds has no end.
  test('the pod leaves a lost node, whatever else it tolerates', () => {
    const leaving = (taint: string) => ({
      key: `node.kubernetes.io/${taint}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 7,
    });
    const everything = { operator: 'Exists' };
    expect(pod({ lostNodeSeconds: 7, tolerations: [everything] })).toMatchObject({
      tolerations: [leaving('not-ready'), leaving('unreachable'), everything],
    });
  });

  test('the main container has more environment, volumes and mounts, the pod more containers', () => {
    const values = {
      extraEnv: [{ name: 'TZ', value: 'UTC' }],
      extraVolumes: [{ name: 'x', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'x', mountPath: '/x' }],
      extraContainers: [{ name: 'y', image: 'z' }],
      extraInitContainers: [{ name: 'first', image: 'z' }],
    };
    expect(environment(values)['TZ']).toBe('UTC');
    expect(server(values).volumeMounts.at(-1)).toEqual({ name: 'x', mountPath: '/x' });
    expect(pod(values).volumes.at(-1)).toEqual({ name: 'x', emptyDir: {} });
    expect(pod(values).containers.at(-1)).toEqual({ name: 'y', image: 'z' });
    expect(pod(values).initContainers!.map(({ name }) => name)).toEqual(['first', 'ip-forwarding']);
  });

  test('more objects are installed as they are', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'notes' },
      data: { note: '{{ .Values }}' },
    };
    expect(objects({ extraObjects: [object] })).toContainEqual(object);
  });

  test('the service account is made without a token, or left out, or another’s', () => {
    expect(find('ServiceAccount', 'home-wireguard')).toMatchObject({ automountServiceAccountToken: false });
    expect(pod()['automountServiceAccountToken']).toBe(false);
    const account = (values: JsonObject): [number, string] => [
      objects({ serviceAccount: values }).filter(({ kind }) => kind === 'ServiceAccount').length,
      pod({ serviceAccount: values }).serviceAccountName,
    ];
    expect([
      account({}),
      account({ name: 'x' }),
      account({ create: false }),
      account({ create: false, name: 'x' }),
    ]).toEqual([
      [1, 'home-wireguard'],
      [1, 'x'],
      [0, 'default'],
      [0, 'x'],
    ]);
  });

  test('resources that are emptied are left out, of all containers', () => {
    const none = {
      requests: { cpu: null, memory: null, 'ephemeral-storage': null },
      limits: { memory: null, 'ephemeral-storage': null },
    };
    expect(server({ resources: none }).resources).toBeUndefined();
  });
});

describe('the notes', () => {
  const notes = (values: JsonObject = {}): string =>
    wireguard.notes({ values, release: { name: 'home', namespace: 'vpn' } })!;

  test('name the server and count its peers', () => {
    expect(notes(withPeer({}))).toContain('WireGuard server home-wireguard in namespace vpn');
  });

  test('say how to make the Secret that the pod waits for, and nothing of it where the key is given', () => {
    expect(notes({ privateKey: { existingSecret: 'server', key: 'wg' } })).toContain(
      'create secret generic server --from-file=wg=/dev/stdin',
    );
    expect(notes({ privateKey: { value: SECRET } })).not.toContain('create secret');
    expect(notes({ privateKey: { value: SECRET } })).not.toContain(SECRET);
  });

  test.each([
    ['the load balancer', {}, 'address of the load balancer, port 51820'],
    ['the nodes', { service: { type: 'NodePort' } }, 'address of any node'],
    ['the cluster only', { service: { type: 'ClusterIP' } }, 'home-wireguard.vpn.svc, port 51820'],
    ['the pod’s node', { service: { enabled: false }, hostPort: 51821 }, "address of the pod's node, port 51821"],
    ['nowhere', { service: { enabled: false } }, 'owhere yet: set service.enabled or hostPort'],
  ])('tell clients to come to %s', (_, values, sentence) => {
    expect(notes(values as JsonObject)).toContain(sentence);
  });

  test('say which level of Pod Security the namespace needs, and why', () => {
    for (const values of [{}, { ipForwarding: { method: 'assume' } }])
      expect(notes(values)).toContain('pod-security.kubernetes.io/enforce=privileged');
    expect(notes()).toContain('The init container ip-forwarding is privileged');
    expect(notes({ ipForwarding: { method: 'assume' } })).not.toContain('ip-forwarding');
    expect(notes({ hostPort: 51820 })).toContain('The pod has a host port.');
    expect(notes()).not.toContain('host port');
    expect(notes({ userspace: { image: { repository: 'a/b' } } })).toContain('The container userspace has NET_ADMIN');
  });

  test('name the command for the file of each client whose keys the pod makes', () => {
    const peers = {
      alice: { generate: true, addresses: ['10.13.13.2'] },
      bob: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.13.13.3'] },
    };
    const command = 'kubectl -n vpn exec deploy/home-wireguard -c wireguard -- sh /scripts/showconf.sh';
    expect(notes({ peers })).toContain(`${command} alice\n`);
    expect(notes({ peers })).not.toContain(`${command} bob`);
    expect(notes({ peers })).toContain('add --endpoint HOST:PORT');
    expect(notes({ peers, endpoint: 'vpn.example.com:51820' })).not.toContain('--endpoint');
    expect(notes({ peers })).toContain('home-wireguard-generated-keys');
    expect(notes()).not.toContain('generated-keys');
  });

  test('tell how to pin a generated key, until it is', () => {
    const privateKey = { generate: true };
    const serverPublicKey = '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=';
    expect(notes({ privateKey })).toContain('Pin it by setting serverPublicKey');
    expect(notes({ privateKey, serverPublicKey })).not.toContain('Pin it');
    expect(notes({ privateKey })).not.toContain('wg genkey');
  });

  test('name the peers that are restricted', () => {
    expect(notes(withPeer({ allow: {} }))).toContain('alice may reach only what its rules allow');
    expect(notes(withPeer({}))).not.toContain('may reach only');
  });
});

test('Helm’s schema refuses no secret for its text, because it would show it', () => {
  const schema = wireguard.files().find(({ name }) => name === 'values.schema.json')?.text ?? '';
  const { properties } = JSON.parse(schema) as {
    properties: {
      privateKey: { properties: { value: unknown } };
      peers: { additionalProperties: { properties: { presharedKey: { properties: { value: unknown } } } } };
    };
  };
  const free = { type: ['string', 'null'], description: expect.any(String) as string };
  expect(properties.privateKey.properties.value).toEqual(free);
  expect(properties.peers.additionalProperties.properties.presharedKey.properties.value).toEqual(free);
});

describe('the file of a client', () => {
  const lines = {
    privateKey: 'PrivateKey = x',
    publicKey: 'PublicKey = y',
    presharedKey: undefined,
    endpoint: 'Endpoint = z',
  };
  const linesOf = (values: object, peer: object): string[] =>
    wireguard
      .text((server) => server.clientConf('alice', lines), {
        values: {
          ...values,
          peers: { alice: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', ...peer } },
        },
      })
      .split('\n');
  const both = { network6: 'fd00:13::/64', dns: { mode: 'coredns' } };
  const four = { addresses: ['10.13.13.2'] };
  const six = { addresses: ['fd00:13::2'] };

  test('names DNS servers of the families that the peer has', () => {
    expect(linesOf(both, four)).toContain('DNS = 10.13.13.1');
    expect(linesOf(both, six)).toContain('DNS = fd00:13::1');
    expect(linesOf(both, { addresses: ['10.13.13.2', 'fd00:13::2'] })).toContain('DNS = 10.13.13.1, fd00:13::1');
    expect(linesOf({ dns: { mode: 'servers', servers: ['9.9.9.9'], searchDomains: ['a.b'] } }, four)).toContain(
      'DNS = 9.9.9.9, a.b',
    );
    expect(linesOf({}, four).join('\n')).not.toContain('DNS');
  });

  test('leads to the DNS server in the pod, also where the tunnel takes little', () => {
    const split = { allowedIPs: ['10.96.0.0/12'] };
    const dns = { mode: 'coredns' };
    expect(linesOf({ dns, client: split }, four)).toContain('AllowedIPs = 10.96.0.0/12, 10.13.13.1');
    expect(linesOf({ dns }, { ...four, client: split })).toContain('AllowedIPs = 10.96.0.0/12, 10.13.13.1');
    expect(linesOf({ dns, client: { allowedIPs: ['10.0.0.0/8'] } }, four)).toContain('AllowedIPs = 10.0.0.0/8');
    expect(linesOf({ ...both, client: split }, six)).toContain('AllowedIPs = 10.96.0.0/12, fd00:13::1');
    expect(linesOf({ client: split }, four)).toContain('AllowedIPs = 10.96.0.0/12');
  });

  test('has no MTU that wg-quick refuses with IPv6', () => {
    expect(linesOf({ mtu: 1200 }, four)).toContain('MTU = 1280');
    expect(linesOf({ mtu: 1380 }, four)).toContain('MTU = 1380');
    expect(linesOf({ mtu: 1380, client: { mtu: 1300 } }, four)).toContain('MTU = 1300');
    expect(linesOf({}, four)).toContain('MTU = 1420');
  });
});

test('a probe names no port of another container: the kubelet would not find it', () => {
  const everything = {
    metrics: { enabled: true },
    dns: { mode: 'coredns' },
    userspace: { image: { repository: 'a/b' } },
  };
  const pod = wireguard.objects({ values: everything }).find(({ kind }) => kind === 'Deployment')?.[
    'spec'
  ] as unknown as {
    template: { spec: { containers: { name: string; ports?: { name: string }[]; [probe: string]: unknown }[] } };
  };
  const strange = pod.template.spec.containers.flatMap((container) => {
    const own = (container.ports ?? []).map(({ name }) => name);
    return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe) => {
      const { httpGet, tcpSocket } = (container[probe] ?? {}) as Record<string, { port: string | number } | undefined>;
      const port = (httpGet ?? tcpSocket)?.port;
      return typeof port === 'string' && !own.includes(port) ? [`${container.name}.${probe}: ${port}`] : [];
    });
  });
  expect(strange).toEqual([]);
});

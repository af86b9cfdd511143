import type { JsonObject } from '../../lib/helm/values-file';
import { explain } from '../../lib/explain/explanation';
import { met, networkOf, node, only, sources, verdicts } from './network';

// Adler-32 of the names is 98 x 65,536 + 98 and 99 x 65,536 + 99 (RFC 1950); what is left of it modulo 65,534, and 1, is 295 and 298.
const [A, B] = ['198.19.1.39', '198.19.1.42'];
const NODES = [
  node('node1', '172.27.48.11', '10.234.1.0/24', { labels: { 'example.com/vpn-gateway': 'a' } }),
  node('node2', '172.27.48.12', '10.234.2.0/24'),
];
const tunnel = (gateway: string, address: string, local: string, remote: string): JsonObject => ({
  gateway,
  interfaceId: gateway === 'a' ? 1 : 2,
  preset: 'gcp',
  remote: { address },
  presharedKey: { existingSecret: 'psk' },
  inside: { local, remote },
  bgp: { peerAs: 64_514 },
});
/** Two gateways with a tunnel each, over which remote ends say what is behind them. */
const BGP = {
  cluster: { podCidrs: ['10.234.0.0/16'], serviceCidrs: ['10.233.0.0/16'], nodeCidrs: ['172.27.48.0/20'] },
  routes: { mode: 'bgp', localAs: 65_010, import: { vpc: { cidr: '10.0.0.0/16', maxLength: 20 } } },
  gateways: {
    a: { exposure: 'hostPort', identity: '203.0.113.10', nodeSelector: { 'example.com/vpn-gateway': 'a' } },
    b: { exposure: 'hostPort', identity: '203.0.113.11' },
  },
  tunnels: {
    primary: tunnel('a', '198.51.100.40', '169.254.100.2/30', '169.254.100.1'),
    secondary: tunnel('b', '198.51.100.41', '169.254.101.2/30', '169.254.101.1'),
  },
} satisfies JsonObject;
/** One gateway whose tunnel has known networks. */
const STATIC = {
  cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
  gateways: { a: { identity: '203.0.113.10' } },
  tunnels: {
    onprem: {
      gateway: 'a',
      interfaceId: 7,
      remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
      presharedKey: { existingSecret: 'psk' },
      mtu: 1400,
    },
  },
} satisfies JsonObject;
const POLICY = {
  cluster: STATIC.cluster,
  gateways: STATIC.gateways,
  tunnels: {
    office: {
      gateway: 'a',
      mode: 'policy',
      remote: { address: '198.51.100.7', networks: ['10.3.0.0/16', '10.4.0.0/16'] },
      presharedKey: { existingSecret: 'psk' },
      children: {
        servers: { localTs: ['10.244.0.0/16'], remoteTs: ['10.3.0.0/16'] },
        phones: { localTs: ['172.27.0.0/20'], remoteTs: ['10.4.0.0/17'] },
      },
    },
  },
} satisfies JsonObject;
const withAgents = (values: JsonObject): JsonObject => ({ ...values, agent: { enabled: true } });
const LINK = /^ {2}link ovl[0-9]{1,6} mtu 1400$/;

describe('a packet of a pod to what remote ends announce', () => {
  const network = networkOf('ipsec', BGP, NODES);
  const { there, back } = only(network, 'pod@node1', '10.0.0.9');

  test('is led over both gateways, each with its own tunnel', () => {
    const lines = met(there);
    const route = lines.find((line) => line.startsWith('  route 10.0.0.0/16 proto bgp'));
    expect(route).toMatch(
      /^ {2}route 10\.0\.0\.0\/16 proto bgp src 172\.27\.48\.11 metric 20 nexthop via 198\.19\.1\.39 dev (ovl[0-9]+) onlink nexthop via 198\.19\.1\.42 dev \1 onlink \(or a part of it up to \/20, /,
    );
    expect(lines.filter((line) => LINK.test(line))).toHaveLength(2);
    expect(lines).toEqual(
      expect.arrayContaining([
        'node node1',
        '  rule 32766: from all lookup main',
        '  else unreachable 10.0.0.0/16 proto 86 metric 4194304000 (while no gateway knows the way)',
        'gateway a',
        '  rule 110: from all iif ovl0 lookup 200',
        '  route 10.0.0.0/16 via 169.254.100.1 dev ipsec1 proto bgp metric 20 (or a part of it up to /20, as the remote ends announce it)',
        '  else unreachable default proto 86 metric 4294967295 (nothing that is for the other side goes elsewhere)',
        '  filter table inet vpn, from_nodes: source 10.234.1.0/24 passes',
        '  mss table inet vpn, clamp: TCP segments have at most 1350 bytes',
        '  link ipsec1 mtu 1390',
        '  policy dir out src 0.0.0.0/0 dst 0.0.0.0/0 if_id 1',
        '  sa child primary: ESP in UDP, aes256gcm16-ecp384',
        'remote end of primary (198.51.100.40)',
        'gateway b',
        '  route 10.0.0.0/16 via 169.254.101.1 dev ipsec2 proto bgp metric 20 (or a part of it up to /20, as the remote ends announce it)',
        'remote end of secondary (198.51.100.41)',
      ]),
    );
    expect([verdicts(there), sources(there)]).toEqual([['arrives'], ['10.234.1.0/24']]);
  });

  test('is answered over either, by the routes that the node has told', () => {
    expect(back.map(({ host }) => host.title)).toEqual([
      'remote end of primary (198.51.100.40)',
      'remote end of secondary (198.51.100.41)',
    ]);
    expect(met(back.slice(0, 1)).filter((line) => !/filter|mss|outer|sa |policy/.test(line))).toEqual([
      'remote end of primary (198.51.100.40)',
      '  route 10.234.0.0/16, as it is told by BGP while a node is there',
      'gateway a',
      '  rule 100: from all iif ipsec1 lookup 100',
      '  route 10.234.1.0/24 via 198.18.48.11 dev ovl0 proto bgp metric 20 onlink',
      '  else unreachable default proto 86 metric 4294967295 (nothing that is for the other side goes elsewhere)',
      '  link ovl0 mtu 1450',
      'node node1',
      '  route 10.234.1.0/24: the CNI leads to the pod',
      '  arrives at the pod',
    ]);
  });

  test('has the MTUs that follow from those outside', () => {
    const small = networkOf('ipsec', BGP, NODES, { nodeMtuBytes: 1460, podMtuBytes: 1410 });
    const lines = met(only(small, 'pod@node1', '10.0.0.9').there);
    // 1460 less 50 of VXLAN and 50 of the CNI; ESP of AES-GCM in UDP over IPv4 takes 60 of 1410, and 2 for the padding's length; 1410 less 50.
    expect(
      lines
        .filter((line) => / mtu /.test(line))
        .map((line) => line.replace(/ovl[0-9]{2,}/, 'ovl'))
        .slice(0, 3),
    ).toEqual(['  link ovl mtu 1360', '  link ipsec1 mtu 1346', '  link eth0 mtu 1410, of the packets that carry it']);
    expect(lines).toContain('  mss table inet vpn, clamp: TCP segments have at most 1306 bytes');
  });

  test('says of each line from which value it is', () => {
    const steps = there.flatMap((hop) => hop.steps);
    expect(steps.map(({ kind, from }) => [kind, from])).toEqual([
      ['rule', undefined],
      ['route', 'routes.import.vpc.cidr'],
      ['else', 'routes.import.vpc.whenDown'],
    ]);
  });
});

describe('of two gateways and BGP', () => {
  const network = networkOf('ipsec', BGP, NODES);
  const changed = (more: JsonObject, nodes = NODES) => networkOf('ipsec', { ...BGP, ...more }, nodes);

  test('a node itself is the source of what it sends', () => {
    const { there, back } = only(network, 'node2', 'vpc');
    expect([verdicts(there), sources(there), verdicts(back)]).toEqual([['arrives'], ['172.27.48.12'], ['arrives']]);
    expect(met(there).join('\n')).not.toContain(' nat ');
    expect(met(back)).toContain('  route 172.27.48.12 via 198.18.48.12 dev ovl0 proto bgp metric 20 onlink');
  });

  test('a Service is reached over the node of the gateway’s own pod, where that is known', () => {
    const { there, back } = only(network, 'vpc', '10.233.0.10');
    expect(met(there)).toEqual(
      expect.arrayContaining([
        '  route 10.233.0.0/16 via 198.18.48.11 dev ovl0 proto bgp metric 20 onlink',
        '  nat 10.233.0.10: a pod of the Service takes its place, mostly with an address of the node as the source (kube-proxy, or what the cluster has instead)',
        '  route 10.233.0.0/16 via the overlay address of the gateway’s own node dev ovl0 proto bgp metric 20 onlink',
      ]),
    );
    expect([verdicts(there), verdicts(back)]).toEqual([['arrives'], ['arrives']]);
  });

  test('whenDown says what a node does without a way', () => {
    const passing = changed({ routes: { ...BGP.routes, import: { vpc: { cidr: '10.0.0.0/16', whenDown: 'pass' } } } });
    const lines = met(only(passing, 'pod@node1', 'vpc').there);
    expect(lines).toContain('  else its own default way');
    expect(lines.join('\n')).not.toContain('unreachable 10.0.0.0/16');
  });

  test('a remote end knows the way back to what it is told alone', () => {
    const podsOnly = changed({ routes: { ...BGP.routes, export: ['10.234.0.0/17'] } });
    expect(verdicts(only(podsOnly, 'node1', 'vpc').back)).toEqual(['lost']);
    expect(verdicts(only(podsOnly, 'pod@node1', 'vpc').back)).toEqual(['arrives']);
    expect(verdicts(only(podsOnly, '10.0.0.9', '10.234.0.0/16').there)).toEqual(['arrives in part']);
  });

  test('a node outside of cluster.nodeCidrs leads nothing, and leaves nothing in clear', () => {
    const { there } = only(changed({}, [node('far', '192.0.2.9', '10.234.9.0/24')]), 'pod@far', 'vpc');
    expect(met(there)).toEqual([
      'node far',
      '  note the agent does not work on far, whose address 192.0.2.9 is outside: it only holds the networks',
      '  rule 32766: from all lookup main',
      '  route unreachable 10.0.0.0/16 proto 86 metric 4194304000 (while no gateway knows the way)',
      '  refused the sender is told that there is no way (ICMP)',
    ]);
  });

  test('to a node outside nothing comes back', () => {
    const far = changed({}, [...NODES, node('far', '192.0.2.9', '10.234.9.0/24')]);
    // Its pods may be where another agent finds them: which networks CNIs give is not for the node’s object alone to say.
    expect(verdicts(only(far, 'vpc', '172.27.48.99').there)).toEqual(['refused']);
    expect(verdicts(only(far, 'vpc', 'far').there)).toEqual(['lost']);
  });

  test.each([
    ['other labels', { agent: { nodeSelector: { role: 'worker' } } }, {}, 'which has other labels'],
    [
      'a taint',
      { agent: { tolerations: [] } },
      { taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }] },
      'which has the taint "gpu"',
    ],
  ])('on a node without an agent packets go its own way: %s', (_title, more, of, why) => {
    const { there } = only(changed(more, [node('bare', '172.27.48.13', '10.234.3.0/24', of)]), 'pod@bare', 'vpc');
    expect(met(there)).toContain(`  note no agent is on bare, ${why}: its own routes lead`);
    expect(verdicts(there)).toEqual(['in clear']);
  });

  test('pods outside of cluster.podCidrs pass no gateway', () => {
    const { there } = only(changed({}, [node('odd', '172.27.48.13', '10.9.3.0/24')]), 'pod@odd', 'vpc');
    expect(verdicts(there)).toEqual(['dropped']);
    expect(met(there)).toContain(
      '  dropped table inet vpn, from_nodes: the source 10.9.3.0/24 is of no network of cluster',
    );
  });

  test('a node whose pods are not known has any of them', () => {
    const { there, back } = only(changed({}, [node('dim', '172.27.48.13', '', { podNetworks: [] })]), 'pod@dim', 'vpc');
    expect([verdicts(there), sources(there), verdicts(back)]).toEqual([['arrives'], ['10.234.0.0/16'], ['arrives']]);
    expect(met(back).filter((line) => line === 'node dim')).toHaveLength(2);
  });

  test('without nodes, addresses are of any', () => {
    const { there, back } = only(changed({}, []), '10.234.7.7', '10.0.0.9');
    expect([verdicts(there), verdicts(back)]).toEqual([['arrives'], ['arrives']]);
    expect(met(there)[0]).toBe('the node');
    expect(met(back).join('\n')).toContain(
      'via its node’s overlay address dev ovl0 proto bgp metric 20 onlink (the part of it that is its node’s, as the agent there finds it)',
    );
  });

  test.each([
    ['of nobody', '8.8.8.8', 'neither of the cluster nor behind a tunnel'],
    ['of a remote end', '198.51.100.40', 'of a remote end itself, whose own packets pass no tunnel'],
    ['inside of a tunnel', '169.254.100.1', 'of a remote end inside its tunnel, with whom the gateway alone speaks'],
    ['of the overlay', '198.18.9.9', 'between nodes and gateways, for their BGP and BFD'],
  ])('an address %s is reached as without the VPN, and said to be so', (_title, address, about) => {
    const { to, there, back } = only(network, 'pod@node1', address);
    expect([to.about, verdicts(there), back]).toEqual([about, ['in clear'], []]);
  });

  test('what is behind a tunnel reaches nothing but the cluster', () => {
    expect(verdicts(only(network, 'vpc', '8.8.8.8').there)).toEqual(['lost']);
  });

  test('only nodes speak with a gateway over the overlay', () => {
    expect(verdicts(only(network, 'node1', A).there)).toEqual(['arrives']);
    expect(sources(only(network, 'node1', B).there)).toEqual(['198.18.48.11']);
  });

  test('nobody knows what an address from elsewhere sends', () => {
    expect(only(network, '8.8.8.8', 'pod@node1').there).toEqual([]);
  });

  test('the cluster is its own', () => {
    const { there } = only(network, 'pod@node1', 'pod@node2');
    expect(met(there)).toEqual([
      'node node1',
      '  route 10.234.2.0/24: the cluster’s own network leads there',
      'node node2',
      '  route 10.234.2.0/24: the CNI leads to the pod',
      '  arrives at the pod',
    ]);
  });

  test('IPv6 goes over its own session and overlay', () => {
    const both = {
      ...BGP,
      cluster: { ...BGP.cluster, podCidrs: ['10.234.0.0/16', 'fd00:234::/48'] },
      routes: { ...BGP.routes, import: { ...BGP.routes.import, far: { cidr: 'FD00:99::/48' } } },
      tunnels: {
        ...BGP.tunnels,
        six: {
          ...tunnel('a', '198.51.100.42', 'fd00:6::2/64', 'fd00:6::1'),
          preset: 'strongswan',
          interfaceId: 6,
        },
      },
    };
    const six = node('six', '172.27.48.11', '', {
      internalAddresses: ['172.27.48.11'],
      podNetworks: [
        { cidr: '10.234.1.0/24', from: 'spec.podCIDRs[0]' },
        { cidr: 'fd00:234:0:1::/64', from: 'spec.podCIDRs[1]' },
      ],
    });
    const { there, back } = only(networkOf('ipsec', both, [six]), 'pod@six', 'far');
    const [route] = met(there).filter((line) => line.startsWith('  route fd00:99::/48 via'));
    // The last two bytes are those of the gateway's IPv4 one, 1.39, with a 1 before them.
    expect(route).toMatch(
      /^ {2}route fd00:99::\/48 via fd76:706e:6f76::1:127 dev ovl[0-9]+ proto bgp metric 20 onlink /,
    );
    expect(met(there)).toContain(
      '  route fd00:99::/48 via fd00:6::1 dev ipsec6 proto bgp metric 20 (or a part of it up to /64, as the remote ends announce it)',
    );
    expect(met(back)).toContain(
      '  route fd00:234:0:1::/64 via fd76:706e:6f76::300b dev ovl0 proto bgp metric 20 onlink',
    );
    expect([verdicts(there), verdicts(back)]).toEqual([['arrives'], ['arrives']]);
    expect(verdicts(only(networkOf('ipsec', both, [six]), 'pod@six', 'vpc').there)).toEqual(['arrives']);
  });
});

describe('without agents', () => {
  const network = networkOf('ipsec', STATIC, [node('node1', '172.27.0.11', '10.244.1.0/24')]);

  test('pods and nodes do not find the gateway', () => {
    for (const from of ['pod@node1', 'node1']) {
      const { there, back } = only(network, from, 'onprem');
      expect(met(there)).toEqual([
        'node node1',
        '  note nothing leads it to a gateway: without agents only hosts behind the tunnels begin',
        '  rule 32766: from all lookup main',
        '  route its own default way',
        '  in clear it goes where the node’s other routes lead, through no tunnel of this release',
      ]);
      expect(back).toEqual([]);
    }
  });

  test('what comes out of the tunnel has the address of the gateway’s pod, and finds back', () => {
    const { there, back } = only(network, '10.1.2.3', 'pod@node1');
    expect(met(there).filter((line) => !/outer|sa |policy|mss/.test(line))).toEqual([
      'remote end of onprem (198.51.100.7)',
      '  route 10.244.0.0/16, if it is configured as cdk8s-vpn showconf ipsec onprem says',
      'gateway a',
      '  rule 32766: from all lookup main',
      '  route default dev eth0 (the pod’s own way, of the CNI)',
      '  filter table inet vpn, routed: from 10.1.2.3 to 10.244.1.0/24 passes',
      '  nat table inet vpn, postrouting: the pod of gateway a takes the place of the source 10.1.2.3 (masquerade)',
      '  link eth0 mtu 1500',
      'node node1',
      '  route 10.244.1.0/24: the CNI leads to the pod',
      '  arrives at the pod',
    ]);
    expect(sources(there)).toEqual(['the pod of gateway a']);
    expect(met(back).filter((line) => !/outer|sa |policy|mss/.test(line))).toEqual([
      'node node1',
      '  route the pod of gateway a: the cluster’s own network leads there',
      'gateway a',
      '  nat the answer is for 10.1.2.3 again, in whose place the pod’s address was',
      '  rule 32766: from all lookup main',
      '  route 10.1.0.0/16 dev ipsec7 proto 86',
      '  else unreachable 10.1.0.0/16 proto 86 metric 4278198272 (while the interface of the tunnel is away)',
      '  link ipsec7 mtu 1400',
      '  link eth0 mtu 1500, of the packets that carry it',
      'remote end of onprem (198.51.100.7)',
      '  arrives behind it, from 10.244.1.0/24',
    ]);
  });

  test('of two gateways with one network, each answer goes to the one through which it came', () => {
    const two = {
      ...STATIC,
      gateways: { ...STATIC.gateways, b: { identity: '203.0.113.11' } },
      tunnels: {
        ...STATIC.tunnels,
        other: {
          ...STATIC.tunnels.onprem,
          gateway: 'b',
          remote: { address: '198.51.100.8', networks: ['10.1.0.0/16'] },
        },
      },
    };
    const { there, back } = only(networkOf('ipsec', two), '10.1.2.3', '10.96.0.10');
    expect(sources(there).sort()).toEqual(['the pod of gateway a', 'the pod of gateway b']);
    expect(back).toHaveLength(2);
    expect(verdicts(back)).toEqual(['arrives']);
  });

  test('agents lead what is known from the values as well', () => {
    const { there, back } = only(
      networkOf('ipsec', withAgents(STATIC), [node('node1', '172.27.0.11', '10.244.1.0/24')]),
      'pod@node1',
      'onprem',
    );
    expect(met(there)).toEqual(
      expect.arrayContaining([
        '  route 10.1.0.0/16 dev ipsec7 proto 86 (while its children are installed)',
        '  link ipsec7 mtu 1400',
      ]),
    );
    expect([sources(there), verdicts(back)]).toEqual([['10.244.1.0/24'], ['arrives']]);
  });
});

describe('of the mode policy', () => {
  const network = networkOf('ipsec', withAgents(POLICY));
  const ends = (from: string, to: string) => verdicts(only(network, from, to).there);

  test('the traffic selectors decide', () => {
    expect(ends('10.244.1.1', '10.3.0.1')).toEqual(['arrives']);
    expect(ends('10.244.1.1', '10.4.0.1')).toEqual(['dropped']);
    expect(ends('172.27.0.11', '10.4.0.1')).toEqual(['arrives']);
    expect(ends('172.27.0.11', '10.4.128.1')).toEqual(['dropped']);
    expect(ends('172.27.0.11', '10.4.0.0/16')).toEqual(['arrives in part']);
    expect(ends('172.27.0.11', '10.3.0.1')).toEqual(['dropped']);
  });

  test('they do so at the remote end too', () => {
    expect(ends('10.3.0.1', '10.244.1.1')).toEqual(['arrives']);
    expect(ends('10.4.0.1', '10.244.1.1')).toEqual(['refused']);
  });

  test('the gateway has no interface for them, but rules by their sources', () => {
    const { there, back } = only(network, '10.244.1.1', '10.3.0.1');
    expect(met(there)).toEqual(
      expect.arrayContaining([
        '  rule 110: from all iif ovl0 lookup 200',
        '  route 10.3.0.0/16 dev eth0 proto 86 (while its children are installed)',
        '  policy dir out src 10.244.0.0/16 dst 10.3.0.0/16',
        '  sa child servers: ESP in UDP, aes256gcm16-ecp384,aes256-sha256-ecp256',
      ]),
    );
    expect(met(back)).toEqual(
      expect.arrayContaining([
        '  rule 105: from 10.3.0.0/16 iif eth0 lookup 100',
        '  filter table inet vpn, granted: from 10.3.0.1 to 10.244.1.1 passes',
      ]),
    );
  });

  test('without agents the pod’s own way leads out, and the policy takes it', () => {
    const { there, back } = only(networkOf('ipsec', POLICY), '10.3.0.1', '10.244.1.1');
    expect([sources(there), verdicts(back)]).toEqual([['the pod of gateway a'], ['arrives']]);
    expect(met(back)).toContain('  policy dir out src 10.244.0.0/16 dst 10.3.0.0/16');
  });
});

describe('names', () => {
  const network = networkOf(
    'ipsec',
    { ...BGP, routes: { ...BGP.routes, import: { ...BGP.routes.import, node1: { cidr: '10.7.0.0/16' } } } },
    NODES,
  );
  const problem = (from: string, to: string): string => {
    try {
      explain(network, from, to);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  test('of a tunnel stand for all that is behind it', () => {
    expect(explain(network, 'tunnel:primary', 'pod@node1').map(({ from }) => from.address.text)).toEqual([
      '10.0.0.0/16',
      '10.7.0.0/16',
    ]);
    expect(explain(network, 'primary', 'pod@node1')[0]?.there).toHaveLength(1);
  });

  test('that stand for several are refused, and each has another one', () => {
    expect(problem('node1', 'vpc')).toBe('FROM: stands for several, got "node1"; name one of node:node1, import:node1');
    expect(verdicts(only(network, 'node:node1', 'import:node1').there)).toEqual(['arrives']);
  });

  test.each([
    ['10.0.0.9', 'pod@nod1', 'TO: there is no such node, got "pod@nod1"; did you mean pod@node1?'],
    ['node3', 'vpc', 'FROM: nothing has that name, got "node3"; did you mean node1?'],
    ['', 'vpc', 'FROM: nothing has that name, got ""; name an address, import:NAME, tunnel:NAME, a node, pod@NODE'],
    ['10.0.0.256', 'vpc', 'FROM: nothing has that name, got "10.0.0.256"; name an address, '],
    ['peer:alice', '::1', 'FROM: nothing has that name, got "peer:alice"; name an address, '],
    ['vpc', 'constructor', 'TO: nothing has that name, got "constructor"; name an address, '],
    ['pod@{{ x }}\n', '$(id)', 'FROM: there is no such node, got "pod@{{ x }}\\n"; name an address, '],
    ['node:', 'vpc', 'FROM: there is no such node, got "node:"; '],
    ['vpc', 'fd00::1', 'TO: has an address of IPv6 alone, and vpc of IPv4, got "fd00::1"; name two of one family'],
  ])('that nothing has are refused: %j, %j', (from, to, sentence) => {
    expect(problem(from, to)).toContain(sentence);
  });

  test('of pods need the nodes', () => {
    expect(() => explain(networkOf('ipsec', BGP), 'pod@node1', 'vpc')).toThrow(
      'FROM: the nodes are not known, got "pod@node1"; give what `kubectl get nodes -o yaml` prints with --nodes',
    );
  });

  test('of nodes without addresses are refused', () => {
    const bare = networkOf('ipsec', BGP, [node('bare', '', '', { internalAddresses: [], podNetworks: [] })]);
    expect(() => explain(bare, 'bare', 'vpc')).toThrow(
      'FROM: no address of it is known, got "bare"; give an address itself',
    );
    expect(verdicts(only(bare, 'pod@bare', 'vpc').there)).toEqual(['arrives']);
  });
});

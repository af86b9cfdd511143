import fc from 'fast-check';
import { CHARTS } from '../../charts';
import { contains, overlap } from '../../lib/net/cidr';
import { isIpv6 } from '../../lib/net/address';
import type { JsonObject } from '../../lib/helm/values-file';
import { EXAMPLES, missingWays, Told, topologyOf, wireguardOf } from './site';

/** A public key for each number up to 25. */
const key = (number: number): string => `${String.fromCharCode(65 + number).repeat(42)}8=`;
const told = (values: string): Told => new Told(topologyOf('wireguard', values));
const example = (name: string): Told => {
  const found = EXAMPLES.find((one) => one.name === `wireguard/${name}.yaml`);
  if (found === undefined) throw new Error(`no example ${name}`);
  return new Told(topologyOf('wireguard', found.values));
};

describe('with masquerading', () => {
  test('peers reach each other and, as the pod, all that they send; nothing reaches them', () => {
    const home = example('home');
    expect(home.links).toEqual([
      'alice-laptop <> vpn-wireguard wireguard',
      'alice-phone <> vpn-wireguard wireguard',
      'vpn-wireguard > all that the pod reaches masqueraded',
    ]);
    expect(home.reaches).toEqual([
      'alice-laptop <> alice-phone',
      'alice-laptop > all that the pod reaches',
      'alice-phone > all that the pod reaches',
    ]);
    // Without an IPv6 address of its own a peer sends nothing there, although its file says ::/0.
    expect(home.detailsOf('all that the pod reaches')).toEqual(['0.0.0.0/0']);
  });

  test('a peer reaches what its own file sends', () => {
    const minikube = example('minikube');
    expect(minikube.reaches).toEqual(['leo-mac > what the pod reaches of']);
    expect(minikube.detailsOf('what the pod reaches of')).toEqual(['10.244.0.0/16', '10.96.0.0/12']);
    // Nobody opens connections to the only peer.
    expect(minikube.links).toContain('leo-mac > vpn-wireguard wireguard');
  });

  test('rules lead around the server, for each peer that has some', () => {
    const { links, reaches } = example('access-rules');
    expect(links).toEqual([
      'admin > wg0 wireguard',
      'contractor > rules of contractor wireguard',
      'printer > rules of printer wireguard',
      'rules of contractor > what the pod reaches of masqueraded',
      'rules of printer > contractor wireguard',
      'wg0 > all that the pod reaches masqueraded',
      'wg0 > camera wireguard',
      'wg0 > contractor wireguard',
      'wg0 > printer wireguard',
    ]);
    expect(reaches).toEqual([
      'admin > all that the pod reaches',
      'admin > camera',
      'admin > contractor',
      'admin > printer',
      'contractor > what the pod reaches of',
      'printer > contractor',
    ]);
  });

  test('rules are told with their ports, and long ones in two lines', () => {
    const { topology } = told(`
privateKey: {existingSecret: s}
peers:
  a: {publicKey: ${key(0)}, addresses: [10.13.13.2], allow: {
    web: {networks: [10.0.0.1], ports: [{port: 443}]},
    dns: {networks: [10.96.0.10, 'fd00:1234:5678:9abc::/64'], ports: [{port: 53, protocol: UDP}, {port: 5300, endPort: 5310}]},
    shut: {networks: [10.0.0.2], ports: []}}}
`);
    expect(topology.places.find(({ kind }) => kind === 'rules')?.details).toEqual([
      'web: 10.0.0.1, TCP 443',
      'dns: 10.96.0.10, fd00:1234:5678:9abc::/64',
      'dns: UDP 53, TCP 5300–5310',
      'shut: 10.0.0.2, no port',
    ]);
    // A rule without a port lets nothing through, and the peer sends no IPv6.
    expect(topology.places.find(({ kind }) => kind === 'reached')?.details).toEqual(['10.0.0.1', '10.96.0.10']);
  });

  test('a rule for a network that holds addresses of peers lets those be reached', () => {
    expect(example('dual-stack').reaches).toContain('alice <> lab');
    const { reaches } = told(`
privateKey: {existingSecret: s}
peers:
  a: {publicKey: ${key(0)}, addresses: [10.13.13.2], allow: {vpn: {networks: [10.13.13.3]}}}
  b: {publicKey: ${key(1)}, addresses: [10.13.13.3], allow: {}}
  c: {publicKey: ${key(2)}, addresses: [10.13.13.4], allow: {}}
`);
    expect(reaches).toEqual(['a > b']);
  });

  test('peers of Secrets and ConfigMaps stand for themselves', () => {
    const { links, reaches } = example('team');
    expect(links).toEqual([
      'behind office <> office routed',
      'office <> vpn-wireguard wireguard',
      'peers of the ConfigMap wireguard-machines <> vpn-wireguard wireguard',
      'peers of the Secret wireguard-team <> vpn-wireguard wireguard',
      'vpn-wireguard > what the pod reaches of masqueraded',
    ]);
    // Who sends 10.0.0.0/8 has no answer for 192.168.10.0/24 to send.
    expect(reaches).toEqual([
      'behind office <> office',
      'behind office > what the pod reaches of',
      'office <> peers of the ConfigMap wireguard-machines',
      'office <> peers of the Secret wireguard-team',
      'office > what the pod reaches of',
      'peers of the ConfigMap wireguard-machines <> peers of the Secret wireguard-team',
      'peers of the ConfigMap wireguard-machines > itself',
      'peers of the ConfigMap wireguard-machines > what the pod reaches of',
      'peers of the Secret wireguard-team > itself',
      'peers of the Secret wireguard-team > what the pod reaches of',
    ]);
  });
});

describe('with routing', () => {
  test('the cluster reaches peers and what is behind them, also those with rules', () => {
    const { links, reaches } = example('site-to-site');
    expect(links).toEqual([
      'Services of berlin > wg0 routed',
      'all that the pod reaches <> wg0 routed',
      'all that the pod reaches > Services of berlin routed',
      'behind berlin <> berlin routed',
      'behind paris <> paris routed',
      'berlin <> wg0 wireguard',
      'paris > rules of paris wireguard',
      'rules of paris > berlin wireguard',
      'wg0 > paris wireguard',
    ]);
    expect(reaches).toEqual([
      'all that the pod reaches <> behind berlin',
      'all that the pod reaches <> berlin',
      'all that the pod reaches > Services of berlin',
      'all that the pod reaches > behind paris',
      'all that the pod reaches > paris',
      'behind berlin <> behind paris',
      'behind berlin <> berlin',
      'behind berlin <> paris',
      'behind paris <> berlin',
      'behind paris <> paris',
      'berlin <> paris',
    ]);
  });
});

test('Services for what a peer serves lead to it from whatever reaches it', () => {
  const served = told(`
mode: routed
privateKey: {existingSecret: s}
peers:
  a:
    publicKey: ${key(0)}
    addresses: [10.13.13.2]
    allow: {}
    services:
      printer: {namespace: office, ports: {ipp: {port: 80, targetPort: 631}, snmp: {port: 161, protocol: UDP}}}
      files: {ports: {smb: {port: 445}}}
`);
  expect(served.links).toEqual([
    'Services of a > vpn-wireguard routed',
    'all that the pod reaches > Services of a routed',
    'all that the pod reaches > vpn-wireguard routed',
    'vpn-wireguard > a wireguard',
  ]);
  expect(served.reaches).toEqual(['all that the pod reaches > Services of a', 'all that the pod reaches > a']);
  expect(served.detailsOf('Services of a')).toEqual(['printer.office: TCP 80 → 631, UDP 161', 'files: TCP 445']);
});

describe('many peers', () => {
  test('that are alike are one place, which reaches itself', () => {
    const company = example('company');
    expect(company.links).toEqual([
      '300 peers <> vpn-wireguard wireguard',
      'vpn-wireguard > all that the pod reaches masqueraded',
    ]);
    expect(company.reaches).toEqual(['300 peers > all that the pod reaches', '300 peers > itself']);
    expect(company.detailsOf('300 peers')).toEqual(['device-001 to device-300']);
  });

  const peers = (count: number, more = ''): string =>
    Array.from(
      { length: count },
      (_, index) => `  p${index}: {publicKey: ${key(index)}, addresses: [10.13.13.${index + 2}]${more}}`,
    ).join('\n');

  test('are shown one by one up to seven', () => {
    const places = (count: number): number =>
      told(`privateKey: {existingSecret: s}\npeers:\n${peers(count)}`).topology.places.length;
    expect([places(7), places(8)]).toEqual([9, 3]);
  });

  test('that rules name are not among those that one place stands for', () => {
    const { topology } = told(`
privateKey: {existingSecret: s}
peers:
${peers(9, ', allow: {p: {peers: [p3]}}')}
`);
    expect(topology.places.map(({ title }) => title)).toEqual([
      'wg0',
      '8 peers',
      'rules of 8 peers',
      'p3',
      'rules of p3',
    ]);
    expect(new Told(topology).reaches).toEqual(['8 peers > p3']);
  });
});

describe('a server that', () => {
  const one = `peers: {a: {publicKey: ${key(0)}, addresses: [10.13.13.2]}}\nprivateKey: {existingSecret: s}\n`;

  test('is reached nowhere has no links, but for peers whose endpoints it knows', () => {
    const nowhere = told(`service: {enabled: false}\n${one}`);
    expect([nowhere.links, nowhere.reaches]).toEqual([[], []]);
    expect(nowhere.detailsOf('a')).toContain('there is no way to the server: neither Service nor hostPort');
    expect(told(`service: {enabled: false}\n${one.replace('}}', ", endpoint: '198.51.100.1:1'}}")}`).links).toContain(
      'a > vpn-wireguard wireguard',
    );
    expect(told(`service: {enabled: false}\nhostPort: 51820\n${one}`).links).toContain('a > vpn-wireguard wireguard');
  });

  test('has no peers stands alone', () => {
    const { topology } = told('privateKey: {existingSecret: s}');
    expect([topology.places.map(({ id }) => id), topology.links, topology.reaches]).toEqual([['server'], [], []]);
  });

  test.each([
    ['{}', ['10.13.13.1', 'UDP 51820', 'Service: load balancer, UDP 51820']],
    [
      '{network6: "fd00:99::/64", listenPort: 1, service: {type: NodePort, nodePort: 31820}, endpoint: "[2001:db8::1]:31820", dns: {mode: coredns}}',
      [
        '10.13.13.1',
        'fd00:99::1',
        'UDP 1',
        'Service: node port UDP 31820',
        'clients use [2001:db8::1]:31820',
        'DNS for clients: 10.13.13.1, fd00:99::1',
      ],
    ],
    [
      '{service: {type: ClusterIP, port: 7}, hostPort: 9}',
      ['10.13.13.1', 'UDP 51820', 'Service: inside the cluster only, UDP 7', 'port of its node: UDP 9'],
    ],
  ])('has the values %s says so', (values, details) => {
    expect(told(values).detailsOf('vpn-wireguard')).toEqual(details);
  });
});

/* What the files say that the pod and the clients get. */

interface Files {
  /** Whose a network is, by wg.conf. */
  readonly networks: ReadonlyMap<string, readonly string[]>;
  /** The rules of restricted peers, by nftables.conf: where they may go. */
  readonly allowed: ReadonlyMap<string, readonly string[]>;
  /** What the files of the clients send. */
  readonly sent: ReadonlyMap<string, readonly string[]>;
  readonly isMasqueraded: boolean;
}

function filesOf(values: JsonObject): Files {
  const { wireguard } = CHARTS;
  const conf = wireguard.text(({ wgConf }) => wgConf, { values });
  const filter = wireguard.text(({ nftablesConf }) => nftablesConf, { values });
  const names = Object.keys(wireguardOf(values).peers);
  const sections = new Map(conf.split('\n\n').map((section) => [/^# name = (.*)$/m.exec(section)?.[1], section]));
  const lists = (text: string, key: string): string[] =>
    [...text.matchAll(new RegExp(`^${key} = (.*)$`, 'gm'))].flatMap(([, list = '']) => list.split(', '));
  const lines = { privateKey: '#', publicKey: '#', presharedKey: undefined, endpoint: '#' };
  return {
    networks: new Map(names.map((name) => [name, lists(sections.get(name) ?? '', 'AllowedIPs')])),
    allowed: new Map(
      [...filter.matchAll(/chain peer-(\S+) \{\n(.*?) +drop\n/gs)].map(([, name = '', rules = '']) => [
        name,
        [...rules.matchAll(/ip6? daddr (\S+).* accept$/gm)].map(([, to = '']) => to),
      ]),
    ),
    sent: new Map(
      names.map((name) => [
        name,
        lists(
          wireguard.text((server) => server.clientConf(name, lines, 'wg'), { values }),
          'AllowedIPs',
        ),
      ]),
    ),
    isMasqueraded: filter.includes('masquerade'),
  };
}

/** Sites of a few peers that have much to do with each other. */
const sites = fc
  .record({
    mode: fc.constantFrom('masquerade', 'routed'),
    dns: fc.constantFrom({}, { mode: 'coredns' }),
    service: fc.constantFrom({}, { enabled: false }),
    client: fc.constantFrom({}, { allowedIPs: ['10.13.13.0/24', '192.168.0.0/16'] }),
    peers: fc.array(
      fc.record({
        hasIpv6: fc.boolean(),
        isRouter: fc.boolean(),
        hasEndpoint: fc.boolean(),
        client: fc.constantFrom(
          {},
          {},
          { allowedIPs: ['10.13.13.0/24'] },
          { allowedIPs: ['10.13.13.3/32', '10.96.0.0/12', 'fd00:99::/64'] },
          { allowedIPs: ['192.168.1.0/24', '0.0.0.0/0'] },
        ),
        allow: fc.option(
          fc.dictionary(
            fc.constantFrom('one', 'two'),
            fc
              .record({
                networks: fc.subarray(['10.13.13.0/25', '192.168.0.0/24', '10.96.0.10', 'fd00:99::3', '0.0.0.0/0']),
                peers: fc.subarray(['p0', 'p1']),
                ports: fc.constantFrom(undefined, [], [{ port: 53, protocol: 'UDP' }]),
              })
              // A rule that names nothing is refused.
              .map(({ networks, peers, ports }) => ({
                ...(networks.length > 0 || peers.length === 0 ? { networks: [...networks, '10.96.0.11'] } : {}),
                ...(peers.length > 0 && { peers }),
                ...(ports !== undefined && { ports }),
              })),
          ),
          { nil: undefined },
        ),
      }),
      { minLength: 3, maxLength: 5 },
    ),
  })
  .map(({ peers, ...rest }): JsonObject => ({
    ...rest,
    network6: 'fd00:99::/64',
    privateKey: { existingSecret: 's' },
    peers: Object.fromEntries(
      peers.map(({ hasIpv6, isRouter, hasEndpoint, client, allow }, index) => [
        `p${index}`,
        {
          publicKey: key(index),
          addresses: [`10.13.13.${index + 2}`, ...(hasIpv6 ? [`fd00:99::${index + 2}`] : [])],
          ...(isRouter && { routedNetworks: [`192.168.${index}.0/24`] }),
          ...(hasEndpoint && { endpoint: '198.51.100.1:51820' }),
          client,
          ...(allow !== undefined && { allow }),
        },
      ]),
    ),
  }));
const generated = fc.sample(sites, { seed: 7, numRuns: 25 });

test('who reaches whom is what the files of the pod and of the clients say', () => {
  let [pairs, restricted, routed] = [0, 0, 0];
  for (const values of generated) {
    const { peers, service, hostPort } = wireguardOf(values);
    const topology = topologyOf('wireguard', values);
    if (topology.places.some(({ title }) => /^\d+ peers$/.test(title))) continue;
    const { networks, allowed, sent, isMasqueraded } = filesOf(values);
    const known = new Set(topology.reaches.map(({ from, to }) => `${from} ${to}`));
    const isJoined = (name: string): boolean =>
      service.enabled || hostPort !== undefined || peers[name]?.endpoint !== undefined;
    const ends = Object.keys(peers)
      .filter(isJoined)
      .flatMap((name) => {
        const own = networks.get(name) ?? [];
        const behind = peers[name]?.routedNetworks ?? [];
        const devices = own.filter((network) => !behind.includes(network));
        return [
          { name, id: `peer/${name}`, own: devices },
          ...(behind.length === 0 ? [] : [{ name, id: `peer/${name}/behind`, own: behind }]),
        ];
      });
    const has = (list: readonly string[] | undefined, network: string): boolean =>
      list?.some((one) => overlap(one, network)) ?? false;
    for (const from of ends) {
      for (const to of ends) {
        if (from.name === to.name) continue;
        const expected = to.own.some(
          (asked) =>
            has(sent.get(from.name), asked) &&
            (!allowed.has(from.name) || has(allowed.get(from.name), asked)) &&
            from.own.some((own) => isIpv6(own) === isIpv6(asked) && has(sent.get(to.name), own)),
        );
        expect([from.id, to.id, known.has(`${from.id} ${to.id}`)]).toEqual([from.id, to.id, expected]);
        if (expected) pairs++;
        if (expected && allowed.has(from.name)) restricted++;
      }
    }
    const carriers = new Set(topology.links.map(({ carrier }) => carrier));
    expect(carriers.has('masqueraded') && !isMasqueraded).toBe(false);
    const outside = topology.places.filter(({ kind }) => kind === 'reached').map(({ id }) => id);
    expect(topology.reaches.some(({ from }) => outside.includes(from)) && isMasqueraded).toBe(false);
    for (const { name, id } of ends) {
      const targets = topology.reaches.flatMap(({ from, to }) => (from === id && outside.includes(to) ? [to] : []));
      const shown = targets.flatMap((to) => topology.places.find((place) => place.id === to)?.details ?? []);
      for (const network of shown.filter((line) => !line.startsWith('and ')))
        expect([
          name,
          network,
          has(sent.get(name), network),
          !allowed.has(name) || has(allowed.get(name), network),
        ]).toEqual([name, network, true, true]);
    }
    if (!isMasqueraded) routed++;
  }
  // Else nothing was compared.
  expect([pairs > 100, restricted > 20, routed > 5]).toEqual([true, true, true]);
});

test('whoever reaches another one does so along links', () => {
  const examples = EXAMPLES.filter(({ chart }) => chart === 'wireguard').map(({ values }) => values);
  for (const values of [...examples, ...generated]) expect(missingWays(topologyOf('wireguard', values))).toEqual([]);
});

test('what a peer without rules reaches beyond the pod is what its file sends, less what is of peers', () => {
  for (const { name, values } of EXAMPLES.filter(({ chart }) => chart === 'wireguard')) {
    const { networks, allowed, sent } = filesOf(values);
    const { network, network6 } = wireguardOf(values);
    const topology = topologyOf('wireguard', values);
    const ofPeers = [network, network6 ?? network, ...[...networks.values()].flat()];
    for (const [peer, list] of sent) {
      if (allowed.has(peer) || !topology.places.some(({ id }) => id === `peer/${peer}`)) continue;
      const families = new Set(networks.get(peer)?.map(isIpv6));
      const expected = list.filter(
        (sentTo) => families.has(isIpv6(sentTo)) && !ofPeers.some((inside) => contains(inside, sentTo)),
      );
      const to = topology.reaches.flatMap((reach) => (reach.from === `peer/${peer}` ? [reach.to] : []));
      const shown = topology.places.flatMap(({ id, kind, details }) =>
        kind === 'reached' && to.includes(id) ? details : [],
      );
      expect([name, peer, ...shown]).toEqual([name, peer, ...expected]);
    }
  }
});

import type { JsonObject } from '../../lib/helm/values-file';
import { explain } from '../../lib/explain/explanation';
import { met, networkOf, node, only, sources, verdicts } from './network';

const key = (letter: string): string => `${letter.repeat(43)}=`;
const PEERS = {
  alice: { publicKey: key('A'), addresses: ['10.13.13.2'] },
  bob: {
    publicKey: key('E'),
    addresses: ['10.13.13.3'],
    allow: { wiki: { networks: ['10.96.12.7'], ports: [{ port: 443 }, { port: 53, endPort: 60, protocol: 'UDP' }] } },
  },
  berlin: {
    publicKey: key('I'),
    addresses: ['10.13.13.4'],
    routedNetworks: ['192.168.10.0/24'],
    endpoint: 'berlin.example.com:51820',
  },
  camera: { publicKey: key('M'), addresses: ['10.13.13.5'], allow: {} },
  printer: { publicKey: key('Q'), addresses: ['10.13.13.6'], allow: { office: { peers: ['berlin'] } } },
} satisfies JsonObject;
const NODES = [node('node1', '172.27.0.11', '10.244.1.0/24')];
const SERVER = 'the server’s pod';
const hidden = networkOf('wireguard', { peers: PEERS }, NODES);
const routed = networkOf('wireguard', { mode: 'routed', peers: PEERS }, NODES);

describe('a peer', () => {
  test('reaches a pod behind the address of the server’s pod, and is answered', () => {
    const { there, back } = only(hidden, 'peer:alice', 'pod@node1');
    expect(met(there)).toEqual([
      'peer alice',
      '  route 0.0.0.0/0 by its tunnel, if its file is as cdk8s-vpn showconf prints it',
      '  link its tunnel, mtu 1420',
      '  outer UDP to the server’s endpoint: the Service (LoadBalancer, port 51820) leads to port 51820 of the pod',
      'the server',
      '  filter wg0: source 10.13.13.2 is of the peer alice',
      '  rule 32766: from all lookup main',
      '  route default dev eth0 (the pod’s own way, of the CNI)',
      '  mss table inet vpn, clamp: TCP segments have at most 1380 bytes',
      '  nat table inet vpn, postrouting: the server’s pod takes the place of the source 10.13.13.2 (masquerade)',
      '  link eth0 mtu 1500',
      'node node1',
      '  route 10.244.1.0/24: the CNI leads to the pod',
      '  arrives at the pod',
    ]);
    expect(met(back)).toEqual([
      'node node1',
      '  route the server’s pod: the cluster’s own network leads there',
      'the server',
      '  nat the answer is for 10.13.13.2 again, in whose place the pod’s address was',
      '  rule 32766: from all lookup main',
      '  route 10.13.13.0/24 dev wg0 proto kernel src 10.13.13.1',
      '  else default dev eth0 (the pod’s own way, of the CNI)',
      '  mss table inet vpn, clamp: TCP segments have at most 1380 bytes',
      '  link wg0 mtu 1420',
      '  policy 10.13.13.2 is of the peer alice (AllowedIPs)',
      '  outer UDP to where the peer was heard last: it has to begin',
      'peer alice',
      '  filter AllowedIPs: source 10.244.1.0/24 passes',
      '  arrives at the peer, from 10.244.1.0/24',
    ]);
  });

  test('keeps its address where the mode is routed, if the cluster’s network leads back', () => {
    const { there, back } = only(routed, 'peer:alice', 'node1');
    expect(sources(there)).toEqual(['10.13.13.2']);
    expect(met(back)).toContain(
      '  route 10.13.13.0/24 dev the network of the cluster (only if that leads it to the server’s pod, which nothing of the release sees to)',
    );
    expect(verdicts(back)).toEqual(['arrives']);
  });

  test('is reached of its own accord in the mode routed alone', () => {
    expect(verdicts(only(routed, 'pod@node1', 'peer:alice').there)).toEqual(['arrives']);
    const { there } = only(hidden, 'pod@node1', 'peer:alice');
    expect(verdicts(there)).toEqual(['in clear']);
    expect(met(there)).toContain(
      '  note the peers are behind the address of the server’s pod: they are reached by answers alone',
    );
  });

  test('reaches what is beyond the cluster as a pod does', () => {
    const { there, back } = only(hidden, 'peer:alice', '8.8.8.8');
    expect([verdicts(there), sources(there), verdicts(back)]).toEqual([['arrives'], [SERVER], ['arrives']]);
    expect(verdicts(only(routed, 'peer:alice', '8.8.8.8').back)).toEqual(['arrives']);
    expect(verdicts(only(hidden, '8.8.8.8', 'peer:alice').there)).toEqual(['lost']);
  });

  test('reaches another one, and what is behind it, with its own address', () => {
    const [own, behind] = explain(hidden, 'peer:alice', 'peer:berlin');
    expect([own, behind].map((each) => sources(each?.there ?? []))).toEqual([['10.13.13.2'], ['10.13.13.2']]);
    expect(met(behind?.there ?? [])).toEqual(
      expect.arrayContaining([
        '  route 192.168.10.0/24 dev wg0 proto 86',
        '  policy 192.168.10.0/24 is of the peer berlin (AllowedIPs)',
        '  outer UDP to berlin.example.com:51820, or where the peer was heard last',
        '  arrives behind the peer, from 10.13.13.2',
      ]),
    );
  });

  test.each([
    ['peer:bob', '10.96.12.7', ['arrives in part']],
    ['peer:bob', '10.96.12.8', ['dropped']],
    ['peer:bob', '10.96.0.0/16', ['arrives in part']],
    ['peer:bob', '10.13.13.1', ['dropped']],
    ['peer:camera', '10.13.13.2', ['dropped']],
    ['peer:printer', '192.168.10.9', ['arrives']],
    ['peer:printer', '10.13.13.4', ['arrives']],
    ['peer:printer', '10.13.13.2', ['dropped']],
    ['peer:alice', '10.13.13.1', ['arrives']],
    ['peer:alice', '10.13.13.9', ['refused']],
    // What a restricted peer answers passes.
    ['peer:alice', 'peer:camera', ['arrives']],
  ])('%s with rules of its own reaches %s or not', (from, to, ends) => {
    expect(verdicts(only(hidden, from, to).there)).toEqual(ends);
  });

  test('with rules is told of their ports, and answers whatever they say', () => {
    expect(met(only(hidden, 'peer:bob', '10.96.12.7').there)).toContain(
      '  filter table inet vpn, peer-bob, wiki: TCP 443, UDP 53-60 to 10.96.12.7 passes',
    );
    const { back } = only(hidden, 'peer:alice', 'peer:camera');
    expect(met(back)).toContain('  filter table inet vpn, access: an answer passes');
    expect(verdicts(back)).toEqual(['arrives']);
  });

  test('sends past the tunnel what its file does not have, and takes out of it nothing else', () => {
    const some = { ...PEERS, alice: { ...PEERS.alice, client: { allowedIPs: ['10.13.13.0/24', '10.244.0.0/16'] } } };
    const network = networkOf('wireguard', { mode: 'routed', peers: some }, NODES);
    expect(verdicts(only(network, 'peer:alice', '8.8.8.8').there)).toEqual(['in clear']);
    expect(verdicts(only(network, 'peer:alice', 'pod@node1').there)).toEqual(['arrives']);
    expect(verdicts(only(network, 'node1', 'peer:alice').there)).toEqual(['dropped']);
    expect(only(network, 'peer:alice', '8.8.8.8').there[0]?.branches[0]?.outcome?.from).toBe(
      'peers.alice.client.allowedIPs',
    );
  });

  test('asks for names at the server’s own address, whatever its rules say', () => {
    const network = networkOf('wireguard', { peers: PEERS, dns: { mode: 'coredns', port: 1054 } });
    const { there } = only(network, 'peer:camera', '10.13.13.1');
    expect(met(there).slice(-2)).toEqual([
      '  nat table inet vpn, dns: port 53 becomes 1054, where CoreDNS is; no rule is needed for it',
      '  dropped table inet vpn, peer-camera: no rule of the peer lets it go to 10.13.13.1, but for names',
    ]);
  });

  test('has the MTUs of the values, or what the pod’s own leaves', () => {
    const linksOf = (values: JsonObject, podMtuBytes?: number): string[] =>
      met(
        only(
          networkOf('wireguard', { peers: PEERS, ...values }, NODES, {
            ...(podMtuBytes !== undefined && { podMtuBytes }),
          }),
          'peer:alice',
          'peer:camera',
        ).there,
      ).filter((line) => line.startsWith('  link'));
    expect(linksOf({}, 1450)).toEqual(['  link its tunnel, mtu 1420', '  link wg0 mtu 1370']);
    expect(linksOf({ underlayMtu: 1400 })).toEqual(['  link its tunnel, mtu 1420', '  link wg0 mtu 1320']);
    expect(linksOf({ mtu: 1200 })).toEqual(['  link its tunnel, mtu 1280', '  link wg0 mtu 1200']);
    expect(linksOf({ mtu: 1400, client: { mtu: 1300 } })).toEqual([
      '  link its tunnel, mtu 1300',
      '  link wg0 mtu 1400',
    ]);
  });

  test('of IPv6 is as one of IPv4', () => {
    const values = {
      network6: 'fd00:13::/64',
      peers: {
        six: { publicKey: key('A'), addresses: ['10.13.13.2', 'FD00:13::2'], routedNetworks: ['fd00:77::/48'] },
      },
    };
    const network = networkOf('wireguard', values, [node('node1', 'fd00:27::11', 'fd00:244:1::/64')]);
    const [own, behind] = explain(network, 'peer:six', 'pod@node1');
    expect([own, behind].map((each) => each?.from.address.text)).toEqual(['FD00:13::2', 'fd00:77::/48']);
    expect([own, behind].map((each) => [verdicts(each?.there ?? []), verdicts(each?.back ?? [])])).toEqual([
      [['arrives'], ['arrives']],
      [['arrives'], ['arrives']],
    ]);
    expect(met(own?.there ?? [])).toContain('  mss table inet vpn, clamp: TCP segments have at most 1360 bytes');
    expect(met(own?.back ?? [])).toContain('  route fd00:13::/64 dev wg0 proto kernel src fd00:13::1 metric 256');
  });

  test('that is not in the values may be in peersFrom', () => {
    const network = networkOf('wireguard', { peers: PEERS, peersFrom: { team: { existingSecret: 'team' } } });
    expect(network.assumptions).toContain('the peers of peersFrom are not known here');
    expect(() => explain(network, 'peer:alise', '10.0.0.1')).toThrow(
      'FROM: nothing has that name, got "peer:alise"; did you mean peer:alice?',
    );
  });

  test('is not reached where nothing leads to the server', () => {
    const closed = networkOf('wireguard', { peers: PEERS, service: { enabled: false } });
    expect(met(only(closed, 'peer:alice', 'peer:camera').there)).toContain(
      '  outer UDP to the server’s endpoint: nothing leads to port 51820 of the pod',
    );
  });
});

/** Packets through the real packet filter end as explain says. */
import { describeWith } from '../left-out';
import { POD, sendThrough, type Probe } from '../oracles/packets';
import { wireguardConfig } from '../oracles/scenarios';
import { networkOf, only, sources, verdicts } from './network';

const key = (letter: string): string => `${letter.repeat(43)}=`;
const PEERS = {
  admin: { publicKey: key('A'), addresses: ['10.13.13.2'] },
  some: {
    publicKey: key('E'),
    addresses: ['10.13.13.3'],
    allow: { nets: { networks: ['10.96.0.0/16', '10.97.1.1'] } },
  },
  none: { publicKey: key('I'), addresses: ['10.13.13.5'], allow: {} },
  mate: { publicKey: key('M'), addresses: ['10.13.13.6'], allow: { admin: { peers: ['admin'] } } },
};
const TARGETS = ['10.96.0.1', '10.96.255.9', '10.97.1.1', '10.97.1.2', '10.13.13.1'];

jest.setTimeout(120_000);

describeWith(['nft', 'ip', 'python3', 'root', 'netns'], 'packets of peers', () => {
  test.each(['masquerade', 'routed'])('end as explain says, where the mode is %s', (mode) => {
    const values = { mode, peers: PEERS };
    const network = networkOf('wireguard', values);
    const pairs = Object.values(PEERS).flatMap(({ addresses: [from = ''] }) =>
      TARGETS.filter((to) => to !== from).map((to) => ({ from, to })),
    );
    const probes = pairs.map((pair): Probe => ({ ...pair, port: 7000, protocol: 'TCP' }));
    const [seen = []] = sendThrough('wg0', [wireguardConfig(values)['nftables.conf'] ?? ''], probes);
    const said = pairs.map(({ from, to }) => {
      const { there } = only(network, from, to);
      const [source = null] = verdicts(there)[0] === 'arrives' ? sources(there) : [];
      return source === 'the server’s pod' ? POD : source;
    });
    expect(new Set(said).size).toBeGreaterThan(2);
    expect(pairs.map((pair, index) => ({ ...pair, source: said[index] }))).toEqual(
      pairs.map((pair, index) => ({ ...pair, source: seen[index] })),
    );
  });
});

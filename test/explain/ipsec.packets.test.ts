/** Packets through the real packet filter of a gateway end as explain says. */
import { CHARTS } from '../../charts';
import { addressOf } from '../../lib/explain/address';
import { walk } from '../../lib/explain/walk';
import { describeWith } from '../left-out';
import { POD, sendThrough, type Probe } from '../oracles/packets';
import { networkOf, only, sources, verdicts } from './network';

jest.setTimeout(120_000);

const tunnel = (interfaceId: number, networks: readonly string[]) => ({
  gateway: 'a',
  interfaceId,
  remote: { address: `198.51.100.${String(interfaceId)}`, networks },
  presharedKey: { existingSecret: 'psk' },
});
const VALUES = {
  cluster: { podCidrs: ['10.96.0.0/16'], serviceCidrs: ['10.97.0.0/24'] },
  gateways: { a: { identity: '203.0.113.10' } },
  tunnels: { one: tunnel(1, ['10.13.13.0/29', '10.13.13.64/26']), other: tunnel(2, ['10.13.13.128/25']) },
};
const TARGETS = ['10.96.0.1', '10.97.0.7', '10.97.1.7'];
const SOURCES = ['10.13.13.2', '10.13.13.70', '10.13.13.130', '10.13.13.20'];

describeWith(['nft', 'ip', 'python3', 'root', 'netns'], 'packets out of tunnels', () => {
  const filter = CHARTS.ipsec.text((gateways) => gateways.gateway('a').nftablesConf, { values: VALUES });
  const [remote] = only(networkOf('ipsec', VALUES), '10.13.13.2', '10.96.0.1').there;
  const gateway = remote?.branches[0]?.next?.host;

  test.each(['ipsec1', 'ipsec2'])('end as explain says: out of %s', (device) => {
    if (gateway === undefined) throw new Error('no way leads to the gateway');
    const pairs = SOURCES.flatMap((from) => TARGETS.map((to) => ({ from, to })));
    const probes = pairs.map((pair): Probe => ({ ...pair, port: 7000, protocol: 'TCP' }));
    const [seen = []] = sendThrough(device, [filter], probes);
    const said = pairs.map(({ from, to }) => {
      const packet = { source: addressOf(from), destination: addressOf(to), translations: [], isAnswer: false };
      const hops = [walk(gateway, packet, device)];
      return verdicts(hops)[0] === 'arrives' ? sources(hops)[0]?.replace('the pod of gateway a', POD) : null;
    });
    expect(new Set(said)).toEqual(new Set([POD, null]));
    expect(pairs.map((pair, index) => ({ ...pair, source: said[index] }))).toEqual(
      pairs.map((pair, index) => ({ ...pair, source: seen[index] })),
    );
  });
});

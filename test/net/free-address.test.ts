import { freeAddress } from '../../lib/net/free-address';
import { networkBits } from '../../lib/net/cidr';

test.each<[network: string, taken: string[], free: string | undefined]>([
  ['10.13.13.0/24', [], '10.13.13.2'],
  ['10.13.13.0/24', ['10.13.13.2', '10.13.13.3'], '10.13.13.4'],
  ['10.13.13.0/24', ['10.13.13.3'], '10.13.13.2'],
  ['10.13.13.0/24', ['fd00::2', '10.13.13.2', '::a0d:d03'], '10.13.13.3'],
  ['10.13.13.0/30', [], '10.13.13.2'],
  ['10.13.13.0/30', ['10.13.13.2'], undefined],
  ['10.13.13.252/30', [], '10.13.13.254'],
  ['10.0.0.0/8', Array.from({ length: 254 }, (_, index) => `10.0.0.${index + 2}`), '10.0.1.0'],
  ['192.0.2.128/25', [], '192.0.2.130'],
  ['fd00::/64', [], 'fd00::2'],
  ['fd00::/64', ['FD00:0:0:0::2', '10.13.13.2', 'fd00::0003'], 'fd00::4'],
  ['fd00:13:13::/48', [], 'fd00:13:13::2'],
  ['fd00::/126', ['fd00::2'], 'fd00::3'],
  ['fd00::/126', ['fd00::2', 'fd00::3'], undefined],
  ['2001:db8:1:2:3:4:5:0/126', [], '2001:db8:1:2:3:4:5:2'],
  ['2001:db8:0:1::fffc/126', [], '2001:db8:0:1::fffe'],
  ['2001:db8:0:0:1::/112', [], '2001:db8::1:0:0:2'],
  ['2001:0:0:1::/64', [], '2001:0:0:1::2'],
])('of %s, less %j, it is %s', (network, taken, free) => {
  expect(freeAddress(network, taken)).toBe(free);
});

test('taken one after the other, every host of a network is given once, and nothing else', () => {
  for (const [network, hosts] of [
    ['10.1.2.0/26', 61],
    ['fd00:1::/122', 62],
  ] as const) {
    const taken: string[] = [];
    for (let free = freeAddress(network, taken); free !== undefined; free = freeAddress(network, taken)) {
      expect(networkBits(free).startsWith(networkBits(network))).toBe(true);
      taken.push(free);
    }
    expect([taken.length, new Set(taken.map(networkBits)).size]).toEqual([hosts, hosts]);
  }
});

import fc from 'fast-check';
import { ADDRESS_PATTERN } from '../../lib/net/address';
import {
  ADDRESS_OR_CIDR_PATTERN,
  CIDR_PATTERN,
  IPV4_CIDR_PATTERN,
  IPV6_CIDR_PATTERN,
  addressOf,
  firstHost,
  networkBits,
  prefixLength,
} from '../../lib/net/cidr';
import { describeWith } from '../left-out';
import { HAND_MADE, ipv4Text, ipv6Text, mutated, networkText } from './address-texts';
import { judged } from './ipaddress';

describeWith(['python3'], 'the network patterns accept what Python’s ipaddress accepts', () => {
  function agree(texts: readonly string[]): void {
    const patterns = [IPV4_CIDR_PATTERN, IPV6_CIDR_PATTERN, CIDR_PATTERN, ADDRESS_OR_CIDR_PATTERN];
    expect(texts.map((text) => [text, ...patterns.map((pattern) => pattern.test(text))])).toEqual(
      judged(texts).map(([text, { ipv4, ipv6, ipv4Cidr, ipv6Cidr }]) => {
        const cidr = ipv4Cidr || ipv6Cidr;
        return [text, ipv4Cidr, ipv6Cidr, cidr, ipv4 || ipv6 || cidr];
      }),
    );
  }

  test('of forms that are easy to get wrong', () => {
    agree(HAND_MADE);
  });

  test('of every prefix length, and of lengths beyond', () => {
    const lengths = Array.from({ length: 300 }, (_, length) => String(length));
    agree(['10.0.0.0', 'fd00::'].flatMap((address) => lengths.map((length) => `${address}/${length}`)));
  });

  test.each([
    ['valid networks', networkText],
    ['networks with one character changed', mutated(networkText)],
  ])('of 4,000 %s', (_, texts) => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1000, maxLength: 1000 }), (sample) => {
        agree(sample);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });
});

/** One random address for every prefix length of both families. */
const everyLength = fc
  .tuple(fc.array(ipv4Text, { minLength: 33, maxLength: 33 }), fc.array(ipv6Text, { minLength: 129, maxLength: 129 }))
  .map((families) => families.flatMap((texts) => texts.map((text, length) => `${text}/${String(length)}`)));

describeWith(['python3'], 'networks are what Python’s ipaddress says they are', () => {
  function agree(texts: readonly string[]): void {
    expect(texts.map((text) => [text, prefixLength(text), networkBits(text)])).toEqual(
      judged(texts).map(([text, verdict]) => [text, verdict.prefixLength, verdict.bits]),
    );
  }

  test('for hand-made forms', () => {
    agree(HAND_MADE.filter((text) => ADDRESS_OR_CIDR_PATTERN.test(text)));
  });

  test('for every prefix length', () => {
    const fiveTimes = fc.array(everyLength, { minLength: 5, maxLength: 5 }).map((texts) => texts.flat());
    fc.assert(fc.property(fiveTimes, agree), { numRuns: 4, endOnFailure: true });
  });

  test('for bare addresses', () => {
    const addresses = fc.array(fc.oneof(ipv4Text, ipv6Text), { minLength: 500, maxLength: 500 });
    fc.assert(fc.property(addresses, agree), { numRuns: 2, endOnFailure: true });
  });
});

describeWith(['python3'], 'the first host is the address after the network’s own', () => {
  /** The text with its host bits zero, its groups written in a random style. */
  const network = fc
    .tuple(
      fc.oneof(
        fc.tuple(fc.constant(32), fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), fc.integer({ min: 0, max: 31 })),
        fc.tuple(fc.constant(128), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 0, max: 127 })),
      ),
      fc.nat({ max: 7 }),
      fc.boolean(),
    )
    .map(([[width, value, length], gap, upper]) => {
      const hostBits = BigInt(width - length);
      const zeroed = (value >> hostBits) << hostBits;
      const address = width === 32 ? dotted(zeroed) : colons(zeroed, gap);
      return `${upper ? address.toUpperCase() : address}/${String(length)}`;
    });

  test('for every kind of network with more than one address', () => {
    fc.assert(
      fc.property(fc.array(network, { minLength: 500, maxLength: 500 }), (sample) => {
        const hosts = sample.map((text) => [text, firstHost(text)] as const);
        const malformed = hosts.filter(([, host]) => !ADDRESS_PATTERN.test(host));
        expect(malformed).toEqual([]);
        expect(hosts.map(([text, host]) => [text, networkBits(host)])).toEqual(
          judged(sample).map(([text, verdict]) => [text, networkBits(verdict.firstHost)]),
        );
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });

  function dotted(value: bigint): string {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  }

  /** The address with the zeros from a group on left out, if there are any there. */
  function colons(value: bigint, gap: number): string {
    const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
    let end = gap;
    while (groups[end] === 0n) end++;
    const text = (some: bigint[]): string => some.map((group) => group.toString(16)).join(':');
    return end === gap ? text(groups) : `${text(groups.slice(0, gap))}::${text(groups.slice(end))}`;
  }
});

test.each([
  ['10.13.13.0/24', '10.13.13.1'],
  ['10.0.0.128/25', '10.0.0.129'],
  ['10.0.0.254/31', '10.0.0.255'],
  ['0.0.0.0/0', '0.0.0.1'],
  ['::/0', '::1'],
  ['fd00::/64', 'fd00::1'],
  ['fd00:0:0:0:0:0:0:0/64', 'fd00:0:0:0:0:0:0:1'],
  ['1:2:3:4:5:6:7::/112', '1:2:3:4:5:6:7:1'],
  ['FD00::FFF0/124', 'FD00::fff1'],
  ['fd00::00fe/127', 'fd00::ff'],
])('the first host of %s is %s', (network, host) => {
  expect(firstHost(network)).toBe(host);
});

test.each([
  ['10.0.0.0/8', '10.0.0.0', 8],
  ['10.0.0.1', '10.0.0.1', 32],
  ['fd00::/64', 'fd00::', 64],
  ['fd00::', 'fd00::', 128],
])('%s has the address %s and the length %i', (text, address, length) => {
  expect(addressOf(text)).toBe(address);
  expect(prefixLength(text)).toBe(length);
});

test('a network contains another exactly if its bits are a prefix of the other’s', () => {
  expect(networkBits('10.0.0.0/8')).toBe('4.00001010');
  expect(networkBits('10.1.0.0/16')).toBe('4.0000101000000001');
  expect(networkBits('0.0.0.0/0')).toBe('4.');
  expect(networkBits('::/0')).toBe('6.');
  expect(networkBits('10.9.8.7/8')).toBe(networkBits('10.0.0.0/8'));
  expect(networkBits('::a00:0')).toHaveLength(130);
});

import fc from 'fast-check';
import { ADDRESS_PATTERN, IPV4_PATTERN, IPV6_PATTERN, ipv6Groups, isIpv6 } from '../../lib/net/address';
import { describeWith } from '../left-out';
import { HAND_MADE, ipv4Text, ipv6Text, mutated, networkText } from './address-texts';
import { judged } from './ipaddress';

describeWith(['python3'], 'the address patterns accept what Python’s ipaddress accepts', () => {
  function agree(texts: readonly string[]): void {
    const verdicts = judged(texts);
    expect(
      texts.map((text) => [text, IPV4_PATTERN.test(text), IPV6_PATTERN.test(text), ADDRESS_PATTERN.test(text)]),
    ).toEqual(verdicts.map(([text, { ipv4, ipv6 }]) => [text, ipv4, ipv6, ipv4 || ipv6]));
  }

  test('of forms that are easy to get wrong', () => {
    agree(HAND_MADE);
  });

  test.each([
    ['valid addresses', fc.oneof(ipv4Text, ipv6Text)],
    ['addresses with one character changed', mutated(fc.oneof(ipv4Text, ipv6Text))],
    ['networks with one character changed', mutated(networkText)],
  ])('of 4,000 %s', (_, texts) => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1000, maxLength: 1000 }), (sample) => {
        agree(sample);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  test('and the mutations are of both kinds', () => {
    const verdicts = judged(fc.sample(mutated(fc.oneof(ipv4Text, ipv6Text)), 1000));
    const valid = verdicts.filter(([, verdict]) => verdict.ipv4 || verdict.ipv6).length;
    expect(valid).toBeGreaterThan(100);
    expect(valid).toBeLessThan(900);
  });
});

test('the family of an address shows in its text', () => {
  expect(isIpv6('10.0.0.0/8')).toBe(false);
  expect(isIpv6('::/0')).toBe(true);
});

test.each([
  ['::', [0, 0, 0, 0, 0, 0, 0, 0]],
  ['::1', [0, 0, 0, 0, 0, 0, 0, 1]],
  ['fd00::', [0xfd00, 0, 0, 0, 0, 0, 0, 0]],
  ['2001:DB8::a:0', [0x2001, 0xdb8, 0, 0, 0, 0, 10, 0]],
  ['1:2:3:4:5:6:7::', [1, 2, 3, 4, 5, 6, 7, 0]],
  ['1:2:3:4:5:6:7:8', [1, 2, 3, 4, 5, 6, 7, 8]],
])('the groups of %s are written out', (address, groups) => {
  expect(ipv6Groups(address)).toEqual(groups);
});

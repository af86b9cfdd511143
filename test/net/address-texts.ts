/** Addresses for property tests: every legal way to write them, and near misses. */
import fc from 'fast-check';

/** A dotted quad. */
export const ipv4Text = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
  .map((o) => o.join('.'));

const group = fc.oneof(fc.constantFrom(0, 1, 0xfffe, 0xffff), fc.integer({ min: 0, max: 0xffff }));

const groupStyle = fc.record({ width: fc.integer({ min: 1, max: 4 }), upper: fc.boolean() });

/** An IPv6 address: any groups of zeros left out or none, any case, leading zeros or none. */
export const ipv6Text = fc
  .record({
    groups: fc.array(group, { minLength: 8, maxLength: 8 }),
    styles: fc.array(groupStyle, { minLength: 8, maxLength: 8 }),
    gap: fc.option(fc.record({ from: fc.integer({ min: 0, max: 7 }), length: fc.integer({ min: 1, max: 8 }) })),
  })
  .map(({ groups, styles, gap }) => {
    const texts = groups.map((value, index) => {
      const { width = 1, upper = false } = styles[index] ?? {};
      const hex = value.toString(16).padStart(width, '0');
      return upper ? hex.toUpperCase() : hex;
    });
    if (gap === null) return texts.join(':');
    return `${texts.slice(0, gap.from).join(':')}::${texts.slice(gap.from + gap.length).join(':')}`;
  });

/** An address, mostly with a prefix length of its family. */
export const networkText = fc
  .oneof(
    fc.tuple(ipv4Text, fc.option(fc.integer({ min: 0, max: 32 }))),
    fc.tuple(ipv6Text, fc.option(fc.integer({ min: 0, max: 128 }))),
  )
  .map(([address, length]) => (length === null ? address : `${address}/${String(length)}`));

/** A text and one change to one of its characters: taken out, put in, or put in place of another. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      texts,
      fc.nat(),
      fc.constantFrom(...'0123456789abfABFgG:./%-+ \n\u0661'),
      fc.constantFrom('out', 'in', 'over'),
    )
    .map(([text, position, character, change]) => {
      const at = position % (text.length + 1);
      return text.slice(0, at) + (change === 'out' ? '' : character) + text.slice(change === 'in' ? at : at + 1);
    });
}

/** Forms that are easy to get wrong, valid and not. */
export const HAND_MADE = [
  ...['0.0.0.0', '255.255.255.255', '10.0.0.1', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.04', '1.2.3.00'],
  ...['1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '1..3.4', '', '.', '0x1.2.3.4', '1.2.3.-4', '\u0661.2.3.4', '2130706433'],
  ...['0.0.0.0/0', '10.0.0.0/8', '10.1.2.3/8', '1.2.3.4/32', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/-1', '1.2.3.4/08'],
  ...['1.2.3.4/255.255.255.0', '1.2.3.4/0.0.0.255', '1.2.3.4/24/24', '1.2.3.4/24\n', '1.2.3.4/ 24', '/24', '1.2.3.4/٢'],
  ...[
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1::3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8::',
  ],
  ...['::1:2:3:4:5:6:7:8', '1::2::3', ':::', ':', '1:', ':1', ':1::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::'],
  ...[
    '::00001',
    '::0001',
    'FFFF::ffff',
    'g::',
    '::ffff:1.2.3.4',
    '::1.2.3.4',
    'fe80::1%eth0',
    'fe80::1%',
    '[::1]',
    '::1 ',
  ],
  ...[
    '::/0',
    '2001:db8::/32',
    '2001:DB8::/32',
    'fd00::1/64',
    '::1/128',
    '::1/129',
    '::/064',
    '::/',
    'fd00::/8/8',
    '::1/1280',
  ],
  ...[
    '1:2:3:4:5:6:7::/112',
    '0:0:0:0:0:0:0:0/0',
    '::ffff:0:0/96',
    '::ffff:1.2.3.4/96',
    'fe80::%eth0/64',
    'fe80::/64%eth0',
  ],
];

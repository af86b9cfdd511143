import { z } from 'zod';
import { branches } from '../../lib/helm/leaves';
import { valuesYaml } from '../../lib/helm/values-yaml';

const printed = (shape: z.core.$ZodShape): string => valuesYaml(branches(z.strictObject(shape)));

describe('values.yaml', () => {
  test('has every default below its description', () => {
    expect(
      printed({
        a: z.int().default(1).describe('The first'),
        b: z.strictObject({ c: z.string().default('1.0').describe('The second') }).prefault({}),
      }),
    ).toBe('# -- The first\na: 1\n\nb:\n  # -- The second\n  c: "1.0"\n');
  });

  test('has what has no default in a comment, with its type and an example', () => {
    expect(printed({ mtu: z.int().optional().describe('The size').meta({ example: 1420 }) })).toBe(
      '# (int) The size\n# mtu: 1420\n',
    );
  });

  test('shows the first choice where there is no better example, and all choices', () => {
    expect(printed({ mode: z.enum(['a', 'b']).optional().describe('How') })).toBe(
      '# (string) How (`a`, `b`)\n# mode: a\n',
    );
    expect(printed({ mode: z.enum(['a', 'b']).default('b').describe('`a` is so, `b` is otherwise') })).toBe(
      '# -- `a` is so, `b` is otherwise\nmode: b\n',
    );
  });

  test('shows in a comment what an empty map or list may hold', () => {
    const peer = z.strictObject({
      key: z.string().describe('Its key').meta({ example: 'k' }),
      more: z
        .array(z.string().meta({ example: 'x' }))
        .optional()
        .describe('More'),
    });
    expect(
      printed({
        peers: z
          .record(z.string().meta({ example: 'alice' }), peer)
          .default({})
          .describe('All peers'),
      }),
    ).toBe(
      '# -- All peers\npeers: {}\n  # alice:\n  #   # Its key\n  #   key: k\n  #   # More\n  #   more:\n  #     - x\n',
    );
    expect(
      printed({
        list: z
          .array(z.strictObject({ name: z.string().describe('Its name').meta({ example: 'a' }) }))
          .default([])
          .describe('All'),
      }),
    ).toBe('# -- All\nlist: []\n  # - # Its name\n  #   name: a\n');
  });

  test('wraps long descriptions between words, never inside back-quotes', () => {
    const lines = printed({
      a: z
        .int()
        .default(1)
        .describe(`${'word '.repeat(22)}longer and then \`a b c d e f g h\` too`),
    }).split('\n');
    expect(lines).toEqual([`# -- ${'word '.repeat(22).trim()}`, '# longer and then `a b c d e f g h` too', 'a: 1', '']);
  });
});

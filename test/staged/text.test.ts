import { z } from 'zod';
import { conf, each, isSet, named, when, type Expr } from '../../lib/staged';
import { evaluate } from '../../lib/staged/evaluate';
import { nodeOf } from '../../lib/staged/node';
import { refs } from '../../lib/staged/stage';

const line = z.string().regex(/^[a-z]*$/);
const v = refs(
  z.strictObject({
    free: z.string(),
    safe: line,
    maybe: line.optional(),
    port: z.int(),
    half: z.number(),
    items: z.array(line),
    starts: z.string().startsWith('a'),
    odd: z.string().regex(/^.*$/),
  }),
);

function textOf(text: Expr<string>, values: object = {}): unknown {
  const env = {
    values: values as never,
    release: { name: 'r', namespace: 'n', service: 's' },
    chart: { name: 'c', version: '1', appVersion: '1' },
  };
  return evaluate(nodeOf(text), env);
}

test('a text loses the margin that all its lines share, and the line breaks at its ends', () => {
  expect(
    textOf(conf`
      a
        b

      c
    `),
  ).toBe('a\n  b\n\nc');
});

test('a block of lines is indented as it stands, except its blank lines', () => {
  const text = conf`
    list {
      ${each(
        v.items,
        (item) => conf`

        item
          ${item}
      `,
      )}
    }
  `;
  expect(textOf(text, { items: ['x', 'y'] })).toBe('list {\n\n  item\n    x\n\n  item\n    y\n}');
  expect(textOf(text, { items: [] })).toBe('list {\n}');
});

test('a block that is not there leaves no line', () => {
  const text = conf`
    a
    ${when(isSet(v.maybe), () => conf`b`)}
    c
  `;
  expect(textOf(text)).toBe('a\nc');
  expect(textOf(text, { maybe: '' })).toBe('a\nb\nc');
});

test('plain texts, numbers and booleans stand as they are', () => {
  expect(textOf(conf`${'a'} ${1} ${true} $x \\ {{ }}`)).toBe('a 1 true $x \\ {{ }}');
});

describe('fails when a text', () => {
  const cases: Readonly<Record<string, [() => unknown, string]>> = {
    'has a value without a pattern in a line': [
      () => conf`a ${v.free}`,
      'conf: values.free may hold a line break; give its schema a pattern',
    ],
    'has a value with a check that is no pattern of the whole': [
      () => conf`a ${v.starts}`,
      'conf: values.starts may hold a line break',
    ],
    'has a value with a pattern that JavaScript and RE2 read differently': [
      () => conf`a ${v.odd}`,
      'conf: values.odd may hold a line break',
    ],
    'has a value alone on its line without a pattern': [
      () => conf`${v.free}`,
      'conf: values.free may hold a line break',
    ],
    'has a number with a fraction': [() => conf`a ${v.half}`, 'conf: values.half may hold'],
    'has a list': [() => conf`a ${v.items}`, 'conf: values.items may hold'],
    'has a value that may be absent': [
      () => conf`a ${v.maybe}`,
      'conf: values.maybe may be absent; wrap it in when(isSet(…)) or orElse(…)',
    ],
    'has a block beside text': [
      () => conf`a ${each(v.items, (item) => conf`${item}`)}`,
      'conf: each(values.items, …) is a block; put it alone on its line',
    ],
    'has a plain text of two lines': [() => conf`a ${'b\nc'}`, 'conf: "b\\nc" does not stay in its line'],
    'has a plain text with a line separator': [() => conf`a ${'b\u2028c'}`, 'does not stay in its line'],
    'has a blank line before a block': [
      () => conf`
        a

        ${each(v.items, (item) => conf`${item}`)}
      `,
      'conf: a blank line before a block or at the end would be lost; write it inside the block',
    ],
    'ends in a blank line': [
      () => conf`
        a

      `,
      'at the end would be lost',
    ],
    'with a name begins with a value': [
      () => named('x', {}, () => conf`${v.safe} a`),
      'named("x"): the first line of a text begins with a literal word',
    ],
    'with a name begins with a block': [
      () =>
        named(
          'x',
          {},
          () => conf`
          ${each(v.items, (item) => conf`${item}`)}
        `,
        ),
      'begins with a literal word, so that it is never empty',
    ],
  };
  test.each(Object.entries(cases))('%s', (_title, [build, message]) => {
    expect(build).toThrow(TypeError);
    expect(build).toThrow(message);
  });
});

import { z } from 'zod';
import { InputError, named, stage, text, type Expr, type Staged } from '../../lib/staged';
import { evaluate } from '../../lib/staged/evaluate';
import { nodeOf } from '../../lib/staged/node';
import { refs } from '../../lib/staged/stage';

const schema = z.strictObject({
  port: z.int().min(1).max(65535).default(51820),
  network: z
    .string()
    .regex(/^[0-9./]+$/)
    .meta({ noun: 'a network', example: '10.0.0.0/8' }),
  mode: z.enum(['masquerade', 'routed']).default('masquerade'),
  key: z
    .string()
    .regex(/^[a-z]{8}$/)
    .optional()
    .meta({ secret: true }),
  peers: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.strictObject({ addresses: z.array(z.string().regex(/^[0-9.]+$/)), weight: z.int().default(1) }),
    )
    .default({}),
  image: z
    .strictObject({
      tag: z
        .string()
        .regex(/^[a-z0-9]+$/)
        .default('latest'),
      digest: z
        .string()
        .regex(/^[a-z0-9]+$/)
        .optional(),
    })
    .prefault({}),
});
type Props = Staged<z.input<typeof schema>>;

const values = z.strictObject({
  port: z.int(),
  maybePort: z.int().optional(),
  name: z.string(),
  network: z.string().regex(/^[0-9./]+$/),
  flag: z.boolean(),
  addresses: z.array(z.string().regex(/^[0-9.]+$/)),
  free: z.array(z.string()),
  tag: z
    .string()
    .regex(/^[a-z0-9]+$/)
    .optional(),
});
const v = refs(values);
const env = (given: object) => ({
  values: given as never,
  release: { name: 'r', namespace: 'n', service: 's' },
  chart: { name: 'c', version: '1', appVersion: '1' },
});
const valueOf = (expression: Expr<unknown>, given: object = {}): unknown => evaluate(nodeOf(expression), env(given));
const problemsOf = (props: unknown): readonly string[] => {
  try {
    stage(schema, props as Props);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
};

test('an absent key takes the default', () => {
  const staged = stage(schema, { network: '10.0.0.0/8' });
  expect(valueOf(staged)).toEqual({
    port: 51820,
    network: '10.0.0.0/8',
    mode: 'masquerade',
    peers: {},
    image: { tag: 'latest' },
  });
});

test('defaults are applied in the entries of a map too, literal or not', () => {
  const literal = stage(schema, { network: '1', peers: { a: { addresses: ['1'] } } });
  const part = stage(schema, { network: '1', peers: { a: { addresses: [v.network as never] } } });
  expect(valueOf(literal.peers)).toEqual({ a: { addresses: ['1'], weight: 1 } });
  expect(valueOf(part.peers, { network: '2' })).toEqual({ a: { addresses: ['2'], weight: 1 } });
});

test('an expression takes its place among literals', () => {
  const staged = stage(schema, { network: v.network, port: v.port, peers: { a: { addresses: v.addresses } } });
  expect(valueOf(staged, { network: '9', port: 1, addresses: ['5', '6'] })).toEqual({
    port: 1,
    network: '9',
    mode: 'masquerade',
    peers: { a: { addresses: ['5', '6'], weight: 1 } },
    image: { tag: 'latest' },
  });
});

test('an expression that may be absent takes the default', () => {
  const staged = stage(schema, { network: '1', port: v.maybePort as never, image: { tag: v.tag as never } });
  expect(valueOf(staged.port)).toBe(51820);
  expect(valueOf(staged.port, { maybePort: 7 })).toBe(7);
  expect(valueOf(staged.image.tag)).toBe('latest');
  expect(valueOf(staged.image.tag, { tag: 'x' })).toBe('x');
});

test('a null is an absent value', () => {
  expect(valueOf(stage(schema, { network: '1', port: null as never }).port)).toBe(51820);
});

test('all problems of the literal parts are thrown together, each with its path', () => {
  expect(
    problemsOf({
      port: 0,
      mode: 'route',
      key: 'short',
      prot: 1,
      peers: { A: { addresses: [] }, b: { addresses: ['1', 'x', v.port], wieght: 2 } },
      image: { tag: 5 },
    }),
  ).toEqual([
    'prot: unknown key, got "prot"; did you mean "port"?',
    'port: is too small, got 0; use 1 or more',
    'network: is required, got nothing; give it a value',
    'mode: is not one of the choices, got "route"; did you mean "routed"?',
    'key: is not in the right form, got a 5-character string; write it as /^[a-z]{8}$/',
    'peers.b.wieght: unknown key, got "wieght"; did you mean "weight"?',
    'peers.b.addresses[1]: is not in the right form, got "x"; write it as /^[0-9.]+$/',
    'peers.b.addresses[2]: needs text that a pattern keeps in one line, got values.port; give its schema the same type',
    'image.tag: must be text, got 5; see the values table in the README',
  ]);
});

test('a secret is never shown', () => {
  const [sentence = ''] = problemsOf({ network: '1', key: 'HUNTER2HUNTER2' });
  expect(sentence).toContain('key: ');
  expect(sentence).not.toMatch(/hunter/i);
});

describe('fails when an expression', () => {
  const cases: Readonly<Record<string, [object, string]>> = {
    'is of another kind': [
      { network: v.port },
      'network: needs text that a pattern keeps in one line, got values.port; give its schema the same type',
    ],
    'has no pattern where one is needed': [
      { network: v.name },
      'network: needs text that a pattern keeps in one line, got values.name; give its schema the same type',
    ],
    'is a boolean for an integer': [
      { network: '1', port: v.flag },
      'port: needs a whole number, got values.flag; give its schema the same type',
    ],
    'may be absent where a value is required': [
      { network: v.tag },
      'network: is required, got values.tag, which may be absent; wrap it in orElse(…)',
    ],
    'is a list of other elements': [
      { network: '1', peers: { a: { addresses: v.free } } },
      'peers.a.addresses: needs a list of other elements, got values.free; give its schema the same type',
    ],
    'stands for a whole object': [
      { network: '1', image: v.name },
      'image: needs a map with the keys of its schema, got values.name; give its schema the same type',
    ],
  };
  test.each(Object.entries(cases))('%s', (_title, [props, sentence]) => {
    const problems = problemsOf(props);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
  });
});

test('props are not changed, nor needed to be changeable', () => {
  const props = { network: v.network, peers: { a: { addresses: ['1', v.network as never] } }, image: {} };
  const before = { peers: Object.keys(props.peers), image: Object.keys(props.image) };
  stage(schema, deepFreeze(props));
  expect({ peers: Object.keys(props.peers), image: Object.keys(props.image) }).toEqual(before);
});

test('what is staged can be staged again', () => {
  const once = stage(schema, { network: v.network });
  const twice = stage(schema, { ...once, port: 5 });
  expect(valueOf(twice, { network: '3' })).toEqual({
    port: 5,
    network: '3',
    mode: 'masquerade',
    peers: {},
    image: { tag: 'latest' },
  });
});

test('what one schema has staged is judged by every other one, and by that one no more', () => {
  const { image } = refs(z.strictObject({ image: schema.shape.image }));
  expect(stage(schema, { network: '1', image }).image).toBe(image);
  const free = refs(z.strictObject({ image: z.strictObject({ tag: z.string(), digest: z.string().optional() }) }));
  expect(problemsOf({ network: '1', image: free.image })).toEqual(
    ['tag', 'digest'].map(
      (key) =>
        `image.${key}: needs text that a pattern keeps in one line, got values.image.${key}; give its schema the same type`,
    ),
  );
});

test('a parameter of a named part is staged: its defaults apply', () => {
  const part = named('part', { size: z.int().default(3), name: z.string() }, ({ size, name }) => text`${name} ${size}`);
  expect(valueOf(part({ name: 'x' }))).toBe('x 3');
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

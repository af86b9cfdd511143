import { z } from 'zod';
import { add, conf, count, each, eq, lookup, named, orElse, text, when } from '../../lib/staged';
import { expr, isExpr, literal, nodeOf, nodesIn, type Node } from '../../lib/staged/node';
import { refs } from '../../lib/staged/stage';

const v = refs(
  z.strictObject({
    port: z.int(),
    name: z.string().optional(),
    peers: z.record(z.string(), z.strictObject({ key: z.string() })),
    value: z.strictObject({ default: z.int(), toString: z.string() }),
  }),
);

/** As a careless author would use it. */
const port = v.port as unknown as string;
const amount = v.port as unknown as number;

describe('an expression never becomes', () => {
  const guidance = 'use text`…` or join() to build text, when() to decide, and pass it on as it is';
  const uses: Readonly<Record<string, () => unknown>> = {
    'text of a template literal': () => `${port}`,
    'text by String()': () => String(port),
    'text by +': () => 'x' + port,
    'a number by +': () => +amount,
    'an operand of <': () => amount < 5,
    'an operand of a loose comparison': () => new Set([1, 2]).has(Number(port)),
    'a key of an object': () => ({ [port]: 1 }),
    'text by join': () => [port].join(','),
    JSON: () => JSON.stringify({ deep: [port] }),
    'what valueOf gives': () => port.valueOf(),
  };
  test.each(Object.entries(uses))('%s, and the error names it', (_use, use) => {
    expect(use).toThrow(TypeError);
    expect(use).toThrow('values.port is known at install time and cannot become');
    expect(use).toThrow(guidance);
  });

  const expressions: readonly (readonly [string, unknown])[] = [
    ['add(values.port, 1)', add(v.port, 1)],
    ['lookup(values.peers, "a").key', lookup(v.peers, 'a').key],
    ['each(values.peers, …)', each(v.peers, (key) => key)],
    ['when(eq(values.port, 1), …)', when(eq(v.port, 1), () => 'x')],
    ['conf`…`', conf`x`],
    ['values.value.default', v.value.default],
    ['orElse(values.name, "x")', orElse(v.name, 'x')],
    ['part(…)', named('part', {}, () => text`a${v.port}`)()],
  ];
  test.each(expressions)('text: %s', (name, expression) => {
    expect(() => JSON.stringify(expression)).toThrow(`${name} is known at install time`);
  });
});

test('a secret is not named by its value', () => {
  const secret = expr(literal('hunter2', { kind: 'string', optional: false, secret: true }));
  expect(() => JSON.stringify(secret)).toThrow('a secret is known at install time');
});

test('keys of the values may have the names of methods and of words of the language', () => {
  expect(isExpr(v.value.toString)).toBe(true);
  expect(Object.keys(v.value)).toEqual(['default', 'toString']);
});

test('spreading an object of the values copies its keys, which stay expressions', () => {
  const copy = { ...v.value };
  expect(isExpr(copy)).toBe(false);
  expect(isExpr(copy.default)).toBe(true);
});

test('expressions and the nodes below them are frozen', () => {
  const expression = each(v.peers, (key, peer) => ({ key, list: [text`${peer.key} ${count(v.peers)}`] }));
  const isDeepFrozen = (node: Node): boolean =>
    Object.isFrozen(node) &&
    Object.values(node).every((child) => typeof child !== 'object' || child === null || Object.isFrozen(child));
  expect(Object.isFrozen(expression)).toBe(true);
  expect(nodesIn(nodeOf(expression)).filter((node) => !isDeepFrozen(node))).toEqual([]);
});

import { z } from 'zod';
import { defaultsOf, parseValues } from '../../lib/helm/parse-values';
import { InputError } from '../../lib/staged/input-error';
import type { JsonObject } from '../../lib/helm/values-file';

const schema = z.strictObject({
  port: z.int().max(9).default(5).describe('port'),
  mtu: z.int().optional().describe('mtu'),
  service: z
    .strictObject({
      type: z.enum(['a', 'b']).default('a').describe('type'),
      ip: z
        .string()
        .regex(/^[0-9]+$/)
        .optional()
        .describe('ip'),
    })
    .prefault({}),
  peers: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.strictObject({
        key: z
          .string()
          .regex(/^[a-z]+$/)
          .describe('key'),
        note: z.int().optional().describe('note'),
      }),
    )
    .default({})
    .describe('peers'),
  objects: z
    .array(
      z
        .looseObject({
          name: z
            .string()
            .regex(/^[a-z]+$/)
            .optional()
            .describe('name'),
        })
        .meta({ asIs: true }),
    )
    .default([])
    .describe('objects'),
});

function problems(user: JsonObject): readonly string[] {
  try {
    parseValues(schema, user);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe('the values that templates see', () => {
  test('are the defaults, where the user gives nothing', () => {
    expect(parseValues(schema, {})).toEqual({ port: 5, service: { type: 'a' }, peers: {}, objects: [] });
    expect(defaultsOf(schema)).toEqual(parseValues(schema, {}));
  });

  test('lack what the user set to null and has no default, at any depth', () => {
    expect(
      parseValues(schema, { mtu: null, service: { ip: null }, peers: { alice: { key: 'a', note: null } } }),
    ).toEqual({
      port: 5,
      service: { type: 'a' },
      peers: { alice: { key: 'a' } },
      objects: [],
    });
  });

  test('are refused where null takes a default away, a whole part too', () => {
    expect(problems({ port: null, service: { type: null } })).toEqual([
      'port: is required, got null; remove the null, or give it a value',
      'service.type: is required, got null; remove the null, or give it a value',
    ]);
    expect(problems({ service: null })).toEqual([
      'service: is required, got null; remove the null, or give it a value',
    ]);
  });

  test('are refused where null stands in what is passed on as it is', () => {
    expect(problems({ objects: [{ name: null }] })).toHaveLength(1);
    expect(problems({ objects: [{ name: 'a' }, {}] })).toEqual([]);
  });

  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'are refused with the key %s, like with any other that is unknown',
    (key) => {
      const user = JSON.parse(`{"${key}": 1, "service": {"${key}": {}}}`) as JsonObject;
      expect(
        problems(user)
          .map((sentence) => sentence.replace(/;.*/, ''))
          .sort(),
      ).toEqual([`${key}: unknown key, got "${key}"`, `service.${key}: unknown key, got "${key}"`].sort());
    },
  );

  test('have all their problems reported at once', () => {
    expect(
      problems({ port: 10, mtu: 'x', service: { type: 'c' }, peers: { A: {}, bob: {} }, more: 1 })
        .map((sentence) => sentence.split(':')[0])
        .sort(),
    ).toEqual(['mtu', 'more', 'peers.A', 'peers.bob.key', 'port', 'service.type'].sort());
  });
});

test('a value that the user must give has no default, and the others keep theirs', () => {
  const own = z.strictObject({
    key: z.string().describe('key'),
    vpn: z
      .strictObject({ key: z.string().describe('key'), port: z.int().default(5).describe('port') })
      .prefault({} as never),
  });
  expect(defaultsOf(own)).toEqual({ vpn: { port: 5 } });
  expect(() => parseValues(own, { vpn: { key: 'a' } })).toThrow(/^key: is required, got nothing; /);
  expect(parseValues(own, { key: 'b', vpn: { key: 'a' } })).toEqual({ key: 'b', vpn: { key: 'a', port: 5 } });
});

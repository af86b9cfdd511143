import { z } from 'zod';
import { jsonSchema } from '../../lib/helm/json-schema';
import { text } from '../../values/text';

const made = (shape: z.core.$ZodShape): Record<string, unknown> =>
  JSON.parse(jsonSchema(z.strictObject(shape))) as Record<string, unknown>;
const property = (schema: z.core.$ZodType): unknown =>
  (made({ a: schema })['properties'] as Record<string, unknown>)['a'];

describe('values.schema.json', () => {
  test('is of draft 7 and strict', () => {
    expect(made({})).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      additionalProperties: false,
    });
  });

  test('requires what has a default, since Helm puts the default there first', () => {
    expect(
      made({ a: z.int().default(1), b: z.int().optional(), c: z.strictObject({}).prefault({}), d: z.int() })[
        'required'
      ],
    ).toEqual(['a', 'c', 'd']);
  });

  test('takes null for what may be absent, whatever its type', () => {
    expect(property(z.boolean().optional())).toEqual({ type: ['boolean', 'null'] });
    expect(property(z.enum(['a']).optional())).toEqual({ type: ['string', 'null'], enum: ['a', null] });
    expect(property(z.union([z.string(), z.boolean()]).optional())).toEqual({ type: ['string', 'boolean', 'null'] });
    expect(property(z.union([z.string().max(1), z.boolean()]).optional())).toEqual({
      anyOf: [{ type: 'string', maxLength: 1 }, { type: 'boolean' }, { type: 'null' }],
    });
    expect(property(z.literal('a').optional())).toEqual({ type: ['string', 'null'], enum: ['a', null] });
    const tree: z.ZodType = z.lazy(() => z.array(tree));
    expect(property(z.strictObject({ b: tree, c: tree.optional() }))).toMatchObject({
      properties: { c: { anyOf: [{ allOf: [{ $ref: expect.any(String) as string }] }, { type: 'null' }] } },
    });
    expect(property(z.boolean().default(true))).toEqual({ type: 'boolean' });
  });

  test('takes no null in what is passed on as it is', () => {
    expect(property(z.strictObject({ b: z.boolean().optional() }).meta({ asIs: true }))).toMatchObject({
      properties: { b: { type: 'boolean' } },
    });
  });

  test('has descriptions, but nothing of ours that Helm does not know', () => {
    const schema = z
      .string()
      .regex(/^a$/)
      .default('a')
      .describe('What it is')
      .meta({ noun: 'a thing', example: 'a', secret: true });
    expect(property(schema)).toEqual({ type: 'string', pattern: '^a$', description: 'What it is' });
  });

  test('says in visible characters which text it takes', () => {
    expect(jsonSchema(z.strictObject({ a: text }))).toMatch(/^[\n -~]*$/);
    expect((property(text) as { pattern: string }).pattern).toContain('\u{10000}-\u{10ffff}');
  });
});

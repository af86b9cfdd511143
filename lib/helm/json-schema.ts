import { z } from 'zod';

interface Schema {
  [key: string]: unknown;
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  allOf?: Schema[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  /** Our own: passed on as it is, so null is not the same as absent. */
  asIs?: boolean;
}

/**
 * The `values.schema.json` of a chart: draft-07, which every Helm reads alike. It judges the values after Helm has
 * put the defaults under them, so what has a default is required; what has none may also be null, which is absent.
 */
export function jsonSchema(schema: z.core.$ZodType): string {
  const made = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'output',
    override: ({ jsonSchema: one }) => trim(one as Schema),
  }) as Schema;
  visit(made);
  return `${JSON.stringify(made, null, 2).replaceAll(/"pattern": ".*"/g, escaped)}\n`;
}

/** Characters that a person cannot see, in the way that JSON has for them. */
function escaped(pattern: string): string {
  return pattern.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Only what judges, and the description: examples, nouns and defaults stand in values.yaml. */
function trim(schema: Schema): void {
  for (const key of ['noun', 'example', 'secret', 'default']) Reflect.deleteProperty(schema, key);
}

function visit(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const { properties, required, asIs } = value as Schema;
  Reflect.deleteProperty(value, 'asIs');
  if (properties !== undefined && asIs !== true) {
    for (const [key, property] of Object.entries(properties)) {
      if (!(required ?? []).includes(key)) allowNull(property);
    }
  }
  Object.values(value).forEach(visit);
}

function allowNull(schema: Schema): void {
  const { allOf, const: only } = schema;
  if (allOf !== undefined) {
    // What refers to another part of the schema.
    Reflect.deleteProperty(schema, 'allOf');
    schema.anyOf = [{ allOf }, { type: 'null' }];
    return;
  }
  if (only !== undefined) {
    Reflect.deleteProperty(schema, 'const');
    schema.enum = [only];
  }
  if (schema.anyOf !== undefined) schema.anyOf.push({ type: 'null' });
  else if (schema.type !== undefined) schema.type = [schema.type, 'null'].flat();
  if (schema.enum !== undefined) schema.enum.push(null);
}

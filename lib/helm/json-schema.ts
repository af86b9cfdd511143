import { z } from 'zod';

interface Schema {
  [key: string]: unknown;
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

/**
 * The `values.schema.json` of a chart: draft-07, which every Helm reads alike. It judges the values after Helm has
 * put the defaults under them, so what has a default is required; what has none may also be null, which is absent.
 */
export function jsonSchema(schema: z.core.$ZodType): string {
  const made = z.toJSONSchema(schema, { target: 'draft-7', io: 'output', override: ({ jsonSchema: one }) => trim(one as Schema) }) as Schema;
  visit(made);
  return `${JSON.stringify(made, null, 2)}\n`;
}

/** Only what judges, and the description: examples, nouns and defaults stand in values.yaml. */
function trim(schema: Schema): void {
  for (const key of ['noun', 'example', 'secret', 'default']) Reflect.deleteProperty(schema, key);
}

function visit(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const { properties, required } = value as Schema;
  if (properties !== undefined) {
    for (const [key, property] of Object.entries(properties)) {
      if (!(required ?? []).includes(key)) allowNull(property);
    }
  }
  Object.values(value).forEach(visit);
}

function allowNull(schema: Schema): void {
  if (schema.anyOf !== undefined) schema.anyOf.push({ type: 'null' });
  else if (typeof schema.type === 'string') schema.type = [schema.type, 'null'];
  if (schema.enum !== undefined) schema.enum.push(null);
}

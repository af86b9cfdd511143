import { z } from 'zod';
import { umbrellaGlobal } from './kubernetes';

/** What can be a part of an umbrella chart: a chart whose values say whether it is wanted there. */
interface Part {
  readonly schema: z.ZodObject<{ readonly enabled: z.ZodDefault<z.ZodBoolean> }>;
}

/** The values of a part. Whether it is wanted is said, never assumed: Helm installs one of which nothing is said. */
function partValues(name: string, { schema }: Part): z.ZodType {
  const enabled = z.boolean().default(false).describe(`Whether the chart ${name} is installed`);
  return schema.extend({ enabled }).prefault({} as never);
}

/**
 * The values of an umbrella chart: below the name of each of its charts the values of that chart, and `global`, which all of
 * them share.
 */
export function umbrellaValues<P extends Readonly<Record<string, Part>>>(parts: P) {
  const values = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, partValues(name, part)]));
  return z.strictObject({
    global: umbrellaGlobal,
    ...(values as unknown as { [N in keyof P]: z.ZodPrefault<P[N]['schema']> }),
  });
}

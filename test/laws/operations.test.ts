/** Every operation of the staged language means the same when the values are known and when Helm installs the chart. */
import { z } from 'zod';
import { helmChart, type HelmChart } from '../../lib/helm/chart';
import { each, Resource, stage } from '../../lib/staged';
import type { Json } from '../../lib/staged/node';
import { OPERATIONS } from '../../lib/staged/operations';
import { ALL_HELMS } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { CONSTRUCTIONS } from './operation-constructs';
import { FORMS } from './operation-forms';
import { tools } from '../tools';
import { LAWS, type Law } from './operation-laws';
import { expectReadersAgree, plainReading } from './operation-readers';

/** Without the pinned ones, the user's own Helm; with no Helm at all, the pinned ones are what is missing. */
const HELMS = tools.helms().length > 0 ? [] : ALL_HELMS;

test('fails when an operation has no law', () => {
  expect(Object.keys(LAWS).sort()).toEqual(Object.keys(OPERATIONS).sort());
});

describeWith(HELMS, 'an operation means the same to both readers', () => {
  test.each(Object.entries(LAWS))('%s', async (_name, law) => {
    const { chart, values } = charted(law);
    await expectReadersAgree(chart, values);
  });
});

describeWith(HELMS, 'a form means the same to both readers', () => {
  test.each(Object.entries(FORMS))('%s', async (_name, law) => {
    const { chart, values } = charted(law);
    await expectReadersAgree(chart, values);
  });
});

describeWith(HELMS, 'a construct means the same to both readers', () => {
  const cases = Object.entries(CONSTRUCTIONS).flatMap(([name, { chart, values }]) =>
    values.map((given, i) => [`${name}, values ${String(i)}`, chart, given] as const),
  );
  test.each(cases)('%s', async (_name, chart, values) => {
    await expectReadersAgree(chart, values);
  });

  test('fails when no values break a rule, or all do', () => {
    const checks = Object.values(CONSTRUCTIONS)[0];
    const outcomes = checks?.values.map((values) => 'problems' in plainReading(checks.chart, values));
    expect(new Set(outcomes)).toEqual(new Set([true, false]));
  });
});

type Sample = Readonly<Record<string, Json>>;

/** So many samples are known in part when the chart is built. */
const MOST_KNOWN = 16;

/**
 * A chart that asks the law of every sample as a value, of some as literals in a loop and alone, and of these with
 * every other field a literal.
 */
function charted(law: Law): { chart: HelmChart; values: Readonly<Record<string, Json>> } {
  const step = Math.ceil(law.samples.length / MOST_KNOWN);
  const known = law.samples.filter((_, i) => i % step === 0);
  const ask = law.ask as (sample: unknown) => unknown;
  const samples = z.array(law.sample);
  const parts = z.strictObject(
    Object.fromEntries(known.map((sample, i) => [`s${String(i)}`, withDefaults(law.sample, sample)])),
  );
  const chart = helmChart({
    name: 'law',
    version: '1.0.0',
    values: z.strictObject({ samples: samples.default([]), parts: parts.prefault({}) }),
    build: (scope, v) => {
      new Resource(scope, 'Values', manifest('values', each(v.samples, ask)));
      const literals = stage(z.strictObject({ samples }), { samples: known as never });
      new Resource(scope, 'Loop', manifest('loop', each(literals.samples, ask)));
      const refs = Object.values(v.parts as unknown as Record<string, unknown>);
      for (const [name, isLiteral] of Object.entries(KNOWN_FIELDS)) {
        const asked = known.map((sample, i) => ask(stage(law.sample, mixed(law, sample, refs[i], isLiteral))));
        new Resource(scope, name, manifest(name, asked));
      }
    },
  });
  const given = Object.fromEntries(known.map((sample, i) => [`s${String(i)}`, sample]));
  return { chart: chart as unknown as HelmChart, values: { samples: law.samples, parts: given } };
}

/** Which fields of a sample are literals, by position. */
const KNOWN_FIELDS: Readonly<Record<string, (position: number) => boolean>> = {
  all: () => true,
  even: (position) => position % 2 === 0,
  odd: (position) => position % 2 === 1,
};

/** A schema whose every default is a sample. */
function withDefaults(schema: z.ZodObject, sample: Sample): z.ZodType {
  const fields = Object.entries(schema.shape).map(([key, field]) => {
    const value = sample[key];
    return [key, value === undefined ? field : (field as z.ZodType).default(value)] as const;
  });
  return z.strictObject(Object.fromEntries(fields)).prefault({});
}

/** A sample whose fields are literals where `isLiteral` says so of their position, else expressions. */
function mixed(law: Law, sample: Sample, ref: unknown, isLiteral: (position: number) => boolean): never {
  const fields = Object.keys(law.sample.shape).map((key, n) => [
    key,
    isLiteral(n) ? sample[key] : (ref as Record<string, unknown>)[key],
  ]);
  return Object.fromEntries(fields) as never;
}

function manifest(name: string, results: unknown) {
  return { apiVersion: 'laws/v1', kind: 'Law', metadata: { name }, results };
}

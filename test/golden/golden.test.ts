import { z } from 'zod';
import { loadValues } from '../../lib/helm/load-values';
import { elementOf, shapeOf, unwrap } from '../../lib/staged/schema';
import { badFilesOf, charts, examplesOf, goldens, goldensInTree, problemsOf, UPDATE_COMMAND } from './goldens';

/** The texts below a schema that are marked as secret. */
/** What stands under `value` below a secret part: the name of an existing Secret is none. */
function secretsIn(schema: z.core.$ZodType, value: unknown, isSecret = false, key = ''): string[] {
  const { schema: inner, meta } = unwrap(schema);
  const secret = isSecret || meta.secret === true;
  if (typeof value === 'string') return secret && key === 'value' && value !== '' ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const shape = shapeOf(inner) ?? {};
    const of = Object.hasOwn(shape, key) ? shape[key] : elementOf(inner);
    return of === undefined ? [] : secretsIn(of, child, secret, key);
  });
}

const wanted = goldens();
const found = goldensInTree();

describe('golden files', () => {
  test.each([...new Set([...wanted.keys(), ...found.keys()])].sort())('%s is what we make', (name) => {
    const [made, kept] = [wanted.get(name), found.get(name)];
    if (made === undefined) throw new Error(`nothing makes test/golden/${name} any more: run \`${UPDATE_COMMAND}\``);
    if (kept === undefined) throw new Error(`test/golden/${name} is missing: run \`${UPDATE_COMMAND}\``);
    if (made === kept) return;
    const [ours, theirs] = [made.split('\n'), kept.split('\n')];
    const line = ours.findIndex((text, i) => text !== theirs[i]);
    throw new Error(
      `test/golden/${name} differs in line ${String(line + 1)}: look at it, then run \`${UPDATE_COMMAND}\`\n` +
        `  kept: ${theirs[line] ?? ''}\n  made: ${ours[line] ?? ''}`,
    );
  });

  test('every sentence about a bad values file names a path, what is wrong and what to do', () => {
    const sentences = Object.entries(charts).flatMap(([name, chart]) =>
      badFilesOf(name).flatMap(([, file]) => problemsOf(chart, file)),
    );
    expect(sentences.length).toBeGreaterThan(30);
    expect(sentences.filter((sentence) => !/^[A-Za-z0-9_.\-/[\]{#]+: .+; .+$/s.test(sentence))).toEqual([]);
  });
});

describe.each(Object.entries(charts))('secrets of the chart %s', (name, chart) => {
  const files = [...examplesOf(name), ...badFilesOf(name)];
  const secrets = files.flatMap(([, file]) => secretsIn(chart.schema, loadValues({ files: [file] }).values));

  test('the examples and the bad files hold some', () => {
    expect(new Set(secrets).size).toBeGreaterThanOrEqual(3);
  });

  test('no golden file shows one, but in stringData of a Secret', () => {
    for (const [file, text] of wanted) {
      const shown = text
        .split('---\n')
        .map((document) =>
          /^kind: Secret$/m.test(document) ? document.replace(/^stringData:\n(?: {2}.*\n)*/m, '') : document,
        )
        .join('---\n');
      for (const secret of secrets) expect([file, shown.includes(secret)]).toEqual([file, false]);
    }
  });

  test('an accepted one stands in stringData', () => {
    const texts = examplesOf(name).map(([, file]) => ({
      file,
      given: secretsIn(chart.schema, loadValues({ files: [file] }).values),
    }));
    for (const { file, given } of texts) {
      const objects = chart.objects(loadValues({ files: [file] }));
      const kept = objects
        .filter(({ kind }) => kind === 'Secret')
        .flatMap(({ stringData }) => Object.values(stringData as Record<string, string>));
      expect(new Set(kept)).toEqual(new Set(given));
    }
  });
});

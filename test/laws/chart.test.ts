import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { CHARTS } from '../../charts';
import type { HelmChart } from '../../lib/helm/chart';
import { loadValues } from '../../lib/helm/load-values';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { ALL_HELMS, withFolder } from '../helm/real-helm';
import { asHelm, asPlain, difference, writeCase, writtenChart, type Given, type LawCounts } from './chart-law';
import { CHART_VALUES, changedLeaves, leafPaths, type ValuesCase } from './values-arbitrary';

/** How many generated values files a chart is tried with. */
const CASES = Number(process.env['CASES'] ?? 300);
/** The first of them go to every Helm, the others in turn. */
const CASES_ON_ALL = 60;
const SHRINK_MILLISECONDS = 30_000;
const SEED = process.env['SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['SEED']);

const root = path.join(__dirname, '../..');

function filesOf(folder: string): string[] {
  const full = path.join(root, folder);
  return fs.existsSync(full)
    ? fs
        .readdirSync(full)
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => path.join(full, name))
    : [];
}

function record(chart: string, counts: LawCounts): void {
  const file = path.join(root, 'build', 'law-counts.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const others = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, LawCounts>) : {};
  fs.writeFileSync(file, `${JSON.stringify({ ...others, [chart]: counts }, null, 2)}\n`);
}

const releases = fc.record({
  name: fc.oneof(
    { weight: 3, arbitrary: fc.constant('vpn') },
    { weight: 1, arbitrary: fc.constantFrom('a', 'wireguard', 'my-wireguard-1', '10', 'y', 'x'.repeat(53)) },
  ),
  namespace: fc.constantFrom('default', 'vpn', '10', 'y'),
});

// Without the pinned ones, the user's own Helm; with no Helm at all, they are what is missing.
describeWith(tools.helms().length > 0 ? [] : ALL_HELMS, 'the law of the charts', () => {
  const helms = tools.helms();

  describe.each(Object.entries(CHARTS as unknown as Readonly<Record<string, HelmChart>>))('%s', (name, chart) => {
    let written: ReturnType<typeof writtenChart>;
    beforeAll(() => {
      written = writtenChart(chart);
    });
    afterAll(() => {
      written.remove();
    });

    function expectSame(given: Given, on: readonly { name: string; path: string }[]): ReturnType<typeof asPlain> {
      const plain = asPlain(chart, given);
      for (const helm of on) {
        const found = difference(plain, asHelm(helm.path, written.folder, given));
        if (found !== undefined) throw new Error(`${helm.name}: ${found}`);
      }
      return plain;
    }

    test('without values, both readers make the same', () => {
      expectSame({ files: [] }, helms);
    });

    for (const file of filesOf(`values/examples/${name}`)) {
      test(`both readers make the same objects of the example ${path.basename(file)}`, () => {
        expect(expectSame({ files: [file], release: { name: 'home', namespace: 'vpn' } }, helms).kind).toBe('objects');
      });
    }

    for (const file of filesOf(`test/golden/${name}/bad`)) {
      test(`both readers refuse ${path.basename(file)}`, () => {
        expect(expectSame({ files: [file] }, helms).kind).not.toBe('objects');
      });
    }

    test(`both readers make the same of ${String(CASES)} generated values files, or refuse them with the same text`, () => {
      const counts = { accepted: 0, schema: 0, checks: 0 };
      const changed = new Map(leafPaths(chart.schema).map((leaf) => [leaf, 0]));
      let done = 0;
      let failure: number | undefined;
      const arbitrary: fc.Arbitrary<ValuesCase> = CHART_VALUES[name as keyof typeof CHART_VALUES];
      fc.assert(
        fc.property(arbitrary, releases, (values, release) => {
          const on = done < CASES_ON_ALL ? helms : [helms[done % helms.length]!];
          done++;
          // Shrinking further would take longer than it helps.
          if (failure !== undefined && Date.now() - failure > SHRINK_MILLISECONDS) return;
          withFolder((folder) => {
            const given = { ...writeCase(folder, values), release };
            let kind;
            try {
              ({ kind } = expectSame(given, on));
            } catch (error) {
              failure ??= Date.now();
              throw error;
            }
            counts[kind === 'objects' ? 'accepted' : kind]++;
            if (kind === 'objects') {
              for (const leaf of changedLeaves(chart.schema, loadValues(given).values))
                changed.set(leaf, (changed.get(leaf) ?? 0) + 1);
            }
          });
        }),
        { numRuns: CASES, seed: SEED, ignoreEqualValues: false },
      );
      const [leaf = '', times = 0] = [...changed].sort(([, a], [, b]) => a - b)[0] ?? [];
      record(name, {
        seed: SEED,
        cases: CASES,
        accepted: counts.accepted,
        refusedBySchema: counts.schema,
        refusedByChecks: counts.checks,
        leaves: changed.size,
        leastChanged: { leaf, times },
      });
      expect(counts.accepted / CASES).toBeGreaterThanOrEqual(0.6);
      expect((counts.schema + counts.checks) / CASES).toBeGreaterThanOrEqual(0.1);
      expect(counts.checks).toBeGreaterThan(0);
      expect([leaf, times >= (CASES * 5) / 300]).toEqual([leaf, true]);
    }, 1_200_000);
  });
});

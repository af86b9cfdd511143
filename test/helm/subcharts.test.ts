import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { helmChart, type HelmChart } from '../../lib/helm/chart';
import type { JsonObject } from '../../lib/helm/values-file';
import { toYaml } from '../../lib/helm/yaml';
import { check, Checks, conf, eq, InputError, named, release, Resource } from '../../lib/staged';
import { describeWith } from '../left-out';
import { KUBERNETES_VERSION, tools } from '../tools';
import { asHelm, asPlain, difference, writtenChart, type Given } from '../laws/chart-law';
import { ALL_HELMS, withFolder } from './real-helm';

const global = z
  .looseObject({
    registry: z
      .string()
      .regex(/^[a-z.]+$/)
      .optional(),
    names: z.array(z.string()).optional(),
  })
  .prefault({});

/** A chart that refuses the port 0 and the release `none`, and shows what it reads. */
function small(name: string) {
  const values = z.strictObject({
    enabled: z.boolean().default(true),
    global,
    port: z.int().default(80),
    labels: z.record(z.string(), z.string()).default({ app: 'a' }),
  });
  return helmChart({
    name,
    version: '1.2.3',
    values,
    build: (scope, v) => {
      new Checks(scope, 'Checks', [
        check({ failsIf: eq(v.port, 0), at: v.port, problem: 'is zero', got: v.port, remedy: 'use another' }),
        check({ failsIf: eq(release.name, 'none'), at: v.port, problem: 'is of nobody', remedy: 'name the release' }),
      ]);
      new Resource(scope, 'ConfigMap', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: v.labels },
        data: { registry: v.global.registry, names: v.global.names, port: v.port },
      });
      return {
        notes: named('notes', {}, () => conf`Chart ${name} at ${v.port}.`)(),
        summary: named('summary', {}, () => conf`Port ${v.port}`)(),
      };
    },
    notes: ({ notes }) => notes,
    summary: ({ summary }) => summary,
  });
}

const PARTS = { alpha: small('alpha'), beta: small('beta'), gamma: small('gamma') };
const part = ({ schema }: (typeof PARTS)['alpha']) =>
  schema.extend({ enabled: z.boolean().default(false) }).prefault({});
const umbrella = helmChart({
  name: 'umbrella',
  version: '1.0.0',
  values: z.strictObject({
    global,
    alpha: part(PARTS.alpha),
    beta: part(PARTS.beta),
    gamma: part(PARTS.gamma),
  }),
  subcharts: Object.values(PARTS),
  build: (scope, v) => {
    new Checks(scope, 'Checks', [
      check({
        failsIf: eq(v.alpha.port, v.beta.port),
        at: v.beta.port,
        problem: 'is that of alpha',
        got: v.beta.port,
        remedy: 'use another',
      }),
    ]);
    return named('notes', {}, () => conf`Release ${release.name}.`)();
  },
  notes: (notes) => notes,
  summary: (notes) => notes,
});
const anyChart = umbrella as unknown as HelmChart;

const on = (port: number, more: JsonObject = {}): JsonObject => ({ enabled: true, port, ...more });
const GOOD: JsonObject = { alpha: on(1), beta: on(2) };

function problems(values: JsonObject, name = 'vpn'): readonly string[] {
  try {
    umbrella.objects({ values, release: { name } });
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe('a chart with subcharts', () => {
  test('makes the objects of those that are wanted', () => {
    const names = (values: JsonObject) => umbrella.objects({ values }).map(({ metadata }) => metadata.name);
    expect(names(GOOD).sort()).toEqual(['alpha', 'beta']);
    expect(names({ alpha: on(1) })).toEqual(['alpha']);
    expect(names({ beta: { port: 1 } })).toEqual([]);
  });

  test('names the values of a subchart below its name, in the rules of the schema and in others', () => {
    expect(problems({ alpha: { port: 'x' }, beta: on(1, { prot: 1 }) })).toEqual([
      'alpha.port: must be a number, got "x"; see the values table in the README',
      'beta.prot: unknown key, got "prot"; did you mean "port"?',
    ]);
    expect(problems({ alpha: on(0) })).toEqual(['alpha.port: is zero, got 0; use another']);
  });

  test('judges what is not wanted by its schema alone', () => {
    expect(problems({ alpha: { port: 0 } })).toEqual([]);
    expect(problems({ alpha: { port: null } })).toEqual([
      'alpha.port: is required, got null; remove the null, or give it a value',
    ]);
  });

  test('reports one subchart at a time with all that it has, and its own rules last', () => {
    const ofNobody = (name: string) => `${name}.port: is of nobody; name the release`;
    expect(problems({ alpha: on(0), beta: on(0), gamma: on(0) }, 'none')).toEqual([
      'gamma.port: is zero, got 0; use another',
      ofNobody('gamma'),
    ]);
    expect(problems({ alpha: on(0), beta: on(0), gamma: on(3) })).toEqual(['beta.port: is zero, got 0; use another']);
    expect(problems({ alpha: on(0), beta: on(1) })).toEqual(['alpha.port: is zero, got 0; use another']);
    expect(problems({ alpha: on(1), beta: on(1) })).toEqual(['beta.port: is that of alpha, got 1; use another']);
  });

  test('lists them in Chart.yaml, each with its condition, and has their files without schema, README and NOTES', () => {
    const files = new Map(umbrella.files().map(({ name, text }) => [name, text]));
    expect(files.get('Chart.yaml')).toContain('  - name: beta\n    version: "1.2.3"\n    condition: beta.enabled\n');
    expect([...files.keys()].filter((name) => name.startsWith('charts/beta/')).sort()).toEqual([
      'charts/beta/Chart.yaml',
      'charts/beta/templates/_helpers.tpl',
      'charts/beta/templates/config-map.yaml',
      'charts/beta/templates/validation/checks.yaml',
      'charts/beta/values.yaml',
    ]);
    // On Helm 3.14, a null would bring a default of the subchart back, and install it.
    expect(files.get('charts/beta/values.yaml')).not.toContain('enabled');
    expect(files.get('charts/beta/values.yaml')).toContain('port: 80\n');
  });

  test('says after its own notes and its own summary those of each that is wanted', () => {
    expect(umbrella.notes({ values: GOOD })).toBe(
      'Release vpn.\n\nalpha\n-----\n\nChart alpha at 1.\n\nbeta\n----\n\nChart beta at 2.',
    );
    expect(umbrella.notes({ values: { beta: on(2) } })).toBe('Release vpn.\n\nbeta\n----\n\nChart beta at 2.');
    expect(umbrella.summary({ values: GOOD })).toBe('Release vpn.\nPort 2\nPort 1');
  });

  test('leaves its subcharts out of the size of a release, as Helm does', () => {
    const sizes = [GOOD, { alpha: on(1) }].map((values) => umbrella.releaseBytes({ values }));
    const own = umbrella.files().filter(({ name }) => name.startsWith('charts/'));
    expect(sizes[0]).toBeLessThan(sizes[1]! + 500);
    expect(own.map(({ text }) => text).join('').length).toBeGreaterThan(3000);
  });

  test('cannot be a subchart itself', () => {
    expect(() => umbrella.asSubchart()).toThrow('the chart umbrella has subcharts, so it cannot be one');
  });
});

const HOSTILE = ['{{ .Values }}', '"\n- x', 'a: b # c', '😀'];
const LABELS = { 'x{{': '}}', y: 'a\nb\n', '10': '"' };

/** Values, and how the law sees them. */
const CASES: [string, JsonObject, name?: string][] = [
  ['nothing', {}],
  ['all', { alpha: on(1), beta: on(2), gamma: on(3) }],
  ['one', { gamma: on(3, { labels: LABELS }) }],
  ['values of one that is not wanted', { alpha: on(1), beta: { port: 0, labels: LABELS } }],
  ['a wrong value of one that is not wanted', { alpha: on(1), beta: { port: 'x' } }],
  ['three that break rules', { alpha: on(0), beta: on(0), gamma: on(0) }, 'none'],
  ['the first and the second', { alpha: on(0), beta: on(0), gamma: on(3) }],
  ['the first, and a rule of both', { alpha: on(0), beta: on(0) }],
  ['a rule of both', { alpha: on(1), beta: on(1) }],
  ['a list for a subchart', { alpha: [], beta: on(1) }],
  ['a text for a subchart', { alpha: 'x', beta: on(1) }],
  ['null for a subchart', { alpha: null, beta: on(1) }],
  ['null for enabled', { alpha: { enabled: null } }],
  ['a text for enabled', { alpha: { enabled: 'true' } }],
  ['a key that nobody knows', { delta: on(1) }],
  ['a common global', { ...GOOD, global: { registry: 'a.b', names: HOSTILE, more: { deep: [1] } } }],
  ['a global of one', { alpha: on(1, { global: { registry: 'c.d' } }), beta: on(2) }],
  ['both', { alpha: on(1, { global: { registry: 'c.d', names: ['x'] } }), beta: on(2), global: { names: [] } }],
  ['both, and neither is right', { alpha: on(1, { global: { registry: '!' } }), global: { registry: '?' } }],
  ['a wrong one that the common one hides', { alpha: on(1, { global: { names: 5 } }), global: { names: ['x'] } }],
  ['a map where the common one has none', { alpha: on(1, { global: { registry: {} } }), global: { registry: 'a' } }],
  ['maps in both', { alpha: on(1, { global: { more: { a: 1, b: 1 } } }), global: { more: { b: 2 } } }],
  ['a map where the one of one is none', { alpha: on(1, { global: { more: 1 } }), global: { more: { b: 2 } } }],
  ['a global that is none', { ...GOOD, global: 5 }],
  ['a global of one that is none', { alpha: on(1, { global: 'x' }), beta: on(2) }],
  ['a wrong global of one that is not wanted', { alpha: { global: { registry: '!' } }, global: { registry: 'a' } }],
  ['a map emptied, and a list', { alpha: on(1, { labels: {} }), global: { names: [] } }],
];

describeWith(tools.helms().length > 0 ? [] : ALL_HELMS, 'a chart with subcharts, to Helm', () => {
  let written: ReturnType<typeof writtenChart>;
  beforeAll(() => {
    written = writtenChart(anyChart);
  });
  afterAll(() => {
    written.remove();
  });

  describe.each(tools.helms().map((helm) => [helm.name, helm.path]))('%s', (_, helm) => {
    test.each(CASES)('is what the plain form is: %s', (_title, values, name = 'vpn') => {
      withFolder((folder) => {
        const file = path.join(folder, 'values.yaml');
        fs.writeFileSync(file, toYaml(values));
        const given: Given = { files: [file], release: { name, namespace: 'default' } };
        expect(difference(asPlain(anyChart, given), asHelm(helm, written.folder, given))).toBeUndefined();
      });
    });

    test('says the same notes', () => {
      withFolder((folder) => {
        const chart = path.join(folder, 'umbrella');
        fs.cpSync(written.folder, chart, { recursive: true });
        const notes = fs.readFileSync(path.join(chart, 'templates/NOTES.txt'), 'utf8');
        fs.writeFileSync(
          path.join(chart, 'templates/notes.yaml'),
          `{{- define "notes" -}}\n${notes}{{- end }}\nkind: Notes\nnotes: {{ include "notes" $ | b64enc }}\n`,
        );
        for (const values of [GOOD, { beta: on(2) }, { beta: { port: 2 } }]) {
          const file = path.join(folder, 'values.yaml');
          fs.writeFileSync(file, toYaml(values));
          const { stdout } = spawnSync(
            helm,
            ['template', 'vpn', chart, '-f', file, '--kube-version', KUBERNETES_VERSION],
            { encoding: 'utf8' },
          );
          const text = Buffer.from(/^notes: (.*)$/m.exec(stdout)?.[1] ?? '', 'base64').toString();
          expect(text.trimEnd()).toBe(umbrella.notes({ values }));
        }
      });
    });
  });
});

import { Construct } from 'constructs';
import { z } from 'zod';
import { helmChart } from '../../lib/helm/chart';
import { check, Checks, each, eq, ForEach, HelmTest, Only, Resource, text, type Expr } from '../../lib/staged';

const schema = z.strictObject({
  on: z.boolean().default(true).describe('on'),
  size: z.int().default(1).describe('size'),
  shops: z
    .record(z.string().regex(/^[a-z]+$/), z.strictObject({ size: z.int().describe('size') }))
    .default({})
    .describe('shops'),
});

const object = (name: string | Expr<string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

type Values = Parameters<Parameters<typeof helmChart<typeof schema>>[0]['build']>[1];

function filesOf(build: (scope: Construct, v: Values) => void): Map<string, string> {
  const files = helmChart({ name: 'shop', version: '1.0.0', values: schema, build }).files();
  return new Map(files.filter(({ name }) => name.startsWith('templates/')).map((file) => [file.name, file.text]));
}

describe('the templates of a chart', () => {
  test('are a file for each resource, named after its construct', () => {
    const files = filesOf((scope) => {
      new Resource(scope, 'ConfigMap', object('a'));
      new Resource(scope, 'PublicService', object('b'));
    });
    expect([...files.keys()]).toEqual(['templates/config-map.yaml', 'templates/public-service.yaml']);
  });

  test('lack the name of the only construct that holds all of them, and have those of several', () => {
    const of = (...names: string[]) =>
      filesOf((scope) => {
        for (const name of names) new Resource(new Construct(scope, name), 'ConfigMap', object(name.toLowerCase()));
      });
    expect([...of('Home').keys()]).toEqual(['templates/config-map.yaml']);
    expect([...of('Home', 'Work').keys()]).toEqual([
      'templates/home-config-map.yaml',
      'templates/work-config-map.yaml',
    ]);
  });

  test('do not show in their names the conditions and loops around a resource', () => {
    const files = filesOf((scope, v) => {
      new Only(scope, 'Wanted', v.on, (inner) => {
        new Resource(inner, 'ConfigMap', object('a'));
      });
    });
    expect(files).toEqual(
      new Map([
        [
          'templates/config-map.yaml',
          '{{- if $.Values.on }}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n{{- end }}\n',
        ],
      ]),
    );
  });

  test('begin a document for every item of a loop', () => {
    const files = filesOf((scope, v) => {
      new ForEach(scope, 'Shops', v.shops, (inner, _shop, name) => {
        new Resource(inner, 'ConfigMap', object(name));
      });
    });
    expect(files.get('templates/config-map.yaml')).toMatch(
      /^\{\{- range .* \$\.Values\.shops \}\}\n---\napiVersion: v1\n[^]*\{\{- end \}\}\n$/,
    );
  });

  test('that helm test runs are in a folder of their own', () => {
    const files = filesOf((scope) => {
      new HelmTest(scope, 'TestHealth', { ...object('a'), kind: 'Pod' });
    });
    expect([...files.keys()]).toEqual(['templates/tests/test-health.yaml']);
  });

  test('have all checks in one file, which Helm renders first, and which fails once', () => {
    const files = filesOf((scope, v) => {
      const rule = (at: Expr<number>) =>
        check({ failsIf: eq(at, 7), at, problem: 'is seven', got: at, remedy: 'take another' });
      new Checks(scope, 'Checks', [rule(v.size)]);
      new Checks(scope, 'More', [each(v.shops, (_name, shop) => rule(shop.size))]);
    });
    expect([...files.keys()]).toEqual(['templates/validation/checks.yaml']);
    expect(files.get('templates/validation/checks.yaml')!.match(/\bfail\b/g)).toHaveLength(1);
  });

  test('keep two resources of one name apart', () => {
    const files = filesOf((scope) => {
      new Resource(new Construct(scope, 'A-b'), 'C', object('a'));
      new Resource(new Construct(scope, 'A'), 'B-c', object('b'));
    });
    expect([...files.keys()]).toEqual(['templates/a-b-c.yaml', 'templates/a-b-c-2.yaml']);
  });

  test('name everything that they define after the chart', () => {
    const chart = helmChart({
      name: 'shop',
      version: '1.0.0',
      values: schema,
      build: () => undefined,
      notes: () => text`plain`,
    });
    const defined = chart
      .files()
      .flatMap((file) => [...file.text.matchAll(/define "([^"]*)"/g)].map(([, name]) => name));
    expect(defined.filter((name) => name?.startsWith('shop.') !== true)).toEqual([]);
  });
});

import type { Construct } from 'constructs';
import { parse } from 'yaml';
import { z } from 'zod';
import { helmChart } from '../../lib/helm/chart';
import { ForEach, Only, Resource, ResourceDefinition, type Ref } from '../../lib/staged';

const schema = z.strictObject({
  on: z.boolean().default(true).describe('on'),
  shops: z
    .record(z.string().regex(/^[a-z]+$/), z.int())
    .default({})
    .describe('shops'),
});

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'shops.example.com' },
  spec: { group: 'example.com', scope: 'Cluster', names: { kind: 'Shop' }, versions: [{ name: '{{ .Values.on }}' }] },
};

const chartOf = (build: (scope: Construct, v: Ref<z.output<typeof schema>>) => void) =>
  helmChart({ name: 'shop', version: '1.0.0', values: schema, build });

describe('the definition of a kind', () => {
  const chart = chartOf((scope) => {
    new Resource(scope, 'ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } });
    new ResourceDefinition(scope, 'Shops', DEFINITION);
  });

  test('is a file of crds/, which nothing is put into', () => {
    const files = chart.files().filter(({ name }) => /^(?:crds|templates)\//.test(name));
    expect(files.map(({ name }) => name)).toEqual(['crds/shops.example.com.yaml', 'templates/config-map.yaml']);
    expect(parse(files[0]!.text)).toEqual(DEFINITION);
  });

  test('is the first of the plain manifests, wherever it is made', () => {
    expect(chart.objects().map(({ kind }) => kind)).toEqual(['CustomResourceDefinition', 'ConfigMap']);
  });

  test('cannot depend on values, which Helm does not know there', () => {
    const message = /is in a condition or a loop, which crds\/ of a chart cannot have/;
    const inCondition = chartOf((scope, v) => {
      new Only(scope, 'On', v.on, (inner) => {
        new ResourceDefinition(inner, 'Shops', DEFINITION);
      });
    });
    expect(() => inCondition.files()).toThrow(message);
    const inLoop = chartOf((scope, v) => {
      new ForEach(scope, 'Each', v.shops, (inner) => {
        new ResourceDefinition(inner, 'Shops', DEFINITION);
      });
    });
    expect(() => inLoop.files()).toThrow(message);
  });
});

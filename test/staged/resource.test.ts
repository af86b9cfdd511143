import { App, Chart } from 'cdk8s';
import { z } from 'zod';
import { helmChart } from '../../lib/helm/chart';
import {
  check,
  Checks,
  each,
  ForEach,
  gt,
  HelmTest,
  InputError,
  Only,
  release,
  Resource,
  stage,
  text,
  chart as about,
} from '../../lib/staged';

const object = (name: unknown, rest: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...rest,
});
const peers = z.record(z.string().regex(/^[a-z0-9]+$/), z.int());

describe('in a plain cdk8s app', () => {
  test('the release has the name of the chart, in kebab case, and its namespace', () => {
    const chart = new Chart(new App(), 'HomeOffice', { namespace: 'vpn' });
    new Resource(
      chart,
      'Object',
      object(release.name, { data: { namespace: release.namespace, service: release.service, chart: about.name } }),
    );
    expect(chart.toJson()).toEqual([
      object('home-office', {
        metadata: { name: 'home-office', namespace: 'vpn' },
        data: { namespace: 'vpn', service: 'cdk8s', chart: 'home-office' },
      }),
    ]);
  });

  test('a loop over a map makes one object a key, in the order of the keys', () => {
    const chart = new Chart(new App(), 'vpn');
    const v = stage(z.strictObject({ peers }), { peers: { b: 1, '10': 2, '9': 3 } });
    new ForEach(chart, 'Peers', v.peers, (scope, port, key) => {
      new Resource(scope, 'Peer', object(text`peer-${key}`, { data: { port } }));
    });
    expect((chart.toJson() as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)).toEqual([
      'peer-10',
      'peer-9',
      'peer-b',
    ]);
  });

  test('a broken rule throws its sentence', () => {
    const chart = new Chart(new App(), 'vpn');
    const v = stage(z.strictObject({ peers }), { peers: { a: 1, b: 99 } });
    const build = () =>
      new Checks(chart, 'Checks', [
        each(v.peers, (_key, port) =>
          check({ failsIf: gt(port, 9), at: port, problem: 'is large', got: port, remedy: 'use 9' }),
        ),
      ]);
    expect(build).toThrow(new InputError(['peers.b: is large, got 99; use 9']));
  });

  test('a Helm test is no object', () => {
    const chart = new Chart(new App(), 'vpn');
    new HelmTest(chart, 'Test', { ...object('x'), kind: 'Pod' });
    expect(chart.toJson()).toEqual([]);
  });

  test('labels of the cdk8s chart and patches of an object apply', () => {
    const chart = new Chart(new App(), 'vpn', { labels: { team: 'a' } });
    new Resource(chart, 'Object', object('x'));
    expect(chart.toJson()).toEqual([object('x', { metadata: { name: 'x', labels: { team: 'a' } } })]);
  });
});

test('an empty map or list that was written in the metadata is kept', () => {
  const chart = new Chart(new App(), 'vpn');
  new Resource(chart, 'Object', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', annotations: {}, ownerReferences: [] },
    data: {},
  });
  expect(chart.toJson()).toEqual([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', annotations: {}, ownerReferences: [] }, data: {} },
  ]);
});

describe('a chart', () => {
  const values = z.strictObject({ on: z.boolean().default(true), peers: peers.default({}) });
  const chart = () =>
    helmChart({
      name: 'demo',
      version: '1.0.0',
      values,
      build: (scope, v) => {
        new Checks(scope, 'First', [check({ failsIf: v.on, at: v.on, problem: 'is first', remedy: 'x' })]);
        new Only(scope, 'On', v.on, (inner) => {
          new ForEach(inner, 'Peers', v.peers, (each, port, key) => {
            new Checks(each, 'Port', [
              check({ failsIf: gt(port, 1), at: port, problem: text`of ${key} is second`, remedy: 'x' }),
            ]);
            new Resource(each, 'Peer', object(text`p-${key}`));
          });
        });
        new Checks(scope, 'Last', [check({ failsIf: v.on, at: v.peers, problem: 'is last', remedy: 'x' })]);
      },
    });

  test('reports all broken rules in the order in which they were made', () => {
    expect(() => chart().objects({ values: { peers: { b: 2, a: 3 } } })).toThrow(
      new InputError([
        'on: is first; x',
        'peers.a: of a is second; x',
        'peers.b: of b is second; x',
        'peers: is last; x',
      ]),
    );
  });

  test('is the same, byte for byte, whenever it is printed or evaluated, and leaves the values as they are', () => {
    const given = Object.freeze({ on: false, peers: Object.freeze({ b: 2, a: 3 }) });
    const one = chart();
    expect(one.files()).toEqual(one.files());
    expect(one.files()).toEqual(chart().files());
    expect(JSON.stringify(one.objects({ values: given }))).toBe(JSON.stringify(one.objects({ values: given })));
    expect(given).toEqual({ on: false, peers: { b: 2, a: 3 } });
  });
});

test('two constructs of one app cannot make the same object', () => {
  const chart = new Chart(new App(), 'vpn');
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'b' } };
  new Resource(chart, 'One', manifest);
  expect(() => new Resource(chart, 'Two', manifest)).toThrow(
    'vpn/Two: makes the object of vpn/One, got v1 ConfigMap b a; give one of them another name',
  );
  expect(() => new Resource(chart, 'Three', { ...manifest, kind: 'Secret' })).not.toThrow();
  expect(() => new Resource(new Chart(new App(), 'vpn'), 'One', manifest)).not.toThrow();
});

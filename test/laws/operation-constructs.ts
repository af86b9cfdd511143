/** Checks, Only, ForEach and the built-in objects: charts and values for them. */
import { z } from 'zod';
import { helmChart, type HelmChart } from '../../lib/helm/chart';
import * as staged from '../../lib/staged';
import type { Json } from '../../lib/staged/node';
import { HOSTILE_KEYS, LINES } from './operation-samples';

export interface Construction {
  readonly chart: HelmChart;
  readonly values: readonly Readonly<Record<string, Json>>[];
}

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
const line = z.string().regex(/^[ -~]*$/);
const peer = z.strictObject({ port: z.int(), key: line, nets: z.array(line).optional() });
const schema = z.strictObject({
  on: z.boolean().default(true),
  peers: z.record(name, peer).default({}),
  list: z.array(peer).default([]),
  notes: z.record(z.string(), z.string()).default({}),
  replicas: z.int().optional(),
});
type Values = staged.Ref<z.output<typeof schema>>;

const PEERS = {
  b: { port: 0, key: '' },
  '10': { port: 70_000, key: '"{{ %s \\ $x <&>' },
  '9': { port: 4_200_000_001, key: 'k', nets: ['a', 'b', 'a'] },
};
const VALUES = [
  {},
  { on: false, peers: PEERS, list: Object.values(PEERS) },
  { peers: { b: PEERS.b }, list: [PEERS.b] },
  { peers: PEERS, list: Object.values(PEERS), replicas: 0 },
  {
    peers: Object.fromEntries(LINES.map((key, at) => [`p${String(at)}`, { port: at * 3000, key }])),
    replicas: 4_200_000_001,
  },
  { notes: Object.fromEntries(HOSTILE_KEYS.map((key) => [key, 'x'])) },
];

function construction(build: (scope: Parameters<HelmChart['plain']>[0], v: Values) => void): Construction {
  const chart = helmChart({ name: 'law', version: '1.2.3+build', appVersion: '1.10', values: schema, build });
  return { chart: chart as unknown as HelmChart, values: VALUES };
}

const object = (id: string | staged.Expr<string>, rest: object = {}) => ({
  apiVersion: 'laws/v1',
  kind: 'Law',
  metadata: { name: id },
  ...rest,
});

const tooLarge = (p: staged.Ref<z.output<typeof peer>>) =>
  staged.check({
    failsIf: staged.gt(p.port, 65_535),
    at: p.port,
    problem: 'is too large',
    got: p.port,
    remedy: 'use 65535 or less',
  });

export const CONSTRUCTIONS: Readonly<Record<string, Construction>> = {
  'checks in loops, conditions and scopes, in their order': construction((scope, v) => {
    new staged.Checks(scope, 'First', [
      staged.check({
        failsIf: staged.eq(staged.count(v.peers), 1),
        at: v.peers,
        problem: 'is lonely {{ "%',
        remedy: 'add one',
      }),
      staged.each(v.peers, (key, p) => [
        tooLarge(p),
        staged.check({
          failsIf: staged.eq(p.key, ''),
          at: p.key,
          problem: staged.text`of ${key} is empty`,
          got: p.key,
          remedy: staged.text`see ${staged.pathOf(v.peers)}`,
        }),
        staged.each(p.nets, (net, index) =>
          staged.check({
            failsIf: staged.eq(net, 'a'),
            at: net,
            problem: staged.text`number ${index} is a`,
            got: net,
            remedy: 'take b',
          }),
        ),
        staged.check({
          failsIf: staged.contains('"', p.key),
          at: p.key,
          problem: 'has a quote',
          got: p.key,
          remedy: 'take it off',
        }),
      ]),
      staged.each(v.list, (p) => tooLarge(p)),
      staged.whenSet(v.replicas, (replicas) => [
        staged.check({
          failsIf: staged.gt(replicas, 1),
          at: replicas,
          problem: 'is too many',
          got: replicas,
          remedy: 'use 1',
        }),
      ]),
      staged.each(v.notes, (_key, note) =>
        staged.check({ failsIf: true, at: note, problem: 'is a note', remedy: 'remove it' }),
      ),
      staged.check({ failsIf: false, at: v.list, problem: 'never', remedy: 'x' }),
    ]);
    new staged.Only(scope, 'On', v.on, (inner) => {
      new staged.ForEach(inner, 'Peers', v.peers, (each, p, key) => {
        new staged.Checks(each, 'Port', [tooLarge(p)]);
        new staged.Checks(each, 'Name', [
          staged.check({ failsIf: staged.hasPrefix('1', key), at: p, problem: 'begins with 1', remedy: 'rename it' }),
        ]);
      });
    });
    new staged.Resource(scope, 'Object', object('object'));
  }),
  'Only and ForEach': construction((scope, v) => {
    new staged.Only(scope, 'On', v.on, (inner) => {
      new staged.Resource(inner, 'Object', object('on', { count: staged.count(v.peers) }));
      new staged.ForEach(inner, 'Peers', v.peers, (each, p, key) => {
        new staged.Resource(each, 'Peer', object(staged.text`peer-${key}`, { port: p.port, key: p.key, nets: p.nets }));
        new staged.ForEach(each, 'Nets', p.nets, (deep, net, index) => {
          new staged.Resource(deep, 'Net', object(staged.text`net-${key}-${index}`, { net }));
        });
        new staged.Only(each, 'Large', staged.gt(p.port, 1), (deep) => {
          new staged.Resource(deep, 'Large', object(staged.text`large-${key}`));
        });
      });
    });
    new staged.ForEach(scope, 'List', v.list, (each, p, index) => {
      new staged.Resource(each, 'Item', object(staged.text`item-${index}`, { key: p.key }));
    });
    new staged.Only(
      scope,
      'Some',
      staged.some(v.peers, (p) => staged.eq(p.port, 0)),
      (inner) => {
        new staged.Resource(inner, 'Some', object('some'));
      },
    );
    new staged.Only(scope, 'Never', staged.and(v.on, false), (inner) => {
      new staged.Resource(inner, 'Never', object('never'));
    });
  }),
  'release and chart': construction((scope, v) => {
    const about = staged.named(
      'about',
      { of: name },
      ({ of }) => staged.text`${of} ${staged.release.name} ${staged.chart.version}`,
    );
    new staged.Resource(
      scope,
      'Object',
      object(staged.text`${staged.release.name}-x`, {
        release: staged.release.name,
        namespace: staged.release.namespace,
        service: staged.release.service,
        chart: staged.chart.name,
        version: staged.chart.version,
        appVersion: staged.chart.appVersion,
        label: staged.replace('+', '_', staged.text`${staged.chart.name}-${staged.chart.version}`),
        peers: staged.each(v.peers, (key) => about({ of: key })),
        contains: staged.contains('vpn', staged.release.name),
      }),
    );
  }),
};

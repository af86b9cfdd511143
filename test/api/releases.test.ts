/** Every example in a real API server: as a Helm release over its whole life, and as plain manifests. */
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { chartNamed, examplesOf } from '../../lib/cli/commands';
import { loadValues } from '../../lib/helm/load-values';
import { manifestStream } from '../../lib/helm/manifests';
import type { Json } from '../../lib/staged/node';
import type { KubernetesObject } from '../../lib/staged/resource';
import { ALL_HELMS } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { API_SERVER_TOOLS, startApiServer, type ApiServer } from './api-server';
import { asAsked, leftOvers, readerOf, storedObjects, type Objects, type Reader } from './stored';

const conditions = [
  ...API_SERVER_TOOLS,
  'prometheus-operator-crds',
  // The user's own Helm stands in for the pinned ones.
  ...(tools.helms().length > 0 ? [] : ALL_HELMS),
] as const;

describeWith(conditions, 'in a real API server', () => {
  let server: ApiServer;
  let reader: Reader;
  beforeAll(async () => {
    server = await startApiServer();
    await kubectl('create', '-f', tools.prometheusOperatorCrds());
    await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
    reader = await readerOf(server);
    for (const name of Object.keys(CHARTS)) chartNamed(name).write(chartFolder(name));
  });
  afterAll(() => server.stop());

  /** It goes with the server. */
  const chartFolder = (name: string): string => path.join(server.folder, 'charts', name);

  const kubectl = (...args: string[]): Promise<string> => server.run(tools.kubernetes('kubectl'), args);

  let namespaces = 0;
  /** One that nothing was in yet: without controllers no namespace is ever gone. */
  async function newRelease(): Promise<{ name: string; namespace: string; service: string }> {
    const namespace = `test-${String(++namespaces)}`;
    await kubectl('create', 'namespace', namespace);
    return { name: 'home', namespace, service: 'Helm' };
  }

  const apply = (objects: readonly KubernetesObject[], namespace: string): Promise<string> =>
    server.run(
      tools.kubernetes('kubectl'),
      ['apply', '--server-side', '--validate=strict', '-n', namespace, '-f', '-'],
      manifestStream(objects),
    );

  const remove = (objects: readonly KubernetesObject[], namespace: string): Promise<string> =>
    server.run(tools.kubernetes('kubectl'), ['delete', '-n', namespace, '-f', '-'], manifestStream(objects));

  describe.each(Object.keys(CHARTS))('the chart %s', (name) => {
    const chart = chartNamed(name);
    const examples = examplesOf(name);
    const cases = examples.flatMap((example, index) =>
      (index === 0 ? tools.helms() : tools.helms().slice(-1)).map((helm) => ({
        title: `${path.basename(example)} with ${helm.name}`,
        example,
        // The others in the order of a ring, so that each is also what another is upgraded to.
        others: [...examples.slice(index + 1), ...examples.slice(0, index + 1)],
        helmPath: helm.path,
      })),
    );

    test.each(cases)('$title: installed, upgraded, rolled back, uninstalled; then applied', async (one) => {
      const release = await newRelease();
      const plain = (file: string): KubernetesObject[] =>
        chart.objects({ values: loadValues({ files: [file] }).values, release });
      const stored = async (file: string): Promise<Objects> =>
        asAsked(await storedObjects(server, reader, release), plain(file));
      const helm = (...args: string[]): Promise<string> => server.run(one.helmPath, [...args, '-n', release.namespace]);

      await helm('install', release.name, chartFolder(name), '-f', one.example);
      const installed = await stored(one.example);
      const upgraded: [string, Objects][] = [];
      for (const other of one.others) {
        const upgrade = helm('upgrade', release.name, chartFolder(name), '-f', other);
        if (changesFirstFamily(plain(one.example), plain(other))) {
          await expect(upgrade).rejects.toThrow('as indicated by `ipFamilies[0]`');
        } else {
          await upgrade;
          upgraded.push([other, await stored(other)]);
          break;
        }
      }
      await helm('rollback', release.name, '1');
      const rolledBack = await stored(one.example);
      await helm('uninstall', release.name);
      const left = await storedObjects(server, reader, release);
      expect(leftOvers(left)).toEqual([]);
      if (left.length > 0) await remove(left, release.namespace);

      const applied = async (file: string): Promise<Objects> => {
        await apply(plain(file), release.namespace);
        const objects = await stored(file);
        await remove(plain(file), release.namespace);
        return objects;
      };
      const example = await applied(one.example);
      expect(Object.keys(example)).toHaveLength(plain(one.example).length);
      expect(installed).toEqual(example);
      expect(rolledBack).toEqual(example);
      expect(upgraded).toHaveLength(1);
      for (const [file, objects] of upgraded) expect(objects).toEqual(await applied(file));
    });
  });

  test('what an uninstalled release leaves behind is found, and what it keeps is not', async () => {
    const release = await newRelease();
    const [example = ''] = examplesOf('wireguard');
    const helm = (command: string, ...args: string[]): Promise<string> =>
      server.run(tools.helms().at(-1)!.path, [command, release.name, '-n', release.namespace, ...args]);
    const object = (name: string, annotations: Record<string, string>): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, annotations },
    });
    const objects = [object('kept', { 'helm.sh/resource-policy': 'keep' }), object('gone', {})];
    const more = ['--set-json', `extraObjects=${JSON.stringify(objects)}`];
    await helm('install', chartFolder('wireguard'), '-f', example, ...more);
    const left = async (): Promise<KubernetesObject[]> => storedObjects(server, reader, release);
    expect(leftOvers(await left())).toEqual(
      expect.arrayContaining(['v1 ConfigMap gone', 'apps/v1 Deployment home-wireguard']),
    );

    await helm('uninstall');
    expect((await left()).map(({ metadata }) => metadata.name)).toEqual(['kept']);
    expect(leftOvers(await left())).toEqual([]);

    const stray = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'stray', labels: { 'app.kubernetes.io/instance': release.name } },
    };
    await apply([object('forgotten', {}), stray], release.namespace);
    expect(leftOvers(await left())).toEqual(['v1 ConfigMap forgotten', `${stray.apiVersion} ClusterRole stray`]);
    await remove([stray], release.namespace);
  });

  describe('a field that does not exist is refused', () => {
    const monitoring = 'monitoring.coreos.com/v1';
    const rule = (field: string): Json => ({ groups: [{ name: 'a', rules: [{ [field]: 'A', expr: '1' }] }] });
    test.each<[string, string, string, string, (field: string) => Json]>([
      ['Service', 'v1', 'ports', 'prots', (field) => ({ [field]: [{ port: 1 }], clusterIP: 'None' })],
      ['ServiceMonitor', monitoring, 'port', 'prot', (field) => ({ selector: {}, endpoints: [{ [field]: 'a' }] })],
      ['PodMonitor', monitoring, 'jobLabel', 'jobLable', (field) => ({ selector: {}, [field]: 'a' })],
      ['PrometheusRule', monitoring, 'alert', 'alrt', rule],
    ])('in a %s', async (kind, apiVersion, right, wrong, spec) => {
      const { namespace } = await newRelease();
      const named = (field: string): KubernetesObject => ({
        apiVersion,
        kind,
        metadata: { name: 'a' },
        spec: spec(field),
      });
      await expect(apply([named(wrong)], namespace)).rejects.toThrow(`.${wrong}: field not declared in schema`);
      await apply([named(right)], namespace);
    });
  });
});

/** What the API server refuses: a Service keeps the IP family of its first address. */
function changesFirstFamily(from: readonly KubernetesObject[], to: readonly KubernetesObject[]): boolean {
  const firstFamily = ({ spec }: KubernetesObject): string =>
    (spec as { readonly ipFamilies?: readonly string[] }).ipFamilies?.[0] ?? 'IPv4';
  const isService = ({ kind }: KubernetesObject): boolean => kind === 'Service';
  return from
    .filter(isService)
    .some((one) =>
      to
        .filter(isService)
        .some((other) => other.metadata.name === one.metadata.name && firstFamily(other) !== firstFamily(one)),
    );
}

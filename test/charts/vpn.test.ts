import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { loadValues } from '../../lib/helm/load-values';
import type { JsonObject } from '../../lib/helm/values-file';
import type { KubernetesObject } from '../../lib/staged';
import { examplesOf } from '../golden/goldens';
import { ALL_HELMS, withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { KUBERNETES_VERSION, tools } from '../tools';

const { vpn, wireguard, ipsec } = CHARTS;

const SERVER: JsonObject = { privateKey: { existingSecret: 'wireguard-server' } };
const GATEWAYS: JsonObject = {
  cluster: { podCidrs: ['10.244.0.0/16'] },
  gateways: { a: { identity: '203.0.113.10' } },
  tunnels: {
    onprem: {
      gateway: 'a',
      remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
      presharedKey: { existingSecret: 'onprem-psk' },
    },
  },
};
const release = { name: 'site', namespace: 'vpn', service: 'Helm' };
const objects = (values: JsonObject): KubernetesObject[] => vpn.objects({ values, release });
const sorted = (all: readonly KubernetesObject[]): string[] => all.map((object) => JSON.stringify(object)).sort();

describe('the chart vpn', () => {
  test('has the objects that each of its charts alone has', () => {
    const both = { wireguard: { enabled: true, ...SERVER }, ipsec: { enabled: true, ...GATEWAYS } };
    expect(sorted(objects(both))).toEqual(
      sorted([...wireguard.objects({ values: SERVER, release }), ...ipsec.objects({ values: GATEWAYS, release })]),
    );
    expect(sorted(objects({ ...both, wireguard: { enabled: false } }))).toEqual(
      sorted(ipsec.objects({ values: GATEWAYS, release })),
    );
  });

  test('has every chart of the package but itself as its part', () => {
    const names = Object.keys(CHARTS).filter((name) => name !== 'vpn');
    expect(Object.keys(vpn.schema.shape).sort()).toEqual(['global', ...names].sort());
    for (const name of names) {
      const files = vpn.files().filter((file) => file.name.startsWith(`charts/${name}/templates/`));
      expect(files.length).toBeGreaterThan(5);
    }
  });

  test('takes all images from one registry, unless a chart has its own and there is no common one', () => {
    const images = (values: JsonObject): string[] =>
      objects(values).flatMap((object) =>
        [...JSON.stringify(object).matchAll(/"image":"([^/"]+)\//g)].map(([, registry]) => registry!),
      );
    const both = { wireguard: { enabled: true, ...SERVER }, ipsec: { enabled: true, ...GATEWAYS } };
    expect(new Set(images({ ...both, global: { imageRegistry: 'a.example.com' } }))).toEqual(
      new Set(['a.example.com']),
    );
    const own = { ...both, wireguard: { ...both.wireguard, global: { imageRegistry: 'b.example.com' } } };
    expect(new Set(images(own)).size).toBeGreaterThan(2);
    expect(images(own)).toContain('b.example.com');
    expect(images({ ...own, global: { imageRegistry: 'a.example.com' } })).not.toContain('b.example.com');
  });

  test('says in its notes what each chart says, and where the values are that they name', () => {
    const notes = vpn.notes({ values: { wireguard: { enabled: true, ...SERVER } }, release })!;
    expect(notes).toContain('Release site in namespace vpn.');
    expect(notes).toContain('tunnels of ipsec is\nipsec.tunnels here');
    expect(notes).toContain(wireguard.notes({ values: SERVER, release })!);
    expect(notes).not.toContain('IPsec');
    const both = vpn.notes({
      values: { wireguard: { enabled: true, ...SERVER }, ipsec: { enabled: true, ...GATEWAYS } },
      release,
    })!;
    expect(both).toContain(`\n\nipsec\n-----\n\n${ipsec.notes({ values: GATEWAYS, release })!}`);
  });

  test('says of good values how long failures go unnoticed, where there are tunnels', () => {
    expect(vpn.summary({ values: { ipsec: { enabled: true, ...GATEWAYS } } })).toBe(
      ipsec.summary({ values: GATEWAYS }),
    );
    expect(vpn.summary({ values: { wireguard: { enabled: true, ...SERVER } } })).toBeUndefined();
  });

  test('names in every sentence the whole path of the value', () => {
    const sentences = fs
      .readFileSync(path.join(__dirname, '../golden/vpn/errors.txt'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('  '));
    const known = [...Object.keys(vpn.schema.shape), 'peers', 'wiregard'].join('|');
    expect(sentences.length).toBeGreaterThan(20);
    expect(sentences.filter((line) => !new RegExp(`^  (?:${known})[.:]`).test(line))).toEqual([]);
  });
});

/** What a Helm shows at the end, rendered as a manifest: before 4.3 it needs a cluster to show it. */
function notesOf(helm: string, folder: string, flags: readonly string[]): string {
  const chart = path.join(folder, 'vpn');
  vpn.write(chart);
  const notes = fs.readFileSync(path.join(chart, 'templates/NOTES.txt'), 'utf8');
  fs.writeFileSync(
    path.join(chart, 'templates/notes.yaml'),
    `{{- define "test.notes" -}}\n${notes}{{- end }}\nkind: Notes\nnotes: {{ include "test.notes" $ | b64enc }}\n`,
  );
  const { stdout } = spawnSync(
    helm,
    ['template', 'site', chart, '-n', 'vpn', '--kube-version', KUBERNETES_VERSION, ...flags],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  return Buffer.from(/^notes: (.*)$/m.exec(stdout)?.[1] ?? '', 'base64')
    .toString()
    .trimEnd();
}

describeWith(tools.helms().length > 0 ? [] : ALL_HELMS, 'the chart vpn, to Helm', () => {
  describe.each(tools.helms().map((helm) => [helm.name, helm.path]))('%s', (_, helm) => {
    test.each(examplesOf('vpn'))('has the notes of the plain form for the example %s', (_name, file) => {
      withFolder((folder) => {
        expect(notesOf(helm, folder, ['-f', file])).toBe(
          vpn.notes({ values: loadValues({ files: [file] }).values, release }),
        );
      });
    });

    test('takes the tests of its charts with it', () => {
      withFolder((folder) => {
        const chart = path.join(folder, 'vpn');
        vpn.write(chart);
        const { stdout } = spawnSync(
          helm,
          ['template', 'site', chart, '--kube-version', KUBERNETES_VERSION, '-f', examplesOf('vpn')[0]![1]],
          { encoding: 'utf8', maxBuffer: 1 << 26 },
        );
        const hooks = [...stdout.matchAll(/^# Source: (vpn\/charts\/\S+\/tests\/\S+)$/gm)].map(([, file]) => file);
        expect(hooks.sort()).toEqual([
          'vpn/charts/ipsec/templates/tests/test-ready.yaml',
          'vpn/charts/wireguard/templates/tests/test-health.yaml',
        ]);
      });
    });
  });
});

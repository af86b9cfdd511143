import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { JsonObject } from '../../lib/helm/values-file';
import { HELM_VERSIONS, KUBERNETES_VERSION, tools, type HelmVersion } from '../tools';

/** Every pinned Helm, as conditions of `describeWith`. */
export const ALL_HELMS = HELM_VERSIONS.map((version) => `helm-${version}` as const);

/** What a Helm makes of values: the values that templates see, or its error. */
export type Outcome = { readonly values: JsonObject } | { readonly error: string };

/** A folder that lives as long as `use` runs. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-'));
  try {
    return use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks a real Helm what templates see of values: defaults of a chart, files of a user, and flags. */
export function asHelmReads(
  version: HelmVersion,
  {
    defaults = '',
    files = [],
    flags = [],
  }: { defaults?: string; files?: readonly string[]; flags?: readonly string[] },
): Outcome {
  return withFolder((folder) => {
    fs.mkdirSync(path.join(folder, 'templates'));
    fs.writeFileSync(path.join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: probe\nversion: 0.1.0\n');
    fs.writeFileSync(path.join(folder, 'values.yaml'), defaults);
    fs.writeFileSync(path.join(folder, 'templates', 'values.yaml'), 'values: {{ .Values | toJson | b64enc }}\n');
    const given = files.flatMap((text, index) => {
      const file = path.join(folder, `${String(index)}.yaml`);
      fs.writeFileSync(file, text);
      return ['-f', file];
    });
    const helm = spawnSync(
      tools.helm(version),
      ['template', 'probe', folder, '--kube-version', KUBERNETES_VERSION, ...given, ...flags],
      { encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    const values = /^values: (.*)$/m.exec(helm.stdout)?.[1];
    if (helm.status !== 0 || values === undefined) return { error: helm.stderr };
    return { values: JSON.parse(Buffer.from(values, 'base64').toString()) as JsonObject };
  });
}

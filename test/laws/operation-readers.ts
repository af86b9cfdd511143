/** Both readers of a small chart: what real Helm makes of its templates, and what the plain form is. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { HelmChart, PlainOptions } from '../../lib/helm/chart';
import { InputError } from '../../lib/staged/input-error';
import { KUBERNETES_VERSION, tools } from '../tools';

/** What a reader makes of values: objects by name, or the broken rules. */
export type Reading = { readonly objects: Readonly<Record<string, unknown>> } | { readonly problems: string };

type Values = NonNullable<PlainOptions['values']>;

/** Proves that every Helm and the plain form make the same of the values. */
export async function expectReadersAgree(chart: HelmChart, values: Values): Promise<void> {
  const plain = plainReading(chart, values);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-law-'));
  try {
    chart.write(path.join(folder, 'chart'));
    // Helm 3.14 makes YAML of the values to validate them, and stumbles over what its own YAML does not allow.
    fs.rmSync(path.join(folder, 'chart', 'values.schema.json'));
    const file = path.join(folder, 'values.json');
    fs.writeFileSync(file, asciiJson(values));
    const readings = await Promise.all(
      tools
        .helms()
        .map(async (helm) => ({ helm, reading: await helmReading(helm.path, path.join(folder, 'chart'), file) })),
    );
    for (const { helm, reading } of readings) {
      expect({ helm: helm.name, ...reading }).toEqual({ helm: helm.name, ...plain });
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The plain form's objects, or its broken rules. */
export function plainReading(chart: HelmChart, values: Values): Reading {
  try {
    return { objects: byName(chart.objects({ values, release: { service: 'Helm' } }).map(exact)) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problems: error.message };
  }
}

/** The templates of a chart, for messages. */
export function templatesOf(chart: HelmChart): string {
  return chart
    .files()
    .filter(({ name }) => name.startsWith('templates/'))
    .map(({ name, text }) => `--- ${name}\n${text}`)
    .join('');
}

async function helmReading(helm: string, chart: string, values: string): Promise<Reading> {
  const args = ['template', 'vpn', chart, '-n', 'default', '--kube-version', KUBERNETES_VERSION, '-f', values];
  try {
    const { stdout } = await promisify(execFile)(helm, args, { maxBuffer: 1 << 28 });
    return { objects: byName(documents(stdout)) };
  } catch (error) {
    const message = String((error as { stderr?: unknown }).stderr ?? error);
    const problems =
      /validation\/checks\.yaml:\d+:\d+\): (?:[^\n]*?error calling fail: )?([^]*?)\n*(?:\nUse --debug[^]*)?$/.exec(
        message,
      )?.[1];
    if (problems === undefined) throw new Error(`${path.basename(path.dirname(helm))}: ${message}`, { cause: error });
    return { problems: problems.trimEnd() };
  }
}

function documents(stream: string): unknown[] {
  return parseAllDocuments(stream, { version: '1.1', intAsBigInt: true, uniqueKeys: true, merge: false }).map(
    (document) => {
      if (document.errors.length > 0) throw new Error(`${String(document.errors[0])}\n${stream.slice(0, 3000)}`);
      return exact(document.toJS({ maxAliasCount: 0 }));
    },
  );
}

/** Integers and other numbers told apart: `int 5`, `float 0.5`. */
function exact(value: unknown): unknown {
  if (typeof value === 'bigint') return `int ${String(value)}`;
  if (typeof value === 'number')
    return Number.isInteger(value) ? `int ${String(BigInt(value))}` : `float ${String(value)}`;
  if (typeof value === 'string') return `text ${value}`;
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, exact(child)]));
}

function byName(objects: readonly unknown[]): Record<string, unknown> {
  const named = (objects as readonly { metadata: { name: string } }[]).map(
    (object) => [object.metadata.name, object] as const,
  );
  const made = Object.fromEntries(named);
  if (Object.keys(made).length !== named.length) throw new Error('two objects of one name');
  return made;
}

/** JSON that no YAML reader takes otherwise: YAML knows no pairs of escapes for one character. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\ud7ff\ue000-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

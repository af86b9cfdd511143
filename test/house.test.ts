/** The rules of the house (CONTRIBUTING.md): which way imports point, how files are named, where templates are written. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';

const root = path.join(__dirname, '..');

/** The files below some folders, by path from the root, with their text. */
function filesBelow(...folders: string[]): Map<string, string> {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) visit(file);
      else files.set(file, fs.readFileSync(path.join(root, file), 'utf8'));
    }
  };
  for (const folder of folders) if (fs.existsSync(path.join(root, folder))) visit(folder);
  return files;
}

/** What a part of the house may import of the others. `lib/*` stands for every folder of a daemon or role. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'lib/net': [],
  'lib/staged': ['lib/net'],
  'lib/helm': ['lib/net', 'lib/staged'],
  values: ['lib/net'],
  'lib/kubernetes': ['lib/net', 'lib/staged', 'values'],
  // Both gateways and agents run FRR.
  'lib/frr': ['lib/net', 'lib/staged', 'lib/kubernetes', 'values'],
  'lib/*': ['lib/net', 'lib/staged', 'lib/kubernetes', 'lib/frr', 'values'],
  charts: ['lib', 'lib/net', 'lib/staged', 'lib/helm', 'lib/kubernetes', 'lib/frr', 'lib/*', 'values'],
  lib: ['lib/net', 'lib/staged', 'lib/helm', 'lib/kubernetes', 'lib/frr', 'lib/*', 'values', 'charts'],
  'lib/cli': [
    'lib',
    'lib/net',
    'lib/staged',
    'lib/helm',
    'lib/kubernetes',
    'lib/frr',
    'lib/*',
    'values',
    'charts',
    'main',
  ],
  main: [
    'lib',
    'lib/net',
    'lib/staged',
    'lib/helm',
    'lib/kubernetes',
    'lib/frr',
    'lib/*',
    'lib/cli',
    'values',
    'charts',
  ],
};

/** Parts whose packages are counted too; node's own modules are free. */
const MAY_IMPORT_PACKAGES: Readonly<Record<string, readonly string[]>> = { 'lib/net': [], values: ['zod'] };

/** `lib/net`, `lib`, `values`, `charts`, `main`: the part that a file belongs to. */
function folderOf(file: string): string {
  const [top = '', folder = 'index'] = file.replace(/\.ts$/, '').split('/');
  // The only file of lib/ itself is its index; any other name is a folder, imported by its own index.
  return top !== 'lib' || folder === 'index' ? top : `lib/${folder}`;
}

/** The part, as the table names it. */
function partOf(file: string): string {
  const folder = folderOf(file);
  return folder in MAY_IMPORT || !folder.startsWith('lib/') ? folder : 'lib/*';
}

/** Imports that point the wrong way, as `<file> imports <what>`. */
function strayImports(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => {
    if (!file.endsWith('.ts')) return [];
    const part = partOf(file);
    const packages = MAY_IMPORT_PACKAGES[part];
    return ts
      .preProcessFile(text, true, true)
      .importedFiles.map(({ fileName }) => fileName)
      .filter((imported) => {
        if (!imported.startsWith('.')) {
          return packages !== undefined && !imported.startsWith('node:') && !packages.includes(imported);
        }
        const target = path.posix.join(path.posix.dirname(file), imported);
        if (folderOf(target) === folderOf(file)) return false;
        // The charts have the package's version.
        if (target === 'package.json') return part !== 'charts';
        // Two daemons are two parts, although one row of the table stands for both.
        return !(MAY_IMPORT[part] ?? []).includes(partOf(target));
      })
      .map((imported) => `${file} imports ${imported}`);
  });
}

/** Files whose name says nothing. */
function namelessFiles(files: Iterable<string>): string[] {
  return [...files].filter((file) => /(^|[/.-])(utils?|helpers?)([/.-]|$)/i.test(file));
}

/** Tests of no source file. Folders of test/ that mirror nothing are free. */
function homelessTests(tests: Iterable<string>, sources: Iterable<string>): string[] {
  const free = /^test\/(api|laws|golden|oracles|lab|bench|[^/]+\.test\.ts$)/;
  const stems = new Set(
    [...sources].flatMap((file) => {
      const stem = file.replace(/^lib\//, '').replace(/(?<=[^/])\.[^/]*$/, '');
      // The scripts of a folder work together, so one test may be for all of them.
      return file.endsWith('.ts') ? [stem] : [stem, path.posix.join(path.posix.dirname(stem), 'scripts')];
    }),
  );
  return [...tests].filter((file) => {
    if (!file.endsWith('.test.ts') || free.test(file)) return false;
    return !stems.has(file.replace(/^test\/(lib\/)?/, '').replace(/\.[^/]*$/, ''));
  });
}

/** The placeholders of Prometheus' and Grafana's own templates. */
const PLACEHOLDERS = /\{\{ ?(?:\$labels\.[a-z]+|\$value|peer) ?\}\}/g;

/** Lines with Helm actions where none belong. */
function templateText(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => {
    // Python writes a brace in formatted text as two.
    if (!/^(lib|charts)\/.*(?<!\.py)$/.test(file) || /^lib\/(staged|helm)\//.test(file)) return [];
    return text
      .split('\n')
      .flatMap((line, index) => (line.replaceAll(PLACEHOLDERS, '').includes('{{') ? [`${file}:${index + 1}`] : []));
  });
}

const sources = filesBelow('lib', 'charts', 'values');
if (fs.existsSync(path.join(root, 'main.ts')))
  sources.set('main.ts', fs.readFileSync(path.join(root, 'main.ts'), 'utf8'));
const tests = filesBelow('test');

describe('imports', () => {
  test('point one way', () => {
    expect(strayImports(sources)).toEqual([]);
  });

  test.each([
    ['lib/net/cidr.ts', './address'],
    ['lib/net/wireguard-key.ts', 'node:crypto'],
    ['lib/staged/ref.ts', '../net/cidr'],
    ['lib/staged/ref.ts', 'zod'],
    ['lib/helm/chart.ts', '../staged/print'],
    ['lib/wireguard/server.ts', '../staged'],
    ['main.ts', './lib'],
    ['values/wireguard.ts', '../lib/net/cidr'],
    ['values/wireguard.ts', 'zod'],
    ['values/shared/image.ts', '../wireguard'],
    ['lib/kubernetes/labels.ts', '../../values/image'],
    ['lib/wireguard/server.ts', '../kubernetes/labels'],
    ['lib/wireguard/server.ts', './checks'],
    ['lib/routes/agents.ts', '../frr/pod'],
    ['charts/wireguard.ts', '../lib/wireguard/server'],
    ['charts/vpn.ts', './wireguard'],
    ['lib/index.ts', './helm/chart'],
    ['lib/cli/main.ts', '../../charts/wireguard'],
    ['lib/cli/synth.ts', './main'],
    ['main.ts', './lib/cli/synth'],
  ])('%s may import %s', (file, imported) => {
    expect(strayImports(new Map([[file, `import { x } from '${imported}';`]]))).toEqual([]);
  });

  test.each([
    ['lib/net/cidr.ts', '../staged/ref'],
    ['lib/net/cidr.ts', '../../values/image'],
    ['lib/net/cidr.ts', 'zod'],
    ['lib/staged/ref.ts', '../helm/chart'],
    ['lib/staged/ref.ts', '../../values/image'],
    ['lib/staged/ref.ts', '../kubernetes/labels'],
    ['lib/helm/chart.ts', '../kubernetes/labels'],
    ['lib/helm/chart.ts', '../../values/image'],
    ['values/wireguard.ts', '../lib/staged/ref'],
    ['values/wireguard.ts', 'yaml'],
    ['values/shared/image.ts', '../../lib/wireguard/server'],
    ['lib/kubernetes/labels.ts', '../wireguard/server'],
    ['lib/kubernetes/labels.ts', '../helm/chart'],
    ['lib/wireguard/server.ts', '../strongswan/gateways'],
    ['lib/wireguard/server.ts', '../helm/chart'],
    ['lib/wireguard/server.ts', '../../charts/wireguard'],
    ['lib/wireguard/server.ts', '../index'],
    ['lib/wireguard/server.ts', '..'],
    ['lib/staged/ref.ts', '../helm'],
    ['lib/index.ts', './cli'],
    ['lib/wireguard/server.ts', '../cli/main'],
    ['charts/wireguard.ts', '../lib/cli/main'],
    ['charts/wireguard.ts', '../main'],
    ['lib/index.ts', './cli/main'],
  ])('fails when %s imports %s', (file, imported) => {
    for (const line of [
      `import { x } from '${imported}';`,
      `import type { x } from '${imported}';`,
      `export * from '${imported}';`,
      `const x = import('${imported}');`,
      `const x = require('${imported}');`,
    ]) {
      expect(strayImports(new Map([[file, line]]))).toEqual([`${file} imports ${imported}`]);
    }
  });
});

describe('names', () => {
  test('say what a file holds', () => {
    expect(namelessFiles([...sources.keys(), ...tests.keys()])).toEqual([]);
  });

  test('fails on utils and helpers', () => {
    const nameless = ['lib/utils.ts', 'lib/net/cidr-util.ts', 'lib/helpers/x.ts', 'test/Helper.ts', 'lib/x.utils.ts'];
    expect(namelessFiles([...nameless, 'lib/utilisation.ts', 'lib/helm/chart.ts'])).toEqual(nameless);
  });

  test('of a test and of what it tests are the same', () => {
    expect(homelessTests(tests.keys(), sources.keys())).toEqual([]);
  });

  test('fails on a test of no source file', () => {
    const found = homelessTests(
      [
        'test/net/cidr.test.ts',
        'test/net/cider.test.ts',
        'test/laws/any.test.ts',
        'test/house.test.ts',
        'test/values/a.test.ts',
        'test/net/scripts.test.ts',
        'test/wireguard/scripts.test.ts',
      ],
      ['lib/net/cidr.ts', 'charts/a.ts', 'lib/wireguard/up.sh'],
    );
    expect(found).toEqual(['test/net/cider.test.ts', 'test/values/a.test.ts', 'test/net/scripts.test.ts']);
  });
});

describe('template text', () => {
  test('is written by lib/staged and lib/helm only', () => {
    expect(templateText(sources)).toEqual([]);
  });

  test('fails on a Helm action elsewhere', () => {
    const line = 'ok\nconst x = `{{ .Values.x }}`;';
    const files = ['lib/wireguard/a.ts', 'charts/b.ts', 'lib/wireguard/c.sh', 'lib/staged/d.ts', 'lib/helm/e.ts'];
    expect(templateText(new Map(files.map((file) => [file, line])))).toEqual([
      'lib/wireguard/a.ts:2',
      'charts/b.ts:2',
      'lib/wireguard/c.sh:2',
    ]);
  });
});

describe('lint', () => {
  const eslint = [path.join(root, 'node_modules/eslint/bin/eslint.js'), '--format', 'json', '--stdin'];

  test('finds a staged value that is taken for its text or its truth, and other slips', () => {
    const lines: [code: string, rule: string | undefined][] = [
      ['class Node { readonly kind = 1; toString(): never { throw new Error(); } }', undefined],
      [
        'declare const node: Node; declare const either: Node | string; declare const maybe: Node | undefined;',
        undefined,
      ],
      [
        'declare const bool: Node | boolean; declare const size: number; declare const later: () => Promise<void>;',
        undefined,
      ],
      ['export const a = `${node}`;', 'restrict-template-expressions'],
      ['export const b = `${either}`;', 'restrict-template-expressions'],
      ["export const c = 'x' + (either as string);", undefined],
      ["export const d = 'x' + either;", 'restrict-plus-operands'],
      ['if (node) later;', 'strict-boolean-expressions'],
      ['if (maybe) later;', 'strict-boolean-expressions'],
      ['if (bool) later;', 'strict-boolean-expressions'],
      ['export const e = node ? 1 : 2;', 'strict-boolean-expressions'],
      ['export const f = !maybe;', 'strict-boolean-expressions'],
      ['export const g = bool && 1;', 'strict-boolean-expressions'],
      ['export const h = maybe || 1;', 'strict-boolean-expressions'],
      ['export const i = size ? 1 : 2;', 'strict-boolean-expressions'],
      ['export const j = String({ node });', 'no-base-to-string'],
      ['export const k: any = 1;', 'no-explicit-any'],
      ['later();', 'no-floating-promises'],
      ['export const m = node === undefined;', 'no-unnecessary-condition'],
      ['console.log(1);', 'no-console'],
    ];
    const { stdout, stderr } = spawnSync(process.execPath, [...eslint, '--stdin-filename', 'test/house.test.ts'], {
      cwd: root,
      input: lines.map(([code]) => code).join('\n'),
      encoding: 'utf8',
      // In a single run the parser would take the file's text from the disk.
      env: { ...process.env, TSESTREE_SINGLE_RUN: 'false' },
    });
    if (stdout === '') throw new Error(stderr);
    const [report] = JSON.parse(stdout) as { messages: { line: number; ruleId: string | null; message: string }[] }[];
    const rules = (line: number): string[] =>
      (report?.messages ?? [])
        .filter((message) => message.line === line)
        .map(({ ruleId, message }) => ruleId?.replace('@typescript-eslint/', '') ?? message);
    for (const [index, [code, rule]] of lines.entries()) {
      if (rule !== undefined) expect([code, ...rules(index + 1)]).toContain(rule);
    }
  }, 120_000);
});

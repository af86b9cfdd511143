/** The package as others get it: packed, installed into a fresh project, compiled against, and run. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import packageJson from '../package.json';
import { describeWith } from './left-out';
import { HELM_VERSIONS, KUBERNETES_VERSION, tools } from './tools';

const root = path.join(__dirname, '..');
const fixtures = path.join(__dirname, 'package');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-package-'));
const project = path.join(folder, 'project');
const installed = path.join(project, 'node_modules/cdk8s-vpn');

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], { cwd = project, input = '' } = {}): Finished {
  // What npm tells its scripts about this project is not true of another one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_(local_prefix|prefix))/.test(name)),
  );
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    input,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 27,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

function sure(command: string, args: readonly string[], options: { cwd?: string; input?: string } = {}): string {
  const { status, stdout, stderr } = run(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(status)}:\n${stdout}\n${stderr}`);
  return stdout;
}

function npm(...args: string[]): [string, string[]] {
  const cli = process.env['npm_execpath'];
  return cli === undefined ? ['npm', args] : [process.execPath, [cli, ...args]];
}

/** Compiles the project's own files. */
function compile(...flags: string[]): string {
  return run(process.execPath, [
    path.join(project, 'node_modules/typescript/bin/tsc'),
    '-p',
    '.',
    '--pretty',
    'false',
    ...flags,
  ]).stdout;
}

function filesBelow(at: string): string[] {
  return fs
    .readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(at, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

let packed: string[] = [];
let complaints = '';

beforeAll(() => {
  // npm pack builds, and a build here would pull the carpet from under whoever runs the other one.
  const copy = path.join(folder, 'copy');
  fs.cpSync(root, copy, {
    recursive: true,
    filter: (file) => !/^(node_modules|[.]git|build|dist)$/.test(path.relative(root, file)),
  });
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  sure(...npm('pack', '--pack-destination', folder), { cwd: copy });
  fs.rmSync(copy, { recursive: true });

  fs.mkdirSync(project);
  fs.writeFileSync(
    path.join(project, 'package.json'),
    JSON.stringify({ name: 'project', version: '1.0.0', private: true }),
  );
  const { typescript, cdk8s, constructs } = packageJson.devDependencies;
  const tarball = path.join(folder, `cdk8s-vpn-${packageJson.version}.tgz`);
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const packages = [`typescript@${typescript}`, `cdk8s@${cdk8s}`, `constructs@${constructs}`];
  sure(...npm('install', ...quiet, tarball, ...packages));
  packed = filesBelow(installed);

  for (const file of fs.readdirSync(fixtures)) fs.copyFileSync(path.join(fixtures, file), path.join(project, file));
  fs.writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        declaration: true,
        rootDir: '.',
        outDir: 'out',
      },
      include: ['*.ts'],
    }),
  );
  // The sources read the standard input.
  fs.writeFileSync(
    path.join(project, 'node.d.ts'),
    `declare module 'node:fs' { export function readFileSync(file: number, encoding: 'utf8'): string }
declare const process: { argv: string[]; stdout: { write(text: string): void } };`,
  );
  complaints = compile();
}, 300_000);

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

describe('the tarball', () => {
  test('has what is needed and nothing else', () => {
    const wanted = [
      /^package\.json$/,
      /^README\.md$/,
      /^CHANGELOG\.md$/,
      /^LICENSE$/,
      /^docs\/([^/]+\/)?[^/]+\.md$/,
      /^docs\/ipsec\/Containerfile$/,
      /^docs\/cilium-values\.yaml$/,
      /^build\/package\.json$/,
      /^build\/(lib|charts|values)\/.*\.(js|d\.ts)(\.map)?$/,
      /^(build\/)?lib\/[^.]*\.(jq|py|sh|svg)$/,
      /^(lib|charts|values)\/[^.]*\.ts$/,
      /^values\/examples\/[^/]+\/[^/]+\.yaml$/,
    ];
    expect(packed.filter((file) => !wanted.some((pattern) => pattern.test(file)))).toEqual([]);
    expect(wanted.filter((pattern) => !packed.some((file) => pattern.test(file)))).toEqual([]);
  });

  test('has every example', () => {
    const examples = filesBelow(path.join(root, 'values/examples')).map((file) => `values/examples/${file}`);
    expect(examples).not.toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(examples));
  });

  test('has declaration maps, and the sources that they lead to', () => {
    const declarations = packed.filter((file) => file.endsWith('.d.ts'));
    expect(declarations).toContain('build/lib/index.d.ts');
    const astray = declarations.flatMap((file) => {
      if (!packed.includes(`${file}.map`)) return [`${file} has no map`];
      const map = JSON.parse(fs.readFileSync(path.join(installed, `${file}.map`), 'utf8')) as { sources: string[] };
      return map.sources
        .map((source) => path.posix.join(path.posix.dirname(file), source))
        .filter((source) => !packed.includes(source))
        .map((source) => `${file} leads to ${source}`);
    });
    expect(astray).toEqual([]);
  });

  test('needs only its own dependencies', () => {
    const known = [...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.peerDependencies)];
    const foreign = packed
      .filter((file) => /^build\/.*(\.js|\.d\.ts)$/.test(file))
      .flatMap((file) => {
        const { importedFiles } = ts.preProcessFile(fs.readFileSync(path.join(installed, file), 'utf8'), true, true);
        return importedFiles
          .map(({ fileName }) => fileName)
          .filter((name) => !/^([.]|node:)/.test(name) && !known.includes(name.replace(/(?<=[^@/])\/.*/, '')))
          .map((name) => `${file} imports ${name}`);
      });
    expect(foreign).toEqual([]);
  });
});

describe('a fresh TypeScript project', () => {
  test('compiles, strictly, with exactOptionalPropertyTypes and with our declarations checked; wrong props do not', () => {
    expect(complaints).toBe('');
  });

  test('sees the faults when they are not expected', () => {
    const file = path.join(project, 'wrong-props.ts');
    const text = fs.readFileSync(file, 'utf8');
    const expected = text.match(/^ *\/\/ @ts-expect-error/gm)?.length ?? 0;
    fs.writeFileSync(file, text.replace(/^ *\/\/ @ts-expect-error.*$/gm, ''));
    const errors = compile('--noEmit').match(/^wrong-props\.ts\(\d+/gm) ?? [];
    fs.writeFileSync(file, text);
    expect(expected).toBeGreaterThan(15);
    expect(new Set(errors).size).toBe(expected);
  }, 120_000);

  test('synthesizes the server of the README', () => {
    fs.rmSync(path.join(project, 'dist'), { recursive: true, force: true });
    sure(process.execPath, ['out/home.js']);
    const objects = documents(fs.readFileSync(path.join(project, 'dist/vpn.k8s.yaml'), 'utf8'));
    expect(objects.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['ConfigMap', 'Deployment', 'Service', 'ServiceAccount']),
    );
    expect(JSON.stringify(objects)).toContain('AllowedIPs = 10.13.13.2\\n');
  });

  test('imports the package as an ES module too', () => {
    const program =
      "import { WireGuardServer, helmChart, eq } from 'cdk8s-vpn'; console.log(typeof WireGuardServer, typeof helmChart, typeof eq)";
    expect(sure(process.execPath, ['--input-type=module', '-e', program])).toBe('function function function\n');
  });
});

describe('the public surface', () => {
  test('is lib/index.ts', () => {
    const exported = (file: string): string[] => {
      const options = {
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        noLib: true,
        types: [],
      };
      const program = ts.createProgram([file], options);
      const source = program.getSourceFile(file);
      const checker = program.getTypeChecker();
      const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
      if (symbol === undefined) throw new Error(`${file} is no module`);
      return checker
        .getExportsOfModule(symbol)
        .map(({ name }) => name)
        .sort();
    };
    const ours = exported(path.join(root, 'lib/index.ts'));
    expect(ours).toEqual(
      expect.arrayContaining(['WireGuardServer', 'WireGuardServerProps', 'helmChart', 'Expr', 'each']),
    );
    expect(exported(path.join(installed, 'build/lib/index.d.ts'))).toEqual(ours);
    const program = "console.log(JSON.stringify(Object.keys(require('cdk8s-vpn'))))";
    const values = JSON.parse(sure(process.execPath, ['-e', program])) as string[];
    expect(ours).toEqual(expect.arrayContaining(values));
  });

  test.each([
    'build/lib/index.js',
    'build/lib/staged/index.js',
    'build/charts/index.js',
    'values/wireguard',
    'lib/index.ts',
  ])('is not %s', (file) => {
    const program = `try { require(${JSON.stringify(`cdk8s-vpn/${file}`)}); } catch (error) { console.log(error.code); }`;
    expect(sure(process.execPath, ['-e', program])).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});

describe('the command of the installed package', () => {
  test('synthesizes its own examples, checks, and writes its charts', () => {
    const example = 'node_modules/cdk8s-vpn/values/examples/wireguard/home.yaml';
    const objects = documents(sure(...npx('synth', 'wireguard', '-f', example)));
    expect(objects.map(({ kind }) => kind)).toContain('Deployment');
    sure(...npx('check', 'wireguard', '-f', example));
    sure(...npx('chart', 'wireguard', '-o', 'charts'));
    expect(filesBelow(path.join(project, 'charts/wireguard'))).toEqual(
      expect.arrayContaining(['Chart.yaml', 'values.schema.json', 'templates/deployment.yaml']),
    );
    sure(...npx('examples', '-o', 'everything'));
    expect(fs.readdirSync(path.join(project, 'everything')).sort()).toEqual(['charts', 'manifests']);
  }, 60_000);
});

function npx(...args: string[]): [string, string[]] {
  return npm('exec', '--offline', '--no', '--', 'cdk8s-vpn', ...args);
}

describe('a wrong literal', () => {
  const key = '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=';
  const alice = { publicKey: key, addresses: ['10.13.13.2'] };
  const cases: [title: string, props: Record<string, unknown>][] = [
    ['of a text', { network: '10.13.13.0/33' }],
    ['of a number', { listenPort: 70000 }],
    ['of a choice', { mode: 'bridged' }],
    ['of another type', { listenPort: true }],
    ['deep inside', { peers: { alice: { ...alice, publicKey: `${key.slice(0, -2)}==` } } }],
    ['with an unknown key', { peers: { alice: { ...alice, allowedIps: [] } } }],
    ['without a required key', { peers: { alice: { addresses: ['10.13.13.2'] } } }],
    ['with a wrong name', { peers: { Alice: alice } }],
    ['that is secret', { privateKey: { value: 'not-a-key' } }],
    ['many times', { network: 'x', mtu: 1, mode: 'y', peers: { alice: {}, bob: 1 } }],
    ['against a rule', { peers: { alice: { ...alice, addresses: ['10.99.0.2'] } } }],
    [
      'against many rules',
      { network: '10.13.13.1/24', peers: { alice, bob: alice, carol: { ...alice, addresses: ['10.13.13.1'] } } },
    ],
  ];
  let thrown: string[][] = [];

  beforeAll(() => {
    const input = JSON.stringify(cases.map(([, props]) => props));
    thrown = JSON.parse(sure(process.execPath, ['out/wrong-values.js'], { input })) as string[][];
  }, 120_000);

  test.each(cases.map(([title, props], index) => ({ title, props, index })))(
    '$title throws the sentences of check',
    ({ props, index }) => {
      // JSON on a line of its own is YAML, so every sentence is about line 1.
      fs.writeFileSync(path.join(project, 'wrong.yaml'), JSON.stringify(props));
      const cli = path.join(installed, packageJson.bin['cdk8s-vpn']);
      const { status, stdout, stderr } = run(process.execPath, [cli, 'check', 'wireguard', '-f', 'wrong.yaml']);
      expect([status, stdout]).toEqual([1, '']);
      const sentences = stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^wrong\.yaml:\d+:\d+: /, ''));
      expect(sentences).not.toEqual([]);
      // check sorts them by their place in the file, which props do not have.
      expect(thrown[index]?.toSorted()).toEqual(sentences.toSorted());
    },
  );
});

describe('somebody’s own chart with our construct', () => {
  const key = (letter: string): string => `${letter.repeat(42)}A=`;
  const accepted: Record<string, unknown>[] = [
    {},
    { replicas: 4, motto: 'so {{ .Release.Name }} "fresh"', vpn: { enabled: false } },
    {
      vpn: {
        listenPort: 4500,
        privateKey: { value: key('p') },
        network6: 'fd00:99::/64',
        peers: {
          till: { publicKey: key('t'), addresses: ['10.99.0.2', 'fd00:99::2'], presharedKey: { value: key('s') } },
          store: {
            publicKey: key('u'),
            addresses: ['10.99.0.3'],
            routedNetworks: ['192.168.7.0/24'],
            allow: { tills: { peers: ['till'], ports: [{ port: 443 }] } },
          },
        },
        podLabels: { ignored: 'because-it-is-known' },
      },
    },
  ];
  const refused: Record<string, unknown>[] = [
    { vpn: { peers: { till: { publicKey: key('t'), addresses: ['10.13.13.2'] } } } },
    {
      vpn: {
        peers: {
          a: { publicKey: key('t'), addresses: ['10.99.0.2'] },
          b: { publicKey: key('t'), addresses: ['10.99.0.2'] },
        },
      },
    },
  ];
  const unknown: Record<string, unknown>[] = [{ vpn: { network: '10.98.0.0/24' } }, { replicas: '2' }];
  const all = [...accepted, ...refused, ...unknown];
  const fileOf = (index: number): string => path.join(project, `shop-${String(index)}.yaml`);
  let outcomes: { objects?: KubernetesObject[]; problems?: string[] }[] = [];

  beforeAll(() => {
    for (const [index, values] of all.entries()) fs.writeFileSync(fileOf(index), JSON.stringify(values));
    const input = JSON.stringify(all.map((_, index) => fileOf(index)));
    outcomes = JSON.parse(sure(process.execPath, ['out/shop.js', 'shop'], { input })) as typeof outcomes;
  }, 120_000);

  test('has both parts: what is known now and what comes from the values', () => {
    const of = (index: number): string => JSON.stringify(outcomes[index]?.objects);
    expect(of(0)).toContain('"10.99.0.1/24"');
    expect(of(0)).toContain('"tier":"vpn"');
    expect(of(2)).toContain('"value":"10.99.0.1/24 fd00:99::1/64"');
    expect(of(2)).toContain('"port":4500');
    expect(of(2)).not.toContain('because-it-is-known');
  });

  test('names the values by where the user of that chart writes them', () => {
    expect(outcomes[3]?.problems).toEqual([
      expect.stringMatching(/^vpn\.peers\.till\.addresses\[0\]: .*, got "10\.13\.13\.2"; /),
    ]);
    expect(outcomes[4]?.problems).toHaveLength(2);
    expect(outcomes[5]?.problems).toEqual([expect.stringMatching(/^vpn\.network: /)]);
    expect(outcomes[6]?.problems).toEqual([expect.stringMatching(/^replicas: /)]);
  });

  for (const version of HELM_VERSIONS) {
    describeWith([`helm-${version}`], `satisfies the law on Helm ${version}`, () => {
      const helm = tools.helm(version);
      const template = (index: number): Finished =>
        run(helm, [
          'template',
          'corner',
          'shop',
          '-n',
          'shops',
          '-f',
          fileOf(index),
          '--kube-version',
          KUBERNETES_VERSION,
        ]);

      test('lints', () => {
        sure(helm, ['lint', '--strict', 'shop']);
      });

      test.each(accepted.map((_, index) => index))('for values file %i', (index) => {
        const { status, stdout, stderr } = template(index);
        expect([status, stderr]).toEqual([0, '']);
        const objects = documents(stdout).filter(
          ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined,
        );
        expect(inOrder(objects)).toEqual(inOrder(outcomes[index]?.objects ?? []));
      });

      test.each(refused.map((_, index) => accepted.length + index))(
        'for values file %i, which both refuse with one text',
        (index) => {
          const { status, stderr } = template(index);
          expect(status).not.toBe(0);
          for (const problem of outcomes[index]?.problems ?? []) expect(stderr).toContain(problem);
        },
      );

      test.each(unknown.map((_, index) => accepted.length + refused.length + index))(
        'for values file %i, which both refuse',
        (index) => {
          expect(template(index).status).not.toBe(0);
        },
      );
    });
  }
});

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

function documents(text: string): KubernetesObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

function inOrder(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const key = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

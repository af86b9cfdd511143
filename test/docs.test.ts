/** What the documentation says is so: its values, commands, programs, links and tables. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import ts from 'typescript';
import packageJson from '../package.json';
import { wireguard } from '../charts/wireguard';
import { loadValues } from '../lib/helm/load-values';
import { wireguardValues } from '../values/wireguard';
import { describeWith } from './left-out';
import { HELM_VERSIONS, KUBERNETES_VERSION, tools } from './tools';

const root = path.join(__dirname, '..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...fs.readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`),
];
const textOf = new Map(pages.map((page) => [page, fs.readFileSync(path.join(root, page), 'utf8')]));

interface Block {
  readonly page: string;
  readonly line: number;
  /** What stands behind the fence: `yaml values site.yaml`. */
  readonly info: readonly string[];
  readonly text: string;
}

function blocksOf(page: string, text: string): Block[] {
  const found: Block[] = [];
  let open: { line: number; info: string[]; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) open = { line: index + 1, info: (fence[1] ?? '').split(' '), lines: [] };
    else {
      found.push({ page, line: open.line, info: open.info, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    }
  }
  return found;
}

const blocks = [...textOf].flatMap(([page, text]) => blocksOf(page, text));
const titled = (wanted: readonly Block[]): [title: string, block: Block][] =>
  wanted.map((block) => [`${block.page}:${String(block.line)}`, block]);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-docs-'));

beforeAll(() => {
  for (const { info, text } of blocks)
    if (info[1] === 'values' && info[2] !== undefined) fs.writeFileSync(path.join(folder, info[2]), text);
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Runs our command from its sources. */
function cli(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const tsx = path.join(root, 'node_modules/tsx/dist/cli.mjs');
  return spawnSync(process.execPath, [tsx, path.join(root, 'lib/cli/main.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
}

function objectsOf(values: string): { kind: string; metadata: { name: string }; [key: string]: unknown }[] {
  const file = path.join(folder, 'block.yaml');
  fs.writeFileSync(file, values);
  return wireguard.objects({ values: loadValues({ files: [file] }).values });
}

describe('values', () => {
  const yaml = blocks.filter(({ info }) => info[0] === 'yaml');
  const refused = blocks.filter(({ info }) => info[1] === 'check').map(({ info }) => info[2]);

  test('are marked as such', () => {
    expect(yaml.filter(({ info }) => info[1] !== 'values')).toEqual([]);
    expect(yaml.length).toBeGreaterThan(8);
  });

  test.each(titled(yaml.filter(({ info }) => info[2] === undefined || !refused.includes(info[2]))))(
    'of %s are accepted',
    (_title, { text }) => {
      expect(objectsOf(text).map(({ kind }) => kind)).toContain('Deployment');
    },
  );

  test.each(titled(blocks.filter(({ info }) => info[1] === 'check')))(
    'of %s are refused with that text',
    (_title, { info, text }) => {
      const { status, stderr } = cli(['check', 'wireguard', '-f', info[2] ?? '']);
      expect([status, stderr]).toEqual([1, text]);
    },
  );
});

/** Lines of `sh` blocks, and code within lines that is a call of our command. */
const commands = [
  ...blocks
    .filter(({ info }) => info[0] === 'sh')
    .flatMap(({ page, text }) => text.split('\n').map((line) => ({ page, line }))),
  ...[...textOf].flatMap(([page, text]) =>
    [...text.matchAll(/`(npx cdk8s-vpn [^`\n]+)`/g)].map((match) => ({ page, line: match[1] ?? '' })),
  ),
].map(({ page, line }) => ({ page, line: line.replace(/ +#.*| +\|.*/, '').trim() }));

describe('commands', () => {
  const ours = [...new Set(commands.flatMap(({ line }) => (/^(npx )?cdk8s-vpn /.test(line) ? [line] : [])))];

  test('are there', () => {
    for (const verb of ['synth', 'check', 'chart', 'examples']) expect(ours.join('\n')).toContain(`cdk8s-vpn ${verb}`);
  });

  test.each(ours)('%s', (line) => {
    const { status, stdout, stderr } = cli(line.replace(/^(npx )?cdk8s-vpn /, '').split(' '));
    expect([status, stderr]).toEqual([0, '']);
    if (/ synth (?!.* -o )/.test(line)) expect(stdout).toContain('kind: Deployment');
    const output = / -o (\S+)/.exec(line)?.[1];
    if (output !== undefined) expect(fs.readdirSync(path.join(folder, output))).not.toEqual([]);
  });

  test('of npm are scripts of the package', () => {
    const scripts = commands.flatMap(({ line }) =>
      [...line.matchAll(/npm (?:run )?(\w+)/g)].map((match) => match[1] ?? ''),
    );
    expect(scripts.length).toBeGreaterThan(4);
    expect(
      scripts.filter((name) => !['ci', 'install'].includes(name) && !Object.hasOwn(packageJson.scripts, name)),
    ).toEqual([]);
  });

  test('name the Secret that the pod waits for', () => {
    const { stdout } = cli(['synth', 'wireguard', '-f', 'site.yaml', '--release', 'home', '--namespace', 'vpn']);
    const made = commands.flatMap(({ line, page }) => (page === 'README.md' ? [line] : [])).length;
    expect(made).toBeGreaterThan(0);
    for (const [page, text] of textOf) {
      for (const match of text.matchAll(/wg genkey \|.* secret generic (\S+) --from-file=([a-z-]+)=/g)) {
        expect([page, stdout]).toEqual([page, expect.stringContaining(`secretName: ${match[1] ?? ''}\n`)]);
        expect(stdout).toContain(`key: ${match[2] ?? ''}\n`);
      }
    }
  });

  describeWith(['helm-4.3.1'], 'of Helm', () => {
    const installs = commands.flatMap(({ line }) => /^helm (?:install|upgrade --install) (.*)/.exec(line)?.[1] ?? []);

    test.each(installs)('helm install %s', (rest) => {
      cli(['chart', 'wireguard', '-o', 'dist/charts']);
      const helm = spawnSync(
        tools.helm('4.3.1'),
        ['template', ...rest.split(' '), '--kube-version', KUBERNETES_VERSION],
        { cwd: folder, encoding: 'utf8' },
      );
      expect([helm.status, helm.stderr]).toEqual([0, '']);
    });
  });
});

describe('programs', () => {
  test('compile, strictly', () => {
    const files = new Map(
      blocks.flatMap(({ info, text }, index) =>
        info[0] === 'ts' ? [[path.join(root, 'test', `program-${String(index)}.ts`), text] as const] : [],
      ),
    );
    expect(files.size).toBeGreaterThan(1);
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(path.join(root, 'test/tsconfig.json'), (file) => ts.sys.readFile(file)).config,
      ts.sys,
      path.join(root, 'test'),
    );
    const host = ts.createCompilerHost(options);
    const { fileExists, readFile, getSourceFile } = host;
    host.fileExists = (file) => files.has(path.normalize(file)) || fileExists(file);
    host.readFile = (file) => files.get(path.normalize(file)) ?? readFile(file);
    host.getSourceFile = (file, version, onError, fresh) => {
      const text = files.get(path.normalize(file));
      if (text !== undefined) return ts.createSourceFile(file, text, version);
      return getSourceFile.call(host, file, version, onError, fresh);
    };
    const program = ts.createProgram([...files.keys()], options, host);
    const faults = [...files.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  }, 120_000);

  test('of README.md begin with the one that the test of the package runs', () => {
    const fixture = fs.readFileSync(path.join(root, 'test/package/home.ts'), 'utf8').replace(/^\/\*.*\*\/\n/, '');
    expect(blocks.find(({ page, info }) => page === 'README.md' && info[0] === 'ts')?.text).toBe(fixture);
  });
});

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function brokenLinks(page: string, text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const [target = '', fragment] = (match[1] ?? '').split('#');
    if (/^https:/.test(target)) return [];
    const file = target === '' ? page : path.posix.join(path.posix.dirname(page), target);
    if (!fs.existsSync(path.join(root, file))) return [`${page}: ${target}`];
    if (fragment === undefined) return [];
    const headings = [...fs.readFileSync(path.join(root, file), 'utf8').matchAll(/^#+ (.*)$/gm)].map((heading) =>
      anchor(heading[1] ?? ''),
    );
    return headings.includes(fragment) ? [] : [`${page}: ${target}#${fragment}`];
  });
}

describe('links', () => {
  test.each(pages)('of %s lead somewhere', (page) => {
    expect(brokenLinks(page, textOf.get(page) ?? '')).toEqual([]);
  });

  test('that lead nowhere are found', () => {
    const text =
      '# A’s b, c\n[a](b.md) [c](README.md#nothing) [d](#as-b-c) [e](#commands) `[f](g.md)` [h](https://example.com)';
    expect(brokenLinks('README.md', text)).toEqual([
      'README.md: b.md',
      'README.md: README.md#nothing',
      'README.md: #as-b-c',
    ]);
  });
});

describe('names', () => {
  test('of files and folders in CONTRIBUTING.md are there', () => {
    const named = [
      ...(textOf.get('CONTRIBUTING.md') ?? '').matchAll(/`((?:lib|values|charts|test|docs)\/[\w./-]+)`/g),
    ].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
  });

  test('of Helm’s versions are those of the tests', () => {
    const versions = HELM_VERSIONS.join(', ').replace(/, (?=[^,]*$)/, ' and ');
    expect(textOf.get('README.md')?.replace(/\s+/g, ' ')).toContain(`Helm ${versions}`);
  });

  test('of images are the defaults', () => {
    const said = [...(textOf.get('docs/wireguard.md') ?? '').matchAll(/^\| `(\S+:\S+)` +\|/gm)].map(
      (match) => match[1],
    );
    const images = JSON.stringify(objectsOf('{}'));
    expect(said).toHaveLength(2);
    for (const image of said) expect(images).toContain(`"image":"${image ?? ''}"`);
  });
});

/** A value and two states of it. */
const CHANGES: Readonly<Record<string, readonly [before: unknown, after: unknown]>> = (() => {
  const key = (letter: string): string => `${letter.repeat(42)}A=`;
  const peer = { publicKey: key('a'), addresses: ['10.13.13.2'] };
  const item = { name: 'x' };
  return {
    peers: [
      { peers: { a: peer } },
      {
        peers: {
          a: {
            ...peer,
            addresses: ['10.13.13.9'],
            routedNetworks: ['192.168.1.0/24'],
            allow: {},
            persistentKeepaliveSeconds: 25,
            endpoint: 'a:1',
          },
          b: { publicKey: key('b'), addresses: ['10.13.13.3'] },
        },
      },
    ],
    'peers.*.presharedKey.value': [
      { peers: { a: peer } },
      { peers: { a: { ...peer, presharedKey: { value: key('c') } } } },
    ],
    'peers.*.presharedKey.key': [
      { peers: { a: { ...peer, presharedKey: { existingSecret: 'x', key: 'y' } } } },
      { peers: { a: { ...peer, presharedKey: { existingSecret: 'x', key: 'z' } } } },
    ],
    'peers.*.presharedKey.existingSecret': [
      { peers: { a: peer } },
      { peers: { a: { ...peer, presharedKey: { existingSecret: 'x' } } } },
    ],
    'privateKey.value': [{ privateKey: { value: key('a') } }, { privateKey: { value: key('b') } }],
    'privateKey.existingSecret': [{}, { privateKey: { existingSecret: 'x' } }],
    'privateKey.key': [{}, { privateKey: { key: 'x' } }],
    mode: [{}, { mode: 'routed' }],
    network: [{}, { network: '10.14.0.0/24' }],
    network6: [{}, { network6: 'fd00::/64' }],
    listenPort: [{}, { listenPort: 1 }],
    interfaceName: [{}, { interfaceName: 'wg1' }],
    mtu: [{}, { mtu: 1400 }],
    ipForwarding: [{}, { ipForwarding: { method: 'assume' } }],
    hostPort: [{}, { hostPort: 1 }],
    service: [{}, { service: { type: 'NodePort', port: 1, annotations: { a: 'b' }, labels: { a: 'b' } } }],
    'serviceAccount.annotations': [{}, { serviceAccount: { annotations: { a: 'b' } } }],
    'serviceAccount.name': [{}, { serviceAccount: { name: 'x' } }],
    'serviceAccount.create': [{}, { serviceAccount: { create: false } }],
    commonAnnotations: [{}, { commonAnnotations: { a: 'b' } }],
    commonLabels: [{}, { commonLabels: { a: 'b' } }],
    extraObjects: [{}, { extraObjects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: item }] }],
    revisionHistoryLimit: [{}, { revisionHistoryLimit: 1 }],
    image: [{}, { image: { tag: 'x' } }],
    userspace: [{}, { userspace: { image: { repository: 'x' } } }],
    health: [{}, { health: { image: { tag: 'x' } } }],
    global: [{}, { global: { imageRegistry: 'x' } }],
    imagePullSecrets: [{}, { imagePullSecrets: [item] }],
    livenessProbe: [{}, { livenessProbe: { periodSeconds: 1 } }],
    readinessProbe: [{}, { readinessProbe: { periodSeconds: 1 } }],
    resources: [{}, { resources: { requests: { cpu: 1 } } }],
    podSecurityContext: [{}, { podSecurityContext: { fsGroup: 1 } }],
    securityContext: [{}, { securityContext: { runAsUser: 1 } }],
    podLabels: [{}, { podLabels: { a: 'b' } }],
    podAnnotations: [{}, { podAnnotations: { a: 'b' } }],
    nodeSelector: [{}, { nodeSelector: { a: 'b' } }],
    tolerations: [{}, { tolerations: [{ key: 'a' }] }],
    affinity: [{}, { affinity: { podAffinity: { a: 'b' } } }],
    topologySpreadConstraints: [{}, { topologySpreadConstraints: [{ maxSkew: 1 }] }],
    priorityClassName: [{}, { priorityClassName: 'x' }],
    runtimeClassName: [{}, { runtimeClassName: 'x' }],
    schedulerName: [{}, { schedulerName: 'x' }],
    terminationGracePeriodSeconds: [{}, { terminationGracePeriodSeconds: 1 }],
    dnsPolicy: [{}, { dnsPolicy: 'Default' }],
    dnsConfig: [{}, { dnsConfig: { a: 'b' } }],
    hostAliases: [{}, { hostAliases: [{ ip: '10.0.0.1' }] }],
    extraEnv: [{}, { extraEnv: [item] }],
    extraVolumes: [{}, { extraVolumes: [item] }],
    extraVolumeMounts: [{}, { extraVolumeMounts: [item] }],
    extraInitContainers: [{}, { extraInitContainers: [item] }],
    extraContainers: [{}, { extraContainers: [item] }],
    nameOverride: [{}, { nameOverride: 'x' }],
    fullnameOverride: [{}, { fullnameOverride: 'x' }],
    underlayMtu: [{}, { underlayMtu: 1500 }],
    enabled: [{}, { enabled: false }],
  };
})();

/** What a change of values does to what is installed, as the objects tell. */
function effect(before: unknown, after: unknown): string {
  const [old, now] = [before, after].map((values) => objectsOf(JSON.stringify(values))) as [
    ReturnType<typeof objectsOf>,
    ReturnType<typeof objectsOf>,
  ];
  const only = (objects: typeof old, ...kinds: string[]): string =>
    JSON.stringify(objects.filter(({ kind }) => kinds.includes(kind)));
  const deployment = (objects: typeof old): { name: string; spec: { template: unknown; selector: unknown } } => {
    const found = objects.find(({ kind }) => kind === 'Deployment') as
      { metadata: { name: string }; spec: { template: unknown; selector: unknown } } | undefined;
    if (found === undefined) throw new Error('there is no Deployment');
    return { name: found.metadata.name, spec: found.spec };
  };
  const [was, is] = [deployment(old), deployment(now)];
  if (was.name !== is.name || JSON.stringify(was.spec.selector) !== JSON.stringify(is.spec.selector))
    return 'new objects';
  if (JSON.stringify(was.spec.template) !== JSON.stringify(is.spec.template)) return 'restarts the pod';
  const mounted = (objects: typeof old): string =>
    JSON.stringify(
      objects
        .filter(({ kind }) => ['ConfigMap', 'Secret'].includes(kind))
        .map(({ metadata, data, stringData }) => [metadata.name, data, stringData]),
    );
  const ours = (objects: typeof old): typeof old =>
    objects.filter(({ metadata }) => metadata.name.startsWith(was.name));
  if (mounted(ours(old)) !== mounted(ours(now))) return 'in place';
  return only(old, ...old.map(({ kind }) => kind)) === only(now, ...now.map(({ kind }) => kind))
    ? 'nothing'
    : 'other objects';
}

describe('the table of changes in docs/wireguard.md', () => {
  const rows = new Map(
    [
      ...(textOf.get('docs/wireguard.md') ?? '').matchAll(
        /^\| (`[^|]*) \| (in place|restarts the pod|other objects|new objects|nothing) +\|$/gm,
      ),
    ].flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => [match[1] ?? '', row[2] ?? ''] as const),
    ),
  );

  test('names every value of the schema, and none besides', () => {
    expect([...new Set([...rows.keys()].map((name) => name.split('.')[0]))].sort()).toEqual(
      Object.keys(wireguardValues.shape).sort(),
    );
    expect([...rows.keys()].sort()).toEqual(Object.keys(CHANGES).sort());
  });

  test.each(Object.entries(CHANGES))('is right about %s', (name, [before, after]) => {
    expect(effect(before, after)).toBe(rows.get(name));
  });
});

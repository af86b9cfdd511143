/**
 * The tools that the proofs use, each at one version.
 *
 * `prepare` obtains what is not there yet; run.ts calls it before jest, and `npx tsx test/tools.ts` does it alone. After that
 * a test asks for a path. A tool is a folder of its own in the cache, made under another name and renamed when complete, so
 * a half-built one is never taken.
 */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** The oldest and the newest Helm 3 that we promise, and the newest Helm 4. */
export const HELM_VERSIONS = ['3.14.4', '3.22.0', '4.3.1'] as const;
export type HelmVersion = (typeof HELM_VERSIONS)[number];

const GO_TOOLS = {
  'helm-3.14.4': 'helm.sh/helm/v3/cmd/helm@v3.14.4',
  'helm-3.22.0': 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  'helm-4.3.1': 'helm.sh/helm/v4/cmd/helm@v4.3.1',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
  'kube-score': 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
  'helm-docs': 'github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2',
} as const;
type GoTool = keyof typeof GO_TOOLS;

/** Commands and the Debian packages that have them. */
const DEBIAN_PACKAGES = {
  wg: 'wireguard-tools',
  'wireguard-go': 'wireguard-go',
  nft: 'nftables',
  shellcheck: 'shellcheck',
  busybox: 'busybox-static',
  ip: 'iproute2',
  jq: 'jq',
  dash: 'dash',
} as const;

/** Python comes with the machine: another one than the user's own would be no help. */
export type Command = keyof typeof DEBIAN_PACKAGES | 'python3';

const SCHEMAS = {
  requirement:
    'kubernetes-validate==1.37.0 --hash=sha256:85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9',
  folder: 'kubernetes-validate-1.37.0',
};

/** The Kubernetes versions whose schemas `kubernetes-validate` carries, and the one that the proofs use. */
export const KUBERNETES_VERSIONS = Array.from({ length: 13 }, (_, index) => `1.${String(25 + index)}.0`);
export const KUBERNETES_VERSION = '1.34.0';

export type ToolName = GoTool | Command | 'kubernetes-schemas';

export const TOOL_NAMES: readonly ToolName[] = [
  ...(Object.keys(GO_TOOLS) as GoTool[]),
  'kubernetes-schemas',
  ...(Object.keys(DEBIAN_PACKAGES) as Command[]),
  'python3',
];

/** `${XDG_CACHE_HOME:-~/.cache}/cdk8s-vpn`. An empty or relative XDG_CACHE_HOME counts as unset, as XDG has it. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  return path.join(path.isAbsolute(base) ? base : path.join(os.homedir(), '.cache'), 'cdk8s-vpn');
}

/** Where the reasons of the last `prepare` travel to the processes that run.ts starts. */
const REASONS = 'CDK8S_VPN_MISSING_TOOLS';

/** Why a tool is not there, or undefined if it is. */
export function missing(name: ToolName): string | undefined {
  if (place(name) !== undefined) return undefined;
  const reasons = JSON.parse(process.env[REASONS] ?? '{}') as Record<string, string>;
  return reasons[name] ?? (isCommand(name) ? 'not on PATH' : 'not built; run `npx tsx test/tools.ts`');
}

/** Paths of the tools. Each throws, with the reason, if the tool is missing. */
export const tools = {
  helm: (version: HelmVersion): string => found(`helm-${version}`),
  kubeconform: (): string => found('kubeconform'),
  kubeScore: (): string => found('kube-score'),
  helmDocs: (): string => found('helm-docs'),
  command: (name: Command): string => found(name),

  /**
   * Every Helm to prove the law with: the pinned ones that are there, or else the one on PATH.
   *
   * Which pinned ones are left out is what `missing` says of them.
   */
  helms(): { name: string; path: string }[] {
    const pinned = HELM_VERSIONS.flatMap((version) => {
      const file = place(`helm-${version}`);
      return file === undefined ? [] : [{ name: `helm ${version}`, path: file }];
    });
    const own = onPath('helm');
    return pinned.length > 0 || own === undefined ? pinned : [{ name: 'helm on PATH', path: own }];
  },

  /** The value of kubeconform's `-schema-location`, to go with `-kubernetes-version 1.34.0`, with or without `-strict`. */
  kubernetesSchemas: (): string =>
    path.join(
      found('kubernetes-schemas'),
      '{{ .NormalizedKubernetesVersion }}-local{{ .StrictSuffix }}',
      '{{ .ResourceKind }}{{ .KindSuffix }}.json',
    ),
};

function found(name: ToolName): string {
  const file = place(name);
  if (file === undefined) throw new Error(`${name} is missing: ${missing(name) ?? ''}`);
  return file;
}

function place(name: ToolName): string | undefined {
  if (isCommand(name)) return onPath(name);
  const file = cached(name);
  return fs.existsSync(file) ? file : undefined;
}

/** The file or folder of a tool in the cache, whether it is there or not. */
function cached(name: GoTool | 'kubernetes-schemas'): string {
  if (name === 'kubernetes-schemas') return path.join(cacheFolder(), 'schemas', SCHEMAS.folder);
  const binary = GO_TOOLS[name].replace(/^.*\/|@.*$/g, '');
  const version = GO_TOOLS[name].replace(/^.*@v/, '');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return path.join(cacheFolder(), 'tools', `${binary}-${version}`, binary + suffix);
}

function isCommand(name: ToolName): name is Command {
  return name === 'python3' || Object.hasOwn(DEBIAN_PACKAGES, name);
}

function onPath(command: string): string | undefined {
  // Debian keeps nft and ip where a user's PATH does not look.
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => [path.join(folder, command), path.join(folder, `${command}.exe`)])
    .find((file) => {
      try {
        fs.accessSync(file, fs.constants.X_OK);
        return fs.statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/**
 * Obtains every tool that is not there, and says so; then tells this process and its children why any is still missing.
 *
 * @returns the missing tools and why
 */
export async function prepare(say: (line: string) => void): Promise<Map<ToolName, string>> {
  const reasons = new Map<ToolName, string>();
  const attempt = async (names: readonly ToolName[], obtain: () => Promise<void>): Promise<void> => {
    try {
      await obtain();
      for (const name of names)
        if (place(name) === undefined) reasons.set(name, 'still missing after its installation');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      for (const name of names) if (place(name) === undefined) reasons.set(name, reason);
    }
  };

  const absent = TOOL_NAMES.filter((name) => place(name) === undefined);
  if (absent.length > 0) {
    await locked(path.join(cacheFolder(), 'prepare.lock'), say, async () => {
      const commands = absent.filter(isCommand);
      if (commands.length > 0) await attempt(commands, () => installPackages(commands, say));
      for (const name of absent) {
        if (isCommand(name) || place(name) !== undefined) continue;
        await attempt([name], () => (name === 'kubernetes-schemas' ? fetchSchemas(say) : buildGoTool(name, say)));
      }
    });
  }
  process.env[REASONS] = JSON.stringify(Object.fromEntries(reasons));
  return reasons;
}

async function installPackages(commands: readonly Command[], say: (line: string) => void): Promise<void> {
  const packages = commands.flatMap((command) => (command === 'python3' ? [] : [DEBIAN_PACKAGES[command]]));
  if (onPath('apt-get') === undefined || !fs.existsSync('/etc/debian_version')) {
    throw new Error('not on PATH, and this is no Debian to install it on');
  }
  if (process.getuid?.() !== 0) throw new Error('not on PATH, and only root can install it');
  if (packages.length === 0) throw new Error('not on PATH');
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', 'DPkg::Lock::Timeout=600'];
  const install = ['install', '-y', '-q', '--no-install-recommends', ...lock, ...packages];
  say(`installing ${packages.join(' ')}`);
  try {
    await run('apt-get', install, environment);
  } catch {
    await run('apt-get', ['update', '-q', ...lock], environment);
    await run('apt-get', install, environment);
  }
}

async function buildGoTool(name: GoTool, say: (line: string) => void): Promise<void> {
  if (onPath('go') === undefined) throw new Error('Go is not installed');
  const module = GO_TOOLS[name];
  say(`building ${module} (about 2 minutes)`);
  await intoPlace(path.dirname(cached(name)), (folder) =>
    run('go', ['install', '-trimpath', '-ldflags', '-s -w', module], {
      GOBIN: folder,
      CGO_ENABLED: '0',
      GOFLAGS: '',
      GOWORK: 'off',
    }),
  );
}

/** Kubernetes' JSON schemas. Their `$id`s go, and references become relative, since kubeconform would fetch them by https. */
async function fetchSchemas(say: (line: string) => void): Promise<void> {
  const python = onPath('python3');
  if (python === undefined) throw new Error('Python is not installed');
  say(`fetching ${SCHEMAS.folder} (23 MB)`);
  await intoPlace(cached('kubernetes-schemas'), async (folder) => {
    const download = path.join(folder, 'download');
    fs.mkdirSync(download);
    const requirements = path.join(download, 'requirements.txt');
    fs.writeFileSync(requirements, `${SCHEMAS.requirement}\n`);
    const pip = ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
    await run(python, [...pip, '--require-hashes', '-d', download, '-r', requirements], {});
    await run(python, ['-c', UNPACK, download, folder], {});
    fs.rmSync(download, { recursive: true });
  });
}

const UNPACK = `
import glob, os, re, sys, zipfile
download, folder = sys.argv[1:]
for wheel in glob.glob(os.path.join(download, '*.whl')):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            parts = name.split('/')
            if len(parts) == 4 and parts[1] == 'kubernetes-json-schema' and parts[3].endswith('.json'):
                os.makedirs(os.path.join(folder, parts[2]), exist_ok=True)
                schema = re.sub(rb',\\s*"[$]id": "https://kubernetes[.]io/api/[^"]*"', b'', archive.read(name))
                with open(os.path.join(folder, *parts[2:]), 'wb') as file:
                    file.write(schema.replace(b'"/api/_definitions.json#', b'"_definitions.json#'))
`;

/** Makes a folder under another name and renames it, so that who sees it sees all of it. */
async function intoPlace(folder: string, make: (temporary: string) => Promise<void>): Promise<void> {
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  const temporary = fs.mkdtempSync(path.join(path.dirname(folder), '.unfinished-'));
  try {
    await make(temporary);
    fs.chmodSync(temporary, 0o755);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(temporary, folder);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** Runs a command without showing its output, which becomes the error if it fails. */
function run(command: string, args: readonly string[], environment: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        const last = output.trim().split('\n').slice(-3).join(' / ');
        reject(
          new Error(`\`${path.basename(command)} ${args[0] ?? ''}\` ended with ${String(code ?? signal)}: ${last}`),
        );
      }
    });
  });
}

/**
 * Runs one function at a time for all processes that share the cache.
 *
 * The lock file holds its owner's process id; one whose owner is gone is taken over. In the moment of taking over two
 * may slip in, and both then build: wasteful, and harmless, because of `intoPlace`.
 */
export async function locked<T>(file: string, say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let waited = false; !take(file); waited = true) {
    if (!waited) say(`waiting for another run that prepares the tools (${file})`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  try {
    const owner = fs.readFileSync(file, 'utf8');
    // An empty file is a lock whose owner is about to write its id, or died between the two.
    const age = Date.now() - fs.statSync(file).mtimeMs;
    if (owner === '' ? age > 10_000 : !isAlive(Number(owner))) fs.rmSync(file, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What a machine must allow, beside the tools, for some tests. */
export type Ability = 'root' | 'linux' | 'netns' | 'tun';

const abilities = new Map<Ability, string | undefined>();

/** Why the machine cannot do something, or undefined if it can. */
export function unable(ability: Ability): string | undefined {
  if (!abilities.has(ability)) abilities.set(ability, probe(ability));
  return abilities.get(ability);
}

function probe(ability: Ability): string | undefined {
  switch (ability) {
    case 'linux':
      return process.platform === 'linux' ? undefined : `this is ${process.platform}`;
    case 'root':
      return process.getuid?.() === 0 ? undefined : 'not run as root';
    case 'netns':
      return failure('cannot make a network namespace', 'unshare', ['--net', 'true']);
    case 'tun': {
      const ip = onPath('ip');
      if (ip === undefined) return 'ip is not on PATH';
      const device = ['--net', ip, 'tuntap', 'add', 'dev', 'probe', 'mode', 'tun'];
      return failure('cannot make a TUN device', 'unshare', device);
    }
  }
}

function failure(meaning: string, command: string, args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `${meaning}: ${error?.message ?? stderr.trim()}`;
}

if (require.main === module) {
  void prepare((line) => {
    process.stdout.write(`${line}\n`);
  }).then((reasons) => {
    for (const name of TOOL_NAMES) process.stdout.write(`${name}: ${reasons.get(name) ?? place(name) ?? ''}\n`);
    process.exitCode = reasons.size === 0 ? 0 : 1;
  });
}

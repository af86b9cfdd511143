/**
 * The tools that the proofs use, each at one version.
 *
 * `prepare` obtains what is not there yet; run.ts calls it before jest, and `npx tsx test/tools.ts` does it alone. After that
 * a test asks for a path. A tool is a folder of its own in the cache, made under another name and renamed when complete, so
 * a half-built one is never taken.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
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
  coredns: 'github.com/coredns/coredns@v1.12.4',
  hclfmt: 'github.com/hashicorp/hcl/v2/cmd/hclfmt@v2.24.0',
} as const;
type GoTool = keyof typeof GO_TOOLS;

/** The programs of Kubernetes' `cmd/` that are built, all in one go. */
const KUBERNETES_PROGRAMS = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
] as const;
export type KubernetesProgram = (typeof KUBERNETES_PROGRAMS)[number];
export const KUBERNETES_RELEASE = '1.34.4';

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
  mawk: 'mawk',
  gawk: 'gawk',
  ping: 'iputils-ping',
  setpriv: 'util-linux',
  zbarimg: 'zbar-tools',
  debootstrap: 'debootstrap',
} as const;

/** What only the laboratory uses (test/lab/); `prepare` obtains it when asked for it by name. */
const LAB_PACKAGES = {
  mke2fs: 'e2fsprogs',
  openssl: 'openssl',
  setcap: 'libcap2-bin',
  socat: 'socat',
  ssh: 'openssh-client',
  sysctl: 'procps',
  xz: 'xz-utils',
} as const;

/** Debian packages that start a daemon where they are installed, so they are only unpacked, in the version that Debian has. */
const UNPACKED_PACKAGES = { etcd: 'etcd-server', promtool: 'prometheus' } as const;
type UnpackedCommand = keyof typeof UNPACKED_PACKAGES;

/**
 * Folders with a Debian 13: the smallest one, of which others are made, as those of the laboratory, whose scripts make all of them;
 * and one with the daemons of the VPNs, for which that of the machine may be too old.
 */
const DEBIAN_FOLDERS = {
  'debian-13-base': [],
  'debian-13': [
    ...['strongswan-charon', 'strongswan-swanctl', 'strongswan-libcharon', 'libstrongswan-standard-plugins'],
    ...['libstrongswan-extra-plugins', 'libcharon-extra-plugins'],
    ...['frr', 'frr-pythontools', 'python3-minimal'],
    ...['iproute2', 'nftables', 'iputils-ping', 'openssl', 'tini'],
  ],
} as const;
type DebianFolder = keyof typeof DEBIAN_FOLDERS;

/** Python comes with the machine: another one than the user's own would be no help. */
type InstalledCommand = keyof typeof DEBIAN_PACKAGES | keyof typeof LAB_PACKAGES | 'python3';
export type Command = InstalledCommand | UnpackedCommand;

const SCHEMAS = {
  requirement:
    'kubernetes-validate==1.37.0 --hash=sha256:85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9',
  folder: 'kubernetes-validate-1.37.0',
};

/** The Kubernetes versions whose schemas `kubernetes-validate` carries, and the one that the proofs use. */
export const KUBERNETES_VERSIONS = Array.from({ length: 13 }, (_, index) => `1.${String(25 + index)}.0`);
export const KUBERNETES_VERSION = '1.34.0';

/** The definitions of ServiceMonitor, PodMonitor and PrometheusRule, as the operator's own module has them. */
const CRDS = {
  module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
  files: ['servicemonitors', 'podmonitors', 'prometheusrules'].map((name) => `monitoring.coreos.com_${name}.yaml`),
  folder: 'prometheus-operator-0.85.0',
};

export type ToolName =
  GoTool | KubernetesProgram | Command | DebianFolder | 'kubernetes-schemas' | 'prometheus-operator-crds';

export const TOOL_NAMES: readonly ToolName[] = [
  ...(Object.keys(GO_TOOLS) as GoTool[]),
  ...KUBERNETES_PROGRAMS,
  'kubernetes-schemas',
  'prometheus-operator-crds',
  ...(Object.keys(DEBIAN_PACKAGES) as Command[]),
  ...(Object.keys(UNPACKED_PACKAGES) as UnpackedCommand[]),
  // The smallest first.
  ...(Object.keys(DEBIAN_FOLDERS) as DebianFolder[]),
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
  coredns: (): string => found('coredns'),
  hclfmt: (): string => found('hclfmt'),
  kubernetes: (program: KubernetesProgram): string => found(program),
  command: (name: Command): string => found(name),
  /** The folder of the definitions that Prometheus Operator brings, one file each. */
  prometheusOperatorCrds: (): string => found('prometheus-operator-crds'),
  /** The folder of the smallest Debian 13. Nobody may write to it, nor to the other. */
  debian13Base: (): string => found('debian-13-base'),
  /** The folder of a Debian 13 with strongSwan and FRR. */
  debian13: (): string => found('debian-13'),

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
  const own = isCommand(name) ? onPath(name) : undefined;
  const recipe = recipeOf(name);
  if (own !== undefined || recipe === undefined) return own;
  const file = path.join(cacheFolder(), recipe.folder, recipe.file);
  return fs.existsSync(file) ? file : undefined;
}

type Say = (line: string) => void;

/** Where in the cache a tool is, and how its folder is made. Tools of one folder are made together. */
interface Recipe {
  readonly folder: string;
  /** Of the folder; empty if the tool is all of it. */
  readonly file: string;
  readonly fill: (folder: string, say: Say) => Promise<void>;
}

/** Undefined for commands that are installed. */
function recipeOf(name: ToolName): Recipe | undefined {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  if (name === 'kubernetes-schemas') return { folder: `schemas/${SCHEMAS.folder}`, file: '', fill: fetchSchemas };
  if (name === 'prometheus-operator-crds') return { folder: `crds/${CRDS.folder}`, file: '', fill: fetchCrds };
  if (isKubernetesProgram(name)) {
    return { folder: `tools/kubernetes-${KUBERNETES_RELEASE}`, file: name + suffix, fill: buildKubernetes };
  }
  if (isUnpacked(name)) {
    const debian = UNPACKED_PACKAGES[name];
    return { folder: `tools/debian-${debian}`, file: `usr/bin/${name}`, fill: unpack(debian) };
  }
  if (isDebianFolder(name)) return debianFolder(name);
  if (isCommand(name)) return undefined;
  const module = GO_TOOLS[name];
  const binary = module.replace(/^.*\/|@.*$/g, '');
  return {
    folder: `tools/${binary}-${module.replace(/^.*@v/, '')}`,
    file: binary + suffix,
    fill: (folder, say) => buildGoTool(module, folder, say),
  };
}

function isKubernetesProgram(name: ToolName): name is KubernetesProgram {
  return (KUBERNETES_PROGRAMS as readonly ToolName[]).includes(name);
}

function isUnpacked(name: ToolName): name is UnpackedCommand {
  return Object.hasOwn(UNPACKED_PACKAGES, name);
}

function isDebianFolder(name: ToolName): name is DebianFolder {
  return Object.hasOwn(DEBIAN_FOLDERS, name);
}

function isCommand(name: ToolName): name is Command {
  return (
    name === 'python3' || isUnpacked(name) || Object.hasOwn(DEBIAN_PACKAGES, name) || Object.hasOwn(LAB_PACKAGES, name)
  );
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
 * Obtains every one of the tools that is not there, and says so; then tells this process and its children why any is still missing.
 *
 * @returns the missing tools and why
 */
export async function prepare(say: Say, names: readonly ToolName[] = TOOL_NAMES): Promise<Map<ToolName, string>> {
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

  const absent = names.filter((name) => place(name) === undefined);
  if (absent.length > 0) {
    await locked(path.join(cacheFolder(), 'prepare.lock'), say, async () => {
      const installed = absent.filter((name) => recipeOf(name) === undefined) as InstalledCommand[];
      if (installed.length > 0) await attempt(installed, () => installPackages(installed, say));
      for (const name of absent) {
        const recipe = recipeOf(name);
        if (recipe === undefined || place(name) !== undefined || reasons.has(name)) continue;
        const together = absent.filter((other) => recipeOf(other)?.folder === recipe.folder);
        const folder = path.join(cacheFolder(), recipe.folder);
        await attempt(together, () => intoPlace(folder, (temporary) => recipe.fill(temporary, say)));
      }
    });
  }
  process.env[REASONS] = JSON.stringify(Object.fromEntries(reasons));
  return reasons;
}

async function installPackages(commands: readonly InstalledCommand[], say: Say): Promise<void> {
  const packages = commands.flatMap((command) =>
    command === 'python3' ? [] : [{ ...DEBIAN_PACKAGES, ...LAB_PACKAGES }[command]],
  );
  if (onPath('apt-get') === undefined || !fs.existsSync('/etc/debian_version')) {
    throw new Error('not on PATH, and this is no Debian to install it on');
  }
  if (process.getuid?.() !== 0) throw new Error('not on PATH, and only root can install it');
  if (packages.length === 0) throw new Error('not on PATH');
  say(`installing ${packages.join(' ')}`);
  await withPackageLists((apt) => apt(['install', '-y', '-q', '--no-install-recommends', ...packages]));
}

/** A package's files without its scripts, for which nobody needs to be root. */
function unpack(debian: string): Recipe['fill'] {
  return async (folder, say) => {
    if (onPath('apt-get') === undefined || onPath('dpkg-deb') === undefined) {
      throw new Error('not on PATH, and this is no Debian to take it from');
    }
    say(`unpacking ${debian}`);
    await withPackageLists((apt) => apt(['download', '-q', debian], folder));
    for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', path.join(folder, file), folder]);
      fs.rmSync(path.join(folder, file));
    }
  };
}

/** Its name changes with all that it is made of. */
function debianFolder(name: DebianFolder): Recipe {
  const packages = DEBIAN_FOLDERS[name];
  const base = packages.length === 0 ? undefined : debianFolder('debian-13-base').folder;
  const script = path.join(__dirname, 'lab/build', base === undefined ? 'base.sh' : 'packages.sh');
  const checksum = createHash('sha256').update([base, ...packages, fs.readFileSync(script, 'utf8')].join('\0'));
  return {
    folder: `debian/${name}-${checksum.digest('hex').slice(0, 16)}`,
    file: '',
    fill: async (folder, say) => {
      if (process.getuid?.() !== 0) throw new Error('only root can make it');
      const from = base === undefined ? await archiveOfDebian() : found('debian-13-base');
      say(`making ${name} (about 1 minute)`);
      // Neither processes nor mounts outlive us.
      const alone = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
      await run('setpriv', [...alone, 'sh', script, folder, from, ...packages]);
    },
  };
}

/** Where the machine has its packages from, since Debian 13 is there too. */
async function archiveOfDebian(): Promise<string> {
  if (onPath('apt-get') === undefined) throw new Error('this is no Debian, whose archive has it');
  const ofDebian = ['Created-By: Packages', 'Origin: Debian', 'Label: Debian'];
  const archives = (await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', ...ofDebian])).split('\n');
  const archive = archives.find((address) => /^https?:/.test(address))?.replace(/\/$/, '');
  if (archive === undefined) throw new Error('apt-get knows no archive of Debian to take it from');
  return archive;
}

/** Asks apt-get, and once more with fresh lists of packages if it fails. */
async function withPackageLists(
  ask: (apt: (args: string[], folder?: string) => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const apt = ([command = '', ...args]: string[], folder?: string): Promise<string> =>
    run('apt-get', [command, '-o', 'DPkg::Lock::Timeout=600', ...args], { DEBIAN_FRONTEND: 'noninteractive' }, folder);
  try {
    await ask(apt);
  } catch {
    await apt(['update', '-q']);
    await ask(apt);
  }
}

async function buildGoTool(module: string, folder: string, say: Say): Promise<void> {
  say(`building ${module} (about 2 minutes)`);
  await go(['install', '-trimpath', '-ldflags', '-s -w', module], { GOBIN: folder });
}

/**
 * `go install` refuses Kubernetes, whose go.mod replaces modules by folders of its repository; each is also a module of its
 * own, with the same version but for the first number. So the build is a module with that go.mod, and those in their place.
 */
async function buildKubernetes(folder: string, say: Say): Promise<void> {
  say(`building ${KUBERNETES_PROGRAMS.join(', ')} ${KUBERNETES_RELEASE} (about 5 minutes)`);
  const kubernetes = await moduleFolder(`k8s.io/kubernetes@v${KUBERNETES_RELEASE}`);
  const build = path.join(folder, 'build');
  fs.mkdirSync(build);
  const requirements = fs
    .readFileSync(path.join(kubernetes, 'go.mod'), 'utf8')
    .replace(/^module .*$/m, 'module build')
    .replace(/=> \.\/staging\/src\/(.*)$/gm, `=> $1 v${KUBERNETES_RELEASE.replace(/^1/, '0')}`);
  fs.writeFileSync(path.join(build, 'go.mod'), `${requirements}\nrequire k8s.io/kubernetes v${KUBERNETES_RELEASE}\n`);
  fs.writeFileSync(path.join(build, 'go.sum'), fs.readFileSync(path.join(kubernetes, 'go.sum')));
  const [major = '', minor = ''] = KUBERNETES_RELEASE.split('.');
  const flags = Object.entries({ gitVersion: `v${KUBERNETES_RELEASE}`, gitMajor: major, gitMinor: minor })
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
  const programs = KUBERNETES_PROGRAMS.map((program) => `k8s.io/kubernetes/cmd/${program}`);
  await go(['build', '-C', build, '-mod=mod', '-trimpath', '-ldflags', `-s -w ${flags}`, '-o', folder, ...programs]);
  fs.rmSync(build, { recursive: true });
}

async function fetchCrds(folder: string, say: Say): Promise<void> {
  say(`fetching ${CRDS.folder}`);
  const from = path.join(await moduleFolder(CRDS.module), 'example/prometheus-operator-crd');
  for (const file of CRDS.files) fs.writeFileSync(path.join(folder, file), fs.readFileSync(path.join(from, file)));
}

/** Downloads a Go module and says where it is. */
async function moduleFolder(module: string): Promise<string> {
  const { Dir } = JSON.parse(await go(['mod', 'download', '-json', module])) as { Dir: string };
  return Dir;
}

async function go(args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  if (onPath('go') === undefined) throw new Error('Go is not installed');
  // Outside of any module, as which `go mod` would take the folder of whoever calls.
  return run('go', args, { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', ...environment }, os.tmpdir());
}

/** Kubernetes' JSON schemas. Their `$id`s go, and references become relative, since kubeconform would fetch them by https. */
async function fetchSchemas(folder: string, say: Say): Promise<void> {
  const python = onPath('python3');
  if (python === undefined) throw new Error('Python is not installed');
  say(`fetching ${SCHEMAS.folder} (23 MB)`);
  const download = path.join(folder, 'download');
  fs.mkdirSync(download);
  const requirements = path.join(download, 'requirements.txt');
  fs.writeFileSync(requirements, `${SCHEMAS.requirement}\n`);
  const pip = ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
  await run(python, [...pip, '--require-hashes', '-d', download, '-r', requirements]);
  await run(python, ['-c', UNPACK, download, folder]);
  fs.rmSync(download, { recursive: true });
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

/**
 * Runs a command without showing its output, which becomes the error if it fails.
 *
 * @returns what it wrote to its standard output
 */
/** What runs, for those who have to end it. */
export const building = new Set<ChildProcess>();

function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  folder?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    building.add(child);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      building.delete(child);
      if (code === 0) resolve(output);
      else {
        const last = (output + errors).trim().split('\n').slice(-3).join(' / ');
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
export async function locked<T>(file: string, say: Say, work: () => Promise<T>): Promise<T> {
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

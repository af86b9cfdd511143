/**
 * The parts that are built once and kept: a part is a folder whose name ends with a checksum of all that it is made of, so a
 * change of a script or a program makes another one.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeImage } from './image';
import { Interrupted, LabError, run, runIsolated } from './processes';
import { step } from './progress';
import { labFolder, NODE_PACKAGES, PAUSE_IMAGE, root, TOOLS_IMAGE } from './settings';
import { tools } from '../tools';

/** How a part is made. */
interface Recipe {
  readonly name: string;
  /** What it is made of: texts, and the paths of files, whose content counts, or of other parts, whose name does. */
  readonly texts?: readonly string[];
  readonly files?: readonly string[];
  readonly fill: (folder: string, log: string) => Promise<unknown>;
}

/** What virtual machines are made of. */
export interface MachineParts {
  /** A Debian with QEMU. That of Debian 12 (7.2) crashes programs and kernels of Debian 13. */
  readonly emulator: string;
  /** What they start from: `vmlinuz`, `initrd`, `disk.img`; and `packages.txt`, the Debian packages of a node. */
  readonly disk: string;
}

/** Builds what is not there yet. */
export async function buildMachine(): Promise<MachineParts> {
  const node = await withPackages('node', NODE_PACKAGES);
  const emulator = await withPackages('emulator', ['qemu-system-x86']);
  const wireguardTools = await withPackages('wireguard-tools', WIREGUARD_PACKAGES);
  const musl = await muslPart();

  const chartImage = await imagesOf('wireguard', 'team.yaml');
  const ipsecImage = await imagesOf('ipsec', 'aws.yaml');
  const images = [
    await image(
      'image-wireguard',
      chartImage('linuxserver/wireguard'),
      { Entrypoint: ['/init'] },
      [wireguardTools, musl, ...WIREGUARD_COMMANDS],
      [script('only')],
      async (folder, log) => {
        await run('cp', ['-a', `${wireguardTools}/.`, folder]);
        await run('cp', ['-a', `${musl}/usr`, folder]);
        await runIsolated('sh', [script('only'), folder, ...WIREGUARD_COMMANDS], { log });
      },
    ),
    await image(
      'image-busybox',
      chartImage('library/busybox'),
      { Cmd: ['sh'] },
      [musl],
      [script('busybox')],
      (folder, log) => run('sh', [script('busybox'), folder, musl], { log }),
    ),
    await image(
      'image-coredns',
      chartImage('coredns/coredns'),
      { Entrypoint: ['/coredns'], User: '65532:65532' },
      [COREDNS_CAPABILITY],
      [script('single'), tools.coredns()],
      (folder, log) => run('sh', [script('single'), folder, tools.coredns(), 'coredns', COREDNS_CAPABILITY], { log }),
    ),
    await strongswanImage(ipsecImage('strongx509/strongswan')),
    await frrImage(ipsecImage('frrouting/frr')),
    await image(
      'image-pause',
      PAUSE_IMAGE,
      { Entrypoint: ['/catatonit', '-P'], User: '65535:65535' },
      [wireguardTools],
      [script('single')],
      (folder, log) =>
        run('sh', [script('single'), folder, `${wireguardTools}/usr/bin/catatonit`, 'catatonit'], { log }),
    ),
    await image('image-tools', TOOLS_IMAGE, { Cmd: ['/bin/sh'] }, [node, COPY_NODE], [], (folder) =>
      run('sh', ['-c', COPY_NODE, 'sh', node, folder]),
    ),
  ];

  const guest = path.join(__dirname, 'guest');
  const programs = [tools.kubernetes('kubelet'), tools.kubernetes('kube-proxy')];
  const disk = await part({
    name: 'disk',
    texts: [node, ...images].map((folder) => path.basename(folder)),
    files: [
      script('disk'),
      ...['containerd.toml', 'initrd-init', 'inittab', 'resolvconf', 'sshd_config'].map((name) =>
        path.join(guest, name),
      ),
      ...programs,
    ],
    fill: (folder, log) =>
      runIsolated(
        'sh',
        [script('disk'), folder, node, guest, ...programs, ...images.map((image) => path.join(image, 'image.tar'))],
        { log },
      ),
  });
  return { emulator, disk };
}

/** The references of a chart's images, with an example's values, by what they have in them. */
async function imagesOf(chart: string, example: string): Promise<(repository: string) => string> {
  const listed = await cli('images', chart, '-f', path.join(root, 'values/examples', chart, example));
  return (repository) => {
    const found = listed.split('\n').find((name) => name.includes(`/${repository}:`));
    if (found === undefined) throw new LabError(`the chart ${chart} has no image ${repository}`);
    return found;
  };
}

/** A Debian 13 with more packages. */
function withPackages(name: string, packages: readonly string[]): Promise<string> {
  const base = tools.debian13Base();
  return part({
    name,
    texts: [path.basename(base), ...packages],
    files: [script('packages')],
    fill: (folder, log) => runIsolated('sh', [script('packages'), folder, base, ...packages], { log }),
  });
}

function muslPart(): Promise<string> {
  const base = tools.debian13Base();
  return part({
    name: 'musl',
    texts: [path.basename(base)],
    files: [script('musl'), script('compiling'), path.join(__dirname, 'build/glibc-names.c')],
    fill: (folder, log) => runIsolated('sh', [script('musl'), folder, base], { log }),
  });
}

function muslPythonPart(): Promise<string> {
  const base = tools.debian13Base();
  return part({
    name: 'musl-python',
    texts: [path.basename(base)],
    files: [script('musl-python'), script('compiling')],
    fill: (folder, log) => runIsolated('sh', [script('musl-python'), folder, base], { log }),
  });
}

/**
 * What docker.io/strongx509/strongswan has (facts: its Dockerfile): strongSwan on an Ubuntu, whose commands are those of a Debian,
 * with few plugins.
 */
export async function strongswanImage(reference: string): Promise<string> {
  const packages = await withPackages('strongswan', STRONGSWAN_PACKAGES);
  return image(
    'image-strongswan',
    reference,
    { Cmd: ['/bin/bash'] },
    [packages, ...STRONGSWAN_PLUGINS],
    [script('strongswan')],
    async (folder) => {
      await run('cp', ['-a', `${packages}/.`, folder]);
      await run('sh', [script('strongswan'), folder, ...STRONGSWAN_PLUGINS]);
    },
  );
}

/** What quay.io/frrouting/frr has (facts: its Dockerfile): FRR and Python on an Alpine. */
export async function frrImage(reference: string): Promise<string> {
  const packages = await withPackages('frr', FRR_PACKAGES);
  const musl = await muslPart();
  const python = await muslPythonPart();
  return image(
    'image-frr',
    reference,
    { Entrypoint: ['/sbin/tini', '--'], Cmd: ['/usr/lib/frr/docker-start'] },
    [packages, musl, python, ...FRR_COMMANDS],
    [script('frr'), script('only')],
    async (folder, log) => {
      await run('cp', ['-a', `${packages}/.`, folder]);
      for (const each of [musl, python]) await run('cp', ['-a', `${each}/usr`, folder]);
      await runIsolated('sh', [script('frr'), folder, ...FRR_COMMANDS], { log });
    },
  );
}

const COREDNS_CAPABILITY = 'cap_net_bind_service=+ep';
const COPY_NODE = 'cp -a "$1/." "$2" && rm -rf "$2/boot" "$2/usr/lib/modules" "$2/var/lib/containerd"';

/** What the image of linuxserver has (facts: its Dockerfile and package_versions.txt), less what our charts do not use. */
const WIREGUARD_PACKAGES = [
  ...['bash', 'catatonit', 'curl', 'iproute2', 'iptables', 'jq', 'kmod', 'libcap2-bin'],
  ...['netcat-openbsd', 'net-tools', 'nftables', 'procps', 'qrencode', 'wireguard-tools'],
];
const WIREGUARD_COMMANDS = [
  ...['bash', 'busybox', 'catatonit', 'curl', 'jq', 'qrencode', 'wg', 'wg-quick'],
  ...[
    'ip',
    'bridge',
    'ss',
    'tc',
    'nft',
    'iptables',
    'iptables-nft*',
    'iptables-restore',
    'iptables-save',
    'ip6tables',
    'ip6tables-nft*',
    'ip6tables-restore',
    'ip6tables-save',
    'xtables-nft-multi',
  ],
  ...['kmod', 'lsmod', 'modprobe', 'insmod', 'rmmod', 'depmod', 'modinfo', 'capsh', 'getcap', 'setcap'],
  ...[
    'nc.openbsd',
    'arp',
    'ifconfig',
    'netstat',
    'route',
    'free',
    'pgrep',
    'pkill',
    'ps',
    'sysctl',
    'top',
    'uptime',
    'watch',
  ],
];

const STRONGSWAN_PACKAGES = [
  ...['strongswan-charon', 'strongswan-swanctl', 'strongswan-libcharon', 'libstrongswan-standard-plugins'],
  ...['libstrongswan-extra-plugins', 'libcharon-extra-plugins', 'iproute2', 'iputils-ping', 'procps'],
];
/** Those that it is built with, less eap-dynamic and the one with ML-KEM, which Debian has not. */
const STRONGSWAN_PLUGINS = [
  ...['constraints', 'counters', 'drbg', 'eap-identity', 'eap-md5', 'eap-tls', 'kernel-netlink', 'nonce', 'openssl'],
  ...['pem', 'pkcs1', 'pkcs12', 'pkcs8', 'pubkey', 'random', 'socket-default', 'updown', 'vici', 'x509'],
];

const FRR_PACKAGES = ['bash', 'frr', 'frr-pythontools', 'iproute2', 'tini'];
const FRR_COMMANDS = ['bash', 'bridge', 'busybox', 'ip', 'python3*', 'ss', 'tc', 'tini', 'vtysh'];

const script = (name: string): string => path.join(__dirname, 'build', `${name}.sh`);

/** Runs our own command line, from its sources. */
export function cli(...args: string[]): Promise<string> {
  return run(process.execPath, ['--import', 'tsx', path.join(root, 'lib/cli/main.ts'), ...args], { folder: root });
}

/** An image as the part `image.tar`. */
function image(
  name: string,
  reference: string,
  config: Readonly<Record<string, unknown>>,
  /** Other parts, and texts. */
  inputs: readonly string[],
  files: readonly string[],
  fill: (folder: string, log: string) => Promise<unknown>,
): Promise<string> {
  return part({
    name,
    texts: [reference, JSON.stringify(config), ...inputs.map((input) => path.basename(input))],
    files: [...files, path.join(__dirname, 'image.ts')],
    fill: async (folder, log) => {
      const content = path.join(folder, 'content');
      fs.mkdirSync(content);
      await fill(content, log);
      await writeImage(content, path.join(folder, 'image.tar'), reference, config);
      fs.rmSync(content, { recursive: true });
    },
  });
}

/** Builds a part unless it is there. It is made under another name and renamed, so a half-built one is never taken. */
async function part({ name, texts = [], files = [], fill }: Recipe): Promise<string> {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text}\0`);
  for (const file of files) hash.update(checksum(file));
  const folder = path.join(labFolder(), 'parts', `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (fs.existsSync(folder)) return folder;

  const parts = path.dirname(folder);
  fs.mkdirSync(parts, { recursive: true });
  const logs = path.join(labFolder(), 'logs');
  fs.mkdirSync(logs, { recursive: true });
  const log = path.join(logs, `build-${name}.log`);
  fs.rmSync(log, { force: true });
  const temporary = path.join(parts, `.unfinished-${name}`);
  fs.rmSync(temporary, { recursive: true, force: true });
  fs.mkdirSync(temporary);
  try {
    await step(`build ${name}`, () => fill(temporary, log));
    fs.renameSync(temporary, folder);
  } catch (error) {
    const { bavail, bsize } = fs.statfsSync(parts);
    const freeMib = Math.floor((bavail * bsize) / 2 ** 20);
    if (freeMib >= 200 || error instanceof Interrupted) throw error;
    throw new LabError(
      `the disk is full: building ${name} has left ${freeMib} MiB in ${parts}; make room, and start again`,
    );
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
  for (const other of fs.readdirSync(parts)) {
    const older = other.startsWith(`${name}-`) && /^-[0-9a-f]{16}$/.test(other.slice(name.length));
    if (older && path.join(parts, other) !== folder)
      fs.rmSync(path.join(parts, other), { recursive: true, force: true });
  }
  return folder;
}

/** Of a file; a large one is known by its path, size and time. */
function checksum(file: string): string {
  const { size, mtimeMs } = fs.statSync(file);
  if (size > 1 << 20) return `${file} ${size} ${mtimeMs}`;
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

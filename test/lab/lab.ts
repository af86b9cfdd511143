/**
 * A Kubernetes cluster of virtual machines on this machine, and what lies outside of it.
 *
 * All of it lives in namespaces for processes, mounts and the network, whose first process is keeper.sh: when that ends,
 * nothing is left. They have no link to the machine's network; only the API server is led to a port of 127.0.0.1.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareMachine } from './fitness';
import {
  kubeconfig,
  kubeletConfiguration,
  kubeProxyConfiguration,
  networkConfiguration,
  nodeSettings,
} from './node-files';
import { buildMachine, type MachineParts } from './parts';
import { LabError, resume, run, until, type RunOptions } from './processes';
import { step } from './progress';
import { CLUSTER, labFolder, MEMORY_MIB, node, outside, OUTSIDE, runFolder, type Machine } from './settings';
import { alone, isAlive, processOf, readState, writeState, type State } from './state';
import { HELM_VERSIONS, tools } from '../tools';

/** Of how many runs the logs are kept. */
const KEPT_LOGS = 5;

export interface UpOptions {
  readonly nodes?: number;
  /** Whether it stays when this process ends. */
  readonly stays: boolean;
}

export class Lab {
  private constructor(private readonly state: State) {}

  /** The one that is up. */
  static running(): Lab | undefined {
    const state = readState();
    return state !== undefined && isAlive(state) ? new Lab(state) : undefined;
  }

  /** Starts a cluster and waits until it is of use. If it does not become so, nothing is left but its logs. */
  static async up({ nodes = 2, stays }: UpOptions): Promise<Lab> {
    return alone('lab', () => Lab.begin(nodes, stays));
  }

  private static async begin(nodes: number, stays: boolean): Promise<Lab> {
    if (Lab.running() !== undefined) throw new LabError('a laboratory is up already: `npm run lab down` ends it');
    await prepareMachine(nodes);
    await Lab.sweep();
    const parts = await buildMachine();
    const lab = await step('namespaces and networks', () => Lab.keep(parts, nodes, stays));
    try {
      await lab.start();
    } catch (error) {
      resume();
      try {
        const logs = await lab.keepLogs();
        if (error instanceof LabError) error.message += `\n  logs: ${logs}`;
      } finally {
        await lab.down();
      }
      throw error;
    }
    return lab;
  }

  /** Ends what is up, and removes what is left of what is not: tells whether there was something. */
  static down(): Promise<boolean> {
    return alone('lab', async () => {
      const lab = Lab.running();
      await (lab === undefined ? Lab.sweep() : lab.down());
      return lab !== undefined;
    });
  }

  /** Ends all of it. */
  async down(): Promise<void> {
    resume();
    if (isAlive(this.state)) process.kill(this.state.pid, 'SIGKILL');
    await until('end of the laboratory', 20, () => Promise.resolve(isAlive(this.state) ? undefined : true), 0.05);
    await Lab.sweep();
  }

  /** Removes what a run left that was ended without mercy: files only, since the kernel has ended the rest. */
  private static async sweep(): Promise<void> {
    const parts = path.join(labFolder(), 'parts');
    const unfinished = fs.existsSync(parts)
      ? fs.readdirSync(parts).filter((name) => name.startsWith('.unfinished-'))
      : [];
    for (const folder of [runFolder(), ...unfinished.map((name) => path.join(parts, name))]) {
      await fs.promises.rm(folder, { recursive: true, force: true });
    }
  }

  readonly folder = runFolder();
  readonly outside = outside;

  /** The nodes. */
  get machines(): [Machine, ...Machine[]] {
    return [node(1), ...Array.from({ length: this.state.nodes - 1 }, (_, index) => node(index + 2))];
  }

  get since(): string {
    return this.state.since;
  }

  get parts(): MachineParts {
    return this.state.parts;
  }

  /** For programs of this machine. */
  get kubeconfig(): string {
    return path.join(this.folder, 'kubeconfig');
  }

  kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return run(tools.kubernetes('kubectl'), args, this.asAdministrator(options));
  }

  helm(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return run(tools.helm(HELM_VERSIONS[2]), args, this.asAdministrator(options));
  }

  /** Applies objects. */
  async apply(...objects: readonly unknown[]): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    });
  }

  /** Runs a shell script on a machine. */
  on(machine: Machine, script: string, options: RunOptions = {}): Promise<string> {
    const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
    const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${this.folder}/ssh-%h`, '-o', 'ControlPersist=600'];
    const identity = ['-F', 'none', '-i', path.join(this.folder, 'id')];
    const alone = ['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'];
    const connection = [...identity, ...alone, '-o', 'ConnectTimeout=5', ...known, ...shared];
    const ssh = ['ssh', ...connection, `root@${machine.address}`, script];
    return run('nsenter', [...this.entrance(), ...ssh], { title: `ssh ${machine.name}`, ...options });
  }

  /** Runs a program in the namespaces of the laboratory: on the router between the nodes and what lies outside. */
  inside(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return run('nsenter', [...this.entrance(), command, ...args], { title: command, ...options });
  }

  /** Lets a machine stand still, as if its cable had been pulled and its power with it. */
  async freeze(machine: Machine): Promise<void> {
    await this.monitor(machine, 'stop');
  }

  /** Lets it go on, with the time as it is now. */
  async thaw(machine: Machine): Promise<void> {
    await this.monitor(machine, 'cont');
    await until(`the machine ${machine.name}`, 60, () =>
      this.on(machine, `date -s @${Date.now() / 1000}`, { seconds: 10 }),
    );
  }

  /** Pulls its cable: it goes on, and nobody hears of it. */
  async unplug(machine: Machine): Promise<void> {
    await this.inside('ip', ['link', 'set', `tap-${machine.name}`, 'down']);
  }

  async plug(machine: Machine): Promise<void> {
    await this.inside('ip', ['link', 'set', `tap-${machine.name}`, 'up']);
  }

  /** Lets it lose its power for a moment, and waits until it is a node again. Its disk has no journal and is to be whole. */
  async restart(machine: Machine): Promise<void> {
    await this.on(machine, 'sync');
    await this.monitor(machine, 'system_reset');
    await until(`the machine ${machine.name}, started anew`, 120, () =>
      this.on(machine, '[ "$(cut -d . -f 1 /proc/uptime)" -lt 120 ]', { seconds: 10 }),
    );
    await this.kubectl(['wait', '--for=condition=Ready', `node/${machine.name}`, '--timeout=120s']);
  }

  /** Lets the API server stand still while something is done. */
  async withoutApi(work: () => Promise<unknown>): Promise<void> {
    const signal = (name: string): Promise<string> =>
      this.inside('sh', ['-c', 'kill "-$1" "$(cat "$2")"', 'sh', name, path.join(this.folder, 'kube-apiserver.pid')]);
    await signal('STOP');
    try {
      await work();
    } finally {
      await signal('CONT');
    }
    await until('the API server', 90, () => this.kubectl(['get', '--raw', '/readyz'], { seconds: 10 }));
  }

  /** Says something to the emulator of a machine. */
  private async monitor(machine: Machine, command: 'stop' | 'cont' | 'system_reset'): Promise<void> {
    const socket = connect(path.join(this.folder, `monitor-${machine.name}`));
    await once(socket, 'connect');
    socket.write(`${command}\n`);
    await sleep(300);
    socket.destroy();
  }

  /** Copies what the machines and the control plane logged to where it stays. */
  async keepLogs(): Promise<string> {
    const kept = path.join(labFolder(), 'logs', `run-${new Date().toISOString().replace(/[:.]/g, '-')}`);
    await Promise.all(
      this.machines.map((machine) =>
        this.on(machine, 'tail -n 2000 /var/log/*.log; dmesg | tail -n 200', { seconds: 20 }).then(
          (text) => fs.writeFileSync(path.join(this.folder, 'logs', `${machine.name}.log`), text),
          () => undefined,
        ),
      ),
    );
    await fs.promises.cp(path.join(this.folder, 'logs'), kept, { recursive: true });
    const older = fs.readdirSync(path.dirname(kept)).filter((name) => name.startsWith('run-'));
    for (const name of older.sort().slice(0, -KEPT_LOGS))
      await fs.promises.rm(path.join(path.dirname(kept), name), { recursive: true });
    return kept;
  }

  private asAdministrator(options: RunOptions): RunOptions {
    // Programs keep what they learn of a server in the home folder.
    const home = { HOME: path.join(this.folder, 'home'), KUBECONFIG: this.kubeconfig };
    return { ...options, environment: { ...home, ...options.environment } };
  }

  private entrance(): string[] {
    const namespaces = `/proc/${this.state.pid}/ns`;
    const into = [`--net=${namespaces}/net`, `--mount=${namespaces}/mnt`, `--pid=${namespaces}/pid_for_children`];
    // nsenter has a child in the other namespace for processes, which must not outlive it.
    return [...into, '--', 'setpriv', '--pdeathsig', 'KILL', '--'];
  }

  private static async keep(parts: MachineParts, nodes: number, stays: boolean): Promise<Lab> {
    const folder = runFolder();
    for (const name of ['logs', 'home', 'memory', 'certificates', 'machines']) {
      fs.mkdirSync(path.join(folder, name), { recursive: true });
    }
    fs.chmodSync(folder, 0o700);
    fs.writeFileSync(
      path.join(folder, 'networks.env'),
      shellVariables({
        GATEWAY: CLUSTER.gateway,
        GATEWAY6: CLUSTER.gateway6,
        OUTSIDE_GATEWAY: OUTSIDE.gateway,
        OUTSIDE_GATEWAY6: OUTSIDE.gateway6,
        OUTSIDE_ADDRESS: outside.address,
        OUTSIDE_ADDRESS6: outside.address6,
        WORLD: OUTSIDE.world,
        WORLD6: OUTSIDE.world6,
        LOAD_BALANCERS: OUTSIDE.loadBalancers,
        LOAD_BALANCERS6: OUTSIDE.loadBalancers6,
      }),
    );
    const port = await freePort();
    const log = fs.openSync(path.join(folder, 'logs/keeper.log'), 'w');
    const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const keeper = ['unshare', ...namespaces, 'sh', path.join(__dirname, 'keeper.sh'), folder];
    const [command = '', ...args] = stays ? keeper : ['setpriv', '--pdeathsig', 'KILL', '--', ...keeper];
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
    fs.closeSync(log);
    await once(child, 'spawn');
    child.unref();
    const { pid = 0 } = child;
    const state = {
      ...processOf(pid),
      port,
      nodes,
      since: new Date().toISOString(),
      parts,
    };
    writeState(state);
    try {
      await until(
        'namespaces and networks',
        20,
        () => Promise.resolve(fs.existsSync(path.join(folder, 'ready')) || !isAlive(state) ? true : undefined),
        0.05,
      );
      if (!isAlive(state)) throw new LabError(fs.readFileSync(path.join(folder, 'logs/keeper.log'), 'utf8'));
    } catch (error) {
      await new Lab(state).down();
      throw error;
    }
    return new Lab(state);
  }

  private async start(): Promise<void> {
    await step('certificates', () => this.certify());
    await step('machines started', async () => {
      for (const machine of [...this.machines, outside]) await this.startMachine(machine);
    });
    await step('control plane ready', () => this.startControlPlane());
    await step(`${this.state.nodes} nodes Ready`, () => this.nodesReady());
    await step('machine outside ready', () =>
      until('the machine outside', 120, async () => ((await this.on(outside, 'true')) === '' ? true : undefined)),
    );
  }

  private async certify(): Promise<void> {
    const folder = path.join(this.folder, 'certificates');
    const service = [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ];
    const addresses = [CLUSTER.kubernetes, CLUSTER.gateway, '127.0.0.1'];
    const names = [...service.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(',');
    await run('sh', [
      ...[path.join(__dirname, 'certificates.sh'), folder, names],
      ...this.machines.map(({ name, address, address6 }) => `${name}=DNS:${name},IP:${address},IP:${address6}`),
    ]);
    const inside = `https://${CLUSTER.gateway}:${CLUSTER.apiPort}`;
    const users = ['kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'coredns'];
    for (const user of [...users, ...this.machines.map(({ name }) => name)]) {
      fs.writeFileSync(path.join(folder, `${user}.kubeconfig`), kubeconfig(folder, user, inside), { mode: 0o600 });
    }
    fs.writeFileSync(this.kubeconfig, kubeconfig(folder, 'admin', `https://127.0.0.1:${this.state.port}`), {
      mode: 0o600,
    });
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(this.folder, 'id')]);
  }

  private async startMachine(machine: Machine): Promise<void> {
    const files = path.join(this.folder, 'machines', machine.name);
    const certificates = path.join(this.folder, 'certificates');
    fs.mkdirSync(files);
    const copy = (from: string, to: string): void => fs.copyFileSync(from, path.join(files, to));
    for (const script of ['rc.sh', 'service.sh', 'node.sh', 'outside.sh']) {
      copy(path.join(__dirname, 'guest', script), script);
      fs.chmodSync(path.join(files, script), 0o755);
    }
    copy(path.join(this.folder, 'id.pub'), 'authorized_keys');
    const settings = machine.role === 'node' ? nodeSettings(machine, this.machines) : OUTSIDE_SETTINGS;
    const { name: NAME, role: ROLE, address: ADDRESS, address6: ADDRESS6 } = machine;
    const own = { NAME, ROLE, ADDRESS, ADDRESS6, MACHINE_ID: randomBytes(16).toString('hex') };
    fs.writeFileSync(path.join(files, 'machine.env'), shellVariables({ ...own, ...settings }));
    if (machine.role === 'node') {
      for (const [from, to] of [
        ['ca.crt', 'ca.crt'],
        [`${machine.name}.crt`, 'kubelet.crt'],
        [`${machine.name}.key`, 'kubelet.key'],
        [`${machine.name}.kubeconfig`, 'kubelet.kubeconfig'],
        ['kube-proxy.kubeconfig', 'kube-proxy.kubeconfig'],
      ] as const) {
        copy(path.join(certificates, from), to);
      }
      fs.writeFileSync(path.join(files, 'kubelet.json'), JSON.stringify(kubeletConfiguration()));
      fs.writeFileSync(path.join(files, 'kube-proxy.json'), JSON.stringify(kubeProxyConfiguration()));
      fs.writeFileSync(path.join(files, '10-bridge.conflist'), JSON.stringify(networkConfiguration(machine)));
    }
    const archive = `${files}.tar`;
    // A disk has whole sectors.
    await run('tar', ['--create', '--file', archive, '--blocking-factor=1', '--directory', files, '.']);

    const tap = `tap-${machine.name}`;
    const bridge = machine.role === 'node' ? 'nodes' : 'outside';
    await this.inside('sh', [
      ...['-ec', 'ip tuntap add "$1" mode tap; ip link set "$1" master "$2" up', 'sh', tap, bridge],
    ]);
    const { disk, emulator } = this.state.parts;
    await this.background(`qemu-${machine.name}`, `${emulator}/lib64/ld-linux-x86-64.so.2`, [
      // A program of another Debian, with its own libraries.
      ...['--library-path', `${emulator}/usr/lib/x86_64-linux-gnu`, `${emulator}/usr/bin/qemu-system-x86_64`],
      ...['-L', `${emulator}/usr/share/qemu`, '-L', `${emulator}/usr/share/seabios`],
      ...[
        '-name',
        machine.name,
        '-accel',
        'tcg,thread=multi,tb-size=512',
        '-cpu',
        'Nehalem-v1,+rdrand,+rdseed,+aes,+pclmulqdq',
      ],
      ...['-smp', '1', '-m', String(MEMORY_MIB[machine.role]), '-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-kernel', `${disk}/vmlinuz`, '-initrd', `${disk}/initrd`, '-append', KERNEL_ARGUMENTS],
      // What a machine writes goes to a file that the emulator has already removed.
      ...['-drive', `file=${disk}/disk.img,format=raw,if=none,id=disk,snapshot=on,cache=unsafe,discard=unmap`],
      ...['-device', 'virtio-blk-pci,drive=disk'],
      ...['-drive', `file=${archive},format=raw,if=none,id=settings,readonly=on`],
      ...['-device', 'virtio-blk-pci,drive=settings'],
      ...['-netdev', `tap,id=net,ifname=${tap},script=no,downscript=no`],
      ...['-device', `virtio-net-pci,netdev=net,mac=52:54:00:30:00:0${machine.number},romfile=`],
      ...['-device', 'virtio-rng-pci', '-serial', `file:${this.folder}/logs/console-${machine.name}.log`],
      ...['-monitor', `unix:${this.folder}/monitor-${machine.name},server=on,wait=off`],
    ]);
  }

  private async startControlPlane(): Promise<void> {
    const certificate = (name: string): string => path.join(this.folder, 'certificates', name);
    const clients = 'http://127.0.0.1:2379';
    const peers = 'http://127.0.0.1:2380';
    await this.background('etcd', tools.command('etcd'), [
      ...[`--data-dir=${this.folder}/memory/etcd`, '--unsafe-no-fsync', '--logger=zap', '--log-level=warn'],
      ...[`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`, `--listen-peer-urls=${peers}`],
      ...[`--initial-advertise-peer-urls=${peers}`, `--initial-cluster=default=${peers}`],
    ]);
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    await this.background('kube-apiserver', tools.kubernetes('kube-apiserver'), [
      ...[`--etcd-servers=${clients}`, `--secure-port=${CLUSTER.apiPort}`, `--advertise-address=${CLUSTER.gateway}`],
      ...[`--service-cluster-ip-range=${CLUSTER.services},${CLUSTER.services6}`, '--allow-privileged=true'],
      ...['--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction', '--profiling=false'],
      ...[`--client-ca-file=${certificate('ca.crt')}`, `--kubelet-certificate-authority=${certificate('ca.crt')}`],
      `--tls-cert-file=${certificate('kube-apiserver.crt')}`,
      `--tls-private-key-file=${certificate('kube-apiserver.key')}`,
      `--kubelet-client-certificate=${certificate('kubelet-client.crt')}`,
      `--kubelet-client-key=${certificate('kubelet-client.key')}`,
      ...['--kubelet-preferred-address-types=InternalIP', `--service-account-issuer=${issuer}`],
      `--service-account-key-file=${certificate('service-account.pub')}`,
      `--service-account-signing-key-file=${certificate('service-account.key')}`,
    ]);
    await this.background('api-inside', 'socat', [
      `UNIX-LISTEN:${this.folder}/api,fork,backlog=128`,
      `TCP:127.0.0.1:${CLUSTER.apiPort}`,
    ]);
    // On the machine's network, but one of the laboratory's processes.
    await this.background(
      'api-outside',
      'socat',
      [`TCP-LISTEN:${this.state.port},bind=127.0.0.1,fork,reuseaddr,backlog=128`, `UNIX-CONNECT:${this.folder}/api`],
      { net: false },
    );
    await until('the API server', 90, () => this.kubectl(['get', '--raw', '/readyz'], { seconds: 10 }));
    const configured = (name: string): string[] => [
      ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
        (flag) => `--${flag}=${certificate(`${name}.kubeconfig`)}`,
      ),
      ...['--leader-elect=false', '--profiling=false'],
    ];
    await this.background('kube-controller-manager', tools.kubernetes('kube-controller-manager'), [
      ...configured('kube-controller-manager'),
      `--service-account-private-key-file=${certificate('service-account.key')}`,
      `--root-ca-file=${certificate('ca.crt')}`,
      ...[
        `--cluster-signing-cert-file=${certificate('ca.crt')}`,
        `--cluster-signing-key-file=${certificate('ca.key')}`,
      ],
      ...[
        '--use-service-account-credentials=true',
        '--allocate-node-cidrs=true',
        `--cluster-cidr=${CLUSTER.pods},${CLUSTER.pods6}`,
      ],
      ...[
        '--node-cidr-mask-size-ipv4=24',
        '--node-cidr-mask-size-ipv6=64',
        `--service-cluster-ip-range=${CLUSTER.services},${CLUSTER.services6}`,
      ],
    ]);
    await this.background('kube-scheduler', tools.kubernetes('kube-scheduler'), configured('kube-scheduler'));
    // After the API server: otherwise it waits for up to a minute before it asks again.
    await this.background('coredns', 'env', [
      `KUBECONFIG=${certificate('coredns.kubeconfig')}`,
      ...[tools.coredns(), '-conf', path.join(__dirname, 'Corefile')],
    ]);
    await this.kubectl(['apply', '-f', path.join(__dirname, 'addons.yaml')]);
  }

  private async nodesReady(): Promise<void> {
    await until(`${this.state.nodes} nodes Ready`, 180, async () => {
      for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'coredns']) {
        await this.inside('sh', ['-c', 'kill -0 "$(cat "$1")"', 'sh', path.join(this.folder, `${name}.pid`)]);
      }
      const ready = await this.kubectl([
        ...[
          'get',
          'nodes',
          '-o',
          'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}',
        ],
      ]);
      return ready.split('\n').filter((status) => status === 'True').length === this.state.nodes ? true : undefined;
    });
  }

  /** Starts a program that runs as long as the laboratory does. */
  private async background(
    name: string,
    command: string,
    args: readonly string[],
    { net = true }: { net?: boolean } = {},
  ): Promise<void> {
    const log = path.join(this.folder, 'logs', `${name}.log`);
    const start = 'log=$1 pid=$2; shift 2; TMPDIR=${pid%/*} setsid "$@" </dev/null >"$log" 2>&1 & echo $! >"$pid"';
    const program = ['sh', '-c', start, 'sh', log, path.join(this.folder, `${name}.pid`)];
    const entrance = net ? this.entrance() : this.entrance().filter((option) => !option.startsWith('--net='));
    await run('nsenter', [...entrance, ...program, command, ...args]);
  }
}

const KERNEL_ARGUMENTS = [
  ...[
    'console=ttyS0',
    'quiet',
    'net.ifnames=0',
    'panic=5',
    'audit=0',
    'selinux=0',
    'apparmor=0',
    'mitigations=off',
    'nokaslr',
  ],
  // How fast the counter of cycles goes cannot be found out on a busy machine; the other clock is slower and right.
  ...['clocksource=hpet', 'tsc=unstable', 'no_timer_check'],
  ...['nowatchdog', 'cryptomgr.notests', 'random.trust_cpu=on', 'rcupdate.rcu_expedited=1'],
].join(' ');

const OUTSIDE_SETTINGS = {
  GATEWAY: OUTSIDE.gateway,
  GATEWAY6: OUTSIDE.gateway6,
  WORLD: OUTSIDE.world,
  WORLD6: OUTSIDE.world6,
};

function shellVariables(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

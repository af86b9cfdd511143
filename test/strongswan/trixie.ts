/** A Debian 13 to itself, in which programs run that this machine may lack. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tools } from '../tools';

/** What must be there, as conditions of `describeWith`. */
export const TRIXIE_TOOLS = ['debian-13', 'ip', 'setpriv', 'root', 'linux', 'netns', 'tun'] as const;

/** Texts by path. */
export type Files = Readonly<Record<string, string>>;

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** After that it is ended. */
  readonly seconds?: number;
}

export interface Result {
  /** Null if a signal has ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that goes on until it is told to end. */
export interface Daemon {
  /** All that it has written, to standard output and standard error. */
  log(): string;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Waits until it has ended by itself or of a signal. */
  ended(): Promise<number | null>;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Namespaces for processes, mounts and the network, with tools.debian13() as the root and only `lo`.
 *
 * The folder itself stays as it is: what is written goes to memory. Nothing outlives `end`, nor this process, however it ends.
 */
export class Trixie {
  private constructor(
    private readonly keeper: ChildProcess,
    /** Of its first process, as this machine sees it. */
    readonly pid: number,
  ) {}

  static async start(): Promise<Trixie> {
    const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child'];
    const script = [path.join(__dirname, 'trixie.sh'), tools.debian13()];
    const keeper = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'sh', ...script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    keeper.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const pid = await new Promise<number>((resolve, reject) => {
      keeper.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.endsWith('\n')) resolve(Number(output));
      });
      keeper.on('error', reject);
      keeper.on('close', () => reject(new Error(`A Debian 13 does not start: ${errors}`)));
    });
    return new Trixie(keeper, pid);
  }

  /** Where this machine sees one of its files, whose path is absolute. */
  path(file: string): string {
    return path.join(`/proc/${this.pid}/root`, file);
  }

  /** Writes files, whose paths are absolute, with their folders. All of them may be executed. */
  write(files: Files): void {
    for (const [file, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(this.path(file)), { recursive: true });
      fs.writeFileSync(this.path(file), text, { mode: 0o755 });
    }
  }

  read(file: string): string {
    return fs.readFileSync(this.path(file), 'utf8');
  }

  /** Runs a program until it ends. */
  async run(command: readonly string[], options: CommandOptions = {}): Promise<Result> {
    const child = this.spawn(command, options);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const limit = setTimeout(() => pass(child, 'SIGKILL'), (options.seconds ?? 30) * 1000);
    const status = await endOf(child);
    clearTimeout(limit);
    return { status, stdout, stderr };
  }

  /** Starts a program that goes on. */
  daemon(command: readonly string[], options: Omit<CommandOptions, 'seconds'> = {}): Daemon {
    const child = this.spawn(command, options);
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    }
    const end = endOf(child);
    return {
      log: () => log,
      isRunning: () => child.exitCode === null && child.signalCode === null,
      // nsenter stops with its child, which goes on with it.
      signal: (signal) => (signal === 'SIGCONT' ? child.kill(signal) : pass(child, signal)),
      ended: () => end,
    };
  }

  /** Ends every process, and with them everything else. */
  async end(): Promise<void> {
    if (this.keeper.exitCode !== null || this.keeper.signalCode !== null) return;
    const ended = once(this.keeper, 'close');
    process.kill(this.pid, 'SIGKILL');
    await ended;
  }

  private spawn(command: readonly string[], { environment = {}, input = '' }: CommandOptions): ChildProcess {
    const entrance = ['--target', String(this.pid), '--mount', '--pid', '--net'];
    const child = spawn('nsenter', [...entrance, '--', ...command], {
      env: { PATH, HOME: '/root', LANG: 'C', ...environment },
    });
    // Whoever does not read its input may be gone before it is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return child;
  }
}

/** Joins two by a cable, at each of whose ends is `eth0`. */
export async function joinByCable(left: Trixie, right: Trixie): Promise<void> {
  const ends = ['eth0', 'netns', String(left.pid), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(right.pid)];
  const child = spawn(tools.command('ip'), ['link', 'add', 'name', ...ends], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`No cable between two network namespaces: ${errors}`);
}

/** Asks until the answer is yes. */
export async function waitUntil(what: string, seconds: number, ask: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > limit) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(20);
  }
}

/** Waits until a program has ended, and for its last words; what it has left in the background may go on to write. */
async function endOf(child: ChildProcess): Promise<number | null> {
  const closed = once(child, 'close');
  const [status] = (await once(child, 'exit')) as [number | null];
  await Promise.race([closed, sleep(200, undefined, { ref: false })]);
  return status;
}

/**
 * Signals what nsenter has started, not nsenter: that would leave its child to the first process of this machine, and as long as
 * that does not ask how the child has ended, the namespace of the child cannot end either.
 */
function pass(nsenter: ChildProcess, signal: NodeJS.Signals): void {
  const file = `/proc/${String(nsenter.pid)}/task/${String(nsenter.pid)}/children`;
  const children = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split(' ').filter(Boolean) : [];
  for (const pid of children) process.kill(Number(pid), signal);
}

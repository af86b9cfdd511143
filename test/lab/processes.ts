/** Programs that are run, and that do not outlive us. */
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { building } from '../tools';

/** What is to be told to the user as it is: no stack. */
export class LabError extends Error {}

/** Somebody asked us to stop. */
export class Interrupted extends LabError {
  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
  }
}

export interface RunOptions {
  /** What an error calls it; otherwise the command and its first arguments. */
  readonly title?: string;
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** All output goes there too, and the error says so. */
  readonly log?: string;
  readonly seconds?: number;
}

const running = new Set<ChildProcess>();
let interrupted: NodeJS.Signals | undefined;

/**
 * Runs a program, which the kernel ends with us, however we end.
 *
 * @returns its standard output
 * @throws with the last lines of its output
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    if (interrupted !== undefined) {
      reject(new Interrupted(interrupted));
      return;
    }
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
    });
    running.add(child);
    const log = options.log === undefined ? undefined : fs.openSync(options.log, 'a');
    let output = '';
    let errors = '';
    const keep = (chunk: Buffer): string => {
      try {
        if (log !== undefined) fs.writeSync(log, chunk);
      } catch (error) {
        // A full disk is told by the program too, which goes on or ends.
        errors += `${options.log ?? ''}: ${String(error)}\n`;
      }
      return chunk.toString();
    };
    child.stdout.on('data', (chunk: Buffer) => (output += keep(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (errors += keep(chunk)));
    // Whoever does not read its input may be gone before it is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    let late = false;
    const limit = setTimeout(
      () => {
        late = true;
        child.kill('SIGKILL');
      },
      (options.seconds ?? 600) * 1000,
    );
    const name = options.title ?? [path.basename(command), ...args.slice(0, 2)].join(' ');
    const finish = (why?: string): void => {
      clearTimeout(limit);
      running.delete(child);
      if (log !== undefined) fs.closeSync(log);
      if (interrupted !== undefined) reject(new Interrupted(interrupted));
      else if (why === undefined) resolve(output);
      else {
        const last = (errors.trim() === '' ? output : errors).trim().split('\n').slice(-6).join('\n  ');
        const where = options.log === undefined ? '' : `\n  all of it: ${options.log}`;
        reject(new LabError(`\`${name}\` ${why}: ${last}${where}`));
      }
    };
    child.on('error', (error) => finish(`cannot be run: ${error.message}`));
    child.on('close', (code, signal) => {
      if (late) finish(`was ended after ${options.seconds ?? 600} s`);
      else finish(code === 0 ? undefined : `ended with ${String(code ?? signal)}`);
    });
  });
}

/** Runs a program with namespaces for its mounts and processes, so that none of either is left. */
export function runIsolated(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // What is built is downloaded first.
  const title = [command, ...args.slice(0, 1)].map((word) => path.basename(word)).join(' ');
  return run('unshare', [...namespaces, command, ...args], { seconds: 1800, title, ...options });
}

/** From now on a signal ends what runs, and `run` starts nothing more; whoever waits for it cleans up and is told. */
export function catchSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = signal;
      for (const child of [...running, ...building]) child.kill('SIGKILL');
    });
  }
}

/** @throws Interrupted if somebody asked us to stop while we did not look */
export function lookForSignals(): void {
  if (interrupted !== undefined) throw new Interrupted(interrupted);
}

/** For the cleaning after an interruption, which has to run programs too. */
export function resume(): void {
  interrupted = undefined;
}

/** Asks until the answer is not undefined. What a question throws is not yet an answer, but its last is told at the end. */
export async function until<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined>,
  pauseSeconds = 0.3,
): Promise<T> {
  const limit = Date.now() + seconds * 1000;
  let last = '';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (interrupted !== undefined) throw new Interrupted(interrupted);
    if (Date.now() > limit) throw new LabError(`${what}: not within ${seconds} s${last}`);
    await sleep(pauseSeconds * 1000);
  }
}

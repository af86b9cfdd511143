/** Which laboratory is up, and who is at work on one. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as path from 'node:path';
import type { MachineParts } from './parts';
import { LabError } from './processes';
import { labFolder, runFolder } from './settings';

/** A process, however often its id is given again. */
interface Process {
  readonly pid: number;
  /** Since the machine started, in its ticks. */
  readonly born: string;
}

/** The process is the one whose child is the keeper, which has the namespaces. */
export interface State extends Process {
  readonly port: number;
  readonly nodes: number;
  readonly since: string;
  readonly parts: MachineParts;
}

export function writeState(state: State): void {
  fs.writeFileSync(path.join(runFolder(), 'state.json'), JSON.stringify(state));
}

export function readState(): State | undefined {
  try {
    const state = JSON.parse(fs.readFileSync(path.join(runFolder(), 'state.json'), 'utf8')) as State | null;
    return Number.isInteger(state?.pid) && typeof state?.born === 'string' ? state : undefined;
  } catch {
    return undefined;
  }
}

/** What only one process may do at a time. */
const WORK = {
  lab: 'is building, starting or ending the laboratory',
  tests: 'runs tests in the laboratory',
} as const;

/** Does it, unless another process is at it: which has a socket that ends with it, and is no file. */
export async function alone<T>(what: keyof typeof WORK, work: () => Promise<T>): Promise<T> {
  const server = createServer().listen(workSocket(what));
  try {
    await once(server, 'listening');
  } catch {
    throw new LabError(`another process ${WORK[what]}; wait for it, or end it`);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

/** Of the abstract names (unix(7)). */
export function workSocket(what: keyof typeof WORK): string {
  return `\0cdk8s-vpn ${what} ${createHash('sha256').update(labFolder()).digest('hex').slice(0, 16)}`;
}

export function processOf(pid: number): Process {
  return { pid, born: birth(pid) ?? '' };
}

export function isAlive({ pid, born }: Process): boolean {
  return birth(pid) === born;
}

/** When a process started; undefined for one that is gone. */
function birth(pid: number): string | undefined {
  try {
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

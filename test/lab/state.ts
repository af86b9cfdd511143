/** Which laboratory is up, and who is at work on one. */
import * as fs from 'node:fs';
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
  return read<State>(path.join(runFolder(), 'state.json'));
}

/** What only one process may do at a time. */
const WORK = {
  lab: 'is building, starting or ending the laboratory',
  tests: 'runs tests in the laboratory',
} as const;

/** Does it, unless another process is at it. */
export async function alone<T>(what: keyof typeof WORK, work: () => Promise<T>): Promise<T> {
  const file = path.join(labFolder(), `at-work-${what}`);
  const own = `${file}.${process.pid}`;
  fs.mkdirSync(labFolder(), { recursive: true });
  fs.writeFileSync(own, JSON.stringify(processOf(process.pid)));
  try {
    const other = read<Process>(file);
    if (other !== undefined && isAlive(other)) {
      throw new LabError(`process ${other.pid} ${WORK[what]}; wait for it, or end it`);
    }
    fs.rmSync(file, { force: true });
    // Under its name it appears whole, and once.
    fs.linkSync(own, file);
  } finally {
    fs.rmSync(own, { force: true });
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
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

function read<T>(file: string): T | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

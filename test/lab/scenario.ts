/** What a scenario is, and what it is given. A file under scenarios/ exports one as `scenario`; its name is that of the file. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Client } from './client';
import type { Lab } from './lab';
import { Interrupted, LabError } from './processes';
import { say } from './progress';

export interface Scenario {
  readonly title: string;
  readonly run: (context: Context) => Promise<void>;
}

/** What came of one thing that was looked at. */
export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly seconds: number;
  /** Why it failed. */
  readonly failure?: string;
  /** What was measured. */
  readonly figure?: string;
}

/** A namespace of the cluster, clients outside, and a list of results, for one scenario. */
export class Context {
  readonly rows: Row[] = [];
  private readonly clients: Client[] = [];

  constructor(
    readonly name: string,
    readonly lab: Lab,
    /** The charts as users get them, by name of the folder. */
    readonly charts: string,
  ) {}

  get namespace(): string {
    return this.name;
  }

  /** For files of this scenario. */
  file(name: string, content: string): string {
    const folder = path.join(this.lab.folder, 'scenarios', this.name);
    fs.mkdirSync(folder, { recursive: true });
    const file = path.join(folder, name);
    fs.writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  /**
   * Looks at one thing. A failure is one row of the results; the scenario goes on.
   *
   * @param work - throws if it does not hold, and may return a figure to be shown
   */
  async check(title: string, work: () => Promise<unknown>): Promise<boolean> {
    const start = Date.now();
    const done = (result: Pick<Row, 'failure' | 'figure'>): boolean => {
      const row = { scenario: this.name, title, seconds: (Date.now() - start) / 1000, ...result };
      this.rows.push(row);
      say(
        `  ${row.failure === undefined ? 'ok    ' : 'FAILED'} ${row.seconds.toFixed(1).padStart(6)} s  ${title}${row.figure === undefined ? '' : `: ${row.figure}`}`,
      );
      if (row.failure !== undefined) say(row.failure.replace(/^/gm, '           '));
      return row.failure === undefined;
    };
    try {
      const figure = await work();
      return done(
        typeof figure === 'string' && figure.trim() !== '' ? { figure: figure.trim().split('\n')[0] ?? '' } : {},
      );
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      return done({
        failure: error instanceof LabError ? error.message : String(error instanceof Error ? error.stack : error),
      });
    }
  }

  /** As `check`, for what the rest of the scenario cannot do without. */
  async prepare(title: string, work: () => Promise<unknown>): Promise<void> {
    if (!(await this.check(title, work))) throw new Unprepared();
  }

  kubectl(...args: string[]): Promise<string> {
    return this.lab.kubectl(['-n', this.namespace, ...args]);
  }

  /** A host outside, with an address of its own. */
  async client(name: string): Promise<Client> {
    const client = await Client.make(this.lab, name, this.clients.length);
    this.clients.push(client);
    return client;
  }

  /** Makes the namespace, with the label that the documentation asks for. */
  async begin(): Promise<void> {
    await this.lab.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
  }

  /** Says what there is, when something has gone wrong. */
  async describe(): Promise<void> {
    const logs = ['logs', '-l', 'app.kubernetes.io/instance', '--all-containers', '--prefix', '--tail=8'];
    for (const args of [
      ['get', 'pods', '-o', 'wide'],
      ['get', 'events', '--sort-by=.lastTimestamp'],
      logs,
      [...logs, '--previous'],
    ]) {
      say((await this.kubectl(...args).catch(() => '')).trim().split('\n').slice(-20).join('\n').replace(/^/gm, '  '));
    }
  }

  async end(): Promise<void> {
    for (const client of this.clients) await client.remove();
    await this.lab.kubectl(['delete', 'namespace', this.namespace, '--ignore-not-found', '--timeout=120s']);
  }
}

/** The reason is a row already. */
export class Unprepared extends Error {}

/** @throws with both unless they are equal */
export function same(what: string, actual: string, expected: string): void {
  if (actual.trim() !== expected.trim())
    throw new LabError(`${what} is ${JSON.stringify(actual.trim())}, not ${JSON.stringify(expected)}`);
}

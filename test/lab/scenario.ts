/** What a scenario is, and what it is given. A file under scenarios/ exports one as `scenario`; its name is that of the file. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pod, type Uplink } from './host';
import type { Lab } from './lab';
import { Interrupted, LabError, until } from './processes';
import { say } from './progress';
import type { Machine } from './settings';

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
  private readonly undoing: (() => Promise<unknown>)[] = [];
  private readonly balanced = new Set<string>();
  /** Public addresses that nodes have. */
  private readonly published = new Set<string>();
  private numbers = 0;

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
    return (await this.attempt(title, work)) !== undefined;
  }

  /** As `check`, for what the rest of the scenario cannot do without: gives what the work gives. */
  async prepare<T>(title: string, work: () => Promise<T>): Promise<T> {
    const done = await this.attempt(title, work);
    if (done === undefined) throw new Unprepared();
    return done.result;
  }

  private async attempt<T>(title: string, work: () => Promise<T>): Promise<{ result: T } | undefined> {
    const start = Date.now();
    const note = (result: Pick<Row, 'failure' | 'figure'>): void => {
      const row = { scenario: this.name, title, seconds: (Date.now() - start) / 1000, ...result };
      this.rows.push(row);
      say(
        `  ${row.failure === undefined ? 'ok    ' : 'FAILED'} ${row.seconds.toFixed(1).padStart(6)} s  ${title}${row.figure === undefined ? '' : `: ${row.figure}`}`,
      );
      if (row.failure !== undefined) say(row.failure.replace(/^/gm, '           '));
    };
    try {
      const result = await work();
      const figure = typeof result === 'string' ? result.trim().split('\n')[0] : '';
      note(figure === undefined || figure === '' ? {} : { figure });
      return { result };
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      note({
        failure: error instanceof LabError ? error.message : String(error instanceof Error ? error.stack : error),
      });
      return undefined;
    }
  }

  kubectl(...args: string[]): Promise<string> {
    return this.lab.kubectl(['-n', this.namespace, ...args]);
  }

  /** A host outside, with an address of its own. */
  async client(name: string): Promise<Client> {
    const client = await Client.make(this.lab, name, this.numbers++);
    this.clients.push(client);
    return client;
  }

  /** A host with addresses `${network}5` and `${network6}5` behind a client. */
  async behind(client: Client, name: string, networks: readonly [string, string]): Promise<Client> {
    const host = await client.behind(name, networks);
    this.clients.push(host);
    return host;
  }

  /** A host with addresses of its own behind several clients. */
  async behindAll(name: string, addresses: readonly [string, string], routers: readonly Uplink[]): Promise<Client> {
    const host = await Client.behindAll(this.lab, name, addresses, routers);
    this.clients.push(host);
    return host;
  }

  /** A pod with tools, on a node. */
  pod(name: string, node: string): Promise<Pod> {
    return Pod.make(this.lab, this.namespace, name, node);
  }

  /**
   * Is the load balancer of a Service: gives it addresses as soon as there is one, and leads them to the first node as soon as the
   * Service leads to a pod. Packets that come before have no place to go.
   */
  async balance(service: string, ...addresses: readonly string[]): Promise<void> {
    await until(`the Service ${service}`, 60, () => this.kubectl('get', 'service', service, '-o', 'name'));
    const status = { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } };
    await this.kubectl(
      ...['patch', 'service', service, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })],
    );
    const slices = ['get', 'endpointslices', '-l', `kubernetes.io/service-name=${service}`];
    await until(`an endpoint of the Service ${service}`, 180, async () => {
      const path = 'jsonpath={.items[*].endpoints[*].addresses[0]}';
      return (await this.kubectl(...slices, '-o', path)) === '' ? undefined : true;
    });
    // kube-proxy takes a moment longer.
    await sleep(3000);
    for (const address of addresses) {
      this.balanced.add(address);
      // As if the two minutes had passed for which a node remembers a flow to an earlier Service with this address.
      await this.lab.on(this.lab.machines[0], `conntrack -D --orig-dst ${address} 2>/dev/null || :`);
      await this.route('replace', address);
    }
  }

  /** As with a Service goes its load balancer. */
  async unbalance(): Promise<void> {
    for (const address of this.balanced) await this.route('delete', address);
    this.balanced.clear();
  }

  private async route(verb: 'replace' | 'delete', address: string): Promise<void> {
    const [first] = this.lab.machines;
    const via = address.includes(':') ? first.address6 : first.address;
    await this.lab.inside('ip', ['route', verb, address, 'via', via]);
  }

  /** Gives a node a public address of each family, as a cloud does: outside nobody sees another one. */
  async publicAddress(machine: Machine): Promise<string> {
    const address = publicAddressOf(machine);
    if (this.published.has(address)) return address;
    this.published.add(address);
    const table = `public_${machine.name}`;
    this.atEnd(() => this.lab.inside('nft', ['delete', 'table', 'inet', table]));
    await this.lab.inside('nft', ['-f', '-'], {
      input: `table inet ${table} {
        chain in {
          type nat hook prerouting priority dstnat;
          ip daddr ${address} dnat ip to ${machine.address}
          ip6 daddr ${publicAddress6Of(machine)} dnat ip6 to ${machine.address6}
        }
        chain out {
          type nat hook postrouting priority srcnat;
          ip saddr ${machine.address} oifname "outside" snat ip to ${address}
          ip6 saddr ${machine.address6} oifname "outside" snat ip6 to ${publicAddress6Of(machine)}
        }
      }`,
    });
    return address;
  }

  /** Takes back at the end, however it comes, what was done outside of the namespace. */
  atEnd(undo: () => Promise<unknown>): void {
    this.undoing.push(undo);
  }

  /** Makes the namespace, with the label that the documentation asks for, after that of a run that was ended. */
  async begin(): Promise<void> {
    await this.deleteNamespace();
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
      say(
        (await this.kubectl(...args).catch(unlessInterrupted))
          .trim()
          .split('\n')
          .slice(-20)
          .join('\n')
          .replace(/^/gm, '  '),
      );
    }
  }

  async end(): Promise<void> {
    await this.unbalance();
    for (const client of this.clients) await client.remove();
    for (const undo of this.undoing) await undo();
    await this.deleteNamespace();
  }

  private async deleteNamespace(): Promise<void> {
    await this.lab.kubectl(['delete', 'namespace', this.namespace, '--ignore-not-found', '--timeout=120s']);
  }
}

/** The public address of a node that has one. */
export const publicAddressOf = (machine: Machine): string => `198.51.100.${100 + machine.number}`;
export const publicAddress6Of = (machine: Machine): string => `2001:db8:51::${100 + machine.number}`;

function unlessInterrupted(error: unknown): string {
  if (error instanceof Interrupted) throw error;
  return '';
}

/** The reason is a row already. */
export class Unprepared extends Error {}

/** @throws with both unless they are equal */
export function same(what: string, actual: string, expected: string): void {
  if (actual.trim() !== expected.trim())
    throw new LabError(`${what} is ${JSON.stringify(actual.trim())}, not ${JSON.stringify(expected)}`);
}

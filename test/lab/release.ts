/** What the releases of all charts have in common. */
import { LabError, until } from './processes';
import type { Context } from './scenario';
import type { Machine } from './settings';

/** Where a pod is. */
export interface Place {
  readonly node: Machine;
  /** Another one. */
  readonly other: Machine;
  readonly podIP: string;
  readonly podIP6: string;
}

/** A release of a chart. */
export class Release {
  /** The name of its objects. */
  readonly name: string;

  protected constructor(
    protected readonly context: Context,
    readonly release: string,
    private readonly chart: string,
  ) {
    this.name = `${release}-${chart}`;
  }

  /** Runs Helm as a user would, and waits. */
  protected helm(verb: 'install' | 'upgrade', ...files: readonly string[]): Promise<string> {
    return this.context.lab.helm([
      ...[verb, this.release, `${this.context.charts}/${this.chart}`, '-n', this.context.namespace],
      ...files.flatMap((file) => ['-f', file]),
      ...['--wait', '--timeout', '10m'],
    ]);
  }

  async uninstall(): Promise<void> {
    await this.context.unbalance();
    await this.context.lab.helm([
      ...['uninstall', this.release, '-n', this.context.namespace, '--wait', '--timeout', '3m'],
    ]);
    await this.context.kubectl('wait', '--for=delete', 'pod', '-l', this.selector, '--timeout=120s');
  }

  test(): Promise<string> {
    return this.context.lab.helm(['test', this.release, '-n', this.context.namespace, '--timeout', '1m']);
  }

  /** Of the pods of its only Deployment. */
  get selector(): string {
    return `app.kubernetes.io/instance=${this.release}`;
  }

  /** Where its pod is. */
  async place(selector = this.selector): Promise<Place> {
    const newest = '{.items[-1:].spec.nodeName} {.items[-1:].status.podIPs[*].ip}';
    const [name = '', podIP = '', podIP6 = ''] = (await this.newest(newest, selector)).split(' ');
    const node = this.context.lab.machines.find((machine) => machine.name === name);
    const other = this.context.lab.machines.find((machine) => machine.name !== name);
    if (node === undefined || other === undefined) throw new LabError(`the pod is on no node of two: ${name}`);
    return { node, other, podIP, podIP6 };
  }

  /** Something of its pod: that of a lost node stays for a while, beside its successor. */
  private newest(path: string, selector = this.selector): Promise<string> {
    const sorted = ['get', 'pods', '-l', selector, '--sort-by=.metadata.creationTimestamp'];
    return this.context.kubectl(...sorted, '-o', `jsonpath=${path}`);
  }

  /** Waits until all of a Deployment is Ready. */
  async ready(deployment = this.name): Promise<void> {
    await this.context.kubectl('rollout', 'status', `deployment/${deployment}`, '--timeout=180s');
  }

  /** Waits until its pod says that it is not Ready. */
  async unready(): Promise<void> {
    await this.context.kubectl('wait', '--for=condition=Ready=false', 'pod', '-l', this.selector, '--timeout=60s');
  }

  /** @throws unless the containers of its pod were started again so often, in all */
  async restarted(times = 0): Promise<void> {
    const counts = await this.newest('{.items[-1:].status.containerStatuses[*].restartCount}');
    const all = counts.split(' ').reduce((sum, count) => sum + Number(count), 0);
    if (counts === '' || all !== times) throw new LabError(`containers were started again ${counts} times`);
  }

  /** Waits until a changed ConfigMap or Secret is in service. */
  async inService(what: string, is: () => Promise<boolean>): Promise<void> {
    // The kubelet brings it within its sync period; whatever touches the pod makes it look at once.
    await this.context.kubectl('annotate', 'pod', '-l', this.selector, `lab/now=${Date.now()}`, '--overwrite');
    await until(what, 150, async () => ((await is()) ? true : undefined));
  }
}

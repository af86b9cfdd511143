/** What the scenarios of the IPsec chart have in common. */
import { randomBytes } from 'node:crypto';
import { CHARTS } from '../../charts';
import type { CounterpartOptions } from '../../lib/strongswan/counterpart';
import type { JsonObject } from '../../lib/helm/values-file';
import type { Client } from './host';
import { LabError, until } from './processes';
import type { Context } from './scenario';
import type { Machine } from './settings';

export const newSharedKey = (): string => randomBytes(33).toString('base64');

/** Makes a Secret of files. */
export async function makeSecret(
  context: Context,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const from = Object.entries(files).map(([key, text]) => `--from-file=${key}=${context.file(`${name}.${key}`, text)}`);
  await context.kubectl('create', 'secret', 'generic', name, ...from);
}

/** A release of the chart, and what its user knows of it. */
export class Ipsec {
  readonly name: string;

  private constructor(
    private readonly context: Context,
    readonly release: string,
    readonly values: JsonObject,
  ) {
    this.name = `${release}-ipsec`;
  }

  /** Makes the Secrets of pre-shared keys, by the name of the Secret, and installs nothing. */
  static async prepare(
    context: Context,
    release: string,
    values: JsonObject,
    keys: Readonly<Record<string, string>> = {},
  ): Promise<Ipsec> {
    for (const [secret, key] of Object.entries(keys)) await makeSecret(context, secret, { psk: `${key}\n` });
    return new Ipsec(context, release, values);
  }

  /**
   * Installs the chart as a user would, and waits until its tunnels are up.
   *
   * @param addresses - what the Service of a gateway gets from a load balancer, by the gateway's name
   */
  async install(addresses: Readonly<Record<string, string>> = {}): Promise<void> {
    await Promise.all([
      this.helm('install', this.values),
      ...Object.entries(addresses).map(([gateway, address]) => this.context.balance(this.gateway(gateway), address)),
    ]);
  }

  async upgrade(values: JsonObject): Promise<void> {
    await this.helm('upgrade', values);
  }

  async uninstall(): Promise<void> {
    await this.context.lab.helm([
      ...['uninstall', this.release, '-n', this.context.namespace, '--wait', '--timeout', '3m'],
    ]);
    await this.context.kubectl('wait', '--for=delete', 'pod', '-l', this.selector, '--timeout=120s');
  }

  private helm(verb: 'install' | 'upgrade', values: JsonObject): Promise<string> {
    // YAML contains JSON.
    const file = this.context.file(`${this.release}.yaml`, JSON.stringify(values));
    return this.context.lab.helm([
      ...[verb, this.release, `${this.context.charts}/ipsec`, '-n', this.context.namespace],
      ...['-f', file, '--wait', '--timeout', '5m'],
    ]);
  }

  get selector(): string {
    return `app.kubernetes.io/instance=${this.release}`;
  }

  /** The name of the Deployment and of the Service of a gateway. */
  gateway(name: string): string {
    return `${this.name}-${name}`;
  }

  /** The addresses behind the Service of a gateway. */
  endpoints(gateway: string): Promise<string> {
    const slices = ['get', 'endpointslices', '-l', `kubernetes.io/service-name=${this.gateway(gateway)}`];
    return this.context.kubectl(...slices, '-o', 'jsonpath={.items[*].endpoints[*].addresses[0]}');
  }

  /** Runs a shell script in a gateway's container. */
  exec(gateway: string, script: string, container = 'network'): Promise<string> {
    return this.context.kubectl('exec', `deploy/${this.gateway(gateway)}`, '-c', container, '--', 'sh', '-c', script);
  }

  /** What the health server says of a gateway. */
  status(gateway: string): Promise<string> {
    return this.exec(gateway, 'curl -sS http://127.0.0.1:8080/status');
  }

  /** The node of a gateway, and the address of its pod. */
  async place(gateway: string): Promise<{ node: Machine; other: Machine; podIP: string }> {
    const selector = `${this.selector},app.kubernetes.io/component=${gateway}`;
    const [name = '', podIP = ''] = (
      await this.context.kubectl(
        ...['get', 'pods', '-l', selector, '--sort-by=.metadata.creationTimestamp', '-o'],
        'jsonpath={.items[-1:].spec.nodeName} {.items[-1:].status.podIP}',
      )
    ).split(' ');
    const node = this.context.lab.machines.find((machine) => machine.name === name);
    const other = this.context.lab.machines.find((machine) => machine.name !== name);
    if (node === undefined || other === undefined) throw new LabError(`the gateway is on no node of two: ${name}`);
    return { node, other, podIP };
  }

  /** What our own code says that the remote end is to be configured with, by the name of the file. */
  counterpart(tunnel: string, options: CounterpartOptions): Readonly<Record<'conf' | 'network', string>> {
    const given = { values: this.values, release: { name: this.release, namespace: this.context.namespace } };
    const of = (file: string): string =>
      CHARTS.ipsec.text((gateways) => gateways.counterpart(tunnel, 'strongswan', options)[file]!, given);
    return { conf: of(`${tunnel}.conf`), network: of(`${tunnel}-network.sh`) };
  }
}

/** A router with strongSwan outside of the cluster. */
export class Router {
  constructor(readonly host: Client) {}

  private get folder(): string {
    return `/root/${this.host.name}`;
  }

  private get environment(): string {
    return `STRONGSWAN_CONF=${this.folder}/strongswan.conf SWANCTL_DIR=${this.folder}`;
  }

  /**
   * Configures it, as a person who has the files would, and starts it.
   *
   * @param more - certificates and keys, below swanctl's folder
   */
  async start(
    { conf, network }: Readonly<Record<'conf' | 'network', string>>,
    { installsRoutes = false, more = {} }: { installsRoutes?: boolean; more?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    const strongswan = `charon {
      install_routes = ${installsRoutes ? 'yes' : 'no'}
      retransmit_base = 1.0
      retransmit_timeout = 2.0
      retransmit_tries = 3
      filelog {
        stderr {
          default = 1
          flush_line = yes
          ike_name = yes
        }
      }
      plugins {
        vici {
          socket = unix://${this.folder}/charon.vici
        }
      }
    }`;
    await this.host.run(`rm -rf ${this.folder}; mkdir -p ${this.folder}`);
    for (const [file, content] of Object.entries({
      'strongswan.conf': strongswan,
      'swanctl.conf': conf,
      'network.sh': network,
      ...more,
    }))
      await this.host.run(
        `umask 077; mkdir -p ${this.folder}/x509 ${this.folder}/x509ca ${this.folder}/private; cat >${this.folder}/${file}`,
        {
          input: content,
        },
      );
    await this.host.run(`sh ${this.folder}/network.sh`);
    await this.charon();
    await this.swanctl('--load-all');
  }

  /** Starts the daemon, whose process id has a fixed place: each router has its own /run. */
  async charon(): Promise<void> {
    await this.host.run(
      `mount -t tmpfs tmpfs /run
      ${this.environment} setsid /usr/lib/ipsec/charon </dev/null >>${this.folder}/log 2>&1 &`,
    );
    await until('the remote charon', 30, () => this.swanctl('--stats'), 1);
  }

  swanctl(...args: readonly string[]): Promise<string> {
    return this.host.run(`${this.environment} swanctl ${args.join(' ')} --uri unix://${this.folder}/charon.vici`);
  }

  log(): Promise<string> {
    return this.host.run(`tail -n 30 ${this.folder}/log`);
  }
}

/** What the scenarios of the IPsec chart have in common. */
import { randomBytes } from 'node:crypto';
import { CHARTS } from '../../charts';
import type { CounterpartOptions } from '../../lib/strongswan/counterpart';
import type { JsonObject } from '../../lib/helm/values-file';
import type { Client, Host } from './host';
import { LabError, until } from './processes';
import { Release, type Place } from './release';
import type { Context } from './scenario';
import { CLUSTER } from './settings';
import type { WebPod } from './wireguard';

/** All networks of the laboratory's cluster. */
export const ALL_OF_CLUSTER = {
  podCidrs: [CLUSTER.pods],
  serviceCidrs: [CLUSTER.services],
  nodeCidrs: [CLUSTER.nodes],
};
/** A network on premises, in front of the last byte of its addresses, and its IPv6 one. */
export const OFFICE = ['10.1.0.', 'fd00:1::'] as const;
export const OFFICE_NETWORK = `${OFFICE[0]}0/24`;

export const newSharedKey = (): string => randomBytes(33).toString('base64');

/** Makes a Secret of files, or changes it. */
export async function makeSecret(
  context: Context,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const from = Object.entries(files).map(([key, text]) => `--from-file=${key}=${context.file(`${name}.${key}`, text)}`);
  const secret = await context.kubectl(
    ...['create', 'secret', 'generic', name, ...from, '--dry-run=client', '-o'],
    'json',
  );
  await context.lab.apply(JSON.parse(secret));
}

/** A release of the chart, and what its user knows of it. */
export class Ipsec extends Release {
  private values: JsonObject;

  private constructor(context: Context, release: string, values: JsonObject) {
    super(context, release, 'ipsec');
    this.values = values;
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
   * @param values - other values from now on
   */
  async install(addresses: Readonly<Record<string, string>> = {}, values = this.values): Promise<void> {
    this.values = values;
    await Promise.all([
      this.helm('install', this.file()),
      ...Object.entries(addresses).map(([gateway, address]) => this.context.balance(this.gateway(gateway), address)),
    ]);
    for (const gateway of Object.keys(addresses)) await this.up(gateway);
  }

  async upgrade(values: JsonObject): Promise<void> {
    this.values = values;
    await this.helm('upgrade', this.file());
  }

  private file(): string {
    // YAML contains JSON.
    return this.context.file(`${this.release}.yaml`, JSON.stringify(this.values));
  }

  /** The name of the Deployment and of the Service of a gateway. */
  gateway(name: string): string {
    return `${this.name}-${name}`;
  }

  /** Runs a shell script in a gateway's container. */
  exec(gateway: string, script: string, container = 'network'): Promise<string> {
    return this.context.kubectl('exec', `deploy/${this.gateway(gateway)}`, '-c', container, '--', 'sh', '-c', script);
  }

  /** What the health server says of a gateway. */
  page(gateway: string, page: 'ready' | 'up' | 'status' | 'metrics'): Promise<string> {
    return this.exec(gateway, `curl -sS http://127.0.0.1:8080/${page}`);
  }

  /** Waits until all tunnels of a gateway are up. */
  async up(gateway: string): Promise<void> {
    await until('all tunnels up', 240, async () => ((await this.page(gateway, 'up')) === 'up\n' ? true : undefined), 1);
  }

  /** The SPIs of a tunnel's children at the gateway. */
  async spis(gateway: string, tunnel: string): Promise<string> {
    const said = await this.exec(
      gateway,
      `swanctl --list-sas --raw --ike ${tunnel} --uri unix:///run/vpn/charon.vici`,
      'charon',
    );
    return [...said.matchAll(/spi-(?:in|out)=[0-9a-f]+/g)].join(' ');
  }

  /** The node of a gateway, and the address of its pod. */
  placeOf(gateway: string): Promise<Place> {
    return this.place(`${this.selector},app.kubernetes.io/component=${gateway}`);
  }

  /** What the chart promises, in seconds: the figure of its own sentence. */
  async promisedSeconds(what: string): Promise<number> {
    const notes = await this.context.lab.helm(['get', 'notes', this.release, '-n', this.context.namespace]);
    const line = notes.split('\n').find((each) => each.includes(what));
    const [, figure, unit] = /: (\d+) (s|ms)\b/.exec(line ?? '') ?? [];
    if (figure === undefined) throw new LabError(`the notes promise nothing of: ${what}`);
    return unit === 'ms' ? Number(figure) / 1000 : Number(figure);
  }

  /** What our own code says that the remote end is to be configured with. */
  counterpart(tunnel: string, options: CounterpartOptions): RouterFiles {
    const of = (file: string): string => this.counterpartFile(tunnel, file, options);
    return {
      conf: of(`${tunnel}.conf`),
      daemon: of(`${tunnel}-charon.conf`),
      network: of(`${tunnel}-network.sh`),
    };
  }

  /** The configuration of the remote end's FRR, for a tunnel with BGP. */
  counterpartFrr(tunnel: string, bgpPassword: string): string {
    return this.counterpartFile(tunnel, `${tunnel}-frr.conf`, { bgpPassword });
  }

  private counterpartFile(tunnel: string, file: string, options: CounterpartOptions): string {
    const given = { values: this.values, release: { name: this.release, namespace: this.context.namespace } };
    return CHARTS.ipsec.text((gateways) => gateways.counterpart(tunnel, 'strongswan', options)[file]!, given);
  }
}

/** The files of the counterpart, and credentials below swanctl's folder. */
export interface RouterFiles {
  readonly conf: string;
  readonly daemon: string;
  readonly network: string;
  readonly credentials?: Readonly<Record<string, string>>;
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

  /** Configures it, as a person who has the files would, and starts it. */
  async start({ conf, daemon, network, credentials = {} }: RouterFiles): Promise<void> {
    const ours = `charon {
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
    }
    ${daemon}`;
    await this.host.run(
      `rm -rf ${this.folder}; mkdir -p ${this.folder}/x509 ${this.folder}/x509ca ${this.folder}/private`,
    );
    const files = { 'strongswan.conf': ours, 'swanctl.conf': conf, 'network.sh': network, ...credentials };
    for (const [file, content] of Object.entries(files)) await this.write(file, content);
    await this.host.run(`sh ${this.folder}/network.sh`);
    await this.begin();
  }

  private async write(file: string, content: string): Promise<void> {
    await this.host.run(`umask 077; cat >${this.folder}/${file}`, { input: content });
  }

  /** Starts the daemon, which keeps its process id in /run: each router has its own. */
  private async begin(): Promise<void> {
    await this.host.run(
      `mount -t tmpfs tmpfs /run
      ${this.environment} setsid /usr/lib/ipsec/charon </dev/null >>${this.folder}/log 2>&1 &
      echo $! >${this.folder}/pid`,
    );
    await until('the remote charon', 30, () => this.swanctl('--stats'), 1);
    await this.load();
  }

  private load(): Promise<string> {
    return this.swanctl('--load-all');
  }

  /** Takes another configuration. */
  async reload({ conf, network }: Pick<RouterFiles, 'conf' | 'network'>): Promise<void> {
    await this.write('swanctl.conf', conf);
    await this.write('network.sh', network);
    await this.host.run(`sh ${this.folder}/network.sh`);
    await this.load();
  }

  /** Loses its power for a moment: what it knew of its tunnels is gone. */
  async forget(): Promise<void> {
    await this.host.run(`kill -KILL "$(cat ${this.folder}/pid)"
      ip xfrm state flush
      ip xfrm policy flush`);
    await this.begin();
  }

  /** Ends the daemon, and takes back what its network script made but what keeps packets from leaving in clear. */
  async stop(): Promise<void> {
    await this.host.run(`kill -TERM "$(cat ${this.folder}/pid)"
      for _ in $(seq 50); do [ -e "/proc/$(cat ${this.folder}/pid)" ] || break; sleep 0.1; done
      for link in /sys/class/net/ipsec*; do [ ! -e "$link" ] || ip link delete dev "\${link##*/}"; done`);
  }

  /** Lets no packet of it in or out, as if a cable had been pulled. */
  async cut(): Promise<void> {
    await this.host.run(`nft -f -`, {
      input: `table inet cut {
        chain in { type filter hook prerouting priority raw; iifname "eth0" drop; }
        chain out { type filter hook postrouting priority 300; oifname "eth0" drop; }
      }`,
    });
  }

  async mend(): Promise<void> {
    await this.host.run('nft delete table inet cut');
  }

  swanctl(...args: readonly string[]): Promise<string> {
    return this.host.run(`${this.environment} swanctl ${args.join(' ')} --uri unix://${this.folder}/charon.vici`);
  }

  log(): Promise<string> {
    return this.host.run(`tail -n 30 ${this.folder}/log`);
  }
}

/** Packets between the office and the cluster that pass the router between the two as they are: in clear. */
export async function watchClear(context: Context): Promise<() => Promise<number>> {
  const table = `watch_${context.name.replace(/-/g, '_')}`;
  context.atEnd(() => context.lab.inside('nft', ['delete', 'table', 'ip', table]));
  await context.lab.inside('nft', ['-f', '-'], {
    input: `table ip ${table} {
      counter clear { }
      chain passing {
        type filter hook prerouting priority raw;
        iifname "outside" ip saddr ${OFFICE_NETWORK} counter name clear
        iifname "outside" ip daddr { ${CLUSTER.pods}, ${CLUSTER.services} } counter name clear
        iifname "nodes" ip daddr ${OFFICE_NETWORK} counter name clear
      }
    }`,
  });
  return async () => {
    const said = await context.lab.inside('nft', ['list', 'counter', 'ip', table, 'clear']);
    return Number(/packets (\d+)/.exec(said)?.[1]);
  };
}

/** The largest packet that fits into the only tunnel of a release, as both ends have it: of the interfaces, or without one as computed. */
export async function largestPacketBytes(vpn: Ipsec): Promise<number> {
  const [fixed = NaN, block = NaN] = (await vpn.exec('a', "sed -n 's/^overhead //p' /config/network"))
    .split(' ')
    .map(Number);
  const bytes = Math.floor((1500 - fixed) / block) * block - 2;
  const mtus = (await vpn.exec('a', 'cat /sys/class/net/ipsec*/mtu 2>/dev/null || :')).trim();
  if (mtus !== '' && mtus !== `${bytes}`) throw new LabError(`the MTU is ${mtus}, not ${bytes}`);
  return bytes;
}

/** Fetches 2 MB from a web server and sends them back: throws unless they are the same. */
export async function sameAfterTransfer(desk: Host, [web]: readonly WebPod[]): Promise<void> {
  const url = `http://${web?.address ?? ''}:8080`;
  const [sum, sent, ...more] = (
    await desk.run(
      `curl -sS -f -m 120 -o /root/data ${url}/data; sha256sum </root/data
      curl -sS -f -m 120 --data-binary @/root/data -H 'Content-Type: application/octet-stream' ${url}/cgi-bin/sum
      stat -c %s /root/data; rm /root/data`,
    )
  )
    .trim()
    .split('\n');
  if (sum !== sent || more.join() !== '2000000') throw new LabError([sum, sent, ...more].join('\n'));
}

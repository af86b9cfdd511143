/** Who uses a tunnel, or is asked through one: hosts outside of the cluster, and pods. */
import type { Lab } from './lab';
import { LabError, type RunOptions } from './processes';
import { OUTSIDE, TOOLS_IMAGE, type Machine } from './settings';

/** Something with a network of its own, and the tools of a node. */
export abstract class Host {
  constructor(readonly name: string) {}

  /** Runs a shell script there, which ends with its first failure. */
  abstract run(script: string, options?: RunOptions): Promise<string>;

  /** Starts the tunnel of a file of wg-quick, instead of another one. */
  async connect(file: string): Promise<void> {
    await this.disconnect();
    const folder = `/run/host/${this.name}`;
    await this.run(`umask 077; mkdir -p ${folder}; cat >${folder}/vpn.conf`, { input: file });
    await this.run(`wg-quick up ${folder}/vpn.conf`);
  }

  async disconnect(): Promise<void> {
    await this.run(`[ ! -e /sys/class/net/vpn ] || wg-quick down /run/host/${this.name}/vpn.conf`);
  }

  /**
   * @returns the times, as `minimum/mean/maximum/deviation ms`
   * @throws unless every answer comes
   */
  async ping(address: string, options = '', count = 3): Promise<string> {
    const said = await this.run(`ping -n -q -c ${count} -i 0.3 -W 3 ${options} ${address} || :`);
    if (!said.includes(` ${count} received`)) throw new LabError(`ping ${address}: ${said.trim()}`);
    return /^rtt.*= (.*)$/m.exec(said)?.[1] ?? '';
  }

  /** @throws if an answer comes */
  async noPing(address: string, options = ''): Promise<void> {
    const said = await this.run(`ping -n -q -c 2 -i 0.3 -W 2 ${options} ${address} || :`);
    if (!said.includes(' 0 received')) throw new LabError(`ping ${address} is answered: ${said.trim()}`);
  }

  /** What a web server answers. */
  get(url: string): Promise<string> {
    return this.run(`curl -sS -f -m 10 '${url}'`);
  }

  /** @throws if anything answers, even that it refuses */
  async noGet(url: string): Promise<void> {
    const timedOut = 28;
    const code = await this.run(`curl -s -m 2 -o /dev/null '${url}' && echo 0 || echo $?`);
    if (Number(code) !== timedOut) throw new LabError(`${url} is answered: curl ends with ${code.trim()}`);
  }
}

/** A router of a host, and the networks of the link between the two, in front of the last byte of their addresses. */
export interface Uplink {
  readonly router: Client;
  readonly network: string;
  readonly network6: string;
}

/** A host outside of the cluster: a network namespace on the machine outside, with an address of its own. */
export class Client extends Host {
  private constructor(
    private readonly lab: Lab,
    name: string,
    readonly address: string,
    readonly address6: string,
  ) {
    super(name);
  }

  static async make(lab: Lab, name: string, index: number): Promise<Client> {
    const client = new Client(lab, name, `203.0.113.${20 + index}`, `2001:db8:113::${20 + index}`);
    await client.remove();
    await lab.on(
      lab.outside,
      `set -e
      mkdir -p /etc/netns/${name}
      : >/etc/netns/${name}/resolv.conf
      ip netns add ${name}
      ip link add out-${name} type veth peer name eth0 netns ${name}
      ip link set out-${name} master br0 up
      ip -n ${name} link set lo up
      ip -n ${name} addr add ${client.address}/24 dev eth0
      ip -n ${name} addr add ${client.address6}/64 dev eth0 nodad
      ip -n ${name} link set eth0 up
      ip -n ${name} route add default via ${OUTSIDE.gateway}
      ip -n ${name} route add default via ${OUTSIDE.gateway6}`,
    );
    return client;
  }

  /** A host behind this one, as in a network of an office: this one routes for it. */
  async behind(name: string, [network, network6]: readonly [string, string]): Promise<Client> {
    const host = new Client(this.lab, name, `${network}5`, `${network6}5`);
    await host.remove();
    await this.lab.on(
      this.lab.outside,
      `set -e
      ip netns add ${name}
      ip link add eth1 netns ${this.name} type veth peer name eth0 netns ${name}
      ip -n ${this.name} addr add ${network}1/24 dev eth1
      ip -n ${this.name} addr add ${network6}1/64 dev eth1 nodad
      ip -n ${this.name} link set eth1 up
      ip netns exec ${this.name} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
      ip -n ${name} link set lo up
      ip -n ${name} addr add ${host.address}/24 dev eth0
      ip -n ${name} addr add ${host.address6}/64 dev eth0 nodad
      ip -n ${name} link set eth0 up
      ip -n ${name} route add default via ${network}1
      ip -n ${name} route add default via ${network6}1`,
    );
    return host;
  }

  /**
   * A host behind several of these, with an address of its own and a link to each: `eth0`, `eth1`, …, on which it has `${network}5` and
   * the other one `${network}1`. Who routes what is not said yet.
   */
  static async behindAll(
    lab: Lab,
    name: string,
    [address, address6]: readonly [string, string],
    routers: readonly Uplink[],
  ): Promise<Client> {
    const host = new Client(lab, name, address, address6);
    await host.remove();
    await lab.on(
      lab.outside,
      `set -e
      ip netns add ${name}
      ip -n ${name} link set lo up
      ip -n ${name} addr add ${address}/32 dev lo
      ip -n ${name} addr add ${address6}/128 dev lo
      ip netns exec ${name} sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1`,
    );
    for (const [index, { router, network, network6 }] of routers.entries()) {
      await lab.on(
        lab.outside,
        `set -e
        ip link add eth1 netns ${router.name} type veth peer name eth${index} netns ${name}
        ip -n ${router.name} addr add ${network}1/24 dev eth1
        ip -n ${router.name} addr add ${network6}1/64 dev eth1 nodad
        ip -n ${router.name} link set eth1 up
        ip netns exec ${router.name} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
        ip -n ${name} addr add ${network}5/24 dev eth${index}
        ip -n ${name} addr add ${network6}5/64 dev eth${index} nodad
        ip -n ${name} link set eth${index} up`,
      );
    }
    return host;
  }

  /** Starts a web server whose `/cgi-bin/who` tells who asks. */
  async serve(...ports: readonly number[]): Promise<void> {
    for (const port of ports) await this.run(`busybox httpd -p ${port} -h /var/www`);
  }

  override run(script: string, options: RunOptions = {}): Promise<string> {
    return this.lab.on(
      this.lab.outside,
      `ip netns exec ${this.name} sh -ec '${script.replace(/'/g, `'\\''`)}'`,
      options,
    );
  }

  async remove(): Promise<void> {
    await this.lab.on(
      this.lab.outside,
      `ip netns pids ${this.name} 2>/dev/null | xargs -r kill -9
      ip netns del ${this.name} 2>/dev/null
      ip link del out-${this.name} 2>/dev/null
      rm -rf /etc/netns/${this.name} /run/host/${this.name}`,
    );
  }
}

/** A machine of the cluster itself. */
export class Node extends Host {
  constructor(
    private readonly lab: Lab,
    private readonly machine: Machine,
  ) {
    super(machine.name);
  }

  get address(): string {
    return this.machine.address;
  }

  get address6(): string {
    return this.machine.address6;
  }

  override run(script: string, options: RunOptions = {}): Promise<string> {
    return this.lab.on(this.machine, `set -e\n${script}`, options);
  }
}

/** A pod with the tools, which may do everything. */
export class Pod extends Host {
  private constructor(
    private readonly lab: Lab,
    private readonly namespace: string,
    name: string,
    readonly address: string,
    readonly address6: string,
  ) {
    super(name);
  }

  static async make(lab: Lab, namespace: string, name: string, node: string): Promise<Pod> {
    await lab.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'tools',
            image: TOOLS_IMAGE,
            command: ['sleep', 'infinity'],
            securityContext: { privileged: true },
          },
        ],
      },
    });
    await lab.kubectl(['-n', namespace, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s']);
    const [address = '', address6 = ''] = (
      await lab.kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.podIPs[*].ip}'])
    ).split(' ');
    return new Pod(lab, namespace, name, address, address6);
  }

  override run(script: string, options: RunOptions = {}): Promise<string> {
    const into = options.input === undefined ? [] : ['-i'];
    return this.lab.kubectl(['-n', this.namespace, 'exec', ...into, this.name, '--', 'sh', '-ec', script], options);
  }
}

/** A container of a pod, with the tools. */
export class Container extends Host {
  /** @param pod - as kubectl names it: `deploy/site-ipsec-a` */
  constructor(
    private readonly lab: Lab,
    private readonly namespace: string,
    private readonly pod: string,
    name: string,
  ) {
    super(name);
  }

  override run(script: string, options: RunOptions = {}): Promise<string> {
    const container = [this.pod, '-c', this.name];
    return this.lab.kubectl(['-n', this.namespace, 'exec', '-i', ...container, '--', 'sh', '-ec', script], options);
  }
}

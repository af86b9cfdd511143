/** A host outside of the cluster: a network namespace on the machine outside, with an address of its own. */
import type { Lab } from './lab';
import { LabError, type RunOptions } from './processes';
import { OUTSIDE } from './settings';

export class Client {
  private constructor(
    private readonly lab: Lab,
    readonly name: string,
    readonly address: string,
    readonly address6: string,
  ) {}

  static async make(lab: Lab, name: string, index: number): Promise<Client> {
    const client = new Client(lab, name, `203.0.113.${20 + index}`, `2001:db8:113::${20 + index}`);
    await client.remove();
    await lab.on(
      lab.outside,
      `set -e
      mkdir -p /etc/netns/${name} /run/client/${name}
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

  /** Runs a shell script there. */
  run(script: string, options: RunOptions = {}): Promise<string> {
    return this.lab.on(
      this.lab.outside,
      `ip netns exec ${this.name} sh -ec '${script.replace(/'/g, `'\\''`)}'`,
      options,
    );
  }

  /** Starts the tunnel of a file of wg-quick, instead of another one. */
  async connect(file: string): Promise<void> {
    await this.disconnect();
    await this.lab.on(this.lab.outside, `umask 077; cat >/run/client/${this.name}/vpn.conf`, { input: file });
    await this.run(`wg-quick up /run/client/${this.name}/vpn.conf`);
  }

  async disconnect(): Promise<void> {
    await this.run(`[ ! -e /sys/class/net/vpn ] || wg-quick down /run/client/${this.name}/vpn.conf`);
  }

  /**
   * @returns the times, as `minimum/mean/maximum/deviation ms`
   * @throws unless every answer comes
   */
  async ping(address: string, count = 3): Promise<string> {
    const said = await this.run(`ping -n -q -c ${count} -i 0.3 -W 3 ${address} || :`);
    if (!said.includes(` ${count} received`)) throw new LabError(`ping ${address}: ${said.trim()}`);
    return /^rtt.*= (.*)$/m.exec(said)?.[1] ?? '';
  }

  /** What a web server answers. */
  get(url: string): Promise<string> {
    return this.run(`curl -sS -f -m 10 ${url}`);
  }

  async remove(): Promise<void> {
    await this.lab.on(
      this.lab.outside,
      `ip netns pids ${this.name} 2>/dev/null | xargs -r kill -9
      ip netns del ${this.name} 2>/dev/null
      ip link del out-${this.name} 2>/dev/null
      rm -rf /etc/netns/${this.name} /run/client/${this.name}`,
    );
  }
}

/** FRR on a host outside. */
import type { Client } from './host';
import { until } from './processes';

const DAEMONS = ['mgmtd', 'zebra', 'bgpd', 'bfdd'];

/** A router that speaks BGP: each has its own sockets, by the name of its host (`-N` of FRR). */
export class Speaker {
  constructor(readonly host: Client) {}

  private get folders(): string {
    return `/var/run/frr/${this.host.name} /etc/frr/${this.host.name}`;
  }

  /** Configures it with files in the format of frr.conf(5), one after the other, and starts it. */
  async start(...files: readonly string[]): Promise<void> {
    const { name } = this.host;
    await this.host.run(
      `rm -rf ${this.folders}
      install -d -o frr -g frr ${this.folders}
      echo 'service integrated-vtysh-config' >/etc/frr/${name}/vtysh.conf
      for daemon in ${DAEMONS.join(' ')}; do
        setsid /usr/lib/frr/$daemon -N ${name} -P 0 --log stdout </dev/null >/root/${name}-$daemon.log 2>&1 &
      done`,
    );
    const sockets = DAEMONS.map((daemon) => `[ -S /var/run/frr/${name}/${daemon}.vty ]`);
    await until('the daemons of FRR', 60, () => this.host.run(sockets.join(' && ')), 1);
    await this.load(...files);
  }

  /** Reads more configuration. */
  async load(...files: readonly string[]): Promise<void> {
    for (const text of files) {
      const file = `/etc/frr/${this.host.name}/more.conf`;
      await this.host.run(`cat >${file}; vtysh -N ${this.host.name} -f ${file}`, { input: text });
    }
  }

  /** What commands of vtysh(1) say. */
  ask(...commands: readonly string[]): Promise<string> {
    return this.host.run(`vtysh -N ${this.host.name} ${commands.map((command) => `-c '${command}'`).join(' ')}`);
  }

  async stop(): Promise<void> {
    await this.host.run(
      `for file in /var/run/frr/${this.host.name}/*.pid; do kill -KILL "$(cat "$file")" 2>/dev/null || :; done
      rm -rf ${this.folders}`,
    );
  }
}

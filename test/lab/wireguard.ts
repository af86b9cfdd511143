/** What the scenarios of the WireGuard chart have in common. */
import { cli } from './parts';
import { LabError, until } from './processes';
import type { Host } from './host';
import { same, type Context } from './scenario';
import { TOOLS_IMAGE, type Machine } from './settings';
import { newWireguardPrivateKey, wireguardPublicKey } from '../../lib/net/wireguard-key';

export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

export function keyPair(): KeyPair {
  const key = newWireguardPrivateKey();
  return { private: key, public: wireguardPublicKey(key) };
}

/** A release of the chart, and what its user knows of it. */
export class WireGuard {
  readonly name: string;

  private constructor(
    private readonly context: Context,
    readonly release: string,
    readonly values: string,
  ) {
    this.name = `${release}-wireguard`;
  }

  /**
   * Installs the chart as a user would.
   *
   * @param key - of the server, in a Secret; without it the pod makes one
   * @param addresses - what the Service gets from a load balancer, for which `helm --wait` waits
   */
  static async install(
    context: Context,
    release: string,
    values: object,
    key?: KeyPair,
    addresses: readonly string[] = [],
  ): Promise<WireGuard> {
    const wireguard = await WireGuard.prepare(context, release, values, key);
    await Promise.all([
      wireguard.helm('install'),
      addresses.length === 0 ? undefined : context.balance(wireguard.name, ...addresses),
    ]);
    return wireguard;
  }

  /** Makes the Secret of the private key and the values file, and installs nothing. */
  static async prepare(context: Context, release: string, values: object, key?: KeyPair): Promise<WireGuard> {
    if (key !== undefined) {
      const secret = `${release}-wireguard-private-key`;
      const from = `--from-file=private-key=${context.file('server.key', key.private)}`;
      await context.kubectl('create', 'secret', 'generic', secret, from);
    }
    // YAML contains JSON.
    const pinned = { ...(key === undefined ? {} : { serverPublicKey: key.public }), ...values };
    return new WireGuard(context, release, context.file(`${release}.yaml`, JSON.stringify(pinned)));
  }

  /** Installs it again, after it was uninstalled. */
  async reinstall(): Promise<void> {
    await this.helm('install');
  }

  /** With more values beside those of the installation. */
  async upgrade(values: object): Promise<void> {
    const file = this.context.file(`${this.release}-next.yaml`, JSON.stringify(values));
    await this.helm('upgrade', '-f', file);
  }

  async uninstall(): Promise<void> {
    await this.context.lab.helm([
      ...['uninstall', this.release, '-n', this.context.namespace, '--wait', '--timeout', '3m'],
    ]);
    await this.context.kubectl('wait', '--for=delete', 'pod', '-l', this.selector, '--timeout=120s');
  }

  private helm(verb: 'install' | 'upgrade', ...more: string[]): Promise<string> {
    return this.context.lab.helm([
      ...[verb, this.release, `${this.context.charts}/wireguard`, '-n', this.context.namespace],
      ...['-f', this.values, ...more, '--wait', '--timeout', '5m'],
    ]);
  }

  /** The file of a client, as our command line makes it. */
  clientFile(peer: string, key: KeyPair, endpoint: string): Promise<string> {
    const keyFile = this.context.file(`${peer}.key`, key.private);
    return cli(
      ...['showconf', 'wireguard', peer, '-f', this.values],
      ...['--private-key-file', keyFile, '--set', `endpoint=${endpoint}`],
    );
  }

  get selector(): string {
    return `app.kubernetes.io/instance=${this.release}`;
  }

  /** Runs a shell script in the server's container. */
  exec(script: string, container = 'wireguard'): Promise<string> {
    return this.context.kubectl('exec', `deploy/${this.name}`, '-c', container, '--', 'sh', '-c', script);
  }

  /** The node where it runs, another one, and the addresses of the pod. */
  async place(): Promise<{ node: Machine; other: Machine; podIP: string; podIP6: string }> {
    const newest = '{.items[-1:].spec.nodeName} {.items[-1:].status.podIPs[*].ip}';
    const [name = '', podIP = '', podIP6 = ''] = (await this.newest(newest)).split(' ');
    const node = this.context.lab.machines.find((machine) => machine.name === name);
    const other = this.context.lab.machines.find((machine) => machine.name !== name);
    if (node === undefined || other === undefined) throw new LabError(`the server is on no node of two: ${name}`);
    return { node, other, podIP, podIP6 };
  }

  /** Something of its pod: that of a lost node stays for a while, beside its successor. */
  private newest(path: string): Promise<string> {
    const sorted = ['get', 'pods', '-l', this.selector, '--sort-by=.metadata.creationTimestamp'];
    return this.context.kubectl(...sorted, '-o', `jsonpath=${path}`);
  }

  /** Waits until all of it is Ready. */
  async ready(): Promise<void> {
    await this.context.kubectl('rollout', 'status', `deployment/${this.name}`, '--timeout=180s');
  }

  /** Waits until its pod says that it is not Ready. */
  async unready(): Promise<void> {
    await this.context.kubectl('wait', '--for=condition=Ready=false', 'pod', '-l', this.selector, '--timeout=60s');
  }

  /** @throws unless the containers of its pod were started again so often, in all */
  async restarted(times = 0): Promise<void> {
    const newest = '{.items[-1:].status.containerStatuses[*].restartCount}';
    const counts = await this.newest(newest);
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

/** A pod of the web server. */
export interface WebPod {
  readonly name: string;
  readonly node: string;
  readonly address: string;
  readonly address6: string;
}

/**
 * `/cgi-bin/who` tells the node and who asks, `/cgi-bin/sum` the checksum of what it is sent, `/cgi-bin/slow` a line a second;
 * `/data` is 2 MB.
 */
const WEB_SCRIPT = String.raw`
mkdir -p /www/cgi-bin
cat >/www/cgi-bin/who <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\n\n%s %s' "$NODE" "$(echo "$REMOTE_ADDR" | tr -d '[]' | sed 's/^::ffff://')"
END
cat >/www/cgi-bin/sum <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
head -c "$CONTENT_LENGTH" | sha256sum
END
cat >/www/cgi-bin/slow <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
for second in $(seq 90); do echo "$second"; sleep 1; done
END
chmod 755 /www/cgi-bin/*
head -c 2000000 /dev/urandom >/www/data
exec busybox httpd -f -p 8080 -h /www
`;

/** A web server on every node, behind the Service `web`. */
export async function installWeb(context: Context): Promise<WebPod[]> {
  const labels = { app: 'web' };
  const container = {
    name: 'web',
    image: TOOLS_IMAGE,
    command: ['sh', '-c', WEB_SCRIPT],
    env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
  };
  await context.lab.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'web', namespace: context.namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: context.namespace },
      spec: { selector: labels, ipFamilyPolicy: 'PreferDualStack', ports: [{ port: 80, targetPort: 8080 }] },
    },
  );
  await context.kubectl('rollout', 'status', 'daemonset/web', '--timeout=180s');
  const path = '{range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIPs[*].ip}{"\\n"}{end}';
  const pods = (await context.kubectl('get', 'pods', '-l', 'app=web', '-o', `jsonpath=${path}`)).trim().split('\n');
  return pods.map((line) => {
    const [name = '', node = '', address = '', address6 = ''] = line.split(' ');
    return { name, node, address, address6 };
  });
}

/** Pods on all nodes, the nodes themselves, and services by name, as a client with our DNS reaches them. */
export async function reachesCluster(context: Context, client: Host, web: readonly WebPod[]): Promise<void> {
  for (const { node, address } of web) {
    await context.check(`a pod on ${node}`, async () =>
      same('the answer', (await client.get(`http://${address}:8080/cgi-bin/who`)).split(' ')[0] ?? '', node),
    );
  }
  for (const { name, address } of context.lab.machines) {
    await context.check(`the kubelet of ${name}`, async () => {
      const ask = `curl -sSk -m 10 -o /dev/null -w '%{http_code}' https://${address}:10250/healthz`;
      same('the answer', await client.run(ask), '401');
    });
  }
  for (const name of [`web.${context.namespace}.svc.cluster.local`, 'web']) {
    await context.check(`the Service ${name}, through the DNS of the chart`, async () => {
      await client.get(`http://${name}/cgi-bin/who`);
    });
  }
}

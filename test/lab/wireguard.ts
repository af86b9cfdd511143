/** What the scenarios of the WireGuard chart have in common. */
import { cli } from './parts';
import type { Host } from './host';
import { Release } from './release';
import { same, type Context } from './scenario';
import { TOOLS_IMAGE } from './settings';
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
export class WireGuard extends Release {
  private constructor(
    context: Context,
    release: string,
    readonly values: string,
  ) {
    super(context, release, 'wireguard');
  }

  /**
   * Makes the Secret of the private key, and installs the chart as a user would.
   *
   * @param key - of the server, in a Secret; without it the pod makes one
   * @param addresses - what the Service gets from a load balancer, for which `helm --wait` waits
   */
  static async installed(
    context: Context,
    release: string,
    values: object,
    key?: KeyPair,
    addresses: readonly string[] = [],
  ): Promise<WireGuard> {
    const wireguard = await WireGuard.prepare(context, release, values, key);
    await Promise.all([
      wireguard.install(),
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

  async install(): Promise<void> {
    await this.helm('install', this.values);
  }

  /** With more values beside those of the installation. */
  async upgrade(values: object): Promise<void> {
    const file = this.context.file(`${this.release}-next.yaml`, JSON.stringify(values));
    await this.helm('upgrade', this.values, file);
  }

  /** The file of a client, as our command line makes it. */
  clientFile(peer: string, key: KeyPair, endpoint: string): Promise<string> {
    const keyFile = this.context.file(`${peer}.key`, key.private);
    return cli(
      ...['showconf', 'wireguard', peer, '-f', this.values],
      ...['--private-key-file', keyFile, '--set', `endpoint=${endpoint}`],
    );
  }

  /** Runs a shell script in the server's container. */
  exec(script: string, container = 'wireguard'): Promise<string> {
    return this.context.kubectl('exec', `deploy/${this.name}`, '-c', container, '--', 'sh', '-c', script);
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

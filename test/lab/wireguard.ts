/** What the scenarios of the WireGuard chart have in common. */
import { generateKeyPairSync } from 'node:crypto';
import { cli } from './parts';
import type { Context } from './scenario';
import { TOOLS_IMAGE } from './settings';

export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** As `wg genkey` and `wg pubkey` make them. */
export function keyPair(): KeyPair {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const base64 = (text: string): string => Buffer.from(text, 'base64url').toString('base64');
  return { private: base64(d), public: base64(x) };
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

  /** Makes the Secret of the private key, and installs the chart as a user would. */
  static async install(context: Context, release: string, values: object, key: KeyPair): Promise<WireGuard> {
    const secret = `${release}-wireguard-private-key`;
    const from = `--from-file=private-key=${context.file('server.key', key.private)}`;
    await context.kubectl('create', 'secret', 'generic', secret, from);
    // YAML contains JSON.
    const file = context.file(`${release}.yaml`, JSON.stringify({ serverPublicKey: key.public, ...values }));
    const wireguard = new WireGuard(context, release, file);
    await wireguard.helm('install');
    return wireguard;
  }

  async upgrade(values: object): Promise<void> {
    const file = this.context.file(`${this.release}-next.yaml`, JSON.stringify(values));
    await this.helm('upgrade', '-f', file);
  }

  private helm(verb: 'install' | 'upgrade', ...more: string[]): Promise<string> {
    return this.context.lab.helm([
      ...[verb, this.release, `${this.context.charts}/wireguard`, '-n', this.context.namespace],
      ...['-f', this.values, ...more, '--wait', '--timeout', '3m'],
    ]);
  }

  /** The file of a client, as our command line makes it. */
  clientFile(peer: string, key: KeyPair, endpoint: string): Promise<string> {
    const keyFile = this.context.file(`${peer}.key`, key.private);
    return cli(
      'showconf',
      'wireguard',
      peer,
      '-f',
      this.values,
      '--private-key-file',
      keyFile,
      '--set',
      `endpoint=${endpoint}`,
    );
  }

  /** Runs a shell script in the server's container. */
  exec(script: string, container = 'wireguard'): Promise<string> {
    return this.context.kubectl('exec', `deploy/${this.name}`, '-c', container, '--', 'sh', '-c', script);
  }

  /** The name of the node where it runs, and the address of the pod. */
  async place(): Promise<{ node: string; podIP: string }> {
    const selector = `app.kubernetes.io/instance=${this.release}`;
    const path = '{.items[0].spec.nodeName} {.items[0].status.podIP}';
    const [node = '', podIP = ''] = (
      await this.context.kubectl('get', 'pods', '-l', selector, '-o', `jsonpath=${path}`)
    ).split(' ');
    return { node, podIP };
  }
}

/** A web server on every node that tells its node and who asks, behind the Service `web`. */
export async function installWeb(context: Context): Promise<Map<string, string>> {
  const labels = { app: 'web' };
  const script = [
    'mkdir -p /www/cgi-bin',
    `printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\n\\\\n$NODE $REMOTE_ADDR\\\\n"\\n' >/www/cgi-bin/who`,
    'chmod 755 /www/cgi-bin/who',
    'exec busybox httpd -f -p 8080 -h /www',
  ].join('\n');
  await context.lab.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'web', namespace: context.namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: 'web',
                image: TOOLS_IMAGE,
                command: ['sh', '-c', script],
                env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
              },
            ],
          },
        },
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
  const path = '{range .items[*]}{.spec.nodeName} {.status.podIP}{"\\n"}{end}';
  const pods = (await context.kubectl('get', 'pods', '-l', 'app=web', '-o', `jsonpath=${path}`)).trim().split('\n');
  return new Map(pods.map((line) => line.split(' ') as [string, string]));
}

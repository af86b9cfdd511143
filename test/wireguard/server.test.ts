import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { wireguard } from '../../charts/wireguard';
import type { JsonObject } from '../../lib/helm/values-file';
import type { KubernetesObject } from '../../lib/staged/resource';
import { describeWith } from '../left-out';
import { tools } from '../tools';

// What of the values is in which object: a change that leaves the Deployment as it is does not restart the pod.

const aKey = (byte: number): string => Buffer.alloc(32, byte).toString('base64');

/** A values file of these peers, with a private key in a Secret. */
const withPeers = (peers: JsonObject, more: JsonObject = {}): JsonObject => ({
  privateKey: { existingSecret: 'wireguard-server' },
  peers,
  ...more,
});
const aPeer = (number: number, more: JsonObject = {}): JsonObject => ({
  publicKey: aKey(number),
  addresses: [`10.13.13.${String(number)}`],
  ...more,
});
const inSecret = (existingSecret: string, key?: string): JsonObject => ({
  presharedKey: { existingSecret, ...(key !== undefined && { key }) },
});
const given = (number: number): JsonObject => ({ presharedKey: { value: aKey(100 + number) } });

function objectOf(values: JsonObject, kind: string, suffix = ''): KubernetesObject {
  const name = `vpn-wireguard${suffix}`;
  const found = wireguard.objects({ values }).find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}
const deployment = (values: JsonObject) => objectOf(values, 'Deployment') as unknown as Deployment;
const wgConf = (values: JsonObject) => (objectOf(values, 'ConfigMap') as unknown as ConfigMap).data['wg.conf'];

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly { readonly name: string; readonly secret?: JsonObject }[];
        readonly containers: readonly {
          readonly name: string;
          readonly command?: readonly string[];
          readonly volumeMounts: readonly Mount[];
        }[];
      };
    };
  };
}
interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

/** The Secrets with pre-shared keys that are mounted: their volumes and mounts, by the name of the volume. */
function mounted(values: JsonObject): Record<string, { secret: JsonObject | undefined; mount: Mount | undefined }> {
  const { volumes, containers } = deployment(values).spec.template.spec;
  const server = containers.find(({ name }) => name === 'wireguard');
  const isOurs = (name: string): boolean => name === 'given-keys' || name.startsWith('psk-');
  const names = volumes.map(({ name }) => name).filter(isOurs);
  const mounts = server?.volumeMounts.filter(({ name }) => isOurs(name)) ?? [];
  expect(mounts.map(({ name }) => name)).toEqual(names);
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        secret: volumes.find((volume) => volume.name === name)?.secret,
        mount: mounts.find((mount) => mount.name === name),
      },
    ]),
  );
}

describe('what does not restart the pod', () => {
  const values = withPeers({
    alice: aPeer(2, inSecret('wireguard-psk', 'alice')),
    bob: aPeer(3, { allow: { wiki: { networks: ['10.96.12.7'] } } }),
  });
  const { alice, bob } = values['peers'] as { alice: JsonObject; bob: JsonObject };

  test.each<[string, JsonObject]>([
    ['one more peer without a pre-shared key', { alice, bob, carol: aPeer(4) }],
    ['one more peer with a given key', { alice, bob, carol: aPeer(4, given(4)) }],
    ['one more peer in a Secret that is named already', { alice, bob, carol: aPeer(4, inSecret('wireguard-psk')) }],
    ['a peer before all others in that Secret', { aaron: aPeer(4, inSecret('wireguard-psk', 'aaron')), alice, bob }],
    ['a pre-shared key for a peer that had none', { alice, bob: { ...bob, ...inSecret('wireguard-psk', 'bob') } }],
    ['another key of the Secret', { alice: { ...alice, ...inSecret('wireguard-psk', 'alice-2') }, bob }],
    ['a changed public key', { alice: { ...alice, publicKey: aKey(9) }, bob }],
    ['a changed address', { alice: { ...alice, addresses: ['10.13.13.9'] }, bob }],
    ['a changed rule', { alice, bob: { ...bob, allow: { wiki: { networks: ['10.96.12.8'] } } } }],
    ['a rule for a peer that had none', { alice: { ...alice, allow: {} }, bob }],
    ['a peer less', { alice }],
  ])('%s', (_, peers) => {
    const changed = { ...values, peers };
    expect(wireguard.objects({ values: changed })).not.toEqual(wireguard.objects({ values }));
    expect(deployment(changed)).toEqual(deployment(values));
  });

  test('the first peer with a given key, and the last one less', () => {
    const none = withPeers({ alice: aPeer(2) });
    const one = withPeers({ alice: aPeer(2, given(2)) });
    const kinds = (of: JsonObject) => wireguard.objects({ values: of }).map(({ kind }) => kind);
    expect([kinds(none).includes('Secret'), kinds(one).includes('Secret')]).toEqual([false, true]);
    expect(deployment(one)).toEqual(deployment(none));
  });

  test('the first peer of a new Secret does, and the last one of a Secret', () => {
    const more = { ...values, peers: { alice, bob, carol: aPeer(4, inSecret('other-psk')) } };
    expect(deployment(more)).not.toEqual(deployment(values));
    expect(Object.keys(mounted(more))).toHaveLength(Object.keys(mounted(values)).length + 1);
    expect(Object.keys(mounted({ ...values, peers: { bob } }))).toEqual(['given-keys']);
  });
});

describe('where the pre-shared keys are', () => {
  const long = `${'psk.'.repeat(62)}keys`;
  const values = withPeers({
    alice: aPeer(2, inSecret('wireguard-psk', 'alice')),
    bob: aPeer(3, inSecret('b-psk')),
    carol: aPeer(4, inSecret('wireguard-psk')),
    dave: aPeer(5, given(5)),
    erin: aPeer(6, inSecret(long)),
    frank: aPeer(7),
  });

  test('every Secret is mounted whole and once, for root alone, in a folder of its name', () => {
    const secret = (secretName: string) => ({ secretName, defaultMode: 0o400 });
    const mount = (name: string, path: string) => ({ name, mountPath: `/etc/wireguard/${path}`, readOnly: true });
    // The first 16 characters of `printf %s NAME | sha256sum`.
    const names = { b: 'psk-ee377497f9bb0ec8', long: 'psk-dcdff14189a6eb87', psk: 'psk-27b6dcfdd9f73738' };
    expect(mounted(values)).toEqual({
      'given-keys': {
        secret: { ...secret('vpn-wireguard-keys'), optional: true },
        mount: mount('given-keys', 'given-keys'),
      },
      [names.b]: { secret: secret('b-psk'), mount: mount(names.b, 'preshared-keys/b-psk') },
      [names.long]: { secret: secret(long), mount: mount(names.long, `preshared-keys/${long}`) },
      [names.psk]: { secret: secret('wireguard-psk'), mount: mount(names.psk, 'preshared-keys/wireguard-psk') },
    });
  });

  test('wg.conf names the file of every peer that has one', () => {
    const lines = wgConf(values)?.match(/^# .*$/gm);
    expect(lines).toEqual([
      '# name = alice',
      '# preshared-key = preshared-keys/wireguard-psk/alice',
      '# name = bob',
      '# preshared-key = preshared-keys/b-psk/preshared-key',
      '# name = carol',
      '# preshared-key = preshared-keys/wireguard-psk/preshared-key',
      '# name = dave',
      '# preshared-key = given-keys/preshared-key.dave',
      '# name = erin',
      `# preshared-key = preshared-keys/${long}/preshared-key`,
      '# name = frank',
    ]);
    expect(wgConf(values)).toContain(
      `# name = dave\n# preshared-key = given-keys/preshared-key.dave\n[Peer]\nPublicKey = ${aKey(5)}\n`,
    );
  });
});

test('a given key is in the Secret of the chart and nowhere else', () => {
  const privateKey = aKey(200);
  const values = withPeers(
    { alice: aPeer(2, given(2)), bob: aPeer(3, { ...given(3), allow: {} }), carol: aPeer(4) },
    { privateKey: { value: privateKey } },
  );
  const keys = { 'private-key': privateKey, 'preshared-key.alice': aKey(102), 'preshared-key.bob': aKey(103) };
  const objects = wireguard.objects({ values });
  const secret = objectOf(values, 'Secret', '-keys');
  expect(secret['stringData']).toEqual(keys);
  expect(objects.filter(({ kind }) => kind === 'Secret')).toHaveLength(1);
  const elsewhere = [...objects.filter(({ kind }) => kind !== 'Secret'), { ...secret, stringData: {} }];
  const text = `${JSON.stringify(elsewhere)}\n${wireguard.notes({ values }) ?? ''}`;
  expect(text).toContain(aKey(2));
  for (const key of Object.values(keys)) {
    for (const form of [
      key.slice(0, 43),
      Buffer.from(key).toString('base64').slice(0, 56),
      Buffer.from(key, 'base64').toString('hex'),
    ])
      expect(text).not.toContain(form);
  }
});

describeWith(['root', 'linux', 'busybox'], 'the health server, as the first process of its container', () => {
  const containers = deployment(withPeers({})).spec.template.spec.containers;
  const [, , command = ''] = containers.find(({ name }) => name === 'health')?.command ?? [];

  /** Whether a shell command of busybox ends within 2 s of being asked to, once a program of that name runs. */
  async function ends(script: string): Promise<boolean> {
    const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc'];
    const child = spawn('unshare', [...namespace, tools.command('busybox'), 'sh', '-c', script], { stdio: 'ignore' });
    try {
      const exit = once(child, 'exit').then(([code]) => code === 0);
      await setTimeout(1000);
      expect(child.exitCode).toBeNull();
      expect(spawnSync('pkill', ['-TERM', '-P', String(child.pid)]).status).toBe(0);
      return await Promise.race([exit, setTimeout(2000, false)]);
    } finally {
      child.kill('SIGKILL');
    }
  }

  test('ends when it is asked to', async () => {
    expect(command).toMatch(/httpd -f -p 8080 -h \/www/);
    // On a port and in a folder of this machine.
    expect(await ends(command.replace('8080', '18080').replace('/www', '/tmp'))).toBe(true);
  });

  test('by itself it would not', async () => {
    expect(await ends('exec httpd -f -p 18081 -h /tmp')).toBe(false);
  });
});

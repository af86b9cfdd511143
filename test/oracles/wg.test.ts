import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../lib/helm/values-file';
import { kiloClientConf } from '../../lib/kilo/client';
import { newWireguardPrivateKey, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { CHARTS } from '../../charts';
import { describeWith } from '../left-out';
import { wireguardConfig, scenariosOf, type Scenario } from './scenarios';

jest.setTimeout(120_000);

/**
 * Sets the configuration and synchronises it on a userspace device in a namespace of its own, where every host name has an
 * address, and prints the peers that the device then has.
 */
const PROBE = `
set -e
cp "$FOLDER/hosts" "$FOLDER/hosts.used"
mount --bind "$FOLDER/hosts.used" /etc/hosts
ip link set lo up
WG_PROCESS_FOREGROUND=1 wireguard-go -f wg0 >/dev/null 2>&1 &
pid=$!
trap 'kill $pid' EXIT
for i in $(seq 100); do [ -S /var/run/wireguard/wg0.sock ] && break; sleep 0.05; done
wg setconf wg0 "$FOLDER/wg.conf"
wg syncconf wg0 "$FOLDER/wg.conf"
wg show wg0 dump
`;

interface Peer {
  /** None if the pod makes it. */
  readonly publicKey?: string;
  readonly addresses: readonly string[];
  readonly routedNetworks?: readonly string[] | null;
}

function peersOf({ peers = {} }: JsonObject): Peer[] {
  return Object.values(peers as unknown as Readonly<Record<string, Peer>>);
}

describeWith(['wg', 'wireguard-go', 'root', 'netns', 'tun'], 'wg takes the configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-vpn-wg-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function apply(text: string): { status: number | null; stdout: string; stderr: string } {
    const hosts = [...text.matchAll(/^Endpoint = ([A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*):/gm)].map(
      ([, host]) => `192.0.2.1 ${host ?? ''}`,
    );
    writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost\n${hosts.join('\n')}\n`);
    writeFileSync(join(folder, 'wg.conf'), text);
    return spawnSync(
      'unshare',
      [
        '--net',
        '--mount',
        'sh',
        '-c',
        `mkdir -p /var/run/wireguard && mount -t tmpfs none /var/run/wireguard\n${PROBE}`,
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, FOLDER: folder },
      },
    );
  }

  test.each(scenariosOf('wireguard'))('of $name, and has the peers that the values name', ({ values }: Scenario) => {
    const generated: string[] = [];
    // As the pod puts in the public keys that it makes.
    const conf = (wireguardConfig(values)['wg.conf'] ?? '').replace(/(# generated\n\[Peer\]\n)/g, (head) => {
      const publicKey = randomBytes(32).toString('base64');
      generated.push(publicKey);
      return `${head}PublicKey = ${publicKey}\n`;
    });
    const { status, stdout, stderr } = apply(conf);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, ...peers] = stdout.trimEnd().split('\n');
    const found = new Map(
      peers.map((line) => line.split('\t')).map(([key = '', , , allowed = '']) => [key, allowed.split(',')]),
    );
    const wanted = peersOf(values);
    const given = wanted.flatMap(({ publicKey }) => (publicKey === undefined ? [] : [publicKey]));
    expect([...found.keys()].sort()).toEqual([...given, ...generated].sort());
    expect(generated).toHaveLength(wanted.length - given.length);
    for (const { publicKey, addresses, routedNetworks } of wanted) {
      if (publicKey === undefined) continue;
      expect(found.get(publicKey)).toHaveLength(addresses.length + (routedNetworks ?? []).length);
    }
  });

  test('of a peer of Kilo, in which networks of two nodes are of the last one', () => {
    const [privateKey, ...keys] = Array.from({ length: 5 }, newWireguardPrivateKey) as [string, ...string[]];
    const [alice = '', bob = '', node1 = '', node2 = ''] = keys.map(wireguardPublicKey);
    const values = {
      meshGranularity: 'full',
      client: { persistentKeepaliveSeconds: 0 },
      peers: {
        alice: { publicKey: alice, addresses: ['10.5.0.1'], endpoint: 'alice.example.com:51999' },
        bob: {
          publicKey: bob,
          addresses: ['10.5.0.2', 'fd00:5::2'],
          presharedKey: { value: newWireguardPrivateKey() },
        },
      },
    };
    const node = (name: string, publicKey: string, endpoint: string) => ({
      ...{ name, publicKey, endpoint, podCidr: `10.244.${name.slice(-1)}.0/24`, internalAddress: '192.168.0.1' },
      ...{ location: '', leads: false, isBehindNat: false, locationNetworks: [], seenEndpoints: new Map() },
    });
    const nodes = [node('node1', node1, '192.0.2.7:51820'), node('node2', node2, '[2001:db8::2]:51821')];
    const v = CHARTS.kilo.environment({ values }).values as unknown as Parameters<typeof kiloClientConf>[0];
    const shown = (name: string): string[][] => {
      const line = `PrivateKey = ${privateKey}`;
      const { status, stdout, stderr } = apply(kiloClientConf(v, name, nodes, { privateKey: line, format: 'wg' }));
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      return stdout
        .trimEnd()
        .split('\n')
        .map((one) => one.split('\t'));
    };
    const [own, ...peers] = shown('alice');
    expect(own?.[2]).toBe('51999');
    const found = new Map(
      peers.map(([key, , endpoint, allowed, , , , keepalive]) => [key, [endpoint, allowed, keepalive]]),
    );
    expect(found).toEqual(
      new Map([
        [node1, ['192.0.2.7:51820', '10.244.1.0/24,10.4.0.1/32', 'off']],
        [node2, ['[2001:db8::2]:51821', '10.244.2.0/24,192.168.0.1/32,10.4.0.2/32', 'off']],
        [bob, ['(none)', '10.5.0.2/32,fd00:5::2/128', 'off']],
      ]),
    );
    const secret = values.peers.bob.presharedKey.value;
    expect(
      new Map(
        shown('bob')
          .slice(1)
          .map(([key, psk]) => [key, psk]),
      ),
    ).toEqual(
      new Map([
        [node1, secret],
        [node2, secret],
        [alice, '(none)'],
      ]),
    );
  });

  const [first] = scenariosOf('wireguard');
  const good = wireguardConfig(first?.values ?? {})['wg.conf'] ?? '';
  test.each([
    ['a key of the wrong length', /^PublicKey = .*$/m, 'PublicKey = c2hvcnQ='],
    ['an unknown line', /^ListenPort = /m, 'MTU = 1420\nListenPort = '],
    ['an address that is none', /^AllowedIPs = .*$/m, 'AllowedIPs = 10.13.13.256'],
    ['a port that is none', /^ListenPort = .*$/m, 'ListenPort = many'],
  ])('but refuses it with %s', (_what, line, bad) => {
    expect(good).toMatch(line);
    expect(apply(good.replace(line, bad)).status).not.toBe(0);
  });
});

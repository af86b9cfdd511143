import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../lib/helm/values-file';
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

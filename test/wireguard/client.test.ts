import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import type { JsonObject } from '../../lib/helm/values-file';
import { isIpv6 } from '../../lib/net/address';
import { firstHost, networkBits } from '../../lib/net/cidr';
import { newWireguardPrivateKey, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { scenariosOf } from '../oracles/scenarios';
import { importClientFile } from './importer';

/** What the files need of the values. */
interface Values {
  readonly endpoint?: string;
  readonly network: string;
  readonly network6?: string;
  readonly dns: { readonly mode: string };
  readonly client: { readonly allowedIPs: readonly string[]; readonly persistentKeepaliveSeconds: number };
  readonly peers: Readonly<Record<string, Peer>>;
}
interface Peer {
  readonly addresses: readonly string[];
  readonly routedNetworks?: readonly string[];
  readonly presharedKey?: unknown;
  readonly client?: { readonly allowedIPs?: readonly string[] };
}

/** The file of one client of a scenario, and what it is made of. */
interface Client {
  readonly scenario: string;
  readonly name: string;
  readonly values: Values;
  readonly peer: Peer;
  readonly keys: { readonly privateKey: string; readonly publicKey: string; readonly presharedKey?: string };
  readonly endpoint: string;
  readonly text: (format: 'wg-quick' | 'wg') => string;
}

/** Some of a scenario's peers: the files of hundreds differ in nothing else. */
const PEERS_OF_EACH = 3;

const KEY = wireguardPublicKey(newWireguardPrivateKey());
const LINES = {
  privateKey: '# none',
  publicKey: `PublicKey = ${KEY}`,
  presharedKey: undefined,
  endpoint: 'Endpoint = vpn.example.com:51820',
};

function clientsOf(scenario: string, given: JsonObject): Client[] {
  const values = CHARTS.wireguard.environment({ values: given }).values as unknown as Values;
  const endpoint = values.endpoint ?? '[2001:db8::1]:51820';
  return Object.entries(values.peers)
    .slice(0, PEERS_OF_EACH)
    .map(([name, peer]) => {
      const presharedKey = peer.presharedKey === undefined ? undefined : randomBytes(32).toString('base64');
      const keys = { privateKey: newWireguardPrivateKey(), publicKey: wireguardPublicKey(newWireguardPrivateKey()) };
      const lines = {
        privateKey: `PrivateKey = ${keys.privateKey}`,
        publicKey: `PublicKey = ${keys.publicKey}`,
        presharedKey: presharedKey === undefined ? undefined : `PresharedKey = ${presharedKey}`,
        endpoint: `Endpoint = ${endpoint}`,
      };
      return {
        scenario,
        name,
        values,
        peer,
        keys: presharedKey === undefined ? keys : { ...keys, presharedKey },
        endpoint,
        text: (format) =>
          `${CHARTS.wireguard.text((server) => server.clientConf(name, lines, format), { values: given })}\n`,
      };
    });
}

/** Values with everything that a client's file can say. */
const FULL: JsonObject = {
  network6: 'fd00:13:13::/64',
  mtu: 1400,
  endpoint: 'vpn.example.com:443',
  dns: { mode: 'coredns', searchDomains: ['svc.cluster.local', 'corp.example.com'] },
  client: { allowedIPs: ['10.0.0.0/8'], persistentKeepaliveSeconds: 0, mtu: 1380 },
  peers: {
    alice: {
      publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=',
      addresses: ['10.13.13.2', 'fd00:13:13::2'],
      presharedKey: { existingSecret: 'alice' },
      client: { allowedIPs: ['10.13.13.0/24', 'fd00:13:13::/64'] },
    },
    bob: { publicKey: 'QjPYsYv8IJW4u0ssbSprjZ0DptKrDqtH/grM2CaKv3I=', addresses: ['10.13.13.3'] },
  },
};

const CLIENTS = [
  ...clientsOf('everything', FULL),
  ...scenariosOf('wireguard').flatMap(({ name, values }) => clientsOf(name, values)),
];

test('a file with everything that it can say', () => {
  const [alice] = CLIENTS;
  const { privateKey, publicKey, presharedKey = '' } = alice!.keys;
  const serverLines = [
    '',
    '[Peer]',
    `PublicKey = ${publicKey}`,
    `PresharedKey = ${presharedKey}`,
    'AllowedIPs = 10.13.13.0/24, fd00:13:13::/64',
    'Endpoint = vpn.example.com:443',
    'PersistentKeepalive = 0',
    '',
  ];
  expect(alice!.text('wg-quick').split('\n')).toEqual([
    '# alice',
    '[Interface]',
    `PrivateKey = ${privateKey}`,
    'Address = 10.13.13.2, fd00:13:13::2',
    'DNS = 10.13.13.1, fd00:13:13::1, svc.cluster.local, corp.example.com',
    'MTU = 1380',
    ...serverLines,
  ]);
  expect(alice!.text('wg').split('\n')).toEqual([
    '# alice',
    '[Interface]',
    `PrivateKey = ${privateKey}`,
    ...serverLines,
  ]);
});

/** The networks of the client but its own, and what of the DNS servers in the pod, of its families, is in none of them. */
function allowedIPs(values: Values, peer: Peer): string[] {
  const given = peer.client?.allowedIPs ?? values.client.allowedIPs;
  const own = new Set(peer.routedNetworks?.map(networkBits));
  const others = given.filter((network) => !own.has(networkBits(network)));
  const networks = others.length === 0 ? [...given] : others;
  if (values.dns.mode !== 'coredns') return networks;
  const servers = [values.network, ...(values.network6 === undefined ? [] : [values.network6])].map(firstHost);
  const missing = servers.filter(
    (server) =>
      peer.addresses.some((address) => isIpv6(address) === isIpv6(server)) &&
      !networks.some((network) => networkBits(server).startsWith(networkBits(network))),
  );
  return [...networks, ...missing];
}

describe('the apps import', () => {
  test.each(CLIENTS)('the file of $name of $scenario', ({ text, peer, keys, endpoint, values }) => {
    const tunnel = importClientFile(text('wg-quick'));
    expect(tunnel.interface).toMatchObject({ PrivateKey: keys.privateKey, Address: peer.addresses.join(', ') });
    expect(tunnel.peers).toEqual([
      {
        PublicKey: keys.publicKey,
        ...(keys.presharedKey === undefined ? {} : { PresharedKey: keys.presharedKey }),
        AllowedIPs: allowedIPs(values, peer).join(', '),
        Endpoint: endpoint,
        PersistentKeepalive: String(values.client.persistentKeepaliveSeconds),
      },
    ]);
  });

  test('a network of its own is not sent through the tunnel, unless there is no other', () => {
    const networksOf = (allowed: string[]): string | undefined =>
      CHARTS.wireguard
        .text((server) => server.clientConf('office', LINES, 'wg-quick'), {
          values: {
            client: { allowedIPs: allowed },
            peers: {
              office: {
                publicKey: KEY,
                addresses: ['10.13.13.2'],
                routedNetworks: ['192.168.10.0/24', 'fd00:10::/64'],
              },
            },
          },
        })
        .match(/^AllowedIPs = (.*)$/m)?.[1];
    expect(networksOf(['10.13.13.0/24', 'FD00:10:0::/64', '192.168.10.0/24'])).toBe('10.13.13.0/24');
    expect(networksOf(['192.168.0.0/16'])).toBe('192.168.0.0/16');
    expect(networksOf(['192.168.10.0/24'])).toBe('192.168.10.0/24');
  });

  test.each([
    ['an unknown key', /^MTU = /m, 'Table = off\nMTU = '],
    ['a key of wg-quick alone', /^MTU = /m, 'PostUp = true\nMTU = '],
    ['a key of the other section', /^Endpoint = /m, 'MTU = 1\nEndpoint = '],
    ['a key twice', /^Address = (.*)$/m, 'Address = $1\nAddress = $1'],
    ['a word for no keepalive', /^PersistentKeepalive = .*$/m, 'PersistentKeepalive = off'],
    ['a keepalive that is too long', /^PersistentKeepalive = .*$/m, 'PersistentKeepalive = 65536'],
    ['an address that is none', /^Address = .*$/m, 'Address = 10.13.13.256'],
    ['a prefix length that is none', /^AllowedIPs = .*$/m, 'AllowedIPs = 10.0.0.0/33'],
    ['an endpoint without a port', /^Endpoint = .*$/m, 'Endpoint = vpn.example.com'],
    ['an endpoint without brackets', /^Endpoint = .*$/m, 'Endpoint = 2001:db8::1:51820'],
    ['half a key', /^PublicKey = .{20}/m, 'PublicKey = '],
    ['no private key', /^PrivateKey = /m, '# PrivateKey = '],
    ['two servers', /\n\[Peer\][^]*/, '$&$&'],
  ])('nothing with %s', (_, line, bad) => {
    const good = CLIENTS[0]!.text('wg-quick');
    expect(good).toMatch(line);
    expect(() => importClientFile(good.replace(line, bad))).toThrow();
  });
});

/** Gives every file to one device after the other, and prints what it then has. */
const PROBE = `
mkdir -p /var/run/wireguard && mount -t tmpfs none /var/run/wireguard
mount --bind hosts /etc/hosts
ip link set lo up
WG_PROCESS_FOREGROUND=1 wireguard-go -f wg0 >/dev/null 2>&1 &
trap 'kill $!' EXIT
for i in $(seq 100); do [ -S /var/run/wireguard/wg0.sock ] && break; sleep 0.05; done
for number; do
  wg-quick strip "$PWD/$number.conf" > stripped || exit 1
  for file in stripped "$number.wg"; do
    wg setconf wg0 "$file" 2>setconf.log || echo "refused"
    grep -v '^Warning: AllowedIP has nonzero host part: ' setconf.log
    wg show wg0 dump
    echo
  done
done
`;

describeWith(['wg', 'wireguard-go', 'root', 'netns', 'tun'], 'wg takes', () => {
  /** What the device has after each file: first that of wg-quick, then that of wg. */
  function apply(files: readonly { readonly quick: string; readonly wg: string }[]): string[][] {
    return withFolder((folder) => {
      const hosts = files.flatMap(
        ({ wg }) => /^Endpoint = ([A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*):/m.exec(wg)?.[1] ?? [],
      );
      fs.writeFileSync(path.join(folder, 'hosts'), hosts.map((host) => `192.0.2.1 ${host}\n`).join(''));
      files.forEach(({ quick, wg }, number) => {
        fs.writeFileSync(path.join(folder, `${number}.conf`), quick, { mode: 0o600 });
        fs.writeFileSync(path.join(folder, `${number}.wg`), wg);
      });
      const numbers = files.map((_, number) => String(number));
      const { status, stdout, stderr } = spawnSync(
        'unshare',
        ['--net', '--mount', 'sh', '-c', PROBE, 'sh', ...numbers],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const outcomes = stdout.split('\n\n').slice(0, -1);
      return files.map((_, number) => outcomes.slice(2 * number, 2 * number + 2));
    });
  }

  const filesOf = ({ text }: Client): { quick: string; wg: string } => ({ quick: text('wg-quick'), wg: text('wg') });

  test('every file, in both formats, and has the keys and networks that it names', () => {
    const outcomes = apply(CLIENTS.map(filesOf));
    CLIENTS.forEach(({ keys, peer, values, scenario, name }, number) => {
      const [quick, wg] = outcomes[number] ?? [];
      // The interface's line has a port of its own every time.
      expect(wg?.split('\n').slice(1)).toEqual(quick?.split('\n').slice(1));
      const [own = [], server = [], ...more] = (quick ?? '').split('\n').map((line) => line.split('\t'));
      expect([scenario, name, own[0], own[1]]).toEqual([
        scenario,
        name,
        keys.privateKey,
        wireguardPublicKey(keys.privateKey),
      ]);
      const [publicKey, presharedKey, , allowed, , , , keepalive] = server;
      expect([publicKey, presharedKey]).toEqual([keys.publicKey, keys.presharedKey ?? '(none)']);
      expect(new Set(allowed?.split(',')).size).toBe(new Set(allowedIPs(values, peer).map(networkBits)).size);
      expect(keepalive).toBe(String(values.client.persistentKeepaliveSeconds).replace(/^0$/, 'off'));
      expect(more).toEqual([]);
    });
  });

  test.each([
    ['an unknown line', /^AllowedIPs = /m, 'Networks = 10.0.0.0/8\nAllowedIPs = '],
    ['half a key', /^PublicKey = .{20}/m, 'PublicKey = '],
    ['an endpoint that is none', /^Endpoint = .*$/m, 'Endpoint = vpn'],
  ])('but not %s', (_, line, bad) => {
    const { quick, wg } = filesOf(CLIENTS[0]!);
    expect(wg).toMatch(line);
    const [outcomes] = apply([{ quick: quick.replace(line, bad), wg: wg.replace(line, bad) }]);
    expect(outcomes).toEqual([expect.stringContaining('refused'), expect.stringContaining('refused')]);
  });
});

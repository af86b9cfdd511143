import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describeWith } from '../left-out';

// The scripts against real tools: a server, and two clients with WireGuard of their own, each in a network namespace.
// The server has the rights that the chart gives it: root with NET_ADMIN only, on a read-only root file system.

const SCRIPTS = path.join(__dirname, '../../lib/wireguard');
const NAMES = fs.readdirSync(SCRIPTS).filter((name) => name.endsWith('.sh'));

jest.setTimeout(120_000);

describeWith(['shellcheck', 'dash'], 'shellcheck', () => {
  const check = (file: string) => spawnSync('shellcheck', ['-s', 'sh', file], { encoding: 'utf8' });

  test.each(NAMES)('%s is clean, parses, and is plain ASCII without templating', (name) => {
    const file = path.join(SCRIPTS, name);
    expect(check(file)).toMatchObject({ status: 0, stdout: '' });
    expect(spawnSync('dash', ['-n', file]).status).toBe(0);
    const text = fs.readFileSync(file, 'utf8');
    expect(text).toMatch(/^#!\/bin\/sh\n/);
    expect(text).not.toMatch(/[^\n\t -~]|\{\{|\beval\b/);
  });

  test.each(NAMES)('fails when one line of %s is bad', (name) => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-shellcheck-'));
    try {
      const file = path.join(directory, name);
      const good = fs.readFileSync(path.join(SCRIPTS, name), 'utf8');
      const bad = good.replace('export LC_ALL=C', 'export LC_ALL=$(cat $HOME)');
      expect(bad).not.toBe(good);
      fs.writeFileSync(file, bad);
      const { status, stdout } = check(file);
      expect(status).toBe(1);
      expect(stdout).toContain('SC2086');
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });
});

const NEEDS = [
  'ip',
  'wg',
  'wireguard-go',
  'nft',
  'ping',
  'busybox',
  'dash',
  'setpriv',
  'root',
  'netns',
  'tun',
] as const;

describeWith(NEEDS, 'a server in its own network namespace', () => {
  const id = process.pid.toString(36);
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-device-'));
  const at = (file: string) => path.join(root, file);
  const PORT = 51820;
  const NFT = `table inet vpn
delete table inet vpn
table inet vpn {
  chain forward {
    type filter hook forward priority filter; policy accept;
    meta nfproto ipv4 tcp flags syn / syn,rst tcp option maxseg size > $mss4 tcp option maxseg size set $mss4
    meta nfproto ipv6 tcp flags syn / syn,rst tcp option maxseg size > $mss6 tcp option maxseg size set $mss6
  }
}
`;
  const ONLY_NET_ADMIN = [
    'setpriv',
    '--bounding-set',
    '-all,+net_admin',
    '--inh-caps',
    '-all,+net_admin',
    '--no-new-privs',
  ];

  interface Client {
    name: string;
    namespace: string;
    link: string;
    outer: string;
    serverOuter: string;
    inner: [string, string];
    privateKey: string;
    publicKey: string;
    presharedKey: string;
  }
  const server = { namespace: `vpn-s-${id}`, link: `s${id}`, privateKey: aKey() };
  const names = path.join('/etc/netns', server.namespace);
  const clients = ['alice', 'bob'].map((name, i): Client => {
    const privateKey = aKey();
    return {
      name,
      namespace: `vpn-${name.slice(0, 1)}-${id}`,
      link: `${name.slice(0, 1)}${id}`,
      outer: `192.0.2.${4 * i + 2}`,
      serverOuter: `192.0.2.${4 * i + 1}`,
      inner: [`10.13.13.${i + 2}`, `fd00:13::${i + 2}`],
      privateKey,
      publicKey: publicOf(privateKey),
      presharedKey: randomBytes(32).toString('base64'),
    };
  });
  const [alice, bob] = clients as [Client, Client];
  /** Who has a pre-shared key in the Secret wireguard-psk. */
  const guarded = new Set(['bob']);

  const children = new Map<string, ChildProcess>();
  const log = new Map<string, string>();
  let supervised = true;

  function aKey(): string {
    return execFileSync('wg', ['genkey'], { encoding: 'utf8' }).trim();
  }
  function publicOf(key: string): string {
    return execFileSync('wg', ['pubkey'], { input: key, encoding: 'utf8' }).trim();
  }
  function sh(command: string, ...args: string[]): string {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
  function inside(namespace: string, ...argv: string[]): string {
    return sh('ip', 'netns', 'exec', namespace, ...argv);
  }
  function start(
    name: string,
    namespace: string,
    argv: string[],
    environment: Record<string, string> = {},
  ): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
      env: { PATH: process.env['PATH'] ?? '', TEST_ROOT: root, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    children.set(name, child);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => log.set(name, (log.get(name) ?? '') + data.toString()));
    return child;
  }
  function startServer(): ChildProcess {
    const setup = `mount --bind "$TEST_ROOT" "$TEST_ROOT" && mount -o remount,ro,bind / && exec "$@"`;
    return start(
      'server',
      server.namespace,
      ['sh', '-c', setup, 'sh', ...ONLY_NET_ADMIN, 'dash', path.join(SCRIPTS, 'server.sh')],
      {
        INTERFACE: server.link,
        ADDRESSES: '10.13.13.1/24 fd00:13::1/64',
        LISTEN_PORT: String(PORT),
        USERSPACE: 'true',
        FORWARDING: 'true',
        RESOLVE_SECONDS: '2',
        SILENT_SECONDS: '3',
      },
    );
  }
  /** The userspace container, which the kubelet starts again when it ends. */
  function startUserspace(): void {
    const child = start(
      'userspace',
      server.namespace,
      [...ONLY_NET_ADMIN, 'dash', path.join(SCRIPTS, 'userspace.sh')],
      {
        INTERFACE: server.link,
      },
    );
    child.on('exit', () => {
      children.delete('userspace');
      if (supervised) startUserspace();
    });
  }
  async function until(what: string, is: () => boolean, seconds = 15): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!is()) {
      if (Date.now() > end) {
        const logs = [...log].map(([name, text]) => `--- ${name}\n${text}`).join('\n');
        throw new Error(`not within ${seconds} s: ${what}\n${logs}\n${get('ready')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Replace a mounted directory as the kubelet does: a new directory, and one rename of the link to it. */
  let version = 0;
  function mount(directory: string, files: Record<string, string>): void {
    const now = `..${++version}`;
    fs.mkdirSync(at(`${directory}/${now}`), { recursive: true });
    for (const [name, text] of Object.entries(files))
      fs.writeFileSync(at(`${directory}/${now}/${name}`), text, { mode: 0o400 });
    fs.symlinkSync(now, at(`${directory}/..data_tmp`));
    fs.renameSync(at(`${directory}/..data_tmp`), at(`${directory}/..data`));
    for (const name of fs.readdirSync(at(directory)))
      if (!name.startsWith('..') && !(name in files)) fs.unlinkSync(at(`${directory}/${name}`));
    for (const name of Object.keys(files))
      if (!fs.existsSync(at(`${directory}/${name}`))) fs.symlinkSync(`..data/${name}`, at(`${directory}/${name}`));
  }
  function configure(peers: Client[], { nft = NFT, routes = '', endpoint = '' } = {}): void {
    const blocks = peers.map(
      ({ name, publicKey, inner }) =>
        `# name = ${name}\n${guarded.has(name) ? `# preshared-key = preshared-keys/wireguard-psk/${name}\n` : ''}` +
        `[Peer]\nPublicKey = ${publicKey}\nAllowedIPs = ${inner[0]}/32, ${inner[1]}/128\n` +
        (endpoint === '' ? '' : `Endpoint = ${endpoint}\nPersistentKeepalive = 1\n`),
    );
    mount('etc/wireguard/config', {
      'wg.conf': [`[Interface]\nListenPort = ${PORT}\n`, ...blocks].join('\n'),
      'nftables.conf': nft,
      routes,
    });
  }

  interface PeerState {
    handshake: number;
    received: number;
    sent: number;
  }
  function peers(): Map<string, PeerState> {
    const [, ...lines] = inside(server.namespace, 'wg', 'show', server.link, 'dump').trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [key = '', , , , handshake, received, sent] = line.split('\t');
        return [key, { handshake: Number(handshake), received: Number(received), sent: Number(sent) }];
      }),
    );
  }
  function pings(client: Client, address = '10.13.13.1'): boolean {
    return spawnSync('ip', ['netns', 'exec', client.namespace, 'ping', '-c', '1', '-W', '2', address]).status === 0;
  }
  function get(question: string): string {
    const result = spawnSync('ip', ['netns', 'exec', server.namespace, 'busybox', 'nc', '127.0.0.1', '8080'], {
      input: `GET /cgi-bin/${question} HTTP/1.0\r\n\r\n`,
      encoding: 'utf8',
    });
    return result.stdout;
  }
  const good = (question: string) => /^HTTP\/1\.[01] 200 OK\r\n[^]*\r\n\r\nok\n$/.test(get(question));
  const bad = (question: string, reason: string) => {
    const answer = get(question);
    return (
      /^HTTP\/1\.[01] 503 Service Unavailable\r\n/.test(answer) && answer.includes(reason) && /text\/plain/.test(answer)
    );
  };

  function connect(client: Client): void {
    const { namespace, link, outer, serverOuter } = client;
    sh('ip', 'netns', 'add', namespace);
    sh(
      'ip',
      '-n',
      server.namespace,
      'link',
      'add',
      `to-${client.name}`,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace,
    );
    sh('ip', '-n', server.namespace, 'address', 'add', `${serverOuter}/30`, 'dev', `to-${client.name}`);
    sh('ip', '-n', server.namespace, 'link', 'set', `to-${client.name}`, 'up');
    sh('ip', '-n', namespace, 'address', 'add', `${outer}/30`, 'dev', 'eth0');
    sh('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
    start(client.name, namespace, ['wireguard-go', '-f', link]);
    fs.writeFileSync(at(`${client.name}.key`), client.privateKey, { mode: 0o600 });
    fs.writeFileSync(at(`${client.name}.psk`), client.presharedKey, { mode: 0o600 });
  }
  async function join(client: Client, serverKey: string, presharedKey = '/dev/null'): Promise<void> {
    const show = () => spawnSync('ip', ['netns', 'exec', client.namespace, 'wg', 'show', client.link]).status === 0;
    await until(`${client.name} runs`, show);
    inside(client.namespace, 'wg', 'set', client.link, 'private-key', at(`${client.name}.key`));
    for (const key of inside(client.namespace, 'wg', 'show', client.link, 'peers').split('\n').filter(Boolean))
      inside(client.namespace, 'wg', 'set', client.link, 'peer', key, 'remove');
    const peer = ['peer', serverKey, 'preshared-key', presharedKey, 'endpoint', `${client.serverOuter}:${PORT}`];
    inside(client.namespace, 'wg', 'set', client.link, ...peer, 'allowed-ips', '10.13.13.0/24,fd00:13::/64');
    inside(client.namespace, 'ip', 'address', 'replace', `${client.inner[0]}/24`, 'dev', client.link);
    inside(client.namespace, 'ip', 'address', 'replace', `${client.inner[1]}/64`, 'dev', client.link);
    inside(client.namespace, 'ip', 'link', 'set', client.link, 'up');
  }

  beforeAll(async () => {
    fs.chmodSync(root, 0o755);
    for (const directory of ['run/vpn', 'run/health', 'run/vpn-userspace', 'www/cgi-bin']) {
      fs.mkdirSync(at(directory), { recursive: true });
    }
    sh('ip', 'netns', 'add', server.namespace);
    // What is here stands in the place of the machine's own files of these names: see ip-netns(8).
    fs.mkdirSync(names, { recursive: true });
    fs.writeFileSync(path.join(names, 'hosts'), '');
    inside(server.namespace, 'ip', 'link', 'set', 'lo', 'up');
    inside(
      server.namespace,
      'sh',
      '-c',
      'echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding',
    );
    for (const client of clients) connect(client);
    sh('ip', '-n', server.namespace, 'route', 'add', 'default', 'via', alice.outer);
    mount('etc/wireguard/private-key', { 'private-key': `${server.privateKey}\n` });
    mount('etc/wireguard/preshared-keys/wireguard-psk', { carol: `${randomBytes(32).toString('base64')}\n` });
    configure([alice]);

    // The health container: not root, and busybox's own shell.
    const health = fs
      .readFileSync(path.join(SCRIPTS, 'health.sh'), 'utf8')
      .replace('#!/bin/sh', '#!/usr/bin/env -S busybox sh');
    for (const name of ['live', 'ready']) fs.writeFileSync(at(`www/cgi-bin/${name}`), health, { mode: 0o755 });
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set', '-all'];
    start('health', server.namespace, [...nobody, 'busybox', 'httpd', '-f', '-p', '8080', '-h', at('www')], {
      STALE_SECONDS: '8',
    });
    await until('httpd answers', () => get('live') !== '');
  });

  afterAll(() => {
    supervised = false;
    for (const { pid } of children.values())
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    for (const { namespace } of [server, ...clients]) spawnSync('ip', ['netns', 'delete', namespace]);
    for (const { link } of [server, ...clients]) fs.rmSync(`/var/run/wireguard/${link}.sock`, { force: true });
    for (const folder of [root, names]) fs.rmSync(folder, { recursive: true, force: true });
  });

  test('without a server the health port says stale', () => {
    expect(bad('live', 'stale')).toBe(true);
    expect(bad('ready', 'stale')).toBe(true);
  });

  test('it is refused until forwarding.sh has turned forwarding on', async () => {
    const child = startServer();
    await until('it ends', () => child.exitCode !== null);
    expect(child.exitCode).toBe(1);
    expect(log.get('server')).toContain('net.ipv4.ip_forward is 0 in this pod');
    const environment = ['env', 'FORWARD_IPV4=true', 'FORWARD_IPV6=true'];
    inside(server.namespace, ...environment, 'dash', path.join(SCRIPTS, '../kubernetes/forwarding.sh'));
    expect(inside(server.namespace, 'cat', '/proc/sys/net/ipv4/ip_forward')).toBe('1\n');
    expect(inside(server.namespace, 'cat', '/proc/sys/net/ipv6/conf/all/forwarding')).toBe('1\n');
  });

  test('it comes up in userspace, with the MTU, addresses and rules that belong to it', async () => {
    startServer();
    await until('it says what it waits for', () => bad('ready', 'the userspace container has not made the interface'));
    startUserspace();
    await until('it is ready', () => good('ready') && good('live'));
    const link = inside(server.namespace, 'ip', '-o', 'link', 'show', server.link);
    expect(link).toMatch(/mtu 1420 .*[<,]UP[,>]|[<,]UP[,>].*mtu 1420/);
    const addresses = inside(server.namespace, 'ip', '-o', 'address', 'show', 'dev', server.link);
    expect(addresses.match(/inet6? \S+/g)).toEqual(['inet 10.13.13.1/24', 'inet6 fd00:13::1/64']);
    const rules = inside(server.namespace, 'nft', 'list', 'table', 'inet', 'vpn');
    expect(rules).toContain('maxseg size set 1380');
    expect(rules).toContain('maxseg size set 1360');
  });

  test('a client shakes hands and pings the tunnel address of the server', async () => {
    await join(alice, publicOf(server.privateKey));
    await until('IPv4 answers', () => pings(alice));
    await until('IPv6 answers', () => pings(alice, 'fd00:13::1'));
    expect(peers().get(alice.publicKey)?.handshake).toBeGreaterThan(0);
    expect(pings(bob)).toBe(false);
  });

  test('a new peer with a pre-shared key in a mounted Secret is in service within 10 s; the session of the other one stays', async () => {
    const before = peers().get(alice.publicKey);
    const began = Date.now();
    mount('etc/wireguard/preshared-keys/wireguard-psk', {
      carol: `${randomBytes(32).toString('base64')}\n`,
      bob: `${bob.presharedKey}\n`,
    });
    configure([alice, bob], { routes: '10.77.0.0/16\nfd00:77::/64\n' });
    await until('bob is configured', () => peers().has(bob.publicKey), 10);
    await until(
      'his networks are routed',
      () => /10\.77\.0\.0\/16/.test(routes()) && /fd00:77::\/64/.test(routes()),
      10,
    );
    await join(bob, publicOf(server.privateKey), at('bob.psk'));
    await until('bob is answered', () => pings(bob));
    const after = peers().get(alice.publicKey);
    expect(before?.handshake).toBeGreaterThan(0);
    expect(after?.handshake).toBe(before?.handshake);
    expect((after?.handshake ?? Infinity) * 1000).toBeLessThan(began);
    expect(after?.received).toBeGreaterThanOrEqual(before?.received ?? Infinity);
    expect(after?.sent).toBeGreaterThanOrEqual(before?.sent ?? Infinity);
    expect(pings(alice)).toBe(true);
    await until('it is ready', () => good('ready'));
  });

  function routes(): string {
    return ['-4', '-6']
      .map((family) => inside(server.namespace, 'ip', family, 'route', 'show', 'proto', '86'))
      .join('');
  }

  test('a pre-shared key is in force: without it there is no handshake', async () => {
    await join(bob, publicOf(server.privateKey));
    expect(pings(bob)).toBe(false);
    await join(bob, publicOf(server.privateKey), at('bob.psk'));
    await until('bob is answered', () => pings(bob));
  });

  test('a pre-shared key that its Secret loses stays in force, the reason is told, and all is well when it is back', async () => {
    const before = peers();
    mount('etc/wireguard/preshared-keys/wireguard-psk', {});
    await until('it is not ready', () => bad('ready', 'cannot read the pre-shared key of bob: there is no file'));
    expect(good('live')).toBe(true);
    expect(pings(alice) && pings(bob)).toBe(true);
    mount('etc/wireguard/preshared-keys/wireguard-psk', { bob: bob.presharedKey });
    await until('it is ready', () => good('ready'));
    expect(peers().get(alice.publicKey)?.handshake).toBe(before.get(alice.publicKey)?.handshake);
    expect(peers().get(bob.publicKey)?.handshake).toBe(before.get(bob.publicKey)?.handshake);
    expect(pings(alice) && pings(bob)).toBe(true);
  });

  test('a pre-shared key that changes is in force without a restart', async () => {
    const next = randomBytes(32).toString('base64');
    mount('etc/wireguard/preshared-keys/wireguard-psk', { bob: next });
    const inForce = () => inside(server.namespace, 'wg', 'show', server.link, 'preshared-keys').includes(next);
    await until('it is set', inForce, 10);
    await join(bob, publicOf(server.privateKey), at('bob.psk'));
    expect(pings(bob)).toBe(false);
    bob.presharedKey = next;
    fs.writeFileSync(at('bob.psk'), next, { mode: 0o600 });
    await join(bob, publicOf(server.privateKey), at('bob.psk'));
    await until('bob is answered', () => pings(bob));
  });

  test('rules that are refused change nothing; the reason is told', async () => {
    configure([alice], { nft: `${NFT}table inet vpn { nonsense }\n` });
    await until('it is not ready', () => bad('ready', 'cannot load the firewall rules'));
    expect(good('live')).toBe(true);
    expect([...peers().keys()].sort()).toEqual([alice.publicKey, bob.publicKey].sort());
    expect(inside(server.namespace, 'nft', 'list', 'table', 'inet', 'vpn')).toContain('1380');
    expect(pings(alice) && pings(bob)).toBe(true);
  });

  test('a peer that is removed is gone with its routes, and the other one stays', async () => {
    const before = peers().get(alice.publicKey);
    configure([alice]);
    await until('bob is gone', () => !peers().has(bob.publicKey), 10);
    await until('his routes are gone', () => routes() === '', 10);
    expect(peers().get(alice.publicKey)?.handshake).toBe(before?.handshake);
    expect(pings(bob)).toBe(false);
    expect(pings(alice)).toBe(true);
    await until('it is ready', () => good('ready'));
  });

  test('a changed private key is taken in place', async () => {
    const next = aKey();
    mount('etc/wireguard/private-key', { 'private-key': next });
    await until(
      'it has the new key',
      () => inside(server.namespace, 'wg', 'show', server.link, 'public-key').trim() === publicOf(next),
      10,
    );
    server.privateKey = next;
    await join(alice, publicOf(next));
    await until('alice is answered', () => pings(alice));
  });

  test('a peer that somebody adds by hand is removed again', async () => {
    inside(server.namespace, 'wg', 'set', server.link, 'peer', bob.publicKey, 'allowed-ips', '10.13.13.3/32');
    await until('it is gone', () => !peers().has(bob.publicKey));
  });

  test('an interface that is taken down comes up again with its routes', async () => {
    configure([alice], { routes: '10.77.0.0/16\n' });
    await until('the route is there', () => routes().includes('10.77.0.0/16'));
    inside(server.namespace, 'ip', 'link', 'set', server.link, 'down');
    await until('the route is back', () => routes().includes('10.77.0.0/16'));
    await until('alice is answered', () => pings(alice));
  });

  test('a deleted interface is neither live nor ready, and comes back with the userspace container', async () => {
    supervised = false;
    inside(server.namespace, 'ip', 'link', 'delete', server.link);
    await until('the userspace process ends', () => !children.has('userspace'));
    await until('it is not ready', () => bad('ready', 'has not made the interface'));
    expect(bad('live', 'has not made the interface')).toBe(true);
    supervised = true;
    startUserspace();
    await until('it is ready', () => good('ready') && good('live'));
    await join(alice, publicOf(server.privateKey));
    await until('alice is answered', () => pings(alice));
    expect(routes()).toContain('10.77.0.0/16');
  });

  test('a crashed userspace process is replaced and everything comes back', async () => {
    const crashed = children.get('userspace');
    crashed?.kill('SIGKILL');
    await until('another one runs', () => children.has('userspace') && children.get('userspace') !== crashed);
    await until('it is ready', () => good('ready') && peers().has(alice.publicKey));
    // The client notices only after 15 s without an answer that its session is gone; the server cannot tell it.
    await until('alice is answered', () => pings(alice), 45);
  });

  test('a peer whose host name gets another address is found there', async () => {
    const name = `alice-${id}.example.com`;
    const hosts = (address: string): void => {
      fs.writeFileSync(path.join(names, 'hosts'), `${address} ${name}\n`);
    };
    const endpoint = () => inside(server.namespace, 'wg', 'show', server.link, 'endpoints').split('\t')[1]?.trim();
    configure([]);
    await until('the session is gone', () => peers().size === 0);
    // She waits for the server, which alone knows where to find the other.
    const key = publicOf(server.privateKey);
    inside(alice.namespace, 'wg', 'set', alice.link, 'listen-port', '4242', 'peer', key, 'remove');
    inside(alice.namespace, 'wg', 'set', alice.link, 'peer', key, 'allowed-ips', '10.13.13.0/24,fd00:13::/64');

    hosts('192.0.2.99');
    configure([alice], { endpoint: `${name}:4242` });
    await until('the first answer is taken', () => endpoint() === '192.0.2.99:4242');
    expect(peers().get(alice.publicKey)?.handshake).toBe(0);
    hosts(alice.outer);
    await until('she is found', () => (peers().get(alice.publicKey)?.handshake ?? 0) > 0, 30);
    expect(endpoint()).toBe(`${alice.outer}:4242`);

    const moved = '192.0.2.101';
    sh('ip', '-n', alice.namespace, 'address', 'add', `${moved}/32`, 'dev', 'eth0');
    sh('ip', '-n', server.namespace, 'route', 'add', `${moved}/32`, 'via', alice.outer);
    hosts(moved);
    await until('the handshake ages and she is sought at her new address', () => endpoint() === `${moved}:4242`, 30);
    await join(alice, key);
    configure([alice], { routes: '10.77.0.0/16\n' });
    await until('alice is answered', () => pings(alice));
  });

  test('a server that hangs is stale, and is ready again when it goes on', async () => {
    const child = children.get('server');
    child?.kill('SIGSTOP');
    await until('it is stale', () => bad('ready', 'stale') && bad('live', 'stale'));
    child?.kill('SIGCONT');
    await until('it is ready', () => good('ready'));
  });

  test('a server that is killed and started again takes what is there; sessions stay', async () => {
    const before = peers().get(alice.publicKey);
    const child = children.get('server');
    child?.kill('SIGKILL');
    await until('it ends', () => child?.signalCode === 'SIGKILL');
    expect(pings(alice)).toBe(true);
    startServer();
    const applied = () => (log.get('server') ?? '').split('applied the configuration').length;
    const count = applied();
    await until('it has applied its files', () => applied() > count);
    await until('it is ready', () => good('ready'));
    expect(before?.handshake).toBeGreaterThan(0);
    expect(peers().get(alice.publicKey)?.handshake).toBe(before?.handshake);
  });

  test('TERM ends it within a second: no rules stay, and no packet passes', async () => {
    const child = children.get('server');
    const began = Date.now();
    child?.kill('SIGTERM');
    await until('it ends', () => child?.exitCode === 0);
    expect(Date.now() - began).toBeLessThan(1000);
    expect(inside(server.namespace, 'nft', 'list', 'tables')).toBe('');
    expect(inside(server.namespace, 'cat', `/sys/class/net/${server.link}/flags`)).toMatch(/[02468ace]\n$/);
    expect(pings(alice)).toBe(false);
    expect(bad('ready', 'the server has stopped')).toBe(true);
  });

  test('no key of anybody is in the logs', () => {
    const text = [...log.values()].join('\n');
    expect(text).toContain('ready');
    for (const secret of [server.privateKey, bob.presharedKey, alice.privateKey]) expect(text).not.toContain(secret);
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

import { describeWith } from '../left-out';
import { aGuarded, aPeer, config, key, NFT, Pod, SCRIPTS, STUBS } from './script-pod';

let pod: Pod;
beforeEach(() => {
  pod = new Pod();
});
afterEach(() => {
  pod.end();
});
jest.setTimeout(60_000);

describe('server.sh', () => {
  test('makes the interface with the MTU, addresses, peers, rules and routes of the files', async () => {
    const alice = aPeer('alice', ['Endpoint = 192.0.2.7:51820', 'PersistentKeepalive = 25']);
    pod.write('etc/wireguard/config/wg.conf', config([alice]));
    pod.write('etc/wireguard/config/routes', '10.20.0.0/16\nfd00:20::/64\n10.9.9.9/32\n');
    await pod.serve();
    expect(pod.kernel).toMatchObject({
      flags: '0x91\n',
      mtu: '1370\n',
      address: '10.13.13.1/24\nfd00:13::1/64\n',
      route4: '10.20.0.0/16\n10.9.9.9/32\n',
      route6: 'fd00:20::/64\n',
      ruleset: `mss4=1330 mss6=1310\n${NFT}`,
    });
    expect(pod.kernel['wg.conf']).toContain(`PublicKey = ${alice.publicKey}\n`);
    expect(pod.kernel['wg.conf']).toContain('Endpoint = 192.0.2.7:51820\nPersistentKeepalive = 25\n');
    expect(pod.status).toMatchObject({ live: '1', ready: '1', reason: 'ok' });
    expect(Math.abs(Number(pod.status['time']) - Date.now() / 1000)).toBeLessThan(10);
  });

  test('a second run, after a crash, leaves everything as the first made it', async () => {
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('alice')]));
    pod.write('etc/wireguard/config/routes', '10.20.0.0/16\n10.9.9.9/32\nfd00:20::9/128\n');
    await pod.stop(await pod.serve(), 'SIGKILL');
    const first = pod.kernel;
    pod.remove('state/argv');
    await pod.serve();
    expect(pod.kernel).toEqual(first);
    const changes = pod.argv.filter((line) => /link add|-batch|setconf/.test(line));
    expect(changes).toEqual([]);
    expect(pod.argv.filter((line) => line.startsWith('wg syncconf'))).toHaveLength(1);
  });

  test('one network has one meaning, however it is written', async () => {
    pod.write('etc/wireguard/config/routes', 'FD00:0020:0:0::/64\n::ffff:10.1.2.3/128\n');
    const environment = { ADDRESSES: '10.13.13.1/24 FD00:13:0::0001/64' };
    pod.write('state/address', 'fd00:13::1/64\n10.13.13.1/24\n');
    pod.write('state/route6', 'fd00:20::/64\n::ffff:a01:203\n');
    await pod.serve(environment);
    expect(pod.argv.filter((line) => line.includes('-batch'))).toEqual([]);
  });

  test('an address or a route that is not wanted goes, one that is wanted stays', async () => {
    pod.write('state/address', '10.13.13.1/24\n10.99.0.1/24\n10.13.13.1/16\n');
    pod.write('state/route4', '10.20.0.0/16\n10.30.0.0/16\n');
    pod.write('etc/wireguard/config/routes', '10.20.0.0/16\n');
    await pod.serve({ ADDRESSES: '10.13.13.1/24' });
    expect(pod.kernel).toMatchObject({ address: '10.13.13.1/24\n', route4: '10.20.0.0/16\n' });
    expect(pod.argv.filter((line) => line.startsWith('ip: '))).toEqual([
      'ip: address del 10.99.0.1/24 dev wg0',
      'ip: address del 10.13.13.1/16 dev wg0',
      'ip: route del 10.30.0.0/16 dev wg0 proto 86',
    ]);
  });

  test('the automatic MTU is 80 below the smaller of the default route and its interface', async () => {
    pod.write('state/default', 'default via 10.0.0.1 dev eth0 mtu lock 1400\n');
    await pod.serve();
    expect(pod.kernel['mtu']).toBe('1320\n');
  });

  test('an MTU that the pod cannot carry is warned of and set', async () => {
    await pod.serve({ MTU: '1391' });
    expect(pod.kernel['mtu']).toBe('1391\n');
    expect(pod.output).toContain("warning: MTU 1391 does not fit into the pod's own MTU of 1450");
  });

  test('an MTU that the pod carries is not warned of', async () => {
    await pod.serve({ MTU: '1390' });
    expect(pod.output).not.toContain('warning');
  });

  test('an MTU below 1280 is refused where IPv6 is used', async () => {
    expect(await pod.ended(pod.start('server.sh', { MTU: '1279' }))).toBe(1);
    expect(pod.output).toContain('MTU 1279 is too small for the IPv6 address of wg0: at least 1280 is needed');
  });

  test('a kernel without WireGuard is refused with what to do, and nothing stays', async () => {
    pod.write('state/no-module', '');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toBe(
      'server.sh: the kernel of this node has no WireGuard: load its module (modprobe wireguard; Linux 5.6 or newer has it), ' +
        'or set the value userspace.image to an image with wireguard-go\nserver.sh: take the interface wg0 down\n',
    );
    expect(pod.status).toMatchObject({ live: '0', ready: '0' });
    expect(pod.has('run/vpn-userspace/wanted')).toBe(false);
  });

  test('a missing permission is not taken for a missing module', async () => {
    pod.write('state/no-permission', '');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain('cannot make the interface wg0: RTNETLINK answers: Operation not permitted');
  });

  test('a kernel without WireGuard asks the userspace container and takes the interface that it makes', async () => {
    pod.write('state/no-module', '');
    const child = pod.start('server.sh', { USERSPACE: 'true' });
    await pod.until('it asks', () => pod.has('run/vpn-userspace/wanted'));
    await pod.until('it says so', () => /has not made the interface/.test(pod.status['reason'] ?? ''));
    expect(pod.status).toMatchObject({ live: '0', ready: '0' });
    pod.write('sys/class/net/wg0/tun_flags', '0x1001\n');
    pod.write('sys/class/net/wg0/flags', '0x90\n');
    await pod.until('it is ready', () => pod.status['ready'] === '1');
    expect(await pod.stop(child)).toBe(0);
    expect(pod.kernel).toMatchObject({ flags: '0x90\n', ruleset: '' });
    expect(pod.argv).not.toContain('ip link delete dev wg0');
    expect(pod.has('run/vpn-userspace/wanted')).toBe(false);
  });

  test('a wish for the userspace container that an earlier run left is taken back', async () => {
    pod.write('run/vpn-userspace/wanted', '');
    await pod.serve({ USERSPACE: 'true' });
    expect(pod.has('run/vpn-userspace/wanted')).toBe(false);
  });

  test('a userspace container that makes no interface is given up after 30 s', async () => {
    pod.write('state/no-module', '');
    pod.stub('sleep', '');
    expect(await pod.ended(pod.start('server.sh', { USERSPACE: 'true' }))).toBe(1);
    expect(pod.output).toContain('the userspace container has not made the interface wg0 within 30 s');
    expect(pod.argv.filter((line) => line === 'sleep 1')).toHaveLength(30);
  });

  test('an interface that is not a WireGuard interface is refused and left alone', async () => {
    pod.write('sys/class/net/wg0/foreign', '');
    pod.write('sys/class/net/wg0/flags', '0x91\n');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain('the interface wg0 exists and is not a WireGuard interface');
    expect(pod.read('sys/class/net/wg0/flags')).toBe('0x91\n');
  });

  test.each([
    ['an empty file', ''],
    ['43 characters', 'A'.repeat(43)],
    ['31 bytes', `${'A'.repeat(42)}==`],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['a letter that is not base64', `${'A'.repeat(20)}*${'A'.repeat(22)}=`],
    ['bits beyond 32 bytes', `${'A'.repeat(42)}B=`],
    ['two keys', `${key()}\n${key()}\n`],
    ['a space before', ` ${key()}`],
  ])('a private key file with %s is refused by name, and its content is not shown', async (_, content) => {
    pod.write('etc/wireguard/private-key/private-key', content);
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toBe(
      `server.sh: the private key: ${pod.at('etc/wireguard/private-key/private-key')} does not hold a WireGuard key: 32 bytes in base64, 44 characters\n`,
    );
    expect(pod.argv.join('\n')).not.toContain('link add');
  });

  test('white space after a key is no part of it', async () => {
    pod.write('etc/wireguard/private-key/private-key', `${pod.privateKey} \t\r\n\n`);
    await pod.serve();
    expect(pod.kernel['wg.conf']).toContain(`PrivateKey = ${pod.privateKey}\n`);
  });

  test('a missing private key is refused with the name of its file', async () => {
    pod.remove('etc/wireguard/private-key');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain(`there is no file ${pod.at('etc/wireguard/private-key/private-key')}`);
  });

  const PSK = 'etc/wireguard/preshared-keys/wireguard-psk';
  const GIVEN = 'etc/wireguard/given-keys';
  /** The pre-shared keys of the interface, by public key. */
  const presharedKeys = (): Record<string, string> =>
    Object.fromEntries(
      [...pod.read('state/wg.conf').matchAll(/^PublicKey = (.*)\nPresharedKey = (.*)$/gm)].map((found) =>
        found.slice(1),
      ),
    ) as Record<string, string>;

  test('every peer has the pre-shared key of the file that its comment names, and only that one', async () => {
    const [alice, bob, carol, dave] = [
      aGuarded('alice'),
      aGuarded('bob', 'preshared-keys/other.example/a..b'),
      aGuarded('carol', 'given-keys/preshared-key.carol'),
      aPeer('dave'),
    ];
    const [one, two, three] = [key(), key(), key()];
    pod.mountSecret(PSK, { alice: `${one}\n`, dave: key() });
    pod.mountSecret('etc/wireguard/preshared-keys/other.example', { 'a..b': two });
    pod.mountSecret(GIVEN, { 'preshared-key.carol': three, 'preshared-key.dave': key() });
    pod.write('etc/wireguard/config/wg.conf', config([alice, bob, carol, dave]));
    await pod.serve();
    expect(presharedKeys()).toEqual({
      [alice.publicKey]: one,
      [bob.publicKey]: two,
      [carol.publicKey]: three,
    });
  });

  test.each([
    ['preshared-keys/wireguard-psk/bob', PSK],
    ['given-keys/preshared-key.bob', GIVEN],
  ])('a missing pre-shared key %s is refused with its peer and its file', async (file, folder) => {
    pod.mountSecret(folder, { alice: key() });
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('alice'), aGuarded('bob', file)]));
    const sentence = `cannot read the pre-shared key of bob: there is no file ${pod.at(`etc/wireguard/${file}`)}`;
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toBe(`server.sh: ${sentence}\n`);
    expect(pod.status).toMatchObject({ live: '0', ready: '0', reason: sentence });
    expect(pod.argv.join('\n')).not.toContain('link add');
  });

  test.each([
    ['text', 'not a key at all'],
    ['nothing', ''],
    ['two keys', `${key()}\n${key()}\n`],
  ])('a pre-shared key that is %s is refused with its peer and its file, and not shown', async (_, content) => {
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('alice'), aGuarded('bob')]));
    pod.mountSecret(PSK, { bob: content });
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toBe(
      `server.sh: the pre-shared key of bob: ${pod.at(`${PSK}/bob`)} does not hold a WireGuard key: 32 bytes in base64, 44 characters\n`,
    );
  });

  test.each([
    'preshared-keys/../private-key/private-key',
    'preshared-keys/wireguard-psk/../../private-key/private-key',
    'preshared-keys/wireguard-psk/..data/bob',
    'preshared-keys/wireguard-psk/..data',
    'preshared-keys/wireguard-psk',
    'preshared-keys//bob',
    'preshared-keys/wireguard-psk/b ob',
    'preshared-keys/wireguard-psk/$(id)',
    'private-key/private-key',
    '/etc/wireguard/preshared-keys/wireguard-psk/bob',
    'given-keys/..',
    'given-keys/',
    '',
  ])('a pre-shared key is read from nowhere else: "%s"', async (file) => {
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('alice'), aGuarded('bob', file)]));
    pod.mountSecret(PSK, { bob: key(), 'b ob': key() });
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toBe(
      'server.sh: the pre-shared key of bob is neither preshared-keys/SECRET/KEY nor given-keys/KEY\n',
    );
  });

  test('a peer whose name is not one is called a peer', async () => {
    pod.write('etc/wireguard/config/wg.conf', config([aGuarded('bob\u001b[2J', 'given-keys/bob')]));
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain('cannot read the pre-shared key of a peer: there is no file');
  });

  test.each([
    ['preshared-keys/wireguard-psk/bob', PSK, 'bob'],
    ['given-keys/preshared-key.bob', GIVEN, 'preshared-key.bob'],
  ])('a pre-shared key %s that comes later is taken; until then the old state stays', async (file, folder, name) => {
    const alice = aPeer('alice');
    pod.write('etc/wireguard/config/wg.conf', config([alice]));
    pod.mountSecret(folder, {});
    pod.record('sleep');
    await pod.serve();
    const before = pod.kernel;
    const bob = aGuarded('bob', file);
    pod.write('etc/wireguard/config/wg.conf', config([alice, bob]));
    const sentence = `cannot read the pre-shared key of bob: there is no file ${pod.at(`etc/wireguard/${file}`)}`;
    await pod.until('it says so', () => pod.status['reason'] === sentence);
    expect(pod.status).toMatchObject({ live: '1', ready: '0' });
    const polls = () => pod.argv.filter((line) => line === 'sleep 0.1').length;
    const first = polls();
    await pod.until('five polls', () => polls() >= first + 5);
    expect(pod.kernel).toEqual(before);
    expect(pod.output.split(sentence)).toHaveLength(2);

    const [one, other] = [key(), key()];
    const seen = pod.argv.length;
    pod.mountSecret(folder, { [name]: one });
    await pod.until('it is ready', () => pod.status['ready'] === '1');
    expect(presharedKeys()).toEqual({ [bob.publicKey]: one });
    const since = pod.argv.slice(seen);
    const waits = since.slice(
      0,
      since.findIndex((line) => line.startsWith('wg syncconf')),
    );
    expect(waits.filter((line) => line === 'sleep 0.1').length).toBeLessThanOrEqual(2);
    pod.mountSecret(folder, { [name]: other });
    await pod.until('the new key is there', () => presharedKeys()[bob.publicKey] === other);
    pod.mountSecret(folder, { [name]: 'nonsense' });
    await pod.until('it is not ready', () => pod.status['ready'] === '0');
    expect(pod.status['reason']).toContain('the pre-shared key of bob: ');
    expect(presharedKeys()).toEqual({ [bob.publicKey]: other });
  });

  test.each([
    ['ipv4/ip_forward', '0', 'net.ipv4.ip_forward is 0'],
    ['ipv6/conf/all/forwarding', '0', 'net.ipv6.conf.all.forwarding is 0'],
    ['ipv6/conf/all/forwarding', undefined, 'net.ipv6.conf.all.forwarding is missing'],
  ])('%s = %s is refused where the server forwards, with the values to choose from', async (file, value, sentence) => {
    if (value === undefined) pod.remove(`proc/sys/net/${file}`);
    else pod.write(`proc/sys/net/${file}`, `${value}\n`);
    expect(await pod.ended(pod.start('server.sh', { FORWARDING: 'true' }))).toBe(1);
    expect(pod.output).toContain(sentence);
    expect(pod.output).toMatch(/ipForwarding\.method to init .* or sysctl .* assume/);
    expect(pod.argv.join('\n')).not.toContain('link add');
  });

  test('forwarding of a family that is not used does not matter', async () => {
    pod.write('proc/sys/net/ipv6/conf/all/forwarding', '0\n');
    await pod.serve({ FORWARDING: 'true', ADDRESSES: '10.13.13.1/24' });
  });

  test('without forwarding the switches do not matter', async () => {
    pod.write('proc/sys/net/ipv4/ip_forward', '0\n');
    await pod.serve({ FORWARDING: 'false' });
  });

  test.each<[Record<string, string>, string]>([
    [{ INTERFACE: 'a-name-of-16-char' }, 'INTERFACE'],
    [{ INTERFACE: 'wg0;id' }, 'INTERFACE'],
    [{ ADDRESSES: '' }, 'ADDRESSES'],
    [{ ADDRESSES: '10.0.0.1' }, 'ADDRESSES'],
    [{ ADDRESSES: '10.0.0.1/24 $(id)/1' }, 'ADDRESSES'],
    [{ LISTEN_PORT: '0' }, 'LISTEN_PORT'],
    [{ LISTEN_PORT: '65536' }, 'LISTEN_PORT'],
    [{ LISTEN_PORT: '0x10' }, 'LISTEN_PORT'],
    [{ MTU: 'big' }, 'MTU'],
    [{ FORWARDING: 'yes' }, 'FORWARDING'],
    [{ USERSPACE: 'True' }, 'USERSPACE'],
    [{ POLL_SECONDS: '2s' }, 'POLL_SECONDS'],
  ])('a bad setting is refused by its name: %j', async (environment, name) => {
    expect(await pod.ended(pod.start('server.sh', environment))).toBe(1);
    expect(pod.output).toMatch(new RegExp(`^server.sh: ${name} `));
    expect(pod.output.trim().split('\n')).toHaveLength(1);
  });

  test("busybox's ip is refused by name", async () => {
    pod.stub('ip', 'echo "BusyBox v1.37.0" >&2; exit 1');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain("the image's ip is not iproute2's");
  });

  test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('%s ends it within a second and leaves nothing', async (signal) => {
    const child = await pod.serve({ POLL_SECONDS: '600' });
    const began = Date.now();
    expect(await pod.stop(child, signal)).toBe(0);
    expect(Date.now() - began).toBeLessThan(1000);
    expect(pod.has('sys/class/net/wg0')).toBe(false);
    expect(pod.kernel['ruleset']).toBe('');
    expect(pod.argv.slice(-3, -1)).toEqual(['ip link delete dev wg0', 'nft delete table inet vpn']);
  });

  test('an interface that somebody else made is taken down and not removed', async () => {
    pod.write('sys/class/net/wg0/flags', '0x90\n');
    expect(await pod.stop(await pod.serve())).toBe(0);
    expect(pod.read('sys/class/net/wg0/flags')).toBe('0x90\n');
  });

  test('a changed file is applied in place, a changed order of nothing is not', async () => {
    const alice = aPeer('alice');
    pod.write('etc/wireguard/config/wg.conf', config([alice]));
    await pod.serve();
    const applied = () => pod.argv.filter((line) => line.startsWith('wg syncconf')).length;
    const bob = aPeer('bob');
    pod.write('etc/wireguard/config/wg.conf', config([alice, bob]));
    await pod.until('bob is there', () => pod.read('state/wg.conf').includes(bob.publicKey));
    pod.mountSecret(PSK, { bob: key(), carol: key() });
    pod.write(
      'etc/wireguard/config/wg.conf',
      config([alice, { ...bob, preshared: 'preshared-keys/wireguard-psk/bob' }]),
    );
    await pod.until('his key is there', () => pod.read('state/wg.conf').includes('PresharedKey'));
    expect(applied()).toBe(2);
    pod.mountSecret(PSK, { bob: presharedKeys()[bob.publicKey] ?? '', carol: key(), dave: key() });
    const ticks = () => pod.argv.filter((line) => line === 'wg show wg0 dump').length;
    const before = ticks();
    await pod.until('five ticks', () => ticks() >= before + 5);
    expect(applied()).toBe(2);
    expect(pod.argv.filter((line) => line.startsWith('wg setconf'))).toHaveLength(1);
  });

  test('pre-shared keys that change places are a change', async () => {
    const [alice, bob] = [aGuarded('alice'), aGuarded('bob')];
    const [one, other] = [key(), key()];
    pod.write('etc/wireguard/config/wg.conf', config([alice, bob]));
    pod.mountSecret(PSK, { alice: one, bob: other });
    await pod.serve();
    expect(presharedKeys()).toEqual({ [alice.publicKey]: one, [bob.publicKey]: other });
    pod.mountSecret(PSK, { alice: other, bob: one });
    await pod.until('bob has it', () => presharedKeys()[bob.publicKey] === one);
    expect(presharedKeys()).toEqual({ [alice.publicKey]: other, [bob.publicKey]: one });
  });

  test.each([
    ['nft-fails', 'cannot load the firewall rules: vpn.nft:3:1: Error: syntax error ^^^'],
    ['wg-fails', 'cannot set the peers: vpn.nft:3:1: Error: syntax error ^^^'],
  ])('a failed apply (%s) keeps the old state, says so once, and is tried again', async (failure, sentence) => {
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('alice')]));
    await pod.serve();
    const before = pod.kernel;
    pod.write(`state/${failure}`, 'vpn.nft:3:1: Error: syntax error\n^^^\nmore\n');
    pod.write('etc/wireguard/config/nftables.conf', `${NFT}# new\n`);
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('bob')]));
    await pod.until('it fails', () => pod.status['ready'] === '0');
    expect(pod.status).toMatchObject({ live: '1', reason: sentence });
    const tries = () => pod.argv.filter((line) => line.startsWith('nft -D')).length;
    const first = tries();
    await pod.until('it tries again', () => tries() >= first + 6);
    expect(pod.output.split(sentence)).toHaveLength(2);
    await pod.until('the old rules are back', () => pod.kernel['ruleset'] === before['ruleset']);
    expect(pod.kernel['wg.conf']).toBe(before['wg.conf']);
    pod.remove(`state/${failure}`);
    await pod.until('it is ready', () => pod.status['ready'] === '1');
    expect(pod.kernel['ruleset']).toContain('# new');
    expect(pod.kernel['wg.conf']).not.toBe(before['wg.conf']);
  });

  test('a route that cannot be set makes it not ready, with the reason', async () => {
    await pod.serve();
    pod.write('etc/wireguard/config/routes', 'bad\n');
    await pod.until('it fails', () => pod.status['ready'] === '0');
    expect(pod.status['reason']).toBe('cannot set the routes: Error: any valid prefix is expected rather than "bad".');
  });

  test('what takes long is told to be alive: a start, which is not ready yet, and a change', async () => {
    pod.stub('nft', `while [ -e "$STUBS/slow" ]; do sleep 0.1; done\n${STUBS.nft}`);
    pod.write('state/slow', '');
    pod.start('server.sh');
    const told = async (ready: '0' | '1'): Promise<void> => {
      await pod.until('its status', () => pod.status['ready'] === ready);
      const { time } = pod.status;
      await pod.until('a later status', () => pod.status['time'] !== time);
    };
    await told('0');
    expect(pod.status).toMatchObject({ live: '1', ready: '0', reason: 'the server is starting' });
    pod.remove('state/slow');
    await pod.until('it is ready', () => pod.status['ready'] === '1');
    pod.write('state/slow', '');
    pod.write('etc/wireguard/config/nftables.conf', `${NFT}# new\n`);
    await pod.until('it is at work', () => pod.argv.filter((line) => line.startsWith('nft -D')).length === 2);
    await told('1');
    expect(pod.status).toMatchObject({ live: '1', ready: '1', reason: 'ok' });
    pod.remove('state/slow');
    await pod.until('it is done', () => pod.kernel['ruleset']?.includes('# new') === true);
  });

  test('a file that is missing for a while keeps the old state', async () => {
    await pod.serve();
    const before = pod.kernel;
    pod.remove('etc/wireguard/config/wg.conf');
    await pod.until('it says so', () => /cannot read .*wg\.conf/.test(pod.status['reason'] ?? ''));
    expect(pod.kernel).toEqual(before);
    pod.write('etc/wireguard/config/wg.conf', config([]));
    await pod.until('it is ready', () => pod.status['ready'] === '1');
  });

  test('an interface that has vanished is made again', async () => {
    pod.write('etc/wireguard/config/routes', '10.20.0.0/16\n');
    await pod.serve();
    const before = pod.kernel;
    execFileSync('/bin/sh', [pod.at('bin/ip'), 'link', 'delete', 'dev', 'wg0'], { env: pod.environment() });
    await pod.until('it is back', () => pod.argv.filter((line) => line.startsWith('ip link add')).length === 2);
    await pod.until('all is as before', () => JSON.stringify(pod.kernel) === JSON.stringify(before));
    await pod.until('it is ready', () => pod.status['ready'] === '1');
  });

  test.each([
    ['a private key', /^PrivateKey.*\n/m, 'wg0 has no private key'],
    ['the listen port', /^ListenPort = \d+$/m, 'wg0 listens on port 7 and not on 51820'],
    ['a peer', /^PublicKey.*$/m, 'wg0 has 0 of 1 peers'],
  ])('it is not ready while the interface lacks %s, and sets it again', async (_, line, reason) => {
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('alice')]));
    await pod.serve();
    pod.write(
      'state/wg.conf',
      pod.read('state/wg.conf').replace(line, reason.includes('port') ? 'ListenPort = 7' : ''),
    );
    await pod.until('it says so', () => pod.output.includes(`not ready: ${reason}`));
    await pod.until('it is ready', () => pod.status['ready'] === '1');
  });

  test('a peer that is not configured makes it not ready, and is removed', async () => {
    await pod.serve();
    pod.write('state/wg.conf', `${pod.read('state/wg.conf')}\n[Peer]\nPublicKey = ${key()}\n`);
    await pod.until('it says so', () => pod.output.includes('not ready: wg0 has 1 peers that are not configured'));
    await pod.until('it is ready', () => pod.status['ready'] === '1');
    expect(pod.read('state/wg.conf')).not.toContain('PublicKey');
  });

  test('a peer with a host name is set beside the loop, and a name that does not resolve is no failure', async () => {
    const alice = aPeer('alice', ['Endpoint = vpn.example:51820']);
    const bob = aPeer('bob', ['Endpoint = unknown.example:51820']);
    const carol = aPeer('carol', ['Endpoint = [2001:db8::7]:51820']);
    pod.write('etc/wireguard/config/wg.conf', config([alice, bob, carol]));
    await pod.serve();
    await pod.until('they are tried', () => pod.argv.filter((line) => line.startsWith('wg set wg0')).length === 2);
    expect(pod.argv).toContain(`wg set wg0 peer ${alice.publicKey} endpoint vpn.example:51820`);
    await pod.until('it says so', () => pod.output.includes('endpoints that do not resolve: unknown.example:51820\n'));
    expect(pod.read('state/wg.conf')).toContain('Endpoint = [2001:db8::7]:51820\n');
    expect(pod.read('state/wg.conf')).not.toContain('.example');
    expect(pod.status['ready']).toBe('1');
  });

  test('keys are in no argument, no output, no environment and no file that others can read', async () => {
    const preshared = key();
    pod.record('awk', 'cksum', 'cp', 'mv', 'rm', 'date', 'sed', 'tr');
    pod.write('etc/wireguard/config/wg.conf', config([aGuarded('alice')]));
    pod.mountSecret(PSK, { alice: preshared });
    const child = await pod.serve();
    expect(pod.kernel['wg.conf']).toContain(preshared);
    expect(fs.statSync(pod.at('run/vpn/wg.conf')).mode & 0o777).toBe(0o600);
    expect(fs.statSync(pod.at('run/health/status')).mode & 0o777).toBe(0o644);
    const environ = `/proc/${String(child.pid)}/environ`;
    const environment = fs.existsSync(environ) ? fs.readFileSync(environ, 'utf8') : '';
    // wg itself shows the line that it does not like.
    pod.write('state/wg-fails', `Line unrecognized: \`PresharedKey=${preshared}'\nKey: \`${pod.privateKey}'\n`);
    pod.write('etc/wireguard/config/wg.conf', config([aPeer('bob')]));
    await pod.until('it fails', () => pod.status['ready'] === '0');
    expect(pod.status['reason']).toBe("cannot set the peers: Line unrecognized: `PresharedKey=(key)' Key: `(key)'");
    await pod.stop(child);
    for (const text of [pod.output, pod.argv.join('\n'), environment, pod.read('run/health/status')])
      for (const secret of [preshared, pod.privateKey]) expect(text).not.toContain(secret.slice(0, 43));
  });

  for (const name of ['mawk', 'gawk', 'busybox'] as const)
    describeWith([name], `with ${name}`, () => {
      const argument = name === 'busybox' ? ['awk'] : [];

      test('5,000 peers are composed with the processes of 10, and every key is in its place', async () => {
        const commands = ['cksum', 'cp', 'mv', 'rm', 'date', 'sed', 'tr', 'sleep', 'ip', 'wg', 'nft'];
        const processes = async (count: number): Promise<string[]> => {
          pod.end();
          pod = new Pod();
          pod.record(...commands.slice(0, 8));
          pod.stub('awk', `exec ${name} ${argument.join('')} "$@"`);
          const peers = Array.from({ length: count }, (_, i) =>
            i % 2 === 0 ? aGuarded(`peer-${i}`, `given-keys/preshared-key.peer-${i}`) : aPeer(`peer-${i}`),
          );
          const preshared = new Map(peers.filter((_, i) => i % 2 === 0).map((peer) => [peer, key()]));
          pod.mountSecret(
            GIVEN,
            Object.fromEntries([...preshared].map(([{ name }, text]) => [`preshared-key.${name}`, `${text}\n`])),
          );
          pod.write('etc/wireguard/config/wg.conf', config(peers));
          await pod.serve({ POLL_SECONDS: '600' });
          await pod.until('it sleeps', () => pod.argv.includes('sleep 600'));
          const expected = config(
            peers.map((peer) => {
              const line = preshared.get(peer);
              return { ...peer, publicKey: `${peer.publicKey}${line === undefined ? '' : `\nPresharedKey = ${line}`}` };
            }),
          ).replace('[Interface]', `[Interface]\nPrivateKey = ${pod.privateKey}`);
          expect(pod.read('run/vpn/wg.conf').trim()).toBe(expected.trim());
          return pod.argv
            .filter((line) => [...commands, 'awk'].includes(line.replace(/ .*/, '')))
            .map((line) => line.replace(/ .*/, ''))
            .sort();
        };
        const ten = await processes(10);
        expect(ten.length).toBeGreaterThan(10);
        expect(await processes(5000)).toEqual(ten);
      });

      test('a pre-shared key that cannot be taken is refused alike', async () => {
        pod.stub('awk', `exec ${name} ${argument.join('')} "$@"`);
        fs.mkdirSync(pod.at(`${PSK}/folder`), { recursive: true });
        pod.mountSecret(GIVEN, { nonsense: 'n' });
        for (const [file, sentence] of [
          ['given-keys/none', `cannot read the pre-shared key of bob: there is no file ${pod.at(GIVEN)}/none`],
          ['given-keys/nonsense', `the pre-shared key of bob: ${pod.at(GIVEN)}/nonsense does not hold a WireGuard key`],
          ['given-keys/..data/nonsense', 'the pre-shared key of bob is neither preshared-keys/SECRET/KEY nor'],
          ['preshared-keys/wireguard-psk/folder', ''],
        ] as const) {
          pod.output = '';
          pod.write('etc/wireguard/config/wg.conf', config([aGuarded('bob', file)]));
          expect(await pod.ended(pod.start('server.sh'))).toBe(1);
          expect(pod.output).toContain(`server.sh: ${sentence}`);
        }
        expect(pod.argv.join('\n')).not.toContain('link add');
      });

      test('addresses and routes are planned alike', async () => {
        pod.stub('awk', `exec ${name} ${argument.join('')} "$@"`);
        pod.write('state/route4', '10.20.0.0/16\n10.30.0.0/16\n10.9.9.9/32\n');
        pod.write('state/route6', 'fd00:20::/64\nfd00:30::9/128\n');
        pod.write('etc/wireguard/config/routes', '10.20.0.0/16\nfd00:0020::/64\n\n10.40.0.0/16\n10.40.0.0/16\n');
        await pod.serve();
        expect(pod.argv.filter((line) => line.startsWith('ip: route'))).toEqual([
          'ip: route del 10.30.0.0/16 dev wg0 proto 86',
          'ip: route del 10.9.9.9 dev wg0 proto 86',
          'ip: route del fd00:30::9 dev wg0 proto 86',
          'ip: route add 10.40.0.0/16 dev wg0 proto 86',
        ]);
      });
    });
});

describe('forwarding.sh', () => {
  const run = (environment: Record<string, string>) => {
    const result = spawnSync('dash', [path.join(SCRIPTS, '../kubernetes/forwarding.sh')], {
      env: pod.environment(environment),
      encoding: 'utf8',
    });
    return { code: result.status, text: result.stderr };
  };
  const both = { FORWARD_IPV4: 'true', FORWARD_IPV6: 'true' };

  test('turns on what is off; a second run writes nothing', () => {
    pod.write('proc/sys/net/ipv4/ip_forward', '0\n');
    pod.write('proc/sys/net/ipv6/conf/all/forwarding', '0\n');
    expect(run(both)).toEqual({
      code: 0,
      text: 'forwarding.sh: set net.ipv4.ip_forward to 1\nforwarding.sh: set net.ipv6.conf.all.forwarding to 1\n',
    });
    expect(pod.read('proc/sys/net/ipv4/ip_forward')).toBe('1\n');
    expect(pod.read('proc/sys/net/ipv6/conf/all/forwarding')).toBe('1\n');
    const written = fs.statSync(pod.at('proc/sys/net/ipv4/ip_forward')).mtimeMs;
    expect(run(both).text).toContain('net.ipv4.ip_forward is 1 already');
    expect(fs.statSync(pod.at('proc/sys/net/ipv4/ip_forward')).mtimeMs).toBe(written);
  });

  test('touches only the families that are asked for', () => {
    pod.write('proc/sys/net/ipv4/ip_forward', '0\n');
    pod.write('proc/sys/net/ipv6/conf/all/forwarding', '0\n');
    expect(run({ FORWARD_IPV4: 'false', FORWARD_IPV6: 'true' }).code).toBe(0);
    expect(pod.read('proc/sys/net/ipv4/ip_forward')).toBe('0\n');
  });

  test('a node without IPv6 is an error only if IPv6 is asked for', () => {
    pod.remove('proc/sys/net/ipv6');
    expect(run({ FORWARD_IPV4: 'true', FORWARD_IPV6: 'false' }).code).toBe(0);
    expect(run(both).code).toBe(1);
    expect(run(both).text).toContain('this node has no net.ipv6.conf.all.forwarding');
  });

  test('a switch that stays off is a failure that names the other ways', () => {
    pod.remove('proc/sys/net/ipv4/ip_forward');
    fs.symlinkSync('/dev/null', pod.at('proc/sys/net/ipv4/ip_forward'));
    expect(run(both)).toEqual({
      code: 1,
      text:
        'forwarding.sh: cannot set net.ipv4.ip_forward: the container must be privileged; ' +
        'where that is not allowed, set the value ipForwarding.method to sysctl or assume\n',
    });
  });

  test('what is neither true nor false is refused', () => {
    expect(run({ FORWARD_IPV4: 'yes' }).code).toBe(1);
  });
});

describe('userspace.sh', () => {
  test('waits until it is wanted and then becomes wireguard-go, as often as it is started', async () => {
    for (const time of [1, 2]) {
      pod.remove('state/wireguard-go');
      const child = pod.start('userspace.sh', { INTERFACE: 'wg7' });
      if (time === 1) {
        await pod.until('it waits', () => fs.existsSync(`/proc/${String(child.pid)}`) && child.exitCode === null);
        expect(pod.has('state/wireguard-go')).toBe(false);
        pod.write('run/vpn-userspace/wanted', '');
      }
      expect(await pod.ended(child)).toBe(0);
      expect(pod.read('state/wireguard-go').trim()).toBe(String(child.pid));
    }
    expect(pod.argv.filter((line) => line !== '')).toEqual(['wireguard-go -f wg7', 'wireguard-go -f wg7']);
  });

  test('TERM while it waits ends it at once', async () => {
    pod.record('sleep');
    const child = pod.start('userspace.sh');
    await pod.until('it waits', () => pod.has('state/argv'));
    const began = Date.now();
    expect(await pod.stop(child)).toBe(0);
    expect(Date.now() - began).toBeLessThan(500);
  });

  test('a missing command or /dev/net/tun is refused by name', async () => {
    expect(await pod.ended(pod.start('userspace.sh', { WIREGUARD_GO: 'no-such-command' }))).toBe(1);
    expect(pod.output).toContain('the image has no command no-such-command');
    pod.write('run/vpn-userspace/wanted', '');
    pod.remove('dev/net/tun');
    expect(await pod.ended(pod.start('userspace.sh'))).toBe(1);
    expect(pod.output).toContain('there is no /dev/net/tun in this container');
  });
});

describe('health.sh', () => {
  const ask = (question: string, environment: Record<string, string> = {}): string => {
    const program = pod.at(question);
    fs.copyFileSync(path.join(SCRIPTS, 'health.sh'), program);
    const result = spawnSync('dash', [program], { env: pod.environment(environment), encoding: 'utf8' });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    return result.stdout;
  };
  const say = (live: number, ready: number, age = 0) => {
    const time = Math.floor(Date.now() / 1000) - age;
    pod.write('run/health/status', `time ${time}\nlive ${live}\nready ${ready}\nreason wg0 has 1 of 2 peers\n`);
  };
  const head = 'Content-Type: text/plain\r\nCache-Control: no-store\r\n\r\n';
  const ok = `Status: 200 OK\r\n${head}ok\n`;
  const refusal = (reason: string) => `Status: 503 Service Unavailable\r\n${head}${reason}\n`;

  test('answers the question it is named after, as often as it is asked', () => {
    say(1, 0);
    for (const question of ['live', 'ready', 'live', 'ready'])
      expect(ask(question)).toBe(question === 'live' ? ok : refusal('wg0 has 1 of 2 peers'));
    say(1, 1);
    expect(ask('ready')).toBe(ok);
    say(0, 0);
    expect(ask('live')).toBe(refusal('wg0 has 1 of 2 peers'));
  });

  test.each([
    ['of 31 s ago', 31],
    ['from the future', -40],
  ])('a status %s is stale', (_, age) => {
    say(1, 1, age);
    expect(ask('live')).toBe(refusal('stale'));
    expect(ask('ready')).toBe(refusal('stale'));
    expect(ask('ready', { STALE_SECONDS: '60' })).toBe(ok);
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['garbage', 'time 1; id\nlive 1\nready 1\n'],
  ])('a status that is %s is stale', (_, text) => {
    if (text !== undefined) pod.write('run/health/status', text);
    expect(ask('ready')).toBe(refusal('stale'));
  });

  test('another name is no question', () => {
    say(1, 1);
    expect(ask('index')).toBe(refusal('no such question: index'));
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { wireguard } from '../../charts/wireguard';
import { wireguardPublicKey } from '../../lib/net/wireguard-key';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';
import { key, Pod, SCRIPTS } from './script-pod';

const VALUES = {
  privateKey: { generate: true },
  endpoint: 'vpn.example.com:51820',
  peers: {
    alice: { generate: true, addresses: ['10.13.13.2'] },
    bob: { generate: true, addresses: ['10.13.13.3'] },
    carol: { publicKey: key(), addresses: ['10.13.13.4'] },
  },
} satisfies JsonObject;

const VOLUME = 'var/lib/wireguard';

/** The files of the chart's ConfigMap. */
function configuration(values: JsonObject): Record<string, string> {
  const map = wireguard
    .objects({ values })
    .find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'vpn-wireguard');
  return map?.['data'] as Record<string, string>;
}

describeWith(['wg', 'dash'], 'generated keys', () => {
  jest.setTimeout(60_000);
  let pod: Pod;
  beforeEach(() => {
    pod = new Pod();
    pod.remove('etc/wireguard/private-key');
    fs.mkdirSync(pod.at(VOLUME), { recursive: true });
    give(VALUES);
  });
  afterEach(() => {
    pod.end();
  });

  function give(values: JsonObject): void {
    for (const [name, text] of Object.entries(configuration(values))) pod.write(`etc/wireguard/config/${name}`, text);
  }
  const volume = (file: string): string => pod.read(`${VOLUME}/${file}`).trim();
  const show = (...args: string[]) =>
    spawnSync('dash', [path.join(SCRIPTS, 'showconf.sh'), ...args], {
      env: pod.environment(),
      encoding: 'utf8',
    });
  const secrets = (): string[] =>
    ['server', 'peers/alice', 'peers/bob'].flatMap((owner) =>
      ['private-key', 'preshared-key'].map((name) => volume(`${owner}/${name}`)),
    );

  test('are made at the first start, work, and stay on the volume', async () => {
    await pod.serve();
    const conf = pod.read('state/wg.conf');
    expect(conf).toContain(`PrivateKey = ${volume('server/private-key')}\n`);
    for (const peer of ['alice', 'bob']) {
      expect(wireguardPublicKey(volume(`peers/${peer}/private-key`))).toBe(volume(`peers/${peer}/public-key`));
      expect(conf).toContain(
        `PublicKey = ${volume(`peers/${peer}/public-key`)}\nPresharedKey = ${volume(`peers/${peer}/preshared-key`)}\n`,
      );
    }
    expect(conf).toContain(`PublicKey = ${VALUES.peers.carol.publicKey}\n`);
    expect(new Set(secrets()).size).toBe(6);
  });

  test('are readable by root only, and in no log, argument or status', async () => {
    await pod.serve();
    const files = execFileSync('find', [pod.at(VOLUME), '-type', 'f', '-perm', '/077'], { encoding: 'utf8' });
    expect(files).toBe('');
    for (const secret of secrets()) {
      expect(secret).toHaveLength(44);
      for (const text of [pod.output, pod.read('state/argv'), pod.read('run/health/status')])
        expect(text).not.toContain(secret);
    }
  });

  test('the next start takes them as they are, and is quiet about it', async () => {
    await pod.stop(await pod.serve());
    const before = secrets();
    pod.output = '';
    await pod.stop(await pod.serve());
    expect(secrets()).toEqual(before);
    expect(pod.output).not.toMatch(/WARNING|made the keys/);
  });

  test('an empty volume is said loudly', async () => {
    await pod.stop(await pod.serve());
    expect(pod.output).toMatch(/WARNING: the volume .* this is the first start, or the volume is LOST/);
    expect(pod.output).toMatch(
      /every client needs a new file, because the keys are new: server peers\/alice peers\/bob/,
    );
  });

  test('a peer that is added gets its keys in place; the others keep theirs', async () => {
    give({ ...VALUES, peers: { alice: VALUES.peers.alice } });
    await pod.serve();
    const [server, alice] = [volume('server/private-key'), volume('peers/alice/private-key')];
    pod.output = '';
    give(VALUES);
    await pod.until(
      'bob is there',
      () =>
        /^[^ ]{44}$/.test(volume('peers/bob/public-key')) &&
        pod.read('state/wg.conf').includes(volume('peers/bob/public-key')),
    );
    expect(pod.output).toContain('made the keys of peers/bob');
    expect(pod.output).not.toContain('WARNING');
    expect([volume('server/private-key'), volume('peers/alice/private-key')]).toEqual([server, alice]);
  });

  test('a peer whose folder is removed gets new keys', async () => {
    await pod.serve();
    const before = volume('peers/alice/public-key');
    pod.remove(`${VOLUME}/peers/alice`);
    await pod.until('new keys are in use', () => {
      const now = volume('peers/alice/public-key');
      return now !== '' && now !== before && pod.read('state/wg.conf').includes(now);
    });
  });

  test('a pinned server does not become another one when its volume is lost', async () => {
    await pod.stop(await pod.serve());
    const pinned = volume('server/public-key');
    give({ ...VALUES, serverPublicKey: pinned });
    await pod.stop(await pod.serve());
    pod.remove(VOLUME);
    fs.mkdirSync(pod.at(VOLUME), { recursive: true });
    pod.output = '';
    const lost = pod.start('server.sh');
    expect(await pod.ended(lost)).toBe(1);
    expect(pod.output).toContain(
      `has no key of the server, whose public key is to be ${pinned} (serverPublicKey): restore the volume`,
    );
    expect(fs.readdirSync(pod.at(VOLUME))).toEqual([]);
  });

  test('new keys for the only peer are no lost volume', async () => {
    pod.write('etc/wireguard/private-key/private-key', `${pod.privateKey}\n`);
    give({ peers: { alice: VALUES.peers.alice } });
    await pod.serve();
    expect(pod.output).toContain('WARNING');
    pod.output = '';
    pod.remove(`${VOLUME}/peers/alice`);
    await pod.until('new keys are made', () => pod.output.includes('made the keys of peers/alice'));
    expect(pod.output).not.toContain('WARNING');
  });

  test('a pin holds for a given key too', async () => {
    pod.write('etc/wireguard/private-key/private-key', `${pod.privateKey}\n`);
    give({ serverPublicKey: key() });
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain(`the server's public key is ${wireguardPublicKey(pod.privateKey)}, but`);
    give({ serverPublicKey: wireguardPublicKey(pod.privateKey) });
    await pod.serve();
  });

  test.each([
    ['a key that is cut short', (file: string) => fs.truncateSync(file, 20), 'does not hold a WireGuard key'],
    ['a key that is missing', (file: string) => fs.unlinkSync(file), 'there is no file'],
  ])('%s is refused and never replaced', async (_title, damage, complaint) => {
    await pod.stop(await pod.serve());
    damage(pod.at(`${VOLUME}/peers/alice/preshared-key`));
    const before = volume('peers/alice/private-key');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain(`the generated key of alice`);
    expect(pod.output).toContain(complaint);
    expect(volume('peers/alice/private-key')).toBe(before);
  });

  test('keys that were half made when the power went are made anew', async () => {
    pod.write(`${VOLUME}/peers/alice.new/private-key`, 'half');
    await pod.serve();
    expect(pod.has(`${VOLUME}/peers/alice.new`)).toBe(false);
    expect(volume('peers/alice/private-key')).toHaveLength(44);
  });

  test('no volume at all is refused', async () => {
    pod.remove(VOLUME);
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain(`cannot keep generated keys: there is no volume at ${pod.at(VOLUME)}`);
  });

  describe('showconf.sh', () => {
    test('prints the file of a client with its keys', async () => {
      await pod.serve();
      const { stdout, stderr, status } = show('alice');
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      expect(stdout).toBe(
        [
          '# alice',
          '[Interface]',
          `PrivateKey = ${volume('peers/alice/private-key')}`,
          'Address = 10.13.13.2',
          'MTU = 1420',
          '',
          '[Peer]',
          `PublicKey = ${volume('server/public-key')}`,
          `PresharedKey = ${volume('peers/alice/preshared-key')}`,
          'AllowedIPs = 0.0.0.0/0, ::/0',
          'Endpoint = vpn.example.com:51820',
          'PersistentKeepalive = 25',
          '',
        ].join('\n'),
      );
      expect(show('bob').stdout).toContain(volume('peers/bob/private-key'));
    });

    test('gives the same text to qrencode', async () => {
      pod.stub('qrencode', 'cat >"$STUBS/qr"');
      await pod.serve();
      expect(show('alice', '--qr').status).toBe(0);
      expect(pod.read('state/qr')).toBe(show('alice').stdout);
      expect(pod.read('state/argv')).not.toContain(volume('peers/alice/private-key'));
    });

    test('takes the endpoint that the values do not have', async () => {
      give({ ...VALUES, endpoint: null });
      await pod.serve();
      expect(show('alice')).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining('set the value endpoint, or add --endpoint HOST:PORT') as string,
      });
      for (const endpoint of ['203.0.113.7:51820', 'vpn.example.com:51820', '[2001:db8::7]:51820'])
        expect(show('alice', '--endpoint', endpoint).stdout).toContain(`\nEndpoint = ${endpoint}\n`);
      for (const endpoint of [
        'vpn.example.com',
        ':51820',
        'vpn:',
        'vpn:x',
        'a b:1',
        'vpn:1\nPostUp = x',
        '2001:db8::7:51820x',
      ])
        expect(show('alice', '--endpoint', endpoint)).toMatchObject({ status: 1, stdout: '' });
    });

    test.each([
      [['carol'], 'carol: no peer of this name has its keys made here; name one of: alice bob'],
      [[], 'name one of: alice bob'],
      [['alice', 'bob'], 'one peer at a time'],
      [['--help'], 'no such option: --help'],
      [['../../server'], 'no peer of this name'],
      [['alice bob'], 'no peer of this name'],
    ])('%j is refused', async (args, complaint) => {
      await pod.serve();
      const { stdout, stderr, status } = show(...args);
      expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
      expect(stderr).toContain(complaint);
    });

    test('says so while the keys are not there', async () => {
      await pod.serve();
      pod.remove(`${VOLUME}/peers`);
      expect(show('alice').stderr).toContain('the keys of alice are not there');
    });
  });
});

describeWith(['wg', 'dash', 'root', 'netns', 'linux'], 'the volume of generated keys', () => {
  let pod: Pod;
  beforeEach(() => {
    pod = new Pod();
    for (const [name, text] of Object.entries(configuration(VALUES))) pod.write(`etc/wireguard/config/${name}`, text);
    fs.mkdirSync(pod.at(VOLUME), { recursive: true });
  });
  afterEach(() => {
    pod.end();
  });

  /** The server in a mount namespace of its own, where the volume is another file system. */
  const start = (options: string) =>
    spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        'mount -t tmpfs -o "$1" keys "$2" && { [ "$3" = "" ] || head -c 1m /dev/zero >"$2/ballast" 2>/dev/null; exec dash "$4"; }',
        'sh',
        options,
        pod.at(VOLUME),
        options.startsWith('size') ? 'full' : '',
        path.join(SCRIPTS, 'server.sh'),
      ],
      { env: pod.environment(), encoding: 'utf8', timeout: 30_000 },
    );

  test('that is read-only is refused with what is wrong', () => {
    const { status, stderr } = start('ro');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /cannot make the keys of server on the volume .*, which must be writable.*Read-only file system/,
    );
  });

  test('that is full is refused with what is wrong, and holds nothing half made', () => {
    const { status, stderr } = start('size=8k');
    expect(status).toBe(1);
    expect(stderr).toMatch(/cannot make the keys of server on the volume .* have room: .*[Nn]o space left/);
  });
});

/** The harness of real daemons: that it tells good from bad, and leaves nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { describeWith } from '../left-out';
import { authority } from '../strongswan/authority';
import { Charon, CHARON_TOOLS, messagesOf, pairOfCharons, Validator, type Pair } from '../strongswan/charons';
import { Trixie } from '../strongswan/trixie';
import { tools } from '../tools';

jest.setTimeout(120_000);

const GOOD = `
connections {
  office {
    version = 2
    proposals = aes256-sha256-ecp384
    remote_addrs = 192.0.2.2
    local {
      auth = psk
      id = left.example
    }
    remote {
      auth = psk
      id = "C=CH, O=Example, CN=right"
    }
    children {
      net {
        local_ts = 10.1.0.0/24,fd00:1::/64
        remote_ts = 10.2.0.0/24
        esp_proposals = aes256gcm16-ecp384
      }
    }
  }
}
secrets {
  ike-office {
    id = left.example
    secret = 0sc2VjcmV0
  }
}
`;

describe('what swanctl prints', () => {
  test('is read', () => {
    const printed = `list-sa event {
  office {
    state = ESTABLISHED
    local-id = C=CH, O=Example, CN=left = right
    empty =
    child-sas {
      net-1 {
        local-ts = [
          10.1.0.0/24
          fd00:1::/64
        ]
      }
      net-2 {
      }
    }
  }
}
list-sas reply {
}
`;
    expect(messagesOf(printed)).toEqual([
      [
        'list-sa event',
        {
          office: {
            state: 'ESTABLISHED',
            'local-id': 'C=CH, O=Example, CN=left = right',
            empty: '',
            'child-sas': { 'net-1': { 'local-ts': ['10.1.0.0/24', 'fd00:1::/64'] }, 'net-2': {} },
          },
        },
      ],
      ['list-sas reply', {}],
    ]);
    expect(() => messagesOf('what is this')).toThrow('nobody understands: what is this');
  });
});

describeWith(CHARON_TOOLS, 'charon', () => {
  let validator: Validator;
  beforeAll(async () => {
    validator = await Validator.start();
  });
  afterAll(() => validator.end());

  test('takes a good file, and has then what the file says', async () => {
    const { status, output, complaints, connections } = await validator.validate(GOOD);
    expect({ status, complaints }).toEqual({ status: 0, complaints: [] });
    expect(output).toContain("loaded connection 'office'");
    expect(output).toContain("loaded ike secret 'ike-office'");
    expect(Object.keys(connections)).toEqual(['office']);
    expect(connections['office']).toMatchObject({
      version: 'IKEv2',
      remote_addrs: ['192.0.2.2'],
      'remote-1': { class: 'pre-shared key', id: 'C=CH, O=Example, CN=right' },
      children: { net: { 'local-ts': ['10.1.0.0/24', 'fd00:1::/64'], 'remote-ts': ['10.2.0.0/24'] } },
    });
  });

  test.each([
    ['a proposal that is none', 'aes256-sha256-ecp384', 'aes256-sha256-ecp385', 22, 'invalid value for: proposals'],
    ['a proposal of ESP that is none', 'aes256gcm16-ecp384', 'aes256gcm15', 22, 'invalid value for: esp_proposals'],
    ['a key that is none', 'remote_addrs', 'remote_address', 22, 'unknown option: remote_address'],
    ['a network that is none', '10.2.0.0/24', '10.2.0.256/24', 22, 'invalid value for: remote_ts'],
    ['a brace too few', '    children {\n', '', 0, "unexpected '}'"],
    ['a brace too many', 'secrets {', '}\nsecrets {', 0, "unexpected '}'"],
  ])('refuses a file with %s, and has nothing of the file before', async (_what, good, bad, swanctl, why) => {
    expect(GOOD).toContain(good);
    const { status, complaints, connections } = await validator.validate(GOOD.replace(good, bad));
    expect({ status, connections }).toEqual({ status: swanctl, connections: {} });
    expect(complaints[0]).toContain(why);
  });

  test('takes certificates and keys, whose files are gone afterwards', async () => {
    const root = authority();
    const { certificate, privateKey } = root.issue({ subject: { CN: 'left' }, dns: ['left.example'] });
    const files = {
      'x509ca/root.pem': root.certificate,
      'x509/left.pem': certificate,
      'private/left.pem': privateKey,
    };
    const good = GOOD.replace('auth = psk', 'auth = pubkey\n      certs = left.pem');
    const { status, output, complaints } = await validator.validate(good, { files });
    expect({ status, complaints }).toEqual({ status: 0, complaints: [] });
    for (const file of Object.keys(files)) expect(output).toContain(`from '/etc/swanctl/${file}'`);
    const broken = await validator.validate(good, {
      files: { ...files, 'private/left.pem': privateKey.replace(/^M.*$/m, '') },
    });
    expect(broken.complaints).toEqual([expect.stringContaining("/etc/swanctl/private/left.pem' failed")]);
    const without = await validator.validate(good);
    expect({ status: without.status, connections: without.connections }).toEqual({ status: 22, connections: {} });
  });

  test('reads strongswan.conf, and does not start with a broken one', async () => {
    const other = await validator.validate(GOOD, { strongswanConf: 'charon {\n  port = 1500\n}\n' });
    expect(other.status).toBe(0);
    const broken = await validator.validate(GOOD, { strongswanConf: 'charon {\n' });
    expect(broken.connections).toEqual({});
    expect(broken.status).toEqual(expect.any(Number));
    expect(broken.status).not.toBe(0);
    expect((await validator.validate(GOOD)).status).toBe(0);
  });

  test('judges forty files in a few seconds', async () => {
    const start = Date.now();
    for (let number = 0; number < 40; number++) {
      const { status, connections } = await validator.validate(GOOD.replace('office', `office-${number}`));
      expect({ status, names: Object.keys(connections) }).toEqual({ status: 0, names: [`office-${number}`] });
    }
    expect(Date.now() - start).toBeLessThan(30_000);
  });
});

interface Identities {
  readonly local: string;
  readonly remote: string;
}

/** A connection of one side, and its secret. */
function psk({ local, remote }: Identities, own: string, peer: string, secret: string): string {
  const networks = (side: string, net: number): string =>
    `local_ts = 10.${side}.${net}.0/24\n remote_ts = 10.${side === '1' ? '2' : '1'}.${net}.0/24`;
  return `
connections {
  peer {
    version = 2
    local_addrs = 192.0.2.${own}
    remote_addrs = 192.0.2.${peer}
    proposals = aes256-sha256-ecp256
    local {
      auth = psk
      id = ${local}
    }
    remote {
      auth = psk
      id = ${remote}
    }
    children {
      first {
        ${networks(own, 0)}
        esp_proposals = aes256gcm16-ecp256
      }
      second {
        ${networks(own, 9)}
        esp_proposals = aes256-sha256-ecp256
      }
    }
  }
}
secrets {
  ike-peer {
    id-1 = ${local}
    id-2 = ${remote}
    secret = 0s${Buffer.from(secret).toString('base64')}
  }
}
`;
}

const INNER = { left: { inner: ['10.1.0.1', '10.1.9.1'] }, right: { inner: ['10.2.0.1', '10.2.9.1'] } };

async function ping(from: Charon, source: string, target: string, seconds = 5): Promise<boolean> {
  const { status } = await from.run(['ping', '-c', '1', '-W', String(seconds), '-I', source, target]);
  return status === 0;
}

const initiate = (charon: Charon, child: string): ReturnType<Charon['swanctl']> =>
  charon.swanctl('--initiate', '--child', child, '--timeout', '20');

describeWith(CHARON_TOOLS, 'two charons', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await pairOfCharons(INNER);
  });
  afterAll(() => pair.end());
  afterEach(async () => {
    await pair.left.swanctl('--terminate', '--ike', 'peer', '--timeout', '5');
    for (const side of [pair.left, pair.right]) await side.swanctl('--load-all', '--clear', '--file', '/dev/null');
  });

  test.each<[string, Identities, [string, string]]>([
    ['of addresses', { local: '192.0.2.1', remote: '192.0.2.2' }, ['192.0.2.1', '192.0.2.2']],
    ['of FQDN', { local: 'left.example', remote: '"@right.example"' }, ['left.example', 'right.example']],
    ['of key ids', { local: '"keyid:left"', remote: '"@#7269676874"' }, ['left', 'right']],
  ])('carry packets both ways through two children, with a secret %s', async (_what, { local, remote }, ids) => {
    const { left, right } = pair;
    expect(await ping(left, '10.1.0.1', '10.2.0.1', 0.3)).toBe(false);
    expect(await left.load({ swanctlConf: psk({ local, remote }, '1', '2', 'secret') })).toMatchObject({ status: 0 });
    const other = { local: remote, remote: local };
    expect(await right.load({ swanctlConf: psk(other, '2', '1', 'secret') })).toMatchObject({ status: 0 });
    for (const child of ['first', 'second']) expect(await initiate(left, child)).toMatchObject({ status: 0 });
    expect(await ping(left, '10.1.0.1', '10.2.0.1')).toBe(true);
    expect(await ping(right, '10.2.9.1', '10.1.9.1')).toBe(true);

    const [sa, ...others] = await right.sas();
    expect(others).toEqual([]);
    expect(sa).toMatchObject({ name: 'peer', state: 'ESTABLISHED' });
    const readable = (id: string): string => (/^[0-9a-f]{2}(:[0-9a-f]{2})+$/.test(id) ? fromHex(id) : id);
    expect([readable(sa?.remoteId ?? ''), readable(sa?.localId ?? '')]).toEqual(ids);
    expect(sa?.children).toEqual([
      expect.objectContaining({ name: 'first', state: 'INSTALLED', localNetworks: ['10.2.0.0/24'], bytesIn: 84 }),
      expect.objectContaining({ name: 'second', state: 'INSTALLED', remoteNetworks: ['10.1.9.0/24'], bytesOut: 84 }),
    ]);
  });

  test('do not, with two secrets', async () => {
    const { left, right } = pair;
    await left.load({ swanctlConf: psk({ local: '192.0.2.1', remote: '192.0.2.2' }, '1', '2', 'secret') });
    await right.load({ swanctlConf: psk({ local: '192.0.2.2', remote: '192.0.2.1' }, '2', '1', 'Secret') });
    const { status, stdout, stderr } = await initiate(left, 'first');
    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain('AUTHENTICATION_FAILED');
    expect(await left.sas()).toEqual([]);
    expect(await ping(left, '10.1.0.1', '10.2.0.1', 0.3)).toBe(false);
  });

  const root = authority();
  const left = root.issue({ subject: { C: 'CH', O: 'Example', CN: 'left' } });
  const LAST_WEEK = { notBefore: new Date(Date.now() - 9 * 86_400_000), notAfter: new Date(Date.now() - 86_400_000) };
  const names = { dns: ['right.example'], addresses: ['192.0.2.2', '2001:db8::2'], emails: ['right@example.org'] };
  const right = root.issue({ subject: { CN: 'right' }, ...names });
  const files = (name: string, { certificate, privateKey }: typeof left): Record<string, string> => ({
    'x509ca/root.pem': root.certificate,
    [`x509/${name}.pem`]: certificate,
    [`private/${name}.pem`]: privateKey,
  });
  const pubkey = (own: string, peer: string, ids: Identities, file: string): string =>
    psk(ids, own, peer, 'unused')
      .replace('auth = psk', `auth = pubkey\n certs = ${file}`)
      .replace('auth = psk', 'auth = pubkey');

  /** Loads both sides, of which the left one is known by its distinguished name, and the other by this one. */
  async function begin(id: string, peer: typeof left): Promise<boolean> {
    const subject = `"${left.subject}"`;
    const own = pubkey('1', '2', { local: subject, remote: id }, 'left.pem');
    const other = pubkey('2', '1', { local: id, remote: subject }, 'right.pem');
    expect(await pair.left.load({ swanctlConf: own, files: files('left', left) })).toMatchObject({ status: 0 });
    expect(await pair.right.load({ swanctlConf: other, files: files('right', peer) })).toMatchObject({ status: 0 });
    return (await initiate(pair.left, 'first')).status === 0;
  }

  test.each([
    ['name', 'right.example'],
    ['address', '192.0.2.2'],
    ['IPv6 address', '2001:db8::2'],
    ['mail address', 'right@example.org'],
    ['distinguished name', '"CN=right"'],
  ])('carry packets, with certificates, of which one has the %s', async (_what, id) => {
    expect(await begin(id, right)).toBe(true);
    expect(await ping(pair.left, '10.1.0.1', '10.2.0.1')).toBe(true);
    expect(await pair.left.sas()).toMatchObject([{ localId: left.subject, remoteId: id.replaceAll('"', '') }]);
  });

  const another = authority().issue({ subject: { CN: 'right' }, ...names });
  const old = root.issue({ subject: { CN: 'right' }, ...names, ...LAST_WEEK });
  test.each([
    ['a certificate of another name', 'wrong.example', right, "found for 'wrong.example'"],
    ['a certificate of another authority', 'right.example', another, 'no issuer certificate found for "CN=right"'],
    ['a certificate of last week', 'right.example', old, 'subject certificate invalid (valid from'],
  ])('do not, with %s', async (_what, id, peer, why) => {
    const before = [pair.left, pair.right].map((side) => side.log().length);
    expect(await begin(id, peer)).toBe(false);
    expect(await ping(pair.left, '10.1.0.1', '10.2.0.1', 0.3)).toBe(false);
    const said = [pair.left, pair.right].map((side, index) => side.log().slice(before[index])).join('');
    expect(said).toContain(why);
  });
});

function fromHex(id: string): string {
  return Buffer.from(id.replaceAll(':', ''), 'hex').toString();
}

/** Processes with this network namespace. */
function inNamespace(namespace: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^[0-9]+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
    } catch {
      return false;
    }
  });
}

describeWith(CHARON_TOOLS, 'a Debian 13', () => {
  const namespaceOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/net`);

  test('keeps its files for itself, and leaves nothing', async () => {
    const trixie = await Trixie.start();
    const namespace = namespaceOf(trixie.pid);
    try {
      trixie.write({ '/etc/left-behind': 'text' });
      expect(await trixie.run(['cat', '/etc/left-behind'])).toEqual({ status: 0, stdout: 'text', stderr: '' });
      expect(trixie.read('/etc/left-behind')).toBe('text');
      const daemon = trixie.daemon(['sh', '-c', 'echo started; sleep 1000 & wait']);
      while (daemon.log() === '') await new Promise((resolve) => setTimeout(resolve, 10));
      expect(inNamespace(namespace).length).toBeGreaterThan(2);
    } finally {
      await trixie.end();
    }
    expect(inNamespace(namespace)).toEqual([]);
    expect(existsSync(join(tools.debian13(), 'etc/left-behind'))).toBe(false);
    expect(readdirSync(join(tools.debian13(), 'mnt'))).toEqual([]);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(tools.debian13());
    await trixie.end();
  });

  test('tells how a program ends, and sees nothing of this machine', async () => {
    const trixie = await Trixie.start();
    try {
      expect(await trixie.run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
        status: 3,
        stdout: 'out\n',
        stderr: 'err\n',
      });
      expect((await trixie.run(['cat'], { input: 'in' })).stdout).toBe('in');
      expect((await trixie.run(['printenv', 'NAME'], { environment: { NAME: 'x' } })).stdout).toBe('x\n');
      expect((await trixie.run(['sleep', '1000'], { seconds: 0.2 })).status).toBe(null);
      expect((await trixie.run(['ls', '/mnt'])).stdout).toBe('');
      expect((await trixie.run(['ip', '-brief', 'link'])).stdout).toMatch(/^lo .*\n$/);
      const daemon = trixie.daemon(['sh', '-c', 'trap "exit 5" TERM; echo; sleep 1000 & wait']);
      while (daemon.log() === '') await new Promise((resolve) => setTimeout(resolve, 10));
      daemon.signal('SIGTERM');
      expect(await daemon.ended()).toBe(5);
      expect(daemon.isRunning()).toBe(false);
    } finally {
      await trixie.end();
    }
  });

  test('has a charon that a script of the pod starts, with its files where the pod has them', async () => {
    const places = { swanctl: '/config/swanctl', strongswanConf: '/config/strongswan.conf', socket: '/state/vici' };
    const strongswanConf = 'charon {\n plugins {\n vici {\n socket = unix:///state/vici\n }\n }\n }\n';
    const script = '#!/bin/sh\nmkdir /state\necho "started by $NAME"\nexec "$@"\n';
    const trixie = await Trixie.start();
    try {
      const charon = new Charon(trixie, {
        places,
        strongswanConf,
        swanctlConf: `include secrets/*.conf\n${GOOD.replace(/secrets [^]*/, '')}`,
        files: { 'secrets/office.conf': GOOD.replace(/[^]*(?=secrets)/, ''), '/scripts/start.sh': script },
        start: ['/scripts/start.sh', '/usr/lib/ipsec/charon'],
        environment: { NAME: 'test' },
      });
      await charon.start();
      expect(charon.log()).toContain('started by test\n');
      const { status, output } = await charon.load();
      expect({ status, output }).toEqual({
        status: 0,
        output: expect.stringContaining("secret 'ike-office'") as string,
      });
      expect(Object.keys(await charon.connections())).toEqual(['office']);
      expect((await charon.swanctl('--stats')).stdout).toContain(' kernel-libipsec ');
      expect((await charon.run(['printenv', 'NAME', 'SWANCTL_DIR'])).stdout).toBe('test\n/config/swanctl\n');
      await charon.stop();
      expect(charon.log()).toContain('SIGTERM received, shutting down');
      expect((await charon.swanctl('--stats')).status).not.toBe(0);
      await charon.start();
      expect(await charon.sas()).toEqual([]);
    } finally {
      await trixie.end();
    }
  });

  test('ends with the process that has started it', async () => {
    const program = `
      const { pairOfCharons } = require(${JSON.stringify(join(__dirname, '../strongswan/charons.ts'))});
      pairOfCharons({ left: {}, right: {} }).then(({ left, right }) => console.log(left.trixie.pid, right.trixie.pid));
    `;
    const owner = spawn(process.execPath, ['--import', 'tsx', '-e', program], {
      cwd: join(__dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const namespaces = line
      .toString()
      .trim()
      .split(' ')
      .map((pid) => namespaceOf(Number(pid)));
    for (const namespace of namespaces) expect(inNamespace(namespace).length).toBeGreaterThan(2);
    owner.kill('SIGKILL');
    await once(owner, 'close');
    const limit = Date.now() + 10_000;
    while (namespaces.some((namespace) => inNamespace(namespace).length > 0) && Date.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(namespaces.flatMap(inNamespace)).toEqual([]);
  });
});

describeWith(['shellcheck'], 'shellcheck takes', () => {
  test('trixie.sh', () => {
    const script = join(__dirname, '../strongswan/trixie.sh');
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', script], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});

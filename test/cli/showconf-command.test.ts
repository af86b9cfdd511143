import { randomBytes } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { run } from '../../lib/cli/program';
import { QR_MAX_BYTES } from '../../lib/cli/qr-code';
import { loadValues } from '../../lib/helm/load-values';
import { newWireguardPrivateKey, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { importClientFile } from '../wireguard/importer';
import { CommandLine, type Ended, type RunOptions } from './command-line';
import { decodeQrPicture, decodeQrText } from './decode-qr';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const SERVER_KEY = newWireguardPrivateKey();
const ALICE_KEY = newWireguardPrivateKey();
const BOB_KEY = newWireguardPrivateKey();
/** Nobody's. */
const OTHER_PUBLIC_KEY = wireguardPublicKey(newWireguardPrivateKey());
const PRESHARED = randomBytes(32).toString('base64');
const SECRETS = [SERVER_KEY, ALICE_KEY, BOB_KEY, PRESHARED];

const SITE = `
privateKey: {value: ${SERVER_KEY}}
endpoint: vpn.example.com:51820
peers:
  alice:
    publicKey: ${wireguardPublicKey(ALICE_KEY)}
    addresses: [10.13.13.2]
    presharedKey: {existingSecret: wireguard-alice}
  bob:
    publicKey: ${wireguardPublicKey(BOB_KEY)}
    addresses: [10.13.13.3]
  carol:
    publicKey: QjPYsYv8IJW4u0ssbSprjZ0DptKrDqtH/grM2CaKv3I=
    addresses: [10.13.13.4]
    presharedKey: {value: ${PRESHARED}}
  made:
    generate: true
    addresses: [10.13.13.5]
`;

type Show = (args: readonly string[], options?: RunOptions) => Ended;

/** Runs in a folder with good values, and the keys of alice and bob. */
function inSite(use: (show: Show, cwd: string) => void): void {
  withFolder((cwd) => {
    const files = {
      'site.yaml': SITE,
      'alice.key': `${ALICE_KEY}\n`,
      'bob.key': `${BOB_KEY}\r\n`,
      'alice.psk': PRESHARED,
    };
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(cwd, name), content);
    use((args, options) => cli.run(['showconf', 'wireguard', '-f', 'site.yaml', ...args], { cwd, ...options }), cwd);
  });
}

const ALICE = ['alice', '--private-key-file', 'alice.key', '--preshared-key-file', 'alice.psk'];
const BOB = ['bob', '--private-key-file', 'bob.key'];

function good({ code, out, err }: Ended): string {
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

/** What it says; it writes nothing, and shows no secret. */
function refused(cwd: string, code: 1 | 2, start: () => Ended): string[] {
  const before = fs.readdirSync(cwd);
  const ended = start();
  expect({ code: ended.code, out: ended.out }).toEqual({ code, out: '' });
  expect(fs.readdirSync(cwd)).toEqual(before);
  expect(ended.err).not.toMatch(/^ {4}at /m);
  for (const secret of SECRETS) expect(ended.err).not.toContain(secret.slice(0, 20));
  return ended.err.trimEnd().split('\n');
}

test('prints the file of a client, with its keys', () => {
  inSite((show) => {
    const alice = good(show(ALICE));
    expect(alice).toMatch(/^# alice\n[^]*[^\n]\n$/);
    expect(importClientFile(alice)).toEqual({
      interface: { PrivateKey: ALICE_KEY, Address: '10.13.13.2', MTU: '1420' },
      peers: [
        {
          PublicKey: wireguardPublicKey(SERVER_KEY),
          PresharedKey: PRESHARED,
          AllowedIPs: '0.0.0.0/0, ::/0',
          Endpoint: 'vpn.example.com:51820',
          PersistentKeepalive: '25',
        },
      ],
    });
    expect(importClientFile(good(show(BOB))).interface['PrivateKey']).toBe(BOB_KEY);
  });
});

test('says in a comment which key is not at hand', () => {
  inSite((show) => {
    const comments = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('# '));
    expect(comments(good(show(['alice'])))).toEqual([
      '# alice',
      '# PrivateKey = (the private key of this client)',
      '# PresharedKey = (key preshared-key of the Secret wireguard-alice)',
    ]);
    expect(comments(good(show(['bob'])))).toEqual(['# bob', '# PrivateKey = (the private key of this client)']);
    const carol = good(show(['carol']));
    expect(comments(carol)).toEqual(['# carol', '# PrivateKey = (the private key of this client)']);
    expect(carol).toContain(`\nPresharedKey = ${PRESHARED}\n`);
  });
});

test('takes the public key that the values give, and what each release and flag says', () => {
  inSite((show) => {
    const publicKey = wireguardPublicKey(newWireguardPrivateKey());
    const given = [
      '--set',
      `serverPublicKey=${publicKey}`,
      '--set',
      'privateKey.value=null',
      '--set',
      'dns.mode=coredns',
    ];
    const { interface: own, peers } = importClientFile(good(show([...BOB, ...given])));
    expect([own['DNS'], peers[0]?.['PublicKey']]).toEqual(['10.13.13.1', publicKey]);
  });
});

test('prints the format of wg too, without what wg does not know', () => {
  inSite((show) => {
    const wg = good(show([...BOB, '--format', 'wg']));
    expect(wg).toBe(good(show([...BOB, '--format=wg-quick'])).replaceAll(/^(Address|DNS|MTU) = .*\n/gm, ''));
  });
});

test('a key may come by standard input, and so may the values', () => {
  inSite((show) => {
    const alice = good(show(ALICE));
    const from = (input: string, ...args: string[]): string => good(show(args, { input }));
    expect(from(`${PRESHARED}\n`, 'alice', '--private-key-file', 'alice.key', '--preshared-key-file', '-')).toBe(alice);
    expect(from(ALICE_KEY, 'alice', '--private-key-file', '-', '--preshared-key-file', 'alice.psk')).toBe(alice);
    expect(good(cli.run(['showconf', 'wireguard', 'bob', '-f', '-'], { input: SITE }))).toBe(good(show(['bob'])));
  });
});

test('-o writes the same into a new file for its owner, and prints nothing', () => {
  inSite((show, cwd) => {
    expect(good(show([...BOB, '-o', 'bob.conf']))).toBe('');
    expect(fs.statSync(path.join(cwd, 'bob.conf')).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(path.join(cwd, 'bob.conf'), 'utf8')).toBe(good(show(BOB)));
    expect(refused(cwd, 2, () => show([...BOB, '-o', 'bob.conf']))).toEqual([
      'bob.conf: there is a file already, and it stays as it is; move it away, or name another one',
    ]);
    expect(fs.readFileSync(path.join(cwd, 'bob.conf'), 'utf8')).toBe(good(show(BOB)));
  });
});

describeWith(['zbarimg'], 'a reader of QR codes', () => {
  test('finds the same text on the terminal and in the picture', () => {
    inSite((show, cwd) => {
      const text = good(show(ALICE));
      expect(decodeQrText(good(show([...ALICE, '--qr'])))).toBe(text);
      expect(good(show([...ALICE, '--qr', '-o', 'alice.png']))).toBe('');
      expect(fs.statSync(path.join(cwd, 'alice.png')).mode & 0o777).toBe(0o600);
      expect(decodeQrPicture(fs.readFileSync(path.join(cwd, 'alice.png')))).toBe(text);
      expect(
        good(
          show(['carol', '--qr', '--private-key-file', 'carol.key', '--set', `peers.carol.publicKey=${carolOf(cwd)}`]),
        ),
      ).not.toBe('');
    });
  });

  test('finds the longest text that fits; a longer one is refused', () => {
    inSite((show, cwd) => {
      const networks = Array.from(
        { length: 1000 },
        (_, index) => `10.${100 + (index >> 7)}.${100 + (index & 127)}.0/24`,
      );
      const allowed = (count: number): string[] => [
        '--set',
        `client.allowedIPs={${networks.slice(0, count).join(',')}}`,
      ];
      const few = good(show([...BOB, ...allowed(1)])).length;
      const fit = 1 + Math.floor((QR_MAX_BYTES - few) / `${networks[0]!}, `.length);
      const text = good(show([...BOB, ...allowed(fit)]));
      expect(decodeQrText(good(show([...BOB, ...allowed(fit), '--qr'])))).toBe(text);
      const longer = good(show([...BOB, ...allowed(fit + 1)]));
      expect(refused(cwd, 2, () => show([...BOB, ...allowed(fit + 1), '--qr', '-o', 'x.png']))).toEqual([
        `--qr: the file is too long for a QR code, which takes 2953 bytes, got ${longer.length} bytes; shorten client.allowedIPs or peers.bob.client.allowedIPs`,
      ]);
    });
  });
});

/** Makes the key of carol, and says which public one belongs to it. */
function carolOf(cwd: string): string {
  const key = newWireguardPrivateKey();
  fs.writeFileSync(path.join(cwd, 'carol.key'), key);
  return wireguardPublicKey(key);
}

describe('refused is', () => {
  test.each<[what: string, code: 1 | 2, args: string[], lines: (string | RegExp)[]]>([
    ['an unknown peer, with the one that was meant', 2, ['alise'], ['peer: there is no such peer, got "alise"; did you mean alice?']],
    ['a peer that nobody knows', 2, ['constructor', '--set', 'peersFrom.team.existingSecret=team'], ['peer: there is no such peer (those of peersFrom are not known here), got "constructor"; name a key of peers']],
    ['a peer whose keys the pod makes', 1, ['made', '--release', 'home'], [
      'site.yaml:17:5: peers.made.generate: the pod makes the keys of this peer, got true; `kubectl -n default exec deploy/home-wireguard -c wireguard -- sh /scripts/showconf.sh made` shows its file',
    ]],
    ['its QR code', 1, ['made', '--qr'], [/-- sh \/scripts\/showconf\.sh made --qr` shows its file$/]],
    ['bad values', 1, ['bob', '--set', 'mtu=1', '--set', 'hostPort=0'], [/^mtu: /, /^hostPort: /]],
    ['no endpoint and no public key', 1, ['bob', '--set', 'endpoint=null', '--set', 'privateKey.value=null', '--set', 'interfaceName=wg1', '-n', 'vpn'], [
      "endpoint: is missing, so no client would find the server; set it to what `kubectl -n vpn get service vpn-wireguard -o jsonpath='{.status.loadBalancer.ingress[0]}'` prints, with the port 51820",
      'serverPublicKey: is missing, and every client needs it; set it to what `kubectl -n vpn exec deploy/vpn-wireguard -c wireguard -- wg show wg1 public-key` prints',
    ]],
    ['another public key than that of the private one', 1, ['bob', '--set', `serverPublicKey=${OTHER_PUBLIC_KEY}`], [
      `serverPublicKey: is not the public key of privateKey.value, got "${OTHER_PUBLIC_KEY}"; remove one of the two`,
    ]],
    ['a QR code without the keys', 2, ['alice', '--qr'], [
      '--qr: without its private key the client would not work; give --private-key-file',
      '--qr: without its pre-shared key the client would not work; give --preshared-key-file',
    ]],
    ['a QR code that no app imports', 2, [...BOB, '--qr', '--format', 'wg'], ['--qr: apps read the format wg-quick only, got --format wg; leave one of the two out']],
    ['a QR code that is no picture', 2, [...BOB, '--qr', '-o', 'bob.conf'], ['-o: a QR code is written as a PNG picture, got "bob.conf"; name a file that ends in .png']],
    ['a picture that is no QR code', 2, [...BOB, '-o', 'bob.png'], ['-o: a file of this name would be a picture, got "bob.png"; add --qr, or name another file']],
    ['a format that is none', 2, [...BOB, '--format', 'ini'], [/^error: option '--format <format>' argument 'ini' is invalid. Allowed choices are wg-quick, wg, text, terraform\.$/, /usage/]],
    ['the key of another peer', 2, ['bob', '--private-key-file', 'alice.key'], [
      '--private-key-file: this key does not belong to peers.bob.publicKey; give the one that does, or make a new pair with cdk8s-vpn keys',
    ]],
    ['a pre-shared key of a peer that has none', 2, [...BOB, '--preshared-key-file', 'alice.psk'], ['--preshared-key-file: peers.bob has no pre-shared key; leave the flag out, or set presharedKey']],
    ['a pre-shared key that the values have', 2, ['carol', '--preshared-key-file', 'alice.psk'], ['--preshared-key-file: the key is in peers.carol.presharedKey.value already; leave the flag out']],
    ['a key in place of a file', 2, ['bob', '--private-key-file', BOB_KEY], ['--private-key-file: this is a key, and not the path of a file; put it into a file, and name that']],
    ['a key in place of a file, with =', 2, ['bob', `--preshared-key-file=${PRESHARED}`], ['--preshared-key-file: this is a key, and not the path of a file; put it into a file, and name that']],
    ['a key behind an unknown flag', 2, ['bob', `--private-key=${BOB_KEY}`], ["error: unknown option '--private-key'", /usage/]],
    ['a key as an argument too many', 2, ['bob', BOB_KEY], [/^error: too many arguments; name one chart and one name, /, /usage/]],
    ['standard input for two', 2, ['alice', '--private-key-file', '-', '--preshared-key-file', '-'], ['-: standard input can be read once only; give the other files by name', /^standard input: is empty/, /^standard input: is empty/]],
    ['everything at once', 2, ['bbo', '--qr', '--format', 'wg', '-o', 'site.yaml', '--private-key-file', 'none', '--set', 'endpoint=null'], [
      '--qr: apps read the format wg-quick only, got --format wg; leave one of the two out',
      '-o: a QR code is written as a PNG picture, got "site.yaml"; name a file that ends in .png',
      /^site\.yaml: there is a file already/,
      'peer: there is no such peer, got "bbo"; did you mean bob?',
      /^endpoint: is missing/,
      'none: there is no such file; check the path after --private-key-file',
    ]],
  ])('%s', (_, code, args, lines) => {
    inSite((show, cwd) => {
      const found = refused(cwd, code, () => show(args));
      expect(found).toEqual(lines.map((line): unknown => (typeof line === 'string' ? line : expect.stringMatching(line))));
    });
  }); // prettier-ignore

  test('what the notes of the chart name, where the values do not say how the server is reached', () => {
    inSite((show, cwd) => {
      for (const [flags, commands] of [
        [['service.type=NodePort'], 1],
        [['service.type=ClusterIP', 'hostPort=51999'], 1],
        [['service.enabled=false', 'hostPort=51999'], 1],
        [['hostPort=51999'], 2],
        [['service.type=ClusterIP'], 0],
        [['service.enabled=false'], 0],
      ] as const) {
        const set = ['--set', 'endpoint=null', ...flags.flatMap((flag) => ['--set', flag])];
        const [line = ''] = refused(cwd, 1, () => show(['bob', ...set]));
        const found = [...line.matchAll(/`([^`]*)`/g)].map(([, command = '']) => command);
        expect([flags, found.length]).toEqual([flags, commands]);
        const { values } = loadValues({ files: [path.join(cwd, 'site.yaml')], set: ['endpoint=null', ...flags] });
        const notes = CHARTS.wireguard.notes({ values }) ?? '';
        for (const command of found) expect(notes).toContain(`${command}\n`);
        if (found.length === 0) expect(line).toMatch(/vpn-wireguard\.default\.svc:51820|service\.enabled/);
      }
      const { values } = loadValues({ files: [path.join(cwd, 'site.yaml')] });
      const [line = ''] = refused(cwd, 1, () => show(['bob', '--set', 'privateKey.value=null']));
      expect(CHARTS.wireguard.notes({ values })).toContain(`${/`([^`]*)`/.exec(line)?.[1] ?? '?'}\n`);
    });
  });
});

describe('on a terminal', () => {
  function told(cwd: string, args: readonly string[], columns: number): { err: string[]; out: string } {
    const err: string[] = [];
    let out = '';
    const before = {
      cwd: process.cwd(),
      err: process.stderr.isTTY,
      out: process.stdout.isTTY,
      columns: process.stdout.columns,
    };
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => (out += text as string) !== '');
    jest.spyOn(process.stderr, 'write').mockImplementation((line) => err.push(line as string) > 0);
    process.chdir(cwd);
    process.stderr.isTTY = process.stdout.isTTY = true;
    process.stdout.columns = columns;
    try {
      expect(run(['showconf', 'wireguard', ...args, '-f', 'site.yaml'])).toBe(0);
    } finally {
      process.chdir(before.cwd);
      process.stderr.isTTY = before.err;
      process.stdout.isTTY = before.out;
      process.stdout.columns = before.columns;
    }
    return { err, out };
  }

  test('it says what it wrote, and that the name is no tunnel’s where that matters', () => {
    inSite((_, cwd) => {
      expect(told(cwd, [...BOB, '-o', 'bob.conf'], 80)).toEqual({ err: ['wrote bob.conf\n'], out: '' });
      const warning = expect.stringMatching(/ at most 15 letters, digits and _=\+\.-, before \.conf\n$/) as string;
      for (const name of ['sixteen-letters-.conf', 'a b.conf', 'bob:1.conf']) {
        expect(told(cwd, [...BOB, '-o', name], 80).err).toEqual([`wrote ${name}\n`, warning]);
        expect(told(cwd, [...BOB, '-o', `wg ${name}`, '--format', 'wg'], 80).err).toHaveLength(1);
        expect(told(cwd, [...BOB, '-o', `${name}.png`, '--qr'], 80).err).toHaveLength(1);
      }
    });
  });

  test('a QR code has colours, and a terminal that is too narrow for it is named', () => {
    inSite((_, cwd) => {
      const wide = told(cwd, [...BOB, '--qr'], 80);
      expect(wide.err).toEqual([]);
      expect(wide.out).toMatch(/^\u001B\[40;97m█+\u001B\[0m\n/);
      expect(told(cwd, [...BOB, '--qr'], 60).err).toEqual([
        expect.stringMatching(
          /^the QR code is \d+ columns wide, and this terminal less; enlarge it, or use -o FILE\.png\n$/,
        ),
      ]);
    });
  });
});

describeWith(['linux'], 'a file of a key that is', () => {
  test('a pipe is read', () => {
    inSite((show, cwd) => {
      const quoted = `cat bob.key | ${cli.program} showconf wireguard bob -f site.yaml --private-key-file /dev/stdin`;
      expect(good(cli.shell(quoted, cwd))).toBe(good(show(BOB)));
      execFileSync('mkfifo', [path.join(cwd, 'fifo')]);
      const fifo = `(sleep 0.5; cat bob.key > fifo) & ${cli.program} showconf wireguard bob -f site.yaml --private-key-file fifo`;
      expect(good(cli.shell(fifo, cwd))).toBe(good(show(BOB)));
    });
  });

  test('an endless file is not read to its end', () => {
    inSite((show, cwd) => {
      const [line] = refused(cwd, 2, () => show(['bob', '--private-key-file', '/dev/zero']));
      expect(line).toMatch(/^\/dev\/zero: is not a WireGuard key: 32 bytes in base64, 44 characters; /);
    });
  });
});

describeWith(['linux', 'root', 'setpriv'], 'another user', () => {
  test('is told that a file may not be read, or a folder not be written to', () => {
    inSite((_, cwd) => {
      fs.chmodSync(cwd, 0o755);
      fs.chmodSync(path.join(cwd, 'bob.key'), 0o600);
      fs.chmodSync(cli.folder, 0o755);
      const start = (...args: string[]): Ended => {
        const command = [...cli.program.split(' '), 'showconf', 'wireguard', '-f', 'site.yaml', ...args];
        const { status, stdout, stderr } = spawnSync(
          'setpriv',
          ['--reuid=65534', '--regid=65534', '--clear-groups', ...command],
          { cwd, encoding: 'utf8' },
        );
        return { code: status, out: stdout, err: stderr };
      };
      expect(refused(cwd, 2, () => start(...BOB))).toEqual([
        'bob.key: the file may not be read; give yourself read permission for what stands after --private-key-file',
      ]);
      expect(refused(cwd, 2, () => start('bob', '-o', 'bob.conf'))).toEqual([
        'bob.conf: cannot be written, permission denied; name a file where you may write',
      ]);
    });
  });
});

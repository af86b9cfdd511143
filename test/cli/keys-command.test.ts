import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { run } from '../../lib/cli/program';
import { WIREGUARD_KEY_PATTERN, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { importClientFile } from '../wireguard/importer';
import { CommandLine, type Ended } from './command-line';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const SERVER_KEY = 'YAnz5TF+lXXJte14tji3zlMNftqL1zNbBk/HKGkJmVI=';
const SITE = `
privateKey: {value: ${SERVER_KEY}}
endpoint: vpn.example.com:51820
peers:
  alice:
    publicKey: 2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=
    addresses: [10.13.13.2]
  made:
    generate: true
    addresses: [10.13.13.3]
`;

interface Printed {
  readonly peers: Readonly<Record<string, { readonly publicKey: string; readonly addresses?: readonly string[] }>>;
}

/** Runs in a folder with a good values file. */
function inSite(use: (keys: (...args: string[]) => Ended, cwd: string) => void, site = SITE): void {
  withFolder((cwd) => {
    fs.writeFileSync(path.join(cwd, 'site.yaml'), site);
    use((...args) => cli.run(['keys', 'wireguard', ...args, '-f', 'site.yaml'], { cwd }), cwd);
  });
}

function good({ code, out, err }: Ended): Printed {
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return parse(out) as Printed;
}

/** The file's text; it must be for its owner only. */
function secretFile(cwd: string, name: string): string {
  const file = path.join(cwd, name);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  return fs.readFileSync(file, 'utf8');
}

/** It refuses with these lines, and the folder is as it was. */
function refused(cwd: string, code: 1 | 2, start: () => Ended): string[] {
  const listing = (): [string, string][] =>
    fs.readdirSync(cwd).map((name) => [name, fs.readFileSync(path.join(cwd, name), 'utf8')]);
  const before = listing();
  const ended = start();
  expect({ code: ended.code, out: ended.out }).toEqual({ code, out: '' });
  expect(listing()).toEqual(before);
  expect(ended.err).not.toMatch(/^ {4}at /m);
  expect(ended.err).not.toContain(SERVER_KEY);
  return ended.err.trimEnd().split('\n');
}

test('a new peer gets the next free address, and its private key goes into a file of its name', () => {
  inSite((keys, cwd) => {
    const { out, ...ended } = keys('bob');
    const { publicKey } = good({ out, ...ended }).peers['bob']!;
    expect(out).toBe(
      `peers:\n  bob:\n    publicKey: ${publicKey}\n    addresses:\n      - "10.13.13.4"\n`.replace(
        publicKey,
        /^[A-Za-z/]/.test(publicKey) ? publicKey : JSON.stringify(publicKey),
      ),
    );
    const privateKey = secretFile(cwd, 'bob.key');
    expect(privateKey.endsWith('=\n')).toBe(true);
    expect(privateKey.trimEnd()).toMatch(WIREGUARD_KEY_PATTERN);
    expect(wireguardPublicKey(privateKey.trimEnd())).toBe(publicKey);
    expect(out).not.toContain(privateKey.trimEnd());
    expect(fs.readdirSync(cwd).sort()).toEqual(['bob.key', 'site.yaml']);
  });
});

test('a network of IPv6 gives an address too', () => {
  inSite((keys) => {
    const site = ['--set', 'network6=fd00:13:13::/64', '--set-string', 'peers.alice.addresses[1]=fd00:13:13::2'];
    expect(good(keys('bob', ...site)).peers['bob']?.addresses).toEqual(['10.13.13.4', 'fd00:13:13::3']);
  });
});

test('a peer that is there already keeps its addresses and gets a new key', () => {
  inSite((keys, cwd) => {
    const { peers } = good(keys('alice', '--private-key-file', 'new.key'));
    expect(peers).toEqual({ alice: { publicKey: wireguardPublicKey(secretFile(cwd, 'new.key').trimEnd()) } });
  });
});

test('what is printed is accepted with the values, and showconf then gives the same file as --conf', () => {
  inSite((keys, cwd) => {
    for (const name of ['bob', 'alice', 'constructor', 'yes']) {
      const printed = keys(name, '--conf', `${name}.conf`);
      good(printed);
      fs.writeFileSync(path.join(cwd, 'more.yaml'), printed.out);
      const site = ['-f', 'site.yaml', '-f', 'more.yaml'];
      expect(cli.run(['check', 'wireguard', ...site], { cwd })).toEqual({ code: 0, out: '', err: '' });
      const showconf = ['showconf', 'wireguard', name, ...site, '--private-key-file', `${name}.key`];
      const conf = secretFile(cwd, `${name}.conf`);
      expect(cli.run(showconf, { cwd })).toEqual({ code: 0, out: conf, err: '' });
      const tunnel = importClientFile(conf);
      expect(tunnel.interface['PrivateKey']).toBe(secretFile(cwd, `${name}.key`).trimEnd());
      expect(tunnel.peers[0]?.['PublicKey']).toBe(wireguardPublicKey(SERVER_KEY));
    }
  });
});

describeWith(['wg'], 'wg pubkey', () => {
  test('gives the public key that is printed', () => {
    inSite((keys, cwd) => {
      const { publicKey } = good(keys('bob')).peers['bob']!;
      const input = fs.readFileSync(path.join(cwd, 'bob.key'));
      expect(execFileSync(tools.command('wg'), ['pubkey'], { input, encoding: 'utf8' }).trim()).toBe(publicKey);
    });
  });
});

describe('nothing is written', () => {
  test('where a file is already, which stays as it is', () => {
    inSite((keys, cwd) => {
      fs.writeFileSync(path.join(cwd, 'bob.key'), 'mine');
      fs.symlinkSync('nowhere', path.join(cwd, 'link'));
      const start = () => keys('bob', '--conf', 'link');
      fs.writeFileSync(path.join(cwd, 'nowhere'), '');
      expect(refused(cwd, 2, start)).toEqual([
        'bob.key: there is a file already, and it stays as it is; move it away, or name another one',
        'link: there is a file already, and it stays as it is; move it away, or name another one',
      ]);
    });
  });

  test.each<[what: string, code: 1 | 2, args: string[], lines: (string | RegExp)[]]>([
    ['a peer whose keys the pod makes', 1, ['made', '--release', 'home', '-n', 'vpn'], [
      'site.yaml:9:5: peers.made.generate: the pod makes the keys of this peer, got true; `kubectl -n vpn exec deploy/home-wireguard -c wireguard -- sh /scripts/showconf.sh made` shows its file',
    ]],
    ['a peer with a name that is none', 2, ['Bob_'], [/^error: command-argument value 'Bob_' is invalid for argument 'peer'. Use at most 63 lower-case letters, digits and hyphens\.$/, /usage/]],
    ['a peer with a long name', 2, ['b'.repeat(64)], [/^error: .* Use at most 63 lower-case letters/, /usage/]],
    ['no peer', 2, [], [/^error: missing required argument 'peer'$/, /usage/]],
    ['two peers', 2, ['bob', 'carol'], ['error: too many arguments; name one chart and one peer, and give each values file with -f', /usage/]],
    ['bad values', 1, ['bob', '--set', 'listenPort=0'], [/^listenPort: /]],
    ['values that a rule refuses', 1, ['bob', '--set', 'mtu=9000', '--set', 'underlayMtu=1500'], [/^mtu: /]],
    ['--conf without an endpoint, and a file in the way', 2, ['bob', '--conf', 'site.yaml', '--set', 'endpoint=null'], [
      /^site\.yaml: there is a file already/,
      /^endpoint: is missing/,
    ]],
    ['one file for two', 2, ['bob', '--conf', './bob.key'], ['./bob.key: is named for two files; name another one']],
    ['a folder that is not there', 2, ['bob', '--private-key-file', 'no/bob.key'], ['no/bob.key: there is no folder for it; make the folder, or name another file']],
    ['a second file that cannot be written', 2, ['bob', '--conf', 'no/bob.conf'], ['no/bob.conf: there is no folder for it; make the folder, or name another file']],
    ['no name of a file', 2, ['bob', '--private-key-file', '-'], [/^error: option '--private-key-file <file>' argument '-' is invalid. Name a file.$/, /usage/]],
    ['a key in place of a file', 2, ['bob', '--private-key-file', SERVER_KEY], ['--private-key-file: this is a key, and not the path of a file; put it into a file, and name that']],
  ])('for %s', (_, code, args, lines) => {
    inSite((keys, cwd) => {
      const found = refused(cwd, code, () => keys(...args));
      expect(found).toEqual(lines.map((line): unknown => (typeof line === 'string' ? line : expect.stringMatching(line))));
    });
  }); // prettier-ignore

  test('for a full network, of both families', () => {
    const site = `network: 10.13.13.0/30\nnetwork6: fd00::/126\n${SITE.slice(0, SITE.indexOf('  made:'))}`;
    inSite(
      (keys, cwd) => {
        expect(refused(cwd, 1, () => keys('bob'))).toEqual([
          'site.yaml:1:1: network: has no free address for another peer, got "10.13.13.0/30"; remove a peer',
          'site.yaml:2:1: network6: has no free address for another peer, got "fd00::/126"; remove a peer',
        ]);
      },
      site.replace('[10.13.13.2]', '[10.13.13.2, "fd00::2", "fd00::3"]'),
    );
  });

  test('for one peer more than an object holds', () => {
    const peer = (number: number): string => {
      const key = Buffer.alloc(32, 7);
      key.writeUInt16BE(number);
      const [name, address] = [
        String(number).padStart(63, '0'),
        `10.100.${100 + Math.floor(number / 100)}.${100 + (number % 100)}`,
      ];
      return `  "${name}": {publicKey: ${key.toString('base64')}, addresses: [${address}]}\n`;
    };
    const siteOf = (count: number): string =>
      `network: 10.0.0.0/8\npeers:\n${Array.from({ length: count }, (_, number) => peer(number)).join('')}`;
    const sizeOf = (count: number): number => {
      const { err } = cli.run(['check', 'wireguard', '-f', '-'], { input: siteOf(count) });
      return Number(/^standard input:2:1: peers: make a configuration .* got (\d+); /.exec(err)?.[1]);
    };
    const size = sizeOf(7000);
    const fit = 7000 - Math.ceil((size - 900_000) / (size - sizeOf(6999)));
    inSite((keys, cwd) => {
      expect(cli.run(['check', 'wireguard', '-f', 'site.yaml'], { cwd })).toEqual({ code: 0, out: '', err: '' });
      const lines = refused(cwd, 1, () => keys('a'.repeat(63)));
      expect(lines).toEqual([expect.stringMatching(/^site\.yaml:2:1: peers: make a configuration of more than /)]);
    }, siteOf(fit));
  });
});

describe('on a terminal', () => {
  function told(cwd: string, ...args: string[]): string[] {
    const lines: string[] = [];
    const before = [process.cwd(), process.stderr.isTTY] as const;
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(line as string) > 0);
    process.chdir(cwd);
    process.stderr.isTTY = true;
    try {
      expect(run(['keys', 'wireguard', ...args, '-f', 'site.yaml'])).toBe(0);
    } finally {
      process.chdir(before[0]);
      process.stderr.isTTY = before[1];
    }
    return lines;
  }

  test('it says what it wrote, that the name is no tunnel’s, and which peers it does not know', () => {
    inSite((_, cwd) => {
      expect(
        told(cwd, 'bob', '--conf', 'bob-of-the-office.conf', '--set', 'peersFrom.team.existingSecret=team'),
      ).toEqual([
        'wrote bob.key and bob-of-the-office.conf; add the lines above to the values\n',
        expect.stringMatching(/^bob-of-the-office\.conf: wg-quick and the Android app take the tunnel's name /),
        'the peers of peersFrom are not known here: see that none of them has this name or these addresses\n',
      ]);
      expect(told(cwd, 'carol', '--conf', 'carol.conf')).toEqual([
        'wrote carol.key and carol.conf; add the lines above to the values\n',
      ]);
    });
  });
});

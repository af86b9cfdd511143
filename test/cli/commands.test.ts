import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { CommandLine, type Ended } from './command-line';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const SERVER_KEY = 'YAnz5TF+lXXJte14tji3zlMNftqL1zNbBk/HKGkJmVI=';
const ALICE = '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=';

const GOOD = `
privateKey: {existingSecret: server-key}
peers:
  alice:
    publicKey: ${ALICE}
    addresses: [10.13.13.2]
`;

/** The paths of everything in a folder. */
function listing(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

function good(ended: Ended): string {
  expect({ code: ended.code, err: ended.err }).toEqual({ code: 0, err: '' });
  return ended.out;
}

/** Runs `synth -o` in a folder with these files: it refuses, with these lines, and writes nothing. */
function refused(files: Readonly<Record<string, string | Buffer>>, args: readonly string[], code: 1 | 2): string[] {
  return withFolder((cwd) => {
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(cwd, name), content);
    const before = listing(cwd);
    const synth = cli.run(['synth', 'wireguard', '-o', 'out', ...args], { cwd });
    expect(listing(cwd)).toEqual(before);
    expect({ code: synth.code, out: synth.out }).toEqual({ code, out: '' });
    expect(synth.err).not.toMatch(/^ {4}at |s3cret/m);
    expect(synth.err).toMatch(/[^\n]\n$/);
    return synth.err.trimEnd().split('\n');
  });
}

describe('synth', () => {
  test('prints a stream of objects, the same bytes every time', () => {
    const out = good(cli.run(['synth', 'wireguard', '-f', '-'], { input: GOOD }));
    const objects = parseAllDocuments(out).map((document) => document.toJS() as { kind: string });
    expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['ConfigMap', 'Deployment', 'Service']));
    expect(good(cli.run(['synth', 'wireguard', '-f', '-'], { input: GOOD }))).toBe(out);
  });

  test('-o writes the same objects, one a file named after it', () => {
    withFolder((cwd) => {
      const out = good(cli.run(['synth', 'wireguard', '-f', '-'], { input: GOOD }));
      expect(good(cli.run(['synth', 'wireguard', '-f', '-', '-o', 'a/out'], { input: GOOD, cwd }))).toBe('');
      const files = listing(path.join(cwd, 'a/out'));
      expect(files).toContain('Deployment.vpn-wireguard.k8s.yaml');
      const objects = files.map((file) => fs.readFileSync(path.join(cwd, 'a/out', file), 'utf8').replace(/^#.*\n/, ''));
      expect(objects.sort()).toEqual(
        out
          .split(/^---\n/m)
          .slice(1)
          .sort(),
      );
    });
  });

  test('-o removes what an earlier run wrote and this one does not, and keeps what is not ours', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'mine.yaml'), 'kind: Mine\n');
      const given = `privateKey: {value: "${SERVER_KEY}"}\n`;
      good(cli.run(['synth', 'wireguard', '-f', '-', '-o', '.'], { input: given, cwd }));
      const first = listing(cwd);
      expect(first.filter((file) => file.startsWith('Secret.'))).toHaveLength(1);
      good(cli.run(['synth', 'wireguard', '-f', '-', '-o', '.'], { input: GOOD, cwd }));
      expect(listing(cwd)).toEqual(first.filter((file) => !file.startsWith('Secret.')));
      expect(fs.readFileSync(path.join(cwd, 'mine.yaml'), 'utf8')).toBe('kind: Mine\n');
    });
  });

  test('a Secret says so in a comment, and its file is for the owner only', () => {
    withFolder((cwd) => {
      const input = `privateKey: {value: "${SERVER_KEY}"}\n`;
      good(cli.run(['synth', 'wireguard', '-f', '-', '-o', '.'], { input, cwd }));
      const note = '# This object holds secret content: keep it out of version control.';
      for (const file of listing(cwd)) {
        const isSecret = file.startsWith('Secret.');
        expect([file, fs.statSync(path.join(cwd, file)).mode & 0o777]).toEqual([
          file,
          isSecret ? 0o600 : 0o644 & ~process.umask(),
        ]);
        expect([file, fs.readFileSync(path.join(cwd, file), 'utf8').includes(note)]).toEqual([file, isSecret]);
      }
      expect(good(cli.run(['synth', 'wireguard', '-f', '-'], { input }))).toContain(note);
    });
  });

  test('objects of one kind and name, or with odd names, have files of their own inside the folder', () => {
    withFolder((cwd) => {
      const object = (name: string, namespace: string): string =>
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: ${namespace}}}`;
      const names = [object('same', 'a'), object('same', 'b'), object('Same', 'a'), object('../up/x', 'a')];
      const input = `${GOOD}extraObjects: [${names.join(', ')}]\n`;
      const ended = cli.run(['synth', 'wireguard', '-f', '-', '-o', 'out'], { input, cwd });
      // The schema may refuse odd names; then the others are enough.
      if (ended.code !== 0) {
        expect(ended.err).toContain('extraObjects[3].metadata.name: ');
        const fewer = `${GOOD}extraObjects: [${names.slice(0, 2).join(', ')}]\n`;
        good(cli.run(['synth', 'wireguard', '-f', '-', '-o', 'out'], { input: fewer, cwd }));
      }
      expect(listing(path.join(cwd, 'out'))).toEqual(
        expect.arrayContaining(['ConfigMap.same.k8s.yaml', 'ConfigMap.same.2.k8s.yaml']),
      );
      expect(fs.readdirSync(cwd)).toEqual(['out']);
    });
  });
});

describe('check', () => {
  test('is silent in a pipe if nothing is wrong, and writes nothing', () => {
    withFolder((cwd) => {
      expect(good(cli.run(['check', 'wireguard', '-f', '-'], { input: GOOD, cwd }))).toBe('');
      expect(listing(cwd)).toEqual([]);
    });
  });

  test('tells the same as synth, with the same exit code', () => {
    for (const input of ['listenPort: 70000\n', `${GOOD}mtu: 600\nunderlayMtu: 600\n`, 'a: [\n']) {
      const [check, synth] = ['check', 'synth'].map((command) => cli.run([command, 'wireguard', '-f', '-'], { input }));
      expect(check).toEqual(synth);
      expect(check?.code).toBe(1);
    }
  });

  test('problems of the schema carry their places', () => {
    const files = {
      'a.yaml': 'listenPort: 70000\npeers:\n  bob:\n    addreses: [10.13.13.3]\n    publicKey: short\n',
      'b.yaml': 'podAnnotations:\n  example.com/a.b: 5\nodd key: 1\nmtu: 1\n',
    };
    const lines = refused(files, ['-f', 'b.yaml', '-f', 'a.yaml', '--set', 'hostPort=x'], 1);
    expect(lines.map((line) => line.split(': ').slice(0, 2).join(': ')).sort()).toEqual([
      'a.yaml:1:1: listenPort',
      'a.yaml:3:3: peers.bob.addresses',
      'a.yaml:4:5: peers.bob.addreses',
      'a.yaml:5:5: peers.bob.publicKey',
      'b.yaml:2:3: podAnnotations.example.com/a.b',
      'b.yaml:3:1: odd key',
      'b.yaml:4:1: mtu',
      expect.stringMatching(/^hostPort: /),
    ]);
    expect(lines.find((line) => line.includes('addreses'))).toContain('did you mean "addresses"?');
  });

  test('broken rules carry their places too', () => {
    const two = (key: string): string =>
      `${GOOD}  bob:\n    publicKey: ${key}\n    addresses:\n      - 10.13.13.3\n      - 10.99.0.1\n`;
    const lines = refused({ 'site.yaml': two(ALICE) }, ['-f', 'site.yaml'], 1);
    expect(lines.map((line) => line.split(': ').slice(0, 2).join(': ')).sort()).toEqual([
      'site.yaml:11:9: peers.bob.addresses[1]',
      'site.yaml:8:5: peers.bob.publicKey',
    ]);
  });
});

describe('bad input', () => {
  test.each<[what: string, content: string | Buffer, code: 1 | 2, line: RegExp]>([
    ['no YAML', 'a: b: c\n', 1, /^f:1:\d+: .*; /],
    ['no map', '- a\n', 1, /^f:1:1: the values must be a map at the top, got a list; write name: value lines$/],
    ['an unknown key', 'listenport: 1\n', 1, /^f:1:1: listenport: unknown key, got "listenport"; did you mean "listenPort"\?$/],
    ['a duplicate key', 'a: 1\na: 2\n', 1, /^f:2:1: the key "a" is given again, first in line 1; keep one of them$/],
    ['a wrong type', 'listenPort: free\n', 1, /^f:1:1: listenPort: must be a port number, got /],
    ['a bad network', 'network: 10.0.0.0/33\n', 1, /^f:1:1: network: is not an IPv4 network in CIDR notation, got "10\.0\.0\.0\/33"; /],
    ['text where a map with a key belongs', 'privateKey: s3cret\n', 1, /^f:1:1: privateKey: must be a map with generate, existingSecret or value, got a 6-character string; /],
    ['a key that is not 32 bytes', 'privateKey: {value: s3cret}\n', 1, /^f:1:14: privateKey\.value: is not a WireGuard key: 32 bytes in base64, 44 characters; make one with `wg genkey`$/],
    ['an alias in itself', 'a: &a [*a]\n', 1, /^f:1:8: the alias \*a stands inside its own anchor; remove one of the two$/],
    ['an alias bomb', bomb(), 1, /^f:1:1: the aliases repeat too much; write fewer of them$/],
    ['10 MB of text', 'x'.repeat(10_000_000), 1, /^f: more than 5 MiB; give a smaller values file$/],
    ['binary data', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), 1, /^f:1:1: the character U\+007F may not stand in a values file; /],
    ['data in no encoding', Buffer.from([0xff, 0xfe, 0x00]), 1, /^f: this is not UTF-8 text; give a YAML file, saved as UTF-8$/],
    ['maps in maps without end', Array.from({ length: 3000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''), 1, /^f:\d+:\d+: /],
  ])('%s gets a sentence', (_, content, code, line) => {
    const lines = refused({ f: content }, ['-f', 'f'], code);
    expect(lines.filter((one) => !line.test(one) && !one.includes('privateKey: has neither'))).toEqual([]);
    expect(lines.some((one) => line.test(one))).toBe(true);
  }); // prettier-ignore

  test('a missing file, a folder and a web address are wrong usage, all told at once', () => {
    expect(refused({}, ['-f', 'none.yaml', '-f', '.', '-f', 'https://example.com/a.yaml', '-f', ''], 2)).toEqual([
      'none.yaml: there is no such file; check the path after -f',
      '.: this is a folder; name a values file in it',
      'https://example.com/a.yaml: a web address is not read; download the file',
      '"": there is no such file; check the path after -f',
    ]);
  });

  test('maps as deep as can be are written', () => {
    const maps = Array.from({ length: 496 }, (_, depth) => `${' '.repeat(depth + 4)}a:${depth === 495 ? ' 1' : ''}\n`);
    const object = 'extraObjects:\n- apiVersion: v1\n  kind: X\n  metadata: {name: x}\n  spec:\n';
    const input = `${GOOD}${object}${maps.join('')}`;
    expect(good(cli.run(['synth', 'wireguard', '-f', '-'], { input })).match(/^ +a:/gm)).toHaveLength(496);
  });

  test('200 problems are all shown', () => {
    const peers = Array.from({ length: 200 }, (_, index) => `  p${index}: {publicKey: s3cret${index}, adresses: []}\n`);
    const text = `peers:\n${peers.join('')}`.replaceAll('s3cret', 'no-key');
    const lines = refused({ f: text }, ['-f', 'f'], 1);
    for (const index of peers.keys()) {
      const own = lines.filter((line) => line.startsWith(`f:${index + 2}:`) && line.includes(`: peers.p${index}.`));
      expect(own).toHaveLength(3);
    }
  });

  test('10,000 problems are found and placed in seconds', () => {
    const peers = Array.from(
      { length: 10_000 },
      (_, index) => `  p${index}: {publicKey: x, addresses: [10.13.13.2]}\n`,
    );
    const start = Date.now();
    const { code, err } = cli.run(['check', 'wireguard', '-f', '-'], { input: `peers:\n${peers.join('')}` });
    expect({ code, lines: err.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 10_000 });
    expect(err).toContain('standard input:10001:');
    expect(Date.now() - start).toBeLessThan(30_000);
  });
});

function bomb(): string {
  const names = [...'abcdefgh'];
  const level = (inner: string): string => `[${Array(10).fill(inner).join(',')}]`;
  return names
    .map((name, index) => `${name}: &${name} ${level(index === 0 ? 'x' : `*${names[index - 1]!}`)}\n`)
    .join('');
}

describe('chart', () => {
  test('writes the chart as a folder of its name, the same bytes every time, in the place of an earlier one', () => {
    withFolder((cwd) => {
      const files = (): Record<string, string> =>
        Object.fromEntries(
          listing(path.join(cwd, 'charts'))
            .filter((file) => fs.statSync(path.join(cwd, 'charts', file)).isFile())
            .map((file) => [file, fs.readFileSync(path.join(cwd, 'charts', file), 'utf8')]),
        );
      good(cli.run(['chart', 'wireguard', '-o', 'charts'], { cwd }));
      const first = files();
      expect(Object.keys(first)).toEqual(
        expect.arrayContaining(['Chart.yaml', 'values.yaml', 'values.schema.json'].map((name) => `wireguard/${name}`)),
      );
      fs.writeFileSync(path.join(cwd, 'charts/wireguard/templates/old.yaml'), 'x');
      good(cli.run(['chart', 'wireguard', '-o', 'charts'], { cwd }));
      expect(files()).toEqual(first);
    });
  });

  test('fails on a folder of that name with something else in it, and leaves it', () => {
    withFolder((cwd) => {
      fs.mkdirSync(path.join(cwd, 'wireguard'));
      fs.writeFileSync(path.join(cwd, 'wireguard/notes.txt'), 'mine');
      expect(cli.run(['chart', 'wireguard', '-o', '.'], { cwd })).toEqual({
        code: 2,
        out: '',
        err: 'wireguard: the folder holds files that are not ours; name another folder, or empty this one\n',
      });
      expect(listing(cwd)).toEqual(['wireguard', 'wireguard/notes.txt']);
    });
  });
});

describe('examples', () => {
  test('writes every chart, and the manifests of every example as synth does; removed examples go', () => {
    withFolder((cwd) => {
      const old = path.join(cwd, 'dist/manifests/wireguard/gone');
      good(cli.run(['examples'], { cwd }));
      fs.cpSync(path.join(cwd, 'dist/manifests/wireguard/home'), old, { recursive: true });
      good(cli.run(['examples'], { cwd }));
      expect(fs.existsSync(old)).toBe(false);

      const examples = fs.readdirSync(path.join(cli.folder, 'values/examples/wireguard'));
      expect(listing(path.join(cwd, 'dist/manifests')).filter((file) => /^wireguard.[^/\\]+$/.test(file))).toEqual(
        examples.map((file) => path.join('wireguard', path.basename(file, '.yaml'))).sort(),
      );
      const file = path.join(cli.folder, 'values/examples/wireguard/home.yaml');
      good(cli.run(['synth', 'wireguard', '-f', file, '-o', 'home'], { cwd }));
      good(cli.run(['chart', 'wireguard', '-o', 'charts'], { cwd }));
      for (const [ours, theirs] of [
        ['dist/manifests/wireguard/home', 'home'],
        ['dist/charts/wireguard', 'charts/wireguard'],
      ]) {
        const texts = [ours!, theirs!].map((folder) =>
          listing(path.join(cwd, folder)).map((name) => {
            const place = path.join(cwd, folder, name);
            return [name, fs.statSync(place).isFile() ? fs.readFileSync(place, 'utf8') : ''];
          }),
        );
        expect(texts[0]).toEqual(texts[1]);
      }
    });
  });
});

describe('the place to write to', () => {
  test('fails on a file where the folder should be, and leaves it', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'out'), 'mine');
      for (const args of [['synth', 'wireguard', '-f', '-', '-o', 'out'], ['chart', 'wireguard', '-o', 'out/x'], ['examples', '-o', 'out']]) {
        const { code, out, err } = cli.run(args, { cwd, input: GOOD });
        expect({ code, out, err: err.replace(/^out[^:]*/, 'out') }).toEqual({
          code: 2,
          out: '',
          err: 'out: cannot write a folder where a file is; name another folder\n',
        });
      }
      expect(listing(cwd)).toEqual(['out']);
    }); // prettier-ignore
  });

  describeWith(['linux'], 'a full disk', () => {
    test('standard output on a full disk is wrong usage, in a sentence', () => {
      withFolder((cwd) => {
        fs.writeFileSync(path.join(cwd, 'f'), GOOD);
        const shell = cli.shell(`${cli.program} synth wireguard -f f > /dev/full`, cwd);
        expect({ code: shell.code, lines: shell.err.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
        expect(shell.err).toMatch(/^standard output: cannot write \(ENOSPC.*\); send it elsewhere$/m);
      });
    });
  });
});

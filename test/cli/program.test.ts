import packageJson from '../../package.json';
import { CommandLine, type Ended } from './command-line';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const GOOD = ['--set', 'privateKey.existingSecret=server-key'];

function refusedUsage(args: readonly string[], sentence: string): void {
  const { code, out, err } = cli.run(args);
  expect({ code, out, first: err.split('\n')[0] }).toEqual({ code: 2, out: '', first: sentence });
  expect(err).not.toContain('    at ');
}

function labelsOf({ code, out, err }: Ended): string[] {
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return [
    ...new Set(
      [...out.matchAll(/^ +app\.kubernetes\.io\/(?:instance|managed-by): .*$/gm)].map(([line]) => line.trim()),
    ),
  ].sort();
}

test('--version gives the version of the package', () => {
  expect(cli.run(['--version'])).toEqual({ code: 0, out: `${packageJson.version}\n`, err: '' });
});

test.each([[['--help']], [['help']]])('%j names every command and the exit codes', (args) => {
  const { code, out, err } = cli.run(args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const command of ['synth', 'check', 'chart', 'keys', 'showconf', 'images', 'examples'])
    expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(out).toContain('Exit codes: 0 all is well, 1 the values are wrong, 2 the call is wrong');
});

test.each(['synth', 'check', 'keys', 'showconf', 'images'])(
  '%s --help names its flags and charts, and not those that are refused',
  (command) => {
    const { code, out, err } = cli.run([command, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const flag of [
      '-f, --values <file>',
      '--set <',
      '--set-string <',
      '--release <',
      '--namespace <',
      '--managed-by <',
    ])
      expect(out).toContain(flag);
    expect(out).toContain('one of: wireguard, ipsec');
    expect(out).not.toMatch(/--set-json|--values-from|default: \[\]/);
  },
);

test('no command at all is wrong usage, and shows the usage', () => {
  const { code, out, err } = cli.run([]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('Usage: cdk8s-vpn [options] [command]');
});

test.each([
  [['sinth', 'wireguard'], "error: unknown command 'sinth'"],
  [['synth'], "error: missing required argument 'chart'"],
  [['chart', 'wireguard'], "error: required option '-o, --output <folder>' not specified"],
  [['synth', 'wireguard', '-f'], "error: option '-f, --values <file>' argument missing"],
  [['synth', 'wireguard', 'site.yaml'], 'error: too many arguments; name one chart, and give each values file with -f'],
  [['synth', 'wiregard'], 'chart: there is no such chart, got "wiregard"; did you mean wireguard?'],
  [['check', 'openvpn-server'], 'chart: there is no such chart, got "openvpn-server"; choose one of wireguard, ipsec'],
  [['chart', 'toString', '-o', 'x'], 'chart: there is no such chart, got "toString"; choose one of wireguard, ipsec'],
  [['synth', 'wireguard', '--release', 'A_b'], "error: option '--release <name>' argument 'A_b' is invalid. Use at most 53 lower-case letters, digits, hyphens and dots."],
  [['synth', 'wireguard', '--release', 'a'.repeat(54)], `error: option '--release <name>' argument '${'a'.repeat(54)}' is invalid. Use at most 53 lower-case letters, digits, hyphens and dots.`],
  [['synth', 'wireguard', '--namespace', '-x'], "error: option '-n, --namespace <name>' argument '-x' is invalid. Use at most 63 lower-case letters, digits and hyphens."],
  [['synth', 'wireguard', '--managed-by', 'a b'], "error: option '--managed-by <text>' argument 'a b' is invalid. Use at most 63 letters, digits, hyphens, dots and underscores, as a label takes them."],
  [['synth', 'wireguard', '--set', 'a'], '--set "a": a part without "="; write name=value, and a comma in a value as \\,'],
])('%j is wrong usage, in a sentence', (args, sentence) => {
  refusedUsage(args, sentence);
}); // prettier-ignore

test('fails on an unknown flag, with the one that was meant and without its value', () => {
  for (const given of [['--set-strng=privateKey.value=s3cret'], ['--set-strng', 'privateKey.value=s3cret']]) {
    const { code, out, err } = cli.run(['synth', 'wireguard', ...given]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      "error: unknown option '--set-strng'\n(Did you mean --set-string?)\n(cdk8s-vpn --help shows the usage)\n",
    );
  }
});

test.each([
  ['--set-json', 'write the value into a values file and give it with -f (YAML takes JSON as it is)'],
  ['--set-file', 'write the text into a values file, as a block (name: |), and give it with -f'],
  ['--set-literal', 'use --set-string with a backslash before each comma, or a values file with -f'],
  ['--values-from', 'give a values file with -f'],
  ['--reuse-values', 'there is no release to take values from: give every values file with -f'],
  ['--reset-values', 'there is no release to take values from: give every values file with -f'],
  ['--reset-then-reuse-values', 'there is no release to take values from: give every values file with -f'],
])('%s of Helm is refused by its name, and its value is not shown', (flag, advice) => {
  for (const [command, ...given] of [
    ['synth', `${flag}=a=s3cret`],
    ['check', flag],
  ]) {
    expect(cli.run([command!, 'wireguard', ...GOOD, ...given])).toEqual({
      code: 2,
      out: '',
      err: `${flag}: this flag of Helm is not taken here; ${advice}\n`,
    });
  }
});

test('--release, --namespace and --managed-by stand in the objects', () => {
  const flags = ['--release', 'home', '--namespace', 'edge', '--managed-by', 'Helm'];
  const synth = cli.run(['synth', 'wireguard', ...GOOD, ...flags]);
  expect(labelsOf(synth)).toEqual(['app.kubernetes.io/instance: home', 'app.kubernetes.io/managed-by: Helm']);
  expect(synth.out).toContain('name: home-wireguard');
  expect(cli.run(['synth', 'wireguard', ...GOOD, '--release=home', '-n', 'edge', '--managed-by=Helm'])).toEqual(synth);
});

test('without flags the release is vpn, the namespace default, the manager cdk8s', () => {
  const synth = cli.run(['synth', 'wireguard', ...GOOD]);
  expect(labelsOf(synth)).toEqual(['app.kubernetes.io/instance: vpn', 'app.kubernetes.io/managed-by: cdk8s']);
  const flags = ['--release', 'vpn', '--namespace', 'default', '--managed-by', 'cdk8s'];
  expect(cli.run(['synth', 'wireguard', ...GOOD, ...flags])).toEqual(synth);
});

test('a value may begin with a hyphen or hold equals signs, with and without = after the flag', () => {
  for (const given of [['--set-string=podAnnotations.a=-b=c'], ['--set-string', 'podAnnotations.a=-b=c']]) {
    const { code, out, err } = cli.run(['synth', 'wireguard', ...GOOD, ...given]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ +a: "-b=c"$/m);
  }
});

test('every --set comes before every --set-string, and files before both, whatever their order', () => {
  const orders = [
    ['--set-string', 'podAnnotations.a=text', '--set', 'podAnnotations.a=1', '-f', '-'],
    ['-f', '-', '--set', 'podAnnotations.a=1', '--set-string', 'podAnnotations.a=text'],
  ];
  for (const order of orders) {
    const { code, out, err } = cli.run(['synth', 'wireguard', ...GOOD, ...order], {
      input: 'podAnnotations: {a: file, b: file}\n',
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ +a: text$/m);
    expect(out).toMatch(/^ +b: file$/m);
  }
});

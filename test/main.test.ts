import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CommandLine, type Ended } from './cli/command-line';
import { withFolder } from './helm/real-helm';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const KEY = 'privateKey: {existingSecret: server-key}\n';

/** Runs main.ts as `cdk8s synth` does: it tells the output folder in CDK8S_OUTDIR. */
function synth(cwd: string, env: Readonly<Record<string, string>>): Ended {
  return cli.main({ cwd, env: { CDK8S_OUTDIR: path.join(cwd, 'out'), ...env } });
}

function texts(folder: string): Record<string, string> {
  return Object.fromEntries(
    fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]),
  );
}

function sameAsCommand(cwd: string, env: Readonly<Record<string, string>>, files: readonly string[]): void {
  expect(synth(cwd, env)).toEqual({ code: 0, out: '', err: '' });
  const args = files.flatMap((file) => ['-f', file]);
  expect(cli.run(['synth', 'wireguard', '-o', 'command', ...args], { cwd })).toEqual({ code: 0, out: '', err: '' });
  expect(texts(path.join(cwd, 'out'))).toEqual(texts(path.join(cwd, 'command')));
}

test('VPN_VALUES names values files, later ones win', () => {
  withFolder((cwd) => {
    fs.writeFileSync(path.join(cwd, 'a.yaml'), `${KEY}listenPort: 1111\npodAnnotations: {from: a}\n`);
    fs.writeFileSync(path.join(cwd, 'b.yaml'), 'listenPort: 2222\n');
    sameAsCommand(cwd, { VPN_CHART: 'wireguard', VPN_VALUES: 'a.yaml:b.yaml' }, ['a.yaml', 'b.yaml']);
    const deployment = fs.readFileSync(path.join(cwd, 'out/Deployment.vpn-wireguard.k8s.yaml'), 'utf8');
    expect(deployment).toContain('containerPort: 2222');
    expect(deployment).toContain('from: a');
  });
});

test('without variables it is the first example of the first chart', () => {
  const folder = path.join(cli.folder, 'values/examples/wireguard');
  const first = fs.readdirSync(folder).sort()[0]!;
  withFolder((cwd) => {
    sameAsCommand(cwd, {}, [path.join(folder, first)]);
  });
});

test('bad values are told in sentences with their places, and nothing is written', () => {
  withFolder((cwd) => {
    fs.writeFileSync(path.join(cwd, 'a.yaml'), `${KEY}listenPort: 70000\nmtu: x\n`);
    const { code, out, err } = synth(cwd, { VPN_VALUES: 'a.yaml' });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n').map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'a.yaml:2:1: listenPort',
      'a.yaml:3:1: mtu',
      '',
    ]);
    expect(fs.readdirSync(cwd)).toEqual(['a.yaml']);
  });
});

test.each([
  [{ VPN_CHART: 'wiregard' }, 'chart: there is no such chart, got "wiregard"; did you mean wireguard?\n'],
  [{ VPN_VALUES: 'none.yaml' }, 'none.yaml: there is no such file; check the path after -f\n'],
])('fails on %j as wrong usage', (env, err) => {
  withFolder((cwd) => {
    expect(synth(cwd, env)).toEqual({ code: 2, out: '', err });
    expect(fs.readdirSync(cwd)).toEqual([]);
  });
});

test('`npx cdk8s synth` empties its folder, runs it, and fails when it fails', () => {
  const cdk8s = path.join(__dirname, '../node_modules/cdk8s-cli/bin/cdk8s');
  withFolder((cwd) => {
    const main = path.join(cli.folder, 'main.js');
    fs.writeFileSync(
      path.join(cwd, 'cdk8s.yaml'),
      `language: typescript\napp: ${process.execPath} ${main}\noutput: dist/cdk8s\n`,
    );
    const run = (values: string): Ended => {
      fs.writeFileSync(path.join(cwd, 'site.yaml'), values);
      const { status, stdout, stderr } = spawnSync(process.execPath, [cdk8s, 'synth', '--check-upgrade=false'], {
        cwd,
        encoding: 'utf8',
        env: { ...process.env, VPN_VALUES: path.join(cwd, 'site.yaml') },
      });
      return { code: status, out: stdout, err: stderr };
    };
    fs.mkdirSync(path.join(cwd, 'dist/cdk8s'), { recursive: true });
    fs.writeFileSync(path.join(cwd, 'dist/cdk8s/old.k8s.yaml'), 'kind: Old\n');
    expect(run(KEY).code).toBe(0);
    const files = fs.readdirSync(path.join(cwd, 'dist/cdk8s'));
    expect(files).toContain('Deployment.vpn-wireguard.k8s.yaml');
    expect(files).not.toContain('old.k8s.yaml');

    const bad = run(`${KEY}listenPort: 70000\n`);
    expect(bad.code).toBe(1);
    expect(bad.out + bad.err).toContain('site.yaml:2:1: listenPort: ');
  });
});

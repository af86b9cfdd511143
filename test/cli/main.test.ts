import * as fs from 'node:fs';
import * as path from 'node:path';
import { spawnSync } from 'node:child_process';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { CommandLine } from './command-line';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const GOOD = ['--set', 'privateKey.existingSecret=server-key'];

test('a reader that has seen enough is no failure, and makes no noise', () => {
  withFolder((cwd) => {
    const object = `- {apiVersion: v1, kind: ConfigMap, metadata: {name: big}, data: {text: ${'x'.repeat(1_000_000)}}}`;
    fs.writeFileSync(path.join(cwd, 'f'), `privateKey: {existingSecret: a}\nextraObjects:\n${object}\n`);
    const line = `{ ${cli.program} synth wireguard -f f; echo "code $?" >&2; } | head -c 1`;
    expect(cli.shell(line, cwd)).toEqual({ code: 0, out: '-', err: 'code 0\n' });
  });
});

test('bad values stay a failure when nobody reads on', () => {
  withFolder((cwd) => {
    const peers = Array.from({ length: 10_000 }, (_, index) => `  p${index}: {}\n`);
    fs.writeFileSync(path.join(cwd, 'f'), `peers:\n${peers.join('')}`);
    const { out } = cli.shell(
      `{ ${cli.program} check wireguard -f f 2>&1; echo "$?" > code; } | head -c 1; cat code`,
      cwd,
    );
    expect(out).toBe('f1\n');
  });
});

test('a mistake of ours says so, shows its stack, and ends with 3', () => {
  withFolder((cwd) => {
    const broken = path.join(cwd, 'broken.cjs');
    fs.writeFileSync(broken, `require('node:fs').readdirSync = () => { throw new TypeError('cannot happen'); };\n`);
    const { code, out, err } = cli.run(['examples'], { cwd, node: ['--require', broken] });
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(/^This is a bug of cdk8s-vpn, not of your values\. Please report it with the lines below; /);
    expect(err).toMatch(/^TypeError: cannot happen\n {4}at /m);
    expect(fs.readdirSync(cwd)).toEqual(['broken.cjs']);
  });
});

describeWith(['python3'], 'on a terminal', () => {
  /** What a terminal shows. */
  function onTerminal(args: readonly string[], cwd: string): string {
    const python = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    const command = [process.execPath, path.join(cli.folder, 'lib/cli/main.js'), ...args];
    const { status, stdout } = spawnSync(tools.command('python3'), ['-c', python, ...command], {
      cwd,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    return stdout.replaceAll('\r\n', '\n');
  }

  test('a line says what was written or found good', () => {
    withFolder((cwd) => {
      expect(onTerminal(['check', 'wireguard', ...GOOD], cwd)).toBe('wireguard: the values are good\n');
      expect(onTerminal(['chart', 'wireguard', '-o', 'charts'], cwd)).toBe(
        'wrote the chart wireguard to charts/wireguard\n',
      );
      const wrote = onTerminal(['synth', 'wireguard', ...GOOD, '-o', 'plain'], cwd);
      expect(wrote).toBe(`wrote ${fs.readdirSync(path.join(cwd, 'plain')).length} manifests to plain\n`);
      const folder = path.join(cli.folder, 'values/examples');
      const charts = fs.readdirSync(folder);
      const examples = charts.flatMap((chart) => fs.readdirSync(path.join(folder, chart)));
      expect(onTerminal(['examples'], cwd)).toBe(
        `wrote ${charts.length} Helm charts to dist/charts, and the manifests of ${examples.length} examples to dist/manifests\n`,
      );
    });
  });
});

test('what is loaded to run it is a small part of what the package is built with', () => {
  withFolder((cwd) => {
    const list = path.join(cwd, 'list.cjs');
    fs.writeFileSync(list, `process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')));\n`);
    const { err } = cli.run(['synth', 'wireguard', ...GOOD], { cwd, node: ['--require', list] });
    const packages = [...err.matchAll(/node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/g)].map(([, name]) => name!);
    expect([...new Set(packages)].sort()).toEqual(
      expect.arrayContaining(['cdk8s', 'commander', 'constructs', 'yaml', 'zod']),
    );
    for (const heavy of ['cdk8s-plus-28', 'cdk8s-cli', 'typescript']) expect(packages).not.toContain(heavy);
  });
});

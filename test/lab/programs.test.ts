import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { processOf } from './state';

const root = path.join(__dirname, '../..');

interface Result {
  readonly code: number | null;
  readonly said: string;
}

/** Runs a program of the laboratory with a cache of its own, started by another command if one is given. */
function run(
  cache: string,
  program: 'main' | 'test',
  args: readonly string[],
  starter: readonly string[] = [],
): Result {
  const [command = '', ...rest] = [
    ...[...starter, process.execPath, '--import', 'tsx'],
    ...[path.join(__dirname, `${program}.ts`), ...args],
  ];
  const { status, stdout, stderr } = spawnSync(command, rest, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: cache },
    timeout: 60_000,
  });
  return { code: status, said: stdout + stderr };
}

const lab = (cache: string, ...names: string[]): string => path.join(cache, 'cdk8s-vpn/lab', ...names);

test.each([
  ['an unknown command', 'main', ['start'], 'use npm run lab up [-- --nodes 3] | status | down'],
  ['no command', 'main', [], 'use npm run lab up [-- --nodes 3] | status | down'],
  ['too many nodes', 'main', ['up', '--nodes', '6'], 'use npm run lab up [-- --nodes 3] | status | down'],
  [
    'an option of another command',
    'main',
    ['down', '--nodes', '2'],
    'use npm run lab up [-- --nodes 3] | status | down',
  ],
  ['an unknown scenario', 'test', ['nothing'], 'no scenario begins with nothing; there are: smoke, wireguard-access, '],
] as const)('%s is one sentence', (_, program, args, sentence) => {
  withFolder((cache) => {
    const { code, said } = run(cache, program, args);
    expect(said.startsWith(sentence)).toBe(true);
    expect(said.trim()).not.toContain('\n');
    expect(code).toBe(1);
  });
});

describe('what an earlier run left', () => {
  test('is removed, but for what is of use', () => {
    withFolder((cache) => {
      for (const folder of ['run/logs', 'parts/.unfinished-node', 'parts/node-0123456789abcdef'])
        fs.mkdirSync(lab(cache, folder), { recursive: true });
      // Of a process that ended, and whose id this one got.
      fs.writeFileSync(lab(cache, 'run/state.json'), JSON.stringify({ ...processOf(process.pid), born: '1' }));
      fs.writeFileSync(lab(cache, 'at-work-lab'), JSON.stringify({ pid: process.pid, born: '1' }));
      expect(run(cache, 'main', ['status'])).toEqual({ code: 1, said: 'no laboratory is up\n' });
      expect(run(cache, 'main', ['down'])).toEqual({ code: 0, said: 'no laboratory was up\n' });
      expect(fs.readdirSync(lab(cache))).toEqual(['parts']);
      expect(fs.readdirSync(lab(cache, 'parts'))).toEqual(['node-0123456789abcdef']);
    });
  });

  test('is left to who is still at work', () => {
    withFolder((cache) => {
      fs.mkdirSync(lab(cache, 'parts/.unfinished-node'), { recursive: true });
      fs.writeFileSync(lab(cache, 'at-work-lab'), JSON.stringify(processOf(process.pid)));
      const sentence = `process ${process.pid} is building, starting or ending the laboratory; wait for it, or end it\n`;
      expect(run(cache, 'main', ['down'])).toEqual({ code: 1, said: sentence });
      expect(run(cache, 'test', ['smoke'])).toEqual({ code: 1, said: sentence });
      expect(fs.readdirSync(lab(cache)).sort()).toEqual(['at-work-lab', 'parts']);
      expect(fs.readdirSync(lab(cache, 'parts'))).toEqual(['.unfinished-node']);
    });
  });

  test('a run of the tests is by itself', () => {
    withFolder((cache) => {
      fs.mkdirSync(lab(cache), { recursive: true });
      fs.writeFileSync(lab(cache, 'at-work-tests'), JSON.stringify(processOf(process.pid)));
      const said = `process ${process.pid} runs tests in the laboratory; wait for it, or end it\n`;
      expect(run(cache, 'test', ['smoke'])).toEqual({ code: 1, said });
    });
  });
});

describeWith(['shellcheck'], 'shellcheck takes', () => {
  const scripts = fs
    .readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sh'));
  test.each(scripts)('%s', (script) => {
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', script], { cwd: __dirname, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});

describeWith(['root', 'linux', 'netns', 'tun'], 'a machine that is not fit is told in one sentence', () => {
  const changed = (change: string): string[] => ['unshare', '--mount', 'sh', '-ec', `${change}; exec "$@"`, 'sh'];
  test.each([
    ['no root', () => ['unshare', '--user', '--map-user=65534'], /needs root on Linux: .+/],
    [
      'too little memory',
      (cache: string) => {
        fs.writeFileSync(path.join(cache, 'meminfo'), 'MemTotal: 2000000 kB\nMemAvailable: 1048576 kB\n');
        return changed(`mount --bind ${cache}/meminfo /proc/meminfo`);
      },
      /needs 4608 MiB of memory for 2 nodes, and 1024 MiB are free/,
    ],
    [
      'too little disk',
      (cache: string) =>
        changed(`mount -t tmpfs -o size=64m tmpfs ${cache}
          echo 'MemAvailable: 99999999 kB' >${cache}/meminfo; mount --bind ${cache}/meminfo /proc/meminfo`),
      /needs 12 GiB in .*, and 0\.1 GiB are free/,
    ],
  ])('%s', (_, starter, sentence) => {
    withFolder((cache) => {
      const { code, said } = run(cache, 'main', ['up'], starter(cache));
      expect(said).toMatch(new RegExp(`^the laboratory ${sentence.source}\n$`));
      expect(code).toBe(69);
    });
  });
});

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { renewed } from './report';
import { processOf, workSocket } from './state';

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
  ['an unknown scenario', 'test', ['nothing'], 'no scenario begins with nothing; there are: '],
] as const)('%s is one sentence', (_, program, args, sentence) => {
  withFolder((cache) => {
    const { code, said } = run(cache, program, args);
    expect(said.startsWith(sentence)).toBe(true);
    expect(said.trim()).not.toContain('\n');
    expect(code).toBe(1);
  });
});

test('a page is renewed by scenarios', () => {
  const page = '# Lab\n\n### a\n\nold a\n\n### ab\n\nold ab\n\n### b\n\nold b\n';
  expect(renewed(page, '# Other\n\n### ab\n\nnew ab\n\n')).toBe(page.replace('old ab', 'new ab'));
  expect(renewed(page, '# Other\n\n### aa\n\nnew aa\n')).toBe(page.replace('### ab', '### aa\n\nnew aa\n\n### ab'));
});

describe('what an earlier run left', () => {
  test('is removed, but for what is of use', () => {
    withFolder((cache) => {
      for (const folder of ['run/logs', 'parts/.unfinished-node', 'parts/node-0123456789abcdef'])
        fs.mkdirSync(lab(cache, folder), { recursive: true });
      // Of a process that ended, and whose id this one got.
      fs.writeFileSync(lab(cache, 'run/state.json'), JSON.stringify({ ...processOf(process.pid), born: '1' }));
      expect(run(cache, 'main', ['status'])).toEqual({ code: 1, said: 'no laboratory is up\n' });
      expect(run(cache, 'main', ['down'])).toEqual({ code: 0, said: 'no laboratory was up\n' });
      expect(fs.readdirSync(lab(cache))).toEqual(['parts']);
      expect(fs.readdirSync(lab(cache, 'parts'))).toEqual(['node-0123456789abcdef']);
    });
  });

  test.each([
    ['lab', 'main', 'down', 'is building, starting or ending the laboratory'],
    ['lab', 'test', 'smoke', 'is building, starting or ending the laboratory'],
    ['tests', 'test', 'smoke', 'runs tests in the laboratory'],
  ] as const)('is left to who is still at work (%s): %s %s', async (what, program, argument, does) => {
    const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-lab-'));
    const before = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = cache;
    const other = createServer().listen(workSocket(what));
    try {
      await once(other, 'listening');
      fs.mkdirSync(lab(cache, 'parts/.unfinished-node'), { recursive: true });
      const said = `another process ${does}; wait for it, or end it\n`;
      expect(run(cache, program, [argument])).toEqual({ code: 1, said });
      expect(fs.readdirSync(lab(cache, 'parts'))).toEqual(['.unfinished-node']);
    } finally {
      other.close();
      fs.rmSync(cache, { recursive: true });
      if (before === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = before;
    }
  });

  test.each(['{}', '[]', 'null', '1', '"x"', '{"pid":1}', '', 'garbage'])(
    'of which nothing can be known: %s',
    (state) => {
      withFolder((cache) => {
        fs.mkdirSync(lab(cache, 'run'), { recursive: true });
        fs.writeFileSync(lab(cache, 'run/state.json'), state);
        expect(run(cache, 'main', ['status'])).toEqual({ code: 1, said: 'no laboratory is up\n' });
        expect(run(cache, 'main', ['down'])).toEqual({ code: 0, said: 'no laboratory was up\n' });
      });
    },
  );

  test('in the place of the cache, a file, is one sentence', () => {
    withFolder((cache) => {
      fs.writeFileSync(path.join(cache, 'cdk8s-vpn'), '');
      const { code, said } = run(cache, 'main', ['up']);
      expect(said).toMatch(/^the laboratory cannot work there: .*\n$/);
      expect(code).toBe(1);
    });
  });
});

describeWith(['shellcheck'], 'shellcheck takes', () => {
  const scripts = fs
    .readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sh'));
  test.each(scripts)('%s', (script) => {
    const { status, stdout } = spawnSync('shellcheck', ['-x', '-s', 'sh', script], {
      cwd: __dirname,
      encoding: 'utf8',
    });
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
      /needs 5120 MiB of memory for 2 nodes, and 1024 MiB are free/,
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

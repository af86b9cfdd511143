import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { lacking } from './left-out';

/** Runs a test file of its own in another jest, with our configuration. */
function jest(
  source: string,
  environment: Record<string, string>,
): { statuses: string[]; output: string; record: string[] } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'left-out-test-'));
  try {
    const here = (file: string): string => path.join(__dirname, file);
    const file = path.join(folder, 'test/one.test.ts');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, `import { describeWith } from ${JSON.stringify(here('left-out'))};\n${source}`);
    const own = jest.configuration();
    const configuration = {
      ...own,
      rootDir: folder,
      setupFilesAfterEnv: [here('setup.ts')],
      transform: Object.fromEntries(
        Object.entries(own.transform).map(([pattern, [name, options]]) => [pattern, [require.resolve(name), options]]),
      ),
    };
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [here('../node_modules/jest/bin/jest.js'), '--config', JSON.stringify(configuration), '--json'],
      {
        encoding: 'utf8',
        env: { ...process.env, CI: '', CDK8S_VPN_LEFT_OUT: path.join(folder, 'record'), ...environment },
      },
    );
    if (!stdout.startsWith('{')) throw new Error(stderr);
    const report = JSON.parse(stdout) as {
      testResults: { assertionResults: { status: string; fullName: string }[] }[];
    };
    const statuses = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status }) => `${fullName}: ${status}`),
    );
    const recorded = path.join(folder, 'record');
    const lines = fs.existsSync(recorded) ? fs.readFileSync(recorded, 'utf8').trim().split('\n') : [];
    return { statuses, output: stderr, record: lines.map((line) => JSON.parse(line) as string) };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

jest.configuration = (): { transform: Record<string, [string, unknown]> } =>
  JSON.parse(
    spawnSync(
      process.execPath,
      ['-p', `JSON.stringify(require(${JSON.stringify(path.join(__dirname, '../jest.config.js'))}))`],
      {
        encoding: 'utf8',
      },
    ).stdout,
  ) as { transform: Record<string, [string, unknown]> };

const NEEDS_WG = `describeWith(['wg', 'jq'], 'keys', () => { test('a', () => undefined); test('b', () => undefined); });`;
const NOTHING = { PATH: '/nonexistent', CDK8S_VPN_MISSING_TOOLS: '{"wg": "Go fish"}' };

describe('tests that need a tool', () => {
  test('run where it is', () => {
    const { statuses, record } = jest(`describeWith([], 'keys', () => { test('a', () => undefined); });`, {});
    expect(statuses).toEqual(['keys a: passed']);
    expect(record).toEqual([]);
  });

  test('are skipped and recorded where it is not', () => {
    const { statuses, record } = jest(NEEDS_WG, NOTHING);
    expect(statuses).toEqual(['keys left out: wg: Go fish; jq: not on PATH: pending']);
    expect(record).toEqual(['keys (wg: Go fish; jq: not on PATH)']);
  });

  test('fail where it is not and CI=true', () => {
    const { statuses, output, record } = jest(NEEDS_WG, { ...NOTHING, CI: 'true' });
    expect(statuses).toEqual(['keys is left out: failed']);
    expect(output).toContain('needs wg: Go fish; jq: not on PATH');
    expect(record).toEqual([]);
  });
});

describe('a test that writes to the console', () => {
  test.each(['log', 'error', 'warn', 'info', 'debug', 'trace', 'table'])('fails with console.%s', (method) => {
    const { statuses, output } = jest(
      `test('loud', () => { console.${method}('hello there'); }); test('silent', () => undefined);`,
      {},
    );
    expect(statuses).toEqual(['loud: failed', 'silent: passed']);
    expect(output).toContain(`console.${method}(hello there)`);
  });

  test('fails although it catches what console throws', () => {
    const { statuses } = jest(`test('a', () => { try { console.log('quiet'); } catch {} });`, {});
    expect(statuses).toEqual(['a: failed']);
  });

  test('fails when it does so after its end', () => {
    const { output } = jest(`test('a', () => undefined); afterAll(() => { console.log('late'); });`, {});
    expect(output).toContain('console.log(late)');
    expect(output).toContain('Test Suites: 1 failed');
  });
});

test('nothing is lacking of no conditions', () => {
  expect(lacking([])).toEqual([]);
});

/**
 * `npm test`: every check of the project, one after the other, and what came of it.
 *
 *     npm test                              all steps
 *     npm test -- --only jest --only lint   some of them
 *     npm test -- --only jest -- test/net   arguments after a second `--` go to jest
 *
 * Steps after a failed one still run. The last line is `N passed, N failed`; each step other than jest counts as one.
 * What could not run here is listed before it, and with CI=true fails.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { LawCounts } from './laws/chart-law';
import { UNFIT } from './lab/run-main';
import type { Row } from './lab/scenario';
import { isCi, RECORD } from './left-out';
import { HELM_VERSIONS, prepare, tools } from './tools';

const root = path.join(__dirname, '..');
const API_TESTS = 'test/api/';

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** What was not checked, and why. */
  readonly leftOut?: readonly string[];
}

interface Step {
  readonly name: string;
  readonly title: string;
  readonly run: (jestArguments: readonly string[]) => Promise<Outcome>;
}

const STEPS: readonly Step[] = [
  { name: 'tools', title: 'prepare tools', run: prepareTools },
  program('format', 'prettier --check .', node('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'),
  program('lint', 'eslint .', node('eslint/bin/eslint.js'), '--max-warnings', '0', '.'),
  program('types', 'tsc --noEmit -p test', node('typescript/bin/tsc'), '--noEmit', '-p', 'test'),
  program('build', 'npm run build', npm(), 'run', '--silent', 'build'),
  { name: 'jest', title: 'jest', run: (given) => runJest(given, ['--testPathIgnorePatterns', API_TESTS]) },
  // By itself: an API server beside other tests would slow down both. Who gives arguments chooses the tests of the step before.
  {
    name: 'api',
    title: `jest ${API_TESTS}`,
    run: (given) => (given.length === 0 ? runJest(given, [API_TESTS]) : Promise.resolve({ passed: 0, failed: 0 })),
  },
  { name: 'lab', title: 'laboratory, its smallest part', run: runLab },
];

async function main(): Promise<number> {
  const { only, jestArguments } = parseArguments(process.argv.slice(2));
  const steps = STEPS.filter((step) => only.length === 0 || only.includes(step.name));
  const rows: { title: string; seconds: number; outcome: Outcome }[] = [];
  for (const [index, step] of steps.entries()) {
    say(`\n[${index + 1}/${steps.length}] ${step.title}`);
    const start = process.hrtime.bigint();
    const outcome = await step.run(jestArguments).catch((error: unknown): Outcome => {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return { passed: 0, failed: 1 };
    });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    say(`[${index + 1}/${steps.length}] ${step.title}: ${verdict(outcome)} in ${seconds.toFixed(1)} s`);
    rows.push({ title: step.title, seconds, outcome });
  }

  say('');
  const width = Math.max(...rows.map(({ title }) => title.length));
  for (const { title, seconds, outcome } of rows) {
    say(`${title.padEnd(width)}  ${seconds.toFixed(1).padStart(7)} s  ${verdict(outcome)}`);
  }
  for (const line of lawCounts()) say(line);
  const leftOut = [...new Set(rows.flatMap(({ outcome }) => outcome.leftOut ?? []))];
  if (leftOut.length > 0) {
    say(`\nleft out${isCi() ? ', which is an error with CI=true' : ''}:`);
    for (const omission of leftOut) say(`  ${omission}`);
  }
  const passed = rows.reduce((sum, { outcome }) => sum + outcome.passed, 0);
  const failed = rows.reduce((sum, { outcome }) => sum + outcome.failed, 0);
  say(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** What `test/laws/chart.test.ts` counted of the generated values files. */
function lawCounts(): string[] {
  const file = path.join(root, 'build/law-counts.json');
  if (!fs.existsSync(file)) return [];
  const charts = JSON.parse(fs.readFileSync(file, 'utf8')) as Readonly<Record<string, LawCounts>>;
  return Object.entries(charts).map(
    ([chart, { seed, cases, accepted, refusedBySchema, refusedByChecks, leaves, leastChanged }]) =>
      `\nlaw of the chart ${chart}: ${cases} generated values files (seed ${seed}), ${accepted} accepted, ` +
      `${refusedBySchema} refused by the schema, ${refusedByChecks} by checks; ` +
      `${leaves} leaves, the least changed ${leastChanged.times} times (${leastChanged.leaf})`,
  );
}

function parseArguments(given: readonly string[]): { only: string[]; jestArguments: string[] } {
  const end = given.indexOf('--');
  const own = end === -1 ? given : given.slice(0, end);
  const only: string[] = [];
  for (let index = 0; index < own.length; index += 2) {
    const name = own[index + 1];
    if (own[index] !== '--only' || name === undefined || !STEPS.some((step) => step.name === name)) {
      const names = STEPS.map((step) => step.name).join(', ');
      process.stderr.write(
        `unknown: ${own.slice(index).join(' ')}; use --only STEP (${names}), and put arguments for jest after --\n`,
      );
      process.exit(2);
    }
    only.push(name);
  }
  return { only, jestArguments: end === -1 ? [] : given.slice(end + 1) };
}

function verdict({ passed, failed, leftOut = [] }: Outcome): string {
  const omissions = leftOut.length === 0 ? '' : `, ${leftOut.length} left out`;
  if (passed + failed === 1) return (failed === 0 ? 'passed' : 'FAILED') + omissions;
  return `${passed} passed, ${failed} ${failed === 0 ? 'failed' : 'FAILED'}${omissions}`;
}

async function prepareTools(): Promise<Outcome> {
  const missing = await prepare((line) => say(`  ${line}`));
  const leftOut = [...missing].map(([name, reason]) => `${name}: ${reason}`);
  const helms = tools.helms().map(({ name }) => name);
  if (helms.length < HELM_VERSIONS.length || HELM_VERSIONS.some((version) => missing.has(`helm-${version}`))) {
    say(`  the law is proven with ${helms.length === 0 ? 'no Helm at all' : helms.join(', ')}`);
  }
  const failed = isCi() && missing.size > 0 ? 1 : 0;
  return { passed: 1 - failed, failed, leftOut };
}

function program(name: string, title: string, command: readonly string[], ...args: string[]): Step {
  return {
    name,
    title,
    run: async () =>
      (await exitCode([...command, ...args])) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 },
  };
}

/** One boot of a cluster, one release in it, one packet each way; `npm run test:lab` is all of it. */
async function runLab(): Promise<Outcome> {
  const report = path.join(root, 'build/lab.json');
  fs.rmSync(report, { force: true });
  const code = await exitCode([process.execPath, '--import', 'tsx', 'test/lab/test.ts', 'smoke']);
  if (code === UNFIT)
    return { passed: 0, failed: isCi() ? 1 : 0, leftOut: ['laboratory: what it lacks is told above'] };
  if (!fs.existsSync(report)) return { passed: 0, failed: 1 };
  const { rows } = JSON.parse(fs.readFileSync(report, 'utf8')) as { rows: readonly Row[] };
  const failed = rows.filter(({ failure }) => failure !== undefined).length;
  return { passed: rows.length - failed, failed: failed === 0 && code !== 0 ? 1 : failed };
}

/** The part of jest's --json that is counted. */
interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Runs jest with the arguments given by the caller, or else with those of the step. */
async function runJest(given: readonly string[], ofStep: readonly string[]): Promise<Outcome> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-test-'));
  try {
    const reportFile = path.join(folder, 'report.json');
    const recordFile = path.join(folder, 'left-out');
    const jest = [
      ...node('jest/bin/jest.js'),
      '--json',
      `--outputFile=${reportFile}`,
      ...(given.length > 0 ? given : ofStep),
    ];
    const code = await exitCode(jest, { [RECORD]: recordFile });
    if (!fs.existsSync(reportFile)) return { passed: 0, failed: 1 };
    const report = JSON.parse(fs.readFileSync(reportFile, 'utf8')) as JestReport;
    const recorded = fs.existsSync(recordFile)
      ? fs
          .readFileSync(recordFile, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as string)
      : [];
    // A forgotten test.skip, .todo or .only leaves something out too. With arguments it is the caller's wish.
    const skipped = given.length > 0 ? [] : skippedTests(report);
    const failed =
      report.numFailedTests +
      // A file that could not be loaded has no tests to count.
      Math.max(report.numRuntimeErrorTestSuites, suitesWithoutVerdict(report)) +
      (isCi() ? skipped.length : 0);
    return {
      passed: report.numPassedTests,
      failed: failed === 0 && code !== 0 ? 1 : failed,
      leftOut: [...recorded, ...skipped],
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function skippedTests({ testResults }: JestReport): string[] {
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status, fullName }) => status !== 'passed' && status !== 'failed' && !fullName.includes(' left out: '))
      .map(({ fullName, status }) => `${path.relative(root, name)}: ${fullName} (${status})`),
  );
}

/** Files that failed although none of their tests did. */
function suitesWithoutVerdict({ testResults }: JestReport): number {
  return testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  ).length;
}

/** How to start a program of one of our packages, whatever PATH and the operating system are. */
function node(file: string): string[] {
  return [process.execPath, path.join(root, 'node_modules', file)];
}

function npm(): string[] {
  const cli = process.env['npm_execpath'];
  return cli === undefined ? ['npm'] : [process.execPath, cli];
}

let running: ReturnType<typeof spawn> | undefined;

/** Runs a command in the root of the repository, its output shown, nothing to read. */
function exitCode(command: readonly string[], environment: Record<string, string> = {}): Promise<number> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    running = spawn(file, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    running.on('error', reject);
    running.on('close', (code) => {
      running = undefined;
      resolve(code ?? 1);
    });
  });
}

function say(line: string): void {
  fs.writeSync(1, `${line}\n`);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    running?.kill(signal);
    process.exit(code);
  });
}

process.chdir(root);
void main().then((code) => process.exit(code));

/**
 * `npm run test:lab [-- [--renew] BEGINNING…]`: runs the scenarios whose names begin so, or all, and writes down what came of
 * them. All of them write docs/lab.md, some renew their parts of it if they are asked to.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { CHARTS } from '../../charts';
import { Lab } from './lab';
import { cli } from './parts';
import { Interrupted, LabError, resume } from './processes';
import { say, step, steps } from './progress';
import { renewed, report } from './report';
import { runMain } from './run-main';
import { Context, Unprepared, type Row, type Scenario } from './scenario';
import { root } from './settings';
import { alone } from './state';

const SCENARIOS = path.join(__dirname, 'scenarios');

async function main(args: readonly string[]): Promise<number> {
  const beginnings = args.filter((arg) => arg !== '--renew');
  const all = fs.readdirSync(SCENARIOS).map((file) => file.replace(/\.ts$/, ''));
  const names = all.filter(
    (name) => beginnings.length === 0 || beginnings.some((beginning) => name.startsWith(beginning)),
  );
  const unknown = beginnings.filter((beginning) => !all.some((name) => name.startsWith(beginning)));
  if (unknown.length > 0)
    throw new LabError(`no scenario begins with ${unknown.join(' or ')}; there are: ${all.join(', ')}`);

  return alone('tests', () =>
    runAll(names, beginnings.length === 0 ? 'write' : args.includes('--renew') ? 'renew' : 'leave'),
  );
}

/** @param page - what becomes of docs/lab.md */
async function runAll(names: readonly string[], page: 'write' | 'renew' | 'leave'): Promise<number> {
  const found = await alone('lab', () => Promise.resolve(Lab.running()));
  if (found !== undefined) say('taking the laboratory that is up, and leaving it up');
  const lab = found ?? (await Lab.up({ stays: false }));
  const rows: Row[] = [];
  const titles = new Map<string, string>();
  const start = Date.now();
  try {
    const charts = path.join(lab.folder, 'charts');
    fs.rmSync(charts, { recursive: true, force: true });
    for (const chart of Object.keys(CHARTS))
      await step(`the chart ${chart}, from the sources`, () => cli('chart', chart, '-o', charts));
    for (const name of names) {
      const { scenario } = (await import(path.join(SCENARIOS, `${name}.ts`))) as { scenario: Scenario };
      titles.set(name, scenario.title);
      say(`\n${name}: ${scenario.title}`);
      rows.push(...(await runScenario(new Context(name, lab, charts), scenario)));
    }
    const failed = rows.filter(({ failure }) => failure !== undefined);
    if (failed.length > 0) say(`\nlogs: ${await lab.keepLogs()}`);
    const file = path.join(root, 'build/lab.json');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `${JSON.stringify({ steps, rows }, undefined, 2)}\n`);
    if (page !== 'leave') await writeReport(await report(lab, titles, steps, rows), page);
    say(`\nall scenarios: ${((Date.now() - start) / 60_000).toFixed(1)} minutes`);
    say(`${rows.length - failed.length} passed, ${failed.length} failed; figures: ${file}`);
    for (const { scenario, title } of failed) say(`  FAILED ${scenario}: ${title}`);
    return failed.length === 0 ? 0 : 1;
  } finally {
    if (found === undefined) await lab.down();
  }
}

async function writeReport(text: string, how: 'write' | 'renew'): Promise<void> {
  const file = path.join(root, 'docs/lab.md');
  const page = await format(text, { ...(await resolveConfig(file)), filepath: file });
  fs.writeFileSync(file, how === 'write' ? page : renewed(fs.readFileSync(file, 'utf8'), page));
}

async function runScenario(context: Context, scenario: Scenario): Promise<Row[]> {
  try {
    await context.begin();
    await scenario.run(context);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if (!(error instanceof Unprepared)) {
      await context.check('the scenario itself', () => {
        throw error;
      });
    }
    await context.describe();
  } finally {
    // After an interruption too: the laboratory may stay.
    resume();
    await context.end().catch((error: unknown) => say(String(error)));
  }
  return context.rows;
}

runMain(main);

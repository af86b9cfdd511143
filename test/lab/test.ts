/** `npm run test:lab [-- BEGINNING…]`: runs the scenarios whose names begin so, or all, and writes down what came of them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Lab } from './lab';
import { cli } from './parts';
import { Interrupted, LabError, resume } from './processes';
import { say, step, steps } from './progress';
import { report } from './report';
import { runMain } from './run-main';
import { Context, Unprepared, type Row, type Scenario } from './scenario';
import { root } from './settings';
import { alone } from './state';

const SCENARIOS = path.join(__dirname, 'scenarios');

async function main(beginnings: readonly string[]): Promise<number> {
  const all = fs.readdirSync(SCENARIOS).map((file) => file.replace(/\.ts$/, ''));
  const names = all.filter(
    (name) => beginnings.length === 0 || beginnings.some((beginning) => name.startsWith(beginning)),
  );
  const unknown = beginnings.filter((beginning) => !all.some((name) => name.startsWith(beginning)));
  if (unknown.length > 0)
    throw new LabError(`no scenario begins with ${unknown.join(' or ')}; there are: ${all.join(', ')}`);

  return alone('tests', () => runAll(names, beginnings.length === 0));
}

/** @param isComplete - whether these are all scenarios, and their results worth a page */
async function runAll(names: readonly string[], isComplete: boolean): Promise<number> {
  const found = await alone('lab', () => Promise.resolve(Lab.running()));
  if (found !== undefined) say('taking the laboratory that is up, and leaving it up');
  const lab = found ?? (await Lab.up({ stays: false }));
  const rows: Row[] = [];
  const titles = new Map<string, string>();
  const start = Date.now();
  try {
    const charts = path.join(lab.folder, 'charts');
    fs.rmSync(charts, { recursive: true, force: true });
    await step('the charts, from the sources', () => cli('chart', 'wireguard', '-o', charts));
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
    if (isComplete) await writeReport(await report(lab, titles, steps, rows));
    say(`\nall scenarios: ${((Date.now() - start) / 60_000).toFixed(1)} minutes`);
    say(`${rows.length - failed.length} passed, ${failed.length} failed; figures: ${file}`);
    for (const { scenario, title } of failed) say(`  FAILED ${scenario}: ${title}`);
    return failed.length === 0 ? 0 : 1;
  } finally {
    if (found === undefined) await lab.down();
  }
}

async function writeReport(text: string): Promise<void> {
  const file = path.join(root, 'docs/lab.md');
  fs.writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
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

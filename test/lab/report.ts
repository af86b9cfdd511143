/** docs/lab.md: what runs have shown. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Lab } from './lab';
import type { Row } from './scenario';
import type { steps } from './progress';
import { KUBERNETES_RELEASE } from '../tools';

export async function report(
  lab: Lab,
  titles: ReadonlyMap<string, string>,
  done: typeof steps,
  rows: readonly Row[],
): Promise<string> {
  const versions = new Map(
    fs
      .readFileSync(path.join(lab.parts.disk, 'packages.txt'), 'utf8')
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  const kernel = (await lab.on(lab.outside, 'uname -r')).trim();
  const escaped = (text: string): string => text.replace(/\|/g, '\\|').replace(/\n/g, ' ');
  const today = new Date().toISOString().slice(0, 10);
  const scenarios = [...titles].map(([name, title]) =>
    [
      `### ${name}\n\n${title}. Run on ${today}.\n`,
      '| What | Result | Seconds |',
      '| ---- | ------ | ------- |',
      ...rows
        .filter(({ scenario }) => scenario === name)
        .map(({ title, failure, figure, seconds }) => {
          const result = failure === undefined ? (figure ?? 'yes') : `**no**: ${failure.split('\n')[0] ?? ''}`;
          return `| ${escaped(title)} | ${escaped(result)} | ${seconds.toFixed(1)} |`;
        }),
      '',
    ].join('\n'),
  );
  return [
    fs.readFileSync(path.join(__dirname, 'report.md'), 'utf8').trim(),
    '',
    `Kubernetes ${KUBERNETES_RELEASE}, containerd ${versions.get('containerd') ?? ''}, Linux ${kernel}, ${lab.machines.length} nodes, ${today}.`,
    '',
    '| Step | Seconds |',
    '| ---- | ------- |',
    ...done.map(({ title, seconds }) => `| ${title} | ${seconds.toFixed(1)} |`),
    '',
    ...scenarios,
  ].join('\n');
}

/** A page whose scenarios are those of another one, as far as that has them, each in its place by name. */
export function renewed(page: string, by: string): string {
  const sections = (text: string): string[] => text.split(/^(?=### )/m);
  const title = (section: string): string => section.split('\n')[0] ?? '';
  const [head = '', ...older] = sections(page);
  const [, ...newer] = sections(by);
  const scenarios = new Map([...older, ...newer].map((section) => [title(section), `${section.trim()}\n`]));
  const inOrder = [...scenarios].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, section]) => section);
  return [`${head.trim()}\n`, ...inOrder].join('\n');
}

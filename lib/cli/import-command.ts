import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadValues } from '../helm/load-values';
import { toYaml } from '../helm/yaml';
import { importConstellation, type ConstellationAnswers, type Imported } from './import-constellation';
import { refuseExisting, writeNewFiles } from './new-files';
import { withPlaces } from './with-places';

/** The charts whose values can be read. */
export const IMPORTS = ['constellation'] as const;

export interface ImportFlags extends ConstellationAnswers {
  readonly output: string;
}

/** `import`: the values of another chart as ours, in a folder: `values.yaml`, `secrets.yaml` if there are any, and what became of what. */
export function importCommand(kind: (typeof IMPORTS)[number], file: string, flags: ImportFlags): void {
  const loaded = loadValues({ files: [file] });
  const readers = { constellation: importConstellation };
  const { values, secrets, report }: Imported = withPlaces(loaded, () => readers[kind](loaded.values, flags));
  const heading = `# The values of ${kind}, for the chart ipsec: look at them, and check them with cdk8s-vpn check ipsec -f.\n`;
  const files = [
    { path: join(flags.output, 'values.yaml'), content: `${heading}${toYaml(values)}` },
    ...(secrets.length === 0
      ? []
      : [
          {
            path: join(flags.output, 'secrets.yaml'),
            content: secrets.map((secret) => `---\n${toYaml(secret)}`).join(''),
          },
        ]),
  ];
  refuseExisting(files.map(({ path }) => path));
  if (!existsSync(flags.output)) mkdirSync(flags.output, { recursive: true });
  writeNewFiles(files);
  for (const line of report) process.stdout.write(`${line}\n`);
}

import { loadValues } from '../helm/load-values';
import type { JsonObject } from '../helm/values-file';
import { toYaml } from '../helm/yaml';
import { InputError } from '../staged/input-error';
import { chartNamed } from './commands';
import { importConstellation, type ConstellationAnswers } from './import-constellation';
import { importCrusoe, type CrusoeAnswers } from './import-crusoe';
import { importLinuxserver, type LinuxserverAnswers } from './import-linuxserver';
import { identitiesOf, type Imported } from './import-result';
import { writeIntoFolder } from './new-files';
import { withPlaces } from './with-places';

/** The flags of `import`; each but the first is for some kinds. */
export interface ImportFlags extends Omit<ConstellationAnswers, 'identity'>, CrusoeAnswers, LinuxserverAnswers {
  readonly output: string;
}

interface Importer {
  /** The chart that takes the values. */
  readonly chart: 'ipsec' | 'wireguard';
  /** The flags that say what the old settings do not. */
  readonly answers: Readonly<Partial<Record<keyof ImportFlags, string>>>;
  readonly read: (files: readonly string[], flags: ImportFlags) => Imported;
}

const IMPORTERS = {
  constellation: {
    chart: 'ipsec',
    answers: { identity: '--identity', remoteIdentity: '--remote-identity' },
    read(files, { identity: given, ...flags }) {
      const [identity] = identitiesOf(1, given);
      const loaded = loadValues({ files, after: 'constellation' });
      const answers = { ...flags, ...(identity !== undefined && { identity }) };
      return withPlaces(loaded, () => importConstellation(loaded.values, answers));
    },
  },
  crusoe: {
    chart: 'ipsec',
    answers: {
      identity: '--identity',
      preset: '--preset',
      import: '--import',
      pods: '--pods',
      nodes: '--nodes',
      services: '--services',
    },
    read(files, flags) {
      const loaded = loadValues({ files, after: 'crusoe' });
      return withPlaces(loaded, () => importCrusoe(loaded.values, flags));
    },
  },
  linuxserver: {
    chart: 'wireguard',
    answers: { endpoint: '--endpoint', config: '--config' },
    read: importLinuxserver,
  },
} satisfies Readonly<Record<string, Importer>>;

export type ImportKind = keyof typeof IMPORTERS;

/** What can be read: the charts, and an image. */
export const IMPORTS = Object.keys(IMPORTERS) as readonly ImportKind[];

/**
 * `import`: the settings of something else as our values, in a folder: `values.yaml`, `secrets.yaml` if there are any, and what
 * became of what on standard output, with what `check` finds in the values.
 */
export function importCommand(kind: ImportKind, files: readonly string[], flags: ImportFlags): void {
  refuseForeign(kind, flags);
  const { chart, read }: Importer = IMPORTERS[kind];
  const { values, secrets, report } = read(files, flags);
  const heading = `# The values of ${kind}, for the chart ${chart}: look at them, and check them with cdk8s-vpn check ${chart} -f.\n`;
  const written = [
    { name: 'values.yaml', text: `${heading}${toYaml(values)}` },
    ...(secrets.length === 0
      ? []
      : [{ name: 'secrets.yaml', text: secrets.map((secret) => `---\n${toYaml(secret)}`).join(''), secret: true }]),
  ];
  writeIntoFolder(flags.output, written, ['values.yaml', 'secrets.yaml']);
  for (const line of [...report, ...problemsOfValues(chart, values).filter(isNotIn(report))])
    process.stdout.write(`${line}\n`);
}

/** @throws InputError about the flags of other kinds */
function refuseForeign(kind: ImportKind, flags: ImportFlags): void {
  const flagsOf = (of: ImportKind) => Object.entries<string>(IMPORTERS[of].answers);
  const own = new Map(flagsOf(kind));
  const foreign = new Map(IMPORTS.flatMap(flagsOf).filter(([name]) => !own.has(name)));
  const given = [...foreign].filter(([name]) => flags[name as keyof ImportFlags] !== undefined);
  if (given.length === 0) return;
  throw new InputError(
    given.map(([, flag]) => `${flag}: is not for the import ${kind}; leave it out`),
    2,
  );
}

/** What `check` says of the values. */
function problemsOfValues(chart: string, values: JsonObject): readonly string[] {
  try {
    chartNamed(chart).objects({ values });
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems;
  }
}

/** Whether the report does not speak of that path already. */
function isNotIn(report: readonly string[]): (problem: string) => boolean {
  const pathOf = (line: string): string => line.slice(0, line.indexOf(': '));
  const known = new Set(report.map(pathOf));
  return (problem) => !known.has(pathOf(problem));
}

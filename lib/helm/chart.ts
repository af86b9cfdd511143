import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { evaluate, type ChartIdentity, type Environment, type Release } from '../staged/evaluate';
import { InputError } from '../staged/input-error';
import { nodeOf, type Expr } from '../staged/node';
import type { KubernetesObject } from '../staged/resource';
import { refs, type Ref } from '../staged/stage';
import { setStaging } from '../staged/staging';
import { chartYaml, GENERATED } from './chart-yaml';
import { printDefinitions } from './crds';
import { replaceFolder } from './folder';
import { jsonSchema } from './json-schema';
import { manifestStream } from './manifests';
import { branches } from './leaves';
import { defaultsOf, parseValues } from './parse-values';
import { chartReadme } from './readme';
import {
  dependenciesOf,
  enabledSubcharts,
  environmentOf,
  notesWith,
  printedNotesWith,
  subchartFiles,
  subchartImages,
  withGlobals,
  type Subchart,
} from './subcharts';
import { NOTES_FILE, printTemplates, type ChartFile } from './templates';
import { valuesYaml } from './values-yaml';
import type { JsonObject } from './values-file';
import { toYaml } from './yaml';

/** What a chart says of itself (Helm, The Chart.yaml File). */
export interface ChartMetadata {
  /** The name of the chart, lower case. */
  readonly name: string;
  /** The version of the chart (SemVer 2). */
  readonly version: string;
  /** The version of what it installs. */
  readonly appVersion: string;
  /** One sentence. */
  readonly description: string;
  /** The Kubernetes versions that it works with. */
  readonly kubeVersion: string;
  readonly keywords: readonly string[];
  /** The address of a picture. */
  readonly icon?: string;
  readonly home?: string;
  /** The README between its title and the table of values, in Markdown. */
  readonly introduction: string;
}

export interface HelmChartProps<S extends z.ZodObject, B = unknown> extends Partial<
  Omit<ChartMetadata, 'name' | 'version'>
> {
  readonly name: string;
  readonly version: string;
  /** The schema of the chart's values: a strict object with the keys `enabled` and `global` if it is to be a subchart. */
  readonly values: S;
  /** Makes the constructs of the chart from expressions for its values. */
  readonly build: (scope: Construct, values: Ref<z.output<S>>) => B;
  /** The text that `helm install` shows at its end: a named text. */
  readonly notes?: (built: B) => Expr<string>;
  /** What is said of good values when they are checked: a named text. */
  readonly summary?: (built: B) => Expr<string>;
  /** The images that the chart uses by default, by container: for the catalogue. */
  readonly images?: (built: B) => Readonly<Record<string, Expr<string>>>;
  /**
   * Charts that are installed with this one where `<name>.enabled` is true. The values have a part for each below its name, with the
   * schema of that chart, and `global`, which all of them share.
   */
  readonly subcharts?: readonly HelmSubchart[];
}

/** A chart that can be a part of another one. */
export interface HelmSubchart {
  asSubchart(): Subchart;
}

/** What plain manifests are made for. */
export interface PlainOptions {
  /** The user's values, over which the chart's defaults are not yet put. */
  readonly values?: JsonObject;
  /** @default name `vpn`, namespace `default`, service `cdk8s` */
  readonly release?: Partial<Release>;
}

/** The objects of a cdk8s chart, the definitions of their kinds first. */
export function objectsOf(chart: Chart): KubernetesObject[] {
  const objects = chart.toJson() as KubernetesObject[];
  const defines = ({ kind }: KubernetesObject): boolean => kind === 'CustomResourceDefinition';
  return [...objects.filter(defines), ...objects.filter((object) => !defines(object))];
}

/** Whether a folder holds a chart that was written before. */
function isChartOfOurs(folder: string): boolean {
  const file = join(folder, 'Chart.yaml');
  return existsSync(file) && readFileSync(file, 'utf8').startsWith(GENERATED);
}

/**
 * Makes constructs whose values are known.
 *
 * @throws InputError with the rules that these values break
 */
function evaluating(scope: Construct, env: Environment, build: () => void): void {
  const problems: string[] = [];
  setStaging(scope, { reader: 'evaluate', env, problems });
  build();
  if (problems.length > 0) throw new InputError(problems);
}

function textOf(text: Expr<string>, env: Environment): string {
  return evaluate(nodeOf(text), env) as string;
}

/** A chart that is written from constructs, and its plain manifests. */
export class HelmChart<S extends z.ZodObject = z.ZodObject, B = unknown> {
  readonly #props: HelmChartProps<S, B>;
  readonly #metadata: ChartMetadata;
  readonly #subcharts: readonly Subchart[];

  constructor(props: HelmChartProps<S, B>) {
    this.#props = props;
    this.#subcharts = (props.subcharts ?? []).map((chart) => chart.asSubchart());
    this.#metadata = {
      appVersion: props.version,
      description: `The chart ${props.name}.`,
      kubeVersion: '>=1.25.0-0',
      keywords: [],
      introduction: `\`\`\`sh\nhelm install ${props.name} ./${props.name}\n\`\`\``,
      ...props,
    };
  }

  get name(): string {
    return this.#props.name;
  }

  /** The schema of the chart's values. */
  get schema(): S {
    return this.#props.values;
  }

  /** The files of the Helm chart. */
  files(): ChartFile[] {
    const { values } = this.#props;
    const { chart, built } = this.#printed();
    const tree = branches(values);
    const images = { ...this.#images(built), ...subchartImages(this.#subcharts) };
    return [
      { name: 'Chart.yaml', text: chartYaml(this.#metadata, images, dependenciesOf(this.#subcharts)) },
      {
        name: 'values.yaml',
        text: `# Generated by cdk8s-vpn: the default values of the chart ${this.name}.\n\n${valuesYaml(tree)}`,
      },
      { name: 'values.schema.json', text: jsonSchema(values) },
      { name: 'README.md', text: chartReadme(this.#metadata, tree) },
      { name: '.helmignore', text: '.git/\n.DS_Store\n*.tgz\n*.swp\n*.bak\n*.orig\n' },
      ...this.#templates(chart, built).map(({ name, text }) => ({
        name,
        text: name === NOTES_FILE ? printedNotesWith(text, this.#subcharts) : text,
      })),
      ...subchartFiles(this.#subcharts),
    ];
  }

  #templates(chart: Chart, built: B): ChartFile[] {
    return [...printDefinitions(chart), ...printTemplates(chart, this.name, this.#props.notes?.(built))];
  }

  /** The constructs with expressions for values that come at install time. */
  #printed(path: readonly string[] = []): { chart: Chart; built: B } {
    const chart = new Chart(new App(), this.name);
    setStaging(chart, { reader: 'print' });
    return { chart, built: this.#props.build(chart, refs(this.#props.values, path)) };
  }

  /**
   * Writes the chart into a folder, which is replaced as a whole.
   *
   * @throws InputError if the folder holds something else than this chart, or cannot be written
   */
  write(folder: string): void {
    replaceFolder(folder, this.files(), isChartOfOurs);
  }

  /**
   * The plain manifests, as a cdk8s chart in that scope.
   *
   * @throws InputError with every problem of the values: what the schema refuses, or else the broken rules
   */
  plain(scope: Construct, id: string, options: PlainOptions = {}): Chart {
    const env = this.environment(options);
    const chart = new Chart(scope, id);
    for (const subchart of enabledSubcharts(this.#subcharts, env)) {
      const part = new Construct(chart, subchart.identity.name);
      evaluating(part, environmentOf(subchart, env), () => {
        subchart.build(part);
      });
    }
    evaluating(chart, env, () => this.#props.build(chart, refs(this.#props.values)));
    return chart;
  }

  /** The objects of the plain manifests. */
  objects(options: PlainOptions = {}): KubernetesObject[] {
    return objectsOf(this.plain(new App(), this.name, options));
  }

  /** The text that `helm install` would show at its end. */
  notes(options: PlainOptions = {}): string | undefined {
    const { notes } = this.#props;
    const own = notes === undefined ? undefined : this.text(notes, options);
    return this.#subcharts.length === 0 ? own : notesWith(own, this.#subcharts, this.environment(options));
  }

  /** What is said of good values when they are checked. */
  summary(options: PlainOptions = {}): string | undefined {
    const { summary } = this.#props;
    const env = this.environment(options);
    const all = [
      ...(summary === undefined ? [] : [this.text(summary, options)]),
      ...enabledSubcharts(this.#subcharts, env).flatMap((one) => one.summary(environmentOf(one, env)) ?? []),
    ];
    return all.length === 0 ? undefined : all.join('\n');
  }

  /** What a text of the chart's constructs is for some values. */
  text(of: (built: B) => Expr<string>, options: PlainOptions = {}): string {
    return textOf(of(this.#printed().built), this.environment(options));
  }

  /** The names of texts of the chart's constructs. */
  list(of: (built: B) => Readonly<Record<string, Expr<string>>>): string[] {
    return Object.keys(of(this.#printed().built));
  }

  /** The chart as a part of another one. */
  asSubchart(): Subchart {
    const { values, notes, summary } = this.#props;
    if (this.#subcharts.length > 0) throw new TypeError(`the chart ${this.name} has subcharts, so it cannot be one`);
    const path = [this.name];
    const said = (of: ((built: B) => Expr<string>) | undefined, env: Environment): string | undefined =>
      of === undefined ? undefined : textOf(of(this.#printed(path).built), env);
    return {
      identity: this.#identity,
      notesTemplate: () => {
        const node = notes === undefined ? undefined : nodeOf(notes(this.#printed(path).built));
        return node?.op === 'include' ? `${this.name}.${node.template.name}` : undefined;
      },
      notes: (env) => said(notes, env),
      summary: (env) => said(summary, env),
      images: () => this.#images(this.#printed(path).built),
      build: (scope) => {
        this.#props.build(scope, refs(values, path));
      },
      files: () => {
        const { chart, built } = this.#printed(path);
        // Without a default of its own: on Helm 3.14, null would bring it back.
        const defaults = defaultsOf(values.omit({ enabled: true }));
        return [
          { name: 'Chart.yaml', text: chartYaml(this.#metadata, this.#images(built)) },
          {
            name: 'values.yaml',
            text: `${GENERATED}; described in the values.yaml of the chart above.\n\n${toYaml(defaults)}`,
          },
          ...this.#templates(chart, built).filter(({ name }) => name !== NOTES_FILE),
        ];
      },
    };
  }

  /**
   * About how many bytes the Secret has in which Helm keeps a release of these values: what is rendered, what was given,
   * and the chart itself without its subcharts, compressed and in base64.
   */
  releaseBytes(options: PlainOptions = {}): number {
    const inBase64 = (files: readonly ChartFile[]) =>
      files.map(({ name, text }) => ({ name, data: Buffer.from(text).toString('base64') }));
    const release = JSON.stringify({
      chart: inBase64(this.files().filter(({ name }) => !name.startsWith('charts/'))),
      config: options.values ?? {},
      manifest: manifestStream(this.objects(options)),
      info: { notes: this.notes(options) },
    });
    return Buffer.byteLength(gzipSync(release, { level: 9 }).toString('base64'));
  }

  /** What the templates would read, from the user's values. */
  environment({ values = {}, release = {} }: PlainOptions): Environment {
    return {
      values: parseValues(this.#props.values, withGlobals(this.#props.values, this.#subcharts, values)),
      release: { name: 'vpn', namespace: 'default', service: 'cdk8s', ...release },
      chart: this.#identity,
    };
  }

  get #identity(): ChartIdentity {
    return { name: this.name, version: this.#props.version, appVersion: this.#metadata.appVersion };
  }

  #images(built: B): Readonly<Record<string, string>> {
    const env = {
      values: defaultsOf(this.#props.values),
      release: { name: '', namespace: '', service: '' },
      chart: this.#identity,
    };
    return Object.fromEntries(
      Object.entries(this.#props.images?.(built) ?? {}).map(([name, image]) => [
        name,
        evaluate(nodeOf(image), env) as string,
      ]),
    );
  }
}

/**
 * A Helm chart, and plain manifests, from constructs and the schema of its values.
 *
 * @example
 * helmChart({ name: 'shop', version: '1.0.0', values: shopSchema, build: (scope, v) => {
 *   new WireGuardServer(scope, 'Vpn', { ...v.vpn, network: '10.99.0.0/24' }); } }).write('dist/charts/shop');
 */
export function helmChart<S extends z.ZodObject, B = unknown>(props: HelmChartProps<S, B>): HelmChart<S, B> {
  return new HelmChart(props);
}

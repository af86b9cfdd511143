import type { Construct } from 'constructs';
import { z } from 'zod';
import type { ChartIdentity, Environment } from '../staged/evaluate';
import type { Json } from '../staged/node';
import { shapeOf, unwrap } from '../staged/schema';
import { compareUtf8 } from '../staged/utf8';
import { coalesce, isMap, mergeLayers } from './merge';
import { defaultsOf } from './parse-values';
import type { ChartFile } from './templates';
import type { JsonObject } from './values-file';

/** A chart that is a part of another one: it gets the values below its name, and all charts share `global`. */
export interface Subchart {
  readonly identity: ChartIdentity;
  /** Its files in the folder of the other chart, which has the schema, the documentation and the notes of both. */
  files(): ChartFile[];
  /** Makes its constructs, whose messages name values with the name of the chart in front. */
  build(scope: Construct): void;
  /** The name of the template of its notes. */
  notesTemplate(): string | undefined;
  /** The text that `helm install` would show at its end, if it has one. */
  notes(env: Environment): string | undefined;
  /** What is said of good values when they are checked, if it says something. */
  summary(env: Environment): string | undefined;
  /** The images that it uses by default, by container. */
  images(): Readonly<Record<string, string>>;
}

/** Whether the values want a subchart. */
const isEnabled = (values: Json, { identity }: Subchart): boolean => mapAt(values, identity.name)?.['enabled'] === true;

/** What the templates of a subchart would read. */
export function environmentOf({ identity }: Subchart, env: Environment): Environment {
  return { ...env, values: mapAt(env.values, identity.name) ?? {}, chart: identity };
}

/**
 * The subcharts that the values want, in the order in which Helm renders their checks, of which the first that fails ends
 * everything: of equally deep files the last by name.
 */
export function enabledSubcharts(subcharts: readonly Subchart[], { values }: Environment): Subchart[] {
  return subcharts
    .filter((subchart) => isEnabled(values, subchart))
    .sort((a, b) => compareUtf8(`${b.identity.name}/`, `${a.identity.name}/`));
}

/**
 * The user's values with `global` in those of every subchart that is wanted: what the chart itself has there wins (Helm,
 * Subcharts and Global Values). A `global` that is wrong stays where it is, to be told of once.
 */
export function withGlobals(schema: z.ZodObject, subcharts: readonly Subchart[], user: JsonObject): JsonObject {
  const values = coalesce(defaultsOf(schema), user);
  const of = shapeOf(schema)?.['global'];
  const global = mapAt(values, 'global');
  if (of === undefined || global === undefined || !z.safeParse(unwrap(of).schema, global).success) return user;
  const shared = subcharts
    .filter((subchart) => isEnabled(values, subchart))
    .flatMap(({ identity: { name } }): [string, Json][] => {
      const part = mapAt(user, name);
      const own = part?.['global'];
      // Helm leaves a part alone whose own is no map.
      if (part === undefined || (own !== undefined && mapAt(part, 'global') === undefined)) return [];
      return [[name, { ...part, global: shareOver(global, mapAt(part, 'global') ?? {}) }]];
    });
  return { ...user, ...Object.fromEntries(shared) };
}

/** The common globals over those of one chart; what is a map in one of them and not in the other stays. */
function shareOver(global: JsonObject, own: JsonObject): JsonObject {
  const shared = Object.entries(global).filter(
    ([key]) => !Object.hasOwn(own, key) || (mapAt(own, key) === undefined) === (mapAt(global, key) === undefined),
  );
  return mergeLayers(own, Object.fromEntries(shared));
}

/** `dependencies` of Chart.yaml: the subcharts lie in the folder `charts`, each is there while its condition is true. */
export function dependenciesOf(subcharts: readonly Subchart[]): Json[] {
  return subcharts.map(({ identity: { name, version } }) => ({ name, version, condition: `${name}.enabled` }));
}

/** The files of the subcharts below the folder of the chart. */
export function subchartFiles(subcharts: readonly Subchart[]): ChartFile[] {
  return subcharts.flatMap((subchart) =>
    subchart.files().map(({ name, text }) => ({ name: `charts/${subchart.identity.name}/${name}`, text })),
  );
}

/** The images of the subcharts, by chart and container. */
export function subchartImages(subcharts: readonly Subchart[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    subcharts.flatMap((subchart) =>
      Object.entries(subchart.images()).map(([container, image]) => [`${subchart.identity.name}-${container}`, image]),
    ),
  );
}

/** What stands between the notes of a chart and those of one of its parts. */
const heading = (name: string): string => `\n${name}\n${'-'.repeat(name.length)}\n`;

/** The notes of a chart with those of the subcharts that are wanted: of Helm's own accord only the chart's are shown. */
export function notesWith(own: string | undefined, subcharts: readonly Subchart[], env: Environment): string {
  const parts = subcharts.flatMap((subchart) => {
    const notes = isEnabled(env.values, subchart) ? subchart.notes(environmentOf(subchart, env)) : undefined;
    return notes === undefined ? [] : [`${heading(subchart.identity.name)}\n${notes}`];
  });
  return [...(own === undefined ? [] : [own]), ...parts].join('\n');
}

/** The same as a template, behind that of the chart's own notes. */
export function printedNotesWith(own: string, subcharts: readonly Subchart[]): string {
  const parts = subcharts.flatMap((subchart) => {
    const { name } = subchart.identity;
    const template = subchart.notesTemplate();
    if (template === undefined) return [];
    return [
      `{{- if $.Values.${name}.enabled }}\n${heading(name)}\n{{ include "${template}" $.Subcharts.${name} }}\n{{- end }}\n`,
    ];
  });
  return [own, ...parts].join('');
}

function mapAt(values: Json, key: string): JsonObject | undefined {
  const value = isMap(values) && Object.hasOwn(values, key) ? values[key] : undefined;
  return isMap(value) ? value : undefined;
}

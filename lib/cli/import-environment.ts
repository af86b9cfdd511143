import { basename } from 'node:path';
import { z } from 'zod';
import { parseValuesFile } from '../helm/parse-values-file';
import { readTextFile, type TextFile } from '../helm/read-values-file';
import type { JsonObject, ValuesFile, ValuesPath } from '../helm/values-file';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';
import { isFolder } from './import-config-folder';
import { parsedAs } from './import-result';
import { Refusals } from './refusals';
import { withPlaces } from './with-places';

/** The value of a variable, and where it stands: `compose.yaml:7:9`. */
export interface Setting {
  readonly value: string;
  readonly place: string;
}

export interface Environment {
  readonly settings: ReadonlyMap<string, Setting>;
  /** What else was in the files, as lines of a report. */
  readonly report: readonly string[];
}

/** What one file, or one object in it, says. */
interface Source {
  /** The name by which a container takes it in: of a file, or of a ConfigMap. */
  readonly name?: string;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly container?: Container;
  readonly report?: string;
}

interface Container {
  readonly place: string;
  readonly image: string;
  readonly references: readonly Reference[];
}

/** A ConfigMap or a file that a container takes its variables from: all of them, or one under a name of its own. */
interface Reference {
  readonly place: string;
  readonly what: string;
  readonly name: string | undefined;
  readonly variable?: { readonly key: string; readonly of: string };
}

/**
 * The environment of one container: from `KEY=value` lines, Kubernetes objects or a compose file. Later files win; what a
 * container says itself wins over what it takes from elsewhere.
 *
 * @param image what the container's image is, wherever it comes from
 * @param after what stands before the files on the command line
 * @throws InputError with every problem of the files
 */
export function readEnvironment(files: readonly string[], image: RegExp, after: string): Environment {
  const refusals = new Refusals();
  const sources = files.flatMap((file) => refusals.attempt(() => sourcesOf(file, after)) ?? []);
  refusals.throwIfAny();
  const shared = sources.filter(({ container }) => container === undefined);
  const own = containerOf(sources, image, files);
  const references = (own?.container?.references ?? []).map((reference) =>
    refusals.attempt(() => resolved(reference, shared)),
  );
  refusals.throwIfAny();
  return {
    settings: new Map([
      ...shared.flatMap(({ settings }) => [...settings]),
      ...references.flatMap((found) => [...(found ?? [])]),
      ...(own?.settings ?? []),
    ]),
    report: sources.flatMap(({ report }) => report ?? []),
  };
}

function sourcesOf(path: string, after: string): Source[] {
  if (isFolder(path)) throw new InputError([`${path}: this is a folder; give a copy of /config with --config`], 2);
  const { name, text } = readTextFile(path, after);
  const file = { name, text: text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n') };
  if (isLines(file.text)) return [{ name: basename(path), settings: linesOf(file) }];
  if (!/^\s*(?:\{|["']?[\w-]+["']?\s*:)/m.test(file.text)) throw unknownKind(file.name);
  const refusals = new Refusals();
  const sources = documentsOf(file).flatMap(
    (document) => refusals.attempt(() => withPlaces(placesIn(document), () => objectSources(document))) ?? [],
  );
  refusals.throwIfAny();
  return sources;
}

function unknownKind(place: string): InputError {
  return new InputError([
    `${place}: this is none of KEY=value lines, a Deployment, a ConfigMap and a compose file; give one of them`,
  ]);
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/;
const isComment = (line: string): boolean => /^\s*(?:#|$)/.test(line);

function isLines(text: string): boolean {
  return text.split('\n').some((line) => LINE.test(line)) && !/^\s*(?:kind|services)\s*:/m.test(text);
}

function linesOf({ name, text }: TextFile): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  const problems: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${name}:${String(index + 1)}`;
    const [, key, value = ''] = LINE.exec(line) ?? [];
    if (key !== undefined) settings.set(key, { value: unquoted(value.trim()), place });
    // The line is not shown: a secret may be in it.
    else if (!isComment(line)) problems.push(`${place}: is no line of KEY=value; write it so, or remove it`);
  }
  if (problems.length > 0) throw new InputError(problems);
  return settings;
}

function unquoted(text: string): string {
  const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(text);
  return quoted?.[2] ?? text.replace(/(?:^|\s+)#.*$/, '');
}

/** Every document of a text that holds something, with its places in the whole. */
function documentsOf({ name, text }: TextFile): ValuesFile[] {
  const refusals = new Refusals();
  let before = '';
  const documents = text.split(/^(?=---(?:\s|$))/m).flatMap((part) => {
    const document = isEmptyDocument(part) ? [] : [refusals.attempt(() => parseValuesFile(before + part, name))];
    before += part.replace(/[^\n]/g, '');
    return document.flatMap((one) => one ?? []);
  });
  refusals.throwIfAny();
  return documents;
}

const isEmptyDocument = (part: string): boolean => part.replace(/^---/, '').split('\n').every(isComment);

/** A file, as {@link withPlaces} looks into it. */
function placesIn(file: ValuesFile): Parameters<typeof withPlaces>[0] {
  return {
    values: file.values,
    locate(path) {
      for (let length = path.length; length > 0; length--) {
        const position = file.locate(path.slice(0, length));
        if (position !== undefined) return { file: file.name, ...position };
      }
      return undefined;
    },
  };
}

function placeOf(file: ValuesFile, path: ValuesPath): string {
  const position = placesIn(file).locate(path);
  return position === undefined ? file.name : `${file.name}:${String(position.line)}:${String(position.column)}`;
}

function objectSources(file: ValuesFile): Source[] {
  const { values } = file;
  if (values['services'] !== undefined) return composeSources(file);
  if (values['kind'] !== 'List') return kubernetesSources(file, values, []);
  const { items } = parsedAs(z.looseObject({ items: z.array(z.looseObject({})) }), values);
  return items.flatMap((item, index) => kubernetesSources(file, item as JsonObject, ['items', index]));
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).meta({ noun: 'text' });
const named = z.looseObject({ name: z.string() });

const composeService = z.looseObject({
  image: z.string().default(''),
  environment: z
    .union([z.array(z.string()), z.record(z.string(), scalar.nullable())])
    .nullish()
    .meta({ noun: 'a map, or a list of KEY=value', example: ['PEERS=1'] }),
  env_file: z
    .union([z.string(), z.array(z.union([z.string(), z.looseObject({ path: z.string() })]))])
    .nullish()
    .meta({ noun: 'the name of a file, or a list of names', example: ['wireguard.env'] }),
});

function composeSources(file: ValuesFile): Source[] {
  const { services } = parsedAs(
    z.looseObject({ services: z.record(z.string(), composeService).meta({ noun: 'a map' }) }),
    file.values,
  );
  return Object.entries(services).map(([service, { image, environment, env_file: files }]) => {
    const path = ['services', service];
    const entries = Array.isArray(environment)
      ? environment.map((line, index) => [line.replace(/=.*$/s, ''), valueIn(line), index] as const)
      : Object.entries(environment ?? {}).map(([key, value]) => [key, value, key] as const);
    const settings = entries.flatMap(([key, value, step]): [string, Setting][] =>
      // Without a value it would be that of the shell.
      value === null ? [] : [[key, { value: String(value), place: placeOf(file, [...path, 'environment', step]) }]],
    );
    const names = typeof files === 'string' ? [files] : (files ?? []);
    const references = names.map((one) => ({
      place: placeOf(file, [...path, 'env_file']),
      what: 'the file',
      name: basename(typeof one === 'string' ? one : one.path),
    }));
    return { settings: new Map(settings), container: { place: placeOf(file, path), image, references } };
  });
}

const valueIn = (line: string): string | null => (line.includes('=') ? line.slice(line.indexOf('=') + 1) : null);

const configMap = z.looseObject({ metadata: named, data: z.record(z.string(), scalar).nullish() });

const podSpec = z.looseObject({
  containers: z.array(
    z.looseObject({
      image: z.string().default(''),
      env: z
        .array(
          z.looseObject({
            name: z.string(),
            value: scalar.nullish(),
            valueFrom: z.looseObject({ configMapKeyRef: named.extend({ key: z.string() }).optional() }).nullish(),
          }),
        )
        .nullish(),
      envFrom: z.array(z.looseObject({ configMapRef: named.optional() })).nullish(),
    }),
  ),
});

/** Where the pod of a kind stands in it. */
const POD_AT: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  Deployment: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
};

function kubernetesSources(file: ValuesFile, object: JsonObject, path: ValuesPath): Source[] {
  const { kind } = object;
  if (typeof kind !== 'string') throw unknownKind(placeOf(file, path));
  if (kind === 'ConfigMap') return [configMapSource(file, object, path)];
  const below = Object.hasOwn(POD_AT, kind) ? POD_AT[kind] : undefined;
  if (below !== undefined) return podSources(file, object, [...path, ...below], below);
  return [
    { settings: new Map(), report: `${placeOf(file, path)}: an object of kind ${JSON.stringify(kind)} is left out` },
  ];
}

function configMapSource(file: ValuesFile, object: JsonObject, path: ValuesPath): Source {
  const { metadata, data } = parsedAs(configMap, object, path);
  const settings = Object.entries(data ?? {}).map(([key, value]): [string, Setting] => [
    key,
    { value: String(value), place: placeOf(file, [...path, 'data', key]) },
  ]);
  return { name: metadata.name, settings: new Map(settings) };
}

function podSources(file: ValuesFile, object: JsonObject, path: ValuesPath, below: readonly string[]): Source[] {
  const { containers } = parsedAs(podSpec, valueBelow(object, below), path);
  return containers.map(({ image, env, envFrom }, index) => {
    const place = (...steps: ValuesPath): string => placeOf(file, [...path, 'containers', index, ...steps]);
    const settings: [string, Setting][] = [];
    const references: Reference[] = (envFrom ?? []).map(({ configMapRef }, at) => ({
      place: place('envFrom', at),
      what: configMapRef === undefined ? 'a Secret' : 'the ConfigMap',
      name: configMapRef?.name,
    }));
    for (const [at, { name: key, value, valueFrom }] of (env ?? []).entries()) {
      const ref = valueFrom?.configMapKeyRef;
      if (valueFrom === undefined || valueFrom === null)
        settings.push([key, { value: String(value ?? ''), place: place('env', at) }]);
      else
        references.push({
          place: place('env', at),
          what: ref === undefined ? 'elsewhere' : 'the ConfigMap',
          name: ref?.name,
          variable: { key, of: ref?.key ?? key },
        });
    }
    return { settings: new Map(settings), container: { place: place(), image, references } };
  });
}

function valueBelow(object: JsonObject, path: readonly string[]): Json {
  return path.reduce<Json>(
    (at, step) => (typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? (at as JsonObject)[step]! : null),
    object,
  );
}

/** The one container that is meant, if the files have any. */
function containerOf(sources: readonly Source[], image: RegExp, files: readonly string[]): Source | undefined {
  const all = sources.filter(({ container }) => container !== undefined);
  const meant = all.filter(({ container }) => image.test(container?.image ?? ''));
  const chosen = meant.length === 0 ? all : meant;
  if (chosen.length <= 1) return chosen[0];
  const places = chosen.map(({ container }) => container?.place).join(', ');
  const which = meant.length === 0 ? 'containers of other images' : 'containers of this image';
  throw new InputError([
    `${files.join(', ')}: there are several ${which}, got ${places}; give a file with the one that is meant`,
  ]);
}

/** The variables that a container takes from elsewhere under other names; all others are there already. */
function resolved({ place, what, name, variable }: Reference, shared: readonly Source[]): ReadonlyMap<string, Setting> {
  const found = shared.find((source) => name !== undefined && source.name === name)?.settings;
  if (variable === undefined && found !== undefined) return new Map();
  const value = variable === undefined ? undefined : found?.get(variable.of);
  if (variable !== undefined && value !== undefined) return new Map([[variable.key, value]]);
  // Somebody has written it into a file of its own.
  if (variable !== undefined && shared.some(({ settings }) => settings.has(variable.key))) return new Map();
  const where = name === undefined ? what : `${what} ${JSON.stringify(name)}`;
  const remedy =
    name === undefined
      ? `write ${variable === undefined ? 'them' : `${variable.key}=value`} into another file, and give that too`
      : 'give it as another file';
  throw new InputError([
    `${place}: ${variable === undefined ? 'takes variables' : `takes ${variable.key}`} from ${where}, which is not given; ${remedy}`,
  ]);
}

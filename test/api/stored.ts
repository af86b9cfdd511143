/** What the API server has stored, and what of it a user has asked for. */
import { isIP } from 'node:net';
import type { Json } from '../../lib/staged/node';
import type { KubernetesObject } from '../../lib/staged/resource';
import { tools } from '../tools';
import type { ApiServer } from './api-server';

type Fields = Readonly<Record<string, Json>>;

/** Objects by `<apiVersion> <kind> <name>`. */
export type Objects = Readonly<Record<string, Fields>>;

/** How objects are read: all of a namespace, and those outside of namespaces that bear the name of a release. */
export interface Reader {
  readonly namespaced: string;
  readonly clusterWide: string;
}

/** Asks the server for its kinds, those of custom resources among them. */
export async function readerOf(server: ApiServer): Promise<Reader> {
  const kinds = async (namespaced: boolean): Promise<string> => {
    const flags = [`--namespaced=${String(namespaced)}`, '--verbs=list,delete', '-o', 'name'];
    const names = (await server.run(tools.kubernetes('kubectl'), ['api-resources', ...flags])).trim().split('\n');
    // Nobody installs an event.
    return names.filter((name) => !/^events(\.|$)/.test(name)).join(',');
  };
  return { namespaced: await kinds(true), clusterWide: await kinds(false) };
}

export async function storedObjects(
  server: ApiServer,
  { namespaced, clusterWide }: Reader,
  release: { readonly name: string; readonly namespace: string },
): Promise<KubernetesObject[]> {
  const get = async (...args: string[]): Promise<KubernetesObject[]> =>
    (
      JSON.parse(await server.run(tools.kubernetes('kubectl'), ['get', '-o', 'json', ...args])) as {
        items: KubernetesObject[];
      }
    ).items;
  return [
    ...(await get(namespaced, '-n', release.namespace)),
    ...(await get(clusterWide, '-l', `app.kubernetes.io/instance=${release.name}`)),
  ];
}

/** What is still there although nothing asks to be kept. */
export function leftOvers(stored: readonly KubernetesObject[]): string[] {
  return stored.filter((object) => !isKept(object)).map(identity);
}

/**
 * Stored objects as those who asked for them would know them again: without what the server and Helm add, and with the
 * kind of address or port in place of one that the server chose.
 *
 * Left out are Helm's own records, and what was kept of an earlier revision.
 */
export function asAsked(stored: readonly KubernetesObject[], asked: readonly KubernetesObject[]): Objects {
  const askedByIdentity = new Map(asked.map((object) => [identity(object), object]));
  return Object.fromEntries(
    stored
      .filter((object) => object['type'] !== 'helm.sh/release.v1')
      .filter((object) => !isKept(object) || askedByIdentity.has(identity(object)))
      .map((object) => [identity(object), withoutChoices(object, askedByIdentity.get(identity(object)))]),
  );
}

const ADDED_METADATA = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'managedFields'];
const HELM_ANNOTATION = 'meta.helm.sh/';
/** Helm puts it on every object, on those too that users wrote themselves. */
const HELM_LABEL = 'app.kubernetes.io/managed-by';

function withoutChoices(stored: KubernetesObject, asked: KubernetesObject | undefined): Fields {
  const { annotations, labels, ...metadata } = fields(stored.metadata);
  const askedLabels = fields(asked?.metadata['labels']);
  return {
    ...stored,
    metadata: {
      ...without(metadata, (name) => ADDED_METADATA.includes(name)),
      annotations: without(fields(annotations), (name) => name.startsWith(HELM_ANNOTATION)),
      labels: without(fields(labels), (name) => name === HELM_LABEL && askedLabels[name] === undefined),
    },
    ...(stored.kind === 'Service' ? { spec: serviceSpec(fields(stored['spec']), fields(asked?.['spec'])) } : {}),
  };
}

function without(all: Fields, isAdded: (name: string) => boolean): Fields {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !isAdded(name)));
}

function serviceSpec(stored: Fields, asked: Fields): Fields {
  return chosen(
    ['clusterIP', 'clusterIPs', 'healthCheckNodePort'],
    {
      ...stored,
      ports: list(stored['ports']).map((port, index) =>
        chosen(['nodePort'], fields(port), fields(list(asked['ports'])[index])),
      ),
    },
    asked,
  );
}

/** With the kind in place of the value of every named field that nobody asked for. */
function chosen(names: readonly string[], stored: Fields, asked: Fields): Fields {
  return Object.fromEntries(
    Object.entries(stored).map(([name, value]) => [
      name,
      names.includes(name) && asked[name] === undefined ? kindOf(value) : value,
    ]),
  );
}

function kindOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(kindOf);
  if (typeof value !== 'string') return 'a port';
  return value === 'None' ? value : `an IPv${isIP(value)} address`;
}

function isKept({ metadata }: KubernetesObject): boolean {
  return fields(metadata['annotations'])['helm.sh/resource-policy'] === 'keep';
}

function identity({ apiVersion, kind, metadata }: KubernetesObject): string {
  return `${apiVersion} ${kind} ${metadata.name}`;
}

function fields(value: Json | undefined): Fields {
  return (value ?? {}) as Fields;
}

function list(value: Json | undefined): readonly Json[] {
  return (value ?? []) as readonly Json[];
}

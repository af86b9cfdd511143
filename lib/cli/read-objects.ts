import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import type { z } from 'zod';
import { FileReport } from '../helm/file-report';
import { readTextFile } from '../helm/read-values-file';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';
import { pathText, problemsOf } from '../staged/problems';

/** About ten thousand nodes with all that `kubectl` prints of them. */
const MAX_OBJECTS_MIB = 256;

type Path = readonly (string | number)[];

/** An object of a file, as `kubectl` prints it. */
export interface ReadObject {
  /** Of an item of a list, also where the list alone says it; undefined if nobody does. */
  readonly kind: string | undefined;
  readonly value: Json;
  /** Where it is in its document: `items`, and an index. */
  readonly at: Path;
  /** What stands before a message of something in its document: `nodes.yaml:7:3`. */
  readonly place: (path: Path) => string;
}

/** A file of objects. */
export interface ReadFile {
  /** As messages show it. */
  readonly name: string;
  readonly objects: readonly ReadObject[];
}

/** How files are read, and what is said of a wrong one. */
export interface ReadObjectsOptions {
  /** What stands before the path on the command line. */
  readonly after: string;
  /** The remedy. */
  readonly give: string;
}

/**
 * The objects of a file, as `kubectl get` prints them with `-o yaml` or `-o json`: lists, single objects, several documents; `-` is standard
 * input.
 *
 * @throws InputError with every problem of the text; exit code 2 if it cannot be read at all
 */
export function readObjects(path: string, { after, give }: ReadObjectsOptions): ReadFile {
  const { name, text } = readTextFile(path, after, MAX_OBJECTS_MIB);
  const objects = textsOf(name, text, give).flatMap(({ value, place }) =>
    objectsOf(value).map((at) => ({ ...kindAndValue(value, at), at, place })),
  );
  return { name, objects };
}

/**
 * An object as its schema has it.
 *
 * @throws InputError with every problem of it, and where each is
 */
export function parsedObject<T extends z.ZodType>(schema: T, { value, at, place }: ReadObject): z.output<T> {
  const result = schema.safeParse(withoutNulls(value));
  if (result.success) return result.data;
  throw new InputError(
    problemsOf(result.error.issues, schema, value).map(({ path, sentence }) => {
      const whole = [...at, ...path];
      return `${place(whole)}: ${pathText(whole)}: ${sentence}`;
    }),
  );
}

/** One document of a file. */
interface Text {
  readonly value: Json;
  readonly place: ReadObject['place'];
}

/** JSON is YAML too, and read as JSON within a hundredth of the time. */
function textsOf(name: string, text: string, give: string): Text[] {
  if (/^\s*[{[]/.test(text)) {
    try {
      return [{ value: JSON.parse(text) as Json, place: () => name }];
    } catch {
      // What is wrong with it, the other reader says.
    }
  }
  const report = new FileReport(name, text);
  const counter = new LineCounter();
  return report.nesting(() => {
    const documents = parseAllDocuments(text, { lineCounter: counter, prettyErrors: false, logLevel: 'silent' });
    for (const { errors } of documents) for (const error of errors) report.syntax(error.code, error.pos[0]);
    report.throwIfAny();
    return documents.flatMap((document) => textOf(name, document as Document.Parsed, counter, give));
  });
}

function textOf(name: string, document: Document.Parsed, counter: LineCounter, give: string): Text[] {
  const value = valueOf(document, name, give);
  // Nothing but comments.
  if (value === null) return [];
  return [
    {
      value,
      place(path) {
        for (let length = path.length; length >= 0; length--) {
          const node: unknown =
            document.getIn(path.slice(0, length), true) ?? (length === 0 ? document.contents : undefined);
          const range = (node as { range?: readonly number[] } | undefined)?.range;
          if (range?.[0] !== undefined) {
            const { line, col } = counter.linePos(range[0]);
            return `${name}:${String(line)}:${String(col)}`;
          }
        }
        return name;
      },
    },
  ];
}

function valueOf(document: Document.Parsed, name: string, give: string): Json {
  try {
    return document.toJS() as Json;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new InputError([`${name}: aliases (*) make far more of the text than there is; ${give}`]);
  }
}

/** Where the objects of a document are. */
function objectsOf(value: Json): Path[] {
  const items = isMap(value) && 'items' in value ? value['items'] : undefined;
  return Array.isArray(items) ? items.map((_, index) => ['items', index]) : [[]];
}

function kindAndValue(document: Json, at: Path): Pick<ReadObject, 'kind' | 'value'> {
  const value = at.reduce<Json>((whole, step) => (whole as Readonly<Record<string, Json>>)[step] as Json, document);
  const kindOf = (object: Json): string | undefined => {
    const kind = isMap(object) ? object['kind'] : undefined;
    return typeof kind === 'string' ? kind : undefined;
  };
  // The items of a list of another client are without kinds.
  const listed = at.length > 0 && isMap(value) && !('kind' in value) ? kindOf(document) : undefined;
  return { kind: kindOf(value) ?? /^(.+)List$/.exec(listed ?? '')?.[1], value };
}

/** To the API server a null under a key is what is not there. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => withoutNulls(item));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]) => (child === null ? [] : [[key, withoutNulls(child)] as const])),
  );
}

const isMap = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

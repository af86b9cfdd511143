import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  parseAllDocuments,
  visit,
  type Alias,
  type Document,
  type ErrorCode,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';

/** A map of values. It never holds a bigint: Helm reads every number of a values file as a double. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A place in a file; both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Steps from the root of the values: keys of maps, indexes of lists. */
export type ValuesPath = readonly (string | number)[];

/** What a values file says, as Helm understands it. */
export interface ValuesFile {
  readonly name: string;
  readonly values: JsonObject;
  /** Where the file gives the value at this path, if it does. */
  locate(path: ValuesPath): Position | undefined;
}

/** The largest values file that is read. Helm's own limit for a chart's file is 5 MiB, for a release about 1 MiB. */
export const MAX_VALUES_BYTES = 16 * 1024 * 1024;

const STANDARD_INPUT = 'standard input';

/**
 * Reads a values file as Helm's `-f` does; `-` is standard input.
 *
 * @throws InputError with every problem of the file; exit code 2 if the file cannot be read at all
 */
export function readValuesFile(path: string): ValuesFile {
  const name = path.trim() === '-' ? STANDARD_INPUT : path;
  return parseValues(decode(readBytes(path, name), name), name);
}

/**
 * Reads the text of a values file as Helm does: YAML 1.1 booleans (also as keys), octal and binary numbers, dates as
 * strings, merge keys in their order. What Helm's versions read differently, or otherwise than a person would
 * (duplicate keys, several documents, odd line separators), is refused.
 *
 * @param name the file, as messages show it
 * @throws InputError with every problem of the text
 */
export function parseValues(text: string, name: string): ValuesFile {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const report = new Report(name, source);
  report.characters();
  report.throwIfAny();

  refuseDialect(source, report);
  const documents = parse(source, report);
  if (documents.length > 1)
    report.at(
      documents[1]!.range[0],
      'a second YAML document begins here',
      'give each document its own file and its own -f',
    );
  if (/^(?:[ \t]*(?:#.*)?\n)*%/.test(source))
    report.at(source.search(/^%/m), 'a YAML directive (%)', 'remove the line');
  const opening = /^---(?![ \t]*$|[ \t]+#)/m.exec(source);
  if (opening !== null) report.at(opening.index, 'text after ---, which Helm 4 refuses', 'begin a new line after ---');
  if (/^\.\.\.(?=\s|$)/m.test(source)) report.at(source.search(/^\.\.\./m), 'a document end (...)', 'remove the line');
  for (const { errors } of documents) for (const error of errors) report.syntax(error.code, error.pos[0]);
  report.throwIfAny();

  const document = documents[0];
  if (document === undefined || document.contents === null) return { name, values: {}, locate: () => undefined };
  const reader = new Reader(source, report, aliasTargets(document));
  const root = document.contents;
  const values = report.nesting(() => reader.root(root));
  report.throwIfAny();
  return {
    name,
    values,
    locate(path) {
      const offset = reader.find(root, path);
      return offset === undefined ? undefined : report.position(offset);
    },
  };
}

function parse(source: string, report: Report): Document.Parsed[] {
  const options = {
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  } as const;
  const documents = report.nesting(() => parseAllDocuments(source, options));
  return Array.isArray(documents) ? (documents as Document.Parsed[]) : [];
}

/** Reports what this YAML 1.2 parser reads and Go's YAML 1.1 parser refuses or reads as something else. */
function refuseDialect(source: string, report: Report): void {
  let offset = 0;
  let depth = 0;
  let before = '\n';
  let beforeThat = '';
  let plain = false;
  for (const token of new Lexer().lex(source)) {
    if (/^[\x02\x18\x1F]$/.test(token)) {
      plain = token === '\x1F';
      continue;
    }
    const end = offset + token.length;
    if (plain) {
      if (depth > 0 && isAmbiguousBetweenBrackets(token, source, end))
        report.at(offset, 'text with : or ? between brackets', 'put it in quotes');
    } else if (/^[ \t]+$/.test(token)) {
      const opens = before === '\n' || before === '-' || (before === ':' && beforeThat === '\n');
      if (depth === 0 && opens && token.includes('\t')) report.syntax('TAB_AS_INDENT', offset);
    } else if (token === '?') report.at(offset, 'a key after a question mark', 'write key: value');
    else if (token === ':' && before === '\n')
      report.at(offset, 'a colon that begins a line', 'write key: value in one line');
    else if (/^[&*](?![A-Za-z0-9_-]+$)/.test(token))
      report.at(offset, 'an odd character in the name of an anchor', 'use letters, digits, - and _');
    else if (/^["'][^]*\n/.test(token) && source[end] === ':') report.syntax('MULTILINE_IMPLICIT_KEY', offset);
    else if (token === '[' || token === '{') {
      if (++depth > MAX_BRACKETS) throw report.failure(offset, ...TOO_DEEP);
    } else if (token === ']' || token === '}') depth--;
    if (plain || !/^[ \t]+$/.test(token)) [beforeThat, before] = [before, plain ? 'x' : token];
    plain = false;
    offset = end;
  }
}

function isAmbiguousBetweenBrackets(text: string, source: string, end: number): boolean {
  const colonAtEnd = source[end] === ':' && ',[]{}'.includes(source[end + 1] ?? ' ');
  const severalLines = text.includes('\n') && /\s*:/y.test(source.slice(end, end + 100));
  return colonAtEnd || severalLines || text.includes('?') || text.startsWith(':');
}

/** Which node each alias stands for: the last one above it with its anchor. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** Turns the nodes of a document into values, by the rules of Go's yaml.v2 and of JSON, which Helm puts after it. */
class Reader {
  private visits = 0;
  private aliasVisits = 0;
  private readonly open = new Set<Alias>();

  constructor(
    private readonly source: string,
    private readonly report: Report,
    private readonly targets: ReadonlyMap<Alias, Node>,
  ) {}

  root(node: Node): JsonObject {
    const value = this.value(node);
    if (isObject(value)) return value;
    if (value !== null) {
      const kind = Array.isArray(value) ? 'a list' : `a ${typeof value}`;
      this.report.at(start(node), 'the values must be a map at the top', 'write name: value lines', kind);
    }
    return {};
  }

  /** The offset of the key or list item that gives the value at this path. */
  find(root: Node, path: ValuesPath): number | undefined {
    let node: Node | undefined = root;
    let offset: number | undefined;
    for (const step of path) {
      while (isAlias(node)) node = this.targets.get(node);
      if (isMap(node)) {
        const entry: Entry | undefined = this.entries(node).find(({ key }) => key === String(step));
        if (entry === undefined) return undefined;
        node = entry.value ?? undefined;
        offset = start(entry.node);
      } else if (isSeq(node) && typeof step === 'number' && step in node.items) {
        node = node.items[step] as Node;
        offset = start(node);
      } else return undefined;
    }
    return offset;
  }

  private value(node: Node | null | undefined): Json {
    this.count();
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.throughAlias(node, (target) => this.value(target)) ?? null;
    if (isScalar(node)) return this.scalar(node);
    this.collectionTag(node);
    if (isSeq(node)) return node.items.map((item) => this.value(item as Node | null));
    if (!isMap(node)) return null;
    return Object.fromEntries(this.entries(node, true).map(({ key, value }) => [key, this.value(value)]));
  }

  /** The entries of a map in the order in which they are set: a later one replaces an earlier one, merged or not. */
  private entries(map: YAMLMap, check = false): Entry[] {
    const found = new Map<string, Entry>();
    const own = new Map<string, number>();
    for (const pair of map.items) {
      const node = pair.key as Node | null;
      const value = pair.value as Node | null;
      if (isMergeKey(node)) {
        for (const entry of this.merged(value, check)) found.set(entry.key, entry);
        continue;
      }
      const key = this.key(node, check);
      if (key === undefined || node === null) continue;
      if (check) this.checkKey(key, node, own);
      found.set(key, { key, node, value });
    }
    return [...found.values()];
  }

  private merged(value: Node | null, check: boolean): Entry[] {
    if (check) this.count();
    if (isSeq(value))
      return value.items
        .toReversed()
        .flatMap((item) => (isSeq(item) ? this.noMap(item) : this.merged(item as Node, check)));
    if (isMap(value)) return this.entries(value, check);
    if (isAlias(value)) {
      const entries = this.throughAlias(value, (target) =>
        isMap(target) ? this.entries(target, check) : this.noMap(value),
      );
      return entries ?? [];
    }
    return this.noMap(value);
  }

  private noMap(node: Node | null): [] {
    this.report.at(
      start(node),
      'a merge key (<<) without a map',
      'give it an alias of a map, or a list of such aliases',
    );
    return [];
  }

  private key(node: Node | null, check: boolean): string | undefined {
    if (check) this.count();
    const target = isAlias(node) ? this.throughAlias(node, (scalar) => scalar) : node;
    if (target === undefined) return undefined;
    const refuse = (what: string): undefined => {
      if (check) this.report.at(start(node), `${what} as a key`, 'write a name there, in quotes if need be');
    };
    if (!isScalar(target)) return refuse(target === null ? 'nothing' : 'a map or a list');
    const value = this.scalarOf(target);
    if (value === null) return refuse('nothing (null)');
    if (typeof value === 'bigint' && (value > MAX_INT64 || value < -MAX_INT64 - 1n))
      return refuse('a number beyond 64 bits');
    return typeof value === 'number' ? (float32Text(value) ?? refuse('a number out of range')) : String(value);
  }

  private checkKey(key: string, node: Node, own: Map<string, number>): void {
    const before = own.get(key);
    if (key === '__proto__') this.report.at(start(node), 'the key "__proto__"', 'use another name');
    else if (before !== undefined) {
      const { line } = this.report.position(before);
      this.report.at(
        start(node),
        `the key ${JSON.stringify(key)} is given again, first in line ${line}`,
        'keep one of them',
      );
    }
    own.set(key, start(node));
  }

  private scalar(node: Scalar): Json {
    const value = this.scalarOf(node);
    if (typeof value === 'number' && !Number.isFinite(value)) {
      this.report.at(
        start(node),
        'infinity and not-a-number are no values',
        'write a number, or put the text in quotes',
        String(node.source),
      );
      return null;
    }
    return typeof value === 'bigint' ? Number(value) : value;
  }

  private scalarOf(node: Scalar): Plain {
    const text = String(node.value);
    if (node.type === 'QUOTE_DOUBLE') this.escapes(node);
    if (node.type?.startsWith('BLOCK') === true) this.block(node, text);
    if (node.tag !== undefined) return this.tagged(node, text, node.tag);
    return node.type === 'PLAIN' ? resolvePlain(text) : text;
  }

  private block(node: Scalar, text: string): void {
    const [from, to] = node.range!;
    const header = this.source.slice(from, from + 3);
    const stripped = /^.[1-9]?-/.test(header) && !/\n[ \t]+$/.test(this.source);
    if (!this.source.endsWith('\n') && !stripped && !/\S/.test(this.source.slice(to, to + 10_000))) {
      this.report.at(
        this.source.length,
        'the file ends in a block of text without a line break, which Helm 3 and 4 read differently',
        'end the file with a line break',
      );
    }
    if (!/^.[-+]?[1-9]/.test(header) && /^\n*\t/.test(text)) this.report.syntax('TAB_AS_INDENT', from);
  }

  private tagged(node: Scalar, text: string, tag: string): Plain {
    const refuse = (what: string, advice: string): null => {
      this.report.at(start(node), what, advice);
      return null;
    };
    const short = tag.replace('tag:yaml.org,2002:', '!!');
    if (node.type === 'PLAIN' && text === '') return refuse('a tag without a value', 'remove it');
    if (short === '!!str') return text;
    if (short === '!!binary')
      return fromBase64(text) ?? refuse('!!binary without base64 of UTF-8 text', 'write the text itself');
    const value = resolvePlain(text);
    const kinds: Record<string, boolean> = {
      '!!int': typeof value === 'bigint',
      '!!float': typeof value === 'bigint' || typeof value === 'number',
      '!!bool': typeof value === 'boolean',
      '!!null': value === null,
    };
    if (!Object.hasOwn(kinds, short)) return refuse(`the tag ${short} means nothing in values`, 'remove it');
    if (kinds[short] !== true) return refuse(`the value is no ${short.slice(2)}, as its tag says`, 'remove the tag');
    return short === '!!float' ? Number(value) : value;
  }

  private collectionTag(node: Node): void {
    const short = node.tag?.replace('tag:yaml.org,2002:', '!!');
    if (short === undefined || short === (isMap(node) ? '!!map' : '!!seq')) return;
    this.report.at(start(node), `the tag ${short} means nothing here`, 'remove it');
  }

  /** Escapes that other YAML readers know and Helm does not. */
  private escapes(node: Scalar): void {
    const [from, to] = node.range!;
    for (const [escape] of this.source.slice(from, to).matchAll(/\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^])/g)) {
      const code = /^\\[uU]/.test(escape) ? parseInt(escape.slice(2), 16) : -1;
      if (code >= 0xd800 && code <= 0xdfff)
        this.report.at(from, `${escape} is half a character`, 'write the character itself');
      if (escape === '\\/') this.report.at(from, 'Helm does not know the escape \\/', 'write / without the backslash');
    }
  }

  private throughAlias<T>(alias: Alias, read: (target: Node) => T): T | undefined {
    const target = this.targets.get(alias);
    if (target === undefined) {
      this.report.syntax('BAD_ALIAS', start(alias));
      return undefined;
    }
    if (this.open.has(alias))
      throw this.report.failure(
        start(alias),
        `the alias *${alias.source} stands inside its own anchor`,
        'remove one of the two',
      );
    this.open.add(alias);
    const value = read(target);
    this.open.delete(alias);
    return value;
  }

  /** Go's own limit on what aliases may expand to. */
  private count(): void {
    this.visits++;
    if (this.open.size > 0) this.aliasVisits++;
    if (this.aliasVisits <= 100 || this.visits <= 1000) return;
    const allowed = 0.99 - 0.89 * Math.min(Math.max((this.visits - 400_000) / 3_600_000, 0), 1);
    if (this.aliasVisits / this.visits > allowed)
      throw this.report.failure(0, 'the aliases repeat too much', 'write fewer of them');
  }
}

interface Entry {
  readonly key: string;
  readonly node: Node;
  readonly value: Node | null;
}

const MAX_BRACKETS = 500;
const MAX_PROBLEMS = 1000;
const TOO_DEEP = ['maps and lists are nested too deeply', 'write it flatter'] as const;

/** What a scalar means: integers as bigint, other numbers as number. */
type Plain = null | boolean | bigint | number | string;

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** The meaning of an unquoted scalar in Go's yaml.v2. */
function resolvePlain(text: string): Plain {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:[yY]|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
  if (/^(?:[nN]|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return NaN;
  if (/^[-+0-9]/.test(text)) return resolveNumber(text.replaceAll('_', '')) ?? text;
  return /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/.test(text) ? finite(text, text) : text;
}

function resolveNumber(digits: string): bigint | number | undefined {
  const [, sign, body] = /^([-+]?)(.*)$/s.exec(digits)!;
  const integer = resolveInteger(body!);
  if (integer !== undefined) {
    const value = sign === '-' ? -integer : integer;
    if (value >= -MAX_INT64 - 1n && value <= (sign === '' ? MAX_UINT64 : MAX_INT64)) return value;
  }
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(digits)) return finite(digits, undefined);
  const signed = /^0b([-+])([01]+)$/.exec(digits);
  return signed?.[2] !== undefined ? BigInt(`0b${signed[2]}`) * (signed[1] === '-' ? -1n : 1n) : undefined;
}

function resolveInteger(body: string): bigint | undefined {
  if (/^0[0-7]+$/.test(body)) return BigInt(`0o${body.slice(1)}`);
  return /^(?:0|[1-9][0-9]*|0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+)$/.test(body) ? BigInt(body) : undefined;
}

function finite<T>(text: string, otherwise: T): number | T {
  const value = Number(text);
  return Number.isFinite(value) ? value : otherwise;
}

/** A number as Helm writes it when it is a key: in single precision, the shortest text that gives it again. */
function float32Text(value: number): string | undefined {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return undefined;
  let digits = 0;
  while (Math.fround(Number(single.toExponential(digits))) !== single) digits++;
  const [mantissa, exponent] = single.toExponential(digits).split('e') as [string, string];
  const sign = Object.is(single, -0) ? '-' : '';
  const power = Number(exponent);
  if (power < -4 || power >= 6) return `${sign}${mantissa}e${exponent.replace(/^([-+])(\d)$/, '$10$2')}`;
  return sign + Number(`${mantissa}e${exponent}`).toFixed(Math.max(digits - power, 0));
}

function fromBase64(text: string): string | undefined {
  const packed = text.replace(/[\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(packed, 'base64'));
  } catch {
    return undefined;
  }
}

function isMergeKey(node: Node | null): boolean {
  return (
    isScalar(node) &&
    node.value === '<<' &&
    (node.tag === 'tag:yaml.org,2002:merge' || (node.tag === undefined && node.type === 'PLAIN'))
  );
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function start(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0;
}

/** Collects what is wrong with one file. The text itself is not shown: it may be a secret. */
class Report {
  private readonly problems = new Map<string, number>();

  private lineStarts: readonly number[] | undefined;

  constructor(
    private readonly name: string,
    private readonly source: string,
  ) {}

  position(offset: number): Position {
    this.lineStarts ??= [0, ...Array.from(this.source.matchAll(/\n/g), ({ index }) => index + 1)];
    let [line, beyond] = [0, this.lineStarts.length];
    while (beyond - line > 1) {
      const middle = (line + beyond) >> 1;
      if (this.lineStarts[middle]! <= offset) line = middle;
      else beyond = middle;
    }
    return { line: line + 1, column: offset - this.lineStarts[line]! + 1 };
  }

  at(offset: number, what: string, advice: string, got?: string): void {
    const { line, column } = this.position(offset);
    this.problems.set(
      `${this.name}:${line}:${column}: ${what}${got === undefined ? '' : `, got ${got}`}; ${advice}`,
      offset,
    );
  }

  syntax(code: ErrorCode, offset: number): void {
    if (code === 'RESOURCE_EXHAUSTION') throw this.failure(offset, ...TOO_DEEP);
    const [what, advice] = SYNTAX[code] ?? ['this is not YAML', 'check quotes, colons and indentation here'];
    this.at(offset, what, advice);
  }

  /** Characters that YAML forbids, and line separators that Helm sees where a person does not. */
  characters(): void {
    const bad = /[^\t\n\x20-\x7E\xA0-\u2027\u202A-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]|(?<=^|\n)\uFEFF/u.exec(
      this.source,
    );
    if (bad === null) return;
    const code = bad[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    if (bad[0] === '\0') this.at(bad.index, 'this is binary data', 'give a YAML file');
    else
      this.at(
        bad.index,
        `the character U+${code} may not stand in a values file`,
        `remove it, or write it as "\\u${code}" in double quotes`,
      );
  }

  /** Runs what recurses over the nodes; a stack that is too small for them is the file's fault. */
  nesting<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.failure(0, ...TOO_DEEP);
    }
  }

  failure(offset: number, what: string, advice: string): InputError {
    this.at(offset, what, advice);
    return this.error();
  }

  throwIfAny(): void {
    if (this.problems.size > 0) throw this.error();
  }

  private error(): InputError {
    const sentences = [...this.problems].sort(([, a], [, b]) => a - b).map(([problem]) => problem);
    const shown = sentences.slice(0, MAX_PROBLEMS);
    if (shown.length < sentences.length)
      shown.push(`${this.name}: ${sentences.length - shown.length} more problems; give a YAML file`);
    return new InputError(shown);
  }
}

const SYNTAX: Partial<Record<ErrorCode, readonly [what: string, advice: string]>> = {
  ALIAS_PROPS: ['an alias with an anchor or a tag of its own', 'remove the anchor or the tag'],
  BAD_ALIAS: [
    'an alias without its anchor above it',
    'name an anchor (&name) that stands above, or put the text in quotes',
  ],
  BAD_COLLECTION_TYPE: ['a tag that does not fit what follows', 'remove the tag'],
  BAD_DIRECTIVE: ['a YAML directive (%)', 'remove the line'],
  BAD_DQ_ESCAPE: ['an unknown escape after a backslash', 'write the backslash twice, or use single quotes'],
  BAD_INDENT: ['the indentation does not fit the lines above', 'indent siblings equally, with spaces'],
  BAD_SCALAR_START: ['text cannot begin with this character', 'put the text in quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['a map inside a line that is already a key', 'put the text in quotes, or begin a new line'],
  BLOCK_IN_FLOW: ['indented lines inside brackets', 'use either brackets or indentation'],
  KEY_OVER_1024_CHARS: ['a key of more than 1024 characters', 'check whether a quote is missing'],
  MISSING_CHAR: [
    'a closing quote, bracket, comma, colon or blank is missing',
    'add it; indent lines of quoted text deeper than their key',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key that goes over several lines', 'check whether a colon or a quote is missing'],
  MULTIPLE_ANCHORS: ['two anchors for one value', 'keep one of them'],
  MULTIPLE_TAGS: ['two tags for one value', 'keep one of them'],
  TAB_AS_INDENT: ['a tab as indentation', 'use spaces'],
};

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError([`${name}: this is not UTF-8 text; give a YAML file, saved as UTF-8`]);
  }
}

function readBytes(path: string, name: string): Uint8Array {
  let file: number | undefined;
  try {
    file = name === STANDARD_INPUT ? 0 : openSync(path, 'r');
    if (fstatSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    return readAll(file, name);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const [what, advice] = UNREADABLE[(error as NodeJS.ErrnoException).code ?? ''] ?? [
      'cannot be read',
      `check it (${(error as Error).message})`,
    ];
    throw new InputError([`${name}: ${what}; ${advice}`], 2);
  } finally {
    if (file !== undefined && file !== 0) closeSync(file);
  }
}

function readAll(file: number, name: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= MAX_VALUES_BYTES;) {
    const chunk = Buffer.allocUnsafe(1 << 18);
    const count = readSome(file, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    size += count;
  }
  throw new InputError([`${name}: more than ${MAX_VALUES_BYTES / 1024 / 1024} MiB; give a smaller values file`]);
}

/** Reads what there is; a terminal or pipe that has nothing yet is asked again. */
function readSome(file: number, chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(file, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

const UNREADABLE: Record<string, readonly [what: string, advice: string]> = {
  ENOENT: ['there is no such file', 'check the path after -f'],
  ENOTDIR: ['there is no such file', 'check the path after -f'],
  EISDIR: ['this is a folder', 'name a values file in it'],
  EACCES: ['the file may not be read', 'give yourself read permission'],
  EPERM: ['the file may not be read', 'give yourself read permission'],
};

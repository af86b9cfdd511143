import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  visit,
  type Alias,
  type Document,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Json } from '../staged/node';
import { TOO_DEEP, type FileReport } from './file-report';
import { float32Text, MAX_INT64, resolvePlain, type Plain } from './plain-scalar';
import type { JsonObject, ValuesPath } from './values-file';
import { MAX_NESTING } from './yaml-dialect';

/** Turns the nodes of a document into values, by the rules of Go's yaml.v2 and of JSON, which Helm puts after it. */
export class ValuesReader {
  private visits = 0;
  private aliasVisits = 0;
  private depth = 0;
  private readonly open = new Set<Alias>();
  private readonly targets: ReadonlyMap<Alias, Node>;
  private readonly indexes = new Map<YAMLMap, ReadonlyMap<string, Entry>>();

  constructor(
    private readonly source: string,
    private readonly report: FileReport,
    document: Document.Parsed,
  ) {
    this.targets = aliasTargets(document);
  }

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
        const entry = this.index(node).get(String(step));
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

  private index(map: YAMLMap): ReadonlyMap<string, Entry> {
    let index = this.indexes.get(map);
    if (index === undefined) {
      index = new Map(this.entries(map).map((entry) => [entry.key, entry]));
      this.indexes.set(map, index);
    }
    return index;
  }

  private value(node: Node | null | undefined): Json {
    this.count();
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.throughAlias(node, (target) => this.value(target)) ?? null;
    if (isScalar(node)) return this.scalar(node);
    this.collectionTag(node);
    if (++this.depth > MAX_NESTING) throw this.report.failure(start(node), ...TOO_DEEP);
    const value = this.collection(node);
    this.depth--;
    return value;
  }

  private collection(node: Node): Json {
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

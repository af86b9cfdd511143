import type { ErrorCode } from 'yaml';
import { InputError } from '../staged/input-error';
import type { Position } from './values-file';

/** Collects what is wrong with one file. The text itself is not shown: it may be a secret. */
export class FileReport {
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

/** More of them are counted only. */
const MAX_PROBLEMS = 1000;

export const TOO_DEEP = ['maps and lists are nested too deeply', 'write it flatter'] as const;

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

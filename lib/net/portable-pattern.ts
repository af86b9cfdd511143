/**
 * The part of the regular expressions that means the same in JavaScript (zod) and in RE2 (Helm's schema validators).
 *
 * Anything outside is refused, even where a reader would understand it: `.`, `\s`, `\w` and `[^…]` compile in both
 * and differ in what they match.
 */

/** RE2 refuses to repeat more often, counted over nested repetitions too. */
const MOST_REPETITIONS = 1000;

/**
 * Throws unless a pattern keeps to `^`, `$`, literal characters, positive ASCII classes, groups, alternation and greedy
 * repetition, and is anchored at both ends.
 *
 * @throws TypeError that names the construct, where it stands, and the pattern
 */
export function assertPortablePattern(pattern: RegExp | string): void {
  const source = typeof pattern === 'string' ? pattern : pattern.source;
  if (typeof pattern !== 'string' && pattern.flags !== '') {
    throw new TypeError(`pattern /${source}/${pattern.flags}: flags are lost on the way to a schema; use none`);
  }
  new Reader(source).read();
}

class Reader {
  #at = 0;

  constructor(readonly source: string) {}

  read(): void {
    if (!this.#take('^')) this.#refuse('a pattern that does not begin with "^"');
    const { alternatives } = this.#alternation();
    if (!this.#take('$')) {
      if (this.#next === '') this.#refuse('a pattern that does not end with "$"');
      this.#refuse(this.#next === ')' ? 'a ")" without its "("' : `"${this.#next}"`);
    }
    if (this.#next !== '') this.#refuse('"$" before the end');
    if (alternatives > 1) this.#refuse('"|" outside of a group, where an anchor binds to one side only', 0);
  }

  get #next(): string {
    return this.source.charAt(this.#at);
  }

  #take(text: string): boolean {
    const found = this.source.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  /** Reads up to `)`, `$` or the end; returns how often the worst part of it is repeated. */
  #alternation(): { alternatives: number; repetitions: number } {
    let alternatives = 1;
    let repetitions = 1;
    while (!['', ')', '$'].includes(this.#next)) {
      if (this.#take('|')) alternatives++;
      else repetitions = Math.max(repetitions, this.#repeated());
    }
    return { alternatives, repetitions };
  }

  #repeated(): number {
    const at = this.#at;
    const inner = this.#atom();
    const times = this.#quantifier();
    if (times === undefined) return inner;
    if (['*', '+', '?', '{'].includes(this.#next)) {
      this.#refuse(this.#next === '?' ? 'a lazy quantifier' : 'a quantifier after a quantifier');
    }
    if (inner * times > MOST_REPETITIONS) {
      this.#refuse(`more than ${String(MOST_REPETITIONS)} repetitions, which RE2 refuses`, at);
    }
    return inner * Math.max(times, 1);
  }

  #atom(): number {
    const at = this.#at;
    if (this.#take('(')) {
      if (this.#next === '?' && !this.#take('?:')) {
        const kind = /^\?(?:<?[=!])/.test(this.source.slice(this.#at)) ? 'look-around' : 'a group with a name or flags';
        this.#refuse(`${kind} "(${this.source.slice(this.#at, this.#at + 3)}"`, at);
      }
      const { repetitions } = this.#alternation();
      if (!this.#take(')')) {
        this.#refuse(
          this.#next === '$' ? '"$" before the end' : 'a "(" without its ")"',
          this.#next === '$' ? this.#at : at,
        );
      }
      return repetitions;
    }
    if (this.#take('[')) {
      this.#class(at);
      return 1;
    }
    if (this.#take('\\')) {
      this.#escaped(at);
      return 1;
    }
    const character = this.#next;
    if (character === '.') this.#refuse('"." (what it leaves out differs)');
    if (character === '^') this.#refuse('"^" after the beginning');
    if (['*', '+', '?'].includes(character)) this.#refuse(`a quantifier "${character}" with nothing to repeat`);
    if (['{', '}', ']'].includes(character)) this.#refuse(`"${character}" without a backslash`);
    this.#ascii();
    return 1;
  }

  /** Takes a quantifier if there is one; returns its upper end, or 1 where there is none to speak of. */
  #quantifier(): number | undefined {
    if (this.#take('*') || this.#take('+') || this.#take('?')) return 1;
    if (this.#next !== '{') return undefined;
    const counted = /^\{([0-9]+)(?:(,)([0-9]*))?\}/.exec(this.source.slice(this.#at));
    if (counted === null) this.#refuse('"{" without a backslash');
    const [text, low = '', comma, high = ''] = counted;
    if (high !== '' && Number(high) < Number(low)) this.#refuse(`"${text}", whose end is before its beginning`);
    this.#at += text.length;
    return Number(comma !== undefined && high !== '' ? high : low);
  }

  #class(at: number): void {
    if (this.#next === '^') this.#refuse('a negated class "[^"', at);
    if (this.#next === ']') this.#refuse('an empty class "[]"', at);
    while (!this.#take(']')) {
      const from = this.#classCharacter(at);
      if (this.#next === '-' && this.source.charAt(this.#at + 1) !== ']') {
        this.#at++;
        const to = this.#classCharacter(at);
        if (to < from) this.#refuse(`the class range "${from}-${to}", whose end is before its beginning`, at);
      }
    }
  }

  #classCharacter(at: number): string {
    if (this.#next === '') this.#refuse('a "[" without its "]"', at);
    if (this.#next === '[') this.#refuse('"[" inside a class without a backslash');
    if (this.#take('\\')) return this.#escaped(this.#at - 1);
    return this.#ascii();
  }

  #escaped(at: number): string {
    const character = this.#next;
    if (!/^[$()*+./?[\\\]^{|}-]$/.test(character)) this.#refuse(`"\\${character}"`, at);
    this.#at++;
    return character;
  }

  #ascii(): string {
    const character = this.#next;
    if (!/^[ -~]$/.test(character)) {
      this.#refuse(
        `the character U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}, which is not printable ASCII`,
      );
    }
    this.#at++;
    return character;
  }

  #refuse(construct: string, at = this.#at): never {
    throw new TypeError(
      `pattern /${this.source}/: ${construct}, at position ${String(at)}; ` +
        'JavaScript and RE2 must agree, so use anchors, positive ASCII classes, groups, "|" and counts only',
    );
  }
}

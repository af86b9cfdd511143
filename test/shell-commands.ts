/** Which commands a POSIX shell script calls, read from its text as a shell reads it. */

/** A word as it is written, without its quotes; what a substitution puts in is `$NAME` or `$()`. */
type Token = { readonly word: string } | { readonly operator: string };

/** Words behind which another command may begin. */
const RESERVED = ['!', '{', '}', 'if', 'then', 'elif', 'else', 'fi', 'while', 'until', 'do', 'done'];

/** What the shell does itself (POSIX, 2.14 and the built-in utilities of dash and of busybox). */
const BUILT_IN = [
  ...['.', ':', '[', 'alias', 'break', 'cd', 'command', 'continue', 'echo', 'eval', 'exec', 'exit', 'export', 'false'],
  ...['kill', 'local', 'printf', 'pwd', 'read', 'readonly', 'return', 'set', 'shift', 'test', 'times', 'trap', 'true'],
  ...['type', 'ulimit', 'umask', 'unset', 'wait'],
];

/** Commands and functions that run the command behind so many of their words. */
export type Wrappers = Readonly<Record<string, number>>;

class Lexer {
  readonly tokens: Token[] = [];
  /** The scripts of command substitutions. */
  readonly inner: string[] = [];
  #at = 0;

  constructor(private readonly text: string) {
    while (this.#at < text.length) this.#token();
  }

  #token(): void {
    const rest = this.text.slice(this.#at);
    const blank = /^(?:[ \t]|\\\n)+/.exec(rest);
    const comment = /^#.*/.exec(rest);
    const redirection = /^\d*(?:>&|<&|>>|<>|>\||[<>](?![<(]))/.exec(rest);
    const operator = /^(?:\n|;;|;|&&|&|\|\||\||\(|\))/.exec(rest);
    if (blank !== null || comment !== null) this.#at += (blank ?? comment)![0].length;
    else if (rest.startsWith('<<')) throw new Error(`a here-document is not understood: ${rest.slice(0, 40)}`);
    else if (redirection !== null) {
      this.#at += redirection[0].length;
      this.#at += /^[ \t]*/.exec(this.text.slice(this.#at))![0].length;
      this.#word();
    } else if (operator !== null) {
      this.#at += operator[0].length;
      this.tokens.push({ operator: operator[0] });
    } else this.tokens.push({ word: this.#word() });
  }

  #word(): string {
    let word = '';
    while (this.#at < this.text.length && !/[\s;&|()<>]/.test(this.text[this.#at]!)) {
      const char = this.text[this.#at]!;
      if (char === "'") {
        const end = this.text.indexOf("'", this.#at + 1);
        word += this.text.slice(this.#at + 1, end);
        this.#at = end + 1;
      } else if (char === '"') word += this.#quoted();
      else if (char === '$') word += this.#substitution();
      else if (char === '\\') {
        word += this.text[this.#at + 1] ?? '';
        this.#at += 2;
      } else {
        word += char;
        this.#at++;
      }
    }
    return word;
  }

  /** What stands in double quotes. */
  #quoted(): string {
    let text = '';
    this.#at++;
    while (this.text[this.#at] !== '"') {
      if (this.#at >= this.text.length) throw new Error('a double quote has no end');
      if (this.text[this.#at] === '$') text += this.#substitution();
      else {
        if (this.text[this.#at] === '\\') this.#at++;
        text += this.text[this.#at++] ?? '';
      }
    }
    this.#at++;
    return text;
  }

  /** A parameter, a command or a sum. */
  #substitution(): string {
    const rest = this.text.slice(this.#at);
    if (rest.startsWith('$((')) {
      const end = this.#at + closing(rest, 1);
      const sum = this.text.slice(this.#at + 3, end - 1);
      for (const [at] of [...sum].entries())
        if (/^\$\((?!\()/.test(sum.slice(at))) this.inner.push(sum.slice(at + 2, at + closing(sum.slice(at), 1)));
      this.#at = end + 1;
      return '$()';
    }
    if (rest.startsWith('$(')) {
      const end = this.#at + closing(rest, 1);
      this.inner.push(this.text.slice(this.#at + 2, end));
      this.#at = end + 1;
      return '$()';
    }
    const parameter = /^\$(?:\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*|[@*#?$!0-9-])/.exec(rest)?.[0] ?? '$';
    this.#at += parameter.length;
    return parameter.replace(/^\$\{(\w+).*/s, '$$$1');
  }
}

/** Where the parenthesis closes that opens at a place of a text; those in quotes do not count. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "'") at = text.indexOf("'", at + 1);
    else if (text[at] === '\\') at++;
    else if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  throw new Error(`a parenthesis has no end: ${text.slice(0, 40)}`);
}

/** The simple commands, each as its words, and the names of the functions. */
function read(script: string): { commands: string[][]; functions: string[] } {
  const commands: string[][] = [];
  const functions: string[] = [];
  const scripts = [script];
  for (let text = scripts.pop(); text !== undefined; text = scripts.pop()) {
    const { tokens, inner } = new Lexer(text);
    scripts.push(...inner);
    let words: string[] = [];
    /** How deep in `case`, and whether its patterns come next. */
    const cases: { patterns: boolean }[] = [];
    const end = (): void => {
      if (words.length > 0) commands.push(words);
      words = [];
    };
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      const here = cases.at(-1);
      if (here?.patterns === true) {
        if ('word' in token && token.word === 'esac') cases.pop();
        else if ('operator' in token && token.operator === ')') here.patterns = false;
        continue;
      }
      if ('operator' in token) {
        const [name] = words;
        if (token.operator === '(' && words.length === 1 && name !== undefined) {
          functions.push(name);
          words = [];
          i++;
          continue;
        }
        end();
        if (token.operator === ';;' && here !== undefined) here.patterns = true;
        continue;
      }
      if (words.length > 0) words.push(token.word);
      else if (token.word === 'case') {
        i = tokens.findIndex((later, at) => at > i && 'word' in later && later.word === 'in');
        cases.push({ patterns: true });
      } else if (token.word === 'esac') cases.pop();
      else if (token.word === 'for') {
        while (tokens[i + 1] !== undefined && 'word' in tokens[i + 1]!) i++;
      } else if (!RESERVED.includes(token.word) && !/^[A-Za-z_][A-Za-z0-9_]*=/.test(token.word)) words.push(token.word);
    }
    end();
  }
  return { commands, functions };
}

export interface ShellCommands {
  /** The commands that are neither built in nor functions of the script, sorted. One in a variable is `$NAME`. */
  readonly called: readonly string[];
  /** Other scripts that it runs, by file name. */
  readonly scripts: readonly string[];
}

/**
 * @param wrappers functions of the script that run the command behind so many of their words
 */
export function shellCommands(script: string, wrappers: Wrappers = {}): ShellCommands {
  const { commands, functions } = read(script);
  const running: Wrappers = { exec: 0, ...wrappers };
  const called = new Set<string>();
  const scripts = new Set<string>();
  const call = ([name, ...words]: readonly string[]): void => {
    if (name === undefined || name === '$@') return;
    if (!functions.includes(name) && !BUILT_IN.includes(name)) called.add(name);
    const behind = running[name];
    if (behind !== undefined) call(words.slice(behind));
    if (name === 'command' && words[0] === '-v' && words[1]?.startsWith('$') === false) called.add(words[1]);
    if (name === 'trap' && words[0] !== '-') for (const inner of shellCommands(words[0] ?? '').called) call([inner]);
    if (name === 'find' && words.includes('-exec')) call(words.slice(words.indexOf('-exec') + 1));
    if (name === 'sh' && words[0]?.endsWith('.sh') === true) scripts.add(words[0].replace(/.*\//, ''));
  };
  commands.forEach(call);
  for (const name of Object.keys(wrappers))
    if (!functions.includes(name)) throw new Error(`${name} is no function of the script`);
  if (Object.keys(wrappers).length === 0 && commands.some(([name]) => name === '$@'))
    throw new Error('a function runs its arguments, and is not among the wrappers');
  return { called: [...called].sort(), scripts: [...scripts].sort() };
}

import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';
import type { JsonObject } from './values-file';

/**
 * Applies one `--set` of Helm (`a.b=1,c[0]=x,d={x,y}`) and gives the new values.
 * Text becomes a boolean, null or an integer where it reads as one; nothing else.
 *
 * @throws InputError with exit code 2; the sentence shows the name that is set, never its value
 */
export function applySet(values: JsonObject, expression: string): JsonObject {
  return apply(values, expression, '--set', typed);
}

/** Applies one `--set-string` of Helm: as `--set`, but every value stays text. */
export function applySetString(values: JsonObject, expression: string): JsonObject {
  return apply(values, expression, '--set-string', (text) => text);
}

type Read = (text: string) => Json;
type Mutable = Record<string, unknown>;

const MAX_INDEX = 65536;
const MAX_NESTING = 30;
const MAX_INDEXES = 100;

function apply(values: JsonObject, expression: string, flag: string, read: Read): JsonObject {
  const copy = structuredClone(values) as Mutable;
  try {
    new Expression(expression, read).applyTo(copy);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const equals = expression.indexOf('=');
    const shown = equals < 0 ? expression : `${expression.slice(0, equals)}=…`;
    throw new InputError([`${flag} ${JSON.stringify(shown)}: ${error.message}`], 2);
  }
  return copy as JsonObject;
}

class Refusal extends Error {}

/** Nothing is left to read. Helm stops there without a word, even in the middle of a name such as `a[0]`. */
class End extends Error {}

/** Helm's strvals parser, step by step, with what it forgives. */
class Expression {
  private readonly text: readonly string[];
  private next = 0;
  private indexes = 0;

  constructor(
    text: string,
    private readonly read: Read,
  ) {
    this.text = Array.from(text);
  }

  applyTo(values: Mutable): void {
    try {
      for (;;) {
        this.indexes = 0;
        this.key(values, 0);
      }
    } catch (error) {
      if (!(error instanceof End)) throw error;
    }
  }

  private key(map: Mutable, nesting: number): void {
    const [key, stop] = this.until('=[,.');
    if (stop === undefined) {
      if (key === '') throw new End();
      throw new Refusal('a part without "="; write name=value, and a comma in a value as \\,');
    }
    if (key === '__proto__') throw new Refusal('the key "__proto__"; use another name');
    if (stop === ',') throw new Refusal('a name without "="; write name=value, and a comma in a value as \\,');
    if (stop === '=') this.assign((value) => set(map, key, value));
    else if (stop === '[') this.list(map, key, nesting);
    else this.inner(map, key, nesting + 1);
  }

  private list(map: Mutable, key: string, nesting: number): void {
    const index = this.index();
    const list = Object.hasOwn(map, key) ? map[key] : [];
    if (!Array.isArray(list)) throw new Refusal('an index on something that is no list; remove the index');
    try {
      this.item(list, index, nesting);
    } finally {
      set(map, key, list);
    }
  }

  private inner(map: Mutable, key: string, nesting: number): void {
    if (nesting > MAX_NESTING) throw new Refusal(`a name of more than ${MAX_NESTING} levels; use a values file`);
    const inner = Object.hasOwn(map, key) ? map[key] : {};
    if (!isMap(inner)) throw new Refusal('a name below something that is no map; set the map itself in a values file');
    try {
      this.key(inner, nesting);
      if (Object.keys(inner).length === 0) throw new Refusal('a map without a name in it; write name.key=value');
    } finally {
      if (Object.keys(inner).length > 0) set(map, key, inner);
    }
  }

  private item(list: unknown[], index: number, nesting: number): void {
    if (index < 0) throw new Refusal('a negative index; count from 0');
    const [text, stop] = this.until('[.=');
    if (text !== '') throw new Refusal('text after an index; write name[0]=value or name[0].key=value');
    if (stop === undefined) throw new End();
    if (stop === '=') this.assignItem((value) => setIndex(list, index, value));
    else if (stop === '[') {
      const next = this.index();
      const known = list[index] ?? [];
      if (!Array.isArray(known)) throw new Refusal('an index on something that is no list; remove the index');
      this.item(known, next, nesting);
      setIndex(list, index, known);
    } else {
      if (index < list.length && !isMap(list[index])) list[index] = {};
      const inner = index < list.length ? (list[index] as Mutable) : {};
      this.key(inner, nesting);
      setIndex(list, index, inner);
    }
  }

  private index(): number {
    if (++this.indexes > MAX_INDEXES) throw new Refusal(`more than ${MAX_INDEXES} indexes; use a values file`);
    const [text, stop] = this.until(']');
    if (stop === undefined) throw new Refusal('an index without "]"; write name[0]=value');
    if (!/^[-+]?[0-9]+$/.test(text)) throw new Refusal('an index that is no number; write name[0]=value');
    return Number(text);
  }

  private assign(store: (value: Json) => void): void {
    if (this.next >= this.text.length) {
      store('');
      throw new End();
    }
    store(this.value());
  }

  private assignItem(store: (value: Json) => void): void {
    store(this.next >= this.text.length ? '' : this.value());
  }

  private value(): Json {
    if (this.text[this.next] !== '{') return this.read(this.until(',')[0]);
    this.next++;
    const list: Json[] = [];
    for (;;) {
      const [text, stop] = this.until(',}');
      if (stop === undefined) throw new Refusal('a list without "}"; write name={x,y}');
      list.push(this.read(text));
      if (stop === ',') continue;
      if (this.text[this.next] === ',') this.next++;
      return list;
    }
  }

  /** The text up to one of the stops, and which; a backslash takes the next character as it is. */
  private until(stops: string): [text: string, stop: string | undefined] {
    let text = '';
    while (this.next < this.text.length) {
      const character = this.text[this.next++]!;
      if (stops.includes(character)) return [text, character];
      if (character !== '\\') text += character;
      else if (this.next < this.text.length) text += this.text[this.next++]!;
    }
    return [text, undefined];
  }
}

function typed(text: string): Json {
  if (/^true$/iu.test(text)) return true;
  if (/^false$/iu.test(text)) return false;
  if (/^null$/iu.test(text)) return null;
  if (!/^(?:0|[-+][0-9]+|[1-9][0-9]*)$/.test(text)) return text;
  const integer = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, integer) === integer ? Number(integer) : text;
}

/** Helm forgets what is set under an empty name. */
function set(map: Mutable, key: string, value: unknown): void {
  if (key !== '') map[key] = value;
}

function setIndex(list: unknown[], index: number, value: unknown): void {
  if (index > MAX_INDEX) throw new Refusal(`an index above ${MAX_INDEX}; use a values file`);
  while (list.length < index) list.push(null);
  list[index] = value;
}

function isMap(value: unknown): value is Mutable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

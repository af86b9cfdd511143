import type { Json, Value } from './node';
import { sortedKeys } from './utf8';

/** A value that is known now, as a Go template expression. */
export function goLiteral(value: Value): string {
  if (value === undefined || value === null) return 'nil';
  if (typeof value === 'string') return goString(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return ['list', ...value.map((item: Json) => argument(goLiteral(item)))].join(' ');
  const pairs = sortedKeys(value).flatMap((key) => [
    goString(key),
    argument(goLiteral((value as Readonly<Record<string, Json>>)[key])),
  ]);
  return ['dict', ...pairs].join(' ');
}

/** A text in quotes, for Go and for YAML. Its escapes are those of JSON, also for code points that a reader would not see. */
export function goString(text: string): string {
  if (HALF.test(text)) throw new TypeError(`${JSON.stringify(text)} has half a character in it and is no Unicode text`);
  return JSON.stringify(text).replace(/[\u007f-\u00a0\u2028\u2029\ufeff\uffff\ufffe]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Half of a character: no UTF-8 has it. */
const HALF = /\p{Surrogate}/u;

/** An expression as an argument of another one. */
export function argument(text: string): string {
  return /^[^\s"]+$|^"(?:[^"\\]|\\.)*"$/.test(text) ? text : `(${text})`;
}

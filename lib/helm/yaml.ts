import { Document, type Scalar, type ScalarTag } from 'yaml';
import { stringifyString } from 'yaml/util';
import type { Json } from '../staged/node';

/**
 * Prints a value as YAML for people and for kubectl: block style, text without quotes only where every reader of
 * YAML 1.1 and 1.2 takes it for that text, several lines as a `|` block, all else in double quotes.
 */
export function toYaml(value: Json): string {
  const document = new Document(value, {
    version: '1.2',
    customTags: (tags) => [TEXT, ...tags],
    aliasDuplicateObjects: false,
  });
  return document.toString({ lineWidth: 0 });
}

const TEXT: ScalarTag = {
  identify: (value) => typeof value === 'string',
  default: true,
  tag: 'tag:yaml.org,2002:str',
  resolve: (text) => text,
  stringify(item: Scalar, context, onComment, onChompKeep) {
    const text = item.value as string;
    if (isPlain(text)) return text;
    const block = context.implicitKey !== true && context.inFlow !== true && isBlock(text);
    return block
      ? stringifyString({ ...item, value: text, type: 'BLOCK_LITERAL' }, context, onComment, onChompKeep)
      : quote(text);
  },
};

/** Words that some reader takes for a boolean, null or a number. */
const WORD = /^(?:y|yes|n|no|on|off|true|false|null|nil|none|nan|inf|infinity|e\d+)$/i;

function isPlain(text: string): boolean {
  return /^(?:--)?[A-Za-z/](?:[\w./@=+(),;*:-]| (?![ #]))*$/.test(text) && !/: |[ :]$/.test(text) && !WORD.test(text);
}

/** Lines of printable characters that a `|` block gives back exactly, wherever it stands. */
function isBlock(text: string): boolean {
  return (
    /^[^\s]/.test(text) &&
    /\n./.test(text) &&
    !/\n\n$|[ \t](?:\n|$)/.test(text) &&
    !UNPRINTABLE.test(text.replaceAll(/[\n\t]/g, ''))
  );
}

/** Control and format characters, separators other than the blank, and what no Unicode version has assigned. */
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/u;

function quote(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('half a character (a lone surrogate) cannot be written as YAML');
  return JSON.stringify(text).replace(new RegExp(UNPRINTABLE, 'gu'), (character) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase();
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

import {
  describe,
  expr,
  isLine,
  nodeOf,
  scalarText,
  type Each,
  type Expr,
  type Node,
  type TextLine,
  type When,
} from './node';

type Inserted = Expr<unknown> | Each<unknown> | When<unknown> | string | number | boolean;

/**
 * A configuration text that looks like the file it makes. An interpolation alone on its line is a block of lines
 * (`each`, `when`, another `conf`, a named text), indented as it stands; every other one is part of its line, and must
 * be of a type that keeps it there: a number, a boolean, or text with a pattern.
 *
 * @throws TypeError when the text is built, naming the expression that could break its line
 */
export function conf(parts: TemplateStringsArray, ...inserted: readonly Inserted[]): Expr<string> {
  const lines = dedent(assemble(parts, inserted));
  lines.forEach((line, i) => {
    const next = lines[i + 1];
    if (isBlank(line) && (next === undefined || 'block' in next)) {
      throw new TypeError('conf: a blank line before a block or at the end would be lost; write it inside the block');
    }
  });
  return expr({ op: 'text', lines, type: { kind: 'string', optional: false } });
}

interface RawLine {
  readonly segments: readonly (string | Node)[];
}

function assemble(parts: TemplateStringsArray, inserted: readonly Inserted[]): RawLine[] {
  const lines: (string | Node)[][] = [[]];
  parts.forEach((part, i) => {
    const [first = '', ...others] = part.split('\n');
    lines.at(-1)?.push(first);
    for (const other of others) lines.push([other]);
    if (i < inserted.length) lines.at(-1)?.push(segmentOf(inserted[i] as Inserted));
  });
  if (isSpace(lines[0])) lines.shift();
  if (isSpace(lines.at(-1))) lines.pop();
  return lines.map((segments) => ({ segments }));
}

function segmentOf(inserted: Inserted): string | Node {
  if (typeof inserted === 'object') return nodeOf(inserted);
  const text = scalarText(inserted);
  if (!isLine(text)) throw new TypeError(`conf: ${JSON.stringify(text)} does not stay in its line`);
  return text;
}

function isSpace(segments: readonly (string | Node)[] | undefined): boolean {
  return segments?.every((segment) => typeof segment === 'string' && segment.trim() === '') ?? true;
}

function isBlank(line: TextLine): boolean {
  return 'segments' in line && isSpace(line.segments);
}

function dedent(lines: readonly RawLine[]): TextLine[] {
  const indents = lines
    .filter((line) => !isSpace(line.segments))
    .map(({ segments: [first] }) => (typeof first === 'string' ? (/^ */.exec(first)?.[0].length ?? 0) : 0));
  const margin = Math.min(...indents);
  return lines.map(({ segments: [first, ...others] }) => {
    const segments = [typeof first === 'string' ? first.slice(margin) : (first ?? ''), ...others].filter(
      (segment) => segment !== '',
    );
    if (isSpace(segments)) return { segments: [] };
    return blockOf(segments) ?? { segments: segments.map(inLine) };
  });
}

/** A line that is one block: nothing but spaces beside it. */
function blockOf(segments: readonly (string | Node)[]): TextLine | undefined {
  const [block, ...others] = segments.filter((segment) => typeof segment !== 'string');
  if (block === undefined || typeof block === 'string' || others.length > 0 || !isBlock(block)) return undefined;
  if (!isSpace(segments.filter((segment) => typeof segment === 'string'))) return undefined;
  const [indent] = segments;
  return { block, indent: typeof indent === 'string' ? indent : '' };
}

function isBlock(node: Node): boolean {
  return (
    node.op === 'text' ||
    node.op === 'each' ||
    node.op === 'when' ||
    (node.op === 'include' && node.template.body.op === 'text')
  );
}

function inLine(segment: string | Node): string | Node {
  if (typeof segment === 'string') return segment;
  const { kind, line, optional } = segment.type;
  if (isBlock(segment)) throw new TypeError(`conf: ${describe(segment)} is a block; put it alone on its line`);
  if (optional) throw new TypeError(`conf: ${describe(segment)} may be absent; wrap it in when(isSet(…)) or orElse(…)`);
  if (kind === 'int' || kind === 'bool' || (kind === 'string' && line === true)) return segment;
  throw new TypeError(`conf: ${describe(segment)} may hold a line break; give its schema a pattern`);
}

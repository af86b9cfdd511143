import type { Json } from '../staged/node';
import type { Branch, Leaf } from './leaves';
import { toYaml } from './yaml';

/**
 * The `values.yaml` of a chart: every default with its description (helm-docs' `# --`), and every value without a
 * default in a comment, ready to be uncommented.
 */
export function valuesYaml(tree: readonly Branch[]): string {
  return `${lines(tree, '').join('\n')}\n`;
}

function lines(tree: readonly Branch[], indent: string): string[] {
  return tree.flatMap((branch, i) => {
    const gap = i === 0 ? [] : [''];
    if ('children' in branch) return [...gap, `${indent}${branch.key}:`, ...lines(branch.children, `${indent}  `)];
    return [...gap, ...leafLines(branch, indent)];
  });
}

function leafLines(leaf: Leaf, indent: string): string[] {
  if (leaf.default === undefined) return comment([...header(leaf, true), ...example(leaf)], indent);
  return [
    ...comment(header(leaf, false), indent),
    ...entry(leaf.key, leaf.default).map((line) => indent + line),
    ...comment(entriesExample(leaf), `${indent}  `),
  ];
}

function comment(text: readonly string[], indent: string): string[] {
  return text.map((line) => `${indent}# ${line}`);
}

function header(leaf: Leaf, typed: boolean): string[] {
  return [`-- ${typed ? `(${leaf.type}) ` : ''}${leaf.description}`];
}

/** What may stand there: the example of the schema, or the keys of an entry. */
function example(leaf: Leaf): string[] {
  if (leaf.entries.length > 0) return [`${leaf.key}:`, ...entriesExample(leaf).map((line) => `  ${line}`)];
  return leaf.meta.example === undefined ? [`${leaf.key}: …`] : entry(leaf.key, leaf.meta.example as Json);
}

function entriesExample(leaf: Leaf): string[] {
  if (leaf.entries.length === 0) {
    const sample = leaf.default !== undefined && leaf.meta.example !== undefined && typeof leaf.default === 'object';
    return sample ? ['For example:', ...entryOf(leaf.meta.example as Json)] : [];
  }
  const isMap = leaf.entries[0]?.path.startsWith(`${leaf.path}.<name>.`) ?? false;
  const isList = leaf.entries[0]?.path.startsWith(`${leaf.path}[].`) ?? false;
  const fields = leaf.entries.flatMap((field) => [...header(field, true), ...example(field)]);
  if (isMap) return ['<name>:', ...fields.map((line) => `  ${line}`)];
  if (isList) return fields.map((line, i) => (i === 0 ? `- # ${line}` : `  ${line.startsWith('-- ') ? `# ${line}` : line}`));
  return fields;
}

function entry(key: string, value: Json): string[] {
  return toYaml({ [key]: value }).trimEnd().split('\n');
}

function entryOf(value: Json): string[] {
  return toYaml(value).trimEnd().split('\n');
}

import type { Json } from '../staged/node';
import type { Branch, Leaf } from './leaves';
import { toYaml } from './yaml';

/** Where comments are wrapped. */
const WIDTH = 118;

/**
 * The `values.yaml` of a chart: every default with its description (helm-docs' `# --`), and in comments, with their
 * descriptions, what has no default and what empty maps and lists may hold, ready to be uncommented.
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
  if (leaf.default === undefined) {
    // Without `--`: helm-docs would take it for the text of the next key.
    return [...comment(`(${leaf.type}) ${leaf.description}`, indent), ...commented(documented(leaf), indent)];
  }
  const sample = isEmpty(leaf.default) ? content(leaf) : [];
  return [
    ...comment(`-- ${leaf.description}`, indent),
    ...entry(leaf.key, leaf.default).map((line) => indent + line),
    ...commented(sample, `${indent}  `),
  ];
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** A key with an example, and with what is to be said of the keys below it. */
function documented(leaf: Leaf): string[] {
  const below = content(leaf);
  if (below.length > 0) return [`${leaf.key}:`, ...below.map((line) => `  ${line}`)];
  return leaf.example === undefined ? [`${leaf.key}: …`] : entry(leaf.key, leaf.example);
}

/** What a map or a list may hold: its keys, each described, or else the example of the schema. */
function content(leaf: Leaf): string[] {
  const { example, entries, entryName, type } = leaf;
  if (leaf.meta.example !== undefined) {
    return typeof example === 'object' && example !== null ? toYaml(example).trimEnd().split('\n') : [];
  }
  if (entries.length === 0) return [];
  const fields = entries.flatMap((field) => [...comment(field.description, '', WIDTH - 12), ...documented(field)]);
  if (entryName !== undefined) return [`${entryName}:`, ...fields.map((line) => `  ${line}`)];
  return type === 'list' ? fields.map((line, i) => (i === 0 ? '- ' : '  ') + line) : fields;
}

function commented(text: readonly string[], indent: string): string[] {
  return text.map((line) => `${indent}# ${line}`);
}

/** A comment in lines of a readable width. */
function comment(text: string, indent: string, width = WIDTH): string[] {
  const wrapped: string[] = [];
  // What stands in back-quotes is one word.
  for (const word of text.match(/(?:`[^`]*`|[^ `])+/g) ?? []) {
    const last = wrapped.at(-1);
    if (last !== undefined && `${indent}# ${last} ${word}`.length <= width)
      wrapped[wrapped.length - 1] = `${last} ${word}`;
    else wrapped.push(word);
  }
  return wrapped.map((line) => `${indent}# ${line}`);
}

function entry(key: string, value: Json): string[] {
  return toYaml({ [key]: value })
    .trimEnd()
    .split('\n');
}

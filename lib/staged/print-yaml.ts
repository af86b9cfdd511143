import { isWhole } from './evaluate';
import { literal, type EntryLoop, type Json, type Node, type ObjectNode, type Part } from './node';
import { argument, presence, printIf, printLoop, printLiteral, printRaw, printTyped, type Frame } from './print-expression';
import { escapeActions, textAction } from './print-text';
import { staticType } from './schema';

/**
 * Prints manifests as Go templates of YAML: the second reader of the tree. Every scalar of the values is printed by a
 * form that keeps every value what it is: `quote`, `int64`, `toJson`, `toYaml | nindent`.
 */
export function printDocument(node: Node, frame: Frame): string[] {
  const reduced = frame.reduce(node);
  if (reduced.op === 'object' && reduced.path === undefined) return printParts(reduced, frame, '');
  return [...before(frame, ''), `{{- toYaml ${argument(printRaw(reduced, frame))} | nindent 0 }}`];
}

function before(frame: Frame, indent: string): string[] {
  return frame.flush(indent);
}

/** The entries of a map, one below the other. */
export function printParts(node: ObjectNode, frame: Frame, indent: string): string[] {
  return node.parts.flatMap((part, i) => {
    const later = node.parts.slice(i + 1);
    if ('value' in part) return unlessLater(literal(part.key), later, frame, indent, (inner) => printEntry(part.key, part.value, inner, indent));
    if ('spread' in part) return printSpread(part.spread, later, frame, indent);
    return printEntries(part, frame, indent);
  });
}

/** Lines for a key that a later part may set anew. */
function unlessLater(key: Node, later: readonly Part[], frame: Frame, indent: string, lines: (inner: Frame) => string[]): string[] {
  if (key.op === 'literal' && later.some((part) => 'value' in part && part.key === key.value)) return [];
  const spreads = later.flatMap((part) => ('spread' in part ? [printRaw(part.spread, frame)] : []));
  const names = key.op === 'literal' ? [] : later.flatMap((part) => ('value' in part ? [part.key] : []));
  const keyText = argument(printTyped(key, frame));
  const conditions = [
    ...(names.length > 0 ? [`has ${keyText} ${argument(printLiteral(names))}`] : []),
    ...spreads.map((map) => `hasKey ${argument(map)} ${keyText}`),
  ];
  if (conditions.length === 0) return lines(frame);
  const any = conditions.length === 1 ? String(conditions[0]) : `or ${conditions.map(argument).join(' ')}`;
  return [...before(frame, indent), `${indent}{{- if not (${any}) }}`, ...lines(frame.inner([])), `${indent}{{- end }}`];
}

function printSpread(spread: Node, later: readonly Part[], frame: Frame, indent: string): string[] {
  if (later.length === 0) return printWhole(spread, frame, indent);
  const node = frame.reduce(spread);
  const loop = {
    over: node,
    key: { hint: 'key' },
    item: { hint: 'value' },
    body: literal(undefined),
  };
  const ref = (variable: { hint: string }, type: Node['type']): Node => ({ op: 'variable', variable, type });
  return printLoop(loop, frame, indent, (inner) => {
    const key = inner.reduce(ref(loop.key, { kind: 'string', optional: false, line: true, ascii: true }));
    return unlessLater(key, later, inner, indent, (deep) => {
      const value = deep.reduce(ref(loop.item, elementType(node)));
      return key.op === 'literal' ? printEntry(String(key.value), value, deep, indent) : [`${indent}{{ ${printRaw(key, deep)} | quote }}: ${scalar(value, deep)}`];
    });
  });
}

/** The type of the values of a map. */
function elementType({ type: { element } }: Node): Node['type'] {
  return element === undefined ? { kind: 'unknown', optional: false } : { ...staticType(element), optional: false };
}

function printEntries(loop: EntryLoop, frame: Frame, indent: string): string[] {
  return printLoop(loop, frame, indent, (inner) => {
    const key = inner.reduce(loop.entryKey);
    const text = key.op === 'literal' ? yamlString(String(key.value)) : `{{ ${printRaw(key, inner)} | quote }}`;
    return printKeyed(text, loop.body, inner, indent);
  });
}

/** A key and its value, or nothing where the value is absent. */
export function printEntry(key: string, given: Node, frame: Frame, indent: string): string[] {
  return printKeyed(yamlString(key), given, frame, indent);
}

function printKeyed(key: string, given: Node, frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  if (node.op === 'when') {
    return printIf(node.condition, frame, indent, (inner) => printKeyed(key, node.then, inner, indent), (inner) => printKeyed(key, node.else, inner, indent));
  }
  if (isReference(node) && isWhole(node)) return printWholeEntry(key, node, frame, indent);
  return printIf(presence(node, frame), frame, indent, (inner) => printPresent(key, node, inner, indent));
}

/** Whether the node is a part of the values, not written out here. */
function isReference(node: Node): boolean {
  return node.op === 'field' || node.op === 'variable' || node.op === 'call' || node.op === 'gather';
}

function printWholeEntry(key: string, node: Node, frame: Frame, indent: string): string[] {
  const expression = printRaw(node, frame);
  return [
    ...before(frame, indent),
    `${indent}{{- with ${expression} }}`,
    `${indent}${key}:`,
    `${indent}  {{- toYaml . | nindent ${String(indent.length + 2)} }}`,
    `${indent}{{- end }}`,
  ];
}

function printWhole(given: Node, frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  if (node.op === 'literal') return printParts({ ...toObject(node.value ?? {}) }, frame, indent);
  if (node.op === 'object') return printParts(node, frame, indent);
  const expression = printRaw(node, frame);
  if (node.op === 'include') return [...before(frame, indent), `${indent}{{- ${expression} | nindent ${String(indent.length)} }}`];
  return [
    ...before(frame, indent),
    `${indent}{{- with ${expression} }}`,
    `${indent}{{- toYaml . | nindent ${String(indent.length)} }}`,
    `${indent}{{- end }}`,
  ];
}

function printPresent(key: string, node: Node, frame: Frame, indent: string): string[] {
  const at = `${indent}${key}:`;
  const deeper = `${indent}  `;
  switch (node.op) {
    case 'literal':
      if (typeof node.value === 'string' && isBlockText(node.value)) return [`${at} ${blockHeader(node.value)}`, ...blockLines(node.value, deeper)];
      if (typeof node.value !== 'object') return [`${at} ${yamlScalar(node.value ?? null)}`];
      return printPresent(key, structure(node.value), frame, indent);
    case 'object':
      return node.parts.length === 0 ? [`${at} {}`] : [at, ...printParts(node, frame, deeper)];
    case 'list':
      return node.items.length === 0 ? [`${at} []`] : [at, ...node.items.flatMap((item) => printItem(item, frame, deeper))];
    case 'each':
    case 'spread':
      return [at, ...printItem(node, frame, deeper)];
    case 'include':
      if (node.template.body.op === 'object') {
        const expression = printRaw(node, frame);
        return [...before(frame, indent), at, `${deeper}{{- ${expression} | nindent ${String(deeper.length)} }}`];
      }
      break;
    case 'call':
      if (node.operation.name === 'file') return printFile(at, node.args[0] as Node, frame, indent);
  }
  const value = scalar(node, frame);
  return [...before(frame, indent), `${at} ${value}`];
}

/** A configuration text as a block, guarded once against what could break out of it. */
function printFile(at: string, content: Node, frame: Frame, indent: string): string[] {
  const text = printRaw(content, frame);
  const guard = frame.defines.helper(TEXT_BLOCK);
  return [...before(frame, indent), `${at} |`, `${indent}  {{- include "${guard}" ${argument(text)} | nindent ${String(indent.length + 2)} }}`];
}

/** Refuses text that YAML would read otherwise; the schema keeps it out unless its validation is skipped. */
const TEXT_BLOCK = {
  name: 'textBlock',
  body: `{{- if regexMatch "[\\\\x00-\\\\x08\\\\x0b-\\\\x1f\\\\x7f-\\\\x{9f}\\\\x{2028}\\\\x{2029}\\\\x{feff}]" . }}
{{- fail "a value with a control character or a line separator would break a configuration file; install with schema validation to see which" }}
{{- end }}
{{- . }}`,
};

/** An element of a list; loops, conditions and spreads stand for their elements. */
export function printItem(given: Node, frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'when':
      return printIf(node.condition, frame, indent, (inner) => printItem(node.then, inner, indent), (inner) => printItem(node.else, inner, indent));
    case 'each':
      return printLoop(node, frame, indent, (inner) => printItem(node.body, inner, indent));
    case 'spread':
      return printSplice(node.list, frame, indent);
    case 'literal':
      if (node.value === undefined) return [];
      if (typeof node.value === 'object') return printItem(structure(node.value), frame, indent);
      return [`${indent}- ${yamlScalar(node.value)}`];
    case 'object': {
      if (node.parts.length === 0) return [`${indent}- {}`];
      return printIf(presence(node, frame), frame, indent, (inner) => dash(printParts(node, inner, `${indent}  `), indent));
    }
    case 'list':
      return node.items.flatMap((item) => printItem(item, frame, indent));
    default:
      return printIf(presence(node, frame), frame, indent, (inner) => {
        if (isWhole(node) || node.type.kind === 'unknown') {
          const expression = printRaw(node, inner);
          return [...before(inner, indent), `${indent}- {{ ${expression} | toJson }}`];
        }
        const value = scalar(node, inner);
        return [...before(inner, indent), `${indent}- ${value}`];
      });
  }
}

function printSplice(given: Node, frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  if (node.op === 'literal') return node.value === undefined ? [] : printItem(structure(node.value as Json), frame, indent);
  if (node.op === 'list') return node.items.flatMap((item) => printItem(item, frame, indent));
  return printWhole(node, frame, indent);
}

/** Puts the dash of a list before the first entry, which must be there whenever the element is. */
function dash(lines: readonly string[], indent: string): string[] {
  const at = lines.findIndex((line) => !line.trimStart().startsWith('{{-'));
  const first = lines[at];
  if (first === undefined || at > 0) return [`${indent}-`, ...lines];
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...lines.slice(1)];
}

/** A scalar after its key or dash. */
function scalar(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  if (node.op === 'literal') return yamlScalar(node.value as Json);
  const { kind } = node.type;
  if (kind === 'bool' || kind === 'int') return textAction(node, frame);
  const expression = printRaw(node, frame);
  return kind === 'string' ? `{{ ${expression} | quote }}` : `{{ ${expression} | toJson }}`;
}

function yamlScalar(value: Json): string {
  if (typeof value === 'string') return yamlString(value);
  return typeof value === 'object' ? printLiteral(value) : String(value);
}

const WORD = /^[A-Za-z_./][A-Za-z0-9_./:=+,@%$ -]*$/;
const SPECIAL = /^(?:y|n|yes|no|on|off|true|false|null|~|\.inf|\.nan|e[0-9]+)$/i;

/** A literal string in YAML: plain where every reader takes it as that string, else quoted. */
function yamlString(text: string): string {
  const plain = WORD.test(text) && !SPECIAL.test(text) && !/: |:$| $|^\.[0-9]/.test(text);
  return plain ? escapeActions(text) : escapeActions(printLiteral(text));
}

function isBlockText(text: string): boolean {
  return text.includes('\n') && !text.endsWith('\n\n') && /^[^ \n]/.test(text) && /^[\t\n -~]*$/.test(text);
}

function blockHeader(text: string): string {
  return text.endsWith('\n') ? '|' : '|-';
}

function blockLines(text: string, indent: string): string[] {
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  return lines.map((line) => (line === '' ? '' : indent + escapeActions(line)));
}

/** A container that is known now, as if it were written out. */
function structure(value: Json): Node {
  if (typeof value !== 'object' || value === null) return literal(value);
  if (Array.isArray(value)) return { op: 'list', items: (value as readonly Json[]).map(structure), type: { kind: 'list', optional: false } };
  return toObject(value);
}

function toObject(value: Json): ObjectNode {
  const parts = Object.entries(value as Readonly<Record<string, Json>>).map(([key, child]) => ({ key, value: structure(child) }));
  return { op: 'object', parts, type: { kind: 'map', optional: false } };
}


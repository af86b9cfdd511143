import { isWhole } from './evaluate';
import type { Frame } from './frame';
import { argument, goString } from './go-literal';
import {
  BOOL,
  MAP,
  STRING,
  literal,
  scalarText,
  type EntryLoop,
  type Json,
  type Node,
  type ObjectNode,
  type Part,
} from './node';
import { OPERATIONS } from './operations';
import { elementPresence, entryPresence, hasFixedKeys, isAlwaysFilled, isOneElement } from './presence';
import { gatherMap, printIf, printInclude, printLoop, printRaw } from './print-expression';
import { escapeActions, textAction } from './print-text';
import { itemType } from './schema';

/**
 * Prints manifests as Go templates of YAML: the second reader of the tree. Every scalar of the values is printed by a
 * form that keeps every value what it is: `quote`, `int64`, `toJson`, `toYaml | nindent`.
 */
export function printDocument(node: Node, frame: Frame): string[] {
  const reduced = frame.reduce(node);
  if (reduced.op === 'object' && reduced.path === undefined) return printParts(reduced, frame, '');
  return [...frame.flush(), `{{- toYaml ${argument(printRaw(reduced, frame))} | nindent 0 }}`];
}

/** The entries of a map, one below the other. */
export function printParts(node: ObjectNode, frame: Frame, indent: string): string[] {
  if (mayCollide(node)) {
    const map = gatherMap(node, frame);
    return [...frame.flush(indent), `${indent}{{- toYaml ${map} | nindent ${String(indent.length)} }}`];
  }
  return node.parts.flatMap((part, i) => {
    const later = node.parts.slice(i + 1);
    if ('value' in part) {
      return unlessLater(literal(part.key), later, frame, indent, (inner) =>
        printEntry(part.key, part.value, inner, indent),
      );
    }
    if ('spread' in part) return printSpread(part.spread, later, frame, indent);
    return printEntries(part, frame, indent);
  });
}

/** Whether computed keys could be equal to others: only a map that is filled key by key knows which one wins. */
function mayCollide({ parts }: ObjectNode): boolean {
  return parts.some((part) => {
    if (!('entryKey' in part)) return false;
    const affixes = affixesOf(part);
    return affixes === undefined || parts.some((other) => other !== part && mayMake(affixes, other));
  });
}

/** What stands around the item's own key in the keys of a loop, which then differ; undefined where they may not. */
function affixesOf({ key, entryKey }: EntryLoop): readonly [string, string] | undefined {
  const parts = entryKey.op === 'call' && entryKey.operation.name === 'text' ? entryKey.args : [entryKey];
  const at = parts.findIndex((part) => part.op === 'variable' && part.variable === key);
  const [before, after] = [parts.slice(0, at), parts.slice(at + 1)].map((side) =>
    side.map((part) => (part.op === 'literal' ? scalarText(part.value) : undefined)),
  );
  if (at < 0 || before === undefined || after === undefined || [...before, ...after].includes(undefined))
    return undefined;
  return [before.join(''), after.join('')];
}

/** Whether another part may have a key of that form. */
function mayMake([prefix, suffix]: readonly [string, string], other: Part): boolean {
  return !('value' in other) || (other.key.startsWith(prefix) && other.key.endsWith(suffix));
}

/** Lines for a key that a later part may set anew. */
function unlessLater(
  key: Node,
  later: readonly Part[],
  frame: Frame,
  indent: string,
  lines: (inner: Frame) => string[],
): string[] {
  const conditions = settersOf(key, later, frame).map((condition) => frame.reduce(condition));
  if (conditions.some((condition) => condition.op === 'literal' && condition.value === true)) return [];
  const open = conditions.filter((condition) => condition.op !== 'literal');
  if (open.length === 0) return lines(frame);
  return printIf(call('not', open.length === 1 ? (open[0] as Node) : call('or', ...open)), frame, indent, lines);
}

/** The conditions under which one of the parts of a map sets the key. */
function settersOf(key: Node, parts: readonly Part[], frame: Frame): Node[] {
  const always: Node[] = [];
  const others = parts.flatMap((part) => {
    if ('spread' in part) {
      const map = part.spread.type.optional ? call('orElse', part.spread, literal({})) : part.spread;
      return [call('hasKey', map, key)];
    }
    if (!('value' in part)) return [];
    const presence = entryPresence(part.value, frame);
    if (presence.op !== 'literal') return [call('and', call('eq', key, literal(part.key)), presence)];
    if (presence.value === true) always.push(literal(part.key));
    return [];
  });
  return always.length === 0 ? others : [call('eq', key, ...always), ...others];
}

function call(name: 'and' | 'or' | 'not' | 'eq' | 'hasKey' | 'orElse', ...args: readonly Node[]): Node {
  return { op: 'call', operation: OPERATIONS[name], args, type: name === 'orElse' ? MAP : BOOL };
}

function printSpread(given: Node, later: readonly Part[], frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  if (node.op === 'when') {
    const branch = (spread: Node) => (inner: Frame) => printSpread(spread, later, inner, indent);
    return printIf(node.condition, frame, indent, branch(node.then), branch(node.else));
  }
  if (node.op === 'literal' && (node.value === undefined || node.value === null)) return [];
  if (later.length === 0) return printWhole(node, frame, indent);
  const loop = { over: node, key: { hint: 'key' }, item: { hint: 'value' }, body: literal(undefined) };
  const valueType = itemType(node.type);
  return printLoop(loop, frame, indent, (inner) => {
    const key = inner.reduce({ op: 'variable', variable: loop.key, type: STRING });
    return unlessLater(key, later, inner, indent, (deep) => {
      const value = deep.reduce({ op: 'variable', variable: loop.item, type: valueType });
      return key.op === 'literal'
        ? printEntry(scalarText(key.value), value, deep, indent)
        : [`${indent}{{ ${printRaw(key, deep)} | quote }}: ${scalar(value, deep)}`];
    });
  });
}

function printEntries(loop: EntryLoop, frame: Frame, indent: string): string[] {
  return printLoop(loop, frame, indent, (inner) => {
    const key = inner.reduce(loop.entryKey);
    const text = key.op === 'literal' ? yamlString(scalarText(key.value)) : `{{ ${printRaw(key, inner)} | quote }}`;
    return printKeyed(text, loop.body, inner, indent);
  });
}

/** A key and its value, or nothing where the value is absent. */
function printEntry(key: string, given: Node, frame: Frame, indent: string): string[] {
  return printKeyed(yamlString(key), given, frame, indent);
}

function printKeyed(key: string, given: Node, frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  if (node.op === 'when') {
    const branch = (value: Node) => (inner: Frame) => printKeyed(key, value, inner, indent);
    return printIf(node.condition, frame, indent, branch(node.then), branch(node.else));
  }
  if (isReference(node, frame)) return printWholeEntry(key, node, frame, indent);
  return printIf(entryPresence(node, frame), frame, indent, (inner) => printPresent(key, node, inner, indent));
}

/** Whether the node is a map or a list that is not written out here. */
function isReference(node: Node, frame: Frame): boolean {
  if (!isWhole(node)) return false;
  switch (node.op) {
    case 'field':
    case 'variable':
    case 'call':
    case 'gather':
      return true;
    case 'include':
      return !isAlwaysFilled(node, frame);
    case 'object':
    case 'list':
      return !isFixed(node, frame);
    default:
      return false;
  }
}

/** Whether all keys of a container of the values, and of those in it, are known and there: it can be written out. */
function isFixed(given: Node, frame: Frame): boolean {
  const node = frame.reduce(given);
  if (node.op === 'list') return node.items.every((item) => isOneElement(item, frame) && isFixed(item, frame));
  if (node.op !== 'object') return true;
  return hasFixedKeys(node, frame) && node.parts.every((part) => 'value' in part && isFixed(part.value, frame));
}

function printWholeEntry(key: string, node: Node, frame: Frame, indent: string): string[] {
  const isIncluded = node.op === 'include';
  const expression = isIncluded ? printInclude(node, frame) : printRaw(node, frame);
  return [
    ...frame.flush(indent),
    `${indent}{{- with ${expression} }}`,
    `${indent}${key}:`,
    `${indent}  {{- ${isIncluded ? '.' : 'toYaml .'} | nindent ${String(indent.length + 2)} }}`,
    `${indent}{{- end }}`,
  ];
}

function printWhole(node: Node, frame: Frame, indent: string): string[] {
  if (node.op === 'literal') return printJsonMap(node.value as JsonMap, indent);
  if (node.op === 'object') return printParts(node, frame, indent);
  const isIncluded = node.op === 'include';
  const expression = isIncluded ? printInclude(node, frame) : printRaw(node, frame);
  if (isIncluded && isAlwaysFilled(node, frame)) {
    return [...frame.flush(indent), `${indent}{{- ${expression} | nindent ${String(indent.length)} }}`];
  }
  return [
    ...frame.flush(indent),
    `${indent}{{- with ${expression} }}`,
    `${indent}{{- ${isIncluded ? '.' : 'toYaml .'} | nindent ${String(indent.length)} }}`,
    `${indent}{{- end }}`,
  ];
}

function printPresent(key: string, node: Node, frame: Frame, indent: string): string[] {
  const at = `${indent}${key}:`;
  const deeper = `${indent}  `;
  switch (node.op) {
    case 'literal':
      return printJson(at, node.value ?? null, indent);
    case 'object':
      return node.parts.length === 0 ? [`${at} {}`] : [at, ...printParts(node, frame, deeper)];
    case 'list':
      return node.items.length === 0
        ? [`${at} []`]
        : [at, ...node.items.flatMap((item) => printItem(item, frame, deeper))];
    case 'each':
    case 'spread':
      return [at, ...printItem(node, frame, deeper)];
    case 'include':
      if (node.type.kind === 'map') {
        const included = printInclude(node, frame);
        return [...frame.flush(indent), at, `${deeper}{{- ${included} | nindent ${String(deeper.length)} }}`];
      }
      break;
    case 'call':
      if (node.operation.name === 'file') return printFile(at, node.args[0] as Node, frame, indent);
      break;
    default:
  }
  const value = scalar(node, frame);
  return [...frame.flush(indent), `${at} ${value}`];
}

/** A configuration text as a block, guarded once against what could break out of it. */
function printFile(at: string, content: Node, frame: Frame, indent: string): string[] {
  const text = printRaw(content, frame);
  const guard = frame.defines.helper(TEXT_BLOCK);
  return [
    ...frame.flush(indent),
    `${at} |`,
    `${indent}  {{- include "${guard}" ${argument(text)} | nindent ${String(indent.length + 2)} }}`,
  ];
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
    case 'when': {
      const branch = (value: Node) => (inner: Frame) => printItem(value, inner, indent);
      return printIf(node.condition, frame, indent, branch(node.then), branch(node.else));
    }
    case 'each':
      return printLoop(node, frame, indent, (inner) => printItem(node.body, inner, indent));
    case 'spread':
      return printSplice(node.list, frame, indent);
    case 'literal':
      return node.value === undefined || node.value === null ? [] : printJsonItem(node.value, indent);
    case 'object':
      if (node.path !== undefined && !isFixed(node, frame)) break;
      if (node.parts.length === 0) return [`${indent}- {}`];
      return printIf(elementPresence(node, frame), frame, indent, (inner) =>
        dash(printParts(node, inner, `${indent}  `), indent),
      );
    case 'list':
      if (node.path === undefined) return node.items.flatMap((item) => printItem(item, frame, indent));
      break;
    default:
  }
  return printIf(elementPresence(node, frame), frame, indent, (inner) => {
    const value = scalar(node, inner);
    return [...inner.flush(indent), `${indent}- ${value}`];
  });
}

function printSplice(given: Node, frame: Frame, indent: string): string[] {
  const node = frame.reduce(given);
  if (node.op === 'literal')
    return ((node.value ?? []) as readonly Json[]).flatMap((item) => printJsonItem(item, indent));
  if (node.op === 'list' && isFixed(node, frame)) return node.items.flatMap((item) => printItem(item, frame, indent));
  return printWhole(node, frame, indent);
}

/** Puts the dash of a list before the first entry, which must be there whenever the element is. */
function dash(lines: readonly string[], indent: string): string[] {
  const at = lines.findIndex((line) => !line.trimStart().startsWith('{{-'));
  const first = lines[at];
  if (first === undefined || at > 0) return [`${indent}-`, ...lines];
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...lines.slice(1)];
}

/** A value after its key or dash, in one line. */
function scalar(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  if (node.op === 'literal') return isScalar(node.value ?? null) ? yamlScalar(node.value as Scalar) : goString('');
  const { kind } = node.type;
  if (kind === 'bool' || kind === 'int') return textAction(node, frame);
  const expression = printRaw(node, frame);
  return kind === 'string' ? `{{ ${expression} | quote }}` : `{{ ${expression} | toJson }}`;
}

function yamlScalar(value: Scalar): string {
  return typeof value === 'string' ? yamlString(value) : String(value);
}

const WORD = /^[A-Za-z_/][A-Za-z0-9_./:=+,@%$ -]*$/;
const SPECIAL = /^(?:y|n|yes|no|on|off|true|false|null|~|\.inf|\.nan|e[0-9]+)$/i;

/** A literal string in YAML: plain where every reader takes it as that string, else quoted. */
function yamlString(text: string): string {
  const plain = WORD.test(text) && !SPECIAL.test(text) && !/: |:$| $/.test(text);
  return plain ? escapeActions(text) : escapeActions(goString(text));
}

function isBlockText(text: string): boolean {
  return text.includes('\n') && /^[^ \t\n]/.test(text) && /[^ \t\n]\n?$/.test(text) && /^[\t\n -~]*$/.test(text);
}

function blockHeader(text: string): string {
  return text.endsWith('\n') ? '|' : '|-';
}

function blockLines(text: string, indent: string): string[] {
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  return lines.map((line) => (line === '' ? '' : indent + escapeActions(line)));
}

type JsonMap = { readonly [key: string]: Json };
type Scalar = string | number | bigint | boolean | null;

/** A value that is known now, as it is: what is null or empty in it stays. */
function printJson(at: string, value: Json, indent: string): string[] {
  const deeper = `${indent}  `;
  if (typeof value === 'string' && isBlockText(value))
    return [`${at} ${blockHeader(value)}`, ...blockLines(value, deeper)];
  if (isScalar(value)) return [`${at} ${yamlScalar(value)}`];
  if (Object.keys(value).length === 0) return [`${at} ${Array.isArray(value) ? '[]' : '{}'}`];
  return [at, ...(isList(value) ? value.flatMap((item) => printJsonItem(item, deeper)) : printJsonMap(value, deeper))];
}

function printJsonMap(map: JsonMap, indent: string): string[] {
  return Object.entries(map).flatMap(([key, value]) => printJson(`${indent}${yamlString(key)}:`, value, indent));
}

function printJsonItem(value: Json, indent: string): string[] {
  if (isScalar(value)) return [`${indent}- ${yamlScalar(value)}`];
  if (Object.keys(value).length === 0) return [`${indent}- ${Array.isArray(value) ? '[]' : '{}'}`];
  const deeper = `${indent}  `;
  if (isList(value)) return [`${indent}-`, ...value.flatMap((item) => printJsonItem(item, deeper))];
  return dash(printJsonMap(value, deeper), indent);
}

function isScalar(value: Json): value is Scalar {
  return typeof value !== 'object' || value === null;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

import type { Frame } from './frame';
import { argument, goLiteral, goString } from './go-literal';
import {
  UNKNOWN,
  describe,
  literal,
  nodesIn,
  type EachNode,
  type Gather,
  type Include,
  type Json,
  type ListNode,
  type Loop,
  type Node,
  type ObjectNode,
  type Variable,
} from './node';
import type { Operand, Operation } from './operations';
import { elementPresence, hasFixedKeys, isOneElement, isTrue, partPresence } from './presence';
import { branchesOf, isSafe, isSafeChoice } from './safe';
import { compareUtf8, sortedKeys } from './utf8';

/** The Go template expression for a node, as it stands in the values (a number may be a float64). */
export function printRaw(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'literal':
      return goLiteral(node.value);
    case 'values':
      return '$.Values';
    case 'builtIn':
      return `$.${node.object}.${node.field}`;
    case 'variable':
      return frame.names.get(node.variable) ?? unbound(node);
    case 'field':
      return printField(node.of, node.key, frame);
    case 'call':
      return printCall(node.operation, node.args, frame);
    case 'when':
      return printChoice([node.condition, node.then, node.else], frame);
    case 'object':
      return printMap(node, frame);
    case 'list':
      return printList(node, frame);
    case 'each':
    case 'spread':
      return gatherList(node, frame);
    case 'gather':
      return printGather(node, frame);
    case 'include':
      return printIncluded(node, frame);
    case 'text':
      throw new TypeError(`${describe(node)} has no name; use named() to make it a value`);
  }
}

/** The Go template expression for a node, integers as int64. */
export function printTyped(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  const raw = printRaw(node, frame);
  return isFloat(node) ? `int64 ${argument(raw)}` : raw;
}

/** Whether it is an integer that Helm does not know as one: those of the values are float64, those of a template text. */
export function isFloat(node: Node): boolean {
  if (node.type.kind !== 'int') return false;
  if (node.op === 'variable') return node.variable.counts !== true;
  return node.op === 'field' || node.op === 'include' || (node.op === 'call' && node.operation.name === 'lookup');
}

/** A loop: an action around the lines of its body, or these lines once for each item that is known now. */
export function printLoop(
  loop: Loop,
  frame: Frame,
  indent: string,
  body: (inner: Frame) => readonly string[],
): string[] {
  const over = frame.reduce(loop.over);
  const known = knownItems(over, frame);
  if (loop.binds === true && known?.[0] !== undefined) return printBinding(loop, known[0][1], frame, indent, body);
  if (known !== undefined) {
    return known.flatMap(([key, item]) =>
      body(
        frame.inner(
          [],
          [
            [loop.key, key],
            [loop.item, item],
          ],
        ),
      ),
    );
  }
  const expression = printRaw(over, frame);
  const inner = frame.inner();
  const names: [Variable, string][] = [
    [loop.key, inner.fresh(loop.key.hint)],
    [loop.item, inner.fresh(loop.item.hint)],
  ];
  const lines = body(inner.inner(names));
  const [[, key], [, item]] = names as [[Variable, string], [Variable, string]];
  const usesKey = lines.some((line) => mentions(line, key));
  const usesItem = lines.some((line) => mentions(line, item));
  const variables = usesKey ? `${key}, ${usesItem ? item : '$_'} := ` : usesItem ? `${item} := ` : '';
  return [...frame.flush(indent), `${indent}{{- range ${variables}${expression} }}`, ...lines, `${indent}{{- end }}`];
}

/** A variable for a value that is used more than once. */
function printBinding(
  loop: Loop,
  value: Node,
  frame: Frame,
  indent: string,
  body: (inner: Frame) => readonly string[],
): string[] {
  const reduced = frame.reduce(value);
  if (reduced.op === 'literal') return [...body(frame.inner([], [[loop.item, reduced]]))];
  const name = frame.fresh(loop.item.hint);
  const actions = assign(name, ':=', reduced, frame).map((line) => indent + line);
  return [...actions, ...body(frame.inner([[loop.item, name]]))];
}

/** A condition around lines; a decided one needs no action. */
export function printIf(
  condition: Node,
  frame: Frame,
  indent: string,
  then: (inner: Frame) => readonly string[],
  otherwise?: (inner: Frame) => readonly string[],
): string[] {
  const decided = frame.reduce(condition);
  if (decided.op === 'literal') return [...((decided.value === true ? then : otherwise)?.(frame) ?? [])];
  const expression = printCondition(decided, frame);
  const before = frame.flush(indent);
  const [yes, no] = [then(frame.inner()), otherwise?.(frame.inner()) ?? []];
  if (yes.length === 0 && no.length === 0) return before;
  if (yes.length === 0) return [...before, `${indent}{{- if ${negated(expression)} }}`, ...no, `${indent}{{- end }}`];
  return [
    ...before,
    `${indent}{{- if ${expression} }}`,
    ...yes,
    ...(no.length > 0 ? printElse(no, indent) : []),
    `${indent}{{- end }}`,
  ];
}

/** The other branch of a condition: where that is one more condition, the two are a chain with one end. */
function printElse(lines: readonly string[], indent: string): string[] {
  const [first = '', ...rest] = lines;
  if (!isOneIf(lines)) return [`${indent}{{- else }}`, ...lines];
  return [`${indent}${first.trimStart().replace('{{- if', '{{- else if')}`, ...rest.slice(0, -1)];
}

/** Whether lines are one condition from the first to the last. */
function isOneIf(lines: readonly string[]): boolean {
  const end = depths(lines).findIndex(({ after }) => after === 0);
  return /^\s*\{\{- if /.test(lines[0] ?? '') && end === lines.length - 1;
}

/** A condition of an `if`: what is not empty is true in Go templates, so it needs no question. */
function printCondition(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  if (node.op !== 'call') return printTyped(node, frame);
  const { operation, args } = node;
  const [only, fallback] = args.map((arg) => frame.reduce(arg));
  if (operation.name === 'orElse' && fallback?.op === 'literal' && fallback.value === false)
    return printRaw(only as Node, frame);
  if (operation.name === 'isEmpty') return `not ${argument(printRaw(only as Node, frame))}`;
  if (operation.name === 'not' && only?.op === 'call' && only.operation.name === 'isEmpty')
    return printRaw(only.args[0] as Node, frame);
  if (operation.name === 'and' || operation.name === 'or') {
    return printJunction(operation.name, args, frame, printCondition);
  }
  return printTyped(node, frame);
}

function negated(expression: string): string {
  return `not ${argument(expression)}`;
}

function unbound(node: Node): never {
  throw new TypeError(`${describe(node)} is used outside the loop or the named template that it belongs to`);
}

function printField(of: Node, key: string, frame: Frame): string {
  const base = printRaw(of, frame);
  const { optional } = of.type;
  if (IDENTIFIER.test(key)) return `${optional ? `(${base})` : argument(base)}.${key}`;
  return `index ${optional ? `(default dict ${argument(base)})` : argument(base)} ${goString(key)}`;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

function printCall(operation: Operation, args: readonly Node[], frame: Frame): string {
  const [only] = args.map((arg) => frame.reduce(arg));
  switch (operation.name) {
    case 'choose':
      return printChoice(args, frame);
    case 'and':
    case 'or':
      return printJunction(operation.name, args, frame, printTyped);
    case 'not':
      if (only?.op === 'call' && only.operation.name === 'isSet') {
        return `kindIs "invalid" ${argument(printRaw(only.args[0] as Node, frame))}`;
      }
      break;
  }
  const operands = args.map((arg) => operandOf(arg, frame));
  if (typeof operation.print === 'function') return operation.print(...operands);
  const included = `include "${frame.defines.helper(operation.print)}" ${operands[0]?.text ?? '.'}`;
  return operation.type().kind === 'int' ? `int64 (${included})` : included;
}

/** Of the operands of `and` and `or`, Go looks at a later one only where it must: so do the actions that one needs. */
function printJunction(
  name: 'and' | 'or',
  args: readonly Node[],
  frame: Frame,
  print: (arg: Node, frame: Frame) => string,
): string {
  const pending = frame.flush();
  const [first, ...later] = args.map((arg) => {
    const text = argument(print(arg, frame));
    return { text, actions: frame.flush(), isSafe: isSafe(arg, frame) };
  });
  if (first === undefined) return String(name === 'and');
  if (later.every(({ actions, isSafe }) => isSafe || actions.length === 0)) {
    frame.before(...pending, ...[first, ...later].flatMap(({ actions }) => actions));
    return [name, first.text, ...later.map(({ text }) => text)].join(' ');
  }
  const holds = frame.fresh('holds');
  frame.before(...pending, ...first.actions, `{{- ${holds} := ${first.text} }}`);
  for (const { text, actions } of later) {
    const action = [...actions, `{{- ${holds} = ${text} }}`];
    frame.before(...indented([`{{- if ${name === 'and' ? holds : `not ${holds}`} }}`, ...action, '{{- end }}']));
  }
  return holds;
}

/** One of two values. What could fail in the branch not taken is computed by an action in its own branch. */
function printChoice(args: readonly Node[], frame: Frame): string {
  const [condition, then, otherwise] = args.map((arg) => frame.reduce(arg)) as [Node, Node, Node];
  if (isSafeChoice(args, frame)) {
    const [yes, no, which] = [then, otherwise, condition].map((arg) => argument(printTyped(arg, frame)));
    return `ternary ${String(yes)} ${String(no)} ${String(which)}`;
  }
  const name = frame.fresh('chosen');
  frame.before(...assign(name, ':=', { op: 'when', condition, then, else: otherwise, type: UNKNOWN }, frame));
  return name;
}

/** Actions that give a variable one of two values, of which only the one is computed. */
function assign(name: string, how: ':=' | '=', given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  const [condition, then, otherwise] = branchesOf(node) ?? [];
  if (condition === undefined || then === undefined || otherwise === undefined || isSafe(node, frame)) {
    const value = printTyped(node, frame);
    return [...frame.flush(), `{{- ${name} ${how} ${value} }}`];
  }
  const branch = (value: Node) => (inner: Frame) => assign(name, '=', value, inner);
  const choice = printIf(condition, frame, '', branch(then), branch(otherwise));
  return [...(how === ':=' ? [`{{- ${name} := "" }}`] : []), ...indented(choice)];
}

/** Lines that hold actions only may be indented as a program is: the actions take the white space away. */
export function indented(lines: readonly string[]): string[] {
  return depths(lines).map(({ line, at }) => '  '.repeat(at) + line);
}

/** How many actions are open where a line stands, and after it: an `else` closes one and opens one. */
function depths(lines: readonly string[]): { line: string; at: number; after: number }[] {
  let depth = 0;
  return lines.map((given) => {
    const line = given.trimStart();
    if (/^\{\{- (?:end|else)\b/.test(line)) depth--;
    const at = Math.max(depth, 0);
    if (/^\{\{- (?:if|range|with|else)\b/.test(line)) depth++;
    return { line, at, after: depth };
  });
}

function operandOf(given: Node, frame: Frame): Operand {
  const node = frame.reduce(given);
  const raw = argument(printRaw(node, frame));
  const text = isFloat(node) ? `(int64 ${raw})` : raw;
  return { raw, text, type: node.type, ...(node.op === 'literal' && { known: node.value }) };
}

/** A list as a value of an expression. */
function printList(node: ListNode, frame: Frame): string {
  if (!node.items.every((item) => isOneElement(item, frame))) return gatherList(node, frame);
  return ['list', ...node.items.map((item) => argument(printTyped(item, frame)))].join(' ');
}

/** A map as a value of an expression. */
function printMap(node: ObjectNode, frame: Frame): string {
  const parts = node.parts.map((part) => ({
    part,
    there: 'value' in part ? partPresence(node, part.value, frame) : undefined,
  }));
  if (!parts.every(({ there }) => there?.op === 'literal')) return gatherMap(node, frame);
  const pairs = parts.flatMap(({ part, there }) => {
    if (!('value' in part) || there === undefined || !isTrue(there)) return [];
    return [goString(part.key), argument(printTyped(part.value, frame))];
  });
  return ['dict', ...pairs].join(' ');
}

/** A map that actions fill before the line that uses it. */
export function gatherMap(node: ObjectNode, frame: Frame): string {
  const name = frame.fresh('map');
  const parts = node.parts.flatMap((part) => {
    if ('value' in part) return setKey(name, node, literal(part.key), part.value, frame);
    if ('spread' in part) return setAll(name, part.spread, frame);
    return printLoop(part, frame, '', (inner) => setKey(name, node, part.entryKey, part.body, inner));
  });
  frame.before(`{{- ${name} := dict }}`, ...parts);
  return name;
}

function setKey(name: string, map: ObjectNode, key: Node, given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  if (node.op === 'when') {
    const branch = (value: Node) => (inner: Frame) => setKey(name, map, key, value, inner);
    return printIf(node.condition, frame, '', branch(node.then), branch(node.else));
  }
  return printIf(partPresence(map, node, frame), frame, '', (inner) => {
    const [keyText, value] = [key, node].map((arg) => argument(printTyped(arg, inner)));
    return [...inner.flush(), `{{- $_ := set ${name} ${String(keyText)} ${String(value)} }}`];
  });
}

/** Sets every key of a map in another. */
function setAll(name: string, given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  if (node.op === 'when') {
    const branch = (value: Node) => (inner: Frame) => setAll(name, value, inner);
    return printIf(node.condition, frame, '', branch(node.then), branch(node.else));
  }
  const [key, value] = [frame.fresh('key'), frame.fresh('value')];
  const map = printRaw(node, frame);
  return [
    ...frame.flush(),
    `{{- range ${key}, ${value} := ${map} }}`,
    `{{- $_ := set ${name} ${key} ${value} }}`,
    '{{- end }}',
  ];
}

/** A list that a loop fills before the line that uses it. */
function gatherList(node: Node, frame: Frame): string {
  const name = frame.fresh('items');
  const actions = [`{{- ${name} := list }}`, ...appendTo(name, node, frame)];
  frame.before(...actions);
  return name;
}

function appendTo(name: string, given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'each':
      return printLoop(node, frame, '', (inner) => appendTo(name, node.body, inner));
    case 'when': {
      const branch = (value: Node) => (inner: Frame) => appendTo(name, value, inner);
      return printIf(node.condition, frame, '', branch(node.then), branch(node.else));
    }
    case 'list':
      if (node.path === undefined) return node.items.flatMap((item) => appendTo(name, item, frame));
      break;
    case 'spread': {
      const list = printRaw(node.list, frame);
      return [
        ...frame.flush(),
        `{{- ${name} = concat ${name} ${argument(node.list.type.optional ? `default list ${argument(list)}` : list)} }}`,
      ];
    }
    default:
  }
  return printIf(elementPresence(node, frame), frame, '', (inner) => {
    const value = argument(printTyped(node, inner));
    return [...inner.flush(), `{{- ${name} = append ${name} ${value} }}`];
  });
}

function printGather(node: Gather, frame: Frame): string {
  switch (node.how) {
    case 'some':
      return gatherInto(frame, 'found', 'false', node.loop, (name, inner) =>
        printIf(node.loop.body, inner, '', () => [`{{- ${name} = true }}`]),
      );
    case 'filter':
      return gatherInto(frame, 'kept', 'list', node.loop, (name, inner) => {
        const item = printRaw(
          { op: 'variable', variable: node.loop.item, type: { kind: 'unknown', optional: false } },
          inner,
        );
        return printIf(node.loop.body, inner, '', () => [`{{- ${name} = append ${name} ${argument(item)} }}`]);
      });
    case 'largest':
      return gatherInto(frame, 'largest', '0', node.loop, (name, inner) => {
        const value = argument(printTyped(node.loop.body, inner));
        return [...inner.flush(), `{{- ${name} = max ${name} ${value} }}`];
      });
    case 'sorted':
      return `sortAlpha (keys ${entriesOf(node.loop, frame)})`;
    case 'overlaps':
      return printOverlaps(entriesOf(node.loop, frame), frame);
  }
}

function gatherInto(
  frame: Frame,
  hint: string,
  start: string,
  loop: EachNode,
  body: (name: string, inner: Frame) => readonly string[],
): string {
  const name = frame.fresh(hint);
  const lines = printLoop(loop, frame, '', (inner) => body(name, inner));
  frame.before(`{{- ${name} := ${start} }}`, ...lines);
  return name;
}

/** A map whose keys are the texts of a loop: setting a key costs the same however many there are. */
function entriesOf(loop: EachNode, frame: Frame): string {
  return gatherInto(frame, 'entries', 'dict', loop, (name, inner) => setIn(name, loop.body, inner));
}

function setIn(name: string, given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'each':
      return printLoop(node, frame, '', (inner) => setIn(name, node.body, inner));
    case 'list':
      return node.items.flatMap((item) => setIn(name, item, frame));
    case 'when': {
      const branch = (value: Node) => (inner: Frame) => setIn(name, value, inner);
      return printIf(node.condition, frame, '', branch(node.then), branch(node.else));
    }
    default:
      return printIf(elementPresence(node, frame), frame, '', (inner) => {
        const key = argument(printTyped(node, inner));
        return [...inner.flush(), `{{- $_ := set ${name} ${key} true }}`];
      });
  }
}

function printOverlaps(entries: string, frame: Frame): string {
  const [found, cover, owner] = [frame.fresh('overlaps'), frame.fresh('cover'), frame.fresh('owner')];
  frame.before(
    `{{- ${found} := list }}`,
    `{{- ${cover} := "" }}`,
    `{{- ${owner} := "" }}`,
    `{{- range $entry := sortAlpha (keys ${entries}) }}`,
    '{{- $parts := splitn " " 2 $entry }}',
    `{{- if and (ne ${cover} "") (hasPrefix ${cover} $parts._0) }}`,
    `{{- ${found} = append ${found} (dict "first" ${owner} "second" $parts._1) }}`,
    '{{- else }}',
    `{{- ${cover} = $parts._0 }}`,
    `{{- ${owner} = $parts._1 }}`,
    '{{- end }}',
    '{{- end }}',
  );
  return found;
}

/** What a named template makes, as a value: an include gives text. */
function printIncluded(node: Include, frame: Frame): string {
  const included = printInclude(node, frame);
  if (node.type.kind === 'bool') return `eq (${included}) "true"`;
  return node.type.kind === 'map' ? `fromYaml (${included})` : included;
}

/** The text of a named template. */
export function printInclude(node: Include, frame: Frame): string {
  const name = frame.defines.nameOf(node.template);
  const parameters = Object.keys(node.template.parameters);
  if (parameters.length === 0) return `include "${name}" $`;
  const roots = [...rootsOf(node.template.body)].sort().map((root) => `"${root}" $.${root}`);
  const args = parameters.map((key) => `"${key}" ${argument(printRaw(node.args[key] ?? literal(undefined), frame))}`);
  return `include "${name}" (dict ${[...roots, ...args].join(' ')})`;
}

/** The built-in objects that a body reads: those an include with parameters must hand on. */
function rootsOf(body: Node): Set<string> {
  const roots = nodesIn(body).flatMap((node) =>
    node.op === 'values' ? ['Values'] : node.op === 'builtIn' ? [node.object] : [],
  );
  return new Set(roots);
}

/** The items of a container that is known now, with their keys. */
function knownItems(over: Node, frame: Frame): (readonly [Node, Node])[] | undefined {
  if (over.op === 'literal') {
    const { value } = over;
    if (typeof value !== 'object' || value === null) return [];
    if (Array.isArray(value)) return value.map((item: Json, i) => [literal(i), literal(item)] as const);
    return sortedKeys(value).map(
      (key) => [literal(key), literal((value as Readonly<Record<string, Json>>)[key])] as const,
    );
  }
  if (over.op === 'list' && over.items.every((item) => isOneElement(item, frame))) {
    return over.items.map((item, i) => [literal(i), item] as const);
  }
  if (over.op === 'object' && hasFixedKeys(over, frame)) {
    const byKey = new Map(over.parts.flatMap((part) => ('value' in part ? [[part.key, part.value] as const] : [])));
    return [...byKey].sort(([a], [b]) => compareUtf8(a, b)).map(([key, value]) => [literal(key), value] as const);
  }
  return undefined;
}

/** Whether a line uses the variable, not one whose name only begins so. */
function mentions(line: string, name: string): boolean {
  const at = line.indexOf(name);
  if (at < 0) return false;
  const after = line.charAt(at + name.length);
  return !/[A-Za-z0-9_]/.test(after) || mentions(line.slice(at + name.length), name);
}

import { isWhole } from './evaluate';
import { literal, BOOL, STRING, describe, type EachNode, type Gather, type Include, type Json, type Loop, type Node, type Template, type Value, type Variable } from './node';
import { OPERATIONS, type HelperTemplate, type Operand, type Operation } from './operations';
import { reduce, type Bindings } from './reduce';
import { sortedKeys } from './utf8';

/** The named templates that the printed parts of a chart include. */
export class Defines {
  readonly #names = new Map<Template, string>();
  readonly #helpers = new Map<string, HelperTemplate>();

  /** @param chart the chart's name: subcharts share one space of names */
  constructor(readonly chart: string) {}

  /** The name under which the template is included. Two templates of one name are told apart by a number. */
  nameOf(template: Template): string {
    const known = this.#names.get(template);
    if (known !== undefined) return known;
    const taken = new Set(this.#names.values());
    const base = `${this.chart}.${template.name}`;
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}${String(i)}`;
    this.#names.set(template, name);
    return name;
  }

  helper(template: HelperTemplate): string {
    this.#helpers.set(template.name, template);
    return `${this.chart}.${template.name}`;
  }

  get templates(): ReadonlyMap<Template, string> {
    return this.#names;
  }

  get helpers(): readonly HelperTemplate[] {
    return [...this.#helpers.values()];
  }
}

/**
 * A place in a template: the names of the variables in reach, and the actions that must run before the line that is
 * being printed, because Go's expressions have no loops.
 */
export class Frame {
  readonly #before: string[] = [];
  readonly #taken: Set<string>;

  constructor(
    readonly defines: Defines,
    readonly names: ReadonlyMap<Variable, string> = new Map(),
    readonly bindings: Bindings = new Map(),
    taken: Iterable<string> = [],
  ) {
    this.#taken = new Set(taken);
  }

  /** A variable name that nothing in reach has. */
  fresh(hint: string): string {
    let name = `$${hint}`;
    for (let i = 2; this.#taken.has(name); i++) name = `$${hint}${String(i)}`;
    this.#taken.add(name);
    return name;
  }

  inner(names: readonly (readonly [Variable, string])[], bindings: readonly (readonly [Variable, Node])[] = []): Frame {
    return new Frame(this.defines, new Map([...this.names, ...names]), new Map([...this.bindings, ...bindings]), this.#taken);
  }

  before(...actions: readonly string[]): void {
    this.#before.push(...actions);
  }

  /** The actions that the next line needs before it. */
  flush(indent: string): string[] {
    return this.#before.splice(0).map((action) => indent + action);
  }

  reduce(node: Node): Node {
    return reduce(node, this.bindings);
  }
}

/** The Go template expression for a node, as it stands in the values (a number may be a float64). */
export function printRaw(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'literal':
      return printLiteral(node.value);
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
      return printChoice(node.condition, node.then, node.else, frame);
    case 'object':
    case 'list':
      return printContainer(node, frame);
    case 'each':
    case 'spread':
      return gatherList(node, frame);
    case 'gather':
      return printGather(node, frame);
    case 'include':
      return printInclude(node, frame);
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

/** Whether it is an integer of the values: Helm reads these as float64. */
export function isFloat(node: Node): boolean {
  if (node.type.kind !== 'int') return false;
  if (node.op === 'variable') return node.variable.counts !== true;
  return node.op === 'field' || (node.op === 'call' && node.operation.name === 'lookup');
}

/** The expression as an argument of another one. */
export function argument(text: string): string {
  return /^[^\s"()]+$|^\([^\s"()]+\)(?:\.\w+)+$|^"(?:[^"\\]|\\.)*"$/.test(text) ? text : `(${text})`;
}

/** A loop: an action around the lines of its body, or these lines once for each item that is known now. */
export function printLoop(loop: Loop, frame: Frame, indent: string, body: (inner: Frame) => readonly string[]): string[] {
  const over = frame.reduce(loop.over);
  const known = knownItems(over);
  if (loop.binds === true && known?.[0] !== undefined) return printBinding(loop, known[0][1], frame, indent, body);
  if (known !== undefined) {
    return known.flatMap(([key, item]) => body(frame.inner([], [[loop.key, key], [loop.item, item]])));
  }
  const expression = printRaw(over, frame);
  const inner = frame.inner([]);
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
function printBinding(loop: Loop, value: Node, frame: Frame, indent: string, body: (inner: Frame) => readonly string[]): string[] {
  const reduced = frame.reduce(value);
  if (reduced.op === 'literal') return [...body(frame.inner([], [[loop.item, reduced]]))];
  const name = frame.fresh(loop.item.hint);
  const actions = assign(name, ':=', reduced, frame).map((line) => indent + line);
  return [...actions, ...body(frame.inner([[loop.item, name]]))];
}

/** A condition around lines; a decided one needs no action. */
export function printIf(condition: Node, frame: Frame, indent: string, then: (inner: Frame) => readonly string[], otherwise?: (inner: Frame) => readonly string[]): string[] {
  const decided = frame.reduce(condition);
  if (decided.op === 'literal') return [...((decided.value === true ? then : otherwise)?.(frame) ?? [])];
  const expression = printCondition(decided, frame);
  const before = frame.flush(indent);
  const [yes, no] = [then(frame.inner([])), otherwise?.(frame.inner([])) ?? []];
  if (yes.length === 0 && no.length === 0) return before;
  if (yes.length === 0) return [...before, `${indent}{{- if ${negated(expression)} }}`, ...no, `${indent}{{- end }}`];
  return [...before, `${indent}{{- if ${expression} }}`, ...yes, ...(no.length > 0 ? [`${indent}{{- else }}`, ...no] : []), `${indent}{{- end }}`];
}

/** A condition of an `if`: what is not empty is true in Go templates, so it needs no question. */
function printCondition(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  if (node.op !== 'call') return printTyped(node, frame);
  const { operation, args } = node;
  const [only] = args.map((arg) => frame.reduce(arg));
  if (operation.name === 'isEmpty') return `not ${argument(printRaw(only as Node, frame))}`;
  if (operation.name === 'not' && only?.op === 'call' && only.operation.name === 'isEmpty') return printRaw(only.args[0] as Node, frame);
  if (operation.name === 'and' || operation.name === 'or') {
    return [operation.name, ...args.map((arg) => argument(printCondition(arg, frame)))].join(' ');
  }
  return printTyped(node, frame);
}

function negated(expression: string): string {
  return `not ${argument(expression)}`;
}

/** The condition under which an entry or an element is there. */
export function presence(given: Node, frame: Frame): Node {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'object':
      if (node.parts.length === 0) return literal(node.path === undefined);
      return or(
        node.parts.map((part) => {
          if ('value' in part) return presence(part.value, frame);
          return 'spread' in part ? not(call('isEmpty', part.spread)) : anyItem(part, frame);
        }),
        frame,
      );
    case 'list':
      return node.items.length === 0 ? literal(node.path === undefined) : or(node.items.map((item) => presence(item, frame)), frame);
    case 'when':
      return or(
        [
          and([node.condition, presence(node.then, frame)], frame),
          and([not(node.condition), presence(node.else, frame)], frame),
        ],
        frame,
      );
    case 'each':
      return anyItem(node, frame);
    case 'spread':
      return not(call('isEmpty', node.list));
    default:
      if (isWhole(node) && node.op !== 'include') return frame.reduce(not(call('isEmpty', node)));
      return node.type.optional ? frame.reduce(call('isSet', node)) : literal(true);
  }
}

function call(name: keyof typeof OPERATIONS, ...args: readonly Node[]): Node {
  return { op: 'call', operation: OPERATIONS[name], args, type: BOOL };
}

function not(node: Node): Node {
  return call('not', node);
}

function or(nodes: readonly Node[], frame: Frame): Node {
  return frame.reduce(nodes.length === 1 ? (nodes[0] as Node) : call('or', ...nodes));
}

function and(nodes: readonly Node[], frame: Frame): Node {
  return frame.reduce(call('and', ...nodes));
}

/** The condition under which one item's body is there. */
function anyItem(loop: Loop, frame: Frame): Node {
  const body = presence(loop.body, frame);
  if (body.op === 'literal') return body.value === true ? not(call('isEmpty', loop.over)) : literal(false);
  return { op: 'gather', how: 'some', loop: { ...loop, op: 'each', body, type: BOOL }, type: BOOL };
}

/** A Go literal. Its escapes are those of JSON, and code points that a reader would not see are escaped too. */
export function printLiteral(value: Value): string {
  if (value === undefined || value === null) return 'nil';
  if (typeof value === 'string') return goString(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return ['list', ...value.map((item: Json) => argument(printLiteral(item)))].join(' ');
  const pairs = sortedKeys(value).flatMap((key) => [goString(key), argument(printLiteral((value as Readonly<Record<string, Json>>)[key]))]);
  return ['dict', ...pairs].join(' ');
}

function goString(text: string): string {
  // eslint-disable-next-line no-control-regex -- what a template should not hold as it is
  return JSON.stringify(text).replace(/[\u007f-\u00a0\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function unbound(node: Node): never {
  throw new TypeError(`${describe(node)} is used outside the loop or the named template that it belongs to`);
}

function printField(of: Node, key: string, frame: Frame): string {
  const base = printRaw(of, frame);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `index ${argument(base)} ${goString(key)}`;
  return `${of.type.optional && !base.startsWith('(') ? `(${base})` : argument(base)}.${key}`;
}

function printCall(operation: Operation, args: readonly Node[], frame: Frame): string {
  const [only] = args.map((arg) => frame.reduce(arg));
  if (operation.name === 'not' && only?.op === 'call' && only.operation.name === 'isSet') {
    return `kindIs "invalid" ${argument(printRaw(only.args[0] as Node, frame))}`;
  }
  if (operation.name === 'choose' && !args.every((arg) => isTotal(arg, frame))) {
    const name = frame.fresh('chosen');
    frame.before(...assign(name, ':=', { op: 'call', operation, args, type: STRING }, frame));
    return name;
  }
  const operands = args.map((arg) => operandOf(arg, frame));
  if (typeof operation.print !== 'function') {
    return `include "${frame.defines.helper(operation.print)}" ${operands[0]?.text ?? '.'}`;
  }
  return operation.name === 'text' ? printText(operation.print, args, operands, frame) : operation.print(...operands);
}

/** The literal parts of a text stand in its format. */
/** Whether the expression gives something whatever its operands are, so that it may stand in a branch not taken. */
function isTotal(given: Node, frame: Frame): boolean {
  const node = frame.reduce(given);
  if (node.op !== 'call') return node.op !== 'gather' && (node.op !== 'include' || Object.keys(node.args).length === 0);
  return typeof node.operation.print === 'function' && TOTAL.has(node.operation.name) && node.args.every((arg) => isTotal(arg, frame));
}

const TOTAL: ReadonlySet<string> = new Set(['text', 'orElse', 'choose', 'eq', 'ne', 'not', 'and', 'or', 'isSet', 'isEmpty', 'add', 'sub', 'mul', 'lookup', 'hasKey']);

/** Actions that give a variable one of two values, of which only the one is computed. */
function assign(name: string, how: ':=' | '=', given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  if (node.op === 'call' && node.operation.name === 'choose' && !node.args.every((arg) => isTotal(arg, frame))) {
    const [condition, then, otherwise] = node.args as [Node, Node, Node];
    const declared = how === ':=' ? [`{{- ${name} := "" }}`] : [];
    return [...declared, ...indented(printIf(condition, frame, '', (inner) => assign(name, '=', then, inner), (inner) => assign(name, '=', otherwise, inner)))];
  }
  const value = printTyped(node, frame);
  return [...frame.flush(''), `{{- ${name} ${how} ${value} }}`];
}

/** Lines that hold actions only may be indented as a program is: the actions take the white space away. */
export function indented(lines: readonly string[]): string[] {
  let depth = 0;
  return lines.map((line) => {
    const closes = /^\{\{- (?:end|else)/.test(line);
    if (closes) depth--;
    const made = '  '.repeat(Math.max(depth, 0)) + line;
    if (/^\{\{- (?:if|range|with|else)/.test(line)) depth++;
    return made;
  });
}

function printText(print: (...operands: Operand[]) => string, args: readonly Node[], operands: readonly Operand[], frame: Frame): string {
  const parts = args.map((arg, i) => ({ node: frame.reduce(arg), operand: operands[i] as Operand }));
  if (parts.length === 1) return print(...operands);
  const format = parts.map(({ node, operand }) => {
    if (node.op === 'literal') return goString(String(node.value)).slice(1, -1).replaceAll('%', '%%');
    return operand.type.kind === 'int' ? '%d' : operand.type.kind === 'bool' ? '%t' : '%s';
  });
  const rest = parts.filter(({ node }) => node.op !== 'literal').map(({ operand }) => operand.text);
  return [`printf "${format.join('')}"`, ...rest].join(' ');
}

function operandOf(given: Node, frame: Frame): Operand {
  const node = frame.reduce(given);
  const raw = argument(printRaw(node, frame));
  return { raw, text: isFloat(node) ? `(int64 ${raw})` : raw, type: node.type };
}

function printChoice(condition: Node, then: Node, otherwise: Node, frame: Frame): string {
  return `ternary ${argument(printTyped(then, frame))} ${argument(printTyped(otherwise, frame))} ${argument(printTyped(condition, frame))}`;
}

function printContainer(node: Extract<Node, { op: 'object' | 'list' }>, frame: Frame): string {
  if (node.op === 'list') {
    if (node.items.some((item) => item.op === 'when' || item.op === 'each' || item.op === 'spread')) return gatherList(node, frame);
    return ['list', ...node.items.map((item) => argument(printTyped(item, frame)))].join(' ');
  }
  const pairs = node.parts.flatMap((part) => {
    if (!('value' in part)) throw new TypeError('a map with computed keys can stand in a manifest only');
    const value = frame.reduce(part.value);
    if (value.op === 'literal' && value.value === undefined) return [];
    return [goString(part.key), argument(printTyped(value, frame))];
  });
  return ['dict', ...pairs].join(' ');
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
    case 'when':
      return printIf(node.condition, frame, '', (inner) => appendTo(name, node.then, inner), (inner) => appendTo(name, node.else, inner));
    case 'list':
      return node.items.flatMap((item) => appendTo(name, item, frame));
    case 'spread': {
      const list = printRaw(node.list, frame);
      return [...frame.flush(''), `{{- ${name} = concat ${name} ${argument(list)} }}`];
    }
    default: {
      if (node.op === 'literal' && node.value === undefined) return [];
      const value = printTyped(node, frame);
      return [...frame.flush(''), `{{- ${name} = append ${name} ${argument(value)} }}`];
    }
  }
}

function printGather(node: Gather, frame: Frame): string {
  switch (node.how) {
    case 'some':
      return gatherInto(frame, 'found', 'false', node.loop, (name, inner) =>
        printIf(node.loop.body, inner, '', () => [`{{- ${name} = true }}`]),
      );
    case 'filter':
      return gatherInto(frame, 'kept', 'list', node.loop, (name, inner) => {
        const item = printRaw({ op: 'variable', variable: node.loop.item, type: { kind: 'unknown', optional: false } }, inner);
        return printIf(node.loop.body, inner, '', () => [`{{- ${name} = append ${name} ${argument(item)} }}`]);
      });
    case 'sorted':
      return `sortAlpha (keys ${entriesOf(node.loop, frame)})`;
    case 'overlaps':
      return printOverlaps(entriesOf(node.loop, frame), frame);
  }
}

function gatherInto(frame: Frame, hint: string, start: string, loop: EachNode, body: (name: string, inner: Frame) => readonly string[]): string {
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
    case 'when':
      return printIf(node.condition, frame, '', (inner) => setIn(name, node.then, inner), (inner) => setIn(name, node.else, inner));
    default: {
      if (node.op === 'literal' && typeof node.value !== 'string') return [];
      const key = printTyped(node, frame);
      return [...frame.flush(''), `{{- $_ := set ${name} ${argument(key)} true }}`];
    }
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

function printInclude(node: Include, frame: Frame): string {
  const name = frame.defines.nameOf(node.template);
  const parameters = Object.keys(node.template.parameters);
  if (parameters.length === 0) return `include "${name}" $`;
  const roots = [...rootsOf(node.template.body)].sort().map((root) => `"${root}" $.${root}`);
  const args = parameters.map((key) => `"${key}" ${argument(printTyped(node.args[key] ?? literal(undefined), frame))}`);
  return `include "${name}" (dict ${[...roots, ...args].join(' ')})`;
}

/** The built-in objects that a body reads: those an include with parameters must hand on. */
function rootsOf(node: Node): Set<string> {
  const roots = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { op, object } = value as { op?: string; object?: string };
    if (op === 'values') roots.add('Values');
    if (op === 'builtIn' && object !== undefined) roots.add(object);
    for (const [key, child] of Object.entries(value)) if (key !== 'type' && key !== 'path') visit(child);
  };
  visit(node);
  return roots;
}

/** The items of a container that is known now, with their keys. */
function knownItems(over: Node): (readonly [Node, Node])[] | undefined {
  if (over.op === 'literal') {
    const { value } = over;
    if (typeof value !== 'object' || value === null) return [];
    if (Array.isArray(value)) return value.map((item: Json, i) => [literal(i), literal(item)] as const);
    return sortedKeys(value).map((key) => [literal(key), literal((value as Readonly<Record<string, Json>>)[key])] as const);
  }
  if (over.op === 'list' && over.items.every((item) => item.op !== 'when' && item.op !== 'each' && item.op !== 'spread')) {
    return over.items.map((item, i) => [literal(i), item] as const);
  }
  if (over.op === 'object' && over.parts.every((part) => 'value' in part)) {
    const byKey = new Map(over.parts.map((part) => ('value' in part ? [part.key, part.value] : unbound(over))));
    return sortedKeys(Object.fromEntries(byKey)).map((key) => [literal(key), byKey.get(key) as Node] as const);
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

import {
  describe,
  scalarText,
  type EachNode,
  type EntryLoop,
  type Gather,
  type Include,
  type Json,
  type Loop,
  type Node,
  type ObjectNode,
  type TextNode,
  type Value,
  type Variable,
  type VariableRef,
} from './node';
import type { Operation } from './operations';
import { compareUtf8, sortedKeys } from './utf8';

/** What Helm would know when it installs the chart. */
export interface Environment {
  readonly values: Json;
  readonly release: Release;
  readonly chart: ChartIdentity;
}

/** The release that the objects belong to. */
export interface Release {
  /** The name of the release: `helm install NAME`. */
  readonly name: string;
  readonly namespace: string;
  /** The tool that manages the objects: `Helm` in a Helm release. */
  readonly service: string;
}

export interface ChartIdentity {
  readonly name: string;
  readonly version: string;
  readonly appVersion: string;
}

/** The items of the loops around a node, and the arguments of the named template that it stands in, the innermost first. */
export type Scope = { readonly variable: Variable; readonly value: Value; readonly outer: Scope } | undefined;

/**
 * The value of a node, when the values are known: the first reader of the tree.
 *
 * A key whose value is absent is dropped, and so is one whose map or list was written with entries and came out empty.
 */
export function evaluate(node: Node, env: Environment, scope?: Scope): Value {
  switch (node.op) {
    case 'literal':
      return node.value;
    case 'values':
      return env.values;
    case 'builtIn':
      return node.object === 'Release'
        ? field({ ...env.release }, lowerFirst(node.field))
        : field({ ...env.chart }, lowerFirst(node.field));
    case 'field':
      return field(evaluate(node.of, env, scope), node.key);
    case 'variable':
      return valueOf(node, scope);
    case 'call':
      return evaluateCall(
        node.operation,
        node.args.map((arg) => evaluate(arg, env, scope)),
      );
    case 'when':
      return evaluate(evaluate(node.condition, env, scope) === true ? node.then : node.else, env, scope);
    case 'object':
      return evaluateObject(node, env, scope);
    case 'list':
      return evaluateList(node.items, env, scope);
    case 'each':
      return evaluateEach(node, env, scope);
    case 'spread':
      return evaluate(node.list, env, scope);
    case 'gather':
      return evaluateGather(node, env, scope);
    case 'include':
      return evaluateInclude(node, env, scope);
    case 'text':
      return textLines(node, env, scope).join('\n');
  }
}

export function evaluateCall(operation: Operation, args: readonly Value[]): Value {
  return operation.evaluate(...args);
}

/** Whether the node is a map or a list as a whole, not one that is written out key by key. */
export function isWhole(node: Node): boolean {
  const { kind } = node.type;
  return (
    (kind === 'map' || kind === 'list' || kind === 'object') &&
    (node.path !== undefined || (node.op !== 'object' && node.op !== 'list'))
  );
}

/** The scopes of the items of a loop: a list in its order, a map in the UTF-8 order of its keys. */
export function* itemScopes(loop: Loop, env: Environment, scope: Scope): Generator<Scope> {
  const over = evaluate(loop.over, env, scope);
  if (over === undefined || over === null) return;
  const keys = Array.isArray(over) ? over.keys() : sortedKeys(over as object);
  for (const key of keys) {
    const value = (over as Readonly<Record<string | number, Json>>)[key];
    yield { variable: loop.item, value, outer: { variable: loop.key, value: key, outer: scope } };
  }
}

function field(of: Value, key: string): Value {
  return typeof of === 'object' && of !== null && !Array.isArray(of) && Object.hasOwn(of, key)
    ? (of as Readonly<Record<string, Json>>)[key]
    : undefined;
}

function valueOf(node: VariableRef, scope: Scope): Value {
  for (let at = scope; at !== undefined; at = at.outer) if (at.variable === node.variable) return at.value;
  throw new TypeError(`${describe(node)} is used outside the loop or the named template that it belongs to`);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function evaluateObject(node: ObjectNode, env: Environment, scope: Scope): Value {
  const made = new Map<string, Json>();
  const put = (key: string, value: Value): void => {
    if (value !== undefined && value !== null) made.set(key, value);
  };
  for (const part of node.parts) {
    if ('value' in part) {
      put(part.key, isOfValues(node) ? evaluate(part.value, env, scope) : entryValue(part.value, env, scope));
    } else if ('spread' in part) {
      for (const [key, value] of Object.entries(evaluate(part.spread, env, scope) ?? {})) made.set(key, value as Json);
    } else putEntries(part, env, scope, put);
  }
  return Object.fromEntries(made);
}

/** Whether a map or a list has a place in the values: it keeps what is empty. */
function isOfValues(node: Node): boolean {
  return node.path !== undefined;
}

/** A map or a list that is empty counts as absent, unless it was written so. */
function entryValue(node: Node, env: Environment, scope: Scope): Value {
  if (node.op === 'when') {
    return entryValue(evaluate(node.condition, env, scope) === true ? node.then : node.else, env, scope);
  }
  const value = evaluate(node, env, scope);
  const isKept = node.type.kind === 'unknown' || (isWrittenEmpty(node) && !isOfValues(node));
  return isEmptyContainer(value) && !isKept ? undefined : value;
}

function isEmptyContainer(value: Value): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** `{}` and `[]`. */
function isWrittenEmpty(node: Node): boolean {
  return (node.op === 'object' && node.parts.length === 0) || (node.op === 'list' && node.items.length === 0);
}

function putEntries(loop: EntryLoop, env: Environment, scope: Scope, put: (key: string, value: Value) => void): void {
  for (const inner of itemScopes(loop, env, scope)) {
    put(scalarText(evaluate(loop.entryKey, env, inner)), entryValue(loop.body, env, inner));
  }
}

function evaluateList(items: readonly Node[], env: Environment, scope: Scope): Value {
  return items.flatMap((item) => elements(item, env, scope));
}

/** What an item of a list stands for: itself, nothing, or several elements. */
function elements(item: Node, env: Environment, scope: Scope): readonly Json[] {
  if (item.op === 'list' && !isOfValues(item)) return item.items.flatMap((inner) => elements(inner, env, scope));
  if (item.op === 'when') {
    return elements(evaluate(item.condition, env, scope) === true ? item.then : item.else, env, scope);
  }
  const value = evaluate(item, env, scope);
  if (value === undefined || value === null) return [];
  if (item.op === 'object' && !isOfValues(item) && !isWrittenEmpty(item) && isEmptyContainer(value)) return [];
  const splices = item.op === 'each' || item.op === 'spread';
  return splices && Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function evaluateEach(loop: EachNode, env: Environment, scope: Scope): Value {
  return [...itemScopes(loop, env, scope)].flatMap((inner) => elements(loop.body, env, inner));
}

function evaluateGather(node: Gather, env: Environment, scope: Scope): Value {
  const { loop } = node;
  switch (node.how) {
    case 'some':
      for (const inner of itemScopes(loop, env, scope)) {
        if (evaluate(loop.body, env, inner) === true) return true;
      }
      return false;
    case 'filter': {
      const kept: Json[] = [];
      for (const inner of itemScopes(loop, env, scope)) {
        if (evaluate(loop.body, env, inner) === true) kept.push(inner?.value as Json);
      }
      return kept;
    }
    case 'largest':
      return Math.max(
        0,
        ...[...itemScopes(loop, env, scope)].map((inner) => evaluate(loop.body, env, inner) as number),
      );
    case 'sorted':
      return sortedTexts(loop, env, scope);
    case 'overlaps':
      return overlapsOf(sortedTexts(loop, env, scope));
  }
}

function sortedTexts(loop: EachNode, env: Environment, scope: Scope): string[] {
  return [...new Set(loopTexts(loop, env, scope))].sort(compareUtf8);
}

function* loopTexts(loop: EachNode, env: Environment, scope: Scope): Generator<string> {
  for (const inner of itemScopes(loop, env, scope)) yield* texts(loop.body, env, inner);
}

function* texts(body: Node, env: Environment, scope: Scope): Generator<string> {
  if (body.op === 'each') yield* loopTexts(body, env, scope);
  else if (body.op === 'list') for (const item of body.items) yield* texts(item, env, scope);
  else if (body.op === 'when')
    yield* texts(evaluate(body.condition, env, scope) === true ? body.then : body.else, env, scope);
  else {
    const value = evaluate(body, env, scope);
    if (typeof value === 'string') yield value;
  }
}

/** Neighbours of the sorted entries `<bits> <owner>` of which one holds the other. */
function overlapsOf(entries: readonly string[]): Json[] {
  const found: Json[] = [];
  let cover: readonly [string, string] | undefined;
  for (const entry of entries) {
    const at = entry.indexOf(' ');
    const [bits, owner] = at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    if (cover !== undefined && cover[0] !== '' && bits.startsWith(cover[0]))
      found.push({ first: cover[1], second: owner });
    else cover = [bits, owner];
  }
  return found;
}

function evaluateInclude(node: Include, env: Environment, scope: Scope): Value {
  const { parameters, body } = node.template;
  const inner = Object.entries(parameters).reduce<Scope>((outer, [name, variable]) => {
    const arg = node.args[name];
    return { variable, value: arg === undefined ? undefined : evaluate(arg, env, scope), outer };
  }, undefined);
  return evaluate(body, env, inner);
}

function textLines(node: TextNode, env: Environment, scope: Scope): string[] {
  return node.lines.flatMap((line) => {
    if ('block' in line)
      return blockLines(line.block, env, scope).map((text) => (text === '' ? '' : line.indent + text));
    return [
      line.segments
        .map((segment) => (typeof segment === 'string' ? segment : scalarText(evaluate(segment, env, scope))))
        .join(''),
    ];
  });
}

function blockLines(block: Node, env: Environment, scope: Scope): string[] {
  switch (block.op) {
    case 'text':
      return textLines(block, env, scope);
    case 'when':
      return blockLines(evaluate(block.condition, env, scope) === true ? block.then : block.else, env, scope);
    case 'each':
      return [...itemScopes(block, env, scope)].flatMap((inner) => blockLines(block.body, env, inner));
    case 'include': {
      const text = evaluateInclude(block, env, scope);
      return typeof text === 'string' && text !== '' ? text.split('\n') : [];
    }
    default: {
      const value = evaluate(block, env, scope);
      return value === undefined || value === null ? [] : [scalarText(value)];
    }
  }
}

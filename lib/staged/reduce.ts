import { evaluateCall } from './evaluate';
import { literal, type ListNode, type Node, type ObjectNode, type Variable } from './node';

/** What the printer knows of variables: the items of loops over containers that are known now. */
export type Bindings = ReadonlyMap<Variable, Node>;

/** Computes what is known already: fields of known objects, operations on literals, decided branches. */
export function reduce(node: Node, bindings: Bindings): Node {
  switch (node.op) {
    case 'variable': {
      const bound = bindings.get(node.variable);
      return bound === undefined ? node : reduce(bound, bindings);
    }
    case 'field': {
      const of = reduce(node.of, bindings);
      return fieldOf(of, node.key, bindings) ?? (of === node.of ? node : { ...node, of });
    }
    case 'call': {
      const args = node.args.map((arg) => reduce(arg, bindings));
      if (args.every((arg) => arg.op === 'literal'))
        return literal(
          evaluateCall(
            node.operation,
            args.map((arg) => arg.value),
          ),
        );
      return ofContainer(node.operation.name, args) ?? decided(node.operation.name, args) ?? { ...node, args };
    }
    case 'when': {
      const condition = reduce(node.condition, bindings);
      if (condition.op !== 'literal') return { ...node, condition };
      return reduce(condition.value === true ? node.then : node.else, bindings);
    }
    default:
      return node;
  }
}

function fieldOf(of: Node, key: string, bindings: Bindings): Node | undefined {
  if (of.op === 'literal') {
    const { value } = of;
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    return literal(isMap && Object.hasOwn(value, key) ? (value as Readonly<Record<string, never>>)[key] : undefined);
  }
  if (of.op !== 'object' || of.parts.some((part) => !('value' in part))) return undefined;
  const part = of.parts.find((candidate) => 'value' in candidate && candidate.key === key);
  return part !== undefined && 'value' in part ? reduce(part.value, bindings) : literal(undefined);
}

/** What is known of a container whose keys are known, although its values are not. */
function ofContainer(operation: string, [of, key]: readonly Node[]): Node | undefined {
  if (of?.op !== 'object' && of?.op !== 'list') return undefined;
  if (operation === 'isSet') return literal(true);
  const size = fixedSize(of);
  if (size === undefined) return undefined;
  if (operation === 'isEmpty') return literal(size === 0);
  if (operation === 'count') return literal(size);
  if (operation === 'hasKey' && key?.op === 'literal' && of.op === 'object') {
    return literal(of.parts.some((part) => 'value' in part && part.key === key.value));
  }
  return undefined;
}

/** How many items a container has, where that does not depend on the values. */
function fixedSize(of: ObjectNode | ListNode): number | undefined {
  if (of.op === 'list') return of.items.every((item) => isOne(item, of)) ? of.items.length : undefined;
  const keys = of.parts.flatMap((part) => ('value' in part && isOne(part.value, of) ? [part.key] : []));
  return keys.length === of.parts.length ? new Set(keys).size : undefined;
}

/** Whether a part of a container is there whatever the values are: outside of the values, empty maps and lists are not. */
function isOne(part: Node, container: Node): boolean {
  if (part.type.optional || part.op === 'when' || part.op === 'each' || part.op === 'spread') return false;
  return container.path !== undefined || !['map', 'list', 'object'].includes(part.type.kind);
}

/** `and` and `or` are often decided by one literal; what is left needs no mention of it. */
function decided(operation: string, args: readonly Node[]): Node | undefined {
  if (operation === 'isSet' && args[0]?.type.optional === false && args[0].op !== 'variable') return literal(true);
  if (operation === 'not' && args[0]?.op === 'call' && args[0].operation.name === 'not') return args[0].args[0];
  if (operation === 'orElse' && args[0]?.type.optional === false) return args[0];
  if (operation !== 'and' && operation !== 'or') return undefined;
  const deciding = operation === 'or';
  if (args.some((arg) => arg.op === 'literal' && arg.value === deciding)) return literal(deciding);
  const open = args.filter((arg) => arg.op !== 'literal');
  return open.length === 1 ? open[0] : undefined;
}

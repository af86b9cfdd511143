import type { Frame } from './frame';
import { nodesIn, type Node } from './node';

/*
 * `whenSet` promises its body a value that is there. Go evaluates the arguments of a function in any case, so what
 * relies on a promise must not be an argument of a choice: these questions tell.
 */

/** Operations that give something, although perhaps nothing of use, where an operand is absent. */
const TAKES_ABSENT: ReadonlySet<string> = new Set([
  'text',
  'orElse',
  'eq',
  'ne',
  'not',
  'and',
  'or',
  'isSet',
  'isEmpty',
  'add',
  'sub',
  'mul',
  'json',
]);

/** Whether the expression may stand in a branch that is not taken, where what `whenSet` promises is not so. */
export function isSafe(given: Node, frame: Frame): boolean {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'literal':
    case 'values':
    case 'builtIn':
    case 'variable':
      return true;
    case 'field':
      return isSafe(node.of, frame);
    case 'when':
      return isSafeChoice([node.condition, node.then, node.else], frame);
    case 'call':
      if (node.operation.name === 'choose') return isSafeChoice(node.args, frame);
      return node.args.every(
        (arg) => isSafe(arg, frame) && (TAKES_ABSENT.has(node.operation.name) || !mayBeAbsent(arg, frame)),
      );
    default:
      return !nodesIn(node).some(({ promised }) => promised === true);
  }
}

/** A choice takes absent values, but no absent condition. */
export function isSafeChoice(args: readonly Node[], frame: Frame): boolean {
  return args.every((arg) => isSafe(arg, frame)) && !mayBeAbsent(args[0] as Node, frame);
}

/** Whether the value may be absent in a branch that is not taken. */
function mayBeAbsent(given: Node, frame: Frame): boolean {
  const node = frame.reduce(given);
  if (given.promised === true || node.promised === true) return true;
  const branches = branchesOf(node)?.slice(1);
  if (branches !== undefined) return branches.some((branch) => mayBeAbsent(branch, frame));
  if (node.op === 'call' && node.operation.name === 'orElse') return mayBeAbsent(node.args[1] as Node, frame);
  if (node.op === 'call' && (node.operation.name === 'and' || node.operation.name === 'or')) {
    return node.args.some((arg) => mayBeAbsent(arg, frame));
  }
  return node.type.optional;
}

/** The condition and the two branches of a choice. */
export function branchesOf(node: Node): readonly Node[] | undefined {
  if (node.op === 'when') return [node.condition, node.then, node.else];
  return node.op === 'call' && node.operation.name === 'choose' ? node.args : undefined;
}

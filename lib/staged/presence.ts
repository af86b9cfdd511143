import { isWhole } from './evaluate';
import { Frame } from './frame';
import { BOOL, literal, type Include, type Loop, type Node, type ObjectNode, type WhenNode } from './node';
import { OPERATIONS } from './operations';

/*
 * Whether what a node stands for is there when the chart is installed, as a condition: the printer asks it before it
 * prints a key or a dash, and follows the same rules as `evaluate`.
 */

/** The condition under which an entry of a map is there: it is absent, or it came out empty. */
export function entryPresence(given: Node, frame: Frame): Node {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'object':
      return node.parts.length === 0 ? literal(node.path === undefined) : anyPart(node, frame);
    case 'list':
      return node.items.length === 0
        ? literal(node.path === undefined)
        : or(
            node.items.map((item) => elementPresence(item, frame)),
            frame,
          );
    case 'when':
      return either(node, frame, entryPresence);
    case 'each':
      return anyItem(node, elementPresence, frame);
    case 'spread':
      return not(call('isEmpty', node.list));
    case 'include':
      return isAlwaysFilled(node, frame) ? literal(true) : not(call('isEmpty', node));
    default:
      return isWhole(node) ? frame.reduce(not(call('isEmpty', node))) : setness(node, frame);
  }
}

/** The condition under which an element of a list is there: an empty one is, unless it was written with entries. */
export function elementPresence(given: Node, frame: Frame): Node {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'object':
      return node.parts.length === 0 || node.path !== undefined ? literal(true) : anyPart(node, frame);
    case 'list':
      if (node.path !== undefined) return literal(true);
      return node.items.length === 0 ? literal(false) : entryPresence(node, frame);
    case 'when':
      return either(node, frame, elementPresence);
    case 'each':
    case 'spread':
      return entryPresence(node, frame);
    default:
      return setness(node, frame);
  }
}

/** Whether a named part is there whatever the values are: a scalar and a text always are, a map perhaps. */
export function isAlwaysFilled({ template: { body } }: Include, frame: Frame): boolean {
  return body.op !== 'object' || isTrue(entryPresence(body, new Frame(frame.defines)));
}

function setness(node: Node, frame: Frame): Node {
  return node.type.optional ? frame.reduce(call('isSet', node)) : literal(true);
}

function anyPart(node: ObjectNode, frame: Frame): Node {
  return or(
    node.parts.map((part) => {
      if ('value' in part) return entryPresence(part.value, frame);
      return 'spread' in part ? not(call('isEmpty', part.spread)) : anyItem(part, entryPresence, frame);
    }),
    frame,
  );
}

function either(node: WhenNode, frame: Frame, presence: (given: Node, frame: Frame) => Node): Node {
  return or(
    [
      and([node.condition, presence(node.then, frame)], frame),
      and([not(node.condition), presence(node.else, frame)], frame),
    ],
    frame,
  );
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
function anyItem(loop: Loop, presence: (given: Node, frame: Frame) => Node, frame: Frame): Node {
  const body = presence(loop.body, frame);
  if (body.op === 'literal') return body.value === true ? not(call('isEmpty', loop.over)) : literal(false);
  return { op: 'gather', how: 'some', loop: { ...loop, op: 'each', body, type: BOOL }, type: BOOL };
}

/** The condition under which a part of a map is there. A map of the values keeps what is empty. */
export function partPresence(map: ObjectNode, value: Node, frame: Frame): Node {
  return map.path === undefined ? entryPresence(value, frame) : setness(frame.reduce(value), frame);
}

export function isTrue(node: Node): boolean {
  return node.op === 'literal' && node.value === true;
}

/** Whether every key of a map is known, and there. */
export function hasFixedKeys(map: ObjectNode, frame: Frame): boolean {
  return map.parts.every((part) => 'value' in part && isTrue(partPresence(map, part.value, frame)));
}

/** Whether an item of a list stands for exactly one element. */
export function isOneElement(given: Node, frame: Frame): boolean {
  const node = frame.reduce(given);
  if (node.op === 'when' || node.op === 'each' || node.op === 'spread') return false;
  if (node.op === 'list' && node.path === undefined) return false;
  return isTrue(elementPresence(node, frame));
}

import type { Frame } from './frame';
import { goString } from './go-literal';
import { isFloat, printIf, printLoop, printRaw } from './print-expression';
import { literal, scalarText, type Node, type TextNode } from './node';

/** Literal text in a template: only the opening braces of an action need an escape. */
export function escapeActions(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}

/** An action that prints a scalar as it is, in text. */
export function textAction(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  if (node.op === 'literal') return escapeActions(scalarText(node.value));
  const raw = printRaw(node, frame);
  return isFloat(node) ? `{{ ${raw} | int64 }}` : `{{ ${raw} }}`;
}

/**
 * The lines of a configuration text as a template. Actions stand alone on their line and take the newline before them
 * away, so what is left are the lines of the file.
 */
export function printTextLines(node: TextNode, frame: Frame, indent = ''): string[] {
  return node.lines.flatMap((line) => {
    if ('block' in line) return printBlock(line.block, frame, indent + line.indent);
    const text = printSegments(line.segments, frame);
    return [...frame.flush(), text === '' ? '' : indent + text];
  });
}

/** Literal text is joined before its braces are escaped, and the actions after it must not meet one. */
function printSegments(segments: readonly (string | Node)[], frame: Frame): string {
  let printed = '';
  let literals = '';
  for (const segment of segments) {
    const node = typeof segment === 'string' ? literal(segment) : frame.reduce(segment);
    if (node.op === 'literal') literals += scalarText(node.value);
    else {
      printed += escapeActions(literals).replace(/\{$/, '{{ "{" }}') + textAction(node, frame);
      literals = '';
    }
  }
  return printed + escapeActions(literals).replace(/[ \t]+$/, (space) => `{{ ${goString(space)} }}`);
}

function printBlock(given: Node, frame: Frame, indent: string): string[] {
  const block = frame.reduce(given);
  switch (block.op) {
    case 'text':
      return printTextLines(block, frame, indent);
    case 'when': {
      const branch = (body: Node) => (inner: Frame) => printBlock(body, inner, indent);
      return printIf(block.condition, frame, '', branch(block.then), branch(block.else));
    }
    case 'each':
      return printLoop(block, frame, '', (inner) => printBlock(block.body, inner, indent));
    case 'include': {
      const text = printRaw(block, frame);
      return [...frame.flush(), `{{- ${text} | nindent ${String(indent.length)} }}`];
    }
    default: {
      if (block.op === 'literal' && block.value === undefined) return [];
      const text = printSegments([block], frame);
      return [...frame.flush(), indent + text];
    }
  }
}

import { type Frame, isFloat, printIf, printLoop, printRaw } from './print-expression';
import type { Node, TextNode } from './node';

/** Literal text in a template: only the opening braces of an action need an escape. */
export function escapeActions(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}

/** An action that prints a scalar as it is, in text. */
export function textAction(given: Node, frame: Frame): string {
  const node = frame.reduce(given);
  if (node.op === 'literal') return escapeActions(String(node.value));
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
    const text = line.segments.map((segment) => (typeof segment === 'string' ? escapeActions(segment) : textAction(segment, frame))).join('');
    return [...frame.flush(''), text === '' ? '' : indent + text];
  });
}

function printBlock(given: Node, frame: Frame, indent: string): string[] {
  const block = frame.reduce(given);
  switch (block.op) {
    case 'text':
      return printTextLines(block, frame, indent);
    case 'when':
      return printIf(block.condition, frame, '', (inner) => printBlock(block.then, inner, indent), (inner) => printBlock(block.else, inner, indent));
    case 'each':
      return printLoop(block, frame, '', (inner) => printBlock(block.body, inner, indent));
    case 'include': {
      const text = printRaw(block, frame);
      const place = indent === '' ? `nindent 0` : `nindent ${String(indent.length)}`;
      return [...frame.flush(''), `{{- ${text} | ${place} }}`];
    }
    default:
      if (block.op === 'literal' && block.value === undefined) return [];
      return [indent + textAction(block, frame)];
  }
}

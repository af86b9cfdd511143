import type { z } from 'zod';
import { expr, nodeOf, type Expr, type Node, type Template, type Variable } from './node';
import { staticType } from './schema';
import { contentOf, refAt, type Ref, type Staged } from './stage';

type Parameters = Readonly<Record<string, z.ZodType>>;
type Refs<P extends Parameters> = { readonly [K in keyof P]: Ref<z.output<P[K]>> };
type Arguments<P extends Parameters> = { readonly [K in keyof P]: Staged<z.output<P[K]>> };

/**
 * A part of the model with a name of its own: a `define` in the chart, whose name begins with the chart's. The body is
 * a text, a map, or a scalar; a loop variable reaches it only as a parameter.
 *
 * @param name lower camel case, unique in the construct
 * @param parameters the schema of each parameter
 */
export function named<P extends Parameters, T>(name: string, parameters: P, body: (parameters: Refs<P>) => Expr<T>): (...args: keyof P extends never ? [] : [Arguments<P>]) => Expr<T> {
  const variables = Object.fromEntries(Object.keys(parameters).map((key): [string, Variable] => [key, { hint: key }]));
  const bound = Object.fromEntries(
    Object.entries(parameters).map(([key, schema]) => [key, refAt(schema, { op: 'variable', variable: variables[key] as Variable, type: staticType(schema) })]),
  );
  const node = nodeOf(body(bound as Refs<P>));
  assertPrintable(name, node);
  const template: Template = Object.freeze({ name, parameters: variables, body: node });
  return (...args) => {
    const given = Object.fromEntries(Object.entries(args[0] ?? {}).map(([key, value]) => [key, contentOf(value)]));
    return expr({ op: 'include', template, args: given, type: { ...node.type, ...(node.op === 'text' && { kind: 'string' }) } });
  };
}

function assertPrintable(name: string, node: Node): void {
  if (node.op !== 'text') return;
  const [first] = node.lines;
  const start = first !== undefined && 'segments' in first ? first.segments[0] : undefined;
  if (typeof start !== 'string' || start.startsWith(' ')) {
    throw new TypeError(`named(${JSON.stringify(name)}): the first line of a text begins with a literal word, so that it is never empty`);
  }
}

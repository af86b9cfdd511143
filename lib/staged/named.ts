import { z } from 'zod';
import { describe, expr, nodeOf, type Expr, type Node, type Template, type Variable } from './node';
import { staticType } from './schema';
import { refAt, stage, type Ref, type Staged } from './stage';

type Parameters = Readonly<Record<string, z.ZodType>>;
type Refs<P extends Parameters> = { readonly [K in keyof P]: Ref<z.output<P[K]>> };
type Arguments<P extends Parameters> = Staged<z.input<z.ZodObject<P>>>;

/**
 * A part of the model with a name of its own: a `define` in the chart, whose name begins with the chart's. The body is
 * a text, a map, or a scalar; a loop variable reaches it only as a parameter.
 *
 * @param name lower camel case, unique in the construct
 * @param parameters the schema of each parameter
 */
export function named<P extends Parameters, T>(
  name: string,
  parameters: P,
  body: (parameters: Refs<P>) => Expr<T>,
): (...args: keyof P extends never ? [] : [Arguments<P>]) => Expr<T> {
  const variables = Object.fromEntries(Object.keys(parameters).map((key): [string, Variable] => [key, { hint: key }]));
  const bound = Object.fromEntries(
    Object.entries(parameters).map(([key, schema]) => [
      key,
      refAt(schema, { op: 'variable', variable: variables[key] as Variable, type: staticType(schema) }),
    ]),
  );
  const node = nodeOf(body(bound as Refs<P>));
  assertPrintable(name, node, Object.keys(parameters));
  const template: Template = Object.freeze({ name, parameters: variables, body: node });
  const schema = z.strictObject(parameters);
  return (...args) => {
    const given = stage(schema, (args[0] ?? {}) as never) as unknown as Readonly<Record<string, Expr<unknown>>>;
    const nodes = Object.fromEntries(Object.keys(parameters).map((key) => [key, nodeOf(given[key] as Expr<unknown>)]));
    return expr({ op: 'include', template, args: nodes, type: node.type });
  };
}

function assertPrintable(name: string, node: Node, parameters: readonly string[]): void {
  const refuse = (why: string): never => {
    throw new TypeError(`named(${JSON.stringify(name)}): ${why}`);
  };
  const odd = parameters.find((key) => !/^[a-z][A-Za-z0-9]*$/.test(key));
  if (odd !== undefined) refuse(`the parameter ${JSON.stringify(odd)} is not in lower camel case`);
  if (node.op === 'object') return;
  if (node.op === 'text') {
    const [first] = node.lines;
    const start = first !== undefined && 'segments' in first ? first.segments[0] : undefined;
    if (typeof start !== 'string' || start.startsWith(' ')) {
      refuse('the first line of a text begins with a literal word, so that it is never empty');
    }
    return;
  }
  const { kind, optional } = node.type;
  if (node.op === 'when' || (kind !== 'string' && kind !== 'int' && kind !== 'bool')) {
    refuse(`${describe(node)} is no text, no map that is written out, and no scalar`);
  }
  if (optional) refuse(`${describe(node)} may be absent; wrap it in orElse(…)`);
}

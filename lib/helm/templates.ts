import type { IConstruct } from 'constructs';
import { Checks } from '../staged/checks';
import { BOOL, nodeOf, type Expr, type Node, type Template } from '../staged/node';
import { OPERATIONS } from '../staged/operations';
import { Defines, Frame } from '../staged/frame';
import { argument } from '../staged/go-literal';
import { indented, printIf, printLoop, printTyped } from '../staged/print-expression';
import { printTextLines } from '../staged/print-text';
import { printDocument, printParts } from '../staged/print-yaml';
import { HelmTest, Resource } from '../staged/resource';
import { ForEach, guardsOf } from '../staged/scope';
import { kebab } from '../staged/staging';

/** A file of a chart. */
export interface ChartFile {
  readonly name: string;
  readonly text: string;
}

/** Prints the resources, the checks and the named templates below a construct: one file each. */
export function printTemplates(root: IConstruct, chart: string, notes: Expr<string> | undefined): ChartFile[] {
  const defines = new Defines(chart);
  const constructs = root.node.findAll();
  const resources = constructs.filter((construct): construct is Resource => construct instanceof Resource);
  const checks = constructs.filter((construct): construct is Checks => construct instanceof Checks);
  const names = fileNames(root, resources);
  const files = resources.map((resource) => ({
    name: `templates/${resource instanceof HelmTest ? 'tests/' : ''}${names.get(resource) ?? ''}.yaml`,
    text: printResource(resource, defines),
  }));
  if (checks.length > 0) files.push({ name: 'templates/validation/checks.yaml', text: printChecks(checks, defines) });
  if (notes !== undefined) files.push({ name: 'templates/NOTES.txt', text: printNotes(notes, defines) });
  const helpers = printDefines(defines);
  return helpers === '' ? files : [...files, { name: 'templates/_helpers.tpl', text: helpers }];
}

/** `Home/Deployment` is `deployment` where all resources are below `Home`, else `home-deployment`. */
function fileNames(root: IConstruct, resources: readonly Resource[]): Map<Resource, string> {
  const paths = resources.map((resource) => {
    const guards = new Set<IConstruct>(guardsOf(resource));
    return resource.node.scopes
      .filter((scope) => !guards.has(scope) && !root.node.scopes.includes(scope))
      .map((scope) => kebab(scope.node.id));
  });
  const isAlone = new Set(paths.map(([first]) => first)).size === 1 && paths.every((path) => path.length > 1);
  const taken = new Map<string, number>();
  return new Map(
    resources.map((resource, i) => {
      const base = (paths[i] ?? []).slice(isAlone ? 1 : 0).join('-');
      const count = (taken.get(base) ?? 0) + 1;
      taken.set(base, count);
      return [resource, count === 1 ? base : `${base}-${String(count)}`];
    }),
  );
}

function printResource(resource: Resource, defines: Defines): string {
  const guards = guardsOf(resource);
  const separator = guards.some((guard) => guard instanceof ForEach) ? ['---'] : [];
  const lines = guarded(resource, new Frame(defines), (frame) => [
    ...separator,
    ...ended(printDocument(resource.manifest, frame)),
  ]);
  return `${lines.join('\n')}\n`;
}

/** Helm trims the end of a document, and with it the line breaks that end a text of the values. */
function ended(document: readonly string[]): readonly string[] {
  return document.at(-1)?.trimStart().startsWith('{{-') === true ? [...document, '# end of the object'] : document;
}

/** Lines inside the conditions and loops around a construct. */
function guarded(construct: IConstruct, frame: Frame, lines: (inner: Frame) => string[]): string[] {
  const wrap = guardsOf(construct).reduceRight<(inner: Frame) => string[]>(
    (body, guard) => (outer) =>
      guard instanceof ForEach
        ? printLoop({ ...guard.loop, body: guard.loop.over }, outer, '', body)
        : printIf(guard.condition, outer, '', body),
    lines,
  );
  return wrap(frame);
}

/** All checks, reported together. The file is rendered before all others, because it lies deeper. */
function printChecks(checks: readonly Checks[], defines: Defines): string {
  const frame = new Frame(defines);
  const problems = frame.fresh('problems');
  const lines = checks.flatMap((check) =>
    guarded(check, frame.inner([]), (inner) => sentences(check.sentences, problems, inner)),
  );
  return `{{- ${problems} := list }}\n${indented(lines).join('\n')}\n{{- if ${problems} }}\n  {{- fail (join "\\n" ${problems}) }}\n{{- end }}\n`;
}

function sentences(given: Node, problems: string, frame: Frame): string[] {
  const node = frame.reduce(given);
  switch (node.op) {
    case 'list':
      return node.items.flatMap((item) => sentences(item, problems, frame));
    case 'each':
      return printLoop(node, frame, '', (inner) => sentences(node.body, problems, inner));
    case 'when':
      return printIf(
        node.condition,
        frame,
        '',
        (inner) => sentences(node.then, problems, inner),
        (inner) => sentences(node.else, problems, inner),
      );
    default: {
      if (node.op === 'literal' && node.value === undefined) return [];
      const sentence = printTyped(node, frame);
      return [...frame.flush(''), `{{- ${problems} = append ${problems} ${argument(sentence)} }}`];
    }
  }
}

function printNotes(notes: Expr<string>, defines: Defines): string {
  return `{{ ${printTyped(nodeOf(notes), new Frame(defines))} }}\n`;
}

function printDefines(defines: Defines): string {
  const texts: string[] = [];
  const done = new Set<Template>();
  // Printing a body may include further templates.
  for (let next = pending(defines, done); next.length > 0; next = pending(defines, done)) {
    for (const [template, name] of next) {
      done.add(template);
      texts.push(printDefine(template, name, defines));
    }
  }
  const helpers = defines.helpers.map(
    ({ name, body }) => `{{- define "${defines.chart}.${name}" -}}\n${body}\n{{- end }}\n`,
  );
  return [...texts, ...helpers].join('\n');
}

function pending(defines: Defines, done: ReadonlySet<Template>): [Template, string][] {
  return [...defines.templates].filter(([template]) => !done.has(template));
}

function printDefine(template: Template, name: string, defines: Defines): string {
  const frame = new Frame(defines);
  const names = Object.entries(template.parameters).map(([key, variable]) => [variable, frame.fresh(key)] as const);
  const inner = frame.inner(names);
  const parameters = Object.keys(template.parameters).map((key, i) => `{{- ${names[i]?.[1] ?? ''} := .${key} -}}`);
  const lines = bodyLines(template.body, inner);
  return [`{{- define "${name}" -}}`, ...parameters, ...lines, '{{- end }}', ''].join('\n');
}

function bodyLines(body: Node, frame: Frame): string[] {
  switch (body.op) {
    case 'text':
      return printTextLines(body, frame);
    case 'object':
      return printParts(body, frame, '');
    default:
      return scalarLines(body, frame);
  }
}

/** A scalar without white space around it. */
function scalarLines(given: Node, frame: Frame): string[] {
  const node = frame.reduce(given);
  if (node.op === 'literal') return [`{{- ${printTyped(node, frame)} }}`];
  if (node.op === 'call' && node.operation.name === 'choose') {
    const [condition, then, otherwise] = node.args as [Node, Node, Node];
    return printIf(
      condition,
      frame,
      '',
      (inner) => scalarLines(then, inner),
      (inner) => scalarLines(otherwise, inner),
    );
  }
  if (node.op === 'call' && node.operation.name === 'orElse') {
    const [value, fallback] = node.args as [Node, Node];
    const isSet: Node = { op: 'call', operation: OPERATIONS.isSet, args: [value], type: BOOL };
    return printIf(
      isSet,
      frame,
      '',
      (inner) => scalarLines(value, inner),
      (inner) => scalarLines(fallback, inner),
    );
  }
  const text = printTyped(node, frame);
  return [...frame.flush(''), `{{- ${text} }}`];
}

import type { Node, Template, Variable } from './node';
import type { HelperTemplate } from './operations';
import { reduce, type Bindings } from './reduce';

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

  /** The name under which a template of the language itself is included. */
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

  /** A place inside an action: more names are in reach, and its own actions run inside. */
  inner(
    names: readonly (readonly [Variable, string])[] = [],
    bindings: readonly (readonly [Variable, Node])[] = [],
  ): Frame {
    return new Frame(
      this.defines,
      new Map([...this.names, ...names]),
      new Map([...this.bindings, ...bindings]),
      this.#taken,
    );
  }

  before(...actions: readonly string[]): void {
    this.#before.push(...actions);
  }

  /** The actions that the next line needs before it. */
  flush(indent = ''): string[] {
    return this.#before.splice(0).map((action) => indent + action);
  }

  reduce(node: Node): Node {
    return reduce(node, this.bindings);
  }
}

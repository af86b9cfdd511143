import { Construct, type IConstruct } from 'constructs';
import { evaluate, type Environment } from './evaluate';
import { InputError } from './input-error';
import { nodeOf, type Each, type Expr, type Json, type Node, type When } from './node';
import { occurrences } from './scope';
import { contentOf } from './stage';
import { stagingOf } from './staging';
import { json, pathOf, text, when } from './vocabulary';

/** A rule of the values that no schema can say. */
export interface CheckProps {
  /** The rule is broken where this holds. */
  readonly failsIf: Expr<boolean> | boolean;
  /** The value at fault, or a text that is its path already. */
  readonly at: Expr<unknown>;
  /** What is wrong: `is outside the network`. */
  readonly problem: string | Expr<string>;
  /** The value that is shown; default: none, because the problem names it. */
  readonly got?: Expr<string> | Expr<number> | Expr<boolean>;
  /** What to do about it. */
  readonly remedy: string | Expr<string>;
}

/** The sentence of a broken rule: `<path>: <what is wrong>, got <value>; <what to do>`. */
export function check({ failsIf, at, problem, got, remedy }: CheckProps): When<unknown> {
  const path = nodeOf(at).path === undefined ? (at as Expr<string>) : pathOf(at);
  return when(failsIf, () =>
    got === undefined ? text`${path}: ${problem}; ${remedy}` : text`${path}: ${problem}, got ${json(got)}; ${remedy}`,
  );
}

function brokenRules(construct: IConstruct, env: Environment, sentences: Node): string[] {
  return occurrences(construct, env).flatMap((items) =>
    ((evaluate(sentences, env, items) ?? []) as readonly Json[]).map(String),
  );
}

/**
 * Rules of what a construct is asked for after it was made. Nothing happens where the values come at install time.
 *
 * @throws InputError with the broken ones
 */
export function refuseBroken(construct: IConstruct, checks: readonly (Each<unknown> | When<unknown>)[]): void {
  const staging = stagingOf(construct);
  if (staging.reader !== 'evaluate') return;
  const broken = brokenRules(construct, staging.env, contentOf(checks));
  if (broken.length > 0) throw new InputError(broken);
}

/**
 * The rules of a construct. All broken ones of a chart are reported together, in their order, with the same text by
 * both readers.
 */
export class Checks extends Construct {
  readonly #sentences: Node;

  /** @param checks made by `check`, alone or in `each` and `when`; put them before the resources of the construct */
  constructor(scope: Construct, id: string, checks: readonly (Each<unknown> | When<unknown>)[]) {
    super(scope, id);
    this.#sentences = contentOf(checks);
    const staging = stagingOf(this);
    if (staging.reader !== 'evaluate') return;
    const broken = brokenRules(this, staging.env, this.#sentences);
    if (staging.problems !== undefined) staging.problems.push(...broken);
    else if (broken.length > 0) throw new InputError(broken);
  }

  get sentences(): Node {
    return this.#sentences;
  }
}

import { Construct, type IConstruct } from 'constructs';
import { evaluate, itemScopes, type Environment, type Scope } from './evaluate';
import { nodeOf, type Expr, type Node, type Variable } from './node';
import type { Ref } from './stage';
import { variablesOf } from './vocabulary';

/** Constructs that are there only while a condition holds. */
export class Only extends Construct {
  readonly #condition: Node;

  /** @param body makes the constructs in the scope that it is given */
  constructor(scope: Construct, id: string, condition: Expr<boolean>, body: (scope: Construct) => void) {
    super(scope, id);
    this.#condition = nodeOf(condition);
    body(this);
  }

  get condition(): Node {
    return this.#condition;
  }
}

/** Constructs that are there once for every entry of a map, or for every element of a list (its index is the key). */
export class ForEach<T = unknown> extends Construct {
  readonly #loop: { over: Node; key: Variable; item: Variable };

  /** @param body makes the constructs of one item in the scope that it is given */
  constructor(
    scope: Construct,
    id: string,
    over: Expr<readonly T[] | Readonly<Record<string, T>> | undefined>,
    body: (scope: Construct, item: Ref<T>, key: Expr<string>) => void,
  ) {
    super(scope, id);
    const { key, item, keyRef, itemRef } = variablesOf<T>(nodeOf(over));
    this.#loop = { over: nodeOf(over), key, item };
    body(this, itemRef, keyRef);
  }

  get loop(): { over: Node; key: Variable; item: Variable } {
    return this.#loop;
  }
}

/** The conditions and loops around a construct, the outermost first. */
export function guardsOf(construct: IConstruct): (Only | ForEach)[] {
  return construct.node.scopes.filter(
    (scope): scope is Only | ForEach => scope instanceof Only || scope instanceof ForEach,
  );
}

/** The items of the loops around a construct for which it is there. */
export function occurrences(construct: IConstruct, env: Environment): Scope[] {
  return guardsOf(construct).reduce<Scope[]>(
    (scopes, guard) =>
      scopes.flatMap((scope) => {
        if (guard instanceof Only) return evaluate(guard.condition, env, scope) === true ? [scope] : [];
        return [...itemScopes({ ...guard.loop, body: guard.loop.over }, env, scope)];
      }),
    [undefined],
  );
}

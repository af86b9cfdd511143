import { Construct, type IConstruct } from 'constructs';
import { evaluate, itemScopes, NO_SCOPE, type Environment, type Scope } from './evaluate';
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
  return construct.node.scopes.filter((scope): scope is Only | ForEach => scope instanceof Only || scope instanceof ForEach);
}

/** The items for which a construct is there, each with the keys of its loops. */
export function occurrences(construct: IConstruct, env: Environment): { keys: string[]; scope: Scope }[] {
  return guardsOf(construct).reduce<{ keys: string[]; scope: Scope }[]>(
    (all, guard) =>
      all.flatMap(({ keys, scope }) => {
        if (guard instanceof Only) return evaluate(guard.condition, env, scope) === true ? [{ keys, scope }] : [];
        const { loop } = guard;
        return [...itemScopes({ ...loop, body: loop.over }, env, scope)].map((inner) => ({ keys: [...keys, String(inner.get(loop.key))], scope: inner }));
      }),
    [{ keys: [], scope: NO_SCOPE }],
  );
}

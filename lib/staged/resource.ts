import { ApiObject } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import { evaluate } from './evaluate';
import { InputError } from './input-error';
import { type Expr, type Json, type Node } from './node';
import { occurrences } from './scope';
import { contentOf, type Staged } from './stage';
import { stagingOf } from './staging';

/**
 * A manifest of kind `T`, whose values may be known at install time. Check it with `satisfies`:
 * `{ … } satisfies Manifest<k8s.KubeServiceProps>`.
 */
export type Manifest<T> = Staged<T> & { readonly apiVersion: string; readonly kind: string };

/** Any manifest. */
export interface ManifestContent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** A concrete object of the Kubernetes API. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [key: string]: Json };
  readonly [key: string]: Json;
}

/**
 * An object of the Kubernetes API, written once for both readers. Evaluated it becomes an `ApiObject` for every item of
 * the loops around it; in a Helm chart it is a template.
 */
export class Resource extends Construct {
  readonly #manifest: Node;

  /** @param manifest the object, or an expression whose value is one */
  constructor(scope: Construct, id: string, manifest: Expr<unknown> | ManifestContent) {
    super(scope, id);
    this.#manifest = contentOf(manifest);
    this.materialize();
  }

  get manifest(): Node {
    return this.#manifest;
  }

  /** `kubectl apply` would let the last of two objects of one name replace the first. */
  #claim({ apiVersion, kind, metadata: { namespace, name } }: KubernetesObject): void {
    const { root, path } = this.node;
    const claims = CLAIMS.get(root) ?? new Map<string, string>();
    const object = [apiVersion, kind, ...(typeof namespace === 'string' ? [namespace] : []), name].join(' ');
    const other = claims.get(object);
    if (other !== undefined) {
      throw new InputError([`${path}: makes the object of ${other}, got ${object}; give one of them another name`]);
    }
    CLAIMS.set(root, claims.set(object, path));
  }

  protected materialize(): void {
    const staging = stagingOf(this);
    if (staging.reader !== 'evaluate' || (staging.problems?.length ?? 0) > 0) return;
    occurrences(this, staging.env).forEach((scope, i) => {
      const object = evaluate(this.#manifest, staging.env, scope) as KubernetesObject;
      // In a chart the objects of the values may be anything, for Helm as for us; constructs of an own app may not collide.
      if (staging.problems === undefined) this.#claim(object);
      new ConcreteObject(this, `Object${String(i)}`, object);
    });
  }
}

/** The objects of an app by kind, namespace and name, with the construct that makes them. */
const CLAIMS = new WeakMap<IConstruct, Map<string, string>>();

/**
 * A Pod that `helm test` runs. It exists only in a chart.
 */
export class HelmTest extends Resource {
  /** @param pod the Pod; the hook annotation must be in it */
  constructor(scope: Construct, id: string, pod: ManifestContent) {
    super(scope, id, pod);
  }

  protected override materialize(): void {
    // Outside a Helm release nothing runs it.
  }
}

/** An `ApiObject` that keeps what it was given: cdk8s drops empty maps and lists of the metadata. */
class ConcreteObject extends ApiObject {
  readonly #given: KubernetesObject;

  constructor(scope: Construct, id: string, given: KubernetesObject) {
    super(scope, id, given);
    this.#given = given;
  }

  override toJson(): unknown {
    const json = super.toJson() as KubernetesObject;
    return { ...json, metadata: withEmpties(json.metadata, this.#given.metadata) };
  }
}

function withEmpties(json: Json, given: Json): Json {
  if (!isMap(given)) return json;
  const kept = isMap(json) ? json : {};
  const restored = Object.entries(given).flatMap(([key, value]) =>
    typeof value === 'object' && (kept[key] === undefined || isMap(value))
      ? [[key, withEmpties(kept[key] ?? value, value)]]
      : [],
  );
  return { ...kept, ...(Object.fromEntries(restored) as Record<string, Json>) };
}

function isMap(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

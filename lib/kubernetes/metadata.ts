import { z } from 'zod';
import {
  chart,
  contains,
  named,
  mapOf,
  orElse,
  release,
  replace,
  text,
  choose,
  type Expr,
  type Staged,
} from '../staged';

/** The naming part of a workload's values. */
export interface NamingValues {
  readonly nameOverride: Expr<string | undefined>;
  readonly fullnameOverride: Expr<string | undefined>;
  readonly commonLabels: Expr<Record<string, string>>;
  readonly commonAnnotations: Expr<Record<string, string>>;
}

interface Extra {
  /** Appended to the full name: `-health`. */
  readonly suffix?: string | Expr<string>;
  readonly labels?: Expr<Record<string, string>>;
  readonly annotations?: Staged<Record<string, string>> | Expr<Record<string, string>>;
}

/** The longest full name: what is appended to it must stay within 63 characters, and no name is ever cut. */
export const FULLNAME_MAX_LENGTH = 50;

/**
 * Names, labels and annotations of the objects of one workload.
 *
 * The full name is the release's if that contains the chart's name, else both with a hyphen, as in `helm create`.
 */
export class Naming {
  readonly fullname: Expr<string>;
  /** The labels by which Services and workloads find the pods; they never change. */
  readonly selectorLabels: Expr<Record<string, string>>;
  readonly #labels: Expr<Record<string, string>>;
  readonly #labelsWith: (parameters: { extra: Expr<Record<string, string>> }) => Expr<Record<string, string>>;
  readonly #annotations: Expr<Record<string, string>>;

  readonly #values: NamingValues;
  readonly #name: string;

  /**
   * @param name the name of the workload where the values do not override it
   * @param part the name of a workload beside it, whose pods are others
   */
  constructor(values: NamingValues, name: string, part?: string) {
    this.#values = values;
    this.#name = name;
    const whole = named('name', {}, () => orElse(values.nameOverride, name))();
    const fullname = named('fullname', {}, () =>
      orElse(
        values.fullnameOverride,
        choose(contains(whole, release.name), release.name, text`${release.name}-${whole}`),
      ),
    )();
    const short = part === undefined ? whole : text`${whole}-${part}`;
    this.fullname = part === undefined ? fullname : text`${fullname}-${part}`;
    const selector = { 'app.kubernetes.io/name': short, 'app.kubernetes.io/instance': release.name };
    this.selectorLabels = named('selectorLabels', {}, () => mapOf<string>(selector))();
    const own = {
      'helm.sh/chart': replace('+', '_', text`${chart.name}-${chart.version}`),
      ...selector,
      'app.kubernetes.io/version': replace('+', '_', chart.appVersion),
      'app.kubernetes.io/managed-by': release.service,
    };
    this.#labels = named('labels', {}, () => mapOf<string>(values.commonLabels, own))();
    this.#labelsWith = named('labelsWith', { extra: z.record(z.string(), z.string()) }, ({ extra }) =>
      mapOf<string>(values.commonLabels, extra, own),
    );
    this.#annotations = values.commonAnnotations;
  }

  /** The naming of a workload beside this one. */
  part(name: string): Naming {
    return new Naming(this.#values, this.#name, name);
  }

  /** The metadata of an object. */
  metadata({ suffix = '', labels, annotations }: Extra = {}) {
    return {
      name: suffix === '' ? this.fullname : text`${this.fullname}${suffix}`,
      namespace: release.namespace,
      labels: labels === undefined ? this.#labels : this.#labelsWith({ extra: labels }),
      annotations: annotations === undefined ? this.#annotations : mapOf<string>(this.#annotations, annotations),
    };
  }
}

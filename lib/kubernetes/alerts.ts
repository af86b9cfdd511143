import type { Construct } from 'constructs';
import type { z } from 'zod';
import { mapOf, Only, Resource, spread, type Expr, type Ref } from '../staged';
import type { extraRules, rule } from '../../values/metrics';
import type { Naming } from './metadata';

type RuleValues = { readonly [K in keyof typeof rule]: Ref<z.output<(typeof rule)[K]>> } & {
  readonly extraRules: Ref<z.output<ReturnType<typeof extraRules>>>;
};

/** An alert: its name, when it is one, how long that has lasted, and what a person reads. */
export type Alert = readonly [
  name: string,
  expr: Expr<string>,
  lasting: string | Expr<string>,
  severity: 'critical' | 'warning',
  summary: Expr<string>,
  description: string,
];

/** An alert with the labels that the values give to all. */
export function alert(
  { alertLabels }: Pick<RuleValues, 'alertLabels'>,
  ...[name, expr, lasting, severity, summary, description]: Alert
) {
  return {
    alert: name,
    expr,
    for: lasting,
    labels: mapOf<string>(alertLabels, { severity }),
    annotations: { summary, description },
  };
}

/** The object that tells the Prometheus operator when something is wrong: it is there if the values ask for it. */
export function alerts(
  scope: Construct,
  values: RuleValues,
  naming: Naming,
  enabled: Expr<boolean>,
  rules: () => readonly unknown[],
): void {
  new Only(scope, 'Alerts', enabled, (inner) => {
    new Resource(inner, 'PrometheusRule', {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: naming.metadata({ labels: values.labels, annotations: values.annotations }),
      spec: { groups: [{ name: naming.fullname, rules: [...rules(), spread(values.extraRules)] }] },
    });
  });
}

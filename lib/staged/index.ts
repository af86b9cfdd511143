/* The staged language: values known now or at install time, and the two readers of what is built from them. */
export { check, Checks, refuseBroken, type CheckProps } from './checks';
export type { ChartIdentity, Environment, Release } from './evaluate';
export { InputError } from './input-error';
export { isExpr, type Each, type Expr, type Json, type When } from './node';
export { named } from './named';
export { HelmTest, Resource, type KubernetesObject, type Manifest } from './resource';
export { ForEach, Only } from './scope';
export { refs, stage, type Ref, type Staged } from './stage';
export { kebab } from './staging';
export { conf } from './text';
export * from './vocabulary';

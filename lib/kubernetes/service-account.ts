import type { Construct } from 'constructs';
import type { k8s } from 'cdk8s-plus-28';
import type { z } from 'zod';
import { choose, Only, orElse, Resource, type Expr, type Manifest, type Ref } from '../staged';
import type { serviceAccount as values } from '../../values/kubernetes';
import type { Naming } from './metadata';

/**
 * Makes the service account of a workload that never asks the API, if the values want one.
 *
 * @returns its name
 */
export function serviceAccount(scope: Construct, account: Ref<z.output<typeof values>>, naming: Naming): Expr<string> {
  const name = orElse(account.name, choose(account.create, naming.fullname, 'default'));
  new Only(scope, 'Account', account.create, (inner) => {
    new Resource(inner, 'ServiceAccount', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...naming.metadata({ annotations: account.annotations }), name },
      automountServiceAccountToken: false,
    } satisfies Manifest<k8s.KubeServiceAccountProps>);
  });
  return name;
}

import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { Environment } from './evaluate';

/** How the constructs below a scope are read. */
export type Staging =
  | {
      /** Values are known: resources become concrete objects. */
      readonly reader: 'evaluate';
      readonly env: Environment;
      /** Where failed checks are gathered; without it a failed check throws. */
      readonly problems?: string[];
    }
  | {
      /** Values come at install time: the chart writer prints the tree. */
      readonly reader: 'print';
    };

const STAGINGS = new WeakMap<IConstruct, Staging>();

export function setStaging(scope: IConstruct, staging: Staging): void {
  STAGINGS.set(scope, staging);
}

/** The staging of a construct: the nearest one above it, or that of a plain cdk8s chart, whose id names the release. */
export function stagingOf(construct: IConstruct): Staging {
  const scopes = [...construct.node.scopes].reverse();
  for (const scope of scopes) {
    const staging = STAGINGS.get(scope);
    if (staging !== undefined) return staging;
  }
  return plainApp(scopes.find((scope): scope is Chart => Chart.isChart(scope)));
}

function plainApp(chart: Chart | undefined): Staging {
  const name = kebab(chart?.node.id ?? 'vpn');
  return {
    reader: 'evaluate',
    env: {
      values: {},
      release: { name, namespace: chart?.namespace ?? 'default', service: 'cdk8s' },
      chart: { name, version: '0.0.0', appVersion: '0.0.0' },
    },
  };
}

/** `HomeOffice` as a Kubernetes name: `home-office`. */
export function kebab(id: string): string {
  return id
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
}

/*
 * Somebody's own chart: a workload of theirs, and our construct with some props known now and the rest from the values.
 *
 * Usage: node shop.js CHART-FOLDER; it writes the chart there, and for every values file on standard input (JSON list)
 * the plain objects of a release on standard output.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  and,
  helmChart,
  InputError,
  isSet,
  loadValues,
  not,
  release,
  Resource,
  text,
  when,
  WireGuardServer,
  wireguardValues,
} from 'cdk8s-vpn';

const shopValues = z.strictObject({
  replicas: z.int().min(0).max(100).default(2).describe('Pods of the shop'),
  motto: z.string().optional().describe('What customers read').meta({ example: 'Fresh every day' }),
  vpn: wireguardValues.omit({ network: true }).prefault({}).describe('The VPN of the shop’s tills'),
});

export const shop = helmChart({
  name: 'shop',
  version: '1.0.0',
  values: shopValues,
  build: (scope, v) => {
    new Resource(scope, 'Settings', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: text`${release.name}-settings`, namespace: release.namespace },
      data: {
        replicas: text`${v.replicas}`,
        motto: when(and(isSet(v.motto), not(v.vpn.enabled)), () => v.motto),
        fixed: 'known now',
      },
    });
    return new WireGuardServer(scope, 'Vpn', {
      ...v.vpn,
      network: '10.99.0.0/24',
      service: { type: 'ClusterIP', port: v.vpn.listenPort },
      podLabels: { tier: 'vpn', release: release.name },
    });
  },
});

const [folder = 'shop'] = process.argv.slice(2);
shop.write(folder);
const files = JSON.parse(readFileSync(0, 'utf8')) as string[];
const outcomes = files.map((file) => {
  try {
    const { values } = loadValues({ files: [file] });
    return { objects: shop.objects({ values, release: { name: 'corner', namespace: 'shops', service: 'Helm' } }) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problems: error.problems };
  }
});
process.stdout.write(
  JSON.stringify(outcomes, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
);

import type { Json } from '../../lib/staged/node';
import type { KubernetesObject } from '../../lib/staged/resource';
import { asAsked, leftOvers } from './stored';

function service(
  spec: Readonly<Record<string, Json>>,
  metadata: Readonly<Record<string, Json>> = {},
): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', ...metadata }, spec };
}

const added = {
  uid: '1',
  resourceVersion: '2',
  creationTimestamp: '2026-11-01T00:00:00Z',
  generation: 1,
  managedFields: [],
};

describe('what was asked for, of a stored object', () => {
  test('is without what the server and Helm add', () => {
    const asked = service({ ports: [{ port: 1 }] }, { labels: { app: 'a' }, annotations: { note: 'b' } });
    const stored = service(
      { ports: [{ port: 1 }] },
      {
        ...added,
        labels: { app: 'a', 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { note: 'b', 'meta.helm.sh/release-name': 'home', 'meta.helm.sh/release-namespace': 'vpn' },
      },
    );
    expect(asAsked([stored], [asked])).toEqual(asAsked([asked], [asked]));
  });

  test('has the kind of an address or port that the server chose, and the value of any other', () => {
    const stored = service({
      clusterIP: '10.96.0.7',
      clusterIPs: ['10.96.0.7', 'fd00:96::7'],
      healthCheckNodePort: 30001,
      ports: [{ port: 1, nodePort: 30002 }],
    });
    expect(asAsked([stored], [service({ ports: [{ port: 1 }] })])).toMatchObject({
      'v1 Service a': {
        spec: {
          clusterIP: 'an IPv4 address',
          clusterIPs: ['an IPv4 address', 'an IPv6 address'],
          healthCheckNodePort: 'a port',
          ports: [{ port: 1, nodePort: 'a port' }],
        },
      },
    });
    expect(asAsked([stored], [stored])).toMatchObject({ 'v1 Service a': { spec: stored['spec'] } });
    const headless = service({ clusterIP: 'None', clusterIPs: ['None'] });
    expect(asAsked([headless], [service({})])).toMatchObject({ 'v1 Service a': { spec: headless['spec'] } });
  });

  test.each([
    ['a field', service({ type: 'NodePort' })],
    ['a label', service({}, { labels: { app: 'a' } })],
    ['an annotation', service({}, { annotations: { note: 'a' } })],
    ['a finalizer', service({}, { finalizers: ['a'] })],
  ])('keeps %s that nobody asked for', (_what, stored) => {
    expect(asAsked([stored], [service({})])).not.toEqual(asAsked([service({})], [service({})]));
  });

  test('is not what Helm records, nor what it kept of an earlier revision', () => {
    const record: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'helm.sh/release.v1',
      metadata: { name: 'a' },
    };
    const kept = service({}, { annotations: { 'helm.sh/resource-policy': 'keep' } });
    expect(asAsked([record, kept], [])).toEqual({});
    expect(Object.keys(asAsked([kept], [kept]))).toEqual(['v1 Service a']);
    expect(Object.keys(asAsked([service({})], []))).toEqual(['v1 Service a']);
    // Neither is an excuse after the end.
    expect(leftOvers([record, kept])).toEqual(['v1 Secret a']);
  });
});

import { refusingTaint, type ClusterNode, type Toleration } from '../../lib/kubernetes/node';

const tainted = (...taints: ClusterNode['taints']): ClusterNode => ({
  name: 'a',
  labels: {},
  annotations: {},
  taints,
  internalAddresses: [],
  podNetworks: [],
});
const GPU = { key: 'gpu', value: 'big', effect: 'NoSchedule' };

describe('a taint', () => {
  test.each<
    [title: string, taint: ClusterNode['taints'][number], tolerations: readonly Toleration[], refuses: boolean]
  >([
    ['without a toleration', GPU, [], true],
    ['with the toleration of everything', GPU, [{ operator: 'Exists' }], false],
    ['with that of its key', GPU, [{ key: 'gpu', operator: 'Exists' }], false],
    ['with that of another key', GPU, [{ key: 'cpu', operator: 'Exists' }], true],
    ['with its value', GPU, [{ key: 'gpu', value: 'big' }], false],
    ['with another value', GPU, [{ key: 'gpu', operator: 'Equal', value: 'small' }], true],
    ['with its effect', GPU, [{ operator: 'Exists', effect: 'NoSchedule' }], false],
    ['with another effect', GPU, [{ operator: 'Exists', effect: 'NoExecute' }], true],
    ['that ends pods', { ...GPU, effect: 'NoExecute' }, [], true],
    ['that is a wish', { ...GPU, effect: 'PreferNoSchedule' }, [], false],
    ['of a condition', { key: 'node.kubernetes.io/not-ready', value: '', effect: 'NoExecute' }, [], false],
  ])('keeps pods of a DaemonSet off, or not: %s', (_title, taint, tolerations, refuses) => {
    expect(refusingTaint(tainted(taint), tolerations)).toEqual(refuses ? taint : undefined);
  });
});

import { beginsInside, endsOf } from '../../lib/topology/order';
import type { Topology } from '../../lib/topology/topology';

const topology: Topology = {
  title: '',
  areas: [],
  places: [
    { id: 'pods', kind: 'pods', title: '', details: [] },
    { id: 'gateway', kind: 'gateway', title: '', details: [] },
    { id: 'remote', kind: 'remote', title: '', details: [] },
  ],
  links: [],
  reaches: [{ from: 'remote', to: 'pods' }],
};

test('a picture begins inside if something of the cluster opens connections', () => {
  expect(beginsInside(topology)).toBe(false);
  expect(beginsInside({ ...topology, reaches: [{ from: 'gateway', to: 'remote' }] })).toBe(false);
  expect(beginsInside({ ...topology, reaches: [...topology.reaches, { from: 'pods', to: 'remote' }] })).toBe(true);
});

test('the inner end of a link is that which is nearer to the cluster, whichever way it leads', () => {
  const ends = endsOf(topology);
  const link = { carrier: 'esp' as const, bothWays: false };
  expect(ends({ ...link, from: 'remote', to: 'gateway' })).toEqual(['gateway', 'remote']);
  expect(ends({ ...link, from: 'pods', to: 'gateway' })).toEqual(['pods', 'gateway']);
});

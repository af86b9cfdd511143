import { sentencesOf } from '../../lib/topology/sentences';
import type { Place, Topology } from '../../lib/topology/topology';

const place = (id: string, kind: Place['kind'] = 'peer'): Place => ({
  id,
  kind,
  title: `the ${id}`,
  details: ['1', '2'],
});
const topology = (reaches: [from: string, to: string][]): Topology => ({
  title: '',
  areas: [],
  places: [place('a'), place('b'), place('c', 'network')],
  links: [],
  reaches: reaches.map(([from, to]) => ({ from, to })),
});

test('each pair is one sentence, with the networks of a place', () => {
  const pairs: [string, string][] = [
    ['a', 'b'],
    ['b', 'a'],
    ['a', 'c'],
    ['a', 'a'],
  ];
  expect(sentencesOf(topology(pairs))).toEqual(['the a ↔ the b.', 'the a → the c (1, 2).', 'the a reach each other.']);
});

test('nothing is said to be nothing, and many pairs are counted', () => {
  expect(sentencesOf(topology([]))).toEqual(['Nobody reaches anybody.']);
  const many = sentencesOf(topology(Array.from({ length: 100 }, (_, index) => [`x${index}`, 'a'])));
  expect(many).toHaveLength(61);
  expect(many.at(-1)).toBe('And 40 more pairs.');
});

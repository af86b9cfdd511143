import { groupsOf, shortened, TopologyBuilder } from '../../lib/topology/topology';
import { missingWays } from './site';

const place = (id: string, title = id) => ({ id, kind: 'peer' as const, title, details: [] });

test('a place is the first of its id, and a link joins two places once, both ways if it is made from both', () => {
  const builder = new TopologyBuilder();
  expect(builder.place(place('a'))).toBe('a');
  builder.place(place('a', 'again'));
  builder.link('a', 'b', 'esp', 'first');
  builder.link('a', 'b', 'routed', 'second');
  builder.linkBothWays('c', 'd', 'overlay');
  builder.link('a', 'c', 'routed');
  const { places, links } = builder.topology('all');
  expect(places.map(({ title }) => title)).toEqual(['a']);
  expect(links).toEqual([
    { from: 'a', to: 'b', carrier: 'esp', bothWays: false, label: 'first' },
    { from: 'c', to: 'd', carrier: 'overlay', bothWays: true },
    { from: 'a', to: 'c', carrier: 'routed', bothWays: false },
  ]);
  builder.link('b', 'a', 'esp');
  expect(builder.topology('all').links[0]).toMatchObject({ from: 'a', to: 'b', bothWays: true });
});

test('ways lead along links as they may be passed, and from a place to itself out and back', () => {
  const builder = new TopologyBuilder();
  builder.link('a', 'b', 'routed');
  builder.linkBothWays('b', 'c', 'routed');
  for (const [from, to] of [
    ['a', 'c'],
    ['c', 'a'],
    ['c', 'b'],
    ['c', 'c'],
    ['a', 'a'],
  ] as const)
    builder.reach(from, to);
  expect(missingWays(builder.topology('all'))).toEqual(['c > a', 'a > a']);
});

test.each([
  [[], []],
  [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ],
  [
    ['a', 'b', 'c', 'd'],
    ['a', 'b', 'and 2 more'],
  ],
])('%j in three lines is %j', (lines, expected) => {
  expect(shortened(lines, 3)).toEqual(expected);
});

test('members that are alike are one group from eight on', () => {
  const members = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`m${index}`, index % 2]));
  const groups = groupsOf(members, (_name, member) => String(member));
  expect(groups.map((group) => group.map(([name]) => name))).toEqual([
    ['m0', 'm2', 'm4', 'm6', 'm8', 'm10', 'm12', 'm14'],
    ...[1, 3, 5, 7, 9, 11, 13].map((index) => [`m${index}`]),
  ]);
});

import fc from 'fast-check';
import { layoutOf, type Box, type Layout, type Point } from '../../lib/topology/layout';
import type { Carrier, Link, Place, PlaceKind, Topology } from '../../lib/topology/topology';
import { EXAMPLES, topologyOf } from './site';

const KINDS: readonly PlaceKind[] = [
  'pods',
  'nodes',
  'services',
  'reached',
  'served',
  'agents',
  'overlay',
  'gateway',
  'rules',
  'tunnel',
  'remote',
  'peer',
  'network',
];
/** Those of which a link joins no two. */
const SIDE_BY_SIDE = [KINDS.slice(0, 4), ['gateway', 'rules'], ['remote', 'peer']];

/** Any places in any order, with links between those that a picture could have. */
const anyTopology = fc
  .record({
    places: fc.array(
      fc.record({
        kind: fc.constantFrom(...KINDS),
        title: fc.string({ unit: fc.constantFrom('a', 'm', 'W', ' ', '·', '日'), maxLength: 60 }),
        details: fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), { maxLength: 7 }),
        isInArea: fc.boolean(),
      }),
      { minLength: 1, maxLength: 14 },
    ),
    links: fc.array(
      fc.record({
        from: fc.nat(13),
        to: fc.nat(13),
        bothWays: fc.boolean(),
        label: fc.option(fc.constantFrom('x', 'the gateway begins'), { nil: undefined }),
      }),
      { maxLength: 24 },
    ),
    reaches: fc.array(fc.record({ from: fc.nat(13), to: fc.nat(13) }), { maxLength: 3 }),
  })
  .map(({ places, links, reaches }): Topology => {
    const made = places.map(({ isInArea, ...place }, index): Place => {
      const inside = isInArea && KINDS.indexOf(place.kind) < KINDS.indexOf('remote');
      return { id: String(index), ...place, ...(inside && { area: 'area' }) };
    });
    const exists = ({ from, to }: { from: number; to: number }): boolean => {
      const [one, other] = [made[from]?.kind, made[to]?.kind];
      return (
        one !== undefined &&
        other !== undefined &&
        one !== other &&
        !SIDE_BY_SIDE.some((kinds) => kinds.includes(one) && kinds.includes(other))
      );
    };
    const pairs = new Map<string, Link>();
    for (const { from, to, label, bothWays } of links.filter(exists)) {
      const key = [from, to].sort().join(' ');
      const carrier: Carrier = 'esp';
      pairs.set(key, { from: String(from), to: String(to), carrier, bothWays, ...(label !== undefined && { label }) });
    }
    return {
      title: 'any',
      areas: made.some(({ area }) => area !== undefined) ? [{ id: 'area', title: 'the area' }] : [],
      places: made,
      links: [...pairs.values()],
      reaches: reaches.filter(exists).map(({ from, to }) => ({ from: String(from), to: String(to) })),
    };
  });

const SLACK = 0.5;

function overlap(one: Box, other: Box): boolean {
  return (
    one.x + SLACK < other.x + other.width &&
    other.x + SLACK < one.x + one.width &&
    one.y + SLACK < other.y + other.height &&
    other.y + SLACK < one.y + one.height
  );
}

const isIn = (inner: Box, { x, y, width, height }: Box): boolean =>
  inner.x >= x - SLACK &&
  inner.y >= y - SLACK &&
  inner.x + inner.width <= x + width + SLACK &&
  inner.y + inner.height <= y + height + SLACK;

/** Whether a line passes through a box (Liang and Barsky). */
function passes(from: Point, to: Point, box: Box): boolean {
  let [first, last] = [0, 1];
  for (const axis of ['x', 'y'] as const) {
    const [least, most] = [box[axis] + 1, box[axis] + (axis === 'x' ? box.width : box.height) - 1];
    const step = to[axis] - from[axis];
    if (step === 0) {
      if (from[axis] < least || from[axis] > most) return false;
      continue;
    }
    const [one, other] = [(least - from[axis]) / step, (most - from[axis]) / step];
    first = Math.max(first, Math.min(one, other));
    last = Math.min(last, Math.max(one, other));
  }
  return first < last;
}

/** What is wrong with a layout. */
function faultsOf({ places, areas }: Topology, layout: Layout): string[] {
  const page = { x: 0, y: 0, width: layout.width, height: layout.height };
  const boxes = [...layout.places];
  const labels = layout.lines.flatMap(({ link, label }) =>
    label === undefined ? [] : [[`label ${link.from} ${link.to}`, label] as const],
  );
  const all = [...boxes, ...labels];
  const faults = all.flatMap(([name, box], index) => [
    ...(isIn(box, page) ? [] : [`${name} is outside`]),
    ...all.slice(index + 1).flatMap(([other, second]) => (overlap(box, second) ? [`${name} is on ${other}`] : [])),
  ]);
  for (const { id } of areas) {
    const area = layout.areas.get(id)!;
    if (!isIn(area, page)) faults.push(`area ${id} is outside`);
    for (const place of places) {
      const box = layout.places.get(place.id)!;
      if (place.area === id ? !isIn(box, area) : overlap(box, area)) faults.push(`${place.id} and area ${id}`);
    }
  }
  for (const { link, points } of layout.lines) {
    const name = `line ${link.from} ${link.to}`;
    for (const [index, point] of points.slice(1).entries()) {
      for (const [other, box] of all)
        if (other !== `label ${link.from} ${link.to}` && passes(points[index]!, point, box))
          faults.push(`${name} passes through ${other}`);
    }
    const touches = (point: Point | undefined, id: string): boolean =>
      point !== undefined && isIn({ ...point, width: 0, height: 0 }, layout.places.get(id)!);
    if (!touches(points[0], link.from) || !touches(points.at(-1), link.to)) faults.push(`${name} hangs loose`);
  }
  return faults;
}

test.each(EXAMPLES)('nothing overlaps in the picture of $name', ({ chart, values }) => {
  const topology = topologyOf(chart, values);
  expect(faultsOf(topology, layoutOf(topology))).toEqual([]);
});

test('nothing overlaps in any picture: boxes, labels, areas, and lines, which end at their boxes', () => {
  fc.assert(
    fc.property(anyTopology, (topology) => {
      expect(faultsOf(topology, layoutOf(topology))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('the faults are seen when they are there', () => {
  const box = (x: number, y: number): Box => ({ x, y, width: 100, height: 50 });
  const place = (id: string, area?: string): Place => ({
    id,
    kind: 'peer',
    title: id,
    details: [],
    ...(area !== undefined && { area }),
  });
  const link: Link = { from: 'a', to: 'c', carrier: 'esp', bothWays: false };
  const topology: Topology = {
    title: '',
    areas: [{ id: 'area', title: '' }],
    places: [place('a', 'area'), place('b'), place('c')],
    links: [link],
    reaches: [],
  };
  const layout = (b: Box, points: readonly Point[]): Layout => ({
    width: 1000,
    height: 1000,
    places: new Map([
      ['a', box(0, 0)],
      ['b', b],
      ['c', box(0, 300)],
    ]),
    areas: new Map([['area', box(0, 0)]]),
    lines: [{ link, points }],
  });
  const straight = [
    { x: 50, y: 50 },
    { x: 50, y: 300 },
  ];
  expect(faultsOf(topology, layout(box(200, 100), straight))).toEqual([]);
  expect(faultsOf(topology, layout(box(20, 100), straight))).toEqual(['line a c passes through b']);
  expect(faultsOf(topology, layout(box(20, 20), straight))).toContain('a is on b');
  expect(faultsOf(topology, layout(box(20, 20), straight))).toContain('b and area area');
  expect(faultsOf(topology, layout(box(950, 100), straight))).toEqual(['b is outside']);
  expect(faultsOf(topology, layout(box(200, 100), straight.slice(0, 1)))).toEqual(['line a c hangs loose']);
});

test('those who open connections come first, and the picture is as narrow as it can be', () => {
  const topology: Topology = {
    title: '',
    areas: [],
    places: [
      { id: 'in', kind: 'pods', title: 'in', details: [] },
      { id: 'out', kind: 'network', title: 'out', details: [] },
    ],
    links: [{ from: 'in', to: 'out', carrier: 'routed', bothWays: false }],
    reaches: [{ from: 'in', to: 'out' }],
  };
  const heights = (reaches: Topology['reaches']): boolean => {
    const { places } = layoutOf({ ...topology, reaches });
    return places.get('in')!.y < places.get('out')!.y;
  };
  expect(heights(topology.reaches)).toBe(true);
  expect(heights([{ from: 'out', to: 'in' }])).toBe(false);
  const peers = Array.from({ length: 20 }, (_, index): Place => ({
    id: String(index),
    kind: 'peer',
    title: `peer ${index}`,
    details: [],
  }));
  const { width, height } = layoutOf({ ...topology, places: peers, links: [] });
  expect(width).toBeLessThan(height);
});

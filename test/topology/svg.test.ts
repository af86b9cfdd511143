import { execFileSync } from 'node:child_process';
import { LONGEST_LINE, type Topology } from '../../lib/topology/topology';
import { SVG_MARK, svgOf } from '../../lib/topology/svg';
import { textWidth } from '../../lib/topology/text-width';
import { describeWith } from '../left-out';
import { HOSTILE, hostileTopology } from './hostile';
import { EXAMPLES, topologyOf } from './site';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

const READ = `
import json, sys, xml.etree.ElementTree as tree

def told(element):
    name = element.tag.partition('}')[2]
    return {'name': name, 'attributes': element.attrib, 'text': element.text or '', 'children': [told(child) for child in element]}

json.dump(told(tree.fromstring(sys.stdin.buffer.read().decode('utf-8'))), sys.stdout)
`;

/** The elements as Python's parser of XML sees them. */
const parsed = (text: string): Element =>
  JSON.parse(execFileSync('python3', ['-c', READ], { input: text, encoding: 'utf8', maxBuffer: 1 << 26 })) as Element;

const all = (element: Element): Element[] => [element, ...element.children.flatMap(all)];
const named = (element: Element, name: string): Element[] => all(element).filter((one) => one.name === name);

/** The groups of a rectangle with lines of text, but for the legend's. */
const boxesOf = (svg: Element): Element[] =>
  svg.children.filter(({ name, children }) => name === 'g' && children.some((child) => child.name === 'rect'));

describeWith(['python3'], 'a picture', () => {
  test.each(EXAMPLES)('of $name is XML, and all of its texts lie in their boxes', ({ chart, values }) => {
    const topology = topologyOf(chart, values);
    const svg = parsed(svgOf(topology));
    expect(boxesOf(svg)).toHaveLength(
      topology.places.length + topology.areas.length + topology.links.filter(({ label }) => label !== undefined).length,
    );
    expectTextsInBoxes(svg);
  });

  function expectTextsInBoxes(svg: Element): void {
    for (const { children } of boxesOf(svg)) {
      const rect = children.find(({ name }) => name === 'rect')!;
      const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((key) => Number(rect.attributes[key])) as [
        number,
        number,
        number,
        number,
      ];
      for (const { attributes, text } of children.filter(({ name }) => name === 'text')) {
        const size = attributes['class'] === 'title' ? 13 : 11;
        const [left, base] = [Number(attributes['x']), Number(attributes['y'])];
        expect([text, left > x && left + textWidth(text, size) < x + width + 0.2]).toEqual([text, true]);
        expect([text, base - size >= y - 1 && base < y + height]).toEqual([text, true]);
      }
    }
  }

  test('shows whatever stands in a text as it is, the middle of a long one in its tooltip', () => {
    const svg = parsed(svgOf(hostileTopology(HOSTILE)));
    expect(named(svg, 'script')).toEqual([]);
    expectTextsInBoxes(svg);
    const places = boxesOf(svg).filter(({ children }) => children.filter(({ name }) => name === 'text').length === 3);
    expect(
      places.map(({ children }) => {
        const tooltip = children.find(({ name }) => name === 'title')?.text.split('\n')[0];
        return tooltip ?? children.find(({ name }) => name === 'text')?.text;
      }),
    ).toEqual(HOSTILE);
    const longest = HOSTILE.at(-1) ?? '';
    expect(named(svg, 'text').map(({ text }) => text)).toContain(`${longest.slice(0, 24)}…${longest.slice(-23)}`);
    expect(Math.max(...named(places.at(-1)!, 'text').map(({ text }) => text.length))).toBe(LONGEST_LINE);
  });

  test('replaces what XML cannot hold', () => {
    const svg = parsed(svgOf(hostileTopology(['a\u0000\u0007\ud800b\ufffe', 'x'])));
    expect(named(svg, 'text').map(({ text }) => text)).toContain('a\ufffd\ufffd\ufffdb\ufffd');
  });

  test('says to a screen reader what it shows', () => {
    const svg = parsed(svgOf(topologyOf('ipsec', EXAMPLES.find(({ name }) => name === 'ipsec/onprem.yaml')!.values)));
    const [title, description] = [named(svg, 'title')[0], named(svg, 'desc')[0]];
    expect(svg.attributes).toMatchObject({
      role: 'img',
      'aria-labelledby': `${title?.attributes['id'] ?? ''} ${description?.attributes['id'] ?? ''}`,
    });
    expect(title?.text).toBe('IPsec gateways vpn-ipsec: who reaches whom');
    expect(description?.text).toBe(
      'behind onprem (10.1.0.0/16) → pods. behind onprem (10.1.0.0/16) → nodes. behind onprem (10.1.0.0/16) → Services.',
    );
  });
});

const topology: Topology = {
  title: 'all',
  areas: [],
  places: [
    { id: 'in', kind: 'pods', title: 'in', details: [] },
    { id: 'out', kind: 'remote', title: 'out', details: [] },
  ],
  links: [{ from: 'in', to: 'out', carrier: 'esp', bothWays: false }],
  reaches: [],
};

test('a link has a head where it leads to, or two, and the legend has one of each kind that there is', () => {
  const heads = (text: string): number => text.match(/class="head esp"/g)?.length ?? 0;
  expect(heads(svgOf(topology))).toBe(2);
  expect(heads(svgOf({ ...topology, links: topology.links.map((link) => ({ ...link, bothWays: true })) }))).toBe(3);
  expect(svgOf(topology)).toContain('>IKEv2, ESP</text>');
  expect(svgOf(topology)).not.toContain('>VXLAN</text>');
});

test('colours are of a light and of a dark page, for everything that there is', () => {
  const [first, second = ''] = svgOf(topology).split('@media (prefers-color-scheme:dark)');
  const dark = second.slice(0, second.indexOf('</style>'));
  const rules = (text: string): string[] =>
    [...text.matchAll(/^([^{}@\n]+)\{[^}]*(?:fill|stroke):#/gm)].map(([, selector = '']) => selector);
  const light = rules(first ?? '');
  expect(light.length).toBeGreaterThan(15);
  expect(rules(dark)).toEqual(light);
  expect(svgOf(topology).startsWith(`${SVG_MARK}\n`)).toBe(true);
});

/** The contrast of two colours (WCAG 2.2, relative luminance). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const digits = colour.length === 4 ? colour.replace(/[0-9a-f]/g, '$&$&') : colour;
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

test('texts and lines stand out from what is behind them', () => {
  for (const style of svgOf(topology).split('@media')) {
    const colour = (selector: string, key: string): string =>
      new RegExp(`^${selector.replace('.', '\\.')}\\{[^}]*${key}:(#[0-9a-f]+)`, 'm').exec(style)?.[1] ?? 'none';
    const backs = ['.page', '.area', '.inside', '.fabric', '.vpn', '.outside', '.network'].map((selector) =>
      colour(selector, 'fill'),
    );
    for (const back of backs)
      for (const text of [colour('text', 'fill'), colour('text.title', 'fill')])
        expect([back, text, contrast(back, text) >= 4.5]).toEqual([back, text, true]);
    for (const line of ['.routed', '.overlay', '.esp', '.wireguard', '.masqueraded'])
      for (const back of backs.slice(0, 2))
        expect([line, contrast(back, colour(line, 'stroke')) >= 3]).toEqual([line, true]);
  }
});

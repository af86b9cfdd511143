/** A topology all of whose texts would mean something to the readers of pictures, or are long. */
import type { Topology } from '../../lib/topology/topology';

export const HOSTILE = [
  '"]--> x',
  '</text><script>alert(1)</script>',
  '<!-- x -->]]>',
  '%%{init: {"theme": "dark"}}%%',
  '%% x',
  '# ; #35; #quot; &amp; &#35; &',
  'style x: fill:#fff;',
  'classDef a: #b;',
  '`**x**`',
  'end',
  '{ } } accDescr',
  'subgraph x',
  'click p1 call x()',
  '<br/>',
  "O'Neil \\ | ~~~",
  '---',
  'line\nbreak\ttab',
  '日本語 𝒳 ﬂ°°35¶ß',
  '',
  `${'m'.repeat(40)}${'W'.repeat(40)}`,
];

/** The n-th place has the n-th text, the links lead from each to the next. */
export function hostileTopology(texts: readonly string[]): Topology {
  const pairs = texts.slice(1).map((text, index) => ({ from: `p ${index}`, to: `p ${index + 1}`, text }));
  return {
    title: texts.join(' '),
    areas: [{ id: 'a', title: texts[0] ?? '' }],
    places: texts.map((text, index) => ({
      id: `p ${index}`,
      kind: index % 2 === 0 ? 'pods' : 'network',
      title: text,
      details: [text, text],
      ...(index % 2 === 0 && { area: 'a' }),
    })),
    links: pairs.map(({ from, to, text }, index) => ({
      from,
      to,
      carrier: index % 2 === 0 ? 'esp' : 'masqueraded',
      bothWays: index % 3 === 0,
      label: text,
    })),
    reaches: pairs.map(({ from, to }) => ({ from, to })),
  };
}

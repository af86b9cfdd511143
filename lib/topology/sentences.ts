import type { Topology } from './topology';

const MOST_SENTENCES = 60;

/** Who reaches whom, in sentences. */
export function sentencesOf({ places, reaches }: Topology): string[] {
  const titles = new Map(
    places.map(({ id, kind, title, details }) => [
      id,
      kind === 'network' || kind === 'reached' ? `${title} (${details.join(', ')})` : title,
    ]),
  );
  const titleOf = (id: string): string => titles.get(id) ?? id;
  const known = new Set(reaches.map(({ from, to }) => `${from} ${to}`));
  const sentences = reaches.flatMap(({ from, to }) => {
    if (from === to) return [`${titleOf(from)} reach each other.`];
    if (!known.has(`${to} ${from}`)) return [`${titleOf(from)} → ${titleOf(to)}.`];
    return from < to ? [`${titleOf(from)} ↔ ${titleOf(to)}.`] : [];
  });
  if (sentences.length === 0) return ['Nobody reaches anybody.'];
  if (sentences.length <= MOST_SENTENCES) return sentences;
  return [...sentences.slice(0, MOST_SENTENCES), `And ${String(sentences.length - MOST_SENTENCES)} more pairs.`];
}

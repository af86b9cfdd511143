import type { Explanation } from './explanation';
import { summaryOf, titleOf } from './explanation-text';
import { waysOf, type Hop } from './walk';

/** The head of a table of pairs, in Markdown without padding: a row that changes changes no other one. */
export const TABLE_HEAD =
  '| From | To | Ends | Through | Source there | Answers |\n| --- | --- | --- | --- | --- | --- |\n';

/** The row of a pair. */
export function tableRow({ from, to, there, back }: Explanation): string {
  const ways = there.flatMap(waysOf);
  const texts = ways.filter(({ outcome }) => outcome.verdict !== 'arrives').map(({ outcome }) => outcome.text);
  const why = texts.length === 0 ? '' : `: ${distinct(texts).join('; ')}`;
  const sources = ways.filter(({ outcome }) => outcome.verdict === 'arrives').map(({ packet }) => packet.source.text);
  const cells = [
    titleOf(from),
    titleOf(to),
    ways.length === 0 ? 'lost: nothing of the release leads it' : `${summaryOf(ways)}${why}`,
    distinct(ways.map(({ hosts }) => hosts.map(({ title }) => title).join(', '))).join(' or '),
    distinct(sources).join(' or '),
    answersOf(back),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

function answersOf(back: readonly Hop[]): string {
  const ways = back.flatMap(waysOf);
  return ways.length === 0 ? '' : summaryOf(ways);
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

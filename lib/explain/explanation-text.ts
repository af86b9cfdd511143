import type { Explanation } from './explanation';
import type { Place } from './cluster';
import { waysOf, type Hop, type Outcome, type Step, type Way } from './walk';

/** An explanation for a person: what packets meet, host by host, each line with the value that it follows from. */
export function explanationText({ from, to, there, back }: Explanation, assumptions: readonly string[]): string {
  return [
    `${titleOf(from)} to ${titleOf(to)}`,
    '',
    line('from', `${from.address.text}, ${from.about}`, from.from),
    line('to', `${to.address.text}, ${to.about}`, to.from),
    ...assumptions.map((assumption) => line('given', assumption)),
    '',
    ...direction('There', there, from),
    ...(back.length === 0 ? [] : ['', ...direction('Back', back, to)]),
    '',
  ].join('\n');
}

/** The name of a place, with the address where that says more. */
export const titleOf = ({ name, address }: Place): string =>
  name === address.text ? name : `${name} (${address.text})`;

function direction(title: string, roots: readonly Hop[], from: Place): string[] {
  const ways = roots.flatMap(waysOf);
  if (ways.length === 0) return [`${title}: lost: nothing of the release leads what ${titleOf(from)} sends`];
  const several = roots.length > 1;
  return [
    `${title}: ${summaryOf(ways)}`,
    ...roots.flatMap((root, index) => [
      ...(several ? ['', `way ${String(index + 1)} of ${String(roots.length)}, as the sender chooses`] : []),
      ...hopLines(root, several ? String(index + 1) : ''),
    ]),
  ];
}

/** How ways end, and what fits through the narrowest of those that arrive. */
export function summaryOf(ways: readonly Way[]): string {
  const verdicts = [...new Set(ways.map(({ outcome, isPart }) => `${outcome.verdict}${isPart ? ' in part' : ''}`))];
  const mtus = ways.flatMap(({ outcome, mtuBytes }) =>
    outcome.verdict === 'arrives' && mtuBytes !== undefined ? [mtuBytes] : [],
  );
  const fits = mtus.length === 0 ? '' : `, packets of at most ${String(Math.min(...mtus))} bytes`;
  return `${verdicts.join(', or ')}${fits}`;
}

function hopLines({ host, steps, branches }: Hop, label: string): string[] {
  const [only] = branches.length === 1 ? branches : [];
  const branchLines = ({ steps: more, outcome, next }: Hop['branches'][number], mark: string): string[] => [
    ...more.map(stepLine),
    ...(outcome === undefined ? [] : [outcomeLine(outcome)]),
    ...(next === undefined ? [] : hopLines(next, mark)),
  ];
  return [
    '',
    host.title,
    ...steps.map(stepLine),
    ...(only === undefined
      ? branches.flatMap((branch, index) => {
          const mark = `${label === '' ? '' : `${label}.`}${String(index + 1)}`;
          return ['', `way ${mark} of ${String(branches.length)}, each flow takes one`, ...branchLines(branch, mark)];
        })
      : branchLines(only, label)),
  ];
}

const stepLine = ({ kind, text, from }: Step): string => line(kind, text, from);
const outcomeLine = ({ verdict, text, from }: Outcome): string => line('end', `${verdict}: ${text}`, from);

/** Wide enough for every kind. */
const KIND_WIDTH = 8;

const line = (kind: string, text: string, from?: string): string =>
  `  ${kind.padEnd(KIND_WIDTH)}${text}${from === undefined ? '' : `  [${from}]`}`;

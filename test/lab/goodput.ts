/** How fast a way is beside another one, which ends at the same place. */
import type { Host } from './host';
import { LabError } from './processes';

const ROUNDS = 7;
const SECONDS = 3;
const GOAL = 0.95;

export type Way = 'ours' | 'hand';

/**
 * Sends to an iperf3, or fetches from it, by both ways in turns. Of a busy machine one slow round says nothing, so the medians count.
 *
 * @param clients - who sends by each way
 * @param take - lets what is sent next take that way; gives more options of iperf3
 * @param least - how fast ours has to be beside the other one
 * @throws if ours is slower
 */
export async function goodput(
  clients: Readonly<Record<Way, Host>>,
  target: string,
  direction: 'to' | 'from',
  take: (way: Way) => Promise<string>,
  least = GOAL,
): Promise<string> {
  const figures: Record<Way, number[]> = { ours: [], hand: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // Each goes first as often as the other.
    for (const way of round % 2 === 0 ? (['ours', 'hand'] as const) : (['hand', 'ours'] as const)) {
      const options = `${await take(way)} ${direction === 'from' ? '-R' : ''}`;
      const said = await clients[way].run(`iperf3 -c ${target} -t ${SECONDS} -O 1 -J ${options} || :`);
      const { error, end } = JSON.parse(said) as Iperf;
      if (error !== undefined) throw new LabError(`${way}: iperf3: ${error}`);
      figures[way].push(end.sum_received.bits_per_second / 1e6);
    }
  }
  const median = (of: readonly number[]): number => [...of].sort((a, b) => a - b)[of.length >> 1] ?? 0;
  const [ours, hand] = [median(figures.ours), median(figures.hand)];
  const figure = `${ours.toFixed(0)} Mbit/s beside ${hand.toFixed(0)} Mbit/s: ${(ours / hand).toFixed(2)}`;
  if (ours / hand < least) throw new LabError(`${figure}, each round: ${JSON.stringify(figures)}`);
  return figure;
}

interface Iperf {
  readonly error?: string;
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

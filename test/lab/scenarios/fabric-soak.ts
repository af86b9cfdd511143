import { setTimeout as sleep } from 'node:timers/promises';
import { Fabric, figureOf, happen } from '../fabric';
import { faultsOf } from '../faults';
import { watchClear } from '../ipsec';
import { probing } from '../probes';
import { LabError } from '../processes';
import { say } from '../progress';
import { same, type Scenario } from '../scenario';

const MINUTES = 30;
/** After so many of them all containers have what they need. */
const WARM_MINUTES = 5;
/** What the memory of a container may grow by until the end. */
const GROWTH_MIB = 16;
/** A fault may cost so much, and nothing may stay broken longer. */
const STUCK_SECONDS = 45;

export const scenario: Scenario = {
  title: 'Half an hour with a fault every minute, drawn at random',
  run: async (context) => {
    const seed = Number(process.env['LAB_SEED'] ?? Date.now() % 2 ** 31);
    const clear = await watchClear(context);
    const fabric = await Fabric.installed(context);
    const pod = await fabric.podBeside();
    const faults = faultsOf(context, fabric);
    const draw = generator(seed);
    let warm: Readonly<Record<string, number>> = {};
    await context.check(`${MINUTES} minutes, drawn with LAB_SEED=${seed}`, async () => {
      const { flows, names } = await fabric.pinned(pod, ['a', 'b']);
      const losses = await probing(flows, async () => {
        for (let minute = 0; minute < MINUTES; minute++) {
          if (minute === WARM_MINUTES) warm = await fabric.memoryMib();
          const next = Date.now() + 60_000;
          const fault = faults[draw(faults.length)]!;
          say(`  minute ${minute}: ${fault.title}`);
          await happen(fault);
          await fabric.complete();
          await sleep(Math.max(0, next - Date.now()));
        }
      });
      const figure = figureOf(names, losses);
      if (losses.some(({ outages }) => outages.some(({ seconds }) => seconds > STUCK_SECONDS)))
        throw new LabError(figure);
      return figure;
    });
    await context.check('everything is there again', async () => {
      await fabric.ready();
      await fabric.complete();
    });
    await context.check(`the memory of each container, since minute ${WARM_MINUTES}`, async () => {
      const now = await fabric.memoryMib();
      const growth = Object.entries(now).flatMap(([name, mib]) =>
        warm[name] === undefined ? [] : [{ name, mib: mib - warm[name] }],
      );
      const figure = growth.map(({ name, mib }) => `${name} ${mib.toFixed(0)}`).join(', ');
      if (growth.length === 0 || growth.some(({ mib }) => mib > GROWTH_MIB)) throw new LabError(`MiB more: ${figure}`);
      return `MiB more: ${figure}`;
    });
    await context.check('packets in clear outside: none', async () => same('the number', `${await clear()}`, '0'));
    await context.check('helm uninstall', () => fabric.vpn.uninstall());
  },
};

/** Numbers below a limit that follow from a seed (mulberry32). */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Fabric } from '../fabric';
import { faultsOf } from '../faults';
import { LabError, until } from '../processes';
import type { Context, Scenario } from '../scenario';

/** A network of which there are 16,384 parts of the length 24. */
const MANY = '100.64.0.0/10';
/** More routes than a node has otherwise. */
const OTHERS = 500;
const IDLE_SECONDS = 30;
/** What an agent may take of one emulated processor while nothing changes. */
const IDLE_CORES = 0.15;
/** How often the gateway is lost, by the number of prefixes. */
const REPETITIONS = { 1000: 1, 10_000: 5 } as const;

export const scenario: Scenario = {
  title: 'A thousand and ten thousand prefixes, and a gateway that is lost meanwhile',
  run: async (context) => {
    const fabric = await Fabric.installed(context, {
      routes: { import: { many: { cidr: MANY, maxLength: 24 } }, maxPrefixes: 20_000 },
    });
    const pod = await fabric.podBeside();
    const silent = faultsOf(context, fabric).find(({ title }) =>
      title.startsWith('the node of the gateway stands still'),
    )!;
    for (const count of [1000, 10_000] as const) {
      await context.check(`${count} prefixes, until each node has two ways to all`, async () => {
        const start = Date.now();
        await announce(fabric, count);
        const announced = (Date.now() - start) / 1000;
        await everywhere(context, count);
        const seconds = (Date.now() - start) / 1000;
        return `${seconds.toFixed(1)} s, of which the routers took ${announced.toFixed(1)} s to have them`;
      });
      await context.check(`${count} prefixes: what an agent takes while nothing changes`, () => idle(fabric));
      for (let time = 1; time <= REPETITIONS[count]; time++) {
        await fabric.fault(pod, ['a'], { ...silent, title: `${count} prefixes, time ${time}: ${silent.title}` });
        await everywhere(context, count);
      }
    }
    await context.check('all are withdrawn, until no node has a way to any', async () => {
      const start = Date.now();
      await announce(fabric, 0);
      await everywhere(context, 0);
      return `${((Date.now() - start) / 1000).toFixed(1)} s`;
    });
    await context.check('no container was started again', () => fabric.vpn.restarted());
    await context.check('helm uninstall', () => fabric.vpn.uninstall());
  },
};

/** Gives both routers so many routes to what is behind them, and no others. */
async function announce(fabric: Fabric, count: number): Promise<void> {
  const parts = Array.from({ length: count }, (_, index) => `100.${64 + (index >> 8)}.${index & 255}.0/24`);
  await Promise.all(
    (['a', 'b'] as const).map((gateway) => {
      const { host } = fabric.router(gateway);
      const lines = parts.map((network) => `route add ${network} dev eth1\n`).join('');
      return host.run(`ip route flush root ${MANY} proto boot; ip -batch -`, { input: lines });
    }),
  );
}

async function everywhere({ lab }: Context, count: number): Promise<void> {
  // Only as many as there are to be are looked at one by one: that takes the time of the node.
  const prefixes = "awk '/Prefixes:/ && $2 > most { most = $2 } END { print most }' /proc/net/fib_triestat";
  const complete = `ip -o route show root ${MANY} proto bgp | grep -c 'nexthop.*nexthop' || :`;
  for (const machine of lab.machines)
    await until(
      `${count} routes on ${machine.name}`,
      600,
      async () => {
        const number = Number(await lab.on(machine, prefixes));
        if (number < count || number > count + OTHERS) return undefined;
        return Number(await lab.on(machine, complete)) === count ? true : undefined;
      },
      1,
    );
}

/** Processor time of the agents' containers, in parts of a processor. */
async function idle(fabric: Fabric): Promise<string> {
  const used = async (): Promise<number[]> => {
    const said = await fabric.ofAgents("sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat");
    return said.map(Number);
  };
  const before = await used();
  await sleep(IDLE_SECONDS * 1000);
  const cores = (await used()).map((usec, index) => (usec - (before[index] ?? 0)) / 1e6 / IDLE_SECONDS);
  const figure = cores.map((each) => `${(100 * each).toFixed(1)} %`).join(', ');
  if (cores.some((each) => !(each < IDLE_CORES))) throw new LabError(figure);
  return `${figure} of a processor`;
}

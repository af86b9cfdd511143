import { Fabric } from '../fabric';
import { watchClear } from '../ipsec';
import { LabError, until } from '../processes';
import { same, type Scenario } from '../scenario';

/** How long the last one waits for another one, in vain. */
const DRAIN_SECONDS = 30;
/** Until both gateways have gone. */
const LEFT_SECONDS = 180;

export const scenario: Scenario = {
  title: 'Both gateways are gone: nobody knows a way, hosts are told so, and nothing leaves in clear',
  run: async (context) => {
    const clear = await watchClear(context);
    const fabric = await Fabric.installed(context, { values: { drainTimeoutSeconds: DRAIN_SECONDS } });
    const pod = await fabric.podBeside();
    const scale = (replicas: number): Promise<string> =>
      context.kubectl(
        'scale',
        'deployment',
        fabric.vpn.gateway('a'),
        fabric.vpn.gateway('b'),
        `--replicas=${replicas}`,
      );
    await context.check('no node has a way', async () => {
      await scale(0);
      for (const machine of context.lab.machines)
        await until('no way', LEFT_SECONDS, async () => ((await fabric.ways(machine)) === 0 ? true : undefined));
    });
    await context.check('a pod is told at once', async () => {
      const said = await pod.run(`ping -n -c 1 -W 5 ${fabric.srv.address} || :`);
      if (!/unreachable|No route/i.test(said)) throw new LabError(said);
    });
    await context.check('the gateways are back: two ways everywhere', async () => {
      await scale(1);
      await fabric.ready();
      await fabric.complete();
      return pod.ping(fabric.srv.address);
    });
    await context.check('packets in clear outside: none', async () => same('the number', `${await clear()}`, '0'));
    await context.check('helm uninstall', () => fabric.vpn.uninstall());
    await fabric.remove();
  },
};

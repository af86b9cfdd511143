import { Fabric } from '../fabric';
import { faultsOf } from '../faults';
import type { Pod } from '../host';
import { watchClear } from '../ipsec';
import { LabError, until } from '../processes';
import { same, type Context, type Scenario } from '../scenario';

export const scenario: Scenario = {
  title: 'One packet every 10 ms each way over the gateway to which things happen, with another one beside it',
  run: async (context) => {
    const clear = await watchClear(context);
    for (const remoteBfd of [true, false]) {
      const title = remoteBfd ? 'remote ends with BFD' : 'without BFD';
      const fabric = await context.prepare(
        `${title}: the routers, and helm install --wait: two ways everywhere`,
        async () => {
          const made = await Fabric.prepare(context, { remoteBfd });
          await made.install();
          return made;
        },
      );
      const pod = await context.prepare(`${title}: a pod that is not on the node of the gateway`, () =>
        context.pod(`probe-${remoteBfd ? 'with' : 'without'}-bfd`, fabric.nodeOf('b').name),
      );
      for (const fault of faultsOf(context, fabric))
        if (remoteBfd || fault.ofRemoteEnd === true)
          await fabric.fault(pod, ['a'], { ...fault, title: `${title}: ${fault.title}` });
      if (remoteBfd) await bothDown(context, fabric, pod);
      await context.check(`${title}: packets in clear outside: none`, async () =>
        same('the number', `${await clear()}`, '0'),
      );
      await context.check(`${title}: helm uninstall`, () => fabric.vpn.uninstall());
      await fabric.remove();
    }
  },
};

/** Until both gateways have gone: the last one waits `drainTimeoutSeconds` for another one. */
const LEFT_SECONDS = 600;

/** Nobody knows a way: hosts are told so, and nothing leaves in clear. */
async function bothDown(context: Context, fabric: Fabric, pod: Pod): Promise<void> {
  const scale = (replicas: number): Promise<string> =>
    context.kubectl('scale', 'deployment', fabric.vpn.gateway('a'), fabric.vpn.gateway('b'), `--replicas=${replicas}`);
  await context.check('both gateways are gone: a pod is told at once that there is no way', async () => {
    await scale(0);
    for (const machine of context.lab.machines)
      await until('no way', LEFT_SECONDS, async () => ((await fabric.ways(machine)) === 0 ? true : undefined));
    const said = await pod.run(`ping -n -c 1 -W 5 ${fabric.srv.address} || :`);
    if (!/unreachable|No route/i.test(said)) throw new LabError(said);
  });
  await context.check('… and back: two ways everywhere', async () => {
    await scale(1);
    await fabric.ready();
    await fabric.complete();
    return pod.ping(fabric.srv.address);
  });
}

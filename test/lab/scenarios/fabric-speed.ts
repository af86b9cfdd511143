import { Fabric } from '../fabric';
import { goodput } from '../goodput';
import { Container } from '../host';
import { LabError } from '../processes';
import type { Scenario } from '../scenario';
import { TOOLS_IMAGE } from '../settings';

/**
 * How fast a pod has to be beside the gateway's own way, which has no overlay. Every machine on the way is emulated by the same two
 * processors, so that a median of seven rounds still differs by a third from one run to the next.
 */
const LEAST = 0.65;

export const scenario: Scenario = {
  title:
    'How fast a pod sends over the fabric, beside a process in the pod of the gateway that uses its interface by hand',
  run: async (context) => {
    const fabric = await context.prepare('the routers, and helm install --wait: two ways everywhere', async () => {
      const made = await Fabric.prepare(context, {
        values: {
          extraContainers: [
            {
              name: 'hand',
              image: TOOLS_IMAGE,
              // As process 1 it ends of a signal only if it waits for one.
              command: ['sh', '-c', 'trap exit TERM; sleep infinity & wait'],
              securityContext: { capabilities: { add: ['NET_ADMIN'] } },
            },
          ],
        },
      });
      await made.install();
      return made;
    });
    const { vpn, srv } = fabric;
    // One way, of which both are sure.
    await context.prepare('only gateway a', async () => {
      await context.kubectl('scale', 'deployment', vpn.gateway('b'), '--replicas=0');
      await fabric.complete(1);
    });
    const hand = new Container(context.lab, context.namespace, `deploy/${vpn.gateway('a')}`, 'hand');
    await context.prepare('the way by hand', async () => {
      await srv.run('iperf3 -s -D');
      const device = (await hand.run('ls -d /sys/class/net/ipsec*')).trim().split('/').pop() ?? '';
      const { podIP } = await vpn.placeOf('a');
      await hand.run(`ip route add ${srv.address} dev ${device} src ${podIP}`);
      return hand.ping(srv.address);
    });
    for (const [place, gateway] of [
      ['the node of the gateway', 'a'],
      ['another node', 'b'],
    ] as const) {
      const pod = await context.prepare(`a pod on ${place}`, () =>
        context.pod(`source-${gateway}`, fabric.nodeOf(gateway).name),
      );
      for (const direction of ['to', 'from'] as const)
        await context.check(`${place}: goodput ${direction} srv, beside the interface used by hand`, () =>
          goodput({ ours: pod, hand }, srv.address, direction, () => Promise.resolve(''), LEAST),
        );
    }
    await context.check('the pods’ packets came over the overlay', async () => {
      const bytes = Number(await hand.run('cat /sys/class/net/ovl0/statistics/rx_bytes'));
      if (!(bytes > 1e6)) throw new LabError(`${bytes} bytes`);
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

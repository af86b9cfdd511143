import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_OF_CLUSTER, Ipsec, newSharedKey, OFFICE, OFFICE_NETWORK, Router, watchClear } from '../ipsec';
import { during } from '../pings';
import { LabError } from '../processes';
import { same, type Scenario } from '../scenario';
import { installWeb } from '../wireguard';

/** What the router's own timers take to notice, which are those of the gateway, and then to begin. */
const NOTICE_SECONDS = 20;
const BEGIN_SECONDS = 10;
/** What Kubernetes and a new pod take here, on emulated processors. */
const NEW_POD_SECONDS = 45;
const CUT_SECONDS = 60;

const BALANCED = '198.51.100.21';

export const scenario: Scenario = {
  title:
    'One packet every 10 ms through a tunnel that the router begins, by a load balancer, while things happen to both ends',
  run: async (context) => {
    const { lab } = context;
    const [first] = lab.machines;
    const key = newSharedKey();
    const remote = await context.client('router');
    const desk = await context.behind(remote, 'desk', OFFICE);
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const vpn = await context.prepare('the Secret with the key', () =>
      Ipsec.prepare(
        context,
        'site',
        {
          cluster: ALL_OF_CLUSTER,
          gateways: { a: { identity: BALANCED, nodeSelector: { 'kubernetes.io/hostname': first.name } } },
          tunnels: {
            office: {
              gateway: 'a',
              remote: { address: remote.address, networks: [OFFICE_NETWORK] },
              presharedKey: { existingSecret: 'office-psk' },
            },
          },
        },
        { 'office-psk': key },
      ),
    );
    const router = new Router(remote);
    const clear = await watchClear(context);
    await context.prepare('the router, which begins at once, and helm install --wait', async () => {
      await router.start(vpn.counterpart('office', { secretLine: `secret = "${key}"` }));
      await vpn.install({ a: BALANCED });
    });
    const target = web[0]?.address ?? '';

    const fault = (title: string, limitSeconds: number, action: () => Promise<unknown>): Promise<boolean> =>
      context.check(title, async () => {
        const { gapSeconds, figure } = await during(desk, target, async () => {
          await action();
          await vpn.up('a');
        });
        const told = `${figure}; at most ${limitSeconds} s`;
        if (gapSeconds > limitSeconds) throw new LabError(told);
        return told;
      });
    await fault('charon is killed', NOTICE_SECONDS + BEGIN_SECONDS, async () => {
      await lab.on((await vpn.placeOf('a')).node, 'pkill -KILL -f ^/usr/libexec/ipsec/charon');
      await vpn.unready();
    });
    await fault('the pod is deleted', NEW_POD_SECONDS + BEGIN_SECONDS, async () => {
      await context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait');
      await vpn.ready(vpn.gateway('a'));
    });
    await fault('the router forgets its SAs', BEGIN_SECONDS, () => router.forget());
    await fault('the router’s cable is out for a minute', CUT_SECONDS + NOTICE_SECONDS + BEGIN_SECONDS, async () => {
      await router.cut();
      await sleep(CUT_SECONDS * 1000);
      await router.mend();
    });
    await context.check('packets in clear outside: none', async () => same('the number', `${await clear()}`, '0'));
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

import { setTimeout as sleep } from 'node:timers/promises';
import { newSharedKey, OFFICE, OFFICE_NETWORK, ALL_OF_CLUSTER, Ipsec, makeSecret, Router, watchClear } from '../ipsec';
import { during, type Pings } from '../pings';
import { LabError, until } from '../processes';
import { same, type Scenario } from '../scenario';
import { installWeb } from '../wireguard';

const IKE = { dpdDelaySeconds: 10 };
/** What it takes at most here, on emulated processors: that a tunnel is begun, a container starts again, and a pod comes to be. */
const BEGIN_SECONDS = 10;
const CONTAINER_SECONDS = 10;
const NEW_POD_SECONDS = 45;

export const scenario: Scenario = {
  title: 'One packet every 10 ms through a tunnel that the gateway begins, while things happen to both ends',
  run: async (context) => {
    const { lab } = context;
    const [key, nextKey, branchKey] = [newSharedKey(), newSharedKey(), newSharedKey()];
    const [remote, other] = [await context.client('router'), await context.client('branch')];
    const desk = await context.behind(remote, 'desk', OFFICE);
    for (const machine of lab.machines) await context.publicAddress(machine);
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const branch = (proposal: string) => ({
      gateway: 'a',
      remote: { address: other.address, networks: ['10.2.0.0/24'], initiates: false },
      presharedKey: { value: branchKey },
      esp: { proposals: [proposal] },
    });
    const values = (more: object = {}) => ({
      cluster: ALL_OF_CLUSTER,
      // On any node: the router knows the gateway by its identity alone.
      gateways: { a: { exposure: 'hostPort', identity: 'keyid:site' } },
      tunnels: {
        office: {
          gateway: 'a',
          remote: { address: remote.address, networks: [OFFICE_NETWORK], initiates: false },
          presharedKey: { existingSecret: 'office-psk' },
          ike: IKE,
        },
        ...more,
      },
    });
    const vpn = await context.prepare('the Secret with the key', () =>
      Ipsec.prepare(context, 'site', values(), { 'office-psk': key }),
    );
    const router = new Router(remote);
    const clear = await watchClear(context);
    const files = (secret: string) => vpn.counterpart('office', { secretLine: `secret = "${secret}"` });
    await context.prepare('the router, which waits, and helm install --wait', async () => {
      await router.start(files(key));
      await vpn.install();
    });
    /** A pod that is not on the node of the gateway. */
    const target = async (): Promise<string> => {
      const { other: away } = await vpn.placeOf('a');
      return web.find(({ node }) => node === away.name)?.address ?? '';
    };
    const pinging = async (action: () => Promise<unknown>): Promise<Pings> => during(desk, await target(), action);

    /** Does something, and waits until all is up again by itself. */
    const fault = async (
      title: string,
      action: () => Promise<unknown>,
      limitSeconds: () => number | Promise<number>,
    ): Promise<boolean> =>
      context.check(title, async () => {
        const limit = await limitSeconds();
        const pings = await pinging(async () => {
          await action();
          await vpn.up('a');
        });
        within(pings, limit);
        return `${pings.figure}; at most ${limit} s`;
      });

    await context.check('another tunnel is added by helm upgrade: no packet is lost', () =>
      untouched(vpn, () =>
        pinging(async () => {
          await vpn.upgrade(values({ branch: branch('aes256gcm16-ecp384') }));
          await new Router(other).start({
            ...vpn.counterpart('branch', { secretLine: `secret = "${branchKey}"` }),
          });
          await vpn.inService('the other tunnel', async () => (await vpn.page('a', 'ready')) === 'ready\n');
        }),
      ),
    );
    await context.check('… is changed: it begins anew, and the first one stays', () =>
      untouched(vpn, () =>
        pinging(async () => {
          const before = await vpn.spis('a', 'branch');
          await vpn.upgrade(values({ branch: branch('aes256-sha256-ecp384') }));
          await new Router(other).reload(vpn.counterpart('branch', { secretLine: `secret = "${branchKey}"` }));
          await vpn.inService('the changed tunnel', async () => {
            const now = await vpn.spis('a', 'branch');
            return now !== '' && now !== before;
          });
        }),
      ),
    );
    await context.check('… is removed', () =>
      untouched(vpn, () =>
        pinging(async () => {
          await vpn.upgrade(values());
          await vpn.inService('the removal', async () => (await vpn.spis('a', 'branch')) === '');
        }),
      ),
    );
    for (const [what, option] of [
      ['the child', '--child office'],
      ['the IKE SA', '--ike office'],
    ] as const) {
      await context.check(`${what} is rekeyed under traffic: no packet is lost`, async () => {
        const before = await vpn.spis('a', 'office');
        const pings = await pinging(async () => {
          await vpn.exec('a', `swanctl --rekey ${option} --uri unix:///run/vpn/charon.vici`, 'charon');
          await sleep(3000);
        });
        if (option.startsWith('--child') === ((await vpn.spis('a', 'office')) === before))
          throw new LabError('it was not rekeyed, or more than that');
        nothingLost(pings);
        return pings.figure;
      });
    }
    await context.check('the pre-shared key is changed at both ends, as documented: no packet is lost', () =>
      untouched(vpn, () =>
        pinging(async () => {
          await makeSecret(context, 'office-psk', { psk: `${nextKey}\n` });
          await router.reload(files(nextKey));
          await vpn.inService('the new key', async () => {
            const secrets = await vpn.exec('a', 'cat /run/vpn/swanctl/secrets.conf', 'control');
            return secrets.includes(Buffer.from(nextKey).toString('base64'));
          });
          // Until charon has it as well.
          await sleep(5000);
        }),
      ),
    );
    await fault(
      '… and the tunnel ends and begins again with it',
      () => vpn.exec('a', 'swanctl --terminate --ike office --uri unix:///run/vpn/charon.vici', 'charon'),
      () => BEGIN_SECONDS,
    );
    await fault(
      'charon is killed',
      async () => {
        const { node } = await vpn.placeOf('a');
        await lab.on(node, 'pkill -KILL -f ^/usr/libexec/ipsec/charon');
        await vpn.unready();
      },
      () => CONTAINER_SECONDS + BEGIN_SECONDS,
    );
    await context.check('… which is all that was started again', () => vpn.restarted(1));
    await fault(
      'the pod is deleted',
      async () => {
        await context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait');
        await vpn.ready(vpn.gateway('a'));
      },
      () => NEW_POD_SECONDS,
    );
    await context.check('the remote end is silent: it is noticed, and all is well when it is back', async () => {
      const limit = await vpn.promisedSeconds('the remote end is silent');
      let noticed = 0;
      const pings = await pinging(async () => {
        await router.cut();
        const start = Date.now();
        try {
          await until(
            'the gateway notices',
            60,
            async () => ((await vpn.page('a', 'ready')).includes('no answer') ? true : undefined),
            0.5,
          );
          noticed = (Date.now() - start) / 1000;
          await sleep(20_000);
        } finally {
          await router.mend();
        }
        await vpn.up('a');
      });
      if (noticed > limit + 1) throw new LabError(`noticed after ${noticed.toFixed(1)} s, and promised: ${limit} s`);
      return `noticed after ${noticed.toFixed(1)} s of at most ${limit} s; ${pings.figure}`;
    });
    await fault(
      'the remote end forgets its SAs',
      () => router.forget(),
      async () => (await vpn.promisedSeconds('the remote end has forgotten its SAs')) + BEGIN_SECONDS,
    );
    const { node: lost } = await vpn.placeOf('a');
    await context.check('the node of the gateway is lost: its machine stands still', async () => {
      const limit = (await vpn.promisedSeconds("a gateway's node is lost")) + NEW_POD_SECONDS;
      let pings: Pings;
      try {
        pings = await pinging(async () => {
          await lab.freeze(lost);
          await until('the gateway on another node', 240, async () =>
            (await vpn.placeOf('a')).node.name === lost.name ? undefined : true,
          );
          await vpn.ready(vpn.gateway('a'));
        });
      } finally {
        await lab.thaw(lost);
      }
      within(pings, limit);
      return `${pings.figure}; at most ${limit} s`;
    });
    await context.check('… and it comes back: nothing is lost', async () => {
      const pings = await pinging(() => sleep(20_000));
      nothingLost(pings);
      return pings.figure;
    });
    await context.check('packets in clear outside: none', async () => same('the number', `${await clear()}`, '0'));
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

/** @throws if the gap is longer than that */
function within({ gapSeconds, figure }: Pings, limitSeconds: number): void {
  if (gapSeconds > limitSeconds) throw new LabError(`${figure}; at most ${limitSeconds} s`);
}

/** @throws if a packet is lost */
function nothingLost({ lost, figure }: Pings): void {
  if (lost > 0) throw new LabError(figure);
}

/** @throws if a packet is lost meanwhile, or the SAs of the tunnel are others afterwards */
async function untouched(vpn: Ipsec, work: () => Promise<Pings>): Promise<string> {
  const before = await vpn.spis('a', 'office');
  const pings = await work();
  same('the SPIs', await vpn.spis('a', 'office'), before);
  if (before === '') throw new LabError('there are no SPIs');
  nothingLost(pings);
  await vpn.restarted();
  return pings.figure;
}

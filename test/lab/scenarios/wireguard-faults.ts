import { during } from '../pings';
import { Interrupted, LabError, until } from '../processes';
import type { Scenario } from '../scenario';
import { keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31840;
const SERVER = '10.13.13.1';
const OFFICE_PORT = 51830;

export const scenario: Scenario = {
  title: 'One packet every 10 ms through the tunnel, while things happen to the server',
  run: async (context) => {
    const { lab } = context;
    const keys = { alice: keyPair(), fresh: keyPair(), bob: keyPair(), office: keyPair() };
    const [alice, fresh, office] = [
      await context.client('alice'),
      await context.client('fresh'),
      await context.client('office'),
    ];
    const values = {
      service: { type: 'NodePort', nodePort: NODE_PORT },
      // What is tolerated for ever must not keep the pod on a lost node.
      tolerations: [{ operator: 'Exists' }],
      client: { allowedIPs: ['10.13.13.0/24'], persistentKeepaliveSeconds: 5 },
      peers: {
        alice: { publicKey: keys.alice.public, addresses: ['10.13.13.2'] },
        fresh: { publicKey: keys.fresh.public, addresses: ['10.13.13.3'] },
        office: {
          publicKey: keys.office.public,
          addresses: ['10.13.13.6'],
          // The third client; the image's libc looks it up.
          endpoint: `client3.example:${OFFICE_PORT}`,
          persistentKeepaliveSeconds: 5,
        },
      },
    };
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.installed(context, 'vpn', values, keyPair()),
    );
    // By the node where the server is not, so that the way stays when that one fails.
    const away = async (): Promise<string> => `${(await vpn.place()).other.address}:${NODE_PORT}`;
    const connect = async (name: 'alice' | 'fresh', endpoint: string): Promise<void> =>
      (name === 'alice' ? alice : fresh).connect(await vpn.clientFile(name, keys[name], endpoint));
    await context.prepare('the tunnel', async () => {
      await connect('alice', await away());
      await alice.ping(SERVER);
    });

    const bob = (address: string) => ({ peers: { bob: { publicKey: keys.bob.public, addresses: [address] } } });
    const shows = (what: string, part: string, is: boolean) => async (): Promise<boolean> =>
      (await vpn.exec(`wg show wg0 ${what}`)).includes(part) === is;
    for (const [title, more, applied] of [
      ['another peer is added', bob('10.13.13.4'), shows('peers', keys.bob.public, true)],
      ['another peer is changed', bob('10.13.13.5'), shows('allowed-ips', '10.13.13.5', true)],
      ['another peer is removed', {}, shows('peers', keys.bob.public, false)],
    ] as const) {
      await context.check(`${title} by helm upgrade: no packet is lost`, async () => {
        const { lost, figure } = await during(alice, SERVER, async () => {
          await vpn.upgrade(more);
          await vpn.inService(title, applied);
        });
        if (lost > 0) throw new LabError(figure);
        return figure;
      });
    }

    /** Does something to the server, and waits until it is Ready: then a client that comes new is served. */
    const fault = (
      title: string,
      action: () => Promise<unknown>,
      { restarts = 0, way = '', after = (): Promise<unknown> => Promise.resolve() } = {},
    ): Promise<boolean> =>
      context.check(title, async () => {
        await fresh.disconnect();
        if (way !== '') await connect('alice', way);
        let served = '';
        const { figure } = await during(alice, SERVER, async () => {
          try {
            await action();
            await vpn.ready();
            const start = Date.now();
            await connect('fresh', way === '' ? await away() : way);
            // kube-proxy may be a moment behind; then the client's second try, after 5 s, is the first to arrive.
            await fresh.run(`ping -n -q -c 1 -w 8 ${SERVER}`);
            served = `a new client is served ${((Date.now() - start) / 1000).toFixed(1)} s after Ready`;
            await until('answers', 150, () => alice.ping(SERVER), 1);
          } finally {
            await after();
          }
        });
        await vpn.restarted(restarts);
        return `${figure}; ${served}`;
      });
    await fault(
      'the container is killed',
      async () => {
        // From the node: within its container the first process cannot be killed.
        const { node } = await vpn.place();
        await lab.on(node, "pkill -9 -f '^/bin/sh /scripts/server.sh'");
        await vpn.unready();
      },
      { restarts: 1 },
    );
    await fault('the pod is deleted', () => context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait'));
    await fault('another image, by helm upgrade', async () => {
      const image = await context.kubectl(
        ...['get', 'deployment', vpn.name, '-o'],
        'jsonpath={.spec.template.spec.containers[0].image}',
      );
      const next = `${image}-next`;
      await Promise.all(lab.machines.map((node) => lab.on(node, `ctr -n k8s.io images tag --force ${image} ${next}`)));
      await vpn.upgrade({ image: { tag: next.replace(/^.*:/, '') } });
    });
    await fault('helm rollback to the first image', () =>
      lab.helm(['rollback', vpn.release, '-n', context.namespace, '--wait', '--timeout', '3m']),
    );
    const drained = await vpn.place();
    await fault(
      'the node is drained',
      () =>
        lab.kubectl([
          ...['drain', drained.node.name, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s'],
        ]),
      { after: () => lab.kubectl(['uncordon', drained.node.name]) },
    );

    await context.check('the interface is removed: the server makes it again', async () => {
      const { figure } = await during(alice, SERVER, () => vpn.exec('ip link delete dev wg0'));
      return figure;
    });
    await context.check('another one in its place: not ready, and helm test fails', async () => {
      await vpn.exec('ip link delete dev wg0; ip link add wg0 type dummy');
      const seconds = await secondsOf(() => vpn.unready());
      const test = await vpn.test().then(
        () => 'passed',
        (error: unknown) => {
          if (error instanceof Interrupted) throw error;
          return String(error);
        },
      );
      if (!test.includes('pod vpn-wireguard-test-health failed')) throw new LabError(`helm test: ${test}`);
      return `not ready after ${seconds.toFixed(1)} s`;
    });
    await context.check('… which is removed in turn: ready, and helm test passes', async () => {
      await vpn.exec('ip link delete dev wg0');
      const seconds = await secondsOf(() => vpn.ready());
      await vpn.test();
      await until('answers', 30, () => alice.ping(SERVER), 1);
      return `ready after ${seconds.toFixed(1)} s`;
    });

    await context.check('the pod is deleted; the server knows the endpoint of the peer', async () => {
      const file = await vpn.clientFile('office', keys.office, await away());
      // Without a word of its own: only the server begins.
      const silent = file.replace(/^(Endpoint|PersistentKeepalive) = .*\n/gm, '');
      await office.connect(silent.replace('[Interface]', `[Interface]\nListenPort = ${OFFICE_PORT}`));
      const { figure } = await during(office, SERVER, () =>
        context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait').then(() => vpn.ready()),
      );
      return figure;
    });
    await context.check('no container was started again', () => vpn.restarted());
    const lost = await vpn.place();
    await fault(
      'the node is lost: its machine stands still',
      async () => {
        await lab.freeze(lost.node);
        await until('the server on another node', 240, async () =>
          (await vpn.place()).node.name === lost.node.name ? undefined : true,
        );
      },
      {
        after: () => lab.thaw(lost.node),
        // Of the new server: what it leaves is the other node.
        way: `${lost.other.address}:${NODE_PORT}`,
      },
    );
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = Date.now();
  await work();
  return (Date.now() - start) / 1000;
}

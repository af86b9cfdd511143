import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../host';
import { LabError, until } from '../processes';
import type { Context, Scenario } from '../scenario';
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
      client: { allowedIPs: ['10.13.13.0/24'], persistentKeepaliveSeconds: 5 },
      peers: {
        alice: { publicKey: keys.alice.public, addresses: ['10.13.13.2'] },
        fresh: { publicKey: keys.fresh.public, addresses: ['10.13.13.3'] },
        office: {
          publicKey: keys.office.public,
          addresses: ['10.13.13.6'],
          endpoint: `${office.address}:${OFFICE_PORT}`,
          persistentKeepaliveSeconds: 5,
        },
      },
    };
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.install(context, 'vpn', values, keyPair()),
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
        const { lost, figure } = await during(alice, async () => {
          await vpn.upgrade(more);
          await vpn.inService(title, applied);
        });
        if (lost > 0) throw new LabError(figure);
        return figure;
      });
    }

    /** Does something to the server, and waits until it is Ready: then a client that comes new is served at once. */
    const fault = (title: string, action: () => Promise<unknown>): Promise<boolean> =>
      context.check(title, async () => {
        await fresh.disconnect();
        let served = '';
        const { figure } = await during(
          alice,
          async () => {
            await action();
            await vpn.ready();
            const start = Date.now();
            await connect('fresh', await away());
            await fresh.run(`ping -n -q -c 1 -w 3 ${SERVER}`);
            served = `a new client is served ${((Date.now() - start) / 1000).toFixed(1)} s after Ready`;
          },
          () => alice.ping(SERVER),
        );
        return `${figure}; ${served}`;
      });
    await fault('the container is killed', async () => {
      // From the node: within its container the first process cannot be killed.
      const { node } = await vpn.place();
      await lab.on(node, "pkill -9 -f '^/bin/sh /scripts/server.sh'");
      await vpn.unready();
    });
    await fault('the pod is deleted', () => context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait'));
    await context.check('the pod is deleted; the server knows the endpoint of the peer', async () => {
      const file = await vpn.clientFile('office', keys.office, await away());
      await office.connect(file.replace('[Interface]', `[Interface]\nListenPort = ${OFFICE_PORT}`));
      const { figure } = await during(
        office,
        () => context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait').then(() => vpn.ready()),
        () => office.ping(SERVER),
      );
      return figure;
    });
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
    await fault('the node is drained', async () => {
      const { node } = await vpn.place();
      const options = ['--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s'];
      await lab.kubectl(['drain', node.name, ...options]);
      await lab.kubectl(['uncordon', node.name]);
    });

    await context.check('the interface is removed: the server makes it again', async () => {
      const { figure } = await during(
        alice,
        () => vpn.exec('ip link delete dev wg0'),
        () => alice.ping(SERVER),
      );
      return figure;
    });
    await context.check('another one in its place: not ready, and helm test fails', async () => {
      await vpn.exec('ip link delete dev wg0; ip link add wg0 type dummy');
      const seconds = await secondsOf(() => vpn.unready());
      const test = await helmTest(context).then(
        () => 'passed',
        (error: unknown) => String(error),
      );
      if (!test.includes('pod vpn-wireguard-test-health failed')) throw new LabError(`helm test: ${test}`);
      return `not ready after ${seconds.toFixed(1)} s`;
    });
    await context.check('… which is removed in turn: ready, and helm test passes', async () => {
      await vpn.exec('ip link delete dev wg0');
      const seconds = await secondsOf(() => vpn.ready());
      await helmTest(context);
      await until('answers', 30, () => alice.ping(SERVER), 1);
      return `ready after ${seconds.toFixed(1)} s`;
    });

    await fault('the node is lost: its machine stands still', async () => {
      const { node } = await vpn.place();
      await connect('alice', await away());
      await alice.ping(SERVER);
      await lab.freeze(node);
      try {
        await until('the server on another node', 240, async () =>
          (await vpn.place()).node.name === node.name ? undefined : true,
        );
        await vpn.ready();
        await until('answers', 60, () => alice.ping(SERVER), 1);
      } finally {
        await lab.thaw(node);
      }
    });
    await context.check('no container was started again', () => vpn.neverRestarted());
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

function helmTest({ lab, namespace }: Context): Promise<string> {
  return lab.helm(['test', 'vpn', '-n', namespace, '--timeout', '1m']);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = Date.now();
  await work();
  return (Date.now() - start) / 1000;
}

/** What becomes of a ping every 10 ms while something is done, and until it works again. */
async function during(
  client: Host,
  action: () => Promise<unknown>,
  works: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ lost: number; figure: string }> {
  const [pings, stop] = [`/run/host/${client.name}/pings`, `/run/host/${client.name}/stop`];
  const count = String.raw`
    match($0, /icmp_seq=[0-9]+/) {
      time = substr($1, 2) + 0
      last = substr($0, RSTART + 9, RLENGTH - 9) + 0
      if (!received++) first = last
      else if (time - before > gap) gap = time - before
      before = time
    }
    END { printf "%d %d %.2f\n", last - first + 1 - received, last - first + 1, gap }`;
  const run = client.run(
    `rm -f ${stop}
    ping -n -D -i 0.01 ${SERVER} >${pings} &
    pid=$!
    while [ ! -e ${stop} ]; do sleep 0.2; done
    kill -INT $pid
    wait $pid || :
    grep "bytes from" ${pings} | awk '${count}'`,
    { seconds: 600 },
  );
  try {
    await sleep(2000);
    await action();
    await until('answers', 150, () => works().then(() => true), 1);
    await sleep(2000);
  } finally {
    await client.run(`touch ${stop}`);
  }
  const [lost = '', all = '', gap = ''] = (await run).trim().split(' ');
  return { lost: Number(lost), figure: `${lost} of ${all} lost, longest gap ${gap} s` };
}

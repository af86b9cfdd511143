import type { Client } from '../client';
import { LabError } from '../processes';
import type { Scenario } from '../scenario';
import { keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31840;

export const scenario: Scenario = {
  title: 'One packet every 10 ms through the tunnel, while things happen to the server',
  run: async (context) => {
    const { lab } = context;
    const [first, second] = lab.machines;
    if (first === undefined || second === undefined) throw new LabError('two nodes are needed');
    const [server, alice, bob] = [keyPair(), keyPair(), keyPair()];
    const values = {
      endpoint: `${first.address}:${NODE_PORT}`,
      service: { type: 'NodePort', nodePort: NODE_PORT },
      client: { allowedIPs: ['10.13.13.0/24'], persistentKeepaliveSeconds: 5 },
      peers: { alice: { publicKey: alice.public, addresses: ['10.13.13.2'] } },
    };
    const withBob = (more: object) => ({
      peers: { bob: { publicKey: bob.public, addresses: ['10.13.13.3'], ...more } },
    });

    const installed: WireGuard[] = [];
    await context.prepare('helm install --wait', async () => {
      installed.push(await WireGuard.install(context, 'vpn', values, server));
    });
    const [vpn] = installed;
    if (vpn === undefined) return;
    const client = await context.client('alice');
    await context.prepare('the tunnel', async () => {
      await client.connect(await vpn.clientFile('alice', alice, values.endpoint));
      await client.ping('10.13.13.1');
    });

    const peers = async (): Promise<number> =>
      (await vpn.exec('wg show wg0 peers')).split('\n').filter((line) => line !== '').length;
    /** The kubelet brings a changed ConfigMap within its sync period; whatever touches the pod makes it look at once. */
    const upgraded = async (more: object, wanted: () => Promise<boolean>): Promise<void> => {
      await vpn.upgrade(more);
      await context.kubectl(
        'annotate',
        'pod',
        '-l',
        'app.kubernetes.io/instance=vpn',
        `lab/now=${Date.now()}`,
        '--overwrite',
      );
      await until('the change is in service', wanted);
    };
    const lossless: [string, () => Promise<unknown>][] = [
      ['another peer is added', () => upgraded(withBob({}), async () => (await peers()) === 2)],
      [
        'another peer is changed',
        () =>
          upgraded(withBob({ addresses: ['10.13.13.4'] }), async () =>
            (await vpn.exec('wg show wg0 allowed-ips')).includes('10.13.13.4'),
          ),
      ],
      ['another peer is removed', () => upgraded({}, async () => (await peers()) === 1)],
    ];
    for (const [title, action] of lossless) {
      await context.check(`${title} by helm upgrade: no packet is lost`, async () => {
        const { lost, figure } = await during(client, action);
        if (lost > 0) throw new LabError(figure);
        return figure;
      });
    }

    const ready = (): Promise<string> =>
      context.kubectl('rollout', 'status', `deployment/${vpn.name}`, '--timeout=180s');
    const faults: [string, () => Promise<unknown>][] = [
      [
        'the container is killed',
        () =>
          vpn
            .exec('kill -9 -1 || :')
            .catch(() => '')
            .then(ready),
      ],
      [
        'the pod is deleted',
        () => context.kubectl('delete', 'pod', '-l', 'app.kubernetes.io/instance=vpn', '--wait').then(ready),
      ],
      [
        'helm rollback to the first revision',
        () => lab.helm(['rollback', 'vpn', '1', '-n', context.namespace, '--wait', '--timeout', '3m']),
      ],
      [
        'the node is drained',
        async () => {
          const { node } = await vpn.place();
          await lab.kubectl([
            'drain',
            node,
            '--ignore-daemonsets',
            '--delete-emptydir-data',
            '--force',
            '--timeout=120s',
          ]);
          await ready();
          await lab.kubectl(['uncordon', node]);
        },
      ],
    ];
    for (const [title, action] of faults) {
      await context.check(title, async () => {
        const { figure } = await during(client, action, () => client.ping('10.13.13.1'));
        return figure;
      });
    }
    await client.disconnect();
    await lab.helm(['uninstall', 'vpn', '-n', context.namespace, '--wait', '--timeout', '3m']);
  },
};

/** What becomes of a ping every 10 ms while something is done, and until it works again. */
async function during(
  client: Client,
  action: () => Promise<unknown>,
  works: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ lost: number; figure: string }> {
  const [pings, stop] = [`/run/client/${client.name}/pings`, `/run/client/${client.name}/stop`];
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
    ping -n -D -i 0.01 10.13.13.1 >${pings} &
    pid=$!
    while [ ! -e ${stop} ]; do sleep 0.2; done
    kill -INT $pid
    wait $pid || :
    grep "bytes from" ${pings} | awk '${count}'`,
    { seconds: 600 },
  );
  try {
    await pause(2);
    await action();
    await until('the client gets answers', () =>
      works().then(
        () => true,
        () => false,
      ),
    );
    await pause(2);
  } finally {
    await client.run(`touch ${stop}`);
  }
  const [lost = '', all = '', gap = ''] = (await run).trim().split(' ');
  return { lost: Number(lost), figure: `${lost} of ${all} lost, longest gap ${gap} s` };
}

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 150_000;
  while (!(await is())) {
    if (Date.now() > end) throw new LabError(`not within 150 s: ${what}`);
    await pause(1);
  }
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

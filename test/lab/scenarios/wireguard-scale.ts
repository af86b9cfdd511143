import { randomBytes } from 'node:crypto';
import type { Scenario } from '../scenario';
import { keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31825;

export const scenario: Scenario = {
  title: 'A thousand peers as values, and twenty thousand in Secrets',
  run: async (context) => {
    const { lab } = context;
    const alice = keyPair();
    // Public keys that nobody has the private ones of.
    const peers = (from: number, to: number): [string, object][] =>
      Array.from({ length: to - from }, (_, index) => {
        const number = from + index;
        const key = randomBytes(32).toString('base64');
        return [`peer-${number}`, { publicKey: key, addresses: [`10.13.${number >> 8}.${number & 255}`] }];
      });
    const values = {
      network: '10.13.0.0/16',
      service: { type: 'NodePort', nodePort: NODE_PORT },
      client: { allowedIPs: ['10.13.0.0/16'] },
      peers: {
        alice: { publicKey: alice.public, addresses: ['10.13.0.2'] },
        ...Object.fromEntries(peers(256, 1256)),
      },
    };
    const vpn = await context.prepare('helm install --wait, with 1,001 peers', () =>
      WireGuard.installed(context, 'vpn', values, keyPair()),
    );
    const client = await context.client('alice');
    await context.check('a client among them is served', async () => {
      await client.connect(await vpn.clientFile('alice', alice, `${lab.machines[0].address}:${NODE_PORT}`));
      return client.ping('10.13.0.1');
    });

    const inService = (count: number): Promise<void> =>
      vpn.inService(
        `${count} peers`,
        async () => (await vpn.exec('wg show wg0 peers | wc -l')).trim() === String(count),
      );
    const memory = async (): Promise<string> =>
      `${(Number(await vpn.exec('cat /sys/fs/cgroup/memory.peak')) / 2 ** 20).toFixed(0)} MiB of memory at most`;
    await context.check('one more, by helm upgrade: from the changed file to the changed interface', async () => {
      const [seconds] = await Promise.all([
        vpn.exec(`
          cd /etc/wireguard/config
          before=$(readlink ..data)
          while [ "$(readlink ..data)" = "$before" ]; do sleep 0.1; done
          read -r from _ </proc/uptime
          while [ "$(wg show wg0 peers | wc -l)" != 1002 ]; do sleep 0.1; done
          read -r to _ </proc/uptime
          echo "$from $to" | awk '{ printf "%.1f s", $2 - $1 }'`),
        vpn.upgrade({ peers: Object.fromEntries(peers(1256, 1257)) }).then(() => inService(1002)),
      ]);
      return `${seconds}, ${await memory()}`;
    });

    const teams = [peers(2000, 9000), peers(9000, 16_000), peers(16_000, 22_000)];
    await context.prepare('20,000 more in three Secrets, by helm upgrade --wait', async () => {
      for (const [index, team] of teams.entries()) {
        const entries = team.map(([name, entry]) => [name, JSON.stringify(entry)]);
        await context.kubectl(
          'create',
          '-f',
          context.file(
            `team-${index}.json`,
            JSON.stringify({
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: { name: `team-${index}` },
              stringData: Object.fromEntries(entries) as object,
            }),
          ),
        );
      }
      const sources = teams.map((_, index) => [`team-${index}`, { existingSecret: `team-${index}` }]);
      await vpn.upgrade({ peersFrom: Object.fromEntries(sources) as object });
      await inService(21_001);
      return memory();
    });
    await context.check('a client among them is served', () =>
      client.run('ping -n -q -c 1 -w 60 10.13.0.1').then(() => undefined),
    );
    await context.check('no container was started again', () => vpn.restarted());
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

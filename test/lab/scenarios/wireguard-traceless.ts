import { LabError } from '../processes';
import { same, type Context, type Scenario } from '../scenario';
import type { Machine } from '../settings';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31850;

export const scenario: Scenario = {
  title: 'Secrets are in Secrets only, and an uninstalled release leaves the nodes as they were',
  run: async (context) => {
    const { lab } = context;
    const [server, alice, shared, team] = [keyPair(), keyPair(), keyPair(), keyPair()];
    const uninstall = async (): Promise<void> => {
      await lab.helm(['uninstall', 'vpn', '-n', context.namespace, '--wait', '--timeout', '3m']);
      await context.kubectl('wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/instance=vpn', '--timeout=120s');
    };
    const values = {
      service: { type: 'NodePort', nodePort: NODE_PORT },
      hostPort: 51821,
      dns: { mode: 'coredns' },
      metrics: { enabled: true },
      peersFrom: { team: { existingSecret: 'team' } },
      peers: {
        alice: {
          publicKey: alice.public,
          addresses: ['10.13.13.2'],
          presharedKey: { value: shared.private },
          routedNetworks: ['192.168.7.0/24'],
        },
      },
    };
    await context.prepare('a first release, with which the network plug-in makes what it keeps', async () => {
      await installWeb(context);
      await WireGuard.install(context, 'vpn', { ...values, peersFrom: {} }, server);
      await uninstall();
      await context.kubectl('delete', 'secret', 'vpn-wireguard-private-key');
    });
    const before = await dumps(context);
    const entry = { publicKey: team.public, addresses: ['10.13.13.9'], presharedKey: { value: team.private } };
    const installed: WireGuard[] = [];
    await context.prepare('helm install --wait, with keys as values, in Secrets and in peersFrom', async () => {
      await context.kubectl(
        'create',
        'secret',
        'generic',
        'team',
        `--from-file=bob=${context.file('bob', JSON.stringify(entry))}`,
      );
      installed.push(await WireGuard.install(context, 'vpn', values, server));
    });
    const [vpn] = installed;
    if (vpn === undefined) return;
    await context.check('both peers are in service', async () =>
      same('the number of peers', String((await vpn.exec('wg show wg0 peers')).trim().split('\n').length), '2'),
    );

    const secrets = [server.private, shared.private, team.private];
    await context.check('no secret is in a log, an event, or an object that is no Secret', async () => {
      const kinds = 'all,configmaps,events,networkpolicies,serviceaccounts,endpointslices';
      const texts = {
        objects: await context.kubectl('get', kinds, '-o', 'yaml'),
        logs: await context.kubectl('logs', `deploy/${vpn.name}`, '--all-containers'),
        environments: await vpn.exec('cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr "\\0" "\\n"'),
        metrics: await vpn.exec('cat /run/health/metrics'),
      };
      if (!(await vpn.exec('wg show wg0 dump')).includes(shared.private))
        throw new LabError('the search would find nothing');
      for (const [where, text] of Object.entries(texts))
        for (const secret of secrets)
          for (const form of [secret, Buffer.from(secret).toString('base64')])
            if (text.includes(form)) throw new LabError(`a secret key is in the ${where}`);
    });

    await context.check('helm uninstall', uninstall);
    for (const [name, text] of Object.entries(await dumps(context))) {
      await context.check(`${name} is as before`, () => {
        const [had, has] = [lines(before[name] ?? ''), lines(text)];
        const changes = [
          ...[...had].filter((line) => !has.has(line)).map((line) => `- ${line}`),
          ...[...has].filter((line) => !had.has(line)).map((line) => `+ ${line}`),
        ];
        if (changes.length > 0) throw new LabError(changes.slice(0, 20).join('\n'));
        return Promise.resolve(`${had.size} lines`);
      });
    }
  },
};

const lines = (text: string): Set<string> => new Set(text.split('\n').filter((line) => line.trim() !== ''));

/** Links, addresses, routes of all tables, rules, neighbours that stay, packet filters and switches of the nodes. */
async function dumps({ lab }: Context): Promise<Record<string, string>> {
  const script = String.raw`
    ip -o link | sed 's/^[0-9]*: //'
    ip -o addr | sed 's/^[0-9]*: //; s/ valid_lft.*//'
    ip route show table all; ip -6 route show table all; ip rule; ip -6 rule
    ip neigh show nud permanent
    iptables-save 2>/dev/null | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'; ip6tables-save 2>/dev/null | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'
    nft list ruleset 2>/dev/null | sed 's/ packets [0-9]* bytes [0-9]*//'
    sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.(ip_forward|conf\.(all|default|eth0)\.)'`;
  const of = async (machine: Machine): Promise<[string, string]> => [machine.name, await lab.on(machine, script)];
  return Object.fromEntries(await Promise.all(lab.machines.map(of)));
}

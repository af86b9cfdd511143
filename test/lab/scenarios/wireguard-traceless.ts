import { LabError } from '../processes';
import { same, type Context, type Scenario } from '../scenario';
import { TOOLS_IMAGE, type Machine } from '../settings';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31850;
const HOST_PORT = 51821;

export const scenario: Scenario = {
  title: 'Secrets are in Secrets only, and an uninstalled release leaves the nodes as they were',
  run: async (context) => {
    const { lab } = context;
    const [server, alice, shared, team] = [keyPair(), keyPair(), keyPair(), keyPair()];
    const values = {
      service: { type: 'NodePort', nodePort: NODE_PORT },
      hostPort: HOST_PORT,
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
    await context.prepare('pods with the same ports, with which the node makes what it keeps', async () => {
      await installWeb(context);
      await lab.apply(...guest(context.namespace));
      await context.kubectl('rollout', 'status', 'daemonset/guest', '--timeout=120s');
      await context.kubectl('delete', 'daemonset,service', 'guest', '--timeout=60s');
      await context.kubectl('wait', '--for=delete', 'pod', '-l', 'app=guest', '--timeout=60s');
    });
    const before = await dumps(context);
    const entry = { publicKey: team.public, addresses: ['10.13.13.9'], presharedKey: { value: team.private } };
    const vpn = await context.prepare(
      'helm install --wait, with keys as values, in Secrets and in peersFrom',
      async () => {
        const file = context.file('bob', JSON.stringify(entry));
        await context.kubectl('create', 'secret', 'generic', 'team', `--from-file=bob=${file}`);
        return WireGuard.install(context, 'vpn', values, server);
      },
    );
    await context.check('both peers are in service', async () =>
      same('the number of peers', String((await vpn.exec('wg show wg0 peers')).trim().split('\n').length), '2'),
    );

    const secrets = [server.private, shared.private, team.private];
    await context.check('no secret is in a log, an event, or an object that is no Secret', async () => {
      const kinds = 'all,configmaps,events,networkpolicies,serviceaccounts,endpointslices';
      const ofNodes = await Promise.all(
        lab.machines.map(async (node) => [`logs of ${node.name}`, await lab.on(node, 'cat /var/log/*.log; dmesg')]),
      );
      const texts = {
        ...(Object.fromEntries(ofNodes) as Record<string, string>),
        objects: await lab.kubectl(['get', kinds, '--all-namespaces', '-o', 'yaml']),
        logs: await context.kubectl('logs', `deploy/${vpn.name}`, '--all-containers'),
        environments: await vpn.exec('cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr "\\0" "\\n"'),
        'environment of the health server': await vpn.exec('tr "\\0" "\\n" </proc/1/environ', 'health'),
        metrics: await vpn.exec('cat /run/health/metrics'),
      };
      const known = /LISTEN_PORT|PATH|wireguard_peer|server\.sh|vpn-wireguard|Linux version/;
      for (const [where, text] of Object.entries(texts)) {
        if (!known.test(text)) throw new LabError(`the ${where} could not be searched`);
        for (const secret of secrets)
          for (const form of [secret, Buffer.from(secret).toString('base64')])
            if (text.includes(form)) throw new LabError(`a secret key is in the ${where}`);
      }
    });

    await context.check('helm uninstall', () => vpn.uninstall());
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

/** A line that is there twice is two lines. */
function lines(text: string): Set<string> {
  const counts = new Map<string, number>();
  return new Set(
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => {
        const count = (counts.get(line) ?? 0) + 1;
        counts.set(line, count);
        return count === 1 ? line : `${line} (${count})`;
      }),
  );
}

/** A pod on every node that takes the ports which the server will have. */
function guest(namespace: string): object[] {
  const labels = { app: 'guest' };
  const container = {
    name: 'guest',
    image: TOOLS_IMAGE,
    command: ['sleep', 'infinity'],
    ports: [{ containerPort: 51820, hostPort: HOST_PORT, protocol: 'UDP' }],
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'guest', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'guest', namespace },
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [{ port: 51820, nodePort: NODE_PORT, protocol: 'UDP' }],
      },
    },
  ];
}

/** Links, addresses, routes of all tables, rules, neighbours that stay, packet filters and network settings of the nodes. */
async function dumps({ lab }: Context): Promise<Record<string, string>> {
  // First kube-proxy and the kubelet have their time to follow; what portmap made goes last.
  const script = String.raw`
    sleep 3
    for _ in $(seq 30); do iptables-save 2>/dev/null | grep -qE '^:CNI-[DS]N-' || break; sleep 1; done
    ip -o link | sed 's/^[0-9]*: //'
    ip -o addr | sed 's/^[0-9]*: //; s/ valid_lft.*//'
    ip route show table all; ip -6 route show table all; ip rule; ip -6 rule
    ip neigh show nud permanent
    ls /run/netns | wc -l
    iptables-save 2>/dev/null | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'; ip6tables-save 2>/dev/null | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'
    nft list ruleset 2>/dev/null | sed 's/ packets [0-9]* bytes [0-9]*//'
    sysctl -a 2>/dev/null | grep -E '^net\.' | grep -vE '\.veth|conntrack_count|stable_secret'`;
  const of = async (machine: Machine): Promise<[string, string]> => [machine.name, await lab.on(machine, script)];
  return Object.fromEntries(await Promise.all(lab.machines.map(of)));
}

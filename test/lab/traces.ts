/** What a release leaves on the nodes, and where its secrets are to be seen. */
import { LabError } from './processes';
import type { Context } from './scenario';
import { TOOLS_IMAGE, type Machine } from './settings';

/** The same ports on every node as the pods of a release will have. */
export interface Ports {
  readonly hostPorts: readonly number[];
  readonly nodePorts?: readonly number[];
}

/** Runs pods with the same ports once, with which the nodes make what they keep, and dumps the nodes. */
export async function dumpBefore(context: Context, ports: Ports): Promise<Record<string, string>> {
  await context.lab.apply(...guest(context.namespace, ports));
  await context.kubectl('rollout', 'status', 'daemonset/guest', '--timeout=120s');
  await context.kubectl('delete', 'daemonset,service', 'guest', '--timeout=60s');
  await context.kubectl('wait', '--for=delete', 'pod', '-l', 'app=guest', '--timeout=60s');
  return dumps(context);
}

/** Checks that every node is as it was. */
export async function sameAsBefore(context: Context, before: Readonly<Record<string, string>>): Promise<void> {
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
}

/**
 * Checks that no secret is where everybody looks: logs of the pods and nodes, events, objects that are no Secrets.
 *
 * @param texts - more places, by their names
 * @param known - what each of them has in it, so that what could not be read is not taken for clean
 */
export async function secretsAreSecret(
  context: Context,
  secrets: readonly string[],
  selector: string,
  texts: Readonly<Record<string, string>>,
  known: RegExp,
): Promise<void> {
  await context.check('no secret is in a log, an event, or an object that is no Secret', async () => {
    const { lab } = context;
    const kinds = 'all,configmaps,events,networkpolicies,serviceaccounts,endpointslices';
    const ofNodes = await Promise.all(
      lab.machines.map(async (node) => [`logs of ${node.name}`, await lab.on(node, 'cat /var/log/*.log; dmesg')]),
    );
    const all = {
      ...(Object.fromEntries(ofNodes) as Record<string, string>),
      objects: await lab.kubectl(['get', kinds, '--all-namespaces', '-o', 'yaml']),
      logs: await context.kubectl('logs', '-l', selector, '--all-containers', '--tail=-1'),
      ...texts,
    };
    for (const [where, text] of Object.entries(all)) {
      if (!known.test(text) && !text.includes('Linux version'))
        throw new LabError(`the ${where} could not be searched`);
      for (const secret of secrets)
        for (const form of [secret, Buffer.from(secret).toString('base64')])
          if (text.includes(form)) throw new LabError(`a secret key is in the ${where}`);
    }
  });
}

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

/** A pod on every node that takes these ports. */
function guest(namespace: string, { hostPorts, nodePorts = [] }: Ports): object[] {
  const labels = { app: 'guest' };
  const container = {
    name: 'guest',
    image: TOOLS_IMAGE,
    command: ['sleep', 'infinity'],
    ports: hostPorts.map((hostPort) => ({ containerPort: hostPort, hostPort, protocol: 'UDP' })),
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
        type: nodePorts.length > 0 ? 'NodePort' : 'ClusterIP',
        selector: labels,
        ports: (nodePorts.length > 0 ? nodePorts : [undefined]).map((nodePort) => ({
          name: `port-${nodePort ?? 'any'}`,
          port: nodePort ?? 4500,
          nodePort,
          protocol: 'UDP',
        })),
      },
    },
  ];
}

/** Links, addresses, routes of all tables, rules, neighbours and addresses of links that stay, packet filters and network settings of the nodes. */
async function dumps({ lab }: Context): Promise<Record<string, string>> {
  // First kube-proxy and the kubelet have their time to follow; what portmap made goes last.
  const script = String.raw`
    sleep 3
    for _ in $(seq 30); do iptables-save 2>/dev/null | grep -qE '^:CNI-[DS]N-' || break; sleep 1; done
    ip -o link | sed 's/^[0-9]*: //'
    ip -o addr | sed 's/^[0-9]*: //; s/ valid_lft.*//'
    ip route show table all; ip -6 route show table all; ip rule; ip -6 rule
    ip xfrm state count; ip xfrm policy count
    ip neigh show nud permanent; bridge fdb show | grep -w permanent
    ls /run/netns | wc -l
    iptables-save 2>/dev/null | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'; ip6tables-save 2>/dev/null | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'
    nft list ruleset 2>/dev/null | sed 's/ packets [0-9]* bytes [0-9]*//'
    sysctl -a 2>/dev/null | grep -E '^net\.' | grep -vE '\.veth|conntrack_count|stable_secret'`;
  const of = async (machine: Machine): Promise<[string, string]> => [machine.name, await lab.on(machine, script)];
  return Object.fromEntries(await Promise.all(lab.machines.map(of)));
}

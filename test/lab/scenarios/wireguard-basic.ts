import { LabError } from '../processes';
import { same, type Scenario } from '../scenario';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31820;
const HOST_PORT = 51820;

export const scenario: Scenario = {
  title: 'A client outside reaches the server, pods on both nodes, and services by name',
  run: async (context) => {
    const { lab } = context;
    const server = keyPair();
    const alice = keyPair();
    const values = {
      endpoint: `${lab.machines[0]?.address ?? ''}:${NODE_PORT}`,
      service: { type: 'NodePort', nodePort: NODE_PORT },
      hostPort: HOST_PORT,
      dns: { mode: 'coredns', searchDomains: [`${context.namespace}.svc.cluster.local`] },
      peers: { alice: { publicKey: alice.public, addresses: ['10.13.13.2'] } },
    };

    let web = new Map<string, string>();
    await context.prepare('web servers on both nodes', async () => void (web = await installWeb(context)));
    let vpn: WireGuard | undefined;
    await context.prepare('helm install --wait', async () => {
      vpn = await WireGuard.install(context, 'vpn', values, server);
    });
    if (vpn === undefined) return;
    const { name, place, clientFile } = {
      name: vpn.name,
      place: await vpn.place(),
      clientFile: vpn.clientFile.bind(vpn),
    };
    const client = await context.client('alice');

    const ways = [
      ...lab.machines.map((machine) => ({
        way: `NodePort of ${machine.name}`,
        endpoint: `${machine.address}:${NODE_PORT}`,
      })),
      ...lab.machines
        .filter((machine) => machine.name === place.node)
        .map((machine) => ({ way: `hostPort of ${machine.name}`, endpoint: `${machine.address}:${HOST_PORT}` })),
    ];
    for (const { way, endpoint } of ways) {
      await context.check(`ping of the server by the ${way}`, async () => {
        await client.connect(await clientFile('alice', alice, endpoint));
        return client.ping('10.13.13.1');
      });
    }

    for (const [node, address] of web) {
      await context.check(`a pod on ${node}${node === place.node ? ', where the server is' : ''}`, async () =>
        same('the answer', (await client.get(`http://${address}:8080/cgi-bin/who`)).split(' ')[0] ?? '', node),
      );
    }
    for (const machine of lab.machines) {
      await context.check(`the kubelet of ${machine.name}`, async () => {
        same(
          'the answer',
          await client.run(`curl -sSk -m 10 -o /dev/null -w "%{http_code}" https://${machine.address}:10250/healthz`),
          '401',
        );
      });
    }
    await context.check('a Service by its full name, through the DNS of the chart', () =>
      client.get(`http://web.${context.namespace}.svc.cluster.local/cgi-bin/who`),
    );
    await context.check('a Service by its short name, by the search domain', () =>
      client.get('http://web/cgi-bin/who'),
    );
    await context.check('a name of the world, through the DNS of the chart', async () =>
      same('the answer', await client.run('dig +short outside.example'), '203.0.113.10'),
    );
    await context.check('helm test', () =>
      lab.helm(['test', 'vpn', '-n', context.namespace, '--timeout', '2m', '--logs']).then(() => ''),
    );
    await context.check('no container was started again', async () => {
      const counts = await context.kubectl(
        'get',
        'pods',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[*].restartCount}',
      );
      if (/[1-9]/.test(counts)) throw new LabError(`restarts: ${counts}`);
    });
    await context.check('helm uninstall', async () => {
      await client.disconnect();
      await lab.helm(['uninstall', 'vpn', '-n', context.namespace, '--wait', '--timeout', '3m']);
      await context.kubectl('wait', '--for=delete', 'pod', '-l', `app.kubernetes.io/instance=vpn`, '--timeout=120s');
      const left = await context.kubectl('get', 'all,configmaps,networkpolicies,serviceaccounts', '-o', 'name');
      if (left.includes(name)) throw new LabError(`left: ${left}`);
    });
  },
};

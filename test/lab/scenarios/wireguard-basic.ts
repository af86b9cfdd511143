import { LabError } from '../processes';
import { same, type Scenario } from '../scenario';
import { OUTSIDE } from '../settings';
import { installWeb, keyPair, reachesCluster, WireGuard } from '../wireguard';

const NODE_PORT = 31820;
const HOST_PORT = 51820;
const BALANCED = '198.51.100.10';
const BALANCED6 = '2001:db8:51::10';

export const scenario: Scenario = {
  title:
    'A client outside reaches the server by every way, and through it pods, nodes, services by name, and the world',
  run: async (context) => {
    const { lab } = context;
    const [server, alice] = [keyPair(), keyPair()];
    const values = {
      service: { type: 'LoadBalancer', nodePort: NODE_PORT, ipFamilyPolicy: 'PreferDualStack' },
      hostPort: HOST_PORT,
      dns: { mode: 'coredns', searchDomains: [`${context.namespace}.svc.cluster.local`] },
      peers: { alice: { publicKey: alice.public, addresses: ['10.13.13.2'] } },
    };

    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.installed(context, 'vpn', values, server, [BALANCED, BALANCED6]),
    );
    const { node } = await vpn.place();
    const client = await context.client('alice');

    const ways = lab.machines.map(({ name, address }) => [`NodePort of ${name}`, `${address}:${NODE_PORT}`]);
    ways.push([`hostPort of ${node.name}`, `${node.address}:${HOST_PORT}`]);
    ways.push(['address of the load balancer', `${BALANCED}:51820`]);
    ways.push(['IPv6 address of the load balancer', `[${BALANCED6}]:51820`]);
    for (const [way = '', endpoint = ''] of ways) {
      await context.check(`ping of the server by the ${way}`, async () => {
        await client.connect(await vpn.clientFile('alice', alice, endpoint));
        return client.ping('10.13.13.1');
      });
    }

    await reachesCluster(context, client, web);
    await context.check('a name of the world, through the DNS of the chart', async () => {
      same('the answer', await client.run('dig +short outside.example'), '203.0.113.10');
    });
    await context.check('a web server of the world, which sees the node of the server', async () => {
      same('who asks', await client.get(`http://${OUTSIDE.world}/cgi-bin/who`), node.address);
    });
    await context.check('helm test', async () => {
      await lab.helm(['test', 'vpn', '-n', context.namespace, '--timeout', '2m']);
    });
    await context.check('no container was started again', () => vpn.restarted());
    await context.check('helm uninstall leaves nothing', async () => {
      await client.disconnect();
      await vpn.uninstall();
      const kinds = 'all,configmaps,secrets,networkpolicies,serviceaccounts,persistentvolumeclaims';
      const left = await context.kubectl('get', kinds, '-l', vpn.selector, '-o', 'name');
      if (left !== '') throw new LabError(`left: ${left}`);
    });
  },
};

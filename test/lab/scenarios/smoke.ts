import type { Scenario } from '../scenario';
import { keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31827;

export const scenario: Scenario = {
  title: 'One release, and one packet each way',
  run: async (context) => {
    const alice = keyPair();
    const values = {
      service: { type: 'NodePort', nodePort: NODE_PORT },
      client: { allowedIPs: ['10.13.13.0/24', '10.234.0.0/16'] },
      peers: { alice: { publicKey: alice.public, addresses: ['10.13.13.2'] } },
    };
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.installed(context, 'vpn', values, keyPair()),
    );
    const client = await context.client('alice');
    const { node, other } = await vpn.place();
    await context.check('a client outside pings a pod', async () => {
      await client.connect(await vpn.clientFile('alice', alice, `${other.address}:${NODE_PORT}`));
      return client.ping((await context.pod('pod', other.name)).address);
    });
    await context.check('the pod of the server pings the client', async () => {
      // With the ping of its node: the container has no right to one.
      const server = 'pgrep -o -f "^/bin/sh /scripts/server.sh"';
      const said = await context.lab.on(node, `nsenter --net -t "$(${server})" ping -n -q -c 1 -w 10 10.13.13.2`);
      return /^rtt.*= (.*)$/m.exec(said)?.[1];
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

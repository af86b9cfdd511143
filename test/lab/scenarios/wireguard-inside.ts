import type { Scenario } from '../scenario';
import { keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31821;
const BALANCED = '198.51.100.11';

export const scenario: Scenario = {
  title: 'Pods of the cluster are clients too: by the name of the Service, its addresses, and a NodePort',
  run: async (context) => {
    const { lab } = context;
    const server = keyPair();
    const keys = lab.machines.map(() => keyPair());
    const peers = lab.machines.map(({ name, number }, index) => [
      name,
      { publicKey: keys[index]?.public, addresses: [`10.13.13.${10 + number}`] },
    ]);
    const values = {
      service: { type: 'LoadBalancer', nodePort: NODE_PORT },
      client: { allowedIPs: ['10.13.13.0/24'] },
      peers: Object.fromEntries(peers) as object,
    };
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.installed(context, 'vpn', values, server, [BALANCED]),
    );
    const { node } = await vpn.place();
    const clusterIP = await context.kubectl('get', 'service', vpn.name, '-o', 'jsonpath={.spec.clusterIP}');
    const name = `${vpn.name}.${context.namespace}.svc`;
    for (const [index, machine] of lab.machines.entries()) {
      const beside = machine.name === node.name ? ', beside the server' : '';
      const pod = await context.prepare(`a pod on ${machine.name}${beside}`, () =>
        context.pod(`client-${machine.name}`, machine.name),
      );
      for (const [way, endpoint] of [
        [`name ${name}`, `${name}:51820`],
        ['cluster address', `${clusterIP}:51820`],
        ['address of the load balancer', `${BALANCED}:51820`],
        ...lab.machines.map((other) => [`NodePort of ${other.name}`, `${other.address}:${NODE_PORT}`] as const),
      ] as const) {
        await context.check(`ping of the server from ${machine.name} by the ${way}`, async () => {
          await pod.connect(await vpn.clientFile(machine.name, keys[index] ?? server, endpoint));
          return pod.ping('10.13.13.1');
        });
      }
      if (index === 0) continue;
      await context.check('ping of the first pod from this one, through the server', () => pod.ping('10.13.13.11'));
    }
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

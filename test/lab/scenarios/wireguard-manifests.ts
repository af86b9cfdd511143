import { same, type Scenario } from '../scenario';
import { cli } from '../parts';
import { installWeb, keyPair, reachesCluster, WireGuard } from '../wireguard';

const NODE_PORT = 31826;

export const scenario: Scenario = {
  title: 'The plain manifests, applied with kubectl, give what the chart gives',
  run: async (context) => {
    const { lab } = context;
    const [server, alice] = [keyPair(), keyPair()];
    const values = {
      service: { type: 'NodePort', nodePort: NODE_PORT },
      dns: { mode: 'coredns', searchDomains: [`${context.namespace}.svc.cluster.local`] },
      peers: { alice: { publicKey: alice.public, addresses: ['10.13.13.2'] } },
    };
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const vpn = await context.prepare('the key and the values file', () =>
      WireGuard.prepare(context, 'vpn', values, server),
    );
    const manifests = await context.prepare('cdk8s-vpn synth', async () => {
      const options = ['--release', vpn.release, '--namespace', context.namespace];
      return { file: context.file('vpn.k8s.yaml', await cli('synth', 'wireguard', '-f', vpn.values, ...options)) };
    });
    await context.prepare('kubectl apply, and Ready', async () => {
      await context.kubectl('apply', '-f', manifests.file);
      await vpn.ready();
    });
    const client = await context.client('alice');
    await context.check('ping of the server by a NodePort', async () => {
      await client.connect(await vpn.clientFile('alice', alice, `${lab.machines[0].address}:${NODE_PORT}`));
      return client.ping('10.13.13.1');
    });
    await reachesCluster(context, client, web);
    await context.check('kubectl apply once more changes nothing', async () => {
      const changed = (await context.kubectl('apply', '-f', manifests.file))
        .split('\n')
        .filter((line) => line !== '' && !line.endsWith(' unchanged'));
      same('what is changed', changed.join('\n'), '');
    });
    await context.check('kubectl delete leaves nothing', async () => {
      await client.disconnect();
      await context.kubectl('delete', '-f', manifests.file, '--wait', '--timeout=120s');
      await context.kubectl('wait', '--for=delete', 'pod', '-l', vpn.selector, '--timeout=120s');
      const kinds = 'all,configmaps,secrets,networkpolicies,serviceaccounts,persistentvolumeclaims';
      same('what is left', await context.kubectl('get', kinds, '-l', vpn.selector, '-o', 'name'), '');
    });
  },
};

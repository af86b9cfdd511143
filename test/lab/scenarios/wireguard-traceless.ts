import { same, type Scenario } from '../scenario';
import { dumpBefore, sameAsBefore, secretsAreSecret } from '../traces';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31850;
const HOST_PORT = 51821;

export const scenario: Scenario = {
  title: 'Secrets are in Secrets only, and an uninstalled release leaves the nodes as they were',
  run: async (context) => {
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
    const before = await context.prepare(
      'pods with the same ports, with which the node makes what it keeps',
      async () => {
        await installWeb(context);
        return dumpBefore(context, { hostPorts: [HOST_PORT], nodePorts: [NODE_PORT] });
      },
    );
    const entry = { publicKey: team.public, addresses: ['10.13.13.9'], presharedKey: { value: team.private } };
    const vpn = await context.prepare(
      'helm install --wait, with keys as values, in Secrets and in peersFrom',
      async () => {
        const file = context.file('bob', JSON.stringify(entry));
        await context.kubectl('create', 'secret', 'generic', 'team', `--from-file=bob=${file}`);
        return WireGuard.installed(context, 'vpn', values, server);
      },
    );
    await context.check('both peers are in service', async () =>
      same('the number of peers', String((await vpn.exec('wg show wg0 peers')).trim().split('\n').length), '2'),
    );

    await secretsAreSecret(
      context,
      [server.private, shared.private, team.private],
      vpn.selector,
      {
        environments: await vpn.exec('cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr "\\0" "\\n"'),
        'environment of the health server': await vpn.exec('tr "\\0" "\\n" </proc/1/environ', 'health'),
        metrics: await vpn.exec('cat /run/health/metrics'),
      },
      /LISTEN_PORT|PATH|wireguard_peer|server\.sh|vpn-wireguard/,
    );

    await context.check('helm uninstall', () => vpn.uninstall());
    await sameAsBefore(context, before);
  },
};

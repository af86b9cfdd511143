import { LabError } from '../processes';
import { type Scenario } from '../scenario';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31822;

export const scenario: Scenario = {
  title: 'What each peer may reach holds in both directions, and nobody takes the address of another',
  run: async (context) => {
    const [machine] = context.lab.machines;
    const keys = { admin: keyPair(), limited: keyPair(), friend: keyPair(), mute: keyPair() };
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const pod = web[0]?.address ?? '';
    const service = await context.kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
    const values = {
      service: { type: 'NodePort', nodePort: NODE_PORT },
      client: { allowedIPs: ['10.13.13.0/24', '10.234.0.0/16', '10.96.0.0/16'] },
      peers: {
        admin: { publicKey: keys.admin.public, addresses: ['10.13.13.2'] },
        limited: {
          publicKey: keys.limited.public,
          addresses: ['10.13.13.3'],
          allow: { web: { networks: [service], ports: [{ port: 80 }] } },
        },
        friend: {
          publicKey: keys.friend.public,
          addresses: ['10.13.13.4'],
          allow: { admin: { peers: ['admin'], ports: [{ port: 8080, endPort: 8081 }] } },
        },
        mute: { publicKey: keys.mute.public, addresses: ['10.13.13.5'], allow: {} },
      },
    };
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.install(context, 'vpn', values, keyPair()),
    );
    const endpoint = `${machine?.address ?? ''}:${NODE_PORT}`;
    const [admin, limited, friend, mute] = await context.prepare('four clients', () =>
      Promise.all(
        (['admin', 'limited', 'friend', 'mute'] as const).map(async (name) => {
          const client = await context.client(name);
          await client.connect(await vpn.clientFile(name, keys[name], endpoint));
          await client.serve(8080, 8082);
          return client;
        }),
      ),
    );
    if (admin === undefined || limited === undefined || friend === undefined || mute === undefined) return;

    await context.check('who has no rules reaches everything', async () => {
      await admin.get(`http://${service}/cgi-bin/who`);
      await admin.get(`http://${pod}:8080/cgi-bin/who`);
      for (const address of ['10.13.13.1', '10.13.13.3', '10.13.13.4', '10.13.13.5']) await admin.ping(address);
    });
    await context.check('who may reach one port of a Service reaches that', async () => {
      await limited.get(`http://${service}/cgi-bin/who`);
    });
    await context.check('… and not its pods, the cluster’s DNS, other peers, nor the server', async () => {
      await limited.noGet(`http://${pod}:8080/cgi-bin/who`);
      await limited.noGet('http://10.13.13.2:8080/cgi-bin/who');
      await limited.noGet('http://10.13.13.1:8080/cgi-bin/ready');
      for (const address of [pod, '10.13.13.1', '10.13.13.2']) await limited.noPing(address);
      if (
        (
          await limited.run('dig +short +tries=1 +time=2 @10.96.0.10 kubernetes.default.svc.cluster.local || :')
        ).startsWith('10.')
      )
        throw new LabError('the cluster’s DNS answers');
    });
    await context.check('who may reach ports of one peer reaches those', async () => {
      await friend.get('http://10.13.13.2:8080/cgi-bin/who');
    });
    await context.check('… and no other port or peer, nor the cluster', async () => {
      await friend.noGet('http://10.13.13.2:8082/cgi-bin/who');
      await friend.noPing('10.13.13.2');
      await friend.noGet('http://10.13.13.3:8080/cgi-bin/who');
      await friend.noGet(`http://${service}/cgi-bin/who`);
    });
    await context.check('who may reach nothing reaches nothing, and answers', async () => {
      for (const address of ['10.13.13.1', '10.13.13.2', pod]) await mute.noPing(address);
      await admin.get('http://10.13.13.5:8080/cgi-bin/who');
    });
    await context.check('who has rules is reached by others by their rules, not by its own', async () => {
      await admin.get('http://10.13.13.3:8080/cgi-bin/who');
      await mute.noGet('http://10.13.13.3:8080/cgi-bin/who');
    });

    /** How many of four pings from an address arrive at `mute`, from where nothing would answer. */
    const arriving = async (client: typeof admin, address: string): Promise<number> => {
      const [seen] = await Promise.all([
        mute.run(`timeout 6 tcpdump -n -l -i vpn "icmp[0] == 8 and src ${address}" 2>/dev/null | grep -c . || :`),
        client.run(`sleep 2; ping -n -q -c 4 -i 0.3 -W 1 -I ${address} 10.13.13.5 || :`),
      ]);
      return Number(seen);
    };
    await context.check('the address of another peer is of no use to a peer', async () => {
      if ((await arriving(admin, '10.13.13.2')) === 0) throw new LabError('its owner cannot use it either');
      await limited.run('ip addr add 10.13.13.2/32 dev vpn');
      const seen = await arriving(limited, '10.13.13.2');
      if (seen > 0) throw new LabError(`${seen} packets with a borrowed address arrived`);
    });
    await context.check('nor is that of a pod', async () => {
      await friend.run(`ip addr add ${pod}/32 dev vpn`);
      const seen = await arriving(friend, pod);
      if (seen > 0) throw new LabError(`${seen} packets with a borrowed address arrived`);
    });
    await context.check('rules that are taken away end a download', async () => {
      // Slowly enough to be still going on.
      const download = limited
        .run(`curl -sS --limit-rate 20k -m 30 -o /dev/null http://${service}/data; echo done`, { seconds: 90 })
        .catch((error: unknown) => String(error));
      await vpn.upgrade({ peers: { limited: { allow: { web: { networks: ['192.0.2.1'] } } } } });
      await vpn.inService('the change', async () => !(await vpn.exec('nft list table inet vpn')).includes(service));
      await limited.noGet(`http://${service}/cgi-bin/who`);
      if ((await download).includes('done')) throw new LabError('the download went on to its end');
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

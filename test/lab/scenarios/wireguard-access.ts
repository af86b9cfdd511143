import { LabError } from '../processes';
import type { Scenario } from '../scenario';
import { OUTSIDE } from '../settings';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31822;
/** Fails unless the cluster's DNS answers. */
const DIG = 'dig +short +tries=1 +time=2 @10.96.0.10 kubernetes.default.svc.cluster.local | grep -x 10.96.0.1';

export const scenario: Scenario = {
  title: 'What each peer may reach holds in both directions, and nobody takes the address of another',
  run: async (context) => {
    const [machine] = context.lab.machines;
    const keys = { admin: keyPair(), limited: keyPair(), friend: keyPair(), mute: keyPair() };
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const [pod = '', pod6 = ''] = [web[0]?.address, web[0]?.address6];
    const services = await context.kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIPs[*]}');
    const [service = '', service6 = ''] = services.split(' ');
    const values = {
      network6: 'fd00:13::/64',
      service: { type: 'NodePort', nodePort: NODE_PORT },
      client: {
        allowedIPs: [
          ...['10.13.13.0/24', '10.234.0.0/16', '10.96.0.0/16', `${OUTSIDE.world}/32`],
          ...['fd00:13::/64', 'fd00:234::/48', 'fd00:96::/112'],
        ],
      },
      peers: {
        admin: { publicKey: keys.admin.public, addresses: ['10.13.13.2', 'fd00:13::2'] },
        limited: {
          publicKey: keys.limited.public,
          addresses: ['10.13.13.3', 'fd00:13::3'],
          allow: { web: { networks: [service, service6], ports: [{ port: 80 }] } },
        },
        friend: {
          publicKey: keys.friend.public,
          addresses: ['10.13.13.4', 'fd00:13::4'],
          allow: { admin: { peers: ['admin'], ports: [{ port: 8080, endPort: 8081 }] } },
        },
        mute: { publicKey: keys.mute.public, addresses: ['10.13.13.5', 'fd00:13::5'], allow: {} },
      },
    };
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.installed(context, 'vpn', values, keyPair()),
    );
    const endpoint = `${machine.address}:${NODE_PORT}`;
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
      await admin.get(`http://${OUTSIDE.world}/cgi-bin/who`);
      await admin.get(`http://[${pod6}]:8080/cgi-bin/who`);
      await admin.get('http://10.13.13.1:8080/cgi-bin/ready');
      await admin.run(DIG);
      for (const address of ['10.13.13.1', '10.13.13.3', '10.13.13.4', '10.13.13.5']) await admin.ping(address);
    });
    await context.check('who may reach one port of a Service reaches that', async () => {
      await limited.get(`http://${service}/cgi-bin/who`);
      await limited.get(`http://[${service6}]/cgi-bin/who`);
    });
    await context.check('… and not its pods, the cluster’s DNS, other peers, the server, nor the world', async () => {
      await limited.noGet(`http://${OUTSIDE.world}/cgi-bin/who`);
      await limited.noGet(`http://${pod}:8080/cgi-bin/who`);
      await limited.noGet(`http://[${pod6}]:8080/cgi-bin/who`);
      await limited.noGet('http://10.13.13.2:8080/cgi-bin/who');
      await limited.noGet('http://10.13.13.1:8080/cgi-bin/ready');
      for (const address of [pod, '10.13.13.1', '10.13.13.2']) await limited.noPing(address);
      if ((await limited.run(`${DIG} || echo none`)).trim() !== 'none') throw new LabError('the cluster’s DNS answers');
    });
    await context.check('who may reach ports of one peer reaches those', async () => {
      await friend.get('http://10.13.13.2:8080/cgi-bin/who');
      await friend.get('http://[fd00:13::2]:8080/cgi-bin/who');
    });
    await context.check('… and no other port or peer, nor the cluster', async () => {
      await friend.noGet('http://10.13.13.2:8082/cgi-bin/who');
      await friend.noPing('10.13.13.2');
      await friend.noGet('http://10.13.13.3:8080/cgi-bin/who');
      await friend.noGet('http://[fd00:13::3]:8080/cgi-bin/who');
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
      const [seen, log] = ['/run/host/mute/seen', '/run/host/mute/log'];
      await mute.run(`rm -f ${log}; timeout 20 tcpdump -n -l -i vpn 'icmp[0] == 8 and src ${address}' >${seen} 2>${log} &
        for _ in $(seq 50); do ! grep -q 'listening on' ${log} || exit 0; sleep 0.1; done; exit 1`);
      await client.run(`ping -n -q -c 4 -i 0.3 -W 1 -I ${address} 10.13.13.5 || :`);
      return Number(await mute.run(`sleep 1; pkill tcpdump; grep -c . ${seen} || :`));
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
      const file = '/run/host/limited/data';
      await limited.run(`setsid curl -s -N -o ${file} http://${service}/cgi-bin/slow >/dev/null 2>&1 &`);
      const grown = async (): Promise<boolean> => {
        const sizes = await limited.run(`sleep 1; stat -c %s ${file}; sleep 4; stat -c %s ${file}; pgrep -c curl`);
        const [before, after, running] = sizes.trim().split('\n').map(Number);
        if (running !== 1) throw new LabError('the download has ended by itself');
        return before !== after;
      };
      if (!(await grown())) throw new LabError('the download does not begin');
      await vpn.upgrade({ peers: { limited: { allow: { web: { networks: ['192.0.2.1'] } } } } });
      await vpn.inService('the change', async () => !(await vpn.exec('nft list table inet vpn')).includes(service));
      if (await grown()) throw new LabError('the download goes on');
      await limited.noGet(`http://${service}/cgi-bin/who`);
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

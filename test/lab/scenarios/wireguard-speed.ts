import { goodput } from '../goodput';
import { LabError } from '../processes';
import { same, type Scenario } from '../scenario';
import { TOOLS_IMAGE } from '../settings';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const HOST_PORT = 51820;
const HAND_PORT = 51999;

export const scenario: Scenario = {
  title: 'The largest packet, 2 MB each way, and how fast it is beside an interface made by hand in the same pod',
  run: async (context) => {
    const server = keyPair();
    const alice = keyPair();
    const [web] = await context.prepare('web servers on all nodes', () => installWeb(context));
    const values = {
      hostPort: HOST_PORT,
      client: { allowedIPs: ['10.13.13.0/24', '10.234.0.0/16'] },
      peers: { alice: { publicKey: alice.public, addresses: ['10.13.13.2'] } },
      // The way to the interface made by hand.
      extraContainers: [
        {
          name: 'hand',
          image: TOOLS_IMAGE,
          command: ['sleep', 'infinity'],
          ports: [{ containerPort: HAND_PORT, hostPort: HAND_PORT, protocol: 'UDP' }],
        },
      ],
    };
    const vpn = await context.prepare('helm install --wait', () => WireGuard.installed(context, 'vpn', values, server));
    const { node, other } = await vpn.place();
    if (web === undefined) throw new LabError('there is no web server');
    const client = await context.client('alice');
    await context.prepare('the tunnel', async () => {
      await client.connect(await vpn.clientFile('alice', alice, `${node.address}:${HOST_PORT}`));
      await client.ping(web.address);
    });

    await context.check('the largest packet, 1,420 bytes, in one piece', () =>
      // Less the headers of IP and ICMP.
      client.ping(web.address, `-M do -s ${1420 - 28}`),
    );
    await context.check('2 MB of TCP each way, unchanged', async () => {
      const file = '/run/host/alice/data';
      await client.run(`curl -sS -f -m 60 -o ${file} http://${web.address}:8080/data`);
      const sum = await context.kubectl('exec', web.name, '--', 'sh', '-c', 'sha256sum </www/data');
      same('the checksum of the download', await client.run(`sha256sum <${file}`), sum.trim());
      if ((await client.run(`stat -c %s ${file}`)).trim() !== '2000000') throw new LabError('it is not whole');
      const post = `curl -sS -f -m 60 --data-binary @${file} -H 'Content-Type: application/octet-stream'`;
      same(
        'the checksum of the upload',
        await client.run(`${post} http://${web.address}:8080/cgi-bin/sum`),
        sum.trim(),
      );
    });

    const target = await context.prepare('a pod on the other node, to send to', async () => {
      const pod = await context.pod('sink', other.name);
      await pod.run('iperf3 -s -D');
      return pod.address;
    });
    await context.prepare('an interface made by hand, in the pod of the server', async () => {
      await vpn.exec(`set -e
        cd /run/vpn
        echo '${server.private}' >hand.key
        ip link add hand type wireguard
        wg set hand listen-port ${HAND_PORT} private-key hand.key peer ${alice.public} allowed-ips 10.99.0.2/32
        ip addr add 10.99.0.1/24 dev hand
        ip link set hand mtu 1420 up
        iptables -t nat -A POSTROUTING -s 10.99.0.0/24 -o eth0 -j MASQUERADE`);
      await client.run(`
        ip link add hand type wireguard
        wg show vpn private-key >/run/host/alice/hand.key
        wg set hand private-key /run/host/alice/hand.key peer ${server.public} allowed-ips 0.0.0.0/0 \
          endpoint ${node.address}:${HAND_PORT} persistent-keepalive 25
        ip addr add 10.99.0.2/24 dev hand
        ip link set hand mtu 1420 up`);
      return client.ping('10.99.0.1');
    });
    for (const direction of ['to', 'from'] as const) {
      await context.check(`goodput ${direction} a pod, beside the interface made by hand`, () =>
        goodput({ ours: client, hand: client }, target, direction, async (way) => {
          await client.run(`ip route replace ${target} dev ${way === 'ours' ? 'vpn' : 'hand'}`);
          return '';
        }),
      );
    }
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

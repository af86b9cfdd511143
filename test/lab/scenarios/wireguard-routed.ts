import { same, type Scenario } from '../scenario';
import type { Machine } from '../settings';
import { installWeb, keyPair, WireGuard } from '../wireguard';

const NODE_PORT = 31823;
const BERLIN = ['192.168.10.', 'fd00:10::'] as const;
const PARIS = ['192.168.20.', 'fd00:20::'] as const;
const NETWORKS = [
  '10.13.13.0/24',
  '192.168.10.0/24',
  '192.168.20.0/24',
  'fd00:13::/64',
  'fd00:10::/64',
  'fd00:20::/64',
];

export const scenario: Scenario = {
  title: 'Two offices and the cluster, in mode routed, with IPv4 and IPv6 inside and outside',
  run: async (context) => {
    const { lab } = context;
    const [machine] = lab.machines;
    const keys = { berlin: keyPair(), paris: keyPair() };
    const peer = (key: string, number: number, [network, network6]: readonly [string, string]) => ({
      publicKey: key,
      addresses: [`10.13.13.${number}`, `fd00:13::${number}`],
      routedNetworks: [`${network}0/24`, `${network6}/64`],
    });
    const values = {
      mode: 'routed',
      network6: 'fd00:13::/64',
      service: { type: 'NodePort', nodePort: NODE_PORT, ipFamilyPolicy: 'PreferDualStack' },
      client: { allowedIPs: [...NETWORKS, '10.234.0.0/16', 'fd00:234::/48'] },
      peers: { berlin: peer(keys.berlin.public, 10, BERLIN), paris: peer(keys.paris.public, 11, PARIS) },
    };
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const vpn = await context.prepare('helm install --wait', () =>
      WireGuard.installed(context, 'vpn', values, keyPair()),
    );
    const { node, podIP, podIP6 } = await vpn.place();
    /** What is left to the network of the cluster: ways back, and no other source addresses on the way. */
    const lead = (verb: 'add' | 'del', { name }: Machine): string =>
      NETWORKS.flatMap((network) => {
        const six = network.includes(':');
        const [direct, over] = six ? [podIP6, node.address6] : [podIP, node.address];
        const masquerade = `${six ? 'ip6tables' : 'iptables'} -t nat ${verb === 'add' ? '-I' : '-D'} FLANNEL-POSTRTG`;
        return [
          `ip route ${verb} ${network} via ${name === node.name ? direct : over}`,
          `${masquerade} -s ${network} -j RETURN`,
          `${masquerade} -d ${network} -j RETURN`,
        ];
      }).join('\n');
    await context.prepare('the nodes lead the networks of the offices to the pod', () =>
      Promise.all(
        lab.machines.map((one) => {
          context.atEnd(() => lab.on(one, `${lead('del', one)}\ntrue`));
          return lab.on(one, `set -e\n${lead('add', one)}`);
        }),
      ),
    );
    const [berlin, paris] = [await context.client('berlin'), await context.client('paris')];
    const [desk, lamp] = [await context.behind(berlin, 'desk', BERLIN), await context.behind(paris, 'lamp', PARIS)];
    await context.check('Berlin connects over IPv4', async () => {
      await berlin.connect(await vpn.clientFile('berlin', keys.berlin, `${machine.address}:${NODE_PORT}`));
      await berlin.ping('fd00:13::1');
      return berlin.ping('10.13.13.1');
    });
    await context.check('Paris connects over IPv6', async () => {
      await paris.connect(await vpn.clientFile('paris', keys.paris, `[${machine.address6}]:${NODE_PORT}`));
      await paris.ping('fd00:13::1');
      return paris.ping('10.13.13.1');
    });
    await context.check('the largest packet, 1,420 bytes, in one piece, of both families and over IPv6', async () => {
      // Less the headers of IP and ICMP.
      await paris.ping(web[0]?.address ?? '', `-M do -s ${1420 - 28}`);
      await paris.ping(web[0]?.address6 ?? '', `-M do -s ${1420 - 48}`);
    });
    for (const pod of web) {
      await context.check(`a pod on ${pod.node} sees the true address of who asks`, async () => {
        for (const [host, asked] of [
          [berlin, `10.13.13.10 ${pod.address}`],
          [berlin, `fd00:13::10 ${pod.address6}`],
          [desk, `${desk.address} ${pod.address}`],
          [desk, `${desk.address6} ${pod.address6}`],
          [lamp, `${lamp.address} ${pod.address}`],
          [lamp, `${lamp.address6} ${pod.address6}`],
        ] as const) {
          const [own = '', address = ''] = asked.split(' ');
          const url = `http://${address.includes(':') ? `[${address}]` : address}:8080/cgi-bin/who`;
          same('the answer', await host.get(url), `${pod.node} ${own}`);
        }
      });
    }
    await lamp.serve(8080);
    for (const { name } of lab.machines) {
      await context.check(`a pod on ${name} reaches hosts of both offices, which see its address`, async () => {
        const pod = await context.pod(`pod-${name}`, name);
        await pod.ping(desk.address);
        await pod.ping(desk.address6);
        same('who asks', await pod.get(`http://${lamp.address}:8080/cgi-bin/who`), pod.address);
        same('who asks', await pod.get(`http://[${lamp.address6}]:8080/cgi-bin/who`), pod.address6);
      });
    }
    await context.check('the offices reach each other, with their own addresses', async () => {
      await lamp.ping(desk.address);
      same('who asks', await desk.get(`http://${lamp.address}:8080/cgi-bin/who`), desk.address);
      same('who asks', await desk.get(`http://[${lamp.address6}]:8080/cgi-bin/who`), desk.address6);
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

import { goodput } from '../goodput';
import { ALL_OF_CLUSTER, Ipsec, newSharedKey, OFFICE, OFFICE_NETWORK, Router } from '../ipsec';
import { LabError } from '../processes';
import type { Scenario } from '../scenario';
import { TOOLS_IMAGE } from '../settings';

/** What stands beside the chart's tunnel: made by hand, with the same daemon in the same pod. */
const HAND = { id: 99, network: '10.3.0.', ours: 'keyid:hand-site', theirs: 'keyid:hand-office' } as const;

export const scenario: Scenario = {
  title: 'How fast a tunnel is beside one made by hand with the same charon in the same pod',
  run: async (context) => {
    const [first] = context.lab.machines;
    const key = newSharedKey();
    const remote = await context.client('router');
    const desk = await context.behind(remote, 'desk', OFFICE);
    const identity = await context.publicAddress(first);
    const vpn = await context.prepare('the Secret with the key', () =>
      Ipsec.prepare(
        context,
        'site',
        {
          cluster: ALL_OF_CLUSTER,
          gateways: {
            a: {
              exposure: 'hostPort',
              identity,
              nodeSelector: { 'kubernetes.io/hostname': first.name },
            },
          },
          tunnels: {
            office: {
              gateway: 'a',
              remote: { address: remote.address, networks: [OFFICE_NETWORK], initiates: false },
              presharedKey: { existingSecret: 'office-psk' },
            },
          },
          // Whose network is that of the gateway.
          extraContainers: [
            {
              name: 'hand',
              image: TOOLS_IMAGE,
              command: ['sleep', 'infinity'],
              securityContext: { capabilities: { add: ['NET_ADMIN'] } },
            },
          ],
        },
        { 'office-psk': key },
      ),
    );
    const router = new Router(remote);
    await context.prepare('the router and helm install --wait', async () => {
      const files = vpn.counterpart('office', { secretLine: `secret = "${key}"` });
      await router.start({ ...files, conf: `${files.conf}\n${handConf(key)}` });
      await vpn.install();
    });
    const { other } = await vpn.placeOf('a');
    const target = await context.prepare('a pod on the other node, to send to', async () => {
      const pod = await context.pod('sink', other.name);
      await pod.run('iperf3 -s -D');
      return pod.address;
    });
    await context.prepare('a tunnel made by hand', async () => {
      const mtu = (await vpn.exec('a', 'cat /sys/class/net/ipsec*/mtu')).trim();
      await vpn.exec(
        'a',
        `set -e
        ip link add hand type xfrm if_id ${HAND.id}
        ip link set hand mtu ${mtu} up
        ip route add ${HAND.network}0/24 dev hand
        # Past the rules of the chart.
        nft insert rule inet vpn forward iifname hand accept
        nft insert rule inet vpn forward oifname hand accept
        nft 'table ip hand { chain out { type nat hook postrouting priority srcnat; ip saddr ${HAND.network}0/24 masquerade; }; }'`,
        'hand',
      );
      await vpn.exec('a', `cd /scripts && python3 -B -c '${handProgram(key, remote.address)}'`, 'control');
      await remote.run(
        `ip link add hand type xfrm if_id ${HAND.id}
        ip link set hand mtu ${mtu} up
        ip addr add ${HAND.network}1/24 dev eth1
        ip rule add from ${HAND.network}0/24 lookup 77
        ip route add ${target} dev hand table 77`,
      );
      await desk.run(`ip addr add ${HAND.network}5/24 dev eth0`);
      return desk.ping(target, `-I ${HAND.network}5`);
    });
    for (const direction of ['to', 'from'] as const) {
      await context.check(`goodput ${direction} a pod, beside the tunnel made by hand`, () =>
        goodput({ ours: desk, hand: desk }, target, direction, (way) =>
          Promise.resolve(way === 'hand' ? `-B ${HAND.network}5` : `-B ${desk.address}`),
        ),
      );
    }
    await context.check('each took its own way', async () => {
      const bytes = (
        await vpn.exec('a', 'cat /sys/class/net/hand/statistics/rx_bytes /sys/class/net/ipsec*/statistics/rx_bytes')
      )
        .trim()
        .split('\n')
        .map(Number);
      if (bytes.length !== 2 || bytes.some((each) => each < 1e6)) throw new LabError(bytes.join(', '));
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

/** The router's side of it. */
function handConf(key: string): string {
  return `connections {
    hand {
      version = 2
      remote_addrs = %any
      encap = yes
      proposals = aes256gcm16-prfsha384-ecp384
      if_id_in = ${HAND.id}
      if_id_out = ${HAND.id}
      local {
        auth = psk
        id = "${HAND.theirs}"
      }
      remote {
        auth = psk
        id = "${HAND.ours}"
      }
      children {
        hand {
          local_ts = 0.0.0.0/0
          remote_ts = 0.0.0.0/0
          esp_proposals = aes256gcm16-ecp384
        }
      }
    }
  }
  secrets {
    ike-hand {
      id-1 = "${HAND.theirs}"
      id-2 = "${HAND.ours}"
      secret = "${key}"
    }
  }
  `;
}

/** Ours, told to charon itself, in which nothing of the chart changes by that. */
function handProgram(key: string, router: string): string {
  const connection = {
    hand: {
      version: '2',
      remote_addrs: [router],
      encap: 'yes',
      proposals: ['aes256gcm16-prfsha384-ecp384'],
      if_id_in: `${HAND.id}`,
      if_id_out: `${HAND.id}`,
      local: { auth: 'psk', id: HAND.ours },
      remote: { auth: 'psk', id: HAND.theirs },
      children: {
        hand: { local_ts: ['0.0.0.0/0'], remote_ts: ['0.0.0.0/0'], esp_proposals: ['aes256gcm16-ecp384'] },
      },
    },
  };
  const shared = { id: 'hand', type: 'IKE', data: key, owners: [HAND.ours, HAND.theirs] };
  return `
import vici
client = vici.Client("/run/vpn/charon.vici", 30)
for command, message in (("load-shared", ${JSON.stringify(shared)}), ("load-conn", ${JSON.stringify(connection)}), ("initiate", {"ike": "hand", "child": "hand", "timeout": "20000"})):
    answer = client.request(command, message)
    assert vici.text(answer, "success") == "yes", (command, answer)
`;
}

import { Ipsec, newSharedKey, Router } from '../ipsec';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError, until } from '../processes';
import { same, type Scenario } from '../scenario';
import { CLUSTER } from '../settings';
import { installWeb } from '../wireguard';

const BALANCED = '198.51.100.20';
const OFFICE = ['10.1.0.', 'fd00:1::'] as const;
/** The largest packet less the headers of IP and ICMP. */
const ICMP_BYTES = 28;

export const scenario: Scenario = {
  title: 'A router on premises begins a route-based tunnel to a gateway behind a load balancer',
  run: async (context) => {
    const { lab } = context;
    const [first] = lab.machines;
    const key = newSharedKey();
    const remote = await context.client('router');
    const desk = await context.behind(remote, 'desk', OFFICE);
    const values = {
      cluster: {
        podCidrs: [CLUSTER.pods],
        serviceCidrs: [CLUSTER.services],
        nodeCidrs: ['172.30.0.0/24'],
      },
      gateways: {
        // The load balancer of the laboratory knows the first node only.
        a: { identity: BALANCED, nodeSelector: { 'kubernetes.io/hostname': first?.name ?? '' } },
      },
      tunnels: {
        onprem: {
          gateway: 'a',
          remote: { address: remote.address, networks: [`${OFFICE[0]}0/24`] },
          presharedKey: { existingSecret: 'onprem-psk' },
          inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
        },
      },
    };
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const vpn = await context.prepare('the Secret with the key', () =>
      Ipsec.prepare(context, 'site', values, { 'onprem-psk': key }),
    );
    const router = new Router(remote);
    // Before the Service leads to the pod, the first node would remember that the router's packets lead nowhere: a load balancer
    // sends none until then.
    const leads = async (): Promise<true | undefined> =>
      (await vpn.endpoints('a')) === '' ? undefined : sleep(3000).then(() => true as const);
    await context.prepare('helm install --wait, and the router, configured by our counterpart: ready means up', () =>
      Promise.all([
        vpn.install({ a: BALANCED }),
        until('an endpoint of the Service', 120, leads).then(() =>
          router.start(vpn.counterpart('onprem', { secretLine: `secret = "${key}"` })),
        ),
      ]),
    );

    await context.check('each end pings the other one inside the tunnel', async () => {
      await vpn.exec('a', 'ping -c 3 -W 3 169.254.100.1');
      return remote.ping('169.254.100.2');
    });
    for (const { node, address } of web) {
      await context.check(`a host on premises reaches a pod on ${node}`, async () => {
        same('the answer', (await desk.get(`http://${address}:8080/cgi-bin/who`)).split(' ')[0] ?? '', node);
        return desk.ping(address);
      });
    }
    for (const { name, address } of lab.machines) {
      await context.check(`… and the kubelet of ${name}`, async () => {
        const ask = `curl -sSk -m 10 -o /dev/null -w '%{http_code}' https://${address}:10250/healthz`;
        same('the answer', await desk.run(ask), '401');
      });
    }
    await context.check('… and Services, by their addresses: DNS and the API server', async () => {
      const name = `web.${context.namespace}.svc.cluster.local`;
      const service = await context.kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
      same('the address of the Service', await desk.run(`dig +short +notcp @${CLUSTER.dns} ${name} A`), service);
      await desk.get(`http://${service}/cgi-bin/who`);
      const ask = `curl -sSk -m 10 -o /dev/null -w '%{http_code}' https://${CLUSTER.kubernetes}/healthz`;
      return `the API server answers ${await desk.run(ask)}`;
    });
    await context.check('but nothing else of the world through the gateway', () => desk.noPing('192.0.2.10'));
    await context.check('the largest packet in one piece', async () => {
      const mtus = await Promise.all([
        vpn.exec('a', 'cat /sys/class/net/ipsec*/mtu'),
        remote.run('cat /sys/class/net/ipsec*/mtu'),
      ]);
      const bytes = Math.min(...mtus.map(Number));
      await desk.ping(web[0]?.address ?? '', `-M do -s ${bytes - ICMP_BYTES}`);
      return `${bytes} bytes`;
    });
    await context.check('2 MB of TCP each way, unchanged', async () => {
      const url = `http://${web[0]?.address ?? ''}:8080`;
      const sums = (
        await desk.run(
          `curl -sS -m 120 -o /root/data ${url}/data; sha256sum </root/data
          curl -sS -m 120 --data-binary @/root/data ${url}/cgi-bin/sum; rm /root/data`,
        )
      )
        .trim()
        .split('\n');
      if (sums.length !== 2 || sums[0] !== sums[1]) throw new LabError(sums.join('\n'));
    });
    await context.check('a pod that is given a route reaches a host on premises, which sees its address', async () => {
      const { node, podIP } = await vpn.place('a');
      const pod = await context.pod('routed', node.name);
      await pod.run(`ip route add ${OFFICE[0]}0/24 via ${podIP}`);
      await desk.serve(8080);
      same('who asks', await pod.get(`http://${desk.address}:8080/cgi-bin/who`), pod.address);
    });
    await context.check('helm test', () =>
      lab.helm(['test', 'site', '-n', context.namespace, '--timeout', '1m']).then(() => ''),
    );
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

import { authority } from '../../strongswan/authority';
import { Ipsec, makeSecret, Router } from '../ipsec';
import { same, type Scenario } from '../scenario';
import { CLUSTER } from '../settings';
import { installWeb } from '../wireguard';

const OFFICE = ['10.1.0.', 'fd00:1::'] as const;

export const scenario: Scenario = {
  title: 'A gateway with a host port begins a policy-based tunnel with two children, by certificates',
  run: async (context) => {
    const { lab } = context;
    const [first] = lab.machines;
    const remote = await context.client('router');
    const desk = await context.behind(remote, 'desk', OFFICE);
    const ca = authority({ CN: 'Laboratory' });
    const [ours, theirs] = [
      ca.issue({ subject: { CN: 'vpn' }, dns: ['vpn.example.com'] }),
      ca.issue({ subject: { CN: 'office' }, dns: ['office.example.com'] }),
    ];
    const networks = [`${OFFICE[0]}0/24`];
    const values = {
      cluster: { podCidrs: [CLUSTER.pods], nodeCidrs: ['172.30.0.0/24'] },
      gateways: {
        a: {
          exposure: 'hostPort',
          identity: 'vpn.example.com',
          nodeSelector: { 'kubernetes.io/hostname': first?.name ?? '' },
        },
      },
      tunnels: {
        office: {
          gateway: 'a',
          mode: 'policy',
          remote: { address: remote.address, identity: 'office.example.com', networks, initiates: false },
          certificate: { existingSecret: 'vpn-tls' },
          children: {
            pods: { localTs: [CLUSTER.pods] },
            nodes: { localTs: ['172.30.0.0/24'] },
          },
        },
      },
    };
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const vpn = await context.prepare('the Secret with the certificate', async () => {
      await makeSecret(context, 'vpn-tls', {
        'tls.crt': ours.certificate,
        'tls.key': ours.privateKey,
        'ca.crt': ca.certificate,
      });
      return Ipsec.prepare(context, 'site', values);
    });
    const router = new Router(remote);
    await context.prepare('the router, configured by our counterpart, which only waits', () =>
      router.start(vpn.counterpart('office', { address: first?.address ?? '' }), {
        installsRoutes: true,
        more: {
          'x509/office.crt': theirs.certificate,
          'private/office.key': theirs.privateKey,
          'x509ca/office-ca.crt': ca.certificate,
        },
      }),
    );
    await context.prepare('helm install --wait: the gateway has begun', () => vpn.install());

    for (const { node, address } of web) {
      await context.check(`a host on premises reaches a pod on ${node}`, async () => {
        same('the answer', (await desk.get(`http://${address}:8080/cgi-bin/who`)).split(' ')[0] ?? '', node);
        return desk.ping(address);
      });
    }
    for (const { name, address } of lab.machines) {
      await context.check(`… and ${name}, by the other child`, async () => {
        const ask = `curl -sSk -m 10 -o /dev/null -w '%{http_code}' https://${address}:10250/healthz`;
        same('the answer', await desk.run(ask), '401');
      });
    }
    await context.check('a pod that is given a route reaches a host on premises, which sees its address', async () => {
      const { node, podIP } = await vpn.place('a');
      const pod = await context.pod('routed', node.name);
      await pod.run(`ip route add ${networks.join('')} via ${podIP}`);
      await desk.serve(8080);
      same('who asks', await pod.get(`http://${desk.address}:8080/cgi-bin/who`), pod.address);
    });
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

import type { JsonObject } from '../../../lib/helm/values-file';
import { authority } from '../../strongswan/authority';
import type { Client } from '../host';
import {
  ALL_OF_CLUSTER,
  Ipsec,
  largestPacketBytes,
  makeSecret,
  newSharedKey,
  OFFICE,
  OFFICE_NETWORK,
  Router,
  sameAfterTransfer,
  watchClear,
  type RouterFiles,
} from '../ipsec';
import { LabError } from '../processes';
import { same, type Context, type Scenario } from '../scenario';
import { CLUSTER } from '../settings';
import { installWeb, type WebPod } from '../wireguard';

const NAMES = { ours: 'vpn.example.com', theirs: 'office.example.com' };
/** The headers of IP and ICMP. */
const ICMP_BYTES = 28;

export const scenario: Scenario = {
  title:
    'Every mode, by every authentication, through every exposure: from a host on premises to pods, nodes and Services',
  run: async (context) => {
    const remote = await context.client('router');
    const desk = await context.behind(remote, 'desk', OFFICE);
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const router = new Router(remote);
    const [first] = context.lab.machines;
    const ofNode = await context.publicAddress(first);
    const { values, files } = await context.prepare('keys and certificates', () => credentials(context));
    // Of a load balancer: an address of its own each time, since nodes remember flows for two minutes.
    let last = 30;
    const clear = await watchClear(context);
    for (const mode of ['route', 'policy'] as const) {
      for (const authentication of ['psk', 'certificate'] as const) {
        for (const exposure of ['loadBalancer', 'hostPort'] as const) {
          const title = `${mode}-based, ${authentication === 'psk' ? 'pre-shared key' : 'certificates'}, ${exposure}`;
          const address = exposure === 'loadBalancer' ? `198.51.100.${last++}` : ofNode;
          const vpn = await Ipsec.prepare(context, 'site', {
            cluster: ALL_OF_CLUSTER,
            gateways: {
              a: {
                exposure,
                identity: authentication === 'psk' ? address : NAMES.ours,
                nodeSelector: { 'kubernetes.io/hostname': first.name },
              },
            },
            tunnels: {
              office: {
                gateway: 'a',
                mode,
                remote: {
                  address: remote.address,
                  networks: [OFFICE_NETWORK],
                  initiates: exposure === 'loadBalancer',
                  ...(authentication === 'certificate' && { identity: NAMES.theirs }),
                },
                ...values[authentication],
                ...(mode === 'policy' && {
                  children: {
                    pods: { localTs: [CLUSTER.pods] },
                    others: { localTs: [CLUSTER.nodes, CLUSTER.services] },
                  },
                }),
              },
            },
          });
          await context.prepare(`${title}: the router, and helm install --wait`, async () => {
            await router.start({
              ...vpn.counterpart('office', { address, secretLine: files[authentication].secretLine }),
              credentials: files[authentication].credentials,
            });
            await vpn.install(exposure === 'loadBalancer' ? { a: address } : {});
          });
          await context.check(`${title}: pods, nodes, Services`, () => reaches(context, desk, web));
          await context.check(`${title}: the largest packet in one piece`, async () => {
            const bytes = await largestPacketBytes(vpn);
            await desk.ping(web[0]?.address ?? '', `-M do -s ${bytes - ICMP_BYTES}`);
            return `${bytes} bytes`;
          });
          await context.check(`${title}: 2 MB of TCP each way, unchanged`, () => sameAfterTransfer(desk, web));
          await context.prepare(`${title}: helm uninstall`, () => vpn.uninstall());
          await context.check(`${title}: without the gateway no answer, and never a packet in clear`, async () => {
            await desk.noPing(web[0]?.address ?? '');
            same('the number', `${await clear()}`, '0');
          });
          await router.stop();
        }
      }
    }
  },
};

interface Credentials {
  /** The part of a tunnel's values. */
  readonly values: Readonly<Record<'psk' | 'certificate', JsonObject>>;
  /** And of the router's. */
  readonly files: Readonly<
    Record<
      'psk' | 'certificate',
      { readonly secretLine: string; readonly credentials: NonNullable<RouterFiles['credentials']> }
    >
  >;
}

async function credentials(context: Context): Promise<Credentials> {
  const key = newSharedKey();
  const ca = authority({ CN: 'Laboratory' });
  const [ours, theirs] = [
    ca.issue({ subject: { CN: 'vpn' }, dns: [NAMES.ours] }),
    ca.issue({ subject: { CN: 'office' }, dns: [NAMES.theirs] }),
  ];
  await makeSecret(context, 'office-psk', { psk: `${key}\n` });
  await makeSecret(context, 'vpn-tls', {
    'tls.crt': ours.certificate,
    'tls.key': ours.privateKey,
    'ca.crt': ca.certificate,
  });
  return {
    values: {
      psk: { presharedKey: { existingSecret: 'office-psk' } },
      certificate: { certificate: { existingSecret: 'vpn-tls' } },
    },
    files: {
      psk: { secretLine: `secret = "${key}"`, credentials: {} },
      certificate: {
        secretLine: '',
        credentials: {
          'x509/office.crt': theirs.certificate,
          'private/office.key': theirs.privateKey,
          'x509ca/office-ca.crt': ca.certificate,
        },
      },
    },
  };
}

async function reaches({ lab, namespace }: Context, desk: Client, web: readonly WebPod[]): Promise<void> {
  if (web.length !== lab.machines.length) throw new LabError('there is no web server on every node');
  for (const { node, address } of web) {
    same('the pod that answers', (await desk.get(`http://${address}:8080/cgi-bin/who`)).split(' ')[0] ?? '', node);
    await desk.ping(address);
  }
  for (const { address } of lab.machines) {
    const ask = `curl -sSk -m 10 -o /dev/null -w '%{http_code}' https://${address}:10250/healthz`;
    same('what a kubelet answers', await desk.run(ask), '401');
  }
  const name = `web.${namespace}.svc.cluster.local`;
  const service = await desk.run(`dig +short +notcp @${CLUSTER.dns} ${name} A`);
  await desk.get(`http://${service.trim()}/cgi-bin/who`);
}

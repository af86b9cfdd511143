import { authority } from '../../strongswan/authority';
import { Ipsec, makeSecret, newSharedKey, OFFICE, OFFICE_NETWORK, Router } from '../ipsec';
import { until } from '../processes';
import type { Scenario } from '../scenario';
import { CLUSTER } from '../settings';
import { dumpBefore, sameAsBefore, secretsAreSecret } from '../traces';
import { installWeb } from '../wireguard';

export const scenario: Scenario = {
  title: 'Secrets are in Secrets only, and an uninstalled release leaves the nodes as they were',
  run: async (context) => {
    const [first] = context.lab.machines;
    const [key, givenKey] = [newSharedKey(), newSharedKey()];
    const remote = await context.client('router');
    await context.behind(remote, 'desk', OFFICE);
    const ca = authority({ CN: 'Laboratory' });
    const ours = ca.issue({ subject: { CN: 'vpn' }, dns: ['vpn.example.com'] });
    const before = await context.prepare(
      'pods with the same ports, with which the node makes what it keeps',
      async () => {
        await installWeb(context);
        return dumpBefore(context, { hostPorts: [500, 4500] });
      },
    );
    const elsewhere = { gateway: 'a', mode: 'policy', initiate: 'never' };
    const values = {
      cluster: { podCidrs: [CLUSTER.pods] },
      readiness: 'process',
      gateways: {
        a: {
          exposure: 'hostPort',
          identity: await context.publicAddress(first),
          nodeSelector: { 'kubernetes.io/hostname': first.name },
        },
      },
      tunnels: {
        office: {
          gateway: 'a',
          remote: { address: remote.address, networks: [OFFICE_NETWORK], initiates: false },
          presharedKey: { existingSecret: 'office-psk' },
        },
        given: {
          ...elsewhere,
          remote: { identity: 'keyid:given', networks: ['10.8.0.0/24'] },
          presharedKey: { value: givenKey },
        },
        certified: {
          ...elsewhere,
          remote: { identity: 'keyid:certified', networks: ['10.9.0.0/24'] },
          localIdentity: 'vpn.example.com',
          certificate: { existingSecret: 'vpn-tls' },
        },
      },
    };
    const router = new Router(remote);
    const vpn = await context.prepare(
      'helm install --wait, with a key in a Secret, one as a value, and a certificate',
      async () => {
        await makeSecret(context, 'vpn-tls', {
          'tls.crt': ours.certificate,
          'tls.key': ours.privateKey,
          'ca.crt': ca.certificate,
        });
        const made = await Ipsec.prepare(context, 'site', values, { 'office-psk': key });
        await router.start(made.counterpart('office', { secretLine: `secret = "${key}"` }));
        await made.install();
        return made;
      },
    );
    await context.check('the tunnel is up, and all secrets are loaded', () =>
      until('office up, and no problems', 60, async () => {
        const page = await vpn.page('a', 'status');
        return /^office +office +up /m.test(page) && !page.includes('problems') ? page : undefined;
      }).then(() => ''),
    );
    await secretsAreSecret(
      context,
      [key, givenKey, ours.privateKey.split('\n')[1] ?? ''],
      vpn.selector,
      {
        ...(await environmentsOf(vpn)),
        'status page': await vpn.page('a', 'status'),
        metrics: await vpn.page('a', 'metrics'),
      },
      /PATH|control\.py|site-ipsec|ipsec_charon_up|gateway/,
    );
    await context.check('helm uninstall', () => vpn.uninstall());
    await sameAsBefore(context, before);
  },
};

/** What the processes of each container were given at their start. */
async function environmentsOf(vpn: Ipsec): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const container of ['charon', 'control', 'network'])
    texts[`environments of ${container}`] = await vpn.exec(
      'a',
      'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr "\\0" "\\n"',
      container,
    );
  return texts;
}

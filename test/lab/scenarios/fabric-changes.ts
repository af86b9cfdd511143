import { setTimeout as sleep } from 'node:timers/promises';
import { BARELY_PACKETS, Fabric, type GatewayName, type Limits } from '../fabric';
import { watchClear } from '../ipsec';
import { cli } from '../parts';
import { same, type Scenario } from '../scenario';

/** Of the proposals that both tunnels begin with, and of those that they are changed to. */
const CHANGED = { proposals: ['aes256-sha256-ecp384'] };
/** How long the only gateway that serves waits for the other one. */
const ALONE_SECONDS = 20;

export const scenario: Scenario = {
  title: 'One packet every 10 ms each way over one gateway or both, while people change things',
  run: async (context) => {
    const { lab } = context;
    const clear = await watchClear(context);
    const fabric = await Fabric.installed(context);
    const { vpn } = fabric;
    const [first, second] = [fabric.nodeOf('a'), fabric.nodeOf('b')];
    const pod = await context.prepare('a pod', () => context.pod('probe', second.name));
    const planned = (
      title: string,
      gateways: readonly GatewayName[],
      begin: () => Promise<unknown>,
      packets = BARELY_PACKETS,
    ): Promise<void> => fabric.fault(pod, gateways, { title, begin, limits: (): Limits => ({ packets }) });
    const both = ['a', 'b'] as const;
    // An agent starts on a processor that is emulated, which the packets of two ways would leave too little time.
    const one = ['a'] as const;
    const agents = { agent: { resources: { requests: { cpu: '240m' } } } };
    const gateways = { strongswan: { resources: { requests: { cpu: '240m' } } } };

    await planned('helm upgrade changes the agents: no packet is lost', one, () => fabric.upgrade(agents), 0);
    await planned('helm upgrade changes the pods of both gateways: they take turns', both, () =>
      fabric.upgrade({ ...agents, ...gateways }),
    );
    await planned('helm upgrade changes the pods of all: agents and gateways', one, () =>
      fabric.upgrade({ ...agents, ...gateways, podAnnotations: { 'example.com/turn': '1' } }),
    );
    await planned('helm rollback, of all', one, () =>
      lab.helm(['rollback', vpn.release, '-n', context.namespace, '--wait', '--timeout', '10m']),
    );
    await planned('helm upgrade changes the proposals of both tunnels: each ends and begins again', both, async () => {
      await fabric.upgrade({ ...agents, ...gateways, tunnels: fabric.tunnelsWith({ esp: CHANGED }) });
      await fabric.reloadSite();
      await vpn.inService('the new proposals', async () => {
        const suites = await Promise.all(both.map((gateway) => vpn.exec(gateway, LIST_SAS, 'charon')));
        return suites.every((said) => said.includes('AES_CBC'));
      });
    });
    await planned('the pod of a gateway is deleted', ['a'], () =>
      context.kubectl('delete', 'pod', '-l', component('a'), '--wait'),
    );
    await planned('the node of a gateway is drained, and takes pods again', ['a'], async () => {
      await lab.kubectl([
        ...['drain', first.name, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=240s'],
        ...['--pod-selector', component('a')],
      ]);
      await lab.kubectl(['uncordon', first.name]);
    });
    await planned(
      'the pod of the only gateway that serves is deleted, and the other one comes back',
      ['a'],
      async () => {
        await context.kubectl('scale', 'deployment', vpn.gateway('b'), '--replicas=0');
        await fabric.complete(1);
        const deleted = context.kubectl('delete', 'pod', '-l', component('a'), '--wait');
        await sleep(ALONE_SECONDS * 1000);
        await context.kubectl('scale', 'deployment', vpn.gateway('b'), '--replicas=1');
        await deleted;
      },
    );
    await planned('kubectl apply of the plain manifests, with other annotations', one, async () => {
      const values = fabric.file({ podAnnotations: { 'example.com/turn': '2' } });
      const options = ['--release', vpn.release, '--namespace', context.namespace];
      const manifests = context.file('site.k8s.yaml', await cli('synth', 'ipsec', '-f', values, ...options));
      await context.kubectl('apply', '-f', manifests);
    });
    await context.check('packets in clear outside: none', async () => same('the number', `${await clear()}`, '0'));
    await context.check('helm uninstall', () => vpn.uninstall());
  },
};

const LIST_SAS = 'swanctl --list-sas --uri unix:///run/vpn/charon.vici';
const component = (gateway: GatewayName): string => `app.kubernetes.io/component=${gateway}`;

import * as fs from 'node:fs';
import * as path from 'node:path';
import { ALL_OF_CLUSTER, Ipsec, newSharedKey, OFFICE, OFFICE_NETWORK, Router, watchClear } from '../ipsec';
import { LabError } from '../processes';
import { same, type Scenario } from '../scenario';
import { CLUSTER, OUTSIDE, root } from '../settings';
import { installWeb } from '../wireguard';

const BALANCED = '198.51.100.20';

export const scenario: Scenario = {
  title: 'A router on premises begins a route-based tunnel to a gateway behind a load balancer',
  run: async (context) => {
    const [first] = context.lab.machines;
    const key = newSharedKey();
    const remote = await context.client('router');
    const desk = await context.behind(remote, 'desk', OFFICE);
    const values = {
      cluster: ALL_OF_CLUSTER,
      gateways: {
        // The load balancer of the laboratory knows the first node only.
        a: { identity: BALANCED, nodeSelector: { 'kubernetes.io/hostname': first.name } },
      },
      tunnels: {
        onprem: {
          gateway: 'a',
          remote: { address: remote.address, networks: [OFFICE_NETWORK] },
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
    const clear = await watchClear(context);
    await context.prepare('helm install --wait, and the router, configured by our counterpart: ready means up', () =>
      Promise.all([
        vpn.install({ a: BALANCED }),
        router.start(vpn.counterpart('onprem', { secretLine: `secret = "${key}"` })),
      ]),
    );

    await context.check('each end reaches the other one inside the tunnel', async () => {
      await remote.serve(8081);
      await vpn.exec('a', 'curl -sS -f -m 10 http://169.254.100.1:8081/cgi-bin/who');
      return remote.ping('169.254.100.2');
    });
    for (const command of thingsToTry(context.namespace, web[0]?.address ?? '')) {
      await context.check(`the documentation’s ${command.title}`, async () => {
        const said = await desk.run(command.text);
        if (!command.shows.test(said)) throw new LabError(`it shows ${said}`);
      });
    }
    await context.check(
      'but nothing of the world through the gateway, where the router leads it into the tunnel',
      async () => {
        const device = await remote.run(`ip -o link show type xfrm | sed 's/^[0-9]*: \\([^@:]*\\).*/\\1/'`);
        await remote.run(`ip route add ${OUTSIDE.world} dev ${device.trim()}`);
        await desk.noPing(OUTSIDE.world);
        await remote.run(`ip route delete ${OUTSIDE.world}`);
      },
    );
    await context.check('a pod that is given a route reaches a host on premises', async () => {
      const { node, podIP } = await vpn.placeOf('a');
      const pod = await context.pod('routed', node.name);
      await pod.run(`ip route add ${OFFICE_NETWORK} via ${podIP}`);
      await desk.serve(8080);
      const seen = await pod.get(`http://${desk.address}:8080/cgi-bin/who`);
      // The plug-in of the laboratory hides pods behind their node wherever they leave the cluster's networks.
      if (seen !== pod.address && seen !== pod.address.replace(/[0-9]+$/, '1')) throw new LabError(`it sees ${seen}`);
      return `which sees ${seen === pod.address ? 'its address' : 'that of its node in the network of pods'}`;
    });
    await context.check('a container that shares the gateway’s network reaches it too', () =>
      vpn.exec('a', `curl -sS -f -m 10 http://${desk.address}:8080/cgi-bin/who`),
    );
    await context.check('the status page tells what is up and what has passed', async () => {
      const page = await vpn.page('a', 'status');
      if (!/^ready +yes$/m.test(page) || !/^onprem +onprem +up +\S+( \S+)? +[\d.]+ (KiB|MiB) /m.test(page))
        throw new LabError(page);
    });
    await context.check('helm test', () => vpn.test().then(() => ''));
    await context.check('no container was started again', () => vpn.restarted());
    await context.check('packets in clear outside: none, and the one that is sent on purpose is seen', async () => {
      same('the number', `${await clear()}`, '0');
      const way = `${web[0]?.address ?? ''} via ${OUTSIDE.gateway}`;
      await remote.run(`ip route add ${way}; ping -c 1 -W 1 ${web[0]?.address ?? ''} || :; ip route delete ${way}`);
      same('the number', `${await clear()}`, '1');
    });
    await context.check('helm uninstall', () => vpn.uninstall());
    await context.check('… and without a gateway too', async () => {
      await desk.noPing(web[0]?.address ?? '');
      same('the number of packets in clear', `${await clear()}`, '1');
    });
  },
};

interface Command {
  readonly title: string;
  readonly text: string;
  readonly shows: RegExp;
}

/** The commands of the documentation, each with what it must show behind `#`, for the addresses of the laboratory. */
function thingsToTry(namespace: string, pod: string): Command[] {
  const page = fs.readFileSync(path.join(root, 'docs/ipsec.md'), 'utf8');
  const block = /### Things to try\n[^]*?```sh\n([^]*?)```/.exec(page)?.[1]?.trim() ?? '';
  const commands = block.split('\n').map((line) => {
    const [title = '', shows = ''] = line.split(/ +# shows /);
    const text = title
      .replace('10.96.0.10', CLUSTER.dns)
      .replace('10.96.0.1/', `${CLUSTER.kubernetes}/`)
      .replace('web.default.svc', `web.${namespace}.svc`)
      .replace('10.244.1.7', pod);
    return { title, text, shows: new RegExp(shows === 'an address' ? '^[0-9.]+$' : shows, 'm') };
  });
  if (commands.length < 3 || commands.some(({ shows }) => shows.source === '(?:)'))
    throw new LabError('docs/ipsec.md has no things to try');
  return commands;
}

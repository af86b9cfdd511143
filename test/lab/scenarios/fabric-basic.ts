import { Fabric, type FabricOptions } from '../fabric';
import { Node, type Host } from '../host';
import { watchClear } from '../ipsec';
import { LabError } from '../processes';
import { same, type Context, type Scenario } from '../scenario';
import { installWeb } from '../wireguard';

/** Of a web server on each node itself, and of one on the host outside. */
const PORT = 8099;
/** Connections that are made for one thing: with so many both ways are taken. */
const TRIES = 4;

const VARIANTS = [
  { title: 'pre-shared keys', authentication: 'psk' },
  { title: 'certificates', authentication: 'certificate' },
  { title: 'IPv6 inside and outside', family: 6 },
] as const;

export const scenario: Scenario = {
  title: 'Two gateways, agents on all nodes: pods, nodes and Services, both ways, each with its own address',
  run: async (context) => {
    const { lab } = context;
    const web = await context.prepare('web servers on all nodes', () => installWeb(context));
    const nodes = lab.machines.map((machine) => new Node(lab, machine));
    const pods = await context.prepare('a pod on every node', () =>
      Promise.all(lab.machines.map(({ name }) => context.pod(`tools-${name}`, name))),
    );
    await context.prepare('web servers of the nodes', () => Promise.all(nodes.map((node) => serveWho(context, node))));
    const clear = await watchClear(context);
    for (const { title, ...options } of VARIANTS) {
      const fabric = await installed(context, title, options);
      const srv = fabric.addressOf(fabric.srv);
      await fabric.srv.serve(PORT);
      for (const host of [...pods, ...nodes]) {
        await context.check(`${title}: ${host.name} reaches srv, which sees its address`, () =>
          repeated(() => seenAs(host, who(srv, PORT), fabric.addressOf(host))),
        );
      }
      for (const pod of web) {
        await context.check(`${title}: srv reaches a pod on ${pod.node}, which sees its address`, () =>
          repeated(() => seenAs(fabric.srv, who(fabric.addressOf(pod), 8080), srv)),
        );
      }
      for (const node of nodes) {
        await context.check(`${title}: srv reaches ${node.name}, which sees its address`, () =>
          repeated(() => seenAs(fabric.srv, who(fabric.addressOf(node), PORT), srv)),
        );
      }
      await context.check(`${title}: srv reaches the Service web`, async () => {
        const addresses = await context.kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIPs[*]}');
        const [address = '', address6 = ''] = addresses.split(' ');
        await repeated(() => fabric.srv.get(who(fabric.addressOf({ address, address6 }), 80)));
      });
      await context.check(`${title}: both gateways have carried packets`, async () => {
        for (const gateway of ['a', 'b'] as const) {
          const bytes = await fabric.vpn.exec(gateway, 'cat /sys/class/net/ipsec*/statistics/[rt]x_packets');
          if (
            bytes
              .trim()
              .split('\n')
              .some((each) => Number(each) < TRIES)
          )
            throw new LabError(`${gateway}: ${bytes}`);
        }
      });
      await context.check(`${title}: helm test`, () => fabric.vpn.test().then(() => ''));
      await context.check(`${title}: packets in clear outside: none`, async () =>
        same('the number', `${await clear()}`, '0'),
      );
      await context.prepare(`${title}: helm uninstall`, () => fabric.vpn.uninstall());
      await context.check(`${title}: and nothing of it is on a node`, async () => {
        for (const machine of lab.machines) same('the number of ways', `${await fabric.ways(machine)}`, '0');
      });
      await fabric.remove();
    }
  },
};

function installed(context: Context, title: string, options: FabricOptions): Promise<Fabric> {
  return context.prepare(`${title}: the routers, and helm install --wait: two ways everywhere`, async () => {
    const fabric = await Fabric.prepare(context, options);
    await fabric.install();
    return fabric;
  });
}

async function repeated(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) await work();
}

const who = (address: string, port: number): string =>
  `http://${address.includes(':') ? `[${address}]` : address}:${port}/cgi-bin/who`;

/** @throws unless a web server sees who asks under that address */
async function seenAs(host: Host, url: string, address: string): Promise<void> {
  same('the address that is seen', (await host.get(url)).trim().split(' ').pop() ?? '', address);
}

/** A web server on a node whose `/cgi-bin/who` tells who asks, until the scenario ends. */
async function serveWho(context: Context, node: Host): Promise<void> {
  const folder = `/run/host/${context.name}`;
  await node.run(
    `mkdir -p ${folder}/cgi-bin
    printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\n\\\\n%%s" "$(echo "$REMOTE_ADDR" | tr -d "[]" | sed "s/^::ffff://")"\\n' >${folder}/cgi-bin/who
    chmod 755 ${folder}/cgi-bin/who
    busybox httpd -f -p ${PORT} -h ${folder} </dev/null >/dev/null 2>&1 &
    echo $! >${folder}.pid`,
  );
  context.atEnd(() => node.run(`kill "$(cat ${folder}.pid)"; rm -rf ${folder} ${folder}.pid`));
}

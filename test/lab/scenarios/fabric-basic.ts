import { Fabric, type FabricOptions } from '../fabric';
import { Node, type Host } from '../host';
import { watchClear } from '../ipsec';
import { LabError } from '../processes';
import { same, type Context, type Scenario } from '../scenario';
import { installWeb, type WebPod } from '../wireguard';

/** Of a web server on each node itself, and of one on the host outside. */
const PORT = 8099;
/** Connections that are made for one thing: with so many both ways are taken. */
const TRIES = 4;

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
    for (const authentication of ['psk', 'certificate'] as const) {
      const title = authentication === 'psk' ? 'pre-shared keys' : 'certificates';
      const fabric = await installed(context, title, { authentication });
      await fabric.srv.serve(PORT);
      for (const host of [...pods, ...nodes]) {
        await context.check(`${title}: ${host.name} reaches srv, which sees its address`, () =>
          repeated(() => seenAs(host, `http://${fabric.srv.address}:${PORT}/cgi-bin/who`, host.address)),
        );
      }
      for (const pod of web) {
        await context.check(`${title}: srv reaches a pod on ${pod.node}, which sees its address`, () =>
          repeated(() => seenAs(fabric.srv, whoOf(pod), fabric.srv.address)),
        );
      }
      for (const node of nodes) {
        await context.check(`${title}: srv reaches ${node.name}, which sees its address`, () =>
          repeated(() => seenAs(fabric.srv, `http://${node.address}:${PORT}/cgi-bin/who`, fabric.srv.address)),
        );
      }
      await context.check(`${title}: srv reaches the Service web`, async () => {
        const address = await context.kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
        await repeated(() => fabric.srv.get(`http://${address}/cgi-bin/who`));
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
        for (const machine of lab.machines)
          same('the number of ways', `${await fabric.ways(machine, '10.1.0.0/24')}`, '0');
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

const whoOf = ({ address }: WebPod): string => `http://${address}:8080/cgi-bin/who`;

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

import { Fabric } from '../fabric';
import { LabError } from '../processes';
import type { Context, Scenario } from '../scenario';
import { dumpBefore, sameAsBefore, secretsAreSecret } from '../traces';
import { installWeb } from '../wireguard';

export const scenario: Scenario = {
  title: 'Secrets of the fabric are in Secrets only, and an uninstalled release leaves the nodes as they were',
  run: async (context) => {
    const { lab } = context;
    const before = await context.prepare(
      'pods with the same ports, with which the node makes what it keeps',
      async () => {
        await installWeb(context);
        return dumpBefore(context, { hostPorts: [500, 4500] });
      },
    );
    const fabric = await Fabric.installed(context);
    const { vpn } = fabric;
    await secretsAreSecret(
      context,
      fabric.secrets,
      vpn.selector,
      await textsOf(context, fabric),
      /PATH|agent\.py|reflector\.py|control\.py|site-ipsec|ipsec_charon_up|gateway/,
    );
    await context.check('helm uninstall', () => vpn.uninstall());
    await sameAsBefore(context, before);

    const [first, second] = [fabric.nodeOf('a'), fabric.nodeOf('b')];
    await context.prepare('helm install --wait, once more', () => fabric.installAgain());
    await context.check('a node that is to have an agent no more keeps its ways', async () => {
      await fabric.upgrade({ agent: { nodeSelector: { 'kubernetes.io/hostname': first.name } } });
      await context.kubectl('wait', '--for=delete', 'pod', ...fabric.agentPods(second), '--timeout=120s');
      if ((await fabric.ways(second)) === 0) throw new LabError('it has none');
    });
    await context.check('an agent is killed on the other one', () =>
      lab.on(first, "pkill -KILL -f '^python3 -B /scripts/agent.py'"),
    );
    await context.check('helm uninstall, and another agent starts where one had been', async () => {
      await vpn.uninstall();
      await fabric.installAgain();
      await vpn.uninstall();
    });
    await sameAsBefore(context, before);
  },
};

/** What processes of each container were given at their start, and what the pages of the release tell. */
async function textsOf(context: Context, { vpn, agents }: Fabric): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const given = 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr "\\0" "\\n"';
  for (const container of ['charon', 'control', 'network', 'frr'])
    texts[`environments of ${container}`] = await vpn.exec('a', given, container);
  for (const page of ['status', 'metrics'] as const) {
    texts[`${page} of a gateway`] = await vpn.page('a', page);
    texts[`${page} of an agent`] = await context.kubectl(
      ...['exec', `daemonset/${agents}`, '-c', 'filter', '--'],
      ...['curl', '-sS', `http://127.0.0.1:9812/${page}`],
    );
  }
  return texts;
}

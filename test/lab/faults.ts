/** What goes wrong with the route fabric, from a killed daemon to a lost node. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fabric, type Fault, type Limits } from './fabric';
import { watchClear } from './ipsec';
import { same, type Context } from './scenario';

/** What is not detection: telling the others, and changing routes. The goal of 0.3 s is none of emulated processors. */
const SWITCHING_SECONDS = 0.6;
/**
 * How long something stays broken, or has time to be noticed before anybody asks whether all is well again: longer than any detection,
 * shorter than Kubernetes waits for a node.
 */
const LASTS_SECONDS = 25;

/** The sentences of the notes that say how soon each end notices that the other one is silent. */
const BY_REMOTE = { bfd: 'tunnel primary, BFD', bgp: 'tunnel primary, BGP' };
const BY_NODES = 'a gateway or its node is lost';

export interface FabricFault extends Fault {
  /** Whether the remote end has to notice it, and its BFD matters. */
  readonly ofRemoteEnd?: boolean;
}

/** What happens to gateway a and to what it needs. */
export function faultsOf(context: Context, fabric: Fabric): FabricFault[] {
  const { lab } = context;
  const { vpn } = fabric;
  const [first, second] = [fabric.nodeOf('a'), fabric.nodeOf('b')];
  const router = fabric.router('a');
  const noticed = async (...what: readonly string[]): Promise<Limits> => {
    const promised = await Promise.all(what.map((each) => vpn.promisedSeconds(each)));
    return { seconds: Math.max(...promised) + SWITCHING_SECONDS };
  };
  const byRemote = BY_REMOTE[fabric.remoteBfd ? 'bfd' : 'bgp'];
  const ofRemote = (): Promise<Limits> => noticed(byRemote);
  const ofBoth = (): Promise<Limits> => noticed(byRemote, BY_NODES);
  const nothing = (): Limits => ({ packets: 0 });
  const rekey = (what: string) => () =>
    vpn.exec('a', `swanctl --rekey ${what} primary --uri unix:///run/vpn/charon.vici`, 'charon');
  return [
    {
      title: 'charon is killed',
      ofRemoteEnd: true,
      begin: () => lab.on(first, 'pkill -KILL -f ^/usr/libexec/ipsec/charon'),
      lastsSeconds: LASTS_SECONDS,
      limits: ofRemote,
    },
    {
      title: 'FRR of the gateway is killed',
      ofRemoteEnd: true,
      begin: () => vpn.exec('a', 'kill -KILL $(pidof zebra bgpd bfdd mgmtd)', 'frr'),
      lastsSeconds: LASTS_SECONDS,
      limits: ofBoth,
    },
    {
      title: 'the node of the gateway stands still, and goes on',
      ofRemoteEnd: true,
      begin: () => lab.freeze(first),
      lastsSeconds: LASTS_SECONDS,
      heal: () => lab.thaw(first),
      limits: ofBoth,
    },
    {
      title: 'its cable is pulled, and put in again',
      begin: () => lab.unplug(first),
      lastsSeconds: LASTS_SECONDS,
      heal: () => lab.plug(first),
      limits: ofBoth,
    },
    {
      title: 'it loses its power for a moment',
      begin: () => lab.restart(first),
      limits: ofBoth,
    },
    {
      title: 'the remote router is silent, and is back',
      ofRemoteEnd: true,
      begin: () => router.cut(),
      lastsSeconds: LASTS_SECONDS,
      heal: () => router.mend(),
      limits: ofRemote,
    },
    {
      title: 'the remote router forgets its SAs',
      ofRemoteEnd: true,
      begin: () => router.forget(),
      lastsSeconds: LASTS_SECONDS,
      limits: ofRemote,
    },
    {
      title: 'the child is rekeyed: no packet is lost',
      begin: rekey('--child'),
      lastsSeconds: 3,
      limits: nothing,
    },
    {
      title: 'the IKE SA is rekeyed: no packet is lost',
      begin: rekey('--ike'),
      lastsSeconds: 3,
      limits: nothing,
    },
    {
      title: 'the agent of the pod’s node is killed: no packet is lost',
      begin: () => lab.on(second, "pkill -KILL -f '^python3 -B /scripts/agent.py'"),
      lastsSeconds: LASTS_SECONDS,
      limits: nothing,
    },
    {
      title: 'the pod of that agent is deleted: no packet is lost',
      begin: () => context.kubectl('delete', 'pod', ...fabric.agentPods(second), '--wait'),
      lastsSeconds: LASTS_SECONDS,
      limits: nothing,
    },
    {
      title: 'the API server stands still for 45 s: no packet is lost',
      begin: () => lab.withoutApi(() => sleep(45_000)),
      limits: nothing,
    },
  ];
}

/** Installs the fabric, and lets the faults happen one after the other. */
export async function runFaults(context: Context, { remoteBfd }: { remoteBfd: boolean }): Promise<void> {
  const clear = await watchClear(context);
  const fabric = await Fabric.installed(context, { remoteBfd });
  const pod = await fabric.podBeside();
  for (const fault of faultsOf(context, fabric))
    if (remoteBfd || fault.ofRemoteEnd === true) await fabric.fault(pod, ['a'], fault);
  await context.check('packets in clear outside: none', async () => same('the number', `${await clear()}`, '0'));
  await context.check('helm uninstall', () => fabric.vpn.uninstall());
  await fabric.remove();
}

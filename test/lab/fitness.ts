/** What a machine needs for the laboratory. */
import * as fs from 'node:fs';
import { LabError, lookForSignals } from './processes';
import { step } from './progress';
import { labFolder, MEMORY_MIB } from './settings';
import { missing, prepare, unable, type ToolName } from '../tools';

const NEEDED: readonly ToolName[] = [
  ...(['etcd', 'coredns', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const),
  ...(['kubelet', 'kube-proxy', 'kubectl', 'helm-4.3.1', 'ip', 'busybox', 'debian-13-base'] as const),
  ...(['debootstrap', 'mke2fs', 'openssl', 'setcap', 'setpriv', 'socat', 'ssh', 'sysctl', 'xz'] as const),
];

/** What building everything needs at its worst, and what a run needs. */
const DISK_GIB = 12;

/** The machine cannot have a laboratory. */
export class Unfit extends LabError {}

/**
 * Obtains the tools.
 *
 * @throws Unfit with one sentence that says what the machine lacks
 */
export async function prepareMachine(nodes: number): Promise<void> {
  for (const ability of ['linux', 'root', 'netns', 'tun'] as const) {
    const lacks = unable(ability);
    if (lacks !== undefined) throw new Unfit(`the laboratory needs root on Linux: ${lacks}`);
  }
  if (process.arch !== 'x64') throw new Unfit(`the laboratory needs an x86-64 processor, not ${process.arch}`);
  if (!fs.existsSync('/proc/sys/net/ipv6'))
    throw new Unfit('the laboratory needs IPv6, which this kernel has turned off');
  const needed = nodes * MEMORY_MIB.node + MEMORY_MIB.outside + MEMORY_MIB.controlPlane;
  const available = Number(/^MemAvailable: +([0-9]+) kB$/m.exec(fs.readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
  if (available < needed) {
    throw new Unfit(
      `the laboratory needs ${needed} MiB of memory for ${nodes} nodes, and ${Math.floor(available)} MiB are free`,
    );
  }
  fs.mkdirSync(labFolder(), { recursive: true });
  const { bavail, bsize } = fs.statfsSync(labFolder());
  const free = (bavail * bsize) / 2 ** 30;
  if (free < DISK_GIB) {
    throw new Unfit(`the laboratory needs ${DISK_GIB} GiB in ${labFolder()}, and ${free.toFixed(1)} GiB are free`);
  }
  if (NEEDED.some((name) => missing(name) !== undefined)) {
    await step('tools', () => prepare(() => undefined, NEEDED));
    lookForSignals();
  }
  const lacking = new Map<string, ToolName[]>();
  for (const name of NEEDED) {
    const reason = missing(name);
    if (reason !== undefined) lacking.set(reason, [...(lacking.get(reason) ?? []), name]);
  }
  if (lacking.size > 0) {
    const reasons = [...lacking].map(([reason, names]) => `${reason} (for ${names.join(', ')})`);
    throw new Unfit(`the laboratory lacks tools: ${reasons.join('; ')}`);
  }
}

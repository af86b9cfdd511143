/** Packets through a packet filter: from a client through a server to a network of services, each a network namespace. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A packet, to whose sender a service at the port answers with the source that it sees. */
export interface Probe {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  /** The port of the service, where that is another one. */
  readonly servedAt?: number;
}

/** The address of the pod on the service network: what a service sees of a masqueraded client. */
export const POD = '192.0.2.1';
/**
 * For every filter in turn, what came back of the probes, whose connections stay open.
 *
 * @param device - by which the client's packets come in
 */
export function sendThrough(device: string, filters: readonly string[], probes: readonly Probe[]): (string | null)[][] {
  const input = JSON.stringify({ filters, interface: device, probes });
  const { status, stdout, stderr } = spawnSync('python3', [join(__dirname, 'packets.py')], { input, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as (string | null)[][];
}

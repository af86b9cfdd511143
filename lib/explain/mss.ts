import type { Version } from './address';
import type { Step } from './walk';

/** What headers of IP and TCP take of a packet, in bytes: the rest is the largest segment. */
const TCP_BYTES = { 4: 40, 6: 60 } as const;

/** The clamp of TCP segments. */
export const mssStep = (chain: string, mtuBytes: number, version: Version): Step => ({
  kind: 'mss',
  text: `${chain}: TCP segments have at most ${String(mtuBytes - TCP_BYTES[version])} bytes`,
});

import { ipsecNetwork } from './ipsec';
import type { Network, Site } from './site';
import { wireguardNetwork } from './wireguard';

/** What each chart makes of the ways of packets, by the names of the charts. */
export const NETWORKS = { ipsec: ipsecNetwork, wireguard: wireguardNetwork };

/** What a chart of that name makes of them; undefined: nothing is known of it. */
export const networkOf = (chart: string): ((site: Site) => Network) | undefined =>
  Object.hasOwn(NETWORKS, chart) ? (NETWORKS as unknown as Record<string, (site: Site) => Network>)[chart] : undefined;

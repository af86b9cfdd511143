/** What network.sh (lib/strongswan) makes of its file in a pod whose network takes packets of `outerBytes`. */
export function tunnelMtus(
  network: string,
  outerBytes: number,
): { readonly byTunnel: ReadonlyMap<string, number>; readonly smallest: number } {
  const byTunnel = new Map<string, number>();
  let [smallest, tunnel] = [outerBytes, ''];
  for (const line of network.split('\n')) {
    const [word = '', first = '', second = ''] = line.split(' ');
    const number = Number(first);
    const before = byTunnel.get(tunnel) ?? outerBytes;
    switch (word) {
      case '#':
        tunnel = first;
        break;
      case 'overhead':
        byTunnel.set(tunnel, Math.trunc((outerBytes - number) / Number(second)) * Number(second) - ESP_TRAILER_BYTES);
        break;
      case 'mtu':
        byTunnel.set(tunnel, number);
        break;
      case 'most':
        byTunnel.set(tunnel, Math.min(before, number));
        break;
      case 'overlay':
        smallest = Math.min(smallest, number > 0 ? number : outerBytes - VXLAN_BYTES);
        break;
      default:
    }
  }
  return { byTunnel, smallest: Math.min(smallest, ...byTunnel.values()) };
}

/** The length of the padding and the next header of ESP. */
const ESP_TRAILER_BYTES = 2;
/** What VXLAN adds to a packet, over IPv4 (RFC 7348). */
const VXLAN_BYTES = 50;

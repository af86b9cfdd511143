/** What generated peers must keep beside their schema, of whatever chart, and networks to write them with. */
import { addressOf, networkBits, prefixLength } from '../../lib/net/cidr';
import { ipv6Groups, isIpv6 } from '../../lib/net/address';
import { isMap, type Draft, type DraftMap, type Random } from './chart-random';
import type { Fault } from './values-arbitrary';

export function remove(map: DraftMap, ...keys: readonly string[]): void {
  for (const key of keys) Reflect.deleteProperty(map, key);
}

export function peersOf(values: DraftMap): DraftMap[] {
  return isMap(values['peers']) ? Object.values(values['peers']).filter((peer) => isMap(peer)) : [];
}

export function someKey(random: Random): string {
  const digits = Array.from({ length: 42 }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.charAt(random.below(26)));
  return `${digits.join('')}8=`;
}

/** Lists of networks without host bits. */
export function repairAllowedIPs(client: Draft | undefined, random: Random): void {
  if (!isMap(client) || !Array.isArray(client['allowedIPs'])) return;
  client['allowedIPs'] = client['allowedIPs'].map((network) =>
    typeof network === 'string' ? networkOf(network, 128, random) : network,
  );
}

/** A reading ends before the next one begins. */
export function repairScrapeTimeout(monitor: Draft | undefined): void {
  if (!isMap(monitor)) return;
  const [interval, timeout] = [monitor['intervalSeconds'], monitor['scrapeTimeoutSeconds']];
  if (typeof interval === 'number' && typeof timeout === 'number' && timeout > interval)
    monitor['scrapeTimeoutSeconds'] = interval;
}

/** Services of the peers: each name once, at addresses of the peer, with each port once. */
export function repairServices(values: DraftMap, random: Random): void {
  const taken = new Set<string>();
  for (const peer of peersOf(values)) {
    const { services } = peer;
    if (!isMap(services)) continue;
    for (const [name, service] of Object.entries(services)) {
      if (!isMap(service)) continue;
      const key = `${typeof service['namespace'] === 'string' ? service['namespace'] : ''}/${name}`;
      if (taken.has(key)) remove(services, name);
      taken.add(key);
      if (Array.isArray(service['addresses']))
        service['addresses'] = service['addresses'].map(() => random.pick(addressesBehind(peer))!);
      const ports = isMap(service['ports']) ? service['ports'] : (service['ports'] = {});
      const used = new Set<string>();
      for (const [portName, port] of Object.entries(ports)) {
        if (!isMap(port)) continue;
        const protocol = typeof port['protocol'] === 'string' ? port['protocol'] : 'TCP';
        const use = `${JSON.stringify(port['port'])}/${protocol}`;
        if (used.has(use)) remove(ports, portName);
        used.add(use);
      }
      if (Object.keys(ports).length === 0) ports['http'] = { port: 80 };
    }
  }
}

/** The addresses of a peer, and the first one of each network behind it. */
function addressesBehind(peer: DraftMap): string[] {
  const texts = (list: Draft | undefined): string[] =>
    Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  return [...texts(peer['addresses']), ...texts(peer['routedNetworks']).map(addressOf)];
}

/** The network that an address is in, with a prefix that leaves room. */
export function networkOf(cidr: string, longest: number, random: Random, shortest = 0): string {
  const width = widthOf(cidr);
  const length = Math.max(Math.min(prefixLength(cidr), longest), shortest);
  const host = BigInt(width - length);
  return `${print((numberOf(cidr) >> host) << host, isIpv6(cidr), random)}/${String(length)}`;
}

export function widthOf(cidr: string): number {
  return isIpv6(cidr) ? 128 : 32;
}

export function numberOf(cidr: string): bigint {
  const address = addressOf(cidr);
  const [parts, width] = isIpv6(cidr) ? [ipv6Groups(address), 16n] : [address.split('.').map(Number), 8n];
  return parts.reduce((sum, part) => (sum << width) + BigInt(part), 0n);
}

/** An address in one of the ways to write it. */
export function print(number: bigint, v6: boolean, random: Random): string {
  const width = v6 ? 16n : 8n;
  const parts = Array.from({ length: v6 ? 8 : 4 }, (_, i) =>
    Number((number >> (width * BigInt((v6 ? 7 : 3) - i))) & ((1n << width) - 1n)),
  );
  if (!v6) return parts.join('.');
  const groups = parts.map((part) => part.toString(16).padStart(random.chance(0.2) ? 4 : 1, '0'));
  const text = random.chance(0.6) ? compressed(groups, parts) : groups.join(':');
  return random.chance(0.2) ? text.toUpperCase() : text;
}

/** The longest run of zeros left out, where there is one. */
function compressed(groups: readonly string[], parts: readonly number[]): string {
  let [from, length] = [0, 0];
  parts.forEach((_, start) => {
    let end = start;
    while (parts[end] === 0) end++;
    if (end - start > length) [from, length] = [start, end - start];
  });
  return length === 0
    ? groups.join(':')
    : `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`;
}

/** Whether two networks have an address in common. */
export const meet = (one: string, other: string): boolean =>
  networkBits(one).startsWith(networkBits(other)) || networkBits(other).startsWith(networkBits(one));

/** Two peers, and what one takes from the other. */
export function twoPeers(title: string, change: (one: DraftMap, other: DraftMap) => void): Fault {
  return (values, random) => {
    const [one, other] = random.chance(0.5) ? peersOf(values) : peersOf(values).toReversed();
    if (one === undefined || other === undefined) return undefined;
    change(one, other);
    return title;
  };
}

/** A change to one peer. */
export function onePeer(title: string, change: (peer: DraftMap, random: Random, values: DraftMap) => void): Fault {
  return (values, random) => {
    const peer = random.pick(peersOf(values));
    if (peer === undefined) return undefined;
    change(peer, random, values);
    return title;
  };
}

/** Ways to break the rules of services of peers. */
export const SERVICE_FAULTS: readonly Fault[] = [
  onePeer('a service without ports', (peer) => (peer['services'] = { a: { ports: {} } })),
  onePeer(
    'a service elsewhere',
    (peer, random) =>
      (peer['services'] = {
        a: { ports: { a: { port: 80 } }, addresses: [random.pick(['192.0.2.77', '2001:db8::77'])!] },
      }),
  ),
  onePeer(
    'one port twice',
    (peer) => (peer['services'] = { a: { ports: { a: { port: 80 }, b: { port: 80, protocol: 'TCP' } } } }),
  ),
  twoPeers('one service twice', (one, other) => {
    one['services'] = { a: { ports: { a: { port: 80 } } } };
    other['services'] = { a: { ports: { b: { port: 81 } } } };
  }),
];

/** What generated values of the chart `wireguard` must keep beside its schema, and ways to break it. */
import { networkBits, prefixLength, addressOf } from '../../lib/net/cidr';
import { ipv6Groups, isIpv6 } from '../../lib/net/address';
import { isMap, type Draft, type DraftMap, type Random } from './chart-random';
import type { Fault } from './values-arbitrary';

/** The rules of lib/wireguard/checks.ts, one after the other. */
export function repairWireGuard(values: DraftMap, random: Random): DraftMap {
  repairNames(values);
  repairNetworks(values, random);
  repairKeys(values, random);
  repairMtu(values);
  repairService(values);
  repairDns(values);
  repairPeersFrom(values);
  repairPeers(values, random);
  for (const { client } of [values, ...peersOf(values)]) repairAllowedIPs(client, random);
  repairMetrics(values);
  return values;
}

function repairNames(values: DraftMap): void {
  const { fullnameOverride } = values;
  if (typeof fullnameOverride === 'string') values['fullnameOverride'] = `a${fullnameOverride.slice(1)}`;
}

function repairNetworks(values: DraftMap, random: Random): void {
  if (typeof values['network'] === 'string') values['network'] = networkOf(values['network'], 30, random, 8);
  if (typeof values['network6'] === 'string') values['network6'] = networkOf(values['network6'], 126, random, 16);
}

function repairAllowedIPs(client: Draft | undefined, random: Random): void {
  if (!isMap(client) || !Array.isArray(client['allowedIPs'])) return;
  client['allowedIPs'] = client['allowedIPs'].map((network) =>
    typeof network === 'string' ? networkOf(network, 128, random) : network,
  );
}

function repairKeys(values: DraftMap, random: Random): void {
  const { privateKey } = values;
  if (isMap(privateKey) && privateKey['generate'] === true) {
    if (random.chance(0.2)) privateKey['generate'] = false;
    else remove(privateKey, 'existingSecret', 'value');
  }
  repairKey(privateKey, random);
  for (const peer of peersOf(values)) {
    if (peer['generate'] === true && random.chance(0.5)) remove(peer, 'publicKey', 'presharedKey');
    else peer['generate'] = false;
    if (peer['generate'] === false) peer['publicKey'] ??= someKey(random);
    const { presharedKey } = peer;
    if (!isMap(presharedKey)) continue;
    repairKey(presharedKey, random);
    if (presharedKey['value'] === undefined && presharedKey['existingSecret'] === undefined)
      presharedKey['existingSecret'] = 'keys';
  }
}

function someKey(random: Random): string {
  const digits = Array.from({ length: 42 }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.charAt(random.below(26)));
  return `${digits.join('')}8=`;
}

/** A key is in a Secret or given, not both. */
function repairKey(key: Draft | undefined, random: Random): void {
  if (isMap(key) && typeof key['value'] === 'string') key['value'] = `${(random.chance(0.5) ? 'A' : '/').repeat(42)}8=`;
  if (!isMap(key) || key['value'] === undefined || key['existingSecret'] === undefined) return;
  Reflect.deleteProperty(key, random.chance(0.5) ? 'value' : 'existingSecret');
}

function repairMtu(values: DraftMap): void {
  const { mtu, underlayMtu, network6 } = values;
  if (typeof mtu !== 'number') return;
  const least = network6 === undefined ? 576 : 1280;
  values['mtu'] = Math.max(mtu, least);
  if (typeof underlayMtu === 'number')
    values['underlayMtu'] = Math.min(9216, Math.max(underlayMtu, Math.max(mtu, least) + 80));
}

function repairService(values: DraftMap): void {
  const { service } = values;
  if (!isMap(service)) return;
  const type = service['type'] ?? 'LoadBalancer';
  if (type === 'ClusterIP') remove(service, 'nodePort', 'externalTrafficPolicy');
  if (type !== 'ClusterIP' && service['clusterIP'] === 'None') remove(service, 'clusterIP');
  if (service['ipFamilyPolicy'] === 'SingleStack' && Array.isArray(service['ipFamilies']))
    service['ipFamilies'] = service['ipFamilies'].slice(0, 1);
}

function repairDns(values: DraftMap): void {
  const { dns } = values;
  if (!isMap(dns)) return;
  // Rarely would all be there that makes search domains count.
  if (Array.isArray(dns['searchDomains']) && dns['searchDomains'].length > 0) dns['mode'] ??= 'coredns';
  if (Array.isArray(dns['servers']) && dns['servers'].length > 0) dns['mode'] ??= 'servers';
  const mode = dns['mode'] ?? 'none';
  if (mode !== 'servers') remove(dns, 'servers');
  else if (!Array.isArray(dns['servers']) || dns['servers'].length === 0) dns['servers'] = ['10.96.0.10'];
  if (mode !== 'coredns') remove(dns, 'zones');
  if (mode === 'none') remove(dns, 'searchDomains');
  const health = isMap(values['health']) ? values['health']['port'] : undefined;
  if ([health ?? 8080, values['listenPort'] ?? 51820].includes(dns['port'] ?? 1053)) remove(dns, 'port');
  if ([health, values['listenPort']].includes(1053)) remove(values, 'dns');
}

function repairMetrics(values: DraftMap): void {
  const { metrics } = values;
  if (!isMap(metrics)) return;
  const parts = ['serviceMonitor', 'podMonitor', 'prometheusRule', 'dashboard'].map((key) => metrics[key]);
  for (const part of parts.filter((part) => isMap(part))) {
    if (part['enabled'] === true) metrics['enabled'] = true;
    const [interval, timeout] = [part['intervalSeconds'], part['scrapeTimeoutSeconds']];
    if (typeof interval === 'number' && typeof timeout === 'number' && timeout > interval)
      part['scrapeTimeoutSeconds'] = interval;
  }
  const [serviceMonitor, podMonitor, rule] = parts;
  if (isMap(serviceMonitor) && isMap(podMonitor) && serviceMonitor['enabled'] === true) podMonitor['enabled'] = false;
  if (isMap(rule) && Array.isArray(rule['alwaysUpPeers']) && !hasPeersFrom(values))
    rule['alwaysUpPeers'] = isMap(values['peers']) ? Object.keys(values['peers']).slice(0, 1) : [];
}

function hasPeersFrom({ peersFrom }: DraftMap): boolean {
  return isMap(peersFrom) && Object.keys(peersFrom).length > 0;
}

function repairPeersFrom({ peersFrom }: DraftMap): void {
  if (!isMap(peersFrom)) return;
  for (const source of Object.values(peersFrom).filter((source) => isMap(source))) {
    if (source['existingSecret'] !== undefined) remove(source, 'existingConfigMap');
    else source['existingConfigMap'] ??= 'wireguard-team';
  }
}

function remove(map: DraftMap, ...keys: readonly string[]): void {
  for (const key of keys) Reflect.deleteProperty(map, key);
}

function peersOf(values: DraftMap): DraftMap[] {
  return isMap(values['peers']) ? Object.values(values['peers']).filter((peer) => isMap(peer)) : [];
}

/** Addresses of the VPN's networks, each taken once, and networks that overlap with nothing. */
function repairPeers(values: DraftMap, random: Random): void {
  const network = typeof values['network'] === 'string' ? values['network'] : '10.13.13.0/24';
  const network6 = typeof values['network6'] === 'string' ? values['network6'] : undefined;
  const taken = [networkBits(network), ...(network6 === undefined ? [] : [networkBits(network6)])];
  const hosts = new Set<string>();
  const keys = new Set<Draft>();
  const peers = values['peers'];
  if (!isMap(peers)) return;
  for (const [name, peer] of Object.entries(peers)) {
    if (!isMap(peer)) continue;
    const given = Array.isArray(peer['addresses']) ? peer['addresses'].length : 1;
    const addresses = Array.from({ length: given }, () =>
      freeHost(random.chance(0.3) ? (network6 ?? network) : network, hosts, random),
    );
    const free = addresses.filter((address) => address !== undefined);
    const { publicKey } = peer;
    if (free.length === 0 || (publicKey !== undefined && keys.has(publicKey))) {
      remove(peers, name);
      continue;
    }
    if (publicKey !== undefined) keys.add(publicKey);
    peer['addresses'] = free;
    if (Array.isArray(peer['routedNetworks'])) {
      peer['routedNetworks'] = peer['routedNetworks']
        .map((routed) => (typeof routed === 'string' ? networkOf(routed, 128, random) : routed))
        .filter((routed) => {
          const bits = networkBits(routed as string);
          if (isIpv6(routed as string) && network6 === undefined) return false;
          if (taken.some((other) => other.startsWith(bits) || bits.startsWith(other))) return false;
          taken.push(bits);
          return true;
        });
    }
  }
  for (const peer of peersOf(values)) repairRules(peer['allow'], Object.keys(peers), random);
}

function repairRules(allow: Draft | undefined, names: readonly string[], random: Random): void {
  if (!isMap(allow)) return;
  for (const rule of Object.values(allow)) {
    if (!isMap(rule)) continue;
    if ([rule['networks'], rule['peers']].every((list) => !Array.isArray(list) || list.length === 0))
      rule['networks'] = ['10.0.0.0/8'];
    if (Array.isArray(rule['peers'])) rule['peers'] = rule['peers'].map(() => random.pick(names) ?? 'a');
    for (const port of Array.isArray(rule['ports']) ? rule['ports'] : []) {
      if (!isMap(port) || typeof port['port'] !== 'number' || typeof port['endPort'] !== 'number') continue;
      if (port['endPort'] < port['port']) [port['port'], port['endPort']] = [port['endPort'], port['port']];
    }
  }
}

/** An address of a network that is neither its first, its last nor the server's, and not yet taken. */
function freeHost(network: string, taken: Set<string>, random: Random): string | undefined {
  const bits = widthOf(network) - prefixLength(network);
  for (let attempt = 0; attempt < 8; attempt++) {
    const host = bits <= 2 ? 2n : 2n + BigInt(random.below(Math.min(2 ** bits - 3, 2 ** 31)));
    const address = print(numberOf(network) + host, isIpv6(network), random);
    const key = networkBits(address);
    if (taken.has(key)) continue;
    taken.add(key);
    return address;
  }
  return undefined;
}

/** The network that an address is in, with a prefix that leaves room. */
function networkOf(cidr: string, longest: number, random: Random, shortest = 0): string {
  const width = widthOf(cidr);
  const length = Math.max(Math.min(prefixLength(cidr), longest), shortest);
  const host = BigInt(width - length);
  return `${print((numberOf(cidr) >> host) << host, isIpv6(cidr), random)}/${String(length)}`;
}

function widthOf(cidr: string): number {
  return isIpv6(cidr) ? 128 : 32;
}

function numberOf(cidr: string): bigint {
  const address = addressOf(cidr);
  const [parts, width] = isIpv6(cidr) ? [ipv6Groups(address), 16n] : [address.split('.').map(Number), 8n];
  return parts.reduce((sum, part) => (sum << width) + BigInt(part), 0n);
}

/** An address in one of the ways to write it. */
function print(number: bigint, v6: boolean, random: Random): string {
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

/** Two peers, and what one takes from the other. */
function twoPeers(title: string, change: (one: DraftMap, other: DraftMap) => void): Fault {
  return (values, random) => {
    const [one, other] = random.chance(0.5) ? peersOf(values) : peersOf(values).toReversed();
    if (one === undefined || other === undefined) return undefined;
    change(one, other);
    return title;
  };
}

/** A change to one peer. */
function onePeer(title: string, change: (peer: DraftMap, random: Random, values: DraftMap) => void): Fault {
  return (values, random) => {
    const peer = random.pick(peersOf(values));
    if (peer === undefined) return undefined;
    change(peer, random, values);
    return title;
  };
}

const withNetwork = (values: DraftMap): string =>
  typeof values['network'] === 'string' ? values['network'] : '10.13.13.0/24';

export const WIREGUARD_FAULTS: readonly Fault[] = [
  twoPeers('one key twice', (one, other) => {
    other['publicKey'] = one['publicKey'] ??= `${'K'.repeat(42)}8=`;
  }),
  onePeer('a key that is given and generated', (peer) => {
    peer['publicKey'] = `${'K'.repeat(42)}8=`;
    peer['generate'] = true;
  }),
  onePeer('no key', (peer) => {
    remove(peer, 'publicKey', 'generate');
  }),
  onePeer('a pre-shared key beside generated ones', (peer) => {
    remove(peer, 'publicKey');
    peer['generate'] = true;
    peer['presharedKey'] = { existingSecret: 'keys' };
  }),
  twoPeers('one address twice', (one, other) => (other['addresses'] = one['addresses'] ?? [])),
  twoPeers('one network twice', (one, other) => (one['routedNetworks'] = other['routedNetworks'] = ['192.0.2.0/24'])),
  twoPeers('a network inside another', (one, other) => {
    one['routedNetworks'] = ['198.18.0.0/15'];
    other['routedNetworks'] = ['198.19.4.0/24', '198.18.0.0/16'];
  }),
  onePeer(
    'an address outside',
    (peer, random) => (peer['addresses'] = [random.pick(['8.8.8.8', '10.13.14.2', '2001:db8::7', '0.0.0.0', '::'])!]),
  ),
  onePeer('a special address', (peer, random, values) => {
    const network = withNetwork(values);
    const host = random.pick([0n, 1n, (1n << BigInt(Math.max(0, widthOf(network) - prefixLength(network)))) - 1n])!;
    peer['addresses'] = [print(numberOf(network) + host, false, random)];
  }),
  onePeer(
    'a network with host bits',
    (peer, random) => (peer['routedNetworks'] = [random.pick(['192.0.2.1/24', '2001:db8::1/64', '0.0.0.1/0'])!]),
  ),
  onePeer(
    'the VPN’s own network behind a peer',
    (peer, random, values) => (peer['routedNetworks'] = [random.pick([withNetwork(values), '0.0.0.0/0', '::/0'])!]),
  ),
  onePeer(
    'a client’s network with host bits',
    (peer, random) => (peer['client'] = { allowedIPs: [random.pick(['10.0.0.1/8', 'fd00::1/64'])!] }),
  ),
  onePeer('a peer that does not exist', (peer) => (peer['allow'] = { rule: { peers: ['nobody'] } })),
  onePeer(
    'ports in the wrong order',
    (peer) => (peer['allow'] = { rule: { networks: ['0.0.0.0/0'], ports: [{ port: 443, endPort: 80 }] } }),
  ),
  onePeer('a pre-shared key from nowhere', (peer) => (peer['presharedKey'] = {})),
  onePeer(
    'two pre-shared keys',
    (peer) => (peer['presharedKey'] = { existingSecret: 'keys', value: peer['publicKey'] ?? '' }),
  ),
  (values) => {
    values['privateKey'] = { existingSecret: 'wireguard-server', value: `${'A'.repeat(43)}=` };
    return 'two private keys';
  },
  (values, random) => {
    values['privateKey'] = random.pick<DraftMap>([
      { generate: true, existingSecret: 'wireguard-server' },
      { generate: true, value: `${'A'.repeat(43)}=` },
    ])!;
    return 'a private key that is given and generated';
  },
  (values, random) => {
    values['dns'] = random.pick<DraftMap>([
      { mode: 'servers' },
      { servers: ['10.96.0.10'] },
      { mode: 'servers', servers: ['10.96.0.10'], zones: { 'example.com': { servers: ['10.0.0.1'] } } },
      { searchDomains: ['example.com'] },
      { mode: 'coredns', port: 51820 },
      { mode: 'coredns', port: 8080 },
    ])!;
    return 'DNS that contradicts itself';
  },
  (values, random) => {
    values['metrics'] = random.pick<DraftMap>([
      ...['serviceMonitor', 'podMonitor', 'prometheusRule', 'dashboard'].map((key) => ({ [key]: { enabled: true } })),
      { enabled: true, serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
      { enabled: true, serviceMonitor: { intervalSeconds: 5, scrapeTimeoutSeconds: 6 } },
      { enabled: true, prometheusRule: { alwaysUpPeers: ['nobody'] } },
    ])!;
    return 'metrics that contradict themselves';
  },
  (values, random) => {
    values['peersFrom'] = { team: random.pick<DraftMap>([{}, { existingSecret: 'a', existingConfigMap: 'b' }])! };
    return 'peers from nowhere or from two places';
  },
  (values, random) => {
    values['network'] = random.pick(['10.0.0.1/24', '10.0.0.0/31', '10.0.0.0/32'])!;
    return 'a bad network';
  },
  (values, random) => {
    values['network6'] = random.pick(['fd00::1/64', 'fd00::/127', 'fd00::/128'])!;
    return 'a bad IPv6 network';
  },
  (values) => {
    values['mtu'] = 1421;
    values['underlayMtu'] = 1500;
    return 'an MTU that is too large';
  },
  (values) => {
    values['mtu'] = 1279;
    values['network6'] = 'fd00::/64';
    return 'an MTU that is too small';
  },
  (values, random) => {
    const [key, value] = random.pick([
      ['nodePort', 31820],
      ['externalTrafficPolicy', 'Local'],
    ] as const)!;
    values['service'] = { type: 'ClusterIP', [key]: value };
    return `a ClusterIP with ${key}`;
  },
  (values) => {
    values['service'] = { type: 'NodePort', clusterIP: 'None' };
    return 'a NodePort without address';
  },
  (values) => {
    values['service'] = { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'SingleStack' };
    return 'two families in a single stack';
  },
];

/** What generated values of the chart `kilo` must keep beside its schema, and ways to break it. */
import {
  networkOf,
  onePeer,
  peersOf,
  print,
  repairAllowedIPs,
  repairScrapeTimeout,
  repairServices,
  SERVICE_FAULTS,
  someKey,
  twoPeers,
} from './chart-peer-values';
import { isMap, type DraftMap, type Random } from './chart-random';
import type { Fault } from './values-arbitrary';

/** The rules of lib/kilo/checks.ts, one after the other. */
export function repairKilo(values: DraftMap, random: Random): DraftMap {
  const { fullnameOverride, cluster, metrics } = values;
  if (typeof fullnameOverride === 'string') values['fullnameOverride'] = `a${fullnameOverride.slice(1)}`;
  const networks = new Free(random);
  if (isMap(cluster)) {
    for (const [key, list] of Object.entries(cluster))
      if (Array.isArray(list)) cluster[key] = list.map(() => networks.network());
  }
  if (values['subnet'] !== undefined)
    values['subnet'] = random.pick(['10.4.0.0/16', '172.31.254.0/24', '100.64.0.0/10', '10.4.1.0/30'])!;
  if (Array.isArray(values['internalCidrs']))
    values['internalCidrs'] = values['internalCidrs'].map((network) =>
      typeof network === 'string' ? networkOf(network, 128, random) : network,
    );
  for (const { client } of [values, ...peersOf(values)]) repairAllowedIPs(client, random);
  for (const peer of peersOf(values)) {
    peer['publicKey'] = someKey(random);
    if (isMap(peer['presharedKey'])) peer['presharedKey']['value'] = someKey(random);
    if (Array.isArray(peer['addresses'])) peer['addresses'] = peer['addresses'].map(() => networks.address());
    if (Array.isArray(peer['routedNetworks']))
      peer['routedNetworks'] = peer['routedNetworks'].map(() => networks.network());
  }
  repairServices(values, random);
  if (isMap(metrics)) repairScrapeTimeout(metrics['podMonitor']);
  return values;
}

/** Networks and addresses that overlap with none that were given before, in one of the ways to write them. */
class Free {
  readonly #random: Random;
  #next = 0n;

  constructor(random: Random) {
    this.#random = random;
  }

  /** One of 10.128.0.0/9, or of fd00::/16. */
  network(): string {
    const n = this.#next++;
    return this.#random.chance(0.2)
      ? `${print((0xfd00n << 112n) + (n << 80n), true, this.#random)}/48`
      : `${print((10n << 24n) + (128n << 16n) + (n << 8n), false, this.#random)}/24`;
  }

  /** One of 10.5.0.0/16, or of fd05::/112. */
  address(): string {
    const n = this.#next++;
    return this.#random.chance(0.2)
      ? print((0xfd05n << 112n) + n + 1n, true, this.#random)
      : print((10n << 24n) + (5n << 16n) + n + 1n, false, this.#random);
  }
}

export const KILO_FAULTS: readonly Fault[] = [
  ...SERVICE_FAULTS,
  twoPeers('one key twice', (one, other) => {
    other['publicKey'] = one['publicKey'] ??= `${'K'.repeat(42)}8=`;
  }),
  onePeer('a pre-shared key that is none', (peer) => (peer['presharedKey'] = { value: 'secret' })),
  onePeer('a pre-shared key in a Secret', (peer) => (peer['presharedKey'] = { existingSecret: 'keys' })),
  twoPeers('one address twice', (one, other) => (other['addresses'] = one['addresses'] ?? [])),
  twoPeers('an address inside a network of another', (one, other) => {
    one['routedNetworks'] = ['192.0.2.0/24'];
    other['addresses'] = ['192.0.2.9'];
  }),
  onePeer(
    'a network with host bits',
    (peer, random) => (peer['routedNetworks'] = [random.pick(['192.0.2.1/24', '2001:db8::1/64', '0.0.0.1/0'])!]),
  ),
  onePeer('a network of the cluster', (peer, random, values) => {
    const cluster = isMap(values['cluster']) ? values['cluster'] : (values['cluster'] = {});
    cluster[random.pick(['podCidrs', 'serviceCidrs', 'nodeCidrs'])!] = ['10.200.0.0/16', 'fd00:5::/48'];
    peer['routedNetworks'] = [random.pick(['10.200.7.0/24', '10.0.0.0/8', 'fd00:5::/64'])!];
  }),
  onePeer('an address of Kilo’s own', (peer, _random, values) => {
    values['subnet'] = '10.4.0.0/16';
    peer['addresses'] = ['10.4.0.99'];
  }),
  onePeer(
    'everything behind a peer',
    (peer, random) => (peer['routedNetworks'] = [random.pick(['0.0.0.0/0', '::/0'])!]),
  ),
  onePeer(
    'a client’s network with host bits',
    (peer, random) => (peer['client'] = { allowedIPs: [random.pick(['10.0.0.1/8', 'fd00::1/64'])!] }),
  ),
  (values, random) => {
    values['subnet'] = random.pick(['10.4.0.1/16', '10.4.0.0/31', '10.4.0.0/32', '8.0.0.0/7', '0.0.0.0/0'])!;
    return 'a bad subnet';
  },
  (values, random) => {
    values['cluster'] = random.pick<DraftMap>([
      { podCidrs: ['10.244.0.1/16'] },
      { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.244.128.0/24'] },
      { nodeCidrs: ['169.254.0.0/16'] },
      { serviceCidrs: ['10.96.0.0/12', '10.96.0.0/16'] },
    ])!;
    return 'networks of the cluster that cannot be';
  },
  (values, random) => {
    values['internalCidrs'] = [random.pick(['10.0.0.1/8', 'fd00::1/64'])!];
    return 'an internal network with host bits';
  },
  (values) => {
    values['metrics'] = { podMonitor: { intervalSeconds: 5, scrapeTimeoutSeconds: 6 } };
    return 'a reading that takes too long';
  },
];

/** What generated values of the chart `vpn` must keep beside the rules of its parts, and ways to break it. */
import { networkBits } from '../../lib/net/cidr';
import { isMap, type DraftMap, type Random } from './chart-random';
import type { Fault, ValuesOptions } from './values-arbitrary';

/** The rules of the parts and those of charts/vpn-checks.ts. */
export function repairVpn(parts: Readonly<Record<string, ValuesOptions>>) {
  return (values: DraftMap, random: Random): DraftMap => {
    const names = Object.keys(parts);
    for (const name of names) {
      const part = partOf(values, name);
      if (name === 'wireguard') repairNetworks(part);
      parts[name]?.repair?.(part, random);
      part['enabled'] = random.chance(0.85);
    }
    repairRoutedNetworks(values);
    repairMesh(partOf(values, 'kilo'));
    if (names.every((name) => partOf(values, name)['enabled'] === false))
      partOf(values, random.pick(names)!)['enabled'] = true;
    return values;
  };
}

/** Networks of clients that are none of the cluster's, all of which begin with 10, 172 or fd00. */
function repairNetworks(wireguard: DraftMap): void {
  const { network, network6 } = wireguard;
  if (typeof network === 'string') wireguard['network'] = network.replace(/^\d+/, '192').replace(/\/\d$/, '/9');
  if (typeof network6 === 'string') wireguard['network6'] = `fd42:${network6.replace(/^[^/]*/, ':')}`;
}

/** Networks of the mesh that no other part has: all of those begin with 10, 172, 192, 198 or fd. */
function repairMesh(kilo: DraftMap): void {
  const { subnet, peers } = kilo;
  kilo['subnet'] = typeof subnet === 'string' ? subnet.replace(/^\d+\.\d+/, '11.4') : '11.4.0.0/16';
  for (const peer of isMap(peers) ? Object.values(peers) : []) {
    if (!isMap(peer)) continue;
    for (const key of ['addresses', 'routedNetworks']) {
      const networks = peer[key];
      if (!Array.isArray(networks)) continue;
      const kept = networks.filter((network) => typeof network === 'string' && /^\d/.test(network));
      peer[key] = (kept.length === 0 ? networks : kept).map((network) =>
        typeof network === 'string' ? network.replace(/^10\./, '12.') : network,
      );
    }
  }
}

/** Networks behind peers are none of the cluster's. */
function repairRoutedNetworks(values: DraftMap): void {
  const { peers } = partOf(values, 'wireguard');
  const { cluster } = partOf(values, 'ipsec');
  const texts = (list: unknown): string[] =>
    Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : [];
  const taken = isMap(cluster) ? Object.values(cluster).flatMap(texts).map(networkBits) : [];
  for (const peer of isMap(peers) ? Object.values(peers) : []) {
    if (!isMap(peer) || peer['routedNetworks'] === undefined) continue;
    peer['routedNetworks'] = texts(peer['routedNetworks']).filter((network) => {
      const bits = networkBits(network);
      return !taken.some((other) => other.startsWith(bits) || bits.startsWith(other));
    });
  }
}

const partOf = (values: DraftMap, name: string): DraftMap => {
  const part = values[name];
  return isMap(part) ? part : (values[name] = {});
};

/** The ways to break the rules of one part. */
export function faultsOf(name: string, { faults = [] }: ValuesOptions): Fault[] {
  return faults.map((fault) => (values, random) => {
    const done = fault(partOf(values, name), random);
    return done === undefined ? undefined : `${name}: ${done}`;
  });
}

/** A fault that two parts make together. */
const between =
  (title: string, change: (wireguard: DraftMap, ipsec: DraftMap, random: Random) => boolean): Fault =>
  (values, random) => {
    const [wireguard, ipsec] = [partOf(values, 'wireguard'), partOf(values, 'ipsec')];
    wireguard['enabled'] = ipsec['enabled'] = true;
    return change(wireguard, ipsec, random) ? title : undefined;
  };

const gatewayOf = ({ gateways }: DraftMap, random: Random): DraftMap | undefined => {
  const gateway = isMap(gateways) ? random.pick(Object.values(gateways)) : undefined;
  return isMap(gateway) ? gateway : undefined;
};

export const VPN_FAULTS: readonly Fault[] = [
  (values) => {
    for (const name of ['wireguard', 'ipsec', 'kilo']) partOf(values, name)['enabled'] = false;
    return 'no chart at all';
  },
  (values, random) => {
    values[random.pick(['wireguard', 'ipsec', 'global'])!] = random.pick([[], [{}], 'text', 5, true])!;
    return 'a part that is no map';
  },
  (values, random) => {
    partOf(values, random.pick(['wireguard', 'ipsec'])!)['enabled'] = random.pick(['true', 1, {}, []])!;
    return 'a part that is neither there nor not';
  },
  (values, random) => {
    const global = random.pick<DraftMap>([{ imageRegistry: 'a b' }, { imageRegistry: {} }, { imagePullSecrets: {} }])!;
    partOf(values, random.pick(['wireguard', 'ipsec'])!)['global'] = global;
    return 'a bad global of one part';
  },
  between('one name', (wireguard, ipsec, random) => {
    wireguard['fullnameOverride'] = ipsec['fullnameOverride'] = random.pick(['vpn', 'site'])!;
    return true;
  }),
  between('one name of pods', (wireguard, ipsec) => {
    wireguard['nameOverride'] = ipsec['nameOverride'] = 'gate';
    return true;
  }),
  between('one service account', (wireguard, ipsec) => {
    wireguard['serviceAccount'] = { name: 'vpn' };
    ipsec['serviceAccount'] = { name: 'vpn', create: true };
    return true;
  }),
  between('the name of a gateway', (wireguard, ipsec, random) => {
    const { gateways } = ipsec;
    const name = isMap(gateways) ? random.pick(Object.keys(gateways)) : undefined;
    ipsec['fullnameOverride'] = 'site';
    wireguard['fullnameOverride'] = `site-${random.pick([name ?? 'frr', 'gateways'])!}`;
    return true;
  }),
  between('one node port', (wireguard, ipsec, random) => {
    const gateway = gatewayOf(ipsec, random);
    if (gateway === undefined) return false;
    gateway['exposure'] = 'nodePort';
    gateway['service'] = { [random.pick(['ikeNodePort', 'natTNodePort'])!]: 31_820 };
    wireguard['service'] = { type: 'NodePort', nodePort: 31_820 };
    return true;
  }),
  between('a port of the node', (wireguard, ipsec, random) => {
    const gateway = gatewayOf(ipsec, random);
    if (gateway !== undefined) gateway['exposure'] = 'hostPort';
    wireguard['hostPort'] = random.pick([500, 4500, 3784, 4790])!;
    return true;
  }),
  between('one network', (wireguard, ipsec, random) => {
    const { cluster } = ipsec;
    const lists = isMap(cluster) ? Object.values(cluster).filter((list) => Array.isArray(list)) : [];
    const network = random.pick(lists.flat().filter((one) => typeof one === 'string' && !one.includes(':')));
    if (typeof network !== 'string') return false;
    if (random.chance(0.5)) wireguard['network'] = network;
    else wireguard['peers'] = { site: { generate: true, addresses: ['10.13.13.9'], routedNetworks: [network] } };
    return true;
  }),
];

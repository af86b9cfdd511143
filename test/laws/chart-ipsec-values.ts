/** What generated values of the chart `ipsec` must keep beside its schema, and ways to break it. */
import { isMap, type Draft, type DraftMap, type Random } from './chart-random';
import type { Fault } from './values-arbitrary';

/** The rules of lib/strongswan/checks.ts, one after the other. */
export function repairIpsec(values: DraftMap, random: Random): DraftMap {
  const { fullnameOverride, metrics } = values;
  if (typeof fullnameOverride === 'string') values['fullnameOverride'] = `a${fullnameOverride.slice(1, 40)}`;
  if (typeof values['nameOverride'] === 'string')
    values['nameOverride'] = values['nameOverride'].slice(0, 20).replace(/-$/, '0');
  repairMonitors(metrics);
  const networks = new FreeNetworks(random);
  const isBgp = repairMode(values, random);
  repairCluster(values, networks);
  repairTunnels(values, networks, random);
  repairRoutes(values, isBgp, networks, random);
  return values;
}

/** How addresses inside of tunnels begin over which a session of IPv6 goes. */
const INSIDE_OF_V6 = 'fd99:8:';

const partOf = (values: DraftMap, key: string): DraftMap => (isMap(values[key]) ? values[key] : (values[key] = {}));

/** Whether BGP says what is behind the tunnels, of which then one has to have an interface. */
function repairMode(values: DraftMap, random: Random): boolean {
  const [tunnel] = tunnelsOf(values);
  const gateways = values['gateways'];
  const isBgp = tunnel !== undefined && isMap(gateways) && Object.keys(gateways).length > 0 && random.chance(0.75);
  const routes = partOf(values, 'routes');
  if (isBgp) {
    routes['mode'] = 'bgp';
    remove(tunnel, 'mode');
  } else if (routes['mode'] !== undefined) routes['mode'] = 'static';
  const { agent } = values;
  if (isMap(agent) && isBgp && agent['enabled'] === false) remove(agent, 'enabled');
  return isBgp;
}

const hasAgents = (values: DraftMap): boolean => {
  const { agent, routes } = values;
  const wish = isMap(agent) ? agent['enabled'] : undefined;
  return wish === undefined ? isMap(routes) && routes['mode'] === 'bgp' : wish === true;
};

function repairRoutes(values: DraftMap, isBgp: boolean, networks: FreeNetworks, random: Random): void {
  const routes = partOf(values, 'routes');
  const cluster = Object.entries(values['cluster'] as DraftMap).flatMap(([key, list]) =>
    key !== 'nodeSources' && Array.isArray(list) ? list : [],
  );
  if (isBgp || routes['localAs'] !== undefined) routes['localAs'] = random.pick([65_010, 64_999, 4_200_000_001])!;
  if (routes['internalAs'] !== undefined) routes['internalAs'] = random.pick([65_020, 65_021])!;
  if (Array.isArray(routes['export']))
    routes['export'] = routes['export'].map((what) =>
      typeof what === 'string' && what.includes('/') ? random.pick(cluster)! : what,
    );
  const { overlay } = routes;
  if (isMap(overlay)) {
    if ([500, 4500, 179, 3784, 3785, 4784, 6784, 7784].includes(Number(overlay['port']))) overlay['port'] = 4791;
    if (overlay['nodeNetwork'] !== undefined) overlay['nodeNetwork'] = random.pick(['100.64.0.0/16', '198.18.0.0/16'])!;
    if (overlay['gatewayNetwork'] !== undefined)
      overlay['gatewayNetwork'] = random.pick(['100.65.0.0/16', '198.19.0.0/16'])!;
    if (overlay['ipv6Network'] !== undefined)
      overlay['ipv6Network'] = random.pick(['fd99:1:2:3::/64', 'fd99:1:2:4::/64'])!;
  }
  const tunnels = tunnelsOf(values);
  for (const tunnel of tunnels) if (!isBgp || tunnel['mode'] === 'policy') remove(tunnel, 'bgp');
  const [first] = tunnels;
  if (isBgp && first !== undefined && !tunnels.some(({ bgp }) => isMap(bgp))) first['bgp'] = {};
  // A session takes networks of its own family only.
  const mayBeOfV6 = cluster.some(isV6) && random.chance(0.4);
  for (const tunnel of tunnels) if (isMap(tunnel['bgp'])) repairBgp(tunnel, tunnel['bgp'], mayBeOfV6, random);
  const isOfV6 = tunnels.some((tunnel) => isMap(tunnel['bgp']) && isInsideOfV6(tunnel));
  const taken = isMap(routes['import']) ? routes['import'] : {};
  if (!isBgp) remove(routes, 'import');
  else if (Object.keys(taken).length === 0) routes['import'] = { vpc: { cidr: networks.take(isOfV6) } };
  for (const one of Object.values(taken)) {
    if (!isMap(one)) continue;
    const cidr = networks.take(isOfV6);
    one['cidr'] = cidr;
    if (one['maxLength'] !== undefined) one['maxLength'] = isOfV6 ? 48 + random.below(80) : 24 + random.below(9);
  }
}

const isInsideOfV6 = ({ inside }: DraftMap): boolean =>
  isMap(inside) && typeof inside['local'] === 'string' && inside['local'].startsWith(INSIDE_OF_V6);

function repairBgp(tunnel: DraftMap, bgp: DraftMap, mayBeOfV6: boolean, random: Random): void {
  const preset = tunnel['preset'] ?? 'strongswan';
  serial++;
  tunnel['inside'] = mayBeOfV6 && preset === 'strongswan' ? { local: INSIDE_OF_V6 } : {};
  repairInside(tunnel, preset, random);
  bgp['peerAs'] = random.pick([64_514, 64_620])!;
  if (preset === 'aws' || preset === 'gcp') remove(bgp, 'peerAddress');
  if (bgp['peerAddress'] !== undefined) {
    const [network, host] = [serial % 250, 1 + (serial % 9)];
    bgp['peerAddress'] = isInsideOfV6(tunnel) ? `fd99:9:${network}::${host}` : `100.127.${network}.${host}`;
  }
  if (typeof bgp['keepaliveSeconds'] === 'number') {
    bgp['keepaliveSeconds'] = 1 + (bgp['keepaliveSeconds'] % 60);
    bgp['holdSeconds'] ??= 180;
  }
  if (typeof bgp['holdSeconds'] === 'number') bgp['holdSeconds'] = 180 + (bgp['holdSeconds'] % 1000);
  if (preset !== 'strongswan') remove(bgp, 'bfd');
  // Deep in optional parts, and rarely met.
  if (preset === 'aws' || preset === 'azure') remove(bgp, 'password');
  else if (random.chance(0.3)) bgp['password'] = { existingSecret: 'onprem-bgp', key: 'primary' };
}

/** Networks that overlap with none that was given before, in one of the ways to write them. */
class FreeNetworks {
  readonly #random: Random;
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  take(v6 = this.#random.chance(0.2)): string {
    const n = this.#next++;
    const group = (n + 1).toString(16);
    return v6
      ? this.#random.pick([`fd00:${group}::/48`, `FD00:${group}:0::/48`, `fd00:${group}:0:0:0:0:0:0/48`])!
      : `10.${String(n % 256)}.${String(Math.floor(n / 256))}.0/24`;
  }
}

const isV6 = (network: Draft): boolean => typeof network === 'string' && network.includes(':');

function repairCluster(values: DraftMap, networks: FreeNetworks): void {
  const cluster = isMap(values['cluster']) ? values['cluster'] : (values['cluster'] = {});
  for (const key of Object.keys(cluster)) {
    if (Array.isArray(cluster[key])) cluster[key] = cluster[key].map(() => networks.take());
  }
  if (
    Object.entries(cluster).every(([key, list]) => key === 'nodeSources' || !Array.isArray(list) || list.length === 0)
  )
    cluster['podCidrs'] = [networks.take(false)];
  if (!hasAgents(values)) return;
  // A node is known by the last two bytes of its address.
  const nodes = Array.isArray(cluster['nodeCidrs']) && cluster['nodeCidrs'].length > 0 ? cluster['nodeCidrs'] : [''];
  cluster['nodeCidrs'] = nodes.map((network, i) =>
    i > 0 && isV6(network) ? network : `172.${String(16 + i)}.${String(16 * i)}.0/20`,
  );
}

function repairTunnels(values: DraftMap, networks: FreeNetworks, random: Random): void {
  const gateways = isMap(values['gateways']) ? values['gateways'] : {};
  const tunnels = isMap(values['tunnels']) ? values['tunnels'] : {};
  const cluster = Object.entries(values['cluster'] as DraftMap).flatMap(([key, list]) =>
    key !== 'nodeSources' && Array.isArray(list) ? list : [],
  );
  const names = Object.keys(gateways);
  if (names.length === 0) remove(values, 'tunnels');
  let used = 0;
  const entries = names.length === 0 ? [] : Object.values(tunnels);
  for (const tunnel of entries) {
    if (!isMap(tunnel)) continue;
    // The first tunnels use up the gateways, so that none is without.
    const gatewayName = names[used] ?? random.pick(names)!;
    used++;
    const gateway = gateways[gatewayName] as DraftMap;
    tunnel['gateway'] = gatewayName;
    repairTunnel(tunnel, gateway, { networks, cluster, random, values });
  }
  for (const name of names.slice(used)) remove(gateways, name);
  for (const gateway of Object.values(gateways)) if (isMap(gateway)) repairGateway(gateway);
}

interface Around {
  readonly networks: FreeNetworks;
  readonly cluster: readonly Draft[];
  readonly random: Random;
  readonly values: DraftMap;
}

let serial = 0;

function repairTunnel(tunnel: DraftMap, gateway: DraftMap, around: Around): void {
  const { networks, random, values } = around;
  const preset = tunnel['preset'] ?? 'strongswan';
  const remote = isMap(tunnel['remote']) ? tunnel['remote'] : (tunnel['remote'] = {});
  serial++;
  // Addresses that lie in no network of these values; each is an identity as well.
  const address = `192.0.${String(2 + (serial % 250))}.${String(1 + (Math.floor(serial / 250) % 250))}`;
  if (preset !== 'strongswan' || typeof remote['address'] !== 'string' || random.chance(0.6))
    remote['address'] = address;
  if (typeof remote['identity'] !== 'string' || random.chance(0.3)) remove(remote, 'identity');
  if (remote['identity'] === undefined && preset === 'strongswan' && random.chance(0.2)) {
    remote['identity'] = `site-${String(serial)}@example.com`;
    if (random.chance(0.5)) remove(remote, 'address');
  }
  remote['networks'] = (
    Array.isArray(remote['networks']) && remote['networks'].length > 0 ? remote['networks'] : ['']
  ).map(() => networks.take(isV6(random.pick(around.cluster)!)));
  if (preset === 'gcp') tunnel['localIdentity'] = '203.0.113.9';
  else if (gateway['identity'] === undefined) tunnel['localIdentity'] ??= `gw-${String(serial)}.example.com`;
  for (const end of [tunnel, remote]) {
    const key = end === tunnel ? 'localIdentity' : 'identity';
    const given = end[key];
    if (typeof given === 'string') end[key] = given.replace(/^ipv[46]:/, 'x');
  }
  repairSecrets(tunnel, preset, random);
  repairAlgorithms(tunnel, values, preset);
  repairChildren(tunnel, preset, around);
  repairInside(tunnel, preset, random);
  repairInitiation(tunnel, gateway, preset);
  if (tunnel['mode'] === 'policy') remove(tunnel, 'inside', 'interfaceId');
  if (typeof tunnel['interfaceId'] === 'number') tunnel['interfaceId'] = 1 + (serial % 999_999);
  if (typeof tunnel['mtu'] === 'number')
    tunnel['mtu'] = Math.max(1280, preset === 'strongswan' ? tunnel['mtu'] : Math.min(1400, tunnel['mtu']));
}

function repairSecrets(tunnel: DraftMap, preset: Draft, random: Random): void {
  const { presharedKey, certificate } = tunnel;
  if (isMap(certificate) && preset !== 'gcp' && (!isMap(presharedKey) || random.chance(0.6))) {
    remove(tunnel, 'presharedKey');
    // Rarely would there be an issuer alone.
    if (isMap(certificate['issuer']) && random.chance(0.6)) remove(certificate, 'existingSecret');
    if (certificate['existingSecret'] !== undefined) remove(certificate, 'issuer');
    else if (!isMap(certificate['issuer'])) certificate['existingSecret'] = 'gateway-tls';
    else {
      // Most identities are none that cert-manager puts into a certificate.
      if (random.chance(0.8)) tunnel['localIdentity'] = 'vpn.example.com';
      if (random.chance(0.6)) certificate['issuer']['group'] ??= 'cert-manager.io';
    }
    const { authorities } = tunnel;
    if (isMap(authorities) && Object.keys(authorities).length === 0) remove(tunnel, 'authorities');
    for (const source of isMap(authorities) ? Object.values(authorities) : []) {
      if (!isMap(source)) continue;
      if (source['existingSecret'] !== undefined) remove(source, 'existingConfigMap');
      else source['existingConfigMap'] ??= 'remote-ca';
    }
    return;
  }
  remove(tunnel, 'certificate', 'authorities');
  const key = isMap(presharedKey) ? presharedKey : (tunnel['presharedKey'] = {});
  if (typeof key['value'] === 'string') key['value'] = 'a1B2c3D4e5F6g7H8i9J0k1L2';
  if (key['value'] !== undefined) remove(key, 'existingSecret', 'key');
  else key['existingSecret'] ??= 'onprem-psk';
}

function repairAlgorithms(tunnel: DraftMap, values: DraftMap, preset: Draft): void {
  const strongswan = isMap(values['strongswan']) ? values['strongswan'] : {};
  const features = Array.isArray(strongswan['features']) ? strongswan['features'] : ['mlkem', 'ppk'];
  if (!features.includes('ppk')) remove(tunnel, 'postQuantumKey');
  const limits: Record<string, [number, number]> = {
    aws: [28_800, 3600],
    gcp: [36_000, 10_800],
    azure: [28_800, 27_000],
  };
  const { ike, esp } = tunnel;
  const [mostIke = Infinity, mostEsp = Infinity] = limits[typeof preset === 'string' ? preset : ''] ?? [];
  if (isMap(ike)) {
    if (typeof ike['rekeySeconds'] === 'number') ike['rekeySeconds'] = Math.min(ike['rekeySeconds'], mostIke - 1);
    if (Array.isArray(ike['proposals']))
      ike['proposals'] = ike['proposals'].map((_, i) =>
        i % 2 === 0 ? 'aes256-sha256-modp2048' : 'aes128gcm16-prfsha256-ecp256',
      );
  }
  if (isMap(esp)) {
    if (typeof esp['rekeySeconds'] === 'number') esp['rekeySeconds'] = Math.min(esp['rekeySeconds'], mostEsp - 1);
    if (Array.isArray(esp['proposals']))
      esp['proposals'] = esp['proposals'].map(
        (_, i) =>
          [
            'aes256gcm16-ecp384',
            'aes256-sha256-modp2048',
            preset === 'strongswan' ? 'chacha20poly1305-x25519' : 'aes128gcm16-ecp256',
          ][i % 3]!,
      );
  }
}

function repairChildren(tunnel: DraftMap, preset: Draft, { cluster, random }: Around): void {
  const { children, remote } = tunnel;
  if (!isMap(children)) return;
  if (Object.keys(children).length === 0) {
    remove(tunnel, 'children');
    return;
  }
  if (preset === 'aws' || preset === 'gcp') for (const other of Object.keys(children).slice(1)) remove(children, other);
  const networks = (remote as DraftMap)['networks'] as Draft[];
  const given = new Set<string>();
  for (const [name, child] of Object.entries(children)) {
    if (!isMap(child)) continue;
    // One family that the remote end has, which the cluster has as well.
    const v6 = isV6(random.pick(networks)!);
    for (const [key, all] of [
      ['localTs', cluster],
      ['remoteTs', networks],
    ] as const) {
      const ofFamily = all.filter((network) => isV6(network) === v6);
      if (Array.isArray(child[key])) child[key] = child[key].map(() => random.pick(ofFamily)!);
    }
    const selectors = JSON.stringify([child['localTs'] ?? cluster, child['remoteTs'] ?? networks]);
    if (given.has(selectors)) remove(children, name);
    given.add(selectors);
  }
}

function repairInside(tunnel: DraftMap, preset: Draft, random: Random): void {
  if (!isMap(tunnel['inside'])) return;
  const third = preset === 'azure' ? 21 + random.below(2) : 6 + (serial % 150);
  const base = 4 * (serial % 60);
  if (isInsideOfV6(tunnel)) {
    const network = `${INSIDE_OF_V6}${third}:${base}:`;
    tunnel['inside'] = { local: `${network}:2/126`, remote: `${network}:1` };
    return;
  }
  tunnel['inside'] = {
    local: `169.254.${String(third)}.${String(base + 2)}/30`,
    remote: `169.254.${String(third)}.${String(base + 1)}`,
  };
}

function repairInitiation(tunnel: DraftMap, gateway: DraftMap, preset: Draft): void {
  const remote = tunnel['remote'] as DraftMap;
  const sendsFromExposed = gateway['sendsFromExposedAddress'] ?? gateway['exposure'] === 'hostPort';
  if (
    tunnel['initiate'] === 'always' &&
    (remote['address'] === undefined || (preset !== 'strongswan' && sendsFromExposed !== true))
  )
    remove(tunnel, 'initiate');
  const wish = tunnel['initiate'] ?? 'auto';
  const begins = wish === 'always' || (wish === 'auto' && remote['address'] !== undefined && sendsFromExposed === true);
  if (!begins) remote['initiates'] = true;
}

function repairGateway(gateway: DraftMap): void {
  const { service } = gateway;
  const exposure = gateway['exposure'] ?? 'loadBalancer';
  if (typeof gateway['identity'] === 'string') gateway['identity'] = gateway['identity'].replace(/^ipv[46]:/, 'x');
  if (!isMap(service)) return;
  if (exposure !== 'loadBalancer') remove(service, 'loadBalancerIP', 'loadBalancerClass', 'loadBalancerSourceRanges');
  if (exposure === 'hostPort') remove(service, 'externalTrafficPolicy', 'ikeNodePort', 'natTNodePort');
  if (Array.isArray(service['loadBalancerSourceRanges'])) service['loadBalancerSourceRanges'] = ['198.51.100.0/24'];
  serial++;
  for (const [key, port] of [
    ['ikeNodePort', 30_000],
    ['natTNodePort', 31_000],
  ] as const)
    if (typeof service[key] === 'number') service[key] = port + (serial % 900);
}

function repairMonitors(metrics: Draft | undefined): void {
  if (!isMap(metrics)) return;
  const { serviceMonitor, podMonitor } = metrics;
  for (const part of [serviceMonitor, podMonitor]) {
    if (!isMap(part)) continue;
    const [interval, timeout] = [part['intervalSeconds'], part['scrapeTimeoutSeconds']];
    if (typeof interval === 'number' && typeof timeout === 'number' && timeout > interval)
      part['scrapeTimeoutSeconds'] = interval;
  }
  if (isMap(serviceMonitor) && isMap(podMonitor) && serviceMonitor['enabled'] === true) podMonitor['enabled'] = false;
}

function remove(map: DraftMap, ...keys: readonly string[]): void {
  for (const key of keys) Reflect.deleteProperty(map, key);
}

const tunnelsOf = (values: DraftMap): DraftMap[] =>
  isMap(values['tunnels']) ? Object.values(values['tunnels']).filter((tunnel) => isMap(tunnel)) : [];

function oneTunnel(title: string, change: (tunnel: DraftMap, random: Random) => void): Fault {
  return (values, random) => {
    const tunnel = random.pick(tunnelsOf(values));
    if (tunnel === undefined) return undefined;
    change(tunnel, random);
    return title;
  };
}

const remoteOf = (tunnel: DraftMap): DraftMap => (isMap(tunnel['remote']) ? tunnel['remote'] : {});

const keyForAnotherImage: Fault = (values) => {
  const [tunnel] = tunnelsOf(values);
  if (tunnel === undefined) return undefined;
  tunnel['postQuantumKey'] = { id: 'ppk-1', existingSecret: 'ppk' };
  values['strongswan'] = { features: ['mlkem'] };
  return 'a key that the image cannot use';
};

const routesOf = (values: DraftMap): DraftMap => partOf(values, 'routes');

export const IPSEC_FAULTS: readonly Fault[] = [
  oneTunnel('a session that cannot be', (tunnel, random) => {
    tunnel['bgp'] = random.pick<DraftMap>([
      { peerAs: 23_456 },
      { peerAs: 65_010 },
      { peerAs: 64_514, keepaliveSeconds: 90, holdSeconds: 60 },
      { peerAs: 64_514, peerAddress: 'fd00::1' },
      { peerAs: 64_514, peerAddress: '10.1.255.30' },
      { peerAs: 64_514, bfd: {} },
      { peerAs: 64_514, password: { existingSecret: 'bgp' } },
      { peerAs: 64_514, peerAddress: random.pick(['127.0.0.1', '239.0.0.1', '169.254.0.1', 'fe80::1', '::1'])! },
    ])!;
    tunnel['preset'] = random.pick(['strongswan', 'aws', 'gcp', 'azure'])!;
    if (random.chance(0.3)) tunnel['mode'] = 'policy';
    if (random.chance(0.3)) remove(tunnel, 'inside');
  }),
  (values, random) => {
    routesOf(values)['import'] = random.pick<DraftMap>([
      {},
      { all: { cidr: '0.0.0.0/0' } },
      { vpc: { cidr: '10.0.0.0/8' } },
      { vpc: { cidr: '192.168.1.1/16' } },
      { vpc: { cidr: '192.168.0.0/16', maxLength: 8 } },
      { vpc: { cidr: '192.168.0.0/16', maxLength: 33 } },
      { one: { cidr: '192.168.0.0/16' }, two: { cidr: '192.168.4.0/24' } },
      { vpc: { cidr: '198.18.0.0/15' } },
    ])!;
    return 'an import that cannot be';
  },
  (values, random) => {
    const routes = routesOf(values);
    routes['mode'] = 'bgp';
    if (random.chance(0.5)) remove(routes, 'localAs');
    else routes['localAs'] = random.pick([23_456, 65_535, 65_515, 7224])!;
    values['agent'] = random.pick<DraftMap>([{ enabled: false }, {}, { enabled: true }])!;
    return 'BGP without what it needs';
  },
  (values, random) => {
    values['agent'] = { enabled: true };
    (values['cluster'] as DraftMap)['nodeCidrs'] = random.pick<Draft[]>([
      [],
      ['fd00:77::/64'],
      ['172.16.0.0/12'],
      ['172.16.0.0/20', '172.17.0.0/24'],
      ['172.16.0.0/16', '172.17.4.0/24'],
    ])!;
    return 'nodes that the overlay cannot tell apart';
  },
  (values, random) => {
    values['agent'] = { enabled: true };
    routesOf(values)['overlay'] = random.pick<DraftMap>([
      { nodeNetwork: '198.19.0.0/16' },
      { nodeNetwork: '10.0.0.0/16' },
      { ipv6Network: 'fd00:1::/48' },
      { ipv6Network: 'fd00:1::1/64' },
      { gatewayNetwork: '169.254.0.0/16' },
    ])!;
    routesOf(values)['export'] = [random.pick(['192.0.2.0/24', '10.0.0.1/8', 'pods'])!];
    return 'an overlay over other networks';
  },
  oneTunnel('a gateway that is not there', (tunnel) => (tunnel['gateway'] = 'nowhere')),
  oneTunnel('no secret', (tunnel) => {
    remove(tunnel, 'presharedKey', 'certificate');
  }),
  oneTunnel('a key and a certificate', (tunnel) => {
    tunnel['presharedKey'] = { existingSecret: 'psk' };
    tunnel['certificate'] = { existingSecret: 'tls' };
  }),
  oneTunnel('a bad key', (tunnel, random) => {
    remove(tunnel, 'certificate', 'authorities');
    tunnel['presharedKey'] = {
      value: random.pick([
        '',
        '0x1234',
        '0secret',
        'short',
        'with blank in between, and long',
        'x'.repeat(300),
        'line\nbreak',
      ])!,
    };
  }),
  oneTunnel('no networks', (tunnel) => {
    remove(remoteOf(tunnel), 'networks');
  }),
  oneTunnel('a bad network', (tunnel, random) => {
    remoteOf(tunnel)['networks'] = [
      random.pick(['0.0.0.0/0', '::/0', '10.0.0.1/8', '10.0.0.0/8', '192.0.0.0/8', 'fd00::1/16'])!,
    ];
  }),
  oneTunnel('what leads nowhere', (tunnel, random) => {
    const remote = remoteOf(tunnel);
    if (random.chance(0.5))
      remote['address'] = random.pick(['127.0.0.1', '224.0.0.1', '169.254.0.1', '::1', 'FE80::1'])!;
    else
      remote['networks'] = [
        random.pick(['127.0.0.0/8', '126.0.0.0/7', '255.0.0.0/8', '169.254.0.0/16', 'fe80::/64', '::/0', 'ff00::/8'])!,
      ];
    if (random.chance(0.3))
      tunnel['inside'] = random.pick<DraftMap>([
        { local: '224.0.0.2/30', remote: '224.0.0.1' },
        { local: 'fe80::2/64', remote: 'fe80::1' },
        { local: '127.0.0.2/30', remote: '127.0.0.1' },
      ])!;
  }),
  (values, random) => {
    (values['cluster'] as DraftMap)[random.pick(['podCidrs', 'serviceCidrs', 'nodeCidrs'])!] = [
      random.pick(['0.0.0.0/0', '127.0.0.0/8', '168.0.0.0/5', '239.0.0.0/8', '240.0.0.0/8', '::/16', '64:ff9b::/96'])!,
    ];
    return 'a cluster that is nowhere';
  },
  (values, random) => {
    const [one, ...others] = tunnelsOf(values);
    const other = others.find(({ gateway }) => gateway !== one?.['gateway']);
    if (one === undefined || other === undefined) return undefined;
    const of = random.pick<DraftMap>([remoteOf(one), { address: 'vpn.example.net' }, { identity: 'keyid:office' }])!;
    one['remote'] = { ...remoteOf(one), ...of };
    other['remote'] = { ...remoteOf(other), ...of };
    if (random.chance(0.7)) one['localIdentity'] = other['localIdentity'] = 'vpn.example.com';
    if (random.chance(0.5)) one['preset'] = other['preset'] = random.pick(['gcp', 'strongswan'])!;
    const [local, longer] = ['169.254.21.2/30', '169.254.21.5/29'];
    one['inside'] = { local, remote: '169.254.21.1' };
    other['inside'] = { local: random.pick([local, longer])!, remote: random.pick(['169.254.21.1', '169.254.21.6'])! };
    return 'one remote end of two gateways';
  },
  oneTunnel('an outer address within', (tunnel, random) => {
    const remote = remoteOf(tunnel);
    remote['address'] = '198.51.100.7';
    if (random.chance(0.5)) remote['networks'] = [random.pick(['198.51.100.7/32', '198.51.100.6/32'])!];
    else tunnel['inside'] = { local: '198.51.100.2/28', remote: random.pick(['198.51.100.1', '198.51.100.7'])! };
  }),
  oneTunnel('the same network twice', (tunnel) => {
    remoteOf(tunnel)['networks'] = ['172.16.0.0/16', '172.16.3.0/24'];
  }),
  oneTunnel('no identity', (tunnel) => {
    remove(remoteOf(tunnel), 'address', 'identity');
  }),
  oneTunnel('one identity at both ends', (tunnel) => {
    tunnel['localIdentity'] = remoteOf(tunnel)['identity'] = 'same.example.com';
  }),
  oneTunnel('an unknown type of identity', (tunnel) => (tunnel['localIdentity'] = 'ipv4:10.0.0.1')),
  oneTunnel('an identity of anybody', (tunnel, random) => {
    tunnel['localIdentity'] = random.pick(['*', '0::0', 'keyid:', '@#abc', '@'])!;
    remoteOf(tunnel)['address'] = '0.0.0.0';
  }),
  oneTunnel('networks of a family that the other end has not', (tunnel) => {
    remoteOf(tunnel)['networks'] = ['fd77::/48', '172.16.0.0/16'];
    tunnel['children'] = { a: { localTs: ['fd00::/16'], remoteTs: ['172.16.0.0/16'] } };
  }),
  oneTunnel('the same child twice', (tunnel) => {
    tunnel['mode'] = 'policy';
    tunnel['children'] = { a: {}, b: {} };
  }),
  oneTunnel('nobody begins', (tunnel) => {
    tunnel['initiate'] = 'never';
    remoteOf(tunnel)['initiates'] = false;
  }),
  oneTunnel('begins from elsewhere', (tunnel) => {
    tunnel['initiate'] = 'always';
    tunnel['preset'] = 'aws';
  }),
  oneTunnel('weak algorithms', (tunnel, random) => {
    tunnel['ike'] = { proposals: [random.pick(['aes128-sha1-modp1024', '3des-md5-modp768', 'aes256gcm16-ecp384'])!] };
  }),
  oneTunnel('a lifetime that is too long', (tunnel, random) => {
    tunnel['preset'] = random.pick(['aws', 'gcp', 'azure'])!;
    tunnel['esp'] = { rekeySeconds: 100_000 };
    tunnel['ike'] = { rekeySeconds: 100_000 };
  }),
  oneTunnel('addresses inside that do not fit', (tunnel, random) => {
    tunnel['inside'] = random.pick<DraftMap>([
      { local: '169.254.100.2/30', remote: '169.254.101.1' },
      { local: '169.254.100.0/30', remote: '169.254.100.3' },
      { local: '10.0.0.2/30', remote: '10.0.0.1' },
      { local: '169.254.100.2/30', remote: '169.254.100.2' },
      { local: '10.255.0.2/24', remote: '10.255.0.1' },
      { local: '169.254.2.2/30', remote: '169.254.2.1' },
    ])!;
  }),
  oneTunnel('what a preset does not take', (tunnel, random) => {
    tunnel['preset'] = random.pick(['aws', 'gcp', 'azure'])!;
    tunnel['ike'] = { proposals: [random.pick(['chacha20poly1305-prfsha256-x25519', 'aes256-sha512-ecp521'])!] };
    tunnel['esp'] = { proposals: [random.pick(['aes256gcm16', 'aes192-sha256-ecp256', 'aes256-sha384-none'])!] };
    tunnel['mtu'] = random.pick([1400, 1401, 1407, 1447, 9000])!;
    tunnel['inside'] = random.pick<DraftMap>([
      { local: '169.254.100.1/30', remote: '169.254.100.2' },
      { local: '169.254.22.2/30', remote: '169.254.22.1' },
      { local: 'fd00:1::2/126', remote: 'fd00:1::1' },
      { local: 'fdff:1::6/125', remote: 'fdff:1::5' },
      { local: 'fd00:1::2/64', remote: 'fd00:1::3' },
    ])!;
  }),
  oneTunnel('an interface for policies', (tunnel) => {
    tunnel['mode'] = 'policy';
    tunnel['interfaceId'] = 42;
  }),
  oneTunnel('children that do not fit', (tunnel, random) => {
    tunnel['mode'] = 'policy';
    tunnel['children'] = random.pick<DraftMap>([
      {},
      { a: { localTs: ['192.168.0.0/16'] } },
      { a: { remoteTs: ['192.168.0.0/16'] }, b: {} },
      { a: { localTs: ['10.0.0.1/8'] } },
    ])!;
  }),
  oneTunnel('authorities without certificate', (tunnel) => {
    remove(tunnel, 'certificate');
    tunnel['authorities'] = { root: {} };
  }),
  // Nothing else shows an effect of `strongswan.features`.
  ...Array.from({ length: 6 }, () => keyForAnotherImage),
  (values) => {
    const tunnels = tunnelsOf(values);
    const [one, other] = tunnels;
    if (one === undefined || other === undefined) return undefined;
    other['gateway'] = one['gateway']!;
    other['remote'] = one['remote']!;
    other['interfaceId'] = one['interfaceId'] = 7;
    return 'two tunnels that are alike';
  },
  (values) => {
    const { gateways, tunnels } = values;
    const [tunnel] = tunnelsOf(values);
    if (!isMap(gateways) || !isMap(tunnels) || tunnel === undefined) return undefined;
    gateways['scripts'] = { exposure: 'hostPort', identity: 'fqdn:' };
    const authority = { existingSecret: 'ca' };
    const more = { ...tunnel, gateway: 'scripts', certificate: { existingSecret: 'tls' } };
    tunnels['x'] = { ...more, authorities: { 'y-ca': authority, root: authority } };
    tunnels['x-y'] = more;
    return 'names that stand for two things';
  },
  (values) => {
    if (!isMap(values['gateways'])) return undefined;
    values['gateways']['idle'] = { identity: '203.0.113.77', exposure: 'hostPort', service: { ikeNodePort: 30_500 } };
    return 'a gateway without tunnel';
  },
  (values) => {
    values['cluster'] = { podCidrs: ['10.0.0.0/8', '10.1.0.0/16'], serviceCidrs: ['10.0.0.1/12'] };
    return 'networks of the cluster that overlap';
  },
];

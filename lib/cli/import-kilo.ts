import { z } from 'zod';
import { address, cidr, host, name as peerName, port, secretWireguardKey, wireguardKey } from '../../values/net';
import { keepaliveSeconds } from '../../values/peers';
import type { JsonObject } from '../helm/values-file';
import { isIpv6 } from '../net/address';
import { canonical, withoutHostBits } from '../net/address-number';
import { addressOf, networkBits, prefixLength } from '../net/cidr';
import { InputError } from '../staged/input-error';
import { lostKeys, lostOfMetadata, metadata, ServicesOfPeers } from './import-peer-services';
import { SECRET_VALUES, type Imported } from './import-result';
import { freeName, nearestName } from './peer-name';
import { parsedObject, readObjects, type ReadObject } from './read-objects';
import { Refusals } from './refusals';

const GIVE_PEERS = 'give what `kubectl get peers.kilo.squat.ai,services,endpoints -A -o yaml` prints';

/** The keys of a Peer that become values. */
const OF_A_PEER = ['allowedIPs', 'publicKey', 'presharedKey', 'persistentKeepalive', 'endpoint'];

const nothing = z.literal('');
const endpoint = z.looseObject({
  dnsOrIP: z
    .looseObject({
      dns: host.or(nothing).optional().meta({ noun: 'a host name', example: 'vpn.example.com' }),
      ip: address.or(nothing).optional().meta({ noun: 'an IP address', example: '198.51.100.7' }),
    })
    .refine(({ dns = '', ip = '' }) => dns !== '' || ip !== '')
    .meta({ noun: 'a map with a host name or an address in it', example: { dns: 'vpn.example.com' } }),
  port,
});

const peerObject = z.looseObject({
  metadata,
  spec: z.looseObject({
    allowedIPs: z.array(cidr).min(1),
    publicKey: wireguardKey,
    presharedKey: secretWireguardKey.optional(),
    persistentKeepalive: keepaliveSeconds.optional(),
    endpoint: endpoint.optional(),
  }),
});
type PeerObject = z.output<typeof peerObject>;

/** A Peer object, and its name in our values. */
interface OldPeer {
  readonly old: PeerObject;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly routedNetworks: readonly string[];
}

/**
 * Peer objects of Kilo, and the Services of what peers serve, as the values of the chart `kilo`.
 *
 * @throws InputError with every problem of the files
 */
export function importKilo(files: readonly string[]): Imported {
  const refusals = new Refusals();
  const services = new ServicesOfPeers();
  const objects: { readonly object: PeerObject; readonly place: string }[] = [];
  const others: string[] = [];
  for (const file of files)
    for (const object of refusals.attempt(() => readObjects(file, { after: 'kilo', give: GIVE_PEERS }).objects) ?? [])
      refusals.attempt(() => {
        const place = object.place(object.at);
        if (object.kind === 'Peer') objects.push({ object: parsedObject(peerObject, object), place });
        else if (!services.take(object)) others.push(leftOut(object));
      });
  refusals.attempt(() => {
    refuseDoubles(objects);
  });
  refusals.throwIfAny();
  if (objects.length === 0) throw new InputError([`${files.join(', ')}: there is no Peer object; ${GIVE_PEERS}`]);

  const peers = named(objects.map(({ object }) => object));
  const found = services.of(peers);
  const secrets = peers.flatMap(({ name, old }) => {
    const { presharedKey = '' } = old.spec;
    return presharedKey === '' ? [] : [[name, { presharedKey: { value: presharedKey } }] as const];
  });
  return {
    values: {
      peers: Object.fromEntries(peers.map((peer) => [peer.name, peerValues(peer, found.services.get(peer.name))])),
    },
    secrets: [],
    ...(secrets.length > 0 && { secretValues: { peers: Object.fromEntries(secrets) } }),
    report: [
      ...peers.flatMap(reportOfPeer),
      ...found.report,
      ...others,
      'arguments of kg: are not in these objects; set cluster, cni, meshGranularity, subnet, listenPort and the rest as the DaemonSet of Kilo has them',
    ],
  };
}

function leftOut({ kind, at, place }: ReadObject): string {
  const what = kind === undefined ? 'what is no object' : `an object of kind ${JSON.stringify(kind)}`;
  return `${place(at)}: ${what} is left out`;
}

/** @throws InputError about Peers of one name */
function refuseDoubles(objects: readonly { readonly object: PeerObject; readonly place: string }[]): void {
  const places = new Map<string, string>();
  const problems = objects.flatMap(({ object: { metadata }, place }) => {
    const other = places.get(metadata.name);
    places.set(metadata.name, other ?? place);
    if (other === undefined) return [];
    return [
      `${place}: is a Peer of the same name as at ${other}, got ${JSON.stringify(metadata.name)}; keep one of them`,
    ];
  });
  if (problems.length > 0) throw new InputError(problems);
}

function named(objects: readonly PeerObject[]): OldPeer[] {
  const isName = (text: string): boolean => peerName.safeParse(text).success;
  const taken = new Set(objects.map(({ metadata }) => metadata.name).filter(isName));
  return objects.map((old) => {
    const given = old.metadata.name;
    const name = isName(given) ? given : freeName(nearestName(given), taken);
    taken.add(name);
    return { old, name, ...networksOf(old) };
  });
}

/** The addresses and networks of a Peer, each once. An address with the length of its network is both. */
function networksOf({ spec }: PeerObject): Pick<OldPeer, 'addresses' | 'routedNetworks'> {
  const once = (texts: readonly string[]): string[] => [
    ...new Map(texts.map((text) => [networkBits(text), text])).values(),
  ];
  return {
    addresses: once(spec.allowedIPs.filter((network) => isAddress(network) || hasHostBits(network)).map(addressOf)),
    routedNetworks: once(spec.allowedIPs.filter((network) => !isAddress(network)).map(withoutHostBits)),
  };
}

const isAddress = (network: string): boolean => prefixLength(network) === prefixLength(addressOf(network));
const hasHostBits = (network: string): boolean => canonical(network) !== withoutHostBits(network);

function peerValues({ old, addresses, routedNetworks }: OldPeer, services: JsonObject | undefined): JsonObject {
  const { publicKey, persistentKeepalive, endpoint } = old.spec;
  return {
    publicKey,
    ...(addresses.length > 0 && { addresses }),
    ...(routedNetworks.length > 0 && { routedNetworks }),
    ...(endpoint !== undefined && { endpoint: endpointText(endpoint) }),
    persistentKeepaliveSeconds: persistentKeepalive ?? 0,
    ...(services !== undefined && { services }),
  };
}

/** The host name wins, as in an agent of Kilo 0.7.0 (pkg/k8s/backend.go). */
function endpointText({
  dnsOrIP: { dns = '', ip = '' },
  port: at,
}: NonNullable<PeerObject['spec']['endpoint']>): string {
  const found = dns === '' ? ip : dns;
  return `${isIpv6(found) ? `[${found}]` : found}:${String(at)}`;
}

function reportOfPeer({ old, name, addresses, routedNetworks }: OldPeer): string[] {
  const { metadata: of, spec } = old;
  const label = `Peer ${of.name}`;
  const dnsOrIP: { readonly dns?: string | undefined; readonly ip?: string | undefined } = spec.endpoint?.dnsOrIP ?? {};
  const { dns = '', ip = '' } = dnsOrIP;
  const both = spec.allowedIPs.filter((network) => !isAddress(network) && hasHostBits(network));
  return [
    of.name === name
      ? `${label}: is peers.${name}`
      : `${label}: is peers.${name}, as names are written here, and the Peer object gets that name; delete the old one`,
    ...both.map((network) => `${label} spec.allowedIPs: ${network} is an address and the network around it`),
    ...(addresses.length + routedNetworks.length < spec.allowedIPs.length + both.length
      ? [`${label} spec.allowedIPs: has a network twice, and peers.${name} once`]
      : []),
    ...(addresses.length === 0
      ? [`peers.${name}.addresses: is missing, since ${label} has networks only; give it an address of its own`]
      : []),
    ...((spec.presharedKey ?? '') === ''
      ? []
      : [`${label} spec.presharedKey: is in a file of its own, ${SECRET_VALUES}; give it with -f behind values.yaml`]),
    ...(dns !== '' && ip !== '' ? [`${label} spec.endpoint.dnsOrIP.ip: is left out: Kilo takes the host name`] : []),
    ...[
      ...lostOfMetadata(of, []),
      ...lostKeys('spec', spec, OF_A_PEER),
      ...lostKeys('spec.endpoint', spec.endpoint ?? {}, ['dnsOrIP', 'port']),
      ...lostKeys('spec.endpoint.dnsOrIP', dnsOrIP, ['dns', 'ip']),
    ].map((line) => `${label} ${line}`),
  ];
}

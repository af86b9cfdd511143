import { z } from 'zod';
import { asNumber, cidr, host } from '../../values/net';
import type { JsonObject } from '../helm/values-file';
import { IPV4_PATTERN } from '../net/address';
import { networkBits } from '../net/cidr';
import { InputError } from '../staged/input-error';
import type { Json } from '../staged/node';
import { PRESETS, type PresetName } from '../strongswan/presets';
import { importedKey } from './import-key';
import { identitiesOf, parsedAs, type Imported } from './import-result';

/** A network that is taken from the remote ends. */
export interface RemoteNetwork {
  readonly cidr: string;
  /** Longest prefix length of its parts. */
  readonly maxLength?: number;
}

/** What the old chart does not say. */
export interface CrusoeAnswers {
  /** Our IKE identities, in the order of the tunnels. */
  readonly identity?: readonly string[];
  /** What the remote ends are. */
  readonly preset?: PresetName;
  /** What is behind the remote ends. */
  readonly import?: readonly RemoteNetwork[];
  readonly pods?: readonly string[];
  readonly nodes?: readonly string[];
  readonly services?: readonly string[];
}

const ipv4 = z.string().regex(IPV4_PATTERN).meta({ noun: 'an IPv4 address', example: '169.254.100.2' });
const text = z.string().nullish();
/** The letters that name them. */
const MOST_TUNNELS = 26;

const crusoeValues = z.strictObject({
  nameOverride: text,
  fullnameOverride: text,
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).nullish(),
  networkInterface: z.unknown().optional(),
  localCidrs: z.array(cidr).min(1),
  tunnels: z
    .array(
      z.strictObject({
        publicIP: host,
        internalIP: ipv4.nullish(),
        nodeName: z.string().min(1),
        localTunnelIP: ipv4,
        peerTunnelIP: ipv4,
        psk: text.meta({ secret: true, noun: 'text', example: 'a key in quotes' }),
      }),
    )
    .min(1)
    .max(MOST_TUNNELS),
  strongswan: z.strictObject({ image: text }).nullish(),
  ipsecRoutes: z.strictObject({ image: z.unknown().optional() }).nullish(),
  bgp: z
    .strictObject({
      enabled: z.boolean().nullish(),
      localASN: asNumber.nullish(),
      peerASN: asNumber.nullish(),
      internalASN: asNumber.nullish(),
      advertiseCidrs: z.array(cidr).nullish(),
      frrImage: text,
      internalClients: z.unknown().optional(),
    })
    .nullish(),
});

type CrusoeValues = z.output<typeof crusoeValues>;

/** A tunnel of the old chart, and the gateway and tunnel that it becomes. */
interface NamedTunnel {
  /** Where it stands in the old values. */
  readonly path: string;
  readonly name: string;
  readonly old: CrusoeValues['tunnels'][number];
  readonly identity: string | undefined;
}

/** What the old chart has where its values say nothing. */
const OLD = {
  localAs: 65_010,
  peerAs: 64_512,
  internalAs: 65_020,
  strongswanImage: 'docker.io/mberner/strongswan:5.9.11',
  frrImage: 'quay.io/frrouting/frr:10.5.0',
  proposal: 'aes256-sha256-modp2048',
} as const;

const NODES = { flag: 'nodes', key: 'nodeCidrs' } as const;
/** The kinds of networks of the cluster, in the order of the old chart's comments. */
const KINDS = [{ flag: 'pods', key: 'podCidrs' }, NODES, { flag: 'services', key: 'serviceCidrs' }] as const;
type Kind = (typeof KINDS)[number];

/** `a` of the first tunnel, `b` of the second one. */
const nameOf = (index: number): string => String.fromCharCode('a'.charCodeAt(0) + index);
const secretNameOf = (tunnel: string): string => `ipsec-${tunnel}-psk`;

/**
 * The values of Crusoe's ipsec-tunnel-chart as those of the chart `ipsec`: a gateway on the node of each tunnel, and BGP over all of
 * them.
 *
 * @throws InputError with every problem of the old values
 */
export function importCrusoe(given: JsonObject, answers: CrusoeAnswers): Imported {
  const old = parsedAs(crusoeValues, given);
  const identities = identitiesOf(old.tunnels.length, answers.identity);
  const tunnels = old.tunnels.map((tunnel, index): NamedTunnel => ({
    path: `tunnels[${String(index)}]`,
    name: nameOf(index),
    old: tunnel,
    identity: identities[index],
  }));
  const isBgp = old.bgp?.enabled ?? true;
  refuseUnused(isBgp, answers);
  const cluster = new Cluster(old.localCidrs, answers);
  const { preset } = answers;
  const keys = tunnels.map(({ name, old: { psk } }) => importedKey(psk ?? '', secretNameOf(name), preset));
  const images = imagesOf(old);
  return {
    values: {
      ...(hasText(old.nameOverride) && { nameOverride: old.nameOverride }),
      ...(hasText(old.fullnameOverride) && { fullnameOverride: old.fullnameOverride }),
      cluster: cluster.values,
      routes: isBgp ? routeValues(old, cluster, answers) : { mode: 'static' },
      ...(!isBgp && { agent: { enabled: true } }),
      gateways: Object.fromEntries(tunnels.map((tunnel) => [tunnel.name, gatewayValues(tunnel)])),
      tunnels: Object.fromEntries(tunnels.map((tunnel) => [tunnel.name, tunnelValues(tunnel, old, isBgp, answers)])),
      ...images.values,
    },
    secrets: keys.flatMap(({ secrets }) => secrets),
    report: [
      ...reportOfNames(old),
      ...cluster.report,
      ...tunnels.flatMap((tunnel, index) => reportOfTunnel(tunnel, keys[index]?.became ?? '', cluster)),
      ...reportOfDoubleNodes(tunnels),
      ...images.report,
      ...(isBgp ? reportOfBgp(old, cluster, answers) : reportOfStatic(tunnels, answers)),
      'bgp.internalClients: is left out: a gateway knows every node by itself',
      ...(preset === undefined
        ? [
            'tunnels.<name>.preset: is none, as the old chart does not say what the remote ends are; say it with --preset',
          ]
        : ['tunnels.<name>.preset: is what --preset says']),
      ...fixed(preset, isBgp),
    ],
  };
}

const hasText = (given: string | null | undefined): given is string =>
  given !== undefined && given !== null && given !== '';

/** Whether one of two networks contains the other. */
function overlap(one: string, other: string): boolean {
  const [bits, otherBits] = [networkBits(one), networkBits(other)];
  return bits.startsWith(otherBits) || otherBits.startsWith(bits);
}

/** @throws InputError with exit code 2 about answers that nothing would take */
function refuseUnused(isBgp: boolean, { import: imports = [] }: CrusoeAnswers): void {
  const problems = imports.flatMap(({ cidr: network, maxLength }) =>
    isBgp || maxLength === undefined
      ? []
      : [
          `--import: has a prefix length for parts, which static routes do not have, got "${network}:${String(maxLength)}"; ` +
            `leave out :${String(maxLength)}`,
        ],
  );
  if (problems.length > 0) throw new InputError(problems, 2);
}

/** The networks of the cluster: those of a flag, and of what is left of the old list the first ones, in its order. */
class Cluster {
  readonly report: readonly string[];
  readonly #networks = new Map<Kind, readonly string[]>();

  constructor(localCidrs: readonly string[], answers: CrusoeAnswers) {
    const said = (kind: Kind): readonly string[] => answers[kind.flag] ?? [];
    const sayOf = (network: string) => KINDS.find((kind) => said(kind).some((one) => overlap(one, network)));
    // What a flag says of a kind that is not in the list is instead of what has its place there.
    const instead = new Map(
      KINDS.flatMap((kind, index) => {
        const network = localCidrs[index];
        const isElsewhere = localCidrs.some((other) => said(kind).some((one) => overlap(one, other)));
        return network === undefined || said(kind).length === 0 || isElsewhere ? [] : [[network, kind] as const];
      }),
    );
    const flagOf = (network: string) => sayOf(network) ?? instead.get(network);
    const left = [...new Set(localCidrs)].filter((network) => flagOf(network) === undefined);
    const unsaid = KINDS.filter((kind) => said(kind).length === 0);
    const guessed = new Map(
      unsaid.flatMap((kind, index) => {
        const network = left[index];
        return network === undefined ? [] : [[network, kind] as const];
      }),
    );
    for (const kind of KINDS) {
      const found = left.filter((network) => guessed.get(network) === kind);
      this.#networks.set(kind, said(kind).length > 0 ? said(kind) : found);
    }
    this.report = [
      ...localCidrs.map((network, index) => {
        const [flagged, guess] = [flagOf(network), guessed.get(network)];
        const became =
          flagged !== undefined
            ? said(flagged).includes(network)
              ? `is cluster.${flagged.key}, as --${flagged.flag} says`
              : `is left out for what --${flagged.flag} says`
            : guess !== undefined
              ? `is cluster.${guess.key}, by its place in the list; say otherwise with --${guess.flag}`
              : 'is left out: what it is cannot be known from the list; say it with --pods, --nodes or --services';
        return `localCidrs[${String(index)}]: ${became}`;
      }),
      ...KINDS.flatMap((kind) =>
        this.#of(kind).length > 0 ? [] : [`cluster.${kind.key}: is empty; say with --${kind.flag} what it is`],
      ),
    ];
  }

  get values(): JsonObject {
    const lists = KINDS.map((kind): [string, Json] => [kind.key, this.#of(kind)]);
    return Object.fromEntries(lists.filter(([, networks]) => (networks as readonly string[]).length > 0));
  }

  /** Whether an address of a node is one of the node networks. */
  hasNode(address: string): boolean {
    return this.#of(NODES).some((network) => overlap(address, network));
  }

  /** A list of networks with the words of `routes.export` for those that are in it as a whole. */
  worded(networks: readonly string[]): readonly string[] {
    const kinds = KINDS.filter((kind) => {
      const all = this.#of(kind);
      return all.length > 0 && all.every((network) => networks.includes(network));
    });
    const known = kinds.flatMap((kind) => this.#of(kind));
    return [...kinds.map(({ flag }) => flag), ...networks.filter((network) => !known.includes(network))];
  }

  #of(kind: Kind): readonly string[] {
    return this.#networks.get(kind) ?? [];
  }
}

function routeValues({ bgp }: CrusoeValues, cluster: Cluster, { import: imports = [] }: CrusoeAnswers): JsonObject {
  const advertised = bgp?.advertiseCidrs ?? [];
  const networks = imports.map(({ cidr: network, maxLength }, index): [string, JsonObject] => [
    `remote-${String(index + 1)}`,
    { cidr: network, ...(maxLength !== undefined && { maxLength }) },
  ]);
  return {
    mode: 'bgp',
    localAs: bgp?.localASN ?? OLD.localAs,
    internalAs: bgp?.internalASN ?? OLD.internalAs,
    ...(networks.length > 0 && { import: Object.fromEntries(networks) }),
    ...(advertised.length > 0 && { export: cluster.worded(advertised) }),
  };
}

/** UDP 500 and 4500 of the node that the old chart had named. */
function gatewayValues({ old, identity }: NamedTunnel): JsonObject {
  return {
    exposure: 'hostPort',
    ...(identity !== undefined && { identity }),
    nodeSelector: { 'kubernetes.io/hostname': old.nodeName },
  };
}

function tunnelValues(
  { name, old }: NamedTunnel,
  { bgp }: CrusoeValues,
  isBgp: boolean,
  { preset, import: imports = [] }: CrusoeAnswers,
): JsonObject {
  const networks = imports.map(({ cidr: network }) => network);
  return {
    gateway: name,
    ...(preset !== undefined && { preset }),
    remote: { address: old.publicIP, ...(!isBgp && networks.length > 0 && { networks }) },
    presharedKey: { existingSecret: secretNameOf(name) },
    inside: { local: `${old.localTunnelIP}/30`, remote: old.peerTunnelIP },
    ...(isBgp && { bgp: { peerAs: bgp?.peerASN ?? OLD.peerAs } }),
    ...(preset === undefined && { ike: { proposals: [OLD.proposal] }, esp: { proposals: [OLD.proposal] } }),
  };
}

/** The images: another than that of the old chart is somebody's own. */
function imagesOf(old: CrusoeValues): { readonly values: JsonObject; readonly report: readonly string[] } {
  const own = (image: string | null | undefined, usual: string) =>
    hasText(image) && image !== usual ? imageParts(image) : {};
  const [strongswan, frr] = [own(old.strongswan?.image, OLD.strongswanImage), own(old.bgp?.frrImage, OLD.frrImage)];
  const policy = old.imagePullPolicy ?? 'IfNotPresent';
  const images = Object.entries({ strongswan, control: frr, network: {}, frr }).flatMap(
    ([container, parts]): [string, JsonObject][] => {
      const image = { ...parts, ...(policy !== 'IfNotPresent' && { pullPolicy: policy }) };
      return Object.keys(image).length === 0 ? [] : [[container, { image }]];
    },
  );
  return {
    values: Object.fromEntries(images),
    report: [
      'imagePullPolicy: is pullPolicy of strongswan.image, control.image, network.image and frr.image',
      Object.keys(strongswan).length > 0
        ? 'strongswan.image: is the same; set strongswan.charonPath and strongswan.features to what is in it'
        : 'strongswan.image: is left out for the default, an image of another layout',
      'ipsecRoutes.image: is left out: the old chart did not use it',
      Object.keys(frr).length > 0
        ? 'bgp.frrImage: is frr.image and control.image; FRR 10.3 is what was tried'
        : 'bgp.frrImage: is left out for the default of frr.image, FRR 10.3, which is what was tried',
    ],
  };
}

/** The parts of a reference to an image, whose registry is Docker's where it names none. */
function imageParts(reference: string): JsonObject {
  const [, place = reference, tag, digest] =
    /^([^:@]+(?::[0-9]+\/[^:@]+)?)(?::([^:@/]+))?(?:@(.+))?$/.exec(reference) ?? [];
  const slash = place.indexOf('/');
  const first = place.slice(0, Math.max(slash, 0));
  const isRegistry = /[.:]/.test(first) || first === 'localhost';
  return {
    registry: isRegistry ? first : 'docker.io',
    repository: isRegistry ? place.slice(slash + 1) : slash < 0 ? `library/${place}` : place,
    ...(digest === undefined ? { tag: tag ?? 'latest' } : { ...(tag !== undefined && { tag }), digest }),
  };
}

function reportOfNames({ nameOverride, fullnameOverride }: CrusoeValues): string[] {
  const became = (given: string | null | undefined): string =>
    hasText(given) ? 'is the same; the old chart had it and did not use it' : 'is none';
  return [
    `nameOverride: ${became(nameOverride)}`,
    `fullnameOverride: ${became(fullnameOverride)}`,
    'networkInterface: is not needed: a gateway has an address of its own',
  ];
}

function reportOfTunnel({ path, name, old, identity }: NamedTunnel, key: string, cluster: Cluster): string[] {
  const { internalIP, psk } = old;
  const stranger =
    hasText(internalIP) && !cluster.hasNode(internalIP)
      ? `; ${internalIP} is in no network of cluster.nodeCidrs, and a node outside them gets no routes: say with --nodes what they are`
      : '';
  const misread = /[#{}"\s]/.test(psk ?? '')
    ? '; it has a character that the file of the old charon took as its own: compare the key with that of the remote end'
    : '';
  return [
    `${path}.publicIP: is tunnels.${name}.remote.address; its comment says that it is the node's, but the templates took it as the remote end's`,
    `${path}.internalIP: is left out: the node itself says it${stranger}`,
    `${path}.nodeName: is gateways.${name}.nodeSelector, on kubernetes.io/hostname; a label of your own stays when the node is replaced`,
    `${path}.localTunnelIP: is tunnels.${name}.inside.local, with the prefix length 30`,
    `${path}.peerTunnelIP: is tunnels.${name}.inside.remote`,
    `${path}.psk: ${key}${misread}`,
    identity === undefined
      ? `gateways.${name}.identity: is missing, and the old chart had none; set it with --identity to the public address of ${old.nodeName}`
      : `gateways.${name}.identity: is what --identity says`,
  ];
}

/** Ports 500 and 4500 of a node are one gateway's. */
function reportOfDoubleNodes(tunnels: readonly NamedTunnel[]): string[] {
  return tunnels.flatMap(({ name, old: { nodeName } }, index) => {
    const earlier = tunnels.slice(0, index).find(({ old }) => old.nodeName === nodeName);
    return earlier === undefined
      ? []
      : [
          `gateways.${name}.nodeSelector: is that of gateways.${earlier.name}, and a node has UDP 500 and 4500 once; choose another node`,
        ];
  });
}

function reportOfBgp({ bgp }: CrusoeValues, cluster: Cluster, { import: imports = [] }: CrusoeAnswers): string[] {
  const advertised = bgp?.advertiseCidrs ?? [];
  const as = (key: 'localASN' | 'peerASN' | 'internalASN', value: string, otherwise: number): string =>
    typeof bgp?.[key] === 'number'
      ? `bgp.${key}: is ${value}`
      : `bgp.${key}: is ${value}, ${String(otherwise)}, which the old chart had by default`;
  return [
    'bgp.enabled: is routes.mode bgp',
    as('localASN', 'routes.localAs', OLD.localAs),
    as('peerASN', 'tunnels.<name>.bgp.peerAs', OLD.peerAs),
    as('internalASN', 'routes.internalAs', OLD.internalAs),
    advertised.length === 0
      ? 'bgp.advertiseCidrs: is routes.export, by default all networks of cluster'
      : `bgp.advertiseCidrs: is routes.export, ${cluster.worded(advertised).join(', ')}`,
    imports.length === 0
      ? 'routes.import: is missing: the old chart took whatever the remote ends told; give each network behind them with --import'
      : 'routes.import: is what --import says; the old chart took whatever the remote ends told',
  ];
}

function reportOfStatic(tunnels: readonly NamedTunnel[], { import: imports = [] }: CrusoeAnswers): string[] {
  const unused = 'is left out, since bgp.enabled is false';
  return [
    'bgp.enabled: is routes.mode static, with agent.enabled, so that the nodes have routes',
    ...['localASN', 'peerASN', 'internalASN', 'advertiseCidrs'].map((key) => `bgp.${key}: ${unused}`),
    ...tunnels.map(({ name }) =>
      imports.length === 0
        ? `tunnels.${name}.remote.networks: is missing: the old chart did not say what is behind the remote ends; give each network with --import`
        : `tunnels.${name}.remote.networks: is what --import says`,
    ),
  ];
}

/** What the old templates fixed, and what is so now. */
function fixed(preset: PresetName | undefined, isBgp: boolean): string[] {
  const { bgp, dpdDelaySeconds } = PRESETS[preset ?? 'strongswan'];
  return [
    preset === undefined
      ? `proposals: were fixed to ${OLD.proposal} for IKE and ESP, and are so in tunnels.<name>.ike and esp, as the remote ends know these`
      : `proposals: were fixed to ${OLD.proposal} for IKE and ESP, and are those of the preset, which the remote ends must take`,
    ...(isBgp
      ? [
          `BGP timers: were fixed to 10 and 30 s, and are ${String(bgp.keepaliveSeconds)} and ${String(bgp.holdSeconds)} s with the remote ends; tunnels.<name>.bgp.keepaliveSeconds and holdSeconds set others`,
          `ebgp-multihop: was fixed to 5 hops, and is ${bgp.multihopTtl === 1 ? 'one hop' : `${String(bgp.multihopTtl)} hops`}; tunnels.<name>.bgp.multihopTtl sets more`,
          'import policy: was none, and is routes.import, with at most routes.maxPrefixes from each remote end',
        ]
      : []),
    'BFD: was configured and never started; it runs between gateways and nodes, and with a remote end that has tunnels.<name>.bgp.bfd',
    'bgp listen range: was fixed to 172.27.0.0/16, and is cluster.nodeCidrs',
    `dead-peer detection: was none, and is every ${String(dpdDelaySeconds)} s`,
    'IKE identity: was the internal address of the node, and is identity of the gateway, which the remote end must know',
    'traffic selectors: were localCidrs and 0.0.0.0/0, and are everything; routes decide what enters a tunnel',
    'masquerading on the nodes of the gateways: is gone; both sides see true addresses',
    'devices in the values of Cilium: has no ss0 any more; bpf.hostLegacyRouting and bpf.lbExternalClusterIP stay',
  ];
}

import { z } from 'zod';
import { address, cidr, dnsName, host } from '../../values/net';
import type { JsonObject } from '../helm/values-file';
import { ADDRESS_PATTERN, IPV4_SOURCE, isIpv6 } from '../net/address';
import { addressOf, firstHost, networkBits } from '../net/cidr';
import { freeAddress } from '../net/free-address';
import { PORT_PATTERN } from '../net/port';
import { InputError } from '../staged/input-error';
import { nearest } from '../staged/nearest';
import type { Json } from '../staged/node';
import { peerFolders, readOldPeer, readOldServer, type OldPeer, type OldServer } from './import-config-folder';
import { readEnvironment, type Environment } from './import-environment';
import { parsedAs, secretOf, type Imported } from './import-result';
import { Refusals } from './refusals';

/** What the environment does not say. */
export interface LinuxserverAnswers {
  /** Where clients find the server: a host, with or without a port. */
  readonly endpoint?: string;
  /** A copy of `/config`. */
  readonly config?: string;
}

const IMAGE = /(?:^|\/)linuxserver\/wireguard(?:[:@]|$)/;
const PRIVATE_KEY_SECRET = 'wireguard-private-key';
const PSK_SECRET = 'wireguard-psk';
/** Seconds between the keepalives that the image sets. */
const KEEPALIVE_SECONDS = 25;
/** Variables that become values. */
const USED: readonly string[] = [
  'SERVERURL',
  'SERVERPORT',
  'PEERS',
  'PEERDNS',
  'INTERNAL_SUBNET',
  'ALLOWEDIPS',
  'PERSISTENTKEEPALIVE_PEERS',
];
/** How long a key of `peers` may be. */
const LONGEST_NAME = 63;
/** The hosts of a /24 but for the server. */
const MOST_PEERS = 253;

/** Variables that become nothing, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  PUID: 'is left out: no file of the pod needs it',
  PGID: 'is left out: no file of the pod needs it',
  UMASK: 'is left out: no file of the pod needs it',
  TZ: 'is left out; extraEnv takes it for the times in the log',
  LOG_CONFS:
    'is left out: a file holds a private key, so it is in no log; showconf.sh in the pod shows it when you ask',
  USE_COREDNS: 'is left out: dns.mode follows from PEERDNS',
  DOCKER_MODS: 'is left out: the start-up of the image, which reads it, does not run',
};

/** What the image fixed, and what is so now. */
const FIXED = [
  'PostUp and PostDown of the server: are left out; mode, peers.<name>.allow and networkPolicy say what may pass',
  'SYS_MODULE, /lib/modules, src_valid_mark: are not needed',
  `files of clients: have no ListenPort, an MTU, and a keepalive of ${String(KEEPALIVE_SECONDS)} s unless client.persistentKeepaliveSeconds is 0`,
];

const portText = z.string().regex(PORT_PATTERN).meta({ noun: 'a port number', example: '51820' });
const subnet = z
  .string()
  .regex(new RegExp(`^${IPV4_SOURCE}(?:/24)?$`))
  .meta({ noun: 'the base address of an IPv4 network of 24 bits', example: '10.13.13.0' });
const networks = z.array(
  cidr
    .refine((network) => /^0*$/.test(networkBits(addressOf(network)).slice(networkBits(network).length)))
    .meta({ noun: 'a network in CIDR notation without host bits', example: '10.0.0.0/16' }),
);
const dnsServers = z.array(z.union([address, dnsName]).meta({ noun: 'an IP address or a domain', example: '1.1.1.1' }));

const EVERYTHING = ['0.0.0.0/0', '::/0'];
const ROUTED = 'SERVER_ALLOWEDIPS_PEER_';

/** A peer by its number or name in `PEERS`. */
interface NamedPeer {
  readonly given: string;
  /** The name of its folder in `/config`. */
  readonly id: string;
  /** Its key in our values. */
  readonly name: string;
}

/** The variables, understood. */
interface Server {
  readonly host: string | undefined;
  readonly port: string;
  readonly network: string;
  readonly allowedIPs: readonly string[] | undefined;
  readonly dns: readonly string[] | undefined;
  readonly peers: readonly NamedPeer[];
  /** By what `PEERS` says. */
  readonly routedNetworks: ReadonlyMap<string, readonly string[]>;
  readonly keepalive: readonly string[];
}

/** What a copy of `/config` holds. */
interface Kept {
  readonly server: OldServer;
  /** By our names. */
  readonly peers: ReadonlyMap<string, OldPeer>;
}

/**
 * The environment of `linuxserver/wireguard` in server mode as the values of the chart `wireguard`. With a copy of `/config` the
 * server and its peers keep their keys and addresses; without, the pod makes new keys, and the addresses are as the image gives them.
 *
 * @throws InputError with every problem of the files and the folder
 */
export function importLinuxserver(files: readonly string[], answers: LinuxserverAnswers): Imported {
  const { config } = answers;
  const refusals = new Refusals();
  const environment = refusals.attempt(() => readEnvironment(files, IMAGE, 'linuxserver'));
  const key = config === undefined ? undefined : refusals.attempt(() => readOldServer(config));
  const old = environment === undefined ? undefined : new Variables(environment);
  const named = old === undefined ? [] : peersOf(old, files);
  const server = old === undefined ? undefined : refusals.attempt(() => serverOf(old, named));
  const peers = new Map<string, OldPeer>();
  if (config !== undefined && key !== undefined)
    for (const { id, name } of named) {
      const peer = refusals.attempt(() => oldPeerIn(server?.network, readOldPeer(config, id, key)));
      if (peer !== undefined) peers.set(name, peer);
    }
  refusals.throwIfAny();
  if (environment === undefined || server === undefined) throw new TypeError('what was refused is thrown');

  const kept = key === undefined ? undefined : { server: key, peers };
  return {
    values: valuesOf(server, kept, answers),
    secrets: secretsOf(kept),
    report: [
      ...environment.report,
      ...reportOfServer(server, answers),
      ...reportOfPeers(server, kept, answers),
      ...reportOfOthers(environment, server),
      ...FIXED,
    ],
  };
}

/** @throws InputError with every problem of the variables, where each stands */
function serverOf(old: Variables, peers: readonly NamedPeer[]): Server {
  const base = old.read('INTERNAL_SUBNET', subnet) ?? '10.13.13.0';
  const named = old.textOf('SERVERURL')?.replace(/^\[(.*)\]$/, '$1');
  const routedNetworks = new Map<string, readonly string[]>();
  for (const { given } of peers) {
    const networks = old.networksOf(`${ROUTED}${given}`);
    if (networks !== undefined) routedNetworks.set(given, networks);
  }
  const dns = old.textOf('PEERDNS') === 'auto' ? undefined : old.listOf('PEERDNS', dnsServers);
  const server = {
    host: named === 'auto' ? undefined : old.read('SERVERURL', host, named),
    port: old.read('SERVERPORT', portText) ?? '51820',
    network: base.replace(/[0-9]+(?:\/24)?$/, '0/24'),
    allowedIPs: old.networksOf('ALLOWEDIPS'),
    dns,
    peers,
    routedNetworks,
    keepalive: old.listOf('PERSISTENTKEEPALIVE_PEERS', z.array(z.string())) ?? [],
  };
  old.throwIfAny();
  return server;
}

/** Reads variables, and collects what is wrong with them. An empty one is as none. */
class Variables {
  readonly #problems = new Set<string>();

  constructor(readonly environment: Environment) {}

  textOf(key: string): string | undefined {
    const text = this.environment.settings.get(key)?.value.trim();
    if (text === undefined || text === '') return undefined;
    if (/\p{C}/u.test(text)) return this.refuse(key, 'has a character that cannot be printed; remove it');
    if (!text.includes('$')) return text;
    return this.refuse(
      key,
      `holds a variable, got ${quote(text)}; write its value, as docker compose config prints it`,
    );
  }

  read<T extends z.ZodType>(
    key: string,
    schema: T,
    given: Json | undefined = this.textOf(key),
  ): z.output<T> | undefined {
    if (given === undefined) return undefined;
    try {
      return parsedAs(schema, given, [key]);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const problem of error.problems) this.#problems.add(`${this.#placeOf(key)}${problem}`);
      return undefined;
    }
  }

  /** A list with commas or blanks. */
  listOf<T extends z.ZodType>(key: string, schema: T): z.output<T> | undefined {
    const text = this.textOf(key);
    return this.read(key, schema, text === undefined ? undefined : partsOf(text));
  }

  networksOf(key: string): readonly string[] | undefined {
    const text = this.textOf(key);
    return this.read(key, networks, text === undefined ? undefined : networksIn(text));
  }

  /** Notes what is wrong with a variable. */
  refuse(key: string, sentence: string): undefined {
    this.#problems.add(`${this.#placeOf(key)}${key}: ${sentence}`);
    return undefined;
  }

  throwIfAny(): void {
    if (this.#problems.size > 0) throw new InputError([...this.#problems]);
  }

  #placeOf(key: string): string {
    const place = this.environment.settings.get(key)?.place;
    return place === undefined ? '' : `${place}: `;
  }
}

const quote = (text: string): string => JSON.stringify(text);
const partsOf = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');
/** The networks of a list, in which an address stands for itself. */
const networksIn = (text: string): string[] =>
  partsOf(text).map((part) => (ADDRESS_PATTERN.test(part) ? `${part}/${isIpv6(part) ? '128' : '32'}` : part));

/** The peers of `PEERS`: a number, or names. Names that differ keep apart. */
function peersOf(old: Variables, files: readonly string[]): NamedPeer[] {
  const text = old.textOf('PEERS');
  if (text === undefined) {
    if ((old.environment.settings.get('PEERS')?.value ?? '').trim() === '')
      old.refuse('PEERS', `is missing in ${files.join(', ')}, as in a client; give the files of a server`);
    return [];
  }
  const isNumber = /^[0-9]+$/.test(text);
  const given = isNumber
    ? []
    : [
        ...new Set(
          text
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== ''),
        ),
      ];
  const count = isNumber ? Number(text) : given.length;
  if (count > MOST_PEERS) {
    old.refuse(
      'PEERS',
      `has more peers than a /24 has addresses, got ${String(count)}; name at most ${String(MOST_PEERS)}`,
    );
    return [];
  }
  const all = isNumber ? Array.from({ length: count }, (_, index) => String(index + 1)) : given;
  const good = all.filter((one) => {
    if (nameOf(one) === '') old.refuse('PEERS', `names a peer without a letter or digit, got ${quote(one)}; rename it`);
    return nameOf(one) !== '';
  });
  const taken = new Set(good.filter((one) => nameOf(one) === one));
  return good.map((one) => {
    const name = nameOf(one);
    const free = name === one ? name : freeName(name, taken);
    taken.add(free);
    return { given: one, id: isDigits(one) ? `peer${one}` : `peer_${one}`, name: free };
  });
}

const isDigits = (text: string): boolean => /^[0-9]+$/.test(text);

/** The key nearest to a name: lower-case letters, digits and hyphens. */
function nameOf(given: string): string {
  if (isDigits(given)) return `peer${given}`.slice(0, LONGEST_NAME);
  const allowed = given.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return allowed.replace(/^-/, '').slice(0, LONGEST_NAME).replace(/-$/, '');
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) {
    const suffix = `-${String(number)}`;
    free = `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
  }
  return free;
}

/** @throws InputError about addresses that are not of the network */
function oldPeerIn(network: string | undefined, peer: OldPeer | undefined): OldPeer | undefined {
  if (network === undefined) return peer;
  const outside = (peer?.addresses ?? []).filter(
    (one) => !isIpv6(one) && !networkBits(one).startsWith(networkBits(network)),
  );
  if (outside.length === 0) return peer;
  throw new InputError(
    outside.map(
      (one) =>
        `${peer?.file ?? ''}: Address: is outside the network ${network} of INTERNAL_SUBNET, got ${quote(one)}; ` +
        `give the variables and the folder of one server`,
    ),
  );
}

function valuesOf(server: Server, kept: Kept | undefined, answers: LinuxserverAnswers): JsonObject {
  const { network, allowedIPs, port } = server;
  const endpoint = endpointOf(server, answers);
  return {
    ...(endpoint !== undefined && { endpoint }),
    network,
    ...(kept === undefined
      ? { privateKey: { generate: true } }
      : { serverPublicKey: kept.server.publicKey, privateKey: { existingSecret: PRIVATE_KEY_SECRET } }),
    peers: peerValues(server, kept),
    ...(allowedIPs !== undefined && { client: { allowedIPs } }),
    dns: dnsValues(server),
    service: { port: Number(port) },
  };
}

function endpointOf(server: Server, { endpoint: asked }: LinuxserverAnswers): string | undefined {
  const named = asked ?? server.host;
  if (named === undefined || !host.safeParse(named).success) return named;
  return `${isIpv6(named) ? `[${named}]` : named}:${server.port}`;
}

function peerValues(server: Server, kept: Kept | undefined): JsonObject {
  const taken = [...(kept?.peers.values() ?? [])].flatMap(({ addresses }) => addresses);
  const peers = server.peers.map(({ given, name }): [string, JsonObject] => {
    const old = kept?.peers.get(name);
    const addresses = hasAddress(old)
      ? old.addresses
      : [freeAddress(server.network, taken)].flatMap((one) => one ?? []);
    taken.push(...addresses);
    const routedNetworks = server.routedNetworks.get(given);
    const sent = networksIn(old?.allowedIPs ?? '');
    const sendsOther = sent.length > 0 && sent.join() !== (server.allowedIPs ?? EVERYTHING).join();
    return [
      name,
      {
        ...(old === undefined ? { generate: true } : { publicKey: old.publicKey }),
        ...(old?.presharedKey !== undefined && { presharedKey: { existingSecret: PSK_SECRET, key: name } }),
        addresses,
        ...(routedNetworks !== undefined && { routedNetworks }),
        ...(isKeptAlive(server, given) && { persistentKeepaliveSeconds: KEEPALIVE_SECONDS }),
        ...(sendsOther && { client: { allowedIPs: sent } }),
      },
    ];
  });
  return Object.fromEntries(peers);
}

const hasAddress = (old: OldPeer | undefined): old is OldPeer => old !== undefined && old.addresses.length > 0;
const isKeptAlive = ({ keepalive }: Server, given: string): boolean =>
  keepalive[0] === 'all' || keepalive.includes(given);

/** Clients that ask the server itself, as with `auto`, get the DNS in the pod. */
function dnsValues({ dns, network }: Server): JsonObject {
  const servers = (dns ?? []).filter((one) => ADDRESS_PATTERN.test(one));
  const searchDomains = (dns ?? []).filter((one) => !ADDRESS_PATTERN.test(one));
  const own = servers.length === 0 || servers.includes(firstHost(network));
  return {
    mode: own ? 'coredns' : 'servers',
    ...(!own && { servers }),
    ...(searchDomains.length > 0 && { searchDomains }),
  };
}

function secretsOf(kept: Kept | undefined): JsonObject[] {
  if (kept === undefined) return [];
  const shared = [...kept.peers].flatMap(([name, { presharedKey }]): [string, string][] =>
    presharedKey === undefined ? [] : [[name, presharedKey]],
  );
  return [
    secretOf(PRIVATE_KEY_SECRET, { 'private-key': kept.server.privateKey }),
    ...(shared.length === 0 ? [] : [secretOf(PSK_SECRET, Object.fromEntries(shared))]),
  ];
}

function reportOfServer(server: Server, answers: LinuxserverAnswers): string[] {
  const { dns, network, allowedIPs, host: named } = server;
  const { mode, servers = [] } = dnsValues(server) as { mode: string; servers?: readonly string[] };
  const unasked =
    mode === 'coredns' ? (dns ?? []).filter((one) => ADDRESS_PATTERN.test(one) && one !== firstHost(network)) : [];
  return [
    answers.endpoint !== undefined
      ? 'SERVERURL: is left out for what --endpoint says'
      : named === undefined
        ? 'SERVERURL: cannot be auto: nobody else is asked for your address'
        : 'SERVERURL: is endpoint, with SERVERPORT',
    ...(endpointOf(server, answers) === undefined
      ? ['endpoint: is missing; set it, or give --endpoint: check does not ask for it, but the files of clients do']
      : []),
    'SERVERPORT: is service.port; the port inside the pod is listenPort',
    `INTERNAL_SUBNET: is network, ${network}`,
    servers.length > 0 ? 'PEERDNS: is dns.servers' : 'PEERDNS: is dns.mode coredns, a DNS in the pod',
    ...unasked.map((one) => `PEERDNS: ${one} is left out, since the DNS in the pod answers`),
    allowedIPs === undefined
      ? `ALLOWEDIPS: is client.allowedIPs, by default ${EVERYTHING.join(', ')}`
      : 'ALLOWEDIPS: is client.allowedIPs; what a client may really reach is peers.<name>.allow',
  ];
}

function reportOfPeers(server: Server, kept: Kept | undefined, { config = '' }: LinuxserverAnswers): string[] {
  const { peers, keepalive, routedNetworks } = server;
  const strangers = keepalive.filter(
    (one, index) => !(one === 'all' && index === 0) && !peers.some(({ given }) => given === one),
  );
  const known = new Set(peers.map(({ id }) => id));
  return [
    `PEERS: is peers, ${String(peers.length)} of them${kept === undefined ? ', with new keys that the pod makes' : ''}`,
    ...peers.flatMap(({ given, name }) =>
      given === name || (isDigits(given) && name === `peer${given}`)
        ? []
        : [`PEERS: ${quote(given)} is peers.${name}, as names are written here`],
    ),
    ...peers.flatMap(({ given, name }) =>
      routedNetworks.has(given) ? [`${ROUTED}${given}: is peers.${name}.routedNetworks`] : [],
    ),
    keepalive.length === 0
      ? 'PERSISTENTKEEPALIVE_PEERS: names nobody; the server sends no keepalives'
      : `PERSISTENTKEEPALIVE_PEERS: is peers.<name>.persistentKeepaliveSeconds, ${String(KEEPALIVE_SECONDS)}`,
    ...strangers.map((one) => `PERSISTENTKEEPALIVE_PEERS: ${quote(one)} is left out, since PEERS does not name it`),
    ...(kept === undefined
      ? []
      : [
          `${config}: the private key of the server is in the Secret ${PRIVATE_KEY_SECRET}, pre-shared keys in ${PSK_SECRET}, in a file of their own; those of clients stay where they are`,
          ...peers.flatMap(({ id, name }) => {
            const old = kept.peers.get(name);
            if (old === undefined)
              return [`peers.${name}: has no folder ${quote(id)} in ${config}, so the pod makes its keys`];
            return hasAddress(old) ? [] : [`peers.${name}: has no address in ${config}, and gets a free one`];
          }),
          ...peerFolders(config)
            .filter((id) => !known.has(id))
            .map((id) => `${config}: ${id} is left out, since PEERS does not name it`),
        ]),
  ];
}

/** What became of the variables that are no values here. */
function reportOfOthers({ settings }: Environment, { peers }: Server): string[] {
  const routed = new Set(peers.map(({ given }) => `${ROUTED}${given}`));
  const known = [...USED, ...Object.keys(LEFT_OUT)];
  return [...settings.keys()].flatMap((key) => {
    if (USED.includes(key) || routed.has(key)) return [];
    const shown = /^[\w.-]+$/.test(key) ? key : quote(key);
    if (Object.hasOwn(LEFT_OUT, key)) return [`${shown}: ${LEFT_OUT[key] ?? ''}`];
    if (key.startsWith(ROUTED)) return [`${shown}: is left out, since PEERS names no such peer`];
    if (key.startsWith('FILE__'))
      return [
        `${shown}: is left out, since it names a file in the container; give its content under the name without FILE__`,
      ];
    const meant = nearest(key, known);
    return [`${shown}: is not known, and left out${meant === undefined ? '' : `; did you mean ${meant}?`}`];
  });
}

import {
  choose,
  chooseSet,
  conf,
  each,
  eq,
  filter,
  firstHost,
  hasPrefix,
  isEmpty,
  join,
  max,
  named,
  networkBits,
  not,
  or,
  some,
  text,
  when,
  type Expr,
  type When,
} from '../staged';
import { isGenerated, isV4, isV6, type WireGuardValues } from './config';
import { servesDns } from './dns';

/** What the file of a client holds that the values do not. Each is a whole line, or nothing. */
export interface ClientLines {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly presharedKey: string | undefined;
  readonly endpoint: string | Expr<string>;
}

/** What the file of a client says of the peer itself. */
interface ClientPeer {
  readonly addresses: Expr<readonly string[] | undefined>;
  readonly routedNetworks: Expr<readonly string[] | undefined>;
  readonly client: { readonly allowedIPs: Expr<readonly string[] | undefined> };
}

/** The lines of the files in the pod, which it fills in: see showconf.sh. */
const IN_THE_POD = {
  privateKey: 'PrivateKey = (private key)',
  publicKey: 'PublicKey = (public key of the server)',
  presharedKey: 'PresharedKey = (pre-shared key)',
};

/**
 * The file of a client in the format of wg-quick(8), with no key but what the importers of Apple's and Android's apps
 * take, each once.
 */
export function clientConf(v: WireGuardValues, name: Expr<string>, peer: ClientPeer, lines: ClientLines): Expr<string> {
  const { client } = v;
  return conf`
    # ${name}
    [Interface]
    ${lines.privateKey}
    Address = ${join(
      ', ',
      each(peer.addresses, (address) => address),
    )}
    ${dnsLine(v, peer)}
    MTU = ${chooseSet(
      client.mtu,
      (mtu) => mtu,
      chooseSet(v.mtu, (mtu) => max(mtu, IPV6_MIN_MTU_BYTES), CLIENT_MTU_BYTES),
    )}
    ${serverSection(v, peer, lines)}
  `;
}

/** The same without what is not of WireGuard itself: the format of `wg setconf`, wg(8). */
export function clientWgConf(
  v: WireGuardValues,
  name: Expr<string>,
  peer: ClientPeer,
  lines: ClientLines,
): Expr<string> {
  return conf`
    # ${name}
    [Interface]
    ${lines.privateKey}
    ${serverSection(v, peer, lines)}
  `;
}

/** What fits 1,500 bytes over IPv4 and IPv6, as wg-quick(8) would choose. */
const CLIENT_MTU_BYTES = 1420;
/** The smallest MTU of an IPv6 link (RFC 8200, 5): wg-quick refuses less where a file has an IPv6 network. */
const IPV6_MIN_MTU_BYTES = 1280;

function serverSection(v: WireGuardValues, peer: ClientPeer, lines: ClientLines): Expr<string> {
  const { client } = v;
  return conf`

    [Peer]
    ${lines.publicKey}
    ${when(lines.presharedKey !== undefined, () => conf`${lines.presharedKey ?? ''}`)}
    AllowedIPs = ${chooseSet(peer.client.allowedIPs, (networks) => tunnelled(v, peer, networks), tunnelled(v, peer, client.allowedIPs))}
    ${lines.endpoint}
    PersistentKeepalive = ${client.persistentKeepaliveSeconds}
  `;
}

/**
 * The networks that a client sends through the tunnel: none that is its own, unless there is no other, since wg-quick could not
 * route it twice; and the DNS server in the tunnel where that is in none of them.
 */
function tunnelled(v: WireGuardValues, peer: ClientPeer, given: Expr<readonly string[]>): Expr<string> {
  const isOwn = (network: Expr<string>): Expr<boolean> =>
    some(peer.routedNetworks, (own) => eq(networkBits(own), networkBits(network)));
  const networks = filter(given, (network) => not(isOwn(network)));
  const unlessIn = (server: Expr<string>, family: (address: Expr<string>) => Expr<boolean>): Expr<string> =>
    choose(
      or(
        not(servesDns(v)),
        not(some(peer.addresses, family)),
        some(networks, (network) => hasPrefix(networkBits(network), networkBits(server))),
      ),
      '',
      text`, ${server}`,
    );
  return text`${choose(isEmpty(networks), join(', ', given), join(', ', networks))}${unlessIn(firstHost(v.network), isV4)}${chooseSet(
    v.network6,
    (network6) => unlessIn(firstHost(network6), isV6),
    '',
  )}`;
}

/** The DNS servers, of the families of which the peer has an address, and the domains to search in. */
function dnsLine(v: WireGuardValues, peer: ClientPeer): When<unknown> {
  const { dns } = v;
  const line = (servers: Expr<string>) =>
    conf`DNS = ${servers}${choose(isEmpty(dns.searchDomains), '', text`, ${join(', ', dns.searchDomains)}`)}`;
  const own = (): Expr<string> =>
    chooseSet(
      v.network6,
      (network6) =>
        choose(
          some(peer.addresses, isV4),
          choose(
            some(peer.addresses, isV6),
            text`${firstHost(v.network)}, ${firstHost(network6)}`,
            firstHost(v.network),
          ),
          firstHost(network6),
        ),
      firstHost(v.network),
    );
  return when(
    eq(dns.mode, 'servers'),
    () => line(join(', ', dns.servers)),
    () => when(servesDns(v), () => line(own())),
  );
}

/** The files of the peers whose keys the pod makes, one after the other, with placeholders for what it fills in. */
export function clientsConf(v: WireGuardValues): Expr<string> {
  return named(
    'clientsConf',
    {},
    () => conf`
    # The files of the clients whose keys are made here.
    ${each(v.peers, (name, peer) =>
      when(
        isGenerated(peer),
        () => conf`

      # name = ${name}
      ${clientConf(v, name, peer, {
        ...IN_THE_POD,
        endpoint: chooseSet(v.endpoint, (endpoint) => text`Endpoint = ${endpoint}`, 'Endpoint = (endpoint)'),
      })}
    `,
      ),
    )}
  `,
  )();
}

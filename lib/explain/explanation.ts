import { InputError } from '../staged/input-error';
import { nearest } from '../staged/nearest';
import { ADDRESS_OR_CIDR_PATTERN } from '../net/cidr';
import { addressOf } from './address';
import type { Place } from './cluster';
import type { Network } from './site';
import { answerTo, walk, waysOf, type Hop, type Packet, type Way } from './walk';

/** The way of packets from one place to another, and of the answers. */
export interface Explanation {
  readonly from: Place;
  readonly to: Place;
  /** One for each host at which they may begin. */
  readonly there: readonly Hop[];
  readonly back: readonly Hop[];
}

/** Pairs of places of one family, of all that two names stand for. */
export function explain(network: Network, from: string, to: string): Explanation[] {
  const problems: string[] = [];
  const [sources, destinations] = (
    [
      ['FROM', from],
      ['TO', to],
    ] as const
  ).map(([what, name]) => {
    try {
      return placesOf(network, name);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems.map((problem) => `${what}: ${problem}`));
      return [];
    }
  }) as [readonly Place[], readonly Place[]];
  if (problems.length > 0) throw new InputError(problems, 2);
  const explanations = destinations.flatMap((destination) =>
    sources
      .filter(({ address }) => address.version === destination.address.version)
      .map((source) => explainPair(source, destination)),
  );
  if (explanations.length > 0) return explanations;
  const family = (places: readonly Place[]): string =>
    places.some(({ address }) => address.version === 6) ? 'IPv6' : 'IPv4';
  throw new InputError(
    [
      `TO: has an address of ${family(destinations)} alone, and ${from} of ${family(sources)}, got ${JSON.stringify(to)}; name two of one family`,
    ],
    2,
  );
}

/** What the packets of one place meet on their way to another. */
export function explainPair(from: Place, to: Place): Explanation {
  const packet: Packet = { source: from.address, destination: to.address, translations: [], isAnswer: false };
  const there = from.begins.map(({ host, by }) => walk(host, packet, by));
  return { from, to, there, back: answers(to, there.flatMap(waysOf)) };
}

/** The answers to packets that have arrived: one for each source that these had there. */
function answers(to: Place, ways: readonly Way[]): Hop[] {
  const arrived = new Map(
    ways.filter(({ outcome }) => outcome.verdict === 'arrives').map((way) => [way.packet.source.text, way] as const),
  );
  return [...arrived.values()].flatMap(({ packet, hosts }) => {
    const last = hosts.at(-1);
    // A Service answers where its address was turned into that of a pod.
    const begins = to.begins.length > 0 || last === undefined ? to.begins : [{ host: last }];
    return begins.map(({ host, by }) => walk(host, answerTo(packet), by));
  });
}

/** What a name stands for. */
export function placesOf(network: Network, name: string): readonly Place[] {
  const { cluster, outside } = network;
  if (ADDRESS_OR_CIDR_PATTERN.test(name)) {
    const address = addressOf(name);
    return [cluster.placeOf(address) ?? network.placeOf(address)];
  }
  const [kind, rest] = splitName(name);
  const node = cluster.nodes.find((one) => one.name === rest);
  const candidates: [title: string, places: () => readonly Place[]][] = [];
  if (node !== undefined && kind === 'pod@') candidates.push([name, () => cluster.podsOf(node, name)]);
  if (node !== undefined && (kind === '' || kind === 'node:'))
    candidates.push([`node:${rest}`, () => cluster.nodePlaces(node)]);
  for (const [title, places] of outside)
    if (title === name || (kind === '' && title.endsWith(`:${rest}`))) candidates.push([title, () => places]);
  const [first, second] = candidates;
  if (first === undefined) throw unknownName(network, name);
  if (second !== undefined)
    throw new InputError([
      `stands for several, got ${JSON.stringify(name)}; name one of ${candidates.map(([title]) => title).join(', ')}`,
    ]);
  const places = first[1]();
  if (places.length > 0) return places;
  const why =
    kind === 'pod@'
      ? 'neither the node’s object nor the values have a network of its pods'
      : 'no address of it is known';
  throw new InputError([`${why}, got ${JSON.stringify(name)}; give an address itself`]);
}

/** `pod@`, or what stands before a colon, and the rest. */
function splitName(name: string): readonly [kind: string, rest: string] {
  const [, kind = '', rest = name] = /^(pod@|[a-z]+:)(.*)$/s.exec(name) ?? [];
  return [kind, rest];
}

function unknownName({ cluster, outside }: Network, name: string): InputError {
  const [kind, rest] = splitName(name);
  const isOfNode = kind === 'pod@' || kind === 'node:';
  if (isOfNode && cluster.nodes.length === 0)
    return new InputError([
      `the nodes are not known, got ${JSON.stringify(name)}; give what \`kubectl get nodes -o yaml\` prints with --nodes`,
    ]);
  const nodes = cluster.nodes.map((node) => (kind === 'pod@' || kind === 'node:' ? `${kind}${node.name}` : node.name));
  const titles = [...outside.keys()].map((title) =>
    kind === '' && !title.startsWith('peer:') ? title.slice(title.indexOf(':') + 1) : title,
  );
  const known = isOfNode ? nodes : [...titles, ...nodes];
  const guess = nearest(name, known);
  const kinds = [...new Set([...outside.keys()].map((title) => `${title.slice(0, title.indexOf(':') + 1)}NAME`))];
  const advice =
    guess === undefined
      ? `name an address, ${[...kinds, ...(cluster.nodes.length > 0 ? ['a node', 'pod@NODE'] : [])].join(', ')}`
      : `did you mean ${guess}?`;
  return new InputError([
    `${isOfNode ? 'there is no such node' : 'nothing has that name'}, got ${JSON.stringify(rest === name ? name : name)}; ${advice}`,
  ]);
}

/** Every two places between which the release makes a difference: from each of the cluster to each outside, back, and from one outside to another. */
export function* everyPair({ cluster, outside }: Network): Generator<readonly [Place, Place]> {
  const inside =
    cluster.nodes.length > 0
      ? cluster.nodes.flatMap((node) => [...cluster.podsOf(node, `pod@${node.name}`), ...cluster.nodePlaces(node)])
      : [
          ...cluster.podsOf(undefined),
          ...cluster.networks.nodes.flatMap(({ cidr }) => cluster.placeOf(addressOf(cidr)) ?? []),
        ];
  const services = cluster.networks.services.flatMap(({ cidr }) => cluster.placeOf(addressOf(cidr)) ?? []);
  const others = placesOutside(outside);
  const isPair = (from: Place, to: Place): boolean => from.address.version === to.address.version;
  for (const from of inside) for (const to of others) if (isPair(from, to)) yield [from, to];
  for (const from of others) for (const to of [...inside, ...services]) if (isPair(from, to)) yield [from, to];
  for (const from of others) for (const to of others) if (isPair(from, to) && from !== to) yield [from, to];
}

/** Each network outside once: a tunnel whose networks have names of their own is no other place. */
function placesOutside(outside: Network['outside']): Place[] {
  const found = new Map<string, Place>();
  for (const place of [...outside.values()].flat()) {
    const key = place.address.text;
    const known = found.get(key);
    if (known === undefined) found.set(key, place);
    else if (known.name !== place.name && known.from !== place.from)
      found.set(key, {
        ...known,
        name: `${known.name}, ${place.name}`,
        begins: [...new Set([...known.begins, ...place.begins])],
      });
  }
  return [...found.values()];
}

/** The topology of values, and how a test says it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { CHARTS } from '../../charts';
import type { JsonObject } from '../../lib/helm/values-file';
import { ipsecTopology } from '../../lib/topology/ipsec';
import { kiloTopology } from '../../lib/topology/kilo';
import type { Topology } from '../../lib/topology/topology';
import { wireguardTopology } from '../../lib/topology/wireguard';
import type { ipsecValues } from '../../values/ipsec';
import type { kiloValues } from '../../values/kilo';
import type { wireguardValues } from '../../values/wireguard';
import type { ChartWithValues } from '../laws/values-arbitrary';

/** A chart that has a picture. */
export type DrawnChart = Exclude<ChartWithValues, 'vpn'>;

export type IpsecValues = z.output<typeof ipsecValues>;
export type WireguardValues = z.output<typeof wireguardValues>;

export const FULLNAMES: Readonly<Record<DrawnChart, string>> = {
  ipsec: 'vpn-ipsec',
  kilo: 'vpn-kilo',
  wireguard: 'vpn-wireguard',
};

/** The values with the defaults of the chart. */
export const ipsecOf = (values: JsonObject): IpsecValues => CHARTS.ipsec.environment({ values }).values as IpsecValues;
export const wireguardOf = (values: JsonObject): WireguardValues =>
  CHARTS.wireguard.environment({ values }).values as WireguardValues;

/** The topology of good values, given as YAML or as an object. */
export function topologyOf(chart: DrawnChart, given: string | JsonObject): Topology {
  const values = typeof given === 'string' ? (parse(given) as JsonObject) : given;
  CHARTS[chart].objects({ values });
  switch (chart) {
    case 'ipsec':
      return ipsecTopology(ipsecOf(values), FULLNAMES.ipsec);
    case 'kilo':
      return kiloTopology(CHARTS.kilo.environment({ values }).values as z.output<typeof kiloValues>, FULLNAMES.kilo);
    case 'wireguard':
      return wireguardTopology(wireguardOf(values), FULLNAMES.wireguard);
  }
}

const examples = path.join(__dirname, '../../values/examples');

/** The values of every example. */
export const EXAMPLES = (Object.keys(FULLNAMES) as DrawnChart[]).flatMap((chart) =>
  fs.readdirSync(path.join(examples, chart)).map((file) => ({
    chart,
    name: `${chart}/${file}`,
    values: parse(fs.readFileSync(path.join(examples, chart, file), 'utf8')) as JsonObject,
  })),
);

/** What it says, by the titles of places, with their first detail where several have the same. */
export class Told {
  readonly #names: ReadonlyMap<string, string>;

  constructor(readonly topology: Topology) {
    const titles = topology.places.map(({ title }) => title);
    this.#names = new Map(
      topology.places.map(({ id, title, details }) => [
        id,
        titles.filter((other) => other === title).length === 1 ? title : `${title} ${details[0] ?? ''}`,
      ]),
    );
  }

  name(id: string): string {
    const name = this.#names.get(id);
    if (name === undefined) throw new Error(`there is no place ${id}`);
    return name;
  }

  /** `alice > wg0 wireguard`, with `<>` where it leads both ways. */
  get links(): string[] {
    return this.topology.links
      .map(({ from, to, carrier, bothWays }) => {
        const [one, other] = bothWays ? [this.name(from), this.name(to)].sort() : [this.name(from), this.name(to)];
        return `${one ?? ''} ${bothWays ? '<>' : '>'} ${other ?? ''} ${carrier}`;
      })
      .sort();
  }

  /** `alice > bob`, with `<>` where each reaches the other. */
  get reaches(): string[] {
    const { reaches } = this.topology;
    const known = new Set(reaches.map(({ from, to }) => `${from} ${to}`));
    const told = reaches.map(({ from, to }) => {
      const [one, other] = [this.name(from), this.name(to)];
      if (from === to) return `${one} > itself`;
      return known.has(`${to} ${from}`) ? [one, other].sort().join(' <> ') : `${one} > ${other}`;
    });
    return [...new Set(told)].sort();
  }

  detailsOf(title: string): readonly string[] {
    const place = this.topology.places.find((one) => one.title === title);
    if (place === undefined) throw new Error(`there is no place ${title}`);
    return place.details;
  }
}

/** The pairs that reach each other and have no way along links. */
export function missingWays(topology: Topology): string[] {
  return topology.reaches.flatMap(({ from, to }) =>
    wayBetween(topology, from, to) === undefined ? [`${from} > ${to}`] : [],
  );
}

/** The places from one to another along links, as they may be passed. */
function wayBetween({ links }: Topology, from: string, to: string): string[] | undefined {
  const ways = [[from]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const here = way.at(-1) ?? '';
    // From a group to itself it leads out and back.
    if (here === to && way.length > 1) return way;
    for (const link of links) {
      const next = link.from === here ? link.to : link.bothWays && link.to === here ? link.from : undefined;
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

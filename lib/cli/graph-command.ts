import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { z } from 'zod';
import { CHARTS } from '../../charts';
import type { HelmChart } from '../helm/chart';
import { writeFiles } from '../helm/folder';
import { InputError } from '../staged/input-error';
import type { Expr } from '../staged/node';
import { ipsecTopology } from '../topology/ipsec';
import { kiloTopology } from '../topology/kilo';
import { MERMAID_MARK, mermaidOf } from '../topology/mermaid';
import { SVG_MARK, svgOf } from '../topology/svg';
import type { Topology } from '../topology/topology';
import { wireguardTopology } from '../topology/wireguard';
import { chartNamed, type ValuesFlags } from './commands';
import { goodValues } from './good-values';
import { tell } from './report';

/** The forms of a picture: SVG 1.1, and a flowchart of Mermaid. */
export const GRAPH_FORMATS = ['svg', 'mermaid'] as const;
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

/** The flags of `graph`. */
export interface GraphFlags extends ValuesFlags {
  readonly format: GraphFormat;
  readonly output?: string;
}

const WRITERS: Readonly<Record<GraphFormat, (topology: Topology) => string>> = { svg: svgOf, mermaid: mermaidOf };

/** `graph`: a picture of who reaches whom, on standard output or in a file, which may be an earlier picture. */
export function graphCommand(name: string, { format, output, ...flags }: GraphFlags): void {
  const { name: chart } = chartNamed(name);
  if (output !== undefined) refuseFile(output, format);
  const text = graphText(chart as keyof typeof CHARTS, format, flags);
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  writeFiles(dirname(output), [{ name: basename(output), text }]);
  tell(`wrote ${output}`);
}

/**
 * The text of a picture.
 *
 * @throws InputError with every problem of the values
 */
export function graphText(chart: keyof typeof CHARTS, format: GraphFormat, flags: ValuesFlags): string {
  if (chart === 'vpn')
    throw new InputError(
      [
        `chart: a picture is of one chart, got "vpn"; name one of ${Object.keys(TOPOLOGIES).join(', ')}, which takes its part of the same values`,
      ],
      2,
    );
  return WRITERS[format](TOPOLOGIES[chart](flags));
}

/** A line for each chart, which makes a topology of its values and its full name. */
const TOPOLOGIES: Readonly<Record<Exclude<keyof typeof CHARTS, 'vpn'>, (flags: ValuesFlags) => Topology>> = {
  wireguard: drawn(CHARTS.wireguard, wireguardTopology),
  ipsec: drawn(CHARTS.ipsec, ipsecTopology),
  kilo: drawn(CHARTS.kilo, kiloTopology),
};

function drawn<S extends z.ZodObject, B extends { readonly fullname: Expr<string> }>(
  chart: HelmChart<S, B>,
  topologyOf: (values: z.output<S>, fullname: string) => Topology,
): (flags: ValuesFlags) => Topology {
  return (flags) => {
    const { values, options } = goodValues(chart, flags);
    return topologyOf(
      values,
      chart.text(({ fullname }) => fullname, options),
    );
  };
}

/** @throws InputError with exit code 2 if it is no name for a picture, or there is a file that is none */
function refuseFile(file: string, format: GraphFormat): void {
  const refuse = (problem: string): never => {
    throw new InputError([problem], 2);
  };
  if (/\.svg$/i.test(file) !== (format === 'svg'))
    refuse(
      format === 'svg'
        ? `-o: a picture is written as SVG, got ${JSON.stringify(file)}; name a file that ends in .svg, or add --format mermaid`
        : `-o: a file of this name would be SVG, got ${JSON.stringify(file)}; name one that ends in .mmd, or leave --format out`,
    );
  if (!existsSync(file)) return;
  const [first] = read(file).split('\n', 1);
  if (first !== SVG_MARK && first !== MERMAID_MARK)
    refuse(`${file}: there is a file already that is no picture of this command; move it away, or name another one`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // What is wrong with the path is told when it is written to.
    return '';
  }
}

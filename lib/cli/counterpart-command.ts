import { join } from 'node:path';
import type { z } from 'zod';
import { CHARTS } from '../../charts';
import type { ipsecValues } from '../../values/ipsec';
import { InputError } from '../staged/input-error';
import { nearest } from '../staged/nearest';
import {
  COUNTERPARTS,
  type CloudFormat,
  type CounterpartKind,
  type CounterpartOptions,
} from '../strongswan/counterpart';
import { BGP_PASSWORD_PATTERN, BGP_PASSWORD_PROBLEM, optionProblems } from '../strongswan/counterparts';
import { PRESETS } from '../strongswan/presets';
import { siteOf, type ValuesFlags } from './commands';
import { readSecretFile } from './key-file';
import { writeIntoFolder } from './new-files';
import { tell } from './report';
import { withPlaces } from './with-places';

type Tunnel = z.output<typeof ipsecValues>['tunnels'][string];

/** The flags of `showconf` for a tunnel. */
export interface CounterpartFlags extends ValuesFlags {
  readonly as?: CounterpartKind;
  readonly format?: CloudFormat;
  readonly address?: string;
  readonly presharedKeyFile?: string;
  readonly bgpPasswordFile?: string;
  readonly output?: string;
}

/** `showconf ipsec`: what the remote end of a tunnel has to be configured with, on standard output or as files in a folder. */
export function counterpartCommand(name: string, flags: CounterpartFlags): void {
  const { loaded, options } = siteOf(flags);
  withPlaces(loaded, () => CHARTS.ipsec.objects(options));
  const { tunnels } = CHARTS.ipsec.environment(options).values as z.output<typeof ipsecValues>;
  const tunnel = knownTunnel(name, tunnels);
  const as = flags.as ?? withPlaces(loaded, () => kindOf(name, tunnel));
  const given: CounterpartOptions = {
    ...(flags.address !== undefined && { address: flags.address }),
    ...(flags.format !== undefined && { format: flags.format }),
  };
  refuseFlags(as, given);
  withPlaces(loaded, () => {
    const problems = CHARTS.ipsec.text((gateways) => gateways.counterpartProblems(name, as, given), options);
    if (problems !== '') throw new InputError(problems.split('\n'));
  });
  const key = keyOf(name, tunnel, flags);
  const bgpPassword = passwordOf(name, tunnel, flags);
  const counterpart: CounterpartOptions = {
    ...given,
    ...(key !== undefined && keyOption(as, key)),
    ...(bgpPassword !== undefined && { bgpPassword }),
  };
  const files = new Map<string, string>();
  for (const file of CHARTS.ipsec.list((gateways) => gateways.counterpart(name, as, counterpart))) {
    const text = CHARTS.ipsec.text((gateways) => gateways.counterpart(name, as, counterpart)[file]!, options);
    if (text !== '') files.set(file, `${text}\n`);
  }
  const { output } = flags;
  if (output === undefined) {
    process.stdout.write([...files.values()].join('\n'));
    return;
  }
  writeIntoFolder(
    output,
    [...files].map(([name, text]) => ({ name, text, secret: true })),
  );
  tell(`wrote ${[...files.keys()].map((name) => join(output, name)).join(' and ')}`);
}

/** The kind of remote end for which the tunnel has its preset. */
function kindOf(name: string, { preset = 'strongswan' }: Tunnel): CounterpartKind {
  const kind = COUNTERPARTS.find((known) => known === preset);
  if (kind !== undefined) return kind;
  throw new InputError([
    `tunnels.${name}.preset: there is no configuration of such a remote end, got ${JSON.stringify(preset)}; ` +
      `configure it as docs/ipsec.md says of the preset, or choose another kind with --as`,
  ]);
}

function refuseFlags(as: CounterpartKind, given: CounterpartOptions): void {
  const problems = optionProblems(as, given).map(({ option, problem }) => `--${option}: ${problem}`);
  if (problems.length > 0) throw new InputError(problems, 2);
}

/** To a strongSwan in base64, since a plain key may read as something else. */
function keyOption(as: CounterpartKind, key: string): CounterpartOptions {
  return as === 'strongswan'
    ? { secretLine: `secret = 0s${Buffer.from(key).toString('base64')}` }
    : { presharedKey: key };
}

function knownTunnel(name: string, tunnels: Readonly<Record<string, Tunnel>>): Tunnel {
  const tunnel = new Map(Object.entries(tunnels)).get(name);
  if (tunnel !== undefined) return tunnel;
  const guess = nearest(name, Object.keys(tunnels));
  const advice = guess === undefined ? 'name a key of tunnels' : `did you mean ${guess}?`;
  throw new InputError([`tunnel: there is no such tunnel, got ${JSON.stringify(name)}; ${advice}`], 2);
}

/** The pre-shared key, where it is known. */
function keyOf(name: string, tunnel: Tunnel, { presharedKeyFile }: CounterpartFlags): string | undefined {
  const { presharedKey, preset = 'strongswan' } = tunnel;
  if (presharedKeyFile !== undefined && presharedKey?.existingSecret === undefined) {
    throw new InputError(
      [
        presharedKey === undefined
          ? `--preshared-key-file: tunnels.${name} has a certificate; leave the flag out`
          : `--preshared-key-file: the key is in tunnels.${name}.presharedKey.value already; leave the flag out`,
      ],
      2,
    );
  }
  const { pattern, problem } = PRESETS[preset].keyRule;
  if (presharedKeyFile === undefined) return presharedKey?.value;
  return readSecretFile(presharedKeyFile, '--preshared-key-file', (text) => (pattern.test(text) ? undefined : problem));
}

/** The password of the BGP session, where it is known. */
function passwordOf(name: string, { bgp }: Tunnel, { bgpPasswordFile }: CounterpartFlags): string | undefined {
  if (bgpPasswordFile === undefined) return undefined;
  if (bgp?.password === undefined)
    throw new InputError(
      [`--bgp-password-file: tunnels.${name} has no password of BGP; leave the flag out, or set bgp.password`],
      2,
    );
  return readSecretFile(bgpPasswordFile, '--bgp-password-file', (text) =>
    BGP_PASSWORD_PATTERN.test(text) ? undefined : BGP_PASSWORD_PROBLEM,
  );
}

import { join } from 'node:path';
import type { z } from 'zod';
import { CHARTS } from '../../charts';
import type { ipsecValues } from '../../values/ipsec';
import { InputError } from '../staged/input-error';
import { nearest } from '../staged/nearest';
import type { CounterpartOptions } from '../strongswan/counterpart';
import { PRESETS } from '../strongswan/presets';
import { siteOf, type ValuesFlags } from './commands';
import { readSecretFile } from './key-file';
import { refuseExisting, writeNewFiles } from './new-files';
import { tell } from './report';
import { withPlaces } from './with-places';

type Tunnel = z.output<typeof ipsecValues>['tunnels'][string];

/** What the remote end of a tunnel may be. */
export const COUNTERPARTS = ['strongswan'] as const;

/** The flags of `showconf` for a tunnel. */
export interface CounterpartFlags extends ValuesFlags {
  readonly as?: (typeof COUNTERPARTS)[number];
  readonly address?: string;
  readonly presharedKeyFile?: string;
  readonly output?: string;
}

/** `showconf ipsec`: what the remote end of a tunnel has to be configured with, on standard output or as files in a folder. */
export function counterpartCommand(name: string, flags: CounterpartFlags): void {
  const { loaded, options } = siteOf(flags);
  withPlaces(loaded, () => CHARTS.ipsec.objects(options));
  const { tunnels } = CHARTS.ipsec.environment(options).values as z.output<typeof ipsecValues>;
  const tunnel = knownTunnel(name, tunnels);
  const counterpart: CounterpartOptions = {
    ...(flags.address !== undefined && { address: flags.address }),
    ...secretOf(name, tunnel, flags),
  };
  const as = flags.as ?? 'strongswan';
  const files = new Map<string, string>();
  for (const file of CHARTS.ipsec.list((gateways) => gateways.counterpart(name, as, counterpart)))
    files.set(
      file,
      `${CHARTS.ipsec.text((gateways) => gateways.counterpart(name, as, counterpart)[file]!, options)}\n`,
    );
  if (flags.output === undefined) {
    process.stdout.write([...files.values()].join('\n'));
    return;
  }
  const paths = [...files].map(([file, content]) => ({ path: join(flags.output ?? '', file), content }));
  refuseExisting(paths.map(({ path }) => path));
  writeNewFiles(paths);
  tell(`wrote ${paths.map(({ path }) => path).join(' and ')}`);
}

function knownTunnel(name: string, tunnels: Readonly<Record<string, Tunnel>>): Tunnel {
  const tunnel = new Map(Object.entries(tunnels)).get(name);
  if (tunnel !== undefined) return tunnel;
  const guess = nearest(name, Object.keys(tunnels));
  const advice = guess === undefined ? 'name a key of tunnels' : `did you mean ${guess}?`;
  throw new InputError([`tunnel: there is no such tunnel, got ${JSON.stringify(name)}; ${advice}`], 2);
}

/** The line with the pre-shared key, where it is known: in base64, since a plain one may read as something else. */
function secretOf(name: string, tunnel: Tunnel, { presharedKeyFile }: CounterpartFlags): CounterpartOptions {
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
  const key =
    presharedKeyFile === undefined
      ? presharedKey?.value
      : readSecretFile(presharedKeyFile, '--preshared-key-file', (text) => (pattern.test(text) ? undefined : problem));
  return key === undefined ? {} : { secretLine: `secret = 0s${Buffer.from(key).toString('base64')}` };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Programs of a folder by the name under which they are mounted. */
export const scriptsOf = (folder: string, names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

/** The modules that the programs of gateways and nodes have in common. */
export const COMMON_SCRIPTS = scriptsOf(__dirname, [
  'addresses.py',
  'daemons.py',
  'kernel.py',
  'say.py',
  'vty.py',
  'written.py',
]);

/** The programs of a gateway's FRR: reflector.py and its modules. */
export const REFLECTOR_SCRIPTS: Readonly<Record<string, string>> = {
  ...COMMON_SCRIPTS,
  ...scriptsOf(__dirname, [
    'fabric_file.py',
    'frr_conf.py',
    'learned.py',
    'passwords.py',
    'peers.py',
    'plan.py',
    'reflector.py',
    'tunnels_file.py',
  ]),
};

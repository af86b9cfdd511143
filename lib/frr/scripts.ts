import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The programs of a folder by the name under which they are mounted. */
export const scriptsOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => /\.(?:py|sh)$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

/** The programs of a gateway's FRR: reflector.py and its modules. */
export const REFLECTOR_SCRIPTS = scriptsOf(__dirname);

/** The modules of them that the programs of nodes have too. */
const COMMON = ['addresses.py', 'daemons.py', 'kernel.py', 'say.py', 'vty.py', 'written.py'];

export const COMMON_SCRIPTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(REFLECTOR_SCRIPTS).filter(([name]) => COMMON.includes(name)),
);

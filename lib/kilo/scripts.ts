import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The script of the init container by the name under which it is mounted: a file beside this one. */
export const SCRIPTS = { 'install-cni.sh': readFileSync(join(__dirname, 'install-cni.sh'), 'utf8') } as const;

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORWARDING_SCRIPT } from '../kubernetes/forwarding';

/** A program that runs in the pod: a file beside this one. */
function script(name: string): string {
  return readFileSync(join(__dirname, name), 'utf8');
}

/** The programs of a gateway's pod by the name under which they are mounted. */
export const SCRIPTS = {
  'charon.sh': script('charon.sh'),
  'control.py': script('control.py'),
  'vici.py': script('vici.py'),
  'network.sh': script('network.sh'),
  'forwarding.sh': FORWARDING_SCRIPT,
} as const;

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORWARDING_SCRIPT } from '../kubernetes/forwarding';

/** A script that runs in the pod: a file beside this one. */
function script(name: string): string {
  return readFileSync(join(__dirname, name), 'utf8');
}

/** The scripts of the server's pod by the name under which they are mounted. */
export const SCRIPTS = {
  'server.sh': script('server.sh'),
  'forwarding.sh': FORWARDING_SCRIPT,
  'userspace.sh': script('userspace.sh'),
  'health.sh': script('health.sh'),
  'showconf.sh': script('showconf.sh'),
  'peers-from.sh': script('peers-from.sh'),
  'peers-from.jq': script('peers-from.jq'),
} as const;

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORWARDING_SCRIPT } from '../kubernetes/forwarding';

/** A program that runs in the pod: a file beside this one. */
function script(name: string): string {
  return readFileSync(join(__dirname, name), 'utf8');
}

/** The modules of control.py, which Python finds beside it. */
const MODULES = [
  'certificates.py',
  'composition.py',
  'connections.py',
  'files.py',
  'health.py',
  'leaving.py',
  'loading.py',
  'log.py',
  'mounted.py',
  'pages.py',
  'preparing.py',
  'reasons.py',
  'reflection.py',
  'sas.py',
  'tunnels.py',
  'turns.py',
  'vici.py',
  'waits.py',
  'workers.py',
];

/** The programs of a gateway's pod by the name under which they are mounted. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  'charon.sh': script('charon.sh'),
  'control.py': script('control.py'),
  ...Object.fromEntries(MODULES.map((name) => [name, script(name)])),
  'leave.sh': script('leave.sh'),
  'network.sh': script('network.sh'),
  'forwarding.sh': FORWARDING_SCRIPT,
};

import { scriptsOf } from '../frr/scripts';
import { FORWARDING_SCRIPT } from '../kubernetes/forwarding';

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
  'stand_in.py',
  'tunnels.py',
  'turns.py',
  'vici.py',
  'waits.py',
  'workers.py',
];

/** The programs of a gateway's pod by the name under which they are mounted. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  ...scriptsOf(__dirname, ['charon.sh', 'control.py', ...MODULES, 'leave.sh', 'network.sh']),
  'forwarding.sh': FORWARDING_SCRIPT,
};

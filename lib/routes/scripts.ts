import { COMMON_SCRIPTS, scriptsOf } from '../frr/scripts';

/** The programs of an agent's pod by the name under which they are mounted. */
export const AGENT_SCRIPTS: Readonly<Record<string, string>> = {
  ...COMMON_SCRIPTS,
  ...scriptsOf(__dirname, [
    'agent.py',
    'agent_conf.py',
    'agent_file.py',
    'agent_health.py',
    'agent_pages.py',
    'bfd_ports.py',
    'filter.sh',
    'names.py',
    'node_facts.py',
    'node_lock.py',
    'on_node.py',
    'pod_networks.py',
    'sessions.py',
    'sysctls.py',
    'wakeups.py',
  ]),
};

import { COMMON_SCRIPTS, scriptsOf } from '../frr/scripts';

/** The programs of an agent's pod by the name under which they are mounted. */
export const AGENT_SCRIPTS: Readonly<Record<string, string>> = { ...COMMON_SCRIPTS, ...scriptsOf(__dirname) };

import { runFaults } from '../faults';
import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  title: 'Remote ends with BFD: one packet every 10 ms each way over the gateway to which things happen',
  run: (context) => runFaults(context, { remoteBfd: true }),
};

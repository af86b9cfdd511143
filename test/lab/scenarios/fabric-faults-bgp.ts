import { runFaults } from '../faults';
import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  title: 'Remote ends without BFD, of those faults that they have to notice',
  run: (context) => runFaults(context, { remoteBfd: false }),
};

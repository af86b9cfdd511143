/** `npm run lab up|status|down`. */
import { Lab } from './lab';
import { LabError } from './processes';
import { say } from './progress';
import { runMain } from './run-main';

const USAGE = `npm run lab up [-- --nodes 3] | status | down`;

async function main(args: readonly string[]): Promise<number | undefined> {
  const [command = '', option, value, ...rest] = args;
  const nodes = option === '--nodes' && /^[2-5]$/.test(value ?? '') ? Number(value) : undefined;
  if (rest.length > 0 || (option !== undefined && (command !== 'up' || nodes === undefined)))
    throw new LabError(`use ${USAGE}`);
  switch (command) {
    case 'up': {
      const lab = await Lab.up({ stays: true, ...(nodes === undefined ? {} : { nodes }) });
      say('The cluster is up; `npm run lab down` ends it. For kubectl and helm:');
      process.stdout.write(`export KUBECONFIG=${lab.kubeconfig}\n`);
      return undefined;
    }
    case 'status': {
      const lab = Lab.running();
      if (lab === undefined) {
        say('no laboratory is up');
        return 1;
      }
      say(`up since ${lab.since}`);
      process.stdout.write(`export KUBECONFIG=${lab.kubeconfig}\n`);
      process.stdout.write(await lab.kubectl(['get', 'nodes', '-o', 'wide'], { seconds: 20 }));
      return undefined;
    }
    case 'down': {
      say((await Lab.down()) ? 'the laboratory is gone' : 'no laboratory was up');
      return undefined;
    }
    default:
      throw new LabError(`use ${USAGE}`);
  }
}

runMain(main);

/** `npm run lab up|status|down`. */
import { Lab } from './lab';
import { catchSignals, Interrupted, LabError } from './processes';
import { say } from './progress';

const USAGE = `npm run lab up [-- --nodes 3] | status | down`;

async function main(args: readonly string[]): Promise<void> {
  const [command = '', option, value, ...rest] = args;
  const nodes = option === '--nodes' && /^[1-5]$/.test(value ?? '') ? Number(value) : undefined;
  if (rest.length > 0 || (option !== undefined && (command !== 'up' || nodes === undefined)))
    throw new LabError(`use ${USAGE}`);
  switch (command) {
    case 'up': {
      const lab = await Lab.up({ stays: true, ...(nodes === undefined ? {} : { nodes }) });
      say('The cluster is up; `npm run lab down` ends it. For kubectl and helm:');
      process.stdout.write(`export KUBECONFIG=${lab.kubeconfig}\n`);
      return;
    }
    case 'status': {
      const lab = Lab.running();
      if (lab === undefined) {
        say('no laboratory is up');
        process.exitCode = 1;
        return;
      }
      say(`up since ${lab.since}`);
      process.stdout.write(`export KUBECONFIG=${lab.kubeconfig}\n`);
      process.stdout.write(await lab.kubectl(['get', 'nodes', '-o', 'wide'], { seconds: 20 }));
      return;
    }
    case 'down': {
      const lab = Lab.running();
      await (lab === undefined ? Lab.sweep() : lab.down());
      say(lab === undefined ? 'no laboratory was up' : 'the laboratory is gone');
      return;
    }
    default:
      throw new LabError(`use ${USAGE}`);
  }
}

catchSignals();
main(process.argv.slice(2)).then(
  () => process.exit(),
  (error: unknown) => {
    say(
      error instanceof LabError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error),
    );
    process.exit(error instanceof Interrupted ? 130 : 1);
  },
);

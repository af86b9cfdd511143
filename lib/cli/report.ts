import { InputError } from '../staged/input-error';

/**
 * Runs it, and shows what is wrong with the input as sentences, without a stack. Anything else that is thrown is our
 * own mistake, and ends with exit code 3.
 */
export function reported(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) {
      process.stderr.write(`${error.problems.join('\n')}\n`);
      process.exitCode = error.exitCode;
      return;
    }
    const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      'This is a bug of cdk8s-vpn, not of your values. Please report it with the lines below; ' +
        `take out any secret that may be in them.\n${details}\n`,
    );
    process.exitCode = 3;
  }
}

/** Says something to a person at a terminal; a pipe or a log gets nothing. */
export function tell(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
}

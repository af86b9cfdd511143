import { InputError } from '../staged/input-error';

/** Runs it, and shows what is wrong with the input as sentences, without a stack. */
export function reported(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    process.stderr.write(`${error.problems.join('\n')}\n`);
    process.exitCode = error.exitCode;
  }
}

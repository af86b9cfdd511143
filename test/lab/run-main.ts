/** How the programs of the laboratory begin and end. */
import { catchSignals, Interrupted, LabError } from './processes';
import { Unfit } from './fitness';
import { say } from './progress';

/** The exit code where the machine cannot have a laboratory (sysexits.h: EX_UNAVAILABLE). */
export const UNFIT = 69;

/**
 * Runs a program with its arguments. What goes wrong ends it with one sentence, or a stack if it is our own mistake.
 *
 * @param main - gives its exit code, or sets it
 */
export function runMain(main: (args: readonly string[]) => Promise<number | undefined>): void {
  catchSignals();
  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      say(sentence(error));
      process.exit(error instanceof Interrupted ? 130 : error instanceof Unfit ? UNFIT : 1);
    },
  );
}

/** A stack, if it is our own mistake. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof LabError) return error.message;
  // Of the file system.
  const isOfSystem = 'syscall' in error && 'path' in error;
  return isOfSystem ? `the laboratory cannot work there: ${error.message}` : (error.stack ?? error.message);
}

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
      say(
        error instanceof LabError
          ? error.message
          : error instanceof Error
            ? (error.stack ?? error.message)
            : String(error),
      );
      process.exit(error instanceof Interrupted ? 130 : error instanceof Unfit ? UNFIT : 1);
    },
  );
}

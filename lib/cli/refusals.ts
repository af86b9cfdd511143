import { InputError } from '../staged/input-error';

/** Collects what is wrong with the input, so that all of it is told at once. */
export class Refusals {
  readonly #errors: InputError[] = [];

  /** Runs it; what it refuses is kept for later, and there is no result then. */
  attempt<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#errors.push(error);
      return undefined;
    }
  }

  /** @throws InputError with all that was refused, and the exit code 2 if that was one's */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    const exitCode = this.#errors.some((error) => error.exitCode === 2) ? 2 : 1;
    throw new InputError(
      this.#errors.flatMap((error) => error.problems),
      exitCode,
    );
  }
}

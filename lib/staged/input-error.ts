/**
 * What is wrong with the input, one sentence a problem, for the person at the keyboard.
 *
 * A values problem reads `<path the user can edit>: <what is wrong>, got <value>; <what to do>`.
 * It never carries a secret, and nobody needs its stack.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  /**
   * @param problems the sentences, in the order in which they are shown
   * @param exitCode what the command line exits with: 1 for bad values, 2 for bad usage (paths, flags, folders)
   */
  constructor(
    readonly problems: readonly string[],
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(problems.join('\n'));
  }
}

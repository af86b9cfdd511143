#!/usr/bin/env node
import { run } from './program';
import { reported } from './report';

/*
 * The command `cdk8s-vpn`.
 */

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no failure.
  if (code === 'EPIPE') process.exit();
  process.stderr.write(`standard output: cannot write (${message}); send it elsewhere\n`);
  process.exit(2);
});
// Nobody is left to tell.
process.stderr.on('error', () => process.exit());

reported(() => {
  process.exitCode = run(process.argv.slice(2));
});

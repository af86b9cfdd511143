#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { VERSION } from '../../charts/version';
import { reported } from './report';
import { chartCommand, checkCommand, examplesCommand, synthCommand, type ValuesFlags } from './commands';

/*
 * The command line. Exit code 1 for bad values, 2 for bad usage: flags, paths, folders.
 */

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];

function releaseName(value: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value) && value.length <= 53) return value;
  throw new InvalidArgumentError('use at most 53 lower-case letters, digits and hyphens.');
}

function namespaceName(value: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value) && value.length <= 63) return value;
  throw new InvalidArgumentError('use at most 63 lower-case letters, digits and hyphens.');
}

function withValues(command: Command): Command {
  return command
    .option('-f, --values <file>', 'values file, repeatable: later ones win (- is standard input)', collect, [])
    .option('--set <key=value>', 'a value, in Helm’s grammar, repeatable', collect, [])
    .option('--set-string <key=value>', 'a value that is text, repeatable', collect, [])
    .option('--release <name>', 'name of the release', releaseName, 'vpn')
    .option('--namespace <name>', 'namespace of the objects', namespaceName, 'default')
    .option('--managed-by <text>', 'label app.kubernetes.io/managed-by', 'cdk8s');
}

function program(): Command {
  const cli = new Command('cdk8s-vpn')
    .description('VPN gateways for Kubernetes: plain manifests and Helm charts from one model')
    .version(VERSION)
    .showHelpAfterError('(cdk8s-vpn --help shows the usage)')
    .exitOverride();
  withValues(cli.command('synth').description('plain manifests of a chart, ready for kubectl apply').argument('<chart>'))
    .option('-o, --output <folder>', 'write one file per resource into a folder')
    .action((chart: string, flags: ValuesFlags & { output?: string }) => {
      synthCommand(chart, flags);
    });
  withValues(cli.command('check').description('every problem of the values at once').argument('<chart>')).action((chart: string, flags: ValuesFlags) => {
    checkCommand(chart, flags);
  });
  cli
    .command('chart')
    .description('the Helm chart, as a folder of its name')
    .argument('<chart>')
    .requiredOption('-o, --output <folder>', 'the folder above it')
    .action((chart: string, { output }: { output: string }) => {
      chartCommand(chart, output);
    });
  cli
    .command('examples')
    .description('plain manifests of every example into dist/manifests, all Helm charts into dist/charts')
    .option('-o, --output <folder>', 'instead of dist', 'dist')
    .action(({ output }: { output: string }) => {
      examplesCommand(output);
    });
  for (const command of cli.commands) command.exitOverride().showHelpAfterError('(cdk8s-vpn --help shows the usage)');
  return cli;
}

function main(): void {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 2);
  });
  reported(() => {
    try {
      program().parse();
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    }
  });
}

main();

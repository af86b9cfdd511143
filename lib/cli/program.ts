import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CHARTS } from '../../charts';
import { VERSION } from '../../charts/version';
import { NAME_PATTERN } from '../net/name';
import { WIREGUARD_KEY_PATTERN } from '../net/wireguard-key';
import { cidr, endpoint, host, identity } from '../../values/net';
import { InputError } from '../staged/input-error';
import { CLIENT_FORMATS, type ClientFormat } from './client-file';
import {
  chartCommand,
  checkCommand,
  DEFAULT_FLAGS,
  examplesCommand,
  imagesCommand,
  synthCommand,
  type ValuesFlags,
} from './commands';
import { keysCommand, type KeysFlags } from './keys-command';
import { importCommand, IMPORTS, type ImportFlags, type ImportKind } from './import-command';
import type { RemoteNetwork } from './import-crusoe';
import { CLOUD_FORMATS, COUNTERPARTS, type CloudFormat } from '../strongswan/counterpart';
import { PRESET_NAMES } from '../strongswan/presets';
import { counterpartCommand, type CounterpartFlags } from './counterpart-command';
import { showconfCommand, type ShowconfFlags } from './showconf-command';

const USAGE_HINT = '(cdk8s-vpn --help shows the usage)';

const TOO_MANY = ' and give each values file with -f\n';

const EXIT_CODES = `
Exit codes: 0 all is well, 1 the values are wrong, 2 the call is wrong (flags, files, folders), 3 a bug of cdk8s-vpn.
Problems go to standard error, all at once. What was written or found good is told on a terminal only.`;

/** Flags of Helm that also give values, and what to do instead. */
const REFUSED_FLAGS: Readonly<Record<string, string>> = {
  'set-json': 'write the value into a values file and give it with -f (YAML takes JSON as it is)',
  'set-file': 'write the text into a values file, as a block (name: |), and give it with -f',
  'set-literal': 'use --set-string with a backslash before each comma, or a values file with -f',
  'values-from': 'give a values file with -f',
  'reuse-values': 'there is no release to take values from: give every values file with -f',
  'reset-values': 'there is no release to take values from: give every values file with -f',
  'reset-then-reuse-values': 'there is no release to take values from: give every values file with -f',
};

/**
 * Runs the command line.
 *
 * @param args the arguments after the program's name
 * @returns the exit code: 0, or 2 for wrong usage
 * @throws InputError with what is wrong with the values or the call
 */
export function run(args: readonly string[]): number {
  try {
    program().parse(withoutEquals(args), { from: 'user' });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

/** `--flag=value` as two arguments: a message about an unknown flag must not show its value, which may be a secret. */
function withoutEquals(args: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  return args.flatMap((arg, index) => {
    const equals = index < end && /^--[^=]/.test(arg) ? arg.indexOf('=') : -1;
    return equals < 0 ? [arg] : [arg.slice(0, equals), arg.slice(equals + 1)];
  });
}

function program(): Command {
  const cli = new Command('cdk8s-vpn')
    .description('VPN gateways for Kubernetes: plain manifests and Helm charts from one model')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES);
  withValues(onChart(cli.command('synth'), 'plain manifests of a chart, ready for kubectl apply'))
    .option('-o, --output <folder>', 'write one file per resource into a folder; those of an earlier run are replaced')
    .action((chart: string, flags: Partial<ValuesFlags> & { output?: string }) => {
      synthCommand(chart, { ...DEFAULT_FLAGS, ...flags });
    });
  withValues(
    onChart(cli.command('check'), 'every problem of the values at once; silent in a pipe if there is none'),
  ).action((chart: string, flags: Partial<ValuesFlags>) => {
    checkCommand(chart, { ...DEFAULT_FLAGS, ...flags });
  });
  onChart(cli.command('chart'), 'the Helm chart, as a folder of its name')
    .requiredOption('-o, --output <folder>', 'the folder above it')
    .action((chart: string, { output }: { output: string }) => {
      chartCommand(chart, output);
    });
  withValues(
    onPeer(
      cli.command('keys'),
      'a new key pair for a peer: what the values need, and a file with the private key',
      peerName,
    ),
  )
    .option(
      '--private-key-file <file>',
      'where the private key goes, instead of <peer>.key',
      newFilePath('--private-key-file'),
    )
    .option('--conf <file>', 'write the client’s own file too', newFilePath('--conf'))
    .action((chart: string, peer: string, flags: Partial<KeysFlags>) => {
      keysCommand(chart, peer, { ...DEFAULT_FLAGS, ...flags });
    });
  withValues(
    onChart(
      cli.command('showconf'),
      'what the other end needs: the client’s own file of a peer, or the configuration of a tunnel’s remote end',
    ).argument('<name>', 'name of the peer or tunnel'),
  )
    .option(
      '--private-key-file <file>',
      'the private key of the client (- is standard input)',
      filePath('--private-key-file'),
    )
    .option(
      '--preshared-key-file <file>',
      'the pre-shared key, if it is not in the values',
      filePath('--preshared-key-file'),
    )
    .option(
      '--bgp-password-file <file>',
      'of a tunnel: the password of its BGP session',
      filePath('--bgp-password-file'),
    )
    .option('--qr', 'a QR code for the apps')
    .addOption(
      new Option(
        '--format <format>',
        'of wg-quick (the default), or of wg setconf; of a tunnel to a cloud: text (the default), or terraform',
      ).choices([...CLIENT_FORMATS, ...CLOUD_FORMATS]),
    )
    .option(
      '-o, --output <file>',
      'write it into a new file, a QR code as a PNG picture; of a tunnel, into this folder',
      newFilePath('-o'),
    )
    .addOption(
      new Option('--as <kind>', 'of a tunnel: what the remote end is, if not what its preset says').choices(
        COUNTERPARTS,
      ),
    )
    .option(
      '--address <host>',
      'of a tunnel: where the remote end reaches the gateway, if its identity is no address',
      hostOrAddress,
    )
    .action((chart: string, name: string, flags: ShowconfAnyFlags) => {
      showconf(chart, name, flags);
    });
  withValues(onChart(cli.command('images'), 'every image that the pods use, one a line')).action(
    (chart: string, flags: Partial<ValuesFlags>) => {
      imagesCommand(chart, { ...DEFAULT_FLAGS, ...flags });
    },
  );
  cli
    .command('import')
    .description('the settings of something else as our values, in a folder, with a report of what became of each')
    .addArgument(new Argument('<kind>', 'whose settings they are').choices(IMPORTS))
    .argument(
      '<file...>',
      'constellation, crusoe: the values files of the chart; linuxserver: KEY=value lines, Kubernetes objects or a compose file',
      (path: string, all: readonly string[] = []) => [...all, filePath('file')(path)],
    )
    .requiredOption('-o, --output <folder>', 'the folder for values.yaml and secrets.yaml')
    .option(
      '--identity <identity>',
      'constellation, crusoe: our IKE identity, which the old chart did not have; of crusoe repeatable, in the order of the tunnels',
      repeated(ikeIdentity),
    )
    .option(
      '--remote-identity <identity>',
      'constellation: IKE identity of the remote end, if it is not its address',
      ikeIdentity,
    )
    .option('--endpoint <host>', 'linuxserver: where clients find the server, instead of SERVERURL', endpointOrHost)
    .option('--config <folder>', 'linuxserver: a copy of /config, whose keys and addresses are kept')
    .addOption(
      new Option('--preset <name>', 'crusoe: what the remote ends are, which brings what fits them').choices(
        PRESET_NAMES,
      ),
    )
    .option(
      '--import <cidr>',
      'crusoe: a network behind the remote ends, repeatable; with :N behind it, its parts up to that prefix length',
      repeated(remoteNetwork),
    )
    .option('--pods <cidr>', 'crusoe: a network of the pods among localCidrs, repeatable', repeated(network))
    .option('--nodes <cidr>', 'crusoe: a network of the nodes among localCidrs, repeatable', repeated(network))
    .option('--services <cidr>', 'crusoe: a network of the Services among localCidrs, repeatable', repeated(network))
    .action((kind: ImportKind, files: readonly string[], flags: ImportFlags) => {
      importCommand(kind, files, flags);
    });
  cli
    .command('examples')
    .description('plain manifests of every example into dist/manifests, all Helm charts into dist/charts')
    .option('-o, --output <folder>', 'instead of dist', 'dist')
    .action(({ output }: { output: string }) => {
      examplesCommand(output);
    });
  for (const command of [cli, ...cli.commands]) {
    command
      .exitOverride()
      .showHelpAfterError(USAGE_HINT)
      .configureOutput({
        outputError(text, write) {
          const named = command.registeredArguments.map((argument) => `one ${argument.name()}`).join(' and ');
          write(text.replace(/^(error: too many arguments).*\n/, `$1; name ${named},${TOO_MANY}`));
        },
      });
  }
  return cli;
}

type ShowconfAnyFlags = Partial<Omit<CounterpartFlags, 'format'> & Omit<ShowconfFlags, 'format'>> & {
  readonly format?: ClientFormat | CloudFormat;
};

/** The other end of a peer, or of a tunnel: each has flags that the other one has not. */
function showconf(chart: string, name: string, { format, ...flags }: ShowconfAnyFlags): void {
  const isTunnel = chart === 'ipsec';
  const { qr, privateKeyFile, as, address, bgpPasswordFile } = flags;
  const foreign = isTunnel
    ? { '--qr': qr, '--private-key-file': privateKeyFile }
    : { '--as': as, '--address': address, '--bgp-password-file': bgpPasswordFile };
  const given = Object.entries(foreign).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  const problems = given.map((flag) => `${flag}: is not for the chart ${chart}; leave it out`);
  const formats: readonly string[] = isTunnel ? CLOUD_FORMATS : CLIENT_FORMATS;
  if (format !== undefined && !formats.includes(format))
    problems.push(`--format: is not for the chart ${chart}, got "${format}"; choose one of ${formats.join(', ')}`);
  if (problems.length > 0) throw new InputError(problems, 2);
  if (isTunnel)
    counterpartCommand(name, {
      ...DEFAULT_FLAGS,
      ...flags,
      ...(format !== undefined && { format: format as CloudFormat }),
    });
  else showconfCommand(chart, name, { ...DEFAULT_FLAGS, ...flags, format: (format ?? 'wg-quick') as ClientFormat });
}

function onChart(command: Command, description: string): Command {
  return command.description(description).argument('<chart>', `one of: ${Object.keys(CHARTS).join(', ')}`);
}

function onPeer(command: Command, description: string, peer: (name: string) => string): Command {
  return onChart(command, description).argument('<peer>', 'name of the peer', peer);
}

function withValues(command: Command): Command {
  command
    .option('-f, --values <file>', 'values file, repeatable: later ones win (- is standard input)', collect)
    .option('--set <name=value>', 'a value, in Helm’s grammar, repeatable', collect)
    .option('--set-string <name=value>', 'a value that stays text, repeatable; applied after every --set', collect)
    .option('--release <name>', 'name of the release', releaseName, DEFAULT_FLAGS.release)
    .option('-n, --namespace <name>', 'namespace of the objects', namespaceName, DEFAULT_FLAGS.namespace)
    .option('--managed-by <text>', 'label app.kubernetes.io/managed-by', labelValue, DEFAULT_FLAGS.managedBy);
  for (const [flag, advice] of Object.entries(REFUSED_FLAGS)) {
    command.addOption(new Option(`--${flag} [value]`).hideHelp());
    command.on(`option:${flag}`, () => {
      throw new InputError([`--${flag}: this flag of Helm is not taken here; ${advice}`], 2);
    });
  }
  return command;
}

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];

/** A flag that may be given several times. */
function repeated<T>(read: (value: string) => T): (value: string, all?: readonly T[]) => T[] {
  return (value, all = []) => [...all, read(value)];
}

/** The path of a file. A key in its place would be taken for a path, and a path is shown. */
function filePath(flag: string): (path: string) => string {
  return (path) => {
    if (!WIREGUARD_KEY_PATTERN.test(path.trim())) return path;
    throw new InputError([`${flag}: this is a key, and not the path of a file; put it into a file, and name that`], 2);
  };
}

/** The path of a file that is written. */
function newFilePath(flag: string): (path: string) => string {
  return (path) => {
    if (path === '' || path === '-') throw new InvalidArgumentError('Name a file.');
    return filePath(flag)(path);
  };
}

function ikeIdentity(value: string): string {
  if (identity.safeParse(value).success) return value;
  throw new InvalidArgumentError('Use printable ASCII without quotes and backslashes.');
}

function network(value: string): string {
  if (cidr.safeParse(value).success) return value;
  throw new InvalidArgumentError('Write a network in CIDR notation, such as 10.0.0.0/16.');
}

/** A network, with or without the longest prefix length of its parts. */
function remoteNetwork(value: string): RemoteNetwork {
  const [, before = value, digits] = /^(.*\/[0-9]+):([0-9]{1,3})$/.exec(value) ?? [];
  return { cidr: network(before), ...(digits !== undefined && { maxLength: Number(digits) }) };
}

function hostOrAddress(value: string): string {
  if (host.safeParse(value).success) return value;
  throw new InvalidArgumentError('Name a host or an IP address.');
}

function endpointOrHost(value: string): string {
  if (host.safeParse(value).success || endpoint.safeParse(value).success) return value;
  throw new InvalidArgumentError('Name a host or an IP address, with or without a port.');
}

function peerName(value: string): string {
  if (NAME_PATTERN.test(value) && value.length <= 63) return value;
  throw new InvalidArgumentError('Use at most 63 lower-case letters, digits and hyphens.');
}

function releaseName(value: string): string {
  // Helm's own rule; that a name makes no name of a Service is for the rules of a chart to say.
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value) && value.length <= 53)
    return value;
  throw new InvalidArgumentError('Use at most 53 lower-case letters, digits, hyphens and dots.');
}

function namespaceName(value: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value) && value.length <= 63) return value;
  throw new InvalidArgumentError('Use at most 63 lower-case letters, digits and hyphens.');
}

function labelValue(value: string): string {
  if (/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value) && value.length <= 63) return value;
  throw new InvalidArgumentError(
    'Use at most 63 letters, digits, hyphens, dots and underscores, as a label takes them.',
  );
}

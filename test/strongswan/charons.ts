/** Real daemons of strongSwan: one that judges configurations, and two with a cable between them. */
import { joinByCable, Trixie, waitUntil, type CommandOptions, type Daemon, type Files, type Result } from './trixie';
import { isIpv6 } from '../../lib/net/address';

export { TRIXIE_TOOLS as CHARON_TOOLS } from './trixie';

/** Where things are in the Debian 13 in which a daemon runs; the pod may have them elsewhere. */
const PLACES = {
  charon: '/usr/lib/ipsec/charon',
  strongswanConf: '/etc/strongswan.conf',
  /** The folder with swanctl.conf and, by kind, the folders of credentials. */
  swanctl: '/etc/swanctl',
  socket: '/run/charon.vici',
} as const;

export interface CharonOptions {
  readonly swanctlConf?: string;
  /** What the harness needs is added: where plugins are, and that ESP is of charon itself (kernel-libipsec). */
  readonly strongswanConf?: string;
  /** More files. A relative path is one below the folder of swanctl: `x509/left.pem`. */
  readonly files?: Files;
  readonly places?: Partial<Record<keyof typeof PLACES, string>>;
  /** What starts it, otherwise the daemon alone. It must not end as long as charon is to run. */
  readonly start?: readonly string[];
  /** For it, and for `swanctl`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What strongSwan tells: names with texts, lists of texts, and further sections. */
export interface Section {
  readonly [name: string]: string | readonly string[] | Section;
}

export interface Loaded {
  /** Of swanctl: 22 if it refuses something; of charon, if that has ended. */
  readonly status: number | null;
  /** All that it wrote, to standard output and standard error. */
  readonly output: string;
}

export interface ChildSa {
  readonly name: string;
  /** `INSTALLED` if it carries packets. */
  readonly state: string;
  readonly localNetworks: readonly string[];
  readonly remoteNetworks: readonly string[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Everything that `swanctl --list-sas` says of it. */
  readonly fields: Section;
}

export interface IkeSa {
  readonly name: string;
  /** `ESTABLISHED` if both have proven who they are. */
  readonly state: string;
  readonly localId: string;
  readonly remoteId: string;
  readonly children: readonly ChildSa[];
  readonly fields: Section;
}

/** Charon does not start. */
export class CharonError extends Error {
  constructor(
    readonly status: number | null,
    readonly log: string,
  ) {
    super(`charon does not start (${String(status)}):\n${log}`);
  }
}

/** As Debian has it in its own file, and a log for us; and, after what the chart has, ESP without the kernel, which may have none. */
const BEFORE = `
charon {
  load_modular = yes
  filelog {
    harness {
      path = stderr
      default = 1
      flush_line = yes
    }
  }
  plugins {
    include /etc/strongswan.d/charon/*.conf
  }
}
include /etc/strongswan.d/*.conf
`;
const AFTER = `
charon {
  plugins {
    kernel-libipsec {
      load = yes
    }
  }
}
`;

/** A daemon in a Debian 13. */
export class Charon {
  private readonly places: typeof PLACES;
  private daemon: Daemon | undefined;

  constructor(
    readonly trixie: Trixie,
    private readonly options: CharonOptions = {},
  ) {
    this.places = { ...PLACES, ...options.places } as typeof PLACES;
    this.write(options);
  }

  /** Writes files again, those that are given. */
  write({ swanctlConf, strongswanConf, files = {} }: Pick<CharonOptions, 'swanctlConf' | 'strongswanConf' | 'files'>) {
    const { trixie, places } = this;
    if (swanctlConf !== undefined) trixie.write({ [`${places.swanctl}/swanctl.conf`]: swanctlConf });
    if (strongswanConf !== undefined || this.daemon === undefined) {
      trixie.write({ [places.strongswanConf]: BEFORE + (strongswanConf ?? '') + AFTER });
    }
    trixie.write(
      Object.fromEntries(
        Object.entries(files).map(([file, text]) => [file.startsWith('/') ? file : `${places.swanctl}/${file}`, text]),
      ),
    );
  }

  /**
   * Starts it and waits until it answers.
   *
   * @throws CharonError if it ends instead
   */
  async start(): Promise<void> {
    const daemon = this.trixie.daemon(this.options.start ?? [this.places.charon], { environment: this.environment() });
    this.daemon = daemon;
    await waitUntil('charon', 30, async () => !daemon.isRunning() || (await this.swanctl('--stats')).status === 0);
    if (!daemon.isRunning()) throw new CharonError(await daemon.ended(), daemon.log());
  }

  /** Ends it as Kubernetes does, so that it takes leave of its peers, or as a lost node does. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.daemon?.signal(signal);
    await this.daemon?.ended();
  }

  /** What it, or the program that starts it, has written. */
  log(): string {
    return this.daemon?.log() ?? '';
  }

  /** Loads the file as it is, or what is given. */
  async load(changes: Pick<CharonOptions, 'swanctlConf' | 'files'> = {}): Promise<Loaded> {
    this.write(changes);
    const { status, stdout, stderr } = await this.swanctl('--load-all', '--noprompt');
    return { status, output: stdout + stderr };
  }

  swanctl(...args: readonly string[]): Promise<Result> {
    return this.run(['swanctl', ...args, '--uri', `unix://${this.places.socket}`]);
  }

  /** Runs a program beside it. */
  run(command: readonly string[], options: CommandOptions = {}): Promise<Result> {
    return this.trixie.run(command, { ...options, environment: { ...this.environment(), ...options.environment } });
  }

  /** The connections that it has, by name. */
  async connections(): Promise<Readonly<Record<string, Section>>> {
    const events = await this.events('--list-conns', 'list-conn');
    return Object.fromEntries(events.flatMap((event) => Object.entries(event))) as Record<string, Section>;
  }

  /** What it has negotiated. */
  async sas(): Promise<IkeSa[]> {
    const events = await this.events('--list-sas', 'list-sa');
    return events.flatMap((event) =>
      Object.entries(event as Readonly<Record<string, Section>>).map(([name, fields]) => ({
        name,
        state: text(fields, 'state'),
        localId: text(fields, 'local-id'),
        remoteId: text(fields, 'remote-id'),
        children: Object.values((fields['child-sas'] ?? {}) as Readonly<Record<string, Section>>).map(childOf),
        fields,
      })),
    );
  }

  private async events(list: string, name: string): Promise<Section[]> {
    const { status, stdout, stderr } = await this.swanctl(list, '--pretty');
    if (status !== 0) throw new Error(`swanctl ${list} ended with ${String(status)}: ${stderr}`);
    return messagesOf(stdout).flatMap(([title, section]) => (title === `${name} event` ? [section] : []));
  }

  private environment(): Record<string, string> {
    const { strongswanConf, swanctl } = this.places;
    return { STRONGSWAN_CONF: strongswanConf, SWANCTL_DIR: swanctl, ...this.options.environment };
  }
}

function childOf(fields: Section): ChildSa {
  return {
    name: text(fields, 'name'),
    state: text(fields, 'state'),
    localNetworks: (fields['local-ts'] ?? []) as readonly string[],
    remoteNetworks: (fields['remote-ts'] ?? []) as readonly string[],
    bytesIn: Number(text(fields, 'bytes-in')),
    bytesOut: Number(text(fields, 'bytes-out')),
    fields,
  };
}

function text(section: Section, name: string): string {
  const value = section[name];
  return typeof value === 'string' ? value : '';
}

/**
 * What swanctl prints with `--pretty`: one thing a line, where `--raw` has all in one line, in which nobody can tell where a name
 * such as `C=CH, O=Example` ends.
 */
export function messagesOf(printed: string): [title: string, content: Section][] {
  type Open = Record<string, string | string[] | Section>;
  const messages: [string, Section][] = [];
  const open: Open[] = [];
  let list: string[] | undefined;
  for (const line of printed.split('\n').map((one) => one.trim())) {
    const [, name, value] = /^(.*?) = ?(.*)$/.exec(line) ?? [];
    const section = open.at(-1);
    if (line === '') continue;
    if (list !== undefined) {
      if (line === ']') list = undefined;
      else list.push(line);
    } else if (name !== undefined && value !== undefined && section !== undefined) {
      // An identity may be that very text.
      if (value === '[' && !/(?:^|[-_])id$/.test(name)) section[name] = list = [];
      else section[name] = value;
    } else if (line.endsWith('{')) {
      const title = line.slice(0, -1).trim();
      const content: Open = {};
      if (section === undefined) messages.push([title, content]);
      else section[title] = content;
      open.push(content);
    } else if (line === '}') {
      open.pop();
    } else {
      throw new Error(`swanctl prints what nobody understands: ${line}`);
    }
  }
  return messages;
}

export interface Validity extends Loaded {
  /** The lines that tell of anything else than success. Of a file that it cannot parse the status of swanctl is 0. */
  readonly complaints: readonly string[];
  /** Those that have been taken. */
  readonly connections: Readonly<Record<string, Section>>;
}

const SUCCESS =
  /^(loaded [a-z ]+ '|loaded [a-z]+ certificate from |no (authorities|pools|connections) found|successfully loaded )/;

const linesOf = (output: string): string[] => output.split('\n').filter((line) => line !== '');

/** One daemon, without any network, that loads one file after the other. */
export class Validator {
  private charon: Charon | undefined;
  private strongswanConf = '';

  private constructor(private readonly trixie: Trixie) {}

  static async start(): Promise<Validator> {
    return new Validator(await Trixie.start());
  }

  /** Loads a swanctl.conf with the files that it names, and nothing of those before. */
  async validate(
    swanctlConf: string,
    { strongswanConf = '', files = {} }: Pick<CharonOptions, 'strongswanConf' | 'files'> = {},
  ): Promise<Validity> {
    if (this.charon === undefined || this.strongswanConf !== strongswanConf) {
      await this.charon?.stop();
      this.charon = undefined;
      const charon = new Charon(this.trixie, { strongswanConf });
      try {
        await charon.start();
      } catch (error) {
        if (!(error instanceof CharonError)) throw error;
        return { status: error.status, output: error.log, complaints: linesOf(error.log), connections: {} };
      }
      this.charon = charon;
      this.strongswanConf = strongswanConf;
    }
    const { charon } = this;
    try {
      const loaded = await charon.load({ swanctlConf, files });
      const complaints = linesOf(loaded.output).filter((line) => !SUCCESS.test(line));
      return { ...loaded, complaints, connections: await charon.connections() };
    } finally {
      const names = Object.keys(files).map((file) => (file.startsWith('/') ? file : `${PLACES.swanctl}/${file}`));
      await this.trixie.run(['rm', '-f', ...names]);
      charon.write({ swanctlConf: '' });
      await charon.swanctl('--load-all', '--clear', '--noprompt');
    }
  }

  end(): Promise<void> {
    return this.trixie.end();
  }
}

export interface SideOptions extends CharonOptions {
  /** On the cable, with the length of the prefix. */
  readonly addresses?: readonly string[];
  /** Behind it: what a tunnel leads to. */
  readonly inner?: readonly string[];
}

export const LEFT = { addresses: ['192.0.2.1/24', '2001:db8::1/64'], inner: ['10.1.0.1', 'fd00:1::1'] } as const;
export const RIGHT = { addresses: ['192.0.2.2/24', '2001:db8::2/64'], inner: ['10.2.0.1', 'fd00:2::1'] } as const;

export interface Pair {
  readonly left: Charon;
  readonly right: Charon;
  /** Leaves nothing. */
  end(): Promise<void>;
}

/** Two daemons, both started, with a cable between them. Neither has loaded anything. */
export async function pairOfCharons(options: {
  readonly left: SideOptions;
  readonly right: SideOptions;
}): Promise<Pair> {
  const [one, other] = await Promise.allSettled([Trixie.start(), Trixie.start()]);
  const both = [one, other].flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const end = async (): Promise<void> => {
    await Promise.all(both.map((trixie) => trixie.end()));
  };
  try {
    const [left, right] = both;
    if (left === undefined || right === undefined) throw one.status === 'rejected' ? one.reason : other;
    await joinByCable(left, right);
    const charons = await Promise.all([
      sideOf(left, { ...LEFT, ...options.left }),
      sideOf(right, { ...RIGHT, ...options.right }),
    ]);
    return { left: charons[0], right: charons[1], end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function sideOf(trixie: Trixie, { addresses = [], inner = [], ...options }: SideOptions): Promise<Charon> {
  const commands = [
    ...addresses.map((address) => `address add ${address} dev eth0`),
    ...inner.map((address) => `address add ${address}/${isIpv6(address) ? 128 : 32} dev lo`),
    'link set eth0 up',
  ];
  const { status, stderr } = await trixie.run(['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
  if (status !== 0) throw new Error(`No addresses for a side: ${stderr}`);
  const charon = new Charon(trixie, options);
  await charon.start();
  return charon;
}

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';

// control.py and charon.sh run as they are, with fake-vici.py for charon and a stub of swanctl that keeps what it was given.

export const SCRIPTS = path.join(__dirname, '../../lib/strongswan');
/** How much less control.py waits. */
export const FASTER = 10;

const STUBS = {
  charon: `exec python3 ${path.join(__dirname, 'fake-vici.py')} "$STATE/charon.vici" "$STUBS"`,
  swanctl: String.raw`
rm -rf "$STUBS/given"
cp -R "$SWANCTL_DIR" "$STUBS/given"
[ ! -e "$STUBS/swanctl-says" ] || cat "$STUBS/swanctl-says" >&2
[ ! -e "$STUBS/swanctl-ends" ] || exit "$(cat "$STUBS/swanctl-ends")"
sed -n "s/^  \([a-z0-9-]*\) {$/loaded connection '\1'/p" "$SWANCTL_DIR/swanctl.conf"`,
  ip: '[ ! -e "$STUBS/ip-says" ] || { cat "$STUBS/ip-says" >&2; exit 2; }',
  sleep: `exec ${which('sleep')} 0.05`,
};

function which(command: string): string {
  return spawnSync('/bin/sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();
}

export interface Rule {
  readonly pattern: string;
  readonly problem: string;
  readonly remedy: string;
}

export interface Tunnel {
  readonly initiates?: boolean;
  readonly children?: readonly string[];
  /** The text of its key; null: there is none. */
  readonly key?: string | Buffer | null;
  readonly ids?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly more?: Readonly<Record<string, unknown>>;
  /** Lines of the connection, of its child, and of its ends. */
  readonly parameters?: readonly string[];
  readonly childParameters?: readonly string[];
  readonly local?: readonly string[];
  readonly remote?: readonly string[];
}

export type Tunnels = Readonly<Record<string, Tunnel>>;

type Fields = Record<string, string | readonly string[] | Record<string, Record<string, string>>>;
/** What charon lists of an IKE_SA, by its name. */
export type Sa = Record<string, Fields>;

/** An IKE_SA with one CHILD_SA of the same name. */
export const anSa = (name: string, uid: number, child: Record<string, string> = {}, ike: Fields = {}): Sa => ({
  [name]: {
    uniqueid: `${uid}`,
    state: 'ESTABLISHED',
    'remote-host': '198.51.100.7',
    established: '60',
    ...ike,
    'child-sas': {
      [`${name}-${uid}`]: {
        name,
        uniqueid: `${uid}`,
        state: 'INSTALLED',
        'install-time': '60',
        'bytes-in': '0',
        'packets-in': '0',
        'bytes-out': '0',
        'packets-out': '0',
        ...child,
      },
    },
  },
});

export interface Asked {
  readonly command: string;
  readonly time: number;
  readonly ike?: string;
  readonly child?: string;
}

/** One pod: its files, its stubs, and the processes that run in it. */
export class Pod {
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-ipsec-'));
  output = '';
  /** Of the health server. */
  port = 0;
  /** In the place of 4500, below those that the kernel gives away. */
  readonly natPort = 20_000 + Math.floor(Math.random() * 12_000);
  address = '127.0.0.1';
  /** What gateway.json says beside the tunnels. */
  gateway: Readonly<Record<string, unknown>> = { gateway: 'a' };
  /** What must be seen nowhere. */
  readonly secrets: string[] = [];
  private seen = '';
  private readonly children: ChildProcess[] = [];

  constructor() {
    for (const folder of ['bin', 'stubs', 'config', 'state/network', 'run', 'var/run'])
      fs.mkdirSync(this.at(folder), { recursive: true });
    for (const [name, body] of Object.entries(STUBS)) this.stub(name, body);
    this.write('config/strongswan.conf', 'charon {\n}\n');
    this.write('state/network/status', 'ok\n');
    this.behave({ initiate: 'up' });
  }

  at(file: string): string {
    return path.join(this.root, file);
  }
  has(file: string): boolean {
    return fs.existsSync(this.at(file));
  }
  read(file: string): string {
    return this.has(file) ? fs.readFileSync(this.at(file), 'utf8') : '';
  }
  write(file: string, text: string | Buffer): void {
    fs.mkdirSync(path.dirname(this.at(file)), { recursive: true });
    fs.writeFileSync(this.at(`${file}.aside`), text);
    fs.renameSync(this.at(`${file}.aside`), this.at(file));
  }
  remove(file: string): void {
    fs.rmSync(this.at(file), { recursive: true, force: true });
  }
  stub(name: string, body: string): void {
    const text = `#!/bin/sh\nset -eu\necho "${name} $*" >>"$STUBS/argv"\n${body}\n`;
    fs.writeFileSync(this.at(`bin/${name}`), text, { mode: 0o755 });
  }

  /** The ConfigMap and the Secrets of these tunnels. */
  configure(tunnels: Tunnels): void {
    for (const [name, { key = `key.of.${name}` }] of Object.entries(tunnels)) {
      if (key === null) this.remove(`secrets/${name}`);
      else this.write(`secrets/${name}/psk`, key);
      if (key !== null && key.length > 5) {
        this.secrets.push(key.toString().trim(), Buffer.from(key).toString('base64').slice(0, -4));
      }
    }
    this.write('config/gateway.json', this.gatewayJson(tunnels));
    this.write('config/swanctl.conf', swanctlConf(tunnels));
  }

  gatewayJson(tunnels: Tunnels): string {
    const entries = Object.entries(tunnels).map(([name, tunnel]) => [
      name,
      {
        initiates: tunnel.initiates ?? true,
        children: [...(tunnel.children ?? [name]), ''],
        ...(tunnel.more?.['certificate'] === undefined && {
          sharedKey: {
            file: this.at(`secrets/${name}/psk`),
            source: `key psk of the Secret ${name}`,
            ids: tunnel.ids ?? ['203.0.113.10', '198.51.100.7'],
            rules: [...(tunnel.rules ?? []), null],
          },
        }),
        ...tunnel.more,
        '': null,
      },
    ]);
    return JSON.stringify({ ...this.gateway, tunnels: Object.fromEntries([...entries, ['', null]]) as unknown });
  }

  behave(commands: Record<string, unknown>): void {
    this.write('stubs/behaviour.json', JSON.stringify(commands));
  }
  /** What charon has. */
  list(...sas: Sa[]): void {
    this.write('stubs/sas.json', JSON.stringify(sas));
  }
  get sas(): Sa[] {
    return this.has('stubs/sas.json') ? (JSON.parse(this.read('stubs/sas.json')) as Sa[]) : [];
  }
  async tell(...events: { name: string; message: unknown }[]): Promise<void> {
    this.write('stubs/events', JSON.stringify(events));
    await this.until('the events are sent', () => !this.has('stubs/events'));
  }
  /** Lines of charon's log. */
  say(tunnel: string, ...lines: string[]): Promise<void> {
    return this.tell(
      ...lines.map((msg) => ({ name: 'log', message: { group: 'IKE', level: '1', 'ikesa-name': tunnel, msg } })),
    );
  }
  /** What charon was asked, without what it is asked all the time. */
  get asked(): Asked[] {
    return this.read('stubs/requests')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Asked)
      .filter(({ command }) => !['version', 'list-sas'].includes(command));
  }
  /** `initiate onprem`, `terminate onprem/child` and so on. */
  get orders(): string[] {
    return this.asked
      .filter(({ command }) => command !== 'reload-settings')
      .map(({ command, ike, child }) => `${command} ${[ike, child].filter((part) => part !== undefined).join('/')}`);
  }
  get loads(): string[] {
    return this.read('stubs/argv')
      .split('\n')
      .filter((line) => line.startsWith('swanctl '));
  }

  environment(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: `${this.at('bin')}:${process.env['PATH'] ?? ''}`,
      STUBS: this.at('stubs'),
      TEST_ROOT: this.root,
      TEST_FASTER: `${FASTER}`,
      PYTHONDONTWRITEBYTECODE: '1',
      CONFIG: this.at('config'),
      STATE: this.at('state'),
      CHARON: this.at('bin/charon'),
      TEST_NAT_T_PORT: `${this.natPort}`,
      ...more,
    };
  }
  start(command: readonly string[], more: Record<string, string> = {}): ChildProcess {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      env: this.environment(more),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.children.push(child);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (this.output += data.toString()));
    return child;
  }
  charon(more: Record<string, string> = {}): ChildProcess {
    return this.start(['dash', path.join(SCRIPTS, 'charon.sh')], more);
  }
  async control(more: Record<string, string> = {}): Promise<ChildProcess> {
    this.port = Number(more['HEALTH_PORT'] ?? (await freePort()));
    const child = this.start(['python3', path.join(SCRIPTS, 'control.py')], { HEALTH_PORT: `${this.port}`, ...more });
    await this.until('it serves', async () => child.exitCode !== null || (await this.get('/status')).code === 200);
    return child;
  }
  /** Both containers, until all is up. */
  async serve(more: Record<string, string> = {}): Promise<{ charon: ChildProcess; control: ChildProcess }> {
    const both = { charon: this.charon(more), control: await this.control(more) };
    await this.ready();
    return both;
  }
  async get(page: string): Promise<{ code: number; body: string; type: string }> {
    try {
      const answer = await fetch(`http://${this.address}:${this.port}${page}`);
      const body = await answer.text();
      this.seen += body;
      return { code: answer.status, body, type: answer.headers.get('content-type') ?? '' };
    } catch {
      return { code: 0, body: '', type: '' };
    }
  }
  ready(): Promise<void> {
    return this.until('it is ready', async () => (await this.get('/ready')).code === 200);
  }
  async unready(line: string | RegExp): Promise<void> {
    await this.until(`it says ${String(line)}`, async () => {
      const { code, body } = await this.get('/ready');
      return code === 503 && (typeof line === 'string' ? body.includes(line) : line.test(body));
    });
  }
  /** The metrics by name and labels. */
  async metrics(): Promise<Record<string, number>> {
    const { body } = await this.get('/metrics');
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/.* /, ''))]));
  }

  async until(what: string, is: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await is())) {
      if (Date.now() > end)
        throw new Error(`not within ${seconds} s: ${what}\n${this.output}\n${(await this.get('/status')).body}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  /** So long that whatever is to happen has happened: many turns of the loop. */
  async settle(turns = 12): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, (turns * 1000) / FASTER));
  }
  async ended(child: ChildProcess): Promise<number | string> {
    await this.until('the process has ended', () => child.exitCode !== null || child.signalCode !== null);
    return child.exitCode ?? child.signalCode ?? '';
  }
  async stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    child.kill(signal);
    return this.ended(child);
  }
  /** As a node that has no more memory ends a container. */
  async crash(child: ChildProcess): Promise<void> {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await this.ended(child);
  }
  /** Which secrets are to be seen in what was written and served. */
  get leaks(): string[] {
    return this.secrets.filter((secret) => `${this.output}${this.seen}`.includes(secret));
  }
  end(): void {
    for (const { pid } of this.children)
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

const block = (head: string, lines: readonly string[]): string[] => [
  `${head} {`,
  ...lines.map((line) => `  ${line}`),
  '}',
];

export function swanctlConf(tunnels: Tunnels): string {
  const connections = Object.entries(tunnels).flatMap(([name, tunnel]) =>
    block(name, [
      'version = 2',
      ...(tunnel.parameters ?? []),
      ...block('local', ['auth = psk', ...(tunnel.local ?? [])]),
      ...block('remote', ['auth = psk', ...(tunnel.remote ?? [])]),
      ...block(
        'children',
        (tunnel.children ?? [name]).flatMap((child) =>
          block(child, ['local_ts = 10.0.0.0/8,fd00::/64', 'start_action = none', ...(tunnel.childParameters ?? [])]),
        ),
      ),
    ]),
  );
  return [...block('connections', connections), 'include secrets.conf', ''].join('\n');
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The text of a random key. */
export const key = () => randomBytes(24).toString('hex');

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { missing, tools } from '../tools';

// The scripts run in dash against stubs of ip, wg and nft that keep their state in files and write down what they were given.

export const SCRIPTS = path.join(__dirname, '../../lib/wireguard');
export const STUBS = {
  ip: String.raw`
net=$TEST_KERNEL/sys/class/net
family() { case $1 in *:*) echo 6 ;; *) echo 4 ;; esac; }
case "$*" in
-V) echo 'ip utility, iproute2-6.1.0' ;;
'link add dev '*' type wireguard')
  if [ -e "$STUBS/no-module" ]; then echo 'Error: Unknown device type.' >&2; exit 2; fi
  if [ -e "$STUBS/no-permission" ]; then echo 'RTNETLINK answers: Operation not permitted' >&2; exit 2; fi
  mkdir "$net/$4"; echo 0x90 >"$net/$4/flags" ;;
'link set dev '*' alias '*) echo "$6" >"$net/$4/ifalias" ;;
'link set dev '*' mtu '*) echo "$6" >"$net/$4/mtu" ;;
'link set dev '*' up') echo 0x91 >"$net/$4/flags" ;;
'link set dev '*' down') echo 0x90 >"$net/$4/flags"; rm -f "$STUBS/route4" "$STUBS/route6" ;;
'link set dev '*' addrgenmode none') ;;
'link delete dev '*) rm -r "$net/$4"; rm -f "$STUBS"/route? "$STUBS/address" "$STUBS/wg.conf" ;;
'-4 route show default') cat "$STUBS/default" 2>/dev/null || : ;;
'-6 route show default') ;;
'-o address show dev '*)
  [ ! -e "$STUBS/address" ] || while read -r a; do echo "7: $5    inet$(family "$a" | tr -d 4) $a scope global $5"; done <"$STUBS/address" ;;
'-4 route show dev '*) [ ! -e "$STUBS/route4" ] || sed 's/.*/& proto 86 scope link/; s|/32 | |' "$STUBS/route4" ;;
'-6 route show dev '*) [ ! -e "$STUBS/route6" ] || sed 's/.*/& proto 86 metric 1024 pref medium/; s|/128 | |' "$STUBS/route6" ;;
'-force -batch '*)
  while read -r kind verb text rest; do
    echo "ip: $kind $verb $text $rest" >>"$STUBS/argv"
    if [ "$text" = bad ]; then echo 'Error: any valid prefix is expected rather than "bad".' >&2; exit 1; fi
    file=$STUBS/$kind
    [ "$kind" = address ] || file=$file$(family "$text")
    touch "$file"
    if [ "$verb" = add ]; then echo "$text" >>"$file"; else grep -vxF -e "$text" -e "$text/32" -e "$text/128" "$file" >"$file.new" || :; mv "$file.new" "$file"; fi
  done <"$3" ;;
*) echo "stub of ip: $*" >&2; exit 1 ;;
esac`,
  wg: String.raw`
[ $# -gt 2 ] || set -- "$1" "" ""
case "$1 $3" in
'show listen-port') [ -e "$TEST_KERNEL/sys/class/net/$2" ] && [ ! -e "$TEST_KERNEL/sys/class/net/$2/foreign" ] ;;
'show dump')
  if [ -e "$STUBS/dump" ]; then cat "$STUBS/dump"; exit; fi
  [ -e "$STUBS/wg.conf" ] && awk '
    /^PrivateKey = / { private = $3 }
    /^ListenPort = / { port = $3; print (private ? private : "(none)") "\tpublic\t" port "\toff" }
    /^PublicKey = / { print $3 "\t(none)\t(none)\t(none)\t0\t0\t0\toff" }' "$STUBS/wg.conf" ;;
'genkey '|'genpsk '|'pubkey ') exec "$REAL_WG" "$1" ;;
'show public-key') awk '/^PrivateKey = / { print $3 }' "$STUBS/wg.conf" | "$REAL_WG" pubkey ;;
'show latest-handshakes') awk '/^PublicKey = / { print $3 "\t0" }' "$STUBS/wg.conf" ;;
'setconf '*|'syncconf '*)
  if [ -e "$STUBS/wg-fails" ]; then cat "$STUBS/wg-fails" >&2; exit 1; fi
  awk '/^PrivateKey/ { key = $0; next } /^ListenPort/ && key { print key; key = "" } { print }' "$3" >"$STUBS/wg.conf" ;;
'set peer') [ "$6" != unknown.example:51820 ] ;;
*) echo "stub of wg: $*" >&2; exit 1 ;;
esac`,
  nft: String.raw`
case "$*" in
*' -f '*)
  if [ -e "$STUBS/nft-fails" ]; then cat "$STUBS/nft-fails" >&2; exit 1; fi
  { echo "$2 $4"; cat "$6"; } >"$STUBS/ruleset" ;;
'delete table inet vpn') rm "$STUBS/ruleset" ;;
*) echo "stub of nft: $*" >&2; exit 1 ;;
esac`,
  'wireguard-go': 'echo "$$" >"$STUBS/wireguard-go"',
};

/** The real wg makes keys; without it the tests that need one are left out. */
const REAL_WG = missing('wg') === undefined ? tools.command('wg') : undefined;

export const key = () => randomBytes(32).toString('base64');

export interface Peer {
  name: string;
  publicKey: string;
  lines?: string[];
  /** The path of the pre-shared key below /etc/wireguard. */
  preshared?: string;
}

export const aPeer = (name: string, lines: string[] = []): Peer => ({ name, publicKey: key(), lines });
/** A peer whose pre-shared key is in a Secret that is mounted whole. */
export const aGuarded = (name: string, preshared = `preshared-keys/wireguard-psk/${name}`): Peer => ({
  ...aPeer(name),
  preshared,
});

export const config = (peers: Peer[], port = 51820): string =>
  ['[Interface]', `ListenPort = ${port}`, '']
    .concat(
      ...peers.map((peer) => [
        `# name = ${peer.name}`,
        ...(peer.preshared === undefined ? [] : [`# preshared-key = ${peer.preshared}`]),
        '[Peer]',
        `PublicKey = ${peer.publicKey}`,
        'AllowedIPs = 10.13.13.2/32, fd00:13::2/128',
        ...(peer.lines ?? []),
        '',
      ]),
    )
    .join('\n');

export const NFT = 'table inet vpn\ndelete table inet vpn\ntable inet vpn {\n}\n';

/** One pod: its files, its stubs, and the processes that run in it. */
export class Pod {
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-scripts-'));
  readonly privateKey = key();
  output = '';
  private readonly children: ChildProcess[] = [];

  constructor() {
    for (const directory of [
      'bin',
      'state',
      'run/vpn',
      'run/health',
      'run/vpn-userspace',
      'sys/class/net/eth0',
      'dev/net',
    ])
      fs.mkdirSync(this.at(directory), { recursive: true });
    for (const [name, body] of Object.entries(STUBS)) this.stub(name, body);
    this.write('state/default', 'default via 10.244.0.1 dev eth0\n');
    this.write('sys/class/net/eth0/mtu', '1450\n');
    this.write('dev/net/tun', '');
    this.write('proc/sys/net/ipv4/ip_forward', '1\n');
    this.write('proc/sys/net/ipv6/conf/all/forwarding', '1\n');
    this.write('etc/wireguard/private-key/private-key', `${this.privateKey}\n`);
    this.write('etc/wireguard/config/wg.conf', config([]));
    this.write('etc/wireguard/config/nftables.conf', NFT);
    this.write('etc/wireguard/config/routes', '');
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
  write(file: string, text: string): void {
    fs.mkdirSync(path.dirname(this.at(file)), { recursive: true });
    fs.writeFileSync(this.at(`${file}.aside`), text);
    fs.renameSync(this.at(`${file}.aside`), this.at(file));
  }
  remove(file: string): void {
    fs.rmSync(this.at(file), { recursive: true, force: true });
  }
  stub(name: string, body: string): void {
    fs.writeFileSync(
      this.at(`bin/${name}`),
      `#!/bin/sh\nset -eu\n: "\${STUBS:?}"\necho "${name} $*" >>"$STUBS/argv"\n${body}\n`,
      {
        mode: 0o755,
      },
    );
  }
  /** A mounted Secret as the kubelet writes it: a directory of its own, to which one rename leads. */
  mountSecret(folder: string, keys: Record<string, string>): void {
    const version = `..${randomBytes(8).toString('hex')}`;
    fs.mkdirSync(this.at(`${folder}/${version}`), { recursive: true });
    for (const [name, text] of Object.entries(keys)) fs.writeFileSync(this.at(`${folder}/${version}/${name}`), text);
    fs.symlinkSync(version, this.at(`${folder}/..data_tmp`));
    fs.renameSync(this.at(`${folder}/..data_tmp`), this.at(`${folder}/..data`));
    for (const name of fs.readdirSync(this.at(folder)).filter((name) => !name.startsWith('..') && !(name in keys)))
      fs.unlinkSync(this.at(`${folder}/${name}`));
    for (const name of Object.keys(keys).filter((name) => !this.has(`${folder}/${name}`)))
      fs.symlinkSync(`..data/${name}`, this.at(`${folder}/${name}`));
  }
  /** Every command a script runs is written down, and then run. */
  record(...commands: string[]): void {
    for (const command of commands) {
      const real = execFileSync('/bin/sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
      this.stub(command, `exec ${real} "$@"`);
    }
  }
  environment(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: `${this.at('bin')}:${process.env['PATH'] ?? ''}`,
      TEST_ROOT: this.root,
      TEST_KERNEL: this.root,
      STUBS: this.at('state'),
      REAL_WG: REAL_WG ?? '',
      ADDRESSES: '10.13.13.1/24 fd00:13::1/64',
      LISTEN_PORT: '51820',
      POLL_SECONDS: '0.1',
      ...more,
    };
  }
  start(script: string, more: Record<string, string> = {}): ChildProcess {
    const child = spawn('dash', [path.join(SCRIPTS, script)], {
      env: this.environment(more),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.children.push(child);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (this.output += data.toString()));
    return child;
  }
  /** Start the server and wait until it says it is ready. */
  async serve(more: Record<string, string> = {}): Promise<ChildProcess> {
    this.remove('run/health/status');
    const child = this.start('server.sh', more);
    await this.until('it is ready, or ends', () => this.status['ready'] === '1' || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}\n${this.output}`);
    return child;
  }
  get status(): Record<string, string> {
    return Object.fromEntries(
      this.read('run/health/status')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [line.replace(/ .*/, ''), line.replace(/^\w+ /, '')]),
    );
  }
  get argv(): string[] {
    return this.read('state/argv').split('\n');
  }
  async until(what: string, is: () => boolean, seconds = 20): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!is()) {
      if (Date.now() > end)
        throw new Error(`not within ${seconds} s: ${what}\n${this.output}\n${this.read('run/health/status')}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  async ended(child: ChildProcess): Promise<number | string> {
    await this.until('the process has ended', () => child.exitCode !== null || child.signalCode !== null);
    return child.exitCode ?? child.signalCode ?? '';
  }
  async stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    child.kill(signal);
    return this.ended(child);
  }
  /** What is in the kernel. */
  get kernel(): Record<string, string> {
    return Object.fromEntries(
      ['address', 'route4', 'route6', 'wg.conf', 'ruleset']
        .map((name): [string, string] => [name, this.read(`state/${name}`)])
        .concat([
          ['flags', this.read('sys/class/net/wg0/flags')],
          ['mtu', this.read('sys/class/net/wg0/mtu')],
        ]),
    );
  }
  end(): void {
    // With its sleeping children, which hold the pipes open.
    for (const { pid } of this.children)
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

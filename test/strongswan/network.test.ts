/** network.sh with stand-ins of ip and nft, which write down what they are asked. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../left-out';

const SCRIPT = path.join(__dirname, '../../lib/strongswan/network.sh');

/** Links are folders below sys/class/net, routes and addresses lines of files; a line of `fails` makes a command fail. */
const IP = `#!/bin/sh
echo "ip $*" >>"$STUB/log"
[ ! -e "$STUB/fails" ] || ! printf '%s\\n' "$*" | grep -q -f "$STUB/fails" || { echo 'RTNETLINK answers: Operation not supported' >&2; exit 2; }
case "$*" in
'-o route show default') echo 'default via 169.254.1.1 dev eth0' ;;
'-o -6 route show default') ;;
'link add '*) mkdir -p "$STUB/sys/class/net/$3" ;;
'link delete dev '*) rmdir "$STUB/sys/class/net/$4" ;;
'route replace '*) echo "\${*#route replace }" >>"$STUB/routes"; sort -u -o "$STUB/routes" "$STUB/routes" ;;
'route delete '*) grep -vxF "\${*#route delete }" "$STUB/routes" >"$STUB/routes.new"; mv "$STUB/routes.new" "$STUB/routes" ;;
'route show proto '*) cat "$STUB/routes" 2>/dev/null ;;
esac
exit 0
`;
const NFT = `#!/bin/sh
echo "nft $*" >>"$STUB/log"
case "$*" in
'list table inet vpn') [ -e "$STUB/filter" ] ;;
*) for file; do :; done; cp "$file" "$STUB/filter" ;;
esac
`;

const NETWORK = `# The tunnels of this pod.

# onprem
overhead 68 16
interface ipsec7 7
address 169.254.100.2/30 169.254.100.1
route 10.1.0.0/16
route FD00:1::/48

# policy
overhead 52 4
`;

describeWith(['dash'], 'network.sh', () => {
  let folder: string;
  const at = (file: string): string => path.join(folder, file);
  const read = (file: string): string => (fs.existsSync(at(file)) ? fs.readFileSync(at(file), 'utf8') : '');
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(at(file)), { recursive: true });
    fs.writeFileSync(at(file), text);
  };
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: `${at('bin')}:${process.env['PATH'] ?? ''}`,
    STUB: folder,
    CONFIG: at('config'),
    STATE: at('state'),
    TEST_KERNEL: folder,
    POLL_SECONDS: '0.1',
  });
  const once_ = (): { status: number | null; stderr: string } =>
    spawnSync('dash', [SCRIPT, 'once'], { env: environment(), encoding: 'utf8' });
  let watcher: ChildProcess | undefined;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-network-'));
    for (const [name, text] of [
      ['ip', IP],
      ['nft', NFT],
    ] as const) {
      write(`bin/${name}`, text);
      fs.chmodSync(at(`bin/${name}`), 0o755);
    }
    write('sys/class/net/eth0/mtu', '1450\n');
    write('config/network', NETWORK);
    write('config/nftables.conf', 'table inet vpn {}\n');
  });
  afterEach(async () => {
    if (watcher !== undefined && watcher.exitCode === null) {
      const ended = once(watcher, 'exit');
      watcher.kill('SIGTERM');
      await ended;
    }
    watcher = undefined;
    fs.rmSync(folder, { recursive: true });
  });

  async function until(what: string, is: () => boolean): Promise<void> {
    for (let i = 0; i < 100; i++) {
      if (is()) return;
      await sleep(50);
    }
    throw new Error(`not ${what}: ${read('state/network/status')}\n${read('log')}`);
  }
  async function watch(): Promise<void> {
    watcher = spawn('dash', [SCRIPT, 'watch'], { env: environment(), stdio: 'ignore' });
    await until('ok', () => read('state/network/status') === 'ok\n');
  }

  test('seals first, then makes interfaces, addresses and routes', () => {
    expect(once_()).toMatchObject({ status: 0 });
    const done = read('log')
      .split('\n')
      .filter((line) => !/ show /.test(line));
    // 1450 bytes outside, 68 of headers, blocks of 16: 1374; the smallest tunnel sets the segments of TCP.
    expect(done).toEqual([
      `nft -D mss4=1334 -D mss6=1314 -f ${at('state/network/nftables.wanted')}`,
      'ip link add ipsec7 type xfrm if_id 7',
      'ip link set dev ipsec7 mtu 1374 up',
      'ip address replace 169.254.100.2/30 dev ipsec7',
      'ip route replace 10.1.0.0/16 dev ipsec7 proto 86',
      'ip route replace unreachable 10.1.0.0/16 metric 4278198272 proto 86',
      'ip route replace 169.254.100.1 dev ipsec7 proto 86',
      'ip route replace FD00:1::/48 dev ipsec7 proto 86',
      'ip route replace unreachable FD00:1::/48 metric 4278198272 proto 86',
      '',
    ]);
    expect(read('state/network/status')).toBe('ok\n');
  });

  test('takes away what a tunnel no longer has, and leaves the rest', async () => {
    await watch();
    write('log', '');
    write(
      'config/network',
      NETWORK.replace('route 10.1.0.0/16', 'route 10.2.0.0/16').replace('.100.2/30', '.100.6/30'),
    );
    await until('changed', () => read('routes').includes('10.2.0.0/16 dev') && read('state/network/status') === 'ok\n');
    expect(read('routes')).not.toContain('10.1.0.0/16');
    expect(read('log')).toContain('ip address delete 169.254.100.2/30 dev ipsec7\n');
    expect(read('log')).not.toMatch(/link (?:add|delete)/);
    expect(read('log')).not.toContain('route delete FD00');
  });

  test('removes the interface of a tunnel that is gone', async () => {
    await watch();
    write('config/network', '# The tunnels of this pod.\n');
    await until('removed', () => !fs.existsSync(at('sys/class/net/ipsec7')));
    expect(read('routes').trim()).toBe('');
  });

  test.each([
    [
      'an interface',
      (): void => fs.rmdirSync(at('sys/class/net/ipsec7')),
      (): boolean => fs.existsSync(at('sys/class/net/ipsec7')),
    ],
    ['a route', (): void => write('routes', ''), (): boolean => read('routes').includes('10.1.0.0/16 dev ipsec7')],
    ['the packet filter', (): void => fs.rmSync(at('filter')), (): boolean => fs.existsSync(at('filter'))],
  ])('%s that somebody else removes comes back', async (_what, removeIt, isBack) => {
    await watch();
    removeIt();
    await until('back', isBack);
  });

  test('a kernel without XFRM interfaces is named, with what to do', () => {
    write('fails', 'type xfrm\n');
    const { status, stderr } = once_();
    expect(status).toBe(1);
    expect(stderr).toBe(
      "network.sh: cannot make the interface ipsec7 (the node's kernel needs XFRM interfaces, CONFIG_XFRM_INTERFACE; without them use the mode policy): RTNETLINK answers: Operation not supported\n",
    );
  });

  test('what fails stands in the status, and is tried again', async () => {
    await watch();
    write('fails', '10.3.0.0\n');
    write('config/network', NETWORK.replace('10.1.0.0', '10.3.0.0'));
    await until('told', () => read('state/network/status').startsWith('cannot lead 10.3.0.0/16: RTNETLINK'));
    fs.rmSync(at('fails'));
    await until('ok again', () => read('state/network/status') === 'ok\n');
  });

  test('ends at once when it is asked to', async () => {
    await watch();
    const ended = once(watcher!, 'exit');
    watcher!.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('wrong usage is one sentence', () => {
    const { status, stderr } = spawnSync('dash', [SCRIPT], { env: environment(), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'network.sh: say once or watch, not: nothing\n' });
  });
});

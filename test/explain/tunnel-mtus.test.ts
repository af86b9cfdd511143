/** What explain takes for the MTUs of tunnels is what network.sh makes of the same file. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tunnelMtus } from '../../lib/explain/tunnel-mtus';
import { withFolder } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { IP, NFT } from '../strongswan/network-stubs';

const SCRIPT = path.join(__dirname, '../../lib/strongswan/network.sh');

/** The MTUs of the links that network.sh makes, and the segments to which it clamps. */
function made(network: string, outerBytes: number): { links: Record<string, number>; mss4: number; mss6: number } {
  return withFolder((folder) => {
    const write = (file: string, text: string): void => {
      fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      fs.writeFileSync(path.join(folder, file), text, { mode: 0o755 });
    };
    write('bin/ip', IP);
    write('bin/nft', NFT);
    write('sys/class/net/eth0/mtu', `${String(outerBytes)}\n`);
    write('config/network', network);
    write('config/nftables.conf', 'table inet vpn {}\n');
    const env = {
      PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`,
      STUB: folder,
      CONFIG: `${folder}/config`,
      STATE: `${folder}/state`,
      TEST_KERNEL: folder,
    };
    expect(spawnSync('dash', [SCRIPT, 'once'], { env, encoding: 'utf8' })).toMatchObject({ status: 0 });
    const log = fs.readFileSync(path.join(folder, 'log'), 'utf8');
    const links = [...log.matchAll(/^ip link set dev (\S+) mtu (\d+) up$/gm)].map(([, name, mtu]) => [
      name,
      Number(mtu),
    ]);
    const [, mss4, mss6] = /^nft -D mss4=(\d+) -D mss6=(\d+) /m.exec(log) ?? [];
    return { links: Object.fromEntries(links) as Record<string, number>, mss4: Number(mss4), mss6: Number(mss6) };
  });
}

const tunnel = (name: string, ...lines: readonly string[]): string => `\n# ${name}\n${lines.join('\n')}\n`;
const HEAD = '# The tunnels of this pod.\n';

describeWith(['dash'], 'the MTUs of tunnels', () => {
  test.each<[title: string, network: string]>([
    ['one whose algorithm fills blocks', `${HEAD}${tunnel('a', 'overhead 68 16', 'interface ipsec1 1')}`],
    ['one whose algorithm fills none', `${HEAD}${tunnel('a', 'overhead 60 4', 'interface ipsec1 1')}`],
    ['one with an MTU of its own', `${HEAD}${tunnel('a', 'mtu 1380', 'interface ipsec1 1')}`],
    ['one whose remote end takes no more', `${HEAD}${tunnel('a', 'overhead 60 4', 'most 1390', 'interface ipsec1 1')}`],
    ['one whose remote end takes more', `${HEAD}${tunnel('a', 'overhead 60 4', 'most 8000', 'interface ipsec1 1')}`],
    ['an overlay', `${HEAD}overlay 0\n${tunnel('a', 'mtu 9000', 'interface ipsec1 1')}`],
    ['an overlay with an MTU of its own', `${HEAD}overlay 1300\n${tunnel('a', 'overhead 60 4', 'interface ipsec1 1')}`],
    [
      'several, one without an interface',
      `${HEAD}overlay 0\n${tunnel('a', 'overhead 68 16', 'interface ipsec1 1')}${tunnel('b', 'overhead 80 4')}${tunnel('c', 'mtu 1440', 'interface ipsec3 3')}`,
    ],
  ])('are those of network.sh: %s', (_title, network) => {
    for (const outer of [1280, 1421, 1450, 1500, 9001]) {
      const { links, mss4, mss6 } = made(network, outer);
      const { byTunnel, smallest } = tunnelMtus(network, outer);
      const names = [...network.matchAll(/^# ([a-z])$\n(?:(?!#).*\n)*?interface (\S+)/gm)];
      expect(names.length).toBeGreaterThan(0);
      for (const [, name = '', link = ''] of names)
        expect([name, outer, byTunnel.get(name)]).toEqual([name, outer, links[link]]);
      expect([smallest - 40, smallest - 60]).toEqual([mss4, mss6]);
    }
  });
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { withFolder } from '../helm/real-helm';
import { CommandLine } from './command-line';

const cli = new CommandLine();
afterAll(() => cli.remove());

const KEY = 'Zb5uSoMHs3Y9l2RSnnq1v0ydCq0bkA';
const SITE = `
cluster: {podCidrs: [10.244.0.0/16]}
gateways: {a: {identity: vpn@example.com}}
tunnels:
  onprem:
    gateway: a
    remote: {address: 198.51.100.7, networks: [10.1.0.0/16]}
    presharedKey: {existingSecret: psk}
`;
const show = (args: readonly string[], input = SITE, cwd?: string): ReturnType<typeof cli.run> =>
  cli.run(['showconf', 'ipsec', ...args, '-f', '-'], { input, ...(cwd !== undefined && { cwd }) });

describe('showconf ipsec', () => {
  test('prints what the remote end has to be configured with, and no key that it does not know', () => {
    const { code, out, err } = show(['onprem', '--address', '203.0.113.10']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('remote_addrs = 203.0.113.10\n');
    expect(out).toContain('secret = "(the pre-shared key)"');
    expect(out).toContain('ip route replace unreachable 10.244.0.0/16');
  });

  test('puts the key of a file in, in base64, and that of the values', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'psk'), `${KEY}\n`);
      const line = `secret = 0s${Buffer.from(KEY).toString('base64')}\n`;
      expect(show(['onprem', '--preshared-key-file', 'psk'], SITE, cwd).out).toContain(line);
      const given = SITE.replace('existingSecret: psk', `value: ${KEY}`);
      expect(show(['onprem'], given).out).toContain(line);
      const twice = show(['onprem', '--preshared-key-file', 'psk'], given, cwd);
      expect(twice).toMatchObject({ code: 2, out: '' });
      expect(twice.err).toContain('the key is in tunnels.onprem.presharedKey.value already; leave the flag out');
    });
  });

  test('-o writes new files for their owner into a folder, all or none', () => {
    withFolder((cwd) => {
      fs.mkdirSync(path.join(cwd, 'router'));
      expect(show(['onprem', '-o', 'router'], SITE, cwd)).toEqual({ code: 0, out: '', err: '' });
      expect(fs.readdirSync(path.join(cwd, 'router')).sort()).toEqual(['onprem-network.sh', 'onprem.conf']);
      expect(fs.statSync(path.join(cwd, 'router/onprem.conf')).mode & 0o777).toBe(0o600);
      fs.rmSync(path.join(cwd, 'router/onprem.conf'));
      const again = show(['onprem', '-o', 'router'], SITE, cwd);
      expect(again.code).toBe(2);
      expect(fs.existsSync(path.join(cwd, 'router/onprem.conf'))).toBe(false);
    });
  });

  test.each([
    [['onprm'], 'tunnel: there is no such tunnel, got "onprm"; did you mean onprem?'],
    [['onprem', '--qr'], '--qr: is not for the chart ipsec; leave it out'],
    [
      ['onprem', '--as', 'cisco'],
      "error: option '--as <kind>' argument 'cisco' is invalid. Allowed choices are strongswan.",
    ],
    [
      ['onprem', '--address', 'a b'],
      "error: option '--address <host>' argument 'a b' is invalid. Name a host or an IP address.",
    ],
    [
      ['onprem', '--preshared-key-file', 'nowhere'],
      'nowhere: there is no such file; check the path after --preshared-key-file',
    ],
  ] as const)('%j is wrong usage, in a sentence', (args, sentence) => {
    const { code, out, err } = show(args);
    expect({ code, out, first: err.split('\n')[0] }).toEqual({ code: 2, out: '', first: sentence });
  });

  test('a bad key is not shown', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'psk'), 'has a blank, and is s3cret\n');
      const { code, out, err } = show(['onprem', '--preshared-key-file', 'psk'], SITE, cwd);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('psk: is not 1 to 256 printable ASCII characters without blanks; ');
      expect(err).not.toContain('s3cret');
    });
  });

  test('the flags of a tunnel are not for a peer, nor keys for a tunnel', () => {
    expect(cli.run(['showconf', 'wireguard', 'alice', '--as', 'strongswan']).err).toContain(
      '--as: is not for the chart wireguard; leave it out',
    );
    expect(cli.run(['keys', 'ipsec', 'onprem']).err).toContain(
      'chart: this one has no peers with keys, got "ipsec"; name wireguard',
    );
  });
});

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
const BGP = `
cluster: {podCidrs: [10.244.0.0/16], nodeCidrs: [172.27.0.0/20]}
gateways: {a: {identity: vpn@example.com}}
routes: {mode: bgp, localAs: 65010, import: {site: {cidr: 10.1.0.0/16}}}
tunnels:
  onprem:
    gateway: a
    remote: {address: 198.51.100.7}
    presharedKey: {existingSecret: psk}
    inside: {local: 169.254.100.2/30, remote: 169.254.100.1}
    bgp: {peerAs: 64514, password: {existingSecret: bgp}}
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
      expect(fs.readdirSync(path.join(cwd, 'router')).sort()).toEqual([
        'onprem-charon.conf',
        'onprem-network.sh',
        'onprem.conf',
      ]);
      expect(fs.statSync(path.join(cwd, 'router/onprem.conf')).mode & 0o777).toBe(0o600);
      fs.rmSync(path.join(cwd, 'router/onprem.conf'));
      const again = show(['onprem', '-o', 'router'], SITE, cwd);
      expect(again.code).toBe(2);
      expect(fs.existsSync(path.join(cwd, 'router/onprem.conf'))).toBe(false);
    });
  });

  test('has the BGP session of a tunnel, with the password of a file', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'password'), 'b!gp#1\n');
      expect(show(['onprem', '-o', 'router', '--bgp-password-file', 'password'], BGP, cwd)).toMatchObject({ code: 0 });
      expect(fs.readdirSync(path.join(cwd, 'router')).sort()).toEqual([
        'onprem-charon.conf',
        'onprem-frr.conf',
        'onprem-network.sh',
        'onprem.conf',
      ]);
      const frr = path.join(cwd, 'router/onprem-frr.conf');
      expect(fs.readFileSync(frr, 'utf8')).toContain(' neighbor 169.254.100.2 password b!gp#1\n');
      expect(fs.statSync(frr).mode & 0o777).toBe(0o600);
    });
    expect(show(['onprem'], BGP).out).toContain(
      ' ! neighbor 169.254.100.2 password (the key password of the Secret bgp)\n',
    );
  });

  test('a password that is none, or is for nothing, is refused and not shown', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'password'), 'has a blank, and is s3cret\n');
      const flags = ['onprem', '--bgp-password-file', 'password'];
      const bad = show(flags, BGP, cwd);
      expect([bad.code, bad.out]).toEqual([2, '']);
      expect(bad.err).toBe(
        'password: is not 1 to 80 printable ASCII characters without blanks; --bgp-password-file takes a file with one key in one line\n',
      );
      for (const input of [SITE, BGP.replace(', password: {existingSecret: bgp}', '')]) {
        const unused = show(flags, input, cwd);
        expect([unused.code, unused.out]).toEqual([2, '']);
        expect(unused.err).toBe(
          '--bgp-password-file: tunnels.onprem has no password of BGP; leave the flag out, or set bgp.password\n',
        );
      }
    });
  });

  test('-o makes the folder, and leaves nothing where it cannot', () => {
    withFolder((cwd) => {
      expect(show(['onprem', '-o', 'new/router'], SITE, cwd)).toEqual({ code: 0, out: '', err: '' });
      expect(fs.readdirSync(path.join(cwd, 'new/router'))).toContain('onprem.conf');
      expect(fs.statSync(path.join(cwd, 'new/router/onprem.conf')).mode & 0o777).toBe(0o600);
      fs.writeFileSync(path.join(cwd, 'file'), '');
      expect(show(['onprem', '-o', 'file'], SITE, cwd)).toEqual({
        code: 2,
        out: '',
        err: 'file: cannot write a folder where a file is; name another folder\n',
      });
      expect(fs.readdirSync(cwd).sort()).toEqual(['file', 'new']);
    });
  });

  test('--help says that the name is that of a peer or tunnel', () => {
    const { code, out } = cli.run(['showconf', '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: .* <chart> <name>$/m);
    expect(out).toMatch(/^ +name +name of the peer or tunnel$/m);
  });

  test.each([
    [['onprm'], 'tunnel: there is no such tunnel, got "onprm"; did you mean onprem?'],
    [['onprem', '--qr'], '--qr: is not for the chart ipsec; leave it out'],
    [
      ['onprem', '--as', 'cisco'],
      "error: option '--as <kind>' argument 'cisco' is invalid. Allowed choices are strongswan, aws, gcp.",
    ],
    [
      ['onprem', '--format', 'hcl'],
      "error: option '--format <format>' argument 'hcl' is invalid. Allowed choices are wg-quick, wg, text, terraform.",
    ],
    [['onprem', '--format', 'wg'], '--format: is not for the chart ipsec, got "wg"; choose one of text, terraform'],
    [['onprem', '--format', 'terraform'], '--format: there is nothing for Terraform at a router; leave it out'],
    [
      ['onprem', '--as', 'gcp', '--address', '203.0.113.9'],
      '--address: is not used, since Cloud VPN knows the gateways by their identities; leave it out',
    ],
    [
      ['onprem', '--as', 'aws', '--address', 'vpn.example.com'],
      '--address: is not an IPv4 address, as customer gateways have, got "vpn.example.com"; name one',
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

  const AWS = SITE.replace('{identity: vpn@example.com}', '{exposure: hostPort, identity: 203.0.113.10}').replace(
    'gateway: a',
    'gateway: a\n    preset: aws',
  );

  test('without --as it is for what the preset names, as a list or for Terraform', () => {
    expect(show(['onprem'], AWS).out).toContain('\n   Phase1EncryptionAlgorithms: AES256-GCM-16, AES256\n');
    expect(show(['onprem', '--format', 'text'], AWS)).toEqual(show(['onprem', '--as', 'aws'], AWS));
    const { code, out, err } = show(['onprem', '--format', 'terraform'], AWS);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('\nresource "aws_vpn_connection" "vpn_onprem" {\n');
    expect(show(['onprem', '--format', 'terraform'], AWS.replace('preset: aws', 'preset: gcp')).out).toContain(
      '\nresource "google_compute_vpn_tunnel" "vpn_onprem" {\n',
    );
    expect(show(['onprem', '--as', 'strongswan'], AWS).out).toContain('remote_addrs = 203.0.113.10\n');
  });

  test('a cloud has the key of a file or of the values, and no key that it does not know', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'psk'), `${KEY}\n`);
      const args = ['onprem', '--preshared-key-file', 'psk'];
      expect(show(args, AWS, cwd).out).toContain(`PreSharedKey: ${KEY}\n`);
      expect(show([...args, '--format', 'terraform'], AWS, cwd).out).toContain(`  default   = "${KEY}"\n`);
      expect(show(['onprem'], AWS.replace('existingSecret: psk', `value: ${KEY}`)).out).toContain(KEY);
      expect(show(['onprem'], AWS).out).toContain('PreSharedKey: (the key psk of the Secret psk)\n');
      fs.writeFileSync(path.join(cwd, 'psk'), 'not-for-aws-s3cret-at-all\n');
      const { code, out, err } = show(args, AWS, cwd);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('psk: is not what AWS takes: ');
      expect(err).not.toContain('s3cret');
    });
  });

  test('-o writes the file of a cloud, whose gateway at Google is one for all tunnels', () => {
    withFolder((cwd) => {
      expect(show(['onprem', '-o', '.', '--format', 'terraform'], AWS, cwd).code).toBe(0);
      expect(show(['onprem', '-o', '.'], AWS.replace('preset: aws', 'preset: gcp'), cwd).code).toBe(0);
      expect(fs.readdirSync(cwd).sort()).toEqual(['gcp.txt', 'onprem.tf']);
      expect(fs.statSync(path.join(cwd, 'onprem.tf')).mode & 0o777).toBe(0o600);
    });
  });

  test.each([
    [
      ['--as', 'gcp'],
      AWS,
      'tunnels.onprem.preset: is not gcp, so the tunnel does not keep to what gcp demands, got "aws"; set it to gcp, or ask for another kind of remote end',
    ],
    [
      [],
      AWS.replace('preset: aws', 'preset: azure'),
      'tunnels.onprem.preset: there is no configuration of such a remote end, got "azure"; configure it as docs/ipsec.md says of the preset, or choose another kind with --as',
    ],
    [
      [],
      AWS.replace('203.0.113.10', 'vpn.example.com'),
      'tunnels.onprem.localIdentity: is not an IPv4 address, by which AWS knows a customer gateway with a pre-shared key, got "vpn.example.com"; set it, or identity of the gateway, to the address, or name the address beside (--address)',
    ],
    [
      [],
      AWS.replace('preset: aws', 'preset: gcp\n    mode: policy'),
      'tunnels.onprem.mode: is policy, but HA VPN takes its routes by BGP only; ',
    ],
  ] as [string[], string, string][])(
    '%j for values that do not fit is refused at their place',
    (args, input, sentence) => {
      const { code, out, err } = show(['onprem', ...args], input);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^[^:]+:\d+:\d+: /);
      expect(err).toContain(sentence);
      expect(err.trim().split('\n')).toHaveLength(1);
    },
  );

  test('a password that the cloud does not know is refused by check as well', () => {
    const input = BGP.replace('{identity: vpn@example.com}', '{exposure: hostPort, identity: 203.0.113.10}').replace(
      'gateway: a',
      'gateway: a\n    preset: aws',
    );
    const sentence =
      'tunnels.onprem.bgp.password: is not possible: a remote end of the preset aws knows no passwords of BGP; remove it\n';
    for (const { code, out, err } of [show(['onprem'], input), cli.run(['check', 'ipsec', '-f', '-'], { input })]) {
      expect([code, out]).toEqual([1, '']);
      expect(err.endsWith(sentence)).toBe(true);
      expect(err.trim().split('\n')).toHaveLength(1);
    }
    expect(show(['onprem'], input.replace(', password: {existingSecret: bgp}', '')).code).toBe(0);
  });

  test('the flags of a tunnel are not for a peer, nor keys for a tunnel', () => {
    expect(cli.run(['showconf', 'wireguard', 'alice', '--format', 'terraform']).err).toContain(
      '--format: is not for the chart wireguard, got "terraform"; choose one of wg-quick, wg',
    );
    expect(cli.run(['showconf', 'wireguard', 'alice', '--as', 'strongswan']).err).toContain(
      '--as: is not for the chart wireguard; leave it out',
    );
    expect(cli.run(['showconf', 'wireguard', 'alice', '--bgp-password-file', 'x']).err).toContain(
      '--bgp-password-file: is not for the chart wireguard; leave it out',
    );
    expect(cli.run(['keys', 'ipsec', 'onprem']).err).toContain(
      'chart: this one has no peers with keys, got "ipsec"; name wireguard',
    );
  });
});

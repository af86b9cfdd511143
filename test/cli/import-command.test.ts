import * as fs from 'node:fs';
import * as path from 'node:path';
import { withFolder } from '../helm/real-helm';
import { CommandLine } from './command-line';

const cli = new CommandLine();
afterAll(() => cli.remove());

const PSK = 's3cret-key-of-the-old-chart';
const OLD = `
podCIDR: 10.10.0.0/16
serviceCIDR: 10.96.0.0/12
peerCIDRs: [10.1.0.0/16, 10.2.0.0/16]
mtu: 1300
ipsec: {psk: ${PSK}, peer: 198.51.100.7}
image: ghcr.io/edgelesssys/constellation/vpn@sha256:88b6
`;
/** Every key of the old chart, and what its templates fixed. */
const KEYS = ['podCIDR', 'serviceCIDR', 'peerCIDRs', 'mtu', 'ipsec.psk', 'ipsec.peer', 'image'];

const read = (folder: string, file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');
function imported(cwd: string, old: string, ...flags: string[]): ReturnType<typeof cli.run> {
  fs.writeFileSync(path.join(cwd, 'old.yaml'), old);
  return cli.run(['import', 'constellation', 'old.yaml', '-o', 'site', ...flags], { cwd });
}

describe('import constellation', () => {
  test('passes check with the identity that it asks for; its report names every key', () => {
    withFolder((cwd) => {
      const { code, out, err } = imported(cwd, OLD, '--identity', '203.0.113.10');
      expect([code, err]).toEqual([0, '']);
      for (const key of KEYS) expect(out).toMatch(new RegExp(`^${key.replace('.', '\\.')}: .`, 'm'));
      expect(out).toMatch(/^one replica: .*\nService of type LoadBalancer.*\nthe privileged sidecar.*\nenable-sctp/m);
      const values = read(cwd, 'site/values.yaml');
      for (const part of ['10.10.0.0/16', '10.96.0.0/12', '10.1.0.0/16', '10.2.0.0/16', 'mtu: 1300', '198.51.100.7'])
        expect(values).toContain(part);
      expect(cli.run(['check', 'ipsec', '-f', 'site/values.yaml'], { cwd })).toMatchObject({ code: 0, err: '' });
    });
  });

  test('keeps the key in a file of its own, for its owner', () => {
    withFolder((cwd) => {
      const { out } = imported(cwd, OLD);
      expect(out).not.toContain(PSK);
      expect(read(cwd, 'site/values.yaml')).not.toContain(PSK);
      expect(read(cwd, 'site/secrets.yaml')).toContain(`psk: ${PSK}`);
      expect(fs.statSync(path.join(cwd, 'site/secrets.yaml')).mode & 0o777).toBe(0o600);
    });
  });

  test('without the identity, the report and check name the same path', () => {
    withFolder((cwd) => {
      const missing = /^(gateways\.a\.identity): is missing/m;
      expect(missing.exec(imported(cwd, OLD).out)?.[1]).toBe('gateways.a.identity');
      const { code, err } = cli.run(['check', 'ipsec', '-f', 'site/values.yaml'], { cwd });
      expect([code, /gateways\.a\.identity: is missing/.test(err)]).toEqual([1, true]);
    });
  });

  test('whatever else check finds in the values is in the report, in the same words', () => {
    withFolder((cwd) => {
      const old = OLD.replace('mtu: 1300', 'mtu: 100').replace('10.2.0.0/16', '10.1.2.0/24');
      const { code, out } = imported(cwd, old, '--identity', '203.0.113.10');
      expect(code).toBe(0);
      const { err } = cli.run(['check', 'ipsec', '-f', 'site/values.yaml'], { cwd });
      const said = err
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^site\/values\.yaml:[0-9:]* /, ''));
      expect(said).toContain('tunnels.onprem.mtu: is too small, got 100; use 576 or more');
      expect(out.split('\n')).toEqual(expect.arrayContaining(said));
    });
  });

  test('what was a default in the old chart is one here', () => {
    withFolder((cwd) => {
      expect(imported(cwd, 'peerCIDRs: [10.1.0.0/16]\nmtu:\nipsec: {psk: "", peer: 198.51.100.7}\n').code).toBe(0);
      const values = read(cwd, 'site/values.yaml');
      expect(values).toContain('podCidrs:\n    - "10.10.0.0/16"\n');
      expect(values).toContain('serviceCidrs:\n    - "10.96.0.0/12"\n');
      expect(values).not.toContain('mtu');
    });
  });

  test('a key that the gateway would refuse is reported, and no key is shown', () => {
    withFolder((cwd) => {
      const { code, out } = imported(cwd, OLD.replace(PSK, 'sh0rt'));
      expect(code).toBe(0);
      expect(out).toMatch(/^ipsec\.psk: is in the Secret onprem-psk, .* has less than 20 characters/m);
      expect(out).not.toContain('sh0rt');
      fs.rmSync(path.join(cwd, 'site'), { recursive: true });
      const { code: refused, err } = imported(cwd, OLD.replace(PSK, '4815162342'));
      expect([refused, err]).toEqual([
        1,
        'old.yaml:6:9: ipsec.psk: must be text, got something of another type; write it like "a key in quotes"\n',
      ]);
    });
  });

  const TEXT = 'Zb5uSoMHs3Y9l2RSnnq1v0ydCq0bkA';
  const BYTES = Buffer.from('00ff10203040506070', 'hex');
  test.each<[string, string, string, string]>([
    [
      '0x',
      Buffer.from(TEXT).toString('hex'),
      `stringData:\n  psk: ${TEXT}\n`,
      ', decoded from hexadecimal digits as charon did',
    ],
    [
      '0X',
      Buffer.from(TEXT).toString('hex').toUpperCase(),
      `stringData:\n  psk: ${TEXT}\n`,
      ', decoded from hexadecimal digits as charon did',
    ],
    [
      '0s',
      Buffer.from(TEXT).toString('base64'),
      `stringData:\n  psk: ${TEXT}\n`,
      ', decoded from base64 as charon did',
    ],
    [
      '0s',
      BYTES.toString('base64'),
      `data:\n  psk: ${BYTES.toString('base64')}\n`,
      ', decoded from base64 as charon did; it is not 1 to 256 printable ASCII characters without blanks, and the gateway refuses it: make one with `openssl rand -base64 33`',
    ],
    [
      '0x',
      Buffer.from('sh0rt').toString('hex'),
      'stringData:\n  psk: sh0rt\n',
      ', decoded from hexadecimal digits as charon did; it has less than 20 characters, so that it can be guessed, and the gateway refuses it: make one with `openssl rand -base64 33`, or set allowWeak to true',
    ],
  ])('a key of charon that begins with %s is decoded: %s', (prefix, digits, secret, sentence) => {
    withFolder((cwd) => {
      const { code, out, err } = imported(cwd, OLD.replace(PSK, `"${prefix}${digits}"`));
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain(`ipsec.psk: is in the Secret onprem-psk, in a file of its own${sentence}\n`);
      expect(read(cwd, 'site/secrets.yaml').replaceAll('"', '')).toContain(secret);
      for (const shown of [digits, TEXT, 'sh0rt']) expect(out).not.toContain(shown);
    });
  });

  test.each([
    ['0x', '0123456789abcdef0123g', 'hexadecimal digits'],
    ['0x', '0123456789abcdef01234', 'hexadecimal digits'],
    ['0x', '', 'hexadecimal digits'],
    ['0s', 'not-base64-at-all-no', 'base64'],
    ['0s', 'YWJjZ', 'base64'],
  ])('a key %s%s that charon did not decode is left out', (prefix, digits, noun) => {
    withFolder((cwd) => {
      const { code, out, err } = imported(cwd, OLD.replace(PSK, `"${prefix}${digits}"`));
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain(
        `ipsec.psk: is left out: it begins with ${prefix}, and the rest is not ${noun}; make the Secret onprem-psk with the key psk\n`,
      );
      if (digits !== '') expect(out).not.toContain(digits);
      expect(fs.existsSync(path.join(cwd, 'site/secrets.yaml'))).toBe(false);
    });
  });

  test('several files are merged as Helm does', () => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'base.yaml'), OLD);
      fs.writeFileSync(path.join(cwd, 'over.yaml'), 'mtu: 1400\n');
      const { code } = cli.run(['import', 'constellation', 'base.yaml', 'over.yaml', '-o', 'site'], { cwd });
      expect(code).toBe(0);
      expect(read(cwd, 'site/values.yaml')).toContain('mtu: 1400');
    });
  });

  test('what the old chart has by default may be missing', () => {
    withFolder((cwd) => {
      const { code, out } = imported(
        cwd,
        'peerCIDRs: [10.1.0.0/16]\nmtu: ""\nipsec: {peer: vpn.example.com}\n',
        '--identity',
        'a',
      );
      expect(code).toBe(0);
      expect(out).toContain('ipsec.psk: is missing; make the Secret onprem-psk with the key psk\n');
      expect(fs.existsSync(path.join(cwd, 'site/secrets.yaml'))).toBe(false);
      expect(cli.run(['check', 'ipsec', '-f', 'site/values.yaml'], { cwd }).code).toBe(0);
    });
  });

  test('bad values are told with their places, and nothing is written', () => {
    withFolder((cwd) => {
      const { code, out, err } = imported(cwd, 'peerCIDRs: [10.1.0.0]\nipsec: {peer: a b}\npodCidr: x\n');
      expect([code, out]).toEqual([1, '']);
      expect(err.split('\n').map((line) => line.split(': ')[1])).toEqual(
        expect.arrayContaining(['peerCIDRs[0]', 'ipsec.peer', 'podCidr']),
      );
      expect(fs.existsSync(path.join(cwd, 'site'))).toBe(false);
    });
  });

  test('files that are there stay', () => {
    withFolder((cwd) => {
      fs.mkdirSync(path.join(cwd, 'site'));
      fs.writeFileSync(path.join(cwd, 'site/values.yaml'), 'mine');
      expect(imported(cwd, OLD).code).toBe(2);
      expect(read(cwd, 'site/values.yaml')).toBe('mine');
      expect(fs.existsSync(path.join(cwd, 'site/secrets.yaml'))).toBe(false);
    });
  });

  test.each([
    [
      ['import', 'constellation', 'none.yaml', '-o', 'site'],
      'none.yaml: there is no such file; check the path after constellation\n',
    ],
    [
      ['import', 'constellation', 'old.yaml', '-o', 'old.yaml'],
      'old.yaml: cannot write a folder where a file is; name another folder\n',
    ],
    [
      ['import', 'constellation', 'old.yaml', '-o', 'site', '--config', 'x', '--endpoint', 'a'],
      '--endpoint: is not for the import constellation; leave it out\n--config: is not for the import constellation; leave it out\n',
    ],
    [
      ['import', 'constellation', 'old.yaml', '-o', 'site', '--identity', 'a', '--identity', 'b'],
      '--identity: is given 2 times, but there is one gateway; leave out the others\n',
    ],
    [
      ['import', 'linuxserver', 'old.yaml', '-o', 'site', '--identity', 'a'],
      '--identity: is not for the import linuxserver; leave it out\n',
    ],
  ])('%j is wrong usage', (args, err) => {
    withFolder((cwd) => {
      fs.writeFileSync(path.join(cwd, 'old.yaml'), OLD);
      expect(cli.run(args, { cwd })).toEqual({ code: 2, out: '', err });
      expect(fs.readdirSync(cwd)).toEqual(['old.yaml']);
    });
  });

  test('another chart is wrong usage', () => {
    expect(cli.run(['import', 'openvpn', 'old.yaml', '-o', 'site'])).toMatchObject({ code: 2, out: '' });
  });
});

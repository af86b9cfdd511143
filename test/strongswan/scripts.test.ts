import { execFileSync, spawnSync } from 'node:child_process';
import * as dgram from 'node:dgram';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { SCRIPTS as MOUNTED } from '../../lib/strongswan/scripts';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { authority } from './authority';
import { anSa, FASTER, key, Pod, SCRIPTS, type Tunnels } from './script-pod';

let pod: Pod;
beforeEach(() => {
  pod = new Pod();
});
afterEach(() => {
  const { leaks, output } = pod;
  pod.end();
  expect(leaks).toEqual([]);
  expect(output).not.toContain('Traceback');
  expect(output).not.toContain('a fault in line');
});
jest.setTimeout(60_000);

const two: Tunnels = { onprem: {}, branch: {} };
const secretsConf = () => pod.read('state/swanctl/secrets.conf');

describeWith(['dash', 'python3'], 'what control.py composes', () => {
  test('is what was mounted, with the keys of the tunnels in base64 and both identities', async () => {
    pod.configure({ onprem: { key: 'k.onprem' }, branch: { key: 'k.branch', ids: ['a.example', 'b.example'] } });
    await pod.serve();
    expect(pod.read('state/swanctl/swanctl.conf')).toBe(pod.read('config/swanctl.conf'));
    expect(secretsConf()).toBe(
      [
        'secrets {',
        '  ike-onprem {',
        '    id-1 = "203.0.113.10"',
        '    id-2 = "198.51.100.7"',
        `    secret = 0s${Buffer.from('k.onprem').toString('base64')}`,
        '  }',
        '  ike-branch {',
        '    id-1 = "a.example"',
        '    id-2 = "b.example"',
        `    secret = 0s${Buffer.from('k.branch').toString('base64')}`,
        '  }',
        '}',
        '',
      ].join('\n'),
    );
    for (const file of fs.readdirSync(pod.at('state/swanctl'), { recursive: true, withFileTypes: true }))
      if (file.isFile()) expect(fs.statSync(path.join(file.parentPath, file.name)).mode & 0o777).toBe(0o600);
  });

  const KEYS: Record<string, [given: string | Buffer, taken: string | Buffer]> = {
    'a-line-break': ['one\n', 'one'],
    'dos-line-break': ['one\r\n', 'one'],
    'only-the-last': ['one\n\n', 'one\n'],
    'a-break-inside': ['one\ntwo', 'one\ntwo'],
    'other-white': [' one\t\r', ' one\t\r'],
    'base64-prefix': ['0sYWJj', '0sYWJj'],
    'hex-prefix': ['0x1234', '0x1234'],
    quotes: ['"}\n{#\\', '"}\n{#\\'],
    utf8: ['schlüssel ☃', 'schlüssel ☃'],
    'no-text': [Buffer.from([0, 255, 254, 10, 13]), Buffer.from([0, 255, 254, 10, 13])],
  };
  test('has every key as it is, without one line break at its end', async () => {
    pod.configure(Object.fromEntries(Object.entries(KEYS).map(([name, [given]]) => [name, { key: given }])));
    await pod.serve();
    const taken = [...secretsConf().matchAll(/ike-(\S+) \{\n(?:.*id-.*\n)*\s+secret = 0s(\S+)\n/g)].map(
      ([, name, secret]) => [name, Buffer.from(secret ?? '', 'base64').toString('hex')],
    );
    expect(Object.fromEntries(taken)).toEqual(
      Object.fromEntries(Object.entries(KEYS).map(([name, [, key]]) => [name, Buffer.from(key).toString('hex')])),
    );
  });

  test('has identities in quotes, whatever is in them', async () => {
    const ids = ['C=CH, O="Müller \\ Söhne", CN=a', '# } {', 'keyid:a"b', '%any'];
    pod.configure({ onprem: { ids } });
    await pod.serve();
    expect(secretsConf().split('\n').slice(2, 6)).toEqual([
      String.raw`    id-1 = "C=CH, O=\"Müller \\ Söhne\", CN=a"`,
      '    id-2 = "# } {"',
      String.raw`    id-3 = "keyid:a\"b"`,
      '    id-4 = "%any"',
    ]);
  });

  test('lacks a key that is missing, empty or breaks a rule; it is said which, and the other tunnels go on', async () => {
    const rules = [
      { pattern: '^[A-Za-z0-9._]*$', problem: 'has other characters than A-Z', remedy: 'make another one' },
      { pattern: '^.{8,}$', problem: 'is too short', remedy: 'make a longer one' },
    ];
    pod.configure({
      missing: { key: null },
      empty: { key: '\n' },
      wild: { key: 'no spaces', rules },
      break: { key: 'lines.in.it\n\n', rules },
      short: { key: 'ab', rules },
      wild2: { key: '#', rules },
      good: { key: 'good.enough', rules },
    });
    pod.charon();
    await pod.control();
    await pod.until('all are up', async () => (await pod.metrics())['ipsec_tunnel_up{tunnel="good"}'] === 1);
    const lines = [
      'tunnels.missing.presharedKey: key psk of the Secret missing is missing; make it',
      'tunnels.empty.presharedKey: key psk of the Secret empty is empty; put the key there',
      'tunnels.wild.presharedKey: has other characters than A-Z; make another one',
      'tunnels.break.presharedKey: has other characters than A-Z; make another one',
      'tunnels.short.presharedKey: is too short; make a longer one',
      'tunnels.wild2.presharedKey: has other characters than A-Z; make another one',
    ];
    const { code, body } = await pod.get('/ready');
    expect([code, body.split('\n')]).toEqual([503, [...lines, '']]);
    expect((await pod.get('/status')).body).toContain(`problems\n  ${lines.join('\n  ')}\n`);
    expect(await pod.metrics()).toMatchObject({ ipsec_configuration_ok: 0, ipsec_charon_up: 1 });
    expect(secretsConf().match(/ike-\S+/g)).toEqual(['ike-good']);
    await pod.settle();
    for (const line of lines) expect(pod.output.split(`control.py: ${line}\n`)).toHaveLength(2);

    pod.write('secrets/missing/psk', 'now.it.is.there');
    await pod.until('it is told', () => pod.output.includes(`corrected: ${String(lines[0])}\n`));
    expect(secretsConf().match(/ike-\S+/g)).toEqual(['ike-missing', 'ike-good']);
  });

  test('has the post-quantum key of a tunnel', async () => {
    const postQuantumKey = { file: pod.at('secrets/ppk'), source: 'key ppk of the Secret pq', id: 'ppk "1"' };
    pod.configure({ onprem: { more: { postQuantumKey } } });
    pod.charon();
    await pod.control();
    await pod.unready('tunnels.onprem.postQuantumKey: key ppk of the Secret pq is missing; make it');
    pod.secrets.push('quantum');
    pod.write('secrets/ppk', 'quantum\n');
    await pod.ready();
    expect(secretsConf()).toContain(
      `  ppk-onprem {\n    id-1 = "ppk \\"1\\""\n    secret = 0s${Buffer.from('quantum').toString('base64')}\n  }\n`,
    );
  });

  describe('of certificates', () => {
    const root = authority();
    const other = authority({ CN: 'Other' });
    const leaf = root.issue({ subject: { CN: 'left' } });
    const more = (folder: string, identity: string) => ({
      certificate: { folder: pod.at(folder), identity, '': null },
      authorities: {
        'onprem-ca.crt': { file: pod.at(`${folder}/ca.crt`), source: 'key ca.crt of the Secret certs' },
        '': null,
      },
    });
    const configure = (files: Record<string, string>, identity = 'keyid:left') => {
      pod.configure({
        onprem: {
          more: more('certs', identity),
          key: null,
          local: ['certs = onprem.crt'],
          remote: ['cacerts = onprem-ca.crt'],
        },
      });
      for (const [name, text] of Object.entries(files)) pod.write(`certs/${name}`, text);
      const secret = files['tls.key']?.split('\n')[1];
      if (secret !== undefined) pod.secrets.push(secret);
    };
    const good = { 'tls.crt': leaf.certificate, 'tls.key': leaf.privateKey, 'ca.crt': root.certificate };
    const files = (folder: string) => fs.readdirSync(pod.at(`state/swanctl/${folder}`)).sort();

    test('is the certificate, its chain and its key, and one file for every certificate of an authority', async () => {
      configure({
        ...good,
        'tls.crt': `bag attributes\n${leaf.certificate}\n${other.certificate}`,
        'ca.crt': `${root.certificate}${other.certificate}${root.certificate}`,
      });
      await pod.serve();
      expect(files('x509')).toEqual(['onprem.1.crt', 'onprem.crt']);
      expect(files('private')).toEqual(['onprem.key']);
      expect(files('x509ca')).toEqual(['onprem-ca.2.crt', 'onprem-ca.crt']);
      expect(pod.read('state/swanctl/x509/onprem.crt').trim()).toBe(leaf.certificate.trim());
      expect(pod.read('state/swanctl/x509/onprem.1.crt').trim()).toBe(other.certificate.trim());
      expect(pod.read('state/swanctl/x509ca/onprem-ca.2.crt').trim()).toBe(other.certificate.trim());
      expect(pod.read('state/swanctl/swanctl.conf')).toBe(
        pod.read('config/swanctl.conf').replace('onprem-ca.crt', 'onprem-ca.crt, onprem-ca.2.crt'),
      );
      const expiry = (await pod.metrics())['ipsec_tunnel_certificate_expiry_timestamp_seconds{tunnel="onprem"}'] ?? 0;
      expect(Math.abs(expiry - Date.now() / 1000 - 86_400)).toBeLessThan(120);
    });

    test('that is renewed is loaded, and what it replaces is forgotten; no tunnel is terminated for it', async () => {
      configure(good);
      await pod.serve();
      expect(pod.loads.join()).not.toContain('--clear');
      configure({ ...good, 'ca.crt': other.certificate });
      await pod.until('it is loaded', () => pod.loads.length === 2);
      expect(pod.loads[1]).toContain('--clear');
      configure({ 'tls.crt': leaf.certificate, 'ca.crt': `${other.certificate}${root.certificate}` });
      await pod.until('it is loaded', () => pod.loads.length === 3);
      expect(pod.loads[2]).not.toContain('--clear');
      await pod.settle();
      expect(pod.orders).toEqual(['initiate onprem/onprem']);
    });

    test('that was replaced just before the program crashed is forgotten', async () => {
      configure(good);
      const { control } = await pod.serve();
      await pod.crash(control);
      configure({ ...good, 'ca.crt': other.certificate });
      pod.write('state/swanctl/x509ca/onprem-ca.crt', other.certificate);
      await pod.control();
      await pod.until('it is loaded', () => pod.loads.length === 2);
      expect(pod.loads[1]).toContain('--clear');
    });

    test('that charon may have got just before the program crashed is forgotten', async () => {
      configure(good);
      const { control } = await pod.serve();
      pod.stub('swanctl', '/bin/sleep 1');
      configure({ ...good, 'ca.crt': `${root.certificate}${other.certificate}` });
      await pod.until('it is being loaded', () => pod.loads.length === 2);
      await pod.crash(control);
      configure(good);
      await pod.control();
      await pod.until('it is loaded', () => pod.loads.length === 3);
      expect(pod.loads.map((line) => line.includes('--clear'))).toEqual([false, false, true]);
    });

    test('goes when its tunnel goes', async () => {
      configure(good);
      await pod.serve();
      pod.configure({ branch: {} });
      await pod.until('it is gone', () => files('x509ca').length === 0);
      expect([...files('x509'), ...files('private')]).toEqual([]);
      await pod.until('it is loaded', () => pod.loads.length === 2);
      expect(pod.loads[1]).toContain('--clear');
    });

    const expired = root.issue({ subject: { CN: 'x' }, notBefore: new Date(0), notAfter: new Date(1e12) });
    const early = root.issue({ subject: { CN: 'x' }, notBefore: new Date(2.2e12), notAfter: new Date(2.3e12) });
    const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0\n-----END ENCRYPTED PRIVATE KEY-----\n';
    test.each<[string, Record<string, string | undefined>, string]>([
      ['no certificate', { 'tls.crt': undefined }, 'certificate: its Secret has no tls.crt; put the certificate there'],
      ['no key', { 'tls.key': undefined }, 'certificate: its Secret has no tls.key; put the key there'],
      ['no PEM', { 'tls.crt': 'MIIB' }, 'certificate: tls.crt is not a certificate in PEM; put one there'],
      [
        'a damaged certificate',
        { 'tls.crt': leaf.certificate.replace('MII', 'M!I') },
        'certificate: tls.crt is not a certificate in PEM; put one there',
      ],
      ['no PEM key', { 'tls.key': 'x' }, 'certificate: tls.key is not a private key in PEM; put one there'],
      [
        'an encrypted key',
        { 'tls.key': encrypted },
        'certificate: tls.key is encrypted; put it there without a passphrase',
      ],
      [
        'the key of another',
        { 'tls.key': other.privateKey },
        'certificate: tls.key is not the key of tls.crt; put the two that belong together there',
      ],
      [
        'an expired certificate',
        { 'tls.crt': expired.certificate, 'tls.key': expired.privateKey },
        'certificate: it expired on Sep  9 01:46:40 2001 GMT; renew it',
      ],
      [
        'an early certificate',
        { 'tls.crt': early.certificate, 'tls.key': early.privateKey },
        'certificate: it is not valid before Sep 18 23:06:40 2039 GMT; wait, or look at the clock of the node',
      ],
      ['no authority', { 'ca.crt': undefined }, 'authorities: key ca.crt of the Secret certs is missing; make it'],
      [
        'an authority that is none',
        { 'ca.crt': '' },
        'authorities: key ca.crt of the Secret certs is not a certificate in PEM; put one there',
      ],
    ])('with %s is refused in a sentence', async (_, change, sentence) => {
      configure(JSON.parse(JSON.stringify({ ...good, ...change })) as Record<string, string>);
      await pod.control();
      await pod.unready(`\ntunnels.onprem.${sentence}\n`);
    });

    const named = root.issue({
      subject: { C: 'CH', O: 'An Example', CN: 'vpn' },
      dns: ['VPN.example.com', 'other.example.com'],
      addresses: ['203.0.113.10', '2001:db8::1'],
      emails: ['vpn@example.com'],
    });
    const ofNames = { ...good, 'tls.crt': named.certificate, 'tls.key': named.privateKey };
    test.each([
      'vpn.example.com',
      'fqdn:vpn.Example.com',
      '@other.example.com',
      '203.0.113.10',
      '2001:DB8:0::1',
      'vpn@example.com',
      'email:VPN@example.com',
      'C=CH, O=An Example, CN=vpn',
      'c=ch,o=an example,cn=VPN',
      'keyid:office',
      '@#0a0b',
      'C=CH, O=*, CN=*',
    ])('in which the identity %s may stand is taken', async (identity) => {
      configure(ofNames, identity);
      await pod.serve();
    });

    test.each([
      'left.example.com',
      'fqdn:left.example.com',
      '@left.example.com',
      'vpn',
      '203.0.113.11',
      '2001:db8::2',
      'left@example.com',
      'email:left@example.com',
      'CN=vpn, O=An Example, C=CH',
      'C=CH, CN=vpn',
    ])('in which the identity %s does not stand is refused in a sentence', async (identity) => {
      configure(ofNames, identity);
      await pod.control();
      await pod.unready(
        `\ntunnels.onprem.certificate: "${identity}" does not stand in tls.crt; put a certificate with that name there, or set localIdentity\n`,
      );
    });

    test('without any name is not that of an address', async () => {
      configure(good, '203.0.113.10');
      await pod.control();
      await pod.unready('certificate: "203.0.113.10" does not stand in tls.crt; ');
    });
  });

  test.each<[string, string, string]>([
    ['no JSON', '{"gateway": "a", "tun', 'gateway.json: it is not JSON; install the chart anew'],
    ['another shape', '[]', 'gateway.json: tunnels is missing or of another type; install the chart anew'],
    [
      'a tunnel of another shape',
      '{"gateway": "a", "tunnels": {"a": 7}}',
      'gateway.json: tunnels.a.children is missing or of another type; install the chart anew',
    ],
    [
      'a name that leads out of its folder',
      '{"gateway": "a", "tunnels": {"../a": {"children": []}}}',
      'gateway.json: "../a" is not the name of a tunnel; install the chart anew',
    ],
    [
      'a child that is a section',
      String.raw`{"gateway": "a", "tunnels": {"a": {"children": ["a\"{"]}}}`,
      String.raw`gateway.json: "a\"{" is not the name of a tunnel; install the chart anew`,
    ],
  ])('is what it was while gateway.json has %s', async (_, text, sentence) => {
    pod.configure(two);
    await pod.serve();
    const before = secretsConf();
    pod.write('config/gateway.json', text);
    await pod.unready(sentence);
    await pod.settle();
    expect([pod.loads.length, secretsConf()]).toEqual([1, before]);
    pod.configure(two);
    await pod.ready();
  });

  test.each([
    ['a section that does not end', 'connections {\n  onprem {\n', 'the section onprem does not end'],
    ['one end too many', 'connections {\n}\n}\n', 'line 3 cannot be read'],
    ['another format', 'connections { onprem { version = 2 } }\n', 'line 1 cannot be read'],
    ['bytes that are no text', Buffer.from([0xff]), 'it is not UTF-8'],
  ])('is what it was while swanctl.conf has %s', async (_, text, problem) => {
    pod.configure(two);
    await pod.serve();
    pod.write('config/swanctl.conf', text);
    await pod.unready(`swanctl.conf: ${problem}; install the chart anew`);
    await pod.settle();
    expect(pod.loads).toHaveLength(1);
  });

  test('waits for files that are not mounted', async () => {
    pod.charon();
    await pod.control();
    await pod.unready(`gateway.json: ${pod.at('config/gateway.json')} cannot be read; mount the ConfigMap`);
    pod.configure(two);
    await pod.ready();
  });

  test('is of one version of the ConfigMap', async () => {
    pod.configure({ onprem: {} });
    const version = (name: string) => {
      fs.mkdirSync(pod.at(`config/..${name}`));
      for (const file of ['gateway.json', 'swanctl.conf', 'strongswan.conf'])
        fs.copyFileSync(pod.at(`config/${file}`), pod.at(`config/..${name}/${file}`));
      fs.symlinkSync(`..${name}`, pod.at('config/..data_tmp'));
      fs.renameSync(pod.at('config/..data_tmp'), pod.at('config/..data'));
    };
    version('1');
    await pod.serve();
    // The files beside ..data are links into it; here they are what must not be read.
    pod.configure(two);
    await pod.settle();
    expect(pod.loads).toHaveLength(1);
    version('2');
    await pod.until('it is loaded', () => pod.loads.length === 2);
  });
});

describeWith(['python3'], 'control.py reads', () => {
  const PROGRAM = `
import json, sys
from composition import compose
from connections import children_of
from mounted import parse_gateway, read_inputs
for gateway, conf in json.load(sys.stdin):
    parsed = parse_gateway(gateway.encode())
    composition = compose(parsed, conf.encode(), read_inputs(parsed), 0)
    for tunnel in parsed.tunnels.values():
        assert list(children_of(composition.connections[tunnel.name])) == tunnel.children, tunnel
    assert list(composition.connections) == list(parsed.tunnels), parsed
    print(parsed.name, *parsed.tunnels)`;
  const MANIFESTS = path.join(__dirname, '../golden/ipsec/manifests');

  test.each(fs.readdirSync(MANIFESTS))('what the chart writes: %s', (name) => {
    const documents = parseAllDocuments(fs.readFileSync(path.join(MANIFESTS, name), 'utf8'));
    const given = documents
      .map((document) => (document.toJS() as { data?: Record<string, string> } | null)?.data ?? {})
      .filter((data) => data['gateway.json'] !== undefined)
      .map((data) => [data['gateway.json'], data['swanctl.conf']]);
    const { status, stdout, stderr } = spawnSync('python3', ['-B', '-c', PROGRAM], {
      cwd: SCRIPTS,
      encoding: 'utf8',
      input: JSON.stringify(given),
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(given.length);
    expect(given).not.toEqual([]);
  });
});

describeWith(['dash', 'python3'], 'control.py loads', () => {
  test('what it composed, once', async () => {
    pod.configure({ ...two, 'invalid-failed': {} });
    await pod.serve();
    await pod.settle();
    expect(pod.loads).toEqual([
      `swanctl --load-all --noprompt --file ${pod.at('state/swanctl/swanctl.conf')} --uri unix://${pod.at('state/charon.vici')}`,
    ]);
    expect(pod.read('stubs/given/swanctl.conf')).toBe(pod.read('config/swanctl.conf'));
  });

  test('a changed key, and terminates nothing', async () => {
    pod.configure(two);
    await pod.serve();
    const before = pod.sas;
    pod.configure({ ...two, onprem: { key: key() } });
    await pod.until('it is loaded', () => pod.loads.length === 2);
    await pod.settle();
    expect(pod.read('stubs/given/secrets.conf')).toBe(secretsConf());
    expect(pod.orders.filter((order) => order.startsWith('terminate'))).toEqual([]);
    expect(pod.sas).toEqual(before);
  });

  test('a changed strongswan.conf, after charon has read it', async () => {
    pod.configure(two);
    await pod.serve();
    pod.write('config/strongswan.conf', 'charon {\n  keep_alive = 7s\n}\n');
    await pod.until('it is loaded', () => pod.loads.length === 2);
    expect(pod.asked.filter(({ command }) => command === 'reload-settings')).toHaveLength(2);
    await pod.settle();
    expect(pod.loads).toHaveLength(2);
  });

  test('and tells what charon says of strongswan.conf', async () => {
    pod.configure(two);
    pod.behave({ 'reload-settings': { success: 'no', errmsg: 'it is no good' } });
    pod.charon();
    await pod.control();
    await pod.unready('strongswan.conf: it is no good; install the chart anew');
    expect(pod.loads).toEqual([]);
  });

  test('and terminates the child that has changed, not its neighbour', async () => {
    pod.configure({ onprem: { children: ['one', 'two'] }, branch: {} });
    await pod.serve();
    const changed = pod.read('config/swanctl.conf').replace('two {\n', 'two {\n        rekey_time = 100s\n');
    pod.write('config/swanctl.conf', changed);
    await pod.until('it is up again', () => pod.orders.length === 5);
    expect(pod.orders.slice(3)).toEqual(['terminate onprem/two', 'initiate onprem/two']);
    await pod.ready();
    expect(pod.output).toContain('control.py: onprem: terminate two, because of other parameters\n');
  });

  test('and terminates the tunnel that has changed, not its neighbour', async () => {
    pod.configure(two);
    await pod.serve();
    pod.configure({ ...two, onprem: { parameters: ['dpd_delay = 5s'] } });
    await pod.until('it is up again', () => pod.orders.length === 4);
    expect(pod.orders.slice(2)).toEqual(['terminate onprem', 'initiate onprem/onprem']);
    pod.configure({ ...two, onprem: { parameters: ['dpd_delay = 5s'], remote: ['id = "a#b"'] } });
    await pod.until('it is up again', () => pod.orders.length === 6);
    expect(pod.orders.slice(4)).toEqual(['terminate onprem', 'initiate onprem/onprem']);
  });

  test('and terminates what is gone: a child, a tunnel', async () => {
    pod.configure({ onprem: { children: ['one', 'two'] }, branch: {} });
    await pod.serve();
    pod.configure({ onprem: { children: ['two'] }, branch: {} });
    await pod.until('it is terminated', () => pod.orders.length === 4);
    pod.configure({ onprem: { children: ['two'] } });
    await pod.until('it is terminated', () => pod.orders.length === 5);
    await pod.settle();
    expect(pod.orders.slice(3)).toEqual(['terminate onprem/one', 'terminate branch']);
    expect((await pod.get('/metrics')).body).not.toContain('branch');
  });

  test('and knows what it has loaded, when a change is taken back before charon has done what it asks', async () => {
    pod.configure(two);
    await pod.serve();
    pod.behave({ initiate: 'up', terminate: 'slow' });
    pod.configure({ ...two, onprem: { parameters: ['mobike = no'] } });
    await pod.until('it is being terminated', () => pod.orders.length === 3);
    pod.configure(two);
    await pod.until('it is loaded', () => pod.loads.length === 3);
    await pod.until('it is up again', () => pod.orders.length === 4);
    pod.configure({ ...two, onprem: { key: key() } });
    await pod.until('it is loaded', () => pod.loads.length === 4);
    await pod.settle();
    expect(pod.orders.slice(2)).toEqual(['terminate onprem', 'initiate onprem/onprem']);
  });

  test('what has not changed stays, when its program has crashed', async () => {
    pod.configure(two);
    const { control } = await pod.serve();
    const before = pod.sas;
    await pod.crash(control);
    await pod.control();
    await pod.ready();
    await pod.settle();
    expect(pod.loads).toHaveLength(2);
    expect(pod.orders.sort()).toEqual(['initiate branch/branch', 'initiate onprem/onprem']);
    expect(pod.sas).toEqual(before);
  });

  test('and terminates what changed while its program was away', async () => {
    pod.configure(two);
    const { control } = await pod.serve();
    await pod.crash(control);
    pod.configure({ ...two, branch: { parameters: ['mobike = no'] } });
    await pod.control();
    await pod.until('it is up again', () => pod.orders.length === 4);
    expect(pod.orders.slice(2)).toEqual(['terminate branch', 'initiate branch/branch']);
  });

  test('anew into a charon that has crashed, and starts the tunnels again', async () => {
    pod.configure(two);
    const { charon } = await pod.serve();
    await pod.crash(charon);
    await pod.unready(/charon: it does not answer: .*\n(.*\n)*configuration: it is not loaded/);
    expect(await pod.metrics()).toMatchObject({ ipsec_charon_up: 0, 'ipsec_tunnel_up{tunnel="onprem"}': 0 });
    pod.list();
    pod.configure({ ...two, branch: { parameters: ['mobike = no'] } });
    pod.charon();
    await pod.ready();
    expect(pod.orders.slice(2).sort()).toEqual(['initiate branch/branch', 'initiate onprem/onprem']);
  });

  test('and has the port meanwhile at which the kernel takes ESP out of UDP, as long as charon is away', async () => {
    const port = pod.natPort;
    // `null`: nobody has it; else how many bytes wait there that the kernel has left to a program.
    const waiting = (): (number | null)[] =>
      ['/proc/net/udp', '/proc/net/udp6'].map((file) => {
        const has = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ \\S+ \\w+:(\\w+)`);
        const found = has.exec(fs.readFileSync(file, 'utf8'))?.[1];
        return found === undefined ? null : parseInt(found, 16);
      });
    pod.configure(two);
    const { charon, control } = await pod.serve();
    expect(waiting()).toEqual([null, null]);
    await pod.crash(charon);
    await pod.until('it has the port', () => waiting().join() === '0,0');
    for (const [address, type] of [
      ['127.0.0.1', 'udp4'],
      ['::1', 'udp6'],
    ] as const) {
      // Of what keeps a NAT open the kernel takes this byte away where it looks for ESP, and nowhere else.
      const socket = dgram.createSocket(type);
      await new Promise((resolve) => socket.send(Buffer.from([0xff]), port, address, resolve));
      socket.close();
    }
    await pod.settle();
    expect(waiting()).toEqual([0, 0]);
    const again = pod.charon();
    await pod.until('it is free for charon', () => waiting().join() === ',');
    await pod.ready();
    await pod.crash(again);
    await pod.until('it has the port', () => waiting().join() === '0,0');
    await pod.stop(control);
    expect(waiting()).toEqual([null, null]);
  });

  test('the others, when swanctl refuses one; it says so, and tries again', async () => {
    pod.configure(two);
    pod.stub(
      'swanctl',
      `echo "loaded connection 'branch'"
      echo "loading connection 'onprem' failed: invalid value for: proposals, config discarded" >&2
      echo 'loaded 1 of 2 connections, 1 failed to load, 0 unloaded' >&2
      exit 22`,
    );
    pod.charon();
    await pod.control();
    const reasons =
      "configuration: loading connection 'onprem' failed: invalid value for: proposals, config discarded\n" +
      'onprem: child onprem is not up: its connection is not loaded\n';
    await pod.until('it says so', async () => (await pod.get('/ready')).body === reasons);
    await pod.until('it is tried again', () => pod.loads.length === 2);
    expect(pod.orders).toEqual(['initiate branch/branch']);
  });

  test('and tells what swanctl says of a certificate, also where that ends well', async () => {
    pod.configure(two);
    const line =
      "loading '/run/vpn/swanctl/x509ca/onprem-ca.crt' failed: invalid CA certificate without CA basic constraint";
    pod.write('stubs/swanctl-says', `plugin 'curl': failed to load - no such file\n${line}\n`);
    pod.charon();
    await pod.control();
    await pod.until('all are up', async () => (await pod.get('/ready')).body === `configuration: ${line}\n`);
    expect(await pod.metrics()).toMatchObject({ ipsec_configuration_ok: 0, 'ipsec_tunnel_up{tunnel="onprem"}': 1 });
    pod.remove('stubs/swanctl-says');
    await pod.ready();
  });

  test('and masks what may be a key', async () => {
    pod.configure(two);
    pod.write('stubs/swanctl-says', 'secrets.conf:5: syntax error, unexpected 0sc2VjcmV0LnNlY3JldA==\n');
    pod.write('stubs/swanctl-ends', '22');
    pod.secrets.push('c2VjcmV0LnNlY3JldA');
    pod.charon();
    await pod.control();
    await pod.unready('configuration: secrets.conf:5: syntax error, unexpected (key)\n');
    expect((await pod.get('/status')).body).toContain('(key)');
  });

  test('and says so when nobody does what it asks', async () => {
    pod.configure(two);
    const stub = pod.start([pod.at('bin/charon')]);
    await pod.control();
    await pod.unready(
      `configuration: swanctl has not answered in ${60 / FASTER} s; look at the log of the container charon`,
    );
    await pod.stop(stub);
  });

  test('and what is half a file is none', async () => {
    pod.configure(two);
    pod.write('state/load/loaded.json', '{"connections": {"onprem": {"ver');
    await pod.control();
    pod.charon();
    await pod.ready();
    expect(pod.orders.sort()).toEqual(['initiate branch/branch', 'initiate onprem/onprem']);
  });

  test('and what cannot be written is told', async () => {
    pod.configure(two);
    pod.write('state/swanctl', 'a file where the folder is to be');
    await pod.control();
    await pod.unready(`${pod.at('state/swanctl')}: it cannot be written: `);
    pod.remove('state/swanctl');
    pod.charon();
    await pod.ready();
  });
});

describeWith(['dash', 'python3'], 'control.py keeps up', () => {
  test('what it may start, and waits for the rest', async () => {
    pod.configure({ onprem: { children: ['one', 'two'] }, branch: { initiates: false } });
    pod.charon();
    await pod.control();
    await pod.unready('branch: child branch is not up: the peer has not started it\n');
    await pod.settle();
    expect(pod.orders).toEqual(['initiate onprem/one', 'initiate onprem/two']);
    pod.list(...pod.sas, anSa('branch', 7));
    await pod.ready();
  });

  test('what has gone down', async () => {
    pod.configure(two);
    await pod.serve();
    pod.list(...pod.sas.filter((sa) => sa['onprem'] === undefined));
    await pod.until('it is started', () => pod.orders.length === 3);
    expect(pod.orders[2]).toBe('initiate onprem/onprem');
    await pod.ready();
  });

  test.each([
    ['connects', anSa('onprem', 1, {}, { state: 'CONNECTING' }), []],
    ['makes the child', anSa('onprem', 1, { state: 'INSTALLING' }), []],
    ['has the child to make', anSa('onprem', 1, {}, { 'tasks-queued': ['CHILD_CREATE'] }), []],
    ['rekeys the child', anSa('onprem', 1, { state: 'REKEYING' }), []],
    ['has rekeyed the child', anSa('onprem', 1, { state: 'REKEYED' }), []],
    ['rekeys', anSa('onprem', 1, {}, { state: 'REKEYING' }), []],
    ['has the child to delete', anSa('onprem', 1, { state: 'DELETING' }), ['initiate onprem/onprem']],
    ['is being deleted', anSa('onprem', 1, {}, { state: 'DELETING' }), ['initiate onprem/onprem']],
    ['has another child', anSa('onprem', 1, { name: 'other' }), ['initiate onprem/onprem']],
  ])('and looks first at what charon does: it %s', async (_, sa, orders) => {
    pod.configure({ onprem: {} });
    // Without a child where that is not the matter, so that only the state of the IKE_SA counts.
    if (/CONNECTING|CHILD_CREATE/.test(JSON.stringify(sa))) pod.list({ onprem: { ...sa['onprem'], 'child-sas': {} } });
    else pod.list(sa);
    pod.behave({});
    pod.charon();
    await pod.control();
    await pod.until('it is loaded', () => pod.loads.length === 1);
    await pod.settle();
    expect(pod.orders.slice(0, 1)).toEqual(orders);
  });

  test('and is patient: every 5 s at most, then every 10, 20, 30; at once again after a success', async () => {
    pod.configure({ onprem: {} });
    pod.behave({ initiate: 'received AUTHENTICATION_FAILED notify error' });
    pod.charon();
    await pod.control();
    await pod.until('it is tried six times', () => pod.orders.length >= 6, 40);
    const times = pod.asked.filter(({ command }) => command === 'initiate').map(({ time }) => time * FASTER);
    const waits = times.slice(1, 6).map((time, index) => time - (times[index] ?? 0));
    [5, 10, 20, 30, 30].forEach((seconds, index) => {
      expect(waits[index]).toBeGreaterThan(seconds - 0.5);
      expect(waits[index]).toBeLessThan(seconds + 10);
    });
    await pod.until('every failure is counted', async () => {
      const metrics = await pod.metrics();
      const failures = metrics['ipsec_tunnel_failures_total{tunnel="onprem",reason="authentication_failed"}'] ?? 0;
      return failures >= 6 && failures === metrics['ipsec_tunnel_initiations_total{tunnel="onprem"}'];
    });
    pod.behave({ initiate: 'up' });
    await pod.ready();
    pod.behave({ initiate: 'received AUTHENTICATION_FAILED notify error' });
    const count = pod.orders.length;
    pod.list();
    await pod.until('it is tried twice', () => pod.orders.length >= count + 2, 3);
  });

  test('although charon leaves out of its list what it is at work on', async () => {
    pod.configure({ onprem: {} });
    await pod.serve();
    const leaveOut = async (lists: number) => {
      pod.write('stubs/left-out', `${lists}`);
      await pod.tell({ name: 'ike-rekey', message: {} });
      await pod.until('it has listed', () => pod.read('stubs/left-out') === '0');
      await pod.settle(3);
    };
    for (const lists of [1, 2, 1, 2]) await leaveOut(lists);
    expect(pod.output).not.toContain('onprem: down');
    await leaveOut(3);
    expect(pod.output).toContain('onprem: down');
  });

  test('the others, while charon thinks about one', async () => {
    pod.configure({ a: {}, b: {}, c: {} });
    pod.stub('sleep', 'exec /bin/sleep 0.05');
    pod.behave({ initiate: 'slow' });
    pod.charon();
    await pod.control();
    await pod.until('all are started', () => pod.orders.length === 3, 2);
    await pod.settle();
    expect((await pod.get('/live')).code).toBe(200);
  });

  const line = (name: string, text: string) => `${name}: child ${name} is not up: ${text}\n`;
  test.each<[string, string[], string]>([
    [
      'no answer',
      [
        'initiating IKE_SA onprem[1] to 198.51.100.7',
        'giving up after 5 retransmits',
        'peer not responding, trying again (2/0)',
      ],
      'no answer from 198.51.100.7 (peer not responding, trying again (2/0))',
    ],
    [
      'no IKE proposal',
      ['received NO_PROPOSAL_CHOSEN notify error'],
      'no proposal chosen for IKE (received NO_PROPOSAL_CHOSEN notify error)',
    ],
    [
      'no ESP proposal',
      ['received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built', 'failed to establish CHILD_SA, keeping IKE_SA'],
      'no proposal chosen for ESP (received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built)',
    ],
    [
      'a refusal',
      ['received AUTHENTICATION_FAILED notify error'],
      'authentication failed (received AUTHENTICATION_FAILED notify error)',
    ],
    [
      'another key',
      ["tried 1 shared key for 'a.example' - 'b.example', but MAC mismatched"],
      "authentication failed (tried 1 shared key for 'a.example' - 'b.example', but MAC mismatched)",
    ],
    [
      'no key',
      ["no shared key found for '203.0.113.10' - '198.51.100.7'"],
      "no shared key for '203.0.113.10' - '198.51.100.7' (no shared key found for '203.0.113.10' - '198.51.100.7')",
    ],
    [
      'traffic selectors',
      ['received TS_UNACCEPTABLE notify, no CHILD_SA built', 'failed to establish CHILD_SA, keeping IKE_SA'],
      'traffic selectors not accepted (received TS_UNACCEPTABLE notify, no CHILD_SA built)',
    ],
    [
      'an unknown issuer',
      [`no issuer certificate found for "CN=x"`, `  issuer is "CN=y"`, "no trusted ECDSA public key found for 'CN=x'"],
      "no trusted certificate for 'CN=x' (no trusted ECDSA public key found for 'CN=x')",
    ],
    [
      'a name',
      ['unable to resolve vpn.example, initiate aborted'],
      'name vpn.example does not resolve (unable to resolve vpn.example, initiate aborted)',
    ],
    ['an end', ['received DELETE for IKE_SA onprem[7]'], 'peer closed it (received DELETE for IKE_SA onprem[7])'],
    [
      'another error',
      ['received INVALID_SYNTAX notify error'],
      'refused by the peer: INVALID_SYNTAX (received INVALID_SYNTAX notify error)',
    ],
    [
      'what means nothing',
      ['generating IKE_AUTH request 1 [ IDi ]', 'sending cert request for "CN=x"'],
      'it is being started',
    ],
    [
      'a line that is no line',
      ['received AUTHENTICATION_FAILED notify error\u0007\n\u2028x'],
      'authentication failed (received AUTHENTICATION_FAILED notify error   x)',
    ],
  ])('and says why it is down: %s', async (_, lines, text) => {
    pod.configure({ onprem: {} });
    pod.behave({});
    pod.charon();
    await pod.control();
    await pod.until('it is loaded', () => pod.loads.length === 1);
    await pod.unready('it is being started');
    await pod.say('onprem', ...lines);
    await pod.settle(3);
    expect((await pod.get('/ready')).body).toBe(line('onprem', text));
    pod.list(anSa('onprem', 1));
    await pod.ready();
    pod.list();
    pod.behave({});
    await pod.unready('it is being started');
  });

  test('and says why charon does not start it', async () => {
    pod.configure({ onprem: {} });
    pod.behave({ initiate: { success: 'no', errmsg: "establishing CHILD_SA 'onprem' failed" } });
    pod.charon();
    await pod.control();
    await pod.unready(line('onprem', "it cannot be started (establishing CHILD_SA 'onprem' failed)"));
  });

  test('and says who came that belongs to no tunnel', async () => {
    pod.configure({ onprem: { initiates: false } });
    pod.charon();
    await pod.control();
    await pod.until('it is loaded', () => pod.loads.length === 1);
    await pod.say(
      '(unnamed)',
      'looking for peer configs matching 203.0.113.10[a]...192.0.2.9[b]',
      'no matching peer config found',
    );
    await pod.until('it is told', async () =>
      (await pod.get('/status')).body.includes(
        'last peer of no tunnel: no matching peer config found (looking for peer configs matching 203.0.113.10[a]...192.0.2.9[b])\n',
      ),
    );
  });
});

describeWith(['dash', 'python3'], 'control.py serves', () => {
  test('/live while its loop turns, whatever charon does', async () => {
    await pod.control();
    expect(await pod.get('/live')).toMatchObject({ code: 200, body: 'live\n' });
    // Whoever opens a FIFO waits until somebody writes to it.
    pod.remove('config/strongswan.conf');
    execFileSync('mkfifo', [pod.at('config/strongswan.conf')]);
    await pod.until('it stands still', async () => (await pod.get('/live')).code === 503);
    expect((await pod.get('/live')).body).toMatch(/^control: its loop stands still for \d+s\n$/);
    expect((await pod.get('/ready')).body).toMatch(/^control: its loop stands still for \d+s\n/);
    fs.writeFileSync(pod.at('config/strongswan.conf'), '');
    pod.remove('config/strongswan.conf');
    await pod.until('it turns again', async () => (await pod.get('/live')).code === 200);
  });

  test('/ready of all tunnels, or of the process alone, and /up of all tunnels', async () => {
    pod.configure(two);
    pod.behave({});
    pod.charon();
    const tunnel = await pod.control();
    await pod.unready(
      'onprem: child onprem is not up: it is being started\nbranch: child branch is not up: it is being started\n',
    );
    await pod.stop(tunnel);
    await pod.control({ READINESS: 'process' });
    await pod.ready();
    expect(await pod.get('/up')).toMatchObject({
      code: 503,
      body: 'onprem: child onprem is not up: it is being started\nbranch: child branch is not up: it is being started\n',
    });
    expect((await pod.get('/status')).body).toContain('not up\n  onprem: it is being started\n');
    pod.write('state/network/status', 'the module xfrm_interface is missing\nmore\n');
    await pod.unready('network: the module xfrm_interface is missing\n');
  });

  test.each([
    ['missing', null, 'it has not been reported yet'],
    ['bad', 'no route\nok\n', 'no route'],
    ['empty', '', 'it gives no reason'],
    ['stale', 'ok\n', 'stale'],
  ])('/ready not with a network status that is %s', async (name, text, reason) => {
    pod.configure(two);
    await pod.serve();
    if (text === null) pod.remove('state/network/status');
    else pod.write('state/network/status', text);
    const old = new Date(Date.now() - 31_000);
    if (name === 'stale') fs.utimesSync(pod.at('state/network/status'), old, old);
    await pod.until('it says so', async () => (await pod.get('/ready')).body === `network: ${reason}\n`);
    expect(await pod.metrics()).toMatchObject({ ipsec_network_ok: 0, ipsec_configuration_ok: 1 });
    pod.write('state/network/status', 'ok\n');
    await pod.ready();
    await pod.until('its next turn says so', () => pod.output.includes('control.py: network: ok\n'));
  });

  test('/status, for people', async () => {
    pod.configure({ onprem: {}, branch: { children: ['a', 'b'] } });
    pod.list(
      anSa('onprem', 1, { 'bytes-in': '5000', 'bytes-out': '70', 'install-time': '3725' }),
      anSa('branch', 2, { name: 'a', 'bytes-out': `${3 * 2 ** 30}`, 'install-time': '90061' }),
    );
    pod.behave({ initiate: 'received TS_UNACCEPTABLE notify, no CHILD_SA built' });
    pod.charon();
    await pod.control();
    await pod.until('it says why', async () => (await pod.get('/status')).body.includes('traffic selectors'));
    const { body } = await pod.get('/status');
    expect(body.replace(/ (3725|1h 2m|1d 1h)/g, ' $1')).toBe(
      [
        'gateway        a',
        'charon         6.0.1 answers',
        'configuration  loaded',
        'network        ok',
        'ready          no',
        '',
        'TUNNEL  CHILD   STATE  FOR    RECEIVED  SENT     PEER',
        'onprem  onprem  up     1h 2m  4.9 KiB   70 B     198.51.100.7',
        'branch  a       up     1d 1h  0 B       3.0 GiB  198.51.100.7',
        'branch  b       down   -      0 B       0 B      198.51.100.7',
        '',
        'not up',
        '  branch: traffic selectors not accepted (received TS_UNACCEPTABLE notify, no CHILD_SA built)',
        '',
      ].join('\n'),
    );
  });

  test('on IPv4 and IPv6', async () => {
    await pod.control();
    const addresses = Object.values(os.networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
    const isIpv6 = addresses.includes('::1');
    for (const host of ['127.0.0.1', ...(isIpv6 ? ['::1'] : [])]) {
      const peer = net.connect(pod.port, host);
      await new Promise((resolve, reject) => peer.once('connect', resolve).once('error', reject));
      peer.destroy();
    }
  });

  test('nothing else', async () => {
    await pod.control();
    expect(await pod.get('/')).toMatchObject({
      code: 404,
      body: 'there are /live, /ready, /up, /status and /metrics\n',
    });
    expect((await pod.get('/../../etc/passwd')).code).toBe(404);
  });

  test('on a port that it has, to the end', async () => {
    pod.configure(two);
    const { control } = await pod.serve();
    const before = Date.now();
    expect(await pod.stop(control)).toBe(0);
    expect(Date.now() - before).toBeLessThan(1000);
  });

  test.each([
    [{ HEALTH_PORT: 'x' }, 'HEALTH_PORT: it is not a port, got "x"; give a number from 1 to 65535'],
    [{ HEALTH_PORT: '65536' }, 'HEALTH_PORT: it is not a port, got "65536"; give a number from 1 to 65535'],
    [{ READINESS: 'yes' }, 'READINESS: it is neither tunnel nor process, got "yes"; give one of the two'],
    [{ STATE: '/nowhere' }, 'STATE: there is no folder /nowhere; mount a volume there'],
  ])('not with %j', async (environment, sentence) => {
    const child = pod.start(['python3', path.join(SCRIPTS, 'control.py')], environment);
    expect([await pod.ended(child), pod.output]).toEqual([1, `control.py: ${sentence}\n`]);
  });

  test('not on a port that another has', async () => {
    const server = net.createServer().listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as net.AddressInfo;
    const child = pod.start(['python3', path.join(SCRIPTS, 'control.py')], { HEALTH_PORT: `${port}` });
    expect(await pod.ended(child)).toBe(1);
    expect(pod.output).toBe(
      `control.py: HEALTH_PORT: port ${port} cannot be served: Address already in use; choose another\n`,
    );
    server.close();
  });

  test.each([
    ['silent', 'it does not answer: charon does not answer within 3 s'],
    ['garbage', 'it does not answer: charon sent what is not vici'],
    ['broken', 'it does not answer: charon sent a message that ends early'],
  ])('while charon is %s', async (how, problem) => {
    pod.configure(two);
    await pod.serve();
    pod.behave({ 'list-sas': how });
    await pod.tell({ name: 'ike-rekey', message: {} });
    await pod.unready(`charon: ${problem}\n`);
    expect((await pod.get('/live')).code).toBe(200);
    pod.behave({ initiate: 'up' });
    await pod.ready();
    expect(pod.orders.sort()).toEqual(['initiate branch/branch', 'initiate onprem/onprem']);
  });
});

describeWith(['dash', 'python3', 'promtool'], 'the metrics of control.py', () => {
  const promtool = (text: string) =>
    spawnSync(tools.command('promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' });

  test('are in order, and there also for what is down or away', async () => {
    pod.configure({ onprem: {}, branch: { children: ['a', 'b'], initiates: false } });
    await pod.control();
    await pod.until('they are there', async () => (await pod.get('/metrics')).body.includes('branch'));
    const { body, type } = await pod.get('/metrics');
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(promtool(body)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const metrics = await pod.metrics();
    expect(Object.values(metrics).filter((value) => value !== 0)).toEqual([1]);
    expect(metrics).toMatchObject({ ipsec_network_ok: 1, 'ipsec_child_up{tunnel="branch",child="b"}': 0 });
    expect(Object.keys(metrics).filter((name) => name.startsWith('ipsec_tunnel_failures_total'))).toHaveLength(20);
  });

  test('say how tunnels and children are', async () => {
    pod.configure(two);
    pod.list(
      anSa('onprem', 1, {
        'install-time': '5',
        'bytes-in': '1',
        'bytes-out': '2',
        'packets-in': '3',
        'packets-out': '4',
      }),
    );
    pod.behave({});
    pod.charon();
    await pod.control();
    await pod.until('it is up', async () => (await pod.metrics())['ipsec_tunnel_up{tunnel="onprem"}'] === 1);
    await pod.until('it is loaded', async () => (await pod.metrics())['ipsec_configuration_ok'] === 1);
    const metrics = await pod.metrics();
    expect(promtool((await pod.get('/metrics')).body)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(metrics).toMatchObject({
      ipsec_charon_up: 1,
      ipsec_configuration_ok: 1,
      'ipsec_tunnel_up{tunnel="branch"}': 0,
      'ipsec_tunnel_established_seconds{tunnel="branch"}': 0,
      'ipsec_child_up{tunnel="onprem",child="onprem"}': 1,
      'ipsec_child_receive_bytes_total{tunnel="onprem",child="onprem"}': 1,
      'ipsec_child_transmit_bytes_total{tunnel="onprem",child="onprem"}': 2,
      'ipsec_child_receive_packets_total{tunnel="onprem",child="onprem"}': 3,
      'ipsec_child_transmit_packets_total{tunnel="onprem",child="onprem"}': 4,
    });
    expect(metrics['ipsec_tunnel_established_seconds{tunnel="onprem"}']).toBeGreaterThanOrEqual(60);
    expect(metrics['ipsec_child_age_seconds{tunnel="onprem",child="onprem"}']).toBeGreaterThanOrEqual(5);
    expect(metrics['ipsec_child_age_seconds{tunnel="onprem",child="onprem"}']).toBeLessThan(60);
  });

  test('count on over rekeys, and never back', async () => {
    pod.configure({ onprem: {} });
    const first = anSa('onprem', 1, { 'bytes-in': '100' });
    pod.list(first);
    pod.charon();
    await pod.control();
    await pod.ready();
    const bytes = async () =>
      (await pod.metrics())['ipsec_child_receive_bytes_total{tunnel="onprem",child="onprem"}'] ?? 0;
    await pod.until('they are counted', async () => (await bytes()) === 100);

    // The last that is heard of the first SA is the event.
    const child = (uid: number, octets: number) => ({
      ...(anSa('onprem', uid, { 'bytes-in': `${octets}` })['onprem']?.['child-sas'] as object),
    });
    await pod.tell(
      {
        name: 'child-rekey',
        message: {
          onprem: {
            uniqueid: '1',
            'child-sas': {
              'onprem-1': {
                old: Object.values(child(1, 130))[0],
                new: Object.values(child(2, 0))[0],
              },
            },
          },
        },
      },
      { name: 'ike-rekey', message: { onprem: { old: { uniqueid: '1' }, new: { uniqueid: '2' } } } },
    );
    pod.list(anSa('onprem', 2, { 'bytes-in': '7' }));
    await pod.until('they are counted', async () => (await bytes()) === 137);
    pod.list(anSa('onprem', 1, { 'bytes-in': '120' }), anSa('onprem', 2, { 'bytes-in': '9' }));
    await pod.until('they are counted', async () => (await bytes()) === 139);
    expect(await pod.metrics()).toMatchObject({
      'ipsec_tunnel_ike_rekeys_total{tunnel="onprem"}': 1,
      'ipsec_child_rekeys_total{tunnel="onprem",child="onprem"}': 1,
    });
  });
});

describeWith(['dash', 'python3'], 'charon.sh', () => {
  test('starts charon at once, where an earlier one has left its files', async () => {
    for (const file of [
      'run/charon.pid',
      'var/run/charon.pid',
      'state/charon.vici',
      'state/load/done',
      'state/load/loaded.json',
    ])
      pod.write(file, '1 0');
    const child = pod.charon();
    await pod.until(
      'it listens',
      () => fs.existsSync(pod.at('state/charon.vici')) && fs.statSync(pod.at('state/charon.vici')).isSocket(),
    );
    for (const file of ['run/charon.pid', 'var/run/charon.pid', 'state/load/done', 'state/load/loaded.json'])
      expect(pod.has(file)).toBe(false);
    expect(await pod.stop(child)).toBe(0);
  });

  test('tells charon where its files are', async () => {
    pod.stub('charon', 'echo "$STRONGSWAN_CONF $SWANCTL_DIR" >"$STUBS/told"; exec /bin/sleep 60');
    pod.charon();
    await pod.until('it is told', () => pod.read('stubs/told') !== '');
    expect(pod.read('stubs/told')).toBe(`${pod.at('config/strongswan.conf')} ${pod.at('state/swanctl')}\n`);
  });

  test('loads what is asked for, once, and answers', async () => {
    pod.write('state/swanctl/swanctl.conf', 'connections {\n  onprem {\n  }\n}\n');
    pod.charon();
    for (const [asked, argument] of [
      ['7', ''],
      ['8 clear', ' --clear'],
    ] as const) {
      pod.write('state/load/wanted', `${asked}\n`);
      const number = asked.split(' ')[0] ?? '';
      await pod.until('it answers', () => pod.read('state/load/done').startsWith(`${number} `));
      expect(pod.read('state/load/done')).toBe(`${number} 0\nloaded connection 'onprem'\n`);
      expect(pod.loads.at(-1)).toContain(`--noprompt${argument} --file`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(pod.loads).toHaveLength(2);
  });

  test('answers with what swanctl says and how it ends', async () => {
    pod.write('stubs/swanctl-says', 'it is no good\n');
    pod.write('stubs/swanctl-ends', '22');
    pod.charon();
    pod.write('state/load/wanted', '3\n');
    pod.write('state/swanctl/swanctl.conf', '');
    await pod.until('it answers', () => pod.has('state/load/done'));
    expect(pod.read('state/load/done')).toBe('3 22\nit is no good\n');
  });

  const RULES = ['-4', '-6'].flatMap((family) =>
    [500, 4500].map((port) => `ip ${family} rule VERB pref 1 ipproto 17 sport ${port} prohibit`),
  );
  const rules = (verb: string): string[] => RULES.map((rule) => rule.replace('VERB', verb));
  const did = (): string[] =>
    pod
      .read('stubs/argv')
      .split('\n')
      .filter((line) => /^(ip|charon|swanctl) /.test(line));

  test('lets no packet of charon leave before its first load, which a peer would take for a refusal', async () => {
    pod.write('state/swanctl/swanctl.conf', 'connections {\n  onprem {\n  }\n}\n');
    pod.write('stubs/swanctl-says', 'nothing of it can be loaded\n');
    pod.write('stubs/swanctl-ends', '22');
    pod.charon();
    for (const number of [1, 2, 3]) {
      if (number === 2) pod.remove('stubs/swanctl-ends');
      pod.write('state/load/wanted', `${number}\n`);
      await pod.until('it answers', () => pod.read('state/load/done').startsWith(`${number} `));
    }
    await pod.settle();
    expect(did().map((line) => line.replace(/^(charon|swanctl) .*/, '$1'))).toEqual([
      // Of an earlier charon, which may have crashed.
      'ip xfrm state flush',
      'ip xfrm policy flush',
      ...rules('add'),
      'charon',
      'swanctl',
      'swanctl',
      ...rules('delete'),
      'swanctl',
    ]);
    expect(pod.output).not.toContain('may refuse');
  });

  test.each([
    ['RTNETLINK answers: File exists', ''],
    [
      'Error: argument "ipproto" is wrong',
      'charon.sh: charon may refuse peers until its configuration is loaded: Error: argument "ipproto" is wrong\n',
    ],
  ])('runs charon all the same where the rule cannot be made: %s', async (complaint, told) => {
    pod.write('stubs/ip-says', complaint);
    pod.charon();
    await pod.until('it runs', () => pod.read('stubs/argv').includes('charon'));
    expect(pod.output).toBe(told.repeat(2));
  });

  test.each(['', 'x', 'a1 2', '$(id)', '-1'])('does nothing for a number that is none: %j', async (text) => {
    pod.charon();
    pod.write('state/load/wanted', `${text}\n`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(pod.loads).toEqual([]);
  });

  test('waits with a load until charon listens', async () => {
    pod.stub('charon', 'exec /bin/sleep 60');
    pod.charon();
    pod.write('state/load/wanted', '1\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(pod.loads).toEqual([]);
  });

  test.each([0, 3, 139])('ends with charon, as charon: %i', async (code) => {
    pod.stub('charon', `exit ${code}`);
    expect(await pod.ended(pod.charon())).toBe(code);
    expect(pod.output).toBe(`charon.sh: charon has ended with ${code}\n`);
    expect(pod.has('state/charon-ended')).toBe(true);
  });

  /** charon.sh where an earlier charon has crashed beside a reflector; each of its sleeps is noted. */
  function afterCrash(sleepSeconds: number): void {
    pod.write('state/fabric/status.json', '{}\n');
    pod.write('state/charon.vici', '');
    pod.stub('sleep', `echo "$1" >>"$STUBS/slept"; exec /bin/sleep ${sleepSeconds}`);
    pod.stub('charon', 'exec /bin/sleep 60');
    pod.charon();
  }

  test('after a crash waits until a reflector has taken leave, as long as the kernel still sends', async () => {
    afterCrash(0.2);
    await pod.until('it waits', () => pod.has('stubs/slept') && pod.read('stubs/slept').startsWith('1\n1\n'));
    expect([pod.has('state/charon-ended'), pod.read('stubs/argv').includes('flush')]).toEqual([true, false]);
    pod.write('state/fabric/goodbye', '');
    await pod.until('charon is there again', () => !pod.has('state/charon-ended'));
    expect(pod.read('stubs/slept')).toMatch(/^(1\n){2,9}2\n/);
  });

  test('and not for ever', async () => {
    afterCrash(0.05);
    await pod.until('charon is there again', () => pod.has('stubs/slept') && !pod.has('state/charon-ended'));
    expect(pod.read('stubs/slept')).toMatch(/^(1\n){15}2\n/);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('lets charon take leave on %s', async (signal) => {
    pod.stub(
      'charon',
      `trap '/bin/sleep 0.5; echo left >"$STUBS/left"; exit 0' TERM; while :; do /bin/sleep 0.05; done`,
    );
    const child = pod.charon();
    await pod.until('it runs', () => pod.read('stubs/argv').includes('charon'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill(signal);
    await pod.until('it stops', () => pod.output !== '');
    expect(await pod.stop(child, signal)).toBe(0);
    expect(pod.read('stubs/left')).toBe('left\n');
    expect(pod.output).toBe('charon.sh: stop charon\ncharon.sh: charon has stopped\n');
  });

  test('is not held up by a swanctl that hangs', async () => {
    pod.stub('swanctl', 'exec /bin/sleep 60');
    const child = pod.charon();
    pod.write('state/load/wanted', '1\n');
    await pod.until('it hangs', () => pod.loads.length === 1);
    expect(await pod.stop(child)).toBe(0);
  });

  test.each([
    [
      { CHARON: '/nowhere' },
      'CHARON: there is no program /nowhere; give the path of charon in this image, which may be /usr/lib/ipsec/charon',
    ],
    [{ STATE: '/nowhere' }, 'STATE: there is no folder /nowhere; mount a volume there'],
    [
      { CONFIG: '/nowhere' },
      'CONFIG: /nowhere/strongswan.conf cannot be read; mount the ConfigMap of the gateway there',
    ],
  ])('refuses %j', async (environment, sentence) => {
    expect(await pod.ended(pod.charon(environment))).toBe(1);
    expect(pod.output).toBe(`charon.sh: ${sentence}\n`);
  });

  test('uses only commands that every image has', async () => {
    const commands = ['cat', 'charon', 'grep', 'ip', 'mkdir', 'mv', 'rm', 'sleep', 'swanctl'];
    for (const command of ['cat', 'grep', 'mkdir', 'mv', 'rm']) {
      const real = spawnSync('/bin/sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();
      fs.symlinkSync(real, pod.at(`bin/${command}`));
    }
    pod.stub('charon', 'exec /bin/sleep 60');
    pod.stub('swanctl', '/bin/true');
    const server = net.createServer();
    const child = pod.start(['/bin/dash', path.join(SCRIPTS, 'charon.sh')], { PATH: pod.at('bin') });
    await pod.until('it runs', () => pod.read('stubs/argv').includes('sleep'));
    await new Promise<void>((resolve) => server.listen(pod.at('state/charon.vici'), resolve));
    pod.write('state/load/wanted', '1\n');
    await pod.until('it answers', () => pod.has('state/load/done'));
    server.close();
    expect(await pod.stop(child)).toBe(0);
    expect(fs.readdirSync(pod.at('bin')).sort()).toEqual(commands);
    expect(pod.output).not.toContain('not found');
  });
});

describeWith(['shellcheck'], 'shellcheck', () => {
  test('has nothing to say of charon.sh', () => {
    const { status, stdout } = spawnSync(tools.command('shellcheck'), ['charon.sh'], {
      cwd: SCRIPTS,
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describe('the scripts of the pod', () => {
  test('are all mounted', () => {
    const programs = fs.readdirSync(SCRIPTS).filter((name) => /\.(sh|py)$/.test(name));
    expect(Object.keys(MOUNTED).sort()).toEqual([...programs, 'forwarding.sh'].sort());
  });
});

describeWith(['python3'], 'the modules of control.py', () => {
  /** Prints what is wrong with the modules of a folder. Of what Python has today, 3.9 lacked NEWER. */
  const PROGRAM = `
import ast, graphlib, pathlib, sys
NEWER = {'annotationlib', 'compression', 'tomllib'}
modules = {file.stem: file.read_text() for file in pathlib.Path(sys.argv[1]).glob('*.py')}
order = graphlib.TopologicalSorter()
for name, text in sorted(modules.items()):
    if name in sys.stdlib_module_names:
        print(f'{name}: hides the module of Python')
    if not text.startswith(f'"""{name}.py: '):
        print(f'{name}: does not begin with what it is')
    try:
        tree = ast.parse(text, feature_version=(3, 9))
    except SyntaxError:
        print(f'{name}: Python 3.9 cannot read it')
        continue
    for node in ast.walk(tree):
        imported = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        imported += [node.module or '.'] if isinstance(node, ast.ImportFrom) else []
        for each in imported:
            top = each.split('.')[0]
            if top in modules:
                order.add(name, top)
            elif top not in sys.stdlib_module_names or top in NEWER:
                print(f'{name}: imports {each}')
try:
    order.prepare()
except graphlib.CycleError as error:
    print(f'cycle: {" ".join(sorted(set(error.args[1])))}')`;
  const problems = (folder: string) => {
    const { status, stdout, stderr } = spawnSync('python3', ['-c', PROGRAM, folder], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.split('\n').slice(0, -1);
  };

  test('import each other one way, and else what Python 3.9 has', () => {
    expect(problems(SCRIPTS)).toEqual([]);
  });

  test.each([
    [{ 'queue.py': '"""queue.py: a."""' }, ['queue: hides the module of Python']],
    [{ 'a.py': 'import os' }, ['a: does not begin with what it is']],
    [{ 'a.py': '"""a.py: a."""\nmatch 1:\n    case 1: pass' }, ['a: Python 3.9 cannot read it']],
    [{ 'a.py': '"""a.py: a."""\ntry:\n    import yaml.cyaml\nfinally: pass' }, ['a: imports yaml.cyaml']],
    [{ 'a.py': '"""a.py: a."""\nfrom tomllib import load' }, ['a: imports tomllib']],
    [{ 'a.py': '"""a.py: a."""\nfrom . import b', 'b.py': '"""b.py: b."""' }, ['a: imports .']],
    [{ 'a.py': '"""a.py: a."""\nimport b', 'b.py': '"""b.py: b."""\nfrom a import c' }, ['cycle: a b']],
  ])('not %j', (files, wrong) => {
    for (const [name, text] of Object.entries(files)) pod.write(`modules/${name}`, text);
    expect(problems(pod.at('modules'))).toEqual(wrong);
  });
});

describeWith(['python3'], 'vici.py', () => {
  const python = (program: string) =>
    spawnSync('python3', ['-c', `import vici\n${program}`], {
      cwd: SCRIPTS,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: SCRIPTS },
    });

  test('encodes as the protocol has it', () => {
    // The example of strongSwan's description of the protocol.
    const bytes = [
      [3, 4, ...Buffer.from('key1'), 0, 6, ...Buffer.from('value1')],
      [1, 8, ...Buffer.from('section1'), 1, 11, ...Buffer.from('sub-section')],
      [3, 4, ...Buffer.from('key2'), 0, 6, ...Buffer.from('value2'), 2],
      [4, 5, ...Buffer.from('list1'), 5, 0, 5, ...Buffer.from('item1'), 5, 0, 5, ...Buffer.from('item2'), 6, 2],
    ].flat();
    const { stdout, stderr } = python(`
message = {'key1': 'value1', 'section1': {'sub-section': {'key2': 'value2'}, 'list1': ['item1', 'item2']}}
print(list(vici.encode(message)))
print(vici.decode(vici.encode(message)) == message)`);
    expect([stdout, stderr]).toEqual([`[${bytes.join(', ')}]\nTrue\n`, '']);
  });

  test('refuses whatever is not whole', () => {
    const { stdout, stderr } = python(`
import os, random
random.seed(7)
whole = vici.encode({'a': {'b': 'c', 'd': ['e', 'f']}, 'g': 'h' * 300})
errors = 0
# A value in a list, an item outside, a list in a list, an end of nothing.
for wrong in (b'\\4\\1a\\3\\1b\\0\\1c\\6', b'\\5\\0\\1a', b'\\4\\1a\\4\\1b\\6\\6', b'\\2', b'\\6'):
    try:
        print('taken', wrong, vici.decode(wrong))
    except vici.Error:
        pass
for length in range(len(whole)):
    try:
        vici.decode(whole[:length])
    except vici.Error:
        errors += 1
for _ in range(20000):
    try:
        vici.decode(bytes(random.choice([0, 1, 2, 3, 4, 5, 6, 7, 97]) for _ in range(random.randrange(20))))
    except vici.Error:
        pass
print(len(whole), errors)`);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d+ \d+\n$/);
    const [length = 0, errors = 0] = stdout.trim().split(' ').map(Number);
    // What ends between two members of the outermost section is whole.
    expect(errors).toBe(length - 2);
  });
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments, parse } from 'yaml';
import { newWireguardPrivateKey, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { withFolder } from '../helm/real-helm';
import { CommandLine, type Ended } from './command-line';

const cli = new CommandLine();
afterAll(() => cli.remove());

/** Every variable of the image, with a value that a user has, and what becomes of it. */
const VARIABLES: Readonly<Record<string, readonly [value: string, becomes: RegExp]>> = {
  PUID: ['1000', /is left out/],
  PGID: ['1000', /is left out/],
  TZ: ['Europe/Zurich', /is left out; extraEnv/],
  SERVERURL: ['vpn.example.com', /is endpoint/],
  SERVERPORT: ['51821', /is service\.port/],
  PEERS: ['MyPhone,laptop', /is peers, 2 of them/],
  PEERDNS: ['1.1.1.1, lan.example.com', /is dns\.servers/],
  INTERNAL_SUBNET: ['10.14.14.0', /is network, 10\.14\.14\.0\/24/],
  ALLOWEDIPS: ['10.0.0.0/8, 10.14.14.1', /is client\.allowedIPs/],
  LOG_CONFS: ['true', /is left out: .* in no log/],
  PERSISTENTKEEPALIVE_PEERS: ['laptop', /is peers\.<name>\.persistentKeepaliveSeconds/],
  SERVER_ALLOWEDIPS_PEER_laptop: ['192.168.1.0/24,192.168.2.7', /is peers\.laptop\.routedNetworks/],
  USE_COREDNS: ['true', /is left out: dns\.mode/],
};
const all = Object.fromEntries(Object.entries(VARIABLES).map(([key, [value]]) => [key, value]));

type Variables = Readonly<Record<string, string>>;
const lines = (variables: Variables): string =>
  Object.entries(variables)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

interface Values {
  readonly endpoint?: string;
  readonly network: string;
  readonly serverPublicKey?: string;
  readonly peers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [key: string]: unknown;
}

/** A folder in which `import linuxserver` runs. */
class Desk {
  constructor(readonly cwd: string) {}

  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(path.join(this.cwd, name)), { recursive: true });
    fs.writeFileSync(path.join(this.cwd, name), text);
  }

  import(variables: Variables | string, ...flags: string[]): Ended {
    this.write('old', typeof variables === 'string' ? variables : lines(variables));
    return this.run('import', 'linuxserver', 'old', '-o', 'site', ...flags);
  }

  run(...args: string[]): Ended {
    return cli.run(args, { cwd: this.cwd });
  }

  read(name: string): string {
    return fs.readFileSync(path.join(this.cwd, name), 'utf8');
  }

  has(name: string): boolean {
    return fs.existsSync(path.join(this.cwd, name));
  }

  get values(): Values {
    return parse(this.read('site/values.yaml')) as Values;
  }

  /** The Secrets, by name. */
  get secrets(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    const documents = parseAllDocuments(this.read('site/secrets.yaml')).map(
      (one) => one.toJS() as { metadata: { name: string }; stringData: Record<string, string> },
    );
    return Object.fromEntries(documents.map(({ metadata, stringData }) => [metadata.name, stringData]));
  }
}

const onDesk = (use: (desk: Desk) => void): void => {
  withFolder((cwd) => {
    use(new Desk(cwd));
  });
};

function refused(desk: Desk, ended: Ended, code: number, problems: readonly string[]): void {
  expect(ended).toEqual({ code, out: '', err: `${problems.join('\n')}\n` });
  expect(desk.has('site')).toBe(false);
}

describe('the variables', () => {
  test('are all mapped or reported, and the values pass check and synth', () => {
    onDesk((desk) => {
      const { code, out, err } = desk.import(all);
      expect([code, err]).toEqual([0, '']);
      for (const [key, [, becomes]] of Object.entries(VARIABLES))
        expect([
          key,
          out
            .split('\n')
            .filter((line) => line.startsWith(`${key}: `))
            .some((line) => becomes.test(line)),
        ]).toEqual([key, true]);
      expect(desk.read('site/values.yaml')).toMatch(/^# The values of linuxserver, for the chart wireguard: /);
      expect(desk.values).toEqual({
        endpoint: 'vpn.example.com:51821',
        network: '10.14.14.0/24',
        privateKey: { generate: true },
        peers: {
          myphone: { generate: true, addresses: ['10.14.14.2'] },
          laptop: {
            generate: true,
            addresses: ['10.14.14.3'],
            routedNetworks: ['192.168.1.0/24', '192.168.2.7/32'],
            persistentKeepaliveSeconds: 25,
          },
        },
        client: { allowedIPs: ['10.0.0.0/8', '10.14.14.1/32'] },
        dns: { mode: 'servers', servers: ['1.1.1.1'], searchDomains: ['lan.example.com'] },
        service: { port: 51821 },
      });
      expect(desk.has('site/secrets.yaml')).toBe(false);
      expect(desk.run('check', 'wireguard', '-f', 'site/values.yaml')).toMatchObject({ code: 0, err: '' });
      expect(desk.run('synth', 'wireguard', '-f', 'site/values.yaml')).toMatchObject({ code: 0, err: '' });
    });
  });

  test('that are not given are as in the image', () => {
    onDesk((desk) => {
      expect(desk.import('PEERS=2\nSERVERURL=2001:db8::1\nPEERDNS=\n').code).toBe(0);
      expect(desk.values).toEqual({
        endpoint: '[2001:db8::1]:51820',
        network: '10.13.13.0/24',
        privateKey: { generate: true },
        peers: {
          peer1: { generate: true, addresses: ['10.13.13.2'] },
          peer2: { generate: true, addresses: ['10.13.13.3'] },
        },
        dns: { mode: 'coredns' },
        service: { port: 51820 },
      });
    });
  });

  test('that are not known are reported without their values', () => {
    onDesk((desk) => {
      const { code, out } = desk.import({
        ...all,
        SERVERPROT: 's3cret',
        FILE__PEERS: 's3cret',
        SERVER_ALLOWEDIPS_PEER_zoe: '10.0.0.0/8',
      });
      expect(code).toBe(0);
      expect(out).toContain('SERVERPROT: is not known, and left out; did you mean SERVERPORT?\n');
      expect(out).toMatch(/^FILE__PEERS: is left out, since it names a file/m);
      expect(out).toContain('SERVER_ALLOWEDIPS_PEER_zoe: is left out, since PEERS names no such peer\n');
      expect(out).not.toContain('s3cret');
    });
  });

  test.each([
    ['auto', 'coredns', undefined],
    ['10.13.13.1,9.9.9.9', 'coredns', '9.9.9.9'],
    ['9.9.9.9', 'servers', undefined],
  ])('PEERDNS=%s is %s', (dns, mode, unasked) => {
    onDesk((desk) => {
      const { out } = desk.import({ PEERS: '1', PEERDNS: dns });
      expect(desk.values['dns']).toMatchObject({ mode });
      expect(/^PEERDNS: (\S+) is left out/m.exec(out)?.[1]).toBe(unasked);
      expect(desk.run('check', 'wireguard', '-f', 'site/values.yaml').code).toBe(0);
    });
  });

  test('a keepalive may be for all', () => {
    onDesk((desk) => {
      desk.import({ PEERS: 'a,b', PERSISTENTKEEPALIVE_PEERS: 'all' });
      expect(Object.values(desk.values.peers).map((peer) => peer['persistentKeepaliveSeconds'])).toEqual([25, 25]);
    });
  });
});

describe('SERVERURL', () => {
  test.each(['SERVERURL=auto\n', 'SERVERURL=\n', ''])(
    '%j cannot be kept: the report and the files of clients miss the same path',
    (line) => {
      onDesk((desk) => {
        const { server } = oldServer(desk);
        const { code, out } = desk.import(`${line}PEERS=MyPhone\n`, '--config', 'config');
        expect(code).toBe(0);
        const [, missing] = /^(\S+): is missing; .* check does not ask for it/m.exec(out) ?? [];
        expect(missing).toBe('endpoint');
        expect(desk.values.endpoint).toBeUndefined();
        expect(desk.run('check', 'wireguard', '-f', 'site/values.yaml').code).toBe(0);
        const { err } = desk.run('showconf', 'wireguard', 'myphone', '-f', 'site/values.yaml');
        expect(err).toMatch(/^endpoint: is missing/m);
        expect(err).not.toContain(server);
      });
    },
  );

  test.each([
    ['vpn.example.com', 'vpn.example.com:51821'],
    ['2001:db8::1', '[2001:db8::1]:51821'],
    ['vpn.example.com:443', 'vpn.example.com:443'],
  ])('gives way to --endpoint %s', (flag, endpoint) => {
    onDesk((desk) => {
      const { out } = desk.import({ PEERS: '1', SERVERURL: 'auto', SERVERPORT: '51821' }, '--endpoint', flag);
      expect(desk.values.endpoint).toBe(endpoint);
      expect(out).not.toContain('is missing');
    });
  });

  test('--endpoint without a host is wrong usage', () => {
    onDesk((desk) => {
      expect(desk.import({ PEERS: '1' }, '--endpoint', 'a b')).toMatchObject({ code: 2, out: '' });
      expect(desk.has('site')).toBe(false);
    });
  });
});

describe('the names of peers', () => {
  test.each([
    ['MyPhone,myphone,MYPHONE', ['myphone-2', 'myphone', 'myphone-3']],
    ['leo_mac, alice ,,alice', ['leo-mac', 'alice']],
    ['1,peer1,x', ['peer1-2', 'peer1', 'x']],
    ['__proto__,constructor,toString', ['proto', 'constructor', 'tostring']],
    ['../../etc,a\u2028b', undefined],
    [`${'A'.repeat(300)},${'A'.repeat(301)}`, ['a'.repeat(63), `${'a'.repeat(61)}-2`]],
    ['"; rm -rf /,{{ .Values }}', ['rm-rf', 'values']],
    ['0', []],
  ])('%s become keys of ours', (given, names) => {
    onDesk((desk) => {
      const { code, out } = desk.import({ PEERS: given });
      if (names === undefined) {
        expect(code).toBe(1);
        return;
      }
      expect(code).toBe(0);
      expect(Object.keys(desk.values.peers)).toEqual(names);
      for (const name of names.filter((one) => !given.split(',').includes(one) && one !== 'peer1'))
        expect(out).toMatch(new RegExp(`^PEERS: ".*" is peers\\.${name}, `, 'm'));
      expect(desk.run('check', 'wireguard', '-f', 'site/values.yaml').code).toBe(0);
    });
  });

  test('as many as a /24 holds, and no more', () => {
    onDesk((desk) => {
      refused(desk, desk.import({ PEERS: '254' }), 1, [
        'old:1: PEERS: has more peers than a /24 has addresses, got 254; name at most 253',
      ]);
      expect(desk.import({ PEERS: '99999999999999999999' }).code).toBe(1);
      expect(desk.import({ PEERS: '253' }).code).toBe(0);
      expect(desk.values.peers['peer253']).toEqual({ generate: true, addresses: ['10.13.13.254'] });
    });
  });
});

test('all that is wrong is said at once, and nothing is written', () => {
  onDesk((desk) => {
    const bad = {
      SERVERURL: 'https://vpn.example.com',
      SERVERPORT: '65536',
      PEERS: 'a,!!,b',
      PEERDNS: '1.1.1.1,%',
      INTERNAL_SUBNET: '10.13.13',
      ALLOWEDIPS: '10.13.13.1/24',
      SERVER_ALLOWEDIPS_PEER_b: '10.0.0.0/33',
      TZ: '$TZ',
    };
    const { code, out, err } = desk.import(bad, '--config', 'none');
    expect([code, out, desk.has('site')]).toEqual([2, '', false]);
    expect(err.trimEnd().split('\n').sort()).toEqual(
      [
        'none: there is no such folder; check the path after --config',
        'old:1: SERVERURL: is not an IP address or a host name, got "https://vpn.example.com"; write it like "198.51.100.7"',
        'old:2: SERVERPORT: is not a port number, got "65536"; write it like "51820"',
        'old:3: PEERS: names a peer without a letter or digit, got "!!"; rename it',
        'old:4: PEERDNS[1]: is not an IP address or a domain, got "%"; write it like "1.1.1.1"',
        'old:5: INTERNAL_SUBNET: is not the base address of an IPv4 network of 24 bits, got "10.13.13"; write it like "10.13.13.0"',
        'old:6: ALLOWEDIPS[0]: is not a network in CIDR notation without host bits, got "10.13.13.1/24"; write it like "10.0.0.0/16"',
        'old:7: SERVER_ALLOWEDIPS_PEER_b[0]: is not a network in CIDR notation without host bits, got "10.0.0.0/33"; write it like "10.0.0.0/16"',
      ].sort(),
    );
  });
});

describe('a file', () => {
  const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: wireguard}
spec:
  template:
    spec:
      containers:
        - {name: sidecar, image: busybox, env: [{name: PEERS, value: "9"}]}
        - name: wireguard
          image: lscr.io/linuxserver/wireguard:latest
          envFrom: [{configMapRef: {name: settings}}]
          env:
            - {name: PEERS, value: "2"}
            - {name: SERVERURL, valueFrom: {configMapKeyRef: {name: settings, key: host}}}
`;
  const configMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {PEERS: "5", INTERNAL_SUBNET: 10.20.0.0, host: vpn.example.com}
`;
  const compose = (environment: string): string => `
services:
  web: {image: nginx}
  wireguard:
    image: lscr.io/linuxserver/wireguard:latest
    environment:${environment}
`;

  test.each([
    [
      'KEY=value lines',
      '\uFEFF# old\r\n\r\nexport PEERS="2" # two\r\nSERVERURL = vpn.example.com\r\nINTERNAL_SUBNET=\'10.20.0.0\'\r\n',
    ],
    ['a Deployment and its ConfigMap', `---\n${deployment}---\n${configMap}---\n# nothing\n`],
    ['a List', JSON.stringify({ kind: 'List', items: [parse(deployment), parse(configMap), { kind: 'Service' }] })],
    ['a ConfigMap', configMap.replace('PEERS: "5"', 'PEERS: "2", SERVERURL: vpn.example.com')],
    [
      'a compose file with a map',
      compose(' {PEERS: 2, SERVERURL: vpn.example.com, INTERNAL_SUBNET: 10.20.0.0, TZ: null}'),
    ],
    [
      'a compose file with a list',
      compose('\n      - PEERS=2\n      - SERVERURL=vpn.example.com\n      - INTERNAL_SUBNET=10.20.0.0\n      - TZ'),
    ],
  ])('may be %s', (_kind, text) => {
    onDesk((desk) => {
      const { code, err } = desk.import(text);
      expect([code, err]).toEqual([0, '']);
      expect(desk.values).toMatchObject({ endpoint: 'vpn.example.com:51820', network: '10.20.0.0/24' });
      expect(Object.keys(desk.values.peers)).toEqual(['peer1', 'peer2']);
    });
  });

  test('may come with others, of which later ones win, and with standard input', () => {
    onDesk((desk) => {
      desk.write('settings.yaml', configMap);
      desk.write('more.env', 'INTERNAL_SUBNET=10.21.0.0\nPEERS=7\n');
      const args = ['import', 'linuxserver', 'settings.yaml', '-', 'more.env', '-o', 'site'];
      const { code, err } = cli.run(args, { cwd: desk.cwd, input: deployment });
      expect([code, err]).toEqual([0, '']);
      expect(desk.values.network).toBe('10.21.0.0/24');
      expect(Object.keys(desk.values.peers)).toHaveLength(2);
    });
  });

  test.each([
    [
      'hello world\n',
      'old: this is none of KEY=value lines, a Deployment, a ConfigMap and a compose file; give one of them',
    ],
    ['', 'old: this is none of KEY=value lines, a Deployment, a ConfigMap and a compose file; give one of them'],
    ['a: b\n', 'old: this is none of KEY=value lines, a Deployment, a ConfigMap and a compose file; give one of them'],
    ['PEERS=1\ns3cret\n', 'old:2: is no line of KEY=value; write it so, or remove it'],
    ['TZ=UTC\n', 'PEERS: is missing in old, as in a client; give the files of a server'],
    ['PEERS=a\u0007b\n', 'old:1: PEERS: has a character that cannot be printed; remove it'],
    [
      deployment,
      'old:12:21: takes variables from the ConfigMap "settings", which is not given; give it as another file\nold:15:15: takes SERVERURL from the ConfigMap "settings", which is not given; give it as another file',
    ],
    [
      compose(' {PEERS: "${PEERS:-1}"}'),
      'old:6:19: PEERS: holds a variable, got "${PEERS:-1}"; write its value, as docker compose config prints it',
    ],
    [
      compose(' {PEERS: 1}\n    env_file: [wireguard.env]'),
      'old:7:5: takes variables from the file "wireguard.env", which is not given; give it as another file',
    ],
    [
      compose(' {PEERS: [1]}'),
      'old:6:5: services.wireguard.environment: is not a map, or a list of KEY=value, got a map; write it like ["PEERS=1"]',
    ],
    [
      `${compose(' {PEERS: 1}')}  other: {image: linuxserver/wireguard}\n`,
      'old: there are several containers of this image, got old:4:3, old:7:3; give a file with the one that is meant',
    ],
  ])('with %j is refused', (text, problems) => {
    onDesk((desk) => {
      refused(desk, desk.import(text), 1, [problems]);
    });
  });

  test('that is not there, or is a folder, is wrong usage', () => {
    onDesk((desk) => {
      desk.write('config/x', '');
      refused(desk, desk.run('import', 'linuxserver', 'none', 'config', '-o', 'site'), 2, [
        'none: there is no such file; check the path after linuxserver',
        'config: this is a folder; give a copy of /config with --config',
      ]);
    });
  });
});

/** Writes `/config` as the image makes it, with one peer `MyPhone` and one that was removed. */
function oldServer(desk: Desk): { server: string; client: string; psk: string } {
  const [server, client, psk] = [newWireguardPrivateKey(), newWireguardPrivateKey(), newWireguardPrivateKey()];
  desk.write('config/server/privatekey-server', `${server}\n`);
  desk.write('config/server/publickey-server', `${wireguardPublicKey(server)}\n`);
  desk.write('config/peer_old/publickey-peer_old', `${wireguardPublicKey(psk)}\n`);
  desk.write('config/peer_MyPhone/privatekey-peer_MyPhone', `${client}\n`);
  desk.write('config/peer_MyPhone/publickey-peer_MyPhone', `${wireguardPublicKey(client)}\n`);
  desk.write('config/peer_MyPhone/presharedkey-peer_MyPhone', `${psk}\n`);
  desk.write(
    'config/peer_MyPhone/peer_MyPhone.conf',
    `[Interface]
Address = 10.13.13.7
PrivateKey = ${client}
ListenPort = 51820
DNS = 10.13.13.1

[Peer]
PublicKey = ${wireguardPublicKey(server)}
PresharedKey = ${psk}
Endpoint = vpn.example.com:51820
AllowedIPs = 0.0.0.0/0, ::/0
`,
  );
  return { server, client, psk };
}

describe('with a copy of /config', () => {
  const variables = { PEERS: 'MyPhone,new', SERVERURL: 'vpn.example.com' };

  test('the file of a client says what the old one said', () => {
    onDesk((desk) => {
      const { server, client, psk } = oldServer(desk);
      const { code, out, err } = desk.import(variables, '--config', 'config');
      expect([code, err]).toEqual([0, '']);
      expect(desk.values.peers).toEqual({
        myphone: {
          publicKey: wireguardPublicKey(client),
          presharedKey: { existingSecret: 'wireguard-psk', key: 'myphone' },
          addresses: ['10.13.13.7'],
        },
        new: { generate: true, addresses: ['10.13.13.2'] },
      });
      expect(desk.secrets).toEqual({
        'wireguard-private-key': { 'private-key': server },
        'wireguard-psk': { myphone: psk },
      });
      expect(fs.statSync(path.join(desk.cwd, 'site/secrets.yaml')).mode & 0o777).toBe(0o600);
      for (const secret of [server, client, psk])
        expect([out.includes(secret), desk.read('site/values.yaml').includes(secret)]).toEqual([false, false]);
      expect(desk.read('site/secrets.yaml')).not.toContain(client);
      expect(out).toMatch(/^peers\.new: has no folder "peer_new" in config/m);
      expect(out).toMatch(/^config: peer_old is left out, since PEERS does not name it$/m);

      expect(desk.run('check', 'wireguard', '-f', 'site/values.yaml')).toMatchObject({ code: 0, err: '' });
      expect(desk.run('synth', 'wireguard', '-f', 'site/values.yaml').out).toContain(
        'secretName: wireguard-private-key',
      );
      desk.write('psk', psk);
      const keys = ['--private-key-file', 'config/peer_MyPhone/privatekey-peer_MyPhone', '--preshared-key-file', 'psk'];
      const shown = desk.run('showconf', 'wireguard', 'myphone', '-f', 'site/values.yaml', ...keys).out;
      const settings = (text: string): string[] =>
        text
          .split('\n')
          .filter((line) => / = /.test(line))
          .sort();
      const old = settings(desk.read('config/peer_MyPhone/peer_MyPhone.conf'));
      const left = ['ListenPort = 51820'];
      const added = ['MTU = 1420', 'PersistentKeepalive = 25'];
      expect(settings(shown)).toEqual([...old.filter((line) => !left.includes(line)), ...added].sort());
    });
  });

  test('a peer without a file or a pre-shared key keeps what there is', () => {
    onDesk((desk) => {
      const { client } = oldServer(desk);
      for (const file of ['peer_MyPhone.conf', 'presharedkey-peer_MyPhone', 'publickey-peer_MyPhone'])
        fs.rmSync(path.join(desk.cwd, 'config/peer_MyPhone', file));
      const { out } = desk.import(variables, '--config', 'config');
      expect(desk.values.peers['myphone']).toEqual({
        publicKey: wireguardPublicKey(client),
        addresses: ['10.13.13.2'],
      });
      expect(Object.keys(desk.secrets)).toEqual(['wireguard-private-key']);
      expect(out).toMatch(/^peers\.myphone: has no address in config/m);
    });
  });

  test('what its file sends through the tunnel is kept, and what check says of it is in the report', () => {
    onDesk((desk) => {
      oldServer(desk);
      const file = 'config/peer_MyPhone/peer_MyPhone.conf';
      desk.write(file, desk.read(file).replace('0.0.0.0/0, ::/0', '10.0.0.0/8').replace('.7', '.7/32, fd00::7/128'));
      const { out } = desk.import(variables, '--config', 'config');
      expect(desk.values.peers['myphone']).toMatchObject({
        addresses: ['10.13.13.7', 'fd00::7'],
        client: { allowedIPs: ['10.0.0.0/8'] },
      });
      const { code, err } = desk.run('check', 'wireguard', '-f', 'site/values.yaml');
      expect(code).toBe(1);
      const said = err.trimEnd().replace(/^site\/values\.yaml:[0-9:]* /, '');
      expect(said).toMatch(/^peers\.myphone\.addresses\[1\]: is an IPv6 address/);
      expect(out.split('\n')).toContain(said);
    });
  });

  test('keys and addresses that are wrong are told at once, without a key', () => {
    onDesk((desk) => {
      const { server, client, psk } = oldServer(desk);
      const file = 'config/peer_MyPhone/peer_MyPhone.conf';
      desk.write(file, desk.read(file).replace('10.13.13.7', '10.13.13.299').replace(psk, client));
      desk.write('config/peer_a/publickey-peer_a', 's3cret');
      desk.write('config/peer_b/x', '');
      desk.write('config/peer_c/publickey-peer_c', wireguardPublicKey(psk));
      desk.write('config/peer_c/privatekey-peer_c', client);
      desk.write('config/peer_d/publickey-peer_d', wireguardPublicKey(server));
      desk.write('config/peer_d/peer_d.conf', 'Address = 10.99.0.2\n');
      const ended = desk.import({ PEERS: 'MyPhone,a,b,c,d', SERVERPORT: 'x' }, '--config', 'config');
      expect([ended.code, ended.out, desk.has('site')]).toEqual([2, '', false]);
      const problems = ended.err.trimEnd().split('\n').sort();
      const outside = desk.import({ PEERS: 'd' }, '--config', 'config');
      expect(problems).toEqual([
        'config/peer_MyPhone/peer_MyPhone.conf: Address: is not an IP address, got "10.13.13.299"; write it like "10.13.13.2"',
        'config/peer_MyPhone/peer_MyPhone.conf: has another pre-shared key than presharedkey-peer_MyPhone beside it; remove the one that is wrong',
        'config/peer_a/publickey-peer_a: is not a WireGuard key: 32 bytes in base64, 44 characters; --config takes a file with one key in one line',
        'config/peer_b: has neither publickey-peer_b nor privatekey-peer_b; add the key, or remove the folder',
        'config/peer_c: its keys do not belong together; remove those that are wrong',
        'old:2: SERVERPORT: is not a port number, got "x"; write it like "51820"',
      ]);
      refused(desk, outside, 1, [
        'config/peer_d/peer_d.conf: Address: is outside the network 10.13.13.0/24 of INTERNAL_SUBNET, got "10.99.0.2"; give the variables and the folder of one server',
      ]);
      for (const secret of [server, client, psk, 's3cret']) expect(ended.err).not.toContain(secret);
    });
  });

  test.each([
    ['privatekey-server', 'config/server/privatekey-server: there is no such file; check the path after --config'],
    [
      'publickey-server',
      'config/server/publickey-server: does not belong to privatekey-server beside it; remove the one that is wrong',
    ],
  ])('a wrong %s is told', (name, problem) => {
    onDesk((desk) => {
      const { client } = oldServer(desk);
      if (name === 'privatekey-server') fs.rmSync(path.join(desk.cwd, 'config/server', name));
      else desk.write(`config/server/${name}`, wireguardPublicKey(client));
      refused(desk, desk.import(variables, '--config', 'config'), name === 'privatekey-server' ? 2 : 1, [problem]);
    });
  });

  test('a name is no path', () => {
    onDesk((desk) => {
      const { client } = oldServer(desk);
      desk.write('config/peer_/x', '');
      desk.write('outside/publickey-peer_x', wireguardPublicKey(client));
      expect(desk.import({ PEERS: `/../../outside,${'a'.repeat(5000)}` }, '--config', 'config').code).toBe(0);
      expect(Object.values(desk.values.peers).map((peer) => peer['generate'])).toEqual([true, true]);
    });
  });
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ipsecValues } from '../../values/ipsec';
import { withFolder } from '../helm/real-helm';
import { CommandLine, type Ended } from './command-line';

const cli = new CommandLine();
afterAll(() => cli.remove());

const KEYS = { a: 's3cret-key-of-the-first-tunnel', b: 's3cret-key-of-the-other-tunnel' };
const BGP = 'bgp: {enabled: true, localASN: 65010, peerASN: 64514, internalASN: 65020, advertiseCidrs: []';
/** Every key of the old chart. */
const OLD = `
nameOverride: ""
fullnameOverride: ""
imagePullPolicy: IfNotPresent
networkInterface: ens3
localCidrs: [10.234.0.0/16, 172.27.48.0/20, 10.233.0.0/16]
tunnels:
- publicIP: 198.51.100.40
  internalIP: 172.27.48.1
  nodeName: np-aaaaaaaa-1.eu-iceland1-a.compute.internal
  localTunnelIP: 169.254.174.222
  peerTunnelIP: 169.254.174.221
  psk: ${KEYS.a}
- publicIP: 198.51.100.41
  internalIP: 172.27.48.2
  nodeName: np-aaaaaaaa-2.eu-iceland1-a.compute.internal
  localTunnelIP: 169.254.197.150
  peerTunnelIP: 169.254.197.149
  psk: ${KEYS.b}
strongswan: {image: "docker.io/mberner/strongswan:5.9.11"}
ipsecRoutes: {image: "docker.io/alpine:3"}
${BGP}, frrImage: "quay.io/frrouting/frr:10.5.0", internalClients: []}
`;
const IDENTITIES = ['--identity', '203.0.113.10', '--identity', '203.0.113.11'];
const IMPORT = ['--import', '10.0.0.0/16:24', '--import', '10.1.0.0/16'];

interface Values {
  readonly cluster: Readonly<Record<string, readonly string[]>>;
  readonly routes: Readonly<Record<string, unknown>>;
  readonly gateways: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tunnels: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [key: string]: unknown;
}

/** A folder in which `import crusoe` runs. */
class Desk {
  constructor(readonly cwd: string) {}

  import(old: string, ...flags: string[]): Ended {
    fs.writeFileSync(path.join(this.cwd, 'old.yaml'), old);
    return cli.run(['import', 'crusoe', 'old.yaml', '-o', 'site', ...flags], { cwd: this.cwd });
  }

  check(): Ended {
    return cli.run(['check', 'ipsec', '-f', 'site/values.yaml'], { cwd: this.cwd });
  }

  read(name: string): string {
    return fs.readFileSync(path.join(this.cwd, name), 'utf8');
  }

  get values(): Values {
    return parse(this.read('site/values.yaml')) as Values;
  }

  /** The keys of the Secrets, by name. */
  get keys(): Readonly<Record<string, string>> {
    const documents = parseAllDocuments(this.read('site/secrets.yaml')).map(
      (one) => one.toJS() as { metadata: { name: string }; stringData: { psk: string } },
    );
    return Object.fromEntries(documents.map(({ metadata, stringData }) => [metadata.name, stringData.psk]));
  }
}

const atDesk = (run: (desk: Desk) => void): void => withFolder((cwd) => run(new Desk(cwd)));

/** The old values with something in the place of something else, which must be there. */
function but(part: string, other: string): string {
  expect(OLD).toContain(part);
  return OLD.replace(part, other);
}

/** What the report says of a path. */
function became(out: string, of: string): string[] {
  return out.split('\n').flatMap((line) => (line.startsWith(`${of}: `) ? [line.slice(of.length + 2)] : []));
}

/** The paths of the leaves of the old values. */
function pathsIn(value: unknown, at: string): string[] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((one, index) => pathsIn(one, `${at}[${String(index)}]`));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at];
  return Object.entries(value).flatMap(([key, one]) => pathsIn(one, at === '' ? key : `${at}.${key}`));
}

describe('import crusoe', () => {
  test('makes a gateway, a tunnel and a BGP session of each tunnel', () => {
    atDesk((desk) => {
      const { code, err } = desk.import(OLD, ...IDENTITIES, ...IMPORT);
      expect([code, err]).toEqual([0, '']);
      const gateway = (identity: string, node: string) => ({
        exposure: 'hostPort',
        identity,
        nodeSelector: { 'kubernetes.io/hostname': `np-aaaaaaaa-${node}.eu-iceland1-a.compute.internal` },
      });
      const tunnel = (name: string, address: string, local: string, remote: string) => ({
        gateway: name,
        remote: { address },
        presharedKey: { existingSecret: `ipsec-${name}-psk` },
        inside: { local, remote },
        bgp: { peerAs: 64514 },
        ike: { proposals: ['aes256-sha256-modp2048'] },
        esp: { proposals: ['aes256-sha256-modp2048'] },
      });
      expect(desk.values).toEqual({
        cluster: { podCidrs: ['10.234.0.0/16'], nodeCidrs: ['172.27.48.0/20'], serviceCidrs: ['10.233.0.0/16'] },
        routes: {
          mode: 'bgp',
          localAs: 65010,
          internalAs: 65020,
          import: { 'remote-1': { cidr: '10.0.0.0/16', maxLength: 24 }, 'remote-2': { cidr: '10.1.0.0/16' } },
        },
        gateways: { a: gateway('203.0.113.10', '1'), b: gateway('203.0.113.11', '2') },
        tunnels: {
          a: tunnel('a', '198.51.100.40', '169.254.174.222/30', '169.254.174.221'),
          b: tunnel('b', '198.51.100.41', '169.254.197.150/30', '169.254.197.149'),
        },
      });
      expect(desk.check()).toMatchObject({ code: 0, err: '' });
    });
  });

  test('what became of every key is in the report, once', () => {
    atDesk((desk) => {
      const { out } = desk.import(OLD, ...IDENTITIES, ...IMPORT);
      const paths = pathsIn(parse(OLD), '');
      expect(paths).toHaveLength(28);
      expect(paths.filter((key) => became(out, key).length !== 1)).toEqual([]);
    });
  });

  test('says of contradictions and of what was fixed what it was and what it is', () => {
    atDesk((desk) => {
      const { out } = desk.import(OLD);
      const sentences: readonly [string, RegExp][] = [
        ['tunnels[0].publicIP', /is tunnels\.a\.remote\.address; its comment says that it is the node's/],
        ['tunnels[1].nodeName', /is gateways\.b\.nodeSelector, on kubernetes\.io\/hostname; a label of your own stays/],
        ['proposals', /were fixed to aes256-sha256-modp2048 .* and are so/],
        ['BGP timers', /were fixed to 10 and 30 s, and are 3 and 9 s/],
        ['ebgp-multihop', /was fixed to 5 hops, and is one hop/],
        ['BFD', /was configured and never started/],
        ['bgp listen range', /was fixed to 172\.27\.0\.0\/16, and is cluster\.nodeCidrs/],
        ['dead-peer detection', /was none, and is every 10 s/],
        ['import policy', /was none, and is routes\.import/],
        ['IKE identity', /was the internal address of the node/],
        ['traffic selectors', /were localCidrs and 0\.0\.0\.0\/0/],
      ];
      expect(sentences.map(([key]) => [key, became(out, key)])).toEqual(
        sentences.map(([key, sentence]) => [key, [expect.stringMatching(sentence)]]),
      );
    });
  });

  test('keeps the keys in a file of their own, for its owner', () => {
    atDesk((desk) => {
      const { out } = desk.import(OLD);
      expect(desk.keys).toEqual({ 'ipsec-a-psk': KEYS.a, 'ipsec-b-psk': KEYS.b });
      expect(fs.statSync(path.join(desk.cwd, 'site/secrets.yaml')).mode & 0o777).toBe(0o600);
      for (const key of Object.values(KEYS))
        for (const text of [out, desk.read('site/values.yaml')]) expect(text).not.toContain(key);
    });
  });

  test.each([
    [`"0s${Buffer.from(KEYS.a).toString('base64')}"`, /, decoded from base64 as charon did$/, KEYS.a],
    [
      '"s3cret-key-of-the-first#tunnel"',
      /that the file of the old charon took as its own: compare/,
      's3cret-key-of-the-first#tunnel',
    ],
    [
      'somesecretkey',
      /it has less than 20 characters, so that it can be guessed, and the gateway refuses it/,
      'somesecretkey',
    ],
  ])('the key %s is reported, and not shown', (psk, sentence, key) => {
    atDesk((desk) => {
      const { out } = desk.import(but(KEYS.a, psk));
      expect(became(out, 'tunnels[0].psk')).toEqual([expect.stringMatching(sentence)]);
      expect(out).not.toContain(key);
      expect(desk.keys['ipsec-a-psk']).toBe(key);
    });
  });

  test('a key that is not text, or missing, is told without it', () => {
    atDesk((desk) => {
      expect(desk.import(but(KEYS.a, '4815162342'))).toMatchObject({
        code: 1,
        out: '',
        err: 'old.yaml:13:3: tunnels[0].psk: must be text, got something of another type; write it like "a key in quotes"\n',
      });
      expect(fs.existsSync(path.join(desk.cwd, 'site'))).toBe(false);
      const { out } = desk.import(but(`  psk: ${KEYS.b}\n`, ''));
      expect(became(out, 'tunnels[1].psk')).toEqual(['is missing; make the Secret ipsec-b-psk with the key psk']);
      expect(Object.keys(desk.keys)).toEqual(['ipsec-a-psk']);
    });
  });

  test('without the flags, what must be filled in has its path in the report', () => {
    atDesk((desk) => {
      const { code, out } = desk.import(OLD, '--identity', '203.0.113.10');
      expect(code).toBe(0);
      expect(became(out, 'gateways.a.identity')).toEqual(['is what --identity says']);
      expect(became(out, 'gateways.b.identity')).toEqual([
        'is missing, and the old chart had none; set it with --identity to the public address of np-aaaaaaaa-2.eu-iceland1-a.compute.internal',
      ]);
      expect(became(out, 'routes.import')).toEqual([expect.stringMatching(/^is missing: .* with --import$/)]);
      expect(desk.values.routes['import']).toBeUndefined();
      const { code: refused, err } = desk.check();
      expect(refused).toBe(1);
      expect(err).toMatch(/ gateways\.b\.identity: is missing/);
      expect(err).toMatch(/ routes\.import: is empty/);
    });
  });

  test('the preset brings proposals, timers and a rule of keys', () => {
    atDesk((desk) => {
      const { out } = desk.import(OLD, '--preset', 'aws');
      expect(desk.values.tunnels['a']).toMatchObject({ preset: 'aws' });
      expect(desk.values.tunnels['a']).not.toHaveProperty('ike');
      expect(desk.values.tunnels['a']).not.toHaveProperty('esp');
      expect(became(out, 'tunnels.<name>.preset')).toEqual(['is what --preset says']);
      expect(became(out, 'proposals')).toEqual([expect.stringMatching(/are those of the preset/)]);
      expect(became(out, 'BGP timers')).toEqual([expect.stringMatching(/and are 10 and 30 s/)]);
      expect(became(out, 'tunnels[0].psk')).toEqual([expect.stringMatching(/it is not what AWS takes/)]);
    });
  });

  test.each<[string[], Values['cluster'], readonly string[]]>([
    [
      ['--nodes', '10.233.0.0/16'],
      { podCidrs: ['10.234.0.0/16'], nodeCidrs: ['10.233.0.0/16'], serviceCidrs: ['172.27.48.0/20'] },
      [
        'localCidrs[0]: is cluster.podCidrs, by its place in the list; say otherwise with --pods',
        'localCidrs[1]: is cluster.serviceCidrs, by its place in the list; say otherwise with --services',
        'localCidrs[2]: is cluster.nodeCidrs, as --nodes says',
      ],
    ],
    [
      ['--pods', '10.233.0.0/16', '--pods', '10.234.0.0/16', '--services', '10.96.0.0/12'],
      {
        podCidrs: ['10.233.0.0/16', '10.234.0.0/16'],
        nodeCidrs: ['172.27.48.0/20'],
        serviceCidrs: ['10.96.0.0/12'],
      },
      [
        'localCidrs[0]: is cluster.podCidrs, as --pods says',
        'localCidrs[1]: is cluster.nodeCidrs, by its place in the list; say otherwise with --nodes',
        'localCidrs[2]: is cluster.podCidrs, as --pods says',
      ],
    ],
    ...['172.27.0.0/18', '172.28.0.0/20'].map((nodes): [string[], Values['cluster'], readonly string[]] => [
      ['--nodes', nodes],
      { podCidrs: ['10.234.0.0/16'], nodeCidrs: [nodes], serviceCidrs: ['10.233.0.0/16'] },
      ['localCidrs[1]: is left out for what --nodes says'],
    ]),
  ])('%j says which networks of the cluster are which', (flags, cluster, lines) => {
    atDesk((desk) => {
      const { out } = desk.import(OLD, ...flags);
      expect(desk.values.cluster).toEqual(cluster);
      expect(out.split('\n')).toEqual(expect.arrayContaining([...lines]));
    });
  });

  test('a fourth network is left out, and reported', () => {
    atDesk((desk) => {
      const { out } = desk.import(but('10.233.0.0/16]', '10.233.0.0/16, 10.235.0.0/16]'));
      expect(JSON.stringify(desk.values)).not.toContain('10.235.0.0/16');
      expect(became(out, 'localCidrs[3]')).toEqual([
        'is left out: what it is cannot be known from the list; say it with --pods, --nodes or --services',
      ]);
    });
  });

  test('a list that is too short leaves a kind empty', () => {
    atDesk((desk) => {
      const { out } = desk.import(but(', 172.27.48.0/20, 10.233.0.0/16', ''));
      expect(desk.values.cluster).toEqual({ podCidrs: ['10.234.0.0/16'] });
      for (const key of ['nodeCidrs', 'serviceCidrs'])
        expect(became(out, `cluster.${key}`)).toEqual([expect.stringMatching(/^is empty; say with --/)]);
    });
  });

  test('a node outside the node networks is reported, as in the sample of the old chart', () => {
    atDesk((desk) => {
      const { out } = desk.import(but('internalIP: 172.27.48.1', 'internalIP: 172.27.0.1'));
      expect(became(out, 'tunnels[0].internalIP')).toEqual([
        expect.stringMatching(/172\.27\.0\.1 is in no network of/),
      ]);
      expect(became(out, 'tunnels[1].internalIP')).toEqual(['is left out: the node itself says it']);
    });
  });

  test('two tunnels on one node are reported: its ports are there once', () => {
    atDesk((desk) => {
      const { out } = desk.import(but('np-aaaaaaaa-2', 'np-aaaaaaaa-1'));
      expect(became(out, 'gateways.b.nodeSelector')).toEqual([expect.stringMatching(/^is that of gateways\.a, /)]);
      expect(became(desk.import(OLD, '-o', 'other').out, 'gateways.b.nodeSelector')).toEqual([]);
    });
  });

  test('what is advertised is the export list, in words where they say the same', () => {
    atDesk((desk) => {
      const { out } = desk.import(
        but('advertiseCidrs: []', 'advertiseCidrs: [10.234.8.0/21, 10.233.0.0/16, 172.27.48.0/20]'),
      );
      expect(desk.values.routes['export']).toEqual(['nodes', 'services', '10.234.8.0/21']);
      expect(became(out, 'bgp.advertiseCidrs')).toEqual(['is routes.export, nodes, services, 10.234.8.0/21']);
    });
  });

  test('without BGP the routes are static, and the nodes have them as before', () => {
    atDesk((desk) => {
      const old = but('enabled: true', 'enabled: false');
      const { code, out } = desk.import(old, ...IDENTITIES, '--import', '10.0.0.0/16');
      expect(code).toBe(0);
      expect(desk.values).toMatchObject({ routes: { mode: 'static' }, agent: { enabled: true } });
      for (const tunnel of Object.values(desk.values.tunnels)) {
        expect(tunnel['remote']).toMatchObject({ networks: ['10.0.0.0/16'] });
        expect(tunnel).not.toHaveProperty('bgp');
      }
      for (const key of ['localASN', 'peerASN', 'internalASN', 'advertiseCidrs'])
        expect(became(out, `bgp.${key}`)).toEqual(['is left out, since bgp.enabled is false']);
      expect(became(out, 'BGP timers')).toEqual([]);
      expect(desk.check()).toMatchObject({ code: 0, err: '' });
    });
  });

  test('without BGP and without --import, the report and check name the same paths', () => {
    atDesk((desk) => {
      const { out } = desk.import(but('enabled: true', 'enabled: false'), ...IDENTITIES);
      const { code, err } = desk.check();
      expect(code).toBe(1);
      for (const key of ['tunnels.a.remote.networks', 'tunnels.b.remote.networks']) {
        expect(became(out, key)).toEqual([expect.stringMatching(/^is missing: /)]);
        expect(err).toContain(`${key}: `);
      }
    });
  });

  test.each([
    [
      'registry.example.com:5000/vpn/frr:10.5.1',
      { registry: 'registry.example.com:5000', repository: 'vpn/frr', tag: '10.5.1' },
    ],
    ['me/frr', { registry: 'docker.io', repository: 'me/frr', tag: 'latest' }],
    ['frr:1', { registry: 'docker.io', repository: 'library/frr', tag: '1' }],
    [
      `localhost/frr@sha256:${'0'.repeat(64)}`,
      { registry: 'localhost', repository: 'frr', digest: `sha256:${'0'.repeat(64)}` },
    ],
  ])('an image of one’s own stays: %s', (image, parts) => {
    atDesk((desk) => {
      const { out } = desk.import(but('quay.io/frrouting/frr:10.5.0', image).replace('IfNotPresent', 'Always'));
      expect(desk.values).toMatchObject({
        strongswan: { image: { pullPolicy: 'Always' } },
        network: { image: { pullPolicy: 'Always' } },
      });
      for (const container of ['frr', 'control'])
        expect(desk.values[container]).toEqual({ image: { ...parts, pullPolicy: 'Always' } });
      expect(became(out, 'bgp.frrImage')).toEqual([expect.stringMatching(/^is frr\.image and control\.image/)]);
      expect(ipsecValues.safeParse(desk.values).error).toBeUndefined();
    });
  });

  test('an image of strongSwan and names of one’s own stay', () => {
    atDesk((desk) => {
      const own = but('docker.io/mberner/strongswan:5.9.11', 'registry.example.com/strongswan:6.0.1');
      const { out } = desk.import(own.replace('fullnameOverride: ""', 'fullnameOverride: site'));
      expect(desk.values).toMatchObject({
        fullnameOverride: 'site',
        strongswan: { image: { registry: 'registry.example.com', repository: 'strongswan', tag: '6.0.1' } },
      });
      expect(became(out, 'fullnameOverride')).toEqual(['is the same; the old chart had it and did not use it']);
      expect(became(out, 'strongswan.image')).toEqual([
        expect.stringMatching(/^is the same; set strongswan\.charonPath/),
      ]);
    });
  });

  test('what was a default in the old chart is one here', () => {
    atDesk((desk) => {
      const short = OLD.slice(OLD.indexOf('localCidrs'), OLD.indexOf('strongswan:'));
      const { code, out } = desk.import(short);
      expect(code).toBe(0);
      expect(desk.values.routes).toMatchObject({ mode: 'bgp', localAs: 65010, internalAs: 65020 });
      expect(desk.values.tunnels['b']).toMatchObject({ bgp: { peerAs: 64512 } });
      expect(became(out, 'bgp.peerASN')).toEqual([
        'is tunnels.<name>.bgp.peerAs, 64512, which the old chart had by default',
      ]);
    });
  });

  test('bad values are told with their places, all at once, and nothing is written', () => {
    atDesk((desk) => {
      const old = but('172.27.48.0/20', '172.27.48.0/33')
        .replace('peerTunnelIP: 169.254.174.221', 'peerTunnelIP: none')
        .replace('localASN: 65010', 'localASN: 0')
        .replace('networkInterface', 'networkInterfaces');
      const { code, out, err } = desk.import(old);
      expect([code, out]).toEqual([1, '']);
      expect(err.split('\n').map((line) => line.split(': ')[1])).toEqual(
        expect.arrayContaining(['localCidrs[1]', 'tunnels[0].peerTunnelIP', 'bgp.localASN', 'networkInterfaces']),
      );
      expect(fs.existsSync(path.join(desk.cwd, 'site'))).toBe(false);
    });
  });

  test('what check finds besides is in the report, in the same words', () => {
    atDesk((desk) => {
      const old = but('peerTunnelIP: 169.254.174.221', 'peerTunnelIP: 169.254.174.217');
      const { code, out } = desk.import(old, ...IDENTITIES, ...IMPORT);
      expect(code).toBe(0);
      const [said = ''] = became(out, 'tunnels.a.inside.remote');
      expect(said).toMatch(/^is not in the network of inside\.local/);
      expect(desk.check().err).toContain(`tunnels.a.inside.remote: ${said}\n`);
    });
  });

  test.each([
    [
      ['--endpoint', 'a', '--remote-identity', 'b'],
      '--remote-identity: is not for the import crusoe; leave it out\n--endpoint: is not for the import crusoe; leave it out\n',
    ],
    [
      [...IDENTITIES, '--identity', '203.0.113.12'],
      '--identity: is given 3 times, but there are 2 gateways; leave out the others\n',
    ],
    [['--import', '10.0.0.0/16:1000'], /--import <cidr>.*Write a network in CIDR notation/],
    [['--nodes', '172.27.48.0'], /--nodes <cidr>.*Write a network in CIDR notation/],
    [['--preset', 'oci'], /--preset <name>.*Allowed choices are strongswan, aws, gcp, azure/],
  ])('%j is wrong usage', (flags, err) => {
    atDesk((desk) => {
      const ended = desk.import(OLD, ...flags);
      expect(ended).toMatchObject({ code: 2, out: '' });
      expect(ended.err).toEqual(typeof err === 'string' ? err : expect.stringMatching(err));
      expect(fs.readdirSync(desk.cwd)).toEqual(['old.yaml']);
    });
  });

  test('a prefix length for parts is wrong usage where routes are static', () => {
    atDesk((desk) => {
      expect(desk.import(but('enabled: true', 'enabled: false'), ...IMPORT)).toEqual({
        code: 2,
        out: '',
        err: '--import: has a prefix length for parts, which static routes do not have, got "10.0.0.0/16:24"; leave out :24\n',
      });
    });
  });

  test.each(['pods', 'nodes', 'services', 'import'])('--%s is for this import alone', (flag) => {
    atDesk(({ cwd }) => {
      fs.writeFileSync(path.join(cwd, 'old.yaml'), '');
      expect(
        cli.run(['import', 'constellation', 'old.yaml', '-o', 'site', `--${flag}`, '10.0.0.0/16'], { cwd }),
      ).toEqual({ code: 2, out: '', err: `--${flag}: is not for the import constellation; leave it out\n` });
    });
  });
});

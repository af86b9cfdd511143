import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CHARTS } from '../../charts';
import { importKilo } from '../../lib/cli/import-kilo';
import type { Imported } from '../../lib/cli/import-result';
import { mergeLayers } from '../../lib/helm/merge';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from '../helm/real-helm';
import { CommandLine, type Ended } from './command-line';

const cli = new CommandLine();
afterAll(() => cli.remove());

const [SQUAT, LAB, OTHER, PRESHARED] = ['s', 'l', 'o', 'p'].map((letter) => `${letter.repeat(42)}A=`) as [
  string,
  string,
  string,
  string,
];

type Value = Readonly<Record<string, unknown>>;

const peer = (name: string, spec: Value, metadata: Value = {}): Value => ({
  apiVersion: 'kilo.squat.ai/v1alpha1',
  kind: 'Peer',
  metadata: { name, ...metadata },
  spec: { allowedIPs: ['10.5.0.1/32'], publicKey: SQUAT, persistentKeepalive: 10, ...spec },
});
/** The Peer and the Service of Kilo's documentation. */
const PEER = peer('squat', {});
const service = (name: string, spec: Value = {}, metadata: Value = {}): Value => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, ...metadata },
  spec: { ports: [{ port: 80 }], ...spec },
});
const endpoints = (name: string, subsets: readonly Value[], metadata: Value = {}): Value => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, ...metadata },
  subsets,
});
const slice = (name: string, more: Value, labels: Value = { 'kubernetes.io/service-name': name }): Value => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${name}-abcde`, labels },
  addressType: 'IPv4',
  ports: [{ port: 80 }],
  ...more,
});
const SERVING = [{ addresses: [{ ip: '10.5.0.1' }], ports: [{ port: 80 }] }];
const LAST_LINE =
  'arguments of kg: are not in these objects; set cluster, cni, meshGranularity, subnet, listenPort and the rest as the DaemonSet of Kilo has them';

type File = string | readonly Value[];

const textOf = (file: File): string =>
  typeof file === 'string' ? file : file.map((object) => `---\n${JSON.stringify(object)}\n`).join('');

/** Writes files, and gives their names to what is done with them. */
function inFolder<T>(files: readonly File[], use: (cwd: string, names: readonly string[]) => T): T {
  return withFolder((cwd) => {
    const names = files.map((file, index) => {
      const name = `peers${String(index + 1)}.yaml`;
      fs.writeFileSync(path.join(cwd, name), textOf(file));
      return name;
    });
    return use(cwd, names);
  });
}

const importIn = (cwd: string, names: readonly string[]): Imported =>
  withoutFolder(cwd, importKilo(names.map((name) => path.join(cwd, name))));
const withoutFolder = (cwd: string, found: Imported): Imported => ({
  ...found,
  report: found.report.map((line) => line.replaceAll(`${cwd}/`, '')),
});
/** What is made of files, each a text or objects as documents. */
const imported = (...files: readonly File[]): Imported => inFolder(files, importIn);

/** The lines of the report, less the last one, which is always the same. */
function reported(...files: readonly File[]): string[] {
  const lines = [...imported(...files).report];
  expect(lines.pop()).toBe(LAST_LINE);
  return lines;
}

const peersOf = (...files: readonly File[]): Readonly<Record<string, Value>> =>
  imported(...files).values['peers'] as unknown as Record<string, Value>;

/** What the values make. */
function objectsOf(
  ...files: readonly File[]
): readonly { readonly kind: string; readonly metadata: Value; readonly spec: Value }[] {
  const { values, secretValues = {} } = imported(...files);
  return CHARTS.kilo.objects({ values: mergeLayers(values, secretValues) }) as unknown as ReturnType<typeof objectsOf>;
}

/** What is wrong with files. */
function refused(...files: readonly File[]): readonly string[] {
  return inFolder(files, (cwd, names) => {
    try {
      importIn(cwd, names);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return error.problems.map((problem) => problem.replaceAll(`${cwd}/`, ''));
    }
    return [];
  });
}

/** The content of Peers, by name: without order, and with what is a default written out. */
function contentsOf(peers: readonly Value[]): Value {
  return Object.fromEntries(
    peers.map(({ metadata, spec }) => {
      const {
        allowedIPs,
        persistentKeepalive = 0,
        presharedKey = '',
        ...rest
      } = spec as {
        readonly allowedIPs: readonly string[];
        readonly [key: string]: unknown;
      };
      const content = { allowedIPs: [...allowedIPs].sort(), persistentKeepalive, presharedKey, ...rest };
      return [(metadata as { name: string }).name, content];
    }),
  );
}

const PEERS = [
  PEER,
  peer('lab', {
    allowedIPs: ['192.168.10.0/24', '10.5.0.2/32', 'fd00:5::2/128', 'fd00:10::/64'],
    publicKey: LAB,
    persistentKeepalive: 0,
    presharedKey: PRESHARED,
    endpoint: { dnsOrIP: { dns: 'lab.example.com' }, port: 51820 },
  }),
  peer('other', {
    allowedIPs: ['10.5.0.3/32'],
    publicKey: OTHER,
    persistentKeepalive: undefined,
    presharedKey: '',
    endpoint: { dnsOrIP: { ip: '2001:db8::7' }, port: 51821 },
  }),
];

describe('the command', () => {
  const onDesk = (use: (cwd: string, run: (...args: string[]) => Ended) => void): void => {
    inFolder([PEERS], (cwd) => {
      use(cwd, (...args) => cli.run(args, { cwd }));
    });
  };
  const IMPORT = ['import', 'kilo', 'peers1.yaml', '-o', 'site'];
  const read = (cwd: string, name: string): string => fs.readFileSync(path.join(cwd, 'site', name), 'utf8');

  test('writes values, and those that are secrets for their owner, into files that make the same Peers', () => {
    onDesk((cwd, run) => {
      const { code, out, err } = run(...IMPORT);
      expect([code, err]).toEqual([0, '']);
      expect(out.trimEnd().split('\n')).toEqual([...reported(PEERS), LAST_LINE]);
      expect(fs.readdirSync(path.join(cwd, 'site')).sort()).toEqual(['secret-values.yaml', 'values.yaml']);
      expect(read(cwd, 'values.yaml')).toMatch(/^# The values of kilo, for the chart kilo: /);
      for (const text of [out, read(cwd, 'values.yaml')]) expect(text).not.toContain(PRESHARED);
      expect(fs.statSync(path.join(cwd, 'site/secret-values.yaml')).mode & 0o777).toBe(0o600);
      const synth = run('synth', 'kilo', '-f', 'site/values.yaml', '-f', 'site/secret-values.yaml');
      expect([synth.code, synth.err]).toEqual([0, '']);
      const made = parseAllDocuments(synth.out).map((one) => one.toJS() as (typeof PEERS)[number]);
      expect(contentsOf(made.filter((object) => object['kind'] === 'Peer'))).toEqual(contentsOf(PEERS));
      const before = read(cwd, 'secret-values.yaml');
      const again = run(...IMPORT);
      expect([again.code, again.out, again.err.match(/^site\/\S+: there is a file already/gm)]).toEqual([
        2,
        '',
        ['site/values.yaml: there is a file already', 'site/secret-values.yaml: there is a file already'],
      ]);
      expect(read(cwd, 'secret-values.yaml')).toBe(before);
    });
  });

  test('reports what check finds, in its words, and reads standard input', () => {
    onDesk((cwd, run) => {
      const twin = peer('twin', { presharedKey: 'not a key' });
      const input = textOf([PEER, twin]);
      const { code, out } = cli.run(['import', 'kilo', '-', '-o', 'site'], { cwd, input });
      expect(code).toBe(0);
      const { err } = run('check', 'kilo', '-f', 'site/values.yaml', '-f', 'site/secret-values.yaml');
      const said = err
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^site\/[a-z-]+\.yaml:[0-9:]* /, ''));
      expect(said).toContainEqual(expect.stringMatching(/^peers\.twin\.publicKey: is the same key as /));
      expect(said).toContainEqual(expect.stringMatching(/^peers\.twin\.presharedKey\.value: is not a WireGuard key/));
      expect(out.split('\n')).toEqual(expect.arrayContaining(said));
    });
  });

  test('refuses flags of other imports, and what is wrong with a file, and writes nothing', () => {
    onDesk((cwd, run) => {
      expect(run(...IMPORT, '--endpoint', 'x.example.com')).toEqual({
        code: 2,
        out: '',
        err: '--endpoint: is not for the import kilo; leave it out\n',
      });
      expect(run('import', 'kilo', 'none.yaml', '-o', 'site')).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringMatching(/^none\.yaml: there is no such file; check the path after kilo\n/) as string,
      });
      expect(fs.readdirSync(cwd)).toEqual(['peers1.yaml']);
    });
  });
});

describe('peers', () => {
  test('become values, from which the same Peers are made', () => {
    expect(reported(PEERS)).toEqual([
      'Peer squat: is peers.squat',
      'Peer lab: is peers.lab',
      'Peer lab spec.presharedKey: is in a file of its own, secret-values.yaml; give it with -f behind values.yaml',
      'Peer other: is peers.other',
    ]);
    expect(imported(PEERS)).toMatchObject({
      values: {
        peers: {
          squat: { publicKey: SQUAT, addresses: ['10.5.0.1'], persistentKeepaliveSeconds: 10 },
          lab: {
            publicKey: LAB,
            addresses: ['10.5.0.2', 'fd00:5::2'],
            routedNetworks: ['192.168.10.0/24', 'fd00:10::/64'],
            endpoint: 'lab.example.com:51820',
            persistentKeepaliveSeconds: 0,
          },
          other: {
            publicKey: OTHER,
            addresses: ['10.5.0.3'],
            endpoint: '[2001:db8::7]:51821',
            persistentKeepaliveSeconds: 0,
          },
        },
      },
      secretValues: { peers: { lab: { presharedKey: { value: PRESHARED } } } },
      secrets: [],
    });
    expect(JSON.stringify(imported(PEERS).values)).not.toContain(PRESHARED);
    expect(imported([PEER])).not.toHaveProperty('secretValues');
    expect(contentsOf(objectsOf(PEERS).filter(({ kind }) => kind === 'Peer'))).toEqual(contentsOf(PEERS));
  });

  test.each<[what: string, files: File[]]>([
    ['a list', [JSON.stringify({ apiVersion: 'v1', kind: 'List', items: PEERS })]],
    ['a list of their own kind', [JSON.stringify({ kind: 'PeerList', items: PEERS.map(({ metadata, spec }) => ({ metadata, spec })) })]],
    ['documents', [PEERS]],
    ['several files', PEERS.map((one) => JSON.stringify(one, null, 2))],
  ])('may be given as %s', (_what, files) => {
    expect(Object.keys(peersOf(...files))).toEqual(['squat', 'lab', 'other']);
  }); // prettier-ignore

  test('lose nothing without a word', () => {
    const old = peer(
      'squat',
      {
        allowedIPs: ['10.5.0.1/32', '10.5.0.1/32'],
        endpoint: { dnsOrIP: { dns: 'a.example.com', ip: '198.51.100.7', sip: 'x' }, port: 1, proto: 'udp' },
        mtu: 1400,
        'x\ny': 1,
      },
      {
        uid: 'u',
        labels: { team: 'a' },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
        finalizers: ['x'],
      },
    );
    expect(reported([old])).toEqual([
      'Peer squat: is peers.squat',
      'Peer squat spec.allowedIPs: has a network twice, and peers.squat once',
      'Peer squat spec.endpoint.dnsOrIP.ip: is left out: Kilo takes the host name',
      'Peer squat metadata.labels: is left out',
      'Peer squat metadata.finalizers: is left out',
      'Peer squat spec.mtu: is left out',
      'Peer squat spec."x\\ny": is left out',
      'Peer squat spec.endpoint.proto: is left out',
      'Peer squat spec.endpoint.dnsOrIP.sip: is left out',
    ]);
    expect(peersOf([old])['squat']).toMatchObject({ addresses: ['10.5.0.1'], endpoint: 'a.example.com:1' });
  });

  test('get other names where theirs are none of values', () => {
    const names = ['alice.example.com', 'alice-example-com', `a${'b'.repeat(70)}`, `a${'b'.repeat(71)}`];
    const old = names.map((name, index) =>
      peer(name, { allowedIPs: [`10.5.0.${String(index + 1)}/32`], publicKey: `${'abcd'.charAt(index).repeat(42)}A=` }),
    );
    expect(reported(old)).toEqual([
      'Peer alice.example.com: is peers.alice-example-com-2, as names are written here, and the Peer object gets that name; delete the old one',
      'Peer alice-example-com: is peers.alice-example-com',
      expect.stringMatching(/^Peer ab+: is peers\.ab{62}, as /),
      expect.stringMatching(/^Peer ab+: is peers\.ab{60}-2, as /),
    ]);
    expect(objectsOf(old).filter(({ kind }) => kind === 'Peer')).toHaveLength(4);
  });

  test('that have networks only miss an address, which the report and check name', () => {
    const old = [peer('squat', { allowedIPs: ['10.5.0.0/24'] })];
    expect(reported(old)).toEqual([
      'Peer squat: is peers.squat',
      'peers.squat.addresses: is missing, since Peer squat has networks only; give it an address of its own',
    ]);
    expect(() => objectsOf(old)).toThrow(/^peers\.squat\.addresses: is required/);
  });

  test('whose addresses have the length of their networks have both', () => {
    const old = [peer('squat', { allowedIPs: ['10.5.0.7/24', 'FD00:5::7/64'] })];
    expect(reported(old)).toContain('Peer squat spec.allowedIPs: 10.5.0.7/24 is an address and the network around it');
    expect(peersOf(old)['squat']).toMatchObject({
      addresses: ['10.5.0.7', 'FD00:5::7'],
      routedNetworks: ['10.5.0.0/24', 'fd00:5::/64'],
    });
  });
});

describe('services', () => {
  test('are those of the peer whose addresses serve them', () => {
    const old = [PEER, service('important-service'), endpoints('important-service', SERVING)];
    expect(reported(old)).toEqual([
      'Peer squat: is peers.squat',
      'Service important-service: is peers.squat.services.important-service',
      'Service important-service spec.ports[0]: has no name, and is tcp-80',
      'Endpoints important-service: becomes EndpointSlices; Endpoints are deprecated since Kubernetes 1.33',
    ]);
    expect(peersOf(old)['squat']?.['services']).toEqual({ 'important-service': { ports: { 'tcp-80': { port: 80 } } } });
    const made = objectsOf(old).filter(({ kind }) => kind === 'Service' || kind === 'EndpointSlice');
    expect(made.map(({ kind, metadata }) => [kind, metadata['name']])).toEqual([
      ['Service', 'important-service'],
      ['EndpointSlice', 'important-service-ipv4'],
    ]);
    expect(made[1]).toMatchObject({ endpoints: [{ addresses: ['10.5.0.1'] }], ports: [{ port: 80 }] });
  });

  test('keep their namespace, ports and annotations, and the addresses behind the peer', () => {
    const ports = [
      { name: 'http', port: 80, targetPort: 'ignored', appProtocol: 'kubernetes.io/h2c' },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ];
    const old = [
      PEERS[1]!,
      service('printer', { ports }, { namespace: 'shop', annotations: { 'example.com/owner': 'a\n{{ b }}' } }),
      endpoints(
        'printer',
        [
          {
            addresses: [{ ip: '192.168.10.5' }],
            ports: [
              { name: 'dns', port: 53 },
              { name: 'http', port: 8080 },
            ],
          },
          {
            addresses: [{ ip: '192.168.10.6' }],
            ports: [
              { name: 'http', port: 8080 },
              { name: 'dns', port: 53 },
            ],
          },
        ],
        { namespace: 'shop' },
      ),
    ];
    expect(reported(old).slice(2)).toEqual([
      'Service shop/printer: is peers.lab.services.printer',
      'Endpoints shop/printer: becomes EndpointSlices; Endpoints are deprecated since Kubernetes 1.33',
    ]);
    expect(peersOf(old)['lab']?.['services']).toEqual({
      printer: {
        namespace: 'shop',
        addresses: ['192.168.10.5', '192.168.10.6'],
        ports: {
          http: { port: 80, targetPort: 8080, appProtocol: 'kubernetes.io/h2c' },
          dns: { port: 53, protocol: 'UDP' },
        },
        annotations: { 'example.com/owner': 'a\n{{ b }}' },
      },
    });
    const made = objectsOf(old).find(({ kind }) => kind === 'EndpointSlice');
    expect(made).toMatchObject({
      metadata: { namespace: 'shop' },
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'http', port: 8080, protocol: 'TCP' },
      ],
    });
  });

  test('may have EndpointSlices, of which copies of Endpoints count for nothing', () => {
    const copy = { 'kubernetes.io/service-name': 'a', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' };
    const old = [
      peer('squat', { allowedIPs: ['10.5.0.1/32', 'fd00:5::1/128'] }),
      service('a'),
      endpoints('a', SERVING),
      slice('a', { endpoints: [{ addresses: ['10.5.0.9'] }] }, copy),
      service('b'),
      slice('b', { endpoints: [{ addresses: ['10.5.0.1'], conditions: { ready: true } }, { addresses: ['10.5.0.9'], conditions: { ready: false } }] }),
      { ...slice('b', { addressType: 'IPv6', endpoints: [{ addresses: ['FD00:5::1'] }] }) },
    ];
    expect(reported(old).slice(1)).toEqual([
      'Service a: is peers.squat.services.a',
      'Service a spec.ports[0]: has no name, and is tcp-80',
      'Endpoints a: becomes EndpointSlices; Endpoints are deprecated since Kubernetes 1.33',
      'Service b: is peers.squat.services.b',
      'Service b spec.ports[0]: has no name, and is tcp-80',
      'EndpointSlice b-abcde endpoints[1]: is left out: it is not ready',
    ]);
    expect(peersOf(old)['squat']?.['services']).toEqual({
      a: { addresses: ['10.5.0.1'], ports: { 'tcp-80': { port: 80 } } },
      b: { ports: { 'tcp-80': { port: 80 } } },
    });
  }); // prettier-ignore

  test('lose nothing without a word', () => {
    const old = service(
      'printer',
      {
        type: 'NodePort',
        clusterIP: '10.96.3.4',
        clusterIPs: ['10.96.3.4'],
        sessionAffinity: 'ClientIP',
        internalTrafficPolicy: 'Cluster',
        externalIPs: ['198.51.100.1'],
        ports: [
          { name: 'http', port: 80, nodePort: 30080, targetPort: 80 },
          { name: 'none', port: 81 },
        ],
      },
      { labels: { team: 'a' }, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    );
    const serving = [
      {
        addresses: [{ ip: '10.5.0.1', hostname: 'x' }],
        notReadyAddresses: [{ ip: '10.5.0.2' }],
        ports: [{ name: 'http', port: 80 }],
      },
    ];
    expect(reported([PEER, old, endpoints('printer', serving)]).slice(2)).toEqual([
      'Service printer spec.ports[0].nodePort: is left out',
      'Service printer spec.ports[1]: is left out: no address serves a port of its name',
      'Service printer metadata.labels: is left out',
      'Service printer spec.type: NodePort is left out: the Service is for the cluster',
      'Service printer spec.clusterIP: "10.96.3.4" is left out: the Service gets another address, and is found by its name',
      'Service printer spec.sessionAffinity: is left out',
      'Service printer spec.externalIPs: is left out',
      'Endpoints printer: becomes EndpointSlices; Endpoints are deprecated since Kubernetes 1.33',
      'Endpoints printer subsets[0].addresses[0].hostname: is left out',
      'Endpoints printer subsets[0].notReadyAddresses: are left out: they serve nothing',
    ]);
  });

  test.each<[what: string, objects: readonly Value[], lines: readonly string[]]>([
    ['nobody serves it', [service('a')], ['Service a: is left out: neither Endpoints nor an EndpointSlice of it, with an address, is among the objects']],
    ['of addresses of nobody', [service('a'), endpoints('a', [{ addresses: [{ ip: '10.9.9.9' }], ports: [{ port: 80 }] }])], ['Service a: is left out: 10.9.9.9 is in the allowedIPs of no peer']],
    ['of two peers', [PEERS[2]!, service('a'), endpoints('a', [{ addresses: [{ ip: '10.5.0.1' }, { ip: '10.5.0.3' }], ports: [{ port: 80 }] }])], ['Service a: is left out: its addresses are of squat and of other, and a Service here is of one peer']],
    ['of addresses with other ports', [service('a'), endpoints('a', [...SERVING, { addresses: [{ ip: '10.5.0.1' }], ports: [{ port: 81 }] }])], ['Service a: is left out: not all of its addresses serve its port 80 at one port, got 80 and 81']],
    ['of addresses of which one serves nothing', [service('a'), endpoints('a', [...SERVING, { addresses: [{ ip: '10.5.0.1' }], ports: [{ name: 'x', port: 81 }] }])], ['Service a: is left out: not all of its addresses serve its port 80 at one port, got 80 and none']],
    ['none of its ports is served', [service('a', { ports: [{ name: 'x', port: 80 }] }), endpoints('a', SERVING)], ['Service a: is left out: it has no port that an address serves']],
    ['a name of DNS', [service('a', { type: 'ExternalName', externalName: 'x' })], ['Service a: is left out: it is a name of DNS (ExternalName)']],
    ['of a name that begins with a digit', [service('1a'), endpoints('1a', SERVING)], ['Service 1a: is left out: its name does not begin with a letter, and is none of a Service here']],
    ['of pods', [service('a', { selector: { app: 'a' } }), service('b', { selector: { app: 'b' } }), endpoints('a', SERVING)], ['Services with a selector: are left out, 2 of them: pods serve them']],
    ['Endpoints of no Service', [endpoints('a', [...SERVING, ...SERVING])], ['Endpoints a: is left out: its Service is not among the objects']],
    ['Endpoints of another namespace', [service('a', {}, { namespace: 'x' }), endpoints('a', SERVING, { namespace: 'y' })], ['Service x/a: is left out: neither Endpoints nor an EndpointSlice of it, with an address, is among the objects', 'Endpoints y/a: is left out: its Service is not among the objects']],
    ['a slice of nobody', [slice('a', {}, {})], ['EndpointSlice a-abcde: is left out: no label says of which Service it is']],
    ['a slice of names', [service('a'), slice('a', { addressType: 'FQDN' })], ['Service a: is left out: neither Endpoints nor an EndpointSlice of it, with an address, is among the objects', 'EndpointSlice a-abcde: is left out: its addresses are names']],
    ['of the same name in another namespace', [service('a', {}, { namespace: 'x' }), endpoints('a', SERVING, { namespace: 'x' }), service('a', {}, { namespace: 'y' }), endpoints('a', SERVING, { namespace: 'y' })], ['Service y/a: is left out: peers.squat has a Service of that name in another namespace']],
    ['something else', [{ kind: 'Con"figMap', metadata: { name: 'x' }, data: { key: PRESHARED } }], ['peers1.yaml:4:1: an object of kind "Con\\"figMap" is left out']],
  ])('are left out with a reason: %s', (_what, objects, lines) => {
    const report = reported([PEER, ...objects]);
    expect(report.filter((line) => /left out/.test(line))).toEqual(lines);
    expect(report.join('\n')).not.toContain(PRESHARED);
  }); // prettier-ignore
});

describe('refused is', () => {
  test.each<[what: string, files: File[], problems: (string | RegExp)[]]>([
    ['nothing', [''], ['peers1.yaml: there is no Peer object; give what `kubectl get peers.kilo.squat.ai,services,endpoints -A -o yaml` prints']],
    ['Services only', [[service('a')]], [/^peers1\.yaml: there is no Peer object; /]],
    ['what is no YAML', ['kind: Peer\n  metadata: x\n'], [/^peers1\.yaml:1:7: a map inside a line/, /^peers1\.yaml:1:7: a key that goes over several lines/]],
    ['a Peer twice', [[PEER], [PEER]], ['peers2.yaml:2:1: is a Peer of the same name as at peers1.yaml:2:1, got "squat"; keep one of them']],
    ['a Service twice', [[PEER, service('a'), service('a')]], ['peers1.yaml:6:1: is a Service of the same name as at peers1.yaml:4:1, got "a"; keep one of them']],
    ['a Peer without what it must have', ['kind: Peer\nmetadata: {name: a}\nspec: {}\n'], [
      /^peers1\.yaml:3:7: spec\.allowedIPs: is required, got nothing; /,
      /^peers1\.yaml:3:7: spec\.publicKey: is required, got nothing; /,
    ]],
    ['what is wrong in two Peers', [[peer('a', { allowedIPs: ['10.5.0.1', '10.5.0.2/33'] }), peer('B\n', { publicKey: 'x', persistentKeepalive: -1, presharedKey: { value: PRESHARED } })]], [
      /spec\.allowedIPs\[0\]: is not a network in CIDR notation, got "10\.5\.0\.1"; write it like "10\.0\.0\.0\/16"$/,
      /spec\.allowedIPs\[1\]: is not a network/,
      /metadata\.name: is not the name of an object, got "B\\n"; /,
      /spec\.publicKey: is not a WireGuard key: 32 bytes in base64, 44 characters, got "x"; /,
      /spec\.presharedKey: must be a WireGuard key, got something of another type; /,
      /spec\.persistentKeepalive: is too small, got -1; use 0 or more$/,
    ]],
    ['an endpoint that is none', [[peer('a', { endpoint: { dnsOrIP: { dns: 'a b', ip: '10.0.0.256' }, port: 0 } }), peer('b', { endpoint: { dnsOrIP: { dns: '' }, port: 1 } })]], [
      /spec\.endpoint\.dnsOrIP\.dns: is not a host name, got "a b"; write it like "vpn\.example\.com"$/,
      /spec\.endpoint\.dnsOrIP\.ip: is not an IP address, got "10\.0\.0\.256"; /,
      /spec\.endpoint\.port: is too small, got 0; /,
      /spec\.endpoint\.dnsOrIP: is not a map with a host name or an address in it, got a map; write it like \{"dns":"vpn\.example\.com"\}$/,
    ]],
    ['an address that is none', [[PEER, endpoints('a', [{ addresses: [{ ip: 'x' }] }])]], [/^peers1\.yaml:4:.* subsets\[0\]\.addresses\[0\]\.ip: is not an IP address, got "x"; /]],
  ])('%s', (_what, files, problems) => {
    const found = refused(...files);
    expect(found).toEqual(
      problems.map((one): unknown => (typeof one === 'string' ? one : expect.stringMatching(one))),
    );
    expect(found.join('\n')).not.toContain(PRESHARED);
  }); // prettier-ignore
});

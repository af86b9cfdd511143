/** `showconf kilo`, as a user calls it. The nodes are constructed after what Kilo 0.7.0 writes. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { run } from '../../lib/cli/program';
import { InputError } from '../../lib/staged/input-error';
import { newWireguardPrivateKey, wireguardPublicKey } from '../../lib/net/wireguard-key';
import { withFolder } from '../helm/real-helm';
import { importClientFile } from '../wireguard/importer';

const [ALICE_KEY, BOB_KEY, NODE1, NODE3, PRESHARED] = Array.from({ length: 5 }, newWireguardPrivateKey) as [
  string,
  string,
  string,
  string,
  string,
];
const SECRETS = [ALICE_KEY, BOB_KEY, PRESHARED];

const SITE = `
cluster: {serviceCidrs: [10.96.0.0/12]}
peers:
  alice:
    publicKey: ${wireguardPublicKey(ALICE_KEY)}
    addresses: [10.5.0.1]
    presharedKey: {value: ${PRESHARED}}
  bob:
    publicKey: ${wireguardPublicKey(BOB_KEY)}
    addresses: [10.5.0.2]
    endpoint: Bob.example.com:51821
`;

const node = (name: string, podCIDR: string | undefined, annotations: Readonly<Record<string, string>>): string => `
apiVersion: v1
kind: Node
metadata:
  name: ${name}
  labels: {kubernetes.io/os: linux, topology.kubernetes.io/region: eu}
  annotations: ${JSON.stringify(annotations)}
spec: ${JSON.stringify({ podCIDR })}
status:
  addresses: [{type: InternalIP, address: 172.27.0.11}]
`;
const written = (key: string, endpoint: string, internal: string, more: Readonly<Record<string, string>> = {}) => ({
  'kilo.squat.ai/key': wireguardPublicKey(key),
  'kilo.squat.ai/endpoint': endpoint,
  'kilo.squat.ai/internal-ip': internal,
  'kilo.squat.ai/last-seen': '1764300000',
  'kilo.squat.ai/granularity': 'location',
  ...more,
});
const NODES = [
  node('node1', '10.244.1.0/24', written(NODE1, '203.0.113.1:51820', '172.27.0.11/20', { 'kilo.squat.ai/wireguard-ip': '10.4.0.1/16' })),
  node('node3', '10.244.3.0/24', written(NODE3, '[2001:db8::3]:51820', '10.1.0.3/32', { 'kilo.squat.ai/location': 'lab' })),
]; // prettier-ignore
const BARE = node('node9', '10.244.9.0/24', {});
const indented = (text: string): string => text.trim().replace(/^/gm, '  ').replace(/^ {2}/, '- ');
const listOf = (nodes: readonly string[]): string =>
  `apiVersion: v1\nkind: List\nitems:\n${nodes.map(indented).join('\n')}\n`;

interface Ended {
  readonly out: string;
  readonly err: string;
  readonly problems: readonly string[];
  readonly exitCode: number;
}

/** Runs it in a folder with good values and nodes, the keys of alice and bob, and more files. */
function show(args: readonly string[], files: Readonly<Record<string, string>> = {}): Ended {
  return withFolder((cwd) => {
    const all = {
      'site.yaml': SITE,
      'nodes.yaml': listOf(NODES),
      'alice.key': `${ALICE_KEY}\n`,
      'bob.key': BOB_KEY,
      ...files,
    };
    for (const [name, text] of Object.entries(all)) fs.writeFileSync(path.join(cwd, name), text);
    return inFolder(cwd, args);
  });
}

/** What it prints, and what it refuses; it shows no secret that is not asked for. */
function inFolder(cwd: string, args: readonly string[]): Ended {
  const [out, err]: [string[], string[]] = [[], []];
  const before = process.cwd();
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(text as string) > 0);
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(text as string) > 0);
  const printed = (): Pick<Ended, 'out' | 'err'> => ({ out: out.join(''), err: err.join('') });
  process.chdir(cwd);
  try {
    const exitCode = run(['showconf', 'kilo', ...args, '-f', 'site.yaml']);
    return { ...printed(), problems: [], exitCode };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const secret of SECRETS) expect(error.message).not.toContain(secret.slice(0, 20));
    return { ...printed(), problems: error.problems, exitCode: error.exitCode };
  } finally {
    process.chdir(before);
    jest.restoreAllMocks();
  }
}

function good(args: readonly string[], files?: Readonly<Record<string, string>>): string {
  const { out, ...rest } = show(args, files);
  expect(rest).toEqual({ err: '', problems: [], exitCode: 0 });
  return out;
}

const ALICE = ['alice', '--nodes', 'nodes.yaml', '--private-key-file', 'alice.key'];
const BOB = ['bob', '--nodes', 'nodes.yaml'];

test('prints the whole file of a peer', () => {
  expect(importClientFile(good(ALICE))).toEqual({
    interface: { PrivateKey: ALICE_KEY, Address: '10.5.0.1', MTU: '1420' },
    peers: [
      {
        PublicKey: wireguardPublicKey(NODE1),
        PresharedKey: PRESHARED,
        AllowedIPs: '10.244.1.0/24, 172.27.0.11/32, 10.4.0.1/32, 10.96.0.0/12',
        Endpoint: '203.0.113.1:51820',
        PersistentKeepalive: '25',
      },
      {
        PublicKey: wireguardPublicKey(NODE3),
        PresharedKey: PRESHARED,
        AllowedIPs: '10.244.3.0/24, 10.1.0.3/32, 10.4.0.2/32',
        Endpoint: '[2001:db8::3]:51820',
        PersistentKeepalive: '25',
      },
      {
        PublicKey: wireguardPublicKey(BOB_KEY),
        AllowedIPs: '10.5.0.2/32',
        Endpoint: 'bob.example.com:51821',
        PersistentKeepalive: '25',
      },
    ],
  });
});

test('has a comment in the place of a private key, and a port where the nodes find the peer', () => {
  const text = good(BOB);
  expect(text).toMatch(
    /^# bob\n\[Interface\]\n# PrivateKey = \(the private key of this client\)\nListenPort = 51821\n/,
  );
  expect(good([...BOB, '--format', 'wg'])).toBe(
    text.replace(', 10.96.0.0/12', '').replace(/^(?:Address|MTU) = .*\n/gm, ''),
  );
});

test.each<[what: string, files: Readonly<Record<string, string>>]>([
  ['documents', { 'nodes.yaml': NODES.join('---\n') }],
  ['several files', { 'nodes.yaml': NODES[1] ?? '', 'more.yaml': NODES[0] ?? '' }],
])('reads nodes as %s', (_what, files) => {
  const more = 'more.yaml' in files ? ['--nodes', 'more.yaml'] : [];
  expect(good([...ALICE, ...more], files)).toBe(good(ALICE));
});

test('-o writes the same for its owner', () => {
  withFolder((cwd) => {
    fs.writeFileSync(path.join(cwd, 'site.yaml'), SITE);
    fs.writeFileSync(path.join(cwd, 'nodes.yaml'), listOf(NODES));
    expect(inFolder(cwd, [...BOB, '-o', 'bob.conf'])).toEqual({ out: '', err: '', problems: [], exitCode: 0 });
    expect(fs.readFileSync(path.join(cwd, 'bob.conf'), 'utf8')).toBe(good(BOB));
    expect(fs.statSync(path.join(cwd, 'bob.conf')).mode & 0o777).toBe(0o600);
  });
});

test('says which nodes it leaves out', () => {
  const nodes = [...NODES, BARE, node('node8', undefined, written(NODE1, '203.0.113.8:51820', ''))];
  const { out, err, problems } = show(ALICE, { 'nodes.yaml': listOf(nodes) });
  expect([out, problems]).toEqual([good(ALICE), []]);
  expect(err).toBe(
    'node8: is left out, since it has no spec.podCIDR, got nothing; let the controller manager give each node a network (--allocate-node-cidrs), then give the nodes anew\n' +
      'node9: is left out, since no agent of Kilo has written its kilo.squat.ai/key, got nothing; see that one runs there, then give the nodes anew\n',
  );
});

describe('refused is', () => {
  test.each<[what: string, exitCode: number, args: string[], files: Readonly<Record<string, string>>, problems: (string | RegExp)[]]>([
    ['a call without nodes', 2, ['alice'], {}, ['--nodes: is missing; give what `kubectl get nodes -o yaml` prints']],
    ['a file that is not there', 2, ['alice', '--nodes', 'none.yaml'], {}, ['none.yaml: there is no such file; check the path after --nodes']],
    ['a key in place of the nodes', 2, ['alice', '--nodes', ALICE_KEY], {}, ['--nodes: this is a key, and not the path of a file; put it into a file, and name that']],
    ['nodes of which none has an agent', 1, BOB, { 'nodes.yaml': BARE }, [
      'node9: is left out, since no agent of Kilo has written its kilo.squat.ai/key, got nothing; see that one runs there, then give the nodes anew',
      'nodes.yaml: no node has an agent of Kilo; install these values, then give the nodes anew',
    ]],
    ['something else than nodes', 1, BOB, { 'nodes.yaml': 'kind: Pod\n' }, [/^nodes\.yaml:1:7: kind: is not Node, got "Pod"; /]],
    ['nodes of other values', 1, [...BOB, '--set', 'meshGranularity=full', '--set', 'subnet=10.6.0.0/16'], {}, [
      'meshGranularity: the agents run with "location", got "full"; install these values first, then give the nodes anew',
      'subnet: the agents run with "10.4.0.0/16", got "10.6.0.0/16"; install these values first, then give the nodes anew',
    ]],
    ['bad values', 1, BOB, { 'site.yaml': SITE.replace('10.5.0.2', '10.5.0.1') }, [/^site\.yaml:\d+:\d+: peers\.bob\.addresses\[0\]: overlaps with peers\.alice\.addresses\[0\]; /]],
    ['a peer that is none', 2, ['alise', '--nodes', 'nodes.yaml'], {}, ['peer: there is no such peer, got "alise"; did you mean alice?']],
    ['a peer of all objects', 2, ['constructor', '--nodes', 'nodes.yaml'], {}, ['peer: there is no such peer, got "constructor"; name a key of peers']],
    ['flags of a tunnel', 2, [...BOB, '--as', 'aws', '--address', 'a.example.com', '--bgp-password-file', 'x'], {}, [
      '--as: is not for the chart kilo; leave it out',
      '--address: is not for the chart kilo; leave it out',
      '--bgp-password-file: is not for the chart kilo; leave it out',
    ]],
    ['a format of a tunnel', 2, [...BOB, '--format', 'terraform'], {}, ['--format: is not for the chart kilo, got "terraform"; choose one of wg-quick, wg']],
    ['the key of another', 2, [...BOB, '--private-key-file', 'alice.key'], {}, [/^--private-key-file: this key does not belong to peers\.bob\.publicKey; /]],
    ['a pre-shared key that the values have', 2, [...ALICE, '--preshared-key-file', 'bob.key'], {}, ['--preshared-key-file: the key is in peers.alice.presharedKey.value already; leave the flag out']],
    ['a QR code without a key', 2, [...BOB, '--qr'], {}, ['--qr: without its private key the client would not work; give --private-key-file']],
    ['standard input for two', 2, ['alice', '--nodes', '-', '--private-key-file', '-'], {}, [/^-: standard input can be read once only; /, /^standard input: has no node; /, /^standard input: is empty/]],
    ['everything at once', 2, ['bbo', '--nodes', 'none.yaml', '--qr', '--format', 'wg', '-o', 'site.yaml', '--private-key-file', 'none.key'], {}, [
      /^--qr: apps read the format wg-quick only/,
      /^-o: a QR code is written as a PNG picture/,
      /^site\.yaml: there is a file already/,
      'peer: there is no such peer, got "bbo"; did you mean bob?',
      /^none\.yaml: there is no such file/,
      /^none\.key: there is no such file/,
    ]],
  ])('%s', (_what, exitCode, args, files, problems) => {
    expect(show(args, files)).toEqual({
      out: '',
      err: '',
      exitCode,
      problems: problems.map((one): unknown => (typeof one === 'string' ? one : expect.stringMatching(one))),
    });
  }); // prettier-ignore

  test.each(['wireguard', 'ipsec'])('nodes for the chart %s', (chart) => {
    expect(() => run(['showconf', chart, 'x', '--nodes', 'nodes.yaml'])).toThrow(
      `--nodes: is not for the chart ${chart}; leave it out`,
    );
  });
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { withFolder } from '../helm/real-helm';
import { CommandLine, type Ended } from './command-line';

const cli = new CommandLine();
afterAll(() => cli.remove());

const SITE = `
cluster: {podCidrs: [10.244.0.0/16], serviceCidrs: [10.96.0.0/12], nodeCidrs: [172.27.0.0/20]}
agent: {enabled: true}
gateways: {a: {identity: 203.0.113.10}}
tunnels:
  onprem:
    gateway: a
    interfaceId: 7
    mtu: 1380
    remote: {address: 198.51.100.7, networks: [10.1.0.0/16]}
    presharedKey: {value: s3cret-s3cret-s3cret-s3cret}
`;
const NODES = JSON.stringify({
  kind: 'List',
  items: ['node1', 'node2'].map((name, index) => ({
    kind: 'Node',
    metadata: { name },
    spec: { podCIDR: `10.244.${String(index + 1)}.0/24` },
    status: { addresses: [{ type: 'InternalIP', address: `172.27.0.1${String(index + 1)}` }] },
  })),
});

/** Runs `explain` in a folder with the values, the nodes, and other files. */
function run(args: readonly string[], files: Readonly<Record<string, string>> = {}, input = ''): Ended {
  return withFolder((cwd) => {
    for (const [name, text] of Object.entries({ 'site.yaml': SITE, 'nodes.json': NODES, ...files }))
      fs.writeFileSync(path.join(cwd, name), text);
    const before = fs.readdirSync(cwd);
    const ended = cli.run(['explain', ...args], { cwd, input });
    expect(fs.readdirSync(cwd)).toEqual(before);
    expect(ended.out + ended.err).not.toMatch(/s3cret|^ {4}at /m);
    return ended;
  });
}
const explain = (from: string, to: string, ...more: readonly string[]): Ended =>
  run(['ipsec', from, to, '-f', 'site.yaml', '--nodes', 'nodes.json', ...more]);

describe('explain', () => {
  test('prints what packets meet, with the values, there and back', () => {
    const { code, out, err } = explain('pod@node1', '10.1.0.9');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n').filter((line) => !line.startsWith('  '))).toEqual([
      'pod@node1 (10.244.1.0/24) to 10.1.0.9',
      '',
      '',
      'There: arrives, packets of at most 1380 bytes',
      '',
      'node node1',
      '',
      'gateway a',
      '',
      'remote end of onprem (198.51.100.7)',
      '',
      'Back: arrives, packets of at most 1450 bytes',
      '',
      'remote end of onprem (198.51.100.7)',
      '',
      'gateway a',
      '',
      'node node1',
      '',
    ]);
    for (const line of [
      '  from    10.244.1.0/24, pods of the node node1  [spec.podCIDR]',
      '  to      10.1.0.9, behind the tunnel onprem  [tunnels.onprem.remote.networks[0]]',
      '  given   the MTU of the nodes’ network (--node-mtu) and the pods’ network (--pod-mtu) is 1500 bytes',
      '  link    ipsec7 mtu 1380  [tunnels.onprem.mtu]',
      '  end     arrives: behind it, from 10.244.1.0/24  [tunnels.onprem.remote.networks[0]]',
    ])
      expect(out.split('\n')).toContain(line);
    expect(out).toMatch(
      /^ {2}route {3}10\.1\.0\.0\/16 via 198\.19\.1\.39 dev ovl[0-9]+ proto bgp src 172\.27\.0\.11 metric 20 onlink {2}\[tunnels\.onprem\.remote\.networks\[0\]\]$/m,
    );
  });

  test('takes the MTUs that it is given', () => {
    const { out } = explain('pod@node1', '10.1.0.9', '--node-mtu', '1460', '--pod-mtu', '1400');
    expect(out).not.toContain('given   the MTU');
    expect(out).toMatch(/^ {2}link {4}ovl[0-9]+ mtu 1360 /m);
    expect(out).toContain('  link    eth0 mtu 1400, of the packets that carry it\n');
    expect(explain('pod@node1', '10.1.0.9', '--node-mtu', '1460').out).toContain(
      'the MTU of the pods’ network (--pod-mtu) is 1500',
    );
  });

  test('--json prints the same as data', () => {
    const { code, out } = explain('node2', 'onprem', '--json');
    expect(code).toBe(0);
    const [one, ...others] = JSON.parse(out) as [{ there: unknown[]; back: unknown[] }];
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      from: { name: 'node2', address: '172.27.0.12', from: 'status.addresses' },
      to: { name: 'onprem', address: '10.1.0.0/16', from: 'tunnels.onprem.remote.networks[0]' },
      there: [
        {
          host: 'node node2',
          steps: [{ kind: 'rule' }, { kind: 'route' }, { kind: 'else' }],
          branches: [
            {
              mtuBytes: 1400,
              next: {
                host: 'gateway a',
                branches: [
                  {
                    mtuBytes: 1380,
                    source: '172.27.0.12',
                    next: {
                      branches: [{ outcome: { verdict: 'arrives', from: 'tunnels.onprem.remote.networks[0]' } }],
                    },
                  },
                ],
              },
            },
          ],
        },
      ],
      back: [{ host: 'remote end of onprem (198.51.100.7)' }],
    });
  });

  test('--all prints a row for every pair, the same bytes each time, and the order of the file of nodes changes nothing', () => {
    const table = (nodes: string): string => {
      const { code, out, err } = run(['ipsec', '--all', '-f', 'site.yaml', '--nodes', 'n.json'], { 'n.json': nodes });
      expect([code, err]).toEqual([0, '']);
      return out;
    };
    const parsed = JSON.parse(NODES) as { items: unknown[] };
    const out = table(NODES);
    expect(table(JSON.stringify({ ...parsed, items: parsed.items.toReversed() }))).toBe(out);
    const rows = out.trimEnd().split('\n');
    expect(rows.slice(0, 4)).toEqual([
      '| From | To | Ends | Through | Source there | Answers |',
      '| --- | --- | --- | --- | --- | --- |',
      '| pod@node1 (10.244.1.0/24) | onprem (10.1.0.0/16) | arrives, packets of at most 1380 bytes | node node1, gateway a, remote end of onprem (198.51.100.7) | 10.244.1.0/24 | arrives, packets of at most 1450 bytes |',
      '| node1 (172.27.0.11) | onprem (10.1.0.0/16) | arrives, packets of at most 1380 bytes | node node1, gateway a, remote end of onprem (198.51.100.7) | 172.27.0.11 | arrives, packets of at most 1450 bytes |',
    ]);
    // Two nodes and their pods there and back, and Services from there.
    expect(rows).toHaveLength(2 + 4 + 5);
    expect(rows.at(-1)).toMatch(/^\| onprem \(10\.1\.0\.0\/16\) \| 10\.96\.0\.0\/12 \| arrives, /);
  });

  test('--all has a row that says why, and --json all of it', () => {
    const without = SITE.replace('agent: {enabled: true}', '');
    const files = { 'site.yaml': without };
    expect(run(['ipsec', '--all', '-f', 'site.yaml'], files).out).toContain(
      '| 10.244.0.0/16 | onprem (10.1.0.0/16) | in clear: it goes where the node’s other routes lead, through no tunnel of this release | the node |  |  |\n',
    );
    const all = JSON.parse(run(['ipsec', '--all', '--json', '-f', 'site.yaml'], files).out) as unknown[];
    expect(all).toHaveLength(5);
  });

  test('knows the chart wireguard', () => {
    const values =
      'peers: {alice: {publicKey: 2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=, addresses: [10.13.13.2]}}\n';
    const { code, out } = run(['wireguard', 'peer:alice', 'pod@node1', '-f', '-', '--nodes', 'nodes.json'], {}, values);
    expect([code, out.split('\n')[0]]).toEqual([0, 'peer:alice (10.13.13.2) to pod@node1 (10.244.1.0/24)']);
    expect(out).toContain('There: arrives, packets of at most 1420 bytes\n');
  });

  test('reads nodes from standard input, and from several files', () => {
    const [one, two] = (JSON.parse(NODES) as { items: unknown[] }).items;
    const args = ['ipsec', 'pod@node1', 'node2', '-f', 'site.yaml', '--nodes', '-', '--nodes', 'two.yaml'];
    const { code, out } = run(args, { 'two.yaml': `---\n${JSON.stringify(two)}\n` }, JSON.stringify(one));
    expect([code, out.split('\n')[0]]).toEqual([0, 'pod@node1 (10.244.1.0/24) to node2 (172.27.0.12)']);
  });
});

describe('explain refuses', () => {
  test.each<[title: string, args: readonly string[], code: number, said: string]>([
    ['no chart', [], 2, "error: missing required argument 'chart'"],
    ['an unknown chart', ['ipsce', 'a', 'b'], 2, 'chart: there is no such chart, got "ipsce"; did you mean ipsec?\n'],
    ['nothing to explain', ['ipsec'], 2, 'FROM: is missing; name two places, or give --all\n'],
    ['one place', ['ipsec', '10.0.0.1'], 2, 'TO: is missing; name two places, or give --all\n'],
    [
      'places and all',
      ['ipsec', '10.0.0.1', '--all'],
      2,
      'FROM: is not used with --all, got "10.0.0.1"; leave one of them out\n',
    ],
    ['a third place', ['ipsec', 'a', 'b', 'c'], 2, 'error: too many arguments'],
    [
      'standard input twice',
      ['ipsec', 'a', 'b', '-f', '-', '--nodes', '-'],
      2,
      '-: standard input can be read once only',
    ],
    ['an MTU that is none', ['ipsec', 'a', 'b', '--pod-mtu', '1e3'], 2, 'Give a number of bytes from 576 to 65535.'],
    ['too small an MTU', ['ipsec', 'a', 'b', '--node-mtu', '575'], 2, 'Give a number of bytes from 576 to 65535.'],
    [
      'a file that is not there',
      ['ipsec', 'a', 'b', '--nodes', 'none.yaml'],
      2,
      'none.yaml: there is no such file; check the path after --nodes\n',
    ],
    ['a folder', ['ipsec', 'a', 'b', '--nodes', '.'], 2, '.: this is a folder; name a file in it\n'],
    [
      'values as nodes',
      ['ipsec', 'a', 'b', '--nodes', 'site.yaml'],
      1,
      'site.yaml:2:1: kind: is not Node, got nothing; give what `kubectl get nodes -o yaml` prints\n',
    ],
    [
      'unknown names, all at once',
      ['ipsec', 'onperm', 'pod@node3', '-f', 'site.yaml', '--nodes', 'nodes.json'],
      2,
      'FROM: nothing has that name, got "onperm"; did you mean onprem?\nTO: there is no such node, got "pod@node3"; did you mean pod@node1?\n',
    ],
    [
      'nodes that are not known',
      ['ipsec', 'pod@node1', 'onprem', '-f', 'site.yaml'],
      2,
      'FROM: the nodes are not known, got "pod@node1"; give what `kubectl get nodes -o yaml` prints with --nodes\n',
    ],
    [
      'bad values',
      ['ipsec', 'onprem', '10.244.0.1', '-f', 'site.yaml', '--set', 'tunnels.onprem.gateway=b'],
      1,
      'tunnels.onprem.gateway: is not a gateway, got "b"; name a key of gateways\n',
    ],
  ])('%s', (_title, args, code, said) => {
    const ended = run(args);
    expect({ code: ended.code, out: ended.out }).toEqual({ code, out: '' });
    expect(ended.err).toContain(said);
  });

  test('bad values and bad nodes at once', () => {
    const { code, err } = run(['ipsec', 'a', 'b', '-f', 'site.yaml', '--set', 'gateways=1', '--nodes', 'n.json'], {
      'n.json': '{"kind":"Pod"}',
    });
    expect(code).toBe(1);
    expect(err).toMatch(/^gateways: must be a map[^\n]*\nn\.json: kind: is not Node, got "Pod"; give/m);
  });
});

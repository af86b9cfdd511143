/**
 * `npm run bench`: how long things take, against their goals.
 *
 *     npm run bench               a table
 *     npm run bench -- --json     the same as JSON
 *     npm run bench -- --rounds 3 fewer rounds than 7
 *
 * What is compared runs in turns, round by round, so that a busy machine slows all of it; a figure is the median of the
 * rounds, a ratio that of the ratios within a round. It exits with 1 if a goal is missed.
 *
 * hand-written/ is a chart of the same objects as a careful person writes it, without schema and checks. Before anything
 * is measured both must render equal objects.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { SCRIPTS } from '../../lib/wireguard/scripts';
import { HELM_VERSIONS, KUBERNETES_VERSION, missing, tools, type HelmVersion } from '../tools';

const root = path.join(__dirname, '../..');
const cli = path.join(root, 'build/lib/cli/main.js');

interface Row {
  readonly what: string;
  /** Seconds, or how many times as long as what it is compared with. */
  readonly value: number;
  readonly unit: 's' | 'x';
  readonly goal?: number;
}

function main(): number {
  const { rounds, json } = parseArguments(process.argv.slice(2));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-bench-'));
  try {
    const versions = HELM_VERSIONS.filter((version) => missing(`helm-${version}`) === undefined);
    if (versions.length === 0) process.stderr.write('no Helm is there: `npx tsx test/tools.ts` gets it\n');
    const rows = [
      ...commandLine(folder, rounds),
      ...helm(folder, rounds, versions),
      ...evaluation(folder, rounds),
      ...merge(folder),
      ...growth(folder, rounds, versions),
    ];
    const [load = 0] = os.loadavg();
    if (load > os.cpus().length + 1) {
      process.stderr.write(`The load of this machine is ${load.toFixed(1)}: seconds are too many, ratios are rough.\n`);
    }
    process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows));
    return rows.some(isMissed) ? 1 : 0;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function parseArguments(given: readonly string[]): { rounds: number; json: boolean } {
  let rounds = 7;
  let json = false;
  for (const [index, argument] of given.entries()) {
    if (argument === '--json') json = true;
    else if (argument === '--rounds') rounds = Number(given[index + 1]);
    else if (given[index - 1] !== '--rounds') rounds = NaN;
  }
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    process.stderr.write('usage: npm run bench -- [--json] [--rounds NUMBER]\n');
    process.exit(2);
  }
  return { rounds, json };
}

/** `synth` and `chart` of the largest example, from the start of the process to its end. */
function commandLine(folder: string, rounds: number): Row[] {
  const examples = path.join(root, 'values/examples/wireguard');
  const sizeOf = (name: string): number => fs.statSync(path.join(examples, name)).size;
  const [largest = ''] = fs.readdirSync(examples).sort((a, b) => sizeOf(b) - sizeOf(a));
  const [synth, chart] = inTurns(rounds, [
    () => sure(process.execPath, [cli, 'synth', 'wireguard', '-f', path.join(examples, largest)]),
    () => sure(process.execPath, [cli, 'chart', 'wireguard', '-o', path.join(folder, 'charts')]),
  ]);
  return [
    { what: `synth of ${largest}`, value: median(synth), unit: 's', goal: 0.7 },
    { what: 'chart', value: median(chart), unit: 's', goal: 0.7 },
  ];
}

/** `helm template` of our chart, of ours without its checks, and of the hand-written one. */
function helm(folder: string, rounds: number, versions: readonly HelmVersion[]): Row[] {
  const ours = path.join(folder, 'charts/wireguard');
  const unchecked = withoutChecks(folder, 'wireguard');
  const hand = path.join(folder, 'hand-written/wireguard');
  fs.cpSync(path.join(__dirname, 'hand-written'), hand, { recursive: true });
  for (const file of ['Chart.yaml', 'values.yaml']) fs.copyFileSync(path.join(ours, file), path.join(hand, file));
  fs.mkdirSync(path.join(hand, 'scripts'));
  for (const [file, text] of Object.entries(SCRIPTS)) fs.writeFileSync(path.join(hand, 'scripts', file), text);

  return versions.flatMap((version) =>
    [1000, 5000].flatMap((count) => {
      const values = path.join(folder, `${String(count)}.json`);
      fs.writeFileSync(values, JSON.stringify({ network: '10.64.0.0/16', peers: peers(count) }));
      const template = (chart: string) => () => render(version, chart, values);
      const [wanted, ...others] = [hand, ours, unchecked].map((chart) => objects(template(chart)()));
      for (const other of others) assertEqual(other, wanted);
      const [byHand, checked, bare] = inTurns(rounds, [template(hand), template(ours), template(unchecked)]);
      const what = `helm ${version}, ${count.toLocaleString('en')} peers:`;
      return [
        { what: `${what} hand-written`, value: median(byHand), unit: 's' },
        { what: `${what} ours`, value: median(checked), unit: 's' },
        { what: `${what} ours without checks`, value: median(bare), unit: 's' },
        { what: `${what} ours / hand-written`, value: median(ratios(checked, byHand)), unit: 'x', goal: 3 },
        { what: `${what} without checks / hand-written`, value: median(ratios(bare, byHand)), unit: 'x', goal: 1.5 },
      ] satisfies Row[];
    }),
  );
}

/** A copy of a chart without what judges its values. */
function withoutChecks(folder: string, name: string): string {
  const unchecked = path.join(folder, 'unchecked', name);
  fs.cpSync(path.join(folder, 'charts', name), unchecked, { recursive: true });
  fs.rmSync(path.join(unchecked, 'values.schema.json'));
  fs.rmSync(path.join(unchecked, 'templates/validation'), { recursive: true });
  return unchecked;
}

function render(version: HelmVersion, chart: string, values: string): string {
  const flags = ['-n', 'vpn', '-f', values, '--kube-version', KUBERNETES_VERSION];
  return sure(tools.helm(version), ['template', 'bench', chart, ...flags]);
}

/** The plain form with about as many peers as fit into one release. */
function evaluation(folder: string, rounds: number): Row[] {
  const values = path.join(folder, '8000.json');
  fs.writeFileSync(values, JSON.stringify({ network: '10.0.0.0/16', peers: plainPeers(8000) }));
  const seconds = Array.from({ length: rounds }, () => evaluate('wireguard', values));
  return [{ what: 'evaluation of 8,000 peers', value: median(seconds), unit: 's', goal: 1 }];
}

/** What the plain form takes from the values to the objects, in a process of its own that has loaded everything. */
function evaluate(chart: string, values: string): number {
  const program = `
    const { readFileSync } = require('node:fs');
    const { CHARTS } = require(${JSON.stringify(path.join(root, 'build/charts'))});
    const chart = CHARTS[${JSON.stringify(chart)}];
    const values = JSON.parse(readFileSync(${JSON.stringify(values)}, 'utf8'));
    chart.objects({ values: {} });
    const start = process.hrtime.bigint();
    const objects = chart.objects({ values });
    console.log(Number(process.hrtime.bigint() - start) / 1e9, objects.length);`;
  return Number(sure(process.execPath, ['-e', program]).split(' ')[0]);
}

/** What the pod takes to read 20,000 peers from mounted Secrets, once. */
function merge(folder: string): Row[] {
  if (missing('jq') !== undefined) return [];
  const sources = path.join(folder, 'peers-from');
  const team = path.join(sources, 'team');
  fs.mkdirSync(team, { recursive: true });
  for (const [name, peer] of Object.entries(plainPeers(20_000, 64)))
    fs.writeFileSync(path.join(team, name), JSON.stringify(peer));
  const program = `
    const { CHARTS } = require(${JSON.stringify(path.join(root, 'build/charts'))});
    const values = { network: '10.64.0.0/16', peersFrom: { team: { existingSecret: 'team' } } };
    const { data } = CHARTS.wireguard.objects({ values }).find(({ data }) => data && data['peers-from.json']);
    for (const name of ['peers-from.json', 'wg.conf']) require('node:fs').writeFileSync(name, data[name]);`;
  const into = { cwd: folder, encoding: 'utf8' } as const;
  spawnSync(process.execPath, ['-e', program], into);
  const script = path.join(root, 'lib/wireguard/peers-from.sh');
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync('sh', [script, 'peers-from.json', 'wg.conf', sources, folder], into);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const merged = status === 0 ? fs.readFileSync(path.join(folder, 'wg'), 'utf8').split('[Peer]').length - 1 : 0;
  if (merged !== 20_000) throw new Error(`${String(merged)} peers were merged, not 20,000: ${stderr}`);
  return [{ what: '20,000 peers by peersFrom, merged in the pod', value: seconds, unit: 's', goal: 20 }];
}

/** The chart `ipsec` with many of something. What looked at every two of them would take 16 times as long for four times as many. */
function growth(folder: string, rounds: number, versions: readonly HelmVersion[]): Row[] {
  sure(process.execPath, [cli, 'chart', 'ipsec', '-o', path.join(folder, 'charts')]);
  const ours = path.join(folder, 'charts/ipsec');
  const unchecked = withoutChecks(folder, 'ipsec');
  return MANY.flatMap(({ noun, count, values, seconds }) => {
    const [some, many] = [count, 4 * count].map((each) => {
      const file = path.join(folder, `${String(each)}-${noun}.json`);
      fs.writeFileSync(file, JSON.stringify(values(each)));
      return file;
    }) as [string, string];
    const [synth] = inTurns(rounds, [() => sure(process.execPath, [cli, 'synth', 'ipsec', '-f', some])]);
    const evaluations = Array.from(
      { length: rounds },
      () => [evaluate('ipsec', some), evaluate('ipsec', many)] as const,
    );
    const counted = `${count.toLocaleString('en')} ${noun}`;
    return [
      { what: `synth of ${counted}`, value: median(synth), unit: 's', goal: seconds.synth },
      {
        what: `evaluation of ${counted}`,
        value: median(evaluations.map(([first]) => first)),
        unit: 's',
        goal: seconds.evaluation,
      },
      {
        what: `evaluation of four times as many ${noun}`,
        value: median(evaluations.map(([first, second]) => second / first)),
        unit: 'x',
        goal: 5,
      },
      ...versions.flatMap((version) => {
        const [checked, bare, larger] = inTurns(rounds, [
          () => render(version, ours, some),
          () => render(version, unchecked, some),
          () => render(version, ours, many),
        ]);
        const what = `helm ${version}, ${counted}:`;
        return [
          { what: `${what} ours`, value: median(checked), unit: 's' },
          { what: `${what} ours without checks`, value: median(bare), unit: 's' },
          { what: `${what} ours / without checks`, value: median(ratios(checked, bare)), unit: 'x', goal: 3 },
          { what: `${what} four times as many`, value: median(ratios(larger, checked)), unit: 'x', goal: 5 },
        ] satisfies Row[];
      }),
    ] satisfies Row[];
  });
}

const MANY = [
  { noun: 'tunnels', count: 100, values: gatewaysWith, seconds: { synth: 1, evaluation: 0.3 } },
  { noun: 'allowed prefixes', count: 1000, values: imports, seconds: { synth: 1, evaluation: 0.3 } },
  {
    noun: 'tunnels with BGP and ten times as many allowed prefixes',
    count: 25,
    values: speakers,
    seconds: { synth: 1, evaluation: 0.3 },
  },
] as const;

const CLUSTER = { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] };
const PAIR = {
  a: { exposure: 'hostPort', identity: '203.0.113.10' },
  b: { exposure: 'hostPort', identity: '203.0.113.11' },
};

/** A pair of gateways that takes so many prefixes. */
function imports(count: number): Record<string, unknown> {
  const entries: [string, object][] = Array.from({ length: count }, (_, index) => [
    `n${index.toString(36)}`,
    {
      cidr: `10.${String(index >> 8)}.${String(index & 255)}.0/24`,
      ...(index % 4 === 0 && { maxLength: 28 }),
      ...(index % 8 === 1 && { whenDown: 'pass' }),
    },
  ]);
  return {
    cluster: CLUSTER,
    routes: { mode: 'bgp', localAs: 65010, import: Object.fromEntries(entries) },
    gateways: PAIR,
    tunnels: { primary: speaker('a', 0), secondary: speaker('b', 1) },
  };
}

/** So many tunnels of that pair, which take ten times as many prefixes. */
function speakers(count: number): Record<string, unknown> {
  const entries = Array.from({ length: count }, (_, index) => [
    `t${index.toString(36)}`,
    speaker(index % 2 === 0 ? 'a' : 'b', index),
  ]);
  return { ...imports(10 * count), tunnels: Object.fromEntries(entries) as unknown };
}

const speaker = (gateway: string, number: number): Record<string, unknown> => ({
  gateway,
  remote: { address: `198.51.100.${String(number + 1)}` },
  presharedKey: { existingSecret: 'gcp-vpn' },
  inside: { local: `169.254.${String(number)}.2/30`, remote: `169.254.${String(number)}.1` },
  bgp: { peerAs: 64514 },
});

/** Tunnels of every kind, on two gateways that begin and two behind load balancers. */
function gatewaysWith(count: number): Record<string, unknown> {
  const entries = Array.from({ length: count }, (_, index) => {
    const [high, low] = [index >> 6, (index & 63) * 4];
    const networks = [`10.${String(high)}.${String(low)}.0/24`, `10.${String(high)}.${String(low + 1)}.0/24`];
    const inside = (host: number): string => `169.254.${String(100 + high)}.${String(low + host)}`;
    const [first, second] = networks.map((network) => ({ localTs: ['10.244.0.0/16'], remoteTs: [network] }));
    const kinds = [
      { gateway: 'ab', preset: 'aws', inside: { local: `${inside(2)}/30`, remote: inside(1) } },
      { gateway: 'cd', preset: 'azure', mtu: 1400 },
      { gateway: 'ab', ike: { proposals: ['aes256-sha256-modp2048'], dpdDelaySeconds: 20 } },
      { gateway: 'cd', mode: 'policy', children: { first, second } },
    ];
    const name = `t${index.toString(36)}`;
    const { gateway, ...kind } = kinds[index % 4] as { readonly gateway: string };
    return [
      name,
      {
        ...kind,
        gateway: gateway.charAt((index >> 2) & 1),
        remote: { address: `198.51.${String(100 + high)}.${String(low + 1)}`, networks },
        ...(index % 8 === 7
          ? { certificate: { existingSecret: `${name}-tls` } }
          : { presharedKey: { existingSecret: `${name}-psk` } }),
      },
    ] as const;
  });
  return {
    cluster: CLUSTER,
    gateways: {
      ...PAIR,
      c: { service: { loadBalancerIP: '203.0.113.12' } },
      d: { service: { loadBalancerIP: '203.0.113.13' } },
    },
    tunnels: Object.fromEntries(entries),
  };
}

/** Peers of every kind: every tenth is a site, every fourth keeps a NAT open, every twentieth has rules. */
function peers(count: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(plainPeers(count, 64)).map(([name, peer], index) => [
      name,
      {
        ...peer,
        ...(index % 4 === 0 && { persistentKeepaliveSeconds: 25 }),
        ...(index % 10 === 0 && {
          routedNetworks: [
            `172.${String(16 + (index >> 12))}.${String((index >> 4) & 255)}.${String((index & 15) * 16)}/28`,
          ],
        }),
        ...(index % 20 === 10 && {
          allow: {
            dns: { networks: ['10.96.0.10'], ports: [{ port: 53, protocol: 'UDP' }] },
            web: { networks: ['10.96.0.0/12'], ports: [{ port: 443 }, { port: 8000, endPort: 8080 }] },
          },
        }),
      },
    ]),
  );
}

/** Peers with short names, so that 8,000 of them fit into one release. */
function plainPeers(count: number, second = 0): Record<string, object> {
  const peer = (index: number): object => {
    const key = Buffer.alloc(32, 7);
    key.writeUInt32BE(index);
    const host = index + 2;
    return {
      publicKey: key.toString('base64'),
      addresses: [`10.${String(second)}.${String(host >> 8)}.${String(host & 255)}`],
    };
  };
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [index.toString(36), peer(index)]));
}

function objects(text: string): unknown[] {
  // As Kubernetes reads it: 0555 is octal.
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as { kind: string; metadata: { name: string; annotations?: object } } | null)
    .filter((object) => object !== null)
    .filter(({ metadata }) => !Object.hasOwn(metadata.annotations ?? {}, 'helm.sh/hook'))
    .sort((a, b) => (`${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1));
}

function assertEqual(given: readonly unknown[], wanted: readonly unknown[] = []): void {
  if (isDeepStrictEqual(given, wanted)) return;
  const [a, b] = [given, wanted].map((list) => JSON.stringify(list, sortedKeys, 1).split(/\n|\\n/));
  const line = a?.findIndex((text, index) => text !== b?.[index]) ?? 0;
  const around = (lines: string[] = []): string =>
    lines
      .slice(Math.max(0, line - 2), line + 2)
      .join('\n')
      .slice(0, 2000);
  throw new Error(`the charts differ; ours:\n${around(a)}\nhand-written:\n${around(b)}`);
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Seconds of each of the works, round by round. */
function inTurns<T extends (() => unknown)[]>(rounds: number, works: readonly [...T]): { [K in keyof T]: number[] } {
  const seconds = works.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) {
      const start = process.hrtime.bigint();
      work();
      seconds[index]?.push(Number(process.hrtime.bigint() - start) / 1e9);
    }
  }
  return seconds as { [K in keyof T]: number[] };
}

function sure(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${path.basename(command)} ${args.slice(0, 3).join(' ')} failed: ${stderr.slice(0, 4000)}`);
  return stdout;
}

function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value / (b[index] ?? NaN));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? NaN) + (sorted[(sorted.length - 1) >> 1] ?? NaN)) / 2;
}

function isMissed({ value, goal }: Row): boolean {
  return goal !== undefined && !(value <= goal);
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  return rows
    .map((row) => {
      const goal =
        row.goal === undefined ? '' : `  goal ${row.goal.toFixed(1)} ${row.unit}${isMissed(row) ? '  MISSED' : ''}`;
      return `${row.what.padEnd(width)}  ${row.value.toFixed(2).padStart(7)} ${row.unit}${goal}\n`;
    })
    .join('');
}

process.exit(main());

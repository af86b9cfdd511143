/** What the programs of an agent decide: functions of data alone. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeWith } from '../left-out';
import { AGENT } from './fabric';

const FOLDERS = ['lib/routes', 'lib/frr'].map((folder) => path.join(__dirname, '../..', folder));

/** Runs a program beside the modules; `given` is what it is given, and its result what it prints as JSON. */
function python(program: string, given: unknown = null): unknown {
  const { status, stdout, stderr } = spawnSync(
    'python3',
    ['-B', '-c', `import json, sys\ngiven = json.load(sys.stdin)\n${program}`],
    {
      encoding: 'utf8',
      input: JSON.stringify(given),
      env: { PATH: process.env['PATH'], PYTHONPATH: FOLDERS.join(':') },
    },
  );
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

interface Cni {
  readonly origin: string;
  readonly source: string;
  readonly pods: readonly string[];
  readonly networks: readonly string[];
  readonly addresses: readonly unknown[];
  readonly routes: readonly unknown[];
}
const CNI = path.join(__dirname, 'cni');
const cni = (name: string): Cni => JSON.parse(fs.readFileSync(path.join(CNI, name), 'utf8')) as Cni;

describeWith(['python3'], 'the pod addresses of a node', () => {
  const networks = (name: string, more: Readonly<Record<string, unknown>> = {}): unknown =>
    python(
      `from pod_networks import pod_networks
print(json.dumps(pod_networks(given['addresses'], given['routes'], given['pods'], given.get('cni', 'auto'), given.get('interfaces', []))))`,
      { ...cni(name), ...more },
    );

  test.each(fs.readdirSync(CNI))('with %s', (name) => {
    expect(['constructed', 'recorded']).toContain(cni(name).origin);
    expect(networks(name)).toEqual(cni(name).networks);
  });

  test.each([
    ['flannel-vxlan.json', 'bridge', ['10.244.1.0/24']],
    ['flannel-vxlan.json', 'veth', []],
    ['kindnet.json', 'bridge', []],
    ['kindnet.json', 'veth', ['10.244.1.2/32', '10.244.1.3/32']],
    ['calico-bgp.json', 'calico', ['10.244.1.64/26', '10.244.9.7/32']],
    ['calico-bgp.json', 'cilium', []],
    ['cilium-tunnel.json', 'cilium', ['10.0.1.0/24']],
    ['cilium-tunnel.json', 'calico', []],
  ])('of %s by %s alone', (name, kind, expected) => {
    expect(networks(name, { cni: kind })).toEqual(expected);
  });

  test('are those of the given interfaces, if there are any', () => {
    expect(networks('calico-bgp.json', { interfaces: ['califfffeeeedddd'] })).toEqual(['10.244.9.7/32']);
    expect(networks('flannel-vxlan.json', { interfaces: ['flannel.1', 'eth0'] })).toEqual([]);
  });

  test('are inside the networks of the pods', () => {
    expect(networks('flannel-vxlan.json', { pods: ['10.245.0.0/16'] })).toEqual([]);
  });
});

describeWith(['python3'], 'the address of a gateway', () => {
  test.each([
    ['', ['10.244.0.7'], '10.244.0.7', []],
    ['10.244.0.7', [], '10.244.0.7', []],
    ['10.244.0.7', ['10.244.0.8'], '10.244.0.8', []],
    ['10.244.0.8', ['10.244.0.7', '10.244.0.8'], '10.244.0.8', []],
    ['10.244.0.8', ['192.0.2.1'], '10.244.0.8', ['192.0.2.1']],
    ['', ['192.0.2.1', '172.27.0.9'], '172.27.0.9', ['192.0.2.1']],
  ])('%s, then DNS says %j: %s', (current, answer, address, refused) => {
    const program = `from names import choose\nprint(json.dumps(choose(*given, ['10.244.0.0/16', '172.27.0.0/20'])))`;
    expect(python(program, [current, answer])).toEqual([address, refused]);
  });

  test('follows 1,000 answers: it is always one that DNS has said, and changes only when the one in use has gone', () => {
    const program = `
import random, time
from names import choose
random.seed(7)
pods = [f'10.244.{random.randrange(256)}.{random.randrange(256)}' for _ in range(40)]
current, wrong, started = '', 0, time.monotonic()
for _ in range(1000):
    answer = random.sample(pods, random.choice([0, 1, 1, 2]))
    chosen = choose(current, answer, ['10.244.0.0/16']).address
    right = current if not answer or current in answer else sorted(answer)[0]
    wrong += chosen != right
    current = chosen
print(json.dumps([wrong, time.monotonic() - started < 2]))`;
    expect(python(program)).toEqual([0, true]);
  });
});

describeWith(['python3'], 'whether the release is gone', () => {
  test.each([
    ['gone gone gone', true],
    // DNS keeps an answer for a while.
    ['there gone gone gone', true],
    ['there there', false],
    ['gone there gone there', false],
    ['silent gone silent gone gone', true],
    ['silent silent silent silent silent silent silent silent', false],
  ])('after these answers of DNS, %s: %s', (answers, gone) => {
    const program = `
import names
from names import NoAnswer, NoSuchName, Service
names.TICK_SECONDS = Service.PAUSE_SECONDS = 0.01
Service.WITHIN_SECONDS = 0.5
answers = given.split()
class Known:
    whole = 'name'
    def addresses(self):
        answer = answers.pop(0) if answers else 'silent'
        if answer == 'there': return ['10.96.0.9']
        raise NoSuchName() if answer == 'gone' else NoAnswer()
service = Service('name')
service.name = Known()
print(json.dumps(service.is_gone()))`;
    expect(python(program, answers)).toBe(gone);
  });
});

const SETTINGS = `from agent_file import parse_settings\nsettings = parse_settings(json.dumps(given).encode())`;

describeWith(['python3'], 'the configuration of FRR', () => {
  const conf = (more: Readonly<Record<string, unknown>> = {}, bfd = true): string =>
    python(
      `${SETTINGS}
from agent_conf import Conf, conf_of, networks_of
from node_facts import Node
node = Node('n1', '172.27.0.11', 'fd00:27::11', 1500)
print(json.dumps(conf_of(Conf(settings, node, ${bfd ? 'True' : 'False'}, networks_of(settings, node, ['10.244.1.0/24', 'fd00:10:244:1::/64'])))))`,
      { ...AGENT, ...more },
    ) as string;

  test('announces the node, its pods and the Services', () => {
    const networks = (text: string): readonly string[] => text.match(/(?<=^ *network ).*/gm) ?? [];
    expect(networks(conf())).toEqual([
      ...['172.27.0.11/32', '10.244.1.0/24', '10.96.0.0/12'],
      ...['fd00:27::11/128', 'fd00:10:244:1::/64'],
    ]);
    expect(networks(conf({ overlay: { ...AGENT.overlay, ipv6: false } }))).toEqual([
      '172.27.0.11/32',
      '10.244.1.0/24',
      '10.96.0.0/12',
    ]);
  });

  test('speaks of BFD only where the node does it', () => {
    expect(conf()).toMatch(/^ neighbor GATEWAYS bfd profile overlay$/m);
    expect(conf({}, false)).not.toMatch(/bfd/);
  });

  test('takes only what is imported, up to its length', () => {
    expect(conf().match(/^ip.* prefix-list .*/gm)).toEqual([
      'ip prefix-list IMPORT seq 1 permit 10.0.0.0/16 le 24',
      'ipv6 prefix-list IMPORT seq 2 permit fd00:99::/48 le 64',
      'ip prefix-list IMPORT seq 3 permit 10.9.0.0/16 le 24',
    ]);
  });
});

describeWith(['python3'], 'agent.json', () => {
  const refusal = (given: unknown): unknown =>
    python(
      `from agent_file import Invalid, parse_settings
try:
    parse_settings(given.encode())
    print('null')
except Invalid as error:
    print(json.dumps(str(error)))`,
      typeof given === 'string' ? given : JSON.stringify(given),
    );

  test.each([
    ['{', 'agent.json: it is not JSON; install the chart anew'],
    [{ ...AGENT, as: true }, 'agent.json: as is missing or of another type; install the chart anew'],
    [
      { ...AGENT, overlay: {} },
      'agent.json: overlay.nodeNetwork is missing or of another type; install the chart anew',
    ],
    [
      { ...AGENT, gateways: { a: {} } },
      'agent.json: gateways.a.host is missing or of another type; install the chart anew',
    ],
    [
      { ...AGENT, cni: 'weave' },
      'agent.json: cni is none of auto, bridge, veth, calico, cilium, got "weave"; install the chart anew',
    ],
    [AGENT, null],
  ])('%#', (given, said) => {
    expect(refusal(given)).toBe(said);
  });
});

describeWith(['python3'], 'the ports of BFD', () => {
  test.each([
    ['0100007F:0035', []],
    ['00000000:0EC8', [3784]],
    ['00000000000000000000000000000000:1E68', [7784]],
  ])('%s', (local, ports) => {
    const table = `  sl  local_address rem_address\n  12: ${local} 00000000:0000 07\n`;
    expect(
      python(
        `from bfd_ports import PORTS, ports_in_use\nprint(json.dumps(sorted(ports_in_use(given) & set(PORTS))))`,
        table,
      ),
    ).toEqual(ports);
  });
});

describeWith(['python3'], 'the modules of the agent', () => {
  test('are in no other folder that is mounted with them, and begin with what they are', () => {
    const modules = (folder: string): string[] =>
      fs.readdirSync(path.join(__dirname, '../..', folder)).filter((name) => name.endsWith('.py'));
    const all = ['lib/routes', 'lib/frr', 'lib/strongswan'].flatMap(modules);
    expect([...new Set(all)].sort()).toEqual([...all].sort());
    for (const name of modules('lib/routes'))
      expect(fs.readFileSync(path.join(FOLDERS[0]!, name), 'utf8').startsWith(`"""${name}: `)).toBe(true);
  });
});

import * as fs from 'node:fs';
import * as path from 'node:path';
import { readNodes } from '../../lib/cli/read-nodes';
import { InputError } from '../../lib/staged/input-error';
import { withFolder } from '../helm/real-helm';

const NODE1 = `apiVersion: v1
kind: Node
metadata:
  name: node1
  labels: {example.com/zone: "1"}
spec:
  podCIDR: 10.244.1.0/24
  podCIDRs: [10.244.1.0/24, "fd00:10:244:1::/64"]
  taints: [{key: example.com/gpu, effect: NoSchedule}]
status:
  addresses:
    - {type: Hostname, address: node1}
    - {type: InternalIP, address: 172.27.0.11}
    - {type: InternalIP, address: "fd00:27::11"}
    - {type: ExternalIP, address: 203.0.113.11}
`;
const NODE2 = `apiVersion: v1
kind: Node
metadata:
  name: node2
  annotations: {network.cilium.io/ipv4-pod-cidr: 10.0.2.0/24}
spec:
  podCIDR: 10.244.2.0/24
status:
  addresses: [{type: InternalIP, address: 172.27.0.12}]
`;
const BARE = '{"apiVersion":"v1","kind":"Node","metadata":{"name":"bare"}}';
const indented = (text: string): string => text.replace(/^/gm, '  ').replace(/^ {2}/, '- ').trimEnd();
const LIST = `apiVersion: v1\nkind: List\nitems:\n${indented(NODE2)}\n${indented(NODE1)}\n`;

/** What is read of texts, each a file of its own. */
function read(...texts: readonly string[]): ReturnType<typeof readNodes> {
  return withFolder((folder) => {
    const files = texts.map((text, index) => {
      const file = path.join(folder, `nodes${String(index + 1)}.yaml`);
      fs.writeFileSync(file, text);
      return file;
    });
    try {
      return readNodes(files);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(
        error.problems.map((problem) => problem.replaceAll(`${folder}/`, '')),
        error.exitCode,
      );
    }
  });
}

/** What is said of texts that are refused. */
function problemsOf(...texts: readonly string[]): readonly string[] {
  try {
    read(...texts);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe('nodes', () => {
  test('are those of a list, by name, with what their objects say', () => {
    const [node1, node2] = read(LIST);
    expect(node1).toEqual({
      name: 'node1',
      labels: { 'example.com/zone': '1' },
      annotations: {},
      taints: [{ key: 'example.com/gpu', value: '', effect: 'NoSchedule' }],
      internalAddresses: ['172.27.0.11', 'fd00:27::11'],
      podNetworks: [
        { cidr: '10.244.1.0/24', from: 'spec.podCIDR' },
        { cidr: 'fd00:10:244:1::/64', from: 'spec.podCIDRs[1]' },
      ],
      podCidr: '10.244.1.0/24',
    });
    expect(node2?.podNetworks).toEqual([{ cidr: '10.0.2.0/24', from: 'annotation network.cilium.io/ipv4-pod-cidr' }]);
    expect(node2?.podCidr).toBe('10.244.2.0/24');
  });

  test.each([
    ['a single object', [NODE1]],
    ['several documents', [`---\n${NODE2}---\n${NODE1}`]],
    ['several documents, of which some are empty', [`---\n# none\n---\n${NODE1}---\n`]],
    ['several files', [NODE2, NODE1]],
    ['JSON', [JSON.stringify({ kind: 'List', items: [JSON.parse(BARE)] })]],
    ['a list of a client that leaves the kinds out', ['{"kind": "NodeList", "items": [{"metadata": {"name": "a"}}]}']],
    ['an object with nothing but a name', [BARE]],
    ['an object whose networks are not known', [`${BARE.slice(0, -1)}, "spec": {"podCIDR": "", "taints": null}}`]],
  ])('may be %s', (_title, texts) => {
    expect(read(...texts).length).toBeGreaterThan(0);
  });

  test('without annotations, addresses and networks have none', () => {
    expect(read(BARE)).toEqual([
      { name: 'bare', labels: {}, annotations: {}, taints: [], internalAddresses: [], podNetworks: [] },
    ]);
  });

  test.each([
    ['nothing', [''], 'nodes1.yaml: has no node; give what `kubectl get nodes -o yaml` prints'],
    ['an empty list', ['kind: List\nitems: []\n'], 'nodes1.yaml: has no node; give'],
    ['something else', ['just text'], 'nodes1.yaml:1:1: kind: is not Node, got nothing; give'],
    ['an object of another kind', ['kind: Pod\n'], 'nodes1.yaml:1:7: kind: is not Node, got "Pod"; give'],
    ['a kind that is no text', ['kind: [Node]\n'], 'nodes1.yaml:1:7: kind: is not Node, got nothing; give'],
    [
      'one of another kind in a list',
      [LIST.replace('kind: Node', 'kind: Pod')],
      'nodes1.yaml:5:9: items[0].kind: is not Node, got "Pod"; give',
    ],
    [
      'no name',
      ['kind: Node\nmetadata: {}\n'],
      'nodes1.yaml:2:11: metadata.name: is required, got nothing; write it like "node1"',
    ],
    [
      'a name that is none',
      ['kind: Node\nmetadata: {name: "a\\nb {{ x }}"}\n'],
      'nodes1.yaml:2:18: metadata.name: is not the name of a node, got "a\\nb {{ x }}"; write it like "node1"',
    ],
    [
      'a network that is none',
      [LIST.replace('10.244.1.0/24', '10.244.1.0')],
      'nodes1.yaml:19:14: items[1].spec.podCIDR: is not a network in CIDR notation, got "10.244.1.0"; write it like "10.244.1.0/24"',
    ],
    [
      'a node twice',
      [NODE1, LIST],
      'nodes2.yaml:13:3: is a node of the same name as at nodes1.yaml:1:1, got "node1"; keep one of them',
    ],
    ['what is no YAML', ['kind: Node\n  metadata: x\n'], 'nodes1.yaml:1:7: a map inside a line that is already a key'],
    ['JSON that is cut off', ['{"kind": "List", "items": ['], 'nodes1.yaml:1:'],
    ['a key twice', ['kind: Node\nkind: Node\n'], 'nodes1.yaml:2:1: '],
    ['maps that are nested too deeply', [`kind: Node\nx: ${'['.repeat(20_000)}`], 'nodes1.yaml:'],
  ])('are refused: %s', (_title, texts, problem) => {
    expect(problemsOf(...texts).join('\n')).toContain(problem);
  });

  test('are refused with every problem of every file', () => {
    const none = problemsOf('kind: Pod\n', LIST.replaceAll('.0/24', '.0'));
    expect(none).toHaveLength(1 + 3);
  });

  test('that bring themselves in a thousand times are refused', () => {
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefghi'.replaceAll(/./g, (name) => {
      const above = String.fromCharCode(name.charCodeAt(0) - 1);
      return `${name}: &${name} [${Array(9).fill(`*${above}`).join(',')}]\n`;
    })}`;
    expect(problemsOf(bomb)).not.toEqual([]);
  });
});

/** Gateways that take turns: control.py and leave.sh, beside stand-ins of other gateways and beside another control.py. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { FASTER, freePort, Pod, SCRIPTS, type Tunnels } from './script-pod';

jest.setTimeout(60_000);

interface Turn {
  readonly gateway: string;
  readonly pod: string;
  readonly started: number;
  readonly carrying: boolean;
  readonly leaving: boolean;
  readonly drained: boolean;
  readonly nodes: number;
}

/** What a pod answers that carries and goes on. */
const turn = (gateway: string, more: Partial<Turn> = {}): Turn => ({
  gateway,
  pod: `pod-of-${gateway}`,
  started: 1,
  carrying: true,
  leaving: false,
  drained: false,
  nodes: 0,
  ...more,
});

/** Stands in for the pod of another gateway. */
class OtherPod {
  asked = 0;
  private server: http.Server | undefined;

  constructor(
    /** What it answers: text as it is, or what is to be JSON. */
    public answer: unknown,
    private readonly code = 200,
  ) {}

  async listen(address: string, port: number): Promise<this> {
    this.server = http.createServer((request, response) => {
      if (request.url === '/turn') this.asked++;
      response.writeHead(this.code);
      response.end(typeof this.answer === 'string' ? this.answer : JSON.stringify(this.answer));
    });
    await new Promise<void>((resolve) => this.server?.listen(port, address, resolve));
    return this;
  }
  async end(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server === undefined ? resolve(undefined) : this.server.close(resolve)));
    this.server = undefined;
  }
}

/** The addresses of gateways: their names, for pods without DNS. */
const HOSTS: Readonly<Record<string, string>> = { a: '127.0.0.2', b: '127.0.0.3', c: '127.0.0.4' };
const hostsBut = (own: string, names: readonly string[]) => ({
  ...Object.fromEntries(names.filter((name) => name !== own).map((name) => [name, HOSTS[name]])),
  '': '',
});

let port = 0;
let pods: Pod[];
let others: OtherPod[];
beforeEach(async () => {
  port = await freePort();
  [pods, others] = [[], []];
});
afterEach(async () => {
  const seen = pods.map(({ leaks, output }) => ({ leaks, output }));
  for (const pod of pods) pod.end();
  for (const other of others) await other.end();
  for (const { leaks, output } of seen) {
    expect(leaks).toEqual([]);
    expect(output).not.toContain('Traceback');
    expect(output).not.toContain('a fault in line');
  }
});

/** The pod of a gateway, beside gateways of these names. */
function podOf(name: string, names: readonly string[], more: Record<string, unknown> = {}): Pod {
  const pod = new Pod();
  pods.push(pod);
  pod.address = HOSTS[name] ?? '';
  pod.gateway = {
    gateway: name,
    siblings: hostsBut(name, names),
    drainTimeoutSeconds: 600,
    fabric: false,
    ...more,
  };
  // So that leave.sh waits long enough for the others of its pod.
  pod.stub('sleep', 'exec /bin/sleep 0.2');
  return pod;
}
async function other(name: string, answer: unknown, code = 200): Promise<OtherPod> {
  const pod = await new OtherPod(answer, code).listen(HOSTS[name] ?? name, port);
  others.push(pod);
  return pod;
}
const environment = (pod: Pod) => ({ HEALTH_PORT: `${port}`, TEST_ADDRESS: pod.address, POD_IP: pod.address });
const serve = (pod: Pod) => pod.serve(environment(pod));
const leaveScript = path.join(SCRIPTS, 'leave.sh');
const leave = (pod: Pod, ...args: string[]) => pod.start(['dash', leaveScript, ...args]);
/** The kubelet runs the hooks of all containers at the same time. */
const leaveAll = (pod: Pod, containers = ['charon', 'control']) => containers.map((name) => leave(pod, name));
const mayEnd = (pod: Pod) => pod.has('state/leaving/done');
const said = async (pod: Pod) => JSON.parse((await pod.get('/turn')).body) as Turn;
const onprem: Tunnels = { onprem: {} };
const changed: Tunnels = { onprem: { parameters: ['mobike = no'] } };

describeWith(['python3'], 'whose turn it is', () => {
  const python = (program: string, input: unknown): unknown => {
    const { stdout, stderr } = spawnSync('python3', ['-B', '-c', `import json, sys\nimport turns\n${program}`], {
      cwd: SCRIPTS,
      encoding: 'utf8',
      input: JSON.stringify(input),
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as unknown;
  };

  const leaving = { leaving: true };
  const gone = { leaving: true, drained: true, carrying: false };
  const idle = { carrying: false };
  test.each<[string, string, Turn[], boolean, number?]>([
    ['nobody answers', 'a', [], false],
    ['another carries on', 'b', [turn('a')], true],
    ['another does not carry', 'a', [turn('b', idle)], false],
    ['a later one wants to go as well', 'a', [turn('b', leaving)], true],
    ['an earlier one wants to go as well', 'b', [turn('a', leaving)], false],
    ['a later one that wants to go does not carry', 'a', [turn('b', { ...leaving, ...idle })], false],
    ['an earlier one goes, and a third carries on', 'b', [turn('a', { ...leaving, ...idle }), turn('c')], false],
    ['an earlier one has withdrawn, and a third carries on', 'b', [turn('a', gone), turn('c')], true],
    ['an earlier one has withdrawn, and nobody else is there', 'b', [turn('a', gone)], false],
    ['all want to go, and this is the first', 'a', [turn('b', leaving), turn('c', leaving)], true],
    ['all want to go, and this is the second', 'b', [turn('a', leaving), turn('c', leaving)], false],
    ['all want to go, and this is the last', 'c', [turn('a', leaving), turn('b', leaving)], false],
    ['the old pod of an earlier one goes, and its new one carries', 'b', [turn('a', gone), turn('a')], true],
    ['a later one goes, and an earlier one carries on', 'b', [turn('a'), turn('c', leaving)], true],
    ['another leads to more nodes', 'a', [turn('b', { nodes: 4 })], true, 3],
    ['another leads to as many nodes', 'a', [turn('b', { nodes: 3 })], true, 3],
    ['another leads to fewer nodes', 'a', [turn('b', { nodes: 2 })], false, 3],
    ['a third leads to as many nodes', 'a', [turn('b', { nodes: 2 }), turn('c', { nodes: 3 })], true, 3],
  ])('%s', (_, own, answers, goes, nodes = 0) => {
    const program =
      'own, nodes, answers = json.load(sys.stdin)\nprint(json.dumps(turns.may_go(own, nodes, [turns.Answer(**each) for each in answers])))';
    expect(python(program, [own, nodes, answers])).toBe(goes);
  });

  test.each<[string, string, string | number]>([
    ['a', 'three gateways', 3],
    ['b', 'four gateways', 4],
  ])('never all at once, whatever each has seen of the others: %s, %s', (_name, _what, count) => {
    // Of gateways that all want to go and see the same, one goes at most; and as long as all carry one does.
    const program = `
import itertools
names = 'abcd'[:json.load(sys.stdin)]
wrong = []
for state in itertools.product([(True, False), (True, True), (False, True), (False, False)], repeat=len(names)):
    answers = [turns.Answer(name, name, 0, carrying, leaving, False, 1) for name, (carrying, leaving) in zip(names, state)]
    going = [each.gateway for each in answers if each.leaving and turns.may_go(each.gateway, 1, [one for one in answers if one is not each])]
    left = [each.gateway for each in answers if each.carrying and each.gateway not in going]
    if going and not left or len(going) > 1:
        wrong.append([state, going])
    if all(each.carrying for each in answers) and any(each.leaving for each in answers) and not going:
        wrong.append([state, 'nobody'])
print(json.dumps(wrong))`;
    expect(python(program, count)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['too deep', '['.repeat(100_000)],
    ['a list', '[]'],
    ['another gateway', JSON.stringify(turn('b'))],
    ['no pod', JSON.stringify({ ...turn('a'), pod: null })],
    ['a word for a truth', JSON.stringify({ ...turn('a'), carrying: 'yes' })],
    ['no number of nodes', JSON.stringify({ ...turn('a'), nodes: null })],
    ['no time', JSON.stringify({ ...turn('a'), started: '1' })],
    ['half of it', JSON.stringify(turn('a')).slice(0, -2)],
  ])('an answer that is none: %s', (_, text) => {
    expect(python('print(json.dumps(turns.answer_of(json.load(sys.stdin).encode(), "a")))', text)).toBeNull();
  });
});

describeWith(['dash'], 'leave.sh', () => {
  let pod: Pod;
  beforeEach(() => {
    pod = podOf('a', []);
  });

  test('holds up each container until the pod may end', async () => {
    pod.write('state/leaving/expected', 'charon control\n');
    const hooks = leaveAll(pod);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(hooks.map(({ exitCode }) => exitCode)).toEqual([null, null]);
    pod.write('state/leaving/done', '');
    for (const hook of hooks) expect(await pod.ended(hook)).toBe(0);
  });

  test.each([
    ['another one does not leave', 'charon control\n'],
    ['nobody has said who is expected', ''],
  ])('lets a container go after 5 s where %s', async (_, expected) => {
    if (expected !== '') pod.write('state/leaving/expected', expected);
    expect(await pod.ended(leave(pod, 'charon'))).toBe(0);
    expect(pod.read('stubs/argv')).toBe('sleep 1\n'.repeat(5));
    expect(pod.has('state/leaving/charon')).toBe(true);
  });

  test('waits so many seconds at most', async () => {
    pod.write('state/leaving/expected', 'charon\n');
    expect(await pod.ended(leave(pod, 'charon', '7'))).toBe(0);
    expect(pod.read('stubs/argv')).toBe('sleep 1\n'.repeat(7));
  });

  test('uses only commands that every image has', async () => {
    const real = spawnSync('/bin/sh', ['-c', 'command -v mkdir'], { encoding: 'utf8' }).stdout.trim();
    fs.symlinkSync(real, pod.at('bin/mkdir'));
    const child = pod.start(['/bin/dash', leaveScript, 'charon'], { PATH: pod.at('bin') });
    expect([await pod.ended(child), pod.output]).toEqual([0, '']);
  });
});

describeWith(['shellcheck'], 'shellcheck', () => {
  test('has nothing to say of leave.sh', () => {
    const { status, stdout } = spawnSync(tools.command('shellcheck'), ['leave.sh'], { cwd: SCRIPTS, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describeWith(['dash', 'python3'], 'a gateway that is to end', () => {
  test('lets its pod end at once where there is no other', async () => {
    const pod = podOf('a', []);
    pod.configure(onprem);
    const { charon, control } = await serve(pod);
    expect(await said(pod)).toEqual({ ...turn('a'), pod: pod.address, started: expect.any(Number) as number });
    const hooks = leaveAll(pod);
    for (const hook of hooks) expect(await pod.ended(hook)).toBe(0);
    expect(await said(pod)).toMatchObject({ carrying: false, leaving: true, drained: true });
    // Nothing is started again that goes down now.
    pod.list();
    await pod.settle();
    expect(pod.orders).toEqual(['initiate onprem/onprem']);
    // It answers until charon has told its peers, so that a new pod waits so long.
    control.kill('SIGTERM');
    await pod.settle(5);
    expect(await said(pod)).toMatchObject({ drained: true });
    await pod.stop(charon);
    expect(await pod.ended(control)).toBe(0);
  });

  test.each(['charon', 'control'])('goes on where only its container %s is to end', async (container) => {
    const pod = podOf('a', []);
    pod.configure(onprem);
    const { charon, control } = await serve(pod);
    expect(await pod.ended(leave(pod, container))).toBe(0);
    await pod.settle();
    expect([mayEnd(pod), await said(pod)]).toEqual([
      false,
      expect.objectContaining({ carrying: true, leaving: false }),
    ]);
    // What is started again is not to end.
    await pod.stop(container === 'charon' ? charon : control);
    if (container === 'charon') pod.charon();
    else await pod.control(environment(pod));
    await pod.until('it has taken it back', () => !pod.has(`state/leaving/${container}`));
    await pod.ready();
  });

  test('does not wait when its own name is gone, as after helm uninstall', async () => {
    await other('b', turn('b', { carrying: false, leaving: true, drained: true }));
    // No server of names is needed to know that there is none with a blank.
    const pod = podOf('a', ['a', 'b'], { host: 'no name' });
    pod.configure(onprem);
    await serve(pod);
    leaveAll(pod);
    await pod.until('it may end', () => mayEnd(pod));
    expect(pod.output).toContain('control.py: this pod is to end: the release is gone');
  });

  test('waits until another gateway carries on, and carries meanwhile', async () => {
    const sibling = await other('b', turn('b', { carrying: false }));
    const pod = podOf('a', ['a', 'b']);
    pod.configure({ ...onprem, branch: {} });
    await serve(pod);
    expect(sibling.asked).toBe(0);
    leaveAll(pod);
    await pod.until('it asks', () => sibling.asked > 2);
    expect([mayEnd(pod), await said(pod)]).toEqual([false, expect.objectContaining({ carrying: true, leaving: true })]);
    const sentence = 'this pod is to end: waiting until another gateway carries on';
    expect((await pod.get('/status')).body).toContain(`turn           ${sentence}\n`);
    expect(await pod.metrics()).toMatchObject({ ipsec_gateway_carrying: 1, ipsec_gateway_leaving: 1 });
    pod.list(...pod.sas.filter((sa) => sa['onprem'] === undefined));
    await pod.until('it is up again', () => pod.orders.length === 3);
    sibling.answer = turn('b');
    await pod.until('it may end', () => mayEnd(pod));
    expect(pod.output).toContain('control.py: this pod is to end: another gateway carries on\n');
  });

  test('asks twice, since two may have asked at the same time', async () => {
    const sibling = await other('b', turn('b', { carrying: false }));
    const pod = podOf('a', ['a', 'b']);
    pod.configure(onprem);
    await serve(pod);
    leaveAll(pod);
    await pod.until('it asks', () => sibling.asked > 0);
    const end = Date.now() + 3000;
    // Never carrying in two answers that follow each other.
    while (Date.now() < end) {
      const before = sibling.asked;
      sibling.answer = turn('b', { carrying: before % 2 === 0 });
      await pod.until('it asks again', () => sibling.asked > before);
    }
    expect(mayEnd(pod)).toBe(false);
    sibling.answer = turn('b', { carrying: false });
    await pod.until('others may count on it', async () => (await said(pod)).carrying);
  });

  test.each<[string, unknown, number]>([
    ['does not answer', null, 0],
    ['answers garbage', '\u0000<html>', 200],
    ['answers for another gateway', turn('c'), 200],
    ['answers half', { gateway: 'b', carrying: true }, 200],
  ])('goes without another one after drainTimeoutSeconds: it %s', async (_, answer, code) => {
    if (answer !== null) await other('b', answer, code);
    const pod = podOf('a', ['a', 'b'], { drainTimeoutSeconds: 25 });
    pod.configure(onprem);
    await serve(pod);
    const before = Date.now();
    leaveAll(pod);
    await pod.until('it may end', () => mayEnd(pod));
    const waited = ((Date.now() - before) / 1000) * FASTER;
    expect(waited).toBeGreaterThan(25);
    expect(waited).toBeLessThan(70);
    expect(pod.output).toContain('no other gateway carries on after 25 s, so it is done without one\n');
  });

  test('that carries nothing does not wait', async () => {
    const pod = podOf('a', ['a', 'b']);
    pod.configure(onprem);
    pod.behave({});
    pod.charon();
    await pod.control(environment(pod));
    await pod.until('it is loaded', () => pod.loads.length === 1);
    leaveAll(pod);
    await pod.until('it may end', () => mayEnd(pod), 3);
  });

  test('waits for one before it in the order of names, and not for one behind', async () => {
    const [a, c] = [await other('a', turn('a', { leaving: true })), await other('c', turn('c'))];
    const pod = podOf('b', ['a', 'b', 'c']);
    pod.configure(onprem);
    await serve(pod);
    leaveAll(pod);
    await pod.until('it asks', () => a.asked > 3);
    expect(mayEnd(pod)).toBe(false);
    c.answer = turn('c', { leaving: true });
    a.answer = turn('a', { leaving: true, drained: true, carrying: false });
    await pod.until('it may end', () => mayEnd(pod));
  });

  test('and another one that is to end at the same time go one after the other', async () => {
    const [a, b] = [podOf('a', ['a', 'b']), podOf('b', ['a', 'b'])];
    const running = [];
    for (const pod of [a, b]) {
      pod.configure(onprem);
      running.push(await serve(pod));
    }
    for (const pod of [a, b]) leaveAll(pod);
    await a.until('it may end', () => mayEnd(a));
    await b.settle(20);
    expect([mayEnd(b), await said(b)]).toEqual([false, expect.objectContaining({ carrying: true, leaving: true })]);
    for (const child of Object.values(running[0] ?? {})) await a.stop(child);
    await b.settle(20);
    expect(mayEnd(b)).toBe(false);
    const again = podOf('a', ['a', 'b']);
    again.configure(onprem);
    await serve(again);
    await b.until('it may end', () => mayEnd(b));
    expect(again.orders).toEqual(['initiate onprem/onprem']);
  });
});

describeWith(['dash', 'python3'], 'a change that ends tunnels', () => {
  test('waits until another gateway carries on; what ends none does not', async () => {
    const sibling = await other('b', turn('b', { carrying: false }));
    const pod = podOf('a', ['a', 'b']);
    pod.configure(onprem);
    await serve(pod);
    pod.configure({ onprem: { key: 'another.key' }, branch: {} });
    await pod.until('it is loaded', () => pod.loads.length === 2);
    await pod.ready();
    expect(sibling.asked).toBe(0);

    const before = pod.sas;
    pod.configure({ ...changed, branch: {} });
    await pod.until('it asks', () => sibling.asked > 3);
    expect([pod.loads.length, pod.sas]).toEqual([2, before]);
    expect(await said(pod)).toMatchObject({ carrying: true, leaving: true });
    sibling.answer = turn('b');
    await pod.until('it is loaded', () => pod.loads.length === 3);
    await pod.until('it is up again', () => pod.orders.length === 4);
    expect(pod.orders.slice(2)).toEqual(['terminate onprem', 'initiate onprem/onprem']);
    await pod.until('others may count on it', async () => {
      const { carrying, leaving } = await said(pod);
      return carrying && !leaving;
    });
  });

  test('that is taken back waits no longer', async () => {
    const sibling = await other('b', turn('b', { carrying: false }));
    const pod = podOf('a', ['a', 'b']);
    pod.configure(onprem);
    await serve(pod);
    pod.configure(changed);
    await pod.until('it asks', () => sibling.asked > 1);
    pod.configure(onprem);
    await pod.until('it no longer waits', async () => !(await said(pod)).leaving);
    expect([pod.loads.length, pod.orders]).toEqual([1, ['initiate onprem/onprem']]);
  });

  test('whose tunnel is down does not wait', async () => {
    const pod = podOf('a', ['a', 'b']);
    pod.configure(onprem);
    await serve(pod);
    pod.behave({});
    pod.list();
    await pod.unready('onprem: child onprem is not up');
    pod.configure(changed);
    await pod.until('it is loaded', () => pod.loads.length === 2, 3);
  });

  test('of a pod that is to end is not made, and does not hold it up', async () => {
    await other('b', turn('b', { carrying: false }));
    const pod = podOf('a', ['a', 'b'], { drainTimeoutSeconds: 40 });
    pod.configure(onprem);
    await serve(pod);
    leaveAll(pod);
    await pod.until('it waits', async () => (await said(pod)).leaving);
    pod.configure(changed);
    await pod.until('it may end', () => mayEnd(pod));
    await pod.settle();
    expect([pod.loads.length, pod.orders]).toEqual([1, ['initiate onprem/onprem']]);
  });

  test('of two gateways at the same time is made in one after the other', async () => {
    const [a, b] = [podOf('a', ['a', 'b']), podOf('b', ['a', 'b'])];
    for (const pod of [a, b]) {
      pod.configure(onprem);
      await serve(pod);
    }
    for (const pod of [b, a]) pod.configure(changed);
    for (const pod of [a, b]) await pod.until('it is up again', () => pod.orders.length === 3);
    const [first, second] = [a, b].map((pod) => pod.asked.filter(({ command }) => command !== 'reload-settings'));
    expect([first, second].map((all) => all?.map(({ command }) => command))).toEqual([
      ['initiate', 'terminate', 'initiate'],
      ['initiate', 'terminate', 'initiate'],
    ]);
    const [one, two] = [first, second].map((all) => ({ ended: all?.[1]?.time ?? 0, started: all?.[2]?.time ?? 0 }));
    // Whichever was first, it was up again before the other one ended its tunnel.
    const [early, late] = (one?.ended ?? 0) < (two?.ended ?? 0) ? [one, two] : [two, one];
    expect(early?.started).toBeLessThan(late?.ended ?? 0);
  });
});

describeWith(['dash', 'python3'], 'a new pod', () => {
  const OLD = '127.0.0.9';
  const beside = (): Pod => {
    const pod = podOf('a', [], { host: OLD });
    pod.configure(onprem);
    pod.charon();
    return pod;
  };

  test.each([
    ['carries', { carrying: true }],
    ['is to end', { carrying: false, leaving: true }],
  ])('waits with the first load as long as an older one %s, and then until it answers no more', async (_, more) => {
    const old = await other(OLD, turn('a', more));
    const pod = beside();
    await pod.control(environment(pod));
    await pod.unready('turn: the older pod pod-of-a of this gateway has not ended yet\n');
    old.answer = turn('a', { leaving: true, drained: true, carrying: false });
    await pod.settle(20);
    expect(pod.loads).toEqual([]);
    await old.end();
    await pod.ready();
    expect(pod.output).toContain('control.py: wait until the older pod pod-of-a of this gateway has ended\n');
  });

  test.each<[string, Partial<Turn>]>([
    ['a younger one', { started: 1e12 }],
    ['one that neither carries nor ends', { carrying: false }],
    ['itself', { pod: '127.0.0.2', started: 1e12 }],
  ])('does not wait for %s', async (_, more) => {
    await other(OLD, turn('a', more));
    const pod = beside();
    await pod.control(environment(pod));
    await pod.ready();
    expect(pod.output).not.toContain('wait until');
  });

  test('asks three times where nothing is answered, and once where nobody is', async () => {
    const old = await other(OLD, 'no answer');
    const pod = beside();
    await pod.control(environment(pod));
    await pod.ready();
    expect(old.asked).toBe(3);
    const alone = podOf('b', [], { host: HOSTS['b'] });
    alone.configure(onprem);
    await serve(alone);
    for (const { output } of [pod, alone]) expect(output).not.toContain('wait until');
  });

  test('begins when it began, also when its program begins again', async () => {
    const pod = podOf('a', []);
    pod.configure(onprem);
    const { control } = await serve(pod);
    const { started } = await said(pod);
    await pod.crash(control);
    await pod.control(environment(pod));
    expect((await said(pod)).started).toBe(started);
  });
});

describeWith(['dash', 'python3', 'promtool'], 'a gateway with a reflector', () => {
  const bgp: Tunnels = { onprem: { more: { bgp: true } }, branch: {} };
  const session = { state: 'Established', prefixes: 12, limit: 1000, since: 3725, bfd: 'up' };
  const status = (more: Record<string, unknown> = {}) => ({
    problems: [],
    bgp: { onprem: session },
    nodes: { known: 4, established: 2, away: 1, withoutBfd: 1 },
    settled: true,
    drained: false,
    metrics: { restarts: 4, strangers: 5, nodeRoutes: 6, remoteRoutes: 7 },
    ...more,
  });
  let pod: Pod;
  beforeEach(() => {
    pod = podOf('a', ['a', 'b'], { fabric: true, drainTimeoutSeconds: 0 });
    pod.configure(bgp);
  });
  const report = (more: Record<string, unknown> = {}) =>
    pod.write('state/fabric/status.json', JSON.stringify(status(more)));
  const told = () =>
    JSON.parse(pod.has('state/fabric/tunnels.json') ? pod.read('state/fabric/tunnels.json') : '{}') as {
      tunnels?: object;
      draining?: boolean;
      nodes?: number | null;
    };

  test('tells it how the tunnels are, and that they are so still', async () => {
    report();
    await serve(pod);
    const tunnel = (name: string) => ({ installed: true, children: { [name]: true }, remote: '198.51.100.7' });
    await pod.until('it is told', () => JSON.stringify(told().tunnels).includes('198.51.100.7'));
    expect(told()).toEqual({
      tunnels: { onprem: tunnel('onprem'), branch: tunnel('branch') },
      draining: false,
      nodes: null,
    });
    const time = () => fs.statSync(pod.at('state/fabric/tunnels.json')).mtimeMs;
    const before = time();
    await pod.until('it is touched', () => time() > before);
    pod.behave({});
    pod.list();
    await pod.until('it is told', () => JSON.stringify(told().tunnels).includes('"installed":false'));
  });

  test('goes on to tell so of a charon that answers late, and not of one that has ended', async () => {
    report();
    await serve(pod);
    const isTold = () => JSON.stringify(told().tunnels).includes('"installed":true');
    await pod.until('it is told', isTold);
    pod.behave({ 'list-sas': 'silent' });
    await pod.until('it is late', () => pod.output.includes('does not answer'));
    expect(isTold()).toBe(true);
    pod.write('state/charon-ended', '');
    await pod.until('it has ended', () => !isTold());
  });

  test('is ready when the sessions are established, and says which is not', async () => {
    await pod.control(environment(pod));
    pod.charon();
    await pod.unready('fabric: it has not been reported yet\n');
    report({ bgp: {} });
    await pod.unready(/^onprem: BGP session is not established: unknown\n$/);
    report({ bgp: { onprem: { ...session, state: 'Active' } } });
    await pod.unready(/^onprem: BGP session is not established: Active\n$/);
    expect(await said(pod)).toMatchObject({ carrying: true });
    report({ problems: ['tunnels.onprem.bgp.password: it is empty'] });
    await pod.unready(/^tunnels.onprem.bgp.password: it is empty\n$/);
    report();
    await pod.ready();
    const old = new Date(Date.now() - 31_000);
    fs.utimesSync(pod.at('state/fabric/status.json'), old, old);
    await pod.unready(/^fabric: stale\n$/);
    pod.write('state/fabric/status.json', '{"bgp": ');
    await pod.unready(/^fabric: what is reported is not JSON\n$/);
    pod.write('state/fabric/status.json', '{"bgp": [1], "nodes": "x", "problems": {"a": 1}}');
    await pod.unready(/^onprem: BGP session is not established: unknown\n$/);
  });

  test('carries when the session of a tunnel is established, if it has one', async () => {
    pod.configure({ onprem: { more: { bgp: true } } });
    report({ bgp: { onprem: { ...session, state: 'Idle' } } });
    pod.charon();
    await pod.control(environment(pod));
    await pod.unready('BGP session is not established: Idle');
    expect(await said(pod)).toMatchObject({ carrying: false });
    report({ settled: false });
    await pod.ready();
    expect(await said(pod)).toMatchObject({ carrying: false });
    report();
    await pod.until('it carries', async () => (await said(pod)).carrying);
    expect(await said(pod)).toMatchObject({ nodes: 3 });
  });

  test('leads to as many nodes as another gateway does before it carries', async () => {
    await other('b', turn('b', { nodes: 5 }));
    report({ settled: false });
    await serve(pod);
    await pod.until('the reflector knows', () => told().nodes === 5);
  });

  test('waits for the answer of another gateway, and not for ever', async () => {
    await other('b', 'no answer');
    report({ settled: false });
    await serve(pod);
    await pod.until('nobody is waited for', () => told().nodes === 0);
  });

  test('shows sessions and nodes', async () => {
    report();
    await serve(pod);
    const { body } = await pod.get('/status');
    expect(body).toContain('\nfabric         2 of 4 nodes\n');
    expect(body).toContain(
      '\nBGP     STATE        FOR    PREFIXES    BFD\nonprem  Established  1h 2m  12 of 1000  up\n',
    );
    const page = (await pod.get('/metrics')).body;
    const checked = spawnSync(tools.command('promtool'), ['check', 'metrics'], { input: page, encoding: 'utf8' });
    expect(checked).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await pod.metrics()).toMatchObject({
      'ipsec_bgp_session_up{tunnel="onprem"}': 1,
      'ipsec_bgp_prefixes_received{tunnel="onprem"}': 12,
      'ipsec_bgp_prefixes_limit{tunnel="onprem"}': 1000,
      'ipsec_fabric_nodes{state="known"}': 4,
      'ipsec_fabric_nodes{state="away"}': 1,
      'ipsec_fabric_nodes{state="established"}': 2,
      'ipsec_fabric_nodes{state="without_bfd"}': 1,
      'ipsec_fabric_routes{from="nodes"}': 6,
      'ipsec_fabric_routes{from="remotes"}': 7,
      ipsec_fabric_restarts_total: 4,
      ipsec_fabric_strangers: 5,
      ipsec_gateway_carrying: 1,
      ipsec_gateway_leaving: 0,
    });
    pod.remove('state/fabric/status.json');
    await pod.until('nothing is known', async () => {
      const metrics = await pod.metrics();
      return metrics['ipsec_bgp_session_up{tunnel="onprem"}'] === 0;
    });
    expect(Object.keys(await pod.metrics()).filter((name) => /_bgp_.*branch/.test(name))).toEqual([]);
  });

  test('withdraws its routes before its pod may end, of three containers', async () => {
    report();
    await serve(pod);
    leaveAll(pod, ['charon', 'control', 'frr']);
    await pod.until('it withdraws', () => told().draining === true);
    report();
    await pod.settle(5);
    expect([mayEnd(pod), (await said(pod)).drained]).toEqual([false, false]);
    report({ drained: true });
    await pod.until('it may end', () => mayEnd(pod));
    expect((await said(pod)).drained).toBe(true);
  });

  test('waits 135 s at most for a reflector that does not, since the agents of nodes may be away', async () => {
    report();
    await serve(pod);
    const before = Date.now();
    leaveAll(pod, ['charon', 'control', 'frr']);
    await pod.until('it may end', () => mayEnd(pod));
    expect(((Date.now() - before) / 1000) * FASTER).toBeGreaterThan(135);
  });

  test('goes on where two of three containers are to end', async () => {
    report();
    await serve(pod);
    for (const hook of leaveAll(pod)) expect(await pod.ended(hook)).toBe(0);
    expect([mayEnd(pod), told().draining]).toEqual([false, false]);
  });

  test('withdraws its routes for a change of all that it carries, while another gateway carries on', async () => {
    await other('b', turn('b', { nodes: 3 }));
    pod.gateway = { ...pod.gateway, drainTimeoutSeconds: 600 };
    pod.configure({ onprem: {} });
    report();
    await serve(pod);
    pod.configure(changed);
    await pod.until('it withdraws', () => told().draining === true);
    expect(pod.loads).toHaveLength(1);
    report({ drained: true });
    await pod.until('it is up again', () => pod.orders.length === 3);
    await pod.until('it takes part again', () => told().draining === false);
  });

  test.each<[string, Tunnels, Tunnels, unknown]>([
    ['another tunnel goes on', { onprem: {}, branch: {} }, { ...changed, branch: {} }, turn('b')],
    ['no other gateway carries on', onprem, changed, turn('b', { carrying: false })],
  ])('withdraws none for a change while %s', async (_, before, after, answer) => {
    await other('b', answer);
    pod.gateway = { ...pod.gateway, drainTimeoutSeconds: 20 };
    pod.configure(before);
    report();
    await serve(pod);
    pod.configure(after);
    const seen = new Set<boolean | undefined>();
    await pod.until('it is up again', () => {
      seen.add(told().draining);
      return pod.orders.filter((order) => order === 'initiate onprem/onprem').length === 2;
    });
    expect([...seen]).toEqual([false]);
  });
});

describe('the chart', () => {
  interface Container {
    readonly name: string;
    readonly env?: readonly { name: string; valueFrom?: unknown }[];
    readonly lifecycle?: unknown;
  }
  const rendered = (more: Record<string, unknown> = {}) => {
    const tunnel = (gateway: string) => ({
      gateway,
      remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
      presharedKey: { existingSecret: 'psk' },
    });
    const values = {
      cluster: { podCidrs: ['10.244.0.0/16'] },
      gateways: { a: { identity: '203.0.113.10' }, b: { identity: '203.0.113.11' } },
      tunnels: { first: tunnel('a'), second: tunnel('b') },
      ...more,
    };
    const objects = CHARTS.ipsec.objects({ values }) as unknown as {
      kind: string;
      metadata: { name: string };
      data?: Record<string, string>;
      spec?: { template: { spec: { terminationGracePeriodSeconds: number; containers: Container[] } } };
    }[];
    const [config] = objects.filter(({ data }) => data?.['gateway.json'] !== undefined);
    const [deployment] = objects.filter(({ kind }) => kind === 'Deployment');
    const name = deployment?.metadata.name.replace(/-a$/, '') ?? '';
    return {
      json: JSON.parse(config?.data?.['gateway.json'] ?? '') as object,
      name,
      pod: deployment?.spec?.template.spec,
    };
  };

  test('tells each gateway where the others and its own pods are', () => {
    const { json, name } = rendered({ drainTimeoutSeconds: 60 });
    expect(json).toMatchObject({
      gateway: 'a',
      host: `a.${name}-gateways`,
      siblings: { b: `b.${name}-gateways`, '': '' },
      drainTimeoutSeconds: 60,
      fabric: false,
    });
  });

  test('gives the pod the time that it may take, and more where the values say so', () => {
    expect(rendered().pod?.terminationGracePeriodSeconds).toBe(285);
    expect(rendered({ drainTimeoutSeconds: 0 }).pod?.terminationGracePeriodSeconds).toBe(165);
    expect(rendered({ terminationGracePeriodSeconds: 600 }).pod?.terminationGracePeriodSeconds).toBe(600);
  });

  test('holds up the end of each container', () => {
    const hooks = rendered().pod?.containers.map(({ name, lifecycle }) => [name, lifecycle]);
    const hook = (name: string) => ({ preStop: { exec: { command: ['/bin/sh', '/scripts/leave.sh', name, '265'] } } });
    expect(hooks).toEqual([
      ['charon', hook('charon')],
      ['control', hook('control')],
      ['network', hook('network')],
    ]);
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../left-out';
import { nextHops } from './fabric';
import { lossFigure, lossOf, type Received, type Sent } from './probes';

describe('what is lost', () => {
  const received = (...runs: Received['runs'][number][]): Received => ({ link: 'eth0', runs });

  test('is nothing if all have come', () => {
    const loss = lossOf({ sent: 100, seconds: 1, late: 0.02 }, received([0, 99, 0, 0.99]));
    expect(loss).toEqual({ sent: 100, lost: 0, outages: [], longestSeconds: 0, lateSeconds: 0.02, link: 'eth0' });
    expect(lossFigure(loss)).toBe('0 of 100 lost');
  });

  test('is counted between packets that came, by the time of the sender', () => {
    const loss = lossOf({ sent: 1000, seconds: 10, late: 0 }, received([0, 99, 0, 1], [350, 999, 3.5, 10]));
    expect(loss.outages).toEqual([{ atSeconds: 1, seconds: 2.5, packets: 250 }]);
    expect(lossFigure(loss)).toBe('250 of 1000 lost, longest gap 2.50 s');
  });

  test('counts before the first packet that came, and after the last one', () => {
    const { lost, outages } = lossOf({ sent: 1000, seconds: 10, late: 0 }, received([100, 799, 1, 8]));
    expect(lost).toBe(300);
    expect(outages.map(({ packets }) => packets)).toEqual([100, 200]);
  });

  test('is all if none has come', () => {
    expect(lossFigure(lossOf({ sent: 500, seconds: 5, late: 0 }, received()))).toBe(
      '500 of 500 lost, longest gap 5.00 s',
    );
  });

  test('is one outage where only single packets come, and two with a second between them', () => {
    const near = received([0, 99, 0, 1], [200, 200, 2, 2], [300, 999, 3, 10]);
    expect(lossOf({ sent: 1000, seconds: 10, late: 0 }, near).outages).toEqual([
      { atSeconds: 1, seconds: 2, packets: 199 },
    ]);
    const apart = received([0, 99, 0, 1], [200, 350, 2, 3.5], [450, 999, 4.5, 10]);
    expect(lossOf({ sent: 1000, seconds: 10, late: 0 }, apart).outages).toHaveLength(2);
  });
});

test.each([
  ['none', '', 0],
  ['none of a list', '[]', 0],
  ['one that refuses', '[{"type":"unreachable","dst":"10.1.0.0/16","metric":4194304000}]', 0],
  ['one', '[{"dst":"10.1.0.0/24","gateway":"198.19.0.1","dev":"ovl0"}]', 1],
  ['two', '[{"dst":"10.1.0.0/24","nexthops":[{"gateway":"198.19.0.1"},{"gateway":"198.19.0.2"}]}]', 2],
  ['one beside one that refuses', '[{"dst":"x","via":{"family":"inet6"}},{"type":"unreachable","dst":"x"}]', 1],
])('ways of a route: %s', (_, json, ways) => {
  expect(nextHops(json)).toBe(ways);
});

describeWith(['linux'], 'probe.py', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-probe-'));
  const running: ChildProcess[] = [];
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true });
  });

  /** Starts it, and gives what ends it and reads what it has written. */
  async function start<T>(what: string, ...words: readonly string[]): Promise<() => Promise<T>> {
    const file = path.join(folder, `${what}-${running.length}`);
    const child = spawn('python3', ['-B', path.join(__dirname, 'probe.py'), what, file, ...words], {
      stdio: 'inherit',
    });
    running.push(child);
    for (let tries = 0; tries < 100 && !fs.existsSync(`${file}.pid`); tries++) await sleep(100);
    return async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      return JSON.parse(fs.readFileSync(file, 'utf8')) as T;
    };
  }

  test('counts what comes, and what was sent while nobody listened', async () => {
    const address = '127.0.0.1';
    const ports = ['43117', '43118'];
    const first = await start<Record<string, Received>>('receive', address, ...ports);
    const sender = await start<Sent>('send', '127.0.0.2', address, ...ports);
    await sleep(500);
    const before = await first();
    await sleep(300);
    const second = await start<Record<string, Received>>('receive', address, ...ports);
    await sleep(500);
    const sent = await sender();
    const after = await second();
    for (const port of ports) {
      const runs = [...before[port]!.runs, ...after[port]!.runs];
      const loss = lossOf(sent, { link: 'lo', runs });
      expect(before[port]!.link).toBe('lo');
      expect(loss.outages).toHaveLength(1);
      expect(loss.longestSeconds).toBeGreaterThan(0.25);
      expect(loss.lost + runs.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBe(sent.sent);
    }
  });

  test('does not count what comes after one that was sent a second later', async () => {
    const receiver = await start<Record<string, Received>>('receive', '127.0.0.1', '43119');
    const socket = createSocket('udp4');
    for (const number of [0, 1, 150, 2, 60, 151]) {
      const packet = Buffer.alloc(16);
      packet.writeBigUInt64BE(BigInt(number));
      packet.writeDoubleBE(number / 100, 8);
      await new Promise((resolve) => socket.send(packet, 43119, '127.0.0.1', resolve));
    }
    socket.close();
    await sleep(300);
    const runs = (await receiver())['43119']!.runs;
    expect(runs.map(([first, last]) => [first, last])).toEqual([
      [0, 1],
      [60, 60],
      [150, 151],
    ]);
  });
});

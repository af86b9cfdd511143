import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { aPeer, config, key, Pod, SCRIPTS, type Peer } from './script-pod';

jest.setTimeout(60_000);

describeWith(['dash', 'promtool'], 'metrics', () => {
  let pod: Pod;
  let alice: Peer, bob: Peer, carol: Peer;
  const secret = key();
  beforeEach(() => {
    pod = new Pod();
    [alice, bob, carol] = [aPeer('alice'), aPeer('bob'), aPeer('carol')];
    pod.write('etc/wireguard/config/wg.conf', config([alice, bob, carol]));
    fs.mkdirSync(pod.at('cgi-bin'));
    for (const question of ['ready', 'metrics'])
      fs.symlinkSync(path.join(SCRIPTS, 'health.sh'), pod.at(`cgi-bin/${question}`));
  });
  afterEach(() => {
    pod.end();
  });

  /** What wg shows: alice has a session, bob had one, carol has never come. */
  function dump(): void {
    const now = Math.floor(Date.now() / 1000);
    const rows = [
      [secret, key(), '51820', 'off'],
      [alice.publicKey, secret, '203.0.113.7:4242', '10.13.13.2/32', now - 30, 1234567890123, 42, '25'],
      [bob.publicKey, '(none)', '203.0.113.8:4242', '10.13.13.3/32', now - 3600, 7, 8, 'off'],
      [carol.publicKey, '(none)', '(none)', '10.13.13.4/32', 0, 0, 0, 'off'],
    ];
    pod.write('state/dump', rows.map((row) => `${row.join('\t')}\n`).join(''));
  }

  const get = (question: string): { head: string; body: string } => {
    const { stdout } = spawnSync('dash', [pod.at(`cgi-bin/${question}`)], { env: pod.environment(), encoding: 'utf8' });
    const [head = '', body = ''] = stdout.split(/\r\n\r\n(.*)/s);
    return { head, body };
  };
  const promtool = (text: string) =>
    spawnSync(tools.command('promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' });

  async function metrics(): Promise<string[]> {
    await pod.until('there are metrics', () => get('metrics').head.startsWith('Status: 200'));
    return get('metrics').body.split('\n');
  }

  test('say of each peer, by name, what wg knows', async () => {
    dump();
    await pod.serve({ METRICS: 'true' });
    const lines = await metrics();
    expect(lines).toEqual(
      expect.arrayContaining([
        'wireguard_ready 1',
        'wireguard_peers_configured 3',
        'wireguard_peers_present 3',
        'wireguard_endpoints_unresolved 0',
        'wireguard_peer_up{peer="alice"} 1',
        'wireguard_peer_up{peer="bob"} 0',
        'wireguard_peer_up{peer="carol"} 0',
        'wireguard_peer_endpoint_known{peer="alice"} 1',
        'wireguard_peer_endpoint_known{peer="carol"} 0',
        'wireguard_peer_receive_bytes_total{peer="alice"} 1234567890123',
        'wireguard_peer_transmit_bytes_total{peer="alice"} 42',
      ]),
    );
    const ages = lines.filter((line) => line.startsWith('wireguard_peer_handshake_age_seconds{'));
    expect(ages.map((line) => line.replace(/ .*/, ''))).toEqual([
      'wireguard_peer_handshake_age_seconds{peer="alice"}',
      'wireguard_peer_handshake_age_seconds{peer="bob"}',
    ]);
    expect(Number(ages[0]?.split(' ')[1])).toBeGreaterThanOrEqual(30);
    expect(Number(ages[0]?.split(' ')[1])).toBeLessThan(60);
  });

  test('are what Prometheus reads, with its content type and no secret', async () => {
    dump();
    await pod.serve({ METRICS: 'true' });
    const text = (await metrics()).join('\n');
    expect(get('metrics').head).toContain('Content-Type: text/plain; version=0.0.4; charset=utf-8');
    expect(text).not.toContain(secret);
    expect(promtool(text)).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['a value that is no number', 'wireguard_ready 1', 'wireguard_ready yes'],
    ['a name without help', '# HELP wireguard_ready', '# wireguard_ready'],
    ['a counter without _total', /wireguard_peer_receive_bytes_total/g, 'wireguard_peer_receive_bytes'],
  ])('promtool refuses %s', async (_title, from, to) => {
    dump();
    await pod.serve({ METRICS: 'true' });
    const text = (await metrics()).join('\n');
    expect(text).toMatch(from);
    expect(promtool(text.replace(from, to)).status).not.toBe(0);
  });

  test('a peer that the interface does not have is configured and not present', async () => {
    await pod.serve({ METRICS: 'true' });
    await metrics();
    dump();
    pod.write('state/dump', pod.read('state/dump').replace(/.*off\n$/, ''));
    pod.remove('run/health/metrics');
    await pod.until('it is written again', () => pod.has('run/health/metrics'));
    expect(await metrics()).toEqual(expect.arrayContaining(['wireguard_peers_configured 3', 'wireguard_ready 0']));
  });

  test('an endpoint that does not resolve is counted', async () => {
    pod.write(
      'etc/wireguard/config/wg.conf',
      config([aPeer('alice', ['Endpoint = unknown.example:51820']), aPeer('bob')]),
    );
    await pod.serve({ METRICS: 'true' });
    await pod.until('it is tried', () => pod.output.includes('do not resolve'));
    pod.remove('run/health/metrics');
    await pod.until('it is written again', () => pod.has('run/health/metrics'));
    expect(await metrics()).toContain('wireguard_endpoints_unresolved 1');
  });

  test('are not there unless they are asked for, and not after the server has stopped', async () => {
    await pod.stop(await pod.serve());
    expect(get('metrics').head).toContain('Status: 503');
    const child = await pod.serve({ METRICS: 'true' });
    await metrics();
    await pod.stop(child);
    expect(get('metrics').head).toContain('Status: 503');
  });

  test('are stale with the state that they belong to', async () => {
    const child = await pod.serve({ METRICS: 'true' });
    await metrics();
    child.kill('SIGSTOP');
    pod.write('run/health/status', pod.read('run/health/status').replace(/^time \d+/, 'time 1000000000'));
    expect(get('metrics')).toMatchObject({ head: expect.stringContaining('Status: 503') as string, body: 'stale\n' });
    child.kill('SIGCONT');
  });
});

import * as fs from 'node:fs';
import type { JsonObject } from '../../lib/helm/values-file';
import { wireguardPublicKey } from '../../lib/net/wireguard-key';
import { describeWith } from '../left-out';
import { wireguardConfig } from '../oracles/scenarios';
import { key, Pod } from './script-pod';

jest.setTimeout(60_000);

describeWith(['dash', 'jq', 'wg'], 'peers of mounted Secrets', () => {
  const [alice, bob, carol] = [key(), key(), key()];
  const VALUES = {
    peersFrom: { team: { existingSecret: 'team' }, machines: { existingConfigMap: 'machines' } },
    peers: { alice: { publicKey: alice, addresses: ['10.13.13.2'] } },
  } satisfies JsonObject;
  const TEAM = 'etc/wireguard/peers-from/team';
  const MACHINES = 'etc/wireguard/peers-from/machines';

  let pod: Pod;
  beforeEach(() => {
    pod = new Pod();
    configure(VALUES);
    for (const folder of [TEAM, MACHINES]) fs.mkdirSync(pod.at(folder), { recursive: true });
  });
  afterEach(() => {
    pod.end();
  });

  function configure(values: JsonObject): void {
    for (const [name, text] of Object.entries(wireguardConfig(values))) pod.write(`etc/wireguard/config/${name}`, text);
  }
  const entry = (publicKey: string, address: string, more: JsonObject = {}): string =>
    JSON.stringify({ publicKey, addresses: [address], ...more });
  const peers = (): string[] =>
    [...pod.read('state/wg.conf').matchAll(/^PublicKey = (.*)$/gm)].map(([, publicKey]) => publicKey ?? '');

  test('stand beside those of the values, with their rules, routes and pre-shared keys', async () => {
    const preshared = key();
    pod.mountSecret(TEAM, {
      bob: entry(bob, '10.13.13.3', {
        presharedKey: { value: preshared },
        routedNetworks: ['192.168.7.0/24'],
        allow: { web: { networks: ['10.0.0.0/8'], ports: [{ port: 443 }] } },
      }),
    });
    pod.mountSecret(MACHINES, { robot: entry(carol, '10.13.13.4') });
    await pod.serve();
    expect(peers().sort()).toEqual([alice, bob, carol].sort());
    expect(pod.read('state/wg.conf')).toContain(`PresharedKey = ${preshared}\n`);
    expect(pod.read('state/ruleset')).toContain('ip daddr 10.0.0.0/8 tcp dport 443 accept');
    expect(pod.read('state/route4')).toBe('192.168.7.0/24\n');
    expect(pod.output).not.toContain(preshared);
    expect(pod.read('state/argv')).not.toContain(preshared);
  });

  test('are taken when they change, without a restart', async () => {
    const child = await pod.serve();
    expect(peers()).toEqual([alice]);
    pod.mountSecret(TEAM, { bob: entry(bob, '10.13.13.3') });
    await pod.until('bob is there', () => peers().includes(bob));
    pod.mountSecret(TEAM, { carol: entry(carol, '10.13.13.3') });
    await pod.until('carol is there in his place', () => peers().includes(carol) && !peers().includes(bob));
    expect(child.exitCode).toBeNull();
  });

  test('that break a rule are left out with one line each, and counted; the others work', async () => {
    pod.mountSecret(TEAM, {
      bob: entry(bob, '10.13.13.3'),
      twin: entry(key(), '10.13.13.3'),
      broken: '{',
      alice: entry(key(), '10.13.13.9'),
    });
    await pod.serve({ METRICS: 'true' });
    expect(peers().sort()).toEqual([alice, bob].sort());
    const lines = pod.output.split('\n').filter((line) => line.includes('left out'));
    expect(lines.map((line) => line.replace(/: [^:]*$/, ''))).toHaveLength(3);
    expect(lines.join('\n')).toMatch(/left out: peersFrom\.team\.broken/);
    expect(lines.join('\n')).toMatch(/left out: peersFrom\.team\.twin/);
    expect(lines.join('\n')).toMatch(/left out: peersFrom\.team\.alice/);
    await pod.until('there are metrics', () => pod.has('run/health/metrics'));
    expect(pod.read('run/health/metrics')).toContain('wireguard_peers_left_out{source="team"} 3\n');
    expect(pod.read('run/health/metrics')).toContain('wireguard_peers_left_out{source="machines"} 0\n');
    expect(pod.status['ready']).toBe('1');

    pod.output = '';
    pod.mountSecret(TEAM, { bob: entry(bob, '10.13.13.3'), broken: '{', worse: '[' });
    await pod.until('the new one is told', () => pod.output.includes('peersFrom.team.worse'));
    expect(pod.output).not.toContain('peersFrom.team.broken');
  });

  test('with the key of the server, or of a peer whose keys are made here, are left out', async () => {
    fs.mkdirSync(pod.at('var/lib/wireguard'), { recursive: true });
    const values = { ...VALUES, peers: { ...VALUES.peers, gen: { generate: true, addresses: ['10.13.13.5'] } } };
    configure(values);
    const child = await pod.serve();
    await pod.stop(child);
    const made = pod.read('var/lib/wireguard/peers/gen/public-key').trim();
    pod.mountSecret(TEAM, {
      bob: entry(bob, '10.13.13.3'),
      own: entry(wireguardPublicKey(pod.privateKey), '10.13.13.8'),
      thief: entry(made, '10.13.13.9'),
    });
    pod.output = '';
    await pod.serve();
    expect(peers().sort()).toEqual([alice, bob, made].sort());
    expect(pod.output).toContain('left out: peersFrom.team.own.publicKey: is the same key as that of the server');
    expect(pod.output).toContain('left out: peersFrom.team.thief.publicKey: is the same key as peers.gen.publicKey');
    expect(pod.read('state/wg.conf')).not.toContain('10.13.13.9');
  });

  test('of the values with the key of the server are a fault that is named', async () => {
    configure({
      peers: { ...VALUES.peers, twin: { publicKey: wireguardPublicKey(pod.privateKey), addresses: ['10.13.13.6'] } },
    });
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain('the peer twin has the public key of the server: give it its own');
  });

  test('a Secret that goes away takes its peers with it', async () => {
    pod.mountSecret(TEAM, { bob: entry(bob, '10.13.13.3') });
    await pod.serve();
    pod.mountSecret(TEAM, {});
    await pod.until('bob is gone, and alice is not', () => peers().join() === alice);
  });

  test('a missing jq is said by name', async () => {
    pod.stub('jq', 'exit 127');
    expect(await pod.ended(pod.start('server.sh'))).toBe(1);
    expect(pod.output).toContain('cannot read the peers of peersFrom');
  });

  test('a long reading does not let the status go stale', async () => {
    pod.mountSecret(TEAM, { bob: entry(bob, '10.13.13.3') });
    await pod.serve();
    const real = process.env['PATH'] ?? '';
    pod.stub('jq', `sleep 7; PATH='${real}' exec jq "$@"`);
    const before = Number(pod.status['time']);
    pod.mountSecret(TEAM, { carol: entry(carol, '10.13.13.3') });
    await pod.until('it is being read', () => pod.argv.some((line) => line.startsWith('jq ')));
    await pod.until('the time is newer', () => Number(pod.status['time']) >= before + 5);
    expect(peers()).toContain(bob);
    expect(pod.status['ready']).toBe('1');
    await pod.until('carol is there', () => peers().includes(carol));
  });
});

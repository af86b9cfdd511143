import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { partValues } from '../../lib/cli/part-values';
import { loadValues } from '../../lib/helm/load-values';
import type { JsonObject } from '../../lib/helm/values-file';
import { toYaml } from '../../lib/helm/yaml';
import { withFolder } from '../helm/real-helm';
import { CommandLine, type Ended } from './command-line';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

const SERVER: JsonObject = {
  endpoint: 'vpn.example.com:51820',
  serverPublicKey: '3LSZd5Ci2kch6N/ybVONUw8kvnYZoutYxMEkqwKaRwI=',
  privateKey: { existingSecret: 'wireguard-server' },
  peers: { alice: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.13.13.2'] } },
};
const GATEWAYS: JsonObject = {
  cluster: { podCidrs: ['10.244.0.0/16'] },
  gateways: { a: { identity: '203.0.113.10' } },
  tunnels: {
    onprem: {
      gateway: 'a',
      remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
      presharedKey: { existingSecret: 'onprem-psk' },
    },
  },
};

/** Runs the command with a file of those values. */
function run(values: JsonObject, args: readonly string[]): Ended {
  return withFolder((cwd) => {
    fs.writeFileSync(path.join(cwd, 'site.yaml'), toYaml(values));
    return cli.run([...args, '-f', 'site.yaml'], { cwd });
  });
}

test.each([
  ['wireguard', 'alice', SERVER],
  ['ipsec', 'onprem', GATEWAYS],
])('showconf %s makes the same of the values of the umbrella chart as of its own', (chart, name, values) => {
  const alone = run(values, ['showconf', chart, name]);
  expect(alone).toMatchObject({ code: 0, err: '' });
  for (const enabled of [true, false])
    expect(run({ [chart]: { enabled, ...values }, other: {} }, ['showconf', chart, name])).toEqual(alone);
});

test('keys says what the values need below the name of the chart', () => {
  const { code, out } = run({ wireguard: SERVER }, ['keys', 'wireguard', 'bob']);
  expect(code).toBe(0);
  expect(out).toMatch(/^wireguard:\n {2}peers:\n {4}bob:\n {6}publicKey: /);
  expect(out).toContain('"10.13.13.3"');
});

test('a problem is told with the whole path and its place', () => {
  const wrong = { wireguard: { peers: { alice: { addresses: ['10.13.14.2'] } } } };
  expect(run(wrong, ['showconf', 'wireguard', 'alice']).err.split('\n')[0]).toMatch(
    /^site\.yaml:3:\d+: wireguard\.peers\.alice: has neither publicKey nor generate; /,
  );
});

test.each([
  ['its own values', 'peers: {}\n'],
  ['a list in that place', 'wireguard: []\n'],
  ['values of others', 'ipsec: {}\n'],
])('takes all of %s', (_title, text) => {
  withFolder((folder) => {
    const file = path.join(folder, 'f.yaml');
    fs.writeFileSync(file, text);
    const loaded = loadValues({ files: [file] });
    expect(partValues('wireguard', loaded)).toBe(loaded);
  });
});

test('no chart has a key of its own name, by which the values of the umbrella chart are known', () => {
  for (const [name, { schema }] of Object.entries(CHARTS)) expect(Object.keys(schema.shape)).not.toContain(name);
});

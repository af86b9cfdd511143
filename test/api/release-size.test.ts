/** What a release weighs: our estimate beside the Secret that Helm really makes, and what happens where it would not fit. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { wireguard } from '../../charts/wireguard';
import type { JsonObject } from '../../lib/helm/values-file';
import { ALL_HELMS } from '../helm/real-helm';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { API_SERVER_TOOLS, startApiServer, type ApiServer } from './api-server';

const conditions = [...API_SERVER_TOOLS, ...(tools.helms().length > 0 ? [] : ALL_HELMS)] as const;

/** Values with so many peers. */
function valuesOf(count: number, name: (index: number) => string = (index) => `peer-${String(index)}`): JsonObject {
  const peers = Array.from({ length: count }, (_, index) => [
    name(index),
    {
      publicKey: randomBytes(32).toString('base64'),
      addresses: [`10.64.${String((index + 2) >> 8)}.${String((index + 2) & 255)}`],
    },
  ]);
  return { network: '10.64.0.0/16', peers: Object.fromEntries(peers) as JsonObject };
}

describeWith(conditions, 'the size of a release', () => {
  jest.setTimeout(120_000);
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer();
    wireguard.write(path.join(server.folder, 'wireguard'));
  });
  afterAll(() => server.stop());

  function install(name: string, values: JsonObject): Promise<string> {
    const file = path.join(server.folder, `${name}.json`);
    fs.writeFileSync(file, JSON.stringify(values));
    const helm = tools.helms().at(-1)?.path ?? '';
    return server.run(helm, ['install', name, path.join(server.folder, 'wireguard'), '-f', file]);
  }
  async function stored(name: string): Promise<number> {
    const secret = await server.run(tools.kubernetes('kubectl'), [
      'get',
      'secret',
      `sh.helm.release.v1.${name}.v1`,
      '-o',
      'jsonpath={.data.release}',
    ]);
    return Buffer.from(secret, 'base64').length;
  }

  test.each([
    ['of no peer', 0],
    ['of 8,000 peers, which is what the documentation promises', 8000],
  ])('%s is what we say, and fits', async (_title, count) => {
    const values = valuesOf(count);
    const estimate = wireguard.releaseBytes({ values, release: { name: `peers-${String(count)}` } });
    await install(`peers-${String(count)}`, values);
    const real = await stored(`peers-${String(count)}`);
    expect(estimate / real).toBeGreaterThan(0.95);
    expect(estimate / real).toBeLessThan(1.05);
  });

  test('what we refuse, Helm cannot store', async () => {
    const values = valuesOf(6400, () => randomBytes(20).toString('hex'));
    expect(wireguard.releaseBytes({ values })).toBeGreaterThan(1_048_576);
    await expect(install('too-large', values)).rejects.toThrow(/1048576|Too long|too large/);
  });
});

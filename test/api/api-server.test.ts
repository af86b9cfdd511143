import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { API_SERVER_TOOLS, startApiServer } from './api-server';

/** The processes that work in a folder, also in one that is removed. */
function processesIn(folder: string): string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readlinkSync(path.join('/proc', pid, 'cwd')).startsWith(folder);
      } catch {
        return false;
      }
    });
}

function folders(): string[] {
  return fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('cdk8s-vpn-api-'));
}

describeWith(['linux', ...API_SERVER_TOOLS], 'the API server of the tests', () => {
  test('serves until it is stopped, soon leaving no process and no folder', async () => {
    const server = await startApiServer();
    const { folder } = server;
    let asked = 0;
    try {
      expect(await server.run(tools.kubernetes('kubectl'), ['version'])).toContain('Server Version: v1.34.4\n');
      // The script that keeps the two, and its watcher.
      expect(processesIn(folder)).toHaveLength(4);
    } finally {
      asked = Date.now();
      await server.stop();
    }
    expect(Date.now() - asked).toBeLessThan(5_000);
    expect(processesIn(folder)).toEqual([]);
    expect(fs.existsSync(folder)).toBe(false);
  });

  test('goes with the process that started it, however that ends', async () => {
    const source = `void require('./api-server').startApiServer().then(({ folder }) => process.stdout.write(folder))`;
    const starter = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', source], {
      cwd: __dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(starter.stdout, 'data')) as [Buffer];
    const folder = chunk.toString();
    expect(processesIn(folder)).toHaveLength(4);
    starter.kill('SIGKILL');
    for (const limit = Date.now() + 10_000; fs.existsSync(folder) && Date.now() < limit;) await sleep(50);
    expect(processesIn(folder)).toEqual([]);
    expect(fs.existsSync(folder)).toBe(false);
  });

  test.each([
    ['ends by itself', { flags: ['--no-such-flag'] }, /ended by itself.*unknown flag: --no-such-flag/s],
    ['is not ready in time', { readySeconds: 0 }, /not ready after 0 s: .*etcd\.log.*kube-apiserver\.log/s],
  ])('that %s is an error with the last lines of its log, and leaves nothing', async (_what, options, message) => {
    const before = folders();
    await expect(startApiServer(options)).rejects.toThrow(message);
    expect(folders()).toEqual(before);
  });
});

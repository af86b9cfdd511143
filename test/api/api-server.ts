/** A real API server over a real etcd, on this machine only. No controllers run: what is stored is what was sent. */
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tools } from '../tools';

/** What must be there, as conditions of `describeWith`. */
export const API_SERVER_TOOLS = ['etcd', 'kube-apiserver', 'kubectl'] as const;

export interface ApiServer {
  /** Where all of it is, until it is stopped. */
  readonly folder: string;
  /**
   * Runs kubectl or a Helm as its administrator.
   *
   * @returns its standard output
   * @throws with its standard error if it fails
   */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  /** Leaves no process and no folder. */
  stop(): Promise<void>;
}

/**
 * Starts both and waits until they are ready.
 *
 * @throws with the last lines of the logs if they do not become ready
 */
export async function startApiServer({
  flags = [],
  readySeconds = 40,
}: {
  /** More flags of kube-apiserver. */
  readonly flags?: readonly string[];
  readonly readySeconds?: number;
} = {}): Promise<ApiServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-api-'));
  const [etcdPort = '', peerPort = '', port = ''] = (await freePorts(3)).map(String);
  const token = randomBytes(16).toString('hex');
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  fs.writeFileSync(path.join(folder, 'service-account.key'), privateKey);
  fs.writeFileSync(path.join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`);
  const kubeconfig = path.join(folder, 'kubeconfig');
  fs.writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': 'certificates/apiserver.crt' },
        },
      ],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }),
    // Helm warns of a file that others can read.
    { mode: 0o600 },
  );

  const script = path.join(__dirname, 'api-server.sh');
  const programs = [tools.command('etcd'), etcdPort, peerPort, tools.kubernetes('kube-apiserver'), port];
  // A process group of its own: Ctrl-C must not end the script before it has ended what it started.
  const keeper = spawn('sh', [script, folder, ...programs, ...flags], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ended = once(keeper, 'close');
  let errors = '';
  keeper.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));

  const server: ApiServer = {
    folder,
    // Programs keep what they learn of a server in the home folder, by its port.
    run: (program, args, input = '') => run(program, args, input, { HOME: folder, KUBECONFIG: kubeconfig }),
    stop: async () => {
      keeper.stdin.destroy();
      await ended;
    },
  };

  const limit = Date.now() + readySeconds * 1000;
  for (;;) {
    const failure = await server
      .run(tools.kubernetes('kubectl'), ['get', '--raw', '/readyz', '--request-timeout=5s'])
      .then(
        () => undefined,
        (error: unknown) => String(error),
      );
    if (failure === undefined) return server;
    if (keeper.exitCode !== null) {
      await ended;
      throw new Error(`The API server ended by itself.\n${errors}`);
    }
    if (Date.now() > limit) {
      await server.stop();
      throw new Error(`The API server is not ready after ${readySeconds} s: ${failure}\n${errors}`);
    }
    await sleep(200);
  }
}

function run(
  program: string,
  args: readonly string[],
  input: string,
  environment: Record<string, string>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { env: { ...process.env, ...environment }, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`\`${path.basename(program)} ${args[0] ?? ''}\` failed: ${stderr}`));
      },
    );
    // Whoever does not read its input may be gone before it is written.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Ports that nobody listens on; all are held until all are known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as AddressInfo;
      await once(server.close(), 'close');
      return port;
    }),
  );
}

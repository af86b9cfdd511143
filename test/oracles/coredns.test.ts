/** What the chart gives to CoreDNS, judged by CoreDNS: it starts with it, answers, and takes a change. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as dns from 'node:dns/promises';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { wireguard } from '../../charts/wireguard';
import { describeWith } from '../left-out';
import { tools } from '../tools';
import { wireguardConfig, scenariosOf } from './scenarios';

jest.setTimeout(60_000);

/** A port of the loopback that is free now. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class CoreDns {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-coredns-'));
  #process: ChildProcess | undefined;
  output = '';

  /** What the pod's resolver is, for tests: the real one would lead out of the machine. */
  write(corefile: string, resolver: string): void {
    fs.writeFileSync(path.join(this.folder, 'resolv.conf'), `nameserver ${resolver}\n`);
    const file = path.join(this.folder, 'Corefile');
    fs.writeFileSync(`${file}.new`, corefile.replaceAll('/etc/resolv.conf', resolver));
    fs.renameSync(`${file}.new`, file);
  }

  /** Whether it serves: it says so, or it ends. */
  async start(): Promise<boolean> {
    const child = spawn(tools.coredns(), ['-conf', path.join(this.folder, 'Corefile')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (this.output += data.toString()));
    await until(
      () => child.exitCode !== null || /^CoreDNS-/m.test(this.output),
      () => this.output,
    );
    return child.exitCode === null;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

async function until(is: () => boolean | Promise<boolean>, describe: () => string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(`not within 30 s\n${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(port: number, name: string): Promise<string[]> {
  const resolver = new dns.Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([`127.0.0.1:${String(port)}`]);
  try {
    return await resolver.resolve4(name);
  } catch (error) {
    return [(error as NodeJS.ErrnoException).code ?? 'failed'];
  }
}

const corefileOf = (dnsValues: object): string => {
  const { Corefile = '' } = wireguardConfig({ dns: { mode: 'coredns', ...dnsValues } });
  return Corefile;
};

describeWith(['coredns'], 'CoreDNS', () => {
  const running: CoreDns[] = [];
  const aServer = (corefile: string, resolver: string): CoreDns => {
    const server = new CoreDns();
    running.push(server);
    server.write(corefile, resolver);
    return server;
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
  });
  /** A server that knows one name. */
  async function upstream(name: string, address: string): Promise<number> {
    const port = await freePort();
    const answer = `{{ .Name }} 60 IN A ${address}`;
    const server = aServer(`.:${port} {\n template IN A ${name} {\n  answer "${answer}"\n }\n}\n`, '');
    expect(await server.start()).toBe(true);
    return port;
  }

  const scenarios = scenariosOf('wireguard').flatMap(({ name, values }) => {
    const { Corefile } = wireguardConfig(values);
    return Corefile === undefined ? [] : [{ name, Corefile }];
  });

  test('there are scenarios with it', () => {
    expect(scenarios.length).toBeGreaterThan(3);
  });

  test.each(scenarios)('takes what it gets: $name', async ({ Corefile }) => {
    const port = await freePort();
    const server = aServer(Corefile.replace(/^(\S+):\d+ \{$/gm, `$1:${port} {`), '127.0.0.1:1');
    expect([await server.start(), server.output]).toEqual([true, expect.stringContaining('CoreDNS-')]);
  });

  test.each([
    ['an unknown directive', 'cache 30', 'cash 30'],
    ['a server that is none', 'forward . 10.0.0.1', 'forward . 10.0.0.256'],
    ['a brace that is missing', /\}\n$/, '\n'],
  ])('refuses %s', async (_title, from, to) => {
    const port = await freePort();
    const good = corefileOf({ port, zones: { 'corp.example.com': { servers: ['10.0.0.1'] } } });
    expect(good).toMatch(from);
    expect(await aServer(good.replace(from, to), '127.0.0.1:1').start()).toBe(false);
  });

  test('asks the pod’s resolver for the names of the cluster, and others for their zones', async () => {
    const cluster = await upstream('svc.cluster.local', '10.96.0.10');
    const corp = await upstream('corp.example.com', '10.1.0.7');
    const port = await freePort();
    const zones = { 'corp.example.com': { servers: [`127.0.0.1:${corp}`] } };
    const server = aServer(corefileOf({ port, zones }), `127.0.0.1:${cluster}`);
    expect(await server.start()).toBe(true);
    expect(await ask(port, 'web.shop.svc.cluster.local')).toEqual(['10.96.0.10']);
    expect(await ask(port, 'wiki.corp.example.com')).toEqual(['10.1.0.7']);
    expect(await ask(port, 'elsewhere.example.org')).not.toContain('10.1.0.7');
  });

  test('takes a changed zone without a restart', async () => {
    const [first, second] = [
      await upstream('corp.example.com', '10.1.0.7'),
      await upstream('corp.example.com', '10.1.0.8'),
    ];
    const port = await freePort();
    const withServer = (of: number) =>
      corefileOf({ port, zones: { 'corp.example.com': { servers: [`127.0.0.1:${of}`] } } });
    const server = aServer(withServer(first), '127.0.0.1:1');
    expect(await server.start()).toBe(true);
    expect(await ask(port, 'a.corp.example.com')).toEqual(['10.1.0.7']);
    server.write(withServer(second), '127.0.0.1:1');
    await until(
      async () => (await ask(port, 'b.corp.example.com'))[0] === '10.1.0.8',
      () => server.output,
    );
  });

  test('the version that the chart pulls is the one that judges here', () => {
    const version = execFileSync(tools.coredns(), ['-version'], { encoding: 'utf8' });
    const images = JSON.stringify(wireguard.objects({ values: { dns: { mode: 'coredns' } } }));
    expect(images).toContain(`coredns/coredns:${/CoreDNS-(\S+)/.exec(version)?.[1] ?? '?'}"`);
  });
});

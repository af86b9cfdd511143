/** filter.sh with a real nft. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { describeWith } from '../left-out';
import { Trixie, TRIXIE_TOOLS, waitUntil, type Daemon } from '../strongswan/trixie';
import { tools } from '../tools';
import * as fs from 'node:fs';
import { LINK, NFTABLES } from './fabric';

const SCRIPT = path.join(__dirname, '../../lib/routes/filter.sh');

jest.setTimeout(60_000);

describeWith(['shellcheck'], 'shellcheck', () => {
  test('has nothing against filter.sh', () => {
    const { status, stdout } = spawnSync(tools.command('shellcheck'), ['-s', 'sh', SCRIPT], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describeWith(TRIXIE_TOOLS, 'filter.sh', () => {
  let node: Trixie;
  let filter: Daemon;
  beforeEach(async () => {
    node = await Trixie.start();
    node.write({
      '/scripts/filter.sh': fs.readFileSync(SCRIPT, 'utf8'),
      '/config/nftables.conf': NFTABLES,
      '/run/vpn/gateways': '',
    });
    const environment = { LINK, POLL_SECONDS: '0.1', ASSERT_SECONDS: '1', END_SECONDS: '2' };
    filter = node.daemon(['sh', '/scripts/filter.sh'], { environment });
  });
  afterEach(() => node.end());

  const nft = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await node.run(['nft', ...words]);
    return stdout + stderr;
  };
  const status = (): string =>
    fs.existsSync(node.path('/run/vpn/filter/status')) ? node.read('/run/vpn/filter/status') : '';
  const untilStatus = (wanted: string): Promise<void> => waitUntil(wanted, 10, () => status() === `${wanted}\n`);
  const untilTable = (what: string, is: (table: string) => boolean): Promise<void> =>
    waitUntil(what, 10, async () => is(await nft('list', 'table', 'inet', LINK)));
  const load = async (): Promise<void> => {
    node.write({ '/run/vpn/mtu': '1400\n' });
    await untilStatus('ok');
  };

  test('loads nothing before agent.py has the link, and then with its MTU', async () => {
    await untilStatus('the agent does not want it yet');
    expect(await nft('list', 'ruleset')).toBe('');
    await load();
    const table = await nft('list', 'table', 'inet', LINK);
    expect(table).toContain('tcp option maxseg size > 1360 tcp option maxseg size set 1360');
    expect(table).toContain('tcp option maxseg size > 1340 tcp option maxseg size set 1340');
    node.write({ '/run/vpn/mtu': '1300\n' });
    await untilTable('the other MTU', (text) => text.includes('size set 1260'));
  });

  test('has the addresses of the gateways, and follows them', async () => {
    node.write({ '/run/vpn/gateways': '10.244.9.1\n10.244.9.2\n' });
    await load();
    await untilTable('both', (text) => text.includes('elements = { 10.244.9.1, 10.244.9.2 }'));
    node.write({ '/run/vpn/gateways': '10.244.9.7\n' });
    await untilTable('another', (text) => text.includes('elements = { 10.244.9.7 }'));
  });

  test.each([
    ['the table', `delete table inet ${LINK}`],
    ['a rule', `flush chain inet ${LINK} source`],
    ['an address', `flush set inet ${LINK} gateways`],
  ])('%s that somebody else removes comes back', async (_what, command) => {
    node.write({ '/run/vpn/gateways': '10.244.9.1\n' });
    await load();
    const before = await nft('list', 'table', 'inet', LINK);
    await nft(command);
    await untilTable('it is back', (text) => text === before);
  });

  test('a table that nft refuses is said, and the one before stays', async () => {
    await load();
    const before = await nft('list', 'table', 'inet', LINK);
    node.write({ '/config/nftables.conf': NFTABLES.replace('type filter hook input', 'type nothing hook input') });
    await waitUntil('it is said', 10, () => status().startsWith('cannot load the packet filter: '));
    expect(await nft('list', 'table', 'inet', LINK)).toBe(before);
  });

  test('removes the tables that it is told, and no other', async () => {
    await load();
    await nft('add table inet others; add table inet ovl9');
    node.write({ '/run/vpn/clean': `${LINK}\novl9\novl10\n` });
    await waitUntil('it says so', 10, () => fs.existsSync(node.path('/run/vpn/cleaned')));
    expect(await nft('list', 'tables')).toBe('table inet others\n');
    filter.signal('SIGTERM');
    expect(await filter.ended()).toBe(0);
  });

  test('waits at its end for what agent.py says: all stays', async () => {
    await load();
    filter.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(filter.isRunning()).toBe(true);
    node.write({ '/run/vpn/kept': '' });
    expect(await filter.ended()).toBe(0);
    expect(await nft('list', 'tables')).toBe(`table inet ${LINK}\n`);
  });

  test('does not wait for ever', async () => {
    await load();
    filter.signal('SIGTERM');
    expect(await filter.ended()).toBe(0);
  });
});

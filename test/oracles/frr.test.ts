/** What FRR's own parser says of our configurations. */
import { describeWith } from '../left-out';
import { Trixie, TRIXIE_TOOLS } from '../strongswan/trixie';
import { configsOf, scenariosOf } from './scenarios';

jest.setTimeout(120_000);

describeWith(TRIXIE_TOOLS, 'vtysh takes the configuration of FRR', () => {
  let trixie: Trixie;
  beforeAll(async () => {
    trixie = await Trixie.start();
  });
  afterAll(async () => {
    await trixie.end();
  });

  async function judge(conf: string): Promise<string> {
    trixie.write({ '/tmp/frr.conf': conf });
    const { status, stdout, stderr } = await trixie.run(['vtysh', '-C', '-f', '/tmp/frr.conf']);
    return status === 0 ? '' : `${String(status)}: ${stdout}${stderr}`;
  }

  const scenarios = scenariosOf('ipsec');
  const confs = scenarios.flatMap((scenario) =>
    configsOf(scenario, 'frr.conf').map((files): [string, string] => [scenario.name, files['frr.conf'] ?? '']),
  );

  test('of gateways in more than one scenario', () => {
    expect(new Set(confs.map(([name]) => name)).size).toBeGreaterThan(4);
  });

  test.each(confs)('of %s', async (_name, conf) => {
    expect(await judge(conf)).toBe('');
  });

  const [, good = ''] = confs.find(([, conf]) => conf.includes('remote-as 64514')) ?? [];
  test.each([
    ['a word that does not exist', ' neighbor NODES passive', ' neighbor NODES pasive'],
    ['a number that no system has', 'remote-as 64514', 'remote-as 4294967296'],
    ['a prefix length that no address has', 'permit 198.18.0.0/16 le 32', 'permit 198.18.0.0/16 le 33'],
    ['an entry without a verdict', 'route-map TO-REMOTE permit 10', 'route-map TO-REMOTE 10'],
  ])('but refuses it with %s in one line', async (_what, line, bad) => {
    expect(good).toContain(line);
    expect(await judge(good.replace(line, bad))).not.toBe('');
  });
});

/** What a real charon says of our configurations. */
import { describeWith } from '../left-out';
import { CHARON_TOOLS, Validator } from '../strongswan/charons';
import { configsOf, scenariosOf } from './scenarios';

jest.setTimeout(120_000);

/** Certificates and keys are in other files, which charon wants to see as well. */
const withoutCertificates = (conf: string): string => conf.replace(/^ *(?:certs|cacerts) = .*\n/gm, '');

describeWith(CHARON_TOOLS, 'charon takes the connections', () => {
  let validator: Validator;
  beforeAll(async () => {
    validator = await Validator.start();
  });
  afterAll(async () => {
    await validator.end();
  });

  test.each(scenariosOf('ipsec'))('of $name, and lists those that the values name', async (scenario) => {
    const tunnels = (scenario.values['tunnels'] ?? {}) as Record<string, { gateway: string }>;
    const listed: string[] = [];
    for (const files of configsOf(scenario, 'swanctl.conf')) {
      const { complaints, connections } = await validator.validate(withoutCertificates(files['swanctl.conf'] ?? ''), {
        strongswanConf: (files['strongswan.conf'] ?? '').replace('/run/vpn/', '/run/'),
        files: { 'secrets.conf': '' },
      });
      expect(complaints).toEqual([]);
      listed.push(...Object.keys(connections));
    }
    expect(listed.sort()).toEqual(Object.keys(tunnels).sort());
  });

  const [first] = scenariosOf('ipsec');
  const good = first === undefined ? '' : (configsOf(first, 'swanctl.conf')[0]?.['swanctl.conf'] ?? '');
  test.each([
    ['an algorithm that does not exist', 'aes256-sha256-modp2048', 'aes256-sha257-modp2048'],
    ['an unknown key', 'unique = replace', 'uniqe = replace'],
    ['a brace too few', '    children {', '    children'],
    ['a network that is none', 'local_ts = 0.0.0.0/0', 'local_ts = 0.0.0/x'],
  ])('but refuses them with %s in one line', async (_what, line, bad) => {
    expect(good).toContain(line);
    expect(
      (await validator.validate(good.replace(line, bad), { files: { 'secrets.conf': '' } })).complaints,
    ).not.toEqual([]);
  });
});

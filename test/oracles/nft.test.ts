import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../left-out';
import { configsOf, scenariosOf, wireguardConfig } from './scenarios';

describeWith(['nft', 'root', 'netns'], 'nft takes the packet filter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-vpn-nft-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Loads the file twice in a network namespace of its own: a second load replaces the first. */
  function load(text: string): { status: number | null; stderr: string } {
    const file = join(folder, 'nftables.conf');
    writeFileSync(file, text);
    const nft = `nft -D mss4=1380 -D mss6=1360 -f ${file}`;
    return spawnSync(
      'unshare',
      ['--net', 'sh', '-ec', `${nft}; ${nft}; nft list ${/^table inet [a-z0-9]+/.exec(text)?.[0] ?? ''} >/dev/null`],
      {
        encoding: 'utf8',
      },
    );
  }

  test.each([...scenariosOf('wireguard'), ...scenariosOf('ipsec')])(
    'of $name, and a second time in its place',
    (scenario) => {
      for (const files of configsOf(scenario, 'nftables.conf'))
        expect(load(files['nftables.conf'] ?? '')).toMatchObject({ stderr: '', status: 0 });
    },
  );

  const [first] = scenariosOf('wireguard');
  const good = wireguardConfig(first?.values ?? {})['nftables.conf'] ?? '';
  test.each([
    ['an unknown verdict', '    drop', '    drip'],
    ['an address that is none', 'tcp dport 443 accept', 'tcp dport 443000 accept'],
    ['a chain that does not exist', 'goto peer-camera', 'goto peer-nobody'],
    ['a variable that nobody gives', 'size set $mss4', 'size set $mss5'],
  ])('but refuses it with %s in one line', (_what, line, bad) => {
    expect(good).toContain(line);
    expect(load(good.replace(line, bad)).status).not.toBe(0);
  });
});

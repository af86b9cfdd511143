/** install-cni.sh with the folders of a node. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describeWith } from '../left-out';
import { tools } from '../tools';

const SCRIPT = path.join(__dirname, '../../lib/kilo/install-cni.sh');

describeWith(['shellcheck'], 'shellcheck', () => {
  test('has nothing against install-cni.sh', () => {
    const { status, stdout } = spawnSync(tools.command('shellcheck'), ['-s', 'sh', SCRIPT], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describeWith(['busybox'], 'install-cni.sh', () => {
  let root: string;
  const at = (...names: string[]): string => path.join(root, ...names);
  const write = (file: string, text: string): void => fs.writeFileSync(at(file), text);
  const read = (file: string): string => fs.readFileSync(at(file), 'utf8');

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-cni-'));
    for (const folder of ['image', 'cni', 'state', 'programs', 'configurations']) fs.mkdirSync(at(folder));
    write('image/bridge', 'bridge of the image');
    write('image/host-local', 'host-local of the image');
    write('cni/10-kilo.conflist', '{"name": "kilo"}\n');
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  const run = (): { status: number | null; stderr: string } => {
    const { status, stderr } = spawnSync(tools.command('busybox'), ['sh', SCRIPT], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        PROGRAMS: at('image'),
        CONFIGURATION: at('cni/10-kilo.conflist'),
        STATE: at('state'),
        NODE_PROGRAMS: at('programs'),
        NODE_CONFIGURATIONS: at('configurations'),
      },
    });
    return { status, stderr };
  };
  const done = { status: 0, stderr: '' };

  test('installs the programs and the configuration, and leaves nothing half-written', () => {
    expect(run()).toEqual(done);
    expect(fs.readdirSync(at('programs')).sort()).toEqual(['bridge', 'host-local']);
    expect(read('programs/bridge')).toBe('bridge of the image');
    expect(fs.readdirSync(at('configurations'))).toEqual(['10-kilo.conflist']);
    expect(read('configurations/10-kilo.conflist')).toBe('{"name": "kilo"}\n');
  });

  test('renews a program, and keeps those of others', () => {
    write('programs/bridge', 'an old one');
    write('programs/calico', 'of another plugin');
    expect(run()).toEqual(done);
    expect([read('programs/bridge'), read('programs/calico')]).toEqual(['bridge of the image', 'of another plugin']);
  });

  test('leaves the pod network in the configuration when it runs again, and not when the configuration is another one', () => {
    expect(run()).toEqual(done);
    const written = '{"name":"kilo","ranges":"10.244.1.0/24"}';
    write('configurations/10-kilo.conflist', written);
    expect(run()).toEqual(done);
    expect(read('configurations/10-kilo.conflist')).toBe(written);
    write('cni/10-kilo.conflist', '{"name": "kilo", "mtu": 1380}\n');
    expect(run()).toEqual(done);
    expect(read('configurations/10-kilo.conflist')).toBe('{"name": "kilo", "mtu": 1380}\n');
  });

  test('writes a configuration that somebody removed', () => {
    expect(run()).toEqual(done);
    fs.rmSync(at('configurations/10-kilo.conflist'));
    expect(run()).toEqual(done);
    expect(read('configurations/10-kilo.conflist')).toBe('{"name": "kilo"}\n');
  });

  test.each(['10-flannel.conflist', '05-cilium.conf', '00 {{ x }}.json'])(
    'refuses where %s comes first, says so, and changes nothing',
    (other) => {
      write(`configurations/${other}`, '{}');
      expect(run()).toEqual({
        status: 1,
        stderr: `install-cni: ${other} comes before 10-kilo.conflist, so that Kilo would not be the network plugin; remove it from the node, or set cni.plugin to the one that it is of\n`,
      });
      expect(fs.readdirSync(at('programs'))).toEqual([]);
      expect(fs.readdirSync(at('configurations'))).toEqual([other]);
    },
  );

  test.each(['10-weave.conflist', '87-podman.conflist', '00-readme.txt', '05-cilium.conf.bak'])(
    'goes on where %s is, which comes later or is no configuration',
    (other) => {
      write(`configurations/${other}`, '{}');
      expect(run()).toEqual(done);
      expect(fs.readdirSync(at('configurations')).sort()).toEqual(['10-kilo.conflist', other].sort());
    },
  );
});

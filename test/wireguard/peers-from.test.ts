import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { helmChart } from '../../lib/helm/chart';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError, Resource } from '../../lib/staged';
import { PEERS_SCHEMA, peersFromSettings } from '../../lib/wireguard/peers-from';
import { wireguardValues } from '../../values/wireguard';
import { isMap, type Draft, type DraftMap } from '../laws/chart-random';
import { repairWireGuard, WIREGUARD_FAULTS } from '../laws/chart-wireguard-values';
import { mergedValues, valuesArbitrary } from '../laws/values-arbitrary';
import { describeWith } from '../left-out';
import { wireguardConfig } from '../oracles/scenarios';
import { tools } from '../tools';

const SCRIPT = path.join(__dirname, '../../lib/wireguard/peers-from.sh');
const PROGRAM = path.join(__dirname, '../../lib/wireguard/peers-from.jq');

const key = () => randomBytes(32).toString('base64');
const entry = (more: object = {}) => ({ publicKey: key(), addresses: ['10.13.13.9'], ...more });

interface Given {
  readonly values?: JsonObject;
  /** The files of each source; what is no text is written as JSON. */
  readonly sources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly kind?: 'Secret' | 'ConfigMap';
  /** What stands before the rest in PATH. */
  readonly bin?: string;
}

interface Schema {
  readonly type?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly propertyNames?: Schema;
}

interface Result {
  readonly status: number | null;
  readonly stderr: string;
  readonly wg: string;
  readonly nft: string;
  readonly routes: string;
  readonly refused: string[];
}

describeWith(['jq', 'busybox'], 'peers of other objects', () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-peers-from-'));
  afterAll(() => fs.rmSync(root, { recursive: true }));

  const busybox = path.join(root, 'busybox');
  fs.mkdirSync(busybox);
  for (const applet of ['awk', 'find', 'sh', 'stat'])
    fs.symlinkSync(tools.command('busybox'), path.join(busybox, applet));

  /** Runs the script on files that are mounted as the kubelet mounts them. */
  function run({ values = {}, sources, kind = 'Secret', bin = '' }: Given): Result {
    const pod = fs.mkdtempSync(path.join(root, 'pod-'));
    const at = (...names: string[]) => path.join(pod, ...names);
    fs.mkdirSync(at('out'));
    for (const [source, files] of Object.entries(sources)) {
      fs.mkdirSync(at('sources', source, '..2026'), { recursive: true });
      fs.symlinkSync('..2026', at('sources', source, '..data'));
      for (const [name, content] of Object.entries(files)) {
        const raw = typeof content === 'string' || Buffer.isBuffer(content);
        fs.writeFileSync(at('sources', source, '..2026', name), raw ? content : JSON.stringify(content));
        fs.symlinkSync(path.join('..data', name), at('sources', source, name));
      }
    }
    const { network = '10.13.13.0/24', network6 = null, mode = 'masquerade' } = values;
    const base = { network, network6, mode, interface: 'wg0' };
    const kinds = Object.fromEntries(Object.keys(sources).map((source) => [source, kind]));
    fs.writeFileSync(at('settings'), JSON.stringify({ ...base, sources: kinds, peers: PEERS_SCHEMA }));
    fs.writeFileSync(at('wg.conf'), wireguardConfig(values)['wg.conf'] ?? '');
    const { status, stderr } = spawnSync('sh', [SCRIPT, at('settings'), at('wg.conf'), at('sources'), at('out')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    const read = (name: string) => (fs.existsSync(at('out', name)) ? fs.readFileSync(at('out', name), 'utf8') : '');
    const result = { status, stderr, wg: read('wg'), nft: read('nft'), routes: read('routes') };
    const refused = read('refused').split('\n').slice(0, -1);
    fs.rmSync(pod, { recursive: true });
    return { ...result, refused };
  }

  const names = ({ wg }: Result) => Array.from(wg.matchAll(/^# name = (.*)$/gm), ([, name]) => name);

  test('go into the configuration as if they stood in the values', () => {
    const [publicKey, presharedKey] = [key(), key()];
    const bob = entry({ addresses: ['10.13.13.2', 'fd00::2'] });
    const alice = {
      publicKey,
      presharedKey: { value: presharedKey },
      addresses: ['10.13.13.3', 'FD00:0::3'],
      routedNetworks: ['192.168.10.0/24', 'fd01::/64'],
      endpoint: 'a.example.com:51820',
      persistentKeepaliveSeconds: 25,
      client: null,
      allow: {
        web: {
          peers: ['bob', 'carol'],
          ports: [
            { port: 80, endPort: 443 },
            { port: 53, protocol: 'UDP' },
          ],
        },
      },
    };
    const carol = entry({ addresses: ['10.13.13.4'], allow: {} });
    const result = run({
      values: { network6: 'fd00::/64', peers: { bob } },
      sources: { team: { alice, carol: `\ufeff${JSON.stringify(carol, null, 2).replaceAll('\n', '\r\n')}\n` } },
    });
    expect(result).toEqual({
      status: 0,
      stderr: '',
      refused: [],
      routes: '192.168.10.0/24\nfd01::/64\n',
      wg: `
# name = alice
[Peer]
PublicKey = ${publicKey}
PresharedKey = ${presharedKey}
AllowedIPs = 10.13.13.3, FD00:0::3
AllowedIPs = 192.168.10.0/24
AllowedIPs = fd01::/64
Endpoint = a.example.com:51820
PersistentKeepalive = 25

# name = carol
[Peer]
PublicKey = ${carol.publicKey}
AllowedIPs = 10.13.13.4
`,
      nft: `table inet vpn {
  map sources4 {
    type ipv4_addr : verdict
    flags interval
    elements = {
      10.13.13.3 : goto peer-alice,
      192.168.10.0/24 : goto peer-alice,
      10.13.13.4 : goto peer-carol,
    }
  }
  map sources6 {
    type ipv6_addr : verdict
    flags interval
    elements = {
      FD00:0::3 : goto peer-alice,
      fd01::/64 : goto peer-alice,
    }
  }
  chain peer-alice {
    # web
    ip daddr 10.13.13.2 tcp dport 80-443 accept
    ip daddr 10.13.13.2 udp dport 53 accept
    ip6 daddr fd00::2 tcp dport 80-443 accept
    ip6 daddr fd00::2 udp dport 53 accept
    ip daddr 10.13.13.4 tcp dport 80-443 accept
    ip daddr 10.13.13.4 udp dport 53 accept
    drop
  }
  chain peer-carol {
    drop
  }
  chain access {
    ip saddr vmap @sources4
    ip6 saddr vmap @sources6
  }
  set routed4 {
    type ipv4_addr
    flags interval
    elements = {
      192.168.10.0/24,
    }
  }
  set routed6 {
    type ipv6_addr
    flags interval
    elements = {
      fd01::/64,
    }
  }
  chain postrouting {
    ip saddr @routed4 oifname != "wg0" masquerade
    ip6 saddr @routed6 oifname != "wg0" masquerade
  }
}
`,
    });
  });

  test('are none where nothing is mounted', () => {
    expect(run({ sources: {} })).toEqual({ status: 0, stderr: '', wg: '', nft: '', routes: '', refused: [] });
  });

  test('fail as a whole if jq does', () => {
    expect(run({ sources: {}, values: { mode: undefined } as never }).status).toBe(0);
    const settings = path.join(root, 'no-settings');
    const { status } = spawnSync('sh', [SCRIPT, settings, settings, root, root], { encoding: 'utf8' });
    expect(status).not.toBe(0);
  });

  const good = () => JSON.stringify(entry({ addresses: ['10.13.13.200'] }));
  const JSON_REMEDY = 'write one entry of `peers` as JSON';
  describe.each([
    ['the machine', ''],
    ['busybox', busybox],
  ])('with the commands of %s', (_, bin) => {
    test.each<[string, string | Buffer, string]>([
      ['empty', '', `is empty; ${JSON_REMEDY}`],
      ['blank', ' \n\t\r\n', `is not one JSON value; ${JSON_REMEDY}`],
      ['no JSON', 'publicKey: abc', `is not one JSON value; ${JSON_REMEDY}`],
      ['cut off', good().slice(0, -1), `is not one JSON value; ${JSON_REMEDY}`],
      ['two values', `${good()}\n${good()}`, `is not one JSON value; ${JSON_REMEDY}`],
      ['a value and more', `${good()}}`, `is not one JSON value; ${JSON_REMEDY}`],
      ['a text', '"hunter2"', `must be a map, got a 7-character string; ${JSON_REMEDY}`],
      ['a number', '4711', `must be a map, got something of another type; ${JSON_REMEDY}`],
      ['null', 'null', `must be a map, got something of another type; ${JSON_REMEDY}`],
      ['a list', `[${good()}]`, `must be a map, got a list; ${JSON_REMEDY}`],
      ['deep', '['.repeat(30_000), `is not one JSON value; ${JSON_REMEDY}`],
      ['huge', good() + ' '.repeat(65_536), `is too long, got ${good().length + 65_536} bytes; use 65536 or less`],
      ['a byte 0 behind it', `${good()}\0`, ''],
      ['a byte 0 and a newline behind it', `${good()}\0\n`, ''],
      ['a newline and a byte 0 behind it', `${good()}\n\0`, ''],
      ['a byte 0 in it', good().replace('{', '{\0'), ''],
      ['a byte 0 in a key', good().replace('{', '{"client\0x":null,'), ''],
      ['U+001E in it', good().replace('{', '{\u001e'), ''],
      ['U+001E behind it', `${good()}\u001e`, ''],
      ['bytes', Buffer.from([...Buffer.from('{"a'), 0xff, 0xfe, 0x80, ...Buffer.from('":1}')]), ''],
      ['random bytes', randomBytes(5000), ''],
    ])('leave out a file with %s', (_what, content, message) => {
      const result = run({ sources: { team: { a: good().replace('.200', '.3'), b: content, c: entry() } }, bin });
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(names(result)).toEqual(['a', 'c']);
      expect(result.refused).toEqual([expect.stringMatching(/^team\tb\tb[.:][^\t\n]*; [^\t\n]*$/)]);
      if (message !== '') expect(result.refused[0]).toBe(`team\tb\tb: ${message}`);
    });

    test('take a file as large as one may be', () => {
      const text = good();
      const result = run({ sources: { team: { a: text + ' '.repeat(65_536 - text.length) } }, bin });
      expect([names(result), result.refused]).toEqual([['a'], []]);
    });

    test('leave out what has no name of a peer, but for the names of the kubelet', () => {
      const files = ['Alice', 'a.b', '.hidden', '-a', 'a_b', 'a'.repeat(64), 'a b', '$x'];
      const entries = files.map((name, i): [string, object] => [name, entry({ addresses: [`10.13.13.${i + 10}`] })]);
      const result = run({ sources: { team: { ...Object.fromEntries(entries), ok: entry(), '..x': '' } }, bin });
      expect(names(result)).toEqual(['ok']);
      expect(result.refused).toHaveLength(files.length);
      for (const line of result.refused) expect(line).toContain(': is not a name that can be used here, got ');
      expect(result.refused).toContainEqual(expect.stringMatching(/^team\tAlice\tAlice: .*, got "Alice"; /));
    });

    test('stand in the order of the bytes of the sources, then of the peers', () => {
      const team = (from: number) =>
        Object.fromEntries(
          ['b', 'a-b', 'a'].map((name, i) => [`${name}${from}`, entry({ addresses: [`10.13.13.${from + i}`] })]),
        );
      const result = run({ sources: { 'a-b': team(10), b: team(20), a: team(30) }, bin });
      expect(names(result)).toEqual(['a-b30', 'a30', 'b30', 'a-b10', 'a10', 'b10', 'a-b20', 'a20', 'b20']);
    });
  });

  test('yield to the values and to sources before them, good or bad', () => {
    const other = (n: number) => entry({ addresses: [`10.13.13.${n}`] });
    const result = run({
      values: { peers: { alice: other(2) } },
      sources: { a: { alice: other(3), bob: 'broken', carol: other(4) }, b: { bob: other(5), carol: other(6) } },
    });
    expect(names(result)).toEqual(['carol']);
    expect(result.wg).toContain('10.13.13.4');
    const remedy = 'give each peer a name of its own';
    expect(result.refused).toEqual([
      `a\talice\talice: is a peer of the values already; ${remedy}`,
      `a\tbob\tbob: is not one JSON value; ${JSON_REMEDY}`,
      `b\tbob\tbob: is a peer of the source a already; ${remedy}`,
      `b\tcarol\tcarol: is a peer of the source a already; ${remedy}`,
    ]);
  });

  test('may take what only a peer claims that is left out itself', () => {
    const [one, other] = [entry(), entry({ addresses: ['10.13.13.10'] })];
    const result = run({
      sources: { team: { a: one, b: { ...other, addresses: ['10.13.13.10', '10.13.13.9'] }, c: other } },
    });
    expect(names(result)).toEqual(['a', 'c']);
    expect(result.refused).toEqual([expect.stringContaining('b.addresses[1]: overlaps with a.addresses[0]; ')]);
  });

  test.each<[string, object, string]>([
    ['one address twice', { addresses: ['10.13.13.9', '10.13.13.9'] }, 'addresses[1]: overlaps with a.addresses[0]; '],
    [
      'a network in its own',
      { routedNetworks: ['10.8.0.0/16', '10.8.9.0/24'] },
      'routedNetworks[1]: overlaps with a.routedNetworks[0]; ',
    ],
    [
      'a network around its own',
      { routedNetworks: ['10.8.9.0/24', '10.8.0.0/16'] },
      'routedNetworks[1]: overlaps with a.routedNetworks[0]; ',
    ],
    [
      'a network of the values, written otherwise',
      { routedNetworks: ['FD01:0:0::/48'] },
      'routedNetworks[0]: overlaps with peers.bob.routedNetworks[0]; ',
    ],
    [
      'a network around one of the values',
      { routedNetworks: ['172.16.0.0/12'] },
      'routedNetworks[0]: overlaps with peers.bob.routedNetworks[1]; ',
    ],
    [
      'a network inside one of the values',
      { routedNetworks: ['fd01::1:0:0/96'] },
      'routedNetworks[0]: overlaps with peers.bob.routedNetworks[0]; ',
    ],
    [
      'an address of the values, written otherwise',
      { addresses: ['fd00:0:0::00Bb'] },
      'addresses[0]: overlaps with peers.bob.addresses[1]; ',
    ],
    [
      'the address of a generated peer',
      { addresses: ['10.13.13.3'] },
      'addresses[0]: overlaps with peers.carol.addresses[0]; ',
    ],
  ])('claim each thing once: %s', (_, more, message) => {
    const bob = { addresses: ['10.13.13.2', 'fd00::bb'], routedNetworks: ['fd01::/48', '172.16.9.0/24'] };
    const peers = { bob: entry(bob), carol: { generate: true, addresses: ['10.13.13.3'] } };
    const values = { network6: 'fd00::/64', peers };
    const result = run({ values, sources: { team: { a: entry(more), b: entry({ addresses: ['10.13.13.77'] }) } } });
    expect(names(result)).toEqual(['b']);
    expect(result.refused).toEqual([expect.stringContaining(`team\ta\ta.${message}`)]);
  });

  test('may name each other, and fall with those they name', () => {
    const naming = (n: number, ...peers: string[]) =>
      entry({ addresses: [`10.13.13.${n}`], allow: { rule: { peers } } });
    const result = run({
      values: { peers: { vera: entry({ addresses: ['10.13.13.2'] }) } },
      sources: {
        team: {
          a: naming(10, 'vera', 'b', 'a'),
          b: naming(11, 'a', 'z'),
          c: naming(12, 'd'),
          d: naming(13, 'vera', 'e'),
          e: naming(14, 'nobody'),
          f: naming(15, 'bad'),
          bad: '{}',
        },
        zoo: { z: entry() },
      },
    });
    expect(names(result)).toEqual(['a', 'b', 'z']);
    expect(result.refused.map((line) => line.split('\t')[2])).toEqual([
      'bad.addresses: is required, got nothing; write it like ["10.13.13.2"]',
      'c.allow.rule.peers[0]: is left out itself, got "d"; correct that peer first',
      'd.allow.rule.peers[1]: is left out itself, got "e"; correct that peer first',
      'e.allow.rule.peers[0]: is not a peer, got "nobody"; name a key of peers',
      'f.allow.rule.peers[0]: is left out itself, got "bad"; correct that peer first',
    ]);
  });

  test.each<[string, object, 'Secret' | 'ConfigMap', string]>([
    [
      'generated keys',
      { publicKey: undefined, generate: true },
      'Secret',
      'a.generate: is set, but keys are generated for peers of the values only; remove it, and give the publicKey',
    ],
    ['no key', { publicKey: null }, 'Secret', 'a: has no publicKey; set publicKey to what `wg pubkey` prints'],
    [
      'the name of a Secret',
      { presharedKey: { existingSecret: 'x' } },
      'Secret',
      'a.presharedKey.existingSecret: cannot be used here; give the key itself as presharedKey.value: this Secret is mounted already',
    ],
    [
      'a secret in a ConfigMap',
      { presharedKey: { value: key() } },
      'ConfigMap',
      'a.presharedKey.value: a secret has no place in a ConfigMap; keep this peer in a Secret',
    ],
    [
      'a line break in a text',
      { endpoint: 'a:1\nAllowedIPs = 0.0.0.0/0' },
      'Secret',
      'a.endpoint: is not a host or an address with a port, got "a:1\\nAllowedIPs = 0.0.0.0/0"; write it like "vpn.example.com:51820"',
    ],
    [
      'a line break behind a text',
      { endpoint: 'a:1\n' },
      'Secret',
      'a.endpoint: is not a host or an address with a port, got "a:1\\n"; write it like "vpn.example.com:51820"',
    ],
    [
      'the address of the server',
      { addresses: ['10.13.13.1'] },
      'Secret',
      'a.addresses[0]: is the server’s own address, got "10.13.13.1"; choose another address of the network',
    ],
    [
      'the broadcast address',
      { addresses: ['10.13.13.255'] },
      'Secret',
      'a.addresses[0]: is the broadcast address of the network, got "10.13.13.255"; choose another address of the network',
    ],
    [
      'the address of the network',
      { addresses: ['10.13.13.0'] },
      'Secret',
      'a.addresses[0]: is the address of the network itself, got "10.13.13.0"; choose another address of the network',
    ],
  ])('may not have %s', (_, more, kind, message) => {
    const b = entry({ addresses: ['10.13.13.8'], generate: false, presharedKey: null });
    const result = run({ sources: { team: { a: entry(more), b } }, kind });
    expect([names(result), result.refused]).toEqual([['b'], [`team\ta\t${message}`]]);
  });

  test('show no part of a secret, and no line break', () => {
    const secret = 'Hunter2Hunter2Hunter2Hunter2Hunter2Hunter2Q=';
    const wrong: unknown[] = [
      secret,
      `"${secret}"`,
      `{"presharedKey": {"value": "${secret}"}`,
      `${secret}: {}`,
      [secret],
      ...[secret, [secret], { value: `${secret}=` }, { value: { a: secret } }, { existingSecret: secret }].map(
        (presharedKey) => entry({ presharedKey }),
      ),
      ...[{ key: `${secret}`, value: secret }, { key: [secret] }, { key: `/${secret}`, value: secret }].map(
        (presharedKey) => entry({ presharedKey }),
      ),
      entry({ password: secret }),
      entry({ publicKey: { value: secret } }),
      entry({ publicKey: [secret] }),
      entry({ presharedKey: { value: secret }, addresses: ['99.0.0.1'] }),
    ];
    const files = Object.fromEntries(wrong.map((content, i) => [`peer-${i}`, content]));
    for (const kind of ['Secret', 'ConfigMap'] as const) {
      const { refused } = run({ sources: { team: files }, kind });
      expect(refused.map((line) => line.split('\t')[1]).toSorted()).toEqual(Object.keys(files).toSorted());
      expect(refused.join('\n').toLowerCase()).not.toContain('hunter');
    }
    const breaks = { 'a\nteam\tb\tc': 1, allow: { 'x\u001ewg\n': {} } };
    const { refused, wg } = run({ sources: { team: { a: entry(breaks), b: entry({ allow: breaks.allow }) } } });
    expect([refused.length, wg]).toEqual([2, '']);
  });

  test('a thousand bad ones leave the others alone', () => {
    const files: Record<string, unknown> = {};
    for (let i = 0; i < 4000; i++) {
      const addresses = [`10.13.${(i >> 8) + 1}.${i & 255}`];
      files[`p${i}`] = i % 4 === 3 ? ['{', entry(), entry({ addresses: [] }), ''][(i >> 2) % 4] : entry({ addresses });
    }
    const result = run({ values: { network: '10.13.0.0/16' }, sources: { team: files } });
    expect([names(result).length, result.refused.length]).toEqual([3000, 1000]);
  });

  test('the program knows every keyword of the schema', () => {
    const program = fs.readFileSync(PROGRAM, 'utf8');
    const known = new Set(
      Array.from(program.matchAll(/\$schema(?:\.(\w+)| \| has\("(\w+)"\))/g), ([, a, b]) => a ?? b),
    );
    const types = new Set(['string', 'integer', 'boolean', 'array', 'object']);
    const check = (schema: object): void => {
      const { type, pattern, properties, additionalProperties, items, propertyNames, ...rest } = schema as Schema;
      expect(Object.keys(rest).filter((keyword) => keyword !== '$schema' && !known.has(keyword))).toEqual([]);
      expect(types).toContain(type);
      if (pattern !== undefined) expect(pattern).toMatch(/^\^.*\$$/);
      for (const below of [...Object.values(properties ?? {}), items, propertyNames])
        if (below !== undefined) check(below);
      // A map has keys of its own or any name; the program asks no other.
      expect(typeof additionalProperties === 'object').toBe(propertyNames !== undefined);
      if (typeof additionalProperties === 'object') check(additionalProperties);
      else expect(additionalProperties).toBe(type === 'object' ? false : undefined);
    };
    check(PEERS_SCHEMA);
  });

  test('the chart writes the settings', () => {
    const chart = helmChart({
      name: 'settings',
      version: '1.0.0',
      values: wireguardValues,
      build: (scope, v) =>
        new Resource(scope, 'ConfigMap', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'settings' },
          data: { settings: peersFromSettings(v) },
        }),
    });
    const settings = (values: JsonObject): unknown =>
      JSON.parse((chart.objects({ values })[0]?.['data'] as { settings: string }).settings);
    const base = { network: '10.13.13.0/24', mode: 'masquerade', interface: 'wg0', peers: PEERS_SCHEMA };
    expect(settings({})).toEqual({ ...base, network6: null, sources: { '': null } });
    const peersFrom = { a: { existingSecret: 'x' }, b: { existingConfigMap: 'x' } };
    expect(settings({ network6: 'fd00::/64', mode: 'routed', interfaceName: 'vpn', peersFrom })).toEqual({
      ...base,
      network6: 'fd00::/64',
      mode: 'routed',
      interface: 'vpn',
      sources: { a: 'Secret', b: 'ConfigMap', '': null },
    });
  });

  /* The law. */

  /** What the chart says of values: its files, or what is wrong. */
  function judged(values: DraftMap): Readonly<Record<string, string>> | readonly string[] {
    try {
      return wireguardConfig(values);
    } catch (error) {
      if (error instanceof InputError) return error.problems;
      throw error;
    }
  }

  const isConfig = (of: ReturnType<typeof judged>): of is Readonly<Record<string, string>> => !Array.isArray(of);

  /** What of an entry a source says otherwise than the values. */
  function withoutSpecialties(peer: Draft): Draft {
    if (!isMap(peer)) return peer;
    const { generate, ...rest } = peer;
    const kept = generate === true ? rest : peer;
    const { presharedKey } = kept;
    return isMap(presharedKey) &&
      typeof presharedKey['existingSecret'] === 'string' &&
      (presharedKey['value'] ?? null) === null
      ? { ...kept, presharedKey: { value: key() } }
      : kept;
  }

  const lines = (text: string) => text.split('\n').map((line) => line.trim());
  /** The files of the server as sets of what their order does not matter for. */
  const parts = (wg: string, nft: string, routes: string) => ({
    blocks: wg
      .split(/\n\n/)
      .map((block) => block.replaceAll(/^(?:# preshared-key|PresharedKey) = .*\n/gm, '').trim())
      .toSorted(),
    chains: Array.from(nft.matchAll(/^ {2}chain (peer-[^}]*)\}/gm), ([, chain]) => chain).toSorted(),
    verdicts: lines(nft)
      .filter((line) => / : goto /.test(line))
      .toSorted(),
    clients: lines(nft)
      .filter((line) => /^[0-9A-Fa-f.:/]+,$/.test(line))
      .toSorted(),
    routes: lines(routes)
      .filter((line) => line !== '')
      .toSorted(),
  });

  const law = valuesArbitrary(wireguardValues.pick({ network: true, network6: true, mode: true, peers: true }), {
    repair: repairWireGuard,
    faults: WIREGUARD_FAULTS,
    faultyPercent: 60,
  });

  test('the law: a source and the values refuse the same, and mean the same', () => {
    const seen = { accepted: 0, refused: 0, worded: 0 };
    fc.assert(
      fc.property(law, fc.constantFrom('all', 'first', 'last'), (generated, which) => {
        const { network, network6, mode, peers } = mergedValues(generated) as DraftMap;
        fc.pre(peers !== undefined && isMap(peers) && Object.keys(peers).length > 0);
        const moving = Object.keys(peers).filter(
          (_, i, { length }) => which === 'all' || i === (which === 'first' ? 0 : length - 1),
        );
        fc.pre(moving.every((name) => /^[-._a-zA-Z0-9]{1,253}$/.test(name) && !name.startsWith('..')));
        const all = Object.fromEntries(
          Object.entries(peers).map(([name, peer]) => [name, moving.includes(name) ? withoutSpecialties(peer) : peer]),
        );
        // Helm takes the entry of a map away that is null.
        fc.pre(moving.every((name) => (all[name] ?? null) !== null));
        const settings = Object.fromEntries(
          Object.entries({ network, network6, mode }).filter(([, value]) => (value ?? null) !== null),
        ) as DraftMap;
        const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !moving.includes(name)));
        const before = judged({ ...settings, peers: kept });
        fc.pre(isConfig(before));
        const after = judged({ ...settings, peers: all });
        const values = { ...settings, peers: kept } as JsonObject;
        const team = Object.fromEntries(moving.map((name) => [name, JSON.stringify(all[name])]));
        const result = run({ values, sources: { team } });
        expect(result).toMatchObject({ status: 0, stderr: '' });
        if (!isConfig(after)) {
          seen.refused++;
          expect({ after, refused: result.refused.length }).not.toMatchObject({ refused: 0 });
          if (moving.length > 1) return;
          const [problem = ''] = /^.*?(?=[;,] |$)/.exec(result.refused[0]?.split('\t')[2] ?? '') ?? [];
          if (/: (overlaps with|is the same key|has no |must be a map)|cannot be used here|…/.test(problem)) return;
          seen.worded++;
          // The pod prints a control character as a question mark.
          const shown = after.map((sentence) => sentence.replace(/\p{Cc}/gu, '?'));
          expect(shown.map((sentence) => sentence.slice(0, `peers.${problem}`.length))).toContain(`peers.${problem}`);
          return;
        }
        seen.accepted++;
        expect(result.refused).toEqual([]);
        const together = parts(
          (before['wg.conf'] ?? '') + result.wg,
          (before['nftables.conf'] ?? '') + result.nft,
          (before['routes'] ?? '') + result.routes,
        );
        expect(together).toEqual(parts(after['wg.conf'] ?? '', after['nftables.conf'] ?? '', after['routes'] ?? ''));
      }),
      { numRuns: 50 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });

  describeWith(['nft', 'root', 'netns'], 'nft takes their rules', () => {
    /** Loads the file twice, as a change of it would be loaded. */
    function load(text: string): string {
      const file = path.join(root, 'nftables.conf');
      fs.writeFileSync(file, text);
      const nft = `nft -D mss4=1380 -D mss6=1360 -f ${file}`;
      const result = spawnSync('unshare', ['--net', 'sh', '-ec', `${nft}; ${nft}; nft list table inet vpn`], {
        encoding: 'utf8',
      });
      expect(result).toMatchObject({ stderr: '', status: 0 });
      return result.stdout;
    }

    test.each(['masquerade', 'routed'])('in mode %s, and means the same by them', (mode) => {
      const some = (n: number) =>
        entry({
          addresses: [`10.13.13.${n}`, `fd00::${n}`],
          routedNetworks: [`192.168.${n}.0/24`, `fd01:0:0:${n}::/64`],
          allow: {
            a: { networks: ['10.0.0.0/8', 'fd00::/8'], ports: [{ port: 1, endPort: 2 }] },
            b: { peers: ['one', 'two'] },
          },
        });
      const [one, two, three] = [{ ...some(2), allow: null }, some(3), some(4)];
      const values = { network6: 'fd00::/64', mode };
      const base = wireguardConfig({ ...values, peers: { one } })['nftables.conf'] ?? '';
      const { nft } = run({ values: { ...values, peers: { one } }, sources: { team: { two, three } } });
      const whole = wireguardConfig({ ...values, peers: { one, two, three } })['nftables.conf'] ?? '';
      // The same elements, wherever they are, and the same chains of peers.
      const elements = (text: string) => text.match(/[0-9a-f.:/]+ : goto peer-\w+/g)?.toSorted();
      const chains = (text: string) => text.match(/^\tchain peer-[^}]*}/gm)?.toSorted();
      const [ours, theirs] = [load(base + nft), load(whole)];
      expect([elements(ours), chains(ours)]).toEqual([elements(theirs), chains(theirs)]);
      expect(ours.match(/saddr (?:vmap )?@\w+/g)).toEqual(
        ['vmap @restricted', 'vmap @sources', ...(mode === 'masquerade' ? ['@clients', '@routed'] : [])].flatMap(
          (set) => [`saddr ${set}4`, `saddr ${set}6`],
        ),
      );
      expect(load(base + nft)).toContain('goto peer-two');
    });
  });
});

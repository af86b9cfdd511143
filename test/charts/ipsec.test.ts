import { CHARTS } from '../../charts';
import { InputError, type KubernetesObject } from '../../lib/staged';
import type { IpsecGateways } from '../../lib/strongswan/gateways';
import { PRESETS, PRESET_NAMES, STRONG_KEY } from '../../lib/strongswan/presets';
import type { JsonObject } from '../../lib/helm/values-file';
import type { Expr } from '../../lib/staged';

const { ipsec } = CHARTS;
const KEY = 'Zb5uSoMHs3Y9l2RSnnq1v0ydCq0bkA';

const onprem = {
  gateway: 'a',
  remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
  presharedKey: { existingSecret: 'onprem-psk' },
};
const site = (tunnels: JsonObject, more: JsonObject = {}, gateway: JsonObject = {}): JsonObject => ({
  cluster: { podCidrs: ['10.244.0.0/16'] },
  gateways: { a: { identity: '203.0.113.10', ...gateway } },
  tunnels,
  ...more,
});
const tunnel = (more: JsonObject): JsonObject => site({ onprem: { ...onprem, ...more } });

const objects = (values: JsonObject): KubernetesObject[] => ipsec.objects({ values });
const found = (values: JsonObject, kind: string, name: string): KubernetesObject => {
  const object = objects(values).find((one) => one.kind === kind && one.metadata.name === name);
  if (object === undefined) throw new Error(`no ${kind} ${name}`);
  return object;
};
const textOf = (values: JsonObject, of: (gateways: IpsecGateways) => Expr<string>): string =>
  ipsec.text(of, { values });
const swanctl = (values: JsonObject, gateway = 'a'): string =>
  textOf(values, (gateways) => gateways.gateway(gateway).swanctlConf);
const problems = (values: JsonObject): readonly string[] => {
  try {
    objects(values);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
};
/** The value of a key of swanctl.conf, wherever it stands. */
const setting = (text: string, key: string): string | undefined => new RegExp(`^ *${key} = (.*)$`, 'm').exec(text)?.[1];

describe('a gateway', () => {
  test('is a Deployment of one pod with a name below a headless Service, and a Service with both ports', () => {
    const values = tunnel({});
    expect(objects(values).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'ServiceAccount vpn-ipsec',
      'ConfigMap vpn-ipsec-scripts',
      'ConfigMap vpn-ipsec-a',
      'Deployment vpn-ipsec-a',
      'Service vpn-ipsec-a',
      'Service vpn-ipsec-gateways',
      'PodDisruptionBudget vpn-ipsec',
    ]);
    expect(found(values, 'Deployment', 'vpn-ipsec-a')['spec']).toMatchObject({
      replicas: 1,
      strategy: { type: 'Recreate' },
      template: {
        spec: {
          hostname: 'a',
          subdomain: 'vpn-ipsec-gateways',
          automountServiceAccountToken: false,
          tolerations: [
            { key: 'node.kubernetes.io/not-ready', tolerationSeconds: 30 },
            { key: 'node.kubernetes.io/unreachable', tolerationSeconds: 30 },
          ],
        },
      },
    });
    expect(found(values, 'Service', 'vpn-ipsec-a')['spec']).toMatchObject({
      publishNotReadyAddresses: true,
      ports: [
        { name: 'ike', port: 500, protocol: 'UDP' },
        { name: 'nat-t', port: 4500, protocol: 'UDP' },
      ],
    });
    expect(found(values, 'Service', 'vpn-ipsec-gateways')['spec']).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
    expect(found(values, 'PodDisruptionBudget', 'vpn-ipsec')['spec']).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  test('has its own tunnels and their secrets only', () => {
    const values = {
      cluster: { podCidrs: ['10.244.0.0/16'] },
      gateways: { a: { identity: 'a.example.com' }, b: { identity: 'b.example.com' } },
      tunnels: {
        one: { ...onprem, presharedKey: { value: KEY } },
        two: { ...onprem, gateway: 'b', presharedKey: { existingSecret: 'two' } },
      },
    };
    expect(swanctl(values)).toMatch(/^ {2}one \{$/m);
    expect(swanctl(values)).not.toMatch(/^ {2}two \{$/m);
    expect(swanctl(values, 'b')).not.toMatch(/^ {2}one \{$/m);
    const secrets = objects(values).filter(({ kind }) => kind === 'Secret');
    expect(secrets.map(({ metadata, stringData }) => [metadata.name, stringData])).toEqual([
      ['vpn-ipsec-a-keys', { 'psk.one': KEY }],
    ]);
    expect(JSON.stringify(objects(values).filter(({ kind }) => kind !== 'Secret'))).not.toContain(KEY);
    expect(JSON.stringify(found(values, 'Deployment', 'vpn-ipsec-b'))).not.toContain('psk-one');
  });

  test.each([
    [{}, undefined, 'process'],
    [{ exposure: 'nodePort' }, undefined, 'process'],
    [{ exposure: 'hostPort' }, undefined, 'tunnel'],
    [{}, 'tunnel', 'tunnel'],
    [{ exposure: 'hostPort' }, 'process', 'process'],
  ])('%j is ready, with readiness %j, by its %s', (gateway, readiness, by) => {
    const values = site({ onprem }, { ...(readiness !== undefined && { readiness }) }, gateway);
    expect(JSON.stringify(found(values, 'Deployment', 'vpn-ipsec-a'))).toContain(
      JSON.stringify({ name: 'READINESS', value: by }),
    );
  });

  test.each([
    ['loadBalancer', 'LoadBalancer', undefined, 'Local'],
    ['nodePort', 'NodePort', undefined, 'Local'],
    ['hostPort', 'ClusterIP', 500, undefined],
  ])('with the exposure %s has a Service of type %s', (exposure, type, hostPort, externalTrafficPolicy) => {
    const values = site({ onprem }, {}, { exposure });
    const spec = found(values, 'Service', 'vpn-ipsec-a')['spec'] as JsonObject;
    expect([spec['type'], spec['externalTrafficPolicy']]).toEqual([type, externalTrafficPolicy]);
    const deployment = JSON.stringify(found(values, 'Deployment', 'vpn-ipsec-a'));
    expect(deployment.includes('"hostPort":500')).toBe(hostPort !== undefined);
    expect(deployment).not.toContain('hostNetwork');
  });
});

describe('who begins', () => {
  const begins = (values: JsonObject): boolean => setting(swanctl(values), 'close_action') === 'start';
  test.each([
    [true, { exposure: 'hostPort' }, {}],
    [false, { exposure: 'loadBalancer' }, {}],
    [false, { exposure: 'nodePort' }, {}],
    [true, { exposure: 'loadBalancer', sendsFromExposedAddress: true }, {}],
    [true, { exposure: 'loadBalancer' }, { initiate: 'always' }],
    [false, { exposure: 'hostPort' }, { initiate: 'never' }],
    [false, { exposure: 'hostPort' }, { remote: { identity: 'office', networks: ['10.1.0.0/16'] } }],
  ])('the gateway: %s, for %j and %j', (expected, gateway, more) => {
    const values = site({ onprem: { ...onprem, ...more } }, {}, gateway);
    expect(begins(values)).toBe(expected);
    expect(textOf(values, (gateways) => gateways.gateway('a').controlConf)).toContain(
      `"initiates": ${String(expected)},`,
    );
    // The other end does what this one does not.
    const other = textOf(values, (gateways) => gateways.counterpart('onprem', 'strongswan')['onprem.conf']!);
    expect(setting(other, 'start_action')).toBe('trap|start');
  });

  test('nobody is refused, and so is a cloud that would get packets from another address', () => {
    expect(problems(tunnel({ preset: 'aws' }))).toEqual([expect.stringContaining('is begun by nobody')]);
    expect(problems(tunnel({ preset: 'azure', initiate: 'always' }))).toEqual([
      expect.stringContaining('from another address than that by which it is reached, which azure refuses'),
    ]);
  });
});

describe('a tunnel', () => {
  test('of mode route has an interface whose id follows from its name, and stays when others come', () => {
    const one = swanctl(tunnel({}));
    const both = swanctl(
      site({ first: { ...onprem, remote: { address: '198.51.100.8', networks: ['10.2.0.0/16'] } }, onprem }),
    );
    const id = setting(one, 'if_id_in');
    expect(id).toMatch(/^[1-9][0-9]{0,5}$/);
    expect(both).toContain(`if_id_in = ${id ?? ''}\n`);
    expect(textOf(tunnel({}), (gateways) => gateways.gateway('a').networkConf)).toContain(
      `interface ipsec${id ?? ''} ${id ?? ''}\nroute 10.1.0.0/16`,
    );
    expect(setting(swanctl(tunnel({ interfaceId: 42 })), 'if_id_out')).toBe('42');
  });

  test('of mode policy has none, and selectors of its networks', () => {
    const text = swanctl(tunnel({ mode: 'policy' }));
    expect(setting(text, 'if_id_in')).toBeUndefined();
    expect([setting(text, 'local_ts'), setting(text, 'remote_ts')]).toEqual(['10.244.0.0/16', '10.1.0.0/16']);
    expect(textOf(tunnel({ mode: 'policy' }), (gateways) => gateways.gateway('a').networkConf)).not.toContain(
      'interface',
    );
  });

  test('is told by identity alone where the Service hides the remote end’s address', () => {
    expect(setting(swanctl(tunnel({})), 'remote_addrs')).toBe('198.51.100.7');
    const hidden = site({ onprem }, {}, { service: { externalTrafficPolicy: 'Cluster' } });
    expect(setting(swanctl(hidden), 'remote_addrs')).toBe('198.51.100.7,%any');
  });

  const issued = (identity: string): JsonObject =>
    site(
      { onprem: { gateway: 'a', remote: onprem.remote, certificate: { issuer: { name: 'ca' } } } },
      {},
      { identity },
    );

  test.each<[string, JsonObject]>([
    ['203.0.113.10', { ipAddresses: ['203.0.113.10'] }],
    ['2001:db8::1', { ipAddresses: ['2001:db8::1'] }],
    ['vpn.example.com', { dnsNames: ['vpn.example.com'] }],
    ['fqdn:vpn.example.com', { dnsNames: ['vpn.example.com'] }],
    ['@vpn.example.com', { dnsNames: ['vpn.example.com'] }],
    ['vpn@example.com', { emailAddresses: ['vpn@example.com'] }],
    ['email:vpn@example.com', { emailAddresses: ['vpn@example.com'] }],
    ['CN=vpn', { literalSubject: 'CN=vpn' }],
    // cert-manager begins with the last part, as RFC 4514 does.
    ['C=CH, O=Example, CN=vpn', { literalSubject: 'CN=vpn,O=Example,C=CH' }],
    ['C=CH,O=An Example/#1 [a],OU=b,OU=b,CN=vpn', { literalSubject: 'CN=vpn,OU=b,OU=b,O=An Example/#1 [a],C=CH' }],
  ])('with a certificate asks cert-manager for one in which its identity %s stands', (identity, names) => {
    expect(objects(issued(identity)).find(({ kind }) => kind === 'Certificate')?.['spec']).toEqual({
      secretName: 'vpn-ipsec-onprem-tls',
      issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
      ...names,
      privateKey: expect.anything() as unknown,
      usages: expect.anything() as unknown,
    });
  });

  test.each([
    'keyid:office',
    '@#0a0b',
    '@@vpn@example.com',
    'fqdn:203.0.113.10',
    'vpn_1',
    'C=CH, O=Example; Ltd, CN=vpn',
    'C=CH, O=Example, Ltd, CN=vpn',
    'CN=a+O=b',
    'CN=#04',
    'CN=a=#04',
    'CN= vpn',
    'cn=vpn',
    'DC=example, CN=vpn',
  ])('with the identity %s, which cert-manager puts into no certificate, needs a Secret', (identity) => {
    expect(problems(issued(identity))).toEqual([
      `tunnels.onprem.certificate.issuer: cannot put our identity into a certificate, got ${JSON.stringify(identity)}; ` +
        'use existingSecret, or an address, a name, an e-mail address, or C, O and so on without special characters',
    ]);
    const mounted = { gateway: 'a', remote: onprem.remote, certificate: { existingSecret: 'tls' } };
    expect(problems(site({ onprem: mounted }, {}, { identity }))).toEqual([]);
  });

  test('with a certificate tells the pod which identity stands in it', () => {
    expect(textOf(issued('C=CH, CN=vpn'), (gateways) => gateways.gateway('a').controlConf)).toContain(
      '"folder": "/certificates/onprem",\n        "identity": "C=CH, CN=vpn"\n',
    );
  });
});

describe('presets', () => {
  const of = (preset: string, presharedKey: JsonObject = { existingSecret: 'psk' }): JsonObject =>
    site({
      cloud: {
        ...onprem,
        preset,
        presharedKey,
        remote: { address: '198.51.100.20', networks: ['10.1.0.0/16'], initiates: true },
      },
    });

  test.each(PRESET_NAMES)('%s brings its proposals, lifetimes and timers', (name) => {
    const text = swanctl(of(name));
    const preset = PRESETS[name];
    expect([...text.matchAll(/^ *rekey_time = (.*)$/gm)].map(([, time]) => time)).toEqual([
      `${String(preset.ikeRekeySeconds)}s`,
      `${String(preset.espRekeySeconds)}s`,
    ]);
    expect(setting(text, 'proposals')).toBe(preset.ikeProposals);
    expect(setting(text, 'esp_proposals')).toBe(preset.espProposals);
    expect(setting(text, 'dpd_delay')).toBe(`${String(preset.dpdDelaySeconds)}s`);
    expect(setting(text, 'replay_window')).toBe(String(preset.replayWindow));
    expect(setting(text, 'copy_df')).toBe(preset.copyDf ? 'yes' : 'no');
    expect([setting(text, 'encap'), setting(text, 'fragmentation'), setting(text, 'version')]).toEqual([
      'yes',
      'yes',
      '2',
    ]);
  });

  /** What the vendors say of their lifetimes, in seconds: ours must end before, so that we rekey. */
  test.each([
    ['aws', 28_800, 3600],
    ['gcp', 36_000, 10_800],
    ['azure', 28_800, 27_000],
  ] as const)('%s is rekeyed before the remote end ends it, 10 percent late as well', (name, ike, esp) => {
    expect(PRESETS[name].ikeRekeySeconds * 1.1).toBeLessThan(ike);
    expect(PRESETS[name].espRekeySeconds * 1.1).toBeLessThan(esp);
  });

  test.each([
    ['aws', 'a'.repeat(64), true],
    ['aws', 'a'.repeat(65), false],
    ['aws', `0${'a'.repeat(30)}`, false],
    ['aws', `${'a'.repeat(30)}-`, false],
    ['azure', '!'.repeat(128), true],
    ['azure', '!'.repeat(129), false],
    ['gcp', `${'a'.repeat(20)} b`, false],
    ['strongswan', '0x0123456789abcdef0123', true],
    ['strongswan', `${'a'.repeat(20)}\n`, false],
    ['strongswan', 'é'.repeat(20), false],
  ] as const)('%s judges the key %j: %s', (preset, value, good) => {
    expect(PRESETS[preset].keyRule.pattern.test(value)).toBe(good);
    const values = of(preset, { value });
    const said = problems(values);
    expect(said.length === 0).toBe(good);
    expect(JSON.stringify(said)).not.toContain(value);
  });

  test.each([
    [{ ike: { proposals: ['aes256-sha257-modp2048'] } }, 'ike.proposals[0]: has a word that strongSwan does not know'],
    [{ esp: { proposals: ['aes256gcm16-modp2084'] } }, 'esp.proposals[0]: has a word that strongSwan does not know'],
    [{ ike: { proposals: ['aes256-sha256'] } }, 'ike.proposals[0]: has no key exchange, which IKE needs'],
    [{ esp: { proposals: ['aes256gmac-ecp384'] } }, 'esp.proposals[0]: has a weak algorithm'],
    [{ ike: { proposals: ['blowfish256-sha256-modp2048'] } }, 'ike.proposals[0]: has a weak algorithm'],
    [{ ike: { proposals: ['aes256-sha256-modpnull'] } }, 'ike.proposals[0]: has a weak algorithm'],
  ])('%j is refused', (more, sentence) => {
    expect(problems(tunnel(more))).toEqual([expect.stringContaining(`tunnels.onprem.${sentence}`)]);
  });

  test.each([
    'chacha20poly1305-prfsha512-x25519-ke1_mlkem768',
    'aes256ccm16-prfaescmac-ecp512bp',
    'aes128-aesxcbc-curve448',
  ])('the proposal %s is taken', (proposal) => {
    expect(problems(tunnel({ ike: { proposals: [proposal] } }))).toEqual([]);
  });

  test('a short key and weak algorithms need a word of their own', () => {
    const weak = { presharedKey: { value: 'secret' }, ike: { proposals: ['aes128-sha1-modp1024'] } };
    expect(problems(tunnel(weak))).toHaveLength(2);
    expect(problems(tunnel({ ...weak, allowWeak: true }))).toEqual([]);
    expect(STRONG_KEY.pattern.test('a'.repeat(19))).toBe(false);
  });
});

describe('names', () => {
  const certificate = { issuer: { name: 'ca' } };
  const withAuthorities = (...names: string[]): JsonObject => ({
    certificate,
    authorities: Object.fromEntries(names.map((name) => [name, { existingSecret: 'ca' }])),
  });
  const two = (one: [string, JsonObject], other: [string, JsonObject], gateway = 'a'): readonly string[] =>
    problems(
      site(
        Object.fromEntries(
          [one, other].map(([name, more], i) => [
            name,
            {
              gateway: i === 0 ? 'a' : gateway,
              remote: { address: `198.51.100.${String(i)}`, networks: [`10.${String(i)}.0.0/16`] },
              ...more,
            },
          ]),
        ),
        gateway === 'a' ? {} : { gateways: { a: { identity: '203.0.113.10' }, b: { identity: '203.0.113.11' } } },
      ),
    );

  test('no two tunnels of a gateway trust the same file of an authority', () => {
    expect(two(['x', withAuthorities('y-ca')], ['x-y', { certificate }])).toEqual([
      'tunnels.x.authorities.y-ca: has the same file name as tunnels.x-y.certificate; rename the authority',
    ]);
    expect(two(['a', withAuthorities('b-c')], ['a-b', withAuthorities('c')])).toEqual([
      'tunnels.a.authorities.b-c: has the same file name as tunnels.a-b.authorities.c; rename the authority',
    ]);
    expect(two(['a', withAuthorities('b')], ['a-b', withAuthorities('c')])).toEqual([]);
    expect(two(['a', withAuthorities('b')], ['c', withAuthorities('b', 'b-c')])).toEqual([]);
    expect(two(['a', withAuthorities('b-c')], ['a-b', withAuthorities('c')], 'b')).toEqual([]);
  });

  test.each([
    ['scripts', false],
    ['gateways', false],
    ['gateway', true],
    ['a-keys', true],
  ])('a gateway may be named %s: %s', (name, good) => {
    const said = problems(
      site({ onprem: { ...onprem, gateway: name } }, { gateways: { [name]: { identity: '203.0.113.10' } } }),
    );
    expect(said).toEqual(
      good
        ? []
        : [`gateways.${name}: has a name that an object of the chart itself has, got "${name}"; choose another name`],
    );
  });
});

describe('identities', () => {
  const ends = (identity: string): string[] => [
    ...problems(tunnel({ localIdentity: identity })),
    ...problems(tunnel({ remote: { ...onprem.remote, identity } })),
    ...problems(site({ onprem }, {}, { identity })),
  ];

  test.each([
    ['*', 'stands for more than one end'],
    ['fqdn:*', 'stands for more than one end'],
    ['@*', 'stands for more than one end'],
    ['0.0.0.0', 'stands for more than one end'],
    ['::', 'stands for more than one end'],
    ['0::0', 'stands for more than one end'],
    ['0:0:0:0:0:0:0:0', 'stands for more than one end'],
    ['0.0.0.0/0', 'stands for more than one end'],
    ['10.0.0.1-10.0.0.9', 'stands for more than one end'],
    ['keyid:', 'has nothing behind its type'],
    ['fqdn:', 'has nothing behind its type'],
    ['email:', 'has nothing behind its type'],
    ['@', 'has nothing behind its type'],
    ['@#', 'has something else than pairs of hexadecimal digits behind @#'],
    ['@#abc', 'has something else than pairs of hexadecimal digits behind @#'],
    ['@#xy', 'has something else than pairs of hexadecimal digits behind @#'],
  ])('%s is refused at both ends', (identity, problem) => {
    const said = ends(identity);
    expect(said).toHaveLength(3);
    for (const sentence of said) expect(sentence).toContain(`${problem}, got ${JSON.stringify(identity)};`);
  });

  test.each(['10.0.0.0', '::1', 'fd00::', '@#0aFF', 'keyid:a', '@vpn.example.com', 'vpn*', 'C=CH, O=*', 'a-b'])(
    '%s is not',
    (identity) => {
      expect(ends(identity)).toEqual([]);
    },
  );

  test.each(['0.0.0.0', '::'])('the address %s is refused', (address) => {
    expect(problems(tunnel({ remote: { ...onprem.remote, address } }))).toEqual([
      `tunnels.onprem.remote.address: stands for more than one end, got "${address}"; name one, by its address or its name`,
    ]);
  });

  test.each([
    ['vpn.example.com', 'VPN.example.com', true],
    ['vpn.example.com', 'fqdn:vpn.example.com', true],
    ['vpn.example.com', '@vpn.example.com', true],
    ['a@example.com', 'email:A@example.com', true],
    ['fd00::1', 'FD00:0:0:0::1', true],
    ['@#0a', '@#0A', true],
    ['keyid:a', 'keyid:A', false],
    ['@#0a', '@0a', false],
    ['vpn.example.com', 'keyid:vpn.example.com', false],
  ])('%s and %s are the same: %s', (one, other, same) => {
    const remote = (identity: string, n: number): JsonObject => ({
      ...onprem,
      remote: { address: `198.51.100.${String(n)}`, identity, networks: [`10.${String(n)}.0.0/16`] },
    });
    expect(problems(site({ one: remote(one, 1), other: remote(other, 2) }))).toEqual(
      same ? [expect.stringContaining('tunnels.other.remote: has the same identities as tunnels.one.remote')] : [],
    );
    expect(problems(site({ one: { ...remote(one, 1), localIdentity: other } }))).toEqual(
      same ? [expect.stringContaining('tunnels.one.remote: has the same identity as our own end')] : [],
    );
  });
});

describe('two gateways', () => {
  /** The tunnels `a`, `b` and so on of gateways of the same names, or of others, to one router. */
  const all = (...tunnels: readonly JsonObject[]): readonly string[] => {
    const names = ['a', 'b', 'c'].slice(0, tunnels.length);
    const given = tunnels.map((more, i): JsonObject => ({ ...onprem, gateway: names[i]!, ...more }));
    return problems({
      cluster: { podCidrs: ['10.244.0.0/16'] },
      gateways: Object.fromEntries(
        names
          .filter((name) => given.some(({ gateway }) => gateway === name))
          .map((name) => [name, { exposure: 'hostPort', identity: `${name}.example.com` }]),
      ),
      tunnels: Object.fromEntries(
        names.map((name, i) => [
          name,
          { ...given[i], remote: { networks: [`10.${String(i)}.0.0/16`], ...(given[i]!['remote'] as JsonObject) } },
        ]),
      ),
    });
  };
  const to = (remote: JsonObject, more: JsonObject = {}): JsonObject => ({ remote, ...more });
  const router = { address: '198.51.100.7' };
  const office = { identity: 'office.example.com' };
  const same = { localIdentity: 'vpn.example.com' };
  const isSame = (one: string, other: string, got: string): string =>
    `tunnels.${one}.remote: is the same end, with the same identities, as tunnels.${other}.remote, got "${got}"; ` +
    'it takes both gateways for one: give each its own identity, or its tunnel a localIdentity';

  test.each<[string, readonly JsonObject[], readonly string[]]>([
    ['each with an identity of its own', [to(router), to(router)], []],
    ['of one identity', [to(router, same), to(router, same)], [isSame('b', 'a', '198.51.100.7')]],
    [
      'of one identity, written in two ways',
      [to(router, same), to(router, { localIdentity: 'fqdn:VPN.example.com' })],
      [isSame('b', 'a', '198.51.100.7')],
    ],
    ['of one identity, to different ends', [to(router, same), to({ address: '198.51.100.8' }, same)], []],
    [
      'of one identity, to ends that say different names from one address',
      [to(router, same), to({ ...router, ...office }, same)],
      [],
    ],
    [
      'of one identity, to an end that is known by its name',
      [to(office, same), to(office, same)],
      [isSame('b', 'a', 'office.example.com')],
    ],
    [
      'of one identity, to one name at different addresses',
      [to({ ...router, ...office }, same), to({ address: '198.51.100.8', ...office }, same)],
      [],
    ],
  ])('%s', (_what, tunnels, expected) => {
    expect(all(...tunnels)).toEqual(expected);
  });

  test('and another tunnel of one of them are told once', () => {
    expect(all(to(router, same), { ...to(router, same), gateway: 'a' }, to(router, same))).toEqual([
      'tunnels.b.remote: has the same identities as tunnels.a.remote; IKE tells tunnels apart by them: set remote.identity or localIdentity',
      isSame('c', 'a', '198.51.100.7'),
    ]);
  });

  const inside = { inside: { local: '169.254.21.2/30', remote: '169.254.21.1' } };
  const within = { inside: { local: '169.254.21.5/28', remote: '169.254.21.6' } };
  const gcp = { preset: 'gcp', localIdentity: '203.0.113.10', ...inside };
  const isInside = (one: string, other: string, got: string): string =>
    `tunnels.${one}.inside.local: is in the same network as tunnels.${other}.inside.local, got "${got}"; ` +
    'neither a remote end nor Google Cloud has it twice: give every tunnel its own';

  test.each<[string, readonly JsonObject[], readonly string[]]>([
    ['one end', [to(router, inside), to(router, inside)], [isInside('b', 'a', '169.254.21.2/30')]],
    [
      'one end, of which one holds the other',
      [to(router, inside), to(router, within)],
      [isInside('a', 'b', '169.254.21.2/30')],
    ],
    ['different ends', [to(router, inside), to({ address: '198.51.100.8' }, inside)], []],
    [
      'different ends of Google',
      [to(router, gcp), to({ address: '198.51.100.8' }, gcp)],
      [isInside('b', 'a', '169.254.21.2/30')],
    ],
    ['ends of which one is of Google', [to(router, gcp), to({ address: '198.51.100.8' }, inside)], []],
    [
      'one end, of one gateway',
      [to(router, inside), { ...to({ ...router, ...office }, inside), gateway: 'a' }],
      [
        'tunnels.b.inside.local: is in the same network as tunnels.a.inside.local; give every tunnel a network of its own inside',
      ],
    ],
  ])('with the same network inside, to %s', (_what, tunnels, expected) => {
    expect(all(...tunnels)).toEqual(expected);
  });
});

describe('what leads nowhere', () => {
  const clusterOf = (network: string): JsonObject => ({
    cluster: { podCidrs: ['10.244.0.0/16', 'fd00:244::/64'], serviceCidrs: [network] },
  });
  const dual = { podCidrs: ['10.244.0.0/16', 'fd00:244::/64'] };

  test.each([
    ...['0.0.0.0/0', '0.1.0.0/16', '127.0.0.0/8', '126.0.0.0/7', '169.254.0.0/16', '224.0.0.0/24', '240.0.0.0/4'],
    ...['255.255.255.255/32', '::/96', '::1/128', 'fe80::/64', 'fe00::/7', 'ff02::1/128'],
  ])('the network %s is refused, in the cluster and behind a remote end', (network) => {
    const nowhere = `holds addresses that lead nowhere: loopback, link-local, multicast or broadcast ones, got "${network}"; `;
    expect(problems(site({ onprem }, clusterOf(network)))).toContainEqual(
      expect.stringContaining(`cluster.serviceCidrs[0]: ${nowhere}name the networks of the cluster`),
    );
    const everything = 'is everything, with the packets of the tunnel itself';
    expect(
      problems(site({ onprem: { ...onprem, remote: { ...onprem.remote, networks: [network] } } }, { cluster: dual })),
    ).toContainEqual(
      expect.stringContaining(
        `tunnels.onprem.remote.networks[0]: ${network.endsWith('/0') ? everything : `${nowhere}name the networks behind`}`,
      ),
    );
  });

  test.each([
    '1.0.0.0/8',
    '128.0.0.0/16',
    '169.253.0.0/16',
    '240.0.0.0/8',
    '64:ff9b::/96',
    '2001:db8::/32',
    'fec0::/10',
  ])('the network %s is not', (network) => {
    expect(problems(site({ onprem }, clusterOf(network)))).toEqual([]);
    const remote = { address: '203.0.113.7', networks: [network] };
    expect(problems(site({ onprem: { ...onprem, remote } }, { cluster: dual }))).toEqual([]);
  });

  test.each([
    ['127.0.0.1', true],
    ['169.254.1.1', true],
    ['239.255.0.1', true],
    ['255.255.255.255', true],
    ['::1', true],
    ['FE80::1', true],
    ['240.0.0.1', false],
    ['10.0.0.1', false],
    ['fd00::1', false],
    ['localhost.example.com', false],
  ])('the outer address %s: %s', (address, isRefused) => {
    const remote = { address, networks: ['10.1.0.0/16'] };
    expect(problems(tunnel({ remote }))).toEqual(
      isRefused
        ? [
            'tunnels.onprem.remote.address: leads nowhere: it is a loopback, link-local, multicast or broadcast address, ' +
              `got "${address}"; name the address by which the remote end is reached`,
          ]
        : [],
    );
  });
});

describe('a session of BGP', () => {
  type Inside = Readonly<Record<'local' | 'remote', string>>;
  const dynamic = (inside: Inside, bgp: JsonObject = {}): readonly string[] =>
    problems(
      site(
        {
          onprem: { ...onprem, remote: { address: '198.51.100.7' }, inside, bgp: { peerAs: 64_514, ...bgp } },
          other: {
            ...onprem,
            remote: { address: '198.51.100.8', networks: ['10.2.0.0/16'] },
            inside: { local: '169.254.9.2/30', remote: '169.254.9.1' },
          },
        },
        {
          cluster: { podCidrs: ['10.244.0.0/16', 'fd00:244::/64'], nodeCidrs: ['172.27.0.0/20'] },
          routes: {
            mode: 'bgp',
            localAs: 65_010,
            import: { site: { cidr: inside.local.includes(':') ? 'fd00:1::/48' : '10.1.0.0/16' } },
          },
        },
      ),
    );
  const four = { local: '169.254.8.2/30', remote: '169.254.8.1' };
  const six = { local: 'fd00:8::2/126', remote: 'fd00:8::1' };

  test.each<[Inside, string, string | undefined]>([
    [four, '169.254.8.1', undefined],
    [four, '10.2.255.30', undefined],
    [four, '127.0.0.1', 'leads nowhere: it is a loopback, multicast or broadcast address, got "127.0.0.1"; '],
    [four, '224.0.0.5', 'leads nowhere: it is a loopback, multicast or broadcast address, got "224.0.0.5"; '],
    [four, '0.0.0.0', 'leads nowhere: it is a loopback, multicast or broadcast address, got "0.0.0.0"; '],
    [four, '169.254.8.2', 'is our own address, that of tunnels.onprem.inside.local; '],
    [four, '169.254.9.2', 'is our own address, that of tunnels.other.inside.local; '],
    [six, 'fd00:9::1', undefined],
    [six, 'ff02::1', 'leads nowhere: it is a loopback, multicast or broadcast address, got "ff02::1"; '],
    [six, 'fe80::1', 'is a link-local address, with which FRR does not speak, got "fe80::1"; '],
    [six, 'FD00:8:0::2', 'is our own address, that of tunnels.onprem.inside.local; '],
  ])('from %j to %s: %s', (inside, peerAddress, sentence) => {
    expect(dynamic(inside, { peerAddress })).toEqual(
      sentence === undefined ? [] : [expect.stringContaining(`tunnels.onprem.bgp.peerAddress: ${sentence}`)],
    );
  });

  test('over link-local addresses of IPv6 is refused, since FRR has none', () => {
    expect(dynamic({ local: 'fe80::2/64', remote: 'fe80::1' })).toEqual([
      'tunnels.onprem.inside.remote: is a link-local address, with which FRR does not speak, got "fe80::1"; use another one, such as one of fd00::/8',
    ]);
  });
});

describe('outer addresses', () => {
  const pair = (one: JsonObject, other: JsonObject, gateway = 'a', name = 'other'): readonly string[] =>
    problems({
      cluster: { podCidrs: ['10.244.0.0/16'] },
      gateways: {
        a: { identity: 'a.example.com' },
        ...(gateway !== 'a' && { [gateway]: { identity: `${gateway}.example.com` } }),
      },
      tunnels: {
        one: { ...onprem, ...one },
        [name]: { ...onprem, gateway, remote: { address: '198.51.100.8', networks: ['10.2.0.0/16'] }, ...other },
      },
    });
  const behind = (...networks: string[]): JsonObject => ({ remote: { address: '198.51.100.7', networks } });
  const within = (local: string, remote: string): JsonObject => ({ inside: { local, remote } });
  const lies = (name: string, what: string): string =>
    `tunnels.${name}.remote.address: lies in ${what}; the tunnel’s own packets would be sent into it: `;

  test.each<[string, JsonObject, JsonObject, readonly string[]]>([
    ['its own end', behind('198.51.100.7/32'), {}, [lies('one', 'tunnels.one.remote.networks[0]')]],
    ['the other one’s end', behind('198.51.100.8/32'), {}, [lies('other', 'tunnels.one.remote.networks[0]')]],
    [
      'both',
      behind('198.51.100.0/28'),
      {},
      [lies('one', 'tunnels.one.remote.networks[0]'), lies('other', 'tunnels.one.remote.networks[0]')],
    ],
    ['neither', behind('198.51.100.9/32', '198.51.100.6/32'), {}, []],
  ])('behind a tunnel: %s', (_what, one, other, expected) => {
    for (const gateway of ['a', 'b'])
      expect(pair(one, other, gateway)).toEqual(expected.map((sentence) => `${sentence}name smaller networks`));
  });

  test('of two tunnels may be the same', () => {
    expect(pair({}, { remote: { ...onprem.remote, networks: ['10.2.0.0/16'] } }, 'b')).toEqual([]);
  });

  test('are looked for in those only, however tunnels are called', () => {
    expect(
      pair(behind('10.0.0.0/12'), { remote: { address: '198.51.100.8', networks: ['10.2.0.0/16'] } }, 'b', 'address'),
    ).toEqual([]);
  });

  test('in the network inside of a tunnel of the same gateway are refused', () => {
    const remedy = 'take addresses inside that nothing else uses';
    const inside = within('198.51.100.2/28', '198.51.100.1');
    const what = 'the network of tunnels.one.inside.local';
    expect(pair(inside, {})).toEqual([`${lies('one', what)}${remedy}`, `${lies('other', what)}${remedy}`]);
    expect(pair(inside, {}, 'b')).toEqual([`${lies('one', what)}${remedy}`]);
    expect(pair(within('198.51.100.2/30', '198.51.100.1'), {})).toEqual([]);
  });
});

describe('networks', () => {
  const dual = { cluster: { podCidrs: ['10.244.0.0/16', 'fd00:244::/64'] } };
  const remote = { address: '198.51.100.7', networks: ['10.1.0.0/16', 'fd00:1::/64'] };

  test('of a family that the cluster has not are refused', () => {
    const networks = ['10.1.0.0/16', 'fd00:1::/64'];
    expect(problems(tunnel({ remote: { ...remote, networks } }))).toEqual([
      'tunnels.onprem.remote.networks[1]: is of IPv6, of which cluster has no network, got "fd00:1::/64"; name such a network in cluster, or remove this one',
    ]);
    expect(problems(site({ onprem: { ...onprem, remote } }, { cluster: { nodeCidrs: ['fd00:244::/64'] } }))).toEqual([
      expect.stringContaining('tunnels.onprem.remote.networks[0]: is of IPv4, of which cluster has no network'),
    ]);
    expect(problems(site({ onprem: { ...onprem, remote } }, dual))).toEqual([]);
  });

  test.each([
    ['policy', { localTs: ['10.244.0.0/16'], remoteTs: ['fd00:1::/64'] }, false, remote],
    ['route', { localTs: ['fd00:244::/64'], remoteTs: ['10.1.0.0/16'] }, false, remote],
    ['route', { localTs: ['fd00:244::/64'] }, false, { ...remote, networks: ['10.1.0.0/16'] }],
    ['policy', { localTs: ['fd00:244::/64'] }, false, { ...remote, networks: ['10.1.0.0/16'] }],
    ['policy', { localTs: ['fd00:244::/64'] }, true, remote],
    ['route', { remoteTs: ['fd00:1::/64'] }, true, remote],
    ['policy', { localTs: ['10.244.0.0/16', 'fd00:244::/64'], remoteTs: ['fd00:1::/64'] }, true, remote],
  ])('of a child of mode %s: %j has a family that both ends have: %s', (mode, child, good, end) => {
    const said = problems(site({ onprem: { ...onprem, mode, remote: end, children: { child } } }, dual));
    expect(said).toEqual(
      good
        ? []
        : [
            'tunnels.onprem.children.child: has networks of IPv4 at one end and of IPv6 at the other; choose localTs and remoteTs of one family',
          ],
    );
  });

  test('of two children of a policy differ', () => {
    const children = { a: {}, b: { localTs: ['10.244.0.0/16'] }, c: { remoteTs: ['10.1.1.0/24'] } };
    expect(problems(tunnel({ mode: 'policy', children }))).toEqual([
      'tunnels.onprem.children.b: has the same networks as tunnels.onprem.children.a; keep one of them',
    ]);
    expect(problems(tunnel({ children: { a: {}, b: {} } }))).toEqual([]);
  });

  test.each([
    ['10.244.7.2/30', '10.244.7.1', ['local: lies in cluster.podCidrs[0]', 'remote: lies in cluster.podCidrs[0]']],
    [
      '10.1.7.2/30',
      '10.1.7.1',
      ['local: lies in tunnels.onprem.remote.networks[0]', 'remote: lies in tunnels.onprem.remote.networks[0]'],
    ],
    ['169.254.9.0/30', '169.254.9.1', ['local: is the first or the last of the network']],
    ['169.254.9.1/30', '169.254.9.3', ['remote: is the first or the last of the network']],
    ['169.254.9.0/31', '169.254.9.1', []],
    ['169.254.9.1/24', '169.254.9.3', []],
    ['fd00:9::/126', 'fd00:9::3', []],
  ])('inside: %s and %s', (local, remote, expected) => {
    expect(problems(tunnel({ inside: { local, remote } }))).toEqual(
      expected.map((each) => expect.stringContaining(`tunnels.onprem.inside.${each}`) as string),
    );
  });
});

describe('what is not used', () => {
  test('the key of a Secret beside a key itself', () => {
    expect(problems(tunnel({ presharedKey: { value: KEY, key: 'onprem' } }))).toEqual([
      'tunnels.onprem.presharedKey.key: is not used with value; remove it, or use existingSecret',
    ]);
  });

  test('is shown', () => {
    const gateway = { exposure: 'hostPort', service: { ikeNodePort: 30_500, loadBalancerIP: '203.0.113.9' } };
    expect(problems(site({ onprem: { ...onprem, mode: 'policy', interfaceId: 42 } }, {}, gateway))).toEqual([
      expect.stringMatching(/^gateways\.a\.service\.loadBalancerIP: is not used, .*, got "203\.0\.113\.9"; /),
      expect.stringMatching(/^gateways\.a\.service\.ikeNodePort: is not used, .*, got 30500; /),
      expect.stringMatching(/^tunnels\.onprem\.interfaceId: is not used, .*, got 42; /),
    ]);
  });
});

describe('how long a silent remote end goes unnoticed', () => {
  const seconds = (values: JsonObject): number =>
    Number(/onprem, the remote end is silent: (\d+) s/.exec(ipsec.summary({ values }) ?? '')?.[1]);

  test('follows from the timers: each changes it', () => {
    expect(seconds(tunnel({}))).toBe(10 + (3 + 1) * 2 + 2);
    expect(seconds(tunnel({ ike: { dpdDelaySeconds: 20 } }))).toBe(20 + (3 + 1) * 2 + 2);
    expect(seconds(site({ onprem }, { retransmission: { tries: 5 } }))).toBe(10 + (5 + 1) * 2 + 2);
    expect(seconds(site({ onprem }, { retransmission: { intervalSeconds: 3 } }))).toBe(10 + (3 + 1) * 3 + 2);
  });

  test('is in the notes as well', () => {
    expect(ipsec.notes({ values: tunnel({}) })).toContain('tunnel onprem, the remote end is silent: 20 s');
  });

  test('of a lost node: with lostNodeSeconds', () => {
    expect(ipsec.summary({ values: site({ onprem }, { lostNodeSeconds: 5 }) })).toContain('node is lost: 60 s');
  });
});

describe('the remote end with strongSwan', () => {
  test('is our mirror image', () => {
    const values = tunnel({ inside: { local: '169.254.100.2/30', remote: '169.254.100.1' } });
    const [ours, theirs] = [
      swanctl(values),
      textOf(values, (gateways) => gateways.counterpart('onprem', 'strongswan')['onprem.conf']!),
    ];
    const ids = (text: string): string[] => [...text.matchAll(/^ *id = "(.*)"$/gm)].map(([, id]) => id!);
    expect(ids(theirs)).toEqual(ids(ours).reverse());
    for (const key of ['proposals', 'esp_proposals', 'if_id_in', 'encap', 'mobike', 'fragmentation'])
      expect([key, setting(theirs, key)]).toEqual([key, setting(ours, key)]);
    expect(setting(theirs, 'remote_addrs')).toBe('203.0.113.10');
    const network = textOf(values, (gateways) => gateways.counterpart('onprem', 'strongswan')['onprem-network.sh']!);
    expect(network).toContain('ip route replace unreachable 10.244.0.0/16 metric 4278198272');
    expect(network).toMatch(/^ip address replace 169\.254\.100\.1\/30 dev ipsec\d+$/m);
    expect(network).toMatch(/^ip link set dev ipsec\d+ mtu 1422 up$/m);
  });

  test('of a policy has our selectors the other way round', () => {
    const text = textOf(
      tunnel({ mode: 'policy' }),
      (gateways) => gateways.counterpart('onprem', 'strongswan')['onprem.conf']!,
    );
    expect([setting(text, 'local_ts'), setting(text, 'remote_ts')]).toEqual(['10.1.0.0/16', '10.244.0.0/16']);
  });
});

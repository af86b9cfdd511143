import { CHARTS } from '../../charts';
import type { JsonObject } from '../../lib/helm/values-file';
import type { CounterpartOptions } from '../../lib/strongswan/counterpart';
import { describeWith } from '../left-out';
import { hclfmt } from './hclfmt';

const cloud = {
  gateway: 'a',
  preset: 'aws',
  remote: { address: '198.51.100.20', networks: ['10.1.0.0/16'] },
  presharedKey: { existingSecret: 'aws-psk', key: 'cloud' },
};
const site = (more: JsonObject = {}, gateway: JsonObject = {}): JsonObject => ({
  cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12', 'fd00:96::/112'] },
  gateways: { a: { exposure: 'hostPort', identity: '203.0.113.10', ...gateway } },
  tunnels: { cloud: { ...cloud, ...more } },
});
const shown = (values: JsonObject, options: CounterpartOptions = {}): string => {
  CHARTS.ipsec.objects({ values });
  const file = options.format === 'terraform' ? 'cloud.tf' : 'cloud.txt';
  return `${CHARTS.ipsec.text((gateways) => gateways.counterpart('cloud', 'aws', options)[file]!, { values })}\n`;
};
const terraform = (values: JsonObject, options: CounterpartOptions = {}): string =>
  shown(values, { ...options, format: 'terraform' });
const problems = (values: JsonObject, options: CounterpartOptions = {}): string =>
  CHARTS.ipsec.text((gateways) => gateways.counterpartProblems('cloud', 'aws', options), { values });
/** The values of the keys of a list, or of the arguments of Terraform. */
const settings = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^ *(\w+)(?:: | += )(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));

const certificate = { presharedKey: null, certificate: { existingSecret: 'tls' } };

describe('the text for AWS', () => {
  test('names every option as AWS does, with the preset’s algorithms', () => {
    expect(settings(shown(site({ inside: { local: '169.254.100.6/30', remote: '169.254.100.5' } })))).toEqual({
      Type: 'ipsec.1',
      IpAddress: '203.0.113.10',
      BgpAsn: '65000 (any: the routes are static)',
      StaticRoutesOnly: 'true',
      LocalIpv4NetworkCidr: '0.0.0.0/0',
      RemoteIpv4NetworkCidr: '0.0.0.0/0',
      PreSharedKey: '(the key cloud of the Secret aws-psk)',
      TunnelInsideCidr: '169.254.100.4/30',
      IKEVersions: 'ikev2',
      Phase1EncryptionAlgorithms: 'AES256-GCM-16, AES256',
      Phase1IntegrityAlgorithms: 'SHA2-384, SHA2-256',
      Phase1DHGroupNumbers: '14, 20',
      Phase1LifetimeSeconds: '28800',
      Phase2EncryptionAlgorithms: 'AES256-GCM-16, AES256',
      Phase2IntegrityAlgorithms: 'SHA2-256',
      Phase2DHGroupNumbers: '14, 20',
      Phase2LifetimeSeconds: '3600',
      ReplayWindowSize: '1024',
      StartupAction: 'add',
      DPDTimeoutAction: 'clear',
      DPDTimeoutSeconds: '30',
      DestinationCidrBlock: '10.96.0.0/12',
    });
  });

  test.each([
    [['aes128gcm16-prfsha512-ecp521'], 'AES128-GCM-16', 'SHA2-512', '21'],
    [
      ['aes128gcm128-prfsha256-ecp256', 'aes-sha2_384-modp3072'],
      'AES128-GCM-16, AES128',
      'SHA2-384, SHA2-256',
      '15, 19',
    ],
  ])('tells the proposals %j', (proposals, encryption, integrity, groups) => {
    const told = settings(shown(site({ ike: { proposals } })));
    expect([
      told['Phase1EncryptionAlgorithms'],
      told['Phase1IntegrityAlgorithms'],
      told['Phase1DHGroupNumbers'],
    ]).toEqual([encryption, integrity, groups]);
  });

  test('has no integrity algorithm where the cipher needs none', () => {
    const told = settings(shown(site({ esp: { proposals: ['aes256gcm16-noesn-ecp384'] } })));
    expect([told['Phase2EncryptionAlgorithms'], told['Phase2IntegrityAlgorithms']]).toEqual([
      'AES256-GCM-16',
      undefined,
    ]);
  });

  test('lets AWS begin where the values say that it does', () => {
    const values = site({ remote: { ...cloud.remote, initiates: true } }, { exposure: 'loadBalancer' });
    expect(settings(shown(values))).toMatchObject({ StartupAction: 'start', DPDTimeoutAction: 'restart' });
  });

  test('has the given key and nothing else of it', () => {
    const told = settings(shown(site(), { presharedKey: 'a.b_c1234567890123456789' }));
    expect(told['PreSharedKey']).toBe('a.b_c1234567890123456789');
  });

  test.each([
    [0, '64'],
    [4096, '2048'],
  ])('keeps a replay window of %d within what AWS takes', (replayWindow, expected) => {
    expect(settings(shown(site({ esp: { replayWindow } })))['ReplayWindowSize']).toBe(expected);
  });

  test('of a policy has its networks, and the route of the one', () => {
    const children = { only: { localTs: ['10.244.1.0/24'], remoteTs: ['10.1.2.0/24'] } };
    expect(settings(shown(site({ mode: 'policy', children })))).toMatchObject({
      LocalIpv4NetworkCidr: '10.244.1.0/24',
      RemoteIpv4NetworkCidr: '10.1.2.0/24',
      DestinationCidrBlock: '10.244.1.0/24',
    });
  });
});

const CASES: readonly (readonly [string, JsonObject, CounterpartOptions])[] = [
  ['a pre-shared key', site(), {}],
  ['a given key', site(), { presharedKey: 'a.b_c1234567890123456789' }],
  ['inside addresses', site({ inside: { local: '169.254.100.2/30', remote: '169.254.100.1' } }), {}],
  ['a certificate', site(certificate, { identity: 'C=CH, O=${x} %{ if y }, CN=vpn' }), {}],
  ['a certificate and an address', site(certificate, { identity: 'vpn.example.com' }), { address: '203.0.113.9' }],
  ['a cipher with integrity', site({ esp: { proposals: ['aes256gcm16-ecp384'] } }), {}],
];

describeWith(['hclfmt'], 'Terraform for AWS', () => {
  test.each(CASES)('with %s is read by HashiCorp’s parser, and formatted', (_what, values, options) => {
    const file = terraform(values, options);
    expect(hclfmt(file)).toEqual({ complaints: '', formatted: file });
  });

  test('that is cut is not', () => {
    expect(hclfmt(terraform(site()).replace(']', '')).complaints).toContain('Error: ');
    expect(hclfmt(terraform(site()).replace(' = ', '=')).formatted).not.toBe(terraform(site()).replace(' = ', '='));
  });
});

describe('Terraform for AWS', () => {
  test('says the same as the text', () => {
    const values = site({ inside: { local: '169.254.100.2/30', remote: '169.254.100.1' } });
    const [told, given] = [settings(shown(values)), settings(terraform(values))];
    const same = {
      phase1_encryption_algorithms: 'Phase1EncryptionAlgorithms',
      phase1_integrity_algorithms: 'Phase1IntegrityAlgorithms',
      phase1_dh_group_numbers: 'Phase1DHGroupNumbers',
      phase1_lifetime_seconds: 'Phase1LifetimeSeconds',
      phase2_encryption_algorithms: 'Phase2EncryptionAlgorithms',
      phase2_integrity_algorithms: 'Phase2IntegrityAlgorithms',
      phase2_dh_group_numbers: 'Phase2DHGroupNumbers',
      phase2_lifetime_seconds: 'Phase2LifetimeSeconds',
      inside_cidr: 'TunnelInsideCidr',
      ike_versions: 'IKEVersions',
      replay_window_size: 'ReplayWindowSize',
      startup_action: 'StartupAction',
      dpd_timeout_action: 'DPDTimeoutAction',
      dpd_timeout_seconds: 'DPDTimeoutSeconds',
    };
    for (const [argument, option] of Object.entries(same))
      expect([argument, given[`tunnel1_${argument}`]?.replace(/["[\]]/g, '')]).toEqual([argument, told[option]]);
    expect(given).toMatchObject({
      ip_address: '"203.0.113.10"',
      tunnel1_preshared_key: 'var.vpn_cloud_preshared_key',
      sensitive: 'true',
    });
    expect(given).not.toHaveProperty('default');
  });

  test('routes the IPv4 networks of the cluster', () => {
    expect([...terraform(site()).matchAll(/^ {4}"(.*)",$/gm)].map(([, network]) => network)).toEqual([
      '10.244.0.0/16',
      '10.96.0.0/12',
    ]);
  });

  test('with a certificate has its ARN, and an address only where it is known', () => {
    const given = settings(terraform(site(certificate, { identity: 'vpn.example.com' })));
    expect(given['certificate_arn']).toBe('var.vpn_cloud_certificate_arn');
    expect(given).not.toHaveProperty('ip_address');
    expect(given).not.toHaveProperty('tunnel1_preshared_key');
  });
});

/** A site that speaks BGP, whose text is asked for without its objects. */
const dynamic = (bgp: JsonObject = {}, more: JsonObject = {}, routes: JsonObject = {}): JsonObject => ({
  ...site({
    remote: { address: '198.51.100.20' },
    inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
    bgp: { peerAs: 64_620, ...bgp },
    ...more,
  }),
  routes: { mode: 'bgp', localAs: 65_010, import: { vpc: { cidr: '10.1.0.0/16' } }, ...routes },
});
const told = (values: JsonObject, format: 'text' | 'terraform' = 'text'): string => {
  const file = format === 'terraform' ? 'cloud.tf' : 'cloud.txt';
  return `${CHARTS.ipsec.text((gateways) => gateways.counterpart('cloud', 'aws', { format })[file]!, { values })}\n`;
};

describe('BGP with AWS', () => {
  test('has the numbers of both ends, the network of both addresses, and no static routes', () => {
    const text = told(dynamic());
    expect(settings(text)).toMatchObject({
      BgpAsn: '65010',
      StaticRoutesOnly: 'false',
      TunnelInsideCidr: '169.254.100.0/30',
    });
    expect(text).toContain('with the AmazonSideAsn 64620');
    expect(text).toContain('between 169.254.100.1 of AWS and 169.254.100.2 of the gateway');
    expect(text).not.toContain('DestinationCidrBlock');
  });

  test('is said in Terraform too', () => {
    const file = told(dynamic(), 'terraform');
    expect(settings(file)).toMatchObject({
      bgp_asn: '65010',
      static_routes_only: 'false',
      tunnel1_inside_cidr: '"169.254.100.0/30"',
    });
    expect(file).toContain('amazon_side_asn 64620');
    expect(file).not.toContain('aws_vpn_connection_route"');
  });

  test.each([
    [2_147_483_647, 'BgpAsn', 'bgp_asn'],
    [2_147_483_648, 'BgpAsnExtended', 'bgp_asn_extended'],
  ])('has the number %d as %s', (localAs, option, argument) => {
    const values = dynamic({}, {}, { localAs });
    expect(settings(told(values))).toHaveProperty(option, String(localAs));
    expect(settings(told(values, 'terraform'))).toHaveProperty(argument, String(localAs));
  });

  test.each<[JsonObject, string]>([
    [
      dynamic({ peerAddress: '10.1.255.1' }),
      'tunnels.cloud.bgp.peerAddress: is not inside.remote, the only address over which AWS speaks BGP, got "10.1.255.1"; ',
    ],
  ])('that it cannot do is refused, case %#', (values, sentence) => {
    expect(problems(values).split('\n')).toEqual([expect.stringContaining(sentence)]);
    expect(problems({ ...values, routes: { mode: 'static' } })).toBe('');
  });

  test('is none of what it knows', () => {
    expect(problems(dynamic({ peerAddress: '169.254.100.1' }))).toBe('');
    expect(() =>
      CHARTS.ipsec.text((gateways) => gateways.counterpart('cloud', 'aws', { bgpPassword: 's3cret' })['cloud.txt']!),
    ).toThrow('bgpPassword: is not used, since a remote end of the kind aws knows no passwords of BGP; leave it out');
  });

  test('has no password, which the values themselves are refused for', () => {
    const sentence = 'tunnels.cloud.bgp.password: is not possible: a remote end of the preset aws knows no passwords';
    const values = dynamic({ password: { existingSecret: 'bgp' } });
    expect(() => shown(values)).toThrow(sentence);
  });
});

describeWith(['hclfmt'], 'Terraform of BGP with AWS', () => {
  test.each([
    ['a key', dynamic()],
    ['a certificate', dynamic({}, certificate)],
    ['a long number', dynamic({}, {}, { localAs: 4_200_000_000 })],
  ])('with %s is read by HashiCorp’s parser, and formatted', (_what, values) => {
    const file = told(values, 'terraform');
    expect(hclfmt(file)).toEqual({ complaints: '', formatted: file });
  });
});

describe('what AWS cannot be is refused', () => {
  const begun = { remote: { ...cloud.remote, initiates: true } };
  test.each([
    [
      site({}, { identity: 'vpn.example.com' }),
      'tunnels.cloud.localIdentity: is not an IPv4 address, by which AWS knows',
    ],
    [
      site({ ...certificate, ...begun }, { identity: 'vpn.example.com' }),
      'tunnels.cloud.remote.initiates: is true, but AWS begins to an address only; ',
    ],
    [
      site({ preset: 'strongswan' }),
      'tunnels.cloud.preset: is not aws, so the tunnel does not keep to what aws demands, got "strongswan"; ',
    ],
    [
      site({ preset: 'azure' }),
      'tunnels.cloud.preset: is not aws, so the tunnel does not keep to what aws demands, got "azure"; ',
    ],
    [
      site({ remote: { ...cloud.remote, networks: ['10.1.0.0/16', 'fd01::/64'] } }),
      'tunnels.cloud.remote.networks: has IPv6, for which AWS needs a connection of its own at a transit gateway; ',
    ],
    [
      site({ inside: { local: 'fd00::2/126', remote: 'fd00::1' } }),
      'tunnels.cloud.inside.local: is of IPv6, for which AWS needs a connection of its own at a transit gateway, got "fd00::2/126"; ',
    ],
    [
      site({ mode: 'policy' }),
      'tunnels.cloud: has several networks in its traffic selectors, of which AWS takes one on each side, got "10.244.0.0/16,10.96.0.0/12,fd00:96::/112 = 10.1.0.0/16"; ',
    ],
    [
      site({ postQuantumKey: { id: 'ppk', existingSecret: 'ppk' } }),
      'tunnels.cloud.postQuantumKey: is not possible: AWS knows no post-quantum keys; ',
    ],
  ])('case %#', (values, sentence) => {
    expect(problems(values).split('\n')).toEqual([expect.stringContaining(sentence)]);
  });

  test('but not where the address is named beside', () => {
    expect(problems(site({}, { identity: 'vpn.example.com' }), { address: '203.0.113.9' })).toBe('');
    expect(problems(site())).toBe('');
  });

  test('all at once', () => {
    const values = site({ mode: 'policy', postQuantumKey: { id: 'ppk', existingSecret: 'ppk' } });
    expect(problems(values).split('\n')).toHaveLength(2);
  });

  test.each([
    [
      { address: 'vpn.example.com' },
      'address: is not an IPv4 address, as customer gateways have, got "vpn.example.com"; name one',
    ],
    [{ presharedKey: 'has a blank, s3cret' }, 'presharedKey: is not what AWS takes: '],
    [{ secretLine: 'secret = s3cret' }, 'secretLine: is for strongSwan; use presharedKey'],
  ])('%j is refused, and no key is shown', (options, sentence) => {
    expect(() => shown(site(), options)).toThrow(sentence);
    expect(() => shown(site(), options)).not.toThrow('s3cret');
  });
});

import { CHARTS } from '../../charts';
import type { JsonObject } from '../../lib/helm/values-file';
import type { CounterpartOptions } from '../../lib/strongswan/counterpart';
import { describeWith } from '../left-out';
import { hclfmt } from './hclfmt';

const ADDRESSES = ['203.0.113.10', '203.0.113.11', '203.0.113.12', '203.0.113.13', '203.0.113.14'];
const names = ['primary', 'secondary', 'third', 'fourth', 'fifth'];

/** So many gateways with a tunnel to Google Cloud each, beside one to a router. */
const site = (count: number, more: JsonObject = {}): JsonObject => ({
  cluster: { podCidrs: ['10.244.0.0/16'] },
  gateways: {
    ...Object.fromEntries(
      ADDRESSES.slice(0, count).map((identity, i) => [`g${i}`, { exposure: 'hostPort', identity }]),
    ),
    router: { identity: 'vpn.example.com' },
  },
  tunnels: {
    ...Object.fromEntries(
      names.slice(0, count).map((name, i) => [
        name,
        {
          gateway: `g${i}`,
          preset: 'gcp',
          remote: { address: `35.242.0.${i + 10}`, networks: ['10.1.0.0/16'] },
          presharedKey: { existingSecret: 'gcp-psk', key: name },
          ...(i === 0 && more),
        },
      ]),
    ),
    office: {
      gateway: 'router',
      remote: { address: '198.51.100.7', networks: ['10.9.0.0/16'] },
      presharedKey: { existingSecret: 'office' },
    },
  },
});
const shown = (values: JsonObject, options: CounterpartOptions = {}, asked = 'primary'): string => {
  CHARTS.ipsec.objects({ values });
  const file = options.format === 'terraform' ? 'gcp.tf' : 'gcp.txt';
  return `${CHARTS.ipsec.text((gateways) => gateways.counterpart(asked, 'gcp', options)[file]!, { values })}\n`;
};
const terraform = (values: JsonObject, options: CounterpartOptions = {}, asked?: string): string =>
  shown(values, { ...options, format: 'terraform' }, asked);
const problems = (values: JsonObject, asked = 'primary'): string =>
  CHARTS.ipsec.text((gateways) => gateways.counterpartProblems(asked, 'gcp'), { values });
/** The values of a key, wherever it stands. */
const all = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^ *${key.replaceAll('.', '\\.')}(?:: | += )(.*)$`, 'gm'))].map(([, value]) => value!);

const KEY = 'a"b\\c${d}%{e}$${f}0123456789';

describe('the text for Google Cloud', () => {
  test('has all tunnels with the preset, each with its interfaces, and no other tunnel', () => {
    const text = shown(site(2, { inside: { local: '169.254.100.2/30', remote: '169.254.100.1' } }));
    expect(all(text, 'redundancyType')).toEqual(['TWO_IPS_REDUNDANCY']);
    expect([all(text, 'interface 0'), all(text, 'interface 1')]).toEqual([['203.0.113.10'], ['203.0.113.11']]);
    expect(all(text, 'name')).toEqual(['vpn-primary', 'vpn-secondary']);
    expect(all(text, 'vpnGatewayInterface')).toEqual(['0', '1']);
    expect(all(text, 'peerExternalGatewayInterface')).toEqual(['0', '1']);
    expect(all(text, 'ikeVersion')).toEqual(['2', '2']);
    expect(all(text, 'cipherSuite.phase1.encryption')).toEqual(['AES-GCM-16-256', 'AES-GCM-16-256']);
    expect(all(text, 'cipherSuite.phase1.integrity')).toEqual([]);
    expect(all(text, 'cipherSuite.phase1.prf')[0]).toBe('PRF-HMAC-SHA2-512');
    expect(all(text, 'cipherSuite.phase1.dh')[0]).toBe('Group-20, Group-16');
    expect(all(text, 'cipherSuite.phase2.pfs')[0]).toBe('Group-20');
    expect(text).toContain('169.254.100.1 of the router’s interface, 169.254.100.2 of its peer');
    expect(text).not.toContain('office');
  });

  test('tells a cipher without integrity of its own', () => {
    const proposals = ['aes256-sha256-modp2048'];
    const text = shown(site(1, { ike: { proposals }, esp: { proposals } }));
    expect(
      ['phase1.encryption', 'phase1.integrity', 'phase1.prf', 'phase1.dh', 'phase2.integrity', 'phase2.pfs'].map(
        (key) => all(text, `cipherSuite.${key}`)[0],
      ),
    ).toEqual(['AES-CBC-256', 'HMAC-SHA2-256-128', 'PRF-HMAC-SHA2-256', 'Group-14', 'HMAC-SHA2-256-128', 'Group-14']);
  });

  test('has the given key at the tunnel that was asked for, and says where the others are', () => {
    expect(all(shown(site(2), { presharedKey: KEY }, 'secondary'), 'sharedSecret')).toEqual([
      '(the key primary of the Secret gcp-psk)',
      KEY,
    ]);
  });
});

describe('Terraform for Google Cloud', () => {
  test.each([
    [1, 'SINGLE_IP_INTERNALLY_REDUNDANT'],
    [2, 'TWO_IPS_REDUNDANCY'],
    [4, 'FOUR_IPS_REDUNDANCY'],
  ])('of %d gateways has the redundancy type %s', (count, type) => {
    const file = terraform(site(count));
    expect(all(file, 'redundancy_type')).toEqual([`"${type}"`]);
    expect(all(file, 'ip_address')).toEqual(ADDRESSES.slice(0, count).map((address) => `"${address}"`));
    expect(all(file, 'vpn_gateway_interface').sort()).toEqual(
      Array.from({ length: count }, (_, i) => String(i % 2)).sort(),
    );
    expect(file.match(/^resource "google_compute_vpn_tunnel"/gm)).toHaveLength(count);
  });

  test('leads every tunnel to the interface with its gateway’s address', () => {
    const file = terraform(site(4));
    const blocks = file.split(/^(?=resource )/m).filter((block) => block.includes('"google_compute_vpn_tunnel"'));
    const peers = blocks.map((block) => [
      /"vpn_(\w+)"/.exec(block)?.[1],
      all(block, 'peer_external_gateway_interface')[0],
    ]);
    expect(Object.fromEntries(peers)).toEqual({ primary: '0', secondary: '1', third: '2', fourth: '3' });
  });

  test('leaves network, region and router to whoever applies it', () => {
    const file = terraform(site(1));
    for (const variable of ['vpn_network', 'vpn_region', 'vpn_router']) {
      expect(file).toContain(`variable "${variable}" {\n  type = string\n}`);
      expect(file).toContain(`= var.${variable}\n`);
    }
    expect(file).not.toContain('google_compute_router');
  });

  test('keeps the keys in sensitive variables', () => {
    const file = terraform(site(2), { presharedKey: KEY });
    expect(file.match(/^ {2}sensitive = true$/gm)).toHaveLength(2);
    expect(all(file, 'shared_secret')).toEqual(['var.vpn_primary_preshared_key', 'var.vpn_secondary_preshared_key']);
    expect(all(file, 'default')).toEqual(['"vpn"', '"a\\"b\\\\c$${d}%%{e}$$${f}0123456789"']);
    expect(file).toContain('TF_VAR_vpn_secondary_preshared_key: the key secondary of the Secret gcp-psk.');
  });
});

describeWith(['hclfmt'], 'HashiCorp’s parser', () => {
  const proposals = ['aes256-sha256-modp2048'];
  test.each([
    ['one tunnel', site(1), {}],
    ['two tunnels', site(2), {}],
    ['four tunnels', site(4), {}],
    ['a hostile key', site(2), { presharedKey: KEY }],
    ['a cipher without integrity of its own', site(1, { ike: { proposals }, esp: { proposals } }), {}],
  ] as [string, JsonObject, CounterpartOptions][])(
    'reads the file of %s, which is formatted',
    (_what, values, options) => {
      const file = terraform(values, options);
      expect(hclfmt(file)).toEqual({ complaints: '', formatted: file });
    },
  );
});

/** Tunnels that speak BGP, whose file is asked for without their objects. */
const dynamic = (count: number, more: JsonObject = {}, bgp: JsonObject = {}): JsonObject => {
  const { tunnels, ...others } = site(count);
  return {
    ...others,
    routes: { mode: 'bgp', localAs: 65_010, import: { vpc: { cidr: '10.1.0.0/16' } } },
    tunnels: Object.fromEntries(
      names.slice(0, count).map((name, i) => [
        name,
        {
          ...((tunnels as JsonObject)[name] as JsonObject),
          inside: { local: `169.254.${i}.2/30`, remote: `169.254.${i}.1` },
          bgp: { peerAs: 64_514, ...(i === 0 && bgp) },
          ...(i === 0 && more),
        },
      ]),
    ),
  };
};
const told = (values: JsonObject, options: CounterpartOptions = {}): string => {
  const file = options.format === 'terraform' ? 'gcp.tf' : 'gcp.txt';
  return `${CHARTS.ipsec.text((gateways) => gateways.counterpart('primary', 'gcp', options)[file]!, { values })}\n`;
};
const toldTerraform = (values: JsonObject, options: CounterpartOptions = {}): string =>
  told(values, { ...options, format: 'terraform' });
const PASSWORD = { password: { existingSecret: 'gcp-bgp', key: 'first' } };

describe('BGP with Google Cloud', () => {
  test('is one Cloud Router, with an interface and a peer for each tunnel', () => {
    const text = told(dynamic(2));
    expect(Object.fromEntries(['bgp.asn', 'bgp.keepaliveInterval'].map((key) => [key, all(text, key)]))).toEqual({
      'bgp.asn': ['64514'],
      'bgp.keepaliveInterval': ['20'],
    });
    expect(all(text, 'router.interfaces.ipRange')).toEqual(['169.254.0.1/30', '169.254.1.1/30']);
    expect(all(text, 'router.bgpPeers.peerIpAddress')).toEqual(['169.254.0.2', '169.254.1.2']);
    expect(all(text, 'router.bgpPeers.peerAsn')).toEqual(['65010', '65010']);
    expect(new Set(all(text, 'router.bgpPeers.advertisedRoutePriority')).size).toBe(1);
    expect(text).not.toContain('md5');
  });

  test('is said in Terraform too, with a router of its own', () => {
    const file = toldTerraform(dynamic(2));
    expect(file).not.toContain('vpn_router');
    expect(all(file, 'asn')).toEqual(['64514']);
    expect(all(file, 'keepalive_interval')).toEqual(['20']);
    expect(all(file, 'ip_range')).toEqual(['"169.254.0.1/30"', '"169.254.1.1/30"']);
    expect(all(file, 'peer_ip_address')).toEqual(['"169.254.0.2"', '"169.254.1.2"']);
    expect(all(file, 'peer_asn')).toEqual(['65010', '65010']);
    expect(new Set(all(file, 'router'))).toEqual(new Set(['google_compute_router.vpn.name']));
    expect(all(file, 'vpn_tunnel')).toEqual(
      ['primary', 'secondary'].map((name) => `google_compute_vpn_tunnel.vpn_${name}.name`),
    );
    expect(file).not.toMatch(/bfd|md5/);
  });

  test.each([
    [9, '20'],
    [90, '30'],
    [600, '60'],
  ])(
    'keeps its keepalive interval for a hold time of %d s within what a Cloud Router takes',
    (holdSeconds, seconds) => {
      expect(all(toldTerraform(dynamic(1, {}, { holdSeconds })), 'keepalive_interval')).toEqual([seconds]);
    },
  );

  test('has the keepalive interval of the shortest hold time', () => {
    expect(all(toldTerraform(dynamic(2, {}, { holdSeconds: 150 })), 'keepalive_interval')).toEqual(['20']);
  });

  test('keeps a password in a sensitive variable', () => {
    const values = dynamic(2, {}, PASSWORD);
    expect(all(told(values), 'router.md5AuthenticationKeys.key')).toEqual(['(the key first of the Secret gcp-bgp)']);
    expect(all(told(values, { bgpPassword: 'a"b${c}' }), 'router.md5AuthenticationKeys.key')).toEqual(['a"b${c}']);
    const file = toldTerraform(values, { bgpPassword: 'a"b${c}' });
    expect(all(file, 'key')).toEqual(['var.vpn_primary_bgp_password']);
    expect(all(file, 'default')).toEqual(['"vpn"', '"a\\"b$${c}"']);
    expect(file.match(/^ {2}sensitive = true$/gm)).toHaveLength(3);
    expect(toldTerraform(values)).toContain('TF_VAR_vpn_primary_bgp_password: the key first of the Secret gcp-bgp.');
  });

  test.each<[JsonObject, string]>([
    [dynamic(2, { bgp: null }), 'tunnels.primary.bgp: is missing, and HA VPN takes its routes by BGP only; '],
    [
      dynamic(2, {}, { peerAs: 64_513 }),
      'tunnels.primary.bgp.peerAs: is not 64514, the number of another tunnel’s end, and both are at one Cloud Router, got 64513; ',
    ],
    [
      dynamic(2, { inside: { local: 'fdff:1::2/126', remote: 'fdff:1::1' } }),
      'tunnels.primary.inside.local: is of IPv6, for which HA VPN needs a gateway of another stack type, got "fdff:1::2/126"; ',
    ],
    [
      dynamic(2, {}, { peerAddress: '10.1.255.1' }),
      'tunnels.primary.bgp.peerAddress: is not inside.remote, the only address over which Cloud VPN speaks BGP',
    ],
  ])('that it cannot do is refused, case %#', (values, sentence) => {
    expect(problems(values).split('\n')).toEqual([expect.stringContaining(sentence)]);
    expect(problems({ ...values, routes: { mode: 'static' } })).toBe('');
  });

  test('is none of what it knows', () => {
    expect(problems(dynamic(4, {}, PASSWORD))).toBe('');
  });
});

describeWith(['hclfmt'], 'HashiCorp’s parser, of BGP', () => {
  test.each<[string, JsonObject, CounterpartOptions]>([
    ['one tunnel', dynamic(1), {}],
    ['four tunnels', dynamic(4), {}],
    ['a password', dynamic(2, {}, PASSWORD), {}],
    ['a hostile password', dynamic(2, {}, PASSWORD), { bgpPassword: KEY }],
  ])('reads the file of %s, which is formatted', (_what, values, options) => {
    const file = toldTerraform(values, options);
    expect(hclfmt(file)).toEqual({ complaints: '', formatted: file });
  });
});

describe('what Google Cloud cannot be is refused', () => {
  test.each([
    [
      site(3),
      'gateways: have another number of addresses in tunnels with the preset gcp than an external VPN gateway: 1, 2 or 4, got 3; ',
    ],
    [site(5), 'gateways: have another number of addresses'],
    [site(1, { mode: 'policy' }), 'tunnels.primary.mode: is policy, but HA VPN takes its routes by BGP only; '],
    [
      site(1, { children: { only: { remoteTs: ['10.1.2.0/24'] } } }),
      'tunnels.primary.children: has traffic selectors, and HA VPN has none; ',
    ],
    [
      site(1, { postQuantumKey: { id: 'ppk', existingSecret: 'ppk' } }),
      'tunnels.primary.postQuantumKey: is not possible: Cloud VPN knows no post-quantum keys; ',
    ],
  ])('case %#', (values, sentence) => {
    expect(problems(values).split('\n')).toEqual([expect.stringContaining(sentence)]);
  });

  test('also in a tunnel that was not asked for, since its end is part of it', () => {
    expect(problems(site(2, { mode: 'policy' }), 'secondary')).toContain('tunnels.primary.mode: is policy');
  });

  test('and a tunnel with another preset', () => {
    expect(problems(site(2), 'office')).toContain('tunnels.office.preset: is not gcp');
    expect(problems(site(2))).toBe('');
  });

  test('an address beside, since the identities are those', () => {
    expect(() => shown(site(1), { address: '203.0.113.9' })).toThrow('address: is not used, since Cloud VPN knows');
  });
});

/**
 * What remote ends of each kind demand, and where it is kept: each row of the comparison of vendors is a value of the
 * preset, a check, or a sentence of the documentation.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHARTS } from '../../charts';
import { loadValues } from '../../lib/helm/load-values';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError, type Expr } from '../../lib/staged';
import type { IpsecGateways } from '../../lib/strongswan/gateways';
import { PRESET_NAMES, type PresetName } from '../../lib/strongswan/presets';

const { ipsec } = CHARTS;
const root = path.join(__dirname, '../..');
const GATEWAY = '203.0.113.10';
/** Of the first tunnel. */
const REMOTE = '198.51.100.0';
const KEY = 'Zb5uSoMHs3Y9l2RSnnq1v0ydCq0bkA';

/** A site with tunnels `t0`, `t1` and so on of a preset, each with changes of its own. */
function site(preset: PresetName, ...all: readonly JsonObject[]): JsonObject {
  const tunnel = (changes: JsonObject, i: number): JsonObject => ({
    gateway: 'a',
    preset,
    remote: { address: `198.51.100.${String(i)}`, networks: [`10.${String(i)}.0.0/16`] },
    ...(changes['certificate'] === undefined && { presharedKey: { existingSecret: 'psk' } }),
    ...changes,
  });
  return {
    cluster: { podCidrs: ['10.244.0.0/16'] },
    gateways: { a: { identity: GATEWAY, exposure: 'hostPort' } },
    tunnels: Object.fromEntries(all.map((changes, i) => [`t${String(i)}`, tunnel(changes, i)])),
  };
}

const PEER_AS: Readonly<Record<PresetName, number>> = { strongswan: 65_020, aws: 64_512, gcp: 64_514, azure: 65_515 };
/** Addresses inside that every kind of remote end takes: the first of the network is its own. */
const insideOf = (i: number) => ({
  local: `169.254.21.${String(4 * i + 2)}/30`,
  remote: `169.254.21.${String(4 * i + 1)}`,
});

/** The same site where the tunnels speak BGP, each with changes of its session. */
function dynamicSite(preset: PresetName, all: readonly JsonObject[], routes: JsonObject = {}): JsonObject {
  const { cluster, tunnels, ...others } = site(preset, ...all.map(() => ({})));
  return {
    ...others,
    cluster: { ...(cluster as JsonObject), nodeCidrs: ['172.27.0.0/20'] },
    routes: { mode: 'bgp', localAs: 65_010, import: { site: { cidr: '10.0.0.0/16' } }, ...routes },
    tunnels: Object.fromEntries(
      Object.entries(tunnels as JsonObject).map(([name, tunnel], i) => [
        name,
        {
          ...(tunnel as JsonObject),
          remote: { address: `198.51.100.${String(i)}` },
          inside: insideOf(i),
          bgp: { peerAs: PEER_AS[preset], ...all[i] },
        },
      ]),
    ),
  };
}

function problems(values: JsonObject): readonly string[] {
  try {
    ipsec.objects({ values });
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

/** A way in which something is kept. It throws where it is not. */
interface Proof {
  readonly is: 'a value' | 'a check' | 'a sentence';
  readonly holds: (preset: PresetName) => void;
}

type ConfigurationName = 'swanctlConf' | 'networkConf' | 'controlConf';

/** Lines of a configuration of the gateway. */
function lines(file: ConfigurationName, ...wanted: readonly string[]): Proof {
  const of = (gateways: IpsecGateways): Expr<string> => gateways.gateway('a')[file];
  return {
    is: 'a value',
    holds: (preset) => {
      const text = ipsec.text(of, { values: site(preset, {}) });
      expect(text.split('\n').map((line) => line.trim())).toEqual(expect.arrayContaining([...wanted]));
    },
  };
}

const value = (...wanted: readonly string[]): Proof => lines('swanctlConf', ...wanted);

/** Lines of FRR's configuration of the gateway about the session with the remote end, and words that are in none. */
function session(wanted: readonly string[], unwanted: readonly string[] = []): Proof {
  const neighbor = `neighbor ${insideOf(0).remote} `;
  return {
    is: 'a value',
    holds: (preset) => {
      const text = ipsec.text((gateways) => gateways.gateway('a').frrConf, { values: dynamicSite(preset, [{}]) });
      const said = text.split('\n').flatMap((line) => line.trim().split(neighbor).slice(1));
      expect(said).toEqual(expect.arrayContaining([...wanted]));
      for (const words of unwanted) expect(said.join('\n')).not.toContain(words);
    },
  };
}

/** Changes of tunnels of a site that are refused, each with these words and no others. */
function refusedIn(of: (preset: PresetName) => JsonObject, words: string, count: number): Proof {
  return {
    is: 'a check',
    holds: (preset) => {
      const said = problems(of(preset)).map((problem) => {
        const [, i, sentence] = /^tunnels\.t(\d+)\b[^:]*: (.*; .*)$/.exec(problem) ?? [undefined, undefined, problem];
        return [Number(i), sentence] as const;
      });
      const inOrder = said.toSorted(([one], [other]) => one - other);
      expect(inOrder).toEqual(Array.from({ length: count }, (_, i) => [i, expect.stringContaining(words) as string]));
    },
  };
}

/** Changes of a tunnel that are refused, each with these words and no others. */
const refused = (words: string, ...all: readonly JsonObject[]): Proof =>
  refusedIn((preset) => site(preset, ...all), words, all.length);

/** The same of its session. */
const bgpRefused = (words: string, ...all: readonly JsonObject[]): Proof =>
  refusedIn((preset) => dynamicSite(preset, all), words, all.length);

/** Changes of its session that are taken. */
function bgpTaken(...all: readonly JsonObject[]): Proof {
  return {
    is: 'a check',
    holds: (preset) => {
      expect(problems(dynamicSite(preset, all))).toEqual([]);
    },
  };
}

/** Numbers of our own that are refused, and others beside them that are not. */
function ownAs(reserved: readonly number[], free: readonly number[]): Proof {
  const said = (preset: PresetName, localAs: number): readonly string[] =>
    problems(dynamicSite(preset, [{}], { localAs }));
  return {
    is: 'a check',
    holds: (preset) => {
      for (const number of reserved)
        expect(said(preset, number)).toContainEqual(
          expect.stringMatching(/^routes\.localAs: is a number that the remote/),
        );
      for (const number of free) expect([number, said(preset, number)]).toEqual([number, []]);
    },
  };
}

function taken(...all: readonly JsonObject[]): Proof {
  return {
    is: 'a check',
    holds: (preset) => {
      expect(problems(site(preset, ...all))).toEqual([]);
    },
  };
}

const PAGE = fs.readFileSync(path.join(root, 'docs/ipsec.md'), 'utf8');

/** The text below a heading of docs/ipsec.md, with every white space as one blank. */
function section(title: string): string {
  const [, text] = PAGE.split(new RegExp(`^## ${title}$`, 'm'));
  return (text ?? '').split(/^## /m)[0]!.replaceAll(/\s+/g, ' ');
}

const BULLETS = { strongswan: '**strongSwan**', aws: '**AWS**', gcp: '**Google Cloud**', azure: '**Azure**' } as const;

/** Words of what the page says of the kind of remote end. */
function sentence(...words: readonly string[]): Proof {
  return {
    is: 'a sentence',
    holds: (preset) => {
      const bullet = section('Presets')
        .split(/ - (?=\*\*)/)
        .find((text) => text.startsWith(BULLETS[preset]));
      for (const part of words) expect(bullet).toContain(part);
    },
  };
}

/** What the table of presets says in a row. */
function cell(row: string, expected: string): Proof {
  return {
    is: 'a sentence',
    holds: (preset) => {
      const column = 2 + PRESET_NAMES.indexOf(preset);
      const found = PAGE.split('\n').find((line) => line.startsWith(`| ${row} `));
      expect(found?.split('|')[column]?.trim()).toBe(expected);
    },
  };
}

const elsewhere = (title: string, words: string): Proof => ({
  is: 'a sentence',
  holds: () => {
    expect(section(title)).toContain(words);
  },
});

const ike = (...proposals: readonly string[]): JsonObject[] => proposals.map((one) => ({ ike: { proposals: [one] } }));
const esp = (...proposals: readonly string[]): JsonObject[] => proposals.map((one) => ({ esp: { proposals: [one] } }));
const weak = (all: readonly JsonObject[]): JsonObject[] => all.map((changes) => ({ ...changes, allowWeak: true }));
const inside = (local: string, remote: string): JsonObject => ({ inside: { local, remote } });
const key = (given: string): JsonObject => ({ presharedKey: { value: given }, allowWeak: true });
const mtu = (bytes: number): JsonObject => ({ mtu: bytes });
const CERTIFICATE = { certificate: { existingSecret: 'tls' } };
const CHILDREN = {
  mode: 'policy',
  children: { one: { remoteTs: ['10.0.0.0/17'] }, two: { remoteTs: ['10.0.128.0/17'] } },
};

const IKEV2 = [value('version = 2'), elsewhere('Limits', 'IKEv1, EAP and road warriors are not supported')];
const WEAK_GROUPS = refused('has a weak algorithm', ...ike('aes256-sha256-modp1024', 'aes256-sha256-modp2048s256'));
const life = (at: 'ike' | 'esp', most: number): Proof[] => [
  taken({ [at]: { rekeySeconds: most - 1 } }),
  refused(`is not less than the ${String(most)} seconds`, { [at]: { rekeySeconds: most } }),
];
const largest = (most: number, own = most): Proof[] => [
  lines('networkConf', `most ${String(own)}`),
  cell('without `mtu` at most', String(own)),
  taken(mtu(most)),
  refused(`is more than the ${String(most)} bytes`, mtu(most + 1)),
  cell('`mtu` at most', String(most)),
];

const peers = (...numbers: readonly number[]): JsonObject[] => numbers.map((peerAs) => ({ peerAs }));
const OTHER_AS = 'is no number that a remote end of the preset';
const NO_BFD = [bgpRefused('has none: there would be no session', { bfd: {} }), cell('`bgp.bfd`', 'no')];
const PASSWORD = { password: { existingSecret: 'bgp' } };
const ANY_PASSWORD = [bgpTaken(PASSWORD), cell('`bgp.password`', 'yes')];
const NO_PASSWORD = [bgpRefused('knows no passwords of BGP', PASSWORD), cell('`bgp.password`', 'no')];
const ELSEWHERE = { peerAddress: '10.1.255.30' };
const ANYWHERE = [bgpTaken(ELSEWHERE), cell('`bgp.peerAddress`', 'any')];
const INSIDE_ONLY = [
  bgpRefused('is not inside.remote', ELSEWHERE),
  bgpTaken({ peerAddress: insideOf(0).remote }),
  cell('`bgp.peerAddress`', '`inside.remote`'),
];
const times = (keepalive: number, hold: number): Proof[] => [
  session([`timers ${String(keepalive)} ${String(hold)}`]),
  cell('BGP: keepalive, hold time', `${String(keepalive)} s, ${String(hold)} s`),
];

/** The rows of the comparison. */
interface Comparison {
  readonly IKE: readonly Proof[];
  readonly Auth: readonly Proof[];
  readonly Tunnels: readonly Proof[];
  readonly 'Phase 1 enc/int': readonly Proof[];
  readonly 'Phase 1 DH': readonly Proof[];
  readonly 'Phase 1 life': readonly Proof[];
  readonly 'Phase 2': readonly Proof[];
  readonly 'Phase 2 DH': readonly Proof[];
  readonly 'Phase 2 life': readonly Proof[];
  readonly DPD: readonly Proof[];
  readonly 'PSK format': readonly Proof[];
  readonly 'Inside CIDR': readonly Proof[];
  readonly 'MTU / MSS': readonly Proof[];
  readonly 'NAT-T': readonly Proof[];
  readonly Initiator: readonly Proof[];
  readonly Bandwidth: readonly Proof[];
  readonly ASN: readonly Proof[];
  readonly 'BGP timers': readonly Proof[];
  readonly BFD: readonly Proof[];
  readonly 'BGP password': readonly Proof[];
  readonly 'BGP address': readonly Proof[];
  readonly 'Route limits': readonly Proof[];
}

const COMPARISON: Readonly<
  Record<Exclude<PresetName, 'strongswan'>, Comparison> & {
    strongswan: Omit<Comparison, 'Bandwidth' | 'Route limits'>;
  }
> = {
  strongswan: {
    IKE: IKEV2,
    Auth: [taken({}, CERTIFICATE), refused('has both presharedKey and certificate', { ...CERTIFICATE, ...key(KEY) })],
    Tunnels: [cell('children', 'any'), taken(CHILDREN)],
    'Phase 1 enc/int': [
      value('proposals = aes256gcm16-prfsha384-ecp384,aes256-sha256-ecp256'),
      taken(...ike('chacha20poly1305-prfsha512-x25519')),
      refused('has no pseudo-random function', ...ike('aes256gcm16-ecp384')),
    ],
    'Phase 1 DH': [WEAK_GROUPS, taken(...ike('aes256-sha256-x25519-ke1_mlkem768'))],
    'Phase 1 life': [
      value('rekey_time = 14400s'),
      cell('IKE rekeying', '4 h'),
      taken({ ike: { rekeySeconds: 86_400 } }),
    ],
    'Phase 2': [value('esp_proposals = aes256gcm16-ecp384,aes256-sha256-ecp256')],
    'Phase 2 DH': [refused('has a weak algorithm', ...esp('aes256-sha256-modp1536')), taken(...esp('aes256gcm16'))],
    'Phase 2 life': [
      value('rekey_time = 3600s'),
      cell('ESP rekeying', '1 h'),
      taken({ esp: { rekeySeconds: 86_400 } }),
    ],
    DPD: [value('dpd_delay = 10s', 'dpd_action = restart')],
    'PSK format': [
      taken(key('!'), key('~'.repeat(256)), key('0x12'), key('0sYWJj')),
      refused('is not 1 to 256 printable ASCII characters', key('~'.repeat(257)), key('a b'), key('a\n'), key('')),
    ],
    'Inside CIDR': [cell('inside addresses', 'any'), taken(inside('10.255.0.1/24', '10.255.0.9'))],
    'MTU / MSS': [
      cell('`mtu` at most', '9000'),
      taken(mtu(9000)),
      elsewhere('MTU', '1,438 bytes of 1,500 for AES-GCM'),
    ],
    'NAT-T': [value('encap = yes')],
    Initiator: [lines('controlConf', '"initiates": true,'), taken({ initiate: 'never' }, { initiate: 'always' })],
    ASN: [cell('`bgp.peerAs`', 'any'), bgpTaken(...peers(1, 65_020, 4_294_967_294)), ownAs([], [7224, 65_515])],
    'BGP timers': [...times(3, 9), bgpTaken({ keepaliveSeconds: 1, holdSeconds: 3 })],
    BFD: [session([], ['bfd']), bgpTaken({ bfd: {} }), cell('`bgp.bfd`', 'yes')],
    'BGP password': ANY_PASSWORD,
    'BGP address': ANYWHERE,
  },
  aws: {
    IKE: IKEV2,
    Auth: [taken({}, CERTIFICATE), sentence('Certificates of its private authority work')],
    Tunnels: [sentence('two tunnels for a connection, each with a key of its own')],
    'Phase 1 enc/int': [
      value('proposals = aes256gcm16-prfsha384-ecp384,aes256-sha256-modp2048'),
      taken(...ike('aes128-sha256-modp2048', 'aes256-sha512-ecp521', 'aes128gcm16-prfsha384-ecp256')),
      refused(
        'has an algorithm that AWS does not know',
        ...ike('aes192-sha256-modp2048', 'chacha20poly1305-prfsha256-ecp256', 'aes256gcm12-prfsha256-ecp256'),
      ),
    ],
    'Phase 1 DH': [
      taken(
        ...['modp2048', 'modp3072', 'modp4096', 'modp6144', 'modp8192'].flatMap((dh) => ike(`aes256-sha384-${dh}`)),
      ),
      taken(...['ecp256', 'ecp384', 'ecp521'].flatMap((dh) => ike(`aes256-sha256-${dh}`))),
      taken(...weak(ike('aes256-sha1-modp1024', 'aes256-sha256-modp2048s256'))),
      refused('has an algorithm that AWS does not know', ...ike('aes256-sha256-x25519', 'aes256-sha256-ecp256bp')),
      WEAK_GROUPS,
    ],
    'Phase 1 life': [
      value('rekey_time = 25200s'),
      cell('IKE rekeying', '7 h (AWS ends it after 8 h)'),
      ...life('ike', 28_800),
    ],
    'Phase 2': [
      value('esp_proposals = aes256gcm16-ecp384,aes256-sha256-modp2048'),
      taken(...esp('aes128gcm16-modp2048', 'aes128-sha512-modp2048-noesn')),
      refused('has an algorithm that AWS does not know', ...esp('aes192gcm16-ecp384', 'aes256ctr-sha256-ecp256')),
    ],
    'Phase 2 DH': [
      taken(...esp('aes256-sha384-modp8192', 'aes256-sha256-ecp521'), ...weak(esp('aes256-sha256-modp1536'))),
      refused('has an algorithm that AWS does not know', ...esp('aes256-sha256-curve25519')),
    ],
    'Phase 2 life': [value('rekey_time = 3240s'), cell('ESP rekeying', '54 min (AWS: 1 h)'), ...life('esp', 3600)],
    DPD: [
      value('dpd_delay = 10s'),
      sentence('its DPD timeout (40 s, at least 30 s)', 'timeout action to `restart`', '`clear`'),
    ],
    'PSK format': [
      taken(key('abcdefgh'), key('A.z_9'.repeat(12))),
      refused(
        'is not what AWS takes',
        key('abcdefg'),
        key('a'.repeat(65)),
        key(`0${'a'.repeat(30)}`),
        key(`${'a'.repeat(30)}-`),
        key(`${'a'.repeat(30)}+`),
      ),
      cell('pre-shared key', '20 to 64 letters, digits, dots, underscores; no 0 in front'),
    ],
    'Inside CIDR': [
      taken(
        inside('169.254.6.2/30', '169.254.6.1'),
        inside('169.254.0.6/30', '169.254.0.5'),
        inside('169.254.255.254/30', '169.254.255.253'),
        inside('fd00:1::2/126', 'fd00:1::1'),
      ),
      refused(
        'is in no network that AWS takes',
        ...[0, 1, 2, 3, 4, 5].map((third) => inside(`169.254.${String(third)}.2/30`, `169.254.${String(third)}.1`)),
        inside('169.254.169.254/30', '169.254.169.253'),
        inside('169.254.6.2/29', '169.254.6.1'),
        inside('10.0.0.2/30', '10.0.0.1'),
        inside('fd00:1::2/64', 'fd00:1::1'),
        inside('2001:db8::2/126', '2001:db8::1'),
      ),
      refused(
        'is not the first address of the network',
        inside('169.254.6.1/30', '169.254.6.2'),
        inside('fd00:1::1/126', 'fd00:1::2'),
      ),
    ],
    'MTU / MSS': largest(1446),
    'NAT-T': [value('encap = yes')],
    Initiator: [
      lines('controlConf', '"initiates": true,'),
      value('dpd_action = restart', 'close_action = start'),
      refused('is begun by nobody', { initiate: 'never' }),
      elsewhere('Who begins', 'AWS: set the startup action to `start`'),
    ],
    Bandwidth: [sentence('A tunnel carries 1.25 Gbit/s, a large one 5 Gbit/s')],
    ASN: [
      bgpTaken(...peers(64_512, 65_534, 4_200_000_000, 4_294_967_294, 7224, 9059, 10_124, 17_493)),
      bgpRefused(OTHER_AS, ...peers(64_511, 4_199_999_999, 16_509)),
      ownAs([7224], [7223, 7225, 64_513]),
      cell('`bgp.peerAs`', '64512 to 65534, 4200000000 and more, or 7224, 9059, 10124, 17493'),
      sentence('our number may not be 7224'),
    ],
    'BGP timers': times(10, 30),
    BFD: NO_BFD,
    'BGP password': [...NO_PASSWORD, sentence('there are no passwords')],
    'BGP address': INSIDE_ONLY,
    'Route limits': [sentence('a virtual private gateway takes 100 prefixes, a transit gateway 1,000')],
  },
  gcp: {
    IKE: IKEV2,
    Auth: [taken({}), refused('is not possible: Cloud VPN knows pre-shared keys only', CERTIFICATE)],
    Tunnels: [sentence('An HA VPN gateway has two interfaces')],
    'Phase 1 enc/int': [
      value('proposals = aes256gcm16-prfsha512-ecp384,aes256gcm16-prfsha512-modp4096'),
      taken(...ike('aes128gcm16-prfsha256-ecp256', 'aes192gcm16-prfsha384-ecp384', 'aes256-sha256-modp2048')),
      refused('has no pseudo-random function', ...ike('aes256gcm16-ecp384')),
    ],
    'Phase 1 DH': [
      taken(...['modp2048', 'modp3072', 'modp4096', 'modp8192'].flatMap((dh) => ike(`aes256-sha256-${dh}`))),
      taken(...['ecp256', 'ecp384', 'ecp521', 'curve25519'].flatMap((dh) => ike(`aes256-sha256-${dh}`))),
      refused('has a weak algorithm', ...ike('aes256-sha256-modp1024', 'aes256-sha256-modp1024s160')),
    ],
    'Phase 1 life': [value('rekey_time = 32400s'), cell('IKE rekeying', '9 h (Google: 10 h)'), ...life('ike', 36_000)],
    'Phase 2': [
      value('esp_proposals = aes256gcm16-ecp384'),
      refused('has no key exchange, which Cloud VPN wants in both phases', ...esp('aes256gcm16', 'aes256-sha256')),
      refused(
        'has an algorithm that Cloud VPN does not know',
        ...esp('aes256-sha256-none', 'aes256-sha384-ecp384'),
        ...ike('chacha20poly1305-prfsha256-x25519'),
      ),
    ],
    'Phase 2 DH': [
      taken(
        ...esp('aes256gcm16-modp4096', 'aes128-sha256-x25519', 'aes256-sha512-ecp521', 'aes256-sha256-modp2048-noesn'),
      ),
      refused('has a weak algorithm', ...esp('aes256-sha256-modp1536')),
    ],
    'Phase 2 life': [
      value('rekey_time = 9720s'),
      cell('ESP rekeying', '2 h 42 min (Google: 3 h)'),
      ...life('esp', 10_800),
    ],
    DPD: [value('dpd_delay = 30s'), sentence('a dead peer detection of its own')],
    'PSK format': [taken(key('!'), key('~'.repeat(256))), sentence('advises 32 random characters or more')],
    'Inside CIDR': [
      taken(
        inside('169.254.0.2/30', '169.254.0.1'),
        inside('169.254.0.5/30', '169.254.0.6'),
        inside('fdff:1::2/126', 'fdff:1::1'),
      ),
      refused(
        'is in no network from which Cloud Router takes addresses',
        inside('169.254.0.2/29', '169.254.0.1'),
        inside('10.0.0.2/30', '10.0.0.1'),
        inside('fd00:1::2/126', 'fd00:1::1'),
      ),
    ],
    'MTU / MSS': [...largest(1406, 1390), sentence('1,460 bytes on their way', '`mtu` may be 1398 with AES-GCM alone')],
    'NAT-T': [value('encap = yes'), sentence('also as identity and behind a NAT')],
    Initiator: [lines('controlConf', '"initiates": true,'), taken({ initiate: 'never' })],
    Bandwidth: [sentence('3 Gbit/s and 250,000 packets/s')],
    ASN: [
      bgpTaken(...peers(64_512, 65_534, 4_200_000_000, 4_294_967_294, 16_550)),
      bgpRefused(OTHER_AS, ...peers(64_511, 4_199_999_999, 15_169)),
      cell('`bgp.peerAs`', '64512 to 65534, 4200000000 on, or 16550'),
    ],
    'BGP timers': [...times(20, 60), sentence('keepalive interval is 20 to 60 s, and its hold time three of them')],
    BFD: NO_BFD,
    'BGP password': ANY_PASSWORD,
    'BGP address': INSIDE_ONLY,
    'Route limits': [sentence('How many prefixes it takes is a quota of the project')],
  },
  azure: {
    IKE: IKEV2,
    Auth: [taken({}, CERTIFICATE), sentence('know certificates beside pre-shared keys')],
    Tunnels: [sentence('one tunnel, or in active-active mode two, to each of our gateways')],
    'Phase 1 enc/int': [
      value('proposals = aes256-sha384-ecp384,aes256-sha256-modp2048'),
      sentence('exactly one of the combinations above'),
      taken(...ike('aes128-sha256-modp2048', 'aes192-sha384-ecp256', 'aes256gcm16-prfsha384-ecp384')),
      refused(
        'has an algorithm that Azure does not know',
        ...ike('aes256-sha512-modp2048', 'aes192gcm16-prfsha256-ecp256', 'chacha20poly1305-prfsha256-ecp256'),
      ),
    ],
    'Phase 1 DH': [
      taken(...ike('aes256-sha256-modp2048', 'aes256-sha256-ecp256', 'aes256-sha256-ecp384')),
      taken(...weak(ike('aes256-sha256-modp1024', 'aes256-sha256-modp2048s256'))),
      refused('has an algorithm that Azure does not know', ...ike('aes256-sha256-modp3072', 'aes256-sha256-ecp521')),
      WEAK_GROUPS,
      sentence('offers group 2 unless it has a custom policy'),
    ],
    'Phase 1 life': [value('rekey_time = 25200s'), cell('IKE rekeying', '7 h (Azure: 8 h)'), ...life('ike', 28_800)],
    'Phase 2': [
      value('esp_proposals = aes256gcm16-ecp384'),
      taken(...esp('aes192gcm16-ecp256', 'aes128-sha256-modp2048')),
      refused('has an algorithm that Azure does not know', ...esp('aes256-sha384-ecp384', 'aes256gcm12-ecp384')),
    ],
    'Phase 2 DH': [
      taken(...esp('aes256gcm16', 'aes256-sha256-none', 'aes256-sha256-ecp256'), ...weak(esp('aes256gcm16-modp1024'))),
      refused('has an algorithm that Azure does not know', ...esp('aes256-sha256-ecp521', 'aes256gcm16-modp4096')),
    ],
    'Phase 2 life': [
      value('rekey_time = 24300s'),
      cell('ESP rekeying', '6 h 45 min (Azure: 7 h 30 min)'),
      ...life('esp', 27_000),
      sentence('102,400,000 KB'),
    ],
    DPD: [value('dpd_delay = 45s'), sentence('its DPD timeout (45 s, or 9 to 3,600 s)')],
    'PSK format': [
      taken(key('!'), key('}'.repeat(128)), key(',.'.repeat(20))),
      refused('is not what Azure takes', key('a'.repeat(129)), key('a b'), key(`${KEY}-`), key(`${KEY}~`)),
      cell('pre-shared key', '20 to 128 printable characters, no hyphens and tildes'),
    ],
    'Inside CIDR': [
      taken(
        inside('169.254.21.2/30', '169.254.21.1'),
        inside('169.254.22.254/30', '169.254.22.253'),
        inside('10.255.0.2/30', '10.255.0.1'),
      ),
      refused(
        'is not in 169.254.21.0 to 169.254.22.255',
        inside('169.254.20.2/30', '169.254.20.1'),
        inside('169.254.23.2/30', '169.254.23.1'),
      ),
    ],
    'MTU / MSS': [...largest(1400), sentence('packets of at most 1,400 bytes', 'a TCP MSS of 1,350')],
    'NAT-T': [value('encap = yes'), sentence('Behind a NAT let the gateway begin')],
    Initiator: [
      lines('controlConf', '"initiates": true,'),
      taken({ initiate: 'never' }),
      sentence('never begins BGP over inside addresses of its own'),
    ],
    Bandwidth: [sentence('What a tunnel carries depends on the SKU')],
    ASN: [
      bgpTaken(...peers(65_515, 65_001)),
      ownAs(
        [8074, 8075, 12_076, 64_496, 64_511, 65_515, 65_517, 65_520, 65_535, 65_551],
        [8073, 8076, 64_512, 65_514, 65_516, 65_521, 65_534, 65_552],
      ),
      cell('`bgp.peerAs`', 'any'),
      sentence('8074, 8075, 12076, 23456, 64496 to 64511, 65515, 65517 to 65520 or 65535 to 65551'),
    ],
    'BGP timers': [
      ...times(60, 180),
      bgpTaken({ holdSeconds: 180 }, { holdSeconds: 240 }),
      bgpRefused('is less than what a remote end of the preset azure takes', {
        keepaliveSeconds: 10,
        holdSeconds: 179,
      }),
    ],
    BFD: NO_BFD,
    'BGP password': NO_PASSWORD,
    'BGP address': ANYWHERE,
    'Route limits': [sentence('It takes 4,000 prefixes')],
  },
};

/** Behaviours that no parameter says. */
const BEHAVIOURS: Readonly<Partial<Record<PresetName, Readonly<Record<string, readonly Proof[]>>>>> = {
  aws: {
    'tunnel endpoint replacement takes one tunnel down at a time': [
      sentence('takes one down at a time for maintenance'),
    ],
    'signalled by lower MED; only honoured if both tunnels have equal weight': [
      sentence('by a lower MED, which counts as long as both tunnels are equal otherwise'),
    ],
    'VGW: no ECMP; TGW: ECMP over BGP only': [sentence('Only a transit gateway uses both tunnels at once')],
    'fragment before encryption, clear DF on tunnel': [
      value('copy_df = no'),
      sentence('It fragments before it encrypts'),
    ],
    'remote id = outside IP of the tunnel; different PSK per tunnel': [
      value(`remote_addrs = ${REMOTE}`, `id = "${REMOTE}"`),
      refused('is missing, and aws has a known one', {
        remote: { identity: REMOTE, networks: ['10.0.0.0/16'], initiates: true },
      }),
      sentence('each with a key of its own'),
    ],
    'proposal list evaluated from its lowest configured value': [sentence('pin the tunnel options')],
  },
  gcp: {
    'external VPN gateway redundancy types': [
      sentence('SINGLE_IP_INTERNALLY_REDUNDANT', 'TWO_IPS_REDUNDANCY', 'FOUR_IPS_REDUNDANCY'),
    ],
    'one CHILD_SA holds all CIDRs': [
      value('local_ts = 0.0.0.0/0', 'remote_ts = 0.0.0.0/0'),
      refused('has several entries, but gcp has one child SA', CHILDREN),
      cell('children', 'one'),
    ],
    'peer must present its public IPv4 as IKE id': [
      value(`id = "${GATEWAY}"`, `id = "${REMOTE}"`),
      refused('is not a public IPv4 address', { localIdentity: 'vpn.example.com' }, { localIdentity: '2001:db8::1' }),
      taken({ localIdentity: '203.0.113.99' }),
    ],
    'same single cipher on both tunnels': [
      value('esp_proposals = aes256gcm16-ecp384'),
      sentence('Give all its tunnels the same proposals'),
    ],
  },
  azure: {
    'default group 2 is weak; custom policy must match exactly one combo; GCM requires integrity = same GCM': [
      WEAK_GROUPS,
      sentence('exactly one of the combinations above', 'for AES-GCM the same algorithm as integrity'),
    ],
    'timers never negotiate below 60/180: a dead tunnel is detected by IKE DPD, not BGP': [
      sentence('It keeps to its times of BGP whatever ours are', 'shows by dead peer detection first'),
    ],
    'needs host route to the BGP peer IP (in GatewaySubnet); multihop eBGP': [
      session(['ebgp-multihop 255']),
      bgpTaken(ELSEWHERE),
      sentence('which is `bgp.peerAddress`'),
    ],
    'with APIPA the on-prem side must open TCP 179': [session([], ['passive'])],
  },
};

describe.each(PRESET_NAMES)('%s', (preset) => {
  const rows = Object.entries({ ...COMPARISON[preset], ...BEHAVIOURS[preset] } as Record<string, readonly Proof[]>);
  test.each(
    rows.map(([row, proofs]) => [row, [...new Set(proofs.map(({ is }) => is))].join(' and '), proofs] as const),
  )('%s: %s', (_row, _kinds, proofs) => {
    expect(proofs).not.toEqual([]);
    for (const { holds } of proofs) holds(preset);
  });
});

describe('a full example', () => {
  const folder = path.join(root, 'values/examples/ipsec');
  const tunnels = fs.readdirSync(folder).flatMap((name) => {
    const { values } = loadValues({ files: [path.join(folder, name)] });
    expect(ipsec.objects({ values })).not.toEqual([]);
    return Object.values(values['tunnels'] as Record<string, JsonObject>);
  });

  test.each(['strongswan', 'aws', 'azure'])('is there for %s', (preset) => {
    expect(tunnels.map((tunnel) => tunnel['preset'] ?? 'strongswan')).toContain(preset);
  });

  test('has for AWS two tunnels to two addresses, with a key and a network of their own', () => {
    const aws = tunnels.filter((tunnel) => tunnel['preset'] === 'aws');
    expect(aws).toHaveLength(2);
    const different = (of: (tunnel: JsonObject) => unknown): number =>
      new Set(aws.map((one) => JSON.stringify(of(one)))).size;
    expect(different(({ remote }) => (remote as JsonObject)['address'])).toBe(2);
    expect(different(({ presharedKey }) => presharedKey)).toBe(2);
    expect(different(({ inside: network }) => network)).toBe(2);
  });

  test('has for Azure the MTU that it wants', () => {
    expect(tunnels.find((tunnel) => tunnel['preset'] === 'azure')?.['mtu']).toBe(1400);
  });
});

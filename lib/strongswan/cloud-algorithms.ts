import { and, check, each, eq, filter, matches, not, or, split, type Each, type Expr } from '../staged';
import { WEAK } from './presets';
import type { TunnelValues } from './tunnel';

/** Algorithms as a cloud names them, the preferred first, each with strongSwan's keywords for it. */
export type Names = Readonly<Record<string, readonly string[]>>;

/** The algorithms of one phase. A pseudo-random function follows from the integrity algorithm where none is named. */
export interface Phase {
  readonly encryption: Names;
  readonly integrity: Names;
  readonly prf: Names;
  readonly groups: Names;
}

/** What a cloud can do, under its own names. */
export interface CloudAlgorithms {
  /** As a sentence names it. */
  readonly cloud: string;
  readonly ike: Phase;
  readonly esp: Phase;
}

const SHA = {
  1: ['sha1'],
  256: ['sha256', 'sha2_256'],
  384: ['sha384', 'sha2_384'],
  512: ['sha512', 'sha2_512'],
} as const;
const PRF = { 1: ['prfsha1'], 256: ['prfsha256'], 384: ['prfsha384'], 512: ['prfsha512'] } as const;

const AWS_ENCRYPTION: Names = {
  'AES256-GCM-16': ['aes256gcm16', 'aes256gcm128'],
  'AES128-GCM-16': ['aes128gcm16', 'aes128gcm128'],
  AES256: ['aes256'],
  AES128: ['aes128', 'aes'],
};
const AWS_GROUPS: Names = {
  14: ['modp2048'],
  15: ['modp3072'],
  16: ['modp4096'],
  17: ['modp6144'],
  18: ['modp8192'],
  19: ['ecp256'],
  20: ['ecp384'],
  21: ['ecp521'],
  22: ['modp1024s160'],
  23: ['modp2048s224'],
  24: ['modp2048s256'],
  2: ['modp1024'],
};

/** AWS, `VpnTunnelOptionsSpecification` (EC2 API). It takes the pseudo-random function from the integrity algorithms. */
export const AWS_ALGORITHMS: CloudAlgorithms = {
  cloud: 'AWS',
  ike: {
    encryption: AWS_ENCRYPTION,
    integrity: {
      'SHA2-512': [...SHA[512], ...PRF[512]],
      'SHA2-384': [...SHA[384], ...PRF[384]],
      'SHA2-256': [...SHA[256], ...PRF[256]],
      SHA1: [...SHA[1], ...PRF[1]],
    },
    prf: {},
    groups: AWS_GROUPS,
  },
  esp: {
    encryption: AWS_ENCRYPTION,
    integrity: { 'SHA2-512': SHA[512], 'SHA2-384': SHA[384], 'SHA2-256': SHA[256], SHA1: SHA[1] },
    prf: {},
    groups: { ...AWS_GROUPS, 5: ['modp1536'] },
  },
};

const GCP_ENCRYPTION: Names = {
  'AES-GCM-16-256': ['aes256gcm16', 'aes256gcm128'],
  'AES-GCM-16-192': ['aes192gcm16', 'aes192gcm128'],
  'AES-GCM-16-128': ['aes128gcm16', 'aes128gcm128'],
  'AES-CBC-256': ['aes256'],
  'AES-CBC-192': ['aes192'],
  'AES-CBC-128': ['aes128', 'aes'],
};
const GCP_GROUPS: Names = {
  'Group-20': ['ecp384'],
  'Group-21': ['ecp521'],
  'Group-19': ['ecp256'],
  'Group-31': ['x25519', 'curve25519'],
  'Group-16': ['modp4096'],
  'Group-17': ['modp6144'],
  'Group-18': ['modp8192'],
  'Group-15': ['modp3072'],
  'Group-14': ['modp2048'],
  'modp-2048-256': ['modp2048s256'],
  'modp-2048-224': ['modp2048s224'],
  'Group-5': ['modp1536'],
  'Group-2': ['modp1024'],
  'modp-1024-160': ['modp1024s160'],
};

/** Google Cloud, "Supported IKE ciphers": the values of a tunnel's `cipherSuite`. */
export const GCP_ALGORITHMS: CloudAlgorithms = {
  cloud: 'Cloud VPN',
  ike: {
    encryption: GCP_ENCRYPTION,
    integrity: {
      'HMAC-SHA2-512-256': SHA[512],
      'HMAC-SHA2-384-192': SHA[384],
      'HMAC-SHA2-256-128': SHA[256],
      'HMAC-SHA1-96': SHA[1],
    },
    prf: {
      'PRF-HMAC-SHA2-512': [...PRF[512], ...SHA[512]],
      'PRF-HMAC-SHA2-384': [...PRF[384], ...SHA[384]],
      'PRF-HMAC-SHA2-256': [...PRF[256], ...SHA[256]],
      'PRF-HMAC-SHA1': [...PRF[1], ...SHA[1]],
    },
    groups: GCP_GROUPS,
  },
  esp: {
    encryption: GCP_ENCRYPTION,
    integrity: { 'HMAC-SHA2-512-256': SHA[512], 'HMAC-SHA2-256-128': SHA[256], 'HMAC-SHA1-96': SHA[1] },
    prf: {},
    groups: GCP_GROUPS,
  },
};

const oneOf = (keywords: readonly string[]): string => `(?:${keywords.join('|')})`;
const keywordsOf = (...tables: readonly Names[]): readonly string[] => [
  ...new Set(tables.flatMap((table) => Object.values(table).flat())),
];
/** What is advised: one keyword for each, and no weak one. */
const strongOf = (...tables: readonly Names[]): string =>
  tables
    .flatMap((table) => Object.values(table).flatMap((keywords) => keywords.slice(0, 1)))
    .filter((keyword) => !WEAK.test(keyword))
    .join(', ');

/** Proposals, with commas between them, of which one has one of these keywords. */
const having = (keywords: readonly string[]): RegExp =>
  new RegExp(`^(?:[a-z0-9_,-]*[,-])?${oneOf(keywords)}(?:[,-][a-z0-9_,-]*)?$`);

/** The names of a table that stand in proposals. */
function namesIn(table: Names, proposals: Expr<string>): Expr<readonly string[]> {
  return filter(split(' ', Object.keys(table).join(' ')), (name) =>
    or(
      ...Object.entries(table).map(([known, keywords]) =>
        and(eq<string>(name, known), matches(having(keywords), proposals)),
      ),
    ),
  );
}

/** What a cloud is told instead of proposals. A list is empty where it has nothing to choose. */
export type SuiteNames = { readonly [K in keyof Phase]: Expr<readonly string[]> };

export function suiteNames({ encryption, integrity, prf, groups }: Phase, proposals: Expr<string>): SuiteNames {
  return {
    encryption: namesIn(encryption, proposals),
    integrity: namesIn(integrity, proposals),
    prf: namesIn(prf, proposals),
    groups: namesIn(groups, proposals),
  };
}

/** What of a tunnel's own proposals a cloud cannot do. */
export function algorithmRules(t: TunnelValues, { cloud, ike, esp }: CloudAlgorithms): Each<unknown>[] {
  const phases = [
    [t.ike.proposals, ike],
    [t.esp.proposals, esp],
  ] as const;
  return phases.map(([proposals, { encryption, integrity, prf, groups }]) => {
    const keywords = keywordsOf(encryption, integrity, prf, groups);
    const known = new RegExp(`^${oneOf(keywords)}(?:-${oneOf([...keywords, 'noesn'])})*$`);
    return each(proposals, (proposal) => [
      check({
        failsIf: not(matches(known, proposal)),
        at: proposal,
        problem: `has an algorithm that ${cloud} does not know`,
        got: proposal,
        remedy: `choose among ${strongOf(encryption, integrity, prf, groups)}`,
      }),
      check({
        failsIf: and(matches(known, proposal), not(matches(having(keywordsOf(groups)), proposal))),
        at: proposal,
        problem: `has no key exchange, which ${cloud} wants in both phases`,
        got: proposal,
        remedy: 'add one, such as ecp384',
      }),
    ]);
  });
}

import type { z } from 'zod';
import type { ipsecValues } from '../../values/ipsec';

export type PresetName = NonNullable<z.output<typeof ipsecValues>['tunnels'][string]['preset']>;

/** A rule of pre-shared keys. The same words are said when the chart is rendered and in the pod. */
export interface KeyRule {
  /** What a good key matches. */
  readonly pattern: RegExp;
  readonly problem: string;
  readonly remedy: string;
}

/** Numbers of autonomous systems, from the first to the last. */
export type AsRange = readonly [first: number, last: number];

/** How a kind of remote end speaks BGP. */
export interface BgpPreset {
  readonly keepaliveSeconds: number;
  readonly holdSeconds: number;
  /** The shortest hold time that the remote end takes from us: of both ends' the shorter one counts. */
  readonly leastHoldSeconds: number;
  /** How many hops packets of the session may take; 1: to the next one. */
  readonly multihopTtl: number;
  /** Whether the remote end can do BFD. */
  readonly bfd: boolean;
  /** Whether the remote end knows passwords (TCP MD5, RFC 2385). */
  readonly passwords: boolean;
  /** Whether the remote end speaks from its address inside the tunnel (`inside.remote`) alone. */
  readonly insideOnly: boolean;
  /** Numbers that our autonomous system may not have. */
  readonly reservedAs: readonly AsRange[];
  /** Numbers that the remote end's autonomous system can have; empty: any. */
  readonly peerAs: readonly AsRange[];
}

/** What a kind of remote end demands. */
export interface Preset {
  /** Proposals for the IKE SA, the preferred first. */
  readonly ikeProposals: string;
  /** Proposals for the child SAs. Those of AES-GCM stand in proposals of their own, since they have no integrity algorithm. */
  readonly espProposals: string;
  /** Less than the remote end's lifetime, so that we rekey: lifetimes are not negotiated in IKEv2. */
  readonly ikeRekeySeconds: number;
  readonly espRekeySeconds: number;
  readonly dpdDelaySeconds: number;
  readonly replayWindow: number;
  readonly copyDf: boolean;
  /** The largest packet that the remote end takes out of the tunnel, in bytes; 0: any that fits. */
  readonly mtuBytes: number;
  /** Whether the remote end begins by itself. */
  readonly initiates: boolean;
  /** Whether the remote end takes packets only from the address that it was told. */
  readonly wantsExposedAddress: boolean;
  readonly keyRule: KeyRule;
  readonly bgp: BgpPreset;
}

/** Numbers that anybody may use (RFC 6996). */
const PRIVATE_AS: readonly AsRange[] = [
  [64_512, 65_534],
  [4_200_000_000, 4_294_967_294],
];

/** The shortest hold time that there is (RFC 4271, 4.2). */
const LEAST_HOLD_SECONDS = 3;

const MAKE_KEY = 'make one with `openssl rand -base64 33`';

const PRINTABLE: KeyRule = {
  pattern: /^[!-~]{1,256}$/,
  problem: 'is not 1 to 256 printable ASCII characters without blanks',
  remedy: MAKE_KEY,
};

/** What protects from guessing, which an attacker in the path can do offline (RFC 7296, 2.15). */
export const STRONG_KEY: KeyRule = {
  pattern: /^[!-~]{20,256}$/,
  problem: 'has less than 20 characters, so that it can be guessed',
  remedy: `${MAKE_KEY}, or set allowWeak to true`,
};

/** Algorithms that strongSwan's own documentation calls weak. */
export const WEAK =
  /^(?:[a-z0-9_]+-)*(?:des|3des|blowfish(?:128|192|256)?|cast128|null|aes(?:128|192|256)gmac|md5|md5_128|sha|sha1|sha1_160|prfmd5|prfsha1|modpnull|modp768|modp1024|modp1536|modp1024s160|modp2048s224|modp2048s256|ecp192)(?:-[a-z0-9_]+)*$/;

/**
 * The presets by name.
 *
 * Sources: AWS, `CreateVpnConnection` (EC2 API) and its sample configurations; Google Cloud, "Supported IKE ciphers" and "HA VPN
 * topologies"; Azure, "About cryptographic requirements", "About VPN devices" and "VPN Gateway FAQ"; strongSwan, swanctl.conf(5).
 *
 * Of BGP: AWS, "Customer gateway options", "Site-to-Site VPN quotas" and its sample configurations; Google Cloud, "Manage BGP timers",
 * "ASN requirements", "Bidirectional Forwarding Detection for Cloud Router" and "Use MD5 authentication"; Azure, "About BGP and VPN
 * Gateway", "BGP FAQ", and Microsoft.Network/virtualNetworkGateways, whose `bgpSettings` have no password.
 */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  strongswan: {
    ikeProposals: 'aes256gcm16-prfsha384-ecp384,aes256-sha256-ecp256',
    espProposals: 'aes256gcm16-ecp384,aes256-sha256-ecp256',
    ikeRekeySeconds: 14_400,
    espRekeySeconds: 3600,
    dpdDelaySeconds: 10,
    replayWindow: 128,
    copyDf: true,
    mtuBytes: 0,
    initiates: true,
    wantsExposedAddress: false,
    keyRule: PRINTABLE,
    bgp: {
      keepaliveSeconds: 3,
      holdSeconds: 9,
      leastHoldSeconds: LEAST_HOLD_SECONDS,
      multihopTtl: 1,
      bfd: true,
      passwords: true,
      insideOnly: false,
      reservedAs: [],
      peerAs: [],
    },
  },
  aws: {
    ikeProposals: 'aes256gcm16-prfsha384-ecp384,aes256-sha256-modp2048',
    espProposals: 'aes256gcm16-ecp384,aes256-sha256-modp2048',
    ikeRekeySeconds: 25_200,
    espRekeySeconds: 3240,
    dpdDelaySeconds: 10,
    replayWindow: 1024,
    copyDf: false,
    mtuBytes: 1446,
    initiates: false,
    wantsExposedAddress: true,
    keyRule: {
      pattern: /^[A-Za-z1-9._][A-Za-z0-9._]{7,63}$/,
      problem: 'is not what AWS takes: 8 to 64 letters, digits, dots and underscores, no 0 in front',
      remedy: 'make one with `openssl rand -hex 24 | sed s/^0/1/`',
    },
    bgp: {
      keepaliveSeconds: 10,
      holdSeconds: 30,
      leastHoldSeconds: LEAST_HOLD_SECONDS,
      multihopTtl: 1,
      bfd: false,
      passwords: false,
      insideOnly: true,
      reservedAs: [[7224, 7224]],
      // The four are those of gateways from before 2018, each in its regions.
      peerAs: [[7224, 7224], [9059, 9059], [10_124, 10_124], [17_493, 17_493], ...PRIVATE_AS],
    },
  },
  gcp: {
    ikeProposals: 'aes256gcm16-prfsha512-ecp384,aes256gcm16-prfsha512-modp4096',
    espProposals: 'aes256gcm16-ecp384',
    ikeRekeySeconds: 32_400,
    espRekeySeconds: 9720,
    dpdDelaySeconds: 30,
    replayWindow: 128,
    copyDf: true,
    mtuBytes: 1390,
    initiates: true,
    wantsExposedAddress: true,
    keyRule: PRINTABLE,
    bgp: {
      keepaliveSeconds: 20,
      holdSeconds: 60,
      leastHoldSeconds: LEAST_HOLD_SECONDS,
      multihopTtl: 1,
      bfd: false,
      passwords: true,
      insideOnly: true,
      reservedAs: [],
      peerAs: [[16_550, 16_550], ...PRIVATE_AS],
    },
  },
  azure: {
    ikeProposals: 'aes256-sha384-ecp384,aes256-sha256-modp2048',
    espProposals: 'aes256gcm16-ecp384',
    ikeRekeySeconds: 25_200,
    espRekeySeconds: 24_300,
    dpdDelaySeconds: 45,
    replayWindow: 128,
    copyDf: true,
    mtuBytes: 1400,
    initiates: true,
    wantsExposedAddress: true,
    keyRule: {
      pattern: /^[!-,.-}]{1,128}$/,
      problem: 'is not what Azure takes: 1 to 128 printable ASCII characters without blanks, hyphens and tildes',
      remedy: MAKE_KEY,
    },
    bgp: {
      keepaliveSeconds: 60,
      holdSeconds: 180,
      // It goes on with its own times, whatever is less.
      leastHoldSeconds: 180,
      // Its address lies in the subnet of the gateway, behind the end of the tunnel.
      multihopTtl: 255,
      bfd: false,
      passwords: false,
      insideOnly: false,
      reservedAs: [
        [8074, 8075],
        [12_076, 12_076],
        [23_456, 23_456],
        [64_496, 64_511],
        [65_515, 65_515],
        [65_517, 65_520],
        [65_535, 65_551],
      ],
      peerAs: [],
    },
  },
};

export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];

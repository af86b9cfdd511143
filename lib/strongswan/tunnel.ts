import type { z } from 'zod';
import {
  add,
  adler32,
  and,
  choose,
  chooseSet,
  contains,
  div,
  eq,
  isSet,
  join,
  lookup,
  matches,
  mod,
  mul,
  named,
  ne,
  networkBits,
  not,
  or,
  orElse,
  pathOf,
  some,
  split,
  sub,
  text,
  when,
  whenSet,
  type Expr,
  type Ref,
  type When,
} from '../staged';
import { IPV4_PATTERN } from '../net/address';
import { shortName } from '../../values/net';
import { ipsecValues } from '../../values/ipsec';
import { PRESET_NAMES, PRESETS, type KeyRule, type Preset } from './presets';

export type IpsecValues = Ref<z.output<typeof ipsecValues>>;
export type TunnelValues = Ref<z.output<typeof ipsecValues>['tunnels'][string]>;
export type GatewayValues = Ref<z.output<typeof ipsecValues>['gateways'][string]>;

const tunnelSchema = ipsecValues.shape.tunnels.unwrap().valueType;
const gatewaySchema = ipsecValues.shape.gateways.unwrap().valueType.optional();

/** What follows from the values of a tunnel: a template that is given the tunnel. */
function ofTunnel<T extends string | number | boolean>(
  title: string,
  of: (t: TunnelValues) => Expr<T>,
): (t: TunnelValues) => Expr<T> {
  const template = named(title, { tunnel: tunnelSchema }, ({ tunnel }) => of(tunnel));
  return (t) => template({ tunnel: t });
}

/** What the presets say of something: those that say the same stand together. */
export function byPreset<T extends string | number | boolean>(of: (preset: Preset) => T): (t: TunnelValues) => Expr<T> {
  const [last, ...others] = [...new Set(PRESET_NAMES.map((name) => of(PRESETS[name])))].toReversed();
  return (t) =>
    others.reduce<Expr<T> | T | undefined>((rest, value) => {
      const names = PRESET_NAMES.filter((name) => of(PRESETS[name]) === value);
      return choose<T>(or(...names.map((name) => eq<string>(presetOf(t), name))), value, rest as T);
    }, last) as Expr<T>;
}

/** A setting of the tunnel, else that of its preset. */
export function setting<T extends string | number | boolean>(
  title: string,
  own: (t: TunnelValues) => Expr<T | undefined>,
  preset: (preset: Preset) => T,
): (t: TunnelValues) => Expr<T> {
  const otherwise = byPreset(preset);
  return ofTunnel(title, (t) => orElse<T>(own(t), otherwise(t)));
}

/** The preset of a tunnel. */
export const presetOf = ofTunnel<string>('preset', (t) => orElse<string>(t.preset, 'strongswan'));

/** A rule of pre-shared keys for control.py. */
export function ruleJson({ pattern, problem, remedy }: KeyRule): string {
  return JSON.stringify({ pattern: pattern.source, problem, remedy });
}

export const keyRuleJson = ofTunnel(
  'keyRule',
  byPreset(({ keyRule }) => ruleJson(keyRule)),
);

/** Whether nodes and gateways are joined: an agent on every node leads packets to the gateways and back. */
export const usesFabric = (v: IpsecValues): Expr<boolean> => orElse(v.agent.enabled, eq<string>(v.routes.mode, 'bgp'));

/* Gateways. */

export const exposureOf = (gateway: GatewayValues): Expr<string> => orElse<string>(gateway.exposure, 'loadBalancer');

/** Whether what the gateway sends first leaves from the address by which it is reached. */
export const sendsFromExposedAddress = (gateway: GatewayValues): Expr<boolean> =>
  orElse(gateway.sendsFromExposedAddress, eq(exposureOf(gateway), 'hostPort'));

/** The identity of a gateway, empty if nothing gives it. */
export const gatewayIdentity = (gateway: GatewayValues): Expr<string> =>
  orElse(gateway.identity, orElse(gateway.service.loadBalancerIP, ''));

/** Whether the gateway's Service keeps the remote end's address; else tunnels are told apart by identity alone. */
const seesRemoteAddress = (gateway: GatewayValues): Expr<boolean> =>
  or(
    eq(exposureOf(gateway), 'hostPort'),
    ne(orElse<string>(gateway.service.externalTrafficPolicy, 'Local'), 'Cluster'),
  );

/* Tunnels. */

/** The gateway of a tunnel; a check refuses a tunnel without one. */
export const gatewayOf = (v: IpsecValues, t: TunnelValues): GatewayValues =>
  lookup(v.gateways, t.gateway) as unknown as GatewayValues;

/** The tunnel of a name, which there is. */
export const tunnelOf = (v: IpsecValues, name: Expr<string> | string): TunnelValues =>
  lookup(v.tunnels, name) as unknown as TunnelValues;

/** Whether what a remote end is reached by is an address, not a name. */
export const isAddress = (given: Expr<string>): Expr<boolean> => or(contains(':', given), matches(IPV4_PATTERN, given));

/** The entry of a remote end's outer address among networks, behind one that is the address alone. */
export const outerAddressOf = (t: TunnelValues, front: Expr<string> | '' = ''): When<unknown> =>
  whenSet(t.remote.address, (address) =>
    when(isAddress(address), () => text`${front}${networkBits(address)}/ ${pathOf(address)}`),
  );

export const isRouteBased = (t: TunnelValues): Expr<boolean> => eq(orElse<string>(t.mode, 'route'), 'route');
export const usesCertificate = (t: TunnelValues): Expr<boolean> => isSet(t.certificate);

/** The identity of the remote end, empty if nothing gives it. */
export const remoteIdentity = ofTunnel('remoteIdentity', (t) =>
  orElse(t.remote.identity, orElse(t.remote.address, '')),
);

/** Whether the remote end begins. */
export const remoteInitiates = setting(
  'remoteInitiates',
  (t) => t.remote.initiates,
  (preset) => preset.initiates,
);
export const wantsExposedAddress = ofTunnel(
  'wantsExposedAddress',
  byPreset((preset) => preset.wantsExposedAddress),
);

const proposals = (
  title: string,
  own: (t: TunnelValues) => Expr<readonly string[] | undefined>,
  preset: (preset: Preset) => string,
) => {
  const otherwise = byPreset(preset);
  return ofTunnel(title, (t) => chooseSet(own(t), (list) => join(',', list), otherwise(t)));
};
export const ikeProposals = proposals(
  'ikeProposals',
  (t) => t.ike.proposals,
  (preset) => preset.ikeProposals,
);
export const espProposals = proposals(
  'espProposals',
  (t) => t.esp.proposals,
  (preset) => preset.espProposals,
);
export const ikeRekeySeconds = setting(
  'ikeRekeySeconds',
  (t) => t.ike.rekeySeconds,
  (preset) => preset.ikeRekeySeconds,
);
export const espRekeySeconds = setting(
  'espRekeySeconds',
  (t) => t.esp.rekeySeconds,
  (preset) => preset.espRekeySeconds,
);
export const dpdDelaySeconds = setting(
  'dpdDelaySeconds',
  (t) => t.ike.dpdDelaySeconds,
  (preset) => preset.dpdDelaySeconds,
);
export const replayWindow = setting(
  'replayWindow',
  (t) => t.esp.replayWindow,
  (preset) => preset.replayWindow,
);
export const copyDf = setting(
  'copyDf',
  (t) => t.esp.copyDf,
  (preset) => preset.copyDf,
);

/** The largest packet that the remote end takes, in bytes; 0: any that fits. */
export const presetMtuBytes = ofTunnel(
  'presetMtuBytes',
  byPreset((preset) => preset.mtuBytes),
);

/** What follows from the values of a tunnel and of its gateway. */
function ofTunnelAndGateway<T extends string | number | boolean>(
  title: string,
  of: (t: TunnelValues, gateway: GatewayValues) => Expr<T>,
): (v: IpsecValues, t: TunnelValues) => Expr<T> {
  const template = named(title, { tunnel: tunnelSchema, gateway: gatewaySchema }, ({ tunnel, gateway }) =>
    of(tunnel, gateway as unknown as GatewayValues),
  );
  return (v, t) => template({ tunnel: t, gateway: gatewayOf(v, t) });
}

/** Our identity, empty if nothing gives it. */
export const localIdentity = ofTunnelAndGateway('localIdentity', (t, gateway) =>
  orElse(t.localIdentity, gatewayIdentity(gateway)),
);

/** Whether the gateway begins, and tries again for ever. */
export const initiates = ofTunnelAndGateway('initiates', (t, gateway) => {
  const wish = orElse<string>(t.initiate, 'auto');
  return or(eq(wish, 'always'), and(eq(wish, 'auto'), isSet(t.remote.address), sendsFromExposedAddress(gateway)));
});

/** Where the remote end is: behind a Service that hides its address it may be anywhere. */
export const remoteAddresses = ofTunnelAndGateway('remoteAddresses', (t, gateway) =>
  chooseSet(t.remote.address, (address) => choose(seesRemoteAddress(gateway), address, text`${address},%any`), '%any'),
);

/** The id of the XFRM interface: it follows from the name, so that another tunnel does not change it. */
const interfaceIdByName = named('interfaceId', { tunnel: shortName }, ({ tunnel }) =>
  add(1, mod(adler32(tunnel), 999_999)),
);
export const interfaceId = (name: Expr<string>, t: TunnelValues): Expr<number> =>
  orElse(t.interfaceId, interfaceIdByName({ tunnel: name }));
export const interfaceName = (name: Expr<string>, t: TunnelValues): Expr<string> => text`ipsec${interfaceId(name, t)}`;

/* How large a packet may be (RFC 4303, RFC 3948). */

const IPV4_UDP_BYTES = 20 + 8;
const IPV6_UDP_BYTES = 40 + 8;
/** The security parameters index and the sequence number. */
const ESP_HEADER_BYTES = 8;
/** The length of the padding and the next header, before the padding is counted. */
const ESP_TRAILER_BYTES = 2;

/** What ESP adds to a packet with the least economical of the proposals. */
export interface EspOverhead {
  /** The headers outside, the initialization vector and the integrity check value. */
  readonly fixedBytes: Expr<number>;
  /** The padding fills blocks of this size. */
  readonly blockBytes: Expr<number>;
}

export function espOverhead(proposals: Expr<string>, outerHeaderBytes: Expr<number> | number): EspOverhead {
  const any = (of: (proposal: Expr<string>) => Expr<boolean>): Expr<boolean> => some(split(',', proposals), of);
  // AES-GCM, AES-CCM and ChaCha20-Poly1305 are counter modes: no blocks, and a vector of 8 bytes.
  const inBlocks = any((proposal) =>
    not(or(contains('gcm', proposal), contains('ccm', proposal), contains('chacha20poly1305', proposal))),
  );
  const check = choose(
    any((proposal) => contains('sha512', proposal)),
    32,
    choose(
      any((proposal) => contains('sha384', proposal)),
      24,
      16,
    ),
  );
  return {
    fixedBytes: add(add(outerHeaderBytes, ESP_HEADER_BYTES), add(choose(inBlocks, 16, 8), check)),
    blockBytes: choose(inBlocks, 16, 4),
  };
}

/** IP and UDP, which stand before a packet on its way to the remote end. A host name may lead to an IPv6 address. */
export const outerHeaderBytes = (t: TunnelValues): Expr<number> =>
  chooseSet(
    t.remote.address,
    (address) => choose(matches(IPV4_PATTERN, address), IPV4_UDP_BYTES, IPV6_UDP_BYTES),
    IPV6_UDP_BYTES,
  );

/** The largest packet that fits into the tunnel where packets of `outerBytes` fit outside. */
export function innerMtu(outerBytes: Expr<number> | number, { fixedBytes, blockBytes }: EspOverhead): Expr<number> {
  const room = sub(outerBytes, fixedBytes);
  return sub(choose(eq(blockBytes, 16), mul(div(room, 16), 16), mul(div(room, 4), 4)), ESP_TRAILER_BYTES);
}

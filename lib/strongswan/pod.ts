import { forwardingContainer, forwardingSysctls } from '../kubernetes/forwarding';
import { podSpec, probeTiming, resourcesOf, rootWith, STARTUP_TIMING } from '../kubernetes/pod';
import { BGP_PASSWORDS } from '../frr/fabric-conf';
import { FRR_VOLUMES, frrContainer, REFLECTOR_ENVIRONMENT } from '../frr/pod';
import { add, choose, each, eq, isSet, mapOf, max, orElse, spread, text, when, whenSet, type Expr } from '../staged';
import { bgpPasswordKey } from './bgp';
import { STATE, tunnelsOf, usesIpv6 } from './config';
import { AUTHORITIES, CERTIFICATES, GIVEN_KEYS, POST_QUANTUM_KEYS, SHARED_KEYS, sharedKeyKey } from './control';
import { exposureOf, usesFabric, type GatewayValues, type IpsecValues } from './tunnel';

/** The UDP ports of IKE, and of IKE and ESP behind a NAT (RFC 7296, RFC 3948). */
export const IKE_PORT = { name: 'ike', number: 500 } as const;
export const NAT_T_PORT = { name: 'nat-t', number: 4500 } as const;
/** The name of the health server's port. */
export const HEALTH_PORT = 'health';

export interface PodNames {
  readonly fullname: Expr<string>;
  readonly gateway: Expr<string>;
  /** The headless Service of all gateways. */
  readonly subdomain: Expr<string>;
  readonly config: Expr<string>;
  readonly givenKeys: Expr<string>;
  readonly serviceAccount: Expr<string>;
  readonly selectorLabels: Expr<Record<string, string>>;
  readonly image: Expr<string>;
  readonly controlImage: Expr<string>;
  readonly networkImage: Expr<string>;
  readonly frrImage: Expr<string>;
}

/** The pod of a gateway. */
export function gatewayPod(v: IpsecValues, gateway: GatewayValues, names: PodNames) {
  const forwarding = { method: v.ipForwarding.method, ipv6: usesIpv6(v), byTables: usesFabric(v) };
  const network = networkContainer(v, names);
  return {
    ...podSpec(v, v.global.imagePullSecrets),
    terminationGracePeriodSeconds: max(v.terminationGracePeriodSeconds, add(v.drainTimeoutSeconds, GRACE_SECONDS)),
    nodeSelector: mapOf<string>(v.nodeSelector, gateway.nodeSelector),
    affinity: whenSet(
      gateway.affinity,
      (own) => own,
      () => v.affinity,
    ),
    topologySpreadConstraints: [
      ...['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: names.selectorLabels },
      })),
      spread(v.topologySpreadConstraints),
    ],
    hostname: names.gateway,
    subdomain: names.subdomain,
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: mapOf<unknown>({ sysctls: forwardingSysctls(forwarding) }, v.podSecurityContext),
    initContainers: [
      spread(v.extraInitContainers),
      forwardingContainer(forwarding, {
        image: names.networkImage,
        pullPolicy: v.network.image.pullPolicy,
        resources: v.network.resources,
      }),
      // Before charon: nothing for a remote network ever passes in clear.
      { ...network, name: 'network-once', command: ['/bin/sh', '/scripts/network.sh', 'once'] },
    ],
    containers: [
      charon(v, gateway, names),
      control(v, gateway, names),
      { ...network, lifecycle: leave(v, 'network') },
      when(usesFabric(v), () => frr(v, names)),
      spread(v.extraContainers),
    ],
    volumes: volumes(v, names),
  };
}

/**
 * How long it takes beside the turn of another gateway: to withdraw routes, until nodes know it whose agents are away (120 s), and then to
 * take leave of the remote ends.
 */
const HAND_OVER_SECONDS = 145;
const GRACE_SECONDS = HAND_OVER_SECONDS + 20;

/** Of a container that does not live: it hands nothing over, and until it has ended nothing else becomes of its pod. */
const KILLED_SECONDS = 30;

const livenessTiming = (v: IpsecValues) => ({
  ...probeTiming(v.livenessProbe),
  terminationGracePeriodSeconds: KILLED_SECONDS,
});

/** Holds up the end of a container until its gateway has handed over what it carries. */
function leave(v: IpsecValues, container: string) {
  const seconds = text`${add(v.drainTimeoutSeconds, HAND_OVER_SECONDS)}`;
  return { preStop: { exec: { command: ['/bin/sh', '/scripts/leave.sh', container, seconds] } } };
}

const SCRIPTS_MOUNT = { name: 'scripts', mountPath: '/scripts', readOnly: true };
const CONFIG_MOUNT = { name: 'config', mountPath: '/config', readOnly: true };
const STATE_MOUNT = { name: 'state', mountPath: STATE };

function charon(v: IpsecValues, gateway: GatewayValues, names: PodNames) {
  const onHost = (port: number) => when(eq(exposureOf(gateway), 'hostPort'), () => port);
  return {
    name: 'charon',
    image: names.image,
    imagePullPolicy: v.strongswan.image.pullPolicy,
    command: ['/bin/sh', '/scripts/charon.sh'],
    env: [{ name: 'CHARON', value: v.strongswan.charonPath }, spread(v.extraEnv)],
    ports: [IKE_PORT, NAT_T_PORT].map(({ name, number }) => ({
      name,
      containerPort: number,
      hostPort: onHost(number),
      protocol: 'UDP',
    })),
    lifecycle: leave(v, 'charon'),
    livenessProbe: {
      exec: { command: ['swanctl', '--stats', '--uri', `unix://${STATE}/charon.vici`] },
      ...livenessTiming(v),
    },
    securityContext: rootWith(['NET_ADMIN', 'NET_BIND_SERVICE']),
    resources: resourcesOf(v.strongswan.resources),
    volumeMounts: [
      SCRIPTS_MOUNT,
      CONFIG_MOUNT,
      // Where charon keeps its process id, which no setting changes.
      { name: 'run', mountPath: '/var/run' },
      STATE_MOUNT,
      spread(v.extraVolumeMounts),
    ],
  };
}

function control(v: IpsecValues, gateway: GatewayValues, names: PodNames) {
  const http = (path: string) => ({ httpGet: { path, port: HEALTH_PORT } });
  return {
    name: 'control',
    image: names.controlImage,
    imagePullPolicy: v.control.image.pullPolicy,
    command: ['python3', '-B', '/scripts/control.py'],
    env: [
      { name: 'HEALTH_PORT', value: text`${v.health.port}` },
      {
        name: 'READINESS',
        value: orElse<string>(v.readiness, choose(eq(exposureOf(gateway), 'hostPort'), 'tunnel', 'process')),
      },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ],
    ports: [{ name: HEALTH_PORT, containerPort: v.health.port, protocol: 'TCP' }],
    lifecycle: leave(v, 'control'),
    startupProbe: { ...http('/live'), ...STARTUP_TIMING },
    livenessProbe: { ...http('/live'), ...livenessTiming(v) },
    readinessProbe: { ...http('/ready'), ...probeTiming(v.readinessProbe) },
    // Root, to whom the socket of charon belongs.
    securityContext: rootWith([]),
    resources: resourcesOf(v.control.resources),
    volumeMounts: [
      SCRIPTS_MOUNT,
      CONFIG_MOUNT,
      STATE_MOUNT,
      mount('given-keys', GIVEN_KEYS),
      tunnelsOf(v, names.gateway, (name, t) => [
        when(isSet(t.presharedKey.existingSecret), () => mount(sharedKeyVolume(name), text`${SHARED_KEYS}/${name}`)),
        when(isSet(t.postQuantumKey), () => mount(postQuantumVolume(name), text`${POST_QUANTUM_KEYS}/${name}`)),
        when(isSet(t.certificate), () => mount(certificateVolume(name), text`${CERTIFICATES}/${name}`)),
        each(t.authorities, (authority) =>
          mount(authorityVolume(name, authority), text`${AUTHORITIES}/${name}/${authority}`),
        ),
      ]),
    ],
  };
}

const mount = (name: Expr<string> | string, mountPath: Expr<string> | string) => ({ name, mountPath, readOnly: true });

function networkContainer(v: IpsecValues, names: PodNames) {
  return {
    name: 'network',
    image: names.networkImage,
    imagePullPolicy: v.network.image.pullPolicy,
    command: ['/bin/sh', '/scripts/network.sh', 'watch'],
    securityContext: rootWith(['NET_ADMIN']),
    resources: resourcesOf(v.network.resources),
    volumeMounts: [SCRIPTS_MOUNT, CONFIG_MOUNT, STATE_MOUNT],
  };
}

function frr(v: IpsecValues, names: PodNames) {
  return {
    ...frrContainer({
      image: names.frrImage,
      pullPolicy: v.frr.image.pullPolicy,
      resources: v.frr.resources,
      command: ['python3', '-B', '/frr-scripts/reflector.py'],
      mounts: [
        { name: 'frr-scripts', mountPath: '/frr-scripts', readOnly: true },
        SCRIPTS_MOUNT,
        CONFIG_MOUNT,
        STATE_MOUNT,
        tunnelsOf(v, names.gateway, (name, t) =>
          when(isSet(t.bgp.password.existingSecret), () => mount(passwordVolume(name), text`${BGP_PASSWORDS}/${name}`)),
        ),
      ],
    }),
    env: REFLECTOR_ENVIRONMENT,
    lifecycle: leave(v, 'frr'),
  };
}

const passwordVolume = (tunnel: Expr<string>): Expr<string> => text`bgp-${tunnel}`;
const sharedKeyVolume = (tunnel: Expr<string>): Expr<string> => text`psk-${tunnel}`;
const postQuantumVolume = (tunnel: Expr<string>): Expr<string> => text`ppk-${tunnel}`;
const certificateVolume = (tunnel: Expr<string>): Expr<string> => text`tls-${tunnel}`;
const authorityVolume = (tunnel: Expr<string>, authority: Expr<string>): Expr<string> =>
  text`ca-${tunnel}-${authority}`;

/** The Secret of the certificate that cert-manager makes for a tunnel. */
export const issuedSecret = (fullname: Expr<string>, tunnel: Expr<string>): Expr<string> =>
  text`${fullname}-${tunnel}-tls`;

function volumes(v: IpsecValues, names: PodNames) {
  const memory = (name: string, sizeLimit: string) => ({ name, emptyDir: { medium: 'Memory', sizeLimit } });
  // Even where they do not exist yet: the other tunnels do not wait, and the health server says what is missing.
  const secret = (
    secretName: Expr<string>,
    items?: readonly { key: Expr<string> | string; path: Expr<string> | string }[],
  ) => ({
    secretName,
    defaultMode: 0o400,
    optional: true,
    ...(items !== undefined && { items }),
  });
  const only = (key: Expr<string>) => [{ key, path: key }];
  return [
    { name: 'scripts', configMap: { name: text`${names.fullname}-scripts` } },
    { name: 'config', configMap: { name: names.config } },
    memory('run', '1Mi'),
    memory('state', '32Mi'),
    when(usesFabric(v), () => [
      { name: 'frr-scripts', configMap: { name: text`${names.fullname}-frr` } },
      ...FRR_VOLUMES,
    ]),
    { name: 'given-keys', secret: secret(names.givenKeys) },
    tunnelsOf(v, names.gateway, (name, t) => [
      whenSet(t.presharedKey.existingSecret, (existing) => ({
        name: sharedKeyVolume(name),
        secret: secret(existing, only(sharedKeyKey(t))),
      })),
      whenSet(t.bgp.password.existingSecret, (existing) => ({
        name: passwordVolume(name),
        secret: secret(existing, only(bgpPasswordKey(t))),
      })),
      whenSet(t.postQuantumKey.existingSecret, (existing) => ({
        name: postQuantumVolume(name),
        secret: secret(existing, only(orElse(t.postQuantumKey.key, 'ppk'))),
      })),
      when(isSet(t.certificate), () => ({
        name: certificateVolume(name),
        secret: secret(orElse(t.certificate.existingSecret, issuedSecret(names.fullname, name))),
      })),
      each(t.authorities, (authority, source) => ({
        name: authorityVolume(name, authority),
        secret: whenSet(source.existingSecret, (existing) => secret(existing, only(orElse(source.key, 'ca.crt')))),
        configMap: whenSet(source.existingConfigMap, (existing) => ({
          name: existing,
          optional: true,
          items: only(orElse(source.key, 'ca.crt')),
        })),
      })),
    ]),
    spread(v.extraVolumes),
  ];
}

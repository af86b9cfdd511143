import { forwardingContainer, forwardingSysctls } from '../kubernetes/forwarding';
import { imageReference } from '../kubernetes/image';
import { podSpec, probeTiming, resourcesOf, UNPRIVILEGED } from '../kubernetes/pod';
import {
  choose,
  chooseSet,
  each,
  isSet,
  mapOf,
  not,
  orElse,
  sha256,
  sorted,
  spread,
  text,
  trunc,
  when,
  whenSet,
  type Expr,
} from '../staged';
import { generatesKeys, GIVEN_KEYS, PRESHARED_KEYS, serverAddresses, type WireGuardValues } from './config';
import { dnsContainer, servesDns } from './dns';

/** The name of the server's port. */
export const PORT = 'wireguard';
/** The name of the health server's port. */
export const HEALTH_PORT = 'health';
/** The key of the server's private key in the chart's own Secret, and its file in the pod. */
export const PRIVATE_KEY = 'private-key';

/** Where the pod has the objects of `peersFrom`, each in a folder of its name there. */
const PEERS_FROM = 'peers-from';

/** What the pod calls by name. */
export interface PodNames {
  readonly fullname: Expr<string>;
  readonly serviceAccount: Expr<string>;
  readonly privateKeySecret: Expr<string>;
  readonly givenKeysSecret: Expr<string>;
  readonly image: Expr<string>;
  readonly healthImage: Expr<string>;
}

/** The pod of the server. */
export function serverPod(v: WireGuardValues, names: PodNames) {
  const forwarding = { method: v.ipForwarding.method, ipv6: isSet(v.network6) };
  return {
    ...podSpec(v, v.global.imagePullSecrets),
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: mapOf<unknown>(
      {
        sysctls: forwardingSysctls(forwarding),
      },
      v.podSecurityContext,
    ),
    initContainers: [
      spread(v.extraInitContainers),
      forwardingContainer(forwarding, {
        image: names.image,
        pullPolicy: v.image.pullPolicy,
        resources: v.resources,
      }),
    ],
    containers: [server(v, names), health(v, names), dnsContainer(v), userspace(v), spread(v.extraContainers)],
    volumes: volumes(v, names),
  };
}

function server(v: WireGuardValues, names: PodNames) {
  // By number: the kubelet looks up a name among the ports of the container itself.
  const http = (path: string) => ({ httpGet: { path, port: v.health.port } });
  return {
    name: 'wireguard',
    image: names.image,
    imagePullPolicy: v.image.pullPolicy,
    // The image's own start-up would make its own configuration.
    command: ['/bin/sh', '/scripts/server.sh'],
    env: [
      { name: 'INTERFACE', value: v.interfaceName },
      { name: 'ADDRESSES', value: serverAddresses(v) },
      { name: 'LISTEN_PORT', value: text`${v.listenPort}` },
      { name: 'MTU', value: chooseSet(v.mtu, (mtu) => text`${mtu}`, 'auto') },
      { name: 'FORWARDING', value: 'true' },
      { name: 'USERSPACE', value: choose(isUserspace(v), 'true', 'false') },
      { name: 'METRICS', value: choose(v.metrics.enabled, 'true', 'false') },
      spread(v.extraEnv),
    ],
    ports: [{ name: PORT, containerPort: v.listenPort, hostPort: v.hostPort, protocol: 'UDP' }],
    livenessProbe: { ...http('/cgi-bin/live'), ...probeTiming(v.livenessProbe) },
    readinessProbe: { ...http('/cgi-bin/ready'), ...probeTiming(v.readinessProbe) },
    securityContext: v.securityContext,
    resources: resourcesOf(v.resources),
    volumeMounts: [
      { name: 'scripts', mountPath: '/scripts', readOnly: true },
      { name: 'config', mountPath: '/etc/wireguard/config', readOnly: true },
      when(not(v.privateKey.generate), () => ({
        name: 'private-key',
        mountPath: '/etc/wireguard/private-key',
        readOnly: true,
      })),
      { name: GIVEN_KEYS, mountPath: `/etc/wireguard/${GIVEN_KEYS}`, readOnly: true },
      each(presharedKeySecrets(v), (secret) => ({
        name: presharedKeysVolume(secret),
        mountPath: text`/etc/wireguard/${PRESHARED_KEYS}/${secret}`,
        readOnly: true,
      })),
      each(v.peersFrom, (name) => ({
        name: peersFromVolume(name),
        mountPath: text`/etc/wireguard/${PEERS_FROM}/${name}`,
        readOnly: true,
      })),
      when(generatesKeys(v), () => ({ name: 'generated-keys', mountPath: '/var/lib/wireguard' })),
      { name: 'run', mountPath: '/run/vpn' },
      { name: 'health', mountPath: '/run/health' },
      when(isUserspace(v), () => [
        { name: 'userspace', mountPath: '/run/vpn-userspace' },
        { name: 'uapi', mountPath: '/var/run/wireguard' },
      ]),
      spread(v.extraVolumeMounts),
    ],
  };
}

function health(v: WireGuardValues, names: PodNames) {
  return {
    name: 'health',
    image: names.healthImage,
    imagePullPolicy: v.health.image.pullPolicy,
    // As the first process of a container httpd would not end when it is asked to, and hold up the end of the pod.
    command: ['sh', '-c', text`trap 'exit 0' TERM; httpd -f -p ${v.health.port} -h /www & wait "$!"`],
    ports: [{ name: HEALTH_PORT, containerPort: v.health.port, protocol: 'TCP' }],
    readinessProbe: { tcpSocket: { port: HEALTH_PORT } },
    securityContext: UNPRIVILEGED,
    resources: resourcesOf(v.health.resources),
    volumeMounts: [
      { name: 'health-scripts', mountPath: '/www/cgi-bin', readOnly: true },
      { name: 'health', mountPath: '/run/health', readOnly: true },
    ],
  };
}

function isUserspace(v: WireGuardValues): Expr<boolean> {
  return isSet(v.userspace.image.repository);
}

function userspace(v: WireGuardValues) {
  const { image, resources } = v.userspace;
  return when(isUserspace(v), () => ({
    name: 'userspace',
    image: imageReference('userspaceImage', image, v.global.imageRegistry),
    imagePullPolicy: image.pullPolicy,
    command: ['/bin/sh', '/scripts/userspace.sh'],
    env: [{ name: 'INTERFACE', value: v.interfaceName }],
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
    resources: resourcesOf(resources),
    volumeMounts: [
      { name: 'scripts', mountPath: '/scripts', readOnly: true },
      { name: 'userspace', mountPath: '/run/vpn-userspace', readOnly: true },
      { name: 'uapi', mountPath: '/var/run/wireguard' },
      { name: 'tun', mountPath: '/dev/net/tun' },
    ],
  }));
}

/** The Secrets that hold pre-shared keys, each once: a further peer in one of them does not change the pod. */
function presharedKeySecrets(v: WireGuardValues): Expr<readonly string[]> {
  return sorted(each(v.peers, (_name, peer) => whenSet(peer.presharedKey.existingSecret, (secret) => secret)));
}

function volumes(v: WireGuardValues, names: PodNames) {
  const { privateKey, persistence, metrics } = v;
  const isGiven = isSet(privateKey.value);
  const memory = (name: string, sizeLimit: string | Expr<string>) => ({
    name,
    emptyDir: { medium: 'Memory', sizeLimit },
  });
  const scripts = text`${names.fullname}-scripts`;
  return [
    { name: 'scripts', configMap: { name: scripts } },
    {
      name: 'health-scripts',
      configMap: {
        name: scripts,
        defaultMode: 0o555,
        items: [
          { key: 'health.sh', path: 'live' },
          { key: 'health.sh', path: 'ready' },
          when(metrics.enabled, () => ({ key: 'health.sh', path: 'metrics' })),
        ],
      },
    },
    { name: 'config', configMap: { name: names.fullname } },
    when(not(privateKey.generate), () => ({
      name: 'private-key',
      secret: {
        secretName: choose(isGiven, names.givenKeysSecret, names.privateKeySecret),
        defaultMode: 0o400,
        items: [{ key: choose(isGiven, PRIVATE_KEY, privateKey.key), path: PRIVATE_KEY }],
      },
    })),
    // Whole and even where it does not exist yet, so that a key that is given later reaches the running pod.
    { name: GIVEN_KEYS, secret: { secretName: names.givenKeysSecret, defaultMode: 0o400, optional: true } },
    each(presharedKeySecrets(v), (secret) => ({
      name: presharedKeysVolume(secret),
      secret: { secretName: secret, defaultMode: 0o400 },
    })),
    each(v.peersFrom, (name, source) => ({
      name: peersFromVolume(name),
      secret: whenSet(source.existingSecret, (secretName) => ({ secretName, defaultMode: 0o400, optional: true })),
      configMap: whenSet(source.existingConfigMap, (configMap) => ({ name: configMap, optional: true })),
    })),
    when(generatesKeys(v), () => ({
      name: 'generated-keys',
      persistentVolumeClaim: { claimName: orElse(persistence.existingClaim, text`${names.fullname}-generated-keys`) },
    })),
    memory('run', '64Mi'),
    memory('health', choose(metrics.enabled, '32Mi', '1Mi')),
    when(servesDns(v), () => ({
      name: 'dns',
      configMap: { name: names.fullname, items: [{ key: 'Corefile', path: 'Corefile' }] },
    })),
    when(isUserspace(v), () => [
      memory('userspace', '1Mi'),
      memory('uapi', '1Mi'),
      { name: 'tun', hostPath: { path: '/dev/net/tun', type: 'CharDevice' } },
    ]),
    spread(v.extraVolumes),
  ];
}

/** The name of the volume of a Secret with pre-shared keys, which may be longer than a volume's. */
function presharedKeysVolume(secret: Expr<string>): Expr<string> {
  return text`psk-${trunc(16, sha256(secret))}`;
}

function peersFromVolume(name: Expr<string>): Expr<string> {
  return text`peers-${trunc(16, sha256(name))}`;
}

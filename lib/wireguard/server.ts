import { createHash } from 'node:crypto';
import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { imageReference } from '../kubernetes/image';
import { Naming } from '../kubernetes/metadata';
import { podSpec, probeTiming, resourcesOf } from '../kubernetes/pod';
import {
  Checks,
  choose,
  chooseSet,
  each,
  entries,
  eq,
  file,
  ForEach,
  HelmTest,
  isSet,
  kebab,
  mapOf,
  named,
  Only,
  or,
  orElse,
  release,
  Resource,
  sha256,
  some,
  sorted,
  spread,
  stage,
  text,
  trunc,
  when,
  whenSet,
  type Expr,
  type Manifest,
  type Staged,
} from '../staged';
import { wireguardValues } from '../../values/wireguard';
import { wireguardChecks } from './checks';
import {
  GIVEN_KEYS,
  givenPresharedKey,
  nftablesConf,
  PRESHARED_KEYS,
  routes,
  serverAddresses,
  wgConf,
  type WireGuardValues,
} from './config';
import { wireguardNotes } from './notes';
import { SCRIPTS } from './scripts';

/**
 * Props of a WireGuard server: the values of the chart `wireguard`, each a literal or an expression.
 */
export type WireGuardServerProps = Staged<z.input<typeof wireguardValues>>;

const PORT = 'wireguard';
const HEALTH_PORT = 'health';
const PRIVATE_KEY = 'private-key';

/**
 * A WireGuard server in one pod, with its Service, its packet filter, and a health server that tells whether the
 * interface is up with the wanted keys.
 *
 * A change of the peers is applied in place: the other peers keep their sessions. What changes the pod itself (ports,
 * images, MTU, addresses of the server, a Secret with pre-shared keys that no peer had named before) restarts it.
 *
 * @example
 * new WireGuardServer(chart, 'Home', {
 *   privateKey: { existingSecret: 'wireguard-server' },
 *   peers: { alice: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.13.13.2'] } },
 * });
 * @throws InputError with every problem of the props that are known now, and of broken rules in a plain app
 */
export class WireGuardServer extends Construct {
  /** The name of the objects: the Deployment, the Service and the ConfigMap have it. */
  readonly fullname: Expr<string>;
  /** The interface and its peers, in the format of `wg setconf`, without secrets. */
  readonly wgConf: Expr<string>;
  /** The Secret that must hold the server's private key where that is not given as a value. */
  readonly privateKeySecret: Expr<string>;
  /** The packet filter, in the format of `nft -f`. */
  readonly nftablesConf: Expr<string>;
  /** The image of the server's container. */
  readonly image: Expr<string>;
  /** The image of the health server's container. */
  readonly healthImage: Expr<string>;

  /** What a person does next, after the installation. */
  readonly notes: Expr<string>;

  readonly #v: WireGuardValues;
  readonly #naming: Naming;

  constructor(scope: Construct, id: string, props: WireGuardServerProps) {
    super(scope, id);
    const v = (this.#v = stage(wireguardValues, props));
    this.#naming = new Naming(v, kebab(id));
    this.fullname = this.#naming.fullname;
    this.wgConf = wgConf(v);
    this.nftablesConf = nftablesConf(v);
    this.privateKeySecret = named('privateKeySecret', {}, () =>
      orElse(v.privateKey.existingSecret, text`${this.fullname}-private-key`),
    )();
    this.notes = wireguardNotes(v, this.fullname, this.privateKeySecret);
    this.image = imageReference('image', v.image, v.global.imageRegistry);
    this.healthImage = imageReference('healthImage', v.health.image, v.global.imageRegistry);

    const files = { 'wg.conf': this.wgConf, 'nftables.conf': this.nftablesConf, routes: routes(v) };
    new Checks(this, 'Checks', wireguardChecks(v, this.fullname, Object.values(files)));
    this.#serviceAccount();
    this.#configMaps(files);
    this.#secret();
    this.#deployment();
    this.#services();
    this.#test();
    new ForEach(this, 'ExtraObjects', v.extraObjects, (inner, object) => {
      new Resource(inner, 'ExtraObject', object);
    });
  }

  #serviceAccount(): void {
    const { serviceAccount } = this.#v;
    new Only(this, 'Account', serviceAccount.create, (inner) => {
      new Resource(inner, 'ServiceAccount', {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: {
          ...this.#naming.metadata({ annotations: serviceAccount.annotations }),
          name: this.#serviceAccountName,
        },
        automountServiceAccountToken: false,
      } satisfies Manifest<k8s.KubeServiceAccountProps>);
    });
  }

  get #serviceAccountName(): Expr<string> {
    const { serviceAccount } = this.#v;
    return orElse(serviceAccount.name, choose(serviceAccount.create, this.fullname, 'default'));
  }

  #configMaps(files: Readonly<Record<string, Expr<string>>>): void {
    new Resource(this, 'ConfigMap', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: this.#naming.metadata(),
      data: Object.fromEntries(Object.entries(files).map(([name, content]) => [name, file(content)])),
    } satisfies Manifest<k8s.KubeConfigMapProps>);
    new Resource(this, 'Scripts', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: this.#naming.metadata({ suffix: '-scripts' }),
      data: SCRIPTS,
    } satisfies Manifest<k8s.KubeConfigMapProps>);
  }

  /** Whether a key was given as a value. */
  get #hasGivenKeys(): Expr<boolean> {
    const { privateKey, peers } = this.#v;
    return or(
      isSet(privateKey.value),
      some(peers, (peer) => isSet(peer.presharedKey.value)),
    );
  }

  get #keysName(): Expr<string> {
    return text`${this.fullname}-keys`;
  }

  #secret(): void {
    const { privateKey, peers } = this.#v;
    new Only(this, 'GivenKeys', this.#hasGivenKeys, (inner) => {
      new Resource(inner, 'Secret', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: this.#naming.metadata({ suffix: '-keys' }),
        type: 'Opaque',
        stringData: mapOf<string>(
          { [PRIVATE_KEY]: privateKey.value },
          entries(peers, (name, peer) => ({
            key: givenPresharedKey(name),
            value: peer.presharedKey.value,
          })),
        ),
      } satisfies Manifest<k8s.KubeSecretProps>);
    });
  }

  #deployment(): void {
    const v = this.#v;
    new Resource(this, 'Deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: this.#naming.metadata(),
      spec: {
        replicas: 1,
        revisionHistoryLimit: v.revisionHistoryLimit,
        // Two pods with one key would take each other's sessions.
        strategy: { type: 'Recreate' },
        selector: { matchLabels: this.#naming.selectorLabels },
        template: {
          metadata: {
            labels: this.#naming.metadata({ labels: v.podLabels }).labels,
            annotations: mapOf<string>(v.podAnnotations, { 'checksum/scripts': checksum(SCRIPTS) }),
          },
          spec: {
            ...podSpec(v, v.global.imagePullSecrets),
            serviceAccountName: this.#serviceAccountName,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: mapOf<unknown>(
              {
                sysctls: when(eq(v.ipForwarding.method, 'sysctl'), () => [
                  { name: 'net.ipv4.ip_forward', value: '1' },
                  when(isSet(v.network6), () => ({ name: 'net.ipv6.conf.all.forwarding', value: '1' })),
                ]),
              },
              v.podSecurityContext,
            ),
            initContainers: [spread(v.extraInitContainers), this.#forwarding()],
            containers: [this.#server(), this.#health(), this.#userspace(), spread(v.extraContainers)],
            volumes: this.#volumes(),
          },
        },
      },
    } satisfies Manifest<k8s.KubeDeploymentProps>);
  }

  #forwarding() {
    const v = this.#v;
    return when(eq(v.ipForwarding.method, 'init'), () => ({
      name: 'ip-forwarding',
      image: this.image,
      imagePullPolicy: v.image.pullPolicy,
      command: ['/bin/sh', '/scripts/forwarding.sh'],
      env: [
        { name: 'FORWARD_IPV4', value: 'true' },
        { name: 'FORWARD_IPV6', value: choose(isSet(v.network6), 'true', 'false') },
      ],
      // The only privileged container: /proc/sys is read-only for every other one. It ends before the server starts.
      securityContext: {
        privileged: true,
        readOnlyRootFilesystem: true,
        runAsGroup: 0,
        runAsNonRoot: false,
        runAsUser: 0,
      },
      resources: resourcesOf(v.resources),
      volumeMounts: [{ name: 'scripts', mountPath: '/scripts', readOnly: true }],
    }));
  }

  #server() {
    const v = this.#v;
    const http = (path: string) => ({ httpGet: { path, port: HEALTH_PORT } });
    return {
      name: 'wireguard',
      image: this.image,
      imagePullPolicy: v.image.pullPolicy,
      // The image's own start-up would make its own configuration.
      command: ['/bin/sh', '/scripts/server.sh'],
      env: [
        { name: 'INTERFACE', value: v.interfaceName },
        { name: 'ADDRESSES', value: serverAddresses(v) },
        { name: 'LISTEN_PORT', value: text`${v.listenPort}` },
        { name: 'MTU', value: chooseSet(v.mtu, (mtu) => text`${mtu}`, 'auto') },
        { name: 'FORWARDING', value: 'true' },
        { name: 'USERSPACE', value: choose(this.#isUserspace, 'true', 'false') },
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
        { name: 'private-key', mountPath: '/etc/wireguard/private-key', readOnly: true },
        { name: GIVEN_KEYS, mountPath: `/etc/wireguard/${GIVEN_KEYS}`, readOnly: true },
        each(this.#presharedKeySecrets, (secret) => ({
          name: presharedKeysVolume(secret),
          mountPath: text`/etc/wireguard/${PRESHARED_KEYS}/${secret}`,
          readOnly: true,
        })),
        { name: 'run', mountPath: '/run/vpn' },
        { name: 'health', mountPath: '/run/health' },
        when(this.#isUserspace, () => [
          { name: 'userspace', mountPath: '/run/vpn-userspace' },
          { name: 'uapi', mountPath: '/var/run/wireguard' },
        ]),
        spread(v.extraVolumeMounts),
      ],
    };
  }

  #health() {
    const v = this.#v;
    return {
      name: 'health',
      image: this.healthImage,
      imagePullPolicy: v.health.image.pullPolicy,
      command: ['httpd', '-f', '-p', text`${v.health.port}`, '-h', '/www'],
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

  get #isUserspace(): Expr<boolean> {
    return isSet(this.#v.userspace.image.repository);
  }

  #userspace() {
    const { userspace, global, interfaceName } = this.#v;
    return when(this.#isUserspace, () => ({
      name: 'userspace',
      image: imageReference('userspaceImage', userspace.image, global.imageRegistry),
      imagePullPolicy: userspace.image.pullPolicy,
      command: ['/bin/sh', '/scripts/userspace.sh'],
      env: [{ name: 'INTERFACE', value: interfaceName }],
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsGroup: 0,
        runAsNonRoot: false,
        runAsUser: 0,
      },
      resources: resourcesOf(userspace.resources),
      volumeMounts: [
        { name: 'scripts', mountPath: '/scripts', readOnly: true },
        { name: 'userspace', mountPath: '/run/vpn-userspace', readOnly: true },
        { name: 'uapi', mountPath: '/var/run/wireguard' },
        { name: 'tun', mountPath: '/dev/net/tun' },
      ],
    }));
  }

  /** The Secrets that hold pre-shared keys, each once: a further peer in one of them does not change the pod. */
  get #presharedKeySecrets(): Expr<readonly string[]> {
    return sorted(each(this.#v.peers, (_name, peer) => whenSet(peer.presharedKey.existingSecret, (secret) => secret)));
  }

  #volumes() {
    const { privateKey, extraVolumes } = this.#v;
    const isGiven = isSet(privateKey.value);
    const memory = (name: string, sizeLimit: string) => ({ name, emptyDir: { medium: 'Memory', sizeLimit } });
    return [
      { name: 'scripts', configMap: { name: text`${this.fullname}-scripts` } },
      {
        name: 'health-scripts',
        configMap: {
          name: text`${this.fullname}-scripts`,
          defaultMode: 0o555,
          items: [
            { key: 'health.sh', path: 'live' },
            { key: 'health.sh', path: 'ready' },
          ],
        },
      },
      { name: 'config', configMap: { name: this.fullname } },
      {
        name: 'private-key',
        secret: {
          secretName: choose(isGiven, this.#keysName, this.privateKeySecret),
          defaultMode: 0o400,
          items: [{ key: choose(isGiven, PRIVATE_KEY, privateKey.key), path: PRIVATE_KEY }],
        },
      },
      // Whole and even where it does not exist yet, so that a key that is given later reaches the running pod.
      { name: GIVEN_KEYS, secret: { secretName: this.#keysName, defaultMode: 0o400, optional: true } },
      each(this.#presharedKeySecrets, (secret) => ({
        name: presharedKeysVolume(secret),
        secret: { secretName: secret, defaultMode: 0o400 },
      })),
      memory('run', '16Mi'),
      memory('health', '1Mi'),
      when(this.#isUserspace, () => [
        memory('userspace', '1Mi'),
        memory('uapi', '1Mi'),
        { name: 'tun', hostPath: { path: '/dev/net/tun', type: 'CharDevice' } },
      ]),
      spread(extraVolumes),
    ];
  }

  #services(): void {
    const { service, health } = this.#v;
    new Only(this, 'Exposed', service.enabled, (inner) => {
      new Resource(inner, 'Service', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: this.#naming.metadata({ labels: service.labels, annotations: service.annotations }),
        spec: {
          type: service.type,
          selector: this.#naming.selectorLabels,
          ports: [{ name: PORT, port: service.port, targetPort: PORT, nodePort: service.nodePort, protocol: 'UDP' }],
          clusterIP: service.clusterIP,
          loadBalancerClass: service.loadBalancerClass,
          loadBalancerIP: service.loadBalancerIP,
          loadBalancerSourceRanges: service.loadBalancerSourceRanges,
          allocateLoadBalancerNodePorts: service.allocateLoadBalancerNodePorts,
          externalIPs: service.externalIPs,
          externalTrafficPolicy: service.externalTrafficPolicy,
          internalTrafficPolicy: service.internalTrafficPolicy,
          sessionAffinity: service.sessionAffinity,
          ipFamilies: service.ipFamilies,
          ipFamilyPolicy: service.ipFamilyPolicy,
        },
      } satisfies Manifest<k8s.KubeServiceProps>);
    });
    new Resource(this, 'HealthService', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.#naming.metadata({ suffix: '-health' }),
      spec: {
        type: 'ClusterIP',
        selector: this.#naming.selectorLabels,
        // A server that is not ready still says why.
        publishNotReadyAddresses: true,
        ports: [{ name: HEALTH_PORT, port: health.port, targetPort: HEALTH_PORT, protocol: 'TCP' }],
      },
    } satisfies Manifest<k8s.KubeServiceProps>);
  }

  #test(): void {
    const v = this.#v;
    new HelmTest(this, 'TestHealth', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: this.#naming.metadata({
        suffix: '-test-health',
        annotations: { 'helm.sh/hook': 'test', 'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded' },
      }),
      spec: {
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        imagePullSecrets: [spread(v.global.imagePullSecrets), spread(v.imagePullSecrets)],
        nodeSelector: v.nodeSelector,
        tolerations: v.tolerations,
        containers: [
          {
            name: 'ready',
            image: this.healthImage,
            imagePullPolicy: v.health.image.pullPolicy,
            command: [
              'wget',
              '-q',
              '-T',
              '10',
              '-O',
              '-',
              text`http://${this.fullname}-health.${release.namespace}.svc:${v.health.port}/cgi-bin/ready`,
            ],
            securityContext: UNPRIVILEGED,
            resources: resourcesOf(v.health.resources),
          },
        ],
      },
    } satisfies Manifest<k8s.KubePodProps>);
  }
}

const UNPRIVILEGED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsGroup: 65534,
  runAsNonRoot: true,
  runAsUser: 65534,
} as const;

/** The name of the volume of a Secret with pre-shared keys, which may be longer than a volume's. */
function presharedKeysVolume(secret: Expr<string>): Expr<string> {
  return text`psk-${trunc(16, sha256(secret))}`;
}

function checksum(files: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const [name, content] of Object.entries(files)) hash.update(`${name}\n${content}`);
  return hash.digest('hex');
}

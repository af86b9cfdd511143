import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { imageReference } from '../kubernetes/image';
import { serviceAccount } from '../kubernetes/service-account';
import { Naming } from '../kubernetes/metadata';
import { checksum, resourcesOf, UNPRIVILEGED } from '../kubernetes/pod';
import {
  and,
  Checks,
  entries,
  eq,
  file,
  ForEach,
  HelmTest,
  isEmpty,
  isSet,
  kebab,
  lookup,
  mapOf,
  named,
  not,
  Only,
  or,
  orElse,
  release,
  Resource,
  some,
  spread,
  stage,
  text,
  when,
  type Expr,
  type Manifest,
  type Staged,
} from '../staged';
import { wireguardValues } from '../../values/wireguard';
import { wireguardChecks } from './checks';
import { clientConf, clientsConf, clientWgConf, type ClientLines } from './client';
import {
  generatesKeys,
  givenPresharedKey,
  isGenerated,
  nftablesConf,
  routes,
  wgConf,
  type WireGuardValues,
} from './config';
import { corefile, servesDns } from './dns';
import { metricsObjects } from './metrics';
import { wireguardNotes } from './notes';
import { peersFromSettings } from './peers-from';
import { HEALTH_PORT, PORT, PRIVATE_KEY, serverPod } from './pod';
import { SCRIPTS } from './scripts';

/**
 * Props of a WireGuard server: the values of the chart `wireguard`, each a literal or an expression.
 */
export type WireGuardServerProps = Staged<z.input<typeof wireguardValues>>;

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
  readonly #serviceAccount: Expr<string>;

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

    const clients = clientsConf(v);
    const files = { 'wg.conf': this.wgConf, 'nftables.conf': this.nftablesConf, routes: routes(v) };
    new Checks(this, 'Checks', wireguardChecks(v, this.fullname, [...Object.values(files), clients]));
    this.#serviceAccount = serviceAccount(this, v.serviceAccount, this.#naming);
    this.#configMaps(files, clients);
    this.#secret();
    this.#claim();
    this.#deployment();
    this.#services();
    this.#policies();
    metricsObjects(this, v, this.#naming, HEALTH_PORT);
    this.#test();
    new ForEach(this, 'ExtraObjects', v.extraObjects, (inner, object) => {
      new Resource(inner, 'ExtraObject', object);
    });
  }

  /**
   * The file of a client, in the format of wg-quick(8) or, with `format: 'wg'`, of wg(8).
   *
   * @param peer the name of a peer of the values
   */
  clientConf(peer: string, lines: ClientLines, format: 'wg-quick' | 'wg' = 'wg-quick'): Expr<string> {
    const write = format === 'wg' ? clientWgConf : clientConf;
    return write(this.#v, text`${peer}`, lookup(this.#v.peers, peer), lines);
  }

  #configMaps(files: Readonly<Record<string, Expr<string>>>, clients: Expr<string>): void {
    const { peers, peersFrom } = this.#v;
    new Resource(this, 'ConfigMap', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: this.#naming.metadata(),
      data: mapOf<string>({
        ...Object.fromEntries(Object.entries(files).map(([name, content]) => [name, file(content)])),
        'clients.conf': when(
          some(peers, (peer) => isGenerated(peer)),
          () => file(clients),
        ),
        'peers-from.json': when(not(isEmpty(peersFrom)), () => file(peersFromSettings(this.#v))),
        Corefile: when(servesDns(this.#v), () => file(corefile(this.#v))),
      }),
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

  #claim(): void {
    const { persistence } = this.#v;
    new Only(this, 'Generating', and(generatesKeys(this.#v), not(isSet(persistence.existingClaim))), (inner) => {
      new Resource(inner, 'GeneratedKeys', {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: this.#naming.metadata({
          suffix: '-generated-keys',
          annotations: mapOf<string>(
            when(persistence.keep, () => ({ 'helm.sh/resource-policy': 'keep' })),
            persistence.annotations,
          ),
        }),
        spec: {
          accessModes: persistence.accessModes,
          storageClassName: persistence.storageClassName,
          resources: { requests: { storage: persistence.size } },
        },
      } satisfies Manifest<k8s.KubePersistentVolumeClaimProps>);
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
          spec: serverPod(v, {
            fullname: this.fullname,
            serviceAccount: this.#serviceAccount,
            privateKeySecret: this.privateKeySecret,
            givenKeysSecret: this.#keysName,
            image: this.image,
            healthImage: this.healthImage,
          }),
        },
      },
    } satisfies Manifest<k8s.KubeDeploymentProps>);
  }

  #policies(): void {
    const { networkPolicy, podDisruptionBudget, mode, listenPort, health } = this.#v;
    const podSelector = { matchLabels: this.#naming.selectorLabels };
    // Else packets for the peers look to the network plug-in as if they were for the pod.
    const hidesPeers = eq(mode, 'masquerade');
    const limitsEgress = not(isEmpty(networkPolicy.egress));
    new Only(this, 'Guarded', and(networkPolicy.enabled, or(hidesPeers, limitsEgress)), (inner) => {
      new Resource(inner, 'NetworkPolicy', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: this.#naming.metadata(),
        spec: {
          podSelector,
          policyTypes: [when(hidesPeers, () => 'Ingress'), when(limitsEgress, () => 'Egress')],
          ingress: [
            when(hidesPeers, () => [
              {
                ports: [
                  { port: listenPort, protocol: 'UDP' },
                  { port: health.port, protocol: 'TCP' },
                ],
              },
              spread(networkPolicy.extraIngress),
            ]),
          ],
          egress: networkPolicy.egress,
        },
      } satisfies Manifest<k8s.KubeNetworkPolicyProps>);
    });
    new Only(this, 'Undisturbed', podDisruptionBudget.enabled, (inner) => {
      new Resource(inner, 'PodDisruptionBudget', {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: this.#naming.metadata(),
        spec: { selector: podSelector, minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      });
    });
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

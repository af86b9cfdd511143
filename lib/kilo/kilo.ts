import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { imageReference } from '../kubernetes/image';
import { Naming } from '../kubernetes/metadata';
import { checksum, resourcesOf, UNPRIVILEGED } from '../kubernetes/pod';
import { serviceAccount } from '../kubernetes/service-account';
import { peerServices } from '../peers/services';
import {
  Checks,
  file,
  ForEach,
  HelmTest,
  kebab,
  mapOf,
  Only,
  release,
  Resource,
  ResourceDefinition,
  sha256,
  spread,
  stage,
  text,
  type Expr,
  type Manifest,
  type Staged,
} from '../staged';
import { kiloValues } from '../../values/kilo';
import { kiloChecks } from './checks';
import { metricsObjects } from './metrics';
import { kiloNotes } from './notes';
import { PEER_DEFINITION } from './peer-definition';
import { peerObjects } from './peers';
import { agentPod, CNI_CONFIGURATION, cniConfiguration, isPlugin, NODE_IP, seesTheMesh, type KiloValues } from './pod';
import { SCRIPTS } from './scripts';

/** Props of Kilo: the values of the chart `kilo`, each a literal or an expression. */
export type KiloProps = Staged<z.input<typeof kiloValues>>;

/**
 * Kilo: an agent on every node that joins the nodes, or their locations, in a WireGuard mesh, and leads from there to peers outside of the
 * cluster; with the Peer objects, their definition, and Services for what peers serve.
 *
 * Beside another network plugin it adds the peers; it may also be the plugin itself. One release per cluster: nodes and peers belong to it
 * as a whole.
 *
 * @example
 * new Kilo(chart, 'Mesh', {
 *   cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'] },
 *   cni: { plugin: 'flannel' },
 *   peers: { alice: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.5.0.1'] } },
 * });
 * @throws InputError with every problem of the props that are known now, and of broken rules in a plain app
 */
export class Kilo extends Construct {
  /** The name of the objects: the DaemonSet, the ClusterRole and its binding have it. */
  readonly fullname: Expr<string>;
  /** The image of the agents. */
  readonly image: Expr<string>;
  /** What a person does next, after the installation. */
  readonly notes: Expr<string>;

  readonly #v: KiloValues;
  readonly #naming: Naming;
  readonly #serviceAccount: Expr<string>;
  readonly #cniConfiguration: Expr<string>;

  constructor(scope: Construct, id: string, props: KiloProps) {
    super(scope, id);
    const v = (this.#v = stage(kiloValues, props));
    this.#naming = new Naming(v, kebab(id));
    this.fullname = this.#naming.fullname;
    this.image = imageReference('image', v.image, v.global.imageRegistry);
    this.notes = kiloNotes(v, this.fullname);
    this.#cniConfiguration = cniConfiguration(v);

    new Checks(this, 'Checks', kiloChecks(v, this.fullname));
    new ResourceDefinition(this, 'PeerDefinition', PEER_DEFINITION);
    this.#serviceAccount = serviceAccount(this, v.serviceAccount, this.#naming);
    this.#rights();
    this.#plugin();
    this.#daemonSet();
    peerObjects(this, v, this.#naming);
    peerServices(this, v.peers, this.#naming);
    metricsObjects(this, v, this.#naming);
    this.#test();
    new ForEach(this, 'ExtraObjects', v.extraObjects, (inner, object) => {
      new Resource(inner, 'ExtraObject', object);
    });
  }

  /** What an agent asks of the API server, and no more (Kilo, pkg/k8s/backend.go): RBAC cannot say which node is its own. */
  #rights(): void {
    const metadata = this.#naming.clusterMetadata();
    new Only(this, 'Rights', this.#v.rbac.create, (inner) => {
      new Resource(inner, 'ClusterRole', {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata,
        rules: [
          { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'patch', 'watch'] },
          { apiGroups: ['kilo.squat.ai'], resources: ['peers'], verbs: ['list', 'watch'] },
          {
            apiGroups: ['apiextensions.k8s.io'],
            resources: ['customresourcedefinitions'],
            resourceNames: [PEER_DEFINITION.metadata.name],
            verbs: ['get'],
          },
        ],
      } satisfies Manifest<k8s.KubeClusterRoleProps>);
      new Resource(inner, 'ClusterRoleBinding', {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: this.fullname },
        subjects: [{ kind: 'ServiceAccount', name: this.#serviceAccount, namespace: release.namespace }],
      } satisfies Manifest<k8s.KubeClusterRoleBindingProps>);
    });
  }

  get #cniName(): Expr<string> {
    return text`${this.fullname}-cni`;
  }

  #plugin(): void {
    new Only(this, 'Plugin', isPlugin(this.#v), (inner) => {
      new Resource(inner, 'CniConfigMap', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: this.#naming.metadata({ suffix: '-cni' }),
        data: { ...SCRIPTS, [CNI_CONFIGURATION]: file(this.#cniConfiguration) },
      } satisfies Manifest<k8s.KubeConfigMapProps>);
    });
  }

  #daemonSet(): void {
    const v = this.#v;
    new Resource(this, 'DaemonSet', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: this.#naming.metadata(),
      spec: {
        selector: { matchLabels: this.#naming.selectorLabels },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: v.maxUnavailable } },
        template: {
          metadata: {
            labels: this.#naming.metadata({ labels: v.podLabels }).labels,
            annotations: mapOf<string>(v.podAnnotations, {
              'checksum/cni': sha256(text`${checksum(SCRIPTS)} ${this.#cniConfiguration}`),
            }),
          },
          spec: agentPod(v, { serviceAccount: this.#serviceAccount, cni: this.#cniName, image: this.image }),
        },
      },
    } satisfies Manifest<k8s.KubeDaemonSetProps>);
  }

  #test(): void {
    const v = this.#v;
    new HelmTest(this, 'TestMesh', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: this.#naming.metadata({
        suffix: '-test-mesh',
        annotations: { 'helm.sh/hook': 'test', 'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded' },
      }),
      spec: {
        // The agent listens at the address of its node.
        hostNetwork: true,
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        imagePullSecrets: [spread(v.global.imagePullSecrets), spread(v.imagePullSecrets)],
        nodeSelector: v.nodeSelector,
        tolerations: v.tolerations,
        affinity: v.affinity,
        containers: [
          {
            name: 'mesh',
            image: this.image,
            imagePullPolicy: v.image.pullPolicy,
            command: seesTheMesh(v),
            env: [NODE_IP],
            securityContext: UNPRIVILEGED,
            resources: resourcesOf(v.resources),
          },
        ],
      },
    } satisfies Manifest<k8s.KubePodProps>);
  }
}

import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { imageReference } from '../kubernetes/image';
import { serviceAccount } from '../kubernetes/service-account';
import { Naming } from '../kubernetes/metadata';
import { monitors } from '../kubernetes/monitors';
import { checksum, resourcesOf, UNPRIVILEGED } from '../kubernetes/pod';
import {
  Checks,
  choose,
  each,
  eq,
  file,
  ForEach,
  HelmTest,
  isSet,
  join,
  kebab,
  mapOf,
  Only,
  or,
  orElse,
  entries,
  refuseBroken,
  release,
  Resource,
  spread,
  stage,
  text,
  when,
  type Expr,
  type Manifest,
  type Staged,
} from '../staged';
import { ipsecValues } from '../../values/ipsec';
import { certificateSpec } from './certificate';
import { ipsecChecks } from './checks';
import { networkConf, nftablesConf, someTunnel, strongswanConf, swanctlConf } from './config';
import type { CounterpartKind, CounterpartOptions } from './counterpart';
import { controlConf, givenKey } from './control';
import { counterpartFiles, counterpartRules, knownTunnelRule, refuseOptions } from './counterparts';
import { detectionOf, detectionText, type Detection } from './detection';
import { fabricConf, frrConf } from './fabric';
import { ipsecAlerts } from './metrics';
import { ipsecNotes } from './notes';
import { gatewayPod, HEALTH_PORT, IKE_PORT, issuedSecret, NAT_T_PORT } from './pod';
import { SCRIPTS } from './scripts';
import { REFLECTOR_SCRIPTS } from '../frr/scripts';
import { exposureOf, usesFabric, type GatewayValues, type IpsecValues } from './tunnel';

/** Props of strongSwan gateways: the values of the chart `ipsec`, each a literal or an expression. */
export type IpsecGatewaysProps = Staged<z.input<typeof ipsecValues>>;

/** The configuration files of a gateway. */
export interface GatewayConfig {
  /** The connections, in the format of swanctl.conf(5), without secrets. */
  readonly swanctlConf: Expr<string>;
  /** The daemon's own settings, in the format of strongswan.conf(5). */
  readonly strongswanConf: Expr<string>;
  /** The packet filter, in the format of `nft -f`. */
  readonly nftablesConf: Expr<string>;
  /** Interfaces and routes, for network.sh. */
  readonly networkConf: Expr<string>;
  /** Tunnels and the places of their secrets, for control.py. */
  readonly controlConf: Expr<string>;
  /** BGP, in the format of frr.conf(5), without passwords. */
  readonly frrConf: Expr<string>;
  /** Nodes and networks, for reflector.py. */
  readonly fabricConf: Expr<string>;
}

/**
 * One or more strongSwan gateways, each in a pod of its own with its own tunnels, Service, packet filter, and a health server that
 * tells which tunnel is down and why.
 *
 * A change of a tunnel is applied in place: the others keep their SAs. What changes the pod itself (images, exposure, placement, the
 * name of a Secret) restarts that gateway.
 *
 * @example
 * new IpsecGateways(chart, 'Site', {
 *   cluster: { podCidrs: ['10.244.0.0/16'] },
 *   gateways: { a: { identity: '203.0.113.10' } },
 *   tunnels: {
 *     onprem: {
 *       gateway: 'a',
 *       remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
 *       presharedKey: { existingSecret: 'onprem-psk' },
 *     },
 *   },
 * });
 * @throws InputError with every problem of the props that are known now, and of broken rules in a plain app
 */
export class IpsecGateways extends Construct {
  /** The name of the objects: those of a gateway have its own behind it. */
  readonly fullname: Expr<string>;
  /** What a person does next, after the installation. */
  readonly notes: Expr<string>;
  /** How long failures go unnoticed at most. */
  readonly detection: Detection;
  /** The same in sentences, tunnel by tunnel. */
  readonly detectionText: Expr<string>;
  /** The images of the containers `charon`, `control`, `network` and `frr`. */
  readonly images: Readonly<Record<'strongswan' | 'control' | 'network' | 'frr', Expr<string>>>;

  readonly #v: IpsecValues;
  readonly #naming: Naming;
  readonly #serviceAccount: Expr<string>;
  readonly #config: { readonly [K in keyof GatewayConfig]: (of: { gateway: Expr<string> }) => Expr<string> };

  constructor(scope: Construct, id: string, props: IpsecGatewaysProps) {
    super(scope, id);
    const v = (this.#v = stage(ipsecValues, props));
    this.#naming = new Naming(v, kebab(id));
    this.fullname = this.#naming.fullname;
    const registry = v.global.imageRegistry;
    this.images = {
      strongswan: imageReference('strongswanImage', v.strongswan.image, registry),
      control: imageReference('controlImage', v.control.image, registry),
      network: imageReference('networkImage', v.network.image, registry),
      frr: imageReference('frrImage', v.frr.image, registry),
    };
    const strongswan = strongswanConf(v);
    this.#config = {
      swanctlConf: swanctlConf(v),
      strongswanConf: () => strongswan,
      nftablesConf: nftablesConf(v),
      networkConf: networkConf(v),
      controlConf: controlConf(
        v,
        (gateway) => text`${this.fullname}-${gateway}-keys`,
        (gateway) => text`${gateway}.${this.#subdomain}`,
      ),
      frrConf: frrConf(v),
      fabricConf: fabricConf(v),
    };
    this.notes = ipsecNotes(v, this.fullname);
    this.detection = detectionOf(v);
    this.detectionText = detectionText(v);

    new Checks(this, 'Checks', ipsecChecks(v, this.fullname));
    this.#serviceAccount = serviceAccount(this, v.serviceAccount, this.#naming);
    this.#scripts();
    new ForEach(this, 'Gateways', v.gateways, (inner, gateway, name) => {
      this.#gateway(inner, name, gateway);
    });
    this.#certificates();
    this.#headlessService();
    this.#disruption();
    monitors(this, v.metrics, this.#naming, { enabled: true, port: HEALTH_PORT, path: '/metrics' });
    ipsecAlerts(this, v, this.#naming);
    new ForEach(this, 'ExtraObjects', v.extraObjects, (inner, object) => {
      new Resource(inner, 'ExtraObject', object);
    });
  }

  /** The configuration of a gateway of the values. */
  gateway(name: string): GatewayConfig {
    const gateway = text`${name}`;
    const { swanctlConf: swanctl, strongswanConf: strongswan, ...others } = this.#config;
    return {
      swanctlConf: swanctl({ gateway }),
      strongswanConf: strongswan({ gateway }),
      nftablesConf: others.nftablesConf({ gateway }),
      networkConf: others.networkConf({ gateway }),
      controlConf: others.controlConf({ gateway }),
      frrConf: others.frrConf({ gateway }),
      fabricConf: others.fabricConf({ gateway }),
    };
  }

  /**
   * What the remote end of a tunnel of the values has to be configured with, by the names of files.
   *
   * @param as what the remote end is: `strongswan`, a router with strongSwan 5.9.6 or newer and XFRM interfaces, and FRR 10 for BGP; `aws`, a Site-to-Site
   *   VPN connection; `gcp`, HA VPN, for all tunnels with that preset
   * @throws InputError with what is wrong with the options, and of values that are known now with what the remote end cannot do
   */
  counterpart(
    tunnel: string,
    as: CounterpartKind,
    options: CounterpartOptions = {},
  ): Readonly<Record<string, Expr<string>>> {
    refuseOptions(as, options);
    refuseBroken(this, [knownTunnelRule(this.#v, tunnel), counterpartRules(this.#v, tunnel, as, options)]);
    return counterpartFiles(this.#v, tunnel, as, options);
  }

  /** What of the values the remote end of a tunnel cannot do, one sentence a line. Where they are known `counterpart` refuses it. */
  counterpartProblems(tunnel: string, as: CounterpartKind, options: CounterpartOptions = {}): Expr<string> {
    return join('\n', [counterpartRules(this.#v, tunnel, as, options)]);
  }

  /** Whether an agent on every node is wanted: the chart makes them of `agents`, an app of its own makes a `RouteAgent`. */
  get hasAgents(): Expr<boolean> {
    return usesFabric(this.#v);
  }

  /** What the agents on the nodes are to know of the gateways. */
  get agents() {
    const { tunnels, gateways } = this.#v;
    return {
      names: this.#naming,
      serviceAccount: this.#serviceAccount,
      gateways: {
        each: <B>(body: (name: Expr<string>, host: Expr<string>) => B) =>
          each(gateways, (name) => body(name, text`${name}.${this.#subdomain}.${release.namespace}.svc`)),
        networks: <B>(body: (network: Expr<string>) => B) => each(tunnels, (_name, t) => each(t.remote.networks, body)),
      },
    };
  }

  get #subdomain(): Expr<string> {
    return text`${this.fullname}-gateways`;
  }

  /** The labels of one gateway's pod. */
  #selectorLabels(gateway: Expr<string>): Expr<Record<string, string>> {
    return mapOf<string>(this.#naming.selectorLabels, this.#component(gateway));
  }

  #component(gateway: Expr<string>): Expr<Record<string, string>> {
    return mapOf<string>({ 'app.kubernetes.io/component': gateway });
  }

  #scripts(): void {
    new Resource(this, 'Scripts', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: this.#naming.metadata({ suffix: '-scripts' }),
      data: SCRIPTS,
    } satisfies Manifest<k8s.KubeConfigMapProps>);
    new Only(this, 'Fabric', usesFabric(this.#v), (inner) => {
      new Resource(inner, 'ReflectorScripts', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: this.#naming.metadata({ suffix: '-frr' }),
        data: REFLECTOR_SCRIPTS,
      } satisfies Manifest<k8s.KubeConfigMapProps>);
    });
  }

  #gateway(scope: Construct, name: Expr<string>, gateway: GatewayValues): void {
    const v = this.#v;
    const labels = this.#component(name);
    const metadata = this.#naming.metadata({ suffix: text`-${name}`, labels });
    const selectorLabels = this.#selectorLabels(name);
    new Resource(scope, 'ConfigMap', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: {
        'swanctl.conf': file(this.#config.swanctlConf({ gateway: name })),
        'strongswan.conf': file(this.#config.strongswanConf({ gateway: name })),
        'nftables.conf': file(this.#config.nftablesConf({ gateway: name })),
        network: file(this.#config.networkConf({ gateway: name })),
        'gateway.json': file(this.#config.controlConf({ gateway: name })),
        'frr.conf': when(usesFabric(v), () => file(this.#config.frrConf({ gateway: name }))),
        'fabric.json': when(usesFabric(v), () => file(this.#config.fabricConf({ gateway: name }))),
      },
    } satisfies Manifest<k8s.KubeConfigMapProps>);
    const givenKeys = text`-${name}-keys`;
    new Only(
      scope,
      'GivenKeys',
      someTunnel(v, name, (t) => isSet(t.presharedKey.value)),
      (inner) => {
        new Resource(inner, 'Secret', {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: this.#naming.metadata({ suffix: givenKeys, labels }),
          type: 'Opaque',
          stringData: mapOf<string>(
            entries(v.tunnels, (tunnel, t) => ({
              key: givenKey(tunnel),
              value: when(eq<string>(t.gateway, name), () => t.presharedKey.value),
            })),
          ),
        } satisfies Manifest<k8s.KubeSecretProps>);
      },
    );
    new Resource(scope, 'Deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        revisionHistoryLimit: v.revisionHistoryLimit,
        // Two pods of one identity would take each other's SAs.
        strategy: { type: 'Recreate' },
        selector: { matchLabels: selectorLabels },
        template: {
          metadata: {
            labels: this.#naming.metadata({ labels: mapOf<string>(v.podLabels, labels) }).labels,
            annotations: mapOf<string>(v.podAnnotations, {
              'checksum/scripts': choose(
                usesFabric(v),
                checksum({ ...SCRIPTS, ...REFLECTOR_SCRIPTS }),
                checksum(SCRIPTS),
              ),
            }),
          },
          spec: gatewayPod(v, gateway, {
            fullname: this.fullname,
            gateway: name,
            subdomain: this.#subdomain,
            config: metadata.name,
            givenKeys: text`${this.fullname}${givenKeys}`,
            serviceAccount: this.#serviceAccount,
            selectorLabels: this.#naming.selectorLabels,
            image: this.images.strongswan,
            controlImage: this.images.control,
            networkImage: this.images.network,
            frrImage: this.images.frr,
          }),
        },
      },
    } satisfies Manifest<k8s.KubeDeploymentProps>);
    this.#service(scope, name, gateway);
    this.#test(scope, name);
  }

  /** Both ports on one address: a remote end goes on at the second where it began at the first. */
  #service(scope: Construct, name: Expr<string>, gateway: GatewayValues): void {
    const { service } = gateway;
    const exposure = exposureOf(gateway);
    const isExposed = or(eq<string>(exposure, 'loadBalancer'), eq<string>(exposure, 'nodePort'));
    new Resource(scope, 'Service', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.#naming.metadata({
        suffix: text`-${name}`,
        labels: mapOf<string>(service.labels, this.#component(name)),
        annotations: mapOf<string>(service.annotations),
      }),
      spec: {
        type: choose(
          eq<string>(exposure, 'loadBalancer'),
          'LoadBalancer',
          choose(eq<string>(exposure, 'nodePort'), 'NodePort', 'ClusterIP'),
        ),
        selector: this.#selectorLabels(name),
        // A gateway is ready when its tunnels are up: until then the remote end must be able to begin.
        publishNotReadyAddresses: true,
        ports: [
          { ...servicePort(IKE_PORT), nodePort: service.ikeNodePort },
          { ...servicePort(NAT_T_PORT), nodePort: service.natTNodePort },
        ],
        loadBalancerClass: service.loadBalancerClass,
        loadBalancerIP: service.loadBalancerIP,
        loadBalancerSourceRanges: service.loadBalancerSourceRanges,
        externalTrafficPolicy: when(isExposed, () => orElse<string>(service.externalTrafficPolicy, 'Local')),
        // The same remote end stays on the same pod through both ports.
        sessionAffinity: 'ClientIP',
      },
    } satisfies Manifest<k8s.KubeServiceProps>);
  }

  /** Gives every gateway's pod a name: `<gateway>.<full name>-gateways`. */
  #headlessService(): void {
    const { health } = this.#v;
    new Resource(this, 'HeadlessService', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.#naming.metadata({ suffix: '-gateways' }),
      spec: {
        clusterIP: 'None',
        selector: this.#naming.selectorLabels,
        publishNotReadyAddresses: true,
        ports: [{ name: HEALTH_PORT, port: health.port, targetPort: HEALTH_PORT, protocol: 'TCP' }],
      },
    } satisfies Manifest<k8s.KubeServiceProps>);
  }

  #disruption(): void {
    new Only(this, 'Undisturbed', this.#v.podDisruptionBudget.enabled, (inner) => {
      new Resource(inner, 'PodDisruptionBudget', {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: this.#naming.metadata(),
        spec: {
          selector: { matchLabels: this.#naming.selectorLabels },
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: 'AlwaysAllow',
        },
      });
    });
  }

  #certificates(): void {
    new ForEach(this, 'Tunnels', this.#v.tunnels, (inner, t, name) => {
      new Only(inner, 'Issued', isSet(t.certificate.issuer), (issued) => {
        new Resource(issued, 'Certificate', {
          apiVersion: 'cert-manager.io/v1',
          kind: 'Certificate',
          metadata: this.#naming.metadata({ suffix: text`-${name}` }),
          spec: certificateSpec(this.#v, t, issuedSecret(this.fullname, name)),
        });
      });
    });
  }

  #test(scope: Construct, name: Expr<string>): void {
    const v = this.#v;
    new HelmTest(scope, 'TestReady', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: this.#naming.metadata({
        suffix: text`-${name}-test`,
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
            image: this.images.network,
            imagePullPolicy: v.network.image.pullPolicy,
            command: [
              'curl',
              '-sS',
              '--fail-with-body',
              '--max-time',
              '10',
              text`http://${name}.${this.#subdomain}.${release.namespace}.svc:${v.health.port}/up`,
            ],
            securityContext: UNPRIVILEGED,
            resources: resourcesOf(v.network.resources),
          },
        ],
      },
    } satisfies Manifest<k8s.KubePodProps>);
  }
}

function servicePort({ name, number }: typeof IKE_PORT | typeof NAT_T_PORT) {
  return { name, port: number, targetPort: name, protocol: 'UDP' };
}

import { Construct } from 'constructs';
import type { k8s } from 'cdk8s-plus-28';
import type { z } from 'zod';
import { imageReference } from '../kubernetes/image';
import { Naming } from '../kubernetes/metadata';
import {
  addressOf,
  and,
  check,
  Checks,
  gt,
  hasPrefix,
  networkBits,
  not,
  or,
  pathOf,
  prefixLength,
  some,
  each,
  eq,
  file,
  isSet,
  kebab,
  named,
  orElse,
  Resource,
  stage,
  text,
  when,
  whenSet,
  type Expr,
  type Manifest,
  type Ref,
  type Staged,
} from '../staged';
import { bgpReflectorValues } from '../../values/bgp-reflector';
import {
  clusterChecks,
  fabricChecks,
  familyCheck,
  innerAddressCheck,
  keepaliveCheck,
  linkLocalCheck,
  outerAddressCheck,
  overlapsCluster,
  overlapsImport,
  overlapsOverlay,
  ownAddressChecks,
  peerAsChecks,
  speakerChecks,
} from './checks';
import { overlapChecks, type Rules } from '../kubernetes/checks';
import { BGP_PASSWORDS, fabricConf, passwordKey } from './fabric-conf';
import { FRR_VOLUMES, frrContainer, REFLECTOR_ENVIRONMENT } from './pod';
import { reflectorConf } from './reflector-conf';
import { REFLECTOR_SCRIPTS } from './scripts';

/** Props of a route reflector: each a literal or an expression. */
export type BgpReflectorProps = Staged<z.input<typeof bgpReflectorValues>>;

type Values = Ref<z.output<typeof bgpReflectorValues>>;

/** The timers of a session where the props have none, in seconds. */
const KEEPALIVE_SECONDS = 3;
const HOLD_SECONDS = 9;

const TAKE_BOTH = 'take both from one small network that nothing else uses, such as a /30 of 169.254.0.0/16';

/** The rules of the sessions, which nobody else looks at. */
function reflectorChecks(v: Values): Rules {
  return [
    check({
      failsIf: not(isSet(v.routes.localAs)),
      at: v.routes.localAs,
      problem: 'is missing',
      remedy: 'set it to the number of your autonomous system, such as 65010',
    }),
    each(v.tunnels, (_name, { bgp, inside, interface: interfaceName, outerAddresses }) => [
      ...peerAsChecks(v, bgp.peerAs),
      keepaliveCheck(
        bgp.keepaliveSeconds,
        orElse(bgp.keepaliveSeconds, KEEPALIVE_SECONDS),
        orElse(bgp.holdSeconds, HOLD_SECONDS),
      ),
      check({
        failsIf: eq<string>(interfaceName, 'ovl0'),
        at: interfaceName,
        problem: 'is the interface to the nodes',
        got: interfaceName,
        remedy: 'name that of the tunnel',
      }),
      check({
        failsIf: not(hasPrefix(networkBits(inside.local), networkBits(inside.remote))),
        at: inside.remote,
        problem: text`is not in the network of inside.local, ${inside.local}`,
        got: inside.remote,
        remedy: TAKE_BOTH,
      }),
      check({
        failsIf: eq(networkBits(addressOf(inside.local)), networkBits(inside.remote)),
        at: inside.remote,
        problem: 'is our own address',
        got: inside.remote,
        remedy: 'give each end its own',
      }),
      check({
        failsIf: or(
          overlapsCluster(v, inside.local),
          overlapsOverlay(v, inside.local),
          overlapsImport(v, inside.local),
        ),
        at: inside.local,
        problem: 'lies in a network of cluster, routes.overlay or routes.import',
        got: inside.local,
        remedy: TAKE_BOTH,
      }),
      innerAddressCheck(inside.local, addressOf(inside.local), TAKE_BOTH),
      innerAddressCheck(inside.remote, inside.remote, TAKE_BOTH),
      whenSet(
        bgp.peerAddress,
        (peer) => [...speakerChecks(v, peer), familyCheck(peer, inside.local)],
        () => linkLocalCheck(inside.remote),
      ),
      each(outerAddresses, (outer) => [
        outerAddressCheck(outer),
        whenSet(bgp.peerAddress, (peer) =>
          check({
            failsIf: eq(networkBits(peer), networkBits(outer)),
            at: peer,
            problem: 'is an outer address of the remote end, whose own packets would be sent into the tunnel',
            got: peer,
            remedy: 'name the address of the remote end’s BGP speaker inside the tunnel',
          }),
        ),
        check({
          failsIf: or(hasPrefix(networkBits(inside.local), networkBits(outer)), overlapsOverlay(v, outer)),
          at: outer,
          problem: 'lies in the network of inside.local or one of routes.overlay',
          got: outer,
          remedy: 'take addresses inside of the tunnel and of the overlay that nothing else uses',
        }),
        check({
          failsIf: some(v.routes.import, ({ cidr }) =>
            and(gt(prefixLength(cidr), 0), hasPrefix(networkBits(cidr), networkBits(outer))),
          ),
          at: outer,
          problem: 'lies in a network of routes.import, so that the tunnel’s own packets would be sent into it',
          got: outer,
          remedy: 'import smaller networks',
        }),
      ]),
    ]),
    overlapChecks(
      each(v.tunnels, (_name, { interface: interfaceName }) => text`${interfaceName}/ ${pathOf(interfaceName)}`),
      'is the same interface as',
      'it decides by itself which of several ends gets a packet: give every tunnel its own',
    ),
    overlapChecks(
      each(v.tunnels, (_name, { inside }) => text`${networkBits(inside.local)} ${pathOf(inside.local)}`),
      'is in the same network as',
      'give every tunnel a network of its own inside',
    ),
    ownAddressChecks(
      each(v.tunnels, (_name, { bgp, inside }) => [
        text`${networkBits(addressOf(inside.local))} ${pathOf(inside.local)}`,
        whenSet(bgp.peerAddress, (peer) => text`${networkBits(peer)}/ ${pathOf(peer)}`),
      ]),
    ),
    overlapChecks(
      each(
        v.tunnels,
        (_name, { bgp, inside }) => text`${networkBits(orElse(bgp.peerAddress, inside.remote))}/ ${pathOf(bgp)}`,
      ),
      'has the same remote address as',
      'a gateway has one session with an address: set inside.remote or bgp.peerAddress',
    ),
  ];
}

/**
 * A BGP route reflector (RFC 4456) for a pod of yours that has tunnels, of whatever kind: it makes the ConfigMaps, and gives the container
 * and the volumes for the pod. The reflector learns the nodes that have a route agent, tells them what the remote ends of the tunnels
 * announce, and tells those the networks of the cluster; it makes the interface to the nodes and the rules by which packets pass from one
 * side to the other.
 *
 * The pod has to forward packets (`net.ipv4.ip_forward`), to take reverse paths as they are (`net.ipv4.conf.all.rp_filter` 0), and to let
 * nobody but nodes reach UDP port `routes.overlay.port`. What it cannot know is where the tunnels' own packets go: name that in
 * `outerAddresses`. Agents find it by a name of its own: `RouteAgent` takes it as the host of the
 * gateway.
 *
 * @example
 * const reflector = new BgpReflector(chart, 'Reflector', {
 *   cluster: { podCidrs: ['10.244.0.0/16'], nodeCidrs: ['172.27.0.0/20'] },
 *   gateway: 'a',
 *   routes: { mode: 'bgp', localAs: 65010, import: { office: { cidr: '10.1.0.0/16' } } },
 *   tunnels: {
 *     office: { interface: 'wg0', inside: { local: '169.254.100.2/30', remote: '169.254.100.1' }, bgp: { peerAs: 64514 } },
 *   },
 * });
 * // In the spec of the pod: containers: [yours, reflector.container], volumes: [...yours, ...reflector.volumes].
 * @throws InputError with every problem of the props that are known now, and of broken rules in a plain app
 */
export class BgpReflector extends Construct {
  /** The FRR configuration without passwords, in the format of frr.conf(5). */
  readonly frrConf: Expr<string>;

  readonly #v: Values;
  readonly #naming: Naming;

  constructor(scope: Construct, id: string, props: BgpReflectorProps) {
    super(scope, id);
    const v = (this.#v = stage(bgpReflectorValues, props));
    this.#naming = new Naming(v, kebab(id));
    new Checks(this, 'Checks', [...clusterChecks(v), ...fabricChecks(v), ...reflectorChecks(v)]);
    this.frrConf = named('frrConf', {}, () =>
      reflectorConf(v, {
        gateway: v.gateway,
        sessions: (body) =>
          each(v.tunnels, (name, { inside, bgp }) =>
            body({
              name,
              address: orElse(bgp.peerAddress, inside.remote),
              source: addressOf(inside.local),
              peerAs: bgp.peerAs,
              bgp,
              keepaliveSeconds: orElse(bgp.keepaliveSeconds, KEEPALIVE_SECONDS),
              holdSeconds: orElse(bgp.holdSeconds, HOLD_SECONDS),
              ttl: orElse(bgp.multihopTtl, 1),
            }),
          ),
      }),
    )();
    const told = named('fabricConf', {}, () =>
      fabricConf(
        v,
        v.gateway,
        (lines) =>
          each(v.tunnels, (name, { interface: interfaceName, inside, bgp }) =>
            lines({
              name,
              interfaceName,
              inside,
              speaksBgp: true,
              peer: orElse(bgp.peerAddress, inside.remote),
              bgp,
            }),
          ),
        false,
      ),
    )();
    new Resource(this, 'Scripts', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: this.#naming.metadata({ suffix: '-scripts' }),
      data: REFLECTOR_SCRIPTS,
    } satisfies Manifest<k8s.KubeConfigMapProps>);
    new Resource(this, 'Config', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: this.#naming.metadata(),
      data: { 'frr.conf': file(this.frrConf), 'fabric.json': file(told) },
    } satisfies Manifest<k8s.KubeConfigMapProps>);
  }

  /** The container `frr`, for the pod. */
  get container() {
    const v = this.#v;
    return {
      ...frrContainer({
        image: imageReference('frrImage', v.frr.image, v.global.imageRegistry),
        pullPolicy: v.frr.image.pullPolicy,
        resources: v.frr.resources,
        command: ['python3', '-B', '/frr-scripts/reflector.py'],
        mounts: [
          { name: 'frr-scripts', mountPath: '/frr-scripts', readOnly: true },
          { name: 'frr-config', mountPath: '/config', readOnly: true },
          { name: 'frr-state', mountPath: '/run/vpn' },
          each(v.tunnels, (name, { bgp }) =>
            when(isSet(bgp.password), () => ({
              name: text`bgp-${name}`,
              mountPath: text`${BGP_PASSWORDS}/${name}`,
              readOnly: true,
            })),
          ),
        ],
      }),
      env: REFLECTOR_ENVIRONMENT,
    };
  }

  /** The volumes that the container mounts, for the pod. */
  get volumes() {
    const { fullname } = this.#naming;
    return [
      { name: 'frr-scripts', configMap: { name: text`${fullname}-scripts` } },
      { name: 'frr-config', configMap: { name: fullname } },
      { name: 'frr-state', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      ...FRR_VOLUMES,
      each(this.#v.tunnels, (name, { bgp }) =>
        whenSet(bgp.password.existingSecret, (secretName) => ({
          name: text`bgp-${name}`,
          secret: { secretName, optional: true, items: [{ key: passwordKey(bgp), path: passwordKey(bgp) }] },
        })),
      ),
    ];
  }
}

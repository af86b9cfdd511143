import { App, Chart } from 'cdk8s';
import { objectsOf } from '../../lib/helm/chart';
import { BgpReflector, InputError, Resource, type BgpReflectorProps, type KubernetesObject } from '../../lib';

interface Tunnel {
  readonly interface: string;
  readonly inside: { readonly local: string; readonly remote: string };
  readonly outerAddresses?: readonly string[];
  readonly bgp: { readonly peerAs: number; readonly peerAddress?: string };
}

const CLUSTER = { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] };
const OFFICE = {
  interface: 'wg0',
  inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
  bgp: { peerAs: 64_514, password: { existingSecret: 'office-bgp' }, bfd: {}, multihopTtl: 2 },
};
const PROPS: BgpReflectorProps = {
  cluster: CLUSTER,
  gateway: 'a',
  routes: { mode: 'bgp', localAs: 65_010, internalAs: 65_020, import: { office: { cidr: '10.1.0.0/16' } } },
  tunnels: { office: OFFICE },
};

/** The objects of a reflector, and of a pod that has its container. */
function made(props: BgpReflectorProps): KubernetesObject[] {
  const chart = new Chart(new App(), 'site');
  const reflector = new BgpReflector(chart, 'Site', props);
  new Resource(chart, 'Pod', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'site' },
    spec: { containers: [reflector.container], volumes: [...reflector.volumes] },
  });
  return objectsOf(chart);
}

const dataOf = (objects: readonly KubernetesObject[], key: string): string => {
  const found = objects.flatMap(({ data }) => (data as Record<string, string> | undefined)?.[key] ?? []);
  if (found.length !== 1) throw new Error(`${String(found.length)} objects have ${key}`);
  return found[0]!;
};

describe('a route reflector alone', () => {
  test('has its sessions in frr.conf, and hides the inner autonomous system', () => {
    const conf = dataOf(made(PROPS), 'frr.conf');
    const session = conf.split('\n').filter((line) => line.includes(' neighbor 169.254.100.1 '));
    expect(session.map((line) => line.trim().replace('neighbor 169.254.100.1 ', ''))).toEqual([
      'remote-as 64514',
      'description office',
      'local-as 65010 no-prepend replace-as',
      'ebgp-multihop 2',
      'bfd',
      'bfd profile remote-office',
      'timers 3 9',
      'timers connect 5',
      'update-source 169.254.100.2',
      'activate',
      'route-map FROM-REMOTE in',
      'route-map TO-REMOTE out',
      'maximum-prefix 1000 restart 5',
    ]);
    expect(conf).toContain('router bgp 65020\n');
    expect(conf).not.toContain('aggregate-address');
    expect(conf).not.toContain('listen range');
  });

  test('tells reflector.py of its tunnels', () => {
    expect(JSON.parse(dataOf(made(PROPS), 'fabric.json'))).toMatchObject({
      gateway: 'a',
      as: 65_020,
      exports: ['10.244.0.0/16', '172.27.0.0/20', '10.96.0.0/12', ''],
      tunnels: {
        office: {
          interface: 'wg0',
          bgp: {
            peer: '169.254.100.1',
            passwordFile: '/bgp-passwords/office/password',
            source: 'key password of the Secret office-bgp',
            bfd: true,
          },
          networks: [''],
        },
      },
    });
  });

  test('mounts what its container needs', () => {
    const pod = made(PROPS).find(({ kind }) => kind === 'Pod')!['spec'] as unknown as {
      containers: { name: string; volumeMounts: { name: string; mountPath: string }[] }[];
      volumes: { name: string }[];
    };
    const [container] = pod.containers;
    expect(container?.name).toBe('frr');
    const names = pod.volumes.map(({ name }) => name);
    expect(names).toContain('bgp-office');
    expect(container?.volumeMounts.filter(({ name }) => !names.includes(name))).toEqual([]);
    expect(container?.volumeMounts).toContainEqual({
      name: 'bgp-office',
      mountPath: '/bgp-passwords/office',
      readOnly: true,
    });
  });

  const problems = (tunnels: Readonly<Record<string, Tunnel>>, podCidrs = CLUSTER.podCidrs): readonly string[] => {
    try {
      made({ ...PROPS, cluster: { ...CLUSTER, podCidrs }, tunnels: tunnels as never });
    } catch (error) {
      if (error instanceof InputError) return error.problems;
      throw error;
    }
    return [];
  };
  const inside = (local: string, remote: string): Tunnel => ({ ...OFFICE, inside: { local, remote } });
  const speaker = (peerAddress: string): Tunnel => ({ ...OFFICE, bgp: { ...OFFICE.bgp, peerAddress } });

  test.each<[string, Tunnel, string]>([
    ['our own', inside('169.254.100.2/30', '169.254.100.2'), 'inside.remote: is our own address, got "169.254.100.2"'],
    [
      'our own too',
      speaker('169.254.100.2'),
      'bgp.peerAddress: is our own address, that of tunnels.office.inside.local',
    ],
    [
      'of the overlay',
      speaker('198.19.1.39'),
      'bgp.peerAddress: lies in a network of cluster or of routes.overlay, got',
    ],
    ['of a pod', speaker('10.244.0.9'), 'bgp.peerAddress: lies in a network of cluster or of routes.overlay, got'],
    ['nobody’s', speaker('127.0.0.1'), 'bgp.peerAddress: leads nowhere: it is a loopback, multicast or broadcast'],
    ['of the other family', speaker('fd00:9::1'), 'bgp.peerAddress: is of another family than inside.local, 169.254'],
    ['link-local', inside('fe80::2/64', 'fe80::1'), 'inside.remote: is a link-local address, with which FRR does not'],
  ])('is refused with a remote address that is %s', (_whose, office, sentence) => {
    expect(problems({ office }, ['10.244.0.0/16', 'fd00:244::/56'])).toEqual([
      expect.stringContaining(`tunnels.office.${sentence}`),
    ]);
  });

  test.each<[string, Tunnel, string]>([
    ['in the overlay', inside('198.19.1.39/24', '198.19.1.40'), 'inside.local: lies in a network of cluster, routes'],
    ['in the cluster', inside('10.244.9.2/30', '10.244.9.1'), 'inside.local: lies in a network of cluster, routes'],
    ['that nobody has', inside('127.0.0.2/32', '127.0.0.2'), 'inside.local: leads nowhere: it is a loopback'],
  ])('is refused with an address of its own %s', (_where, office, sentence) => {
    expect(problems({ office })).toContainEqual(expect.stringContaining(`tunnels.office.${sentence}`));
  });

  test.each<[string, string]>([
    ['127.0.0.1', 'leads nowhere: it is a loopback, link-local, multicast or broadcast address, got "127.0.0.1"; '],
    ['10.1.0.9', 'lies in a network of routes.import, so that the tunnel’s own packets would be sent into it, got'],
    ['198.18.0.9', 'lies in the network of inside.local or one of routes.overlay, got "198.18.0.9"; '],
    ['169.254.100.3', 'lies in the network of inside.local or one of routes.overlay, got "169.254.100.3"; '],
  ])('is refused with the outer address %s', (address, sentence) => {
    expect(problems({ office: { ...OFFICE, outerAddresses: ['198.51.100.7', address] } })).toContainEqual(
      expect.stringContaining(`tunnels.office.outerAddresses[1]: ${sentence}`),
    );
  });

  test('is refused where two tunnels have the same interface, network or address', () => {
    const branch = { ...inside('169.254.101.2/30', '169.254.101.1'), interface: 'wg1' };
    expect(problems({ office: OFFICE, branch })).toEqual([]);
    expect(problems({ office: OFFICE, branch: { ...branch, interface: 'wg0' } })).toEqual([
      'tunnels.office.interface: is the same interface as tunnels.branch.interface; it decides by itself which of several ends gets a packet: give every tunnel its own',
    ]);
    expect(problems({ office: OFFICE, branch: { ...branch, ...inside('169.254.100.5/29', '169.254.100.6') } })).toEqual(
      [
        'tunnels.office.interface: is the same interface as tunnels.branch.interface; it decides by itself which of several ends gets a packet: give every tunnel its own',
        'tunnels.office.inside.local: is in the same network as tunnels.branch.inside.local; give every tunnel a network of its own inside',
      ],
    );
    expect(
      problems({ office: OFFICE, branch: { ...branch, bgp: { ...OFFICE.bgp, peerAddress: '169.254.100.2' } } }),
    ).toEqual([
      'tunnels.branch.bgp.peerAddress: is our own address, that of tunnels.office.inside.local; name the address of the remote end’s BGP speaker',
    ]);
  });

  test('is refused where the fabric cannot be', () => {
    expect(() => made({ ...PROPS, cluster: { podCidrs: ['10.1.128.0/17'] } })).toThrow(InputError);
    expect(() => made({ ...PROPS, cluster: { podCidrs: ['10.1.128.0/17'] } })).toThrow(
      /nodeCidrs: has no IPv4 network[^]*cluster\.podCidrs\[0\]: overlaps with routes\.import\.office\.cidr/,
    );
  });
});

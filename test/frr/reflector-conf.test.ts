import { App, Chart } from 'cdk8s';
import { objectsOf } from '../../lib/helm/chart';
import { BgpReflector, InputError, Resource, type BgpReflectorProps, type KubernetesObject } from '../../lib';

const PROPS: BgpReflectorProps = {
  cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
  gateway: 'a',
  routes: { mode: 'bgp', localAs: 65_010, internalAs: 65_020, import: { office: { cidr: '10.1.0.0/16' } } },
  tunnels: {
    office: {
      interface: 'wg0',
      inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
      bgp: { peerAs: 64_514, password: { existingSecret: 'office-bgp' }, bfd: {}, multihopTtl: 2 },
    },
  },
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
      localAs: 65_010,
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

  test('is refused where the fabric cannot be', () => {
    expect(() => made({ ...PROPS, cluster: { podCidrs: ['10.1.128.0/17'] } })).toThrow(InputError);
    expect(() => made({ ...PROPS, cluster: { podCidrs: ['10.1.128.0/17'] } })).toThrow(
      /nodeCidrs: has no IPv4 network[^]*import\.office\.cidr: overlaps with a network of cluster/,
    );
  });
});

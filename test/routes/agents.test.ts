import { App, Chart } from 'cdk8s';
import { CHARTS } from '../../charts';
import { objectsOf } from '../../lib/helm/chart';
import { InputError, RouteAgent, type KubernetesObject, type RouteAgentProps } from '../../lib';

const PROPS: RouteAgentProps = {
  cluster: { podCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['172.27.0.0/20'] },
  gateways: { a: { host: 'a.site-gateways.vpn.svc' }, b: { host: 'b.site-gateways.vpn.svc' } },
  networks: ['10.9.0.0/24'],
  routes: { localAs: 65_010, import: { vpc: { cidr: '10.0.0.0/16', maxLength: 20, whenDown: 'pass' } } },
};

function made(props: RouteAgentProps): KubernetesObject[] {
  const chart = new Chart(new App(), 'site');
  new RouteAgent(chart, 'Site', props);
  return objectsOf(chart);
}

/** What agent.py is told. */
function told(objects: readonly KubernetesObject[]): Record<string, unknown> {
  const [conf] = objects.flatMap(({ data }) => {
    const text = (data as Record<string, string> | undefined)?.['agent.json'];
    return text === undefined ? [] : [JSON.parse(text) as Record<string, unknown>];
  });
  if (conf === undefined) throw new Error('no ConfigMap holds agent.json');
  return conf;
}

const daemonSet = (objects: readonly KubernetesObject[]) =>
  objects.find(({ kind }) => kind === 'DaemonSet') as unknown as {
    spec: { template: { spec: Record<string, unknown> & { containers: Record<string, unknown>[] } } };
  };

describe('route agents alone', () => {
  test('are told of the gateways, the imports and the networks that are known', () => {
    expect(told(made(PROPS))).toMatchObject({
      as: 65_010,
      // Adler-32 of the names is 98 x 65,536 + 98 and 99 x 65,536 + 99 (RFC 1950); what is left of it modulo 65,534, and 1, is 295 and 298.
      gateways: {
        a: { host: 'a.site-gateways.vpn.svc', overlay: '198.19.1.39' },
        b: { host: 'b.site-gateways.vpn.svc', overlay: '198.19.1.42' },
      },
      imports: [
        { cidr: '10.0.0.0/16', maxLength: 20, whenDown: 'pass' },
        { cidr: '10.9.0.0/24', maxLength: 24, whenDown: 'reject' },
        null,
      ],
    });
  });

  test('are in the network of the host, on every node, without a token and without a privileged container', () => {
    const { spec } = daemonSet(made(PROPS)).spec.template;
    expect(spec).toMatchObject({
      hostNetwork: true,
      dnsPolicy: 'ClusterFirstWithHostNet',
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      priorityClassName: 'system-node-critical',
    });
    expect(JSON.stringify(spec)).not.toContain('privileged');
    expect(spec.containers.map(({ name }) => name)).toEqual(['frr', 'filter']);
  });

  test('have a Service with an address, by whose name they know that the release is still there', () => {
    const objects = made(PROPS);
    const service = objects.find(({ kind }) => kind === 'Service') as unknown as {
      metadata: { name: string; namespace: string };
      spec: { clusterIP?: string };
    };
    expect(service.spec.clusterIP).toBeUndefined();
    expect(told(objects)['service']).toBe(`${service.metadata.name}.${service.metadata.namespace}.svc`);
  });

  test('are refused with every problem', () => {
    expect(() =>
      made({
        ...PROPS,
        cluster: { nodeCidrs: [] },
        routes: { localAs: 23_456, import: { all: { cidr: '0.0.0.0/0' } } },
      }),
    ).toThrow(InputError);
    expect(() => made({ ...PROPS, routes: { localAs: 23_456, import: { all: { cidr: '0.0.0.0/0' } } } })).toThrow(
      /localAs: is a reserved number[^]*import\.all\.cidr: is everything/,
    );
  });
});

describe('the agents of the chart ipsec', () => {
  const values = {
    cluster: { podCidrs: ['10.244.0.0/16'], nodeCidrs: ['172.27.0.0/20'] },
    gateways: { a: { exposure: 'hostPort', identity: '203.0.113.10' } },
    tunnels: {
      onprem: {
        gateway: 'a',
        remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
        presharedKey: { existingSecret: 'psk' },
      },
    },
  };

  test('are there only if they are wanted', () => {
    expect(CHARTS.ipsec.objects({ values }).some(({ kind }) => kind === 'DaemonSet')).toBe(false);
    const objects = CHARTS.ipsec.objects({ values: { ...values, agent: { enabled: true } } });
    expect(told(objects)).toMatchObject({
      gateways: { a: { host: 'a.vpn-ipsec-gateways.default.svc' } },
      imports: [{ cidr: '10.1.0.0/16', maxLength: 16, whenDown: 'reject' }, null],
    });
  });

  test('are other pods than those of the gateways', () => {
    const objects = CHARTS.ipsec.objects({ values: { ...values, agent: { enabled: true } } });
    const selectors = objects.flatMap(({ kind, metadata, spec }) => {
      const { selector } = (spec ?? {}) as { selector?: Record<string, unknown> };
      const name = (metadata as { name: string }).name;
      return kind === 'Service' || kind === 'PodDisruptionBudget' ? [{ name, selector }] : [];
    });
    const { labels } = (daemonSet(objects).spec.template as unknown as { metadata: { labels: Record<string, string> } })
      .metadata;
    const picks = selectors.filter(({ selector = {} }) => {
      const wanted = (selector['matchLabels'] ?? selector) as Record<string, string>;
      return Object.entries(wanted).every(([key, value]) => labels[key] === value);
    });
    expect(picks.map(({ name }) => name)).toEqual(['vpn-ipsec-agents']);
  });
});

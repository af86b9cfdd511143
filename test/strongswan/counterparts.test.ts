import { App, Chart } from 'cdk8s';
import { z } from 'zod';
import { helmChart, InputError, IpsecGateways, ipsecValues, type CounterpartKind } from '../../lib';

const onprem = {
  gateway: 'a',
  remote: { address: '198.51.100.7', networks: ['10.1.0.0/16'] },
  presharedKey: { existingSecret: 'onprem-psk' },
};
const given = {
  cluster: { podCidrs: ['10.244.0.0/16'] },
  gateways: { a: { exposure: 'hostPort', identity: '203.0.113.10' } },
} as const;
const vpn = (tunnel: object): IpsecGateways =>
  new IpsecGateways(new Chart(new App(), 'vpn'), 'Site', { ...given, tunnels: { onprem: { ...onprem, ...tunnel } } });
const problems = (of: () => unknown): readonly string[] => {
  try {
    of();
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
};

describe('the remote end in a plain app', () => {
  test.each([
    ['strongswan', {}, ['onprem.conf', 'onprem-charon.conf', 'onprem-network.sh']],
    ['strongswan', { preset: 'azure' }, ['onprem.conf', 'onprem-charon.conf', 'onprem-network.sh']],
    ['aws', { preset: 'aws' }, ['onprem.txt']],
    ['gcp', { preset: 'gcp' }, ['gcp.txt']],
  ] as [CounterpartKind, object, string[]][])('as %s with %j is %j', (as, tunnel, files) => {
    expect(Object.keys(vpn(tunnel).counterpart('onprem', as))).toEqual(files);
  });

  test('has the session of a tunnel with BGP too', () => {
    const gateways = new IpsecGateways(new Chart(new App(), 'vpn'), 'Site', {
      ...given,
      cluster: { ...given.cluster, nodeCidrs: ['172.27.0.0/20'] },
      routes: { mode: 'bgp', localAs: 65_010, import: { site: { cidr: '10.1.0.0/16' } } },
      tunnels: {
        onprem: {
          ...onprem,
          remote: { address: '198.51.100.7' },
          inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
          bgp: { peerAs: 64_514 },
        },
      },
    });
    expect(Object.keys(gateways.counterpart('onprem', 'strongswan'))).toEqual([
      'onprem.conf',
      'onprem-charon.conf',
      'onprem-network.sh',
      'onprem-frr.conf',
    ]);
  });

  test('for Terraform is one file', () => {
    expect(Object.keys(vpn({ preset: 'aws' }).counterpart('onprem', 'aws', { format: 'terraform' }))).toEqual([
      'onprem.tf',
    ]);
  });

  test('is refused where the cloud cannot do it, at once and by the path of the props', () => {
    expect(problems(() => vpn({}).counterpart('onprem', 'gcp'))).toEqual([
      'tunnels.onprem.preset: is not gcp, so the tunnel does not keep to what gcp demands, got "strongswan"; set it to gcp, or ask for another kind of remote end',
    ]);
    const weird = vpn({ preset: 'gcp', mode: 'policy' });
    expect(problems(() => weird.counterpart('onprem', 'gcp'))).toEqual([
      expect.stringMatching(/^tunnels\.onprem\.mode: is policy, but HA VPN takes its routes by BGP only; /),
    ]);
    expect(problems(() => weird.counterpart('onprem', 'strongswan'))).toEqual([]);
  });

  test('is refused for a tunnel and a kind that do not exist', () => {
    expect(problems(() => vpn({}).counterpart('onprm', 'strongswan'))).toEqual([
      'tunnels: has no such tunnel, got "onprm"; name one of its keys',
    ]);
    expect(problems(() => vpn({}).counterpart('onprem', 'cisco' as CounterpartKind))).toEqual([
      'as: is no kind of remote end, got "cisco"; choose one of strongswan, aws, gcp',
    ]);
    expect(
      problems(() => vpn({}).counterpart('onprem', 'strongswan', { presharedKey: 'x', format: 'terraform' })),
    ).toEqual([
      'format: there is nothing for Terraform at a router; leave it out',
      'presharedKey: is for a cloud; use secretLine',
    ]);
  });
});

test('in a chart it says when the values are known what it would refuse', () => {
  const chart = helmChart({
    name: 'shop',
    version: '1.0.0',
    values: z.strictObject({ vpn: ipsecValues.prefault({}) }),
    build: (scope, v) => new IpsecGateways(scope, 'Vpn', v.vpn),
  });
  const said = (preset: string): string =>
    chart.text((gateways) => gateways.counterpartProblems('onprem', 'aws'), {
      values: { vpn: { ...given, tunnels: { onprem: { ...onprem, preset } } } },
    });
  expect(said('aws')).toBe('');
  expect(said('gcp')).toMatch(/^vpn\.tunnels\.onprem\.preset: is not aws/);
});

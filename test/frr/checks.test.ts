import { App, Chart } from 'cdk8s';
import { InputError, RouteAgent } from '../../lib';

/** What is said of a network behind gateways that are made elsewhere. */
function problems(network: string): readonly string[] {
  try {
    new RouteAgent(new Chart(new App(), 'site'), 'Site', {
      cluster: { podCidrs: ['10.244.0.0/16', 'fd00:244::/56'], nodeCidrs: ['172.27.0.0/20'] },
      gateways: { a: { host: 'a.site-gateways.vpn.svc' } },
      networks: ['10.9.0.0/24', network],
      routes: { localAs: 65_010, import: { vpc: { cidr: '10.0.0.0/16' } } },
    });
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe('a network that is known from the values', () => {
  test.each(['127.0.0.0/8', '224.0.0.0/24', '169.254.1.0/24', '255.255.255.0/24', '::1/128', 'fe80::/10', 'ff00::/7'])(
    'is refused where it leads nowhere: %s',
    (network) => {
      expect(problems(network)).toContain(
        `networks[1]: holds addresses that lead nowhere: loopback, link-local, multicast or broadcast ones, got "${network}"; ` +
          'name the networks behind the gateways',
      );
    },
  );

  test.each(['240.1.0.0/16', '192.168.0.0/16', '64:ff9b::/96', 'fd00:9::/48'])('may be %s', (network) => {
    expect(problems(network)).toEqual([]);
  });

  test('is refused once where it is everything', () => {
    expect(problems('0.0.0.0/0')).toEqual([expect.stringContaining('networks[1]: is everything, with the packets')]);
  });
});

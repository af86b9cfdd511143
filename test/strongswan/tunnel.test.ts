import { CHARTS } from '../../charts';
import { evaluate } from '../../lib/staged/evaluate';
import { nodeOf, type Expr } from '../../lib/staged/node';
import { text } from '../../lib/staged';
import { espOverhead, innerMtu } from '../../lib/strongswan/tunnel';

const env = CHARTS.ipsec.environment({});
const valueOf = (of: Expr<unknown>): unknown => evaluate(nodeOf(of), env, undefined);

const [IPV4, IPV4_UDP, IPV6_UDP] = [20, 28, 48];
const [GCM, CBC, CBC_512] = ['aes256gcm16-ecp384', 'aes256-sha256-modp2048', 'aes256-sha512-modp2048'];

describe('the largest packet inside a tunnel', () => {
  // AWS says 1446 and Google 1390 and 1406 for theirs; the others are computed as RFC 4303 and RFC 3948 have it.
  test.each([
    [1500, [1446, 1438, 1438, 1422, 1406]],
    [1460, [1406, 1398, 1390, 1390, 1374]],
    [1450, [1394, 1386, 1374, 1374, 1358]],
    [1420, [1366, 1358, 1358, 1342, 1326]],
    [1400, [1346, 1338, 1326, 1326, 1310]],
  ])('of a network of %d bytes', (outer, expected) => {
    const cases = [
      [GCM, IPV4],
      [GCM, IPV4_UDP],
      [CBC, IPV4],
      [CBC, IPV4_UDP],
      [CBC_512, IPV4_UDP],
    ] as const;
    const sizes = cases.map(([proposals, header]) => valueOf(innerMtu(outer, espOverhead(text`${proposals}`, header))));
    expect(sizes).toEqual(expected);
  });

  test.each([
    ['several proposals have room for the worst of them', `${GCM},${CBC_512}`, IPV4_UDP, 1406],
    ['IPv6 outside takes 20 bytes more', GCM, IPV6_UDP, 1418],
    ['ChaCha20-Poly1305 is as AES-GCM', 'chacha20poly1305-x25519', IPV4_UDP, 1438],
  ])('%s', (_what, proposals, header, expected) => {
    expect(valueOf(innerMtu(1500, espOverhead(text`${proposals}`, header)))).toBe(expected);
  });

  test('HMAC-SHA2-384 takes 24 bytes, 8 more than HMAC-SHA2-256', () => {
    const of = (proposal: string): unknown => valueOf(innerMtu(1496, espOverhead(text`${proposal}`, IPV4_UDP)));
    expect([of('aes128-sha256'), of('aes128-sha384')]).toEqual([1422, 1406]);
  });
});

describe('what a tunnel of mode route lets through', () => {
  const tunnel = { gateway: 'a', remote: { address: '198.51.100.7' }, presharedKey: { existingSecret: 'psk' } };
  const inside6 = { local: 'fd00:169::2/126', remote: 'fd00:169::1' };
  test.each([
    ['IPv4', { remote: { ...tunnel.remote, networks: ['10.1.0.0/16'] } }, '0.0.0.0/0'],
    ['IPv6 too, where a network has it', { remote: { ...tunnel.remote, networks: ['fd00:1::/48'] } }, '0.0.0.0/0,::/0'],
    ['and where BGP speaks it', { inside: inside6, bgp: { peerAs: 64514 } }, '0.0.0.0/0,::/0'],
  ])('%s', (_what, more, selectors) => {
    const values = {
      cluster: { podCidrs: ['10.244.0.0/16', 'fd00:244::/48'], nodeCidrs: ['172.27.0.0/20'] },
      gateways: { a: { exposure: 'hostPort', identity: '203.0.113.10' } },
      ...('bgp' in more && { routes: { mode: 'bgp', localAs: 65010, import: { site: { cidr: 'fd00:1::/48' } } } }),
      tunnels: { site: { ...tunnel, ...more } },
    };
    const objects = JSON.stringify(CHARTS.ipsec.objects({ values }));
    expect(objects).toContain(`local_ts = ${selectors}\\n`);
    expect(objects).toContain(`remote_ts = ${selectors}\\n`);
  });
});

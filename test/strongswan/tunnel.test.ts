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

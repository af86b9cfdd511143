/* Props that must not compile. It is never run. */
import type { Construct } from 'constructs';
import { z } from 'zod';
import {
  eq,
  helmChart,
  lt,
  orElse,
  wireguardValues,
  WireGuardServer,
  type Expr,
  type WireGuardServerProps,
} from 'cdk8s-vpn';
// @ts-expect-error only the package itself can be imported, none of its files
import type {} from 'cdk8s-vpn/build/lib/helm/chart';
// @ts-expect-error nor those of its sources
import type {} from 'cdk8s-vpn/lib/helm/chart';

declare const scope: Construct;
declare const someText: Expr<string>;
declare const maybeText: Expr<string | undefined>;
declare const someNumber: Expr<number>;
const publicKey = '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=';
const addresses = ['10.13.13.2'];

// What compiles, so that each of the rest differs from it in one thing.
export const right: WireGuardServerProps = {
  network: someText,
  listenPort: someNumber,
  mode: 'routed',
  peers: { alice: { publicKey, addresses: [someText], presharedKey: { existingSecret: maybeText } } },
};

// @ts-expect-error wrong type: a number
new WireGuardServer(scope, 'A', { listenPort: '51820' });
// @ts-expect-error wrong type: an expression for a text where a number is wanted
new WireGuardServer(scope, 'B', { listenPort: someText });
// @ts-expect-error wrong type: not one of the texts
new WireGuardServer(scope, 'C', { mode: 'bridged' });
// @ts-expect-error wrong type: a list is wanted
new WireGuardServer(scope, 'D', { peers: { alice: { publicKey, addresses: '10.13.13.2' } } });
// @ts-expect-error wrong type, deep inside
new WireGuardServer(scope, 'E', { peers: { alice: { publicKey: 1, addresses } } });
// @ts-expect-error wrong type of an element
new WireGuardServer(scope, 'F', { peers: { alice: { publicKey, addresses: [someNumber] } } });
// @ts-expect-error unknown key
new WireGuardServer(scope, 'G', { peer: {} });
// @ts-expect-error unknown key of a peer
new WireGuardServer(scope, 'H', { peers: { alice: { publicKey, addresses, allowedIPs: ['10.0.0.0/8'] } } });
// @ts-expect-error unknown key of an object
new WireGuardServer(scope, 'I', { service: { kind: 'NodePort' } });
// @ts-expect-error required key missing
new WireGuardServer(scope, 'J', { peers: { alice: { publicKey } } });
// @ts-expect-error no props at all
new WireGuardServer(scope, 'K');
// @ts-expect-error a key that may be absent where one is required
new WireGuardServer(scope, 'L', { peers: { alice: { publicKey, addresses: [maybeText] } } });
new WireGuardServer(scope, 'M', { peers: { alice: { publicKey, addresses: [orElse(maybeText, someText)] } } });
// @ts-expect-error null stands for nothing in YAML only
new WireGuardServer(scope, 'N', { mtu: null });

helmChart({
  name: 'wrong',
  version: '1.0.0',
  values: z.strictObject({ vpn: wireguardValues.prefault({}) }),
  build: (_scope, v) => {
    // @ts-expect-error no such value
    eq(v.vpn.listenport, 1);
    // @ts-expect-error two types
    eq(v.vpn.listenPort, '51820');
    // @ts-expect-error texts are not ordered
    lt(v.vpn.network, 1);
    // @ts-expect-error maps are entered by each and lookup
    void v.vpn.peers.alice;
  },
});
// @ts-expect-error a chart has a version
helmChart({ name: 'wrong', values: wireguardValues, build: () => undefined });

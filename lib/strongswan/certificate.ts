import { ADDRESS_PATTERN } from '../net/address';
import { HOST_NAME_PATTERN } from '../net/name';
import { identity as identitySchema } from '../../values/net';
import { choose, eq, matches, named, orElse, when, type Expr } from '../staged';
import { localIdentity, type IpsecValues, type TunnelValues } from './tunnel';

/** `user@example.com`: an e-mail address as an identity. */
const EMAIL_PATTERN = /^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$/;

/** Where in a certificate an identity stands. */
const identityKind = named('identityKind', { identity: identitySchema }, ({ identity }) =>
  choose(
    matches(ADDRESS_PATTERN, identity),
    'address',
    choose(matches(HOST_NAME_PATTERN, identity), 'name', choose(matches(EMAIL_PATTERN, identity), 'email', 'subject')),
  ),
);

/** What cert-manager is asked for: a certificate in which the remote end finds our identity. */
export function certificateSpec(v: IpsecValues, t: TunnelValues, secretName: Expr<string>) {
  const identity = localIdentity(v, t);
  const has = (kind: string) => eq<string>(identityKind({ identity }), kind);
  const { issuer } = t.certificate;
  return {
    secretName,
    issuerRef: {
      name: orElse(issuer.name, ''),
      kind: orElse<string>(issuer.kind, 'Issuer'),
      group: orElse(issuer.group, 'cert-manager.io'),
    },
    ipAddresses: when(has('address'), () => [identity]),
    dnsNames: when(has('name'), () => [identity]),
    emailAddresses: when(has('email'), () => [identity]),
    literalSubject: when(has('subject'), () => identity),
    privateKey: { algorithm: 'ECDSA', size: 384, rotationPolicy: 'Always' },
    usages: ['digital signature', 'server auth', 'client auth'],
  };
}

import { ADDRESS_PATTERN } from '../net/address';
import { HOST_NAME_PATTERN } from '../net/name';
import { identity as identitySchema } from '../../values/net';
import {
  choose,
  eq,
  join,
  matches,
  named,
  ne,
  orElse,
  replace,
  reversed,
  split,
  trimPrefix,
  when,
  type Expr,
} from '../staged';
import { localIdentity, type IpsecValues, type TunnelValues } from './tunnel';

/** `vpn.example.com`, `fqdn:vpn.example.com`, `@vpn.example.com`: a name as an identity. */
const NAME_PATTERN = new RegExp(`^(?:fqdn:|@)?${HOST_NAME_PATTERN.source.slice(1)}`);

/** `user@example.com`, `email:user@example.com`: an e-mail address as an identity. */
const EMAIL_PATTERN = /^(?:email:)?[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$/;

const VALUE_SOURCE = String.raw`[!$-*\--:?-\[\]-~](?:[ !#-*\--:?-\[\]-~]*[!$-*\--:?-\[\]-~])?`;
const PART_SOURCE = `(?:C|CN|L|O|OU|SERIALNUMBER|ST)=${VALUE_SOURCE}`;

/**
 * `C=CH, O=Example, CN=vpn`: a distinguished name that strongSwan and cert-manager read alike: attributes that both know, and no
 * character that RFC 4514 would have escaped.
 */
const SUBJECT_PATTERN = new RegExp(`^${PART_SOURCE}(?:, ?${PART_SOURCE})*$`);

/** Where in a certificate an identity stands, and `none` for one that cert-manager cannot put there. */
const identityKind = named('identityKind', { identity: identitySchema }, ({ identity }) =>
  choose(
    matches(ADDRESS_PATTERN, identity),
    'address',
    choose(
      matches(NAME_PATTERN, identity),
      'name',
      choose(matches(EMAIL_PATTERN, identity), 'email', choose(matches(SUBJECT_PATTERN, identity), 'subject', 'none')),
    ),
  ),
);

/** Whether cert-manager can make a certificate in which the identity stands. */
export const canBeIssued = (identity: Expr<string>): Expr<boolean> => ne<string>(identityKind({ identity }), 'none');

/** What cert-manager is asked for: a certificate in which the remote end finds our identity. */
export function certificateSpec(v: IpsecValues, t: TunnelValues, secretName: Expr<string>) {
  const identity = localIdentity(v, t);
  const has = (kind: string) => eq<string>(identityKind({ identity }), kind);
  const { issuer } = t.certificate;
  // cert-manager reads it as RFC 4514 writes it, from the last part to the first.
  const literalSubject = join(',', reversed(split(',', replace(', ', ',', identity))));
  return {
    secretName,
    issuerRef: {
      name: orElse(issuer.name, ''),
      kind: orElse<string>(issuer.kind, 'Issuer'),
      group: orElse(issuer.group, 'cert-manager.io'),
    },
    ipAddresses: when(has('address'), () => [identity]),
    dnsNames: when(has('name'), () => [trimPrefix('@', trimPrefix('fqdn:', identity))]),
    emailAddresses: when(has('email'), () => [trimPrefix('email:', identity)]),
    literalSubject: when(has('subject'), () => literalSubject),
    privateKey: { algorithm: 'ECDSA', size: 384, rotationPolicy: 'Always' },
    usages: ['digital signature', 'server auth', 'client auth'],
  };
}

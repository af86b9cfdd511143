/** Certificates for tests of X.509: EC keys, signed with ECDSA and SHA-256. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { ipv6Groups, isIpv6 } from '../../lib/net/address';

/** A distinguished name, in its order: `{ C: 'CH', O: 'Example', CN: 'left' }`. */
export type Name = Readonly<Partial<Record<keyof typeof ATTRIBUTES, string>>>;

export interface CertificateOptions {
  readonly subject: Name;
  /** Subject alternative names. Without any the distinguished name is the only one. */
  readonly dns?: readonly string[];
  readonly addresses?: readonly string[];
  readonly emails?: readonly string[];
  /** Otherwise from yesterday to tomorrow. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface Certificate {
  /** As PEM. */
  readonly certificate: string;
  /** As PEM, PKCS #8. */
  readonly privateKey: string;
  /** As strongSwan writes it: `C=CH, O=Example, CN=left`. */
  readonly subject: string;
}

export interface Authority extends Certificate {
  issue(options: CertificateOptions): Certificate;
}

const DAY = 86_400_000;

/** A certification authority that signs with its own key; another one is trusted by nobody who trusts this one. */
export function authority(
  subject: Name = { C: 'CH', O: 'Example', CN: 'Example Root' },
  validity: Pick<CertificateOptions, 'notBefore' | 'notAfter'> = {},
): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { subject, ...keys };
  return {
    ...certificateOf({ subject, ...validity }, keys, issuer, true),
    issue: (options) => certificateOf(options, generateKeyPairSync('ec', { namedCurve: 'P-256' }), issuer, false),
  };
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const ATTRIBUTES = { C: '550406', ST: '550408', L: '550407', O: '55040a', OU: '55040b', CN: '550403' } as const;
const ECDSA_WITH_SHA256 = tlv(0x30, tlv(0x06, hex('2a8648ce3d040302')));

function certificateOf(
  { subject, dns = [], addresses = [], emails = [], notBefore, notAfter }: CertificateOptions,
  { publicKey, privateKey }: Keys,
  issuer: Keys & { readonly subject: Name },
  isAuthority: boolean,
): Certificate {
  const names = [
    ...emails.map((email) => tlv(0x81, Buffer.from(email))),
    ...dns.map((name) => tlv(0x82, Buffer.from(name))),
    ...addresses.map((address) => tlv(0x87, addressBytes(address))),
  ];
  const authorityKey = tlv(0x30, tlv(0x80, keyIdentifier(issuer.publicKey)));
  const extensions = [
    // Whether it is an authority; what its key may be used for: to sign certificates and lists, or anything else.
    extension('551d13', tlv(0x30, ...(isAuthority ? [tlv(0x01, hex('ff'))] : [])), true),
    extension('551d0f', tlv(0x03, hex(isAuthority ? '0106' : '0780')), true),
    extension('551d0e', tlv(0x04, keyIdentifier(publicKey))),
    ...(isAuthority ? [] : [extension('551d23', authorityKey)]),
    ...(names.length === 0 ? [] : [extension('551d11', tlv(0x30, ...names))]),
  ];
  const content = tlv(
    0x30,
    tlv(0xa0, tlv(0x02, hex('02'))),
    // Of twenty bytes at the most, and not negative.
    tlv(0x02, Buffer.concat([hex('01'), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameBytes(issuer.subject),
    tlv(0x30, time(notBefore ?? new Date(Date.now() - DAY)), time(notAfter ?? new Date(Date.now() + DAY))),
    nameBytes(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, tlv(0x30, ...extensions)),
  );
  const signature = tlv(0x03, hex('00'), sign('sha256', content, issuer.privateKey));
  const lines = tlv(0x30, content, ECDSA_WITH_SHA256, signature)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject: Object.entries(subject)
      .map(([attribute, value]) => `${attribute}=${value}`)
      .join(', '),
  };
}

/** A tag, the length of the content, the content (ASN.1, DER). */
function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = hex(body.length.toString(16).padStart(body.length < 256 ? 2 : 4, '0'));
  const long = body.length < 128 ? Buffer.alloc(0) : Buffer.from([0x80 + length.length]);
  return Buffer.concat([Buffer.from([tag]), long, length, body]);
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function extension(identifier: string, value: Buffer, critical = false): Buffer {
  return tlv(0x30, tlv(0x06, hex(identifier)), ...(critical ? [tlv(0x01, hex('ff'))] : []), tlv(0x04, value));
}

function nameBytes(name: Name): Buffer {
  const attributes = Object.entries(ATTRIBUTES);
  const parts = Object.entries(name).map(([attribute, value]) => {
    const identifier = attributes.find(([known]) => known === attribute)?.[1] ?? '';
    // The name of a country is a PrintableString, others are UTF8Strings.
    const text = tlv(attribute === 'C' ? 0x13 : 0x0c, Buffer.from(value));
    return tlv(0x31, tlv(0x30, tlv(0x06, hex(identifier)), text));
  });
  return tlv(0x30, ...parts);
}

/** Years from 2050 on would need another form. */
function time(date: Date): Buffer {
  return tlv(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));
}

/** The checksum of the bits of the key, which are the last of its export. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }).subarray(-65))
    .digest();
}

function addressBytes(address: string): Buffer {
  if (!isIpv6(address)) return Buffer.from(address.split('.').map(Number));
  return hex(
    ipv6Groups(address)
      .map((group) => group.toString(16).padStart(4, '0'))
      .join(''),
  );
}

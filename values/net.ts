import { z } from 'zod';
import { ADDRESS_PATTERN, IPV4_SOURCE, IPV6_SOURCE } from '../lib/net/address';
import {
  ADDRESS_OR_CIDR_PATTERN,
  CIDR_PATTERN,
  IPV4_CIDR_PATTERN,
  IPV4_SLASH_16_PATTERN,
  IPV6_CIDR_PATTERN,
} from '../lib/net/cidr';
import { IDENTITY_PATTERN, PROPOSAL_PATTERN } from '../lib/net/identity';
import { ADDRESS_OR_SOCKET_PATTERN, ENDPOINT_MAX_LENGTH, ENDPOINT_PATTERN } from '../lib/net/endpoint';
import {
  DNS_LABEL_PATTERN,
  DNS_NAME_PATTERN,
  DNS_SUBDOMAIN_MAX_LENGTH,
  HOST_NAME_PATTERN,
  INTERFACE_NAME_PATTERN,
  NAME_PATTERN,
} from '../lib/net/name';
import { AS_NUMBER_MAX, AS_NUMBER_MIN } from '../lib/net/as-number';
import { PORT_MAX, PORT_MIN } from '../lib/net/port';
import { WIREGUARD_KEY_PATTERN } from '../lib/net/wireguard-key';

/** An IPv4 or IPv6 address. */
export const address = z.string().regex(ADDRESS_PATTERN).meta({ noun: 'an IP address', example: '10.13.13.2' });
/** A network in CIDR notation. */
export const cidr = z.string().regex(CIDR_PATTERN).meta({ noun: 'a network in CIDR notation', example: '10.0.0.0/16' });
/** An IPv4 network in CIDR notation. */
export const ipv4Cidr = z
  .string()
  .regex(IPV4_CIDR_PATTERN)
  .meta({ noun: 'an IPv4 network in CIDR notation', example: '10.13.13.0/24' });
/** An IPv6 network in CIDR notation. */
export const ipv6Cidr = z
  .string()
  .regex(IPV6_CIDR_PATTERN)
  .meta({ noun: 'an IPv6 network in CIDR notation', example: 'fd00:13:13::/64' });
/** An IPv4 network of 65,536 addresses. */
export const ipv4Slash16 = z
  .string()
  .regex(IPV4_SLASH_16_PATTERN)
  .meta({ noun: 'an IPv4 network with the prefix length 16', example: '198.18.0.0/16' });
/** An address, or a network in CIDR notation. */
export const addressOrCidr = z
  .string()
  .regex(ADDRESS_OR_CIDR_PATTERN)
  .meta({ noun: 'an IP address or a network in CIDR notation', example: '10.0.0.0/16' });
/** A UDP or TCP port. */
export const port = z.int().min(PORT_MIN).max(PORT_MAX).meta({ noun: 'a port number', example: 51820 });
/** `host:port`, an IPv6 address in brackets. */
export const endpoint = z
  .string()
  .regex(ENDPOINT_PATTERN)
  .max(ENDPOINT_MAX_LENGTH)
  .meta({ noun: 'a host or an address with a port', example: 'vpn.example.com:51820' });
/** A domain name in lower case, without a dot at its end. */
export const dnsName = z
  .string()
  .regex(DNS_NAME_PATTERN)
  .max(DNS_SUBDOMAIN_MAX_LENGTH)
  .meta({ noun: 'a domain name in lower case', example: 'corp.example.com' });
/** Where a DNS server is: an address, with a port where it is not 53. */
export const dnsServer = z
  .string()
  .regex(ADDRESS_OR_SOCKET_PATTERN)
  .meta({ noun: 'an IP address with or without a port', example: '10.1.0.53' });
/** A WireGuard key in base64 (wg(8)). */
export const wireguardKey = z.string().regex(WIREGUARD_KEY_PATTERN).meta({
  noun: 'a WireGuard key: 32 bytes in base64, 44 characters',
  example: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=',
});
/**
 * A secret WireGuard key. A check judges it, not the schema: Helm shows in its message what a schema refuses.
 */
export const secretWireguardKey = z
  .string()
  .meta({ secret: true, noun: 'a WireGuard key', example: 'what wg genkey prints' });
/** A key of a map in the values: the name of a peer, a rule, a gateway. */
export const name = z.string().regex(NAME_PATTERN).max(63).meta({ noun: 'a name', example: 'alice' });
/** A DNS label: the name of most objects that others derive names from. */
export const dnsLabel = z.string().regex(DNS_LABEL_PATTERN).meta({ noun: 'a DNS label', example: 'home' });
/** The name of a network interface. */
export const interfaceName = z
  .string()
  .regex(INTERFACE_NAME_PATTERN)
  .meta({ noun: 'an interface name of at most 15 characters', example: 'wg0' });
/** The name of a gateway, a tunnel or a child: short, since the names of objects are made of it, and never cut. */
export const LONGEST_SHORT_NAME = 20;
export const shortName = z
  .string()
  .regex(NAME_PATTERN)
  .max(LONGEST_SHORT_NAME)
  .meta({ noun: 'a name of at most 20 characters', example: 'onprem' });
/** A host name, or an IP address. */
export const host = z
  .string()
  .regex(new RegExp(`^(?:${HOST_NAME_PATTERN.source.slice(1, -1)}|${IPV4_SOURCE}|${IPV6_SOURCE})$`))
  .max(DNS_SUBDOMAIN_MAX_LENGTH)
  .meta({ noun: 'an IP address or a host name', example: '198.51.100.7' });
/** An address with the length of its network's prefix. */
export const addressInNetwork = z
  .string()
  .regex(CIDR_PATTERN)
  .meta({ noun: 'an address with a prefix length', example: '169.254.100.2/30' });
/** An IKE identity (swanctl.conf(5)). */
export const identity = z.string().regex(IDENTITY_PATTERN).meta({ noun: 'an IKE identity', example: '203.0.113.10' });
/** Algorithms of IKE or ESP in strongSwan's keywords. */
export const proposal = z
  .string()
  .regex(PROPOSAL_PATTERN)
  .max(200)
  .meta({ noun: 'a proposal in strongSwan’s keywords', example: 'aes256gcm16-prfsha384-ecp384' });
/** The number of an autonomous system (RFC 6793). */
export const asNumber = z
  .int()
  .min(AS_NUMBER_MIN)
  .max(AS_NUMBER_MAX)
  .meta({ noun: 'the number of an autonomous system', example: 65_010 });

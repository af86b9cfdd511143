import { z } from 'zod';
import { ADDRESS_PATTERN } from '../lib/net/address';
import { ADDRESS_OR_CIDR_PATTERN, CIDR_PATTERN, IPV4_CIDR_PATTERN, IPV6_CIDR_PATTERN } from '../lib/net/cidr';
import { ADDRESS_OR_SOCKET_PATTERN, ENDPOINT_MAX_LENGTH, ENDPOINT_PATTERN } from '../lib/net/endpoint';
import {
  DNS_LABEL_PATTERN,
  DNS_NAME_PATTERN,
  DNS_SUBDOMAIN_MAX_LENGTH,
  INTERFACE_NAME_PATTERN,
  NAME_PATTERN,
} from '../lib/net/name';
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

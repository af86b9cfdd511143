import { IPV4_SOURCE, IPV6_SOURCE } from './address';
import { HOST_NAME_PATTERN } from './name';
import { PORT_PATTERN } from './port';

/** `host:port` with a host name, an IPv4 address, or an IPv6 address in brackets (wg(8), Endpoint). */
export const ENDPOINT_PATTERN = new RegExp(
  `^(?:${unanchored(HOST_NAME_PATTERN)}|${IPV4_SOURCE}|\\[${IPV6_SOURCE}\\]):${unanchored(PORT_PATTERN)}$`,
);

/** An address, with or without a port; an IPv6 address before a port stands in brackets. */
export const ADDRESS_OR_SOCKET_PATTERN = new RegExp(
  `^(?:${IPV6_SOURCE}|\\[${IPV6_SOURCE}\\]:${unanchored(PORT_PATTERN)}|${IPV4_SOURCE}(?::${unanchored(PORT_PATTERN)})?)$`,
);

/** How long an endpoint may be: a host name and a port. */
export const ENDPOINT_MAX_LENGTH = 253 + 6;

function unanchored(pattern: RegExp): string {
  return pattern.source.slice(1, -1);
}

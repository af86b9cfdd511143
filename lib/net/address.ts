/**
 * IPv4 and IPv6 addresses as text: which texts are addresses, the same on every reader of the pattern.
 *
 * The patterns stand in values.schema.json, so JavaScript and Go's RE2 both judge by them. They accept what Python's
 * `ipaddress` accepts, less the forms whose readers disagree: an IPv4 address inside an IPv6 one, and zone ids.
 */

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const GROUP = '[0-9a-fA-F]{1,4}';

/** Source of {@link IPV4_PATTERN} without its anchors, to build longer patterns from. */
export const IPV4_SOURCE = `(?:${OCTET}\\.){3}${OCTET}`;

/**
 * Source of {@link IPV6_PATTERN} without its anchors.
 *
 * One alternative for each number of groups before the `::`, which stands for at least one group (RFC 4291, 2.2).
 */
export const IPV6_SOURCE = [
  `(?:${GROUP}:){7}${GROUP}`,
  `(?:${GROUP}:){1,7}:`,
  `(?:${GROUP}:){1,6}:${GROUP}`,
  `(?:${GROUP}:){1,5}(?::${GROUP}){2}`,
  `(?:${GROUP}:){1,4}(?::${GROUP}){3}`,
  `(?:${GROUP}:){1,3}(?::${GROUP}){4}`,
  `(?:${GROUP}:){1,2}(?::${GROUP}){5}`,
  `${GROUP}:(?::${GROUP}){6}`,
  `::(?:${GROUP}(?::${GROUP}){0,6})?`,
]
  .join('|')
  .replace(/^.*$/, '(?:$&)');

/** An IPv4 address: four decimal octets without leading zeros. */
export const IPV4_PATTERN = new RegExp(`^${IPV4_SOURCE}$`);

/** An IPv6 address in any compression, upper or lower case; no dotted quad, no zone id. */
export const IPV6_PATTERN = new RegExp(`^${IPV6_SOURCE}$`);

/** An IPv4 or an IPv6 address. */
export const ADDRESS_PATTERN = new RegExp(`^(?:${IPV4_SOURCE}|${IPV6_SOURCE})$`);

/** Whether a valid address or network is of IPv6. */
export function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** The eight groups of a valid IPv6 address, `::` written out. */
export function ipv6Groups(address: string): number[] {
  const [before = '', after] = address.split('::');
  const head = groupsOf(before);
  if (after === undefined) return head;
  const tail = groupsOf(after);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

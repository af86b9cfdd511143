/** TCP and UDP ports. */

/** The lowest port that a service can have; 0 means "any" to the kernel. */
export const PORT_MIN = 1;

/** The highest port. */
export const PORT_MAX = 65535;

const PORT_SOURCE = '(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})';

/** A port written as text: 1 to 65535 without leading zeros. */
export const PORT_PATTERN = new RegExp(`^${PORT_SOURCE}$`);

/** A port or a range such as `8000-8080`. That the second is the higher one is for the caller to see. */
export const PORT_OR_RANGE_PATTERN = new RegExp(`^${PORT_SOURCE}(?:-${PORT_SOURCE})?$`);

/**
 * The name of a port in a Service or a container (RFC 6335, 5.1): lower-case letters, digits and single hyphens, at
 * least one letter.
 *
 * It may have at most {@link PORT_NAME_MAX_LENGTH} characters, which the pattern leaves to the schema.
 */
export const PORT_NAME_PATTERN = /^(?:[0-9]+-)*[0-9]*[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** How long the name of a port may be. */
export const PORT_NAME_MAX_LENGTH = 15;

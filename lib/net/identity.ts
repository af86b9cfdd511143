/**
 * An IKE identity as strongSwan reads it (swanctl.conf(5), `id`): an address, a name, an e-mail address, a distinguished
 * name, or a type in front: `keyid:`, `fqdn:`, `email:`, `@#` with hexadecimal digits.
 *
 * Printable ASCII without quotes and backslashes, which would end the text in swanctl.conf, and without a percent sign in
 * front: `%any` is no identity.
 */
export const IDENTITY_PATTERN = new RegExp(String.raw`^[!#-$&-\[\]-~](?:[ !#-\[\]-~]{0,253}[!#-\[\]-~])?$`);

/** Algorithms of one proposal in strongSwan's keywords, with hyphens between them. */
export const PROPOSAL_PATTERN = /^[a-z0-9][a-z0-9_]*(?:-[a-z0-9][a-z0-9_]*)*$/;

/**
 * Names that Kubernetes, image registries and the kernel accept, as far as a portable pattern can say it.
 *
 * Where a limit is on the whole length, and the parts are counted otherwise, a constant beside the pattern says it.
 */

/** A key of a map in the values: `alice`, `site-a`. A DNS label but for its length. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** A DNS label (RFC 1123) as Kubernetes has it, at most 63 characters: namespaces, container names, volumes. */
export const DNS_LABEL_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const SUBDOMAIN_SOURCE = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*';

/** A DNS subdomain as Kubernetes has it: the name of most objects. At most {@link DNS_SUBDOMAIN_MAX_LENGTH}. */
export const DNS_SUBDOMAIN_PATTERN = new RegExp(`^${SUBDOMAIN_SOURCE}$`);

/** How long a DNS subdomain may be. */
export const DNS_SUBDOMAIN_MAX_LENGTH = 253;

const QUALIFIED_NAME_SOURCE = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';

/** The key of a label: a name of at most 63 characters, with or without a DNS subdomain and a slash before it. */
export const LABEL_KEY_PATTERN = new RegExp(`^(?:${SUBDOMAIN_SOURCE}/)?${QUALIFIED_NAME_SOURCE}$`);

/** The key of an annotation: as of a label, but the API server ignores the case of what stands before the slash. */
export const ANNOTATION_KEY_PATTERN = new RegExp(
  `^(?:${SUBDOMAIN_SOURCE.replaceAll('a-z', 'A-Za-z')}/)?${QUALIFIED_NAME_SOURCE}$`,
);

/** How long the key of a label or an annotation may be: a subdomain, the slash, and 63. */
export const QUALIFIED_NAME_MAX_LENGTH = DNS_SUBDOMAIN_MAX_LENGTH + 1 + 63;

/** The value of a label: empty, or at most 63 characters that begin and end with a letter or a digit. */
export const LABEL_VALUE_PATTERN = new RegExp(`^(?:${QUALIFIED_NAME_SOURCE})?$`);

/**
 * A host name as one writes it for a remote end, without a dot at its end (RFC 1123, 2.1).
 *
 * Its last label begins with a letter, as every top-level domain does: `10.0.0.256` is a wrong address, not a host.
 * At most {@link DNS_SUBDOMAIN_MAX_LENGTH} characters.
 */
export const HOST_NAME_PATTERN =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** A host name in lower case: a zone of DNS, or a domain to search in. At most {@link DNS_SUBDOMAIN_MAX_LENGTH}. */
export const DNS_NAME_PATTERN = new RegExp(HOST_NAME_PATTERN.source.replaceAll('A-Za-z', 'a-z'));

/**
 * The name of a network interface: wg-quick's own characters, at most 15 of them, no hyphen in front (it would be
 * an option), and none of the names that the kernel keeps: `.` and `..`, `all` and `default` (folders in
 * /proc/sys/net), `lo`.
 */
export const INTERFACE_NAME_PATTERN = new RegExp(
  `^${namesBut(['.', '..', 'all', 'default', 'lo'], '0-9A-Za-z_=+.-', '-', 15)}$`,
);

/** Source of a pattern for 1 to `most` characters of a class that do not begin with `notFirst` and are no such word. */
function namesBut(words: readonly string[], characters: string, notFirst: string, most: number): string {
  const after = (prefix: string): string => {
    const next = [
      ...new Set(
        words.filter((w) => w.length > prefix.length && w.startsWith(prefix)).map((w) => w.charAt(prefix.length)),
      ),
    ];
    const left = most - prefix.length;
    const other = without(characters, prefix === '' ? [...next, notFirst] : next);
    const ways = [`[${other}]${left > 1 ? `[${characters}]{0,${String(left - 1)}}` : ''}`];
    for (const character of next) ways.push((character === '.' ? '\\.' : character) + after(prefix + character));
    const mayEnd = prefix !== '' && !words.includes(prefix);
    return `(?:${ways.join('|')})${mayEnd ? '?' : ''}`;
  };
  return after('');
}

/** A character class, written as ranges and single characters, without some characters. */
function without(characters: string, excluded: readonly string[]): string {
  const kept = [];
  for (let code = 0x21; code < 0x7f; code++) {
    const character = String.fromCharCode(code);
    if (new RegExp(`[${characters}]`).test(character) && !excluded.includes(character)) kept.push(character);
  }
  const hyphen = kept.includes('-') ? '-' : '';
  const runs = kept.filter((character) => character !== '-').join('');
  return (
    runs.replace(/[0-9]{3,}|[A-Z]{3,}|[a-z]{3,}/g, (run) => ranges(run)) + hyphen // A hyphen is itself only at the end.
  );
}

/** `abcxyz` as `a-cx-z`. */
function ranges(characters: string): string {
  let text = '';
  for (let from = 0, to = 0; from < characters.length; from = ++to) {
    while (characters.charCodeAt(to + 1) === characters.charCodeAt(to) + 1) to++;
    text += to - from > 1 ? `${characters.charAt(from)}-${characters.charAt(to)}` : characters.slice(from, to + 1);
  }
  return text;
}

const IMAGE_PATH_SOURCE = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';

/**
 * The registry of an image, with a port and a path where there is one: `quay.io`, `localhost:5000`,
 * `registry.example.com/mirror`.
 */
export const IMAGE_REGISTRY_PATTERN = new RegExp(
  '^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*' +
    `(?::[0-9]{1,5})?(?:/${IMAGE_PATH_SOURCE})*$`,
);

/** The repository of an image, below its registry: `linuxserver/wireguard`. */
export const IMAGE_REPOSITORY_PATTERN = new RegExp(`^${IMAGE_PATH_SOURCE}(?:/${IMAGE_PATH_SOURCE})*$`);

/** The tag of an image. */
export const IMAGE_TAG_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** The digest of an image, in either algorithm that the OCI image format registers. */
export const IMAGE_DIGEST_PATTERN = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** A quantity as Kubernetes reads it: `100m`, `1.5`, `128Mi`, `1e3`. */
export const QUANTITY_PATTERN = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

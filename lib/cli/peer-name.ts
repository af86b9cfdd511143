/** How long a key of `peers` may be. */
const LONGEST_NAME = 63;

/** The key of `peers` nearest to a name: lower-case letters, digits and hyphens; empty if it has neither letter nor digit. */
export function nearestName(given: string): string {
  const allowed = given.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return allowed.replace(/^-/, '').slice(0, LONGEST_NAME).replace(/-$/, '');
}

/** The name, or the first one with a number behind it that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) {
    const suffix = `-${String(number)}`;
    free = `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
  }
  return free;
}

/** Compares two strings by their UTF-8 bytes, the order of Go's maps and of `sortAlpha`. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // Surrogates (astral characters) sort after the rest of the plane in UTF-8, before U+E000 in UTF-16.
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The keys of a map in the order in which Helm ranges over them. */
export function sortedKeys(map: object): string[] {
  return Object.keys(map).sort(compareUtf8);
}

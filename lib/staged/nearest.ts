import { distance } from 'fastest-levenshtein';

/** The name that somebody meant, if one is near enough. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, far: distance(name.toLowerCase(), typed.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.far - b.far);
  return best?.name;
}

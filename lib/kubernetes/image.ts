import { chooseSet, named, orElse, text, type Expr } from '../staged';

/** An image of the values. */
export interface ImageValues {
  readonly registry: Expr<string>;
  readonly repository: Expr<string> | Expr<string | undefined>;
  readonly tag: Expr<string>;
  readonly digest: Expr<string | undefined>;
  readonly pullPolicy: Expr<string>;
}

/**
 * The reference of an image: by digest where one is given, from the registry of the whole release where that is set.
 *
 * @param name the name of the template that prints it
 */
export function imageReference(
  name: string,
  image: ImageValues,
  globalRegistry: Expr<string | undefined>,
): Expr<string> {
  return named(name, {}, () => {
    const place = text`${orElse(globalRegistry, image.registry)}/${orElse(image.repository, '')}`;
    return chooseSet(image.digest, (digest) => text`${place}@${digest}`, text`${place}:${image.tag}`);
  })();
}

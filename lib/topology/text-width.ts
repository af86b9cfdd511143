/** Fonts of the same widths, one of which nearly every system has; narrower ones fit as well. */
export const FONTS = "Verdana, 'DejaVu Sans', Geneva, sans-serif";

/** The widths of characters in those fonts, rounded up, in thousandths of the font's size. */
const WIDTHS: readonly (readonly [thousandths: number, characters: string])[] = [
  [300, "'il"],
  [360, ' fj’·'],
  [400, ',.t'],
  [465, '!"()-/:;IJ[\\]r|'],
  [530, 'sz–'],
  [600, '?FLckvxy'],
  [640, '$*0123456789EPTY_`abdeghnopqu{}'],
  [700, 'ABCKRSVXZ'],
  [790, '&DGHNOQU'],
  [845, '#+<=>^w~↔'],
  [1000, '@MWm…'],
];
/** Of any other character. */
const WIDEST_THOUSANDTHS = 1100;

const widthOf = new Map(
  WIDTHS.flatMap(([thousandths, characters]) => [...characters].map((character) => [character, thousandths] as const)),
);

/** How much room a line of text takes at most, in the unit of the font's size. */
export function textWidth(text: string, fontSize: number): number {
  const thousandths = [...text].reduce((sum, character) => sum + (widthOf.get(character) ?? WIDEST_THOUSANDTHS), 0);
  return (thousandths * fontSize) / 1000;
}

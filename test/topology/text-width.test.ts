import { textWidth } from '../../lib/topology/text-width';

/** The widths of the characters from the blank to the tilde, in thousandths, as the fonts have them in their tables `hmtx`. */
const VERDANA = [
  ...[352, 394, 459, 818, 636, 1076, 727, 269, 454, 454, 636, 818, 364, 454, 364, 454],
  ...[636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 454, 454, 818, 818, 818, 545],
  ...[1000, 684, 686, 698, 771, 632, 575, 775, 751, 421, 455, 693, 557, 843, 748, 787],
  ...[603, 787, 695, 684, 616, 732, 684, 989, 685, 615, 685, 454, 454, 454, 818, 636],
  ...[636, 601, 623, 521, 623, 596, 352, 623, 633, 274, 344, 592, 274, 973, 633, 607],
  ...[623, 623, 427, 521, 394, 633, 592, 818, 592, 592, 525, 635, 454, 635, 818],
];
const DEJAVU_SANS = [
  ...[318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337],
  ...[636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531],
  ...[1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787],
  ...[603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500],
  ...[500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612],
  ...[635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838],
];

test.each([
  ['Verdana', VERDANA],
  ['DejaVu Sans', DEJAVU_SANS],
])('no character of %s takes more room than is left for it, and little room is left empty', (_, widths) => {
  expect(widths).toHaveLength(95);
  for (const [index, thousandths] of widths.entries()) {
    const character = String.fromCharCode(32 + index);
    const room = textWidth(character, 1000);
    expect([character, room >= thousandths]).toEqual([character, true]);
    expect([character, room <= thousandths + 200]).toEqual([character, true]);
  }
});

test('the room of a text is that of its characters, also of those beyond the first 65,536', () => {
  expect(textWidth('', 11)).toBe(0);
  expect(textWidth('iii', 10)).toBeCloseTo(3 * textWidth('i', 10));
  expect(textWidth('𝒳', 10)).toBe(textWidth('日', 10));
  expect(textWidth('日', 10)).toBeGreaterThan(10);
});

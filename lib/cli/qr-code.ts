import { encode } from 'uqr';

/** The most bytes that a QR code takes: version 40 with error correction L (ISO/IEC 18004, table 7). */
export const QR_MAX_BYTES = 2953;
/** The light border that readers need, in modules (ISO/IEC 18004, 9.1). */
const BORDER_MODULES = 4;

/** A QR code as rows of modules, true for the dark ones, with its border. */
export type QrCode = readonly (readonly boolean[])[];

export function qrCode(text: string): QrCode {
  return encode(text, { ecc: 'L', border: BORDER_MODULES }).data;
}

/**
 * For a terminal: one character for two modules, one above the other. The light modules are drawn, in the terminal's
 * light text colour.
 *
 * @param coloured whether to set the colours, for terminals with dark text on a light ground
 */
export function qrText(code: QrCode, coloured: boolean): string {
  const lines = [];
  for (let row = 0; row < code.length; row += 2) {
    const [above, below] = [code[row] ?? [], code[row + 1] ?? []];
    const line = above.map((dark, column) => HALVES[dark ? 0 : 1]![(below[column] ?? true) ? 0 : 1]).join('');
    lines.push(coloured ? `\u001B[40;97m${line}\u001B[0m\n` : `${line}\n`);
  }
  return lines.join('');
}

/** By what is light: nothing, the lower half, the upper half, both. */
const HALVES = [
  [' ', '▄'],
  ['▀', '█'],
];

import { z } from 'zod';

/** The characters of a line: none that some Helm loses or refuses on its way through YAML. */
const CHARACTER = '\t\r -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}';

/**
 * Any text but for control characters other than tab and the line ends, U+0085, U+2028, U+2029, and the code points that
 * are no characters; and for empty lines at its end, which Helm cuts off where the text is the last of an object. The
 * characters themselves stand in the pattern, since RE2 knows no `\u`.
 */
const PLAIN_TEXT = `^[${CHARACTER}]*(?:\\n+[${CHARACTER}]+)*\\n?$`;

const PLAIN_TEXT_PATTERN = new RegExp(PLAIN_TEXT, 'u');

/** Text of any number of lines. It is no `line`: config texts cannot take it. */
export const text = z
  .string()
  .refine((given) => PLAIN_TEXT_PATTERN.test(given))
  .meta({ noun: 'text without control characters, with one line end at most at its end', pattern: PLAIN_TEXT });

import type { JsonObject } from '../helm/values-file';
import { PRESETS, STRONG_KEY, type PresetName } from '../strongswan/presets';
import { secretOf, secretOfBytes } from './import-result';

/** The key of a Secret that a pre-shared key has. */
const PSK = 'psk';

/** How charon decodes the keys that begin so, and the keys that are of that form. */
const ENCODINGS = [
  { prefix: '0x', encoding: 'hex', form: /^(?:[0-9A-Fa-f]{2})+$/, noun: 'hexadecimal digits' },
  {
    prefix: '0s',
    encoding: 'base64',
    form: /^(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/,
    noun: 'base64',
  },
] as const;

/**
 * The Secret of a pre-shared key of an old chart, whose charon decoded it, and what became of it.
 *
 * @param secret the name of the Secret
 * @param preset what the remote end is, which has rules of its own for keys
 */
export function importedKey(
  psk: string,
  secret: string,
  preset: PresetName = 'strongswan',
): { readonly secrets: readonly JsonObject[]; readonly became: string } {
  const remedy = `make the Secret ${secret} with the key ${PSK}`;
  if (psk === '') return { secrets: [], became: `is missing; ${remedy}` };
  const encoded = ENCODINGS.find(({ prefix }) => psk.toLowerCase().startsWith(prefix));
  const digits = psk.slice(2);
  if (encoded?.form.test(digits) === false) {
    const { prefix, noun } = encoded;
    return {
      secrets: [],
      became: `is left out: it begins with ${prefix}, and the rest is not ${noun}; ${remedy}`,
    };
  }
  const key = encoded === undefined ? Buffer.from(psk) : Buffer.from(digits, encoded.encoding);
  const text = encoded === undefined ? psk : key.toString('latin1');
  const broken = [PRESETS[preset].keyRule, STRONG_KEY].find(({ pattern }) => !pattern.test(text));
  const decoded = encoded === undefined ? '' : `, decoded from ${encoded.noun} as charon did`;
  const refused = broken === undefined ? '' : `; it ${broken.problem}, and the gateway refuses it: ${broken.remedy}`;
  const isText = encoded === undefined || /^[ -~]*$/.test(text);
  return {
    secrets: [isText ? secretOf(secret, { [PSK]: text }) : secretOfBytes(secret, { [PSK]: key })],
    became: `is in the Secret ${secret}, in a file of its own${decoded}${refused}`,
  };
}

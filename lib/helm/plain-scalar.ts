/** What a scalar means: integers as bigint, other numbers as number. */
export type Plain = null | boolean | bigint | number | string;

export const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** The meaning of an unquoted scalar in Go's yaml.v2. */
export function resolvePlain(text: string): Plain {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:[yY]|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
  if (/^(?:[nN]|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return NaN;
  if (/^[-+0-9]/.test(text)) return resolveNumber(text.replaceAll('_', '')) ?? text;
  return /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/.test(text) ? finite(text, text) : text;
}

function resolveNumber(digits: string): bigint | number | undefined {
  const [, sign, body] = /^([-+]?)(.*)$/s.exec(digits)!;
  const integer = resolveInteger(body!);
  if (integer !== undefined) {
    const value = sign === '-' ? -integer : integer;
    if (value >= -MAX_INT64 - 1n && value <= (sign === '' ? MAX_UINT64 : MAX_INT64)) return value;
  }
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(digits)) return finite(digits, undefined);
  const signed = /^0b([-+])([01]+)$/.exec(digits);
  return signed?.[2] !== undefined ? BigInt(`0b${signed[2]}`) * (signed[1] === '-' ? -1n : 1n) : undefined;
}

function resolveInteger(body: string): bigint | undefined {
  if (/^0[0-7]+$/.test(body)) return BigInt(`0o${body.slice(1)}`);
  return /^(?:0|[1-9][0-9]*|0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+)$/.test(body) ? BigInt(body) : undefined;
}

function finite<T>(text: string, otherwise: T): number | T {
  const value = Number(text);
  return Number.isFinite(value) ? value : otherwise;
}

/** A number as Helm writes it when it is a key: in single precision, the shortest text that gives it again. */
export function float32Text(value: number): string | undefined {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return undefined;
  let digits = 0;
  while (Math.fround(Number(single.toExponential(digits))) !== single) digits++;
  const [mantissa, exponent] = single.toExponential(digits).split('e') as [string, string];
  const sign = Object.is(single, -0) ? '-' : '';
  const power = Number(exponent);
  if (power < -4 || power >= 6) return `${sign}${mantissa}e${exponent.replace(/^([-+])(\d)$/, '$10$2')}`;
  return sign + Number(`${mantissa}e${exponent}`).toFixed(Math.max(digits - power, 0));
}

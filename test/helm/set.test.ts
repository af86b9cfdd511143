import { applySet, applySetString } from '../../lib/helm/set';
import { parseValuesFile } from '../../lib/helm/parse-values-file';
import type { JsonObject } from '../../lib/helm/values-file';
import { InputError } from '../../lib/staged/input-error';
import { describeWith } from '../left-out';
import { HELM_VERSIONS, type HelmVersion } from '../tools';
import { ALL_HELMS, asHelmReads } from './real-helm';

const BASE = 'm: {a: 1, n: {b: 2}}\nl: [1, {x: 2}, [3, 4]]\ns: text\nz: null\n';

const EXPRESSIONS = [
  'a=1', 'a=b,c=d', 'a=', 'a=,b=1', 'a=1,', '', 'a=true', 'a=TRUE', 'a=fAlSe', 'a=null', 'a=NULL', 'a=~', 'a=yes',
  'a=0', 'a=00', 'a=012', 'a=-5', 'a=-05', 'a=+5', 'a=1.5', 'a=1e3', 'a=0x1f', 'a=1_000', 'a=4200000001', 'a= 1', 'a=9223372036854775808',
  'a={x,y}', 'a={}', 'a={1,true,null,}', 'a={x},b=1', 'a={x}b=1', 'a=[]', 'a="q"', "a='q'", 'a=x=y', 'a=a b', 'a=é😀',
  'a\\.b=1', 'a\\,b=1', 'a=x\\,y', 'a=x\\\\y', 'a={x\\,y,z\\}}', 'a\\=b=1', 'a=x\\', 'a.b.c=1', 'a.b=1,a.c=2', 'm.a=9', 'm.n.b=null', 'm.n=1',
  'a[0]=1', 'a[2]=1', 'a[0].b=1', 'a[0].b=1,a[0].c=2', 'a[1].b=1', 'a[0][1]=x', 'a[0]=', 'a[0].b=', 'a[0]', 'a[0]={x,y}', 'a[0].b[1].c=1',
  'l[0]=9', 'l[1].x=9', 'l[1].y=9', 'l[2][0]=9', 'l[0].x=9', 'l[5]=9', 'l[+1]=9', 'l=x', 'l[3][1].q=1', '=1', '.a=1,b=2', 'a.=', 'a.', 'a[0].',
  's=other', 's.a=1', 's[0]=1', 'z.a=1', 'z[0]=1', 'm[0]=1', 'l.a=1', 'a', 'a,b=1', 'a=1,b', ',a=1', 'a={x', 'a[x]=1', 'a[]=1', 'a[-1]=1', 'a[0]x=1',
  'a[0', 'a[65536]=1', 'a[65537]=1', 'a[99999999999999999999]=1', 'a.=1', 'm.=1', `${'a.'.repeat(30)}b=1`, `${'a.'.repeat(31)}b=1`,
  'l[0][1]=x', 'l[1][0]=x', 'a[0]=null', 'a[0],b=1', 'l[1]=null', 'constructor.a=1', 'hasOwnProperty=x', 'a.b[0]=1', 'a[1][1][1]=x',
]; // prettier-ignore

/** What Helm 4 takes silently and Helm 3 refuses; we refuse it too. */
const DIFFERS = ['a[0'];

describeWith(ALL_HELMS, 'flags mean what Helm takes them for', () => {
  // Below another key, where the next test puts the others, these would say something else.
  test('each --set without a first name, or as deep as can be (4.3.1)', () => {
    const special = EXPRESSIONS.filter((expression) => !fitsBelow(expression));
    expect(special.map((expression) => [expression, ours(applySet, BASE, [expression])])).toEqual(
      special.map((expression) => [expression, helms('4.3.1', '--set', BASE, [expression])]),
    );
  });

  // One Helm for all that are accepted: each below a key of its own, which holds what it meets when it is alone.
  test.each([
    ...HELM_VERSIONS.map((version) => ['--set', version, applySet] as const),
    ...HELM_VERSIONS.map((version) => ['--set-string', version, applySetString] as const),
  ])('many %s together, those that are refused alone (%s)', (flag, version, apply) => {
    const [refused, accepted] = [true, false].map((wanted) =>
      EXPRESSIONS.filter((expression) => (ours(apply, BASE, [expression]) === 'refused') === wanted),
    ) as [string[], string[]];
    const placed = accepted.filter(fitsBelow);
    const base = placed.map((_, index) => `k${String(index)}: {${BASE.trimEnd().replaceAll('\n', ', ')}}\n`).join('');
    const below = placed.map((expression, index) =>
      expression.replaceAll(/(^|(?<!\\),)(?=[a-z][^=,{}]*=|[a-z][^,]*$)/g, `$1k${String(index)}.`),
    );
    const together = ours(apply, base, below);
    expect(together).not.toBe('refused');
    expect([placed, together]).toEqual([placed, helms(version, flag, base, below)]);

    const alike = refused.filter((expression) => version !== '4.3.1' || !DIFFERS.includes(expression));
    expect(alike.map((expression) => [expression, helms(version, flag, BASE, [expression])])).toEqual(
      alike.map((expression) => [expression, 'refused']),
    );
  });
});

/** Whether it may stand below another key: it begins with a name, and is not at the limit of nesting. */
function fitsBelow(expression: string): boolean {
  return /^[a-z]/.test(expression) && !/(?:a\.){30}/.test(expression);
}

const baseOf = (text: string): JsonObject => parseValuesFile(text, 'f').values;

function ours(apply: typeof applySet, base: string, expressions: readonly string[]): JsonObject | 'refused' {
  try {
    return expressions.reduce(apply, baseOf(base));
  } catch (error) {
    if (error instanceof InputError) return 'refused';
    throw error;
  }
}

function helms(
  version: HelmVersion,
  flag: string,
  base: string,
  expressions: readonly string[],
): JsonObject | 'refused' {
  const outcome = asHelmReads(version, {
    files: [base],
    flags: expressions.map((expression) => `${flag}=${expression}`),
  });
  return 'error' in outcome ? 'refused' : outcome.values;
}

test('one expression may set any number of list items', () => {
  const parts = Array.from({ length: 500 }, (_, index) => `a[${index}]=${index}`);
  expect(applySet({}, parts.join(','))).toEqual({ a: Array.from({ length: 500 }, (_, index) => index) });
});

test('the values that are given stay as they are', () => {
  const values = baseOf(BASE);
  applySet(values, 'm.n.b=9,l[1].x=9,l[2][0]=9');
  expect(values).toEqual(baseOf(BASE));
});

test.each([
  ['--set', applySet, 'a,b=s3cret', '--set "a,b=…": a name without "="; write name=value, and a comma in a value as \\,'],
  ['--set', applySet, 'password=s3c,ret', '--set "password=…": a part without "="; write name=value, and a comma in a value as \\,'],
  ['--set', applySet, 'a[x]=s3cret', '--set "a[x]=…": an index that is no number; write name[0]=value'],
  ['--set', applySet, 'a[0', '--set "a[0": an index without "]"; write name[0]=value'],
  ['--set-string', applySetString, 'a={s3cret', '--set-string "a=…": a list without "}"; write name={x,y}'],
  ['--set', applySet, `a${'[0]'.repeat(101)}=s3cret`, `--set "a${'[0]'.repeat(101)}=…": more than 100 indexes; use a values file`],
  ['--set', applySet, '__proto__.x=1', '--set "__proto__.x=…": the key "__proto__"; use another name'],
] as const)('%s: a malformed one is wrong usage, and its value is not shown (%#)', (_, apply, expression, sentence) => {
  expect(() => apply({}, expression)).toThrow(new InputError([sentence], 2));
}); // prettier-ignore

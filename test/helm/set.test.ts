import { applySet, applySetString } from '../../lib/helm/set';
import { parseValues, type JsonObject } from '../../lib/helm/values-file';
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
  'a[0]=null', 'a[0],b=1', 'l[1]=null', 'constructor.a=1', 'hasOwnProperty=x', 'a.b[0]=1', 'a[1][1][1]=x',
]; // prettier-ignore

/** What Helm 4 takes silently and Helm 3 refuses; we refuse it too. */
const DIFFERS = ['a[0'];

describeWith(ALL_HELMS, 'flags mean what Helm takes them for', () => {
  function agree(version: HelmVersion, flag: string, apply: typeof applySet): void {
    const expressions = EXPRESSIONS.filter((expression) => version !== '4.3.1' || !DIFFERS.includes(expression));
    expect(expressions.map((expression) => [expression, ours(apply, expression)])).toEqual(
      expressions.map((expression) => [expression, helms(version, flag, expression)]),
    );
  }

  test.each(HELM_VERSIONS)(
    '--set (%s)',
    (version) => {
      agree(version, '--set', applySet);
    },
    120_000,
  );

  test('--set-string', () => {
    agree('4.3.1', '--set-string', applySetString);
  }, 120_000);
});

const base = (): JsonObject => parseValues(BASE, 'f').values;

function ours(apply: typeof applySet, expression: string): JsonObject | 'refused' {
  try {
    return apply(base(), expression);
  } catch (error) {
    if (error instanceof InputError) return 'refused';
    throw error;
  }
}

function helms(version: HelmVersion, flag: string, expression: string): JsonObject | 'refused' {
  const outcome = asHelmReads(version, { files: [BASE], flags: [`${flag}=${expression}`] });
  return 'error' in outcome ? 'refused' : outcome.values;
}

test('the values that are given stay as they are', () => {
  const values = base();
  applySet(values, 'm.n.b=9,l[1].x=9,l[2][0]=9');
  expect(values).toEqual(base());
});

test.each([
  ['--set', applySet, 'a,b=s3cret', '--set "a,b=…": a name without "="; write name=value, and a comma in a value as \\,'],
  ['--set', applySet, 'password=s3c,ret', '--set "password=…": a part without "="; write name=value, and a comma in a value as \\,'],
  ['--set', applySet, 'a[x]=s3cret', '--set "a[x]=…": an index that is no number; write name[0]=value'],
  ['--set', applySet, 'a[0', '--set "a[0": an index without "]"; write name[0]=value'],
  ['--set-string', applySetString, 'a={s3cret', '--set-string "a=…": a list without "}"; write name={x,y}'],
  ['--set', applySet, '__proto__.x=1', '--set "__proto__.x=…": the key "__proto__"; use another name'],
] as const)('%s: a malformed one is wrong usage, and its value is not shown (%#)', (_, apply, expression, sentence) => {
  expect(() => apply({}, expression)).toThrow(new InputError([sentence], 2));
}); // prettier-ignore

import { CHARTS } from '../../charts';
import { evaluate } from '../../lib/staged/evaluate';
import { text } from '../../lib/staged';
import { nodeOf, type Expr } from '../../lib/staged/node';
import { hcl, hclName } from '../../lib/strongswan/hcl';
import { describeWith } from '../left-out';
import { hclfmt } from './hclfmt';

const env = CHARTS.ipsec.environment({});
const valueOf = (of: Expr<string>): string => evaluate(nodeOf(of), env, undefined) as string;

describe('a quoted string of HCL', () => {
  test.each([
    ['plain', '"plain"'],
    ['a "b" \\c', String.raw`"a \"b\" \\c"`],
    ['${path} %{ if', '"$${path} %%{ if"'],
    ['$${x} $ % {', '"$$${x} $ % {"'],
  ])('of %j is %s', (value, expected) => {
    expect(valueOf(hcl(value))).toBe(expected);
    expect(valueOf(hcl(text`${value}`))).toBe(expected);
  });

  test('is never of two lines', () => {
    expect(() => hcl('a\nb')).toThrow(TypeError);
  });

  test('is a name of its own for every tunnel, also for the shell', () => {
    expect([hclName(text`1-a`), hclName(text`a`)].map(valueOf)).toEqual(['vpn_1_a', 'vpn_a']);
  });
});

describeWith(['hclfmt'], 'hclfmt', () => {
  const line = (value: string): string => `a = ${value}\n`;

  test.each([
    '"',
    '\\',
    '\\"',
    '${',
    '%{',
    '$${a}',
    '%%{ if true }',
    '${"${',
    '\\${x}',
    "'#//",
    '<<EOT',
    '${file("x")}',
  ])('takes %j as it is quoted', (value) => {
    const file = line(valueOf(hcl(value)));
    expect(hclfmt(file)).toEqual({ complaints: '', formatted: file });
  });

  test.each(['"${"', '"a"b"', '"%{ if x }"', '"\\"'])('but not %s', (value) => {
    expect(hclfmt(line(value)).complaints).toContain('Error: ');
  });
});

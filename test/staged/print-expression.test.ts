/** How printed templates read. That they mean the right thing is proven in test/laws/operations.test.ts. */
import { z } from 'zod';
import { helmChart } from '../../lib/helm/chart';
import * as staged from '../../lib/staged';

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z]+$/)
    .default('x'),
  port: z.int().default(1),
  maybe: z
    .string()
    .regex(/^[a-z]+$/)
    .optional(),
  flag: z.boolean().default(true),
  list: z.array(z.string().regex(/^[a-z]+$/)).default([]),
  peers: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.strictObject({ key: z.string().regex(/^[a-z]+$/), nets: z.array(z.string().regex(/^[a-z]+$/)).optional() }),
    )
    .default({}),
});
type Values = staged.Ref<z.output<typeof schema>>;

/** The lines that a value of the key `is` prints to. */
function printed(build: (v: Values) => unknown): string[] {
  return fileOf('templates/object.yaml', build)
    .split('\n')
    .filter((line) => line !== '')
    .slice(2);
}

function fileOf(name: string, build: (v: Values) => unknown): string {
  const chart = helmChart({
    name: 'demo',
    version: '1.0.0',
    values: schema,
    build: (scope, v) => {
      new staged.Resource(scope, 'Object', { apiVersion: 'v1', kind: 'X', is: build(v) });
    },
  });
  return chart.files().find((file) => file.name === name)?.text ?? '';
}

test('a loop names only the variables that its body uses', () => {
  expect(printed((v) => staged.each(v.peers, (key) => key))).toContain('  {{- range $name, $_ := $.Values.peers }}');
  expect(printed((v) => staged.each(v.peers, (_key, peer) => peer.key))).toContain(
    '  {{- range $peer := $.Values.peers }}',
  );
  expect(printed((v) => staged.each(v.peers, (key, peer) => staged.text`${key}${peer.key}`))).toContain(
    '  {{- range $name, $peer := $.Values.peers }}',
  );
  expect(printed((v) => staged.each(v.peers, () => 'x'))).toContain('  {{- range $.Values.peers }}');
});

test('loops in loops have variables of their own', () => {
  const lines = printed((v) => staged.each(v.list, (a) => staged.each(v.list, (b) => staged.text`${a}${b}`)));
  expect(lines).toContain('  - {{ printf "%s%s" $list $list2 | quote }}');
});

test('a decided condition leaves no action', () => {
  expect(printed(() => staged.when(true, () => 'a'))).toEqual(['is: a']);
  expect(printed((v) => staged.when(staged.or(v.flag, true), () => 'a'))).toEqual(['is: a']);
  expect(
    printed((v) =>
      staged.when(
        staged.and(v.flag, false),
        () => 'a',
        () => 'b',
      ),
    ),
  ).toEqual(['is: b']);
});

test('a loop over what is known now is unrolled', () => {
  const known = staged.stage(schema, { list: ['a', 'b'] });
  expect(printed(() => staged.each(known.list, (item) => staged.text`<${item}>`))).toEqual([
    'is:',
    '  - "<a>"',
    '  - "<b>"',
  ]);
});

test('what a part of a value is known for is not computed when the chart is installed', () => {
  const known = staged.stage(schema, { name: 'abc' });
  expect(printed((v) => staged.text`${staged.trunc(2, known.name)}${v.port}`)).toEqual([
    'is: {{ printf "ab%d" (int64 $.Values.port) | quote }}',
  ]);
});

test('a value behind parents that may be absent is asked for in parentheses', () => {
  expect(printed((v) => staged.each(staged.lookup(v.peers, 'a').nets, (net) => net))).toContain(
    '  {{- range $net := (index $.Values.peers "a").nets }}',
  );
});

test('two named parts of one name are told apart', () => {
  const helpers = fileOf('templates/_helpers.tpl', (v) => [
    staged.named('part', {}, () => staged.text`a${v.port}`)(),
    staged.named('part', {}, () => staged.text`b${v.port}`)(),
  ]);
  expect(helpers.match(/define "[^"]+"/g)).toEqual(['define "demo.part"', 'define "demo.part2"']);
});

test('a choice that could fail is an action, and one that could not is an expression', () => {
  expect(printed((v) => staged.chooseSet(v.maybe, (maybe) => staged.text`<${maybe}>`, 'none')).join('\n')).toContain(
    'ternary',
  );
  const lines = printed((v) => staged.chooseSet(v.maybe, (maybe) => staged.lower(maybe), 'none'));
  expect(lines).toEqual([
    '{{- $chosen := "" }}',
    '{{- if not (kindIs "invalid" $.Values.maybe) }}',
    '  {{- $chosen = lower $.Values.maybe }}',
    '{{- else }}',
    '  {{- $chosen = "none" }}',
    '{{- end }}',
    'is: {{ $chosen | quote }}',
  ]);
});

test('fails when a loop variable is used in a named part without being its parameter', () => {
  const build = (v: Values) => staged.each(v.peers, (key) => staged.named('part', {}, () => staged.text`x${key}`)());
  const unbound = 'name is used outside the loop or the named template that it belongs to';
  expect(() => printed(build)).toThrow(unbound);
  const chart = helmChart({
    name: 'demo',
    version: '1.0.0',
    values: schema,
    build: (scope, v) => {
      new staged.Resource(scope, 'Object', { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, is: build(v) });
    },
  });
  expect(() => chart.objects({ values: { peers: { a: { key: 'a' } } } })).toThrow(unbound);
});

test('fails when a literal text is no Unicode', () => {
  expect(() => printed(() => 'a\ud800b')).toThrow('has half a character in it and is no Unicode text');
});

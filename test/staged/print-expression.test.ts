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

/** The lines of the only named part. */
function named(build: (v: Values) => unknown): string[] {
  return fileOf('templates/_helpers.tpl', build).split('\n').slice(1, -2);
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

/** `first` with the flag, `second` with no list, else the third. */
const chain = (v: Values, first: unknown, second: unknown, third: unknown): staged.When<unknown> =>
  staged.when(
    v.flag,
    () => first,
    () =>
      staged.when(
        staged.isEmpty(v.list),
        () => second,
        () => third,
      ),
  );

describe('a choice that is all of the other branch goes on with else if', () => {
  test('around the key of a map, the element of a list and keys of its own, at their indentation', () => {
    expect(printed((v) => ({ at: chain(v, 'a', { deep: v.name }, [v.port]), z: 1 }))).toEqual([
      'is:',
      '  {{- if $.Values.flag }}',
      '  at: a',
      '  {{- else if not $.Values.list }}',
      '  at:',
      '    deep: {{ $.Values.name | quote }}',
      '  {{- else }}',
      '  at:',
      '    - {{ $.Values.port | int64 }}',
      '  {{- end }}',
      '  z: 1',
    ]);
    expect(printed((v) => ['a', chain(v, 'b', ['c', 'd'], { e: 1 }), 'f'])).toEqual([
      'is:',
      '  - a',
      '  {{- if $.Values.flag }}',
      '  - b',
      '  {{- else if not $.Values.list }}',
      '  - c',
      '  - d',
      '  {{- else }}',
      '  - e: 1',
      '  {{- end }}',
      '  - f',
    ]);
    expect(printed((v) => ({ at: staged.mapOf(chain(v, { a: 1 }, { b: 1 }, { c: 1 }) as never), z: 1 }))).toEqual([
      'is:',
      '  {{- if ternary (dict "a" 1) (ternary (dict "b" 1) (dict "c" 1) (empty $.Values.list)) $.Values.flag }}',
      '  at:',
      '    {{- if $.Values.flag }}',
      '    a: 1',
      '    {{- else if not $.Values.list }}',
      '    b: 1',
      '    {{- else }}',
      '    c: 1',
      '    {{- end }}',
      '  {{- end }}',
      '  z: 1',
    ]);
  });

  test('around the lines of a text, which keep their indentation and their empty lines', () => {
    const conf = (v: Values): unknown =>
      staged.named(
        'conf',
        {},
        () => staged.conf`
          begin
            ${chain(
              v,
              staged.conf`a = ${v.name}`,
              staged.conf`b`,
              staged.conf`
              {{- if }}

              {{- end }}
            `,
            )}
          end
        `,
      )();
    expect(named(conf)).toEqual([
      'begin',
      '{{- if $.Values.flag }}',
      '  a = {{ $.Values.name }}',
      '{{- else if not $.Values.list }}',
      '  b',
      '{{- else }}',
      '  {{ "{{" }}- if }}',
      '',
      '  {{ "{{" }}- end }}',
      '{{- end }}',
      'end',
    ]);
  });

  test('around a scalar of a named part, whichever words it was written with', () => {
    const scalar = (v: Values): unknown =>
      staged.named('part', {}, () =>
        staged.choose(v.flag, 'a', staged.orElse(v.maybe, staged.choose(staged.isEmpty(v.list), 'b', v.name))),
      )();
    expect(named(scalar)).toEqual([
      '{{- if $.Values.flag }}',
      '{{- "a" }}',
      '{{- else if not (kindIs "invalid" $.Values.maybe) }}',
      '{{- $.Values.maybe }}',
      '{{- else if not $.Values.list }}',
      '{{- "b" }}',
      '{{- else }}',
      '{{- $.Values.name }}',
      '{{- end }}',
    ]);
  });

  test('around a variable of an expression, indented as a program', () => {
    const lowered = (v: Values, otherwise: staged.Expr<string> | string): staged.Expr<string> =>
      staged.chooseSet(v.maybe, (maybe) => staged.lower(maybe), otherwise);
    expect(
      printed((v) => staged.choose(staged.isEmpty(v.list), v.name, staged.choose(v.flag, 'a', lowered(v, 'none')))),
    ).toEqual([
      '{{- $chosen := "" }}',
      '{{- if not $.Values.list }}',
      '  {{- $chosen = $.Values.name }}',
      '{{- else if $.Values.flag }}',
      '  {{- $chosen = "a" }}',
      '{{- else if not (kindIs "invalid" $.Values.maybe) }}',
      '  {{- $chosen = lower $.Values.maybe }}',
      '{{- else }}',
      '  {{- $chosen = "none" }}',
      '{{- end }}',
      'is: {{ $chosen | quote }}',
    ]);
  });

  test('with loops, variables and conditions of its own inside', () => {
    const body = (v: Values): unknown =>
      staged.whenSet(
        v.maybe,
        (maybe) => maybe,
        () =>
          staged.whenSet(
            staged.lookup(v.peers, 'a').nets,
            (nets) => [
              staged.each(nets, (net) => net),
              staged.when(
                staged.some(nets, (net) => staged.eq(net, 'x')),
                () => 'b',
              ),
            ],
            () => staged.each(v.list, (item) => item),
          ),
      );
    expect(printed((v) => ['first', body(v), 'last'])).toEqual([
      'is:',
      '  - first',
      '  {{- if not (kindIs "invalid" $.Values.maybe) }}',
      '  - {{ $.Values.maybe | quote }}',
      '  {{- else if not (kindIs "invalid" ((index $.Values.peers "a").nets)) }}',
      '  {{- range $net := (index $.Values.peers "a").nets }}',
      '  - {{ $net | quote }}',
      '  {{- end }}',
      '  {{- $found := false }}',
      '  {{- range $net := (index $.Values.peers "a").nets }}',
      '  {{- if eq $net "x" }}',
      '  {{- $found = true }}',
      '  {{- end }}',
      '  {{- end }}',
      '  {{- if $found }}',
      '  - b',
      '  {{- end }}',
      '  {{- else }}',
      '  {{- range $list := $.Values.list }}',
      '  - {{ $list | quote }}',
      '  {{- end }}',
      '  {{- end }}',
      '  - last',
    ]);
  });
});

describe('the other branch stays one of its own', () => {
  /** The lines between `else` and its end. */
  const otherwise = (build: (v: Values) => unknown): string[] => {
    const choice = (v: Values): unknown =>
      staged.when(
        v.flag,
        () => 'a',
        () => build(v),
      );
    const lines = printed((v) => ['first', choice(v), 'last']);
    expect(lines.slice(0, 5)).toEqual(['is:', '  - first', '  {{- if $.Values.flag }}', '  - a', '  {{- else }}']);
    expect(lines.slice(-2)).toEqual(['  {{- end }}', '  - last']);
    return lines.slice(5, -2);
  };

  test('where its condition needs actions before it', () => {
    const some = (v: Values): unknown =>
      staged.when(
        staged.some(v.list, (item) => staged.eq(item, 'x')),
        () => 'b',
      );
    expect(otherwise(some)).toEqual([
      '  {{- $found := false }}',
      '  {{- range $list := $.Values.list }}',
      '  {{- if eq $list "x" }}',
      '  {{- $found = true }}',
      '  {{- end }}',
      '  {{- end }}',
      '  {{- if $found }}',
      '  - b',
      '  {{- end }}',
    ]);
  });

  test('where it names a value first', () => {
    const bound = (v: Values): unknown =>
      staged.bind('short', staged.trunc(2, v.name), (short) => staged.when(staged.hasPrefix('a', short), () => short));
    expect(otherwise(bound)).toEqual([
      '  {{- $short := trunc (int 2) $.Values.name }}',
      '  {{- if hasPrefix "a" $short }}',
      '  - {{ $short | quote }}',
      '  {{- end }}',
    ]);
  });

  test('where it is a loop, or a value that is printed whole', () => {
    expect(otherwise((v) => staged.each(v.list, (item) => item))).toEqual([
      '  {{- range $list := $.Values.list }}',
      '  - {{ $list | quote }}',
      '  {{- end }}',
    ]);
    expect(otherwise((v) => staged.spread(v.list))).toEqual([
      '  {{- with $.Values.list }}',
      '  {{- toYaml . | nindent 2 }}',
      '  {{- end }}',
    ]);
  });

  test('where there is more in it than one condition', () => {
    const [b, c] = [
      (v: Values) => staged.when(staged.isEmpty(v.list), () => 'b'),
      (v: Values) => staged.when(staged.isEmpty(v.name), () => 'c'),
    ];
    const [printedB, printedC] = [
      ['  {{- if not $.Values.list }}', '  - b', '  {{- end }}'],
      ['  {{- if not $.Values.name }}', '  - c', '  {{- end }}'],
    ];
    expect(otherwise((v) => [b(v), c(v)])).toEqual([...printedB, ...printedC]);
    expect(otherwise((v) => [b(v), 'd'])).toEqual([...printedB, '  - d']);
    expect(otherwise((v) => ['d', b(v)])).toEqual(['  - d', ...printedB]);
  });
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

import { z } from 'zod';
import * as staged from '../../lib/staged';
import { refs } from '../../lib/staged/stage';

const v = refs(
  z.strictObject({
    text: z.string(),
    line: z.string().regex(/^[a-z]*$/),
    maybe: z.string().optional(),
    int: z.int(),
    maybeInt: z.int().optional(),
    half: z.number(),
    flag: z.boolean(),
    maybeFlag: z.boolean().optional(),
    list: z.array(z.string()),
    ints: z.array(z.int()),
    map: z.record(z.string(), z.string()),
    maybeMap: z.record(z.string(), z.string()).optional(),
    object: z.strictObject({ a: z.int() }),
    any: z.unknown(),
  }),
);
/** For what the compiler refuses too. */
const any = (value: unknown): never => value as never;

describe('fails when', () => {
  const cases: Readonly<Record<string, [() => unknown, string]>> = {
    'a text that may be absent is an operand': [
      () => staged.contains('a', any(v.maybe)),
      'contains: values.maybe may be absent; wrap it in orElse(…)',
    ],
    'an integer that may be absent is an operand': [
      () => staged.add(any(v.maybeInt), 1),
      'add: values.maybeInt may be absent',
    ],
    'a condition may be absent': [
      () => staged.when(any(v.maybeFlag), () => 'x'),
      'when: values.maybeFlag may be absent',
    ],
    'a map that may be absent is looked into': [
      () => staged.lookup(any(v.maybeMap), 'a'),
      'lookup: values.maybeMap may be absent',
    ],
    'the fallback may be absent too': [
      () => staged.orElse(v.maybe, any(v.maybe)),
      'orElse: values.maybe may be absent',
    ],
    'a value that may be absent gets a name': [
      () => staged.bind('x', any(v.maybe), (x) => x),
      'bind: values.maybe may be absent',
    ],
    'a number with a fraction is compared': [() => staged.lt(v.half, 1), 'lt: values.half is a number, not an integer'],
    'a number with a fraction is asked for equality': [
      () => staged.eq(v.half, 1),
      'eq: values.half is a number; only text, integers and booleans can stand here',
    ],
    'a number with a fraction is computed with': [
      () => staged.add(v.half, 1),
      'add: values.half is a number, not an integer',
    ],
    'a number with a fraction stands in text': [() => staged.text`${v.half}`, 'text: values.half is a number'],
    'a literal has a fraction': [() => staged.gt(v.int, 0.5), 'gt: 0.5 is a number, not an integer'],
    'a text and an integer are compared': [
      () => staged.eq(any(v.text), any(5)),
      'eq: 5 is a int, and values.text is a string',
    ],
    'a choice is of two kinds': [
      () => staged.choose(v.flag, any('a'), any(5)),
      'choose: 5 is a int, and "a" is a string',
    ],
    'a text is a condition': [
      () => staged.when(any(v.text), () => 'x'),
      'when: values.text is a string, not a boolean',
    ],
    'an integer is searched': [() => staged.contains('a', any(v.int)), 'contains: values.int is a int, not text'],
    'an integer is asked whether it is empty': [
      () => staged.isEmpty(any(v.int)),
      'isEmpty: values.int is a int; only a text, a list and a map can be empty',
    ],
    'a value of unknown type stands in text': [() => staged.text`${any(v.any)}`, 'text: values.any may be absent'],
    'a text is looped over': [
      () => staged.each(any(v.text), () => 'x'),
      'each: values.text is a string; only lists and maps have items',
    ],
    'an object with a schema is looped over': [
      () => staged.each(any(v.object), () => 'x'),
      'each: values.object is a object; only lists and maps have items',
    ],
    'integers are joined': [
      () => staged.join(',', any(v.ints)),
      'join: values.ints has an element that is a int, not a text',
    ],
    'integers are sorted': [
      () => staged.sorted(staged.each(v.ints, (item) => item)),
      'sorted: each(values.ints, …) has an element that is a int',
    ],
    'what is sorted is no loop': [() => staged.sorted(any(v.list)), 'sorted: values.list is not a loop; use each(…)'],
    'text of Unicode is made lower case': [
      () => staged.lower(v.text),
      'lower: values.text may hold more than ASCII; give its schema a pattern',
    ],
    'text of Unicode is cut': [() => staged.trunc(5, v.text), 'trunc: values.text may hold more than ASCII'],
    'a text is cut to a negative length': [() => staged.trunc(-1, v.line), 'trunc: -1 is not a whole number from 0'],
    'a text is split at nothing': [() => staged.split('', v.line), 'split: "" is empty'],
    'nothing is replaced': [() => staged.replace('', 'x', v.line), 'replace: "" is empty'],
    'a number is divided by zero': [() => staged.div(v.int, 0), 'div: 0 is not a whole number above 0'],
    'a remainder is of a negative number': [() => staged.mod(v.int, -3), 'mod: -3 is not a whole number above 0'],
    'text that may hold control characters is shown as JSON': [
      () => staged.json(v.text),
      'json: values.text may hold control characters',
    ],
    'a pattern means two things': [() => staged.matches(/a.c/, v.line), 'pattern /a.c/'],
    'the path of a computed value is wanted': [
      () => staged.pathOf(staged.add(v.int, 1)),
      'pathOf: add(values.int, 1) has no place in the values',
    ],
    'a manifest holds a function': [
      () =>
        staged.orElse(
          v.any,
          any(() => 1),
        ),
      'is no value of a manifest',
    ],
    'a manifest holds NaN': [() => staged.orElse(v.any, any(NaN)), 'NaN is no value of a manifest'],
    'a manifest holds an object of a class': [
      () => staged.orElse(v.any, any(new Map())),
      'an object of the class Map is no value of a manifest',
    ],
    'a name is of a list': [
      () => staged.named('x', {}, () => v.list),
      'named("x"): values.list is no text, no map that is written out, and no scalar',
    ],
    'a name is of a number with a fraction': [
      () => staged.named('x', {}, () => v.half),
      'named("x"): values.half is no text',
    ],
    'a name is of a value that may be absent': [
      () => staged.named('x', {}, () => v.maybe),
      'named("x"): values.maybe may be absent; wrap it in orElse(…)',
    ],
    'a parameter has the name of a built-in object': [
      () => staged.named('x', { Values: z.string() }, () => v.text),
      'named("x"): the parameter "Values" is not in lower camel case',
    ],
  };
  test.each(Object.entries(cases))('%s', (_title, [build, message]) => {
    expect(build).toThrow(TypeError);
    expect(build).toThrow(message);
  });

  test('a parameter gets a value of another type', () => {
    const of = staged.named('of', { name: z.string().regex(/^[a-z]*$/) }, ({ name }) => staged.text`<${name}>`);
    expect(() => of({ name: any(v.text) })).toThrow(
      'name: needs text that a pattern keeps in one line, got values.text',
    );
    expect(() => of({ name: any(v.maybe) })).toThrow('name: is required, got values.maybe, which may be absent');
    expect(() => of({ name: 'A' })).toThrow('name: is not in the right form, got "A"');
  });
});

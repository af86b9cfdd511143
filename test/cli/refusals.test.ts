import { Refusals } from '../../lib/cli/refusals';
import { InputError } from '../../lib/staged/input-error';

const refuse = (problem: string, code: 1 | 2) => () => {
  throw new InputError([problem], code);
};

function thrownBy(refusals: Refusals): unknown {
  try {
    refusals.throwIfAny();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('tells everything that was refused, with 2 if anything was wrong usage', () => {
  const refusals = new Refusals();
  expect(refusals.attempt(() => 1)).toBe(1);
  refusals.throwIfAny();
  expect(refusals.attempt(refuse('a', 1))).toBeUndefined();
  expect(thrownBy(refusals)).toMatchObject({ problems: ['a'], exitCode: 1 });
  refusals.attempt(refuse('b', 2));
  refusals.attempt(refuse('c', 1));
  expect(thrownBy(refusals)).toMatchObject({ problems: ['a', 'b', 'c'], exitCode: 2 });
});

test('lets a mistake of ours pass', () => {
  const mistake = new TypeError('mine');
  expect(() =>
    new Refusals().attempt(() => {
      throw mistake;
    }),
  ).toThrow(mistake);
});

import { goLiteral, goString } from '../../lib/staged/go-literal';

test('code points that a reader would not see are escaped', () => {
  expect(goString('a\u007f\u0085\u00a0\u2028\u2029\ufeff\uffffb')).toBe(
    '"a\\u007f\\u0085\\u00a0\\u2028\\u2029\\ufeff\\uffffb"',
  );
});

test('lists and maps are written with Go functions, the keys in UTF-8 order', () => {
  expect(goLiteral({ '\uffff': [], '😀': null, '10': [1, 'a b'], '9': { x: true } })).toBe(
    'dict "10" (list 1 "a b") "9" (dict "x" true) "\uffff" list "😀" nil'.replace('\uffff', '\\uffff'),
  );
});

test('fails on half a character', () => {
  expect(() => goString('a\udc00')).toThrow('has half a character in it and is no Unicode text');
});

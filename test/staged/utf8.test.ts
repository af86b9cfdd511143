import * as fc from 'fast-check';
import { compareUtf8, sortedKeys } from '../../lib/staged/utf8';

test('texts are ordered as their UTF-8 bytes are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      const byBytes = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect([...texts].sort(compareUtf8)).toEqual(byBytes);
    }),
  );
});

test('characters beyond the first plane come after U+E000 to U+FFFF', () => {
  expect(sortedKeys({ '😀': 1, '\uffff': 1, '\ue000': 1, '10': 1, '9': 1, B: 1, a: 1 })).toEqual([
    '10',
    '9',
    'B',
    'a',
    '\ue000',
    '\uffff',
    '😀',
  ]);
});

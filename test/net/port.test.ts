import { PORT_MAX, PORT_MIN, PORT_NAME_PATTERN, PORT_OR_RANGE_PATTERN, PORT_PATTERN } from '../../lib/net/port';

test('the port pattern accepts 1 to 65535 and nothing else', () => {
  for (let port = 0; port <= 70000; port++) {
    const legal = port >= PORT_MIN && port <= PORT_MAX;
    if (PORT_PATTERN.test(String(port)) !== legal) throw new Error(`wrong about port ${String(port)}`);
  }
});

test.each(['', '01', '+1', '-1', '1.0', '1e3', ' 1', '1\n', '655350', 'http'])('%j is no port', (text) => {
  expect(PORT_PATTERN.test(text)).toBe(false);
});

test.each([
  ['443', true],
  ['8000-8080', true],
  ['8080-8000', true],
  ['8000-', false],
  ['-8000', false],
  ['0-1', false],
  ['1-65536', false],
  ['1-2-3', false],
])('%s as a port or a range: %s', (text, legal) => {
  expect(PORT_OR_RANGE_PATTERN.test(text)).toBe(legal);
});

test.each([
  ['wireguard', true],
  ['http-2', true],
  ['2-http', true],
  ['1-2-a', true],
  ['8080a', true],
  ['8080', false],
  ['1-2', false],
  ['-a', false],
  ['a-', false],
  ['a--b', false],
  ['1--a', false],
  ['HTTP', false],
  ['', false],
])('%s as the name of a port: %s', (text, legal) => {
  expect(PORT_NAME_PATTERN.test(text)).toBe(legal);
});

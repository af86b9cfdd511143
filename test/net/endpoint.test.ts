import { ENDPOINT_PATTERN, endpointHost, endpointPort } from '../../lib/net/endpoint';

test.each([
  ['vpn.example.com:51820', 'vpn.example.com', 51820],
  ['198.51.100.7:1', '198.51.100.7', 1],
  ['[2001:db8::7]:65535', '2001:db8::7', 65535],
  ['[::]:443', '::', 443],
])('%s is the host %s and the port %d', (endpoint, host, port) => {
  expect(endpoint).toMatch(ENDPOINT_PATTERN);
  expect([endpointHost(endpoint), endpointPort(endpoint)]).toEqual([host, port]);
});

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import {
  ANNOTATION_KEY_PATTERN,
  DNS_LABEL_PATTERN,
  DNS_SUBDOMAIN_PATTERN,
  HOST_NAME_PATTERN,
  IMAGE_DIGEST_PATTERN,
  IMAGE_REGISTRY_PATTERN,
  IMAGE_REPOSITORY_PATTERN,
  IMAGE_TAG_PATTERN,
  INTERFACE_NAME_PATTERN,
  LABEL_KEY_PATTERN,
  LABEL_VALUE_PATTERN,
  NAME_PATTERN,
  QUANTITY_PATTERN,
} from '../../lib/net/name';
import { describeWith } from '../left-out';
import { tools } from '../tools';

const letters = (count: number): string => 'a'.repeat(count);

const CASES: [what: string, pattern: RegExp, legal: string[], illegal: string[]][] = [
  [
    'a name',
    NAME_PATTERN,
    ['a', '1', 'alice', 'site-a', 'a--b', letters(64)],
    ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a\n', ' a', 'ä', '__proto__', '{{ x }}'],
  ],
  [
    'a DNS label',
    DNS_LABEL_PATTERN,
    ['a', '1a', 'kube-system', letters(63)],
    ['', '-a', 'a-', 'A', 'a.b', 'a_b', letters(64), 'a\n'],
  ],
  [
    'a DNS subdomain',
    DNS_SUBDOMAIN_PATTERN,
    ['a', '1.2', 'vpn.example.com', 'a-b.c'],
    ['', '.', 'a.', '.a', 'a..b', 'a-.b', 'a.-b', 'A.b', 'a_b'],
  ],
  [
    'the key of a label',
    LABEL_KEY_PATTERN,
    ['app', 'app.kubernetes.io/name', 'A_b.c-d', 'example.com/A', letters(63), `a/${letters(63)}`],
    ['', '/', 'a/', '/a', 'a/b/c', 'A.com/b', '-a', 'a-', letters(64), `a/${letters(64)}`, 'a b', 'a:b'],
  ],
  [
    'the key of an annotation',
    ANNOTATION_KEY_PATTERN,
    ['note', 'example.com/note', 'Example.COM/Note'],
    ['', '/', 'a/', 'a/b/c', 'a..b/c', 'a_b/c'],
  ],
  [
    'the value of a label',
    LABEL_VALUE_PATTERN,
    ['', 'a', 'A', '1.2.3', 'a_b', letters(63)],
    ['-a', 'a-', '.a', 'a.', 'a/b', 'a+b', letters(64), ' ', 'a\n'],
  ],
  [
    'a host name',
    HOST_NAME_PATTERN,
    ['localhost', 'vpn.example.com', 'VPN.Example.com', '3.example.com', 'xn--4ca.de', `${letters(63)}.de`],
    [
      '',
      '10.0.0.1',
      '10.0.0.256',
      '1',
      '0x7f.1',
      '::1',
      'a_b.de',
      '-a.de',
      'a-.de',
      'a..de',
      'a.de.',
      `${letters(64)}.de`,
      'a.de:1',
    ],
  ],
  [
    'the name of an interface',
    INTERFACE_NAME_PATTERN,
    [
      'wg0',
      'a',
      '_',
      '=a',
      '+a',
      '.a',
      '...',
      'a.b',
      'a-b',
      'al',
      'alll',
      'l',
      'loo',
      'lo0',
      'ALL',
      'defaul',
      'default1',
      letters(15),
    ],
    ['', '.', '..', 'all', 'default', 'lo', '-a', '-', 'a/b', 'a:b', 'a b', 'a%d', 'a"', 'ä', 'a\n', letters(16)],
  ],
  [
    'the registry of an image',
    IMAGE_REGISTRY_PATTERN,
    [
      'quay.io',
      'localhost',
      'localhost:5000',
      'registry.example.com/mirror',
      'r.example.com:443/a/b-c',
      '10.0.0.1:5000',
    ],
    ['', 'https://quay.io', 'quay.io/', 'a:', 'a:b', '-a', 'a_b', 'a//b', 'a/B'],
  ],
  [
    'the repository of an image',
    IMAGE_REPOSITORY_PATTERN,
    ['nginx', 'linuxserver/wireguard', 'a/b/c', 'a.b_c__d-e--f'],
    ['', '/a', 'a/', 'a//b', 'A', 'a:b', 'a@b', 'a..b', 'a___b', '_a', 'a-'],
  ],
  [
    'the tag of an image',
    IMAGE_TAG_PATTERN,
    ['1', 'v1.0', 'latest', '_a', '1.0.20210914-r4', letters(128)],
    ['', '.a', '-a', 'a:b', 'a/b', 'a+b', letters(129)],
  ],
  [
    'the digest of an image',
    IMAGE_DIGEST_PATTERN,
    [`sha256:${letters(64)}`, `sha512:${'0'.repeat(128)}`],
    [
      '',
      letters(64),
      `sha256:${letters(63)}`,
      `sha256:${letters(65)}`,
      `sha256:${'A'.repeat(64)}`,
      `sha512:${letters(64)}`,
      `md5:${letters(32)}`,
    ],
  ],
  [
    'a quantity',
    QUANTITY_PATTERN,
    ['0', '1', '100m', '1.5', '.5', '5.', '128Mi', '1E', '1e3', '1E-3', '+1', '-1', '10k', '1Ki', '1n', '1u'],
    ['', '.', 'm', '1 Mi', '1mi', '1K', '1Kib', '1e', '1e1.5', '1.2.3', '0x1', '1M1', '1Mi\n', 'e3'],
  ],
];

describe.each(CASES)('%s', (_, pattern, legal, illegal) => {
  test.each(legal)('can be %j', (text) => {
    expect(text).toMatch(pattern);
  });

  test.each(illegal)('cannot be %j', (text) => {
    expect(text).not.toMatch(pattern);
  });
});

/** The rule in words, to judge the unfolded pattern by. */
function isInterfaceName(text: string): boolean {
  const words = ['.', '..', 'all', 'default', 'lo'];
  return /^[a-zA-Z0-9_=+.-]{1,15}$/.test(text) && !text.startsWith('-') && !words.includes(text);
}

test('the pattern of interface names is the rule that it unfolds', () => {
  const nearWords = fc.stringMatching(/^[a.dlo-]?[.alefduto]{0,8}[a-z.]{0,2}$/);
  const anything = fc.string({ unit: fc.constantFrom(...'azAZ09_=+.-/: %'), maxLength: 17 });
  fc.assert(
    fc.property(
      fc.oneof(
        nearWords,
        anything,
        fc.constantFrom('all', 'default', 'lo').map((w) => w.slice(0, -1)),
      ),
      (text) => {
        expect({ text, legal: INTERFACE_NAME_PATTERN.test(text) }).toEqual({ text, legal: isInterfaceName(text) });
      },
    ),
    { numRuns: 5000 },
  );
});

describeWith(['ip', 'netns'], 'the kernel', () => {
  const script = `
    for name; do
      "$IP" link add dev "$name" type veth peer name zz-peer 2>/dev/null && echo "$name"
      "$IP" link delete dev zz-peer 2>/dev/null
    done
    true`;

  test('takes the interface names that the pattern accepts, and none of those that it leaves out', () => {
    const legal = CASES.find(([, pattern]) => pattern === INTERFACE_NAME_PATTERN)?.[2] ?? [];
    const words = ['.', '..', 'all', 'default', 'lo', 'a:b', 'a b', 'a/b', letters(16)];
    const sample = fc.sample(fc.string({ unit: fc.constantFrom(...'azAZ09_=+.-'), minLength: 1, maxLength: 15 }), 50);
    const names = [...new Set([...legal, ...sample.filter((name) => INTERFACE_NAME_PATTERN.test(name)), ...words])];
    const taken = execFileSync('unshare', ['--net', 'sh', '-c', script, 'sh', ...names], {
      encoding: 'utf8',
      env: { ...process.env, IP: tools.command('ip') },
    });
    expect(taken.trim().split('\n')).toEqual(names.filter((name) => !words.includes(name)));
  });
});

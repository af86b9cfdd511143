/** control.py and charon.sh with a real charon, against another one that knows nothing of them. */
import { SCRIPTS } from '../../lib/strongswan/scripts';
import { describeWith } from '../left-out';
import { authority } from './authority';
import { CHARON_TOOLS, pairOfCharons, type IkeSa, type Pair } from './charons';
import { key, swanctlConf, type Tunnel, type Tunnels } from './script-pod';
import { waitUntil, type Daemon, type Files } from './trixie';

jest.setTimeout(120_000);

const FASTER = 5;
const STATE = '/run/vpn';
const PLACES = {
  strongswanConf: '/config/strongswan.conf',
  swanctl: `${STATE}/swanctl`,
  socket: `${STATE}/charon.vici`,
};
const RETRANSMISSION = 'retransmit_base = 1.0\n  retransmit_timeout = 0.5\n  retransmit_tries = 2';

/** A tunnel that both ends describe. */
interface Both {
  /** Of the third octet of its networks. */
  readonly number: number;
  readonly secret: string;
  readonly ids?: readonly [left: string, right: string];
  readonly left?: Tunnel;
  readonly right?: Tunnel;
}

const childOf = (number: number, here: number, there: number) => [
  `local_ts = 10.${here}.${number}.0/24`,
  `remote_ts = 10.${there}.${number}.0/24`,
  'esp_proposals = aes128gcm16',
  'start_action = none',
];

const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** The tunnel as one of the ends has it. */
function sideOf(
  { number, ids = [`left${number}`, `right${number}`] }: Both,
  side: 'left' | 'right',
  more: Tunnel = {},
): Tunnel {
  const [mine = '', other = ''] = side === 'left' ? ids : [...ids].reverse();
  const [here, there] = side === 'left' ? [1, 2] : [2, 1];
  return {
    ids,
    ...more,
    parameters: [
      `remote_addrs = 192.0.2.${there}`,
      'proposals = aes128-sha256-x25519',
      'keyingtries = 0',
      ...(more.parameters ?? []),
    ],
    childParameters: more.childParameters ?? childOf(number, here, there),
    local: [`id = ${quoted(mine)}`, ...(more.local ?? [])],
    remote: [`id = ${quoted(other)}`, ...(more.remote ?? [])],
  };
}

/** What every container of the pod has mounted, for these tunnels. */
function mounted(tunnels: Tunnels): Files {
  const entries = Object.entries(tunnels).map(([name, { ids, more, children = [name], initiates = true }]) => [
    name,
    {
      initiates,
      children: [...children, ''],
      ...(more ?? {
        sharedKey: { file: `/secrets/${name}/psk`, source: `key psk of the Secret ${name}`, ids, rules: [null] },
      }),
      '': null,
    },
  ]);
  return {
    '/config/gateway.json': JSON.stringify({
      gateway: 'a',
      tunnels: Object.fromEntries([...entries, ['', null]]) as unknown,
    }),
    '/config/swanctl.conf': swanctlConf(tunnels),
    ...Object.fromEntries(
      Object.entries(tunnels).flatMap(([name, { key: text }]) =>
        typeof text === 'string' ? [[`/secrets/${name}/psk`, text]] : [],
      ),
    ),
  };
}

describeWith(CHARON_TOOLS, 'control.py with charon', () => {
  let pair: Pair;
  let control: Daemon;
  let network: Daemon;

  beforeEach(async () => {
    pair = await pairOfCharons({
      left: {
        start: ['sh', '/opt/vpn/charon.sh'],
        environment: { CHARON: '/usr/lib/ipsec/charon' },
        places: PLACES,
        strongswanConf: `charon {\n  ${RETRANSMISSION}\n  plugins {\n    vici {\n      socket = unix://${PLACES.socket}\n    }\n  }\n}\n`,
        files: {
          ...Object.fromEntries(Object.entries(SCRIPTS).map(([name, text]) => [`/opt/vpn/${name}`, text])),
          [`${STATE}/network/status`]: 'ok\n',
        },
      },
      right: { strongswanConf: `charon {\n  ${RETRANSMISSION}\n}\n` },
    });
    network = pair.left.trixie.daemon(['sh', '-c', `while sleep 5; do echo ok >${STATE}/network/status; done`]);
    start();
  });
  afterEach(async () => {
    await pair.end();
    expect(control.log()).not.toContain('a fault in line');
    expect(network.log()).toBe('');
  });

  function start(): void {
    control = pair.left.trixie.daemon(['python3', '-B', '/opt/vpn/control.py'], {
      environment: { TEST_FASTER: `${FASTER}` },
    });
  }
  async function get(page: string): Promise<string> {
    const program = `
import urllib.request, urllib.error
try:
    print(urllib.request.urlopen('http://127.0.0.1:8080${page}').read().decode(), end='')
except urllib.error.HTTPError as error:
    print(error.read().decode(), end='')`;
    return (await pair.left.run(['python3', '-c', program])).stdout;
  }
  async function until(what: string, is: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
    try {
      await waitUntil(what, seconds, is);
    } catch (error) {
      throw new Error(`${String(error)}\n${control.log()}\n${await get('/status')}\n${pair.left.log()}`);
    }
  }
  const says = (text: string | RegExp) =>
    until(`it says ${String(text)}`, async () => {
      const page = await get('/ready');
      return typeof text === 'string' ? page === text : text.test(page);
    });
  const ready = () => says('ready\n');

  function configure(tunnels: Record<string, Both>): void {
    pair.left.write({
      files: mounted(
        Object.fromEntries(
          Object.entries(tunnels).map(([name, both]) => [
            name,
            { key: both.secret, ...sideOf(both, 'left', both.left) },
          ]),
        ),
      ),
    });
  }
  async function configureRight(tunnels: Record<string, Both>, files: Files = {}): Promise<void> {
    const entries = Object.entries(tunnels);
    const conf = swanctlConf(
      Object.fromEntries(entries.map(([name, both]) => [name, sideOf(both, 'right', both.right)])),
    ).replace('include secrets.conf\n', '');
    const secrets = entries.map(
      ([name, { secret, number, ids = [`left${number}`, `right${number}`] }]) =>
        `secrets {\n  ike-${name} {\n    id-1 = ${quoted(ids[0])}\n    id-2 = ${quoted(ids[1])}\n    secret = 0s${Buffer.from(secret).toString('base64')}\n  }\n}\n`,
    );
    expect(await pair.right.load({ swanctlConf: conf + secrets.join(''), files })).toMatchObject({ status: 0 });
  }
  const both = async (tunnels: Record<string, Both>) => {
    await configureRight(tunnels);
    configure(tunnels);
  };
  /** The SPIs of each tunnel. */
  async function spis(): Promise<Record<string, string>> {
    const spisOf = ({ children }: IkeSa) =>
      children.flatMap(({ fields }) => [fields['spi-in'] as string, fields['spi-out'] as string]).join(' ');
    return Object.fromEntries((await pair.left.sas()).map((sa) => [sa.name, spisOf(sa)]));
  }

  const onprem: Both = { number: 1, secret: key() };
  const branch: Both = { number: 2, secret: key() };

  test('has tunnels up, with any key and any identity', async () => {
    await both({
      onprem: {
        number: 1,
        secret: '0s"}\\ \n#{ schlüssel',
        ids: ['C=CH, O=a "b" \\ c, CN=left', 'keyid:} # { "x" \\'],
      },
      branch: { number: 2, secret: '0x1234', ids: ['192.0.2.1', 'right@b.example'] },
    });
    await ready();
    expect((await pair.left.sas()).map(({ name, state }) => [name, state]).sort()).toEqual([
      ['branch', 'ESTABLISHED'],
      ['onprem', 'ESTABLISHED'],
    ]);
    expect(await pair.left.run(['ls', `${STATE}/load`])).toMatchObject({
      stdout: 'done\nloaded.json\noutput\nwanted\n',
    });
    const written = control.log() + pair.left.log() + (await get('/status')) + (await get('/metrics'));
    expect(written).not.toContain('schl');
    expect(written).not.toContain(Buffer.from('0x1234').toString('base64'));
  });

  test('counts what passes, and rekeys', async () => {
    await both({ onprem });
    await ready();
    await pair.left.run(['ip', 'address', 'add', '10.1.1.1/32', 'dev', 'lo']);
    await pair.right.run(['ip', 'address', 'add', '10.2.1.1/32', 'dev', 'lo']);
    const metric = async (name: string) =>
      Number(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'm').exec(await get('/metrics'))?.[1]);
    const ping = () => pair.left.run(['ping', '-c', '5', '-i', '0.1', '-I', '10.1.1.1', '10.2.1.1']);
    await ping();
    await until('they are counted', async () => (await metric('ipsec_child_receive_packets_total')) === 5);
    const before = await spis();
    await pair.left.swanctl('--rekey', '--child', 'onprem');
    await until('it is rekeyed', async () => (await metric('ipsec_child_rekeys_total')) === 1);
    expect(await spis()).not.toEqual(before);
    await ping();
    await until('they are counted', async () => (await metric('ipsec_child_transmit_packets_total')) === 10);
    await pair.left.swanctl('--rekey', '--ike', 'onprem');
    await until('it is rekeyed', async () => (await metric('ipsec_tunnel_ike_rekeys_total')) === 1);
    expect(await get('/ready')).toBe('ready\n');
  });

  test('changes what has changed, and leaves the SAs of the others as they are', async () => {
    await both({ onprem, branch });
    await ready();
    const first = await spis();

    const renewed = { onprem: { ...onprem, secret: key() }, branch };
    await both(renewed);
    await until(
      'it is loaded',
      async () => (await pair.left.trixie.run(['cat', `${STATE}/load/wanted`])).stdout === '2\n',
    );
    await ready();
    expect(await spis()).toEqual(first);

    await both({ ...renewed, branch: { ...branch, left: { parameters: ['mobike = no'] } } });
    await until('it is renewed', async () => {
      const { onprem: kept, branch: changed } = await spis();
      return kept === first['onprem'] && changed !== undefined && changed !== '' && changed !== first['branch'];
    });
    await ready();
    const second = await spis();

    await both({ onprem: renewed.onprem });
    await until('it is gone', async () => Object.keys(await spis()).join() === 'onprem');
    expect(await spis()).toEqual({ onprem: second['onprem'] });
    expect((await pair.right.sas()).map(({ name }) => name)).toEqual(['onprem']);
    await ready();
  });

  test('changes one child of a tunnel, and leaves the other', async () => {
    const one = (rekey: string) => ({
      onprem: {
        number: 1,
        secret: onprem.secret,
        left: {
          children: ['one', 'two'],
          childParameters: ['local_ts = 10.1.0.0/16', 'remote_ts = 10.2.0.0/16', 'start_action = none'],
        },
        right: { children: ['one', 'two'], childParameters: ['local_ts = 10.2.0.0/16', 'remote_ts = 10.1.0.0/16'] },
      },
      rekey,
    });
    const write = (rekey: string) => {
      configure({ onprem: one(rekey).onprem });
      const conf = pair.left.trixie.read('/config/swanctl.conf');
      pair.left.write({
        files: { '/config/swanctl.conf': conf.replace('two {\n', `two {\n        rekey_time = ${rekey}\n`) },
      });
    };
    await configureRight({ onprem: one('').onprem });
    write('1000s');
    await ready();
    const spiOf = async (name: string) =>
      (await pair.left.sas()).flatMap(({ children }) => children).find((child) => child.name === name)?.fields[
        'spi-in'
      ];
    const [first, second] = [await spiOf('one'), await spiOf('two')];
    write('2000s');
    await until('it is renewed', async () => {
      const spi = await spiOf('two');
      return spi !== undefined && spi !== second;
    });
    await ready();
    expect(await spiOf('one')).toBe(first);
    expect((await pair.left.sas()).length).toBe(1);
  });

  test('leaves all as it is when its own program crashes', async () => {
    await both({ onprem, branch });
    await ready();
    const before = await spis();
    control.signal('SIGKILL');
    await control.ended();
    start();
    await ready();
    await until(
      'it is loaded',
      async () => (await pair.left.trixie.run(['cat', `${STATE}/load/wanted`])).stdout === '2\n',
    );
    await until('all has been done', () => control.log().includes('loaded 2 of 2'));
    expect(await spis()).toEqual(before);
    control.signal('SIGTERM');
    expect(await control.ended()).toBe(0);
  });

  test('has all up again when charon crashes', async () => {
    await both({ onprem, branch });
    await ready();
    const before = await spis();
    await pair.left.run(['sh', '-c', 'kill -KILL "$(cat /run/charon.pid)"']);
    // Which changes nothing; it waits until charon.sh has ended.
    await pair.left.stop('SIGCONT');
    expect(pair.left.log()).toContain('charon.sh: charon has ended with 137');
    await says(/^charon: it does not answer: /);
    await pair.left.start();
    await ready();
    expect(Object.values(await spis())).toHaveLength(2);
    expect(await spis()).not.toEqual(before);
  });

  test('lets a peer that begins too early wait until the configuration is loaded, instead of refusing it', async () => {
    await until('it runs', () => control.log().includes('answers'));
    control.signal('SIGKILL');
    await control.ended();
    await both({
      onprem: {
        ...onprem,
        left: { initiates: false },
        right: { childParameters: [...childOf(1, 2, 1), 'start_action = start'] },
      },
    });
    await waitUntil('it has asked twice', 30, () => Promise.resolve(pair.right.log().includes('retransmit 1')));
    expect(pair.right.log()).not.toContain('NO_PROPOSAL_CHOSEN');
    expect(pair.left.log()).toContain('sending NO_PROPOSAL_CHOSEN');
    start();
    await ready();
  });

  test('takes leave of its peers', async () => {
    await both({ onprem, branch });
    await ready();
    expect(await pair.right.sas()).toHaveLength(2);
    await pair.left.stop();
    await waitUntil('they know', 10, async () => (await pair.right.sas()).length === 0);
    expect(pair.left.log()).toContain('charon.sh: charon has stopped\n');
  });

  test('starts again what the peer ends', async () => {
    await both({ onprem });
    await ready();
    for (const what of ['--child', '--ike']) {
      const before = await spis();
      await pair.right.swanctl('--terminate', what, 'onprem');
      await until('it is up again', async () => {
        const now = (await spis())['onprem'];
        return now !== undefined && now !== '' && now !== before['onprem'];
      });
    }
  });

  test.each<[string, Partial<Both>, Partial<Both>, RegExp]>([
    [
      'another key',
      { secret: 'one' },
      { secret: 'two' },
      /authentication failed \(received AUTHENTICATION_FAILED notify error\)/,
    ],
    ['another identity', {}, { ids: ['left1', 'other'] }, /authentication failed \(/],
    [
      'no proposal',
      { left: { parameters: ['proposals = aes256-sha512-x25519'] } },
      {},
      /no proposal chosen for IKE \(received NO_PROPOSAL_CHOSEN notify error\)/,
    ],
    [
      'no ESP proposal',
      { left: { childParameters: [...childOf(1, 1, 2), 'esp_proposals = aes256gcm16'] } },
      {},
      /no proposal chosen for ESP \(received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built\)/,
    ],
    [
      'other networks',
      { left: { childParameters: childOf(9, 1, 2) } },
      {},
      /traffic selectors not accepted \(received TS_UNACCEPTABLE notify, no CHILD_SA built\)/,
    ],
    ['nobody there', { left: { parameters: ['remote_addrs = 192.0.2.77'] } }, {}, /no answer from 192\.0\.2\.77 \(/],
    [
      'a name that does not resolve',
      { left: { parameters: ['remote_addrs = vpn.invalid'] } },
      {},
      /name vpn\.invalid does not resolve \(unable to resolve vpn\.invalid, initiate aborted\)/,
    ],
  ])(
    'says why a tunnel is not up, keeps trying, and has it up when that is corrected: %s',
    async (_, left, right, reason) => {
      const remove = (side: Both): Both => ({
        ...side,
        left: { ...side.left, parameters: side.left?.parameters ?? [] },
      });
      configure({ onprem: remove({ ...onprem, ...left }), branch });
      await configureRight({ onprem: { ...onprem, ...right }, branch });
      await says(new RegExp(`^onprem: child onprem is not up: ${reason.source}`, 'm'));
      expect(await get('/ready')).not.toContain('branch');
      const before = (await spis())['branch'];
      await both({ onprem, branch });
      await ready();
      expect((await spis())['branch']).toBe(before);
    },
  );

  test('says of a responder who came that is no peer', async () => {
    configure({ onprem: { ...onprem, left: { initiates: false } } });
    await configureRight({ onprem: { ...onprem, ids: ['left1', 'stranger'] } });
    await says('onprem: child onprem is not up: the peer has not started it\n');
    await pair.right.swanctl('--initiate', '--child', 'onprem', '--timeout', '1');
    await until('it is told', async () =>
      (await get('/status')).includes(
        'last peer of no tunnel: no matching peer config found (looking for peer configs matching 192.0.2.1[left1]...192.0.2.2[stranger])',
      ),
    );
    await configureRight({ onprem: { ...onprem, secret: 'another' } });
    await pair.right.swanctl('--initiate', '--child', 'onprem', '--timeout', '1');
    await says(
      /^onprem: child onprem is not up: authentication failed \(tried 1 shared key for 'left1' - 'right1', but MAC mismatched\)\n$/,
    );
    await configureRight({ onprem });
    await pair.right.swanctl('--initiate', '--child', 'onprem', '--timeout', '5');
    await ready();
  });

  test('says what swanctl refuses, and loads the rest', async () => {
    await configureRight({ onprem, branch });
    configure({ onprem: { ...onprem, left: { parameters: ['proposals = aes7'] } }, branch });
    await says(
      "configuration: loading connection 'onprem' failed: invalid value for: proposals, config discarded\n" +
        'onprem: child onprem is not up: its connection is not loaded\n',
    );
    configure({ onprem, branch });
    await ready();
  });

  describe('and certificates', () => {
    const root = authority();
    const other = authority({ CN: 'Other' });
    const left = root.issue({ subject: { C: 'CH', CN: 'left' } });
    const right = root.issue({ subject: { C: 'CH', CN: 'right' } });
    const expired = root.issue({ subject: { C: 'CH', CN: 'left' }, notBefore: new Date(0), notAfter: new Date(1e12) });
    const tunnel: Both = {
      number: 1,
      secret: '',
      ids: [left.subject, right.subject],
      left: {
        local: ['certs = onprem.crt'],
        remote: ['cacerts = onprem-ca.crt'],
        more: {
          certificate: { folder: '/certificates/onprem', identity: left.subject },
          authorities: {
            'onprem-ca.crt': { file: '/certificates/onprem/ca.crt', source: 'key ca.crt of the Secret certs' },
          },
        },
      },
      right: { local: ['certs = right.crt'] },
    };
    const pubkey = (conf: string) => conf.replace(/auth = psk/g, 'auth = pubkey');

    async function serveRight(certificate = right): Promise<void> {
      const conf = pubkey(
        swanctlConf({ onprem: sideOf(tunnel, 'right', tunnel.right) }).replace('include secrets.conf\n', ''),
      );
      const files = {
        'x509/right.crt': certificate.certificate,
        'private/right.key': certificate.privateKey,
        'x509ca/root.crt': root.certificate,
      };
      expect(await pair.right.load({ swanctlConf: conf, files })).toMatchObject({ status: 0 });
    }
    function mount(certificate = left, authorities = root.certificate): void {
      configure({ onprem: tunnel });
      const conf = pubkey(pair.left.trixie.read('/config/swanctl.conf'));
      pair.left.write({
        files: {
          '/certificates/onprem/tls.crt': certificate.certificate,
          '/certificates/onprem/tls.key': certificate.privateKey,
          '/certificates/onprem/ca.crt': authorities,
          '/config/swanctl.conf': conf,
        },
      });
    }

    test('has a tunnel up, with several authorities, and keeps it when they are renewed', async () => {
      await serveRight();
      mount(left, other.certificate + root.certificate);
      await ready();
      const before = await spis();
      mount(root.issue({ subject: { C: 'CH', CN: 'left' } }), root.certificate);
      await until('it is loaded', () => pair.left.log().includes('charon.sh: load 2: swanctl ended with 0'));
      await ready();
      expect(await spis()).toEqual(before);
      // What has been withdrawn is trusted no longer.
      const { stdout } = await pair.left.swanctl('--list-certs', '--type', 'x509', '--flag', 'ca');
      expect(stdout).toContain('CN=Example Root');
      expect(stdout).not.toContain('CN=Other');
    });

    test('says that it trusts nobody of the kind, and has it up when the authority is there', async () => {
      await serveRight();
      mount(left, other.certificate);
      await says(
        /^onprem: child onprem is not up: no trusted certificate for 'C=CH, CN=right' \(no trusted ECDSA public key found for 'C=CH, CN=right'\)\n$/,
      );
      mount();
      await ready();
    });

    test('says that its own certificate has expired, what the peer says of it, and has it up when it is renewed', async () => {
      await serveRight();
      mount(expired);
      await says(
        /^tunnels\.onprem\.certificate: it expired on Sep {2}9 01:46:40 2001 GMT; renew it\nonprem: child onprem is not up: authentication failed \(received AUTHENTICATION_FAILED notify error\)\n$/,
      );
      mount();
      await ready();
    });

    test('says what charon says of an authority that is none', async () => {
      await serveRight();
      mount(left, left.certificate);
      await says(
        /^configuration: loading '\/run\/vpn\/swanctl\/x509ca\/onprem-ca\.crt' failed: .*\n(.*\n)*onprem: child onprem is not up: /,
      );
      mount();
      await ready();
    });
  });
});

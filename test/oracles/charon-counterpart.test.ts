/** The example with policies, from its values to a ping: a gateway as its pod has it, and a router as our counterpart says. */
import type { k8s } from 'cdk8s-plus-28';
import { CHARTS } from '../../charts';
import { examplesOf } from '../../lib/cli/commands';
import { loadValues } from '../../lib/helm/load-values';
import { describeWith } from '../left-out';
import { authority, type Certificate } from '../strongswan/authority';
import { CHARON_TOOLS, pairOfCharons, type Charon, type Pair, type SideOptions } from '../strongswan/charons';
import { waitUntil, type Daemon, type Files } from '../strongswan/trixie';
import { objectsFor } from './scenarios';

jest.setTimeout(60_000);

const GATEWAY = '192.0.2.1';
const ROUTER = '192.0.2.2';
const TUNNELS = ['office', 'branch'] as const;
/** What the children of the example lead to, and of each a host in the cluster and one behind the router. */
const CHILDREN = [
  {
    tunnel: 'branch',
    child: 'branch',
    identity: 'branch',
    cluster: ['10.244.0.0/16', '172.27.0.0/20'],
    remote: ['10.5.0.0/16'],
    hosts: ['10.244.0.1', '10.5.0.1'],
  },
  {
    tunnel: 'office',
    child: 'phones',
    identity: 'office@example.com',
    cluster: ['172.27.0.0/20'],
    remote: ['10.4.0.0/16'],
    hosts: ['172.27.0.1', '10.4.0.1'],
  },
  {
    tunnel: 'office',
    child: 'servers',
    identity: 'office@example.com',
    cluster: ['10.244.0.0/16'],
    remote: ['10.3.0.0/16'],
    hosts: ['10.244.0.1', '10.3.0.1'],
  },
] as const;
const hostsAt = (end: 0 | 1): string[] => [...new Set(CHILDREN.map(({ hosts }) => hosts[end]))];

const { values } = loadValues({
  files: examplesOf('ipsec').filter((file) => file.endsWith('/policy.yaml')),
  // Where Debian has charon; and there are no nodes.
  set: ['strongswan.charonPath=/usr/lib/ipsec/charon', 'agent.enabled=false'],
});
const objects = objectsFor({ chart: 'ipsec', values });
const specOf = (kind: string) => objects.find((object) => object.kind === kind)?.['spec'] as unknown;
const pod = (specOf('Deployment') as k8s.DeploymentSpec).template.spec!;
const { ports = [] } = specOf('Service') as k8s.ServiceSpec;

/** What a container of the pod runs, as a line of a shell. */
function lineOf(container: string): string {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  const { command = [], env = [] } = containers.find(({ name }) => name === container) ?? {};
  return ['env', ...env.map(({ name, value = '' }) => `${name}=${value}`), ...command].join(' ');
}

/** The files of the pod's volumes where its containers have them, of the chart's ConfigMaps and Secrets and of others. */
function mounted(others: Readonly<Record<string, Files>>): Files {
  const sources = new Map(Object.entries(others));
  for (const { kind, metadata, data, stringData } of objects)
    if (kind === 'ConfigMap' || kind === 'Secret') sources.set(metadata.name, (data ?? stringData) as unknown as Files);
  const mounts = pod.containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  return Object.fromEntries(
    mounts.flatMap(({ name, mountPath }) => {
      const { configMap, secret } = pod.volumes?.find((volume) => volume.name === name) ?? {};
      const files = sources.get(configMap?.name ?? secret?.secretName ?? '') ?? {};
      const items = (configMap ?? secret)?.items ?? Object.keys(files).map((key) => ({ key, path: key }));
      return items.map(({ key, path }) => [`${mountPath}/${path}`, files[key] ?? '']);
    }),
  );
}

/** What a person makes beside the values. */
interface Made {
  readonly vpn: Certificate;
  readonly office: Certificate;
  /** Of the branch, at the router. */
  readonly key: string;
}

const sites = authority({ CN: 'Authority of the site' });
const offices = authority({ CN: 'Authority of the office' });
const VPN = { subject: { CN: 'vpn' }, dns: ['vpn.example.com'] };
const OFFICE = { subject: { CN: 'office' }, emails: ['office@example.com'] };
const GOOD: Made = {
  vpn: sites.issue(VPN),
  office: offices.issue(OFFICE),
  key: mounted({})['/given-keys/psk.branch'] ?? '',
};

/** The gateway in its pod. */
function gatewayWith({ vpn }: Made): SideOptions {
  const { '/config/strongswan.conf': strongswanConf = '', ...files } = mounted({
    'vpn-tls': { 'tls.crt': vpn.certificate, 'tls.key': vpn.privateKey },
    'office-ca': { 'ca.crt': offices.certificate },
  });
  const lines = ['ip-forwarding', 'network-once', 'charon'].map(lineOf);
  return {
    inner: hostsAt(0),
    strongswanConf,
    files,
    places: {
      strongswanConf: '/config/strongswan.conf',
      swanctl: '/run/vpn/swanctl',
      socket: '/run/vpn/charon.vici',
    },
    start: ['sh', '-ec', [`ip route add default via ${ROUTER}`, ...lines].join('\n')],
  };
}

/** The router, with the files of our counterparts where they say. */
function routerWith({ office, key }: Made): SideOptions {
  const secretLine = `secret = 0s${Buffer.from(key).toString('base64')}`;
  const of = (tunnel: string, file: string): string =>
    CHARTS.ipsec.text((gateways) => gateways.counterpart(tunnel, 'strongswan', { secretLine })[file]!, { values });
  const files = TUNNELS.flatMap((tunnel) => [
    [`conf.d/${tunnel}.conf`, of(tunnel, `${tunnel}.conf`)],
    [`/etc/strongswan.d/${tunnel}.conf`, of(tunnel, `${tunnel}-charon.conf`)],
    [`/root/${tunnel}-network.sh`, of(tunnel, `${tunnel}-network.sh`)],
  ]);
  return {
    inner: hostsAt(1),
    swanctlConf: 'include conf.d/*.conf\n',
    files: {
      ...(Object.fromEntries(files) as Files),
      'x509/office.crt': office.certificate,
      'private/office.key': office.privateKey,
      'x509ca/office-ca.crt': sites.certificate,
      '/etc/hosts': `${GATEWAY} vpn.example.com\n`,
      // This Debian has none.
      '/usr/sbin/sysctl': '#!/bin/sh\necho "${2#*=}" >"/proc/sys/$(echo "${2%%=*}" | tr . /)"\n',
    },
    start: [
      'sh',
      '-ec',
      [
        `ip route add default via ${GATEWAY}`,
        ...TUNNELS.map((tunnel) => `sh /root/${tunnel}-network.sh`),
        'exec /usr/lib/ipsec/charon',
      ].join('\n'),
    ],
  };
}

async function load(side: Charon, rules: readonly string[]): Promise<void> {
  const input = `${rules.join('\n')}\n`;
  expect(await side.run(['nft', '-f', '-'], { input })).toMatchObject({ stderr: '', status: 0 });
}

/** As a node does it: there are no other ports than those of the Service. */
const NODE = [
  'table ip node {',
  'chain closed {',
  'type filter hook prerouting priority raw',
  ...ports.map(({ port }) => `udp dport ${port} drop`),
  '}',
  'chain open {',
  'type nat hook prerouting priority dstnat',
  ...ports.map(({ port, nodePort }) => `udp dport ${String(nodePort)} redirect to :${port}`),
  '}',
  '}',
];
/** Counts what comes by the cable that should have come by a tunnel. */
const CLEAR = [
  'table ip cable {',
  'counter clear {',
  '}',
  'chain prerouting {',
  'type filter hook prerouting priority raw',
  `iifname eth0 ip daddr { ${[...hostsAt(0), ...hostsAt(1)].join(', ')} } counter name clear`,
  '}',
  '}',
];

describeWith(CHARON_TOOLS, 'the example with policies and its counterparts', () => {
  let pair: Pair;
  let control: Daemon;
  let network: Daemon;

  async function start(made: Made): Promise<void> {
    pair = await pairOfCharons({ left: gatewayWith(made), right: routerWith(made) });
    await load(pair.left, [...NODE, ...CLEAR]);
    await load(pair.right, CLEAR);
    network = pair.left.trixie.daemon(['sh', '-c', lineOf('network')]);
    control = pair.left.trixie.daemon(['sh', '-c', lineOf('control')], {
      environment: { TEST_FASTER: '5' },
    });
    await until('it is loaded', () => control.log().includes('loaded 2 of 2 connections'));
  }
  afterEach(async () => {
    const counters = [pair.left, pair.right].map((side) =>
      side.run(['nft', 'list', 'counter', 'ip', 'cable', 'clear']),
    );
    const clear = (await Promise.all(counters)).map(({ stdout }) => /packets \d+/.exec(stdout)?.[0]);
    await pair.end();
    expect(clear).toEqual(['packets 0', 'packets 0']);
    expect(network.log()).toBe('network.sh: ok\n');
    expect(control.log()).not.toContain('a fault in line');
  });

  async function up(): Promise<string> {
    const program = `
import http.client
health = http.client.HTTPConnection('127.0.0.1', 8080)
health.request('GET', '/up')
print(health.getresponse().read().decode(), end='')`;
    return (await pair.left.run(['python3', '-c', program])).stdout;
  }
  async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
    try {
      await waitUntil(what, 30, is);
    } catch (error) {
      throw new Error(`${String(error)}\n${control.log()}\n${await up()}\n${pair.left.log()}\n${pair.right.log()}`);
    }
  }
  /** From which hosts to which a ping passes. */
  async function passes(): Promise<string[]> {
    const ping = async (from: Charon, source: string, target: string): Promise<string[]> => {
      const { status } = await from.run(['ping', '-c', '1', '-W', '1', '-I', source, target]);
      return status === 0 ? [`${source} > ${target}`] : [];
    };
    const pings = CHILDREN.flatMap(({ hosts: [inside, outside] }) => [
      ping(pair.right, outside, inside),
      ping(pair.left, inside, outside),
    ]);
    return (await Promise.all(pings)).flat();
  }
  const waysOf = (...tunnels: readonly string[]): string[] =>
    CHILDREN.filter(({ tunnel }) => tunnels.includes(tunnel)).flatMap(({ hosts: [inside, outside] }) => [
      `${outside} > ${inside}`,
      `${inside} > ${outside}`,
    ]);
  /** The children that an end has, by their names. */
  async function childrenAt(side: Charon) {
    const children = (await side.sas()).flatMap(({ name, state, localId, remoteId, children: ofSa }) =>
      ofSa.map((child) => ({
        tunnel: [name, state, localId, remoteId],
        child: [child.name, child.state, child.localNetworks, child.remoteNetworks],
        bytes: [child.bytesIn, child.bytesOut],
      })),
    );
    return children.sort(({ child: [one] }, { child: [other] }) => (String(one) < String(other) ? -1 : 1));
  }

  test('come up, and carry packets through every child, and none before', async () => {
    await start(GOOD);
    expect(await passes()).toEqual([]);
    expect(await pair.right.load()).toMatchObject({ status: 0 });
    await until('all tunnels are up', async () => (await up()) === 'up\n');
    expect(await passes()).toEqual(waysOf('office', 'branch'));
    const bytes = [2 * 84, 2 * 84];
    expect(await childrenAt(pair.left)).toEqual(
      CHILDREN.map(({ tunnel, child, identity, cluster, remote }) => ({
        tunnel: [tunnel, 'ESTABLISHED', 'vpn.example.com', identity],
        child: [child, 'INSTALLED', cluster, remote],
        bytes,
      })),
    );
    expect(await childrenAt(pair.right)).toEqual(
      CHILDREN.map(({ tunnel, child, identity, cluster, remote }) => ({
        tunnel: [tunnel, 'ESTABLISHED', identity, 'vpn.example.com'],
        child: [child, 'INSTALLED', remote, cluster],
        bytes,
      })),
    );
  });

  test.each<[string, Partial<Made>, (typeof TUNNELS)[number], string]>([
    [
      'a certificate of the office of another authority',
      { office: sites.issue(OFFICE) },
      'office',
      "no trusted certificate for 'office@example.com'",
    ],
    [
      'a certificate of the office with another name',
      { office: offices.issue({ ...OFFICE, emails: ['shop@example.com'] }) },
      'office',
      "no trusted certificate for 'office@example.com'",
    ],
    ['a certificate of the gateway of another authority', { vpn: offices.issue(VPN) }, 'office', 'peer closed it'],
    [
      'another key',
      { key: GOOD.key.toLowerCase() },
      'branch',
      "authentication failed (tried 1 shared key for 'vpn.example.com' - 'branch', but MAC mismatched)",
    ],
  ])('have only the other tunnel up, with %s', async (_what, bad, tunnel, reason) => {
    await start({ ...GOOD, ...bad });
    expect(await pair.right.load()).toMatchObject({ status: 0 });
    const others = TUNNELS.filter((name) => name !== tunnel);
    await until('it says why', async () => {
      const lines = (await up()).split('\n');
      return lines.every((line) => line === '' || line.startsWith(`${tunnel}: child `)) && lines[0]!.includes(reason);
    });
    expect(await passes()).toEqual(waysOf(...others));
    expect((await pair.left.sas()).map(({ name }) => name)).toEqual(others);
  });
});

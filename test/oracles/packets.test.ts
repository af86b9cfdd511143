import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Chart, Testing } from 'cdk8s';
import { CHARTS } from '../../charts';
import { RouteAgent } from '../../lib';
import type { JsonObject } from '../../lib/helm/values-file';
import { describeWith } from '../left-out';
import { wireguardConfig } from './scenarios';

jest.setTimeout(60_000);

interface Probe {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  /** The port of the service, where that is another one. */
  readonly servedAt?: number;
}

const ADMIN = '10.13.13.2';
const CONTRACTOR = '10.13.13.3';
const CAMERA = '10.13.13.5';
const SERVER = '10.13.13.1';
const WIKI = '10.96.12.7';
const DNS = '10.96.0.10';

const key = (letter: string): string => `${letter.repeat(43)}=`;

const peers = (rules: JsonObject): JsonObject => ({
  admin: { publicKey: key('A'), addresses: [ADMIN] },
  contractor: { publicKey: key('E'), addresses: [CONTRACTOR], allow: rules },
  camera: { publicKey: key('I'), addresses: [CAMERA], allow: {} },
});

const wiki = { networks: [WIKI], ports: [{ port: 443 }] };
const dns = { networks: ['10.96.0.0/24'], ports: [{ port: 53, protocol: 'UDP' }] };

const tcp = (from: string, to: string, port: number): Probe => ({ from, to, port, protocol: 'TCP' });
const udp = (from: string, to: string, port: number): Probe => ({ from, to, port, protocol: 'UDP' });

/** For every values file of WireGuard in turn, what came back of the probes, whose connections stay open. */
const send = (values: readonly JsonObject[], probes: readonly Probe[]): (string | null)[][] =>
  sendThrough(
    'wg0',
    values.map((one) => wireguardConfig(one)['nftables.conf'] ?? ''),
    probes,
  );

function sendThrough(device: string, filters: readonly string[], probes: readonly Probe[]): (string | null)[][] {
  const input = JSON.stringify({ filters, interface: device, probes });
  const { status, stdout, stderr } = spawnSync('python3', [join(__dirname, 'packets.py')], { input, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as (string | null)[][];
}

/** The address of the pod on the service network: what a service sees of a masqueraded client. */
const POD = '192.0.2.1';
/** The host of that network. */
const OTHER_NODE = '192.0.2.2';

describeWith(['nft', 'ip', 'python3', 'root', 'netns'], 'packets through the filter', () => {
  test('reach what the rules of their peer allow, and nothing else', () => {
    const probes = [
      tcp(ADMIN, WIKI, 80),
      tcp(ADMIN, SERVER, 8080),
      tcp(CONTRACTOR, WIKI, 443),
      tcp(CONTRACTOR, WIKI, 80),
      udp(CONTRACTOR, DNS, 53),
      tcp(CONTRACTOR, DNS, 53),
      udp(CONTRACTOR, '10.96.1.10', 53),
      tcp(CONTRACTOR, SERVER, 8080),
      tcp(CAMERA, WIKI, 443),
      udp(CAMERA, DNS, 53),
    ];
    expect(send([{ peers: peers({ wiki, dns }) }], probes)).toEqual([
      [POD, ADMIN, POD, null, POD, null, null, null, null, null],
    ]);
  });

  test('to the DNS port of the server reach CoreDNS, of every peer and of no other port', () => {
    const values = { dns: { mode: 'coredns' }, peers: peers({ wiki }) };
    const questions = [ADMIN, CONTRACTOR, CAMERA].flatMap((from) => [
      { ...udp(from, SERVER, 53), servedAt: 1053 },
      { ...tcp(from, SERVER, 53), servedAt: 1053 },
    ]);
    const answers = [ADMIN, ADMIN, CONTRACTOR, CONTRACTOR, CAMERA, CAMERA];
    expect(send([values], [...questions, udp(CAMERA, SERVER, 1053)])).toEqual([[...answers, null]]);
    expect(send([{ peers: peers({ wiki }) }], questions)).toEqual([questions.map(() => null)]);
  });

  test('keep their source address where the mode is routed', () => {
    const values = { mode: 'routed', peers: peers({ wiki }) };
    expect(send([values], [tcp(ADMIN, WIKI, 443), tcp(CONTRACTOR, WIKI, 443), tcp(CONTRACTOR, WIKI, 80)])).toEqual([
      [ADMIN, CONTRACTOR, null],
    ]);
  });

  test('of an open connection stop when its rule is taken away, and pass again when it is back', () => {
    const [open, closed] = [{ peers: peers({ wiki }) }, { peers: peers({ dns }) }];
    expect(send([open, closed, open], [tcp(CONTRACTOR, WIKI, 443), tcp(ADMIN, WIKI, 443)])).toEqual([
      [POD, POD],
      [null, POD],
      [POD, POD],
    ]);
  });

  test('of IPsec tunnels have an address behind their own tunnel', () => {
    const to = (networks: readonly string[], interfaceId: number) => ({
      gateway: 'a',
      interfaceId,
      remote: { address: `198.51.100.${String(interfaceId)}`, networks },
      presharedKey: { existingSecret: 'psk' },
    });
    const values = {
      cluster: { serviceCidrs: ['10.96.0.0/16'] },
      gateways: { a: { identity: '203.0.113.10' } },
      tunnels: { one: to(['10.13.13.2/32', '10.13.13.5/32'], 1), other: to(['10.13.13.3/32'], 2) },
    };
    const filter = CHARTS.ipsec.text((gateways) => gateways.gateway('a').nftablesConf, { values });
    const probes = [ADMIN, CONTRACTOR, CAMERA].map((from) => tcp(from, WIKI, 443));
    expect(['ipsec1', 'ipsec2'].map((device) => sendThrough(device, [filter], probes)[0])).toEqual([
      [POD, null, POD],
      [null, POD, null],
    ]);
  });

  test('reach the overlay from nodes, and not out of a tunnel with the address of one', () => {
    const values = {
      cluster: { podCidrs: ['10.244.0.0/16'], nodeCidrs: ['10.13.13.0/24'] },
      routes: { mode: 'bgp', localAs: 65_010, import: { office: { cidr: '10.1.0.0/16' } } },
      gateways: { a: { identity: '203.0.113.10' } },
      tunnels: {
        office: {
          gateway: 'a',
          remote: { address: '198.51.100.7' },
          presharedKey: { existingSecret: 'psk' },
          inside: { local: '169.254.100.2/30', remote: '169.254.100.1' },
          bgp: { peerAs: 64_514 },
        },
      },
    };
    const filter = CHARTS.ipsec.text((gateways) => gateways.gateway('a').nftablesConf, { values });
    const probes = [udp(ADMIN, SERVER, 4790), udp('10.14.0.1', SERVER, 4790)];
    expect(['cni0', 'ipsec1'].map((device) => sendThrough(device, [filter], probes)[0])).toEqual([
      [ADMIN, null],
      [null, null],
    ]);
  });

  test('of a pod do not reach the overlay of another node, where the CNI would give them the address of this one', () => {
    const chart = new Chart(Testing.app(), 'test');
    new RouteAgent(chart, 'Site', {
      cluster: { podCidrs: ['10.13.0.0/16'], serviceCidrs: ['10.96.0.0/12'], nodeCidrs: ['192.0.2.0/24'] },
      gateways: { a: { host: 'a.gateways.vpn.svc' } },
      routes: { localAs: 65_010, import: { office: { cidr: '10.1.0.0/16' } } },
    });
    const objects = Testing.synth(chart) as readonly { readonly data?: Readonly<Record<string, string>> }[];
    const filter = objects.flatMap(({ data }) => data?.['nftables.conf'] ?? [])[0] ?? '';
    const table = /table (inet \S+)/.exec(filter)?.[1] ?? '';
    const [pod, gateway] = [ADMIN, CONTRACTOR];
    const masquerade = 'table ip cni { chain post { type nat hook postrouting priority srcnat; masquerade; }; }';
    const probes = [udp(pod, OTHER_NODE, 4790), udp(gateway, OTHER_NODE, 4790), udp(pod, OTHER_NODE, 5000)];
    expect(
      sendThrough('cni0', [`${filter}\nadd element ${table} gateways { ${gateway} }\n${masquerade}`], probes)[0],
    ).toEqual([null, POD, POD]);
  });
});

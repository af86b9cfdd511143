import { CHARTS } from '../../charts';
import { overlap } from '../../lib/net/cidr';
import { isIpv6 } from '../../lib/net/address';
import type { JsonObject } from '../../lib/helm/values-file';
import { hasAgents } from '../../lib/topology/ipsec';
import type { Topology } from '../../lib/topology/topology';
import { acceptedValues } from '../laws/values-arbitrary';
import { EXAMPLES, ipsecOf, missingWays, Told, topologyOf } from './site';

const told = (values: string): Told => new Told(topologyOf('ipsec', values));
const example = (name: string): Told => {
  const found = EXAMPLES.find((one) => one.name === `ipsec/${name}.yaml`);
  if (found === undefined) throw new Error(`no example ${name}`);
  return new Told(topologyOf('ipsec', found.values));
};

describe('without agents', () => {
  test('what is behind the remote end reaches the cluster as the gateway’s pod, and not the other way round', () => {
    const onprem = example('onprem');
    expect(onprem.links).toEqual([
      'behind onprem > remote end routed',
      'gateway a > Services masqueraded',
      'gateway a > nodes masqueraded',
      'gateway a > pods masqueraded',
      'remote end > tunnel onprem esp',
      'tunnel onprem > gateway a routed',
    ]);
    expect(onprem.reaches).toEqual(['behind onprem > Services', 'behind onprem > nodes', 'behind onprem > pods']);
  });

  test('a network behind two tunnels is one place with two ways', () => {
    const aws = example('aws');
    expect(aws.links).toEqual([
      'behind primary and secondary > remote end 198.51.100.20 routed',
      'behind primary and secondary > remote end 198.51.100.21 routed',
      'gateway a > Services masqueraded',
      'gateway a > pods masqueraded',
      'gateway b > Services masqueraded',
      'gateway b > pods masqueraded',
      'remote end 198.51.100.20 > tunnel primary esp',
      'remote end 198.51.100.21 > tunnel secondary esp',
      'tunnel primary > gateway a routed',
      'tunnel secondary > gateway b routed',
    ]);
    expect(aws.reaches).toEqual(['behind primary and secondary > Services', 'behind primary and secondary > pods']);
  });

  test('tunnels to one remote end share it, unless it has another identity there', () => {
    const site = (second: string): Told =>
      told(`
cluster: {podCidrs: [10.244.0.0/16]}
gateways: {a: {identity: 203.0.113.10}, b: {identity: 203.0.113.11}}
tunnels:
  one: {gateway: a, remote: {address: 198.51.100.7, networks: [10.1.0.0/16]}, presharedKey: {existingSecret: s}}
  two: {gateway: b, remote: {address: 198.51.100.7, ${second}networks: [10.2.0.0/16]}, presharedKey: {existingSecret: s}}
`);
    expect(site('').links).toContain('remote end > tunnel two esp');
    expect(site('identity: other, ').topology.places.filter(({ kind }) => kind === 'remote')).toHaveLength(2);
  });
});

describe('with agents', () => {
  test('and BGP, pods and nodes reach what is imported and are reached, over every gateway; Services are reached only', () => {
    const ha = example('gcp-ha');
    expect(ha.links).toEqual([
      'agent on every node <> nodes routed',
      'agent on every node <> overlay overlay',
      'agent on every node <> pods routed',
      'agent on every node > Services routed',
      'gateway a <> overlay overlay',
      'gateway a <> tunnel primary routed',
      'gateway b <> overlay overlay',
      'gateway b <> tunnel secondary routed',
      'remote end 198.51.100.40 <> tunnel primary esp',
      'remote end 198.51.100.40 <> vpc routed',
      'remote end 198.51.100.41 <> tunnel secondary esp',
      'remote end 198.51.100.41 <> vpc routed',
    ]);
    expect(ha.reaches).toEqual(['nodes <> vpc', 'pods <> vpc', 'vpc > Services']);
    expect(ha.detailsOf('vpc')).toEqual(['10.0.0.0/16, parts up to /24']);
    expect(ha.detailsOf('overlay')).toEqual([
      'VXLAN 4242, UDP 4790',
      'nodes 198.18.0.0/16',
      'gateways 198.19.0.0/16',
      'BGP, AS 65010',
    ]);
    expect(ha.detailsOf('tunnel primary')).toEqual([
      'mode route, preset gcp',
      '169.254.174.222/30 ↔ 169.254.174.221',
      'BGP, AS 65010 ↔ 64514',
    ]);
  });

  test('each child of a policy-based tunnel joins its own networks', () => {
    const policy = example('policy');
    expect(policy.reaches).toEqual([
      'behind branch <> nodes',
      'behind branch <> pods',
      'behind office 10.3.0.0/16 <> pods',
      'behind office 10.4.0.0/16 <> nodes',
    ]);
    expect(policy.detailsOf('tunnel office')).toEqual([
      'mode policy',
      'servers: 10.244.0.0/16 ↔ 10.3.0.0/16',
      'phones: 172.27.0.0/20 ↔ 10.4.0.0/16',
    ]);
  });

  const bgp = (more: string): Told =>
    told(`
cluster: {podCidrs: [10.244.0.0/16, 'fd00:244::/56'], serviceCidrs: [10.96.0.0/12], nodeCidrs: [172.27.0.0/20]}
gateways: {a: {exposure: hostPort, identity: 203.0.113.10}}
${more}`);
  const SESSION = `gateway: a, remote: {address: 198.51.100.7}, presharedKey: {existingSecret: s},
    inside: {local: 169.254.100.2/30, remote: 169.254.100.1}, bgp: {peerAs: 64514}`;

  test('what the remote end is not told of is neither reached nor answered', () => {
    const { links, reaches } = bgp(`
routes: {mode: bgp, localAs: 65010, import: {office: {cidr: 10.1.0.0/16}}, export: [services, 172.27.8.0/24]}
tunnels: {one: {${SESSION}}}
`);
    expect(reaches).toEqual(['nodes <> office', 'office > Services']);
    expect(links.filter((link) => link.includes('pods'))).toEqual([]);
  });

  test('networks of IPv6 are joined with those of IPv6, and taken by sessions of IPv6', () => {
    const six = bgp(`
routes: {mode: bgp, localAs: 65010, import: {office: {cidr: 10.1.0.0/16}, lab: {cidr: 'fd00:1::/48', whenDown: pass}}}
tunnels:
  one: {${SESSION}}
  two: {gateway: a, remote: {address: 198.51.100.8}, presharedKey: {existingSecret: s},
    inside: {local: 'fd00:ff::2/126', remote: 'fd00:ff::1'}, bgp: {peerAs: 64514}}
`);
    expect(six.reaches).toEqual(['lab <> pods', 'nodes <> office', 'office <> pods', 'office > Services']);
    expect(six.links).toContain('lab <> remote end 198.51.100.8 routed');
    expect(six.links).not.toContain('lab <> remote end 198.51.100.7 routed');
    expect(six.detailsOf('lab')).toEqual(['fd00:1::/48, in clear while it is down']);
    expect(six.detailsOf('overlay')).toContain('fd76:706e:6f76::/64');
  });

  test('a tunnel without BGP beside one with it leads to its own networks, which need not be told of', () => {
    const { reaches, topology } = bgp(`
routes: {mode: bgp, localAs: 65010, internalAs: 65020, import: {office: {cidr: 10.1.0.0/16}}, export: [pods]}
tunnels:
  one: {${SESSION}}
  two: {gateway: a, remote: {address: 198.51.100.8, networks: [10.2.0.0/16]}, presharedKey: {existingSecret: s}}
`);
    expect(reaches).toEqual(['behind two <> nodes', 'behind two <> pods', 'behind two > Services', 'office <> pods']);
    expect(new Told(topology).detailsOf('overlay')).toContain('BGP, AS 65020');
  });

  test('that are not everywhere, it says where', () => {
    const { topology } = bgp(`
agent: {enabled: true, nodeSelector: {example.com/vpn: 'true'}}
tunnels: {one: {gateway: a, remote: {address: 198.51.100.8, networks: [10.2.0.0/16]}, presharedKey: {existingSecret: s}}}
`);
    expect(new Told(topology).detailsOf('agents')).toContain('on nodes with example.com/vpn=true');
  });
});

test('many networks are one place, in a few lines', () => {
  const networks = Array.from({ length: 50 }, (_, index) => `10.1.${index}.0/24`);
  const { topology } = told(`
cluster: {podCidrs: [10.244.0.0/16]}
gateways: {a: {identity: 203.0.113.10}}
tunnels: {one: {gateway: a, remote: {address: 198.51.100.7, networks: [${networks.join(', ')}]}, presharedKey: {existingSecret: s}}}
`);
  expect(new Told(topology).detailsOf('behind one')).toEqual([...networks.slice(0, 5), 'and 45 more']);
});

test('without gateways there is the cluster alone', () => {
  const { topology } = told('cluster: {podCidrs: [10.244.0.0/16]}');
  expect([topology.places.map(({ id }) => id), topology.links, topology.reaches]).toEqual([['pods'], [], []]);
});

/* What the files say that the pods get. */

const lists = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^ *${key} = (.*)$`, 'gm'))].flatMap(([, list = '']) => list.split(','));

/** The elements of a set of nftables.conf. */
function setOf(filter: string, name: string): string[] {
  const [, elements = ''] = new RegExp(`set ${name} \\{[^}]*elements = \\{\\n([^}]*)\\}`).exec(filter) ?? [];
  return elements.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim().replace(/,$/, '')]));
}

/** Pairs of a network behind a tunnel and one of the cluster between which the gateways' files let packets through. */
function pairsOf(values: JsonObject): Set<string> {
  const found = new Set<string>();
  const { gateways, tunnels } = ipsecOf(values);
  for (const gateway of Object.keys(gateways)) {
    const textOf = (key: 'swanctlConf' | 'nftablesConf'): string =>
      CHARTS.ipsec.text((of) => of.gateway(gateway)[key], { values });
    const filter = textOf('nftablesConf');
    const cluster = [...setOf(filter, 'cluster4'), ...setOf(filter, 'cluster6')];
    const fabric = CHARTS.ipsec
      .objects({ values })
      .filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith(`-${gateway}`))
      .flatMap((map) => (map['data'] as Record<string, string>)['fabric.json'] ?? []);
    const { exports = [], tunnels: told = {} } = (fabric[0] === undefined ? {} : JSON.parse(fabric[0])) as {
      exports?: string[];
      tunnels?: Record<string, { bgp?: { peer: string } } | null>;
    };
    for (const [, name = '', text = ''] of textOf('swanctlConf').matchAll(/^ {2}(\S+) \{\n(.*?)^ {2}\}$/gms)) {
      const id = /if_id_in = (.*)/.exec(text)?.[1];
      const peer = told[name]?.bgp?.peer;
      const isSpeaker = id !== undefined && setOf(filter, 'speakers').includes(`"ipsec${id}"`);
      const behind =
        id === undefined
          ? (tunnels[name]?.remote.networks ?? [])
          : [...setOf(filter, 'tunnel4'), ...setOf(filter, 'tunnel6')].flatMap((element) =>
              element.startsWith(`"ipsec${id}" . `) ? [element.replace(/^.* \. /, '')] : [],
            );
      const imported = isSpeaker
        ? [...setOf(filter, 'imported4'), ...setOf(filter, 'imported6')].filter(
            (network) => isIpv6(network) === isIpv6(peer ?? ''),
          )
        : [];
      for (const [, children = ''] of text.matchAll(/^ {4}children \{\n(.*?)^ {4}\}$/gms)) {
        for (const [, child = ''] of children.matchAll(/^ {6}\S+ \{\n(.*?)^ {6}\}$/gms)) {
          const [ours, theirs] = [lists(child, 'local_ts'), lists(child, 'remote_ts')];
          for (const remote of [...behind, ...imported]) {
            for (const local of cluster) {
              const isTold = !isSpeaker || exports.some((told) => told !== '' && overlap(told, local));
              const isSelected =
                ours.some((network) => overlap(network, local)) && theirs.some((network) => overlap(network, remote));
              if (isTold && isSelected && isIpv6(remote) === isIpv6(local)) found.add(`${remote} ${local}`);
            }
          }
        }
      }
    }
  }
  return found;
}

/** The same pairs as the topology has them, by what it says that behind reaches. */
function shownPairs({ places, reaches }: Topology): Set<string> {
  const detailsOf = new Map(places.map(({ id, details }) => [id, details.map((line) => line.replace(/,.*/, ''))]));
  return new Set(
    reaches
      .filter(({ from }) => from.startsWith('behind/'))
      .flatMap(({ from, to }) => (detailsOf.get(from) ?? []).map((network) => `${network} ${to}`)),
  );
}

describe('generated values', () => {
  const all = acceptedValues('ipsec', 15, 7);

  test('who reaches whom is what the files of the gateways say', () => {
    let [pairs, joined, imported] = [0, 0, 0];
    for (const values of all) {
      const topology = topologyOf('ipsec', values);
      if (topology.places.some(({ details }) => details.some((line) => /^and \d+ more$/.test(line)))) continue;
      const { cluster } = ipsecOf(values);
      const kindsOf = (network: string): string[] => [
        ...(cluster.podCidrs.includes(network) ? ['pods'] : []),
        ...(cluster.nodeCidrs.includes(network) ? ['nodes'] : []),
        ...(cluster.serviceCidrs.includes(network) ? ['services'] : []),
      ];
      const expected = [...pairsOf(values)].flatMap((pair) => {
        const [remote = '', local = ''] = pair.split(' ');
        return kindsOf(local).map((kind) => `${remote} ${kind}`);
      });
      expect([...shownPairs(topology)].sort()).toEqual([...new Set(expected)].sort());
      const known = new Set(topology.reaches.map(({ from, to }) => `${from} ${to}`));
      for (const { from, to } of topology.reaches.filter(({ from }) => from.startsWith('behind/')))
        expect([to, known.has(`${to} ${from}`)]).toEqual([to, to !== 'services' && hasAgents(ipsecOf(values))]);
      pairs += expected.length;
      if (hasAgents(ipsecOf(values))) joined++;
      if (ipsecOf(values).routes.mode === 'bgp') imported++;
    }
    // Else nothing was compared.
    expect([pairs > 15, joined > 2, imported > 0]).toEqual([true, true, true]);
  });

  test('whoever reaches another one does so along links', () => {
    const examples = EXAMPLES.filter(({ chart }) => chart === 'ipsec').map(({ values }) => values);
    for (const values of [...examples, ...all]) expect(missingWays(topologyOf('ipsec', values))).toEqual([]);
  });

  test('agents, masquerading and who begins are as in the objects of the release', () => {
    for (const values of all) {
      const objects = CHARTS.ipsec.objects({ values });
      const { places, links } = topologyOf('ipsec', values);
      expect(places.some(({ kind }) => kind === 'agents')).toBe(objects.some(({ kind }) => kind === 'DaemonSet'));
      const { tunnels, gateways } = ipsecOf(values);
      for (const gateway of Object.keys(gateways)) {
        const filter = CHARTS.ipsec.text((of) => of.gateway(gateway).nftablesConf, { values });
        const isMasqueraded = links.some(
          ({ from, carrier }) => from === `gateway/${gateway}` && carrier === 'masqueraded',
        );
        if (isMasqueraded) expect(filter).toContain('masquerade');
        if (places.some(({ kind }) => kind === 'agents')) expect(filter).not.toContain('masquerade');
      }
      const summary = CHARTS.ipsec.summary({ values }) ?? '';
      for (const name of Object.keys(tunnels)) {
        expect([name, /gateway|either/.test(labelIn(links, name))]).toEqual([
          name,
          new RegExp(`^ *tunnel ${name}, the remote end has forgotten .* the gateway begins anew$`, 'm').test(summary),
        ]);
      }
    }
  });

  const labelIn = (links: Topology['links'], tunnel: string): string =>
    links.find(({ from, to, carrier }) => carrier === 'esp' && [from, to].includes(`tunnel/${tunnel}`))?.label ?? '';
});

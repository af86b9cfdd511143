"""frr_conf.py: the configuration of FRR: what the chart has printed, with what is only known at run time."""
import ipaddress
from enum import IntEnum
from typing import Dict, FrozenSet, Iterable, List, NamedTuple

from addresses import of_version, version_of
from fabric_file import Fabric, Import

OWN_NODE_ENTRY = 30  # of FROM-NODES, and the next one of IPv6: before those of all nodes
OWN_NODE_PREFERENCE = 200
FAMILIES = {4: ('ip', 'ipv4'), 6: ('ipv6', 'ipv6')}


class Phase(IntEnum):
    """How far a gateway has taken leave."""

    SERVING = 0
    SHUTTING = 1  # all are asked to take other paths
    WITHDRAWN = 2  # nothing is announced any more
    DRAINED = 3


class Running(NamedTuple):
    """What is only known at run time."""

    nodes: Dict[str, bool] = {}  # whether they do BFD, by overlay address
    own_node: str = ''  # the overlay address of the node of this pod
    networks: FrozenSet[str] = frozenset()  # that are announced: static ones, and those for the remote ends
    outer: FrozenSet[str] = frozenset()  # prefixes that hold an outer address of a remote end
    passwords: Dict[str, str] = {}  # by peer
    closed: FrozenSet[str] = frozenset()  # peers that are not spoken to
    phase: Phase = Phase.SERVING


def outer_prefixes(remotes: Iterable[str], imports: Iterable[Import]) -> FrozenSet[str]:
    """Which prefixes that could be taken hold one of the addresses: there are few, as nothing outside the imports is taken."""
    found = set()
    for remote in remotes:
        address = ipaddress.ip_address(remote)
        for taken in imports:
            network = ipaddress.ip_network(taken.cidr)
            if address.version == network.version and address in network:
                lengths = range(network.prefixlen, max(taken.longest, network.prefixlen) + 1)
                found |= {str(ipaddress.ip_network(f'{address}/{length}', strict=False)) for length in lengths}
    return frozenset(found)


def announced(fabric: Fabric, up: Iterable[str], families: Iterable[int]) -> FrozenSet[str]:
    """Networks of tunnels that are up, for the nodes; and those for the remote ends, of families whose nodes are there."""
    networks = {network for name in up for network in fabric.tunnels[name].networks}
    for version in families:
        networks.update(of_version(fabric.exports, version))
    return frozenset(networks)


def compose(chart: str, fabric: Fabric, running: Running) -> str:
    """The whole file."""
    return '\n'.join([chart.rstrip('\n'), *changes(fabric, Running(), running, fresh=True), ''])


def changes(fabric: Fabric, before: Running, after: Running, fresh: bool = False) -> List[str]:
    """The lines that make one of the other; `fresh`: of nothing."""
    return [
        *outer_lines(before, after, fresh),
        *own_node_lines(before, after),
        *withdrawal_lines(before, after),
        *router_lines(fabric, before, after),
    ]


def outer_lines(before: Running, after: Running, fresh: bool) -> List[str]:
    """A list with no entry would hold everything."""
    lines = [f'{FAMILIES[version][0]} prefix-list OUTER seq 1 deny {end}' for version, end in ((4, '0.0.0.0/0'), (6, '::/0'))]
    lines = lines if fresh else []
    lines += [outer_line(network) for network in sorted(after.outer - before.outer)]
    return lines + [f'no {outer_line(network)}' for network in sorted(before.outer - after.outer)]


def outer_line(network: str) -> str:
    return f'{FAMILIES[version_of(network)][0]} prefix-list OUTER permit {network}'


def own_node_lines(before: Running, after: Running) -> List[str]:
    if before.own_node == after.own_node:
        return []
    lines = []
    for number, word in ((OWN_NODE_ENTRY, 'ip'), (OWN_NODE_ENTRY + 1, 'ipv6')):
        if not after.own_node:
            lines.append(f'no route-map FROM-NODES permit {number}')
            continue
        lines += [
            f'route-map FROM-NODES permit {number}',
            f' match {word} address prefix-list SERVICE-NETWORKS',
            f' match peer {after.own_node}',
            f' set local-preference {OWN_NODE_PREFERENCE}',
            ' set table 100',
            'exit',
        ]
    return lines


def withdrawal_lines(before: Running, after: Running) -> List[str]:
    was, now = before.phase >= Phase.WITHDRAWN, after.phase >= Phase.WITHDRAWN
    if was == now:
        return []
    maps = [f'route-map {name} deny 1' for name in ('TO-NODES', 'TO-REMOTE')]
    return [line for each in maps for line in (each, 'exit')] if now else [f'no {each}' for each in maps]


def refreshes(before: Running, after: Running) -> List[str]:
    """What makes bgpd judge anew, in each family, what it has taken and told: it does so neither at once nor always by itself."""
    words = []
    if (before.outer, before.own_node) != (after.outer, after.own_node):
        words.append('in')
    if (before.phase >= Phase.WITHDRAWN) != (after.phase >= Phase.WITHDRAWN):
        words.append('out')
    return refresh(*words)


def refresh(*words: str) -> List[str]:
    return [f'clear bgp {family} unicast * soft {word}' for word in words for _, family in FAMILIES.values()]


def router_lines(fabric: Fabric, before: Running, after: Running) -> List[str]:
    lines = []
    was, now = before.phase > Phase.SERVING, after.phase > Phase.SERVING
    if was != now:
        lines.append(f' {"" if now else "no "}bgp graceful-shutdown')
    for node in sorted(before.nodes):
        if before.nodes[node] != after.nodes.get(node):
            lines.append(f' no neighbor {node}')
    for node in sorted(after.nodes):
        if after.nodes[node] != before.nodes.get(node):
            lines.append(f' neighbor {node} peer-group {"NODES" if after.nodes[node] else "NODES-WITHOUT-BFD"}')
    for peer in sorted(after.passwords):
        if after.passwords[peer] != before.passwords.get(peer):
            lines.append(f' neighbor {peer} password {after.passwords[peer]}')
    lines += [f' neighbor {peer} shutdown' for peer in sorted(after.closed - before.closed)]
    # Only once the password is there.
    lines += [f' no neighbor {peer} shutdown' for peer in sorted(before.closed - after.closed)]
    for version, (_, family) in FAMILIES.items():
        came = [f'  network {network} route-map OWN' for network in sorted(after.networks - before.networks) if version_of(network) == version]
        gone = [f'  no network {network} route-map OWN' for network in sorted(before.networks - after.networks) if version_of(network) == version]
        if came or gone:
            lines += [f' address-family {family} unicast', *gone, *came, ' exit-address-family']
    return [f'router bgp {fabric.as_number}', *lines, 'exit'] if lines else []

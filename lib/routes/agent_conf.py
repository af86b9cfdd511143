"""agent_conf.py: the FRR configuration of a node, in the format of frr.conf(5) of FRR 10.3."""
from typing import Iterable, List, NamedTuple, Sequence

from addresses import canonical, ipv6_of, node_overlay, of_version, version_of
from agent_file import Settings
from daemons import AWAY_SECONDS
from node_facts import Node

GROUP = 'GATEWAYS'
PATHS = 8  # over how many gateways packets for one network are spread
KEEPALIVE_SECONDS, HOLD_SECONDS, CONNECT_SECONDS = 3, 9, 2
DEFER_SECONDS = 20  # how long routes wait after a start for all that the gateways tell; zebra keeps the old ones for longer
FAMILIES = {4: 'ipv4', 6: 'ipv6'}


class Conf(NamedTuple):
    """All that the configuration follows from; what is on the node changes most often."""

    settings: Settings
    node: Node
    bfd: bool
    networks: List[str]  # of the node, its pods and the Services


def networks_of(settings: Settings, node: Node, pods: Iterable[str]) -> List[str]:
    """What the gateways are told."""
    found = [node.ipv4, *([node.ipv6] if node.ipv6 and settings.overlay.ipv6 else []), *pods]
    found += settings.services
    versions = (4, 6) if settings.overlay.ipv6 else (4,)
    return [network for version in versions for network in dict.fromkeys(of_version(found, version))]


def conf_of(conf: Conf) -> str:
    lines = [*head(conf), *imports(conf.settings), *source(conf, 4)]
    if conf.settings.overlay.ipv6:
        lines += [*source(conf, 6), *next_hops(conf)]
    return '\n'.join([*lines, 'bgp route-map delay-timer 0', '!', *router(conf), ''])


def own_overlay(conf: Conf) -> str:
    return node_overlay(conf.node.ipv4, conf.settings.overlay.node_network)


def head(conf: Conf) -> List[str]:
    settings = conf.settings
    lines = [
        'frr version 10.3',
        'frr defaults traditional',
        f'hostname {conf.node.name}',
        'log stdout informational',
        'service integrated-vtysh-config',
        # Without the link, what is for the remote networks would go the way of everything else.
        'no ip nht resolve-via-default',
        'no ipv6 nht resolve-via-default',
        '!',
    ]
    if conf.bfd:
        lines += [
            'bfd',
            ' profile overlay',
            f'  transmit-interval {settings.bfd_interval}',
            f'  receive-interval {settings.bfd_interval}',
            f'  detect-multiplier {settings.bfd_multiplier}',
            ' exit',
            'exit',
            '!',
        ]
    return lines


def imports(settings: Settings) -> List[str]:
    """What is taken of the gateways."""
    lines = []
    for number, taken in enumerate(settings.imports, 1):
        network = canonical(taken.cidr)
        parts = f' le {taken.longest}' if taken.longest > int(network.rpartition('/')[2]) else ''
        lines.append(f'{"ip" if version_of(network) == 4 else "ipv6"} prefix-list IMPORT seq {number} permit {network}{parts}')
    return [*lines, '!', 'route-map FROM-GATEWAYS permit 10', ' match ip address prefix-list IMPORT', 'exit', '!']


def source(conf: Conf, version: int) -> List[str]:
    """Packets of the node itself have its own address, and not that of the overlay, which nobody else knows."""
    name, words, address = ('SOURCE', 'ip', conf.node.ipv4) if version == 4 else ('SOURCE-6', 'ipv6', conf.node.ipv6)
    if not address:
        return []
    return [f'route-map {name} permit 10', f' set src {address}', 'exit', f'{words} protocol bgp route-map {name}', '!']


def next_hops(conf: Conf) -> List[str]:
    """Routes of IPv6 go over the session of IPv4, so neither end sees from it where they lead."""
    network = conf.settings.overlay.ipv6_network
    lines = ['route-map TO-GATEWAYS-6 permit 10', f' set ipv6 next-hop global {ipv6_of(own_overlay(conf), network, False)}', 'exit']
    for gateway in conf.settings.gateways:
        lines += [
            f'route-map FROM-{gateway.name}-6 permit 10',
            ' match ipv6 address prefix-list IMPORT',
            f' set ipv6 next-hop global {ipv6_of(gateway.overlay, network, True)}',
            'exit',
        ]
    return [*lines, '!']


def router(conf: Conf) -> List[str]:
    settings = conf.settings
    number, overlay = settings.autonomous_system, own_overlay(conf)
    lines = [
        f'router bgp {number}',
        f' bgp router-id {overlay}',
        ' bgp log-neighbor-changes',
        ' no bgp default ipv4-unicast',
        ' no bgp network import-check',
        ' bgp bestpath as-path multipath-relax',
        ' bgp graceful-restart',
        ' bgp graceful-restart preserve-fw-state',
        f' bgp graceful-restart restart-time {AWAY_SECONDS}',
        f' bgp graceful-restart stalepath-time {AWAY_SECONDS}',
        f' bgp graceful-restart select-defer-time {DEFER_SECONDS}',
        f' neighbor {GROUP} peer-group',
        f' neighbor {GROUP} remote-as {number}',
        f' neighbor {GROUP} timers {KEEPALIVE_SECONDS} {HOLD_SECONDS}',
        f' neighbor {GROUP} timers connect {CONNECT_SECONDS}',
        f' neighbor {GROUP} update-source {overlay}',
    ]
    if conf.bfd:
        lines += [f' neighbor {GROUP} bfd', f' neighbor {GROUP} bfd profile overlay']
    for gateway in settings.gateways:
        lines += [f' neighbor {gateway.overlay} peer-group {GROUP}', f' neighbor {gateway.overlay} description {gateway.name}']
    lines += ['!', *family(conf, 4, [f'neighbor {GROUP} route-map FROM-GATEWAYS in'])]
    if settings.overlay.ipv6:
        maps = [f'neighbor {GROUP} route-map TO-GATEWAYS-6 out']
        maps += [f'neighbor {gateway.overlay} route-map FROM-{gateway.name}-6 in' for gateway in settings.gateways]
        lines += ['!', *family(conf, 6, maps)]
    return [*lines, 'exit']


def family(conf: Conf, version: int, maps: Sequence[str]) -> List[str]:
    lines = [f'network {network}' for network in of_version(conf.networks, version)]
    lines += [f'neighbor {GROUP} activate', *maps, f'maximum-paths ibgp {PATHS}']
    return [f' address-family {FAMILIES[version]} unicast', *(f'  {line}' for line in lines), ' exit-address-family']


def network_changes(autonomous_system: int, before: Sequence[str], after: Sequence[str]) -> List[str]:
    """The commands that change nothing but what is announced."""
    lines = []
    for version, name in FAMILIES.items():
        gone, come = (
            [network for network in of_version(left, version) if network not in right]
            for left, right in ((before, after), (after, before))
        )
        if gone or come:
            changes = [*(f'network {network}' for network in come), *(f'no network {network}' for network in gone)]
            lines += [f' address-family {name} unicast', *(f'  {change}' for change in changes), ' exit-address-family']
    return [f'router bgp {autonomous_system}', *lines, 'exit'] if lines else []

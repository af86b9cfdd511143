"""agent_file.py: agent.json, in which the chart says what the agents do."""
import json
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple, Union


class Invalid(Exception):
    """What a person has to correct, as a sentence."""


class Gateway(NamedTuple):
    name: str
    host: str  # its name in DNS
    overlay: str


class Overlay(NamedTuple):
    node_network: str
    gateway_network: str
    ipv6_network: str
    vni: int
    port: int
    mtu: int  # 0: what the node's leaves
    ipv6: bool


class Import(NamedTuple):
    cidr: str
    longest: int
    rejected: bool  # while no gateway knows the way


class Settings(NamedTuple):
    release: str
    link: str
    autonomous_system: int
    gateways: List[Gateway]
    overlay: Overlay
    pods: List[str]
    services: List[str]
    nodes: List[str]
    cni: str
    pod_interfaces: List[str]
    bfd_mode: str
    bfd_interval: int  # ms
    bfd_multiplier: int
    imports: List[Import]
    service: str  # the name in DNS of what is gone when the release is


Kind = Union[type, Tuple[type, ...]]


def member(parent: Any, key: str, kind: Kind, where: str = '') -> Any:
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise Invalid(f'agent.json: {where}{key} is missing or of another type; install the chart anew')
    return value


def texts(parent: Any, key: str, where: str = '') -> List[str]:
    """A list without the empty member that ends it."""
    found = [each for each in member(parent, key, list, where) if each not in ('', None)]
    if not all(isinstance(each, str) for each in found):
        raise Invalid(f'agent.json: {where}{key} is of another type; install the chart anew')
    return found


def one_of(parent: Any, key: str, names: Sequence[str]) -> str:
    value = member(parent, key, str)
    if value not in names:
        raise Invalid(f'agent.json: {key} is none of {", ".join(names)}, got {json.dumps(value)}; install the chart anew')
    return str(value)


def parse_settings(data: bytes) -> Settings:
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid('agent.json: it is not JSON; install the chart anew') from None
    overlay, cluster, bfd = (member(root, key, dict) for key in ('overlay', 'cluster', 'bfd'))
    return Settings(
        member(root, 'release', str),
        member(root, 'link', str),
        member(root, 'as', int),
        parse_gateways(member(root, 'gateways', dict)),
        Overlay(
            member(overlay, 'nodeNetwork', str, 'overlay.'),
            member(overlay, 'gatewayNetwork', str, 'overlay.'),
            member(overlay, 'ipv6Network', str, 'overlay.'),
            member(overlay, 'vni', int, 'overlay.'),
            member(overlay, 'port', int, 'overlay.'),
            member(overlay, 'mtuBytes', int, 'overlay.'),
            member(overlay, 'ipv6', bool, 'overlay.'),
        ),
        texts(cluster, 'pods', 'cluster.'),
        texts(cluster, 'services', 'cluster.'),
        texts(cluster, 'nodes', 'cluster.'),
        one_of(root, 'cni', ('auto', 'bridge', 'veth', 'calico', 'cilium')),
        texts(root, 'podInterfaces'),
        one_of(root, 'bfdMode', ('auto', 'on', 'off')),
        member(bfd, 'intervalMilliseconds', int, 'bfd.'),
        member(bfd, 'multiplier', int, 'bfd.'),
        [parse_import(each) for each in member(root, 'imports', list) if each not in ('', None)],
        member(root, 'service', str),
    )


def parse_gateways(values: Dict[str, Any]) -> List[Gateway]:
    return [
        Gateway(name, member(each, 'host', str, f'gateways.{name}.'), member(each, 'overlay', str, f'gateways.{name}.'))
        for name, each in values.items()
        if name != ''
    ]


def parse_import(values: Any) -> Import:
    when_down = member(values, 'whenDown', str, 'imports.')
    return Import(member(values, 'cidr', str, 'imports.'), member(values, 'maxLength', int, 'imports.'), when_down == 'reject')

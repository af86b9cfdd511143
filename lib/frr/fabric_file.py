"""fabric_file.py: fabric.json, in which the chart says what the FRR of a gateway does."""
import ipaddress
import json
from typing import Any, Dict, List, NamedTuple, Optional


class Invalid(Exception):
    """What a person has to correct, as a sentence."""


class Overlay(NamedTuple):
    address: str  # of this gateway
    node_network: str
    gateway_network: str
    ipv6_network: str
    vni: int
    port: int
    mtu: int  # 0: what the pod's leaves
    ipv6: bool


class Cluster(NamedTuple):
    pods: List[str]
    services: List[str]
    nodes: List[str]
    sources: List[str]  # of other addresses from which packets of nodes come


class Import(NamedTuple):
    cidr: str
    longest: int


class Session(NamedTuple):
    """The BGP session with the remote end of a tunnel."""

    peer: str
    password_file: str  # empty: it has none
    source: str  # what the file is for those who make it
    bfd: bool


class Tunnel(NamedTuple):
    name: str
    interface: str  # empty: policies lead packets into it
    local: str  # our address inside, without its length; empty: there is none
    remote: str
    networks: List[str]  # behind it, known from the values
    session: Optional[Session]


class Fabric(NamedTuple):
    gateway: str
    as_number: int
    overlay: Overlay
    cluster: Cluster
    imports: List[Import]
    exports: List[str]
    tunnels: Dict[str, Tunnel]
    told: bool  # whether another program says how the tunnels are


def member(parent: Any, key: str, kind: type, where: str = '') -> Any:
    value = parent.get(key) if isinstance(parent, dict) else None
    # True is a number too.
    if not isinstance(value, kind) or kind is int and isinstance(value, bool):
        raise Invalid(f'fabric.json: {where}{key} is missing or of another type; install the chart anew')
    return value


def texts(parent: Any, key: str, where: str = '') -> List[str]:
    """A list of texts, which an empty one ends."""
    values = [each for each in member(parent, key, list, where) if each not in ('', None)]
    if not all(isinstance(each, str) for each in values):
        raise Invalid(f'fabric.json: {where}{key} is of another type; install the chart anew')
    return values


def networks(parent: Any, key: str, where: str = '') -> List[str]:
    return [network(each, f'{where}{key}') for each in texts(parent, key, where)]


def network(value: str, where: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise Invalid(f'fabric.json: {where} has what is no network, got {json.dumps(value)}; install the chart anew') from None


def address(value: str, where: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise Invalid(f'fabric.json: {where} is no address, got {json.dumps(value)}; install the chart anew') from None


def parse_fabric(data: bytes) -> Fabric:
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid('fabric.json: it is not JSON; install the chart anew') from None
    overlay, cluster = member(root, 'overlay', dict), member(root, 'cluster', dict)
    imports = [
        Import(network(member(each, 'cidr', str, 'imports.'), 'imports.cidr'), member(each, 'maxLength', int, 'imports.'))
        for each in member(root, 'imports', list)
        if each is not None
    ]
    tunnels = member(root, 'tunnels', dict)
    return Fabric(
        member(root, 'gateway', str),
        member(root, 'as', int),
        Overlay(
            address(member(overlay, 'address', str, 'overlay.'), 'overlay.address'),
            network(member(overlay, 'nodeNetwork', str, 'overlay.'), 'overlay.nodeNetwork'),
            network(member(overlay, 'gatewayNetwork', str, 'overlay.'), 'overlay.gatewayNetwork'),
            network(member(overlay, 'ipv6Network', str, 'overlay.'), 'overlay.ipv6Network'),
            member(overlay, 'vni', int, 'overlay.'),
            member(overlay, 'port', int, 'overlay.'),
            member(overlay, 'mtuBytes', int, 'overlay.'),
            member(overlay, 'ipv6', bool, 'overlay.'),
        ),
        Cluster(*(networks(cluster, key, 'cluster.') for key in ('pods', 'services', 'nodes', 'sources'))),
        imports,
        networks(root, 'exports'),
        {name: parse_tunnel(name, values) for name, values in tunnels.items() if name != ''},
        member(root, 'told', bool),
    )


def parse_tunnel(name: str, values: Any) -> Tunnel:
    where = f'tunnels.{name}.'
    local = remote = ''
    if 'inside' in values:
        inside = member(values, 'inside', dict, where)
        local = address(member(inside, 'local', str, f'{where}inside.').partition('/')[0], f'{where}inside.local')
        remote = address(member(inside, 'remote', str, f'{where}inside.'), f'{where}inside.remote')
    session = None
    if 'bgp' in values:
        bgp, within = member(values, 'bgp', dict, where), f'{where}bgp.'
        session = Session(
            address(member(bgp, 'peer', str, within), f'{within}peer'),
            member(bgp, 'passwordFile', str, within) if 'passwordFile' in bgp else '',
            member(bgp, 'source', str, within) if 'source' in bgp else '',
            member(bgp, 'bfd', bool, within),
        )
    interface = member(values, 'interface', str, where)
    return Tunnel(name, interface, local, remote, networks(values, 'networks', where), session)

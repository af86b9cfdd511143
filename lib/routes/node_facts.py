"""node_facts.py: what an agent has to know of its node, and why it must not start there."""
import ipaddress
import json
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence

from addresses import is_inside, version_of
from agent_file import Overlay, Settings
from kernel import PROTOCOL
from pod_networks import is_within

VXLAN_BYTES = 50  # of headers, over IPv4
OF_ADDRESSES = ('local', 'broadcast', 'anycast', 'multicast', '2', '3', '4', '5')  # kinds of routes that come with an address
CNI_BYTES = 50  # what the network of the pods may add


class Node(NamedTuple):
    name: str
    ipv4: str
    ipv6: str  # empty: none inside the networks of the nodes
    mtu: int  # of the link that has the address


class Refusal(Exception):
    """Why the agent does not start, as a sentence."""


def node_of(name: str, address: str, settings: Settings, answer: Iterable[Any]) -> Node:
    """`address` is what Kubernetes has; where that is of IPv6 the first one of IPv4 inside the networks of the nodes counts."""
    links = list(answer)
    inside = [own for own in own_addresses(links) if is_inside(own, settings.nodes)]
    ipv4 = address
    if ':' in address:
        ipv4 = next((own for own in inside if ':' not in own), '')
        if not ipv4:
            raise Refusal(
                f'cluster.nodeCidrs: no IPv4 address of the node {name} is inside, got {json.dumps(settings.nodes)}; '
                'add the network of the IPv4 addresses of the nodes'
            )
    if not is_inside(ipv4, settings.nodes):
        raise Refusal(
            f'cluster.nodeCidrs: the address {ipv4} of the node {name} is outside, got {json.dumps(settings.nodes)}; add its network'
        )
    mtu = next((int(each['mtu']) for each in links if has_address(each, ipv4)), None)
    if mtu is None:
        raise Refusal(f'the node {name} has no link with the address {ipv4}; the agent has to be in the network of the host')
    ipv6 = address if ':' in address else next((own for own in inside if ':' in own), '')
    return Node(name, ipv4, ipv6, mtu)


def has_address(link: Any, address: str) -> bool:
    return any(info.get('local') == address for info in link.get('addr_info', []))


def own_addresses(answer: Iterable[Any]) -> List[str]:
    return [
        str(info['local'])
        for link in answer
        for info in link.get('addr_info', [])
        if info.get('scope') == 'global' and not info.get('deprecated') and 'local' in info
    ]


def mtu_of_overlay(node: Node, overlay: Overlay) -> int:
    return overlay.mtu or node.mtu - VXLAN_BYTES - CNI_BYTES


def overlap(name: str, settings: Settings, addresses: Iterable[Any], routes: Iterable[Any]) -> Optional[str]:
    """What the node has inside the networks of the overlay and is not ours, as a sentence."""
    overlay = settings.overlay
    networks = [('nodeNetwork', overlay.node_network), ('gatewayNetwork', overlay.gateway_network)]
    if overlay.ipv6:
        networks.append(('ipv6Network', overlay.ipv6_network))
    for value, network in networks:
        found = next(iter(foreign(network, settings.link, addresses, routes)), None)
        if found is not None:
            return (
                f'routes.overlay.{value}: the node {name} has {found} inside it, got {json.dumps(network)}; '
                'choose a network that is free on every node'
            )
    return None


def foreign(network: str, link: str, addresses: Iterable[Any], routes: Iterable[Any]) -> List[str]:
    found = [
        f'the address {info["local"]} of {each["ifname"]}'
        for each in addresses
        if each.get('ifname') != link
        for info in each.get('addr_info', [])
        if is_inside(str(info.get('local', '')), [network])
    ]
    for each in routes:
        destination = str(each.get('dst', 'default'))
        if destination == 'default' or str(each.get('type', 'unicast')) in OF_ADDRESSES:
            continue
        if str(each.get('protocol')) == PROTOCOL or link in devices_of(each) or version_of(destination) != version_of(network):
            continue
        if is_within(ipaddress.ip_network(destination, strict=False), [network]):
            found.append(f'a route to {destination}')
    return found


def devices_of(route: Any) -> Sequence[str]:
    return [str(hop.get('dev', '')) for hop in route.get('nexthops') or [route]]

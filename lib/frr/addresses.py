"""addresses.py: the addresses of gateways and nodes on the overlay between them, and what can be told from them."""
import functools
import ipaddress
import re
from typing import Iterable, List, Optional, Tuple, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

WITH_BFD, WITHOUT_BFD = '02:64', '02:65'  # how the MAC of an end begins


# Each is asked for again and again.
network_of = functools.lru_cache(maxsize=4096)(ipaddress.ip_network)


def node_overlay(node: str, node_network: str) -> str:
    """The overlay address of a node, from its IPv4 address: the last two bytes are its own."""
    low = int(ipaddress.IPv4Address(node)) & 0xFFFF
    return str(ipaddress.IPv4Address(int(ipaddress.IPv4Network(node_network).network_address) | low))


def mac_of(overlay: str, bfd: bool = True) -> str:
    """The MAC of an end, which carries its IPv4 overlay address."""
    parts = [WITH_BFD if bfd else WITHOUT_BFD, *(f'{octet:02x}' for octet in ipaddress.IPv4Address(overlay).packed)]
    return ':'.join(parts)


def overlay_of_mac(mac: str) -> Optional[Tuple[str, bool]]:
    """The overlay address in a MAC, and whether its end does BFD; None: it is not one of ours."""
    mac = mac.lower()
    if not re.fullmatch(r'[0-9a-f]{2}(:[0-9a-f]{2}){5}', mac) or mac[:5] not in (WITH_BFD, WITHOUT_BFD):
        return None
    return str(ipaddress.IPv4Address(bytes.fromhex(mac[6:].replace(':', '')))), mac[:5] == WITH_BFD


def ipv6_of(overlay: str, ipv6_network: str, is_gateway: bool) -> str:
    """The IPv6 overlay address of an end, from its IPv4 one: a gateway has a 1 before the last two bytes."""
    low = (0x10000 if is_gateway else 0) | int(ipaddress.IPv4Address(overlay)) & 0xFFFF
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Network(ipv6_network).network_address) | low))


def nodes_of(overlay: str, node_networks: Iterable[str]) -> List[str]:
    """The node addresses that an overlay address may belong to: one in each network that has those last two bytes."""
    low = int(ipaddress.IPv4Address(overlay)) & 0xFFFF
    found = []
    for each in node_networks:
        network = network_of(each)
        if network.version != 4:
            continue
        # Networks of more than 65,536 addresses are refused by the chart: there is one such address, or none.
        candidate = int(network.network_address) & ~0xFFFF | low
        if ipaddress.IPv4Address(candidate) in network:
            found.append(str(ipaddress.IPv4Address(candidate)))
    return found


def is_inside(address: str, networks: Iterable[str]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network_of(network) for network in networks)


def canonical(network: str) -> str:
    """A network as the kernel prints it; an address is one of full length."""
    return str(ipaddress.ip_network(network, strict=False))


def version_of(network: str) -> int:
    return ipaddress.ip_network(network, strict=False).version


def of_version(networks: Iterable[str], version: int) -> List[str]:
    return [canonical(network) for network in networks if version_of(network) == version]

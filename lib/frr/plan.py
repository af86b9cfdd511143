"""plan.py: which addresses, routes and rules a gateway is to have."""
from typing import Dict, Iterable, List, NamedTuple, Set, Tuple

from addresses import ipv6_of, mac_of, of_version
from fabric_file import Fabric, Tunnel
from kernel import ANYWHERE, LAST_METRIC, Link, Neighbour, Route, Rule
from learned import Node, Sighting

LINK = 'ovl0'
NODES, REMOTES = '100', '200'  # the tables of what is learned from nodes, and from remote ends
HEADER_BYTES = 50  # of VXLAN over IPv4


class Outside(NamedTuple):
    """How the pod reaches everything else."""

    device: str
    address: str  # of IPv4
    mtu: int
    gateways: Dict[int, str]  # the next hops of the default routes, by version; empty ones where there is none


def link_of(fabric: Fabric, outside: Outside) -> Link:
    overlay = fabric.overlay
    mtu = overlay.mtu or outside.mtu - HEADER_BYTES
    return Link(LINK, mac_of(overlay.address), overlay.vni, overlay.port, outside.address, True, mtu)


def versions(fabric: Fabric) -> Tuple[int, ...]:
    return (4, 6) if fabric.overlay.ipv6 else (4,)


def own_address(fabric: Fabric, version: int) -> str:
    overlay = fabric.overlay
    return overlay.address if version == 4 else ipv6_of(overlay.address, overlay.ipv6_network, True)


def overlay_networks(fabric: Fabric, version: int) -> List[str]:
    overlay = fabric.overlay
    return [overlay.node_network, overlay.gateway_network] if version == 4 else [overlay.ipv6_network]


def addresses_of(fabric: Fabric) -> List[str]:
    """Host addresses: nothing is on-link."""
    return [f'{own_address(fabric, version)}/{32 if version == 4 else 128}' for version in versions(fabric)]


def main_routes(fabric: Fabric, version: int) -> List[Route]:
    if version not in versions(fabric):
        return []
    # The metric that the kernel gives a route of IPv6 itself.
    return [Route(network, LINK, metric=0 if version == 4 else 1024) for network in overlay_networks(fabric, version)]


def table_routes(fabric: Fabric, table: str, version: int, up: Set[str], outside: Outside) -> List[Route]:
    """Those of tunnels that are up, and the end of the table."""
    if version not in versions(fabric):
        return []
    found: Dict[str, Route] = {}
    metric = 0 if version == 4 else 1024
    for tunnel in fabric.tunnels.values() if table == REMOTES else ():
        if tunnel.name in up:
            for network in of_version(tunnel.networks, version):
                if tunnel.interface:
                    found.setdefault(network, Route(network, tunnel.interface, metric=metric))
                else:
                    gateway = outside.gateways.get(version, '')
                    found.setdefault(network, Route(network, outside.device, gateway, metric=metric))
    return [*found.values(), Route(ANYWHERE[version], kind='unreachable', metric=LAST_METRIC)]


def rules(fabric: Fabric, version: int, outside: Outside) -> List[Rule]:
    if version not in versions(fabric):
        return []
    tunnels = list(fabric.tunnels.values())
    wanted = [Rule(100, NODES, interface=tunnel.interface) for tunnel in tunnels if tunnel.interface]
    for tunnel in tunnels:
        if not tunnel.interface:
            networks = of_version(tunnel.networks, version)
            wanted += [Rule(105, NODES, source=network, interface=outside.device) for network in networks]
    wanted.append(Rule(110, REMOTES, interface=LINK))
    for tunnel in tunnels:
        for local in of_version([tunnel.local] if tunnel.local else [], version):
            wanted += [Rule(120, 'main', local, peer) for peer in of_version(peers_of(tunnel), version)]
            wanted.append(Rule(121, REMOTES, local))
    own = of_version([own_address(fabric, version)], version)[0]
    wanted += [Rule(130, 'main', own, network) for network in overlay_networks(fabric, version)]
    wanted.append(Rule(131, NODES, own))
    return list(dict.fromkeys(wanted))


def peers_of(tunnel: Tunnel) -> List[str]:
    """With whom the gateway itself speaks through the tunnel."""
    peers = [tunnel.remote] if tunnel.remote else []
    return [*peers, *([tunnel.session.peer] if tunnel.session else [])]


def neighbours(fabric: Fabric, nodes: Dict[str, Node]) -> List[Neighbour]:
    found = []
    for overlay, node in sorted(nodes.items()):
        found.append(Neighbour(overlay, node.mac))
        if fabric.overlay.ipv6:
            found.append(Neighbour(ipv6_of(overlay, fabric.overlay.ipv6_network, False), node.mac))
    return found


def forgotten(sightings: Iterable[Sighting]) -> List[str]:
    return [f'fdb delete {mac} dst {outer} dev {LINK}' for mac, outer, _ in sightings]


def strays(routes: Iterable[Route]) -> List[str]:
    """Routes of BGP in the main table: there they would lead away the packets that carry all others."""
    found = sorted({route.destination for route in routes})
    such = ', '.join(found[:3]) + (' and others' if len(found) > 3 else '')
    return [f'the main table has routes of BGP ({such}); report this as a fault'] if found else []

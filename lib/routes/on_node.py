"""on_node.py: everything of ours on a node: the link, what leads over it, and what holds a network while no gateway knows the way."""
from typing import Any, Dict, Iterable, List

import kernel
from addresses import ipv6_of, mac_of, node_overlay, of_version, version_of
from agent_file import Settings
from kernel import Learned, Link, Neighbour, Route
from node_facts import Node, mtu_of_overlay
from wakeups import BGP

REJECT_METRIC = 250 << 24  # zebra takes the first byte for a distance
IPV6_METRIC = 1024  # what the kernel gives routes of IPv6 that have none


def link_of(settings: Settings, node: Node, bfd: bool) -> Link:
    overlay = settings.overlay
    mac = mac_of(node_overlay(node.ipv4, overlay.node_network), bfd)
    # The gateways' packets may come from other addresses than those to which ours go: nothing is learned from them.
    return Link(settings.link, mac, overlay.vni, overlay.port, node.ipv4, False, mtu_of_overlay(node, overlay))


def addresses_of(settings: Settings, node: Node) -> List[str]:
    own = node_overlay(node.ipv4, settings.overlay.node_network)
    ipv6 = [f'{ipv6_of(own, settings.overlay.ipv6_network, False)}/128'] if settings.overlay.ipv6 else []
    return [f'{own}/32', *ipv6]


def rejects_of(settings: Settings, version: int) -> List[Route]:
    """They are there before FRR starts, and when it has ended."""
    networks = of_version((each.cidr for each in settings.imports if each.rejected), version)
    return [Route(network, kind='unreachable', metric=REJECT_METRIC) for network in dict.fromkeys(networks)]


def gateways_of(settings: Settings, node: Node, version: int) -> List[Route]:
    """Nothing of the overlay but the gateways is to be reached."""
    overlay = settings.overlay
    own = node_overlay(node.ipv4, overlay.node_network)
    if version == 4:
        return [Route(f'{each.overlay}/32', settings.link, source=own) for each in settings.gateways]
    if not overlay.ipv6:
        return []
    source = ipv6_of(own, overlay.ipv6_network, False)
    return [
        Route(f'{ipv6_of(each.overlay, overlay.ipv6_network, True)}/128', settings.link, source=source, metric=IPV6_METRIC)
        for each in settings.gateways
    ]


def neighbours_of(settings: Settings) -> List[Neighbour]:
    overlay = settings.overlay
    found = []
    for each in settings.gateways:
        found.append(Neighbour(each.overlay, mac_of(each.overlay)))
        if overlay.ipv6:
            found.append(Neighbour(ipv6_of(each.overlay, overlay.ipv6_network, True), mac_of(each.overlay)))
    return found


def fdb_of(settings: Settings, outers: Dict[str, str]) -> List[Learned]:
    """To which pod the frames for a gateway go."""
    return [Learned(mac_of(each.overlay), outers[each.name], True) for each in settings.gateways if outers.get(each.name)]


def outers_there(settings: Settings, entries: Iterable[Learned]) -> Dict[str, str]:
    """The pods that were in use before this agent started."""
    by_mac = {entry.mac: entry.outer for entry in entries}
    return {each.name: by_mac[mac_of(each.overlay)] for each in settings.gateways if mac_of(each.overlay) in by_mac}


def is_ours(route: Route, link: str) -> bool:
    return route.device == link or (route.kind == 'unreachable' and route.metric == REJECT_METRIC)


def our_routes(link: str, version: int) -> List[Route]:
    """Without those of zebra, which have another protocol."""
    answer = kernel.routes(version, 'main', 'proto', kernel.PROTOCOL)
    return [route for route in kernel.parse_routes(answer) if is_ours(route, link)]


def reject(settings: Settings) -> List[str]:
    """Only the routes that hold a network: whatever else fails, nothing goes out in clear."""
    problems = []
    for version in (4, 6):
        there = our_routes(settings.link, version)
        wanted = rejects_of(settings, version)
        # What leads to the gateways stays, as do networks that are no longer held, until all is as it should be.
        problems += kernel.apply(kernel.route_changes([*there, *wanted], there), version)
    return problems


def ensure(settings: Settings, node: Node, bfd: bool, outers: Dict[str, str], links: Iterable[Any]) -> List[str]:
    """Makes the differences; what could not be done is told. `links` is what `ip -d address` prints."""
    name = settings.link
    changes = kernel.link_changes(link_of(settings, node, bfd), list(links))
    problems = kernel.apply(changes)
    if problems:
        return problems
    # A new link has no addresses.
    problems += kernel.apply(kernel.address_changes(name, addresses_of(settings, node), kernel.addresses(name)))
    for version in (4, 6):
        wanted = [*rejects_of(settings, version), *gateways_of(settings, node, version)]
        problems += kernel.apply(kernel.route_changes(wanted, our_routes(name, version)), version)
    neighbours = kernel.parse_neighbours(kernel.neighbours(name))
    problems += kernel.apply(kernel.neighbour_changes(name, neighbours_of(settings), neighbours))
    return problems + lead(settings, outers)


def lead(settings: Settings, outers: Dict[str, str]) -> List[str]:
    """Frames for the gateways to the pods that they are in."""
    there = kernel.parse_fdb(kernel.fdb(settings.link))
    return kernel.apply(kernel.fdb_changes(settings.link, fdb_of(settings, outers), there), program='bridge')


def remove(link: str) -> List[str]:
    """All but the sysctls and the packet filter."""
    problems = []
    for version in (4, 6):
        problems += kernel.apply(kernel.route_changes([], our_routes(link, version)), version)
    return problems + unlink(link)


def forget_imports(settings: Settings) -> List[str]:
    """Routes of zebra that are still there without the link: another zebra of the node has given them a next hop of its own."""
    problems = []
    for each in settings.imports:
        version = version_of(each.cidr)
        left = kernel.routes(version, 'main', 'root', each.cidr, 'proto', str(BGP))
        problems += kernel.apply([f'route delete {route["dst"]} proto {BGP}' for route in left], version)
    return problems


def unlink(link: str) -> List[str]:
    """With the link go its addresses, neighbours, and zebra's routes over it; what holds a network stays."""
    return kernel.apply([f'link delete dev {link}']) if kernel.links(link) else []

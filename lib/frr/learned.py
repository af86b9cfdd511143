"""learned.py: which nodes there are, from the entries that the overlay's link learns of their frames.

A node is known by the overlay address in its MAC; where its frames come from may be another address of it, as its network makes it.
"""
from typing import Any, Dict, Iterable, List, NamedTuple

from addresses import is_inside, nodes_of, overlay_of_mac
from fabric_file import Fabric

GONE_SECONDS = 3600.0  # how long a node may be silent until it counts as gone


class Sighting(NamedTuple):
    mac: str
    outer: str  # where its frames come from
    age: int  # seconds since the entry was made or its outer address changed


class Node(NamedTuple):
    mac: str
    bfd: bool
    seen: float


class Learning(NamedTuple):
    nodes: Dict[str, Node]  # by overlay address
    strangers: Dict[str, str]  # why, by MAC and outer address
    stale: List[Sighting]  # entries that are not to stay


def sightings_of(answer: Iterable[Any]) -> List[Sighting]:
    """What `bridge -j -s fdb show` tells of frames that came in; what somebody has entered is none."""
    return [
        Sighting(str(each['mac']).lower(), str(each['dst']), int(each.get('updated', 0)))
        for each in answer
        if 'mac' in each and 'dst' in each and each.get('state') != 'permanent'
    ]


def why_not(sighting: Sighting, fabric: Fabric) -> str:
    """Why that is no node; empty: it is one."""
    found = overlay_of_mac(sighting.mac)
    if found is None:
        return 'its MAC is not that of a node'
    if not is_inside(found[0], [fabric.overlay.node_network]) or not nodes_of(found[0], fabric.cluster.nodes):
        return f'its overlay address {found[0]} belongs to no address of cluster.nodeCidrs'
    if not is_inside(sighting.outer, [*fabric.cluster.nodes, *fabric.cluster.sources]):
        return 'its address is neither in cluster.nodeCidrs nor in cluster.nodeSources'
    return ''


def learn(known: Dict[str, Node], sightings: Iterable[Sighting], fabric: Fabric, now: float) -> Learning:
    nodes = {overlay: node for overlay, node in known.items() if now - node.seen < GONE_SECONDS}
    latest: Dict[str, Sighting] = {}
    strangers: Dict[str, str] = {}
    stale: List[Sighting] = []
    for sighting in sightings:
        why = why_not(sighting, fabric)
        if why:
            strangers[f'{sighting.mac} from {sighting.outer}'] = why
            # It may have the MAC of a node, whose packets it would get.
            stale.append(sighting)
            continue
        overlay, _ = overlay_of_mac(sighting.mac) or ('', False)
        other = latest.get(overlay)
        if other is None:
            latest[overlay] = sighting
            continue
        # A node that has changed its MAC: the older entry would stay for five minutes.
        was = known[overlay].mac if overlay in known else ''
        newest, oldest = sorted((sighting, other), key=lambda each: (each.age, each.mac == was))
        latest[overlay] = newest
        stale.append(oldest)
    for overlay, sighting in latest.items():
        _, bfd = overlay_of_mac(sighting.mac) or ('', False)
        nodes[overlay] = Node(sighting.mac, bfd, now)
    return Learning(nodes, strangers, stale)

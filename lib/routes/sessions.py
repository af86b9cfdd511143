"""sessions.py: how the sessions with the gateways are, and how many routes came of them, as FRR tells."""
from typing import Any, Dict, NamedTuple

from vty import Vty, VtyError, peers_of


class Session(NamedTuple):
    state: str
    prefixes: int
    seconds: int  # since it is so


class Routes(NamedTuple):
    """Of both families."""

    told: int  # by bgpd to zebra
    installed: int


def sessions_of(answer: Any) -> Dict[str, Session]:
    """`show bgp summary json`: by the address of the neighbour, prefixes of both families together."""
    found: Dict[str, Session] = {}
    for address, peer in peers_of(answer):
        before = found[address].prefixes if address in found else 0
        seconds = int(peer.get('peerUptimeMsec', 0)) // 1000
        found[address] = Session(str(peer.get('state', '?')), before + int(peer.get('pfxRcd', 0)), seconds)
    return found


def routes_of(answer: Any) -> Routes:
    """`show ip route summary json`"""
    rows = [row for row in answer.get('routes', []) if row.get('type') == 'ibgp'] if isinstance(answer, dict) else []
    return Routes(sum(int(row.get('rib', 0)) for row in rows), sum(int(row.get('fib', 0)) for row in rows))


def ask_sessions(vty: Vty) -> Dict[str, Session]:
    try:
        return sessions_of(vty.ask_json('bgpd', 'show bgp summary json'))
    except VtyError:
        return {}


def ask_routes(vty: Vty) -> Routes:
    try:
        families = [routes_of(vty.ask_json('zebra', f'show {words} route summary json')) for words in ('ip', 'ipv6')]
    except VtyError:
        return Routes(0, 0)
    return Routes(sum(each.told for each in families), sum(each.installed for each in families))

"""peers.py: what FRR tells of its sessions and routes, as what is told of them."""
import re
from typing import Any, Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Optional

from daemons import AWAY_SECONDS
from fabric_file import Session
from vty import peers_of

LOST_SECONDS = 5.0  # within which nodes that lost their sessions have lost them together
SETTLING_SECONDS = 10.0  # how long to wait for nodes that may be gone


class Remote(NamedTuple):
    """The session with the remote end of a tunnel."""

    state: str
    prefixes: int
    limit: int  # 0: there is none
    since: int  # seconds
    bfd: str  # up, down or none


def states_of(summary: Any) -> Dict[str, str]:
    """The state of every peer, from `show bgp summary json`; one that takes part in two families has the same in both."""
    return {peer: str(values.get('state', '')) for peer, values in peers_of(summary)}


def losses_of(summary: Any) -> Dict[str, int]:
    """How often every peer has lost its session, from the same."""
    return {peer: int(values.get('connectionsDropped', 0)) for peer, values in peers_of(summary)}


def senders_of(summary: Any) -> FrozenSet[str]:
    """Peers of which there are routes: a session is established before they come."""
    return frozenset(peer for peer, values in peers_of(summary) if values.get('pfxRcd', 0))


def remote_of(session: Session, answer: Any) -> Remote:
    """From `show bgp neighbors PEER json`."""
    values = answer.get(session.peer) if isinstance(answer, dict) else None
    if not isinstance(values, dict):
        return Remote('Unknown', 0, 0, 0, 'none')
    families = [each for each in values.get('addressFamilyInfo', {}).values() if isinstance(each, dict)]
    bfd = 'none'
    if session.bfd:
        bfd = 'up' if str(values.get('peerBfdInfo', {}).get('status', '')).lower() == 'up' else 'down'
    established = values.get('bgpState') == 'Established'
    return Remote(
        str(values.get('bgpState', 'Unknown')),
        sum(int(each.get('acceptedPrefixCounter', 0)) for each in families) if established else 0,
        max([int(each.get('prefixAllowedMax', 0)) for each in families] or [0]),
        int(values.get('bgpTimerUpMsec', 0)) // 1000 if established else 0,
        bfd,
    )


class Losses:
    """Which sessions have gone for a moment or for longer. The count of bgpd shows also those that are back before anybody looks."""

    def __init__(self) -> None:
        self.counts: Dict[str, int] = {}
        self.at: Dict[str, float] = {}

    def see(self, counts: Dict[str, int], now: float) -> None:
        lost = [peer for peer, count in counts.items() if count > self.counts.get(peer, count)]
        self.counts = counts
        self.at = {peer: at for peer, at in self.at.items() if peer in counts and now - at < LOST_SECONDS}
        self.at.update(dict.fromkeys(lost, now))

    def forget(self) -> None:
        self.at = {}


def given_up(nodes: Iterable[str], own: str, lost: Collection[str], states: Dict[str, str]) -> List[str]:
    """Nodes whose sessions have gone lately, if they are those of all nodes but the gateway's own."""
    others = [node for node in nodes if node != own]
    gone = [node for node in others if node in lost]
    return gone if set(established(others, states)) <= set(gone) else []


def heard_nothing(peer: str, answer: Any) -> bool:
    """Whether the other side has ended the session since it heard nothing of us, from `show bgp neighbors PEER json`."""
    values = answer.get(peer) if isinstance(answer, dict) else None
    if not isinstance(values, dict) or 'received' not in str(values.get('lastResetDueTo', '')):
        return False
    return re.search('BFD Down|Hold Timer', str(values.get('lastNotificationReason', ''))) is not None


def bgp_routes(summary: Any) -> int:
    """How many routes of BGP a table has, from `show ip route summary table N json`."""
    routes = summary.get('routes', []) if isinstance(summary, dict) else []
    return sum(int(each.get('fib', 0)) for each in routes if str(each.get('type')) in ('bgp', 'ebgp', 'ibgp'))


def established(nodes: Iterable[str], states: Dict[str, str]) -> List[str]:
    return [node for node in nodes if states.get(node) == 'Established']


class Presence:
    """Since when the sessions of nodes are established, and of whom not any more for a moment."""

    def __init__(self) -> None:
        self.since: Dict[str, float] = {}
        self.last: Dict[str, float] = {}

    def see(self, nodes: Iterable[str], states: Dict[str, str], now: float) -> None:
        there = established(nodes, states)
        self.since = {node: self.since.get(node, now) for node in there}
        self.last = {node: last for node, last in self.last.items() if node in nodes and now - last < AWAY_SECONDS}
        self.last.update(dict.fromkeys(there, now))

    def away(self) -> List[str]:
        """Their kernels go on with what they were told last."""
        return sorted(self.last.keys() - self.since.keys())

    def untold(self, at: float, seconds: float, now: float) -> List[str]:
        """Who has not had so many seconds to follow what was said to all at that time."""
        late = [node for node, since in self.since.items() if now - max(since, at) < seconds]
        return sorted([*late, *(node for node in self.away() if self.last[node] - at < seconds)])


def counts(nodes: Dict[str, bool], states: Dict[str, str], presence: Presence) -> Dict[str, int]:
    return {
        'known': len(nodes),
        'established': len(established(nodes, states)),
        'away': len(presence.away()),
        'withoutBfd': sum(not bfd for bfd in nodes.values()),
    }


def missing(nodes: Iterable[str], states: Dict[str, str]) -> List[str]:
    """Nodes that bgpd does not know, although it was told."""
    return [node for node in nodes if node not in states]


def is_settled(nodes: Collection[str], senders: FrozenSet[str], seconds: float, expected: Optional[int]) -> bool:
    """Whether so long after there was none all nodes are there: else packets for some would come that the gateway cannot lead.

    Others lead to so many, of which some may be away; None: that is not known yet.
    """
    there = sum(node in senders for node in nodes)
    if expected is None or there < expected:
        return seconds >= AWAY_SECONDS
    return seconds >= SETTLING_SECONDS or there == len(nodes)

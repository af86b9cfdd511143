"""tunnels_file.py: what control.py says of the tunnels, and how far the leave is that it asks for."""
import ipaddress
from typing import Any, FrozenSet, NamedTuple, Optional

from frr_conf import Phase
from peers import Presence

SHUTTING_SECONDS = 3.0  # how long all may take to choose other paths
WITHDRAWN_SECONDS = 3.0  # and how long packets are on their way
STALE_SECONDS = 30.0


class Told(NamedTuple):
    up: FrozenSet[str]  # the tunnels whose children are all installed
    remotes: FrozenSet[str]  # outer addresses of their other ends
    draining: bool
    nodes: Optional[int] = None  # to how many another gateway leads; None: that is being asked


NOTHING = Told(frozenset(), frozenset(), False)


def parse_told(root: Any) -> Optional[Told]:
    """None: that is no such file, and what it said before counts."""
    tunnels = root.get('tunnels') if isinstance(root, dict) else None
    if not isinstance(tunnels, dict) or not all(isinstance(each, dict) for each in tunnels.values()):
        return None
    up = {name for name, values in tunnels.items() if values.get('installed') is True}
    remotes = {str(values.get('remote') or '') for values in tunnels.values()}
    nodes = root.get('nodes')
    others = nodes if isinstance(nodes, int) and not isinstance(nodes, bool) else None
    return Told(frozenset(up), frozenset(filter(is_address, remotes)), root.get('draining') is True, others)


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


def phase_of(since: Optional[float], presence: Presence, now: float) -> Phase:
    """How far the leave is that is asked for since then; None: nobody asks for it."""
    if since is None:
        return Phase.SERVING
    withdrawn = since + SHUTTING_SECONDS
    if now < withdrawn:
        return Phase.SHUTTING
    if now < withdrawn + WITHDRAWN_SECONDS or presence.untold(withdrawn, WITHDRAWN_SECONDS, now):
        return Phase.WITHDRAWN
    return Phase.DRAINED

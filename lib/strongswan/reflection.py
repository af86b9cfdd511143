"""reflection.py: what the reflector of routes is told of the tunnels, and what it tells of nodes and BGP sessions."""
import json
import os
import time
from typing import Any, Dict, List, NamedTuple, Optional

from files import read, write_atomically
from log import printable
from waits import STALE_SECONDS, TOUCH_SECONDS

# How many nodes there are of a kind: the name in its file, and in the metrics.
NODES = {'known': 'known', 'established': 'established', 'away': 'away', 'withoutBfd': 'without_bfd'}
COUNTS = ('restarts', 'strangers', 'nodeRoutes', 'remoteRoutes')


class Session(NamedTuple):
    """The BGP session of a tunnel."""

    state: str
    prefixes: int
    limit: int
    since: float  # seconds
    bfd: str  # up, down or none

    def up(self) -> bool:
        return self.state == 'Established'


def number(parent: Any, key: str) -> float:
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else 0


def word(parent: Any, key: str) -> str:
    value = parent.get(key) if isinstance(parent, dict) else None
    return printable(value) if isinstance(value, str) else ''


class Reflection:
    def __init__(self, state: str) -> None:
        self.folder = os.path.join(state, 'fabric')
        self.written = b''
        self.problem = ''  # why nothing is known of it; empty: all is
        self.problems: List[str] = []
        self.sessions: Dict[str, Session] = {}
        self.nodes: Dict[str, int] = dict.fromkeys(NODES, 0)
        self.counts: Dict[str, int] = {}
        self.settled = False  # whether it leads to all nodes
        self.drained = False

    def tell(self, tunnels: Dict[str, Any], draining: bool, nodes: Optional[int]) -> None:
        """Say how the tunnels are, and now and then that they are so still."""
        file = os.path.join(self.folder, 'tunnels.json')
        data = json.dumps({'tunnels': tunnels, 'draining': draining, 'nodes': nodes}).encode() + b'\n'
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        try:
            age = time.time() - os.stat(file).st_mtime
        except OSError:
            self.written, age = b'', 0.0
        if data != self.written:
            write_atomically(file, data, os.path.join(self.folder, '.tunnels.new'))
            self.written = data
        elif not 0 <= age < TOUCH_SECONDS:
            os.utime(file)

    def look(self) -> None:
        file = os.path.join(self.folder, 'status.json')
        self.problem = self.read(file)
        if self.problem:
            self.problems, self.sessions, self.nodes, self.counts = [], {}, dict.fromkeys(NODES, 0), {}
            self.settled = self.drained = False

    def read(self, file: str) -> str:
        try:
            age = time.time() - os.stat(file).st_mtime
            status = json.loads(read(file) or b'')
        except OSError:
            return 'it has not been reported yet'
        except (ValueError, RecursionError):
            return 'what is reported is not JSON'
        if abs(age) > STALE_SECONDS:
            return 'stale'
        if not isinstance(status, dict):
            return 'what is reported is of another type'
        problems, sessions, nodes = status.get('problems'), status.get('bgp'), status.get('nodes')
        self.problems = [printable(each) for each in problems if isinstance(each, str)] if isinstance(problems, list) else []
        self.sessions = {
            name: Session(
                word(each, 'state') or 'unknown',
                int(number(each, 'prefixes')),
                int(number(each, 'limit')),
                number(each, 'since'),
                word(each, 'bfd') or 'none',
            )
            for name, each in (sessions.items() if isinstance(sessions, dict) else ())
        }
        self.nodes = {name: int(number(nodes, name)) for name in NODES}
        self.counts = {name: int(number(status.get('metrics'), name)) for name in COUNTS}
        self.settled = status.get('settled') is True
        self.drained = status.get('drained') is True
        return ''

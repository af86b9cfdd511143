"""sas.py: what charon lists: IKE_SAs with their CHILD_SAs."""
from typing import NamedTuple

import vici

# The states of a CHILD_SA that carries packets: also while the next one is being made.
UP = {'INSTALLED', 'UPDATING', 'REKEYING', 'REKEYED'}
COMING = {'CREATED', 'INSTALLING', 'RETRYING'}
ENDING = {'DELETING', 'DESTROYING'}
COUNTERS = {
    'bytes-in': 'receive_bytes',
    'bytes-out': 'transmit_bytes',
    'packets-in': 'receive_packets',
    'packets-out': 'transmit_packets',
}


def number(message: vici.Message, key: str) -> int:
    try:
        return int(vici.text(message, key))
    except ValueError:
        return 0


class ChildSa(NamedTuple):
    uid: str
    name: str
    state: str
    installed: float  # on our clock


class IkeSa:
    def __init__(self, tunnel: str, message: vici.Message, now: float) -> None:
        self.tunnel = tunnel
        self.uid = vici.text(message, 'uniqueid')
        self.state = vici.text(message, 'state')
        self.remote = vici.text(message, 'remote-host')
        self.established = now - number(message, 'established') if vici.text(message, 'established') else None
        self.creates = 'CHILD_CREATE' in vici.items(message, 'tasks-active') + vici.items(message, 'tasks-queued')
        self.misses = 0
        self.children = [
            ChildSa(
                vici.text(child, 'uniqueid'),
                vici.text(child, 'name') or key,
                vici.text(child, 'state'),
                now - number(child, 'install-time'),
            )
            for key, child in vici.sections(vici.section(message, 'child-sas'))
        ]

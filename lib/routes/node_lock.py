"""node_lock.py: one agent on a node, whatever release it is of; the lock goes with whoever has it."""
import socket
from typing import Optional

NAME = '\0cdk8s-vpn-route-agent'  # of the network namespace, which is that of the node


def take_lock() -> Optional[socket.socket]:
    """None: another one has it."""
    taken = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        taken.bind(NAME)
    except OSError:
        taken.close()
        return None
    return taken

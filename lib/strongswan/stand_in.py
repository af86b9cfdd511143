"""stand_in.py: while charon is away, has the port in its stead at which the kernel takes ESP out of UDP (RFC 3948).

Behind a NAT the kernel does so for charon's own socket, which is gone with it, although the SAs are still there. So packets of the remote
ends would be lost until these have been told to use another way.
"""
import os
import socket
import threading
import time
from typing import List, NoReturn

from files import remove
from log import log

LOOK_SECONDS = 0.05
# linux/udp.h
UDP_ENCAP, ESP_IN_UDP = 100, 2
PORT = int(os.environ.get('TEST_NAT_T_PORT', '4500'))


def take(family: socket.AddressFamily) -> socket.socket:
    held = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        held.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, ESP_IN_UDP)
        held.bind(('', PORT))
    except OSError:
        held.close()
        raise
    return held


def take_all() -> List[socket.socket]:
    """Of both families, if the machine has them."""
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            found.append(take(family))
        except OSError as error:
            if family == socket.AF_INET:
                log(f'the UDP port {PORT} cannot be had while charon is away: {error.strerror or error}')
    return found


def stand_in(path: str) -> NoReturn:
    """A connection to charon shows at once when it ends. While charon.sh starts another one, the port is for that."""
    starts = os.path.join(os.path.dirname(path), 'charon-starts')
    held: List[socket.socket] = []
    was_there = False
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as charon:
            try:
                charon.connect(path)
                was_there = True
                remove(starts)
                charon.recv(1)  # it says nothing unasked
            except ConnectionResetError:
                pass
            except OSError:
                if was_there:
                    was_there = False
                    held = [] if os.path.exists(starts) else take_all()
        # Looked at once more after the port was taken, since charon.sh looks at the port after it has written this.
        if os.path.exists(starts):
            while held:
                held.pop().close()
        time.sleep(LOOK_SECONDS)


def start(path: str) -> None:
    threading.Thread(target=stand_in, args=(path,), daemon=True).start()

"""wakeups.py: hears from the kernel that links, addresses or routes have changed, so that nobody has to look all the time."""
import socket
import struct
from typing import Iterator, Tuple

LINK, IPV4_ADDRESS, IPV4_ROUTE, IPV6_ADDRESS, IPV6_ROUTE = 0x1, 0x10, 0x40, 0x100, 0x400
ROUTES = (24, 25)  # RTM_NEWROUTE, RTM_DELROUTE
BGP = 186  # the protocol number of zebra's routes
HEADER = struct.Struct('=IHHII')


def messages(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """The kinds and bodies of the messages in a datagram."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind = HEADER.unpack_from(data, at)[:2]
        if length < HEADER.size:
            return
        yield kind, data[at + HEADER.size : at + length]
        at += (length + 3) & ~3


def matters(data: bytes) -> bool:
    """Whether anything but routes of BGP has changed."""
    return any(kind not in ROUTES or len(body) < 6 or body[5] != BGP for kind, body in messages(data))


class Wakeups:
    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self.socket.bind((0, LINK | IPV4_ADDRESS | IPV4_ROUTE | IPV6_ADDRESS | IPV6_ROUTE))
        self.socket.setblocking(False)

    def heard(self) -> bool:
        """Whether something has changed since the last question."""
        found = False
        while True:
            try:
                found = matters(self.socket.recv(1 << 20)) or found
            except BlockingIOError:
                return found
            except OSError:  # there was too much to hear all
                found = True

"""probe.py: a packet every 10 ms one way from each of some ports, and which of them come.

  probe.py receive FILE ADDRESS PORT...
  probe.py send FILE ADDRESS TARGET PORT...

A packet goes to the port that it comes from. Both go on until SIGTERM and write FILE then, in JSON: `send` how many packets it
has sent from each port, for how many seconds, and how late it was at most, `receive`, by port, the link by which they came and the runs of
consecutive packets: numbers and times of sending, in seconds since the sender began, of the first and the last one. A packet that comes after one
that was sent a second later has not come: what waits in a machine that stands still does so.
"""
import json
import os
import signal
import socket
import struct
import sys
import time
from typing import Any, Dict, List, Optional, Tuple

INTERVAL_SECONDS = 0.01
PACKET = struct.Struct('!Qd')  # number, time of sending
DRAINED_EVERY_SECONDS = 0.1
LATE_SECONDS = 1.0
ROOM_BYTES = 8 * 2**20
# ip(7) and socket(7), which the module socket does not name
IP_PKTINFO = 8
SO_RCVBUFFORCE = 33


class Asked:
    """Whether somebody has asked us to end."""

    to_end = False


class Flow:
    """The packets of one sender."""

    def __init__(self) -> None:
        self.link = ''
        self.times: Dict[int, float] = {}
        self.latest = 0.0

    def take(self, number: int, sent: float) -> None:
        if sent > self.latest - LATE_SECONDS:
            self.times[number] = sent
        self.latest = max(self.latest, sent)

    def runs(self) -> List[Tuple[int, int, float, float]]:
        runs: List[Tuple[int, int, float, float]] = []
        for number in sorted(self.times):
            if runs and runs[-1][1] == number - 1:
                first, _, begun, _ = runs.pop()
                runs.append((first, number, begun, self.times[number]))
            else:
                runs.append((number, number, self.times[number], self.times[number]))
        return runs


def bound(address: str, port: int) -> socket.socket:
    plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plug.bind((address, port))
    return plug


def receive(file: str, address: str, ports: List[int]) -> None:
    flows = {port: Flow() for port in ports}
    plugs = [(bound(address, port), flow) for port, flow in flows.items()]
    for plug, _ in plugs:
        plug.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        make_room(plug)
        plug.setblocking(False)
    ready(file)
    ending = False
    while not ending:
        # Not for each packet: where processors are emulated, to wake up costs more than all the rest.
        time.sleep(DRAINED_EVERY_SECONDS)
        ending = Asked.to_end
        for plug, flow in plugs:
            drain(plug, flow)
    write(file, {f'{port}': {'link': flow.link, 'runs': flow.runs()} for port, flow in flows.items()})


def make_room(plug: socket.socket) -> None:
    """For what comes while we have no processor: such packets have come."""
    for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            plug.setsockopt(socket.SOL_SOCKET, option, ROOM_BYTES)
            return
        except PermissionError:
            pass


def drain(plug: socket.socket, flow: Flow) -> None:
    extras: List[Tuple[int, int, bytes]] = []
    try:
        while True:
            data, extras, _, _ = plug.recvmsg(PACKET.size, 128)
            number, sent = PACKET.unpack(data)
            flow.take(number, sent)
    except BlockingIOError:
        flow.link = link_of(extras) or flow.link


def link_of(extras: List[Tuple[int, int, bytes]]) -> Optional[str]:
    for level, kind, data in extras:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            return socket.if_indextoname(struct.unpack_from('=i', data)[0])
    return None


def send(file: str, address: str, target: str, ports: List[int]) -> None:
    plugs = [(bound(address, port), (target, port)) for port in ports]
    number = 0
    latest = due = now = 0.0
    start = time.monotonic()
    ready(file)
    while not Asked.to_end:
        now = time.monotonic() - start
        if now < due:
            time.sleep(due - now)
            continue
        latest = max(latest, now - due)
        # What is late is not made up for: a burst would lose what nothing else has.
        due = max(due, now - INTERVAL_SECONDS) + INTERVAL_SECONDS
        packet = PACKET.pack(number, now)
        number += 1
        for plug, to in plugs:
            try:
                plug.sendto(packet, to)
            except OSError:
                # There is no route: it is lost like others.
                pass
    write(file, {'sent': number, 'seconds': now, 'late': round(latest, 3)})


def ready(file: str) -> None:
    """Tells that it has begun, and whom to end."""
    write(f'{file}.pid', os.getpid())


def write(file: str, value: Any) -> None:
    with open(f'{file}.new', 'w', encoding='utf-8') as out:
        json.dump(value, out)
    os.replace(f'{file}.new', file)


def end(*_: Any) -> None:
    Asked.to_end = True


def main(arguments: List[str]) -> None:
    signal.signal(signal.SIGTERM, end)
    what, file, address, *rest = arguments
    if what == 'receive':
        receive(file, address, [int(port) for port in rest])
    else:
        target, *ports = rest
        send(file, address, target, [int(port) for port in ports])


main(sys.argv[1:])

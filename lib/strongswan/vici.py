"""vici.py: a client of charon's control socket, which speaks strongSwan's vici protocol."""
import socket
import struct
import time
from typing import Dict, List, NamedTuple, Optional, Set, Tuple, Union

# Values are text, lists of text, or sections.
Message = Dict[str, Union[str, List[str], 'Message']]  # type: ignore[misc]


class Event(NamedTuple):
    name: str
    message: Message


COMMAND, RESPONSE, COMMAND_UNKNOWN, REGISTER, UNREGISTER, CONFIRM, EVENT_UNKNOWN, EVENT = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)
LONGEST = 512 * 1024  # charon's own limit of one packet


class Error(Exception):
    """Charon is away, does not answer in time, or answers what is not vici."""


def section(message: Message, key: str) -> Message:
    """The section of that name; empty if there is none."""
    found = message.get(key)
    return found if isinstance(found, dict) else {}


def text(message: Message, key: str) -> str:
    """The value of that name; empty if there is none."""
    found = message.get(key)
    return found if isinstance(found, str) else ''


def items(message: Message, key: str) -> List[str]:
    """The list of that name; empty if there is none."""
    found = message.get(key)
    return found if isinstance(found, list) else []


def sections(message: Message) -> List[Tuple[str, Message]]:
    return [(name, value) for name, value in message.items() if isinstance(value, dict)]


def _name(name: str) -> bytes:
    data = name.encode()
    if len(data) > 255:
        raise Error('a name is longer than 255 bytes')
    return bytes([len(data)]) + data


def _value(value: str) -> bytes:
    data = value.encode()
    if len(data) > 65535:
        raise Error('a value is longer than 65535 bytes')
    return struct.pack('!H', len(data)) + data


def encode(message: Message) -> bytes:
    data = b''
    for name, value in message.items():
        if isinstance(value, dict):
            data += bytes([SECTION_START]) + _name(name) + encode(value) + bytes([SECTION_END])
        elif isinstance(value, list):
            data += bytes([LIST_START]) + _name(name)
            data += b''.join(bytes([LIST_ITEM]) + _value(item) for item in value) + bytes([LIST_END])
        else:
            data += bytes([KEY_VALUE]) + _name(name) + _value(value)
    return data


def decode(data: bytes) -> Message:
    root: Message = {}
    open_sections = [root]
    open_list: Optional[List[str]] = None
    at = 0

    def take(prefix: str) -> str:
        nonlocal at
        start = at + struct.calcsize(prefix)
        (length,) = struct.unpack_from(prefix, data, at)
        if start + length > len(data):
            raise Error('charon sent a message that ends early')
        at = start + length
        return data[start:at].decode(errors='replace')

    try:
        while at < len(data):
            kind = data[at]
            at += 1
            # In a list there are only items, and items are only in a list.
            if (open_list is None) == (kind in (LIST_ITEM, LIST_END)):
                raise Error('charon sent a message that is not vici')
            if kind == SECTION_START:
                inner: Message = {}
                open_sections[-1][take('!B')] = inner
                open_sections.append(inner)
            elif kind == SECTION_END and len(open_sections) > 1:
                open_sections.pop()
            elif kind == KEY_VALUE:
                key = take('!B')
                open_sections[-1][key] = take('!H')
            elif kind == LIST_START:
                open_list = []
                open_sections[-1][take('!B')] = open_list
            elif kind == LIST_ITEM and open_list is not None:
                open_list.append(take('!H'))
            elif kind == LIST_END:
                open_list = None
            else:
                raise Error('charon sent a message that is not vici')
    except struct.error:
        raise Error('charon sent a message that ends early') from None
    if len(open_sections) > 1 or open_list is not None:
        raise Error('charon sent a message that ends early')
    return root


class Client:
    """One connection. A request waits `timeout` seconds at most; events that come meanwhile are kept for `events`."""

    def __init__(self, path: str, timeout: float) -> None:
        self._timeout = timeout
        self._buffer = b''
        self._events: List[Event] = []
        self._streams: Set[str] = set()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise Error(f'{path}: {error.strerror or error}') from None

    def close(self) -> None:
        self._socket.close()

    def listen(self, name: str) -> bool:
        """Ask for events of that name; False if this charon has none."""
        deadline = self._send(REGISTER, name)
        while True:
            kind, data = self._receive(deadline)
            if kind in (CONFIRM, EVENT_UNKNOWN):
                return kind == CONFIRM
            self._keep(kind, data)

    def request(self, command: str, message: Optional[Message] = None) -> Message:
        deadline = self._send(COMMAND, command, message)
        while True:
            kind, data = self._receive(deadline)
            if kind == RESPONSE:
                return decode(data)
            if kind == COMMAND_UNKNOWN:
                raise Error(f'this charon has no command {command}')
            self._keep(kind, data)

    def stream(self, command: str, event: str, message: Optional[Message] = None) -> List[Message]:
        """The events that a command answers with."""
        if event not in self._streams:
            self.listen(event)
            self._streams.add(event)
        self.request(command, message)
        answers = [each.message for each in self._events if each.name == event]
        self._events = [each for each in self._events if each.name != event]
        return answers

    def events(self) -> List[Event]:
        """What has come since the last call, without waiting."""
        self._socket.setblocking(False)
        while True:
            try:
                chunk = self._socket.recv(65536)
            except BlockingIOError:
                break
            except OSError as error:
                raise Error(f'charon: {error.strerror or error}') from None
            if not chunk:
                raise Error('charon closed the connection')
            self._buffer += chunk
        while True:
            packet = self._packet()
            if packet is None:
                break
            self._keep(*packet)
        events, self._events = self._events, []
        return events

    def _send(self, kind: int, name: str, message: Optional[Message] = None) -> float:
        packet = bytes([kind]) + _name(name) + encode(message or {})
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(struct.pack('!I', len(packet)) + packet)
        except OSError as error:
            raise Error(f'charon: {error.strerror or error}') from None
        return time.monotonic() + self._timeout

    def _receive(self, deadline: float) -> Tuple[int, bytes]:
        while True:
            packet = self._packet()
            if packet is not None:
                return packet
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    raise socket.timeout
                self._socket.settimeout(left)
                chunk = self._socket.recv(65536)
            except socket.timeout:
                raise Error(f'charon does not answer within {self._timeout:g} s') from None
            except OSError as error:
                raise Error(f'charon: {error.strerror or error}') from None
            if not chunk:
                raise Error('charon closed the connection')
            self._buffer += chunk

    def _packet(self) -> Optional[Tuple[int, bytes]]:
        if len(self._buffer) < 4:
            return None
        (length,) = struct.unpack_from('!I', self._buffer)
        if not 1 <= length <= LONGEST:
            raise Error('charon sent what is not vici')
        if len(self._buffer) < 4 + length:
            return None
        packet = self._buffer[4 : 4 + length]
        self._buffer = self._buffer[4 + length :]
        return packet[0], packet[1:]

    def _keep(self, kind: int, data: bytes) -> None:
        if kind != EVENT or not data or len(data) < 1 + data[0]:
            raise Error('charon sent what is not vici')
        name = data[1 : 1 + data[0]].decode(errors='replace')
        self._events.append(Event(name, decode(data[1 + data[0] :])))

"""names.py: asks DNS for the gateways, each second anew; what fails changes nothing."""
import queue
import socket
import threading
import time
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from addresses import is_inside

TICK_SECONDS = 1.0


class NoSuchName(Exception):
    """DNS knows the zone, and the name is not in it."""


class NoAnswer(Exception):
    """Nothing follows from that."""


class Chosen(NamedTuple):
    address: str  # empty: none is known yet
    refused: List[str]


def choose(current: str, answer: Sequence[str], networks: Iterable[str]) -> Chosen:
    """While a name has two addresses the pod that ends is beside the one that begins: the one in use stays."""
    networks = list(networks)
    inside = sorted(address for address in set(answer) if is_inside(address, networks))
    refused = sorted(set(answer) - set(inside))
    if not inside or current in inside:
        return Chosen(current, refused)
    return Chosen(inside[0], refused)


def ask(name: str, family: int = socket.AF_INET) -> Tuple[List[str], str]:
    """The addresses of a name, and the whole name that has them."""
    try:
        found = socket.getaddrinfo(name, None, family, socket.SOCK_DGRAM, 0, socket.AI_CANONNAME)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise NoSuchName(name) from None
        raise NoAnswer(error.strerror or 'no answer') from None
    except (OSError, UnicodeError) as error:
        raise NoAnswer(str(error)) from None
    return sorted({str(each[4][0]) for each in found}), next((each[3] for each in found if each[3]), '')


class Name:
    """A name, which is asked for as it was last found: what else the pod's search list makes of it need not be tried."""

    def __init__(self, name: str, family: int = socket.AF_INET) -> None:
        self.name = name.rstrip('.')
        self.family = family
        self.whole = ''

    def addresses(self) -> List[str]:
        found, whole = ask(self.whole or self.name, self.family)
        if f'{whole}.'.startswith(f'{self.name}.'):
            self.whole = f'{whole.rstrip(".")}.'
        return found


class Asked(NamedTuple):
    addresses: List[str]
    at: float  # of the last answer that had some
    failures: int


class Names:
    """A thread for each name: the answer to one may take its time."""

    def __init__(self) -> None:
        self.answers: Dict[str, Asked] = {}
        self.wanted: Dict[str, threading.Event] = {}

    def want(self, hosts: Iterable[str]) -> None:
        """These names from now on, and no others."""
        hosts = set(hosts)
        for host in [host for host in self.wanted if host not in hosts]:
            self.wanted.pop(host).set()
            self.answers.pop(host, None)
        for host in hosts - set(self.wanted):
            ended = self.wanted[host] = threading.Event()
            threading.Thread(target=self._ask, args=(host, ended), daemon=True).start()

    def _ask(self, host: str, ended: threading.Event) -> None:
        name = Name(host)
        while not ended.is_set():
            last = self.answers.get(host, Asked([], 0.0, 0))
            try:
                found: Optional[List[str]] = name.addresses()
            except Exception:  # the thread has to live
                found, name.whole = None, ''
            now = time.monotonic()
            asked = Asked(found, now, last.failures) if found else last._replace(failures=last.failures + 1)
            if not ended.is_set():
                self.answers[host] = asked
            ended.wait(TICK_SECONDS)


class Service:
    """The Service that goes when the release goes."""

    TIMES = 3
    TIMES_THERE = 2  # what is deleted at this moment is there for a while
    PAUSE_SECONDS = 6.0  # DNS may keep an answer for five
    WITHIN_SECONDS = 20.0
    LOOK_SECONDS = 60.0

    def __init__(self, host: str) -> None:
        self.host = host
        self.name = Name(host, socket.AF_UNSPEC)
        # While it is there: learns its whole name, for which nobody but the DNS of the cluster is asked.
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self.name.whole:
            try:
                self.name.addresses()
            except Exception:  # it is asked for again
                pass
            time.sleep(self.LOOK_SECONDS)

    def is_gone(self) -> bool:
        """Only if DNS says so several times: whatever else comes of it, what is on the node stays."""
        told: 'queue.Queue[bool]' = queue.Queue()
        threading.Thread(target=self._ask, args=(told,), daemon=True).start()
        try:
            return told.get(timeout=self.WITHIN_SECONDS)
        except queue.Empty:
            return False

    def _ask(self, told: 'queue.Queue[bool]') -> None:
        gone = there = 0
        while gone < self.TIMES and there < self.TIMES_THERE:
            if gone or there:
                time.sleep(self.PAUSE_SECONDS)
            try:
                self.name.addresses()
                there += 1
            except NoSuchName:
                gone += 1
            except NoAnswer:
                time.sleep(TICK_SECONDS)
        told.put(gone >= self.TIMES)

"""turns.py: when a gateway may stop carrying: while another one carries on, and one after the other."""
import http.client
import json
import os
import socket
import threading
import time
from typing import Any, Dict, List, NamedTuple, Optional

from files import read, write_atomically
from log import log
from mounted import Gateway
from waits import ASK_SECONDS, FASTER, QUESTION_SECONDS

LEAVE = 'this pod is to end'
CHANGE = 'tunnels are to be ended for a change'
LONGEST = 4096  # of an answer, in bytes
GONE = 5  # the release is gone when our own name was not there so many times in a row
PATIENCE = 3  # who has not answered so many questions is gone

# What a resolver says when it knows that there is no such name; everything else may be another way a moment later.
NO_NAME = {socket.EAI_NONAME, getattr(socket, 'EAI_NODATA', socket.EAI_NONAME)}


class Answer(NamedTuple):
    """What the pod of a gateway says of itself."""

    gateway: str
    pod: str
    started: float
    carrying: bool
    leaving: bool
    drained: bool
    nodes: int  # to which it leads


def may_go(own: str, nodes: int, answers: List[Answer]) -> bool:
    """Whether a gateway that leads to so many nodes may stop carrying, by the answers of the others' pods.

    One of them has to carry on, for as many: it is not to go, or goes after this one. None before this one, by its name, may be about to
    go.
    """
    carries_on = any(each.carrying and each.nodes >= nodes and (not each.leaving or each.gateway > own) for each in answers)
    return carries_on and not any(each.leaving and not each.drained and each.gateway < own for each in answers)


def answer_of(data: bytes, gateway: str) -> Optional[Answer]:
    """What was answered; None if no pod of that gateway says so."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get('gateway') != gateway:
        return None
    kinds = {'pod': str, 'started': (int, float), 'carrying': bool, 'leaving': bool, 'drained': bool, 'nodes': int}
    if not all(isinstance(said.get(name), kind) for name, kind in kinds.items()):  # type: ignore[arg-type]
        return None
    return Answer(gateway, *(said[name] for name in kinds))


def ask(address: str, port: int, gateway: str) -> Optional[Answer]:
    connection = http.client.HTTPConnection(address, port, timeout=ASK_SECONDS)
    try:
        connection.request('GET', '/turn')
        return answer_of(connection.getresponse().read(LONGEST), gateway)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Question:
    """One question to all pods of some gateways, asked by threads: the loop does not wait for names and peers."""

    def __init__(self, hosts: Dict[str, str], port: int, but: str = '', own: str = '') -> None:
        self.port = port
        self.but = but  # the address that is not asked
        self.is_gone = False  # whether there is no such name as our own, so that its Service is gone
        self.answers: List[Answer] = []
        self.missing = False  # whether somebody did not answer, or a name could not be looked up
        self.until = time.monotonic() + QUESTION_SECONDS
        self.threads = [threading.Thread(target=self._ask, args=each, daemon=True) for each in hosts.items()]
        if own:
            self.threads.append(threading.Thread(target=self._look_up, args=(own,), daemon=True))
        for thread in self.threads:
            thread.start()

    def _look_up(self, host: str) -> None:
        try:
            socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            self.is_gone = error.errno in NO_NAME
        except UnicodeError:
            pass

    def _ask(self, gateway: str, host: str) -> None:
        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            self.missing = self.missing or error.errno not in NO_NAME
            return
        except UnicodeError:
            return  # no name that can be looked up
        for address in dict.fromkeys(str(each[4][0]) for each in found):
            if address != self.but:
                answer = ask(address, self.port, gateway)
                if answer is None:
                    self.missing = True
                else:
                    self.answers.append(answer)

    def is_over(self) -> bool:
        late = time.monotonic() > self.until
        self.missing = self.missing or late
        return late or not any(thread.is_alive() for thread in self.threads)


def start_of_pod(state: str) -> float:
    """When this pod began, which it remembers as long as it lives."""
    file = os.path.join(state, 'started')
    try:
        return float(read(file) or b'')
    except ValueError:
        now = time.time()
        write_atomically(file, repr(now).encode(), f'{file}.new')
        return now


class Turns:
    def __init__(self, state: str, pod: str, port: int) -> None:
        self.port = port
        self.address = pod
        self.started = start_of_pod(state)
        self.pod = pod or repr(self.started)
        self.gateway = ''
        self.carrying = False  # a whole tunnel, for all nodes
        self.nodes = 0  # to which it leads
        self.is_idle = True  # nothing at all is carried
        self.wanted = ''  # for what; empty: there is no wish to stop carrying
        self.since = 0.0
        self.going = False  # as good as gone, so that no other one counts on this one
        self.is_ours = False
        self.is_covered = False  # another gateway carries on meanwhile
        self.drained = False
        self.question: Optional[Question] = None
        self.name_question: Optional[Question] = None
        self.gone = 0  # how often in a row our own name was not there
        self.others_question: Optional[Question] = None
        self.others_patience = PATIENCE
        self.nodes_of_others: Optional[int] = None  # to which one of them leads, at most
        self.older = ''  # the pod of the same gateway that has to end first
        self.is_eldest = False  # of the pods of this gateway, as far as is known
        self.patience = PATIENCE
        self.own_question: Optional[Question] = None

    def answer(self) -> Dict[str, Any]:
        """What all who ask are told."""
        return {
            'gateway': self.gateway,
            'pod': self.pod,
            'started': self.started,
            'carrying': self.carrying and not self.going,
            'leaving': self.wanted != '',
            'drained': self.drained,
            'nodes': self.nodes,
        }

    def want(self, gateway: Gateway, what: str) -> bool:
        """Whether it is our turn. Who wants one asks again until it is."""
        now = time.monotonic()
        if self.wanted != what:
            self.wanted, self.since = what, now
            self.going = self.is_ours = self.is_ours and self.is_covered
        if what == LEAVE:
            self.look_up_own_name(gateway)
        if self.is_ours:
            return True
        if not gateway.siblings or gateway.drain_timeout == 0 or self.is_idle:
            self.take(covered=False)
        elif now - self.since >= gateway.drain_timeout / FASTER:
            log(f'{what}: no other gateway carries on after {gateway.drain_timeout} s, so it is done without one')
            self.take(covered=False)
        elif what == LEAVE and self.is_gone:
            log(f'{what}: the release is gone, so that no other gateway will come')
            self.take(covered=False)
        elif self.question is None:
            log(f'{what}: wait until another gateway carries on')
            self.ask(gateway)
        elif self.question.is_over():
            if not may_go(gateway.name, self.nodes, self.question.answers):
                self.going = False
                self.ask(gateway)
            elif not self.going:
                # Two may have asked at the same time. Of those who ask again after having said so, one sees the other.
                self.going = True
                self.ask(gateway)
            else:
                log(f'{what}: another gateway carries on')
                self.take(covered=True)
        return self.is_ours

    def ask(self, gateway: Gateway) -> None:
        self.question = Question(gateway.siblings, self.port)

    @property
    def is_gone(self) -> bool:
        """Whether the release is gone. Helm and kubectl take the Services away before the pods have ended; with them our name goes."""
        return self.gone >= GONE

    def look_up_own_name(self, gateway: Gateway) -> None:
        if self.name_question is None:
            self.name_question = Question({}, self.port, own=gateway.host)
        elif self.name_question.is_over():
            self.gone = self.gone + 1 if self.name_question.is_gone else 0
            self.name_question = None

    def look_around(self, gateway: Gateway) -> None:
        """Ask to how many nodes others lead: who is new leads to as many before anybody counts on it."""
        if self.others_question is None:
            self.others_question = Question(gateway.siblings, self.port)
        elif self.others_question.is_over():
            most = max((each.nodes for each in self.others_question.answers), default=0)
            self.others_patience -= 1
            if not self.others_question.missing or most > (self.nodes_of_others or 0) or self.others_patience == 0:
                self.nodes_of_others = most
            self.others_question = None

    def take(self, covered: bool) -> None:
        self.going = self.is_ours = True
        self.is_covered = covered
        self.question = None

    def give_back(self) -> None:
        self.wanted = ''
        self.going = self.is_ours = self.is_covered = self.drained = False
        self.question = None

    def is_first(self, gateway: Gateway) -> bool:
        """Whether no older pod of this gateway is at work. Who waits for that asks again until it is so."""
        if self.is_eldest:
            return True
        if self.own_question is None:
            self.own_question = Question({gateway.name: gateway.host} if gateway.host else {}, self.port, self.address)
        if not self.own_question.is_over():
            return False
        before = [
            each
            for each in self.own_question.answers
            if (each.started, each.pod) < (self.started, self.pod) and (each.carrying or each.leaving)
        ]
        if before:
            # Who has drained goes on to answer until charon has ended: then there is nothing more to wait for.
            self.patience = 1 if all(each.drained for each in before) else PATIENCE
            if not self.older:
                log(f'wait until the older pod {before[0].pod} of this gateway has ended')
            self.older = before[0].pod
        elif self.own_question.missing and self.patience > 1:
            self.patience -= 1
        else:
            self.older, self.is_eldest = '', True
        self.own_question = None
        return self.is_eldest

    def told(self) -> str:
        """What is waited for; empty: nothing."""
        if self.older:
            return f'the older pod {self.older} of this gateway has not ended yet'
        if not self.wanted:
            return ''
        return self.wanted if self.is_ours else f'{self.wanted}: waiting until another gateway carries on'

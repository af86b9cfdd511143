"""loading.py: has swanctl load what is composed, and knows what charon has of it."""
import json
import os
import re
import time
from typing import Dict, List, NamedTuple, Optional, Set

import vici
from connections import Section, children_of, own
from files import read, write_atomically
from log import log, printable, reason_of
from preparing import Preparing
from waits import LOAD_SECONDS, RETRY_SECONDS
from workers import Job

LOADED = re.compile(r"loaded connection '([^']+)'")
COMPLAINT = re.compile(r'failed|invalid|missing secret|unsupported|not found|syntax error|denied')
# Also where the name of a tunnel sounds like one; and how many are not loaded is told of each.
NO_COMPLAINT = re.compile(r"plugin '|opening directory|(?:successfully )?loaded |no \w+ found, ")


class Load(NamedTuple):
    """A load that swanctl has been asked for."""

    number: int
    fingerprint: str
    certificates: Set[str]
    connections: Dict[str, Section]
    deadline: float


class Closing(NamedTuple):
    """What is to be terminated because it has changed."""

    job: Job
    after: Optional[Section]  # the connection as it is loaded once that is done; None: it is gone


def terminations(name: str, before: Optional[Section], after: Optional[Section]) -> List[vici.Message]:
    """What of a connection has to be terminated: swanctl leaves its SAs as they were made."""
    if before is None or before == after:
        return []
    if after is None or own(before) != own(after):
        return [{'ike': name}]
    changed = [child for child, values in children_of(before).items() if children_of(after).get(child) != values]
    return [{'ike': name, 'child': child} for child in changed]


class Loading:
    def __init__(self, state: str) -> None:
        self.folder = os.path.join(state, 'load')
        self.running: Optional[Load] = None
        self.loaded: Dict[str, Section] = {}
        self.loaded_fingerprint = ''  # empty: load as soon as possible
        self.loaded_settings = ''
        self.loaded_certificates: Set[str] = set()
        self.was_loaded = False  # this charon has got something from us
        self.problems: List[str] = []
        self.tried = ('', '')
        self.next_load = 0.0
        self.closing: Dict[str, Closing] = {}  # by tunnel

    def forget(self) -> None:
        self.running = None
        self.loaded = {}
        self.loaded_fingerprint = self.loaded_settings = ''
        self.loaded_certificates = set()
        self.was_loaded = False
        self.tried = ('', '')
        self.closing = {}

    def recall(self) -> None:
        """What this charon has loaded: charon.sh removes the file when it starts another one."""
        try:
            memory = json.loads(read(os.path.join(self.folder, 'loaded.json')) or b'{}')
            connections, settings = memory.get('connections', {}), memory.get('settings', '')
            if isinstance(connections, dict) and all(isinstance(each, dict) for each in connections.values()):
                self.loaded = connections
                self.loaded_settings = str(settings)
                self.loaded_certificates = {str(each) for each in memory.get('certificates', [])}
        except (ValueError, AttributeError, TypeError):
            pass  # half a file is none

    def remember(self) -> None:
        memory = {
            'connections': self.loaded,
            'settings': self.loaded_settings,
            'certificates': sorted(self.loaded_certificates),
        }
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            self.write('loaded.json', json.dumps(memory).encode())
        except OSError:
            pass  # then a restart of this program alone sees no change that is made meanwhile

    def write(self, name: str, data: bytes) -> None:
        write_atomically(os.path.join(self.folder, name), data, os.path.join(self.folder, f'.{name}.new'))

    def is_due(self, prepared: Preparing) -> bool:
        if self.running is not None or prepared.composition is None:
            return False
        wanted = (prepared.fingerprint, prepared.settings)
        if wanted == (self.loaded_fingerprint, self.loaded_settings) and not self.problems:
            return False
        return wanted != self.tried or time.monotonic() >= self.next_load

    def would_terminate(self, prepared: Preparing) -> Dict[str, List[vici.Message]]:
        """What a load of this would end, by tunnel."""
        wanted = prepared.composition.connections if prepared.composition else {}
        found = {name: terminations(name, before, wanted.get(name)) for name, before in self.loaded.items()}
        return {name: requests for name, requests in found.items() if requests}

    def load(self, client: vici.Client, prepared: Preparing) -> None:
        """Ask swanctl for what is due."""
        if prepared.composition is None:
            return
        now = time.monotonic()
        self.tried = (prepared.fingerprint, prepared.settings)
        if self.loaded_settings != prepared.settings:
            answer = client.request('reload-settings')
            if vici.text(answer, 'success') != 'yes':
                complaint = printable(vici.text(answer, 'errmsg')) or 'charon refused it'
                self.failed([f'strongswan.conf: {complaint}; install the chart anew'])
                return
            self.loaded_settings = prepared.settings
        number = self.last_number() + 1
        # swanctl alone takes no certificate away, so that charon would go on to trust an authority that is withdrawn.
        certificates = prepared.composition.certificates()
        clear = '' if self.loaded_certificates <= certificates else ' clear'
        self.loaded_certificates |= certificates
        self.remember()
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            self.write('wanted', f'{number}{clear}\n'.encode())
        except OSError as error:
            self.failed([f'{self.folder}: it cannot be written: {reason_of(error)}; make room in its volume'])
            return
        deadline = now + LOAD_SECONDS
        self.running = Load(number, prepared.fingerprint, certificates, prepared.composition.connections, deadline)

    def last_number(self) -> int:
        numbers = [0]
        for name in ('wanted', 'done'):
            found = re.match(rb'\d{1,15}', read(os.path.join(self.folder, name)) or b'')
            numbers.append(int(found[0]) if found else 0)
        return max(numbers)

    def failed(self, problems: List[str]) -> None:
        self.problems = problems
        self.next_load = time.monotonic() + RETRY_SECONDS

    def finish(self) -> None:
        """See what swanctl has answered, if it is asked."""
        load, now = self.running, time.monotonic()
        if load is None:
            return
        done = (read(os.path.join(self.folder, 'done')) or b'').decode(errors='replace').split('\n')
        found = re.fullmatch(r'(\d+) (\d+)', done[0])
        if found is None or int(found[1]) != load.number:
            if now > load.deadline:
                self.running = None
                late = f'swanctl has not answered in {LOAD_SECONDS:g} s'
                self.failed([f'configuration: {late}; look at the log of the container charon'])
            return
        self.running = None
        code, output = int(found[2]), done[1:]
        names = {each[1] for each in (LOADED.match(line) for line in output) if each}
        complaints = [printable(line) for line in output if COMPLAINT.search(line) and not NO_COMPLAINT.match(line)]
        if code != 0 and not complaints:
            tail = [printable(line) for line in output if line.strip()][-1:]
            complaints = [f'swanctl ended with {code}{": " if tail else ""}{"".join(tail)}']
        if complaints:
            self.failed([f'configuration: {complaint}' for complaint in dict.fromkeys(complaints)])
        else:
            self.problems = []
        if code == 0 or names:
            self.loaded_certificates = load.certificates
            self.was_loaded = True
            self.loaded_fingerprint = load.fingerprint
            log(f'loaded {len(names)} of {len(load.connections)} connections')
            self.compare(load.connections, names)

    def compare(self, wanted: Dict[str, Section], names: Set[str]) -> None:
        """Terminate what has changed."""
        for name in {**self.loaded, **wanted}:
            before, after = self.loaded.get(name), wanted.get(name)
            if after is not None and name not in names:
                continue  # it could not be loaded: what it was before it still is
            self.closing.pop(name, None)
            requests = terminations(name, before, after)
            if requests:
                what = ', '.join(str(request.get('child', 'the tunnel')) for request in requests)
                log(f'{name}: terminate {what}, because {"it is gone" if after is None else "of other parameters"}')
                at_once: List[vici.Message] = [{**request, 'timeout': '-1', 'loglevel': '-1'} for request in requests]
                self.closing[name] = Closing(Job(name, 'terminate', at_once), after)
                continue
            if after is not None:
                self.loaded[name] = after
        self.remember()

    def closed(self, name: str) -> None:
        """What had changed is terminated."""
        after = self.closing.pop(name).after
        if after is None:
            self.loaded.pop(name, None)
        else:
            self.loaded[name] = after
        self.remember()

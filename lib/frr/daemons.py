"""daemons.py: FRR's daemons as children of this process: all of them run, or none."""
import os
import pwd
import re
import resource
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from say import printable
from vty import Vty, complaints_of
from written import read, remove

PROGRAMS = '/usr/lib/frr'
SOCKETS = '/var/run/frr'  # mgmtd's cannot be anywhere else
ALL = ['mgmtd', 'zebra', 'bgpd', 'bfdd']  # in this order they start
START_SECONDS = 90.0
RELOAD_SECONDS = 120.0
MOST_FILES = 65536  # a daemon takes memory for every file that it may open
AWAY_SECONDS = 120  # how long gateways keep the routes of a node whose agent is away, and wait for it
YIELDING = ['nice', '-n', '10']
STALE_SECONDS = 60  # how long zebra keeps routes that were there before it started


class DaemonError(Exception):
    """Why the daemons do not run, as a sentence."""


def own_sockets(folder: str) -> str:
    return os.path.join(folder, 'vty')


def arguments_of(daemon: str, folder: str, port: int) -> List[str]:
    """Nothing but the port of BGP, and those of BFD, is open."""
    files = min(MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    common = ['--vty_socket', own_sockets(folder), '-z', f'{folder}/zserv.api', '-i', f'{folder}/{daemon}.pid', '-P', '0']
    own = {
        'zebra': ['-K', str(STALE_SECONDS), '-s', '90000000'],
        'bgpd': ['-p', str(port)],
    }
    limits = ['--limit-fds', str(files), '--log', 'stdout', '--log-level', 'informational']
    # While the others have thousands of routes to change, bfdd must not be late, or ways that are good are given up as well.
    first = [] if daemon == 'bfdd' else YIELDING
    return [*first, f'{PROGRAMS}/{daemon}', *common, *limits, *own.get(daemon, [])]


class Daemons:
    """`port` 0: bgpd listens nowhere. Without `bfd` no bfdd is started."""

    def __init__(self, port: int = 179, bfd: bool = True, folder: str = SOCKETS) -> None:
        self.folder = folder
        self.port = port
        self.names = [each for each in ALL if bfd or each != 'bfdd']
        self.children: Dict[str, 'subprocess.Popen[bytes]'] = {}
        self.vty = Vty(own_sockets(folder))

    def prepare(self) -> None:
        """Makes the folders theirs."""
        for folder in (self.folder, self.vty.folder):
            os.makedirs(folder, exist_ok=True)
            try:
                owner = pwd.getpwnam('frr')
                if os.stat(folder).st_uid != owner.pw_uid:
                    os.chown(folder, owner.pw_uid, owner.pw_gid)
            except KeyError:
                raise DaemonError('the image has no user frr; choose one with FRR') from None
            except OSError as error:
                raise DaemonError(f'{folder} cannot be given to the user frr: {error.strerror}') from None

    def start(self) -> None:
        """Starts all of them and waits until they answer."""
        self.prepare()
        self.hide()
        for daemon in self.names:
            remove(os.path.join(self.vty.folder, f'{daemon}.vty'))
            remove(os.path.join(self.folder, f'{daemon}.pid'))
        remove(os.path.join(self.folder, 'zserv.api'))
        limit = time.monotonic() + START_SECONDS
        for daemon in self.names:
            command = arguments_of(daemon, self.folder, self.port)
            try:
                self.children[daemon] = subprocess.Popen(command, stdin=subprocess.DEVNULL, umask=0o027)
            except OSError as error:
                self.kill()
                raise DaemonError(f'{daemon} cannot be started: {error.strerror}; choose an image with FRR 10.3') from None
            # The others tell mgmtd and zebra of themselves.
            self.wait_for(daemon, limit)

    def wait_for(self, daemon: str, limit: float) -> None:
        while not self.vty.answers(daemon):
            problem = self.ended()
            if not problem and time.monotonic() > limit:
                problem = f'{daemon} has not answered within {START_SECONDS:g} s'
            if problem:
                self.kill()
                raise DaemonError(problem)
            time.sleep(0.05)

    def hide(self) -> None:
        for daemon in ALL:
            remove(os.path.join(self.folder, f'{daemon}.vty'))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Meanwhile nobody else's vtysh finds a daemon: mgmtd of FRR 10.3 loses, without a word, of what it is told while another one
        comes and goes (FRR's issue 21128)."""
        self.hide()
        try:
            yield
        finally:
            for daemon in self.names:
                os.symlink(os.path.join(self.vty.folder, f'{daemon}.vty'), os.path.join(self.folder, f'{daemon}.vty'))

    def load(self, file: str) -> List[str]:
        """Reads a configuration into daemons that have none; what was refused is told."""
        first, later = in_two_steps((read(file) or b'').decode(errors='replace').split('\n'))
        with self.alone():
            return [*self.vty.configure(first), *self.vty.configure(later)]

    def reload(self, file: str) -> List[str]:
        """Makes the configuration that of the file: what is in both goes on as it is."""
        program = f'{PROGRAMS}/frr-reload.py'
        folders = ['--bindir', os.path.dirname(shutil.which('vtysh') or '/usr/bin/vtysh')]
        folders += ['--confdir', self.folder, '--rundir', self.folder, '--vty_socket', self.vty.folder]
        command = [sys.executable, '-B', program, '--reload', '--stdout', '--log-level', 'error', *folders, file]
        try:
            with self.alone():
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=RELOAD_SECONDS, umask=0o077)
        except subprocess.TimeoutExpired:
            return [f'frr-reload.py has not ended within {RELOAD_SECONDS:g} s']
        if done.returncode == 0:
            return []
        output = (done.stdout + done.stderr).decode(errors='replace')
        return complaints_of(0, output) or [f'frr-reload.py ended with {done.returncode}: {printable(output, len(output))[-300:]}']

    def wake_bfd(self, as_number: int, peers: Sequence[str]) -> List[str]:
        """Has bgpd make the BFD sessions with neighbours that it has forgotten; to be asked now and then. What was refused is told."""
        if 'bfdd' not in self.names:
            return []
        there = {str(each.get('peer')) for each in self.vty.ask_json('bfdd', 'show bfd peers json')}
        lines: List[str] = []
        for peer in peers:
            if peer not in there:
                lines += waking_lines(peer, self.vty.ask_json('bgpd', f'show bgp neighbors {peer} json'))
        return self.vty.configure([f'router bgp {as_number}', *lines, 'exit']) if lines else []

    def ended(self) -> str:
        """Which of them has ended, and how, as a sentence; empty: none."""
        for daemon, child in self.children.items():
            status = child.poll()
            if status is not None:
                return f'{daemon} has ended {"with " if status >= 0 else "of signal "}{abs(status)}'
        return ''

    def kill(self) -> None:
        """All at once and without a word to anybody: routes stay in the kernel."""
        self.vty.close()
        for child in self.children.values():
            child.kill()
        for child in self.children.values():
            child.wait()
        self.children = {}


def in_two_steps(lines: Sequence[str]) -> Tuple[List[str], List[str]]:
    """The lines, and those that have to wait until all others are read.

    A BGP neighbour is shut until it is known whole: a session without its address families would have the other side forget what
    it kept over a restart. And its BFD comes apart: FRR 10.3 often makes no session for those that it gets to know with it (FRR's
    issue 18742).
    """
    shut = {line.strip() for line in lines if re.fullmatch(r' +neighbor \S+ shutdown', line)}
    first: List[str] = []
    later: List[str] = []
    opened: List[str] = []
    context = ''
    for line in lines:
        if line[:1] not in ('', ' '):
            context = line
        in_router = context.startswith('router bgp ')
        if in_router and re.fullmatch(r' +neighbor \S+ bfd( .*)?', line):
            later += [line] if context in later else [context, line]
            continue
        first.append(line)
        found = re.fullmatch(r' +(neighbor [0-9a-fA-F.:]+) remote-as \d+', line) if in_router else None
        if found and f'{found[1]} shutdown' not in shut:
            first.append(f' {found[1]} shutdown')
            opened += [f' no {found[1]} shutdown'] if context in opened else [context, f' no {found[1]} shutdown']
    return first, [*later, *opened]


def waking_lines(peer: str, answer: Any) -> List[str]:
    """A neighbour that refuses TCP until its BFD is up waits in vain for one that has no BFD session; a source told again makes one."""
    values = answer.get(peer) if isinstance(answer, dict) else None
    if not isinstance(values, dict) or 'peerBfdInfo' not in values or not values.get('updateSource'):
        return []
    return [f' no neighbor {peer} update-source', f' neighbor {peer} update-source {values["updateSource"]}']

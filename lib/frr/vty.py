"""vty.py: asks FRR's daemons over their own sockets, so that no program has to start for it, and configures them by vtysh."""
import json
import os
import socket
import subprocess
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from say import printable, reason_of
from written import remove, write_atomically

ANSWER_SECONDS = 10.0
CONFIGURE_SECONDS = 120.0
END = b'\0\0\0'  # before the status of an answer, its last byte


class VtyError(Exception):
    """Why a daemon gives no answer, as a sentence."""


class Connection:
    def __init__(self, file: str, name: str) -> None:
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.settimeout(ANSWER_SECONDS)
        try:
            self.socket.connect(file)
            self.ask('enable')
        except OSError as error:
            self.close()
            raise VtyError(f'{name} does not answer: {reason_of(error)}') from None
        except VtyError:
            self.close()
            raise

    def ask(self, command: str) -> str:
        try:
            self.socket.sendall(command.encode() + b'\0')
            answer = bytearray()
            # What a daemon prints has no such bytes.
            while len(answer) < 4 or answer[-4:-1] != END:
                chunk = self.socket.recv(1 << 16)
                if not chunk:
                    raise VtyError(f'{self.name} does not answer: it has ended the connection')
                answer += chunk
        except OSError as error:
            raise VtyError(f'{self.name} does not answer: {reason_of(error)}') from None
        text = bytes(answer[:-4]).decode(errors='replace')
        if answer[-1] not in (0, 1):  # done, or done with a warning
            raise VtyError(f'{self.name} refuses {command}: {printable(text)}')
        return text

    def close(self) -> None:
        self.socket.close()


class Vty:
    """The sockets of a folder; a connection is made when it is needed and kept."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.connections: Dict[str, Connection] = {}

    def ask(self, daemon: str, command: str) -> str:
        if daemon not in self.connections:
            self.connections[daemon] = Connection(os.path.join(self.folder, f'{daemon}.vty'), daemon)
        try:
            return self.connections[daemon].ask(command)
        except VtyError:
            self.connections.pop(daemon).close()
            raise

    def ask_json(self, daemon: str, command: str) -> Any:
        answer = self.ask(daemon, command)
        try:
            return json.loads(answer or '{}')
        except (ValueError, RecursionError):
            raise VtyError(f'{daemon} answers {command} with what is not JSON: {printable(answer, 100)}') from None

    def answers(self, daemon: str) -> bool:
        try:
            self.ask(daemon, 'show version')
            return True
        except VtyError:
            return False

    def configure(self, lines: Sequence[str]) -> List[str]:
        """Commands of the configuration, in which a password may stand; what was refused is told, a sentence each."""
        if not lines:
            return []
        file = os.path.join(self.folder, 'changes.conf')
        # By a file: everybody in the pod sees the arguments of a program.
        write_atomically(file, ('\n'.join(lines) + '\n').encode())
        try:
            return vtysh(self.folder, '-f', file)
        finally:
            remove(file)

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()
        self.connections = {}


def peers_of(summary: Any) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """`show bgp summary json`: each neighbour with what is said of it, once for each family in which it takes part."""
    for family in summary.values() if isinstance(summary, dict) else ():
        peers = family.get('peers') if isinstance(family, dict) else None
        yield from (peers or {}).items()


def vtysh(folder: str, *arguments: str) -> List[str]:
    """What it complained of, a sentence each; empty: all is done."""
    command = ['vtysh', '--vty_socket', folder, '--config_dir', folder, *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=CONFIGURE_SECONDS)
    except subprocess.TimeoutExpired:
        return [f'vtysh has not ended within {CONFIGURE_SECONDS:g} s']
    return complaints_of(done.returncode, (done.stdout + done.stderr).decode(errors='replace'))


def complaints_of(status: int, output: str) -> List[str]:
    lines = [printable(line) for line in output.splitlines()]
    # It misses a file that it does not need.
    said = [line for line in lines if line.startswith(('%', 'line ', 'Error')) and "Can't open configuration file" not in line]
    if said or status == 0:
        return list(dict.fromkeys(said))
    return [f'vtysh ended with {status}{": " if lines else ""}{"".join(lines[-1:])}']

"""passwords.py: the passwords of BGP sessions, from mounted files."""
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from fabric_file import Fabric

LONGEST = 80  # of the kernel (TCP MD5)


class Passwords(NamedTuple):
    by_peer: Dict[str, str]
    missing: List[str]  # peers that are to have one
    problems: List[str]


def files_of(fabric: Fabric) -> List[str]:
    return [tunnel.session.password_file for tunnel in fabric.tunnels.values() if tunnel.session and tunnel.session.password_file]


def take(fabric: Fabric, contents: Dict[str, Optional[bytes]], before: Dict[str, str]) -> Passwords:
    """A password that was there goes on to hold where it no longer is: the session need not end for that."""
    by_peer: Dict[str, str] = {}
    missing: List[str] = []
    problems: List[str] = []
    for tunnel in fabric.tunnels.values():
        session = tunnel.session
        if session is None or not session.password_file:
            continue
        found, problem = parse(contents.get(session.password_file))
        if problem:
            problems.append(f'tunnels.{tunnel.name}.bgp.password: {session.source} {problem}')
        password = before.get(session.peer, '') if problem else found
        if password:
            by_peer[session.peer] = password
        else:
            missing.append(session.peer)
    return Passwords(by_peer, missing, problems)


def parse(content: Optional[bytes]) -> Tuple[str, str]:
    """The password, and what is wrong with it."""
    if content is None:
        return '', 'is missing; make it'
    text = re.sub(r'\r?\n\Z', '', content.decode('latin-1'))
    if not text:
        return '', 'is empty; put the password there'
    if not re.fullmatch(r'[!-~]+', text):
        return '', 'has other characters than visible ones of ASCII; choose another password at both ends'
    if len(text) > LONGEST:
        return '', f'is longer than {LONGEST} characters; choose a shorter one at both ends'
    return text, ''

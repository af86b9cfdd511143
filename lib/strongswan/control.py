"""control.py: gives charon its configuration and secrets, keeps its tunnels up, and says how they are over HTTP.

Environment: CONFIG (/config), STATE (/run/vpn), HEALTH_PORT (8080), READINESS (tunnel, or process).
For tests only: TEST_FASTER divides what it waits.
"""
import base64
import binascii
import hashlib
import http.server
import json
import os
import queue
import re
import signal
import socket
import socketserver
import sys
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional, Set, Tuple

import vici

try:
    import ssl
except ImportError:
    ssl = None  # type: ignore[assignment]

FASTER = float(os.environ.get('TEST_FASTER', '1'))
TICK_SECONDS = 1 / FASTER
ANSWER_SECONDS = 3.0  # how long charon may take for a question that it answers at once
SLOW_SECONDS = 60.0  # how long it may take to start or end an SA: it resolves names meanwhile
LOAD_SECONDS = 60 / FASTER  # how long swanctl may take
RETRY_SECONDS = 30 / FASTER  # when a failed load is tried again
QUIET_SECONDS = 5 / FASTER  # how often SAs are listed while all is well
MISSES = 3  # an SA is gone when so many lists lack it: charon leaves out those that it is working on
FIRST_SECONDS, LAST_SECONDS = 5 / FASTER, 30 / FASTER  # the shortest and the longest time from one initiation to the next
CHARON_FIRST_SECONDS = 2 / FASTER  # how long charon has to restart by itself what went down
OLD_SECONDS = 120.0  # what was logged so long before a tunnel went down is not why
LIVE_SECONDS = 15 / FASTER
NETWORK_SECONDS = 30.0
CHECK_SECONDS = 600.0  # how often certificates are looked at although they have not changed: they expire
STARTERS = 4  # how many SAs are started or ended at a time; charon has 16 threads

SWANCTL_FOLDERS = 'x509 x509ca x509aa x509ocsp x509crl x509ac pubkey private rsa ecdsa bliss pkcs8 pkcs12'.split()
NAME = re.compile(r'[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?')

Section = Dict[str, Any]  # text, or another Section


def log(sentence: str) -> None:
    print(f'control.py: {sentence}', file=sys.stderr, flush=True)


def die(sentence: str) -> NoReturn:
    log(sentence)
    sys.exit(1)


def printable(text: str, longest: int = 300) -> str:
    """One line, without control characters, and without what may be a key."""
    text = re.sub(r'\b0s[A-Za-z0-9+/=]{4,}', '(key)', text)
    line = ''.join(letter if letter.isprintable() else ' ' for letter in text).strip()
    return line if len(line) <= longest else f'{line[: longest - 1]}…'


def reason_of(error: OSError) -> str:
    return error.strerror or type(error).__name__


# --- What is mounted, and what swanctl gets of it


class Invalid(Exception):
    """What a person has to correct, as a sentence."""


class Rule(NamedTuple):
    pattern: 're.Pattern[str]'
    problem: str
    remedy: str


class Secret(NamedTuple):
    """A file, and what it is for those who make it."""

    file: str
    source: str


class SharedKey(NamedTuple):
    kind: str  # ike, or ppk: a post-quantum preshared key
    path: str  # of the value
    secret: Secret
    ids: List[str]
    rules: List[Rule]


class Tunnel(NamedTuple):
    name: str
    initiates: bool
    children: List[str]
    keys: List[SharedKey]
    certificate: Optional[str]  # a folder
    authorities: Dict[str, Secret]  # by the name of the file for swanctl


class Gateway(NamedTuple):
    name: str
    tunnels: Dict[str, Tunnel]


def member(parent: Any, key: str, kind: type, where: str) -> Any:
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind):
        raise Invalid(f'gateway.json: {where}{key} is missing or of another type; install the chart anew')
    return value


def to_pattern(text: str) -> 're.Pattern[str]':
    """A pattern of the chart's schema; there $ is the end of the text, not also the line break before it."""
    return re.compile(
        re.sub(r'\\.|\[(?:\\.|[^\]\\])*\]|\$', lambda found: r'\Z' if found[0] == '$' else found[0], text, flags=re.S)
    )


def parse_gateway(data: bytes) -> Gateway:
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid('gateway.json: it is not JSON; install the chart anew') from None
    tunnels = filled(member(root, 'tunnels', dict, ''))
    return Gateway(member(root, 'gateway', str, ''), {name: parse_tunnel(name, values) for name, values in tunnels.items()})


def filled(members: Dict[str, Any]) -> Dict[str, Any]:
    """Without the empty member that ends every list and map of the file."""
    return {name: value for name, value in members.items() if name != ''}


def parse_tunnel(name: str, values: Any) -> Tunnel:
    where = f'tunnels.{name}.'
    children = [each for each in member(values, 'children', list, where) if each != '']
    for each in [name, *children]:
        if not isinstance(each, str) or not NAME.fullmatch(each):
            raise Invalid(f'gateway.json: {json.dumps(each)} is not the name of a tunnel; install the chart anew')
    keys = []
    if 'sharedKey' in values:
        within = f'{where}sharedKey.'
        key = member(values, 'sharedKey', dict, where)
        ids = member(key, 'ids', list, within)
        if not all(isinstance(each, str) for each in ids):
            raise Invalid(f'gateway.json: {within}ids is of another type; install the chart anew')
        rules = [parse_rule(each, within) for each in member(key, 'rules', list, within) if each is not None]
        keys.append(SharedKey('ike', f'{where}presharedKey', parse_secret(key, within), ids, rules))
    if 'postQuantumKey' in values:
        within = f'{where}postQuantumKey.'
        key = member(values, 'postQuantumKey', dict, where)
        ids = [each for each in [member(key, 'id', str, within)] if each != '']
        keys.append(SharedKey('ppk', f'{where}postQuantumKey', parse_secret(key, within), ids, []))
    folder = None
    if 'certificate' in values:
        folder = member(member(values, 'certificate', dict, where), 'folder', str, f'{where}certificate.')
    authorities = {}
    if 'authorities' in values:
        for file, secret in filled(member(values, 'authorities', dict, where)).items():
            if not file.endswith('.crt') or not NAME.fullmatch(file[: -len('.crt')]):
                raise Invalid(f'gateway.json: {json.dumps(file)} is not the name of a certificate; install the chart anew')
            authorities[file] = parse_secret(secret, f'{where}authorities.{file}.')
    return Tunnel(name, member(values, 'initiates', bool, where), children, keys, folder, authorities)


def parse_secret(values: Any, where: str) -> Secret:
    return Secret(member(values, 'file', str, where), member(values, 'source', str, where))


def parse_rule(values: Any, where: str) -> Rule:
    try:
        pattern = to_pattern(member(values, 'pattern', str, f'{where}rules.'))
    except re.error:
        raise Invalid(f'gateway.json: {where}rules has what is no pattern; install the chart anew') from None
    return Rule(pattern, member(values, 'problem', str, f'{where}rules.'), member(values, 'remedy', str, f'{where}rules.'))


LINE = re.compile(
    r'(?P<open>[^\s#{}="]+) \{|(?P<close>\})|include \S+'
    r'|(?P<key>[^\s#{}="]+) =(?: (?P<value>"(?:[^"\\]|\\.)*"|[^"{}]*))?'
)


def connections_of(text: str, authorities: Dict[str, List[str]]) -> Tuple[Dict[str, Section], str]:
    """The connections of the chart's swanctl.conf, and its text with all the files that were made of an authority."""
    root: Section = {}
    path: List[Tuple[str, Section]] = [('', root)]
    lines = []
    for number, line in enumerate(text.split('\n'), 1):
        content = line.strip()
        lines.append(line)
        if content == '' or content.startswith('#'):
            continue
        found = LINE.fullmatch(content)
        if found is None or (found['close'] and len(path) == 1):
            raise Invalid(f'swanctl.conf: line {number} cannot be read; install the chart anew')
        if found['open']:
            inner: Section = {}
            path[-1][1][found['open']] = inner
            path.append((found['open'], inner))
        elif found['close']:
            path.pop()
        elif found['key']:
            path[-1][1][found['key']] = found['value'] or ''
            if found['key'] == 'cacerts':
                files = [file for each in (found['value'] or '').split(',') for file in authorities.get(each.strip(), [])]
                # Without any, swanctl refuses the connection: better than one that trusts everybody.
                if files:
                    lines[-1] = f'{line[: len(line) - len(line.lstrip())]}cacerts = {", ".join(files)}'
    if len(path) > 1:
        raise Invalid(f'swanctl.conf: the section {path[-1][0]} does not end; install the chart anew')
    connections = root.get('connections', {})
    if not isinstance(connections, dict) or not all(isinstance(each, dict) for each in connections.values()):
        raise Invalid('swanctl.conf: connections is not a section of sections; install the chart anew')
    return connections, '\n'.join(lines)


def children_of(connection: Section) -> Dict[str, Section]:
    children = connection.get('children')
    return children if isinstance(children, dict) else {}


def quoted(text: str) -> str:
    escapes = {'\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t'}
    return '"' + ''.join(escapes.get(letter, letter) for letter in text) + '"'


Inputs = Dict[str, Optional[bytes]]  # the content of a file, or None if it cannot be read


class Composition(NamedTuple):
    files: Dict[str, bytes]  # below the folder of swanctl
    problems: List[str]
    connections: Dict[str, Section]
    expiry: Dict[str, float]

    def fingerprint(self) -> str:
        total = hashlib.sha256()
        for name in sorted(self.files):
            for part in (name.encode(), self.files[name]):
                total.update(hashlib.sha256(part).digest())
        return total.hexdigest()

    def certificates(self) -> Set[str]:
        """Their checksums."""
        return {hashlib.sha256(data).hexdigest() for name, data in self.files.items() if name.startswith('x509')}


def read(file: str) -> Optional[bytes]:
    try:
        with open(file, 'rb') as opened:
            return opened.read(1 << 20)
    except OSError:
        return None


def read_inputs(gateway: Gateway) -> Inputs:
    """All that is mounted for the tunnels."""
    files = []
    for tunnel in gateway.tunnels.values():
        files.extend(key.secret.file for key in tunnel.keys)
        if tunnel.certificate is not None:
            files.extend(os.path.join(tunnel.certificate, name) for name in ('tls.crt', 'tls.key'))
        files.extend(secret.file for secret in tunnel.authorities.values())
    return {file: read(file) for file in files}


def shared_key_in(key: SharedKey, inputs: Inputs) -> bytes:
    data = inputs.get(key.secret.file)
    if data is None:
        raise Invalid(f'{key.path}: {key.secret.source} is missing; make it')
    for end in (b'\r\n', b'\n'):
        if data.endswith(end):
            data = data[: -len(end)]
            break
    if not data:
        raise Invalid(f'{key.path}: {key.secret.source} is empty; put the key there')
    text = data.decode(errors='surrogateescape')
    for rule in key.rules:
        if not rule.pattern.search(text):
            raise Invalid(f'{key.path}: {rule.problem}; {rule.remedy}')
    return data


CERTIFICATE = re.compile(rb'-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----', re.S)
PRIVATE_KEY = re.compile(rb'-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----', re.S)


def certificates_in(data: bytes) -> List[bytes]:
    """The certificates of a PEM file, each once; none if one is damaged."""
    found: List[bytes] = []
    for block in CERTIFICATE.finditer(data):
        try:
            base64.b64decode(b''.join(block[1].split()), validate=True)
        except binascii.Error:
            return []
        if block[0] + b'\n' not in found:
            found.append(block[0] + b'\n')
    return found


def decoded(file: str) -> Dict[str, Any]:
    """The fields of a certificate as Python gives them; none where it does not."""
    try:
        return ssl._ssl._test_decode_cert(file)  # type: ignore[attr-defined]
    except Exception:  # whatever this Python has instead: charon judges the certificate anyway
        return {}


def belongs_to(key: str, certificate: str) -> bool:
    """Whether a private key is that of a certificate; True if this cannot be told."""
    try:
        # A password, so that nobody is asked for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, '')
    except Exception as error:
        return 'MISMATCH' not in str(getattr(error, 'reason', ''))
    return True


class Certificate(NamedTuple):
    files: Dict[str, bytes]
    problems: List[str]
    expiry: Optional[float]


def certificate_of(tunnel: str, folder: str, inputs: Inputs, now: float) -> Certificate:
    path = f'tunnels.{tunnel}.certificate'
    names = {name: os.path.join(folder, name) for name in ('tls.crt', 'tls.key')}
    problems = []
    for name, file in names.items():
        if inputs.get(file) is None:
            problems.append(f'{path}: its Secret has no {name}; put the {"certificate" if name == "tls.crt" else "key"} there')
    if problems:
        return Certificate({}, problems, None)
    chain = certificates_in(inputs[names['tls.crt']] or b'')
    key = PRIVATE_KEY.search(inputs[names['tls.key']] or b'')
    if not chain:
        problems.append(f'{path}: tls.crt is not a certificate in PEM; put one there')
    if not key:
        problems.append(f'{path}: tls.key is not a private key in PEM; put one there')
    elif key[1] == b'ENCRYPTED ' or b'Proc-Type: 4,ENCRYPTED' in key[0]:
        problems.append(f'{path}: tls.key is encrypted; put it there without a passphrase')
    if problems or not key:
        return Certificate({}, problems, None)
    # charon reads one certificate of a file; the others of the chain are sent along if they are there.
    files = {f'x509/{tunnel}.crt': chain[0], f'private/{tunnel}.key': key[0] + b'\n'}
    files.update({f'x509/{tunnel}.{number}.crt': each for number, each in enumerate(chain[1:], 1)})
    if not belongs_to(names['tls.key'], names['tls.crt']):
        problems.append(f'{path}: tls.key is not the key of tls.crt; put the two that belong together there')
    fields = decoded(names['tls.crt'])
    expiry = None
    try:
        expiry = float(ssl.cert_time_to_seconds(fields['notAfter']))
        if expiry < now:
            problems.append(f'{path}: it expired on {fields["notAfter"]}; renew it')
        elif ssl.cert_time_to_seconds(fields['notBefore']) > now:
            problems.append(f'{path}: it is not valid before {fields["notBefore"]}; wait, or look at the clock of the node')
    except (AttributeError, KeyError, TypeError, ValueError):
        pass  # not decoded
    return Certificate(files, problems, expiry)


def authority_of(tunnel: str, secret: Secret, inputs: Inputs) -> List[bytes]:
    path, data = f'tunnels.{tunnel}.authorities', inputs.get(secret.file)
    if data is None:
        raise Invalid(f'{path}: {secret.source} is missing; make it')
    certificates = certificates_in(data)
    if not certificates:
        raise Invalid(f'{path}: {secret.source} is not a certificate in PEM; put one there')
    return certificates


def compose(gateway: Gateway, conf: bytes, inputs: Inputs, now: float) -> Composition:
    files: Dict[str, bytes] = {}
    problems: List[str] = []
    secrets: List[str] = []
    expiry: Dict[str, float] = {}
    authorities: Dict[str, List[str]] = {}
    for tunnel in gateway.tunnels.values():
        for key in tunnel.keys:
            try:
                data = shared_key_in(key, inputs)
            except Invalid as invalid:
                problems.append(str(invalid))
                continue
            secrets.append(f'  {key.kind}-{tunnel.name} {{')
            secrets.extend(f'    id-{number} = {quoted(each)}' for number, each in enumerate(key.ids, 1))
            # In base64, because charon takes a plain key that begins with 0x or 0s for something else.
            secrets.extend([f'    secret = 0s{base64.b64encode(data).decode()}', '  }'])
        if tunnel.certificate is not None:
            certificate = certificate_of(tunnel.name, tunnel.certificate, inputs, now)
            files.update(certificate.files)
            problems.extend(certificate.problems)
            if certificate.expiry is not None:
                expiry[tunnel.name] = certificate.expiry
        for file, secret in tunnel.authorities.items():
            try:
                certificates = authority_of(tunnel.name, secret, inputs)
            except Invalid as invalid:
                problems.append(str(invalid))
                continue
            # charon reads one certificate of a file. No name of the chart has a dot.
            authorities[file] = [file, *(f'{file[:-len(".crt")]}.{number}.crt' for number in range(2, len(certificates) + 1))]
            files.update({f'x509ca/{name}': each for name, each in zip(authorities[file], certificates)})
    try:
        text = conf.decode()
    except UnicodeDecodeError:
        raise Invalid('swanctl.conf: it is not UTF-8; install the chart anew') from None
    connections, text = connections_of(text, authorities)
    files['swanctl.conf'] = text.encode()
    files['secrets.conf'] = '\n'.join(['secrets {', *secrets, '}', '']).encode()
    return Composition(files, problems, connections, expiry)


def write_atomically(file: str, data: bytes, aside: str, mode: int = 0o600) -> None:
    # Not beside it: swanctl reads every file of its folders.
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, 'wb') as opened:
        opened.write(data)
    os.replace(aside, file)


def write_composition(composition: Composition, folder: str, aside: str) -> None:
    """Make the folder of swanctl hold just what was composed."""
    for name in SWANCTL_FOLDERS:
        os.makedirs(os.path.join(folder, name), mode=0o700, exist_ok=True)
        for file in os.listdir(os.path.join(folder, name)):
            if f'{name}/{file}' not in composition.files:
                os.unlink(os.path.join(folder, name, file))
    # swanctl.conf last: it names the others.
    for name in sorted(composition.files, key=lambda name: (name == 'swanctl.conf', name)):
        if read(os.path.join(folder, name)) != composition.files[name]:
            write_atomically(os.path.join(folder, name), composition.files[name], aside)


# --- Why a tunnel is not up


KINDS = [
    'no_answer',
    'no_proposal',
    'authentication_failed',
    'traffic_selectors',
    'no_shared_key',
    'certificate',
    'name_resolution',
    'closed_by_peer',
    'kernel',
    'other',
]


class Meaning(NamedTuple):
    pattern: 're.Pattern[str]'
    kind: str
    words: str  # {0}: what the pattern caught; {peer}: the address of the peer
    failure: bool = False  # whether it is counted: once for each time that it fails
    weak: bool = False  # said beside what tells more


def meaning(pattern: str, kind: str, words: str, failure: bool = False, weak: bool = False) -> Meaning:
    return Meaning(re.compile(pattern), kind, words, failure, weak)


# Of charon's lines (in libcharon: ike_sa.c, ikev2/tasks, ikev2/authenticators; in libstrongswan: credential_manager.c).
MEANINGS = [
    meaning(r'giving up after \d+ retransmits', 'no_answer', 'no answer from {peer}', failure=True),
    meaning(r'peer not responding', 'no_answer', 'no answer from {peer}'),
    meaning(r'retransmit \d+ of request', 'no_answer', 'no answer from {peer}', weak=True),
    meaning(r'received NO_PROPOSAL_CHOSEN notify error', 'no_proposal', 'no proposal chosen for IKE', failure=True),
    meaning(r'received proposals (?:un|in)acceptable', 'no_proposal', 'no proposal chosen for IKE', failure=True),
    meaning(r'received NO_PROPOSAL_CHOSEN notify, no CHILD_SA', 'no_proposal', 'no proposal chosen for ESP', failure=True),
    meaning(r'no acceptable proposal found', 'no_proposal', 'no proposal chosen for ESP', failure=True),
    meaning(r'not contained in any of our proposals', 'no_proposal', 'no proposal chosen', failure=True),
    meaning(r"no shared key found for ('.*' - '.*')", 'no_shared_key', 'no shared key for {0}', failure=True),
    meaning(r'tried \d+ shared keys? for .* but MAC mismatched', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'received AUTHENTICATION_FAILED notify error', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'received IDr .*, but require', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'constraint (?:check failed|requires)', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'no trusted .*public key found for (.*)', 'certificate', 'no trusted certificate for {0}', failure=True),
    meaning(r'no private key found for (.*)', 'certificate', 'no private key for {0}', failure=True),
    meaning(r'subject certificate invalid', 'certificate', 'a certificate is not valid now'),
    meaning(r'certificate was revoked', 'certificate', 'a certificate is revoked'),
    meaning(r'no issuer certificate found', 'certificate', 'no trusted certificate: the issuer is not known', weak=True),
    meaning(r'signature validation failed', 'authentication_failed', 'authentication failed', weak=True),
    meaning(r'no (?:alternative|matching peer) config found', 'authentication_failed', 'authentication failed', weak=True),
    meaning(r'received TS_UNACCEPTABLE notify', 'traffic_selectors', 'traffic selectors not accepted', failure=True),
    meaning(r'traffic selectors .* unacceptable', 'traffic_selectors', 'traffic selectors not accepted', failure=True),
    meaning(r'no acceptable traffic selectors found', 'traffic_selectors', 'traffic selectors not accepted', failure=True),
    meaning(r'received (\w+) notify, no CHILD_SA built', 'other', 'refused by the peer: {0}', failure=True),
    meaning(r'received (\w+) notify error', 'other', 'refused by the peer: {0}', failure=True),
    meaning(r'unable to resolve (.*), (?:initiate|retrying)', 'name_resolution', 'name {0} does not resolve', failure=True),
    meaning(r'unable to initiate to', 'other', 'the address of the peer is not known', failure=True),
    meaning(r'received DELETE for IKE_SA', 'closed_by_peer', 'peer closed it', failure=True, weak=True),
    meaning(r'received DELETE for (?:ESP|AH) CHILD_SA', 'closed_by_peer', 'peer closed it', weak=True),
    meaning(r'unable to install .* in kernel', 'kernel', 'the kernel refuses it', failure=True),
    meaning(r'received netlink error: (.*)', 'kernel', 'the kernel refuses it: {0}'),
    meaning(r'uniqueness policy', 'other', 'it is up already from another place', failure=True),
    meaning(r'failed to establish CHILD_SA', 'other', 'the child was not made', weak=True),
]
# With these charon does not know yet to which tunnel the peer belongs.
STRANGERS = re.compile(r'no (?:matching peer|IKE) config found|received proposals (?:un|in)acceptable')


class Reason(NamedTuple):
    words: str
    line: str
    at: float
    weak: bool

    def __str__(self) -> str:
        return f'{self.words} ({self.line})' if self.line else self.words


# --- What charon has


# The states of a CHILD_SA that carries packets: also while the next one is being made.
UP = {'INSTALLED', 'UPDATING', 'REKEYING', 'REKEYED'}
COMING = {'CREATED', 'INSTALLING', 'RETRYING'}
ENDING = {'DELETING', 'DESTROYING'}
COUNTERS = {
    'bytes-in': 'receive_bytes',
    'bytes-out': 'transmit_bytes',
    'packets-in': 'receive_packets',
    'packets-out': 'transmit_packets',
}


def number(message: vici.Message, key: str) -> int:
    try:
        return int(vici.text(message, key))
    except ValueError:
        return 0


class ChildSa(NamedTuple):
    uid: str
    name: str
    state: str
    installed: float  # on our clock


class IkeSa:
    def __init__(self, tunnel: str, message: vici.Message, now: float) -> None:
        self.tunnel = tunnel
        self.uid = vici.text(message, 'uniqueid')
        self.state = vici.text(message, 'state')
        self.remote = vici.text(message, 'remote-host')
        self.established = now - number(message, 'established') if vici.text(message, 'established') else None
        self.creates = 'CHILD_CREATE' in vici.items(message, 'tasks-active') + vici.items(message, 'tasks-queued')
        self.misses = 0
        self.children = [
            ChildSa(
                vici.text(child, 'uniqueid'),
                vici.text(child, 'name') or key,
                vici.text(child, 'state'),
                now - number(child, 'install-time'),
            )
            for key, child in vici.sections(vici.section(message, 'child-sas'))
        ]


class Attempt:
    """When a child may be initiated next."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.delay = 0.0

    def made(self, now: float) -> None:
        self.delay = min(LAST_SECONDS, max(FIRST_SECONDS, 2 * self.delay))
        self.at = now + self.delay


class TunnelState:
    """What is remembered of a tunnel."""

    def __init__(self) -> None:
        self.remote = ''
        self.up = False
        self.reason: Optional[Reason] = None
        self.attempts: Dict[str, Attempt] = {}
        self.ups: Set[str] = set()  # the children that were up when last seen
        self.initiations = 0
        self.rekeys = 0
        self.failures = {kind: 0 for kind in KINDS}
        self.child_rekeys: Dict[str, int] = {}
        self.totals: Dict[str, Dict[str, int]] = {}


class Job(NamedTuple):
    """Questions that charon may think about for long."""

    number: int
    tunnel: str
    command: str
    requests: List[vici.Message]


class Answer(NamedTuple):
    job: Job
    problem: str  # empty: all are answered


class Closing(NamedTuple):
    """What is to be terminated because it has changed."""

    number: int
    requests: List[vici.Message]
    after: Optional[Section]  # the connection as it is loaded once that is done; None: it is gone


def refusal(answer: vici.Message) -> str:
    complaint = vici.text(answer, 'errmsg')
    if vici.text(answer, 'success') == 'yes' or complaint.startswith('no matching SAs'):
        return ''
    return printable(complaint) or 'charon refused'


class Workers:
    """Threads that ask charon what would hold up the main loop."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.jobs: 'queue.Queue[Job]' = queue.Queue()
        self.answers: 'queue.Queue[Answer]' = queue.Queue()
        for _ in range(STARTERS):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self.jobs.get()
            problem = ''
            try:
                client = vici.Client(self.path, SLOW_SECONDS)
                try:
                    for request in job.requests:
                        problem = refusal(client.request(job.command, request)) or problem
                finally:
                    client.close()
            except vici.Error as error:
                problem = str(error)
            except Exception as error:  # the thread has to live
                problem = type(error).__name__
            self.answers.put(Answer(job, problem))


# --- What is shown of it


class ChildView(NamedTuple):
    name: str
    up: bool
    state: str
    installed: Optional[float]
    totals: Dict[str, int]
    rekeys: int


class TunnelView(NamedTuple):
    name: str
    initiates: bool
    children: List[ChildView]
    peer: str
    why: str  # why a child is not up
    established: Optional[float]
    initiations: int
    rekeys: int
    failures: Dict[str, int]
    expiry: Optional[float]

    def up(self) -> bool:
        return all(child.up for child in self.children)


class View(NamedTuple):
    """All that is told, as it was at one moment."""

    gateway: str
    charon: str  # its version, or empty
    charon_problem: str
    loaded: bool  # charon has connections from us
    problems: List[str]  # of the configuration
    network: str  # empty: ok
    stranger: str
    tunnels: List[TunnelView]


def not_ready(view: View, readiness: str) -> List[str]:
    """Why there is no service, a line each."""
    lines = [f'charon: {view.charon_problem}'] if view.charon_problem else []
    if not view.loaded:
        lines.append('configuration: it is not loaded')
    if readiness == 'tunnel' or not view.loaded:
        lines.extend(view.problems)
    if view.network:
        lines.append(f'network: {view.network}')
    if readiness == 'tunnel':
        lines.extend(
            f'{tunnel.name}: child {child.name} is not up: {tunnel.why}'
            for tunnel in view.tunnels
            for child in tunnel.children
            if not child.up
        )
    return lines


def duration(seconds: float) -> str:
    whole = max(0, int(seconds))
    for unit, name, smaller, small in ((86400, 'd', 3600, 'h'), (3600, 'h', 60, 'm'), (60, 'm', 1, 's')):
        if whole >= unit:
            return f'{whole // unit}{name} {whole % unit // smaller}{small}'
    return f'{whole}s'


def size(octets: int) -> str:
    for unit, name in ((1 << 30, 'GiB'), (1 << 20, 'MiB'), (1 << 10, 'KiB')):
        if octets >= unit:
            return f'{octets / unit:.1f} {name}'
    return f'{octets} B'


def table(rows: List[List[str]]) -> List[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def status_page(view: View, readiness: str, now: float) -> str:
    reasons = not_ready(view, readiness)
    lines = table(
        [
            ['gateway', view.gateway or '?'],
            ['charon', view.charon_problem or f'{view.charon} answers'],
            ['configuration', 'loaded' if view.loaded and not view.problems else 'has problems' if view.loaded else 'not loaded'],
            ['network', view.network or 'ok'],
            ['ready', 'no' if reasons else 'yes'],
        ]
    )
    if view.problems:
        lines += ['', 'problems', *(f'  {problem}' for problem in view.problems)]
    rows = [['TUNNEL', 'CHILD', 'STATE', 'FOR', 'RECEIVED', 'SENT', 'PEER']]
    for tunnel in view.tunnels:
        for child in tunnel.children:
            since = '-' if child.installed is None else duration(now - child.installed)
            volume = [size(child.totals[name]) for name in ('receive_bytes', 'transmit_bytes')]
            rows.append([tunnel.name, child.name, child.state, since, *volume, tunnel.peer or '-'])
    lines += ['', *table(rows)]
    down = [f'  {tunnel.name}: {tunnel.why}' for tunnel in view.tunnels if not tunnel.up()]
    if down:
        lines += ['', 'not up', *down]
    if view.stranger:
        lines += ['', f'last peer of no tunnel: {view.stranger}']
    return '\n'.join(lines) + '\n'


def label(text: str) -> str:
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n') + '"'


def metrics_page(view: View, now: float) -> str:
    lines: List[str] = []

    def family(name: str, kind: str, told: str, samples: List[Tuple[Dict[str, str], float]]) -> None:
        if not samples:
            return
        lines.extend([f'# HELP {name} {told}', f'# TYPE {name} {kind}'])
        for labels, value in samples:
            inside = ','.join(f'{key}={label(text)}' for key, text in labels.items())
            lines.append(f'{name}{{{inside}}} {int(value)}' if labels else f'{name} {int(value)}')

    def flag(name: str, told: str, truth: bool) -> None:
        family(name, 'gauge', told, [({}, int(truth))])

    def tunnels(name: str, kind: str, told: str, value: Callable[[TunnelView], Optional[float]]) -> None:
        pairs = [({'tunnel': tunnel.name}, value(tunnel)) for tunnel in view.tunnels]
        family(name, kind, told, [(labels, found) for labels, found in pairs if found is not None])

    def children(name: str, kind: str, told: str, value: Callable[[ChildView], float]) -> None:
        samples = [
            ({'tunnel': tunnel.name, 'child': child.name}, value(child)) for tunnel in view.tunnels for child in tunnel.children
        ]
        family(name, kind, told, samples)

    flag('ipsec_charon_up', 'Whether the daemon of IKE answers.', not view.charon_problem)
    configured = view.loaded and not view.problems
    flag('ipsec_configuration_ok', 'Whether all of the configuration and its secrets are loaded.', configured)
    flag('ipsec_network_ok', 'Whether interfaces, routes and filters are as they should be.', not view.network)
    tunnels('ipsec_tunnel_up', 'gauge', 'Whether all children of the tunnel are installed.', lambda tunnel: int(tunnel.up()))
    tunnels(
        'ipsec_tunnel_established_seconds',
        'gauge',
        'Seconds since the IKE_SA of the tunnel was made; 0: there is none.',
        lambda tunnel: 0 if tunnel.established is None else max(0, int(now - tunnel.established)),
    )
    started = 'Times that a child was started from here.'
    tunnels('ipsec_tunnel_initiations_total', 'counter', started, lambda tunnel: tunnel.initiations)
    family(
        'ipsec_tunnel_failures_total',
        'counter',
        'Times that the tunnel or a child of it could not be made, or was lost.',
        [
            ({'tunnel': tunnel.name, 'reason': kind}, tunnel.failures[kind])
            for tunnel in view.tunnels
            for kind in KINDS
        ],
    )
    tunnels('ipsec_tunnel_ike_rekeys_total', 'counter', 'Times that the IKE_SA was rekeyed.', lambda tunnel: tunnel.rekeys)
    tunnels(
        'ipsec_tunnel_certificate_expiry_timestamp_seconds',
        'gauge',
        'When the certificate of this end expires; only tunnels with certificates.',
        lambda tunnel: tunnel.expiry,
    )
    children('ipsec_child_up', 'gauge', 'Whether the child is installed.', lambda child: int(child.up))
    children(
        'ipsec_child_age_seconds',
        'gauge',
        'Seconds since the child was installed or rekeyed; 0: it is not installed.',
        lambda child: 0 if child.installed is None else max(0, int(now - child.installed)),
    )
    for name, told in (
        ('receive_bytes', 'Bytes received through the child.'),
        ('transmit_bytes', 'Bytes sent through the child.'),
        ('receive_packets', 'Packets received through the child.'),
        ('transmit_packets', 'Packets sent through the child.'),
    ):
        children(f'ipsec_child_{name}_total', 'counter', told, lambda child, name=name: child.totals[name])  # type: ignore[misc]
    children('ipsec_child_rekeys_total', 'counter', 'Times that the child was rekeyed.', lambda child: child.rekeys)
    return '\n'.join(lines) + '\n'


# --- The loop


class Load(NamedTuple):
    """A load that swanctl has been asked for."""

    number: int
    fingerprint: str
    certificates: Set[str]
    connections: Dict[str, Section]
    deadline: float


LOADED = re.compile(r"loaded connection '([^']+)'")
COMPLAINT = re.compile(r'failed|invalid|missing secret|unsupported|not found|syntax error|denied')
# Also where the name of a tunnel sounds like one; and how many are not loaded is told of each.
NO_COMPLAINT = re.compile(r"plugin '|opening directory|(?:successfully )?loaded |no \w+ found, ")


class Control:
    def __init__(self, config: str, state: str, readiness: str) -> None:
        self.config = config
        self.state = state
        self.readiness = readiness
        self.folder = os.path.join(state, 'swanctl')
        self.load_folder = os.path.join(state, 'load')
        self.socket = os.path.join(state, 'charon.vici')
        self.workers = Workers(self.socket)
        self.ticked = time.monotonic()

        # What is mounted
        self.gateway = Gateway('', {})
        self.inputs: Optional[Tuple[Any, ...]] = None
        self.composition: Optional[Composition] = None
        self.fingerprint = ''
        self.settings = ''  # the checksum of strongswan.conf
        self.mount_problems: List[str] = []

        # What charon has of it
        self.client: Optional[vici.Client] = None
        self.version = ''
        self.charon_problem = 'it has not answered yet'
        self.next_connect = 0.0
        self.running: Optional[Load] = None
        self.loaded: Dict[str, Section] = {}
        self.loaded_fingerprint = ''  # empty: load as soon as possible
        self.loaded_settings = ''
        self.loaded_certificates: Set[str] = set()
        self.was_loaded = False  # this charon has got something from us
        self.load_problems: List[str] = []
        self.tried = ('', '')
        self.next_load = 0.0
        self.closing: Dict[str, Closing] = {}  # by tunnel
        self.working: Set[str] = set()  # the tunnels that a worker is at work on
        self.last_job = 0

        # What is up
        self.sas: Dict[str, IkeSa] = {}
        self.listed = 0.0
        self.look_now = True
        self.tunnels: Dict[str, TunnelState] = {}
        self.seen: Dict[str, Tuple[float, Dict[str, int]]] = {}  # the counters of each CHILD_SA, by unique id
        self.looked_for = ''
        self.stranger = ''
        self.told: Dict[str, str] = {}
        self.view = self.make_view()

    def run(self) -> NoReturn:
        while True:
            started = time.monotonic()
            try:
                self.tick()
                self.ticked = time.monotonic()
            except Exception as error:  # a fault of ours must not end the tunnels; the liveness probe sees that it stays
                trace = error.__traceback__
                while trace is not None and trace.tb_next is not None:
                    trace = trace.tb_next
                log(f'a fault in line {trace.tb_lineno if trace else "?"}: {type(error).__name__}')
            time.sleep(max(TICK_SECONDS / 10, TICK_SECONDS - (time.monotonic() - started)))

    def tick(self) -> None:
        self.prepare()
        try:
            self.connect()
            if self.client is not None:
                self.take_events(self.client)
                self.load(self.client)
                self.look(self.client)
        except vici.Error as error:
            self.disconnect(str(error))
        self.take_answers()
        if self.client is not None:
            self.close_down()
            self.keep_up()
        self.view = self.make_view()
        self.tell()

    # The mounted files

    def prepare(self) -> None:
        """Compose anew if something has changed; not while swanctl reads."""
        if self.running is not None:
            return
        try:
            # One version of the ConfigMap, also while the kubelet turns ..data to another.
            folder = os.path.realpath(os.path.join(self.config, '..data'))
            folder = folder if os.path.isdir(folder) else self.config
            data = {name: read(os.path.join(folder, name)) for name in ('gateway.json', 'swanctl.conf', 'strongswan.conf')}
            for name in ('gateway.json', 'swanctl.conf'):
                if data[name] is None:
                    where = os.path.join(self.config, name)
                    raise Invalid(f'{name}: {where} cannot be read; mount the ConfigMap of the gateway there')
            gateway = parse_gateway(data['gateway.json'] or b'')
            inputs = read_inputs(gateway)
            all_inputs = (data, inputs, int(time.time() / CHECK_SECONDS))
            if all_inputs == self.inputs:
                return
            composition = compose(gateway, data['swanctl.conf'] or b'', inputs, time.time())
            write_composition(composition, self.folder, os.path.join(self.state, '.control.new'))
        except Invalid as invalid:
            self.inputs = None
            self.mount_problems = [str(invalid)]
            return
        except OSError as error:
            self.inputs = None
            self.mount_problems = [f'{self.folder}: it cannot be written: {reason_of(error)}; make room in its volume']
            return
        self.inputs = all_inputs
        self.gateway = gateway
        self.composition = composition
        self.fingerprint = composition.fingerprint()
        self.settings = hashlib.sha256(data['strongswan.conf'] or b'').hexdigest()
        self.mount_problems = composition.problems
        self.tunnels = {name: self.tunnels.get(name) or TunnelState() for name in gateway.tunnels}

    # The connection to charon

    def connect(self) -> None:
        now = time.monotonic()
        if self.client is not None or now < self.next_connect:
            return
        # charon may not answer a second time either.
        self.next_connect = now + FIRST_SECONDS
        try:
            client = vici.Client(self.socket, ANSWER_SECONDS)
        except vici.Error:
            self.next_connect = now
            raise
        try:
            version = client.request('version')
            for event in ('log', 'ike-updown', 'child-updown', 'ike-rekey', 'child-rekey'):
                client.listen(event)
        except vici.Error:
            client.close()
            raise
        self.client = client
        self.version = printable(vici.text(version, 'version')) or '?'
        self.charon_problem = ''
        log(f'charon {self.version} answers')
        self.forget_charon()
        self.recall()

    def disconnect(self, problem: str) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None
            self.forget_charon()
        self.charon_problem = f'it does not answer: {printable(problem)}'

    def forget_charon(self) -> None:
        self.sas = {}
        self.seen = {}
        self.running = None
        self.loaded = {}
        self.loaded_fingerprint = self.loaded_settings = ''
        self.loaded_certificates = set()
        self.was_loaded = False
        self.tried = ('', '')
        self.closing = {}
        self.look_now = True
        for state in self.tunnels.values():
            state.attempts = {}
            state.ups = set()

    def recall(self) -> None:
        """What this charon has loaded: charon.sh removes the file when it starts another one."""
        try:
            memory = json.loads(read(os.path.join(self.load_folder, 'loaded.json')) or b'{}')
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
            os.makedirs(self.load_folder, mode=0o700, exist_ok=True)
            self.write_load('loaded.json', json.dumps(memory).encode())
        except OSError:
            pass  # then a restart of this program alone sees no change that is made meanwhile

    def write_load(self, name: str, data: bytes) -> None:
        write_atomically(os.path.join(self.load_folder, name), data, os.path.join(self.load_folder, f'.{name}.new'))

    # Loading

    def load(self, client: vici.Client) -> None:
        now = time.monotonic()
        if self.running is not None:
            self.finish_load(self.running, now)
            return
        if self.composition is None:
            return
        wanted = (self.fingerprint, self.settings)
        if wanted == (self.loaded_fingerprint, self.loaded_settings) and not self.load_problems:
            return
        if wanted == self.tried and now < self.next_load:
            return
        self.tried = wanted
        if self.loaded_settings != self.settings:
            answer = client.request('reload-settings')
            if vici.text(answer, 'success') != 'yes':
                complaint = printable(vici.text(answer, 'errmsg')) or 'charon refused it'
                self.failed_load([f'strongswan.conf: {complaint}; install the chart anew'])
                return
            self.loaded_settings = self.settings
        number = self.last_number() + 1
        # swanctl alone takes no certificate away, so that charon would go on to trust an authority that is withdrawn.
        certificates = self.composition.certificates()
        clear = '' if self.loaded_certificates <= certificates else ' clear'
        self.loaded_certificates |= certificates
        self.remember()
        try:
            os.makedirs(self.load_folder, mode=0o700, exist_ok=True)
            self.write_load('wanted', f'{number}{clear}\n'.encode())
        except OSError as error:
            self.failed_load([f'{self.load_folder}: it cannot be written: {reason_of(error)}; make room in its volume'])
            return
        deadline = now + LOAD_SECONDS
        self.running = Load(number, self.fingerprint, certificates, self.composition.connections, deadline)

    def last_number(self) -> int:
        numbers = [0]
        for name in ('wanted', 'done'):
            found = re.match(rb'\d{1,15}', read(os.path.join(self.load_folder, name)) or b'')
            numbers.append(int(found[0]) if found else 0)
        return max(numbers)

    def failed_load(self, problems: List[str]) -> None:
        self.load_problems = problems
        self.next_load = time.monotonic() + RETRY_SECONDS

    def finish_load(self, load: Load, now: float) -> None:
        done = (read(os.path.join(self.load_folder, 'done')) or b'').decode(errors='replace').split('\n')
        found = re.fullmatch(r'(\d+) (\d+)', done[0])
        if found is None or int(found[1]) != load.number:
            if now > load.deadline:
                self.running = None
                late = f'swanctl has not answered in {LOAD_SECONDS:g} s'
                self.failed_load([f'configuration: {late}; look at the log of the container charon'])
            return
        self.running = None
        code, output = int(found[2]), done[1:]
        names = {each[1] for each in (LOADED.match(line) for line in output) if each}
        complaints = [printable(line) for line in output if COMPLAINT.search(line) and not NO_COMPLAINT.match(line)]
        if code != 0 and not complaints:
            tail = [printable(line) for line in output if line.strip()][-1:]
            complaints = [f'swanctl ended with {code}{": " if tail else ""}{"".join(tail)}']
        if complaints:
            self.failed_load([f'configuration: {complaint}' for complaint in dict.fromkeys(complaints)])
        else:
            self.load_problems = []
        if code == 0 or names:
            self.loaded_certificates = load.certificates
            self.was_loaded = True
            self.loaded_fingerprint = load.fingerprint
            log(f'loaded {len(names)} of {len(load.connections)} connections')
            self.compare(load.connections, names)

    def compare(self, wanted: Dict[str, Section], names: Set[str]) -> None:
        """Terminate what has changed: swanctl leaves the SAs of a connection as they were made."""
        for name in {**self.loaded, **wanted}:
            before, after = self.loaded.get(name), wanted.get(name)
            if after is not None and name not in names:
                continue  # it could not be loaded: what it was before it still is
            self.closing.pop(name, None)
            if before is not None and before != after:
                requests = []
                if after is None or own(before) != own(after):
                    requests = [{'ike': name}]
                else:
                    changed = [child for child, values in children_of(before).items() if children_of(after).get(child) != values]
                    requests = [{'ike': name, 'child': child} for child in changed]
                if requests:
                    what = ', '.join(str(request.get('child', 'the tunnel')) for request in requests)
                    log(f'{name}: terminate {what}, because {"it is gone" if after is None else "of other parameters"}')
                    self.last_job += 1
                    at_once = [{**request, 'timeout': '-1', 'loglevel': '-1'} for request in requests]
                    self.closing[name] = Closing(self.last_job, at_once, after)
                    continue
            if after is not None:
                self.loaded[name] = after
        self.remember()

    def close_down(self) -> None:
        for name, closing in self.closing.items():
            if name not in self.working:
                self.working.add(name)
                self.workers.jobs.put(Job(closing.number, name, 'terminate', closing.requests))

    # What charon does

    def take_events(self, client: vici.Client) -> None:
        for event in client.events():
            if event.name == 'log':
                self.hear(vici.text(event.message, 'ikesa-name'), vici.text(event.message, 'msg'))
                continue
            self.look_now = True
            for name, sa in vici.sections(event.message):
                if event.name == 'ike-rekey':
                    if name in self.tunnels:
                        self.tunnels[name].rekeys += 1
                    continue
                for key, child in vici.sections(vici.section(sa, 'child-sas')):
                    if event.name == 'child-rekey':
                        self.count(name, key, vici.section(child, 'old'))
                        self.count(name, key, vici.section(child, 'new'), rekey=True)
                    else:
                        self.count(name, key, child)
                if vici.text(event.message, 'up') != 'yes':
                    self.drop(event.name, vici.text(sa, 'uniqueid'), vici.section(sa, 'child-sas'))

    def drop(self, event: str, uid: str, children: vici.Message) -> None:
        if event == 'ike-updown':
            self.sas.pop(uid, None)
        elif event == 'child-updown' and uid in self.sas:
            gone = {vici.text(child, 'uniqueid') for _, child in vici.sections(children)}
            self.sas[uid].children = [child for child in self.sas[uid].children if child.uid not in gone]

    def hear(self, name: str, line: str) -> None:
        state = self.tunnels.get(name)
        if state is None:
            if line.startswith('looking for peer configs'):
                self.looked_for = line
            elif STRANGERS.search(line):
                self.stranger = printable(f'{line} ({self.looked_for})' if 'peer config' in line else line)
            return
        found = re.match(r'initiating .* to ([0-9a-fA-F.:]+)', line)
        if found:
            state.remote = found[1]
        for each in MEANINGS:
            caught = each.pattern.search(line)
            if caught is None:
                continue
            now = time.monotonic()
            if each.failure:
                state.failures[each.kind] += 1
            before = state.reason
            if not each.weak or before is None or before.weak or now - before.at > OLD_SECONDS:
                words = each.words.format(*caught.groups(), peer=state.remote or 'the peer')
                state.reason = Reason(printable(words), printable(line), now, each.weak)
            return

    def count(self, tunnel: str, key: str, child: vici.Message, rekey: bool = False) -> None:
        """Add what a CHILD_SA has carried since it was last seen."""
        state = self.tunnels.get(tunnel)
        uid, name = vici.text(child, 'uniqueid'), vici.text(child, 'name') or re.sub(r'-\d+$', '', key)
        if state is None or uid == '':
            return
        if rekey:
            state.child_rekeys[name] = state.child_rekeys.get(name, 0) + 1
        if not vici.text(child, 'bytes-in'):
            return
        before = self.seen.get(uid, (0.0, {}))[1]
        values = {key: max(number(child, key), before.get(key, 0)) for key in COUNTERS}
        totals = state.totals.setdefault(name, dict.fromkeys(COUNTERS.values(), 0))
        for key, counter in COUNTERS.items():
            totals[counter] += values[key] - before.get(key, 0)
        self.seen[uid] = (time.monotonic(), values)

    def look(self, client: vici.Client) -> None:
        now = time.monotonic()
        well = all(state.up for state in self.tunnels.values()) and not any(sa.misses for sa in self.sas.values())
        if not self.look_now and now - self.listed < (QUIET_SECONDS if well else 0):
            return
        self.listed = now
        self.look_now = False
        # Without waiting: charon would else answer only when the last name is resolved.
        found: Dict[str, IkeSa] = {}
        for message in client.stream('list-sas', 'list-sa', {'noblock': 'yes'}):
            for name, sa in vici.sections(message):
                found_sa = IkeSa(name, sa, now)
                found[found_sa.uid] = found_sa
                for key, child in vici.sections(vici.section(sa, 'child-sas')):
                    self.count(name, key, child)
        listed = {child.uid for sa in found.values() for child in sa.children}
        for uid, old in self.sas.items():
            if uid not in found and old.misses + 1 < MISSES:
                old.misses += 1
                old.children = [child for child in old.children if child.uid not in listed]
                found[uid] = old
        self.sas = found
        self.seen = {uid: seen for uid, seen in self.seen.items() if uid in listed or now - seen[0] < OLD_SECONDS}
        for name, tunnel in self.gateway.tunnels.items():
            self.judge(name, tunnel, now)

    def sas_of(self, tunnel: str) -> List[IkeSa]:
        return [sa for sa in self.sas.values() if sa.tunnel == tunnel]

    def children_up(self, tunnel: str) -> Dict[str, ChildSa]:
        """The newest CHILD_SA of each child that is up."""
        newest: Dict[str, ChildSa] = {}
        for sa in self.sas_of(tunnel):
            for child in sa.children:
                if child.state in UP and sa.state not in ENDING:
                    if child.name not in newest or newest[child.name].installed < child.installed:
                        newest[child.name] = child
        return newest

    def judge(self, name: str, tunnel: Tunnel, now: float) -> None:
        state = self.tunnels[name]
        for sa in self.sas_of(name):
            if sa.remote not in ('', '%any', '0.0.0.0', '::'):
                state.remote = sa.remote
        up = set(self.children_up(name)) & set(tunnel.children)
        for child in up:
            state.attempts.pop(child, None)
        for child in state.ups - up:
            state.attempts[child] = Attempt(now + CHARON_FIRST_SECONDS)
        state.ups = up
        was_up, state.up = state.up, up >= set(tunnel.children)
        if state.up and not was_up:
            log(f'{name}: up')
        elif was_up and not state.up:
            log(f'{name}: down')
        if state.reason and state.up and (not was_up or now - state.reason.at > OLD_SECONDS):
            state.reason = None

    # Keeping it up

    def keep_up(self) -> None:
        if self.look_now:
            return  # something has happened since charon was asked
        now = time.monotonic()
        for name, tunnel in self.gateway.tunnels.items():
            connection = self.loaded.get(name)
            busy = name in self.working or name in self.closing or self.running is not None
            if not tunnel.initiates or connection is None or not self.was_loaded or busy:
                continue
            state = self.tunnels[name]
            sas = [sa for sa in self.sas_of(name) if sa.state not in ENDING]
            if any(sa.state in ('CREATED', 'CONNECTING') or sa.creates for sa in sas):
                continue
            coming = {child.name for sa in sas for child in sa.children if child.state in COMING}
            missing = [child for child in tunnel.children if child not in state.ups | coming and child in children_of(connection)]
            due = [child for child in missing if child not in state.attempts or state.attempts[child].at <= now]
            if not due:
                continue
            for child in due:
                state.attempts.setdefault(child, Attempt(now)).made(now)
                state.initiations += 1
            self.working.add(name)
            self.last_job += 1
            requests: List[vici.Message] = [{'ike': name, 'child': child, 'timeout': '-1', 'loglevel': '-1'} for child in due]
            self.workers.jobs.put(Job(self.last_job, name, 'initiate', requests))

    def take_answers(self) -> None:
        while True:
            try:
                answer = self.workers.answers.get_nowait()
            except queue.Empty:
                return
            name, closing = answer.job.tunnel, self.closing.get(answer.job.tunnel)
            self.working.discard(name)
            self.look_now = True
            state = self.tunnels.get(name)
            if closing is not None and closing.number == answer.job.number and not answer.problem:
                del self.closing[name]
                if closing.after is None:
                    self.loaded.pop(name, None)
                else:
                    self.loaded[name] = closing.after
                self.remember()
                if state:
                    state.attempts, state.ups = {}, set()  # not charon, but this program starts it again
            elif answer.job.command == 'initiate' and answer.problem and state and state.reason is None:
                state.reason = Reason('it cannot be started', answer.problem, time.monotonic(), True)

    # What is told

    def network_problem(self) -> str:
        file = os.path.join(self.state, 'network', 'status')
        try:
            age = time.time() - os.stat(file).st_mtime
        except OSError:
            return 'it has not been reported yet'
        if abs(age) > NETWORK_SECONDS:
            return 'stale'
        line = printable((read(file) or b'').decode(errors='replace').split('\n')[0])
        return '' if line == 'ok' else line or 'it gives no reason'

    def why(self, tunnel: Tunnel) -> str:
        state = self.tunnels[tunnel.name]
        if self.client is None:
            return 'charon does not answer'
        if tunnel.name not in self.loaded:
            return 'its connection is not loaded'
        unknown = [child for child in tunnel.children if child not in children_of(self.loaded[tunnel.name])]
        if unknown:
            return f'the child {unknown[0]} is not loaded'
        if state.reason:
            return str(state.reason)
        if any(sa.state == 'CONNECTING' for sa in self.sas_of(tunnel.name)):
            return f'connecting to {state.remote or "the peer"}'
        return 'it is being started' if tunnel.initiates else 'the peer has not started it'

    def make_view(self) -> View:
        tunnels = []
        for name, tunnel in self.gateway.tunnels.items():
            state = self.tunnels[name]
            up = self.children_up(name)
            established = [sa.established for sa in self.sas_of(name) if sa.established is not None and sa.state not in ENDING]
            children = []
            for child in tunnel.children:
                others = [each.state for sa in self.sas_of(name) for each in sa.children if each.name == child]
                totals = dict(state.totals.get(child) or dict.fromkeys(COUNTERS.values(), 0))
                installed = up[child].installed if child in up else None
                shown = 'up' if child in up else others[0].lower() if others else 'down'
                children.append(ChildView(child, child in up, shown, installed, totals, state.child_rekeys.get(child, 0)))
            tunnels.append(
                TunnelView(
                    name,
                    tunnel.initiates,
                    children,
                    state.remote,
                    self.why(tunnel),
                    max(established) if established else None,
                    state.initiations,
                    state.rekeys,
                    dict(state.failures),
                    self.composition.expiry.get(name) if self.composition else None,
                )
            )
        problems = self.mount_problems + self.load_problems
        loaded = self.client is not None and self.was_loaded
        return View(
            self.gateway.name, self.version, self.charon_problem, loaded, problems, self.network_problem(), self.stranger, tunnels
        )

    def tell(self) -> None:
        """Log every problem when it comes, and when it has gone."""
        view = self.view
        now = {problem: problem for problem in view.problems}
        details = dict(now)
        for key, problem in (('charon', view.charon_problem), ('network', view.network)):
            if problem:
                now[key] = details[key] = f'{key}: {problem}'
        for tunnel in view.tunnels:
            reason = self.tunnels[tunnel.name].reason
            if reason and not tunnel.up():
                # The same words with another line are no news.
                now[f'{tunnel.name}:'] = reason.words
                details[f'{tunnel.name}:'] = f'{tunnel.name}: {reason}'
        for key, sentence in now.items():
            if self.told.get(key) != sentence:
                log(details[key])
        for key, sentence in self.told.items():
            if key not in now and key == sentence:
                log(f'corrected: {sentence}')
            elif key not in now and key == 'network':
                log('network: ok')
        self.told = now


def own(connection: Section) -> Section:
    """The parameters of a connection that are not those of its children."""
    return {key: value for key, value in connection.items() if key != 'children'}


# --- Over HTTP


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    control: Control

    def server_bind(self) -> None:
        # Not that of HTTPServer, which looks for the name of this host in DNS.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = '', self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # somebody went away before the end of the answer


class DualStackServer(Server):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 10
    server: Server
    server_version, sys_version = 'control', ''

    def do_GET(self) -> None:
        control = self.server.control
        view, now = control.view, time.monotonic()
        code, kind = 200, 'text/plain; charset=utf-8'
        path = self.path.split('?')[0]
        age = now - control.ticked
        stale = [f'control: its loop stands still for {duration(age)}'] if age > LIVE_SECONDS else []
        if path == '/live':
            lines = stale
        elif path == '/ready':
            lines = stale + not_ready(view, control.readiness)
        if path in ('/live', '/ready'):
            code = 503 if lines else 200
            body = '\n'.join(lines or [path[1:]]) + '\n'
        elif path == '/status':
            body = ''.join(f'{line}\n' for line in stale) + status_page(view, control.readiness, now)
        elif path == '/metrics':
            kind = 'text/plain; version=0.0.4; charset=utf-8'
            body = metrics_page(view, now)
        else:
            code, body = 404, 'there are /live, /ready, /status and /metrics\n'
        data = body.encode()
        self.send_response(code)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(data)))
        self.send_header('Cache-Control', 'no-store')
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(data)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve(control: Control, port: int) -> None:
    complaint = ''
    for kind, address in ((DualStackServer, '::'), (Server, '0.0.0.0')):
        try:
            server = kind((address, port), Handler)
            server.control = control
            threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 3600}, daemon=True).start()
            return
        except OSError as error:
            complaint = reason_of(error)
    die(f'HEALTH_PORT: port {port} cannot be served: {complaint}; choose another')


def main() -> None:
    # Also as process 1, which no signal ends by itself; the threads have nothing to finish.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: os._exit(0))
    os.umask(0o077)
    port = os.environ.get('HEALTH_PORT', '8080')
    if not re.fullmatch(r'[1-9][0-9]{0,4}', port) or int(port) > 65535:
        die(f'HEALTH_PORT: it is not a port, got {json.dumps(port)}; give a number from 1 to 65535')
    readiness = os.environ.get('READINESS', 'tunnel')
    if readiness not in ('tunnel', 'process'):
        die(f'READINESS: it is neither tunnel nor process, got {json.dumps(readiness)}; give one of the two')
    state = os.environ.get('STATE', '/run/vpn')
    if not os.path.isdir(state):
        die(f'STATE: there is no folder {state}; mount a volume there')
    control = Control(os.environ.get('CONFIG', '/config'), state, readiness)
    serve(control, int(port))
    control.run()


if __name__ == '__main__':
    main()

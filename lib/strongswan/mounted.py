"""mounted.py: what is mounted for a gateway: gateway.json, and the files of its tunnels' secrets."""
import json
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional

from files import read

NAME = re.compile(r'[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?')

Inputs = Dict[str, Optional[bytes]]  # the content of a file, or None if it cannot be read


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


class Mounted(NamedTuple):
    """A certificate with its key."""

    folder: str
    identity: str  # that stands in it


class Tunnel(NamedTuple):
    name: str
    initiates: bool
    children: List[str]
    keys: List[SharedKey]
    certificate: Optional[Mounted]
    authorities: Dict[str, Secret]  # by the name of the file for swanctl
    speaks_bgp: bool = False


class Gateway(NamedTuple):
    name: str
    tunnels: Dict[str, Tunnel]
    host: str = ''  # the name of its pod
    siblings: Dict[str, str] = {}  # the names of the pods of the other gateways
    drain_timeout: int = 0  # seconds
    fabric: bool = False  # whether the pod has a reflector


def member(parent: Any, key: str, kind: type, where: str) -> Any:
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind):
        raise Invalid(f'gateway.json: {where}{key} is missing or of another type; install the chart anew')
    return value


def optional(parent: Any, key: str, kind: type, where: str, otherwise: Any) -> Any:
    return member(parent, key, kind, where) if key in parent else otherwise


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
    siblings = filled(optional(root, 'siblings', dict, '', {}))
    for name in siblings:
        member(siblings, name, str, 'siblings.')
    return Gateway(
        member(root, 'gateway', str, ''),
        {name: parse_tunnel(name, values) for name, values in tunnels.items()},
        optional(root, 'host', str, '', ''),
        siblings,
        optional(root, 'drainTimeoutSeconds', int, '', 0),
        optional(root, 'fabric', bool, '', False),
    )


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
    certificate = None
    if 'certificate' in values:
        within = f'{where}certificate.'
        mounted = member(values, 'certificate', dict, where)
        certificate = Mounted(member(mounted, 'folder', str, within), member(mounted, 'identity', str, within))
    authorities = {}
    if 'authorities' in values:
        for file, secret in filled(member(values, 'authorities', dict, where)).items():
            if not file.endswith('.crt') or not NAME.fullmatch(file[: -len('.crt')]):
                raise Invalid(f'gateway.json: {json.dumps(file)} is not the name of a certificate; install the chart anew')
            authorities[file] = parse_secret(secret, f'{where}authorities.{file}.')
    initiates = member(values, 'initiates', bool, where)
    return Tunnel(name, initiates, children, keys, certificate, authorities, optional(values, 'bgp', bool, where, False))


def parse_secret(values: Any, where: str) -> Secret:
    return Secret(member(values, 'file', str, where), member(values, 'source', str, where))


def parse_rule(values: Any, where: str) -> Rule:
    try:
        pattern = to_pattern(member(values, 'pattern', str, f'{where}rules.'))
    except re.error:
        raise Invalid(f'gateway.json: {where}rules has what is no pattern; install the chart anew') from None
    return Rule(pattern, member(values, 'problem', str, f'{where}rules.'), member(values, 'remedy', str, f'{where}rules.'))


def read_inputs(gateway: Gateway) -> Inputs:
    """All that is mounted for the tunnels."""
    files = []
    for tunnel in gateway.tunnels.values():
        files.extend(key.secret.file for key in tunnel.keys)
        if tunnel.certificate is not None:
            files.extend(os.path.join(tunnel.certificate.folder, name) for name in ('tls.crt', 'tls.key'))
        files.extend(secret.file for secret in tunnel.authorities.values())
    return {file: read(file) for file in files}

"""kernel.py: what the kernel has of links, addresses, routes, rules and neighbours, and the changes that make it what is wanted.

What reads asks `ip` or `bridge`; what decides is a function of data alone; what changes is one batch, which has only differences.
"""
import ipaddress
import json
import subprocess
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from addresses import canonical
from say import printable

PROTOCOL = '86'  # of routes and rules that we ourselves add
LAST_METRIC = 4294967295  # of the route that ends a table
ANYWHERE = {4: '0.0.0.0/0', 6: '::/0'}
KINDS = {'1': 'unicast', '6': 'blackhole', '7': 'unreachable', '8': 'prohibit'}
TABLES = {'253': 'default', '254': 'main', '255': 'local'}
SECONDS = 30


class KernelError(Exception):
    """What the kernel refused, as a sentence."""


class Route(NamedTuple):
    destination: str  # as the kernel prints it, with its length
    device: str = ''
    gateway: str = ''
    source: str = ''
    kind: str = 'unicast'
    metric: int = 0
    onlink: bool = False

    def words(self) -> str:
        parts = [] if self.kind == 'unicast' else [self.kind]
        parts.append(self.destination)
        # The kernel refuses a device for these.
        if self.kind == 'unicast':
            parts += ['via', self.gateway] if self.gateway else []
            parts += ['dev', self.device] if self.device else []
            parts += ['onlink'] if self.onlink else []
        parts += ['src', self.source] if self.source else []
        parts += ['metric', str(self.metric)] if self.metric else []
        return ' '.join(parts)


class Rule(NamedTuple):
    priority: int
    table: str  # its number, or main
    source: str = ''  # empty: all
    destination: str = ''
    interface: str = ''  # by which a packet comes in

    def words(self) -> str:
        parts = ['from', self.source or 'all']
        parts += ['to', self.destination] if self.destination else []
        parts += ['iif', self.interface] if self.interface else []
        return ' '.join([*parts, 'lookup', self.table, 'priority', str(self.priority)])


class Neighbour(NamedTuple):
    address: str
    mac: str


class Learned(NamedTuple):
    """An entry of the forwarding database of a VXLAN link."""

    mac: str
    outer: str  # the address from which its frames come, or to which they go
    permanent: bool


class Link(NamedTuple):
    """A VXLAN link as it is wanted."""

    name: str
    mac: str
    vni: int
    port: int
    local: str
    learning: bool
    mtu: int


def run(command: Sequence[str], data: bytes) -> 'subprocess.CompletedProcess[bytes]':
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise KernelError(f'{" ".join(command)} has not ended within {SECONDS} s') from None


# Reading


def ask(*command: str) -> List[Any]:
    """What `ip` or `bridge` print as JSON; an object or a table that does not exist is empty."""
    done = run(command, b'')
    if done.returncode != 0:
        complaint = done.stderr.decode(errors='replace')
        if 'does not exist' in complaint or 'Cannot find device' in complaint or 'No such device' in complaint:
            return []
        raise KernelError(f'cannot ask {" ".join(command)}: {printable(complaint)}')
    try:
        answer = json.loads(done.stdout or b'[]')
    except ValueError:
        raise KernelError(f'cannot ask {" ".join(command)}: its answer is not JSON') from None
    # An empty object stands in lists of old versions for what they leave out.
    return [each for each in answer if each] if isinstance(answer, list) else []


def links(name: str = '') -> List[Any]:
    return ask('ip', '-j', '-d', 'link', 'show', *(['dev', name] if name else []))


def addresses(device: str = '') -> List[Any]:
    return ask('ip', '-j', 'address', 'show', *(['dev', device] if device else []))


def routes(version: int, table: str = 'main', *more: str) -> List[Any]:
    """Protocols and tables are numbers: 186 is bgp. What `more` asks for, `ip` leaves out of its answer."""
    left_out = {word: value for word, value in zip(more, more[1:]) if word in ('proto', 'dev')}
    same = {{'proto': 'protocol'}.get(word, word): value for word, value in left_out.items()}
    return [{**same, **each} for each in ask('ip', f'-{version}', '-j', '-N', 'route', 'show', 'table', table, *more)]


def rules(version: int) -> List[Any]:
    return ask('ip', f'-{version}', '-j', '-N', 'rule', 'show')


def neighbours(device: str) -> List[Any]:
    return ask('ip', '-j', 'neighbour', 'show', 'dev', device, 'nud', 'all')


def fdb(device: str) -> List[Any]:
    """With the seconds since an entry was made or its outer address changed."""
    return ask('bridge', '-j', '-s', 'fdb', 'show', 'dev', device)


# What was read, as data of our own


def parse_routes(answer: Iterable[Any], version: int = 4, protocol: str = PROTOCOL) -> List[Route]:
    """Those of a protocol, or of any for an empty one; with several next hops, one for each. Only a default route needs the version."""
    found = []
    for each in answer:
        if protocol and str(each.get('protocol')) != protocol:
            continue
        destination = str(each.get('dst', ''))
        if destination == 'default':
            destination = ANYWHERE[version]
        kind = str(each.get('type', 'unicast'))
        kind = KINDS.get(kind, kind)
        common = {'source': str(each.get('prefsrc', '')), 'kind': kind, 'metric': int(each.get('metric', 0))}
        for hop in each.get('nexthops') or [each]:
            gateway = hop.get('gateway') or hop.get('via', {}).get('host', '')
            device = hop.get('dev', '') if kind == 'unicast' else ''
            onlink = 'onlink' in hop.get('flags', [])
            found.append(Route(canonical(destination), str(device), str(gateway), onlink=onlink, **common))
    return found


def parse_rules(answer: Iterable[Any], protocol: str = PROTOCOL) -> List[Rule]:
    """Those of a protocol, or of any for an empty one."""

    def network(each: Any, name: str) -> str:
        address = str(each.get(name, 'all'))
        return '' if address == 'all' else canonical(f'{address}/{each[name + "len"]}' if f'{name}len' in each else address)

    return [
        Rule(
            int(each.get('priority', 0)),
            TABLES.get(str(each.get('table', '')), str(each.get('table', ''))),
            network(each, 'src'),
            network(each, 'dst'),
            str(each.get('iif', '')),
        )
        for each in answer
        if not protocol or str(each.get('protocol')) == protocol
    ]


def parse_neighbours(answer: Iterable[Any]) -> List[Neighbour]:
    """The permanent ones."""
    return [
        Neighbour(str(each['dst']), str(each['lladdr']).lower())
        for each in answer
        if 'PERMANENT' in each.get('state', []) and 'lladdr' in each
    ]


def parse_fdb(answer: Iterable[Any]) -> List[Learned]:
    return [
        Learned(str(each['mac']).lower(), str(each['dst']), each.get('state') == 'permanent')
        for each in answer
        if 'mac' in each and 'dst' in each
    ]


# Differences, as lines for a batch


def route_changes(wanted: Iterable[Route], there: Iterable[Route], table: str = 'main') -> List[str]:
    """Both must be of one family and table; what is there has our protocol."""
    wanted, there = list(dict.fromkeys(wanted)), list(there)
    end = f'table {table} proto {PROTOCOL}'
    gone = [f'route delete {route.words()} {end}' for route in there if route not in wanted]
    kept = set(there)
    return gone + [f'route replace {route.words()} {end}' for route in wanted if route not in kept]


def rule_changes(wanted: Iterable[Rule], there: Iterable[Rule]) -> List[str]:
    """What is missing comes before what is too much goes: there is no moment with neither."""
    wanted, left = list(dict.fromkeys(wanted)), list(there)
    missing = []
    for rule in wanted:
        if rule in left:
            left.remove(rule)
        else:
            missing.append(f'rule add {rule.words()} protocol {PROTOCOL}')
    return missing + [f'rule delete {rule.words()} protocol {PROTOCOL}' for rule in left]


def neighbour_changes(device: str, wanted: Iterable[Neighbour], there: Iterable[Neighbour]) -> List[str]:
    wanted, there = list(wanted), set(there)
    kept = {neighbour.address for neighbour in wanted}
    gone = [f'neighbour delete {address} dev {device}' for address, _ in sorted(there) if address not in kept]
    return gone + [
        f'neighbour replace {address} lladdr {mac} dev {device} nud permanent'
        for address, mac in wanted
        if Neighbour(address, mac) not in there
    ]


def fdb_changes(device: str, wanted: Iterable[Learned], there: Iterable[Learned]) -> List[str]:
    """For a link that does not learn."""
    wanted, there = set(wanted), set(there)
    return [f'fdb delete {mac} dst {outer} dev {device}' for mac, outer, _ in sorted(there - wanted)] + [
        f'fdb append {mac} dst {outer} dev {device} permanent' for mac, outer, _ in sorted(wanted - there)
    ]


def address_changes(device: str, wanted: Iterable[str], there: Iterable[Any]) -> List[str]:
    """Addresses with their lengths; those that the kernel itself gives a link are left alone."""
    has = {
        f'{ipaddress.ip_address(info["local"])}/{info["prefixlen"]}'
        for link in there
        if link.get('ifname') == device
        for info in link.get('addr_info', [])
        if info.get('scope') != 'link'
    }
    wanted = list(dict.fromkeys(wanted))
    gone = [f'address delete {address} dev {device}' for address in sorted(has) if address not in wanted]
    return gone + [
        f'address replace {address} dev {device}{" nodad" if ":" in address else ""}' for address in wanted if address not in has
    ]


# Changing


def apply(lines: Sequence[str], version: int = 0, program: str = 'ip') -> List[str]:
    """Makes the changes of one batch, all that can be made; what could not be made is told, a sentence each.

    Rules need the version; of everything else it is seen.
    """
    if not lines:
        return []
    family = [f'-{version}'] if version else []
    command = [program, *family, '-force', '-batch', '-']
    done = run(command, ('\n'.join(lines) + '\n').encode())
    return [] if done.returncode == 0 else batch_problems(lines, done.stderr.decode(errors='replace'))


def batch_problems(lines: Sequence[str], complaints: str) -> List[str]:
    """Which lines failed and why: a complaint stands before the line that names its number."""
    problems, reason = [], ''
    for complaint in complaints.splitlines():
        if complaint.startswith('Command failed'):
            number = complaint.rpartition(':')[2].strip()
            line = lines[int(number) - 1] if number.isdigit() and 0 < int(number) <= len(lines) else '?'
            problems.append(f'cannot {line}: {printable(reason) or "the kernel gives no reason"}')
            reason = ''
        else:
            reason = complaint
    return problems or [f'cannot change the network: {printable(reason) or "the kernel gives no reason"}']


def is_right(there: Any, wanted: Link) -> bool:
    """Whether a link can stay: all but its MTU and MAC, which can be set."""
    info = there.get('linkinfo', {})
    data = info.get('info_data', {})
    return (
        info.get('info_kind') == 'vxlan'
        and data.get('id') == wanted.vni
        and data.get('port') == wanted.port
        and data.get('local') == wanted.local
        and bool(data.get('learning', True)) == wanted.learning
        and not data.get('udp_csum', False)
    )


def link_changes(wanted: Link, there: Sequence[Any]) -> List[str]:
    """A link that is right is never deleted."""
    mine = [each for each in there if each.get('ifname') == wanted.name]
    changes = []
    if mine and not is_right(mine[0], wanted):
        changes.append(f'link delete dev {wanted.name}')
        mine = []
    if not mine:
        learning = 'learning' if wanted.learning else 'nolearning'
        changes.append(
            f'link add {wanted.name} address {wanted.mac} mtu {wanted.mtu} type vxlan id {wanted.vni} dstport {wanted.port} '
            f'noudpcsum udp6zerocsumtx udp6zerocsumrx local {wanted.local} {learning}'
        )
        return [*changes, f'link set dev {wanted.name} up']
    if str(mine[0].get('address', '')).lower() != wanted.mac:
        changes.append(f'link set dev {wanted.name} address {wanted.mac}')
    if mine[0].get('mtu') != wanted.mtu:
        changes.append(f'link set dev {wanted.name} mtu {wanted.mtu}')
    if 'UP' not in mine[0].get('flags', []):
        changes.append(f'link set dev {wanted.name} up')
    return changes


def ensure_link(wanted: Link) -> List[str]:
    """Makes or corrects the link; what could not be done is told."""
    return apply(link_changes(wanted, links(wanted.name)))


def default_route(version: int = 4) -> Optional[Tuple[str, str]]:
    """The next hop, or an empty one, and the device of the default route of main."""
    for each in routes(version, 'main', 'default'):
        for hop in each.get('nexthops') or [each]:
            if hop.get('dev'):
                return str(hop.get('gateway', '')), str(hop['dev'])
    return None


def mtu_of(device: str) -> int:
    """0: there is no such link."""
    return next((int(each.get('mtu', 0)) for each in links(device)), 0)


def own_addresses(answer: Iterable[Any], device: str) -> Dict[int, List[str]]:
    """The global addresses of a link, by version."""
    found: Dict[int, List[str]] = {4: [], 6: []}
    for link in answer:
        if link.get('ifname') == device:
            for info in link.get('addr_info', []):
                if info.get('scope') == 'global':
                    found[6 if info.get('family') == 'inet6' else 4].append(str(info['local']))
    return found

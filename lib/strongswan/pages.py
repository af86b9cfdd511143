"""pages.py: what is shown of the tunnels: why the pod is not ready, the status, and the metrics."""
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from reasons import KINDS
from reflection import NODES, Session


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
    session: Optional[Session]  # None: it has none, or nothing is known of it
    speaks_bgp: bool

    def up(self) -> bool:
        return all(child.up for child in self.children)

    def carries(self) -> bool:
        """Whether packets for what is behind it have a way."""
        return self.up() and (not self.speaks_bgp or (self.session is not None and self.session.up()))


class FabricView(NamedTuple):
    """What the reflector tells of the routes."""

    problem: str  # why nothing is known; empty: all is
    nodes: Dict[str, int]
    counts: Dict[str, int]


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
    fabric: Optional[FabricView]  # None: there is none
    turn: str  # what is waited for
    carrying: bool
    leaving: bool


def not_ready(view: View, readiness: str) -> List[str]:
    """Why there is no service, a line each."""
    lines = [f'charon: {view.charon_problem}'] if view.charon_problem else []
    if not view.loaded:
        lines.append('configuration: it is not loaded')
        if view.turn:
            lines.append(f'turn: {view.turn}')
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
        if view.fabric is not None and view.fabric.problem:
            lines.append(f'fabric: {view.fabric.problem}')
        elif view.fabric is not None:
            lines.extend(
                f'{tunnel.name}: BGP session is not established: {tunnel.session.state if tunnel.session else "unknown"}'
                for tunnel in view.tunnels
                if tunnel.up() and not tunnel.carries()
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
    known = [
        ['gateway', view.gateway or '?'],
        ['charon', view.charon_problem or f'{view.charon} answers'],
        ['configuration', 'loaded' if view.loaded and not view.problems else 'has problems' if view.loaded else 'not loaded'],
        ['network', view.network or 'ok'],
    ]
    if view.fabric is not None:
        nodes = view.fabric.nodes
        known.append(['fabric', view.fabric.problem or f'{nodes["established"]} of {nodes["known"]} nodes'])
    if view.turn:
        known.append(['turn', view.turn])
    lines = table([*known, ['ready', 'no' if reasons else 'yes']])
    if view.problems:
        lines += ['', 'problems', *(f'  {problem}' for problem in view.problems)]
    rows = [['TUNNEL', 'CHILD', 'STATE', 'FOR', 'RECEIVED', 'SENT', 'PEER']]
    for tunnel in view.tunnels:
        for child in tunnel.children:
            since = '-' if child.installed is None else duration(now - child.installed)
            volume = [size(child.totals[name]) for name in ('receive_bytes', 'transmit_bytes')]
            rows.append([tunnel.name, child.name, child.state, since, *volume, tunnel.peer or '-'])
    lines += ['', *table(rows)]
    sessions = [['BGP', 'STATE', 'FOR', 'PREFIXES', 'BFD']]
    for tunnel in view.tunnels:
        if tunnel.session is not None:
            state, prefixes, limit, since, bfd = tunnel.session
            sessions.append([tunnel.name, state, duration(since) if tunnel.session.up() else '-', f'{prefixes} of {limit}', bfd])
    if len(sessions) > 1:
        lines += ['', *table(sessions)]
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

    def sessions(name: str, told: str, value: Callable[[Session], float]) -> None:
        speaking = [tunnel for tunnel in view.tunnels if tunnel.speaks_bgp]
        samples = [({'tunnel': tunnel.name}, value(tunnel.session) if tunnel.session else 0) for tunnel in speaking]
        family(name, 'gauge', told, samples)

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
    flag('ipsec_gateway_carrying', 'Whether a tunnel has all its children, its BGP session, and a way to all nodes.', view.carrying)
    flag('ipsec_gateway_leaving', 'Whether the gateway stops carrying, or waits until another one carries on.', view.leaving)
    nodes = view.fabric.nodes if view.fabric is not None else {}
    family(
        'ipsec_fabric_nodes',
        'gauge',
        'Nodes that the gateway knows: all of them, those with a BGP session, and those without BFD.',
        [({'state': state}, nodes[name]) for name, state in NODES.items() if name in nodes],
    )
    counts = view.fabric.counts if view.fabric is not None else {}
    family(
        'ipsec_fabric_routes',
        'gauge',
        'Routes that the gateway has learned from nodes, and from remote ends.',
        [({'from': whose}, counts[f'{whose[:-1]}Routes']) for whose in ('nodes', 'remotes') if counts],
    )
    for name, kind, told, count in (
        ('ipsec_fabric_strangers', 'gauge', 'Senders in the overlay that are no nodes.', 'strangers'),
        ('ipsec_fabric_restarts_total', 'counter', 'Times that the daemons of BGP were started again.', 'restarts'),
    ):
        family(name, kind, told, [({}, counts[count])] if count in counts else [])
    sessions('ipsec_bgp_session_up', 'Whether the BGP session of the tunnel is established.', lambda session: int(session.up()))
    sessions('ipsec_bgp_prefixes_received', 'Prefixes that the remote end announces.', lambda session: session.prefixes)
    sessions('ipsec_bgp_prefixes_limit', 'Prefixes that it may announce; 0: not known.', lambda session: session.limit)
    return '\n'.join(lines) + '\n'

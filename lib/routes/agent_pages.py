"""agent_pages.py: what is shown of an agent: why it is not ready, the status, and the metrics."""
import json
from typing import Dict, List, NamedTuple, Optional, Tuple

from sessions import Routes


class GatewayView(NamedTuple):
    name: str
    overlay: str
    outer: str  # empty: not known yet
    state: str
    prefixes: int
    seconds: int
    failures: int  # of questions for its name

    def is_up(self) -> bool:
        return self.state == 'Established'


class AgentView(NamedTuple):
    """All that is told, as it was at one moment."""

    release: str
    node: str
    stopped: str  # why it does nothing; empty: it does
    problems: List[str]  # without whose end the node is not as it should be
    remarks: List[str]  # what a person should know, and what does not stop anything
    frr: str  # empty: it runs
    bfd: bool
    gateways: List[GatewayView]
    networks: List[str]  # that are announced
    routes: Routes
    last_good: Optional[float]


def not_ready(view: AgentView) -> List[str]:
    """Why nothing is led, a line each."""
    if view.stopped:
        return [view.stopped]
    lines = [f'FRR: {view.frr}'] if view.frr else []
    lines += view.problems
    if not any(gateway.is_up() for gateway in view.gateways):
        states = ', '.join(f'{gateway.name} {state_of(gateway)}' for gateway in view.gateways)
        lines.append(f'gateways: none has a session: {states or "there are none"}')
    return lines


def state_of(gateway: GatewayView) -> str:
    return gateway.state if gateway.outer else 'has no address in DNS'


def status_page(view: AgentView, now: float) -> str:
    rows = [
        ['release', view.release or '?'],
        ['node', view.node],
        ['FRR', view.frr or 'runs'],
        ['BFD', 'on' if view.bfd else 'off'],
        ['routes', f'{view.routes.installed} installed, {received(view)} told by one gateway'],
        ['last good', 'never' if view.last_good is None else f'{int(now - view.last_good)}s ago'],
        ['ready', 'no' if not_ready(view) else 'yes'],
    ]
    lines = table(rows)
    for title, sentences in (('stopped', [view.stopped] if view.stopped else []), ('problems', view.problems), ('remarks', view.remarks)):
        if sentences:
            lines += ['', title, *(f'  {sentence}' for sentence in sentences)]
    if view.gateways:
        heads = ['GATEWAY', 'OVERLAY', 'POD', 'STATE', 'FOR', 'PREFIXES']
        gateways = [
            [each.name, each.overlay, each.outer or '-', each.state, f'{each.seconds}s', str(each.prefixes)] for each in view.gateways
        ]
        lines += ['', *table([heads, *gateways])]
    if view.networks:
        lines += ['', 'announced', *(f'  {network}' for network in view.networks)]
    return '\n'.join(lines) + '\n'


def received(view: AgentView) -> int:
    """All gateways tell the same, so it is what one of them tells."""
    return max((gateway.prefixes for gateway in view.gateways if gateway.is_up()), default=0)


def table(rows: List[List[str]]) -> List[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def metrics_page(view: AgentView, now: float) -> str:
    lines: List[str] = []

    def family(name: str, kind: str, told: str, samples: List[Tuple[Dict[str, str], float]]) -> None:
        if samples:
            lines.extend([f'# HELP {name} {told}', f'# TYPE {name} {kind}'])
        for labels, value in samples:
            inside = ','.join(f'{key}={json.dumps(text)}' for key, text in labels.items())
            lines.append(f'{name}{{{inside}}} {int(value)}' if labels else f'{name} {int(value)}')

    def gauge(name: str, told: str, value: float) -> None:
        family(name, 'gauge', told, [({}, value)])

    up = [gateway for gateway in view.gateways if gateway.is_up()]
    gauge('vpn_agent_running', 'Whether the agent does its work: the only one of its node, and not refused.', not view.stopped)
    gauge('vpn_agent_ready', 'Whether a gateway has a session, and all of the node is as it should be.', not not_ready(view))
    gauge('vpn_agent_problems', 'How much is not as it should be on the node.', len(view.problems))
    gauge('vpn_agent_bfd', 'Whether the node and the gateways see each other by BFD.', view.bfd)
    gauge('vpn_agent_gateways_known', 'Gateways whose pod is known.', sum(bool(gateway.outer) for gateway in view.gateways))
    gauge('vpn_agent_gateways_established', 'Gateways with a session.', len(up))
    family(
        'vpn_agent_gateway_up',
        'gauge',
        'Whether the gateway has a session.',
        [({'gateway': gateway.name}, gateway.is_up()) for gateway in view.gateways],
    )
    family(
        'vpn_agent_gateway_prefixes',
        'gauge',
        'Prefixes that the gateway tells.',
        [({'gateway': gateway.name}, gateway.prefixes) for gateway in view.gateways],
    )
    family(
        'vpn_agent_name_failures_total',
        'counter',
        'Times that DNS had no address of the gateway.',
        [({'gateway': gateway.name}, gateway.failures) for gateway in view.gateways],
    )
    gauge('vpn_agent_networks_announced', 'Networks of the node, its pods and the Services that the gateways are told.', len(view.networks))
    gauge('vpn_agent_routes_received', 'Prefixes that one of the gateways tells, the most of them.', received(view))
    gauge('vpn_agent_routes_installed', 'Routes over the gateways in the kernel of the node.', view.routes.installed)
    if view.last_good is not None:
        told = 'Seconds since a gateway had a session and all of the node was as it should be.'
        gauge('vpn_agent_last_good_seconds', told, now - view.last_good)
    return '\n'.join(lines) + '\n'

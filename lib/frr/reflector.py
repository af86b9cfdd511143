"""reflector.py: the FRR of a gateway: it reflects routes between the nodes, which it learns, and the remote ends of the tunnels.

Environment: CONFIG (/config), STATE (/run/vpn), NODE_IP: the address of the node of this pod, or empty.
"""
import os
import signal
import time
from typing import Any, Dict, FrozenSet, List, NoReturn, Optional, Tuple

import kernel
import plan
from addresses import is_inside, node_overlay, version_of
from daemons import DaemonError, Daemons
from fabric_file import Fabric, Invalid, parse_fabric
from frr_conf import Phase, Running, announced, changes, compose, outer_prefixes, refresh, refreshes
from kernel import KernelError
from learned import Node, learn, sightings_of
from passwords import files_of, take
from say import Changes, die, name_program, reason_of, say
from peers import (
    Losses,
    Presence,
    Remote,
    bgp_routes,
    counts,
    given_up,
    heard_nothing,
    is_settled,
    losses_of,
    missing,
    remote_of,
    senders_of,
    states_of,
)
from tunnels_file import NOTHING, STALE_SECONDS, parse_told, phase_of
from vty import VtyError
from written import read, read_json, remove, write_atomically, write_json

TICK_SECONDS = 1.0
ASSERT_SECONDS = 10.0  # how often it is looked whether all is still there
RETRY_SECONDS = 5.0  # when daemons that do not start are started again
RELOAD_SECONDS = 30.0  # when a configuration of which something was refused is compared again
BGP = '186'  # the number of the protocol of routes that zebra adds
STILL_SECONDS = 2.0  # from one look to the next, after which it is likely that nothing of this pod went on
HURRY_SECONDS = 5.0
REASSERT_SECONDS = 20.0  # how often it is looked whether FRR has all nodes and sessions
FIRST_SECONDS = 3.0  # and when for the first time
STRANGERS = 100  # how many are remembered, and said
SAID = 5  # how many of many nodes are named


class Reflector:
    def __init__(self, config: str, state: str, node: str) -> None:
        self.config = config
        self.state = os.path.join(state, 'fabric')
        self.ended = os.path.join(state, 'charon-ended')
        self.goodbye = os.path.join(self.state, 'goodbye')
        self.node = node
        self.daemons = Daemons()
        self.file = os.path.join(self.daemons.folder, 'frr.conf')
        self.mounted: Tuple[Optional[bytes], Optional[bytes]] = (None, None)
        self.fabric: Optional[Fabric] = None
        self.chart = ''  # the configuration as the chart printed it
        self.told = NOTHING
        self.draining_since: Optional[float] = None
        self.nodes: Dict[str, Node] = {}
        self.strangers: Dict[str, str] = {}
        self.passwords: Dict[str, str] = {}
        self.closed: FrozenSet[str] = frozenset()  # peers whose password is missing
        self.running: Optional[Running] = None  # what FRR has been told; None: nothing
        self.loaded: Tuple[int, str] = (0, '')  # the autonomous system and the part of the chart that FRR has
        self.refused: List[str] = []  # what FRR complained of
        self.starts = 0
        self.lonely_at = 0.0  # when there was last no node
        self.is_settled = False  # whether there has been time to hear of all nodes since
        self.next_start = self.next_load = self.next_assert = self.next_reassert = 0.0
        self.asserted: Optional[Tuple[Fabric, List[str]]] = None
        self.states: Dict[str, str] = {}
        self.senders: FrozenSet[str] = frozenset()
        self.presence = Presence()
        self.losses = Losses()
        self.last_tick = self.hurry_until = 0.0
        self.remotes: Dict[str, Remote] = {}
        self.routes = {table: {4: 0, 6: 0} for table in (plan.NODES, plan.REMOTES)}
        self.problems: Dict[str, List[str]] = {}  # by what they are of
        self.changes = Changes()

    def run(self) -> NoReturn:
        while True:
            started = time.monotonic()
            try:
                self.tick()
            except Exception as error:  # a fault of ours must not end the sessions
                trace = error.__traceback__
                while trace is not None and trace.tb_next is not None:
                    trace = trace.tb_next
                where = f'{trace.tb_lineno} of {os.path.basename(trace.tb_frame.f_code.co_filename)}' if trace else '?'
                say(f'a fault in line {where}: {type(error).__name__}')
            pace = TICK_SECONDS / 10 if started < self.hurry_until else TICK_SECONDS
            time.sleep(max(TICK_SECONDS / 10, pace - (time.monotonic() - started)))

    def tick(self) -> None:
        now = time.monotonic()
        self.notice_stillness(now)
        self.read_mounted()
        self.read_told(now)
        if self.fabric is not None:
            self.read_passwords(self.fabric)
            try:
                self.keep_network(self.fabric, now)
                self.learn_nodes(self.fabric, now)
            except KernelError as error:
                self.problems['network'] = [f'fabric: {error}']
            self.keep_running(self.fabric, now)
            try:
                self.look(self.fabric, now)
                self.keep_configured(self.fabric, now)
                self.problems['sessions'] = []
            except VtyError as error:
                self.problems['sessions'] = [f'fabric: {error}']
            self.say_goodbye(self.fabric)
        self.report()

    def notice_stillness(self, now: float) -> None:
        """Who stood still looks at once, and often, whether others have given it up: they are back within seconds."""
        if self.last_tick and now - self.last_tick > STILL_SECONDS:
            self.hurry_until = now + HURRY_SECONDS
            self.next_assert = max(self.next_assert, self.hurry_until)
        self.last_tick = now

    # What is mounted, and what control.py says

    def read_mounted(self) -> None:
        mounted = (read(os.path.join(self.config, 'fabric.json')), read(os.path.join(self.config, 'frr.conf')))
        if mounted == self.mounted:
            return
        self.mounted = mounted
        if None in mounted:
            self.problems['mounted'] = ['fabric.json or frr.conf: it is missing; install the chart anew']
            return
        try:
            self.fabric = parse_fabric(mounted[0] or b'')
            self.chart = (mounted[1] or b'').decode(errors='replace')
            self.problems['mounted'] = []
            self.next_assert = self.next_load = 0.0
        except Invalid as error:
            self.problems['mounted'] = [str(error)]

    def read_told(self, now: float) -> None:
        file = os.path.join(self.state, 'tunnels.json')
        told = parse_told(read_json(file))
        try:
            age = abs(time.time() - os.stat(file).st_mtime)
            problem = '' if age < STALE_SECONDS else 'control does not say any more how the tunnels are'
        except OSError:
            problem = 'control has not said yet how the tunnels are'
        self.problems['told'] = [f'fabric: {problem}'] if problem and self.fabric is not None and self.fabric.told else []
        # What was so is more likely to be so than nothing.
        if told is not None:
            self.told = told
        if not self.told.draining:
            self.draining_since = None
        elif self.draining_since is None:
            self.draining_since = now

    def up(self, fabric: Fabric) -> List[str]:
        return sorted(self.told.up & set(fabric.tunnels))

    def peers(self, fabric: Fabric) -> FrozenSet[str]:
        """Who is at the end of a tunnel. Without charon they hear us, and we do not hear them."""
        return frozenset(tunnel.session.peer for tunnel in fabric.tunnels.values() if tunnel.session is not None)

    def say_goodbye(self, fabric: Fabric) -> None:
        """Without charon, say when no remote end counts on us any more: until then the kernel sends what there is for them."""
        if not os.path.exists(self.ended):
            remove(self.goodbye)
        elif self.running is None or self.peers(fabric) <= self.running.closed:
            write_atomically(self.goodbye, b'', 0o600)

    def read_passwords(self, fabric: Fabric) -> None:
        taken = take(fabric, {file: read(file, 4096) for file in files_of(fabric)}, self.passwords)
        self.passwords, self.closed = taken.by_peer, frozenset(taken.missing)
        self.problems['passwords'] = taken.problems

    # The network of the pod

    def keep_network(self, fabric: Fabric, now: float) -> None:
        wanted = (fabric, self.up(fabric))
        if now < self.next_assert and wanted == self.asserted:
            return
        self.asserted = wanted
        problems = self.assert_network(fabric)
        self.problems['network'] = [f'fabric: {problem}' for problem in problems]
        self.next_assert = now + (TICK_SECONDS if problems else ASSERT_SECONDS)

    def assert_network(self, fabric: Fabric) -> List[str]:
        outside = read_outside()
        if outside is None:
            return ['the pod has no default route by an interface with an IPv4 address']
        problems = kernel.ensure_link(plan.link_of(fabric, outside))
        own = kernel.address_changes(plan.LINK, plan.addresses_of(fabric), kernel.addresses(plan.LINK))
        problems += kernel.apply(own)
        lines: List[str] = []
        for version in (4, 6):
            there = kernel.parse_routes(kernel.routes(version, 'main', 'proto', kernel.PROTOCOL, 'dev', plan.LINK), version)
            lines += kernel.route_changes(plan.main_routes(fabric, version), there)
            for table in (plan.NODES, plan.REMOTES):
                there = kernel.parse_routes(kernel.routes(version, table, 'proto', kernel.PROTOCOL), version)
                wanted = plan.table_routes(fabric, table, version, set(self.up(fabric)), outside)
                lines += kernel.route_changes(wanted, there, table)
            rules = kernel.parse_rules(kernel.rules(version))
            problems += kernel.apply(kernel.rule_changes(plan.rules(fabric, version, outside), rules), version)
        there_now = kernel.parse_neighbours(kernel.neighbours(plan.LINK))
        lines += kernel.neighbour_changes(plan.LINK, plan.neighbours(fabric, self.nodes), there_now)
        problems += kernel.apply(lines)
        for version in (4, 6):
            strays = kernel.parse_routes(kernel.routes(version, 'main', 'proto', BGP), version, '')
            problems += plan.strays(strays)
        return problems

    def learn_nodes(self, fabric: Fabric, now: float) -> None:
        learning = learn(self.nodes, sightings_of(kernel.fdb(plan.LINK)), fabric, now)
        for stranger, why in learning.strangers.items():
            if stranger not in self.strangers and len(self.strangers) < STRANGERS:
                say(f'{stranger} is refused: {why}')
                self.strangers[stranger] = why
        kernel.apply(plan.forgotten(learning.stale), program='bridge')
        changed = {overlay: node.mac for overlay, node in learning.nodes.items()} != {
            overlay: node.mac for overlay, node in self.nodes.items()
        }
        for what, came in (('learned nodes', set(learning.nodes) - set(self.nodes)), ('nodes gone', set(self.nodes) - set(learning.nodes))):
            if came:
                more = f' and {len(came) - SAID} more' if len(came) > SAID else ''
                say(f'{what}: {", ".join(sorted(came)[:SAID])}{more}')
        self.nodes = learning.nodes
        if changed:
            there = kernel.parse_neighbours(kernel.neighbours(plan.LINK))
            kernel.apply(kernel.neighbour_changes(plan.LINK, plan.neighbours(fabric, self.nodes), there))

    # FRR

    def keep_running(self, fabric: Fabric, now: float) -> None:
        if self.daemons.children:
            problem = self.daemons.ended()
            if not problem and self.running is not None and self.loaded[0] != fabric.as_number:
                problem = 'the autonomous system has another number'
            if not problem:
                return
            say(f'{problem}; all daemons start again')
            self.daemons.kill()
            self.running = None
            self.states, self.senders, self.remotes = {}, frozenset(), {}
        if now < self.next_start:
            return
        self.next_start = now + RETRY_SECONDS
        try:
            self.daemons.start()
            self.starts += 1
            self.next_load = 0.0
            self.problems['daemons'] = []
        except DaemonError as error:
            self.problems['daemons'] = [f'fabric: {error}']

    def own_node(self, fabric: Fabric) -> str:
        """The overlay address of the node on which this is; empty: it has none."""
        if is_inside(self.node, fabric.cluster.nodes) and version_of(self.node) == 4:
            return node_overlay(self.node, fabric.overlay.node_network)
        return ''

    def wanted(self, fabric: Fabric, now: float) -> Running:
        families = [version for version, count in self.routes[plan.NODES].items() if count]
        if not families:
            self.lonely_at, self.is_settled = now, False
        expected = self.told.nodes if fabric.told else 0
        self.is_settled = self.is_settled or is_settled(self.nodes, self.senders, now - self.lonely_at, expected)
        return Running(
            {overlay: node.bfd for overlay, node in self.nodes.items()},
            self.own_node(fabric),
            announced(fabric, self.up(fabric), families if self.is_settled else []),
            outer_prefixes(self.told.remotes, fabric.imports),
            dict(self.passwords),
            self.closed | (self.peers(fabric) if os.path.exists(self.ended) else frozenset()),
            phase_of(self.draining_since, self.presence, now),
        )

    def keep_configured(self, fabric: Fabric, now: float) -> None:
        if not self.daemons.children:
            return
        wanted, whole = self.wanted(fabric, now), (fabric.as_number, self.chart)
        if self.running is None or self.loaded != whole or self.refused and now >= self.next_load:
            self.write(fabric, wanted)
            before, self.running, self.loaded = self.running, wanted, whole
            self.next_load, self.next_reassert = now + RELOAD_SECONDS, now + FIRST_SECONDS
            self.refused = self.daemons.load(self.file) if before is None else self.daemons.reload(self.file)
            commands = refresh('in', 'out') if before is not None else []
        else:
            commands = refreshes(self.running, wanted)
            if now >= self.next_reassert:
                self.next_reassert = now + REASSERT_SECONDS
                sessions = [tunnel.session for tunnel in fabric.tunnels.values() if tunnel.session is not None]
                self.daemons.wake_bfd(fabric.as_number, [each.peer for each in sessions if each.bfd and self.states.get(each.peer) != 'Established'])
                kept = self.running.nodes.keys() - missing(self.running.nodes, self.states)
                self.running = self.running._replace(nodes={node: self.running.nodes[node] for node in kept})
            lines = changes(fabric, self.running, wanted)
            self.running = wanted
            if not lines:
                return
            self.refused = list(dict.fromkeys([*self.refused, *self.daemons.vty.configure(lines)]))
            self.write(fabric, wanted)
        self.problems['configuration'] = [f'frr.conf: {complaint}; install the chart anew' for complaint in self.refused]
        for command in commands:
            self.daemons.vty.ask('bgpd', command)

    def write(self, fabric: Fabric, running: Running) -> None:
        write_atomically(self.file, compose(self.chart, fabric, running).encode(), 0o640)

    def look(self, fabric: Fabric, now: float) -> None:
        if not self.daemons.children:
            return
        vty = self.daemons.vty
        summary = vty.ask_json('bgpd', 'show bgp summary json')
        self.states, self.senders = states_of(summary), senders_of(summary)
        self.presence.see(self.nodes, self.states, now)
        # Not when the look began: everything may have stood still since.
        self.losses.see(losses_of(summary), time.monotonic())
        self.doubt_remotes(fabric, now)
        self.remotes = {
            name: remote_of(tunnel.session, vty.ask_json('bgpd', f'show bgp neighbors {tunnel.session.peer} json'))
            for name, tunnel in fabric.tunnels.items()
            if tunnel.session is not None
        }
        for table, counted in self.routes.items():
            for version, word in ((4, 'ip'), (6, 'ipv6')):
                counted[version] = bgp_routes(vty.ask_json('zebra', f'show {word} route summary table {table} json'))

    def doubt_remotes(self, fabric: Fabric, now: float) -> None:
        """Has remote ends say anew that they are there, when nodes have heard nothing of this gateway: it stood still, and they may
        have given it up too. Without BFD that shows by the hold time, and the nodes are back before."""
        # If nobody else carries, a way that may be good is better than none.
        if not self.told.nodes:
            return
        lost = given_up(self.nodes, self.own_node(fabric), self.losses.at, self.states)
        vty = self.daemons.vty
        # A node that has come back to us has no last reset any more; and that we stood still may show at the next look only.
        if not lost or (
            now >= self.hurry_until and not heard_nothing(lost[0], vty.ask_json('bgpd', f'show bgp neighbors {lost[0]} json'))
        ):
            return
        self.losses.forget()
        for name, tunnel in fabric.tunnels.items():
            session = tunnel.session
            if session is not None and not session.bfd and self.states.get(session.peer) == 'Established':
                say(f'{name}: begins the session anew, since nodes have heard nothing for a while')
                vty.ask('bgpd', f'clear bgp {session.peer}')

    # What is told

    def report(self) -> None:
        problems = [problem for each in self.problems.values() for problem in each]
        self.changes.tell({problem: problem for problem in problems})
        if self.draining_since is None:
            phase = Phase.SERVING
        else:
            # Daemons that do not run have withdrawn everything.
            phase = self.running.phase if self.running is not None else Phase.DRAINED
        status: Dict[str, Any] = {
            'problems': problems,
            'bgp': {name: remote._asdict() for name, remote in self.remotes.items()},
            'nodes': counts({overlay: node.bfd for overlay, node in self.nodes.items()}, self.states, self.presence),
            'settled': self.is_settled,
            'drained': phase is Phase.DRAINED,
            'metrics': {
                'restarts': max(0, self.starts - 1),
                'strangers': len(self.strangers),
                'nodeRoutes': sum(self.routes[plan.NODES].values()),
                'remoteRoutes': sum(self.routes[plan.REMOTES].values()),
            },
        }
        try:
            os.makedirs(self.state, mode=0o700, exist_ok=True)
            write_json(os.path.join(self.state, 'status.json'), status)
        except OSError as error:
            say(f'{self.state}: it cannot be written: {reason_of(error)}; make room in its volume')


def read_outside() -> Optional[plan.Outside]:
    """None: the pod has no default route, or no IPv4 address by which it goes."""
    ways = {version: kernel.default_route(version) for version in (4, 6)}
    way = ways[4]
    if way is None:
        return None
    device = way[1]
    own = kernel.own_addresses(kernel.addresses(device), device)[4]
    if not own:
        return None
    gateways = {version: found[0] if found is not None else '' for version, found in ways.items()}
    return plan.Outside(device, own[0], kernel.mtu_of(device), gateways)


def main() -> None:
    name_program('reflector.py')
    state = os.environ.get('STATE', '/run/vpn')
    if not os.path.isdir(state):
        die(f'STATE: there is no folder {state}; mount a volume there')
    os.umask(0o077)
    # Who starts is not about to leave.
    remove(os.path.join(state, 'leaving', 'frr'))
    reflector = Reflector(os.environ.get('CONFIG', '/config'), state, os.environ.get('NODE_IP', ''))

    def leave(*_: Any) -> NoReturn:
        reflector.daemons.kill()
        os._exit(0)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, leave)
    reflector.run()


if __name__ == '__main__':
    main()

"""control.py: gives charon its configuration and secrets, keeps its tunnels up, and says how they are over HTTP.

Environment: CONFIG (/config), STATE (/run/vpn), HEALTH_PORT (8080), READINESS (tunnel, or process), POD_IP.
For tests only: TEST_FASTER divides what it waits, TEST_ADDRESS is where it serves, TEST_NAT_T_PORT stands for 4500.
"""
import json
import os
import queue
import re
import signal
import time
from typing import Any, Dict, List, NoReturn, Optional, Set

import stand_in
import vici
from connections import children_of
from files import read
from health import Health, serve
from leaving import Leaving
from loading import Loading
from log import die, log, printable
from mounted import Tunnel
from pages import ChildView, FabricView, TunnelView, View
from preparing import Preparing
from reasons import Reason
from reflection import Reflection
from sas import COMING, COUNTERS, ENDING
from tunnels import Attempt, Tunnels
from turns import CHANGE, LEAVE, Turns
from waits import (
    ANSWER_SECONDS,
    DRAIN_SECONDS,
    FIRST_SECONDS,
    LAST_SECONDS_OF_CHARON,
    LATE_SECONDS,
    STALE_SECONDS,
    TELL_SECONDS,
    TICK_SECONDS,
)
from workers import Job, Workers


class Control:
    def __init__(self, config: str, state: str, readiness: str, pod: str, port: int) -> None:
        self.state = state
        self.socket = os.path.join(state, 'charon.vici')
        self.preparing = Preparing(config, state)
        self.loading = Loading(state)
        self.tunnels = Tunnels()
        self.workers = Workers(self.socket)
        self.working: Set[str] = set()  # the tunnels that a worker is at work on
        self.client: Optional[vici.Client] = None
        self.version = ''
        self.charon_problem = 'it has not answered yet'
        self.next_connect = 0.0
        self.told: Dict[str, str] = {}
        self.leaving = Leaving(state)
        self.turns = Turns(state, pod, port)
        self.reflection = Reflection(state)
        self.answered_at = float('-inf')  # when charon was last there
        self.reflected: Dict[str, Any] = {}  # how the tunnels were then
        self.drained_at: Optional[float] = None  # when all is withdrawn at the latest; None: nothing is to be
        self.ends_at: Optional[float] = None
        self.health = Health(readiness, self.make_view(), self.turns.answer)

    def run(self) -> NoReturn:
        while True:
            started = time.monotonic()
            try:
                self.tick()
                self.health.ticked = time.monotonic()
            except Exception as error:  # a fault of ours must not end the tunnels; the liveness probe sees that it stays
                trace = error.__traceback__
                while trace is not None and trace.tb_next is not None:
                    trace = trace.tb_next
                where = f'{trace.tb_lineno} of {os.path.basename(trace.tb_frame.f_code.co_filename)}' if trace else '?'
                log(f'a fault in line {where}: {type(error).__name__}')
            if self.ends_at is not None and (self.client is None or time.monotonic() > self.ends_at):
                os._exit(0)
            time.sleep(max(TICK_SECONDS / 10, TICK_SECONDS - (time.monotonic() - started)))

    def tick(self) -> None:
        if self.loading.running is None:  # not while swanctl reads
            self.preparing.prepare()
            self.tunnels.configure(self.preparing.gateway)
            self.turns.gateway = self.preparing.gateway.name
        try:
            self.connect()
            if self.client is not None:
                self.tunnels.take_events(self.client)
                self.loading.finish()
                self.tunnels.look(self.client)
                self.see_what_is_carried()
                if self.loading.is_due(self.preparing) and self.may_load():
                    self.loading.load(self.client, self.preparing)
        except vici.Error as error:
            self.disconnect(str(error))
            self.see_what_is_carried()
        self.take_answers()
        if self.client is not None:
            self.close_down()
            self.keep_up()
        self.take_leave()
        self.reflect()
        self.health.view = self.make_view()
        self.tell()

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
        self.loading.recall()

    def disconnect(self, problem: str) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None
            self.forget_charon()
        self.charon_problem = f'it does not answer: {printable(problem)}'

    def forget_charon(self) -> None:
        self.loading.forget()
        self.tunnels.forget()

    # Taking turns with other gateways

    def see_what_is_carried(self) -> None:
        gateway, nodes = self.preparing.gateway, self.reflection.nodes
        if gateway.fabric and not self.reflection.settled:
            self.turns.look_around(gateway)
        self.turns.nodes = nodes['established'] + nodes['away']
        self.turns.carrying = (self.reflection.settled or not gateway.fabric) and any(
            set(children_of(connection)) <= set(self.tunnels.children_up(name)) and self.is_announced(name)
            for name, connection in self.loading.loaded.items()
        )
        self.turns.is_idle = not any(self.tunnels.children_up(name) for name in self.loading.loaded)

    def is_announced(self, name: str) -> bool:
        """Whether the BGP session of a tunnel is established, if it has one."""
        tunnel, session = self.tunnels.configured.get(name), self.reflection.sessions.get(name)
        return tunnel is None or not tunnel.speaks_bgp or (session is not None and session.up())

    def may_load(self) -> bool:
        """Whether what is to be loaded may be: a new pod waits for the older one, and what ends tunnels waits for its turn."""
        if not self.loading.was_loaded and not self.loading.loaded:
            return self.turns.is_first(self.preparing.gateway)
        ending = set()
        for name, requests in self.loading.would_terminate(self.preparing).items():
            up = self.tunnels.children_up(name)
            if any(request.get('child', child) == child for request in requests for child in up):
                ending.add(name)
        if not ending:
            return True
        if self.turns.wanted == LEAVE or not self.turns.want(self.preparing.gateway, CHANGE):
            return False
        # The routes of all tunnels are withdrawn: not while another one goes on, nor again and again.
        others = any(self.tunnels.children_up(name) for name in self.loading.loaded if name not in ending)
        return others or not self.turns.is_covered or self.loading.problems != [] or self.is_drained()

    def is_drained(self) -> bool:
        """Withdraw all routes; whether that is done."""
        if not self.preparing.gateway.fabric:
            return True
        if self.drained_at is None:
            self.drained_at = time.monotonic() + DRAIN_SECONDS
        # With the release go the agents.
        more = 0.0 if self.turns.is_gone else TELL_SECONDS
        return self.reflection.drained or time.monotonic() > self.drained_at + more

    def take_leave(self) -> None:
        gateway = self.preparing.gateway
        self.leaving.expect(['charon', 'control', *(['frr'] if gateway.fabric else [])])
        if self.leaving.is_complete():
            if self.turns.want(gateway, LEAVE) and self.is_drained() and not self.leaving.may_end:
                log('the pod may end')
                self.turns.drained = True
                self.leaving.let_end()
        elif self.turns.wanted == LEAVE or not (
            self.loading.is_due(self.preparing) or self.loading.running is not None or self.loading.closing
        ):
            self.turns.give_back()
            self.drained_at = None

    def end(self, *_: Any) -> None:
        """On a signal: at once, or when charon has taken leave of its peers, since a new pod waits as long as this one answers."""
        if not self.leaving.may_end:
            os._exit(0)
        self.ends_at = time.monotonic() + LAST_SECONDS_OF_CHARON

    def reflect(self) -> None:
        if not self.preparing.gateway.fabric:
            return
        self.reflection.look()
        if self.client is not None:
            self.answered_at = time.monotonic()
        elif time.monotonic() - self.answered_at < LATE_SECONDS and not os.path.exists(os.path.join(self.state, 'charon-ended')):
            # charon answers late, and what it has in the kernel goes on.
            self.reflection.tell(self.reflected, self.drained_at is not None, self.turns.nodes_of_others)
            return
        tunnels: Dict[str, Any] = {}
        for name, tunnel in self.tunnels.configured.items():
            up = self.tunnels.children_up(name)
            children = {child: child in up for child in tunnel.children}
            remote = self.tunnels.states[name].remote
            tunnels[name] = {'installed': all(children.values()), 'children': children, 'remote': remote}
        self.reflected = tunnels
        self.reflection.tell(tunnels, self.drained_at is not None, self.turns.nodes_of_others)

    # Keeping the tunnels up

    def close_down(self) -> None:
        for name, closing in self.loading.closing.items():
            if name not in self.working:
                self.working.add(name)
                self.workers.jobs.put(closing.job)

    def keep_up(self) -> None:
        if self.tunnels.look_now:
            return  # something has happened since charon was asked
        if self.turns.wanted == LEAVE and self.turns.is_ours:
            return
        now = time.monotonic()
        for name, tunnel in self.tunnels.configured.items():
            connection = self.loading.loaded.get(name)
            busy = name in self.working or name in self.loading.closing or self.loading.running is not None
            if not tunnel.initiates or connection is None or not self.loading.was_loaded or busy:
                continue
            state = self.tunnels.states[name]
            sas = [sa for sa in self.tunnels.sas_of(name) if sa.state not in ENDING]
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
            requests: List[vici.Message] = [{'ike': name, 'child': child, 'timeout': '-1', 'loglevel': '-1'} for child in due]
            self.workers.jobs.put(Job(name, 'initiate', requests))

    def take_answers(self) -> None:
        while True:
            try:
                answer = self.workers.answers.get_nowait()
            except queue.Empty:
                return
            name, closing = answer.job.tunnel, self.loading.closing.get(answer.job.tunnel)
            self.working.discard(name)
            self.tunnels.look_now = True
            state = self.tunnels.states.get(name)
            if closing is not None and closing.job is answer.job and not answer.problem:
                self.loading.closed(name)
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
        if abs(age) > STALE_SECONDS:
            return 'stale'
        line = printable((read(file) or b'').decode(errors='replace').split('\n')[0])
        return '' if line == 'ok' else line or 'it gives no reason'

    def why(self, tunnel: Tunnel) -> str:
        state = self.tunnels.states[tunnel.name]
        if self.client is None:
            return 'charon does not answer'
        if tunnel.name not in self.loading.loaded:
            return 'its connection is not loaded'
        unknown = [child for child in tunnel.children if child not in children_of(self.loading.loaded[tunnel.name])]
        if unknown:
            return f'the child {unknown[0]} is not loaded'
        if state.reason:
            return str(state.reason)
        if any(sa.state == 'CONNECTING' for sa in self.tunnels.sas_of(tunnel.name)):
            return f'connecting to {state.remote or "the peer"}'
        return 'it is being started' if tunnel.initiates else 'the peer has not started it'

    def make_view(self) -> View:
        tunnels, composition = [], self.preparing.composition
        for name, tunnel in self.tunnels.configured.items():
            state = self.tunnels.states[name]
            sas = self.tunnels.sas_of(name)
            up = self.tunnels.children_up(name)
            established = [sa.established for sa in sas if sa.established is not None and sa.state not in ENDING]
            children = []
            for child in tunnel.children:
                others = [each.state for sa in sas for each in sa.children if each.name == child]
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
                    composition.expiry.get(name) if composition else None,
                    self.reflection.sessions.get(name),
                    tunnel.speaks_bgp,
                )
            )
        problems = self.preparing.problems + self.loading.problems + self.reflection.problems
        reflection, turn = self.reflection, self.turns.answer()
        has_fabric = self.preparing.gateway.fabric
        loaded = self.client is not None and self.loading.was_loaded
        return View(
            self.preparing.gateway.name,
            self.version,
            self.charon_problem,
            loaded,
            problems,
            self.network_problem(),
            self.tunnels.stranger,
            tunnels,
            FabricView(reflection.problem, reflection.nodes, reflection.counts) if has_fabric else None,
            self.turns.told(),
            turn['carrying'],
            turn['leaving'],
        )

    def tell(self) -> None:
        """Log every problem when it comes, and when it has gone."""
        view = self.health.view
        now = {problem: problem for problem in view.problems}
        details = dict(now)
        fabric = view.fabric.problem if view.fabric is not None else ''
        for key, problem in (('charon', view.charon_problem), ('network', view.network), ('fabric', fabric)):
            if problem:
                now[key] = details[key] = f'{key}: {problem}'
        for tunnel in view.tunnels:
            reason = self.tunnels.states[tunnel.name].reason
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
            elif key not in now and key in ('network', 'fabric'):
                log(f'{key}: ok')
        self.told = now


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
    control = Control(os.environ.get('CONFIG', '/config'), state, readiness, os.environ.get('POD_IP', ''), int(port))
    control.leaving.begin()
    serve(control.health, int(port), os.environ.get('TEST_ADDRESS', ''))
    stand_in.start(control.socket)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, control.end)
    control.run()


if __name__ == '__main__':
    main()

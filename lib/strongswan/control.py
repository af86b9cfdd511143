"""control.py: gives charon its configuration and secrets, keeps its tunnels up, and says how they are over HTTP.

Environment: CONFIG (/config), STATE (/run/vpn), HEALTH_PORT (8080), READINESS (tunnel, or process).
For tests only: TEST_FASTER divides what it waits.
"""
import json
import os
import queue
import re
import signal
import time
from typing import Dict, List, NoReturn, Optional, Set

import vici
from connections import children_of
from files import read
from health import Health, serve
from loading import Loading
from log import die, log, printable
from mounted import Tunnel
from pages import ChildView, TunnelView, View
from preparing import Preparing
from reasons import Reason
from sas import COMING, COUNTERS, ENDING
from tunnels import Attempt, Tunnels
from waits import ANSWER_SECONDS, FIRST_SECONDS, NETWORK_SECONDS, TICK_SECONDS
from workers import Job, Workers


class Control:
    def __init__(self, config: str, state: str, readiness: str) -> None:
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
        self.health = Health(readiness, self.make_view())

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
            time.sleep(max(TICK_SECONDS / 10, TICK_SECONDS - (time.monotonic() - started)))

    def tick(self) -> None:
        if self.loading.running is None:  # not while swanctl reads
            self.preparing.prepare()
            self.tunnels.configure(self.preparing.gateway)
        try:
            self.connect()
            if self.client is not None:
                self.tunnels.take_events(self.client)
                self.loading.load(self.client, self.preparing)
                self.tunnels.look(self.client)
        except vici.Error as error:
            self.disconnect(str(error))
        self.take_answers()
        if self.client is not None:
            self.close_down()
            self.keep_up()
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

    # Keeping the tunnels up

    def close_down(self) -> None:
        for name, closing in self.loading.closing.items():
            if name not in self.working:
                self.working.add(name)
                self.workers.jobs.put(closing.job)

    def keep_up(self) -> None:
        if self.tunnels.look_now:
            return  # something has happened since charon was asked
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
        if abs(age) > NETWORK_SECONDS:
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
                )
            )
        problems = self.preparing.problems + self.loading.problems
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
        )

    def tell(self) -> None:
        """Log every problem when it comes, and when it has gone."""
        view = self.health.view
        now = {problem: problem for problem in view.problems}
        details = dict(now)
        for key, problem in (('charon', view.charon_problem), ('network', view.network)):
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
            elif key not in now and key == 'network':
                log('network: ok')
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
    control = Control(os.environ.get('CONFIG', '/config'), state, readiness)
    serve(control.health, int(port))
    control.run()


if __name__ == '__main__':
    main()

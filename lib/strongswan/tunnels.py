"""tunnels.py: how the tunnels are, of what charon lists, tells and logs."""
import re
import time
from typing import Dict, List, Optional, Set, Tuple

import vici
from log import log, printable
from mounted import Gateway, Tunnel
from reasons import KINDS, MEANINGS, STRANGERS, Reason
from sas import COUNTERS, ENDING, UP, ChildSa, IkeSa, number
from waits import CHARON_FIRST_SECONDS, FIRST_SECONDS, LAST_SECONDS, OLD_SECONDS, QUIET_SECONDS

MISSES = 3  # an SA is gone when so many lists lack it: charon leaves out those that it is working on


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


class Tunnels:
    def __init__(self) -> None:
        self.configured: Dict[str, Tunnel] = {}
        self.states: Dict[str, TunnelState] = {}
        self.sas: Dict[str, IkeSa] = {}
        self.listed = 0.0
        self.look_now = True
        self.seen: Dict[str, Tuple[float, Dict[str, int]]] = {}  # the counters of each CHILD_SA, by unique id
        self.looked_for = ''
        self.stranger = ''

    def configure(self, gateway: Gateway) -> None:
        self.configured = gateway.tunnels
        self.states = {name: self.states.get(name) or TunnelState() for name in gateway.tunnels}

    def forget(self) -> None:
        self.sas = {}
        self.seen = {}
        self.look_now = True
        for state in self.states.values():
            state.attempts = {}
            state.ups = set()

    def take_events(self, client: vici.Client) -> None:
        for event in client.events():
            if event.name == 'log':
                self.hear(vici.text(event.message, 'ikesa-name'), vici.text(event.message, 'msg'))
                continue
            self.look_now = True
            for name, sa in vici.sections(event.message):
                if event.name == 'ike-rekey':
                    if name in self.states:
                        self.states[name].rekeys += 1
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
        state = self.states.get(name)
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
        state = self.states.get(tunnel)
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
        well = all(state.up for state in self.states.values()) and not any(sa.misses for sa in self.sas.values())
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
        for name, tunnel in self.configured.items():
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
        state = self.states[name]
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

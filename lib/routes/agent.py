"""agent.py: leads what is for the remote networks from its node to the gateways, and tells them what is on the node.

Environment: NODE_NAME, NODE_IP, HEALTH_PORT (9812), CONFIG (/config), STATE (/run/vpn), HOST_STATE (/host-state), SYSCTL (/sysctl/net).
For tests only: FRR_SOCKETS stands for /var/run/frr.
"""
import json
import os
import re
import signal
import time
from typing import Any, Dict, List, NoReturn, Optional

import daemons
import kernel
import on_node
from addresses import version_of
from agent_conf import Conf, conf_of, network_changes, networks_of
from agent_file import Invalid, Settings, parse_settings
from agent_health import Health, serve
from agent_pages import AgentView, GatewayView, not_ready
from bfd_ports import busy_ports
from daemons import DaemonError, Daemons
from kernel import KernelError
from names import Asked, Names, Service, choose
from node_facts import Node, Refusal, node_of, overlap
from node_lock import take_lock
from pod_networks import pod_networks
from say import Changes, die, name_program, printable, say
from sessions import Routes, Session, ask_routes, ask_sessions
from sysctls import Sysctls
from vty import VtyError
from wakeups import Wakeups
from written import read, write_atomically

TICK_SECONDS = 1.0
AGAIN_SECONDS = 10.0  # when what was refused or failed is tried again
LOOK_SECONDS = 30.0  # how often all is looked at although nothing has changed
COUNT_SECONDS = 10.0
FILTER_SECONDS = 30.0  # how old the word of filter.sh may be
WAKE_SECONDS = 5.0  # how often BFD sessions are looked for that bgpd has forgotten
DOWN = Session('down', 0, 0)
CILIUM = 'this node has Cilium: if it routes with eBPF, packets of pods pass these routes by; set its bpf.hostLegacyRouting to true'
CLEAN_SECONDS = 10.0  # how long filter.sh may take to clean up


class Ending(BaseException):
    """A signal says that the agent has to end."""


class Agent:
    def __init__(self, environment: Dict[str, str]) -> None:
        self.config = environment.get('CONFIG', '/config')
        self.state = environment.get('STATE', '/run/vpn')
        self.sysctls = Sysctls(environment.get('SYSCTL', '/sysctl/net'), environment.get('HOST_STATE', '/host-state'))
        self.sockets = environment.get('FRR_SOCKETS', daemons.SOCKETS)
        self.node_name, self.node_address = environment.get('NODE_NAME', ''), environment.get('NODE_IP', '')
        self.lock = take_lock()
        self.file: Optional[bytes] = None  # agent.json as it was read last
        self.settings: Optional[Settings] = None
        self.node: Optional[Node] = None
        self.bfd = True
        self.frr: Optional[Daemons] = None
        self.frr_problem = 'it has not started yet'
        self.loaded: Optional[Conf] = None
        self.names = Names()
        self.service: Optional[Service] = None
        self.refused: Dict[str, List[str]] = {}
        self.outers: Dict[str, str] = {}
        self.led: Optional[Dict[str, str]] = None
        self.pods: List[str] = []
        self.has_cilium = False
        self.stopped = 'it starts'
        self.file_problems: List[str] = []
        self.node_problems: List[str] = []
        self.frr_problems: List[str] = []
        self.remarks: List[str] = []
        self.sessions: Dict[str, Session] = {}
        self.routes = Routes(0, 0)
        self.last_good: Optional[float] = None
        self.next: Dict[str, float] = {}
        self.wakeups = Wakeups()
        self.changes = Changes()
        self.health = Health(self.make_view())

    def due(self, what: str, seconds: float) -> bool:
        """Whether it is time for it again."""
        now = time.monotonic()
        if self.next.get(what, 0.0) > now:
            return False
        self.next[what] = now + seconds
        return True

    # The loop

    def run(self) -> NoReturn:
        while True:
            started = time.monotonic()
            try:
                self.tick()
            except (KernelError, VtyError, OSError) as error:
                self.node_problems = [printable(str(error))]
                self.next.pop('look', None)
            except Exception as error:  # a fault of ours must not end the routes; the liveness probe sees that it stays
                trace = error.__traceback__
                while trace is not None and trace.tb_next is not None:
                    trace = trace.tb_next
                where = f'{trace.tb_lineno} of {os.path.basename(trace.tb_frame.f_code.co_filename)}' if trace else '?'
                say(f'a fault in line {where}: {type(error).__name__}')
            else:
                self.health.ticked = time.monotonic()
            self.tell()
            time.sleep(max(TICK_SECONDS / 10, TICK_SECONDS - (time.monotonic() - started)))

    def tick(self) -> None:
        if self.lock is None:
            self.lock = take_lock()
        if self.lock is None:
            self.stopped = 'another agent is at work on this node; have agents in one release of a cluster only'
            return
        changed = self.read_settings()
        if self.settings is None:
            self.stopped = 'agent.json: it cannot be read yet'
            return
        if self.node is None or changed:
            if not (self.due('begin', AGAIN_SECONDS) or changed) or not self.begin(self.settings):
                return
        self.follow_names(self.settings)
        heard = self.wakeups.heard()
        if heard or changed or self.due('look', LOOK_SECONDS):
            self.look(self.settings)
        elif self.outers != self.led:
            self.node_problems = on_node.lead(self.settings, self.outers)
            self.led = dict(self.outers)
        self.keep_frr(self.settings)

    def read_settings(self) -> bool:
        """Whether there are new ones. What cannot be read changes nothing."""
        data = read(os.path.join(self.config, 'agent.json'))
        if data is None or data == self.file:
            return False
        self.file = data
        try:
            settings = parse_settings(data)
        except Invalid as error:
            self.file_problems = [str(error)]
            return False
        self.file_problems = []
        if self.settings is not None and settings.bfd_mode != self.settings.bfd_mode:
            self.stop_frr()
        self.settings = settings
        if self.service is None or self.service.host != settings.service:
            self.service = Service(settings.service)
        self.names.want(each.host for each in settings.gateways)
        return True

    def begin(self, settings: Settings) -> bool:
        """Whether the agent may be on this node; then the networks that it holds are held before anything else is done."""
        self.clean_up_others(settings)
        addresses = kernel.ask('ip', '-j', '-d', 'address', 'show')
        try:
            node = node_of(self.node_name, self.node_address, settings, addresses)
            refusal = overlap(self.node_name, settings, addresses, all_routes())
            if refusal:
                raise Refusal(refusal)
        except Refusal as refused:
            self.stopped = str(refused)
            self.stop_frr()
            self.node = None
            # Nobody follows the gateways here, and nothing leaves in clear.
            on_node.unlink(settings.link)
            self.node_problems = on_node.reject(settings)
            return False
        self.node, self.stopped = node, ''
        self.node_problems = on_node.reject(settings)
        known = on_node.outers_there(settings, kernel.parse_fdb(kernel.fdb(settings.link)))
        self.outers = {each.name: self.outers.get(each.name) or known.get(each.name, '') for each in settings.gateways}
        if self.frr is None:
            self.choose_bfd(settings)
        return True

    def clean_up_others(self, settings: Settings) -> None:
        """What a release of another name has left: its agent does not run, since the lock is ours."""
        for kept in self.sysctls.kept():
            if kept.link != settings.link:
                say(f'removes what the release {kept.release} has left')
                self.clean_up([kept.link])
                self.forget_end()

    def choose_bfd(self, settings: Settings) -> None:
        busy = busy_ports()
        self.bfd = settings.bfd_mode == 'on' or (settings.bfd_mode == 'auto' and not busy)
        ports = ' and '.join(str(port) for port in busy)
        self.remarks = []
        if busy and settings.bfd_mode == 'auto':
            remark = f'another daemon of this node has the UDP port {ports} of BFD: a gateway that is lost is noticed after 9 s'
            self.remarks = [f'{remark} instead of {settings.bfd_interval * settings.bfd_multiplier} ms']
        elif busy and self.bfd:
            remark = f'another daemon of this node has the UDP port {ports} of BFD, so sessions may stay down'
            self.remarks = [f'{remark}; set agent.bfd to auto']

    def follow_names(self, settings: Settings) -> None:
        for each in settings.gateways:
            asked = self.names.answers.get(each.host, Asked([], 0.0, 0))
            chosen = choose(self.outers.get(each.name, ''), asked.addresses, [*settings.pods, *settings.nodes])
            if chosen.address != self.outers.get(each.name):
                say(f'the gateway {each.name} is at {chosen.address}')
            self.outers[each.name] = chosen.address
            self.refused[each.name] = chosen.refused
        addresses = sorted({address for address in self.outers.values() if address})
        self.publish('gateways', ''.join(f'{address}\n' for address in addresses))

    def look(self, settings: Settings) -> None:
        """Makes the node as it should be."""
        assert self.node is not None
        self.clean_up_others(settings)
        addresses = kernel.ask('ip', '-j', '-d', 'address', 'show')
        problems = on_node.ensure(settings, self.node, self.bfd, self.outers, addresses)
        problems += self.sysctls.apply(settings)
        self.led = dict(self.outers)
        self.node_problems = problems
        self.publish('mtu', f'{on_node.link_of(settings, self.node, self.bfd).mtu}\n')
        self.has_cilium = any(each.get('ifname') == 'cilium_host' for each in addresses)
        self.pods = pod_networks(addresses, routes_inside(settings.pods), settings.pods, settings.cni, settings.pod_interfaces)

    # FRR

    def keep_frr(self, settings: Settings) -> None:
        assert self.node is not None
        conf = Conf(settings, self.node, self.bfd, networks_of(settings, self.node, self.pods))
        ended = self.frr.ended() if self.frr else ''
        if ended:
            say(f'{ended}; all are started again')
            self.stop_frr()
            self.frr_problem = ended
        if self.frr is None:
            self.start_frr(conf)
        elif conf != self.loaded:
            self.change_frr(self.frr, conf)
        self.sessions = ask_sessions(self.frr.vty) if self.frr else {}
        if self.frr and self.bfd and self.due('wake', WAKE_SECONDS):
            # Not those that are up: what wakes them ends a session.
            down = [each.overlay for each in settings.gateways if self.sessions.get(each.overlay, DOWN).state != 'Established']
            self.frr.wake_bfd(settings.autonomous_system, down)
        if self.due('count', COUNT_SECONDS):
            self.routes = ask_routes(self.frr.vty) if self.frr else Routes(0, 0)

    def conf_file(self, conf: Conf) -> str:
        file = os.path.join(self.sockets, 'frr.conf')
        os.makedirs(self.sockets, exist_ok=True)
        write_atomically(file, conf_of(conf).encode(), 0o640)
        return file

    def start_frr(self, conf: Conf) -> None:
        if not self.due('frr', AGAIN_SECONDS / 5):
            return
        frr = Daemons(0, self.bfd, self.sockets)
        try:
            frr.start()
            self.frr_problems = frr.load(self.conf_file(conf))
        except DaemonError as error:
            frr.kill()
            self.frr_problem = str(error)
            return
        except BaseException:
            frr.kill()
            raise
        self.frr, self.frr_problem, self.loaded = frr, '', None if self.frr_problems else conf
        self.next['wake'] = time.monotonic() + WAKE_SECONDS
        self.next.pop('count', None)

    def change_frr(self, frr: Daemons, conf: Conf) -> None:
        before = self.loaded
        if before is not None and before._replace(networks=conf.networks) == conf:
            self.frr_problems = frr.vty.configure(network_changes(conf.settings.autonomous_system, before.networks, conf.networks))
        elif self.due('reload', AGAIN_SECONDS):
            self.frr_problems = frr.reload(self.conf_file(conf))
            # What was taken before is judged anew only if the gateways tell it again.
            frr.vty.ask('bgpd', 'clear bgp * soft in')
        else:
            return
        self.loaded = None if self.frr_problems else conf

    def stop_frr(self) -> None:
        """Without a word: zebra's routes stay, and the gateways keep ours for a minute."""
        if self.frr is not None:
            self.frr.kill()
        self.frr, self.loaded, self.sessions = None, None, {}

    # What is told

    def publish(self, name: str, text: str) -> None:
        """For filter.sh."""
        file = os.path.join(self.state, name)
        if read(file) != text.encode():
            write_atomically(file, text.encode(), 0o644)

    def filter_problem(self) -> List[str]:
        file = os.path.join(self.state, 'filter', 'status')
        try:
            age = time.time() - os.stat(file).st_mtime
        except OSError:
            return ['filter: it has not been reported yet']
        if abs(age) > FILTER_SECONDS:
            return ['filter: stale']
        line = printable((read(file) or b'').decode(errors='replace').split('\n')[0])
        return [] if line == 'ok' else [f'filter: {line or "it gives no reason"}']

    def make_view(self) -> AgentView:
        gateways, remarks = [], list(self.remarks)
        if self.has_cilium:
            remarks.append(CILIUM)
        for each in self.settings.gateways if self.settings and not self.stopped else []:
            session = self.sessions.get(each.overlay, DOWN)
            failures = self.names.answers.get(each.host, Asked([], 0.0, 0)).failures
            outer = self.outers.get(each.name, '')
            gateways.append(GatewayView(each.name, each.overlay, outer, session.state, session.prefixes, session.seconds, failures))
            if self.refused.get(each.name):
                remarks.append(
                    f'{each.host} is at {", ".join(self.refused[each.name])}, which is outside cluster.podCidrs and cluster.nodeCidrs; '
                    'add its network if it is a gateway’s'
                )
        problems = self.file_problems + ([] if self.stopped else self.node_problems + self.frr_problems + self.filter_problem())
        release = self.settings.release if self.settings else ''
        networks = self.loaded.networks if self.loaded else []
        return AgentView(
            release,
            self.node_name,
            self.stopped,
            problems,
            remarks,
            self.frr_problem,
            self.bfd,
            gateways,
            networks,
            self.routes,
            self.last_good,
        )

    def tell(self) -> None:
        """Log what is wrong when it comes, and when it has gone."""
        view = self.make_view()
        if not not_ready(view):
            self.last_good = time.monotonic()
            view = view._replace(last_good=self.last_good)
        self.health.view = view
        now = {sentence: sentence for sentence in [*view.problems, *view.remarks] if sentence}
        if view.stopped:
            now['stopped'] = view.stopped
        elif view.frr:
            now['frr'] = f'FRR: {view.frr}'
        for gateway in view.gateways:
            if not gateway.is_up():
                now[gateway.name] = f'the gateway {gateway.name} has no session'
        self.changes.tell(now)

    # The end

    def leave(self) -> None:
        """FRR ends before anything is taken back, so that nobody is told of it; what there is stays for the next agent, unless the release has
        gone. FRR goes on while DNS is asked for that: gateways wait for a node, but not for ever."""
        is_gone = self.lock is not None and self.service is not None and self.service.is_gone()
        self.stop_frr()
        if is_gone and self.settings is not None:
            say('the release has gone: removes what is on the node')
            self.clean_up([self.settings.link])
            for problem in on_node.forget_imports(self.settings):
                say(problem)
        else:
            self.publish('kept', '')

    def forget_end(self) -> None:
        """What was said to filter.sh at the end of an agent before this one."""
        for name in ('clean', 'cleaned', 'kept'):
            if os.path.exists(os.path.join(self.state, name)):
                os.unlink(os.path.join(self.state, name))

    def clean_up(self, links: List[str]) -> List[str]:
        problems = []
        for link in links:
            left = on_node.remove(link)
            for kept in self.sysctls.kept():
                if kept.link == link:
                    left += self.sysctls.restore(kept)
            left += self.clean_filter(link)
            # As long as it is kept, somebody comes back to what is left.
            if not left:
                self.sysctls.forget(link)
            problems += left
        for problem in problems:
            say(problem)
        return problems

    def clean_filter(self, link: str) -> List[str]:
        """The image of FRR has no nft: filter.sh removes the table of a release, which is named after its link."""
        self.publish('clean', f'{link}\n')
        limit = time.monotonic() + CLEAN_SECONDS
        done = os.path.join(self.state, 'cleaned')
        while read(done) != f'{link}\n'.encode():
            if time.monotonic() > limit:
                return [f'filter.sh has not removed the table inet {link}; do it by nft']
            time.sleep(0.2)
        return []


def all_routes() -> List[Any]:
    return [each for version in (4, 6) for each in kernel.routes(version, 'all')]


def routes_inside(networks: List[str]) -> List[Any]:
    """What gateways have told may be ten thousand others."""
    return [each for network in networks for each in kernel.routes(version_of(network), 'main', 'root', network)]


def end(*_: Any) -> NoReturn:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise Ending


def main() -> None:
    name_program('agent.py')
    os.umask(0o077)
    port = os.environ.get('HEALTH_PORT', '9812')
    if not re.fullmatch(r'[1-9][0-9]{0,4}', port) or int(port) > 65535:
        die(f'HEALTH_PORT: it is not a port, got {json.dumps(port)}; give a number from 1 to 65535')
    for name in ('NODE_NAME', 'NODE_IP'):
        if not os.environ.get(name):
            die(f'{name}: it is not set; give it from the field of the pod')
    agent = Agent(dict(os.environ))
    if not os.path.isdir(agent.state):
        die(f'STATE: there is no folder {agent.state}; mount a volume there')
    if agent.lock is not None:
        agent.forget_end()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    try:
        serve(agent.health, int(port))
        agent.run()
    except Ending:
        agent.leave()
    # The threads have nothing to finish.
    os._exit(0)


if __name__ == '__main__':
    main()

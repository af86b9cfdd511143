"""health.py: says over HTTP how the tunnels are."""
import http.server
import json
import socket
import socketserver
import threading
import time
from typing import Any, Callable, Dict

from log import die, reason_of
from pages import View, duration, metrics_page, not_ready, status_page
from waits import LIVE_SECONDS


class Health:
    """What is known to all who ask; the loop renews it."""

    def __init__(self, readiness: str, view: View, turn: Callable[[], Dict[str, Any]]) -> None:
        self.readiness = readiness
        self.view = view
        self.turn = turn  # what the other gateways are told
        self.ticked = time.monotonic()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    health: Health

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
        health = self.server.health
        view, now = health.view, time.monotonic()
        code, kind = 200, 'text/plain; charset=utf-8'
        path = self.path.split('?')[0]
        age = now - health.ticked
        stale = [f'control: its loop stands still for {duration(age)}'] if age > LIVE_SECONDS else []
        if path == '/live':
            lines = stale
        elif path == '/ready':
            lines = stale + not_ready(view, health.readiness)
        elif path == '/up':
            lines = stale + not_ready(view, 'tunnel')
        if path in ('/live', '/ready', '/up'):
            code = 503 if lines else 200
            body = '\n'.join(lines or [path[1:]]) + '\n'
        elif path == '/status':
            body = ''.join(f'{line}\n' for line in stale) + status_page(view, health.readiness, now)
        elif path == '/metrics':
            kind = 'text/plain; version=0.0.4; charset=utf-8'
            body = metrics_page(view, now)
        elif path == '/turn':
            kind = 'application/json'
            body = json.dumps(health.turn()) + '\n'
        else:
            code, body = 404, 'there are /live, /ready, /up, /status and /metrics\n'
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


def serve(health: Health, port: int, only: str = '') -> None:
    complaint = ''
    for kind, address in ((Server, only),) if only else ((DualStackServer, '::'), (Server, '0.0.0.0')):
        try:
            server = kind((address, port), Handler)
            server.health = health
            threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 3600}, daemon=True).start()
            return
        except OSError as error:
            complaint = reason_of(error)
    die(f'HEALTH_PORT: port {port} cannot be served: {complaint}; choose another')

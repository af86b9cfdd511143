#!/usr/bin/env python3
"""Sends packets through the packet filter of a server: a client, the server and a service network, each a network namespace.

Standard input: JSON {"filters": ["<nft file>", ...], "interface": "wg0", "probes": [{"from", "to", "port", "protocol"}]}.
A probe with "servedAt" finds the service at another port than it asks.
The filters replace each other while the probes' connections stay open.
Standard output: JSON, for every filter and every probe the address that the service saw, or null where nothing came back.
The tunnel is a plain link here: what is shown is what the filter does with packets of an interface of that name.
"""

import json
import os
import socket
import subprocess
import sys
import threading

ANSWER_SECONDS = 0.7
SETUP = """
ip netns add {c}; ip netns add {s}; ip netns add {k}
ip link add {i} netns {s} type veth peer name tun netns {c}
ip link add eth0 netns {s} type veth peer name eth0 netns {k}
for n in {c} {s} {k}; do ip -n $n link set lo up; done
ip netns exec {s} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n {s} link set {i} up; ip -n {s} link set eth0 up; ip -n {c} link set tun up; ip -n {k} link set eth0 up
ip -n {s} address add 10.13.13.1/24 dev {i}; ip -n {s} address add 192.0.2.1/24 dev eth0
ip -n {k} address add 192.0.2.2/24 dev eth0; ip -n {k} route add default via 192.0.2.1
ip -n {c} route add default via 10.13.13.1 dev tun onlink
"""


def run(command, **options):
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True, **options)


def inside(namespace, work):
    """Runs the work in a thread of its own that has entered the namespace."""
    result = []

    def body():
        with open(f"/run/netns/{namespace}", "rb") as handle:
            if libc().setns(handle.fileno(), 0x40000000) != 0:
                raise OSError("setns")
        result.append(work())

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    return result[0] if result else None


def libc():
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def serve(address, port, protocol):
    """A socket that answers with the address that it sees."""
    kind = socket.SOCK_DGRAM if protocol == "UDP" else socket.SOCK_STREAM
    server = socket.socket(socket.AF_INET, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    if protocol == "TCP":
        server.listen()

    def answer_all(connection):
        while connection.recv(64):
            connection.sendall(connection.getpeername()[0].encode() + b"\n")

    def accept():
        while True:
            if protocol == "UDP":
                _, peer = server.recvfrom(64)
                server.sendto(peer[0].encode(), peer)
            else:
                connection, _ = server.accept()
                threading.Thread(target=answer_all, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def connect(probe):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if probe["protocol"] == "UDP" else socket.SOCK_STREAM)
    client.settimeout(ANSWER_SECONDS)
    try:
        client.bind((probe["from"], 0))
        client.connect((probe["to"], probe["port"]))
        return client
    except OSError:
        return None


def ask(client):
    if client is None:
        return None
    try:
        client.send(b"?")
        return client.recv(64).decode().split()[0]
    except OSError:
        return None


def main():
    request = json.load(sys.stdin)
    names = {key: f"vpn-{key}-{os.getpid()}" for key in "csk"}
    try:
        run("set -e" + SETUP.format(i=request["interface"], **names))
        nft = f"ip netns exec {names['s']} nft -D mss4=1380 -D mss6=1360 -f -"
        first, *later = request["filters"]
        run(nft, input=first)
        probes = request["probes"]
        for address in sorted({probe["from"] for probe in probes}):
            run(f"ip -n {names['c']} address add {address}/32 dev tun")
        services = sorted({(probe["to"], probe.get("servedAt", probe["port"]), probe["protocol"]) for probe in probes})
        for address in sorted({service[0] for service in services}):
            where, device = ("c", "tun") if address.startswith("10.13.13.") else ("k", "lo")
            if address != "10.13.13.1":
                run(f"ip -n {names[where]} address replace {address}/32 dev {device}")
            if where == "k":
                run(f"ip -n {names['s']} route replace {address} via 192.0.2.2")
        run(f"ip -n {names['s']} route replace 10.13.13.0/24 dev {request['interface']}")
        for service in services:
            where = "s" if service[0] == "10.13.13.1" else "c" if service[0].startswith("10.13.13.") else "k"
            inside(names[where], lambda service=service: serve(*service))
        clients = [inside(names["c"], lambda probe=probe: connect(probe)) for probe in probes]
        answers = [[ask(client) for client in clients]]
        for text in later:
            run(nft, input=text)
            answers.append([ask(client) for client in clients])
        print(json.dumps(answers))
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


main()
os._exit(0)

"""dns.py PORT FILE: answers for the names of a JSON file, which is read anew each time: a list of addresses (empty: the name has none),
SERVFAIL, or SILENCE. What is not in it does not exist."""
import ipaddress
import json
import socket
import struct
import sys

SERVFAIL, NXDOMAIN = 2, 3


def name_of(query: bytes) -> 'tuple[str, int]':
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    return '.'.join(labels), at + 1


def answer(query: bytes, zone: dict) -> 'bytes | None':
    name, end = name_of(query)
    (kind,) = struct.unpack_from('!H', query, end)
    found = zone.get(name)
    if found == 'SILENCE':
        return None
    code = NXDOMAIN if found is None else SERVFAIL if found == 'SERVFAIL' else 0
    addresses = [ipaddress.ip_address(each) for each in found] if isinstance(found, list) else []
    records = [each.packed for each in addresses if kind == {4: 1, 6: 28}[each.version]]
    head = query[:2] + struct.pack('!HHHHH', 0x8180 | code, 1, len(records), 0, 0)
    bodies = [struct.pack('!HHHIH', 0xC00C, kind, 1, 0, len(record)) + record for record in records]
    return head + query[12 : end + 4] + b''.join(bodies)


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('127.0.0.1', int(sys.argv[1])))
    print('ready', flush=True)
    while True:
        query, client = server.recvfrom(4096)
        with open(sys.argv[2], encoding='utf-8') as opened:
            given = answer(query, json.load(opened))
        if given is not None:
            server.sendto(given, client)


main()

"""fake-vici.py SOCKET FOLDER: charon's stand-in, for the tests of control.py.

FOLDER/sas.json is what it lists, and changes with what it is told to start and to end; so many lists as FOLDER/left-out says are
empty. FOLDER/behaviour.json says how it behaves; events in FOLDER/events are sent; what it is asked is written to FOLDER/requests.
"""
import json
import os
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../../lib/strongswan'))
import vici  # noqa: E402

PATH, FOLDER = sys.argv[1:]
# It opens its port once, which must be free.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
    port.bind(('', int(os.environ['TEST_NAT_T_PORT'])))
LOCK = threading.RLock()
CLIENTS = []


def load(name, otherwise):
    try:
        with open(os.path.join(FOLDER, name)) as opened:
            return json.load(opened)
    except (OSError, ValueError):
        return otherwise


def save(name, value):
    with open(os.path.join(FOLDER, name + '.new'), 'w') as opened:
        json.dump(value, opened)
    os.replace(os.path.join(FOLDER, name + '.new'), os.path.join(FOLDER, name))


class Connection:
    def __init__(self, peer):
        self.peer = peer
        self.registered = set()
        self.lock = threading.Lock()

    def packet(self, data):
        with self.lock:
            self.peer.sendall(struct.pack('!I', len(data)) + data)

    def event(self, name, message):
        if name in self.registered:
            encoded = name.encode()
            self.packet(bytes([vici.EVENT, len(encoded)]) + encoded + vici.encode(message))

    def read(self, length):
        data = b''
        while len(data) < length:
            chunk = self.peer.recv(length - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def serve(self):
        try:
            while True:
                (length,) = struct.unpack('!I', self.read(4))
                data = self.read(length)
                name = data[2 : 2 + data[1]].decode()
                if data[0] == vici.REGISTER:
                    self.registered.add(name)
                    self.packet(bytes([vici.CONFIRM]))
                elif data[0] == vici.COMMAND:
                    self.command(name, vici.decode(data[2 + data[1] :]))
        except (EOFError, OSError):
            CLIENTS.remove(self)

    def command(self, name, message):
        with LOCK, open(os.path.join(FOLDER, 'requests'), 'a') as opened:
            opened.write(json.dumps({'command': name, 'time': time.time(), **message}) + '\n')
        behaviour = load('behaviour.json', {})
        answer = {'success': 'yes'}
        what = behaviour.get(name)
        if what == 'silent':
            return
        if what == 'garbage':
            self.peer.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
            return
        if what == 'broken':
            self.packet(bytes([vici.RESPONSE, vici.KEY_VALUE, 200]))
            return
        if what == 'slow':
            time.sleep(3)
        if isinstance(what, dict):
            answer = what
        elif name == 'version':
            answer = {'daemon': 'charon', 'version': '6.0.1'}
        elif name == 'list-sas':
            with LOCK:
                left_out = load('left-out', 0)
                for sa in [] if left_out else load('sas.json', []):
                    self.event('list-sa', sa)
                if left_out:
                    save('left-out', left_out - 1)
            answer = {}
        elif name == 'initiate' and what == 'up':
            up(message['ike'], message['child'])
        elif name == 'initiate' and what:
            tell('log', {'group': 'IKE', 'level': '1', 'ikesa-name': message['ike'], 'ikesa-uniqueid': '9', 'msg': what})
        elif name == 'terminate':
            down(message['ike'], message.get('child'))
        self.packet(bytes([vici.RESPONSE]) + vici.encode(answer))


def up(ike, child):
    with LOCK:
        sas = load('sas.json', [])
        uid = str(1 + max([0, *(int(each['uniqueid']) for sa in sas for one in sa.values() for each in [one, *one['child-sas'].values()])]))
        mine = next((sa for sa in sas if ike in sa), None)
        if mine is None:
            mine = {ike: {'uniqueid': uid, 'state': 'ESTABLISHED', 'remote-host': '198.51.100.7', 'established': '0', 'child-sas': {}}}
            sas.append(mine)
        fields = {'name': child, 'uniqueid': uid, 'state': 'INSTALLED', 'install-time': '0'}
        fields.update({name: '0' for name in ('bytes-in', 'bytes-out', 'packets-in', 'packets-out')})
        mine[ike]['child-sas'][f'{child}-{uid}'] = fields
        save('sas.json', sas)
    tell('child-updown', {'up': 'yes', ike: {**mine[ike], 'child-sas': {f'{child}-{uid}': fields}}})


def down(ike, child):
    with LOCK:
        left, events = [], []
        for sa in load('sas.json', []):
            gone = {key: each for key, each in sa.get(ike, {}).get('child-sas', {}).items() if child in (None, each['name'])}
            for key in gone:
                del sa[ike]['child-sas'][key]
            if gone:
                events.append({ike: {**sa[ike], 'child-sas': gone}})
            if child is not None or ike not in sa:
                left.append(sa)
        save('sas.json', left)
    for event in events:
        tell('child-updown', event)


def tell(name, message):
    for client in list(CLIENTS):
        client.event(name, message)


def watch():
    while True:
        try:
            os.rename(os.path.join(FOLDER, 'events'), os.path.join(FOLDER, 'events.taken'))
            for each in load('events.taken', []):
                tell(each['name'], each['message'])
        except FileNotFoundError:
            time.sleep(0.02)


with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
    listener.bind(PATH)
    listener.listen(20)
    threading.Thread(target=watch, daemon=True).start()
    while True:
        client = Connection(listener.accept()[0])
        CLIENTS.append(client)
        threading.Thread(target=client.serve, daemon=True).start()

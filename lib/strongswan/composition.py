"""composition.py: the files of swanctl, of what is mounted."""
import base64
import hashlib
import os
from typing import Dict, List, NamedTuple, Set

from certificates import authority_of, certificate_of
from connections import Section, connections_of
from files import read, write_atomically
from mounted import Gateway, Inputs, Invalid, SharedKey

SWANCTL_FOLDERS = 'x509 x509ca x509aa x509ocsp x509crl x509ac pubkey private rsa ecdsa bliss pkcs8 pkcs12'.split()


class Composition(NamedTuple):
    files: Dict[str, bytes]  # below the folder of swanctl
    problems: List[str]
    connections: Dict[str, Section]
    expiry: Dict[str, float]

    def fingerprint(self) -> str:
        total = hashlib.sha256()
        for name in sorted(self.files):
            for part in (name.encode(), self.files[name]):
                total.update(hashlib.sha256(part).digest())
        return total.hexdigest()

    def certificates(self) -> Set[str]:
        """Their checksums."""
        return {hashlib.sha256(data).hexdigest() for name, data in self.files.items() if name.startswith('x509')}


def shared_key_in(key: SharedKey, inputs: Inputs) -> bytes:
    data = inputs.get(key.secret.file)
    if data is None:
        raise Invalid(f'{key.path}: {key.secret.source} is missing; make it')
    for end in (b'\r\n', b'\n'):
        if data.endswith(end):
            data = data[: -len(end)]
            break
    if not data:
        raise Invalid(f'{key.path}: {key.secret.source} is empty; put the key there')
    text = data.decode(errors='surrogateescape')
    for rule in key.rules:
        if not rule.pattern.search(text):
            raise Invalid(f'{key.path}: {rule.problem}; {rule.remedy}')
    return data


def quoted(text: str) -> str:
    escapes = {'\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t'}
    return '"' + ''.join(escapes.get(letter, letter) for letter in text) + '"'


def compose(gateway: Gateway, conf: bytes, inputs: Inputs, now: float) -> Composition:
    files: Dict[str, bytes] = {}
    problems: List[str] = []
    secrets: List[str] = []
    expiry: Dict[str, float] = {}
    authorities: Dict[str, List[str]] = {}
    for tunnel in gateway.tunnels.values():
        for key in tunnel.keys:
            try:
                data = shared_key_in(key, inputs)
            except Invalid as invalid:
                problems.append(str(invalid))
                continue
            secrets.append(f'  {key.kind}-{tunnel.name} {{')
            secrets.extend(f'    id-{number} = {quoted(each)}' for number, each in enumerate(key.ids, 1))
            # In base64, because charon takes a plain key that begins with 0x or 0s for something else.
            secrets.extend([f'    secret = 0s{base64.b64encode(data).decode()}', '  }'])
        if tunnel.certificate is not None:
            certificate = certificate_of(tunnel.name, tunnel.certificate, inputs, now)
            files.update(certificate.files)
            problems.extend(certificate.problems)
            if certificate.expiry is not None:
                expiry[tunnel.name] = certificate.expiry
        for file, secret in tunnel.authorities.items():
            try:
                certificates = authority_of(tunnel.name, secret, inputs)
            except Invalid as invalid:
                problems.append(str(invalid))
                continue
            # charon reads one certificate of a file. No name of the chart has a dot.
            authorities[file] = [file, *(f'{file[:-len(".crt")]}.{number}.crt' for number in range(2, len(certificates) + 1))]
            files.update({f'x509ca/{name}': each for name, each in zip(authorities[file], certificates)})
    try:
        text = conf.decode()
    except UnicodeDecodeError:
        raise Invalid('swanctl.conf: it is not UTF-8; install the chart anew') from None
    connections, text = connections_of(text, authorities)
    files['swanctl.conf'] = text.encode()
    files['secrets.conf'] = '\n'.join(['secrets {', *secrets, '}', '']).encode()
    return Composition(files, problems, connections, expiry)


def write_composition(composition: Composition, folder: str, aside: str) -> None:
    """Make the folder of swanctl hold just what was composed."""
    for name in SWANCTL_FOLDERS:
        os.makedirs(os.path.join(folder, name), mode=0o700, exist_ok=True)
        for file in os.listdir(os.path.join(folder, name)):
            if f'{name}/{file}' not in composition.files:
                os.unlink(os.path.join(folder, name, file))
    # swanctl.conf last: it names the others.
    for name in sorted(composition.files, key=lambda name: (name == 'swanctl.conf', name)):
        if read(os.path.join(folder, name)) != composition.files[name]:
            write_atomically(os.path.join(folder, name), composition.files[name], aside)

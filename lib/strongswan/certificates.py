"""certificates.py: what is wrong with a mounted certificate, and what swanctl gets of it."""
import base64
import binascii
import ipaddress
import json
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional

from mounted import Inputs, Invalid, Mounted, Secret

try:
    import ssl
except ImportError:
    ssl = None  # type: ignore[assignment]

CERTIFICATE = re.compile(rb'-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----', re.S)
PRIVATE_KEY = re.compile(rb'-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----', re.S)

# The forms of an identity that certificates have, in lower case.
NAME = re.compile(r'(?:fqdn:|@)?([a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)')
EMAIL = re.compile(r'(?:email:)?([^@:=, ]+@[^@:=, ]+)')
SUBJECT = re.compile(r'[a-z]+ *=[^,=+]*(, *[a-z]+ *=[^,=+]*)*')


def certificates_in(data: bytes) -> List[bytes]:
    """The certificates of a PEM file, each once; none if one is damaged."""
    found: List[bytes] = []
    for block in CERTIFICATE.finditer(data):
        try:
            base64.b64decode(b''.join(block[1].split()), validate=True)
        except binascii.Error:
            return []
        if block[0] + b'\n' not in found:
            found.append(block[0] + b'\n')
    return found


def decoded(file: str) -> Dict[str, Any]:
    """The fields of a certificate as Python gives them; none where it does not."""
    try:
        return ssl._ssl._test_decode_cert(file)  # type: ignore[attr-defined]
    except Exception:  # whatever this Python has instead: charon judges the certificate anyway
        return {}


def belongs_to(key: str, certificate: str) -> bool:
    """Whether a private key is that of a certificate; True if this cannot be told."""
    try:
        # A password, so that nobody is asked for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, '')
    except Exception as error:
        return 'MISMATCH' not in str(getattr(error, 'reason', ''))
    return True


def address_in(text: str) -> Optional[str]:
    """An IP address in its one form; None if it is none."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def stands_in(identity: str, fields: Dict[str, Any]) -> bool:
    """Whether charon finds an identity in a certificate; True if this cannot be told."""
    wanted = identity.lower()
    address = address_in(wanted)
    if not fields or not wanted or '*' in wanted:
        return True
    if address is not None:
        kind, wanted = 'IP Address', address
    elif NAME.fullmatch(wanted):
        kind, wanted = 'DNS', NAME.sub(r'\1', wanted)
    elif EMAIL.fullmatch(wanted):
        kind, wanted = 'email', EMAIL.sub(r'\1', wanted)
    elif SUBJECT.fullmatch(wanted):
        values = [value.lower().strip() for part in fields.get('subject', ()) for _, value in part]
        return values == [part.partition('=')[2].strip() for part in wanted.split(',')]
    else:
        return True
    names = [name.lower() for type_of_it, name in fields.get('subjectAltName', ()) if type_of_it == kind]
    return wanted in ([address_in(name) for name in names] if address is not None else names)


class Certificate(NamedTuple):
    files: Dict[str, bytes]
    problems: List[str]
    expiry: Optional[float]


def certificate_of(tunnel: str, mounted: Mounted, inputs: Inputs, now: float) -> Certificate:
    path = f'tunnels.{tunnel}.certificate'
    names = {name: os.path.join(mounted.folder, name) for name in ('tls.crt', 'tls.key')}
    problems = []
    for name, file in names.items():
        if inputs.get(file) is None:
            problems.append(f'{path}: its Secret has no {name}; put the {"certificate" if name == "tls.crt" else "key"} there')
    if problems:
        return Certificate({}, problems, None)
    chain = certificates_in(inputs[names['tls.crt']] or b'')
    key = PRIVATE_KEY.search(inputs[names['tls.key']] or b'')
    if not chain:
        problems.append(f'{path}: tls.crt is not a certificate in PEM; put one there')
    if not key:
        problems.append(f'{path}: tls.key is not a private key in PEM; put one there')
    elif key[1] == b'ENCRYPTED ' or b'Proc-Type: 4,ENCRYPTED' in key[0]:
        problems.append(f'{path}: tls.key is encrypted; put it there without a passphrase')
    if problems or not key:
        return Certificate({}, problems, None)
    # charon reads one certificate of a file; the others of the chain are sent along if they are there.
    files = {f'x509/{tunnel}.crt': chain[0], f'private/{tunnel}.key': key[0] + b'\n'}
    files.update({f'x509/{tunnel}.{number}.crt': each for number, each in enumerate(chain[1:], 1)})
    if not belongs_to(names['tls.key'], names['tls.crt']):
        problems.append(f'{path}: tls.key is not the key of tls.crt; put the two that belong together there')
    fields = decoded(names['tls.crt'])
    if not stands_in(mounted.identity, fields):
        problems.append(
            f'{path}: {json.dumps(mounted.identity)} does not stand in tls.crt; '
            'put a certificate with that name there, or set localIdentity'
        )
    expiry = None
    try:
        expiry = float(ssl.cert_time_to_seconds(fields['notAfter']))
        if expiry < now:
            problems.append(f'{path}: it expired on {fields["notAfter"]}; renew it')
        elif ssl.cert_time_to_seconds(fields['notBefore']) > now:
            problems.append(f'{path}: it is not valid before {fields["notBefore"]}; wait, or look at the clock of the node')
    except (AttributeError, KeyError, TypeError, ValueError):
        pass  # not decoded
    return Certificate(files, problems, expiry)


def authority_of(tunnel: str, secret: Secret, inputs: Inputs) -> List[bytes]:
    path, data = f'tunnels.{tunnel}.authorities', inputs.get(secret.file)
    if data is None:
        raise Invalid(f'{path}: {secret.source} is missing; make it')
    certificates = certificates_in(data)
    if not certificates:
        raise Invalid(f'{path}: {secret.source} is not a certificate in PEM; put one there')
    return certificates

"""written.py: files that are read as they are, and written so that nobody sees half of one."""
import json
import os
from typing import Any, Optional


def read(file: str, most: int = 1 << 22) -> Optional[bytes]:
    try:
        with open(file, 'rb') as opened:
            return opened.read(most)
    except OSError:
        return None


def read_json(file: str) -> Any:
    """None if there is no such file, or only half of one."""
    try:
        return json.loads(read(file) or b'null')
    except (ValueError, RecursionError):
        return None


def write_atomically(file: str, data: bytes, mode: int = 0o600) -> None:
    folder, name = os.path.split(file)
    aside = os.path.join(folder, f'.{name}.new')
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, 'wb') as opened:
        os.fchmod(descriptor, mode)
        opened.write(data)
    os.replace(aside, file)


def write_json(file: str, value: Any, mode: int = 0o600) -> None:
    write_atomically(file, json.dumps(value).encode() + b'\n', mode)


def remove(file: str) -> None:
    try:
        os.unlink(file)
    except FileNotFoundError:
        pass

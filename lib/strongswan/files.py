"""files.py: read as they are, written so that nobody sees half of one."""
import os
from typing import Optional


def read(file: str) -> Optional[bytes]:
    try:
        with open(file, 'rb') as opened:
            return opened.read(1 << 20)
    except OSError:
        return None


def write_atomically(file: str, data: bytes, aside: str, mode: int = 0o600) -> None:
    # Not beside it: swanctl reads every file of its folders.
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, 'wb') as opened:
        opened.write(data)
    os.replace(aside, file)


def remove(file: str) -> None:
    try:
        os.unlink(file)
    except FileNotFoundError:
        pass

"""log.py: what is said, line by line on standard error."""
import re
import sys
from typing import NoReturn


def log(sentence: str) -> None:
    print(f'control.py: {sentence}', file=sys.stderr, flush=True)


def die(sentence: str) -> NoReturn:
    log(sentence)
    sys.exit(1)


def printable(text: str, longest: int = 300) -> str:
    """One line, without control characters, and without what may be a key."""
    text = re.sub(r'\b0s[A-Za-z0-9+/=]{4,}', '(key)', text)
    line = ''.join(letter if letter.isprintable() else ' ' for letter in text).strip()
    return line if len(line) <= longest else f'{line[: longest - 1]}…'


def reason_of(error: OSError) -> str:
    return error.strerror or type(error).__name__

"""say.py: what is said, line by line on standard error."""
import re
import sys
from typing import Dict, NoReturn

NAME = ['frr']  # of the program that says it


def name_program(name: str) -> None:
    NAME[0] = name


def say(sentence: str) -> None:
    print(f'{NAME[0]}: {sentence}', file=sys.stderr, flush=True)


def die(sentence: str) -> NoReturn:
    say(sentence)
    sys.exit(1)


def printable(text: str, longest: int = 300) -> str:
    """One line, without control characters, and without what may be a password."""
    text = re.sub(r'\b(password) .*', r'\1 (password)', text)
    line = ''.join(letter if letter.isprintable() else ' ' for letter in text).strip()
    return line if len(line) <= longest else f'{line[: longest - 1]}…'


def reason_of(error: OSError) -> str:
    return error.strerror or type(error).__name__


class Changes:
    """Says what is so once, when it comes, and when it has gone."""

    def __init__(self) -> None:
        self.told: Dict[str, str] = {}

    def tell(self, now: Dict[str, str]) -> None:
        """Sentences by what they are of: of each the last one counts."""
        for key, sentence in now.items():
            if self.told.get(key) != sentence:
                say(sentence)
        for key, sentence in self.told.items():
            if key not in now:
                say(f'corrected: {sentence}')
        self.told = dict(now)

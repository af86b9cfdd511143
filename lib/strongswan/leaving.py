"""leaving.py: whether all containers of the pod are to end, and that they may: what leave.sh says and waits for."""
import os
from typing import List

from files import read, remove, write_atomically


class Leaving:
    def __init__(self, state: str) -> None:
        self.folder = os.path.join(state, 'leaving')
        self.expected: List[str] = []
        self.may_end = False
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def begin(self) -> None:
        """This container has just started."""
        remove(self.at('control'))

    def at(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def expect(self, containers: List[str]) -> None:
        line = ' '.join(containers).encode() + b'\n'
        if self.expected != containers or read(self.at('expected')) != line:
            self.write('expected', line)
            self.expected = containers

    def is_complete(self) -> bool:
        """Whether the whole pod is to end, and not one container of it."""
        return bool(self.expected) and all(os.path.exists(self.at(name)) for name in self.expected)

    def let_end(self) -> None:
        self.write('done', b'')
        self.may_end = True

    def write(self, name: str, data: bytes) -> None:
        write_atomically(self.at(name), data, self.at(f'.{name}.new'))

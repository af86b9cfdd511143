"""sysctls.py: the settings of the node's kernel that the fabric needs; the old ones are kept on the node until they go back."""
import os
from typing import Any, Dict, List, NamedTuple, Optional

from agent_file import Settings
from say import reason_of
from written import read, read_json, write_json


class Kept(NamedTuple):
    """What a release has on the node, as a file of the node says."""

    release: str
    link: str
    sysctls: Dict[str, List[str]]  # by path: what it was, and what it is


def wanted(settings: Settings) -> Dict[str, str]:
    """Of all links: by path below /proc/sys/net."""
    found = {'ipv4/ip_forward': '1', 'ipv4/fib_multipath_hash_policy': '1'}
    if settings.overlay.ipv6:
        found['ipv6/fib_multipath_hash_policy'] = '1'
    return found


def wanted_of_link(settings: Settings) -> Dict[str, str]:
    """They go with the link. Where the node itself is strict about sources, its larger number would count."""
    ipv4 = f'ipv4/conf/{settings.link}'
    found = {f'{ipv4}/rp_filter': '2', f'{ipv4}/send_redirects': '0', f'{ipv4}/accept_redirects': '0', f'{ipv4}/forwarding': '1'}
    if settings.overlay.ipv6:
        ipv6 = f'ipv6/conf/{settings.link}'
        found.update({f'{ipv6}/accept_ra': '0', f'{ipv6}/accept_redirects': '0'})
    return found


class Sysctls:
    def __init__(self, root: str, folder: str) -> None:
        self.root = root
        self.folder = folder

    def get(self, path: str) -> str:
        # The kernel refuses a reader who asks for much.
        return (read(os.path.join(self.root, path), 4096) or b'').decode(errors='replace').strip()

    def set(self, path: str, value: str) -> List[str]:
        try:
            with open(os.path.join(self.root, path), 'w', encoding='ascii') as opened:
                opened.write(value)
        except OSError as error:
            name = 'net.' + path.replace('/', '.')
            return [f'cannot set {name} to {value}: {reason_of(error)}; mount /proc/sys/net of the node, or set it there']
        return []

    def file(self, link: str) -> str:
        return os.path.join(self.folder, f'{link}.json')

    def kept(self) -> List[Kept]:
        """Of every release that has something on the node."""
        names = sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []
        found = (parse_kept(read_json(os.path.join(self.folder, name))) for name in names if name.endswith('.json'))
        return [each for each in found if each is not None]

    def apply(self, settings: Settings) -> List[str]:
        """An old value is on disk before it is changed."""
        kept = next((each for each in self.kept() if each.link == settings.link), None)
        sysctls = dict(kept.sysctls) if kept else {}
        changes = {path: value for path, value in wanted(settings).items() if self.get(path) != value}
        for path, value in changes.items():
            sysctls.setdefault(path, [self.get(path), value])
        now = Kept(settings.release, settings.link, sysctls)
        if now != kept:
            os.makedirs(self.folder, exist_ok=True)
            write_json(self.file(settings.link), now._asdict(), 0o644)
        of_link = {path: value for path, value in wanted_of_link(settings).items() if self.get(path) not in ('', value)}
        return [problem for path, value in {**changes, **of_link}.items() for problem in self.set(path, value)]

    def restore(self, kept: Kept) -> List[str]:
        """Unless somebody else has set another value meanwhile."""
        problems = []
        for path, (old, new) in kept.sysctls.items():
            if self.get(path) == new:
                problems += self.set(path, old)
        return problems

    def forget(self, link: str) -> None:
        if os.path.exists(self.file(link)):
            os.unlink(self.file(link))


def parse_kept(value: Any) -> Optional[Kept]:
    if not isinstance(value, dict):
        return None
    release, link, sysctls = (value.get(key) for key in Kept._fields)
    if not isinstance(release, str) or not isinstance(link, str) or not isinstance(sysctls, dict):
        return None
    return Kept(release, link, {str(path): [str(each) for each in pair] for path, pair in sysctls.items() if len(pair) == 2})

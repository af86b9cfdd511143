"""bfd_ports.py: whether another daemon of the node has the ports of BFD: two may bind them, and only the first one hears anything."""
import os
from typing import List, Set

from written import read

PORTS = (3784, 4784, 7784)  # one hop, several hops, and that by which a session is checked between the ends


def ports_in_use(table: str) -> Set[int]:
    """Of /proc/net/udp or /proc/net/udp6."""
    found = set()
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 1:
            found.add(int(words[1].rpartition(':')[2], 16))
    return found


def busy_ports(folder: str = '/proc/net') -> List[int]:
    tables = [(read(os.path.join(folder, name)) or b'').decode(errors='replace') for name in ('udp', 'udp6')]
    used = {port for table in tables for port in ports_in_use(table)}
    return [port for port in PORTS if port in used]

"""connections.py: the connections of a swanctl.conf as sections."""
import re
from typing import Any, Dict, List, Tuple

from mounted import Invalid

Section = Dict[str, Any]  # text, or another Section

LINE = re.compile(
    r'(?P<open>[^\s#{}="]+) \{|(?P<close>\})|include \S+'
    r'|(?P<key>[^\s#{}="]+) =(?: (?P<value>"(?:[^"\\]|\\.)*"|[^"{}]*))?'
)


def connections_of(text: str, authorities: Dict[str, List[str]]) -> Tuple[Dict[str, Section], str]:
    """The connections of the chart's swanctl.conf, and its text with all the files that were made of an authority."""
    root: Section = {}
    path: List[Tuple[str, Section]] = [('', root)]
    lines = []
    for number, line in enumerate(text.split('\n'), 1):
        content = line.strip()
        lines.append(line)
        if content == '' or content.startswith('#'):
            continue
        found = LINE.fullmatch(content)
        if found is None or (found['close'] and len(path) == 1):
            raise Invalid(f'swanctl.conf: line {number} cannot be read; install the chart anew')
        if found['open']:
            inner: Section = {}
            path[-1][1][found['open']] = inner
            path.append((found['open'], inner))
        elif found['close']:
            path.pop()
        elif found['key']:
            path[-1][1][found['key']] = found['value'] or ''
            if found['key'] == 'cacerts':
                files = [file for each in (found['value'] or '').split(',') for file in authorities.get(each.strip(), [])]
                # Without any, swanctl refuses the connection: better than one that trusts everybody.
                if files:
                    lines[-1] = f'{line[: len(line) - len(line.lstrip())]}cacerts = {", ".join(files)}'
    if len(path) > 1:
        raise Invalid(f'swanctl.conf: the section {path[-1][0]} does not end; install the chart anew')
    connections = root.get('connections', {})
    if not isinstance(connections, dict) or not all(isinstance(each, dict) for each in connections.values()):
        raise Invalid('swanctl.conf: connections is not a section of sections; install the chart anew')
    return connections, '\n'.join(lines)


def children_of(connection: Section) -> Dict[str, Section]:
    children = connection.get('children')
    return children if isinstance(children, dict) else {}


def own(connection: Section) -> Section:
    """The parameters of a connection that are not those of its children."""
    return {key: value for key, value in connection.items() if key != 'children'}

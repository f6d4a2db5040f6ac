# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The documentation's tables of topics, services and parameters, from where the node has them.

Each stands between `<!-- begin NAME -->` and `<!-- end NAME -->`. After a change:

    python -m ssd_ros.ros.node.interface_tables
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import math
from pathlib import Path
import sys

from ssd_ros.ros.messages.topics import (
    BOND,
    DIAGNOSTICS,
    PUBLISHED,
    Service,
    SERVICES,
    SUBSCRIBED,
    TF,
    Topic,
    VIEW_FRAME,
)
from ssd_ros.ros.parameters.node import OPTIONS
from ssd_ros.ros.parameters.options import Option
from ssd_ros.targets import write_file

DOCUMENT = 'resource/docs/reference/interface.md'


def topic_table(topics: Iterable[Topic]) -> str:
    """Return topics as Markdown."""
    rows = [
        (f'`{topic.name}`', short(topic.kind), str(topic.qos), topic.frame, topic.when)
        for topic in topics
    ]
    return markdown(('topic', 'type', 'QoS', 'frame', 'when'), rows)


def service_table(services: Iterable[Service]) -> str:
    """Return services as Markdown."""
    rows = [(f'`{item.name}`', short(item.kind), item.meaning) for item in services]
    return markdown(('service', 'type', 'meaning'), rows)


def parameter_table(options: Iterable[Option]) -> str:
    """Return parameters as Markdown."""
    return markdown(('parameter', 'default', 'range', 'meaning'), map(_parameter_row, options))


def _parameter_row(option: Option) -> tuple[str, str, str, str]:
    name = f'`{option.name}`' + (' (read-only)' if option.read_only else '')
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    is_empty = default in ('', [''])
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    limits = ', '.join(f'`{choice}`' for choice in option.choices)
    if not math.isnan(option.low):
        limits = f'{option.low:g} … {option.high:g}'
    return name, '' if is_empty else f'`{shown}`', limits, option.description


def short(kind: str) -> str:
    """Return the name of a type as people say it: `std_srvs/Trigger`."""
    package, _, name = kind.split('/')
    return f'{package}/{name}'


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in lines)


TABLES = {
    'subscriptions': topic_table([*SUBSCRIBED, BOND]),
    'publications': topic_table([*PUBLISHED, DIAGNOSTICS, TF, VIEW_FRAME, BOND]),
    'services': service_table(SERVICES),
    'parameters': parameter_table(OPTIONS),
}


def with_tables(text: str) -> str:
    """
    Return a document with its tables as they are now.

    :raise ValueError: the place of one is not marked
    """
    for name, table in TABLES.items():
        begin, end = f'<!-- begin {name} -->', f'<!-- end {name} -->'
        before, found_begin, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f'no place for the table {name}: expected {begin} and {end}')
        text = f'{before}{begin}\n\n{table}\n\n{end}{after}'
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the tables of a document, of the documentation if none is named."""
    paths = sys.argv[1:] if argv is None else argv
    path = Path(paths[0] if paths else DOCUMENT)
    try:
        text = with_tables(path.read_text())  # refuses what has no place for them
        write_file(path, text.encode(), mark=b'')
    except (OSError, ValueError) as error:
        print(f'interface_tables: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())

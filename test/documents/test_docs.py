# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold README and documentation to the code."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
import functools
from importlib import import_module
from pathlib import Path
import re

import pytest
import ssd_ros
from ssd_ros.cli.main import COMMANDS
from ssd_ros.recognition.candidates import DTYPE, FIELDS, Flag
from ssd_ros.ros.health import texts as health_texts
from ssd_ros.ros.node import interface_tables
from ssd_ros.ros.parameters.node import OPTIONS
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / 'resource' / 'docs'
DOCUMENTS = [path.read_text() for path in (ROOT / 'README.md', *sorted(DOCS.rglob('*.md')))]
TEXT = '\n'.join(DOCUMENTS)
# Folders of what the localizer runs: an operator reads their warnings.
LIBRARY = (
    'motion',
    'radar',
    'confidence',
    'bev',
    'encoders',
    'encoders/providers',
    'maps',
    'recognition',
)
SAYING = ('warn', '_warn', 'refuse', 'fail', 'PointCloudError')
PLACEHOLDER = re.compile(r'\{[^}]*}')


def page(name: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / name).read_text()


def text_of(node: ast.expr, constants: dict[str, str]) -> str | None:
    """Return a text of the code with its placeholders as `…`, None if it is made elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return ''.join(str(p.value) if isinstance(p, ast.Constant) else '…' for p in parts)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr='format')) if (
            name in constants
        ):
            return PLACEHOLDER.sub('…', constants[name])
    return None


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules_of_the_node() -> list[Path]:
    """Return the shell of the localizer, and the modules of the library that stand alone."""
    package = ROOT / 'ssd_ros'
    library = [path for folder in LIBRARY for path in (package / folder).glob('*.py')]
    shell = (package / 'ros').rglob('*.py')
    return [
        *package.glob('*.py'),
        *library,
        *(path for path in shell if path.parent.name != 'companions'),
    ]


def said(path: Path) -> Iterator[str]:
    """Yield every sentence that a module says of a fault."""
    tree = parsed(path)
    constants = {
        target.id: text
        for node in tree.body
        if isinstance(node, ast.Assign) and (text := text_of(node.value, {})) is not None
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ''
        name = node.func.id if isinstance(node.func, ast.Name) else name
        text = text_of(node.args[-1], constants) if name in SAYING else None
        if text is not None and text.strip('…: '):
            yield text


def warnings() -> set[str]:
    """Return what the node may warn of, and why it may refuse a message."""
    return {text for path in modules_of_the_node() for text in said(path)}


def first_cells(text: str) -> list[str]:
    """Return the quoted text that each row of the tables begins with."""
    return [match[2] for match in re.finditer(r'^\| (`+)(.+?)\1 \|', text, re.MULTILINE)]


def options_of(module: str) -> set[str]:
    """Return the options of a command."""
    parsers = [import_module(module).parser()]
    for parser in parsers:  # which grows by the parsers of subcommands
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
    return {
        name for parser in parsers for action in parser._actions for name in action.option_strings
    }


def quoted_commands() -> list[str]:
    """Return the lines of fences without a language, and what is quoted in the text."""
    return [command for text in DOCUMENTS for command in quoted_in(text)]


def quoted_in(text: str) -> list[str]:
    """Return those of a document."""
    parts = re.split(r'^```(.*)\n', text, flags=re.MULTILINE)
    # Text, then by turns: language, what is in the fence, nothing, text.
    fences = [
        fence for language, fence in zip(parts[1::4], parts[2::4], strict=True) if not language
    ]
    joined = '\n'.join(fences).replace('\\\n', ' ')
    lines = [line.partition('#')[0] for line in joined.splitlines()]
    prose = re.sub(r'``.*?``', '', '\n'.join(parts[::4]))
    quoted = re.findall(r'`([^`]+)`', prose)
    return [' '.join(line.split()) for line in [*lines, *quoted] if line.strip()]


def splits_in(command: str) -> str:
    """Return what stands between `--benchmark` and the next option."""
    return command.partition('--benchmark')[2].partition(' --')[0]


def test_the_tables_are_those_of_the_node() -> None:
    """After a change: python -m ssd_ros.ros.node.interface_tables."""
    written = (ROOT / interface_tables.DOCUMENT).read_text()
    assert interface_tables.with_tables(written) == written
    assert sum(table.count('\n') - 1 for table in interface_tables.TABLES.values()) > 70


def test_the_generator_rewrites_a_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / 'interface.md'
    names = list(interface_tables.TABLES)
    document.write_text(
        '\n'.join(f'<!-- begin {name} -->as before<!-- end {name} -->' for name in names)
    )
    assert interface_tables.main([str(document)]) == 0
    assert 'as before' not in document.read_text()
    assert '| `~/query` | std_srvs/Trigger |' in document.read_text()
    document.write_text('<!-- begin services --><!-- end services -->')
    assert interface_tables.main([str(document)]) == 1
    assert f'no place for the table {names[0]}' in capsys.readouterr().err


def test_every_command_of_the_make_file_is_mentioned() -> None:
    targets = re.findall(r'^(\w+):.*##', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    assert {'help', 'demo', 'test', 'check', 'bench', 'fmt', 'soak'} <= set(targets)
    assert [
        name for name in targets if f'`{name}`' not in TEXT and f'make {name}' not in TEXT
    ] == []


def test_every_command_that_is_quoted_exists_and_has_these_options() -> None:
    faults, met = [], set()
    for line in quoted_commands():
        words = re.sub(
            r'^(ros2 run ssd_ros|(\S*python -m )?ssd_ros|torchrun .* -m ssd_ros) ', '', line
        )
        name, *rest = words.split() or ['']
        if name not in COMMANDS or not rest or {'--ros-args', '…'} & {*rest}:
            continue
        met.add(name)
        used = {word for word in rest if word.startswith('--')}
        faults += [f'{name} {option}' for option in used - options_of(COMMANDS[name].module)]
    assert faults == []
    assert met >= {'build_db', 'cache', 'evaluate', 'export', 'replay', 'train', 'trust'}
    mentioned = {word for line in quoted_commands() for word in line.split()}
    assert sorted(set(COMMANDS) - mentioned - {'demo'}) == []


def test_the_splits_of_the_benchmark_that_are_named_exist() -> None:
    content = yaml.safe_load((ROOT / 'config' / 'benchmark.yaml').read_text())
    halves = yaml.safe_load((ROOT / 'config' / 'shift.yaml').read_text())['halves']
    known = {split['name'] for split in (*content['splits'], *halves)}
    lines = [line for line in quoted_commands() if '--benchmark ' in line]
    named = {name for line in lines for name in splits_in(line).split()}
    assert {'train', 'validation', 'test'} <= named <= known


def test_launch_arguments_and_parameters_that_are_named_exist() -> None:
    tree = ast.parse((ROOT / 'launch' / 'localize.launch.py').read_text())
    known = {'params_file'} | {
        entry.elts[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.List)
        for entry in node.elts
        if isinstance(entry, ast.Tuple) and isinstance(entry.elts[0], ast.Constant)
    }
    used = set(re.findall(r'(?<![\w/-])(?<!-r )([a-z_]+):=', TEXT))
    assert sorted(used - known - {option.name for option in OPTIONS}) == []
    assert {'index', 'driver', 'adapters'} <= used & known
    names = {option.name for option in OPTIONS}
    # `name: value` as in a parameter file
    given = set(re.findall(r'`([a-z_.]+):\s[^`]+`', TEXT)) - {'bond_timeout'}
    assert sorted(given - names) == []
    assert {'online_index', 'stamp_source'} <= given


def test_troubleshooting_has_every_text_of_the_node_and_no_other() -> None:
    texts = {PLACEHOLDER.sub('…', text) for text in health_texts.TEXTS}
    constants = {value for name, value in vars(health_texts).items() if name.isupper()}
    assert constants - {health_texts.TEXTS} == set(health_texts.TEXTS)
    explained = first_cells(page('guide/troubleshooting.md').partition('At the start')[0])
    assert len(explained) == len(set(explained)) >= 35
    assert sorted((texts | warnings()) - set(explained)) == []
    assert sorted(set(explained) - texts - warnings()) == []


def test_what_the_node_says_at_the_start_is_in_the_code() -> None:
    explained = first_cells(page('guide/troubleshooting.md').partition('At the start')[2])
    assert len(explained) >= 6
    nodes = [node for path in modules_of_the_node() for node in ast.walk(parsed(path))]
    texts = {text_of(node, {}) for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr)}
    assert [text for text in explained if text not in texts] == []


def test_the_signs_of_recall_in_the_diagnostics_are_explained() -> None:
    from ssd_ros.ros.matching.recall_proxies import RecallProxies

    explained = page('guide/trust.md')
    assert [name for name in RecallProxies().values() if f'`{name}`' not in explained] == []


def test_every_name_that_a_program_needs_is_in_the_reference() -> None:
    described = re.findall(
        r'^\.\. auto\w+:: ssd_ros\.(\w+)$', page('reference/api.md'), re.MULTILINE
    )
    assert sorted(described) == sorted(ssd_ros.__all__)


def test_every_column_and_flag_of_a_row_is_explained() -> None:
    explained = page('reference/candidates.md')
    assert f'one row of {DTYPE.itemsize} bytes' in explained
    assert [name for name, _, _ in FIELDS if f'`{name}`' not in explained] == []
    row = explained.partition('`flags` |')[2].partition('\n')[0]
    flags = dict(re.findall(r'(\d+) ([a-z -]+)[,|]', row))
    assert len(flags) == len(Flag)
    for flag in Flag:
        said_words = flags[str(flag.value)].strip().replace('-', ' ')
        assert said_words == (flag.name or '').lower().replace('_', ' ')

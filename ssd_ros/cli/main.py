# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The command `ssd_ros`, which has all others as subcommands.

`eval "$(register-python-argcomplete ssd_ros)"` completes them and their options in bash and zsh.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import difflib
from importlib import import_module
import os
import sys
from types import ModuleType
from typing import NamedTuple

from ssd_ros.cli.common.console import EXIT_FAILED, EXIT_USAGE, VERSION
from ssd_ros.packages import way_out


class Command(NamedTuple):
    """Where a subcommand is and what the list of all says of it."""

    module: str
    summary: str


GROUPS = {
    'map': {
        'build_db': Command(
            'ssd_ros.cli.build_db.command', 'make a map of places from a drive with spinning radar'
        ),
        'map': Command('ssd_ros.cli.map.command', 'what a map holds, new poses, drives of a city'),
        'estimate_rcs_correction': Command(
            'ssd_ros.cli.estimate_rcs_correction.command', 'bring both radars to one brightness'
        ),
    },
    'run': {
        'localize': Command('ssd_ros.cli.localize.command', 'run the ROS 2 node'),
        'doctor': Command(
            'ssd_ros.cli.doctor.command', 'is a recording or a running graph fit, what is to mend?'
        ),
        'quickstart': Command(
            'ssd_ros.cli.quickstart.command', 'look, start the node, wait for the first pose'
        ),
        'view': Command('ssd_ros.cli.view.command', 'look at the node in the browser'),
        'serve': Command('ssd_ros.cli.serve.command', 'answer a fleet from one map, over HTTP'),
        'replay': Command('ssd_ros.cli.replay.command', 'run a recording through it, without ROS'),
        'demo': Command('ssd_ros.cli.demo.command', 'do the main job end to end, simulated'),
        'pose_graph_demo': Command(
            'ssd_ros.cli.pose_graph_demo.command', 'close loops in a pose graph, simulated'
        ),
    },
    'judge': {
        'evaluate': Command('ssd_ros.cli.evaluate.command', 'recall of the models'),
        'compare': Command('ssd_ros.cli.compare.command', 'recall and costs of every method'),
        'trust': Command(
            'ssd_ros.cli.trust.command', 'calibrate acceptance, and how far it can be trusted'
        ),
        'bench': Command('ssd_ros.cli.bench.command', 'time every stage beside a plain peer'),
        'bench_node': Command('ssd_ros.cli.bench.node', 'time the running node on a busy machine'),
        'soak': Command('ssd_ros.cli.soak.command', 'load the node for an hour'),
    },
    'train': {
        'cache': Command('ssd_ros.cli.cache.command', 'drives as the networks see them'),
        'train': Command('ssd_ros.training.runs.command', 'train teacher and student'),
        'distill_4dral': Command(
            'ssd_ros.training.fourdral.command',
            '4D radar in LiDAR maps or its own, taught by LiDAR',
        ),
        'ablate': Command('ssd_ros.training.ablation.command', 'compare distillation schemes'),
        'export': Command('ssd_ros.training.export.command', 'write ONNX models and their card'),
        'contract': Command(
            'ssd_ros.cli.contract.command', 'make an encoder of your own a model for the node'
        ),
    },
    'look': {
        'simulate': Command(
            'ssd_ros.cli.simulate.command', 'write simulated drives, pictures, statistics'
        ),
        'statistics': Command(
            'ssd_ros.cli.statistics.command', 'how far simulated radar is from real one'
        ),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that the arguments begin with, and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if '_ARGCOMPLETE' in os.environ:
        import argcomplete

        argcomplete.autocomplete(completion_parser(os.environ.get('COMP_LINE', '')))
    name = arguments[0] if arguments else ''
    if name not in COMMANDS:
        return _without_command(arguments, name)
    try:
        module = _imported(name)
    except ImportError as error:
        print(f'ssd_ros {name}: {way_out(error)}', file=sys.stderr)
        return EXIT_FAILED
    code: int = module.main(arguments[1:])
    return code


def _imported(name: str) -> ModuleType:
    return import_module(COMMANDS[name].module)


def _without_command(arguments: Sequence[str], name: str) -> int:
    parser = _parser()
    if not arguments:
        parser.print_help(sys.stderr)
    elif name.startswith('-'):
        parser.parse_args(arguments)  # --help and --version leave here, all else is refused
    else:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f'did you mean {near[0]}?' if near else f'choose from {", ".join(COMMANDS)}'
        parser.error(f'there is no command {name!r}: {hint}')
    return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = []
    for group, commands in GROUPS.items():
        lines += ['', f'{group}:']
        lines += [f'  {name:{width}}  {command.summary}' for name, command in commands.items()]
    lines += ['', 'The help of each ends with examples: ssd_ros COMMAND --help']
    lines += ['Completion in the shell: eval "$(register-python-argcomplete ssd_ros)"']
    parser = argparse.ArgumentParser(
        prog='ssd_ros',
        usage='%(prog)s [-h] [--version] COMMAND ...',
        description='Heterogeneous radar place recognition: 4D radar in the maps of others.',
        epilog='\n'.join(lines).strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=VERSION)
    return parser


def completion_parser(line: str) -> argparse.ArgumentParser:
    """
    Return a parser of all commands, with the options of the one that a line names.

    :param line: what has been typed so far, `ssd_ros build_db --in`
    """
    parser = argparse.ArgumentParser(prog='ssd_ros')
    commands = parser.add_subparsers()
    named = line.split()[1:2]
    for name, command in COMMANDS.items():
        options = [_imported(name).parser()] if named == [name] else []
        commands.add_parser(name, help=command.summary, parents=options, add_help=not options)
    return parser

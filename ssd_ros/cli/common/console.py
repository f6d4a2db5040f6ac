# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What every command does alike: arguments, errors, exit codes.

Codes: 0 done, 1 failed (one line on stderr says why), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import logging
import os
from pathlib import Path
import re
import sys
import textwrap
from typing import Any

from ssd_ros import __version__
from ssd_ros.packages import way_out
from ssd_ros.user_paths import user_path

# Read by numerical libraries when they start; OpenCV has a name of its own.
ONE_THREAD = dict.fromkeys(
    ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENCV_FOR_THREADS_NUM'), '1'
)
VERSION = f'ssd_ros {__version__}'
EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def called_as(command: str) -> str:
    """Return the words that this process was started with: `build_db` or `ssd_ros build_db`."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.stem == '__main__' else program.stem
    return f'ssd_ros {command}' if name == 'ssd_ros' else command


class Parser(argparse.ArgumentParser):
    """A parser, and parsers of subcommands, whose options of type Path may begin with `~`."""

    takes = ''  # how long, where that is more than a minute

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register('type', Path, _path_of_option)


def _path_of_option(text: str) -> Path:
    try:
        return user_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def make_parser(
    command: str, description: str, examples: str, takes: str = ''
) -> argparse.ArgumentParser:
    """
    Return a parser whose help ends with examples.

    :param takes: how long, where that is more than a minute; said where the work begins, too
    """
    program = called_as(command)
    examples = re.sub(rf'^  {command}\b', f'  {program}', examples, flags=re.M)
    said = textwrap.fill(f'takes {takes}', 78, break_on_hyphens=False) + '\n\n' if takes else ''
    result = Parser(
        prog=program,
        description=textwrap.fill(description, 78),
        epilog=f'{said}examples:\n{examples}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.takes = takes
    result.add_argument('--version', action='version', version=VERSION)
    return result


def run_command(
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace], None],
    argv: Sequence[str] | None,
) -> int:
    """
    Parse the arguments, run the command and turn its errors into an exit code.

    :param run: imports what is heavy itself, so that --help and wrong usage answer at once
    :param argv: None takes the arguments of the process
    """
    arguments = parser.parse_args(argv)  # leaves with code 2 on wrong usage, 0 after --help
    logging.basicConfig(level=logging.WARNING, format=f'{parser.prog}: %(message)s')
    if isinstance(parser, Parser) and parser.takes and sys.stderr.isatty():
        print(f'{parser.prog}: takes {parser.takes}', file=sys.stderr)
    try:
        run(arguments)
        return EXIT_OK
    except KeyboardInterrupt:
        return _interrupted(parser)
    except SystemError as error:
        # Ctrl-C inside one of the simulator's compiled functions comes out in this disguise.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return _interrupted(parser)
        raise
    except ImportError as error:
        print(f'{parser.prog}: {way_out(error)}', file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f'{parser.prog}: {error}', file=sys.stderr)
    return EXIT_FAILED


def _interrupted(parser: argparse.ArgumentParser) -> int:
    print(f'\n{parser.prog}: interrupted, nothing was replaced', file=sys.stderr)
    return EXIT_INTERRUPTED


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == 'linux' else os.cpu_count() or 1


def at_least(kind: type, minimum: float) -> Callable[[str], float]:
    """Return an argparse type that refuses smaller numbers and what is no number."""

    def convert(text: str) -> float:
        value: float = kind(text)
        if not value >= minimum:
            raise argparse.ArgumentTypeError(f'{text} is less than {minimum:g}')
        return value

    convert.__name__ = kind.__name__  # argparse names it in its message
    return convert

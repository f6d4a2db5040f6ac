# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the page for the browser is served: options of `view` and `replay --live`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssd_ros.view.server import ServerConfig


def add_page_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options of the server, and return their group."""
    page = parser.add_argument_group('the page in the browser')
    page.add_argument(
        '--host',
        type=_host,
        default='127.0.0.1',
        metavar='ADDRESS',
        help='to serve at; 0.0.0.0 lets everybody on the network look (%(default)s: this machine '
        'alone)',
    )
    page.add_argument(
        '--port', type=_port, default=8765, help='0 = any that is free (%(default)s)'
    )
    page.add_argument(
        '--allow-host',
        nargs='+',
        default=[],
        metavar='NAME',
        help='other names by which browsers call this machine, besides its own and its addresses',
    )
    return page


def _host(text: str) -> str:
    if not text:  # would be every address
        raise argparse.ArgumentTypeError("'' is no address; 0.0.0.0 = all of this machine")
    return text


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f'{text} is no port: expected 0 .. 65535')
    return port


_port.__name__ = 'port'  # argparse names it in its message


def server_config_of(arguments: argparse.Namespace) -> ServerConfig:
    """
    Return what the options say.

    :raise ModuleNotFoundError: aiohttp is not installed
    """
    from ssd_ros.view.server import ServerConfig

    return ServerConfig(arguments.host, arguments.port, tuple(arguments.allow_host))

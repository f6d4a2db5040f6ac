# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where something is served: options of `view`, `replay --live` and `serve`."""

from __future__ import annotations

import argparse

from ssd_ros.view.address import ServerConfig


def add_page_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options of the server of a page, and return their group."""
    page = parser.add_argument_group('the page in the browser')
    add_address_options(page, 8765, 'look')
    return page


def add_address_options(group: argparse._ActionsContainer, port: int, verb: str) -> None:
    """
    Add the options of a server.

    :param port: by default
    :param verb: what those do that it serves
    """
    group.add_argument(
        '--host',
        type=_host,
        default='127.0.0.1',
        metavar='ADDRESS',
        help=f'to serve at; 0.0.0.0 lets everybody on the network {verb} (%(default)s: this '
        'machine alone)',
    )
    group.add_argument(
        '--port', type=_port, default=port, help='0 = any that is free (%(default)s)'
    )
    group.add_argument(
        '--allow-host',
        nargs='+',
        default=[],
        metavar='NAME',
        help='other names by which this machine is called, besides its own and its addresses',
    )


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
    """Return what the options say."""
    return ServerConfig(arguments.host, arguments.port, tuple(arguments.allow_host))

# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Who may read the page: those who call it by a name of this machine, from no other page.

A page from elsewhere can open a WebSocket to this machine, which browsers allow and mark with its
Origin; or have its own name resolved to this machine (DNS rebinding), which the Host shows. An
address cannot be resolved to another one, so every address is a good Host.
"""

from __future__ import annotations

from collections.abc import Collection
import ipaddress
import socket
from urllib.parse import urlsplit


def own_names() -> set[str]:
    """Return what this machine is called where it calls itself."""
    name = socket.gethostname().lower()
    return {'localhost', name, f'{name}.local'}


def refusal(host: str | None, origin: str | None, names: Collection[str]) -> str | None:
    """
    Return why a request is refused; None if it is not.

    :param host: header Host
    :param origin: header Origin: what browsers say of the page that asks; others say nothing
    :param names: by which this machine may be called, besides its addresses
    """
    name = _name_in(host)
    if name is None or not (_is_address(name) or name in names):
        return f'this machine is not called {(host or "")[:100]!r}: --allow-host names it'
    if origin is not None and _netloc_of(origin) != (host or '').lower():
        return f'a page of {origin[:100]!r} may not read this one'
    return None


def _name_in(host: str | None) -> str | None:
    try:
        return urlsplit(f'//{host or ""}').hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _netloc_of(origin: str) -> str:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ''
    return parts.netloc.lower() if parts.scheme in ('http', 'https') else ''

# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a server of this package is reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """
    Where to serve.

    :param host: address or name of this machine; the default is reached from this machine alone
    :param port: 0 takes any that is free
    :param names: by which others may call this machine, besides its own and its addresses
    """

    host: str = '127.0.0.1'
    port: int = 8765
    names: tuple[str, ...] = ()

    def url(self, port: int) -> str:
        """
        Return what to type on this machine.

        :param port: that was taken
        """
        host = {'0.0.0.0': 'localhost', '::': 'localhost'}.get(self.host, self.host)
        return f'http://{f"[{host}]" if ":" in host else host}:{port}/'

    def refused(self, error: OSError | UnicodeError) -> OSError:
        """Return the error that says why nothing can be served there."""
        reason = getattr(error, 'strerror', None) or error
        return OSError(f'cannot serve at {self.host[:100]}:{self.port}: {reason}')

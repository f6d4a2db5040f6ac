# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An environment in which ROS processes meet each other and nobody else; needs no ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import random
import socket

DOMAIN_IDS = range(1, 101)


@contextmanager
def isolated_dds(profile: Path) -> Iterator[dict[str, str]]:
    """
    Yield the environment variables of a ROS domain of our own on this machine alone.

    The domain is held as long as the block lasts: other callers get other ones.

    :param profile: `config/fastdds_profile.xml`
    :raise OSError: all domains are taken
    """
    with _held_domain() as domain_id:
        yield {
            'ROS_DOMAIN_ID': str(domain_id),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            # Jazzy and older read the first name, Kilted and newer the second.
            'FASTRTPS_DEFAULT_PROFILES_FILE': str(profile),
            'FASTDDS_DEFAULT_PROFILES_FILE': str(profile),
        }


@contextmanager
def _held_domain() -> Iterator[int]:
    for domain_id in random.Random(os.urandom(8)).sample(DOMAIN_IDS, len(DOMAIN_IDS)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as lock:
            try:
                # A TCP port among those of the domain, which DDS uses with UDP.
                lock.bind(('127.0.0.1', 7400 + 250 * domain_id))
            except OSError:
                continue
            yield domain_id
            return
    raise OSError(f'all ROS domains {DOMAIN_IDS.start} .. {DOMAIN_IDS.stop - 1} are taken')

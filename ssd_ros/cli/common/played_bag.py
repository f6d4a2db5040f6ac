# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wait for the processes that play a bag to the node and collect its answers."""

from __future__ import annotations

from pathlib import Path
import subprocess
import time

_START_LIMIT_S = 60.0
_LAST_ANSWER_S = 1.0  # the last scan is still in work when the player ends


def wait_for_collector(answers: Path) -> None:
    """
    Wait for the collector's first line, which says that the node is there.

    :param answers: its file, removed before it was started
    :raise ValueError: it does not come
    """
    deadline_s = time.monotonic() + _START_LIMIT_S
    while _num_lines(answers) == 0:
        if time.monotonic() > deadline_s:
            raise ValueError(f'the node did not appear within {_START_LIMIT_S:.0f} s')
        time.sleep(0.1)


def wait_for_player(player: subprocess.Popen[bytes], answers: Path, num_clouds: int) -> None:
    """
    Show how many answers came until the player is done and the last answer is in.

    :raise ValueError: the player failed
    """
    from ssd_ros.cli.common.progress import progress_bar

    with progress_bar('answers', 'scan') as progress:
        while player.poll() is None:
            progress(_num_lines(answers) - 1, num_clouds)
            time.sleep(0.2)
        time.sleep(_LAST_ANSWER_S)
        progress(_num_lines(answers) - 1, num_clouds)
    if player.returncode != 0:
        raise ValueError(f'the player failed with exit code {player.returncode}')


def _num_lines(path: Path) -> int:
    return path.read_bytes().count(b'\n') if path.is_file() else 0

# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many drives become one map of squares, whoever encodes them and whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import threading
import time

from distributed import LocalCluster
import numpy as np
import pytest
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.maps.cells.database import CellDatabase, open_map
from support.posts import PostDrive, random_posts, write_small_encoder

NUM_DRIVES, NUM_SCANS = 4, 12
DAY_NS = 86_400 * 10**9


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with drives through one place, a lane beside each other, and a model."""
    path = tmp_path_factory.mktemp('many')
    for number in range(NUM_DRIVES):
        x_m = np.arange(NUM_SCANS) * 5.0
        xy_yaw = np.stack([x_m, np.full(NUM_SCANS, 1.0 * number), 0 * x_m], axis=1)
        drive = PostDrive(random_posts(1000), xy_yaw, f'Posts/0{number + 1}')
        write_hercules(path, 'Posts', f'0{number + 1}', drive)
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    return path


def given(folder: Path, output: Path, *more: str) -> list[str]:
    drives = [str(folder / 'Posts' / f'0{number + 1}') for number in range(NUM_DRIVES)]
    fixed = ['--output', str(output), '--teacher', str(folder / 'teacher.onnx')]
    return ['--drives', *drives, *fixed, '--device', 'cpu', *more]


def squares(path: Path) -> dict[str, bytes]:
    """Return what lies in the squares of a map."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob('*'))
        if file.is_file() and file.parent != path
    }


@pytest.fixture(scope='module')
def of_one(folder: Path) -> Path:
    """Return the map that one process makes."""
    output = folder / 'of_one.map'
    assert build_db.main(given(folder, output, '--workers', '1')) == 0
    return output


@pytest.fixture(scope='module')
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host='127.0.0.1', dashboard_address='127.0.0.1:0'
    ) as cluster:
        yield cluster


def test_the_map_holds_all_drives_in_their_order(of_one: Path) -> None:
    database = open_map(of_one)
    assert isinstance(database, CellDatabase)
    assert [session.name for session in database.sessions] == [
        f'Posts/0{number + 1}' for number in range(NUM_DRIVES)
    ]
    assert len(database) == NUM_DRIVES * NUM_SCANS
    assert not list(of_one.parent.glob('.of_one*'))  # the parts are gone


def test_a_worker_that_dies_costs_time_and_nothing_else(
    folder: Path, of_one: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    pids = [worker.pid for worker in cluster.workers.values()]

    def kill_one_at_work() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(tmp_path.glob('.city.map.*/*.map')):
            time.sleep(0.005)
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    output = tmp_path / 'city.map'
    assert build_db.main(given(folder, output, '--scheduler', cluster.scheduler_address)) == 0
    killer.join()
    assert squares(output) == squares(of_one)


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (('--scheduler', 'tcp://127.0.0.1:9'), 'no scheduler answers at tcp://127.0.0.1:9'),
        (('--scheduler', 'nonsense://x'), 'no scheduler answers at nonsense://x'),
        (('--teacher', '/absent.onnx'), '/absent.onnx'),
        (('--views', '7'), '7 views do not divide'),
        (('--poses', 'a.txt', 'b.txt'), '--poses has 2 values for 4 drives'),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    message: str,
) -> None:
    assert build_db.main(given(folder, tmp_path / 'city.map', *more)) == 1
    error = capfd.readouterr().err
    assert message in error
    assert 'Traceback' not in error
    assert not list(tmp_path.iterdir())


def test_the_same_drive_twice_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = given(folder, tmp_path / 'city.map', '--workers', '1')
    arguments[2] = arguments[1]
    assert build_db.main(arguments) == 1
    assert 'is in' in capsys.readouterr().err
    assert not (tmp_path / 'city.map').exists()
